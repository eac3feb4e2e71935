//! The errors of SQS: each with its JSON code, its legacy query code and AWS's own words.
//! Codes: the SQS service model (`Errors` of each operation); the legacy codes are what the AWS SDKs match on.

use crate::sim::error::ApiError;
use std::fmt::Display;

/// The queue's name, URL or ARN names no queue of this account and region.
pub fn queue_does_not_exist() -> ApiError {
    ApiError::client("QueueDoesNotExist", "The specified queue does not exist.")
        .with_query_code("AWS.SimpleQueueService.NonExistentQueue")
}

/// GetQueueUrl about another account's queue, which may be there.
pub fn no_such_queue_or_no_access() -> ApiError {
    ApiError::client("QueueDoesNotExist", "The specified queue does not exist or you do not have access to it.")
        .with_query_code("AWS.SimpleQueueService.NonExistentQueue")
}

/// A caller of another account whom the queue's policy does not let in.
pub fn access_denied(message: String) -> ApiError {
    ApiError::client("AccessDeniedException", message).with_status(403).with_query_code("AccessDenied")
}

pub fn queue_deleted_recently() -> ApiError {
    ApiError::client(
        "QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    )
    .with_query_code("AWS.SimpleQueueService.QueueDeletedRecently")
}

/// A queue of the name exists and has another value for `attribute`.
pub fn queue_name_exists(attribute: &str) -> ApiError {
    let message = format!("A queue already exists with the same name and a different value for attribute {attribute}");
    ApiError::client("QueueNameExists", message).with_query_code("QueueAlreadyExists")
}

pub fn purge_in_progress(queue: &str) -> ApiError {
    let message = format!("Only one PurgeQueue operation on {queue} is allowed every 60 seconds.");
    ApiError::client("PurgeQueueInProgress", message)
        .with_status(403)
        .with_query_code("AWS.SimpleQueueService.PurgeQueueInProgress")
}

/// More of something than the queue may have.
pub fn over_limit_because(message: impl Into<String>) -> ApiError {
    ApiError::client("OverLimit", message).with_status(403)
}

/// A FIFO queue's action above its rate.
pub fn request_throttled() -> ApiError {
    ApiError::client("RequestThrottled", "Request is throttled.").with_status(403)
}

/// A short poll found the queue's in-flight messages at their limit.
pub fn over_limit() -> ApiError {
    over_limit_because("Too many messages in flight.")
}

pub fn receipt_handle_is_invalid(handle: &str) -> ApiError {
    ApiError::client(
        "ReceiptHandleIsInvalid",
        format!("The input receipt handle \"{handle}\" is not a valid receipt handle."),
    )
    .with_status(404)
}

/// The receipt is well formed and its message is gone, or was received again since.
pub fn message_gone(handle: &str) -> ApiError {
    let reason = "Message does not exist or is not available for visibility timeout change.";
    invalid_value(handle, "ReceiptHandle", reason)
}

/// A FIFO queue's message whose visibility timeout has ended.
pub fn receipt_has_expired(handle: &str) -> ApiError {
    invalid_value(handle, "ReceiptHandle", "The receipt handle has expired.")
}

/// ChangeMessageVisibility.
pub fn visibility_out_of_range(visibility_s: i64) -> ApiError {
    let reason = "VisibilityTimeout must be an integer between 0 and 43200";
    invalid_value(visibility_s, "VisibilityTimeout", reason)
}

/// ReceiveMessage.
pub fn receive_visibility_out_of_range(visibility_s: i64) -> ApiError {
    invalid_value(visibility_s, "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided.")
}

pub fn invalid_message_contents() -> ApiError {
    ApiError::client(
        "InvalidMessageContents",
        "Invalid binary character was found in the message body, the set of allowed characters is #x9 | #xA | #xD | \
         #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
    )
}

/// The same of a message attribute's text, which has another code.
pub fn invalid_attribute_contents(name: &str) -> ApiError {
    invalid_parameter(format!(
        "Invalid binary character was found in the message attribute '{name}' value, the set of allowed characters is \
         #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
    ))
}

pub fn invalid_attribute_name(name: &str) -> ApiError {
    ApiError::client("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

/// Of a standard queue.
pub fn only_for_fifo(name: &str) -> ApiError {
    let message = format!("You can specify the {name} only when FifoQueue is set to true.");
    ApiError::client("InvalidAttributeName", message)
}

pub fn invalid_attribute_value(name: &str) -> ApiError {
    ApiError::client("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

/// The same code with AWS's further reason.
pub fn invalid_attribute_value_because(name: &str, reason: impl Display) -> ApiError {
    ApiError::client("InvalidAttributeValue", format!("Invalid value for the parameter {name}. Reason: {reason}"))
}

/// A parameter of the request is wrong in itself.
pub fn invalid_parameter(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterValueException", message).with_query_code("InvalidParameterValue")
}

/// `Value V for parameter P is invalid. Reason: R`
pub fn invalid_value(value: impl Display, parameter: &str, reason: impl Display) -> ApiError {
    invalid_parameter(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
}

pub fn missing_parameter(name: &str) -> ApiError {
    ApiError::client("MissingRequiredParameterException", format!("The request must contain the parameter {name}."))
        .with_query_code("MissingParameter")
}

/// A FIFO queue cannot tell whether a message repeats another.
pub fn deduplication_id_missing() -> ApiError {
    invalid_parameter(
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    )
}

/// `maximum` counts bytes of body and attributes.
pub fn message_too_long(maximum: u32) -> ApiError {
    invalid_parameter(format!(
        "One or more parameters are invalid. Reason: Message must be shorter than {maximum} bytes."
    ))
}

/// The same of an entry of a batch, in other words.
pub fn entry_too_long(maximum: u32) -> ApiError {
    invalid_parameter(format!(
        "One or more parameters cannot be validated. Reason: Message must be shorter than {maximum} bytes."
    ))
}

pub fn unsupported_operation(message: impl Into<String>) -> ApiError {
    ApiError::client("UnsupportedOperation", message).with_query_code("AWS.SimpleQueueService.UnsupportedOperation")
}

/// The queue that the move task's member names is not there.
pub fn move_resource_not_found(member: &str) -> ApiError {
    resource_not_found(format!("The resource that you specified for the {member} parameter doesn't exist."))
}

pub fn task_does_not_exist() -> ApiError {
    resource_not_found("Task does not exist.")
}

fn resource_not_found(message: impl Into<String>) -> ApiError {
    ApiError::client("ResourceNotFoundException", message).with_status(404)
}

pub fn task_handle_is_invalid() -> ApiError {
    invalid_parameter("Value for parameter TaskHandle is invalid.")
}

pub fn move_rate_out_of_range() -> ApiError {
    invalid_parameter(
        "Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a number that's between \
         1 and 500.",
    )
}

/// A member that must not be an empty text.
pub fn queue_name_missing() -> ApiError {
    invalid_parameter("Value for parameter QueueName is invalid. Reason: Must specify a queue name.")
}

/// KMS and SQS encryption exclude each other.
pub fn two_encryptions() -> ApiError {
    ApiError::client(
        "InvalidAttributeName",
        "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
    )
}

/// TagQueue, UntagQueue, CreateQueue.
pub fn tag_key_length() -> ApiError {
    invalid_parameter("Tag keys must be between 1 and 128 characters in length.")
}

/// `shape` is the entry's shape, such as `SendMessageBatchRequestEntry`.
pub fn empty_batch(shape: &str) -> ApiError {
    ApiError::client("EmptyBatchRequest", format!("There should be at least one {shape} in the request."))
        .with_query_code("AWS.SimpleQueueService.EmptyBatchRequest")
}

pub fn too_many_entries(sent: usize) -> ApiError {
    let message = format!("Maximum number of entries per request are 10. You have sent {sent}.");
    ApiError::client("TooManyEntriesInBatchRequest", message)
        .with_query_code("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
}

pub fn batch_entry_ids_not_distinct(id: &str) -> ApiError {
    ApiError::client("BatchEntryIdsNotDistinct", format!("Id {id} repeated."))
        .with_query_code("AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
}

pub fn invalid_batch_entry_id() -> ApiError {
    ApiError::client(
        "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 \
         letters long.",
    )
    .with_query_code("AWS.SimpleQueueService.InvalidBatchEntryId")
}

/// `sent` bytes were sent in one batch.
pub fn batch_request_too_long(sent: usize) -> ApiError {
    let message = format!("Batch requests cannot be longer than 1048576 bytes. You have sent {sent} bytes.");
    ApiError::client("BatchRequestTooLong", message).with_query_code("AWS.SimpleQueueService.BatchRequestTooLong")
}
