//! KCL applications: fields, columns, metrics and health. An application is known by its lease table; its parts are the
//! leases, one for each shard that it reads.
//!
//! A worker renews each of its leases by raising the lease's counter, three times within the failover time (ten seconds
//! unless set otherwise): a counter that stands still has no living owner. Each renewal is a write, so the table's
//! writes tell by the minute whether anybody lives, without a look at the leases.

use super::{INVENTORY_EVERY, Kind, Metric, SWEEP_EVERY, SeriesOf, Verdict};
use crate::domain::counted::{counted, counted_that};
use crate::domain::field::Field;
use crate::domain::row::{Health, KindId, Link, Part, Relation, ResourceId, Row};
use crate::domain::value::{NoData, Unit, short_duration_ms};
use std::collections::{BTreeMap, BTreeSet};

pub const LEASES: Field = Field {
    id: "leases",
    title: "LEASES",
    unit: Unit::Count,
    doc: "Leases of shards that are not read to their end (Scan of the lease table).",
};
pub const WORKERS: Field = Field {
    id: "workers",
    title: "WORKERS",
    unit: Unit::Count,
    doc: "Workers that hold a lease and are not known to have stopped renewing it (Scan).",
};
pub const IDLE: Field = Field {
    id: "idle_workers",
    title: "IDLE",
    unit: Unit::Count,
    doc: "Workers that live and hold no lease, by their reports (KCL 3: the WorkerMetricStats table or, in one table, among \
          the leases), else by the CurrentLeases that each publishes; no data where they do neither.",
};
pub const IDLE_WORKERS: Field =
    Field { id: "idle_worker_names", title: "IDLE WORKERS", unit: Unit::Text, doc: "Their names (workerIdentifier)." };
pub const EXPIRED: Field = Field {
    id: "expired_leases",
    title: "EXPIRED",
    unit: Unit::Count,
    doc: "Leases with an owner whose counter stood still for 20 s or longer, or for twice as long as renewals take: nobody renews \
          them (Scan).",
};
pub const UNOWNED: Field =
    Field { id: "unowned_leases", title: "UNOWNED", unit: Unit::Count, doc: "Leases that no worker has taken (Scan)." };
pub const FINISHED: Field = Field {
    id: "finished_leases",
    title: "FINISHED",
    unit: Unit::Count,
    doc: "Leases of closed shards that were read to their end (Scan).",
};
pub const LAG_MS: Field = Field {
    id: "lag_ms",
    title: "LAG",
    unit: Unit::Milliseconds,
    doc: "How far the slowest lease is behind: what the application itself publishes, else what the last probe found.",
};
pub const RENEWALS_PER_MIN: Field = Field {
    id: "renewals_per_min",
    title: "RENEWALS",
    unit: Unit::PerMinute,
    doc: "Writes of the workers to the lease table, renewals above all (ConsumedWriteCapacityUnits, Sum).",
};
pub const READ_THROTTLED_PER_MIN: Field = Field {
    id: "read_throttled_per_min",
    title: "R-THR",
    unit: Unit::PerMinute,
    doc: "Reads of the lease table that DynamoDB refused (ReadThrottleEvents, Sum).",
};
pub const WRITE_THROTTLED_PER_MIN: Field = Field {
    id: "write_throttled_per_min",
    title: "W-THR",
    unit: Unit::PerMinute,
    doc: "Writes of the lease table that DynamoDB refused (WriteThrottleEvents, Sum).",
};
pub const CAPACITY: Field = Field {
    id: "capacity",
    title: "CAPACITY",
    unit: Unit::Text,
    doc: "The lease table's capacity: on demand, or read and write units a second (DescribeTable).",
};
pub const STREAM: Field = Field {
    id: "stream",
    title: "STREAM",
    unit: Unit::Text,
    doc: "The stream that it reads, where that is certain: the lease keys name it, or only one stream has all its shards \
          and stands in the application's name or is the only one.",
};
pub const LOOK_UNITS: Field = Field {
    id: "look_read_units",
    title: "LOOK TOOK",
    unit: Unit::Count,
    doc: "Read units of the lease table that the last look at the leases took (ConsumedCapacity of its Scan).",
};
pub const STATUS: Field =
    Field { id: "status", title: "STATUS", unit: Unit::Text, doc: "Status of the lease table (DescribeTable)." };
