//! Actors: the applications around the services. Each acts when the agenda says so, and says when it acts next.

pub mod activity_worker;
pub mod caller;
pub mod decider;
pub mod fleet;
pub mod hosts;
pub mod producer;
pub mod starter;
pub mod trigger;
pub mod worker;

use crate::domain::time::Timestamp;
use crate::sim::agenda::Due;
use crate::sim::error::ApiError;
use crate::sim::faults::api;
use crate::sim::wire::Service;
use crate::sim::world::World;
use serde_json::{Value, json};

/// One application of the scenario.
pub struct Actor {
    pub name: String,
    pub role: Role,
}

/// What kind of application it is.
pub enum Role {
    Producer(producer::Producer),
    Worker(worker::Worker),
    Fleet(fleet::Fleet),
    Decider(decider::Decider),
    ActivityWorker(activity_worker::ActivityWorker),
    Starter(starter::Starter),
    Caller(caller::Caller),
    Trigger(trigger::Trigger),
}

impl Role {
    /// Whether it makes work for others, and does none.
    pub fn is_source(&self) -> bool {
        matches!(self, Self::Producer(_) | Self::Starter(_) | Self::Caller(_) | Self::Trigger(_))
    }

    /// What became of what it made or did, under the names that its counts have.
    pub fn tally(&self) -> Value {
        match self {
            Self::Producer(producer) => {
                let counts = producer.counts;
                json!({ "made": counts.made, "stored": counts.stored, "repeated": counts.repeated, "lost": counts.lost })
            }
            Self::Fleet(fleet) => {
                let counts = fleet.counts;
                json!({
                    "processed": counts.processed, "duplicates": counts.duplicates, "missed": counts.missed,
                    "lost_leases": counts.lost_leases,
                })
            }
            Self::Caller(caller) => {
                let counts = caller.counts;
                json!({
                    "made": counts.made, "answered": counts.answered, "given_up": counts.given_up,
                    "tries": counts.tries, "timeouts": counts.timeouts, "throttles": counts.throttles,
                    "errors": counts.errors,
                })
            }
            Self::Trigger(trigger) => {
                let counts = trigger.counts;
                json!({ "made": counts.made, "taken": counts.taken, "refused": counts.refused })
            }
            Self::Starter(starter) => json!({ "refused": starter.refused }),
            Self::Worker(worker) => json!({ "done": worker.done }),
            Self::Decider(_) | Self::ActivityWorker(_) => Value::Null,
        }
    }
}

/// Adds an actor and schedules its first step.
pub fn hire(world: &mut World, name: &str, role: Role) {
    world.actors.push(Some(Actor { name: name.to_owned(), role }));
    let index = world.actors.len() - 1;
    world.agenda.schedule(world.now, Due::Actor(index));
}

/// The actor's next step. It is taken out of the world while it acts, so that it may use all of it.
pub fn act(world: &mut World, index: usize) {
    let Some(mut actor) = world.actors.get_mut(index).and_then(Option::take) else { return };
    let next_at = match &mut actor.role {
        Role::Producer(producer) => producer.act(world, &actor.name),
        Role::Worker(worker) => worker.act(world, &actor.name),
        Role::Fleet(fleet) => fleet.act(world),
        Role::Decider(decider) => decider.act(world),
        Role::ActivityWorker(worker) => worker.act(world),
        Role::Starter(starter) => starter.act(world, &actor.name),
        Role::Caller(caller) => caller.act(world, &actor.name),
        Role::Trigger(trigger) => trigger.act(world, &actor.name),
    };
    world.actors[index] = Some(actor);
    world.agenda.schedule(next_at.max(world.now + MIN_STEP), Due::Actor(index));
}

/// No actor acts more often than this: time always moves on.
const MIN_STEP: std::time::Duration = std::time::Duration::from_millis(1);

/// The actor of this name.
pub fn named<'a>(world: &'a mut World, name: &str) -> Option<&'a mut Actor> {
    world.actors.iter_mut().flatten().find(|actor| actor.name == name)
}

/// Whether SWF has this request of an application: no fault of the API keeps it, and it is not one too many.
fn admit_swf(world: &mut World, actor: &str, operation: &'static str, domain: &str) -> Result<(), ApiError> {
    api::admit(world, actor, Service::Swf, operation, domain)?;
    let (swf, cx) = world.swf_cx();
    swf.admit(&cx, operation)
}

/// The earlier of two times, when there are any.
fn earliest(times: impl IntoIterator<Item = Timestamp>) -> Option<Timestamp> {
    times.into_iter().min()
}
