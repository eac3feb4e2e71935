//! Publish and PublishBatch: what a message must be, what a FIFO topic makes of it, and who wants it.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::payload::Payload;
use crate::sim::sns::attempt::{Attempt, Delivery, Kind};
use crate::sim::sns::dedup::{Published, SequenceNumber};
use crate::sim::sns::filter::{Event, Scope};
use crate::sim::sns::message::{Message, Publication};
use crate::sim::sns::metrics::Metric;
use crate::sim::sns::subscription::{Protocol, Subscription};
use crate::sim::sns::topic::Topic;
use crate::sim::sns::{Sns, error};
use crate::sim::sqs::AttributeValue;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// Messages of one batch, at most.
pub const BATCH_MAX: usize = 10;

impl Sns {
    /// Publishes one message: its id, and what has to be delivered. Errors: NotFound, InvalidParameter, Throttled.
    pub fn publish(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        publication: Publication,
    ) -> Result<(Published, Vec<Delivery>), ApiError> {
        let topic = self.topic_mut(name)?;
        topic.activity.note(cx.now);
        check_subject(publication.subject.as_deref())?;
        check_not_empty(&publication)?;
        let bytes = bytes_of(cx, &publication);
        if bytes > topic.message_bytes_max() {
            return Err(error::invalid_parameter("Message too long"));
        }
        let checked = Checked::of(cx, topic, publication)?;
        let is_fifo = topic.is_fifo();
        self.rates.admit_messages(cx, 1, is_fifo.then_some(name))?;
        self.topic_mut(name)?.note_size(cx, bytes);
        let mut deliveries = Vec::new();
        let published = self.accept(cx, name, checked, &mut deliveries)?;
        Ok((published, deliveries))
    }

    /// Publishes up to ten messages. Each has its own outcome; what is wrong with the structure of any of them refuses
    /// them all, as does their size together. Errors as of `publish`, and BatchRequestTooLong.
    #[expect(clippy::type_complexity)]
    pub fn publish_batch(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        batch: Vec<Publication>,
    ) -> Result<(Vec<Result<Published, ApiError>>, Vec<Delivery>), ApiError> {
        let topic = self.topic_mut(name)?;
        topic.activity.note(cx.now);
        let bytes: usize = batch.iter().map(|publication| bytes_of(cx, publication)).sum();
        if bytes > topic.message_bytes_max() {
            let message = "The length of all the messages put together is more than the limit.";
            return Err(ApiError::client("BatchRequestTooLong", message));
        }
        let mut checked = Vec::with_capacity(batch.len());
        for publication in batch {
            let own = check_subject(publication.subject.as_deref()).and_then(|()| check_not_empty(&publication));
            checked.push(match own {
                Ok(()) => Ok(Checked::of(cx, topic, publication)?),
                Err(error) => Err(error),
            });
        }
        let is_fifo = topic.is_fifo();
        self.rates.admit_messages(cx, checked.len(), is_fifo.then_some(name))?;
        self.topic_mut(name)?.note_size(cx, bytes);
        let mut deliveries = Vec::new();
        let outcomes = checked
            .into_iter()
            .map(|checked| checked.and_then(|checked| self.accept(cx, name, checked, &mut deliveries)))
            .collect();
        Ok((outcomes, deliveries))
    }

