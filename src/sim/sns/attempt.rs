//! Deliveries: what is sent where, what became of it, when it is tried again and when it is given up.

use crate::sim::cx::Cx;
use crate::sim::lambda::Lineage;
use crate::sim::payload::Payload;
use crate::sim::sns::delivery_policy::Effective;
use crate::sim::sns::envelope::Letter;
use crate::sim::sns::message::Message;
use crate::sim::sns::metrics::Metric;
use crate::sim::sns::retry::Schedule;
use crate::sim::sns::subscription::{Protocol, Subscription};
use crate::sim::sns::{Due, Sns};
use crate::sim::sqs::AttributeValue;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long an HTTP endpoint may take to answer ("Make sure your endpoint is ready to process Amazon SNS messages").
const HTTP_TIMEOUT: Duration = Duration::from_secs(15);
/// Attributes that a queue takes with a raw message ("Amazon SNS raw message delivery").
const RAW_ATTRIBUTES_MAX: usize = 10;

/// What an attempt is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Notification,
    SubscriptionConfirmation {
        token: String,
    },
    UnsubscribeConfirmation {
        token: String,
    },
    /// On its way to the subscription's dead-letter queue.
    DeadLetter,
}

/// One message for one subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub topic: Arc<str>,
    /// The subscription's id.
    pub subscription: Arc<str>,
    pub message: Arc<Message>,
    pub kind: Kind,
    /// Tries that were made and failed.
    pub tries: u32,
}

/// Something to be carried out of the service.
#[derive(Debug, PartialEq)]
pub struct Delivery {
    pub attempt: Attempt,
    pub to: Destination,
}

/// Where it goes and what arrives there.
#[derive(Debug, PartialEq)]
pub enum Destination {
    Queue {
        arn: String,
        body: Payload,
        attributes: BTreeMap<String, AttributeValue>,
        group: Option<String>,
        dedup: Option<String>,
        trace_header: Option<String>,
    },
    Function {
        arn: String,
        event: Bytes,
        lineage: Lineage,
    },
    /// A Firehose delivery stream.
    DeliveryStream {
        arn: String,
        data: Bytes,
    },
    Http(HttpPost),
    /// A mailbox, a phone, an app: taken at once.
    Person,
    /// What the endpoint's protocol cannot carry.
    Nowhere,
}

/// A POST to an HTTP endpoint. Whoever makes it reports the answer under the attempt's number and this try.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpPost {
    pub attempt: u64,
    pub tries: u32,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
    /// What a confirmation message carries: whoever answers for the endpoint may confirm with it.
    pub token: Option<String>,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// The endpoint is gone or refuses for good: never tried again ("Amazon SNS dead-letter queues").
    ClientError,
    /// The endpoint does not work at the moment: tried again.
    ServerError,
    /// The endpoint has too much to do; a Firehose is then retried by the shorter schedule.
    Throttled,
}

impl Outcome {
    /// What an HTTP answer means: 5xx and 429 may be tried again, any other status but 2xx may not.
    pub const fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Delivered,
            429 => Self::Throttled,
            500..=599 => Self::ServerError,
            _ => Self::ClientError,
        }
    }
}

