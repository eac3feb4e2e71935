//! CloudWatch's operations as a client meets them.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::wire::answer;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::wire::{Call, Reply, Request};
use crate::sim::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// An account at 18:00 that sold 0, 1, 2, … 9 rooms in the ten minutes before, and timed each sale.
fn world() -> World {
    let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    let mut world = World::new(1, start, place);
    let sold = world.metrics.series("App", "Sold", &[("Hotel", "h1")], "Count");
    let took = world.metrics.series("App", "Took", &[], "Milliseconds");
    for i in 0..10_u32 {
        let at = start - Duration::from_secs(600) + Duration::from_secs(60 * u64::from(i));
        world.metrics.add(sold, at, f64::from(i));
        (0..=100).for_each(|ms| world.metrics.add(took, at, f64::from(ms)));
    }
    world
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

fn refused(world: &mut World, operation: &str, input: Value) -> (&'static str, String) {
    let error = ask(world, operation, input.clone()).expect_err(&input.to_string());
    (error.query_code.unwrap_or(error.code), error.message)
}

fn query(id: &str, name: &str, stat: &str, period_s: u32) -> Value {
    let dimensions = if name == "Sold" { json!([{"Name": "Hotel", "Value": "h1"}]) } else { json!([]) };
    let metric = json!({"Namespace": "App", "MetricName": name, "Dimensions": dimensions});
    json!({"Id": id, "MetricStat": {"Metric": metric, "Period": period_s, "Stat": stat}})
}

/// The last ten minutes of each query.
fn get(world: &World, queries: &[Value]) -> Value {
    let end = world.now.secs_f64();
    json!({"MetricDataQueries": queries, "StartTime": end - 600.0, "EndTime": end})
}

#[test]
fn both_orders_of_time_and_longer_periods() {
    let mut world = world();
    let mut input = get(&world, &[query("a", "Sold", "Sum", 60), query("b", "Sold", "Average", 300)]);
    let down = ask(&mut world, "GetMetricData", input.clone()).unwrap();
    assert_eq!(down["MetricDataResults"][0]["Values"], json!([9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]));
    input["ScanBy"] = "TimestampAscending".into();
    let up = ask(&mut world, "GetMetricData", input).unwrap();
    assert_eq!(up["MetricDataResults"][1]["Values"], json!([2.0, 7.0]));
    let start = world.now.secs_f64() - 600.0;
    assert_eq!(up["MetricDataResults"][1]["Timestamps"], json!([start, start + 300.0]));
    assert_eq!(up["MetricDataResults"][1]["StatusCode"], "Complete");
    assert_eq!(up["MetricDataResults"][1]["Label"], "Sold Average 300");
}

#[test]
fn pages_join_to_the_whole_though_time_passes_between_them() {
    let mut world = world();
    let whole = get(&world, &[query("a", "Sold", "Sum", 60), query("b", "Took", "Maximum", 60)]);
    let mut input = whole.clone();
    input["MaxDatapoints"] = 7.into();
    let (mut pages, mut joined) = (0, [vec![], vec![]]);
    loop {
        let page = ask(&mut world, "GetMetricData", input.clone()).unwrap();
        pages += 1;
        for result in page["MetricDataResults"].as_array().unwrap() {
            let into = usize::from(result["Id"] == "b");
            joined[into].extend(result["Values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()));
        }
        let Some(token) = page.get("NextToken") else { break };
        input["NextToken"] = token.clone();
        world.advance_to(world.now + Duration::from_secs(60));
        let sold = world.metrics.series("App", "Sold", &[("Hotel", "h1")], "Count");
        world.metrics.add(sold, world.now, 99.0);
    }
    assert_eq!(pages, 3);
    assert_eq!(joined[0], (0..10).rev().map(f64::from).collect::<Vec<_>>());
    assert_eq!(joined[1], [100.0; 10]);
    let mut foreign = get(&world, &[query("other", "Sold", "Sum", 60)]);
    foreign["NextToken"] = input["NextToken"].clone();
    assert_eq!(refused(&mut world, "GetMetricData", foreign).0, "InvalidNextToken");
}

#[test]
fn percentiles_come_with_the_rest() {
    let mut world = world();
    let input = get(&world, &[query("p", "Took", "p90", 600), query("n", "Took", "SampleCount", 600)]);
    let answer = ask(&mut world, "GetMetricData", input).unwrap();
    let p90 = answer["MetricDataResults"][0]["Values"][0].as_f64().unwrap();
    assert!((p90 - 90.0).abs() < 1.0, "{p90}");
    assert_eq!(answer["MetricDataResults"][1]["Values"], json!([1010.0]));
}

#[test]
fn expressions_work_over_metrics_and_over_each_other() {
    let mut world = world();
    let mut hidden = query("sold", "Sold", "Sum", 300);
    hidden["ReturnData"] = false.into();
    let half = json!({"Id": "half", "Expression": "twice / 4", "Label": "half of it"});
    let twice = json!({"Id": "twice", "Expression": "sold * 2"});
    let answer = {
        let input = get(&world, &[half.clone(), twice, hidden]);
        ask(&mut world, "GetMetricData", input).unwrap()
    };
    let results = answer["MetricDataResults"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!((&results[0]["Label"], &results[0]["Values"]), (&json!("half of it"), &json!([17.5, 5.0])));
    assert_eq!((&results[1]["Label"], &results[1]["Values"]), (&json!("twice"), &json!([70.0, 20.0])));
    for twice in ["half * 2", "nobody + 1", "1 +", "SELECT AVG(x) FROM"] {
        let input = get(&world, &[half.clone(), json!({"Id": "twice", "Expression": twice})]);
        let (code, message) = refused(&mut world, "GetMetricData", input);
        assert_eq!(code, "ValidationError", "{twice}");
        assert!(message.starts_with("Error in expression '"), "{message}");
    }
}

#[test]
fn dashboards_are_kept_as_they_come() {
    let mut world = world();
    let body = r#"{"widgets":[]}"#;
    let put = json!({"DashboardName": "orders", "DashboardBody": body});
    let answer = ask(&mut world, "PutDashboard", put).unwrap();
    assert_eq!(answer, json!({"DashboardValidationMessages": []}));
    let got = ask(&mut world, "GetDashboard", json!({"DashboardName": "orders"})).unwrap();
    let arn = "arn:aws:cloudwatch::123456789012:dashboard/orders";
    assert_eq!(got, json!({"DashboardArn": arn, "DashboardBody": body, "DashboardName": "orders"}));
    let listed = ask(&mut world, "ListDashboards", json!({"DashboardNamePrefix": "ord"})).unwrap();
    let entry =
        json!({"DashboardName": "orders", "DashboardArn": arn, "LastModified": world.now.secs_f64(), "Size": 14});
    assert_eq!(listed, json!({"DashboardEntries": [entry]}));
    for (operation, input, code) in [
        ("PutDashboard", json!({"DashboardName": "a b", "DashboardBody": body}), "InvalidParameterValue"),
        ("PutDashboard", json!({"DashboardName": "a", "DashboardBody": "[]"}), "InvalidParameterInput"),
        ("GetDashboard", json!({"DashboardName": "ghost"}), "ResourceNotFound"),
        ("DeleteDashboards", json!({"DashboardNames": ["orders", "ghost"]}), "ResourceNotFound"),
    ] {
        assert_eq!(refused(&mut world, operation, input).0, code);
    }
    ask(&mut world, "DeleteDashboards", json!({"DashboardNames": ["orders"]})).unwrap();
    assert_eq!(ask(&mut world, "ListDashboards", json!({})).unwrap(), json!({"DashboardEntries": []}));
}

/// A label's text for the last ten minutes of `Sold`.
fn labelled(world: &mut World, label: &str) -> String {
    let mut labelled = query("a", "Sold", "Sum", 60);
    labelled["Label"] = label.into();
    let input = get(world, &[labelled]);
    let answer = ask(world, "GetMetricData", input).unwrap();
    answer["MetricDataResults"][0]["Label"].as_str().unwrap().to_owned()
}

#[test]
fn labels_tell_metrics_apart_and_are_filled() {
    let mut world = world();
    for ((stat, period_s), labels) in [
        (("Minimum", 30), ["Sold Sum 60", "Sold Minimum 30"]),
        (("Minimum", 60), ["Sold Sum", "Sold Minimum"]),
        (("Sum", 300), ["Sold 60", "Sold 300"]),
        (("Sum", 60), ["Sold", "Sold"]),
    ] {
        let input = get(&world, &[query("a", "Sold", "Sum", 60), query("b", "Sold", stat, period_s)]);
        let answer = ask(&mut world, "GetMetricData", input).unwrap();
        let found = [0, 1].map(|index| answer["MetricDataResults"][index]["Label"].as_str().unwrap().to_owned());
        assert_eq!(found, labels);
    }
    for (label, filled) in [
        ("${LABEL}: max ${MAX}, last ${LAST} of ${DATAPOINT_COUNT}", "Sold: max 9, last 9 of 10"),
        ("${PROP('Dim.Hotel')} ${PROP('Stat')} ${PROP('Period')} ${PROP('Region')}", "h1 Sum 60 eu-west-1"),
        ("${AVG} ${FIRST} ${MIN_MAX_RANGE} ${MAX_TIME}", "4.5 0 9 2026-11-27T17:59:00Z"),
        ("${NOTHING} ${ $", "${NOTHING} ${ $"),
    ] {
        assert_eq!(labelled(&mut world, label), filled);
    }
}

#[test]
fn of_several_units_one_is_answered_and_all_are_named() {
    let mut world = world();
    for (unit, value) in [("Milliseconds", 60_000.0), ("Seconds", 60.0)] {
        let id = world.metrics.series("App", "Mixed", &[], unit);
        world.metrics.add(id, world.now - Duration::from_secs(60), value);
    }
    let input = get(&world, &[query("a", "Mixed", "Sum", 60)]);
    let answer = ask(&mut world, "GetMetricData", input).unwrap();
    let result = &answer["MetricDataResults"][0];
    assert_eq!(result["Values"], json!([60_000.0]));
    let value = "Multiple units returned: '[Milliseconds, Seconds]'";
    assert_eq!(result["Messages"], json!([{"Code": "MultipleUnits", "Value": value}]));
}

#[test]
fn what_get_metric_data_refuses() {
    let mut world = world();
    let good = query("a", "Sold", "Sum", 60);
    let changed = |pointer: &str, value: Value| {
        let mut query = good.clone();
        *query.pointer_mut(pointer).unwrap() = value;
        query
    };
    let both = {
        let mut both = good.clone();
        both["Expression"] = "a".into();
        both
    };
    let wrong = [
        vec![],
        vec![good.clone(), good.clone()],
        vec![changed("/Id", "1a".into())],
        vec![changed("/Id", "A".into())],
        vec![changed("/Id", "a-b".into())],
        vec![changed("/MetricStat/Stat", "Averge".into())],
        vec![changed("/MetricStat/Stat", "p101".into())],
        vec![changed("/MetricStat/Period", 61.into())],
        vec![changed("/MetricStat/Metric/Namespace", "".into())],
        vec![changed("/MetricStat/Metric", json!({}))],
        vec![both],
        vec![json!({"Id": "a"})],
    ];
    for queries in wrong {
        let input = get(&world, &queries);
        assert_eq!(refused(&mut world, "GetMetricData", input).0, "ValidationError", "{queries:?}");
    }
    let mut same = get(&world, std::slice::from_ref(&good));
    same["StartTime"] = same["EndTime"].clone();
    let (code, message) = refused(&mut world, "GetMetricData", same);
    assert_eq!((code, &*message), ("ValidationError", "The parameter StartTime must not equal parameter EndTime."));
    for wrong in [json!({"MetricDataQueries": "a"}), json!({"MetricDataQueries": [1]})] {
        assert_eq!(refused(&mut world, "GetMetricData", wrong).0, "SerializationException");
    }
    let too_fine_for_its_age = json!({"MetricDataQueries": [good], "StartTime": 0, "EndTime": world.now.secs_f64()});
    let answer = ask(&mut world, "GetMetricData", too_fine_for_its_age).unwrap();
    assert_eq!(answer["MetricDataResults"][0]["Values"], json!([]), "no data, and no error");
}

#[test]
fn statistics_of_one_metric() {
    let mut world = world();
    let end = world.now.secs_f64();
    let mut input = json!({"Namespace": "App", "MetricName": "Took", "StartTime": end - 600.0, "EndTime": end,
        "Period": 600, "Statistics": ["Average", "Maximum"]});
    let answer = ask(&mut world, "GetMetricStatistics", input.clone()).unwrap();
    let point = json!({"Timestamp": end - 600.0, "Average": 50.0, "Maximum": 100.0, "Unit": "Milliseconds"});
    assert_eq!(answer, json!({"Label": "Took", "Datapoints": [point]}));

    input["ExtendedStatistics"] = json!(["p50"]);
    assert_eq!(refused(&mut world, "GetMetricStatistics", input.clone()).0, "InvalidParameterCombination");
    input["Statistics"] = Value::Null;
    let answer = ask(&mut world, "GetMetricStatistics", input.clone()).unwrap();
    let median = answer["Datapoints"][0]["ExtendedStatistics"]["p50"].as_f64().unwrap();
    assert!((median - 50.0).abs() < 1.0, "{median}");

    input["StartTime"] = (end - 86_400.0 * 2.0).into();
    input["Period"] = 60.into();
    let (code, message) = refused(&mut world, "GetMetricStatistics", input);
    assert_eq!(code, "InvalidParameterCombination");
    assert!(message.starts_with("You have requested up to 2880 datapoints, which exceeds the limit of 1440."));
}

#[test]
fn listing_filters_and_pages() {
    let mut world = world();
    for i in 0..600 {
        let id = world.metrics.series("Many", &format!("M{i:03}"), &[("A", "1"), ("B", "2")], "None");
        world.metrics.add(id, world.now, 1.0);
    }
    let first = ask(&mut world, "ListMetrics", json!({"Namespace": "Many"})).unwrap();
    assert_eq!(first["Metrics"].as_array().unwrap().len(), 500);
    let token = first["NextToken"].clone();
    let second = ask(&mut world, "ListMetrics", json!({"Namespace": "Many", "NextToken": token})).unwrap();
    assert_eq!(second["Metrics"].as_array().unwrap().len(), 100);
    assert_eq!((&second["Metrics"][0]["MetricName"], second.get("NextToken")), (&json!("M500"), None));
    let filtered = |dimensions: Value| json!({"Dimensions": dimensions, "MetricName": "M001"});
    for (dimensions, found) in [
        (json!([{"Name": "A"}]), 1),
        (json!([{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}]), 1),
        (json!([{"Name": "A", "Value": "2"}]), 0),
        (json!([{"Name": "C"}]), 0),
    ] {
        let answer = ask(&mut world, "ListMetrics", filtered(dimensions.clone())).unwrap();
        assert_eq!(answer["Metrics"].as_array().unwrap().len(), found, "{dimensions}");
    }
    assert_eq!(refused(&mut world, "ListMetrics", json!({"RecentlyActive": "PT4H"})).0, "InvalidParameterValue");
    assert_eq!(refused(&mut world, "ListMetrics", json!({"NextToken": "?"})).0, "InvalidParameterValue");
}

#[test]
fn put_keeps_all_or_nothing() {
    let mut world = world();
    let at = world.now.secs_f64();
    let good = json!({"MetricName": "Q", "Values": [1.0, 2.0], "Counts": [3.0, 1.0], "Timestamp": at});
    let wrong = [
        (json!({"MetricName": "Q"}), "MissingParameter"),
        (json!({"Value": 1.0}), "MissingParameter"),
        (json!({"MetricName": "Q", "Value": "NaN"}), "InvalidParameterValue"),
        (json!({"MetricName": "Q", "Value": 1.0, "Unit": "Rooms"}), "InvalidParameterValue"),
        (json!({"MetricName": "Q", "Value": 1.0, "StorageResolution": 5}), "InvalidParameterValue"),
        (json!({"MetricName": "Q", "Value": 1.0, "Timestamp": at + 7300.0}), "InvalidParameterValue"),
        (json!({"MetricName": "Q", "Value": 1.0, "Timestamp": at - 15.0 * 86_400.0}), "InvalidParameterValue"),
        (json!({"MetricName": "Q", "Values": [1.0], "Counts": [1.0, 2.0]}), "InvalidParameterValue"),
        (json!({"MetricName": "Q", "Value": 1.0, "Values": [1.0]}), "InvalidParameterCombination"),
        (json!({"MetricName": "Q", "StatisticValues": {"SampleCount": 1.0}}), "MissingParameter"),
        (json!({"MetricName": "Q", "Value": true}), "SerializationException"),
    ];
    for (datum, code) in wrong {
        let input = json!({"Namespace": "Shop", "MetricData": [good, datum]});
        assert_eq!(refused(&mut world, "PutMetricData", input).0, code, "{datum}");
    }
    let reserved = json!({"Namespace": "AWS/SQS", "MetricData": [good]});
    assert_eq!(refused(&mut world, "PutMetricData", reserved).0, "InvalidParameterValue");
    assert_eq!(ask(&mut world, "ListMetrics", json!({"Namespace": "Shop"})).unwrap()["Metrics"], json!([]));

    let set = json!({"SampleCount": 2.0, "Sum": 30.0, "Minimum": 10.0, "Maximum": 20.0});
    let both = json!({"MetricName": "Both", "Values": [1.0, 10.0], "StatisticValues": set});
    assert!(ask(&mut world, "PutMetricData", json!({"Namespace": "Club", "MetricData": [both]})).is_ok());
    let set = json!({"MetricName": "Q", "StatisticValues": set, "Timestamp": at});
    let answer = ask(&mut world, "PutMetricData", json!({"Namespace": "Shop", "MetricData": [good, set]})).unwrap();
    assert_eq!(answer, Value::Null);
    let input = json!({"Namespace": "Shop", "MetricName": "Q", "StartTime": at, "EndTime": at + 60.0, "Period": 60,
        "Statistics": ["SampleCount", "Sum", "Minimum", "Maximum"]});
    let answer = ask(&mut world, "GetMetricStatistics", input).unwrap();
    let point = &answer["Datapoints"][0];
    assert_eq!((&point["SampleCount"], &point["Sum"]), (&json!(6.0), &json!(35.0)));
    assert_eq!((&point["Minimum"], &point["Maximum"]), (&json!(1.0), &json!(20.0)));
}

#[test]
fn published_rates_throttle_and_limits_off_lifts_them() {
    let mut world = world();
    let mut ok = 0;
    let refusal = loop {
        match ask(&mut world, "ListMetrics", json!({})) {
            Ok(_) => ok += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(
        (ok, refusal.code, refusal.status, &*refusal.message),
        (25, "ThrottlingException", 400, "Rate exceeded")
    );
    world.place.limits = false;
    assert!((0..100).all(|_| ask(&mut world, "ListMetrics", json!({})).is_ok()));
}

/// An account in which three queues of one kind and an unlike one have had messages for five minutes.
fn with_queues() -> World {
    let mut world = world();
    for (name, value) in [("orders", 3.0), ("orders-dlq", 9.0), ("refunds", 6.0)] {
        for metric in ["ApproximateNumberOfMessagesVisible", "NumberOfMessagesSent"] {
            let series = world.metrics.series("AWS/SQS", metric, &[("QueueName", name)], "Count");
            (2..7).for_each(|minute| world.metrics.add(series, world.now - Duration::from_secs(60 * minute), value));
        }
    }
    world
}

/// Label and values of each result, and that all have the id.
fn results(world: &mut World, id: &str, queries: &[Value]) -> Vec<(String, Value)> {
    let input = get(world, queries);
    let answer = ask(world, "GetMetricData", input).unwrap();
    let all = answer["MetricDataResults"].as_array().unwrap();
    assert!(all.iter().all(|result| result["Id"] == id), "{answer}");
    all.iter().map(|result| (result["Label"].as_str().unwrap().to_owned(), result["Values"].clone())).collect()
}

#[test]
fn a_search_answers_with_each_series_that_it_finds() {
    let mut world = with_queues();
    let visible = r#"SEARCH('{AWS/SQS,QueueName} MetricName="ApproximateNumberOfMessagesVisible"', 'Average', 300)"#;
    let search = |expression: &str| vec![json!({"Id": "e", "Expression": expression})];
    let labelled = |results: &[(String, Value)]| results.iter().map(|(label, _)| label.clone()).collect::<Vec<_>>();
    let found = results(&mut world, "e", &search(visible));
    assert_eq!(labelled(&found), ["orders", "orders-dlq", "refunds"]);
    assert_eq!(found[1].1, json!([9.0, 9.0]));
    let found = results(&mut world, "e", &search(&format!("SLICE(SORT({visible}, MAX, DESC), 0, 2)")));
    assert_eq!(labelled(&found), ["orders-dlq", "refunds"]);
    let found = results(&mut world, "e", &search("SEARCH('QueueName=dlq NOT sent', 'Sum', 60) * 2"));
    assert_eq!(found, [("ApproximateNumberOfMessagesVisible".into(), json!([18.0, 18.0, 18.0, 18.0, 18.0]))]);
    let mut named = search(visible);
    named[0]["Label"] = "Visible".into();
    assert_eq!(results(&mut world, "e", &named)[0].0, "Visible orders");
    named[0]["Label"] = "${PROP('Dim.QueueName')} ${PROP('Stat')} ${MAX}".into();
    assert_eq!(results(&mut world, "e", &named)[2].0, "refunds Average 6");
    // Of the sum, by way of another query: an array of one series is still an array.
    let inner = json!({"Id": "one", "Expression": "SEARCH('\"orders\" visible', 'Average', 60)", "ReturnData": false});
    let sum = json!({"Id": "e", "Expression": "SUM(one)"});
    assert_eq!(results(&mut world, "e", &[sum, inner]), [("e".into(), json!([3.0, 3.0, 3.0, 3.0, 3.0]))]);
    assert_eq!(results(&mut world, "e", &search("SEARCH('{AWS/EC2}', 'Sum')")), []);
    for broken in ["SEARCH('', 'Sum')", "SEARCH('a', 'Total')", "SEARCH('a', 'Sum', 7)", "SEARCH('(a', 'Sum')"] {
        let input = get(&world, &search(broken));
        assert_eq!(refused(&mut world, "GetMetricData", input).0, "ValidationError", "{broken}");
    }
}

#[test]
fn an_alarm_cannot_search() {
    let mut world = world();
    let metrics = json!([{"Id": "e", "Expression": "SUM(SEARCH('Sold', 'Sum', 60))"}]);
    let alarm = json!({"AlarmName": "a", "EvaluationPeriods": 1, "Threshold": 1.0, "Metrics": metrics,
        "ComparisonOperator": "GreaterThanThreshold"});
    let message = "SEARCH is not supported on Metric Alarms.".to_owned();
    assert_eq!(refused(&mut world, "PutMetricAlarm", alarm), ("ValidationError", message));
}

#[test]
fn a_query_in_sql_finds_groups_and_orders_metrics_by_itself() {
    let mut world = with_queues();
    let sql = |text: &str| vec![json!({"Id": "e", "Expression": text, "Period": 300})];
    let visible = r#"SELECT MAX(ApproximateNumberOfMessagesVisible) FROM SCHEMA("AWS/SQS", QueueName)"#;
    assert_eq!(results(&mut world, "e", &sql(visible)), [("e".into(), json!([9.0, 9.0]))]);
    let grouped = format!("{visible} GROUP BY QueueName ORDER BY MAX() DESC LIMIT 2");
    let two = [("orders-dlq".into(), json!([9.0, 9.0])), ("refunds".into(), json!([6.0, 6.0]))];
    assert_eq!(results(&mut world, "e", &sql(&grouped)), two);
    let inner = json!({"Id": "q", "Expression": grouped, "Period": 300, "ReturnData": false});
    let sum = json!({"Id": "e", "Expression": "SUM(q)"});
    assert_eq!(results(&mut world, "e", &[inner, sum]), [("e".into(), json!([15.0, 15.0]))]);
    let input = get(&world, &sql("SELECT MEDIAN(x) FROM y"));
    let message = "Error in expression 'e': Unknown function 'MEDIAN'".to_owned();
    assert_eq!(refused(&mut world, "GetMetricData", input), ("ValidationError", message));
}
