//! Whether a queue's policy lets SNS send to it: the statements about `sqs:SendMessage`, judged as AWS judges them.

use serde_json::Value;

/// Who asks: a topic.
pub struct Asking<'a> {
    /// The topic's ARN, `aws:SourceArn` in a policy.
    pub topic: &'a str,
    /// The account that owns the topic, `aws:SourceAccount`.
    pub account: &'a str,
}

/// Whether a policy allows it, and does not deny it.
pub fn lets_in(policy: &str, queue: &str, asking: &Asking<'_>) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else { return false };
    let statements = match policy.get("Statement") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let mut allowed = false;
    for statement in statements.iter().filter(|statement| is_about(statement, queue, asking)) {
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Deny") => return false,
            Some("Allow") => allowed = true,
            _ => {}
        }
    }
    allowed
}

fn is_about(statement: &Value, queue: &str, asking: &Asking<'_>) -> bool {
    let who = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(principal), _) => is_sns(principal),
        (None, Some(principal)) => !is_sns(principal),
        (None, None) => false,
    };
    let action = |pattern: &str| matches(&pattern.to_ascii_lowercase(), "sqs:sendmessage");
    let what = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), _) => texts(actions).any(action),
        (None, Some(actions)) => !texts(actions).any(action),
        (None, None) => false,
    };
    // AWS takes a queue's policy without a resource to be about the queue.
    let which = statement.get("Resource").is_none_or(|wanted| texts(wanted).any(|pattern| matches(pattern, queue)));
    who && what && which && holds(statement.get("Condition"), asking)
}

/// `"*"`, `{"AWS": "*"}` or `{"Service": "sns.amazonaws.com"}`.
fn is_sns(principal: &Value) -> bool {
    match principal {
        Value::String(name) => name == "*",
        Value::Object(kinds) => kinds.iter().any(|(kind, names)| {
            texts(names).any(|name| name == "*" || (kind == "Service" && name == "sns.amazonaws.com"))
        }),
        _ => false,
    }
}

/// Whether every condition holds. One that is not known here does not.
fn holds(conditions: Option<&Value>, asking: &Asking<'_>) -> bool {
    let Some(Value::Object(conditions)) = conditions else { return conditions.is_none_or(Value::is_null) };
    conditions.iter().all(|(operator, keys)| match keys {
        Value::Object(keys) => keys.iter().all(|(key, wanted)| is_met(operator, key, wanted, asking)),
        _ => false,
    })
}

fn is_met(operator: &str, key: &str, wanted: &Value, asking: &Asking<'_>) -> bool {
    let given = match key.to_ascii_lowercase().as_str() {
        "aws:sourcearn" => Some(asking.topic),
        "aws:sourceaccount" => Some(asking.account),
        "aws:securetransport" => Some("true"),
        "aws:principalisawsservice" => Some("true"),
        "aws:principalservicename" => Some("sns.amazonaws.com"),
        _ => None,
    };
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    if operator == "Null" {
        return texts(wanted).any(|text| (text == "true") == given.is_none());
    }
    let is_negative = operator.contains("Not");
    let Some(given) = given else { return if_exists || is_negative };
    let fits = |pattern: String| match operator {
        "StringEquals" | "StringNotEquals" => pattern == given,
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => pattern.eq_ignore_ascii_case(given),
        "Bool" => pattern.eq_ignore_ascii_case(given),
        "StringLike" | "StringNotLike" | "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" => {
            matches(&pattern, given)
        }
        _ => false,
    };
    let is_known = operator == "Bool" || operator.starts_with("String") || operator.starts_with("Arn");
    is_known && all_texts(wanted).into_iter().any(fits) != is_negative
}

/// The texts of one or many.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter().filter_map(Value::as_str)
}

/// The same of what may also be a number or a truth value.
fn all_texts(value: &Value) -> Vec<String> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect()
}

/// Whether a text fits a pattern in which `*` stands for any letters and `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut of) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while of < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[of] => {
                at += 1;
                of += 1;
            }
            _ => {
                let Some((after, taken)) = star else { return false };
                star = Some((after, taken + 1));
                at = after + 1;
                of = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const QUEUE: &str = "arn:aws:sqs:eu-west-1:123456789012:orders";
    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:promo";

    fn judged(statement: Value) -> bool {
        let policy = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
        lets_in(&policy, QUEUE, &Asking { topic: TOPIC, account: "123456789012" })
    }

    fn allow(principal: Value, condition: Value) -> Value {
        json!({ "Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": QUEUE,
            "Condition": condition })
    }

    #[test]
    fn who_is_let_in_is_sns_or_everybody() {
        assert!(judged(allow(json!({ "Service": "sns.amazonaws.com" }), Value::Null)));
        assert!(judged(allow(json!({ "Service": ["s3.amazonaws.com", "sns.amazonaws.com"] }), Value::Null)));
        assert!(judged(allow(json!("*"), Value::Null)));
        assert!(judged(allow(json!({ "AWS": "*" }), Value::Null)));
        assert!(!judged(allow(json!({ "Service": "s3.amazonaws.com" }), Value::Null)));
        assert!(!judged(allow(json!({ "AWS": "arn:aws:iam::123456789012:root" }), Value::Null)));
        assert!(!judged(json!([])));
    }

    #[test]
    fn conditions_are_about_the_topic() {
        let sns = || json!({ "Service": "sns.amazonaws.com" });
        for (operator, key, value, holds) in [
            ("ArnEquals", "aws:SourceArn", TOPIC, true),
            ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:pro?o", true),
            ("StringEquals", "AWS:SourceArn", TOPIC, true),
            ("StringEquals", "aws:SourceArn", "arn:aws:sns:*:*:promo", false),
            ("ArnEquals", "aws:SourceArn", "arn:aws:sns:eu-west-1:123456789012:other", false),
            ("ArnNotEquals", "aws:SourceArn", TOPIC, false),
            ("StringEquals", "aws:SourceAccount", "123456789012", true),
            ("StringNotEquals", "aws:SourceAccount", "123456789012", false),
            ("Bool", "aws:SecureTransport", "true", true),
            ("StringEquals", "aws:PrincipalOrgID", "o-1", false),
            ("StringEqualsIfExists", "aws:PrincipalOrgID", "o-1", true),
            ("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z", false),
        ] {
            assert_eq!(judged(allow(sns(), json!({ operator: { key: value } }))), holds, "{operator} {key} {value}");
        }
        let many = json!({ "ArnEquals": { "aws:SourceArn": ["arn:aws:sns:eu-west-1:123456789012:other", TOPIC] } });
        assert!(judged(allow(sns(), many)));
    }

    #[test]
    fn a_denial_prevails() {
        let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "SQS:*", "Resource": QUEUE,
            "Condition": { "Bool": { "aws:SecureTransport": "false" } } });
        assert!(judged(json!([allow(json!("*"), Value::Null), deny])), "of what comes unencrypted");
        let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "SQS:Send*", "Resource": "*" });
        assert!(!judged(json!([allow(json!("*"), Value::Null), deny])));
    }

    #[test]
    fn actions_and_resources_are_patterns() {
        let statement = |action: &str, resource: &str| json!({ "Effect": "Allow", "Principal": "*", "Action": [action], "Resource": resource });
        assert!(judged(statement("*", "*")));
        assert!(judged(statement("sqs:*", "arn:aws:sqs:*:123456789012:ord*")));
        assert!(judged(statement("SQS:SENDMESSAGE", QUEUE)));
        assert!(!judged(statement("sqs:ReceiveMessage", QUEUE)));
        assert!(!judged(statement("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:other")));
    }
}
