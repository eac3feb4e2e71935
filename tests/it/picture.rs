//! A screen as an SVG picture: every cell at its place, with the colours that the theme gives it.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write;

const CELL_WIDTH: f32 = 8.4;
const CELL_HEIGHT: u16 = 18;
const FONT: &str = "ui-monospace,'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace";
/// What lies behind cells without a background of their own.
const GROUND: &str = "#11141a";
const TEXT: &str = "#d7dae0";

/// The buffer as it looks on a terminal of true colour.
pub fn svg(buffer: &Buffer) -> String {
    let (width, height) = (f32::from(buffer.area.width) * CELL_WIDTH, buffer.area.height * CELL_HEIGHT);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height}\" font-family=\"{FONT}\" \
         font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" fill=\"{GROUND}\"/>\n"
    );
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let run = run_length(buffer, x, y);
            draw_run(&mut out, buffer, (x, y), run);
            x += run;
        }
    }
    out.push_str("</svg>\n");
    out
}

/// How many cells from here on have one style.
fn run_length(buffer: &Buffer, x: u16, y: u16) -> u16 {
    let first = &buffer[(x, y)];
    let same = |other: &Cell| (other.fg, other.bg, other.modifier) == (first.fg, first.bg, first.modifier);
    (x..buffer.area.width).take_while(|x| same(&buffer[(*x, y)])).count() as u16
}

fn draw_run(out: &mut String, buffer: &Buffer, (x, y): (u16, u16), run: u16) {
    let cell = &buffer[(x, y)];
    let (mut ink, mut ground) = (hex(cell.fg).unwrap_or(TEXT.into()), hex(cell.bg));
    if cell.modifier.contains(Modifier::REVERSED) {
        let paper = ground.unwrap_or(GROUND.into());
        ground = Some(ink);
        ink = paper;
    }
    let (left, top) = (f32::from(x) * CELL_WIDTH, y * CELL_HEIGHT);
    if let Some(ground) = ground {
        let width = f32::from(run) * CELL_WIDTH;
        let _ = writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{CELL_HEIGHT}\" fill=\"{ground}\"/>"
        );
    }
    let text: String = (x..x + run).map(|x| buffer[(x, y)].symbol()).collect();
    if text.trim().is_empty() {
        return;
    }
    let lead = text.chars().take_while(|c| *c == ' ').count() as u16;
    let text = text.trim();
    let cells = text.chars().count() as f32;
    let weight = if cell.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{}\" fill=\"{ink}\"{weight} xml:space=\"preserve\" textLength=\"{:.1}\" \
         lengthAdjust=\"spacingAndGlyphs\">{}</text>",
        left + f32::from(lead) * CELL_WIDTH,
        top + 14,
        cells * CELL_WIDTH,
        text.replace('&', "&amp;").replace('<', "&lt;")
    );
}

fn hex(color: Color) -> Option<String> {
    match color {
        Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        _ => None,
    }
}
