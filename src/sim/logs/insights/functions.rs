//! The functions of expressions ("Boolean, comparison, numeric, datetime, and other functions") and the names of those
//! that aggregate ("stats").

use super::value::{Value, flag, of_json};
use crate::domain::time::Timestamp;
use core::net::IpAddr;

/// Functions that make one value of many rows.
const AGGREGATES: [&str; 13] = [
    "avg",
    "count",
    "count_distinct",
    "earliest",
    "latest",
    "max",
    "min",
    "pct",
    "percentile",
    "sortsfirst",
    "sortslast",
    "stddev",
    "sum",
];

/// Functions over one row's values: their names in small letters, and how many arguments they take.
const SCALARS: [(&str, usize, usize); 36] = [
    ("abs", 1, 1),
    ("bin", 1, 1),
    ("ceil", 1, 1),
    ("coalesce", 1, usize::MAX),
    ("concat", 1, usize::MAX),
    ("dateceil", 2, 2),
    ("datefloor", 2, 2),
    ("floor", 1, 1),
    ("frommillis", 1, 1),
    ("greatest", 1, usize::MAX),
    ("isblank", 1, 1),
    ("isempty", 1, 1),
    ("isipinsubnet", 2, 2),
    ("isipv4insubnet", 2, 2),
    ("isipv6insubnet", 2, 2),
    ("ispresent", 1, 1),
    ("isvalidip", 1, 1),
    ("isvalidipv4", 1, 1),
    ("isvalidipv6", 1, 1),
    ("jsonparse", 1, 1),
    ("jsonstringify", 1, 1),
    ("least", 1, usize::MAX),
    ("log", 1, 1),
    ("ltrim", 1, 2),
    ("now", 0, 0),
    ("replace", 3, 3),
    ("rtrim", 1, 2),
    ("sqrt", 1, 1),
    ("strcontains", 2, 2),
    ("strlen", 1, 1),
    ("substr", 2, 3),
    ("tolower", 1, 1),
    ("tomillis", 1, 1),
    ("toupper", 1, 1),
    ("trim", 1, 2),
    ("unmask", 1, 1),
];

pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether there is such a function; the case of its name says nothing.
pub(super) fn is_known(name: &str) -> bool {
    is_aggregate(name) || SCALARS.iter().any(|(known, ..)| known.eq_ignore_ascii_case(name))
}

/// Whether a known function takes so many arguments.
pub(super) fn takes(name: &str, count: usize) -> bool {
    let found = SCALARS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name));
    found.is_none_or(|(_, least, most)| (*least..=*most).contains(&count))
}

/// Carries out a function, by its name in small letters, for an event of `at_ms` in a query that was started `now`.
pub(super) fn call(name: &str, values: &[Option<Value>], (at_ms, now): (i64, Timestamp)) -> Option<Value> {
    let value = |index: usize| values.get(index).cloned().flatten();
    match name {
        "ispresent" => flag(value(0).is_some()),
        "coalesce" => values.iter().flatten().next().cloned(),
        // No group has a data protection policy, so that nothing is masked.
        "unmask" => value(0),
        "jsonparse" => {
            let json = serde_json::from_str(&value(0)?.shown()).ok();
            json.filter(|json: &serde_json::Value| json.is_object() || json.is_array()).as_ref().and_then(of_json)
        }
        "jsonstringify" => Some(Value::Text(value(0)?.shown())),
        _ if name.starts_with("isvalidip") || name.starts_with("isip") => of_addresses(name, values),
        "bin" | "datefloor" | "dateceil" | "frommillis" | "tomillis" | "now" => of_times(name, values, (at_ms, now)),
        _ => of_texts(name, values).or_else(|| of_numbers(name, values)),
    }
}

fn text(values: &[Option<Value>], index: usize) -> Option<String> {
    values.get(index)?.as_ref().map(Value::shown)
}

fn number(values: &[Option<Value>], index: usize) -> Option<f64> {
    values.get(index)?.as_ref().and_then(Value::number)
}

