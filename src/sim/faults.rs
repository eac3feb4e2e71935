//! The scenario's timeline: what goes wrong, and right again, and when.

pub mod api;
mod refusal;
mod resource;

#[cfg(test)]
mod tests;

use crate::sim::actors::{self, Role};
use crate::sim::endpoint::Answer;
use crate::sim::fanout;
use crate::sim::firehose::Outage;
use crate::sim::lambda::log::iso_millis;
use crate::sim::lambda::{AliasChange, Config, ErrorRule, MappingSource, VersionNumber};
use crate::sim::world::World;
use api::ApiFault;
use serde_json::{Value, json};

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
    /// A table throttles this share of all requests, 0 to 1.
    Throttle { table: String, share: f64 },
    /// A delivery stream's storage refuses or hangs; `None` ends it.
    Outage { stream: String, outage: Option<Outage> },
    /// Requests meet a fault of the API.
    BeginApi(ApiFault),
    /// The one that this entry of the timeline began is over.
    EndApi { begun_by: usize },
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
        Entry::Surge { producer, factor } => match role(world, &producer) {
            Some(Role::Producer(producer)) => producer.surge = factor,
            Some(Role::Starter(starter)) => starter.surge = factor,
            _ => {}
        },
        Entry::HotKey { producer, hot } => {
            if let Some(Role::Producer(producer)) = role(world, &producer) {
                producer.hot_key = hot;
            }
        }
        Entry::Deploy { function, errors, alias } => deploy(world, &function, &errors, alias.as_deref()),
        Entry::RollBack { function, alias } => roll_back(world, &function, &alias),
        Entry::Reserve { function, reserved } => reserve(world, &function, reserved),
        Entry::Timeout { function, timeout_s } => set_timeout(world, &function, timeout_s),
        Entry::SwitchMappings { source, is_enabled } => switch_mappings(world, &source, is_enabled),
        Entry::Slow { target, factor } => slow(world, &target, factor),
        Entry::LoseInstance { fleet, instance } => {
            let now = world.now;
            if let Some(Role::Fleet(fleet)) = role(world, &fleet) {
                fleet.lose_instance(instance, now);
            }
        }
        Entry::Throttle { table, share } => world.dynamodb.choke(&table, share),
        Entry::BeginApi(fault) => world.api_faults.begin(index, fault),
        Entry::EndApi { begun_by } => {
            world.api_faults.end(begun_by);
            world.waits.fault_ended(begun_by);
        }
        Entry::Outage { stream, outage } => world.firehose.set_outage(&stream, outage),
        Entry::Stop { target, is_stopped } => match role(world, &target) {
            Some(Role::Worker(worker)) => worker.is_stopped = is_stopped,
            Some(Role::Fleet(fleet)) => fleet.is_stopped = is_stopped,
            Some(Role::Decider(decider)) => decider.is_stopped = is_stopped,
            Some(Role::ActivityWorker(worker)) => worker.is_stopped = is_stopped,
            _ => {}
        },
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
        Entry::FilterPolicy { subscription, policy } => set_filter_policy(world, &subscription, &policy),
    }
}

/// Somebody sets a filter policy; it is in the account's event history. One that AWS refuses changes nothing.
fn set_filter_policy(world: &mut World, subscription: &str, policy: &str) {
    let Some((topic, id)) = fanout::subscription_named(world, subscription) else { return };
    let (sns, mut cx) = world.sns_cx();
    if sns.set_subscription_attribute(&mut cx, &topic, &id, "FilterPolicy", policy).is_err() {
        return;
    }
    let request = json!({
        "subscriptionArn": format!("{}:{id}", world.place.arn("sns", &topic)),
        "attributeName": "FilterPolicy",
        "attributeValue": policy,
    });
    let (now, place) = (world.now, &world.place);
    let operation = ("sns", "SetSubscriptionAttributes");
    world.cloudtrail.note_change(now, place, DEPLOYER, operation, (&request, &Value::Null));
}

fn deploy(world: &mut World, function: &str, errors: &[Rule], alias: Option<&str>) {
    let rules = errors
        .iter()
        .map(|rule| ErrorRule::new(&rule.when_contains, &rule.error_type, &rule.message).with_rate(rule.share))
        .collect();
    let (lambda, mut cx) = world.lambda_cx();
    let Some(deploy) = lambda.deploy_errors(&mut cx, function, rules) else { return };
    let published = alias.and_then(|_| lambda.publish_version(&mut cx, function, None));
    note_deploy(world, function, deploy);
    if let Some((alias, version)) = alias.zip(published) {
        point_alias(world, function, alias, version);
    }
}

