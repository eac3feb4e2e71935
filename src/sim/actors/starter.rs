//! A starter: the application whose requests become workflow executions of SWF.

use super::admit_swf;
use crate::domain::time::Timestamp;
use crate::sim::payload::{Payload, TemplateId};
use crate::sim::swf::{StartOptions, TypeRef};
use crate::sim::world::World;
use rand::RngExt;
use rand_distr::{Distribution, Poisson};
use std::time::Duration;

const STEP: Duration = Duration::from_secs(1);

pub struct Starter {
    pub domain: String,
    pub of: TypeRef,
    /// Executions a second, on average, before `surge`.
    pub per_s: f64,
    /// Multiplies `per_s`.
    pub surge: f64,
    /// Workflow ids are this and a number from 1.
    pub id_prefix: String,
    /// What the executions are started with.
    pub input: Option<TemplateId>,
    /// Executions asked for so far.
    asked: u64,
    /// Starts that the service refused.
    pub refused: u64,
}

impl Starter {
    pub fn new(domain: &str, of: TypeRef, per_s: f64, id_prefix: &str) -> Self {
        Self {
            domain: domain.to_owned(),
            of,
            per_s,
            surge: 1.0,
            id_prefix: id_prefix.to_owned(),
            input: None,
            asked: 0,
            refused: 0,
        }
    }

    pub fn act(&mut self, world: &mut World, name: &str) -> Timestamp {
        let mean = self.per_s * self.surge * STEP.as_secs_f64();
        let new = Poisson::new(mean).map_or(0, |poisson| poisson.sample(world.rng()) as u64);
        for _ in 0..new {
            self.asked += 1;
            let id = format!("{}{}", self.id_prefix, self.asked);
            let seed = world.rng().random();
            let input = self.input.map(|template| world.templates.read(&Payload::Made { template, seed }, &id));
            let input = input.map(|bytes| String::from_utf8_lossy(&bytes).into_owned().into());
            let options = StartOptions { input, ..StartOptions::default() };
            let admitted = admit_swf(world, name, "StartWorkflowExecution", &self.domain);
            let (swf, mut cx) = world.swf_cx();
            let started =
                admitted.and_then(|()| swf.start_workflow_execution(&mut cx, &self.domain, &id, &self.of, options));
            self.refused += u64::from(started.is_err());
        }
        world.now + STEP
    }
}
