//! What SQS tells CloudWatch: namespace `AWS/SQS`, dimension `QueueName`, one datapoint a minute for active queues.
//! Source: SQS "Available CloudWatch metrics for Amazon SQS".

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::SeriesId;
use crate::sim::cx::Cx;
use crate::sim::sqs::Sqs;
use crate::sim::sqs::queue::Queue;
use rand::RngExt;
use std::time::Duration;

/// A queue that holds nothing and sees no API action for this long falls asleep and publishes nothing.
pub const AWAKE_FOR: Duration = Duration::from_secs(6 * 3600);
/// Metrics of a queue that wakes up show after up to this many minutes.
const WAKING_MIN_MAX: u64 = 15;

/// Counts since the last publication. They go to CloudWatch once a minute, as SQS's do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages moved to a dead-letter queue are not sends.
    pub sent: u64,
    pub received: u64,
    /// Delete requests that succeeded, repeated ones included.
    pub deleted: u64,
    pub empty_receives: u64,
    /// FIFO queues only.
    pub deduplicated: u64,
}

/// Handles of the queue's series, made when first published.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meters {
    sent_size: Option<SeriesId>,
    each_minute: Option<[SeriesId; 8]>,
    fifo: Option<[SeriesId; 2]>,
    fair: Option<[SeriesId; 5]>,
}

/// When the queue was last used and whether its metrics are awake.
#[derive(Clone, Copy, Debug)]
pub struct Activity {
    last_action_at: Timestamp,
    asleep: bool,
    /// A queue that woke up shows nothing before this.
    shows_from: Timestamp,
}

impl Activity {
    pub fn new(now: Timestamp) -> Self {
        Self { last_action_at: now, asleep: false, shows_from: now }
    }

    /// Any API action, successful or not.
    pub fn note(&mut self, cx: &mut Cx<'_>) {
        self.last_action_at = cx.now;
        self.wake(cx);
    }

    fn wake(&mut self, cx: &mut Cx<'_>) {
        if self.asleep {
            self.asleep = false;
            self.shows_from = cx.now + Duration::from_secs(60 * cx.rng.random_range(1..=WAKING_MIN_MAX));
        }
    }
}

impl Queue {
    /// Adds one `SentMessageSize` sample, bytes.
    pub fn note_sent_size(&mut self, cx: &mut Cx<'_>, bytes: usize) {
        let id = match self.meters.sent_size {
            Some(id) => id,
            None => {
                let id = series(cx, &self.name, "SentMessageSize", "Bytes");
                *self.meters.sent_size.insert(id)
            }
        };
        cx.metrics.add(id, cx.now, bytes as f64);
    }

    /// Publishes the minute that ends now, unless the queue sleeps.
    pub fn publish(&mut self, cx: &mut Cx<'_>) {
        self.settle(cx.now);
        let depth = self.store.depth();
        if depth.total() > 0 {
            // A dead letter that arrives wakes its queue up, too.
            self.activity.wake(cx);
        } else if cx.now.since(self.activity.last_action_at) >= AWAKE_FOR {
            self.activity.asleep = true;
        }
        let counters = std::mem::take(&mut self.counters);
        if self.activity.asleep || cx.now < self.activity.shows_from {
            return;
        }
        let oldest_s = self.store.oldest_since().map_or(0, |since| cx.now.since(since).as_secs());
        let values = [
            counters.sent,
            counters.received,
            counters.deleted,
            counters.empty_receives,
            depth.visible,
            depth.in_flight,
            depth.delayed,
            oldest_s,
        ];
        let ids = *self.meters.each_minute.get_or_insert_with(|| each_minute(cx, &self.name));
        let at = cx.now - Duration::from_millis(1);
        for (id, value) in ids.into_iter().zip(values) {
            cx.metrics.add(id, at, value as f64);
        }
        if self.attributes.fifo.is_some() {
            let ids = *self.meters.fifo.get_or_insert_with(|| {
                [
                    series(cx, &self.name, "NumberOfDeduplicatedSentMessages", "Count"),
                    series(cx, &self.name, "ApproximateNumberOfGroupsWithInflightMessages", "Count"),
                ]
            });
            cx.metrics.add(ids[0], at, counters.deduplicated as f64);
            cx.metrics.add(ids[1], at, self.store.groups_in_flight() as f64);
        }
        self.publish_fairness(cx, at);
    }
}

impl Queue {
    /// What a standard queue whose messages name groups tells of its noisy and its quiet ones.
    fn publish_fairness(&mut self, cx: &mut Cx<'_>, at: Timestamp) {
        let Some((noisy, quiet, oldest)) = self.store.quiet() else { return };
        let ids = *self.meters.fair.get_or_insert_with(|| {
            [
                ("ApproximateNumberOfNoisyGroups", "Count"),
                ("ApproximateNumberOfMessagesVisibleInQuietGroups", "Count"),
                ("ApproximateNumberOfMessagesNotVisibleInQuietGroups", "Count"),
                ("ApproximateNumberOfMessagesDelayedInQuietGroups", "Count"),
                ("ApproximateAgeOfOldestMessageInQuietGroups", "Seconds"),
            ]
            .map(|(name, unit)| series(cx, &self.name, name, unit))
        });
        let oldest_s = oldest.map_or(0, |since| cx.now.since(since).as_secs());
        let values = [noisy, quiet.visible, quiet.in_flight, quiet.delayed, oldest_s];
        for (id, value) in ids.into_iter().zip(values) {
            cx.metrics.add(id, at, value as f64);
        }
    }
}

fn each_minute(cx: &mut Cx<'_>, queue: &str) -> [SeriesId; 8] {
    [
        ("NumberOfMessagesSent", "Count"),
        ("NumberOfMessagesReceived", "Count"),
        ("NumberOfMessagesDeleted", "Count"),
        ("NumberOfEmptyReceives", "Count"),
        ("ApproximateNumberOfMessagesVisible", "Count"),
        ("ApproximateNumberOfMessagesNotVisible", "Count"),
        ("ApproximateNumberOfMessagesDelayed", "Count"),
        ("ApproximateAgeOfOldestMessage", "Seconds"),
    ]
    .map(|(name, unit)| series(cx, queue, name, unit))
}

fn series(cx: &mut Cx<'_>, queue: &str, name: &str, unit: &'static str) -> SeriesId {
    cx.metrics.series("AWS/SQS", name, &[("QueueName", queue)], unit)
}

impl Sqs {
    /// Starts the minute's publication; called when the first queue is made.
    pub(super) fn schedule_gauges(&mut self, cx: &mut Cx<'_>) {
        if !self.gauges_run {
            self.gauges_run = true;
            cx.schedule(cx.now.floor_to(60) + Duration::from_secs(60), super::Due::Gauges.into());
        }
    }

    /// Every queue publishes; the entry for the next minute is made as long as there is a queue.
    pub(super) fn publish_gauges(&mut self, cx: &mut Cx<'_>) {
        for queue in self.queues.values_mut() {
            queue.publish(cx);
        }
        self.gauges_run = false;
        if !self.queues.is_empty() {
            self.schedule_gauges(cx);
        }
    }
}
