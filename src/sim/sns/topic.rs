//! A topic: what it is set to, who listens, what it has counted.

use crate::domain::time::Timestamp;
use crate::sim::cx::{Cx, Place};
use crate::sim::error::ApiError;
use crate::sim::sns::archive::Archive;
use crate::sim::sns::dedup::Deduplication;
use crate::sim::sns::delivery_policy::TopicPolicy;
use crate::sim::sns::envelope::timestamp;
use crate::sim::sns::error;
use crate::sim::sns::metrics::{Activity, Counters, Meters};
use crate::sim::sns::policy::{self, Policy};
use crate::sim::sns::subscription::{Protocol, Subscription};
use std::collections::BTreeMap;

/// Bytes of a message with its attributes, at most, unless the topic says otherwise (`MaximumMessageSize`).
pub const MESSAGE_BYTES_DEFAULT: usize = 262_144;
/// Endpoints whose deliveries can be logged; each has three attributes.
const FEEDBACK_ENDPOINTS: [&str; 5] = ["HTTP", "Firehose", "Lambda", "Application", "SQS"];

/// What only FIFO topics have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fifo {
    pub content_based_deduplication: bool,
    /// `FifoThroughputScope`: `Some(true)` counts deduplication within each group; `None` was never set.
    pub scope_is_group: Option<bool>,
}

/// A topic's settable attributes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    pub display_name: String,
    pub fifo: Option<Fifo>,
    pub delivery_policy: Option<TopicPolicy>,
    pub policy: Option<Policy>,
    pub message_bytes_max: Option<usize>,
    /// `SignatureVersion`: 1 or 2; `None` was never set and counts as 1.
    pub signature_version: Option<u8>,
    pub archive: Option<Archive>,
    /// Kept as given: `KmsMasterKeyId`, `TracingConfig` and the delivery status attributes.
    pub others: BTreeMap<String, String>,
}

/// A topic and what hangs on it.
pub struct Topic {
    pub name: String,
    pub attributes: Attributes,
    pub tags: BTreeMap<String, String>,
    pub data_protection: Option<String>,
    /// By id.
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    /// Each endpoint is subscribed once by each protocol.
    pub(super) by_endpoint: BTreeMap<(Protocol, String), String>,
    /// `SubscriptionsDeleted`.
    pub(super) subscriptions_deleted: u64,
    pub(super) filter_policies: usize,
    pub(super) dedup: Deduplication,
    pub(super) sequence: u64,
    pub(super) counters: Counters,
    pub(super) meters: Meters,
    pub(super) activity: Activity,
}

impl Topic {
    pub fn new(now: Timestamp, name: &str, attributes: Attributes, tags: BTreeMap<String, String>) -> Self {
        Self {
            name: name.to_owned(),
            attributes,
            tags,
            data_protection: None,
            subscriptions: BTreeMap::new(),
            by_endpoint: BTreeMap::new(),
            subscriptions_deleted: 0,
            filter_policies: 0,
            dedup: Deduplication::default(),
            sequence: 0,
            counters: Counters::default(),
            meters: Meters::default(),
            activity: Activity::new(now),
        }
    }

    /// Its subscriptions by id.
    pub fn subscriptions(&self) -> &BTreeMap<String, Subscription> {
        &self.subscriptions
    }

    /// The subscription of this endpoint.
    pub fn id_of(&self, protocol: Protocol, endpoint: &str) -> Option<&str> {
        self.by_endpoint.get(&(protocol, endpoint.to_owned())).map(String::as_str)
    }

    pub fn message_bytes_max(&self) -> usize {
        self.attributes.message_bytes_max.unwrap_or(MESSAGE_BYTES_DEFAULT)
    }

    pub fn is_fifo(&self) -> bool {
        self.attributes.fifo.is_some()
    }

    /// What GetTopicAttributes answers.
    pub fn texts(&self, now: Timestamp, place: &Place) -> BTreeMap<String, String> {
        let arn = place.arn("sns", &self.name);
        let pending = self.subscriptions.values().filter(|subscription| subscription.is_pending()).count();
        let mut texts = self.attributes.texts(place, &arn);
        let counts = [
            ("SubscriptionsPending", pending as u64),
            ("SubscriptionsConfirmed", (self.subscriptions.len() - pending) as u64),
            ("SubscriptionsDeleted", self.subscriptions_deleted),
        ];
        texts.extend(counts.map(|(name, count)| (name.to_owned(), count.to_string())));
        if let Some(archive) = &self.attributes.archive {
            texts.insert("BeginningArchiveTime".into(), timestamp(archive.beginning(now)));
        }
        texts.insert("TopicArn".into(), arn);
        texts.insert("Owner".into(), place.account.clone());
        texts
    }
}

impl Attributes {
    /// What CreateTopic gives. The name's ending and `FifoTopic` must agree.
    pub fn of_new(cx: &Cx<'_>, name: &str, given: &BTreeMap<String, String>) -> Result<Self, ApiError> {
        let mut attributes = Self::default();
        let fifo = given.get("FifoTopic").map_or(Ok(false), |text| {
            text.to_ascii_lowercase().parse().map_err(|_| {
                let reason = format!("Attributes Reason: FifoTopic: Invalid value [{text}]. Must be true or false.");
                error::invalid_parameter(reason)
            })
        })?;
        check_name(name, fifo)?;
        attributes.fifo = fifo.then(Fifo::default);
        let arn = cx.place.arn("sns", name);
        for (attribute, value) in given.iter().filter(|(attribute, _)| *attribute != "FifoTopic") {
            attributes.set(cx.now, &arn, attribute, value).map_err(|error| in_attributes(error, attribute))?;
        }
        Ok(attributes)
    }

