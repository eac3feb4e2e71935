//! What was changed just before it broke. A change never makes a finding: it speaks for one whose trouble began soon after
//! it, on the same resource or on one that is linked to it.

use super::Estate;
use crate::domain::change::{Change, OF_ROLES};
use crate::domain::field::Field;
use crate::domain::finding::{Cause, Confidence, Evidence, Finding};
use crate::domain::row::{KindId, ResourceId, Row};
use crate::domain::series::Series;
use crate::domain::time::Timestamp;
use crate::domain::value::short_duration_ms;
use crate::kinds::{kinesis, lambda, sns, sqs};
use std::time::Duration;

/// Trouble that a change brings shows within this time of it.
const WITHIN: Duration = Duration::from_secs(15 * 60);
/// The minute in which it began may have begun before the change.
const MINUTE: Duration = Duration::from_secs(60);
/// So many changes are named by one finding.
const NAMED_MAX: usize = 3;
/// A run of bad minutes may have so many good ones within it.
const GAP_MAX: usize = 2;
/// A reader that is so late has fallen behind.
const LATE_MS: f64 = 10_000.0;

/// The id of what a change is evidence of, where a number's would be its field's.
pub const CHANGE: &str = "change";

/// When trouble began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Onset {
    pub at: Timestamp,
    /// Whether it is known that all was well before.
    pub was_well: bool,
}

/// A change that explains a finding: what it does by itself, so that no more proof is needed, or only makes likely.
struct Explains {
    causes: &'static [Cause],
    /// Whose change it is: the finding's own resource's or a linked one's.
    kind: KindId,
    events: &'static [&'static str],
    /// Which settings it must set; empty for any.
    settings: &'static [&'static str],
    becomes: Option<Cause>,
    confidence: Confidence,
}

const DEPLOYS: &[&str] = &["UpdateFunctionCode", "UpdateAlias", "UpdateFunctionConfiguration"];
const MAPPING_ENDS: &[&str] = &["DeleteEventSourceMapping", "LambdaESMDisabled"];

const EXPLAINS: [Explains; 12] = [
    Explains {
        causes: &[Cause::FunctionErrors, Cause::BadDeploy],
        kind: KindId::Lambda,
        events: DEPLOYS,
        settings: &[],
        becomes: Some(Cause::BadDeploy),
        confidence: Confidence::Certain,
    },
    Explains {
        causes: &[Cause::FunctionThrottled],
        kind: KindId::Lambda,
        events: &["PutFunctionConcurrency"],
        settings: &[],
        becomes: None,
        confidence: Confidence::Certain,
    },
    Explains {
        causes: &[Cause::StalledConsumer],
        kind: KindId::Lambda,
        events: &["UpdateEventSourceMapping"],
        settings: &["enabled=false"],
        becomes: None,
        confidence: Confidence::Certain,
    },
    Explains {
        causes: &[Cause::StalledConsumer],
        kind: KindId::Lambda,
        events: MAPPING_ENDS,
        settings: &[],
        becomes: None,
        confidence: Confidence::Certain,
    },
    Explains {
        causes: &[Cause::StalledConsumer, Cause::SlowConsumer, Cause::Backlog],
        kind: KindId::Lambda,
        events: &["PutFunctionConcurrency"],
        settings: &[],
        becomes: None,
        confidence: Confidence::Likely,
    },
    Explains {
        causes: &[Cause::StalledConsumer, Cause::SlowConsumer, Cause::Backlog],
        kind: KindId::Lambda,
        events: &["UpdateEventSourceMapping"],
        settings: &["batchSize", "maximumBatchingWindowInSeconds", "parallelizationFactor"],
        becomes: None,
        confidence: Confidence::Likely,
    },
    Explains {
        causes: &[Cause::StalledConsumer, Cause::SlowConsumer, Cause::Backlog],
        kind: KindId::Lambda,
        events: DEPLOYS,
        settings: &[],
        becomes: None,
        confidence: Confidence::Likely,
    },
    Explains {
        causes: &[Cause::FunctionErrors, Cause::StalledConsumer, Cause::SlowConsumer, Cause::Backlog],
        kind: KindId::Lambda,
        events: &OF_ROLES,
        settings: &[],
        becomes: None,
        confidence: Confidence::Likely,
    },
    Explains {
        causes: &[Cause::DeadLetters, Cause::Backlog, Cause::StalledConsumer],
        kind: KindId::Sqs,
        events: &["SetQueueAttributes"],
        settings: &["VisibilityTimeout", "RedrivePolicy", "DelaySeconds", "Policy"],
        becomes: None,
        confidence: Confidence::Likely,
    },
    Explains {
        causes: &[Cause::UnderProvisioned, Cause::HotKey],
        kind: KindId::Kinesis,
        events: &["UpdateShardCount", "MergeShards"],
        settings: &[],
        becomes: None,
        confidence: Confidence::Likely,
    },
    Explains {
        causes: &[Cause::DeliveriesFail],
        kind: KindId::Sns,
        events: &["SetSubscriptionAttributes", "SetTopicAttributes", "Subscribe"],
        settings: &[],
        becomes: None,
        confidence: Confidence::Likely,
    },
    Explains {
        causes: &[Cause::DeliveriesFail],
        kind: KindId::Sqs,
        events: &["SetQueueAttributes"],
        settings: &["Policy"],
        becomes: None,
        confidence: Confidence::Likely,
    },
];

