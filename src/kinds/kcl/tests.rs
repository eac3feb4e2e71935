//! Which stream is certain, and when an application counts as stopped.

use super::*;
use crate::domain::field::Fields;
use crate::domain::series::{Series, SeriesKey};
use crate::domain::time::Timestamp;
use crate::domain::value::{Origin, Value};

fn row(kind: KindId, name: &str, parts: &[&str]) -> Row {
    let mut row = Row::new(ResourceId::new(kind, name), Timestamp::default());
    row.parts = parts.iter().map(|id| Part { id: (*id).to_owned(), fields: Fields::default() }).collect();
    row
}

fn reads(rows: Vec<Row>) -> Vec<String> {
    let rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    links(&rows).into_iter().map(|(from, link)| format!("{from} {} {}", link.relation.word(), link.to)).collect()
}

#[test]
fn a_stream_is_certain_by_its_name_or_alone_and_only_with_all_shards() {
    let (bids, clicks) = (row(KindId::Kinesis, "bids", &["s-0", "s-1"]), row(KindId::Kinesis, "clicks", &["s-0"]));
    let board = row(KindId::Kcl, "winner-board", &["s-0", "s-1"]);
    let of_bids = row(KindId::Kcl, "bids-to-store", &["s-0", "s-1"]);
    let of_clicks = row(KindId::Kcl, "clicks-to-store", &["s-0", "s-1"]);
    assert_eq!(reads(vec![bids.clone(), board.clone()]), ["kcl/winner-board reads kinesis/bids"], "the only stream");
    assert_eq!(reads(vec![bids.clone(), clicks.clone(), board]), [""; 0], "either could be it");
    assert_eq!(reads(vec![bids.clone(), clicks.clone(), of_bids]), ["kcl/bids-to-store reads kinesis/bids"]);
    assert_eq!(reads(vec![bids, clicks, of_clicks]), [""; 0], "clicks has no shard 1");
}

#[test]
fn lease_keys_of_several_streams_name_them() {
    assert_eq!(
        stream_of_key("111122223333:bids:1700000000:shardId-000000000000"),
        Some(("bids", "shardId-000000000000"))
    );
    assert_eq!(stream_of_key("shardId-000000000000"), None);
    assert_eq!(stream_of_key("a:b:c:d"), None, "no account");
    let keys = ["111122223333:bids:1700000000:shardId-000000000000", "111122223333:gone:1:shardId-000000000000"];
    let application = row(KindId::Kcl, "app", &keys);
    assert_eq!(reads(vec![row(KindId::Kinesis, "bids", &[]), application]), ["kcl/app reads kinesis/bids"]);
}

#[test]
fn a_table_that_is_not_written_to_was_left_now_or_long_ago() {
    let mut application = row(KindId::Kcl, "app", &[]);
    let number = |n| Value::number(n, Timestamp::default(), Origin::Api);
    application.fields.set(&LEASES, number(4.0));
    let none = Value::missing(NoData::NoDatapoints, Timestamp::default(), Origin::CloudWatch);
    let mut all = BTreeMap::new();
    let told = |row: &Row, all: &BTreeMap<SeriesKey, Series>| silence(row, &SeriesOf { all, row });
    assert_eq!(told(&application, &all), Silence::No, "nothing is known");
    application.fields.set(&RENEWALS_PER_MIN, none);
    assert_eq!(told(&application, &all), Silence::No, "it has only been looked at once");
    application.fields.set(&EXPIRED, number(4.0));
    assert_eq!(told(&application, &all), Silence::Old);
    let key = SeriesKey { resource: application.id.clone(), part: String::new(), field: RENEWALS_PER_MIN.id };
    all.entry(key).or_insert_with(Series::default).merge([(Timestamp::default(), 72.0)]);
    assert_eq!(told(&application, &all), Silence::Stopped);
    application.fields.set(&EXPIRED, number(1.0));
    application.fields.set(&RENEWALS_PER_MIN, number(54.0));
    assert_eq!(told(&application, &all), Silence::No);
}

#[test]
fn workers_are_told_with_their_leases_and_who_holds_none() {
    let mut application = row(KindId::Kcl, "app", &["s-0", "s-1", "s-2", "s-3"]);
    let held = [("app-1", HELD), ("app-2", HELD), ("app-1", SEEN_ONCE), ("app-3", GONE)];
    for (part, (owner, state)) in application.parts.iter_mut().zip(held) {
        part.fields.set(&OWNER, Value::text(owner, Timestamp::default()));
        part.fields.set(&LEASE_STATE, Value::text(state, Timestamp::default()));
    }
    assert_eq!(workers_told(&application), "app-1 2, app-2 1; idle ones are not known yet");
    application.fields.set(&IDLE, Value::missing(NoData::NoDatapoints, Timestamp::default(), Origin::CloudWatch));
    let said = workers_told(&application);
    assert!(said.ends_with("no worker reports or publishes how many leases it holds"), "{said}");
    application.fields.set(&IDLE_WORKERS, Value::text("app-4, app-5", Timestamp::default()));
    assert_eq!(workers_told(&application), "app-1 2, app-2 1; idle: app-4, app-5");
    application.fields.set(&IDLE_WORKERS, Value::text("", Timestamp::default()));
    application.parts.clear();
    assert_eq!(workers_told(&application), "none holds a lease; none is idle");
}
