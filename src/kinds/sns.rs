//! SNS topics: fields, columns, metrics and health. A topic's parts are its subscriptions.

use super::{INVENTORY_EVERY, Kind, Metric, SeriesOf, Verdict};
use crate::domain::counted::counted_that;
use crate::domain::field::Field;
use crate::domain::row::{Health, KindId, Link, Part, Relation, ResourceId, Row};
use crate::domain::value::{NoData, Unit};
use std::time::Duration;

pub const PUBLISHED_PER_MIN: Field = Field {
    id: "published_per_min",
    title: "PUBLISHED",
    unit: Unit::PerMinute,
    doc: "Messages published to the topic (NumberOfMessagesPublished, Sum).",
};
pub const DELIVERED_PER_MIN: Field = Field {
    id: "delivered_per_min",
    title: "DELIVERED",
    unit: Unit::PerMinute,
    doc: "Deliveries that subscribers took; one message counts once for each of them (NumberOfNotificationsDelivered, \
          Sum).",
};
pub const FAILED_PER_MIN: Field = Field {
    id: "failed_per_min",
    title: "FAILED",
    unit: Unit::PerMinute,
    doc: "Deliveries given up; of HTTP endpoints, every attempt that failed (NumberOfNotificationsFailed, Sum).",
};
pub const FILTERED_PER_MIN: Field = Field {
    id: "filtered_per_min",
    title: "FILTERED",
    unit: Unit::PerMinute,
    doc: "Deliveries that a filter policy kept back (NumberOfNotificationsFilteredOut, Sum).",
};
pub const REDRIVEN_PER_MIN: Field = Field {
    id: "redriven_per_min",
    title: "TO DLQ",
    unit: Unit::PerMinute,
    doc: "Deliveries that went to a subscription's dead-letter queue (NumberOfNotificationsRedrivenToDlq, Sum).",
};
pub const LOST_PER_MIN: Field = Field {
    id: "lost_per_min",
    title: "LOST",
    unit: Unit::PerMinute,
    doc: "Deliveries that not even the dead-letter queue took (NumberOfNotificationsFailedToRedriveToDlq, Sum).",
};
pub const SUBSCRIPTIONS: Field = Field {
    id: "subscriptions",
    title: "SUBS",
    unit: Unit::Count,
    doc: "Confirmed subscriptions (ListSubscriptions).",
};
pub const PENDING: Field = Field {
    id: "pending_subscriptions",
    title: "PENDING",
    unit: Unit::Count,
    doc: "Subscriptions that nobody has confirmed; they get nothing (ListSubscriptions).",
};
pub const FIFO: Field =
    Field { id: "fifo", title: "FIFO", unit: Unit::Flag, doc: "Whether order is kept: its name ends with .fifo." };
pub const ARN: Field = Field { id: "arn", title: "ARN", unit: Unit::Text, doc: "The topic's ARN (ListTopics)." };

// Fields of a subscription.
pub const PROTOCOL: Field = Field {
    id: "protocol",
    title: "PROTOCOL",
    unit: Unit::Text,
    doc: "How it is delivered: sqs, lambda, firehose, https, email … (ListSubscriptions).",
};
pub const ENDPOINT: Field = Field {
    id: "endpoint",
    title: "ENDPOINT",
    unit: Unit::Text,
    doc: "The name of the queue, function or delivery stream, or the address (ListSubscriptions).",
};
pub const SUBSCRIPTION_STATE: Field = Field {
    id: "state",
    title: "STATE",
    unit: Unit::Text,
    doc: "Confirmed or pending confirmation (ListSubscriptions SubscriptionArn).",
};
pub const FILTER_POLICY: Field = Field {
    id: "filter_policy",
    title: "FILTER",
    unit: Unit::Text,
    doc: "What the subscription lets through (GetSubscriptionAttributes FilterPolicy).",
};
pub const RAW: Field = Field {
    id: "raw_delivery",
    title: "RAW",
    unit: Unit::Flag,
    doc: "Whether messages come without SNS's envelope (GetSubscriptionAttributes RawMessageDelivery).",
};
pub const SUBSCRIPTION_DLQ: Field = Field {
    id: "dead_letter_queue",
    title: "DLQ",
    unit: Unit::Text,
    doc: "The queue that takes what cannot be delivered (GetSubscriptionAttributes RedrivePolicy).",
};

const fn metric(field: &'static Field, name: &'static str) -> Metric {
    Metric { field, namespace: "AWS/SNS", name, statistic: "Sum", dimension: "TopicName", scale: 1.0, near_only: false }
}

