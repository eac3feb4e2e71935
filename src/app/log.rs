//! The log screen: which function's log is open, what was read of it, and which line is the last on screen.

use crate::app::command::Why;
use crate::app::screen::Screen;
use crate::app::state::State;
use crate::domain::log::{Log, LogAnswer, LogPlace, LogQuestion};
use crate::domain::row::{KindId, ResourceId};
use crate::domain::time::Timestamp;
use crate::kinds::lambda;

/// A function's log, open.
#[derive(Clone, Debug, PartialEq)]
pub struct LogScreen {
    pub function: ResourceId,
    pub group: String,
    pub log: Log,
    /// The last line on screen; `None` follows what comes.
    pub end: Option<LogPlace>,
}

impl LogScreen {
    pub fn question(&self) -> LogQuestion {
        LogQuestion { function: self.function.clone(), group: self.group.clone(), since: self.log.since() }
    }
}

/// Whether the target is a function whose log is not open already.
pub fn can_open(state: &State) -> Result<(), Why> {
    let no = |why: &str| Err(Why(why.to_owned()));
    match (state.screen(), state.target()) {
        (Screen::Log(_), _) => no("this is its log"),
        (_, Some(id)) if id.kind == KindId::Lambda => Ok(()),
        _ => no("logs are read of Lambda functions: select one first (:lambda)"),
    }
}

/// The log screen of the target. Lambda writes to `/aws/lambda/NAME` unless the function's configuration says otherwise.
pub fn screen(state: &State) -> Option<Screen> {
    let function = state.target()?.clone();
    let group = state.rows.get(&function).and_then(|row| row.fields.text(&lambda::LOG_GROUP));
    let group = group.map_or_else(|| format!("/aws/lambda/{}", function.name), str::to_owned);
    Some(Screen::Log(LogScreen { function, group, log: Log::default(), end: None }))
}

/// Gives an answer to the screen that asked, if it is still open.
pub fn take(state: &mut State, question: &LogQuestion, answer: Result<LogAnswer, String>, at: Timestamp) {
    for screen in &mut state.screens {
        if let Screen::Log(open) = screen
            && (&open.function, &open.group) == (&question.function, &question.group)
        {
            open.log.take(answer.clone(), at);
        }
    }
}
