//! The operations that read alarms: DescribeAlarms, DescribeAlarmsForMetric, DescribeAlarmHistory.

use super::configuration::{Composite, Watched, Watching};
use super::wire::{STATES, choice};
use super::{Alarm, Alarms, Item, Kind, arn};
use crate::sim::cloudwatch::input::{Input, invalid, invalid_combination, invalid_token, validation};
use crate::sim::cloudwatch::{Metric, wire};
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

/// Alarms, or items of history, of one page.
const PAGE_MAX: usize = 100;

const TYPES: [(&str, &str); 3] =
    [("CompositeAlarm", "CompositeAlarm"), ("MetricAlarm", "MetricAlarm"), ("LogAlarm", "LogAlarm")];

/// The kinds that `AlarmTypes` asks for: metric alarms when it is left out.
fn types(input: &Input<'_>) -> Result<Vec<&'static str>, ApiError> {
    let asked = input.texts("AlarmTypes")?.unwrap_or_default();
    if asked.is_empty() {
        return Ok(vec!["MetricAlarm"]);
    }
    let known = |text: &&str| TYPES.iter().find(|(name, _)| name == text).map(|(name, _)| *name);
    let refusal = |text: &str| {
        validation(format!(
            "1 validation error detected: Value '[{text}]' at 'alarmTypes' failed to satisfy constraint: Member must \
             satisfy constraint: [Member must satisfy enum value set: [CompositeAlarm, MetricAlarm, LogAlarm]]"
        ))
    };
    asked.iter().map(|text| known(text).ok_or_else(|| refusal(text))).collect()
}

fn page_size(input: &Input<'_>) -> Result<usize, ApiError> {
    match input.integer("MaxRecords")? {
        None => Ok(PAGE_MAX),
        Some(n) if (1..=PAGE_MAX as i64).contains(&n) => Ok(n as usize),
        Some(_) => Err(invalid(format!("The parameter MaxRecords must be between 1 and {PAGE_MAX}."))),
    }
}

pub fn describe_alarms(alarms: &Alarms, place: &Place, input: &Input<'_>) -> Result<Value, ApiError> {
    let (names, prefix) = (input.bounded_texts("AlarmNames", 255)?, input.bounded_text("AlarmNamePrefix", 255)?);
    input.check_size("AlarmNames", names.as_ref().map_or(0, Vec::len), PAGE_MAX)?;
    if names.is_some() && prefix.is_some() {
        return Err(invalid_combination(
            "The parameters AlarmNames and AlarmNamePrefix are mutually exclusive and you have specified both.",
        ));
    }
    let (children, parents) =
        (input.bounded_text("ChildrenOfAlarmName", 255)?, input.bounded_text("ParentsOfAlarmName", 255)?);
    let alone = ["AlarmNames", "AlarmNamePrefix", "AlarmTypes", "StateValue", "ActionPrefix"];
    if children.is_some() && parents.is_some()
        || (children.is_some() || parents.is_some()) && alone.into_iter().any(|member| input.has(member))
    {
        return Err(validation(
            "ChildrenOfAlarmName and ParentsOfAlarmName can be combined only with MaxRecords and NextToken.",
        ));
    }
    let types = types(input)?;
    let state = choice(input, "StateValue", &STATES)?;
    let action = input.bounded_text("ActionPrefix", 1024)?;
    let page = page_size(input)?;
    let after = input.text("NextToken")?.map(read_token).transpose()?;
    let is_child = |alarm: &Alarm, of: &str| match alarms.named(of).map(|parent| &parent.kind) {
        Some(Kind::Composite(composite)) => composite.rule.names().contains(&alarm.name.as_str()),
        _ => false,
    };
    let fits = |alarm: &&Alarm| {
        if let Some(parent) = children {
            return is_child(alarm, parent);
        }
        if let Some(child) = parents {
            return is_child_of(alarms, child, alarm);
        }
        types.contains(&alarm.kind_text())
            && names.as_ref().is_none_or(|names| names.contains(&alarm.name.as_str()))
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && state.is_none_or(|state| alarm.state.value == state)
            && action.is_none_or(|prefix| alarm.common.all_actions().any(|action| action.starts_with(prefix)))
    };
    let mut found = alarms.all().filter(|alarm| after.as_ref().is_none_or(|after| alarm.name > *after)).filter(fits);
    let shown: Vec<&Alarm> = found.by_ref().take(page).collect();
    let value = |alarm: &&Alarm| match (children, parents) {
        (None, None) => value(alarm, place),
        (Some(_), _) => brief(alarm, place, true),
        _ => brief(alarm, place, false),
    };
    let (composite, metric): (Vec<&Alarm>, Vec<&Alarm>) = shown.iter().partition(|alarm| alarm.is_composite());
    let mut answer = json!({
        "CompositeAlarms": composite.iter().map(value).collect::<Vec<_>>(),
        "MetricAlarms": metric.iter().map(value).collect::<Vec<_>>(),
    });
    if let (Some(last), Some(_)) = (shown.last(), found.next()) {
        answer["NextToken"] = BASE64_STANDARD.encode(&last.name).into();
    }
    Ok(answer)
}

fn is_child_of(alarms: &Alarms, child: &str, parent: &Alarm) -> bool {
    alarms.parents(child).any(|alarm| alarm.name == parent.name)
}

fn read_token(token: &str) -> Result<String, ApiError> {
    let bytes = BASE64_STANDARD.decode(token).map_err(|_| invalid_token())?;
    String::from_utf8(bytes).map_err(|_| invalid_token())
}

/// What DescribeAlarms says of the alarms around one: children with their states, parents without.
fn brief(alarm: &Alarm, place: &Place, with_state: bool) -> Value {
    let mut value = json!({ "AlarmName": alarm.name, "AlarmArn": arn(place, &alarm.name) });
    if with_state {
        value["StateValue"] = alarm.state.value.text().into();
        value["StateUpdatedTimestamp"] = alarm.state.updated.secs_f64().into();
    }
    value
}

fn value(alarm: &Alarm, place: &Place) -> Value {
    let mut value = Map::new();
    let mut put = |name: &str, value_of: Value| value.insert(name.to_owned(), value_of);
    put("AlarmName", alarm.name.clone().into());
    put("AlarmArn", arn(place, &alarm.name).into());
    if let Some(description) = &alarm.common.description {
        put("AlarmDescription", description.clone().into());
    }
    put("AlarmConfigurationUpdatedTimestamp", alarm.configured.secs_f64().into());
    put("ActionsEnabled", alarm.common.actions_enabled.into());
    put("OKActions", alarm.common.ok_actions.clone().into());
    put("AlarmActions", alarm.common.alarm_actions.clone().into());
    put("InsufficientDataActions", alarm.common.insufficient_data_actions.clone().into());
    put("StateValue", alarm.state.value.text().into());
    put("StateReason", alarm.state.reason.clone().into());
    if let Some(data) = &alarm.state.reason_data {
        put("StateReasonData", data.to_string().into());
    }
    put("StateUpdatedTimestamp", alarm.state.updated.secs_f64().into());
    put("StateTransitionedTimestamp", alarm.state.transitioned.secs_f64().into());
    match &alarm.kind {
        Kind::Metric(watching) => put_watching(&mut value, watching),
        Kind::Composite(composite) => put_composite(&mut value, composite),
    }
    if let Some(held) = &alarm.suppression {
        value.insert("ActionsSuppressedBy".into(), held.by.text().into());
        value.insert("ActionsSuppressedReason".into(), held.by.reason().into());
    }
    Value::Object(value)
}

fn put_watching(value: &mut Map<String, Value>, watching: &Watching) {
    let mut put = |name: &str, value_of: Value| value.insert(name.to_owned(), value_of);
    match &watching.watched {
        Watched::Metric { metric, stat, period_s, unit } => {
            let dimension = |(name, value): &(String, String)| json!({ "Name": name, "Value": value });
            put("MetricName", metric.name.clone().into());
            put("Namespace", metric.namespace.clone().into());
            let member = if stat.statistic.needs_values() { "ExtendedStatistic" } else { "Statistic" };
            put(member, stat.text.clone().into());
            put("Dimensions", metric.dimensions.iter().map(dimension).collect());
            put("Period", (*period_s).into());
            if let Some(unit) = unit {
                put("Unit", (*unit).into());
            }
        }
        Watched::Queries { queries, .. } => {
            put("Dimensions", json!([]));
            put("Metrics", with_return_data(queries));
        }
    }
    put("EvaluationPeriods", watching.evaluation_periods.into());
    if let Some(points) = watching.datapoints_to_alarm {
        put("DatapointsToAlarm", points.into());
    }
    put("Threshold", watching.threshold.into());
    put("ComparisonOperator", watching.comparison.text().into());
    if let Some(missing) = watching.missing {
        put("TreatMissingData", missing.text().into());
    }
    if let Some(low) = &watching.low_sample_count {
        put("EvaluateLowSampleCountPercentile", low.clone().into());
    }
}

/// Whether a query's data is returned is said of each, also where the caller left it out.
fn with_return_data(queries: &Value) -> Value {
    let mut queries = queries.clone();
    for query in queries.as_array_mut().into_iter().flatten() {
        if query.get("ReturnData").is_none() {
            query["ReturnData"] = true.into();
        }
    }
    queries
}

fn put_composite(value: &mut Map<String, Value>, composite: &Composite) {
    value.insert("AlarmRule".into(), composite.text.clone().into());
    if let Some(suppressor) = &composite.suppressor {
        value.insert("ActionsSuppressor".into(), suppressor.clone().into());
    }
    for (name, seconds) in [
        ("ActionsSuppressorWaitPeriod", composite.suppressor_wait_s),
        ("ActionsSuppressorExtensionPeriod", composite.suppressor_extension_s),
    ] {
        if let Some(seconds) = seconds {
            value.insert(name.into(), seconds.into());
        }
    }
}

/// Alarms on one metric; those of expressions are on none [DescribeAlarmsForMetric].
pub fn describe_alarms_for_metric(alarms: &Alarms, place: &Place, input: &Input<'_>) -> Result<Value, ApiError> {
    let asked: Metric = input.metric()?;
    let simple = input.one_of("Statistic", &["SampleCount", "Average", "Sum", "Minimum", "Maximum"])?;
    let statistic = match (simple, input.text("ExtendedStatistic")?) {
        (Some(_), Some(_)) => {
            return Err(invalid_combination(
                "The parameters Statistic and ExtendedStatistic are mutually exclusive and you have specified both.",
            ));
        }
        (simple, extended) => simple.or(extended),
    };
    if input.integer("Period")?.is_some_and(|period_s| period_s < 1) {
        return Err(invalid("The parameter Period must be greater than or equal to 1."));
    }
    let (period_s, unit) = (input.integer("Period")?, wire::unit(input)?);
    let fits = |alarm: &&Alarm| match &alarm.kind {
        Kind::Metric(Watching { watched: Watched::Metric { metric, stat, period_s: own, unit: own_unit }, .. }) => {
            *metric == asked
                && statistic.is_none_or(|text| stat.text == text)
                && period_s.is_none_or(|period_s| period_s == *own)
                && unit.is_none_or(|unit| Some(unit) == *own_unit)
        }
        Kind::Metric(_) | Kind::Composite(_) => false,
    };
    let found: Vec<Value> = alarms.all().filter(fits).map(|alarm| value(alarm, place)).collect();
    Ok(json!({ "MetricAlarms": found }))
}

pub fn describe_alarm_history(alarms: &Alarms, input: &Input<'_>) -> Result<Value, ApiError> {
    let name = input.bounded_text("AlarmName", 255)?;
    let types = types(input)?;
    input.bounded_text("AlarmContributorId", 16)?;
    let kinds =
        ["ConfigurationUpdate", "StateUpdate", "Action", "AlarmContributorStateUpdate", "AlarmContributorAction"]
            .map(|kind| (kind, kind));
    let kind = choice(input, "HistoryItemType", &kinds)?;
    let (start, end) = (input.time("StartDate")?, input.time("EndDate")?);
    if let (Some(start), Some(end)) = (start, end)
        && start >= end
    {
        return Err(validation("The parameter EndDate must be greater than StartDate."));
    }
    let orders = [("TimestampDescending", false), ("TimestampAscending", true)];
    let is_ascending = choice(input, "ScanBy", &orders)?.unwrap_or(false);
    let page = page_size(input)?;
    let after = match input.text("NextToken")? {
        Some(token) => Some(read_token(token)?.parse::<u64>().map_err(|_| invalid_token())?),
        None => None,
    };
    let fits = |item: &&Item| {
        after.is_none_or(|after| if is_ascending { item.number > after } else { item.number < after })
            && name.is_none_or(|name| name == item.alarm)
            && types.contains(&item.alarm_kind)
            && kind.is_none_or(|kind| kind == item.kind)
            && start.is_none_or(|start| item.at >= start)
            && end.is_none_or(|end| item.at <= end)
    };
    let all: Box<dyn Iterator<Item = &Item>> =
        if is_ascending { Box::new(alarms.history()) } else { Box::new(alarms.history().rev()) };
    let mut found = all.filter(fits);
    let shown: Vec<&Item> = found.by_ref().take(page).collect();
    let mut answer = json!({ "AlarmHistoryItems": shown.iter().map(|item| item_value(item)).collect::<Vec<_>>() });
    if let (Some(last), Some(_)) = (shown.last(), found.next()) {
        answer["NextToken"] = BASE64_STANDARD.encode(last.number.to_string()).into();
    }
    Ok(answer)
}

fn item_value(item: &Item) -> Value {
    json!({
        "AlarmName": item.alarm,
        "AlarmType": item.alarm_kind,
        "Timestamp": item.at.secs_f64(),
        "HistoryItemType": item.kind,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    })
}
