//! The 54 kinds of history event, each with its attributes (SWF API, HistoryEvent), and their form as JSON.

use crate::domain::time::Timestamp;
use crate::sim::swf::value::{ChildPolicy, ExecutionRef, Priority, TaskList, Text, Timeout, TypeRef};
use serde::Serialize;
use serde_json::{Map, Value};

/// The number of an event in its history; the first is 1. 0 stands for "none", as in AWS's answers.
pub type EventId = u64;

/// One entry of an execution's history. Its number is its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub at: Timestamp,
    pub kind: EventKind,
}

/// What happened. Names and attributes are AWS's; an attribute that is `None` is not in the answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum EventKind {
    WorkflowExecutionStarted(Box<Started>),
    WorkflowExecutionCancelRequested {
        external_workflow_execution: Option<ExecutionRef>,
        external_initiated_event_id: EventId,
        cause: Option<Cause>,
    },
    WorkflowExecutionCompleted {
        result: Option<Text>,
        decision_task_completed_event_id: EventId,
    },
    CompleteWorkflowExecutionFailed {
        cause: Cause,
        decision_task_completed_event_id: EventId,
    },
    WorkflowExecutionFailed {
        reason: Option<Text>,
        details: Option<Text>,
        decision_task_completed_event_id: EventId,
    },
    FailWorkflowExecutionFailed {
        cause: Cause,
        decision_task_completed_event_id: EventId,
    },
    WorkflowExecutionTimedOut {
        timeout_type: TimeoutType,
        child_policy: ChildPolicy,
    },
    WorkflowExecutionCanceled {
        details: Option<Text>,
        decision_task_completed_event_id: EventId,
    },
    CancelWorkflowExecutionFailed {
        cause: Cause,
        decision_task_completed_event_id: EventId,
    },
    WorkflowExecutionContinuedAsNew(Box<ContinuedAsNew>),
    ContinueAsNewWorkflowExecutionFailed {
        cause: Cause,
        decision_task_completed_event_id: EventId,
    },
    WorkflowExecutionTerminated {
        reason: Option<Text>,
        details: Option<Text>,
        child_policy: ChildPolicy,
        cause: Option<Cause>,
    },
    WorkflowExecutionSignaled {
        signal_name: Text,
        input: Option<Text>,
        external_workflow_execution: Option<ExecutionRef>,
        external_initiated_event_id: EventId,
    },

    DecisionTaskScheduled {
        task_list: TaskList,
        task_priority: Option<Priority>,
        start_to_close_timeout: Timeout,
        schedule_to_start_timeout: Timeout,
    },
    DecisionTaskStarted {
        identity: Option<Text>,
        scheduled_event_id: EventId,
    },
    DecisionTaskCompleted {
        execution_context: Option<Text>,
        scheduled_event_id: EventId,
        started_event_id: EventId,
        task_list: Option<TaskList>,
        task_list_schedule_to_start_timeout: Option<Timeout>,
    },
    DecisionTaskTimedOut {
        timeout_type: TimeoutType,
        scheduled_event_id: EventId,
        started_event_id: EventId,
    },

    ActivityTaskScheduled(Box<ActivityScheduled>),
    ScheduleActivityTaskFailed {
        activity_type: TypeRef,
        activity_id: Text,
        cause: Cause,
        decision_task_completed_event_id: EventId,
    },
    ActivityTaskStarted {
        identity: Option<Text>,
        scheduled_event_id: EventId,
    },
    ActivityTaskCompleted {
        result: Option<Text>,
        scheduled_event_id: EventId,
        started_event_id: EventId,
    },
    ActivityTaskFailed {
        reason: Option<Text>,
        details: Option<Text>,
        scheduled_event_id: EventId,
        started_event_id: EventId,
    },
    ActivityTaskTimedOut {
        timeout_type: TimeoutType,
        scheduled_event_id: EventId,
        started_event_id: EventId,
        details: Option<Text>,
    },
    ActivityTaskCanceled {
        details: Option<Text>,
        scheduled_event_id: EventId,
        started_event_id: EventId,
        latest_cancel_requested_event_id: Option<EventId>,
    },
    ActivityTaskCancelRequested {
        decision_task_completed_event_id: EventId,
        activity_id: Text,
    },
    RequestCancelActivityTaskFailed {
        activity_id: Text,
        cause: Cause,
        decision_task_completed_event_id: EventId,
    },

    MarkerRecorded {
        marker_name: Text,
        details: Option<Text>,
        decision_task_completed_event_id: EventId,
    },
    RecordMarkerFailed {
        marker_name: Text,
        cause: Cause,
        decision_task_completed_event_id: EventId,
    },

    TimerStarted {
        timer_id: Text,
        control: Option<Text>,
        start_to_fire_timeout: Timeout,
        decision_task_completed_event_id: EventId,
    },
    StartTimerFailed {
        timer_id: Text,
        cause: Cause,
        decision_task_completed_event_id: EventId,
    },
    TimerFired {
        timer_id: Text,
        started_event_id: EventId,
    },
    TimerCanceled {
        timer_id: Text,
        started_event_id: EventId,
        decision_task_completed_event_id: EventId,
    },
    CancelTimerFailed {
        timer_id: Text,
        cause: Cause,
        decision_task_completed_event_id: EventId,
    },

    StartChildWorkflowExecutionInitiated(Box<ChildInitiated>),
    StartChildWorkflowExecutionFailed {
        workflow_type: TypeRef,
        cause: Cause,
        workflow_id: Text,
        initiated_event_id: EventId,
        decision_task_completed_event_id: EventId,
        control: Option<Text>,
    },
    ChildWorkflowExecutionStarted {
        workflow_execution: ExecutionRef,
        workflow_type: TypeRef,
        initiated_event_id: EventId,
    },
    ChildWorkflowExecutionCompleted {
        workflow_execution: ExecutionRef,
        workflow_type: TypeRef,
        result: Option<Text>,
        initiated_event_id: EventId,
        started_event_id: EventId,
    },
    ChildWorkflowExecutionFailed {
        workflow_execution: ExecutionRef,
        workflow_type: TypeRef,
        reason: Option<Text>,
        details: Option<Text>,
        initiated_event_id: EventId,
        started_event_id: EventId,
    },
    ChildWorkflowExecutionTimedOut {
        workflow_execution: ExecutionRef,
        workflow_type: TypeRef,
        timeout_type: TimeoutType,
        initiated_event_id: EventId,
        started_event_id: EventId,
    },
    ChildWorkflowExecutionCanceled {
        workflow_execution: ExecutionRef,
        workflow_type: TypeRef,
        details: Option<Text>,
        initiated_event_id: EventId,
        started_event_id: EventId,
    },
    ChildWorkflowExecutionTerminated {
        workflow_execution: ExecutionRef,
        workflow_type: TypeRef,
        initiated_event_id: EventId,
        started_event_id: EventId,
    },

    SignalExternalWorkflowExecutionInitiated {
        workflow_id: Text,
        run_id: Option<Text>,
        signal_name: Text,
        input: Option<Text>,
        decision_task_completed_event_id: EventId,
        control: Option<Text>,
    },
    SignalExternalWorkflowExecutionFailed {
        workflow_id: Text,
        run_id: Option<Text>,
        cause: Cause,
        initiated_event_id: EventId,
        decision_task_completed_event_id: EventId,
        control: Option<Text>,
    },
    ExternalWorkflowExecutionSignaled {
        workflow_execution: ExecutionRef,
        initiated_event_id: EventId,
    },
    RequestCancelExternalWorkflowExecutionInitiated {
        workflow_id: Text,
        run_id: Option<Text>,
        decision_task_completed_event_id: EventId,
        control: Option<Text>,
    },
    RequestCancelExternalWorkflowExecutionFailed {
        workflow_id: Text,
        run_id: Option<Text>,
        cause: Cause,
        initiated_event_id: EventId,
        decision_task_completed_event_id: EventId,
        control: Option<Text>,
    },
    ExternalWorkflowExecutionCancelRequested {
        workflow_execution: ExecutionRef,
        initiated_event_id: EventId,
    },

    LambdaFunctionScheduled {
        id: Text,
        name: Text,
        control: Option<Text>,
        input: Option<Text>,
        start_to_close_timeout: Option<Timeout>,
        decision_task_completed_event_id: EventId,
    },
    ScheduleLambdaFunctionFailed {
        id: Text,
        name: Text,
        cause: Cause,
        decision_task_completed_event_id: EventId,
    },
    LambdaFunctionStarted {
        scheduled_event_id: EventId,
    },
    StartLambdaFunctionFailed {
        scheduled_event_id: EventId,
        cause: Cause,
        message: Option<Text>,
    },
    LambdaFunctionCompleted {
        scheduled_event_id: EventId,
        started_event_id: EventId,
        result: Option<Text>,
    },
    LambdaFunctionFailed {
        scheduled_event_id: EventId,
        started_event_id: EventId,
        reason: Option<Text>,
        details: Option<Text>,
    },
    LambdaFunctionTimedOut {
        scheduled_event_id: EventId,
        started_event_id: EventId,
        timeout_type: TimeoutType,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    pub input: Option<Text>,
    pub execution_start_to_close_timeout: Timeout,
    pub task_start_to_close_timeout: Timeout,
    pub child_policy: ChildPolicy,
    pub task_list: TaskList,
    pub task_priority: Option<Priority>,
    pub workflow_type: TypeRef,
    pub tag_list: Option<Vec<Text>>,
    pub continued_execution_run_id: Option<Text>,
    pub parent_workflow_execution: Option<ExecutionRef>,
    pub parent_initiated_event_id: EventId,
    pub lambda_role: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContinuedAsNew {
    pub input: Option<Text>,
    pub decision_task_completed_event_id: EventId,
    pub new_execution_run_id: Text,
    pub execution_start_to_close_timeout: Timeout,
    pub task_list: TaskList,
    pub task_priority: Option<Priority>,
    pub task_start_to_close_timeout: Timeout,
    pub child_policy: ChildPolicy,
    pub tag_list: Option<Vec<Text>>,
    pub workflow_type: TypeRef,
    pub lambda_role: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityScheduled {
    pub activity_type: TypeRef,
    pub activity_id: Text,
    pub input: Option<Text>,
    pub control: Option<Text>,
    pub schedule_to_start_timeout: Timeout,
    pub schedule_to_close_timeout: Timeout,
    pub start_to_close_timeout: Timeout,
    pub task_list: TaskList,
    pub task_priority: Option<Priority>,
    pub decision_task_completed_event_id: EventId,
    pub heartbeat_timeout: Timeout,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChildInitiated {
    pub workflow_id: Text,
    pub workflow_type: TypeRef,
    pub control: Option<Text>,
    pub input: Option<Text>,
    pub execution_start_to_close_timeout: Timeout,
    pub task_list: TaskList,
    pub task_priority: Option<Priority>,
    pub decision_task_completed_event_id: EventId,
    pub child_policy: ChildPolicy,
    pub task_start_to_close_timeout: Timeout,
    pub tag_list: Option<Vec<Text>>,
    pub lambda_role: Option<Text>,
}

/// Which limit of time was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TimeoutType {
    StartToClose,
    ScheduleToStart,
    ScheduleToClose,
    Heartbeat,
}

/// Why the service did not carry out a decision, or acted on its own. AWS has one enumeration for each event; their
/// words do not contradict each other, so one holds them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cause {
    UnhandledDecision,
    ChildPolicyApplied,
    EventLimitExceeded,
    OperatorInitiated,
    ActivityTypeDeprecated,
    ActivityTypeDoesNotExist,
    ActivityIdAlreadyInUse,
    ActivityIdUnknown,
    OpenActivitiesLimitExceeded,
    ActivityCreationRateExceeded,
    DefaultScheduleToCloseTimeoutUndefined,
    DefaultTaskListUndefined,
    DefaultScheduleToStartTimeoutUndefined,
    DefaultStartToCloseTimeoutUndefined,
    DefaultHeartbeatTimeoutUndefined,
    TimerIdAlreadyInUse,
    TimerIdUnknown,
    OpenTimersLimitExceeded,
    TimerCreationRateExceeded,
    WorkflowTypeDoesNotExist,
    WorkflowTypeDeprecated,
    OpenChildrenLimitExceeded,
    OpenWorkflowsLimitExceeded,
    ChildCreationRateExceeded,
    WorkflowAlreadyRunning,
    DefaultExecutionStartToCloseTimeoutUndefined,
    DefaultTaskStartToCloseTimeoutUndefined,
    DefaultChildPolicyUndefined,
    UnknownExternalWorkflowExecution,
    SignalExternalWorkflowExecutionRateExceeded,
    RequestCancelExternalWorkflowExecutionRateExceeded,
    IdAlreadyInUse,
    OpenLambdaFunctionsLimitExceeded,
    AssumeRoleFailed,
}

impl Event {
    /// The event as AWS answers it: `eventTimestamp`, `eventType`, `eventId` and one structure of attributes.
    pub fn to_json(&self, id: EventId) -> Value {
        let (name, attributes) = self.kind.to_json();
        let mut members = Map::new();
        members.insert("eventTimestamp".into(), self.at.secs_f64().into());
        members.insert("eventType".into(), name.clone().into());
        members.insert("eventId".into(), id.into());
        members.insert(attributes_name(&name), attributes);
        Value::Object(members)
    }
}

impl EventKind {
    /// AWS's name of the kind, and its attributes without those that are absent.
    fn to_json(&self) -> (String, Value) {
        let tagged = serde_json::to_value(self).unwrap_or_default();
        let Value::Object(tagged) = tagged else { return (String::new(), Value::Null) };
        let Some((name, mut attributes)) = tagged.into_iter().next() else { return (String::new(), Value::Null) };
        if let Value::Object(members) = &mut attributes {
            members.retain(|_, value| !value.is_null());
        }
        (name, attributes)
    }

    /// AWS's name of the kind, such as `TimerFired`.
    pub fn name(&self) -> String {
        self.to_json().0
    }
}

/// `TimerFired` → `timerFiredEventAttributes`.
fn attributes_name(kind: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).chain("EventAttributes".chars()).collect()
}
