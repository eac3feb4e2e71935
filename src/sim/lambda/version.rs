//! Versions: `$LATEST` and what was published of it, and which of them an invocation runs.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::lambda::Lambda;
use crate::sim::lambda::behaviour::Behaviour;
use crate::sim::lambda::environment::WarmPool;
use crate::sim::lambda::function::{Code, Config, Function, FunctionId, conflict, invalid_parameter};
use crate::sim::lambda::log::RequestId;
use crate::sim::payload;
use rand::RngExt;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a creation or an update takes to settle. AWS takes about as long for code in a zip outside of a VPC.
/// While it is created a function is not invoked, but may be changed; while it is updated it is invoked, but not changed
/// once more [Lambda function states].
const SETTLING: Duration = Duration::from_millis(400);

/// A version's number; 0 is `$LATEST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct VersionNumber(pub u32);

impl VersionNumber {
    pub const LATEST: Self = Self(0);

    /// Reads `$LATEST` or a number without leading zeros.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "$LATEST" {
            return Some(Self::LATEST);
        }
        let is_number =
            text.starts_with(|c: char| ('1'..='9').contains(&c)) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| is_number).map(Self)
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::LATEST { f.write_str("$LATEST") } else { write!(f, "{}", self.0) }
    }
}

/// Which part of a function a caller names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Qualifier {
    /// The function as such, which runs `$LATEST`.
    #[default]
    Unqualified,
    Version(VersionNumber),
    Alias(Arc<str>),
}

impl Qualifier {
    /// Reads what stands after the name. Digits mean a version, so no alias may consist of digits alone.
    pub fn parse(text: Option<&str>) -> Self {
        match text.filter(|text| !text.is_empty()) {
            None => Self::Unqualified,
            Some(text) => VersionNumber::parse(text).map_or_else(|| Self::Alias(Arc::from(text)), Self::Version),
        }
    }

    /// `$LATEST`, `3` or `live`; nothing for the function as such.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Unqualified => None,
            Self::Version(number) => Some(number.to_string()),
            Self::Alias(name) => Some(name.as_ref().to_owned()),
        }
    }

    /// The text under which settings of asynchronous invocation are kept: the function as such means `$LATEST`.
    pub fn text_or_latest(&self) -> String {
        self.text().unwrap_or_else(|| VersionNumber::LATEST.to_string())
    }

    /// `ARN` or `ARN:QUALIFIER`.
    pub fn arn(&self, function_arn: &str) -> String {
        self.text().map_or_else(|| function_arn.to_owned(), |text| format!("{function_arn}:{text}"))
    }
}

/// What an invocation runs, and under which name it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub qualifier: Qualifier,
    pub version: VersionNumber,
}

/// What of a version is still changing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Creating,
    Updating,
    Settled,
}

/// `$LATEST`, or a published version, which never changes.
#[derive(Debug)]
pub struct Version {
    pub number: VersionNumber,
    pub config: Config,
    pub code: Code,
    pub behaviour: Behaviour,
    pub last_modified: Timestamp,
    revision: RequestId,
    phase: Phase,
    settles: Timestamp,
    /// Uploads and new configurations of `$LATEST` so far; of a version, those it was published after.
    changes: u64,
    pub(super) pool: WarmPool,
}

impl Version {
    /// A new function's `$LATEST`.
    pub(super) fn latest(cx: &mut Cx<'_>, config: Config, code: Code, behaviour: Behaviour) -> Self {
        Self {
            number: VersionNumber::LATEST,
            config,
            code,
            behaviour,
            last_modified: cx.now,
            revision: RequestId(cx.rng.random(), cx.rng.random()),
            phase: Phase::Creating,
            settles: cx.now + cx.settling(SETTLING),
            changes: 0,
            pool: WarmPool::default(),
        }
    }

    fn published(&self, cx: &mut Cx<'_>, number: VersionNumber, description: Option<&str>) -> Self {
        let mut config = self.config.clone();
        if let Some(description) = description {
            description.clone_into(&mut config.description);
        }
        Self {
            number,
            config,
            code: self.code.clone(),
            behaviour: self.behaviour.clone(),
            last_modified: cx.now,
            revision: RequestId(cx.rng.random(), cx.rng.random()),
            phase: Phase::Settled,
            settles: cx.now,
            changes: self.changes,
            pool: WarmPool::default(),
        }
    }

    /// What is still changing at this time.
    pub fn phase(&self, now: Timestamp) -> Phase {
        if now < self.settles { self.phase } else { Phase::Settled }
    }

    /// The revision at this time: settling makes another one, as on AWS.
    pub fn revision(&self, now: Timestamp) -> RequestId {
        if self.phase == Phase::Settled || now < self.settles {
            return self.revision;
        }
        let (mut a, mut b) = (self.revision.0, self.revision.1);
        RequestId(payload::next(&mut a), payload::next(&mut b))
    }

