//! What is wrong with a queue: dead letters and why they died, a backlog, consumers that have stopped.

use super::{Estate, evidence, finding};
use crate::domain::counted::{counted, counted_that};
use crate::domain::finding::{Cause, Confidence, Finding};
use crate::domain::row::{Health, KindId, Relation, ResourceId, Row};
use crate::domain::series::Series;
use crate::domain::time::Timestamp;
use crate::domain::value::short_duration_ms;
use crate::kinds::{lambda, sqs};

const LOOK_BACK_MIN: usize = 5;
const AGE_WARN_S: f64 = 300.0;
const AGE_CRIT_S: f64 = 1800.0;

pub fn look<'a>(estate: &Estate<'a>, row: &'a Row, findings: &mut Vec<Finding>) {
    if sqs::is_dead_letter_queue(row) {
        if let Some(found) = dead_letters(estate, row, findings) {
            findings.push(found);
        }
        return;
    }
    findings.extend(backlog(estate, row));
}

/// Dead letters, with what is known about the functions that work the source queues.
fn dead_letters<'a>(estate: &Estate<'a>, row: &'a Row, so_far: &[Finding]) -> Option<Finding> {
    let waiting = row.fields.number(&sqs::VISIBLE).filter(|n| *n >= 1.0)?;
    let count = counted(waiting, "dead letter");
    let name = &row.id.name;
    let sources: Vec<&ResourceId> = row.linked(Relation::DeadLettersOf).collect();
    if sources.iter().all(|source| source.kind == KindId::Sns) {
        return Some(undelivered(row, waiting, &sources));
    }
    let consumers: Vec<&Row> = sources.iter().flat_map(|source| estate.fed_by(source)).collect();
    let culprit = consumers.iter().find_map(|consumer| {
        let about =
            so_far.iter().find(|finding| finding.resource == consumer.id && finding.severity >= Health::Warn)?;
        Some((*consumer, about))
    });
    let (confidence, sentence) = match culprit {
        Some((consumer, about)) => (
            Confidence::Likely,
            format!("{count} in {name}: {} ({}). Mend that before a redrive.", consumer.id, about.cause.word()),
        ),
        None if consumers.is_empty() => {
            (Confidence::Certain, format!("{count} in {name}; who works its source is not known here."))
        }
        None if are_newer(estate, row, &consumers) => {
            (Confidence::Certain, format!("{count} in {name}; what works its source is well now, so a redrive may do."))
        }
        None => (
            Confidence::Likely,
            format!(
                "{count} in {name}; whether what works its source is well since the last of them is not known yet."
            ),
        ),
    };
    let severity = row.health.max(Health::Warn);
    let mut found = finding(row, Cause::DeadLetters, severity, confidence, sentence);
    found.evidence.extend(evidence(row, &sqs::VISIBLE, "dead letters"));
    if let Some((consumer, _)) = culprit {
        found.evidence.extend(evidence(consumer, &lambda::ERRORS_PER_MIN, "errors of its consumer"));
    }
    Some(found)
}

/// Whether what is known of each consumer is of later than the last dead letter: depths are of now, errors minutes old, and
/// no news is not good news.
fn are_newer(estate: &Estate<'_>, row: &Row, consumers: &[&Row]) -> bool {
    let Some(came) = last_came(estate, row) else { return false };
    let known_to = |consumer: &Row| estate.series_of(consumer).get(&lambda::ERRORS_PER_MIN).and_then(Series::last);
    consumers.iter().all(|consumer| known_to(consumer).is_some_and(|(minute, _)| minute > came))
}

/// The minute in which the newest message came, as far as the depth tells; `None` where it may have come just now.
fn last_came(estate: &Estate<'_>, row: &Row) -> Option<Timestamp> {
    let series = estate.series_of(row);
    let depths: Vec<(Timestamp, f64)> = series.get(&sqs::VISIBLE_HISTORY)?.points().collect();
    let (first, last) = (depths.first()?, depths.last()?);
    if row.fields.number(&sqs::VISIBLE)? > last.1 {
        return None;
    }
    let rises = depths.windows(2).rev().find(|pair| matches!(pair, [before, after] if after.1 > before.1));
    Some(rises.and_then(|pair| pair.last()).unwrap_or(first).0)
}

/// What a topic's subscriber did not take. SQS knows no way back for it, so there is nothing to redrive.
fn undelivered(row: &Row, count: f64, topics: &[&ResourceId]) -> Finding {
    let topics: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    let (name, topics) = (&row.id.name, topics.join(", "));
    let (lie, them) = if count < 2.0 { ("lies", "it") } else { ("lie", "them") };
    let sentence = format!(
        "{} of {topics} {lie} in {name}: its subscriber did not take {them}. Mend it, then resend.",
        counted(count, "delivery")
    );
    let mut found = finding(row, Cause::DeadLetters, row.health.max(Health::Warn), Confidence::Certain, sentence);
    found.actions.clear();
    found.evidence.extend(evidence(row, &sqs::VISIBLE, "undelivered"));
    found
}

fn backlog<'a>(estate: &Estate<'a>, row: &'a Row) -> Option<Finding> {
    let waiting = row.fields.number(&sqs::VISIBLE).filter(|n| *n >= 1.0)?;
    let age_s = row.fields.number(&sqs::OLDEST_AGE_S).filter(|age| *age >= AGE_WARN_S)?;
    let severity = if age_s >= AGE_CRIT_S { Health::Crit } else { Health::Warn };
    let series = estate.series_of(row);
    let received: f64 = series.recent(&sqs::RECEIVED_PER_MIN, LOOK_BACK_MIN).iter().sum();
    let deleted: f64 = series.recent(&sqs::DELETED_PER_MIN, LOOK_BACK_MIN).iter().sum();
    let (name, age) = (&row.id.name, short_duration_ms(age_s * 1000.0));
    let count = counted_that(waiting, "message", "wait");
    let (cause, confidence, sentence) = if received <= 0.0 {
        let sentence = format!("Nobody receives from {name}: {count}, the oldest for {age}.");
        (Cause::StalledConsumer, Confidence::Certain, sentence)
    } else if deleted <= 0.0 {
        let sentence = format!("Messages of {name} are received and never deleted: {count}, the oldest for {age}.");
        (Cause::StalledConsumer, Confidence::Likely, sentence)
    } else {
        let sentence = format!("{name} is worked more slowly than it fills: {count}, the oldest for {age}.");
        (Cause::Backlog, Confidence::Likely, sentence)
    };
    let mut found = finding(row, cause, severity, confidence, sentence);
    found.evidence.extend(evidence(row, &sqs::OLDEST_AGE_S, "oldest message"));
    found.evidence.extend(evidence(row, &sqs::RECEIVED_PER_MIN, "received"));
    found.evidence.extend(evidence(row, &sqs::DELETED_PER_MIN, "deleted"));
    Some(found)
}
