//! A stream's mapping at work: each shard is read, its batches are run in order, closed shards lead to their children.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::kinesis::{Position, Record, ShardId};
use crate::sim::lambda::log::iso_millis;
use crate::sim::lambda::{
    Answer, Discarded, Ended, EventCount, FunctionId, Lambda, LaneStep, LastResult, Lineage, MappingDue, MappingSource,
    Poller, ReadPlace, Settings, ShardPoller, Source, Start, StreamPoller, VersionNumber, WHOLE_STREAM, Work,
};
use crate::sim::wire::Service;
use crate::sim::world::World;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A stream that is not there is looked for again this often.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

fn stream_poller(lambda: &mut Lambda, mapping: usize) -> Option<(&mut StreamPoller, &Settings)> {
    let found = lambda.mapping_mut(mapping)?;
    match &mut found.poller {
        Poller::Stream(poller) => Some((poller, &found.settings)),
        Poller::Queue(_) => None,
    }
}

fn shard_poller(lambda: &mut Lambda, mapping: usize, shard: u32) -> Option<(&mut ShardPoller, &Settings)> {
    let (poller, settings) = stream_poller(lambda, mapping)?;
    Some((poller.shards.get_mut(&shard)?, settings))
}

fn stream_name(lambda: &Lambda, mapping: usize) -> Option<String> {
    match &lambda.mapping(mapping)?.source {
        MappingSource::Stream(name) => Some(name.clone()),
        MappingSource::Queue(_) | MappingSource::Foreign { .. } => None,
    }
}

fn note_result(lambda: &mut Lambda, mapping: usize, result: LastResult) {
    if let Some(found) = lambda.mapping_mut(mapping) {
        found.last_result = result;
    }
}

/// The first look at a stream: every shard that the starting position speaks of gets its poller.
pub fn look_for_shards(world: &mut World, mapping: usize) {
    if !world.lambda.mapping(mapping).is_some_and(|found| found.is_polling()) {
        return;
    }
    let Some(name) = stream_name(&world.lambda, mapping) else { return };
    let Some(stream) = world.kinesis.stream(&name).filter(|stream| stream.open_shards() > 0) else {
        note_result(&mut world.lambda, mapping, LastResult::SourceUnreadable);
        let (_, mut cx) = world.lambda_cx();
        cx.schedule_in(LOOK_AGAIN, MappingDue { mapping, shard: WHOLE_STREAM }.into());
        return;
    };
    let Some((poller, settings)) = stream_poller(&mut world.lambda, mapping) else { return };
    if poller.has_begun {
        return;
    }
    poller.has_begun = true;
    let position = ShardPoller::position_of(settings.start);
    let shards: Vec<u32> = match settings.start {
        Start::Latest => stream.open().map(|shard| shard.id.0).collect(),
        // Children are reached through their parents.
        Start::TrimHorizon | Start::AtTimestamp(_) => {
            let is_root =
                |parent: Option<ShardId>| parent.is_none_or(|parent| !stream.shards().any(|shard| shard.id == parent));
            let roots = stream.shards().filter(|s| is_root(s.parent) && is_root(s.adjacent_parent));
            roots.map(|shard| shard.id.0).collect()
        }
    };
    for shard in shards {
        add_shard(world, mapping, shard, position);
    }
}

fn add_shard(world: &mut World, mapping: usize, shard: u32, position: Position) {
    // Shards are polled once a second each, not all in one instant.
    let first_read = world.now + Duration::from_millis(u64::from(shard) * 137 % 1_000);
    let Some((poller, _)) = stream_poller(&mut world.lambda, mapping) else { return };
    let mut fresh = ShardPoller::new(position, first_read);
    fresh.wake_at(first_read);
    poller.shards.insert(shard, fresh);
    let (_, mut cx) = world.lambda_cx();
    cx.schedule(first_read, MappingDue { mapping, shard }.into());
}

/// A shard's entry on the agenda falls due.
pub fn due(world: &mut World, mapping: usize, shard: u32) {
    let now = world.now;
    if shard_poller(&mut world.lambda, mapping, shard).is_some_and(|(poller, _)| poller.wake.falls_due(now)) {
        work_shard(world, mapping, shard);
    }
}

