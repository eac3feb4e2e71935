//! Operations on subscriptions: subscribe, confirm, unsubscribe, list, attributes.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::sns::attempt::{Attempt, Delivery, Kind};
use crate::sim::sns::message::Message;
use crate::sim::sns::subscription::{Attributes, Context, Protocol, Subscription, Tally};
use crate::sim::sns::topic::{MESSAGE_BYTES_DEFAULT, Topic};
use crate::sim::sns::topics::LARGE_SUBSCRIPTIONS_MAX;
use crate::sim::sns::{Due, Sns, error};
use rand::RngExt;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

/// A confirmation token is good for two days (Subscribe).
const TOKEN_TIME: Duration = Duration::from_secs(2 * 24 * 3600);
/// Tokens that are kept at once; beyond that nobody is told of an Unsubscribe.
const TOKENS_MAX: usize = 20_000;
/// Subscriptions of an account that wait for confirmation, at most.
const PENDING_MAX: usize = 5_000;
/// Subscriptions of one FIFO topic, at most.
const FIFO_SUBSCRIPTIONS_MAX: usize = 100;
/// Filter policies of one topic and of an account, at most.
const FILTER_POLICIES_MAX: usize = 200;
const ACCOUNT_FILTER_POLICIES_MAX: usize = 10_000;

/// What a confirmation token stands for.
pub struct Token {
    pub topic: String,
    pub id: String,
    /// The subscription as it was, where the token undoes an Unsubscribe.
    pub removed: Option<Box<Subscription>>,
}

/// What Subscribe is given.
#[derive(Clone, Debug)]
pub struct Subscribe<'a> {
    pub topic: &'a str,
    pub protocol: &'a str,
    pub endpoint: Option<&'a str>,
    pub attributes: BTreeMap<String, String>,
    /// Where links in its messages lead.
    pub links: String,
    /// The account that subscribes; `None` for the topic's own.
    pub owner: Option<&'a str>,
}

