//! STS: who is calling, and credentials for a while. Nothing is kept: a temporary key's id names its account, and its
//! session token says whose it is, so every region and service knows it.

use crate::sim::cloudtrail::Identity;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::payload;
use crate::sim::wire::{self, Answer, Call, Reply, Request, pattern, query};
use crate::sim::world::World;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The IAM user that long-term keys belong to.
const USER: &str = "midwatch";
/// The letters of unique ids and of access key ids.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// How temporary key ids begin (IAM "unique identifiers").
const TEMPORARY: &str = "ASIA";
/// Characters of a session policy that fill the packed size; STS gives a percentage of it.
const POLICY_MAX: usize = 2048;

/// Tags of one session, at most.
const TAGS_MAX: usize = 50;

/// The longest encoded message (DecodeAuthorizationMessage).
const ENCODED_MAX: usize = 10_240;

/// What a session token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Session {
    User {
        name: String,
    },
    Role {
        role: String,
        session: String,
        /// Keys of the tags that go with the session into every role that it assumes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        transitive: Vec<String>,
    },
    Federated {
        name: String,
    },
}

/// Who makes a request.
pub fn identity(world: &World, request: &Request) -> Identity {
    let key = wire::caller(request).access_key.map(std::borrow::Cow::into_owned);
    match session(request) {
        Some(Session::Role { role, session, .. }) => {
            Identity::session(&world.place, &role, &session, key.as_deref().unwrap_or_default())
        }
        Some(Session::Federated { name }) => Identity {
            kind: "FederatedUser",
            arn: format!("arn:aws:sts::{}:federated-user/{name}", world.place.account),
            name,
            access_key: key,
            role: None,
        },
        Some(Session::User { name }) => Identity::user(&world.place, &name, key.as_deref()),
        None => Identity::user(&world.place, USER, key.as_deref()),
    }
}

/// The other account whose role an operation takes on; `None` where it is the caller's own.
pub fn owner_of_role(place: &Place, operation: &str, input: &Value) -> Option<String> {
    let arn = input.get("RoleArn").and_then(Value::as_str).filter(|_| operation.starts_with("AssumeRole"))?;
    let account = arn.split(':').nth(4)?;
    (account != place.account).then(|| account.to_owned())
}

/// The session whose token came with a request; tokens of AWS's own are nobody's here.
fn session(request: &Request) -> Option<Session> {
    let of_query = || query::parameter(&request.query, "X-Amz-Security-Token");
    let token = request.header("x-amz-security-token").map(str::to_owned).or_else(of_query)?;
    serde_json::from_slice(&BASE64_STANDARD.decode(token).ok()?).ok()
}

/// The account that a temporary key's id names: twelve digits in eight letters, with letters that prove that the id is
/// the engine's own.
pub fn account_of_key(key: &str) -> Option<String> {
    let letters = key.strip_prefix(TEMPORARY).filter(|letters| letters.len() == 16 && letters.is_ascii())?;
    let (body, proof) = letters.split_at(12);
    if proof != self::proof(body) {
        return None;
    }
    let digit = |byte: u8| LETTERS.iter().position(|letter| *letter == byte).map(|value| value as u64);
    let number = body.bytes().take(8).try_fold(0, |sum: u64, byte| Some(sum * 32 + digit(byte)?))?;
    Some(format!("{number:012}"))
}

fn letters(mut number: u64, count: usize) -> String {
    let mut out = vec![b'A'; count];
    for place in out.iter_mut().rev() {
        *place = LETTERS[(number % 32) as usize];
        number /= 32;
    }
    out.into_iter().map(char::from).collect()
}

/// Four letters that follow from the twelve before.
fn proof(body: &str) -> String {
    let mut state = body.bytes().fold(0x6d69_6477, |hash: u64, byte| hash.wrapping_mul(131).wrapping_add(byte.into()));
    letters(payload::next(&mut state), 4)
}

