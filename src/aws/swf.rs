//! Polls of SWF: the domains with their types and task lists, and counts of what is open, pending and closed.

mod event;
mod executions;
mod history;

use crate::aws::clients::Clients;
use crate::aws::draft::{Draft, blank};
use crate::aws::errors::{Trouble, trouble};
use crate::aws::operations::{
    COUNT_CLOSED_WORKFLOW_EXECUTIONS, COUNT_OPEN_WORKFLOW_EXECUTIONS, COUNT_PENDING_ACTIVITY_TASKS,
    COUNT_PENDING_DECISION_TASKS, DESCRIBE_ACTIVITY_TYPE, DESCRIBE_DOMAIN, DESCRIBE_WORKFLOW_TYPE, LIST_ACTIVITY_TYPES,
    LIST_DOMAINS, LIST_WORKFLOW_TYPES, Operation,
};
use crate::domain::execution::{Tasks, WorkflowQuestion, WorkflowSubject};
use crate::domain::field::{Field, Fields};
use crate::domain::poll::{RowUpdate, Target};
use crate::domain::row::{KindId, Part, ResourceId};
use crate::domain::series::SeriesKey;
use crate::domain::time::Timestamp;
use crate::domain::value::{NoData, Origin, Unit, Value};
use crate::kinds::swf;
use aws_sdk_swf::types::{
    ActivityType, CloseStatus, CloseStatusFilter, DomainInfo, ExecutionTimeFilter, RegistrationStatus, TaskList,
    WorkflowType,
};
use aws_smithy_types::DateTime;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Bounds: a hundred a page; a domain's types that are described, at one call each.
const PAGES_MAX: usize = 100;
const TYPES_MAX: usize = 50;
/// An execution runs for a year at most (SWF "Quotas").
const YEAR: Duration = Duration::from_secs(366 * 86_400);
const HOUR: Duration = Duration::from_secs(3600);

const COUNT_FIELDS: [&Field; 7] = [
    &swf::WAITING,
    &swf::OPEN,
    &swf::PENDING_DECISIONS,
    &swf::PENDING_ACTIVITIES,
    &swf::FAILED_PER_H,
    &swf::TIMED_OUT_PER_H,
    &swf::COMPLETED_PER_H,
];

/// Every registered domain with its workflow types and task lists.
pub async fn inventory(clients: &Clients, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let (domains, complete) = domains(clients, &mut draft).await;
    let mut ids = Vec::new();
    for domain in domains {
        let id = ResourceId::new(KindId::Swf, domain.name);
        let mut update = blank(&id, now);
        let arn = domain.arn.map_or(Value::missing(NoData::Failed, now, Origin::Api), |arn| Value::text(arn, now));
        update.fields.set(&swf::ARN, arn);
        match look_into(clients, &id.name, now).await {
            Ok(domain) => {
                update.fields.merge(domain.fields);
                update.parts = Some(domain.parts);
            }
            Err((operation, trouble)) => draft.resource(operation, trouble, &mut update, &[&swf::TASK_LISTS]),
        }
        draft.update(update);
        ids.push(id);
    }
    if complete {
        draft.inventory(KindId::Swf, ids);
    }
    draft
}

async fn domains(clients: &Clients, draft: &mut Draft) -> (Vec<DomainInfo>, bool) {
    let mut domains = Vec::new();
    let mut token = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&LIST_DOMAINS).await;
        let request = clients.swf.list_domains().registration_status(RegistrationStatus::Registered);
        match request.set_next_page_token(token).send().await {
            Ok(page) => {
                domains.extend(page.domain_infos);
                token = page.next_page_token.filter(|token| !token.is_empty());
            }
            Err(error) => {
                draft.whole(&LIST_DOMAINS, trouble(&error, &LIST_DOMAINS, clients.place()));
                return (domains, false);
            }
        }
        if token.is_none() {
            return (domains, true);
        }
    }
    (domains, false)
}

/// What is registered in a domain.
struct Domain {
    fields: Fields,
    parts: Vec<Part>,
}

