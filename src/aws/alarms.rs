//! Polls of CloudWatch alarms: their states, what they watch, and why they are as they are.

use crate::aws::clients::Clients;
use crate::aws::draft::{Draft, blank};
use crate::aws::errors::trouble;
use crate::aws::operations::DESCRIBE_ALARMS;
use crate::domain::poll::{RowUpdate, Target};
use crate::domain::row::{KindId, Link, Relation, ResourceId};
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, NoData, Origin, Value};
use crate::kinds::{self, alarm};
use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use aws_sdk_cloudwatch::types::{AlarmType, ComparisonOperator, CompositeAlarm, Metric, MetricAlarm};
use aws_smithy_types::DateTime;

/// DescribeAlarms gives at most so many a page, and takes as many names.
const PAGE: usize = 100;
const PAGES_MAX: usize = 200;

/// Every metric alarm and composite alarm; without their types DescribeAlarms would leave out the composite ones.
pub async fn inventory(clients: &Clients, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let mut ids = Vec::new();
    let mut token = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&DESCRIBE_ALARMS).await;
        let request = clients.cloudwatch.describe_alarms().max_records(PAGE as i32);
        let request = request.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
        match request.set_next_token(token).send().await {
            Ok(page) => {
                token = page.next_token.clone().filter(|token| !token.is_empty());
                for update in updates(&page, now) {
                    ids.push(update.id.clone());
                    draft.update(update);
                }
            }
            Err(error) => {
                draft.whole(&DESCRIBE_ALARMS, trouble(&error, &DESCRIBE_ALARMS, clients.place()));
                return draft;
            }
        }
        if token.is_none() {
            draft.inventory(KindId::Alarm, ids);
            return draft;
        }
    }
    draft
}

/// These alarms.
pub async fn direct(clients: &Clients, targets: &[Target], now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    for some in targets.chunks(PAGE) {
        clients.turn(&DESCRIBE_ALARMS).await;
        let names = some.iter().map(|target| target.id.name.clone()).collect();
        let request = clients.cloudwatch.describe_alarms().set_alarm_names(Some(names)).max_records(PAGE as i32);
        match request.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm).send().await {
            Ok(page) => updates(&page, now).into_iter().for_each(|update| draft.update(update)),
            Err(error) => {
                let trouble = trouble(&error, &DESCRIBE_ALARMS, clients.place());
                for target in some {
                    let mut update = blank(&target.id, now);
                    draft.resource(&DESCRIBE_ALARMS, trouble.clone(), &mut update, &[&alarm::STATE]);
                    draft.update(update);
                }
            }
        }
    }
    draft
}

fn updates(page: &DescribeAlarmsOutput, now: Timestamp) -> Vec<RowUpdate> {
    let metric = page.metric_alarms().iter().filter_map(|alarm| metric_alarm(alarm, now));
    metric.chain(page.composite_alarms().iter().filter_map(|alarm| composite_alarm(alarm, now))).collect()
}

/// What both sorts of alarm tell of themselves.
struct Told<'a> {
    name: &'a str,
    state: Option<&'a str>,
    since: Option<&'a DateTime>,
    reason: Option<&'a str>,
    description: Option<&'a str>,
    actions_enabled: Option<bool>,
    arn: Option<&'a str>,
    condition: String,
}

fn metric_alarm(alarm: &MetricAlarm, now: Timestamp) -> Option<RowUpdate> {
    let told = Told {
        name: alarm.alarm_name()?,
        state: alarm.state_value().map(|state| state.as_str()),
        since: alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp()),
        reason: alarm.state_reason(),
        description: alarm.alarm_description(),
        actions_enabled: alarm.actions_enabled(),
        arn: alarm.alarm_arn(),
        condition: condition(alarm),
    };
    let mut update = update(&told, now);
    let plain = Metric::builder()
        .set_namespace(alarm.namespace.clone())
        .set_dimensions(alarm.dimensions.clone())
        .set_metric_name(alarm.metric_name.clone())
        .build();
    let of_math = alarm.metrics().iter().filter_map(|query| query.metric_stat()?.metric());
    let mut links: Vec<Link> = std::iter::once(&plain)
        .chain(of_math)
        .filter_map(watched)
        .map(|to| Link { to, relation: Relation::Watches })
        .collect();
    links.sort();
    links.dedup();
    update.links = Some(links);
    Some(update)
}

fn composite_alarm(alarm: &CompositeAlarm, now: Timestamp) -> Option<RowUpdate> {
    let told = Told {
        name: alarm.alarm_name()?,
        state: alarm.state_value().map(|state| state.as_str()),
        since: alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp()),
        reason: alarm.state_reason(),
        description: alarm.alarm_description(),
        actions_enabled: alarm.actions_enabled(),
        arn: alarm.alarm_arn(),
        condition: alarm.alarm_rule().unwrap_or_default().to_owned(),
    };
    Some(update(&told, now))
}

