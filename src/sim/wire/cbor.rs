//! rpc-v2-cbor: the service and the operation in the path, CBOR in and out. CloudWatch's first protocol.

use crate::sim::error::ApiError;
use crate::sim::wire::{self, Call, Reply, Response, Service};
use crate::sim::world::World;
use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::decode::DeserializeError;
use aws_smithy_cbor::{Decoder, Encoder};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Map, Number, Value};

/// Deeper nesting than this is refused: no AWS shape comes near it, and the stack is finite.
const DEPTH_MAX: usize = 64;

/// CBOR's tag 1, "epoch time", as the first byte of an item.
const TIMESTAMP_TAG: u8 = 0xc1;

/// Answers `POST /service/SERVICE/operation/OPERATION`; `rest` is the path after `/service/`.
pub fn handle(world: &mut World, call: &mut Call, rest: &str) -> Reply<Response> {
    let request_id = wire::request_id(world);
    let found = rest.split_once("/operation/").and_then(|(name, operation)| Some((service_of(name)?, operation)));
    let Some((service, operation)) = found else {
        wire::note_unknown(world, "");
        return Reply::Done(frame(
            &request_id,
            404,
            &wire::error_value(Service::Sts, &wire::unknown_operation()),
            vec![],
        ));
    };
    let input = decode(&call.request.body)
        .map_err(|_| wire::serialization_error(""))
        .and_then(|value| if value.is_object() { Ok(value) } else { Err(wire::serialization_error("")) });
    match wire::answer(world, call, service, operation, input) {
        Ok(Reply::Later(at)) => Reply::Later(at),
        Ok(Reply::Done(value)) => Reply::Done(frame(&request_id, 200, &value, vec![])),
        Err(error) => Reply::Done(error_response(service, &request_id, &error)),
    }
}

fn service_of(name: &str) -> Option<Service> {
    (name == "GraniteServiceVersion20100801").then_some(Service::CloudWatch)
}

fn error_response(service: Service, request_id: &str, error: &ApiError) -> Response {
    let mut headers: Vec<_> = error.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    headers.extend(wire::query_error_header(service, error));
    frame(request_id, error.status, &wire::error_value(service, error), headers)
}

fn frame(request_id: &str, status: u16, value: &Value, mut headers: Vec<(String, String)>) -> Response {
    headers.push(("smithy-protocol".into(), "rpc-v2-cbor".into()));
    headers.push(("x-amzn-requestid".into(), request_id.to_owned()));
    // An operation without an answer has no body and no type of one.
    if value.is_null() {
        return Response { status, headers, body: Bytes::new() };
    }
    headers.push(("content-type".into(), "application/cbor".into()));
    Response { status, headers, body: Bytes::from(encode(value)) }
}

/// Reads one CBOR item. Timestamps become numbers of seconds, byte strings base64 text, `undefined` becomes null; an
/// empty body is an empty map.
pub fn decode(body: &[u8]) -> Result<Value, DeserializeError> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut decoder = Decoder::new(body);
    let value = decode_item(&mut decoder, body, 0)?;
    if decoder.position() != body.len() {
        return Err(DeserializeError::custom("bytes after the end", decoder.position()));
    }
    Ok(value)
}

fn decode_item(decoder: &mut Decoder<'_>, body: &[u8], depth: usize) -> Result<Value, DeserializeError> {
    let at = decoder.position();
    if depth > DEPTH_MAX {
        return Err(DeserializeError::custom("nested too deeply", at));
    }
    Ok(match decoder.datatype()? {
        Type::Bool => Value::Bool(decoder.boolean()?),
        Type::Null => {
            decoder.null()?;
            Value::Null
        }
        Type::Undefined => {
            decoder.skip()?;
            Value::Null
        }
        Type::U8 | Type::U16 | Type::U32 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => decoder.long()?.into(),
        Type::U64 => decode_u64(decoder, body)?,
        Type::F16 | Type::F32 | Type::F64 => number(decoder.double()?),
        Type::Bytes | Type::BytesIndef => BASE64_STANDARD.encode(decoder.blob()?).into(),
        Type::String | Type::StringIndef => decoder.string()?.into(),
        Type::Array | Type::ArrayIndef => decode_array(decoder, body, depth)?,
        Type::Map | Type::MapIndef => decode_map(decoder, body, depth)?,
        Type::Tag if body.get(at) == Some(&TIMESTAMP_TAG) => {
            decoder.set_position(at + 1);
            let seconds = decode_item(decoder, body, depth + 1)?;
            if !seconds.is_number() && !seconds.is_string() {
                return Err(DeserializeError::custom("a timestamp must be a number", at));
            }
            seconds
        }
        Type::Int | Type::Simple | Type::Tag | Type::Break | Type::Unknown(_) => {
            return Err(DeserializeError::custom("no such value in this protocol", at));
        }
    })
}

