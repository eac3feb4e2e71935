//! Alarms as a client meets them.

use super::*;
use crate::sim::cloudwatch::wire::answer;
use crate::sim::error::ApiError;
use crate::sim::lambda::{Behaviour, Config};
use crate::sim::wire::{Call, Reply, Request};
use crate::sim::world::World;
use serde_json::json;

pub(super) fn world() -> World {
    let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: false };
    World::new(1, start, place)
}

fn ask(world: &mut World, operation: &str, input: Value) -> Result<Value, ApiError> {
    let request = Request {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers: vec![],
        body: bytes::Bytes::new(),
    };
    let mut call = Call::new(request, world.now);
    answer(world, &mut call, operation, &input).map(|reply| match reply {
        Reply::Done(value) => value,
        Reply::Later(at) => panic!("CloudWatch never waits, and now until {at}"),
    })
}

pub(super) fn refused(world: &mut World, operation: &str, input: Value) -> (&'static str, String) {
    let error = ask(world, operation, input.clone()).expect_err(&input.to_string());
    (error.query_code.unwrap_or(error.code), error.message)
}

/// An alarm on the sum of a minute's `Errors`, above 2 in two minutes of three.
fn errors_alarm(more: Value) -> Value {
    let mut input = json!({"AlarmName": "errors", "Namespace": "App", "MetricName": "Errors", "Statistic": "Sum",
        "Period": 60, "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": 2.0,
        "ComparisonOperator": "GreaterThanThreshold"});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// The application reports these numbers, one a minute.
fn report(world: &mut World, name: &str, values: &[f64]) {
    for value in values {
        let id = world.metrics.series("App", name, &[], "Count");
        world.metrics.add(id, world.now, *value);
        world.advance_to(world.now + Duration::from_secs(60));
    }
    world.advance_to(world.now + Duration::from_secs(6));
}

fn described(world: &mut World, name: &str) -> Value {
    let input = json!({"AlarmNames": [name], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]});
    let answer = ask(world, "DescribeAlarms", input).unwrap();
    let both = ["MetricAlarms", "CompositeAlarms"].map(|list| answer[list].as_array().unwrap().clone());
    both.concat().pop().unwrap_or(Value::Null)
}

fn history(world: &mut World, name: &str, kind: &str) -> Vec<Value> {
    let input = json!({"AlarmName": name, "HistoryItemType": kind, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]});
    ask(world, "DescribeAlarmHistory", input).unwrap()["AlarmHistoryItems"].as_array().unwrap().clone()
}

#[test]
fn an_alarm_is_described_as_it_was_put() {
    let mut world = world();
    ask(&mut world, "PutMetricAlarm", errors_alarm(json!({"OKActions": ["arn:aws:sns:eu-west-1:123456789012:ok"]})))
        .unwrap();
    let at = world.now.secs_f64();
    let expected = json!({"AlarmName": "errors", "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors",
        "AlarmConfigurationUpdatedTimestamp": at, "ActionsEnabled": true,
        "OKActions": ["arn:aws:sns:eu-west-1:123456789012:ok"], "AlarmActions": [], "InsufficientDataActions": [],
        "StateValue": "INSUFFICIENT_DATA", "StateReason": "Unchecked: Initial alarm creation",
        "StateUpdatedTimestamp": at, "StateTransitionedTimestamp": at, "MetricName": "Errors", "Namespace": "App",
        "Statistic": "Sum", "Dimensions": [], "Period": 60, "EvaluationPeriods": 3, "DatapointsToAlarm": 2,
        "Threshold": 2.0, "ComparisonOperator": "GreaterThanThreshold"});
    assert_eq!(described(&mut world, "errors"), expected);
}

