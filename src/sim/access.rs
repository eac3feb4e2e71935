//! Whether a queue's or a topic's policy lets somebody in: its statements about one action, judged as AWS judges them.

use crate::sim::cloudtrail::Identity;
use serde_json::Value;

/// Who asks, and for what.
pub struct Asking<'a> {
    pub who: Who<'a>,
    /// Such as `sqs:sendmessage`, in small letters.
    pub action: &'a str,
}

pub enum Who<'a> {
    /// SNS for a topic. The topic's ARN is `aws:SourceArn` in a policy, the account that owns it `aws:SourceAccount`.
    Topic { arn: &'a str, account: &'a str },
    /// A user or a role's session of an account.
    Caller { account: &'a str, identity: &'a Identity },
}

/// What a policy says of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    Allows,
    /// By a statement whose effect it is.
    Denies,
    /// Nothing: who is not let in by anything else stays out.
    IsSilent,
}

/// What a policy says. A denial prevails.
pub fn judge(policy: &str, resource: &str, asking: &Asking<'_>) -> Judgement {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else { return Judgement::IsSilent };
    let statements = match policy.get("Statement") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let mut judgement = Judgement::IsSilent;
    for statement in statements.iter().filter(|statement| is_about(statement, resource, asking)) {
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Deny") => return Judgement::Denies,
            Some("Allow") => judgement = Judgement::Allows,
            _ => {}
        }
    }
    judgement
}

/// AWS's words for who is not let in, such as `User: … is not authorized to perform: sqs:sendmessage on resource: …`.
pub fn refusal(identity: &Identity, action: &str, resource: &str, judgement: Judgement) -> String {
    let why = match judgement {
        Judgement::Denies => "with an explicit deny in a resource-based policy".to_owned(),
        _ => format!("because no resource-based policy allows the {action} action"),
    };
    format!("User: {} is not authorized to perform: {action} on resource: {resource} {why}", identity.arn)
}

fn is_about(statement: &Value, resource: &str, asking: &Asking<'_>) -> bool {
    let who = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(principal), _) => is_principal(principal, &asking.who),
        (None, Some(principal)) => !is_principal(principal, &asking.who),
        (None, None) => false,
    };
    let action = |pattern: &str| matches(&pattern.to_ascii_lowercase(), asking.action);
    let what = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), _) => texts(actions).any(action),
        (None, Some(actions)) => !texts(actions).any(action),
        (None, None) => false,
    };
    // AWS takes a queue's policy without a resource to be about the queue.
    let which = statement.get("Resource").is_none_or(|wanted| texts(wanted).any(|pattern| matches(pattern, resource)));
    who && what && which && holds(statement.get("Condition"), &asking.who)
}

/// `"*"` and `{"AWS": "*"}` are everybody; `{"Service": "sns.amazonaws.com"}` is SNS; an account, its root, a user, a
/// role or a role's session may stand under `AWS`.
fn is_principal(principal: &Value, who: &Who<'_>) -> bool {
    let is_named = |kind: &str, name: &str| match who {
        Who::Topic { .. } => kind == "Service" && name == "sns.amazonaws.com",
        Who::Caller { account, identity } => {
            let root = name.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
            let is_own_role = || principal_arn(account, identity) == name;
            kind == "AWS" && (name == *account || root == Some(account) || name == identity.arn || is_own_role())
        }
    };
    match principal {
        Value::String(name) => name == "*",
        Value::Object(kinds) => {
            kinds.iter().any(|(kind, names)| texts(names).any(|name| name == "*" || is_named(kind, name)))
        }
        _ => false,
    }
}

/// `aws:PrincipalArn`: of a session, its role's ARN.
fn principal_arn(account: &str, identity: &Identity) -> String {
    match &identity.role {
        Some(role) => format!("arn:aws:iam::{account}:role/{role}"),
        None => identity.arn.clone(),
    }
}

/// Whether every condition holds. One that is not known here does not.
fn holds(conditions: Option<&Value>, who: &Who<'_>) -> bool {
    let Some(Value::Object(conditions)) = conditions else { return conditions.is_none_or(Value::is_null) };
    conditions.iter().all(|(operator, keys)| match keys {
        Value::Object(keys) => keys.iter().all(|(key, wanted)| is_met(operator, key, wanted, who)),
        _ => false,
    })
}

