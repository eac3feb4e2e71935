//! One event: who did what, and how LookupEvents writes it.

use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::payload;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::time::Duration;

/// An event can be looked up two to seven minutes after it happened: AWS says about five on average and promises
/// nothing ("How CloudTrail works"). When exactly is a function of the event's number.
const DELAY_MIN_S: u64 = 120;
const DELAY_SPREAD_S: u64 = 300;

/// The kind of an identity of another account.
const ABROAD: &str = "AWSAccount";

/// Who made a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `IAMUser`, `AssumedRole`, `FederatedUser`, or `AWSAccount` for somebody of another account, of whom no more is told.
    pub kind: &'static str,
    pub arn: String,
    /// The user's name, or the session's.
    pub name: String,
    pub access_key: Option<String>,
    /// The role of a session.
    pub role: Option<String>,
}

impl Identity {
    /// An IAM user of the account.
    pub fn user(place: &Place, name: &str, access_key: Option<&str>) -> Self {
        Self {
            kind: "IAMUser",
            arn: format!("arn:aws:iam::{}:user/{name}", place.account),
            name: name.to_owned(),
            access_key: access_key.map(str::to_owned),
            role: None,
        }
    }

    /// A session of a role of the account.
    pub fn session(place: &Place, role: &str, session: &str, access_key: &str) -> Self {
        Self {
            kind: "AssumedRole",
            arn: format!("arn:aws:sts::{}:assumed-role/{role}/{session}", place.account),
            name: session.to_owned(),
            access_key: Some(access_key.to_owned()),
            role: Some(role.to_owned()),
        }
    }

    /// What another account is told of who called it: the account, and a unique id ("CloudTrail userIdentity element").
    pub fn seen_from_abroad(&self) -> Self {
        Self { kind: ABROAD, arn: self.arn.clone(), name: self.principal_id(), access_key: None, role: None }
    }

    fn principal_id(&self) -> String {
        match &self.role {
            Some(role) => format!("{}:{}", Self::unique_id("AROA", role), self.name),
            None => Self::unique_id("AIDA", &self.name),
        }
    }

    /// The account that it is of.
    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// Twenty-one characters that stay the same for one name, as IAM's unique ids do.
    pub fn unique_id(prefix: &str, name: &str) -> String {
        let mut state = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let tail = (0..17).map(|_| char::from(letters[(payload::next(&mut state) % 32) as usize]));
        prefix.chars().chain(tail).collect()
    }

    /// `userIdentity` of the record.
    fn value(&self) -> Value {
        let account = self.account();
        if self.kind == ABROAD {
            return json!({ "type": ABROAD, "principalId": self.name, "accountId": account });
        }
        let mut identity = Map::new();
        identity.insert("type".into(), self.kind.into());
        identity.insert("principalId".into(), self.principal_id().into());
        identity.insert("arn".into(), self.arn.clone().into());
        identity.insert("accountId".into(), account.into());
        if let Some(key) = &self.access_key {
            identity.insert("accessKeyId".into(), key.clone().into());
        }
        match &self.role {
            None => identity.insert("userName".into(), self.name.clone().into()),
            Some(role) => identity.insert(
                "sessionContext".into(),
                json!({
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": Self::unique_id("AROA", role),
                        "arn": format!("arn:aws:iam::{account}:role/{role}"),
                        "accountId": account,
                        "userName": role,
                    },
                    "attributes": { "mfaAuthenticated": "false" },
                }),
            ),
        };
        Value::Object(identity)
    }
}

/// One management event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Counts the events of the account; later ones have higher numbers.
    pub(super) number: u64,
    pub at: Timestamp,
    /// Such as `sqs.amazonaws.com`.
    pub source: Cow<'static, str>,
    /// Such as `UpdateFunctionCode20150331v2`.
    pub name: String,
    pub is_read_only: bool,
    pub by: Identity,
    pub(super) address: String,
    pub(super) agent: String,
    pub(super) request_id: String,
    /// (type, name)
    pub resources: Vec<(&'static str, String)>,
    /// `requestParameters` and `responseElements` as JSON texts; `None` is null.
    pub(super) request: Option<String>,
    pub(super) response: Option<String>,
    /// (errorCode, errorMessage)
    pub error: Option<(String, String)>,
    /// What it has in common with the event that another account got of the same request.
    pub(super) shared_id: Option<String>,
}

impl Event {
    pub fn id(&self) -> String {
        let mut state = self.number ^ 0x5eed_c10d_7a11_0000;
        payload::uuid_text(payload::next(&mut state), payload::next(&mut state))
    }

    /// From when LookupEvents finds it.
    pub fn visible_at(&self) -> Timestamp {
        let mut state = self.number;
        self.at + Duration::from_secs(DELAY_MIN_S + payload::next(&mut state) % DELAY_SPREAD_S)
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let texts = [&self.request, &self.response].into_iter().flatten().map(String::len).sum::<usize>();
        512 + texts + self.agent.len() + self.error.as_ref().map_or(0, |(_, message)| message.len())
    }

    /// The entry of LookupEvents' answer.
    pub(super) fn entry(&self, place: &Place) -> Value {
        let resources: Vec<Value> =
            self.resources.iter().map(|(kind, name)| json!({ "ResourceType": kind, "ResourceName": name })).collect();
        let mut entry = Map::new();
        entry.insert("EventId".into(), self.id().into());
        entry.insert("EventName".into(), self.name.clone().into());
        entry.insert("ReadOnly".into(), self.is_read_only.to_string().into());
        if let Some(key) = &self.by.access_key {
            entry.insert("AccessKeyId".into(), key.clone().into());
        }
        entry.insert("EventTime".into(), self.at.secs().into());
        entry.insert("EventSource".into(), self.source.clone().into_owned().into());
        if self.by.kind != ABROAD {
            entry.insert("Username".into(), self.by.name.clone().into());
        }
        entry.insert("Resources".into(), resources.into());
        entry.insert("CloudTrailEvent".into(), self.record(place).to_string().into());
        Value::Object(entry)
    }

    /// The record itself ("CloudTrail record contents").
    fn record(&self, place: &Place) -> Value {
        let json = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let mut record = Map::new();
        let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
        put("eventVersion", "1.11".into());
        put("userIdentity", self.by.value());
        put("eventTime", self.at.floor_to(1).rfc3339().into());
        put("eventSource", self.source.clone().into_owned().into());
        put("eventName", self.name.clone().into());
        put("awsRegion", place.region.clone().into());
        put("sourceIPAddress", self.address.clone().into());
        put("userAgent", self.agent.clone().into());
        if let Some((code, message)) = &self.error {
            put("errorCode", code.clone().into());
            if !message.is_empty() {
                put("errorMessage", message.clone().into());
            }
        }
        put("requestParameters", json(&self.request).unwrap_or(Value::Null));
        put("responseElements", json(&self.response).unwrap_or(Value::Null));
        put("requestID", self.request_id.clone().into());
        put("eventID", self.id().into());
        put("readOnly", self.is_read_only.into());
        put("eventType", "AwsApiCall".into());
        put("managementEvent", true.into());
        put("recipientAccountId", place.account.clone().into());
        if let Some(id) = &self.shared_id {
            put("sharedEventID", id.clone().into());
        }
        put("eventCategory", "Management".into());
        Value::Object(record)
    }
}
