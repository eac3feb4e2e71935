//! The operations that change alarms: PutMetricAlarm, PutCompositeAlarm, SetAlarmState, DeleteAlarms, tags and kin.

use super::configuration::{Comparison, Composite, Stat, Treatment, Watched, Watching};
use super::reason::Found;
use super::rule::Rule;
use super::{Common, Kind, StateValue};
use crate::sim::alarm_actions;
use crate::sim::cloudwatch::input::{Input, invalid, invalid_combination, missing, validation};
use crate::sim::cloudwatch::{Statistic, get_data, wire};
use crate::sim::error::ApiError;
use crate::sim::world::World;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Actions of one state, at most.
const ACTIONS_MAX: usize = 5;
/// Tags of one alarm, at most.
const TAGS_MAX: usize = 50;
/// Names in one call of DeleteAlarms and its kin, at most.
const NAMES_MAX: usize = 100;
/// An alarm looks back at most a day, or seven days with periods of an hour or more (PutMetricAlarm).
const DAY_S: i64 = 86_400;

/// A refusal in the words of AWS's request checks.
fn constraint(value: &str, member: &str, constraint: &str) -> ApiError {
    let message =
        format!("1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: {constraint}");
    validation(message)
}

/// One of a closed set of texts.
pub fn choice<'a, T: Copy>(input: &Input<'a>, member: &str, all: &[(&'static str, T)]) -> Result<Option<T>, ApiError> {
    let Some(text) = input.text(member)? else { return Ok(None) };
    let found = all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    let refusal = || {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        let set = format!("Member must satisfy enum value set: [{}]", names.join(", "));
        constraint(&format!("'{text}'"), &lower_first(member), &set)
    };
    found.map(Some).ok_or_else(refusal)
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + chars.as_str())
}

/// The states, in the order in which AWS lists them.
pub const STATES: [(&str, StateValue); 3] =
    [("INSUFFICIENT_DATA", StateValue::InsufficientData), ("ALARM", StateValue::Alarm), ("OK", StateValue::Ok)];

pub fn put_metric_alarm(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let name = input.required_text("AlarmName", 255)?.to_owned();
    let common = common(input)?;
    let tags = tags(input)?;
    let watching = watching(input)?;
    if world.cloudwatch.alarms.named(&name).is_some_and(super::Alarm::is_composite) {
        return Err(other_kind(&name, "composite"));
    }
    let (now, place) = (world.now, &world.place);
    world.cloudwatch.alarms.put((now, place), &name, (common, Kind::Metric(watching)), tags);
    alarm_actions::keep_ticking(world);
    Ok(Value::Null)
}

fn other_kind(name: &str, kind: &str) -> ApiError {
    validation(format!("An alarm of type {kind} with the name {name} exists already."))
}

fn common(input: &Input<'_>) -> Result<Common, ApiError> {
    let actions = |member: &str| -> Result<Vec<String>, ApiError> {
        let list = input.texts(member)?.unwrap_or_default();
        if list.len() > ACTIONS_MAX {
            let set = format!("Member must have length less than or equal to {ACTIONS_MAX}");
            return Err(constraint(&format!("'[{}]'", list.join(", ")), &lower_first(member), &set));
        }
        if let Some(wrong) = list.iter().find(|arn| !arn.starts_with("arn:") || arn.split(':').count() < 6) {
            return Err(validation(format!("Invalid arn syntax: {wrong}")));
        }
        Ok(list.into_iter().map(str::to_owned).collect())
    };
    let description = input.text("AlarmDescription")?;
    if description.is_some_and(|text| text.chars().count() > 1024) {
        return Err(invalid("The parameter AlarmDescription must be shorter than 1025 characters."));
    }
    Ok(Common {
        description: description.map(str::to_owned),
        actions_enabled: input.flag("ActionsEnabled")?.unwrap_or(true),
        ok_actions: actions("OKActions")?,
        alarm_actions: actions("AlarmActions")?,
        insufficient_data_actions: actions("InsufficientDataActions")?,
    })
}

