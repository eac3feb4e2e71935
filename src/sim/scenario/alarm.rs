//! The alarms of a scenario: a metric against a threshold, or other alarms by a rule.

use super::file::Scenario;
use crate::sim::cloudwatch;
use crate::sim::world::World;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    pub name: String,
    pub description: Option<String>,
    /// Such as `AWS/SQS`.
    pub namespace: Option<String>,
    pub metric: Option<String>,
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// `Sum`, `Maximum`, …, or a percentile such as `p99`.
    #[serde(default = "statistic")]
    pub statistic: String,
    #[serde(default = "period_s")]
    pub period_s: u32,
    /// The alarm goes off when `datapoints` of this many periods breach; without that, when all do.
    #[serde(default = "periods")]
    pub periods: u32,
    pub datapoints: Option<u32>,
    /// `>`, `>=`, `<` or `<=`.
    #[serde(default = "comparison")]
    pub comparison: String,
    pub threshold: Option<f64>,
    /// `missing`, `ignore`, `breaching` or `notBreaching`.
    pub missing: Option<String>,
    /// Of a composite alarm, instead of a metric: `ALARM(orders-age) AND NOT ALARM(deploy)`.
    pub rule: Option<String>,
    /// Whom it tells: ARNs of topics and functions, or names of this account's topics.
    #[serde(default)]
    pub actions: Vec<String>,
    #[serde(default)]
    pub ok_actions: Vec<String>,
}

fn statistic() -> String {
    "Sum".to_owned()
}
const fn period_s() -> u32 {
    60
}
const fn periods() -> u32 {
    1
}
fn comparison() -> String {
    ">".to_owned()
}

impl Alarm {
    /// Why it may not stand in a file.
    pub fn errors(&self) -> Vec<String> {
        let place = format!("alarm `{}`", self.name);
        let is_metric = self.namespace.is_some() && self.metric.is_some() && self.threshold.is_some();
        let mut errors = Vec::new();
        if is_metric == self.rule.is_some() {
            errors.push(format!("{place}: needs either namespace, metric and threshold, or a rule"));
        }
        if operator(&self.comparison).is_none() {
            errors.push(format!("{place}: comparison `{}` is none of > >= < <=", self.comparison));
        }
        errors
    }

    /// The operation that makes it, and its input.
    fn request(&self, world: &World) -> (&'static str, Value) {
        let arn = |name: &String| if name.contains(':') { name.clone() } else { world.place.arn("sns", name) };
        let mut input = json!({
            "AlarmName": self.name,
            "AlarmActions": self.actions.iter().map(arn).collect::<Vec<_>>(),
            "OKActions": self.ok_actions.iter().map(arn).collect::<Vec<_>>(),
            "AlarmDescription": self.description,
        });
        if let Some(rule) = &self.rule {
            input["AlarmRule"] = rule.clone().into();
            return ("PutCompositeAlarm", input);
        }
        let dimension = |(name, value): (&String, &String)| json!({ "Name": name, "Value": value });
        let is_simple = matches!(self.statistic.as_str(), "SampleCount" | "Average" | "Sum" | "Minimum" | "Maximum");
        let statistic = if is_simple { "Statistic" } else { "ExtendedStatistic" };
        for (name, value) in [
            ("Namespace", self.namespace.clone().into()),
            ("MetricName", self.metric.clone().into()),
            ("Dimensions", self.dimensions.iter().map(dimension).collect()),
            (statistic, self.statistic.clone().into()),
            ("Period", self.period_s.into()),
            ("EvaluationPeriods", self.periods.into()),
            ("DatapointsToAlarm", self.datapoints.into()),
            ("ComparisonOperator", operator(&self.comparison).into()),
            ("Threshold", self.threshold.into()),
            ("TreatMissingData", self.missing.clone().into()),
        ] {
            input[name] = value;
        }
        ("PutMetricAlarm", input)
    }
}

fn operator(comparison: &str) -> Option<&'static str> {
    match comparison {
        ">" => Some("GreaterThanThreshold"),
        ">=" => Some("GreaterThanOrEqualToThreshold"),
        "<" => Some("LessThanThreshold"),
        "<=" => Some("LessThanOrEqualToThreshold"),
        _ => None,
    }
}

/// Puts the scenario's alarms in the file's order, so that a rule can name those above it.
pub fn add_alarms(world: &mut World, scenario: &Scenario) -> Result<(), String> {
    for alarm in &scenario.alarms {
        let (operation, input) = alarm.request(world);
        let put = cloudwatch::put_alarm(world, operation, &input);
        put.map_err(|error| format!("alarm `{}`: {}", alarm.name, error.message))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Scenario, build};
    use std::time::Duration;

    const FILE: &str = r#"
        name = "watched"
        title = "Watched"
        start = "2026-11-27T18:00:00Z"
        warm_up = "10m"
        [[template]]
        name = "order"
        text = "{}"
        [[queue]]
        name = "orders"
        [[producer]]
        name = "shop"
        target = "sqs/orders"
        per_s = 2.0
        template = "order"
        [[alarm]]
        name = "backlog"
        namespace = "AWS/SQS"
        metric = "ApproximateNumberOfMessagesVisible"
        dimensions = { QueueName = "orders" }
        statistic = "Maximum"
        threshold = 100.0
        actions = ["on-call"]
        [[alarm]]
        name = "page"
        rule = "ALARM(backlog)"
    "#;

    #[test]
    fn a_scenarios_alarms_watch_what_its_applications_do() {
        let scenario = Scenario::parse(FILE).unwrap();
        let mut world = build(&scenario, 1).unwrap();
        world.advance_to(scenario.start);
        let state = |name: &str| world.cloudwatch.alarms.named(name).map(|alarm| alarm.state.value.text());
        assert_eq!((state("backlog"), state("page")), (Some("ALARM"), Some("ALARM")));
        let kept = scenario.start - Duration::from_secs(600);
        assert!(world.cloudwatch.alarms.history().all(|item| item.at >= kept));
    }

    #[test]
    fn an_alarm_without_a_metric_or_a_rule_is_refused() {
        for wrong in ["rule = \"\"\nnamespace = \"A\"\nmetric = \"B\"\nthreshold = 1.0", "comparison = \"=\"", ""] {
            let text = format!(
                "name = \"x\"\ntitle = \"X\"\nstart = \"2026-11-27T18:00:00Z\"\n[[alarm]]\nname = \"a\"\n{wrong}"
            );
            assert!(Scenario::parse(&text).unwrap_err().to_string().contains("alarm `a`"), "{wrong}");
        }
    }
}
