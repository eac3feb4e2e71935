//! What each command does to the state. What it may not do now is said, never passed over.

use crate::actions::{Plan, Safety, Unlocked};
use crate::app::command::{CommandId, Why, entry};
use crate::app::dialog::{Confirm, Dialog, FilterLine, PaletteGoes};
use crate::app::edit::Editor;
use crate::app::effect::Effect;
use crate::app::job::{JOBS_MAX, Job, PlanId};
use crate::app::list::ListId;
use crate::app::screen::{Cursor, Detail, Screen};
use crate::app::state::{Size, State, Tone};
use crate::app::{contexts, log, palette, probe, throttled, typing, verbs, workflow};
use crate::domain::row::{KindId, ResourceId};
use crate::domain::verb::ActionId;
use crate::kinds;
use std::collections::BTreeSet;

/// Runs a command if it is available, else says why not.
pub fn run(state: &mut State, id: CommandId, effects: &mut Vec<Effect>) {
    if let Err(Why(why)) = (entry(id).available)(state) {
        state.toast(Tone::Refused, why);
        return;
    }
    match id {
        CommandId::Quit | CommandId::QuitNow => effects.push(Effect::Quit),
        CommandId::Suspend => effects.push(Effect::Suspend),
        CommandId::Help => push(state, Screen::Help { scroll: 0 }),
        CommandId::Problems => push(state, Screen::Problems { scroll: 0 }),
        CommandId::Changes => push(state, Screen::Changes(Cursor::default())),
        CommandId::Contexts => push(state, contexts::screen(state)),
        CommandId::ContextsMark => contexts::mark(state),
        CommandId::ContextsWatch => contexts::watch_chosen(state, effects),
        CommandId::Palette => open_palette(state, None),
        CommandId::Links => follow_links(state),
        CommandId::Whole => toggle_whole(state),
        CommandId::Filter => open_filter(state),
        CommandId::Back => go_back(state),
        CommandId::Show(list) => show_list(state, list),
        CommandId::NextList => step_list(state, 1),
        CommandId::PreviousList => step_list(state, ListId::ALL.len() - 1),
        CommandId::Up => go(state, Go::By(-1)),
        CommandId::Down => go(state, Go::By(1)),
        CommandId::PageUp => go(state, Go::HalfPages(-1)),
        CommandId::PageDown => go(state, Go::HalfPages(1)),
        CommandId::First => go(state, Go::First),
        CommandId::Last => go(state, Go::Last),
        CommandId::Open | CommandId::ChangesOpen => open_target(state),
        CommandId::SortNext | CommandId::SortReverse => sort(state, id == CommandId::SortReverse),
        CommandId::CopyId => copy_id(state, effects),
        CommandId::Pause => state.paused = !state.paused,
        CommandId::AskAgain => ask_again(state),
        CommandId::Reshard => begin(state, ActionId::Reshard),
        CommandId::Redrive => begin(state, ActionId::Redrive),
        CommandId::CancelRedrive => begin(state, ActionId::CancelRedrive),
        CommandId::Invoke => begin(state, ActionId::Invoke),
        CommandId::Probe => probe::open(state),
        CommandId::Log => push_some(state, log::screen),
        CommandId::Executions => push_some(state, workflow::screen),
        CommandId::Throttled => push_some(state, throttled::screen),
        CommandId::ExecutionsOpen => push_some(state, workflow::history_screen),
        CommandId::ConfirmYes => confirm_yes(state, effects),
        CommandId::ConfirmUp | CommandId::ConfirmDown => scroll_confirm(state, id == CommandId::ConfirmDown),
        CommandId::ConfirmNo | CommandId::FormCancel | CommandId::PaletteCancel => _ = state.dialogs.pop(),
        CommandId::FormSubmit => submit_form(state),
        CommandId::FormNext => focus_form(state, 1),
        CommandId::FormPrevious => focus_form(state, usize::MAX),
        CommandId::PaletteRun => run_palette(state, effects),
        CommandId::PaletteUp => move_palette(state, usize::MAX),
        CommandId::PaletteDown => move_palette(state, 1),
        CommandId::FilterKeep => keep_filter(state),
        CommandId::FilterCancel => cancel_filter(state),
    }
}