/// An integer of eight bytes; those beyond 63 bits are kept as unsigned.
fn decode_u64(decoder: &mut Decoder<'_>, body: &[u8]) -> Result<Value, DeserializeError> {
    let at = decoder.position();
    let bytes = body.get(at + 1..at + 9).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    let value = bytes.map(u64::from_be_bytes).ok_or_else(|| DeserializeError::expected_end_of_stream(at))?;
    decoder.set_position(at + 9);
    Ok(value.into())
}

/// JSON has no infinities; they travel as the texts that AWS's JSON protocols use.
fn number(value: f64) -> Value {
    match Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => "NaN".into(),
        None => if value > 0.0 { "Infinity" } else { "-Infinity" }.into(),
    }
}

fn decode_array(decoder: &mut Decoder<'_>, body: &[u8], depth: usize) -> Result<Value, DeserializeError> {
    let length = decoder.list()?;
    let mut items = Vec::new();
    while more(decoder, length, items.len() as u64)? {
        items.push(decode_item(decoder, body, depth + 1)?);
    }
    Ok(Value::Array(items))
}

fn decode_map(decoder: &mut Decoder<'_>, body: &[u8], depth: usize) -> Result<Value, DeserializeError> {
    let length = decoder.map()?;
    let (mut members, mut read) = (Map::new(), 0);
    while more(decoder, length, read)? {
        let name = decoder.string()?;
        members.insert(name, decode_item(decoder, body, depth + 1)?);
        read += 1;
    }
    Ok(Value::Object(members))
}

/// Whether another item follows; takes the end mark of an item of indefinite length.
fn more(decoder: &mut Decoder<'_>, length: Option<u64>, read: u64) -> Result<bool, DeserializeError> {
    match length {
        Some(length) => Ok(read < length),
        None if decoder.datatype()? == Type::Break => {
            decoder.set_position(decoder.position() + 1);
            Ok(false)
        }
        None => Ok(true),
    }
}

/// Writes a value as CBOR. Numbers under the names of CloudWatch's timestamp members get tag 1; numbers with a
/// fraction in their JSON form are doubles, others integers.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::with_capacity(256));
    encode_item(&mut encoder, value, false);
    encoder.into_writer()
}

fn encode_item(encoder: &mut Encoder, value: &Value, is_time: bool) {
    match value {
        Value::Null => {
            encoder.null();
        }
        Value::Bool(x) => {
            encoder.boolean(*x);
        }
        Value::Number(x) if is_time => {
            let seconds = x.as_f64().unwrap_or_default();
            encoder.timestamp(&aws_smithy_types::DateTime::from_secs_f64(seconds));
        }
        Value::Number(x) => {
            match x.as_i64() {
                Some(integer) => encoder.long(integer),
                None => encoder.double(x.as_f64().unwrap_or_default()),
            };
        }
        Value::String(x) => {
            encoder.str(x);
        }
        Value::Array(items) => {
            encoder.array(items.len());
            items.iter().for_each(|item| encode_item(encoder, item, is_time));
        }
        Value::Object(members) => {
            encoder.map(members.len());
            for (name, member) in members {
                encoder.str(name);
                encode_item(encoder, member, is_timestamp(name));
            }
        }
    }
}

/// The timestamp members of the shapes that CloudWatch answers with.
fn is_timestamp(member: &str) -> bool {
    matches!(
        member,
        "Timestamp"
            | "Timestamps"
            | "StartTime"
            | "EndTime"
            | "StateUpdatedTimestamp"
            | "StateTransitionedTimestamp"
            | "AlarmConfigurationUpdatedTimestamp"
    )
}
