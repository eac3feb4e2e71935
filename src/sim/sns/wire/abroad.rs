//! Topics of other accounts: a call about one goes to its owner, whose topic judges by its policy who may do what; a
//! subscription belongs to the account that made it (SNS "Using identity-based policies", "Access policy language").

use crate::sim::access::{self, Asking, Judgement, Who};
use crate::sim::error::ApiError;
use crate::sim::sns::arn::{Arn, subscription_id};
use crate::sim::sns::wire::input::Input;
use crate::sim::sns::{error, policy};
use crate::sim::wire::Call;
use crate::sim::wire::visit::Visitor;
use crate::sim::world::World;

/// The ARN that a call is about.
fn about<'a>(operation: &str, input: Input<'a>) -> Option<&'a str> {
    let text = |member: &str| input.text(member).ok().flatten();
    match operation {
        "Unsubscribe" | "GetSubscriptionAttributes" | "SetSubscriptionAttributes" => text("SubscriptionArn"),
        "Publish" => text("TopicArn").or_else(|| text("TargetArn")),
        _ => text("TopicArn"),
    }
}

/// Whether a call is about another account's topic, and leaves for it. Endpoints of mobile apps stay at home.
pub fn leaves(world: &World, call: &mut Call, operation: &str, input: Input<'_>) -> bool {
    let arn = about(operation, input).and_then(Arn::parse);
    let arn = arn.filter(|arn| arn.service == "sns" && arn.region == world.place.region && !arn.resource.contains('/'));
    arn.is_some_and(|arn| arn.account != world.place.account && call.leave(world, arn.account, arn.region))
}

/// Looks at a call from another account. Errors: AuthorizationError, NotFound.
pub fn judge(world: &World, call: &Call, operation: &str, input: Input<'_>) -> Result<(), ApiError> {
    let Some(visitor) = call.visitor() else { return Ok(()) };
    match operation {
        // Whoever has the token was told it.
        "ConfirmSubscription" => Ok(()),
        "Unsubscribe" | "GetSubscriptionAttributes" | "SetSubscriptionAttributes" => {
            own_subscription(world, visitor, operation, input)
        }
        _ => by_policy(world, visitor, operation, input),
    }
}

fn by_policy(world: &World, visitor: &Visitor, operation: &str, input: Input<'_>) -> Result<(), ApiError> {
    let name = about(operation, input).and_then(Arn::parse).map_or("", |arn| arn.resource);
    let topic = world.sns.topic(name).ok_or_else(error::topic_does_not_exist)?;
    let arn = world.place.arn("sns", name);
    let text = match &topic.attributes.policy {
        Some(policy) => policy.text(),
        None => policy::default_policy(&world.place, &arn).text(),
    };
    let action = format!("SNS:{}", operation.strip_suffix("Batch").unwrap_or(operation));
    let who = Who::Caller { account: &visitor.account, identity: &visitor.identity };
    match access::judge(&text, &arn, &Asking { who, action: &action.to_ascii_lowercase() }) {
        Judgement::Allows => Ok(()),
        refused => Err(refusal(visitor, &action, &arn, refused)),
    }
}

fn own_subscription(world: &World, visitor: &Visitor, operation: &str, input: Input<'_>) -> Result<(), ApiError> {
    let arn = input.required("SubscriptionArn")?;
    let (topic, id) = subscription_id(&world.place, arn)?;
    let subscription = world.sns.subscription(topic, id)?;
    if subscription.owner == visitor.account {
        return Ok(());
    }
    Err(refusal(visitor, &format!("SNS:{operation}"), &world.place.arn("sns", topic), Judgement::IsSilent))
}

fn refusal(visitor: &Visitor, action: &str, arn: &str, judgement: Judgement) -> ApiError {
    let message = access::refusal(&visitor.identity, action, arn, judgement);
    ApiError::client("AuthorizationError", message).with_status(403)
}
