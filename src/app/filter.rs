//! Filters of lists: `dlq !test visible>100 health>=warn`. All terms must hold.

use crate::domain::field::Field;
use crate::domain::row::{Health, KindId, Row};
use crate::domain::value::{Datum, Unit};
use crate::kinds;

/// A filter as it was typed, and what it means.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub text: String,
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    inverse: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    /// The id holds this text, whatever its case.
    Name(String),
    Health(Compare, Health),
    /// The field holds a number for which this is true; no data is never true.
    Number {
        field: &'static str,
        compare: Compare,
        number: f64,
    },
    /// The field's text holds (`=`) this text, whatever its case.
    Text {
        field: &'static str,
        text: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Less,
    LessOrEqual,
    Equal,
    MoreOrEqual,
    More,
}

/// Longer signs first, so that `>=` is not read as `>`.
const SIGNS: [(&str, Compare, bool); 6] = [
    ("!=", Compare::Equal, true),
    ("<=", Compare::LessOrEqual, false),
    (">=", Compare::MoreOrEqual, false),
    ("<", Compare::Less, false),
    (">", Compare::More, false),
    ("=", Compare::Equal, false),
];

impl Compare {
    fn holds<T: PartialOrd>(self, left: T, right: T) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Equal => left == right,
            Self::MoreOrEqual => left >= right,
            Self::More => left > right,
        }
    }
}

impl Filter {
    /// Reads a filter for lists of this kind (`None`: of all kinds). The error says what is wrong and what would do.
    pub fn parse(text: &str, kind: Option<KindId>) -> Result<Self, String> {
        let terms = text.split_whitespace().map(|word| Term::parse(word, kind)).collect::<Result<_, _>>()?;
        Ok(Self { text: text.trim().to_owned(), terms })
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn holds(&self, row: &Row) -> bool {
        self.terms.iter().all(|term| term.test.holds(row) != term.inverse)
    }
}

impl Term {
    fn parse(word: &str, kind: Option<KindId>) -> Result<Self, String> {
        let (inverse, word) = match word.strip_prefix('!') {
            Some(rest) if !rest.starts_with('=') => (true, rest),
            _ => (false, word),
        };
        let sign = SIGNS.iter().filter_map(|sign| word.find(sign.0).map(|at| (at, *sign))).min_by_key(|(at, _)| *at);
        let Some((at, (sign, compare, flips))) = sign else {
            return Ok(Self { inverse, test: Test::Name(word.to_lowercase()) });
        };
        let (name, wanted) = (&word[..at], &word[at + sign.len()..]);
        if wanted.is_empty() {
            return Err(format!("`{word}` compares with nothing: write {name}{sign}VALUE"));
        }
        Ok(Self { inverse: inverse != flips, test: Test::parse(name, compare, wanted, kind)? })
    }
}

impl Test {
    fn parse(name: &str, compare: Compare, wanted: &str, kind: Option<KindId>) -> Result<Self, String> {
        if name.eq_ignore_ascii_case("health") {
            let health = [Health::Ok, Health::Unknown, Health::Warn, Health::Crit]
                .into_iter()
                .find(|health| health.word().eq_ignore_ascii_case(wanted))
                .ok_or_else(|| format!("`{wanted}` is no health: use ok, unknown, warn or crit"))?;
            return Ok(Self::Health(compare, health));
        }
        let field = find_field(name, kind)?;
        if matches!(field.unit, Unit::Text | Unit::Flag | Unit::Time) {
            if compare != Compare::Equal {
                return Err(format!("{} holds text: compare it with = or !=", field.id));
            }
            return Ok(Self::Text { field: field.id, text: wanted.to_lowercase() });
        }
        let number = read_number(wanted, field.unit)
            .ok_or_else(|| format!("`{wanted}` is no number for {}: try 100, 1.5k or 5m", field.id))?;
        Ok(Self::Number { field: field.id, compare, number })
    }

    fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Name(text) => row.id.to_string().to_lowercase().contains(text),
            Self::Health(compare, health) => compare.holds(row.health, *health),
            Self::Number { field, compare, number } => row
                .fields
                .by_id(field)
                .and_then(|value| value.as_number())
                .is_some_and(|found| compare.holds(found, *number)),
            Self::Text { field, text } => row.fields.by_id(field).is_some_and(|value| match &value.datum {
                Datum::Text(found) => found.to_lowercase().contains(text),
                Datum::Flag(flag) => (if *flag { "yes" } else { "no" }) == text,
                Datum::Time(at) => at.rfc3339().to_lowercase().starts_with(text),
                Datum::Number(_) | Datum::Missing(_) => false,
            }),
        }
    }
}

