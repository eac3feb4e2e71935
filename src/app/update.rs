//! `update`: the only writer of the state. An event goes in, effects come out; the same events give the same state.

use crate::actions::CallOutcome;
use crate::app::effect::Effect;
use crate::app::event::{Event, Key, KeyCode, What};
use crate::app::job::{PlanId, Stage};
use crate::app::schedule::Attention;
use crate::app::screen::Screen;
use crate::app::state::{Size, State, Toast, Tone};
use crate::app::{dispatch, keymap, readings, typing};
use crate::domain::poll::Question;
use crate::domain::time::Timestamp;

/// Folds one event in.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    update_all(state, [event])
}

/// Folds a run of events in, and makes the derived values once at its end: what came in together is reckoned together.
pub fn update_all(state: &mut State, events: impl IntoIterator<Item = Event>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for event in events {
        state.now = state.now.max(event.at);
        apply(state, event.what, &mut effects);
    }
    settle(state, &mut effects);
    ask_due(state, &mut effects);
    effects
}

fn apply(state: &mut State, what: What, effects: &mut Vec<Effect>) {
    match what {
        What::Key(key) => {
            // A key speaks of what is on screen now: what came in before it must be on the lists.
            for key in apart(key) {
                settle(state, effects);
                press(state, key, effects);
            }
            settle(state, effects);
        }
        What::Paste(text) => typing::paste(state, &text),
        What::Resize { width, height } => {
            state.size = Size { width, height };
            state.memory.list_changed = true;
        }
        What::Polled { poll, reading } => readings::fold(state, &poll, *reading),
        What::Agreed(plan) => dispatch::agreed(state, plan, effects),
        What::Performed { plan_id, call, outcome } => performed(state, plan_id, call, outcome, effects),
        What::NotJournalled { plan_id, sentence, call_sent } => {
            not_journalled(state, plan_id, sentence, call_sent, effects);
        }
        What::NotWatched { sentence } => state.toast(Tone::Bad, sentence),
        What::Wake => {}
    }
}

/// A terminal sends alt and a character as escape and the character, and a slow line brings an escape and the key typed
/// after it together. No command is on alt, so it was the person's two keys.
fn apart(key: Key) -> Vec<Key> {
    match key {
        Key { code: KeyCode::Char(_), alt: true, .. } => {
            let escape = Key { code: KeyCode::Esc, ctrl: false, alt: false };
            vec![escape, Key { alt: false, ..key }]
        }
        _ => vec![key],
    }
}

fn press(state: &mut State, key: Key, effects: &mut Vec<Effect>) {
    if let Some(list) = state.lists.get_mut(&state.list_id()) {
        list.is_chosen |= !list.ids.is_empty();
    }
    let was_at = whereabouts(state);
    let refused: Vec<Toast> = state.toasts.iter().filter(|toast| toast.tone == Tone::Refused).cloned().collect();
    match keymap::find(state, key).filter(|_| !typing::takes_first(state, key)) {
        Some(command) => dispatch::run(state, command.id, effects),
        None => typing::key(state, key),
    }
    if whereabouts(state) != was_at {
        // What was refused there says nothing about here.
        state.toasts.retain(|toast| !refused.contains(toast));
        if !state.screens.iter().any(Screen::asks) {
            readings::forget_problems_of_screens(state);
        }
    }
}

/// Where the person is, whatever is selected there.
fn whereabouts(state: &State) -> impl PartialEq + use<> {
    (state.screens.len(), std::mem::discriminant(state.screen()), state.list_id(), state.dialogs.len())
}

/// Makes what is derived anew, where what it comes from has changed.
fn settle(state: &mut State, effects: &mut Vec<Effect>) {
    while state.toasts.front().is_some_and(|toast| toast.until <= state.now) {
        state.toasts.pop_front();
    }
    if std::mem::take(&mut state.memory.rows_changed) {
        readings::derive(state);
    }
    watch_jobs(state, effects);
    if std::mem::take(&mut state.memory.list_changed) {
        readings::derive_list(state);
    }
}