/// A way to move in whatever the screen shows.
#[derive(Clone, Copy)]
enum Go {
    By(isize),
    HalfPages(isize),
    First,
    Last,
}

impl Go {
    /// The place that it leads to, not yet bounded by what there is.
    fn from(self, index: usize, page: usize) -> usize {
        match self {
            Self::By(step) => index.saturating_add_signed(step),
            Self::HalfPages(pages) => index.saturating_add_signed(pages * (page / 2).max(1) as isize),
            Self::First => 0,
            Self::Last => usize::MAX,
        }
    }
}

fn go(state: &mut State, way: Go) {
    let (page, text_page) = (state.list_rows(), state.text_rows());
    let (rows, changes, known) = (&state.rows, &state.changes, state.settings.known.len());
    match state.screens.last_mut() {
        None => {}
        Some(Screen::Changes(cursor)) => cursor.select(changes, way.from(cursor.index, text_page)),
        Some(Screen::Contexts { index, .. }) => *index = way.from(*index, text_page).min(known.saturating_sub(1)),
        Some(Screen::List(id)) => {
            if let Some(list) = state.lists.get_mut(id) {
                list.select(way.from(list.index, page), page);
            }
        }
        Some(Screen::Detail(Detail { whole: Some(scroll), .. })) => {
            *scroll = way.from(*scroll, text_page).min(TEXT_SCROLL_MAX);
        }
        Some(Screen::Detail(detail)) => {
            if let Some(row) = rows.get(&detail.id) {
                detail.select_part(row, way.from(detail.part_index, page));
            }
        }
        Some(Screen::Executions(open)) => open.select(way.from(open.index, text_page)),
        Some(Screen::Throttled(open)) => open.select(way.from(open.index, text_page)),
        Some(Screen::History(open)) => {
            open.end = open.history.place(way.from(open.history.index(open.end), text_page));
        }
        Some(Screen::Log(open)) => {
            open.end = open.log.place(way.from(open.log.index(open.end.as_ref()), text_page));
        }
        // How long the text is, the view knows: it shows its end when the scroll goes beyond. The bound keeps the way
        // back short.
        Some(Screen::Help { scroll } | Screen::Problems { scroll } | Screen::Answer { scroll, .. }) => {
            *scroll = way.from(*scroll, text_page).min(TEXT_SCROLL_MAX);
        }
    }
    let lines = text_lines(state);
    if let Some(
        Screen::Help { scroll }
        | Screen::Problems { scroll }
        | Screen::Answer { scroll, .. }
        | Screen::Detail(Detail { whole: Some(scroll), .. }),
    ) = state.screens.last_mut()
    {
        *scroll = (*scroll).min(lines.saturating_sub(text_page));
    }
}

/// No text screen is longer.
const TEXT_SCROLL_MAX: usize = 100_000;
/// Heads and blank lines of a text screen.
const TEXT_HEADS: usize = 24;

/// At most how many lines the text on screen has.
fn text_lines(state: &State) -> usize {
    let width = usize::from(state.size.width).saturating_sub(4).max(1);
    let wrapped = |text: &str| text.lines().map(|line| line.chars().count() / width + 1).sum::<usize>();
    TEXT_HEADS
        + match state.screen() {
            Screen::Help { .. } => crate::app::command::COMMANDS.len(),
            Screen::Problems { .. } => {
                let problems = state.problems.values().map(|problem| wrapped(&problem.sentence) + 1);
                let jobs = state.jobs.iter().map(|job| wrapped(&job.sentence) + 1);
                problems.chain(jobs).sum()
            }
            Screen::Answer { job, .. } => {
                let answer = state.job(*job).and_then(Job::answer);
                answer.map_or(0, |answer| wrapped(&answer.payload) + wrapped(&answer.log_tail))
            }
            Screen::Detail(detail) => state.rows.get(&detail.id).map_or(0, |row| {
                let said = state.findings_of(&row.id).map(|finding| &finding.sentence).chain(&row.reasons);
                let lists = row.links.len() + row.parts.len() + state.changes.of(&row.id).count();
                said.map(|text| wrapped(text)).sum::<usize>() + lists + kinds::kind(row.id.kind).detail.len()
            }),
            Screen::List(_) | Screen::Changes(_) | Screen::Contexts { .. } => 0,
            Screen::Log(_) | Screen::Executions(_) | Screen::History(_) | Screen::Throttled(_) => 0,
        }
}

