//! A subscription: who gets a topic's messages, over which protocol and under which conditions.

use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::json_reader::Reader;
use crate::sim::sns::arn::Arn;
use crate::sim::sns::delivery_policy::{Effective, SubscriptionPolicy, TopicPolicy};
use crate::sim::sns::error;
use crate::sim::sns::filter::{FilterPolicy, Refusal, Scope};
use crate::sim::sns::retry::Schedule;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How messages reach an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Http,
    Https,
    Email,
    EmailJson,
    Sms,
    Sqs,
    Application,
    Lambda,
    Firehose,
}

impl Protocol {
    const ALL: [Self; 9] = [
        Self::Http,
        Self::Https,
        Self::Email,
        Self::EmailJson,
        Self::Sms,
        Self::Sqs,
        Self::Application,
        Self::Lambda,
        Self::Firehose,
    ];

    pub const fn text(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Email => "email",
            Self::EmailJson => "email-json",
            Self::Sms => "sms",
            Self::Sqs => "sqs",
            Self::Application => "application",
            Self::Lambda => "lambda",
            Self::Firehose => "firehose",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.text() == text)
    }

    pub const fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }

    /// Whether somebody at the endpoint has to confirm before anything is sent there: always over the web and by email,
    /// at a queue where another account than its owner subscribes it ("Sending Amazon SNS messages to an Amazon SQS
    /// queue in a different account").
    pub fn needs_confirmation(self, endpoint: &str, subscriber: &str) -> bool {
        match self {
            Self::Http | Self::Https | Self::Email | Self::EmailJson => true,
            Self::Sqs => Arn::parse(endpoint).is_some_and(|arn| arn.account != subscriber),
            Self::Sms | Self::Application | Self::Lambda | Self::Firehose => false,
        }
    }

    /// Whether the request to confirm arrives as a message; what a person gets by email is not simulated.
    pub const fn asks_by_message(self) -> bool {
        matches!(self, Self::Http | Self::Https | Self::Sqs)
    }

    /// Checks the endpoint against the protocol.
    pub fn check_endpoint(self, endpoint: &str) -> Result<(), ApiError> {
        let arn_of = |service: &str| Arn::parse(endpoint).is_some_and(|arn| arn.service == service);
        let fits = match self {
            Self::Http => endpoint.starts_with("http://"),
            Self::Https => endpoint.starts_with("https://"),
            Self::Email | Self::EmailJson => is_email(endpoint),
            Self::Sms => is_phone_number(endpoint),
            Self::Sqs => arn_of("sqs"),
            Self::Lambda => arn_of("lambda"),
            Self::Firehose => arn_of("firehose"),
            Self::Application => arn_of("sns"),
        };
        if fits {
            return Ok(());
        }
        Err(match self {
            Self::Http | Self::Https => error::invalid_parameter("Endpoint must match the specified protocol"),
            Self::Email | Self::EmailJson => error::invalid_parameter("Email address"),
            Self::Sms => error::plain_invalid_parameter(format!("Invalid SMS endpoint: {endpoint}")),
            Self::Sqs => error::invalid_parameter("SQS endpoint ARN"),
            Self::Lambda => error::invalid_parameter("Lambda endpoint ARN"),
            Self::Firehose => error::invalid_parameter("Firehose endpoint ARN"),
            Self::Application => error::invalid_parameter("Application endpoint arn invalid"),
        })
    }
}

/// E.164, with the dots, hyphens and slashes that people write between digits, one at a time.
pub fn is_phone_number(text: &str) -> bool {
    let written = |c: char| matches!(c, '-' | '.' | '/');
    let is_stray = |part: &str| part.is_empty() || part == "+";
    if text.split(written).any(is_stray) {
        return false;
    }
    let digits: String = text.chars().filter(|c| !written(*c)).collect();
    let digits = digits.strip_prefix('+').or_else(|| digits.strip_prefix("00")).unwrap_or(&digits);
    (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace))
}

/// A subscription's settable attributes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    pub raw: bool,
    /// As given, and compiled.
    pub filter: Option<(String, FilterPolicy)>,
    pub scope: Scope,
    pub delivery_policy: Option<SubscriptionPolicy>,
    /// As given, and the dead-letter queue's ARN.
    pub redrive: Option<(String, String)>,
    /// Firehose only.
    pub role_arn: Option<String>,
    /// FIFO only; kept as given.
    pub replay_policy: Option<String>,
}

