//! Expressions by example: what they mean, and how AWS complains.

use super::*;
use crate::sim::dynamodb::number::Number;
use crate::sim::dynamodb::table::{KeySchema, KeyType};
use crate::sim::dynamodb::value::Item;
use std::collections::BTreeMap;

fn bindings(values: &[(&str, Value)]) -> Bindings {
    let names = BTreeMap::from([("#n".to_owned(), "name".to_owned()), ("#s".to_owned(), "status".to_owned())]);
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Bindings::new(names, values).unwrap()
}

fn sample() -> Item {
    Item::from([
        ("id".to_owned(), Value::text("a")),
        ("name".to_owned(), Value::text("hotel")),
        ("n".to_owned(), Value::number(5)),
        ("l".to_owned(), Value::L(vec![Value::number(1), Value::text("two")])),
        ("m".to_owned(), Value::M(Item::from([("k".to_owned(), Value::Bool(true))]))),
        ("ss".to_owned(), Value::Ss(["x".to_owned(), "y".to_owned()].into())),
    ])
}

fn values() -> Vec<(&'static str, Value)> {
    vec![
        (":five", Value::number(5)),
        (":nine", Value::number(9)),
        (":x", Value::text("x")),
        (":ho", Value::text("ho")),
        (":t", Value::Bool(true)),
        (":S", Value::text("S")),
        (":set", Value::Ss(["y".to_owned(), "z".to_owned()].into())),
        (":list", Value::L(vec![Value::text("three")])),
    ]
}

fn holds(text: &str) -> bool {
    condition(Parameter::Condition, text, &mut bindings(&values())).unwrap().holds(&sample())
}

fn complaint(text: &str) -> String {
    condition(Parameter::Condition, text, &mut bindings(&values())).unwrap_err().message
}

#[test]
fn conditions_mean_what_they_say() {
    for text in [
        "n = :five",
        "n < :nine AND NOT n > :nine",
        "n BETWEEN :five AND :nine",
        "#n IN (:x, :ho) OR begins_with(#n, :ho)",
        "attribute_exists(m.k) and attribute_not_exists(m.absent)",
        "contains(ss, :x) AND contains(#n, :ho)",
        "size(l) < :five",
        "attribute_type(#n, :S)",
        "m.k = :t",
        "absent <> :x",
        "(n = :nine OR n = :five) AND #n <> :x",
        ":nine > n",
    ] {
        assert!(holds(text), "{text}");
    }
    for text in ["n = :nine", "absent = :x", "absent < :x", "#n < :nine", "l[5] = :x", "attribute_exists(l[2])"] {
        assert!(!holds(text), "{text}");
    }
}

#[test]
fn complaints_are_those_of_aws() {
    for (text, words) in [
        ("", "Invalid ConditionExpression: The expression can not be empty;"),
        (
            "n = :none",
            "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :none",
        ),
        (
            "#x = :five",
            "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; attribute name: #x",
        ),
        ("name = :x", "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: name"),
        ("n = = :x", "Invalid ConditionExpression: Syntax error; token: \"=\", near: \"= = :x\""),
        ("n =", "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"=\""),
        ("nope(n)", "Invalid ConditionExpression: Invalid function name; function: nope"),
        (
            "size(n)",
            "Invalid ConditionExpression: The function is not allowed to be used this way in an expression; function: size",
        ),
        (
            "begins_with(n)",
            "Invalid ConditionExpression: Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1",
        ),
        (
            "n < :t",
            "Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
        ),
        ("((n = :five))", "Invalid ConditionExpression: The expression has redundant parentheses;"),
        (
            "n BETWEEN :nine AND :five",
            "Invalid ConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:9}, upper bound operand: AttributeValue: {N:5}",
        ),
    ] {
        assert_eq!(complaint(text), words, "{text}");
    }
}

#[test]
fn updates_see_the_item_as_it_was() {
    let text = "SET n = n + :five, a = n, l[9] = :x, m.z = if_not_exists(m.z, :nine), ll = list_append(l, :list) \
                REMOVE l[0] ADD cnt :nine DELETE ss :set";
    let actions = update(text, &mut bindings(&values())).unwrap();
    let new = apply(&sample(), &actions).unwrap();
    assert_eq!(new["n"], Value::number(10));
    assert_eq!(new["a"], Value::number(5));
    assert_eq!(new["l"], Value::L(vec![Value::text("two"), Value::text("x")]));
    assert_eq!(new["m"], Value::M(Item::from([("k".into(), Value::Bool(true)), ("z".into(), Value::number(9))])));
    assert_eq!(new["ll"], Value::L(vec![Value::number(1), Value::text("two"), Value::text("three")]));
    assert_eq!(new["cnt"], Value::number(9));
    assert_eq!(new["ss"], Value::Ss(["x".to_owned()].into()));
}

