//! DynamoDB on the wire, by example.

use crate::sim::dynamodb::tests::world;
use crate::sim::wire::{Call, Reply, Request, Response, handle};
use crate::sim::world::World;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

fn send(world: &mut World, operation: &str, body: &Value) -> Response {
    let request = Request {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers: vec![("x-amz-target".into(), format!("DynamoDB_20120810.{operation}"))],
        body: Bytes::from(body.to_string()),
    };
    let mut call = Call::new(request, world.now);
    match handle(world, &mut call) {
        Reply::Done(response) => response,
        Reply::Later(at) => panic!("{operation} waits until {at}"),
    }
}

fn ask(world: &mut World, operation: &str, body: &Value) -> Value {
    let response = send(world, operation, body);
    let text = String::from_utf8_lossy(&response.body).into_owned();
    assert_eq!(response.status, 200, "{operation}: {text}");
    if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
}

/// The code and the message of a refusal.
fn refusal(world: &mut World, operation: &str, body: &Value) -> (String, String) {
    let response = send(world, operation, body);
    assert_eq!(response.status, 400, "{operation}");
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let message = body.get("message").or(body.get("Message")).and_then(Value::as_str).unwrap_or_default();
    (body["__type"].as_str().unwrap().to_owned(), message.to_owned())
}

fn with_table() -> World {
    let mut world = world(true);
    let description = ask(
        &mut world,
        "CreateTable",
        &json!({
            "TableName": "orders",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        }),
    );
    assert_eq!(description["TableDescription"]["TableStatus"], "CREATING");
    let until = world.now + Duration::from_secs(60);
    world.advance_to(until);
    world
}

#[test]
fn an_answer_carries_the_checksum_of_its_body() {
    let mut world = with_table();
    let response = send(&mut world, "ListTables", &json!({}));
    let header = |name: &str| response.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let mut crc = flate2::Crc::new();
    crc.update(&response.body);
    assert_eq!(header("x-amz-crc32"), Some(crc.sum().to_string()));
    assert_eq!(header("content-type").as_deref(), Some("application/x-amz-json-1.0"));
}

#[test]
fn items_come_back_as_they_were_put() {
    let mut world = with_table();
    let item = json!({
        "id": {"S": "a"}, "n": {"N": "-12.50"}, "b": {"B": "aGk="}, "t": {"BOOL": false}, "z": {"NULL": true},
        "ss": {"SS": ["x", "y"]}, "ns": {"NS": ["1", "2e3"]}, "bs": {"BS": ["aGk="]},
        "l": {"L": [{"S": ""}, {"M": {}}]}, "m": {"M": {"k": {"N": "1E2"}}},
    });
    ask(&mut world, "PutItem", &json!({"TableName": "orders", "Item": item}));
    let got = ask(&mut world, "GetItem", &json!({"TableName": "orders", "Key": {"id": {"S": "a"}}}));
    let mut expected = item;
    expected["n"] = json!({"N": "-12.5"});
    expected["ns"] = json!({"NS": ["1", "2000"]});
    expected["m"] = json!({"M": {"k": {"N": "100"}}});
    assert_eq!(got["Item"], expected);
    let none = ask(&mut world, "GetItem", &json!({"TableName": "orders", "Key": {"id": {"S": "b"}}}));
    assert_eq!(none, json!({}));
}

const INVALID: &str = "com.amazon.coral.validate#ValidationException";
const SERVICE: &str = "com.amazonaws.dynamodb.v20120810#";

fn assert_refused(world: &mut World, operation: &str, body: &Value, code: &str, words: &str) {
    assert_eq!(refusal(world, operation, body), (code.to_owned(), words.to_owned()), "{operation} {body}");
}

