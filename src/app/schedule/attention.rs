//! Attention: what the person looks at, and how near to that a resource is.

use crate::domain::poll::Question;
use crate::domain::row::{Health, ResourceId, Row};
use std::collections::BTreeSet;

/// What the person looks at, from state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attention {
    /// Resources that running jobs change.
    pub hot: BTreeSet<ResourceId>,
    /// The selected one and the one in detail.
    pub near: BTreeSet<ResourceId>,
    /// The rows on screen.
    pub visible: BTreeSet<ResourceId>,
    /// What is asked only because it is open: a log, a domain's executions, a history.
    pub on_demand: Option<Question>,
}

/// How near a resource is; nearer ones are asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nearness {
    Hot,
    Near,
    Visible,
    /// Off screen, and not well.
    Unwell,
    Wide,
}

impl Attention {
    /// All that is looked at, each once.
    pub(super) fn ids(&self) -> impl Iterator<Item = &ResourceId> {
        let near = self.near.difference(&self.hot);
        let visible = self.visible.iter().filter(|id| !self.hot.contains(*id) && !self.near.contains(*id));
        self.hot.iter().chain(near).chain(visible)
    }

    pub(super) fn nearness(&self, id: &ResourceId, row: Option<&Row>) -> Nearness {
        if self.hot.contains(id) {
            Nearness::Hot
        } else if self.near.contains(id) {
            Nearness::Near
        } else if self.visible.contains(id) {
            Nearness::Visible
        } else if row.is_some_and(|row| row.health >= Health::Warn) {
            Nearness::Unwell
        } else {
            Nearness::Wide
        }
    }
}