/// Reads when records are wanted, runs every lane that has a batch, and puts the next step on the agenda.
fn work_shard(world: &mut World, mapping: usize, shard: u32) {
    let (lambda, mut cx) = world.lambda_cx();
    if !lambda.takes_work(&mut cx, mapping) {
        return;
    }
    let Some(name) = stream_name(&world.lambda, mapping) else { return };
    if let Some((poller, settings)) = shard_poller(&mut world.lambda, mapping, shard) {
        poller.fit_lanes(settings);
    }
    read(world, mapping, &name, shard);
    give_up_the_old(world, mapping, &name, shard);
    let lanes = shard_poller(&mut world.lambda, mapping, shard).map_or(0, |(poller, _)| poller.lanes.len());
    for lane in 0..lanes {
        run_lane(world, mapping, &name, shard, lane);
    }
    let now = world.now;
    let Some((poller, settings)) = shard_poller(&mut world.lambda, mapping, shard) else { return };
    if poller.is_drained() {
        shard_drained(world, mapping, shard);
        return;
    }
    let Some(next) = poller.next_wake(now, settings) else { return };
    if poller.wake_at(next) {
        let (_, mut cx) = world.lambda_cx();
        cx.schedule(next, MappingDue { mapping, shard }.into());
    }
}

fn shard_drained(world: &mut World, mapping: usize, shard: u32) {
    let Some((poller, settings)) = stream_poller(&mut world.lambda, mapping) else { return };
    // Under LATEST a child begins where its parent ended, which is its own beginning.
    let position = match settings.start {
        Start::AtTimestamp(at) => Position::AtTimestamp(at),
        Start::TrimHorizon | Start::Latest => Position::TrimHorizon,
    };
    for child in poller.drained(shard) {
        add_shard(world, mapping, child, position);
    }
}

fn read(world: &mut World, mapping: usize, name: &str, shard: u32) {
    let now = world.now;
    let Some((poller, settings)) = shard_poller(&mut world.lambda, mapping, shard) else { return };
    let wanted = poller.wants(now, settings);
    if wanted == 0 {
        return;
    }
    let place = poller.place;
    let admitted = super::admit(world, mapping, Service::Kinesis, "GetRecords", name);
    let (kinesis, mut cx) = world.kinesis_cx();
    let cursor = match place {
        ReadPlace::At(cursor) => Ok(cursor),
        ReadPlace::From(position) => kinesis.cursor(&mut cx, name, ShardId(shard), position),
        ReadPlace::End => return,
    };
    let cursor_now = cursor.clone().ok();
    let answer = cursor.and_then(|cursor| admitted.map(|()| cursor));
    let answer = answer.and_then(|cursor| kinesis.read(&mut cx, name, ShardId(shard), cursor, wanted as usize));
    let Some((poller, _)) = shard_poller(&mut world.lambda, mapping, shard) else { return };
    // The iterator is had once, even where the read that follows it is throttled.
    poller.place = cursor_now.map_or(place, ReadPlace::At);
    match answer {
        Ok(batch) => {
            poller.place = batch.next.map_or(ReadPlace::End, ReadPlace::At);
            poller.children.extend(batch.child_shards);
            let is_behind = batch.millis_behind_latest > 0;
            let kept = sift(world, mapping, shard, batch.records);
            let Some((poller, _)) = shard_poller(&mut world.lambda, mapping, shard) else { return };
            poller.take_in(now, kept, is_behind);
        }
        Err(error) if error.code == "ResourceNotFoundException" => {
            poller.next_read = now + LOOK_AGAIN;
            note_result(&mut world.lambda, mapping, LastResult::SourceUnreadable);
        }
        Err(_) => poller.take_in(now, Vec::new(), false),
    }
}

/// Leaves of what was read what the mapping's filters let through.
fn sift(world: &mut World, mapping: usize, shard: u32, mut records: Vec<Record>) -> Vec<Record> {
    let polled = records.len();
    let (lambda, mut cx) = world.lambda_cx();
    lambda.note_events(&mut cx, mapping, EventCount::Polled, polled);
    let Some(found) = lambda.mapping(mapping).filter(|found| !found.settings.filters.is_empty()) else {
        return records;
    };
    let (filters, arn) = (found.settings.filters.clone(), found.source_arn.clone());
    records.retain(|record| filters.pass(&seen_by_filters(world, &arn, shard, record), "data"));
    let (lambda, mut cx) = world.lambda_cx();
    lambda.note_events(&mut cx, mapping, EventCount::FilteredOut, polled - records.len());
    records
}

