//! A row: one resource with its values, parts, links, health and freshness.

use crate::domain::field::Fields;
use crate::domain::time::Timestamp;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The kinds of resources that midwatch watches. The order is the order of tabs and sweeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KindId {
    Kinesis,
    Sqs,
    Lambda,
    Sns,
    Swf,
    Firehose,
    Alarm,
    Kcl,
}

impl KindId {
    pub const ALL: [Self; 8] =
        [Self::Kinesis, Self::Sqs, Self::Lambda, Self::Sns, Self::Swf, Self::Firehose, Self::Alarm, Self::Kcl];

    /// The word in ids, commands and JSON: `kinesis`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kinesis => "kinesis",
            Self::Sqs => "sqs",
            Self::Lambda => "lambda",
            Self::Sns => "sns",
            Self::Swf => "swf",
            Self::Firehose => "firehose",
            Self::Alarm => "alarm",
            Self::Kcl => "kcl",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Where a resource is: the name of one of several contexts that are watched at once. The only one that is watched needs
/// no name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(Option<Arc<str>>);

impl Place {
    pub fn named(name: &str) -> Self {
        Self(Some(name.into()))
    }

    /// `None` where only one context is watched.
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// `kind/name`, such as `sqs/orders-dlq`; where several contexts are watched, `context/kind/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    pub kind: KindId,
    pub name: String,
    pub place: Place,
}

impl ResourceId {
    /// Where only one place is spoken of.
    pub fn new(kind: KindId, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), place: Place::default() }
    }

    /// The same resource, said to be there.
    pub fn at(self, place: &Place) -> Self {
        Self { place: place.clone(), ..self }
    }

    /// What tells it from others of its kind: its name, where several contexts are watched with its own before it.
    pub fn name_among_places(&self) -> Cow<'_, str> {
        match self.place.name() {
            Some(place) => format!("{place}/{}", self.name).into(),
            None => self.name.as_str().into(),
        }
    }

    /// Reads an id as people write it, with what stands before it: which of several contexts it is in, by its name or as
    /// `account/region`.
    pub fn parse_in_context(text: &str) -> Result<(Option<&str>, Self), String> {
        for (slash, _) in text.match_indices('/') {
            let (before, after) = (&text[..slash], &text[slash + 1..]);
            if KindId::from_word(before).is_some() {
                break;
            }
            let is_id = after.split_once('/').is_some_and(|(word, _)| KindId::from_word(word).is_some());
            if is_id && !before.is_empty() {
                return Self::parse(after).map(|id| (Some(before), id));
            }
        }
        Self::parse(text).map(|id| (None, id))
    }

    /// Reads `sqs/orders-dlq`; the error names what is wrong and what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let kinds = || KindId::ALL.map(KindId::word).join(", ");
        let (word, name) = text
            .split_once('/')
            .ok_or_else(|| format!("`{text}` is no resource id: write kind/name, such as sqs/orders"))?;
        let kind = KindId::from_word(word)
            .ok_or_else(|| format!("`{word}` in `{text}` is no kind: use one of {}", kinds()))?;
        if name.is_empty() {
            return Err(format!("`{text}` has no name after the slash"));
        }
        Ok(Self::new(kind, name))
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place.name() {
            write!(f, "{place}/")?;
        }
        write!(f, "{}/{}", self.kind.word(), self.name)
    }
}

/// How a resource is. Ordered from best to worst; what is not known is not healthy, and ranks between ok and warn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Health {
    Ok,
    #[default]
    Unknown,
    Warn,
    Crit,
}

impl Health {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Crit => "crit",
        }
    }
}

/// An edge of the estate's graph, said from this row: `orders-dlq` *dead-letters-of* `orders`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    pub to: ResourceId,
    pub relation: Relation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// This queue takes the dead letters of that one.
    DeadLettersOf,
    /// This queue's dead letters go to that one.
    DeadLettersTo,
    /// This function is fed by that stream or queue (an event source mapping), or this delivery stream by that stream.
    FedBy,
    /// This stream or queue feeds that function, or that delivery stream.
    Feeds,
    /// This topic delivers to that queue, function or delivery stream (a subscription).
    DeliversTo,
    /// This queue, function or delivery stream is subscribed to that topic.
    SubscribedTo,
    /// This alarm is about that resource.
    Watches,
    /// This resource has that alarm.
    WatchedBy,
    /// This application reads that stream.
    Reads,
    /// This stream is read by that application.
    ReadBy,
}

