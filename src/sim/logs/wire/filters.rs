//! Operations on metric filters and subscription filters: put, describe, delete.

use super::input::{GROUP_PATTERN, Input, STREAM_PATTERN, constraint, invalid};
use super::{events, nothing, read_token, write_token};
use crate::sim::cloudwatch::UNITS;
use crate::sim::error::ApiError;
use crate::sim::function_logs;
use crate::sim::logs::{Destination, METRIC_FILTERS_MAX, MetricFilter, SUBSCRIPTIONS_MAX, Subscription, not_found};
use crate::sim::world::World;
use serde_json::{Map, Value, json};

const PAGE_MAX: i64 = 50;

fn limit_exceeded() -> ApiError {
    ApiError::client("LimitExceededException", "Resource limit exceeded.")
}

/// The group that a request names, which must be there.
fn group<'a>(world: &mut World, input: Input<'a>) -> Result<&'a str, ApiError> {
    let name = input.required_name("logGroupName", GROUP_PATTERN)?;
    function_logs::adopt(world, name);
    if world.logs.group(name).is_some() { Ok(name) } else { Err(not_found("group")) }
}

fn required_pattern<'a>(input: Input<'a>) -> Result<&'a str, ApiError> {
    input.required_text("filterPattern")
}

pub fn put_metric_filter(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    input.required_name("logGroupName", GROUP_PATTERN)?;
    let name = input.required_name("filterName", STREAM_PATTERN)?;
    let text = required_pattern(input)?;
    let null = || constraint(None, "metricTransformations", "Member must not be null");
    let transformations = input.list("metricTransformations")?.ok_or_else(null)?;
    let transformation = match transformations.as_slice() {
        [one] => Input::of(one)?,
        [] => {
            let words = "Member must have length greater than or equal to 1";
            return Err(constraint(Some("[]"), "metricTransformations", words));
        }
        more => {
            let words = "Member must have length less than or equal to 1";
            return Err(constraint(Some(&in_java(more)), "metricTransformations", words));
        }
    };
    let pattern = events::read_pattern(text)?;
    let filter = MetricFilter {
        created: world.now,
        pattern,
        text: text.to_owned(),
        namespace: metric_name(transformation, "metricNamespace", ":*$")?,
        name: metric_name(transformation, "metricName", ":*$")?,
        value: metric_value(transformation)?,
        default_value: transformation.number("defaultValue")?,
        unit: transformation.one_of("unit", &UNITS)?.unwrap_or("None"),
        is_unit_given: transformation.text("unit")?.is_some(),
        dimensions: transformation.text_map("dimensions")?.unwrap_or_default(),
    };
    if filter.dimensions.len() > 3 {
        return Err(invalid("A metric transformation can have at most 3 dimensions."));
    }
    if !filter.dimensions.is_empty() && filter.default_value.is_some() {
        return Err(invalid(
            "Invalid metric transformation: dimensions and default value are mutually exclusive properties.",
        ));
    }
    let group = group(world, input)?;
    let filters = &mut world.logs.group_mut(group).ok_or_else(|| not_found("group"))?.metric_filters;
    if filters.len() >= METRIC_FILTERS_MAX && !filters.contains_key(name) {
        return Err(limit_exceeded());
    }
    let created = filters.get(name).map_or(filter.created, |old| old.created);
    filters.insert(name.to_owned(), MetricFilter { created, ..filter });
    Ok(nothing())
}

