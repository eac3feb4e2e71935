//! From a CloudTrail record to a change: which watched resources it names, who did it, and what was set. Records hold
//! what anybody in the account has typed, so every text is cleaned and cut.

use crate::aws::errors::{is_throttling_code, one_line};
use crate::domain::change::{Change, OF_ROLES, RESOURCES_MAX};
use crate::domain::row::{KindId, Place, ResourceId};
use crate::domain::throttled::ThrottledCall;
use crate::domain::time::Timestamp;
use serde_json::{Map, Value};

/// Sources whose every change is told, as CloudTrail's `eventSource` has them before `.amazonaws.com`.
const WATCHED: [&str; 7] = ["kinesis", "sqs", "sns", "lambda", "swf", "firehose", "monitoring"];
/// Sources whose changes are told when they name a watched resource.
const BESIDE: [&str; 3] = ["iam", "application-autoscaling", "dynamodb"];
/// Calls that applications make all day long and that change nothing about how the estate works.
const NOISE: [(&str, &str); 5] = [
    ("sns", "CreatePlatformEndpoint"),
    ("sns", "SetEndpointAttributes"),
    ("sns", "DeleteEndpoint"),
    ("sns", "OptInPhoneNumber"),
    ("kinesis", "SubscribeToShard"),
];
const SETTINGS_MAX: usize = 6;
/// Longest value of a setting that is shown.
const VALUE_CHARS_MAX: usize = 48;

/// What a member of `requestParameters`, `responseElements` or `serviceEventDetails` says.
#[derive(Clone, Copy)]
enum Says {
    /// The name, URL or ARN of a resource of this kind.
    Names(KindId),
    /// The ARN of anything.
    Arn,
    /// The UUID of an event source mapping.
    Mapping,
    /// `function:settle:live`, as Application Auto Scaling names what it scales.
    Scaled,
}

/// (source, the end of the event's name, member, what it says). Members are compared without regard to case: services
/// write `streamARN`, `resourceArn` and `uUID`.
const MEMBERS: [(&str, &str, &str, Says); 27] = [
    ("sqs", "", "queueUrl", Says::Names(KindId::Sqs)),
    ("sqs", "", "queueName", Says::Names(KindId::Sqs)),
    ("sqs", "", "sourceArn", Says::Names(KindId::Sqs)),
    ("sqs", "", "destinationArn", Says::Names(KindId::Sqs)),
    ("kinesis", "", "streamName", Says::Names(KindId::Kinesis)),
    ("kinesis", "", "streamARN", Says::Names(KindId::Kinesis)),
    ("kinesis", "", "consumerARN", Says::Names(KindId::Kinesis)),
    ("kinesis", "", "resourceARN", Says::Names(KindId::Kinesis)),
    ("lambda", "", "functionName", Says::Names(KindId::Lambda)),
    ("lambda", "", "functionArn", Says::Names(KindId::Lambda)),
    ("lambda", "", "eventSourceArn", Says::Arn),
    ("lambda", "", "uUID", Says::Mapping),
    ("lambda", "", "eventSourceMappingId", Says::Mapping),
    ("lambda", "", "resource", Says::Arn),
    ("sns", "", "topicArn", Says::Names(KindId::Sns)),
    ("sns", "", "subscriptionArn", Says::Names(KindId::Sns)),
    ("sns", "", "resourceArn", Says::Names(KindId::Sns)),
    ("monitoring", "", "alarmName", Says::Names(KindId::Alarm)),
    ("monitoring", "", "alarmNames", Says::Names(KindId::Alarm)),
    ("monitoring", "", "resourceARN", Says::Arn),
    ("swf", "", "domain", Says::Names(KindId::Swf)),
    ("swf", "Domain", "name", Says::Names(KindId::Swf)),
    ("swf", "", "resourceArn", Says::Names(KindId::Swf)),
    ("firehose", "", "deliveryStreamName", Says::Names(KindId::Firehose)),
    ("firehose", "", "deliveryStreamARN", Says::Names(KindId::Firehose)),
    ("application-autoscaling", "", "resourceId", Says::Scaled),
    ("application-autoscaling", "", "resourceARN", Says::Arn),
];

