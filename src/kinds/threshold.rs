//! Thresholds that a person set: limits of a field for the resources of a pattern, beside or instead of midwatch's own.

use super::{Kind, Reason, Verdict, kind};
use crate::domain::field::Field;
use crate::domain::finding::Finding;
use crate::domain::pattern::Pattern;
use crate::domain::row::{Health, Place, Row};
use std::collections::BTreeMap;

/// A limit that a number may not reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    pub pattern: Pattern,
    /// The id of a field that is a number in at least one kind of the pattern's.
    pub field: &'static str,
    /// In the field's unit. At least one of the two is there.
    pub warn: Option<f64>,
    pub crit: Option<f64>,
    /// The number may not fall to the limit; otherwise it may not rise to it.
    pub below: bool,
    /// midwatch's own rules about this field do not hold for these resources.
    pub instead: bool,
}

impl Threshold {
    /// How this number is by this threshold, and the limit that it reached.
    fn reached(&self, number: f64) -> Option<(Health, f64)> {
        let is_over = |limit: &f64| if self.below { number <= *limit } else { number >= *limit };
        let crit = self.crit.filter(is_over).map(|limit| (Health::Crit, limit));
        crit.or_else(|| self.warn.filter(is_over).map(|limit| (Health::Warn, limit)))
    }

    /// Why the row is not well by this threshold. What is not known reaches no limit.
    fn judge(&self, row: &Row) -> Option<Reason> {
        let field = number_field(kind(row.id.kind), self.field)?;
        let number = row.fields.number(field)?;
        let (health, limit) = self.reached(number)?;
        let (is, limit) = (field.unit.short_number(number), field.unit.short_number(limit));
        let compared = if self.below { "<=" } else { ">=" };
        let sentence = format!("{} {is} {compared} {limit}, your threshold", field.title.to_lowercase());
        Some(Reason { health, field: field.id, sentence })
    }
}

/// All that a person set: limits for everywhere, and those of single contexts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds {
    pub general: Vec<Threshold>,
    pub of_contexts: BTreeMap<Place, Vec<Threshold>>,
}

impl Thresholds {
    /// Those that hold for the row: its context's own, and the general ones about all other fields.
    fn of<'t>(&'t self, row: &'t Row) -> impl Iterator<Item = &'t Threshold> {
        let own = self.of_contexts.get(&row.id.place).map_or(&[][..], Vec::as_slice);
        let own = own.iter().filter(|threshold| threshold.pattern.matches(&row.id));
        let is_general = {
            let own = own.clone();
            move |threshold: &&Threshold| !own.clone().any(|own| own.field == threshold.field)
        };
        let general = self.general.iter().filter(|threshold| threshold.pattern.matches(&row.id));
        own.chain(general.filter(is_general))
    }

    /// Adds what they say of the row to midwatch's own verdict, and takes away what they replace.
    pub fn apply(&self, row: &Row, verdict: &mut Verdict) {
        verdict.reasons.retain(|reason| !self.replace(row, reason.field));
        for threshold in self.of(row) {
            verdict.reasons.extend(threshold.judge(row));
        }
    }

    /// Whether midwatch's own rules about this field give way to one of them.
    fn replace(&self, row: &Row, field: &str) -> bool {
        self.of(row).any(|threshold| threshold.instead && threshold.field == field)
    }

    /// Whether a finding still stands. One that rests on a number whose rules were replaced is at most as grave as its
    /// resource now is, and nothing where that is well.
    pub fn bear(&self, row: &Row, finding: &mut Finding) -> bool {
        let basis = finding.evidence.first().filter(|evidence| evidence.resource == row.id);
        let is_replaced = basis.is_some_and(|basis| self.replace(row, basis.field));
        if is_replaced {
            finding.severity = finding.severity.min(row.health);
        }
        !is_replaced || row.health >= Health::Warn
    }
}

/// The kind's field of this id, if it is a number of its resources.
pub fn number_field(kind: &Kind, id: &str) -> Option<&'static Field> {
    number_fields(kind).find(|field| field.id == id)
}

