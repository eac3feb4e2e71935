//! Carrying out a list of decisions. What cannot be done becomes an event that says why, and a new decision task.

use crate::sim::cx::Cx;
use crate::sim::swf::decision::{ContinueAsNew, Decision, ScheduleActivity};
use crate::sim::swf::domain::Domain;
use crate::sim::swf::error::Family;
use crate::sim::swf::event::{ActivityScheduled, Cause, ContinuedAsNew, EventId, EventKind};
use crate::sim::swf::execution::{Activity, ActivityState, ExecutionId, OPEN_MAX, Timer};
use crate::sim::swf::external::{Message, Outbound, Target};
use crate::sim::swf::rates::{DecisionRate, Rates};
use crate::sim::swf::start::{NewRun, Undefined, config_of, new_run_id, shown_tags};
use crate::sim::swf::types::ActivityDefaults;
use crate::sim::swf::value::{CloseStatus, RegistrationStatus, TaskList, Text, Timeout, TypeRef};

/// What one decision has led to, beside its events.
pub(super) enum Then {
    Nothing,
    /// The decider must hear of what was written.
    Decide,
    /// Something is to reach other executions once the whole list is carried out.
    Reach(Outbound),
}

impl Domain {
    /// Carries out decisions in order, then what they ask of other executions. `completed` is the
    /// DecisionTaskCompleted event to which all of it refers.
    pub(super) fn carry_out(
        &mut self,
        cx: &mut Cx<'_>,
        rates: &mut Rates,
        id: ExecutionId,
        completed: EventId,
        decisions: Vec<Decision>,
    ) {
        let mut must_decide = false;
        let mut outbound = Vec::new();
        for decision in decisions {
            if self.executions.get(&id).is_none_or(|execution| !execution.is_open() || execution.is_full()) {
                break;
            }
            match self.carry_out_one(cx, rates, id, completed, decision) {
                Then::Nothing => {}
                Then::Decide => must_decide = true,
                Then::Reach(other) => outbound.push(other),
            }
        }
        if must_decide {
            self.schedule_decision(cx, id);
        }
        for other in outbound {
            self.reach(cx, id, completed, other);
        }
    }

    fn carry_out_one(
        &mut self,
        cx: &mut Cx<'_>,
        rates: &mut Rates,
        id: ExecutionId,
        completed: EventId,
        decision: Decision,
    ) -> Then {
        match decision {
            Decision::ScheduleActivityTask(asked) => self.schedule_activity(cx, rates, id, completed, *asked),
            Decision::RequestCancelActivityTask { activity_id } => {
                self.request_cancel_activity(cx, id, completed, activity_id)
            }
            Decision::RecordMarker { marker_name, details } => {
                let event =
                    EventKind::MarkerRecorded { marker_name, details, decision_task_completed_event_id: completed };
                self.write(cx, id, event, Then::Nothing)
            }
            Decision::StartTimer { timer_id, control, start_to_fire_timeout } => {
                let after = start_to_fire_timeout.unwrap_or(Timeout::AfterS(0));
                self.start_timer(cx, rates, id, completed, (timer_id, control, after))
            }
            Decision::CancelTimer { timer_id } => self.cancel_timer(cx, id, completed, timer_id),
            Decision::StartChildWorkflowExecution(asked) => self.initiate_child(cx, rates, id, completed, *asked),
            Decision::SignalExternalWorkflowExecution { workflow_id, run_id, signal_name, input, control } => {
                let to = Target { workflow_id, run_id, control };
                self.initiate_message(cx, rates, id, completed, (to, Message::Signal { signal_name, input }))
            }
            Decision::RequestCancelExternalWorkflowExecution { workflow_id, run_id, control } => {
                let to = Target { workflow_id, run_id, control };
                self.initiate_message(cx, rates, id, completed, (to, Message::Cancel))
            }
            Decision::ScheduleLambdaFunction { id: function_id, name, control, input, start_to_close_timeout } => {
                let scheduled = EventKind::LambdaFunctionScheduled {
                    id: function_id,
                    name,
                    control,
                    input,
                    start_to_close_timeout,
                    decision_task_completed_event_id: completed,
                };
                self.schedule_lambda(cx, id, completed, scheduled)
            }
            Decision::CompleteWorkflowExecution { .. }
            | Decision::FailWorkflowExecution { .. }
            | Decision::CancelWorkflowExecution { .. }
            | Decision::ContinueAsNewWorkflowExecution(_) => self.close_by_decision(cx, id, completed, decision),
        }
    }

