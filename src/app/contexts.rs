//! Choosing contexts: which ones are known, which are marked, and the wish to watch others.

use crate::app::effect::Effect;
use crate::app::screen::Screen;
use crate::app::state::{Context, State, Tone};
use crate::domain::row::Place;

/// More contexts than this at once would be told apart by nobody, and share one budget.
pub const WATCHED_MAX: usize = 8;

/// The screen that lists what could be watched, with the cursor on what is.
pub fn screen(state: &State) -> Screen {
    let watched = |known: &crate::app::state::Known| is_watched(state, &known.name);
    let index = state.settings.known.iter().position(watched).unwrap_or(0);
    Screen::Contexts { index, marked: Vec::new() }
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

/// A context by its name, account, region and endpoint, as far as they are known.
pub fn described(state: &State, place: &Place) -> String {
    let (context, identity) = (state.settings.context(place), state.identities.get(place));
    let parts = [
        context.and_then(|context| context.name.clone()),
        identity.and_then(|identity| identity.account.clone()),
        context.and_then(|context| context.region.clone()),
        context.and_then(|context| context.endpoint_url.clone()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

pub fn is_production(state: &State, place: &Place) -> bool {
    state.settings.context(place).is_some_and(|context| context.production)
}

/// Marks the context under the cursor, or takes its mark away, and goes on to the next.
pub fn mark(state: &mut State) {
    let known = &state.settings.known;
    let Some(Screen::Contexts { index, marked }) = state.screens.last_mut() else { return };
    let Some(name) = known.get(*index).map(|known| known.name.clone()) else { return };
    match marked.iter().position(|other| *other == name) {
        Some(at) => _ = marked.remove(at),
        None if marked.len() >= WATCHED_MAX => {
            return state.toast(Tone::Bad, format!("at most {WATCHED_MAX} contexts at once"));
        }
        None => marked.push(name),
    }
    *index = (*index + 1).min(known.len().saturating_sub(1));
}

/// Wishes to watch the marked contexts; without marks, the one under the cursor.
pub fn watch_chosen(state: &mut State, effects: &mut Vec<Effect>) {
    let Screen::Contexts { index, marked } = state.screen() else { return };
    let under = state.settings.known.get(*index).map(|known| known.name.clone());
    let names = if marked.is_empty() { under.into_iter().collect() } else { marked.clone() };
    watch(state, names, effects);
}

/// Wishes to watch these contexts instead of those of now. Not while a plan is on its way: its end would be seen by
/// nobody, and missing in the journal.
pub fn watch(state: &mut State, names: Vec<String>, effects: &mut Vec<Effect>) {
    if let Some(job) = state.jobs.iter().find(|job| !job.stage.is_over()) {
        let said = format!("{} is not over yet: wait for it, then switch", job.headline());
        return state.toast(Tone::Bad, said);
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
    use crate::domain::refresh::Refresh;
    use crate::domain::time::Timestamp;

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
            thresholds: Vec::new(),
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
    fn one_is_chosen_by_the_cursor_and_several_by_marks() {
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(wished(":ctx<enter><enter>"), names(&["staging"]), "the cursor begins on what is watched");
        assert_eq!(wished("Ck<enter>"), names(&["prod"]));
        assert_eq!(wished("Cgmm<enter>"), names(&["dev", "prod"]));
        assert_eq!(wished("Cgmgm<enter>"), names(&["prod"]), "a mark is taken away by the same key");
        assert_eq!(wished(":ctx prod<enter>"), names(&["prod"]));
        assert_eq!(wished("C<esc><enter>"), None);
    }
}
