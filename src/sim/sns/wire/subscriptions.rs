//! Operations on subscriptions as AWS's members.

use crate::sim::error::ApiError;
use crate::sim::fanout;
use crate::sim::sns::arn::{Arn, subscription_id};
use crate::sim::sns::wire::input::Input;
use crate::sim::sns::wire::topics::topic_of;
use crate::sim::sns::wire::{PAGE, links, list_of, nothing, read_token};
use crate::sim::sns::{Foreign, ListOf, Subscribe, Subscription, error};
use crate::sim::wire::{Call, caller, page_token};
use crate::sim::world::World;
use serde_json::{Map, Value, json};

pub fn subscribe(world: &mut World, call: &Call, input: Input<'_>) -> Result<Value, ApiError> {
    let topic = topic_of(world, input)?;
    let wanted = Subscribe {
        topic: &topic,
        protocol: input.required("Protocol")?,
        endpoint: input.text("Endpoint")?,
        attributes: input.text_map("Attributes")?,
        links: links(&world.place, &call.request),
        owner: call.visitor().map(|visitor| visitor.account.as_str()),
    };
    let shows_arn = input.flag("ReturnSubscriptionArn")?;
    let (sns, mut cx) = world.sns_cx();
    let subscribed = sns.subscribe(&mut cx, wanted)?;
    let arn = format!("{}:{}", world.place.arn("sns", &topic), subscribed.id);
    fanout::deliver(world, subscribed.delivery);
    let shown = if subscribed.is_pending && !shows_arn { "pending confirmation".to_owned() } else { arn };
    Ok(json!({ "SubscriptionArn": shown }))
}

pub fn confirm(world: &mut World, call: &Call, input: Input<'_>) -> Result<Value, ApiError> {
    let (arn, token) = (input.required("TopicArn")?, input.required("Token")?);
    if Arn::parse(arn).is_none_or(|arn| arn.service != "sns" || arn.region != world.place.region) {
        return Err(error::invalid_parameter("Topic"));
    }
    let signed = caller(&call.request).access_key.is_some();
    let guarded = input.text("AuthenticateOnUnsubscribe")?.is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let (sns, mut cx) = world.sns_cx();
    let (topic, id) = sns.confirm(&mut cx, token, signed)?;
    if guarded && signed {
        sns.guard_unsubscribe(&topic, &id);
    }
    Ok(json!({ "SubscriptionArn": format!("{}:{id}", world.place.arn("sns", &topic)) }))
}

pub fn unsubscribe(world: &mut World, call: &Call, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.text("SubscriptionArn")?.unwrap_or("");
    let (topic, id) = subscription_id(&world.place, arn)?;
    let signed = caller(&call.request).access_key.is_some();
    if !signed && world.sns.subscription(topic, id).is_ok_and(|subscription| subscription.guarded) {
        let message = "Authentication is required to unsubscribe from this topic";
        return Err(ApiError::client("AuthorizationError", message).with_status(403));
    }
    let (sns, mut cx) = world.sns_cx();
    let told = sns.unsubscribe(&mut cx, topic, id);
    fanout::deliver(world, told);
    Ok(nothing())
}

pub fn list(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    page(world, input, ListOf::Account(&world.place.account))
}

pub fn list_by_topic(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let topic = topic_of(world, input)?;
    if world.sns.topic(&topic).is_none() {
        return Err(error::topic_does_not_exist());
    }
    page(world, input, ListOf::Topic(&topic))
}

/// Subscriptions to own topics come first, then those to others'.
fn page(world: &World, input: Input<'_>, listed: ListOf<'_>) -> Result<Value, ApiError> {
    let (only, foreign) = match listed {
        ListOf::Topic(topic) => (topic, &[][..]),
        ListOf::Account(_) => ("", world.sns.foreign.as_slice()),
    };
    let of = list_of(&world.place, &format!("subscriptions {only}"));
    let after = read_token(input, &of)?;
    let is_foreign = after.as_deref().is_some_and(|last| last.starts_with("arn:"));
    let own = match after.as_deref().map(|last| last.split_once(':').unwrap_or((last, ""))) {
        _ if is_foreign => Vec::new(),
        after => world.sns.subscriptions_after(listed, after, PAGE + 1),
    };
    let key = |of: &Foreign| format!("{}:{}", of.topic_arn, of.id);
    let rest = foreign.iter().filter(|of| !is_foreign || after.as_deref().is_some_and(|last| key(of).as_str() > last));
    let own = own.into_iter().map(|(topic, id, subscription)| {
        (format!("{}:{id}", topic.name), world.place.arn("sns", &topic.name), id, subscription)
    });
    let rest = rest.map(|of| (key(of), of.topic_arn.clone(), of.id.as_str(), &of.subscription));
    let mut page: Vec<_> = own.chain(rest).take(PAGE + 1).collect();
    let is_last = page.len() <= PAGE;
    page.truncate(PAGE);
    let next = page.last().filter(|_| !is_last).map(|(key, ..)| page_token::seal(&of, key));
    let subscriptions = page.into_iter().map(|(_, topic_arn, id, subscription)| show(&topic_arn, id, subscription));
    let mut answer = Map::from_iter([("Subscriptions".to_owned(), subscriptions.collect::<Value>())]);
    if let Some(next) = next {
        answer.insert("NextToken".into(), next.into());
    }
    Ok(Value::Object(answer))
}

fn show(topic_arn: &str, id: &str, subscription: &Subscription) -> Value {
    let arn = if subscription.is_pending() { "PendingConfirmation".into() } else { format!("{topic_arn}:{id}") };
    json!({
        "SubscriptionArn": arn,
        "Owner": subscription.owner,
        "Protocol": subscription.protocol.text(),
        "Endpoint": subscription.endpoint,
        "TopicArn": topic_arn,
    })
}

/// Topic and id of the member `SubscriptionArn`.
fn subscription_of(world: &World, input: Input<'_>) -> Result<(String, String), ApiError> {
    let (topic, id) = subscription_id(&world.place, input.required("SubscriptionArn")?)?;
    Ok((topic.to_owned(), id.to_owned()))
}

pub fn get_attributes(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let (topic, id) = subscription_of(world, input)?;
    let (sns, mut cx) = world.sns_cx();
    Ok(json!({ "Attributes": sns.subscription_attributes(&mut cx, &topic, &id)? }))
}

pub fn set_attributes(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let (topic, id) = subscription_of(world, input)?;
    let attribute = input.required("AttributeName")?;
    let value = input.text("AttributeValue")?.unwrap_or("");
    let (sns, mut cx) = world.sns_cx();
    sns.set_subscription_attribute(&mut cx, &topic, &id, attribute, value)?;
    Ok(nothing())
}
