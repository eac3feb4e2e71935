//! Lambda tasks: functions that the service calls on a decider's behalf. The world carries the calls; here are the
//! events around them (SWF "Lambda Tasks").

use crate::sim::cx::Cx;
use crate::sim::swf::Swf;
use crate::sim::swf::activity_task::TaskToken;
use crate::sim::swf::decide::Then;
use crate::sim::swf::domain::Domain;
use crate::sim::swf::event::{Cause, EventId, EventKind, TimeoutType};
use crate::sim::swf::execution::{ExecutionId, LambdaTask, OPEN_MAX};
use crate::sim::swf::value::{Text, Timeout};
use std::time::Duration;

/// What a Lambda task may take when the decision says nothing.
const LAMBDA_TIMEOUT: Duration = Duration::from_secs(900);

/// A function to be called.
#[derive(Clone, Debug, PartialEq)]
pub struct LambdaCall {
    pub task: TaskToken,
    /// A name or an ARN, as the decider wrote it.
    pub function: Text,
    /// `{}` when the decision brought none.
    pub input: Text,
}

/// How a called function ended.
#[derive(Clone, Debug, PartialEq)]
pub enum LambdaAnswer {
    Completed { result: Text },
    Failed { reason: Text, details: Text },
}

impl Swf {
    /// The functions to be called since this was asked last.
    pub fn take_lambda_calls(&mut self) -> Vec<LambdaCall> {
        self.domains.iter_mut().flat_map(|domain| std::mem::take(&mut domain.calls)).collect()
    }

    /// A called function has ended. Late answers, after a timeout or the execution's end, are dropped.
    pub fn lambda_answered(&mut self, cx: &mut Cx<'_>, task: TaskToken, answer: LambdaAnswer) {
        let Some(domain) = self.domains.get_mut(task.domain.0 as usize) else { return };
        domain.close_lambda(cx, task, answer);
    }
}

impl Domain {
    /// Without a role there is nobody as whom to call; SWF then writes that the start failed.
    pub(super) fn schedule_lambda(
        &mut self,
        cx: &mut Cx<'_>,
        id: ExecutionId,
        completed: EventId,
        scheduled: EventKind,
    ) -> Then {
        let EventKind::LambdaFunctionScheduled { id: function_id, name, input, start_to_close_timeout, .. } =
            scheduled.clone()
        else {
            return Then::Nothing;
        };
        let Some(execution) = self.executions.get_mut(&id) else { return Then::Nothing };
        let cause = if execution.lambdas.values().any(|open| open.id == function_id) {
            Some(Cause::IdAlreadyInUse)
        } else {
            (execution.lambdas.len() >= OPEN_MAX).then_some(Cause::OpenLambdaFunctionsLimitExceeded)
        };
        if let Some(cause) = cause {
            let event = EventKind::ScheduleLambdaFunctionFailed {
                id: function_id,
                name,
                cause,
                decision_task_completed_event_id: completed,
            };
            return self.write(cx, id, event, Then::Decide);
        }
        let scheduled_event_id = execution.append(cx.now, scheduled);
        if execution.config.lambda_role.is_none() {
            let event = EventKind::StartLambdaFunctionFailed {
                scheduled_event_id,
                cause: Cause::AssumeRoleFailed,
                message: Some("No IAM role is attached to the current workflow execution.".into()),
            };
            return self.write(cx, id, event, Then::Decide);
        }
        let started = execution.append(cx.now, EventKind::LambdaFunctionStarted { scheduled_event_id });
        let lasts = start_to_close_timeout.and_then(Timeout::duration).unwrap_or(LAMBDA_TIMEOUT);
        execution
            .lambdas
            .insert(scheduled_event_id, LambdaTask { id: function_id, started, times_out_at: cx.now + lasts });
        let task = TaskToken { domain: self.id, execution: id, scheduled: scheduled_event_id };
        self.calls.push(LambdaCall { task, function: name, input: input.unwrap_or_else(|| "{}".into()) });
        Then::Nothing
    }

    fn close_lambda(&mut self, cx: &mut Cx<'_>, task: TaskToken, answer: LambdaAnswer) {
        let Some(execution) = self.executions.get_mut(&task.execution) else { return };
        let Some(running) = execution.lambdas.remove(&task.scheduled) else { return };
        let (scheduled_event_id, started_event_id) = (task.scheduled, running.started);
        let event = match answer {
            LambdaAnswer::Completed { result } => {
                EventKind::LambdaFunctionCompleted { scheduled_event_id, started_event_id, result: Some(result) }
            }
            LambdaAnswer::Failed { reason, details } => EventKind::LambdaFunctionFailed {
                scheduled_event_id,
                started_event_id,
                reason: Some(reason),
                details: Some(details),
            },
        };
        self.report(cx, task.execution, event);
    }

    pub(super) fn time_out_lambda(&mut self, cx: &mut Cx<'_>, id: ExecutionId, scheduled_event_id: EventId) {
        let Some(execution) = self.executions.get_mut(&id) else { return };
        let Some(task) = execution.lambdas.remove(&scheduled_event_id) else { return };
        let event = EventKind::LambdaFunctionTimedOut {
            scheduled_event_id,
            started_event_id: task.started,
            timeout_type: TimeoutType::StartToClose,
        };
        self.report(cx, id, event);
    }
}
