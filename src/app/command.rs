//! Commands: the one table of what a person can do with keys. Dispatch, footer hints, `?`, the `:` palette and
//! `midwatch keys` all read it.

use crate::app::list::ListId;
use crate::app::screen::Screen;
use crate::app::state::State;
use crate::domain::row::KindId;
use crate::kinds;

/// A command's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CommandId {
    Quit,
    QuitNow,
    Suspend,
    Help,
    Palette,
    Filter,
    Problems,
    Changes,
    ChangesOpen,
    Contexts,
    ContextsMark,
    ContextsWatch,
    Back,
    Show(ListId),
    NextList,
    PreviousList,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Open,
    Links,
    SortNext,
    SortReverse,
    CopyId,
    Pause,
    AskAgain,
    Reshard,
    Redrive,
    CancelRedrive,
    Invoke,
    Probe,
    Log,
    Executions,
    ExecutionsOpen,
    Throttled,
    ConfirmYes,
    ConfirmNo,
    ConfirmUp,
    ConfirmDown,
    FormSubmit,
    FormCancel,
    FormNext,
    FormPrevious,
    PaletteRun,
    PaletteCancel,
    PaletteUp,
    PaletteDown,
    FilterKeep,
    FilterCancel,
    Whole,
}

/// Where a command's keys mean it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere, dialogs included.
    Always,
    /// On every screen, unless a dialog lies over it.
    Screen,
    /// On lists of resources.
    List,
    /// On one resource's detail.
    Detail,
    /// On the list of changes.
    Changes,
    /// On the list of contexts.
    Contexts,
    /// On the list of a domain's executions.
    Executions,
    Confirm,
    Form,
    Palette,
    Filter,
}

impl Scope {
    pub const ALL: [Self; 11] = [
        Self::Always,
        Self::Screen,
        Self::List,
        Self::Detail,
        Self::Changes,
        Self::Contexts,
        Self::Executions,
        Self::Confirm,
        Self::Form,
        Self::Palette,
        Self::Filter,
    ];

    /// The head of its part of the help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Always => "everywhere",
            Self::Screen => "on every screen",
            Self::List => "in lists",
            Self::Detail => "in a detail",
            Self::Changes => "in changes",
            Self::Contexts => "in contexts",
            Self::Executions => "in executions",
            Self::Confirm => "in a confirmation",
            Self::Form => "in a form",
            Self::Palette => "in the palette",
            Self::Filter => "in the filter line",
        }
    }

    /// The other scopes whose keys are live at the same time.
    pub const fn with(self) -> &'static [Self] {
        match self {
            Self::List | Self::Detail | Self::Changes | Self::Contexts | Self::Executions => {
                &[Self::Screen, Self::Always]
            }
            Self::Always => &[],
            _ => &[Self::Always],
        }
    }
}

/// Why a command cannot be done now: a sentence for the person, with the cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why(pub String);

/// One entry of the table.
pub struct Command {
    pub id: CommandId,
    /// Its word in the palette, the footer and `midwatch keys`.
    pub title: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Its keys, as `Key::parse` reads them.
    pub chords: &'static [&'static str],
    pub scope: Scope,
    pub available: fn(&State) -> Result<(), Why>,
    /// How much room in the footer it deserves: lower comes first, 0 is never shown there.
    pub hint: u8,
}

const fn command(
    id: CommandId,
    scope: Scope,
    chords: &'static [&'static str],
    title: &'static str,
    doc: &'static str,
) -> Command {
    Command { id, title, doc, chords, scope, available: always, hint: 0 }
}

impl Command {
    const fn when(mut self, available: fn(&State) -> Result<(), Why>) -> Self {
        self.available = available;
        self
    }

    const fn hint(mut self, hint: u8) -> Self {
        self.hint = hint;
        self
    }
}

use CommandId as C;
use Scope as S;

