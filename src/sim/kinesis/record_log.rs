//! A shard's records in order of arrival: 24 bytes for a made record, chunked so that trimming frees memory.

use super::key::{Key, KeyId};
use crate::domain::time::Timestamp;
use crate::sim::payload::{Payload, TemplateId};
use std::collections::VecDeque;

const CHUNK: usize = 2048;
/// The template of a record whose body or key is in the side table.
const ASIDE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Stored {
    arrived_ms: i64,
    /// A made body's seed, or the record's number in the side table.
    seed: u64,
    key: u32,
    template: u32,
}

const _: () = assert!(size_of::<Stored>() <= 32);

/// What a client sent: its bytes and its key's text.
struct Aside {
    key: Key,
    payload: Payload,
}

/// The records of one shard, numbered from 0 by their ordinal.
#[derive(Default)]
pub struct RecordLog {
    chunks: VecDeque<Vec<Stored>>,
    /// Ordinal of the first record of the first chunk.
    chunks_from: u64,
    /// Ordinal of the oldest record that is still kept.
    first: u64,
    /// Ordinal of the next record to come.
    next: u64,
    aside: VecDeque<Aside>,
    /// Records that ever left the side table at its front.
    aside_from: u64,
}

impl RecordLog {
    /// Ordinal of the oldest kept record, or `next` when there is none.
    pub fn first(&self) -> u64 {
        self.first
    }

    pub fn next(&self) -> u64 {
        self.next
    }

