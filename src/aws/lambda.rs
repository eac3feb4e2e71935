//! Polls of Lambda: the list of functions, their event source mappings, and their concurrency.

use crate::aws::clients::Clients;
use crate::aws::draft::{Draft, blank};
use crate::aws::errors::{Trouble, trouble};
use crate::aws::operations::{GET_ACCOUNT_SETTINGS, GET_FUNCTION, LIST_EVENT_SOURCE_MAPPINGS, LIST_FUNCTIONS};
use crate::aws::pace::Lane;
use crate::aws::{arn_name, arn_service};
use crate::domain::field::{Field, Fields};
use crate::domain::poll::Target;
use crate::domain::row::{KindId, Link, Part, Relation, ResourceId};
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, NoData, Origin, Value};
use crate::kinds::lambda;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{EventSourceMappingConfiguration, FunctionConfiguration};
use futures::StreamExt;
use qualified::Qualified;

mod qualified;

/// Functions that are asked at once.
const CONCURRENCY: usize = 4;
/// Bounds on paging: 50 functions a page, 100 mappings a page.
const PAGES_MAX: usize = 400;

const FUNCTION_FIELDS: [&Field; 10] = [
    &lambda::RESERVED_CONCURRENCY,
    &lambda::TIMEOUT_S,
    &lambda::MEMORY_MB,
    &lambda::RUNTIME,
    &lambda::ARCHITECTURE,
    &lambda::LAST_MODIFIED,
    &lambda::LOG_GROUP,
    &lambda::ROLE,
    &lambda::CODE_SHA256,
    &lambda::ARN,
];

/// Every function with its configuration, its mappings, and what feeds it.
pub async fn inventory(clients: &Clients, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let (functions, complete) = functions(clients, &mut draft).await;
    let mappings = match mappings(clients, None).await {
        Ok(mappings) => Some(mappings),
        Err(trouble) => {
            draft.whole(&LIST_EVENT_SOURCE_MAPPINGS, trouble);
            None
        }
    };
    let unreserved = unreserved_concurrency(clients, &mut draft, now).await;
    let mut ids = Vec::new();
    for function in functions {
        let Some(name) = function.function_name.clone() else { continue };
        let id = ResourceId::new(KindId::Lambda, name);
        let mut update = blank(&id, now);
        set_configuration(&mut update.fields, &function, now);
        if let Some(unreserved) = &unreserved {
            update.fields.set(&lambda::UNRESERVED_CONCURRENCY, unreserved.clone());
        }
        if let Some(mappings) = &mappings {
            let own: Vec<&EventSourceMappingConfiguration> =
                mappings.iter().filter(|mapping| feeds(mapping, &id.name)).collect();
            (update.parts, update.links) = parts_and_links(&own, now);
        }
        draft.update(update);
        ids.push(id);
    }
    if complete {
        draft.inventory(KindId::Lambda, ids);
    }
    draft
}

async fn functions(clients: &Clients, draft: &mut Draft) -> (Vec<FunctionConfiguration>, bool) {
    let mut functions = Vec::new();
    let mut marker = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&LIST_FUNCTIONS).await;
        match clients.lambda.list_functions().set_marker(marker).send().await {
            Ok(page) => {
                functions.extend(page.functions.unwrap_or_default());
                marker = page.next_marker.filter(|marker| !marker.is_empty());
            }
            Err(error) => {
                draft.whole(&LIST_FUNCTIONS, trouble(&error, &LIST_FUNCTIONS, clients.place()));
                return (functions, false);
            }
        }
        if marker.is_none() {
            return (functions, true);
        }
    }
    (functions, false)
}

/// What the functions without a reservation share; `None` where the last one known stands.
async fn unreserved_concurrency(clients: &Clients, draft: &mut Draft, now: Timestamp) -> Option<Value> {
    clients.turn(&GET_ACCOUNT_SETTINGS).await;
    match clients.lambda.get_account_settings().send().await {
        Ok(settings) => {
            let unreserved = settings.account_limit.and_then(|limit| limit.unreserved_concurrent_executions);
            unreserved.map(|unreserved| Value::number(f64::from(unreserved), now, Origin::Api))
        }
        Err(error) => {
            let trouble = trouble(&error, &GET_ACCOUNT_SETTINGS, clients.place());
            let missing = trouble.no_data.map(|why| Value::missing(why, now, Origin::Api));
            draft.whole(&GET_ACCOUNT_SETTINGS, trouble);
            missing
        }
    }
}

/// The mappings of one function, or of all.
async fn mappings(clients: &Clients, function: Option<&str>) -> Result<Vec<EventSourceMappingConfiguration>, Trouble> {
    let mut mappings = Vec::new();
    let mut marker = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&LIST_EVENT_SOURCE_MAPPINGS).await;
        let request = clients.lambda.list_event_source_mappings().set_marker(marker);
        match request.set_function_name(function.map(str::to_owned)).send().await {
            Ok(page) => {
                mappings.extend(page.event_source_mappings.unwrap_or_default());
                marker = page.next_marker.filter(|marker| !marker.is_empty());
            }
            Err(error) => return Err(trouble(&error, &LIST_EVENT_SOURCE_MAPPINGS, clients.place())),
        }
        if marker.is_none() {
            break;
        }
    }
    Ok(mappings)
}

