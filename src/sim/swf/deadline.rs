//! Deadlines: timers that fire, tasks and runs that time out, closed runs whose retention has ended.

use crate::sim::cx::Cx;
use crate::sim::swf::domain::Domain;
use crate::sim::swf::event::{EventId, EventKind, TimeoutType};
use crate::sim::swf::execution::{ActivityState, Deadline, ExecutionId};
use crate::sim::swf::value::{CloseStatus, Text};

impl Domain {
    /// Does all that is due by now, in the order of time.
    pub(super) fn do_what_is_due(&mut self, cx: &mut Cx<'_>) {
        self.woken(cx.now);
        while let Some(id) = self.next_due(cx.now) {
            let next = self.execution(id).and_then(crate::sim::swf::execution::Execution::next_deadline);
            match next.filter(|(at, _)| *at <= cx.now) {
                Some((_, due)) => self.meet(cx, id, due),
                None => self.settle(cx, id),
            }
        }
        self.ask_to_be_woken(cx);
    }

    fn meet(&mut self, cx: &mut Cx<'_>, id: ExecutionId, due: Deadline) {
        match due {
            Deadline::Timer(timer) => self.fire_timer(cx, id, timer),
            Deadline::Activity(event, what) => self.time_out_activity(cx, id, event, what),
            Deadline::Lambda(event) => self.time_out_lambda(cx, id, event),
            Deadline::DecisionStart => self.time_out_waiting_decision(cx, id),
            Deadline::DecisionClose => self.time_out_running_decision(cx, id),
            Deadline::Workflow => {
                let Some(execution) = self.execution(id) else { return };
                let child_policy = execution.config.child_policy;
                let last =
                    EventKind::WorkflowExecutionTimedOut { timeout_type: TimeoutType::StartToClose, child_policy };
                self.close(cx, id, CloseStatus::TimedOut, last);
            }
            Deadline::Forget => self.forget(id),
        }
    }

    fn fire_timer(&mut self, cx: &mut Cx<'_>, id: ExecutionId, timer_id: Text) {
        let Some(execution) = self.executions.get_mut(&id) else { return };
        let Some(timer) = execution.timers.remove(&timer_id) else { return };
        self.report(cx, id, EventKind::TimerFired { timer_id, started_event_id: timer.started });
    }

    fn time_out_activity(&mut self, cx: &mut Cx<'_>, id: ExecutionId, event: EventId, timeout_type: TimeoutType) {
        let Some(execution) = self.executions.get_mut(&id) else { return };
        let Some(activity) = execution.activities.remove(&event) else { return };
        if let ActivityState::Scheduled { place } = activity.state {
            self.activity_lists.remove(&activity.list, place);
        }
        let timed_out = EventKind::ActivityTaskTimedOut {
            timeout_type,
            scheduled_event_id: event,
            started_event_id: activity.started(),
            details: activity.details(),
        };
        self.count_activity(cx, &activity, &timed_out);
        self.report(cx, id, timed_out);
    }

    fn time_out_waiting_decision(&mut self, cx: &mut Cx<'_>, id: ExecutionId) {
        let Some(execution) = self.executions.get_mut(&id) else { return };
        let Some(decision) = execution.scheduled_decision.take() else { return };
        if let Some(place) = decision.place {
            self.decision_lists.remove(&decision.list, place);
        }
        execution.list_override = None;
        let timed_out = EventKind::DecisionTaskTimedOut {
            timeout_type: TimeoutType::ScheduleToStart,
            scheduled_event_id: decision.event,
            started_event_id: 0,
        };
        self.report(cx, id, timed_out);
    }

    fn time_out_running_decision(&mut self, cx: &mut Cx<'_>, id: ExecutionId) {
        let Some(execution) = self.executions.get_mut(&id) else { return };
        let Some(decision) = execution.started_decision.take() else { return };
        if execution.list_override.as_ref().is_some_and(|other| other.schedule_to_start.is_some()) {
            execution.list_override = None;
        }
        let of = execution.of.clone();
        let timed_out = EventKind::DecisionTaskTimedOut {
            timeout_type: TimeoutType::StartToClose,
            scheduled_event_id: decision.scheduled,
            started_event_id: decision.started,
        };
        self.count_decision(cx, &of, &decision, false);
        self.report(cx, id, timed_out);
    }
}
