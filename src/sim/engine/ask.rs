//! Asks a world: brings it to the time of the question first, and takes its panics for an answer.

use super::{Streaming, WAIT_STEP};
use crate::domain::time::Timestamp;
use crate::sim::wire::{self, Call, Reply, Response};
use crate::sim::world::World;
use bytes::Bytes;

/// Sends what an event stream says up to `now`; when to ask it again, or `None` at its end.
pub(super) fn speak(world: &mut World, now: Timestamp, streaming: &Streaming) -> Option<Timestamp> {
    while let Ok(permit) = streaming.body.try_reserve() {
        let ask = std::panic::AssertUnwindSafe(|| {
            world.advance_to(now);
            wire::events(world, &streaming.call)
        });
        let (bytes, until) = std::panic::catch_unwind(ask).unwrap_or_default();
        if !bytes.is_empty() {
            permit.send(bytes);
        }
        let until = until?;
        if until > now {
            return Some(until);
        }
    }
    Some(now + WAIT_STEP)
}

/// Brings the world to `now` and asks it. Should a service of one account panic, that is the answer to that request, and
/// the engine goes on for all others.
pub(super) fn answer(world: &mut World, now: Timestamp, call: &mut Call) -> Reply<Response> {
    let ask = std::panic::AssertUnwindSafe(|| {
        world.advance_to(now);
        wire::handle(world, call)
    });
    std::panic::catch_unwind(ask).unwrap_or_else(|_| {
        let body = r#"{"__type":"InternalFailure","message":"The engine failed at this request: please report it."}"#;
        Reply::Done(Response { status: 500, headers: Vec::new(), body: Bytes::from_static(body.as_bytes()) })
    })
}
