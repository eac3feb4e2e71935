//! Tables' later life: updates, deletion, tags, and what falls due.

use super::capacity::{Billing, Capacity};
use super::create::{check_keys, check_throughput, check_warm};
use super::metrics::Metric;
use super::table::{Index, KeyType, Status, Table};
use super::{Due, DynamoDb, IndexSpec, fault};
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use std::collections::BTreeMap;
use std::time::Duration;

const UPDATE: Duration = Duration::from_secs(10);
/// A new index is filled from the table's items.
const BACKFILL: Duration = Duration::from_secs(45);
const DELETION: Duration = Duration::from_secs(4);
/// How often provisioned capacity is published.
const GAUGES: Duration = Duration::from_secs(300);
const TAGS_MAX: usize = 50;

/// UpdateTable's wishes.
#[derive(Clone, Debug, Default)]
pub struct TableUpdate {
    pub billing: Option<Billing>,
    pub throughput: Option<(u64, u64)>,
    pub attributes: Vec<(String, KeyType)>,
    pub index: Option<IndexUpdate>,
    pub is_protected: Option<bool>,
    pub class: Option<String>,
    /// A key's ARN encrypts; an empty one is DynamoDB's own key again.
    pub encryption: Option<String>,
    pub warm: Option<(u64, u64)>,
}

#[derive(Clone, Debug)]
pub enum IndexUpdate {
    Create(IndexSpec),
    Update { name: String, throughput: (u64, u64) },
    Delete { name: String },
}

impl DynamoDb {
    /// Names of all tables, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    /// DescribeTable. Errors: `ResourceNotFoundException`.
    pub fn describe(&self, name: &str) -> Result<&Table, ApiError> {
        self.tables.get(name).ok_or_else(|| fault::table_not_found(name))
    }

    pub(super) fn described(&mut self, name: &str) -> Result<&mut Table, ApiError> {
        self.tables.get_mut(name).ok_or_else(|| fault::table_not_found(name))
    }

    /// Begins to delete a table.
    ///
    /// Errors: `ResourceNotFoundException`, `ResourceInUseException`, `ValidationException` when it is protected.
    pub fn delete_table(&mut self, cx: &mut Cx<'_>, name: &str) -> Result<&Table, ApiError> {
        let table = self.described(name)?;
        must_be_at_rest(table, true)?;
        if table.is_protected {
            return Err(fault::validation(
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection \
                 first.",
            ));
        }
        begin(table, cx, Status::Deleting, DELETION);
        Ok(table)
    }

    /// Begins to change a table.
    ///
    /// Errors: `ValidationException`, `ResourceNotFoundException`, `ResourceInUseException`.
    pub fn update_table(&mut self, cx: &mut Cx<'_>, name: &str, update: TableUpdate) -> Result<&Table, ApiError> {
        let table = self.described(name)?;
        must_be_at_rest(table, false)?;
        if let Some(is_protected) = update.is_protected {
            table.is_protected = is_protected;
        }
        if update.class.is_some() {
            table.class = update.class.clone();
        }
        if let Some(key) = update.encryption.clone() {
            table.encryption = Some(key).filter(|key| !key.is_empty());
        }
        if update.warm.is_some() {
            check_warm(update.billing.unwrap_or(table.billing), update.warm, "table")?;
            table.warm = update.warm;
        }
        let is_only_setting = update.billing.is_none() && update.throughput.is_none() && update.index.is_none();
        if is_only_setting {
            return self.describe(name);
        }
        change_throughput(table, cx, &update)?;
        for (name, kind) in update.attributes {
            if table.type_of(&name).is_none() {
                table.attributes.push((name, kind));
            }
        }
        let takes = match update.index {
            None => UPDATE,
            Some(index) => change_index(table, cx, index)?,
        };
        begin(table, cx, Status::Updating, takes);
        self.settle(cx, name);
        self.describe(name)
    }

    /// Ends the pending change whose time has come.
    pub(super) fn settle(&mut self, cx: &mut Cx<'_>, name: &str) {
        let Some(table) = self.tables.get_mut(name) else { return };
        if table.settles_at.is_none_or(|at| at > cx.now) {
            return;
        }
        table.settles_at = None;
        if table.status == Status::Deleting {
            self.tables.remove(name);
            return;
        }
        table.status = Status::Active;
        table.indexes.retain(|index| index.status != Status::Deleting);
        for index in &mut table.indexes {
            index.status = Status::Active;
            index.is_backfilling = false;
        }
    }

    /// TagResource. Errors: `ResourceNotFoundException`, `ValidationException`.
    pub fn tag(&mut self, arn: &str, table: &str, tags: BTreeMap<String, String>) -> Result<(), ApiError> {
        let table = self.tables.get_mut(table).ok_or_else(|| fault::tagged_not_found(arn))?;
        let more = tags.keys().filter(|key| !table.tags.contains_key(*key)).count();
        if table.tags.len() + more > TAGS_MAX {
            return Err(ApiError::client("LimitExceededException", "Too many tags: the limit is 50 for a resource"));
        }
        table.tags.extend(tags);
        Ok(())
    }

    /// UntagResource. Errors: `ResourceNotFoundException`.
    pub fn untag(&mut self, arn: &str, table: &str, keys: &[&str]) -> Result<(), ApiError> {
        let table = self.tables.get_mut(table).ok_or_else(|| fault::tagged_not_found(arn))?;
        table.tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    }

