//! Redrive policies: which dead-letter queue a queue's failures go to, and which queues may use one.

use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::sqs::error;
use serde_json::{Value, json};

/// `RedrivePolicy`: after more than `max_receives` receives a message moves to the queue `target`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedrivePolicy {
    /// A queue's name in the same account and region.
    pub target: String,
    /// 1 to 1,000.
    pub max_receives: u32,
}

/// `RedriveAllowPolicy`: which queues may name this one as their dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedriveAllow {
    AllowAll,
    DenyAll,
    /// At most ten queues, by ARN.
    ByQueue(Vec<String>),
}

impl RedrivePolicy {
    /// Reads `{"deadLetterTargetArn":"arn:…","maxReceiveCount":5}`; the count may be a text.
    /// InvalidAttributeValue (wrong form) and InvalidParameterValue (what it names) as AWS answers.
    pub fn parse(place: &Place, text: &str) -> Result<Self, ApiError> {
        let refuse = |reason: &str| error::invalid_value(text, "RedrivePolicy", reason);
        let Ok(Value::Object(policy)) = serde_json::from_str(text) else {
            let reason = "Redrive policy is not a valid JSON map.";
            return Err(error::invalid_attribute_value_because("RedrivePolicy", reason));
        };
        let Some(count) = policy.get("maxReceiveCount") else {
            return Err(refuse("Redrive policy does not contain mandatory attribute: maxReceiveCount."));
        };
        let Some(arn) = policy.get("deadLetterTargetArn") else {
            return Err(refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn."));
        };
        if policy.len() > 2 {
            return Err(refuse("Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn]."));
        }
        let max_receives = match count {
            Value::Number(number) => number.as_u64(),
            Value::String(digits) => digits.parse().ok(),
            _ => None,
        };
        let max_receives = max_receives.and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=1000).contains(n));
        let Some(max_receives) = max_receives else {
            let shown = count.as_str().map_or_else(|| count.to_string(), str::to_owned);
            let reason =
                format!("Invalid value for maxReceiveCount: {shown}, valid values are from 1 to 1000 both inclusive.");
            return Err(refuse(&reason));
        };
        let target = arn.as_str().and_then(|arn| queue_of_arn(place, arn));
        let target = target.ok_or_else(|| refuse("Invalid value for deadLetterTargetArn."))?;
        Ok(Self { target: target.to_owned(), max_receives })
    }

    pub fn text(&self, place: &Place) -> String {
        json!({ "deadLetterTargetArn": place.arn("sqs", &self.target), "maxReceiveCount": self.max_receives })
            .to_string()
    }
}

impl RedriveAllow {
    /// Reads `{"redrivePermission":"byQueue","sourceQueueArns":["arn:…"]}`.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let refuse = |reason: &str| {
            let reason = format!("Amazon SQS can't create the redrive allow policy. {reason}");
            error::invalid_value(text, "RedriveAllowPolicy", reason)
        };
        let malformed = || {
            let reason = "Amazon SQS can't create the redrive allow policy, as it’s in an unsupported format.";
            error::invalid_attribute_value_because("RedriveAllowPolicy", reason)
        };
        let Ok(Value::Object(policy)) = serde_json::from_str(text) else { return Err(malformed()) };
        if policy.keys().any(|key| key != "redrivePermission" && key != "sourceQueueArns") {
            return Err(malformed());
        }
        let permission = policy.get("redrivePermission").and_then(Value::as_str);
        let arns = match policy.get("sourceQueueArns") {
            Some(Value::Array(arns)) => Some(arns),
            Some(_) => return Err(malformed()),
            None => None,
        };
        match (permission, arns) {
            (Some("allowAll"), None) => Ok(Self::AllowAll),
            (Some("denyAll"), None) => Ok(Self::DenyAll),
            (Some("allowAll" | "denyAll"), Some(_)) => {
                Err(refuse("To specify one or more source queue ARNs, you must set redrivePermission to byQueue."))
            }
            (Some("byQueue"), Some(arns)) if arns.len() > 10 => {
                Err(refuse("The maximum number of source queue ARNs you can specify is 10."))
            }
            (Some("byQueue"), Some(arns)) if !arns.is_empty() => {
                let arns = arns.iter().map(|arn| arn.as_str().filter(|arn| arn.starts_with("arn:")).map(str::to_owned));
                arns.collect::<Option<_>>().map(Self::ByQueue).ok_or_else(malformed)
            }
            (Some("byQueue"), _) => Err(refuse(
                "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns \
                 values.",
            )),
            _ => Err(malformed()),
        }
    }

    pub fn text(&self) -> String {
        match self {
            Self::AllowAll => json!({ "redrivePermission": "allowAll" }),
            Self::DenyAll => json!({ "redrivePermission": "denyAll" }),
            Self::ByQueue(arns) => json!({ "redrivePermission": "byQueue", "sourceQueueArns": arns }),
        }
        .to_string()
    }

    /// Whether the queue of that ARN may name this one as its dead-letter queue.
    pub fn admits(&self, source_arn: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::ByQueue(arns) => arns.iter().any(|arn| arn == source_arn),
        }
    }
}

/// The queue's name in an ARN of this account and region.
pub fn queue_of_arn<'a>(place: &Place, arn: &'a str) -> Option<&'a str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", "aws", "sqs", region, account, name] if *region == place.region && *account == place.account => {
            (!name.is_empty()).then_some(*name)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true }
    }

    #[test]
    fn a_redrive_policy_reads_numbers_and_texts_and_writes_what_it_read() {
        let text = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:orders-dlq","maxReceiveCount":"3"}"#;
        let policy = RedrivePolicy::parse(&place(), text).unwrap();
        assert_eq!(policy, RedrivePolicy { target: "orders-dlq".into(), max_receives: 3 });
        assert_eq!(RedrivePolicy::parse(&place(), &policy.text(&place())).unwrap(), policy);
        let elsewhere = text.replace("eu-west-1", "us-east-1");
        assert_eq!(RedrivePolicy::parse(&place(), &elsewhere).unwrap_err().query_code, Some("InvalidParameterValue"));
        assert!(RedrivePolicy::parse(&place(), &text.replace("\"3\"", "0")).is_err());
    }

    #[test]
    fn an_allow_policy_admits_whom_it_names() {
        let text = r#"{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:eu-west-1:123456789012:orders"]}"#;
        let allow = RedriveAllow::parse(text).unwrap();
        assert!(allow.admits("arn:aws:sqs:eu-west-1:123456789012:orders"));
        assert!(!allow.admits("arn:aws:sqs:eu-west-1:123456789012:mail"));
        assert_eq!(allow.text(), text);
        let refused = |text: &str| RedriveAllow::parse(text).unwrap_err().message;
        assert!(refused(r#"{"redrivePermission":"byQueue"}"#).contains("you must also specify one or more"));
        assert!(refused(&text.replace("byQueue", "denyAll")).contains("you must set redrivePermission to byQueue"));
        assert!(refused("[]").contains("as it’s in an unsupported format."));
        assert!(!RedriveAllow::DenyAll.admits("arn:aws:sqs:eu-west-1:123456789012:orders"));
    }
}
