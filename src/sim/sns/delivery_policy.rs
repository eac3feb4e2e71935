//! Delivery policies: how HTTP and HTTPS endpoints are retried, on topics and on subscriptions, and what is in effect.

use crate::sim::error::ApiError;
use crate::sim::json_reader::Reader;
use crate::sim::sns::error;
use serde_json::{Map, Value, json};

const CONTENT_TYPE_DEFAULT: &str = "text/plain; charset=UTF-8";

/// How delays grow in the backoff phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backoff {
    #[default]
    Linear,
    Arithmetic,
    Geometric,
    Exponential,
}

impl Backoff {
    const ALL: [(&'static str, Self); 4] = [
        ("linear", Self::Linear),
        ("arithmetic", Self::Arithmetic),
        ("geometric", Self::Geometric),
        ("exponential", Self::Exponential),
    ];
}

/// Retries of an HTTP endpoint ("Amazon SNS message delivery retries").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    pub min_delay_s: u32,
    pub max_delay_s: u32,
    pub retries: u32,
    pub max_delay_retries: u32,
    pub no_delay_retries: u32,
    pub min_delay_retries: u32,
    pub backoff: Backoff,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            min_delay_s: 20,
            max_delay_s: 20,
            retries: 3,
            max_delay_retries: 0,
            no_delay_retries: 0,
            min_delay_retries: 0,
            backoff: Backoff::Linear,
        }
    }
}

/// The numbers of a retry policy in AWS's order, each with the most and the least that it may be.
const NUMBERS: [(&str, u64, u64); 6] = [
    ("minDelayTarget", 1, 3600),
    ("maxDelayTarget", 1, 3600),
    ("numRetries", 0, 100),
    ("numMaxDelayRetries", 0, 100),
    ("numNoDelayRetries", 0, 100),
    ("numMinDelayRetries", 0, 100),
];
/// Seconds that all retries together may take ("Amazon SNS message delivery retries").
const TOTAL_S_MAX: u64 = 3600;

impl RetryPolicy {
    fn of(members: Option<&Value>) -> Self {
        let default = Self::default();
        let number = |name: &str, or: u32| {
            members.and_then(|members| members[name].as_u64()).and_then(|n| u32::try_from(n).ok()).unwrap_or(or)
        };
        let backoff = members.and_then(|members| members["backoffFunction"].as_str());
        Self {
            min_delay_s: number("minDelayTarget", default.min_delay_s),
            max_delay_s: number("maxDelayTarget", default.max_delay_s),
            retries: number("numRetries", default.retries),
            max_delay_retries: number("numMaxDelayRetries", default.max_delay_retries),
            no_delay_retries: number("numNoDelayRetries", default.no_delay_retries),
            min_delay_retries: number("numMinDelayRetries", default.min_delay_retries),
            backoff: Backoff::ALL.into_iter().find(|(name, _)| Some(*name) == backoff).map_or(default.backoff, |b| b.1),
        }
    }

    fn value(&self) -> Value {
        let backoff = Backoff::ALL.into_iter().find(|(_, backoff)| *backoff == self.backoff).map_or("linear", |b| b.0);
        json!({
            "minDelayTarget": self.min_delay_s,
            "maxDelayTarget": self.max_delay_s,
            "numRetries": self.retries,
            "numMaxDelayRetries": self.max_delay_retries,
            "numNoDelayRetries": self.no_delay_retries,
            "numMinDelayRetries": self.min_delay_retries,
            "backoffFunction": backoff,
        })
    }
}

/// The parts that a topic's and a subscription's policy have in common, as given; `Null` where not.
#[derive(Clone, Debug, Default, PartialEq)]
struct Parts {
    retry: Value,
    throttle: Value,
    request: Value,
}

impl Parts {
    fn retry_policy(&self) -> Option<RetryPolicy> {
        self.retry.is_object().then(|| RetryPolicy::of(Some(&self.retry)))
    }
}

/// A topic's `DeliveryPolicy`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPolicy {
    parts: Parts,
    disable_overrides: bool,
}

/// A subscription's `DeliveryPolicy`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubscriptionPolicy {
    parts: Parts,
}