pub const ARN: Field =
    Field { id: "arn", title: "ARN", unit: Unit::Text, doc: "The lease table's ARN (DescribeTable)." };

// Fields of a lease.
pub const LEASE_STATE: Field = Field {
    id: "state",
    title: "STATE",
    unit: Unit::Text,
    doc: "held, expired, unowned, finished; or seen once, where a second look must tell whether it is renewed (Scan).",
};
pub const OWNER: Field =
    Field { id: "owner", title: "OWNER", unit: Unit::Text, doc: "The worker that holds it (leaseOwner)." };
pub const UNRENEWED_S: Field = Field {
    id: "unrenewed_s",
    title: "UNRENEWED",
    unit: Unit::Seconds,
    doc: "For how long its counter has been seen to stand still, at least (Scan).",
};
pub const LEASE_LAG_MS: Field = Field {
    id: "lag_ms",
    title: "LAG",
    unit: Unit::Milliseconds,
    doc: "How far it is behind, as its worker publishes it (MillisBehindLatest of ProcessTask, Maximum).",
};
pub const PROBED_LAG_MS: Field = Field {
    id: "probed_lag_ms",
    title: "PROBED",
    unit: Unit::Milliseconds,
    doc: "How far its checkpoint was behind when it was probed (MillisBehindLatest of GetRecords).",
};
pub const PROBED_AT: Field =
    Field { id: "probed_at", title: "PROBED AT", unit: Unit::Time, doc: "When PROBED was read: LAG is newer." };
pub const CHECKPOINT: Field = Field {
    id: "checkpoint",
    title: "CHECKPOINT",
    unit: Unit::Text,
    doc: "The last record that is done, by sequence number, or where it begins (checkpoint).",
};
pub const COUNTER: Field = Field {
    id: "counter",
    title: "COUNTER",
    unit: Unit::Count,
    doc: "Raised with each renewal and each change of owner (leaseCounter).",
};
pub const SWITCHES: Field = Field {
    id: "owner_switches",
    title: "SWITCHES",
    unit: Unit::Count,
    doc: "Changes of owner since the last checkpoint (ownerSwitchesSinceCheckpoint).",
};

pub const HELD: &str = "held";
pub const SEEN_ONCE: &str = "seen once";
pub const GONE: &str = "expired";
pub const FREE: &str = "unowned";
pub const DONE: &str = "finished";
/// The checkpoint of a shard that was read to its end.
pub const SHARD_END: &str = "SHARD_END";

/// Workers publish a lag for each shard; for more shards than this, asking for all of them each minute is too dear.
const MEASURED_LEASES_MAX: usize = 32;

const fn metric(field: &'static Field, name: &'static str) -> Metric {
    Metric {
        field,
        namespace: "AWS/DynamoDB",
        name,
        statistic: "Sum",
        dimension: "TableName",
        scale: 1.0,
        near_only: false,
    }
}

pub const KIND: Kind = Kind {
    id: KindId::Kcl,
    title: "KCL applications",
    columns: &[
        &LAG_MS,
        &LEASES,
        &WORKERS,
        &IDLE,
        &EXPIRED,
        &UNOWNED,
        &RENEWALS_PER_MIN,
        &WRITE_THROTTLED_PER_MIN,
        &READ_THROTTLED_PER_MIN,
        &STREAM,
        &CAPACITY,
    ],
    detail: &[
        &LAG_MS,
        &LEASES,
        &WORKERS,
        &IDLE,
        &EXPIRED,
        &UNOWNED,
        &FINISHED,
        &RENEWALS_PER_MIN,
        &WRITE_THROTTLED_PER_MIN,
        &READ_THROTTLED_PER_MIN,
        &CAPACITY,
        &STATUS,
        &LOOK_UNITS,
        &STREAM,
        &ARN,
    ],
    charts: &[&RENEWALS_PER_MIN, &WRITE_THROTTLED_PER_MIN, &READ_THROTTLED_PER_MIN],
    parts_title: "leases",
    part_columns: &[
        &LEASE_STATE,
        &LEASE_LAG_MS,
        &PROBED_LAG_MS,
        &PROBED_AT,
        &UNRENEWED_S,
        &OWNER,
        &COUNTER,
        &SWITCHES,
        &CHECKPOINT,
    ],
    metrics: &[
        metric(&RENEWALS_PER_MIN, "ConsumedWriteCapacityUnits"),
        metric(&READ_THROTTLED_PER_MIN, "ReadThrottleEvents"),
        metric(&WRITE_THROTTLED_PER_MIN, "WriteThrottleEvents"),
    ],
    part_metrics: &[Metric {
        field: &LEASE_LAG_MS,
        // The library publishes under the application's name.
        namespace: "",
        name: "MillisBehindLatest",
        statistic: "Maximum",
        dimension: "Operation=ProcessTask",
        scale: 1.0,
        near_only: false,
    }],
    part_dimensions: &["ShardId"],
    has_part_metrics: |row| row.parts.iter().filter(|part| is_measured(part)).count() <= MEASURED_LEASES_MAX,
    is_part_measured: is_measured,
    part_link: |_| None,
    address: None,
    inventory_every: INVENTORY_EVERY,
    // A look at the leases is rarer than that: see the poll.
    sweep_every: Some(SWEEP_EVERY),
    direct_usd: 1e-6,
    actions: &[],
    health,
};

