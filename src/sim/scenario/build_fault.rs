//! Puts a scenario's faults on the world's timeline: what each kind begins, and what ends it.

use super::fault::{Fault, FaultKind};
use crate::domain::time::Timestamp;
use crate::sim::agenda::Due;
use crate::sim::faults::api::{ApiFault, Effect, Scope, Who};
use crate::sim::faults::{Entry, Rule};
use crate::sim::firehose::Outage;
use crate::sim::wire::Service;
use crate::sim::world::World;
use crate::sim::{endpoint, fanout};
use std::time::Duration;

/// How slow a caller's clock is where the scenario says nothing.
const SKEW: Duration = Duration::from_secs(20 * 60);

/// A fault is one entry of the timeline, and a second one when it ends by itself.
pub fn add_fault(world: &mut World, fault: &Fault, start: Timestamp) {
    let (begin, end) = match fault.kind {
        kind if kind.is_of_api() => return add_api_fault(world, fault, start),
        FaultKind::Surge | FaultKind::HotKey | FaultKind::Slow | FaultKind::Stop | FaultKind::WrongTaskList => {
            of_application(fault)
        }
        FaultKind::BadDeploy | FaultKind::Deploy | FaultKind::ConcurrencyCap | FaultKind::TimeoutClose => {
            of_function(world, fault)
        }
        FaultKind::Throttle | FaultKind::Refuse | FaultKind::Hang => refusals(fault),
        FaultKind::FilterPolicy => filter_policy(world, fault),
        FaultKind::DisableMapping => (
            Entry::SwitchMappings { source: fault.target.clone(), is_enabled: false },
            Entry::SwitchMappings { source: fault.target.clone(), is_enabled: true },
        ),
        FaultKind::EndpointDown => {
            let answer = fault.status.map_or(endpoint::Answer::Hang, endpoint::Answer::Status);
            let name = fault.target.clone();
            (Entry::Endpoint { name: name.clone(), answer: Some(answer) }, Entry::Endpoint { name, answer: None })
        }
        // A machine that is lost does not come back: another does, by itself.
        _ => {
            let instance = fault.key.unwrap_or(1).saturating_sub(1);
            let lost = Entry::LoseInstance { fleet: fault.target.clone(), instance };
            add_entry(world, start + fault.at, lost);
            return;
        }
    };
    add_entry(world, start + fault.at, begin);
    if let Some(until) = fault.until {
        add_entry(world, start + until, end);
    }
}

/// What an application does otherwise than it should.
fn of_application(fault: &Fault) -> (Entry, Entry) {
    let target = fault.target.clone();
    let factor = fault.factor.unwrap_or(1.0);
    match fault.kind {
        FaultKind::Surge => {
            (Entry::Surge { producer: target.clone(), factor }, Entry::Surge { producer: target, factor: 1.0 })
        }
        FaultKind::HotKey => {
            let hot = (fault.key.unwrap_or(1).saturating_sub(1) as usize, fault.share.unwrap_or(0.0));
            (Entry::HotKey { producer: target.clone(), hot: Some(hot) }, Entry::HotKey { producer: target, hot: None })
        }
        FaultKind::Slow => (Entry::Slow { target: target.clone(), factor }, Entry::Slow { target, factor: 1.0 }),
        FaultKind::WrongTaskList => {
            let list = fault.task_list.clone();
            (Entry::TaskList { target: target.clone(), list }, Entry::TaskList { target, list: None })
        }
        _ => (Entry::Stop { target: target.clone(), is_stopped: true }, Entry::Stop { target, is_stopped: false }),
    }
}

/// What somebody does to a function.
fn of_function(world: &World, fault: &Fault) -> (Entry, Entry) {
    let function = fault.target.strip_prefix("lambda/").unwrap_or(&fault.target).to_owned();
    match fault.kind {
        FaultKind::BadDeploy => {
            let end = match fault.alias.clone() {
                Some(alias) => Entry::RollBack { function: function.clone(), alias },
                None => Entry::Deploy { function: function.clone(), errors: vec![], alias: None },
            };
            (Entry::Deploy { function, errors: vec![rule(fault)], alias: fault.alias.clone() }, end)
        }
        FaultKind::Deploy => {
            let good = Entry::Deploy { function, errors: vec![], alias: fault.alias.clone() };
            (good.clone(), good)
        }
        _ => change_of_configuration(world, fault, function),
    }
}

