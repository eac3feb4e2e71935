//! A plain table of parts under their title: a topic's subscriptions, a domain's workflow types.

use super::parts::{self, Parts};
use crate::app::screen::Detail;
use crate::app::state::State;
use crate::domain::row::{Part, Row};
use crate::kinds;
use crate::theme::Role;
use crate::view::pen::Pen;
use ratatui::layout::Rect;

/// From this width on, whole ids fit.
const WIDE_COLUMNS: u16 = 120;
/// Columns of an id below that.
const ID_COLUMNS: usize = 24;

pub fn draw(pen: &mut Pen, area: Rect, state: &State, row: &Row, detail: &Detail, none: &'static str) {
    let mut title = pen.line(Rect { height: area.height.min(1), ..area });
    title.gap(1).put(&kinds::kind(row.id.kind).parts_title.to_uppercase(), Role::Header).gap(1);
    if row.parts.is_empty() {
        title.put(none, Role::Dim);
        return;
    }
    title.put(&row.parts.len().to_string(), Role::Strong);
    let ellipsis = pen.glyph().ellipsis;
    let name = |part: &Part| match area.width {
        WIDE_COLUMNS.. => part.id.clone(),
        _ if part.id.chars().count() <= ID_COLUMNS => part.id.clone(),
        _ => part.id.chars().take(ID_COLUMNS - 1).chain([ellipsis]).collect(),
    };
    let show = Parts { head: "ID", name: &name, role: &|_, _| None, none };
    let table = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    parts::draw(pen, table, state, row, detail, &show);
}