/// How deep the stack of screens may grow: following links round a circle must end somewhere.
const SCREENS_MAX: usize = 16;

fn push(state: &mut State, screen: Screen) {
    let is_same = std::mem::discriminant(state.screen()) == std::mem::discriminant(&screen);
    if is_same && !matches!(screen, Screen::Detail(_) | Screen::Answer { .. }) {
        return;
    }
    if state.screens.len() >= SCREENS_MAX {
        state.screens.remove(1);
    }
    state.screens.push(screen);
    state.memory.list_changed = true;
}

fn push_some(state: &mut State, screen: fn(&State) -> Option<Screen>) {
    if let Some(screen) = screen(state) {
        push(state, screen);
    }
}

/// Shows what came back of an invocation, unless the person is in the middle of something.
pub fn show_answer(state: &mut State, job: PlanId) {
    if state.dialogs.is_empty() {
        push(state, Screen::Answer { job, scroll: 0 });
    }
}

pub fn open_detail(state: &mut State, id: ResourceId) {
    if matches!(state.screen(), Screen::Detail(detail) if detail.id == id) {
        return;
    }
    let mut detail = Detail::new(id);
    if let Some(row) = state.rows.get(&detail.id) {
        detail.select_part(row, 0);
    }
    push(state, Screen::Detail(detail));
}

fn toggle_whole(state: &mut State) {
    if let Some(Screen::Detail(detail)) = state.screens.last_mut() {
        detail.whole = if detail.whole.is_some() { None } else { Some(0) };
    }
}

fn open_target(state: &mut State) {
    if let Some(id) = state.target().cloned() {
        open_detail(state, id);
    }
}

fn show_list(state: &mut State, id: ListId) {
    state.screens = vec![Screen::List(id)];
    state.memory.list_changed = true;
}

fn step_list(state: &mut State, by: usize) {
    let at = ListId::ALL.iter().position(|id| *id == state.list_id()).unwrap_or(0);
    if let Some(id) = ListId::ALL.get((at + by) % ListId::ALL.len()) {
        show_list(state, *id);
    }
}

fn go_back(state: &mut State) {
    let id = state.list_id();
    if let Some(Screen::Detail(Detail { whole: whole @ Some(_), .. })) = state.screens.last_mut() {
        *whole = None;
    } else if state.screens.len() > 1 {
        state.screens.pop();
    } else if let Some(list) = state.lists.get_mut(&id).filter(|list| !list.filter.is_empty()) {
        list.filter = Default::default();
    } else {
        show_list(state, ListId::Overview);
    }
    state.memory.list_changed = true;
}

fn sort(state: &mut State, reverse: bool) {
    let id = state.list_id();
    let Some(list) = state.lists.get_mut(&id) else { return };
    if reverse {
        list.sort.reverse = !list.sort.reverse;
    } else {
        list.sort.by = list.sort.by.next(id);
        list.sort.reverse = false;
    }
    let way = if list.sort.reverse { ", reversed" } else { "" };
    let said = format!("sorted by {}{way}", list.sort.by.title());
    state.memory.list_changed = true;
    state.toast(Tone::Info, said);
}

fn copy_id(state: &mut State, effects: &mut Vec<Effect>) {
    let execution = match state.screen() {
        Screen::Executions(open) => open.execution().map(|execution| &execution.of),
        Screen::History(open) => Some(&open.execution),
        _ => None,
    };
    // As the AWS CLI wants them, one after the other.
    let execution = execution.map(|of| format!("workflowId={},runId={}", of.workflow_id, of.run_id));
    if let Some(id) = execution.or_else(|| state.target().map(ResourceId::to_string)) {
        state.toast(Tone::Info, format!("copied {id}"));
        effects.push(Effect::Copy(id));
    }
}

