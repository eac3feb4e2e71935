//! CreateTable: what a table may be made of.

use super::capacity::{Billing, Capacity};
use super::metrics::Meters;
use super::table::{Index, KeySchema, KeyType, Projection, Status, Table};
use super::{Due, DynamoDb, fault};
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use std::collections::BTreeMap;
use std::time::Duration;

/// CREATING lasts so long, and longer with global indexes.
const CREATION: Duration = Duration::from_secs(5);
const CREATION_WITH_INDEXES: Duration = Duration::from_secs(9);
const GLOBAL_INDEXES_MAX: usize = 20;
const LOCAL_INDEXES_MAX: usize = 5;
/// Read and write units a second that a new on-demand table takes at once.
pub const WARM: (u64, u64) = (12_000, 4_000);
const UNITS_MAX: u64 = 1_000_000_000_000;

/// A table to be made.
#[derive(Clone, Debug)]
pub struct TableSpec {
    pub name: String,
    pub attributes: Vec<(String, KeyType)>,
    pub keys: KeySchema,
    pub indexes: Vec<IndexSpec>,
    pub billing: Billing,
    /// Read and write units a second.
    pub throughput: Option<(u64, u64)>,
    pub tags: BTreeMap<String, String>,
    pub is_protected: bool,
    pub class: Option<String>,
    /// The ARN of the key that encrypts it; without one it is a key of DynamoDB's own.
    pub encryption: Option<String>,
    /// Read and write units a second that it takes at once.
    pub warm: Option<(u64, u64)>,
}

#[derive(Clone, Debug)]
pub struct IndexSpec {
    pub name: String,
    pub is_global: bool,
    pub keys: KeySchema,
    pub projection: Projection,
    pub throughput: Option<(u64, u64)>,
    /// Of a global index, as of its table.
    pub warm: Option<(u64, u64)>,
}

impl TableSpec {
    /// A table billed by request whose key is one text.
    pub fn on_demand(name: &str, hash: &str) -> Self {
        Self {
            name: name.to_owned(),
            attributes: vec![(hash.to_owned(), KeyType::S)],
            keys: KeySchema { hash: hash.to_owned(), range: None },
            indexes: Vec::new(),
            billing: Billing::PayPerRequest,
            throughput: None,
            tags: BTreeMap::new(),
            is_protected: false,
            class: None,
            encryption: None,
            warm: None,
        }
    }

    /// The same with provisioned throughput.
    pub fn provisioned(mut self, reads: u64, writes: u64) -> Self {
        self.billing = Billing::Provisioned;
        self.throughput = Some((reads, writes));
        self
    }

    fn check(&self) -> Result<(), ApiError> {
        check_throughput(self.billing, self.throughput)?;
        if self.keys.names().count() > self.attributes.len() {
            return Err(fault::validation("Invalid KeySchema: Some index key attribute have no definition"));
        }
        check_keys(&self.keys, &self.attributes)?;
        let used = |name: &String| {
            self.keys.names().chain(self.indexes.iter().flat_map(|i| i.keys.names())).any(|k| k == name)
        };
        let spare: Vec<&str> =
            self.attributes.iter().filter(|(name, _)| !used(name)).map(|(n, _)| n.as_str()).collect();
        if !spare.is_empty() && self.indexes.is_empty() {
            return Err(fault::invalid(
                "Number of attributes in KeySchema does not exactly match number of attributes defined in \
                 AttributeDefinitions",
            ));
        }
        check_warm(self.billing, self.warm, "table")?;
        for (at, index) in self.indexes.iter().enumerate() {
            self.check_index(index)?;
            check_warm(self.billing, index.warm, &format!("index {}", index.name))?;
            if self.indexes[..at].iter().any(|other| other.name == index.name) {
                return Err(fault::invalid(format!("Duplicate index name: {}", index.name)));
            }
        }
        if !spare.is_empty() {
            let list = |names: Vec<&str>| in_sets_order(names).join(", ");
            let keys: Vec<&str> =
                self.keys.names().chain(self.indexes.iter().flat_map(|i| i.keys.names())).map(String::as_str).collect();
            let all: Vec<&str> = self.attributes.iter().map(|(name, _)| name.as_str()).collect();
            return Err(fault::invalid(format!(
                "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
                list(all),
                list(keys)
            )));
        }
        let (global, local): (Vec<_>, Vec<_>) = self.indexes.iter().partition(|index| index.is_global);
        if global.len() > GLOBAL_INDEXES_MAX {
            return Err(fault::invalid("GlobalSecondaryIndex count exceeds the per-table limit of 20"));
        }
        if local.len() > LOCAL_INDEXES_MAX {
            return Err(fault::invalid("Number of LocalSecondaryIndexes exceeds per-table limit of 5"));
        }
        Ok(())
    }

    fn check_index(&self, index: &IndexSpec) -> Result<(), ApiError> {
        if !index.is_global && self.keys.range.is_none() {
            return Err(fault::invalid(
                "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
            ));
        }
        check_keys(&index.keys, &self.attributes)?;
        let name = &index.name;
        if index.is_global {
            return match (self.billing, index.throughput) {
                (Billing::PayPerRequest, Some(_)) => Err(fault::invalid(format!(
                    "ProvisionedThroughput should not be specified for index: {name} when BillingMode is \
                     PAY_PER_REQUEST"
                ))),
                (Billing::Provisioned, None) => {
                    Err(fault::invalid(format!("ProvisionedThroughput must be specified for index: {name}")))
                }
                _ => Ok(()),
            };
        }
        if index.keys.range.is_none() {
            return Err(fault::invalid(format!("Index KeySchema does not have a range key for index: {name}")));
        }
        if index.keys.hash != self.keys.hash {
            return Err(fault::invalid(format!(
                "Index KeySchema does not have the same leading hash key as table KeySchema for index: {name}. index \
                 hash key: {}, table hash key: {}",
                index.keys.hash, self.keys.hash
            )));
        }
        Ok(())
    }
}

