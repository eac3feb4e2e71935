//! A value says what it is: a datum with the time it speaks of and where it came from. No data is a datum, never 0.

use crate::domain::time::Timestamp;

/// One measured or described thing about a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub datum: Datum,
    /// The time the datum speaks of: of the API answer, or the end of the CloudWatch period.
    pub as_of: Timestamp,
    pub origin: Origin,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// In the unit of the field that holds it.
    Number(f64),
    Text(String),
    Flag(bool),
    Time(Timestamp),
    /// There is no datum, for this reason.
    Missing(NoData),
}

/// Who said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The service's own API: true when it was asked.
    Api,
    /// A CloudWatch period: minutes behind by nature.
    CloudWatch,
    /// Computed here from other values.
    Derived,
}

/// Why there is no datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoData {
    /// It has been asked for; no answer yet.
    NotYet,
    /// CloudWatch has no datapoint in the window: an idle function, a queue asleep for 6 h, a stream nobody reads.
    NoDatapoints,
    /// Shard-level metrics are off for this stream (enhanced monitoring).
    NotEnabled,
    /// The caller may not ask.
    Denied,
    /// The endpoint does not know the operation, or the last asking failed.
    Failed,
    /// The resource has no such thing (no dead-letter queue, no reserved concurrency).
    NotApplicable,
    /// There is nothing in it that the number could be of: the oldest message of an empty queue.
    Empty,
    /// It will not come: a backlog that grows is never done.
    Never,
    /// It neither grows nor shrinks, so there is no end to reckon.
    Steady,
    /// A closed shard: what it last showed says nothing about now.
    Closed,
    /// It is of a resource that is not watched: hidden by the config, or not listed.
    Unseen,
    /// It is something, but what cannot be told from what there is to see.
    Unknown,
}

impl NoData {
    /// Two or three words for a cell or a detail line.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::NotYet => "not yet",
            Self::NoDatapoints => "no data",
            Self::NotEnabled => "not enabled",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::NotApplicable => "none",
            Self::Empty => "empty",
            Self::Never => "never",
            Self::Steady => "steady",
            Self::Closed => "closed",
            Self::Unseen => "unseen",
            Self::Unknown => "not known",
        }
    }
}

impl Value {
    pub const fn number(number: f64, as_of: Timestamp, origin: Origin) -> Self {
        Self { datum: Datum::Number(number), as_of, origin }
    }

    pub fn text(text: impl Into<String>, as_of: Timestamp) -> Self {
        Self { datum: Datum::Text(text.into()), as_of, origin: Origin::Api }
    }

    pub const fn missing(why: NoData, as_of: Timestamp, origin: Origin) -> Self {
        Self { datum: Datum::Missing(why), as_of, origin }
    }

    /// The number, when it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self.datum {
            Datum::Number(number) => Some(number),
            _ => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match &self.datum {
            Datum::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What a field's number counts. A field's id ends with the unit's suffix where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Count,
    PerSecond,
    PerMinute,
    Bytes,
    BytesPerSecond,
    Milliseconds,
    Seconds,
    /// 0–100 and above.
    Percent,
    MegaBytes,
    /// US dollars an hour, at list price.
    UsdPerHour,
    Text,
    Flag,
    Time,
}

impl Unit {
    /// Whether what is counted can be compared with a limit.
    pub const fn is_number(self) -> bool {
        !matches!(self, Self::Text | Self::Flag | Self::Time)
    }

    /// The datum in a few characters: `1.2k`, `340 ms`, `6m11s`, `83%`, `1.4 MB/s`; the reason where there is none.
    pub fn short(self, datum: &Datum) -> String {
        match datum {
            Datum::Missing(why) => why.phrase().to_owned(),
            Datum::Text(text) => text.clone(),
            Datum::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Datum::Time(at) => at.rfc3339(),
            Datum::Number(number) => self.short_number(*number),
        }
    }