fn tags(input: &Input<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    let items = input.structures("Tags")?.unwrap_or_default();
    let mut tags = BTreeMap::new();
    for item in &items {
        let value = item.text("Value")?.ok_or_else(|| missing(&item.name("Value")))?;
        let key = item.required_text("Key", 128)?;
        if value.chars().count() > 256 {
            return Err(invalid(format!("The parameter {} must be shorter than 257 characters.", item.name("Value"))));
        }
        if key.starts_with("aws:") {
            return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > TAGS_MAX {
        return Err(invalid(format!("The number of tags exceeds the limit of {TAGS_MAX}.")));
    }
    Ok(tags)
}

fn watching(input: &Input<'_>) -> Result<Watching, ApiError> {
    let evaluation_periods = positive(input, "EvaluationPeriods")?.ok_or_else(|| missing("EvaluationPeriods"))?;
    let datapoints_to_alarm = positive(input, "DatapointsToAlarm")?;
    if datapoints_to_alarm.is_some_and(|points| points > evaluation_periods) {
        return Err(validation("The DatapointsToAlarm must be less than or equal to the EvaluationPeriods."));
    }
    let all = Comparison::ALL.map(|comparison| (comparison.text(), comparison));
    let comparison = choice(input, "ComparisonOperator", &all)?.ok_or_else(|| missing("ComparisonOperator"))?;
    let threshold = input.number("Threshold")?.ok_or_else(|| missing("Threshold"))?;
    let missing_data = match input.text("TreatMissingData")? {
        None => None,
        Some(text) => Some(Treatment::ALL.into_iter().find(|option| option.text() == text).ok_or_else(|| {
            let options = "[missing, ignore, breaching, notBreaching]";
            validation(format!("Option {text} is not valid for TreatMissingData. It must be one of {options}."))
        })?),
    };
    let low_sample_count = input.text("EvaluateLowSampleCountPercentile")?;
    if low_sample_count.is_some_and(|text| !matches!(text, "evaluate" | "ignore")) {
        let text = low_sample_count.unwrap_or_default();
        return Err(validation(format!(
            "Option {text} is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are \
             evaluate and ignore."
        )));
    }
    let watched = if input.has("Metrics") { watched_queries(input)? } else { watched_metric(input)? };
    let watching = Watching {
        watched,
        evaluation_periods,
        datapoints_to_alarm,
        threshold,
        comparison,
        missing: missing_data,
        low_sample_count: low_sample_count.map(str::to_owned),
    };
    let (period_s, span_s) = (watching.period_s(), watching.period_s() * i64::from(evaluation_periods));
    if span_s > if period_s >= 3600 { 7 * DAY_S } else { DAY_S } {
        let most = if period_s >= 3600 { "seven days" } else { "a day" };
        let most_s = if period_s >= 3600 { 7 * DAY_S } else { DAY_S };
        return Err(validation(format!(
            "Metrics cannot be checked across more than {most} (EvaluationPeriods * Period must be <= {most_s})."
        )));
    }
    Ok(watching)
}

fn positive(input: &Input<'_>, member: &str) -> Result<Option<u32>, ApiError> {
    let Some(n) = input.integer(member)? else { return Ok(None) };
    let refusal =
        || constraint(&format!("'{n}'"), &lower_first(member), "Member must have value greater than or equal to 1");
    u32::try_from(n).ok().filter(|n| *n > 0).map(Some).ok_or_else(refusal)
}

fn watched_metric(input: &Input<'_>) -> Result<Watched, ApiError> {
    let metric = input.metric()?;
    let period_s = input.integer("Period")?.ok_or_else(|| missing("Period"))?;
    if !(matches!(period_s, 10 | 20 | 30) || period_s > 0 && period_s % 60 == 0) {
        return Err(validation("Metric period must be 10, 20, 30 or a multiple of 60."));
    }
    let text = match (input.text("Statistic")?, input.text("ExtendedStatistic")?) {
        (Some(_), Some(_)) => {
            return Err(invalid_combination(
                "The parameters Statistic and ExtendedStatistic are mutually exclusive and you have specified both.",
            ));
        }
        (None, None) => return Err(missing("Statistic or ExtendedStatistic")),
        (Some(text), None) => {
            let all = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"].map(|name| (name, ()));
            choice(input, "Statistic", &all)?;
            text
        }
        (None, Some(text)) => text,
    };
    let refusal = || invalid(format!("The value {text} for parameter ExtendedStatistic is not supported."));
    let statistic = Statistic::parse(text).ok_or_else(refusal)?;
    let stat = Stat { text: text.to_owned(), statistic };
    Ok(Watched::Metric { metric, stat, period_s, unit: wire::unit(input)? })
}

fn watched_queries(input: &Input<'_>) -> Result<Watched, ApiError> {
    let single = ["MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit"];
    if let Some(other) = single.into_iter().find(|member| input.has(member)) {
        return Err(validation(format!("The parameters Metrics and {other} are mutually exclusive.")));
    }
    let queries = input.value("Metrics").cloned().unwrap_or_default();
    let (returned, period_s) = get_data::check_alarm_queries(&queries)?;
    Ok(Watched::Queries { queries, returned, period_s })
}

pub fn put_composite_alarm(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let name = input.required_text("AlarmName", 255)?.to_owned();
    let text = input.required_text("AlarmRule", 10_240)?;
    if text.trim() != text {
        return Err(validation("AlarmRule must not contain leading or trailing whitespace or be null."));
    }
    let rule = Rule::parse(text).map_err(|why| validation(format!("Failed to parse the alarm rule: {why}.")))?;
    let common = common(input)?;
    let tags = tags(input)?;
    let alarms = &world.cloudwatch.alarms;
    if alarms.named(&name).is_some_and(|alarm| !alarm.is_composite()) {
        return Err(other_kind(&name, "metric"));
    }
    let absent: Vec<&str> = rule.names().into_iter().filter(|n| alarms.named(n).is_none() && *n != name).collect();
    if !absent.is_empty() {
        return Err(validation(format!(
            "Could not save the composite alarm as alarms [{}] in the alarm rule do not exist",
            absent.join(", ")
        )));
    }
    let composite = Composite {
        rule,
        text: text.to_owned(),
        suppressor: input.bounded_text("ActionsSuppressor", 1600)?.map(str::to_owned),
        suppressor_wait_s: input.integer("ActionsSuppressorWaitPeriod")?,
        suppressor_extension_s: input.integer("ActionsSuppressorExtensionPeriod")?,
    };
    let is_whole = composite.suppressor_wait_s.is_some() && composite.suppressor_extension_s.is_some();
    if composite.suppressor.is_some() && !is_whole {
        let both = "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod";
        return Err(validation(format!("{both} are required when ActionsSuppressor is specified.")));
    }
    let (now, place) = (world.now, &world.place);
    world.cloudwatch.alarms.put((now, place), &name, (common, Kind::Composite(composite)), tags);
    alarm_actions::carry_out(world);
    Ok(Value::Null)
}

pub fn set_alarm_state(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let name = input.required_text("AlarmName", 255)?;
    let value = choice(input, "StateValue", &STATES)?.ok_or_else(|| missing("StateValue"))?;
    let reason = input.text("StateReason")?.ok_or_else(|| missing("StateReason"))?;
    if reason.chars().count() > 1023 {
        return Err(invalid("The parameter StateReason must be shorter than 1024 characters."));
    }
    let data = match input.text("StateReasonData")? {
        None => None,
        Some(text) => Some(serde_json::from_str(text).map_err(|_| {
            let message = "The parameter StateReasonData is not valid JSON.";
            ApiError::client("InvalidFormatFault", message).with_query_code("InvalidFormat")
        })?),
    };
    if world.cloudwatch.alarms.named(name).is_none() {
        return Err(ApiError::client("ResourceNotFound", "").with_status(404));
    }
    let found = Found { value, reason: reason.to_owned(), data };
    let (now, place) = (world.now, &world.place);
    world.cloudwatch.alarms.set_state(now, place, name, found);
    alarm_actions::carry_out(world);
    Ok(Value::Null)
}

fn names<'a>(input: &Input<'a>) -> Result<Vec<&'a str>, ApiError> {
    let names = input.bounded_texts("AlarmNames", 255)?.ok_or_else(|| missing("AlarmNames"))?;
    input.check_size("AlarmNames", names.len(), NAMES_MAX)?;
    Ok(names)
}

