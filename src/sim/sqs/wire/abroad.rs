//! Who may do what with a queue. A call about another account's goes to its owner, whose queue judges by its policy (SQS
//! "Limitations of Amazon SQS custom policies", "Grant cross-account permissions to a role and a username"); what the
//! policy denies it denies its own account, too (IAM "Policy evaluation logic").

use crate::sim::access::{self, Asking, Judgement, Who};
use crate::sim::error::ApiError;
use crate::sim::sqs::error;
use crate::sim::sqs::wire::address::{owner_of, queue_of};
use crate::sim::sqs::wire::input::Input;
use crate::sim::sqs::wire::queues::queue_name;
use crate::sim::sts;
use crate::sim::wire::Call;
use crate::sim::wire::visit::Visitor;
use crate::sim::world::World;

/// "Cross-account permissions don't apply to the following actions": a policy that names them changes nothing.
const OWNERS_ALONE: [&str; 7] = [
    "AddPermission",
    "DeleteQueue",
    "ListQueueTags",
    "RemovePermission",
    "SetQueueAttributes",
    "TagQueue",
    "UntagQueue",
];

/// What the owner may whatever the policy says, as its root user may at AWS: nobody is locked out of his own queue.
const NEVER_DENIED: [&str; 2] = ["DeleteQueue", "SetQueueAttributes"];

/// Whether a call is about another account's queue, and leaves for it.
pub fn leaves(world: &World, call: &mut Call, operation: &str, input: Input<'_>) -> bool {
    let text = |member: &str| input.text(member).ok().flatten();
    let owner = match operation {
        "GetQueueUrl" => text("QueueOwnerAWSAccountId"),
        _ => text("QueueUrl").and_then(owner_of),
    };
    owner.is_some_and(|owner| owner != world.place.account && call.leave(world, owner, &world.place.region))
}

/// Looks at a call: the queue's policy must let it in that comes from another account, and must not deny one of its own.
/// One that waits has been looked at. Errors: AccessDenied, QueueDoesNotExist.
pub fn judge(world: &World, call: &Call, operation: &str, input: Input<'_>) -> Result<(), ApiError> {
    match call.visitor() {
        _ if call.ticket.is_some() => Ok(()),
        Some(visitor) => let_in(world, visitor, operation, input),
        None => not_denied(world, call, operation, input),
    }
}

/// What is wrong with the call otherwise is for the operation to say.
fn not_denied(world: &World, call: &Call, operation: &str, input: Input<'_>) -> Result<(), ApiError> {
    let name = match operation {
        _ if NEVER_DENIED.contains(&operation) => None,
        "GetQueueUrl" => queue_name(input).ok().map(str::to_owned),
        _ if input.text("QueueUrl").ok().flatten().is_none() => None,
        _ => queue_of(world, input).ok(),
    };
    let queue = name.as_deref().and_then(|name| world.sqs.queue(name));
    let (Some(name), Some(policy)) = (&name, queue.and_then(|queue| queue.attributes.policy.as_deref())) else {
        return Ok(());
    };
    let (arn, action) = (world.place.arn("sqs", name), action_of(operation));
    let identity = sts::identity(world, &call.request);
    let who = Who::Caller { account: &world.place.account, identity: &identity };
    match access::judge(policy, &arn, &Asking { who, action: &action }) {
        Judgement::Denies => Err(error::access_denied(access::refusal(&identity, &action, &arn, Judgement::Denies))),
        _ => Ok(()),
    }
}

/// Entries of a batch are allowed as the single calls are.
fn action_of(operation: &str) -> String {
    format!("sqs:{}", operation.strip_suffix("Batch").unwrap_or(operation).to_ascii_lowercase())
}

fn let_in(world: &World, visitor: &Visitor, operation: &str, input: Input<'_>) -> Result<(), ApiError> {
    let asks_for_url = operation == "GetQueueUrl";
    let name = if asks_for_url { queue_name(input)?.to_owned() } else { queue_of(world, input)? };
    let missing = if asks_for_url { error::no_such_queue_or_no_access } else { error::queue_does_not_exist };
    let queue = world.sqs.queue(&name).ok_or_else(missing)?;
    let (arn, action) = (world.place.arn("sqs", &name), action_of(operation));
    let who = Who::Caller { account: &visitor.account, identity: &visitor.identity };
    let judgement = match queue.attributes.policy.as_deref() {
        Some(policy) if !OWNERS_ALONE.contains(&operation) => {
            access::judge(policy, &arn, &Asking { who, action: &action })
        }
        _ => Judgement::IsSilent,
    };
    match judgement {
        Judgement::Allows => Ok(()),
        // Who may not know of a queue is not told that it is there.
        _ if asks_for_url => Err(missing()),
        refused => Err(error::access_denied(access::refusal(&visitor.identity, &action, &arn, refused))),
    }
}
