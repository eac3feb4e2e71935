//! The JSON that SNS wraps around messages, character for character as AWS writes it, and what Lambda is invoked with.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::payload;
use crate::sim::sns::message::Message;
use crate::sim::sns::subscription::{Protocol, Subscription};
use crate::sim::sqs::{AttributeValue, Content};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};

/// What an envelope is about.
pub struct Letter<'a> {
    pub topic: &'a str,
    pub id: &'a str,
    pub subscription: &'a Subscription,
    pub message: &'a Message,
    pub signature_version: u8,
}

/// Characters that a link's parameters do not show as they are.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'&').add(b'#').add(b'+').add(b'%');

impl Letter<'_> {
    fn topic_arn(&self, cx: &Cx<'_>) -> String {
        cx.place.arn("sns", self.topic)
    }

    pub fn subscription_arn(&self, cx: &Cx<'_>) -> String {
        format!("{}:{}", self.topic_arn(cx), self.id)
    }

    fn unsubscribe_url(&self, cx: &Cx<'_>) -> String {
        format!("{}/?Action=Unsubscribe&SubscriptionArn={}", self.subscription.links, self.subscription_arn(cx))
    }

    fn text(&self, cx: &Cx<'_>, protocol: Protocol) -> String {
        let bytes = cx.templates.read(&self.message.body_for(protocol), self.message.key());
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A notification for a queue, an HTTP endpoint or a stream.
    pub fn notification(&self, cx: &Cx<'_>) -> String {
        let mut lines = Lines::default();
        lines.add("Type", "Notification");
        lines.add("MessageId", &self.message.id);
        if let Some(sequence) = self.message.sequence {
            lines.add("SequenceNumber", &sequence.to_string());
        }
        lines.add("TopicArn", &self.topic_arn(cx));
        if let Some(subject) = &self.message.subject {
            lines.add("Subject", subject);
        }
        lines.add("Message", &self.text(cx, self.subscription.protocol));
        lines.add("Timestamp", &timestamp(self.message.published_at));
        // FIFO topics do not sign.
        if self.message.sequence.is_none() {
            self.sign(cx, &mut lines);
        }
        lines.add("UnsubscribeURL", &self.unsubscribe_url(cx));
        if !self.message.attributes.is_empty() {
            lines.add_attributes(&self.message.attributes);
        }
        lines.end()
    }

    /// A request to confirm, or to undo an Unsubscribe.
    pub fn confirmation(&self, cx: &Cx<'_>, kind: &str, token: &str) -> String {
        let topic_arn = self.topic_arn(cx);
        let links = &self.subscription.links;
        let topic = utf8_percent_encode(&topic_arn, ESCAPED);
        let mut lines = Lines::default();
        lines.add("Type", kind);
        lines.add("MessageId", &self.message.id);
        lines.add("Token", token);
        lines.add("TopicArn", &topic_arn);
        lines.add("Message", &self.text(cx, self.subscription.protocol));
        lines.add("SubscribeURL", &format!("{links}/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}"));
        lines.add("Timestamp", &timestamp(self.message.published_at));
        self.sign(cx, &mut lines);
        lines.end()
    }

    fn sign(&self, cx: &Cx<'_>, lines: &mut Lines) {
        lines.add("SignatureVersion", &self.signature_version.to_string());
        lines.add("Signature", &signature(&self.message.id));
        lines.add("SigningCertURL", &certificate_url(cx));
    }

    /// The event that Lambda is invoked with.
    pub fn lambda_event(&self, cx: &Cx<'_>) -> Value {
        let attributes: Map<String, Value> = self
            .message
            .attributes
            .iter()
            .map(|(name, value)| (name.clone(), json!({ "Type": value.data_type, "Value": attribute_text(value) })))
            .collect();
        json!({ "Records": [{
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": self.subscription_arn(cx),
            "Sns": {
                "Type": "Notification",
                "MessageId": self.message.id,
                "TopicArn": self.topic_arn(cx),
                "Subject": self.message.subject,
                "Message": self.text(cx, Protocol::Lambda),
                "Timestamp": timestamp(self.message.published_at),
                "SignatureVersion": self.signature_version.to_string(),
                "Signature": signature(&self.message.id),
                "SigningCertUrl": certificate_url(cx),
                "UnsubscribeUrl": self.unsubscribe_url(cx),
                "MessageAttributes": attributes,
            },
        }] })
    }
}

fn attribute_text(value: &AttributeValue) -> String {
    match &value.value {
        Content::Text(text) => text.clone(),
        Content::Binary(bytes) => STANDARD.encode(bytes),
    }
}

/// RFC 3339 with three decimals.
pub fn timestamp(at: Timestamp) -> String {
    let whole = Timestamp::from_millis(at.secs() * 1000).rfc3339();
    format!("{}.{:03}Z", whole.trim_end_matches('Z'), at.millis().rem_euclid(1000))
}

fn certificate_url(cx: &Cx<'_>) -> String {
    let mut state = 0x5a5a;
    let serial = format!("{:016x}{:016x}", payload::next(&mut state), payload::next(&mut state));
    format!("https://sns.{}.amazonaws.com/SimpleNotificationService-{serial}.pem", cx.place.region)
}

/// As long as AWS's and a function of the message's id. It is signed with no key: nothing can be verified with it.
fn signature(message_id: &str) -> String {
    let mut state = message_id.bytes().fold(7_u64, |state, byte| state.wrapping_mul(131).wrapping_add(byte.into()));
    let bytes: Vec<u8> = (0..32).flat_map(|_| payload::next(&mut state).to_be_bytes()).collect();
    STANDARD.encode(bytes)
}

/// The members of an envelope, one a line.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, text: &str) {
        self.begin(name);
        self.0.push_str(&Value::from(text).to_string());
    }

    fn begin(&mut self, name: &str) {
        self.0.push_str(if self.0.is_empty() { "{\n" } else { ",\n" });
        self.0.push_str(&format!("  \"{name}\" : "));
    }

    fn add_attributes(&mut self, attributes: &std::collections::BTreeMap<String, AttributeValue>) {
        self.begin("MessageAttributes");
        let lines: Vec<String> = attributes
            .iter()
            .map(|(name, value)| {
                let (kind, text) = (Value::from(value.data_type.as_str()), Value::from(attribute_text(value)));
                format!("    {} : {{\"Type\":{kind},\"Value\":{text}}}", Value::from(name.as_str()))
            })
            .collect();
        self.0.push_str(&format!("{{\n{}\n  }}", lines.join(",\n")));
    }

    fn end(mut self) -> String {
        self.0.push_str("\n}");
        self.0
    }
}
