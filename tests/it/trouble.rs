//! Fault runs: AWS throttles, fails, hangs, denies, expires and vanishes under the console's eyes. It loses nothing that
//! it knew, names the problem, says no wrong number, and recovers by itself.

use crate::changes::screen;
use crate::estate::{Desk, MINUTE, filter, with_faults};
use midwatch::app::screen::Screen;
use midwatch::aws::operations::OPERATIONS;
use midwatch::domain::finding::ErrorClass;
use midwatch::domain::row::{Health, KindId, Place, ResourceId};
use midwatch::domain::value::{Datum, NoData};
use midwatch::faces::policy::policy;
use midwatch::kinds::{alarm, sns, sqs, swf};
use std::collections::BTreeSet;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The order desk, two minutes in; from there to the sixth minute this fault is on for the console alone.
async fn desk_with(fault: &str) -> Desk {
    let fault = format!("at = \"2m\"\nuntil = \"6m\"\nwho = \"clients\"\n{fault}");
    Desk::over(&with_faults(&[&fault]), 1, 0.15).await
}

/// Numbers of all rows, as text: `sqs/billing visible`. That an empty queue has no oldest message is known, too.
fn known(desk: &Desk) -> BTreeSet<String> {
    let rows = desk.runner.state().rows.values();
    let numbers = rows.flat_map(|row| {
        row.fields
            .iter()
            .filter(|(_, value)| {
                use NoData::{Empty, Never, Steady};
                matches!(value.datum, Datum::Number(_) | Datum::Missing(Empty | Never | Steady))
            })
            .map(|(id, _)| format!("{} {id}", row.id))
    });
    numbers.collect()
}

fn classes(desk: &Desk) -> BTreeSet<ErrorClass> {
    desk.runner.state().problems.values().map(|problem| problem.class).collect()
}

/// All is told as it was before the trouble: no problem, nothing stale, every number there and new.
#[track_caller]
fn has_recovered(desk: &Desk, before: &BTreeSet<String>) {
    let state = desk.runner.state();
    assert_eq!(state.problems, [].into());
    let stale: Vec<_> = state.rows.values().filter(|row| row.stale.is_some()).collect();
    assert!(stale.is_empty(), "{stale:?}");
    let missing: Vec<_> = before.difference(&known(desk)).cloned().collect();
    assert!(missing.is_empty(), "{missing:?}");
    let depth = desk.row("sqs/billing").fields.get(&sqs::VISIBLE).unwrap();
    assert!(state.now.since(depth.as_of) <= SECOND * 90, "{depth:?} at {}", state.now);
}

