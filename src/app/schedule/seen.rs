//! What has been asked and answered so far: what there is to see, and what is not known yet.

use super::{Schedule, Watch};
use crate::app::schedule::slot::Slot;
use crate::domain::row::{KindId, ResourceId};
use crate::domain::time::Timestamp;
use crate::kinds;
use std::time::Duration;

impl Schedule {
    /// Whether every question has been answered once, well or badly, or cannot be paid for now: what there is to see
    /// has been seen.
    pub fn first_sweep_done(&self) -> bool {
        let is_unpaid = |slot: &Slot| self.is_short && slot.in_flight.is_none();
        let is_swept = |(id, watch): (&ResourceId, &Watch)| {
            let (kind, direct, metrics) = (kinds::kind(id.kind), &watch.direct, &watch.metrics);
            let unpaid = kind.direct_usd > 0.0 && is_unpaid(direct);
            (direct.answered || kind.sweep_every.is_none() || unpaid)
                && (metrics.answered || !kind.has_metrics() || is_unpaid(metrics))
        };
        self.identities.values().chain(self.changes.values()).all(|slot| slot.answered)
            && self.inventories.values().all(|slot| slot.answered)
            && self.watches.iter().all(is_swept)
    }

    /// How long the question that has waited longest for its answer has waited, where any is on its way.
    pub fn longest_wait(&self, now: Timestamp) -> Option<Duration> {
        self.in_flight.values().map(|asked| now.since(asked.since)).max()
    }

    /// How long nothing at all has been answered while something was asked.
    pub fn silence(&self, now: Timestamp) -> Duration {
        let asked = self.in_flight.values().map(|asked| asked.since).min();
        asked.map_or(Duration::ZERO, |since| now.since(self.answered_at.map_or(since, |at| at.max(since))))
    }

    /// Whether a kind's resources have been listed everywhere at least once, or failed to be.
    pub fn inventory_answered(&self, kind: KindId) -> bool {
        self.lists_of(kind).all(|slot| slot.answered)
    }

    /// Whether it is known everywhere what there is of this kind: it is not where a list has never worked, and where
    /// there is nowhere to look.
    pub fn is_listed(&self, kind: KindId) -> bool {
        self.lists_of(kind).next().is_some() && self.lists_of(kind).all(|slot| slot.good_at.is_some())
    }

    fn lists_of(&self, kind: KindId) -> impl Iterator<Item = &Slot> {
        self.inventories.iter().filter(move |((_, of), _)| *of == kind).map(|(_, slot)| slot)
    }
}
