//! Topics and subscriptions as their owner keeps them.

use super::*;

#[test]
fn a_topic_falls_silent_six_hours_after_its_last_use() {
    let (mut bench, _) = Bench::with_inbox(&[]);
    bench.publish("news", text("x")).unwrap();
    let metric = Metric::new("AWS/SNS", "NumberOfMessagesPublished", &[("TopicName", "news")]);
    bench.pass(Duration::from_secs(24 * 3600));
    let ids = bench.world.metrics.find(&metric, None);
    let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
    let now = bench.world.now;
    let periods = bench.world.metrics.read(&ids, (start, now), 60, now, false);
    assert_eq!(periods.len(), 6 * 60 - 1, "one a minute, then none");
    assert_eq!(periods.iter().map(|period| period.stats.sum).sum::<f64>(), 1.0);
}

#[test]
fn creating_and_subscribing_again_changes_nothing() {
    let (mut bench, id) = Bench::with_inbox(&[("RawMessageDelivery", "true")]);
    let arn = bench.queue_arn("inbox");
    assert_eq!(bench.subscribe("news", "sqs", &arn, &[]), Ok(id.clone()));
    assert_eq!(bench.subscribe("news", "sqs", &arn, &[("RawMessageDelivery", "true")]), Ok(id));
    assert_eq!(
        bench.subscribe("news", "sqs", &arn, &[("RawMessageDelivery", "false")]).unwrap_err().message,
        "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
    );
    let (sns, mut cx) = bench.world.sns_cx();
    sns.set_attribute(&mut cx, "news", "DisplayName", "News").unwrap();
    sns.create_topic(&mut cx, "news", &BTreeMap::new(), &BTreeMap::new()).unwrap();
    assert_eq!(sns.attributes(&mut cx, "news").unwrap()["DisplayName"], "News");
    let other = sns.create_topic(&mut cx, "news", &map(&[("DisplayName", "x")]), &BTreeMap::new()).unwrap_err();
    assert_eq!(other.message, "Invalid parameter: Attributes Reason: Topic already exists with different attributes");
    let tagged = sns.create_topic(&mut cx, "news", &BTreeMap::new(), &map(&[("k", "v")])).unwrap_err();
    assert_eq!(tagged.message, "Invalid parameter: Tags Reason: Topic already exists with different tags");
}

#[test]
fn at_most_200_filter_policies_stand_on_a_topic() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    let policy = [("FilterPolicy", r#"{"a": ["x"]}"#)];
    let mut ids = Vec::new();
    for n in 0..200 {
        ids.push(bench.subscribe("news", "sms", &format!("+4915123{n:05}"), &policy).unwrap());
    }
    let id = bench.subscribe("news", "sms", "+491512399999", &[]).unwrap();
    let refused = bench.set("news", &id, "FilterPolicy", policy[0].1).unwrap_err();
    assert_eq!((refused.code, refused.status), ("FilterPolicyLimitExceeded", 403));
    bench.set("news", &ids[0], "FilterPolicy", "").unwrap();
    bench.set("news", &id, "FilterPolicy", policy[0].1).unwrap();
}

#[test]
fn permissions_are_statements_of_the_policy() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    let (sns, mut cx) = bench.world.sns_cx();
    sns.add_permission(&mut cx, "news", "all", &["111122223333"], &["Publish", "Subscribe"]).unwrap();
    assert!(sns.add_permission(&mut cx, "news", "all", &["111122223333"], &["Publish"]).is_err(), "labels are unique");
    assert!(sns.add_permission(&mut cx, "news", "odd", &["111122223333"], &["Fly"]).is_err());
    let policy: Value = serde_json::from_str(&sns.attributes(&mut cx, "news").unwrap()["Policy"]).unwrap();
    assert_eq!(policy["Statement"][0]["Sid"], "__default_statement_ID");
    assert_eq!(policy["Statement"][1]["Principal"]["AWS"], "arn:aws:iam::111122223333:root");
    assert_eq!(policy["Statement"][1]["Action"], serde_json::json!(["SNS:Publish", "SNS:Subscribe"]));
    sns.remove_permission(&mut cx, "news", "all").unwrap();
    let policy: Value = serde_json::from_str(&sns.attributes(&mut cx, "news").unwrap()["Policy"]).unwrap();
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
}