/// Whether both ends of a subscription are FIFO, and its protocol: what an attribute may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    pub protocol: Protocol,
    pub is_fifo: bool,
}

impl Attributes {
    /// What Subscribe gives. The scope counts for the policy in whatever order they come.
    pub fn of_new(context: Context, given: &BTreeMap<String, String>) -> Result<Self, ApiError> {
        let mut attributes = Self::default();
        let scope = given.get_key_value("FilterPolicyScope");
        let others = given.iter().filter(|(name, _)| *name != "FilterPolicyScope");
        for (name, value) in scope.into_iter().chain(others) {
            attributes.set(context, name, value).map_err(in_attributes)?;
        }
        if context.protocol == Protocol::Firehose && attributes.role_arn.is_none() {
            return Err(error::invalid_parameter(
                "Invalid parameter: Attributes Reason: SubscriptionRoleArn is required",
            ));
        }
        Ok(attributes)
    }

    /// Sets one attribute, as SetSubscriptionAttributes does.
    pub fn set(&mut self, context: Context, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "RawMessageDelivery" => match value.to_ascii_lowercase().as_str() {
                "true"
                    if matches!(
                        context.protocol,
                        Protocol::Lambda
                            | Protocol::Email
                            | Protocol::EmailJson
                            | Protocol::Sms
                            | Protocol::Application
                    ) =>
                {
                    let reason = "RawMessageDelivery: Delivery protocol does not support raw message delivery.";
                    return Err(error::invalid_parameter(reason));
                }
                text @ ("true" | "false") => self.raw = text == "true",
                _ => {
                    let reason = format!("RawMessageDelivery: Invalid value [{value}]. Must be true or false.");
                    return Err(error::invalid_parameter(reason));
                }
            },
            "FilterPolicyScope" => {
                let scope = Scope::parse(value).ok_or_else(|| {
                    error::invalid_parameter(format!(
                        "FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes"
                    ))
                })?;
                if let Some((text, _)) = &self.filter {
                    self.filter = compile(text, scope)?;
                }
                self.scope = scope;
            }
            "FilterPolicy" => self.filter = compile(value, self.scope)?,
            "DeliveryPolicy" => {
                if !context.protocol.is_http() && !value.is_empty() {
                    return Err(error::invalid_parameter("Delivery protocol does not support delivery policies"));
                }
                self.delivery_policy = SubscriptionPolicy::parse(value)?;
            }
            "RedrivePolicy" => self.redrive = redrive(context, value)?,
            "SubscriptionRoleArn" => {
                if context.protocol != Protocol::Firehose {
                    return Err(error::invalid_parameter("SubscriptionRoleArn can only be set for firehose"));
                }
                if Arn::parse(value).is_none_or(|arn| arn.service != "iam") {
                    return Err(error::invalid_parameter("SubscriptionRoleArn: Invalid role arn"));
                }
                self.role_arn = Some(value.to_owned());
            }
            "ReplayPolicy" if context.is_fifo => {
                self.replay_policy = (!value.is_empty()).then(|| value.to_owned());
            }
            _ => return Err(error::invalid_parameter("AttributeName")),
        }
        Ok(())
    }
}

/// Subscribe tells what is wrong with a value as `Attributes Reason`, but for nested policies.
fn in_attributes(error: ApiError) -> ApiError {
    match error.message.strip_prefix("Invalid parameter: ") {
        Some(reason) if reason.starts_with("Filter policy scope") => error,
        Some(reason) => error::invalid_parameter(format!("Attributes Reason: {reason}")),
        None => error,
    }
}

/// Reads a filter policy; empty text takes it away.
fn compile(text: &str, scope: Scope) -> Result<Option<(String, FilterPolicy)>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    match FilterPolicy::parse(text, scope) {
        Ok(policy) => Ok(Some((text.to_owned(), policy))),
        Err(Refusal::Policy(reason)) => Err(error::invalid_parameter(format!("FilterPolicy: {reason}"))),
        Err(Refusal::Nested) => {
            Err(error::invalid_parameter("Filter policy scope MessageAttributes does not support nested filter policy"))
        }
    }
}

