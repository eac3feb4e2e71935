//! Aliases: names for one version, or for two between which chance decides.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::lambda::Lambda;
use crate::sim::lambda::function::{Function, conflict, function_not_found, invalid_parameter, revision_mismatch};
use crate::sim::lambda::log::RequestId;
use crate::sim::lambda::version::{Qualifier, VersionNumber};
use rand::RngExt;
use std::sync::Arc;

/// One alias.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    pub name: Arc<str>,
    pub version: VersionNumber,
    pub description: String,
    /// `RoutingConfig.AdditionalVersionWeights`: the share of invocations (0 to 1) that another version gets.
    pub additional: Option<(VersionNumber, f64)>,
    pub revision: RequestId,
}

impl Alias {
    /// Whether invocations of the alias may run this version.
    pub fn runs(&self, number: VersionNumber) -> bool {
        self.version == number || self.additional.is_some_and(|(other, _)| other == number)
    }

    pub fn revise(&mut self, cx: &mut Cx<'_>) {
        self.revision = RequestId(cx.rng.random(), cx.rng.random());
    }
}

/// What CreateAlias and UpdateAlias say; an absent member leaves what is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AliasChange {
    pub version: Option<VersionNumber>,
    pub description: Option<String>,
    /// `Some(empty)` ends the split.
    pub weights: Option<Vec<(VersionNumber, f64)>>,
    pub if_revision: Option<String>,
}

/// ResourceNotFoundException for an alias.
pub fn alias_not_found(function_arn: &str, alias: &str) -> ApiError {
    let message = format!("Cannot find alias arn: {function_arn}:{alias}");
    ApiError::client("ResourceNotFoundException", message).with_status(404)
}

/// The split that the weights mean for an alias of this version.
fn additional(
    function: &Function,
    version: VersionNumber,
    weights: &[(VersionNumber, f64)],
) -> Result<Option<(VersionNumber, f64)>, ApiError> {
    let Some((other, weight)) = weights.first().copied() else { return Ok(None) };
    if weights.len() > 1 {
        return Err(invalid_parameter("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    if version == VersionNumber::LATEST {
        return Err(invalid_parameter("$LATEST is not supported for an alias pointing to more than 1 version"));
    }
    if other == version {
        return Err(invalid_parameter(format!(
            "Invalid function version {other}. Function version {other} is already included in routing configuration."
        )));
    }
    if function.version(other).is_none() {
        return Err(function_not_found(&function.qualified_arn(&Qualifier::Version(other))));
    }
    Ok(Some((other, weight)))
}

impl Lambda {
    /// Makes an alias. Errors: ResourceConflictException for a name in use, ResourceNotFoundException for a function
    /// or a version that is not there, InvalidParameterValueException for a split that cannot be.
    pub fn create_alias(
        &mut self,
        cx: &mut Cx<'_>,
        function: &str,
        alias: &str,
        version: VersionNumber,
        change: &AliasChange,
    ) -> Result<Alias, ApiError> {
        let arn = Function::arn_of(cx, function);
        let Some(function) = self.named_mut(function) else {
            return Err(function_not_found(&Qualifier::Version(version).arn(&arn)));
        };
        if function.version(version).is_none() {
            return Err(function_not_found(&Qualifier::Version(version).arn(&arn)));
        }
        let additional = additional(function, version, change.weights.as_deref().unwrap_or_default())?;
        if function.aliases.contains_key(alias) {
            return Err(conflict(format!("Alias already exists: {arn}:{alias}")));
        }
        let made = Alias {
            name: Arc::from(alias),
            version,
            description: change.description.clone().unwrap_or_default(),
            additional,
            revision: RequestId(cx.rng.random(), cx.rng.random()),
        };
        function.aliases.insert(alias.to_owned(), made.clone());
        Ok(made)
    }

    /// Points an alias elsewhere, or splits it, or ends its split. Errors: ResourceNotFoundException,
    /// PreconditionFailedException, InvalidParameterValueException.
    pub fn update_alias(
        &mut self,
        cx: &mut Cx<'_>,
        function: &str,
        alias: &str,
        change: &AliasChange,
    ) -> Result<Alias, ApiError> {
        let arn = Function::arn_of(cx, function);
        let function = self.named_mut(function).ok_or_else(|| alias_not_found(&arn, alias))?;
        let mut changed = function.aliases.get(alias).cloned().ok_or_else(|| alias_not_found(&arn, alias))?;
        if change.if_revision.as_ref().is_some_and(|revision| *revision != changed.revision.text()) {
            return Err(revision_mismatch());
        }
        if let Some(version) = change.version {
            if function.version(version).is_none() {
                return Err(function_not_found(&Qualifier::Version(version).arn(&arn)));
            }
            changed.version = version;
        }
        if let Some(weights) = &change.weights {
            changed.additional = additional(function, changed.version, weights)?;
        } else if let Some((other, weight)) = changed.additional {
            changed.additional = additional(function, changed.version, &[(other, weight)])?;
        }
        if let Some(description) = &change.description {
            description.clone_into(&mut changed.description);
        }
        changed.revise(cx);
        let has_moved = function.aliases.get(alias).is_some_and(|before| before.version != changed.version);
        function.aliases.insert(alias.to_owned(), changed.clone());
        if has_moved {
            function.provision_again(cx, alias);
        }
        Ok(changed)
    }

    /// Deletes an alias with all its settings; one that is not there is no error [DeleteAlias].
    pub fn delete_alias(&mut self, function: &str, alias: &str) {
        if let Some(function) = self.named_mut(function)
            && function.aliases.remove(alias).is_some()
        {
            function.forget(alias);
            self.recount_provisioned();
        }
    }
}
