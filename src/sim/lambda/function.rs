//! Functions: their configuration, code, reserved concurrency, and the operations that change them.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::lambda::Lambda;
use crate::sim::lambda::alias::Alias;
use crate::sim::lambda::behaviour::{Behaviour, ErrorRule};
use crate::sim::lambda::environment::{ACCOUNT_CONCURRENCY, UNRESERVED_MINIMUM, scaling_rate};
use crate::sim::lambda::event_config::EventConfig;
use crate::sim::lambda::log::LogTail;
use crate::sim::lambda::metrics::{FunctionSeries, QualifiedSeries};
use crate::sim::lambda::policy::Policy;
use crate::sim::lambda::provisioned::Provisioned;
use crate::sim::lambda::trouble::Trouble;
use crate::sim::lambda::url::FunctionUrl;
use crate::sim::lambda::version::{Version, VersionNumber};
use crate::sim::rate::TokenBucket;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A function's place in the service. Never reused after a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FunctionId(pub u32);

/// What CreateFunction and UpdateFunctionConfiguration set.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Such as `python3.13`; empty for a container image.
    pub runtime: Arc<str>,
    pub role: String,
    pub handler: String,
    pub description: String,
    /// 128 to 10,240 MB.
    pub memory_mb: u32,
    /// 1 to 900 s.
    pub timeout_s: u32,
    /// Its variables; `None` where nobody said anything about them.
    pub environment: Option<BTreeMap<String, String>>,
    /// Where asynchronous events go that failed for good: an SQS queue's (or an SNS topic's) ARN.
    pub dead_letter_arn: Option<String>,
    pub architecture: String,
    /// `Zip` or `Image`.
    pub package_type: String,
    /// Of an image, where it lies.
    pub image_uri: Option<String>,
    /// `/tmp`, 512 to 10,240 MB.
    pub ephemeral_mb: u32,
    /// `PassThrough` or `Active`.
    pub tracing_mode: String,
    pub logging: Logging,
    /// `SnapStart.ApplyOn` is `PublishedVersions`.
    pub is_snap_started: bool,
    /// Members that change nothing here and are answered as they were sent, by their names in the answer: layers,
    /// VPC, file systems, the image's configuration, the KMS key.
    pub echoed: BTreeMap<String, Value>,
}

/// `LoggingConfig`.
#[derive(Clone, Debug, PartialEq)]
pub struct Logging {
    /// `Text` or `JSON`.
    pub format: String,
    /// `None` is `/aws/lambda/` and the function's name.
    pub group: Option<String>,
    /// Of the JSON format alone.
    pub application_level: Option<String>,
    pub system_level: Option<String>,
}

impl Default for Logging {
    fn default() -> Self {
        Self { format: "Text".to_owned(), group: None, application_level: None, system_level: None }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            runtime: Arc::from("python3.13"),
            role: "arn:aws:iam::123456789012:role/lambda-execution".to_owned(),
            handler: "app.handler".to_owned(),
            description: String::new(),
            memory_mb: 128,
            timeout_s: 3,
            environment: None,
            dead_letter_arn: None,
            architecture: "x86_64".to_owned(),
            package_type: "Zip".to_owned(),
            image_uri: None,
            ephemeral_mb: 512,
            tracing_mode: "PassThrough".to_owned(),
            logging: Logging::default(),
            is_snap_started: false,
            echoed: BTreeMap::new(),
        }
    }
}

/// One upload of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Counts the deploys of the function, from 1.
    pub deploy: u64,
    /// Base64 of the SHA-256 of the package; of an image, its digest in hexadecimal digits.
    pub sha256: String,
    pub size_bytes: u64,
}

impl Code {
    /// What was uploaded: a package's bytes, or an image's address, whose digest is written otherwise and whose size is
    /// not told.
    pub fn of(deploy: u64, config: &Config, uploaded: &[u8]) -> Self {
        if config.package_type != "Image" {
            return Self::of_package(deploy, uploaded);
        }
        let address = String::from_utf8_lossy(uploaded);
        let digest = || Sha256::digest(uploaded).iter().map(|byte| format!("{byte:02x}")).collect();
        let sha256 = address.split_once("@sha256:").map_or_else(digest, |(_, named)| named.to_owned());
        Self { deploy, sha256, size_bytes: 0 }
    }

    /// The code in a package of these bytes.
    pub fn of_package(deploy: u64, package: &[u8]) -> Self {
        Self { deploy, sha256: STANDARD.encode(Sha256::digest(package)), size_bytes: package.len() as u64 }
    }
}

/// When a version gets a newer runtime [PutRuntimeManagementConfig]; `Auto` where nobody said anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeUpdates {
    /// `Auto`, `FunctionUpdate` or `Manual`.
    pub on: String,
    /// Of `Manual`, the runtime version that it stays at.
    pub arn: Option<String>,
}

impl Default for RuntimeUpdates {
    fn default() -> Self {
        Self { on: "Auto".to_owned(), arn: None }
    }
}

