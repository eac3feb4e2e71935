//! Polls of SQS: the list of queues, their attributes with the dead-letter links, and message move tasks.

use crate::aws::clients::Clients;
use crate::aws::draft::{Draft, blank};
use crate::aws::errors::{Trouble, trouble};
use crate::aws::operations::{GET_QUEUE_ATTRIBUTES, LIST_MESSAGE_MOVE_TASKS, LIST_QUEUES};
use crate::aws::{arn_name, arn_service};
use crate::domain::field::{Field, Fields};
use crate::domain::poll::Target;
use crate::domain::row::{KindId, Link, Part, Relation, ResourceId};
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, NoData, Origin, Value};
use crate::kinds::sqs;
use aws_sdk_sqs::types::{ListMessageMoveTasksResultEntry, QueueAttributeName};
use futures::StreamExt;
use std::collections::BTreeMap;

/// Queues that are asked at once.
const CONCURRENCY: usize = 8;
/// ListQueues gives at most so many a page, and pages only when a size is asked for.
const PAGE: i32 = 1000;
/// A bound on paging: 100,000 queues.
const PAGES_MAX: usize = 100;

/// The fields that GetQueueAttributes fills.
const ATTRIBUTE_FIELDS: [&Field; 8] = [
    &sqs::VISIBLE,
    &sqs::IN_FLIGHT,
    &sqs::DELAYED,
    &sqs::VISIBILITY_TIMEOUT_S,
    &sqs::RETENTION_S,
    &sqs::MAX_RECEIVES,
    &sqs::DLQ,
    &sqs::ARN,
];

/// Every queue by its URL.
pub async fn inventory(clients: &Clients, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let (urls, complete) = queue_urls(clients, &mut draft).await;
    let mut ids = Vec::new();
    for url in urls {
        let Some(id) = url_name(&url).map(|name| ResourceId::new(KindId::Sqs, name)) else { continue };
        let mut update = blank(&id, now);
        update.fields.set(&sqs::URL, Value::text(url, now));
        draft.update(update);
        ids.push(id);
    }
    if complete {
        draft.inventory(KindId::Sqs, ids);
    }
    draft
}

async fn queue_urls(clients: &Clients, draft: &mut Draft) -> (Vec<String>, bool) {
    let mut urls = Vec::new();
    let mut token = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&LIST_QUEUES).await;
        match clients.sqs.list_queues().max_results(PAGE).set_next_token(token).send().await {
            Ok(page) => {
                urls.extend(page.queue_urls.unwrap_or_default());
                token = page.next_token.filter(|token| !token.is_empty());
            }
            Err(error) => {
                draft.whole(&LIST_QUEUES, trouble(&error, &LIST_QUEUES, clients.place()));
                return (urls, false);
            }
        }
        if token.is_none() {
            return (urls, true);
        }
    }
    (urls, false)
}

/// The queue's name: the last part of its URL.
fn url_name(url: &str) -> Option<&str> {
    url.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty())
}

type Attributes = BTreeMap<String, String>;

async fn attributes(clients: &Clients, url: &str) -> Result<Attributes, Trouble> {
    clients.turn(&GET_QUEUE_ATTRIBUTES).await;
    let request = clients.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
    match request.send().await {
        Ok(answer) => {
            let attributes = answer.attributes.unwrap_or_default();
            Ok(attributes.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect())
        }
        Err(error) => Err(trouble(&error, &GET_QUEUE_ATTRIBUTES, clients.place())),
    }
}

/// Depths, timeouts and the redrive policy of these queues, and the move tasks of those that ask for them.
pub async fn direct(clients: &Clients, targets: &[Target], now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let answers = futures::stream::iter(targets.to_vec())
        .map(|target| async move {
            let seen = look_at(clients, &target).await;
            (target, seen)
        })
        .buffered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await;
    for (target, seen) in answers {
        let mut update = blank(&target.id, now);
        match seen.attributes {
            None => draft.failed(&target.id, "Its URL is not known: ListQueues has not brought it yet."),
            Some(Ok(attributes)) => {
                set_attributes(&mut update.fields, &attributes, now);
                update.links = Some(dead_letter_link(&attributes).into_iter().collect());
            }
            Some(Err(trouble)) => draft.resource(&GET_QUEUE_ATTRIBUTES, trouble, &mut update, &ATTRIBUTE_FIELDS),
        }
        match seen.tasks {
            None => {}
            Some(Ok(tasks)) => update.parts = Some(tasks.iter().map(|task| task_part(task, now)).collect()),
            Some(Err(trouble)) => draft.resource(&LIST_MESSAGE_MOVE_TASKS, trouble, &mut update, &[]),
        }
        draft.update(update);
    }
    draft
}