#[test]
fn it_alarms_and_recovers_with_awss_reasons_and_history() {
    let mut world = world();
    ask(&mut world, "PutMetricAlarm", errors_alarm(json!({}))).unwrap();
    report(&mut world, "Errors", &[0.0, 1.0, 0.0]);
    let ok = described(&mut world, "errors");
    assert_eq!(ok["StateValue"], "OK");
    report(&mut world, "Errors", &[5.0, 7.5]);
    let alarm = described(&mut world, "errors");
    assert_eq!(alarm["StateValue"], "ALARM");
    assert_eq!(
        alarm["StateReason"],
        "Threshold Crossed: 2 out of the last 3 datapoints [7.5 (27/11/26 18:04:00), 5.0 (27/11/26 18:03:00)] were \
         greater than the threshold (2.0) (minimum 2 datapoints for OK -> ALARM transition)."
    );
    let data: Value = serde_json::from_str(alarm["StateReasonData"].as_str().unwrap()).unwrap();
    assert_eq!(data["recentDatapoints"], json!([0.0, 5.0, 7.5]));
    assert_eq!((&data["statistic"], &data["period"], &data["threshold"]), (&json!("Sum"), &json!(60), &json!(2.0)));
    assert_eq!(data["startDate"], "2026-11-27T18:02:00.000+0000");
    let newest = json!({"timestamp": "2026-11-27T18:04:00.000+0000", "sampleCount": 1.0, "value": 7.5});
    assert_eq!(data["evaluatedDatapoints"][0], newest);
    report(&mut world, "Errors", &[0.0, 0.0]);
    let states = history(&mut world, "errors", "StateUpdate");
    let summaries: Vec<&str> = states.iter().map(|item| item["HistorySummary"].as_str().unwrap()).collect();
    let expected = [
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from INSUFFICIENT_DATA to OK",
    ];
    assert_eq!(summaries, expected);
    let data: Value = serde_json::from_str(states[0]["HistoryData"].as_str().unwrap()).unwrap();
    assert_eq!(data["oldState"]["stateReason"], alarm["StateReason"]);
    assert_eq!(data["newState"]["stateValue"], "OK");
    assert_eq!(data["newState"]["stateReasonData"]["version"], "1.0");
    let reason = data["newState"]["stateReason"].as_str().unwrap();
    assert!(
        reason
            .ends_with("were not greater than the threshold (2.0) (minimum 2 datapoints for ALARM -> OK transition)."),
        "{reason}"
    );
    let created = history(&mut world, "errors", "ConfigurationUpdate");
    assert_eq!(created[0]["HistorySummary"], "Alarm \"errors\" created");
    let data: Value = serde_json::from_str(created[0]["HistoryData"].as_str().unwrap()).unwrap();
    assert_eq!((&data["type"], &data["createdAlarm"]["metricName"]), (&json!("Create"), &json!("Errors")));
}

#[test]
fn silence_is_what_the_alarm_says_it_is() {
    let mut world = world();
    for treat in ["missing", "ignore", "breaching", "notBreaching"] {
        let more =
            json!({"AlarmName": treat, "TreatMissingData": treat, "EvaluationPeriods": 1, "DatapointsToAlarm": null});
        ask(&mut world, "PutMetricAlarm", errors_alarm(more)).unwrap();
    }
    report(&mut world, "Errors", &[9.0]);
    for treat in ["missing", "ignore", "breaching", "notBreaching"] {
        assert_eq!(described(&mut world, treat)["StateValue"], "ALARM", "{treat}");
    }
    world.advance_to(world.now + Duration::from_secs(300));
    for (treat, state, reason) in [
        ("missing", "INSUFFICIENT_DATA", "Insufficient Data: 1 datapoint was unknown."),
        (
            "notBreaching",
            "OK",
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as \
             [NonBreaching].",
        ),
        (
            "ignore",
            "ALARM",
            "Threshold Crossed: 1 datapoint [9.0 (27/11/26 18:00:00)] was greater than the threshold (2.0).",
        ),
    ] {
        let alarm = described(&mut world, treat);
        assert_eq!((&alarm["StateValue"], &alarm["StateReason"]), (&json!(state), &json!(reason)), "{treat}");
    }
    assert_eq!(described(&mut world, "breaching")["StateValue"], "ALARM");
}

