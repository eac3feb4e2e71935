//! One run of a workflow: its history, and what of it is open.

use crate::domain::time::Timestamp;
use crate::sim::swf::event::{Event, EventId, EventKind, TimeoutType};
use crate::sim::swf::task_list::Place;
use crate::sim::swf::value::{ChildPolicy, CloseStatus, ExecutionRef, Priority, Text, Timeout, TypeRef};
use std::collections::BTreeMap;
use std::time::Duration;

/// A history has at most so many events; the last of a longer one says that the service ended the execution.
pub const EVENTS_MAX: usize = 25_000;
/// Open activity tasks, timers, children and Lambda tasks of one execution, each (SWF "Quotas").
pub const OPEN_MAX: usize = 1_000;
/// A run lasts at most one year, whatever its timeout says.
pub const RUN_MAX: Duration = Duration::from_secs(365 * 86_400);

/// An execution's number in its domain: executions are numbered as they start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExecutionId(pub u64);

/// What a run was started with.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub task_list: Text,
    pub task_priority: Option<Priority>,
    pub execution_timeout: Timeout,
    pub task_timeout: Timeout,
    pub child_policy: ChildPolicy,
    pub lambda_role: Option<Text>,
}

/// The execution that started this one as its child.
#[derive(Clone, Debug, PartialEq)]
pub struct Parent {
    pub id: ExecutionId,
    pub execution: ExecutionRef,
    /// The parent's StartChildWorkflowExecutionInitiated event.
    pub initiated: EventId,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closed {
    pub at: Timestamp,
    pub status: CloseStatus,
    /// The end of the domain's retention.
    pub forgotten_at: Timestamp,
}

/// A decision task that waits for a decider.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledDecision {
    pub event: EventId,
    pub at: Timestamp,
    pub list: Text,
    pub schedule_to_start: Timeout,
    /// `None` while another decision task of this execution runs: only one may.
    pub place: Option<Place>,
}

/// A decision task that a decider works on.
#[derive(Clone, Debug, PartialEq)]
pub struct StartedDecision {
    pub scheduled: EventId,
    pub started: EventId,
    pub at: Timestamp,
    /// The DecisionTaskStarted event of the decision task that was completed before; 0 for the first.
    pub previous_started: EventId,
}

/// A decider's wish that further decision tasks go to another list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOverride {
    pub list: Text,
    /// With it, the override ends when a decision task times out.
    pub schedule_to_start: Option<Timeout>,
}

/// An activity task from its scheduling to its close.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    pub id: Text,
    pub of: TypeRef,
    pub list: Text,
    pub input: Option<Text>,
    pub scheduled_at: Timestamp,
    pub schedule_to_start: Timeout,
    pub schedule_to_close: Timeout,
    pub start_to_close: Timeout,
    pub heartbeat: Timeout,
    pub state: ActivityState,
    pub cancel_requested: Option<EventId>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ActivityState {
    Scheduled { place: Place },
    Started { event: EventId, at: Timestamp, heartbeat_at: Timestamp, details: Option<Text> },
}

impl Activity {
    /// The ActivityTaskStarted event; 0 before it.
    pub fn started(&self) -> EventId {
        match self.state {
            ActivityState::Scheduled { .. } => 0,
            ActivityState::Started { event, .. } => event,
        }
    }

    /// What the worker said of its progress last.
    pub fn details(&self) -> Option<Text> {
        match &self.state {
            ActivityState::Scheduled { .. } => None,
            ActivityState::Started { details, .. } => details.clone(),
        }
    }

    /// The first of its timeouts.
    fn deadline(&self) -> Option<(Timestamp, TimeoutType)> {
        let close = after(self.scheduled_at, self.schedule_to_close, TimeoutType::ScheduleToClose);
        match &self.state {
            ActivityState::Scheduled { .. } => {
                let start = after(self.scheduled_at, self.schedule_to_start, TimeoutType::ScheduleToStart);
                [close, start].into_iter().flatten().min()
            }
            ActivityState::Started { at, heartbeat_at, .. } => {
                let work = after(*at, self.start_to_close, TimeoutType::StartToClose);
                let beat = after(*heartbeat_at, self.heartbeat, TimeoutType::Heartbeat);
                [close, work, beat].into_iter().flatten().min()
            }
        }
    }
}

fn after(from: Timestamp, timeout: Timeout, what: TimeoutType) -> Option<(Timestamp, TimeoutType)> {
    timeout.duration().map(|duration| (from + duration, what))
}

