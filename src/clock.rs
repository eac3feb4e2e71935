//! The clock of a session: the system's, or the engine's. The only place that reads the real one.

use crate::domain::time::Timestamp;
use crate::sim::clock::VirtualClock;
use std::time::{Duration, SystemTime};

/// Where a session's time comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    System,
    Virtual(VirtualClock),
}

impl Clock {
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => now(),
            Self::Virtual(clock) => clock.now(),
        }
    }

    /// How long this much of the session's time takes.
    pub fn real(&self, duration: Duration) -> Duration {
        match self {
            Self::System => duration,
            Self::Virtual(clock) => clock.real(duration),
        }
    }

    /// Waits until this much of the session's time has passed.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(self.real(duration)).await;
    }
}

/// The steady time that frames are paced by: how long a person has waited for one, whatever the session's time does.
pub fn steady() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// The time now, in UTC.
#[expect(clippy::disallowed_methods, reason = "somebody must read the clock, and this is who")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
