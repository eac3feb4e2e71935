//! The service's error answers in AWS's wording, each made in one place.

use super::consumer::{Consumer, ConsumerId};
use super::sequence::ShardId;
use super::shard::Shard;
use super::stream::Stream;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;

pub fn invalid_argument(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidArgumentException", message)
}

pub fn limit_exceeded(message: impl Into<String>) -> ApiError {
    ApiError::client("LimitExceededException", message)
}

pub fn stream_not_found(place: &Place, stream: &str) -> ApiError {
    let message = format!("Stream {stream} under account {} not found.", place.account);
    ApiError::client("ResourceNotFoundException", message)
}

/// GetShardIterator's and GetRecords' words for a shard that is not there, or whose stream is not.
pub fn shard_does_not_exist(place: &Place, stream: &str, shard: ShardId) -> ApiError {
    let message = format!("Shard {shard} in stream {stream} under account {} does not exist", place.account);
    ApiError::client("ResourceNotFoundException", message)
}

/// SplitShard's and MergeShards' words, and everybody's for an id that cannot be one.
pub fn could_not_find_shard(place: &Place, stream: &str, shard: &str) -> ApiError {
    let message = format!("Could not find shard {shard} in stream {stream} under account {}.", place.account);
    ApiError::client("ResourceNotFoundException", message)
}

pub fn stream_exists(place: &Place, stream: &str) -> ApiError {
    let message = format!("Stream {stream} under account {} already exists.", place.account);
    ApiError::client("ResourceInUseException", message)
}

pub fn not_active(place: &Place, stream: &Stream) -> ApiError {
    let message = format!(
        "Stream {} under account {} not ACTIVE, instead in state {}",
        stream.name,
        place.account,
        stream.status.name()
    );
    ApiError::client("ResourceInUseException", message)
}

pub fn consumer_not_found(place: &Place, id: &ConsumerId) -> ApiError {
    let message = format!("Consumer {}, account {} not found.", id.consumer, place.account);
    ApiError::client("ResourceNotFoundException", message)
}

pub fn consumer_exists(place: &Place, stream: &str, consumer: &str) -> ApiError {
    let stream = place.arn("kinesis", &format!("stream/{stream}"));
    ApiError::client("ResourceInUseException", format!("Consumer {consumer} under stream {stream} already exists."))
}

pub fn consumer_not_active(place: &Place, stream: &str, consumer: &Consumer) -> ApiError {
    let message = format!(
        "Consumer {} with creation timestamp {} under stream {stream} and account {} is not in ACTIVE status.",
        consumer.name,
        consumer.created.secs(),
        place.account
    );
    ApiError::client("ResourceInUseException", message)
}

/// DeleteStream's words without EnforceConsumerDeletion.
pub fn has_consumers(place: &Place, stream: &Stream) -> ApiError {
    let message = format!("Stream {} under account {} has registered consumers.", stream.name, place.account);
    ApiError::client("ResourceInUseException", message)
}

/// A second SubscribeToShard within five seconds.
pub fn subscription_exists(place: &Place, id: &ConsumerId, shard: ShardId) -> ApiError {
    let message = format!(
        "Another active subscription exists for this consumer: {}:{}:{}:{shard}",
        place.account, id.stream, id.consumer
    );
    ApiError::client("ResourceInUseException", message)
}

/// What a subscription is told as a later one takes over.
pub fn subscription_taken_over() -> ApiError {
    ApiError::client("ResourceInUseException", "Another active subscription exists for this consumer.")
}

pub fn policy_not_found(arn: &str) -> ApiError {
    let message = format!("No resource policy found for resource ARN {arn}.");
    ApiError::client("ResourceNotFoundException", message)
}

/// The message of a throttled record or GetRecords call.
pub fn shard_rate_exceeded_message(place: &Place, stream: &str, shard: ShardId) -> String {
    format!("Rate exceeded for shard {shard} in stream {stream} under account {}.", place.account)
}

pub fn shard_rate_exceeded(place: &Place, stream: &str, shard: ShardId) -> ApiError {
    let message = shard_rate_exceeded_message(place, stream, shard);
    ApiError::client("ProvisionedThroughputExceededException", message)
}

/// A control-plane operation above its published rate.
pub fn operation_rate_exceeded(place: &Place, stream: Option<&str>) -> ApiError {
    limit_exceeded(match stream {
        Some(stream) => format!("Rate exceeded for stream {stream} under account {}.", place.account),
        None => format!("Rate exceeded for account {}.", place.account),
    })
}

/// The account's shard quota would be passed.
pub fn shard_quota_exceeded(place: &Place, open: u32, limit: u32, more: u32) -> ApiError {
    limit_exceeded(format!(
        "This request would exceed the shard limit for the account {} in {}. Current shard count for the account: \
         {open}. Limit: {limit}. Number of additional shards that would have resulted from this request: {more}. \
         Refer to the AWS Service Limits page \
         (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how to \
         request higher limits.",
        place.account, place.region
    ))
}

/// SplitShard's words for a key that is not well inside the shard's range. `at` is as the client wrote it.
pub fn split_outside(place: &Place, stream: &str, shard: &Shard, at: &str) -> ApiError {
    invalid_argument(format!(
        "NewStartingHashKey {at} used in SplitShard() on shard {} in stream {stream} under account {} is not both \
         greater than one plus the shard's StartingHashKey {} and less than the shard's EndingHashKey {}.",
        shard.id, place.account, shard.range.start, shard.range.end
    ))
}
