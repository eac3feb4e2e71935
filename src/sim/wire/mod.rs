//! The wire: AWS's protocols in, typed service calls, AWS's protocols out. Knows HTTP's words, opens no socket.

pub mod cbor;
pub mod json;
pub mod query;
pub mod rest;

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use bytes::Bytes;
use serde_json::Value;

/// An HTTP request as the engine sees it. Header names are lower case.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path as sent, still percent-encoded, without the query.
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// An HTTP answer of the engine.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// A request on its way through the engine. A call that has to wait (a long poll, a synchronous invocation) is
/// asked again later with the ticket that it left itself.
pub struct Call {
    pub request: Request,
    pub arrived: Timestamp,
    pub ticket: Option<u64>,
}

/// What a call says each time it is asked: an answer, or "ask again, at the latest then".
#[derive(Clone, Debug, PartialEq)]
pub enum Reply<T> {
    Done(T),
    Later(Timestamp),
}

/// A service operation's outcome before a protocol gives it form. In the value, timestamps are numbers: seconds
/// since the Unix epoch, as in AWS's JSON protocols; blobs are base64 text.
pub type Answer = Result<Reply<Value>, ApiError>;