    /// Takes a checked message in. A FIFO topic answers a repeated deduplication id with what the first was answered.
    fn accept(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        checked: Checked,
        deliveries: &mut Vec<Delivery>,
    ) -> Result<Published, ApiError> {
        let topic = self.topic_mut(name)?;
        topic.count(cx.now, Metric::Published);
        let Checked { publication, texts, dedup } = checked;
        if let Some((scope, id)) = &dedup
            && let Some(first) = topic.dedup.seen(cx.now, scope, id)
        {
            return Ok(first);
        }
        let sequence = topic.is_fifo().then(|| {
            topic.sequence += 1;
            SequenceNumber(topic.sequence)
        });
        let published = Published { message_id: cx.uuid(), sequence };
        if let Some((scope, id)) = &dedup {
            topic.dedup.remember(cx.now, scope, id, &published);
        }
        let body = match texts.get("default") {
            Some(text) => Payload::Sent(Bytes::copy_from_slice(text.as_bytes())),
            None => publication.message,
        };
        let message = Arc::new(Message {
            id: published.message_id.clone(),
            body,
            texts,
            subject: publication.subject,
            attributes: publication.attributes,
            group: publication.group,
            dedup: dedup.map(|(_, id)| id),
            sequence,
            trace_header: publication.trace_header,
            lineage: publication.lineage,
            published_at: cx.now,
        });
        self.fan_out(cx, name, &message, deliveries);
        Ok(published)
    }

    /// Offers the message to every confirmed subscription.
    fn fan_out(&mut self, cx: &mut Cx<'_>, name: &str, message: &Arc<Message>, deliveries: &mut Vec<Delivery>) {
        let Some(topic) = self.topics.get_mut(name) else { return };
        let topic_name: Arc<str> = Arc::from(name);
        let mut sieve = Sieve::default();
        let mut wanted = Vec::new();
        let mut filtered = Vec::new();
        for (id, subscription) in &mut topic.subscriptions {
            if subscription.is_pending() {
                continue;
            }
            subscription.tally.offered += 1;
            match sieve.judge(cx, subscription, message) {
                None => wanted.push(Arc::from(id.as_str())),
                Some(reason) => {
                    subscription.tally.filtered += 1;
                    filtered.push(reason);
                }
            }
        }
        for reason in filtered {
            topic.count(cx.now, Metric::FilteredOut);
            topic.count(cx.now, reason);
        }
        for subscription in wanted {
            let message = Arc::clone(message);
            let topic = Arc::clone(&topic_name);
            let attempt = Attempt { topic, subscription, message, kind: Kind::Notification, tries: 0 };
            deliveries.extend(self.start(cx, attempt));
        }
    }
}

/// Filter policies over one message; what they look at is made when the first one asks.
#[derive(Default)]
struct Sieve {
    attributes: Option<Option<Event>>,
    bodies: BTreeMap<Option<Protocol>, Option<Event>>,
}

impl Sieve {
    /// Why the subscription does not want the message, as the metric that counts it; `None` when it does.
    fn judge(&mut self, cx: &Cx<'_>, subscription: &Subscription, message: &Message) -> Option<Metric> {
        let (_, policy) = subscription.attributes.filter.as_ref()?;
        match subscription.attributes.scope {
            Scope::MessageAttributes => {
                let event = self.attributes.get_or_insert_with(|| Event::of_attributes(&message.attributes));
                match event {
                    None => Some(Metric::FilteredOutInvalidAttributes),
                    // "exists: false" wants one attribute at least ("Key matching").
                    Some(_) if message.attributes.is_empty() && !policy.wants_all() => {
                        Some(Metric::FilteredOutNoMessageAttributes)
                    }
                    Some(event) if policy.matches(event) => None,
                    Some(_) => Some(Metric::FilteredOutMessageAttributes),
                }
            }
            Scope::MessageBody => {
                let protocol = subscription.protocol;
                let own = message.texts.contains_key(protocol.text()).then_some(protocol);
                let event = self
                    .bodies
                    .entry(own)
                    .or_insert_with(|| Event::of_body(&cx.templates.read(&message.body_for(protocol), message.key())));
                match event {
                    None => Some(Metric::FilteredOutInvalidMessageBody),
                    Some(event) if policy.matches(event) => None,
                    Some(_) => Some(Metric::FilteredOutMessageBody),
                }
            }
        }
    }
}

/// A message that is as it must be.
struct Checked {
    publication: Publication,
    /// By protocol, where the message is structured.
    texts: BTreeMap<String, String>,
    /// Scope and id of a FIFO topic's message.
    dedup: Option<(String, String)>,
}