impl Sns {
    /// Hands the attempt out for a try. `None` when its subscription is gone, or its endpoint's turn is later.
    pub(super) fn start(&mut self, cx: &mut Cx<'_>, attempt: Attempt) -> Option<Delivery> {
        let (subscription, signature_version) = self.subscription_of(&attempt)?;
        if attempt.kind == Kind::DeadLetter {
            let (_, arn) = subscription.attributes.redrive.clone()?;
            let to = self.queue(cx, &attempt, &arn)?;
            return Some(Delivery { attempt, to });
        }
        let endpoint = subscription.endpoint.clone();
        let letter = Letter {
            topic: &attempt.topic,
            id: &attempt.subscription,
            subscription,
            message: &attempt.message,
            signature_version,
        };
        let to = match subscription.protocol {
            Protocol::Http | Protocol::Https => return self.start_http(cx, attempt),
            Protocol::Sqs => self.queue(cx, &attempt, &endpoint)?,
            Protocol::Lambda => {
                let event = Bytes::from(letter.lambda_event(cx).to_string());
                Destination::Function { arn: endpoint, event, lineage: attempt.message.lineage.clone() }
            }
            Protocol::Firehose if subscription.attributes.raw => {
                let data = cx.templates.read(&attempt.message.body_for(Protocol::Firehose), attempt.message.key());
                Destination::DeliveryStream { arn: endpoint, data }
            }
            Protocol::Firehose => {
                Destination::DeliveryStream { arn: endpoint, data: Bytes::from(letter.notification(cx)) }
            }
            Protocol::Email | Protocol::EmailJson | Protocol::Sms | Protocol::Application => Destination::Person,
        };
        Some(Delivery { attempt, to })
    }

    /// The subscription, and the signature version of its topic. An undone subscription is kept with its token.
    fn subscription_of(&self, attempt: &Attempt) -> Option<(&Subscription, u8)> {
        let topic = self.topics.get(&*attempt.topic)?;
        let signature_version = topic.attributes.signature_version.unwrap_or(1);
        let removed = match &attempt.kind {
            Kind::UnsubscribeConfirmation { token } => self.tokens.get(token)?.removed.as_deref(),
            _ => None,
        };
        Some((removed.or_else(|| topic.subscriptions.get(&*attempt.subscription))?, signature_version))
    }

    /// A message for a queue: the endpoint, or the dead-letter queue, which gets what the endpoint would have got.
    fn queue(&self, cx: &Cx<'_>, attempt: &Attempt, arn: &str) -> Option<Destination> {
        let (subscription, signature_version) = self.subscription_of(attempt)?;
        let message = &attempt.message;
        let raw = subscription.attributes.raw;
        if raw && message.attributes.len() > RAW_ATTRIBUTES_MAX {
            return Some(Destination::Nowhere);
        }
        let (topic, id) = (&*attempt.topic, &*attempt.subscription);
        let letter = Letter { topic, id, subscription, message, signature_version };
        let is_fifo = arn.ends_with(".fifo");
        if let Kind::SubscriptionConfirmation { token } = &attempt.kind {
            return Some(Destination::Queue {
                arn: arn.to_owned(),
                body: Payload::Sent(Bytes::from(letter.confirmation(cx, "SubscriptionConfirmation", token))),
                attributes: BTreeMap::new(),
                group: None,
                dedup: is_fifo.then(|| message.id.clone()),
                trace_header: None,
            });
        }
        let body = if raw {
            message.body_for(subscription.protocol)
        } else {
            Payload::Sent(Bytes::from(letter.notification(cx)))
        };
        Some(Destination::Queue {
            arn: arn.to_owned(),
            body,
            attributes: if raw { message.attributes.clone() } else { BTreeMap::new() },
            group: message.group.clone(),
            dedup: message.dedup.clone().filter(|_| is_fifo),
            trace_header: message.trace_header.clone(),
        })
    }

    /// An HTTP endpoint is sent at most so many messages a second as its policy says; the others queue up.
    fn start_http(&mut self, cx: &mut Cx<'_>, attempt: Attempt) -> Option<Delivery> {
        let per_s_max = self.effective_policy(&attempt)?.per_s_max;
        let topic = self.topics.get_mut(&*attempt.topic)?;
        if let (Some(per_s), Some(subscription)) = (per_s_max, topic.subscriptions.get_mut(&*attempt.subscription)) {
            let slot = subscription.next_slot.max(cx.now);
            subscription.next_slot = slot + Duration::from_millis(1000 / u64::from(per_s.clamp(1, 1000)));
            if slot > cx.now {
                let number = self.keep(attempt);
                cx.schedule(slot, Due::Try { attempt: number }.into());
                return None;
            }
        }
        self.post(cx, attempt)
    }

