//! What CloudWatch is told of a queue, and when.

use super::*;
use crate::sim::cloudwatch::Metric;

/// (sum, count, maximum) of the minute that began `minutes` after the start, read an hour later.
pub(super) fn minute(bench: &Bench, queue: &str, metric: &str, minutes: u64) -> Option<(f64, f64, f64)> {
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
