//! How late a stream's readers are, as far as CloudWatch tells it of the stream: those who share its reads, and each
//! enhanced fan-out consumer.

use super::metrics::{Points, newest};
use crate::domain::field::Field;
use crate::domain::poll::RowUpdate;
use crate::domain::series::SeriesKey;
use crate::domain::time::Timestamp;
use crate::domain::value::{NoData, Origin, Value, short_duration_ms};
use crate::kinds::kinesis;
use std::collections::BTreeMap;

/// Sets what the consumers' points say, and the history of the worst of all readers.
pub fn complete(update: &mut RowUpdate, consumers: &[(&str, Points)], now: Timestamp) {
    if !consumers.is_empty() {
        set_consumers(update, consumers, now);
    }
    let both = [kinesis::GETRECORDS_AGE_MS.id, kinesis::FANOUT_LAG_MS.id];
    let of_readers = update.series.iter().filter(|(key, _)| key.part.is_empty() && both.contains(&key.field));
    let worst = worst(of_readers.map(|(_, points)| points));
    push(update, &kinesis::ITERATOR_AGE_MS, worst);
}

fn set_consumers(update: &mut RowUpdate, consumers: &[(&str, Points)], now: Timestamp) {
    let told: Vec<(&str, Value)> = consumers.iter().map(|(name, points)| (*name, newest(points, now))).collect();
    let number = |value: &Value| value.as_number().unwrap_or(-1.0);
    let late = told.iter().filter(|(_, value)| value.as_number().is_some());
    let latest = late.max_by(|a, b| number(&a.1).total_cmp(&number(&b.1)));
    let nothing = Value::missing(NoData::NoDatapoints, now, Origin::CloudWatch);
    let (lag, name) = match latest {
        Some((name, value)) => (value.clone(), Value::text(*name, value.as_of)),
        None => (nothing.clone(), nothing),
    };
    update.fields.set(&kinesis::FANOUT_LAG_MS, lag);
    update.fields.set(&kinesis::FANOUT_LATEST, name);
    let say = |value: &Value| match value.as_number() {
        Some(ms) => short_duration_ms(ms),
        None => "no data".to_owned(),
    };
    let each: Vec<String> = told.iter().map(|(name, value)| format!("{name} {}", say(value))).collect();
    let as_of = told.iter().map(|(_, value)| value.as_of).max().unwrap_or(now);
    let each = Value { origin: Origin::CloudWatch, ..Value::text(each.join(", "), as_of) };
    update.fields.set(&kinesis::FANOUT_LAGS, each);
    push(update, &kinesis::FANOUT_LAG_MS, worst(consumers.iter().map(|(_, points)| points)));
}

/// Of each minute the highest number.
fn worst<'p>(all: impl Iterator<Item = &'p Points>) -> Points {
    let mut worst: BTreeMap<Timestamp, f64> = BTreeMap::new();
    for (at, number) in all.flatten() {
        worst.entry(*at).and_modify(|known| *known = known.max(*number)).or_insert(*number);
    }
    worst.into_iter().collect()
}

fn push(update: &mut RowUpdate, field: &'static Field, points: Points) {
    if !points.is_empty() {
        let key = SeriesKey { resource: update.id.clone(), part: String::new(), field: field.id };
        update.series.push((key, points));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row::{KindId, ResourceId};

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_millis(n * 60_000)
    }

    #[test]
    fn the_latest_consumer_is_named_and_the_history_is_of_the_worst_reader() {
        let mut update = RowUpdate::new(ResourceId::new(KindId::Kinesis, "bids"), minute(12));
        push(&mut update, &kinesis::GETRECORDS_AGE_MS, vec![(minute(9), 900.0), (minute(10), 200.0)]);
        let consumers = [
            ("audit", vec![(minute(10), 20.0)]),
            ("ledger", vec![(minute(9), 80_000.0), (minute(10), 90_000.0)]),
            ("never", Vec::new()),
        ];
        complete(&mut update, &consumers, minute(12));
        assert_eq!(update.fields.number(&kinesis::FANOUT_LAG_MS), Some(90_000.0));
        assert_eq!(update.fields.text(&kinesis::FANOUT_LATEST), Some("ledger"));
        assert_eq!(update.fields.text(&kinesis::FANOUT_LAGS), Some("audit 20ms, ledger 1m30s, never no data"));
        let (_, points) = update.series.iter().find(|(key, _)| key.field == kinesis::ITERATOR_AGE_MS.id).unwrap();
        assert_eq!(points, &[(minute(9), 80_000.0), (minute(10), 90_000.0)]);
    }

    #[test]
    fn a_stream_without_consumers_has_the_history_of_those_who_share_its_reads() {
        let mut update = RowUpdate::new(ResourceId::new(KindId::Kinesis, "bids"), minute(12));
        push(&mut update, &kinesis::GETRECORDS_AGE_MS, vec![(minute(9), 900.0)]);
        complete(&mut update, &[], minute(12));
        assert_eq!(update.fields.get(&kinesis::FANOUT_LAG_MS), None);
        assert_eq!(update.series[1].1, [(minute(9), 900.0)]);
    }
}