/// Of several streams' leases the workers' metrics have a dimension more.
fn is_measured(part: &Part) -> bool {
    part.id.starts_with("shardId-") && !is_finished(part)
}

pub fn is_finished(part: &Part) -> bool {
    part.fields.text(&LEASE_STATE) == Some(DONE)
}

/// How many leases each worker holds that are not known to have expired.
pub fn leases_by_worker(row: &Row) -> BTreeMap<&str, usize> {
    let is_held = |part: &&Part| !matches!(part.fields.text(&LEASE_STATE), Some(GONE | DONE));
    let mut workers = BTreeMap::new();
    for owner in row.parts.iter().filter(is_held).filter_map(|part| part.fields.text(&OWNER)) {
        *workers.entry(owner).or_insert(0) += 1;
    }
    workers
}

/// Its workers in one sentence: how many leases each holds, which live and hold none, or why that is not known.
pub fn workers_told(row: &Row) -> String {
    let holding: Vec<String> =
        leases_by_worker(row).iter().map(|(worker, leases)| format!("{worker} {leases}")).collect();
    let holding = if holding.is_empty() { "none holds a lease".to_owned() } else { holding.join(", ") };
    let idle = match row.fields.text(&IDLE_WORKERS) {
        Some("") => "none is idle".to_owned(),
        Some(idle) => format!("idle: {idle}"),
        None => match row.fields.why_missing(&IDLE) {
            None | Some(NoData::NotYet) => "idle ones are not known yet".to_owned(),
            Some(NoData::Denied) => "idle ones are not known: these credentials may not ask".to_owned(),
            Some(_) => "idle ones are not known: no worker reports or publishes how many leases it holds".to_owned(),
        },
    };
    format!("{holding}; {idle}")
}

/// A lease key of an application that reads several streams: account, stream, creation, shard.
pub fn stream_of_key(key: &str) -> Option<(&str, &str)> {
    let mut words = key.split(':');
    let (account, stream, _, shard) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (is_account && words.next().is_none() && !stream.is_empty()).then_some((stream, shard))
}

/// Which streams the applications read, where that is certain.
pub fn links(rows: &BTreeMap<ResourceId, Row>) -> Vec<(ResourceId, Link)> {
    let applications = rows.values().filter(|row| row.id.kind == KindId::Kcl && !row.parts.is_empty());
    let of_one = |row: &Row| {
        let named = row.parts.iter().filter_map(|part| stream_of_key(&part.id)).map(|(stream, _)| stream);
        let named: BTreeSet<&str> = named.collect();
        let at_place = |name: &str| ResourceId::new(KindId::Kinesis, name).at(&row.id.place);
        let streams: Vec<ResourceId> = match named.is_empty() {
            false => named.into_iter().map(at_place).filter(|id| rows.contains_key(id)).collect(),
            true => only_stream(rows, row).into_iter().collect(),
        };
        let link = |to| (row.id.clone(), Link { to, relation: Relation::Reads });
        streams.into_iter().map(link).collect::<Vec<_>>()
    };
    applications.flat_map(of_one).collect()
}

