//! A session: a source that has been opened. Live and demo differ in here and nowhere else.

use crate::app::contexts::WATCHED_MAX;
use crate::app::event::Event;
use crate::app::state;
use crate::aws::{self, Clients, Seam, SetupError};
use crate::clock::Clock;
use crate::config::{self, DemoSettings, LiveSettings, Settings, Source};
use crate::domain::row::Place;
use crate::faces::scenarios;
use crate::failure::Failure;
use crate::journal::{self, Journal, Who};
use crate::kinds::threshold::Thresholds;
use crate::mistakes::unknown;
use crate::shell::hands::{Backend, Hands};
use crate::sim::clock::VirtualClock;
use crate::sim::connector::EngineConnector;
use crate::sim::{engine, scenario};
use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::collections::BTreeMap;
use std::path::Path;
use tokio::sync::mpsc;

/// Clients, a clock, and what the state has to know of them.
#[derive(Clone, Debug)]
pub struct Session {
    /// Those of each context.
    pub clients: BTreeMap<Place, Clients>,
    pub clock: Clock,
    pub settings: state::Settings,
}

/// Opens the source. For the demo this starts the engine on the current runtime; its warm-up runs when the first
/// request comes, so that a screen can be painted before.
///
/// Errors: an unknown or broken scenario; no region, an unknown profile, a malformed endpoint.
pub async fn open(settings: &Settings) -> Result<Session, Failure> {
    match &settings.source {
        Source::Live(_) if !settings.chosen().is_empty() => open_named(settings, settings.chosen()).await,
        Source::Live(live) => {
            let chosen = Chosen {
                name: live.profile.clone(),
                live: live.clone(),
                allow_actions: settings.may_act(),
                config: None,
            };
            open_live(settings, &[chosen]).await
        }
        Source::Demo(demo) => open_demo(demo, settings).await,
    }
}

/// Opens the contexts of these names: the config's, or profiles of AWS's files. What was said of regions, endpoints and
/// actions on the command line holds for them too.
///
/// Errors: as [`open`]; a name that nothing has; too many at once.
pub async fn open_named(settings: &Settings, names: &[String]) -> Result<Session, Failure> {
    let Source::Live(live) = &settings.source else {
        return Err(Failure::new("The demo has one context."));
    };
    if names.len() > WATCHED_MAX {
        return Err(Failure::new(format!("At most {WATCHED_MAX} contexts can be watched at once.")));
    }
    let mut chosen: Vec<Chosen<'_>> = Vec::new();
    for name in names {
        if chosen.iter().any(|one| one.name.as_ref() == Some(name)) {
            continue;
        }
        chosen.push(match settings.config.context(name) {
            Some(context) => of_config(settings, live, context),
            None => of_profile(settings, live, name).await?,
        });
    }
    open_live(settings, &chosen).await
}

/// A context to open.
struct Chosen<'c> {
    name: Option<String>,
    live: LiveSettings,
    allow_actions: bool,
    /// What the config says of it.
    config: Option<&'c config::Context>,
}

/// What the flags say holds before what the config says.
fn of_config<'c>(settings: &Settings, flags: &LiveSettings, context: &'c config::Context) -> Chosen<'c> {
    let or = |flag: &Option<String>, own: &Option<String>| flag.clone().or_else(|| own.clone());
    // The config unlocks the account and region that it names: what flags put in their place is not unlocked with it.
    let is_elsewhere = flags.profile.is_some() || flags.region.is_some() || flags.endpoint_url.is_some();
    Chosen {
        name: Some(context.name.clone()),
        live: LiveSettings {
            profile: or(&flags.profile, &context.profile),
            region: or(&flags.region, &context.region),
            endpoint_url: or(&flags.endpoint_url, &context.endpoint_url),
        },
        allow_actions: settings.allow_actions || (context.allow_actions && !is_elsewhere),
        config: Some(context),
    }
}

