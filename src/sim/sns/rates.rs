//! SNS's published request rates ("Amazon Simple Notification Service endpoints and quotas").

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::rate::TokenBucket;
use crate::sim::sns::error;
use std::collections::BTreeMap;

/// Messages a second to one FIFO topic whose deduplication scope is the topic.
const FIFO_PER_S: f64 = 3000.0;

/// One bucket for each operation that has its own rate, and one for publishing.
#[derive(Debug, Default)]
pub struct Rates {
    operations: BTreeMap<&'static str, TokenBucket>,
    topics: BTreeMap<String, TokenBucket>,
}

fn take(bucket: &mut TokenBucket, n: f64, now: Timestamp) -> Result<(), ApiError> {
    if bucket.take(n, now) { Ok(()) } else { Err(error::throttled()) }
}

impl Rates {
    /// Admits one call of an operation that does not publish.
    pub fn admit(&mut self, cx: &Cx<'_>, operation: &str) -> Result<(), ApiError> {
        let (name, per_s) = match operation {
            "ListTopics" => ("ListTopics", 30.0),
            "ListSubscriptions" => ("ListSubscriptions", 30.0),
            "ListSubscriptionsByTopic" => ("ListSubscriptionsByTopic", 30.0),
            "CreateTopic" => ("CreateTopic", 30.0),
            "Subscribe" => ("Subscribe", 100.0),
            "Unsubscribe" => ("Unsubscribe", 100.0),
            "GetTopicAttributes" => ("GetTopicAttributes", regional(&cx.place.region) / 10.0),
            "SetTopicAttributes" => ("SetTopicAttributes", regional(&cx.place.region) / 10.0),
            _ => return Ok(()),
        };
        if !cx.place.limits {
            return Ok(());
        }
        let bucket = self.operations.entry(name).or_insert_with(|| TokenBucket::new(per_s, per_s, cx.now));
        take(bucket, 1.0, cx.now)
    }

    /// Admits messages that are published: by the account's rate in its region, and by a FIFO topic's.
    pub fn admit_messages(&mut self, cx: &Cx<'_>, count: usize, fifo_topic: Option<&str>) -> Result<(), ApiError> {
        if !cx.place.limits {
            return Ok(());
        }
        let bucket = |per_s| move || TokenBucket::new(per_s, per_s, cx.now);
        let all = self.operations.entry("Publish").or_insert_with(bucket(regional(&cx.place.region)));
        take(all, count as f64, cx.now)?;
        let Some(topic) = fifo_topic else { return Ok(()) };
        let topic = self.topics.entry(topic.to_owned()).or_insert_with(bucket(FIFO_PER_S));
        take(topic, count as f64, cx.now)
    }

    /// A topic is gone, and its rate with it.
    pub fn forget(&mut self, topic: &str) {
        self.topics.remove(topic);
    }
}

/// Messages a second that an account may publish in a region; topic attributes may be asked a tenth as often.
fn regional(region: &str) -> f64 {
    match region {
        "us-east-1" => 30_000.0,
        "us-west-2" | "eu-west-1" => 9_000.0,
        "us-east-2" | "us-west-1" | "ap-south-1" | "ap-northeast-1" | "ap-northeast-2" | "ap-southeast-1"
        | "ap-southeast-2" | "eu-central-1" => 1_500.0,
        _ => 300.0,
    }
}
