//! What a queue's policy may say. SQS refuses a text that is no policy, or one about another service's actions, without
//! a word on what is wrong with it (SQS "Basic examples of Amazon SQS policies"; IAM "Grammar of the IAM JSON policy
//! language").

use serde_json::{Map, Value};

const MEMBERS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_MEMBERS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// Whether the text is a policy that a queue can have.
pub fn is_policy(text: &str) -> bool {
    let Ok(Value::Object(policy)) = serde_json::from_str(text) else { return false };
    let is_version = |version: &Value| matches!(version.as_str(), Some("2008-10-17" | "2012-10-17"));
    let statements = match policy.get("Statement") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    policy.keys().all(|member| MEMBERS.contains(&member.as_str()))
        && policy.get("Version").is_none_or(is_version)
        && !statements.is_empty()
        && statements.iter().all(|statement| statement.as_object().is_some_and(is_statement))
}

fn is_statement(statement: &Map<String, Value>) -> bool {
    let one_of = |member: &str, is_fit: fn(&Value) -> bool| {
        let not = format!("Not{member}");
        match (statement.get(member), statement.get(&not)) {
            (Some(value), None) | (None, Some(value)) => is_fit(value),
            _ => false,
        }
    };
    let has_resource = ["Resource", "NotResource"].iter().any(|member| statement.contains_key(*member));
    statement.keys().all(|member| STATEMENT_MEMBERS.contains(&member.as_str()))
        && matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny"))
        && one_of("Principal", is_principal)
        && one_of("Action", |actions| all(actions, is_action))
        // AWS takes a statement without a resource to be about the queue.
        && (!has_resource || one_of("Resource", |resources| all(resources, |name| !name.is_empty())))
        && statement.get("Condition").is_none_or(Value::is_object)
}

/// `"*"`, or accounts, users, roles, services and federations by kind.
fn is_principal(principal: &Value) -> bool {
    match principal {
        Value::String(name) => name == "*",
        Value::Object(kinds) => {
            let is_kind = |(kind, names): (&String, &Value)| match kind.as_str() {
                "AWS" => all(names, is_aws_principal),
                "Service" => all(names, |name| name == "*" || name.contains('.')),
                "Federated" | "CanonicalUser" => all(names, |name| !name.is_empty()),
                _ => false,
            };
            !kinds.is_empty() && kinds.iter().all(is_kind)
        }
        _ => false,
    }
}

/// Everybody, an account, an identity of one, or the id of a user or role.
fn is_aws_principal(name: &str) -> bool {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_id =
        |text: &str| text.len() >= 16 && text.starts_with('A') && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let mut parts = name.splitn(6, ':');
    let is_arn = parts.next() == Some("arn")
        && parts.nth(1).is_some_and(|service| matches!(service, "iam" | "sts"))
        && parts.nth(1).is_some_and(is_account)
        && parts.next().is_some_and(|identity| !identity.is_empty());
    name == "*" || is_account(name) || is_id(name) || is_arn
}

/// An action of SQS, in letters of any size, with wildcards.
fn is_action(name: &str) -> bool {
    let of_service = name.split_once(':').filter(|(service, _)| service.eq_ignore_ascii_case("sqs"));
    let is_named = |action: &str| {
        !action.is_empty() && action.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'?'))
    };
    name == "*" || of_service.is_some_and(|(_, action)| is_named(action))
}

/// Whether each text of one or many is fit, and there is one.
fn all(value: &Value, is_fit: impl Fn(&str) -> bool) -> bool {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    !list.is_empty() && list.iter().all(|item| item.as_str().is_some_and(&is_fit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn statement() -> Value {
        json!({
            "Sid": "s", "Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sqs:SendMessage",
            "Resource": "arn:aws:sqs:eu-west-1:123456789012:orders",
        })
    }

    fn is_taken(member: &str, value: Value) -> bool {
        let mut statement = statement();
        statement[member] = value;
        is_policy(&json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string())
    }

    #[test]
    fn what_people_write_is_taken() {
        for (member, value) in [
            ("Effect", json!("Deny")),
            ("Principal", json!("*")),
            ("Principal", json!({ "AWS": ["*", "arn:aws:iam::123456789012:root"] })),
            ("Principal", json!({ "AWS": "arn:aws:iam::123456789012:role/path/reader" })),
            ("Principal", json!({ "Service": ["sns.amazonaws.com", "events.amazonaws.com"] })),
            ("Action", json!(["SQS:*", "sqs:Receive*"])),
            ("Action", json!("*")),
            ("Resource", json!("*")),
            ("Condition", json!({ "ArnLike": { "aws:SourceArn": "arn:aws:sns:*:*:*" } })),
        ] {
            assert!(is_taken(member, value.clone()), "{member} {value}");
        }
        assert!(is_policy(&json!({ "Statement": statement() }).to_string()), "one alone, of no version");
        let without = json!({ "Statement": { "Effect": "Allow", "Principal": "*", "Action": "sqs:*" } });
        assert!(is_policy(&without.to_string()), "about the queue");
    }

    #[test]
    fn what_is_no_policy_of_a_queue_is_refused() {
        for (member, value) in [
            ("Effect", json!("Foo")),
            ("Principal", json!("123456789012")),
            ("Principal", json!({ "AWS": "999" })),
            ("Principal", json!({ "AWS": "arn:aws:iam::999:root" })),
            ("Principal", json!({ "AWS": [] })),
            ("Principal", json!({ "Somebody": "*" })),
            ("NotPrincipal", json!("*")),
            ("Action", json!("sns:Publish")),
            ("Action", json!(["sqs:SendMessage", "s3:GetObject"])),
            ("Action", json!("SendMessage")),
            ("Condition", json!("always")),
            ("Colour", json!("blue")),
        ] {
            assert!(!is_taken(member, value.clone()), "{member} {value}");
        }
        for text in ["", "[]", "{}", r#"{"Statement":[]}"#, r#"{"foo":"bar"}"#] {
            assert!(!is_policy(text), "{text}");
        }
        let of_version = |version: &str| json!({ "Version": version, "Statement": statement() }).to_string();
        assert!(is_policy(&of_version("2008-10-17")) && !is_policy(&of_version("2020-01-01")));
    }
}
