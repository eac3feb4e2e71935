//! A change speaks for trouble that began soon after it, and for no other.

use super::tests::{Case, minute};
use super::*;
use crate::domain::change::Change;
use crate::domain::row::{Part, Place, Relation};
use crate::domain::value::{Origin, Value};
use crate::kinds::{kinesis, lambda, sns, sqs};

fn change(event: &str, at: i64, resources: &[(KindId, &str)], settings: &[(&str, &str)]) -> Change {
    Change {
        id: format!("{event}-{at}"),
        place: Place::default(),
        at: minute(at),
        service: "lambda".into(),
        event: event.into(),
        who: "ci-deploy".into(),
        source_ip: None,
        resources: resources.iter().map(|(kind, name)| ResourceId::new(*kind, *name)).collect(),
        part: None,
        role: None,
        settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        error_code: None,
        by_midwatch: false,
    }
}

/// The one finding of this cause.
#[track_caller]
fn found(case: &mut Case, cause: Cause) -> Finding {
    let findings = case.findings();
    findings.iter().find(|found| found.cause == cause).cloned().unwrap_or_else(|| panic!("{findings:#?}"))
}

fn named(finding: &Finding) -> Vec<&str> {
    let changes = finding.evidence.iter().filter(|evidence| evidence.field == changes::CHANGE);
    changes.map(|evidence| evidence.sentence.as_str()).collect()
}

/// A function whose errors began in minute 50.
fn failing() -> Case {
    let mut case = Case::default();
    let errors = [&[0.0; 20][..], &[12.0; 10]].concat();
    case.history(KindId::Lambda, "settle", &lambda::ERRORS_PER_MIN, &errors);
    case.history(KindId::Lambda, "settle", &lambda::INVOCATIONS_PER_MIN, &[100.0; 30]);
    case
}

const SETTLE: (KindId, &str) = (KindId::Lambda, "settle");

#[test]
fn errors_that_began_after_a_deploy_are_certainly_a_bad_deploy() {
    for event in ["UpdateFunctionCode", "UpdateAlias", "UpdateFunctionConfiguration"] {
        let mut case = failing();
        case.changed(change(event, 48, &[SETTLE], &[]));
        let finding = found(&mut case, Cause::BadDeploy);
        assert_eq!(finding.confidence, Confidence::Certain);
        assert!(
            finding.sentence.ends_with(&format!("It began after {event} by ci-deploy at 00:48:00.")),
            "{}",
            finding.sentence
        );
        assert_eq!(named(&finding), [format!("2m00s before it began: {event} by ci-deploy")]);
        let proof = finding.evidence.iter().find(|evidence| evidence.field == changes::CHANGE).unwrap();
        assert_eq!(proof.at, minute(48));
    }
}

#[test]
fn a_deploy_that_was_refused_or_long_before_or_after_or_elsewhere_is_not_blamed() {
    let mut refused = change("UpdateFunctionCode", 48, &[SETTLE], &[]);
    refused.error_code = Some("AccessDenied".into());
    for innocent in [
        refused,
        change("UpdateFunctionCode", 34, &[SETTLE], &[]),
        change("UpdateFunctionCode", 52, &[SETTLE], &[]),
        change("UpdateFunctionCode", 48, &[(KindId::Lambda, "other")], &[]),
        change("UpdateFunctionCode", 48, &[], &[]),
    ] {
        let mut case = failing();
        case.changed(innocent.clone());
        let finding = found(&mut case, Cause::FunctionErrors);
        assert_eq!(named(&finding), Vec::<&str>::new(), "{innocent:?}");
    }
}

#[test]
fn a_change_of_another_sort_is_named_and_explains_nothing() {
    let mut case = failing();
    case.changed(change("TagResource", 48, &[SETTLE], &[]));
    let finding = found(&mut case, Cause::FunctionErrors);
    assert_eq!(named(&finding), ["2m00s before it began: TagResource by ci-deploy"]);
    assert!(!finding.sentence.contains("It began"), "{}", finding.sentence);
}

#[test]
fn a_change_alone_is_no_finding() {
    let mut case = Case::default();
    case.history(KindId::Lambda, "settle", &lambda::ERRORS_PER_MIN, &[0.0; 30]);
    case.history(KindId::Lambda, "settle", &lambda::INVOCATIONS_PER_MIN, &[100.0; 30]);
    case.history(KindId::Sns, "promo", &sns::DELIVERED_PER_MIN, &[100.0; 30]);
    case.changed(change("UpdateFunctionCode", 50, &[SETTLE], &[]));
    case.changed(change("PutFunctionConcurrency", 51, &[SETTLE], &[("reservedConcurrentExecutions", "1")]));
    case.changed(change("SetSubscriptionAttributes", 52, &[(KindId::Sns, "promo")], &[("FilterPolicy", "")]));
    assert_eq!(case.findings(), []);
}

