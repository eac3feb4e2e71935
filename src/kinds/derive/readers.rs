//! How late a stream is read: the worst of those who share its reads, of its functions and of its fan-out consumers, and
//! which of them that is.

use crate::domain::row::{KindId, Relation, ResourceId, Row};
use crate::domain::series::{Series, SeriesKey};
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, Origin, Value};
use crate::kinds::{SeriesOf, kinesis, lambda};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Of each stream the latest function that reads it.
pub struct Readers(BTreeMap<ResourceId, (String, Value)>);

impl Readers {
    pub fn of(rows: &BTreeMap<ResourceId, Row>) -> Self {
        let mut latest: BTreeMap<ResourceId, (String, Value)> = BTreeMap::new();
        for row in rows.values().filter(|row| row.id.kind == KindId::Lambda) {
            let Some(stream) = only_stream(row) else { continue };
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

/// The one stream that a function reads; one of several does not say of which it is late.
fn only_stream(function: &Row) -> Option<&ResourceId> {
    let sources = function.parts.iter().filter_map(|mapping| mapping.fields.text(&lambda::MAPPING_SOURCE));
    if sources.filter(|source| !source.starts_with("sqs/")).collect::<BTreeSet<_>>().len() > 1 {
        return None;
    }
    let mut streams = function.linked(Relation::FedBy).filter(|id| id.kind == KindId::Kinesis);
    streams.next().filter(|_| streams.next().is_none())
}

/// A reader of which nothing has come for so long after the others is not waited for.
const HEARD_OF: Duration = Duration::from_secs(5 * 60);

/// A stream's lag minute by minute: of each minute that of its worst reader, up to the newest that is known of all.
pub fn lag_history<'s>(
    stream: &'s Row,
    rows: &'s BTreeMap<ResourceId, Row>,
    series: &'s BTreeMap<SeriesKey, Series>,
) -> Option<Cow<'s, Series>> {
    let own = SeriesOf { all: series, row: stream }.get(&kinesis::ITERATOR_AGE_MS);
    let functions = stream.linked(Relation::Feeds).filter_map(|id| rows.get(id));
    let functions = functions.filter(|row| row.id.kind == KindId::Lambda && only_stream(row) == Some(&stream.id));
    let ages = functions.filter_map(|row| SeriesOf { all: series, row }.get(&lambda::ITERATOR_AGE_MS));
    let mut all: Vec<&Series> = ages.collect();
    if all.is_empty() {
        return own.map(Cow::Borrowed);
    }
    all.extend(own);
    let ends: Vec<Timestamp> = all.iter().filter_map(|series| series.last()).map(|(at, _)| at).collect();
    let newest = ends.iter().max().copied()?;
    let until = ends.into_iter().filter(|at| newest.since(*at) <= HEARD_OF).min()?;
    let mut worst: BTreeMap<Timestamp, f64> = BTreeMap::new();
    for (at, lag_ms) in all.iter().flat_map(|series| series.points()).filter(|(at, _)| *at <= until) {
        worst.entry(at).and_modify(|known| *known = known.max(lag_ms)).or_insert(lag_ms);
    }
    let mut history = Series::default();
    history.merge(worst);
    Some(Cow::Owned(history))
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
    fn the_history_is_of_the_worst_reader_as_the_lag_is() {
        let mut bids = bids(Some(0.0), None);
        let settle_bid = function("settle-bid", 120_000.0, &["bids"]);
        bids.links.push(Link { to: settle_bid.id.clone(), relation: Relation::Feeds });
        let at = |minute: i64| Timestamp::from_millis(minute * 60_000);
        let mut series: BTreeMap<SeriesKey, Series> = BTreeMap::new();
        let mut tell = |row: &Row, field: &'static Field, points: &[(i64, f64)]| {
            let key = SeriesKey { resource: row.id.clone(), part: String::new(), field: field.id };
            series.entry(key).or_default().merge(points.iter().map(|(minute, ms)| (at(*minute), *ms)));
        };
        tell(&bids, &kinesis::ITERATOR_AGE_MS, &[(6, 500.0), (7, 0.0), (8, 0.0), (9, 0.0)]);
        tell(&settle_bid, &lambda::ITERATOR_AGE_MS, &[(7, 60_000.0), (8, 120_000.0)]);
        let rows: BTreeMap<_, _> = [bids.clone(), settle_bid].map(|row| (row.id.clone(), row)).into();
        let history = lag_history(&bids, &rows, &series).unwrap();
        let points: Vec<_> = history.points().collect();
        assert_eq!(points, [(at(6), 500.0), (at(7), 60_000.0), (at(8), 120_000.0)], "of minute 9 not all is known");
        bids.links.clear();
        let alone = lag_history(&bids, &rows, &series).unwrap();
        assert_eq!(alone.last(), Some((at(9), 0.0)));
    }

    #[test]
    fn consumers_that_are_gone_are_no_longer_late() {
        let mut gone = bids(Some(300.0), Some(90_000.0));
        gone.fields.set(&kinesis::CONSUMERS, Value::missing(NoData::NotApplicable, NOW, Origin::Api));
        assert_eq!(lag(vec![gone]).0, Some(300.0));
    }
}
