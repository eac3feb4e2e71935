//! Settings of asynchronous invocation: retries, age limit, destinations (`FunctionEventInvokeConfig`).

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use std::time::Duration;

/// An event is given up after six hours [How Lambda handles errors with asynchronous invocation].
const MAXIMUM_EVENT_AGE_S: u32 = 21_600;
/// Tries after the first [same page].
const MAXIMUM_RETRY_ATTEMPTS: u32 = 2;

/// What PutFunctionEventInvokeConfig sets on a version or an alias.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventConfig {
    pub last_modified: Timestamp,
    /// 0 to 2.
    pub maximum_retry_attempts: Option<u32>,
    /// 60 to 21,600 s.
    pub maximum_event_age_s: Option<u32>,
    /// ARNs of a queue, a topic, a function, an event bus or (on failure) a bucket.
    pub on_success: Option<String>,
    pub on_failure: Option<String>,
}

impl EventConfig {
    /// Tries after the first one.
    pub fn retries(&self) -> u32 {
        self.maximum_retry_attempts.unwrap_or(MAXIMUM_RETRY_ATTEMPTS)
    }

    /// How old an event may become.
    pub fn maximum_age(&self) -> Duration {
        Duration::from_secs(self.maximum_event_age_s.unwrap_or(MAXIMUM_EVENT_AGE_S).into())
    }
}

/// ResourceNotFoundException for a version or an alias that has no settings of its own.
pub fn no_event_config(arn: &str) -> ApiError {
    let message = format!("The function {arn} doesn't have an EventInvokeConfig");
    ApiError::client("ResourceNotFoundException", message).with_status(404)
}
