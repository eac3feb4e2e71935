//! Who may do what with a function. A call that names another account's function goes to its owner, where the policies of
//! the function, and of the version or alias that is named, decide; what they deny they deny the owner, too (Lambda
//! "Granting Lambda function access to other accounts"; IAM "Policy evaluation logic").

use super::Route;
use super::input::{FunctionRef, is_shared};
use crate::sim::access::{self, Asking, Judgement, Who};
use crate::sim::error::ApiError;
use crate::sim::lambda::{Function, Qualifier};
use crate::sim::sts;
use crate::sim::wire::Call;
use crate::sim::world::World;

/// What the owner may whatever the policy says, as its root user may at AWS: nobody is locked out of his own function.
const NEVER_DENIED: [&str; 7] = [
    "AddPermission",
    "DeleteFunction",
    "DeleteResourcePolicy",
    "GetPolicy",
    "GetResourcePolicy",
    "PutResourcePolicy",
    "RemovePermission",
];

/// Whether a call is about another account's function, in a way that a policy may allow, and leaves for it.
pub fn leaves(world: &World, call: &mut Call, route: &Route) -> bool {
    if !is_shared(route.operation) {
        return false;
    }
    let parts: Vec<&str> = route.target.split(':').collect();
    let owner = match parts.as_slice() {
        ["arn", _, "lambda", region, account, "function", ..] if *region == world.place.region => account,
        [account, "function", ..] => account,
        _ => return false,
    };
    *owner != world.place.account && call.leave(world, owner, &world.place.region)
}

/// Looks at a call: one from another account must be let in, one of the owner's must not be denied. One that waits has
/// been looked at; what is wrong with a call otherwise is for the operation to say. Errors: AccessDeniedException.
pub fn judge(world: &World, call: &Call, route: &Route) -> Result<(), ApiError> {
    if call.ticket.is_some() {
        return Ok(());
    }
    let Some((function, qualifier)) = about(world, route) else { return Ok(()) };
    let own;
    let (account, identity) = match call.visitor() {
        Some(visitor) => (&visitor.account, &visitor.identity),
        None if function.policies.is_empty() || NEVER_DENIED.contains(&route.operation) => return Ok(()),
        None => {
            own = sts::identity(world, &call.request);
            (&world.place.account, &own)
        }
    };
    let action = action_of(route.operation);
    let asking = Asking { who: Who::Caller { account, identity }, action: &action.to_ascii_lowercase() };
    let judgement = function.judge_access(&qualifier, &asking);
    match (judgement, call.visitor()) {
        (Judgement::Allows, _) | (Judgement::IsSilent, None) => Ok(()),
        (refused, _) => {
            let message = access::refusal(identity, &action, &function.qualified_arn(&qualifier), refused);
            Err(ApiError::client("AccessDeniedException", message).with_status(403))
        }
    }
}

/// The function of this account that a call is about, and what of it.
fn about<'w>(world: &'w World, route: &Route) -> Option<(&'w Function, Qualifier)> {
    if !route.operation.contains("Layer") && !route.target.is_empty() {
        let named = FunctionRef::of(world, route).and_then(|named| named.named(route.parameter("Qualifier")));
        let (name, qualifier) = named.ok()?;
        return Some((world.lambda.named(&name)?, qualifier));
    }
    None
}

/// The three ways to invoke a function are one permission, but for the oldest.
fn action_of(operation: &str) -> String {
    match operation {
        "Invoke" | "InvokeWithResponseStream" => "lambda:InvokeFunction".to_owned(),
        other => format!("lambda:{other}"),
    }
}