async fn of_profile<'c>(settings: &Settings, flags: &LiveSettings, name: &str) -> Result<Chosen<'c>, Failure> {
    let profiles = aws::profile_names().await;
    let config = settings.config.contexts.iter().map(|context| context.name.as_str());
    let mut known: Vec<&str> = Vec::new();
    for name in config.chain(profiles.iter().map(String::as_str)) {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    if !known.contains(&name) {
        let said = format!("There is no context `{name}` in the config, nor such a profile in AWS's files");
        return Err(Failure::new(unknown(&said, name, &known)));
    }
    Ok(Chosen {
        name: Some(name.to_owned()),
        live: LiveSettings { profile: Some(name.to_owned()), ..flags.clone() },
        allow_actions: settings.allow_actions,
        config: None,
    })
}

/// Where the chosen one's resources are said to be: the only one needs no name.
fn place_of(one: &Chosen<'_>, chosen: &[Chosen<'_>]) -> Place {
    match &one.name {
        Some(name) if chosen.len() > 1 => Place::named(name),
        _ => Place::default(),
    }
}

/// The limits that hold everywhere, and each context's own.
fn thresholds(config: &config::Config, chosen: &[Chosen<'_>]) -> Thresholds {
    let own = chosen.iter().filter_map(|one| Some((place_of(one, chosen), one.config?.thresholds.clone())));
    Thresholds { general: config.thresholds.clone(), of_contexts: own.collect() }
}

async fn open_live(settings: &Settings, chosen: &[Chosen<'_>]) -> Result<Session, Failure> {
    let mut contexts: Vec<state::Context> = Vec::new();
    let mut clients = BTreeMap::new();
    for one in chosen {
        let place = place_of(one, chosen);
        let mut context = context_of(one, &place, &settings.config);
        match clients_of(one).await {
            Ok(its_clients) => {
                context.region = Some(its_clients.region().to_owned());
                clients.insert(place, its_clients);
            }
            Err(error) => context.unopened = Some(why_unopened(error, one, &settings.config)),
        }
        contexts.push(context);
    }
    if clients.is_empty() {
        let sentences: Vec<String> = contexts.into_iter().filter_map(|context| context.unopened).collect();
        return Err(Failure::new(sentences.join("\n")));
    }
    let settings = state::Settings {
        source: state::Source::Live,
        source_label: String::new(),
        contexts,
        known: known(&settings.config).await,
        budget_usd_per_h: settings.config.budget_of(chosen.iter().map(|one| one.config)),
        refresh: settings.config.refresh,
        thresholds: thresholds(&settings.config, chosen),
        speed: 1.0,
    };
    Ok(Session { clients, clock: Clock::System, settings })
}

/// The contexts that could be watched: the config's, and the profiles that none of them has the name of.
async fn known(config: &config::Config) -> Vec<state::Known> {
    let own = config.contexts.iter().map(|context| {
        let profile = context.profile.as_ref().map(|profile| format!("profile {profile}"));
        let parts = [profile, context.region.clone(), context.endpoint_url.clone()];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let what = if parts.is_empty() { "as the environment says".to_owned() } else { parts.join(", ") };
        state::Known { name: context.name.clone(), what, production: context.production }
    });
    let profiles = aws::profile_names().await.into_iter().filter(|name| config.context(name).is_none());
    let what = "a profile of AWS's files";
    own.chain(profiles.map(|name| state::Known { what: what.to_owned(), name, production: false })).collect()
}

/// What is known of a context before AWS has been asked anything.
fn context_of(one: &Chosen<'_>, place: &Place, config: &config::Config) -> state::Context {
    state::Context {
        name: one.name.clone(),
        place: place.clone(),
        region: one.live.region.clone(),
        profile: one.live.profile.clone(),
        endpoint_url: one.live.endpoint_url.clone(),
        allow_actions: one.allow_actions,
        production: one.config.is_some_and(|context| context.production),
        filter: config.filter_of(one.config),
        unopened: None,
    }
}

async fn clients_of(one: &Chosen<'_>) -> Result<Clients, SetupError> {
    let live = &one.live;
    let chosen = aws::Settings {
        profile: live.profile.clone(),
        region: live.region.clone(),
        endpoint_url: live.endpoint_url.clone(),
    };
    let sdk_config = aws::sdk_config(&chosen, Seam::live()).await?;
    let in_config = one.config.map(|context| context.name.clone());
    Ok(Clients::new(&sdk_config).with_profile(live.profile.clone(), in_config))
}

/// Why a context has no clients. What the config says of it is to be corrected there, and not with flags.
fn why_unopened(error: SetupError, one: &Chosen<'_>, config: &config::Config) -> String {
    let Some(context) = one.config else { return error.to_string() };
    let its = match &config.path {
        Some(path) => format!("[contexts.{}] of {}", context.name, path.display()),
        None => format!("the config's [contexts.{}]", context.name),
    };
    match error {
        SetupError::NoProfile { name, files, known } if context.profile == one.live.profile => format!(
            "No profile `{name}` in {files}, and {its} names it. {known} Correct `profile` there, or make it: \
             `aws configure --profile {name}`."
        ),
        SetupError::NoRegion { profile } => format!(
            "No region for the context `{}`: put `region` into {its}, or into the profile `{profile}`, or set AWS_REGION.",
            context.name
        ),
        other => format!("The context `{}`: {other}", context.name),
    }
}

async fn open_demo(demo: &DemoSettings, settings: &Settings) -> Result<Session, Failure> {
    let scenario = scenarios::load(&demo.scenario)?;
    let world = scenario::build(&scenario, demo.seed).map_err(Failure::new)?;
    let clock = VirtualClock::start(scenario.start, demo.speed);
    let engine = engine::start(world, clock);
    let seam = Seam {
        http_client: SharedHttpClient::new(EngineConnector::new(engine)),
        time_source: SharedTimeSource::new(clock),
        sleep_impl: SharedAsyncSleep::new(clock),
        static_credentials: Some(Credentials::new("demo", "demo", None, None, "the demo")),
        jitterless: true,
        speed: demo.speed,
    };
    let chosen = aws::Settings { region: Some(scenario.region.clone()), ..aws::Settings::default() };
    let config = aws::sdk_config(&chosen, seam).await.map_err(|error| Failure::new(error.to_string()))?;
    let own = &settings.config;
    let settings = state::Settings {
        source: state::Source::Demo,
        source_label: format!("demo {} ×{}", scenario.name, demo.speed),
        contexts: vec![state::Context {
            region: Some(scenario.region),
            allow_actions: true,
            filter: own.filter.clone(),
            ..state::Context::default()
        }],
        known: Vec::new(),
        budget_usd_per_h: own.budget_usd_per_h,
        refresh: own.refresh,
        thresholds: Thresholds { general: own.thresholds.clone(), of_contexts: BTreeMap::new() },
        speed: demo.speed,
    };
    let clients = BTreeMap::from([(Place::default(), Clients::new(&config))]);
    Ok(Session { clients, clock: Clock::Virtual(clock), settings })
}

/// The hands of the session and the events that they bring. A journal that cannot be opened is no failure of watching:
/// actions then say why they cannot be performed.
pub fn hands(session: &Session, settings: &Settings) -> (Hands, mpsc::Receiver<Event>) {
    let path = settings.journal().map(Path::to_owned).or_else(|| journal::default_path(&settings.source));
    let journal = match path {
        Some(path) => Journal::open(&path).map_err(|error| format!("{} cannot be opened: {error}", path.display())),
        None => Err("there is no home folder for it; name one with --journal".to_owned()),
    };
    let who = Who { source: settings.source_word(), ..Who::default() };
    Hands::new(Backend::aws(session.clients.clone()), session.clock, journal, who)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pattern::Pattern;
    use crate::kinds::threshold::Threshold;

    /// The only context's resources have no context before their ids; those of several do.
    #[test]
    fn a_contexts_own_thresholds_hold_where_its_resources_are() {
        let limit = || Threshold {
            pattern: Pattern::parse("sqs/*").unwrap(),
            field: "visible",
            warn: Some(9.0),
            crit: None,
            below: false,
            instead: false,
        };
        let context = |name: &str, thresholds| config::Context { name: name.into(), thresholds, ..Default::default() };
        let config = config::Config {
            thresholds: vec![limit()],
            contexts: vec![context("prod", vec![limit()]), context("stage", Vec::new())],
            ..Default::default()
        };
        let one = |name: &str| Chosen {
            name: Some(name.to_owned()),
            live: LiveSettings::default(),
            allow_actions: false,
            config: config.context(name),
        };
        let own = |names: &[&str], place: &Place| {
            let chosen: Vec<Chosen<'_>> = names.iter().map(|name| one(name)).collect();
            let all = thresholds(&config, &chosen);
            assert_eq!(all.general.len(), 1);
            all.of_contexts.get(place).map_or(0, Vec::len)
        };
        assert_eq!(own(&["prod"], &Place::default()), 1);
        assert_eq!(own(&["prod", "stage"], &Place::named("prod")), 1);
        assert_eq!(own(&["prod", "stage"], &Place::named("stage")), 0);
        assert_eq!(own(&["a-profile"], &Place::default()), 0);
    }
}