/// A table or index is never less warm than a new on-demand one. Errors: `ValidationException`.
pub(super) fn check_warm(billing: Billing, warm: Option<(u64, u64)>, of: &str) -> Result<(), ApiError> {
    let (Billing::PayPerRequest, Some((reads, writes))) = (billing, warm) else { return Ok(()) };
    let short = match (reads < WARM.0, writes < WARM.1) {
        (true, _) => "ReadUnitsPerSecond",
        (_, true) => "WriteUnitsPerSecond",
        _ => return Ok(()),
    };
    Err(fault::invalid(format!(
        "Requested {short} for WarmThroughput for {of} is lower than initial throughput for OnDemand"
    )))
}

/// Errors: `ValidationException`.
pub(super) fn check_throughput(billing: Billing, throughput: Option<(u64, u64)>) -> Result<(), ApiError> {
    match (billing, throughput) {
        (Billing::PayPerRequest, Some(_)) => Err(fault::invalid(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        )),
        (Billing::Provisioned, None) => Err(fault::invalid(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        )),
        (Billing::Provisioned, Some((reads, _))) if reads > UNITS_MAX => {
            Err(fault::validation(format!("Given value {reads} for ReadCapacityUnits is out of bounds")))
        }
        (Billing::Provisioned, Some((_, writes))) if writes > UNITS_MAX => {
            Err(fault::validation(format!("Given value {writes} for WriteCapacityUnits is out of bounds")))
        }
        _ => Ok(()),
    }
}

/// The order in which AWS lists a set of names: that of a Java hash set.
fn in_sets_order(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names.dedup();
    let buckets = (names.len() * 4).div_ceil(3).max(16).next_power_of_two();
    let bucket = |name: &&str| {
        let hash = name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
        (hash ^ hash >> 16) as usize % buckets
    };
    names.sort_by_key(bucket);
    names
}

/// Errors: `ValidationException`.
pub(super) fn check_keys(keys: &KeySchema, attributes: &[(String, KeyType)]) -> Result<(), ApiError> {
    let is_defined = |name: &String| attributes.iter().any(|(defined, _)| defined == name);
    if !keys.names().all(is_defined) {
        let names: Vec<&str> = keys.names().map(String::as_str).collect();
        let defined: Vec<&str> = attributes.iter().map(|(name, _)| name.as_str()).collect();
        return Err(fault::invalid(format!(
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
            names.join(", "),
            in_sets_order(defined).join(", ")
        )));
    }
    if keys.range.as_ref() == Some(&keys.hash) {
        return Err(fault::validation(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ));
    }
    Ok(())
}

impl DynamoDb {
    /// Begins to make a table: CREATING, then ACTIVE after some seconds.
    ///
    /// Errors: `ValidationException`, `ResourceInUseException` when there is a table of that name.
    pub fn create_table(&mut self, cx: &mut Cx<'_>, spec: TableSpec) -> Result<&Table, ApiError> {
        spec.check()?;
        if self.tables.contains_key(&spec.name) {
            return Err(fault::in_use(format!("Table already exists: {}", spec.name)));
        }
        let (now, billing) = (cx.now, spec.billing);
        let has_global = spec.indexes.iter().any(|index| index.is_global);
        let takes = cx.settling(if has_global { CREATION_WITH_INDEXES } else { CREATION });
        let capacity = |throughput: Option<(u64, u64)>| {
            let (reads, writes) = throughput.unwrap_or_default();
            Capacity::new(billing, reads, writes, now)
        };
        let indexes = spec.indexes.into_iter().map(|index| Index {
            name: index.name,
            is_global: index.is_global,
            keys: index.keys,
            projection: index.projection,
            status: Status::Creating,
            is_backfilling: false,
            capacity: capacity(index.throughput),
            warm: index.warm,
        });
        let table = Table {
            id: cx.uuid(),
            created: now,
            status: Status::Creating,
            settles_at: Some(now + takes),
            attributes: spec.attributes,
            keys: spec.keys,
            indexes: indexes.collect(),
            billing,
            to_pay_per_request_at: (billing == Billing::PayPerRequest).then_some(now),
            capacity: capacity(spec.throughput),
            items: BTreeMap::new(),
            bytes: 0,
            tags: spec.tags,
            is_protected: spec.is_protected,
            class: spec.class,
            encryption: spec.encryption,
            warm: spec.warm,
            time_to_live: None,
            choked: 0.0,
            meters: Meters::default(),
            name: spec.name.clone(),
        };
        cx.schedule(now + takes, Due::TableChange { table: spec.name.clone() }.into());
        self.schedule_gauges(cx);
        self.tables.insert(spec.name.clone(), table);
        self.settle(cx, &spec.name);
        self.describe(&spec.name)
    }

    /// A table that is there from the beginning of a scenario. Errors: as [`DynamoDb::create_table`].
    pub fn add_active_table(&mut self, cx: &mut Cx<'_>, spec: TableSpec) -> Result<(), ApiError> {
        let name = self.create_table(cx, spec)?.name.clone();
        if let Some(table) = self.tables.get_mut(&name) {
            table.settles_at = Some(cx.now);
        }
        self.settle(cx, &name);
        Ok(())
    }
}
