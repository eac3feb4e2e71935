//! A domain: its types, its executions, its task lists, and the deadlines of all of them.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::swf::Due;
use crate::sim::swf::error::{self, Family};
use crate::sim::swf::event::{EventId, EventKind};
use crate::sim::swf::execution::{Execution, ExecutionId, ScheduledDecision};
use crate::sim::swf::lambda_task::LambdaCall;
use crate::sim::swf::metrics::Series;
use crate::sim::swf::task_list::TaskLists;
use crate::sim::swf::types::Types;
use crate::sim::swf::value::{RegistrationStatus, TaskList, Text, Timeout, TypeRef};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A domain's number: domains are numbered as they are registered, and none is ever deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DomainId(pub u32);

/// What a domain was registered with.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    pub name: Text,
    pub description: Option<Text>,
    /// As it was written: days, or `NONE`.
    pub retention: Text,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug)]
pub struct Domain {
    pub id: DomainId,
    pub registration: Registration,
    pub status: RegistrationStatus,
    pub types: Types,
    pub(super) executions: BTreeMap<ExecutionId, Execution>,
    /// The open run of each workflow id.
    pub(super) open: BTreeMap<Text, ExecutionId>,
    /// The same runs, in the order of their starts.
    pub(super) open_ids: BTreeSet<ExecutionId>,
    /// Every run that is remembered.
    pub(super) runs: BTreeMap<Text, ExecutionId>,
    /// Closed runs by the time of their close. Ids are in the order of starts.
    pub(super) closed: BTreeSet<(Timestamp, ExecutionId)>,
    pub(super) decision_lists: TaskLists,
    pub(super) activity_lists: TaskLists,
    pub(super) series: Series,
    /// Lambda functions to be called, until the world fetches them.
    pub(super) calls: Vec<LambdaCall>,
    started: u64,
    deadlines: BTreeSet<(Timestamp, ExecutionId)>,
    /// When the agenda is going to wake the domain.
    wakes: BTreeSet<Timestamp>,
}

impl Domain {
    pub fn new(id: DomainId, registration: Registration) -> Self {
        Self {
            id,
            registration,
            status: RegistrationStatus::Registered,
            types: Types::default(),
            executions: BTreeMap::new(),
            open: BTreeMap::new(),
            open_ids: BTreeSet::new(),
            runs: BTreeMap::new(),
            closed: BTreeSet::new(),
            decision_lists: TaskLists::default(),
            activity_lists: TaskLists::default(),
            series: Series::default(),
            calls: Vec::new(),
            started: 0,
            deadlines: BTreeSet::new(),
            wakes: BTreeSet::new(),
        }
    }

    /// How long closed executions are remembered.
    pub fn retention(&self) -> Duration {
        let days: u64 = self.registration.retention.parse().unwrap_or(0);
        Duration::from_secs(days * 86_400)
    }

    pub fn execution(&self, id: ExecutionId) -> Option<&Execution> {
        self.executions.get(&id)
    }

    /// Every execution that is remembered, in the order of starts.
    pub fn executions(&self) -> impl Iterator<Item = (ExecutionId, &Execution)> {
        self.executions.iter().map(|(id, execution)| (*id, execution))
    }

    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// The open run that these names mean: the run of that id, or whichever run of the workflow is open.
    ///
    /// Errors: `UnknownResourceFault`.
    pub fn open_run(&self, workflow_id: &str, run_id: Option<&str>) -> Result<ExecutionId, ApiError> {
        let open = self.open.get(workflow_id).copied();
        match run_id {
            None => open.ok_or_else(|| error::unknown_workflow(workflow_id)),
            Some(run_id) => open
                .filter(|id| self.execution(*id).is_some_and(|execution| &*execution.run_id == run_id))
                .ok_or_else(|| error::unknown_run(workflow_id, run_id)),
        }
    }

    /// A run, open or closed.
    ///
    /// Errors: `UnknownResourceFault`.
    pub fn run(&self, workflow_id: &str, run_id: &str) -> Result<(ExecutionId, &Execution), ApiError> {
        let id = self.runs.get(run_id).copied();
        let execution = id.and_then(|id| Some((id, self.execution(id)?)));
        execution
            .filter(|(_, execution)| &*execution.workflow_id == workflow_id)
            .ok_or_else(|| error::unknown_run(workflow_id, run_id))
    }

    /// Errors: `UnknownResourceFault`, `TypeDeprecatedFault`.
    pub fn usable_type(&self, family: Family, of: &TypeRef) -> Result<(), ApiError> {
        match self.types.status(family, of) {
            None => Err(error::unknown_type(family, of)),
            Some(RegistrationStatus::Deprecated) => Err(error::type_deprecated(family, of)),
            Some(RegistrationStatus::Registered) => Ok(()),
        }
    }

