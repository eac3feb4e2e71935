//! The members of each operation's request, with the constraints of the service's model.

use super::schema::{Member, Shape};

const fn need(name: &'static str, shape: Shape) -> Member {
    Member { name, is_required: true, shape }
}

const fn may(name: &'static str, shape: Shape) -> Member {
    Member { name, is_required: false, shape }
}

const DATA: Shape = Shape::Text(0, 32_768);
const REASON: Shape = Shape::Text(0, 256);
const IDENTITY: Shape = Shape::Text(0, 256);
const DESCRIPTION: Shape = Shape::Text(0, 1024);
const NAME: Shape = Shape::Name(256);
const VERSION: Shape = Shape::Name(64);
/// Names of things that exist already: a wrong one is unknown, not invalid.
const REFERENCE: Shape = Shape::Text(1, 256);
const RUN_ID: Shape = Shape::Text(1, 64);
const MAYBE_RUN_ID: Shape = Shape::Text(0, 64);
const TASK_TOKEN: Shape = Shape::Text(1, 1024);
const CHILD_POLICY: Shape = Shape::OneOf(&["TERMINATE", "REQUEST_CANCEL", "ABANDON"]);
const STATUS: Shape = Shape::OneOf(&["REGISTERED", "DEPRECATED"]);
const CLOSE_STATUS: Shape =
    Shape::OneOf(&["COMPLETED", "FAILED", "CANCELED", "TERMINATED", "CONTINUED_AS_NEW", "TIMED_OUT"]);
const ROLE: Shape = Shape::Text(1, 1600);

const DOMAIN: Member = need("domain", REFERENCE);
const TYPE: &[Member] = &[need("name", REFERENCE), need("version", Shape::Text(1, 64))];
const TASK_LIST: Shape = Shape::Structure(&[need("name", NAME)]);
const EXECUTION: Member = need("execution", Shape::Structure(&[need("runId", RUN_ID), need("workflowId", REFERENCE)]));
const TIMES: Shape = Shape::Structure(&[need("oldestDate", Shape::Time), may("latestDate", Shape::Time)]);
const TYPE_FILTER: Member =
    may("typeFilter", Shape::Structure(&[need("name", REFERENCE), may("version", Shape::Text(0, 64))]));
const TAG_FILTER: Member = may("tagFilter", Shape::Structure(&[need("tag", Shape::Text(0, 256))]));
const EXECUTION_FILTER: Member = may("executionFilter", Shape::Structure(&[need("workflowId", REFERENCE)]));
const STATUS_FILTER: Member = may("closeStatusFilter", Shape::Structure(&[need("status", CLOSE_STATUS)]));
const NEXT_PAGE_TOKEN: Member = may("nextPageToken", Shape::Text(0, 2048));
const PAGE_SIZE: Member = may("maximumPageSize", Shape::Integer(0, 1000));
const REVERSE: Member = may("reverseOrder", Shape::Boolean);
const TAGS: Shape = Shape::Structures(&[need("key", Shape::Text(1, 128)), may("value", Shape::Text(0, 256))]);

pub(super) const REGISTER_DOMAIN: &[Member] = &[
    need("name", NAME),
    may("description", DESCRIPTION),
    need("workflowExecutionRetentionPeriodInDays", Shape::Days),
    may("tags", TAGS),
];
pub(super) const ONLY_DOMAIN: &[Member] = &[need("name", REFERENCE)];
pub(super) const LIST_DOMAINS: &[Member] = &[NEXT_PAGE_TOKEN, need("registrationStatus", STATUS), PAGE_SIZE, REVERSE];

pub(super) const REGISTER_WORKFLOW_TYPE: &[Member] = &[
    DOMAIN,
    need("name", NAME),
    need("version", VERSION),
    may("description", DESCRIPTION),
    may("defaultTaskStartToCloseTimeout", Shape::MaybeSeconds),
    may("defaultExecutionStartToCloseTimeout", Shape::MaybeRunSeconds),
    may("defaultTaskList", TASK_LIST),
    may("defaultTaskPriority", Shape::Priority),
    may("defaultChildPolicy", CHILD_POLICY),
    may("defaultLambdaRole", ROLE),
];
pub(super) const REGISTER_ACTIVITY_TYPE: &[Member] = &[
    DOMAIN,
    need("name", NAME),
    need("version", VERSION),
    may("description", DESCRIPTION),
    may("defaultTaskStartToCloseTimeout", Shape::MaybeSeconds),
    may("defaultTaskHeartbeatTimeout", Shape::MaybeSeconds),
    may("defaultTaskList", TASK_LIST),
    may("defaultTaskPriority", Shape::Priority),
    may("defaultTaskScheduleToStartTimeout", Shape::MaybeSeconds),
    may("defaultTaskScheduleToCloseTimeout", Shape::MaybeSeconds),
];
pub(super) const WORKFLOW_TYPE: &[Member] = &[DOMAIN, need("workflowType", Shape::Structure(TYPE))];
pub(super) const ACTIVITY_TYPE: &[Member] = &[DOMAIN, need("activityType", Shape::Structure(TYPE))];
pub(super) const LIST_TYPES: &[Member] =
    &[DOMAIN, may("name", REFERENCE), need("registrationStatus", STATUS), NEXT_PAGE_TOKEN, PAGE_SIZE, REVERSE];