/// Answers one operation.
pub fn answer(world: &mut World, call: &mut Call, operation: &str, input: &Value) -> Answer {
    let empty = Map::new();
    let input = input.as_object().unwrap_or(&empty);
    let caller = identity(world, &call.request);
    let value = match operation {
        "GetCallerIdentity" => caller_identity(&world.place, &caller),
        "AssumeRole" => {
            let transitive = match session(&call.request) {
                Some(Session::Role { transitive, .. }) => transitive,
                _ => Vec::new(),
            };
            assume_role(world, input, transitive)?
        }
        "AssumeRoleWithWebIdentity" => assume_role_with_web_identity(world, input)?,
        "GetSessionToken" => session_token(world, input, &caller)?,
        "GetFederationToken" => federation_token(world, input, &caller)?,
        "GetAccessKeyInfo" => {
            let key = required(input, "AccessKeyId")?;
            check_length(key, "accessKeyId", 16, 128)?;
            let own = || world.place.account.clone();
            json!({ "Account": account_of_key(key).unwrap_or_else(own) })
        }
        "DecodeAuthorizationMessage" => {
            check_length(required(input, "EncodedMessage")?, "encodedMessage", 1, ENCODED_MAX)?;
            // No service here says why it denies something in a message that it has encoded: none of them is EC2.
            return Err(ApiError::client("InvalidAuthorizationMessageException", "Message is not valid"));
        }
        other => {
            let message = format!("Could not find operation {other} for version 2011-06-15");
            return Err(ApiError::client("InvalidAction", message));
        }
    };
    Ok(Reply::Done(value))
}

fn caller_identity(place: &Place, caller: &Identity) -> Value {
    let id = match (&caller.role, caller.kind) {
        (Some(role), _) => format!("{}:{}", Identity::unique_id("AROA", role), caller.name),
        (None, "FederatedUser") => format!("{}:{}", place.account, caller.name),
        _ => Identity::unique_id("AIDA", &caller.name),
    };
    json!({ "UserId": id, "Account": place.account, "Arn": caller.arn })
}

/// A role that may be assumed: what its session will be called, for how long and under which policy.
struct Assumed<'a> {
    account: &'a str,
    role: &'a str,
    session: &'a str,
    seconds: i64,
    policy: Option<&'a str>,
}

impl<'a> Assumed<'a> {
    fn read(input: &'a Map<String, Value>) -> Result<Self, ApiError> {
        let arn = required(input, "RoleArn")?;
        let session = required(input, "RoleSessionName")?;
        check_length(arn, "roleArn", 20, 2048)?;
        check_length(session, "roleSessionName", 2, 64)?;
        check_name(session, "roleSessionName")?;
        let seconds = duration(input, 43_200)?.unwrap_or(3600);
        let policy = policy(input)?;
        check_device(input)?;
        check_tags(input)?;
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let (account, role) = match parts[..] {
            ["arn", partition, service, _, account, resource]
                if !partition.is_empty() && !service.is_empty() && resource.starts_with("role/") =>
            {
                // A role's path is no part of its session's name.
                (account, resource.rsplit('/').next().unwrap_or(resource))
            }
            _ => return Err(validation(format!("{arn} is invalid"))),
        };
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(validation(format!("{arn} is invalid")));
        }
        Ok(Self { account, role, session, seconds, policy })
    }

    fn answer(&self, world: &World, transitive: Vec<String>) -> Value {
        let Self { account, role, session, .. } = *self;
        let said = Session::Role { role: role.to_owned(), session: session.to_owned(), transitive };
        let mut answer = json!({
            "Credentials": credentials(world, account, &said, self.seconds),
            "AssumedRoleUser": {
                "AssumedRoleId": format!("{}:{session}", Identity::unique_id("AROA", role)),
                "Arn": format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"),
            },
        });
        if let Some(policy) = self.policy {
            answer["PackedPolicySize"] = packed_size(policy).into();
        }
        answer
    }
}