    /// ListTagsOfResource. Errors: `ResourceNotFoundException`.
    pub fn tags(&self, arn: &str, table: &str) -> Result<&BTreeMap<String, String>, ApiError> {
        self.tables.get(table).map(|table| &table.tags).ok_or_else(|| fault::tagged_not_found(arn))
    }

    /// Starts the publication of what tables are provisioned with.
    pub(super) fn schedule_gauges(&mut self, cx: &mut Cx<'_>) {
        if !self.gauges_run {
            self.gauges_run = true;
            cx.schedule_in(GAUGES, Due::Gauges.into());
        }
    }

    pub(super) fn publish_gauges(&mut self, cx: &mut Cx<'_>) {
        for table in self.tables.values_mut().filter(|table| table.billing == Billing::Provisioned) {
            let Table { name, meters, capacity, indexes, .. } = table;
            meters.add(cx, name, Metric::ProvisionedRead, None, capacity.reads as f64);
            meters.add(cx, name, Metric::ProvisionedWrite, None, capacity.writes as f64);
            for index in indexes.iter().filter(|index| index.is_global) {
                meters.add(cx, name, Metric::ProvisionedRead, Some(&index.name), index.capacity.reads as f64);
                meters.add(cx, name, Metric::ProvisionedWrite, Some(&index.name), index.capacity.writes as f64);
            }
        }
        self.gauges_run = false;
        if !self.tables.is_empty() {
            self.schedule_gauges(cx);
        }
    }
}

fn begin(table: &mut Table, cx: &mut Cx<'_>, status: Status, takes: Duration) {
    let takes = cx.settling(takes);
    table.status = status;
    table.settles_at = Some(cx.now + takes);
    cx.schedule(cx.now + takes, Due::TableChange { table: table.name.clone() }.into());
}

/// Only one change at a time. Errors: `ResourceInUseException`.
fn must_be_at_rest(table: &Table, is_deletion: bool) -> Result<(), ApiError> {
    let doing = match table.status {
        Status::Active => return Ok(()),
        Status::Creating => "Table is being created",
        Status::Updating if is_deletion => "Table is being updated",
        Status::Updating => "Table is being updated",
        Status::Deleting if is_deletion => "Table is already being deleted",
        Status::Deleting => "Table is being deleted",
    };
    Err(fault::in_use(format!("Attempt to change a resource which is still in use: {doing}: {}", table.name)))
}

fn change_throughput(table: &mut Table, cx: &mut Cx<'_>, update: &TableUpdate) -> Result<(), ApiError> {
    let billing = update.billing.unwrap_or(table.billing);
    if update.billing.is_none() && update.throughput.is_none() {
        return Ok(());
    }
    check_throughput(
        billing,
        update.throughput.or((billing == Billing::Provisioned && table.billing == billing)
            .then_some((table.capacity.reads, table.capacity.writes))),
    )?;
    let (reads, writes) = match (billing, update.throughput) {
        (Billing::PayPerRequest, _) => (0, 0),
        (_, Some(throughput)) => throughput,
        (_, None) => (table.capacity.reads, table.capacity.writes),
    };
    let (old_reads, old_writes) = (table.capacity.reads, table.capacity.writes);
    if billing == table.billing && (reads, writes) == (old_reads, old_writes) && update.index.is_none() {
        return Err(fault::validation(format!(
            "The provisioned throughput for the table will not change. The requested value equals the current value. \
             Current ReadCapacityUnits provisioned for the table: {old_reads}. Requested ReadCapacityUnits: {reads}. \
             Current WriteCapacityUnits provisioned for the table: {old_writes}. Requested WriteCapacityUnits: {writes}. \
             Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
        )));
    }
    if billing == Billing::PayPerRequest && table.billing != billing {
        table.to_pay_per_request_at = Some(cx.now);
        for index in &mut table.indexes {
            index.capacity.change(billing, 0, 0, cx.now);
        }
    }
    table.billing = billing;
    table.capacity.change(billing, reads, writes, cx.now);
    Ok(())
}

/// How long the change takes. Errors: `ValidationException`, `ResourceNotFoundException`.
fn change_index(table: &mut Table, cx: &mut Cx<'_>, update: IndexUpdate) -> Result<Duration, ApiError> {
    let missing = |name: &str| {
        let message = format!("Requested resource not found: Index: {name} not found for table: {}", table.name);
        ApiError::client("ResourceNotFoundException", message)
    };
    match update {
        IndexUpdate::Create(spec) => {
            check_keys(&spec.keys, &table.attributes)?;
            if table.index(&spec.name).is_some() {
                return Err(fault::validation(format!(
                    "Attempting to create an index which already exists in the table. Index name: {}",
                    spec.name
                )));
            }
            let (reads, writes) = spec.throughput.unwrap_or_default();
            let capacity = Capacity::new(table.billing, reads, writes, cx.now);
            table.indexes.push(Index {
                name: spec.name,
                is_global: true,
                keys: spec.keys,
                projection: spec.projection,
                status: Status::Creating,
                is_backfilling: true,
                capacity,
                warm: spec.warm,
            });
            Ok(BACKFILL)
        }
        IndexUpdate::Update { name, throughput: (reads, writes) } => {
            let billing = table.billing;
            let error = missing(&name);
            let index = table.indexes.iter_mut().find(|index| index.name == name).ok_or(error)?;
            index.capacity.change(billing, reads, writes, cx.now);
            index.status = Status::Updating;
            Ok(UPDATE)
        }
        IndexUpdate::Delete { name } => {
            let error = missing(&name);
            let index = table.indexes.iter_mut().find(|index| index.name == name).ok_or(error)?;
            index.status = Status::Deleting;
            Ok(UPDATE)
        }
    }
}