#[test]
fn an_expression_and_a_percentile_are_watched_too() {
    let mut world = world();
    let metric = |id: &str, name: &str| {
        json!({"Id": id, "ReturnData": false,
            "MetricStat": {"Metric": {"Namespace": "App", "MetricName": name}, "Period": 60, "Stat": "Sum"}})
    };
    let ratio = json!({"Id": "ratio", "Expression": "100 * bad / all", "Label": "error rate"});
    let input = json!({"AlarmName": "rate", "EvaluationPeriods": 1, "Threshold": 10, "ComparisonOperator":
        "GreaterThanOrEqualToThreshold", "Metrics": [metric("bad", "Errors"), metric("all", "Calls"), ratio]});
    ask(&mut world, "PutMetricAlarm", input.clone()).unwrap();
    let p90 = json!({"AlarmName": "slow", "Namespace": "App", "MetricName": "Calls", "ExtendedStatistic": "p90", "Period":
        60, "EvaluationPeriods": 1, "Threshold": 50, "ComparisonOperator": "GreaterThanThreshold"});
    ask(&mut world, "PutMetricAlarm", p90).unwrap();
    let id = world.metrics.series("App", "Calls", &[], "Count");
    world.metrics.add(id, world.now, 100.0);
    report(&mut world, "Errors", &[10.0]);
    let alarm = described(&mut world, "rate");
    assert_eq!(
        (&alarm["StateValue"], &alarm["StateReason"]),
        (
            &json!("ALARM"),
            &json!(
                "Threshold Crossed: 1 datapoint [10.0 (27/11/26 18:00:00)] was greater than or equal to the threshold (10.0)."
            )
        )
    );
    assert_eq!((&alarm["Metrics"][2]["ReturnData"], alarm.get("MetricName")), (&json!(true), None));
    let slow = described(&mut world, "slow");
    assert_eq!((&slow["StateValue"], &slow["ExtendedStatistic"]), (&json!("ALARM"), &json!("p90")));
    let for_metric = json!({"Namespace": "App", "MetricName": "Calls"});
    // The alarm of the expression is on no metric.
    let found = ask(&mut world, "DescribeAlarmsForMetric", for_metric).unwrap();
    let names: Vec<&str> =
        found["MetricAlarms"].as_array().unwrap().iter().map(|a| a["AlarmName"].as_str().unwrap()).collect();
    assert_eq!(names, ["slow"]);
    let mut two = input;
    two["Metrics"][0]["ReturnData"] = true.into();
    assert_eq!(refused(&mut world, "PutMetricAlarm", two).0, "ValidationError");
}

