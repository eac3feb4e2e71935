//! Resource policies: who else may invoke a function, a version or an alias. They are kept and answered; the engine
//! lets everybody in.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::lambda::function::{Function, conflict, invalid_parameter, revision_mismatch};
use crate::sim::lambda::version::Qualifier;
use serde_json::{Value, json};

/// A policy's text may grow to this many bytes [Lambda quotas].
const POLICY_BYTES: usize = 20_480;

/// The statements of one policy, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    statements: Vec<(String, Value)>,
}

impl Policy {
    /// The policy's text.
    pub fn text(&self) -> String {
        let statements: Vec<&Value> = self.statements.iter().map(|(_, statement)| statement).collect();
        json!({"Version": "2012-10-17", "Id": "default", "Statement": statements}).to_string()
    }

    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Errors: `ResourceConflictException` for a Sid in use.
    pub fn check_sid(&self, sid: &str) -> Result<(), ApiError> {
        if self.statements.iter().all(|(known, _)| known != sid) {
            return Ok(());
        }
        Err(conflict(format!(
            "The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the \
             existing statement."
        )))
    }

    /// Adds a statement. Errors: `ResourceConflictException`, `PolicyLengthExceededException`; nothing is added then.
    pub fn add(&mut self, sid: &str, statement: Value) -> Result<(), ApiError> {
        self.check_sid(sid)?;
        self.statements.push((sid.to_owned(), statement));
        let bytes = self.text().len();
        if bytes > POLICY_BYTES {
            self.statements.pop();
            let message = format!("The final policy size ({bytes}) is bigger than the limit ({POLICY_BYTES}).");
            return Err(ApiError::client("PolicyLengthExceededException", message));
        }
        Ok(())
    }

    /// Removes a statement. Errors: `ResourceNotFoundException`.
    pub fn remove(&mut self, sid: &str) -> Result<(), ApiError> {
        let at = self.statements.iter().position(|(known, _)| known == sid).ok_or_else(|| statement_not_found(sid))?;
        self.statements.remove(at);
        Ok(())
    }
}

fn statement_not_found(sid: &str) -> ApiError {
    let message = format!("Statement {sid} is not found in resource policy.");
    ApiError::client("ResourceNotFoundException", message).with_status(404)
}

/// What is asked of a policy's statements where there is no policy.
pub fn no_statements() -> ApiError {
    let message = "No policy is associated with the given resource.";
    ApiError::client("ResourceNotFoundException", message).with_status(404)
}

/// ResourceNotFoundException of GetPolicy.
pub fn no_policy() -> ApiError {
    ApiError::client("ResourceNotFoundException", "The resource you requested does not exist.").with_status(404)
}

impl Function {
    /// The revision that guards a qualifier's policy: the version's, the alias's or the function's own.
    pub fn policy_revision(&self, cx: &Cx<'_>, qualifier: &Qualifier) -> Option<String> {
        match qualifier {
            Qualifier::Alias(name) => self.aliases.get(name.as_ref()).map(|alias| alias.revision.text()),
            other => self.qualified(other).map(|version| version.revision(cx.now).text()),
        }
    }

    pub fn policy(&self, qualifier: &Qualifier) -> Option<&Policy> {
        self.policies.get(&qualifier.text().unwrap_or_default())
    }

    fn check_policy_revision(&self, cx: &Cx<'_>, qualifier: &Qualifier, wanted: Option<&str>) -> Result<(), ApiError> {
        match wanted {
            Some(wanted) if self.policy_revision(cx, qualifier).as_deref() != Some(wanted) => Err(revision_mismatch()),
            _ => Ok(()),
        }
    }

    /// A change of policy is a change of what it belongs to.
    fn revise(&mut self, cx: &mut Cx<'_>, qualifier: &Qualifier) {
        match qualifier {
            Qualifier::Alias(name) => {
                if let Some(alias) = self.aliases.get_mut(name.as_ref()) {
                    alias.revise(cx);
                }
            }
            Qualifier::Version(number) => {
                if let Some(version) = self.version_mut(*number) {
                    version.revise(cx);
                }
            }
            Qualifier::Unqualified => self.latest.revise(cx),
        }
    }

    /// Adds a statement. Errors: ResourceConflictException for a Sid in use, PreconditionFailedException,
    /// PolicyLengthExceededException.
    pub fn add_statement(
        &mut self,
        cx: &mut Cx<'_>,
        qualifier: &Qualifier,
        sid: &str,
        statement: Value,
        if_revision: Option<&str>,
    ) -> Result<(), ApiError> {
        if *qualifier == Qualifier::Version(super::version::VersionNumber::LATEST) {
            return Err(invalid_parameter("We currently do not support adding policies for $LATEST."));
        }
        self.check_policy_revision(cx, qualifier, if_revision)?;
        let key = qualifier.text().unwrap_or_default();
        let mut policy = self.policies.get(&key).cloned().unwrap_or_default();
        policy.add(sid, statement)?;
        self.policies.insert(key, policy);
        self.revise(cx, qualifier);
        Ok(())
    }

    /// Removes a statement. Errors: ResourceNotFoundException, PreconditionFailedException.
    pub fn remove_statement(
        &mut self,
        cx: &mut Cx<'_>,
        qualifier: &Qualifier,
        sid: &str,
        if_revision: Option<&str>,
    ) -> Result<(), ApiError> {
        let key = qualifier.text().unwrap_or_default();
        let mut policy = self.policies.get(&key).cloned().ok_or_else(no_statements)?;
        policy.remove(sid)?;
        self.check_policy_revision(cx, qualifier, if_revision)?;
        if policy.is_empty() {
            self.policies.remove(&key);
        } else {
            self.policies.insert(key, policy);
        }
        self.revise(cx, qualifier);
        Ok(())
    }
}
