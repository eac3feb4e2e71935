//! What a decider may decide: the 13 decisions and their attributes (SWF API, Decision).

use crate::sim::swf::value::{
    ChildPolicy, Priority, TaskList, Text, Timeout, TypeRef, maybe_priority, maybe_text, maybe_timeout,
};
use serde::Deserialize;

/// One decision of a decider. The wire has checked its members when it comes from a client.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum Decision {
    ScheduleActivityTask(Box<ScheduleActivity>),
    RequestCancelActivityTask {
        activity_id: Text,
    },
    CompleteWorkflowExecution {
        #[serde(default, deserialize_with = "maybe_text")]
        result: Option<Text>,
    },
    FailWorkflowExecution {
        #[serde(default, deserialize_with = "maybe_text")]
        reason: Option<Text>,
        #[serde(default, deserialize_with = "maybe_text")]
        details: Option<Text>,
    },
    CancelWorkflowExecution {
        #[serde(default, deserialize_with = "maybe_text")]
        details: Option<Text>,
    },
    ContinueAsNewWorkflowExecution(Box<ContinueAsNew>),
    RecordMarker {
        marker_name: Text,
        #[serde(default, deserialize_with = "maybe_text")]
        details: Option<Text>,
    },
    StartTimer {
        timer_id: Text,
        #[serde(default, deserialize_with = "maybe_text")]
        control: Option<Text>,
        #[serde(default, deserialize_with = "maybe_timeout")]
        start_to_fire_timeout: Option<Timeout>,
    },
    CancelTimer {
        timer_id: Text,
    },
    SignalExternalWorkflowExecution {
        workflow_id: Text,
        #[serde(default, deserialize_with = "maybe_text")]
        run_id: Option<Text>,
        signal_name: Text,
        #[serde(default, deserialize_with = "maybe_text")]
        input: Option<Text>,
        #[serde(default, deserialize_with = "maybe_text")]
        control: Option<Text>,
    },
    RequestCancelExternalWorkflowExecution {
        workflow_id: Text,
        #[serde(default, deserialize_with = "maybe_text")]
        run_id: Option<Text>,
        #[serde(default, deserialize_with = "maybe_text")]
        control: Option<Text>,
    },
    StartChildWorkflowExecution(Box<StartChild>),
    ScheduleLambdaFunction {
        id: Text,
        name: Text,
        #[serde(default, deserialize_with = "maybe_text")]
        control: Option<Text>,
        #[serde(default, deserialize_with = "maybe_text")]
        input: Option<Text>,
        #[serde(default, deserialize_with = "maybe_timeout")]
        start_to_close_timeout: Option<Timeout>,
    },
}

impl Decision {
    /// Whether it ends the execution; such a decision must be the last of its list.
    pub fn closes(&self) -> bool {
        matches!(
            self,
            Self::CompleteWorkflowExecution { .. }
                | Self::FailWorkflowExecution { .. }
                | Self::CancelWorkflowExecution { .. }
                | Self::ContinueAsNewWorkflowExecution(_)
        )
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleActivity {
    pub activity_type: TypeRef,
    pub activity_id: Text,
    #[serde(default, deserialize_with = "maybe_text")]
    pub control: Option<Text>,
    #[serde(default, deserialize_with = "maybe_text")]
    pub input: Option<Text>,
    #[serde(default, deserialize_with = "maybe_timeout")]
    pub schedule_to_close_timeout: Option<Timeout>,
    pub task_list: Option<TaskList>,
    #[serde(default, deserialize_with = "maybe_priority")]
    pub task_priority: Option<Priority>,
    #[serde(default, deserialize_with = "maybe_timeout")]
    pub schedule_to_start_timeout: Option<Timeout>,
    #[serde(default, deserialize_with = "maybe_timeout")]
    pub start_to_close_timeout: Option<Timeout>,
    #[serde(default, deserialize_with = "maybe_timeout")]
    pub heartbeat_timeout: Option<Timeout>,
}

impl ScheduleActivity {
    /// A decision that leaves everything else to the type's defaults.
    pub fn new(activity_type: TypeRef, activity_id: &str) -> Self {
        Self {
            activity_type,
            activity_id: activity_id.into(),
            control: None,
            input: None,
            schedule_to_close_timeout: None,
            task_list: None,
            task_priority: None,
            schedule_to_start_timeout: None,
            start_to_close_timeout: None,
            heartbeat_timeout: None,
        }
    }
}

/// What a run is started with, where it does not follow its type's defaults. The same members serve a start by a
/// client, a child, and the next run of an execution that continues as new.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartOptions {
    #[serde(default, deserialize_with = "maybe_text")]
    pub input: Option<Text>,
    pub task_list: Option<TaskList>,
    #[serde(default, deserialize_with = "maybe_priority")]
    pub task_priority: Option<Priority>,
    #[serde(default, deserialize_with = "maybe_timeout")]
    pub execution_start_to_close_timeout: Option<Timeout>,
    #[serde(default, deserialize_with = "maybe_timeout")]
    pub task_start_to_close_timeout: Option<Timeout>,
    pub child_policy: Option<ChildPolicy>,
    #[serde(default)]
    pub tag_list: Option<Vec<Text>>,
    #[serde(default, deserialize_with = "maybe_text")]
    pub lambda_role: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContinueAsNew {
    #[serde(flatten)]
    pub options: StartOptions,
    #[serde(default, deserialize_with = "maybe_text")]
    pub workflow_type_version: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartChild {
    pub workflow_type: TypeRef,
    pub workflow_id: Text,
    #[serde(default, deserialize_with = "maybe_text")]
    pub control: Option<Text>,
    #[serde(flatten)]
    pub options: StartOptions,
}
