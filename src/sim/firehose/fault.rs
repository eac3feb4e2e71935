//! The service's refusals, in AWS's words.

use crate::sim::cx::Place;
use crate::sim::error::ApiError;

pub fn not_found(place: &Place, stream: &str) -> ApiError {
    let message = format!("Firehose {stream} under account {} not found.", place.account);
    ApiError::client("ResourceNotFoundException", message)
}

pub fn exists(place: &Place, stream: &str) -> ApiError {
    let message = format!("Firehose {stream} under accountId {} already exists", place.account);
    ApiError::client("ResourceInUseException", message)
}

pub fn in_use(place: &Place, stream: &str, status: &str) -> ApiError {
    let message = format!("Firehose {stream} under accountId {} is not in ACTIVE state: {status}", place.account);
    ApiError::client("ResourceInUseException", message)
}

pub fn invalid_argument(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidArgumentException", message)
}

pub const SLOW_DOWN: &str = "Slow down.";

/// The throughput limit of the stream is exceeded.
pub fn slow_down() -> ApiError {
    ApiError::client("ServiceUnavailableException", SLOW_DOWN).with_status(500)
}
