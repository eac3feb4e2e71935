//! Polls of Kinesis: the list of streams, their summaries, and their shards.

use crate::aws::clients::Clients;
use crate::aws::draft::{Draft, blank};
use crate::aws::errors::{Trouble, trouble};
use crate::aws::operations::{DESCRIBE_STREAM_SUMMARY, LIST_SHARDS, LIST_STREAM_CONSUMERS, LIST_STREAMS};
use crate::domain::field::{Field, Fields};
use crate::domain::poll::Target;
use crate::domain::row::{KindId, Part, ResourceId};
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, NoData, Origin, Value};
use crate::kinds::kinesis;
use aws_sdk_kinesis::types::{ConsumerStatus, Shard, StreamDescriptionSummary, StreamModeDetails, StreamSummary};
use futures::StreamExt;

/// Streams that are asked at once.
const CONCURRENCY: usize = 4;
/// Bounds on paging: 100 streams a page, 1,000 shards a page.
const STREAM_PAGES_MAX: usize = 200;
const SHARD_PAGES_MAX: usize = 20;
/// A stream has 50 consumers at most, and a page holds 100 (ListStreamConsumers); an emulator may cut them smaller.
const CONSUMER_PAGES_MAX: usize = 10;

/// The fields that only DescribeStreamSummary fills.
const SUMMARY_FIELDS: [&Field; 3] = [&kinesis::OPEN_SHARDS, &kinesis::RETENTION_S, &kinesis::SHARD_METRICS];

/// Every stream as the list tells of it.
pub async fn inventory(clients: &Clients, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let (streams, complete) = streams(clients, &mut draft).await;
    for stream in &streams {
        let mut update = blank(&stream.id(), now);
        if let Some(listed) = &stream.listed {
            set_listed(&mut update.fields, listed, now);
        }
        draft.update(update);
    }
    if complete {
        draft.inventory(KindId::Kinesis, streams.iter().map(Listed::id).collect());
    }
    draft
}

/// A stream as ListStreams names it; older endpoints give the name alone.
struct Listed {
    name: String,
    listed: Option<StreamSummary>,
}

impl Listed {
    fn id(&self) -> ResourceId {
        ResourceId::new(KindId::Kinesis, &self.name)
    }
}

async fn streams(clients: &Clients, draft: &mut Draft) -> (Vec<Listed>, bool) {
    let mut streams: Vec<Listed> = Vec::new();
    for _ in 0..STREAM_PAGES_MAX {
        clients.turn(&LIST_STREAMS).await;
        let after = streams.last().map(|stream| stream.name.clone());
        let page = match clients.kinesis.list_streams().set_exclusive_start_stream_name(after).send().await {
            Ok(page) => page,
            Err(error) => {
                draft.whole(&LIST_STREAMS, trouble(&error, &LIST_STREAMS, clients.place()));
                return (streams, false);
            }
        };
        let mut summaries = page.stream_summaries.unwrap_or_default();
        let more = page.has_more_streams && !page.stream_names.is_empty();
        for name in page.stream_names {
            let listed = summaries.iter().position(|summary| summary.stream_name == name);
            streams.push(Listed { name, listed: listed.map(|index| summaries.swap_remove(index)) });
        }
        if !more {
            return (streams, true);
        }
    }
    (streams, false)
}

async fn summary(clients: &Clients, name: &str) -> Result<StreamDescriptionSummary, Trouble> {
    clients.turn(&DESCRIBE_STREAM_SUMMARY).await;
    match clients.kinesis.describe_stream_summary().stream_name(name).send().await {
        Ok(answer) => answer.stream_description_summary.ok_or_else(|| empty_answer(&DESCRIBE_STREAM_SUMMARY)),
        Err(error) => Err(trouble(&error, &DESCRIBE_STREAM_SUMMARY, clients.place())),
    }
}

fn empty_answer(operation: &crate::aws::operations::Operation) -> Trouble {
    Trouble {
        class: crate::domain::finding::ErrorClass::Other,
        sentence: format!("{} gave an empty answer.", operation.label),
        no_data: None,
        of_place: false,
        resource_gone: false,
        maybe_done: false,
    }
}