impl Checked {
    fn of(cx: &Cx<'_>, topic: &Topic, publication: Publication) -> Result<Self, ApiError> {
        check_id("MessageGroupId", publication.group.as_deref())?;
        check_id("MessageDeduplicationId", publication.dedup.as_deref())?;
        let dedup = deduplication(cx, topic, &publication)?;
        let texts = if publication.by_protocol { texts(cx, &publication)? } else { BTreeMap::new() };
        Ok(Self { publication, texts, dedup })
    }
}

/// Bytes that count against the limit: the message and each attribute's name, type and value.
fn bytes_of(cx: &Cx<'_>, publication: &Publication) -> usize {
    let of_attribute =
        |(name, value): (&String, &AttributeValue)| name.len() + value.data_type.len() + value.bytes().len();
    cx.templates.len_of(&publication.message) + publication.attributes.iter().map(of_attribute).sum::<usize>()
}

fn check_subject(subject: Option<&str>) -> Result<(), ApiError> {
    let Some(subject) = subject else { return Ok(()) };
    if subject.is_empty() || subject.chars().count() > 100 || subject.chars().any(char::is_control) {
        return Err(error::invalid_parameter("Subject"));
    }
    Ok(())
}

fn check_not_empty(publication: &Publication) -> Result<(), ApiError> {
    match &publication.message {
        Payload::Sent(bytes) if bytes.is_empty() => Err(error::invalid_parameter("Empty message")),
        _ => Ok(()),
    }
}

/// Group and deduplication ids: 1 to 128 letters, digits and punctuation.
fn check_id(name: &str, id: Option<&str>) -> Result<(), ApiError> {
    match id {
        Some(id) if id.is_empty() || id.len() > 128 || !id.bytes().all(|b| b.is_ascii_graphic()) => {
            Err(error::invalid_parameter(format!(
                "{name} Reason: can only include alphanumeric and punctuation characters. 1 to 128 in length"
            )))
        }
        _ => Ok(()),
    }
}

/// The scope and the id by which a FIFO topic knows a message again; `None` for a standard topic.
fn deduplication(cx: &Cx<'_>, topic: &Topic, publication: &Publication) -> Result<Option<(String, String)>, ApiError> {
    let Some(fifo) = &topic.attributes.fifo else {
        return match publication.dedup {
            Some(_) => Err(error::invalid_parameter(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid \
                 for this topic type",
            )),
            None => Ok(None),
        };
    };
    let Some(group) = &publication.group else {
        return Err(error::invalid_parameter("The MessageGroupId parameter is required for FIFO topics"));
    };
    let id = match &publication.dedup {
        Some(id) => id.clone(),
        None if fifo.content_based_deduplication => hash(&cx.templates.read(&publication.message, group)),
        None => {
            return Err(error::invalid_parameter(
                "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided \
                 explicitly",
            ));
        }
    };
    let scope = if fifo.scope_is_group == Some(true) { group.clone() } else { String::new() };
    Ok(Some((scope, id)))
}

fn hash(body: &[u8]) -> String {
    Sha256::digest(body).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The texts of a structured message; those that are no texts are left out (Publish, "JSON-specific constraints").
fn texts(cx: &Cx<'_>, publication: &Publication) -> Result<BTreeMap<String, String>, ApiError> {
    let body = cx.templates.read(&publication.message, "");
    let Ok(Value::Object(members)) = serde_json::from_slice(&body) else {
        return Err(error::invalid_parameter("Message Structure - JSON message body failed to parse"));
    };
    let texts: BTreeMap<String, String> = members
        .into_iter()
        .filter_map(|(protocol, text)| match text {
            Value::String(text) => Some((protocol, text)),
            _ => None,
        })
        .collect();
    if !texts.contains_key("default") {
        return Err(error::invalid_parameter("Message Structure - No default entry in JSON message body"));
    }
    Ok(texts)
}