    /// Sets one attribute, as SetTopicAttributes does.
    pub fn set(&mut self, now: Timestamp, arn: &str, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "DisplayName" => {
                if value.chars().count() > 100 || value.chars().any(char::is_control) {
                    return Err(error::invalid_parameter("DisplayName"));
                }
                value.clone_into(&mut self.display_name);
            }
            "DeliveryPolicy" => self.delivery_policy = TopicPolicy::parse(value)?,
            "Policy" => self.policy = policy::parse(value, arn)?,
            "MaximumMessageSize" => {
                let bytes = value.parse().ok().filter(|bytes| (1024..=1_048_576).contains(bytes));
                self.message_bytes_max = Some(bytes.ok_or_else(|| error::invalid_parameter("MaximumMessageSize"))?);
            }
            "SignatureVersion" => {
                let version = value.parse().ok().filter(|version| (1..=2).contains(version));
                self.signature_version = Some(version.ok_or_else(|| error::invalid_parameter("SignatureVersion"))?);
            }
            "TracingConfig" if !["PassThrough", "Active"].contains(&value) => {
                return Err(error::invalid_parameter("TracingConfig"));
            }
            "ContentBasedDeduplication" | "FifoThroughputScope" => self.set_fifo(name, value)?,
            "ArchivePolicy" if self.fifo.is_none() => return Err(error::invalid_parameter("AttributeName")),
            "ArchivePolicy" => self.archive = Archive::parse(value, now, self.archive.as_ref())?,
            _ if is_kept_as_given(name) => {
                if name.ends_with("SampleRate") && value.parse::<u8>().ok().is_none_or(|percent| percent > 100) {
                    return Err(error::invalid_parameter(name));
                }
                if value.is_empty() {
                    self.others.remove(name);
                } else {
                    self.others.insert(name.to_owned(), value.to_owned());
                }
            }
            _ => return Err(error::invalid_parameter("AttributeName")),
        }
        Ok(())
    }

    fn set_fifo(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        let Some(fifo) = &mut self.fifo else {
            let reason = match name {
                "ContentBasedDeduplication" => "Content-based deduplication can only be set for FIFO topics",
                _ => "FifoThroughputScope can only be set for FIFO topics",
            };
            return Err(error::invalid_parameter(reason));
        };
        match (name, value) {
            ("ContentBasedDeduplication", text) => {
                let flag = text.to_ascii_lowercase().parse();
                fifo.content_based_deduplication = flag.map_err(|_| error::invalid_parameter(name))?;
            }
            // The group's scope cannot be taken back ("High throughput FIFO topics").
            (_, "Topic") if fifo.scope_is_group != Some(true) => fifo.scope_is_group = Some(false),
            (_, "MessageGroup") => fifo.scope_is_group = Some(true),
            _ => return Err(error::invalid_parameter("FifoThroughputScope")),
        }
        Ok(())
    }

    /// Every attribute that is shown, in AWS's text form.
    pub fn texts(&self, place: &Place, arn: &str) -> BTreeMap<String, String> {
        let mut texts = self.others.clone();
        let mut show = |name: &str, text: String| texts.insert(name.to_owned(), text);
        show("DisplayName", self.display_name.clone());
        let policy = self.policy.clone().unwrap_or_else(|| policy::default_policy(place, arn));
        show("Policy", policy.text());
        show("EffectiveDeliveryPolicy", TopicPolicy::effective(self.delivery_policy.as_ref()));
        if let Some(policy) = &self.delivery_policy {
            show("DeliveryPolicy", policy.text());
        }
        if let Some(fifo) = &self.fifo {
            show("FifoTopic", "true".to_owned());
            show("ContentBasedDeduplication", fifo.content_based_deduplication.to_string());
            if let Some(is_group) = fifo.scope_is_group {
                show("FifoThroughputScope", if is_group { "MessageGroup" } else { "Topic" }.to_owned());
            }
        }
        if let Some(archive) = &self.archive {
            show("ArchivePolicy", archive.text.clone());
        }
        if let Some(bytes) = self.message_bytes_max {
            show("MaximumMessageSize", bytes.to_string());
        }
        if let Some(version) = self.signature_version {
            show("SignatureVersion", version.to_string());
        }
        texts
    }
}

/// CreateTopic tells what is wrong with a value as `Attributes Reason`.
fn in_attributes(error: ApiError, attribute: &str) -> ApiError {
    match error.message.strip_prefix("Invalid parameter: ") {
        Some("AttributeName") => error::invalid_parameter(format!("Attributes Reason: Unknown attribute {attribute}")),
        Some(reason) => error::invalid_parameter(format!("Attributes Reason: {reason}")),
        None => error,
    }
}

fn is_kept_as_given(name: &str) -> bool {
    let feedback = |endpoint: &&str| {
        let kind = name.strip_prefix(*endpoint);
        matches!(kind, Some("SuccessFeedbackRoleArn" | "FailureFeedbackRoleArn" | "SuccessFeedbackSampleRate"))
    };
    matches!(name, "KmsMasterKeyId" | "TracingConfig") || FEEDBACK_ENDPOINTS.iter().any(feedback)
}

/// A topic's name: 1 to 256 letters, digits, hyphens and underscores; a FIFO topic's ends in `.fifo`.
fn check_name(name: &str, is_fifo: bool) -> Result<(), ApiError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let stem = if is_fifo { name.strip_suffix(".fifo") } else { Some(name) };
    if stem.is_some_and(|stem| !stem.is_empty() && name.len() <= 256 && stem.chars().all(legal)) {
        return Ok(());
    }
    Err(error::invalid_parameter(if is_fifo {
        "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, \
         underscores, and hyphens, and must be between 1 and 256 characters long."
    } else {
        "Topic Name"
    }))
}
