//! Fields that are computed from other fields: use of capacity, error rates, depth of a dead-letter queue.

use crate::domain::field::{Field, Fields};
use crate::domain::row::{KindId, Relation, ResourceId, Row};
use crate::domain::series::{Series, SeriesKey};
use crate::domain::value::{Datum, NoData, Origin, Value};
use crate::kinds::{SeriesOf, kcl, kinesis, swf};
use functions::Shared;
use queues::Queues;
use readers::Readers;
use std::borrow::Cow;
use std::collections::BTreeMap;

mod functions;
mod queues;
mod readers;

/// A shard takes 1 MiB and 1,000 records a second (Kinesis "Quotas and limits").
const SHARD_BYTES_PER_S: f64 = 1_048_576.0;
const SHARD_RECORDS_PER_S: f64 = 1000.0;

/// The numbers of the last hour that a field's value is the newest of.
pub fn history<'s>(
    field: &Field,
    row: &'s Row,
    rows: &'s BTreeMap<ResourceId, Row>,
    series: &'s BTreeMap<SeriesKey, Series>,
) -> Option<Cow<'s, Series>> {
    if row.id.kind == KindId::Kinesis && *field == kinesis::ITERATOR_AGE_MS {
        return readers::lag_history(row, rows, series);
    }
    SeriesOf { all: series, row }.get(field).map(Cow::Borrowed)
}

/// Computes every derived field of every row anew. To be called after answers of polls were merged into the rows.
pub fn derive(rows: &mut BTreeMap<ResourceId, Row>, series: &BTreeMap<SeriesKey, Series>) {
    let queues = Queues::of(rows, series);
    let shared = Shared::of(rows);
    let readers = Readers::of(rows);
    for row in rows.values_mut() {
        match row.id.kind {
            KindId::Kinesis => {
                stream(row);
                readers.complete(row);
            }
            KindId::Sqs => queues.complete(row, series),
            KindId::Lambda => functions::complete(row, &shared),
            KindId::Swf => workflows(row),
            KindId::Kcl => application(row),
            KindId::Sns | KindId::Firehose | KindId::Alarm => {}
        }
    }
}

fn stream(row: &mut Row) {
    let shards = row.fields.get(&kinesis::OPEN_SHARDS).cloned();
    if let Some(used) = shards.and_then(|shards| write_utilisation(&row.fields, &shards)) {
        row.fields.set(&kinesis::UTILISATION_PERCENT, used);
    }
    for part in &mut row.parts {
        let one = part.fields.get(&kinesis::SHARD_STATE).map(|state| {
            let open = state.as_text() == Some("open");
            Value { datum: Datum::Number(if open { 1.0 } else { 0.0 }), ..state.clone() }
        });
        if let Some(used) = one.and_then(|one| write_utilisation(&part.fields, &one)) {
            part.fields.set(&kinesis::SHARD_USE_PERCENT, used);
        }
        close(&mut part.fields);
    }
}

/// Nobody asks for a closed shard's numbers any more: its last ones would stand there for ever as if they were of now.
fn close(fields: &mut Fields) {
    let Some(state) = fields.get(&kinesis::SHARD_STATE).filter(|state| state.as_text() == Some("closed")) else {
        return;
    };
    let closed = Value::missing(NoData::Closed, state.as_of, Origin::Derived);
    let measured = kinesis::KIND.part_metrics.iter().map(|metric| metric.field);
    for field in measured.chain([&kinesis::SHARD_USE_PERCENT]) {
        if fields.why_missing(field) != Some(NoData::NotEnabled) {
            fields.set(field, closed.clone());
        }
    }
}

/// Bytes or records against the limits of so many shards, the higher of both. `None` before anything was asked.
fn write_utilisation(fields: &Fields, shards: &Value) -> Option<Value> {
    let bytes = fields.get(&kinesis::IN_BYTES_PER_S)?;
    let records = fields.get(&kinesis::IN_RECORDS_PER_S)?;
    let count = shards.as_number();
    Some(combine(&[bytes, records, shards], || {
        let count = count.filter(|count| *count > 0.0)?;
        let by_bytes = bytes.as_number()? / (count * SHARD_BYTES_PER_S);
        let by_records = records.as_number()? / (count * SHARD_RECORDS_PER_S);
        Some(by_bytes.max(by_records) * 100.0)
    }))
}

/// A domain's decisions wait as long as those of its slowest workflow type.
fn workflows(row: &mut Row) {
    let waits = row.parts.iter().filter_map(|part| part.fields.get(&swf::TYPE_DECISION_WAIT_MS));
    let longest = waits.max_by(|a, b| a.as_number().unwrap_or(-1.0).total_cmp(&b.as_number().unwrap_or(-1.0)));
    if let Some(longest) = longest {
        row.fields.set(&swf::DECISION_WAIT_MS, Value { origin: Origin::Derived, ..longest.clone() });
    }
}

