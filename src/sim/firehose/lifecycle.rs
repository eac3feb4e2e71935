//! Delivery streams' life: creation, changes of destination and encryption, tags, deletion.

use super::buffer::Buffers;
use super::destination::{Destination, Kind};
use super::metrics::Meters;
use super::source::Readers;
use super::stream::{Delivered, DeliveryStream, Encryption, Limits, Source, Status};
use super::{Due, Firehose, fault};
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use std::collections::BTreeMap;
use std::time::Duration;

const CREATION: Duration = Duration::from_secs(12);
const DELETION: Duration = Duration::from_secs(8);
const ENCRYPTION: Duration = Duration::from_secs(6);
/// Streams of an account and region.
const STREAMS_MAX: usize = 5_000;
const TAGS_MAX: usize = 50;
/// A source is read once a second.
pub(super) const READ_EVERY: Duration = Duration::from_secs(1);

/// A delivery stream to be made.
#[derive(Clone, Debug)]
pub struct Spec {
    pub name: String,
    pub source: Source,
    pub destination: Destination,
    pub encryption: Encryption,
    pub tags: BTreeMap<String, String>,
}

impl Firehose {
    /// Begins to make a stream: CREATING, then ACTIVE after some seconds. Answers its ARN.
    ///
    /// Errors: `ResourceInUseException` when there is one of that name, `LimitExceededException`.
    pub fn create(&mut self, cx: &mut Cx<'_>, spec: Spec) -> Result<String, ApiError> {
        if self.streams.contains_key(&spec.name) {
            return Err(fault::exists(cx.place, &spec.name));
        }
        if self.streams.len() >= STREAMS_MAX {
            let message = format!("You have already consumed your firehose quota of {STREAMS_MAX} hoses");
            return Err(ApiError::client("LimitExceededException", message));
        }
        self.made += 1;
        let stream = DeliveryStream {
            incarnation: self.made,
            status: Status::Creating,
            created: cx.now,
            updated: None,
            settles_at: Some(cx.now + cx.settling(CREATION)),
            version: 1,
            source: spec.source,
            encryption: spec.encryption,
            tags: spec.tags,
            buffers: Buffers::default(),
            readers: Readers::default(),
            outage: None,
            delivered: Delivered::default(),
            attempt: None,
            wakes_at: None,
            limits: Limits::new(cx.now),
            meters: Meters::of(spec.destination.kind),
            destination: spec.destination,
            name: spec.name.clone(),
        };
        let arn = stream.arn(cx.place);
        cx.schedule_in(cx.settling(CREATION), Due::Change { stream: spec.name.clone() }.into());
        self.streams.insert(spec.name.clone(), stream);
        self.schedule_gauges(cx);
        self.settle(cx, &spec.name);
        Ok(arn)
    }

    /// A stream that is there from the beginning of a scenario. Errors: as [`Firehose::create`].
    pub fn add_active(&mut self, cx: &mut Cx<'_>, spec: Spec) -> Result<(), ApiError> {
        let name = spec.name.clone();
        self.create(cx, spec)?;
        if let Some(stream) = self.streams.get_mut(&name) {
            stream.settles_at = Some(cx.now);
        }
        self.settle(cx, &name);
        Ok(())
    }

    /// Ends the pending change whose time has come.
    pub(super) fn settle(&mut self, cx: &mut Cx<'_>, name: &str) {
        let Some(stream) = self.streams.get_mut(name) else { return };
        if stream.settles_at.is_none_or(|at| at > cx.now) {
            return;
        }
        stream.settles_at = None;
        if stream.status == Status::Deleting {
            self.streams.remove(name);
            return;
        }
        if stream.status == Status::Creating && stream.source != Source::DirectPut {
            let due = Due::Read { stream: name.to_owned(), incarnation: stream.incarnation };
            cx.schedule(cx.now + READ_EVERY, due.into());
        }
        stream.status = Status::Active;
        stream.encryption.status = match stream.encryption.status {
            "ENABLING" => "ENABLED",
            "DISABLING" => "DISABLED",
            same => same,
        };
    }

    /// The source's next read. `None` when the stream is another one by now.
    pub fn reads_again(&mut self, cx: &mut Cx<'_>, name: &str, incarnation: u64) -> Option<&DeliveryStream> {
        let stream = self.streams.get(name).filter(|stream| stream.incarnation == incarnation)?;
        if stream.status == Status::Deleting {
            return None;
        }
        cx.schedule(cx.now + READ_EVERY, Due::Read { stream: name.to_owned(), incarnation }.into());
        Some(stream)
    }

