//! Reading what a client sent: members of the right type, values within their bounds, function names in all their forms.

use crate::sim::error::ApiError;
use crate::sim::lambda::function::{function_not_found, invalid_parameter};
use crate::sim::lambda::version::Qualifier;
use crate::sim::wire::{pattern, serialization_error};
use crate::sim::world::World;
use serde_json::{Map, Value};

/// The members of a JSON object, read strictly: a wrong type is a SerializationException, `null` is absence.
#[derive(Clone, Copy)]
pub struct Members<'a>(pub &'a Map<String, Value>);

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

fn wrong_type(value: &Value, wanted: &str) -> ApiError {
    serialization_error(format!("{} can not be converted to {wanted}", kind_of(value)))
}

impl<'a> Members<'a> {
    fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn text(self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.get(name).map(|value| value.as_str().ok_or_else(|| wrong_type(value, "a String"))).transpose()
    }

    pub fn integer(self, name: &str) -> Result<Option<i64>, ApiError> {
        self.get(name).map(|value| value.as_i64().ok_or_else(|| wrong_type(value, "an Integer"))).transpose()
    }

    pub fn number(self, name: &str) -> Result<Option<f64>, ApiError> {
        self.get(name).map(|value| value.as_f64().ok_or_else(|| wrong_type(value, "a Timestamp"))).transpose()
    }

    pub fn flag(self, name: &str) -> Result<Option<bool>, ApiError> {
        self.get(name).map(|value| value.as_bool().ok_or_else(|| wrong_type(value, "a Boolean"))).transpose()
    }

    pub fn object(self, name: &str) -> Result<Option<Members<'a>>, ApiError> {
        let object = self.get(name).map(|value| value.as_object().ok_or_else(|| wrong_type(value, "an Object")));
        Ok(object.transpose()?.map(Members))
    }

    /// A list of texts.
    pub fn texts(self, name: &str) -> Result<Option<Vec<&'a str>>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let list = value.as_array().ok_or_else(|| wrong_type(value, "a List"))?;
        list.iter()
            .map(|item| item.as_str().ok_or_else(|| wrong_type(item, "a String")))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// A map of texts.
    pub fn text_map(self, name: &str) -> Result<Option<std::collections::BTreeMap<String, String>>, ApiError> {
        let Some(map) = self.object(name)? else { return Ok(None) };
        let entry = |(key, value): (&String, &Value)| match value.as_str() {
            Some(text) => Ok((key.clone(), text.to_owned())),
            None => Err(wrong_type(value, "a String")),
        };
        map.0.iter().map(entry).collect::<Result<_, _>>().map(Some)
    }
}

/// Values out of their bounds, told together as AWS does.
#[derive(Default)]
pub struct Violations(Vec<String>);

impl Violations {
    pub fn add(&mut self, value: &str, member: &str, constraint: &str) {
        self.0.push(format!("Value {value} at '{member}' failed to satisfy constraint: Member must {constraint}"));
    }

    /// A map whose keys or values are wrong, which AWS words differently.
    pub fn add_map(&mut self, value: &str, member: &str, constraint: &str) {
        self.0.push(format!("Value {value} at '{member}' failed to satisfy constraint: {constraint}"));
    }

    /// The same of a map whose values are kept from view.
    pub fn add_secret_map(&mut self, member: &str, constraint: &str) {
        self.0.push(format!("Value at '{member}' failed to satisfy constraint: {constraint}"));
    }

    /// `member` is the name as AWS writes it here: in lower camel case.
    pub fn missing(&mut self, member: &str) {
        self.add("null", member, "not be null");
    }

    pub fn range(&mut self, value: Option<i64>, member: &str, least: i64, most: i64) {
        let Some(value) = value else { return };
        if value < least {
            self.add(&format!("'{value}'"), member, &format!("have value greater than or equal to {least}"));
        } else if value > most {
            self.add(&format!("'{value}'"), member, &format!("have value less than or equal to {most}"));
        }
    }

    pub fn length(&mut self, value: Option<&str>, member: &str, most: usize) {
        if let Some(text) = value.filter(|text| text.chars().count() > most) {
            self.add(&format!("'{text}'"), member, &format!("have length less than or equal to {most}"));
        }
    }

