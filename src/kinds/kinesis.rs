//! Kinesis streams: fields, columns, metrics and health. A stream's parts are its shards.

use super::{INVENTORY_EVERY, Kind, Metric, SWEEP_EVERY, SeriesOf, Verdict};
use crate::domain::counted::counted;
use crate::domain::field::Field;
use crate::domain::row::{Health, KindId, Row};
use crate::domain::value::short_duration_ms;
use crate::domain::value::{Datum, Unit};
use crate::domain::verb::ActionId;

pub const STATUS: Field = Field {
    id: "status",
    title: "STATUS",
    unit: Unit::Text,
    doc: "CREATING, ACTIVE, UPDATING or DELETING (DescribeStreamSummary).",
};
pub const MODE: Field =
    Field { id: "mode", title: "MODE", unit: Unit::Text, doc: "PROVISIONED or ON_DEMAND (DescribeStreamSummary)." };
pub const OPEN_SHARDS: Field = Field {
    id: "open_shards",
    title: "SHARDS",
    unit: Unit::Count,
    doc: "Shards that take writes (DescribeStreamSummary).",
};
pub const RETENTION_S: Field = Field {
    id: "retention_s",
    title: "RETENTION",
    unit: Unit::Seconds,
    doc: "How long records are kept (DescribeStreamSummary).",
};
pub const ITERATOR_AGE_MS: Field = Field {
    id: "iterator_age_ms",
    title: "LAG",
    unit: Unit::Milliseconds,
    doc: "Age of the last record read, worst reader: by GetRecords, by a function, or by a fan-out consumer.",
};
pub const LATEST_READER: Field =
    Field { id: "latest_reader", title: "LATEST", unit: Unit::Text, doc: "Which reader the lag is of." };
pub const GETRECORDS_AGE_MS: Field = Field {
    id: "getrecords_age_ms",
    title: "SHARED LAG",
    unit: Unit::Milliseconds,
    doc: "Age of the last record that any of those read who share the shards' reads \
          (GetRecords.IteratorAgeMilliseconds, Maximum).",
};
pub const FANOUT_LAG_MS: Field = Field {
    id: "fanout_lag_ms",
    title: "FAN-OUT LAG",
    unit: Unit::Milliseconds,
    doc: "How far the latest enhanced fan-out consumer is behind (SubscribeToShardEvent.MillisBehindLatest, Maximum).",
};
pub const FANOUT_LATEST: Field =
    Field { id: "fanout_latest", title: "FAN-OUT LATEST", unit: Unit::Text, doc: "Which fan-out consumer that is." };
pub const FANOUT_LAGS: Field = Field {
    id: "fanout_lags",
    title: "FAN-OUT",
    unit: Unit::Text,
    doc: "Each fan-out consumer and how far it is behind (SubscribeToShardEvent.MillisBehindLatest, Maximum).",
};
pub const CONSUMERS: Field = Field {
    id: "consumers",
    title: "CONSUMERS",
    unit: Unit::Text,
    doc: "Its active enhanced fan-out consumers (ListStreamConsumers).",
};
pub const IN_BYTES_PER_S: Field = Field {
    id: "in_bytes_per_s",
    title: "IN",
    unit: Unit::BytesPerSecond,
    doc: "Bytes put, mean over the minute (IncomingBytes, Sum/60).",
};
pub const IN_RECORDS_PER_S: Field = Field {
    id: "in_records_per_s",
    title: "IN REC",
    unit: Unit::PerSecond,
    doc: "Records put, mean over the minute (IncomingRecords, Sum/60).",
};
pub const OUT_BYTES_PER_S: Field = Field {
    id: "out_bytes_per_s",
    title: "OUT",
    unit: Unit::BytesPerSecond,
    doc: "Bytes read by all shared readers, mean over the minute (GetRecords.Bytes, Sum/60).",
};
pub const UTILISATION_PERCENT: Field = Field {
    id: "write_utilisation_percent",
    title: "USE",
    unit: Unit::Percent,
    doc: "Incoming bytes or records against 1 MiB/s and 1,000 records/s for each open shard, the higher of both.",
};
pub const WRITE_THROTTLED_PER_MIN: Field = Field {
    id: "write_throttled_per_min",
    title: "W-THR",
    unit: Unit::PerMinute,
    doc: "Records refused by write limits (WriteProvisionedThroughputExceeded, Sum).",
};
pub const READ_THROTTLED_PER_MIN: Field = Field {
    id: "read_throttled_per_min",
    title: "R-THR",
    unit: Unit::PerMinute,
    doc: "GetRecords calls refused by read limits (ReadProvisionedThroughputExceeded, Sum).",
};
pub const SHARD_METRICS: Field = Field {
    id: "shard_metrics",
    title: "ENHANCED",
    unit: Unit::Flag,
    doc: "Whether shard-level metrics (enhanced monitoring, paid) are on (DescribeStreamSummary).",
};
pub const ARN: Field =
    Field { id: "arn", title: "ARN", unit: Unit::Text, doc: "The stream's ARN (DescribeStreamSummary)." };

