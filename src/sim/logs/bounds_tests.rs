//! The bounds of the members of Logs' requests, in AWS's words.

use super::tests::{ask, refused, world};
use serde_json::{Value, json};

#[test]
fn members_out_of_their_bounds_are_refused() {
    let mut world = world();
    let at_least_1 = "Member must have length greater than or equal to 1";
    for (operation, input, value, member, words) in [
        ("TestMetricFilter", json!({"filterPattern": "", "logEventMessages": []}), "", "logEventMessages", at_least_1),
        (
            "TestMetricFilter",
            json!({"filterPattern": "", "logEventMessages": vec!["a"; 51]}),
            "",
            "logEventMessages",
            "Member must have length less than or equal to 50",
        ),
        ("DescribeMetricFilters", json!({"nextToken": ""}), " ''", "nextToken", at_least_1),
        ("DescribeQueries", json!({"nextToken": ""}), " ''", "nextToken", at_least_1),
        ("DescribeLogGroups", json!({"nextToken": ""}), " ''", "nextToken", at_least_1),
        ("DescribeLogGroups", json!({"logGroupIdentifiers": []}), "", "logGroupIdentifiers", at_least_1),
        (
            "DescribeLogGroups",
            json!({"logGroupNamePattern": "a b"}),
            " 'a b'",
            "logGroupNamePattern",
            "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]*",
        ),
        (
            "ListLogGroups",
            json!({"logGroupNamePattern": "ab"}),
            " 'ab'",
            "logGroupNamePattern",
            "Member must have length greater than or equal to 3",
        ),
        (
            "DescribeQueries",
            json!({"queryLanguage": "cwli"}),
            " 'cwli'",
            "queryLanguage",
            "Member must satisfy enum value set: [CWLI, SQL, PPL]",
        ),
    ] {
        let message =
            format!("1 validation error detected: Value{value} at '{member}' failed to satisfy constraint: {words}");
        assert_eq!(refused(&mut world, operation, input), ("InvalidParameterException", message));
    }
    let (code, message) = refused(&mut world, "DescribeLogGroups", json!({"accountIdentifiers": ["12"]}));
    assert_eq!(code, "InvalidParameterException");
    assert!(message.contains("Value '[12]' at 'accountIdentifiers'"), "{message}");
}

#[test]
fn members_of_another_type_are_none() {
    let mut world = world();
    for (operation, input) in [
        ("DescribeLogGroups", json!({"includeLinkedAccounts": "yes"})),
        ("ListLogGroups", json!({"includeLinkedAccounts": 1})),
        ("ListLogGroups", json!({"dataSources": "s3"})),
        ("DescribeQueries", json!({"queryLanguage": 5})),
    ] {
        assert_eq!(refused(&mut world, operation, input.clone()).0, "SerializationException", "{input}");
    }
}

#[test]
fn groups_are_listed_by_parts_of_their_names() {
    let mut world = world();
    for name in ["/app/web", "/job/web", "/app/db"] {
        ask(&mut world, "CreateLogGroup", json!({"logGroupName": name})).unwrap();
    }
    let listed = ask(&mut world, "ListLogGroups", json!({"logGroupNamePattern": "^/job|/db"})).unwrap();
    let names: Vec<&Value> = listed["logGroups"].as_array().unwrap().iter().map(|one| &one["logGroupName"]).collect();
    assert_eq!(names, ["/app/db", "/job/web"]);
}
