//! What a service may touch while it works: the time, chance, the agenda, metrics, bodies. Never another service.

use crate::domain::time::Timestamp;
use crate::sim::agenda::{Agenda, Due};
use crate::sim::cloudwatch::Metrics;
use crate::sim::payload::{self, Templates};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::time::Duration;

/// The world's hands, lent to one service for one step.
pub struct Cx<'a> {
    pub now: Timestamp,
    pub place: &'a Place,
    pub rng: &'a mut Pcg64Mcg,
    pub agenda: &'a mut Agenda,
    pub metrics: &'a mut Metrics,
    pub templates: &'a mut Templates,
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

    pub fn uuid(&mut self) -> String {
        payload::uuid_text(self.rng.random(), self.rng.random())
    }
}
