//! Polls of SNS: the list of topics with their subscriptions, and the settings of one topic's subscriptions.

use crate::aws::clients::Clients;
use crate::aws::draft::{Draft, blank};
use crate::aws::errors::{Trouble, trouble};
use crate::aws::operations::{
    GET_SUBSCRIPTION_ATTRIBUTES, LIST_SUBSCRIPTIONS, LIST_SUBSCRIPTIONS_BY_TOPIC, LIST_TOPICS,
};
use crate::aws::{arn_name, arn_place, arn_service};
use crate::domain::field::Fields;
use crate::domain::poll::{RowUpdate, Target};
use crate::domain::row::{KindId, Link, Part, Relation, ResourceId};
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, NoData, Origin, Value};
use crate::kinds::sns;
use aws_sdk_sns::types::Subscription;
use std::collections::BTreeMap;

/// Bounds on paging: 100 topics or subscriptions a page.
const PAGES_MAX: usize = 1000;
/// One topic's subscriptions whose settings are asked for: a call each.
const SETTINGS_MAX: usize = 25;
/// The same of all topics of one poll at which nobody looks: more would take too long at the pace of the operation. The
/// others' turn comes with the next.
const SWEPT_MAX: usize = 100;

/// Every topic with its subscriptions and what they deliver to.
pub async fn inventory(clients: &Clients, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let (arns, complete) = topics(clients, &mut draft).await;
    let subscriptions = match subscriptions(clients).await {
        Ok(all) => Some(all),
        Err(trouble) => {
            draft.whole(&LIST_SUBSCRIPTIONS, trouble);
            None
        }
    };
    let mut by_topic: BTreeMap<&str, Vec<&Subscription>> = BTreeMap::new();
    for subscription in subscriptions.iter().flatten() {
        by_topic.entry(subscription.topic_arn.as_deref().unwrap_or_default()).or_default().push(subscription);
    }
    let mut ids = Vec::new();
    for arn in &arns {
        let Some(name) = arn_name(arn) else { continue };
        let id = ResourceId::new(KindId::Sns, name);
        let mut update = blank(&id, now);
        update.fields.set(&sns::ARN, Value::text(arn.as_str(), now));
        let fifo = Datum::Flag(name.ends_with(".fifo"));
        update.fields.set(&sns::FIFO, Value { datum: fifo, as_of: now, origin: Origin::Api });
        if subscriptions.is_some() {
            let own = by_topic.remove(arn.as_str()).unwrap_or_default();
            set_subscriptions(&mut update, arn, &own, now);
        }
        draft.update(update);
        ids.push(id);
    }
    if complete {
        draft.inventory(KindId::Sns, ids);
    }
    draft
}

async fn topics(clients: &Clients, draft: &mut Draft) -> (Vec<String>, bool) {
    let mut arns = Vec::new();
    let mut token = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&LIST_TOPICS).await;
        match clients.sns.list_topics().set_next_token(token).send().await {
            Ok(page) => {
                arns.extend(page.topics.unwrap_or_default().into_iter().filter_map(|topic| topic.topic_arn));
                token = page.next_token.filter(|token| !token.is_empty());
            }
            Err(error) => {
                draft.whole(&LIST_TOPICS, trouble(&error, &LIST_TOPICS, clients.place()));
                return (arns, false);
            }
        }
        if token.is_none() {
            return (arns, true);
        }
    }
    (arns, false)
}

async fn subscriptions(clients: &Clients) -> Result<Vec<Subscription>, Trouble> {
    let mut all = Vec::new();
    let mut token = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&LIST_SUBSCRIPTIONS).await;
        match clients.sns.list_subscriptions().set_next_token(token).send().await {
            Ok(page) => {
                all.extend(page.subscriptions.unwrap_or_default());
                token = page.next_token.filter(|token| !token.is_empty());
            }
            Err(error) => return Err(trouble(&error, &LIST_SUBSCRIPTIONS, clients.place())),
        }
        if token.is_none() {
            break;
        }
    }
    Ok(all)
}