#[test]
fn values_that_cannot_be_are_refused_in_the_words_of_aws() {
    let mut world = with_table();
    let wrong = "One or more parameter values were invalid:";
    for (item, words) in [
        (json!({"x": {"S": "1"}}), format!("{wrong} Missing the key id in the item")),
        (json!({"id": {"N": "1"}}), format!("{wrong} Type mismatch for key id expected: S actual: N")),
        (json!({"id": {"S": "a"}, "x": {"SS": []}}), format!("1 validation error detected: {wrong} An string set  may not be empty")),
        (json!({"id": {"S": "a"}, "x": {"NULL": false}}), format!("{wrong} Null attribute value types must have the value of true")),
        (json!({"id": {"S": "a"}, "x": {"N": "one"}}), "The parameter cannot be converted to a numeric value: one".to_owned()),
        (json!({"id": {"S": "a"}, "x": {}}), "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes".to_owned()),
        (json!({"id": {"S": ""}}), "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: id".to_owned()),
    ] {
        let body = json!({"TableName": "orders", "Item": item});
        assert_refused(&mut world, "PutItem", &body, INVALID, &words);
    }
    let body = json!({"TableName": "orders", "Item": {"id": {"S": 5}}});
    let code = "com.amazon.coral.service#SerializationException";
    assert_refused(&mut world, "PutItem", &body, code, "NUMBER_VALUE cannot be converted to String");
}

