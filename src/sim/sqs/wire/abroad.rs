//! Queues of other accounts: a call about one goes to its owner, whose queue judges by its policy who may do what
//! (SQS "Limitations of Amazon SQS custom policies", "Grant cross-account permissions to a role and a username").

use crate::sim::access::{self, Asking, Judgement, Who};
use crate::sim::error::ApiError;
use crate::sim::sqs::error;
use crate::sim::sqs::wire::address::{owner_of, queue_of};
use crate::sim::sqs::wire::input::Input;
use crate::sim::sqs::wire::queues::queue_name;
use crate::sim::wire::Call;
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

/// Whether a call is about another account's queue, and leaves for it.
pub fn leaves(world: &World, call: &mut Call, operation: &str, input: Input<'_>) -> bool {
    let text = |member: &str| input.text(member).ok().flatten();
    let owner = match operation {
        "GetQueueUrl" => text("QueueOwnerAWSAccountId"),
        _ => text("QueueUrl").and_then(owner_of),
    };
    owner.is_some_and(|owner| owner != world.place.account && call.leave(world, owner, &world.place.region))
}

/// Looks at a call from another account: its queue's policy must let it in. One that waits has been looked at.
/// Errors: AccessDenied, QueueDoesNotExist.
pub fn judge(world: &World, call: &Call, operation: &str, input: Input<'_>) -> Result<(), ApiError> {
    let Some(visitor) = call.visitor().filter(|_| call.ticket.is_none()) else { return Ok(()) };
    let asks_for_url = operation == "GetQueueUrl";
    let name = if asks_for_url { queue_name(input)?.to_owned() } else { queue_of(world, input)? };
    let missing = if asks_for_url { error::no_such_queue_or_no_access } else { error::queue_does_not_exist };
    let queue = world.sqs.queue(&name).ok_or_else(missing)?;
    let action = format!("sqs:{}", operation.strip_suffix("Batch").unwrap_or(operation).to_ascii_lowercase());
    let arn = world.place.arn("sqs", &name);
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