type Failed = (&'static Operation, Trouble);

async fn look_into(clients: &Clients, domain: &str, now: Timestamp) -> Result<Domain, Failed> {
    let mut fields = Fields::default();
    clients.turn(&DESCRIBE_DOMAIN).await;
    let described = clients.swf.describe_domain().name(domain).send().await;
    let described = described.map_err(|error| failed(clients, &DESCRIBE_DOMAIN, &error))?;
    let days = described.configuration.and_then(|c| c.workflow_execution_retention_period_in_days.parse::<f64>().ok());
    let kept = days.map_or(Value::missing(NoData::NotApplicable, now, Origin::Api), |days| {
        Value::number(days * 86_400.0, now, Origin::Api)
    });
    fields.set(&swf::RETENTION_S, kept);

    let mut lists = BTreeSet::new();
    let mut parts = Vec::new();
    for of in workflow_types(clients, domain).await? {
        clients.turn(&DESCRIBE_WORKFLOW_TYPE).await;
        let request = clients.swf.describe_workflow_type().domain(domain).workflow_type(of.clone());
        let answer = request.send().await.map_err(|error| failed(clients, &DESCRIBE_WORKFLOW_TYPE, &error))?;
        let list = answer.configuration.and_then(|c| c.default_task_list).map(|list| list.name);
        let mut part = Part { id: format!("{}/{}", of.name, of.version), fields: Fields::default() };
        let named = list
            .as_deref()
            .map_or(Value::missing(NoData::NotApplicable, now, Origin::Api), |list| Value::text(list, now));
        part.fields.set(&swf::TASK_LIST, named);
        parts.push(part);
        lists.extend(list.map(|list| (Tasks::Decisions, list)));
    }
    for of in activity_types(clients, domain).await? {
        clients.turn(&DESCRIBE_ACTIVITY_TYPE).await;
        let request = clients.swf.describe_activity_type().domain(domain).activity_type(of);
        let answer = request.send().await.map_err(|error| failed(clients, &DESCRIBE_ACTIVITY_TYPE, &error))?;
        let list = answer.configuration.and_then(|c| c.default_task_list).map(|list| list.name);
        lists.extend(list.map(|list| (Tasks::Activities, list)));
    }
    fields.set(&swf::TASK_LISTS, Value::text(task_lists(&lists), now));
    Ok(Domain { fields, parts })
}

async fn workflow_types(clients: &Clients, domain: &str) -> Result<Vec<WorkflowType>, Failed> {
    let mut types = Vec::new();
    let mut token = None;
    while types.len() < TYPES_MAX {
        clients.turn(&LIST_WORKFLOW_TYPES).await;
        let request = clients.swf.list_workflow_types().domain(domain);
        let request = request.registration_status(RegistrationStatus::Registered).set_next_page_token(token);
        let page = request.send().await.map_err(|error| failed(clients, &LIST_WORKFLOW_TYPES, &error))?;
        types.extend(page.type_infos.into_iter().filter_map(|info| info.workflow_type));
        token = page.next_page_token.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    types.truncate(TYPES_MAX);
    Ok(types)
}

async fn activity_types(clients: &Clients, domain: &str) -> Result<Vec<ActivityType>, Failed> {
    let mut types = Vec::new();
    let mut token = None;
    while types.len() < TYPES_MAX {
        clients.turn(&LIST_ACTIVITY_TYPES).await;
        let request = clients.swf.list_activity_types().domain(domain);
        let request = request.registration_status(RegistrationStatus::Registered).set_next_page_token(token);
        let page = request.send().await.map_err(|error| failed(clients, &LIST_ACTIVITY_TYPES, &error))?;
        types.extend(page.type_infos.into_iter().filter_map(|info| info.activity_type));
        token = page.next_page_token.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    types.truncate(TYPES_MAX);
    Ok(types)
}

const fn letter(tasks: Tasks) -> char {
    match tasks {
        Tasks::Decisions => 'D',
        Tasks::Activities => 'A',
    }
}

/// `D deciders / A chargers`: a slash cannot be in a task list's name (RegisterWorkflowType).
fn task_lists(lists: &BTreeSet<(Tasks, String)>) -> String {
    lists.iter().map(|(tasks, name)| format!("{} {name}", letter(*tasks))).collect::<Vec<_>>().join(" / ")
}

fn read_task_lists(text: &str) -> Vec<(Tasks, &str)> {
    let read = |part: &'_ str| -> Option<(Tasks, usize)> {
        let tasks = match part.get(..2)? {
            "D " => Tasks::Decisions,
            "A " => Tasks::Activities,
            _ => return None,
        };
        Some((tasks, 2))
    };
    text.split(" / ").filter_map(|part| read(part).map(|(tasks, from)| (tasks, &part[from..]))).collect()
}

/// What somebody has open of a domain.
pub async fn workflow(clients: &Clients, question: &WorkflowQuestion, now: Timestamp) -> Draft {
    match question.about {
        WorkflowSubject::Executions => executions::executions(clients, question, now).await,
        WorkflowSubject::History { .. } => history::history(clients, question).await,
    }
}

/// Counts of these domains.
pub async fn direct(clients: &Clients, targets: &[Target], now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    for target in targets {
        let mut update = blank(&target.id, now);
        if let Err((operation, trouble)) = count(clients, target, &mut update, now).await {
            draft.resource(operation, trouble, &mut update, &COUNT_FIELDS);
        }
        draft.update(update);
    }
    draft
}

async fn count(clients: &Clients, target: &Target, update: &mut RowUpdate, now: Timestamp) -> Result<(), Failed> {
    let domain = target.id.name.as_str();
    let mut pending: BTreeMap<Tasks, f64> = BTreeMap::new();
    let mut on_lists = Vec::new();
    for (tasks, list) in target.address.as_deref().map(read_task_lists).unwrap_or_default() {
        let waiting = pending_tasks(clients, domain, tasks, list).await?;
        *pending.entry(tasks).or_default() += waiting;
        on_lists.push(format!("{} {list} {}", letter(tasks), Unit::Count.short_number(waiting)));
    }
    if target.address.is_some() {
        for (tasks, field) in
            [(Tasks::Decisions, &swf::PENDING_DECISIONS), (Tasks::Activities, &swf::PENDING_ACTIVITIES)]
        {
            set_count(update, field, pending.get(&tasks).copied().unwrap_or(0.0), now);
        }
        update.fields.set(&swf::WAITING, Value::text(on_lists.join(" / "), now));
    }
    set_count(update, &swf::OPEN, open(clients, domain, now).await?, now);
    let closed = [
        (CloseStatus::Failed, &swf::FAILED_PER_H),
        (CloseStatus::TimedOut, &swf::TIMED_OUT_PER_H),
        (CloseStatus::Completed, &swf::COMPLETED_PER_H),
    ];
    for (status, field) in closed {
        let ended = closed_in_the_last_hour(clients, domain, status, now).await?;
        update.fields.set(field, Value::number(ended, now, Origin::Api));
    }
    Ok(())
}

/// A count now is also this minute's point of its chart: CloudWatch keeps none of open executions.
fn set_count(update: &mut RowUpdate, field: &'static Field, count: f64, now: Timestamp) {
    update.fields.set(field, Value::number(count, now, Origin::Api));
    let key = SeriesKey { resource: update.id.clone(), part: String::new(), field: field.id };
    update.series.push((key, vec![(now.floor_to(60), count)]));
}

async fn pending_tasks(clients: &Clients, domain: &str, tasks: Tasks, list: &str) -> Result<f64, Failed> {
    let list =
        TaskList::builder().name(list).build().map_err(|error| unbuilt(&COUNT_PENDING_DECISION_TASKS, &error))?;
    let count = match tasks {
        Tasks::Decisions => {
            clients.turn(&COUNT_PENDING_DECISION_TASKS).await;
            let request = clients.swf.count_pending_decision_tasks().domain(domain).task_list(list);
            request.send().await.map_err(|error| failed(clients, &COUNT_PENDING_DECISION_TASKS, &error))?.count
        }
        Tasks::Activities => {
            clients.turn(&COUNT_PENDING_ACTIVITY_TASKS).await;
            let request = clients.swf.count_pending_activity_tasks().domain(domain).task_list(list);
            request.send().await.map_err(|error| failed(clients, &COUNT_PENDING_ACTIVITY_TASKS, &error))?.count
        }
    };
    Ok(f64::from(count))
}

async fn open(clients: &Clients, domain: &str, now: Timestamp) -> Result<f64, Failed> {
    clients.turn(&COUNT_OPEN_WORKFLOW_EXECUTIONS).await;
    let filter = since(&COUNT_OPEN_WORKFLOW_EXECUTIONS, now, YEAR)?;
    let request = clients.swf.count_open_workflow_executions().domain(domain).start_time_filter(filter);
    let answer = request.send().await.map_err(|error| failed(clients, &COUNT_OPEN_WORKFLOW_EXECUTIONS, &error))?;
    Ok(f64::from(answer.count))
}

async fn closed_in_the_last_hour(
    clients: &Clients,
    domain: &str,
    status: CloseStatus,
    now: Timestamp,
) -> Result<f64, Failed> {
    let operation = &COUNT_CLOSED_WORKFLOW_EXECUTIONS;
    clients.turn(operation).await;
    let status = CloseStatusFilter::builder().status(status).build().map_err(|error| unbuilt(operation, &error))?;
    let request = clients.swf.count_closed_workflow_executions().domain(domain);
    let request = request.close_time_filter(since(operation, now, HOUR)?).close_status_filter(status);
    let answer = request.send().await.map_err(|error| failed(clients, operation, &error))?;
    Ok(f64::from(answer.count))
}

fn since(operation: &'static Operation, now: Timestamp, back: Duration) -> Result<ExecutionTimeFilter, Failed> {
    let from = DateTime::from_millis((now - back).millis());
    ExecutionTimeFilter::builder().oldest_date(from).build().map_err(|error| unbuilt(operation, &error))
}

fn failed<E>(clients: &Clients, operation: &'static Operation, error: &aws_sdk_swf::error::SdkError<E>) -> Failed
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    (operation, trouble(error, operation, clients.place()))
}

/// A request that the SDK's builder does not take, which a name from SWF itself cannot cause.
fn unbuilt(operation: &'static Operation, error: &aws_sdk_swf::error::BuildError) -> Failed {
    let sentence = format!("{} could not be asked: {error}.", operation.label);
    let class = crate::domain::finding::ErrorClass::Other;
    (operation, Trouble { class, sentence, no_data: None, of_place: false, resource_gone: false, maybe_done: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_lists_are_written_for_people_and_read_back() {
        let lists: BTreeSet<(Tasks, String)> =
            [(Tasks::Activities, "charge cards".into()), (Tasks::Decisions, "deciders".into())].into();
        let text = task_lists(&lists);
        assert_eq!(text, "D deciders / A charge cards");
        assert_eq!(read_task_lists(&text), [(Tasks::Decisions, "deciders"), (Tasks::Activities, "charge cards")]);
        assert_eq!(read_task_lists(""), []);
    }
}
