//! A FIFO queue's mapping: what fails holds back what is behind it, and nothing overtakes.

use super::tests::{function, map, on_queue, pass, poisoned, queue, tally, world};
use crate::sim::lambda::*;
use crate::sim::payload::Payload;
use crate::sim::sqs::Outgoing;
use crate::sim::world::World;
use bytes::Bytes;

const DEAD: &str = "arn:aws:sqs:eu-west-1:123456789012:bids-dlq.fifo";

/// Ten messages of one group, of which the fourth is poison, and a function that reports what it did not do.
fn bids(max_receives: u32, batch_size: u32) -> World {
    let mut world = world();
    queue(&mut world, "bids-dlq.fifo", &[("FifoQueue", "true")]);
    let policy = format!(r#"{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":{max_receives}}}"#);
    queue(&mut world, "bids.fifo", &[("FifoQueue", "true"), ("VisibilityTimeout", "30"), ("RedrivePolicy", &policy)]);
    let id = function(&mut world, "settle", poisoned());
    let settings = Settings { reports_item_failures: true, batch_size, ..Settings::for_queue() };
    map(&mut world, id, on_queue("bids.fifo"), settings);
    for number in 1..=10 {
        let body = if number == 4 { "poison 04".to_owned() } else { format!("good {number:02}") };
        let (sqs, mut cx) = world.sqs_cx();
        let outgoing = Outgoing::of(Payload::Sent(Bytes::from(body.clone())));
        sqs.send(&mut cx, "bids.fifo", Outgoing { group: Some("hotel".into()), dedup: Some(body), ..outgoing })
            .unwrap();
    }
    world
}

/// What is in a queue, in the order of its positions.
fn contents(world: &World, queue: &str) -> Vec<u32> {
    let store = &world.sqs.queue(queue).unwrap().store;
    let mut kept: Vec<_> = store.iter().map(|(_, message)| (message.position, message.body())).collect();
    kept.sort_by_key(|(position, _)| *position);
    let number = |body: &Payload| {
        let text = world.templates.read(body, "hotel");
        String::from_utf8_lossy(&text).rsplit(' ').next().unwrap().parse().unwrap()
    };
    kept.iter().map(|(_, body)| number(body)).collect()
}

#[test]
fn a_partial_batch_response_leaves_the_failed_message_and_all_behind_it() {
    let mut world = bids(2, 10);
    pass(&mut world, 5);
    assert_eq!(contents(&world, "bids.fifo"), [4, 5, 6, 7, 8, 9, 10]);
    pass(&mut world, 20);
    assert_eq!(tally(&world, "settle").0, 1, "the group waits for its visibility timeout");
    pass(&mut world, 10);
    assert_eq!(tally(&world, "settle").0, 2);
    assert_eq!(contents(&world, "bids.fifo"), [4, 5, 6, 7, 8, 9, 10]);
    pass(&mut world, 40);
    assert_eq!(contents(&world, "bids.fifo"), [0_u32; 0]);
    assert_eq!(contents(&world, "bids-dlq.fifo"), [4, 5, 6, 7, 8, 9, 10], "each was received twice");
}

#[test]
fn batches_of_a_group_come_one_after_the_other_and_none_overtakes_the_one_that_failed() {
    let mut world = bids(3, 2);
    let (mut last, mut blocked) = (contents(&world, "bids.fifo"), 0);
    for _ in 0..1_500 {
        world.advance_to(world.now + std::time::Duration::from_millis(100));
        assert!(world.lambda.in_flight() <= 1, "one group, one batch at a time");
        let left = contents(&world, "bids.fifo");
        assert!(last.ends_with(&left), "{last:?}, then {left:?}");
        blocked += u32::from(left == [4, 5, 6, 7, 8, 9, 10]);
        last = left;
    }
    assert!((850..=1000).contains(&blocked), "{blocked}: 4 was received three times, for 30 s each");
    assert_eq!(last, [0_u32; 0]);
    assert_eq!(contents(&world, "bids-dlq.fifo"), [4], "5 was received twice with it, and then without");
}