    pub fn push(&mut self, arrived: Timestamp, key: Key, payload: Payload) -> u64 {
        let arrived_ms = arrived.millis();
        let stored = match (key, payload) {
            (Key::Interned(KeyId(key)), Payload::Made { template: TemplateId(template), seed })
                if template != ASIDE =>
            {
                Stored { arrived_ms, seed, key, template }
            }
            (key, payload) => {
                let seed = self.aside_from + self.aside.len() as u64;
                self.aside.push_back(Aside { key, payload });
                Stored { arrived_ms, seed, key: 0, template: ASIDE }
            }
        };
        match self.chunks.back_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(stored),
            Some(_) => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(stored);
                self.chunks.push_back(chunk);
            }
            // The first chunk grows by itself: most shards of a quiet stream never fill one.
            None => self.chunks.push_back(vec![stored]),
        }
        self.next += 1;
        self.next - 1
    }

    /// Visits records from ordinal `from` on until `visit` says false.
    pub fn visit(&self, from: u64, mut visit: impl FnMut(u64, Timestamp, Key, Payload) -> bool) {
        let mut ordinal = from.max(self.first);
        while ordinal < self.next {
            let offset = (ordinal - self.chunks_from) as usize;
            let Some(chunk) = self.chunks.get(offset / CHUNK) else { return };
            for stored in chunk.iter().skip(offset % CHUNK) {
                let (key, payload) = self.open(stored);
                if !visit(ordinal, Timestamp::from_millis(stored.arrived_ms), key, payload) {
                    return;
                }
                ordinal += 1;
            }
        }
    }

    fn open(&self, stored: &Stored) -> (Key, Payload) {
        if stored.template != ASIDE {
            let payload = Payload::Made { template: TemplateId(stored.template), seed: stored.seed };
            return (Key::Interned(KeyId(stored.key)), payload);
        }
        let aside = &self.aside[(stored.seed - self.aside_from) as usize];
        (aside.key.clone(), aside.payload.clone())
    }

    /// When the record arrived, for an ordinal that is kept.
    pub fn arrived(&self, ordinal: u64) -> Option<Timestamp> {
        let offset = ordinal.checked_sub(self.chunks_from)? as usize;
        let stored = self.chunks.get(offset / CHUNK)?.get(offset % CHUNK)?;
        Some(Timestamp::from_millis(stored.arrived_ms))
    }

    /// The ordinal of the first kept record that arrived at `time` or later; `next` when there is none.
    pub fn at_or_after(&self, time: Timestamp) -> u64 {
        let ms = time.millis();
        let index = self.chunks.partition_point(|chunk| chunk.last().is_some_and(|stored| stored.arrived_ms < ms));
        let within = self.chunks.get(index).map_or(0, |chunk| chunk.partition_point(|s| s.arrived_ms < ms));
        (self.chunks_from + (index * CHUNK + within) as u64).clamp(self.first, self.next)
    }

    /// Drops what arrived before `horizon`. Arrival never goes back, so this is a prefix.
    pub fn trim_before(&mut self, horizon: Timestamp) {
        let keep_from = self.at_or_after(horizon);
        while self.first < keep_from {
            let offset = (self.first - self.chunks_from) as usize;
            let Some(chunk) = self.chunks.front() else { return };
            let until = ((keep_from - self.chunks_from) as usize).min(chunk.len());
            if !self.aside.is_empty() {
                let gone = chunk[offset..until].iter().filter(|stored| stored.template == ASIDE).count();
                self.aside.drain(..gone);
                self.aside_from += gone as u64;
            }
            self.first += (until - offset) as u64;
            // Only a full chunk may go: ordinals are found by dividing by the chunk's size.
            if until == CHUNK {
                self.chunks.pop_front();
                self.chunks_from += CHUNK as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn t(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn made(seed: u64) -> Payload {
        Payload::Made { template: TemplateId(0), seed }
    }

    fn ordinals(log: &RecordLog, from: u64) -> Vec<u64> {
        let mut seen = vec![];
        log.visit(from, |ordinal, _, _, _| {
            seen.push(ordinal);
            true
        });
        seen
    }

    #[test]
    fn gives_back_made_and_sent_records_in_order() {
        let mut log = RecordLog::default();
        log.push(t(1), Key::Interned(KeyId(4)), made(9));
        log.push(t(2), Key::Text("k".into()), Payload::Sent(Bytes::from_static(b"body")));
        log.push(t(3), Key::Text("m".into()), made(7));
        let mut seen = vec![];
        log.visit(0, |ordinal, at, key, payload| {
            seen.push((ordinal, at, key, payload));
            true
        });
        assert_eq!(
            seen,
            [
                (0, t(1), Key::Interned(KeyId(4)), made(9)),
                (1, t(2), Key::Text("k".into()), Payload::Sent(Bytes::from_static(b"body"))),
                (2, t(3), Key::Text("m".into()), made(7)),
            ]
        );
    }

    #[test]
    fn trims_exactly_by_time_across_chunks_and_finds_records_by_time() {
        let mut log = RecordLog::default();
        for ms in 0..5000u64 {
            let payload = if ms % 3 == 0 { Payload::Sent(Bytes::from(ms.to_string())) } else { made(ms) };
            log.push(t(ms as i64), Key::Interned(KeyId(0)), payload);
        }
        assert_eq!(log.at_or_after(t(4321)), 4321);
        for horizon in [1, 100, 2047, 2048, 2049, 4096, 4999] {
            log.trim_before(t(horizon));
            assert_eq!(log.first(), horizon as u64);
            assert_eq!(log.arrived(log.first()), Some(t(horizon)));
            assert_eq!(ordinals(&log, 0), (horizon as u64..5000).collect::<Vec<_>>());
            log.visit(0, |ordinal, _, _, payload| {
                if ordinal % 3 == 0 {
                    assert_eq!(payload, Payload::Sent(Bytes::from(ordinal.to_string())));
                }
                true
            });
        }
        log.trim_before(t(9000));
        assert_eq!((log.first(), log.next()), (5000, 5000));
        assert!(log.aside.is_empty());
        assert_eq!(log.push(t(9001), Key::Interned(KeyId(0)), made(1)), 5000);
        assert_eq!(ordinals(&log, 0), [5000]);
    }
}
