//! IAM's requests: members in, the account's alias out.

use crate::sim::error::ApiError;
use crate::sim::wire::{Answer, Reply, unknown_operation};
use crate::sim::world::World;
use serde_json::{Value, json};

/// Items of a page (IAM `maxItemsType`).
const ITEMS_MAX: i64 = 1000;
/// Characters of a marker (IAM `markerType`).
const MARKER_MAX: usize = 320;

/// Answers one operation.
pub fn answer(world: &mut World, operation: &str, input: &Value) -> Answer {
    let value = match operation {
        "ListAccountAliases" => {
            check_page(input)?;
            json!({ "IsTruncated": false, "AccountAliases": Vec::from_iter(world.iam.alias()) })
        }
        "CreateAccountAlias" => {
            world.iam.create_alias(alias(input)?)?;
            json!({})
        }
        "DeleteAccountAlias" => {
            world.iam.delete_alias(alias(input)?)?;
            json!({})
        }
        _ => return Err(unknown_operation()),
    };
    Ok(Reply::Done(value))
}

fn alias(input: &Value) -> Result<&str, ApiError> {
    input["AccountAlias"].as_str().ok_or_else(|| constraint("null", "accountAlias", "Member must not be null"))
}

/// One alias is one page, so a marker leads nowhere; what no marker can be is refused.
fn check_page(input: &Value) -> Result<(), ApiError> {
    if let Some(items) = input["MaxItems"].as_i64() {
        let bound = match items {
            ..1 => Some("greater than or equal to 1".to_owned()),
            n if n > ITEMS_MAX => Some(format!("less than or equal to {ITEMS_MAX}")),
            _ => None,
        };
        if let Some(bound) = bound {
            return Err(constraint(&format!("'{items}'"), "maxItems", &format!("Member must have value {bound}")));
        }
    }
    if let Some(marker) = input["Marker"].as_str() {
        let bound = match marker.chars().count() {
            0 => "greater than or equal to 1".to_owned(),
            n if n > MARKER_MAX => format!("less than or equal to {MARKER_MAX}"),
            _ => return Ok(()),
        };
        return Err(constraint(&format!("'{marker}'"), "marker", &format!("Member must have length {bound}")));
    }
    Ok(())
}

fn constraint(value: &str, member: &str, words: &str) -> ApiError {
    let message =
        format!("1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: {words}");
    ApiError::client("ValidationError", message)
}