/// Names that no alarm has are passed over; of composite alarms one at a time can go, and none that another one's rule
/// still names.
pub fn delete_alarms(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let names = names(input)?;
    let alarms = &mut world.cloudwatch.alarms;
    let is_composite = |name: &&&str| alarms.named(name).is_some_and(super::Alarm::is_composite);
    let composites: Vec<&&str> = names.iter().filter(is_composite).collect();
    if composites.len() > 1 {
        return Err(validation("You can delete only one composite alarm in one operation."));
    }
    // A composite that goes in the same call depends on nothing any more.
    let is_needed = |name: &&&str| {
        let mut parents = alarms.parents(name).filter(|parent| !names.contains(&parent.name.as_str()));
        alarms.named(name).is_some() && parents.next().is_some()
    };
    let needed: Vec<&str> = names.iter().filter(is_needed).copied().collect();
    if !needed.is_empty() {
        let (list, them) = (needed.join(","), if needed.len() == 1 { "it" } else { "them" });
        return Err(validation(format!("Cannot delete {list} as there are composite alarm(s) depending on {them}.")));
    }
    for name in names {
        alarms.delete(world.now, &world.place, name);
    }
    Ok(Value::Null)
}

pub fn enable_actions(world: &mut World, input: &Input<'_>, is_on: bool) -> Result<Value, ApiError> {
    for name in names(input)? {
        if let Some(alarm) = world.cloudwatch.alarms.named_mut(name) {
            alarm.common.actions_enabled = is_on;
            alarm.configured = world.now;
        }
    }
    Ok(Value::Null)
}

