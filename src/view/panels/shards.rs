//! The shards of a stream: the key space as a bar with one piece a shard, and a line of numbers for each.
//!
//! ```text
//! SHARDS 4 open, 2 closed and still readable  by hash key, from 0 to 2^128
//! [  0   ][  1   ][▸ 3              ][ 4 ]
//!  SHARD    STATE   SPACE     USE       IN  …
//! ▸shard 3  open      50%    101%  1.1MB/s
//! ```

use super::parts::{self, Parts};
use crate::app::screen::Detail;
use crate::app::state::State;
use crate::domain::field::Field;
use crate::domain::row::{Part, Row};
use crate::kinds::kinesis::{
    READ_THROTTLED_PER_MIN, SHARD_RANGE, SHARD_STATE, SHARD_USE_PERCENT, WRITE_THROTTLED_PER_MIN,
};
use crate::theme::Role;
use crate::view::pen::Pen;
use crate::view::text::columns;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// Use of a shard's write limits that leaves no room, and little.
const USE_CRIT_PERCENT: f64 = 100.0;
const USE_WARN_PERCENT: f64 = 80.0;
/// Hash keys are 128 bits (MD5 of the partition key).
const KEY_SPACE: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;
/// From this width on, whole ids and a line for the key space's scale fit.
const WIDE_COLUMNS: u16 = 120;

pub fn draw(pen: &mut Pen, area: Rect, state: &State, row: &Row, detail: &Detail) {
    let open = row.parts.iter().filter(|part| is_open(part)).count();
    let mut title = pen.line(Rect { height: 1, ..area });
    title.gap(1).put("SHARDS", Role::Header).gap(1).put(&format!("{open} open"), Role::Strong);
    if row.parts.len() > open {
        title.put(&format!(", {} closed and still readable", row.parts.len() - open), Role::Dim);
    }
    let mut used = 1;
    if open > 0 && area.height >= 5 {
        title.gap(2).put("by hash key, from 0 to 2^128", Role::Dim);
        let bar = Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height: 1 };
        key_space(pen, bar, row, detail);
        used = 2;
    }
    let wide = area.width >= WIDE_COLUMNS;
    let show = Parts {
        head: "SHARD",
        name: &|part| if wide { part.id.clone() } else { short_id(&part.id) },
        role: &stands_out,
        none: "the shards are not listed yet",
    };
    let table = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
    parts::draw(pen, table, state, row, detail, &show);
}

fn is_open(part: &Part) -> bool {
    part.fields.text(&SHARD_STATE) == Some("open")
}

/// `shardId-000000000003` as `shard 3`: within a stream the number says all.
fn short_id(id: &str) -> String {
    let digits = id.strip_prefix("shardId-").filter(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    match digits.map(|digits| digits.trim_start_matches('0')) {
        Some("") => "shard 0".to_owned(),
        Some(number) => format!("shard {number}"),
        None => id.to_owned(),
    }
}

fn stands_out(field: &Field, part: &Part) -> Option<Role> {
    let number = part.fields.number(field)?;
    if field.id == SHARD_USE_PERCENT.id {
        return use_role(number);
    }
    let throttled = field.id == WRITE_THROTTLED_PER_MIN.id || field.id == READ_THROTTLED_PER_MIN.id;
    (throttled && number > 0.0).then_some(Role::Warn)
}

fn use_role(percent: f64) -> Option<Role> {
    match percent {
        p if p >= USE_CRIT_PERCENT => Some(Role::Crit),
        p if p >= USE_WARN_PERCENT => Some(Role::Warn),
        _ => None,
    }
}

/// The key space from left to right; a shard is as wide as its share, at least one cell, and as red as it is full.
fn key_space(pen: &mut Pen, line: Rect, row: &Row, detail: &Detail) {
    for (n, part) in row.parts.iter().filter(|part| is_open(part)).enumerate() {
        let Some((first, last)) = part.fields.text(&SHARD_RANGE).and_then(range) else { continue };
        let column = |key: f64| (key / KEY_SPACE * f64::from(line.width)).round() as u16;
        let x = column(first).min(line.width.saturating_sub(1));
        let end = column(last).clamp(x + 1, line.width.max(x + 1));
        let alternate = if n % 2 == 0 { Role::Series1 } else { Role::Series2 };
        let role = part.fields.number(&SHARD_USE_PERCENT).and_then(use_role).unwrap_or(alternate);
        let selected = detail.part.as_ref() == Some(&part.id);
        piece(pen, Rect { x: line.x + x, width: end - x, ..line }, &short_id(&part.id), role, selected);
    }
}

fn piece(pen: &mut Pen, place: Rect, name: &str, role: Role, selected: bool) {
    let style = pen.style(role).add_modifier(Modifier::REVERSED);
    let style = if selected { style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED) } else { style };
    // The last cell stays free between neighbours, so that pieces are told apart without colour too.
    let filled = if place.width > 2 { place.width - 1 } else { place.width };
    pen.repeat(place.x, place.y, filled, ' ', style);
    let mut label = String::new();
    if selected {
        label.push(pen.glyph().pointer);
    }
    label.push_str(name.strip_prefix("shard ").unwrap_or(name));
    let room = columns(&label);
    if room <= filled {
        pen.text(place.x + (filled - room) / 2, place.y, room, &label, style);
    } else if selected {
        pen.sign(place.x, place.y, pen.glyph().pointer, style);
    }
}

/// First and one past the last hash key of `0-85070…`.
fn range(text: &str) -> Option<(f64, f64)> {
    let (first, last) = text.split_once('-')?;
    Some((first.parse::<u128>().ok()? as f64, last.parse::<u128>().ok()? as f64 + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_go_by_their_number() {
        assert_eq!(short_id("shardId-000000000003"), "shard 3");
        assert_eq!(short_id("shardId-000000000000"), "shard 0");
        assert_eq!(short_id("left-half"), "left-half");
    }

    #[test]
    fn ranges_are_read_and_nonsense_is_not() {
        let upper_half = "170141183460469231731687303715884105728-340282366920938463463374607431768211455";
        let (first, last) = range(upper_half).unwrap();
        assert_eq!((first / KEY_SPACE, last / KEY_SPACE), (0.5, 1.0));
        assert_eq!(range("none"), None);
        assert_eq!(range("1-x"), None);
    }
}
