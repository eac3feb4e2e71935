//! The kinds of resources: one file a service with its fields, columns, metrics and health. KINDS is the table.

pub mod alarm;
mod derive;
pub mod firehose;
pub mod kcl;
pub mod kinesis;
pub mod lambda;
pub mod sns;
pub mod sqs;
pub mod swf;
pub mod threshold;

pub use derive::{derive, history};

use crate::domain::field::Field;
use crate::domain::row::{Health, KindId, Link, Part, Row};
use crate::domain::series::{Series, SeriesKey};
use crate::domain::value::NoData;
use crate::domain::verb::ActionId;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything that screens, pollers and exports need to know about a kind.
pub struct Kind {
    pub id: KindId,
    /// The head of the table: `Kinesis streams`.
    pub title: &'static str,
    /// Columns of the table after health and name, most important first: narrow screens show the first ones.
    pub columns: &'static [&'static Field],
    /// Fields of the detail screen, in order.
    pub detail: &'static [&'static Field],
    /// Fields drawn as charts over the last hour, most important first.
    pub charts: &'static [&'static Field],
    /// What the parts are called: `shards`, `move tasks`, `event source mappings`.
    pub parts_title: &'static str,
    pub part_columns: &'static [&'static Field],
    pub metrics: &'static [Metric],
    pub part_metrics: &'static [Metric],
    /// The dimensions that part metrics add to the resource's own; a part's id holds their values, with `/` between.
    pub part_dimensions: &'static [&'static str],
    /// Whether the resource's parts have metrics of their own at all.
    pub has_part_metrics: fn(&Row) -> bool,
    /// Whether this one has.
    pub is_part_measured: fn(&Part) -> bool,
    /// What a part says of its resource's links: a subscription's dead-letter queue.
    pub part_link: fn(&Part) -> Option<Link>,
    /// Holds what a resource must be asked by: a queue's URL, an ARN. `None`: its name is enough.
    pub address: Option<&'static Field>,
    /// How often the service is asked for all resources of the kind.
    pub inventory_every: Duration,
    /// How often the service is asked for each resource by itself though nobody looks at it. `None`: the inventory
    /// brings all that changes by the minute.
    pub sweep_every: Option<Duration>,
    /// What asking the service for one of them costs, in US dollars, about.
    pub direct_usd: f64,
    pub actions: &'static [ActionId],
    /// How a row is, and why; rules look at the row and at series of the last minutes.
    pub health: fn(&Row, &SeriesOf<'_>) -> Verdict,
}

impl Kind {
    /// The metrics that are asked for of a resource that somebody looks at, or that nobody does.
    pub fn metrics_of(&self, is_near: bool) -> impl Iterator<Item = &'static Metric> {
        self.metrics.iter().filter(move |metric| is_near || !metric.near_only)
    }

    /// Whether there is more to ask of what somebody looks at.
    pub fn has_near_metrics(&self) -> bool {
        self.metrics.iter().any(|metric| metric.near_only)
    }

    /// Whether CloudWatch has numbers about it or its parts.
    pub const fn has_metrics(&self) -> bool {
        !self.metrics.is_empty() || !self.part_metrics.is_empty()
    }
}

/// A CloudWatch metric that feeds a field and its series.
pub struct Metric {
    pub field: &'static Field,
    /// Empty: the resource's own name, as an application's own metrics have it.
    pub namespace: &'static str,
    pub name: &'static str,
    /// CloudWatch's word: `Sum`, `Maximum`, `p99`.
    pub statistic: &'static str,
    /// The dimension that holds the resource's name, or `Name=value` where all resources have one value; part metrics
    /// add [`Kind::part_dimensions`].
    pub dimension: &'static str,
    /// How a one-minute datapoint becomes the field's number: multiplied by this (1/60 turns a sum into a rate).
    pub scale: f64,
    /// Every metric costs money each time: this one is asked for only of what somebody looks at.
    pub near_only: bool,
}

