//! CloudWatch Logs' operations: each operation's JSON members in, typed calls, AWS's members out.

mod events;
mod filters;
mod groups;
mod input;
mod queries;
mod streams;

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::logs::not_found;
use crate::sim::rate::TokenBucket;
use crate::sim::wire::{Answer, Call, Reply, unknown_operation};
use crate::sim::world::World;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use input::{GROUP_PATTERN, Input, invalid};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What carries out an operation.
type Perform = fn(&mut World, Input<'_>) -> Result<Value, ApiError>;

/// Answers one operation; UnknownOperationException for those that are not served.
pub fn answer(world: &mut World, _call: &mut Call, operation: &str, input: &Value) -> Answer {
    let (per_second, perform): (f64, Perform) = match operation {
        "CreateLogGroup" => (10.0, groups::create),
        "DeleteLogGroup" => (10.0, groups::delete),
        "DescribeLogGroups" => (10.0, groups::describe),
        "ListLogGroups" => (10.0, groups::list),
        "PutRetentionPolicy" => (5.0, groups::put_retention),
        "DeleteRetentionPolicy" => (5.0, groups::delete_retention),
        "PutLogGroupDeletionProtection" => (5.0, groups::put_protection),
        "AssociateKmsKey" => (5.0, groups::associate_key),
        "DisassociateKmsKey" => (5.0, groups::disassociate_key),
        "TagLogGroup" => (5.0, groups::tag_group),
        "UntagLogGroup" => (5.0, groups::untag_group),
        "ListTagsLogGroup" => (5.0, groups::list_group_tags),
        "TagResource" => (5.0, groups::tag_resource),
        "UntagResource" => (5.0, groups::untag_resource),
        "ListTagsForResource" => (5.0, groups::list_resource_tags),
        "CreateLogStream" => (50.0, streams::create),
        "DeleteLogStream" => (15.0, streams::delete),
        "DescribeLogStreams" => (25.0, streams::describe),
        "PutLogEvents" => (5_000.0, events::put),
        "GetLogEvents" => (25.0, events::get),
        "FilterLogEvents" => (10.0, events::filter),
        "TestMetricFilter" => (5.0, events::test_filter),
        "PutMetricFilter" => (5.0, filters::put_metric_filter),
        "DescribeMetricFilters" => (5.0, filters::describe_metric_filters),
        "DeleteMetricFilter" => (5.0, filters::delete_metric_filter),
        "PutSubscriptionFilter" => (5.0, filters::put_subscription_filter),
        "DescribeSubscriptionFilters" => (5.0, filters::describe_subscription_filters),
        "DeleteSubscriptionFilter" => (5.0, filters::delete_subscription_filter),
        "StartQuery" => (10.0, queries::start),
        "GetQueryResults" => (10.0, queries::results),
        "StopQuery" => (10.0, queries::stop),
        "DescribeQueries" => (10.0, queries::describe),
        "GetLogRecord" => (10.0, queries::record),
        _ => return Err(unknown_operation()),
    };
    let (now, limits) = (world.now, world.place.limits);
    world.logs.rates.admit(operation, per_second, (now, limits))?;
    perform(world, Input::of(input)?).map(Reply::Done)
}

/// The published rates of each operation (CloudWatch Logs "quotas").
#[derive(Default)]
pub struct Rates {
    buckets: BTreeMap<String, TokenBucket>,
}

impl Rates {
    fn admit(&mut self, operation: &str, per_second: f64, (now, limits): (Timestamp, bool)) -> Result<(), ApiError> {
        if !limits {
            return Ok(());
        }
        let fresh = || TokenBucket::new(per_second, per_second, now);
        let bucket = self.buckets.entry(operation.to_owned()).or_insert_with(fresh);
        if bucket.take(1.0, now) { Ok(()) } else { Err(ApiError::client("ThrottlingException", "Rate exceeded")) }
    }
}

/// The name of the group that `logGroupName` or `logGroupIdentifier` (a name or an ARN) names.
fn group_name<'a>(world: &World, input: Input<'a>) -> Result<&'a str, ApiError> {
    let identifier = input.text("logGroupIdentifier")?;
    match (input.name("logGroupName", GROUP_PATTERN)?, identifier) {
        (Some(_), Some(_)) => {
            let message = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
            Err(ApiError::client("ValidationException", message))
        }
        (Some(name), None) => Ok(name),
        (None, Some(identifier)) => of_identifier(world, identifier),
        (None, None) => Err(ApiError::client(
            "ValidationException",
            "At least one of LogGroup name or LogGroup ARN must be specified.",
        )),
    }
}

/// The pattern of `logGroupIdentifier`: a group's ARN stands there without the `:*` at its end.
const IDENTIFIER_PATTERN: &str = "[\\w#+=/:,.@-]*";

/// The group's name in a name or an ARN.
fn of_identifier<'a>(world: &World, identifier: &'a str) -> Result<&'a str, ApiError> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "_#+=/:,.@-".contains(c);
    if !identifier.chars().all(is_legal) {
        let words = format!("Member must satisfy regular expression pattern: {IDENTIFIER_PATTERN}");
        return Err(invalid(format!(
            "1 validation error detected: Value at 'logGroupIdentifier' failed to satisfy constraint: {words}"
        )));
    }
    of_arn(world, identifier)
}

/// The group's name in a name or an ARN, with or without `:*` at its end.
fn of_arn<'a>(world: &World, identifier: &'a str) -> Result<&'a str, ApiError> {
    if !identifier.starts_with("arn:") {
        input::check_name(identifier, "logGroupIdentifier", GROUP_PATTERN)?;
        return Ok(identifier);
    }
    let ours = world.place.arn("logs", "log-group:");
    let name = identifier.strip_prefix(&ours).ok_or_else(|| not_found("group"))?;
    Ok(name.strip_suffix(":*").unwrap_or(name))
}

/// A token for what follows a text in some order.
fn write_token(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

fn read_token(token: &str) -> Result<String, ApiError> {
    let bytes = BASE64_STANDARD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid_token)
}

fn invalid_token() -> ApiError {
    invalid("The specified nextToken is invalid.")
}

/// The answer of operations that have no members.
fn nothing() -> Value {
    json!({})
}
