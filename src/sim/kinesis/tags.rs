//! Tags and resource policies of streams and consumers.

use super::consumer::ConsumerId;
use super::rates::Operation;
use super::{Kinesis, fault};
use crate::sim::cx::{Cx, Place};
use crate::sim::error::ApiError;
use std::collections::BTreeMap;

pub type Tags = BTreeMap<String, String>;

/// Tags that a resource may have.
const MAX_TAGS: usize = 50;

/// What carries tags and a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    Stream(String),
    Consumer(ConsumerId),
}

impl Resource {
    fn arn(&self, place: &Place) -> String {
        let stream = place.arn("kinesis", &format!("stream/{}", self.stream()));
        match self {
            Self::Stream(_) => stream,
            Self::Consumer(id) => {
                let created_s = id.created_s.map_or_else(String::new, |created_s| format!(":{created_s}"));
                format!("{stream}/consumer/{}{created_s}", id.consumer)
            }
        }
    }

    fn stream(&self) -> &str {
        match self {
            Self::Stream(stream) => stream,
            Self::Consumer(id) => &id.stream,
        }
    }
}

impl Kinesis {
    /// AddTagsToStream and TagResource: sets each tag, replacing the value of one that is there.
    ///
    /// Errors: `InvalidArgumentException` (characters, more than 50), `ResourceNotFoundException`,
    /// `LimitExceededException`.
    pub fn add_tags(&mut self, cx: &mut Cx<'_>, resource: &Resource, tags: &Tags) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::AddTags, Some(resource.stream()))?;
        let (account, name) = (cx.place.account.clone(), resource.stream().to_owned());
        let (kept, _) = self.labels(cx, resource)?;
        check_new(tags, &name, &account)?;
        let fresh = tags.keys().filter(|key| !kept.contains_key(*key)).count();
        if kept.len() + fresh > MAX_TAGS {
            return Err(fault::invalid_argument(format!(
                "Failed to add tags to stream {name} under account {account} because a given stream cannot have more \
                 than {MAX_TAGS} tags associated with it."
            )));
        }
        kept.extend(tags.clone());
        Ok(())
    }

    /// RemoveTagsFromStream and UntagResource. A key that is not there is no error.
    ///
    /// Errors: as [`Kinesis::add_tags`].
    pub fn remove_tags(&mut self, cx: &mut Cx<'_>, resource: &Resource, keys: &[&str]) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::RemoveTags, Some(resource.stream()))?;
        let (account, name) = (cx.place.account.clone(), resource.stream().to_owned());
        let (kept, _) = self.labels(cx, resource)?;
        check_characters(keys.iter().copied(), "remove", "from", &name, &account)?;
        for key in keys {
            kept.remove(*key);
        }
        Ok(())
    }

    /// ListTagsForStream and ListTagsForResource, by key.
    ///
    /// Errors: `ResourceNotFoundException`, `LimitExceededException`.
    pub fn tags(&mut self, cx: &mut Cx<'_>, resource: &Resource) -> Result<&Tags, ApiError> {
        self.rates.admit(cx, Operation::ListTags, Some(resource.stream()))?;
        self.labels(cx, resource).map(|(tags, _)| &*tags)
    }

    /// PutResourcePolicy. The policy says what other accounts may do, and what not even the own may.
    ///
    /// Errors: `ResourceNotFoundException`, `ResourceInUseException` (a consumer that is not ACTIVE),
    /// `InvalidArgumentException` (no JSON object).
    pub fn put_policy(&mut self, cx: &mut Cx<'_>, resource: &Resource, policy: &str) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::ResourcePolicy, Some(resource.stream()))?;
        let is_object = serde_json::from_str::<serde_json::Value>(policy).is_ok_and(|value| value.is_object());
        if !is_object {
            return Err(fault::invalid_argument("Policy document is invalid. It must be a JSON object."));
        }
        *self.policy_of(cx, resource)? = Some(policy.to_owned());
        Ok(())
    }

    /// GetResourcePolicy. Errors: as [`Kinesis::put_policy`].
    pub fn policy(&mut self, cx: &mut Cx<'_>, resource: &Resource) -> Result<Option<String>, ApiError> {
        self.rates.admit(cx, Operation::ResourcePolicy, Some(resource.stream()))?;
        self.policy_of(cx, resource).map(|policy| policy.clone())
    }

