//! The scenario's timeline: what goes wrong, and right again, and when.
//!
//! A fault is a table `[[fault]]` of a scenario, or of what is sent to `/_midwatch/fault`: `kind`, `target`, `at` (at
//! once without it), `until` (until somebody ends it without it), `name` (its kind without it) and what its kind needs.
//! Everything is a function of the seed.
//!
//! | kind | target | needs, may have | what happens |
//! |---|---|---|---|
//! | `surge` | a producer, starter, caller, schedule or bucket | `factor` | it makes so many times as much |
//! | `hot-key` | a producer | `key`, `share` | this share of its records has one key |
//! | `slow` | `lambda/NAME`, any consumer | `factor` | it takes so many times as long |
//! | `stop` | any consumer | | it is down: worker, fleet, deciders, activity workers |
//! | `lost-instance` | a fleet, deciders, activity workers | `key` | a machine is lost with its work and replaced |
//! | `wrong-task-list` | deciders, activity workers | `task_list` | they poll that list |
//! | `bad-deploy` | `lambda/NAME` | `when_contains`; `alias`, `share`, `error_type`, `message` | new code fails on payloads; CloudTrail shows it |
//! | `deploy` | `lambda/NAME` | `alias` | new code is good |
//! | `concurrency-cap` | `lambda/NAME` | `cap` | somebody reserves so little |
//! | `timeout-close` | `lambda/NAME` | `timeout_s` | somebody sets a timeout that some runs exceed |
//! | `disable-mapping` | `sqs/NAME`, `kinesis/NAME` | | somebody switches its mappings off |
//! | `visibility-short` | `sqs/NAME` | `visibility_s` | somebody sets it; messages come twice |
//! | `retention-short` | `sqs/NAME`, `kinesis/NAME` | `retention_s`, `retention_hours` | somebody sets it; what nobody read is lost |
//! | `filter-policy` | `TOPIC/TO` | `policy` | somebody sets it; messages are filtered out |
//! | `deny` | an application, `lambda/`, `sns/`, `firehose/NAME` | `action` | its role may not do this any more |
//! | `throttle` | `kinesis/`, `sqs/`, `sns/`, `lambda/`, `dynamodb/NAME`, a fleet | `share` | it throttles, and its metrics show it |
//! | `latency` | `lambda/NAME`, an endpoint | `latency` | it takes longer |
//! | `error-rate` | `lambda/NAME`, an endpoint | `share`; `status` | it fails that often, without a deploy |
//! | `poison-payload` | `sqs/NAME`, `kinesis/NAME` | `payload` | a message that its functions and workers cannot take |
//! | `endpoint-down` | an endpoint | `status` | it answers that, or nothing at all |
//! | `refuse`, `hang` | `firehose/NAME` | | its storage refuses, or does not answer |
//! | `api-throttle` | a service, `sqs/NAME`, `all` | `share` | requests are told that they are too many |
//! | `api-error` | the same | `share`, `status` | requests fail with 500 or 503 |
//! | `api-hang` | the same | `hang_for` | answers come only then, or at the fault's end |
//! | `api-latency` | the same | `latency` | answers come later |
//! | `api-denied` | the same | | requests are denied |
//! | `expired-credentials` | the same | | the callers' session tokens have expired |
//! | `clock-skew` | the same | `skew` | the callers' clocks are slow |
//! | `unreachable` | the same | | connections break |
//!
//! The faults of the API also have `operations` and `who`. What is named there has to be: services, the operations that
//! they have here, callers, and resources; only where operations are named may a resource be one that a client makes later.

pub mod api;
mod change;
pub mod operations;
mod poison;
pub mod record;
mod refusal;
mod resource;

#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod things_tests;

use crate::sim::actors::{self, Role};
use crate::sim::endpoint::Answer;
use crate::sim::firehose::Outage;
use crate::sim::lambda::Spread;
use crate::sim::world::World;
use api::ApiFault;

