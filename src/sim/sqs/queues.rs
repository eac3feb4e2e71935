//! Operations on queues: create, delete, purge, attributes, depth. CreateQueue, DeleteQueue, PurgeQueue and kin.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::sqs::attributes::{Attributes, Fifo};
use crate::sim::sqs::dedup::Dedup;
use crate::sim::sqs::queue::{Action, Queue};
use crate::sim::sqs::store::Depth;
use crate::sim::sqs::{Sqs, error};
use std::collections::BTreeMap;
use std::time::Duration;

/// A deleted queue's name is blocked for this long, and a purge may be repeated after this long.
const SETTLING_TIME: Duration = Duration::from_secs(60);
/// Tags of one queue, at most.
const TAGS_MAX: usize = 50;

impl Sqs {
    /// Makes a queue. An existing one of the same name and the same values is left as it is, and that is no error.
    /// Errors: InvalidParameterValue (name), QueueDeletedRecently, QueueAlreadyExists, InvalidAttributeName,
    /// InvalidAttributeValue, InvalidParameterValue (redrive policy).
    pub fn create_queue(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        attributes: &BTreeMap<String, String>,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), ApiError> {
        check_name(name)?;
        let wanted = wanted_attributes(cx, name, attributes)?;
        if let Some(queue) = self.queues.get_mut(name) {
            queue.act(cx);
            let has = queue.attributes.texts(cx.place);
            let wanted = wanted.texts(cx.place);
            let differs = attributes.keys().find(|key| has.get(key.as_str()) != wanted.get(key.as_str()));
            return differs.map_or(Ok(()), |attribute| Err(error::queue_name_exists(attribute)));
        }
        if self.deleted.get(name).is_some_and(|at| cx.now.since(*at) < SETTLING_TIME) {
            return Err(error::queue_deleted_recently());
        }
        self.check_redrive(cx, name, &wanted)?;
        check_tags(name, tags)?;
        self.deleted.remove(name);
        let mut queue = Queue::new(cx, name, wanted);
        queue.tags.clone_from(tags);
        self.queues.insert(name.to_owned(), queue);
        self.schedule_gauges(cx);
        Ok(())
    }

    /// Deletes a queue and what it holds. Its name is blocked for 60 seconds.
    pub fn delete_queue(&mut self, cx: &mut Cx<'_>, name: &str) -> Result<(), ApiError> {
        let mut queue = self.queues.remove(name).ok_or_else(error::queue_does_not_exist)?;
        queue.activity.note(cx);
        queue.publish(cx);
        cx.waits.queue_changed(name);
        self.deleted.retain(|_, at| cx.now.since(*at) < SETTLING_TIME);
        self.deleted.insert(name.to_owned(), cx.now);
        Ok(())
    }

    /// Drops every message, those in flight included; how many those were. PurgeQueueInProgress within 60 seconds of
    /// the last purge.
    pub fn purge(&mut self, cx: &mut Cx<'_>, name: &str) -> Result<u64, ApiError> {
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        if queue.purged_at.is_some_and(|at| cx.now.since(at) < SETTLING_TIME) {
            return Err(error::purge_in_progress(name));
        }
        queue.purged_at = Some(cx.now);
        // What was purged may be sent again.
        queue.dedup = Dedup::default();
        Ok(queue.store.clear())
    }

    /// Sets what `changes` names.
    pub fn set_attributes(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        changes: &BTreeMap<String, String>,
    ) -> Result<(), ApiError> {
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        let mut next = queue.attributes.clone();
        next.set(cx.place, changes)?;
        if changes.contains_key("RedrivePolicy") {
            // What was set before stays, whatever has become of its queue.
            self.check_redrive(cx, name, &next)?;
        }
        let queue = self.queue_mut(name)?;
        let by_group = |attributes: &Attributes| attributes.fifo.as_ref().map(|fifo| fifo.deduplicate_by_group);
        if by_group(&queue.attributes) != by_group(&next) {
            queue.scope_since = Some(cx.now);
        }
        queue.attributes = next;
        queue.modified_at = cx.now;
        queue.settle(cx.now);
        Ok(())
    }