/// `inherited` are the keys of the tags that the calling session hands on.
fn assume_role(world: &World, input: &Map<String, Value>, inherited: Vec<String>) -> Result<Value, ApiError> {
    let assumed = Assumed::read(input)?;
    let is_inherited = |key: &str| inherited.iter().any(|own| own.eq_ignore_ascii_case(key));
    let tags = input.get("Tags").and_then(Value::as_array).into_iter().flatten();
    if tags.filter_map(|tag| tag.get("Key")?.as_str()).any(is_inherited) {
        let message = "One of the specified transitive tag keys can't be set because it conflicts with a transitive \
                       tag key from the calling session.";
        return Err(ApiError::client("InvalidParameterValue", message));
    }
    let own = input.get("TransitiveTagKeys").and_then(Value::as_array).into_iter().flatten();
    let own = own.filter_map(Value::as_str).map(str::to_owned);
    let mut answer = assumed.answer(world, inherited.iter().cloned().chain(own).collect());
    if let Some(source) = text(input, "SourceIdentity") {
        answer["SourceIdentity"] = source.into();
    }
    Ok(answer)
}

/// The token is read, not checked: whoever signed it, the engine knows no key of theirs.
fn assume_role_with_web_identity(world: &World, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let assumed = Assumed::read(input)?;
    let token = required(input, "WebIdentityToken")?;
    check_length(token, "webIdentityToken", 4, 20_000)?;
    let claims: Value = token
        .split('.')
        .nth(1)
        .and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok())
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .filter(|claims: &Value| claims.is_object())
        .ok_or_else(|| {
            let message = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access \
                           Token)";
            ApiError::client("InvalidIdentityToken", message)
        })?;
    let mut answer = assumed.answer(world, Vec::new());
    let first = |claim: &Value| claim.as_str().or_else(|| claim[0].as_str()).map(str::to_owned);
    for (member, claim) in [("SubjectFromWebIdentityToken", "sub"), ("Audience", "aud"), ("Provider", "iss")] {
        if let Some(said) = first(&claims[claim]) {
            answer[member] = said.trim_start_matches("https://").into();
        }
    }
    Ok(answer)
}

/// The session policy, which must be JSON and of a certain size at most.
fn policy(input: &Map<String, Value>) -> Result<Option<&str>, ApiError> {
    let Some(policy) = text(input, "Policy") else { return Ok(None) };
    check_length(policy, "policy", 1, POLICY_MAX)?;
    if !serde_json::from_str::<Value>(policy).is_ok_and(|policy| policy.is_object()) {
        return Err(ApiError::client("MalformedPolicyDocument", "This policy contains invalid Json"));
    }
    Ok(Some(policy))
}

/// Whoever calls with the credentials of a session gets no further credentials by `operation`.
fn refuse_sessions(caller: &Identity, operation: &str) -> Result<(), ApiError> {
    if caller.kind != "IAMUser" || caller.access_key.as_deref().is_some_and(|key| account_of_key(key).is_some()) {
        let message = format!("Cannot call {operation} with session credentials");
        return Err(ApiError::client("AccessDenied", message).with_status(403));
    }
    Ok(())
}

fn session_token(world: &World, input: &Map<String, Value>, caller: &Identity) -> Result<Value, ApiError> {
    refuse_sessions(caller, "GetSessionToken")?;
    let seconds = duration(input, 129_600)?.unwrap_or(43_200);
    check_device(input)?;
    let said = Session::User { name: caller.name.clone() };
    Ok(json!({ "Credentials": credentials(world, &world.place.account, &said, seconds) }))
}

