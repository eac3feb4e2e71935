//! A table's description, as CreateTable, DescribeTable, UpdateTable and DeleteTable answer it.

use crate::sim::cx::Place;
use crate::sim::dynamodb::capacity::{Billing, Capacity};
use crate::sim::dynamodb::create::WARM;
use crate::sim::dynamodb::table::{Index, KeySchema, Projection, Status, Table};
use crate::sim::dynamodb::value::{Item, item_size};
use serde_json::{Map, Value as Json, json};

pub fn table(table: &Table, place: &Place) -> Json {
    let mut members = Map::new();
    let mut put = |name: &str, value: Json| members.insert(name.to_owned(), value);
    if table.status != Status::Deleting {
        let definitions =
            table.attributes.iter().map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind.name()}));
        put("AttributeDefinitions", definitions.collect());
        put("KeySchema", key_schema(&table.keys));
        put("CreationDateTime", json!(table.created.secs_f64()));
    }
    put("TableName", json!(table.name));
    put("TableStatus", json!(table.status.name()));
    put("ProvisionedThroughput", throughput(&table.capacity));
    put("TableSizeBytes", json!(table.bytes));
    put("ItemCount", json!(table.items.len()));
    put("TableArn", json!(table.arn(place)));
    put("TableId", json!(table.id));
    if let Some(at) = table.to_pay_per_request_at {
        let mut summary = json!({"BillingMode": table.billing.name()});
        summary["LastUpdateToPayPerRequestDateTime"] = json!(at.secs_f64());
        put("BillingModeSummary", summary);
    }
    for (name, is_global) in [("LocalSecondaryIndexes", false), ("GlobalSecondaryIndexes", true)] {
        let indexes: Vec<Json> =
            table.indexes.iter().filter(|i| i.is_global == is_global).map(|i| index(table, i, place)).collect();
        if !indexes.is_empty() {
            put(name, Json::Array(indexes));
        }
    }
    if let Some(class) = &table.class {
        put("TableClassSummary", json!({"TableClass": class}));
    }
    put("DeletionProtectionEnabled", json!(table.is_protected));
    if table.status != Status::Deleting {
        put("WarmThroughput", warm(table, table.warm, &table.capacity));
        if let Some(key) = &table.encryption {
            put("SSEDescription", json!({"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}));
        }
    }
    Json::Object(members)
}

/// What a table or index can take at once: what was asked for, what it is provisioned with, or what a new on-demand
/// table begins with.
fn warm(table: &Table, asked: Option<(u64, u64)>, capacity: &Capacity) -> Json {
    let (reads, writes) = match (asked, table.billing) {
        (Some(asked), _) => asked,
        (None, Billing::PayPerRequest) => WARM,
        (None, Billing::Provisioned) => (capacity.reads, capacity.writes),
    };
    json!({"ReadUnitsPerSecond": reads, "WriteUnitsPerSecond": writes, "Status": table.status.name()})
}

fn throughput(capacity: &Capacity) -> Json {
    let mut members = Map::new();
    for (name, at) in
        [("LastIncreaseDateTime", capacity.last_increase), ("LastDecreaseDateTime", capacity.last_decrease)]
    {
        members.extend(at.map(|at| (name.to_owned(), json!(at.secs_f64()))));
    }
    members.insert("NumberOfDecreasesToday".into(), json!(capacity.decreases_today));
    members.insert("ReadCapacityUnits".into(), json!(capacity.reads));
    members.insert("WriteCapacityUnits".into(), json!(capacity.writes));
    Json::Object(members)
}

fn key_schema(keys: &KeySchema) -> Json {
    let range = keys.range.iter().map(|name| json!({"AttributeName": name, "KeyType": "RANGE"}));
    std::iter::once(json!({"AttributeName": keys.hash, "KeyType": "HASH"})).chain(range).collect()
}

fn index(table: &Table, index: &Index, place: &Place) -> Json {
    let held: Vec<Item> = table.items.values().filter_map(|item| table.projected(index, item)).collect();
    let projection = match &index.projection {
        Projection::All => json!({"ProjectionType": "ALL"}),
        Projection::KeysOnly => json!({"ProjectionType": "KEYS_ONLY"}),
        Projection::Include(names) => json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": names}),
    };
    let mut description = json!({
        "IndexName": index.name,
        "KeySchema": key_schema(&index.keys),
        "Projection": projection,
        "IndexSizeBytes": held.iter().map(item_size).sum::<usize>(),
        "ItemCount": held.len(),
        "IndexArn": format!("{}/index/{}", table.arn(place), index.name),
    });
    if index.is_global {
        description["IndexStatus"] = json!(index.status.name());
        description["ProvisionedThroughput"] = throughput(&index.capacity);
        description["WarmThroughput"] = warm(table, index.warm, &index.capacity);
        if index.is_backfilling {
            description["Backfilling"] = json!(true);
        }
    }
    description
}
