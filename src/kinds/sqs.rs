//! SQS queues: fields, columns, metrics and health. A queue's parts are its message move tasks.

use super::{INVENTORY_EVERY, Kind, Metric, SWEEP_EVERY, SeriesOf, Verdict};
use crate::domain::field::Field;
use crate::domain::row::{Health, KindId, Relation, Row};
use crate::domain::value::Unit;
use crate::domain::value::short_duration_ms;
use crate::domain::verb::ActionId;

pub const VISIBLE: Field = Field {
    id: "visible",
    title: "VISIBLE",
    unit: Unit::Count,
    doc: "Messages that wait (GetQueueAttributes ApproximateNumberOfMessages).",
};
pub const IN_FLIGHT: Field = Field {
    id: "in_flight",
    title: "IN FLIGHT",
    unit: Unit::Count,
    doc: "Messages received and not yet deleted (ApproximateNumberOfMessagesNotVisible).",
};
pub const DELAYED: Field = Field {
    id: "delayed",
    title: "DELAYED",
    unit: Unit::Count,
    doc: "Messages not to be received yet (ApproximateNumberOfMessagesDelayed).",
};
pub const OLDEST_AGE_S: Field = Field {
    id: "oldest_age_s",
    title: "OLDEST",
    unit: Unit::Seconds,
    doc: "Age of the oldest message; hides those received 3 times or more, and restarts in a dead-letter queue \
          (ApproximateAgeOfOldestMessage, Maximum).",
};
pub const SENT_PER_MIN: Field = Field {
    id: "sent_per_min",
    title: "SENT",
    unit: Unit::PerMinute,
    doc: "Messages sent; moves to a dead-letter queue do not count (NumberOfMessagesSent, Sum).",
};
pub const RECEIVED_PER_MIN: Field = Field {
    id: "received_per_min",
    title: "RECEIVED",
    unit: Unit::PerMinute,
    doc: "Messages received, repeats included (NumberOfMessagesReceived, Sum).",
};
pub const DELETED_PER_MIN: Field = Field {
    id: "deleted_per_min",
    title: "DELETED",
    unit: Unit::PerMinute,
    doc: "Messages deleted (NumberOfMessagesDeleted, Sum).",
};
pub const VISIBLE_HISTORY: Field = Field {
    id: "visible_history",
    title: "VISIBLE (1 min)",
    unit: Unit::Count,
    doc: "Messages that waited, minute by minute (ApproximateNumberOfMessagesVisible, Maximum).",
};
pub const VISIBILITY_TIMEOUT_S: Field = Field {
    id: "visibility_timeout_s",
    title: "VISIBILITY",
    unit: Unit::Seconds,
    doc: "How long a received message is hidden (VisibilityTimeout).",
};
pub const RETENTION_S: Field = Field {
    id: "retention_s",
    title: "RETENTION",
    unit: Unit::Seconds,
    doc: "How long a message is kept from when it was first sent (MessageRetentionPeriod).",
};
pub const MAX_RECEIVES: Field = Field {
    id: "max_receive_count",
    title: "MAX RECV",
    unit: Unit::Count,
    doc: "Receives before a message goes to the dead-letter queue (RedrivePolicy).",
};
pub const DLQ: Field = Field {
    id: "dead_letter_queue",
    title: "DLQ",
    unit: Unit::Text,
    doc: "The queue that takes its dead letters (RedrivePolicy).",
};
pub const DLQ_VISIBLE: Field = Field {
    id: "dead_letters",
    title: "DLQ MSGS",
    unit: Unit::Count,
    doc: "Messages that wait in its dead-letter queue.",
};
pub const URL: Field = Field { id: "url", title: "URL", unit: Unit::Text, doc: "The queue's URL (ListQueues)." };
pub const ARN: Field =
    Field { id: "arn", title: "ARN", unit: Unit::Text, doc: "The queue's ARN (GetQueueAttributes QueueArn)." };

// Fields of a message move task.
pub const TASK_STATUS: Field = Field {
    id: "status",
    title: "STATUS",
    unit: Unit::Text,
    doc: "RUNNING, COMPLETED, CANCELLING, CANCELLED or FAILED (ListMessageMoveTasks).",
};
pub const TASK_MOVED: Field = Field {
    id: "moved",
    title: "MOVED",
    unit: Unit::Count,
    doc: "Messages moved so far (ListMessageMoveTasks ApproximateNumberOfMessagesMoved).",
};
pub const TASK_TO_MOVE: Field = Field {
    id: "to_move",
    title: "TO MOVE",
    unit: Unit::Count,
    doc: "Messages that were there at the start (ListMessageMoveTasks ApproximateNumberOfMessagesToMove).",
};
pub const TASK_RATE_PER_S: Field = Field {
    id: "rate_per_s",
    title: "RATE",
    unit: Unit::PerSecond,
    doc: "The limit that was asked for (ListMessageMoveTasks MaxNumberOfMessagesPerSecond).",
};
pub const TASK_STARTED: Field = Field {
    id: "started",
    title: "STARTED",
    unit: Unit::Time,
    doc: "When it started (ListMessageMoveTasks StartedTimestamp).",
};
pub const TASK_DESTINATION: Field = Field {
    id: "destination",
    title: "TO",
    unit: Unit::Text,
    doc: "The target queue's name, or `each original source` (ListMessageMoveTasks DestinationArn).",
};
pub const TASK_FAILURE: Field =
    Field { id: "failure", title: "FAILURE", unit: Unit::Text, doc: "Why it failed (ListMessageMoveTasks)." };