/// What a condition's key says of who asks; `None` where it says nothing.
fn given(key: &str, who: &Who<'_>) -> Option<String> {
    let text = match (key.to_ascii_lowercase().as_str(), who) {
        ("aws:securetransport", _) => "true",
        ("aws:sourcearn", Who::Topic { arn, .. }) => arn,
        ("aws:sourceaccount", Who::Topic { account, .. }) => account,
        ("aws:principalisawsservice", Who::Topic { .. }) => "true",
        ("aws:principalservicename", Who::Topic { .. }) => "sns.amazonaws.com",
        ("aws:principalarn", Who::Caller { account, identity }) => return Some(principal_arn(account, identity)),
        // The second is what the policy that a topic begins with asks for.
        ("aws:principalaccount" | "aws:sourceowner", Who::Caller { account, .. }) => account,
        ("aws:principalisawsservice" | "aws:viaawsservice", Who::Caller { .. }) => "false",
        ("aws:username", Who::Caller { identity, .. }) if identity.kind == "IAMUser" => &identity.name,
        _ => return None,
    };
    Some(text.to_owned())
}

fn is_met(operator: &str, key: &str, wanted: &Value, who: &Who<'_>) -> bool {
    let given = given(key, who);
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    if operator == "Null" {
        return texts(wanted).any(|text| (text == "true") == given.is_none());
    }
    let is_known = operator == "Bool" || operator.starts_with("String") || operator.starts_with("Arn");
    if !is_known {
        return false;
    }
    let is_negative = operator.contains("Not");
    let Some(given) = given else { return if_exists || is_negative };
    let fits = |pattern: String| match operator {
        "StringEquals" | "StringNotEquals" => pattern == given,
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => pattern.eq_ignore_ascii_case(&given),
        "Bool" => pattern.eq_ignore_ascii_case(&given),
        "StringLike" | "StringNotLike" | "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" => {
            matches(&pattern, &given)
        }
        _ => false,
    };
    all_texts(wanted).into_iter().any(fits) != is_negative
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
    use crate::sim::cx::Place;
    use serde_json::json;

    const QUEUE: &str = "arn:aws:sqs:eu-west-1:123456789012:orders";
    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:promo";

    fn judged(statement: Value) -> bool {
        let policy = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
        let who = Who::Topic { arn: TOPIC, account: "123456789012" };
        judge(&policy, QUEUE, &Asking { who, action: "sqs:sendmessage" }) == Judgement::Allows
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
            ("NotIpAddress", "aws:SourceIp", "192.0.2.0/24", false),
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

    #[test]
    fn callers_are_named_by_account_root_user_role_or_session() {
        let place = Place { account: "111122223333".into(), region: "eu-west-1".into(), limits: true };
        let (user, session) = (
            Identity::user(&place, "ana", Some("111122223333")),
            Identity::session(&place, "reader", "s1", "ASIAEXAMPLE"),
        );
        let judged = |identity: &Identity, principal: Value, condition: Value| {
            let policy = json!({ "Statement": allow(principal, condition) }).to_string();
            let who = Who::Caller { account: "111122223333", identity };
            judge(&policy, QUEUE, &Asking { who, action: "sqs:sendmessage" }) == Judgement::Allows
        };
        for (name, of_user, of_session) in [
            ("*", true, true),
            ("111122223333", true, true),
            ("arn:aws:iam::111122223333:root", true, true),
            ("arn:aws:iam::111122223333:user/ana", true, false),
            ("arn:aws:iam::111122223333:role/reader", false, true),
            ("arn:aws:sts::111122223333:assumed-role/reader/s1", false, true),
            ("arn:aws:iam::444455556666:root", false, false),
            ("sns.amazonaws.com", false, false),
        ] {
            assert_eq!(judged(&user, json!({ "AWS": name }), Value::Null), of_user, "{name}");
            assert_eq!(judged(&session, json!({ "AWS": [name] }), Value::Null), of_session, "{name}");
        }
        let from = |key: &str, value: &str| json!({ "StringEquals": { key: value } });
        assert!(judged(&session, json!("*"), from("aws:PrincipalArn", "arn:aws:iam::111122223333:role/reader")));
        assert!(judged(&user, json!("*"), from("aws:PrincipalAccount", "111122223333")));
        assert!(!judged(&user, json!("*"), from("aws:PrincipalAccount", "444455556666")));
        assert!(!judged(&user, json!("*"), from("aws:SourceAccount", "111122223333")), "no service asks");
        assert!(!judged(&user, json!({ "Service": "sns.amazonaws.com" }), Value::Null));
        let refused = refusal(&user, "sqs:sendmessage", QUEUE, Judgement::Denies);
        assert!(refused.ends_with("orders with an explicit deny in a resource-based policy"), "{refused}");
    }
}
