//! Tables' and indexes' names in requests.

use crate::sim::dynamodb::fault;
use crate::sim::error::ApiError;
pub use crate::sim::wire::input::{Input, Violations};

/// The table that a request names, by its name or its ARN. Errors: `ValidationException`.
pub fn table_of(input: Input<'_>) -> Result<String, ApiError> {
    let mut violations = Violations::default();
    violations.required(input, "TableName");
    violations.finish()?;
    table_name(input.text("TableName")?.unwrap_or_default())
}

/// As [`table_of`], in a request that needs another member beside. Errors: `ValidationException`.
pub fn table_and(input: Input<'_>, member: &str) -> Result<String, ApiError> {
    let mut violations = Violations::default();
    violations.required(input, "TableName");
    violations.required(input, member);
    violations.finish()?;
    table_of(input)
}

/// As [`table_of`], in a request about tables. Errors: `ValidationException`.
pub fn named_table(input: Input<'_>) -> Result<String, ApiError> {
    let missing = || fault::validation("The parameter 'TableName' is required but was not present in the request");
    table_name(input.text("TableName")?.ok_or_else(missing)?)
}

/// The table's name in a name or an ARN. Errors: `ValidationException`.
pub fn table_name(text: &str) -> Result<String, ApiError> {
    let name = match text.strip_prefix("arn:") {
        Some(_) => text.rsplit_once(":table/").map_or("", |(_, name)| name),
        None => text,
    };
    check_name("TableName", name)?;
    Ok(name.to_owned())
}

/// A table's or an index's name. Errors: `ValidationException`.
pub fn check_name(member: &str, name: &str) -> Result<(), ApiError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if !(3..=255).contains(&name.len()) {
        let words = "must be at least 3 characters long and at most 255 characters long";
        return Err(fault::validation(format!("{member} {words}")));
    }
    if !name.bytes().all(fits) {
        let mut violations = Violations::default();
        violations.add(&format!("'{name}'"), member, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
        return violations.finish();
    }
    Ok(())
}