    /// Every attribute in AWS's text form, the counted ones included.
    pub fn attributes(&mut self, cx: &mut Cx<'_>, name: &str) -> Result<BTreeMap<&'static str, String>, ApiError> {
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        let depth = queue.store.depth();
        let mut texts = queue.attributes.texts(cx.place);
        texts.insert("ApproximateNumberOfMessages", depth.visible.to_string());
        texts.insert("ApproximateNumberOfMessagesNotVisible", depth.in_flight.to_string());
        texts.insert("ApproximateNumberOfMessagesDelayed", depth.delayed.to_string());
        texts.insert("CreatedTimestamp", queue.created_at.secs().to_string());
        texts.insert("LastModifiedTimestamp", queue.modified_at.secs().to_string());
        texts.insert("QueueArn", queue.arn(cx));
        Ok(texts)
    }

    /// Counts one API action against a FIFO queue's rate; a client's, not that of an actor within the engine. That a
    /// queue is not there is for the action to say. Errors: RequestThrottled.
    pub fn admit(&mut self, cx: &Cx<'_>, name: &str, action: Action) -> Result<(), ApiError> {
        self.queues.get_mut(name).map_or(Ok(()), |queue| queue.admit(cx, action))
    }

    /// Adds tags or replaces their values. InvalidParameterValue above 50 tags.
    pub fn tag(&mut self, cx: &mut Cx<'_>, name: &str, tags: BTreeMap<String, String>) -> Result<(), ApiError> {
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        let mut next = queue.tags.clone();
        next.extend(tags);
        check_tags(name, &next)?;
        queue.tags = next;
        Ok(())
    }

    /// Takes tags away; keys that are not there are no error.
    pub fn untag(&mut self, cx: &mut Cx<'_>, name: &str, keys: &[&str]) -> Result<(), ApiError> {
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        queue.tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    }

    pub fn tags(&mut self, cx: &mut Cx<'_>, name: &str) -> Result<&BTreeMap<String, String>, ApiError> {
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        Ok(&queue.tags)
    }

    /// Where the queue's messages stand now. Not an API action: it wakes nothing up.
    pub fn depth(&mut self, cx: &Cx<'_>, name: &str) -> Option<Depth> {
        let queue = self.queues.get_mut(name)?;
        queue.settle(cx.now);
        Some(queue.store.depth())
    }

    /// Whether a receive that waits has reason to look: a message can be received, or the queue is gone.
    pub fn has_news(&mut self, now: Timestamp, name: &str) -> bool {
        let Some(queue) = self.queues.get_mut(name) else { return true };
        queue.settle(now);
        queue.store.peek_visible(u64::MAX).is_some()
    }

    /// How long the oldest message has waited, as ApproximateAgeOfOldestMessage counts; `None` without a message that
    /// counts. Not an API action.
    pub fn oldest_age(&mut self, cx: &Cx<'_>, name: &str) -> Option<Duration> {
        let queue = self.queues.get_mut(name)?;
        queue.settle(cx.now);
        queue.store.oldest_since().map(|since: Timestamp| cx.now.since(since))
    }

    /// Names of the queues whose redrive policy names this one. The reverse of their `RedrivePolicy`.
    pub fn list_dead_letter_source_queues(&mut self, cx: &mut Cx<'_>, name: &str) -> Result<Vec<String>, ApiError> {
        self.queue_mut(name)?.act(cx);
        Ok(self.sources_of(name).map(str::to_owned).collect())
    }

    pub(super) fn sources_of<'a>(&'a self, dlq: &'a str) -> impl Iterator<Item = &'a str> {
        let feeds = move |queue: &&Queue| queue.attributes.redrive.as_ref().is_some_and(|policy| policy.target == dlq);
        self.queues.values().filter(feeds).map(|queue| queue.name.as_str())
    }

    /// The dead-letter queue must exist, be of the same type, and admit the source.
    fn check_redrive(&self, cx: &Cx<'_>, source: &str, attributes: &Attributes) -> Result<(), ApiError> {
        let Some(policy) = &attributes.redrive else { return Ok(()) };
        let refuse = |reason: &str| Err(error::invalid_value(policy.text(cx.place), "RedrivePolicy", reason));
        let Some(target) = self.queues.get(&policy.target) else {
            return refuse("Dead letter target does not exist.");
        };
        if target.attributes.fifo.is_some() != attributes.fifo.is_some() {
            return refuse("Dead-letter queue must be same type of queue as the source.");
        }
        if target.attributes.redrive_allow.as_ref().is_some_and(|allow| !allow.admits(&cx.place.arn("sqs", source))) {
            return refuse("The dead-letter queue's redrive allow policy does not permit this source queue.");
        }
        Ok(())
    }
}

/// Tags: at most 50, keys of 1 to 128 characters, values of up to 256 ("Amazon SQS cost allocation tags").
fn check_tags(queue: &str, tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.len() > TAGS_MAX {
        return Err(error::invalid_parameter(format!("Too many tags added for queue {queue}.")));
    }
    if tags.keys().any(|key| !(1..=128).contains(&key.chars().count())) {
        return Err(error::tag_key_length());
    }
    if tags.values().any(|value| value.chars().count() > 256) {
        return Err(error::invalid_parameter("Tag values must be between 0 and 256 characters in length."));
    }
    Ok(())
}

/// A queue's name: 1 to 80 letters, digits, hyphens and underscores, and `.fifo` at the end of a FIFO queue's.
fn check_name(name: &str) -> Result<(), ApiError> {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if stem.is_empty() || name.len() > 80 || !stem.chars().all(legal) {
        return Err(error::invalid_parameter(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ));
    }
    Ok(())
}

fn wanted_attributes(cx: &Cx<'_>, name: &str, given: &BTreeMap<String, String>) -> Result<Attributes, ApiError> {
    let mut attributes = Attributes::default();
    let fifo = given.get("FifoQueue").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    match (name.ends_with(".fifo"), fifo) {
        (true, true) => attributes.fifo = Some(Fifo::default()),
        (false, true) => {
            return Err(error::invalid_parameter(
                "The name of a FIFO queue can only include alphanumeric characters, \
                hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.",
            ));
        }
        (true, false) => {
            return Err(error::invalid_parameter(
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            ));
        }
        (false, false) => {}
    }
    attributes.set(cx.place, given)?;
    Ok(attributes)
}