#[test]
fn errors_that_were_always_there_blame_no_deploy() {
    let mut case = Case::default();
    case.history(KindId::Lambda, "settle", &lambda::ERRORS_PER_MIN, &[12.0; 10]);
    case.history(KindId::Lambda, "settle", &lambda::INVOCATIONS_PER_MIN, &[100.0; 10]);
    case.changed(change("UpdateFunctionCode", 48, &[SETTLE], &[]));
    found(&mut case, Cause::FunctionErrors);
}

#[test]
fn a_cap_on_concurrency_explains_throttles() {
    let mut case = Case::default();
    case.history(KindId::Lambda, "settle", &lambda::THROTTLES_PER_MIN, &[0.0, 0.0, 0.0, 0.0, 40.0, 50.0, 60.0]);
    case.history(KindId::Lambda, "settle", &lambda::INVOCATIONS_PER_MIN, &[100.0; 7]);
    assert_eq!(found(&mut case, Cause::FunctionThrottled).confidence, Confidence::Likely);
    case.changed(change("PutFunctionConcurrency", 55, &[SETTLE], &[("reservedConcurrentExecutions", "1")]));
    let finding = found(&mut case, Cause::FunctionThrottled);
    assert_eq!(finding.confidence, Confidence::Certain);
    assert!(finding.sentence.contains("PutFunctionConcurrency reservedConcurrentExecutions=1 by ci-deploy"));
}

/// A queue that nobody has received from for ten minutes, and the function that did.
fn stalled() -> Case {
    let mut case = Case::default();
    case.set(KindId::Sqs, "orders", &sqs::VISIBLE, 900.0);
    case.set(KindId::Sqs, "orders", &sqs::OLDEST_AGE_S, 600.0);
    case.history(KindId::Sqs, "orders", &sqs::RECEIVED_PER_MIN, &[0.0; 5]);
    case.link((KindId::Sqs, "orders"), Relation::Feeds, SETTLE);
    case.link(SETTLE, Relation::FedBy, (KindId::Sqs, "orders"));
    case
}

#[test]
fn a_mapping_that_was_switched_off_explains_a_queue_that_stands() {
    let off = |sources: &[(KindId, &str)], enabled: &str| {
        change("UpdateEventSourceMapping", 49, sources, &[("enabled", enabled)])
    };
    let mut case = stalled();
    case.changed(off(&[(KindId::Sqs, "orders"), SETTLE], "false"));
    let finding = found(&mut case, Cause::StalledConsumer);
    assert_eq!(finding.confidence, Confidence::Certain);
    let said = "It began after UpdateEventSourceMapping enabled=false of lambda/settle by ci-deploy at 00:49:00.";
    assert!(finding.sentence.ends_with(said), "{}", finding.sentence);
    for innocent in [off(&[(KindId::Sqs, "other"), SETTLE], "false"), off(&[(KindId::Sqs, "orders"), SETTLE], "true")] {
        let mut case = stalled();
        case.changed(innocent);
        let finding = found(&mut case, Cause::StalledConsumer);
        assert!(!finding.sentence.contains("It began"), "{}", finding.sentence);
    }
}

#[test]
fn a_stream_that_nobody_reads_since_its_mapping_was_switched_off() {
    let mut case = Case::default();
    case.history(KindId::Kinesis, "bids", &kinesis::IN_RECORDS_PER_S, &[50.0; 30]);
    let key = SeriesKey {
        resource: ResourceId::new(KindId::Kinesis, "bids"),
        part: String::new(),
        field: kinesis::ITERATOR_AGE_MS.id,
    };
    case.series.entry(key).or_default().merge((30..50).map(|n| (minute(n), 200.0)));
    let silent = Value::missing(crate::domain::value::NoData::NoDatapoints, minute(60), Origin::CloudWatch);
    case.row(KindId::Kinesis, "bids").fields.set(&kinesis::ITERATOR_AGE_MS, silent);
    case.link((KindId::Kinesis, "bids"), Relation::Feeds, SETTLE);
    case.link(SETTLE, Relation::FedBy, (KindId::Kinesis, "bids"));
    case.changed(change("UpdateEventSourceMapping", 49, &[(KindId::Kinesis, "bids"), SETTLE], &[("enabled", "false")]));
    let finding = found(&mut case, Cause::StalledConsumer);
    assert_eq!(finding.confidence, Confidence::Certain, "{}", finding.sentence);
}