    pub fn pattern(&mut self, is_match: bool, value: &str, member: &str, pattern: &str) {
        if !is_match {
            let constraint = format!("satisfy regular expression pattern: {pattern}");
            self.add(&format!("'{value}'"), member, &constraint);
        }
    }

    /// The model's pattern, which the whole value must fit.
    pub fn fits(&mut self, value: Option<&str>, member: &str, pattern: &str) {
        if let Some(text) = value {
            self.pattern(pattern::fits(pattern, text), text, member, pattern);
        }
    }

    pub fn one_of(&mut self, value: Option<&str>, member: &str, choices: &[&str]) {
        if let Some(text) = value.filter(|text| !choices.contains(text)) {
            let constraint = format!("satisfy enum value set: [{}]", choices.join(", "));
            self.add(&format!("'{text}'"), member, &constraint);
        }
    }

    /// What a request's path names, when neither it nor what was looked at before is out of its bounds; else a
    /// ValidationException that counts the violations of both.
    pub fn check_with(mut self, path: Result<FunctionRef, ApiError>) -> Result<FunctionRef, ApiError> {
        let of_path = path.as_ref().err().filter(|error| error.code == "ValidationException");
        if let Some((_, told)) = of_path.and_then(|error| error.message.split_once(" detected: ")) {
            self.0.push(told.to_owned());
        }
        self.check()?;
        path
    }

    /// A ValidationException when there were any.
    pub fn check(self) -> Result<(), ApiError> {
        let count = self.0.len();
        if count == 0 {
            return Ok(());
        }
        let errors = if count == 1 { "error" } else { "errors" };
        let message = format!("{count} validation {errors} detected: {}", self.0.join("; "));
        Err(ApiError::client("ValidationException", message))
    }
}

/// `FunctionName`'s pattern [CreateFunction].
pub const NAME_PATTERN: &str = "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?\
     (\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";

/// The same for the operations that take more [GetFunction, Invoke, DeleteFunction].
const WIDE_NAME_PATTERN: &str = "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?\
     (\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?";

/// Operations that a function's policy may open to other accounts; all others refuse them outright [Lambda
/// "Resource-based policies"].
const RESOURCE_BASED: &[&str] = &[
    "CreateAlias",
    "DeleteAlias",
    "DeleteFunction",
    "DeleteFunctionConcurrency",
    "DeleteFunctionEventInvokeConfig",
    "DeleteProvisionedConcurrencyConfig",
    "GetAlias",
    "GetFunction",
    "GetFunctionConcurrency",
    "GetFunctionConfiguration",
    "GetFunctionEventInvokeConfig",
    "GetPolicy",
    "GetProvisionedConcurrencyConfig",
    "Invoke",
    "InvokeAsync",
    "InvokeWithResponseStream",
    "ListAliases",
    "ListFunctionEventInvokeConfigs",
    "ListProvisionedConcurrencyConfigs",
    "ListTags",
    "ListVersionsByFunction",
    "PublishVersion",
    "PutFunctionConcurrency",
    "PutFunctionEventInvokeConfig",
    "PutProvisionedConcurrencyConfig",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateFunctionCode",
    "UpdateFunctionEventInvokeConfig",
];

/// Whether a function's policy may open an operation to other accounts.
pub fn is_shared(operation: &str) -> bool {
    RESOURCE_BASED.contains(&operation)
}

