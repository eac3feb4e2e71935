//! Code signing configurations: who may sign a function's code. They are kept and answered; signatures are not checked.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::lambda::Lambda;
use crate::sim::lambda::function::conflict;
use rand::RngExt;
use std::collections::BTreeMap;

/// One configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct SigningConfig {
    /// `csc-` and 17 hexadecimal digits.
    pub id: String,
    pub description: Option<String>,
    /// ARNs of signing profile versions, 1 to 20.
    pub publishers: Vec<String>,
    /// `Warn` or `Enforce`.
    pub on_untrusted: String,
    pub modified: Timestamp,
    pub tags: BTreeMap<String, String>,
}

/// `ResourceNotFoundException` of the operations on configurations.
pub fn signing_not_found(arn: &str) -> ApiError {
    let message = format!("The Lambda code signing configuration {arn} can not be found.");
    ApiError::client("ResourceNotFoundException", message).with_status(404)
}

impl Lambda {
    /// CreateCodeSigningConfig. Answers the configuration's ARN.
    pub fn create_signing(&mut self, cx: &mut Cx<'_>, mut config: SigningConfig) -> String {
        let digits = format!("{:016x}{:016x}", cx.rng.random::<u64>(), cx.rng.random::<u64>());
        config.id = format!("csc-{}", &digits[..17]);
        config.modified = cx.now;
        let arn = cx.place.arn("lambda", &format!("code-signing-config:{}", config.id));
        self.signing_configs.insert(arn.clone(), config);
        arn
    }

    /// By ARN.
    pub fn signing_configs(&self) -> &BTreeMap<String, SigningConfig> {
        &self.signing_configs
    }

    /// Errors: `ResourceNotFoundException`.
    pub fn signing_config_mut(&mut self, arn: &str) -> Result<&mut SigningConfig, ApiError> {
        self.signing_configs.get_mut(arn).ok_or_else(|| signing_not_found(arn))
    }

    /// DeleteCodeSigningConfig. Errors: `ResourceNotFoundException`, `ResourceConflictException` while a function uses it.
    pub fn delete_signing(&mut self, arn: &str) -> Result<(), ApiError> {
        if !self.signing_configs.contains_key(arn) {
            return Err(signing_not_found(arn));
        }
        if self.functions().any(|function| function.signing_config.as_deref() == Some(arn)) {
            return Err(conflict(format!("The code signing configuration {arn} is in use by a function.")));
        }
        self.signing_configs.remove(arn);
        Ok(())
    }
}
