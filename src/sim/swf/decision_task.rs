//! Decision tasks: at most one of an execution runs at a time; its answer is carried out as one list of decisions.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::swf::Swf;
use crate::sim::swf::activity_task::TaskToken;
use crate::sim::swf::decision::Decision;
use crate::sim::swf::domain::Domain;
use crate::sim::swf::error;
use crate::sim::swf::event::{EventId, EventKind};
use crate::sim::swf::execution::{Execution, ListOverride, StartedDecision};
use crate::sim::swf::rates::Rates;
use crate::sim::swf::value::{ExecutionRef, TaskList, Text, Timeout, TypeRef};

/// What a decider gets. Its history up to `started_event_id` is the execution's.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionTask {
    pub token: TaskToken,
    pub started_event_id: EventId,
    pub previous_started_event_id: EventId,
    pub workflow_execution: ExecutionRef,
    pub workflow_type: TypeRef,
}

/// A decider's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decided {
    pub decisions: Vec<Decision>,
    pub execution_context: Option<Text>,
    /// Further decision tasks go to this list.
    pub task_list: Option<Text>,
    pub task_list_schedule_to_start: Option<Timeout>,
}

impl From<Vec<Decision>> for Decided {
    fn from(decisions: Vec<Decision>) -> Self {
        Self { decisions, ..Self::default() }
    }
}

impl Swf {
    /// PollForDecisionTask, without its waiting: the next task of the list.
    ///
    /// Errors: `UnknownResourceFault`.
    pub fn poll_for_decision_task(
        &mut self,
        cx: &mut Cx<'_>,
        domain: &str,
        list: &str,
        identity: Option<Text>,
    ) -> Result<Option<DecisionTask>, ApiError> {
        Ok(self.domain_mut(domain)?.next_decision_task(cx, list, identity))
    }

    /// The running decision task of a token: for the further pages of its history.
    pub fn decision_task(&self, token: TaskToken) -> Option<DecisionTask> {
        let domain = self.domains.get(token.domain.0 as usize)?;
        let execution = domain.execution(token.execution)?;
        let running = execution.started_decision.as_ref().filter(|running| running.scheduled == token.scheduled)?;
        Some(task_of(token, execution, running))
    }

    /// RespondDecisionTaskCompleted. Lambda functions to be called are then in [`Swf::take_lambda_calls`].
    ///
    /// Errors: `ValidationException` when a closing decision is not the last, `UnknownResourceFault` once the task or
    /// its execution is closed.
    pub fn respond_decision_task_completed(
        &mut self,
        cx: &mut Cx<'_>,
        token: TaskToken,
        decided: Decided,
    ) -> Result<(), ApiError> {
        let domain = self.domains.get_mut(token.domain.0 as usize).ok_or_else(error::invalid_token)?;
        domain.complete_decision_task(cx, &mut self.rates, token, decided)
    }
}

fn task_of(token: TaskToken, execution: &Execution, running: &StartedDecision) -> DecisionTask {
    DecisionTask {
        token,
        started_event_id: running.started,
        previous_started_event_id: running.previous_started,
        workflow_execution: execution.reference(),
        workflow_type: execution.of.clone(),
    }
}

impl Domain {
    fn next_decision_task(&mut self, cx: &mut Cx<'_>, list: &str, identity: Option<Text>) -> Option<DecisionTask> {
        while let Some((id, _)) = self.decision_lists.take(list) {
            let Some(execution) = self.executions.get_mut(&id) else { continue };
            let Some(waiting) = execution.scheduled_decision.take() else { continue };
            let scheduled = waiting.event;
            let started = EventKind::DecisionTaskStarted { identity: identity.clone(), scheduled_event_id: scheduled };
            let running = StartedDecision {
                scheduled,
                started: execution.append(cx.now, started),
                at: cx.now,
                previous_started: execution.previous_started,
            };
            let task = task_of(TaskToken { domain: self.id, execution: id, scheduled }, execution, &running);
            execution.started_decision = Some(running);
            self.count_decision_start(cx, &task.workflow_type, cx.now.since(waiting.at).as_millis() as f64);
            self.settle(cx, id);
            if self.execution(id).is_some_and(Execution::is_open) {
                return Some(task);
            }
        }
        None
    }

    fn complete_decision_task(
        &mut self,
        cx: &mut Cx<'_>,
        rates: &mut Rates,
        token: TaskToken,
        decided: Decided,
    ) -> Result<(), ApiError> {
        let id = token.execution;
        let execution = self.executions.get_mut(&id).ok_or_else(error::invalid_token)?;
        if !execution.is_open() {
            return Err(error::unknown_run(&execution.workflow_id, &execution.run_id));
        }
        if execution.started_decision.as_ref().is_none_or(|running| running.scheduled != token.scheduled) {
            return Err(error::unknown_decision_task(token.scheduled));
        }
        let last = decided.decisions.len().saturating_sub(1);
        if decided.decisions.iter().take(last).any(Decision::closes) {
            return Err(error::close_must_be_last());
        }
        let Some(running) = execution.started_decision.take() else { return Ok(()) };
        let completed = EventKind::DecisionTaskCompleted {
            execution_context: decided.execution_context.clone(),
            scheduled_event_id: running.scheduled,
            started_event_id: running.started,
            task_list: decided.task_list.as_ref().map(TaskList::from),
            task_list_schedule_to_start_timeout: decided.task_list_schedule_to_start,
        };
        let completed = execution.append(cx.now, completed);
        execution.previous_started = running.started;
        if decided.execution_context.is_some() {
            execution.latest_context = decided.execution_context;
        }
        if let Some(list) = decided.task_list {
            let schedule_to_start = decided.task_list_schedule_to_start;
            execution.list_override = Some(ListOverride { list, schedule_to_start });
        }
        let of = execution.of.clone();
        self.count_decision(cx, &of, &running, true);
        self.carry_out(cx, rates, id, completed, decided.decisions);
        self.offer_decision(id);
        self.settle(cx, id);
        Ok(())
    }
}
