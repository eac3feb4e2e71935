//! The road between Kinesis and Firehose: delivery streams read their source, one shared reader more. Only this file
//! carries records from one to the other.

use crate::sim::faults::api;
use crate::sim::firehose::{Due, Read, Reader};
use crate::sim::kinesis::{MAX_ANSWER_RECORDS, Position, ShardId};
use crate::sim::wire::Service;
use crate::sim::world::World;

/// Something inside Firehose falls due.
pub fn firehose_due(world: &mut World, due: Due) {
    match due {
        Due::Read { stream, incarnation } => read_source(world, &stream, incarnation),
        due => {
            let (firehose, mut cx) = world.firehose_cx();
            firehose.due(&mut cx, &due);
        }
    }
}

/// Reads each shard of the source once, and again a second later.
fn read_source(world: &mut World, name: &str, incarnation: u64) {
    let (firehose, mut cx) = world.firehose_cx();
    let Some(stream) = firehose.reads_again(&mut cx, name, incarnation) else { return };
    let Some(source) = stream.wants().map(str::to_owned) else { return };
    if !stream.readers.has_begun {
        let Some(kinesis) = world.kinesis.stream(&source).filter(|kinesis| kinesis.open_shards() > 0) else { return };
        world.firehose.begin_reading(name, kinesis.open().map(|shard| shard.id));
    }
    let ready = world.firehose.stream(name).map(|stream| stream.readers.ready()).unwrap_or_default();
    for (shard, reader) in ready {
        let read = read_shard(world, name, &source, shard, &reader);
        let (firehose, mut cx) = world.firehose_cx();
        if let Some(read) = read {
            firehose.note_read(&mut cx, name, shard, read);
        }
    }
}

/// `None` where the source or its shard is not there.
fn read_shard(world: &mut World, name: &str, source: &str, shard: ShardId, reader: &Reader) -> Option<Read> {
    let refused =
        |code: &str, is_iterator| (code != "ResourceNotFoundException").then_some(Read::Throttled { is_iterator });
    let by = format!("firehose/{name}");
    if reader.cursor.is_none()
        && let Err(error) = api::admit(world, &by, Service::Kinesis, "GetShardIterator", source)
    {
        return refused(error.code, true);
    }
    let admitted = api::admit(world, &by, Service::Kinesis, "GetRecords", source);
    let (kinesis, mut cx) = world.kinesis_cx();
    let cursor = match reader.cursor {
        Some(cursor) => cursor,
        None => {
            let position = if reader.from_latest { Position::Latest } else { Position::TrimHorizon };
            match kinesis.cursor(&mut cx, source, shard, position) {
                Ok(cursor) => cursor,
                Err(error) => return refused(error.code, true),
            }
        }
    };
    let answer = admitted.and_then(|()| kinesis.read(&mut cx, source, shard, cursor, MAX_ANSWER_RECORDS));
    world.firehose.set_cursor(name, shard, cursor);
    match answer {
        Ok(batch) => {
            // Keys are not delivered: only the bodies' bytes are.
            let bytes = batch.records.iter().map(|record| world.templates.len_of(&record.data) as u64).sum();
            Some(Read::Batch {
                records: batch.records.len() as u64,
                bytes,
                next: batch.next,
                behind_ms: batch.millis_behind_latest,
                children: batch.child_shards,
            })
        }
        Err(error) => refused(error.code, false),
    }
}
