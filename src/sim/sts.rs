//! STS: who is calling. A caller uses it to learn the account before anything else.

use crate::sim::cloudtrail::Identity;
use crate::sim::error::ApiError;
use crate::sim::wire::{self, Answer, Reply, Request};
use crate::sim::world::World;
use serde_json::json;

/// The IAM user that long-term keys belong to.
const USER: &str = "midwatch";

/// Who makes a request.
pub fn identity(world: &World, request: &Request) -> Identity {
    Identity::user(&world.place, USER, wire::caller(request).access_key.as_deref())
}

/// Answers the one operation that an on-call console needs.
pub fn answer(world: &World, operation: &str) -> Answer {
    match operation {
        "GetCallerIdentity" => {
            let account = &world.place.account;
            Ok(Reply::Done(json!({
                "Arn": format!("arn:aws:iam::{account}:user/midwatch"),
                "UserId": "AIDAMIDWATCHENGINE00",
                "Account": account,
            })))
        }
        other => {
            Err(ApiError::client("InvalidAction", format!("Could not find operation {other} for version 2011-06-15")))
        }
    }
}
