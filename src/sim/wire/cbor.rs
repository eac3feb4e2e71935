//! CBOR in and out. The first protocol of CloudWatch and of the Tagging API is rpc-v2-cbor, with the service and the operation in the path; AWS's
//! Java SDKs speak to Kinesis in CBOR 1.1, which is awsJson 1.1 in another coat.

use crate::sim::error::ApiError;
use crate::sim::wire::{self, Call, Reply, Request, Response, Service};
use crate::sim::world::World;
use aws_smithy_cbor::Decoder;
use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::decode::DeserializeError;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Map, Number, Value};

/// Deeper nesting than this is refused: no AWS shape comes near it, and the stack is finite.
const DEPTH_MAX: usize = 64;

/// CBOR's tag 1, "epoch time", as the first byte of an item.
const TIMESTAMP_TAG: u8 = 0xc1;

/// How a protocol writes what JSON has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// rpc-v2-cbor: times in seconds.
    Rpc,
    /// CBOR 1.1: times in milliseconds, `Data` in bytes.
    Amz,
}

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
    let input = decode(&call.request.body, Flavour::Rpc)
        .map_err(|_| wire::serialization_error(""))
        .and_then(|value| if value.is_object() { Ok(value) } else { Err(wire::serialization_error("")) });
    match wire::answer(world, call, service, operation, input) {
        Ok(Reply::Later(at)) => Reply::Later(at),
        Ok(Reply::Done(value)) => Reply::Done(frame(&request_id, 200, &value, vec![])),
        Err(error) => Reply::Done(error_response(service, &request_id, &error, &call.request)),
    }
}

fn service_of(name: &str) -> Option<Service> {
    match name {
        "GraniteServiceVersion20100801" => Some(Service::CloudWatch),
        "ResourceGroupsTaggingAPI_20170126" => Some(Service::Tagging),
        _ => None,
    }
}

fn error_response(service: Service, request_id: &str, error: &ApiError, request: &Request) -> Response {
    let mut headers: Vec<_> = error.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    headers.extend(wire::compatible::query_error_header(service, error));
    let status = wire::compatible::error_status(service, error, request);
    frame(request_id, status, &wire::error_value(service, error), headers)
}

fn frame(request_id: &str, status: u16, value: &Value, mut headers: Vec<(String, String)>) -> Response {
    headers.push(("smithy-protocol".into(), "rpc-v2-cbor".into()));
    headers.push(("x-amzn-requestid".into(), request_id.to_owned()));
    // An operation without an answer has no body and no type of one.
    if value.is_null() {
        return Response { status, headers, body: Bytes::new() };
    }
    headers.push(("content-type".into(), "application/cbor".into()));
    Response { status, headers, body: Bytes::from(encode(value, Flavour::Rpc)) }
}

/// Reads one CBOR item. Timestamps become numbers of seconds, byte strings base64 text, `undefined` becomes null; an
/// empty body is an empty map.
pub fn decode(body: &[u8], flavour: Flavour) -> Result<Value, DeserializeError> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut decoder = Decoder::new(body);
    let value = Reader { body, flavour }.item(&mut decoder, 0)?;
    if decoder.position() != body.len() {
        return Err(DeserializeError::custom("bytes after the end", decoder.position()));
    }
    Ok(value)
}

struct Reader<'a> {
    body: &'a [u8],
    flavour: Flavour,
}

