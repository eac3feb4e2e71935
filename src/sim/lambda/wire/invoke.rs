//! Invoke in its three types: wait for the answer, hand the event over, or only ask whether it would be allowed.

use super::input::{FunctionRef, Violations};
use super::{Answer, Route};
use crate::sim::error::ApiError;
use crate::sim::json_reader::{Fault, Reader};
use crate::sim::lambda::Lineage;
use crate::sim::lambda::asynchronous::EVENT_BYTES_MAX;
use crate::sim::lambda::function::{conflict, function_not_found};
use crate::sim::lambda::invocation::Answered;
use crate::sim::lambda::version::{Phase, VersionNumber};
use crate::sim::waits::Awaited;
use crate::sim::wire::{Call, Reply, event_stream};
use crate::sim::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

/// A synchronous invocation's payload limit, in bytes [Lambda quotas].
const SYNCHRONOUS_BYTES: usize = 6 * 1024 * 1024;
/// A chunk of a streamed answer.
const CHUNK_BYTES: usize = 64 * 1024;

/// Invoke. A synchronous call leaves the invocation's number as its ticket and is asked again at its end.
pub fn invoke(world: &mut World, call: &mut Call, route: &Route) -> Result<Reply<Answer>, ApiError> {
    if let Some(invocation) = call.ticket {
        return collect(world, invocation, route);
    }
    let invocation_type = call.request.header("x-amz-invocation-type").unwrap_or("RequestResponse").to_owned();
    let log_type = call.request.header("x-amz-log-type").unwrap_or("None").to_owned();
    let mut violations = Violations::default();
    violations.one_of(Some(&invocation_type), "invocationType", &["Event", "RequestResponse", "DryRun"]);
    violations.one_of(Some(&log_type), "logType", &["None", "Tail"]);
    let (name, qualifier) =
        violations.check_with(FunctionRef::of(world, route))?.named(route.parameter("Qualifier"))?;
    let Some(version) = world.lambda.named(&name).and_then(|function| function.qualified(&qualifier)) else {
        let arn = world.place.arn("lambda", &format!("function:{name}"));
        return Err(function_not_found(&format!("{arn}:{}", qualifier.text_or_latest())));
    };
    if version.phase(world.now) == Phase::Creating {
        return Err(is_pending());
    }
    if invocation_type == "DryRun" {
        return Ok(Reply::Done(executed(Answer::empty(204), version.number)));
    }
    let is_event = invocation_type == "Event";
    let payload = payload(&call.request.body, is_event)?;
    let (lambda, mut cx) = world.lambda_cx();
    if is_event {
        let id = lambda.id_of(&name).ok_or_else(|| function_not_found(&name))?;
        let request = lambda.accept_qualified_event(&mut cx, id, &qualifier, payload, Lineage::default());
        let request = request.ok_or_else(|| function_not_found(&name))?;
        let mut answer = Answer::empty(202);
        answer.headers.push(("x-amzn-requestid", request.text()));
        return Ok(Reply::Done(answer));
    }
    let invocation = lambda.invoke_qualified(&mut cx, &name, &qualifier, payload, log_type == "Tail")?;
    call.ticket = Some(invocation);
    collect(world, invocation, route)
}

/// What is created is not invoked before it is Active; an update does not keep anybody waiting [Lambda function states].
fn is_pending() -> ApiError {
    conflict(
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    )
}

/// InvokeWithResponseStream: the answer in chunks of an event stream, and at its end how it went.
pub fn invoke_with_stream(world: &mut World, call: &mut Call, route: &Route) -> Result<Reply<Answer>, ApiError> {
    if call.ticket.is_none() && call.request.header("x-amz-invocation-type") == Some("Event") {
        let mut violations = Violations::default();
        violations.one_of(Some("Event"), "invocationType", &["RequestResponse", "DryRun"]);
        violations.check()?;
    }
    let mut answer = match invoke(world, call, route)? {
        Reply::Done(answer) if answer.status == 200 => answer,
        other => return Ok(other),
    };
    let mut end = serde_json::Map::new();
    answer.headers.retain(|(name, value)| match *name {
        "x-amz-function-error" => {
            end.insert("ErrorCode".to_owned(), value.clone().into());
            end.insert("ErrorDetails".to_owned(), String::from_utf8_lossy(&answer.body).into());
            false
        }
        "x-amz-log-result" => {
            end.insert("LogResult".to_owned(), value.clone().into());
            false
        }
        _ => true,
    });
    let chunks = answer.body.chunks(CHUNK_BYTES);
    let mut body: Vec<u8> =
        chunks.flat_map(|chunk| event_stream::event("PayloadChunk", "application/octet-stream", chunk)).collect();
    let end = serde_json::Value::Object(end).to_string();
    body.extend(event_stream::event("InvokeComplete", "application/json", end.as_bytes()));
    answer.body = body.into();
    answer.headers.push(("content-type", event_stream::CONTENT_TYPE.to_owned()));
    Ok(Reply::Done(answer))
}

/// The older form of an asynchronous invocation.
pub fn invoke_async(world: &mut World, call: &Call, route: &Route) -> Result<Reply<Answer>, ApiError> {
    let (name, qualifier) = FunctionRef::of(world, route)?.resolve(world, None)?;
    let payload = payload(&call.request.body, true)?;
    let (lambda, mut cx) = world.lambda_cx();
    let id = lambda.id_of(&name).ok_or_else(|| function_not_found(&name))?;
    lambda.accept_qualified_event(&mut cx, id, &qualifier, payload, Lineage::default());
    Ok(Reply::Done(Answer::json(202, &serde_json::json!({"Status": 202}))))
}