/// Lets changes speak for these findings.
pub fn explain(estate: &Estate<'_>, findings: &mut [Finding]) {
    for finding in findings {
        let Some(row) = estate.rows.get(&finding.resource) else { continue };
        let Some(onset) = onset(estate, row, finding.cause) else { continue };
        speak(finding, &suspects(estate, row, onset.at), onset);
    }
}

fn speak(finding: &mut Finding, suspects: &[Suspect<'_>], onset: Onset) {
    let explained = suspects.iter().rev().filter_map(|suspect| {
        let explains = EXPLAINS.iter().find(|explains| explains.holds(finding.cause, suspect))?;
        // Where nothing is known from before, something else may have been wrong all along.
        (onset.was_well || explains.becomes.is_none()).then_some((suspect, explains))
    });
    // What explains most, and of that what is nearest.
    let explaining = explained.max_by_key(|(_, explains)| explains.confidence);
    if let Some((Suspect { change, resource }, explains)) = explaining {
        finding.cause = explains.becomes.unwrap_or(finding.cause);
        finding.confidence = finding.confidence.max(explains.confidence);
        let whose = if **resource == finding.resource { String::new() } else { format!(" of {resource}") };
        let said =
            format!(" It began after {}{whose} by {} at {}.", change.what(), change.whom(), change.at.clock_hms());
        finding.sentence.push_str(&said);
    }
    let first = explaining.map(|(suspect, _)| suspect);
    let others = suspects.iter().filter(|suspect| first.is_none_or(|first| !std::ptr::eq(*suspect, first)));
    finding.evidence.extend(first.into_iter().chain(others).take(NAMED_MAX).map(|suspect| suspect.evidence(onset.at)));
}

/// A change that came before trouble, with the resource through which it is near.
#[derive(Clone, Copy)]
struct Suspect<'a> {
    change: &'a Change,
    resource: &'a ResourceId,
}

impl Suspect<'_> {
    fn evidence(&self, onset: Timestamp) -> Evidence {
        let Change { at, .. } = self.change;
        let when = match onset.since(*at).as_millis() {
            0 => "in the minute it began".to_owned(),
            ms => format!("{} before it began", short_duration_ms(ms as f64)),
        };
        let sentence = format!("{when}: {}", self.change.sentence());
        Evidence { resource: self.resource.clone(), field: CHANGE, sentence, at: *at }
    }
}

impl Explains {
    fn holds(&self, cause: Cause, suspect: &Suspect<'_>) -> bool {
        let change = suspect.change;
        self.causes.contains(&cause)
            && suspect.resource.kind == self.kind
            && self.events.contains(&change.event.as_str())
            && (self.settings.is_empty() || change.sets(self.settings))
    }
}

/// What was done to the resource or a linked one shortly before, the nearest first. What was refused changed nothing.
fn suspects<'a>(estate: &Estate<'a>, row: &'a Row, onset: Timestamp) -> Vec<Suspect<'a>> {
    let in_time = |change: &&Change| change.at < onset + MINUTE && change.at + WITHIN >= onset;
    let done = estate.changes.iter().filter(|change| change.error_code.is_none()).filter(in_time);
    done.filter_map(|change| Some(Suspect { change, resource: nearest(row, change)? })).collect()
}

