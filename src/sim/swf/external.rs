//! What one execution does to others of its domain: children, signals, requests to cancel; and the same by a client.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::swf::Swf;
use crate::sim::swf::decide::Then;
use crate::sim::swf::decision::StartChild;
use crate::sim::swf::domain::Domain;
use crate::sim::swf::event::{Cause, ChildInitiated, EventId, EventKind};
use crate::sim::swf::execution::{Child, Config, Execution, ExecutionId, OPEN_MAX, Parent};
use crate::sim::swf::rates::{DecisionRate, Rates};
use crate::sim::swf::start::{NewRun, OPEN_EXECUTIONS_MAX, Undefined, config_of, new_run_id, shown_tags};
use crate::sim::swf::value::{ChildPolicy, ExecutionRef, RegistrationStatus, TaskList, Text};

/// What is to reach another execution once the whole list of decisions is carried out.
pub(super) enum Outbound {
    Child { initiated: EventId, asked: Box<StartChild>, config: Config },
    Message { initiated: EventId, to: Target, message: Message },
}

/// Which execution a decision is meant for, and what the decider wants to read again in its outcome.
pub(super) struct Target {
    pub workflow_id: Text,
    pub run_id: Option<Text>,
    pub control: Option<Text>,
}

pub(super) enum Message {
    Signal { signal_name: Text, input: Option<Text> },
    Cancel,
}

impl Swf {
    /// SignalWorkflowExecution. Errors: `UnknownResourceFault` unless the run is open.
    pub fn signal_workflow_execution(
        &mut self,
        cx: &mut Cx<'_>,
        domain: &str,
        (workflow_id, run_id): (&str, Option<&str>),
        signal_name: Text,
        input: Option<Text>,
    ) -> Result<(), ApiError> {
        let domain = self.domain_mut(domain)?;
        let id = domain.open_run(workflow_id, run_id)?;
        domain.signal(cx, id, (signal_name, input), None);
        Ok(())
    }

    /// RequestCancelWorkflowExecution. Errors: `UnknownResourceFault` unless the run is open.
    pub fn request_cancel_workflow_execution(
        &mut self,
        cx: &mut Cx<'_>,
        domain: &str,
        (workflow_id, run_id): (&str, Option<&str>),
    ) -> Result<(), ApiError> {
        let domain = self.domain_mut(domain)?;
        let id = domain.open_run(workflow_id, run_id)?;
        domain.request_cancel(cx, id, None, 0, None);
        Ok(())
    }

    /// TerminateWorkflowExecution. Errors: `UnknownResourceFault` unless the run is open.
    pub fn terminate_workflow_execution(
        &mut self,
        cx: &mut Cx<'_>,
        domain: &str,
        (workflow_id, run_id): (&str, Option<&str>),
        policy: Option<ChildPolicy>,
        why: (Option<Text>, Option<Text>),
    ) -> Result<(), ApiError> {
        let domain = self.domain_mut(domain)?;
        let id = domain.open_run(workflow_id, run_id)?;
        domain.terminate(cx, id, Some(Cause::OperatorInitiated), policy, why);
        Ok(())
    }
}

impl Domain {
    fn signal(
        &mut self,
        cx: &mut Cx<'_>,
        id: ExecutionId,
        (signal_name, input): (Text, Option<Text>),
        by: Option<(ExecutionRef, EventId)>,
    ) {
        let (external_workflow_execution, external_initiated_event_id) =
            by.map_or((None, 0), |(execution, initiated)| (Some(execution), initiated));
        let event = EventKind::WorkflowExecutionSignaled {
            signal_name,
            input,
            external_workflow_execution,
            external_initiated_event_id,
        };
        self.report(cx, id, event);
    }

    pub(super) fn request_cancel(
        &mut self,
        cx: &mut Cx<'_>,
        id: ExecutionId,
        by: Option<ExecutionRef>,
        initiated: EventId,
        cause: Option<Cause>,
    ) {
        if let Some(execution) = self.executions.get_mut(&id) {
            execution.cancel_requested = true;
        }
        let event = EventKind::WorkflowExecutionCancelRequested {
            external_workflow_execution: by,
            external_initiated_event_id: initiated,
            cause,
        };
        self.report(cx, id, event);
    }

