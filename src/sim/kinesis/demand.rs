//! On-demand mode: a stream grows with its writers, as "Choose the right mode" tells it: capacity for twice the highest
//! write rate that was seen, within a quarter of an hour.

use super::stream::{Change, Stream};
use crate::domain::time::Timestamp;
use crate::sim::cx::{Cx, Place};
use rand::RngExt;
use std::time::Duration;

/// The rate is taken over so long.
const WINDOW: Duration = Duration::from_secs(60);
/// What one shard takes.
const SHARD_BYTES_PER_S: f64 = 1_048_576.0;
const SHARD_RECORDS_PER_S: f64 = 1000.0;

/// What was written, or refused, since the window began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Demand {
    since: Timestamp,
    bytes: u64,
    records: u64,
}

impl Demand {
    /// Shards for twice the rate of the window that ended; `None` while it has not.
    fn shards_wanted(&self, now: Timestamp) -> Option<u32> {
        let passed_s = now.since(self.since).as_secs_f64();
        if passed_s < WINDOW.as_secs_f64() {
            return None;
        }
        let by_bytes = self.bytes as f64 / passed_s / SHARD_BYTES_PER_S;
        let by_records = self.records as f64 / passed_s / SHARD_RECORDS_PER_S;
        Some((2.0 * by_bytes.max(by_records)).ceil() as u32)
    }
}

/// 10 GiB/s in the three large Regions, 200 MiB/s elsewhere.
fn most_shards(place: &Place) -> u32 {
    match place.region.as_str() {
        "us-east-1" | "us-west-2" | "eu-west-1" => 10_240,
        _ => 200,
    }
}

/// Counts a call's records, and begins to grow where the last window asks for it: to double at most, some minutes later.
pub(super) fn count(stream: &mut Stream, cx: &mut Cx<'_>, records: u32, bytes: u64) {
    let wanted = stream.demand.shards_wanted(cx.now);
    if let Some(wanted) = wanted {
        stream.demand = Demand { since: cx.now, ..Demand::default() };
        let open = stream.open_shards();
        let target = wanted.min(open * 2).min(most_shards(cx.place));
        if target > open && stream.pending.is_none() {
            let after = Duration::from_secs(cx.rng.random_range(120..600));
            stream.begin(cx, after, Change::Resize { target });
        }
    }
    stream.demand.records += u64::from(records);
    stream.demand.bytes += bytes;
}
