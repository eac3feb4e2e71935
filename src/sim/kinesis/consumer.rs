//! Enhanced fan-out's consumers: RegisterStreamConsumer, DeregisterStreamConsumer, DescribeStreamConsumer and
//! ListStreamConsumers. What they are pushed is in `subscribe`.

use super::metrics::ConsumerSeries;
use super::rates::Operation;
use super::stream::{Stream, StreamStatus};
use super::tags::Tags;
use super::{Due, Kinesis, fault};
use crate::domain::time::Timestamp;
use crate::sim::agenda;
use crate::sim::cx::{Cx, Place};
use crate::sim::error::ApiError;
use rand::RngExt;
use std::time::Duration;

/// Consumers that a stream may have ("Quotas and limits"), and with On-demand Advantage.
const MAX_CONSUMERS: usize = 20;
const MAX_CONSUMERS_ADVANTAGE: usize = 50;
/// RegisterStreamConsumer: at most so many of a stream in CREATING at once.
const MAX_CREATING: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerStatus {
    Creating,
    Active,
    Deleting,
}

impl ConsumerStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Deleting => "DELETING",
        }
    }
}

/// A registered consumer. One that is registered again under its old name is another one, with another ARN.
pub struct Consumer {
    pub name: String,
    pub status: ConsumerStatus,
    /// In whole seconds; the end of its ARN.
    pub created: Timestamp,
    pub tags: Tags,
    pub policy: Option<String>,
    /// When CREATING or DELETING ends.
    changes_at: Timestamp,
    pub(super) series: ConsumerSeries,
}

/// A consumer as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerSummary {
    pub name: String,
    pub status: ConsumerStatus,
    pub created: Timestamp,
}

/// Which consumer is meant: `stream` and `consumer`, and the second of its creation where an ARN says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerId {
    pub stream: String,
    pub consumer: String,
    pub created_s: Option<i64>,
}

impl ConsumerId {
    /// Reads `arn:aws:kinesis:REGION:ACCOUNT:stream/STREAM/consumer/NAME:SECONDS`; `None` for what is none.
    pub fn parse(arn: &str) -> Option<Self> {
        let resource = arn.splitn(6, ':').nth(5)?;
        let (stream, consumer) = resource.strip_prefix("stream/")?.split_once("/consumer/")?;
        let (consumer, created_s) = consumer.rsplit_once(':')?;
        Some(Self { stream: stream.to_owned(), consumer: consumer.to_owned(), created_s: created_s.parse().ok() })
    }
}

impl ConsumerSummary {
    pub fn arn(&self, place: &Place, stream: &str) -> String {
        place.arn("kinesis", &format!("stream/{stream}/consumer/{}:{}", self.name, self.created.secs()))
    }
}

impl From<&Consumer> for ConsumerSummary {
    fn from(consumer: &Consumer) -> Self {
        Self { name: consumer.name.clone(), status: consumer.status, created: consumer.created }
    }
}

impl Stream {
    /// The consumer that is meant, unless it is gone or another one has its name by now.
    pub fn consumer(&self, id: &ConsumerId) -> Option<&Consumer> {
        let consumer = self.consumers.get(&id.consumer)?;
        id.created_s.is_none_or(|created_s| created_s == consumer.created.secs()).then_some(consumer)
    }
}

