//! The screen of throttled calls: what AWS refused for being too much, and who called it. Asked only while it is open.

use crate::app::command::Why;
use crate::app::screen::Screen;
use crate::app::state::State;
use crate::domain::row::Place;
use crate::domain::throttled::{ThrottledAnswer, ThrottledQuestion};

/// The throttled calls of one context.
#[derive(Clone, Debug, PartialEq)]
pub struct ThrottledScreen {
    pub place: Place,
    /// `None` until the first answer.
    pub answer: Option<ThrottledAnswer>,
    pub index: usize,
}

impl ThrottledScreen {
    pub fn question(&self) -> ThrottledQuestion {
        ThrottledQuestion { place: self.place.clone() }
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.answer.as_ref().and_then(|answer| answer.as_ref().ok()).map_or(0, |found| found.calls.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn select(&mut self, index: usize) {
        self.index = index.min(self.len().saturating_sub(1));
    }
}

pub fn can_open(state: &State) -> Result<(), Why> {
    match state.screen() {
        Screen::Throttled(_) => Err(Why("these are they".to_owned())),
        _ => Ok(()),
    }
}

/// Of the context of what is selected, else of the first.
pub fn screen(state: &State) -> Option<Screen> {
    let of_target = state.target().map(|id| id.place.clone());
    let place = of_target.or_else(|| state.settings.contexts.first().map(|context| context.place.clone()))?;
    Some(Screen::Throttled(ThrottledScreen { place, answer: None, index: 0 }))
}

/// Shows what came, if it is still wanted. What was seen stays when a later look fails.
pub fn take(state: &mut State, question: &ThrottledQuestion, answer: ThrottledAnswer) {
    let Some(Screen::Throttled(open)) = state.screens.last_mut() else { return };
    if open.place != question.place || (answer.is_err() && matches!(open.answer, Some(Ok(_)))) {
        return;
    }
    open.answer = Some(answer);
    open.select(open.index);
}
