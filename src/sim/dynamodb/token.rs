//! Client request tokens: a transaction that is sent again with its token is done once (TransactWriteItems,
//! `ClientRequestToken`).

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// "A client request token is valid for 10 minutes after the first request that uses it is completed."
const VALID_FOR: Duration = Duration::from_secs(600);

/// The tokens of transactions that were carried out, and a digest of what each of them did.
#[derive(Default)]
pub struct Tokens {
    by_token: BTreeMap<String, u64>,
    in_order: VecDeque<(Timestamp, String)>,
}

impl Tokens {
    /// Whether the transaction has been carried out already.
    ///
    /// Errors: `IdempotentParameterMismatchException` where the token was another transaction's.
    pub fn is_known(&mut self, now: Timestamp, token: &str, digest: u64) -> Result<bool, ApiError> {
        while let Some((_, old)) = self.in_order.pop_front_if(|(at, _)| *at + VALID_FOR <= now) {
            self.by_token.remove(&old);
        }
        match self.by_token.get(token) {
            None => Ok(false),
            Some(known) if *known == digest => Ok(true),
            Some(_) => Err(ApiError::client(
                "IdempotentParameterMismatchException",
                "DynamoDB rejected the request because you retried a request with a different payload but with an \
                 idempotent token that was already used.",
            )),
        }
    }

    pub fn note(&mut self, now: Timestamp, token: &str, digest: u64) {
        self.by_token.insert(token.to_owned(), digest);
        self.in_order.push_back((now, token.to_owned()));
    }
}
