//! Dialogs over the screen: any plan to confirm, forms of actions, the palette. None of them knows a verb.

use super::footer::hints;
use super::input;
use super::pen::Pen;
use super::reading::{TextLine, draw_lines};
use super::text::{columns, wrap};
use crate::actions::{Plan, Safety};
use crate::app::contexts;
use crate::app::dialog::{Confirm, Dialog, Form, FormField, Input, Palette, ProbeAsked};
use crate::app::probe;
use crate::app::state::State;
use crate::theme::Role;
use ratatui::layout::Rect;

pub fn draw(pen: &mut Pen, area: Rect, state: &State, dialog: &Dialog) {
    match dialog {
        Dialog::Confirm(confirm) => draw_confirm(pen, area, state, confirm),
        Dialog::Form(form) => draw_form(pen, area, state, form),
        Dialog::Palette(palette) => draw_palette(pen, area, state, palette),
        Dialog::Probe(asked) => draw_probe(pen, area, state, asked),
        // The filter is typed in the status line.
        Dialog::Filter(_) => {}
    }
}

/// A framed box of at most this size in the middle of the screen; gives its inside.
fn frame(pen: &mut Pen, area: Rect, width: u16, height: u16, title: &str) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let place = Rect { x, y, width, height };
    pen.fill(place, Role::Bar);
    if width < 4 || height < 3 {
        return place;
    }
    let style = pen.style(Role::Focus);
    let glyph = pen.glyph();
    let [top_left, top_right, bottom_left, bottom_right] = glyph.corners;
    pen.repeat(x + 1, y, width - 2, glyph.horizontal, style);
    pen.repeat(x + 1, place.bottom() - 1, width - 2, glyph.horizontal, style);
    for line in y + 1..place.bottom() - 1 {
        pen.sign(x, line, glyph.vertical, style);
        pen.sign(place.right() - 1, line, glyph.vertical, style);
    }
    pen.sign(x, y, top_left, style);
    pen.sign(place.right() - 1, y, top_right, style);
    pen.sign(x, place.bottom() - 1, bottom_left, style);
    pen.sign(place.right() - 1, place.bottom() - 1, bottom_right, style);
    pen.line(Rect { x: x + 2, width: width - 4, height: 1, y })
        .put(" ", Role::Focus)
        .put(title, Role::Focus)
        .put(" ", Role::Focus);
    Rect { x: x + 2, y: y + 1, width: width - 4, height: height - 2 }
}

const CONFIRM_COLUMNS: u16 = 96;

fn draw_confirm(pen: &mut Pen, area: Rect, state: &State, confirm: &Confirm) {
    let width = CONFIRM_COLUMNS.min(area.width.saturating_sub(2)).max(area.width.min(20));
    let warn = pen.glyph().warn;
    let mut lines = plan_lines(&confirm.plan, width.saturating_sub(4), warn);
    lines.insert(0, place_line(state, &confirm.plan));
    let asks_name = confirm.asks_name;
    let below = 2 + u16::from(asks_name) + u16::from(confirm.error.is_some());
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(below + 2);
    let title = format!("{} {}", confirm.plan.action.word(), confirm.plan.resource);
    let inside = frame(pen, area, width, height, &title);
    let text = Rect { height: inside.height.saturating_sub(below), ..inside };
    if let Some(place) = draw_lines(pen, text, &lines, confirm.scroll) {
        pen.right(text.x, text.bottom(), text.width, &place, pen.style(Role::Dim));
    }
    let mut y = text.bottom() + 1;
    if let Some(error) = &confirm.error {
        pen.text(inside.x, y, inside.width, error, pen.style(Role::Crit));
        y += 1;
    }
    if asks_name {
        let used = {
            let mut line = pen.line(Rect { y, height: 1, ..inside });
            line.put("type ", Role::Text).put(&confirm.plan.resource.name, Role::Strong).put(": ", Role::Text);
            line.x
        };
        let place = Rect { x: used, y, width: inside.right().saturating_sub(used), height: 1 };
        input::draw(pen, place, &confirm.typed, true);
        y += 1;
    }
    hints(&mut pen.line(Rect { y, height: 1, ..inside }.intersection(inside)), state, 3);
}

/// In which account and region, by which name, the plan will be done.
fn place_line(state: &State, plan: &Plan) -> TextLine<'static> {
    let place = &plan.resource.place;
    let said = contexts::described(state, place);
    let mut line: TextLine<'static> = vec![("in ".into(), Role::Dim), (said.into(), Role::Text)];
    if contexts::is_production(state, place) {
        line.push(("  ".into(), Role::Text));
        line.push((" PRODUCTION ".into(), Role::Notice));
    }
    line
}