fn performed(state: &mut State, plan_id: PlanId, call: usize, outcome: CallOutcome, effects: &mut Vec<Effect>) {
    let Some(job) = state.jobs.iter_mut().find(|job| job.id == plan_id) else { return };
    // Calls come back in order, since they are made one after the other.
    if job.outcomes.len() != call || job.stage != Stage::Calling {
        return;
    }
    job.outcomes.push(outcome);
    let look = job.after_outcome();
    let has_answer = job.answer().is_some();
    set_stage(state, plan_id, look.stage, look.sentence, effects);
    if has_answer {
        dispatch::show_answer(state, plan_id);
    }
}

fn not_journalled(state: &mut State, plan_id: PlanId, sentence: String, call_sent: bool, effects: &mut Vec<Effect>) {
    let Some(job) = state.job(plan_id) else { return };
    let head = job.headline();
    if call_sent {
        state.toast(Tone::Bad, format!("{head}: it was done, but the journal could not be written: {sentence}"));
    } else {
        let said = format!("{head}: not done, because the journal could not be written: {sentence}");
        set_stage(state, plan_id, Stage::Failed, said, effects);
    }
}

/// Looks at the jobs that wait for polls to show what was promised.
fn watch_jobs(state: &mut State, effects: &mut Vec<Effect>) {
    let watched = state.jobs.iter().filter(|job| job.stage == Stage::Watching);
    let looks: Vec<_> = watched.map(|job| (job.id, job.look(state.rows.get(&job.plan.resource), state.now))).collect();
    for (id, look) in looks {
        set_stage(state, id, look.stage, look.sentence, effects);
    }
}

fn set_stage(state: &mut State, id: PlanId, stage: Stage, sentence: String, effects: &mut Vec<Effect>) {
    let Some(job) = state.jobs.iter_mut().find(|job| job.id == id) else { return };
    let is_news = job.stage != stage && stage.is_over();
    (job.stage, job.sentence) = (stage, sentence.clone());
    if is_news {
        let tone = if stage == Stage::Done { Tone::Good } else { Tone::Bad };
        state.toast(tone, sentence.clone());
        effects.push(Effect::Conclude { plan_id: id, stage, sentence });
    }
}

/// What the person looks at and what is being changed.
pub fn attention(state: &State) -> Attention {
    let mut attention = Attention::default();
    for job in state.jobs.iter().filter(|job| !job.stage.is_over()) {
        attention.hot.insert(job.plan.resource.clone());
        if let Some(row) = state.rows.get(&job.plan.resource) {
            attention.hot.extend(row.links.iter().map(|link| link.to.clone()));
        }
    }
    attention.near.extend(state.target().cloned());
    attention.on_demand = match state.screen() {
        Screen::Log(open) => Some(Question::Log(open.question())),
        Screen::Executions(open) => Some(Question::Workflow(open.question())),
        Screen::Throttled(open) => Some(Question::Throttled(open.question())),
        Screen::History(open) => open.question().map(Question::Workflow),
        _ => None,
    };
    if let (Screen::List(_), Some(list)) = (state.screen(), state.list()) {
        attention.visible.extend(list.on_screen(state.list_rows()).iter().cloned());
    }
    if let (Screen::Detail(_), Some(row)) = (state.screen(), state.target_row()) {
        attention.visible.extend(row.links.iter().map(|link| link.to.clone()));
    }
    attention
}

/// Asks what is due, and for the next wake when it has changed.
fn ask_due(state: &mut State, effects: &mut Vec<Effect>) {
    let mut wake_at: Option<Timestamp> = None;
    if !state.paused {
        let attention = attention(state);
        let (polls, next) = state.schedule.due(state.now, &attention, &state.rows, state.settings.budget_usd_per_h);
        effects.extend(polls.into_iter().map(Effect::Ask));
        wake_at = next;
    }
    for toast in &state.toasts {
        wake_at = Some(wake_at.map_or(toast.until, |at| at.min(toast.until)));
    }
    // A wake that has passed is used up: the same time must be asked for again.
    let is_used_up = state.schedule.wake_at.is_some_and(|at| at <= state.now);
    if wake_at != state.schedule.wake_at || is_used_up {
        state.schedule.wake_at = wake_at;
        effects.extend(wake_at.map(Effect::WakeAt));
    }
}

#[cfg(test)]
mod tests;
