//! Capacity: what requests consume, and the buckets that it comes from.
//! Sources: DynamoDB "Provisioned capacity mode", "Burst capacity", "On-demand capacity mode".

use super::fault::{self, Exhausted};
use super::metrics::Metric;
use super::table::{Index, Table};
use super::value::{Item, item_size};
use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::rate::TokenBucket;
use rand::RngExt;
use std::collections::BTreeMap;

/// Unused capacity of so many seconds is kept for bursts.
const BURST_S: f64 = 300.0;
/// What a new on-demand table takes a second, before it has grown.
const ON_DEMAND_READS: f64 = 12_000.0;
const ON_DEMAND_WRITES: f64 = 4_000.0;
const READ_UNIT: usize = 4096;
const WRITE_UNIT: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billing {
    Provisioned,
    PayPerRequest,
}

impl Billing {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provisioned => "PROVISIONED",
            Self::PayPerRequest => "PAY_PER_REQUEST",
        }
    }
}

/// A table's or a global index's throughput, in units a second; zero when billed by request.
pub struct Capacity {
    pub reads: u64,
    pub writes: u64,
    pub last_increase: Option<Timestamp>,
    pub last_decrease: Option<Timestamp>,
    pub decreases_today: u32,
    read_bucket: TokenBucket,
    write_bucket: TokenBucket,
}

impl Capacity {
    pub fn new(billing: Billing, reads: u64, writes: u64, now: Timestamp) -> Self {
        let bucket = |provisioned: u64, on_demand: f64| match billing {
            Billing::PayPerRequest => TokenBucket::new(on_demand, on_demand, now),
            Billing::Provisioned => {
                let per_second = provisioned.max(1) as f64;
                let mut bucket = TokenBucket::new(per_second, per_second * BURST_S, now);
                // Only what was not used is saved, and nothing was left unused yet.
                bucket.take_into_debt(per_second * (BURST_S - 1.0), now);
                bucket
            }
        };
        Self {
            reads,
            writes,
            last_increase: None,
            last_decrease: None,
            decreases_today: 0,
            read_bucket: bucket(reads, ON_DEMAND_READS),
            write_bucket: bucket(writes, ON_DEMAND_WRITES),
        }
    }

    /// New throughput from now on. A day's decreases are counted by UTC days.
    pub fn change(&mut self, billing: Billing, reads: u64, writes: u64, now: Timestamp) {
        let rises = reads > self.reads || writes > self.writes;
        let falls = reads < self.reads || writes < self.writes;
        let fresh = Self::new(billing, reads, writes, now);
        let same_day = self.last_decrease.is_some_and(|at| at.floor_to(86_400) == now.floor_to(86_400));
        let before = if same_day { self.decreases_today } else { 0 };
        *self = Self {
            last_increase: if rises { Some(now) } else { self.last_increase },
            last_decrease: if falls { Some(now) } else { self.last_decrease },
            decreases_today: before + u32::from(falls),
            ..fresh
        };
    }

    fn bucket(&mut self, kind: Kind) -> &mut TokenBucket {
        match kind {
            Kind::Read => &mut self.read_bucket,
            Kind::Write => &mut self.write_bucket,
        }
    }

    /// Whether there is something left. A request that is larger than what is left goes into debt, for its size is
    /// known only when it has been done.
    fn has_any(&mut self, kind: Kind, units: f64, now: Timestamp) -> bool {
        units <= 0.0 || self.bucket(kind).available(now) >= units.min(1.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
}

/// What a request consumed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consumed {
    pub table: f64,
    /// By index name.
    pub global: BTreeMap<String, f64>,
    pub local: BTreeMap<String, f64>,
}

impl Consumed {
    pub fn total(&self) -> f64 {
        self.table + self.global.values().sum::<f64>() + self.local.values().sum::<f64>()
    }

    pub fn add(&mut self, other: &Self) {
        self.table += other.table;
        for (mine, theirs) in [(&mut self.global, &other.global), (&mut self.local, &other.local)] {
            for (name, units) in theirs {
                *mine.entry(name.clone()).or_default() += units;
            }
        }
    }