/// What the plan says of itself: preview, doubts, how grave, the exact calls.
fn plan_lines(plan: &Plan, width: u16, warn: char) -> Vec<TextLine<'static>> {
    let mut lines: Vec<TextLine> = Vec::new();
    let block = |text: &str, first: String, role: Role, lines: &mut Vec<TextLine<'static>>| {
        let indent = columns(&first);
        for (n, line) in wrap(text, width.saturating_sub(indent), 200).into_iter().enumerate() {
            let head = if n == 0 { first.clone() } else { " ".repeat(usize::from(indent)) };
            lines.push(vec![(head.into(), role), (line.to_owned().into(), role)]);
        }
    };
    for sentence in &plan.preview {
        block(sentence, String::new(), Role::Strong, &mut lines);
    }
    for sentence in &plan.warnings {
        block(sentence, format!("{warn} "), Role::Warn, &mut lines);
    }
    lines.push(Vec::new());
    let (safety, role) = match plan.safety {
        Safety::Harmless => ("Changes nothing that lasts.", Role::Ok),
        Safety::Costly => ("Costs money or capacity, or can be undone only with work.", Role::Warn),
        Safety::Destructive => ("Cannot be undone.", Role::Crit),
    };
    block(safety, String::new(), role, &mut lines);
    for (n, call) in plan.calls.iter().enumerate() {
        let first = if n == 0 { "calls  ".to_owned() } else { " ".repeat(7) };
        block(&call.describe(), first, Role::Dim, &mut lines);
    }
    lines
}

const FORM_COLUMNS: u16 = 90;
/// The most lines that an editor of several lines takes.
const EDITOR_ROWS: u16 = 18;

fn draw_form(pen: &mut Pen, area: Rect, state: &State, form: &Form) {
    let width = FORM_COLUMNS.min(area.width.saturating_sub(2)).max(area.width.min(20));
    let fixed: u16 = form.fields.iter().map(|field| if is_tall(field) { 2 } else { 3 }).sum();
    let below = 1 + u16::from(form.error.is_some());
    let editors = form.fields.iter().filter(|field| is_tall(field)).count() as u16;
    let spare = area.height.saturating_sub(fixed + below + 2);
    let editor_rows = spare.checked_div(editors).map_or(0, |rows| rows.clamp(1, EDITOR_ROWS));
    let mut title = format!("{} {}", form.action.word(), form.resource);
    if let Some(part) = &form.part {
        title.push_str(&format!(" {part}"));
    }
    let inside = frame(pen, area, width, fixed + editors * editor_rows + below + 2, &title);
    let mut y = inside.y;
    let fields = Rect { height: inside.height.saturating_sub(below), ..inside };
    for (n, field) in form.fields.iter().enumerate() {
        let rows = if is_tall(field) { editor_rows + 2 } else { 3 };
        let place = Rect { y, height: rows, ..fields }.intersection(fields);
        draw_form_field(pen, place, field, n == form.focus);
        y = y.saturating_add(rows);
    }
    if let Some(error) = &form.error {
        let place = Rect { y: inside.bottom().saturating_sub(2), height: 1, ..inside }.intersection(inside);
        pen.text(place.x, place.y, place.width, error, pen.style(Role::Crit));
    }
    let place = Rect { y: inside.bottom().saturating_sub(1), height: 1, ..inside }.intersection(inside);
    hints(&mut pen.line(place), state, 3);
}

fn is_tall(field: &FormField) -> bool {
    matches!(&field.input, Input::Text(editor) if !editor.is_one_line())
}

/// Label and input, then the hint under it.
fn draw_form_field(pen: &mut Pen, place: Rect, field: &FormField, focused: bool) {
    if place.is_empty() {
        return;
    }
    let role = if focused { Role::Focus } else { Role::Text };
    let pointer = if focused { pen.glyph().pointer } else { ' ' };
    let mut head = pen.line(Rect { height: 1, ..place });
    head.sign(pointer, Role::Focus).put(field.label, role).gap(2);
    let x = head.x;
    let beside = Rect { x, width: place.right().saturating_sub(x), height: 1, ..place };
    match &field.input {
        Input::Choice { options, chosen } => draw_choice(pen, beside, options, *chosen, focused),
        Input::Text(editor) if editor.is_one_line() => input::draw(pen, beside, editor, focused),
        Input::Text(editor) => {
            pen.text(beside.x, beside.y, beside.width, &field.hint, pen.style(Role::Dim));
            let rows = place.height.saturating_sub(2);
            let text = Rect { x: place.x + 1, y: place.y + 1, width: place.width.saturating_sub(1), height: rows };
            input::draw(pen, text.intersection(place), editor, focused);
            return;
        }
    }
    let hint = Rect { x: place.x + 1, y: place.y + 1, width: place.width.saturating_sub(1), height: 2 };
    let hint = hint.intersection(place);
    for (n, line) in wrap(&field.hint, hint.width, usize::from(hint.height)).into_iter().enumerate() {
        pen.text(hint.x, hint.y + n as u16, hint.width, line, pen.style(Role::Dim));
    }
}

