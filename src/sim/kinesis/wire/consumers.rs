//! Operations on registered consumers, and SubscribeToShard with its events.

use super::records::{position, records_json};
use super::shards::child_json;
use super::streams::{open_next_token, stream_arn};
use super::{Input, dry_run, stream_of_arn};
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::kinesis::token::{self, TokenKind};
use crate::sim::kinesis::{ConsumerId, ConsumerSummary, Push, PushedEvent, ShardId, SubscriptionId, fault};
use crate::sim::waits::Awaited;
use crate::sim::wire::Events;
use crate::sim::wire::event_stream::Message;
use crate::sim::world::World;
use serde_json::{Value, json};

/// ListStreamConsumers answers at most so many where MaxResults is absent ("the default is 100").
const PAGE: i64 = 100;

pub(super) fn register(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let consumer = kinesis.register_consumer(&mut cx, stream, input.text("ConsumerName"), input.tags())?;
    Ok(json!({ "Consumer": consumer_json(cx.place, stream, &consumer) }))
}

pub(super) fn deregister(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let id = consumer_id(cx.place, input)?;
    kinesis.deregister_consumer(&mut cx, &id)?;
    Ok(Value::Null)
}

pub(super) fn describe(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let id = consumer_id(cx.place, input)?;
    let consumer = kinesis.describe_consumer(&mut cx, &id)?;
    let mut json = consumer_json(cx.place, &id.stream, &consumer);
    json["StreamARN"] = stream_arn(cx.place, &id.stream).into();
    Ok(json!({ "ConsumerDescription": json }))
}

pub(super) fn list(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let after = match input.optional_text("NextToken") {
        None => None,
        Some(token) => Some(open_next_token(TokenKind::Consumers, token, cx.now)?),
    };
    let limit = input.integer("MaxResults").unwrap_or(PAGE) as usize;
    let mut consumers = kinesis.list_consumers(&mut cx, stream)?;
    consumers.retain(|consumer| after.as_ref().is_none_or(|after| consumer.name > *after));
    let has_more = consumers.len() > limit;
    consumers.truncate(limit);
    let listed: Vec<Value> = consumers.iter().map(|consumer| consumer_json(cx.place, stream, consumer)).collect();
    let mut answer = json!({ "Consumers": listed });
    if let (true, Some(last)) = (has_more, consumers.last()) {
        answer["NextToken"] = token::seal(TokenKind::Consumers, cx.now, &last.name).into();
    }
    Ok(answer)
}

fn consumer_json(place: &Place, stream: &str, consumer: &ConsumerSummary) -> Value {
    json!({
        "ConsumerName": consumer.name,
        "ConsumerARN": consumer.arn(place, stream),
        "ConsumerStatus": consumer.status.name(),
        "ConsumerCreationTimestamp": consumer.created.secs_f64(),
    })
}

/// The consumer that ConsumerARN names, or StreamARN and ConsumerName together.
fn consumer_id(place: &Place, input: &Input<'_>) -> Result<ConsumerId, ApiError> {
    let (stream, name) = (input.optional_text("StreamARN"), input.optional_text("ConsumerName"));
    if let Some(arn) = input.optional_text("ConsumerARN") {
        return consumer_of_arn(place, arn);
    }
    let (Some(_), Some(name)) = (stream, name) else {
        return Err(fault::invalid_argument("Either ConsumerARN or both StreamARN and ConsumerName must be provided."));
    };
    Ok(ConsumerId { stream: input.stream(place)?.to_owned(), consumer: name.to_owned(), created_s: None })
}

pub(super) fn consumer_of_arn(place: &Place, arn: &str) -> Result<ConsumerId, ApiError> {
    stream_of_arn(place, arn)?;
    ConsumerId::parse(arn).ok_or_else(|| fault::invalid_argument(format!("{arn} is no consumer's ARN.")))
}

pub(super) fn subscribe(world: &mut World, input: &Input<'_>) -> Result<SubscriptionId, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let id = consumer_of_arn(cx.place, input.text("ConsumerARN"))?;
    let text = input.text("ShardId");
    let shard_id = ShardId::parse(text).ok_or_else(|| fault::could_not_find_shard(cx.place, &id.stream, text))?;
    kinesis.subscribable(&mut cx, &id, shard_id)?;
    let (Some(start), Some(shard)) =
        (input.structure("StartingPosition"), kinesis.stream(&id.stream).and_then(|stream| stream.shard(shard_id)))
    else {
        return Err(fault::shard_does_not_exist(cx.place, &id.stream, shard_id));
    };
    let number = start.optional_text("SequenceNumber");
    let position = position(&cx, &id.stream, shard, start.text("Type"), number, &start)?;
    if input.is_dry_run() {
        return Err(dry_run());
    }
    let subscription = kinesis.subscribe(&mut cx, &id, shard_id, position)?;
    cx.waits.wait_for(Awaited::Records(id.stream));
    Ok(subscription)
}

pub(super) fn events(world: &mut World, id: SubscriptionId) -> Events {
    let (kinesis, mut cx) = world.kinesis_cx();
    match kinesis.push(&mut cx, id) {
        Push::Nothing(until) => Events { messages: vec![], until: Some(until) },
        Push::Ended => Events { messages: vec![], until: None },
        Push::Failed(error) => Events { messages: vec![Message::exception(&error)], until: None },
        Push::Event { stream, event } => {
            let PushedEvent { records, continuation, millis_behind_latest, child_shards } = event;
            let mut payload = json!({
                "Records": records_json(kinesis, &cx, &stream, &records),
                "MillisBehindLatest": millis_behind_latest,
            });
            match continuation {
                Some(sequence) => payload["ContinuationSequenceNumber"] = sequence.to_string().into(),
                None => payload["ChildShards"] = child_shards.iter().map(child_json).collect(),
            }
            let until = continuation.map(|_| cx.now);
            Events { messages: vec![Message::event("SubscribeToShardEvent", payload)], until }
        }
    }
}
