//! The screens of a workflow domain that are read while they are open: its executions, and one execution's history.

use crate::app::command::Why;
use crate::app::screen::Screen;
use crate::app::state::State;
use crate::domain::execution::{
    Execution, ExecutionRef, Executions, WorkflowAnswer, WorkflowQuestion, WorkflowSubject,
};
use crate::domain::history::History;
use crate::domain::row::{KindId, ResourceId};

/// A domain's executions, listed.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecutionsScreen {
    pub domain: ResourceId,
    pub listed: Executions,
    pub is_read: bool,
    /// By its ids, so that it survives news; the first until a person has moved.
    pub selected: Option<ExecutionRef>,
    pub index: usize,
}

impl ExecutionsScreen {
    pub fn new(domain: ResourceId) -> Self {
        Self { domain, listed: Executions::default(), is_read: false, selected: None, index: 0 }
    }

    pub fn question(&self) -> WorkflowQuestion {
        WorkflowQuestion { domain: self.domain.clone(), about: WorkflowSubject::Executions }
    }

    pub fn execution(&self) -> Option<&Execution> {
        self.listed.iter().nth(self.index)
    }

    /// Selects the execution at `index`, or the last one.
    pub fn select(&mut self, index: usize) {
        self.index = index.min(self.listed.len().saturating_sub(1));
        self.selected = self.execution().map(|execution| execution.of.clone());
    }

    fn take(&mut self, news: Executions) {
        self.is_read = true;
        self.listed.take(news);
        let of = self.selected.clone();
        let found = of.as_ref().and_then(|of| self.listed.iter().position(|execution| execution.of == *of));
        self.index = found.unwrap_or(self.index).min(self.listed.len().saturating_sub(1));
    }
}

/// One execution's history, open.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryScreen {
    pub domain: ResourceId,
    pub execution: ExecutionRef,
    pub history: History,
    /// The last event on screen; `None` follows what comes.
    pub end: Option<u64>,
}

impl HistoryScreen {
    pub fn new(domain: ResourceId, execution: ExecutionRef) -> Self {
        Self { domain, execution, history: History::default(), end: None }
    }

    /// Nothing is left to ask of an execution that is over.
    pub fn question(&self) -> Option<WorkflowQuestion> {
        let about = WorkflowSubject::History {
            execution: self.execution.clone(),
            known_to: self.history.newest(),
            activity_list: self.history.untaken_list().map(str::to_owned),
        };
        let is_wanted = !self.history.is_over() || self.history.trouble.is_some();
        is_wanted.then(|| WorkflowQuestion { domain: self.domain.clone(), about })
    }
}

/// Whether the target is a domain whose executions are not on screen already.
pub fn can_open(state: &State) -> Result<(), Why> {
    let no = |why: &str| Err(Why(why.to_owned()));
    match (state.screen(), state.target()) {
        (Screen::Executions(_), _) => no("these are its executions: enter opens the selected one"),
        (Screen::History(_), _) => no("this is one of its executions: esc goes back to them"),
        (_, Some(id)) if id.kind == KindId::Swf => Ok(()),
        _ => no("executions are listed of SWF domains: select one first (:swf)"),
    }
}

/// The list of the target's executions.
pub fn screen(state: &State) -> Option<Screen> {
    state.target().cloned().map(ExecutionsScreen::new).map(Screen::Executions)
}

/// Whether an execution is selected.
pub fn can_open_history(state: &State) -> Result<(), Why> {
    match selected(state) {
        Some(_) => Ok(()),
        None => Err(Why("no execution is selected".to_owned())),
    }
}

fn selected(state: &State) -> Option<HistoryScreen> {
    let Screen::Executions(open) = state.screen() else { return None };
    let execution = open.execution()?;
    Some(HistoryScreen::new(open.domain.clone(), execution.of.clone()))
}

/// The history of the selected execution.
pub fn history_screen(state: &State) -> Option<Screen> {
    selected(state).map(Box::new).map(Screen::History)
}

/// Gives an answer to the screen that asked, if it is still open.
pub fn take(state: &mut State, question: &WorkflowQuestion, answer: &WorkflowAnswer) {
    for screen in &mut state.screens {
        match (screen, answer, &question.about) {
            (Screen::Executions(open), WorkflowAnswer::Executions(news), _) if open.domain == question.domain => {
                open.take(news.clone());
            }
            (Screen::History(open), WorkflowAnswer::History(news), WorkflowSubject::History { execution, .. })
                if (&open.domain, &open.execution) == (&question.domain, execution) =>
            {
                open.history.take(news.clone());
            }
            _ => {}
        }
    }
}
