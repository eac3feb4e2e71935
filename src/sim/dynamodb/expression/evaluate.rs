//! Whether an item meets a condition.

use super::{Comparator, Condition, Operand};
use crate::sim::dynamodb::number::Number;
use crate::sim::dynamodb::path::Path;
use crate::sim::dynamodb::value::{Item, Value};
use std::borrow::Cow;
use std::cmp::Ordering;

impl Condition {
    /// What is not in the item, or of another type, meets no comparison but `<>`.
    pub fn holds(&self, item: &Item) -> bool {
        match self {
            Self::Compare(comparator, left, right) => compare(*comparator, left, right, item),
            Self::Between(operand, low, high) => {
                compare(Comparator::Ge, operand, low, item) && compare(Comparator::Le, operand, high, item)
            }
            Self::In(operand, all) => all.iter().any(|one| compare(Comparator::Eq, operand, one, item)),
            Self::Exists(path) => path.get(item).is_some(),
            Self::NotExists(path) => path.get(item).is_none(),
            Self::IsType(path, kind) => path.get(item).is_some_and(|value| value.kind() == kind),
            Self::BeginsWith(text, prefix) => {
                match (resolve(text, item).as_deref(), resolve(prefix, item).as_deref()) {
                    (Some(Value::S(text)), Some(Value::S(prefix))) => text.starts_with(prefix.as_str()),
                    (Some(Value::B(text)), Some(Value::B(prefix))) => text.starts_with(prefix),
                    _ => false,
                }
            }
            Self::Contains(whole, part) => match (resolve(whole, item).as_deref(), resolve(part, item).as_deref()) {
                (Some(whole), Some(part)) => contains(whole, part),
                _ => false,
            },
            Self::And(left, right) => left.holds(item) && right.holds(item),
            Self::Or(left, right) => left.holds(item) || right.holds(item),
            Self::Not(inner) => !inner.holds(item),
        }
    }
}

fn resolve<'a>(operand: &'a Operand, item: &'a Item) -> Option<Cow<'a, Value>> {
    match operand {
        Operand::Path(path) => path.get(item).map(Cow::Borrowed),
        Operand::Value(value) => Some(Cow::Borrowed(value)),
        Operand::Size(path) => size(path, item).map(Cow::Owned),
        _ => None,
    }
}

/// Bytes of texts and binaries, members of sets, lists and maps; numbers and truths have no size.
fn size(path: &Path, item: &Item) -> Option<Value> {
    let size = match path.get(item)? {
        Value::S(text) => text.len(),
        Value::B(bytes) => bytes.len(),
        Value::Ss(set) => set.len(),
        Value::Ns(set) => set.len(),
        Value::Bs(set) => set.len(),
        Value::L(values) => values.len(),
        Value::M(members) => members.len(),
        Value::N(_) | Value::Bool(_) | Value::Null => return None,
    };
    Some(Value::N(Number::from(size as u64)))
}

fn compare(comparator: Comparator, left: &Operand, right: &Operand, item: &Item) -> bool {
    let (left, right) = (resolve(left, item), resolve(right, item));
    let is_equal = left.is_some() && left == right;
    let by_order = |wanted: fn(Ordering) -> bool| match (&left, &right) {
        (Some(left), Some(right)) => order(left, right).is_some_and(wanted),
        _ => false,
    };
    match comparator {
        Comparator::Eq => is_equal,
        Comparator::Ne => !is_equal,
        Comparator::Lt => by_order(Ordering::is_lt),
        Comparator::Le => by_order(Ordering::is_le),
        Comparator::Gt => by_order(Ordering::is_gt),
        Comparator::Ge => by_order(Ordering::is_ge),
    }
}

/// The order of two texts, numbers or binaries; none across types.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::S(a), Value::S(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Value::N(a), Value::N(b)) => Some(a.cmp(b)),
        (Value::B(a), Value::B(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::S(whole), Value::S(part)) => whole.contains(part.as_str()),
        (Value::B(whole), Value::B(part)) => {
            part.is_empty() || whole.windows(part.len()).any(|window| window == &part[..])
        }
        (Value::Ss(set), Value::S(one)) => set.contains(one),
        (Value::Ns(set), Value::N(one)) => set.contains(one),
        (Value::Bs(set), Value::B(one)) => set.contains(one),
        (Value::L(values), one) => values.contains(one),
        _ => false,
    }
}
