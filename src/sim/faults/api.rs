//! Faults of the API itself: what a request meets before its service has it. Clients' requests and those of the
//! applications and services inside the engine meet the same faults; an application takes no answer for a failure.

use super::refusal::{self, Asked};
use super::resource;
use crate::domain::time::Timestamp;
use crate::sim::cloudtrail::Identity;
use crate::sim::error::ApiError;
use crate::sim::lambda::Spread;
use crate::sim::lambda::wire::Route;
use crate::sim::sts;
use crate::sim::waits::Awaited;
use crate::sim::wire::{self, Call, Gate, Request, Service};
use crate::sim::world::World;
use rand::RngExt;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A request that hangs while its fault has no end is looked at again this much later at the latest.
const FOR_EVER: Duration = Duration::from_secs(400 * 86_400);

/// The faults that are on, by the timeline's entries that began them.
#[derive(Default)]
pub struct ApiFaults(BTreeMap<usize, ApiFault>);

/// What goes wrong for whose requests of what.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiFault {
    pub scope: Scope,
    pub effect: Effect,
    /// When it is over, if that is known.
    pub ends: Option<Timestamp>,
}

/// Which requests a fault is for; what says nothing is for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub service: Option<Service>,
    pub operations: Vec<String>,
    /// A queue, stream, topic, function, table, delivery stream, domain or log group, by its name.
    pub resource: Option<String>,
    pub who: Who,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Who {
    #[default]
    All,
    /// Who comes over the wire.
    Clients,
    /// The scenario's applications, and the services that call other services.
    Actors,
    /// An access key id, an application's name, or `lambda/NAME`, `sns/NAME`, `firehose/NAME`.
    Named(String),
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// This share is told that it is too much.
    Throttle { share: f64 },
    /// This share fails with 500 or 503.
    Fail { share: f64, status: u16 },
    /// It is held so long, or to the fault's end.
    Hang { most: Option<Duration> },
    /// It is held for so long.
    Delay { by: Spread },
    /// Its caller may not do this.
    Deny,
    /// Its caller's session has expired.
    Expire,
    /// Its caller's clock is slow by so much.
    Skew { by: Duration },
    /// Its connection breaks.
    Cut,
}

/// Why a call is held, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    until: Timestamp,
    /// The fault with whose end it is let go.
    by: Option<usize>,
}

/// What a client's call meets.
pub enum Met {
    Nothing,
    Delay(Timestamp),
    Refusal(ApiError),
    Cut,
}

impl ApiFaults {
    pub fn begin(&mut self, entry: usize, fault: ApiFault) {
        self.0.insert(entry, fault);
    }

    pub fn end(&mut self, entry: usize) {
        self.0.remove(&entry);
    }

    /// The effects that a request has to fear, in the order in which their faults began.
    fn of(&self, asked: &Asked<'_>, access_key: Option<&str>) -> Vec<(usize, ApiFault)> {
        let speaks = |fault: &ApiFault| fault.scope.holds(asked, access_key);
        self.0.iter().filter(|(_, fault)| speaks(fault)).map(|(entry, fault)| (*entry, fault.clone())).collect()
    }
}

impl Scope {
    fn holds(&self, asked: &Asked<'_>, access_key: Option<&str>) -> bool {
        let is_whose = match &self.who {
            Who::All => true,
            Who::Clients => asked.actor.is_none(),
            Who::Actors => asked.actor.is_some(),
            Who::Named(name) => asked.actor.or(access_key) == Some(name),
        };
        is_whose
            && self.service.is_none_or(|service| service == asked.service)
            && (self.operations.is_empty() || self.operations.iter().any(|operation| operation == asked.operation))
            && self.resource.as_ref().is_none_or(|resource| asked.resources.contains(resource))
    }
}

/// What a client's call meets on its way to its service. A call that was let through meets nothing more.
pub fn meet(world: &mut World, call: &mut Call, (service, operation): (Service, &str), input: &Value) -> Met {
    if call.gate == Gate::Closed {
        return Met::Refusal(refusal::closed());
    }
    if call.gate == Gate::Passed || (world.api_faults.0.is_empty() && call.gate == Gate::Unseen) {
        call.gate = Gate::Passed;
        return Met::Nothing;
    }
    let resources = resource::named_in(service, input);
    pass(world, call, (service, operation), &resources)
}

