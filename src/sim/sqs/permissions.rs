//! AddPermission and RemovePermission: statements of a queue's policy, written and taken away by their label.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::sqs::{Sqs, error};
use serde_json::{Map, Value, json};

/// Statements that AddPermission may make of one policy.
const STATEMENTS_MAX: usize = 7;
/// Actions that an owner may not grant.
const OWNERS_ACTIONS: &[&str] = &[
    "AddPermission",
    "CancelMessageMoveTask",
    "CreateQueue",
    "DeleteQueue",
    "ListMessageMoveTasks",
    "ListQueueTags",
    "ListQueues",
    "RemovePermission",
    "SetQueueAttributes",
    "StartMessageMoveTask",
    "TagQueue",
    "UntagQueue",
];
/// Actions that an owner may grant.
const ACTIONS: [&str; 7] = [
    "*",
    "SendMessage",
    "ReceiveMessage",
    "DeleteMessage",
    "ChangeMessageVisibility",
    "GetQueueAttributes",
    "GetQueueUrl",
];

impl Sqs {
    /// Adds a statement that lets the accounts do the actions, under its label. Topics and callers of
    /// other accounts are judged by it: whoever calls as the owner may do everything.
    /// Errors: QueueDoesNotExist, InvalidParameterValue (label, action, account), MissingParameter, OverLimit.
    pub fn add_permission(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        label: &str,
        accounts: &[&str],
        actions: &[&str],
    ) -> Result<(), ApiError> {
        let arn = cx.place.arn("sqs", name);
        let statement = statement(&arn, label, accounts, actions)?;
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        let mut policy = Policy::of(queue.attributes.policy.as_deref(), &arn);
        if policy.statements.iter().any(|kept| is_labelled(kept, label)) {
            return Err(error::invalid_value(label, "Label", "Already exists."));
        }
        if policy.statements.len() >= STATEMENTS_MAX {
            let count = policy.statements.len() + 1;
            return Err(error::over_limit_because(format!(
                "{count} Statements were found, maximum allowed is {STATEMENTS_MAX}."
            )));
        }
        policy.statements.push(statement);
        queue.attributes.policy = policy.text();
        queue.modified_at = cx.now;
        Ok(())
    }

    /// Takes the statement of that label away, and the policy with its last one.
    /// Errors: QueueDoesNotExist, InvalidParameterValue (no such label).
    pub fn remove_permission(&mut self, cx: &mut Cx<'_>, name: &str, label: &str) -> Result<(), ApiError> {
        let arn = cx.place.arn("sqs", name);
        let queue = self.queue_mut(name)?;
        queue.act(cx);
        let mut policy = Policy::of(queue.attributes.policy.as_deref(), &arn);
        let before = policy.statements.len();
        policy.statements.retain(|kept| !is_labelled(kept, label));
        if policy.statements.len() == before {
            return Err(error::invalid_value(label, "Label", "can't find label."));
        }
        queue.attributes.policy = policy.text();
        queue.modified_at = cx.now;
        Ok(())
    }
}

fn statement(arn: &str, label: &str, accounts: &[&str], actions: &[&str]) -> Result<Value, ApiError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if label.is_empty() || label.len() > 80 || !label.chars().all(legal) {
        let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(error::invalid_value(label, "Label", reason));
    }
    if actions.is_empty() {
        return Err(error::missing_parameter("Actions"));
    }
    if actions.len() > STATEMENTS_MAX {
        let count = actions.len();
        return Err(error::over_limit_because(format!(
            "{count} Actions were found, maximum allowed is {STATEMENTS_MAX}."
        )));
    }
    if let Some(unknown) = actions.iter().find(|action| !ACTIONS.contains(action)) {
        let reason = if OWNERS_ACTIONS.contains(unknown) {
            "Only the queue owner is allowed to invoke this action."
        } else {
            "Please refer to the appropriate WSDL for a list of valid actions. "
        };
        return Err(error::invalid_value(format!("SQS:{unknown}"), "ActionName", reason));
    }
    let is_account = |account: &&str| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if accounts.is_empty() || !accounts.iter().all(is_account) {
        let shown = accounts.join(", ");
        return Err(error::invalid_value(format!("[{shown}]"), "PrincipalId", "Unable to verify."));
    }
    let principals = accounts.iter().map(|account| format!("arn:aws:iam::{account}:root")).collect();
    let actions = actions.iter().map(|action| format!("SQS:{action}")).collect();
    Ok(json!({
        "Sid": label,
        "Effect": "Allow",
        "Principal": { "AWS": one_or_many(principals) },
        "Action": one_or_many(actions),
        "Resource": arn,
    }))
}

/// AWS writes a list of one as the one.
fn one_or_many(mut texts: Vec<String>) -> Value {
    match texts.len() {
        1 => texts.remove(0).into(),
        _ => texts.into(),
    }
}

/// A policy in two parts: its statements, and the members around them.
struct Policy {
    around: Map<String, Value>,
    statements: Vec<Value>,
}

impl Policy {
    /// The queue's policy, or an empty one as AWS begins it.
    fn of(text: Option<&str>, arn: &str) -> Self {
        let mut around = match text.map(serde_json::from_str) {
            Some(Ok(Value::Object(members))) => members,
            _ => Map::from_iter([
                ("Version".to_owned(), "2008-10-17".into()),
                ("Id".to_owned(), format!("{arn}/SQSDefaultPolicy").into()),
            ]),
        };
        let statements = match around.remove("Statement") {
            Some(Value::Array(list)) => list,
            Some(one @ Value::Object(_)) => vec![one],
            _ => Vec::new(),
        };
        Self { around, statements }
    }

    fn text(mut self) -> Option<String> {
        if self.statements.is_empty() {
            return None;
        }
        self.around.insert("Statement".to_owned(), self.statements.into());
        Some(Value::Object(self.around).to_string())
    }
}

fn is_labelled(statement: &Value, label: &str) -> bool {
    statement.get("Sid").and_then(Value::as_str) == Some(label)
}
