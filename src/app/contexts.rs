//! Choosing contexts: which ones are known, which are marked, and the wish to watch others.

use crate::app::effect::Effect;
use crate::app::screen::Screen;
use crate::app::state::{Context, State, Tone};
use crate::domain::row::Place;

/// More contexts than this at once would be told apart by nobody, and share one budget.
pub const WATCHED_MAX: usize = 8;

/// The screen that lists what could be watched, with the cursor on what is, and that marked.
pub fn screen(state: &State) -> Screen {
    let watched = |known: &crate::app::state::Known| is_watched(state, &known.name);
    let index = state.settings.known.iter().position(watched).unwrap_or(0);
    Screen::Contexts { index, marked: marked_at_first(state) }
}

/// Those that are watched now.
fn marked_at_first(state: &State) -> Vec<String> {
    let known = |name: &&String| state.settings.known.iter().any(|known| known.name == **name);
    state.settings.contexts.iter().filter_map(|context| context.name.as_ref()).filter(known).cloned().collect()
}

pub fn is_watched(state: &State, name: &str) -> bool {
    state.settings.contexts.iter().any(|context| context.name.as_deref() == Some(name))
}

/// Why nothing at all is seen of a context, with the cure: it could not be opened, or nobody may look there.
pub fn why_dark<'s>(state: &'s State, context: &'s Context) -> Option<&'s str> {
    if let Some(sentence) = &context.unopened {
        return Some(sentence);
    }
    let key = (context.place.clone(), "sts", "GetCallerIdentity");
    let is_seen = || state.rows.keys().any(|id| id.place == context.place);
    state.problems.get(&key).filter(|_| !is_seen()).map(|problem| problem.sentence.as_str())
}