#[test]
fn a_visibility_timeout_that_was_set_explains_dead_letters() {
    let mut case = Case::default();
    case.set(KindId::Sqs, "orders-dlq", &sqs::VISIBLE, 40.0);
    case.history(KindId::Sqs, "orders-dlq", &sqs::VISIBLE_HISTORY, &[2.0, 2.0, 2.0, 10.0, 20.0, 30.0, 40.0]);
    case.link((KindId::Sqs, "orders-dlq"), Relation::DeadLettersOf, (KindId::Sqs, "orders"));
    case.changed(change("SetQueueAttributes", 54, &[(KindId::Sqs, "orders")], &[("VisibilityTimeout", "1")]));
    let finding = found(&mut case, Cause::DeadLetters);
    let said = "It began after SetQueueAttributes VisibilityTimeout=1 of sqs/orders by ci-deploy at 00:54:00.";
    assert!(finding.sentence.ends_with(said), "{}", finding.sentence);
}

#[test]
fn a_filter_policy_is_told_where_fewer_are_delivered_since_it_was_set() {
    let promo = (KindId::Sns, "promo");
    let filtering = |delivered: f64| {
        let mut case = Case::default();
        let after = |before: f64, since: f64| [vec![before; 20], vec![since; 10]].concat();
        case.history(KindId::Sns, "promo", &sns::FILTERED_PER_MIN, &after(0.0, 60.0));
        case.history(KindId::Sns, "promo", &sns::DELIVERED_PER_MIN, &after(100.0, delivered));
        case
    };
    let set = || change("SetSubscriptionAttributes", 49, &[promo], &[("FilterPolicy", "")]);
    let mut case = filtering(40.0);
    assert_eq!(case.findings(), [], "filters are there to filter");
    case.changed(set());
    let finding = found(&mut case, Cause::FilterPolicy);
    let said = "promo delivers 60% less since SetSubscriptionAttributes FilterPolicy by ci-deploy at 00:49:00";
    assert!(finding.sentence.starts_with(said), "{}", finding.sentence);
    let mut as_many = filtering(100.0);
    as_many.changed(set());
    assert_eq!(as_many.findings(), []);
}

/// The queue of [`stalled`], whose function runs as a role; Lambda says of its mapping what it says where that is denied.
fn denied() -> Case {
    let mut case = stalled();
    let function = case.row(KindId::Lambda, "settle");
    let text = |text: &str| Value::text(text, minute(60));
    function.fields.set(&lambda::ROLE, text("settle-role"));
    function.fields.set(&lambda::ARN, text("arn:aws:lambda:eu-west-1:123456789012:function:settle"));
    let mut mapping = Part { id: "7b7c".into(), fields: Default::default() };
    mapping.fields.set(&lambda::MAPPING_SOURCE, text("sqs/orders"));
    mapping.fields.set(&lambda::MAPPING_LAST_RESULT, text("PROBLEM: Access denied"));
    function.parts.push(mapping);
    case
}

#[test]
fn a_role_that_lost_a_permission_is_named_with_who_took_it() {
    let mut case = denied();
    let set = [("policyName", "read"), ("roleName", "settle-role")];
    case.changed(Change { service: "iam".into(), ..change("DetachRolePolicy", 49, &[SETTLE], &set) });
    let finding = found(&mut case, Cause::StalledConsumer);
    let said = "It began after DetachRolePolicy policyName=read roleName=settle-role of lambda/settle by ci-deploy at \
                00:49:00. The role settle-role of lambda/settle is not let in.";
    assert!(finding.sentence.ends_with(said), "{}", finding.sentence);
    assert_eq!(named(&finding).len(), 1);
    let proofs: Vec<&str> = finding.evidence.iter().map(|evidence| evidence.sentence.as_str()).collect();
    assert!(proofs.contains(&"its mapping to lambda/settle says: PROBLEM: Access denied"), "{proofs:?}");
    assert!(!proofs.iter().any(|said| said.contains("us-east-1")), "it was seen: {proofs:?}");
}

#[test]
fn where_iams_changes_are_not_recorded_that_is_said_of_what_is_denied_alone() {
    let said = "who changed settle-role is recorded in us-east-1 alone: it cannot be seen from eu-west-1";
    let says =
        |case: &mut Case| found(case, Cause::StalledConsumer).evidence.iter().any(|evidence| evidence.sentence == said);
    let mut case = denied();
    assert!(says(&mut case));
    let function = case.row(KindId::Lambda, "settle");
    function.fields.set(&lambda::ARN, Value::text("arn:aws:lambda:us-east-1:123456789012:function:settle", minute(60)));
    assert!(!says(&mut case), "there it would have been seen");
    let mut case = denied();
    mapping_says(&mut case, "PROBLEM: Function call failed");
    assert!(!says(&mut case));
    mapping_says(&mut case, "OK");
    assert!(!found(&mut case, Cause::StalledConsumer).sentence.contains("role"));
}

fn mapping_says(case: &mut Case, result: &str) {
    let mapping = &mut case.row(KindId::Lambda, "settle").parts[0];
    mapping.fields.set(&lambda::MAPPING_LAST_RESULT, Value::text(result, minute(60)));
}