    pub(super) fn initiate_child(
        &mut self,
        cx: &mut Cx<'_>,
        rates: &mut Rates,
        id: ExecutionId,
        completed: EventId,
        asked: StartChild,
    ) -> Then {
        let open = self.execution(id).map_or(0, |execution| execution.children.len());
        let config = match self.types.workflow(&asked.workflow_type) {
            None => Err(Cause::WorkflowTypeDoesNotExist),
            Some(of) if of.status() == RegistrationStatus::Deprecated => Err(Cause::WorkflowTypeDeprecated),
            Some(_) if open >= OPEN_MAX => Err(Cause::OpenChildrenLimitExceeded),
            Some(_) if self.open_count() >= OPEN_EXECUTIONS_MAX => Err(Cause::OpenWorkflowsLimitExceeded),
            Some(of) => config_of(&asked.options, &of.defaults).map_err(Undefined::cause),
        };
        let config = config.and_then(|config| {
            let is_admitted = rates.admit_decision(cx, DecisionRate::StartChildWorkflowExecution);
            is_admitted.then_some(config).ok_or(Cause::ChildCreationRateExceeded)
        });
        match (config, self.executions.get_mut(&id)) {
            (Ok(config), Some(execution)) => {
                let event = EventKind::StartChildWorkflowExecutionInitiated(Box::new(ChildInitiated {
                    workflow_id: asked.workflow_id.clone(),
                    workflow_type: asked.workflow_type.clone(),
                    control: asked.control.clone(),
                    input: asked.options.input.clone(),
                    execution_start_to_close_timeout: config.execution_timeout,
                    task_list: TaskList::from(&config.task_list),
                    task_priority: config.task_priority,
                    decision_task_completed_event_id: completed,
                    child_policy: config.child_policy,
                    task_start_to_close_timeout: config.task_timeout,
                    tag_list: shown_tags(asked.options.tag_list.as_deref().unwrap_or_default()),
                    lambda_role: config.lambda_role.clone(),
                }));
                let initiated = execution.append(cx.now, event);
                execution.children.insert(initiated, Child { id: ExecutionId(0), started: 0 });
                Then::Reach(Outbound::Child { initiated, asked: Box::new(asked), config })
            }
            (Err(cause), _) => self.write(cx, id, child_failed(&asked, cause, 0, completed), Then::Decide),
            (Ok(_), None) => Then::Nothing,
        }
    }

    pub(super) fn initiate_message(
        &mut self,
        cx: &mut Cx<'_>,
        rates: &mut Rates,
        id: ExecutionId,
        completed: EventId,
        (to, message): (Target, Message),
    ) -> Then {
        let (workflow_id, run_id, control) = (to.workflow_id.clone(), to.run_id.clone(), to.control.clone());
        let decision_task_completed_event_id = completed;
        let (event, rate, cause) = match &message {
            Message::Signal { signal_name, input } => (
                EventKind::SignalExternalWorkflowExecutionInitiated {
                    workflow_id,
                    run_id,
                    signal_name: signal_name.clone(),
                    input: input.clone(),
                    decision_task_completed_event_id,
                    control,
                },
                DecisionRate::SignalExternalWorkflowExecution,
                Cause::SignalExternalWorkflowExecutionRateExceeded,
            ),
            Message::Cancel => (
                EventKind::RequestCancelExternalWorkflowExecutionInitiated {
                    workflow_id,
                    run_id,
                    decision_task_completed_event_id,
                    control,
                },
                DecisionRate::RequestCancelExternalWorkflowExecution,
                Cause::RequestCancelExternalWorkflowExecutionRateExceeded,
            ),
        };
        let Some(execution) = self.executions.get_mut(&id) else { return Then::Nothing };
        let initiated = execution.append(cx.now, event);
        if rates.admit_decision(cx, rate) {
            return Then::Reach(Outbound::Message { initiated, to, message });
        }
        self.write(cx, id, message_failed(to, &message, cause, initiated, completed), Then::Decide)
    }