fn federation_token(world: &World, input: &Map<String, Value>, caller: &Identity) -> Result<Value, ApiError> {
    refuse_sessions(caller, "GetFederationToken")?;
    let name = required(input, "Name")?;
    check_length(name, "name", 2, 32)?;
    check_name(name, "name")?;
    let seconds = duration(input, 129_600)?.unwrap_or(43_200);
    let policy = policy(input)?;
    check_tags(input)?;
    let account = &world.place.account;
    let said = Session::Federated { name: name.to_owned() };
    Ok(json!({
        "Credentials": credentials(world, account, &said, seconds),
        "FederatedUser": {
            "FederatedUserId": format!("{account}:{name}"),
            "Arn": format!("arn:aws:sts::{account}:federated-user/{name}"),
        },
        "PackedPolicySize": policy.map_or(0, packed_size),
    }))
}

/// What part of the room for session policies a policy takes, in percent.
fn packed_size(policy: &str) -> usize {
    (policy.len() * 100).div_ceil(POLICY_MAX)
}

/// New credentials. They follow from how much the world has answered, so that asking does not disturb chance.
fn credentials(world: &World, account: &str, said: &Session, seconds: i64) -> Value {
    let mut state = world.ledger.answered ^ world.now.millis().unsigned_abs();
    let body = letters(account.parse().unwrap_or(0), 8) + &letters(payload::next(&mut state), 4);
    let secret: Vec<u8> = (0..4).flat_map(|_| payload::next(&mut state).to_be_bytes()).collect();
    let expires = world.now.floor_to(1) + Duration::from_secs(seconds.unsigned_abs());
    json!({
        "AccessKeyId": format!("{TEMPORARY}{body}{}", proof(&body)),
        "SecretAccessKey": &BASE64_URL_SAFE_NO_PAD.encode(secret)[..40],
        "SessionToken": BASE64_STANDARD.encode(json!(said).to_string()),
        "Expiration": expires.secs_f64(),
    })
}

fn text<'a>(input: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    input.get(member).and_then(Value::as_str)
}

fn validation(message: String) -> ApiError {
    ApiError::client("ValidationError", message)
}

fn constraint(value: &str, member: &str, words: &str) -> ApiError {
    validation(format!(
        "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: {words}"
    ))
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + chars.as_str())
}

fn required<'a>(input: &'a Map<String, Value>, member: &str) -> Result<&'a str, ApiError> {
    text(input, member).ok_or_else(|| constraint("null", &lower_first(member), "Member must not be null"))
}

fn check_length(value: &str, member: &str, least: usize, most: usize) -> Result<(), ApiError> {
    let words = match value.chars().count() {
        n if n < least => format!("Member must have length greater than or equal to {least}"),
        n if n > most => format!("Member must have length less than or equal to {most}"),
        _ => return Ok(()),
    };
    Err(constraint(&format!("'{value}'"), member, &words))
}

fn check_name(value: &str, member: &str) -> Result<(), ApiError> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if value.chars().all(is_legal) {
        return Ok(());
    }
    let words = "Member must satisfy regular expression pattern: [\\w+=,.@-]*";
    Err(constraint(&format!("'{value}'"), member, words))
}

/// The device of a caller who has a second factor, and the code that it shows. Neither is asked for here.
fn check_device(input: &Map<String, Value>) -> Result<(), ApiError> {
    for (member, least, most, pattern) in [("SerialNumber", 9, 256, "[\\w+=/:,.@-]*"), ("TokenCode", 6, 6, "[\\d]*")] {
        let (Some(text), shown) = (text(input, member), lower_first(member)) else { continue };
        check_length(text, &shown, least, most)?;
        if !pattern::fits(pattern, text) {
            let words = format!("Member must satisfy regular expression pattern: {pattern}");
            return Err(constraint(&format!("'{text}'"), &shown, &words));
        }
    }
    Ok(())
}

/// `DurationSeconds`, at least fifteen minutes.
fn duration(input: &Map<String, Value>, most: i64) -> Result<Option<i64>, ApiError> {
    let Some(seconds) = input.get("DurationSeconds").and_then(Value::as_i64) else { return Ok(None) };
    let words = match seconds {
        n if n < 900 => "Member must have value greater than or equal to 900".to_owned(),
        n if n > most => format!("Member must have value less than or equal to {most}"),
        n => return Ok(Some(n)),
    };
    Err(constraint(&format!("'{seconds}'"), "durationSeconds", &words))
}

