//! What alarms cause: they are looked at when it is time, and their actions are carried to topics and functions. Only
//! this file takes things from CloudWatch to other services.

use crate::sim::agenda::Due;
use crate::sim::cloudwatch::{AlarmAction, next_tick};
use crate::sim::fanout;
use crate::sim::lambda::Lineage;
use crate::sim::payload::Payload;
use crate::sim::sns::Publication;
use crate::sim::world::World;
use bytes::Bytes;

/// The alarms that are due are evaluated, and what follows from it is carried out.
pub fn tick(world: &mut World) {
    let World { cloudwatch, metrics, place, now, .. } = world;
    cloudwatch.alarms.is_ticking = false;
    cloudwatch.alarms.tick(*now, place, metrics);
    keep_ticking(world);
    carry_out(world);
}

/// While there are alarms, they are looked at again and again.
pub fn keep_ticking(world: &mut World) {
    let alarms = &mut world.cloudwatch.alarms;
    if !alarms.is_ticking && !alarms.is_empty() {
        alarms.is_ticking = true;
        world.agenda.schedule(next_tick(world.now, alarms.tick_s()), Due::Alarms);
    }
}

/// Carries actions to whom they are for and notes in the alarms' history how that went.
pub fn carry_out(world: &mut World) {
    while let Some(action) = world.cloudwatch.alarms.outbox.pop_front() {
        let outcome = deliver(world, &action);
        world.cloudwatch.alarms.note_action(world.now, &action, outcome);
    }
}

fn deliver(world: &mut World, action: &AlarmAction) -> Result<(), String> {
    match action.target.split(':').nth(2) {
        Some("lambda") => {
            let (lambda, mut cx) = world.lambda_cx();
            let body = Bytes::from(action.event.to_string());
            let accepted = lambda.accept_event_at(&mut cx, &action.target, body, Lineage::default());
            accepted.map(|_| ()).ok_or_else(|| format!("Function not found: {}", action.target))
        }
        Some("sns") => {
            let message = Payload::Sent(Bytes::from(action.message.clone()));
            let publication = Publication { subject: Some(action.subject.clone()), ..Publication::of(message) };
            let is_told = fanout::publish_to(world, &action.target, publication);
            is_told.then_some(()).ok_or_else(|| format!("Topic does not exist: {}", action.target))
        }
        // The engine has nobody else's service: what would be told is kept in the history.
        _ => Ok(()),
    }
}
