//! What a FIFO queue adds: order within groups, and each message once.

use super::*;

fn bid(group: &str, dedup: &str) -> Outgoing {
    Outgoing { group: Some(group.into()), dedup: Some(dedup.into()), ..outgoing(dedup) }
}

#[test]
fn a_fifo_group_is_served_in_order_by_one_receiver_at_a_time() {
    let mut bench = Bench::with_queue("bids.fifo", &[("FifoQueue", "true")]);
    for (group, dedup) in [("hotel-1", "a"), ("hotel-1", "b"), ("hotel-2", "c")] {
        let (sqs, mut cx) = bench.world.sqs_cx();
        sqs.send(&mut cx, "bids.fifo", bid(group, dedup)).unwrap();
    }
    let first = bench.receive("bids.fifo", 1);
    assert_eq!(first[0].group(), "hotel-1");
    let second = bench.receive("bids.fifo", 10);
    assert_eq!(second.iter().map(Received::group).collect::<Vec<_>>(), ["hotel-2"], "hotel-1 is in flight");
    bench.delete("bids.fifo", first[0].receipt);
    let third = bench.receive("bids.fifo", 10);
    assert_eq!(third[0].details.as_ref().unwrap().dedup.as_deref(), Some("b"));
}

#[test]
fn a_fifo_queue_acknowledges_a_repeated_send_and_keeps_one_message_for_five_minutes() {
    let mut bench = Bench::with_queue("bids.fifo", &[("FifoQueue", "true")]);
    let send = |bench: &mut Bench| {
        let (sqs, mut cx) = bench.world.sqs_cx();
        sqs.send(&mut cx, "bids.fifo", bid("hotel-1", "once")).unwrap()
    };
    let first = send(&mut bench);
    bench.wait_s(299);
    assert_eq!(send(&mut bench), first);
    assert_eq!(bench.depth("bids.fifo"), (1, 0, 0));
    bench.wait_s(1);
    assert!(send(&mut bench).sequence > first.sequence);
    assert_eq!(bench.depth("bids.fifo"), (2, 0, 0));
    assert_eq!(first.sequence.unwrap().to_string().len(), 20);
}

#[test]
fn a_fifo_queue_wants_a_group_and_a_way_to_deduplicate() {
    let mut bench = Bench::with_queue("bids.fifo", &[("FifoQueue", "true")]);
    let mut refused = |outgoing: Outgoing| {
        let (sqs, mut cx) = bench.world.sqs_cx();
        sqs.send(&mut cx, "bids.fifo", outgoing).unwrap_err().query_code
    };
    assert_eq!(refused(outgoing("x")), Some("MissingParameter"));
    assert_eq!(refused(Outgoing { group: Some("g".into()), ..outgoing("x") }), Some("InvalidParameterValue"));
    assert_eq!(refused(Outgoing { delay_s: Some(2), ..bid("g", "x") }), Some("InvalidParameterValue"));
    assert!(bench.create("bids2.fifo", &[]).is_err());
    assert!(bench.create("bids2", &[("FifoQueue", "true")]).is_err());
}

#[test]
fn a_fifo_receipt_ends_with_its_visibility() {
    let mut bench = Bench::with_queue("bids.fifo", &[("FifoQueue", "true")]);
    let (sqs, mut cx) = bench.world.sqs_cx();
    sqs.send(&mut cx, "bids.fifo", bid("hotel-1", "a")).unwrap();
    let receipt = bench.receive("bids.fifo", 1)[0].receipt;
    bench.wait_s(30);
    let (sqs, mut cx) = bench.world.sqs_cx();
    let refused = sqs.delete(&mut cx, "bids.fifo", receipt).unwrap_err();
    assert!(refused.message.ends_with("Reason: The receipt handle has expired."));
    assert_eq!(sqs.change_visibility(&mut cx, "bids.fifo", receipt, 30), Err(refused));
    let receipt = bench.receive("bids.fifo", 1)[0].receipt;
    assert!(bench.delete("bids.fifo", receipt));
    assert!(!bench.delete("bids.fifo", receipt), "to delete twice is no error");
}