/// Summary and shards of these streams.
pub async fn direct(clients: &Clients, targets: &[Target], now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let answers = futures::stream::iter(targets.to_vec())
        .map(|target| async move {
            let (summary, shards) = (summary(clients, &target.id.name).await, shards(clients, &target.id.name).await);
            let arn = summary.as_ref().map(|summary| summary.stream_arn.clone()).ok().or(target.address.clone());
            let consumers = match arn.filter(|_| target.lists_consumers) {
                Some(arn) => Some(consumers(clients, &arn).await),
                None => None,
            };
            (target, summary, shards, consumers)
        })
        .buffered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await;
    for (target, summary, shards, consumers) in answers {
        let mut update = blank(&target.id, now);
        let mut metrics_off = false;
        match summary {
            Ok(summary) => {
                metrics_off = !has_shard_metrics(&summary);
                set_summary(&mut update.fields, &summary, now);
            }
            Err(trouble) => draft.resource(&DESCRIBE_STREAM_SUMMARY, trouble, &mut update, &SUMMARY_FIELDS),
        }
        match shards {
            Ok(shards) => {
                update.parts = Some(shards.iter().map(|shard| shard_part(shard, metrics_off, now)).collect());
            }
            Err(trouble) => draft.resource(&LIST_SHARDS, trouble, &mut update, &[]),
        }
        match consumers {
            Some(Ok(names)) => update.fields.set(&kinesis::CONSUMERS, names_of(&names, now)),
            Some(Err(trouble)) => {
                draft.resource(&LIST_STREAM_CONSUMERS, trouble, &mut update, &[&kinesis::CONSUMERS]);
            }
            None => {}
        }
        draft.update(update);
    }
    draft
}

/// Open shards, and closed ones that can still be read.
async fn shards(clients: &Clients, stream: &str) -> Result<Vec<Shard>, Trouble> {
    let mut shards = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..SHARD_PAGES_MAX {
        clients.turn(&LIST_SHARDS).await;
        // A token stands for the stream: AWS refuses both together.
        let name = token.is_none().then(|| stream.to_owned());
        match clients.kinesis.list_shards().set_stream_name(name).set_next_token(token).send().await {
            Ok(page) => {
                shards.extend(page.shards.unwrap_or_default());
                token = page.next_token.filter(|token| !token.is_empty());
            }
            Err(error) => return Err(trouble(&error, &LIST_SHARDS, clients.place())),
        }
        if token.is_none() {
            break;
        }
    }
    Ok(shards)
}

