//! Filter policies by example: what matches, what is refused and in which words.

use super::*;
use crate::sim::sqs::AttributeValue;

fn policy(text: &str, scope: Scope) -> FilterPolicy {
    FilterPolicy::parse(text, scope).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"))
}

/// Whether a policy over bodies wants this body.
fn wants(text: &str, body: &str) -> bool {
    policy(text, Scope::MessageBody).matches(&Event::of_body(body.as_bytes()).unwrap())
}

/// Whether a policy over attributes wants these.
fn wants_attributes(text: &str, attributes: &[(&str, &str, &str)]) -> bool {
    let attributes =
        attributes.iter().map(|(name, kind, value)| ((*name).to_owned(), AttributeValue::text(kind, value))).collect();
    policy(text, Scope::MessageAttributes).matches(&Event::of_attributes(&attributes).unwrap())
}

fn refusal(text: &str) -> String {
    match FilterPolicy::parse(text, Scope::MessageBody) {
        Err(Refusal::Policy(reason)) => reason,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn exact_values_match_by_type() {
    assert!(wants(r#"{"a": ["x", "y"]}"#, r#"{"a": "y", "b": 1}"#));
    assert!(!wants(r#"{"a": ["x"]}"#, r#"{"a": "X"}"#), "case counts");
    assert!(wants(r#"{"a": [100]}"#, r#"{"a": 100.0}"#), "numbers are compared as numbers");
    assert!(!wants(r#"{"a": [100]}"#, r#"{"a": "100"}"#));
    assert!(wants(r#"{"a": [123456789012]}"#, r#"{"a": 123456789012}"#), "an account number is compared as text");
    assert!(wants(r#"{"a": [true], "b": [null]}"#, r#"{"a": true, "b": null}"#));
    assert!(!wants(r#"{"a": [null]}"#, "{}"), "null is a value");
    assert!(wants("{}", r#"{"anything": 1}"#));
}

#[test]
fn string_operators_match() {
    assert!(wants(r#"{"a": [{"prefix": "auto-"}]}"#, r#"{"a": "auto-insurance"}"#));
    assert!(wants(r#"{"a": [{"suffix": ".png"}]}"#, r#"{"a": "cat.png"}"#));
    assert!(wants(r#"{"a": [{"equals-ignore-case": "TENNIS"}]}"#, r#"{"a": "tennis"}"#));
    assert!(wants(r#"{"a": [{"wildcard": "*ball*-x"}]}"#, r#"{"a": "a-ball-game-x"}"#));
    assert!(!wants(r#"{"a": [{"wildcard": "*ab*ab"}]}"#, r#"{"a": "xab"}"#), "parts do not overlap");
    assert!(wants(r#"{"a": [{"wildcard": "a\\*b"}]}"#, r#"{"a": "a*b"}"#), "an escaped asterisk is an asterisk");
    assert!(wants(r#"{"a": [{"cidr": "10.0.0.0/24"}]}"#, r#"{"a": "10.0.0.255"}"#));
    assert!(!wants(r#"{"a": [{"cidr": "10.0.0.0/24"}]}"#, r#"{"a": "10.0.1.0"}"#));
    assert!(wants(r#"{"a": [{"cidr": "0.0.0.0/0"}]}"#, r#"{"a": "8.8.8.8"}"#));
    assert!(wants(r#"{"a": [{"cidr": "2001:db8::/32"}]}"#, r#"{"a": "2001:db8::1"}"#));
}

#[test]
fn numeric_ranges_match_to_the_fifth_decimal() {
    let within = |value: &str| wants(r#"{"a": [{"numeric": [">", 0, "<=", 150.5]}]}"#, &format!("{{\"a\": {value}}}"));
    assert!(within("0.00001") && within("150.5"));
    assert!(!within("0") && !within("150.50001") && !within("\"7\""));
    assert!(wants(r#"{"a": [{"numeric": ["=", 301.5]}]}"#, r#"{"a": 3.015e2}"#));
    assert!(wants(r#"{"a": [{"numeric": ["<", -1]}]}"#, r#"{"a": -1.1}"#));
}

#[test]
fn anything_but_needs_a_value_that_is_something_else() {
    let but = |operand: &str, body: &str| wants(&format!("{{\"a\": [{{\"anything-but\": {operand}}}]}}"), body);
    assert!(but(r#"["x", "y"]"#, r#"{"a": "z"}"#) && !but(r#"["x", "y"]"#, r#"{"a": "y"}"#));
    assert!(but("[100, 500]", r#"{"a": 101}"#) && !but("[100, 500]", r#"{"a": 500.0}"#));
    assert!(
        but(r#"{"prefix": "order-"}"#, r#"{"a": "basket"}"#) && !but(r#"{"prefix": "order-"}"#, r#"{"a": "order-1"}"#)
    );
    assert!(but(r#"{"suffix": "ball"}"#, r#"{"a": "golf"}"#) && !but(r#"{"suffix": "ball"}"#, r#"{"a": "football"}"#));
    assert!(but(r#"{"wildcard": "*o*"}"#, r#"{"a": "x"}"#) && !but(r#"{"wildcard": "*o*"}"#, r#"{"a": "golf"}"#));
    assert!(!but(r#""x""#, "{}"), "nothing is not something else");
    assert!(!wants_attributes(r#"{"a": [null, {"anything-but": "whatever"}]}"#, &[]));
}

#[test]
fn exists_looks_at_the_key_alone() {
    assert!(wants_attributes(r#"{"store": [{"exists": true}]}"#, &[("store", "Number", "99")]));
    assert!(!wants_attributes(r#"{"store": [{"exists": true}]}"#, &[("other", "Number", "99")]));
    assert!(wants_attributes(r#"{"store": [{"exists": false}]}"#, &[("other", "String", "x")]));
    assert!(!wants(r#"{"store": [{"exists": true}]}"#, r#"{"store": {"name": 1}}"#), "only a leaf is a value");
}

#[test]
fn attributes_are_texts_numbers_and_arrays() {
    assert!(wants_attributes(r#"{"price": [{"numeric": [">=", 100]}]}"#, &[("price", "Number", "100")]));
    assert!(!wants_attributes(r#"{"price": [{"numeric": [">=", 100]}]}"#, &[("price", "String", "100")]));
    assert!(wants_attributes(r#"{"price": [100]}"#, &[("price", "Number.int", "100.0")]));
    assert!(wants_attributes(r#"{"who": ["b"]}"#, &[("who", "String.Array", r#"["a", "b", 3, true]"#)]));
    assert!(wants_attributes(r#"{"who": [true]}"#, &[("who", "String.Array", r#"["a", "b", 3, true]"#)]));
    assert!(wants_attributes(r#"{"price": [100]}"#, &[("price", "String.Array", "100")]), "a value stands for itself");
    let broken = BTreeMap::from([("who".to_owned(), AttributeValue::text("String.Array", "[1,"))]);
    assert_eq!(Event::of_attributes(&broken), None);
}

#[test]
fn nested_keys_and_dotted_keys_are_the_same() {
    let bodies = [
        r#"{"object": {"nested": {"test": "v"}}}"#,
        r#"{"object.nested.test": "v"}"#,
        r#"{"object.nested": {"test": "v"}}"#,
        r#"{"object": {"nested.test": "v"}}"#,
    ];
    for body in bodies {
        assert!(wants(r#"{"object.nested.test": ["v"]}"#, body), "{body}");
        assert!(wants(r#"{"object": {"nested": {"test": ["v"]}}}"#, body), "{body}");
    }
}

#[test]
fn values_in_arrays_match_if_one_element_has_them_all() {
    let records = r#"{"Records": {"s3": {"object": {"key": [{"prefix": "auto-"}]}}, "eventName": [{"prefix": "ObjectCreated:"}]}}"#;
    let body = |first: (&str, &str), second: (&str, &str)| {
        let record =
            |(name, key): (&str, &str)| format!(r#"{{"eventName":"{name}","s3":{{"object":[[{{"key":"{key}"}}]]}}}}"#);
        format!(r#"{{"Records":[{},{}]}}"#, record(first), record(second))
    };
    assert!(wants(records, &body(("ObjectCreated:Put", "auto-1"), ("ObjectRemoved:Delete", "home-1"))));
    assert!(!wants(records, &body(("ObjectCreated:Put", "home-1"), ("ObjectRemoved:Delete", "auto-1"))));
    assert!(wants(r#"{"a": ["x"]}"#, r#"{"a": ["y", ["x"]]}"#));
    assert!(!wants(r#"{"a": [{"exists": true}]}"#, r#"{"a": []}"#));
    assert!(wants(r#"{"a": {"x": [1]}, "b": {"y": [2]}}"#, r#"{"a": [{"x": 0}, {"x": 1}], "b": [{"y": 2}]}"#));
}

#[test]
fn or_makes_alternatives_of_keys() {
    let text = r#"{
        "$or": [{"metricName": ["CPUUtilization", "ReadLatency"]}, {"namespace": ["AWS/EC2", "AWS/ES"]}],
        "detail": {"scope": ["Service"], "$or": [{"source": ["aws.cloudwatch"]}, {"type": ["Alarm"]}]}
    }"#;
    assert!(wants(text, r#"{"namespace": "AWS/ES", "detail": {"scope": "Service", "type": "Alarm"}}"#));
    assert!(wants(
        text,
        r#"{"metricName": "ReadLatency", "detail": {"scope": "Service", "source": "aws.cloudwatch"}}"#
    ));
    assert!(!wants(text, r#"{"metricName": "ReadLatency", "detail": {"scope": "Service"}}"#));
    assert!(!wants(text, r#"{"detail": {"scope": "Service", "type": "Alarm"}}"#));
}

/// Texts and columns from recorded answers.
#[test]
fn mistakes_are_told_in_the_recorded_words() {
    for (text, message, column) in [
        (r#"{"key": [["value"]]}"#, "Match value must be String, number, true, false, or null", 10),
        (r#"{"key": [{"wrong-operator": true}]}"#, "Unrecognized match type wrong-operator", 31),
        (r#"{"key": [{"suffix": "value", "prefix": "value2"}]}"#, "Only one key allowed in match expression", 37),
        (r#"{"key": [{"suffix": 100}]}"#, "suffix match pattern must be a string", 22),
        (r#"{"key": [{"suffix": null}]}"#, "suffix match pattern must be a string", 23),
        (r#"{"key": {"suffix": "value"}}"#, "\"suffix\" must be an object or an array", 19),
        (r#"{"key": [{"suffix": []}]}"#, "suffix match pattern must be a string", 20),
        (r#"{"key": [{"numeric": []}]}"#, "Invalid member in numeric match: ]", 22),
        (r#"{"key": [{"numeric": ["operator"]}]}"#, "Unrecognized numeric range operator: operator", 32),
        (r#"{"key": [{"numeric": [1, "<="]}]}"#, "Invalid member in numeric match: 1", 22),
        (r#"{"key": [{"numeric": ["=", "000"]}]}"#, "Value of equals must be numeric", 26),
        (r#"{"key": [{"numeric": [">="]}]}"#, "Value of >= must be numeric", 26),
        (r#"{"key": [{"numeric": ["<", 100, ">", 10]}]}"#, "Too many elements in numeric expression", 30),
        (r#"{"key": [{"numeric": [">=", 1, ">", 2]}]}"#, "Bad numeric range operator: >", 31),
        (r#"{"key": [{"numeric": [">", 3, "<", 1]}]}"#, "Bottom must be less than top", 33),
        (r#"{"key": [{"numeric": [">", 20, "<="]}]}"#, "Value of <= must be numeric", 33),
        (r#"{"key": [{"numeric": [">", 20, 30]}]}"#, "Bad value in numeric range: 30", 30),
        (r#"{"key": [{"numeric": [">", 20, "test"]}]}"#, "Bad numeric range operator: test", 34),
        (r#"{"key": [{"numeric": [">", "20", "<", "30"]}]}"#, "Value of > must be numeric", 26),
        (r#"{"key": [{"numeric": [">", 20, "<", "30"]}]}"#, "Value of < must be numeric", 33),
        (r#"{"key": [{"numeric": [">", 20, "<", 30, "<", 50]}]}"#, "Too many terms in numeric range expression", 36),
        (r#"{"key": [{"exists": null}]}"#, "exists match pattern must be either true or false.", 23),
        (r#"{"key": [{"exists": "no"}]}"#, "exists match pattern must be either true or false.", 20),
        (
            r#"{"key": [{"anything-but": {"wrong-operator": null}}]}"#,
            "Unsupported anything-but pattern: wrong-operator",
            47,
        ),
        (r#"{"key": [{"anything-but": {"exists": false}}]}"#, "Unsupported anything-but pattern: exists", 40),
        (r#"{"key": [{"anything-but": {"prefix": false}}]}"#, "prefix match pattern must be a string", 40),
        (r#"{"key_a": "value_one"}"#, "\"key_a\" must be an object or an array", 11),
    ] {
        let place = format!("(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: {column}]");
        assert_eq!(refusal(text), format!("{message}\n at [Source: REDACTED {place}"), "{text}");
    }
}

#[test]
fn a_policy_may_only_be_so_complex() {
    let values = |count: usize| format!("{:?}", (0..count).map(|n| format!("v{n}")).collect::<Vec<_>>());
    let too_complex = "Filter policy is too complex";
    assert_eq!(refusal(&format!(r#"{{"key": {}}}"#, values(151))), too_complex);
    assert_eq!(refusal(&format!(r#"{{"a": {}, "b": {}}}"#, values(100), values(51))), too_complex);
    policy(&format!(r#"{{"key": {}}}"#, values(150)), Scope::MessageAttributes);
    let six = r#"{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}"#;
    assert_eq!(refusal(six), "Filter policy can not have more than 5 keys");
    let nested =
        r#"{"key_a":{"key_b":{"key_c":["1","2","3","4"]}},"key_d":{"key_e":["1","2","3"]},"key_f":["1","2","3"]}"#;
    assert_eq!(refusal(nested), too_complex, "3 x 4 x 2 x 3 x 1 x 3 = 216");
    let or = |source: usize, space: usize| {
        format!(
            r#"{{"source": {}, "$or": [{{"metricName": {}}},
            {{"metricType": {}, "$or": [{{"metricId": [1,2,3,4]}}, {{"spaceId": {}}}]}}]}}"#,
            values(source),
            values(6),
            values(4),
            values(space)
        )
    };
    assert_eq!(refusal(&or(4, 4)), too_complex, "24 + 64 + 64 = 152");
    policy(&or(3, 7), Scope::MessageAttributes);
    let many_or =
        (0..40).map(|n| format!(r#""k{n}":{{"$or":[{{"a":[1]}},{{"b":[1]}}]}}"#)).collect::<Vec<_>>().join(",");
    assert_eq!(refusal(&format!("{{{many_or}}}")), too_complex, "alternatives multiply; it is found in time");
}

#[test]
fn wildcards_are_counted() {
    let patterns =
        |count: usize| (0..count).map(|n| format!(r#"{{"wildcard":"a*b{n}"}}"#)).collect::<Vec<_>>().join(",");
    policy(&format!(r#"{{"a": [{}]}}"#, patterns(10)), Scope::MessageBody);
    assert_eq!(refusal(&format!(r#"{{"a": [{}]}}"#, patterns(11))), "Filter policy is too complex");
    assert!(refusal(r#"{"a": [{"wildcard": "a*b*c*d*"}]}"#).starts_with("Wildcard pattern can not have more"));
}

#[test]
fn attributes_are_not_nested() {
    let nested = FilterPolicy::parse(r#"{"object": {"key": ["x"]}}"#, Scope::MessageAttributes);
    assert_eq!(nested, Err(Refusal::Nested));
    assert!(refusal("{broken}").starts_with("failed to parse JSON. Unexpected character ('b' (code 98))"));
    assert!(refusal(r#"{"a": []}"#).starts_with("Empty arrays are not allowed"));
    assert!(refusal(r#"{"a": {}}"#).starts_with("Empty objects are not allowed"));
}