/// The answer of an invocation that has ended, or when to ask again.
fn collect(world: &mut World, invocation: u64, route: &Route) -> Result<Reply<Answer>, ApiError> {
    if let Some(running) = world.lambda.running(invocation) {
        world.waits.wait_for(Awaited::Time);
        return Ok(Reply::Later(running.ends));
    }
    // Only a function that was deleted meanwhile leaves no answer.
    let answered = world.lambda.take_answer(invocation);
    let answered = answered
        .ok_or_else(|| function_not_found(&world.place.arn("lambda", &format!("function:{}", route.target))))?;
    Ok(Reply::Done(answer(answered)))
}

fn executed(mut answer: Answer, version: VersionNumber) -> Answer {
    answer.headers.push(("x-amz-executed-version", version.to_string()));
    answer
}

fn answer(answered: Answered) -> Answer {
    let mut answer = executed(Answer { status: 200, headers: Vec::new(), body: answered.payload }, answered.version);
    answer.headers.push(("x-amzn-requestid", answered.request.text()));
    if !answered.outcome.is_success() {
        answer.headers.push(("x-amz-function-error", "Unhandled".to_owned()));
    }
    if let Some(log) = answered.log {
        answer.headers.push(("x-amz-log-result", STANDARD.encode(log)));
    }
    answer
}

/// What the parser would have taken.
const EXPECTED: &str = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'";

/// The event: JSON, `{}` where nothing was sent. Errors: RequestEntityTooLargeException, InvalidRequestContentException.
fn payload(body: &Bytes, is_event: bool) -> Result<Bytes, ApiError> {
    let too_large = if body.len() > SYNCHRONOUS_BYTES {
        Some(format!("Request must be smaller than {SYNCHRONOUS_BYTES} bytes for the InvokeFunction operation"))
    } else if is_event && body.len() > EVENT_BYTES_MAX {
        let bytes = body.len();
        let most = EVENT_BYTES_MAX;
        Some(format!("{bytes} byte payload is too large for the Event invocation type (limit {most} bytes)"))
    } else {
        None
    };
    if let Some(message) = too_large {
        // The service model calls it RequestTooLargeException; what AWS sends is this.
        return Err(ApiError::client("RequestEntityTooLargeException", message).with_status(413));
    }
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    let is_json = |text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if std::str::from_utf8(body).is_ok_and(is_json) { Ok(body.clone()) } else { Err(not_json(body)) }
}

/// The parser's words, as Lambda hands them on.
fn not_json(body: &[u8]) -> ApiError {
    let fault = fault_within(body).unwrap_or_else(|| fault_at_start(body));
    let message = format!("Could not parse request body into json: Could not parse payload into json: {fault}");
    ApiError::client("InvalidRequestContentException", message)
}

/// What breaks behind a beginning that could be JSON's.
fn fault_within(body: &[u8]) -> Option<Fault> {
    let first = *body.trim_ascii_start().first()?;
    if !(first.is_ascii_digit() || b"{[\"-".contains(&first)) {
        return None;
    }
    let (text, broken) = match std::str::from_utf8(body) {
        Ok(text) => (text, None),
        Err(error) => {
            let text = std::str::from_utf8(body.get(..error.valid_up_to())?).ok()?;
            (text, body.get(error.valid_up_to()..))
        }
    };
    let fault = Reader::check_bytes(text).err();
    let Some(broken) = broken.filter(|_| fault.as_ref().is_none_or(Fault::is_end_of_input)) else { return fault };
    let line_start = text.rfind('\n').map_or(0, |newline| newline + 1);
    let (line, column) = (text.matches('\n').count() + 1, text.len() - line_start + 2);
    let message = match broken {
        // No character begins with such a byte.
        [byte @ (0x80..=0xc1 | 0xf8..=0xff), ..] => format!("Invalid UTF-8 start byte 0x{byte:02x}"),
        [_, byte, ..] => format!("Invalid UTF-8 middle byte 0x{byte:02x}"),
        _ => return fault,
    };
    Some(Fault { message, line, column })
}

/// The first word or character, where nothing of JSON begins so. The parser reads bytes, not characters.
fn fault_at_start(body: &[u8]) -> Fault {
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(body.len());
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_$".contains(byte);
    let word: Vec<u8> = body.iter().skip(start).take_while(is_word).copied().collect();
    let after = body.get(start + word.len()).copied();
    let (message, column) = match (word.as_slice(), after) {
        // No character begins with such a byte.
        ([_, ..], Some(byte @ (0x80..=0xbf | 0xf8..=0xff))) => {
            (format!("Invalid UTF-8 start byte 0x{byte:02x}"), start + word.len() + 2)
        }
        ([_, ..], _) => {
            let word = String::from_utf8_lossy(&word);
            (format!("Unrecognized token '{word}': was expecting ({EXPECTED})"), start + word.len() + 1)
        }
        ([], byte) => {
            let byte = byte.unwrap_or(b' ');
            let shown = match byte {
                0..=31 | 127..=159 => format!("(CTRL-CHAR, code {byte})"),
                _ => format!("'{}' (code {byte})", char::from(byte)),
            };
            (format!("Unexpected character ({shown}): expected a valid value ({EXPECTED})"), start + 1)
        }
    };
    Fault { message, line: 1, column }
}
