//! What the services that were first written for the query protocol owe its clients when they answer in JSON or CBOR.

use super::{Request, Service};
use crate::sim::error::ApiError;

/// The status of an error in the JSON and CBOR protocols. CloudWatch's are 400 (or a server's), whatever they are in the
/// query protocol, unless the client asks for that protocol's.
pub fn error_status(service: Service, error: &ApiError, request: &Request) -> u16 {
    let is_query_mode = request.header("x-amzn-query-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("true"));
    match service {
        Service::CloudWatch if error.is_sender_fault() && !is_query_mode => 400,
        _ => error.status,
    }
}

/// `code;Sender` or `code;Receiver`, for the services that were first written for the query protocol.
pub fn query_error_header(service: Service, error: &ApiError) -> Option<(String, String)> {
    if error.query_code.is_none() && !service.is_query_compatible() {
        return None;
    }
    let fault = if error.is_sender_fault() { "Sender" } else { "Receiver" };
    let code = error.query_code.unwrap_or(error.code);
    Some(("x-amzn-query-error".into(), format!("{code};{fault}")))
}
