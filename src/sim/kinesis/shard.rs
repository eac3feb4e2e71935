//! One shard: its range of hash keys, its parents and children, its records, and what it may take and give.

use super::key::HashRange;
use super::metrics::ShardSeries;
use super::record_log::RecordLog;
use super::sequence::{Sequence, ShardId};
use crate::domain::time::Timestamp;
use crate::sim::rate::TokenBucket;

/// One second's worth of bytes that a shard takes; also the burst.
const WRITE_BYTES_PER_S: f64 = 1_048_576.0;
const WRITE_RECORDS_PER_S: f64 = 1000.0;
const READ_BYTES_PER_S: f64 = 2_097_152.0;
const READ_CALLS_PER_S: f64 = 5.0;
const ITERATORS_PER_S: f64 = 5.0;

pub struct Shard {
    pub id: ShardId,
    pub range: HashRange,
    pub parent: Option<ShardId>,
    pub adjacent_parent: Option<ShardId>,
    pub children: Vec<ShardId>,
    /// Goes into the shard's sequence numbers.
    pub created_s: u64,
    pub opened: Timestamp,
    pub closed: Option<Timestamp>,
    pub log: RecordLog,
    pub limits: Limits,
    pub(super) series: ShardSeries,
    pub(super) tally: Tally,
}

/// What one PutRecords call did to this shard, kept only while its metrics are on; moved to them when the call ends.
#[derive(Default, Clone, Copy)]
pub(super) struct Tally {
    pub records: u32,
    pub bytes: u64,
    pub throttled: u32,
}

impl Tally {
    pub fn count(&mut self, bytes: usize, admitted: bool) {
        if admitted {
            self.records += 1;
            self.bytes += bytes as u64;
        } else {
            self.throttled += 1;
        }
    }
}

impl Shard {
    pub fn new(id: ShardId, range: HashRange, created_s: u64, now: Timestamp) -> Self {
        Self {
            id,
            range,
            parent: None,
            adjacent_parent: None,
            children: vec![],
            created_s,
            opened: now,
            closed: None,
            log: RecordLog::default(),
            limits: Limits::new(now),
            series: ShardSeries::default(),
            tally: Tally::default(),
        }
    }

    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// The sequence number of the record with this ordinal that arrived then.
    pub fn sequence(&self, ordinal: u64, arrived: Timestamp) -> Sequence {
        Sequence {
            shard_created_s: self.created_s,
            index: ordinal + 1,
            at_s: arrived.secs().max(0) as u64,
            shard: self.id,
        }
    }

    pub fn starting_sequence(&self) -> Sequence {
        Sequence { shard_created_s: self.created_s, index: 0, at_s: self.created_s, shard: self.id }
    }

    /// Absent while the shard is open.
    pub fn ending_sequence(&self) -> Option<Sequence> {
        let at_s = self.closed?.secs().max(0) as u64;
        Some(Sequence { shard_created_s: self.created_s, index: Sequence::LAST_INDEX, at_s, shard: self.id })
    }
}

/// The shard's token buckets ("Quotas and limits"): writes of 1,000 records and 1 MiB a second, reads of 5 calls and
/// 2 MiB a second shared by all callers of GetRecords, 5 iterators a second. Each holds one second's worth.
pub struct Limits {
    write_records: TokenBucket,
    write_bytes: TokenBucket,
    read_calls: TokenBucket,
    read_bytes: TokenBucket,
    iterators: TokenBucket,
}

impl Limits {
    fn new(now: Timestamp) -> Self {
        let bucket = |per_second| TokenBucket::new(per_second, per_second, now);
        Self {
            write_records: bucket(WRITE_RECORDS_PER_S),
            write_bytes: bucket(WRITE_BYTES_PER_S),
            read_calls: bucket(READ_CALLS_PER_S),
            read_bytes: bucket(READ_BYTES_PER_S),
            iterators: bucket(ITERATORS_PER_S),
        }
    }

    /// Takes one record of `bytes` (body and key), or refuses it and spends nothing. A record larger than the burst
    /// passes when the bucket is full, and is paid for by later refusals.
    pub fn admit_write(&mut self, bytes: usize, now: Timestamp) -> bool {
        let bytes = bytes as f64;
        if self.write_bytes.available(now) + 1e-9 < bytes.min(WRITE_BYTES_PER_S) || !self.write_records.take(1.0, now) {
            return false;
        }
        self.write_bytes.take_into_debt(bytes, now);
        true
    }

    /// Takes one GetRecords call. An earlier large answer may still be unpaid.
    pub fn admit_read(&mut self, now: Timestamp) -> bool {
        self.read_bytes.available(now) > 0.0 && self.read_calls.take(1.0, now)
    }

    /// Charges an answer's bytes. One above a second's worth spends the unused burst too, so that a full answer of
    /// 10 MiB closes the shard for 5 seconds (GetRecords, "throws … for the next 5 seconds").
    pub fn charge_read(&mut self, bytes: usize, now: Timestamp) {
        let bytes = bytes as f64;
        let unused = if bytes > READ_BYTES_PER_S { self.read_bytes.available(now).max(0.0) } else { 0.0 };
        self.read_bytes.take_into_debt(bytes + unused, now);
    }

    pub fn admit_iterator(&mut self, now: Timestamp) -> bool {
        self.iterators.take(1.0, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn takes_a_thousand_records_or_a_mebibyte_a_second() {
        let mut limits = Limits::new(t(0));
        assert_eq!((0..1500).filter(|_| limits.admit_write(100, t(0))).count(), 1000);
        assert_eq!((0..1500).filter(|_| limits.admit_write(100, t(500))).count(), 500);
        let mut limits = Limits::new(t(0));
        assert_eq!((0..100).filter(|_| limits.admit_write(102_400, t(0))).count(), 10);
        assert!(limits.admit_write(10, t(0)), "a small record still fits");
    }

    #[test]
    fn a_record_of_more_than_a_mebibyte_is_paid_for_afterwards() {
        let mut limits = Limits::new(t(0));
        assert!(limits.admit_write(2 * 1_048_576, t(0)));
        assert!(!limits.admit_write(1, t(900)));
        assert!(limits.admit_write(1, t(1100)));
    }

    #[test]
    fn a_full_answer_closes_the_shard_for_five_seconds() {
        let mut limits = Limits::new(t(0));
        assert!(limits.admit_read(t(0)));
        limits.charge_read(10 * 1_048_576, t(0));
        assert!(!limits.admit_read(t(4990)));
        assert!(limits.admit_read(t(5010)));
    }

    #[test]
    fn gives_five_reads_a_second() {
        let mut limits = Limits::new(t(0));
        assert_eq!((0..9).filter(|_| limits.admit_read(t(0))).count(), 5);
        assert!(limits.admit_read(t(200)));
    }
}