/// The fields of a kind's resources that are numbers, in the order of the detail screen.
pub fn number_fields(kind: &Kind) -> impl Iterator<Item = &'static Field> {
    let all = kind.detail.iter().chain(kind.columns).chain(kind.charts);
    all.copied().filter(|field| field.unit.is_number())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row::ResourceId;
    use crate::domain::time::Timestamp;
    use crate::domain::value::{NoData, Origin, Value};
    use crate::kinds::SeriesOf;
    use crate::kinds::sqs;

    fn threshold(warn: f64, crit: Option<f64>) -> Threshold {
        Threshold {
            pattern: Pattern::parse("sqs/orders*").unwrap(),
            field: "oldest_age_s",
            warn: Some(warn),
            crit,
            below: false,
            instead: false,
        }
    }

    /// A queue whose oldest message has waited this long.
    fn queue(name: &str, age_s: Option<f64>) -> Row {
        let at = Timestamp::from_millis(0);
        let mut row = Row::new(ResourceId::parse(name).unwrap(), at);
        row.fields.set(&sqs::VISIBLE, Value::number(7.0, at, Origin::Api));
        let age = match age_s {
            Some(age_s) => Value::number(age_s, at, Origin::CloudWatch),
            None => Value::missing(NoData::NoDatapoints, at, Origin::CloudWatch),
        };
        row.fields.set(&sqs::OLDEST_AGE_S, age);
        row
    }

    fn judged(row: &Row, thresholds: &[Threshold]) -> (Health, Vec<String>) {
        let series = BTreeMap::new();
        let mut verdict = (sqs::KIND.health)(row, &SeriesOf { all: &series, row });
        let thresholds = Thresholds { general: thresholds.to_vec(), of_contexts: BTreeMap::new() };
        thresholds.apply(row, &mut verdict);
        verdict.told()
    }

    #[test]
    fn a_number_that_reaches_a_limit_is_said_with_the_limit_and_whose_it_is() {
        let limits = [threshold(60.0, Some(600.0))];
        let said = |health, sentence: &str| (health, vec![sentence.to_owned()]);
        let row = |age| queue("sqs/orders", Some(age));
        assert_eq!(judged(&row(71.0), &limits), said(Health::Warn, "oldest 1m11s >= 1m00s, your threshold"));
        assert_eq!(judged(&row(60.0), &limits).0, Health::Warn, "reaching it is enough");
        assert_eq!(judged(&row(59.0), &limits), (Health::Ok, vec![]));
        let (health, reasons) = judged(&row(600.0), &limits);
        assert_eq!(health, Health::Crit);
        assert_eq!(reasons[0], "oldest 10m00s >= 10m00s, your threshold", "the worst comes first");
        assert_eq!(reasons[1], "its oldest message has waited 10m00s", "midwatch's own rule holds too");
    }

    #[test]
    fn it_speaks_of_its_pattern_and_of_numbers_that_are_known() {
        assert_eq!(judged(&queue("sqs/payments", Some(71.0)), &[threshold(60.0, None)]).0, Health::Ok);
        assert_eq!(judged(&queue("sqs/orders", None), &[threshold(0.0, None)]).0, Health::Ok, "no data is not 0");
    }

    #[test]
    fn below_it_may_not_fall_and_instead_takes_midwatchs_own_rule_away() {
        let below = Threshold { below: true, ..threshold(5.0, Some(1.0)) };
        assert_eq!(judged(&queue("sqs/orders", Some(4.0)), std::slice::from_ref(&below)).0, Health::Warn);
        assert_eq!(judged(&queue("sqs/orders", Some(0.0)), &[below]).0, Health::Crit);
        let own = queue("sqs/orders", Some(2000.0));
        assert_eq!(judged(&own, &[threshold(7200.0, None)]).0, Health::Crit, "midwatch's own holds");
        let instead = Threshold { instead: true, ..threshold(7200.0, None) };
        assert_eq!(judged(&own, &[instead]), (Health::Ok, vec![]));
    }

    /// Production's queue may wait longer than others, and its depth is held to what holds everywhere.
    #[test]
    fn a_contexts_own_limit_of_a_field_holds_there_instead_of_the_general_one() {
        let deep = Threshold { field: "visible", ..threshold(5.0, None) };
        let thresholds = Thresholds {
            general: vec![threshold(60.0, None), deep],
            of_contexts: [(Place::named("prod"), vec![threshold(120.0, None)])].into(),
        };
        let reasons = |place: &Place, name: &str, age_s| {
            let mut row = queue(name, Some(age_s));
            row.id = row.id.at(place);
            let mut verdict = Verdict::ok();
            thresholds.apply(&row, &mut verdict);
            verdict.told().1
        };
        let (prod, stage) = (Place::named("prod"), Place::named("stage"));
        let depth = "visible 7 >= 5, your threshold";
        assert_eq!(reasons(&stage, "sqs/orders", 71.0), ["oldest 1m11s >= 1m00s, your threshold", depth]);
        assert_eq!(reasons(&prod, "sqs/orders", 71.0), [depth]);
        assert_eq!(reasons(&prod, "sqs/orders", 130.0), ["oldest 2m10s >= 2m00s, your threshold", depth]);
        assert_eq!(reasons(&prod, "sqs/payments", 130.0), [""; 0], "no pattern is about it");
    }
}
