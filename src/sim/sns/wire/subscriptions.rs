//! Operations on subscriptions as AWS's members.

use crate::sim::error::ApiError;
use crate::sim::fanout;
use crate::sim::sns::arn::{Arn, subscription_id};
use crate::sim::sns::wire::input::Input;
use crate::sim::sns::wire::topics::topic_of;
use crate::sim::sns::wire::{PAGE, links, list_of, nothing, read_token};
use crate::sim::sns::{Subscribe, error};
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
    page(world, input, None)
}

pub fn list_by_topic(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let topic = topic_of(world, input)?;
    if world.sns.topic(&topic).is_none() {
        return Err(error::topic_does_not_exist());
    }
    page(world, input, Some(&topic))
}

fn page(world: &World, input: Input<'_>, only: Option<&str>) -> Result<Value, ApiError> {
    let of = list_of(&world.place, &format!("subscriptions {}", only.unwrap_or_default()));
    let after = read_token(input, &of)?;
    let after = after.as_deref().map(|last| last.split_once(':').unwrap_or((last, "")));
    let mut page = world.sns.subscriptions_after(only, after, PAGE + 1);
    let is_last = page.len() <= PAGE;
    page.truncate(PAGE);
    let subscriptions: Vec<Value> = page
        .iter()
        .map(|(topic, id, subscription)| {
            let topic_arn = world.place.arn("sns", &topic.name);
            let arn =
                if subscription.is_pending() { "PendingConfirmation".into() } else { format!("{topic_arn}:{id}") };
            json!({
                "SubscriptionArn": arn,
                "Owner": subscription.owner,
                "Protocol": subscription.protocol.text(),
                "Endpoint": subscription.endpoint,
                "TopicArn": topic_arn,
            })
        })
        .collect();
    let mut answer = Map::from_iter([("Subscriptions".to_owned(), Value::from(subscriptions))]);
    if let (false, Some((topic, id, _))) = (is_last, page.last()) {
        answer.insert("NextToken".into(), page_token::seal(&of, &format!("{}:{id}", topic.name)).into());
    }
    Ok(Value::Object(answer))
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
