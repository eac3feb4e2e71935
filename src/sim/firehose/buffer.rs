//! What waits inside a delivery stream: the open buffer, and closed ones that are to be delivered.

use crate::domain::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// A buffer: how many records, of how many bytes, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub records: u64,
    pub bytes: u64,
    /// When its oldest record came into the stream.
    pub oldest: Timestamp,
}

/// Everything that is not yet delivered.
#[derive(Debug, Default)]
pub struct Buffers {
    open: Option<Chunk>,
    /// Oldest first.
    closed: VecDeque<Chunk>,
}

impl Buffers {
    /// Takes records in; the buffer closes when it holds `size_bytes`.
    pub fn add(&mut self, now: Timestamp, records: u64, bytes: u64, size_bytes: u64) {
        let open = self.open.get_or_insert(Chunk { records: 0, bytes: 0, oldest: now });
        open.records += records;
        open.bytes += bytes;
        if open.bytes >= size_bytes {
            self.close();
        }
    }

    /// Closes the open buffer when it has waited as long as it may.
    pub fn close_when_due(&mut self, now: Timestamp, interval: Duration) {
        if self.closes_at(interval).is_some_and(|at| at <= now) {
            self.close();
        }
    }

    fn close(&mut self) {
        self.closed.extend(self.open.take());
    }

    /// When the open buffer closes by itself.
    pub fn closes_at(&self, interval: Duration) -> Option<Timestamp> {
        self.open.map(|open| open.oldest + interval)
    }

    /// The next buffer to be delivered.
    pub fn front(&self) -> Option<Chunk> {
        self.closed.front().copied()
    }

    pub fn take_front(&mut self) -> Option<Chunk> {
        self.closed.pop_front()
    }

    pub fn oldest(&self) -> Option<Timestamp> {
        self.closed.front().or(self.open.as_ref()).map(|chunk| chunk.oldest)
    }

    pub fn records(&self) -> u64 {
        self.closed.iter().chain(&self.open).map(|chunk| chunk.records).sum()
    }

    pub fn bytes(&self) -> u64 {
        self.closed.iter().chain(&self.open).map(|chunk| chunk.bytes).sum()
    }
}
