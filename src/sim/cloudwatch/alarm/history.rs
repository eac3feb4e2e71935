//! What happened to alarms: changes of state, of configuration, and what actions came to (DescribeAlarmHistory).

use super::configuration::Watched;
use super::reason::stamp;
use super::{Action, Alarm, Alarms, Kind, State, arn};
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// CloudWatch keeps alarm history for 30 days.
const KEPT: Duration = Duration::from_secs(30 * 86_400);
/// Items kept in all.
const ITEMS_MAX: usize = 10_000;
/// Characters of an item's summary and data, at most (AlarmHistoryItem).
const SUMMARY_MAX: usize = 255;
const DATA_MAX: usize = 4095;

/// One item of the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub number: u64,
    pub at: Timestamp,
    pub alarm: String,
    /// `MetricAlarm` or `CompositeAlarm`.
    pub alarm_kind: &'static str,
    /// `StateUpdate`, `ConfigurationUpdate` or `Action`.
    pub kind: &'static str,
    pub summary: String,
    /// JSON.
    pub data: String,
}

impl Alarms {
    pub(super) fn note(
        &mut self,
        now: Timestamp,
        (alarm, alarm_kind): (&str, &'static str),
        kind: &'static str,
        summary: String,
        data: &Value,
    ) {
        let summary = summary.chars().take(SUMMARY_MAX).collect();
        let data = data.to_string().chars().take(DATA_MAX).collect();
        let item = Item { number: self.noted, at: now, alarm: alarm.to_owned(), alarm_kind, kind, summary, data };
        self.noted += 1;
        self.history.push_back(item);
        self.expire(now);
    }

    pub(super) fn expire(&mut self, now: Timestamp) {
        let is_over = |alarms: &Self| {
            alarms.history.len() > ITEMS_MAX || alarms.history.front().is_some_and(|item| now.since(item.at) > KEPT)
        };
        while is_over(self) {
            self.history.pop_front();
        }
    }

    /// The history, oldest first.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &Item> {
        self.history.iter()
    }

    /// Notes what became of an action.
    pub fn note_action(&mut self, now: Timestamp, action: &Action, outcome: Result<(), String>) {
        let kind = self.named(&action.alarm).map_or("MetricAlarm", Alarm::kind_text);
        let (summary, state, error) = match outcome {
            Ok(()) => (format!("Successfully executed action {}", action.target), "Succeeded", None),
            Err(why) => {
                (format!("Failed to execute action {}. Received error: \"{why}\"", action.target), "Failed", Some(why))
            }
        };
        let mut data = Map::new();
        data.insert("actionState".into(), state.into());
        data.insert("stateUpdateTimestamp".into(), now.millis().into());
        data.insert("notificationResource".into(), action.target.clone().into());
        let published = json!({ "default": action.message }).to_string();
        if published.len() < DATA_MAX * 3 / 5 {
            data.insert("publishedMessage".into(), published.into());
        }
        data.insert("error".into(), error.map_or(Value::Null, Value::String));
        self.note(now, (&action.alarm, kind), "Action", summary, &Value::Object(data));
    }
}

/// `oldState` and `newState` of a StateUpdate.
pub fn state_update(old: &State, new: &State) -> Value {
    let state = |state: &State| {
        let mut value = Map::new();
        value.insert("stateValue".into(), state.value.text().into());
        value.insert("stateReason".into(), state.reason.clone().into());
        if let Some(data) = &state.reason_data {
            value.insert("stateReasonData".into(), data.clone());
        }
        Value::Object(value)
    };
    json!({ "version": "1.0", "oldState": state(old), "newState": state(new) })
}

/// The data of a ConfigurationUpdate.
pub fn configuration(alarm: &Alarm, place: &Place, (kind, member): (&str, &str)) -> Value {
    let mut value = Map::new();
    let mut put = |name: &str, value_of: Value| value.insert(name.to_owned(), value_of);
    match &alarm.kind {
        Kind::Metric(watching) => {
            match &watching.watched {
                Watched::Metric { metric, stat, period_s, unit } => {
                    let dimension = |(name, value): &(String, String)| json!({ "name": name, "value": value });
                    put("namespace", metric.namespace.clone().into());
                    put("metricName", metric.name.clone().into());
                    put("dimensions", metric.dimensions.iter().map(dimension).collect());
                    let member = if stat.statistic.needs_values() { "extendedStatistic" } else { "statistic" };
                    put(member, stat.text.clone().into());
                    put("period", (*period_s).into());
                    if let Some(unit) = unit {
                        put("unit", (*unit).into());
                    }
                }
                Watched::Queries { queries, .. } => {
                    put("metrics", queries.clone());
                }
            }
            put("threshold", watching.threshold.into());
            put("evaluationPeriods", watching.evaluation_periods.into());
            if let Some(points) = watching.datapoints_to_alarm {
                put("datapointsToAlarm", points.into());
            }
            put("comparisonOperator", watching.comparison.text().into());
            if let Some(missing) = watching.missing {
                put("treatMissingData", missing.text().into());
            }
        }
        Kind::Composite(composite) => {
            put("alarmRule", composite.text.clone().into());
        }
    }
    put("stateValue", alarm.state.value.text().into());
    put("okactions", alarm.common.ok_actions.clone().into());
    put("alarmActions", alarm.common.alarm_actions.clone().into());
    put("insufficientDataActions", alarm.common.insufficient_data_actions.clone().into());
    put("actionsEnabled", alarm.common.actions_enabled.into());
    put("alarmName", alarm.name.clone().into());
    if let Some(description) = &alarm.common.description {
        put("alarmDescription", description.clone().into());
    }
    put("alarmArn", arn(place, &alarm.name).into());
    put("alarmConfigurationUpdatedTimestamp", stamp(alarm.configured).into());
    put("stateUpdatedTimestamp", stamp(alarm.state.updated).into());
    json!({ "version": "1.0", "type": kind, member: value })
}
