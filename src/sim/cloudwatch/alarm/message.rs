//! What an alarm tells others when its state changes: a topic's message, a function's event.

use super::configuration::{Watched, Watching};
use super::reason::stamp;
use super::{Action, Alarm, Kind, State, arn};
use crate::sim::cx::Place;
use crate::sim::payload;
use serde_json::{Map, Value, json};

/// Characters of a subject, at most (Publish).
const SUBJECT_MAX: usize = 100;

/// The actions of the state that the alarm has entered. `old` is the state before.
pub fn actions(alarm: &Alarm, old: &State, place: &Place) -> Vec<Action> {
    let targets = alarm.common.actions(alarm.state.value);
    if targets.is_empty() {
        return Vec::new();
    }
    let subject = format!("{}: \"{}\" in {}", alarm.state.value.text(), alarm.name, region_name(&place.region));
    let subject: String = subject.chars().take(SUBJECT_MAX).collect();
    let message = message(alarm, old, place).to_string();
    let event = event(alarm, old, place);
    let action = |target: &String| Action {
        alarm: alarm.name.clone(),
        target: target.clone(),
        subject: subject.clone(),
        message: message.clone(),
        event: event.clone(),
    };
    targets.iter().map(action).collect()
}

fn message(alarm: &Alarm, old: &State, place: &Place) -> Value {
    let mut value = Map::new();
    let mut put = |name: &str, value_of: Value| value.insert(name.to_owned(), value_of);
    put("AlarmName", alarm.name.clone().into());
    put("AlarmDescription", alarm.common.description.clone().map_or(Value::Null, Value::String));
    put("AWSAccountId", place.account.clone().into());
    if let Kind::Metric(_) = &alarm.kind {
        put("AlarmConfigurationUpdatedTimestamp", stamp(alarm.configured).into());
    }
    put("NewStateValue", alarm.state.value.text().into());
    put("NewStateReason", alarm.state.reason.clone().into());
    put("StateChangeTime", stamp(alarm.state.transitioned).into());
    put("Region", region_name(&place.region).into());
    put("AlarmArn", arn(place, &alarm.name).into());
    put("OldStateValue", old.value.text().into());
    put("ActionExecutedAfterMuteWindow", false.into());
    put("OKActions", alarm.common.ok_actions.clone().into());
    put("AlarmActions", alarm.common.alarm_actions.clone().into());
    put("InsufficientDataActions", alarm.common.insufficient_data_actions.clone().into());
    match &alarm.kind {
        Kind::Metric(watching) => {
            put("Trigger", trigger(watching));
        }
        Kind::Composite(composite) => {
            put("AlarmRule", composite.text.clone().into());
            // Those whose change brought it about, as the state's reason has them.
            let children = alarm.state.reason_data.as_ref().and_then(|data| data["triggeringAlarms"].as_array());
            let child = |child: &Value| {
                let state = json!({ "Value": child["state"]["value"], "Timestamp": child["state"]["timestamp"] });
                json!({ "Arn": child["arn"], "State": state })
            };
            put("TriggeringChildren", children.into_iter().flatten().map(child).collect());
        }
    }
    Value::Object(value)
}

fn trigger(watching: &Watching) -> Value {
    let mut value = Map::new();
    let mut put = |name: &str, value_of: Value| value.insert(name.to_owned(), value_of);
    if let Watched::Metric { metric, stat, unit, .. } = &watching.watched {
        put("MetricName", metric.name.clone().into());
        put("Namespace", metric.namespace.clone().into());
        if stat.statistic.needs_values() {
            put("StatisticType", "ExtendedStatistic".into());
            put("ExtendedStatistic", stat.text.clone().into());
        } else {
            put("StatisticType", "Statistic".into());
            let name = if stat.text == "SampleCount" { "SAMPLE_COUNT".into() } else { stat.text.to_uppercase() };
            put("Statistic", name.into());
        }
        put("Unit", unit.map_or(Value::Null, Value::from));
        let dimension = |(name, value): &(String, String)| json!({ "value": value, "name": name });
        put("Dimensions", metric.dimensions.iter().map(dimension).collect());
    }
    put("Period", watching.period_s().into());
    put("EvaluationPeriods", watching.evaluation_periods.into());
    if let Some(points) = watching.datapoints_to_alarm {
        put("DatapointsToAlarm", points.into());
    }
    put("ComparisonOperator", watching.comparison.text().into());
    put("Threshold", watching.threshold.into());
    put("TreatMissingData", watching.treats_missing_as().text().into());
    put("EvaluateLowSampleCountPercentile", watching.low_sample_count.clone().unwrap_or_default().into());
    if let Watched::Queries { queries, .. } = &watching.watched {
        put("Metrics", queries.clone());
    }
    Value::Object(value)
}