/// What the console shows in the middle of the trouble and after it.
async fn through(fault: &str, middle: impl FnOnce(&Desk)) -> Desk {
    let mut desk = desk_with(fault).await;
    let before = known(&desk);
    desk.runner.run_for(MINUTE * 4).await;
    let lost: Vec<_> = before.difference(&known(&desk)).cloned().collect();
    assert!(lost.is_empty(), "the last good values stand: {lost:?}");
    middle(&desk);
    desk.runner.run_for(MINUTE * 6).await;
    has_recovered(&desk, &before);
    desk
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_throttling_is_met_with_fewer_calls_and_is_told() {
    let mut calm = Desk::over(&with_faults(&[]), 1, 0.15).await;
    calm.runner.run_for(MINUTE * 4).await;
    let usual = calm.runner.state().meter.calls.total();
    through("kind = \"api-throttle\"\ntarget = \"all\"\nshare = 1.0", |desk| {
        assert_eq!(classes(desk), [ErrorClass::Throttled].into());
        let calls = &desk.runner.state().meter.calls;
        assert!(calls.throttled > 0);
        assert!(calls.total() < usual, "{} calls in the storm, {usual} in calm", calls.total());
    })
    .await;
}

/// CloudTrail shows an event minutes after it happened; the storm is over by then.
#[tokio::test(start_paused = true)]
async fn throttled_calls_are_counted_by_operation_and_principal_while_somebody_looks() {
    let mut desk = desk_with("kind = \"api-throttle\"\ntarget = \"kinesis\"\nshare = 0.5").await;
    desk.runner.run_for(MINUTE * 12).await;
    desk.runner.keys("t").unwrap();
    desk.runner.run_for(SECOND * 30).await;
    let Screen::Throttled(open) = desk.runner.state().screen() else { panic!("the screen is open") };
    let found = open.answer.clone().expect("it was asked").expect("it was answered");
    assert!(found.events > found.calls.len(), "{found:?}");
    let streams = found.calls.iter().filter(|calls| calls.service == "kinesis");
    assert!(streams.clone().any(|calls| calls.operation == "DescribeStreamSummary" && calls.count > 1), "{found:?}");
    assert!(streams.count() == found.calls.len(), "nothing else was throttled: {found:?}");
    assert!(found.calls.iter().all(|calls| !calls.who.is_empty() && calls.who != "somebody"), "{found:?}");
    let looks = desk.runner.state().meter.calls.by_operation["cloudtrail:LookupEvents"];
    desk.runner.keys("<esc>").unwrap();
    desk.runner.run_for(MINUTE * 5).await;
    let later = desk.runner.state().meter.calls.by_operation["cloudtrail:LookupEvents"];
    assert!(later - looks <= 6, "closed, only the changes are looked up: {looks}, {later}");
}

#[tokio::test(start_paused = true)]
async fn a_third_of_all_requests_failing_takes_no_number_away() {
    through("kind = \"api-error\"\ntarget = \"all\"\nshare = 0.3", |desk| {
        // The SDK asks three times; few questions fail for good, and none stays unanswered for long.
        let now = desk.runner.state().now;
        let depth = desk.row("sqs/billing").fields.get(&sqs::VISIBLE).unwrap();
        assert!(now.since(depth.as_of) <= MINUTE * 3, "{depth:?} at {now}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn requests_that_hang_are_given_up_and_the_network_is_named() {
    through("kind = \"api-hang\"\ntarget = \"all\"", |desk| {
        assert_eq!(classes(desk), [ErrorClass::Network].into());
        assert!(desk.row("sqs/billing").stale.is_some());
    })
    .await;
}

/// What was done and what was not: `p` says that an answer is long in coming before it is given up and is a problem.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_long_in_coming_is_told_by_how_long() {
    let mut desk = desk_with("kind = \"api-hang\"\ntarget = \"all\"").await;
    desk.runner.keys("p").unwrap();
    let before = screen(&mut desk, 80, 24);
    assert!(before.contains("Nothing: every question to AWS is answered."), "{before}");
    let mut waited = Vec::new();
    for _ in 0..90 {
        desk.runner.run_for(SECOND).await;
        let shown = screen(&mut desk, 80, 24);
        let said = shown.split("a question to AWS has waited ").nth(1);
        waited.extend(said.and_then(|said| said.split("s for its answer.").next()?.parse::<f64>().ok()));
        if !desk.runner.state().problems.is_empty() {
            assert!(said.is_none() && shown.contains("network"), "the problem says more: {shown}");
            break;
        }
    }
    assert!(!desk.runner.state().problems.is_empty());
    assert!(waited.len() >= 3 && waited[0] >= 5.0 && waited.is_sorted(), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_denied_is_told_with_the_action_to_grant_and_takes_no_other_with_it() {
    let mut desk =
        Desk::over(&with_faults(&["kind = \"api-denied\"\ntarget = \"sns\"\nwho = \"clients\""]), 1, 0.15).await;
    desk.runner.run_for(MINUTE).await;
    let problems = &desk.runner.state().problems;
    let topics = &problems[&(Place::default(), "sns", "ListTopics")];
    assert_eq!(topics.class, ErrorClass::Denied);
    assert!(topics.sentence.contains("`sns:ListTopics`"), "{}", topics.sentence);
    assert!(problems.values().all(|problem| problem.service == "sns"), "{problems:?}");
    for kind in KindId::ALL {
        assert_eq!(desk.runner.state().rows.keys().any(|id| id.kind == kind), kind != KindId::Sns);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_leave_the_screen_marked_and_new_ones_are_taken_without_a_restart() {
    through("kind = \"expired-credentials\"\ntarget = \"all\"", |desk| {
        assert_eq!(classes(desk), [ErrorClass::Denied].into());
        let state = desk.runner.state();
        assert!(state.problems.values().all(|p| p.sentence.contains("expired")), "{:?}", state.problems);
        assert!(state.rows.values().filter(|row| row.id.kind == KindId::Sqs).all(|row| row.stale.is_some()));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_wrong_is_set_right_by_the_sdk_or_told() {
    through("kind = \"clock-skew\"\ntarget = \"all\"", |desk| {
        let problems = &desk.runner.state().problems;
        assert!(problems.values().all(|problem| problem.sentence.contains("clock")), "{problems:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_goes_away_and_comes_back_is_told_and_forgotten() {
    through("kind = \"unreachable\"\ntarget = \"all\"", |desk| {
        assert_eq!(classes(desk), [ErrorClass::Network].into());
        assert!(desk.row("swf/orders").stale.is_some());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_is_deleted_goes_and_a_thousand_new_ones_come() {
    let mut desk = Desk::over(&with_faults(&[]), 1, 0.15).await;
    let delete = r#"{"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/123456789012/billing-dlq"}"#;
    desk.json("AmazonSQS.DeleteQueue", delete).await;
    let queues: String = (0..1000).map(|n| format!("[[queue]]\nname = \"tenant-{n:04}\"\n")).collect();
    desk.control("scenario", &queues).await;
    desk.runner.run_for(MINUTE * 8).await;
    let state = desk.runner.state();
    assert!(!state.rows.contains_key(&ResourceId::new(KindId::Sqs, "billing-dlq")));
    assert_eq!(state.problems, [].into());
    let tenants: Vec<_> = state.rows.values().filter(|row| row.id.name.starts_with("tenant-")).collect();
    assert_eq!(tenants.len(), 1000);
    assert!(tenants.iter().all(|row| row.fields.number(&sqs::VISIBLE) == Some(0.0)), "each has been asked");
    assert!(state.series.keys().all(|key| key.resource.name != "billing-dlq"), "nothing of it is kept");
}

#[tokio::test(start_paused = true)]
async fn names_of_all_sorts_are_names() {
    let mut desk = Desk::over(&with_faults(&[]), 1, 0.15).await;
    let name = "naïve ⚠ \u{202e}alarm / of [orders] \u{7}";
    let alarm = serde_json::json!({
        "AlarmName": name, "Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent", "Statistic": "Sum",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 0, "ComparisonOperator": "GreaterThanThreshold",
        "Dimensions": [{ "Name": "QueueName", "Value": "billing" }],
    });
    desk.json("GraniteServiceVersion20100801.PutMetricAlarm", &alarm.to_string()).await;
    desk.control("scenario", "[[domain]]\nname = \"bestellungen übersee\"\n").await;
    desk.runner.run_for(MINUTE * 6).await;
    let state = desk.runner.state();
    assert_eq!(state.problems, [].into());
    assert!(state.rows.contains_key(&ResourceId::new(KindId::Alarm, name)));
    let domain = &state.rows[&ResourceId::new(KindId::Swf, "bestellungen übersee")];
    assert_eq!((domain.fields.number(&swf::OPEN), domain.health), (Some(0.0), Health::Ok));
    assert_eq!(desk.row(&format!("alarm/{name}")).fields.text(&alarm::STATE), Some("ALARM"));
    assert_eq!(desk.number("sns/order-events", &sns::SUBSCRIPTIONS), 3.0);
}

/// The account's name comes when it may be read, and its account and principal are there from the first.
#[tokio::test(start_paused = true)]
async fn an_alias_that_is_granted_later_is_shown_then() {
    let fault = "kind = \"api-denied\"\ntarget = \"iam\"\nat = \"0s\"\nuntil = \"6m\"\nwho = \"clients\"";
    let scenario = format!("account_alias = \"acme-desk\"\n{}", with_faults(&[fault]));
    let mut desk = Desk::over(&scenario, 1, 0.15).await;
    let known = |desk: &Desk| desk.runner.state().identities[&Place::default()].clone();
    assert_eq!((known(&desk).account.as_deref(), known(&desk).alias), (Some("123456789012"), None));
    let problems: Vec<_> = desk.runner.state().problems.keys().cloned().collect();
    assert_eq!(problems, [(Place::default(), "iam", "ListAccountAliases")]);
    desk.runner.run_for(MINUTE * 7).await;
    assert_eq!(known(&desk).alias.as_deref(), Some("acme-desk"));
    assert_eq!(desk.runner.state().problems, [].into());
    let asked = desk.asked().await["iam:ListAccountAliases"];
    desk.runner.run_for(MINUTE * 5).await;
    assert_eq!(desk.asked().await["iam:ListAccountAliases"], asked, "known once is known");
}

/// Of each action that the policy allows: without it, its operation and no other says so, and names it.
#[tokio::test(start_paused = true)]
async fn one_action_less_is_exactly_the_poll_that_needs_it() {
    let allowed: serde_json::Value = serde_json::from_str(&policy(false)).unwrap();
    let allowed: BTreeSet<&str> =
        allowed["Statement"][0]["Action"].as_array().unwrap().iter().filter_map(serde_json::Value::as_str).collect();
    // Tags are read where a rule names one.
    let watching = async |faults: &[&str]| {
        Desk::watching(&with_faults(faults), 1, 0.15, filter(&[], &["tag:stage=none"]), &[]).await
    };
    let asked = {
        let mut desk = watching(&[]).await;
        desk.look_closely().await;
        assert_eq!(desk.runner.state().problems, [].into());
        desk.asked().await
    };
    let beyond: Vec<_> = asked.keys().map(|label| label.replace("resourcegroupstaggingapi:", "tag:")).collect();
    let beyond: Vec<_> = beyond.iter().filter(|label| !allowed.contains(label.as_str())).collect();
    assert!(beyond.is_empty(), "{beyond:?} are called and not allowed");
    for operation in OPERATIONS.iter().filter(|operation| !operation.changes && operation.service != "sts") {
        assert!(allowed.contains(operation.permission), "{} is not in the policy", operation.permission);
        let fault = format!(
            "kind = \"api-denied\"\nwho = \"clients\"\ntarget = \"{}\"\noperations = [\"{}\"]",
            operation.service, operation.name
        );
        let mut desk = watching(&[&fault]).await;
        desk.look_closely().await;
        let problems = &desk.runner.state().problems;
        let key = (Place::default(), operation.service, operation.name);
        let told: Vec<_> = problems.keys().collect();
        assert_eq!(told, [&key], "without {}", operation.permission);
        let problem = &problems[&key];
        assert_eq!(problem.class, ErrorClass::Denied);
        let action = format!("`{}`", operation.permission);
        assert!(problem.sentence.contains(&action), "{} does not name {action}", problem.sentence);
    }
}

#[tokio::test(start_paused = true)]
async fn where_cloudwatch_may_not_be_asked_nothing_is_called_well_that_only_it_knows_of() {
    let denied = "kind = \"api-denied\"\nwho = \"clients\"\ntarget = \"cloudwatch\"";
    let mut desk = Desk::over(&with_faults(&[denied]), 1, 0.15).await;
    desk.runner.run_for(MINUTE * 2).await;
    for id in ["kinesis/order-log", "lambda/notify-customer", "sns/order-events", "firehose/order-archive"] {
        let row = desk.row(id);
        assert_eq!(row.health, Health::Unknown, "{row:?}");
        assert!(row.reasons[0].ends_with(" not known"), "{id}: {:?}", row.reasons);
    }
    assert_eq!(desk.row("sqs/billing").health, Health::Ok, "SQS tells its depth itself");
}
