//! What is wrong with a function: errors since a deploy or without one, throttles, a timeout that is near.

use super::{Estate, evidence, finding};
use crate::domain::finding::{Cause, Confidence, Evidence, Finding};
use crate::domain::row::{Health, Row};
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, Unit, short_duration_ms};
use crate::kinds::lambda;
use std::time::Duration;

const LOOK_BACK_MIN: usize = 5;
const ERROR_WARN_PERCENT: f64 = 1.0;
const ERROR_CRIT_PERCENT: f64 = 5.0;
/// A code change this recent is suspected first.
const DEPLOY_RECENT: Duration = Duration::from_secs(3600);
/// Errors may take this long to show after the deploy that brought them.
const DEPLOY_TO_ERRORS: Duration = Duration::from_secs(600);
const TIMEOUT_NEAR_PERCENT: f64 = 80.0;
const TIMEOUT_HIT_PERCENT: f64 = 98.0;

pub fn look<'a>(estate: &Estate<'a>, row: &'a Row, findings: &mut Vec<Finding>) {
    let errors = errors(estate, row);
    let timing_out = row.fields.number(&lambda::TIMEOUT_USE_PERCENT).filter(|used| *used >= TIMEOUT_NEAR_PERCENT);
    findings.extend(errors);
    if let Some(used) = timing_out {
        findings.push(near_timeout(row, used));
    }
    findings.extend(throttled(row));
}

fn errors<'a>(estate: &Estate<'a>, row: &'a Row) -> Option<Finding> {
    let series = estate.series_of(row);
    let failed: f64 = series.recent(&lambda::ERRORS_PER_MIN, LOOK_BACK_MIN).iter().sum();
    let ran: f64 = series.recent(&lambda::INVOCATIONS_PER_MIN, LOOK_BACK_MIN).iter().sum();
    // The newest minute has to show errors too: a burst that has passed is no finding.
    row.fields.number(&lambda::ERRORS_PER_MIN).filter(|n| *n > 0.0)?;
    let percent = if ran > 0.0 { failed / ran * 100.0 } else { 0.0 };
    let severity = match percent {
        p if p >= ERROR_CRIT_PERCENT => Health::Crit,
        p if p >= ERROR_WARN_PERCENT => Health::Warn,
        _ => return None,
    };
    let share = Unit::Percent.short_number(percent);
    let name = &row.id.name;
    let mut found = match deploy_before_errors(estate, row) {
        Some((deployed, first_error)) => {
            let after = short_duration_ms(first_error.since(deployed).as_millis() as f64);
            let sentence = format!(
                "{name} fails {share} of its invocations since its deploy at {}; before it there were no errors.",
                deployed.clock_hms()
            );
            let mut found = finding(row, Cause::BadDeploy, severity, Confidence::Likely, sentence);
            found.evidence.push(Evidence {
                resource: row.id.clone(),
                field: lambda::LAST_MODIFIED.id,
                sentence: format!("deployed at {}; the first bad minute began {after} later", deployed.clock_hms()),
                at: deployed,
            });
            found
        }
        None => {
            let sentence = format!("{name} fails {share} of its invocations.");
            finding(row, Cause::FunctionErrors, severity, Confidence::Certain, sentence)
        }
    };
    found.evidence.extend(evidence(row, &lambda::ERRORS_PER_MIN, "errors"));
    found.evidence.extend(evidence(row, &lambda::INVOCATIONS_PER_MIN, "invocations"));
    Some(found)
}

/// When the last deploy was and the first bad minute after it, if the minutes before it were good.
fn deploy_before_errors<'a>(estate: &Estate<'a>, row: &'a Row) -> Option<(Timestamp, Timestamp)> {
    let Datum::Time(deployed) = row.fields.get(&lambda::LAST_MODIFIED)?.datum else { return None };
    if estate.now.since(deployed) > DEPLOY_RECENT {
        return None;
    }
    let series = estate.series_of(row).get(&lambda::ERRORS_PER_MIN)?;
    let minute = deployed.floor_to(60);
    let before: Vec<f64> = series.points().filter(|(at, _)| *at < minute).map(|(_, n)| n).collect();
    // Without a past there is nothing to compare with.
    let was_good = !before.is_empty() && before.iter().rev().take(10).all(|n| *n == 0.0);
    let first_error = series.since(minute).find(|(_, n)| *n > 0.0).map(|(at, _)| at.max(deployed))?;
    (was_good && first_error.since(deployed) <= DEPLOY_TO_ERRORS).then_some((deployed, first_error))
}

fn near_timeout(row: &Row, used: f64) -> Finding {
    let severity = if used >= TIMEOUT_HIT_PERCENT { Health::Crit } else { Health::Warn };
    let timeout = row.fields.number(&lambda::TIMEOUT_S).map_or(String::new(), |s| short_duration_ms(s * 1000.0));
    let sentence = format!("{} is close to its timeout: its p99 takes {used:.0}% of {timeout}.", row.id.name);
    let mut found = finding(row, Cause::TimeoutClose, severity, Confidence::Certain, sentence);
    found.evidence.extend(evidence(row, &lambda::DURATION_P99_MS, "p99 duration"));
    found.evidence.extend(evidence(row, &lambda::TIMEOUT_S, "timeout"));
    found
}

fn throttled(row: &Row) -> Option<Finding> {
    let refused = row.fields.number(&lambda::THROTTLES_PER_MIN).filter(|n| *n > 0.0)?;
    let ran = row.fields.number(&lambda::INVOCATIONS_PER_MIN).unwrap_or(0.0);
    let severity = if ran == 0.0 || refused > ran * 0.1 { Health::Crit } else { Health::Warn };
    let name = &row.id.name;
    let (confidence, sentence) = match row.fields.number(&lambda::RESERVED_CONCURRENCY) {
        Some(0.0) => (Confidence::Certain, format!("{name} is switched off: its reserved concurrency is 0.")),
        Some(cap) if row.fields.number(&lambda::CONCURRENCY).is_some_and(|n| n >= cap) => {
            (Confidence::Certain, format!("{name} is throttled at its reserved concurrency of {cap:.0}."))
        }
        _ => (Confidence::Likely, format!("{name} is throttled: the account's concurrency or its growth is used up.")),
    };
    let mut found = finding(row, Cause::FunctionThrottled, severity, confidence, sentence);
    found.evidence.extend(evidence(row, &lambda::THROTTLES_PER_MIN, "throttled"));
    found.evidence.extend(evidence(row, &lambda::CONCURRENCY, "environments at work"));
    Some(found)
}
