//! Kinesis' operations: JSON members in, typed calls, JSON members out.

mod abroad;
#[cfg(test)]
mod abroad_tests;
mod consumers;
#[cfg(test)]
mod fanout_tests;
mod members;
mod records;
mod schema;
mod settings;
#[cfg(test)]
mod settings_tests;
mod shards;
mod streams;
mod tags;
#[cfg(test)]
mod tests;

use super::{SubscriptionId, Tags, fault};
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::wire::{Answer, Call, Events, Reply, unknown_operation};
use crate::sim::world::World;
use members as is;
use serde_json::{Map, Value};

/// What carries out an operation whose members have been checked.
type Perform = fn(&mut World, &Input<'_>) -> Result<Value, ApiError>;

/// Answers one operation. Operations that the engine does not have are answered as unknown to the service.
pub fn answer(world: &mut World, call: &mut Call, operation: &str, input: &Value) -> Answer {
    if operation == "SubscribeToShard" {
        schema::check(input, is::SUBSCRIBE_TO_SHARD)?;
        let input = Input::of(input);
        if abroad::leaves(world, call, &input) {
            return Ok(Reply::Later(world.now));
        }
        abroad::judge(world, call, operation, &input)?;
        let id = consumers::subscribe(world, &input)?;
        call.ticket = Some(id.0);
        return Ok(Reply::Done(Value::Object(Map::new())));
    }
    let (members, perform) = operation_named(operation).ok_or_else(unknown_operation)?;
    schema::check(input, members)?;
    let input = Input::of(input);
    if abroad::leaves(world, call, &input) {
        return Ok(Reply::Later(world.now));
    }
    abroad::judge(world, call, operation, &input)?;
    perform(world, &input).map(Reply::Done)
}

/// What a subscription says next. The call left its number as its ticket.
pub fn events(world: &mut World, call: &Call) -> Events {
    consumers::events(world, SubscriptionId(call.ticket.unwrap_or_default()))
}

fn operation_named(operation: &str) -> Option<(&'static [schema::Member], Perform)> {
    Some(match operation {
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
        "RegisterStreamConsumer" => (is::REGISTER_CONSUMER, consumers::register),
        "DeregisterStreamConsumer" => (is::ONE_CONSUMER, consumers::deregister),
        "DescribeStreamConsumer" => (is::ONE_CONSUMER, consumers::describe),
        "ListStreamConsumers" => (is::LIST_CONSUMERS, consumers::list),
        "AddTagsToStream" => (is::ADD_TAGS, tags::add_to_stream),
        "RemoveTagsFromStream" => (is::REMOVE_TAGS, tags::remove_from_stream),
        "ListTagsForStream" => (is::LIST_TAGS, tags::list_for_stream),
        "TagResource" => (is::TAG_RESOURCE, tags::tag_resource),
        "UntagResource" => (is::UNTAG_RESOURCE, tags::untag_resource),
        "ListTagsForResource" => (is::ONLY_RESOURCE, tags::list_for_resource),
        "PutResourcePolicy" => (is::PUT_POLICY, tags::put_policy),
        "GetResourcePolicy" => (is::ONLY_RESOURCE, tags::get_policy),
        "DeleteResourcePolicy" => (is::ONLY_RESOURCE, tags::delete_policy),
        "UpdateStreamMode" => (is::UPDATE_MODE, settings::update_mode),
        "StartStreamEncryption" => (is::ENCRYPTION, settings::start_encryption),
        "StopStreamEncryption" => (is::ENCRYPTION, settings::stop_encryption),
        "UpdateMaxRecordSize" => (is::UPDATE_MAX_RECORD_SIZE, settings::update_max_record_size),
        "UpdateStreamWarmThroughput" => (is::UPDATE_WARM_THROUGHPUT, settings::update_warm_throughput),
        "DescribeAccountSettings" => (is::NONE, settings::describe_account),
        "UpdateAccountSettings" => (is::UPDATE_ACCOUNT, settings::update_account),
        _ => return None,
    })
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

    /// A list of texts; empty where it is absent.
    fn texts(&self, name: &str) -> Vec<&'a str> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The map `Tags`; empty where it is absent.
    fn tags(&self) -> Tags {
        let tags = self.get("Tags").and_then(Value::as_object).into_iter().flatten();
        tags.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    }

    fn is_dry_run(&self) -> bool {
        self.is_true("DryRun")
    }

    fn is_true(&self, name: &str) -> bool {
        match self.get(name) {
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
        let of_arn = stream_of_arn(place, arn)?;
        if name.is_some_and(|name| name != of_arn) {
            return Err(fault::invalid_argument(format!("StreamARN {arn} does not match the given StreamName.")));
        }
        Ok(of_arn)
    }
}

/// The name in `arn:aws:kinesis:REGION:ACCOUNT:stream/NAME`, with what may follow it.
///
/// Errors: `ResourceNotFoundException` for an ARN of another account or region.
fn stream_of_arn<'a>(place: &Place, arn: &'a str) -> Result<&'a str, ApiError> {
    let mut parts = arn.splitn(6, ':').skip(3);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let name = parts.next().unwrap_or_default().trim_start_matches("stream/");
    if region == place.region && account == place.account {
        return Ok(name);
    }
    let message = format!("Stream {name} under account {account} not found.");
    Err(ApiError::client("ResourceNotFoundException", message))
}

/// What a dry run that would have succeeded is answered with.
fn dry_run() -> ApiError {
    ApiError::client("DryRunOperationException", "Request would have succeeded, but DryRun flag is set.")
}
