//! An event of a history as SWF tells it, in one of 54 structures, becomes an event as a person reads it.

use crate::domain::history::Event;
use crate::domain::time::Timestamp;
use aws_sdk_swf::types::{ActivityType, HistoryEvent, TaskList, WorkflowExecution, WorkflowType};

/// `None` for what has no number or no time.
pub fn event(from: &HistoryEvent) -> Option<Event> {
    let mut event = Event {
        id: id(from.event_id)?,
        at: Timestamp::from_millis(from.event_timestamp.to_millis().ok()?),
        kind: from.event_type.as_str().to_owned(),
        ..Event::default()
    };
    for tell in
        [execution, refusals, decisions, activities, notes, timers, children, ends_of_children, others, functions]
    {
        tell(from, &mut event);
    }
    Some(event)
}

/// SWF writes 0 where there is no such event.
fn id(id: i64) -> Option<u64> {
    u64::try_from(id).ok().filter(|id| *id > 0)
}

/// A limit of time in seconds; NONE is no limit.
pub fn seconds(text: Option<&str>) -> Option<u64> {
    text?.parse().ok()
}

/// Those that are there, one after the other.
fn words<const N: usize>(pieces: [Option<&str>; N]) -> String {
    let there: Vec<&str> = pieces.into_iter().flatten().filter(|piece| !piece.is_empty()).collect();
    there.join(": ")
}

fn list(list: Option<&TaskList>) -> Option<String> {
    list.map(|list| list.name.clone())
}

/// `charge-card/1.0 7`: the type and its version, and the id that the decider gave.
fn activity(of: Option<&ActivityType>, id: &str) -> String {
    of.map_or_else(|| id.to_owned(), |of| format!("{}/{} {id}", of.name, of.version))
}

pub fn workflow(of: Option<&WorkflowType>) -> String {
    of.map_or_else(String::new, |of| format!("{}/{}", of.name, of.version))
}

fn workflow_id(of: Option<&WorkflowExecution>) -> Option<&str> {
    of.map(|of| of.workflow_id.as_str())
}