fn ask_again(state: &mut State) {
    let attention = crate::app::update::attention(state);
    let ids: BTreeSet<ResourceId> = attention.near.into_iter().chain(attention.visible).collect();
    let kinds = match (state.screen(), state.list_id().kind()) {
        (Screen::Detail(detail), _) => BTreeSet::from([detail.id.kind]),
        (_, Some(kind)) => BTreeSet::from([kind]),
        (_, None) => BTreeSet::from(KindId::ALL),
    };
    state.schedule.ask_again(&ids, &kinds);
    let paused = if state.paused { " when you go on (space)" } else { "" };
    state.toast(Tone::Info, format!("asking again{paused}"));
}

fn open_palette(state: &mut State, links_of: Option<ResourceId>) {
    let opened = palette::open(state, links_of);
    state.dialogs.push(Dialog::Palette(opened));
}

/// One link is followed at once; of several, the palette asks which.
fn follow_links(state: &mut State) {
    let Some(row) = state.target_row() else { return };
    let id = row.id.clone();
    let known: Vec<ResourceId> =
        row.links.iter().filter(|link| state.rows.contains_key(&link.to)).map(|link| link.to.clone()).collect();
    match &known[..] {
        [] => state.toast(Tone::Refused, "what is linked to it is not in the estate"),
        [one] => open_detail(state, one.clone()),
        _ => open_palette(state, Some(id)),
    }
}

fn move_palette(state: &mut State, by: usize) {
    if let Some(Dialog::Palette(palette)) = state.dialogs.last_mut() {
        let count = palette.items.len().max(1);
        palette.index = if by == 1 { (palette.index + 1) % count } else { (palette.index + count - 1) % count };
    }
}

fn run_palette(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Dialog::Palette(palette)) = state.dialogs.last() else { return };
    let Some(item) = palette.items.get(palette.index) else {
        let typed = palette.input.text();
        state.toast(Tone::Refused, format!("nothing here is like `{typed}`"));
        return;
    };
    let goes = item.goes.clone();
    state.dialogs.pop();
    match goes {
        PaletteGoes::Command(id) => run(state, id, effects),
        PaletteGoes::Resource(id) => open_detail(state, id),
        PaletteGoes::Context(name) => contexts::watch(state, vec![name], effects),
    }
}

fn open_filter(state: &mut State) {
    let before = state.list().map(|list| list.filter.text.clone()).unwrap_or_default();
    state.dialogs.push(Dialog::Filter(FilterLine { input: Editor::one_line(&before), error: None, before }));
}

/// A filter with a mistake is not kept: the line stays open and says what is wrong.
fn keep_filter(state: &mut State) {
    if matches!(state.dialogs.last(), Some(Dialog::Filter(line)) if line.error.is_none()) {
        state.dialogs.pop();
    }
}

fn cancel_filter(state: &mut State) {
    if let Some(Dialog::Filter(line)) = state.dialogs.pop() {
        // It was in force before, so it can be read.
        typing::apply_filter(state, &line.before).ok();
    }
}

/// The first step of an action: its form, or its plan at once.
fn begin(state: &mut State, action: ActionId) {
    let Some(row) = state.target_row() else { return };
    let id = row.id.clone();
    match verbs::form(state, action, row) {
        Some(form) => state.dialogs.push(Dialog::Form(form)),
        None => match verbs::plan_without_form(state, action, &id) {
            Ok(plan) => open_confirm(state, plan),
            Err(refusal) => state.toast(Tone::Refused, refusal.0),
        },
    }
}

fn open_confirm(state: &mut State, plan: Plan) {
    let asks_name = state.settings.asks_name(&plan);
    let typed = Editor::one_line("");
    state.dialogs.push(Dialog::Confirm(Confirm { plan, asks_name, typed, scroll: 0, error: None }));
}

fn submit_form(state: &mut State) {
    let Some(Dialog::Form(form)) = state.dialogs.last() else { return };
    match verbs::plan(state, form) {
        Ok(plan) => open_confirm(state, plan),
        Err(refusal) => {
            if let Some(Dialog::Form(form)) = state.dialogs.last_mut() {
                form.error = Some(refusal.0);
            }
        }
    }
}

