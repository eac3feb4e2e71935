//! SNS's errors: codes without `Exception`, and AWS's texts. Statuses are those of the API model.

use crate::sim::error::ApiError;

/// `Invalid parameter: ` and what is wrong with it.
pub fn invalid_parameter(detail: impl AsRef<str>) -> ApiError {
    plain_invalid_parameter(format!("Invalid parameter: {}", detail.as_ref()))
}

/// The few texts that come without that beginning.
pub fn plain_invalid_parameter(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameter", message)
}

/// A message attribute that is not as it must be.
pub fn parameter_value_invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("ParameterValueInvalid", message)
}

/// What the framework says to a request that lacks a member or has one that does not fit its constraint.
pub fn validation_error(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationError", message)
}

pub fn topic_does_not_exist() -> ApiError {
    ApiError::client("NotFound", "Topic does not exist").with_status(404)
}

pub fn topic_has_an_archive() -> ApiError {
    ApiError::client("InvalidState", "Invalid state: Cannot delete a topic with an ArchivePolicy")
}

pub fn subscription_does_not_exist() -> ApiError {
    ApiError::client("NotFound", "Subscription does not exist").with_status(404)
}

pub fn resource_does_not_exist() -> ApiError {
    ApiError::client("ResourceNotFound", "Resource does not exist").with_status(404)
}

pub fn throttled() -> ApiError {
    ApiError::client("Throttled", "Rate exceeded").with_status(429)
}

/// 200 filter policies a topic, 10,000 an account ("Filter policy constraints").
pub fn filter_policy_limit_exceeded() -> ApiError {
    let message = "Filter policy limit exceeded. Contact AWS support to request a limit increase";
    ApiError::client("FilterPolicyLimitExceeded", message).with_status(403)
}

pub fn subscription_limit_exceeded() -> ApiError {
    ApiError::client("SubscriptionLimitExceeded", "The maximum number of subscriptions has been reached.")
        .with_status(403)
}

pub fn topic_limit_exceeded() -> ApiError {
    ApiError::client("TopicLimitExceeded", "The maximum number of topics has been reached.").with_status(403)
}

pub fn tag_limit_exceeded() -> ApiError {
    ApiError::client("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
}