/// `AccessDeniedException` as Lambda says it: without a word.
fn access_denied() -> ApiError {
    ApiError::client("AccessDeniedException", "").with_status(403).with_member("Message", Value::Null)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A function as a request names it.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionRef {
    pub name: String,
    pub qualifier: Option<String>,
    /// Of another region or account, what AWS says to it.
    pub foreign: Option<ApiError>,
}

impl FunctionRef {
    /// What a request's path names.
    pub fn of(world: &World, route: &super::Route) -> Result<Self, ApiError> {
        Self::parse_for(world, &route.target, route.operation)
    }

    /// Reads a name, `NAME:QUALIFIER`, `ACCOUNT:function:NAME` or a whole ARN. What fits none is a
    /// ValidationException.
    pub fn parse(world: &World, text: &str) -> Result<Self, ApiError> {
        Self::parse_for(world, text, "ListTags")
    }

    /// The same by the rules of one operation: what a name may hold and how long it may be, and what is said to other
    /// accounts.
    pub fn parse_for(world: &World, text: &str, operation: &str) -> Result<Self, ApiError> {
        let parts: Vec<&str> = text.split(':').collect();
        let (region, account, rest) = match parts.as_slice() {
            ["arn", _, "lambda", region, account, "function", rest @ ..] => (Some(*region), Some(*account), rest),
            [account, "function", rest @ ..] if account.len() == 12 => (None, Some(*account), rest),
            ["function", rest @ ..] if !rest.is_empty() => (None, None, rest),
            rest => (None, None, rest),
        };
        let (name, qualifier) = match rest {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(*qualifier)),
            _ => ("", None),
        };
        let is_qualifier = qualifier.is_none_or(|q| q == "$LATEST" || is_name(q));
        let mut violations = Violations::default();
        let is_wide = matches!(operation, "GetFunction" | "Invoke" | "DeleteFunction");
        let pattern = if is_wide { WIDE_NAME_PATTERN } else { NAME_PATTERN };
        let is_fit = is_name(name) && is_qualifier;
        violations.pattern(is_fit, text, "functionName", pattern);
        let is_bare = text == name;
        if is_fit || operation == "CreateFunction" {
            let longest = match operation {
                "CreateFunction" if is_bare => 64,
                "CreateFunction" | "DeleteFunction" => 140,
                _ => 170,
            };
            violations.length(Some(text), "functionName", longest);
        }
        if operation == "CreateFunction" && is_bare {
            violations.check().map_err(|error| invalid_parameter(error.message))?;
        } else {
            violations.check()?;
        }
        let here = &world.place.region;
        let foreign = match region.filter(|region| region != here) {
            Some(region) => {
                let message = format!("Functions from '{region}' are not reachable in this region ('{here}')");
                Some(ApiError::client("ResourceNotFoundException", message).with_status(404))
            }
            None => account
                .filter(|account| *account != world.place.account)
                .map(|_| if is_shared(operation) { function_not_found(text) } else { access_denied() }),
        };
        Ok(Self { name: name.to_owned(), qualifier: qualifier.map(str::to_owned), foreign })
    }

    /// The qualifier that the name bears or the query gives; both must agree where both are there.
    fn qualifier(&self, asked: Option<&str>) -> Result<Qualifier, ApiError> {
        let asked = asked.filter(|text| !text.is_empty());
        if let Some(text) = asked {
            let mut violations = Violations::default();
            let is_fit = text == "$LATEST" || text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_$".contains(&b));
            violations.length(Some(text), "qualifier", 128);
            violations.pattern(is_fit, text, "qualifier", "\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+");
            violations.check()?;
        }
        match (self.qualifier.as_deref(), asked) {
            (Some(own), Some(asked)) if own != asked => Err(invalid_parameter(
                "The derived qualifier from the function name does not match the specified qualifier.",
            )),
            (own, asked) => Ok(Qualifier::parse(own.or(asked))),
        }
    }

    /// Name and qualifier, whether or not there is such a function. One of another account or region is not.
    pub fn named(self, asked: Option<&str>) -> Result<(String, Qualifier), ApiError> {
        let qualifier = self.qualifier(asked)?;
        match self.foreign {
            Some(error) => Err(error),
            None => Ok((self.name, qualifier)),
        }
    }

    /// A function that exists, with a version or an alias of it that exists; else a ResourceNotFoundException.
    pub fn resolve(self, world: &World, asked: Option<&str>) -> Result<(String, Qualifier), ApiError> {
        let (name, qualifier) = self.named(asked)?;
        let found = world.lambda.named(&name).and_then(|function| function.qualified(&qualifier));
        if found.is_none() {
            let arn = world.place.arn("lambda", &format!("function:{name}"));
            return Err(function_not_found(&qualifier.arn(&arn)));
        }
        Ok((name, qualifier))
    }

    /// A function as such: versions and aliases are refused, as the operations on whole functions do.
    pub fn whole(self, world: &World) -> Result<String, ApiError> {
        let (name, qualifier) = self.named(None)?;
        if qualifier != Qualifier::Unqualified {
            return Err(invalid_parameter(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support this \
                 operation. Please specify either a function name or an unqualified function ARN.",
            ));
        }
        if world.lambda.named(&name).is_none() {
            return Err(function_not_found(&world.place.arn("lambda", &format!("function:{name}"))));
        }
        Ok(name)
    }
}
