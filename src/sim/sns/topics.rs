//! Operations on topics: create, delete, list, attributes, tags.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::sns::topic::{Attributes, MESSAGE_BYTES_DEFAULT, Topic};
use crate::sim::sns::{Protocol, Sns, error};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Topics of an account, at most: standard and FIFO.
const STANDARD_TOPICS_MAX: usize = 100_000;
const FIFO_TOPICS_MAX: usize = 1_000;
/// Tags of one topic, at most.
const TAGS_MAX: usize = 50;
/// Bytes of a data protection policy, at most (PutDataProtectionPolicy).
const DATA_PROTECTION_BYTES_MAX: usize = 30_720;
/// A topic with larger messages than by default has at most so many subscriptions (CreateTopic).
pub const LARGE_SUBSCRIPTIONS_MAX: usize = 100;

impl Sns {
    /// Makes a topic. An existing one of the same name is left as it is, and that is no error as long as nothing is
    /// given that it does not have. Errors: InvalidParameter (name, attributes, tags), TopicLimitExceeded.
    pub fn create_topic(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        given: &BTreeMap<String, String>,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), ApiError> {
        let wanted = Attributes::of_new(cx, name, given)?;
        if let Some(topic) = self.topics.get_mut(name) {
            topic.activity.note(cx.now);
            let arn = cx.place.arn("sns", name);
            let (has, wants) = (topic.attributes.texts(cx.place, &arn), wanted.texts(cx.place, &arn));
            if given.keys().any(|key| wants.contains_key(key) && has.get(key) != wants.get(key)) {
                let reason = "Attributes Reason: Topic already exists with different attributes";
                return Err(error::invalid_parameter(reason));
            }
            if tags.iter().any(|(key, value)| topic.tags.get(key) != Some(value)) {
                return Err(error::invalid_parameter("Tags Reason: Topic already exists with different tags"));
            }
            return Ok(());
        }
        let is_fifo = wanted.fifo.is_some();
        let most = if is_fifo { FIFO_TOPICS_MAX } else { STANDARD_TOPICS_MAX };
        if self.topics.len() >= most && self.topics.values().filter(|topic| topic.is_fifo() == is_fifo).count() >= most
        {
            return Err(error::topic_limit_exceeded());
        }
        if tags.len() > TAGS_MAX {
            return Err(error::tag_limit_exceeded());
        }
        self.topics.insert(name.to_owned(), Topic::new(cx.now, name, wanted, tags.clone()));
        self.schedule_gauges(cx);
        Ok(())
    }

    /// Deletes a topic, its subscriptions and what was still to be delivered to them. One that is not there is no error.
    /// Errors: InvalidState (it has an archive).
    pub fn delete_topic(&mut self, cx: &mut Cx<'_>, name: &str) -> Result<(), ApiError> {
        if self.topics.get(name).is_some_and(|topic| topic.attributes.archive.is_some()) {
            return Err(error::topic_has_an_archive());
        }
        let Some(mut topic) = self.topics.remove(name) else { return Ok(()) };
        topic.publish_counts(cx);
        self.filter_policies -= topic.filter_policies;
        self.pending -= topic.subscriptions.values().filter(|subscription| subscription.is_pending()).count();
        self.tokens.retain(|_, token| token.topic != name);
        self.attempts.retain(|_, attempt| &*attempt.topic != name);
        self.rates.forget(name);
        Ok(())
    }

    /// PutDataProtectionPolicy: keeps the policy, which must be a JSON object; an empty text takes it away. What it says of
    /// messages is not done. Errors: NotFound, InvalidParameter.
    pub fn set_data_protection(&mut self, cx: &mut Cx<'_>, name: &str, policy: &str) -> Result<(), ApiError> {
        let topic = self.topic_mut(name)?;
        topic.activity.note(cx.now);
        if policy.is_empty() {
            topic.data_protection = None;
            return Ok(());
        }
        let is_object = matches!(serde_json::from_str(policy), Ok(Value::Object(_)));
        if topic.is_fifo() || !is_object || policy.len() > DATA_PROTECTION_BYTES_MAX {
            return Err(error::invalid_parameter("DataProtectionPolicy"));
        }
        topic.data_protection = Some(policy.to_owned());
        Ok(())
    }

    /// Up to `count` topics whose names come after this one.
    pub fn topics_after(&self, after: Option<&str>, count: usize) -> Vec<&Topic> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.topics.range::<str, _>((from, Bound::Unbounded)).take(count).map(|(_, topic)| topic).collect()
    }

    /// Every attribute in AWS's text form.
    pub fn attributes(&mut self, cx: &mut Cx<'_>, name: &str) -> Result<BTreeMap<String, String>, ApiError> {
        let topic = self.topic_mut(name)?;
        topic.activity.note(cx.now);
        Ok(topic.texts(cx.now, cx.place))
    }

    /// Sets one attribute. Errors: NotFound, InvalidParameter.
    pub fn set_attribute(&mut self, cx: &mut Cx<'_>, name: &str, attribute: &str, value: &str) -> Result<(), ApiError> {
        let topic = self.topic_mut(name)?;
        topic.activity.note(cx.now);
        let arn = cx.place.arn("sns", name);
        let mut next = topic.attributes.clone();
        next.set(cx.now, &arn, attribute, value)?;
        let is_large = next.message_bytes_max.is_some_and(|bytes| bytes > MESSAGE_BYTES_DEFAULT);
        let takes_large =
            |protocol: Protocol| matches!(protocol, Protocol::Sqs | Protocol::Lambda | Protocol::Firehose);
        if is_large && topic.subscriptions.len() > LARGE_SUBSCRIPTIONS_MAX {
            return Err(error::invalid_parameter("MaximumMessageSize Reason: The topic has too many subscriptions"));
        }
        if is_large && !topic.subscriptions.values().all(|subscription| takes_large(subscription.protocol)) {
            let reason = "MaximumMessageSize Reason: The topic has subscriptions that do not support large messages";
            return Err(error::invalid_parameter(reason));
        }
        topic.attributes = next;
        Ok(())
    }

    /// Adds tags or replaces their values.
    pub fn tag(&mut self, cx: &mut Cx<'_>, name: &str, tags: BTreeMap<String, String>) -> Result<(), ApiError> {
        let topic = self.topics.get_mut(name).ok_or_else(error::resource_does_not_exist)?;
        topic.activity.note(cx.now);
        let mut next = topic.tags.clone();
        next.extend(tags);
        if next.len() > TAGS_MAX {
            return Err(error::tag_limit_exceeded());
        }
        topic.tags = next;
        Ok(())
    }

    /// Takes tags away; keys that are not there are no error.
    pub fn untag(&mut self, cx: &mut Cx<'_>, name: &str, keys: &[&str]) -> Result<(), ApiError> {
        let topic = self.topics.get_mut(name).ok_or_else(error::resource_does_not_exist)?;
        topic.activity.note(cx.now);
        topic.tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    }

    pub fn tags(&mut self, cx: &mut Cx<'_>, name: &str) -> Result<&BTreeMap<String, String>, ApiError> {
        let topic = self.topics.get_mut(name).ok_or_else(error::resource_does_not_exist)?;
        topic.activity.note(cx.now);
        Ok(&topic.tags)
    }
}