/// A context by its name, account and its alias, region and endpoint, as far as they are known.
pub fn described(state: &State, place: &Place) -> String {
    let (context, identity) = (state.settings.context(place), state.identities.get(place));
    let parts = [
        context.and_then(|context| context.name.clone()),
        identity.and_then(|identity| identity.account.clone()),
        identity.and_then(|identity| identity.alias.clone()),
        context.and_then(|context| context.region.clone()),
        context.and_then(|context| context.endpoint_url.clone()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

pub fn is_production(state: &State, place: &Place) -> bool {
    state.settings.context(place).is_some_and(|context| context.production)
}

/// Where the resource is that somebody names, by what stands before its id: a context's name, or `account/region` as
/// far as the accounts are known. The error says what could be written.
pub fn place_of(state: &State, word: Option<&str>) -> Result<Place, String> {
    let contexts = &state.settings.contexts;
    let account_region = |context: &Context| {
        let account = state.identities.get(&context.place).and_then(|identity| identity.account.as_deref())?;
        Some(format!("{account}/{}", context.region.as_deref()?))
    };
    let is_meant = |context: &&Context| match word {
        None => true,
        Some(word) => context.name.as_deref() == Some(word) || account_region(context).as_deref() == Some(word),
    };
    let meant: Vec<&Context> = contexts.iter().filter(is_meant).collect();
    if let [context] = meant.as_slice() {
        return Ok(context.place.clone());
    }
    let said = match (word, meant.as_slice()) {
        (None, _) => "Several contexts are watched: say which one is meant".to_owned(),
        (Some(word), []) => {
            format!("No context that is watched is called `{word}`, nor is it in that account and region")
        }
        (Some(word), _) => format!("Several contexts look at {word}: say which one is meant, by its name"),
    };
    let choices = if meant.is_empty() { contexts.iter().collect() } else { meant };
    let names = choices.into_iter().filter_map(|context| context.name.clone().or_else(|| account_region(context)));
    let names: Vec<String> = names.map(|name| format!("{name}/KIND/NAME")).collect();
    let cure = if names.is_empty() { "KIND/NAME".to_owned() } else { names.join(" or ") };
    Err(format!("{said}. Write {cure}."))
}

/// Marks the context under the cursor, or takes its mark away, and goes on to the next.
pub fn mark(state: &mut State) {
    let known = &state.settings.known;
    let Some(Screen::Contexts { index, marked }) = state.screens.last_mut() else { return };
    let Some(name) = known.get(*index).map(|known| known.name.clone()) else { return };
    match marked.iter().position(|other| *other == name) {
        Some(at) => _ = marked.remove(at),
        None if marked.len() >= WATCHED_MAX => {
            return state.toast(Tone::Refused, format!("at most {WATCHED_MAX} contexts at once"));
        }
        None => marked.push(name),
    }
    *index = (*index + 1).min(known.len().saturating_sub(1));
}

/// Wishes to watch the marked contexts; where no mark was changed, the one under the cursor alone.
pub fn watch_chosen(state: &mut State, effects: &mut Vec<Effect>) {
    let Screen::Contexts { index, marked } = state.screen() else { return };
    let under = state.settings.known.get(*index).map(|known| known.name.clone());
    let is_changed = *marked != marked_at_first(state);
    let names = if is_changed && !marked.is_empty() { marked.clone() } else { under.into_iter().collect() };
    watch(state, names, effects);
}

/// Wishes to watch these contexts instead of those of now. Not while a plan is on its way: its end would be seen by
/// nobody, and missing in the journal.
pub fn watch(state: &mut State, names: Vec<String>, effects: &mut Vec<Effect>) {
    if let Some(job) = state.jobs.iter().find(|job| !job.stage.is_over()) {
        let said = format!("{} is not over yet: wait for it, then switch", job.headline());
        return state.toast(Tone::Refused, said);
    }
    if !names.is_empty() {
        effects.push(Effect::Watch(names));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::event::{Event, Key, What};
    use crate::app::state::{Known, Settings, Source};
    use crate::app::update::update_all;
    use crate::domain::poll::Identity;
    use crate::domain::refresh::Refresh;
    use crate::domain::time::Timestamp;
    use crate::kinds::threshold::Thresholds;

    const START: Timestamp = Timestamp::from_millis(1_000_000_000);

    fn state() -> State {
        let known = |name: &str| Known { name: name.into(), what: String::new(), production: name == "prod" };
        let settings = Settings {
            source: Source::Live,
            source_label: String::new(),
            contexts: vec![Context { name: Some("staging".into()), ..Context::default() }],
            known: ["dev", "prod", "staging"].map(known).into(),
            budget_usd_per_h: 0.15,
            refresh: Refresh::default(),
            thresholds: Thresholds::default(),
            speed: 1.0,
        };
        State::new(settings, START)
    }

    /// The contexts that are wished for after these keys.
    fn wished(keys: &str) -> Option<Vec<String>> {
        let mut state = state();
        let keys = Key::parse_run(keys).unwrap();
        let effects = update_all(&mut state, keys.into_iter().map(|key| Event { at: START, what: What::Key(key) }));
        effects.into_iter().find_map(|effect| match effect {
            Effect::Watch(names) => Some(names),
            _ => None,
        })
    }

    #[test]
    fn a_place_is_named_by_its_context_or_by_its_account_and_region() {
        let mut state = state();
        let context = |name: &str| Context {
            name: Some(name.into()),
            place: Place::named(name),
            region: Some("eu-west-1".into()),
            ..Context::default()
        };
        assert_eq!(place_of(&state, None), Ok(Place::default()), "there is only one");
        assert_eq!(place_of(&state, Some("staging")), Ok(Place::default()));
        state.settings.contexts = vec![context("prod"), context("staging"), context("again")];
        for (name, account) in [("prod", "111122223333"), ("staging", "444455556666"), ("again", "444455556666")] {
            let identity = Identity { account: Some(account.into()), ..Identity::default() };
            state.identities.insert(Place::named(name), identity);
        }
        assert_eq!(described(&state, &Place::named("prod")), "prod  111122223333  eu-west-1");
        state.identities.entry(Place::named("prod")).or_default().alias = Some("acme-prod".into());
        assert_eq!(described(&state, &Place::named("prod")), "prod  111122223333  acme-prod  eu-west-1");
        assert_eq!(place_of(&state, Some("prod")), Ok(Place::named("prod")));
        assert_eq!(place_of(&state, Some("111122223333/eu-west-1")), Ok(Place::named("prod")));
        let refused = |word| place_of(&state, word).unwrap_err();
        assert!(refused(None).ends_with("Write prod/KIND/NAME or staging/KIND/NAME or again/KIND/NAME."));
        assert!(refused(Some("444455556666/eu-west-1")).ends_with("Write staging/KIND/NAME or again/KIND/NAME."));
        assert!(refused(Some("pord")).starts_with("No context that is watched is called `pord`"));
    }

    #[test]
    fn one_is_chosen_by_the_cursor_and_several_by_marks() {
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(wished(":ctx<enter><enter>"), names(&["staging"]), "the cursor begins on what is watched");
        assert_eq!(wished("Ck<enter>"), names(&["prod"]));
        assert_eq!(wished("Cgm<enter>"), names(&["staging", "dev"]), "what is watched is marked, and stays");
        assert_eq!(wished("Cgmmm<enter>"), names(&["dev", "prod"]), "a mark is taken away by the same key");
        assert_eq!(wished("Cm<enter>"), names(&["staging"]), "without any mark, the one under the cursor");
        assert_eq!(wished(":ctx prod<enter>"), names(&["prod"]));
        assert_eq!(wished("C<esc><enter>"), None);
    }
}