/// The execution as a whole.
fn execution(from: &HistoryEvent, event: &mut Event) {
    if let Some(told) = &from.workflow_execution_started_event_attributes {
        event.about = workflow(told.workflow_type.as_ref());
        event.list = list(told.task_list.as_ref());
        event.end_within_s = seconds(told.execution_start_to_close_timeout.as_deref());
        let parent = workflow_id(told.parent_workflow_execution.as_ref());
        let before = told.continued_execution_run_id.as_deref();
        event.said = words([parent.map(|_| "child of"), parent, before.map(|_| "continues"), before]);
    }
    if let Some(told) = &from.workflow_execution_completed_event_attributes {
        event.said = words([told.result.as_deref()]);
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.workflow_execution_failed_event_attributes {
        event.said = words([told.reason.as_deref(), told.details.as_deref()]);
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.workflow_execution_timed_out_event_attributes {
        event.said = words([Some(told.timeout_type.as_str())]);
    }
    if let Some(told) = &from.workflow_execution_canceled_event_attributes {
        event.said = words([told.details.as_deref()]);
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.workflow_execution_continued_as_new_event_attributes {
        event.about = workflow(told.workflow_type.as_ref());
        event.said = words([Some("as run"), Some(&told.new_execution_run_id)]);
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.workflow_execution_terminated_event_attributes {
        let cause = told.cause.as_ref().map(|cause| cause.as_str());
        event.said = words([cause, told.reason.as_deref(), told.details.as_deref()]);
    }
    if let Some(told) = &from.workflow_execution_cancel_requested_event_attributes {
        let by = workflow_id(told.external_workflow_execution.as_ref());
        event.said = words([told.cause.as_ref().map(|cause| cause.as_str()), by.map(|_| "by"), by]);
    }
    if let Some(told) = &from.workflow_execution_signaled_event_attributes {
        event.about = told.signal_name.clone();
        event.said = words([workflow_id(told.external_workflow_execution.as_ref()), told.input.as_deref()]);
    }
}

/// Decisions about the execution that SWF did not carry out.
fn refusals(from: &HistoryEvent, event: &mut Event) {
    let refused = [
        from.complete_workflow_execution_failed_event_attributes
            .as_ref()
            .map(|told| (told.cause.as_str(), told.decision_task_completed_event_id)),
        from.fail_workflow_execution_failed_event_attributes
            .as_ref()
            .map(|told| (told.cause.as_str(), told.decision_task_completed_event_id)),
        from.cancel_workflow_execution_failed_event_attributes
            .as_ref()
            .map(|told| (told.cause.as_str(), told.decision_task_completed_event_id)),
        from.continue_as_new_workflow_execution_failed_event_attributes
            .as_ref()
            .map(|told| (told.cause.as_str(), told.decision_task_completed_event_id)),
    ];
    for (cause, decision) in refused.into_iter().flatten() {
        event.said = cause.to_owned();
        event.decided_by = id(decision);
    }
}

fn decisions(from: &HistoryEvent, event: &mut Event) {
    if let Some(told) = &from.decision_task_scheduled_event_attributes {
        event.list = list(told.task_list.as_ref());
        event.start_within_s = seconds(told.schedule_to_start_timeout.as_deref());
        event.end_within_s = seconds(told.start_to_close_timeout.as_deref());
    }
    if let Some(told) = &from.decision_task_started_event_attributes {
        event.about = words([told.identity.as_deref()]);
        event.opened_by = id(told.scheduled_event_id);
    }
    if let Some(told) = &from.decision_task_completed_event_attributes {
        event.said = words([told.execution_context.as_deref()]);
        event.opened_by = id(told.scheduled_event_id);
    }
    if let Some(told) = &from.decision_task_timed_out_event_attributes {
        event.said = told.timeout_type.as_str().to_owned();
        event.opened_by = id(told.scheduled_event_id);
    }
}

fn activities(from: &HistoryEvent, event: &mut Event) {
    if let Some(told) = &from.activity_task_scheduled_event_attributes {
        event.about = activity(told.activity_type.as_ref(), &told.activity_id);
        event.list = list(told.task_list.as_ref());
        event.start_within_s = seconds(told.schedule_to_start_timeout.as_deref());
        event.end_within_s = seconds(told.start_to_close_timeout.as_deref());
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.schedule_activity_task_failed_event_attributes {
        event.about = activity(told.activity_type.as_ref(), &told.activity_id);
        event.said = told.cause.as_str().to_owned();
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.activity_task_started_event_attributes {
        event.about = words([told.identity.as_deref()]);
        event.opened_by = id(told.scheduled_event_id);
    }
    if let Some(told) = &from.activity_task_completed_event_attributes {
        event.said = words([told.result.as_deref()]);
        event.opened_by = id(told.scheduled_event_id);
    }
    if let Some(told) = &from.activity_task_failed_event_attributes {
        event.said = words([told.reason.as_deref(), told.details.as_deref()]);
        event.opened_by = id(told.scheduled_event_id);
    }
    if let Some(told) = &from.activity_task_timed_out_event_attributes {
        event.said = words([Some(told.timeout_type.as_str()), told.details.as_deref()]);
        event.opened_by = id(told.scheduled_event_id);
    }
    if let Some(told) = &from.activity_task_canceled_event_attributes {
        event.said = words([told.details.as_deref()]);
        event.opened_by = id(told.scheduled_event_id);
    }
    if let Some(told) = &from.activity_task_cancel_requested_event_attributes {
        event.about.clone_from(&told.activity_id);
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.request_cancel_activity_task_failed_event_attributes {
        event.about.clone_from(&told.activity_id);
        event.said = told.cause.as_str().to_owned();
        event.decided_by = id(told.decision_task_completed_event_id);
    }
}

/// What a decider writes into the history for itself.
fn notes(from: &HistoryEvent, event: &mut Event) {
    if let Some(told) = &from.marker_recorded_event_attributes {
        event.about.clone_from(&told.marker_name);
        event.said = words([told.details.as_deref()]);
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.record_marker_failed_event_attributes {
        event.about.clone_from(&told.marker_name);
        event.said = told.cause.as_str().to_owned();
        event.decided_by = id(told.decision_task_completed_event_id);
    }
}

fn timers(from: &HistoryEvent, event: &mut Event) {
    if let Some(told) = &from.timer_started_event_attributes {
        event.about.clone_from(&told.timer_id);
        event.end_within_s = seconds(Some(&told.start_to_fire_timeout));
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.start_timer_failed_event_attributes {
        event.about.clone_from(&told.timer_id);
        event.said = told.cause.as_str().to_owned();
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.timer_fired_event_attributes {
        event.about.clone_from(&told.timer_id);
        event.opened_by = id(told.started_event_id);
    }
    if let Some(told) = &from.timer_canceled_event_attributes {
        event.about.clone_from(&told.timer_id);
        event.opened_by = id(told.started_event_id);
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.cancel_timer_failed_event_attributes {
        event.about.clone_from(&told.timer_id);
        event.said = told.cause.as_str().to_owned();
        event.decided_by = id(told.decision_task_completed_event_id);
    }
}

fn children(from: &HistoryEvent, event: &mut Event) {
    if let Some(told) = &from.start_child_workflow_execution_initiated_event_attributes {
        event.about = format!("{} {}", workflow(told.workflow_type.as_ref()), told.workflow_id);
        event.list = list(told.task_list.as_ref());
        event.end_within_s = seconds(told.execution_start_to_close_timeout.as_deref());
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.start_child_workflow_execution_failed_event_attributes {
        event.about = format!("{} {}", workflow(told.workflow_type.as_ref()), told.workflow_id);
        event.said = told.cause.as_str().to_owned();
        event.opened_by = id(told.initiated_event_id);
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.child_workflow_execution_started_event_attributes {
        event.about = words([workflow_id(told.workflow_execution.as_ref())]);
        event.opened_by = id(told.initiated_event_id);
    }
}

fn ends_of_children(from: &HistoryEvent, event: &mut Event) {
    if let Some(told) = &from.child_workflow_execution_completed_event_attributes {
        event.about = words([workflow_id(told.workflow_execution.as_ref())]);
        event.said = words([told.result.as_deref()]);
        event.opened_by = id(told.initiated_event_id);
    }
    if let Some(told) = &from.child_workflow_execution_failed_event_attributes {
        event.about = words([workflow_id(told.workflow_execution.as_ref())]);
        event.said = words([told.reason.as_deref(), told.details.as_deref()]);
        event.opened_by = id(told.initiated_event_id);
    }
    if let Some(told) = &from.child_workflow_execution_timed_out_event_attributes {
        event.about = words([workflow_id(told.workflow_execution.as_ref())]);
        event.said = told.timeout_type.as_str().to_owned();
        event.opened_by = id(told.initiated_event_id);
    }
    if let Some(told) = &from.child_workflow_execution_canceled_event_attributes {
        event.about = words([workflow_id(told.workflow_execution.as_ref())]);
        event.said = words([told.details.as_deref()]);
        event.opened_by = id(told.initiated_event_id);
    }
    if let Some(told) = &from.child_workflow_execution_terminated_event_attributes {
        event.about = words([workflow_id(told.workflow_execution.as_ref())]);
        event.opened_by = id(told.initiated_event_id);
    }
}

/// Signals and cancellations to other executions.
fn others(from: &HistoryEvent, event: &mut Event) {
    if let Some(told) = &from.signal_external_workflow_execution_initiated_event_attributes {
        event.about = format!("{} to {}", told.signal_name, told.workflow_id);
        event.said = words([told.input.as_deref()]);
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.signal_external_workflow_execution_failed_event_attributes {
        event.about.clone_from(&told.workflow_id);
        event.said = told.cause.as_str().to_owned();
        event.opened_by = id(told.initiated_event_id);
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.external_workflow_execution_signaled_event_attributes {
        event.about = words([workflow_id(told.workflow_execution.as_ref())]);
        event.opened_by = id(told.initiated_event_id);
    }
    if let Some(told) = &from.request_cancel_external_workflow_execution_initiated_event_attributes {
        event.about.clone_from(&told.workflow_id);
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.request_cancel_external_workflow_execution_failed_event_attributes {
        event.about.clone_from(&told.workflow_id);
        event.said = told.cause.as_str().to_owned();
        event.opened_by = id(told.initiated_event_id);
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.external_workflow_execution_cancel_requested_event_attributes {
        event.about = words([workflow_id(told.workflow_execution.as_ref())]);
        event.opened_by = id(told.initiated_event_id);
    }
}

fn functions(from: &HistoryEvent, event: &mut Event) {
    if let Some(told) = &from.lambda_function_scheduled_event_attributes {
        event.about = format!("{} {}", told.name, told.id);
        event.end_within_s = seconds(told.start_to_close_timeout.as_deref());
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.schedule_lambda_function_failed_event_attributes {
        event.about = format!("{} {}", told.name, told.id);
        event.said = told.cause.as_str().to_owned();
        event.decided_by = id(told.decision_task_completed_event_id);
    }
    if let Some(told) = &from.lambda_function_started_event_attributes {
        event.opened_by = id(told.scheduled_event_id);
    }
    if let Some(told) = &from.start_lambda_function_failed_event_attributes {
        event.said = words([told.cause.as_ref().map(|cause| cause.as_str()), told.message.as_deref()]);
        event.opened_by = id(told.scheduled_event_id);
    }
    if let Some(told) = &from.lambda_function_completed_event_attributes {
        event.said = words([told.result.as_deref()]);
        event.opened_by = id(told.scheduled_event_id);
    }
    if let Some(told) = &from.lambda_function_failed_event_attributes {
        event.said = words([told.reason.as_deref(), told.details.as_deref()]);
        event.opened_by = id(told.scheduled_event_id);
    }
    if let Some(told) = &from.lambda_function_timed_out_event_attributes {
        event.said = words([told.timeout_type.as_ref().map(|limit| limit.as_str())]);
        event.opened_by = id(told.scheduled_event_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_swf::types::{ActivityTaskFailedEventAttributes, EventType};
    use aws_smithy_types::DateTime;

    #[test]
    fn an_event_is_told_with_what_it_ends_and_what_was_said() {
        let told = ActivityTaskFailedEventAttributes::builder()
            .reason("card declined")
            .details("402")
            .scheduled_event_id(5)
            .started_event_id(6)
            .build();
        let from = HistoryEvent::builder()
            .event_id(7)
            .event_timestamp(DateTime::from_millis(1500))
            .event_type(EventType::ActivityTaskFailed)
            .activity_task_failed_event_attributes(told)
            .build()
            .unwrap();
        let event = event(&from).unwrap();
        assert_eq!((event.id, event.at, event.opened_by), (7, Timestamp::from_millis(1500), Some(5)));
        assert_eq!((event.kind.as_str(), event.said.as_str()), ("ActivityTaskFailed", "card declined: 402"));
    }

    #[test]
    fn no_limit_is_none_and_no_event_has_no_number() {
        assert_eq!((seconds(Some("NONE")), seconds(Some("90")), seconds(None)), (None, Some(90), None));
        assert_eq!((id(0), id(-1), id(3)), (None, None, Some(3)));
        assert_eq!(words([None, Some(""), Some("a"), Some("b")]), "a: b");
    }
}
