//! Queue attributes: their ranges, their defaults, and AWS's text forms. Source: CreateQueue, SetQueueAttributes.

use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::sqs::error;
use crate::sim::sqs::policy::is_policy;
use crate::sim::sqs::redrive::{RedriveAllow, RedrivePolicy};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The largest message and the default of `MaximumMessageSize`, bytes (since August 2025).
pub const MESSAGE_BYTES_MAX: u32 = 1_048_576;
/// The longest visibility timeout: 12 hours.
pub const VISIBILITY_S_MAX: u32 = 43_200;
/// The longest `DelaySeconds`.
pub const DELAY_S_MAX: u32 = 900;
/// The longest long poll.
pub const WAIT_S_MAX: u32 = 20;

/// Attributes that the service counts or makes; a client may read them and not set them.
const READ_ONLY: [&str; 6] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

/// What a client can set on a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    pub visibility_s: u32,
    pub retention_s: u32,
    pub delay_s: u32,
    pub wait_s: u32,
    pub message_bytes_max: u32,
    pub redrive: Option<RedrivePolicy>,
    pub redrive_allow: Option<RedriveAllow>,
    pub policy: Option<String>,
    /// Server-side encryption with SQS's own keys; off when a KMS key is set.
    pub sse_sqs: bool,
    pub kms_key: Option<String>,
    pub kms_reuse_s: u32,
    pub fifo: Option<Fifo>,
}

/// What only FIFO queues have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fifo {
    pub content_based_deduplication: bool,
    /// `DeduplicationScope` is `messageGroup`, not `queue`.
    pub deduplicate_by_group: bool,
    /// `FifoThroughputLimit` is `perMessageGroupId`, not `perQueue`.
    pub throughput_by_group: bool,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            visibility_s: 30,
            retention_s: 345_600,
            delay_s: 0,
            wait_s: 0,
            message_bytes_max: MESSAGE_BYTES_MAX,
            redrive: None,
            redrive_allow: None,
            policy: None,
            sse_sqs: true,
            kms_key: None,
            kms_reuse_s: 300,
            fifo: None,
        }
    }
}

impl Attributes {
    /// Sets what the map names and leaves the rest. Nothing is set when one of them is wrong: InvalidAttributeName for
    /// an unknown or read-only name, InvalidAttributeValue for a value out of its range.
    pub fn set(&mut self, place: &Place, changes: &BTreeMap<String, String>) -> Result<(), ApiError> {
        let given = |name: &str| changes.get(name).map(String::as_str);
        if given("SqsManagedSseEnabled") == Some("true") && given("KmsMasterKeyId").is_some_and(|key| !key.is_empty()) {
            return Err(error::two_encryptions());
        }
        let mut next = self.clone();
        for (name, value) in changes {
            next.set_one(place, name, value)?;
        }
        *self = next;
        Ok(())
    }