    /// DescribeDeliveryStream. Errors: `ResourceNotFoundException`.
    pub fn describe(&mut self, cx: &Cx<'_>, name: &str) -> Result<&DeliveryStream, ApiError> {
        self.named(cx, name).map(|stream| &*stream)
    }

    /// DeleteDeliveryStream. Errors: `ResourceNotFoundException`, `ResourceInUseException`.
    pub fn delete(&mut self, cx: &mut Cx<'_>, name: &str) -> Result<(), ApiError> {
        let stream = self.active(cx, name)?;
        stream.status = Status::Deleting;
        stream.settles_at = Some(cx.now + cx.settling(DELETION));
        cx.schedule_in(cx.settling(DELETION), Due::Change { stream: name.to_owned() }.into());
        Ok(())
    }

    fn active(&mut self, cx: &Cx<'_>, name: &str) -> Result<&mut DeliveryStream, ApiError> {
        let stream = self.named(cx, name)?;
        match stream.status {
            Status::Active => Ok(stream),
            other => Err(fault::in_use(cx.place, name, other.name())),
        }
    }

    /// UpdateDestination: the members of `change` replace the destination's; of another kind, they are all it has.
    ///
    /// Errors: `ResourceNotFoundException`, `ResourceInUseException`, `InvalidArgumentException` for another
    /// destination, `ConcurrentModificationException` when `version` is not the stream's.
    pub fn update_destination(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        version: &str,
        destination_id: &str,
        change: Destination,
    ) -> Result<(), ApiError> {
        let place = cx.place.clone();
        let stream = self.active(cx, name)?;
        if version != stream.version.to_string() {
            let message = format!(
                "Cannot update firehose: {name} since the current version id: {} and specified version id: {version} do \
                 not match",
                stream.version
            );
            return Err(ApiError::client("ConcurrentModificationException", message));
        }
        if destination_id != super::wire::DESTINATION_ID {
            let message =
                format!("Destination {destination_id} does not exist in firehose {name} under {}", place.account);
            return Err(fault::invalid_argument(message));
        }
        let is_same = change.kind == stream.destination.kind;
        if is_same || (change.kind.is_storage() && stream.destination.kind.is_storage()) {
            if change.kind == Kind::ExtendedS3 {
                stream.destination.kind = change.kind;
            }
            stream.destination.merge(change.settings);
        } else {
            stream.meters = Meters::of(change.kind);
            stream.destination = change;
        }
        stream.version += 1;
        stream.updated = Some(cx.now);
        stream.work(cx);
        Ok(())
    }

    /// StartDeliveryStreamEncryption, or Stop with `Encryption::off`.
    ///
    /// Errors: `ResourceNotFoundException`, `ResourceInUseException`, `InvalidArgumentException`.
    pub fn set_encryption(&mut self, cx: &mut Cx<'_>, name: &str, encryption: Encryption) -> Result<(), ApiError> {
        let stream = self.active(cx, name)?;
        if stream.source != Source::DirectPut {
            let message = "Server-side encryption cannot be set on a delivery stream whose source is a Kinesis stream";
            return Err(fault::invalid_argument(message));
        }
        let (was, wanted) = (stream.encryption.status, encryption.status);
        if matches!(was, "ENABLING" | "DISABLING") {
            return Err(fault::in_use(cx.place, name, was));
        }
        let status = match wanted {
            "DISABLED" if was == "DISABLED" => "DISABLED",
            "DISABLED" => "DISABLING",
            _ => "ENABLING",
        };
        stream.encryption = Encryption { status, ..encryption };
        stream.settles_at = Some(cx.now + cx.settling(ENCRYPTION));
        cx.schedule_in(cx.settling(ENCRYPTION), Due::Change { stream: name.to_owned() }.into());
        self.settle(cx, name);
        Ok(())
    }

    /// TagDeliveryStream. Errors: `ResourceNotFoundException`, `LimitExceededException`.
    pub fn tag(&mut self, cx: &Cx<'_>, name: &str, tags: BTreeMap<String, String>) -> Result<(), ApiError> {
        let stream = self.named(cx, name)?;
        let more = tags.keys().filter(|key| !stream.tags.contains_key(*key)).count();
        if stream.tags.len() + more > TAGS_MAX {
            let message = format!("Failed to add tags: Firehose {name} would have more than {TAGS_MAX} tags");
            return Err(ApiError::client("LimitExceededException", message));
        }
        stream.tags.extend(tags);
        Ok(())
    }

    /// UntagDeliveryStream. Errors: `ResourceNotFoundException`.
    pub fn untag(&mut self, cx: &Cx<'_>, name: &str, keys: &[&str]) -> Result<(), ApiError> {
        self.named(cx, name)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    }
}
