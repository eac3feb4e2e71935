//! Values as short text: what a table's cell and a detail's line say, in which role, and how wide a column must be.

use crate::domain::field::Field;
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, NoData, Origin, Unit, Value};
use crate::theme::Role;
use std::borrow::Cow;

/// A value for a cell. What is missing says why, dimly; a zero is dim as well, so that the eye goes to what is not.
pub fn cell<'v>(field: &Field, value: Option<&'v Value>, now: Timestamp) -> (Cow<'v, str>, Role) {
    let Some(value) = value else { return (Cow::Borrowed(NoData::NotYet.phrase()), Role::Stale) };
    match &value.datum {
        Datum::Missing(NoData::NotEnabled) => (Cow::Borrowed("off"), Role::Stale),
        Datum::Missing(why) => (Cow::Borrowed(why.phrase()), Role::Stale),
        // Nothing waits, nothing is listed: a blank would look as if it were not known.
        Datum::Text(text) if text.is_empty() => (Cow::Borrowed("none"), Role::Dim),
        Datum::Text(text) => (Cow::Borrowed(text), Role::Text),
        Datum::Flag(flag) => (Cow::Borrowed(if *flag { "yes" } else { "no" }), Role::Text),
        Datum::Time(at) => match age(now, *at).as_str() {
            "now" => (Cow::Borrowed("now"), Role::Text),
            age => (Cow::Owned(format!("{age} ago")), Role::Text),
        },
        Datum::Number(number) => {
            let role = if *number == 0.0 { Role::Dim } else { Role::Text };
            (Cow::Owned(field.unit.short_number(*number)), role)
        }
    }
}

/// How many columns the values of a field take in a table; the same whatever the values are, so that columns stand
/// still.
pub fn width(field: &Field) -> u16 {
    let values = match field.unit {
        Unit::Count | Unit::Milliseconds | Unit::Seconds | Unit::Percent | Unit::PerMinute | Unit::PerSecond => 7,
        Unit::Bytes | Unit::MegaBytes => 8,
        Unit::BytesPerSecond | Unit::Time => 9,
        Unit::UsdPerHour => 10,
        Unit::Text => 11,
        Unit::Flag => 3,
    };
    // One more for the sign of the sorted column.
    values.max(field.title.len() as u16 + 1)
}

/// Numbers stand at the right of their column, words at the left.
pub fn is_right(field: &Field) -> bool {
    !matches!(field.unit, Unit::Text | Unit::Flag)
}

/// How long ago, roughly: a screen that changes every second tires the eye and the line.
pub fn age(now: Timestamp, at: Timestamp) -> String {
    let s = now.since(at).as_secs();
    match s {
        0..10 => "now".to_owned(),
        10..60 => format!("{}s", s / 10 * 10),
        60..3600 => format!("{}m", s / 60),
        3600..86_400 => format!("{}h", s / 3600),
        _ => format!("{}d", s / 86_400),
    }
}

/// Where a value comes from and how old it is: `now`, `cw 2m`, `calc 1m`.
pub fn provenance(value: &Value, now: Timestamp) -> String {
    let age = age(now, value.as_of);
    match value.origin {
        Origin::Api => age,
        Origin::CloudWatch => format!("cw {age}"),
        Origin::Derived => format!("calc {age}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::KINDS;
    use crate::kinds::sqs::VISIBLE;

    const NOW: Timestamp = Timestamp::from_millis(10_000_000);

    #[test]
    fn no_data_says_why_and_is_never_a_zero() {
        let of_service = [NoData::NotYet, NoData::NoDatapoints, NoData::NotEnabled, NoData::Denied, NoData::Failed];
        let reckoned =
            [NoData::NotApplicable, NoData::Empty, NoData::Never, NoData::Steady, NoData::Closed, NoData::Unseen];
        for why in of_service.into_iter().chain(reckoned) {
            let value = Value::missing(why, NOW, Origin::Api);
            let (text, role) = cell(&VISIBLE, Some(&value), NOW);
            assert!(!text.contains('0') && role == Role::Stale, "{why:?} shows {text}");
            assert!(text.len() <= 7, "{text} fits the narrowest column");
        }
        assert_eq!(cell(&VISIBLE, None, NOW), ("not yet".into(), Role::Stale));
        let zero = Value::number(0.0, NOW, Origin::Api);
        assert_eq!(cell(&VISIBLE, Some(&zero), NOW), ("0".into(), Role::Dim));
    }

    #[test]
    fn every_column_is_wide_enough_for_its_head_and_its_sort_sign() {
        for field in KINDS.iter().flat_map(|kind| kind.columns.iter().chain(kind.part_columns)) {
            assert!(width(field) > field.title.len() as u16, "{}", field.title);
        }
    }

    #[test]
    fn every_title_has_room_in_a_detail() {
        for field in KINDS.iter().flat_map(|kind| kind.detail) {
            assert!(field.title.len() <= 12, "{}", field.title);
        }
    }

    #[test]
    fn ages_are_rough() {
        let ago = |s: i64| age(NOW, Timestamp::from_millis(NOW.millis() - s * 1000));
        assert_eq!([ago(3), ago(59), ago(61), ago(7300), ago(-5)], ["now", "50s", "1m", "2h", "now"]);
        let value = Value::number(1.0, Timestamp::from_millis(NOW.millis() - 120_000), Origin::CloudWatch);
        assert_eq!(provenance(&value, NOW), "cw 2m");
    }
}