pub(super) const START: &[Member] = &[
    DOMAIN,
    need("workflowId", NAME),
    need("workflowType", Shape::Structure(TYPE)),
    may("taskList", TASK_LIST),
    may("taskPriority", Shape::Priority),
    may("input", DATA),
    may("executionStartToCloseTimeout", Shape::MaybeRunSeconds),
    may("tagList", Shape::Texts(5)),
    may("taskStartToCloseTimeout", Shape::MaybeSeconds),
    may("childPolicy", CHILD_POLICY),
    may("lambdaRole", ROLE),
];
pub(super) const SIGNAL: &[Member] = &[
    DOMAIN,
    need("workflowId", REFERENCE),
    may("runId", MAYBE_RUN_ID),
    need("signalName", Shape::Text(1, 256)),
    may("input", DATA),
];
pub(super) const REQUEST_CANCEL: &[Member] = &[DOMAIN, need("workflowId", REFERENCE), may("runId", MAYBE_RUN_ID)];
pub(super) const TERMINATE: &[Member] = &[
    DOMAIN,
    need("workflowId", REFERENCE),
    may("runId", MAYBE_RUN_ID),
    may("reason", REASON),
    may("details", DATA),
    may("childPolicy", CHILD_POLICY),
];

pub(super) const DESCRIBE_EXECUTION: &[Member] = &[EXECUTION, DOMAIN];
pub(super) const HISTORY: &[Member] = &[EXECUTION, DOMAIN, NEXT_PAGE_TOKEN, PAGE_SIZE, REVERSE];
pub(super) const COUNT_OPEN: &[Member] =
    &[DOMAIN, need("startTimeFilter", TIMES), TYPE_FILTER, TAG_FILTER, EXECUTION_FILTER];
pub(super) const COUNT_CLOSED: &[Member] = &[
    DOMAIN,
    may("startTimeFilter", TIMES),
    may("closeTimeFilter", TIMES),
    EXECUTION_FILTER,
    TYPE_FILTER,
    TAG_FILTER,
    STATUS_FILTER,
];
pub(super) const LIST_OPEN: &[Member] = &[
    DOMAIN,
    need("startTimeFilter", TIMES),
    TYPE_FILTER,
    TAG_FILTER,
    NEXT_PAGE_TOKEN,
    PAGE_SIZE,
    REVERSE,
    EXECUTION_FILTER,
];
pub(super) const LIST_CLOSED: &[Member] = &[
    DOMAIN,
    may("startTimeFilter", TIMES),
    may("closeTimeFilter", TIMES),
    EXECUTION_FILTER,
    STATUS_FILTER,
    TYPE_FILTER,
    TAG_FILTER,
    NEXT_PAGE_TOKEN,
    PAGE_SIZE,
    REVERSE,
];
pub(super) const COUNT_PENDING: &[Member] = &[DOMAIN, need("taskList", TASK_LIST)];

pub(super) const POLL_ACTIVITY: &[Member] = &[DOMAIN, need("taskList", TASK_LIST), may("identity", IDENTITY)];
pub(super) const POLL_DECISION: &[Member] = &[
    DOMAIN,
    need("taskList", TASK_LIST),
    may("identity", IDENTITY),
    NEXT_PAGE_TOKEN,
    PAGE_SIZE,
    REVERSE,
    may("startAtPreviousStartedEvent", Shape::Boolean),
];
pub(super) const HEARTBEAT: &[Member] = &[need("taskToken", TASK_TOKEN), may("details", Shape::Text(0, 2048))];
pub(super) const ACTIVITY_COMPLETED: &[Member] = &[need("taskToken", TASK_TOKEN), may("result", DATA)];
pub(super) const ACTIVITY_FAILED: &[Member] =
    &[need("taskToken", TASK_TOKEN), may("reason", REASON), may("details", DATA)];
pub(super) const ACTIVITY_CANCELED: &[Member] = &[need("taskToken", TASK_TOKEN), may("details", DATA)];
pub(super) const DECISION_COMPLETED: &[Member] = &[
    need("taskToken", TASK_TOKEN),
    may("decisions", Shape::Decisions(DECISION)),
    may("executionContext", DATA),
    may("taskList", TASK_LIST),
    may("taskListScheduleToStartTimeout", Shape::MaybeSeconds),
];

