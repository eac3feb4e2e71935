//! What somebody changes, and CloudTrail shows: deploys, settings, attributes, permissions.

use super::Rule;
use crate::sim::fanout;
use crate::sim::lambda::log::iso_millis;
use crate::sim::lambda::{AliasChange, Config, ErrorRule, Mapping, MappingSource, VersionNumber};
use crate::sim::world::World;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The IAM user whose keys the deployment pipeline has.
const DEPLOYER: &str = "ci-deploy";

/// Somebody sets a filter policy; it is in the account's event history. One that AWS refuses changes nothing.
pub fn set_filter_policy(world: &mut World, subscription: &str, policy: &str) {
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

pub fn deploy(world: &mut World, function: &str, errors: &[Rule], alias: Option<&str>) {
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

pub fn roll_back(world: &mut World, function: &str, alias: &str) {
    let Some(found) = world.lambda.named(function) else { return };
    let Some(current) = found.aliases.get(alias).map(|alias| alias.version) else { return };
    let before = found.versions.range(..current).next_back().map(|(number, _)| *number);
    if let Some(before) = before {
        point_alias(world, function, alias, before);
    }
}

pub fn reserve(world: &mut World, function: &str, reserved: Option<u32>) {
    // What the account cannot reserve stays as it is, as it would for the person who tries.
    if world.lambda.set_reserved_concurrency(function, reserved).is_err() {
        return;
    }
    let operation = if reserved.is_some() { "PutFunctionConcurrency" } else { "DeleteFunctionConcurrency" };
    let request = json!({"functionName": function, "reservedConcurrentExecutions": reserved});
    let (now, place) = (world.now, &world.place);
    world.cloudtrail.note_change(now, place, DEPLOYER, ("lambda", operation), (&request, &request));
}

pub fn set_timeout(world: &mut World, function: &str, timeout_s: u32) {
    let Some(found) = world.lambda.named(function) else { return };
    let config = Config { timeout_s, ..found.latest.config.clone() };
    let (lambda, mut cx) = world.lambda_cx();
    lambda.configure(&mut cx, function, config);
    let request = json!({"functionName": function, "timeout": timeout_s});
    let (now, place) = (world.now, &world.place);
    let changed = ("lambda", "UpdateFunctionConfiguration");
    world.cloudtrail.note_change(now, place, DEPLOYER, changed, (&request, &request));
}

pub fn switch_mappings(world: &mut World, source: &str, is_enabled: bool) {
    let source = match source.split_once('/') {
        Some(("kinesis", name)) => MappingSource::Stream(name.to_owned()),
        Some((_, name)) => MappingSource::Queue(name.to_owned()),
        None => return,
    };
    let of_source = world.lambda.mappings().filter(|(_, mapping)| mapping.source == source);
    let found: Vec<(usize, Value)> = of_source.map(|(index, mapping)| (index, switched(world, mapping))).collect();
    for (mapping, mut response) in found {
        let (lambda, mut cx) = world.lambda_cx();
        lambda.set_mapping_enabled(&mut cx, mapping, is_enabled);
        let request = json!({"uUID": response["uUID"], "enabled": is_enabled});
        response["state"] = if is_enabled { "Enabling" } else { "Disabling" }.into();
        let (now, place) = (world.now, &world.place);
        let changed = ("lambda", "UpdateEventSourceMapping");
        world.cloudtrail.note_change(now, place, DEPLOYER, changed, (&request, &response));
    }
}

/// What UpdateEventSourceMapping answers and CloudTrail shows, but for the state.
fn switched(world: &World, mapping: &Mapping) -> Value {
    json!({
        "uUID": mapping.uuid,
        "batchSize": mapping.settings.batch_size,
        "eventSourceArn": mapping.source_arn,
        "functionArn": world.place.arn("lambda", &format!("function:{}", mapping.function_name)),
    })
}

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

/// Somebody sets an attribute of a queue. A value that SQS refuses changes nothing.
pub fn set_queue_attribute(world: &mut World, queue: &str, attribute: &str, value: &str) {
    let changes = BTreeMap::from([(attribute.to_owned(), value.to_owned())]);
    let (sqs, mut cx) = world.sqs_cx();
    if sqs.set_attributes(&mut cx, queue, &changes).is_err() {
        return;
    }
    let (now, place) = (world.now, &world.place);
    let url = format!("https://sqs.{}.amazonaws.com/{}/{queue}", place.region, place.account);
    let request = json!({"queueUrl": url, "attributes": changes});
    let operation = ("sqs", "SetQueueAttributes");
    world.cloudtrail.note_change(now, place, DEPLOYER, operation, (&request, &Value::Null));
}

/// Somebody sets a stream's retention. Hours that Kinesis refuses change nothing.
pub fn set_retention(world: &mut World, stream: &str, hours: u32) {
    let Some(before) = world.kinesis.stream(stream).map(|stream| stream.retention_hours) else { return };
    let (kinesis, mut cx) = world.kinesis_cx();
    let (operation, set) = if hours < before {
        ("DecreaseStreamRetentionPeriod", kinesis.decrease_retention(&mut cx, stream, hours))
    } else {
        ("IncreaseStreamRetentionPeriod", kinesis.increase_retention(&mut cx, stream, hours))
    };
    if set.is_err() {
        return;
    }
    let request = json!({"streamName": stream, "retentionPeriodHours": hours});
    let (now, place) = (world.now, &world.place);
    world.cloudtrail.note_change(now, place, DEPLOYER, ("kinesis", operation), (&request, &Value::Null));
}

/// Somebody takes a permission from an application's role, or gives it back. IAM is a global service: only the history
/// of us-east-1 shows it.
pub fn note_permission(world: &mut World, actor: &str, action: &str, is_taken: bool) {
    if world.place.region != "us-east-1" {
        return;
    }
    let role = actor.rsplit('/').next().unwrap_or(actor);
    let mut request = json!({"roleName": role, "policyName": format!("{role}-{}", action.replace(':', "-"))});
    let operation = if is_taken { "DeleteRolePolicy" } else { "PutRolePolicy" };
    if !is_taken {
        let allowed = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
        request["policyDocument"] = json!({"Version": "2012-10-17", "Statement": [allowed]}).to_string().into();
    }
    let (now, place) = (world.now, &world.place);
    world.cloudtrail.note_change(now, place, DEPLOYER, ("iam", operation), (&request, &Value::Null));
}