/// What the `Resources` of LookupEvents call the kinds.
const TYPES: [(&str, KindId); 7] = [
    ("AWS::SQS::Queue", KindId::Sqs),
    ("AWS::Kinesis::Stream", KindId::Kinesis),
    ("AWS::Lambda::Function", KindId::Lambda),
    ("AWS::SNS::Topic", KindId::Sns),
    ("AWS::CloudWatch::Alarm", KindId::Alarm),
    ("AWS::SWF::Domain", KindId::Swf),
    ("AWS::KinesisFirehose::DeliveryStream", KindId::Firehose),
];

/// Members that say how a call was made and nothing about what is different now.
const NOT_SETTINGS: [&str; 9] = [
    "publish",
    "dryRun",
    "revisionId",
    "clientToken",
    "clientRequestToken",
    "zipFile",
    "s3Bucket",
    "serviceNamespace",
    "userName",
];

/// The change that a record tells, if it is one that concerns what is watched. `named` are the `Resources` of
/// LookupEvents, as (type, name), and `at` its time.
pub fn change(record: &Value, named: &[(&str, &str)], at: Option<Timestamp>) -> Option<Change> {
    let text = |member: &str| record.get(member).and_then(Value::as_str);
    let service = text("eventSource")?.strip_suffix(".amazonaws.com")?;
    let event = bare(text("eventName")?);
    let is_watched = WATCHED.contains(&service);
    if !is_watched && !BESIDE.contains(&service) || NOISE.contains(&(service, event)) {
        return None;
    }
    if record.get("readOnly").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let error_code = text("errorCode").map(one_line);
    // Deciders register their types whenever they start; all but the first time that fails.
    if service == "swf" && error_code.as_ref().is_some_and(|code| code.contains("AlreadyExists")) {
        return None;
    }
    let reader = Reader { record, service, event, home: (text("awsRegion"), text("recipientAccountId")) };
    let (resources, part) = reader.resources(named);
    let role = reader.role();
    if !is_watched && resources.is_empty() && role.is_none() {
        return None;
    }
    Some(Change {
        id: one_line(text("eventID")?),
        place: Place::default(),
        at: at.or_else(|| Timestamp::parse_rfc3339(text("eventTime")?).ok())?,
        service: service.to_owned(),
        event: one_line(event),
        who: who(record.get("userIdentity").unwrap_or(&Value::Null)),
        source_ip: text("sourceIPAddress").map(one_line),
        resources,
        part,
        role,
        settings: reader.settings(),
        error_code,
        by_midwatch: text("userAgent").is_some_and(|agent| agent.contains("app/midwatch")),
    })
}