/// What the rules say of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Why health cannot be told, if so.
    unknown: Option<&'static str>,
    reasons: Vec<Reason>,
}

/// Why a row is as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    pub health: Health,
    /// The id of the field that the rule is about.
    pub field: &'static str,
    pub sentence: String,
}

impl Verdict {
    pub fn ok() -> Self {
        Self { unknown: None, reasons: Vec::new() }
    }

    /// Health cannot be told, for this reason.
    pub fn unknown(why: &'static str) -> Self {
        Self { unknown: Some(why), reasons: Vec::new() }
    }

    /// Health cannot be told where not one of the numbers that it is judged by is known and asking for them was refused
    /// or failed. That there is no datapoint is an answer: what is idle is well.
    pub fn judge_by(&mut self, row: &Row, numbers: &[&Field], why: &'static str) {
        let missing = |field: &&Field| row.fields.why_missing(field);
        let is_refused = |field| matches!(missing(field), Some(NoData::Denied | NoData::Failed));
        let is_unseen = |field| is_refused(field) || missing(field) == Some(NoData::NotYet);
        let is_refused_or_failed = row.stale.is_some() || numbers.iter().any(is_refused);
        if is_refused_or_failed && numbers.iter().all(is_unseen) {
            self.unknown = Some(why);
        }
    }

    /// Adds a reason that a rule about this field gives.
    pub fn add(&mut self, field: &'static Field, health: Health, sentence: impl Into<String>) {
        self.reasons.push(Reason { health, field: field.id, sentence: sentence.into() });
    }

    /// The health, which the worst reason decides, and all reasons, worst first.
    pub fn told(mut self) -> (Health, Vec<String>) {
        self.reasons.sort_by_key(|reason| Reverse(reason.health));
        let worst = self.reasons.first().map_or(Health::Ok, |reason| reason.health);
        let mut sentences: Vec<String> = self.reasons.into_iter().map(|reason| reason.sentence).collect();
        match self.unknown {
            Some(why) => {
                sentences.push(why.to_owned());
                (worst.max(Health::Unknown), sentences)
            }
            None => (worst, sentences),
        }
    }
}

/// The series of one resource.
pub struct SeriesOf<'a> {
    pub all: &'a BTreeMap<SeriesKey, Series>,
    pub row: &'a Row,
}

impl<'a> SeriesOf<'a> {
    pub fn get(&self, field: &Field) -> Option<&'a Series> {
        self.part(field, "")
    }

    pub fn part(&self, field: &Field, part: &str) -> Option<&'a Series> {
        let key = SeriesKey { resource: self.row.id.clone(), part: part.to_owned(), field: field.id };
        self.all.get(&key)
    }

    /// The sum of the last `minutes`, reckoned from when the row was last told of. What nobody published counts nothing,
    /// however many older points there are.
    pub fn sum(&self, field: &Field, part: &str, minutes: u64) -> f64 {
        let from = self.row.as_of - Duration::from_secs(minutes * 60);
        let points = self.part(field, part).into_iter().flat_map(|series| series.points().rev());
        points.take_while(|(at, _)| *at >= from).map(|(_, number)| number).sum()
    }

    /// The newest `minutes` numbers, oldest first; fewer when there are fewer.
    pub fn recent(&self, field: &Field, minutes: usize) -> Vec<f64> {
        let Some(series) = self.get(field) else { return Vec::new() };
        let mut numbers: Vec<f64> = series.points().rev().take(minutes).map(|(_, number)| number).collect();
        numbers.reverse();
        numbers
    }
}

/// One entry a service.
pub const KINDS: [&Kind; 8] =
    [&kinesis::KIND, &sqs::KIND, &lambda::KIND, &sns::KIND, &swf::KIND, &firehose::KIND, &alarm::KIND, &kcl::KIND];

/// How often lists of resources are asked for, where nothing speaks for another pace.
const INVENTORY_EVERY: Duration = Duration::from_secs(300);