    fn effective_policy(&self, attempt: &Attempt) -> Option<Effective> {
        let (subscription, _) = self.subscription_of(attempt)?;
        let topic = self.topics.get(&*attempt.topic)?;
        let policy = topic.attributes.delivery_policy.as_ref();
        Some(Effective::of(policy, subscription.attributes.delivery_policy.as_ref()))
    }

    /// Keeps the attempt until the endpoint has answered or 15 seconds are over.
    fn post(&mut self, cx: &mut Cx<'_>, attempt: Attempt) -> Option<Delivery> {
        let content_type = self.effective_policy(&attempt)?.content_type;
        let (subscription, signature_version) = self.subscription_of(&attempt)?;
        let (topic, id, message) = (&*attempt.topic, &*attempt.subscription, &*attempt.message);
        let letter = Letter { topic, id, subscription, message, signature_version };
        let raw = subscription.attributes.raw && attempt.kind == Kind::Notification;
        let (kind, token, body) = match &attempt.kind {
            Kind::SubscriptionConfirmation { token } => ("SubscriptionConfirmation", Some(token), None),
            Kind::UnsubscribeConfirmation { token } => ("UnsubscribeConfirmation", Some(token), None),
            Kind::Notification | Kind::DeadLetter if raw => {
                ("Notification", None, Some(cx.templates.read(&message.body_for(subscription.protocol), message.key())))
            }
            Kind::Notification | Kind::DeadLetter => ("Notification", None, Some(Bytes::from(letter.notification(cx)))),
        };
        let mut headers = vec![
            ("x-amz-sns-message-type", kind.to_owned()),
            ("x-amz-sns-message-id", message.id.clone()),
            ("x-amz-sns-topic-arn", cx.place.arn("sns", topic)),
        ];
        if kind != "SubscriptionConfirmation" {
            headers.push(("x-amz-sns-subscription-arn", letter.subscription_arn(cx)));
        }
        if raw {
            headers.push(("x-amz-sns-rawdelivery", "true".to_owned()));
        }
        let is_notification = kind == "Notification";
        headers.push((
            "content-type",
            if is_notification { content_type } else { "text/plain; charset=UTF-8".to_owned() },
        ));
        headers.push(("user-agent", "Amazon Simple Notification Service Agent".to_owned()));
        headers.push(("accept-encoding", "gzip,deflate".to_owned()));
        let body = match (body, token) {
            (Some(body), _) => body,
            (None, token) => Bytes::from(letter.confirmation(cx, kind, token.map_or("", String::as_str))),
        };
        let token = token.filter(|_| kind == "SubscriptionConfirmation").cloned();
        let (url, tries) = (subscription.endpoint.clone(), attempt.tries);
        let number = self.keep(attempt.clone());
        cx.schedule_in(HTTP_TIMEOUT, Due::Timeout { attempt: number, tries }.into());
        let to = Destination::Http(HttpPost { attempt: number, tries, url, headers, body, token });
        Some(Delivery { attempt, to })
    }

    fn keep(&mut self, attempt: Attempt) -> u64 {
        self.attempts_made += 1;
        self.attempts.insert(self.attempts_made, attempt);
        self.attempts_made
    }

    /// The attempt that a number stands for, if it still waits and is at this try.
    pub(super) fn take(&mut self, number: u64, tries: Option<u32>) -> Option<Attempt> {
        let attempt = self.attempts.get(&number)?;
        if tries.is_some_and(|tries| attempt.tries != tries) {
            return None;
        }
        self.attempts.remove(&number)
    }

    /// An HTTP endpoint has answered, or cannot be reached. Answers that come too late count for nothing.
    pub fn answered(&mut self, cx: &mut Cx<'_>, attempt: u64, tries: u32, outcome: Outcome) -> Option<Delivery> {
        let attempt = self.take(attempt, Some(tries))?;
        self.settle(cx, attempt, outcome)
    }