/// What holds for one HTTP subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective {
    pub retry: RetryPolicy,
    /// Deliveries a second, at most.
    pub per_s_max: Option<u32>,
    pub content_type: String,
}

impl TopicPolicy {
    /// Reads the attribute; `None` for one that is empty or takes everything away.
    pub fn parse(text: &str) -> Result<Option<Self>, ApiError> {
        let Some(policy) = object(text)? else { return Ok(None) };
        known(&policy, &["http"])?;
        let http = match policy.get("http") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(members)) => members,
            Some(_) => return Err(refuse("http must be an object")),
        };
        known(
            http,
            &[
                "defaultHealthyRetryPolicy",
                "defaultSicklyRetryPolicy",
                "disableSubscriptionOverrides",
                "defaultThrottlePolicy",
                "defaultRequestPolicy",
            ],
        )?;
        let disable_overrides = match http.get("disableSubscriptionOverrides") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => *value,
            Some(_) => return Err(refuse("http.disableSubscriptionOverrides must be a boolean")),
        };
        Ok(Some(Self {
            parts: Parts {
                retry: retry(http, "http.", "defaultHealthyRetryPolicy")?,
                throttle: throttle(http, "http.", "defaultThrottlePolicy")?,
                request: request(http, "http.", "defaultRequestPolicy")?,
            },
            disable_overrides,
        }))
    }

    /// The attribute as AWS shows it: what was given and whether overrides are off.
    pub fn text(&self) -> String {
        let mut http = Map::new();
        let mut show = |name: &str, value: &Value| {
            if !value.is_null() {
                http.insert(name.to_owned(), value.clone());
            }
        };
        show("defaultHealthyRetryPolicy", &self.parts.retry);
        show("disableSubscriptionOverrides", &Value::Bool(self.disable_overrides));
        show("defaultThrottlePolicy", &self.parts.throttle);
        show("defaultRequestPolicy", &self.parts.request);
        json!({ "http": http }).to_string()
    }

    /// `EffectiveDeliveryPolicy` of a topic.
    pub fn effective(policy: Option<&Self>) -> String {
        let mut full = policy.cloned().unwrap_or_default();
        full.parts.retry = full.parts.retry_policy().unwrap_or_default().value();
        if full.parts.request.is_null() {
            full.parts.request = json!({ "headerContentType": CONTENT_TYPE_DEFAULT });
        }
        full.text()
    }
}

impl SubscriptionPolicy {
    pub fn parse(text: &str) -> Result<Option<Self>, ApiError> {
        let Some(policy) = object(text)? else { return Ok(None) };
        known(&policy, &["healthyRetryPolicy", "sicklyRetryPolicy", "throttlePolicy", "requestPolicy", "guaranteed"])?;
        let parts = Parts {
            retry: retry(&policy, "", "healthyRetryPolicy")?,
            throttle: throttle(&policy, "", "throttlePolicy")?,
            request: request(&policy, "", "requestPolicy")?,
        };
        Ok(Some(Self { parts }))
    }

    /// The attribute as AWS shows it: with every member.
    pub fn text(&self) -> String {
        json!({
            "healthyRetryPolicy": self.parts.retry,
            "sicklyRetryPolicy": null,
            "throttlePolicy": self.parts.throttle,
            "requestPolicy": self.parts.request,
            "guaranteed": false,
        })
        .to_string()
    }
}

impl Effective {
    /// The subscription's policy where it has one and the topic lets it, else the topic's, else AWS's.
    pub fn of(topic: Option<&TopicPolicy>, subscription: Option<&SubscriptionPolicy>) -> Self {
        let topic_parts = topic.map(|policy| &policy.parts);
        let is_overridden = topic.is_some_and(|policy| policy.disable_overrides);
        let own = subscription.filter(|_| !is_overridden).map(|policy| &policy.parts);
        let pick = |part: fn(&Parts) -> &Value| {
            let given = [own, topic_parts].into_iter().flatten().map(part).find(|value| !value.is_null());
            given.cloned().unwrap_or_default()
        };
        let retry = pick(|parts| &parts.retry);
        Self {
            retry: RetryPolicy::of(retry.is_object().then_some(&retry)),
            per_s_max: pick(|parts| &parts.throttle)["maxReceivesPerSecond"]
                .as_u64()
                .and_then(|n| u32::try_from(n).ok()),
            content_type: pick(|parts| &parts.request)["headerContentType"]
                .as_str()
                .unwrap_or(CONTENT_TYPE_DEFAULT)
                .to_owned(),
        }
    }

