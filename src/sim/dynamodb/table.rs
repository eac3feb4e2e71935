//! A table: its keys and indexes, its items, its state, and how an item finds its place in it.

use super::capacity::{Billing, Capacity};
use super::fault;
use super::metrics::Meters;
use super::number::Number;
use super::path::Path;
use super::value::{Item, Value, item_size};
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use bytes::Bytes;
use md5::{Digest, Md5};
use std::collections::BTreeMap;

const HASH_KEY_MAX: usize = 2048;
const RANGE_KEY_MAX: usize = 1024;
/// An item's names and values together.
pub const ITEM_BYTES_MAX: usize = 400 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Creating,
    Active,
    Updating,
    Deleting,
}

impl Status {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    S,
    N,
    B,
}

impl KeyType {
    pub const fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        }
    }
}

/// The names of a key's attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySchema {
    pub hash: String,
    pub range: Option<String>,
}

impl KeySchema {
    pub fn names(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.hash).chain(&self.range)
    }
}

/// What of an item an index holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Projection {
    All,
    KeysOnly,
    Include(Vec<String>),
}

pub struct Index {
    pub name: String,
    pub is_global: bool,
    pub keys: KeySchema,
    pub projection: Projection,
    pub status: Status,
    pub is_backfilling: bool,
    /// Of a global index; a local one works from its table's.
    pub capacity: Capacity,
    pub warm: Option<(u64, u64)>,
}

pub struct Table {
    pub name: String,
    pub id: String,
    pub created: Timestamp,
    pub status: Status,
    /// When the pending change ends.
    pub settles_at: Option<Timestamp>,
    pub attributes: Vec<(String, KeyType)>,
    pub keys: KeySchema,
    pub indexes: Vec<Index>,
    pub billing: Billing,
    pub to_pay_per_request_at: Option<Timestamp>,
    pub capacity: Capacity,
    pub items: BTreeMap<Key, Item>,
    /// Of all items.
    pub bytes: usize,
    pub tags: BTreeMap<String, String>,
    pub is_protected: bool,
    pub class: Option<String>,
    pub encryption: Option<String>,
    /// Read and write units a second that were asked to be taken at once.
    pub warm: Option<(u64, u64)>,
    pub time_to_live: Option<String>,
    /// The share of requests that a fault throttles, 0 to 1.
    pub choked: f64,
    pub(super) meters: Meters,
}

/// A key attribute's value, in the order of sort keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyValue {
    S(String),
    N(Number),
    B(Bytes),
}

impl KeyValue {
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::S(text) => Some(Self::S(text.clone())),
            Value::N(number) => Some(Self::N(*number)),
            Value::B(bytes) => Some(Self::B(bytes.clone())),
            _ => None,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
        }
    }

    fn is_empty(&self) -> bool {
        !matches!(self, Self::N(_)) && self.size() == 0
    }

    /// Where the partition lies among all: partitions are spread by a hash of their key.
    fn slot(&self) -> u64 {
        let digest = match self {
            Self::S(text) => Md5::digest(text),
            Self::N(number) => Md5::digest(number.to_string()),
            Self::B(bytes) => Md5::digest(bytes),
        };
        digest.iter().take(8).fold(0, |slot, byte| slot << 8 | u64::from(*byte))
    }
}

/// An item's place: the order of a Scan, and within one partition that of a Query.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub slot: u64,
    pub hash: KeyValue,
    pub range: Option<KeyValue>,
}

impl Key {
    pub fn new(hash: KeyValue, range: Option<KeyValue>) -> Self {
        Self { slot: hash.slot(), hash, range }
    }

    /// The item's key by these names; `None` where one is not there or of no key's type.
    pub fn by(keys: &KeySchema, item: &Item) -> Option<Self> {
        let hash = KeyValue::of(item.get(&keys.hash)?)?;
        let range = match &keys.range {
            Some(name) => Some(KeyValue::of(item.get(name)?)?),
            None => None,
        };
        Some(Self::new(hash, range))
    }
}

impl Table {
    /// `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`
    pub fn arn(&self, place: &Place) -> String {
        place.arn("dynamodb", &format!("table/{}", self.name))
    }

    pub fn type_of(&self, attribute: &str) -> Option<KeyType> {
        self.attributes.iter().find(|(name, _)| name == attribute).map(|(_, kind)| *kind)
    }

    /// The index that can be read.
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// The place of the item with exactly this key. Errors: `ValidationException`.
    pub fn key_exactly(&self, key: &Item) -> Result<Key, ApiError> {
        if key.len() != self.keys.names().count() {
            return Err(fault::key_mismatch());
        }
        for name in self.keys.names() {
            let kind = self.type_of(name).map_or("S", KeyType::name);
            if key.get(name).is_none_or(|value| value.kind() != kind) {
                return Err(fault::key_mismatch());
            }
        }
        self.checked_key(key)
    }

    /// No path leads into a key, which is never a document. Errors: `ValidationException`.
    pub fn check_whole_keys(&self, paths: Option<&[Path]>) -> Result<(), ApiError> {
        let leads_into = |name: &&String| {
            let mut paths = paths.into_iter().flatten();
            paths.any(|path| path.attribute == **name && !path.steps.is_empty())
        };
        let of_indexes = self.indexes.iter().flat_map(|index| index.keys.names());
        let found = self.keys.names().find(leads_into).map(|name| ("Key", name));
        match found.or_else(|| of_indexes.into_iter().find(leads_into).map(|name| ("IndexKey", name))) {
            None => Ok(()),
            Some((kind, name)) => Err(fault::validation(format!(
                "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: {kind}: \
                 {name}"
            ))),
        }
    }

