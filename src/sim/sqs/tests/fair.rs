//! Fair queues: one loud group does not hold up the others.

use super::gauges::minute;
use super::*;

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