    pub(super) fn write(&mut self, cx: &mut Cx<'_>, id: ExecutionId, event: EventKind, then: Then) -> Then {
        if let Some(execution) = self.executions.get_mut(&id) {
            execution.append(cx.now, event);
        }
        then
    }

    /// Events that came while the decider was deciding stand against its wish to end the execution.
    fn close_by_decision(&mut self, cx: &mut Cx<'_>, id: ExecutionId, completed: EventId, decision: Decision) -> Then {
        let is_unhandled = self.execution(id).is_some_and(|execution| execution.scheduled_decision.is_some());
        if is_unhandled {
            let event = close_failed(&decision, Cause::UnhandledDecision, completed);
            return self.write(cx, id, event, Then::Decide);
        }
        let decision_task_completed_event_id = completed;
        let (status, last) = match decision {
            Decision::CompleteWorkflowExecution { result } => (
                CloseStatus::Completed,
                EventKind::WorkflowExecutionCompleted { result, decision_task_completed_event_id },
            ),
            Decision::FailWorkflowExecution { reason, details } => (
                CloseStatus::Failed,
                EventKind::WorkflowExecutionFailed { reason, details, decision_task_completed_event_id },
            ),
            Decision::CancelWorkflowExecution { details } => (
                CloseStatus::Canceled,
                EventKind::WorkflowExecutionCanceled { details, decision_task_completed_event_id },
            ),
            Decision::ContinueAsNewWorkflowExecution(asked) => {
                return self.continue_as_new(cx, id, completed, *asked);
            }
            _ => return Then::Nothing,
        };
        self.close(cx, id, status, last);
        Then::Nothing
    }

    fn continue_as_new(&mut self, cx: &mut Cx<'_>, id: ExecutionId, completed: EventId, asked: ContinueAsNew) -> Then {
        let Some(execution) = self.execution(id) else { return Then::Nothing };
        let version = asked.workflow_type_version.unwrap_or_else(|| execution.of.version.clone());
        let of = TypeRef { name: execution.of.name.clone(), version };
        let (workflow_id, run_id) = (execution.workflow_id.clone(), execution.run_id.clone());
        let parent = execution.parent.clone();
        let config = match self.types.workflow(&of) {
            None => Err(Cause::WorkflowTypeDoesNotExist),
            Some(of) if of.status() == RegistrationStatus::Deprecated => Err(Cause::WorkflowTypeDeprecated),
            Some(of) => config_of(&asked.options, &of.defaults).map_err(Undefined::cause),
        };
        let config = match config {
            Ok(config) => config,
            Err(cause) => {
                let event = EventKind::ContinueAsNewWorkflowExecutionFailed {
                    cause,
                    decision_task_completed_event_id: completed,
                };
                return self.write(cx, id, event, Then::Decide);
            }
        };
        let new_run_id = new_run_id(cx);
        let tags = asked.options.tag_list.unwrap_or_default();
        let last = EventKind::WorkflowExecutionContinuedAsNew(Box::new(ContinuedAsNew {
            input: asked.options.input.clone(),
            decision_task_completed_event_id: completed,
            new_execution_run_id: new_run_id.clone(),
            execution_start_to_close_timeout: config.execution_timeout,
            task_list: TaskList::from(&config.task_list),
            task_priority: config.task_priority,
            task_start_to_close_timeout: config.task_timeout,
            child_policy: config.child_policy,
            tag_list: shown_tags(&tags),
            workflow_type: of.clone(),
            lambda_role: config.lambda_role.clone(),
        }));
        self.close(cx, id, CloseStatus::ContinuedAsNew, last);
        let new = NewRun {
            workflow_id,
            run_id: new_run_id,
            of,
            config,
            input: asked.options.input,
            tags,
            parent: parent.clone(),
            continues: Some(run_id),
        };
        let next = self.begin(cx, new);
        let initiated = parent.and_then(|parent| {
            let parent_run = self.executions.get_mut(&parent.id)?;
            parent_run.children.get_mut(&parent.initiated)
        });
        if let Some(child) = initiated {
            child.id = next;
        }
        Then::Nothing
    }

