//! The engine's clock: virtual time that follows tokio's, faster or slower, and jumps when the runtime is paused.

use crate::domain::time::Timestamp;
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// `now = epoch + tokio_elapsed × speed`. On a paused current-thread runtime tokio moves its time only when every
/// task waits, so simulated days pass as fast as the CPU allows, and in the same order each time.
#[derive(Clone, Copy, Debug)]
pub struct VirtualClock {
    epoch: Timestamp,
    speed: f64,
    started: Instant,
}

impl VirtualClock {
    /// Starts at `epoch` now. `speed` is simulated seconds for each real one, and must be above 0.
    pub fn start(epoch: Timestamp, speed: f64) -> Self {
        Self { epoch, speed, started: Instant::now() }
    }

    pub fn now(&self) -> Timestamp {
        self.epoch + self.started.elapsed().mul_f64(self.speed)
    }

    /// Waits until `simulated` time has passed. Rounded up to tokio's millisecond.
    pub async fn sleep(&self, simulated: Duration) {
        tokio::time::sleep(self.real(simulated)).await;
    }

    /// How long `simulated` takes.
    pub fn real(&self, simulated: Duration) -> Duration {
        simulated.div_f64(self.speed)
    }

    /// The time at which it started.
    pub fn epoch(&self) -> Timestamp {
        self.epoch
    }

    pub fn speed(&self) -> f64 {
        self.speed
    }
}

impl TimeSource for VirtualClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(VirtualClock::now(self).millis().max(0) as u64)
    }
}

impl AsyncSleep for VirtualClock {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = *self;
        Sleep::new(async move { clock.sleep(duration).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_runtime_jumps_and_speed_scales() {
        let epoch = Timestamp::parse_rfc3339("2026-11-27T17:58:00Z").unwrap();
        let clock = VirtualClock::start(epoch, 60.0);
        clock.sleep(Duration::from_secs(86_400)).await;
        assert_eq!(clock.now(), epoch + Duration::from_secs(86_400));
        assert_eq!(clock.started.elapsed(), Duration::from_secs(1440));
    }
}