#[test]
fn requests_that_cannot_be_are_refused_in_the_words_of_aws() {
    let mut world = with_table();
    let key = json!({"id": {"S": "a"}});
    let enumeration = "1 validation error detected: Value 'MAYBE' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]";
    let mixture = "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributeUpdates} Expression parameters: {ConditionExpression}";
    let no_keys = "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.";
    let of_key =
        "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key";
    let of = |members: Value| {
        let mut body = json!({"TableName": "orders"});
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let set_key =
        json!({"Key": key, "UpdateExpression": "SET id = :a", "ExpressionAttributeValues": {":a": {"S": "b"}}});
    let mixed = json!({"Key": key, "AttributeUpdates": {}, "ConditionExpression": "attribute_exists(id)"});
    for (operation, members, words) in [
        ("GetItem", json!({"Key": {"id": {"N": "1"}}}), "The provided key element does not match the schema"),
        ("PutItem", json!({"Item": key, "ReturnValues": "MAYBE"}), enumeration),
        ("UpdateItem", set_key, of_key),
        ("UpdateItem", mixed, mixture),
        ("Query", json!({}), no_keys),
    ] {
        assert_refused(&mut world, operation, &of(members), INVALID, words);
    }
    let missing = "The parameter 'TableName' is required but was not present in the request";
    assert_refused(&mut world, "DescribeTable", &json!({}), INVALID, missing);
}

#[test]
fn what_is_not_there_is_refused_in_the_words_of_aws() {
    let mut world = with_table();
    let key = json!({"id": {"S": "a"}});
    let (absent, failed) =
        (format!("{SERVICE}ResourceNotFoundException"), format!("{SERVICE}ConditionalCheckFailedException"));
    let get = json!({"TableName": "nope", "Key": key});
    assert_refused(&mut world, "GetItem", &get, &absent, "Requested resource not found");
    let describe = json!({"TableName": "nope"});
    let words = "Requested resource not found: Table: nope not found";
    assert_refused(&mut world, "DescribeTable", &describe, &absent, words);
    let delete = json!({"TableName": "orders", "Key": key, "ConditionExpression": "attribute_exists(id)"});
    assert_refused(&mut world, "DeleteItem", &delete, &failed, "The conditional request failed");
    let unknown = "com.amazon.coral.service#UnknownOperationException";
    assert_refused(&mut world, "Invent", &json!({}), unknown, "");
}

#[test]
fn updates_answer_what_was_asked_for() {
    let mut world = with_table();
    let mut update = |text: &str, values: Value, wanted: &str| {
        let body = json!({"TableName": "orders", "Key": {"id": {"S": "a"}}, "UpdateExpression": text,
                          "ExpressionAttributeValues": values, "ReturnValues": wanted});
        ask(&mut world, "UpdateItem", &body)
    };
    let one = json!({":v": {"N": "1"}});
    assert_eq!(update("SET a = :v", one.clone(), "UPDATED_OLD"), json!({}));
    assert_eq!(update("ADD a :v", one.clone(), "UPDATED_NEW"), json!({"Attributes": {"a": {"N": "2"}}}));
    assert_eq!(update("ADD a :v", one.clone(), "ALL_OLD")["Attributes"], json!({"a": {"N": "2"}, "id": {"S": "a"}}));
    assert_eq!(update("ADD a :v", one, "ALL_NEW")["Attributes"]["a"], json!({"N": "4"}));
}

#[test]
fn a_transaction_changes_all_or_nothing() {
    let mut world = with_table();
    let put = |id: &str, condition: &str| json!({"Put": {"TableName": "orders", "Item": {"id": {"S": id}}, "ConditionExpression": condition}});
    let fresh = "attribute_not_exists(id)";
    ask(&mut world, "TransactWriteItems", &json!({"TransactItems": [put("a", fresh), put("b", fresh)]}));
    let refused = json!({"TransactItems": [put("c", fresh), put("a", fresh)]});
    let (code, words) = refusal(&mut world, "TransactWriteItems", &refused);
    assert_eq!(code, "com.amazonaws.dynamodb.v20120810#TransactionCanceledException");
    assert!(words.ends_with("[None, ConditionalCheckFailed]"), "{words}");
    let scan = ask(&mut world, "Scan", &json!({"TableName": "orders", "Select": "COUNT"}));
    assert_eq!(scan, json!({"Count": 2, "ScannedCount": 2}));
}

#[test]
fn a_transaction_that_is_sent_again_with_its_token_is_done_once() {
    let mut world = with_table();
    let add = |token: &str, by: &str| {
        json!({
            "ClientRequestToken": token, "ReturnConsumedCapacity": "TOTAL",
            "TransactItems": [{"Update": {
                "TableName": "orders", "Key": {"id": {"S": "a"}}, "UpdateExpression": "ADD n :by",
                "ExpressionAttributeValues": {":by": {"N": by}},
            }}],
        })
    };
    let count = |world: &mut World| {
        let item = ask(world, "GetItem", &json!({"TableName": "orders", "Key": {"id": {"S": "a"}}}));
        item["Item"]["n"]["N"].as_str().unwrap().to_owned()
    };
    let first = ask(&mut world, "TransactWriteItems", &add("t", "1"));
    assert_eq!(first["ConsumedCapacity"][0]["WriteCapacityUnits"], 2.0);
    let again = ask(&mut world, "TransactWriteItems", &add("t", "1"));
    assert_eq!(again["ConsumedCapacity"][0]["ReadCapacityUnits"], 2.0, "it only looks");
    assert_eq!(count(&mut world), "1");
    let (code, message) = refusal(&mut world, "TransactWriteItems", &add("t", "2"));
    assert_eq!(code, "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException");
    assert!(message.contains("different payload"), "{message}");
    let until = world.now + Duration::from_secs(600);
    world.advance_to(until);
    ask(&mut world, "TransactWriteItems", &add("t", "2"));
    assert_eq!(count(&mut world), "3", "after ten minutes it is another request");
    let (_, message) = refusal(&mut world, "TransactWriteItems", &add(&"t".repeat(37), "2"));
    assert!(message.contains("at 'clientRequestToken' failed") && message.contains("equal to 36"), "{message}");
}

#[test]
fn item_collections_are_measured_where_a_table_has_local_indexes() {
    let mut world = with_table();
    let put = |table: &str| {
        let item = json!({"id": {"S": "a"}, "at": {"N": "1"}, "by": {"S": "x"}});
        json!({"TableName": table, "ReturnItemCollectionMetrics": "SIZE", "Item": item})
    };
    assert!(ask(&mut world, "PutItem", &put("orders")).get("ItemCollectionMetrics").is_none());
    let key =
        |range: &str| json!([{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}]);
    ask(
        &mut world,
        "CreateTable",
        &json!({
            "TableName": "parts", "KeySchema": key("at"), "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "at", "AttributeType": "N"},
                {"AttributeName": "by", "AttributeType": "S"},
            ],
            "LocalSecondaryIndexes": [
                {"IndexName": "by-whom", "KeySchema": key("by"), "Projection": {"ProjectionType": "ALL"}},
            ],
        }),
    );
    let until = world.now + Duration::from_secs(60);
    world.advance_to(until);
    let wanted = json!({"ItemCollectionKey": {"id": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]});
    assert_eq!(ask(&mut world, "PutItem", &put("parts"))["ItemCollectionMetrics"], wanted);
    let put = json!({"PutRequest": {"Item": {"id": {"S": "a"}, "at": {"N": "2"}}}});
    let batch = json!({"ReturnItemCollectionMetrics": "SIZE", "RequestItems": {"parts": [put]}});
    assert_eq!(ask(&mut world, "BatchWriteItem", &batch)["ItemCollectionMetrics"], json!({"parts": [wanted]}));
    let delete = json!({"Delete": {"TableName": "parts", "Key": {"id": {"S": "a"}, "at": {"N": "2"}}}});
    let transaction = json!({"ReturnItemCollectionMetrics": "SIZE", "TransactItems": [delete]});
    assert_eq!(
        ask(&mut world, "TransactWriteItems", &transaction)["ItemCollectionMetrics"],
        json!({"parts": [wanted]})
    );
}