/// Configuration, reserved concurrency and mappings of these functions.
pub async fn direct(clients: &Clients, targets: &[Target], now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let answers = futures::stream::iter(targets.to_vec())
        .map(|target| async move {
            let seen = look_at(clients, &target.id.name, target.is_near).await;
            (target, seen)
        })
        .buffered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await;
    for (target, seen) in answers {
        let mut update = blank(&target.id, now);
        match seen.function {
            Ok(answer) => {
                if let Some(function) = &answer.configuration {
                    set_configuration(&mut update.fields, function, now);
                }
                let reserved = answer.concurrency.and_then(|concurrency| concurrency.reserved_concurrent_executions);
                let value = match reserved {
                    Some(reserved) => Value::number(f64::from(reserved), now, Origin::Api),
                    None => Value::missing(NoData::NotApplicable, now, Origin::Api),
                };
                update.fields.set(&lambda::RESERVED_CONCURRENCY, value);
            }
            Err(trouble) => draft.resource(&GET_FUNCTION, trouble, &mut update, &FUNCTION_FIELDS),
        }
        match seen.mappings {
            Some(Ok(mappings)) => {
                (update.parts, update.links) = parts_and_links(&mappings.iter().collect::<Vec<_>>(), now);
            }
            None => {}
            Some(Err(trouble)) => draft.resource(&LIST_EVENT_SOURCE_MAPPINGS, trouble, &mut update, &[]),
        }
        if let Some(qualified) = seen.qualified {
            qualified.tell(&mut draft, &mut update);
        }
        draft.update(update);
    }
    draft
}

/// What one function answered; `None` where it was not asked.
struct Seen {
    function: Result<GetFunctionOutput, Trouble>,
    mappings: Option<Result<Vec<EventSourceMappingConfiguration>, Trouble>>,
    qualified: Option<Qualified>,
}

/// GetFunction has a rate of its own (100 a second) and brings the reserved concurrency; the calls that would bring as
/// much share Lambda's 15 a second with deployments. A sweep leaves the mappings to the inventory.
async fn look_at(clients: &Clients, name: &str, is_near: bool) -> Seen {
    clients.turn(&GET_FUNCTION).await;
    let function = clients.lambda.get_function().function_name(name).send().await;
    let function = function.map_err(|error| trouble(&error, &GET_FUNCTION, clients.place()));
    let mappings = match clients.lane() {
        Lane::Near => Some(mappings(clients, Some(name)).await),
        Lane::Wide => None,
    };
    let qualified = if is_near { Some(qualified::ask(clients, name).await) } else { None };
    Seen { function, mappings, qualified }
}

fn set_configuration(fields: &mut Fields, function: &FunctionConfiguration, now: Timestamp) {
    let missing = |why| Value::missing(why, now, Origin::Api);
    let number = |number: Option<i32>| {
        number.map_or(missing(NoData::Failed), |number| Value::number(f64::from(number), now, Origin::Api))
    };
    let text = |text: Option<&str>| text.map_or(missing(NoData::NotApplicable), |text| Value::text(text, now));
    fields.set(&lambda::TIMEOUT_S, number(function.timeout));
    fields.set(&lambda::MEMORY_MB, number(function.memory_size));
    // A function from a container image has no runtime.
    fields.set(&lambda::RUNTIME, text(function.runtime.as_ref().map(|runtime| runtime.as_str())));
    // Lambda names one architecture; a list without any is from before there were two.
    let architecture = function.architectures().first().map_or("x86_64", |architecture| architecture.as_str());
    fields.set(&lambda::ARCHITECTURE, Value::text(architecture, now));
    fields.set(&lambda::LOG_GROUP, text(function.logging_config().and_then(|logging| logging.log_group())));
    // A role's path is part of its ARN and not of its name.
    let role = function.role.as_deref().and_then(|arn| arn.rsplit('/').next());
    fields.set(&lambda::ROLE, text(role));
    fields.set(&lambda::CODE_SHA256, text(function.code_sha256.as_deref()));
    fields.set(&lambda::ARN, text(function.function_arn.as_deref()));
    let modified = function.last_modified.as_deref().and_then(last_modified);
    let modified = modified.map_or(missing(NoData::Failed), |at| Value {
        datum: Datum::Time(at),
        as_of: now,
        origin: Origin::Api,
    });
    fields.set(&lambda::LAST_MODIFIED, modified);
}