#[test]
fn a_repeated_receive_attempt_gets_the_same_messages_again() {
    let mut bench = Bench::with_queue("bids.fifo", &[("FifoQueue", "true")]);
    let (sqs, mut cx) = bench.world.sqs_cx();
    for index in 0..3 {
        sqs.send(&mut cx, "bids.fifo", bid("hotel", &format!("{index}"))).unwrap();
    }
    let first = sqs.receive(&mut cx, "bids.fifo", 2, None).unwrap();
    sqs.remember_attempt(&cx, "bids.fifo", "try-1", &first);
    assert_eq!(sqs.repeat_attempt(&mut cx, "bids.fifo", "try-1", None), Ok(Some(first.clone())));
    assert_eq!(sqs.repeat_attempt(&mut cx, "bids.fifo", "another", None), Ok(None));
    assert!(sqs.receive(&mut cx, "bids.fifo", 10, None).unwrap().is_empty(), "the group is in flight");
    sqs.delete(&mut cx, "bids.fifo", first[0].receipt).unwrap();
    assert_eq!(sqs.repeat_attempt(&mut cx, "bids.fifo", "try-1", None), Ok(None), "a message has moved on");
}

#[test]
fn an_older_receipt_of_a_message_received_again_has_expired() {
    let mut bench = Bench::with_queue("bids.fifo", &[("FifoQueue", "true")]);
    let (sqs, mut cx) = bench.world.sqs_cx();
    sqs.send(&mut cx, "bids.fifo", bid("hotel-1", "a")).unwrap();
    let first = bench.receive("bids.fifo", 1)[0].receipt;
    bench.wait_s(31);
    let second = bench.receive("bids.fifo", 1)[0].receipt;
    let (sqs, mut cx) = bench.world.sqs_cx();
    let refused = sqs.delete(&mut cx, "bids.fifo", first).unwrap_err();
    assert!(refused.message.ends_with("Reason: The receipt handle has expired."));
    assert_eq!(sqs.change_visibility(&mut cx, "bids.fifo", first, 30), Err(refused));
    assert!(bench.delete("bids.fifo", second));
}

#[test]
fn what_was_purged_may_be_sent_again() {
    let mut bench = Bench::with_queue("bids.fifo", &[("FifoQueue", "True")]);
    let (sqs, mut cx) = bench.world.sqs_cx();
    sqs.send(&mut cx, "bids.fifo", bid("hotel-1", "a")).unwrap();
    sqs.purge(&mut cx, "bids.fifo").unwrap();
    sqs.send(&mut cx, "bids.fifo", bid("hotel-1", "a")).unwrap();
    assert_eq!(bench.depth("bids.fifo"), (1, 0, 0));
}

#[test]
fn a_delay_of_zero_is_the_queues_delay() {
    let mut bench = Bench::with_queue("bids.fifo", &[("FifoQueue", "true"), ("DelaySeconds", "2")]);
    let (sqs, mut cx) = bench.world.sqs_cx();
    sqs.send(&mut cx, "bids.fifo", Outgoing { delay_s: Some(0), ..bid("hotel-1", "a") }).unwrap();
    assert_eq!(bench.depth("bids.fifo"), (0, 0, 1));
    bench.wait_s(2);
    assert_eq!(bench.receive("bids.fifo", 1).len(), 1);
}

#[test]
fn another_scope_of_deduplication_is_followed_after_a_minute() {
    let mut bench = Bench::with_queue("bids.fifo", &[("FifoQueue", "true")]);
    let send = |bench: &mut Bench, group: &str| {
        let (sqs, mut cx) = bench.world.sqs_cx();
        sqs.send(&mut cx, "bids.fifo", bid(group, "a")).unwrap();
        bench.depth("bids.fifo").0
    };
    assert_eq!(send(&mut bench, "hotel-1"), 1);
    bench.set("bids.fifo", &[("DeduplicationScope", "messageGroup")]).unwrap();
    assert_eq!(send(&mut bench, "hotel-2"), 1, "still a repetition");
    bench.wait_s(60);
    assert_eq!(send(&mut bench, "hotel-2"), 2);
}

#[test]
fn a_group_goes_on_at_once_after_a_visibility_timeout_of_nothing() {
    let mut bench = Bench::with_queue("bids.fifo", &[("FifoQueue", "true")]);
    for dedup in ["a", "b"] {
        let (sqs, mut cx) = bench.world.sqs_cx();
        sqs.send(&mut cx, "bids.fifo", bid("hotel-1", dedup)).unwrap();
    }
    let first = bench.receive("bids.fifo", 1)[0].clone();
    let (sqs, mut cx) = bench.world.sqs_cx();
    sqs.change_visibility(&mut cx, "bids.fifo", first.receipt, 0).unwrap();
    for _ in 0..2 {
        let (sqs, mut cx) = bench.world.sqs_cx();
        let again = sqs.receive(&mut cx, "bids.fifo", 10, Some(0)).unwrap();
        assert_eq!(again.len(), 2);
        assert_eq!(again[0].id, first.id, "in its order");
    }
    bench.world.sqs.queue("bids.fifo").unwrap().store.audit().unwrap();
}