/// Reads a redrive policy: the dead-letter queue, which must be FIFO where the subscription is.
fn redrive(context: Context, text: &str) -> Result<Option<(String, String)>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    let refuse = |reason: &str| Err(error::invalid_parameter(format!("RedrivePolicy: {reason}")));
    if let Err(fault) = Reader::check(text) {
        return refuse(&format!("failed to parse JSON. {fault}"));
    }
    let policy: Value = serde_json::from_str(text).unwrap_or_default();
    let Some(target) = policy["deadLetterTargetArn"].as_str() else {
        return refuse("deadLetterTargetArn is missing");
    };
    let Some(arn) = Arn::parse(target) else { return refuse("deadLetterTargetArn is an invalid arn") };
    if arn.service != "sqs" {
        return refuse("deadLetterTargetArn must be an SQS queue ARN");
    }
    let is_fifo_queue = arn.resource.ends_with(".fifo");
    if context.is_fifo && !is_fifo_queue {
        return refuse("must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.");
    }
    if !context.is_fifo && is_fifo_queue {
        return refuse("must use a standard queue as DLQ for a standard subscription.");
    }
    Ok(Some((text.to_owned(), target.to_owned())))
}

/// What happened to the messages that were published to the topic while the subscription stood. Each of them is in
/// exactly one of these, or still in hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub offered: u64,
    pub filtered: u64,
    pub delivered: u64,
    pub redriven: u64,
    /// Given up without a dead-letter queue that took them.
    pub dropped: u64,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    pub protocol: Protocol,
    pub endpoint: String,
    pub attributes: Attributes,
    /// The account that subscribed.
    pub owner: String,
    /// The token that confirms it; `None` once it is confirmed.
    pub pending: Option<String>,
    pub was_authenticated: bool,
    /// Only a signed request may take it away (`AuthenticateOnUnsubscribe`).
    pub guarded: bool,
    /// Where its links lead: the engine's own address, or AWS's.
    pub links: String,
    pub tally: Tally,
    /// The next moment at which a throttled endpoint takes a delivery.
    pub next_slot: Timestamp,
}

impl Subscription {
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// How often it is tried when the endpoint fails.
    pub fn schedule(&self, topic: Option<&TopicPolicy>) -> Schedule {
        match self.protocol {
            Protocol::Http | Protocol::Https => {
                Schedule::Http(Effective::of(topic, self.attributes.delivery_policy.as_ref()).retry)
            }
            Protocol::Sqs | Protocol::Lambda | Protocol::Firehose => Schedule::AwsManaged,
            Protocol::Email | Protocol::EmailJson | Protocol::Sms | Protocol::Application => Schedule::CustomerManaged,
        }
    }

    /// What GetSubscriptionAttributes answers.
    pub fn texts(
        &self,
        place: &Place,
        topic: &str,
        id: &str,
        policy: Option<&TopicPolicy>,
    ) -> BTreeMap<String, String> {
        let topic_arn = place.arn("sns", topic);
        let mut texts = BTreeMap::new();
        let mut show = |name: &str, text: String| texts.insert(name.to_owned(), text);
        show("SubscriptionArn", format!("{topic_arn}:{id}"));
        show("TopicArn", topic_arn);
        show("Owner", self.owner.clone());
        show("Protocol", self.protocol.text().to_owned());
        show("Endpoint", self.endpoint.clone());
        show("RawMessageDelivery", self.attributes.raw.to_string());
        show("PendingConfirmation", self.is_pending().to_string());
        show("ConfirmationWasAuthenticated", self.was_authenticated.to_string());
        show("SubscriptionPrincipal", format!("arn:aws:iam::{}:user/midwatch", self.owner));
        if let Some((text, _)) = &self.attributes.filter {
            show("FilterPolicy", text.clone());
            show("FilterPolicyScope", self.attributes.scope.text().to_owned());
        }
        if self.protocol.is_http() {
            let own = self.attributes.delivery_policy.as_ref();
            show("EffectiveDeliveryPolicy", Effective::of(policy, own).text());
            if let Some(own) = own {
                show("DeliveryPolicy", own.text());
            }
        }
        let optional = [
            ("RedrivePolicy", self.attributes.redrive.as_ref().map(|(text, _)| text.clone())),
            ("SubscriptionRoleArn", self.attributes.role_arn.clone()),
            ("ReplayPolicy", self.attributes.replay_policy.clone()),
        ];
        for (name, text) in optional {
            if let Some(text) = text {
                show(name, text);
            }
        }
        texts
    }
}

/// A redrive policy's text that names this queue.
pub fn redrive_to(arn: &str) -> String {
    json!({ "deadLetterTargetArn": arn }).to_string()
}