/// Transformations as AWS's messages print them.
fn in_java(transformations: &[Value]) -> String {
    let member = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Number(number) => format!("{:?}", number.as_f64().unwrap_or_default()),
        _ => "null".to_owned(),
    };
    let one = |transformation: &Value| {
        let names = ["metricName", "metricNamespace", "metricValue", "defaultValue", "unit", "dimensions"];
        let members = names.map(|name| format!("{name}={}", member(&transformation[name])));
        format!("MetricTransformation({})", members.join(", "))
    };
    format!("[{}]", transformations.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// A metric's name or namespace: 1 to 255 characters, without some.
fn metric_name(input: Input<'_>, member: &str, without: &str) -> Result<String, ApiError> {
    let path = format!("metricTransformations.1.member.{member}");
    let text = input.text(member)?.ok_or_else(|| constraint(None, &path, "Member must not be null"))?;
    if text.chars().count() > 255 {
        return Err(constraint(Some(text), &path, "Member must have length less than or equal to 255"));
    }
    let without: &str = if member == "metricNamespace" { "*$" } else { without };
    if text.is_empty() || text.chars().any(|c| without.contains(c)) {
        return Err(constraint(Some(text), &path, "Member must satisfy regular expression pattern: [^:*$]*"));
    }
    Ok(text.to_owned())
}

fn metric_value(input: Input<'_>) -> Result<String, ApiError> {
    let path = "metricTransformations.1.member.metricValue";
    let text = input.text("metricValue")?.ok_or_else(|| constraint(None, path, "Member must not be null"))?;
    if text.chars().count() > 100 {
        return Err(constraint(Some(text), path, "Member must have length less than or equal to 100"));
    }
    if text.parse::<f64>().is_err() && !text.starts_with('$') {
        return Err(invalid(format!("Invalid metric transformation: invalid metricValue {text}")));
    }
    Ok(text.to_owned())
}

/// The name prefix narrows the filters of one group; without a group it has no effect.
pub fn describe_metric_filters(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let group = input.name("logGroupName", GROUP_PATTERN)?;
    let prefix = input.name("filterNamePrefix", STREAM_PATTERN)?;
    let metric = |member: &str| -> Result<Option<&str>, ApiError> {
        let text = input.text(member)?;
        if text.is_some_and(|text| text.chars().count() > 255) {
            return Err(constraint(text, member, "Member must have length less than or equal to 255"));
        }
        Ok(text)
    };
    let (metric_name, namespace) = (metric("metricName")?, metric("metricNamespace")?);
    if metric_name.is_some() != namespace.is_some() {
        return Err(invalid("Describe Metric Filters request must contain both MetricName and MetricNamespace"));
    }
    if metric_name.is_some() && group.is_some() {
        return Err(invalid(
            "Describe Metric Filters request must contain either logGroupName or metricName and metricNamespace",
        ));
    }
    let limit = input.bounded("limit", 1, PAGE_MAX)?.unwrap_or(PAGE_MAX) as usize;
    let after = input.token()?.map(read_token).transpose()?;
    if let Some(group) = group {
        function_logs::adopt(world, group);
        world.logs.group(group).ok_or_else(|| not_found("group"))?;
    }
    let groups = world.logs.groups().filter(|(name, _)| group.is_none_or(|group| group == name.as_str()));
    let all = groups.flat_map(|(group, found)| found.metric_filters.iter().map(move |(name, one)| (group, name, one)));
    let place = |group: &str, name: &str| format!("{group}:{name}");
    let mut fitting = all.filter(|(of, name, filter)| {
        metric_name.is_none_or(|wanted| wanted == filter.name)
            && namespace.is_none_or(|wanted| wanted == filter.namespace)
            && (group.is_none() || prefix.is_none_or(|prefix| name.starts_with(prefix)))
            && after.as_ref().is_none_or(|after| place(of, name) > *after)
    });
    let page: Vec<(&String, &String, &MetricFilter)> = fitting.by_ref().take(limit).collect();
    let shown: Vec<Value> = page.iter().map(|(group, name, filter)| shown_filter(group, name, filter)).collect();
    let mut answer = json!({ "metricFilters": shown });
    if let (Some((group, name, _)), Some(_)) = (page.last(), fitting.next()) {
        answer["nextToken"] = write_token(&place(group, name)).into();
    }
    Ok(answer)
}

fn shown_filter(group: &str, name: &str, filter: &MetricFilter) -> Value {
    let mut transformation = Map::new();
    transformation.insert("metricName".into(), filter.name.clone().into());
    transformation.insert("metricNamespace".into(), filter.namespace.clone().into());
    transformation.insert("metricValue".into(), filter.value.clone().into());
    if let Some(value) = filter.default_value {
        transformation.insert("defaultValue".into(), value.into());
    }
    if filter.is_unit_given {
        transformation.insert("unit".into(), filter.unit.into());
    }
    if !filter.dimensions.is_empty() {
        transformation.insert("dimensions".into(), json!(filter.dimensions));
    }
    json!({
        "filterName": name,
        "filterPattern": filter.text,
        "metricTransformations": [transformation],
        "creationTime": filter.created.millis(),
        "logGroupName": group,
        "applyOnTransformedLogs": false,
    })
}

pub fn delete_metric_filter(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    input.required_name("logGroupName", GROUP_PATTERN)?;
    let name = input.required_name("filterName", STREAM_PATTERN)?;
    let group = group(world, input)?;
    let filters = &mut world.logs.group_mut(group).ok_or_else(|| not_found("group"))?.metric_filters;
    filters.remove(name).ok_or_else(|| no_filter("metric"))?;
    Ok(nothing())
}

fn no_filter(kind: &str) -> ApiError {
    ApiError::client("ResourceNotFoundException", format!("The specified {kind} filter does not exist."))
}

pub fn put_subscription_filter(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    input.required_name("logGroupName", GROUP_PATTERN)?;
    let name = input.required_name("filterName", STREAM_PATTERN)?;
    let text = required_pattern(input)?;
    let arn = input.required_text("destinationArn")?;
    let role = input.text("roleArn")?;
    let is_spread = input.one_of("distribution", &["Random", "ByLogStream"])? == Some("Random");
    let pattern = events::read_pattern(text)?;
    let group = group(world, input)?;
    let known = world.logs.group(group).map(|found| (found.subscriptions.len(), found.subscriptions.get(name)));
    let (count, old) = known.ok_or_else(|| not_found("group"))?;
    if count >= SUBSCRIPTIONS_MAX && old.is_none() {
        return Err(limit_exceeded());
    }
    let created = old.map_or(world.now, |old| old.created);
    let destination = destination(world, arn, role)?;
    let subscription = Subscription {
        created,
        pattern,
        text: text.to_owned(),
        destination,
        arn: arn.to_owned(),
        role: role.map(str::to_owned),
        is_spread,
    };
    let found = world.logs.group_mut(group).ok_or_else(|| not_found("group"))?;
    found.subscriptions.insert(name.to_owned(), subscription);
    Ok(nothing())
}

/// Whom an ARN names, who must be there to be tried.
fn destination(world: &World, arn: &str, role: Option<&str>) -> Result<Destination, ApiError> {
    let vendor = arn.split(':').nth(2).unwrap_or_default();
    let stream = |kind: &str| {
        invalid(format!(
            "Could not deliver test message to specified {kind} stream. Check if the given {kind} stream is in ACTIVE \
             state. "
        ))
    };
    let here = |service: &str, resource: &str| arn.strip_prefix(&world.place.arn(service, resource)).map(str::to_owned);
    match vendor {
        "lambda" if role.is_some() => Err(invalid("destinationArn for vendor lambda cannot be used with roleArn")),
        "lambda" if arn.split(':').nth(4).is_some_and(|account| account != world.place.account) => {
            Err(ApiError::client(
                "AccessDeniedException",
                "Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create \
                 cross account lambda triggers.",
            ))
        }
        "lambda" => {
            let name = here("lambda", "function:");
            let is_there = name.as_deref().and_then(|name| name.split(':').next());
            let is_there = is_there.is_some_and(|name| world.lambda.named(name).is_some());
            is_there.then(|| Destination::Function(arn.to_owned())).ok_or_else(|| {
                invalid(
                    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to \
                     execute your function.",
                )
            })
        }
        "kinesis" | "firehose" if role.is_none() => {
            Err(invalid(format!("destinationArn for vendor {vendor} cannot be used without roleArn")))
        }
        "kinesis" => {
            let name = here("kinesis", "stream/").filter(|name| world.kinesis.stream(name).is_some());
            name.map(Destination::Stream).ok_or_else(|| stream("Kinesis"))
        }
        "firehose" => {
            let name = here("firehose", "deliverystream/").filter(|name| world.firehose.stream(name).is_some());
            name.map(Destination::DeliveryStream).ok_or_else(|| stream("Firehose"))
        }
        other => {
            Err(invalid(format!("PutSubscriptionFilter operation cannot work with destinationArn for vendor {other}")))
        }
    }
}

pub fn describe_subscription_filters(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    input.required_name("logGroupName", GROUP_PATTERN)?;
    let prefix = input.name("filterNamePrefix", STREAM_PATTERN)?;
    let limit = input.bounded("limit", 1, PAGE_MAX)?.unwrap_or(PAGE_MAX) as usize;
    let after = input.token()?.map(read_token).transpose()?;
    let group = group(world, input)?;
    let found = world.logs.group(group).ok_or_else(|| not_found("group"))?;
    let mut fitting = found.subscriptions.iter().filter(|(name, _)| {
        prefix.is_none_or(|prefix| name.starts_with(prefix)) && after.as_ref().is_none_or(|after| *name > after)
    });
    let page: Vec<(&String, &Subscription)> = fitting.by_ref().take(limit).collect();
    let shown = page.iter().map(|(name, one)| {
        let mut shown = json!({
            "filterName": name,
            "logGroupName": group,
            "filterPattern": one.text,
            "destinationArn": one.arn,
            "distribution": if one.is_spread { "Random" } else { "ByLogStream" },
            "creationTime": one.created.millis(),
        });
        if let Some(role) = &one.role {
            shown["roleArn"] = role.clone().into();
        }
        shown
    });
    let mut answer = json!({ "subscriptionFilters": shown.collect::<Vec<_>>() });
    if let (Some((last, _)), Some(_)) = (page.last(), fitting.next()) {
        answer["nextToken"] = write_token(last).into();
    }
    Ok(answer)
}

pub fn delete_subscription_filter(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    input.required_name("logGroupName", GROUP_PATTERN)?;
    let name = input.required_name("filterName", STREAM_PATTERN)?;
    let group = group(world, input)?;
    let found = world.logs.group_mut(group).ok_or_else(|| not_found("group"))?;
    found.subscriptions.remove(name).ok_or_else(|| no_filter("subscription"))?;
    Ok(nothing())
}
