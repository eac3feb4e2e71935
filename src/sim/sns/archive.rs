//! The archive of a FIFO topic: how long it is to keep messages, and from when they could be replayed. The messages
//! themselves are not kept, and nothing is replayed.

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::sns::error;
use serde_json::{Map, Value};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
const DAYS_MAX: u32 = 365;

/// An `ArchivePolicy` that is on.
#[derive(Clone, Debug, PartialEq)]
pub struct Archive {
    /// As given.
    pub text: String,
    days: u32,
    /// When it was turned on.
    since: Timestamp,
}

impl Archive {
    /// Reads a policy; an empty one turns the archive off. An archive that is on goes on with the other period.
    pub fn parse(text: &str, now: Timestamp, before: Option<&Self>) -> Result<Option<Self>, ApiError> {
        let fault = |reason: &str| error::invalid_parameter(format!("ArchivePolicy: {reason}"));
        let Ok(policy) = serde_json::from_str::<Map<String, Value>>(text) else {
            return Err(fault("Unable to parse JSON"));
        };
        if policy.is_empty() {
            return Ok(None);
        }
        let days = match policy.get("MessageRetentionPeriod") {
            Some(Value::String(text)) => text.parse().ok(),
            Some(Value::Number(number)) => number.as_u64().and_then(|days| u32::try_from(days).ok()),
            Some(_) => None,
            None => return Err(fault("JSON is missing required fields")),
        };
        let days = days.filter(|days| (1..=DAYS_MAX).contains(days));
        let days = days.ok_or_else(|| fault("MessageRetentionPeriod value is invalid"))?;
        let since = before.map_or(now, |before| before.since);
        Ok(Some(Self { text: text.to_owned(), days, since }))
    }

    /// `BeginningArchiveTime`.
    pub fn beginning(&self, now: Timestamp) -> Timestamp {
        self.since.max(now - DAY * self.days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_begins_when_it_is_turned_on_and_reaches_back_as_many_days() {
        let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
        let archive = Archive::parse(r#"{"MessageRetentionPeriod":"30"}"#, start, None).unwrap().unwrap();
        assert_eq!(archive.beginning(start + DAY), start);
        assert_eq!(archive.beginning(start + DAY * 31), start + DAY);
        let shorter = Archive::parse(r#"{"MessageRetentionPeriod":1}"#, start + DAY * 5, Some(&archive)).unwrap();
        assert_eq!(shorter.unwrap().beginning(start + DAY * 5), start + DAY * 4);
        assert_eq!(Archive::parse("{}", start, Some(&archive)), Ok(None));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, fault) in [
            ("", "Unable to parse JSON"),
            ("[]", "Unable to parse JSON"),
            (r#"{"Days":3}"#, "JSON is missing required fields"),
            (r#"{"MessageRetentionPeriod":"0"}"#, "MessageRetentionPeriod value is invalid"),
            (r#"{"MessageRetentionPeriod":366}"#, "MessageRetentionPeriod value is invalid"),
        ] {
            let error = Archive::parse(text, Timestamp::from_millis(0), None).unwrap_err();
            assert_eq!(error.message, format!("Invalid parameter: ArchivePolicy: {fault}"), "{text}");
        }
    }
}
