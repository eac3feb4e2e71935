//! Which requests a fault of the API may be aimed at: services, their operations and resources, and callers that are
//! there. What a client will make later may be named, but then with the operations that are to meet the fault.

use super::fault::{Fault, permission};
use super::file::Scenario;
use crate::failure::nearest;
use crate::sim::faults::operations;
use crate::sim::wire::Service;
use crate::sim::world::World;

/// What is wrong with a member; of a list, with its `nth` value (from 0).
pub struct Wrong {
    pub member: &'static str,
    pub nth: Option<usize>,
    pub message: String,
}

fn wrong_in(member: &'static str, message: String) -> Wrong {
    Wrong { member, nth: None, message }
}

/// Everything that is wrong with whom and what the fault is aimed at.
pub fn wrong(scenario: &Scenario, world: Option<&World>, fault: &Fault) -> Vec<Wrong> {
    let mut found = Vec::new();
    if fault.kind.is_of_api() {
        found.extend(wrong_target(scenario, world, fault));
        found.extend(wrong_operations(fault));
        found.extend(wrong_caller(scenario, world, fault));
    } else {
        let unused = [("operations", !fault.operations.is_empty()), ("who", fault.who.is_some())];
        found.extend(unused.into_iter().filter(|(_, is_there)| *is_there).map(|(member, _)| {
            wrong_in(member, format!("{member} is of the faults of the API alone, such as api-error: leave it out"))
        }));
    }
    found.extend(fault.action.as_deref().and_then(wrong_action));
    found
}

fn wrong_action(action: &str) -> Option<Wrong> {
    let shape = "action must be a service and an operation, as sqs:ReceiveMessage";
    let Some((service, operation)) = permission(action) else { return Some(wrong_in("action", shape.to_owned())) };
    let known = operations::of(service);
    if known.contains(&operation) {
        return None;
    }
    let (name, _) = action.split_once(':').unwrap_or_default();
    let meant = nearest(operation, known.iter().copied()).map(|meant| format!(": did you mean `{name}:{meant}`?"));
    Some(wrong_in("action", format!("{shape}; there is no `{action}`{}", meant.unwrap_or_default())))
}

fn wrong_target(scenario: &Scenario, world: Option<&World>, fault: &Fault) -> Option<Wrong> {
    let target = fault.target.as_str();
    if target == "all" {
        return None;
    }
    let (name, resource) = target.split_once('/').map_or((target, None), |(name, rest)| (name, Some(rest)));
    let Some(service) = Service::named(name) else {
        let names = || std::iter::once("all").chain(Service::ALL.iter().map(|(name, _)| *name));
        let meant = match nearest(name, names()) {
            Some(meant) => format!("did you mean `{}`?", target.replacen(name, meant, 1)),
            None => format!("the services are {}", names().skip(1).collect::<Vec<_>>().join(", ")),
        };
        let message = format!("target must be all, a service or its resource, such as sqs/NAME: {meant}");
        return Some(wrong_in("target", message));
    };
    let resource = resource?;
    let about_nothing = match service {
        Service::CloudTrail => Some("CloudTrail"),
        Service::Iam => Some("IAM"),
        Service::Tagging => Some("the Tagging API"),
        _ => None,
    };
    if let Some(what) = about_nothing {
        let message = format!("target: requests to {what} are about no resource: write `{name}`");
        return Some(wrong_in("target", message));
    }
    // Roles are nobody's here, and requests that make something may be named before it is there.
    let may_come = service == Service::Sts || !fault.operations.is_empty();
    if may_come && !resource.is_empty() {
        return None;
    }
    let known = scenario.targets(world);
    if known.iter().any(|known| known == target) {
        return None;
    }
    let prefix = format!("{name}/");
    let of_service = known.iter().map(String::as_str).filter(|known| known.starts_with(&prefix));
    let meant = nearest(target, of_service).map(|meant| format!("did you mean `{meant}`? "));
    Some(wrong_in(
        "target",
        format!(
            "target `{target}` is not here: {}Name the operations too if somebody makes it later, or write `{name}` for \
             all of its requests",
            meant.unwrap_or_default()
        ),
    ))
}

fn wrong_operations(fault: &Fault) -> Vec<Wrong> {
    let service = fault.target.split('/').next().and_then(Service::named);
    let name = fault.target.split('/').next().unwrap_or_default();
    let mut found = Vec::new();
    if service.is_none() && fault.target != "all" {
        return found;
    }
    let known: Vec<&str> = match service {
        Some(service) => operations::of(service).to_vec(),
        None => Service::ALL.iter().flat_map(|(_, service)| operations::of(*service)).copied().collect(),
    };
    for (nth, operation) in fault.operations.iter().enumerate() {
        if known.contains(&operation.as_str()) {
            continue;
        }
        let bare = operation.split_once(':').map_or(operation.as_str(), |(_, bare)| bare);
        let cure = if let Some(meant) = nearest(bare, known.iter().copied()) {
            format!("did you mean `{meant}`?")
        } else if let Some(other) = operations::service_of(operation, service) {
            format!("it is of `{other}`")
        } else {
            "write AWS's name of one that midwatch serves, such as ReceiveMessage of sqs".to_owned()
        };
        let whose = if service.is_some() { format!("`{name}` has") } else { "any service has".to_owned() };
        let message = format!("operations: there is no `{operation}` that {whose} here: {cure}");
        found.push(Wrong { member: "operations", nth: Some(nth), message });
    }
    found
}