fn of_times(name: &str, values: &[Option<Value>], (at_ms, now): (i64, Timestamp)) -> Option<Value> {
    let floor = |at: i64, period: i64| at.div_euclid(period.max(1)) * period.max(1);
    let first = || number(values, 0);
    Some(match name {
        // Seconds since the Unix epoch.
        "now" => Value::Number((now.millis().div_euclid(1000)) as f64),
        "tomillis" => Value::Number(first()?),
        "frommillis" => Value::Time(first()? as i64),
        "bin" => Value::Time(floor(at_ms, first()? as i64)),
        _ => {
            let (at, period) = (first()? as i64, (number(values, 1)? as i64).max(1));
            let floor = floor(at, period);
            Value::Time(if name == "dateceil" && floor < at { floor.saturating_add(period) } else { floor })
        }
    })
}

fn of_texts(name: &str, values: &[Option<Value>]) -> Option<Value> {
    let text = |index: usize| text(values, index);
    let of_first = |make: fn(&str) -> String| Some(Value::Text(make(&text(0)?)));
    // Spaces go where no characters are given.
    let characters = text(1);
    let goes = |c: char| characters.as_ref().map_or(c.is_whitespace(), |all| all.contains(c));
    match name {
        "isempty" => flag(text(0).is_none_or(|text| text.is_empty())),
        "isblank" => flag(text(0).is_none_or(|text| text.trim().is_empty())),
        "strlen" => Some(Value::Number(text(0)?.chars().count() as f64)),
        "strcontains" => flag(text(0)?.contains(&text(1)?)),
        "toupper" => of_first(str::to_uppercase),
        "tolower" => of_first(str::to_lowercase),
        "trim" => Some(Value::Text(text(0)?.trim_matches(goes).to_owned())),
        "ltrim" => Some(Value::Text(text(0)?.trim_start_matches(goes).to_owned())),
        "rtrim" => Some(Value::Text(text(0)?.trim_end_matches(goes).to_owned())),
        "replace" => {
            let (searched, put) = (text(1)?, text(2)?);
            // Between all characters there is nothing, but nothing is not searched.
            let searched = Some(searched).filter(|searched| !searched.is_empty());
            let whole = text(0)?;
            Some(Value::Text(searched.map_or(whole.clone(), |searched| whole.replace(&searched, &put))))
        }
        "concat" => Some(Value::Text((0..values.len()).filter_map(text).collect())),
        "substr" => {
            let (from, most) =
                (number(values, 1)? as usize, number(values, 2).map_or(usize::MAX, |most| most as usize));
            Some(Value::Text(text(0)?.chars().skip(from).take(most).collect()))
        }
        _ => None,
    }
}

fn of_numbers(name: &str, values: &[Option<Value>]) -> Option<Value> {
    let all = || values.iter().flatten().filter_map(Value::number);
    let first = || number(values, 0);
    let result = match name {
        "abs" => first()?.abs(),
        "ceil" => first()?.ceil(),
        "floor" => first()?.floor(),
        "sqrt" => first()?.sqrt(),
        "log" => first()?.ln(),
        "greatest" => all().max_by(f64::total_cmp)?,
        "least" => all().min_by(f64::total_cmp)?,
        _ => return None,
    };
    Some(Value::Number(result))
}

/// Whether a text is an address, or one of a subnet such as `10.0.0.0/8`.
fn of_addresses(name: &str, values: &[Option<Value>]) -> Option<Value> {
    let is_of_version = |address: &IpAddr| match (name.contains("v4"), name.contains("v6")) {
        (true, _) => address.is_ipv4(),
        (_, true) => address.is_ipv6(),
        _ => true,
    };
    let address: Option<IpAddr> = text(values, 0)?.trim().parse().ok();
    let address = address.filter(is_of_version);
    if name.starts_with("isvalid") {
        return flag(address.is_some());
    }
    let subnet = text(values, 1)?;
    flag(address.is_some_and(|address| is_in_subnet(address, &subnet)))
}

fn is_in_subnet(address: IpAddr, subnet: &str) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(four) => (u128::from(u32::from(four)) << 96, 32),
        IpAddr::V6(six) => (u128::from(six), 128),
    };
    let Some((base, length)) = subnet.split_once('/') else { return false };
    let (Ok(base), Ok(length)) = (base.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    let ((own, own_width), (base, width)) = (bits(address), bits(base));
    own_width == width && length <= width && (own ^ base).checked_shr(128 - length).unwrap_or(0) == 0
}
