//! Execution environments: the warm pool of one function, and the limits on how many may be busy.

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::rate::TokenBucket;
use std::collections::VecDeque;
use std::time::Duration;

/// AWS's default account concurrency [Lambda quotas].
pub const ACCOUNT_CONCURRENCY: u32 = 1_000;
/// What reservations must leave to all other functions [Lambda quotas].
pub const UNRESERVED_MINIMUM: u32 = 100;
/// An idle environment is kept about this long. AWS publishes no figure; observers see 5 to 15 minutes.
const IDLE_EXPIRY: Duration = Duration::from_secs(10 * 60);
/// Environments are recycled every few hours [Lambda execution environment lifecycle].
const LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);

/// One execution environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Unique in the function; names its log stream.
    pub number: u64,
    pub created: Timestamp,
}

/// The environments of one function that wait for work, the most recently used last.
#[derive(Debug, Default)]
pub struct WarmPool {
    idle: VecDeque<(Timestamp, Environment)>,
    made: u64,
}

/// Environments that a function may yet make, of all its versions together: +1,000 each 10 s [Lambda scaling behavior].
pub fn scaling_rate(now: Timestamp) -> TokenBucket {
    TokenBucket::new(100.0, 1_000.0, now)
}

/// An environment for one invocation, and whether it has to be initialised first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    pub environment: Environment,
    pub is_cold: bool,
}

impl WarmPool {
    /// Takes the environment used last, or makes one. `None` when the function grows faster than AWS lets it, where a
    /// rate is given.
    pub fn take(&mut self, now: Timestamp, scaling: Option<&mut TokenBucket>) -> Option<Taken> {
        while self.idle.front().is_some_and(|(idle_since, _)| now.since(*idle_since) > IDLE_EXPIRY) {
            self.idle.pop_front();
        }
        while let Some((_, environment)) = self.idle.pop_back() {
            if now.since(environment.created) <= LIFETIME {
                return Some(Taken { environment, is_cold: false });
            }
        }
        if scaling.is_some_and(|scaling| !scaling.take(1.0, now)) {
            return None;
        }
        Some(Taken { environment: self.make(now), is_cold: true })
    }

    /// A new environment, which no rate holds back.
    pub fn make(&mut self, now: Timestamp) -> Environment {
        self.made += 1;
        Environment { number: self.made, created: now }
    }

    /// Puts an environment back that is fit for more work.
    pub fn give_back(&mut self, now: Timestamp, environment: Environment) {
        self.idle.push_back((now, environment));
    }

    /// New code or a new configuration: no environment of the old one takes work again.
    pub fn retire_all(&mut self) {
        self.idle.clear();
    }

    /// Environments that wait for work and are not yet too old.
    pub fn idle(&self) -> usize {
        self.idle.len()
    }
}

/// Why an invocation was not begun: the `Reason` of a TooManyRequestsException.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttle {
    /// The account's unreserved concurrency is all in use.
    Account,
    /// The function's reserved concurrency is all in use (or is 0).
    Reserved,
    /// The function scales faster than AWS allows.
    FunctionRate,
    /// A function with a reservation is asked more than ten times as often a second.
    ReservedRate,
}

impl Throttle {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Account => "ConcurrentInvocationLimitExceeded",
            Self::Reserved => "ReservedFunctionConcurrentInvocationLimitExceeded",
            Self::FunctionRate => "FunctionInvocationRateLimitExceeded",
            Self::ReservedRate => "ReservedFunctionInvocationRateLimitExceeded",
        }
    }

    /// The answer that a synchronous caller gets.
    pub fn to_error(self) -> ApiError {
        ApiError::client("TooManyRequestsException", "Rate Exceeded.")
            .with_status(429)
            .with_member("Reason", self.reason())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn an_environment_is_warm_until_it_was_idle_for_ten_minutes() {
        let mut pool = WarmPool::default();
        let first = pool.take(at(0), None).unwrap();
        assert!(first.is_cold);
        pool.give_back(at(1), first.environment);
        let again = pool.take(at(600), None).unwrap();
        assert!(!again.is_cold);
        pool.give_back(at(601), again.environment);
        assert!(pool.take(at(1_300), None).unwrap().is_cold);
    }

    #[test]
    fn a_function_grows_by_a_thousand_environments_each_ten_seconds() {
        let (mut first, mut second) = (WarmPool::default(), WarmPool::default());
        let mut scaling = scaling_rate(at(0));
        let made = (0..700).filter(|_| first.take(at(0), Some(&mut scaling)).is_some()).count();
        assert_eq!(made, 700);
        let made = (0..700).filter(|_| second.take(at(0), Some(&mut scaling)).is_some()).count();
        assert_eq!(made, 300, "versions share the function's rate");
        let made = (0..1_500).filter(|_| first.take(at(5), Some(&mut scaling)).is_some()).count();
        assert_eq!(made, 500);
        assert!(first.take(at(5), None).is_some());
    }
}
