//! An AWS error answer: code, status, message, whose fault, and the legacy code of query-compatible services.

use serde_json::Value;
use std::fmt;

/// What a service says instead of an answer. The wire layer turns it into the protocol's own form.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// The error's shape name, such as `ResourceNotFoundException`.
    pub code: &'static str,
    /// The HTTP status that AWS sends with it.
    pub status: u16,
    pub message: String,
    /// The older code of a query-compatible service (SQS, CloudWatch), sent in `x-amzn-query-error`; the AWS SDKs
    /// match on this one. `None` where it equals `code`.
    pub query_code: Option<&'static str>,
    /// Further members of the error's body, such as Lambda's `Reason`.
    pub members: Vec<(&'static str, Value)>,
    /// Further headers, such as `Retry-After`.
    pub headers: Vec<(&'static str, String)>,
}

impl ApiError {
    /// A client's mistake: status 400.
    pub fn client(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, status: 400, message: message.into(), query_code: None, members: vec![], headers: vec![] }
    }

    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub fn with_query_code(mut self, code: &'static str) -> Self {
        self.query_code = Some(code);
        self
    }

    pub fn with_member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// True when the caller is at fault (a 4xx status).
    pub fn is_sender_fault(&self) -> bool {
        self.status < 500
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