    /// The place of a whole item, whose index keys are checked, too. Errors: `ValidationException`.
    pub fn key_of_item(&self, item: &Item) -> Result<Key, ApiError> {
        for name in self.keys.names() {
            let Some(value) = item.get(name) else {
                return Err(fault::invalid(format!("Missing the key {name} in the item")));
            };
            let kind = self.type_of(name).map_or("S", KeyType::name);
            if value.kind() != kind {
                let actual = value.kind();
                return Err(fault::invalid(format!("Type mismatch for key {name} expected: {kind} actual: {actual}")));
            }
        }
        self.checked_key(item)
    }

    fn checked_key(&self, item: &Item) -> Result<Key, ApiError> {
        let key = Key::by(&self.keys, item).ok_or_else(fault::key_mismatch)?;
        for (name, value) in self.keys.names().zip(std::iter::once(&key.hash).chain(&key.range)) {
            if value.is_empty() {
                let kind = if matches!(value, KeyValue::B(_)) { "binary" } else { "string" };
                return Err(fault::validation(format!(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain \
                     an empty {kind} value. Key: {name}"
                )));
            }
        }
        if key.hash.size() > HASH_KEY_MAX {
            // The missing space is AWS's.
            return Err(fault::invalid("Size of hashkey has exceeded the maximum size limit of2048 bytes"));
        }
        if key.range.as_ref().is_some_and(|range| range.size() > RANGE_KEY_MAX) {
            let words = "Aggregated size of all range keys has exceeded the size limit of 1024 bytes";
            return Err(fault::invalid(words));
        }
        Ok(key)
    }

    /// Whether the item may go into every index. Errors: `ValidationException`.
    pub fn check_index_keys(&self, item: &Item) -> Result<(), ApiError> {
        for index in &self.indexes {
            let index_keys = &index.keys;
            for name in index_keys.names() {
                let (Some(value), Some(kind)) = (item.get(name), self.type_of(name)) else { continue };
                let (kind, actual, index) = (kind.name(), value.kind(), &index.name);
                if kind != actual {
                    return Err(fault::invalid(format!(
                        "Type mismatch for Index Key {name} Expected: {kind} Actual: {actual} IndexName: {index}"
                    )));
                }
                let key = KeyValue::of(value);
                if key.as_ref().is_some_and(|key| *name == index_keys.hash && key.size() > HASH_KEY_MAX) {
                    return Err(fault::invalid("Size of hashkey has exceeded the maximum size limit of2048 bytes"));
                }
                if key.as_ref().is_some_and(|key| *name != index_keys.hash && key.size() > RANGE_KEY_MAX) {
                    let words = "Aggregated size of all range keys has exceeded the size limit of 1024 bytes";
                    return Err(fault::invalid(words));
                }
                if let Some(empty) = key.filter(KeyValue::is_empty) {
                    let kind = if matches!(empty, KeyValue::B(_)) { "binary" } else { "string" };
                    return Err(fault::validation(format!(
                        "One or more parameter values are not valid. A value specified for a secondary index key is not \
                         supported. The AttributeValue for a key attribute cannot contain an empty {kind} value. \
                         IndexName: {index}, IndexKey: {name}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// The part of the item that the index holds; `None` where the item lacks one of the index's keys.
    pub fn projected(&self, index: &Index, item: &Item) -> Option<Item> {
        if index.keys.names().any(|name| !item.contains_key(name)) {
            return None;
        }
        let keys = || self.keys.names().chain(index.keys.names());
        let is_held = |name: &String| match &index.projection {
            Projection::All => true,
            Projection::KeysOnly => keys().any(|key| key == name),
            Projection::Include(more) => keys().any(|key| key == name) || more.contains(name),
        };
        Some(item.iter().filter(|(name, _)| is_held(name)).map(|(n, v)| (n.clone(), v.clone())).collect())
    }

    /// Puts the item in its place, or takes away what is there.
    pub(super) fn store(&mut self, key: Key, item: Option<Item>) {
        let old = match item {
            Some(item) => {
                self.bytes += item_size(&item);
                self.items.insert(key, item)
            }
            None => self.items.remove(&key),
        };
        self.bytes -= old.as_ref().map_or(0, item_size);
    }

    /// The key attributes of an item, of the table and of an index.
    pub fn key_attributes(&self, index: Option<&Index>, item: &Item) -> Item {
        let names = self.keys.names().chain(index.into_iter().flat_map(|index| index.keys.names()));
        names.filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect()
    }

    /// Bytes of the items that have this partition key, here and in the local indexes; `None` for a table without
    /// local indexes, which has no item collections.
    pub fn collection_bytes(&self, hash: &KeyValue) -> Option<usize> {
        let local: Vec<&Index> = self.indexes.iter().filter(|index| !index.is_global).collect();
        if local.is_empty() {
            return None;
        }
        let first = Key::new(hash.clone(), None);
        let items = self.items.range(first..).take_while(|(key, _)| key.hash == *hash).map(|(_, item)| item);
        let size = |item: &Item| {
            let projected = local.iter().filter_map(|index| self.projected(index, item));
            item_size(item) + projected.map(|part| item_size(&part)).sum::<usize>()
        };
        Some(items.map(size).sum())
    }

    /// Takes data requests.
    pub fn is_open(&self) -> bool {
        matches!(self.status, Status::Active | Status::Updating)
    }
}