    /// `EffectiveDeliveryPolicy` of a subscription.
    pub fn text(&self) -> String {
        json!({
            "healthyRetryPolicy": self.retry.value(),
            "sicklyRetryPolicy": null,
            "throttlePolicy": self.per_s_max.map(|per_s| json!({ "maxReceivesPerSecond": per_s })),
            "requestPolicy": { "headerContentType": self.content_type },
            "guaranteed": false,
        })
        .to_string()
    }
}

fn refuse(reason: impl AsRef<str>) -> ApiError {
    error::invalid_parameter(format!("DeliveryPolicy: {}", reason.as_ref()))
}

/// The members of the attribute's JSON; `None` for an empty text.
fn object(text: &str) -> Result<Option<Map<String, Value>>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    let broken = |why: String| refuse(format!("failed to parse JSON. {why}"));
    Reader::check(text).map_err(|fault| broken(fault.to_string()))?;
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Ok(Some(members)),
        Ok(Value::Null) => Ok(None),
        Ok(_) => Err(refuse("Delivery policy must be a JSON object")),
        Err(error) => Err(broken(error.to_string())),
    }
}

fn known(members: &Map<String, Value>, names: &[&str]) -> Result<(), ApiError> {
    let unknown = members.keys().find(|name| !names.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| Err(refuse(format!("Unexpected JSON member: {name}"))))
}

fn part<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a Map<String, Value>>, ApiError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(part)) => Ok(Some(part)),
        Some(_) => Err(refuse(format!("{name} must be an object"))),
    }
}

/// A retry policy, checked; its members in AWS's order.
fn retry(members: &Map<String, Value>, prefix: &str, name: &str) -> Result<Value, ApiError> {
    let Some(given) = part(members, name)? else { return Ok(Value::Null) };
    let names: Vec<&str> = NUMBERS.iter().map(|(name, ..)| *name).chain(["backoffFunction"]).collect();
    known(given, &names)?;
    let mut checked = Map::new();
    for (number, least, most) in NUMBERS {
        let Some(value) = given.get(number).filter(|value| !value.is_null()) else { continue };
        let path = format!("{prefix}{name}.{number}");
        match value.as_u64() {
            Some(n) if n > most => return Err(refuse(format!("{path} must be less than or equal to {most}"))),
            Some(n) if n >= least => checked.insert(number.to_owned(), n.into()),
            _ => return Err(refuse(format!("{path} must be greater than or equal to {least}"))),
        };
    }
    if let Some(function) = given.get("backoffFunction").filter(|value| !value.is_null()) {
        if !Backoff::ALL.iter().any(|(known, _)| function == known) {
            return Err(refuse(format!("{prefix}{name}.backoffFunction: Unknown backoff function")));
        }
        checked.insert("backoffFunction".into(), function.clone());
    }
    let checked = Value::Object(checked);
    check_whole(&RetryPolicy::of(Some(&checked)), &format!("{prefix}{name}"))?;
    Ok(checked)
}

/// What the numbers must be together.
fn check_whole(policy: &RetryPolicy, path: &str) -> Result<(), ApiError> {
    if policy.min_delay_s > policy.max_delay_s {
        return Err(refuse(format!("{path}.minDelayTarget must be less than or equal to maxDelayTarget")));
    }
    let phases = policy.max_delay_retries + policy.no_delay_retries + policy.min_delay_retries;
    if phases > policy.retries {
        return Err(refuse(format!(
            "{path}.numRetries must be greater than or equal to the sum of numMinDelayRetries, numNoDelayRetries and \
             numMaxDelayRetries"
        )));
    }
    let total_s: u64 =
        (0..policy.retries).filter_map(|n| super::retry::http_delay(policy, n)).map(|d| d.as_secs()).sum();
    if total_s > TOTAL_S_MAX {
        return Err(refuse(format!(
            "{path}: the total retry time must be less than or equal to {TOTAL_S_MAX} seconds"
        )));
    }
    Ok(())
}