/// `ResourceARN`, and the name of the alarm that it names if there is one.
fn named<'a>(world: &World, input: &Input<'a>) -> Result<(&'a str, Option<&'a str>), ApiError> {
    let arn = input.required_text("ResourceARN", 1024)?;
    if !arn.starts_with("arn:") || arn.split(':').count() < 6 {
        return Err(invalid(format!("The value {arn} for parameter ResourceARN is invalid.")));
    }
    let ours = world.place.arn("cloudwatch", "alarm:");
    let name = arn.strip_prefix(&ours).filter(|name| world.cloudwatch.alarms.named(name).is_some());
    Ok((arn, name))
}

/// The name of the alarm that `ResourceARN` names.
fn of_arn(world: &World, input: &Input<'_>) -> Result<String, ApiError> {
    let (arn, name) = named(world, input)?;
    name.map(str::to_owned).ok_or_else(|| {
        let error = ApiError::client("ResourceNotFoundException", "Unknown").with_status(404);
        error.with_member("ResourceType", "alarm").with_member("ResourceId", arn)
    })
}

pub fn tag_resource(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let name = of_arn(world, input)?;
    if !input.has("Tags") {
        return Err(missing("Tags"));
    }
    let new = tags(input)?;
    if let Some(alarm) = world.cloudwatch.alarms.named_mut(&name) {
        let mut tags = alarm.tags.clone();
        tags.extend(new);
        if tags.len() > TAGS_MAX {
            return Err(invalid(format!("The number of tags exceeds the limit of {TAGS_MAX}.")));
        }
        alarm.tags = tags;
    }
    Ok(json!({}))
}

pub fn untag_resource(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let name = of_arn(world, input)?;
    let keys = input.texts("TagKeys")?.ok_or_else(|| missing("TagKeys"))?;
    if let Some(alarm) = world.cloudwatch.alarms.named_mut(&name) {
        alarm.tags.retain(|key, _| !keys.contains(&key.as_str()));
    }
    Ok(json!({}))
}

/// What is not there has no tags, as AWS was seen to answer for deleted alarms.
pub fn list_tags(world: &World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (_, name) = named(world, input)?;
    let tags =
        name.and_then(|name| world.cloudwatch.alarms.named(name)).map(|alarm| alarm.tags.iter()).into_iter().flatten();
    Ok(json!({ "Tags": tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect::<Vec<_>>() }))
}