/// What is said of one violated constraint.
fn violated(value: &str, path: &str, constraint: &str) -> String {
    format!(
        "1 validation error detected: Value {value} at '{path}' failed to satisfy constraint: Member must {constraint}"
    )
}

#[test]
fn what_is_missing_or_wrong_is_told_by_its_path() {
    let mut world = with_table();
    let key = json!({"id": {"S": "a"}});
    let of_key = |members: Value| {
        let mut body = json!({"TableName": "orders", "Key": key});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        body
    };
    let both = "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must not be \
                null; Value null at 'key' failed to satisfy constraint: Member must not be null";
    let nested = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: id";
    let start = "The provided starting key is invalid: Supplied AttributeValue is empty, must contain exactly one of the \
                 supported datatypes";
    let at_least = |least: u32| format!("have length greater than or equal to {least}");
    let cases = [
        ("DeleteItem", json!({}), both.to_owned()),
        ("GetItem", of_key(json!({"AttributesToGet": []})), violated("'[]'", "attributesToGet", &at_least(1))),
        ("GetItem", of_key(json!({"ProjectionExpression": "id.x"})), nested.to_owned()),
        (
            "BatchGetItem",
            json!({"RequestItems": {"orders": {"Keys": []}}}),
            violated("'[]'", "requestItems.orders.member.keys", &at_least(1)),
        ),
        (
            "BatchWriteItem",
            json!({"RequestItems": {"orders": [{"DeleteRequest": {}}]}}),
            violated("null", "requestItems.orders.member.1.member.deleteRequest.key", "not be null"),
        ),
        (
            "ListTables",
            json!({"ExclusiveStartTableName": "a"}),
            violated("'a'", "exclusiveStartTableName", &at_least(3)),
        ),
        ("Scan", json!({"TableName": "orders", "ExclusiveStartKey": {"id": {}}}), start.to_owned()),
        (
            "Scan",
            json!({"TableName": "orders", "ExclusiveStartKey": {"id": {"N": "b"}}}),
            "The parameter cannot be converted to a numeric value: b".to_owned(),
        ),
    ];
    for (operation, body, words) in cases {
        assert_refused(&mut world, operation, &body, INVALID, &words);
    }
}

#[test]
fn the_old_form_of_conditions_is_held_to_its_rules() {
    let mut world = with_table();
    let filter = |entry: Value| json!({"TableName": "orders", "ScanFilter": {"x": entry}});
    let of = |operator: &str, values: Value| json!({"ComparisonOperator": operator, "AttributeValueList": values});
    let invalid = "One or more parameter values were invalid:";
    let path = "scanFilter.x.member.comparisonOperator";
    let operators = "[IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]";
    let upside_down =
        "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound";
    let cases = [
        (json!({}), violated("null", path, "not be null")),
        (of("LIKE", json!([{"S": "a"}])), violated("'LIKE'", path, &format!("satisfy enum value set: {operators}"))),
        (of("BETWEEN", json!([{"S": "b"}, {"S": "a"}])), upside_down.to_owned()),
        (
            of("IN", json!([{"S": "b"}, {"N": "1"}])),
            format!("{invalid} AttributeValues inside AttributeValueList must be of same type"),
        ),
    ];
    for (entry, words) in cases {
        assert_refused(&mut world, "Scan", &filter(entry), INVALID, &words);
    }
    let expected = |entry: Value| json!({"TableName": "orders", "Key": {"id": {"S": "a"}}, "Expected": {"x": entry}});
    let both = json!({"Value": {"S": "a"}, "AttributeValueList": [{"S": "a"}]});
    let words = format!("{invalid} Value and AttributeValueList cannot be used together for Attribute: x");
    assert_refused(&mut world, "DeleteItem", &expected(both), INVALID, &words);
    let none = json!({"ComparisonOperator": "EQ"});
    let words =
        format!("{invalid} Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: x");
    assert_refused(&mut world, "DeleteItem", &expected(none), INVALID, &words);
}