    /// Counts a change that clients see only in the revision.
    pub fn revise(&mut self, cx: &mut Cx<'_>) {
        self.revision = RequestId(cx.rng.random(), cx.rng.random());
        self.phase = self.phase(cx.now);
    }

    /// Code or configuration has changed: the environments start anew.
    pub(super) fn changed(&mut self, cx: &mut Cx<'_>) {
        self.revision = RequestId(cx.rng.random(), cx.rng.random());
        self.changes += 1;
        self.phase = Phase::Updating;
        self.settles = cx.now + cx.settling(SETTLING);
        self.last_modified = cx.now;
        self.pool.retire_all();
    }
}

impl Function {
    /// The version with this number, unless it was deleted.
    pub fn version(&self, number: VersionNumber) -> Option<&Version> {
        if number == VersionNumber::LATEST { Some(&self.latest) } else { self.versions.get(&number) }
    }

    pub fn version_mut(&mut self, number: VersionNumber) -> Option<&mut Version> {
        if number == VersionNumber::LATEST { Some(&mut self.latest) } else { self.versions.get_mut(&number) }
    }

    /// The version that a qualifier names; of a weighted alias, its first one.
    pub fn qualified(&self, qualifier: &Qualifier) -> Option<&Version> {
        match qualifier {
            Qualifier::Unqualified => Some(&self.latest),
            Qualifier::Version(number) => self.version(*number),
            Qualifier::Alias(name) => self.version(self.aliases.get(name.as_ref())?.version),
        }
    }

    /// `FunctionName`'s ARN with a qualifier.
    pub fn qualified_arn(&self, qualifier: &Qualifier) -> String {
        qualifier.arn(&self.arn)
    }
}

impl Lambda {
    /// Which version an invocation under this qualifier runs: chance decides at a weighted alias. `None` for a
    /// function, a version or an alias that is not there.
    pub fn choose(&self, cx: &mut Cx<'_>, id: FunctionId, qualifier: &Qualifier) -> Option<Chosen> {
        let function = self.function(id)?;
        let version = match qualifier {
            Qualifier::Unqualified => VersionNumber::LATEST,
            Qualifier::Version(number) => *number,
            Qualifier::Alias(name) => {
                let alias = function.aliases.get(name.as_ref())?;
                match alias.additional {
                    Some((other, weight)) if cx.rng.random::<f64>() < weight => other,
                    _ => alias.version,
                }
            }
        };
        function.version(version)?;
        Some(Chosen { qualifier: qualifier.clone(), version })
    }

    /// Publishes `$LATEST` as the next version. Where nothing was updated since the last one, that one is answered; an
    /// upload of the same code counts as an update [PublishVersion]. `None` for an unknown function.
    pub fn publish_version(&mut self, cx: &mut Cx<'_>, name: &str, description: Option<&str>) -> Option<VersionNumber> {
        let function = self.named_mut(name)?;
        let last = function.versions.last_key_value().filter(|(number, _)| number.0 == function.versions_published);
        if let Some((number, _)) = last.filter(|(_, last)| last.changes == function.latest.changes) {
            return Some(*number);
        }
        function.versions_published += 1;
        let number = VersionNumber(function.versions_published);
        let mut version = function.latest.published(cx, number, description);
        // What is published together with its creation or update settles with it.
        if function.latest.phase(cx.now) != Phase::Settled {
            version.phase = Phase::Creating;
            version.settles = function.latest.settles;
        }
        function.versions.insert(number, version);
        function.latest.revise(cx);
        Some(number)
    }

    /// Deletes one published version; one that is not there is no error. Errors: ResourceConflictException while an
    /// alias names it, InvalidParameterValueException for `$LATEST` and for aliases.
    pub fn delete_version(&mut self, name: &str, qualifier: &Qualifier) -> Result<(), ApiError> {
        let number = match qualifier {
            Qualifier::Version(number) if *number != VersionNumber::LATEST => *number,
            Qualifier::Alias(_) => return Err(invalid_parameter("Deletion of aliases is not currently supported.")),
            Qualifier::Unqualified | Qualifier::Version(_) => {
                return Err(invalid_parameter("$LATEST version cannot be deleted without deleting the function."));
            }
        };
        let Some(function) = self.named_mut(name) else { return Ok(()) };
        let names = function.aliases.values().filter(|alias| alias.runs(number)).map(|alias| alias.name.as_ref());
        let names: Vec<&str> = names.collect();
        if !names.is_empty() {
            return Err(conflict(format!(
                "Unable to delete version because the following aliases reference it: [{}]",
                names.join(", ")
            )));
        }
        if function.versions.remove(&number).is_some() {
            function.forget(&number.to_string());
            self.recount_provisioned();
        }
        Ok(())
    }
}

impl Function {
    /// Drops the settings of a qualifier that is gone.
    pub(super) fn forget(&mut self, qualifier: &str) {
        self.provisioned.remove(qualifier);
        self.event_configs.remove(qualifier);
        self.policies.remove(qualifier);
        self.urls.remove(qualifier);
        self.qualified_series.retain(|(resource, _), _| resource != qualifier);
    }
}
