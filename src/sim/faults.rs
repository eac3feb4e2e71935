//! The scenario's timeline: what goes wrong, and right again, and when.

use crate::sim::actors::{self, Role};
use crate::sim::endpoint::Answer;
use crate::sim::fanout;
use crate::sim::lambda::ErrorRule;
use crate::sim::lambda::log::iso_millis;
use crate::sim::world::World;
use serde_json::{Value, json};

/// One change of the world, at its time.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A producer makes `factor` times as much.
    Surge { producer: String, factor: f64 },
    /// One key (its index) takes this share of a producer's records; `None` ends it.
    HotKey { producer: String, hot: Option<(usize, f64)> },
    /// A function's code changes; payloads that match a rule fail from now on.
    Deploy { function: String, errors: Vec<Rule> },
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
        Entry::Deploy { function, errors } => {
            let rules = errors
                .iter()
                .map(|rule| ErrorRule::new(&rule.when_contains, &rule.error_type, &rule.message).with_rate(rule.share))
                .collect();
            let (lambda, mut cx) = world.lambda_cx();
            if let Some(deploy) = lambda.deploy_errors(&mut cx, &function, rules) {
                note_deploy(world, &function, deploy);
            }
        }
        Entry::Slow { target, factor } => slow(world, &target, factor),
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