/// One function.
#[derive(Debug)]
pub struct Function {
    pub id: FunctionId,
    pub name: String,
    pub arn: String,
    pub tags: BTreeMap<String, String>,
    /// `$LATEST`: the version that can change.
    pub latest: Version,
    /// Published versions that were not deleted.
    pub versions: BTreeMap<VersionNumber, Version>,
    /// The number of the version published last. Numbers are not used again.
    pub versions_published: u32,
    pub aliases: BTreeMap<String, Alias>,
    /// By version or alias.
    pub provisioned: BTreeMap<String, Provisioned>,
    /// Settings of asynchronous invocation, by `$LATEST`, version or alias.
    pub event_configs: BTreeMap<String, EventConfig>,
    /// Resource policies, by version or alias; the function's own under the empty text.
    pub policies: BTreeMap<String, Policy>,
    /// Addresses, by alias; the function's own under the empty text.
    pub urls: BTreeMap<String, FunctionUrl>,
    /// The ARN of its code signing configuration.
    pub signing_config: Option<String>,
    /// `RecursiveLoop` is `Allow`.
    pub allows_recursion: bool,
    /// How runtimes are updated, by `$LATEST` or version.
    pub runtime_updates: BTreeMap<String, RuntimeUpdates>,
    /// Multiplies every duration: 1.0 as designed, 4.0 for a function whose dependency is slow.
    pub slow_down: f64,
    pub trouble: Trouble,
    /// `Some(0)` is a function that somebody throttled to a stop.
    pub reserved: Option<u32>,
    /// Invocations that run now.
    pub in_flight: u32,
    /// Those in environments that were not provisioned.
    pub(super) on_demand: u32,
    pub log: LogTail,
    pub(super) qualified_series: BTreeMap<(String, String), QualifiedSeries>,
    pub(super) series: Option<FunctionSeries>,
    /// The most invocations that ran at once since the last whole minute.
    pub(super) peak_in_flight: u32,
    /// Environments that may yet be made.
    pub(super) scaling: TokenBucket,
    /// Requests a second, of a function with a reservation: ten times its concurrency [Lambda quotas].
    pub(super) reserved_rate: Option<TokenBucket>,
}

impl Function {
    /// `FunctionName`'s ARN as the error messages and answers write it.
    pub fn arn_of(cx: &Cx<'_>, name: &str) -> String {
        cx.place.arn("lambda", &format!("function:{name}"))
    }

    /// Environments that are warm and idle.
    pub fn idle_environments(&self) -> usize {
        self.latest.pool.idle()
    }
}

/// Lambda's `ResourceNotFoundException` for a function.
pub fn function_not_found(arn: &str) -> ApiError {
    ApiError::client("ResourceNotFoundException", format!("Function not found: {arn}")).with_status(404)
}

/// `PreconditionFailedException`, status 412: the optimistic lock of updates.
pub fn revision_mismatch() -> ApiError {
    ApiError::client(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve \
         the latest Revision Id",
    )
    .with_status(412)
}

/// `InvalidParameterValueException`, status 400.
pub fn invalid_parameter(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterValueException", message)
}