/// Tags' keys are one whatever their case, and transitive keys must be among them.
fn check_tags(input: &Map<String, Value>) -> Result<(), ApiError> {
    let invalid = |message: &str| Err(ApiError::client("InvalidParameterValue", message));
    let list = |member: &str| input.get(member).and_then(Value::as_array).into_iter().flatten();
    if list("Tags").count() > TAGS_MAX {
        let words = format!("Member must have length less than or equal to {TAGS_MAX}");
        return Err(validation(format!(
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: {words}"
        )));
    }
    for (lists, name, least, most) in
        [("Tags", "Key", 1, 128), ("Tags", "Value", 0, 256), ("PolicyArns", "arn", 20, 2048)]
    {
        for (index, one) in list(lists).enumerate() {
            let path = format!("{}.{}.member.{}", lower_first(lists), index + 1, lower_first(name));
            match one.get(name).and_then(Value::as_str) {
                Some(text) => check_length(text, &path, least, most)?,
                None if lists == "Tags" => return Err(constraint("null", &path, "Member must not be null")),
                None => {}
            }
        }
    }
    let mut keys: Vec<String> =
        list("Tags").filter_map(|tag| tag.get("Key")?.as_str()).map(str::to_lowercase).collect();
    keys.sort();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    let mut transitive = list("TransitiveTagKeys").filter_map(Value::as_str).map(str::to_lowercase);
    if transitive.any(|key| !keys.contains(&key)) {
        return invalid("The specified transitive tag key must be included in the requested tags.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn world() -> World {
        let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
        World::new(1, start, Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true })
    }

    fn ask(world: &mut World, credentials: &Value, operation: &str, input: Value) -> Result<Value, ApiError> {
        let key = credentials["AccessKeyId"].as_str().unwrap_or("AKIAEXAMPLE");
        let scope =
            format!("AWS4-HMAC-SHA256 Credential={key}/20261127/eu-west-1/sts/aws4_request, SignedHeaders=host");
        let mut headers = vec![("authorization".to_owned(), scope)];
        if let Some(token) = credentials["SessionToken"].as_str() {
            headers.push(("x-amz-security-token".to_owned(), token.to_owned()));
        }
        let request =
            Request { method: "POST".into(), path: "/".into(), query: String::new(), headers, body: Bytes::new() };
        let mut call = Call::new(request, world.now);
        answer(world, &mut call, operation, &input).map(|reply| match reply {
            Reply::Done(value) => value,
            Reply::Later(at) => panic!("STS never waits, and now until {at}"),
        })
    }

    #[test]
    fn a_role_is_assumed_and_its_session_known_in_the_roles_account() {
        let mut world = world();
        let input = json!({ "RoleArn": "arn:aws:iam::111122223333:role/ops/on-call", "RoleSessionName": "ann" });
        let assumed = ask(&mut world, &Value::Null, "AssumeRole", input).unwrap();
        let credentials = &assumed["Credentials"];
        let key = credentials["AccessKeyId"].as_str().unwrap();
        assert_eq!((key.len(), account_of_key(key).as_deref()), (20, Some("111122223333")));
        assert_eq!(credentials["SecretAccessKey"].as_str().unwrap().len(), 40);
        assert_eq!(credentials["Expiration"].as_f64().unwrap(), world.now.secs_f64() + 3600.0);
        let arn = "arn:aws:sts::111122223333:assumed-role/on-call/ann";
        assert_eq!(assumed["AssumedRoleUser"]["Arn"], arn);
        world.place.account = "111122223333".into();
        let who = ask(&mut world, credentials, "GetCallerIdentity", Value::Null).unwrap();
        assert_eq!((&who["Arn"], &who["Account"]), (&json!(arn), &json!("111122223333")));
        assert_eq!(who["UserId"], assumed["AssumedRoleUser"]["AssumedRoleId"]);
        let refused = ask(&mut world, credentials, "GetSessionToken", Value::Null).unwrap_err();
        assert_eq!((refused.code, refused.status), ("AccessDenied", 403));
    }

    #[test]
    fn sessions_of_users_stay_theirs() {
        let mut world = world();
        let token = ask(&mut world, &Value::Null, "GetSessionToken", json!({ "DurationSeconds": 900 })).unwrap();
        let who = ask(&mut world, &token["Credentials"], "GetCallerIdentity", Value::Null).unwrap();
        assert_eq!(who["Arn"], "arn:aws:iam::123456789012:user/midwatch");
        let federated = ask(&mut world, &Value::Null, "GetFederationToken", json!({ "Name": "bob" })).unwrap();
        let who = ask(&mut world, &federated["Credentials"], "GetCallerIdentity", Value::Null).unwrap();
        assert_eq!(who["Arn"], federated["FederatedUser"]["Arn"]);
    }

    #[test]
    fn transitive_tags_go_along_and_cannot_be_set_again() {
        let mut world = world();
        let role = "arn:aws:iam::123456789012:role/on-call";
        let tags = json!([{ "Key": "Team", "Value": "ops" }]);
        let first = json!({
            "RoleArn": role, "RoleSessionName": "ann", "Tags": tags, "TransitiveTagKeys": ["Team"],
        });
        let assumed = ask(&mut world, &Value::Null, "AssumeRole", first).unwrap();
        let again = json!({
            "RoleArn": role, "RoleSessionName": "bob", "Tags": [{ "Key": "team", "Value": "dev" }],
        });
        let refused = ask(&mut world, &assumed["Credentials"], "AssumeRole", again.clone()).unwrap_err();
        assert_eq!(refused.code, "InvalidParameterValue");
        assert!(refused.message.starts_with("One of the specified transitive tag keys can't be set"));
        assert!(ask(&mut world, &Value::Null, "AssumeRole", again).is_ok());
    }

    #[test]
    fn a_web_identity_says_who_it_is_in_its_token() {
        let mut world = world();
        let claims = json!({ "iss": "https://oidc.example.com", "aud": "ci", "sub": "runner" });
        let token = format!("e30.{}.sig", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut input = json!({
            "RoleArn": "arn:aws:iam::123456789012:role/ci", "RoleSessionName": "run", "WebIdentityToken": token,
        });
        let assumed = ask(&mut world, &Value::Null, "AssumeRoleWithWebIdentity", input.clone()).unwrap();
        assert_eq!((&assumed["Provider"], &assumed["Audience"]), (&json!("oidc.example.com"), &json!("ci")));
        assert_eq!(assumed["SubjectFromWebIdentityToken"], "runner");
        assert_eq!(assumed["AssumedRoleUser"]["Arn"], "arn:aws:sts::123456789012:assumed-role/ci/run");
        input["WebIdentityToken"] = json!("opaque");
        let refused = ask(&mut world, &Value::Null, "AssumeRoleWithWebIdentity", input).unwrap_err();
        assert_eq!(refused.code, "InvalidIdentityToken");
    }

    #[test]
    fn session_policies_are_json_and_not_too_long() {
        let mut world = world();
        let ask = |world: &mut World, policy: String| {
            let input = json!({ "Name": "bob", "Policy": policy });
            ask(world, &Value::Null, "GetFederationToken", input).map_err(|error| error.code)
        };
        assert_eq!(ask(&mut world, "{\"Version\":\"2012-10-17\"}".into()).unwrap()["PackedPolicySize"], 2);
        assert_eq!(ask(&mut world, "nothing".into()).unwrap_err(), "MalformedPolicyDocument");
        assert_eq!(ask(&mut world, format!("{{\"a\":\"{}\"}}", "x".repeat(2048))).unwrap_err(), "ValidationError");
    }

    #[test]
    fn what_sts_refuses_in_awss_words() {
        let mut world = world();
        let role = "arn:aws:iam::123456789012:role/on-call";
        let detected = "1 validation error detected: Value";
        for (arn, session, more, message) in [
            ("nothing-valid-in-here", "ann", Value::Null, "nothing-valid-in-here is invalid".to_owned()),
            ("arn::b:::something/test-role", "ann", Value::Null, "arn::b:::something/test-role is invalid".to_owned()),
            (
                role,
                "Session1:2",
                Value::Null,
                format!(
                    "{detected} 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy \
                         regular expression pattern: [\\w+=,.@-]*"
                ),
            ),
            (
                role,
                "ann",
                json!(60),
                format!(
                    "{detected} '60' at 'durationSeconds' failed to satisfy constraint: Member must have value \
                         greater than or equal to 900"
                ),
            ),
        ] {
            let input = json!({ "RoleArn": arn, "RoleSessionName": session, "DurationSeconds": more });
            let refused = ask(&mut world, &Value::Null, "AssumeRole", input).unwrap_err();
            assert_eq!((refused.code, refused.message), ("ValidationError", message));
        }
        let tags = json!({ "RoleArn": role, "RoleSessionName": "ann", "TransitiveTagKeys": ["team"] });
        assert_eq!(ask(&mut world, &Value::Null, "AssumeRole", tags).unwrap_err().code, "InvalidParameterValue");
        assert_eq!(ask(&mut world, &Value::Null, "Nothing", Value::Null).unwrap_err().code, "InvalidAction");
    }

    #[test]
    fn devices_tags_and_policies_have_their_bounds() {
        let mut world = world();
        let long: Vec<Value> = (0..51).map(|n| json!({ "Key": format!("k{n}"), "Value": "" })).collect();
        let six = "Member must have length greater than or equal to 6";
        for (operation, more, value, member, words) in [
            ("GetSessionToken", json!({ "TokenCode": "12345" }), " '12345'", "tokenCode", six),
            (
                "GetSessionToken",
                json!({ "TokenCode": "12345x" }),
                " '12345x'",
                "tokenCode",
                "Member must satisfy regular expression pattern: [\\d]*",
            ),
            (
                "GetSessionToken",
                json!({ "SerialNumber": "short" }),
                " 'short'",
                "serialNumber",
                "Member must have length greater than or equal to 9",
            ),
            (
                "GetFederationToken",
                json!({ "Tags": long }),
                "",
                "tags",
                "Member must have length less than or equal to 50",
            ),
            (
                "GetFederationToken",
                json!({ "Tags": [{ "Key": "", "Value": "x" }] }),
                " ''",
                "tags.1.member.key",
                "Member must have length greater than or equal to 1",
            ),
            (
                "GetFederationToken",
                json!({ "PolicyArns": [{ "arn": "arn:short" }] }),
                " 'arn:short'",
                "policyArns.1.member.arn",
                "Member must have length greater than or equal to 20",
            ),
        ] {
            let mut input = json!({ "Name": "bob" });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let refused = ask(&mut world, &Value::Null, operation, input).unwrap_err();
            let message = format!(
                "1 validation error detected: Value{value} at '{member}' failed to satisfy constraint: {words}"
            );
            assert_eq!((refused.code, refused.message), ("ValidationError", message));
        }
    }

    proptest! {
        #[test]
        fn only_the_engines_own_keys_name_an_account(key in "ASIA[A-Z2-7]{16}", account in 0u64..1_000_000_000_000) {
            prop_assume!(proof(&key[4..16]) != key[16..]);
            prop_assert_eq!(account_of_key(&key), None);
            let body = letters(account, 8) + "ABCD";
            let own = format!("{TEMPORARY}{body}{}", proof(&body));
            prop_assert_eq!(account_of_key(&own), Some(format!("{account:012}")));
        }
    }
}