#[test]
fn composite_alarms_follow_their_children() {
    let mut world = world();
    for name in ["errors", "latency"] {
        ask(&mut world, "PutMetricAlarm", errors_alarm(json!({"AlarmName": name}))).unwrap();
    }
    let rule = "ALARM(\"errors\") AND NOT ALARM(latency)";
    ask(&mut world, "PutCompositeAlarm", json!({"AlarmName": "page", "AlarmRule": rule})).unwrap();
    ask(&mut world, "PutCompositeAlarm", json!({"AlarmName": "outer", "AlarmRule": "ALARM(page) OR FALSE"})).unwrap();
    let page = described(&mut world, "page");
    assert_eq!(page["StateValue"], "OK");
    assert_eq!(
        page["StateReason"],
        "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:page was created and its alarm rule evaluates to OK"
    );
    let set = |name: &str, state: &str| json!({"AlarmName": name, "StateValue": state, "StateReason": "by hand"});
    ask(&mut world, "SetAlarmState", set("errors", "ALARM")).unwrap();
    let page = described(&mut world, "page");
    assert_eq!(
        page["StateReason"],
        "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors transitioned to ALARM at Friday 27 November, 2026 \
         18:00:00 UTC"
    );
    let mut alarm = world.cloudwatch.alarms.named("page").unwrap().clone();
    alarm.common.alarm_actions = vec!["arn:aws:sns:eu-west-1:123456789012:on-call".to_owned()];
    let told: Value = serde_json::from_str(&message::actions(&alarm, &alarm.state, &world.place)[0].message).unwrap();
    let state = json!({"Value": "ALARM", "Timestamp": "2026-11-27T18:00:00.000+0000"});
    let child = json!({"Arn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors", "State": state});
    assert_eq!(told["TriggeringChildren"], json!([child]), "not every alarm that the rule names");
    assert_eq!(
        (&page["StateValue"], &described(&mut world, "outer")["StateValue"]),
        (&json!("ALARM"), &json!("ALARM"))
    );
    ask(&mut world, "SetAlarmState", set("latency", "ALARM")).unwrap();
    assert_eq!(described(&mut world, "outer")["StateValue"], "OK");
    let only_metric = ask(&mut world, "DescribeAlarms", json!({})).unwrap();
    assert_eq!(
        (only_metric["MetricAlarms"].as_array().unwrap().len(), &only_metric["CompositeAlarms"]),
        (2, &json!([]))
    );
    let children = ask(&mut world, "DescribeAlarms", json!({"ChildrenOfAlarmName": "page"})).unwrap();
    assert_eq!(children["MetricAlarms"][1]["StateValue"], "ALARM");
    assert_eq!(children["MetricAlarms"][1].get("MetricName"), None);
    let parents = ask(&mut world, "DescribeAlarms", json!({"ParentsOfAlarmName": "page"})).unwrap();
    assert_eq!(parents["CompositeAlarms"][0]["AlarmName"], "outer");
    let message = "Cannot delete page as there are composite alarm(s) depending on it.".to_owned();
    assert_eq!(refused(&mut world, "DeleteAlarms", json!({"AlarmNames": ["page"]})), ("ValidationError", message));
    let (_, message) = refused(&mut world, "PutCompositeAlarm", json!({"AlarmName": "x", "AlarmRule": "OK(ghost)"}));
    assert_eq!(message, "Could not save the composite alarm as alarms [ghost] in the alarm rule do not exist");
}

