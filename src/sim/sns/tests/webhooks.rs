//! HTTP endpoints: confirmed first, then tried by their delivery policy.

use super::*;

#[test]
fn an_http_endpoint_is_sent_nothing_before_it_has_confirmed() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    bench.hook(Answer::Status(500));
    let id = bench.subscribe("news", "http", HOOK, &[]).unwrap();
    bench.publish("news", text("early")).unwrap();
    assert!(bench.world.sns.subscription("news", &id).unwrap().is_pending());
    assert_eq!(bench.tally("news", &id).offered, 0);
    bench.world.endpoints.named("hook").unwrap().answer = Answer::Status(200);
    bench.pass(Duration::from_secs(21));
    assert!(!bench.world.sns.subscription("news", &id).unwrap().is_pending(), "the second try was confirmed");
    bench.publish("news", text("late")).unwrap();
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.tally("news", &id).delivered, 1);
}

#[test]
fn an_http_endpoint_gets_awss_headers() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    bench.world.outbox = Some(Default::default());
    let id = bench.subscribe("news", "http", HOOK, &[("RawMessageDelivery", "true")]).unwrap();
    let post = bench.world.outbox.as_mut().unwrap().pop_front().unwrap();
    let header = |post: &HttpPost, name: &str| post.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
    assert_eq!(header(&post, "x-amz-sns-message-type").as_deref(), Some("SubscriptionConfirmation"));
    assert_eq!(header(&post, "content-type").as_deref(), Some("text/plain; charset=UTF-8"));
    assert_eq!(header(&post, "x-amz-sns-subscription-arn"), None);
    let letter: Value = serde_json::from_slice(&post.body).unwrap();
    let token = letter["Token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 288);
    assert!(letter["SubscribeURL"].as_str().unwrap().contains("Action=ConfirmSubscription"));
    let (sns, mut cx) = bench.world.sns_cx();
    let confirmed = Ok(("news".to_owned(), id.clone()));
    assert_eq!(sns.confirm(&mut cx, &token, false), confirmed);
    assert_eq!(sns.confirm(&mut cx, &token, false), confirmed, "again is no error");
    bench.publish("news", text("raw")).unwrap();
    let post = bench.world.outbox.as_mut().unwrap().pop_front().unwrap();
    assert_eq!(post.body, "raw");
    assert_eq!(header(&post, "x-amz-sns-rawdelivery").as_deref(), Some("true"));
    assert!(header(&post, "x-amz-sns-subscription-arn").unwrap().ends_with(&id));
    fanout::answered(&mut bench.world, post.attempt, post.tries, Outcome::of_status(204));
    assert_eq!(bench.tally("news", &id).delivered, 1);
    let (sns, mut cx) = bench.world.sns_cx();
    let told = sns.unsubscribe(&mut cx, "news", &id);
    fanout::deliver(&mut bench.world, told);
    let post = bench.world.outbox.as_mut().unwrap().pop_front().unwrap();
    let letter: Value = serde_json::from_slice(&post.body).unwrap();
    assert_eq!(letter["Type"], "UnsubscribeConfirmation");
    let (sns, mut cx) = bench.world.sns_cx();
    let token = letter["Token"].as_str().unwrap();
    assert_eq!(sns.confirm(&mut cx, token, false), confirmed, "the link undoes it");
    assert!(sns.subscription("news", &id).is_ok());
}

#[test]
fn an_http_endpoint_is_tried_three_times_again_and_each_failure_counts() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    bench.queue("dead");
    bench.hook(Answer::Status(200));
    let id = bench.subscribe("news", "http", HOOK, &[]).unwrap();
    let policy = redrive_to(&bench.queue_arn("dead"));
    bench.set("news", &id, "RedrivePolicy", &policy).unwrap();
    bench.pass(Duration::from_secs(1));
    bench.world.endpoints.named("hook").unwrap().answer = Answer::Hang;
    bench.publish("news", with_attribute("lost", "k", "String", "v")).unwrap();
    bench.pass(Duration::from_secs(4 * 15 + 3 * 20 - 1));
    assert!(bench.bodies("dead").is_empty());
    bench.pass(Duration::from_secs(1));
    let letter: Value = serde_json::from_str(&bench.bodies("dead")[0]).unwrap();
    assert_eq!((&letter["Message"], &letter["MessageAttributes"]["k"]["Value"]), (&"lost".into(), &"v".into()));
    assert_eq!(bench.world.endpoints.named("hook").unwrap().received, 1 + 4);
    assert_eq!(bench.sum("news", "NumberOfNotificationsFailed"), Some(4.0));
    assert_eq!(bench.sum("news", "NumberOfNotificationsRedrivenToDlq"), Some(1.0));
    assert_eq!(bench.world.sns.deliveries_in_hand(), 0);
}

#[test]
fn a_client_error_is_final() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    bench.hook(Answer::Status(200));
    let id = bench.subscribe("news", "http", HOOK, &[]).unwrap();
    bench.pass(Duration::from_secs(1));
    bench.world.endpoints.named("hook").unwrap().answer = Answer::Status(404);
    bench.publish("news", text("gone")).unwrap();
    bench.pass(Duration::from_secs(1));
    assert_eq!((bench.tally("news", &id).dropped, bench.world.sns.deliveries_in_hand()), (1, 0));
}

#[test]
fn a_throttled_endpoint_gets_its_messages_one_by_one() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    bench.hook(Answer::Status(200));
    let throttle = r#"{"throttlePolicy": {"maxReceivesPerSecond": 2}}"#;
    let id = bench.subscribe("news", "http", HOOK, &[("DeliveryPolicy", throttle)]).unwrap();
    bench.pass(Duration::from_secs(1));
    for _ in 0..6 {
        bench.publish("news", text("x")).unwrap();
    }
    bench.pass(Duration::from_millis(1200));
    assert_eq!(bench.tally("news", &id).delivered, 3);
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.tally("news", &id).delivered, 6);
}

#[test]
fn an_unconfirmed_subscription_is_gone_after_two_days() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    let id = bench.subscribe("news", "email", "a@example.com", &[]).unwrap();
    bench.pass(Duration::from_secs(47 * 3600));
    assert!(bench.world.sns.subscription("news", &id).is_ok());
    bench.pass(Duration::from_secs(3600));
    assert!(bench.world.sns.subscription("news", &id).is_err());
    assert_eq!(bench.world.sns.pending, 0);
}

#[test]
fn the_token_alone_says_which_subscription_it_confirms() {
    let mut bench = Bench::new();
    bench.topic("news", &[]);
    bench.topic("sport", &[]);
    bench.world.outbox = Some(Default::default());
    let id = bench.subscribe("news", "http", HOOK, &[]).unwrap();
    let post = bench.world.outbox.as_mut().unwrap().pop_front().unwrap();
    let (sns, mut cx) = bench.world.sns_cx();
    let refused = |refusal: Result<_, ApiError>| refusal.unwrap_err().message;
    assert_eq!(refused(sns.confirm(&mut cx, "randomtoken", true)), "Invalid token");
    assert_eq!(refused(sns.confirm(&mut cx, "abc123", true)), "Invalid parameter: Token");
    let token = post.token.unwrap();
    assert_eq!(sns.confirm(&mut cx, &token, true), Ok(("news".to_owned(), id.clone())));
    assert!(!sns.subscription("news", &id).unwrap().is_pending());
}
