//! Data Firehose as a state machine: delivery streams that buffer records and deliver them to storage as objects.
//!
//! How it is used from within the engine (every function takes the world's hands, [`Cx`]):
//! - `create(cx, Spec)` (CREATING first) or `add_active(cx, Spec)` (scenarios), `delete`, `update_destination`;
//! - `put(cx, stream, &sizes)` takes records by their sizes: bodies are not kept, for nobody can read what was delivered;
//! - a stream whose source is a Kinesis stream is read by the world's router (`sim::delivery`), which asks `wants`
//!   for its readers and hands what it read to `take_in`;
//! - `set_outage` makes a destination refuse or hang; `delivered(stream)` counts what came out.
//!
//! AWS's rates throttle only where `cx.place.limits` says so; sizes and rules always hold.

mod buffer;
mod deliver;
mod destination;
mod fault;
mod lifecycle;
mod metrics;
mod put;
mod source;
mod stream;
#[cfg(test)]
mod tests;
pub mod wire;

pub use deliver::Outage;
pub use destination::{Destination, Kind};
pub use lifecycle::Spec;
pub use put::PutOutcome;
pub use source::{Read, Reader};
pub use stream::{Delivered, DeliveryStream, Encryption, Source, Status};

use crate::domain::time::Timestamp;
use crate::sim::agenda;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use std::collections::BTreeMap;

/// What falls due inside the service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A stream's pending change (creation, deletion, encryption) ends.
    Change { stream: String },
    /// A buffer has waited long enough, or a delivery is tried.
    Deliver { stream: String },
    /// A stream reads its source. The router carries it out.
    Read { stream: String, incarnation: u64 },
    /// Each minute every stream publishes how fresh its deliveries are.
    Gauges,
}

impl From<Due> for agenda::Due {
    fn from(due: Due) -> Self {
        Self::Firehose(due)
    }
}

/// All delivery streams of one account and region.
#[derive(Default)]
pub struct Firehose {
    streams: BTreeMap<String, DeliveryStream>,
    /// Streams ever made: tells one from an earlier one of the same name.
    made: u64,
    gauges_run: bool,
}

impl Firehose {
    /// Does what the agenda says is due, but for reading a source, which is the router's.
    pub fn due(&mut self, cx: &mut Cx<'_>, due: &Due) {
        match due {
            Due::Change { stream } => self.settle(cx, stream),
            Due::Deliver { stream } => {
                if let Some(stream) = self.streams.get_mut(stream) {
                    stream.work(cx);
                }
            }
            Due::Read { .. } => {}
            Due::Gauges => self.publish_gauges(cx),
        }
    }

    /// The stream as it stands, for the world's own eyes; counts as no request.
    pub fn stream(&self, name: &str) -> Option<&DeliveryStream> {
        self.streams.get(name)
    }

    /// Names of all streams, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.streams.keys().map(String::as_str)
    }

    /// A fault makes the stream's destination refuse or hang; `None` ends it.
    pub fn set_outage(&mut self, stream: &str, outage: Option<Outage>) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.outage = outage;
        }
    }

    /// What has come out of a stream so far.
    pub fn delivered(&self, stream: &str) -> Option<Delivered> {
        self.streams.get(stream).map(|stream| stream.delivered)
    }

    fn named(&mut self, cx: &Cx<'_>, name: &str) -> Result<&mut DeliveryStream, ApiError> {
        self.streams.get_mut(name).ok_or_else(|| fault::not_found(cx.place, name))
    }
}

/// Puts the entry on the agenda unless an earlier one is there that will do.
fn wake_at(cx: &mut Cx<'_>, wakes_at: &mut Option<Timestamp>, at: Timestamp, due: Due) {
    if wakes_at.is_none_or(|known| at < known) {
        *wakes_at = Some(at);
        cx.schedule(at, due.into());
    }
}