/// The event of a function that is an alarm's action.
fn event(alarm: &Alarm, old: &State, place: &Place) -> Value {
    let state = |state: &State| {
        let mut value = Map::new();
        value.insert("value".into(), state.value.text().into());
        value.insert("reason".into(), state.reason.clone().into());
        if let Some(data) = &state.reason_data {
            value.insert("reasonData".into(), data.to_string().into());
        }
        value.insert("timestamp".into(), stamp(state.transitioned).into());
        Value::Object(value)
    };
    let mut configuration = Map::new();
    if let Some(description) = &alarm.common.description {
        configuration.insert("description".into(), description.clone().into());
    }
    match &alarm.kind {
        Kind::Metric(watching) => {
            configuration.insert("metrics".into(), metrics(alarm, watching));
        }
        Kind::Composite(composite) => {
            configuration.insert("alarmRule".into(), composite.text.clone().into());
        }
    }
    json!({
        "source": "aws.cloudwatch",
        "alarmArn": arn(place, &alarm.name),
        "accountId": place.account,
        "time": stamp(alarm.state.transitioned),
        "region": place.region,
        "alarmData": {
            "alarmName": alarm.name,
            "state": state(&alarm.state),
            "previousState": state(old),
            "configuration": configuration,
        },
    })
}

fn metrics(alarm: &Alarm, watching: &Watching) -> Value {
    let Watched::Metric { metric, stat, period_s, .. } = &watching.watched else {
        return match &watching.watched {
            Watched::Queries { queries, .. } => spelled(queries),
            Watched::Metric { .. } => Value::Null,
        };
    };
    let dimensions: Map<String, Value> =
        metric.dimensions.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let mut seed = alarm.name.bytes().fold(17_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let id = payload::uuid_text(payload::next(&mut seed), payload::next(&mut seed));
    json!([{
        "id": id,
        "metricStat": {
            "metric": { "namespace": metric.namespace, "name": metric.name, "dimensions": dimensions },
            "period": period_s,
            "stat": stat.text,
        },
        "returnData": true,
    }])
}

/// Member names with a small first letter.
fn spelled(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let mut chars = name.chars();
                let first = chars.next().map(|c| c.to_ascii_lowercase()).into_iter();
                (first.chain(chars).collect::<String>(), spelled(value))
            };
            Value::Object(members.iter().map(member).collect())
        }
        Value::Array(items) => items.iter().map(spelled).collect(),
        other => other.clone(),
    }
}

/// The region's name for people; a region without one is written as it is.
fn region_name(region: &str) -> &str {
    match region {
        "us-east-1" => "US East (N. Virginia)",
        "us-east-2" => "US East (Ohio)",
        "us-west-1" => "US West (N. California)",
        "us-west-2" => "US West (Oregon)",
        "ca-central-1" => "Canada (Central)",
        "eu-west-1" => "EU (Ireland)",
        "eu-west-2" => "EU (London)",
        "eu-west-3" => "EU (Paris)",
        "eu-central-1" => "EU (Frankfurt)",
        "eu-north-1" => "EU (Stockholm)",
        "eu-south-1" => "EU (Milan)",
        "ap-south-1" => "Asia Pacific (Mumbai)",
        "ap-southeast-1" => "Asia Pacific (Singapore)",
        "ap-southeast-2" => "Asia Pacific (Sydney)",
        "ap-northeast-1" => "Asia Pacific (Tokyo)",
        "ap-northeast-2" => "Asia Pacific (Seoul)",
        "sa-east-1" => "South America (Sao Paulo)",
        other => other,
    }
}