impl Relation {
    pub const fn word(self) -> &'static str {
        match self {
            Self::DeadLettersOf => "dead-letters-of",
            Self::DeadLettersTo => "dead-letters-to",
            Self::FedBy => "fed-by",
            Self::Feeds => "feeds",
            Self::DeliversTo => "delivers-to",
            Self::SubscribedTo => "subscribed-to",
            Self::Watches => "watches",
            Self::WatchedBy => "watched-by",
            Self::Reads => "reads",
            Self::ReadBy => "read-by",
        }
    }

    /// The same edge said from the other end.
    pub const fn reverse(self) -> Self {
        match self {
            Self::DeadLettersOf => Self::DeadLettersTo,
            Self::DeadLettersTo => Self::DeadLettersOf,
            Self::FedBy => Self::Feeds,
            Self::Feeds => Self::FedBy,
            Self::DeliversTo => Self::SubscribedTo,
            Self::SubscribedTo => Self::DeliversTo,
            Self::Watches => Self::WatchedBy,
            Self::WatchedBy => Self::Watches,
            Self::Reads => Self::ReadBy,
            Self::ReadBy => Self::Reads,
        }
    }
}

/// A part of a resource with values of its own: a shard, an event source mapping, a move task, a subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Unique within the row: `shardId-000000000003`, a mapping's UUID, a task's handle.
    pub id: String,
    pub fields: Fields,
}

/// One resource as it was last seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: ResourceId,
    pub fields: Fields,
    pub parts: Vec<Part>,
    pub links: Vec<Link>,
    pub health: Health,
    /// Why it is not `Ok`, one short sentence each, worst first.
    pub reasons: Vec<String>,
    /// When the last answer about it came.
    pub as_of: Timestamp,
    /// Set when the last asking failed: since when, and the sentence. The values are the last good ones.
    pub stale: Option<Stale>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    pub since: Timestamp,
    pub sentence: String,
}

impl Row {
    pub fn new(id: ResourceId, as_of: Timestamp) -> Self {
        Self {
            id,
            fields: Fields::default(),
            parts: Vec::new(),
            links: Vec::new(),
            health: Health::Unknown,
            reasons: Vec::new(),
            as_of,
            stale: None,
        }
    }

    /// The resources at the other end of links of this relation.
    pub fn linked(&self, relation: Relation) -> impl Iterator<Item = &ResourceId> {
        self.links.iter().filter(move |link| link.relation == relation).map(|link| &link.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_written() {
        let id = ResourceId::parse("sqs/orders-dlq").unwrap();
        assert_eq!((id.kind, id.name.as_str()), (KindId::Sqs, "orders-dlq"));
        assert_eq!(id.to_string(), "sqs/orders-dlq");
        assert!(ResourceId::parse("orders").unwrap_err().contains("kind/name"));
        assert!(ResourceId::parse("ec2/i-1").unwrap_err().contains("kinesis, sqs, lambda, sns"));
    }

    #[test]
    fn what_stands_before_an_id_says_which_context_is_meant() {
        let orders = || ResourceId::parse("sqs/orders").unwrap();
        assert_eq!(ResourceId::parse_in_context("sqs/orders").unwrap(), (None, orders()));
        assert_eq!(ResourceId::parse_in_context("prod/sqs/orders").unwrap(), (Some("prod"), orders()));
        let (place, id) = ResourceId::parse_in_context("111122223333/eu-west-1/sqs/orders").unwrap();
        assert_eq!((place, id), (Some("111122223333/eu-west-1"), orders()));
        let (place, id) = ResourceId::parse_in_context("sqs/lambda/odd").unwrap();
        assert_eq!((place, id.name.as_str()), (None, "lambda/odd"), "a name may hold a kind's word");
        assert!(ResourceId::parse_in_context("prod/ec2/i-1").unwrap_err().contains("is no kind"));
        assert!(ResourceId::parse_in_context("prod/sqs/").unwrap_err().contains("no name"));
    }

    #[test]
    fn ids_of_one_of_several_contexts_begin_with_it() {
        let id = ResourceId::parse("sqs/orders").unwrap().at(&Place::named("prod"));
        assert_eq!(id.to_string(), "prod/sqs/orders");
        assert_ne!(id, id.clone().at(&Place::named("staging")));
    }

    #[test]
    fn unknown_ranks_between_ok_and_warn() {
        assert!(Health::Ok < Health::Unknown && Health::Unknown < Health::Warn && Health::Warn < Health::Crit);
    }
}
