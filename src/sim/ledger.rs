//! The ledger: what was asked of the engine, so that tests and the cost meter can be held against it.

use std::collections::BTreeMap;

/// Counts of API requests by service, operation and error code (empty when it succeeded).
#[derive(Default, Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    pub requests: BTreeMap<(&'static str, String, String), u64>,
    /// All of them together.
    pub answered: u64,
}

impl Ledger {
    pub fn note(&mut self, service: &'static str, operation: &str, error_code: &str) {
        self.answered += 1;
        *self.requests.entry((service, operation.to_owned(), error_code.to_owned())).or_default() += 1;
    }

    /// Counts another's requests with its own.
    pub fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        for (request, count) in &other.requests {
            *self.requests.entry(request.clone()).or_default() += count;
        }
    }
}