/// Which payloads fail, and how.
fn rule(fault: &Fault) -> Rule {
    Rule {
        when_contains: fault.when_contains.clone().unwrap_or_default(),
        error_type: fault.error_type.clone().unwrap_or_else(|| "RuntimeError".into()),
        message: fault.message.clone().unwrap_or_default(),
        share: fault.share.unwrap_or(1.0),
    }
}

fn filter_policy(world: &World, fault: &Fault) -> (Entry, Entry) {
    let before = fanout::subscription_named(world, &fault.target).and_then(|(topic, id)| {
        let subscription = world.sns.subscription(&topic, &id).ok()?;
        subscription.attributes.filter.as_ref().map(|(text, _)| text.clone())
    });
    let (subscription, policy) = (fault.target.clone(), fault.policy.clone().unwrap_or_default());
    (
        Entry::FilterPolicy { subscription: subscription.clone(), policy },
        Entry::FilterPolicy { subscription, policy: before.unwrap_or_default() },
    )
}

/// A fault of the API, and its end.
fn add_api_fault(world: &mut World, fault: &Fault, start: Timestamp) {
    let (service, resource) = match fault.target.split_once('/') {
        Some((service, resource)) => (Service::named(service), Some(resource.to_owned())),
        None => (Service::named(&fault.target), None),
    };
    let who = match fault.who.as_deref() {
        None | Some("all") => Who::All,
        Some("clients") => Who::Clients,
        Some("actors") => Who::Actors,
        Some(name) => Who::Named(name.to_owned()),
    };
    let scope = Scope { service, operations: fault.operations.clone(), resource, who };
    let share = fault.share.unwrap_or(1.0);
    let effect = match fault.kind {
        FaultKind::ApiThrottle => Effect::Throttle { share },
        FaultKind::ApiError => Effect::Fail { share, status: fault.status.unwrap_or(500) },
        FaultKind::ApiHang => Effect::Hang { most: fault.hang_for },
        FaultKind::ApiLatency => Effect::Delay { by: fault.latency.unwrap_or_default().into() },
        FaultKind::ApiDenied => Effect::Deny,
        FaultKind::ExpiredCredentials => Effect::Expire,
        FaultKind::ClockSkew => Effect::Skew { by: fault.skew.unwrap_or(SKEW) },
        _ => Effect::Cut,
    };
    let ends = fault.until.map(|until| start + until);
    let begun_by = add_entry(world, start + fault.at, Entry::BeginApi(ApiFault { scope, effect, ends }));
    if let Some(ends) = ends {
        add_entry(world, ends, Entry::EndApi { begun_by });
    }
}

/// What somebody sets on a function, and what it was before.
fn change_of_configuration(world: &World, fault: &Fault, function: String) -> (Entry, Entry) {
    let found = world.lambda.named(&function);
    if fault.kind == FaultKind::ConcurrencyCap {
        let before = found.and_then(|found| found.reserved);
        let begin = Entry::Reserve { function: function.clone(), reserved: fault.cap };
        return (begin, Entry::Reserve { function, reserved: before });
    }
    let before = found.map_or(3, |found| found.latest.config.timeout_s);
    let timeout_s = fault.timeout_s.unwrap_or(before);
    (Entry::Timeout { function: function.clone(), timeout_s }, Entry::Timeout { function, timeout_s: before })
}

/// A table that throttles, or storage that takes nothing; and its end.
fn refusals(fault: &Fault) -> (Entry, Entry) {
    if fault.kind == FaultKind::Throttle {
        let table = fault.target.trim_start_matches("dynamodb/").to_owned();
        let share = fault.share.unwrap_or(1.0);
        return (Entry::Throttle { table: table.clone(), share }, Entry::Throttle { table, share: 0.0 });
    }
    let stream = fault.target.trim_start_matches("firehose/").to_owned();
    let outage = if fault.kind == FaultKind::Hang { Outage::Hangs } else { Outage::Refuses };
    (Entry::Outage { stream: stream.clone(), outage: Some(outage) }, Entry::Outage { stream, outage: None })
}

/// The entry's number.
fn add_entry(world: &mut World, at: Timestamp, entry: Entry) -> usize {
    world.timeline.push(entry);
    let number = world.timeline.len() - 1;
    world.agenda.schedule(at, Due::Timeline(number));
    number
}