#[test]
fn actions_are_carried_out_and_noted_unless_they_are_disabled() {
    let mut world = world();
    let (lambda, mut cx) = world.lambda_cx();
    lambda.create_function(&mut cx, "healer", Config::default(), b"zip", Behaviour::default()).unwrap();
    let (healer, ghost) = (
        "arn:aws:lambda:eu-west-1:123456789012:function:healer",
        "arn:aws:lambda:eu-west-1:123456789012:function:ghost",
    );
    ask(&mut world, "PutMetricAlarm", errors_alarm(json!({"AlarmActions": [healer, ghost]}))).unwrap();
    let set = |state: &str| json!({"AlarmName": "errors", "StateValue": state, "StateReason": "testing alarm"});
    ask(&mut world, "SetAlarmState", set("ALARM")).unwrap();
    let begun = world.lambda.invocations_begun();
    world.advance_to(world.now + Duration::from_secs(3));
    assert_eq!(world.lambda.invocations_begun(), begun + 1);
    let summaries: Vec<String> = history(&mut world, "errors", "Action")
        .iter()
        .map(|item| item["HistorySummary"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(summaries[1], format!("Successfully executed action {healer}"));
    assert!(summaries[0].starts_with(&format!("Failed to execute action {ghost}. ")), "{summaries:?}");
    ask(&mut world, "DisableAlarmActions", json!({"AlarmNames": ["errors"]})).unwrap();
    ask(&mut world, "SetAlarmState", set("OK")).unwrap();
    ask(&mut world, "SetAlarmState", set("ALARM")).unwrap();
    assert_eq!(history(&mut world, "errors", "Action").len(), 2);
    assert_eq!(described(&mut world, "errors")["ActionsEnabled"], false);
}

#[test]
fn a_topic_is_told_in_awss_words() {
    let mut world = world();
    let topic = "arn:aws:sns:eu-west-1:123456789012:on-call";
    let more = json!({"AlarmActions": [topic], "AlarmDescription": "too many errors", "Unit": "Count"});
    ask(&mut world, "PutMetricAlarm", errors_alarm(more)).unwrap();
    let alarm = world.cloudwatch.alarms.named("errors").unwrap().clone();
    let old = alarm.state.clone();
    let mut alarm = alarm;
    alarm.state.value = StateValue::Alarm;
    let action = &message::actions(&alarm, &old, &world.place)[0];
    assert_eq!(action.subject, "ALARM: \"errors\" in EU (Ireland)");
    let message: Value = serde_json::from_str(&action.message).unwrap();
    assert_eq!((&message["NewStateValue"], &message["OldStateValue"]), (&json!("ALARM"), &json!("INSUFFICIENT_DATA")));
    assert_eq!(message["ActionExecutedAfterMuteWindow"], false, "no rule mutes it");
    assert_eq!((&message["Region"], &message["AWSAccountId"]), (&json!("EU (Ireland)"), &json!("123456789012")));
    let trigger = json!({"MetricName": "Errors", "Namespace": "App", "StatisticType": "Statistic", "Statistic": "SUM",
        "Unit": "Count", "Dimensions": [], "Period": 60, "EvaluationPeriods": 3, "DatapointsToAlarm": 2,
        "ComparisonOperator": "GreaterThanThreshold", "Threshold": 2.0, "TreatMissingData": "missing",
        "EvaluateLowSampleCountPercentile": ""});
    assert_eq!(message["Trigger"], trigger);
}

#[test]
fn listing_pages_and_filters() {
    let mut world = world();
    for n in 0..120 {
        let more =
            json!({"AlarmName": format!("a{n:03}"), "AlarmActions": [format!("arn:aws:sns:eu-west-1:1:t{}", n % 2)]});
        ask(&mut world, "PutMetricAlarm", errors_alarm(more)).unwrap();
    }
    let first = ask(&mut world, "DescribeAlarms", json!({})).unwrap();
    assert_eq!(first["MetricAlarms"].as_array().unwrap().len(), 100);
    let second = ask(&mut world, "DescribeAlarms", json!({"NextToken": first["NextToken"]})).unwrap();
    assert_eq!((second["MetricAlarms"].as_array().unwrap().len(), second.get("NextToken")), (20, None));
    for (input, count) in [
        (json!({"AlarmNamePrefix": "a01"}), 10),
        (json!({"StateValue": "ALARM"}), 0),
        (json!({"ActionPrefix": "arn:aws:sns:eu-west-1:1:t1"}), 60),
        (json!({"AlarmNames": ["a005", "nobody"]}), 1),
        (json!({"AlarmTypes": ["CompositeAlarm"]}), 0),
    ] {
        let found = ask(&mut world, "DescribeAlarms", input.clone()).unwrap();
        assert_eq!(found["MetricAlarms"].as_array().unwrap().len(), count, "{input}");
    }
    ask(&mut world, "DeleteAlarms", json!({"AlarmNames": ["a000", "a001", "nobody"]})).unwrap();
    assert_eq!(described(&mut world, "a000"), Value::Null);
    let mut history = Vec::new();
    let mut input = json!({"MaxRecords": 50, "ScanBy": "TimestampAscending"});
    loop {
        let page = ask(&mut world, "DescribeAlarmHistory", input.clone()).unwrap();
        history.extend(page["AlarmHistoryItems"].as_array().unwrap().clone());
        let Some(token) = page.get("NextToken") else { break };
        input["NextToken"] = token.clone();
    }
    assert_eq!(history.len(), 122);
    assert_eq!(history[121]["HistorySummary"], "Alarm \"a001\" deleted");
}

#[test]
fn what_alarms_refuse() {
    let mut world = world();
    ask(&mut world, "PutMetricAlarm", errors_alarm(json!({}))).unwrap();
    for (more, code) in [
        (json!({"AlarmName": null}), "MissingParameter"),
        (json!({"Statistic": null}), "MissingParameter"),
        (json!({"Threshold": null}), "MissingParameter"),
        (json!({"ExtendedStatistic": "p90"}), "InvalidParameterCombination"),
        (json!({"Period": 61}), "ValidationError"),
        (json!({"Period": 5}), "ValidationError"),
        (json!({"EvaluationPeriods": 0}), "ValidationError"),
        (json!({"EvaluationPeriods": 1441}), "ValidationError"),
        (json!({"DatapointsToAlarm": 4}), "ValidationError"),
        (json!({"ComparisonOperator": "Greater"}), "ValidationError"),
        (json!({"TreatMissingData": "zero"}), "ValidationError"),
        (json!({"AlarmActions": ["on-call"]}), "ValidationError"),
        (json!({"Metrics": []}), "ValidationError"),
        (json!({"Period": "sixty"}), "SerializationException"),
    ] {
        assert_eq!(refused(&mut world, "PutMetricAlarm", errors_alarm(more.clone())).0, code, "{more}");
    }
    let state = json!({"AlarmName": "errors", "StateValue": "INVALID", "StateReason": "x"});
    assert_eq!(
        refused(&mut world, "SetAlarmState", state),
        (
            "ValidationError",
            "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must \
             satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"
                .to_owned()
        )
    );
    let ghost = json!({"AlarmName": "ghost", "StateValue": "OK", "StateReason": "x"});
    assert_eq!(ask(&mut world, "SetAlarmState", ghost).unwrap_err().status, 404);
    let data = json!({"AlarmName": "errors", "StateValue": "OK", "StateReason": "x", "StateReasonData": "{"});
    assert_eq!(refused(&mut world, "SetAlarmState", data).0, "InvalidFormat");
    for (operation, input) in
        [("DescribeAlarms", json!({"NextToken": "?"})), ("DescribeAlarmHistory", json!({"NextToken": "bm8="}))]
    {
        assert_eq!(refused(&mut world, operation, input).0, "InvalidNextToken");
    }
}

#[test]
fn tags_are_kept_with_the_alarm() {
    let mut world = world();
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    ask(&mut world, "PutMetricAlarm", errors_alarm(json!({"Tags": [tag("team", "orders")]}))).unwrap();
    let arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors";
    ask(&mut world, "TagResource", json!({"ResourceARN": arn, "Tags": [tag("tier", "1")]})).unwrap();
    ask(&mut world, "UntagResource", json!({"ResourceARN": arn, "TagKeys": ["team"]})).unwrap();
    let tags = ask(&mut world, "ListTagsForResource", json!({"ResourceARN": arn})).unwrap();
    assert_eq!(tags, json!({"Tags": [tag("tier", "1")]}));
    let ghost = json!({"ResourceARN": format!("{arn}x"), "TagKeys": ["team"]});
    assert_eq!(ask(&mut world, "ListTagsForResource", ghost.clone()).unwrap(), json!({"Tags": []}));
    assert_eq!(refused(&mut world, "UntagResource", ghost).0, "ResourceNotFoundException");
}

#[test]
fn history_and_looking_are_bounded_and_end_with_the_alarms() {
    let mut world = world();
    ask(&mut world, "PutMetricAlarm", errors_alarm(json!({}))).unwrap();
    let set = |state: &str| json!({"AlarmName": "errors", "StateValue": state, "StateReason": "flap"});
    for _ in 0..6_000 {
        ask(&mut world, "SetAlarmState", set("ALARM")).unwrap();
        ask(&mut world, "SetAlarmState", set("OK")).unwrap();
    }
    assert_eq!(world.cloudwatch.alarms.history().count(), 10_000);
    ask(&mut world, "DeleteAlarms", json!({"AlarmNames": ["errors"]})).unwrap();
    world.advance_to(world.now + Duration::from_secs(120));
    assert!(world.agenda.is_empty(), "without alarms nobody looks");
    world.advance_to(world.now + Duration::from_secs(31 * 86_400));
    ask(&mut world, "PutMetricAlarm", errors_alarm(json!({}))).unwrap();
    assert_eq!(world.cloudwatch.alarms.history().count(), 1);
}

#[test]
fn a_suppressor_holds_back_the_actions_of_a_composite_alarm() {
    let mut world = world();
    for name in ["errors", "deploy"] {
        let alarm = errors_alarm(json!({"AlarmName": name, "TreatMissingData": "ignore"}));
        ask(&mut world, "PutMetricAlarm", alarm).unwrap();
    }
    let composite = json!({"AlarmName": "page", "AlarmRule": "ALARM(errors)", "ActionsSuppressor": "deploy",
        "ActionsSuppressorWaitPeriod": 60, "ActionsSuppressorExtensionPeriod": 120,
        "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:pager"]});
    ask(&mut world, "PutCompositeAlarm", composite).unwrap();
    let set = |world: &mut World, name: &str, value: &str| {
        let input = json!({"AlarmName": name, "StateValue": value, "StateReason": "by hand"});
        ask(world, "SetAlarmState", input).unwrap();
    };
    let look = |world: &mut World| {
        let page = described(world, "page");
        let by = page["ActionsSuppressedBy"].as_str().unwrap_or("nobody").to_owned();
        (page["StateValue"].as_str().unwrap().to_owned(), by, history(world, "page", "Action").len())
    };
    let wait = |world: &mut World, s: u64| world.advance_to(world.now + Duration::from_secs(s));
    let of = |value: &str, by: &str, actions| (value.to_owned(), by.to_owned(), actions);
    set(&mut world, "errors", "ALARM");
    assert_eq!(look(&mut world), of("ALARM", "WaitPeriod", 0));
    wait(&mut world, 80);
    assert_eq!(look(&mut world), of("ALARM", "nobody", 1));
    set(&mut world, "errors", "OK");
    set(&mut world, "deploy", "ALARM");
    set(&mut world, "errors", "ALARM");
    wait(&mut world, 600);
    assert_eq!(look(&mut world), of("ALARM", "Alarm", 1));
    set(&mut world, "deploy", "OK");
    assert_eq!(look(&mut world), of("ALARM", "ExtensionPeriod", 1));
    wait(&mut world, 140);
    assert_eq!(look(&mut world), of("ALARM", "nobody", 2));
}

#[test]
fn what_a_composite_needs_is_deleted_with_it_or_after_it() {
    let mut world = world();
    for name in ["a", "b", "free"] {
        ask(&mut world, "PutMetricAlarm", errors_alarm(json!({"AlarmName": name}))).unwrap();
    }
    let page = json!({"AlarmName": "page", "AlarmRule": "ALARM(a) OR ALARM(b)"});
    ask(&mut world, "PutCompositeAlarm", page).unwrap();
    let mut refusal = |names: &[&str]| refused(&mut world, "DeleteAlarms", json!({"AlarmNames": names}));
    let message = |of: &str| ("ValidationError", format!("Cannot delete {of}."));
    assert_eq!(refusal(&["free", "a"]), message("a as there are composite alarm(s) depending on it"));
    assert_eq!(refusal(&["a", "free", "b"]), message("a,b as there are composite alarm(s) depending on them"));
    assert_ne!(described(&mut world, "free"), Value::Null, "nothing of a refused call is deleted");
    ask(&mut world, "DeleteAlarms", json!({"AlarmNames": ["a", "page"]})).unwrap();
    assert_eq!(described(&mut world, "a"), Value::Null);
    ask(&mut world, "DeleteAlarms", json!({"AlarmNames": ["b", "free"]})).unwrap();
}
