//! Reads the config's `[[threshold]]` tables, and those of its contexts.

use super::read::{Item, Reader};
use crate::domain::pattern::Pattern;
use crate::domain::row::KindId;
use crate::domain::tag::TAG_PREFIX;
use crate::kinds::threshold::{Threshold, number_field, number_fields};
use crate::kinds::{Kind, kind};
use crate::mistakes::unknown;
use toml::de::DeTable;

pub(super) const KEYS: [&str; 6] = ["match", "field", "warn", "crit", "below", "instead"];

/// One table, which stands under this heading; what is wrong with it is noted.
pub(super) fn read(reader: &mut Reader<'_, '_>, heading: &str, item: &Item<'_>) -> Option<Threshold> {
    let Some(table) = item.get_ref().as_table() else {
        reader.mistakes.note(item.span(), format!("a threshold is a table: write [[{heading}]]"));
        return None;
    };
    reader.known_keys(table, &KEYS);
    for key in ["match", "field"].into_iter().filter(|key| table.get(*key).is_none()) {
        let example = if key == "match" { "sqs/orders-*" } else { "oldest_age_s" };
        reader.mistakes.note(item.span(), format!("this threshold says no `{key}`, such as {key} = \"{example}\""));
    }
    let pattern = reader.get(table, "match", pattern);
    let field = reader.get(table, "field", |reader, key, item| field(reader, key, item, pattern.as_ref()));
    let (warn, crit) = (reader.get(table, "warn", limit), reader.get(table, "crit", limit));
    let below = reader.get(table, "below", Reader::flag).unwrap_or(false);
    let instead = reader.get(table, "instead", Reader::flag).unwrap_or(false);
    check_limits(reader, table, item, (warn, crit), below);
    Some(Threshold { pattern: pattern?, field: field?, warn, crit, below, instead })
}

/// Counts, ages, rates and shares are all there is: no number of a resource is below zero.
fn limit(reader: &mut Reader<'_, '_>, key: &str, item: &Item<'_>) -> Option<f64> {
    let number = reader.number(key, item)?;
    if number < 0.0 {
        reader.mistakes.note(item.span(), format!("`{key}` is 0 or more, not {number}: no field is ever below 0"));
        return None;
    }
    Some(number)
}

fn pattern(reader: &mut Reader<'_, '_>, key: &str, item: &Item<'_>) -> Option<Pattern> {
    let text = reader.text(key, item)?;
    if text.starts_with(TAG_PREFIX) {
        let sentence =
            format!("`{text}`: a threshold is for ids, such as sqs/orders-*; tags decide in include and exclude");
        reader.mistakes.note(item.span(), sentence);
        return None;
    }
    Pattern::parse(&text).map_err(|sentence| reader.mistakes.note(item.span(), sentence)).ok()
}

/// The id of a field that is a number in one of the pattern's kinds; of any kind while the pattern is not known.
fn field(reader: &mut Reader<'_, '_>, key: &str, item: &Item<'_>, pattern: Option<&Pattern>) -> Option<&'static str> {
    let id = reader.text(key, item)?;
    let kinds: Vec<&Kind> = pattern.map_or(&KindId::ALL[..], Pattern::kinds).iter().map(|id| kind(*id)).collect();
    if let Some(field) = kinds.iter().find_map(|kind| number_field(kind, &id)) {
        return Some(field.id);
    }
    let words: Vec<&str> = kinds.iter().map(|kind| kind.id.word()).collect();
    let mut known: Vec<&str> = kinds.iter().flat_map(|kind| number_fields(kind)).map(|field| field.id).collect();
    known.sort_unstable();
    known.dedup();
    let is_other = |other: &&&Kind| other.detail.iter().chain(other.part_columns).any(|field| field.id == id);
    let said = match kinds.iter().find(is_other) {
        Some(kind) if kind.part_columns.iter().any(|field| field.id == id) => {
            format!("`{id}` is said of {} and not of the resource", kind.parts_title)
        }
        Some(_) => format!("`{id}` is no number"),
        None => format!("`{id}` is no field of {}", words.join(", ")),
    };
    reader.mistakes.note(item.span(), unknown(&said, &id, &known));
    None
}

fn check_limits(
    reader: &mut Reader<'_, '_>,
    table: &DeTable<'_>,
    item: &Item<'_>,
    limits: (Option<f64>, Option<f64>),
    below: bool,
) {
    if table.get("warn").is_none() && table.get("crit").is_none() {
        reader.mistakes.note(item.span(), "this threshold has no limit: say `warn`, `crit` or both");
    }
    let (Some(warn), Some(crit)) = limits else { return };
    let span = table.get("crit").map_or(item.span(), toml::Spanned::span);
    if !below && crit < warn {
        let cure = "give a larger `crit`; where small numbers are bad, add below = true";
        reader.mistakes.note(span, format!("`crit` ({crit}) would be reached before `warn` ({warn}): {cure}"));
    } else if below && crit > warn {
        let cure = "with below = true, give a smaller `crit`";
        reader.mistakes.note(span, format!("`crit` ({crit}) would be reached before `warn` ({warn}): {cure}"));
    }
}