/// A record as filters see it: its own members, with the data as it was put.
fn seen_by_filters(world: &World, stream_arn: &str, shard: u32, record: &Record) -> Map<String, Value> {
    let key = world.kinesis.key_text(&record.key);
    let data = world.templates.read(&record.data, key);
    let seen = json!({
        "kinesisSchemaVersion": "1.0",
        "partitionKey": key,
        "sequenceNumber": record.sequence.to_string(),
        "data": String::from_utf8_lossy(&data),
        "approximateArrivalTimestamp": record.arrived.secs_f64(),
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("{}:{}", ShardId(shard), record.sequence),
        "eventName": "aws:kinesis:record",
        "awsRegion": world.place.region,
        "eventSourceARN": stream_arn,
    });
    if let Value::Object(seen) = seen { seen } else { Map::new() }
}

/// Records that the stream has dropped meanwhile are gone; those over `MaximumRecordAgeInSeconds` are given up.
fn give_up_the_old(world: &mut World, mapping: usize, name: &str, shard: u32) {
    let now = world.now;
    let horizon = world.kinesis.stream(name).map(|stream| stream.horizon(now));
    let Some((poller, settings)) = shard_poller(&mut world.lambda, mapping, shard) else { return };
    let mut given_up = Vec::new();
    for lane in &mut poller.lanes {
        given_up.extend(lane.discard_aged(now, settings));
        if let Some(horizon) = horizon {
            lane.drop_expired(now, horizon);
        }
    }
    for discarded in given_up {
        report_discarded(world, mapping, shard, &discarded, None);
    }
}

/// Invokes the function with the lane's next batch when there is one.
fn run_lane(world: &mut World, mapping: usize, name: &str, shard: u32, lane: usize) {
    let now = world.now;
    let Some((poller, settings)) = shard_poller(&mut world.lambda, mapping, shard) else { return };
    let is_last = poller.place == ReadPlace::End;
    let Some(entry) = poller.lanes.get_mut(lane) else { return };
    let (records, is_retry) = match entry.step(now, settings, is_last) {
        LaneStep::Invoke { records, is_retry } => (records, is_retry),
        LaneStep::CloseWindow => (0, false),
        LaneStep::Wait(_) | LaneStep::Idle => return,
    };
    if is_retry && let Some(front) = entry.front() {
        // A retry fetches its batch anew, which keeps the stream's iterator age true while a shard is blocked.
        let cursor = crate::sim::kinesis::Cursor::at(front.sequence);
        let (kinesis, mut cx) = world.kinesis_cx();
        let _ = kinesis.read(&mut cx, name, ShardId(shard), cursor, records as usize);
    }
    let (lambda, mut cx) = world.lambda_cx();
    let Some((function, work, newest)) = work(lambda, &mut cx, mapping, shard, lane, records) else { return };
    let started = lambda.start(&mut cx, function, work);
    let is_throttled = !matches!(started, Some(Ok(_)));
    if is_throttled {
        note_result(lambda, mapping, LastResult::Throttled);
    } else {
        if let Some(newest) = newest {
            lambda.note_iterator_age(&mut cx, function, now.since(newest).as_millis() as f64);
        }
        lambda.note_events(&mut cx, mapping, EventCount::Invoked, records as usize);
    }
    let Some((poller, settings)) = shard_poller(lambda, mapping, shard) else { return };
    match poller.lanes.get_mut(lane) {
        Some(lane) if is_throttled => lane.throttled(now),
        Some(lane) => lane.begun(settings),
        None => {}
    }
}

/// The invocation for the first `records` of a lane, and when the newest of them arrived. There are none at the end of a
/// tumbling window.
fn work(
    lambda: &Lambda,
    cx: &mut Cx<'_>,
    mapping: usize,
    shard: u32,
    lane: usize,
    records: u32,
) -> Option<(FunctionId, Work, Option<Timestamp>)> {
    let found = lambda.mapping(mapping)?;
    let function = lambda.function(found.function)?;
    let Poller::Stream(poller) = &found.poller else { return None };
    let entry = poller.shards.get(&shard)?.lanes.get(lane)?;
    let newest = entry.batch(records).next_back().map(|record| record.arrived);
    let chosen = lambda.choose(cx, found.function, &found.settings.qualifier)?;
    let verdict = function.judge(cx, chosen.version, entry.batch(records).map(|record| &record.data));
    let work = Work {
        source: Source::Mapping { mapping, shard, lane: lane as u32 },
        chosen,
        records,
        verdict,
        reports_item_failures: found.settings.reports_item_failures,
        payload: Bytes::new(),
        request: None,
    };
    Some((found.function, work, newest))
}

