//! Kinesis' operations: JSON members in, typed calls, JSON members out.

mod members;
mod records;
mod schema;
mod shards;
mod streams;
#[cfg(test)]
mod tests;

use super::fault;
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::wire::{Answer, Call, Reply, unknown_operation};
use crate::sim::world::World;
use members as is;
use serde_json::{Map, Value};

/// What carries out an operation whose members have been checked.
type Perform = fn(&mut World, &Input<'_>) -> Result<Value, ApiError>;

/// Answers one operation. Operations that the engine does not have are answered as unknown to the service.
pub fn answer(world: &mut World, _call: &mut Call, operation: &str, input: &Value) -> Answer {
    let (members, perform): (&'static [schema::Member], Perform) = match operation {
        "CreateStream" => (is::CREATE_STREAM, streams::create),
        "DeleteStream" => (is::DELETE_STREAM, streams::delete),
        "ListStreams" => (is::LIST_STREAMS, streams::list),
        "DescribeStream" => (is::DESCRIBE_STREAM, streams::describe),
        "DescribeStreamSummary" => (is::ONLY_STREAM, streams::describe_summary),
        "DescribeLimits" => (is::NONE, streams::describe_limits),
        "IncreaseStreamRetentionPeriod" => (is::RETENTION, streams::increase_retention),
        "DecreaseStreamRetentionPeriod" => (is::RETENTION, streams::decrease_retention),
        "EnableEnhancedMonitoring" => (is::MONITORING, streams::enable_monitoring),
        "DisableEnhancedMonitoring" => (is::MONITORING, streams::disable_monitoring),
        "ListShards" => (is::LIST_SHARDS, shards::list),
        "SplitShard" => (is::SPLIT_SHARD, shards::split),
        "MergeShards" => (is::MERGE_SHARDS, shards::merge),
        "UpdateShardCount" => (is::UPDATE_SHARD_COUNT, shards::update_count),
        "PutRecord" => (is::PUT_RECORD, records::put_one),
        "PutRecords" => (is::PUT_RECORDS, records::put_many),
        "GetShardIterator" => (is::GET_SHARD_ITERATOR, records::get_shard_iterator),
        "GetRecords" => (is::GET_RECORDS, records::get),
        _ => return Err(unknown_operation()),
    };
    schema::check(input, members)?;
    perform(world, &Input { members: input.as_object() }).map(Reply::Done)
}

/// A request whose members have been checked.
pub(super) struct Input<'a> {
    members: Option<&'a Map<String, Value>>,
}

impl<'a> Input<'a> {
    fn of(value: &'a Value) -> Self {
        Self { members: value.as_object() }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members?.get(name).filter(|value| !value.is_null())
    }

    /// The text, or an empty one where a required member was checked to be there.
    fn text(&self, name: &str) -> &'a str {
        self.optional_text(name).unwrap_or_default()
    }

    fn optional_text(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }

    fn integer(&self, name: &str) -> Option<i64> {
        self.get(name).map(schema::integer)
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        self.get(name)?.as_f64().map(Timestamp::from_secs_f64)
    }

    fn structure(&self, name: &str) -> Option<Input<'a>> {
        self.get(name).map(Input::of)
    }

    fn is_dry_run(&self) -> bool {
        match self.get("DryRun") {
            Some(Value::String(text)) => schema::truth(text) == Some(true),
            value => value.and_then(Value::as_bool).unwrap_or(false),
        }
    }

    /// The stream that StreamName or StreamARN names.
    ///
    /// Errors: `InvalidArgumentException` when neither is there or they differ, `ResourceNotFoundException` for an
    /// ARN of another account or region.
    fn stream(&self, place: &Place) -> Result<&'a str, ApiError> {
        let name = self.optional_text("StreamName");
        let Some(arn) = self.optional_text("StreamARN") else {
            let missing = || fault::invalid_argument("Either StreamName or StreamARN must be provided.");
            return name.ok_or_else(missing);
        };
        let mut parts = arn.splitn(6, ':').skip(3);
        let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let of_arn = parts.next().unwrap_or_default().trim_start_matches("stream/");
        if name.is_some_and(|name| name != of_arn) {
            return Err(fault::invalid_argument(format!("StreamARN {arn} does not match the given StreamName.")));
        }
        if region != place.region || account != place.account {
            let message = format!("Stream {of_arn} under account {account} not found.");
            return Err(ApiError::client("ResourceNotFoundException", message));
        }
        Ok(of_arn)
    }
}

/// What a dry run that would have succeeded is answered with.
fn dry_run() -> ApiError {
    ApiError::client("DryRunOperationException", "Request would have succeeded, but DryRun flag is set.")
}