    fn schedule_activity(
        &mut self,
        cx: &mut Cx<'_>,
        rates: &mut Rates,
        id: ExecutionId,
        completed: EventId,
        asked: ScheduleActivity,
    ) -> Then {
        let settled = match self.types.status(Family::Activity, &asked.activity_type) {
            None => Err(Cause::ActivityTypeDoesNotExist),
            Some(RegistrationStatus::Deprecated) => Err(Cause::ActivityTypeDeprecated),
            Some(RegistrationStatus::Registered) => self.settle_activity(cx, rates, id, completed, &asked),
        };
        match (settled, self.executions.get_mut(&id)) {
            (Ok(scheduled), Some(execution)) => {
                let event = execution.append(cx.now, EventKind::ActivityTaskScheduled(scheduled.clone()));
                let list = scheduled.task_list.name;
                let activity = Activity {
                    id: asked.activity_id,
                    of: asked.activity_type,
                    input: asked.input,
                    scheduled_at: cx.now,
                    schedule_to_start: scheduled.schedule_to_start_timeout,
                    schedule_to_close: scheduled.schedule_to_close_timeout,
                    start_to_close: scheduled.start_to_close_timeout,
                    heartbeat: scheduled.heartbeat_timeout,
                    state: ActivityState::Scheduled {
                        place: self.activity_lists.put(&list, scheduled.task_priority, (id, event)),
                    },
                    cancel_requested: None,
                    list,
                };
                execution.activities.insert(event, activity);
                execution.latest_activity_at = Some(cx.now);
                Then::Nothing
            }
            (Err(cause), _) => {
                let event = EventKind::ScheduleActivityTaskFailed {
                    activity_type: asked.activity_type,
                    activity_id: asked.activity_id,
                    cause,
                    decision_task_completed_event_id: completed,
                };
                self.write(cx, id, event, Then::Decide)
            }
            (Ok(_), None) => Then::Nothing,
        }
    }

    /// The task's settings: the decision's own before the type's. The order of checks is AWS's.
    fn settle_activity(
        &self,
        cx: &mut Cx<'_>,
        rates: &mut Rates,
        id: ExecutionId,
        completed: EventId,
        asked: &ScheduleActivity,
    ) -> Result<Box<ActivityScheduled>, Cause> {
        let none = ActivityDefaults::default();
        let defaults = self.types.activity(&asked.activity_type).map_or(&none, |of| &of.defaults);
        let open = self.execution(id).map_or(0, |execution| execution.activities.len());
        if self.execution(id).is_some_and(|execution| execution.activity_named(&asked.activity_id).is_some()) {
            return Err(Cause::ActivityIdAlreadyInUse);
        }
        if open >= OPEN_MAX {
            return Err(Cause::OpenActivitiesLimitExceeded);
        }
        let task_list = asked.task_list.clone().or_else(|| defaults.default_task_list.clone());
        let schedule_to_start = asked.schedule_to_start_timeout.or(defaults.default_task_schedule_to_start_timeout);
        let schedule_to_close = asked.schedule_to_close_timeout.or(defaults.default_task_schedule_to_close_timeout);
        let start_to_close = asked.start_to_close_timeout.or(defaults.default_task_start_to_close_timeout);
        let heartbeat = asked.heartbeat_timeout.or(defaults.default_task_heartbeat_timeout);
        let scheduled = ActivityScheduled {
            activity_type: asked.activity_type.clone(),
            activity_id: asked.activity_id.clone(),
            input: asked.input.clone(),
            control: asked.control.clone(),
            task_list: task_list.ok_or(Cause::DefaultTaskListUndefined)?,
            schedule_to_start_timeout: schedule_to_start.ok_or(Cause::DefaultScheduleToStartTimeoutUndefined)?,
            schedule_to_close_timeout: schedule_to_close.ok_or(Cause::DefaultScheduleToCloseTimeoutUndefined)?,
            start_to_close_timeout: start_to_close.ok_or(Cause::DefaultStartToCloseTimeoutUndefined)?,
            heartbeat_timeout: heartbeat.ok_or(Cause::DefaultHeartbeatTimeoutUndefined)?,
            task_priority: asked.task_priority.or(defaults.default_task_priority),
            decision_task_completed_event_id: completed,
        };
        if !rates.admit_decision(cx, DecisionRate::ScheduleActivityTask) {
            return Err(Cause::ActivityCreationRateExceeded);
        }
        Ok(Box::new(scheduled))
    }

