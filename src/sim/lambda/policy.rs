//! Resource policies: who else may use a function, a version or an alias, and what not even its owner may.

use crate::sim::access::{self, Asking, Judgement};
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::lambda::function::{Function, conflict, invalid_parameter, revision_mismatch};
use crate::sim::lambda::version::Qualifier;
use serde_json::{Map, Value};

/// A policy's text may grow to this many bytes [Lambda quotas].
const POLICY_BYTES: usize = 20_480;

/// The statements of one policy, in the order in which they were added.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// What stands before the statements: `Version` and `Id`.
    head: Map<String, Value>,
    statements: Vec<(String, Value)>,
}

impl Default for Policy {
    /// What AddPermission begins with.
    fn default() -> Self {
        let head = [("Version", "2012-10-17"), ("Id", "default")];
        let head = head.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        Self { head, statements: Vec::new() }
    }
}

impl Policy {
    /// The policy of a document; `None` for a text that is no policy.
    pub fn parse(text: &str) -> Option<Self> {
        let Ok(Value::Object(mut head)) = serde_json::from_str(text) else { return None };
        let statements = match head.shift_remove("Statement")? {
            Value::Array(statements) => statements,
            one => vec![one],
        };
        let is_known = |member: &String| matches!(member.as_str(), "Version" | "Id");
        if statements.is_empty() || !head.keys().all(is_known) || !statements.iter().all(is_statement) {
            return None;
        }
        let sid = |statement: &Value| statement.get("Sid").and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Self { head, statements: statements.into_iter().map(|one| (sid(&one), one)).collect() })
    }

    /// The policy's text.
    pub fn text(&self) -> String {
        let mut policy = self.head.clone();
        policy.insert("Statement".into(), self.statements.iter().map(|(_, statement)| statement.clone()).collect());
        Value::Object(policy).to_string()
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

/// Whether a statement has what IAM's grammar asks of one in a resource's policy.
fn is_statement(statement: &Value) -> bool {
    let has_one = |member: &str| statement.get(member).is_some() != statement.get(format!("Not{member}")).is_some();
    matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny"))
        && ["Principal", "Action", "Resource"].iter().all(|member| has_one(member))
        && statement.get("Condition").is_none_or(Value::is_object)
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

/// `$LATEST` under its own name has none: what is unqualified means it.
fn check_has_policies(qualifier: &Qualifier) -> Result<(), ApiError> {
    if *qualifier == Qualifier::Version(super::version::VersionNumber::LATEST) {
        return Err(invalid_parameter("We currently do not support adding policies for $LATEST."));
    }
    Ok(())
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

    /// What the policies say of who asks for the function under a qualifier: the qualifier's own policy, and the
    /// function's, whose wildcards may mean its versions and aliases. A denial prevails.
    pub fn judge_access(&self, qualifier: &Qualifier, asking: &Asking<'_>) -> Judgement {
        let arn = self.qualified_arn(qualifier);
        let own = self.policy(qualifier).filter(|_| *qualifier != Qualifier::Unqualified);
        let policies = own.into_iter().chain(self.policy(&Qualifier::Unqualified));
        let judgements: Vec<_> = policies.map(|policy| access::judge(&policy.text(), &arn, asking)).collect();
        let prevailing = [Judgement::Denies, Judgement::Allows].into_iter().find(|one| judgements.contains(one));
        prevailing.unwrap_or(Judgement::IsSilent)
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
        check_has_policies(qualifier)?;
        self.check_policy_revision(cx, qualifier, if_revision)?;
        let key = qualifier.text().unwrap_or_default();
        let mut policy = self.policies.get(&key).cloned().unwrap_or_default();
        policy.add(sid, statement)?;
        self.policies.insert(key, policy);
        self.revise(cx, qualifier);
        Ok(())
    }

    /// Puts a policy in the place of what there is. Errors: InvalidParameterValueException, PreconditionFailedException.
    pub fn put_policy(
        &mut self,
        cx: &mut Cx<'_>,
        qualifier: &Qualifier,
        policy: Policy,
        if_revision: Option<&str>,
    ) -> Result<(), ApiError> {
        check_has_policies(qualifier)?;
        self.check_policy_revision(cx, qualifier, if_revision)?;
        self.policies.insert(qualifier.text().unwrap_or_default(), policy);
        self.revise(cx, qualifier);
        Ok(())
    }

    /// Takes a policy away. Errors: ResourceNotFoundException, PreconditionFailedException.
    pub fn delete_policy(
        &mut self,
        cx: &mut Cx<'_>,
        qualifier: &Qualifier,
        if_revision: Option<&str>,
    ) -> Result<(), ApiError> {
        self.policy(qualifier).ok_or_else(no_policy)?;
        self.check_policy_revision(cx, qualifier, if_revision)?;
        self.policies.remove(&qualifier.text().unwrap_or_default());
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
