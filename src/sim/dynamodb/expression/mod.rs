//! Expressions: conditions, updates, projections, key conditions. Text is parsed with the request's names and values
//! put in, so that what is evaluated later is whole. The older parameters (`Expected`, `AttributeUpdates` …) become the
//! same conditions and actions in `legacy`.
//! Source: DynamoDB "Using expressions in DynamoDB".

mod bindings;
mod condition;
mod evaluate;
mod key_condition;
mod legacy;
mod lexer;
mod operand;
mod parser;
mod update;

pub use bindings::Bindings;
pub use condition::condition;
pub use key_condition::{KeyCondition, key_condition};
pub use legacy::{Entry, LegacyUpdate, actions_of, condition_of};
pub use parser::projection;
pub use update::{Action, apply, update, updated_paths};

use crate::sim::dynamodb::path::Path;
use crate::sim::dynamodb::value::Value;

/// Which parameter an expression is of; messages begin with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    Condition,
    Filter,
    KeyCondition,
    Projection,
    Update,
}

impl Parameter {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Condition => "ConditionExpression",
            Self::Filter => "FilterExpression",
            Self::KeyCondition => "KeyConditionExpression",
            Self::Projection => "ProjectionExpression",
            Self::Update => "UpdateExpression",
        }
    }
}

/// What stands on a side of a comparison or of an assignment.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Path(Path),
    Value(Value),
    Size(Path),
    /// What the path leads to, else the other.
    IfNotExists(Path, Box<Operand>),
    ListAppend(Box<Operand>, Box<Operand>),
    Plus(Box<Operand>, Box<Operand>),
    Minus(Box<Operand>, Box<Operand>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Comparator {
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "<>",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// A condition on one item.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    Compare(Comparator, Operand, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    NotExists(Path),
    /// The attribute's type has this descriptor.
    IsType(Path, String),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
}

impl Condition {
    /// Every attribute that it speaks of.
    pub fn attributes(&self) -> Vec<&str> {
        match self {
            Self::Compare(_, a, b) | Self::BeginsWith(a, b) | Self::Contains(a, b) => {
                a.attribute().into_iter().chain(b.attribute()).collect()
            }
            Self::Between(a, b, c) => [a, b, c].into_iter().filter_map(Operand::attribute).collect(),
            Self::In(a, all) => std::iter::once(a).chain(all).filter_map(Operand::attribute).collect(),
            Self::Exists(path) | Self::NotExists(path) | Self::IsType(path, _) => vec![&path.attribute],
            Self::And(a, b) | Self::Or(a, b) => [a.attributes(), b.attributes()].concat(),
            Self::Not(a) => a.attributes(),
        }
    }
}

impl Operand {
    fn attribute(&self) -> Option<&str> {
        match self {
            Self::Path(path) | Self::Size(path) => Some(&path.attribute),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