fn wrong_caller(scenario: &Scenario, world: Option<&World>, fault: &Fault) -> Option<Wrong> {
    let who = fault.who.as_deref()?;
    let is_word = matches!(who, "all" | "clients" | "actors");
    if is_word || is_access_key(who) || who.strip_prefix("key/").is_some_and(|key| !key.is_empty()) {
        return None;
    }
    let callers = scenario.callers_named(world);
    if callers.iter().any(|caller| caller == who) {
        return None;
    }
    let words = ["all", "clients", "actors"];
    let meant = nearest(who, words.into_iter().chain(callers.iter().map(String::as_str)));
    let meant = meant.map(|meant| format!("did you mean `{meant}`? "));
    Some(wrong_in(
        "who",
        format!(
            "who: nobody here is called `{who}`: {}It may be all, clients, actors, the name of an application, \
             lambda/NAME, sns/NAME, firehose/NAME, or an access key id, as key/{who}",
            meant.unwrap_or_default()
        ),
    ))
}

/// AWS's own access key ids (IAM, `accessKeyIdType`), and the twelve digits that name an account here.
fn is_access_key(who: &str) -> bool {
    let is_own = who.len() >= 16 && who.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_own || (who.starts_with("AKIA") && who.len() > 4) || (who.len() == 12 && who.bytes().all(|b| b.is_ascii_digit()))
}

impl Scenario {
    /// Everything that a fault can be aimed at by its name, here and in the world.
    pub(super) fn targets(&self, world: Option<&World>) -> Vec<String> {
        let of = |service: &str, name: &str| format!("{service}/{name}");
        let mut found = self.callers_named(world);
        found.extend(self.queues.iter().map(|queue| of("sqs", &queue.name)));
        found.extend(self.streams.iter().map(|stream| of("kinesis", &stream.name)));
        found.extend(self.domains.iter().map(|domain| of("swf", &domain.name)));
        found.extend(self.alarms.iter().map(|alarm| of("cloudwatch", &alarm.name)));
        found.extend(self.fleets.iter().map(|fleet| of("dynamodb", &fleet.name)));
        found.extend(self.functions.iter().map(|function| format!("logs//aws/lambda/{}", function.name)));
        found.extend(self.endpoints.iter().map(|endpoint| endpoint.name.clone()));
        found.extend(self.subscriptions.iter().map(|one| format!("{}/{}", one.topic, one.to)));
        let Some(world) = world else { return found };
        found.extend(world.sqs.names().map(|name| of("sqs", name)));
        found.extend(world.kinesis.names().map(|name| of("kinesis", name)));
        found.extend(world.swf.domains().map(|domain| of("swf", &domain.registration.name)));
        found.extend(world.dynamodb.names().map(|name| of("dynamodb", name)));
        found.extend(world.cloudwatch.alarms.all().map(|alarm| of("cloudwatch", &alarm.name)));
        found.extend(world.logs.groups().map(|(name, _)| of("logs", name)));
        found.extend(world.endpoints.names().map(str::to_owned));
        found
    }

    /// Who calls services here: applications by their names, services by what they do it for.
    fn callers_named(&self, world: Option<&World>) -> Vec<String> {
        let mut found: Vec<String> = self.functions.iter().map(|one| format!("lambda/{}", one.name)).collect();
        found.extend(self.topics.iter().map(|one| format!("sns/{}", one.name)));
        found.extend(self.delivery_streams.iter().map(|one| format!("firehose/{}", one.name)));
        found.extend(self.producers.iter().map(|one| one.name.clone()));
        found.extend(self.workers.iter().map(|one| one.name.clone()));
        found.extend(self.fleets.iter().map(|one| one.name.clone()));
        found.extend(self.deciders.iter().map(|one| one.name.clone()));
        found.extend(self.activity_workers.iter().map(|one| one.name.clone()));
        found.extend(self.starters.iter().map(|one| one.name.clone()));
        found.extend(self.callers.iter().map(|one| one.name.clone()));
        found.extend(self.schedules.iter().map(|one| one.name.clone()));
        found.extend(self.buckets.iter().map(|one| one.name.clone()));
        let Some(world) = world else { return found };
        found.extend(world.lambda.functions().map(|function| format!("lambda/{}", function.name)));
        found.extend(world.sns.names().map(|name| format!("sns/{name}")));
        found.extend(world.firehose.names().map(|name| format!("firehose/{name}")));
        found.extend(world.actors.iter().flatten().map(|actor| actor.name.clone()));
        found
    }
}
