//! Polls of KCL applications: the lease tables among DynamoDB's tables, known by their key, and the leases in them.

use crate::aws::clients::Clients;
use crate::aws::draft::{Draft, blank};
use crate::aws::errors::{Trouble, trouble};
use crate::aws::kcl_workers::{self, Report};
use crate::aws::lease_tables::{Capacity, Renewal};
use crate::aws::operations::{DESCRIBE_TABLE, LIST_TABLES, READ_UNIT_USD, SCAN};
use crate::domain::field::{Field, Fields};
use crate::domain::finding::ErrorClass;
use crate::domain::poll::{RowUpdate, Target};
use crate::domain::row::{KindId, Part, ResourceId};
use crate::domain::time::Timestamp;
use crate::domain::value::{NoData, Origin, Value};
use crate::kinds::kcl;
use aws_sdk_dynamodb::types::{
    AttributeValue, BillingMode, KeyType, ReturnConsumedCapacity, ScalarAttributeType, TableDescription,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// ListTables gives at most a hundred names a page.
const TABLE_PAGES_MAX: usize = 100;
/// Tables that are described in one inventory to learn what they are; others wait for the next.
const DESCRIBED_MAX: usize = 200;
/// So many refusals are the policy's word on all of them.
const DENIED_MAX: usize = 5;
/// A page is a megabyte: far more leases than any application has.
const SCAN_PAGES_MAX: usize = 8;

/// What a KCL 3 application keeps beside its leases; its key is another, and its name says all.
const OTHER_TABLES: [&str; 2] = ["-CoordinatorState", kcl_workers::TABLE_END];
/// The partition key of a lease table.
pub(super) const LEASE_KEY: &str = "leaseKey";

const DESCRIBED_FIELDS: [&Field; 3] = [&kcl::STATUS, &kcl::CAPACITY, &kcl::ARN];
const LOOK_FIELDS: [&Field; 6] =
    [&kcl::LEASES, &kcl::WORKERS, &kcl::EXPIRED, &kcl::UNOWNED, &kcl::FINISHED, &kcl::LOOK_UNITS];

/// Every lease table by name.
pub async fn inventory(clients: &Clients, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let (mut names, complete) = tables(clients, &mut draft).await;
    if !complete {
        return draft;
    }
    let reporting = names.iter().filter_map(|name| name.strip_suffix(kcl_workers::TABLE_END)).map(str::to_owned);
    clients.lease_tables().listed_reports(reporting.collect());
    names.retain(|name| !OTHER_TABLES.iter().any(|end| name.ends_with(end)));
    let mut denied = 0;
    for name in clients.lease_tables().listed(&names).into_iter().take(DESCRIBED_MAX) {
        let mut update = blank(&ResourceId::new(KindId::Kcl, &name), now);
        match describe(clients, &name).await {
            Ok(table) if note_described(clients, &table, &name, now) => {
                set_described(&mut update.fields, &table, now);
                draft.update(update);
            }
            Ok(_) => {}
            Err(trouble) => {
                denied += usize::from(trouble.class == ErrorClass::Denied);
                let is_end = trouble.of_place || denied >= DENIED_MAX;
                if !trouble.resource_gone {
                    draft.whole(&DESCRIBE_TABLE, trouble);
                }
                if is_end {
                    break;
                }
            }
        }
    }
    let applications = clients.lease_tables().applications();
    let ids = applications.into_iter().map(|name| ResourceId::new(KindId::Kcl, name)).collect();
    draft.inventory(KindId::Kcl, ids);
    draft
}

/// The tables, and whether these are all.
async fn tables(clients: &Clients, draft: &mut Draft) -> (BTreeSet<String>, bool) {
    let mut names = BTreeSet::new();
    let mut after: Option<String> = None;
    for _ in 0..TABLE_PAGES_MAX {
        clients.turn(&LIST_TABLES).await;
        match clients.dynamodb.list_tables().set_exclusive_start_table_name(after).send().await {
            Ok(page) => {
                names.extend(page.table_names.unwrap_or_default());
                after = page.last_evaluated_table_name;
            }
            Err(error) => {
                draft.whole(&LIST_TABLES, trouble(&error, &LIST_TABLES, clients.place()));
                return (names, false);
            }
        }
        if after.is_none() {
            return (names, true);
        }
    }
    (names, false)
}

async fn describe(clients: &Clients, name: &str) -> Result<TableDescription, Trouble> {
    clients.turn(&DESCRIBE_TABLE).await;
    match clients.dynamodb.describe_table().table_name(name).send().await {
        Ok(answer) => Ok(answer.table.unwrap_or_else(|| TableDescription::builder().build())),
        Err(error) => Err(trouble(&error, &DESCRIBE_TABLE, clients.place())),
    }
}

/// Remembers what the table is; `true`: it holds leases.
fn note_described(clients: &Clients, table: &TableDescription, name: &str, now: Timestamp) -> bool {
    let capacity = is_lease_table(table).then(|| Capacity {
        bytes: table.table_size_bytes.unwrap_or(0),
        read_units: provisioned(table).map(|(read, _)| read as f64),
    });
    clients.lease_tables().described(name, capacity, now);
    capacity.is_some()
}

/// A lease table's key is `leaseKey`, a text, and nothing else; so it is of versions 1, 2 and 3.
fn is_lease_table(table: &TableDescription) -> bool {
    let is_key = match table.key_schema() {
        [key] => key.attribute_name == LEASE_KEY && key.key_type == KeyType::Hash,
        _ => false,
    };
    let is_text = |attribute: &aws_sdk_dynamodb::types::AttributeDefinition| {
        attribute.attribute_name == LEASE_KEY && attribute.attribute_type == ScalarAttributeType::S
    };
    is_key && table.attribute_definitions().iter().any(is_text)
}

/// Read and write units a second; `None`: on demand. A table without a billing mode is from before there were modes.
fn provisioned(table: &TableDescription) -> Option<(i64, i64)> {
    let mode = table.billing_mode_summary.as_ref().and_then(|summary| summary.billing_mode.as_ref());
    if mode == Some(&BillingMode::PayPerRequest) {
        return None;
    }
    let units = table.provisioned_throughput.as_ref()?;
    Some((units.read_capacity_units.unwrap_or(0), units.write_capacity_units.unwrap_or(0)))
}

fn set_described(fields: &mut Fields, table: &TableDescription, now: Timestamp) {
    let status = table.table_status.as_ref().map_or("unknown", |status| status.as_str());
    fields.set(&kcl::STATUS, Value::text(status, now));
    fields.set(&kcl::ARN, Value::text(table.table_arn.as_deref().unwrap_or_default(), now));
    let capacity = match provisioned(table) {
        Some((read, write)) => format!("{read} reads/s, {write} writes/s"),
        None => "on demand".to_owned(),
    };
    fields.set(&kcl::CAPACITY, Value::text(capacity, now));
}

/// Description and leases of these applications, where it is time for them.
pub async fn direct(clients: &Clients, targets: &[Target], now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    for target in targets {
        let mut update = blank(&target.id, now);
        let name = &target.id.name;
        if clients.lease_tables().is_to_describe(name, now) {
            match describe(clients, name).await {
                Ok(table) => {
                    note_described(clients, &table, name, now);
                    set_described(&mut update.fields, &table, now);
                }
                Err(trouble) => draft.resource(&DESCRIBE_TABLE, trouble, &mut update, &DESCRIBED_FIELDS),
            }
        }
        if clients.lease_tables().is_to_look(name, target.is_near, now) {
            match scan(clients, name).await {
                Ok((items, units)) => {
                    draft.charge(units * READ_UNIT_USD);
                    tell(clients, &mut update, leases(&items), units, now);
                    let reports = items.iter().filter_map(Report::within_leases).collect();
                    kcl_workers::tell_reports(clients, &mut update, reports, now);
                }
                Err(trouble) => draft.resource(&SCAN, trouble, &mut update, &LOOK_FIELDS),
            }
        }
        if clients.lease_tables().is_to_count(name, target.is_near, now) {
            kcl_workers::count(clients, &mut draft, &mut update, now).await;
        }
        draft.update(update);
    }
    draft
}

/// A row of the table that is a lease. Others may stand there too: version 3.5 and later keep all they know in it.
struct Lease {
    key: String,
    owner: Option<String>,
    counter: i64,
    checkpoint: String,
    switches: Option<f64>,
}

impl Lease {
    fn read(item: &HashMap<String, AttributeValue>) -> Option<Self> {
        let text = |name| item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
        let number = |name| item.get(name).and_then(|value| value.as_n().ok());
        Some(Self {
            key: text(LEASE_KEY)?.to_owned(),
            owner: text("leaseOwner").map(str::to_owned),
            counter: number("leaseCounter")?.parse().ok()?,
            checkpoint: text("checkpoint")?.to_owned(),
            switches: number("ownerSwitchesSinceCheckpoint").and_then(|switches| switches.parse().ok()),
        })
    }

    fn is_finished(&self) -> bool {
        self.checkpoint == kcl::SHARD_END
    }
}

/// By key.
fn leases(items: &[HashMap<String, AttributeValue>]) -> Vec<Lease> {
    let mut leases: Vec<Lease> = items.iter().filter_map(Lease::read).collect();
    leases.sort_by(|a, b| a.key.cmp(&b.key));
    leases
}

/// What stands in a table, and the read units that it took to read.
pub(super) async fn scan(
    clients: &Clients,
    table: &str,
) -> Result<(Vec<HashMap<String, AttributeValue>>, f64), Trouble> {
    let (mut items, mut units) = (Vec::new(), 0.0);
    let mut after = None;
    for _ in 0..SCAN_PAGES_MAX {
        clients.turn(&SCAN).await;
        let request = clients.dynamodb.scan().table_name(table).set_exclusive_start_key(after);
        match request.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await {
            Ok(page) => {
                units += page.consumed_capacity.as_ref().and_then(|taken| taken.capacity_units).unwrap_or(0.0);
                items.extend(page.items.unwrap_or_default());
                after = page.last_evaluated_key.filter(|key| !key.is_empty());
            }
            Err(error) => return Err(trouble(&error, &SCAN, clients.place())),
        }
        if after.is_none() {
            break;
        }
    }
    Ok((items, units))
}

/// Writes a look's leases and their counts into the update.
fn tell(clients: &Clients, update: &mut RowUpdate, leases: Vec<Lease>, units: f64, now: Timestamp) {
    let renewed = leases.iter().filter(|lease| lease.owner.is_some() && !lease.is_finished());
    let held = |lease: &Lease| (lease.counter, lease.owner.clone().unwrap_or_default());
    let counters = renewed.map(|lease| (lease.key.clone(), held(lease))).collect();
    let renewals = clients.lease_tables().looked(&update.id.name, (counters, units), now);
    let count = |number: usize| Value::number(number as f64, now, Origin::Api);
    let finished = leases.iter().filter(|lease| lease.is_finished()).count();
    let unowned = leases.iter().filter(|lease| lease.owner.is_none() && !lease.is_finished()).count();
    let expired = |lease: &&Lease| matches!(renewals.get(&lease.key), Some(Renewal::StandsStill(_)));
    let held = leases.iter().filter(|lease| !lease.is_finished() && !expired(lease));
    let workers: BTreeSet<&str> = held.filter_map(|lease| lease.owner.as_deref()).collect();
    update.fields.set(&kcl::LEASES, count(leases.len() - finished));
    update.fields.set(&kcl::WORKERS, count(workers.len()));
    update.fields.set(&kcl::UNOWNED, count(unowned));
    update.fields.set(&kcl::FINISHED, count(finished));
    update.fields.set(&kcl::LOOK_UNITS, Value::number(units, now, Origin::Api));
    let is_known = renewals.values().all(|renewal| *renewal != Renewal::SeenOnce);
    let expired = match is_known {
        true => count(leases.iter().filter(expired).count()),
        false => Value::missing(NoData::NotYet, now, Origin::Api),
    };
    update.fields.set(&kcl::EXPIRED, expired);
    update.parts = Some(leases.iter().map(|lease| part(lease, &renewals, now)).collect());
}

fn part(lease: &Lease, renewals: &BTreeMap<String, Renewal>, now: Timestamp) -> Part {
    let mut fields = Fields::default();
    let renewal = renewals.get(&lease.key).copied();
    let (state, still) = match renewal {
        Some(Renewal::SeenOnce) => (kcl::SEEN_ONCE, Err(NoData::NotYet)),
        Some(Renewal::Moves(still)) => (kcl::HELD, Ok(still)),
        Some(Renewal::StandsStill(still)) => (kcl::GONE, Ok(still)),
        None if lease.is_finished() => (kcl::DONE, Err(NoData::NotApplicable)),
        None => (kcl::FREE, Err(NoData::NotApplicable)),
    };
    fields.set(&kcl::LEASE_STATE, Value::text(state, now));
    let still = match still {
        Ok(still) => Value::number(still.as_secs_f64(), now, Origin::Derived),
        Err(why) => Value::missing(why, now, Origin::Derived),
    };
    fields.set(&kcl::UNRENEWED_S, still);
    let owner = match &lease.owner {
        Some(owner) => Value::text(owner.as_str(), now),
        None => Value::missing(NoData::NotApplicable, now, Origin::Api),
    };
    fields.set(&kcl::OWNER, owner);
    fields.set(&kcl::CHECKPOINT, Value::text(lease.checkpoint.as_str(), now));
    fields.set(&kcl::COUNTER, Value::number(lease.counter as f64, now, Origin::Api));
    let switches = match lease.switches {
        Some(switches) => Value::number(switches, now, Origin::Api),
        None => Value::missing(NoData::NotApplicable, now, Origin::Api),
    };
    fields.set(&kcl::SWITCHES, switches);
    Part { id: lease.key.clone(), fields }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::{AttributeDefinition, KeySchemaElement};

    fn table(keys: &[(&str, KeyType)], kind: ScalarAttributeType) -> TableDescription {
        let key = |(name, kind): &(&str, KeyType)| {
            KeySchemaElement::builder().attribute_name(*name).key_type(kind.clone()).build().unwrap()
        };
        let attribute = AttributeDefinition::builder().attribute_name(LEASE_KEY).attribute_type(kind).build().unwrap();
        let table = TableDescription::builder().attribute_definitions(attribute);
        table.set_key_schema(Some(keys.iter().map(key).collect())).build()
    }

    #[test]
    fn a_lease_table_is_known_by_its_key() {
        let leases = [(LEASE_KEY, KeyType::Hash)];
        assert!(is_lease_table(&table(&leases, ScalarAttributeType::S)));
        assert!(!is_lease_table(&table(&leases, ScalarAttributeType::N)));
        assert!(!is_lease_table(&table(&[("key", KeyType::Hash)], ScalarAttributeType::S)));
        let sorted = [(LEASE_KEY, KeyType::Hash), ("at", KeyType::Range)];
        assert!(!is_lease_table(&table(&sorted, ScalarAttributeType::S)));
    }

    #[test]
    fn a_row_without_a_checkpoint_is_no_lease() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut item = HashMap::from([
            (LEASE_KEY.to_owned(), text("shardId-000000000000")),
            ("leaseCounter".to_owned(), AttributeValue::N("41".to_owned())),
        ]);
        assert!(Lease::read(&item).is_none());
        item.insert("checkpoint".to_owned(), text("TRIM_HORIZON"));
        let lease = Lease::read(&item).unwrap();
        assert_eq!((lease.counter, lease.owner, lease.switches), (41, None, None));
    }
}