impl Kinesis {
    /// Begins to register a consumer: CREATING for a few seconds, then ACTIVE.
    ///
    /// Errors: `ResourceNotFoundException`, `ResourceInUseException` (stream not ACTIVE, name taken),
    /// `LimitExceededException` (20 a stream, 50 with On-demand Advantage; five in CREATING; rate).
    pub fn register_consumer(
        &mut self,
        cx: &mut Cx<'_>,
        stream: &str,
        name: &str,
        tags: Tags,
    ) -> Result<ConsumerSummary, ApiError> {
        self.rates.admit(cx, Operation::RegisterConsumer, Some(stream))?;
        let most = if self.settings.is_advantage(cx.now) { MAX_CONSUMERS_ADVANTAGE } else { MAX_CONSUMERS };
        let stream = self.stream_mut(cx, stream)?;
        if stream.status != StreamStatus::Active {
            return Err(fault::not_active(cx.place, stream));
        }
        if stream.consumers.contains_key(name) {
            return Err(fault::consumer_exists(cx.place, &stream.name, name));
        }
        if stream.consumers.len() >= most {
            return Err(fault::limit_exceeded(format!(
                "Stream {} under account {} has reached its limit of {most} registered consumers.",
                stream.name, cx.place.account
            )));
        }
        let creating = stream.consumers.values().filter(|c| c.status == ConsumerStatus::Creating).count();
        if creating >= MAX_CREATING {
            return Err(fault::limit_exceeded(format!(
                "Stream {} under account {} already has {MAX_CREATING} consumers in CREATING state.",
                stream.name, cx.place.account
            )));
        }
        let takes = Duration::from_millis(cx.rng.random_range(3000..8000));
        let after = cx.settling(takes);
        let consumer = Consumer {
            name: name.to_owned(),
            status: ConsumerStatus::Creating,
            created: cx.now.floor_to(1),
            tags,
            policy: None,
            changes_at: cx.now + after,
            series: ConsumerSeries::default(),
        };
        let summary = ConsumerSummary::from(&consumer);
        cx.schedule_in(after, consumer_change(&stream.name, name));
        stream.consumers.insert(name.to_owned(), consumer);
        Ok(summary)
    }

    /// Begins to deregister a consumer: DELETING for a few seconds, then gone. Its subscriptions end at once.
    ///
    /// Errors: `ResourceNotFoundException`, `LimitExceededException`.
    pub fn deregister_consumer(&mut self, cx: &mut Cx<'_>, id: &ConsumerId) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::DeregisterConsumer, Some(&id.stream))?;
        self.known_consumer(cx, id)?;
        let Some(consumer) = self.stream_mut(cx, &id.stream)?.consumers.get_mut(&id.consumer) else { return Ok(()) };
        if consumer.status != ConsumerStatus::Deleting {
            let takes = Duration::from_millis(cx.rng.random_range(2000..5000));
            let after = cx.settling(takes);
            consumer.status = ConsumerStatus::Deleting;
            consumer.changes_at = cx.now + after;
            cx.schedule_in(after, consumer_change(&id.stream, &id.consumer));
            cx.waits.stream_changed(&id.stream);
        }
        Ok(())
    }

    /// DescribeStreamConsumer. Errors: `ResourceNotFoundException`, `LimitExceededException`.
    pub fn describe_consumer(&mut self, cx: &mut Cx<'_>, id: &ConsumerId) -> Result<ConsumerSummary, ApiError> {
        self.rates.admit(cx, Operation::DescribeConsumer, Some(&id.stream))?;
        self.known_consumer(cx, id).map(ConsumerSummary::from)
    }

    /// ListStreamConsumers, by name. Errors: `ResourceNotFoundException`, `LimitExceededException`.
    pub fn list_consumers(&mut self, cx: &mut Cx<'_>, stream: &str) -> Result<Vec<ConsumerSummary>, ApiError> {
        self.rates.admit(cx, Operation::ListConsumers, Some(stream))?;
        Ok(self.stream_mut(cx, stream)?.consumers.values().map(ConsumerSummary::from).collect())
    }

    pub(super) fn known_consumer(&self, cx: &Cx<'_>, id: &ConsumerId) -> Result<&Consumer, ApiError> {
        let stream = self.streams.get(&id.stream).ok_or_else(|| fault::stream_not_found(cx.place, &id.stream))?;
        stream.consumer(id).ok_or_else(|| fault::consumer_not_found(cx.place, id))
    }

    /// CREATING or DELETING ends.
    pub(super) fn consumer_changes(&mut self, cx: &Cx<'_>, stream: &str, name: &str) {
        let Some(stream) = self.streams.get_mut(stream) else { return };
        let Some(consumer) = stream.consumers.get_mut(name) else { return };
        // A deregistration takes the place of an earlier change, whose own end then comes too early.
        if consumer.changes_at > cx.now {
            return;
        }
        match consumer.status {
            ConsumerStatus::Creating => consumer.status = ConsumerStatus::Active,
            ConsumerStatus::Active => {}
            ConsumerStatus::Deleting => {
                stream.consumers.remove(name);
            }
        }
    }
}

fn consumer_change(stream: &str, consumer: &str) -> agenda::Due {
    agenda::Due::Kinesis(Due::ConsumerChange { stream: stream.to_owned(), consumer: consumer.to_owned() })
}
