//! Who may do what with a topic. A call about another account's goes to its owner, whose topic judges by its policy; what
//! the policy denies it denies its own account, too; a subscription belongs to the account that made it (SNS "Using
//! identity-based policies", "Access policy language").

use crate::sim::access::{self, Asking, Judgement, Who};
use crate::sim::cloudtrail::Identity;
use crate::sim::error::ApiError;
use crate::sim::sns::arn::{Arn, subscription_id};
use crate::sim::sns::wire::input::Input;
use crate::sim::sns::{error, policy};
use crate::sim::sts;
use crate::sim::wire::Call;
use crate::sim::wire::visit::Visitor;
use crate::sim::world::World;

/// What the owner may whatever the policy says, as its root user may at AWS: nobody is locked out of his own topic. Of
/// the others ConfirmSubscription has the token for its right.
const NEVER_DENIED: [&str; 3] = ["ConfirmSubscription", "DeleteTopic", "SetTopicAttributes"];

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

/// Looks at a call: one from another account must be let in, one of the owner's must not be denied.
/// Errors: AuthorizationError, NotFound.
pub fn judge(world: &World, call: &Call, operation: &str, input: Input<'_>) -> Result<(), ApiError> {
    let Some(visitor) = call.visitor() else { return not_denied(world, call, operation, input) };
    match operation {
        // Whoever has the token was told it.
        "ConfirmSubscription" => Ok(()),
        "Unsubscribe" | "GetSubscriptionAttributes" | "SetSubscriptionAttributes" => {
            own_subscription(world, visitor, operation, input)
        }
        _ => by_policy(world, visitor, operation, input),
    }
}

fn not_denied(world: &World, call: &Call, operation: &str, input: Input<'_>) -> Result<(), ApiError> {
    let name = about(operation, input).and_then(Arn::parse).map(|arn| arn.resource);
    let topic = name.filter(|_| !NEVER_DENIED.contains(&operation)).and_then(|name| world.sns.topic(name));
    let (Some(name), Some(policy)) = (name, topic.and_then(|topic| topic.attributes.policy.as_ref())) else {
        return Ok(());
    };
    let (arn, action) = (world.place.arn("sns", name), action_of(operation));
    let identity = sts::identity(world, &call.request);
    let who = Who::Caller { account: &world.place.account, identity: &identity };
    match access::judge(&policy.text(), &arn, &Asking { who, action: &action.to_ascii_lowercase() }) {
        Judgement::Denies => Err(refusal(&identity, &action, &arn, Judgement::Denies)),
        _ => Ok(()),
    }
}

/// Entries of a batch are allowed as the single calls are.
fn action_of(operation: &str) -> String {
    format!("SNS:{}", operation.strip_suffix("Batch").unwrap_or(operation))
}

fn by_policy(world: &World, visitor: &Visitor, operation: &str, input: Input<'_>) -> Result<(), ApiError> {
    let name = about(operation, input).and_then(Arn::parse).map_or("", |arn| arn.resource);
    let topic = world.sns.topic(name).ok_or_else(error::topic_does_not_exist)?;
    let arn = world.place.arn("sns", name);
    let text = match &topic.attributes.policy {
        Some(policy) => policy.text(),
        None => policy::default_policy(&world.place, &arn).text(),
    };
    let action = action_of(operation);
    let who = Who::Caller { account: &visitor.account, identity: &visitor.identity };
    match access::judge(&text, &arn, &Asking { who, action: &action.to_ascii_lowercase() }) {
        Judgement::Allows => Ok(()),
        refused => Err(refusal(&visitor.identity, &action, &arn, refused)),
    }
}

fn own_subscription(world: &World, visitor: &Visitor, operation: &str, input: Input<'_>) -> Result<(), ApiError> {
    let arn = input.required("SubscriptionArn")?;
    let (topic, id) = subscription_id(&world.place, arn)?;
    let subscription = world.sns.subscription(topic, id)?;
    if subscription.owner == visitor.account {
        return Ok(());
    }
    let arn = world.place.arn("sns", topic);
    Err(refusal(&visitor.identity, &format!("SNS:{operation}"), &arn, Judgement::IsSilent))
}

fn refusal(identity: &Identity, action: &str, arn: &str, judgement: Judgement) -> ApiError {
    let message = access::refusal(identity, action, arn, judgement);
    ApiError::client("AuthorizationError", message).with_status(403)
}
