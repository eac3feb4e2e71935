//! What an assignment's right side comes to.

use super::Operand;
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::value::{Item, Value};
use crate::sim::error::ApiError;

impl Operand {
    /// The value, taken from the item as it was before the update.
    ///
    /// Errors: `ValidationException` for what is not in the item or cannot be added or appended.
    pub(super) fn resolve(&self, item: &Item) -> Result<Value, ApiError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Path(path) => path.get(item).cloned().ok_or_else(|| {
                fault::validation("The provided expression refers to an attribute that does not exist in the item")
            }),
            Self::IfNotExists(path, other) => match path.get(item) {
                Some(value) => Ok(value.clone()),
                None => other.resolve(item),
            },
            Self::ListAppend(first, second) => match (first.resolve(item)?, second.resolve(item)?) {
                (Value::L(mut first), Value::L(second)) => {
                    first.extend(second);
                    Ok(Value::L(first))
                }
                _ => Err(wrong_type()),
            },
            Self::Plus(left, right) => match (left.resolve(item)?, right.resolve(item)?) {
                (Value::N(left), Value::N(right)) => left.plus(right).map(Value::N),
                _ => Err(wrong_type()),
            },
            Self::Minus(left, right) => match (left.resolve(item)?, right.resolve(item)?) {
                (Value::N(left), Value::N(right)) => left.minus(right).map(Value::N),
                _ => Err(wrong_type()),
            },
            // No update has it; a condition resolves its own.
            Self::Size(_) => Err(wrong_type()),
        }
    }
}

pub(super) fn wrong_type() -> ApiError {
    fault::validation("An operand in the update expression has an incorrect data type")
}
