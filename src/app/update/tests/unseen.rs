//! What cannot be looked at, for a while or for good: marked rows, problems and their ends, silence.

use super::*;

#[test]
fn a_failed_poll_keeps_the_last_good_row_and_marks_it() {
    let mut scene = Scene::with_queues(&["orders"]);
    scene.later(60);
    scene.answers(direct, refusal(&["orders"]));
    let row = &scene.state.rows[&ResourceId::new(KindId::Sqs, "orders")];
    assert_eq!(scene.depth("orders"), Some(3.0));
    assert!(row.stale.as_ref().unwrap().sentence.contains("Grant"));
    assert_eq!(scene.state.problems.len(), 1);
    scene.later(60);
    scene.depths(&[("orders", 5.0)]);
    let row = &scene.state.rows[&ResourceId::new(KindId::Sqs, "orders")];
    assert_eq!((scene.depth("orders"), &row.stale), (Some(5.0), &None));
    assert!(scene.state.problems.is_empty(), "what works again is no problem");
}

#[test]
fn what_its_own_service_calls_gone_is_not_ok_and_its_kind_is_listed_at_once() {
    let mut scene = Scene::with_queues(&["orders"]);
    let id = ResourceId::new(KindId::Sqs, "orders");
    let is_listing = |question: &Question| *question == Question::Inventory(KindId::Sqs);
    scene.later(60);
    let listings = |scene: &Scene| scene.asked.iter().filter(|poll| is_listing(&poll.question)).count();
    let before = listings(&scene);
    let gone = Reading {
        failed: vec![(id.clone(), "It does not exist.".into())],
        gone: vec![id.clone()],
        ..called("sqs:GetQueueAttributes")
    };
    scene.answers(direct, gone);
    assert_eq!(scene.state.rows[&id].health, Health::Unknown);
    assert_eq!(listings(&scene), before + 1);
    scene.list_queues(&["orders"]);
    scene.later(60);
    scene.depths(&[("orders", 3.0)]);
    assert_eq!(scene.state.rows[&id].health, Health::Ok, "somebody made it anew");
}

#[test]
fn a_listing_that_failed_in_part_for_a_while_is_made_again_soon() {
    for (class, again) in [(ErrorClass::Throttled, true), (ErrorClass::Denied, false)] {
        let mut scene = Scene::with_queues(&["orders"]);
        scene.later(301);
        let ids = vec![ResourceId::new(KindId::Sqs, "orders")];
        let mut listed = Reading { inventory: Some((KindId::Sqs, ids)), ..called("sqs:ListQueues") };
        listed.problems.push(Problem { class, ..problem("ListQueueTags", false) });
        scene.answers(|question| *question == Question::Inventory(KindId::Sqs), listed);
        scene.later(10);
        let is_asked = scene.asked.iter().any(|poll| poll.question == Question::Inventory(KindId::Sqs));
        assert_eq!(is_asked, again, "{class:?}");
        assert!(scene.state.schedule.is_listed(KindId::Sqs));
    }
}

#[test]
fn a_problem_of_what_a_screen_alone_asks_goes_with_the_screen() {
    let mut scene = Scene::with_queues(&["orders"]);
    scene.keys("t");
    let refused = Reading {
        throttled: Some(Err("CloudTrail is busy.".into())),
        problems: vec![Problem { class: ErrorClass::Throttled, ..problem("LookupEvents", false) }],
        ..called("cloudtrail:LookupEvents")
    };
    scene.answers(|question| matches!(question, Question::Throttled(_)), refused);
    scene.keys("p");
    assert_eq!(scene.state.problems.len(), 1, "it can be read");
    scene.keys("<esc><esc>");
    assert_eq!(scene.state.problems.len(), 0);
}

#[test]
fn an_identity_that_was_refused_is_asked_again() {
    let mut scene = Scene::new(true);
    scene.answers(|question| *question == Question::Identity, called("sts:GetCallerIdentity"));
    assert!(!scene.asked.iter().any(|poll| poll.question == Question::Identity));
    scene.later(60);
    let known = Identity { account: Some("111122223333".into()), ..Identity::default() };
    let reading = Reading { identity: Some(known.clone()), ..called("sts:GetCallerIdentity") };
    scene.answers(|question| *question == Question::Identity, reading);
    assert_eq!(scene.state.identities[&Place::default()], known);
    scene.later(3600);
    assert!(!scene.asked.iter().any(|poll| poll.question == Question::Identity), "known once is known");
}

/// What may be granted later is asked for again; what nobody there knows is not.
#[test]
fn an_alias_that_was_denied_is_asked_for_again_and_one_that_is_not_served_is_not() {
    let answered = |class: Option<ErrorClass>| {
        let problem = |class| Problem {
            place: Place::default(),
            service: "iam",
            operation: "ListAccountAliases",
            class,
            of_place: false,
            sentence: "iam:ListAccountAliases is not to be had.".into(),
        };
        let identity = Some(Identity { account: Some("111122223333".into()), ..Identity::default() });
        let mut reading = Reading { identity, ..called("sts:GetCallerIdentity") };
        reading.asked.insert("iam:ListAccountAliases");
        reading.problems = class.map(problem).into_iter().collect();
        reading
    };
    let is_asked = |scene: &Scene| scene.asked.iter().any(|poll| poll.question == Question::Identity);
    let mut scene = Scene::new(true);
    scene.answers(|question| *question == Question::Identity, answered(Some(ErrorClass::Denied)));
    let account = scene.state.identities[&Place::default()].account.as_deref();
    assert_eq!(account, Some("111122223333"), "the account is known all the same");
    assert_eq!(scene.state.problems.len(), 1);
    scene.later(60);
    assert!(is_asked(&scene));
    scene.answers(|question| *question == Question::Identity, answered(None));
    assert_eq!(scene.state.problems, [].into());
    let mut scene = Scene::new(true);
    scene.answers(|question| *question == Question::Identity, answered(Some(ErrorClass::Missing)));
    scene.later(3600);
    assert!(!is_asked(&scene) && scene.state.problems.len() == 1);
}

#[test]
fn silence_is_when_nothing_at_all_is_answered() {
    let mut scene = Scene::with_queues(&["orders"]);
    let silence = |scene: &Scene| scene.state.schedule.silence(scene.state.now).as_secs();
    scene.later(20);
    assert_eq!(silence(&scene), 20, "the other kinds' lists are on their way");
    scene.answers(|question| *question == Question::Inventory(KindId::Sns), called("sns:ListTopics"));
    assert_eq!(silence(&scene), 0, "one question may take its time");
    scene.later(5);
    assert_eq!(silence(&scene), 5);
}

fn problem(operation: &'static str, of_place: bool) -> Problem {
    let (place, class, sentence) = (Place::default(), ErrorClass::Denied, "It is not allowed.".to_owned());
    Problem { place, service: "swf", operation, class, of_place, sentence }
}

#[test]
fn a_good_answer_ends_what_struck_the_whole_place_and_no_refusal_of_another_operation() {
    let mut scene = Scene::with_queues(&["orders"]);
    let expired = problem("ListDomains", true);
    let own = problem("CountOpenWorkflowExecutions", false);
    for problem in [&expired, &own] {
        scene.state.problems.insert((problem.place.clone(), problem.service, problem.operation), problem.clone());
    }
    scene.later(60);
    let depth = Reading { updates: vec![depth_of("orders", 5.0)], ..called("sqs:GetQueueAttributes") };
    scene.answers(direct, depth);
    assert_eq!(scene.state.problems.values().collect::<Vec<_>>(), [&own]);
}
