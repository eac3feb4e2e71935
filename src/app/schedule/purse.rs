//! The purse: what watching may cost. It fills as time passes, what is asked is paid from it beforehand, and an answer
//! that cost more or less is settled. So no hour costs more than the budget, whatever is asked.

use crate::domain::time::Timestamp;

/// The purse holds at most this share of an hour's budget and begins full; the rest comes in over the hour. Both
/// together are the budget: no sixty minutes can cost more.
const HELD_SHARE: f64 = 0.45;

/// Money in US dollars.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Purse {
    usd: f64,
    /// When it was last filled; `None` before the first time.
    filled_at: Option<Timestamp>,
}

impl Purse {
    /// Puts in what has come since the last time.
    pub fn fill(&mut self, now: Timestamp, budget_usd_per_h: f64) {
        let most = budget_usd_per_h * HELD_SHARE;
        self.usd = match self.filled_at {
            None => most,
            Some(at) => {
                let hours = now.since(at).as_secs_f64() / 3600.0;
                (self.usd + budget_usd_per_h * (1.0 - HELD_SHARE) * hours).min(most)
            }
        };
        self.filled_at = Some(now);
    }

    /// Pays, if `reserve` is left afterwards. What is free is always paid.
    pub fn pay(&mut self, usd: f64, reserve: f64) -> bool {
        if usd > 0.0 && self.usd < usd + reserve {
            return false;
        }
        self.usd -= usd;
        true
    }

    /// Settles a poll that was paid as `expected` and cost `actual`.
    pub fn settle(&mut self, expected: f64, actual: f64) {
        self.usd += expected - actual;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    proptest! {
        /// Whoever asks whatever whenever: no sixty minutes cost more than the budget.
        #[test]
        fn no_hour_costs_more_than_the_budget(asks in prop::collection::vec((0u64..600, 0.0f64..0.05), 1..400)) {
            let budget = 0.15;
            let mut purse = Purse::default();
            let (mut now, mut paid) = (Timestamp::default(), Vec::new());
            for (wait_s, usd) in asks {
                now = now + Duration::from_secs(wait_s);
                purse.fill(now, budget);
                if purse.pay(usd, 0.0) {
                    paid.push((now, usd));
                }
                let hour: f64 =
                    paid.iter().filter(|(at, _)| now.since(*at) < Duration::from_secs(3600)).map(|(_, usd)| usd).sum();
                prop_assert!(hour <= budget + 1e-9, "{hour} in an hour");
            }
        }
    }

    #[test]
    fn a_reserve_is_left_and_what_is_free_is_always_paid() {
        let mut purse = Purse::default();
        purse.fill(Timestamp::default(), 1.0);
        assert!(!purse.pay(0.3, 0.2), "0.45 are there, and 0.2 must stay");
        assert!(purse.pay(0.3, 0.05));
        assert!(!purse.pay(0.2, 0.0), "0.15 are left");
        assert!(purse.pay(0.0, 5.0));
        purse.settle(0.2, 0.0);
        assert!(purse.pay(0.2, 0.0), "nothing was charged: it is there again");
    }
}