/// The operation without the date of the API that Lambda's events carry: `UpdateFunctionCode20150331v2`.
fn bare(event: &str) -> &str {
    let dated = event.rsplit_once('v').filter(|(_, version)| is_digits(version)).map_or(event, |(dated, _)| dated);
    match dated.len().checked_sub(8).and_then(|at| dated.split_at_checked(at)) {
        Some((name, date)) if is_digits(date) && date.starts_with("20") && !name.is_empty() => name,
        _ => event,
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

struct Reader<'a> {
    record: &'a Value,
    service: &'a str,
    event: &'a str,
    /// Region and account: what is elsewhere is not what is watched here, whatever its name.
    home: (Option<&'a str>, Option<&'a str>),
}

impl Reader<'_> {
    fn parameters(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let members = ["requestParameters", "responseElements", "serviceEventDetails"];
        members.into_iter().filter_map(|member| self.record.get(member)?.as_object())
    }

    fn says(&self, member: &str) -> Option<Says> {
        let is_it = |(source, event_end, name, _): &&(&str, &str, &str, Says)| {
            *source == self.service && self.event.ends_with(event_end) && name.eq_ignore_ascii_case(member)
        };
        MEMBERS.iter().find(is_it).map(|(.., says)| *says)
    }

    fn resources(&self, named: &[(&str, &str)]) -> (Vec<ResourceId>, Option<String>) {
        let (mut found, mut part) = (Vec::new(), None);
        let mut add = |id: Option<ResourceId>| {
            if let Some(id) = id.filter(|id| !found.contains(id) && found.len() < RESOURCES_MAX) {
                found.push(id);
            }
        };
        for (member, value) in self.parameters().flatten() {
            let Some(says) = self.says(member) else { continue };
            let one = std::slice::from_ref(value);
            for text in value.as_array().map_or(one, Vec::as_slice).iter().filter_map(Value::as_str) {
                match says {
                    Says::Names(kind) => add(self.resource(kind, text)),
                    Says::Arn => add(self.of_arn(text)),
                    Says::Mapping => part = Some(one_line(text)),
                    Says::Scaled => {
                        let function = text.strip_prefix("function:");
                        add(function.and_then(|name| self.resource(KindId::Lambda, name)));
                    }
                }
            }
        }
        for (kind, name) in named {
            if let Some((_, kind)) = TYPES.iter().find(|(word, _)| word == kind) {
                add(self.resource(*kind, name));
            }
        }
        if BESIDE.contains(&self.service) {
            let request = self.record.get("requestParameters").unwrap_or(&Value::Null);
            each_text(request, &mut |text| arns(text).for_each(|arn| add(self.of_arn(arn))));
        }
        (found, part)
    }

    /// The resource of this kind that a name, a URL or an ARN tells.
    fn resource(&self, kind: KindId, text: &str) -> Option<ResourceId> {
        if text.starts_with("arn:") {
            return self.of_arn(text).filter(|id| id.kind == kind);
        }
        let name = match kind {
            KindId::Sqs => text.rsplit('/').next()?,
            // `name`, `name:alias`, `123456789012:function:name:alias`
            KindId::Lambda => {
                let name = text.split_once("function:").map_or(text, |(_, name)| name);
                name.split(':').next()?
            }
            KindId::Kinesis | KindId::Sns | KindId::Swf | KindId::Firehose | KindId::Alarm | KindId::Kcl => text,
        };
        made(kind, name)
    }

    fn of_arn(&self, arn: &str) -> Option<ResourceId> {
        let mut parts = arn.splitn(6, ':').skip(2);
        let (service, region, account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_home = |here: Option<&str>, there: &str| here.is_none_or(|here| here == there);
        if !is_home(self.home.0, region) || !is_home(self.home.1, account) {
            return None;
        }
        let first = |text: &'_ str, end: char| text.split(end).next().unwrap_or_default().to_owned();
        let (kind, name) = match service {
            "sqs" => (KindId::Sqs, resource.to_owned()),
            "kinesis" => (KindId::Kinesis, first(resource.strip_prefix("stream/")?, '/')),
            "lambda" => (KindId::Lambda, first(resource.strip_prefix("function:")?, ':')),
            "sns" => (KindId::Sns, first(resource, ':')),
            "firehose" => (KindId::Firehose, resource.strip_prefix("deliverystream/")?.to_owned()),
            "cloudwatch" => (KindId::Alarm, resource.strip_prefix("alarm:")?.to_owned()),
            "swf" => (KindId::Swf, resource.strip_prefix("/domain/")?.to_owned()),
            _ => return None,
        };
        made(kind, &name)
    }

    /// The role whose permissions it changes.
    fn role(&self) -> Option<String> {
        if self.service != "iam" || !OF_ROLES.contains(&self.event) {
            return None;
        }
        let name = self.record.get("requestParameters")?.get("roleName")?.as_str()?;
        Some(one_line(name))
    }

    /// What was set: the scalars of the request, those of its attributes among them, without those that name resources.
    fn settings(&self) -> Vec<(String, String)> {
        let Some(request) = self.record.get("requestParameters").and_then(Value::as_object) else { return Vec::new() };
        let mut settings = Vec::new();
        if let Some(name) = request.get("attributeName").and_then(Value::as_str) {
            settings.push((one_line(name), shown(request.get("attributeValue").unwrap_or(&Value::Null))));
        }
        for (name, value) in request {
            if self.says(name).is_some() || NOT_SETTINGS.contains(&name.as_str()) || name.starts_with("attributeName") {
                continue;
            }
            match value {
                Value::Object(members) if name == "attributes" => {
                    settings.extend(members.iter().map(|(name, value)| (one_line(name), shown(value))));
                }
                Value::Null | Value::Object(_) | Value::Array(_) => {}
                _ if name == "attributeValue" => {}
                value => settings.push((one_line(name), shown(value))),
            }
        }
        settings.truncate(SETTINGS_MAX);
        settings
    }
}

/// A name that can be a resource's. Names of alarms and domains are free text: as AWS's list calls give them, they are
/// left as they are, and cleaned where they are drawn.
fn made(kind: KindId, name: &str) -> Option<ResourceId> {
    (!name.is_empty() && name.len() <= 1024).then(|| ResourceId::new(kind, name))
}

/// A value in few words, or the beginning of it; empty where that says nothing, as for a policy.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.starts_with(['{', '[']) => String::new(),
        Value::String(text) if text.chars().count() > VALUE_CHARS_MAX => {
            let beginning: String = text.chars().take(VALUE_CHARS_MAX - 1).collect();
            format!("{}…", one_line(&beginning))
        }
        Value::String(text) => one_line(text),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

fn each_text(value: &Value, with: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => with(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, with)),
        Value::Object(members) => members.values().for_each(|member| each_text(member, with)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The call that a record tells, if it was throttled.
pub fn throttled(record: &Value, at: Timestamp) -> Option<ThrottledCall> {
    let text = |member: &str| record.get(member).and_then(Value::as_str);
    let code = text("errorCode").filter(|code| is_throttling_code(code))?;
    Some(ThrottledCall {
        service: one_line(text("eventSource")?.trim_end_matches(".amazonaws.com")),
        operation: one_line(bare(text("eventName")?)),
        code: one_line(code),
        who: who(record.get("userIdentity").unwrap_or(&Value::Null)),
        at,
    })
}

/// The ARNs within a text such as a policy.
fn arns(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | '[' | ']'))
        .filter(|word| word.starts_with("arn:"))
}

