//! Puts a scenario's faults on the world's timeline: what each kind begins, and what ends it.

use super::fault::{Fault, FaultKind, permission};
use crate::domain::time::Timestamp;
use crate::sim::faults::api::{ApiFault, Effect, Scope, Who};
use crate::sim::faults::record::{self, Plan};
use crate::sim::faults::{Entry, Rule};
use crate::sim::firehose::Outage;
use crate::sim::wire::Service;
use crate::sim::world::World;
use crate::sim::{endpoint, fanout};
use std::time::Duration;

/// A payload that nobody can take, where the scenario says none.
const POISON: &str = "{\"poison\": true}";

/// How slow a caller's clock is where the scenario says nothing.
const SKEW: Duration = Duration::from_secs(20 * 60);

/// Puts a fault on the timeline: what begins it, and what ends it at its time or when somebody says so.
pub fn add_fault(world: &mut World, fault: &Fault, start: Timestamp) {
    let ends = fault.until.map(|until| start + until);
    let (begin, end) = entries(world, fault, ends);
    let kind = fault.kind.word();
    record::stage(
        world,
        Plan {
            name: fault.name.clone().unwrap_or_else(|| kind.clone()),
            kind,
            target: fault.target.clone(),
            begins: start + fault.at,
            ends,
        },
        begin,
        end,
    );
}

