//! A token bucket in virtual time: the shape of nearly every published AWS rate.

use crate::domain::time::Timestamp;

/// Holds up to `burst` tokens and refills `per_second`; starts full.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    burst: f64,
    per_second: f64,
    tokens: f64,
    at: Timestamp,
}

impl TokenBucket {
    pub fn new(per_second: f64, burst: f64, at: Timestamp) -> Self {
        Self { burst, per_second, tokens: burst, at }
    }

    fn refill(&mut self, now: Timestamp) {
        if now <= self.at {
            return;
        }
        let passed_s = now.since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed_s * self.per_second).min(self.burst);
        self.at = now;
    }

    /// Takes `n` tokens when they are there.
    pub fn take(&mut self, n: f64, now: Timestamp) -> bool {
        self.refill(now);
        if self.tokens + 1e-9 >= n {
            self.tokens -= n;
            true
        } else {
            false
        }
    }

    /// Takes `n` tokens, going below zero: what AWS does where one large answer is paid for by later refusals.
    pub fn take_into_debt(&mut self, n: f64, now: Timestamp) {
        self.refill(now);
        self.tokens -= n;
    }

    pub fn available(&mut self, now: Timestamp) -> f64 {
        self.refill(now);
        self.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refills_with_time_and_never_above_its_burst() {
        let t = |ms| Timestamp::from_millis(ms);
        let mut bucket = TokenBucket::new(5.0, 5.0, t(0));
        assert!((0..5).all(|_| bucket.take(1.0, t(0))));
        assert!(!bucket.take(1.0, t(100)));
        assert!(bucket.take(1.0, t(200)));
        assert_eq!(bucket.available(t(60_000)), 5.0);
        bucket.take_into_debt(25.0, t(60_000));
        assert!(!bucket.take(1.0, t(63_000)));
        assert!(bucket.take(1.0, t(64_200)));
    }
}