/// The subscriptions of these topics, with filter, dead-letter queue and form of the first of them. Where nobody looks, the
/// list that the inventory brings is new enough, and only what is not known of them is asked.
pub async fn direct(clients: &Clients, targets: &[Target], now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let mut left = SWEPT_MAX;
    for target in targets {
        if !target.is_near {
            let wanted = target.parts.len().min(SETTINGS_MAX).min(left);
            left -= wanted;
            read_settings(clients, target, &target.parts[..wanted], now, &mut draft).await;
            continue;
        }
        let mut update = blank(&target.id, now);
        let Some(arn) = &target.address else {
            draft.failed(&target.id, "Its ARN is not known: ListTopics has not brought it yet.");
            continue;
        };
        match subscriptions_of(clients, arn).await {
            Ok(subscriptions) => {
                set_subscriptions(&mut update, arn, &subscriptions.iter().collect::<Vec<_>>(), now);
                for subscription in subscriptions.iter().filter(|one| is_confirmed(one)).take(SETTINGS_MAX) {
                    let subscription_arn = subscription.subscription_arn.as_deref().unwrap_or_default();
                    let told = settings(clients, subscription_arn, now).await;
                    take_settings(&mut update, part_id(subscription), told, &mut draft);
                }
            }
            Err(trouble) => {
                draft.resource(&LIST_SUBSCRIPTIONS_BY_TOPIC, trouble, &mut update, &[&sns::SUBSCRIPTIONS]);
            }
        }
        draft.update(update);
    }
    draft
}

/// The settings of these subscriptions of a topic, which go by the last part of their ARNs.
async fn read_settings(clients: &Clients, target: &Target, parts: &[String], now: Timestamp, draft: &mut Draft) {
    let Some(arn) = target.address.as_ref().filter(|_| !parts.is_empty()) else { return };
    let mut update = blank(&target.id, now);
    for part in parts {
        let told = settings(clients, &format!("{arn}:{part}"), now).await;
        take_settings(&mut update, part.clone(), told, draft);
    }
    draft.update(update);
}

/// What may not be read is a reason, too, so that it is not asked for all the time.
fn take_settings(update: &mut RowUpdate, part: String, told: Result<Fields, Trouble>, draft: &mut Draft) {
    let fields = match told {
        Ok(fields) => fields,
        Err(trouble) => {
            let mut fields = Fields::default();
            for field in [&sns::FILTER_POLICY, &sns::SUBSCRIPTION_DLQ, &sns::RAW] {
                if let Some(why) = trouble.no_data {
                    fields.set(field, Value::missing(why, update.at, Origin::Api));
                }
            }
            draft.resource(&GET_SUBSCRIPTION_ATTRIBUTES, trouble, update, &[]);
            fields
        }
    };
    if !fields.is_empty() {
        update.part_fields.push((part, fields));
    }
}

async fn subscriptions_of(clients: &Clients, topic_arn: &str) -> Result<Vec<Subscription>, Trouble> {
    let mut all = Vec::new();
    let mut token = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&LIST_SUBSCRIPTIONS_BY_TOPIC).await;
        let request = clients.sns.list_subscriptions_by_topic().topic_arn(topic_arn);
        match request.set_next_token(token).send().await {
            Ok(page) => {
                all.extend(page.subscriptions.unwrap_or_default());
                token = page.next_token.filter(|token| !token.is_empty());
            }
            Err(error) => return Err(trouble(&error, &LIST_SUBSCRIPTIONS_BY_TOPIC, clients.place())),
        }
        if token.is_none() {
            break;
        }
    }
    Ok(all)
}

async fn settings(clients: &Clients, subscription_arn: &str, now: Timestamp) -> Result<Fields, Trouble> {
    clients.turn(&GET_SUBSCRIPTION_ATTRIBUTES).await;
    let request = clients.sns.get_subscription_attributes();
    let answer = request.subscription_arn(subscription_arn).send().await;
    let answer = answer.map_err(|error| trouble(&error, &GET_SUBSCRIPTION_ATTRIBUTES, clients.place()))?;
    let attributes = answer.attributes.unwrap_or_default();
    let text = |text: Option<&str>| match text {
        Some(text) => Value::text(text, now),
        None => Value::missing(NoData::NotApplicable, now, Origin::Api),
    };
    let mut fields = Fields::default();
    fields.set(&sns::FILTER_POLICY, text(attributes.get("FilterPolicy").map(String::as_str)));
    let policy = attributes.get("RedrivePolicy").and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let dlq = policy.as_ref().and_then(|policy| policy.get("deadLetterTargetArn")?.as_str());
    let is_near = |arn: &str| arn_place(arn) == arn_place(subscription_arn);
    let name = |arn| if is_near(arn) { arn_name(arn).unwrap_or(arn) } else { arn };
    fields.set(&sns::SUBSCRIPTION_DLQ, text(dlq.map(name)));
    let raw = Datum::Flag(attributes.get("RawMessageDelivery").is_some_and(|raw| raw == "true"));
    fields.set(&sns::RAW, Value { datum: raw, as_of: now, origin: Origin::Api });
    Ok(fields)
}