    /// A bare number in this unit, short.
    pub fn short_number(self, number: f64) -> String {
        match self {
            Self::Milliseconds => short_duration_ms(number),
            Self::Seconds => short_duration_ms(number * 1000.0),
            Self::Percent => format!("{}%", short_decimal(number)),
            Self::Bytes => format!("{}B", short_count(number)),
            Self::BytesPerSecond => format!("{}B/s", short_count(number)),
            Self::PerSecond => format!("{}/s", short_count(number)),
            Self::PerMinute => format!("{}/m", short_count(number)),
            Self::MegaBytes => format!("{} MB", number.round()),
            Self::UsdPerHour => short_usd_per_hour(number),
            _ => short_count(number),
        }
    }
}

fn short_decimal(number: f64) -> String {
    match number.abs() {
        n if n >= 10.0 || n == n.trunc() => format!("{number:.0}"),
        _ => format!("{number:.1}"),
    }
}

/// `$0/h`, `$0.0004/h`, `$0.25/h`, `$12.50/h`, `$340/h`: two figures that count.
fn short_usd_per_hour(usd: f64) -> String {
    match usd.abs() {
        n if n >= 100.0 => format!("${usd:.0}/h"),
        n if n >= 0.1 || n == 0.0 => format!("${usd:.*}/h", if n == 0.0 { 0 } else { 2 }),
        n if n >= 0.01 => format!("${usd:.3}/h"),
        n if n >= 0.0001 => format!("${usd:.4}/h"),
        _ => "<$0.0001/h".to_owned(),
    }
}

/// `999`, `1.2k`, `12k`, `3.4M`: at most four characters and a sign.
fn short_count(number: f64) -> String {
    let (scaled, suffix) = match number.abs() {
        n if n >= 999_500_000.0 => (number / 1e9, "G"),
        n if n >= 999_500.0 => (number / 1e6, "M"),
        n if n >= 1000.0 => (number / 1e3, "k"),
        _ => (number, ""),
    };
    format!("{}{suffix}", short_decimal(scaled))
}

/// `340ms`, `2.4s`, `6m11s`, `3h04m`, `2d03h`.
pub fn short_duration_ms(ms: f64) -> String {
    let s = ms / 1000.0;
    match s.abs() {
        n if n < 1.0 => format!("{}ms", short_decimal(ms)),
        n if n < 10.0 => format!("{s:.1}s"),
        n if n < 60.0 => format!("{s:.0}s"),
        n if n < 3600.0 => format!("{}m{:02}s", (s / 60.0) as i64, s as i64 % 60),
        n if n < 86_400.0 => format!("{}h{:02}m", (s / 3600.0) as i64, (s / 60.0) as i64 % 60),
        _ => format!("{}d{:02}h", (s / 86_400.0) as i64, (s / 3600.0) as i64 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_their_unit() {
        let cases = [
            (Unit::Count, 0.0, "0"),
            (Unit::Count, 412.0, "412"),
            (Unit::Count, 1204.0, "1.2k"),
            (Unit::Count, 999_999.0, "1.0M"),
            (Unit::Milliseconds, 0.0, "0ms"),
            (Unit::Milliseconds, 340.0, "340ms"),
            (Unit::Milliseconds, 2440.0, "2.4s"),
            (Unit::Seconds, 371.0, "6m11s"),
            (Unit::Seconds, 11_040.0, "3h04m"),
            (Unit::Percent, 83.4, "83%"),
            (Unit::Percent, 0.4, "0.4%"),
            (Unit::BytesPerSecond, 1_430_000.0, "1.4MB/s"),
            (Unit::UsdPerHour, 0.0, "$0/h"),
            (Unit::UsdPerHour, 0.000_01, "<$0.0001/h"),
            (Unit::UsdPerHour, 0.000_42, "$0.0004/h"),
            (Unit::UsdPerHour, 0.0421, "$0.042/h"),
            (Unit::UsdPerHour, 12.5, "$12.50/h"),
        ];
        for (unit, number, text) in cases {
            assert_eq!(unit.short_number(number), text);
        }
    }

    #[test]
    fn no_data_never_reads_as_zero() {
        assert_eq!(Unit::Count.short(&Datum::Missing(NoData::NoDatapoints)), "no data");
    }
}
