//! Task lists: where scheduled tasks wait for a poller, those of a higher priority first, then in order of arrival.

use crate::sim::swf::event::EventId;
use crate::sim::swf::execution::ExecutionId;
use crate::sim::swf::value::{Priority, Text};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What a task list holds. Lists of both kinds may have the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskKind {
    Activity,
    Decision,
}

/// Where a task stands in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(Reverse<Priority>, u64);

/// The task lists of one kind (decision or activity) in a domain. A list is there as long as a task waits in it.
#[derive(Debug, Default)]
pub struct TaskLists {
    lists: BTreeMap<Text, BTreeMap<Place, (ExecutionId, EventId)>>,
    arrivals: u64,
}

impl TaskLists {
    /// Puts a task at the end of its priority's line.
    pub fn put(&mut self, list: &Text, priority: Option<Priority>, task: (ExecutionId, EventId)) -> Place {
        self.arrivals += 1;
        let place = Place(Reverse(priority.unwrap_or_default()), self.arrivals);
        self.lists.entry(list.clone()).or_default().insert(place, task);
        place
    }

    /// The next task of a list, which leaves it.
    pub fn take(&mut self, list: &str) -> Option<(ExecutionId, EventId)> {
        let tasks = self.lists.get_mut(list)?;
        let task = tasks.pop_first().map(|(_, task)| task);
        if tasks.is_empty() {
            self.lists.remove(list);
        }
        task
    }

    pub fn remove(&mut self, list: &str, place: Place) {
        let Some(tasks) = self.lists.get_mut(list) else { return };
        tasks.remove(&place);
        if tasks.is_empty() {
            self.lists.remove(list);
        }
    }

    /// How many tasks wait in a list.
    pub fn waiting(&self, list: &str) -> usize {
        self.lists.get(list).map_or(0, BTreeMap::len)
    }

    /// Every list in which a task waits, with how many.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, usize)> {
        self.lists.iter().map(|(name, tasks)| (name, tasks.len()))
    }
}
