//! Every resource that carries tags, by its ARN.

use crate::sim::cx::Place;
use crate::sim::world::World;
use std::collections::BTreeMap;

pub type Tags = BTreeMap<String, String>;

/// A resource and its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged<'w> {
    pub arn: String,
    /// As `ResourceTypeFilters` names it: `sqs:queue`, `lambda:function`.
    pub kind: &'static str,
    pub tags: &'w Tags,
}

/// Those of this world with at least one tag, in the order of their ARNs.
pub fn tagged(world: &World) -> Vec<Tagged<'_>> {
    let place = &world.place;
    let mut found: Vec<Tagged<'_>> = messages(world, place).chain(compute(world, place)).collect();
    found.retain(|resource| !resource.tags.is_empty());
    found.sort_by(|a, b| a.arn.cmp(&b.arn));
    found
}

fn messages<'w>(world: &'w World, place: &'w Place) -> impl Iterator<Item = Tagged<'w>> {
    let queues = world.sqs.queues().map(|queue| Tagged {
        arn: place.arn("sqs", &queue.name),
        kind: "sqs:queue",
        tags: &queue.tags,
    });
    let topics = world.sns.names().filter_map(|name| world.sns.topic(name).map(|topic| (name, topic)));
    let topics =
        topics.map(|(name, topic)| Tagged { arn: place.arn("sns", name), kind: "sns:topic", tags: &topic.tags });
    let streams = world.kinesis.tagged(place);
    let streams = streams.map(|(arn, kind, tags)| Tagged { arn, kind, tags });
    let delivery = world.firehose.names().filter_map(|name| world.firehose.stream(name));
    let delivery =
        delivery.map(|stream| Tagged { arn: stream.arn(place), kind: "firehose:deliverystream", tags: &stream.tags });
    queues.chain(topics).chain(streams).chain(delivery)
}

fn compute<'w>(world: &'w World, place: &'w Place) -> impl Iterator<Item = Tagged<'w>> {
    let functions = world.lambda.functions().map(|function| Tagged {
        arn: function.arn.clone(),
        kind: "lambda:function",
        tags: &function.tags,
    });
    let domains = world.swf.domains().map(|domain| Tagged {
        arn: place.arn("swf", &format!("/domain/{}", domain.registration.name)),
        kind: "swf:domain",
        tags: &domain.registration.tags,
    });
    let alarms = world.cloudwatch.alarms.all().map(|alarm| Tagged {
        arn: place.arn("cloudwatch", &format!("alarm:{}", alarm.name)),
        kind: "cloudwatch:alarm",
        tags: &alarm.tags,
    });
    let tables = world.dynamodb.names().filter_map(|name| world.dynamodb.table(name));
    let tables = tables.map(|table| Tagged { arn: table.arn(place), kind: "dynamodb:table", tags: &table.tags });
    let groups = world.logs.groups().map(|(name, group)| Tagged {
        arn: place.arn("logs", &format!("log-group:{name}")),
        kind: "logs:log-group",
        tags: &group.tags,
    });
    functions.chain(domains).chain(alarms).chain(tables).chain(groups)
}
