//! Partition keys: their place on the hash ring, and a table that keeps the text of each repeated key once.

use md5::{Digest, Md5};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A partition key in the service's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

/// A record's partition key as it is kept: actors' keys are in the table, a client's key is its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Interned(KeyId),
    Text(Arc<str>),
}

/// MD5 of the key's UTF-8 bytes as an unsigned 128-bit number (PutRecord, "partition key").
pub fn hash_of(key: &str) -> u128 {
    let digest = Md5::digest(key.as_bytes());
    digest.iter().fold(0, |hash, byte| (hash << 8) | u128::from(*byte))
}

/// An inclusive range of hash keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashRange {
    pub start: u128,
    pub end: u128,
}

impl HashRange {
    pub fn contains(&self, hash: u128) -> bool {
        (self.start..=self.end).contains(&hash)
    }

    /// Where the upper half begins.
    pub fn middle(&self) -> u128 {
        self.start + (self.end - self.start) / 2 + 1
    }

    /// The `index`-th of `count` equal parts of the whole ring, as CreateStream cuts it.
    /// `index` is below `count` and `count` above 0.
    pub fn part(index: u32, count: u32) -> Self {
        let end = if index + 1 == count { u128::MAX } else { boundary(index + 1, count) - 1 };
        Self { start: boundary(index, count), end }
    }
}

/// AWS gives every shard floor(2^128 / count) keys and the last one the rest. `index` is below `count`.
fn boundary(index: u32, count: u32) -> u128 {
    let count = u128::from(count);
    let whole = u128::MAX / count;
    // 2^128 is one more than the largest number at hand, which matters only where `count` divides it.
    let width = if u128::MAX % count == count - 1 { whole.wrapping_add(1) } else { whole };
    width.wrapping_mul(u128::from(index))
}

/// The table of repeated keys. Ids are indices and are never taken back.
#[derive(Default, Debug)]
pub struct Keys {
    ids: BTreeMap<Arc<str>, KeyId>,
    all: Vec<InternedKey>,
}

#[derive(Debug)]
pub(super) struct InternedKey {
    pub text: Arc<str>,
    pub hash: u128,
}

impl Keys {
    pub fn intern(&mut self, text: &str) -> KeyId {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = KeyId(self.all.len() as u32);
        let text: Arc<str> = Arc::from(text);
        self.all.push(InternedKey { text: text.clone(), hash: hash_of(&text) });
        self.ids.insert(text, id);
        id
    }

    pub(super) fn get(&self, id: KeyId) -> &InternedKey {
        &self.all[id.0 as usize]
    }

    pub fn text<'a>(&'a self, key: &'a Key) -> &'a str {
        match key {
            Key::Interned(id) => &self.get(*id).text,
            Key::Text(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_a_key_as_md5_does() {
        assert_eq!(hash_of(""), 0xd41d8cd98f00b204e9800998ecf8427e);
        assert_eq!(hash_of("hotel-17"), {
            let mut keys = Keys::default();
            let id = keys.intern("hotel-17");
            keys.get(id).hash
        });
    }

    #[test]
    fn keeps_each_key_once() {
        let mut keys = Keys::default();
        let (a, b) = (keys.intern("a"), keys.intern("b"));
        assert_ne!(a, b);
        assert_eq!(keys.intern("a"), a);
        assert_eq!(keys.text(&Key::Interned(b)), "b");
    }

    #[test]
    fn equal_parts_cover_the_ring_without_gap_or_overlap() {
        assert_eq!(HashRange::part(0, 1), HashRange { start: 0, end: u128::MAX });
        assert_eq!(HashRange::part(1, 2).start, 170141183460469231731687303715884105728);
        // As AWS cuts a stream of three.
        assert_eq!(HashRange::part(0, 3).end, 113427455640312821154458202477256070484);
        assert_eq!(HashRange::part(1, 3).end, 226854911280625642308916404954512140969);
        for count in [1, 2, 3, 5, 7, 10, 64, 1000] {
            assert_eq!(HashRange::part(0, count).start, 0);
            assert_eq!(HashRange::part(count - 1, count).end, u128::MAX);
            for index in 1..count {
                assert_eq!(HashRange::part(index - 1, count).end + 1, HashRange::part(index, count).start);
            }
        }
    }
}
