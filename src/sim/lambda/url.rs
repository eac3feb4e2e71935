//! Function URLs: an address of its own for a function or an alias.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use rand::RngExt;
use serde_json::Value;

/// One function's or alias's address.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionUrl {
    pub address: String,
    /// `NONE` or `AWS_IAM`.
    pub auth_type: String,
    /// `BUFFERED` or `RESPONSE_STREAM`, once somebody has set it.
    pub invoke_mode: Option<String>,
    /// As it was sent.
    pub cors: Option<Value>,
    pub created: Timestamp,
    pub last_modified: Timestamp,
}

impl FunctionUrl {
    /// A fresh address: 32 letters and digits before the region.
    pub fn new(cx: &mut Cx<'_>) -> Self {
        let letters = b"abcdefghijklmnopqrstuvwxyz234567";
        let id: String = (0..32).map(|_| char::from(letters[cx.rng.random_range(0..letters.len())])).collect();
        Self {
            address: format!("https://{id}.lambda-url.{}.on.aws/", cx.place.region),
            auth_type: "NONE".to_owned(),
            invoke_mode: None,
            cors: None,
            created: cx.now,
            last_modified: cx.now,
        }
    }
}