/// Lambda writes `2026-11-27T18:00:00.000+0000`: an offset without a colon.
fn last_modified(text: &str) -> Option<Timestamp> {
    let with_colon = match text.len().checked_sub(5).and_then(|at| text.split_at_checked(at)) {
        Some((time, offset)) if offset.starts_with(['+', '-']) && offset.is_ascii() => {
            format!("{time}{}:{}", &offset[..3], &offset[3..])
        }
        _ => text.to_owned(),
    };
    Timestamp::parse_rfc3339(&with_colon).ok()
}

/// Whether the mapping feeds this function, by name or ARN, with or without a version.
fn feeds(mapping: &EventSourceMappingConfiguration, function: &str) -> bool {
    mapping.function_arn.as_deref().is_some_and(|arn| arn_name(arn).unwrap_or(arn) == function)
}

fn parts_and_links(
    mappings: &[&EventSourceMappingConfiguration],
    now: Timestamp,
) -> (Option<Vec<Part>>, Option<Vec<Link>>) {
    let parts = mappings.iter().map(|mapping| mapping_part(mapping, now)).collect();
    let mut links: Vec<Link> = mappings
        .iter()
        .filter_map(|mapping| source(mapping.event_source_arn.as_deref()?))
        .map(|to| Link { to, relation: Relation::FedBy })
        .collect();
    links.sort();
    links.dedup();
    (Some(parts), Some(links))
}

/// The stream or queue behind an event source's ARN; `None` for sources that midwatch does not watch.
fn source(arn: &str) -> Option<ResourceId> {
    let kind = match arn_service(arn)? {
        "kinesis" => KindId::Kinesis,
        "sqs" => KindId::Sqs,
        _ => return None,
    };
    Some(ResourceId::new(kind, arn_name(arn)?))
}

fn mapping_part(mapping: &EventSourceMappingConfiguration, now: Timestamp) -> Part {
    let mut fields = Fields::default();
    let none = || Value::missing(NoData::NotApplicable, now, Origin::Api);
    let text = |text: Option<&str>| text.map_or_else(none, |text| Value::text(text, now));
    let number =
        |number: Option<i32>| number.map_or_else(none, |number| Value::number(f64::from(number), now, Origin::Api));
    let arn = mapping.event_source_arn.as_deref();
    let name = arn.and_then(source).map(|id| id.to_string());
    fields.set(&lambda::MAPPING_SOURCE, text(name.as_deref().or(arn)));
    fields.set(&lambda::MAPPING_STATE, text(mapping.state.as_deref()));
    fields.set(&lambda::MAPPING_BATCH_SIZE, number(mapping.batch_size));
    fields.set(&lambda::MAPPING_PARALLELIZATION, number(mapping.parallelization_factor));
    fields.set(&lambda::MAPPING_LAST_RESULT, text(mapping.last_processing_result.as_deref()));
    Part { id: mapping.uuid.clone().unwrap_or_default(), fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(function: &str, source: &str) -> EventSourceMappingConfiguration {
        EventSourceMappingConfiguration::builder()
            .uuid("7b7c")
            .function_arn(format!("arn:aws:lambda:eu-west-1:123456789012:function:{function}"))
            .event_source_arn(source)
            .batch_size(100)
            .state("Enabled")
            .build()
    }

    #[test]
    fn mappings_become_parts_and_links() {
        let bids = mapping("settle-bid:live", "arn:aws:kinesis:eu-west-1:123456789012:stream/bids");
        let table = mapping("settle-bid", "arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/1");
        assert!(feeds(&bids, "settle-bid") && !feeds(&bids, "settle"));
        let (parts, links) = parts_and_links(&[&bids, &table], Timestamp::default());
        let parts = parts.unwrap();
        assert_eq!(parts[0].fields.text(&lambda::MAPPING_SOURCE), Some("kinesis/bids"));
        assert!(parts[1].fields.text(&lambda::MAPPING_SOURCE).unwrap().starts_with("arn:aws:dynamodb"));
        assert_eq!(parts[0].fields.number(&lambda::MAPPING_BATCH_SIZE), Some(100.0));
        assert_eq!(parts[0].fields.why_missing(&lambda::MAPPING_PARALLELIZATION), Some(NoData::NotApplicable));
        let bids = ResourceId::new(KindId::Kinesis, "bids");
        assert_eq!(links, Some(vec![Link { to: bids, relation: Relation::FedBy }]));
    }

    #[test]
    fn lambdas_form_of_time_is_read() {
        let read = |text| last_modified(text).map(Timestamp::rfc3339);
        assert_eq!(read("2026-11-27T18:00:00.000+0000").as_deref(), Some("2026-11-27T18:00:00Z"));
        assert_eq!(read("2026-11-27T18:00:00.250+0130").as_deref(), Some("2026-11-27T16:30:00.25Z"));
        assert_eq!(read("2026-11-27T18:00:00Z").as_deref(), Some("2026-11-27T18:00:00Z"));
        assert_eq!(read("yesterday"), None);
        assert_eq!(read(""), None);
    }
}
