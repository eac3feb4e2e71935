//! restJson, which Lambda speaks: the operation in method and path.

use crate::sim::wire::{self, Call, Reply, Response};
use crate::sim::world::World;
use bytes::Bytes;

/// Answers a request of Lambda's API.
pub fn handle(world: &mut World, _call: &mut Call) -> Reply<Response> {
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-amzn-requestid".to_owned(), wire::request_id(world)),
        ("x-amzn-errortype".to_owned(), "UnknownOperationException".to_owned()),
    ];
    Reply::Done(Response { status: 404, headers, body: Bytes::from_static(b"{}") })
}
