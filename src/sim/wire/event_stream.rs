//! Event streams (`application/vnd.amazon.eventstream`): AWS's binary framing of messages in an answer's body.

use crate::sim::error::ApiError;
use crate::sim::wire::cbor::{self, Flavour};
use crate::sim::wire::{Request, Response};
use bytes::{BufMut, Bytes};
use flate2::Crc;
use serde_json::Value;

pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

const CBOR: &str = "application/x-amz-cbor-1.1";

/// Total length, length of the headers, and the checksum of both.
const PRELUDE_BYTES: usize = 12;
/// The type of a header whose value is text.
const TEXT: u8 = 7;

/// One message of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    kind: Kind,
    /// The shape's name, such as `SubscribeToShardEvent`. An answer's own members travel first, as `initial-response`.
    pub name: &'static str,
    pub payload: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Event,
    Exception,
}

impl Message {
    pub fn event(name: &'static str, payload: Value) -> Self {
        Self { kind: Kind::Event, name, payload }
    }

    /// An error that ends the stream. Its shape must be a member of the stream's union.
    pub fn exception(error: &ApiError) -> Self {
        let payload = serde_json::json!({ "message": error.message });
        Self { kind: Kind::Exception, name: error.code, payload }
    }

    /// The message's bytes in the form that the request wears: CBOR 1.1 for one in CBOR, else JSON of that version.
    fn frame(&self, request: &Request, json_version: &str) -> Vec<u8> {
        let is_cbor = request.header("content-type").is_some_and(|kind| kind.starts_with(CBOR));
        let (content_type, payload) = if is_cbor {
            (CBOR.to_owned(), cbor::encode(&self.payload, Flavour::Amz))
        } else {
            (format!("application/x-amz-json-{json_version}"), self.payload.to_string().into_bytes())
        };
        let (header, kind) = match self.kind {
            Kind::Event => (":event-type", "event"),
            Kind::Exception => (":exception-type", "exception"),
        };
        message(&[(header, self.name), (":content-type", &content_type), (":message-type", kind)], &payload)
    }
}

/// The answer that begins a stream; its own members, `value`, are the first event.
pub fn head(request: &Request, json_version: &str, request_id: String, value: Value) -> Response {
    let headers =
        vec![("content-type".to_owned(), CONTENT_TYPE.to_owned()), ("x-amzn-requestid".to_owned(), request_id)];
    let body = frames(request, json_version, &[Message::event("initial-response", value)]);
    Response { status: 200, headers, body }
}

/// The bytes of messages.
pub fn frames(request: &Request, json_version: &str, messages: &[Message]) -> Bytes {
    messages.iter().flat_map(|message| message.frame(request, json_version)).collect()
}

/// One event whose payload is bytes of its own type.
pub fn event(name: &str, content_type: &str, payload: &[u8]) -> Vec<u8> {
    message(&[(":event-type", name), (":content-type", content_type), (":message-type", "event")], payload)
}

fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let headers_bytes: usize = headers.iter().map(|(name, value)| 1 + name.len() + 1 + 2 + value.len()).sum();
    let total = PRELUDE_BYTES + headers_bytes + payload.len() + size_of::<u32>();
    let mut out = Vec::with_capacity(total);
    out.put_u32(total as u32);
    out.put_u32(headers_bytes as u32);
    out.put_u32(crc32(&out));
    for (name, value) in headers {
        out.put_u8(name.len() as u8);
        out.put_slice(name.as_bytes());
        out.put_u8(TEXT);
        out.put_u16(value.len() as u16);
        out.put_slice(value.as_bytes());
    }
    out.put_slice(payload);
    out.put_u32(crc32(&out));
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frame that the SDK's documentation of the format shows for an empty message: 16 bytes, two checksums.
    #[test]
    fn an_empty_message_has_its_published_bytes() {
        let bytes = message(&[], b"");
        assert_eq!(bytes[..], [0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff]);
    }

    fn request(content_type: &str) -> Request {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Request { method: "POST".into(), path: "/".into(), query: String::new(), headers, body: Bytes::new() }
    }

    #[test]
    fn lengths_and_headers_are_where_clients_look_for_them() {
        let tick = Message::event("Tick", serde_json::json!({ "n": 1 }));
        let bytes = tick.frame(&request("application/x-amz-json-1.1"), "1.1");
        let total = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        let headers = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
        assert_eq!(total, bytes.len());
        assert_eq!(&bytes[12..12 + 12], b"\x0b:event-type");
        assert_eq!(&bytes[12 + headers..total - 4], br#"{"n":1}"#);
    }

    #[test]
    fn who_asks_in_cbor_is_told_in_cbor() {
        let tick = Message::event("Tick", serde_json::json!({ "n": 1 }));
        let bytes = tick.frame(&request(CBOR), "1.1");
        let headers = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
        let payload = cbor::decode(&bytes[12 + headers..bytes.len() - 4], Flavour::Amz).unwrap();
        assert_eq!(payload, tick.payload);
        assert!(String::from_utf8_lossy(&bytes).contains(CBOR));
    }
}
