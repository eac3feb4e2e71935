//! Activity tasks: handed out to workers that poll, kept alive by heartbeats, and closed by their answers.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::swf::Swf;
use crate::sim::swf::domain::{Domain, DomainId};
use crate::sim::swf::error;
use crate::sim::swf::event::{EventId, EventKind};
use crate::sim::swf::execution::{Activity, ActivityState, ExecutionId};
use crate::sim::swf::value::{ExecutionRef, Text, TypeRef};

/// The service's handle on a task that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskToken {
    pub domain: DomainId,
    pub execution: ExecutionId,
    pub scheduled: EventId,
}

/// What a worker gets.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivityTask {
    pub token: TaskToken,
    pub activity_id: Text,
    pub started_event_id: EventId,
    pub workflow_execution: ExecutionRef,
    pub activity_type: TypeRef,
    pub input: Option<Text>,
}

/// A worker's last word on its task.
#[derive(Clone, Debug, PartialEq)]
pub enum ActivityAnswer {
    Completed { result: Option<Text> },
    Failed { reason: Option<Text>, details: Option<Text> },
    Canceled { details: Option<Text> },
}

impl Swf {
    /// PollForActivityTask, without its waiting: the next task of the list.
    ///
    /// Errors: `UnknownResourceFault`.
    pub fn poll_for_activity_task(
        &mut self,
        cx: &mut Cx<'_>,
        domain: &str,
        list: &str,
        identity: Option<Text>,
    ) -> Result<Option<ActivityTask>, ApiError> {
        Ok(self.domain_mut(domain)?.next_activity_task(cx, list, identity))
    }

    /// RecordActivityTaskHeartbeat: whether the decider wants the task to be cancelled.
    ///
    /// Errors: `UnknownResourceFault` once the task or its execution is closed.
    pub fn record_activity_task_heartbeat(
        &mut self,
        cx: &mut Cx<'_>,
        token: TaskToken,
        details: Option<Text>,
    ) -> Result<bool, ApiError> {
        let domain = self.domains.get_mut(token.domain.0 as usize).ok_or_else(error::invalid_token)?;
        let activity = domain.running_activity(token)?;
        let is_cancel_requested = activity.cancel_requested.is_some();
        if let ActivityState::Started { heartbeat_at, details: last, .. } = &mut activity.state {
            *heartbeat_at = cx.now;
            if details.is_some() {
                *last = details;
            }
        }
        domain.settle(cx, token.execution);
        Ok(is_cancel_requested)
    }

    /// RespondActivityTaskCompleted, RespondActivityTaskFailed and RespondActivityTaskCanceled.
    ///
    /// Errors: `UnknownResourceFault` once the task or its execution is closed.
    pub fn respond_activity_task(
        &mut self,
        cx: &mut Cx<'_>,
        token: TaskToken,
        answer: ActivityAnswer,
    ) -> Result<(), ApiError> {
        let domain = self.domains.get_mut(token.domain.0 as usize).ok_or_else(error::invalid_token)?;
        domain.running_activity(token)?;
        domain.close_activity(cx, token, answer);
        Ok(())
    }
}

impl Domain {
    fn next_activity_task(&mut self, cx: &mut Cx<'_>, list: &str, identity: Option<Text>) -> Option<ActivityTask> {
        while let Some((id, scheduled)) = self.activity_lists.take(list) {
            let Some(execution) = self.executions.get_mut(&id) else { continue };
            let started = EventKind::ActivityTaskStarted { identity: identity.clone(), scheduled_event_id: scheduled };
            if !execution.activities.contains_key(&scheduled) {
                continue;
            }
            let event = execution.append(cx.now, started);
            let workflow_execution = execution.reference();
            let Some(activity) = execution.activities.get_mut(&scheduled) else { continue };
            activity.state = ActivityState::Started { event, at: cx.now, heartbeat_at: cx.now, details: None };
            let task = ActivityTask {
                token: TaskToken { domain: self.id, execution: id, scheduled },
                activity_id: activity.id.clone(),
                started_event_id: event,
                workflow_execution,
                activity_type: activity.of.clone(),
                input: activity.input.clone(),
            };
            let waited_ms = cx.now.since(activity.scheduled_at).as_millis() as f64;
            self.count_activity_start(cx, &task.activity_type, waited_ms);
            self.settle(cx, id);
            if self.execution(id).is_some_and(crate::sim::swf::execution::Execution::is_open) {
                return Some(task);
            }
        }
        None
    }

    /// The started task of a token.
    fn running_activity(&mut self, token: TaskToken) -> Result<&mut Activity, ApiError> {
        let execution = self.executions.get_mut(&token.execution).ok_or_else(error::invalid_token)?;
        if !execution.is_open() {
            return Err(error::unknown_run(&execution.workflow_id, &execution.run_id));
        }
        let activity = execution.activities.get_mut(&token.scheduled);
        let activity = activity.filter(|activity| matches!(activity.state, ActivityState::Started { .. }));
        activity.ok_or_else(|| error::unknown_activity_task(token.scheduled))
    }

    fn close_activity(&mut self, cx: &mut Cx<'_>, token: TaskToken, answer: ActivityAnswer) {
        let Some(execution) = self.executions.get_mut(&token.execution) else { return };
        let Some(activity) = execution.activities.remove(&token.scheduled) else { return };
        let (scheduled_event_id, started_event_id) = (token.scheduled, activity.started());
        let closed = match answer {
            ActivityAnswer::Completed { result } => {
                EventKind::ActivityTaskCompleted { result, scheduled_event_id, started_event_id }
            }
            ActivityAnswer::Failed { reason, details } => {
                EventKind::ActivityTaskFailed { reason, details, scheduled_event_id, started_event_id }
            }
            ActivityAnswer::Canceled { details } => EventKind::ActivityTaskCanceled {
                details,
                scheduled_event_id,
                started_event_id,
                latest_cancel_requested_event_id: activity.cancel_requested,
            },
        };
        self.count_activity(cx, &activity, &closed);
        self.report(cx, token.execution, closed);
    }
}
