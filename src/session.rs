//! A session: a source that has been opened. Live and demo differ in here and nowhere else.

use crate::app::event::Event;
use crate::app::state;
use crate::aws::{self, Clients, Seam};
use crate::clock::Clock;
use crate::config::{DemoSettings, LiveSettings, Settings, Source};
use crate::domain::row::Place;
use crate::faces::scenarios;
use crate::failure::Failure;
use crate::journal::{self, Journal, Who};
use crate::shell::hands::{Backend, Hands};
use crate::sim::clock::VirtualClock;
use crate::sim::connector::EngineConnector;
use crate::sim::{engine, scenario};
use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// What watching may cost when nothing else is said, in US dollars an hour at list prices.
const BUDGET_USD_PER_H: f64 = 0.15;

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
        Source::Live(live) => {
            let chosen = Chosen { name: live.profile.clone(), live: live.clone(), allow_actions: settings.may_act() };
            open_live(&[chosen]).await
        }
        Source::Demo(demo) => open_demo(demo).await,
    }
}

/// Opens the contexts of these names, which are profiles of AWS's files. What was said of regions, endpoints and actions
/// on the command line holds for them too.
///
/// Errors: as [`open`]; a name that nothing has.
pub async fn open_named(settings: &Settings, names: &[String]) -> Result<Session, Failure> {
    let Source::Live(live) = &settings.source else {
        return Err(Failure::new("The demo has one context."));
    };
    let chosen = names.iter().map(|name| Chosen {
        name: Some(name.clone()),
        live: LiveSettings { profile: Some(name.clone()), ..live.clone() },
        allow_actions: settings.may_act(),
    });
    open_live(&chosen.collect::<Vec<_>>()).await
}

/// A context to open.
struct Chosen {
    name: Option<String>,
    live: LiveSettings,
    allow_actions: bool,
}

async fn open_live(chosen: &[Chosen]) -> Result<Session, Failure> {
    let mut contexts = Vec::new();
    let mut clients = BTreeMap::new();
    for one in chosen {
        let place = match &one.name {
            Some(name) if chosen.len() > 1 => Place::named(name),
            _ => Place::default(),
        };
        let (context, its_clients) = open_one(one, &place).await?;
        contexts.push(context);
        clients.insert(place, its_clients);
    }
    let known = aws::profile_names().await.into_iter().map(|name| state::Known {
        what: "a profile of AWS's files".to_owned(),
        name,
        production: false,
    });
    let settings = state::Settings {
        source: state::Source::Live,
        source_label: String::new(),
        contexts,
        known: known.collect(),
        budget_usd_per_h: BUDGET_USD_PER_H,
        speed: 1.0,
    };
    Ok(Session { clients, clock: Clock::System, settings })
}

async fn open_one(one: &Chosen, place: &Place) -> Result<(state::Context, Clients), Failure> {
    let live = &one.live;
    let chosen = aws::Settings {
        profile: live.profile.clone(),
        region: live.region.clone(),
        endpoint_url: live.endpoint_url.clone(),
    };
    let config = aws::sdk_config(&chosen, Seam::live()).await.map_err(|error| Failure::new(error.to_string()))?;
    let context = state::Context {
        name: one.name.clone(),
        place: place.clone(),
        region: config.region().map(ToString::to_string),
        profile: live.profile.clone(),
        endpoint_url: live.endpoint_url.clone(),
        allow_actions: one.allow_actions,
        production: false,
    };
    Ok((context, Clients::new(&config).with_profile(live.profile.clone())))
}

async fn open_demo(demo: &DemoSettings) -> Result<Session, Failure> {
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
    let settings = state::Settings {
        source: state::Source::Demo,
        source_label: format!("demo {} ×{}", scenario.name, demo.speed),
        contexts: vec![state::Context {
            region: Some(scenario.region),
            allow_actions: true,
            ..state::Context::default()
        }],
        known: Vec::new(),
        budget_usd_per_h: BUDGET_USD_PER_H,
        speed: demo.speed,
    };
    let clients = BTreeMap::from([(Place::default(), Clients::new(&config))]);
    Ok(Session { clients, clock: Clock::Virtual(clock), settings })
}

/// The hands of the session and the events that they bring. A journal that cannot be opened is no failure of watching:
/// actions then say why they cannot be performed.
pub fn hands(session: &Session, settings: &Settings) -> (Hands, mpsc::Receiver<Event>) {
    let path = settings.journal.clone().or_else(|| journal::default_path(&settings.source));
    let journal = match path {
        Some(path) => Journal::open(&path).map_err(|error| format!("{} cannot be opened: {error}", path.display())),
        None => Err("there is no home folder for it; name one with --journal".to_owned()),
    };
    let who = Who { source: settings.source_word(), ..Who::default() };
    Hands::new(Backend::aws(session.clients.clone()), session.clock, journal, who)
}
