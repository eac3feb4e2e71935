//! Recursive loop detection: which functions told one another of something, and how often. AWS carries it in the
//! `Lineage` of a trace header, through Lambda, SQS, SNS and S3; so do the engine's destinations, dead letters and
//! topics. Source: Lambda "Use Lambda recursive loop detection to prevent infinite loops".

use std::sync::Arc;

/// "If your function is invoked approximately 16 times in the same chain of requests, then Lambda automatically stops
/// the next function invocation in that request chain."
const INVOCATIONS_MAX: u32 = 16;

/// The functions of one chain of requests, by ARN, each with its invocations. It grows with the functions of the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage(Vec<(Arc<str>, u32)>);

impl Lineage {
    /// What this chain is after one more invocation of a function.
    pub fn after(&self, function: &str) -> Self {
        let mut chain = self.clone();
        match chain.0.iter_mut().find(|(known, _)| &**known == function) {
            Some((_, invocations)) => *invocations += 1,
            None => chain.0.push((function.into(), 1)),
        }
        chain
    }

    /// Whether the function was invoked in this chain as often as AWS lets it be.
    pub fn is_recursive(&self, function: &str) -> bool {
        self.0.iter().any(|(known, invocations)| &**known == function && *invocations >= INVOCATIONS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_of_a_chain_is_counted_for_itself() {
        let mut chain = Lineage::default();
        for _ in 0..INVOCATIONS_MAX {
            assert!(!chain.is_recursive("ping"));
            chain = chain.after("ping").after("pong");
        }
        assert!(chain.is_recursive("ping") && chain.is_recursive("pong") && !chain.is_recursive("other"));
    }
}