/// A runtime version's name is a digest; one for each runtime is enough here.
pub fn runtime_version_arn(region: &str, runtime: &str) -> String {
    let digest: String = Sha256::digest(runtime.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("arn:aws:lambda:{region}::runtime:{digest}")
}

/// Some errors do not say whose fault they are; marked so, the answer has no `Type`.
pub fn without_type(error: ApiError) -> ApiError {
    error.with_member("Type", Value::Null)
}

/// `ResourceConflictException`, status 409.
pub fn conflict(message: impl Into<String>) -> ApiError {
    ApiError::client("ResourceConflictException", message).with_status(409)
}

impl Lambda {
    /// Makes a function. A name in use is a ResourceConflictException.
    pub fn create_function(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        config: Config,
        package: &[u8],
        behaviour: Behaviour,
    ) -> Result<FunctionId, ApiError> {
        if self.names.contains_key(name) {
            return Err(conflict(format!("Function already exist: {name}")));
        }
        let id = FunctionId(self.functions.len() as u32);
        let code = Code::of(1, &config, package);
        self.functions.push(Some(Box::new(Function {
            id,
            name: name.to_owned(),
            arn: Function::arn_of(cx, name),
            tags: BTreeMap::new(),
            latest: Version::latest(cx, config, code, behaviour),
            versions: BTreeMap::new(),
            versions_published: 0,
            aliases: BTreeMap::new(),
            provisioned: BTreeMap::new(),
            event_configs: BTreeMap::new(),
            policies: BTreeMap::new(),
            urls: BTreeMap::new(),
            signing_config: None,
            allows_recursion: false,
            runtime_updates: BTreeMap::new(),
            slow_down: 1.0,
            trouble: Trouble::default(),
            reserved: None,
            in_flight: 0,
            on_demand: 0,
            log: LogTail::default(),
            qualified_series: BTreeMap::new(),
            series: None,
            peak_in_flight: 0,
            scaling: scaling_rate(cx.now),
            reserved_rate: None,
        })));
        self.names.insert(name.to_owned(), id);
        Ok(id)
    }

    pub fn id_of(&self, name: &str) -> Option<FunctionId> {
        self.names.get(name).copied()
    }

    /// The function with this id, unless it was deleted.
    pub fn function(&self, id: FunctionId) -> Option<&Function> {
        self.functions.get(id.0 as usize)?.as_deref()
    }

    pub fn function_mut(&mut self, id: FunctionId) -> Option<&mut Function> {
        self.functions.get_mut(id.0 as usize)?.as_deref_mut()
    }

    pub fn named(&self, name: &str) -> Option<&Function> {
        self.function(self.id_of(name)?)
    }

    pub fn named_mut(&mut self, name: &str) -> Option<&mut Function> {
        self.function_mut(self.id_of(name)?)
    }

    /// Every function, by name.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.names.values().filter_map(|id| self.function(*id))
    }

    /// Every function from this name on, by name.
    pub fn functions_from(&self, name: &str) -> impl Iterator<Item = &Function> {
        self.names.range(name.to_owned()..).filter_map(|(_, id)| self.function(*id))
    }

    /// Deletes a function. Invocations that run go on to their end, and count for nobody.
    pub fn delete_function(&mut self, name: &str) -> Option<()> {
        let id = self.names.remove(name)?;
        let function = self.functions.get_mut(id.0 as usize)?.take()?;
        match function.reserved {
            Some(reserved) => self.reserved_sum -= reserved,
            None => self.unreserved_in_flight -= function.on_demand,
        }
        self.in_flight -= function.in_flight;
        self.recount_provisioned();
        Some(())
    }

    /// New code: another digest, cold environments, and what the code does from now on. `None` for an unknown name.
    pub fn deploy(&mut self, cx: &mut Cx<'_>, name: &str, package: &[u8], behaviour: Behaviour) -> Option<u64> {
        let latest = &mut self.named_mut(name)?.latest;
        latest.code = Code::of(latest.code.deploy + 1, &latest.config, package);
        latest.behaviour = behaviour;
        latest.changed(cx);
        Some(latest.code.deploy)
    }

    /// A deploy that differs from the running code in nothing but the payloads it fails on: a bad deploy with rules,
    /// its roll-forward without. Returns the deploy's number.
    pub fn deploy_errors(&mut self, cx: &mut Cx<'_>, name: &str, errors: Vec<ErrorRule>) -> Option<u64> {
        let latest = &self.named(name)?.latest;
        let behaviour = Behaviour { errors, ..latest.behaviour.clone() };
        let package = format!("{name} deploy {}", latest.code.deploy + 1);
        self.deploy(cx, name, package.as_bytes(), behaviour)
    }

    /// Changes a function's configuration. Its environments start anew.
    pub fn configure(&mut self, cx: &mut Cx<'_>, name: &str, config: Config) -> Option<()> {
        let latest = &mut self.named_mut(name)?.latest;
        latest.config = config;
        latest.changed(cx);
        Some(())
    }

    /// Multiplies the durations of a function's later invocations.
    pub fn set_slow_down(&mut self, name: &str, factor: f64) -> Option<()> {
        self.named_mut(name)?.slow_down = factor.max(0.0);
        Some(())
    }

    /// Reserves concurrency (0 stops the function), or lifts the reservation with `None`. At least 100 must stay
    /// unreserved [PutFunctionConcurrency].
    pub fn set_reserved_concurrency(&mut self, name: &str, reserved: Option<u32>) -> Result<(), ApiError> {
        let Some(function) = self.named(name) else {
            return Err(function_not_found(name));
        };
        let (before, running, id) = (function.reserved, function.on_demand, function.id);
        let provisioned = function.provisioned_sum();
        if let Some(reserved) = reserved.filter(|reserved| *reserved < provisioned) {
            return Err(without_type(invalid_parameter(format!(
                " ReservedConcurrentExecutions  {reserved} should not be lower than function's total provisioned \
                 concurrency [{provisioned}]."
            ))));
        }
        let others = self.reserved_sum - before.unwrap_or(0);
        let wanted = reserved.unwrap_or(0);
        if u64::from(others) + u64::from(wanted) > u64::from(ACCOUNT_CONCURRENCY - UNRESERVED_MINIMUM) {
            return Err(without_type(invalid_parameter(format!(
                "Specified ReservedConcurrentExecutions for function decreases account's \
                 UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MINIMUM}]."
            ))));
        }
        self.reserved_sum = others + wanted;
        match (before.is_some(), reserved.is_some()) {
            (false, true) => self.unreserved_in_flight -= running,
            (true, false) => self.unreserved_in_flight += running,
            _ => {}
        }
        if let Some(function) = self.function_mut(id) {
            function.reserved = reserved;
            let per_second = reserved.filter(|reserved| *reserved > 0).map(|reserved| f64::from(reserved) * 10.0);
            function.reserved_rate = per_second.map(|rate| TokenBucket::new(rate, rate, Timestamp::default()));
        }
        self.recount_provisioned();
        Ok(())
    }
}