/// Every command, in the order of the help.
pub const COMMANDS: &[Command] = &[
    command(C::Help, S::Screen, &["?", "f1"], "help", "Shows all commands and keys.").hint(9),
    command(C::Palette, S::Screen, &[":"], "go to", "Finds a command, a kind or a resource by a few letters.").hint(8),
    command(C::Problems, S::Screen, &["p"], "problems", "Shows what could not be looked at, and what was done.")
        .hint(20),
    command(C::Changes, S::Screen, &["c"], "changes", "Shows what was changed lately, and by whom.").hint(19),
    command(C::Throttled, S::Screen, &["t"], "throttled", "Counts the calls that AWS throttled lately, and whose.")
        .when(crate::app::throttled::can_open),
    command(C::Contexts, S::Screen, &["C"], "ctx", "Chooses what to watch: accounts, regions, roles.")
        .when(can_choose_context),
    command(C::Show(ListId::Overview), S::Screen, &["1"], "overview", "Ranks everything, the worst first."),
    command(C::Show(ListId::Kind(KindId::Kinesis)), S::Screen, &["2"], "kinesis", "Lists the Kinesis streams."),
    command(C::Show(ListId::Kind(KindId::Sqs)), S::Screen, &["3"], "sqs", "Lists the SQS queues."),
    command(C::Show(ListId::Kind(KindId::Lambda)), S::Screen, &["4"], "lambda", "Lists the Lambda functions."),
    command(C::Show(ListId::Kind(KindId::Sns)), S::Screen, &["5"], "sns", "Lists the SNS topics."),
    command(C::Show(ListId::Kind(KindId::Swf)), S::Screen, &["6"], "swf", "Lists the SWF domains."),
    command(
        C::Show(ListId::Kind(KindId::Firehose)),
        S::Screen,
        &["7"],
        "firehose",
        "Lists the Firehose delivery streams.",
    ),
    command(C::Show(ListId::Kind(KindId::Alarm)), S::Screen, &["8"], "alarm", "Lists the CloudWatch alarms."),
    command(C::Show(ListId::Kind(KindId::Kcl)), S::Screen, &["9"], "kcl", "Lists the KCL applications."),
    command(C::NextList, S::Screen, &["tab"], "next kind", "Goes to the next list.").hint(12),
    command(C::PreviousList, S::Screen, &["shift-tab"], "previous kind", "Goes to the list before."),
    command(C::Up, S::Screen, &["k", "up"], "up", "Moves one up."),
    command(C::Down, S::Screen, &["j", "down"], "down", "Moves one down."),
    command(C::PageUp, S::Screen, &["ctrl-u", "pageup", "ctrl-b"], "page up", "Moves half a screen up."),
    command(C::PageDown, S::Screen, &["ctrl-d", "pagedown", "ctrl-f"], "page down", "Moves half a screen down."),
    command(C::First, S::Screen, &["g", "home"], "first", "Moves to the first."),
    command(C::Last, S::Screen, &["G", "end"], "last", "Moves to the last."),
    command(C::Back, S::Screen, &["esc"], "back", "Goes back one screen; on a list, takes the filter away.")
        .when(can_go_back)
        .hint(7),
    command(C::CopyId, S::Screen, &["y"], "copy id", "Copies the resource's id to the clipboard.").when(has_target),
    command(C::Pause, S::Screen, &["space"], "pause", "Stops asking AWS, or goes on.").hint(21),
    command(C::AskAgain, S::Screen, &["ctrl-r"], "ask again", "Asks AWS anew about all that is on screen."),
    command(C::Quit, S::Screen, &["q"], "quit", "Leaves midwatch.").hint(30),
    command(C::Open, S::List, &["enter"], "open", "Opens the selected resource.").when(has_target).hint(5),
    command(C::Filter, S::List, &["/"], "filter", "Filters the list: text, !text, visible>100, health>=warn.").hint(10),
    command(C::SortNext, S::List, &["s"], "sort", "Sorts by the next column.").hint(11),
    command(C::SortReverse, S::List, &["S"], "reverse", "Sorts the other way round."),
    command(C::Links, S::Detail, &["enter", "o"], "linked", "Goes to a resource that is linked to this one.")
        .when(has_links)
        .hint(6),
    command(C::Whole, S::Detail, &["w"], "whole", "Lays out all of it, to be scrolled; again: as before.").hint(7),
    command(C::Reshard, S::Screen, &["R"], "reshard", "Splits the selected shard, or resizes the stream.")
        .when(can_reshard)
        .hint(1),
    command(C::Redrive, S::Screen, &["r"], "redrive", "Moves dead letters back to where they came from.")
        .when(can_redrive)
        .hint(2),
    command(C::CancelRedrive, S::Screen, &["x"], "cancel redrive", "Stops the move task that is running.")
        .when(can_cancel_redrive)
        .hint(3),
    command(C::Invoke, S::Screen, &["i"], "invoke", "Invokes the function with a payload edited here.")
        .when(can_invoke)
        .hint(4),
    command(C::Probe, S::Screen, &["P"], "probe", "Reads how far each checkpoint is behind; asks first.")
        .when(crate::app::probe::can)
        .hint(1),
    command(C::ChangesOpen, S::Changes, &["enter"], "open", "Opens the resource that was changed.")
        .when(can_open_changed)
        .hint(5),
    command(C::Log, S::Screen, &["l"], "log", "Reads the function's log, newest last, while it is open.")
        .when(crate::app::log::can_open)
        .hint(4),
    command(C::Executions, S::Screen, &["e"], "executions", "Lists the domain's executions; enter opens a history.")
        .when(crate::app::workflow::can_open)
        .hint(4),
    command(C::ExecutionsOpen, S::Executions, &["enter"], "history", "Reads the execution's history while it is open.")
        .when(crate::app::workflow::can_open_history)
        .hint(5),
    command(C::ContextsWatch, S::Contexts, &["enter"], "watch", "Watches the marked ones, or the selected one.")
        .hint(1),
    command(C::ContextsMark, S::Contexts, &["m"], "mark", "Marks it: several can be watched at once.").hint(2),
    command(C::ConfirmYes, S::Confirm, &["enter", "y"], "yes, do it", "Performs the plan as shown.").hint(1),
    command(C::ConfirmNo, S::Confirm, &["esc", "n"], "no", "Leaves everything as it is.").hint(2),
    command(C::ConfirmUp, S::Confirm, &["k", "up"], "up", "Scrolls the plan up."),
    command(C::ConfirmDown, S::Confirm, &["j", "down"], "down", "Scrolls the plan down."),
    command(
        C::FormSubmit,
        S::Form,
        &["enter", "ctrl-s"],
        "make the plan",
        "Shows the plan; `ctrl-s` in a text of several lines.",
    )
    .hint(1),
    command(C::FormNext, S::Form, &["tab"], "next field", "Goes to the next field.").hint(3),
    command(C::FormPrevious, S::Form, &["shift-tab"], "field before", "Goes to the field before."),
    command(C::FormCancel, S::Form, &["esc"], "cancel", "Closes the form.").hint(2),
    command(C::PaletteRun, S::Palette, &["enter"], "go", "Goes to the marked entry, or does it.").hint(1),
    command(C::PaletteUp, S::Palette, &["up", "ctrl-p"], "up", "Marks the entry above.").hint(3),
    command(C::PaletteDown, S::Palette, &["down", "ctrl-n", "tab"], "down", "Marks the entry below.").hint(4),
    command(C::PaletteCancel, S::Palette, &["esc"], "cancel", "Closes the palette.").hint(2),
    command(C::FilterKeep, S::Filter, &["enter"], "keep", "Keeps the filter.").hint(1),
    command(C::FilterCancel, S::Filter, &["esc"], "cancel", "Goes back to the filter as it was.").hint(2),
    command(C::QuitNow, S::Always, &["ctrl-c"], "quit at once", "Leaves midwatch from anywhere."),
    command(C::Suspend, S::Always, &["ctrl-z"], "suspend", "Gives the terminal back to the shell; `fg` returns."),
];