fn point_alias(world: &mut World, function: &str, alias: &str, version: VersionNumber) {
    let change = AliasChange { version: Some(version), weights: Some(Vec::new()), ..AliasChange::default() };
    let (lambda, mut cx) = world.lambda_cx();
    // An alias that somebody deleted meanwhile is nobody's to point.
    let Ok(pointed) = lambda.update_alias(&mut cx, function, alias, &change) else { return };
    let request = json!({"functionName": function, "name": alias, "functionVersion": version.to_string()});
    let response = json!({
        "aliasArn": format!("{}:{alias}", world.place.arn("lambda", &format!("function:{function}"))),
        "name": alias,
        "functionVersion": version.to_string(),
        "description": pointed.description,
        "revisionId": pointed.revision.text(),
    });
    let (now, place) = (world.now, &world.place);
    world.cloudtrail.note_change(now, place, DEPLOYER, ("lambda", "UpdateAlias"), (&request, &response));
}

fn roll_back(world: &mut World, function: &str, alias: &str) {
    let Some(found) = world.lambda.named(function) else { return };
    let Some(current) = found.aliases.get(alias).map(|alias| alias.version) else { return };
    let before = found.versions.range(..current).next_back().map(|(number, _)| *number);
    if let Some(before) = before {
        point_alias(world, function, alias, before);
    }
}

fn reserve(world: &mut World, function: &str, reserved: Option<u32>) {
    // What the account cannot reserve stays as it is, as it would for the person who tries.
    if world.lambda.set_reserved_concurrency(function, reserved).is_err() {
        return;
    }
    let operation = if reserved.is_some() { "PutFunctionConcurrency" } else { "DeleteFunctionConcurrency" };
    let request = json!({"functionName": function, "reservedConcurrentExecutions": reserved});
    let (now, place) = (world.now, &world.place);
    world.cloudtrail.note_change(now, place, DEPLOYER, ("lambda", operation), (&request, &request));
}

fn set_timeout(world: &mut World, function: &str, timeout_s: u32) {
    let Some(found) = world.lambda.named(function) else { return };
    let config = Config { timeout_s, ..found.latest.config.clone() };
    let (lambda, mut cx) = world.lambda_cx();
    lambda.configure(&mut cx, function, config);
    let request = json!({"functionName": function, "timeout": timeout_s});
    let (now, place) = (world.now, &world.place);
    let changed = ("lambda", "UpdateFunctionConfiguration");
    world.cloudtrail.note_change(now, place, DEPLOYER, changed, (&request, &request));
}

fn switch_mappings(world: &mut World, source: &str, is_enabled: bool) {
    let source = match source.split_once('/') {
        Some(("kinesis", name)) => MappingSource::Stream(name.to_owned()),
        Some((_, name)) => MappingSource::Queue(name.to_owned()),
        None => return,
    };
    let of_source = world.lambda.mappings().filter(|(_, mapping)| mapping.source == source);
    let found: Vec<(usize, String)> = of_source.map(|(index, mapping)| (index, mapping.uuid.clone())).collect();
    for (mapping, uuid) in found {
        let (lambda, mut cx) = world.lambda_cx();
        lambda.set_mapping_enabled(&mut cx, mapping, is_enabled);
        let request = json!({"uUID": uuid, "enabled": is_enabled});
        let (now, place) = (world.now, &world.place);
        let changed = ("lambda", "UpdateEventSourceMapping");
        world.cloudtrail.note_change(now, place, DEPLOYER, changed, (&request, &request));
    }
}

/// The IAM user whose keys the deployment pipeline has.
const DEPLOYER: &str = "ci-deploy";

/// A deploy is an UpdateFunctionCode of the deployment pipeline in the account's event history.
fn note_deploy(world: &mut World, name: &str, deploy: u64) {
    let Some(function) = world.lambda.named(name) else { return };
    let request = json!({
        "functionName": name,
        "s3Bucket": format!("releases-{}", world.place.account),
        "s3Key": format!("{name}/deploy-{deploy}.zip"),
        "publish": false,
        "dryRun": false,
    });
    let response = json!({
        "functionName": name,
        "functionArn": function.arn,
        "runtime": &*function.latest.config.runtime,
        "handler": function.latest.config.handler,
        "codeSize": function.latest.code.size_bytes,
        "codeSha256": function.latest.code.sha256,
        "lastModified": iso_millis(function.latest.last_modified).replace('Z', "+0000"),
        "revisionId": function.latest.revision(world.now).text(),
        "version": "$LATEST",
    });
    let (now, place) = (world.now, &world.place);
    world.cloudtrail.note_change(now, place, DEPLOYER, ("lambda", "UpdateFunctionCode"), (&request, &response));
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
