//! The end of a run: nothing of it stays open, its parent hears of it, its children are dealt with by its child policy.

use crate::sim::cx::Cx;
use crate::sim::swf::domain::Domain;
use crate::sim::swf::event::{Cause, EventKind};
use crate::sim::swf::execution::{ActivityState, Closed, Execution, ExecutionId};
use crate::sim::swf::value::{ChildPolicy, CloseStatus, Text};

impl Domain {
    /// Ends an open run with this event.
    pub(super) fn close(&mut self, cx: &mut Cx<'_>, id: ExecutionId, status: CloseStatus, last: EventKind) {
        let forgotten_at = cx.now + self.retention();
        let Some(execution) = self.executions.get_mut(&id).filter(|execution| execution.is_open()) else { return };
        execution.append(cx.now, last.clone());
        execution.closed = Some(Closed { at: cx.now, status, forgotten_at });
        execution.history.shrink_to_fit();
        execution.started_decision = None;
        if let Some(decision) = execution.scheduled_decision.take()
            && let Some(place) = decision.place
        {
            self.decision_lists.remove(&decision.list, place);
        }
        for activity in std::mem::take(&mut execution.activities).into_values() {
            if let ActivityState::Scheduled { place } = activity.state {
                self.activity_lists.remove(&activity.list, place);
            }
        }
        execution.timers.clear();
        execution.lambdas.clear();
        let children = std::mem::take(&mut execution.children);
        let policy = match &last {
            // A termination may bring its own policy.
            EventKind::WorkflowExecutionTerminated { child_policy, .. } => *child_policy,
            _ => execution.config.child_policy,
        };
        let took_ms = cx.now.since(execution.started_at).as_millis() as f64;
        let of = execution.of.clone();
        if self.open.get(&execution.workflow_id) == Some(&id) {
            self.open.remove(&execution.workflow_id);
        }
        self.open_ids.remove(&id);
        self.closed.insert((cx.now, id));
        self.count_close(cx, &of, status, took_ms, &last);
        self.settle(cx, id);
        self.tell_parent(cx, id, status, last);
        if matches!(status, CloseStatus::Terminated | CloseStatus::TimedOut) {
            for child in children.into_values() {
                self.apply_child_policy(cx, id, child.id, policy);
            }
        }
    }

    /// TerminateWorkflowExecution, and what the service terminates on its own.
    pub(super) fn terminate(
        &mut self,
        cx: &mut Cx<'_>,
        id: ExecutionId,
        cause: Option<Cause>,
        policy: Option<ChildPolicy>,
        (reason, details): (Option<Text>, Option<Text>),
    ) {
        let Some(execution) = self.execution(id) else { return };
        let child_policy = policy.unwrap_or(execution.config.child_policy);
        let last = EventKind::WorkflowExecutionTerminated { reason, details, child_policy, cause };
        self.close(cx, id, CloseStatus::Terminated, last);
    }

    /// The history has room for one more event, which is this end.
    pub(super) fn end_for_its_length(&mut self, cx: &mut Cx<'_>, id: ExecutionId) {
        self.terminate(cx, id, Some(Cause::EventLimitExceeded), None, (None, None));
    }

    fn apply_child_policy(&mut self, cx: &mut Cx<'_>, parent: ExecutionId, child: ExecutionId, policy: ChildPolicy) {
        if !self.execution(child).is_some_and(Execution::is_open) {
            return;
        }
        match policy {
            ChildPolicy::Abandon => {}
            ChildPolicy::Terminate => self.terminate(cx, child, Some(Cause::ChildPolicyApplied), None, (None, None)),
            ChildPolicy::RequestCancel => {
                let by = self.execution(parent).map(Execution::reference);
                self.request_cancel(cx, child, by, 0, Some(Cause::ChildPolicyApplied));
            }
        }
    }

    /// A run that continues as new tells its parent nothing: the next run is the same child.
    fn tell_parent(&mut self, cx: &mut Cx<'_>, id: ExecutionId, status: CloseStatus, last: EventKind) {
        let Some(child) = self.execution(id) else { return };
        let Some(parent) = child.parent.as_ref().filter(|_| status != CloseStatus::ContinuedAsNew) else { return };
        let (parent_id, initiated_event_id) = (parent.id, parent.initiated);
        let (workflow_execution, workflow_type) = (child.reference(), child.of.clone());
        let Some(parent) = self.executions.get_mut(&parent_id).filter(|parent| parent.is_open()) else { return };
        let Some(known) = parent.children.remove(&initiated_event_id) else { return };
        let started_event_id = known.started;
        let heard = match last {
            EventKind::WorkflowExecutionCompleted { result, .. } => EventKind::ChildWorkflowExecutionCompleted {
                workflow_execution,
                workflow_type,
                result,
                initiated_event_id,
                started_event_id,
            },
            EventKind::WorkflowExecutionFailed { reason, details, .. } => EventKind::ChildWorkflowExecutionFailed {
                workflow_execution,
                workflow_type,
                reason,
                details,
                initiated_event_id,
                started_event_id,
            },
            EventKind::WorkflowExecutionTimedOut { timeout_type, .. } => EventKind::ChildWorkflowExecutionTimedOut {
                workflow_execution,
                workflow_type,
                timeout_type,
                initiated_event_id,
                started_event_id,
            },
            EventKind::WorkflowExecutionCanceled { details, .. } => EventKind::ChildWorkflowExecutionCanceled {
                workflow_execution,
                workflow_type,
                details,
                initiated_event_id,
                started_event_id,
            },
            _ => EventKind::ChildWorkflowExecutionTerminated {
                workflow_execution,
                workflow_type,
                initiated_event_id,
                started_event_id,
            },
        };
        self.report(cx, parent_id, heard);
    }
}
