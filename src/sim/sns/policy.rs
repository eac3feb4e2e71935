//! A topic's access policy as a document: the default one, AddPermission and RemovePermission. Callers of other
//! accounts are judged by it; whoever calls as the owner may do everything.

use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::sns::error;
use serde_json::{Map, Value, json};

/// Actions that a topic's policy may name.
const ACTIONS: [&str; 9] = [
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
    "Receive",
];
/// Statements of one policy, at most (AddPermission).
const STATEMENTS_MAX: usize = 100;

/// A policy document with a list of statements.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy(Map<String, Value>);

impl Policy {
    pub fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// Works on the list of statements; a single statement without a list becomes a list of one.
    fn edit<T>(&mut self, work: impl FnOnce(&mut Vec<Value>) -> T) -> T {
        let place = self.0.entry("Statement").or_insert(Value::Null);
        let mut statements = match place.take() {
            Value::Array(statements) => statements,
            Value::Null => Vec::new(),
            only => vec![only],
        };
        let done = work(&mut statements);
        *place = Value::Array(statements);
        done
    }

    /// AddPermission: a statement under this label that lets the accounts do these actions.
    pub fn add(&mut self, arn: &str, label: &str, accounts: &[&str], actions: &[&str]) -> Result<(), ApiError> {
        if actions.iter().any(|action| !ACTIONS.contains(action) && *action != "*") {
            return Err(error::invalid_parameter("Policy statement action out of service scope!"));
        }
        let principals = accounts.iter().map(|account| format!("arn:aws:iam::{account}:root")).collect();
        let actions = actions.iter().map(|action| format!("SNS:{action}")).collect();
        let statement = json!({
            "Sid": label,
            "Effect": "Allow",
            "Principal": { "AWS": one_or_many(principals) },
            "Action": one_or_many(actions),
            "Resource": arn,
        });
        self.edit(|statements| {
            if statements.iter().any(|statement| statement["Sid"] == label) {
                return Err(error::invalid_parameter("Statement already exists"));
            }
            if statements.len() >= STATEMENTS_MAX {
                return Err(error::invalid_parameter("Policy has too many statements"));
            }
            statements.push(statement);
            Ok(())
        })
    }

    /// RemovePermission: a label that is not there is no error.
    pub fn remove(&mut self, label: &str) {
        self.edit(|statements| statements.retain(|statement| statement["Sid"] != label));
    }
}

/// Policies write a list of one as that one.
fn one_or_many(mut texts: Vec<String>) -> Value {
    if texts.len() == 1 { Value::from(texts.remove(0)) } else { Value::from(texts) }
}

/// Reads the attribute `Policy`; empty text is the default policy again.
pub fn parse(text: &str, arn: &str) -> Result<Option<Policy>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |reason: &str| error::invalid_parameter(format!("Policy Error: {reason}"));
    let Ok(Value::Object(members)) = serde_json::from_str(text) else { return Err(wrong("null")) };
    let mut policy = Policy(members);
    let foreign = |statement: &Value| statement["Resource"].as_str().is_some_and(|named| named != arn && named != "*");
    if policy.edit(|statements| statements.iter().any(foreign)) {
        return Err(error::invalid_parameter("Policy statement resource out of service scope!"));
    }
    Ok(Some(policy))
}

/// The policy of a topic that was given none: only the owner may use it.
pub fn default_policy(place: &Place, arn: &str) -> Policy {
    let actions: Vec<String> = ACTIONS.iter().take(8).map(|action| format!("SNS:{action}")).collect();
    let document = json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": actions,
            "Resource": arn,
            "Condition": { "StringEquals": { "AWS:SourceOwner": place.account } },
        }],
    });
    match document {
        Value::Object(members) => Policy(members),
        _ => Policy(Map::new()),
    }
}