/// The enhanced fan-out consumers that may read now.
async fn consumers(clients: &Clients, stream_arn: &str) -> Result<Vec<String>, Trouble> {
    let mut names = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..CONSUMER_PAGES_MAX {
        clients.turn(&LIST_STREAM_CONSUMERS).await;
        let request = clients.kinesis.list_stream_consumers().stream_arn(stream_arn);
        let page = request.set_next_token(token).send().await;
        let page = page.map_err(|error| trouble(&error, &LIST_STREAM_CONSUMERS, clients.place()))?;
        let consumers = page.consumers.unwrap_or_default().into_iter();
        names.extend(consumers.filter(|c| c.consumer_status == ConsumerStatus::Active).map(|c| c.consumer_name));
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    names.sort();
    Ok(names)
}

fn names_of(names: &[String], now: Timestamp) -> Value {
    match names {
        [] => Value::missing(NoData::NotApplicable, now, Origin::Api),
        names => Value::text(names.join(", "), now),
    }
}

fn set_listed(fields: &mut Fields, listed: &StreamSummary, now: Timestamp) {
    fields.set(&kinesis::STATUS, Value::text(listed.stream_status.as_str(), now));
    fields.set(&kinesis::ARN, Value::text(&listed.stream_arn, now));
    set_mode(fields, listed.stream_mode_details.as_ref(), now);
}

fn set_summary(fields: &mut Fields, summary: &StreamDescriptionSummary, now: Timestamp) {
    let number = |number: i32| Value::number(f64::from(number), now, Origin::Api);
    fields.set(&kinesis::STATUS, Value::text(summary.stream_status.as_str(), now));
    fields.set(&kinesis::ARN, Value::text(&summary.stream_arn, now));
    set_mode(fields, summary.stream_mode_details.as_ref(), now);
    fields.set(&kinesis::OPEN_SHARDS, number(summary.open_shard_count));
    fields.set(&kinesis::RETENTION_S, number(summary.retention_period_hours.saturating_mul(3600)));
    let on = Datum::Flag(has_shard_metrics(summary));
    fields.set(&kinesis::SHARD_METRICS, Value { datum: on, as_of: now, origin: Origin::Api });
}

/// A stream without mode details is from before there were modes: provisioned.
fn set_mode(fields: &mut Fields, details: Option<&StreamModeDetails>, now: Timestamp) {
    let mode = details.map_or("PROVISIONED", |details| details.stream_mode.as_str());
    fields.set(&kinesis::MODE, Value::text(mode, now));
}

fn has_shard_metrics(summary: &StreamDescriptionSummary) -> bool {
    summary
        .enhanced_monitoring
        .iter()
        .any(|metrics| metrics.shard_level_metrics.as_ref().is_some_and(|m| !m.is_empty()))
}

fn shard_part(shard: &Shard, metrics_off: bool, now: Timestamp) -> Part {
    let mut fields = Fields::default();
    let ended = shard.sequence_number_range.as_ref().and_then(|range| range.ending_sequence_number.as_ref());
    fields.set(&kinesis::SHARD_STATE, Value::text(if ended.is_none() { "open" } else { "closed" }, now));
    if let Some(range) = &shard.hash_key_range {
        let text = format!("{}-{}", range.starting_hash_key, range.ending_hash_key);
        fields.set(&kinesis::SHARD_RANGE, Value::text(text, now));
        let share = share_percent(&range.starting_hash_key, &range.ending_hash_key);
        let value = match share {
            Some(percent) => Value::number(percent, now, Origin::Derived),
            None => Value::missing(NoData::Failed, now, Origin::Derived),
        };
        fields.set(&kinesis::SHARD_SHARE_PERCENT, value);
    }
    let parents: Vec<&str> =
        [&shard.parent_shard_id, &shard.adjacent_parent_shard_id].into_iter().filter_map(|id| id.as_deref()).collect();
    let parents = match parents.as_slice() {
        [] => Value::missing(NoData::NotApplicable, now, Origin::Api),
        parents => Value::text(parents.join(", "), now),
    };
    fields.set(&kinesis::SHARD_PARENTS, parents);
    if metrics_off {
        for metric in kinesis::KIND.part_metrics {
            fields.set(metric.field, Value::missing(NoData::NotEnabled, now, Origin::CloudWatch));
        }
    }
    Part { id: shard.shard_id.clone(), fields }
}

/// How much of the 2^128 hash keys lies in the range, both ends included.
fn share_percent(first: &str, last: &str) -> Option<f64> {
    let (first, last): (u128, u128) = (first.parse().ok()?, last.parse().ok()?);
    let keys = last.checked_sub(first)? as f64 + 1.0;
    Some(keys / 2f64.powi(128) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_kinesis::types::{HashKeyRange, SequenceNumberRange};

    fn shard(first: &str, last: &str, ended: Option<&str>, parent: Option<&str>) -> Shard {
        Shard::builder()
            .shard_id("shardId-000000000003")
            .set_parent_shard_id(parent.map(str::to_owned))
            .hash_key_range(HashKeyRange::builder().starting_hash_key(first).ending_hash_key(last).build().unwrap())
            .sequence_number_range(
                SequenceNumberRange::builder()
                    .starting_sequence_number("1")
                    .set_ending_sequence_number(ended.map(str::to_owned))
                    .build()
                    .unwrap(),
            )
            .build()
            .unwrap()
    }

    #[test]
    fn a_shard_tells_its_state_and_its_share_of_the_key_space() {
        let half = "170141183460469231731687303715884105728";
        let last = "340282366920938463463374607431768211455";
        let part = shard_part(&shard(half, last, None, Some("shardId-000000000001")), false, Timestamp::default());
        assert_eq!(part.fields.text(&kinesis::SHARD_STATE), Some("open"));
        assert_eq!(part.fields.number(&kinesis::SHARD_SHARE_PERCENT), Some(50.0));
        assert_eq!(part.fields.text(&kinesis::SHARD_PARENTS), Some("shardId-000000000001"));
        assert_eq!(part.fields.why_missing(&kinesis::IN_BYTES_PER_S), Some(NoData::NotYet));
        let closed = shard_part(&shard("0", last, Some("9"), None), true, Timestamp::default());
        assert_eq!(closed.fields.text(&kinesis::SHARD_STATE), Some("closed"));
        assert_eq!(closed.fields.number(&kinesis::SHARD_SHARE_PERCENT), Some(100.0));
        assert_eq!(closed.fields.why_missing(&kinesis::IN_BYTES_PER_S), Some(NoData::NotEnabled));
    }

    #[test]
    fn a_range_that_is_no_range_has_no_share() {
        assert_eq!(share_percent("5", "4"), None);
        assert_eq!(share_percent("x", "4"), None);
    }
}