pub const TASK_HANDLE: Field = Field {
    id: "handle",
    title: "HANDLE",
    unit: Unit::Text,
    doc: "What cancels it; AWS gives it only while the task runs (ListMessageMoveTasks TaskHandle).",
};

const NAMESPACE: &str = "AWS/SQS";

const fn metric(field: &'static Field, name: &'static str, statistic: &'static str) -> Metric {
    Metric { field, namespace: NAMESPACE, name, statistic, dimension: "QueueName", scale: 1.0 }
}

pub const KIND: Kind = Kind {
    id: KindId::Sqs,
    title: "SQS queues",
    columns: &[
        &VISIBLE,
        &IN_FLIGHT,
        &OLDEST_AGE_S,
        &DLQ_VISIBLE,
        &SENT_PER_MIN,
        &DELETED_PER_MIN,
        &RECEIVED_PER_MIN,
        &DELAYED,
        &MAX_RECEIVES,
        &DLQ,
    ],
    detail: &[
        &VISIBLE,
        &IN_FLIGHT,
        &DELAYED,
        &OLDEST_AGE_S,
        &SENT_PER_MIN,
        &RECEIVED_PER_MIN,
        &DELETED_PER_MIN,
        &VISIBLE_HISTORY,
        &VISIBILITY_TIMEOUT_S,
        &RETENTION_S,
        &MAX_RECEIVES,
        &DLQ,
        &DLQ_VISIBLE,
        &ARN,
        &URL,
    ],
    charts: &[&VISIBLE_HISTORY, &OLDEST_AGE_S, &SENT_PER_MIN, &DELETED_PER_MIN],
    parts_title: "move tasks",
    part_columns: &[
        &TASK_STATUS,
        &TASK_MOVED,
        &TASK_TO_MOVE,
        &TASK_RATE_PER_S,
        &TASK_STARTED,
        &TASK_DESTINATION,
        &TASK_FAILURE,
    ],
    metrics: &[
        metric(&OLDEST_AGE_S, "ApproximateAgeOfOldestMessage", "Maximum"),
        metric(&VISIBLE_HISTORY, "ApproximateNumberOfMessagesVisible", "Maximum"),
        metric(&SENT_PER_MIN, "NumberOfMessagesSent", "Sum"),
        metric(&RECEIVED_PER_MIN, "NumberOfMessagesReceived", "Sum"),
        metric(&DELETED_PER_MIN, "NumberOfMessagesDeleted", "Sum"),
    ],
    part_metrics: &[],
    part_dimensions: &[],
    has_part_metrics: |_| false,
    is_part_measured: |_| false,
    part_link: |_| None,
    address: Some(&URL),
    inventory_every: INVENTORY_EVERY,
    sweep_every: Some(SWEEP_EVERY),
    direct_usd: 0.8e-6,
    actions: &[ActionId::Redrive, ActionId::CancelRedrive],
    health,
};

const AGE_WARN_S: f64 = 300.0;
const AGE_CRIT_S: f64 = 1800.0;
/// AWS's in-flight quota is 120,000; work stops there.
const IN_FLIGHT_WARN: f64 = 100_000.0;
/// Dead letters that came within this many minutes make the queue critical: it is happening now.
const DLQ_GROWTH_MINUTES: usize = 10;

/// Whether the queue takes other queues' dead letters.
pub fn is_dead_letter_queue(row: &Row) -> bool {
    row.linked(Relation::DeadLettersOf).next().is_some()
}

/// A dead-letter queue is judged by what lies in it; a working queue by how long its oldest message waits.
fn health(row: &Row, series: &SeriesOf<'_>) -> Verdict {
    let mut verdict = Verdict::ok();
    let Some(visible) = row.fields.number(&VISIBLE) else {
        return Verdict { health: Health::Unknown, reasons: vec!["its depth is not known".into()] };
    };
    if is_dead_letter_queue(row) {
        dead_letter_health(visible, series, &mut verdict);
        return verdict;
    }
    if let Some(age_s) = row.fields.number(&OLDEST_AGE_S).filter(|_| visible > 0.0) {
        let age = short_duration_ms(age_s * 1000.0);
        if age_s >= AGE_CRIT_S {
            verdict.add(Health::Crit, format!("its oldest message has waited {age}"));
        } else if age_s >= AGE_WARN_S {
            verdict.add(Health::Warn, format!("its oldest message has waited {age}"));
        }
    }
    if row.fields.number(&IN_FLIGHT).is_some_and(|n| n >= IN_FLIGHT_WARN) {
        verdict.add(Health::Crit, "close to the quota of 120,000 messages in flight");
    }
    verdict
}

fn dead_letter_health(visible: f64, series: &SeriesOf<'_>, verdict: &mut Verdict) {
    if visible < 1.0 {
        return;
    }
    let count = Unit::Count.short_number(visible);
    let history = series.recent(&VISIBLE_HISTORY, DLQ_GROWTH_MINUTES);
    let before = history.first().copied().unwrap_or(visible);
    let grown = visible - before;
    if grown >= 1.0 {
        let grown = Unit::Count.short_number(grown);
        let minutes = history.len();
        verdict.add(Health::Crit, format!("{count} dead letters, {grown} more in the last {minutes} minutes"));
    } else {
        verdict.add(Health::Warn, format!("{count} dead letters wait"));
    }
}