// Fields of a shard.
pub const SHARD_STATE: Field = Field {
    id: "state",
    title: "STATE",
    unit: Unit::Text,
    doc: "open, or closed by a reshard and still readable (ListShards).",
};
pub const SHARD_RANGE: Field = Field {
    id: "hash_range",
    title: "RANGE",
    unit: Unit::Text,
    doc: "First and last hash key, decimal, joined by a hyphen (ListShards).",
};
pub const SHARD_SHARE_PERCENT: Field = Field {
    id: "key_space_percent",
    title: "SPACE",
    unit: Unit::Percent,
    doc: "The part of the key space that the shard covers (ListShards).",
};
pub const SHARD_PARENTS: Field =
    Field { id: "parents", title: "PARENTS", unit: Unit::Text, doc: "The shards it came from (ListShards)." };
pub const SHARD_USE_PERCENT: Field = Field {
    id: "write_utilisation_percent",
    title: "USE",
    unit: Unit::Percent,
    doc: "Incoming bytes or records against the shard's limits, the higher of both.",
};

const NAMESPACE: &str = "AWS/Kinesis";

const fn metric(field: &'static Field, name: &'static str, statistic: &'static str, scale: f64) -> Metric {
    Metric { field, namespace: NAMESPACE, name, statistic, dimension: "StreamName", scale, near_only: false }
}

/// What CloudWatch is asked of each fan-out consumer; a dimension `ConsumerName` stands beside the stream's.
pub const CONSUMER_METRIC: Metric = metric(&FANOUT_LAG_MS, "SubscribeToShardEvent.MillisBehindLatest", "Maximum", 1.0);

/// The names of the fan-out consumers that are known. None of them has a comma (RegisterStreamConsumer).
pub fn consumers(row: &Row) -> impl Iterator<Item = &str> {
    row.fields.text(&CONSUMERS).into_iter().flat_map(|names| names.split(", "))
}

pub const KIND: Kind = Kind {
    id: KindId::Kinesis,
    title: "Kinesis streams",
    columns: &[
        &ITERATOR_AGE_MS,
        &WRITE_THROTTLED_PER_MIN,
        &UTILISATION_PERCENT,
        &OPEN_SHARDS,
        &IN_BYTES_PER_S,
        &IN_RECORDS_PER_S,
        &OUT_BYTES_PER_S,
        &READ_THROTTLED_PER_MIN,
        &STATUS,
        &MODE,
    ],
    detail: &[
        &STATUS,
        &MODE,
        &OPEN_SHARDS,
        &RETENTION_S,
        &ITERATOR_AGE_MS,
        &LATEST_READER,
        &IN_BYTES_PER_S,
        &IN_RECORDS_PER_S,
        &OUT_BYTES_PER_S,
        &UTILISATION_PERCENT,
        &WRITE_THROTTLED_PER_MIN,
        &READ_THROTTLED_PER_MIN,
        &GETRECORDS_AGE_MS,
        &FANOUT_LAG_MS,
        &FANOUT_LAGS,
        &CONSUMERS,
        &SHARD_METRICS,
        &ARN,
    ],
    charts: &[&ITERATOR_AGE_MS, &IN_BYTES_PER_S, &WRITE_THROTTLED_PER_MIN, &OUT_BYTES_PER_S],
    parts_title: "shards",
    part_columns: &[
        &SHARD_STATE,
        &SHARD_SHARE_PERCENT,
        &SHARD_USE_PERCENT,
        &IN_BYTES_PER_S,
        &IN_RECORDS_PER_S,
        &OUT_BYTES_PER_S,
        &ITERATOR_AGE_MS,
        &WRITE_THROTTLED_PER_MIN,
        &READ_THROTTLED_PER_MIN,
        &SHARD_RANGE,
        &SHARD_PARENTS,
    ],
    metrics: &[
        metric(&GETRECORDS_AGE_MS, "GetRecords.IteratorAgeMilliseconds", "Maximum", 1.0),
        metric(&IN_BYTES_PER_S, "IncomingBytes", "Sum", 1.0 / 60.0),
        metric(&IN_RECORDS_PER_S, "IncomingRecords", "Sum", 1.0 / 60.0),
        metric(&OUT_BYTES_PER_S, "GetRecords.Bytes", "Sum", 1.0 / 60.0),
        metric(&WRITE_THROTTLED_PER_MIN, "WriteProvisionedThroughputExceeded", "Sum", 1.0),
        metric(&READ_THROTTLED_PER_MIN, "ReadProvisionedThroughputExceeded", "Sum", 1.0),
    ],
    part_metrics: &[
        metric(&ITERATOR_AGE_MS, "IteratorAgeMilliseconds", "Maximum", 1.0),
        metric(&IN_BYTES_PER_S, "IncomingBytes", "Sum", 1.0 / 60.0),
        metric(&IN_RECORDS_PER_S, "IncomingRecords", "Sum", 1.0 / 60.0),
        metric(&OUT_BYTES_PER_S, "OutgoingBytes", "Sum", 1.0 / 60.0),
        metric(&WRITE_THROTTLED_PER_MIN, "WriteProvisionedThroughputExceeded", "Sum", 1.0),
        metric(&READ_THROTTLED_PER_MIN, "ReadProvisionedThroughputExceeded", "Sum", 1.0),
    ],
    part_dimensions: &["ShardId"],
    has_part_metrics: |row| row.fields.get(&SHARD_METRICS).is_some_and(|value| value.datum == Datum::Flag(true)),
    is_part_measured: |shard| shard.fields.text(&SHARD_STATE) == Some("open"),
    part_link: |_| None,
    address: Some(&ARN),
    inventory_every: INVENTORY_EVERY,
    sweep_every: Some(SWEEP_EVERY),
    direct_usd: 0.0,
    actions: &[ActionId::Reshard],
    health,
};