/// What one queue answered; `None` where it was not asked.
struct Seen {
    attributes: Option<Result<Attributes, Trouble>>,
    tasks: Option<Result<Vec<ListMessageMoveTasksResultEntry>, Trouble>>,
}

async fn look_at(clients: &Clients, target: &Target) -> Seen {
    let Some(url) = &target.address else { return Seen { attributes: None, tasks: None } };
    let attributes = attributes(clients, url).await;
    let arn = attributes.as_ref().ok().and_then(|attributes| attributes.get("QueueArn"));
    let tasks = match arn {
        Some(arn) if target.move_tasks => Some(move_tasks(clients, arn).await),
        _ => None,
    };
    Seen { attributes: Some(attributes), tasks }
}

/// The newest ten tasks, newest first, as SQS gives them.
async fn move_tasks(clients: &Clients, arn: &str) -> Result<Vec<ListMessageMoveTasksResultEntry>, Trouble> {
    clients.turn(&LIST_MESSAGE_MOVE_TASKS).await;
    let request = clients.sqs.list_message_move_tasks().source_arn(arn).max_results(10);
    match request.send().await {
        Ok(answer) => Ok(answer.results.unwrap_or_default()),
        Err(error) => Err(trouble(&error, &LIST_MESSAGE_MOVE_TASKS, clients.place())),
    }
}

fn set_attributes(fields: &mut Fields, attributes: &Attributes, now: Timestamp) {
    let numbers = [
        (&sqs::VISIBLE, "ApproximateNumberOfMessages"),
        (&sqs::IN_FLIGHT, "ApproximateNumberOfMessagesNotVisible"),
        (&sqs::DELAYED, "ApproximateNumberOfMessagesDelayed"),
        (&sqs::VISIBILITY_TIMEOUT_S, "VisibilityTimeout"),
        (&sqs::RETENTION_S, "MessageRetentionPeriod"),
    ];
    for (field, name) in numbers {
        let value = match attributes.get(name).and_then(|text| text.parse::<f64>().ok()) {
            Some(number) => Value::number(number, now, Origin::Api),
            None => Value::missing(NoData::Failed, now, Origin::Api),
        };
        fields.set(field, value);
    }
    let none = || Value::missing(NoData::NotApplicable, now, Origin::Api);
    let policy = attributes.get("RedrivePolicy").and_then(|text| redrive_policy(text));
    let max_receives = policy.as_ref().and_then(|policy| policy.max_receives);
    fields.set(&sqs::MAX_RECEIVES, max_receives.map_or_else(none, |max| Value::number(max, now, Origin::Api)));
    let dlq = policy.as_ref().and_then(|policy| arn_name(&policy.target_arn));
    fields.set(&sqs::DLQ, dlq.map_or_else(none, |name| Value::text(name, now)));
    if let Some(arn) = attributes.get("QueueArn") {
        fields.set(&sqs::ARN, Value::text(arn, now));
    }
}

/// The queue's link to its dead-letter queue, in its own account and region as SQS wants it. That one's link back is
/// mirrored from it.
fn dead_letter_link(attributes: &Attributes) -> Option<Link> {
    let policy = redrive_policy(attributes.get("RedrivePolicy")?)?;
    let to = ResourceId::new(KindId::Sqs, arn_name(&policy.target_arn)?);
    Some(Link { to, relation: Relation::DeadLettersTo })
}

#[derive(Debug, PartialEq)]
struct RedrivePolicy {
    target_arn: String,
    max_receives: Option<f64>,
}

/// The attribute is JSON text. `maxReceiveCount` is a number or, as some tools write it, a number in quotes.
fn redrive_policy(text: &str) -> Option<RedrivePolicy> {
    let policy: serde_json::Value = serde_json::from_str(text).ok()?;
    let target_arn = policy.get("deadLetterTargetArn")?.as_str()?.to_owned();
    if arn_service(&target_arn) != Some("sqs") {
        return None;
    }
    let max_receives = match policy.get("maxReceiveCount") {
        Some(serde_json::Value::String(text)) => text.parse().ok(),
        Some(number) => number.as_f64(),
        None => None,
    };
    Some(RedrivePolicy { target_arn, max_receives })
}