fn throttle(members: &Map<String, Value>, prefix: &str, name: &str) -> Result<Value, ApiError> {
    let Some(given) = part(members, name)? else { return Ok(Value::Null) };
    known(given, &["maxReceivesPerSecond"])?;
    match given.get("maxReceivesPerSecond") {
        None | Some(Value::Null) => Ok(Value::Null),
        Some(value) if value.as_u64().is_some_and(|n| n >= 1) => Ok(json!({ "maxReceivesPerSecond": value })),
        Some(_) => Err(refuse(format!("{prefix}{name}.maxReceivesPerSecond must be greater than or equal to 1"))),
    }
}

fn request(members: &Map<String, Value>, prefix: &str, name: &str) -> Result<Value, ApiError> {
    let Some(given) = part(members, name)? else { return Ok(Value::Null) };
    known(given, &["headerContentType"])?;
    match given.get("headerContentType") {
        None | Some(Value::Null) => Ok(Value::Null),
        Some(Value::String(text)) if !text.is_empty() => Ok(json!({ "headerContentType": text })),
        Some(_) => Err(refuse(format!("{prefix}{name}.headerContentType is invalid"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topics_policy_is_shown_as_recorded() {
        let given =
            r#"{"http": {"defaultHealthyRetryPolicy": {"minDelayTarget": 5, "maxDelayTarget": 6, "numRetries": 1}}}"#;
        let policy = TopicPolicy::parse(given).unwrap().unwrap();
        assert_eq!(
            policy.text(),
            r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":6,"numRetries":1},"disableSubscriptionOverrides":false}}"#
        );
        assert_eq!(
            TopicPolicy::effective(Some(&policy)),
            r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":6,"numRetries":1,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}"#
        );
        let emptied = TopicPolicy::parse(r#"{"http": {"defaultHealthyRetryPolicy": null}}"#).unwrap().unwrap();
        assert_eq!(emptied.text(), r#"{"http":{"disableSubscriptionOverrides":false}}"#);
        assert_eq!(TopicPolicy::parse(r#"{"http": null}"#), Ok(None));
    }

    #[test]
    fn a_subscription_overrides_its_topic_unless_that_is_off() {
        let topic = r#"{"http": {"defaultHealthyRetryPolicy": {"numRetries": 7}, "defaultRequestPolicy": {"headerContentType": "application/json"}}}"#;
        let topic = TopicPolicy::parse(topic).unwrap().unwrap();
        let own = SubscriptionPolicy::parse(
            r#"{"healthyRetryPolicy": {"numRetries": 2}, "throttlePolicy": {"maxReceivesPerSecond": 9}}"#,
        );
        let own = own.unwrap().unwrap();
        let effective = Effective::of(Some(&topic), Some(&own));
        assert_eq!((effective.retry.retries, effective.per_s_max), (2, Some(9)));
        assert_eq!(effective.content_type, "application/json");
        let strict = TopicPolicy { disable_overrides: true, ..topic };
        assert_eq!(Effective::of(Some(&strict), Some(&own)).retry.retries, 7);
    }

    #[test]
    fn mistakes_are_told_with_their_path() {
        let message = |text: &str| TopicPolicy::parse(text).unwrap_err().message;
        assert_eq!(
            message(r#"{"http": {"defaultHealthyRetryPolicy": {"numRetries": 101}}}"#),
            "Invalid parameter: DeliveryPolicy: http.defaultHealthyRetryPolicy.numRetries must be less than or equal to 100"
        );
        assert_eq!(
            message(r#"{"throttlePolicy": {}}"#),
            "Invalid parameter: DeliveryPolicy: Unexpected JSON member: throttlePolicy"
        );
        assert!(message("{oops").starts_with("Invalid parameter: DeliveryPolicy: failed to parse JSON. Unexpected"));
        let slow = r#"{"http": {"defaultHealthyRetryPolicy": {"minDelayTarget": 600, "maxDelayTarget": 600, "numRetries": 10}}}"#;
        assert!(message(slow).contains("total retry time"));
    }
}