/// Counts, parts and links.
fn set_subscriptions(update: &mut RowUpdate, topic_arn: &str, subscriptions: &[&Subscription], now: Timestamp) {
    let confirmed = subscriptions.iter().filter(|one| is_confirmed(one)).count();
    let number = |count: usize| Value::number(count as f64, now, Origin::Api);
    update.fields.set(&sns::SUBSCRIPTIONS, number(confirmed));
    update.fields.set(&sns::PENDING, number(subscriptions.len() - confirmed));
    update.parts = Some(subscriptions.iter().map(|one| part(one, now)).collect());
    let mut links: Vec<Link> = subscriptions
        .iter()
        .filter_map(|one| receiver(topic_arn, one))
        .map(|to| Link { to, relation: Relation::DeliversTo })
        .collect();
    links.sort();
    links.dedup();
    update.links = Some(links);
}

/// SNS writes words like `PendingConfirmation` where a subscription has no ARN yet.
fn is_confirmed(subscription: &Subscription) -> bool {
    subscription.subscription_arn.as_deref().is_some_and(|arn| arn.starts_with("arn:"))
}

/// The last part of the subscription's ARN; one that is not confirmed is known by where it would deliver.
fn part_id(subscription: &Subscription) -> String {
    let arn = subscription.subscription_arn.as_deref().filter(|_| is_confirmed(subscription));
    match arn.and_then(|arn| arn.rsplit(':').next()) {
        Some(id) => id.to_owned(),
        None => {
            let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
            format!("pending {} {}", or_nothing(&subscription.protocol), or_nothing(&subscription.endpoint))
        }
    }
}

fn part(subscription: &Subscription, now: Timestamp) -> Part {
    let mut fields = Fields::default();
    let endpoint = subscription.endpoint.as_deref().unwrap_or_default();
    fields.set(&sns::PROTOCOL, Value::text(subscription.protocol.as_deref().unwrap_or_default(), now));
    fields.set(&sns::ENDPOINT, Value::text(arn_name(endpoint).unwrap_or(endpoint), now));
    let state = if is_confirmed(subscription) { sns::CONFIRMED } else { "pending" };
    fields.set(&sns::SUBSCRIPTION_STATE, Value::text(state, now));
    Part { id: part_id(subscription), fields }
}

/// What the subscription delivers to, where midwatch watches it: in the topic's own account and region.
fn receiver(topic_arn: &str, subscription: &Subscription) -> Option<ResourceId> {
    let endpoint = subscription.endpoint.as_deref()?;
    if arn_place(endpoint) != arn_place(topic_arn) || !is_confirmed(subscription) {
        return None;
    }
    let kind = match arn_service(endpoint)? {
        "sqs" => KindId::Sqs,
        "lambda" => KindId::Lambda,
        "firehose" => KindId::Firehose,
        _ => return None,
    };
    Some(ResourceId::new(kind, arn_name(endpoint)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:orders";

    fn subscription(arn: &str, protocol: &str, endpoint: &str) -> Subscription {
        Subscription::builder().subscription_arn(arn).protocol(protocol).endpoint(endpoint).topic_arn(TOPIC).build()
    }

    #[test]
    fn a_topic_is_linked_to_what_it_delivers_to_in_its_own_account_and_region() {
        let confirmed = format!("{TOPIC}:11111111-2222-3333-4444-555555555555");
        let here = subscription(&confirmed, "sqs", "arn:aws:sqs:eu-west-1:123456789012:billing");
        let elsewhere = subscription(&confirmed, "sqs", "arn:aws:sqs:us-east-1:123456789012:billing");
        let pending = subscription("PendingConfirmation", "https", "https://example.com/hook");
        assert_eq!(receiver(TOPIC, &here), Some(ResourceId::new(KindId::Sqs, "billing")));
        assert_eq!(receiver(TOPIC, &elsewhere), None);
        let mut update = blank(&ResourceId::new(KindId::Sns, "orders"), Timestamp::default());
        set_subscriptions(&mut update, TOPIC, &[&here, &elsewhere, &pending], Timestamp::default());
        assert_eq!(update.fields.number(&sns::SUBSCRIPTIONS), Some(2.0));
        assert_eq!(update.fields.number(&sns::PENDING), Some(1.0));
        assert_eq!(update.links.map(|links| links.len()), Some(1));
        let parts = update.parts.unwrap();
        assert_eq!(parts[0].id, "11111111-2222-3333-4444-555555555555");
        assert_eq!(parts[2].id, "pending https https://example.com/hook");
        assert_eq!(parts[2].fields.text(&sns::SUBSCRIPTION_STATE), Some("pending"));
    }
}
