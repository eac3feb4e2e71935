//! The model's bounds for members at any depth: each takes the member and the path that AWS's words give for it.

use crate::sim::error::ApiError;
use crate::sim::wire::input::{Input, Violations};
use crate::sim::wire::pattern;

/// Tags of one request, at most.
const TAGS_MAX: usize = 50;
/// The patterns of keys and values.
const KEY_PATTERN: &str = r"^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$";
const VALUE_PATTERN: &str = r"^[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$";

/// A text with so many characters that fits a pattern.
pub fn text(
    given: Input<'_>,
    member: &str,
    path: &str,
    (least, most, wanted): (usize, usize, &str),
    violations: &mut Violations,
) -> Result<(), ApiError> {
    let Some(text) = given.text(member)? else { return Ok(()) };
    let shown = format!("'{text}'");
    if !pattern::fits(wanted, text) {
        violations.add(&shown, path, &format!("Member must satisfy regular expression pattern: {wanted}"));
    }
    check_length(text, path, (least, most), violations);
    Ok(())
}

fn check_length(text: &str, path: &str, (least, most): (usize, usize), violations: &mut Violations) {
    let words = match text.chars().count() {
        count if count < least => format!("greater than or equal to {least}"),
        count if count > most => format!("less than or equal to {most}"),
        _ => return,
    };
    violations.add(&format!("'{text}'"), path, &format!("Member must have length {words}"));
}

/// A whole number between two bounds.
pub fn integer(
    given: Input<'_>,
    member: &str,
    path: &str,
    (least, most): (i64, i64),
    violations: &mut Violations,
) -> Result<(), ApiError> {
    let Some(value) = given.integer(member)? else { return Ok(()) };
    let words = if value < least {
        format!("greater than or equal to {least}")
    } else if value > most {
        format!("less than or equal to {most}")
    } else {
        return Ok(());
    };
    violations.add(&format!("'{value}'"), path, &format!("Member must have value {words}"));
    Ok(())
}

/// One of a closed set of texts.
pub fn one_of(
    given: Input<'_>,
    member: &str,
    path: &str,
    choices: &[&str],
    violations: &mut Violations,
) -> Result<(), ApiError> {
    if let Some(text) = given.text(member)?.filter(|text| !choices.contains(text)) {
        let words = format!("Member must satisfy enum value set: [{}]", choices.join(", "));
        violations.add(&format!("'{text}'"), path, &words);
    }
    Ok(())
}

/// `Tags`: from 1 to 50 of them, whose keys are none of AWS's own.
pub fn tags(input: Input<'_>, violations: &mut Violations) -> Result<(), ApiError> {
    let Some(tags) = input.structures("Tags")? else { return Ok(()) };
    if tags.is_empty() {
        violations.add_unseen("tags", "Member must have length greater than or equal to 1");
    }
    if tags.len() > TAGS_MAX {
        violations.add_unseen("tags", &format!("Member must have length less than or equal to {TAGS_MAX}"));
    }
    let is_legal = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@%".contains(c);
    for (index, tag) in tags.iter().enumerate() {
        let path = |member: &str| format!("tags.{}.member.{member}", index + 1);
        let (key, value) = (tag.text("Key")?, tag.text("Value")?);
        for (text, member, least, most, pattern) in
            [(key, "key", 1, 128, KEY_PATTERN), (value, "value", 0, 256, VALUE_PATTERN)]
        {
            let Some(text) = text else {
                if member == "key" {
                    violations.add("null", &path(member), "Member must not be null");
                }
                continue;
            };
            if !text.chars().all(is_legal) || member == "key" && text.starts_with("aws:") {
                let words = format!("Member must satisfy regular expression pattern: {pattern}");
                violations.add(&format!("'{text}'"), &path(member), &words);
            }
            check_length(text, &path(member), (least, most), violations);
        }
    }
    Ok(())
}
