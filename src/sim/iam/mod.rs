//! IAM, as far as it names accounts: an account has one alias or none, and no two accounts have the same.
//!
//! IAM is in no region. A world is an account in one region, so whoever keeps the worlds brings each account's requests
//! of IAM to one of them, tells it which aliases other accounts have ([`Iam::taken_elsewhere`]), and carries the events
//! to the region that records them ([`RECORDED_IN`]). A scenario's alias is set with `create_alias`; `wire` answers
//! requests.

#[cfg(test)]
mod tests;
mod wire;

pub use wire::answer;

use crate::sim::error::ApiError;
use std::collections::BTreeSet;

/// The region whose event history has the events of IAM (CloudTrail "Global service events").
pub const RECORDED_IN: &str = "us-east-1";

/// Characters of an alias (IAM `accountAliasType`).
const ALIAS_MIN: usize = 3;
const ALIAS_MAX: usize = 63;

/// What IAM knows of an account.
#[derive(Default)]
pub struct Iam {
    alias: Option<String>,
    /// Aliases of other accounts, as of the request that is being answered.
    pub taken_elsewhere: BTreeSet<String>,
}

impl Iam {
    pub fn alias(&self) -> Option<&str> {
        self.alias.as_deref()
    }

    /// Gives the account this alias instead of the one that it has.
    ///
    /// Errors: ValidationError; EntityAlreadyExists where any account has it, this one included.
    pub fn create_alias(&mut self, alias: &str) -> Result<(), ApiError> {
        check(alias)?;
        if self.alias() == Some(alias) || self.taken_elsewhere.contains(alias) {
            let message = format!("The account alias {alias} already exists.");
            return Err(ApiError::client("EntityAlreadyExists", message).with_status(409));
        }
        self.alias = Some(alias.to_owned());
        Ok(())
    }

    /// Takes the account's alias away. Errors: ValidationError; NoSuchEntity where the account has another or none.
    pub fn delete_alias(&mut self, alias: &str) -> Result<(), ApiError> {
        check(alias)?;
        if self.alias() != Some(alias) {
            let message = format!("The account alias {alias} cannot be found.");
            return Err(ApiError::client("NoSuchEntity", message).with_status(404));
        }
        self.alias = None;
        Ok(())
    }
}

/// Whether an account may be called so: `^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$` (IAM `accountAliasType`).
pub fn is_alias(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (ALIAS_MIN..=ALIAS_MAX).contains(&text.len())
        && text.bytes().all(|byte| is_letter(byte) || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

fn check(alias: &str) -> Result<(), ApiError> {
    if is_alias(alias) {
        return Ok(());
    }
    let message = "The specified value for accountAlias is invalid. It must be a minimum length of 3 characters and \
                   maximum length of 63 characters, contain only digits, lowercase letters, and hyphens (-), but cannot \
                   begin or end with a hyphen.";
    Err(ApiError::client("ValidationError", message))
}