#[derive(Clone, Debug, PartialEq)]
pub struct Timer {
    pub started: EventId,
    pub fires_at: Timestamp,
}

/// A child that was asked for, by its StartChildWorkflowExecutionInitiated event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Child {
    pub id: ExecutionId,
    pub started: EventId,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LambdaTask {
    /// The decider's name for it, which no other open one has.
    pub id: Text,
    pub started: EventId,
    pub times_out_at: Timestamp,
}

/// One run of a workflow.
#[derive(Debug)]
pub struct Execution {
    pub workflow_id: Text,
    pub run_id: Text,
    pub of: TypeRef,
    pub config: Config,
    pub tags: Vec<Text>,
    pub parent: Option<Parent>,
    pub started_at: Timestamp,
    pub closed: Option<Closed>,
    pub cancel_requested: bool,
    pub history: Vec<Event>,
    pub scheduled_decision: Option<ScheduledDecision>,
    pub started_decision: Option<StartedDecision>,
    /// Of the decision task that was completed last.
    pub previous_started: EventId,
    pub list_override: Option<ListOverride>,
    /// By their ActivityTaskScheduled events.
    pub activities: BTreeMap<EventId, Activity>,
    pub timers: BTreeMap<Text, Timer>,
    /// By their StartChildWorkflowExecutionInitiated events.
    pub children: BTreeMap<EventId, Child>,
    /// By their LambdaFunctionScheduled events.
    pub lambdas: BTreeMap<EventId, LambdaTask>,
    pub latest_activity_at: Option<Timestamp>,
    pub latest_context: Option<Text>,
    /// What the domain knows as this execution's next deadline.
    pub registered_deadline: Option<Timestamp>,
}

/// Something of an execution whose time is up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deadline {
    Timer(Text),
    Activity(EventId, TimeoutType),
    Lambda(EventId),
    DecisionStart,
    DecisionClose,
    Workflow,
    /// The end of a closed execution's retention.
    Forget,
}

impl Execution {
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    pub fn reference(&self) -> ExecutionRef {
        ExecutionRef { workflow_id: self.workflow_id.clone(), run_id: self.run_id.clone() }
    }

    /// Writes the next event. A closed execution gets none, and its history never passes its limit.
    pub fn append(&mut self, at: Timestamp, kind: EventKind) -> EventId {
        if self.is_open() && self.history.len() < EVENTS_MAX {
            self.history.push(Event { at, kind });
        }
        self.history.len() as EventId
    }

    /// Whether only the event that ends it still fits.
    pub fn is_full(&self) -> bool {
        self.history.len() >= EVENTS_MAX - 1
    }

    pub fn event(&self, id: EventId) -> Option<&Event> {
        self.history.get((id as usize).checked_sub(1)?)
    }

    /// The open activity task of this id.
    pub fn activity_named(&self, id: &str) -> Option<EventId> {
        self.activities.iter().find(|(_, activity)| &*activity.id == id).map(|(event, _)| *event)
    }

    /// Whatever is due next, and when.
    pub fn next_deadline(&self) -> Option<(Timestamp, Deadline)> {
        if let Some(closed) = &self.closed {
            return Some((closed.forgotten_at, Deadline::Forget));
        }
        let timers = self.timers.iter().map(|(id, timer)| (timer.fires_at, Deadline::Timer(id.clone())));
        let activities = self.activities.iter().filter_map(|(event, activity)| {
            activity.deadline().map(|(at, what)| (at, Deadline::Activity(*event, what)))
        });
        let lambdas = self.lambdas.iter().map(|(event, task)| (task.times_out_at, Deadline::Lambda(*event)));
        let waiting = self.scheduled_decision.as_ref().filter(|decision| decision.place.is_some());
        let start = waiting.and_then(|decision| {
            decision.schedule_to_start.duration().map(|duration| (decision.at + duration, Deadline::DecisionStart))
        });
        let work = self.started_decision.as_ref().and_then(|decision| {
            self.config.task_timeout.duration().map(|duration| (decision.at + duration, Deadline::DecisionClose))
        });
        let whole = self.config.execution_timeout.duration().unwrap_or(RUN_MAX).min(RUN_MAX);
        let end = (self.started_at + whole, Deadline::Workflow);
        timers.chain(activities).chain(lambdas).chain(start).chain(work).chain([end]).min()
    }
}
