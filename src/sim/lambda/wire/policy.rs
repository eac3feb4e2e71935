//! The operations on resource policies.

use super::input::{FunctionRef, Members, Violations};
use super::{Answer, Route};
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::lambda::alias::alias_not_found;
use crate::sim::lambda::function::{function_not_found, invalid_parameter};
use crate::sim::lambda::policy::no_policy;
use crate::sim::lambda::version::Qualifier;
use crate::sim::world::World;
use serde_json::{Map, Value, json};

const ACTION_PATTERN: &str = "(lambda:[*]|lambda:[a-zA-Z]+|[*])";
const SID_PATTERN: &str = "([a-zA-Z0-9-_]+)";

/// Where services have their names.
const SERVICE_DOMAINS: [&str; 3] = [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com"];

fn is_action(text: &str) -> bool {
    let operation = text.strip_prefix("lambda:");
    text == "*" || operation.is_some_and(|o| o == "*" || (!o.is_empty() && o.bytes().all(|b| b.is_ascii_alphabetic())))
}

fn is_sid(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// Whom a statement lets in: everybody, an account, a user or role, or a service.
fn principal(place: &Place, text: &str) -> Result<Value, ApiError> {
    let partition = place.arn("", "").split(':').nth(1).unwrap_or("aws").to_owned();
    if text == "*" {
        return Ok(json!("*"));
    }
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(json!({"AWS": format!("arn:{partition}:iam::{text}:root")}));
    }
    if text.starts_with("arn:") && text.split(':').count() >= 6 {
        return Ok(json!({ "AWS": text }));
    }
    let is_service = |domain: &&str| text.strip_suffix(domain).is_some_and(|service| !service.is_empty());
    if SERVICE_DOMAINS.iter().any(is_service) {
        return Ok(json!({ "Service": text }));
    }
    Err(invalid_parameter("The provided principal was invalid. Please check the principal and try again."))
}

fn condition(input: Members<'_>) -> Result<Option<Value>, ApiError> {
    let mut equals = Map::new();
    for (member, key) in [
        ("FunctionUrlAuthType", "lambda:FunctionUrlAuthType"),
        ("PrincipalOrgID", "aws:PrincipalOrgID"),
        ("SourceAccount", "AWS:SourceAccount"),
        ("EventSourceToken", "lambda:EventSourceToken"),
    ] {
        if let Some(text) = input.text(member)? {
            equals.insert(key.to_owned(), text.into());
        }
    }
    let mut condition = Map::new();
    if !equals.is_empty() {
        condition.insert("StringEquals".to_owned(), Value::Object(equals));
    }
    if let Some(arn) = input.text("SourceArn")? {
        condition.insert("ArnLike".to_owned(), json!({ "AWS:SourceArn": arn }));
    }
    Ok((!condition.is_empty()).then_some(Value::Object(condition)))
}

/// The version or alias whose policy is meant. Errors: `ResourceNotFoundException`, in the words for a function that is
/// not there, for an alias, or for a version.
fn find(world: &World, route: &Route, no_function: fn(&str) -> ApiError) -> Result<(String, Qualifier), ApiError> {
    let (name, qualifier) = FunctionRef::of(world, route)?.named(route.parameter("Qualifier"))?;
    let arn = world.place.arn("lambda", &format!("function:{name}"));
    let function = world.lambda.named(&name).ok_or_else(|| no_function(&arn))?;
    match &qualifier {
        found if function.qualified(found).is_some() => Ok((name, qualifier)),
        Qualifier::Alias(alias) if !alias.contains('$') => Err(alias_not_found(&arn, alias)),
        other => Err(function_not_found(&other.arn(&arn))),
    }
}

/// What RemovePermission says of a function that is not there.
fn no_policy_found(arn: &str) -> ApiError {
    ApiError::client("ResourceNotFoundException", format!("No policy found for: {arn}")).with_status(404)
}

pub fn add(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let mut violations = Violations::default();
    for (member, shown) in [("StatementId", "statementId"), ("Action", "action"), ("Principal", "principal")] {
        if !input.has(member) {
            violations.missing(shown);
        }
    }
    let (sid, action) = (input.text("StatementId")?, input.text("Action")?);
    let auth_type = input.text("FunctionUrlAuthType")?;
    if let Some(sid) = sid {
        violations.pattern(is_sid(sid), sid, "statementId", SID_PATTERN);
        violations.length(Some(sid), "statementId", 100);
    }
    if let Some(action) = action {
        violations.pattern(is_action(action), action, "action", ACTION_PATTERN);
    }
    violations.one_of(auth_type, "functionUrlAuthType", &["NONE", "AWS_IAM"]);
    violations.check_with(FunctionRef::of(world, route))?;
    let (name, qualifier) = find(world, route, function_not_found)?;
    let sid = sid.unwrap_or_default();
    let arn = qualifier.arn(&world.place.arn("lambda", &format!("function:{name}")));
    let mut statement = json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal(&world.place, input.text("Principal")?.unwrap_or_default())?,
        "Action": action,
        "Resource": arn,
    });
    if let Some(condition) = condition(input)? {
        statement["Condition"] = condition;
    }
    let text = statement.to_string();
    let revision = input.text("RevisionId")?;
    let (lambda, mut cx) = world.lambda_cx();
    let function = lambda.named_mut(&name).ok_or_else(|| function_not_found(&arn))?;
    function.add_statement(&mut cx, &qualifier, sid, statement, revision)?;
    Ok(Answer::json(201, &json!({ "Statement": text })))
}

pub fn remove(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let (name, qualifier) = find(world, route, no_policy_found)?;
    let revision = route.parameter("RevisionId").filter(|text| !text.is_empty());
    let (lambda, mut cx) = world.lambda_cx();
    let function = lambda.named_mut(&name).ok_or_else(|| function_not_found(&name))?;
    function.remove_statement(&mut cx, &qualifier, &route.part, revision)?;
    Ok(Answer::empty(204))
}

pub fn get(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let (name, qualifier) = FunctionRef::of(world, route)?.named(route.parameter("Qualifier"))?;
    let (lambda, cx) = world.lambda_cx();
    let arn = cx.place.arn("lambda", &format!("function:{name}"));
    let function = lambda.named(&name).ok_or_else(|| function_not_found(&arn))?;
    let policy = function.policy(&qualifier).ok_or_else(no_policy)?;
    let revision = function.policy_revision(&cx, &qualifier);
    Ok(Answer::json(200, &json!({"Policy": policy.text(), "RevisionId": revision})))
}
