//! What a sender and a receiver of a standard queue can rely on.

use super::*;

#[test]
fn a_received_message_is_hidden_until_its_visibility_ends() {
    let mut bench = Bench::with_queue("orders", &[]);
    let id = bench.send("orders", "one");
    let first = bench.receive("orders", 10);
    assert_eq!((first.len(), first[0].id, first[0].receive_count), (1, id, 1));
    assert_eq!(bench.depth("orders"), (0, 1, 0));
    assert!(bench.receive("orders", 10).is_empty());
    bench.wait_s(30);
    let second = bench.receive("orders", 10);
    assert_eq!((second[0].id, second[0].receive_count), (id, 2));
    assert_eq!(second[0].first_received_at, first[0].first_received_at);
    assert!(bench.delete("orders", first[0].receipt), "an old receipt is one of the same message");
    assert!(!bench.delete("orders", second[0].receipt), "and nothing is left to delete");
    assert_eq!(bench.depth("orders"), (0, 0, 0));
}

#[test]
fn the_newest_receipt_deletes_even_after_its_visibility_ended() {
    let mut bench = Bench::with_queue("orders", &[]);
    bench.send("orders", "slow");
    let receipt = bench.receive("orders", 1)[0].receipt;
    bench.wait_s(31);
    assert_eq!(bench.depth("orders"), (1, 0, 0));
    assert!(bench.delete("orders", receipt));
    assert_eq!(bench.depth("orders"), (0, 0, 0));
    assert!(bench.receive("orders", 10).is_empty());
}

#[test]
fn a_message_received_three_times_goes_to_the_back_and_out_of_the_age() {
    let mut bench = Bench::with_queue("orders", &[("VisibilityTimeout", "10")]);
    let poison = bench.send("orders", "poison");
    bench.wait_s(5);
    let next = bench.send("orders", "next");
    for _ in 0..3 {
        assert_eq!(bench.receive("orders", 1)[0].id, poison);
        bench.wait_s(10);
    }
    assert_eq!(bench.oldest_age_s("orders"), Some(30), "only the second message counts");
    let order: Vec<MessageId> = bench.receive("orders", 2).iter().map(|m| m.id).collect();
    assert_eq!(order, [next, poison]);
}

#[test]
fn a_delayed_message_shows_when_its_delay_ends() {
    let mut bench = Bench::with_queue("orders", &[("DelaySeconds", "5")]);
    bench.send("orders", "later");
    let (sqs, mut cx) = bench.world.sqs_cx();
    sqs.send(&mut cx, "orders", Outgoing { delay_s: Some(0), ..outgoing("now") }).unwrap();
    assert_eq!(bench.depth("orders"), (1, 0, 1));
    bench.wait_s(5);
    assert_eq!(bench.depth("orders"), (2, 0, 0));
}

#[test]
fn one_wake_is_pending_however_many_messages_are_hidden() {
    let mut bench = Bench::with_queue("orders", &[]);
    for n in 0..100 {
        bench.send("orders", &n.to_string());
    }
    let before = bench.world.agenda.len();
    for _ in 0..10 {
        bench.receive("orders", 10);
    }
    assert_eq!(bench.world.agenda.len(), before + 1);
    bench.wait_s(30);
    assert_eq!(bench.depth("orders"), (100, 0, 0));
}

#[test]
fn twelve_hours_of_visibility_count_from_the_receive() {
    let mut bench = Bench::with_queue("orders", &[("VisibilityTimeout", "43200")]);
    bench.send("orders", "long work");
    let receipt = bench.receive("orders", 1)[0].receipt;
    bench.wait_s(3600);
    let (sqs, mut cx) = bench.world.sqs_cx();
    let refused = sqs.change_visibility(&mut cx, "orders", receipt, 43_200).unwrap_err();
    assert!(refused.message.ends_with("Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"));
    sqs.change_visibility(&mut cx, "orders", receipt, 39_600).unwrap();
    bench.wait_s(39_600);
    assert_eq!(bench.depth("orders"), (1, 0, 0));
}

#[test]
fn names_are_blocked_and_purges_apart_by_60_seconds() {
    let mut bench = Bench::with_queue("orders", &[]);
    let (sqs, mut cx) = bench.world.sqs_cx();
    sqs.purge(&mut cx, "orders").unwrap();
    assert_eq!(sqs.purge(&mut cx, "orders").unwrap_err().code, "PurgeQueueInProgress");
    sqs.delete_queue(&mut cx, "orders").unwrap();
    assert_eq!(bench.create("orders", &[]).unwrap_err().code, "QueueDeletedRecently");
    bench.wait_s(60);
    bench.create("orders", &[]).unwrap();
    bench.create("orders", &[("VisibilityTimeout", "30")]).expect("the same values are no error");
    let differs = bench.create("orders", &[("VisibilityTimeout", "31")]).unwrap_err();
    assert_eq!(differs.query_code, Some("QueueAlreadyExists"));
}

#[test]
fn too_many_messages_in_flight_are_an_error_for_a_short_poll() {
    let mut bench = Bench::with_queue("orders", &[]);
    let (sqs, mut cx) = bench.world.sqs_cx();
    for _ in 0..=120_000 {
        sqs.send(&mut cx, "orders", outgoing("x")).unwrap();
    }
    for _ in 0..12_000 {
        assert_eq!(sqs.receive(&mut cx, "orders", 10, None).unwrap().len(), 10);
    }
    assert_eq!(sqs.receive(&mut cx, "orders", 10, None).unwrap_err().code, "OverLimit");
    assert_eq!(bench.depth("orders"), (1, 120_000, 0));
}

#[test]
fn an_older_receipt_still_changes_the_visibility() {
    let mut bench = Bench::with_queue("orders", &[]);
    let id = bench.send("orders", "one");
    let first = bench.receive("orders", 1)[0].receipt;
    bench.wait_s(30);
    let second = bench.receive("orders", 1)[0].receipt;
    let (sqs, mut cx) = bench.world.sqs_cx();
    sqs.change_visibility(&mut cx, "orders", first, 0).unwrap();
    assert_eq!(bench.receive("orders", 1)[0].id, id);
    assert!(bench.delete("orders", second));
    bench.send("orders", "two");
    let other = bench.receive("orders", 1)[0].receipt;
    assert_eq!(other.slot, first.slot, "another message in its place");
    assert!(!bench.delete("orders", first), "which is none of the older receipt's");
}

#[test]
fn a_visibility_timeout_of_nothing_ends_at_once_though_no_time_passes() {
    let mut bench = Bench::with_queue("orders", &[]);
    bench.send("orders", "a");
    let receipt = bench.receive("orders", 1)[0].receipt;
    let (sqs, mut cx) = bench.world.sqs_cx();
    sqs.change_visibility(&mut cx, "orders", receipt, 0).unwrap();
    assert_eq!(bench.depth("orders"), (1, 0, 0));
    assert_eq!(bench.receive("orders", 10)[0].receive_count, 2);

    bench.set("orders", &[("VisibilityTimeout", "0")]).unwrap();
    bench.send("orders", "b");
    for _ in 0..4 {
        assert_eq!(bench.receive("orders", 10).len(), 1, "and nothing twice in one answer");
        assert_eq!(bench.depth("orders"), (1, 1, 0));
    }
    bench.world.sqs.queue("orders").unwrap().store.audit().unwrap();
}
