//! The road between Lambda and its sources: pollers of event source mappings, and what an invocation's end causes.
//! Only this file carries things from one service to another on Lambda's behalf.

use crate::sim::lambda::{Due, MappingDue, Source};
use crate::sim::world::World;

/// Something inside Lambda falls due.
pub fn lambda_due(world: &mut World, due: Due) {
    let (lambda, mut cx) = world.lambda_cx();
    let dead_letter = match due {
        Due::InvocationEnds { invocation } => match lambda.end(&mut cx, invocation) {
            Some(ended) => match ended.source {
                Source::Event { event } => lambda.event_ended(&mut cx, event, &ended),
                Source::Caller { .. } | Source::Mapping { .. } => None,
            },
            None => None,
        },
        Due::AsyncEvent { event } => lambda.try_event(&mut cx, event),
        Due::Gauges => {
            lambda.minute_ends(&mut cx);
            None
        }
    };
    if let Some(dead_letter) = dead_letter {
        lambda.dead_letter_failed(&mut cx, dead_letter.function);
    }
}

/// A mapping's poller polls its source.
pub fn mapping_due(_world: &mut World, _due: MappingDue) {}
