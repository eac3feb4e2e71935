//! Starting runs: what a run has from its request and what from its type, and its first two events.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::swf::Swf;
use crate::sim::swf::decision::StartOptions;
use crate::sim::swf::domain::Domain;
use crate::sim::swf::error::{self, Family};
use crate::sim::swf::event::{Cause, EventKind, Started};
use crate::sim::swf::execution::{Config, Execution, ExecutionId, Parent};
use crate::sim::swf::types::WorkflowDefaults;
use crate::sim::swf::value::{TaskList, Text, TypeRef};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt;
use std::collections::BTreeMap;

/// Open executions of one domain, children included (SWF "Quotas").
pub const OPEN_EXECUTIONS_MAX: usize = 100_000;

/// A setting that neither the start nor the type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undefined {
    ExecutionTimeout,
    TaskList,
    TaskTimeout,
    ChildPolicy,
}

impl Undefined {
    /// For a client.
    fn fault(self) -> ApiError {
        error::default_undefined(match self {
            Self::ExecutionTimeout => "executionStartToCloseTimeout",
            Self::TaskList => "taskList",
            Self::TaskTimeout => "taskStartToCloseTimeout",
            Self::ChildPolicy => "childPolicy",
        })
    }

    /// For a decider.
    pub fn cause(self) -> Cause {
        match self {
            Self::ExecutionTimeout => Cause::DefaultExecutionStartToCloseTimeoutUndefined,
            Self::TaskList => Cause::DefaultTaskListUndefined,
            Self::TaskTimeout => Cause::DefaultTaskStartToCloseTimeoutUndefined,
            Self::ChildPolicy => Cause::DefaultChildPolicyUndefined,
        }
    }
}

/// The start's own settings before the type's.
pub(super) fn config_of(options: &StartOptions, defaults: &WorkflowDefaults) -> Result<Config, Undefined> {
    let execution_timeout =
        options.execution_start_to_close_timeout.or(defaults.default_execution_start_to_close_timeout);
    let task_list = options.task_list.as_ref().or(defaults.default_task_list.as_ref());
    let task_timeout = options.task_start_to_close_timeout.or(defaults.default_task_start_to_close_timeout);
    let lambda_role = options.lambda_role.as_ref().or(defaults.default_lambda_role.as_ref());
    Ok(Config {
        execution_timeout: execution_timeout.ok_or(Undefined::ExecutionTimeout)?,
        task_list: task_list.ok_or(Undefined::TaskList)?.name.clone(),
        task_timeout: task_timeout.ok_or(Undefined::TaskTimeout)?,
        child_policy: options.child_policy.or(defaults.default_child_policy).ok_or(Undefined::ChildPolicy)?,
        task_priority: options.task_priority.or(defaults.default_task_priority),
        lambda_role: lambda_role.cloned(),
    })
}

/// Tags as a start's event shows them: absent when there are none.
pub(super) fn shown_tags(tags: &[Text]) -> Option<Vec<Text>> {
    (!tags.is_empty()).then(|| tags.to_vec())
}

/// A run about to begin.
pub(super) struct NewRun {
    pub workflow_id: Text,
    pub run_id: Text,
    pub of: TypeRef,
    pub config: Config,
    pub input: Option<Text>,
    pub tags: Vec<Text>,
    pub parent: Option<Parent>,
    /// The run that continues as this one.
    pub continues: Option<Text>,
}

/// A run id in AWS's form: two digits and 32 bytes in base64.
pub(super) fn new_run_id(cx: &mut Cx<'_>) -> Text {
    let bytes: [u8; 32] = cx.rng.random();
    Text::from(format!("22{}", STANDARD.encode(bytes)))
}

impl Swf {
    /// StartWorkflowExecution: the new run's id.
    ///
    /// Errors: `UnknownResourceFault`, `TypeDeprecatedFault`, `WorkflowExecutionAlreadyStartedFault`,
    /// `DefaultUndefinedFault`, `LimitExceededFault`.
    pub fn start_workflow_execution(
        &mut self,
        cx: &mut Cx<'_>,
        domain: &str,
        workflow_id: &str,
        of: &TypeRef,
        options: StartOptions,
    ) -> Result<Text, ApiError> {
        let domain = self.domain_mut(domain)?;
        domain.usable_type(Family::Workflow, of)?;
        let Some(of_type) = domain.types.workflow(of) else {
            return Err(error::unknown_type(Family::Workflow, of));
        };
        let config = config_of(&options, &of_type.defaults).map_err(Undefined::fault)?;
        if domain.open.contains_key(workflow_id) {
            return Err(error::already_started());
        }
        if domain.open.len() >= OPEN_EXECUTIONS_MAX {
            let message = format!("A domain can have at most {OPEN_EXECUTIONS_MAX} open workflow executions");
            return Err(error::limit_exceeded(message));
        }
        let run_id = new_run_id(cx);
        let new = NewRun {
            workflow_id: workflow_id.into(),
            run_id: run_id.clone(),
            of: of.clone(),
            config,
            input: options.input,
            tags: options.tag_list.unwrap_or_default(),
            parent: None,
            continues: None,
        };
        domain.begin(cx, new);
        Ok(run_id)
    }
}

impl Domain {
    /// Begins a run: its WorkflowExecutionStarted event and its first decision task.
    pub(super) fn begin(&mut self, cx: &mut Cx<'_>, new: NewRun) -> ExecutionId {
        let started = EventKind::WorkflowExecutionStarted(Box::new(Started {
            input: new.input,
            execution_start_to_close_timeout: new.config.execution_timeout,
            task_start_to_close_timeout: new.config.task_timeout,
            child_policy: new.config.child_policy,
            task_list: TaskList::from(&new.config.task_list),
            task_priority: new.config.task_priority,
            workflow_type: new.of.clone(),
            tag_list: shown_tags(&new.tags),
            continued_execution_run_id: new.continues,
            parent_workflow_execution: new.parent.as_ref().map(|parent| parent.execution.clone()),
            parent_initiated_event_id: new.parent.as_ref().map_or(0, |parent| parent.initiated),
            lambda_role: new.config.lambda_role.clone(),
        }));
        let mut execution = Execution {
            workflow_id: new.workflow_id,
            run_id: new.run_id,
            of: new.of,
            config: new.config,
            tags: new.tags,
            parent: new.parent,
            started_at: cx.now,
            closed: None,
            cancel_requested: false,
            history: Vec::new(),
            scheduled_decision: None,
            started_decision: None,
            previous_started: 0,
            list_override: None,
            activities: BTreeMap::new(),
            timers: BTreeMap::new(),
            children: BTreeMap::new(),
            lambdas: BTreeMap::new(),
            latest_activity_at: None,
            latest_context: None,
            registered_deadline: None,
        };
        execution.append(cx.now, started);
        let id = self.admit(execution);
        self.schedule_decision(cx, id);
        id
    }
}