/// What [`LATEST_READER`] says of those who share the shards' reads.
pub const BY_GETRECORDS: &str = "GetRecords";

/// Records above this age are late for a person who waits.
const LAG_WARN_MS: f64 = 60_000.0;
const LAG_CRIT_MS: f64 = 300_000.0;
/// Half of retention: AWS's advice is to act before, because expired records are lost.
const LAG_RETENTION_SHARE: f64 = 0.5;
/// Throttled records a minute that are more than a burst.
const THROTTLED_WARN_PER_MIN: f64 = 1.0;
/// Throttling in at least this many of the last five minutes is no burst.
const THROTTLED_CRIT_MINUTES: usize = 3;
const UTILISATION_WARN_PERCENT: f64 = 80.0;

/// The numbers that may make it unwell; without any of them nothing can be said.
const JUDGED_BY: [&Field; 4] =
    [&ITERATOR_AGE_MS, &WRITE_THROTTLED_PER_MIN, &READ_THROTTLED_PER_MIN, &UTILISATION_PERCENT];

fn health(row: &Row, series: &SeriesOf<'_>) -> Verdict {
    let mut verdict = Verdict::ok();
    if row.fields.is_empty() {
        return Verdict::unknown("not looked at yet");
    }
    verdict.judge_by(row, &JUDGED_BY, "its lag and its throttling are not known");
    lag_health(row, &mut verdict);
    let throttled_minutes =
        series.recent(&WRITE_THROTTLED_PER_MIN, 5).iter().filter(|n| **n >= THROTTLED_WARN_PER_MIN).count();
    if let Some(throttled) = row.fields.number(&WRITE_THROTTLED_PER_MIN).filter(|n| *n >= THROTTLED_WARN_PER_MIN) {
        let health = if throttled_minutes >= THROTTLED_CRIT_MINUTES { Health::Crit } else { Health::Warn };
        verdict.add(
            &WRITE_THROTTLED_PER_MIN,
            health,
            format!("{} a minute refused by write limits", counted(throttled, "record")),
        );
    } else if throttled_minutes > 0 {
        verdict.add(
            &WRITE_THROTTLED_PER_MIN,
            Health::Warn,
            "records were refused by write limits in the last 5 minutes",
        );
    }
    if let Some(throttled) = row.fields.number(&READ_THROTTLED_PER_MIN).filter(|n| *n >= THROTTLED_WARN_PER_MIN) {
        verdict.add(
            &READ_THROTTLED_PER_MIN,
            Health::Warn,
            format!("{} a minute refused by read limits", counted(throttled, "read")),
        );
    }
    if let Some(used) = row.fields.number(&UTILISATION_PERCENT).filter(|n| *n >= UTILISATION_WARN_PERCENT) {
        verdict.add(&UTILISATION_PERCENT, Health::Warn, format!("{used:.0}% of its write capacity is in use"));
    }
    if row.fields.text(&STATUS) == Some("DELETING") {
        verdict.add(&STATUS, Health::Warn, "it is being deleted");
    }
    verdict
}

fn lag_health(row: &Row, verdict: &mut Verdict) {
    let Some(lag_ms) = row.fields.number(&ITERATOR_AGE_MS) else { return };
    let retention_ms = row.fields.number(&RETENTION_S).unwrap_or(86_400.0) * 1000.0;
    let lag = short_duration_ms(lag_ms);
    // Who shares the reads is not known by name.
    let readers = match row.fields.text(&LATEST_READER) {
        Some(reader) if reader != BY_GETRECORDS => format!("{reader} is {lag} behind"),
        _ => format!("readers are {lag} behind"),
    };
    if lag_ms >= retention_ms * LAG_RETENTION_SHARE {
        verdict.add(&ITERATOR_AGE_MS, Health::Crit, format!("{readers}: over half of retention, records will be lost"));
    } else if lag_ms >= LAG_CRIT_MS {
        verdict.add(&ITERATOR_AGE_MS, Health::Crit, readers);
    } else if lag_ms >= LAG_WARN_MS {
        verdict.add(&ITERATOR_AGE_MS, Health::Warn, readers);
    }
}