    /// DeleteResourcePolicy. Errors: as [`Kinesis::put_policy`]; `ResourceNotFoundException` where there is none.
    pub fn delete_policy(&mut self, cx: &mut Cx<'_>, resource: &Resource) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::ResourcePolicy, Some(resource.stream()))?;
        let kept = self.policy_of(cx, resource)?.take();
        kept.map(|_| ()).ok_or_else(|| fault::policy_not_found(&resource.arn(cx.place)))
    }

    /// Streams and consumers by ARN, the type that the Tagging API names them by, and their tags.
    pub fn tagged<'k>(&'k self, place: &'k Place) -> impl Iterator<Item = (String, &'static str, &'k Tags)> {
        self.streams.iter().flat_map(move |(name, stream)| {
            let own = (place.arn("kinesis", &format!("stream/{name}")), "kinesis:stream", &stream.tags);
            let consumers = stream.consumers.values();
            let consumers = consumers.map(move |one| {
                (super::ConsumerSummary::from(one).arn(place, name), "kinesis:stream/consumer", &one.tags)
            });
            std::iter::once(own).chain(consumers)
        })
    }

    fn policy_of(&mut self, cx: &Cx<'_>, resource: &Resource) -> Result<&mut Option<String>, ApiError> {
        if let Resource::Consumer(id) = resource {
            let consumer = self.known_consumer(cx, id)?;
            if consumer.status != super::ConsumerStatus::Active {
                return Err(fault::consumer_not_active(cx.place, &id.stream, consumer));
            }
        }
        if let Resource::Stream(name) = resource
            && !self.streams.contains_key(name)
        {
            // These operations know a stream by its ARN alone.
            return Err(fault::stream_not_found(cx.place, &resource.arn(cx.place)));
        }
        self.labels(cx, resource).map(|(_, policy)| policy)
    }

    fn labels(&mut self, cx: &Cx<'_>, resource: &Resource) -> Result<(&mut Tags, &mut Option<String>), ApiError> {
        if let Resource::Consumer(id) = resource {
            self.known_consumer(cx, id)?;
        }
        let stream = self.stream_mut(cx, resource.stream())?;
        match resource {
            Resource::Stream(_) => Ok((&mut stream.tags, &mut stream.policy)),
            Resource::Consumer(id) => match stream.consumers.get_mut(&id.consumer) {
                Some(consumer) => Ok((&mut consumer.tags, &mut consumer.policy)),
                None => Err(fault::consumer_not_found(cx.place, id)),
            },
        }
    }
}

/// Checks tags that a stream or a consumer is given: their characters, and that no key is one of AWS's own.
pub(super) fn check_new(tags: &Tags, stream: &str, account: &str) -> Result<(), ApiError> {
    let texts = tags.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
    check_characters(texts, "add", "to", stream, account)?;
    if tags.keys().any(|key| key.starts_with("aws:")) {
        return Err(fault::invalid_argument(format!(
            "Failed to add tags to stream {stream} under account {account} because some tags contained keys with the \
             reserved prefix aws:."
        )));
    }
    Ok(())
}

/// AWS checks twice, with two lists of characters: `%` passes the first check and not the second.
fn check_characters<'a>(
    mut texts: impl Iterator<Item = &'a str> + Clone,
    verb: &str,
    preposition: &str,
    stream: &str,
    account: &str,
) -> Result<(), ApiError> {
    let is_word = |c: char| c.is_alphanumeric() || c == ' ' || "_./=+-@:".contains(c);
    if texts.clone().any(|text| !text.chars().all(|c| is_word(c) || c == '%')) {
        return Err(fault::invalid_argument(
            "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, \
             _ . / = + - % @ :.",
        ));
    }
    if texts.any(|text| text.contains('%')) {
        return Err(fault::invalid_argument(format!(
            "Failed to {verb} tags {preposition} stream {stream} under account {account} because some tags contained \
             illegal characters. The allowed characters are Unicode letters, white-spaces, \
             '_',',','/','=','+','-','@',':'."
        )));
    }
    Ok(())
}