/// Who did it, short: a user's name; a role with its session, where that tells more; a service.
fn who(identity: &Value) -> String {
    let text = |pointer: &str| identity.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let of_arn = || text("/arn").and_then(|arn| arn.rsplit('/').next());
    let name = match text("/type") {
        Some("Root") => Some("root".to_owned()),
        Some("AssumedRole") => text("/sessionContext/sessionIssuer/userName").map(|role| {
            let session = text("/principalId").and_then(|id| id.split_once(':')).map(|(_, session)| session);
            match session {
                // A person of IAM Identity Center goes by the session's name.
                Some(session) if role.starts_with("AWSReservedSSO_") => session.to_owned(),
                Some(session) if tells_more(role, session) => format!("{role}/{session}"),
                _ => role.to_owned(),
            }
        }),
        Some("AWSAccount") => text("/accountId").map(|account| format!("account {account}")),
        _ => text("/userName").map(str::to_owned),
    };
    let name = name.or_else(|| of_arn().map(str::to_owned)).or_else(|| text("/invokedBy").map(str::to_owned));
    one_line(&name.unwrap_or_else(|| "somebody".to_owned()))
}

/// Whether a session's name tells more than its role: not a number, not made up by an SDK, not the role's own.
fn tells_more(role: &str, session: &str) -> bool {
    let is_made_up = session.starts_with("botocore-session-") || session.starts_with("aws-sdk-");
    session != role && !is_made_up && !is_digits(session) && !role.starts_with("AWSServiceRoleFor")
}

#[cfg(test)]
mod tests;