pub const KIND: Kind = Kind {
    id: KindId::Sns,
    title: "SNS topics",
    columns: &[
        &FAILED_PER_MIN,
        &PUBLISHED_PER_MIN,
        &DELIVERED_PER_MIN,
        &FILTERED_PER_MIN,
        &REDRIVEN_PER_MIN,
        &LOST_PER_MIN,
        &SUBSCRIPTIONS,
        &PENDING,
    ],
    detail: &[
        &PUBLISHED_PER_MIN,
        &DELIVERED_PER_MIN,
        &FAILED_PER_MIN,
        &FILTERED_PER_MIN,
        &REDRIVEN_PER_MIN,
        &LOST_PER_MIN,
        &SUBSCRIPTIONS,
        &PENDING,
        &FIFO,
        &ARN,
    ],
    charts: &[&FAILED_PER_MIN, &PUBLISHED_PER_MIN, &DELIVERED_PER_MIN, &FILTERED_PER_MIN],
    parts_title: "subscriptions",
    part_columns: &[&PROTOCOL, &ENDPOINT, &SUBSCRIPTION_STATE, &SUBSCRIPTION_DLQ, &RAW, &FILTER_POLICY],
    metrics: &[
        metric(&PUBLISHED_PER_MIN, "NumberOfMessagesPublished"),
        metric(&DELIVERED_PER_MIN, "NumberOfNotificationsDelivered"),
        metric(&FAILED_PER_MIN, "NumberOfNotificationsFailed"),
        metric(&FILTERED_PER_MIN, "NumberOfNotificationsFilteredOut"),
        metric(&REDRIVEN_PER_MIN, "NumberOfNotificationsRedrivenToDlq"),
        metric(&LOST_PER_MIN, "NumberOfNotificationsFailedToRedriveToDlq"),
    ],
    part_metrics: &[],
    part_dimensions: &[],
    has_part_metrics: |_| false,
    is_part_measured: |_| false,
    part_link: dead_letter_queue,
    address: Some(&ARN),
    inventory_every: INVENTORY_EVERY,
    // Only what is not known of its subscriptions is asked; most often that is nothing.
    sweep_every: Some(Duration::from_secs(300)),
    direct_usd: 0.5e-6,
    actions: &[],
    health,
};

/// What a subscription is set to changes by hand only; it is read anew so often though nobody looks.
const SETTINGS_EVERY: Duration = Duration::from_secs(1800);

fn confirmed(row: &Row) -> impl Iterator<Item = &Part> {
    row.parts.iter().filter(|part| part.fields.text(&SUBSCRIPTION_STATE) == Some(CONFIRMED))
}

/// What [`SUBSCRIPTION_STATE`] says of a subscription that is delivered to.
pub const CONFIRMED: &str = "confirmed";

/// The subscriptions whose settings were never read, and then those whose were not for long.
pub fn unread(row: &Row) -> impl Iterator<Item = &Part> {
    let read_at = |part: &&Part| part.fields.get(&SUBSCRIPTION_DLQ).map(|known| known.as_of);
    let never = confirmed(row).filter(move |part| read_at(part).is_none());
    let long_ago = move |part: &&Part| read_at(part).is_some_and(|at| row.as_of.since(at) >= SETTINGS_EVERY);
    never.chain(confirmed(row).filter(long_ago))
}

/// Whether a queue may be the dead-letter queue of one of its subscriptions without that being known here.
pub fn may_have_other_dead_letter_queues(row: &Row) -> bool {
    let is_told = |part: &Part| {
        let missing = part.fields.why_missing(&SUBSCRIPTION_DLQ);
        matches!(missing, None | Some(NoData::NotApplicable))
    };
    row.fields.number(&SUBSCRIPTIONS).is_none() || !confirmed(row).all(is_told)
}

/// The subscription's dead-letter queue, where it is in the topic's account and region: elsewhere it is told by its ARN.
fn dead_letter_queue(part: &Part) -> Option<Link> {
    let name = part.fields.text(&SUBSCRIPTION_DLQ).filter(|text| !text.contains(':'))?;
    Some(Link { to: ResourceId::new(KindId::Sqs, name), relation: Relation::DeadLettersTo })
}

/// This share of deliveries failing is no accident of one endpoint's restart.
const FAILED_CRIT_PERCENT: f64 = 10.0;

/// The numbers that may make it unwell; without any of them nothing can be said.
const JUDGED_BY: [&Field; 2] = [&FAILED_PER_MIN, &LOST_PER_MIN];

/// Failed deliveries over the last five minutes, and what was lost for good.
fn health(row: &Row, series: &SeriesOf<'_>) -> Verdict {
    let mut verdict = Verdict::ok();
    if row.fields.is_empty() {
        return Verdict::unknown("not looked at yet");
    }
    verdict.judge_by(row, &JUDGED_BY, "its failed deliveries are not known");
    let sum = |field: &Field| series.sum(field, "", 5);
    let (failed, delivered) = (sum(&FAILED_PER_MIN), sum(&DELIVERED_PER_MIN));
    if failed > 0.0 {
        let percent = failed / (failed + delivered) * 100.0;
        let health = if percent >= FAILED_CRIT_PERCENT { Health::Crit } else { Health::Warn };
        let share = Unit::Percent.short_number(percent);
        verdict.add(&FAILED_PER_MIN, health, format!("{share} of its deliveries failed in 5 minutes"));
    }
    let lost = sum(&LOST_PER_MIN);
    if lost > 0.0 {
        let lost = counted_that(lost, "delivery", "were");
        let said = format!("{lost} lost in 5 minutes: the dead-letter queue took none");
        verdict.add(&LOST_PER_MIN, Health::Crit, said);
    }
    if let Some(pending) = row.fields.number(&PENDING).filter(|n| *n > 0.0) {
        verdict.add(&PENDING, Health::Ok, format!("{} to be confirmed", counted_that(pending, "subscription", "wait")));
    }
    verdict
}