pub(super) const TAG_RESOURCE: &[Member] = &[need("resourceArn", ROLE), need("tags", TAGS)];
pub(super) const UNTAG_RESOURCE: &[Member] = &[need("resourceArn", ROLE), need("tagKeys", Shape::Texts(200))];
pub(super) const LIST_TAGS: &[Member] = &[need("resourceArn", ROLE)];

/// In the order in which AWS names them.
const DECISION_TYPES: &[&str] = &[
    "CompleteWorkflowExecution",
    "StartTimer",
    "RequestCancelExternalWorkflowExecution",
    "SignalExternalWorkflowExecution",
    "CancelTimer",
    "RecordMarker",
    "ScheduleActivityTask",
    "ContinueAsNewWorkflowExecution",
    "ScheduleLambdaFunction",
    "FailWorkflowExecution",
    "RequestCancelActivityTask",
    "StartChildWorkflowExecution",
    "CancelWorkflowExecution",
];

const DECISION: &[Member] = &[
    may("scheduleActivityTaskDecisionAttributes", Shape::Structure(SCHEDULE_ACTIVITY)),
    may("requestCancelActivityTaskDecisionAttributes", Shape::Structure(&[need("activityId", REFERENCE)])),
    may("completeWorkflowExecutionDecisionAttributes", Shape::Structure(&[may("result", DATA)])),
    may("failWorkflowExecutionDecisionAttributes", Shape::Structure(&[may("reason", REASON), may("details", DATA)])),
    may("cancelWorkflowExecutionDecisionAttributes", Shape::Structure(&[may("details", DATA)])),
    may("continueAsNewWorkflowExecutionDecisionAttributes", Shape::Structure(CONTINUE_AS_NEW)),
    may("recordMarkerDecisionAttributes", Shape::Structure(&[need("markerName", REFERENCE), may("details", DATA)])),
    may(
        "startTimerDecisionAttributes",
        Shape::Structure(&[
            need("timerId", REFERENCE),
            may("control", DATA),
            need("startToFireTimeout", Shape::Seconds),
        ]),
    ),
    may("cancelTimerDecisionAttributes", Shape::Structure(&[need("timerId", REFERENCE)])),
    may(
        "signalExternalWorkflowExecutionDecisionAttributes",
        Shape::Structure(&[
            need("workflowId", REFERENCE),
            may("runId", MAYBE_RUN_ID),
            need("signalName", REFERENCE),
            may("input", DATA),
            may("control", DATA),
        ]),
    ),
    may(
        "requestCancelExternalWorkflowExecutionDecisionAttributes",
        Shape::Structure(&[need("workflowId", REFERENCE), may("runId", MAYBE_RUN_ID), may("control", DATA)]),
    ),
    may("startChildWorkflowExecutionDecisionAttributes", Shape::Structure(START_CHILD)),
    may(
        "scheduleLambdaFunctionDecisionAttributes",
        Shape::Structure(&[
            need("id", REFERENCE),
            need("name", Shape::Text(1, 64)),
            may("control", DATA),
            may("input", DATA),
            may("startToCloseTimeout", Shape::MaybeSeconds),
        ]),
    ),
    need("decisionType", Shape::OneOf(DECISION_TYPES)),
];

const SCHEDULE_ACTIVITY: &[Member] = &[
    need("activityType", Shape::Structure(TYPE)),
    need("activityId", NAME),
    may("control", DATA),
    may("input", DATA),
    may("scheduleToCloseTimeout", Shape::MaybeSeconds),
    may("taskList", TASK_LIST),
    may("taskPriority", Shape::Priority),
    may("scheduleToStartTimeout", Shape::MaybeSeconds),
    may("startToCloseTimeout", Shape::MaybeSeconds),
    may("heartbeatTimeout", Shape::MaybeSeconds),
];

const CONTINUE_AS_NEW: &[Member] = &[
    may("input", DATA),
    may("executionStartToCloseTimeout", Shape::MaybeSeconds),
    may("taskList", TASK_LIST),
    may("taskPriority", Shape::Priority),
    may("taskStartToCloseTimeout", Shape::MaybeSeconds),
    may("childPolicy", CHILD_POLICY),
    may("tagList", Shape::Texts(5)),
    may("workflowTypeVersion", Shape::Text(1, 64)),
    may("lambdaRole", ROLE),
];

const START_CHILD: &[Member] = &[
    need("workflowType", Shape::Structure(TYPE)),
    need("workflowId", NAME),
    may("control", DATA),
    may("input", DATA),
    may("executionStartToCloseTimeout", Shape::MaybeSeconds),
    may("taskList", TASK_LIST),
    may("taskPriority", Shape::Priority),
    may("taskStartToCloseTimeout", Shape::MaybeSeconds),
    may("childPolicy", CHILD_POLICY),
    may("tagList", Shape::Texts(5)),
    may("lambdaRole", ROLE),
];
