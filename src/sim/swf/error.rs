//! The faults of SWF in AWS's words. Codes: the service model; the words of the messages: recorded answers of AWS.

use crate::sim::error::ApiError;
use crate::sim::swf::event::EventId;
use crate::sim::swf::value::TypeRef;
use std::fmt::Display;

/// The two families of types; a fault names the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Workflow,
    Activity,
}

fn type_text(family: Family, of: &TypeRef) -> String {
    let family = match family {
        Family::Workflow => "WorkflowType",
        Family::Activity => "ActivityType",
    };
    format!("{family}=[name={}, version={}]", of.name, of.version)
}

fn unknown(what: impl Display) -> ApiError {
    ApiError::client("UnknownResourceFault", format!("Unknown {what}"))
}

pub fn unknown_domain(name: &str) -> ApiError {
    unknown(format_args!("domain: {name}"))
}

pub fn unknown_type(family: Family, of: &TypeRef) -> ApiError {
    unknown(format_args!("type: {}", type_text(family, of)))
}

/// A run that is not there, or is closed where an open one is wanted.
pub fn unknown_run(workflow_id: &str, run_id: &str) -> ApiError {
    unknown(format_args!("execution: WorkflowExecution=[workflowId={workflow_id}, runId={run_id}]"))
}

/// No run of this workflow id is open.
pub fn unknown_workflow(workflow_id: &str) -> ApiError {
    unknown(format_args!("execution, workflowId = {workflow_id}"))
}

/// The task's token is good, and the task has been closed.
pub fn unknown_decision_task(scheduled: EventId) -> ApiError {
    unknown(format_args!("decision task, scheduledEventId = {scheduled}"))
}

pub fn unknown_activity_task(scheduled: EventId) -> ApiError {
    unknown(format_args!("activity, scheduledEventId = {scheduled}"))
}

pub fn unknown_resource(arn: &str) -> ApiError {
    unknown(format_args!("resource: {arn}"))
}

pub fn domain_already_exists(name: &str) -> ApiError {
    ApiError::client("DomainAlreadyExistsFault", name)
}

pub fn domain_deprecated(name: &str) -> ApiError {
    ApiError::client("DomainDeprecatedFault", name)
}

pub fn type_already_exists(family: Family, of: &TypeRef) -> ApiError {
    ApiError::client("TypeAlreadyExistsFault", type_text(family, of))
}

pub fn type_deprecated(family: Family, of: &TypeRef) -> ApiError {
    ApiError::client("TypeDeprecatedFault", type_text(family, of))
}

pub fn type_not_deprecated() -> ApiError {
    let message = "The type is currently registered and cannot be deleted in its current state";
    ApiError::client("TypeNotDeprecatedFault", message)
}

pub fn already_started() -> ApiError {
    ApiError::client("WorkflowExecutionAlreadyStartedFault", "Already Started")
}

/// Neither the request nor the type says it.
pub fn default_undefined(member: &str) -> ApiError {
    ApiError::client("DefaultUndefinedFault", member)
}

pub fn limit_exceeded(message: impl Into<String>) -> ApiError {
    ApiError::client("LimitExceededFault", message)
}

pub fn too_many_tags() -> ApiError {
    ApiError::client("TooManyTagsFault", "Tag limit exceeded: a resource can have at most 50 tags")
}

/// The framework's fault, not the service's own.
pub fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message)
}

/// A task token or page token that the service did not give out.
pub fn invalid_token() -> ApiError {
    validation("Invalid token")
}

pub fn token_expired() -> ApiError {
    validation("Specified token has exceeded its maximum lifetime")
}

pub fn close_must_be_last() -> ApiError {
    validation("Close must be last decision in list")
}

pub fn throttled() -> ApiError {
    ApiError::client("ThrottlingException", "Rate exceeded")
}