/// One change of the world, at its time.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A producer makes `factor` times as much.
    Surge { producer: String, factor: f64 },
    /// One key (its index) takes this share of a producer's records; `None` ends it.
    HotKey { producer: String, hot: Option<(usize, f64)> },
    /// A function's code changes; payloads that match a rule fail from now on. With an alias, the change is published
    /// and the alias pointed at it.
    Deploy { function: String, errors: Vec<Rule>, alias: Option<String> },
    /// An alias is pointed at the version before its own.
    RollBack { function: String, alias: String },
    /// A function's reserved concurrency is set, or lifted.
    Reserve { function: String, reserved: Option<u32> },
    /// A function's timeout changes.
    Timeout { function: String, timeout_s: u32 },
    /// The event source mappings of `sqs/NAME` or `kinesis/NAME` are switched off, or on.
    SwitchMappings { source: String, is_enabled: bool },
    /// A function, a worker or a fleet takes `factor` times as long.
    Slow { target: String, factor: f64 },
    /// A decider or an activity worker polls this list; `None` is its own again.
    TaskList { target: String, list: Option<String> },
    /// A worker or a fleet stops, or starts again.
    Stop { target: String, is_stopped: bool },
    /// An HTTP endpoint answers so; `None` is as when all is well.
    Endpoint { name: String, answer: Option<Answer> },
    /// A subscription (`promo/sqs/orders`) gets this filter policy; an empty one takes it away.
    FilterPolicy { subscription: String, policy: String },
    /// A machine of a fleet is lost (from 0).
    LoseInstance { fleet: String, instance: u32 },
    /// A table (by its name), a stream or a function (`kinesis/NAME`, `lambda/NAME`) throttles this share of all
    /// requests, 0 to 1.
    Throttle { target: String, share: f64 },
    /// A function or an endpoint takes so much longer; `None` is as when all is well.
    Latency { target: String, added: Option<Spread> },
    /// A function or an endpoint fails this share of all requests, an endpoint with this status.
    ErrorRate { target: String, share: f64, status: u16 },
    /// A message that holds this text is in a queue or a stream, and what consumes it cannot take it.
    Poison { source: String, text: String },
    /// Consumers can take it by now.
    Antidote { source: String, text: String },
    /// Somebody sets an attribute of a queue.
    QueueAttribute { queue: String, attribute: &'static str, value: String },
    /// Somebody sets a stream's retention.
    Retention { stream: String, hours: u32 },
    /// An application or a function may not do this any more, or may again.
    Permission { actor: String, action: String, is_taken: bool },
    /// A delivery stream's storage refuses or hangs; `None` ends it.
    Outage { stream: String, outage: Option<Outage> },
    /// Requests meet a fault of the API.
    BeginApi(ApiFault),
    /// The one that this entry of the timeline began is over.
    EndApi { begun_by: usize },
    /// What somebody ended before its time does nothing any more.
    Over,
}

/// Payloads that hold this text make the code fail so.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub when_contains: String,
    pub error_type: String,
    pub message: String,
    /// 0 to 1.
    pub share: f64,
}

/// The timeline's entry comes true.
pub fn strike(world: &mut World, index: usize) {
    let Some(entry) = world.timeline.get(index).cloned() else { return };
    match entry {
        Entry::Surge { producer, factor } => surge(world, &producer, factor),
        Entry::HotKey { producer, hot } => {
            if let Some(Role::Producer(producer)) = role(world, &producer) {
                producer.hot_key = hot;
            }
        }
        Entry::Deploy { function, errors, alias } => change::deploy(world, &function, &errors, alias.as_deref()),
        Entry::RollBack { function, alias } => change::roll_back(world, &function, &alias),
        Entry::Reserve { function, reserved } => change::reserve(world, &function, reserved),
        Entry::Timeout { function, timeout_s } => change::set_timeout(world, &function, timeout_s),
        Entry::SwitchMappings { source, is_enabled } => change::switch_mappings(world, &source, is_enabled),
        Entry::Slow { target, factor } => slow(world, &target, factor),
        Entry::LoseInstance { fleet, instance } => lose_instance(world, &fleet, instance),
        Entry::Throttle { target, share } => throttle(world, &target, share),
        Entry::Latency { target, added } => set_latency(world, &target, added),
        Entry::ErrorRate { target, share, status } => set_error_rate(world, &target, share, status),
        Entry::Poison { source, text } => poison::put(world, &source, &text),
        Entry::Antidote { source, text } => poison::cure(world, &source, &text),
        Entry::QueueAttribute { queue, attribute, value } => {
            change::set_queue_attribute(world, &queue, attribute, &value);
        }
        Entry::Retention { stream, hours } => change::set_retention(world, &stream, hours),
        Entry::Permission { actor, action, is_taken } => change::note_permission(world, &actor, &action, is_taken),
        Entry::BeginApi(fault) => world.api_faults.begin(index, fault),
        Entry::EndApi { begun_by } => {
            world.api_faults.end(begun_by);
            world.waits.fault_ended(begun_by);
        }
        Entry::Outage { stream, outage } => world.firehose.set_outage(&stream, outage),
        Entry::Stop { target, is_stopped } => stop(world, &target, is_stopped),
        Entry::TaskList { target, list } => match role(world, &target) {
            Some(Role::Decider(decider)) => decider.wrong_list = list,
            Some(Role::ActivityWorker(worker)) => worker.wrong_list = list,
            _ => {}
        },
        Entry::Endpoint { name, answer } => {
            if let Some(endpoint) = world.endpoints.named(&name) {
                endpoint.answer = answer.unwrap_or(endpoint.healthy);
            }
        }
        Entry::Over => {}
        Entry::FilterPolicy { subscription, policy } => change::set_filter_policy(world, &subscription, &policy),
    }
}

