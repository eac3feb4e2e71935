//! How long SNS waits before it tries again, by what kind of endpoint it is ("Amazon SNS message delivery retries").

use crate::sim::sns::delivery_policy::{Backoff, RetryPolicy};
use std::time::Duration;

/// One run of retries in a schedule.
struct Phase {
    retries: u32,
    from_s: f64,
    to_s: f64,
}

const fn phase(retries: u32, from_s: f64, to_s: f64) -> Phase {
    Phase { retries, from_s, to_s }
}

/// Endpoints that AWS manages (SQS, Lambda, Firehose): 100,015 retries over 23 days.
const AWS_MANAGED: [Phase; 4] =
    [phase(3, 0.0, 0.0), phase(2, 1.0, 1.0), phase(10, 1.0, 20.0), phase(100_000, 20.0, 20.0)];
/// Endpoints that customers manage (email, SMS, push), and a Firehose that throttles: 50 retries over 6 hours.
const CUSTOMER_MANAGED: [Phase; 3] = [phase(2, 10.0, 10.0), phase(10, 10.0, 600.0), phase(38, 600.0, 600.0)];

/// Which schedule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    AwsManaged,
    CustomerManaged,
    Http(RetryPolicy),
}

impl Schedule {
    /// The wait before the retry that follows `retries_made` of them; `None` when the message is given up.
    pub fn delay(&self, retries_made: u32) -> Option<Duration> {
        match self {
            Self::AwsManaged => in_phases(&AWS_MANAGED, retries_made),
            Self::CustomerManaged => in_phases(&CUSTOMER_MANAGED, retries_made),
            Self::Http(policy) => http_delay(policy, retries_made),
        }
    }
}

/// The wait in a fixed schedule; a phase whose ends differ grows exponentially from one to the other.
fn in_phases(phases: &[Phase], retries_made: u32) -> Option<Duration> {
    let mut n = retries_made;
    for phase in phases {
        if n < phase.retries {
            let share = f64::from(n) / f64::from(phase.retries.max(2) - 1);
            let grown = if phase.from_s > 0.0 { phase.from_s * (phase.to_s / phase.from_s).powf(share) } else { 0.0 };
            return Some(Duration::from_secs_f64(grown));
        }
        n -= phase.retries;
    }
    None
}

/// The wait by an HTTP policy: at once, then at the minimum, then the backoff, then at the maximum.
pub fn http_delay(policy: &RetryPolicy, retries_made: u32) -> Option<Duration> {
    if retries_made >= policy.retries {
        return None;
    }
    let (least, most) = (f64::from(policy.min_delay_s), f64::from(policy.max_delay_s));
    let Some(n) = retries_made.checked_sub(policy.no_delay_retries) else { return Some(Duration::ZERO) };
    let Some(n) = n.checked_sub(policy.min_delay_retries) else { return Some(Duration::from_secs_f64(least)) };
    let fixed = policy.no_delay_retries + policy.min_delay_retries + policy.max_delay_retries;
    let backoff_retries = policy.retries.saturating_sub(fixed);
    if n >= backoff_retries {
        return Some(Duration::from_secs_f64(most));
    }
    let (n, last) = (f64::from(n), f64::from(backoff_retries.max(2) - 1));
    let delay_s = match policy.backoff {
        Backoff::Linear => least + (most - least) * n / last,
        Backoff::Arithmetic => least + (most - least) * (n * (n + 1.0)) / (last * (last + 1.0)),
        Backoff::Geometric => least * (most / least).powf(n / last),
        Backoff::Exponential => least + (most - least) * (n.exp2() - 1.0) / (last.exp2() - 1.0),
    };
    Some(Duration::from_secs_f64(delay_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(schedule: &Schedule) -> Vec<f64> {
        (0..).map_while(|n| schedule.delay(n)).map(|delay| delay.as_secs_f64()).collect()
    }

    #[test]
    fn aws_managed_endpoints_are_tried_for_23_days() {
        let delays = all(&Schedule::AwsManaged);
        assert_eq!(delays.len(), 100_015);
        assert_eq!(delays[..6], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        assert!((delays[14] - 20.0).abs() < 1e-6 && delays[5..15].is_sorted());
        let days = delays.iter().sum::<f64>() / 86_400.0;
        assert!((23.0..23.3).contains(&days), "{days}");
    }

    #[test]
    fn customer_managed_endpoints_are_tried_for_6_hours() {
        let delays = all(&Schedule::CustomerManaged);
        assert_eq!(delays.len(), 50);
        let hours = delays.iter().sum::<f64>() / 3600.0;
        assert!((6.0..7.0).contains(&hours), "{hours}");
    }

    #[test]
    fn http_endpoints_are_tried_three_times_by_default_and_as_the_policy_says() {
        assert_eq!(all(&Schedule::Http(RetryPolicy::default())), [20.0, 20.0, 20.0]);
        let policy = RetryPolicy {
            min_delay_s: 10,
            max_delay_s: 40,
            retries: 8,
            no_delay_retries: 1,
            min_delay_retries: 2,
            max_delay_retries: 1,
            backoff: Backoff::Linear,
        };
        assert_eq!(all(&Schedule::Http(policy)), [0.0, 10.0, 10.0, 10.0, 20.0, 30.0, 40.0, 40.0]);
        for backoff in [Backoff::Arithmetic, Backoff::Geometric, Backoff::Exponential] {
            let delays = all(&Schedule::Http(RetryPolicy { backoff, ..policy }));
            assert!(delays.is_sorted() && (delays[6] - 40.0).abs() < 1e-6, "{backoff:?}: {delays:?}");
        }
    }
}