/// What begins a fault, and what ends it.
fn entries(world: &World, fault: &Fault, ends: Option<Timestamp>) -> (Vec<Entry>, Vec<Entry>) {
    let (begin, end) = match fault.kind {
        kind if kind.is_of_api() => return of_api(world, fault, ends),
        FaultKind::Surge | FaultKind::HotKey | FaultKind::Slow | FaultKind::Stop | FaultKind::WrongTaskList => {
            of_application(fault)
        }
        FaultKind::BadDeploy | FaultKind::Deploy | FaultKind::ConcurrencyCap | FaultKind::TimeoutClose => {
            of_function(world, fault)
        }
        FaultKind::Throttle if fault.target.starts_with("sqs/") || fault.target.starts_with("sns/") => {
            return of_api(world, fault, ends);
        }
        FaultKind::Deny => return denial(world, fault, ends),
        FaultKind::Throttle | FaultKind::Refuse | FaultKind::Hang => refusals(fault),
        FaultKind::Latency | FaultKind::ErrorRate | FaultKind::PoisonPayload => of_dependency(fault),
        FaultKind::VisibilityShort | FaultKind::RetentionShort => of_source(world, fault),
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
            return (vec![Entry::LoseInstance { fleet: fault.target.clone(), instance }], vec![]);
        }
    };
    // Good code does not end.
    if fault.kind == FaultKind::Deploy { (vec![begin], vec![]) } else { (vec![begin], vec![end]) }
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
fn of_api(world: &World, fault: &Fault, ends: Option<Timestamp>) -> (Vec<Entry>, Vec<Entry>) {
    let (service, resource) = match fault.target.split_once('/') {
        Some((service, resource)) => (Service::named(service), Some(resource.to_owned())),
        None => (Service::named(&fault.target), None),
    };
    let who = match fault.who.as_deref() {
        None | Some("all") => Who::All,
        Some("clients") => Who::Clients,
        Some("actors") => Who::Actors,
        Some(name) => Who::Named(name.strip_prefix("key/").unwrap_or(name).to_owned()),
    };
    let scope = Scope { service, operations: fault.operations.clone(), resource, who };
    let share = fault.share.unwrap_or(1.0);
    let effect = match fault.kind {
        FaultKind::ApiThrottle | FaultKind::Throttle => Effect::Throttle { share },
        FaultKind::ApiError => Effect::Fail { share, status: fault.status.unwrap_or(500) },
        FaultKind::ApiHang => Effect::Hang { most: fault.hang_for },
        FaultKind::ApiLatency => Effect::Delay { by: fault.latency.unwrap_or_default().into() },
        FaultKind::ApiDenied => Effect::Deny,
        FaultKind::ExpiredCredentials => Effect::Expire,
        FaultKind::ClockSkew => Effect::Skew { by: fault.skew.unwrap_or(SKEW) },
        _ => Effect::Cut,
    };
    // The entry that comes next on the timeline.
    let begun_by = world.timeline.len();
    (vec![Entry::BeginApi(ApiFault { scope, effect, ends })], vec![Entry::EndApi { begun_by }])
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

/// A permission that somebody takes away, and gives back.
fn denial(world: &World, fault: &Fault, ends: Option<Timestamp>) -> (Vec<Entry>, Vec<Entry>) {
    let action = fault.action.clone().unwrap_or_default();
    let Some((service, operation)) = permission(&action) else { return (vec![], vec![]) };
    let actor = fault.target.clone();
    let scope = Scope {
        service: Some(service),
        operations: vec![operation.to_owned()],
        resource: None,
        who: Who::Named(actor.clone()),
    };
    let change = |is_taken| Entry::Permission { actor: actor.clone(), action: action.clone(), is_taken };
    let denial = Entry::BeginApi(ApiFault { scope, effect: Effect::Deny, ends });
    // The entry after the change.
    let begun_by = world.timeline.len() + 1;
    (vec![change(true), denial], vec![change(false), Entry::EndApi { begun_by }])
}

/// What troubles functions and endpoints without their doing.
fn of_dependency(fault: &Fault) -> (Entry, Entry) {
    let target = fault.target.clone();
    match fault.kind {
        FaultKind::Latency => {
            let added = fault.latency.map(Into::into);
            (Entry::Latency { target: target.clone(), added }, Entry::Latency { target, added: None })
        }
        FaultKind::ErrorRate => {
            let (share, status) = (fault.share.unwrap_or(1.0), fault.status.unwrap_or(500));
            let end = Entry::ErrorRate { target: target.clone(), share: 0.0, status };
            (Entry::ErrorRate { target, share, status }, end)
        }
        _ => {
            let text = fault.payload.clone().unwrap_or_else(|| POISON.to_owned());
            let end = Entry::Antidote { source: target.clone(), text: text.clone() };
            (Entry::Poison { source: target, text }, end)
        }
    }
}

/// What somebody sets on a queue or a stream, and what it was before.
fn of_source(world: &World, fault: &Fault) -> (Entry, Entry) {
    if let Some(stream) = fault.target.strip_prefix("kinesis/") {
        let before = world.kinesis.stream(stream).map_or(24, |stream| stream.retention_hours);
        let set = |hours| Entry::Retention { stream: stream.to_owned(), hours };
        return (set(fault.retention_hours.unwrap_or(before)), set(before));
    }
    let queue = fault.target.trim_start_matches("sqs/");
    let found = world.sqs.queue(queue).map(|queue| &queue.attributes);
    let (attribute, wanted, before) = match fault.kind {
        FaultKind::VisibilityShort => {
            ("VisibilityTimeout", fault.visibility_s, found.map_or(30, |found| found.visibility_s))
        }
        _ => ("MessageRetentionPeriod", fault.retention_s, found.map_or(345_600, |found| found.retention_s)),
    };
    let set = |value: u32| Entry::QueueAttribute { queue: queue.to_owned(), attribute, value: value.to_string() };
    (set(wanted.unwrap_or(before)), set(before))
}

/// A table that throttles, or storage that takes nothing; and its end.
fn refusals(fault: &Fault) -> (Entry, Entry) {
    if fault.kind == FaultKind::Throttle {
        let (target, share) = (fault.target.clone(), fault.share.unwrap_or(1.0));
        return (Entry::Throttle { target: target.clone(), share }, Entry::Throttle { target, share: 0.0 });
    }
    let stream = fault.target.trim_start_matches("firehose/").to_owned();
    let outage = if fault.kind == FaultKind::Hang { Outage::Hangs } else { Outage::Refuses };
    (Entry::Outage { stream: stream.clone(), outage: Some(outage) }, Entry::Outage { stream, outage: None })
}
