//! Visibility: which executions are open or closed, by time and one further criterion, and what is open of each.

use crate::domain::time::Timestamp;
use crate::sim::swf::domain::Domain;
use crate::sim::swf::execution::{Execution, ExecutionId};
use crate::sim::swf::value::{CloseStatus, Text};

/// By which time executions are chosen, and put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Start,
    Close,
}

/// The one criterion that a request may have beside time.
#[derive(Clone, Debug, PartialEq)]
pub enum Narrowing {
    None,
    Workflow(Text),
    Type { name: Text, version: Option<Text> },
    Tag(Text),
    Status(CloseStatus),
}

/// Which executions a request means.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub order: Order,
    pub oldest: Timestamp,
    pub latest: Option<Timestamp>,
    pub narrowing: Narrowing,
}

impl Filter {
    fn admits(&self, execution: &Execution) -> bool {
        let at = match self.order {
            Order::Start => Some(execution.started_at),
            Order::Close => execution.closed.map(|closed| closed.at),
        };
        let is_in_time = at.is_some_and(|at| at >= self.oldest && self.latest.is_none_or(|latest| at <= latest));
        is_in_time
            && match &self.narrowing {
                Narrowing::None => true,
                Narrowing::Workflow(id) => execution.workflow_id == *id,
                Narrowing::Type { name, version } => {
                    execution.of.name == *name
                        && version.as_ref().is_none_or(|version| execution.of.version == *version)
                }
                Narrowing::Tag(tag) => execution.tags.contains(tag),
                Narrowing::Status(status) => execution.closed.is_some_and(|closed| closed.status == *status),
            }
    }
}

/// How much of an execution is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenCounts {
    pub activity_tasks: usize,
    /// 0 or 1, even while one runs and the next waits for its end.
    pub decision_tasks: usize,
    pub timers: usize,
    pub children: usize,
    pub lambda_functions: usize,
}

impl Execution {
    pub fn open_counts(&self) -> OpenCounts {
        OpenCounts {
            activity_tasks: self.activities.len(),
            decision_tasks: usize::from(self.scheduled_decision.is_some() || self.started_decision.is_some()),
            timers: self.timers.len(),
            children: self.children.len(),
            lambda_functions: self.lambdas.len(),
        }
    }
}

impl Domain {
    /// Open executions, oldest start first.
    pub fn open_executions<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> impl DoubleEndedIterator<Item = (ExecutionId, &'a Execution)> {
        let all = self.open_ids.iter().filter_map(|id| Some((*id, self.executions.get(id)?)));
        all.filter(|(_, execution)| filter.admits(execution))
    }

    /// Closed executions in the filter's order, oldest first.
    pub fn closed_executions<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> Box<dyn DoubleEndedIterator<Item = (ExecutionId, &'a Execution)> + 'a> {
        let admitted = |(_, execution): &(ExecutionId, &Execution)| !execution.is_open() && filter.admits(execution);
        match filter.order {
            Order::Start => {
                let all = self.executions.iter().map(|(id, execution)| (*id, execution));
                Box::new(all.filter(admitted))
            }
            Order::Close => {
                let from = (filter.oldest, ExecutionId(0));
                let all = self.closed.range(from..).filter_map(|(_, id)| Some((*id, self.executions.get(id)?)));
                Box::new(all.filter(admitted))
            }
        }
    }
}