/// How often depths and states are asked for of what nobody looks at.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// The kind's entry.
pub fn kind(id: KindId) -> &'static Kind {
    match id {
        KindId::Kinesis => &kinesis::KIND,
        KindId::Sqs => &sqs::KIND,
        KindId::Lambda => &lambda::KIND,
        KindId::Sns => &sns::KIND,
        KindId::Swf => &swf::KIND,
        KindId::Firehose => &firehose::KIND,
        KindId::Alarm => &alarm::KIND,
        KindId::Kcl => &kcl::KIND,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row::{ResourceId, Stale};
    use crate::domain::time::Timestamp;
    use crate::domain::value::{Origin, Unit, Value};

    #[test]
    fn every_field_is_documented_and_its_id_ends_with_its_unit() {
        for kind in KINDS {
            for field in kind.columns.iter().chain(kind.detail).chain(kind.part_columns) {
                assert!(field.doc.ends_with('.'), "{}: the doc is a sentence", field.id);
                let suffix = match field.unit {
                    Unit::Milliseconds => "_ms",
                    Unit::Seconds => "_s",
                    Unit::Percent => "_percent",
                    Unit::BytesPerSecond => "_bytes_per_s",
                    Unit::PerSecond => "_per_s",
                    Unit::PerMinute => "_per_min",
                    Unit::MegaBytes => "_mb",
                    Unit::UsdPerHour => "usd_per_hour",
                    _ => "",
                };
                assert!(field.id.ends_with(suffix), "{} should end with {suffix}", field.id);
            }
        }
    }

    #[test]
    fn what_may_not_be_measured_is_not_called_well_and_silence_is() {
        let told = |kind: &Kind, why: NoData, known: Option<&'static Field>, is_stale: bool| {
            let mut row = Row::new(ResourceId::new(kind.id, "bids"), Timestamp::default());
            for metric in kind.metrics.iter().filter(|_| why != NoData::NotYet) {
                row.fields.set(metric.field, Value::missing(why, Timestamp::default(), Origin::CloudWatch));
            }
            row.fields.set(&kinesis::ARN, Value::text("arn", Timestamp::default()));
            if let Some(field) = known {
                row.fields.set(field, Value::number(1.0, Timestamp::default(), Origin::CloudWatch));
            }
            row.stale = is_stale.then(|| Stale { since: Timestamp::default(), sentence: "It is throttled.".into() });
            let all = BTreeMap::new();
            let mut rows = [(row.id.clone(), row)].into();
            derive(&mut rows, &all);
            let row = rows.values().next().unwrap();
            (kind.health)(row, &SeriesOf { all: &all, row }).told()
        };
        for kind in [&kinesis::KIND, &lambda::KIND, &sns::KIND, &firehose::KIND] {
            for why in [NoData::Denied, NoData::Failed] {
                let (health, reasons) = told(kind, why, None, false);
                assert_eq!(health, Health::Unknown, "{}", kind.title);
                assert!(reasons[0].ends_with(" not known"), "{reasons:?}");
            }
            for why in [NoData::NoDatapoints, NoData::NotApplicable] {
                assert_eq!(told(kind, why, None, false), (Health::Ok, vec![]), "{}", kind.title);
            }
            assert_eq!(told(kind, NoData::NotYet, None, false).0, Health::Ok, "a first look takes a moment");
            assert_eq!(told(kind, NoData::NotYet, None, true).0, Health::Unknown, "a first look that fails is none");
        }
        let throttled = told(&lambda::KIND, NoData::Denied, Some(&lambda::THROTTLES_PER_MIN), false).0;
        assert_eq!(throttled, Health::Crit, "one number that is known and bad is enough");
    }

    #[test]
    fn every_metric_feeds_a_field_that_is_shown() {
        for kind in KINDS {
            for metric in kind.metrics {
                assert!(kind.detail.contains(&metric.field), "{} of {} is not shown", metric.field.id, kind.title);
            }
            for metric in kind.part_metrics {
                assert!(kind.part_columns.contains(&metric.field), "{} of parts is not shown", metric.field.id);
            }
        }
    }
}