    /// Takes in a run that has just been made.
    pub(super) fn admit(&mut self, execution: Execution) -> ExecutionId {
        self.started += 1;
        let id = ExecutionId(self.started);
        self.open.insert(execution.workflow_id.clone(), id);
        self.open_ids.insert(id);
        self.runs.insert(execution.run_id.clone(), id);
        self.executions.insert(id, execution);
        id
    }

    /// Writes an event of the outside world and sees to it that the decider hears of it.
    pub(super) fn report(&mut self, cx: &mut Cx<'_>, id: ExecutionId, kind: EventKind) -> EventId {
        let Some(execution) = self.executions.get_mut(&id) else { return 0 };
        let event = execution.append(cx.now, kind);
        self.schedule_decision(cx, id);
        event
    }

    /// Schedules a decision task unless one waits already. While one runs, the next waits outside its list.
    pub(super) fn schedule_decision(&mut self, cx: &mut Cx<'_>, id: ExecutionId) {
        let Some(execution) = self.executions.get_mut(&id) else { return };
        if execution.is_open() && execution.scheduled_decision.is_none() && !execution.is_full() {
            let (list, schedule_to_start) = match &execution.list_override {
                Some(other) => (other.list.clone(), other.schedule_to_start.unwrap_or(Timeout::Never)),
                None => (execution.config.task_list.clone(), Timeout::Never),
            };
            let event = execution.append(
                cx.now,
                EventKind::DecisionTaskScheduled {
                    task_list: TaskList::from(&list),
                    task_priority: execution.config.task_priority,
                    start_to_close_timeout: execution.config.task_timeout,
                    schedule_to_start_timeout: schedule_to_start,
                },
            );
            let decision = ScheduledDecision { event, at: cx.now, list, schedule_to_start, place: None };
            execution.scheduled_decision = Some(decision);
        }
        self.offer_decision(id);
        self.settle(cx, id);
    }

    /// Puts a scheduled decision task into its list once no other runs.
    pub(super) fn offer_decision(&mut self, id: ExecutionId) {
        let Some(execution) = self.executions.get_mut(&id) else { return };
        if execution.started_decision.is_some() {
            return;
        }
        let priority = execution.config.task_priority;
        if let Some(decision) = execution.scheduled_decision.as_mut().filter(|decision| decision.place.is_none()) {
            decision.place = Some(self.decision_lists.put(&decision.list, priority, (id, decision.event)));
        }
    }

    /// Ends an execution whose history is full, and keeps the deadlines true. To be called after every change.
    pub(super) fn settle(&mut self, cx: &mut Cx<'_>, id: ExecutionId) {
        let Some(execution) = self.executions.get(&id) else { return };
        if execution.is_open() && execution.is_full() {
            self.end_for_its_length(cx, id);
        }
        self.register_deadline(cx, id);
        cx.waits.domain_changed(self.id);
    }

    fn register_deadline(&mut self, cx: &mut Cx<'_>, id: ExecutionId) {
        let Some(execution) = self.executions.get_mut(&id) else { return };
        let next = execution.next_deadline().map(|(at, _)| at);
        if execution.registered_deadline != next {
            if let Some(old) = execution.registered_deadline {
                self.deadlines.remove(&(old, id));
            }
            if let Some(new) = next {
                self.deadlines.insert((new, id));
            }
            execution.registered_deadline = next;
        }
        self.ask_to_be_woken(cx);
    }

    /// Forgets an execution altogether.
    pub(super) fn forget(&mut self, id: ExecutionId) {
        let Some(execution) = self.executions.remove(&id) else { return };
        self.runs.remove(&execution.run_id);
        if let Some(closed) = execution.closed {
            self.closed.remove(&(closed.at, id));
        }
        if let Some(at) = execution.registered_deadline {
            self.deadlines.remove(&(at, id));
        }
    }

    /// The agenda has woken the domain: the next execution with something due, until none is left.
    pub(super) fn next_due(&self, now: Timestamp) -> Option<ExecutionId> {
        self.deadlines.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }

    pub(super) fn woken(&mut self, now: Timestamp) {
        while self.wakes.first().is_some_and(|at| *at <= now) {
            self.wakes.pop_first();
        }
    }

    /// One entry of the agenda is enough for all deadlines: the earliest.
    pub(super) fn ask_to_be_woken(&mut self, cx: &mut Cx<'_>) {
        let Some((at, _)) = self.deadlines.first().copied() else { return };
        let at = at.max(cx.now);
        if self.wakes.first().is_none_or(|wake| *wake > at) {
            self.wakes.insert(at);
            cx.schedule(at, Due::Deadlines { domain: self.id.0 }.into());
        }
    }
}
