//! Probes: asked once, when a person wants it, and like all else only by the schedule.

use super::Schedule;
use crate::domain::poll::{Poll, Probe, Question};
use crate::domain::time::Timestamp;

impl Schedule {
    /// A person wants this probed. One of the same application that is not asked yet gives way.
    pub fn probe(&mut self, probe: Probe) {
        self.probes.retain(|other| other.application != probe.application);
        self.probes.push(probe);
    }

    pub(super) fn ask_probes(&mut self, now: Timestamp, polls: &mut Vec<Poll>) {
        for probe in std::mem::take(&mut self.probes) {
            let place = probe.application.place.clone();
            polls.push(self.ask(place, Question::Probe(probe), 0.0, true, now));
        }
    }
}