fn focus_form(state: &mut State, by: usize) {
    if let Some(Dialog::Form(form)) = state.dialogs.last_mut() {
        let count = form.fields.len().max(1);
        form.focus = if by == 1 { (form.focus + 1) % count } else { (form.focus + count - 1) % count };
    }
}

fn scroll_confirm(state: &mut State, down: bool) {
    if let Some(Dialog::Probe(asked)) = state.dialogs.last_mut() {
        probe::choose(asked, down);
    } else if let Some(Dialog::Confirm(confirm)) = state.dialogs.last_mut() {
        let end = scroll_end(&confirm.plan);
        confirm.scroll = if down { (confirm.scroll + 1).min(end) } else { confirm.scroll.saturating_sub(1) };
    }
}

/// How far a plan can be scrolled.
fn scroll_end(plan: &Plan) -> usize {
    plan.preview.len() + plan.warnings.len() + plan.calls.len()
}

/// A terminal of at least this size shows a plan whole.
const PLAN_SIZE: Size = Size { width: 60, height: 20 };
/// A smaller one shows no plan at all.
const DIALOG_SIZE: Size = Size { width: 30, height: 9 };

/// Why a plan cannot have been read on a terminal of this size.
fn unread(confirm: &Confirm, size: Size) -> Option<&'static str> {
    let is_within = |least: Size| size.width >= least.width && size.height >= least.height;
    if !is_within(DIALOG_SIZE) {
        return Some("the plan is not on screen: make the window larger");
    }
    let is_at_end = confirm.scroll >= scroll_end(&confirm.plan);
    (!is_within(PLAN_SIZE) && !is_at_end).then_some("read it to its end first (j), or make the window larger")
}

/// A person says yes to the plan in the dialog.
fn confirm_yes(state: &mut State, effects: &mut Vec<Effect>) {
    if matches!(state.dialogs.last(), Some(Dialog::Probe(_))) {
        // It says which shards' capacity it takes: nobody agrees to what is not on screen.
        if state.size.width < PLAN_SIZE.width || state.size.height < PLAN_SIZE.height {
            return state.toast(Tone::Refused, "the question is not whole on screen: make the window larger");
        }
        return probe::run(state);
    }
    let (settings, size) = (&state.settings, state.size);
    let Some(Dialog::Confirm(confirm)) = state.dialogs.last_mut() else { return };
    let leave = Unlocked::when(settings.may_act(&confirm.plan.resource.place));
    if let Some(why) = unread(confirm, size) {
        confirm.error = Some(why.into());
        return;
    }
    let name = &confirm.plan.resource.name;
    if confirm.asks_name && confirm.typed.text().trim() != name {
        let why =
            if confirm.plan.safety == Safety::Destructive { "this cannot be undone" } else { "this is production" };
        confirm.error = Some(format!("{why}: type `{name}` to do it"));
        return;
    }
    let Some(leave) = leave else {
        confirm.error = Some("midwatch is read-only here; start it with --allow-actions to act".into());
        return;
    };
    let plan = confirm.plan.clone();
    state.dialogs.retain(|dialog| !matches!(dialog, Dialog::Confirm(_) | Dialog::Form(_)));
    perform(state, plan, leave, effects);
}

/// A person has said yes elsewhere (`midwatch do`). Read-only, nothing happens, and a toast says so.
pub fn agreed(state: &mut State, plan: Plan, effects: &mut Vec<Effect>) {
    match Unlocked::when(state.settings.may_act(&plan.resource.place)) {
        Some(leave) => perform(state, plan, leave, effects),
        None => state.toast(Tone::Refused, "midwatch is read-only here; start it with --allow-actions to act"),
    }
}

/// The only place where a plan becomes a confirmed one, and so the only source of `Effect::Perform`.
fn perform(state: &mut State, plan: Plan, leave: Unlocked, effects: &mut Vec<Effect>) {
    state.plans_made += 1;
    let plan_id = PlanId(state.plans_made);
    state.jobs.push_back(Job::new(plan_id, plan.clone(), state.now));
    while state.jobs.len() > JOBS_MAX {
        state.jobs.pop_front();
    }
    effects.push(Effect::Perform { plan_id, plan: plan.confirm(leave) });
}
