//! SQS queues: fields, columns, metrics and health. A queue's parts are its message move tasks.

use super::{INVENTORY_EVERY, Kind, Metric, SWEEP_EVERY, SeriesOf, Verdict};
use crate::domain::counted::{counted, counted_all, counted_that};
use crate::domain::field::Field;
use crate::domain::row::{Health, KindId, Relation, Row};
use crate::domain::value::{NoData, Unit, short_duration_ms};
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
pub const DRAIN_S: Field = Field {
    id: "drain_s",
    title: "DRAIN",
    unit: Unit::Seconds,
    doc: "When what waits is done at the pace of the last 5 minutes: visible / (deleted - sent); never when it grows.",
};
pub const GROWTH_PER_MIN: Field = Field {
    id: "growth_per_min",
    title: "GROWTH",
    unit: Unit::PerMinute,
    doc: "How many more messages wait from minute to minute, over the last 10 (ApproximateNumberOfMessagesVisible).",
};
pub const EXPIRY_AT_MOST_S: Field = Field {
    id: "first_expiry_at_most_s",
    title: "LOST WITHIN",
    unit: Unit::Seconds,
    doc: "The oldest message known is lost to retention by then at the latest (MessageRetentionPeriod - oldest age).",
};
pub const EXPIRY_AT_LEAST_S: Field = Field {
    id: "first_expiry_at_least_s",
    title: "SAFE FOR",
    unit: Unit::Seconds,
    doc: "No dead letter is lost before then: retention counts from the first send, so the time that the source queues \
          may have kept it is taken off too.",
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
    title: "PEAK VISIBLE",
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
pub const DLQ_GROWTH_PER_MIN: Field = Field {
    id: "dead_letters_growth_per_min",
    title: "DLQ GROWTH",
    unit: Unit::PerMinute,
    doc: "How many more messages wait in its dead-letter queue from minute to minute, over the last 10.",
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
    Metric { field, namespace: NAMESPACE, name, statistic, dimension: "QueueName", scale: 1.0, near_only: false }
}

pub const KIND: Kind = Kind {
    id: KindId::Sqs,
    title: "SQS queues",
    columns: &[
        &VISIBLE,
        &IN_FLIGHT,
        &OLDEST_AGE_S,
        &DLQ_VISIBLE,
        &DRAIN_S,
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
        &DRAIN_S,
        &GROWTH_PER_MIN,
        &SENT_PER_MIN,
        &RECEIVED_PER_MIN,
        &DELETED_PER_MIN,
        &VISIBLE_HISTORY,
        &VISIBILITY_TIMEOUT_S,
        &RETENTION_S,
        &EXPIRY_AT_MOST_S,
        &EXPIRY_AT_LEAST_S,
        &MAX_RECEIVES,
        &DLQ,
        &DLQ_VISIBLE,
        &DLQ_GROWTH_PER_MIN,
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
/// A loss that is nearer than this must be dealt with in this watch.
const LOSS_WARN_S: f64 = 86_400.0;
/// Dead letters that came within this many minutes make the queue critical: it is happening now.
const DLQ_GROWTH_MINUTES: usize = 10;

/// AWS moves a message that was received so often to the back, where its age is not told any more. Counts.
const HIDDEN_FROM_RECEIVES: f64 = 3.0;

/// A FIFO queue's name says so (CreateQueue).
pub fn is_fifo(row: &Row) -> bool {
    row.id.name.ends_with(".fifo")
}

/// What its numbers do not say by themselves: why a backlog has no end, which bounds an expiry has, and where the age of
/// the oldest message misleads.
pub fn notes(row: &Row) -> Vec<String> {
    let is_empty = row.fields.why_missing(&OLDEST_AGE_S) == Some(NoData::Empty);
    if is_empty || !row.fields.number(&VISIBLE).is_some_and(|visible| visible >= 1.0) {
        return Vec::new();
    }
    let mut notes: Vec<String> = drain_note(row).into_iter().collect();
    if is_dead_letter_queue(row) {
        notes.extend(expiry_note(row));
    } else if let Some(note) = hidden_note(row) {
        notes.push(note.to_owned());
    }
    notes
}

fn drain_note(row: &Row) -> Option<String> {
    let rate = |field| row.fields.number(field);
    match row.fields.why_missing(&DRAIN_S) {
        Some(NoData::Never) if rate(&DELETED_PER_MIN) == Some(0.0) => {
            Some("It is never done: nothing is deleted.".to_owned())
        }
        Some(NoData::Never) => Some("It is never done: more is sent than deleted, so it grows.".to_owned()),
        Some(NoData::Steady) => Some("As much is sent as deleted: what waits neither grows nor shrinks.".to_owned()),
        _ => None,
    }
}

/// A standard queue keeps a dead letter's first send time, which nobody tells: the age restarts with the move.
fn expiry_note(row: &Row) -> Option<String> {
    let at_most_s = row.fields.number(&EXPIRY_AT_MOST_S)?;
    let said = |seconds: f64| short_duration_ms(seconds * 1000.0);
    let at_most = said(at_most_s);
    let note = match row.fields.number(&EXPIRY_AT_LEAST_S) {
        Some(_) if is_fifo(row) => {
            format!("The first dead letter is lost in {at_most}: a FIFO queue counts from the move, as OLDEST does.")
        }
        Some(at_least_s) if said(at_least_s) == at_most => {
            format!("The first dead letter is lost in {at_most}: retention counts from its first send.")
        }
        Some(at_least_s) if at_least_s > 0.0 => format!(
            "The first dead letter is lost in {} to {at_most}: retention counts from its first send, OLDEST only from the \
             move here.",
            said(at_least_s)
        ),
        _ => format!(
            "The first dead letter is lost in {at_most} at most, maybe any moment: retention counts from its first send, \
             OLDEST only from the move here."
        ),
    };
    Some(note)
}

/// Only where messages come back can one have been received so often.
fn hidden_note(row: &Row) -> Option<&'static str> {
    let may_be_hidden = row.fields.number(&MAX_RECEIVES).is_none_or(|max| max >= HIDDEN_FROM_RECEIVES);
    let (received, deleted) = (row.fields.number(&RECEIVED_PER_MIN)?, row.fields.number(&DELETED_PER_MIN)?);
    let note = "More is received than deleted: messages received 3 times or more go to the back and hide from OLDEST, so \
                the oldest may be older.";
    (may_be_hidden && !is_fifo(row) && received > deleted).then_some(note)
}

/// Whether the queue takes other queues' dead letters.
pub fn is_dead_letter_queue(row: &Row) -> bool {
    row.linked(Relation::DeadLettersOf).next().is_some()
}

/// A dead-letter queue is judged by what lies in it; a working queue by how long its oldest message waits.
fn health(row: &Row, series: &SeriesOf<'_>) -> Verdict {
    let mut verdict = Verdict::ok();
    let Some(visible) = row.fields.number(&VISIBLE) else {
        return Verdict::unknown("its depth is not known");
    };
    if is_dead_letter_queue(row) {
        dead_letter_health(row, visible, series, &mut verdict);
        return verdict;
    }
    if let Some(age_s) = row.fields.number(&OLDEST_AGE_S).filter(|_| visible > 0.0) {
        let age = short_duration_ms(age_s * 1000.0);
        if age_s >= AGE_CRIT_S {
            verdict.add(&OLDEST_AGE_S, Health::Crit, format!("its oldest message has waited {age}"));
        } else if age_s >= AGE_WARN_S {
            verdict.add(&OLDEST_AGE_S, Health::Warn, format!("its oldest message has waited {age}"));
        }
    }
    if row.fields.number(&IN_FLIGHT).is_some_and(|n| n >= IN_FLIGHT_WARN) {
        verdict.add(&IN_FLIGHT, Health::Crit, "close to the quota of 120,000 messages in flight");
    }
    verdict
}

fn dead_letter_health(row: &Row, visible: f64, series: &SeriesOf<'_>, verdict: &mut Verdict) {
    if visible < 1.0 {
        return;
    }
    let history = series.recent(&VISIBLE_HISTORY, DLQ_GROWTH_MINUTES);
    let before = history.first().copied().unwrap_or(visible);
    let grown = visible - before;
    if grown >= 1.0 {
        let grown = Unit::Count.short_number(grown);
        let minutes = counted_all(history.len(), "minute");
        verdict.add(
            &VISIBLE,
            Health::Crit,
            format!("{}, {grown} more in the last {minutes}", counted(visible, "dead letter")),
        );
    } else {
        verdict.add(&VISIBLE, Health::Warn, counted_that(visible, "dead letter", "wait"));
    }
    if let Some(within_s) = row.fields.number(&EXPIRY_AT_MOST_S).filter(|within_s| *within_s < LOSS_WARN_S) {
        let within = short_duration_ms(within_s * 1000.0);
        verdict.add(&EXPIRY_AT_MOST_S, Health::Warn, format!("the first of them is lost to retention within {within}"));
    }
}
