//! DynamoDB on the wire: each operation's JSON members in, typed calls, AWS's members out.

mod attribute;
mod batch;
mod describe;
mod input;
mod items;
mod search;
mod tables;
mod terms;
mod transact;

use super::metrics::publish_user_error;
use crate::sim::error::ApiError;
use crate::sim::wire::{Answer, Call, Reply, unknown_operation};
use crate::sim::world::World;
use input::Input;
use serde_json::Value;

/// What carries out one operation.
type Perform = fn(&mut World, Input<'_>) -> Result<Value, ApiError>;

/// Answers one operation of DynamoDB; unknown to the service are those that the engine does not have.
pub fn answer(world: &mut World, _call: &mut Call, operation: &str, input: &Value) -> Answer {
    let perform: Perform = match operation {
        "CreateTable" => tables::create,
        "DescribeTable" => tables::describe,
        "ListTables" => tables::list,
        "DeleteTable" => tables::delete,
        "UpdateTable" => tables::update,
        "DescribeLimits" => tables::limits,
        "DescribeEndpoints" => tables::endpoints,
        "DescribeTimeToLive" => tables::time_to_live,
        "UpdateTimeToLive" => tables::update_time_to_live,
        "DescribeContinuousBackups" => tables::continuous_backups,
        "TagResource" => tables::tag,
        "UntagResource" => tables::untag,
        "ListTagsOfResource" => tables::list_tags,
        "GetItem" => items::get,
        "PutItem" => items::put,
        "UpdateItem" => items::update,
        "DeleteItem" => items::delete,
        "Query" => search::query,
        "Scan" => search::scan,
        "BatchGetItem" => batch::get,
        "BatchWriteItem" => batch::write,
        "TransactWriteItems" => transact::write,
        "TransactGetItems" => transact::get,
        _ => return Err(unknown_operation()),
    };
    let answer = Input::of(input).and_then(|input| perform(world, input));
    if let Err(error) = &answer
        && matches!(error.code, "ValidationException" | "ResourceNotFoundException" | "ResourceInUseException")
    {
        let (_, mut cx) = world.dynamodb_cx();
        publish_user_error(&mut cx);
    }
    answer.map(Reply::Done)
}

#[cfg(test)]
mod tests;
