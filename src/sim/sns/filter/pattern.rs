//! One alternative of a policy's key: what a value must be.

use super::cidr::Cidr;
use std::collections::BTreeSet;

/// Wildcard points of one policy, at most ("Wildcard pattern usage guidelines").
pub const WILDCARD_POINTS_MAX: u64 = 100;
/// Wildcards of one pattern, at most (same page).
pub const WILDCARDS_MAX: usize = 3;
/// Numbers reach from minus to plus this ("Filter policy constraints").
pub const NUMBER_MAX: f64 = 1e9;

/// A number with five decimals, as numbers are compared ("Filter policy constraints").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fixed(i64);

impl Fixed {
    /// `None` for what is out of range.
    pub fn of(number: f64) -> Option<Self> {
        (number.abs() <= NUMBER_MAX).then(|| Self((number * 1e5).round() as i64))
    }
}

/// A value of a message, as patterns see it.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    Text(String),
    /// The number and its text.
    Number(Option<Fixed>, String),
    /// `true`, `false` or `null`.
    Word(&'static str),
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    Text(String),
    Number(Option<Fixed>, String),
    Word(&'static str),
    Prefix(String),
    Suffix(String),
    EqualsIgnoreCase(String),
    /// The parts between the asterisks.
    Wildcard(Vec<String>),
    AnythingBut(BTreeSet<String>),
    AnythingButNumber(BTreeSet<Fixed>),
    AnythingButPrefix(String),
    AnythingButSuffix(String),
    AnythingButWildcard(Vec<String>),
    Range {
        bottom: Option<Bound>,
        top: Option<Bound>,
    },
    Cidr(Cidr),
    /// There is a value, whatever it is.
    Present,
    /// There is none.
    Absent,
}

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    pub value: Fixed,
    pub is_open: bool,
}

impl Pattern {
    pub fn matches(&self, value: &Scalar) -> bool {
        match (self, value) {
            (Self::Present, _) => true,
            (Self::Text(wanted), Scalar::Text(text)) => wanted == text,
            (Self::Number(wanted, text), Scalar::Number(number, written)) => {
                text == written || wanted.is_some() && wanted == number
            }
            (Self::Word(wanted), Scalar::Word(word)) => wanted == word,
            (Self::Prefix(prefix), Scalar::Text(text)) => text.starts_with(prefix),
            (Self::Suffix(suffix), Scalar::Text(text)) => text.ends_with(suffix),
            (Self::EqualsIgnoreCase(wanted), Scalar::Text(text)) => wanted.to_lowercase() == text.to_lowercase(),
            (Self::Wildcard(parts), Scalar::Text(text)) => fits(parts, text),
            (Self::Cidr(cidr), Scalar::Text(text)) => cidr.holds(text),
            (Self::Range { bottom, top }, Scalar::Number(Some(number), _)) => {
                let above = |bound: &Bound| *number > bound.value || !bound.is_open && *number == bound.value;
                let below = |bound: &Bound| *number < bound.value || !bound.is_open && *number == bound.value;
                bottom.as_ref().is_none_or(above) && top.as_ref().is_none_or(below)
            }
            (Self::AnythingBut(unwanted), value) => {
                !matches!(value, Scalar::Text(text) if unwanted.contains(text.as_str()))
            }
            (Self::AnythingButNumber(unwanted), value) => {
                !matches!(value, Scalar::Number(Some(number), _) if unwanted.contains(number))
            }
            (Self::AnythingButPrefix(prefix), value) => {
                !matches!(value, Scalar::Text(text) if text.starts_with(prefix))
            }
            (Self::AnythingButSuffix(suffix), value) => !matches!(value, Scalar::Text(text) if text.ends_with(suffix)),
            (Self::AnythingButWildcard(parts), value) => !matches!(value, Scalar::Text(text) if fits(parts, text)),
            _ => false,
        }
    }

    /// Asterisks in the pattern.
    pub fn wildcards(&self) -> usize {
        match self {
            Self::Wildcard(parts) | Self::AnythingButWildcard(parts) => parts.len() - 1,
            _ => 0,
        }
    }

    /// What the pattern adds to its key's wildcard complexity.
    pub fn points(&self) -> u64 {
        match self {
            Self::Wildcard(_) | Self::AnythingButWildcard(_) => match self.wildcards() {
                0 | 1 => 1,
                many => 3 * many as u64,
            },
            Self::AnythingBut(_)
            | Self::AnythingButNumber(_)
            | Self::AnythingButPrefix(_)
            | Self::AnythingButSuffix(_) => 1,
            _ => 0,
        }
    }
}

/// Whether the text is the parts in order, with anything between them. Taking each part where it first occurs is
/// enough, because what follows only gets more room.
fn fits(parts: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = parts else {
        return parts.first().is_some_and(|only| only == text);
    };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for part in middle {
        match rest.find(part.as_str()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}
