//! SNS on the wire: each operation's members in, typed calls, AWS's members out. SNS speaks only the query protocol.

mod abroad;
mod attributes;
mod input;
mod publish;
mod push;
mod subscriptions;
mod text_messages;
mod topics;

#[cfg(test)]
mod tests;

use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::sns::error;
use crate::sim::wire::{Answer, Call, Reply, Request, page_token, unknown_operation};
use crate::sim::world::World;
use input::Input;
use serde_json::{Map, Value};

/// Topics and subscriptions of one page.
const PAGE: usize = 100;

/// Answers one operation of SNS.
pub fn answer(world: &mut World, call: &mut Call, operation: &str, input: &Value) -> Answer {
    let input = Input::of(input)?;
    if abroad::leaves(world, call, operation, input) {
        return Ok(Reply::Later(world.now));
    }
    abroad::judge(world, call, operation, input)?;
    let (sns, cx) = world.sns_cx();
    sns.admit(&cx, operation)?;
    let output = match operation {
        "CreateTopic" => topics::create(world, input)?,
        "DeleteTopic" => topics::delete(world, input)?,
        "ListTopics" => topics::list(world, input)?,
        "GetTopicAttributes" => topics::get_attributes(world, input)?,
        "SetTopicAttributes" => topics::set_attributes(world, input)?,
        "AddPermission" => topics::add_permission(world, input)?,
        "RemovePermission" => topics::remove_permission(world, input)?,
        "TagResource" => topics::tag(world, input)?,
        "UntagResource" => topics::untag(world, input)?,
        "ListTagsForResource" => topics::list_tags(world, input)?,
        "Subscribe" => subscriptions::subscribe(world, call, input)?,
        "ConfirmSubscription" => subscriptions::confirm(world, call, input)?,
        "Unsubscribe" => subscriptions::unsubscribe(world, call, input)?,
        "ListSubscriptions" => subscriptions::list(world, input)?,
        "ListSubscriptionsByTopic" => subscriptions::list_by_topic(world, input)?,
        "GetSubscriptionAttributes" => subscriptions::get_attributes(world, input)?,
        "SetSubscriptionAttributes" => subscriptions::set_attributes(world, input)?,
        "Publish" => publish::one(world, call, input)?,
        "PublishBatch" => publish::batch(world, call, input)?,
        "GetDataProtectionPolicy" => topics::get_data_protection(world, input)?,
        "PutDataProtectionPolicy" => topics::put_data_protection(world, input)?,
        "SetSMSAttributes" => text_messages::set_attributes(world, input)?,
        "GetSMSAttributes" => text_messages::get_attributes(world, input)?,
        "CheckIfPhoneNumberIsOptedOut" => text_messages::is_opted_out(world, input)?,
        "ListPhoneNumbersOptedOut" => text_messages::list_opted_out(world, input)?,
        "OptInPhoneNumber" => text_messages::opt_in(world, input)?,
        _ => push(world, operation, input)?,
    };
    Ok(Reply::Done(output))
}

/// The operations of mobile push.
fn push(world: &mut World, operation: &str, input: Input<'_>) -> Result<Value, ApiError> {
    match operation {
        "CreatePlatformApplication" => push::create_application(world, input),
        "DeletePlatformApplication" => push::delete_application(world, input),
        "GetPlatformApplicationAttributes" => push::get_application(world, input),
        "SetPlatformApplicationAttributes" => push::set_application(world, input),
        "ListPlatformApplications" => push::list_applications(world, input),
        "CreatePlatformEndpoint" => push::create_endpoint(world, input),
        "DeleteEndpoint" => push::delete_endpoint(world, input),
        "GetEndpointAttributes" => push::get_endpoint(world, input),
        "SetEndpointAttributes" => push::set_endpoint(world, input),
        "ListEndpointsByPlatformApplication" => push::list_endpoints(world, input),
        _ => Err(unknown_operation()),
    }
}

/// The answer of operations that have no members.
fn nothing() -> Value {
    Value::Object(Map::new())
}

/// Where links in messages lead: the address that the caller used, unless that is AWS's own.
fn links(place: &Place, request: &Request) -> String {
    let host = request.header("host").filter(|host| {
        let name = host.split(':').next().unwrap_or(host);
        !name.is_empty() && !name.ends_with(".amazonaws.com") && !name.ends_with(".api.aws")
    });
    host.map_or_else(|| aws_links(place), |host| format!("http://{host}"))
}

/// AWS's own address.
pub fn aws_links(place: &Place) -> String {
    format!("https://sns.{}.amazonaws.com", place.region)
}

/// The list that a page is of, for its tokens.
fn list_of(place: &Place, what: &str) -> String {
    format!("sns {} {} {what}", place.account, place.region)
}

/// What came last before a page; a token that no page of this list gave out is refused.
fn read_token(input: Input<'_>, of: &str) -> Result<Option<String>, ApiError> {
    read_page_token(input, "NextToken", of)
}

/// The same where the member is written another way.
fn read_page_token(input: Input<'_>, member: &str, of: &str) -> Result<Option<String>, ApiError> {
    let Some(token) = input.text(member)?.filter(|token| !token.is_empty()) else { return Ok(None) };
    let last = page_token::open(of, token);
    last.map(Some).ok_or_else(|| error::invalid_parameter("NextToken Reason: Invalid token"))
}