/// The table's entry.
pub fn entry(id: CommandId) -> &'static Command {
    // Every id has an entry (a test holds it); the first one stands in to keep this free of panics.
    COMMANDS.iter().find(|command| command.id == id).unwrap_or(&COMMANDS[0])
}

fn always(_: &State) -> Result<(), Why> {
    Ok(())
}

fn no(why: impl Into<String>) -> Result<(), Why> {
    Err(Why(why.into()))
}

fn has_target(state: &State) -> Result<(), Why> {
    if state.target().is_some() { Ok(()) } else { no("nothing is selected") }
}

fn can_open_changed(state: &State) -> Result<(), Why> {
    match (state.target(), state.target_row()) {
        (_, Some(_)) => Ok(()),
        (Some(id), None) => no(format!("{id} is not in the estate")),
        (None, None) => no("no resource that is watched is named"),
    }
}

fn can_go_back(state: &State) -> Result<(), Why> {
    let filtered = state.list().is_some_and(|list| !list.filter.is_empty());
    if state.screens.len() > 1 || filtered || state.list_id().kind().is_some() {
        Ok(())
    } else {
        no("this is the first screen; q quits")
    }
}

fn can_choose_context(state: &State) -> Result<(), Why> {
    if state.settings.known.is_empty() {
        return no("there is nothing else to watch: the config has no contexts, AWS's files no profiles");
    }
    Ok(())
}

fn has_links(state: &State) -> Result<(), Why> {
    match state.target_row() {
        Some(row) if !row.links.is_empty() => Ok(()),
        _ => no("nothing is linked to it"),
    }
}

/// Whether the target is of this kind and actions are unlocked.
fn can_act(state: &State, kind: KindId, verb: &str) -> Result<(), Why> {
    let title = kinds::kind(kind).title;
    let place = match state.target() {
        Some(id) if id.kind == kind => &id.place,
        _ => return no(format!("{verb} is for {title}: select one first (:{})", kind.word())),
    };
    if matches!(state.screen(), Screen::Answer { .. }) {
        return no("go back first (esc)");
    }
    if !state.settings.may_act(place) {
        return no(format!("{verb}: midwatch is read-only here; start it with --allow-actions to act"));
    }
    if state.target_row().is_none() { no("it is not in the estate any more") } else { Ok(()) }
}

fn can_reshard(state: &State) -> Result<(), Why> {
    can_act(state, KindId::Kinesis, "reshard")
}

fn can_redrive(state: &State) -> Result<(), Why> {
    can_act(state, KindId::Sqs, "redrive")?;
    match state.target_row() {
        Some(row) if kinds::sqs::is_dead_letter_queue(row) => Ok(()),
        _ => no("redrive starts from a dead-letter queue, and no queue sends its dead letters to this one"),
    }
}

fn can_cancel_redrive(state: &State) -> Result<(), Why> {
    can_act(state, KindId::Sqs, "cancel redrive")?;
    let running = |row: &&crate::domain::row::Row| {
        row.parts.iter().any(|part| part.fields.text(&kinds::sqs::TASK_STATUS) == Some("RUNNING"))
    };
    match state.target_row().filter(running) {
        Some(_) => Ok(()),
        None => no("no move task is running on this queue"),
    }
}

fn can_invoke(state: &State) -> Result<(), Why> {
    can_act(state, KindId::Lambda, "invoke")
}