/// The field with this id, title (`LAG`), or id without its unit (`oldest_age`).
fn find_field(name: &str, kind: Option<KindId>) -> Result<&'static Field, String> {
    let fields = || {
        let kinds = kinds::KINDS.iter().filter(|entry| kind.is_none_or(|kind| kind == entry.id));
        kinds.flat_map(|entry| entry.columns.iter().chain(entry.detail).copied())
    };
    let wanted = name.to_lowercase();
    fields()
        .find(|field| field.id == wanted)
        .or_else(|| fields().find(|field| field.title.to_lowercase().replace(' ', "_") == wanted))
        .or_else(|| fields().find(|field| field.id.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with('_'))))
        .ok_or_else(|| {
            let mut ids: Vec<&str> = fields().map(|field| field.id).collect();
            ids.sort_unstable();
            ids.dedup();
            ids.truncate(8);
            format!("`{name}` is no field here: try health, {}", ids.join(", "))
        })
}

/// A number in the field's unit: with `k`, `M`, `G`; for times also `500ms`, `30s`, `5m`, `2h`, `1d`; `%` is allowed.
fn read_number(text: &str, unit: Unit) -> Option<f64> {
    let digits_end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(text.len());
    let number: f64 = text[..digits_end].parse().ok()?;
    let suffix = &text[digits_end..];
    let in_time_unit = |ms: f64| match unit {
        Unit::Milliseconds => Some(number * ms),
        Unit::Seconds => Some(number * ms / 1000.0),
        _ => None,
    };
    match suffix {
        "" => Some(number),
        "%" if unit == Unit::Percent => Some(number),
        "ms" => in_time_unit(1.0),
        "s" => in_time_unit(1000.0),
        "m" => in_time_unit(60_000.0),
        "h" => in_time_unit(3_600_000.0),
        "d" => in_time_unit(86_400_000.0),
        "k" | "K" => Some(number * 1e3),
        "M" => Some(number * 1e6),
        "G" => Some(number * 1e9),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row::ResourceId;
    use crate::domain::time::Timestamp;
    use crate::domain::value::{NoData, Origin, Value};

    fn orders_dlq() -> Row {
        let at = Timestamp::from_millis(0);
        let mut row = Row::new(ResourceId::new(KindId::Sqs, "orders-dlq"), at);
        row.fields.set(&kinds::sqs::VISIBLE, Value::number(412.0, at, Origin::Api));
        row.fields.set(&kinds::sqs::OLDEST_AGE_S, Value::number(371.0, at, Origin::CloudWatch));
        row.fields.set(&kinds::sqs::SENT_PER_MIN, Value::missing(NoData::NoDatapoints, at, Origin::CloudWatch));
        row.fields.set(&kinds::sqs::DLQ, Value::text("Orders-Grave", at));
        row.health = Health::Crit;
        row
    }

    #[test]
    fn terms_all_must_hold() {
        let cases = [
            ("", true),
            ("dlq", true),
            ("DLQ orders", true),
            ("!dlq", false),
            ("sqs/", true),
            ("visible>100", true),
            ("visible>1k", false),
            ("visible!=412", false),
            ("!visible=0", true),
            ("oldest_age_s>=371", true),
            ("oldest>6m", true),
            ("oldest_age>7m", false),
            ("health=crit", true),
            ("health>=warn dlq", true),
            ("health=ok", false),
            ("dead_letter_queue=grave", true),
            ("sent_per_min<1", false),
            ("sent_per_min>=0", false),
        ];
        for (text, holds) in cases {
            let filter = Filter::parse(text, Some(KindId::Sqs)).unwrap();
            assert_eq!(filter.holds(&orders_dlq()), holds, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let cases = [
            ("visible>", "compares with nothing"),
            ("visible>many", "no number for visible"),
            ("lag>5m", "`lag` is no field here"),
            ("health=bad", "use ok, unknown, warn or crit"),
            ("dead_letter_queue>3", "holds text"),
        ];
        for (text, said) in cases {
            let error = Filter::parse(text, Some(KindId::Sqs)).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
        assert!(Filter::parse("lag>5m", None).is_ok(), "streams have a lag");
    }
}