    /// Takes note of how a delivery ended. What failed is tried again in time, or goes to the dead-letter queue, which is
    /// then the next delivery, or is dropped.
    pub fn settle(&mut self, cx: &mut Cx<'_>, mut attempt: Attempt, outcome: Outcome) -> Option<Delivery> {
        let (subscription, _) = self.subscription_of(&attempt)?;
        let is_http = subscription.protocol.is_http();
        let has_redrive = subscription.attributes.redrive.is_some();
        let schedule = match (subscription.protocol, outcome) {
            (Protocol::Firehose, Outcome::Throttled) => Schedule::CustomerManaged,
            _ => subscription.schedule(self.topics.get(&*attempt.topic)?.attributes.delivery_policy.as_ref()),
        };
        match (&attempt.kind, outcome) {
            (Kind::DeadLetter, Outcome::Delivered) => {
                self.tally(cx, &attempt, Some(Metric::RedrivenToDlq), |tally| tally.redriven += 1);
                return None;
            }
            (Kind::DeadLetter, _) => {
                self.tally(cx, &attempt, Some(Metric::FailedToRedriveToDlq), |tally| tally.dropped += 1);
                return None;
            }
            (Kind::Notification, Outcome::Delivered) => {
                self.tally(cx, &attempt, Some(Metric::Delivered), |tally| tally.delivered += 1);
                return None;
            }
            (_, Outcome::Delivered) => return None,
            _ => {}
        }
        let is_notification = attempt.kind == Kind::Notification;
        let retries_made = attempt.tries;
        attempt.tries += 1;
        let delay = if outcome == Outcome::ClientError { None } else { schedule.delay(retries_made) };
        // A failure is counted for each try of an HTTP endpoint, for others when SNS gives up.
        if is_notification && (is_http || delay.is_none()) {
            self.tally(cx, &attempt, Some(Metric::Failed), |_| {});
        }
        if let Some(delay) = delay {
            let number = self.keep(attempt);
            cx.schedule_in(delay, Due::Try { attempt: number }.into());
            return None;
        }
        if !is_notification {
            return None;
        }
        if has_redrive {
            attempt.kind = Kind::DeadLetter;
            return self.start(cx, attempt);
        }
        self.tally(cx, &attempt, None, |tally| tally.dropped += 1);
        None
    }

    /// Counts for the topic and for the subscription.
    pub(super) fn tally(
        &mut self,
        cx: &Cx<'_>,
        attempt: &Attempt,
        metric: Option<Metric>,
        count: impl FnOnce(&mut crate::sim::sns::Tally),
    ) {
        let Some(topic) = self.topics.get_mut(&*attempt.topic) else { return };
        if let Some(metric) = metric {
            topic.count(cx.now, metric);
        }
        if let Some(subscription) = topic.subscriptions.get_mut(&*attempt.subscription) {
            count(&mut subscription.tally);
        }
    }

    /// Does what the agenda says is due; what has to be carried out of the service is answered.
    pub fn due(&mut self, cx: &mut Cx<'_>, due: Due) -> Option<Delivery> {
        match due {
            Due::Try { attempt } => {
                let attempt = self.take(attempt, None)?;
                let (subscription, _) = self.subscription_of(&attempt)?;
                if subscription.protocol.is_http() && attempt.kind != Kind::DeadLetter {
                    return self.post(cx, attempt);
                }
                self.start(cx, attempt)
            }
            Due::Timeout { attempt, tries } => self.answered(cx, attempt, tries, Outcome::ServerError),
            Due::Answer { attempt, tries, status } => self.answered(cx, attempt, tries, Outcome::of_status(status)),
            Due::TokenExpires { token } => {
                self.token_expires(&token);
                None
            }
            Due::Gauges => {
                self.publish_gauges(cx);
                None
            }
        }
    }
}