/// Whose subscriptions are listed.
#[derive(Clone, Copy, Debug)]
pub enum ListOf<'a> {
    Topic(&'a str),
    /// Those that the account has made, wherever their topics are.
    Account(&'a str),
}

/// A subscription that an account has to another account's topic.
#[derive(Clone, Debug)]
pub struct Foreign {
    pub topic_arn: String,
    pub id: String,
    pub subscription: Subscription,
}

/// What Subscribe did.
#[derive(Debug, PartialEq)]
pub struct Subscribed {
    pub id: String,
    pub is_pending: bool,
    /// The confirmation message, for HTTP endpoints and queues of others.
    pub delivery: Option<Delivery>,
}

impl Sns {
    /// Subscribes an endpoint. It may be subscribed already, with the same attributes; one that has not confirmed is then
    /// asked again, unless it is its owner who subscribes it now. Errors: NotFound, InvalidParameter, SubscriptionLimitExceeded,
    /// FilterPolicyLimitExceeded.
    pub fn subscribe(&mut self, cx: &mut Cx<'_>, wanted: Subscribe<'_>) -> Result<Subscribed, ApiError> {
        let has_device = |endpoint: &str| self.has_endpoint(cx.place, endpoint);
        let device_is_missing = wanted.protocol == "application" && wanted.endpoint.is_some_and(|e| !has_device(e));
        let topic = self.topic_mut(wanted.topic)?;
        topic.activity.note(cx.now);
        let protocol = Protocol::parse(wanted.protocol).ok_or_else(|| {
            let reason = format!("Amazon SNS does not support this protocol string: {}", wanted.protocol);
            error::invalid_parameter(reason)
        })?;
        let endpoint = wanted.endpoint.filter(|endpoint| !endpoint.is_empty());
        let endpoint = endpoint.ok_or_else(|| error::invalid_parameter("Endpoint"))?;
        let context = check(topic, protocol, endpoint)?;
        if device_is_missing {
            // AWS's own text has no space there.
            let reason = format!("Endpoint Reason: Endpoint does not exist for endpoint arn{endpoint}");
            return Err(error::invalid_parameter(reason));
        }
        let attributes = Attributes::of_new(context, &wanted.attributes)?;
        let owner = wanted.owner.unwrap_or(&cx.place.account).to_owned();
        let needs_confirmation = protocol.needs_confirmation(endpoint, &owner);
        if let Some(id) = topic.by_endpoint.get(&(protocol, endpoint.to_owned())).cloned() {
            let known = topic.subscriptions.get_mut(&id).ok_or_else(error::subscription_does_not_exist)?;
            if differs(&known.attributes, &attributes, &wanted.attributes) {
                let reason = "Attributes Reason: Subscription already exists with different attributes";
                return Err(error::invalid_parameter(reason));
            }
            if known.is_pending() && !needs_confirmation {
                known.pending = None;
                known.was_authenticated = true;
                known.owner = owner;
                self.pending -= 1;
                return Ok(Subscribed { id, is_pending: false, delivery: None });
            }
            let is_pending = known.is_pending();
            let delivery = if is_pending { self.ask_to_confirm(cx, wanted.topic, &id) } else { None };
            return Ok(Subscribed { id, is_pending, delivery });
        }
        let has_filter = attributes.filter.is_some();
        self.check_room(wanted.topic, needs_confirmation, has_filter)?;
        let (id, is_pending) = (cx.uuid(), needs_confirmation);
        let subscription = Subscription {
            protocol,
            endpoint: endpoint.to_owned(),
            attributes,
            owner,
            pending: None,
            was_authenticated: !is_pending,
            guarded: false,
            links: wanted.links,
            tally: Tally::default(),
            next_slot: cx.now,
        };
        self.insert(wanted.topic, &id, subscription);
        let delivery = if is_pending { self.ask_to_confirm(cx, wanted.topic, &id) } else { None };
        Ok(Subscribed { id, is_pending, delivery })
    }

    fn check_room(&self, topic: &str, needs_confirmation: bool, has_filter: bool) -> Result<(), ApiError> {
        let topic = self.topic(topic).ok_or_else(error::topic_does_not_exist)?;
        let most = if topic.is_fifo() { FIFO_SUBSCRIPTIONS_MAX } else { usize::MAX };
        let is_large = topic.message_bytes_max() > MESSAGE_BYTES_DEFAULT;
        let most = if is_large { most.min(LARGE_SUBSCRIPTIONS_MAX) } else { most };
        let no_room = needs_confirmation && self.pending >= PENDING_MAX;
        if topic.subscriptions.len() >= most || no_room {
            return Err(error::subscription_limit_exceeded());
        }
        let is_full =
            topic.filter_policies >= FILTER_POLICIES_MAX || self.filter_policies >= ACCOUNT_FILTER_POLICIES_MAX;
        if has_filter && is_full { Err(error::filter_policy_limit_exceeded()) } else { Ok(()) }
    }

    fn insert(&mut self, topic: &str, id: &str, subscription: Subscription) {
        let Some(topic) = self.topics.get_mut(topic) else { return };
        let filters = usize::from(subscription.attributes.filter.is_some());
        topic.filter_policies += filters;
        self.filter_policies += filters;
        topic.by_endpoint.insert((subscription.protocol, subscription.endpoint.clone()), id.to_owned());
        topic.subscriptions.insert(id.to_owned(), subscription);
    }

    fn remove(&mut self, topic: &str, id: &str) -> Option<Subscription> {
        let topic = self.topics.get_mut(topic)?;
        let subscription = topic.subscriptions.remove(id)?;
        topic.by_endpoint.remove(&(subscription.protocol, subscription.endpoint.clone()));
        let filters = usize::from(subscription.attributes.filter.is_some());
        topic.filter_policies -= filters;
        self.filter_policies -= filters;
        self.pending -= usize::from(subscription.is_pending());
        Some(subscription)
    }

    /// Makes the token, if there is none yet, and the message that carries it.
    fn ask_to_confirm(&mut self, cx: &mut Cx<'_>, topic: &str, id: &str) -> Option<Delivery> {
        let known = self.subscription(topic, id).ok()?.pending.clone();
        let token = known.unwrap_or_else(|| self.new_token(cx, topic, id, None));
        let subscription = self.topics.get_mut(topic)?.subscriptions.get_mut(id)?;
        self.pending += usize::from(!subscription.is_pending());
        subscription.pending = Some(token.clone());
        subscription.protocol.asks_by_message().then_some(())?;
        let arn = cx.place.arn("sns", topic);
        let text = format!(
            "You have chosen to subscribe to the topic {arn}.\nTo confirm the subscription, visit the SubscribeURL \
             included in this message."
        );
        self.tell(cx, topic, id, Kind::SubscriptionConfirmation { token }, &text)
    }

    fn new_token(&mut self, cx: &mut Cx<'_>, topic: &str, id: &str, removed: Option<Box<Subscription>>) -> String {
        // 288 hexadecimal digits, as AWS's.
        let mut token = "2336412f37fb687f".to_owned();
        for _ in 0..17 {
            let _ = write!(token, "{:016x}", cx.rng.random::<u64>());
        }
        self.tokens.insert(token.clone(), Token { topic: topic.to_owned(), id: id.to_owned(), removed });
        cx.schedule_in(TOKEN_TIME, Due::TokenExpires { token: token.clone() }.into());
        token
    }

    /// A message about the subscription itself.
    fn tell(&mut self, cx: &mut Cx<'_>, topic: &str, id: &str, kind: Kind, text: &str) -> Option<Delivery> {
        let message = Arc::new(Message::of_text(cx, text));
        let attempt = Attempt { topic: Arc::from(topic), subscription: Arc::from(id), message, kind, tries: 0 };
        self.start(cx, attempt)
    }

    /// Confirms the subscription that the token stands for; again is no error. The token alone counts: AWS does not look
    /// whether it is one of the topic that ConfirmSubscription names. Answers the subscription's topic and id.
    pub fn confirm(
        &mut self,
        cx: &mut Cx<'_>,
        token: &str,
        is_authenticated: bool,
    ) -> Result<(String, String), ApiError> {
        if !token.bytes().all(|b| b.is_ascii_hexdigit()) || token.is_empty() {
            return Err(error::plain_invalid_parameter("Invalid token"));
        }
        let unknown = || error::invalid_parameter("Token");
        let known = self.tokens.get_mut(token).ok_or_else(unknown)?;
        let (topic, id) = (known.topic.clone(), known.id.clone());
        let removed = known.removed.take();
        let found = self.topics.get_mut(&topic).ok_or_else(unknown)?;
        found.activity.note(cx.now);
        if let Some(mut removed) = removed {
            // The endpoint may have been subscribed anew meanwhile.
            if let Some(other) = found.by_endpoint.get(&(removed.protocol, removed.endpoint.clone())) {
                return Ok((topic, other.clone()));
            }
            removed.pending = None;
            self.insert(&topic, &id, *removed);
            return Ok((topic, id));
        }
        let subscription = found.subscriptions.get_mut(&id).ok_or_else(unknown)?;
        if subscription.pending.take().is_some() {
            self.pending -= 1;
            subscription.was_authenticated = is_authenticated;
        }
        Ok((topic, id))
    }

    /// Only signed requests may take the subscription away from now on.
    pub fn guard_unsubscribe(&mut self, topic: &str, id: &str) {
        let topic = self.topics.get_mut(topic);
        if let Some(subscription) = topic.and_then(|topic| topic.subscriptions.get_mut(id)) {
            subscription.guarded = true;
        }
    }

    /// A token is two days old: it confirms nothing any more, and what was not confirmed is gone.
    pub(super) fn token_expires(&mut self, token: &str) {
        let Some(known) = self.tokens.remove(token) else { return };
        let subscription = self.topic(&known.topic).and_then(|topic| topic.subscriptions.get(&known.id));
        if subscription.is_some_and(|subscription| subscription.pending.as_deref() == Some(token)) {
            self.remove(&known.topic, &known.id);
        }
    }

    /// Takes a subscription away; one that is not there is no error. An HTTP endpoint is told, with a link that undoes
    /// it.
    pub fn unsubscribe(&mut self, cx: &mut Cx<'_>, topic: &str, id: &str) -> Option<Delivery> {
        let subscription = self.remove(topic, id)?;
        self.attempts.retain(|_, attempt| &*attempt.subscription != id);
        if let Some(topic) = self.topics.get_mut(topic) {
            topic.activity.note(cx.now);
            topic.subscriptions_deleted += 1;
        }
        if !subscription.protocol.is_http() || subscription.is_pending() || self.tokens.len() >= TOKENS_MAX {
            return None;
        }
        let arn = format!("{}:{id}", cx.place.arn("sns", topic));
        let text = format!(
            "You have chosen to deactivate subscription {arn}.\nTo cancel this operation and restore the subscription, \
             visit the SubscribeURL included in this message."
        );
        let token = self.new_token(cx, topic, id, Some(Box::new(subscription)));
        self.tell(cx, topic, id, Kind::UnsubscribeConfirmation { token }, &text)
    }

    /// Up to `count` subscriptions that come after this topic and id: all of one topic, or an account's own of any.
    pub fn subscriptions_after(
        &self,
        of: ListOf<'_>,
        after: Option<(&str, &str)>,
        count: usize,
    ) -> Vec<(&Topic, &str, &Subscription)> {
        let (only, owner) = match of {
            ListOf::Topic(topic) => (Some(topic), None),
            ListOf::Account(account) => (None, Some(account)),
        };
        let first = only.or(after.map(|(topic, _)| topic));
        let topics = self.topics.range::<str, _>((first.map_or(Bound::Unbounded, Bound::Included), Bound::Unbounded));
        let topics = topics.map(|(_, topic)| topic).take_while(|topic| only.is_none_or(|only| topic.name == only));
        let all = topics.flat_map(|topic| {
            let from =
                after.filter(|(name, _)| topic.name == *name).map_or(Bound::Unbounded, |(_, id)| Bound::Excluded(id));
            let ids = topic.subscriptions.range::<str, _>((from, Bound::Unbounded));
            ids.map(move |(id, subscription)| (topic, id.as_str(), subscription))
        });
        all.filter(|(_, _, subscription)| owner.is_none_or(|owner| subscription.owner == owner)).take(count).collect()
    }

    pub fn subscription(&self, topic: &str, id: &str) -> Result<&Subscription, ApiError> {
        let subscription = self.topic(topic).and_then(|topic| topic.subscriptions.get(id));
        subscription.ok_or_else(error::subscription_does_not_exist)
    }

    /// Every attribute in AWS's text form.
    pub fn subscription_attributes(
        &mut self,
        cx: &mut Cx<'_>,
        topic: &str,
        id: &str,
    ) -> Result<BTreeMap<String, String>, ApiError> {
        let topic = self.topics.get_mut(topic).ok_or_else(error::subscription_does_not_exist)?;
        topic.activity.note(cx.now);
        let subscription = topic.subscriptions.get(id).ok_or_else(error::subscription_does_not_exist)?;
        Ok(subscription.texts(cx.place, &topic.name, id, topic.attributes.delivery_policy.as_ref()))
    }

    /// Sets one attribute. Errors: NotFound, InvalidParameter, FilterPolicyLimitExceeded.
    pub fn set_subscription_attribute(
        &mut self,
        cx: &mut Cx<'_>,
        topic: &str,
        id: &str,
        attribute: &str,
        value: &str,
    ) -> Result<(), ApiError> {
        let subscription = self.subscription(topic, id)?;
        let is_fifo = self.topic(topic).is_some_and(Topic::is_fifo) && subscription.endpoint.ends_with(".fifo");
        let context = Context { protocol: subscription.protocol, is_fifo };
        let mut next = subscription.attributes.clone();
        next.set(context, attribute, value)?;
        let (had, has) = (subscription.attributes.filter.is_some(), next.filter.is_some());
        if has && !had {
            self.check_room_for_filter(topic)?;
        }
        let topic = self.topic_mut(topic)?;
        topic.activity.note(cx.now);
        if let Some(subscription) = topic.subscriptions.get_mut(id) {
            subscription.attributes = next;
        }
        topic.filter_policies = topic.filter_policies + usize::from(has) - usize::from(had);
        self.filter_policies = self.filter_policies + usize::from(has) - usize::from(had);
        Ok(())
    }

    fn check_room_for_filter(&self, topic: &str) -> Result<(), ApiError> {
        let topic = self.topic(topic).ok_or_else(error::topic_does_not_exist)?;
        let is_full =
            topic.filter_policies >= FILTER_POLICIES_MAX || self.filter_policies >= ACCOUNT_FILTER_POLICIES_MAX;
        if is_full { Err(error::filter_policy_limit_exceeded()) } else { Ok(()) }
    }
}

/// Checks an endpoint against its protocol and the topic's type.
fn check(topic: &Topic, protocol: Protocol, endpoint: &str) -> Result<Context, ApiError> {
    protocol.check_endpoint(endpoint)?;
    let is_fifo_queue = protocol == Protocol::Sqs && endpoint.ends_with(".fifo");
    if is_fifo_queue && !topic.is_fifo() {
        return Err(error::invalid_parameter(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
        ));
    }
    if topic.is_fifo() && protocol != Protocol::Sqs {
        return Err(error::invalid_parameter("Invalid parameter: Endpoint Reason: Please use FIFO SQS queue"));
    }
    let takes_large = matches!(protocol, Protocol::Sqs | Protocol::Lambda | Protocol::Firehose);
    if topic.message_bytes_max() > MESSAGE_BYTES_DEFAULT && !takes_large {
        return Err(error::invalid_parameter("Protocol Reason: The topic's MaximumMessageSize does not allow it"));
    }
    Ok(Context { protocol, is_fifo: is_fifo_queue })
}

/// Whether one of the given attributes is another than the subscription has.
fn differs(has: &Attributes, wants: &Attributes, given: &BTreeMap<String, String>) -> bool {
    given.keys().any(|name| match name.as_str() {
        "RawMessageDelivery" => has.raw != wants.raw,
        "FilterPolicy" => has.filter.as_ref().map(|f| &f.1) != wants.filter.as_ref().map(|f| &f.1),
        "FilterPolicyScope" => has.scope != wants.scope,
        "RedrivePolicy" => has.redrive.as_ref().map(|r| &r.1) != wants.redrive.as_ref().map(|r| &r.1),
        "DeliveryPolicy" => has.delivery_policy != wants.delivery_policy,
        "SubscriptionRoleArn" => has.role_arn != wants.role_arn,
        _ => has.replay_policy != wants.replay_policy,
    })
}
