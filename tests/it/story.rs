//! The built-in scenario's story, told by the engine alone: the incident unfolds, and a person's actions cure it.

use midwatch::sim::cloudwatch::Metric;
use midwatch::sim::scenario::{Scenario, build, builtin};
use midwatch::sim::world::World;
use std::time::Duration;

struct Story {
    world: World,
    scenario: Scenario,
}

impl Story {
    fn begin(name: &str, seed: u64) -> Self {
        let scenario = Scenario::parse(builtin(name).unwrap().text).unwrap();
        let mut world = build(&scenario, seed).unwrap();
        world.advance_to(scenario.start);
        Self { world, scenario }
    }

    fn play_until_minute(&mut self, minute: u64) {
        self.world.advance_to(self.scenario.start + Duration::from_secs(60 * minute));
    }

    /// The statistic of the metric over the newest whole minute, whatever CloudWatch would show by now.
    fn newest(
        &self,
        namespace: &str,
        name: &str,
        dimension: (&str, &str),
    ) -> Option<midwatch::sim::cloudwatch::StatisticSet> {
        let metric = Metric::new(namespace, name, &[dimension]);
        let ids = self.world.metrics.find(&metric, None);
        let to = self.world.now.floor_to(60);
        let later = self.world.now + Duration::from_secs(3600);
        let periods = self.world.metrics.read(&ids, (to - Duration::from_secs(60), to), 60, later, false);
        periods.first().map(|period| period.stats)
    }

    fn lag_ms(&self) -> f64 {
        let stats = self.newest("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", ("StreamName", "bids"));
        stats.map_or(-1.0, |stats| stats.max)
    }

    fn throttled(&self) -> f64 {
        let stats = self.newest("AWS/Kinesis", "WriteProvisionedThroughputExceeded", ("StreamName", "bids"));
        stats.map_or(-1.0, |stats| stats.sum)
    }

    fn dead_letters(&mut self) -> u64 {
        let (sqs, cx) = self.world.sqs_cx();
        sqs.depth(&cx, "orders-dlq").unwrap().visible
    }
}

#[test]
fn the_flash_sale_is_well_before_and_ill_after_the_sale_opens() {
    let mut story = Story::begin("flash-sale", 7);
    story.play_until_minute(2);
    assert_eq!((story.throttled(), story.dead_letters()), (0.0, 0));
    assert!(story.lag_ms() < 5_000.0, "{} ms behind before the sale", story.lag_ms());
    story.play_until_minute(10);
    assert!(story.throttled() > 300.0, "the hot shard refuses writes");
    assert!(story.lag_ms() > 60_000.0, "its readers are {} ms behind", story.lag_ms());
    assert!(story.dead_letters() > 100, "{} dead letters", story.dead_letters());
    let mails = story.newest("AWS/SQS", "ApproximateAgeOfOldestMessage", ("QueueName", "emails")).unwrap();
    assert!(mails.max < 60.0, "the second queue stays healthy, its oldest message waits {} s", mails.max);
}

#[test]
fn resharding_stops_the_throttling_and_the_lag_falls() {
    let mut story = Story::begin("flash-sale", 7);
    story.play_until_minute(6);
    let (kinesis, mut cx) = story.world.kinesis_cx();
    kinesis.update_shard_count(&mut cx, "bids", 8).unwrap();
    story.play_until_minute(14);
    let before_ms = story.lag_ms();
    assert_eq!(story.throttled(), 0.0);
    story.play_until_minute(40);
    assert!(story.lag_ms() < before_ms / 2.0, "{} ms, {before_ms} ms before", story.lag_ms());
}

#[test]
fn a_redrive_after_the_team_has_rolled_on_empties_the_dead_letter_queue_for_good() {
    let mut story = Story::begin("flash-sale", 7);
    story.play_until_minute(16);
    assert!(story.dead_letters() > 100);
    let (sqs, mut cx) = story.world.sqs_cx();
    sqs.start_message_move_task(&mut cx, "orders-dlq", None, Some(50)).unwrap();
    story.play_until_minute(30);
    assert_eq!(story.dead_letters(), 0);
}

#[test]
fn a_redrive_before_the_team_has_rolled_on_comes_back() {
    let mut story = Story::begin("flash-sale", 7);
    story.play_until_minute(9);
    let (sqs, mut cx) = story.world.sqs_cx();
    sqs.start_message_move_task(&mut cx, "orders-dlq", None, Some(50)).unwrap();
    story.play_until_minute(13);
    assert!(story.dead_letters() > 50, "{} dead letters", story.dead_letters());
}

#[test]
fn two_runs_with_one_seed_are_the_same_and_another_seed_differs() {
    let run = |seed| {
        let mut story = Story::begin("flash-sale", seed);
        story.play_until_minute(20);
        (story.lag_ms(), story.throttled(), story.dead_letters())
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}