    /// A task that no worker has yet is cancelled at once; a running one hears of it with its next heartbeat.
    fn request_cancel_activity(
        &mut self,
        cx: &mut Cx<'_>,
        id: ExecutionId,
        completed: EventId,
        activity_id: Text,
    ) -> Then {
        let Some(execution) = self.executions.get_mut(&id) else { return Then::Nothing };
        let Some(scheduled_event_id) = execution.activity_named(&activity_id) else {
            let event = EventKind::RequestCancelActivityTaskFailed {
                activity_id,
                cause: Cause::ActivityIdUnknown,
                decision_task_completed_event_id: completed,
            };
            return self.write(cx, id, event, Then::Decide);
        };
        let requested =
            EventKind::ActivityTaskCancelRequested { decision_task_completed_event_id: completed, activity_id };
        let requested = execution.append(cx.now, requested);
        let Some(activity) = execution.activities.get_mut(&scheduled_event_id) else { return Then::Nothing };
        activity.cancel_requested = Some(requested);
        let ActivityState::Scheduled { place } = activity.state else { return Then::Nothing };
        let canceled = EventKind::ActivityTaskCanceled {
            details: None,
            scheduled_event_id,
            started_event_id: 0,
            latest_cancel_requested_event_id: Some(requested),
        };
        if let Some(activity) = execution.activities.remove(&scheduled_event_id) {
            self.activity_lists.remove(&activity.list, place);
            self.count_activity(cx, &activity, &canceled);
        }
        self.write(cx, id, canceled, Then::Decide)
    }

    fn start_timer(
        &mut self,
        cx: &mut Cx<'_>,
        rates: &mut Rates,
        id: ExecutionId,
        completed: EventId,
        (timer_id, control, after): (Text, Option<Text>, Timeout),
    ) -> Then {
        let Some(execution) = self.executions.get_mut(&id) else { return Then::Nothing };
        let cause = if execution.timers.contains_key(&timer_id) {
            Some(Cause::TimerIdAlreadyInUse)
        } else if execution.timers.len() >= OPEN_MAX {
            Some(Cause::OpenTimersLimitExceeded)
        } else {
            let is_too_fast = !rates.admit_decision(cx, DecisionRate::StartTimer);
            is_too_fast.then_some(Cause::TimerCreationRateExceeded)
        };
        if let Some(cause) = cause {
            let event = EventKind::StartTimerFailed { timer_id, cause, decision_task_completed_event_id: completed };
            return self.write(cx, id, event, Then::Decide);
        }
        let event = EventKind::TimerStarted {
            timer_id: timer_id.clone(),
            control,
            start_to_fire_timeout: after,
            decision_task_completed_event_id: completed,
        };
        let started = execution.append(cx.now, event);
        let fires_at = cx.now + after.duration().unwrap_or_default();
        execution.timers.insert(timer_id, Timer { started, fires_at });
        Then::Nothing
    }

    fn cancel_timer(&mut self, cx: &mut Cx<'_>, id: ExecutionId, completed: EventId, timer_id: Text) -> Then {
        let Some(execution) = self.executions.get_mut(&id) else { return Then::Nothing };
        let decision_task_completed_event_id = completed;
        match execution.timers.remove(&timer_id) {
            Some(timer) => {
                let started_event_id = timer.started;
                let event = EventKind::TimerCanceled { timer_id, started_event_id, decision_task_completed_event_id };
                self.write(cx, id, event, Then::Nothing)
            }
            None => {
                let cause = Cause::TimerIdUnknown;
                let event = EventKind::CancelTimerFailed { timer_id, cause, decision_task_completed_event_id };
                self.write(cx, id, event, Then::Decide)
            }
        }
    }
}

fn close_failed(decision: &Decision, cause: Cause, completed: EventId) -> EventKind {
    let decision_task_completed_event_id = completed;
    match decision {
        Decision::FailWorkflowExecution { .. } => {
            EventKind::FailWorkflowExecutionFailed { cause, decision_task_completed_event_id }
        }
        Decision::CancelWorkflowExecution { .. } => {
            EventKind::CancelWorkflowExecutionFailed { cause, decision_task_completed_event_id }
        }
        Decision::ContinueAsNewWorkflowExecution(_) => {
            EventKind::ContinueAsNewWorkflowExecutionFailed { cause, decision_task_completed_event_id }
        }
        _ => EventKind::CompleteWorkflowExecutionFailed { cause, decision_task_completed_event_id },
    }
}