/// An application reads what it is linked to, and is as late as its slowest lease: as its workers say, else as it was
/// last probed.
fn application(row: &mut Row) {
    let streams: Vec<&str> = row.linked(Relation::Reads).map(|id| id.name.as_str()).collect();
    let stream = match streams.is_empty() {
        true => Value::missing(NoData::Unknown, row.as_of, Origin::Derived),
        false => Value { origin: Origin::Derived, ..Value::text(streams.join(", "), row.as_of) },
    };
    row.fields.set(&kcl::STREAM, stream);
    let open = || row.parts.iter().filter(|part| !kcl::is_finished(part));
    let worst = |field: &'static Field| {
        let known = open().filter_map(|part| part.fields.get(field)).filter(|value| value.as_number().is_some());
        known.max_by(|a, b| a.as_number().unwrap_or(0.0).total_cmp(&b.as_number().unwrap_or(0.0)))
    };
    let first = || open().find_map(|part| part.fields.get(&kcl::LEASE_LAG_MS));
    let lag = worst(&kcl::LEASE_LAG_MS).or_else(|| worst(&kcl::PROBED_LAG_MS)).or_else(first).cloned();
    if let Some(lag) = lag {
        row.fields.set(&kcl::LAG_MS, lag);
    }
}

/// A value made from others: as old as the oldest of them, missing for the reason of the first that is missing, and
/// without datapoints where the numbers make no sense together (a share of nothing).
fn combine(parts: &[&Value], number: impl FnOnce() -> Option<f64>) -> Value {
    let as_of = parts.iter().map(|value| value.as_of).min().unwrap_or_default();
    let missing = parts.iter().find_map(|value| match value.datum {
        Datum::Missing(why) => Some(why),
        _ => None,
    });
    match (missing, number()) {
        (None, Some(number)) => Value::number(number, as_of, Origin::Derived),
        (why, _) => Value::missing(why.unwrap_or(NoData::NoDatapoints), as_of, Origin::Derived),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::Field;
    use crate::domain::row::Part;
    use crate::domain::time::Timestamp;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000)
    }

    fn measured(number: f64, minute: i64) -> Value {
        Value::number(number, at(minute), Origin::CloudWatch)
    }

    fn row_with(id: &str, values: &[(&Field, Value)]) -> Row {
        let mut row = Row::new(ResourceId::parse(id).unwrap(), at(0));
        for (field, value) in values {
            row.fields.set(field, value.clone());
        }
        row
    }

    fn derived(rows: impl IntoIterator<Item = Row>) -> BTreeMap<ResourceId, Row> {
        let mut rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        derive(&mut rows, &BTreeMap::new());
        rows
    }

    #[test]
    fn a_streams_use_is_the_higher_of_bytes_and_records() {
        let mut bids = row_with(
            "kinesis/bids",
            &[
                (&kinesis::OPEN_SHARDS, measured(2.0, 5)),
                (&kinesis::IN_BYTES_PER_S, measured(1_048_576.0, 4)),
                (&kinesis::IN_RECORDS_PER_S, measured(1500.0, 4)),
            ],
        );
        let mut shard = Part { id: "shardId-000000000000".into(), fields: Fields::default() };
        shard.fields.set(&kinesis::SHARD_STATE, Value::text("open", at(5)));
        shard.fields.set(&kinesis::IN_BYTES_PER_S, measured(0.0, 4));
        shard.fields.set(&kinesis::IN_RECORDS_PER_S, measured(900.0, 4));
        let mut closed = shard.clone();
        closed.id = "shardId-000000000001".into();
        closed.fields.set(&kinesis::SHARD_STATE, Value::text("closed", at(5)));
        bids.parts.extend([shard, closed]);
        let rows = derived([bids]);
        let bids = rows.values().next().unwrap();
        assert_eq!(
            bids.fields.get(&kinesis::UTILISATION_PERCENT),
            Some(&Value { origin: Origin::Derived, ..measured(75.0, 4) })
        );
        assert_eq!(bids.parts[0].fields.number(&kinesis::SHARD_USE_PERCENT), Some(90.0));
        let closed = &bids.parts[1].fields;
        for field in [&kinesis::SHARD_USE_PERCENT, &kinesis::IN_RECORDS_PER_S, &kinesis::ITERATOR_AGE_MS] {
            assert_eq!(closed.why_missing(field), Some(NoData::Closed), "{}", field.id);
        }
    }
}
