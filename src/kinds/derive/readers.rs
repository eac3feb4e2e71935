//! How late a stream is read: the worst of those who share its reads, of its functions and of its fan-out consumers, and
//! which of them that is.

use crate::domain::row::{KindId, Relation, ResourceId, Row};
use crate::domain::value::{Datum, Origin, Value};
use crate::kinds::{kinesis, lambda};
use std::collections::{BTreeMap, BTreeSet};

/// Of each stream the latest function that reads it.
pub struct Readers(BTreeMap<ResourceId, (String, Value)>);

impl Readers {
    /// A function of several streams does not say of which it is late.
    pub fn of(rows: &BTreeMap<ResourceId, Row>) -> Self {
        let mut latest: BTreeMap<ResourceId, (String, Value)> = BTreeMap::new();
        for row in rows.values().filter(|row| row.id.kind == KindId::Lambda) {
            let sources = row.parts.iter().filter_map(|mapping| mapping.fields.text(&lambda::MAPPING_SOURCE));
            if sources.filter(|source| !source.starts_with("sqs/")).collect::<BTreeSet<_>>().len() > 1 {
                continue;
            }
            let mut streams = row.linked(Relation::FedBy).filter(|id| id.kind == KindId::Kinesis);
            let (Some(stream), None) = (streams.next(), streams.next()) else { continue };
            let Some(age) = row.fields.get(&lambda::ITERATOR_AGE_MS).filter(|age| age.as_number().is_some()) else {
                continue;
            };
            let is_later = latest.get(stream).is_none_or(|(_, known)| known.as_number() < age.as_number());
            if is_later {
                latest.insert(stream.clone(), (row.id.to_string(), age.clone()));
            }
        }
        Self(latest)
    }

    /// Sets the lag of a stream whose numbers have been asked for.
    pub fn complete(&self, row: &mut Row) {
        without_consumers(row);
        let Some(shared) = row.fields.get(&kinesis::GETRECORDS_AGE_MS).cloned() else { return };
        let fanout = row.fields.text(&kinesis::FANOUT_LATEST).map(|name| format!("fan-out consumer {name}"));
        let fanout = fanout.zip(row.fields.get(&kinesis::FANOUT_LAG_MS).cloned());
        let function = self.0.get(&row.id).cloned();
        let all = [Some((kinesis::BY_GETRECORDS.to_owned(), shared.clone())), function, fanout];
        let known = all.into_iter().flatten().filter(|(_, lag)| lag.as_number().is_some());
        let worst = known
            .max_by(|(_, a), (_, b)| a.as_number().partial_cmp(&b.as_number()).unwrap_or(std::cmp::Ordering::Equal));
        let (lag, reader) = match worst {
            Some((reader, lag)) => (lag.clone(), Value { datum: Datum::Text(reader), ..lag }),
            None => (shared.clone(), shared),
        };
        row.fields.set(&kinesis::ITERATOR_AGE_MS, lag);
        row.fields.set(&kinesis::LATEST_READER, Value { origin: Origin::Derived, ..reader });
    }
}

/// What was last known of consumers that are gone is known no more.
fn without_consumers(row: &mut Row) {
    let Some(consumers) = row.fields.get(&kinesis::CONSUMERS).filter(|known| known.as_text().is_none()) else { return };
    let Datum::Missing(why) = consumers.datum else { return };
    let none = Value::missing(why, consumers.as_of, Origin::Derived);
    for field in [&kinesis::FANOUT_LAG_MS, &kinesis::FANOUT_LATEST, &kinesis::FANOUT_LAGS] {
        row.fields.set(field, none.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::Field;
    use crate::domain::row::Link;
    use crate::domain::time::Timestamp;
    use crate::domain::value::NoData;
    use crate::kinds::derive;

    const NOW: Timestamp = Timestamp::from_millis(600_000);

    fn row(id: &str, values: &[(&Field, f64)]) -> Row {
        let mut row = Row::new(ResourceId::parse(id).unwrap(), NOW);
        for (field, number) in values {
            row.fields.set(field, Value::number(*number, NOW, Origin::CloudWatch));
        }
        row
    }

    fn function(name: &str, age_ms: f64, streams: &[&str]) -> Row {
        let mut function = row(&format!("lambda/{name}"), &[(&lambda::ITERATOR_AGE_MS, age_ms)]);
        let to = |stream: &&str| ResourceId::new(KindId::Kinesis, *stream);
        function.links = streams.iter().map(|s| Link { to: to(s), relation: Relation::FedBy }).collect();
        function
    }

    /// The lag of `kinesis/bids` among these rows, and whose it is.
    fn lag(rows: Vec<Row>) -> (Option<f64>, Option<String>) {
        let mut rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        derive(&mut rows, &BTreeMap::new());
        let bids = &rows[&ResourceId::new(KindId::Kinesis, "bids")];
        let reader = bids.fields.text(&kinesis::LATEST_READER).map(str::to_owned);
        (bids.fields.number(&kinesis::ITERATOR_AGE_MS), reader)
    }

    fn bids(shared_ms: Option<f64>, fanout_ms: Option<f64>) -> Row {
        let mut bids = row("kinesis/bids", &[]);
        let number = |ms: Option<f64>| match ms {
            Some(ms) => Value::number(ms, NOW, Origin::CloudWatch),
            None => Value::missing(NoData::NoDatapoints, NOW, Origin::CloudWatch),
        };
        bids.fields.set(&kinesis::GETRECORDS_AGE_MS, number(shared_ms));
        if fanout_ms.is_some() {
            bids.fields.set(&kinesis::CONSUMERS, Value::text("ledger", NOW));
            bids.fields.set(&kinesis::FANOUT_LATEST, Value::text("ledger", NOW));
            bids.fields.set(&kinesis::FANOUT_LAG_MS, number(fanout_ms));
        }
        bids
    }

    #[test]
    fn the_worst_of_the_three_is_the_lag_and_is_named() {
        let said = |lag_ms: f64, reader: &str| (Some(lag_ms), Some(reader.to_owned()));
        assert_eq!(lag(vec![bids(Some(300.0), None)]), said(300.0, "GetRecords"));
        assert_eq!(lag(vec![bids(Some(300.0), Some(90_000.0))]), said(90_000.0, "fan-out consumer ledger"));
        assert_eq!(lag(vec![bids(None, Some(40.0))]), said(40.0, "fan-out consumer ledger"));
        let slow = || function("settle-bid", 120_000.0, &["bids"]);
        assert_eq!(lag(vec![bids(Some(300.0), Some(9.0)), slow()]), said(120_000.0, "lambda/settle-bid"));
        let of_two = function("settle-bid", 120_000.0, &["bids", "views"]);
        assert_eq!(lag(vec![bids(Some(300.0), None), of_two]), said(300.0, "GetRecords"), "of which, it does not say");
        assert_eq!(lag(vec![bids(None, None)]), (None, None));
    }

    #[test]
    fn consumers_that_are_gone_are_no_longer_late() {
        let mut gone = bids(Some(300.0), Some(90_000.0));
        gone.fields.set(&kinesis::CONSUMERS, Value::missing(NoData::NotApplicable, NOW, Origin::Api));
        assert_eq!(lag(vec![gone]).0, Some(300.0));
    }
}