    fn set_one(&mut self, place: &Place, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "VisibilityTimeout" => self.visibility_s = number(name, value, 0..=VISIBILITY_S_MAX)?,
            "MessageRetentionPeriod" => self.retention_s = number(name, value, 60..=1_209_600)?,
            "DelaySeconds" => self.delay_s = number(name, value, 0..=DELAY_S_MAX)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait_s = number(name, value, 0..=WAIT_S_MAX)?,
            "MaximumMessageSize" => self.message_bytes_max = number(name, value, 1_024..=MESSAGE_BYTES_MAX)?,
            "KmsDataKeyReusePeriodSeconds" => self.kms_reuse_s = number(name, value, 60..=86_400)?,
            "RedrivePolicy" => self.redrive = given(value).map(|text| RedrivePolicy::parse(place, text)).transpose()?,
            "RedriveAllowPolicy" => {
                self.redrive_allow = given(value).map(RedriveAllow::parse).transpose()?;
            }
            "Policy" => self.policy = given(value).map(|text| policy(name, text)).transpose()?,
            "KmsMasterKeyId" => {
                // Taking the key away leaves the queue without encryption, not with SQS's own.
                self.kms_key = given(value).map(str::to_owned);
                self.sse_sqs &= self.kms_key.is_none();
            }
            "SqsManagedSseEnabled" => {
                self.sse_sqs = flag(name, value)?;
                if self.sse_sqs {
                    self.kms_key = None;
                }
            }
            "FifoQueue" | "ContentBasedDeduplication" | "DeduplicationScope" | "FifoThroughputLimit" => {
                self.set_fifo(name, value)?;
            }
            name if READ_ONLY.contains(&name) => return Err(error::invalid_attribute_name(name)),
            name => return Err(error::invalid_attribute_name(name)),
        }
        Ok(())
    }

    fn set_fifo(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        let Some(fifo) = &mut self.fifo else {
            // A standard queue answers as if it had never heard of the first two.
            return Err(match name {
                "DeduplicationScope" | "FifoThroughputLimit" => error::only_for_fifo(name),
                _ => error::invalid_attribute_name(name),
            });
        };
        match (name, value) {
            ("FifoQueue", text) if text.eq_ignore_ascii_case("true") => {}
            ("FifoQueue", _) => {
                let reason = "Modifying queue type is not supported.";
                return Err(error::invalid_attribute_value_because(name, reason));
            }
            ("ContentBasedDeduplication", _) => fifo.content_based_deduplication = flag(name, value)?,
            ("DeduplicationScope", "queue" | "messageGroup") => fifo.deduplicate_by_group = value == "messageGroup",
            ("FifoThroughputLimit", "perQueue" | "perMessageGroupId") => {
                fifo.throughput_by_group = value == "perMessageGroupId";
            }
            _ => return Err(error::invalid_attribute_value(name)),
        }
        Ok(())
    }

    /// The set attributes in AWS's text form, as GetQueueAttributes shows them.
    pub fn texts(&self, place: &Place) -> BTreeMap<&'static str, String> {
        let mut texts = BTreeMap::from([
            ("VisibilityTimeout", self.visibility_s.to_string()),
            ("MessageRetentionPeriod", self.retention_s.to_string()),
            ("DelaySeconds", self.delay_s.to_string()),
            ("ReceiveMessageWaitTimeSeconds", self.wait_s.to_string()),
            ("MaximumMessageSize", self.message_bytes_max.to_string()),
            ("SqsManagedSseEnabled", self.sse_sqs.to_string()),
        ]);
        if let Some(redrive) = &self.redrive {
            texts.insert("RedrivePolicy", redrive.text(place));
        }
        if let Some(allow) = &self.redrive_allow {
            texts.insert("RedriveAllowPolicy", allow.text());
        }
        if let Some(policy) = &self.policy {
            texts.insert("Policy", policy.clone());
        }
        if let Some(key) = &self.kms_key {
            texts.insert("KmsMasterKeyId", key.clone());
            texts.insert("KmsDataKeyReusePeriodSeconds", self.kms_reuse_s.to_string());
        }
        if let Some(fifo) = &self.fifo {
            let scope = if fifo.deduplicate_by_group { "messageGroup" } else { "queue" };
            let limit = if fifo.throughput_by_group { "perMessageGroupId" } else { "perQueue" };
            texts.insert("FifoQueue", "true".to_owned());
            texts.insert("ContentBasedDeduplication", fifo.content_based_deduplication.to_string());
            texts.insert("DeduplicationScope", scope.to_owned());
            texts.insert("FifoThroughputLimit", limit.to_owned());
        }
        texts
    }
}

/// An empty text takes the attribute away.
fn given(value: &str) -> Option<&str> {
    (!value.trim().is_empty()).then_some(value)
}

fn number(name: &str, value: &str, range: RangeInclusive<u32>) -> Result<u32, ApiError> {
    let parsed = value.parse().ok().filter(|number| range.contains(number));
    parsed.ok_or_else(|| error::invalid_attribute_value(name))
}

fn flag(name: &str, value: &str) -> Result<bool, ApiError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(error::invalid_attribute_value(name)),
    }
}

fn policy(name: &str, text: &str) -> Result<String, ApiError> {
    if is_policy(text) { Ok(text.to_owned()) } else { Err(error::invalid_attribute_value(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true }
    }

    fn set(name: &str, value: &str) -> Result<Attributes, ApiError> {
        let mut attributes = Attributes::default();
        attributes.set(&place(), &BTreeMap::from([(name.to_owned(), value.to_owned())]))?;
        Ok(attributes)
    }

    #[test]
    fn values_out_of_their_range_are_refused() {
        let cases = [
            ("VisibilityTimeout", "43201"),
            ("VisibilityTimeout", "-1"),
            ("MessageRetentionPeriod", "59"),
            ("DelaySeconds", "901"),
            ("ReceiveMessageWaitTimeSeconds", "21"),
            ("MaximumMessageSize", "1048577"),
            ("KmsDataKeyReusePeriodSeconds", "59"),
            ("SqsManagedSseEnabled", "yes"),
            ("Policy", "not json"),
            ("Policy", r#"{"Statement":{"Effect":"Foo","Principal":"*","Action":"sqs:*"}}"#),
            ("RedrivePolicy", "{}"),
        ];
        for (name, value) in cases {
            assert!(set(name, value).is_err(), "{name}={value}");
        }
        assert_eq!(set("VisibilityTimeout", "43200").unwrap().visibility_s, 43_200);
    }

    #[test]
    fn unknown_and_read_only_names_are_refused_and_nothing_is_set() {
        let mut attributes = Attributes::default();
        let changes = BTreeMap::from([("DelaySeconds", "5"), ("QueueArn", "x")]);
        let changes = changes.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        assert_eq!(attributes.set(&place(), &changes).unwrap_err().code, "InvalidAttributeName");
        assert_eq!(attributes, Attributes::default());
        assert_eq!(set("FifoQueue", "true").unwrap_err().message, "Unknown Attribute FifoQueue.");
    }

    #[test]
    fn a_kms_key_and_sqs_keys_exclude_each_other() {
        let attributes = set("KmsMasterKeyId", "alias/aws/sqs").unwrap();
        assert!(!attributes.sse_sqs);
        assert_eq!(attributes.texts(&place())["KmsDataKeyReusePeriodSeconds"], "300");
    }
}
