//! SQS by example: what a sender, a receiver and an operator of a queue can rely on.

use super::*;
use crate::sim::cloudwatch::Metric;
use crate::sim::cx::Place;
use crate::sim::payload::Payload;
use crate::sim::world::World;
use bytes::Bytes;
use std::time::Duration;

/// A world and short names for what the examples do.
pub(super) struct Bench {
    pub world: World,
}

impl Bench {
    pub fn new() -> Self {
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
        let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
        Self { world: World::new(1, start, place) }
    }

    pub fn with_queue(name: &str, attributes: &[(&str, &str)]) -> Self {
        let mut bench = Self::new();
        bench.create(name, attributes).unwrap();
        bench
    }

    /// `orders` with the dead-letter queue `orders-dlq` after `max_receives`.
    pub fn with_orders(max_receives: u32) -> Self {
        let mut bench = Self::with_queue("orders-dlq", &[]);
        let policy = redrive_to("orders-dlq", max_receives);
        bench.create("orders", &[("RedrivePolicy", &policy)]).unwrap();
        bench
    }

    pub fn create(&mut self, name: &str, attributes: &[(&str, &str)]) -> Result<(), ApiError> {
        let (sqs, mut cx) = self.world.sqs_cx();
        sqs.create_queue(&mut cx, name, &map(attributes), &BTreeMap::new())
    }

    pub fn set(&mut self, name: &str, attributes: &[(&str, &str)]) -> Result<(), ApiError> {
        let (sqs, mut cx) = self.world.sqs_cx();
        sqs.set_attributes(&mut cx, name, &map(attributes))
    }

    pub fn send(&mut self, name: &str, body: &str) -> MessageId {
        let (sqs, mut cx) = self.world.sqs_cx();
        sqs.send(&mut cx, name, outgoing(body)).unwrap().id
    }

    pub fn receive(&mut self, name: &str, max: u32) -> Vec<Received> {
        let (sqs, mut cx) = self.world.sqs_cx();
        sqs.receive(&mut cx, name, max, None).unwrap()
    }

    pub fn delete(&mut self, name: &str, receipt: Receipt) -> bool {
        let (sqs, mut cx) = self.world.sqs_cx();
        sqs.delete(&mut cx, name, receipt).unwrap()
    }

    pub fn depth(&mut self, name: &str) -> (u64, u64, u64) {
        let (sqs, cx) = self.world.sqs_cx();
        let depth = sqs.depth(&cx, name).unwrap();
        (depth.visible, depth.in_flight, depth.delayed)
    }

    pub fn oldest_age_s(&mut self, name: &str) -> Option<u64> {
        let (sqs, cx) = self.world.sqs_cx();
        sqs.oldest_age(&cx, name).map(|age| age.as_secs())
    }

    pub fn wait_s(&mut self, seconds: u64) {
        let until = self.world.now + Duration::from_secs(seconds);
        self.world.advance_to(until);
    }
}

pub(super) fn outgoing(body: &str) -> Outgoing {
    Outgoing::of(Payload::Sent(Bytes::copy_from_slice(body.as_bytes())))
}

pub(super) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn redrive_to(dlq: &str, max_receives: u32) -> String {
    let arn = format!("arn:aws:sqs:eu-west-1:123456789012:{dlq}");
    format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{max_receives}}}"#)
}

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

/// (sum, count, maximum) of the minute that began `minutes` after the start, read an hour later.
fn minute(bench: &Bench, queue: &str, metric: &str, minutes: u64) -> Option<(f64, f64, f64)> {
    let metric = Metric::new("AWS/SQS", metric, &[("QueueName", queue)]);
    let metrics = &bench.world.metrics;
    let from = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap() + Duration::from_secs(60 * minutes);
    let span = (from, from + Duration::from_secs(60));
    let later = from + Duration::from_secs(3600);
    let period = metrics.read(&metrics.find(&metric, None), span, 60, later, false);
    period.first().map(|period| (period.stats.sum, period.stats.count, period.stats.max))
}

#[test]
fn each_minute_an_active_queue_tells_cloudwatch_what_it_did_and_holds() {
    let mut bench = Bench::with_queue("orders", &[]);
    bench.wait_s(10);
    for _ in 0..3 {
        bench.send("orders", "twelve bytes");
    }
    let receipt = bench.receive("orders", 2)[0].receipt;
    bench.delete("orders", receipt);
    bench.wait_s(25);
    assert!(bench.receive("orders", 1).len() == 1 && bench.receive("orders", 1).is_empty());
    bench.wait_s(85);
    let first = |name: &str| minute(&bench, "orders", name, 0).map(|(sum, ..)| sum);
    assert_eq!(first("NumberOfMessagesSent"), Some(3.0));
    assert_eq!(first("NumberOfMessagesReceived"), Some(3.0));
    assert_eq!(first("NumberOfMessagesDeleted"), Some(1.0));
    assert_eq!(first("NumberOfEmptyReceives"), Some(1.0));
    assert_eq!(first("ApproximateNumberOfMessagesVisible"), Some(1.0), "one came back at 40 s");
    assert_eq!(first("ApproximateNumberOfMessagesNotVisible"), Some(1.0));
    assert_eq!(first("ApproximateAgeOfOldestMessage"), Some(50.0));
    assert_eq!(minute(&bench, "orders", "SentMessageSize", 0), Some((36.0, 3.0, 12.0)));
    assert_eq!(minute(&bench, "orders", "NumberOfMessagesSent", 1), Some((0.0, 1.0, 0.0)), "a quiet minute is a zero");
    assert_eq!(minute(&bench, "orders", "SentMessageSize", 1), None);
}

