//! What a worker of version 3 tells of itself: twice a minute it writes how busy its processor was into the application's
//! table of workers, whether it holds a lease or not.
//! Sources: Kinesis "DynamoDB metadata tables and load balancing in KCL"; the library's `WorkerMetricStats`, whose names
//! of attributes these are.

use super::metrics::{Metric, Of};
use super::{BACK_OFF, Fleet};
use crate::domain::time::Timestamp;
use crate::sim::dynamodb::{Action, Change, Item, Number, Operand, Path, Search, Status, TableSpec, Value};
use crate::sim::faults::api;
use crate::sim::wire::Service;
use crate::sim::world::World;
use std::collections::VecDeque;
use std::time::Duration;

/// `workerMetricsReporterFreqInMillis`
const EVERY: Duration = Duration::from_secs(30);
/// `noOfPersistedMetricsPerWorkerMetrics`
const KEPT: usize = 10;
/// A worker that has not reported for two reports counts no more.
const EXPIRES: Duration = Duration::from_secs(60);
/// `maxUtilization` of the processor, a percentage.
const CPU_MAX: u64 = 100;

/// The table's partition key: the worker's id, as it stands in `leaseOwner`.
const WORKER: &str = "wid";
/// Seconds since the Unix epoch.
const UPDATED: &str = "lut";
const STATS: &str = "sts";
const RANGE: &str = "opr";
/// The processor's short name among the stats.
const CPU: &str = "C";

/// A worker's reports.
#[derive(Debug, Default)]
pub struct Reports {
    pub next_at: Timestamp,
    /// What processors have worked since the last report.
    pub busy: Duration,
    /// How busy it was between reports, in percent; the newest last.
    percents: VecDeque<f64>,
}

impl Reports {
    fn close(&mut self) {
        let busy = std::mem::take(&mut self.busy);
        self.percents.push_back((busy.as_secs_f64() / EVERY.as_secs_f64() * 100.0).min(100.0));
        if self.percents.len() > KEPT {
            self.percents.pop_front();
        }
    }

    /// The library writes six digits after the point.
    fn stats(&self) -> Value {
        let number = |percent: &f64| Number::parse(&format!("{percent:.6}")).unwrap_or(Number::ZERO);
        let percents = self.percents.iter().map(|percent| Value::N(number(percent))).collect();
        Value::M(Item::from([(CPU.to_owned(), Value::L(percents))]))
    }
}

fn table_of(application: &str) -> String {
    format!("{application}-WorkerMetricStats")
}

impl Fleet {
    /// One worker's report; the first one makes the table.
    pub(super) fn report(&mut self, world: &mut World, at: usize) {
        let (now, table) = (world.now, table_of(&self.name));
        let is_there = self.has_reports_table(world, &table);
        let worker = &mut self.workers[at];
        let Some(reports) = &mut worker.reports else { return };
        if !is_there {
            reports.next_at = now + BACK_OFF;
            return;
        }
        reports.next_at = now + EVERY;
        reports.close();
        let set = |name: &str, value: Value| Action::Set(Path::of(name), Operand::Value(value));
        let range = Value::M(Item::from([(CPU.to_owned(), Value::L(vec![Value::number(CPU_MAX)]))]));
        let updated = Value::number(u64::try_from(now.millis() / 1000).unwrap_or(0));
        let actions = vec![set(UPDATED, updated), set(STATS, reports.stats()), set(RANGE, range)];
        let key = Item::from([(WORKER.to_owned(), Value::text(&worker.id))]);
        let is_done = api::admit(world, &self.name, Service::DynamoDb, "UpdateItem", &table).is_ok() && {
            let (dynamodb, mut cx) = world.dynamodb_cx();
            dynamodb.write(&mut cx, &table, &Change::Update { key, actions }, None, "UpdateItem").is_ok()
        };
        self.meter(world, Metric::ReportSuccess, Of::Worker(at), f64::from(u8::from(is_done)));
    }

    fn has_reports_table(&self, world: &mut World, table: &str) -> bool {
        if let Some(status) = world.dynamodb.table(table).map(|table| table.status) {
            return matches!(status, Status::Active | Status::Updating);
        }
        if api::admit(world, &self.name, Service::DynamoDb, "CreateTable", table).is_ok() {
            let (dynamodb, mut cx) = world.dynamodb_cx();
            // A name that is too long for a table leaves the workers without reports.
            let _ = dynamodb.create_table(&mut cx, TableSpec::on_demand(table, WORKER));
        }
        false
    }

    /// The leader, here the first that lives, counts the workers by their reports.
    pub(super) fn tell_as_leader(&mut self, world: &mut World, at: usize, leases: usize) {
        let now = world.now;
        if self.workers.iter().position(|worker| worker.is_up(now)) != Some(at) {
            return;
        }
        let workers = self.reporting(world);
        self.meter(world, Metric::AssignedLeases, Of::Application, leases as f64);
        if let Some(workers) = workers {
            self.meter(world, Metric::AssignedWorkers, Of::Application, workers as f64);
        }
    }

    /// How many workers have reported lately; `None` while the table does not answer.
    fn reporting(&self, world: &mut World) -> Option<usize> {
        let table = table_of(&self.name);
        api::admit(world, &self.name, Service::DynamoDb, "Scan", &table).ok()?;
        let (dynamodb, mut cx) = world.dynamodb_cx();
        let since = ((cx.now - EXPIRES).millis() / 1000).max(0);
        let found = dynamodb.find(&mut cx, &Search { table, ..Search::default() }).ok()?;
        let is_recent = |item: &&Item| {
            let updated = item.get(UPDATED).and_then(Value::as_number).and_then(|number| number.to_i64());
            updated.is_some_and(|updated| updated >= since)
        };
        Some(found.items.iter().filter(is_recent).count())
    }
}