fn draw_choice(pen: &mut Pen, place: Rect, options: &[String], chosen: usize, focused: bool) {
    let mut line = pen.line(place);
    for (n, option) in options.iter().enumerate() {
        // Brackets mark the choice: colour alone would not do.
        let (open, close, role) = match (n == chosen, focused) {
            (true, true) => ("[", "]", Role::Focus),
            (true, false) => ("[", "]", Role::Strong),
            (false, _) => (" ", " ", Role::Dim),
        };
        line.put(open, role).put(option, role).put(close, role).gap(1);
    }
}

/// A stream to choose from is shown among so many.
const PROBE_STREAMS_MAX: usize = 8;

/// What a probe takes, the streams to choose from where it is not certain, and the keys.
fn draw_probe(pen: &mut Pen, area: Rect, state: &State, asked: &ProbeAsked) {
    let width = CONFIRM_COLUMNS.min(area.width.saturating_sub(2)).max(area.width.min(20));
    let mut lines: Vec<TextLine> = Vec::new();
    let said = state.rows.get(&asked.resource).map(|row| probe::statement(row, asked)).unwrap_or_default();
    for (n, sentence) in said.iter().enumerate() {
        let role = if n == 0 { Role::Strong } else { Role::Text };
        let wrapped = wrap(sentence, width.saturating_sub(4), 20).into_iter();
        lines.extend(wrapped.map(|line| vec![(line.to_owned().into(), role)]));
    }
    if !asked.is_sure && !asked.of_several {
        lines.push(Vec::new());
        lines.push(vec![("Which stream it reads is not known; up and down choose:".into(), Role::Warn)]);
        let top = asked.chosen.saturating_sub(PROBE_STREAMS_MAX - 1);
        for (n, stream) in asked.streams.iter().enumerate().skip(top).take(PROBE_STREAMS_MAX) {
            let is_chosen = n == asked.chosen;
            let (mark, role) = if is_chosen { (pen.glyph().pointer, Role::Focus) } else { (' ', Role::Dim) };
            let note = probe::stream_note(state, &asked.resource, stream);
            lines.push(vec![(format!("{mark} {stream}  ").into(), role), (note.into(), Role::Dim)]);
        }
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(4);
    let inside = frame(pen, area, width, height, &format!("probe {}", asked.resource));
    let text = Rect { height: inside.height.saturating_sub(2), ..inside };
    draw_lines(pen, text, &lines, 0);
    let y = inside.bottom().saturating_sub(1);
    hints(&mut pen.line(Rect { y, height: 1, ..inside }.intersection(inside)), state, 3);
}

const PALETTE_COLUMNS: u16 = 84;
const PALETTE_ROWS: u16 = 14;

fn draw_palette(pen: &mut Pen, area: Rect, state: &State, palette: &Palette) {
    let width = PALETTE_COLUMNS.min(area.width.saturating_sub(2)).max(area.width.min(20));
    let height = PALETTE_ROWS.min(area.height.saturating_sub(2)).max(area.height.min(4)) + 2;
    let title = match &palette.links_of {
        Some(id) => format!("linked to {id}"),
        None => "go to".to_owned(),
    };
    let inside = frame(pen, area, width, height, &title);
    pen.text(inside.x, inside.y, 1, ":", pen.style(Role::Key));
    let line = Rect { x: inside.x + 1, width: inside.width.saturating_sub(1), height: inside.height.min(1), ..inside };
    input::draw(pen, line, &palette.input, true);
    let list = Rect { y: inside.y + 1, height: inside.height.saturating_sub(2), ..inside }.intersection(inside);
    let rows = usize::from(list.height);
    let top = palette.index.saturating_sub(rows.saturating_sub(1));
    if palette.items.is_empty() && rows > 0 {
        pen.text(list.x, list.y, list.width, "Nothing is called so.", pen.style(Role::Dim));
    }
    for (n, item) in palette.items.iter().enumerate().skip(top).take(rows) {
        let place = Rect { y: list.y + (n - top) as u16, height: 1, ..list };
        let note = columns(&item.note).min(place.width / 2);
        let pointer = if n == palette.index { pen.glyph().pointer } else { ' ' };
        let mut text = pen.line(Rect { width: place.width.saturating_sub(note + 1), ..place });
        text.sign(pointer, Role::Focus).put(&item.text, Role::Strong);
        pen.right(place.x, place.y, place.width, &item.note, pen.style(Role::Dim));
        if n == palette.index {
            pen.paint(place, pen.style(Role::Selection));
        }
    }
    let keys = Rect { y: inside.bottom().saturating_sub(1), height: 1, ..inside }.intersection(inside);
    hints(&mut pen.line(keys), state, 2);
}