/// The resource through which a change is near to this row: the row's own, or a linked one's.
fn nearest<'a>(row: &Row, change: &'a Change) -> Option<&'a ResourceId> {
    let is_linked = |id: &&ResourceId| row.links.iter().any(|link| link.to == **id);
    let own = change.resources.iter().find(|id| **id == row.id);
    if !change.event.contains("EventSourceMapping") {
        return own.or_else(|| change.resources.iter().find(is_linked));
    }
    // A mapping is its function's, and of what it reads alone: the function's other sources have other mappings.
    let is_source = |id: &ResourceId| matches!(id.kind, KindId::Sqs | KindId::Kinesis);
    if is_source(&row.id) && own.is_none() && change.resources.iter().any(is_source) {
        return None;
    }
    let function = change.resources.iter().find(|id| id.kind == KindId::Lambda);
    function.filter(|id| **id == row.id || is_linked(id))
}

/// When what the finding tells began, where that can be seen.
pub fn onset(estate: &Estate<'_>, row: &Row, cause: Cause) -> Option<Onset> {
    let series = |field: &Field| estate.series_of(row).get(field);
    let since = |field: &Field, is_bad: fn(f64) -> bool| began(series(field)?, is_bad);
    match (row.id.kind, cause) {
        (KindId::Lambda, Cause::FunctionErrors | Cause::BadDeploy) => since(&lambda::ERRORS_PER_MIN, |n| n > 0.0),
        (KindId::Lambda, Cause::FunctionThrottled) => since(&lambda::THROTTLES_PER_MIN, |n| n > 0.0),
        (KindId::Kinesis, Cause::HotKey | Cause::UnderProvisioned) => {
            since(&kinesis::WRITE_THROTTLED_PER_MIN, |n| n >= 1.0)
        }
        (KindId::Kinesis, Cause::ReadThrottled) => since(&kinesis::READ_THROTTLED_PER_MIN, |n| n >= 1.0),
        (KindId::Kinesis, Cause::SlowConsumer | Cause::StalledConsumer) => {
            let ages = series(&kinesis::ITERATOR_AGE_MS)?;
            // Where nobody reads there is no age: it began with the last one.
            let (last, _) = ages.last()?;
            let is_silent = estate.now.since(last) > MINUTE * 5;
            let silent = is_silent.then_some(Onset { at: last + MINUTE, was_well: true });
            silent.or_else(|| began(ages, |ms| ms >= LATE_MS))
        }
        (KindId::Sqs, Cause::StalledConsumer | Cause::Backlog) => {
            let age = row.fields.get(&sqs::OLDEST_AGE_S)?;
            let waited = Duration::try_from_secs_f64(age.as_number()?).ok()?;
            Some(Onset { at: age.as_of - waited, was_well: true })
        }
        (KindId::Sqs, Cause::DeadLetters) => {
            let letters = series(&sqs::VISIBLE_HISTORY)?;
            let (_, first) = letters.points().next()?;
            let at = letters.points().find(|(_, n)| *n > first)?.0;
            Some(Onset { at, was_well: true })
        }
        (KindId::Sns, Cause::DeliveriesFail) => since(&sns::FAILED_PER_MIN, |n| n > 0.0),
        _ => None,
    }
}

/// When the newest run of bad minutes began; a minute or two may be good within it.
fn began(series: &Series, is_bad: fn(f64) -> bool) -> Option<Onset> {
    let (mut first, mut good) = (None, 0);
    for (at, number) in series.points().rev() {
        if is_bad(number) {
            (first, good) = (Some(at), 0);
        } else {
            good += 1;
            if good > GAP_MAX {
                break;
            }
        }
    }
    first.map(|at| Onset { at, was_well: good > 0 })
}

/// The newest change of a filter policy of this topic.
pub fn filter_change<'a>(estate: &Estate<'a>, row: &'a Row) -> Option<&'a Change> {
    let sets_filter = |change: &&Change| change.sets(&["FilterPolicy", "FilterPolicyScope"]);
    estate.changes.of(&row.id).filter(|change| change.error_code.is_none()).find(sets_filter)
}