    /// Carries one thing to its execution and tells the sender, if it is still open, how that went.
    pub(super) fn reach(&mut self, cx: &mut Cx<'_>, from: ExecutionId, completed: EventId, what: Outbound) {
        let Some(sender) = self.execution(from).map(Execution::reference) else { return };
        match what {
            Outbound::Child { initiated, asked, config } => {
                self.start_child(cx, (from, sender), completed, initiated, *asked, config);
            }
            Outbound::Message { initiated, to, message } => {
                let answer = match self.open_run(&to.workflow_id, to.run_id.as_deref()) {
                    Ok(target) => self.deliver(cx, target, (sender, initiated), message),
                    Err(_) => {
                        let cause = Cause::UnknownExternalWorkflowExecution;
                        message_failed(to, &message, cause, initiated, completed)
                    }
                };
                self.report(cx, from, answer);
            }
        }
    }

    fn deliver(
        &mut self,
        cx: &mut Cx<'_>,
        target: ExecutionId,
        (sender, initiated_event_id): (ExecutionRef, EventId),
        message: Message,
    ) -> EventKind {
        let workflow_execution = self.execution(target).map_or_else(|| sender.clone(), Execution::reference);
        match message {
            Message::Signal { signal_name, input } => {
                self.signal(cx, target, (signal_name, input), Some((sender, initiated_event_id)));
                EventKind::ExternalWorkflowExecutionSignaled { workflow_execution, initiated_event_id }
            }
            Message::Cancel => {
                self.request_cancel(cx, target, Some(sender), initiated_event_id, None);
                EventKind::ExternalWorkflowExecutionCancelRequested { workflow_execution, initiated_event_id }
            }
        }
    }

    fn start_child(
        &mut self,
        cx: &mut Cx<'_>,
        (parent_id, parent): (ExecutionId, ExecutionRef),
        completed: EventId,
        initiated: EventId,
        asked: StartChild,
        config: Config,
    ) {
        if self.open.contains_key(&asked.workflow_id) {
            if let Some(parent) = self.executions.get_mut(&parent_id) {
                parent.children.remove(&initiated);
            }
            let event = child_failed(&asked, Cause::WorkflowAlreadyRunning, initiated, completed);
            self.report(cx, parent_id, event);
            return;
        }
        let new = NewRun {
            workflow_id: asked.workflow_id,
            run_id: new_run_id(cx),
            of: asked.workflow_type.clone(),
            config,
            input: asked.options.input,
            tags: asked.options.tag_list.unwrap_or_default(),
            parent: Some(Parent { id: parent_id, execution: parent, initiated }),
            continues: None,
        };
        let workflow_execution = ExecutionRef { workflow_id: new.workflow_id.clone(), run_id: new.run_id.clone() };
        let child = self.begin(cx, new);
        let event = EventKind::ChildWorkflowExecutionStarted {
            workflow_execution,
            workflow_type: asked.workflow_type,
            initiated_event_id: initiated,
        };
        let Some(parent) = self.executions.get_mut(&parent_id).filter(|parent| parent.is_open()) else { return };
        let started = parent.append(cx.now, event);
        parent.children.insert(initiated, Child { id: child, started });
        self.schedule_decision(cx, parent_id);
    }
}

/// `initiated` is 0 unless the workflow was already running (StartChildWorkflowExecutionFailedEventAttributes).
fn child_failed(asked: &StartChild, cause: Cause, initiated: EventId, completed: EventId) -> EventKind {
    EventKind::StartChildWorkflowExecutionFailed {
        workflow_type: asked.workflow_type.clone(),
        cause,
        workflow_id: asked.workflow_id.clone(),
        initiated_event_id: initiated,
        decision_task_completed_event_id: completed,
        control: asked.control.clone(),
    }
}

fn message_failed(to: Target, message: &Message, cause: Cause, initiated: EventId, completed: EventId) -> EventKind {
    let Target { workflow_id, run_id, control } = to;
    let (initiated_event_id, decision_task_completed_event_id) = (initiated, completed);
    match message {
        Message::Signal { .. } => EventKind::SignalExternalWorkflowExecutionFailed {
            workflow_id,
            run_id,
            cause,
            initiated_event_id,
            decision_task_completed_event_id,
            control,
        },
        Message::Cancel => EventKind::RequestCancelExternalWorkflowExecutionFailed {
            workflow_id,
            run_id,
            cause,
            initiated_event_id,
            decision_task_completed_event_id,
            control,
        },
    }
}
