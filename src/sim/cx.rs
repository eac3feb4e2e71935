//! What a service may touch while it works: the time, chance, the agenda, metrics, bodies, those who wait.
//! Never another service.

use crate::domain::time::Timestamp;
use crate::sim::agenda::{Agenda, Due};
use crate::sim::cloudwatch::Metrics;
use crate::sim::payload::{self, Templates};
use crate::sim::waits::Waits;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::time::Duration;

/// The world's hands, lent to one service for one step.
pub struct Cx<'a> {
    pub now: Timestamp,
    pub place: &'a Place,
    /// Whether what a client makes, changes or deletes takes its time; where not, it is so when the call is answered.
    pub delays: bool,
    pub rng: &'a mut Pcg64Mcg,
    pub agenda: &'a mut Agenda,
    pub metrics: &'a mut Metrics,
    pub templates: &'a mut Templates,
    pub waits: &'a mut Waits,
}

/// Whose account this is and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Twelve digits.
    pub account: String,
    /// Such as `eu-west-1`.
    pub region: String,
    /// Whether AWS's published request rates and throughput limits throttle. Sizes and rules always hold.
    pub limits: bool,
}

impl Place {
    /// `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }
}

impl Cx<'_> {
    pub fn schedule(&mut self, at: Timestamp, due: Due) {
        self.agenda.schedule(at, due);
    }

    pub fn schedule_in(&mut self, after: Duration, due: Due) {
        self.agenda.schedule(self.now + after, due);
    }

    /// How long a control plane's change takes: what AWS takes, or no time at all where there are no delays. An entry
    /// that is due now is carried out before the next request.
    pub fn settling(&self, takes: Duration) -> Duration {
        if self.delays { takes } else { Duration::ZERO }
    }

    pub fn uuid(&mut self) -> String {
        payload::uuid_text(self.rng.random(), self.rng.random())
    }
}