/// A task is known by when it started: its handle goes away when it ends, and a queue has one active task at most.
fn task_part(task: &ListMessageMoveTasksResultEntry, now: Timestamp) -> Part {
    let mut fields = Fields::default();
    let none = || Value::missing(NoData::NotApplicable, now, Origin::Api);
    let number = |number: Option<f64>| number.map_or_else(none, |number| Value::number(number, now, Origin::Api));
    let text = |text: Option<&str>| text.map_or_else(none, |text| Value::text(text, now));
    let started = Timestamp::from_millis(task.started_timestamp);
    fields.set(&sqs::TASK_STATUS, text(task.status.as_deref()));
    fields.set(&sqs::TASK_MOVED, number(Some(task.approximate_number_of_messages_moved as f64)));
    fields.set(&sqs::TASK_TO_MOVE, number(task.approximate_number_of_messages_to_move.map(|n| n as f64)));
    fields.set(&sqs::TASK_RATE_PER_S, number(task.max_number_of_messages_per_second.map(f64::from)));
    fields.set(&sqs::TASK_STARTED, Value { datum: Datum::Time(started), as_of: now, origin: Origin::Api });
    let destination = task.destination_arn.as_deref().map(|arn| arn_name(arn).unwrap_or(arn));
    fields.set(&sqs::TASK_DESTINATION, Value::text(destination.unwrap_or("each original source"), now));
    fields.set(&sqs::TASK_FAILURE, text(task.failure_reason.as_deref()));
    fields.set(&sqs::TASK_HANDLE, text(task.task_handle.as_deref()));
    Part { id: format!("task-{}", task.started_timestamp), fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sqs:eu-west-1:123456789012:orders-dlq";

    #[test]
    fn redrive_policies_are_read_with_numbers_in_either_form() {
        let with = |count: &str| format!(r#"{{"deadLetterTargetArn":"{ARN}","maxReceiveCount":{count}}}"#);
        let expected = |max_receives| Some(RedrivePolicy { target_arn: ARN.into(), max_receives });
        assert_eq!(redrive_policy(&with("3")), expected(Some(3.0)));
        assert_eq!(redrive_policy(&with("\"3\"")), expected(Some(3.0)));
        assert_eq!(redrive_policy(&with("null")), expected(None));
        for bad in ["", "{}", "[]", "\"x\"", r#"{"deadLetterTargetArn":7}"#, r#"{"deadLetterTargetArn":"x"}"#] {
            assert_eq!(redrive_policy(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_queue_is_linked_to_its_dead_letter_queue() {
        let policy = format!(r#"{{"deadLetterTargetArn":"{ARN}","maxReceiveCount":3}}"#);
        let link = dead_letter_link(&[("RedrivePolicy".to_owned(), policy)].into());
        let to = ResourceId::new(KindId::Sqs, "orders-dlq");
        assert_eq!(link, Some(Link { to, relation: Relation::DeadLettersTo }));
        assert_eq!(dead_letter_link(&Attributes::new()), None);
    }

    #[test]
    fn an_attribute_that_does_not_come_is_no_zero() {
        let mut fields = Fields::default();
        let attributes = [("ApproximateNumberOfMessages".to_owned(), "412".to_owned())].into();
        set_attributes(&mut fields, &attributes, Timestamp::default());
        assert_eq!(fields.number(&sqs::VISIBLE), Some(412.0));
        assert_eq!(fields.why_missing(&sqs::IN_FLIGHT), Some(NoData::Failed));
        assert_eq!(fields.why_missing(&sqs::DLQ), Some(NoData::NotApplicable));
    }

    #[test]
    fn a_task_keeps_its_name_when_its_handle_goes_away() {
        let task = |handle: Option<&str>| {
            ListMessageMoveTasksResultEntry::builder()
                .set_task_handle(handle.map(str::to_owned))
                .status("RUNNING")
                .approximate_number_of_messages_moved(7)
                .started_timestamp(1_000)
                .build()
        };
        let (running, ended) =
            (task_part(&task(Some("h")), Timestamp::default()), task_part(&task(None), Timestamp::default()));
        assert_eq!(running.id, ended.id);
        assert_eq!(running.fields.text(&sqs::TASK_HANDLE), Some("h"));
        assert_eq!(ended.fields.why_missing(&sqs::TASK_HANDLE), Some(NoData::NotApplicable));
        assert_eq!(ended.fields.text(&sqs::TASK_DESTINATION), Some("each original source"));
        assert_eq!(ended.fields.number(&sqs::TASK_MOVED), Some(7.0));
    }

    #[test]
    fn names_are_read_from_urls() {
        assert_eq!(url_name("http://127.0.0.1:5000/123456789012/orders"), Some("orders"));
        assert_eq!(url_name("https://sqs.eu-west-1.amazonaws.com/123456789012/bids.fifo"), Some("bids.fifo"));
        assert_eq!(url_name(""), None);
    }
}
