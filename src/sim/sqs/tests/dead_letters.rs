//! Where a queue's failures go, and how they come back.

use super::*;

#[test]
fn the_receive_after_the_last_allowed_one_moves_the_message_to_the_dlq() {
    let mut bench = Bench::with_orders(2);
    let id = bench.send("orders", "poison");
    let sent_at = bench.world.now;
    for count in 1..=2 {
        assert_eq!(bench.receive("orders", 10)[0].receive_count, count);
        assert_eq!(bench.depth("orders-dlq"), (0, 0, 0));
        bench.wait_s(30);
    }
    assert_eq!(bench.depth("orders"), (1, 0, 0), "it waits in its queue until somebody asks again");
    assert!(bench.receive("orders", 10).is_empty());
    assert_eq!((bench.depth("orders"), bench.depth("orders-dlq")), ((0, 0, 0), (1, 0, 0)));
    bench.wait_s(10);
    assert_eq!(bench.oldest_age_s("orders-dlq"), Some(10), "the age counts from the move");
    let dead = &bench.receive("orders-dlq", 1)[0];
    assert_eq!((dead.id, dead.sent_at, dead.receive_count), (id, sent_at, 3));
    let source = dead.details.as_ref().unwrap().dead_letter.as_ref().unwrap();
    assert_eq!(source.source_arn, "arn:aws:sqs:eu-west-1:123456789012:orders");
}

#[test]
fn retention_counts_from_the_original_send_even_in_the_dlq() {
    let mut bench = Bench::with_orders(1);
    bench.set("orders-dlq", &[("MessageRetentionPeriod", "3600")]).unwrap();
    bench.send("orders", "poison");
    bench.receive("orders", 1);
    bench.wait_s(1800);
    bench.receive("orders", 1);
    assert_eq!(bench.depth("orders-dlq"), (1, 0, 0));
    bench.wait_s(1799);
    assert_eq!(bench.depth("orders-dlq"), (1, 0, 0));
    bench.wait_s(1);
    assert_eq!(bench.depth("orders-dlq"), (0, 0, 0));
    assert_eq!(bench.world.sqs.queue("orders-dlq").unwrap().expired, 1);
}

#[test]
fn a_move_task_without_destination_sends_each_message_to_its_own_source() {
    let mut bench = Bench::with_orders(1);
    let policy = redrive_to("orders-dlq", 1);
    bench.create("mail", &[("RedrivePolicy", &policy)]).unwrap();
    let old: Vec<MessageId> = ["orders", "mail"].iter().map(|name| bench.send(name, name)).collect();
    for name in ["orders", "mail"] {
        bench.receive(name, 1);
    }
    bench.wait_s(30);
    for name in ["orders", "mail"] {
        bench.receive(name, 1);
    }
    assert_eq!(bench.depth("orders-dlq"), (2, 0, 0));
    let (sqs, mut cx) = bench.world.sqs_cx();
    let task = sqs.start_message_move_task(&mut cx, "orders-dlq", None, None).unwrap();
    bench.wait_s(2);
    assert_eq!(bench.world.sqs.move_task(task).map(|task| (task.status, task.moved)), Some((Status::Completed, 2)));
    for (name, old) in ["orders", "mail"].iter().zip(old) {
        let back = &bench.receive(name, 10)[0];
        assert_eq!((back.receive_count, back.sent_at), (1, bench.world.now - Duration::from_secs(1)));
        assert!(back.id != old && back.details.is_none());
    }
}

#[test]
fn a_message_sent_straight_to_the_dlq_has_no_way_back() {
    let mut bench = Bench::with_orders(1);
    bench.send("orders-dlq", "who knows");
    let (sqs, mut cx) = bench.world.sqs_cx();
    let task = sqs.start_message_move_task(&mut cx, "orders-dlq", None, None).unwrap();
    bench.wait_s(1);
    let task = bench.world.sqs.move_task(task).unwrap();
    assert_eq!((task.status, task.failure), (Status::Failed, Some("CouldNotDetermineMessageSource")));
    assert_eq!(bench.depth("orders-dlq"), (1, 0, 0));
}

#[test]
fn a_dead_letter_queue_must_exist_be_of_the_same_type_and_admit_the_source() {
    let mut bench = Bench::with_orders(3);
    let refused = |bench: &mut Bench, dlq: &str| {
        let policy = redrive_to(dlq, 3);
        bench.create("mail", &[("RedrivePolicy", &policy)]).unwrap_err().message
    };
    assert!(refused(&mut bench, "nowhere").ends_with("Dead letter target does not exist."));
    bench.create("dead.fifo", &[("FifoQueue", "true")]).unwrap();
    assert!(refused(&mut bench, "dead.fifo").ends_with("must be same type of queue as the source."));
    bench.set("orders-dlq", &[("RedriveAllowPolicy", r#"{"redrivePermission":"denyAll"}"#)]).unwrap();
    assert!(refused(&mut bench, "orders-dlq").contains("redrive allow policy"));
}

#[test]
fn only_the_redrive_policy_that_is_set_is_judged() {
    let mut bench = Bench::with_orders(2);
    let policy = redrive_to("orders-dlq", 2);
    bench.set("orders-dlq", &[("RedriveAllowPolicy", r#"{"redrivePermission":"denyAll"}"#)]).unwrap();
    bench.set("orders", &[("DelaySeconds", "5")]).unwrap();
    assert!(bench.set("orders", &[("RedrivePolicy", &policy)]).is_err());
    let (sqs, mut cx) = bench.world.sqs_cx();
    sqs.delete_queue(&mut cx, "orders-dlq").unwrap();
    bench.set("orders", &[("DelaySeconds", "6")]).unwrap();
    assert!(bench.set("orders", &[("RedrivePolicy", &policy)]).is_err());
    bench.set("orders", &[("RedrivePolicy", "")]).unwrap();
}
