//! The real clock: the one place that reads it. Everything else takes the time from its session.

use crate::domain::time::Timestamp;
use std::time::SystemTime;

/// The time now, in UTC.
#[expect(clippy::disallowed_methods, reason = "somebody must read the clock, and this is who")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
