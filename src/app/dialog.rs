//! Dialogs: what lies over the screen and takes keys first. They stack.

use crate::actions::Plan;
use crate::app::command::CommandId;
use crate::app::edit::Editor;
use crate::domain::row::ResourceId;
use crate::domain::verb::ActionId;

/// What lies over the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    Confirm(Confirm),
    Form(Form),
    Palette(Palette),
    Filter(FilterLine),
    Probe(ProbeAsked),
}

/// A probe before it runs: what it takes is said, and where it is not certain, which stream is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeAsked {
    /// The application.
    pub resource: ResourceId,
    /// The streams that it reads, or could.
    pub streams: Vec<String>,
    pub chosen: usize,
    /// Whether it is certain that it reads them.
    pub is_sure: bool,
    /// The lease keys name their streams.
    pub of_several: bool,
}

/// A plan, shown as it will run. Yes runs this very value.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirm {
    pub plan: Plan,
    /// Whether the resource's name must be typed: the plan cannot be undone, or this is production.
    pub asks_name: bool,
    /// What is typed where the name is asked for.
    pub typed: Editor,
    /// The first line of the plan on screen, when it is longer than the dialog.
    pub scroll: usize,
    /// Why yes was not taken.
    pub error: Option<String>,
}

/// What an action must know before it can make a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    pub action: ActionId,
    pub resource: ResourceId,
    /// The selected part when the form was opened.
    pub part: Option<String>,
    pub fields: Vec<FormField>,
    /// Which field has the cursor.
    pub focus: usize,
    /// Why there is no plan yet.
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FormField {
    pub label: &'static str,
    /// One sentence under the field.
    pub hint: String,
    pub input: Input,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// One of these; left and right choose.
    Choice { options: Vec<String>, chosen: usize },
    /// One line or many; the editor knows which.
    Text(Editor),
}

/// The `:` line: commands, kinds and resources, found by fuzzy match.
#[derive(Clone, Debug, PartialEq)]
pub struct Palette {
    pub input: Editor,
    /// The best matches, best first, at most [`PALETTE_ITEMS_MAX`].
    pub items: Vec<PaletteItem>,
    pub index: usize,
    /// When set, only these resources are offered: the links of the one in detail.
    pub links_of: Option<ResourceId>,
}

/// How many matches the palette holds.
pub const PALETTE_ITEMS_MAX: usize = 50;

#[derive(Clone, Debug, PartialEq)]
pub struct PaletteItem {
    pub text: String,
    /// One sentence or word on what it is.
    pub note: String,
    pub goes: PaletteGoes,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PaletteGoes {
    Command(CommandId),
    Resource(ResourceId),
    /// Watches this context.
    Context(String),
}

/// The `/` line. The filter is applied while it is typed, and stays as it was on esc.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterLine {
    pub input: Editor,
    /// What is wrong with what is typed; the last good filter stays in force.
    pub error: Option<String>,
    /// What esc goes back to.
    pub before: String,
}
