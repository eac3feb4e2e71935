//! Attribute values and items, and how many bytes they count for.
//! Source: DynamoDB "Supported data types" and "DynamoDB item sizes and formats".

use super::number::Number;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// Attributes by name.
pub type Item = BTreeMap<String, Value>;

/// Lists and maps may be nested this deep.
pub const DEPTH_MAX: usize = 32;

/// One attribute's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    S(String),
    N(Number),
    B(Bytes),
    Bool(bool),
    Null,
    Ss(BTreeSet<String>),
    Ns(BTreeSet<Number>),
    Bs(BTreeSet<Bytes>),
    L(Vec<Value>),
    M(Item),
}

impl Value {
    pub fn text(text: &str) -> Self {
        Self::S(text.to_owned())
    }

    pub fn number(value: u64) -> Self {
        Self::N(Number::from(value))
    }

    /// The type's descriptor, as on the wire.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
            Self::L(_) => "L",
            Self::M(_) => "M",
        }
    }

    /// The type's name in messages about updates.
    pub fn kind_in_words(&self) -> &'static str {
        match self {
            Self::S(_) => "STRING",
            Self::N(_) => "NUMBER",
            Self::B(_) => "BINARY",
            Self::Bool(_) => "BOOLEAN",
            Self::Null => "NULL",
            Self::Ss(_) => "STRING_SET",
            Self::Ns(_) => "NUMBER_SET",
            Self::Bs(_) => "BINARY_SET",
            Self::L(_) => "LIST",
            Self::M(_) => "MAP",
        }
    }

    /// Bytes, without the attribute's name.
    pub fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::Ss(set) => set.iter().map(String::len).sum(),
            Self::Ns(set) => set.iter().map(|number| number.size()).sum(),
            Self::Bs(set) => set.iter().map(Bytes::len).sum(),
            Self::L(values) => 3 + values.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Self::M(members) => 3 + members.iter().map(|(name, value)| 1 + name.len() + value.size()).sum::<usize>(),
        }
    }

    /// The text of a string.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::S(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a number.
    pub fn as_number(&self) -> Option<Number> {
        match self {
            Self::N(number) => Some(*number),
            _ => None,
        }
    }

    /// The set has no members.
    pub fn is_empty_set(&self) -> bool {
        match self {
            Self::Ss(set) => set.is_empty(),
            Self::Ns(set) => set.is_empty(),
            Self::Bs(set) => set.is_empty(),
            _ => false,
        }
    }
}

/// Bytes of an item: names and values.
pub fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}