#[test]
fn dead_letters_are_not_sends_and_count_their_age_from_the_move() {
    let mut bench = Bench::with_orders(1);
    bench.send("orders", "poison");
    bench.receive("orders", 1);
    bench.wait_s(30);
    bench.receive("orders", 1);
    bench.wait_s(60);
    assert_eq!(minute(&bench, "orders-dlq", "NumberOfMessagesSent", 0), Some((0.0, 1.0, 0.0)));
    assert_eq!(minute(&bench, "orders-dlq", "ApproximateNumberOfMessagesVisible", 0), Some((1.0, 1.0, 1.0)));
    assert_eq!(minute(&bench, "orders-dlq", "ApproximateAgeOfOldestMessage", 0), Some((30.0, 1.0, 30.0)));
}

#[test]
fn a_queue_that_nobody_uses_falls_asleep_after_six_hours_and_wakes_slowly() {
    let mut bench = Bench::with_queue("orders", &[]);
    bench.wait_s(10 * 3600);
    let visible = |bench: &Bench, minutes: u64| minute(bench, "orders", "ApproximateNumberOfMessagesVisible", minutes);
    assert!(visible(&bench, 5 * 60).is_some());
    assert_eq!(visible(&bench, 6 * 60 + 1), None, "no data, which is not zero");
    bench.send("orders", "wake up");
    bench.wait_s(20 * 60);
    assert_eq!(visible(&bench, 10 * 60), None, "waking takes up to 15 minutes");
    assert_eq!(visible(&bench, 10 * 60 + 16), Some((1.0, 1.0, 1.0)));
}

#[test]
fn a_dead_letter_wakes_its_sleeping_queue() {
    let mut bench = Bench::with_orders(1);
    bench.wait_s(10 * 3600);
    bench.send("orders", "poison");
    for _ in 0..2 {
        bench.receive("orders", 1);
        bench.wait_s(30);
    }
    bench.wait_s(30 * 60);
    let visible = |minutes: u64| minute(&bench, "orders-dlq", "ApproximateNumberOfMessagesVisible", minutes);
    assert_eq!(visible(10 * 60), None);
    assert_eq!(visible(10 * 60 + 17), Some((1.0, 1.0, 1.0)));
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

fn of_tenant(tenant: &str, body: &str) -> Outgoing {
    Outgoing { group: Some(tenant.to_owned()), ..outgoing(body) }
}

#[test]
fn a_noisy_group_is_served_after_the_quiet_ones() {
    let mut bench = Bench::with_queue("orders", &[]);
    let (sqs, mut cx) = bench.world.sqs_cx();
    for index in 0..100 {
        sqs.send(&mut cx, "orders", of_tenant("loud", &format!("{index}"))).unwrap();
    }
    sqs.send(&mut cx, "orders", of_tenant("calm", "first")).unwrap();
    sqs.send(&mut cx, "orders", outgoing("nobody's")).unwrap();
    // Thirty in flight, and all of them of one group: the rest of it waits for the others.
    for _ in 0..3 {
        let received = sqs.receive(&mut cx, "orders", 10, None).unwrap();
        assert!(received.iter().all(|message| message.group() == "loud"));
    }
    let received = bench.receive("orders", 10);
    let groups: Vec<&str> = received.iter().map(Received::group).collect();
    assert_eq!(groups[..3], ["calm", "", "loud"]);
    assert_eq!(received.len(), 10);
    bench.world.sqs.queue("orders").unwrap().store.audit().unwrap();
    assert_eq!(minute(&bench, "orders", "ApproximateNumberOfNoisyGroups", 0), None);
    bench.wait_s(60);
    assert!(bench.world.sqs.queue("orders").unwrap().store.quiet().unwrap().0 <= 1);
    // Five minutes with nothing in flight, and it is one of many again.
    bench.wait_s(600);
    let (sqs, cx) = bench.world.sqs_cx();
    sqs.depth(&cx, "orders");
    assert_eq!(sqs.queue("orders").unwrap().store.quiet().map(|(noisy, ..)| noisy), Some(0));
    sqs.queue("orders").unwrap().store.audit().unwrap();
}

#[test]
fn fair_queues_have_metrics_of_their_own() {
    let mut bench = Bench::with_queue("orders", &[]);
    let (sqs, mut cx) = bench.world.sqs_cx();
    for index in 0..40 {
        sqs.send(&mut cx, "orders", of_tenant("loud", &format!("{index}"))).unwrap();
    }
    sqs.send(&mut cx, "orders", of_tenant("calm", "first")).unwrap();
    for _ in 0..3 {
        sqs.receive(&mut cx, "orders", 10, Some(600)).unwrap();
    }
    bench.wait_s(600);
    let last = |metric: &str| minute(&bench, "orders", metric, 5).map(|(_, _, last)| last);
    assert_eq!(last("ApproximateNumberOfNoisyGroups"), Some(1.0));
    assert_eq!(last("ApproximateNumberOfMessagesVisibleInQuietGroups"), Some(1.0));
    assert_eq!(last("ApproximateNumberOfMessagesNotVisibleInQuietGroups"), Some(0.0));
    assert!(last("ApproximateAgeOfOldestMessageInQuietGroups").unwrap() > 0.0);
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
