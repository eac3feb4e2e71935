//! `midwatch policy`: the least IAM policy that the pollers need, and with `--actions` what the actions need on top. It
//! is made of the table of operations: nothing else is ever called.

use crate::aws::operations::{OPERATIONS, Operation};
use crate::cli::PolicyArgs;
use crate::faces::say;
use crate::failure::Failure;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub fn run(arguments: &PolicyArgs) -> Result<u8, Failure> {
    say(&policy(arguments.actions)).map(|()| 0)
}

/// The policy as JSON text with its line's end.
pub fn policy(with_actions: bool) -> String {
    let mut statements = vec![statement("MidwatchPolls", |operation| !operation.changes)];
    if with_actions {
        statements.push(statement("MidwatchActions", |operation| operation.changes));
    }
    format!("{:#}\n", json!({ "Version": "2012-10-17", "Statement": statements }))
}

fn statement(sid: &str, is_in: impl Fn(&Operation) -> bool) -> Value {
    let operations = OPERATIONS.iter().filter(|operation| is_in(operation));
    let actions: BTreeSet<&str> =
        operations.flat_map(|operation| operation.also_needs.iter().copied().chain([operation.permission])).collect();
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*" })
}
