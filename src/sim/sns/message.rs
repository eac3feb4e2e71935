//! A published message: what a publisher hands over and what deliveries carry.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::lambda::Lineage;
use crate::sim::payload::Payload;
use crate::sim::sns::dedup::SequenceNumber;
use crate::sim::sns::subscription::Protocol;
use crate::sim::sqs::AttributeValue;
use bytes::Bytes;
use std::collections::BTreeMap;

/// What a publisher hands over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    pub message: Payload,
    pub subject: Option<String>,
    /// `MessageStructure` is `json`: the message is an object with a text for each protocol.
    pub by_protocol: bool,
    pub attributes: BTreeMap<String, AttributeValue>,
    pub group: Option<String>,
    pub dedup: Option<String>,
    /// The request's `X-Amzn-Trace-Id`, passed on to queues.
    pub trace_header: Option<String>,
    /// The functions that told one another of it, passed on to functions.
    pub lineage: Lineage,
}

impl Publication {
    /// A message and nothing else.
    pub fn of(message: Payload) -> Self {
        Self {
            message,
            subject: None,
            by_protocol: false,
            attributes: BTreeMap::new(),
            group: None,
            dedup: None,
            trace_header: None,
            lineage: Lineage::default(),
        }
    }
}

/// A message on its way to subscriptions.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: String,
    pub body: Payload,
    /// Texts by protocol, where the publisher gave them; `body` is then the one under `default`.
    pub texts: BTreeMap<String, String>,
    pub subject: Option<String>,
    pub attributes: BTreeMap<String, AttributeValue>,
    pub group: Option<String>,
    pub dedup: Option<String>,
    pub sequence: Option<SequenceNumber>,
    pub trace_header: Option<String>,
    pub lineage: Lineage,
    pub published_at: Timestamp,
}

impl Message {
    /// A message of the service itself.
    pub fn of_text(cx: &mut Cx<'_>, text: &str) -> Self {
        Self {
            id: cx.uuid(),
            body: Payload::Sent(Bytes::copy_from_slice(text.as_bytes())),
            texts: BTreeMap::new(),
            subject: None,
            attributes: BTreeMap::new(),
            group: None,
            dedup: None,
            sequence: None,
            trace_header: None,
            lineage: Lineage::default(),
            published_at: cx.now,
        }
    }

    /// What a protocol's endpoints are sent.
    pub fn body_for(&self, protocol: Protocol) -> Payload {
        match self.texts.get(protocol.text()) {
            Some(text) => Payload::Sent(Bytes::copy_from_slice(text.as_bytes())),
            None => self.body.clone(),
        }
    }

    /// What fills a made body's `{key}`.
    pub fn key(&self) -> &str {
        self.group.as_deref().unwrap_or("")
    }
}
