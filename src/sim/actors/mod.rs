//! Actors: the applications around the services. Each acts when the agenda says so, and says when it acts next.

pub mod activity_worker;
pub mod decider;
pub mod fleet;
pub mod hosts;
pub mod producer;
pub mod starter;
pub mod worker;

use crate::domain::time::Timestamp;
use crate::sim::agenda::Due;
use crate::sim::error::ApiError;
use crate::sim::faults::api;
use crate::sim::wire::Service;
use crate::sim::world::World;

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
