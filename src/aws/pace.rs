//! The pace of calls: no operation is called more often than its share of AWS's published rate, however many polls are
//! on their way, and one that AWS throttles is called ever less until it is taken again.
//!
//! A call takes the next free place in its operation's line and waits for its time. What a person looks at has a line
//! of its own, half as fast, so that a sweep of thousands does not stand before it.

use crate::aws::operations::{OPERATIONS, Operation, index};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

/// Whose calls these are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lane {
    /// Of what is on screen, selected or acted on.
    Near,
    /// Of the sweep through everything.
    #[default]
    Wide,
}

/// Each throttled call makes the operation so many times slower, up to a bound; each one that is taken, a tenth faster.
const SLOWER: u32 = 2;
const STRETCH_MAX_PERCENT: u32 = 3200;

/// The lines of all operations, shared by all clients of a context.
#[derive(Clone, Debug)]
pub struct Pace(Arc<[Lines; OPERATIONS.len()]>);

#[derive(Debug)]
struct Lines {
    /// The next free place of each lane, in microseconds since the Unix epoch.
    near_us: AtomicI64,
    wide_us: AtomicI64,
    /// How much longer than usual a place lasts; 100 when AWS takes everything.
    stretch_percent: AtomicU32,
}

impl Default for Pace {
    fn default() -> Self {
        let lines = || Lines {
            near_us: AtomicI64::new(i64::MIN),
            wide_us: AtomicI64::new(i64::MIN),
            stretch_percent: AtomicU32::new(100),
        };
        Self(Arc::new(std::array::from_fn(|_| lines())))
    }
}

impl Pace {
    /// Takes a place in the operation's line; gives how long to wait for it.
    pub fn take(&self, operation: &Operation, lane: Lane, now_us: i64) -> Duration {
        let Some(lines) = index(operation).and_then(|index| self.0.get(index)) else { return Duration::ZERO };
        let stretch = f64::from(lines.stretch_percent.load(Ordering::Relaxed)) / 100.0;
        let per_s = match lane {
            Lane::Near => operation.per_s / 2.0,
            Lane::Wide => operation.per_s,
        };
        let interval_us = 1_000_000.0 / per_s * stretch;
        let earliest = now_us - (interval_us * (operation.burst - 1.0)) as i64;
        let line = match lane {
            Lane::Near => &lines.near_us,
            Lane::Wide => &lines.wide_us,
        };
        let place = |next: i64| next.max(earliest);
        let took = line
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| Some(place(next) + interval_us as i64))
            .unwrap_or_else(|next| next);
        Duration::from_micros(u64::try_from(place(took) - now_us).unwrap_or(0))
    }

    /// Notes what became of a call: what was throttled is called less, what was taken gets back to its rate.
    pub fn note(&self, index: usize, was_throttled: bool) {
        let Some(lines) = self.0.get(index) else { return };
        let next = |percent: u32| match was_throttled {
            true => (percent * SLOWER).min(STRETCH_MAX_PERCENT),
            false => (percent * 9 / 10).max(100),
        };
        lines.stretch_percent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |percent| Some(next(percent))).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::operations::DESCRIBE_STREAM_SUMMARY;

    /// The calls of a lane that could start within a second from now, all asked for at once.
    fn in_a_second(pace: &Pace, lane: Lane, now_us: i64) -> usize {
        let waits = std::iter::repeat_with(|| pace.take(&DESCRIBE_STREAM_SUMMARY, lane, now_us));
        waits.take_while(|wait| *wait < Duration::from_millis(990)).count()
    }

    #[test]
    fn a_lane_has_its_rate_after_a_first_burst() {
        let pace = Pace::default();
        let per_s = DESCRIBE_STREAM_SUMMARY.per_s as usize;
        assert_eq!(in_a_second(&pace, Lane::Wide, 0), DESCRIBE_STREAM_SUMMARY.burst as usize + per_s);
        let near = in_a_second(&pace, Lane::Near, 0);
        assert_eq!(near, DESCRIBE_STREAM_SUMMARY.burst as usize + per_s / 2, "the sweep does not stand before it");
    }

    #[test]
    fn what_is_throttled_is_called_less_and_recovers() {
        let pace = Pace::default();
        let index = index(&DESCRIBE_STREAM_SUMMARY).unwrap();
        for _ in 0..20 {
            pace.note(index, true);
        }
        assert!(in_a_second(&pace, Lane::Wide, 0) <= DESCRIBE_STREAM_SUMMARY.burst as usize, "32 times slower at most");
        for _ in 0..40 {
            pace.note(index, false);
        }
        let far = 1_000_000_000_000;
        assert_eq!(
            in_a_second(&pace, Lane::Wide, far),
            DESCRIBE_STREAM_SUMMARY.burst as usize + DESCRIBE_STREAM_SUMMARY.per_s as usize
        );
    }
}