/// The same for Lambda's API, which says in its paths what a request is about.
pub fn meet_lambda(world: &mut World, call: &mut Call, route: &Route) -> Met {
    if call.gate == Gate::Closed {
        return Met::Refusal(refusal::closed());
    }
    if call.gate == Gate::Passed || (world.api_faults.0.is_empty() && call.gate == Gate::Unseen) {
        call.gate = Gate::Passed;
        return Met::Nothing;
    }
    let resources = resource::named_in_route(world, route, &call.request.body);
    pass(world, call, (Service::Lambda, route.operation), &resources)
}

fn pass(world: &mut World, call: &mut Call, (service, operation): (Service, &str), resources: &[String]) -> Met {
    let asked = Asked { service, operation, resources, actor: None };
    let caller = wire::caller(&call.request);
    let faults = world.api_faults.of(&asked, caller.access_key.as_deref());
    if call.gate == Gate::Unseen
        && let Some(hold) = longest_hold(world, &faults)
    {
        call.gate = Gate::Held(hold);
    }
    if let Gate::Held(hold) = call.gate {
        let is_over = hold.until <= world.now || hold.by.is_some_and(|fault| !world.api_faults.0.contains_key(&fault));
        if !is_over {
            world.waits.wait_for(hold.by.map_or(Awaited::Time, Awaited::Release));
            return Met::Delay(hold.until);
        }
        call.arrived = call.arrived.max(world.now);
    }
    call.gate = Gate::Passed;
    for (_, fault) in faults {
        if !strikes(world, &fault.effect) {
            continue;
        }
        if fault.effect == Effect::Cut {
            call.gate = Gate::Cut;
            return Met::Cut;
        }
        let by = identity(world, &call.request);
        if let Some(error) = refusal::of(world, &fault.effect, &asked, &by.arn) {
            return Met::Refusal(error);
        }
    }
    Met::Nothing
}

fn identity(world: &World, request: &Request) -> Identity {
    sts::identity(world, request)
}

/// How long the call is held, where a fault holds it.
fn longest_hold(world: &mut World, faults: &[(usize, ApiFault)]) -> Option<Hold> {
    let now = world.now;
    let mut longest: Option<Hold> = None;
    for (entry, fault) in faults {
        let hold = match &fault.effect {
            Effect::Hang { most: Some(most) } => Hold { until: now + *most, by: Some(*entry) },
            Effect::Hang { most: None } => Hold { until: fault.ends.unwrap_or(now + FOR_EVER), by: Some(*entry) },
            Effect::Delay { by } => {
                let (_, mut cx) = world.sqs_cx();
                let delay_ms = by.draw_sum_ms(&mut cx, 1);
                Hold { until: now + Duration::from_secs_f64(delay_ms / 1000.0), by: None }
            }
            _ => continue,
        };
        if longest.is_none_or(|longest| hold.until > longest.until) {
            longest = Some(hold);
        }
    }
    longest
}

/// Whether a fault that strikes a share of all requests strikes this one.
fn strikes(world: &mut World, effect: &Effect) -> bool {
    match effect {
        Effect::Throttle { share } | Effect::Fail { share, .. } => {
            *share >= 1.0 || (*share > 0.0 && world.rng().random_bool(*share))
        }
        _ => true,
    }
}

/// Lets a request of an application (or of a service that calls another) through, or says what it is told. A request
/// that hangs or finds nobody is one that failed; added latency is not felt.
pub fn admit(world: &mut World, actor: &str, of: Service, operation: &str, resource: &str) -> Result<(), ApiError> {
    if world.api_faults.0.is_empty() {
        return Ok(());
    }
    let resources = [resource.to_owned()];
    let asked = Asked { service: of, operation, resources: &resources, actor: Some(actor) };
    for (_, fault) in world.api_faults.of(&asked, None) {
        if matches!(fault.effect, Effect::Delay { .. }) || !strikes(world, &fault.effect) {
            continue;
        }
        let role = actor.rsplit('/').next().unwrap_or(actor);
        let by = Identity::session(&world.place, role, role, "");
        return Err(refusal::of(world, &fault.effect, &asked, &by.arn).unwrap_or_else(refusal::no_answer));
    }
    Ok(())
}