fn surge(world: &mut World, maker: &str, factor: f64) {
    match role(world, maker) {
        Some(Role::Producer(producer)) => producer.surge = factor,
        Some(Role::Starter(starter)) => starter.surge = factor,
        Some(Role::Caller(caller)) => caller.surge = factor,
        Some(Role::Trigger(trigger)) => trigger.surge = factor,
        _ => {}
    }
}

fn stop(world: &mut World, target: &str, is_stopped: bool) {
    match role(world, target) {
        Some(Role::Worker(worker)) => worker.is_stopped = is_stopped,
        Some(Role::Fleet(fleet)) => fleet.is_stopped = is_stopped,
        Some(Role::Decider(decider)) => decider.is_stopped = is_stopped,
        Some(Role::ActivityWorker(worker)) => worker.is_stopped = is_stopped,
        _ => {}
    }
}

fn lose_instance(world: &mut World, fleet: &str, instance: u32) {
    let now = world.now;
    match role(world, fleet) {
        Some(Role::Fleet(fleet)) => fleet.lose_instance(instance, now),
        Some(Role::Decider(decider)) => decider.lose_host(instance, now),
        Some(Role::ActivityWorker(worker)) => worker.lose_host(instance, now),
        _ => {}
    }
}

fn throttle(world: &mut World, target: &str, share: f64) {
    match target.split_once('/') {
        Some(("kinesis", stream)) => world.kinesis.choke(stream, share),
        Some(("lambda", function)) => {
            if let Some(function) = world.lambda.named_mut(function) {
                function.trouble.throttled = share;
            }
        }
        _ => world.dynamodb.choke(target.trim_start_matches("dynamodb/"), share),
    }
}

fn set_latency(world: &mut World, target: &str, added: Option<Spread>) {
    let added = added.unwrap_or_default();
    if let Some(function) = target.strip_prefix("lambda/") {
        if let Some(function) = world.lambda.named_mut(function) {
            function.trouble.added = added;
        }
    } else if let Some(endpoint) = world.endpoints.named(target) {
        endpoint.added = added;
    }
}

fn set_error_rate(world: &mut World, target: &str, share: f64, status: u16) {
    if let Some(function) = target.strip_prefix("lambda/") {
        if let Some(function) = world.lambda.named_mut(function) {
            function.trouble.failing = share;
        }
    } else if let Some(endpoint) = world.endpoints.named(target) {
        endpoint.failing = (share, status);
    }
}

fn slow(world: &mut World, target: &str, factor: f64) {
    if let Some(function) = target.strip_prefix("lambda/") {
        world.lambda.set_slow_down(function, factor);
        return;
    }
    match role(world, target) {
        Some(Role::Worker(worker)) => worker.slow_down = factor,
        Some(Role::Fleet(fleet)) => fleet.slow_down = factor,
        Some(Role::Decider(decider)) => decider.slow_down = factor,
        Some(Role::ActivityWorker(worker)) => worker.slow_down = factor,
        _ => {}
    }
}

fn role<'a>(world: &'a mut World, name: &str) -> Option<&'a mut Role> {
    actors::named(world, name).map(|actor| &mut actor.role)
}
