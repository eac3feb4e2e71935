//! Layers: archives that functions share. Their versions, and who may use them, are kept and answered; code is never
//! run.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::lambda::Lambda;
use crate::sim::lambda::function::Code;
use crate::sim::lambda::log::RequestId;
use crate::sim::lambda::policy::Policy;
use rand::RngExt;
use serde_json::Value;
use std::collections::BTreeMap;

/// What PublishLayerVersion says of a version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerSpec {
    pub description: String,
    pub license: Option<String>,
    /// `None` where nobody said anything about them.
    pub runtimes: Option<Vec<String>>,
    pub architectures: Option<Vec<String>>,
}

/// One version, which never changes; its policy may.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerVersion {
    pub number: u64,
    pub spec: LayerSpec,
    pub code: Code,
    pub created: Timestamp,
    policy: Policy,
    policy_revision: RequestId,
}

impl LayerVersion {
    /// The policy's text and its revision; `None` where nobody has been let in.
    pub fn policy(&self) -> Option<(String, String)> {
        (!self.policy.is_empty()).then(|| (self.policy.text(), self.policy_revision.text()))
    }

    /// Whether it says of itself that it fits; one that says nothing fits no filter.
    pub fn fits(&self, runtime: Option<&str>, architecture: Option<&str>) -> bool {
        let holds = |list: &Option<Vec<String>>, wanted: Option<&str>| {
            wanted.is_none_or(|wanted| list.as_ref().is_some_and(|list| list.iter().any(|own| own == wanted)))
        };
        holds(&self.spec.runtimes, runtime) && holds(&self.spec.architectures, architecture)
    }

    fn check_revision(&self, wanted: Option<&str>) -> Result<(), ApiError> {
        if wanted.is_none_or(|wanted| !self.policy.is_empty() && wanted == self.policy_revision.text()) {
            return Ok(());
        }
        let message = "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to \
                       retrieve the latest Revision Id";
        Err(ApiError::client("PreconditionFailedException", message).with_status(412))
    }

    /// AddLayerVersionPermission. Answers the policy's new revision.
    ///
    /// Errors: `ResourceConflictException` for a Sid in use, `PreconditionFailedException`, `PolicyLengthExceededException`.
    pub fn let_in(
        &mut self,
        cx: &mut Cx<'_>,
        sid: &str,
        statement: Value,
        if_revision: Option<&str>,
    ) -> Result<String, ApiError> {
        self.policy.check_sid(sid)?;
        self.check_revision(if_revision)?;
        self.policy.add(sid, statement)?;
        self.policy_revision = RequestId(cx.rng.random(), cx.rng.random());
        Ok(self.policy_revision.text())
    }

    /// RemoveLayerVersionPermission. Errors: `ResourceNotFoundException`, `PreconditionFailedException`.
    pub fn shut_out(&mut self, cx: &mut Cx<'_>, sid: &str, if_revision: Option<&str>) -> Result<(), ApiError> {
        self.check_revision(if_revision)?;
        self.policy.remove(sid)?;
        self.policy_revision = RequestId(cx.rng.random(), cx.rng.random());
        Ok(())
    }
}

/// A layer: the versions that were not deleted. Numbers are not used again, whatever is deleted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    published: u64,
    pub versions: BTreeMap<u64, LayerVersion>,
}

impl Lambda {
    /// PublishLayerVersion: the first one of a name makes the layer.
    pub fn publish_layer(&mut self, cx: &mut Cx<'_>, name: &str, spec: LayerSpec, package: &[u8]) -> &LayerVersion {
        let policy_revision = RequestId(cx.rng.random(), cx.rng.random());
        let layer = self.layers.entry(name.to_owned()).or_default();
        layer.published += 1;
        let number = layer.published;
        layer.versions.entry(number).or_insert(LayerVersion {
            number,
            spec,
            code: Code::of_package(number, package),
            created: cx.now,
            policy: Policy::default(),
            policy_revision,
        })
    }

    /// The version, unless it was deleted.
    pub fn layer_version(&self, name: &str, number: u64) -> Option<&LayerVersion> {
        self.layers.get(name)?.versions.get(&number)
    }

    pub fn layer_version_mut(&mut self, name: &str, number: u64) -> Option<&mut LayerVersion> {
        self.layers.get_mut(name)?.versions.get_mut(&number)
    }

    /// DeleteLayerVersion: functions that use it keep it. Nothing happens where there is none.
    pub fn delete_layer_version(&mut self, name: &str, number: u64) {
        if let Some(layer) = self.layers.get_mut(name) {
            layer.versions.remove(&number);
        }
    }

    /// Every layer with a version, by name.
    pub fn layers(&self) -> impl Iterator<Item = (&str, &Layer)> {
        self.layers.iter().filter(|(_, layer)| !layer.versions.is_empty()).map(|(name, layer)| (name.as_str(), layer))
    }
}
