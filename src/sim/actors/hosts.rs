//! Hosts: the machines under a fleet of deciders or workers. A host that dies takes with it what it was working on.

use crate::domain::time::Timestamp;
use crate::sim::world::World;
use rand_distr::{Distribution, Exp};
use std::time::Duration;

/// How a fleet's machines live.
#[derive(Clone, Debug, PartialEq)]
pub struct HostPlan {
    pub hosts: u32,
    /// Tasks at work at once on one host.
    pub slots: u32,
    /// How long a host lives on average; `None` for ever.
    pub life: Option<Duration>,
    /// How long its successor takes to be there.
    pub boot: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Host {
    dies_at: Option<Timestamp>,
    up_from: Timestamp,
    at_work: u32,
}

/// The machines of one fleet.
#[derive(Debug)]
pub struct Hosts {
    plan: HostPlan,
    hosts: Vec<Host>,
}

impl Hosts {
    pub fn new(plan: HostPlan) -> Self {
        Self { plan, hosts: Vec::new() }
    }

    /// Lets hosts die whose time has come; their numbers. The caller drops what they were working on.
    pub fn step(&mut self, world: &mut World) -> Vec<usize> {
        let now = world.now;
        while self.hosts.len() < self.plan.hosts as usize {
            let dies_at = draw_death(world, &self.plan, now);
            self.hosts.push(Host { dies_at, up_from: now, at_work: 0 });
        }
        let mut died = Vec::new();
        for (number, host) in self.hosts.iter_mut().enumerate() {
            if host.dies_at.is_some_and(|at| at <= now) {
                let up_from = now + self.plan.boot;
                *host = Host { dies_at: draw_death(world, &self.plan, up_from), up_from, at_work: 0 };
                died.push(number);
            }
        }
        died
    }

    /// A host is lost; its successor boots. It dies with the next step, as one whose time has come.
    pub fn lose(&mut self, number: u32, now: Timestamp) {
        if let Some(host) = self.hosts.get_mut(number as usize) {
            host.dies_at = Some(now);
        }
    }

    /// A host with a free slot: the least busy, the first of equals.
    pub fn free(&self, now: Timestamp) -> Option<usize> {
        let free = |(_, host): &(usize, &Host)| host.up_from <= now && host.at_work < self.plan.slots;
        let hosts = self.hosts.iter().enumerate().filter(free);
        hosts.min_by_key(|(_, host)| host.at_work).map(|(number, _)| number)
    }

    pub fn begin(&mut self, number: usize) {
        if let Some(host) = self.hosts.get_mut(number) {
            host.at_work += 1;
        }
    }

    pub fn end(&mut self, number: usize) {
        if let Some(host) = self.hosts.get_mut(number) {
            host.at_work = host.at_work.saturating_sub(1);
        }
    }

    /// Forgets all work: the programs on the hosts were stopped.
    pub fn drop_work(&mut self) {
        for host in &mut self.hosts {
            host.at_work = 0;
        }
    }

    /// How a host is named in histories.
    pub fn identity(fleet: &str, number: usize) -> String {
        format!("{fleet}-{}", number + 1)
    }
}

fn draw_death(world: &mut World, plan: &HostPlan, from: Timestamp) -> Option<Timestamp> {
    let life_s = plan.life?.as_secs_f64().max(1.0);
    let lives_s = Exp::new(1.0 / life_s).map_or(life_s, |spread| spread.sample(world.rng()));
    Some(from + Duration::from_secs_f64(lives_s.clamp(1.0, 1e9)))
}