    pub fn doubled(mut self) -> Self {
        self.add(&self.clone());
        self
    }
}

/// Units of reading so many bytes.
pub fn read_units(bytes: usize, is_consistent: bool) -> f64 {
    let units = bytes.div_ceil(READ_UNIT).max(1) as f64;
    if is_consistent { units } else { units / 2.0 }
}

fn write_units(bytes: usize) -> f64 {
    bytes.div_ceil(WRITE_UNIT).max(1) as f64
}

/// Units of changing an item, with those of every index that sees a difference.
pub fn units_of_change(table: &Table, old: Option<&Item>, new: Option<&Item>) -> Consumed {
    let size = |item: Option<&Item>| item.map_or(0, item_size);
    let mut consumed = Consumed { table: write_units(size(old).max(size(new))), ..Consumed::default() };
    for index in &table.indexes {
        let before = old.and_then(|item| table.projected(index, item));
        let after = new.and_then(|item| table.projected(index, item));
        if before == after {
            continue;
        }
        let by_key = |item: &Option<Item>| item.as_ref().map(|item| table.key_attributes(Some(index), item));
        let units = match (&before, &after) {
            // A changed key is one deletion and one insertion.
            (Some(was), Some(is)) if by_key(&before) != by_key(&after) => {
                write_units(item_size(was)) + write_units(item_size(is))
            }
            _ => write_units(size(before.as_ref()).max(size(after.as_ref()))),
        };
        let indexes = if index.is_global { &mut consumed.global } else { &mut consumed.local };
        indexes.insert(index.name.clone(), units);
    }
    consumed
}

impl Table {
    /// Takes what a request consumes from the buckets of the table and its indexes, or throttles it.
    ///
    /// Errors: `ProvisionedThroughputExceededException`, or `ThrottlingException` of an on-demand table.
    pub(super) fn admit(
        &mut self,
        cx: &mut Cx<'_>,
        operation: &'static str,
        kind: Kind,
        consumed: &Consumed,
    ) -> Result<(), ApiError> {
        let is_choked = self.choked > 0.0 && cx.rng.random_bool(self.choked.min(1.0));
        let of_table = consumed.table + consumed.local.values().sum::<f64>();
        if is_choked || (cx.place.limits && !self.capacity.has_any(kind, of_table, cx.now)) {
            return Err(self.throttled(cx, operation, kind, None));
        }
        let short = self.indexes.iter_mut().position(|index| {
            let units = consumed.global.get(&index.name).copied().unwrap_or(0.0);
            cx.place.limits && index.is_global && !index.capacity.has_any(kind, units, cx.now)
        });
        if let Some(short) = short {
            return Err(self.throttled(cx, operation, kind, Some(short)));
        }
        self.capacity.bucket(kind).take_into_debt(of_table, cx.now);
        for index in self.indexes.iter_mut().filter(|index| index.is_global) {
            let units = consumed.global.get(&index.name).copied().unwrap_or(0.0);
            index.capacity.bucket(kind).take_into_debt(units, cx.now);
        }
        self.publish_consumed(cx, kind, consumed);
        Ok(())
    }

    fn publish_consumed(&mut self, cx: &mut Cx<'_>, kind: Kind, consumed: &Consumed) {
        let metric = match kind {
            Kind::Read => Metric::ConsumedRead,
            Kind::Write => Metric::ConsumedWrite,
        };
        let of_table = consumed.table + consumed.local.values().sum::<f64>();
        if of_table > 0.0 {
            self.meters.add(cx, &self.name, metric, None, of_table);
        }
        for (index, units) in &consumed.global {
            self.meters.add(cx, &self.name, metric, Some(index), *units);
        }
    }

    fn throttled(&mut self, cx: &mut Cx<'_>, operation: &'static str, kind: Kind, index: Option<usize>) -> ApiError {
        let index: Option<&Index> = index.and_then(|at| self.indexes.get(at));
        let name = index.map(|index| index.name.clone());
        let (metric, word) = match kind {
            Kind::Read => (Metric::ReadThrottleEvents, "Read"),
            Kind::Write => (Metric::WriteThrottleEvents, "Write"),
        };
        self.meters.add(cx, &self.name, metric, name.as_deref(), 1.0);
        self.meters.add_of_operation(cx, &self.name, Metric::ThrottledRequests, operation, 1.0);
        let arn = self.arn(cx.place);
        let resource = name.as_ref().map_or_else(|| arn.clone(), |name| format!("{arn}/index/{name}"));
        let of = if name.is_some() { Exhausted::Index } else { Exhausted::Table };
        let prefix = if name.is_some() { "Index" } else { "Table" };
        match self.billing {
            Billing::Provisioned => {
                fault::throughput_exceeded(of, &format!("{prefix}{word}ProvisionedThroughputExceeded"), &resource)
            }
            Billing::PayPerRequest => {
                fault::on_demand_exceeded(&format!("{prefix}{word}MaxOnDemandThroughputExceeded"), &resource)
            }
        }
    }
}
