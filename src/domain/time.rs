//! Time as data: a point on the UTC line in milliseconds. Nothing here reads a clock.

use std::fmt;
use std::time::Duration;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z. AWS answers carry no finer time that midwatch needs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// `ms` milliseconds after the Unix epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// Seconds after the Unix epoch, as AWS's JSON protocols write time; fractions below a millisecond are dropped.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self((seconds * 1000.0).round() as i64)
    }

    /// Reads an RFC 3339 text such as `2026-11-27T18:00:00Z`.
    pub fn parse_rfc3339(text: &str) -> Result<Self, jiff::Error> {
        text.parse::<jiff::Timestamp>().map(|t| Self(t.as_millisecond()))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Seconds since the Unix epoch with millisecond fractions, as AWS's JSON protocols write time.
    pub fn secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The time that passed from `earlier` to `self`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0) as u64)
    }

    /// The start of the period of `period_s` seconds that holds this time (CloudWatch aligns datapoints so).
    pub const fn floor_to(self, period_s: i64) -> Self {
        Self(self.0.div_euclid(period_s * 1000) * period_s * 1000)
    }

    /// RFC 3339 in UTC with milliseconds only where they are not zero: `2026-11-27T18:02:00Z`.
    pub fn rfc3339(self) -> String {
        self.to_string()
    }

    /// As HTTP's headers write time (RFC 9110, section 5.6.7): `Fri, 27 Nov 2026 18:02:00 GMT`. `None` for a year that
    /// has more than four digits.
    pub fn http_date(self) -> Option<String> {
        let at = jiff::Timestamp::from_millisecond(self.0).ok()?;
        jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()
    }

    /// The wall clock in UTC, `18:02:00`, for a screen that shows the day elsewhere.
    pub fn clock_hms(self) -> String {
        let s = self.secs().rem_euclid(86_400);
        format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(d.as_millis().min(i64::MAX as u128) as i64))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(d.as_millis().min(i64::MAX as u128) as i64))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_rfc3339() {
        let t = Timestamp::parse_rfc3339("2026-11-27T18:02:00Z").unwrap();
        assert_eq!(t.rfc3339(), "2026-11-27T18:02:00Z");
        assert_eq!(t.http_date().as_deref(), Some("Fri, 27 Nov 2026 18:02:00 GMT"));
        assert_eq!(t.clock_hms(), "18:02:00");
        assert_eq!((t + Duration::from_millis(1500)).rfc3339(), "2026-11-27T18:02:01.5Z");
    }

    #[test]
    fn since_never_goes_below_zero() {
        let (a, b) = (Timestamp::from_millis(1000), Timestamp::from_millis(3500));
        assert_eq!(b.since(a), Duration::from_millis(2500));
        assert_eq!(a.since(b), Duration::ZERO);
    }

    #[test]
    fn floors_to_periods() {
        let t = Timestamp::parse_rfc3339("2026-11-27T18:02:59.9Z").unwrap();
        assert_eq!(t.floor_to(60).rfc3339(), "2026-11-27T18:02:00Z");
        assert_eq!(t.floor_to(300).rfc3339(), "2026-11-27T18:00:00Z");
    }
}
