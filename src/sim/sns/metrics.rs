//! What SNS tells CloudWatch: namespace `AWS/SNS`, dimension `TopicName`, one datapoint a minute for active topics
//! ("Monitoring Amazon SNS topics using CloudWatch").

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::SeriesId;
use crate::sim::cx::Cx;
use crate::sim::sns::Sns;
use crate::sim::sns::topic::Topic;
use std::collections::BTreeMap;
use std::time::Duration;

/// A topic that sees no API action and delivers nothing for this long is inactive and publishes nothing.
const ACTIVE_FOR: Duration = Duration::from_secs(6 * 3600);

/// What is counted between two publications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    Published,
    Delivered,
    Failed,
    FilteredOut,
    FilteredOutMessageAttributes,
    FilteredOutMessageBody,
    FilteredOutNoMessageAttributes,
    FilteredOutInvalidAttributes,
    FilteredOutInvalidMessageBody,
    RedrivenToDlq,
    FailedToRedriveToDlq,
}

impl Metric {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "NumberOfMessagesPublished",
            Self::Delivered => "NumberOfNotificationsDelivered",
            Self::Failed => "NumberOfNotificationsFailed",
            Self::FilteredOut => "NumberOfNotificationsFilteredOut",
            Self::FilteredOutMessageAttributes => "NumberOfNotificationsFilteredOut-MessageAttributes",
            Self::FilteredOutMessageBody => "NumberOfNotificationsFilteredOut-MessageBody",
            Self::FilteredOutNoMessageAttributes => "NumberOfNotificationsFilteredOut-NoMessageAttributes",
            Self::FilteredOutInvalidAttributes => "NumberOfNotificationsFilteredOut-InvalidAttributes",
            Self::FilteredOutInvalidMessageBody => "NumberOfNotificationsFilteredOut-InvalidMessageBody",
            Self::RedrivenToDlq => "NumberOfNotificationsRedrivenToDlq",
            Self::FailedToRedriveToDlq => "NumberOfNotificationsFailedToRedriveToDlq",
        }
    }
}

/// Counts since the last publication.
pub type Counters = BTreeMap<Metric, u64>;

/// Handles of the topic's series, made when first published.
#[derive(Clone, Debug, Default)]
pub struct Meters {
    counts: BTreeMap<Metric, SeriesId>,
    size: Option<SeriesId>,
}

/// When the topic was last used.
#[derive(Clone, Copy, Debug)]
pub struct Activity {
    last_at: Timestamp,
}

impl Activity {
    pub const fn new(now: Timestamp) -> Self {
        Self { last_at: now }
    }

    /// An API action, or a delivery.
    pub fn note(&mut self, now: Timestamp) {
        self.last_at = now;
    }
}

impl Topic {
    pub(super) fn count(&mut self, now: Timestamp, metric: Metric) {
        *self.counters.entry(metric).or_default() += 1;
        self.activity.note(now);
    }

    /// Adds one `PublishSize` sample, bytes; a batch is one sample.
    pub(super) fn note_size(&mut self, cx: &mut Cx<'_>, bytes: usize) {
        let id = *self
            .meters
            .size
            .get_or_insert_with(|| cx.metrics.series("AWS/SNS", "PublishSize", &[("TopicName", &self.name)], "Bytes"));
        cx.metrics.add(id, cx.now, bytes as f64);
    }

    /// Publishes the minute that ends now, unless the topic is inactive.
    pub(super) fn publish_counts(&mut self, cx: &mut Cx<'_>) {
        let mut counters = std::mem::take(&mut self.counters);
        if cx.now.since(self.activity.last_at) >= ACTIVE_FOR {
            return;
        }
        // An active topic reports these as zero; the others appear with their first event.
        for metric in [Metric::Published, Metric::Delivered, Metric::Failed] {
            counters.entry(metric).or_default();
        }
        let at = cx.now - Duration::from_millis(1);
        for (metric, count) in counters {
            let id =
                *self.meters.counts.entry(metric).or_insert_with(|| {
                    cx.metrics.series("AWS/SNS", metric.name(), &[("TopicName", &self.name)], "Count")
                });
            cx.metrics.add(id, at, count as f64);
        }
    }
}

impl Sns {
    /// Starts the minute's publication; called when the first topic is made.
    pub(super) fn schedule_gauges(&mut self, cx: &mut Cx<'_>) {
        if !self.gauges_run {
            self.gauges_run = true;
            cx.schedule(cx.now.floor_to(60) + Duration::from_secs(60), super::Due::Gauges.into());
        }
    }

    /// Every topic publishes; the entry for the next minute is made as long as there is a topic.
    pub(super) fn publish_gauges(&mut self, cx: &mut Cx<'_>) {
        for topic in self.topics.values_mut() {
            topic.publish_counts(cx);
        }
        self.gauges_run = false;
        if !self.topics.is_empty() {
            self.schedule_gauges(cx);
        }
    }
}