/// A batch has ended: the lane goes on, retries, or gives up what it may not retry any more.
pub fn batch_ended(world: &mut World, mapping: usize, shard: u32, lane: u32, ended: &Ended) {
    let now = world.now;
    let lowest = ended.failed.first().copied();
    let is_done = ended.outcome.is_success() && lowest.is_none() && keeps_state(&world.lambda, mapping, ended);
    let result = if is_done { LastResult::Ok } else { LastResult::FunctionFailed };
    note_result(&mut world.lambda, mapping, result);
    let Some((poller, settings)) = shard_poller(&mut world.lambda, mapping, shard) else { return };
    let Some(entry) = poller.lanes.get_mut(lane as usize) else { return };
    if entry.is_closing {
        entry.closed_window(now, is_done);
        return work_shard(world, mapping, shard);
    }
    let failed = if is_done { 0 } else { entry.due().saturating_sub(lowest.unwrap_or(0)) };
    let discarded = if is_done {
        entry.succeeded(now);
        None
    } else {
        entry.failed(now, settings, lowest.unwrap_or(0))
    };
    let (lambda, mut cx) = world.lambda_cx();
    lambda.note_events(&mut cx, mapping, EventCount::FailedInvoke, failed as usize);
    if let Some(discarded) = discarded {
        report_discarded(world, mapping, shard, &discarded, Some(ended));
    }
    work_shard(world, mapping, shard);
}

/// "When using tumbling windows, the Lambda function response must contain a state property. If the response does not
/// contain a state property, Lambda considers this a failed invocation." An echo has the state that it was given.
fn keeps_state(lambda: &Lambda, mapping: usize, ended: &Ended) -> bool {
    let Some(found) = lambda.mapping(mapping).filter(|found| found.settings.tumbling_window_s > 0) else { return true };
    let version = lambda.function(found.function).and_then(|function| function.version(ended.version));
    match version.map(|version| &version.behaviour.answer) {
        Some(Answer::Text(text)) => {
            let answer: Value = serde_json::from_str(text).unwrap_or(Value::Null);
            answer.get("state").is_some()
        }
        Some(Answer::Echo) | None => true,
    }
}

/// Tells the on-failure queue what was given up: where it lies in the stream, not the records themselves.
fn report_discarded(world: &mut World, mapping: usize, shard: u32, discarded: &Discarded, ended: Option<&Ended>) {
    let (lambda, mut cx) = world.lambda_cx();
    lambda.note_events(&mut cx, mapping, EventCount::Dropped, discarded.count as usize);
    let Some(found) = world.lambda.mapping(mapping) else { return };
    let Some(target) = found.settings.on_failure.clone() else { return };
    let function = found.function;
    let request = ended.map_or_else(|| "00000000-0000-0000-0000-000000000000".to_owned(), |e| e.request.text());
    let version = ended.map_or(VersionNumber::LATEST, |ended| ended.version).to_string();
    // A function that names the items that failed has not failed itself.
    let error = ended.filter(|ended| !ended.outcome.is_success()).map(|_| "Unhandled");
    let mut record = json!({
        "requestContext": {
            "requestId": request,
            "functionArn": world.lambda.function(function).map(|function| function.qualified_arn(&found.settings.qualifier)),
            "condition": discarded.condition,
            "approximateInvokeCount": discarded.invokes,
        },
        "responseContext": {"statusCode": 200, "executedVersion": version, "functionError": error},
        "version": "1.0",
        "timestamp": iso_millis(world.now),
        "KinesisBatchInfo": {
            "shardId": ShardId(shard).to_string(),
            "startSequenceNumber": discarded.first.sequence.to_string(),
            "endSequenceNumber": discarded.last.sequence.to_string(),
            "approximateArrivalOfFirstRecord": iso_millis(discarded.first.arrived),
            "approximateArrivalOfLastRecord": iso_millis(discarded.last.arrived),
            "batchSize": discarded.count,
            "streamArn": found.source_arn,
        },
    });
    if ended.is_none()
        && let Some(members) = record.as_object_mut()
    {
        members.remove("responseContext");
    }
    let arn = world.lambda.function(function).map(|function| function.arn.clone());
    let lineage = arn.map_or_else(Lineage::default, |arn| Lineage::default().after(&arn));
    let is_delivered = super::send_json(world, function, &target, &record, lineage);
    let (lambda, mut cx) = world.lambda_cx();
    if is_delivered {
        lambda.note_events(&mut cx, mapping, EventCount::OnFailureDelivered, discarded.count as usize);
    } else {
        lambda.destination_failed(&mut cx, function);
    }
}
