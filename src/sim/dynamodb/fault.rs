//! The service's refusals, in AWS's words.

use crate::sim::error::ApiError;
use serde_json::json;

pub fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message)
}

/// Some of the checks that come before the table is looked at count what they find.
pub fn detected(message: impl AsRef<str>) -> ApiError {
    validation(format!("1 validation error detected: {}", message.as_ref()))
}

/// How refusals of values begin that a key may not have.
pub const NOT_VALID: &str = "One or more parameter values are not valid.";

/// A value that no one of the rules about items admits.
pub fn invalid(message: impl AsRef<str>) -> ApiError {
    validation(format!("One or more parameter values were invalid: {}", message.as_ref()))
}

/// A table that is not there, to a request about its items.
pub fn not_found() -> ApiError {
    ApiError::client("ResourceNotFoundException", "Requested resource not found")
}

/// A table that is not there, to a request about the table.
pub fn table_not_found(table: &str) -> ApiError {
    ApiError::client("ResourceNotFoundException", format!("Requested resource not found: Table: {table} not found"))
}

pub fn tagged_not_found(arn: &str) -> ApiError {
    // The spelling is AWS's.
    ApiError::client("ResourceNotFoundException", format!("Requested resource not found: ResourcArn: {arn} not found"))
}

pub fn in_use(message: impl Into<String>) -> ApiError {
    ApiError::client("ResourceInUseException", message)
}

pub fn condition_failed() -> ApiError {
    ApiError::client("ConditionalCheckFailedException", "The conditional request failed")
}

pub fn key_mismatch() -> ApiError {
    validation("The provided key element does not match the schema")
}

/// There was not enough capacity.
pub fn is_throttling(error: &ApiError) -> bool {
    matches!(error.code, "ProvisionedThroughputExceededException" | "ThrottlingException")
}

/// What has run out of capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    Table,
    Index,
}

/// `reason` is AWS's word for it, `resource` the ARN of the table or index.
pub fn throughput_exceeded(of: Exhausted, reason: &str, resource: &str) -> ApiError {
    let message = match of {
        Exhausted::Table => {
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your \
             provisioning level with the UpdateTable API."
        }
        Exhausted::Index => {
            "The level of configured provisioned throughput for one or more global secondary indexes of the table was \
             exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes \
             with the UpdateTable API"
        }
    };
    ApiError::client("ProvisionedThroughputExceededException", message)
        .with_member("ThrottlingReasons", json!([{ "reason": reason, "resource": resource }]))
}

/// An on-demand table that cannot grow so fast.
pub fn on_demand_exceeded(reason: &str, resource: &str) -> ApiError {
    let message = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling \
                   your table or index so please try again shortly. If exceptions persist, check if you have a hot \
                   key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html";
    ApiError::client("ThrottlingException", message)
        .with_member("throttlingReasons", json!([{ "reason": reason, "resource": resource }]))
}