fn update(told: &Told<'_>, now: Timestamp) -> RowUpdate {
    let mut update = blank(&ResourceId::new(KindId::Alarm, told.name), now);
    let none = || Value::missing(NoData::NotApplicable, now, Origin::Api);
    let text = |text: Option<&str>| match text.filter(|text| !text.is_empty()) {
        Some(text) => Value::text(text, now),
        None => none(),
    };
    let api = |datum| Value { datum, as_of: now, origin: Origin::Api };
    let since = told.since.and_then(|at| at.to_millis().ok()).map(Timestamp::from_millis);
    let fields = &mut update.fields;
    fields.set(&alarm::STATE, text(told.state));
    fields.set(&alarm::SINCE, since.map_or_else(none, |at| api(Datum::Time(at))));
    fields.set(&alarm::CONDITION, text(Some(&told.condition)));
    fields.set(&alarm::REASON, text(told.reason));
    fields.set(&alarm::DESCRIPTION, text(told.description));
    fields.set(&alarm::ACTIONS_ENABLED, told.actions_enabled.map_or_else(none, |flag| api(Datum::Flag(flag))));
    fields.set(&alarm::ARN, text(told.arn));
    update
}

/// `Maximum ApproximateAgeOfOldestMessage of orders > 300 for 3 of 5 × 60s`.
fn condition(alarm: &MetricAlarm) -> String {
    let what = match alarm.metric_name() {
        Some(name) => {
            let statistic = alarm.statistic().map(|s| s.as_str()).or(alarm.extended_statistic()).unwrap_or_default();
            let of: Vec<&str> = alarm.dimensions().iter().filter_map(|dimension| dimension.value()).collect();
            let of = if of.is_empty() { String::new() } else { format!(" of {}", of.join(" ")) };
            format!("{statistic} {name}{of}")
        }
        None => "an expression".to_owned(),
    };
    let sign = match alarm.comparison_operator() {
        Some(ComparisonOperator::GreaterThanThreshold) => ">",
        Some(ComparisonOperator::GreaterThanOrEqualToThreshold) => ">=",
        Some(ComparisonOperator::LessThanThreshold) => "<",
        Some(ComparisonOperator::LessThanOrEqualToThreshold) => "<=",
        _ => "outside",
    };
    let threshold = alarm.threshold().map_or("its band".to_owned(), |threshold| threshold.to_string());
    let periods = alarm.evaluation_periods().unwrap_or(1);
    let points = alarm.datapoints_to_alarm().unwrap_or(periods);
    let period = alarm.period().map_or(String::new(), |period| format!(" x {period}s"));
    format!("{} {sign} {threshold} for {points} of {periods}{period}", what.trim())
}

/// The resource that a metric is about: the one whose kind has this namespace and dimension.
fn watched(metric: &Metric) -> Option<ResourceId> {
    let about = |kind: &kinds::Kind| {
        let known = kind.metrics.iter().chain(kind.part_metrics).next()?;
        let is_here = metric.namespace() == Some(known.namespace);
        let named = metric.dimensions().iter().find(|dimension| dimension.name() == Some(known.dimension))?;
        is_here.then(|| ResourceId::new(kind.id, named.value().unwrap_or_default()))
    };
    kinds::KINDS.into_iter().find_map(about)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudwatch::types::{Dimension, StateValue, Statistic};

    #[test]
    fn an_alarm_says_its_condition_and_is_linked_to_what_it_watches() {
        let alarm = MetricAlarm::builder()
            .alarm_name("orders late")
            .namespace("AWS/SQS")
            .metric_name("ApproximateAgeOfOldestMessage")
            .dimensions(Dimension::builder().name("QueueName").value("orders").build())
            .statistic(Statistic::Maximum)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            .threshold(300.0)
            .evaluation_periods(5)
            .datapoints_to_alarm(3)
            .period(60)
            .state_value(StateValue::Alarm)
            .build();
        let update = metric_alarm(&alarm, Timestamp::default()).unwrap();
        assert_eq!(
            update.fields.text(&alarm::CONDITION),
            Some("Maximum ApproximateAgeOfOldestMessage of orders > 300 for 3 of 5 x 60s")
        );
        assert_eq!(update.fields.text(&alarm::STATE), Some("ALARM"));
        let orders = ResourceId::new(KindId::Sqs, "orders");
        assert_eq!(update.links, Some(vec![Link { to: orders, relation: Relation::Watches }]));
    }
}