#[test]
fn an_update_that_does_not_fit_is_refused() {
    let refusal = |text: &str| match update(text, &mut bindings(&values())) {
        Ok(actions) => apply(&sample(), &actions).unwrap_err().message,
        Err(error) => error.message,
    };
    let wrong_type = "An operand in the update expression has an incorrect data type";
    let nowhere = "The document path provided in the update expression is invalid for update";
    for (text, words) in [
        ("SET a = b", "The provided expression refers to an attribute that does not exist in the item"),
        ("SET a = id + :five", wrong_type),
        ("ADD id :five", wrong_type),
        ("SET nope.here = :x", nowhere),
        ("REMOVE id.k", nowhere),
        (
            "SET a = :x SET b = :x",
            "Invalid UpdateExpression: The \"SET\" section can only be used once in an update expression;",
        ),
        (
            "SET a = :x, a.b = :x",
            "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]",
        ),
        (
            "SET a[0] = :x, a.b = :x",
            "Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, [0]], path two: [a, b]",
        ),
        (
            "ADD a :x",
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            "DELETE a :five",
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
        ),
    ] {
        assert_eq!(refusal(text), words, "{text}");
    }
}

#[test]
fn substitutes_that_stand_nowhere_are_refused() {
    let mut bindings = Bindings::new(BTreeMap::new(), BTreeMap::from([(":a".to_owned(), Value::Null)])).unwrap();
    let unused = bindings.check_all_used().unwrap_err().message;
    assert_eq!(unused, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:a}");
    condition(Parameter::Filter, "x = :a", &mut bindings).unwrap();
    assert!(bindings.check_all_used().is_ok());
    let wrong = Bindings::new(BTreeMap::from([("a".to_owned(), "b".to_owned())]), BTreeMap::new()).unwrap_err();
    assert_eq!(wrong.message, "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\"");
}

#[test]
fn key_conditions_name_one_partition() {
    let keys = KeySchema { hash: "id".into(), range: Some("n".into()) };
    let kind = |name: &str| Some(if name == "n" { KeyType::N } else { KeyType::S });
    let read = |text: &str| {
        let parsed = condition(Parameter::KeyCondition, text, &mut bindings(&values())).unwrap();
        key_condition(&parsed, &keys, kind).map_err(|error| error.message)
    };
    assert_eq!(read("id = :x AND n BETWEEN :five AND :nine").unwrap().hash, Value::text("x"));
    for (text, words) in [
        ("n = :five", "Query condition missed key schema element: id"),
        ("id = :x AND a = :x", "Query condition missed key schema element: n"),
        ("id > :x", "Query key condition not supported"),
        ("id = :x OR n = :five", "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR"),
        (
            "id = :x AND id = :ho",
            "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
        ),
        (
            "id = :five",
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
    ] {
        assert_eq!(read(text).unwrap_err(), words, "{text}");
    }
}

#[test]
fn the_older_parameters_say_the_same() {
    let entry = |attribute: &str, operator: &str, values: Vec<Value>| Entry {
        attribute: attribute.into(),
        operator: operator.into(),
        values,
    };
    let holds = |entries: &[Entry], is_any| condition_of(entries, is_any).unwrap().unwrap().holds(&sample());
    let five = entry("n", "EQ", vec![Value::number(5)]);
    let nine = entry("n", "GE", vec![Value::number(9)]);
    assert!(holds(&[five.clone(), entry("missing", "NULL", vec![])], false));
    assert!(!holds(&[five.clone(), nine.clone()], false));
    assert!(holds(&[five, nine], true));
    assert!(!holds(&[entry("missing", "NOT_CONTAINS", vec![Value::text("x")])], false));
    let short = condition_of(&[entry("n", "BETWEEN", vec![Value::N(Number::ZERO)])], false).unwrap_err();
    assert_eq!(
        short.message,
        "One or more parameter values were invalid: Invalid number of argument(s) for the BETWEEN ComparisonOperator"
    );
    let put = LegacyUpdate { attribute: "a".into(), action: "PUT".into(), value: None };
    assert!(
        actions_of(&[put])
            .unwrap_err()
            .message
            .ends_with("Only DELETE action is allowed when no attribute value is specified")
    );
}