impl Reader<'_> {
    fn item(&self, decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DeserializeError> {
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
            Type::U64 => decode_u64(decoder, self.body)?,
            Type::F16 | Type::F32 | Type::F64 => number(decoder.double()?),
            Type::Bytes | Type::BytesIndef => BASE64_STANDARD.encode(decoder.blob()?).into(),
            Type::String | Type::StringIndef => decoder.string()?.into(),
            Type::Array | Type::ArrayIndef => self.array(decoder, depth)?,
            Type::Map | Type::MapIndef => self.map(decoder, depth)?,
            Type::Tag if self.body.get(at) == Some(&TIMESTAMP_TAG) => self.time(decoder, depth)?,
            Type::Int | Type::Simple | Type::Tag | Type::Break | Type::Unknown(_) => {
                return Err(DeserializeError::custom("no such value in this protocol", at));
            }
        })
    }

    /// The number after a timestamp's tag, in seconds.
    fn time(&self, decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DeserializeError> {
        let at = decoder.position();
        decoder.set_position(at + 1);
        let value = self.item(decoder, depth + 1)?;
        match (self.flavour, value.as_f64()) {
            (Flavour::Amz, Some(millis)) => Ok(number(millis / 1000.0)),
            (Flavour::Rpc, Some(_)) => Ok(value),
            (_, None) if value.is_string() => Ok(value),
            (_, None) => Err(DeserializeError::custom("a timestamp must be a number", at)),
        }
    }

    fn array(&self, decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DeserializeError> {
        let length = decoder.list()?;
        let mut items = Vec::new();
        while more(decoder, length, items.len() as u64)? {
            items.push(self.item(decoder, depth + 1)?);
        }
        Ok(Value::Array(items))
    }

    fn map(&self, decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DeserializeError> {
        let length = decoder.map()?;
        let (mut members, mut read) = (Map::new(), 0);
        while more(decoder, length, read)? {
            let name = decoder.string()?;
            members.insert(name, self.item(decoder, depth + 1)?);
            read += 1;
        }
        Ok(Value::Object(members))
    }
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

/// Writes a value as CBOR. Numbers under the names of timestamp members get tag 1; numbers with a fraction in their
/// JSON form are doubles, others integers.
pub fn encode(value: &Value, flavour: Flavour) -> Vec<u8> {
    let mut writer = Writer { out: Vec::with_capacity(256), flavour };
    writer.item(value, "");
    writer.out
}

/// CBOR's major types.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;

struct Writer {
    out: Vec<u8>,
    flavour: Flavour,
}

impl Writer {
    /// Writes what stands under `name`.
    fn item(&mut self, value: &Value, name: &str) {
        match value {
            Value::Null => self.out.push(0xf6),
            Value::Bool(x) => self.out.push(if *x { 0xf5 } else { 0xf4 }),
            Value::Number(x) if is_timestamp(name) => {
                let seconds = x.as_f64().unwrap_or_default();
                self.out.push(TIMESTAMP_TAG);
                match self.flavour {
                    Flavour::Rpc => self.double(seconds),
                    Flavour::Amz => self.integer((seconds * 1000.0).round() as i64),
                }
            }
            Value::Number(x) => match x.as_i64() {
                Some(integer) => self.integer(integer),
                None => self.double(x.as_f64().unwrap_or_default()),
            },
            Value::String(x) if self.flavour == Flavour::Amz && name == "Data" => match BASE64_STANDARD.decode(x) {
                Ok(bytes) => self.text(BYTES, &bytes),
                Err(_) => self.text(TEXT, x.as_bytes()),
            },
            Value::String(x) => self.text(TEXT, x.as_bytes()),
            Value::Array(items) => {
                self.head(ARRAY, items.len() as u64);
                items.iter().for_each(|item| self.item(item, name));
            }
            Value::Object(members) => {
                self.head(MAP, members.len() as u64);
                for (name, member) in members {
                    self.text(TEXT, name.as_bytes());
                    self.item(member, name);
                }
            }
        }
    }

    /// An item's first bytes: its type, and its number or length in as few bytes as it takes.
    fn head(&mut self, major: u8, number: u64) {
        let first = major << 5;
        match number {
            0..=23 => self.out.push(first | number as u8),
            24..=0xff => self.out.extend([first | 24, number as u8]),
            0x100..=0xffff => {
                self.out.push(first | 25);
                self.out.extend((number as u16).to_be_bytes());
            }
            0x1_0000..=0xffff_ffff => {
                self.out.push(first | 26);
                self.out.extend((number as u32).to_be_bytes());
            }
            _ => {
                self.out.push(first | 27);
                self.out.extend(number.to_be_bytes());
            }
        }
    }

    fn integer(&mut self, number: i64) {
        match u64::try_from(number) {
            Ok(number) => self.head(UNSIGNED, number),
            Err(_) => self.head(NEGATIVE, !number as u64),
        }
    }

    fn double(&mut self, number: f64) {
        self.out.push(0xfb);
        self.out.extend(number.to_be_bytes());
    }

    fn text(&mut self, major: u8, bytes: &[u8]) {
        self.head(major, bytes.len() as u64);
        self.out.extend(bytes);
    }
}

/// The timestamp members of the shapes that CloudWatch and Kinesis answer with.
fn is_timestamp(member: &str) -> bool {
    matches!(
        member,
        "Timestamp"
            | "Timestamps"
            | "StartTime"
            | "EndTime"
            | "LastModified"
            | "StateUpdatedTimestamp"
            | "StateTransitionedTimestamp"
            | "AlarmConfigurationUpdatedTimestamp"
            | "ApproximateArrivalTimestamp"
            | "ConsumerCreationTimestamp"
            | "StreamCreationTimestamp"
    )
}