/// Shard ids are the same in every stream: only a stream that has all of them, and is named by the application or has no
/// rival, is certain.
fn only_stream(rows: &BTreeMap<ResourceId, Row>, application: &Row) -> Option<ResourceId> {
    let is_near = |row: &&Row| row.id.kind == KindId::Kinesis && row.id.place == application.id.place;
    let streams: Vec<&Row> = rows.values().filter(is_near).collect();
    let has_all = |stream: &&&Row| {
        let has = |lease: &Part| stream.parts.iter().any(|shard| shard.id == lease.id);
        application.parts.iter().filter(|lease| !is_finished(lease)).all(has)
    };
    let is_named = |stream: &&&Row| streams.len() == 1 || application.id.name.contains(&stream.id.name);
    let mut fitting = streams.iter().filter(is_named).filter(has_all);
    let only = fitting.next()?;
    fitting.next().is_none().then(|| only.id.clone())
}

const LAG_WARN_MS: f64 = 60_000.0;
const LAG_CRIT_MS: f64 = 300_000.0;

/// Whether, and since when, no worker lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Silence {
    /// Somebody renews, or nothing is known.
    No,
    /// It lived within the last hour.
    Stopped,
    /// For longer than there are numbers: such a table may be of an application that is gone.
    Old,
}

/// Whether nobody renews any lease, by two looks or by the table's writes.
pub fn silence(row: &Row, series: &SeriesOf<'_>) -> Silence {
    let number = |field| row.fields.number(field).unwrap_or(0.0);
    let owned = number(&LEASES) - number(&UNOWNED);
    if owned <= 0.0 {
        return Silence::No;
    }
    let has_lived = series.get(&RENEWALS_PER_MIN).is_some_and(|series| series.last().is_some());
    let writes_nothing = row.fields.why_missing(&RENEWALS_PER_MIN) == Some(NoData::NoDatapoints);
    match row.fields.number(&EXPIRED) {
        Some(expired) if expired >= owned => {
            if writes_nothing && !has_lived {
                Silence::Old
            } else {
                Silence::Stopped
            }
        }
        // Two looks have seen a living one.
        Some(_) if !writes_nothing => Silence::No,
        _ if writes_nothing && has_lived => Silence::Stopped,
        _ => Silence::No,
    }
}

/// The numbers that may make it unwell; without any of them nothing can be said.
const JUDGED_BY: [&Field; 4] = [&EXPIRED, &UNOWNED, &LAG_MS, &RENEWALS_PER_MIN];

fn health(row: &Row, series: &SeriesOf<'_>) -> Verdict {
    let mut verdict = Verdict::ok();
    if row.fields.is_empty() {
        return Verdict::unknown("not looked at yet");
    }
    verdict.judge_by(row, &JUDGED_BY, "its leases are not known");
    match silence(row, series) {
        Silence::Stopped => verdict.add(&EXPIRED, Health::Crit, "no worker renews its leases: it has stopped"),
        Silence::Old => {
            verdict.add(
                &EXPIRED,
                Health::Unknown,
                "no worker has renewed its leases for an hour: it has stopped, or is gone",
            );
        }
        Silence::No => {
            if let Some(expired) = row.fields.number(&EXPIRED).filter(|n| *n > 0.0) {
                verdict.add(&EXPIRED, Health::Warn, format!("{} not renewed", counted_that(expired, "lease", "be")));
            }
        }
    }
    if let Some(unowned) = row.fields.number(&UNOWNED).filter(|n| *n > 0.0) {
        verdict.add(&UNOWNED, Health::Warn, format!("{} no owner", counted_that(unowned, "lease", "have")));
    }
    if let Some(lag_ms) = row.fields.number(&LAG_MS).filter(|ms| *ms >= LAG_WARN_MS) {
        let health = if lag_ms >= LAG_CRIT_MS { Health::Crit } else { Health::Warn };
        verdict.add(&LAG_MS, health, format!("it is {} behind", short_duration_ms(lag_ms)));
    }
    for (field, word) in [(&WRITE_THROTTLED_PER_MIN, "write"), (&READ_THROTTLED_PER_MIN, "read")] {
        let refused = series.sum(field, "", 5);
        if refused > 0.0 {
            let refused = counted(refused, word);
            verdict.add(field, Health::Warn, format!("{refused} of its lease table refused in 5 minutes"));
        }
    }
    if let Some(status) = row.fields.text(&STATUS).filter(|status| *status == "DELETING") {
        verdict.add(&STATUS, Health::Warn, format!("the status of its lease table is {status}"));
    }
    verdict
}

#[cfg(test)]
mod tests;
