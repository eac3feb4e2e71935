//! Screens: what fills the terminal. They stack: esc goes back to the one below.

use crate::app::job::PlanId;
use crate::app::list::ListId;
use crate::app::log::LogScreen;
use crate::app::state::State;
use crate::app::throttled::ThrottledScreen;
use crate::app::workflow::{ExecutionsScreen, HistoryScreen};
use crate::domain::change::Changes;
use crate::domain::row::{Place, ResourceId, Row};

/// What fills the terminal, with the little state that is its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Screen {
    /// A list of resources: the overview or a kind's table. What it shows is in `State::lists`.
    List(ListId),
    Detail(Detail),
    /// The commands and keys; built from the command table.
    Help {
        scroll: usize,
    },
    /// What could not be looked at, and what was done: problems and jobs.
    Problems {
        scroll: usize,
    },
    /// What was changed lately, newest first.
    Changes(Cursor),
    /// What could be watched. Marks are names, in the order they were made.
    Contexts {
        index: usize,
        marked: Vec<String>,
    },
    /// What a function wrote, newest last.
    Log(LogScreen),
    /// The executions of a workflow domain: what is open, and what closed lately.
    Executions(ExecutionsScreen),
    /// What happened in one execution, newest last.
    History(Box<HistoryScreen>),
    /// Which calls were throttled lately, and whose.
    Throttled(ThrottledScreen),
    /// What an invocation gave back: the job holds the answer.
    Answer {
        job: PlanId,
        scroll: usize,
    },
}

impl Screen {
    /// Whether it asks AWS something of its own while it is open.
    pub fn asks(&self) -> bool {
        matches!(self, Self::Log(_) | Self::Executions(_) | Self::History(_) | Self::Throttled(_))
    }
}

/// The selected one of the changes. By its event, so that it survives news; the newest until a person has moved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cursor {
    pub event: Option<(Place, String)>,
    pub index: usize,
}

impl Cursor {
    /// Selects the change at `index`, or the last one.
    pub fn select(&mut self, changes: &Changes, index: usize) {
        self.index = index.min(changes.len().saturating_sub(1));
        self.event = changes.get(self.index).map(|change| (change.place.clone(), change.id.clone()));
    }

    /// Finds the selected one again after news.
    pub fn find(&mut self, changes: &Changes) {
        let found = self.event.as_ref().and_then(|(place, id)| changes.position(place, id));
        self.index = found.unwrap_or(self.index).min(changes.len().saturating_sub(1));
    }
}

/// One resource, near.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    pub id: ResourceId,
    /// The selected part: a shard, a move task, a mapping. By id, so that it survives news.
    pub part: Option<String>,
    /// Where the selected part stood when it was last seen.
    pub part_index: usize,
    /// All of it is laid out however long it is, scrolled down by so many lines; else as much as the screen has room for.
    pub whole: Option<usize>,
}

impl Detail {
    pub fn new(id: ResourceId) -> Self {
        Self { id, part: None, part_index: 0, whole: None }
    }

    /// Selects the part at `index`, or the last one.
    pub fn select_part(&mut self, row: &Row, index: usize) {
        self.part_index = index.min(row.parts.len().saturating_sub(1));
        self.part = row.parts.get(self.part_index).map(|part| part.id.clone());
    }

    /// Finds the selected part again after news of the row.
    pub fn find_part(&mut self, row: &Row) {
        let found = self.part.as_ref().and_then(|part| row.parts.iter().position(|other| other.id == *part));
        self.select_part(row, found.unwrap_or(self.part_index));
    }
}

/// Lines around a list: the header (2), the column heads (1), the status line and the footer (2).
const LIST_CHROME_ROWS: u16 = 5;
/// Below this width a finding's sentence takes a second line.
const FINDING_ONE_LINE_COLUMNS: u16 = 120;
/// The findings above the overview's list take at most this part of the screen.
const FINDINGS_SHARE: u16 = 3;

impl State {
    /// How many rows of the list on screen are visible. View and paging agree on this one function.
    pub fn list_rows(&self) -> usize {
        let findings = match self.screen() {
            Screen::List(ListId::Overview) => self.findings_rows(),
            _ => 0,
        };
        usize::from(self.size.height.saturating_sub(LIST_CHROME_ROWS + findings).max(1))
    }

    /// How many lines one finding takes on the overview.
    pub fn finding_lines(&self) -> u16 {
        if self.size.width < FINDING_ONE_LINE_COLUMNS { 2 } else { 1 }
    }

    /// How many lines the overview's findings take, their frame included; 0 when there are none or no room.
    pub fn findings_rows(&self) -> u16 {
        if self.size.height < 16 || self.findings.is_empty() {
            return 0;
        }
        let lines = self.findings.len().saturating_mul(usize::from(self.finding_lines())).saturating_add(2);
        u16::try_from(lines).unwrap_or(u16::MAX).min(self.size.height / FINDINGS_SHARE)
    }

    /// How many lines of a reading screen (help, problems, an answer) are visible.
    pub fn text_rows(&self) -> usize {
        usize::from(self.size.height.saturating_sub(4).max(1))
    }

    /// The screen on top.
    pub fn screen(&self) -> &Screen {
        self.screens.last().unwrap_or(&Screen::List(ListId::Overview))
    }

    /// The list on screen, or the one that the screens above it came from.
    pub fn list_id(&self) -> ListId {
        let lists = self.screens.iter().rev().filter_map(|screen| match screen {
            Screen::List(id) => Some(*id),
            _ => None,
        });
        lists.into_iter().next().unwrap_or(ListId::Overview)
    }

    /// The resource that commands speak of: the one in detail, or the selected one of the list.
    pub fn target(&self) -> Option<&ResourceId> {
        self.target_on(self.screen())
    }

    /// Where the person looks: at what the screen is about, or, where it is about everything, the one below it.
    pub fn place_in_focus(&self) -> Option<&Place> {
        self.screens.iter().rev().find_map(|screen| match screen {
            Screen::Throttled(open) => Some(&open.place),
            screen => self.target_on(screen).map(|id| &id.place),
        })
    }

    fn target_on<'s>(&'s self, screen: &'s Screen) -> Option<&'s ResourceId> {
        match screen {
            Screen::List(id) => self.lists.get(id).and_then(|list| list.selected.as_ref()),
            Screen::Detail(detail) => Some(&detail.id),
            Screen::Changes(cursor) => {
                let named = &self.changes.get(cursor.index)?.resources;
                named.iter().find(|id| self.rows.contains_key(id)).or_else(|| named.first())
            }
            Screen::Log(open) => Some(&open.function),
            Screen::Executions(open) => Some(&open.domain),
            Screen::History(open) => Some(&open.domain),
            Screen::Answer { job, .. } => self.job(*job).map(|job| &job.plan.resource),
            Screen::Help { .. } | Screen::Problems { .. } | Screen::Contexts { .. } | Screen::Throttled(_) => None,
        }
    }

    /// The row that commands speak of.
    pub fn target_row(&self) -> Option<&Row> {
        self.target().and_then(|id| self.rows.get(id))
    }
}
