//! Charts of the last hour: lines in braille or columns in blocks, one-line sparks, gauges.
//!
//! ```text
//! LAG 3m20s      ░ not final
//! 5m12s ⡇       ⢀⡠⠤⠒⠉░
//!       ⡇   ⢀⠔⠊⠉⠁   ░░
//!     0 ⣇⣀⡠⠔⠁       ░░
//!       -60m         now
//! ```
//! Where there is no data there is no line. The newest minutes, whose numbers may still change or come, are shaded: by a
//! sign, so that it shows without colour too, and their line is dotted and dim.

use super::cell::age;
use super::pen::Pen;
use super::text::columns;
use crate::domain::series::{Series, unsettled_from};
use crate::domain::time::Timestamp;
use crate::domain::value::Unit;
use crate::theme::{Depth, Role};
use ratatui::layout::Rect;

/// The window of every chart and spark.
const WINDOW_MS: i64 = 3_600_000;
/// Points further apart than this are not joined: a minute is missing between them.
const JOIN_MS: i64 = 90_000;
const MINUTE_MS: i64 = 60_000;
/// A point that began longer ago says nothing about now: its minute, and the five for which a datapoint is news.
const CURRENT_MS: i64 = 6 * MINUTE_MS;

/// A line of a chart.
pub struct Curve<'s> {
    pub label: &'s str,
    pub series: Option<&'s Series>,
    pub role: Role,
}

/// Curves of one unit over one hour.
pub struct Chart<'s> {
    pub title: &'s str,
    pub unit: Unit,
    pub curves: &'s [Curve<'s>],
    pub now: Timestamp,
    /// A level to stay below, drawn as a line with its name: `timeout`.
    pub limit: Option<(&'s str, f64)>,
    /// What to say where no curve has a point.
    pub empty: &'s str,
}

impl Chart<'_> {
    fn from(&self) -> i64 {
        self.now.millis() - WINDOW_MS
    }

    fn points<'c>(&self, curve: &'c Curve<'_>) -> impl Iterator<Item = (i64, f64)> + use<'c> {
        let (from, now) = (self.from(), self.now.millis());
        let points = curve.series.into_iter().flat_map(Series::points);
        points
            .map(|(at, number)| (at.millis(), number))
            .filter(move |(at, n)| (from..=now).contains(at) && n.is_finite())
    }

    fn greatest(&self) -> Option<f64> {
        let numbers = self.curves.iter().flat_map(|curve| self.points(curve)).map(|(_, number)| number);
        numbers.reduce(f64::max)
    }
}

/// Draws the chart with its title and axes; with too little room, what fits of it.
pub fn draw(pen: &mut Pen, area: Rect, chart: &Chart) {
    if area.height == 0 || area.width < 4 {
        return;
    }
    title(pen, area, chart);
    let Some(greatest) = chart.greatest() else {
        pen.text(area.x, area.y.saturating_add(1), area.width, chart.empty, pen.style(Role::Dim));
        return;
    };
    let top = chart.limit.map_or(greatest, |(_, limit)| greatest.max(limit));
    let top = if top > 0.0 { top } else { 1.0 };
    let label = if greatest > 0.0 || chart.limit.is_some() { chart.unit.short_number(top) } else { String::new() };
    let gutter = columns(&label).max(1) + 1;
    if area.height < 3 || area.width <= gutter + 4 {
        return;
    }
    let plot = Rect { x: area.x + gutter, y: area.y + 1, width: area.width - gutter, height: area.height - 2 };
    let dim = pen.style(Role::Dim);
    pen.right(area.x, plot.y, gutter - 1, &label, dim);
    if plot.height > 1 {
        pen.right(area.x, plot.bottom() - 1, gutter - 1, "0", dim);
    }
    axis(pen, Rect { y: plot.bottom(), height: 1, ..plot });
    if pen.glyph().dots {
        shade(pen, plot, chart);
    }
    limit_line(pen, plot, chart, top);
    for curve in chart.curves {
        if pen.glyph().dots { dots(pen, plot, chart, curve, top) } else { bars(pen, plot, chart, curve, top) }
    }
}

fn title(pen: &mut Pen, area: Rect, chart: &Chart) {
    let mut line = pen.line(Rect { height: 1, ..area });
    line.put(chart.title, Role::Header);
    for curve in chart.curves {
        let newest = curve.series.and_then(Series::last);
        line.gap(1);
        if !curve.label.is_empty() {
            line.put(curve.label, curve.role).gap(1);
        }
        match newest {
            Some((at, number)) if chart.now.since(at).as_millis() as i64 <= CURRENT_MS => {
                line.put(&chart.unit.short_number(number), Role::Strong);
            }
            Some((at, _)) => {
                line.put(&format!("none for {}", age(chart.now, at)), Role::Dim);
            }
            None => {}
        }
    }
    if let Some((name, limit)) = chart.limit {
        line.gap(2).put(name, Role::Warn).gap(1).put(&chart.unit.short_number(limit), Role::Strong);
    }
    let used = line.x;
    let glyph = pen.glyph();
    let legend = not_final(if glyph.dots { glyph.empty } else { glyph.open });
    if chart.greatest().is_some() && used + 2 + columns(&legend) <= area.right() {
        let dim = pen.style(Role::Dim);
        pen.right(area.x, area.y, area.width, &legend, dim);
    }
}

/// What stands beside a sign for numbers that may still change.
fn not_final(sign: char) -> String {
    format!("{sign} not final")
}

/// What to say of the newest cells of sparks: dim where there are colours, else a sign of their own.
pub fn spark_legend(pen: &Pen) -> String {
    if pen.theme.depth == Depth::None { not_final(pen.glyph().open) } else { "dim: not final".to_owned() }
}

/// The columns whose minutes are not final.
fn shade(pen: &mut Pen, plot: Rect, chart: &Chart) {
    let from = (unsettled_from(chart.now).millis() - chart.from()) as f64 / WINDOW_MS as f64;
    let from = plot.x + ((f64::from(plot.width) * from) as u16).min(plot.width);
    let style = pen.style(Role::Border);
    for y in plot.top()..plot.bottom() {
        pen.repeat(from, y, plot.right() - from, pen.glyph().empty, style);
    }
}

fn axis(pen: &mut Pen, area: Rect) {
    let (border, dim) = (pen.style(Role::Border), pen.style(Role::Dim));
    pen.repeat(area.x, area.y, area.width, pen.glyph().horizontal, border);
    pen.text(area.x, area.y, area.width, "-60m", dim);
    if area.width >= 24 {
        pen.text(area.x + area.width / 2 - 2, area.y, 4, "-30m", dim);
    }
    if area.width >= 9 {
        pen.right(area.x, area.y, area.width, "now", dim);
    }
}

fn limit_line(pen: &mut Pen, plot: Rect, chart: &Chart, top: f64) {
    let Some((_, limit)) = chart.limit else { return };
    let from_bottom = (limit / top * f64::from(plot.height - 1)).round().clamp(0.0, f64::from(plot.height - 1)) as u16;
    let style = pen.style(Role::Warn);
    let y = plot.bottom() - 1 - from_bottom;
    for x in (plot.x..plot.right()).step_by(2) {
        pen.sign(x, y, pen.glyph().horizontal, style);
    }
}

/// Braille dots of a plot: two by four in each cell.
struct Dots {
    width: u16,
    height: u16,
    cells: Vec<u8>,
    /// The first column of cells whose numbers are not final.
    unsettled: u16,
}

/// Unicode's order of the eight dots, by column and row.
const DOT_BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

impl Dots {
    fn new(plot: Rect) -> Self {
        let cells = vec![0; usize::from(plot.width) * usize::from(plot.height)];
        Self { width: plot.width, height: plot.height, cells, unsettled: u16::MAX }
    }

    fn set(&mut self, x: i32, y: i32) {
        let (columns, rows) = (i32::from(self.width) * 2, i32::from(self.height) * 4);
        if !(0..columns).contains(&x) || !(0..rows).contains(&y) {
            return;
        }
        let row = rows - 1 - y;
        let index = (row / 4) as usize * usize::from(self.width) + (x / 2) as usize;
        if let Some(cell) = self.cells.get_mut(index) {
            *cell |= DOT_BITS[(x % 2) as usize][(row % 4) as usize];
        }
    }

    /// A straight line of dots; every second one when it leads to a number that is not final.
    fn join(&mut self, from: (i32, i32), to: (i32, i32), dotted: bool) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).max(1);
        for step in 0..=steps {
            if dotted && step % 2 == 1 && step < steps {
                continue;
            }
            let at = |a: i32, b: i32| a + ((b - a) * step + steps / 2 * (b - a).signum()) / steps;
            self.set(at(from.0, to.0), at(from.1, to.1));
        }
    }
}

fn dots(pen: &mut Pen, plot: Rect, chart: &Chart, curve: &Curve, top: f64) {
    let mut dots = Dots::new(plot);
    let (right, high) = (f64::from(plot.width) * 2.0 - 1.0, f64::from(plot.height) * 4.0 - 1.0);
    let place = |at: i64, number: f64| {
        let x = (at - chart.from()) as f64 / WINDOW_MS as f64 * right;
        (x.round() as i32, (number.max(0.0) / top * high).round() as i32)
    };
    let mut before: Option<(i64, (i32, i32))> = None;
    for (at, number) in chart.points(curve) {
        let here = place(at, number);
        let open = at >= unsettled_from(chart.now).millis();
        if open {
            dots.unsettled = dots.unsettled.min((here.0.max(0) / 2) as u16);
        }
        match before {
            Some((then, there)) if at - then <= JOIN_MS => dots.join(there, here, open),
            _ => dots.set(here.0, here.1),
        }
        before = Some((at, here));
    }
    let (settled, open) = (pen.style(curve.role), pen.style(Role::Stale));
    for (index, bits) in dots.cells.iter().enumerate().filter(|(_, bits)| **bits != 0) {
        let (x, y) = ((index % usize::from(plot.width)) as u16, (index / usize::from(plot.width)) as u16);
        let style = if x >= dots.unsettled { open } else { settled };
        let c = char::from_u32(0x2800 + u32::from(*bits)).unwrap_or(' ');
        pen.sign(plot.x + x, plot.y + y, c, style);
    }
}

fn bars(pen: &mut Pen, plot: Rect, chart: &Chart, curve: &Curve, top: f64) {
    let steps = pen.glyph().column;
    let levels = f64::from(plot.height) * steps.len() as f64;
    for (x, (number, open)) in buckets(chart, curve, plot.width).into_iter().enumerate() {
        let Some(number) = number else { continue };
        // Zero stays visible as the lowest step: it is a number, and an empty column is none.
        let level = ((number.max(0.0) / top * levels).round() as usize).max(1);
        let style = pen.style(if open { Role::Stale } else { curve.role });
        for row in 0..plot.height {
            let filled = level.saturating_sub(usize::from(row) * steps.len()).min(steps.len());
            if filled > 0 {
                let sign = if open { pen.glyph().open } else { steps[filled - 1] };
                pen.sign(plot.x + x as u16, plot.bottom() - 1 - row, sign, style);
            }
        }
    }
}

/// The greatest number in each of `width` columns of time, and whether it is not final.
fn buckets(chart: &Chart, curve: &Curve, width: u16) -> Vec<(Option<f64>, bool)> {
    let mut buckets = vec![(None, false); usize::from(width)];
    let column = |at: i64| ((at - chart.from()) * i64::from(width) / WINDOW_MS).clamp(0, i64::from(width)) as usize;
    for (at, number) in chart.points(curve) {
        let first = column(at).min(usize::from(width).saturating_sub(1));
        // Where a minute is wider than a column it fills all its columns.
        let last = column(at + MINUTE_MS).max(first + 1).min(usize::from(width));
        for bucket in buckets.get_mut(first..last).unwrap_or_default() {
            bucket.0 = Some(bucket.0.map_or(number, |other: f64| other.max(number)));
            bucket.1 |= at >= unsettled_from(chart.now).millis();
        }
    }
    buckets
}

/// A series in one line of `width` cells: the height of each is against the greatest of the hour; no data is blank. Cells
/// whose numbers are not final are dim, or where there is no colour a sign of their own.
pub fn spark(pen: &mut Pen, x: u16, y: u16, width: u16, series: &Series, now: Timestamp, role: Role) {
    const CELLS_MAX: usize = 60;
    let width = width.min(CELLS_MAX as u16);
    let (mut cells, mut top) = ([f64::NAN; CELLS_MAX], 0.0f64);
    let mut open = [false; CELLS_MAX];
    let from = now.millis() - WINDOW_MS;
    for (at, number) in series.points().filter(|(_, number)| number.is_finite()) {
        let column = (at.millis() - from) * i64::from(width) / WINDOW_MS;
        if let Ok(column) = usize::try_from(column)
            && column < usize::from(width)
        {
            cells[column] = cells[column].max(number);
            open[column] |= at >= unsettled_from(now);
            top = top.max(number);
        }
    }
    let (glyph, settled, unsettled) = (pen.glyph(), pen.style(role), pen.style(Role::Stale));
    let is_colourless = pen.theme.depth == Depth::None;
    for (n, number) in cells.iter().take(usize::from(width)).enumerate().filter(|(_, number)| !number.is_nan()) {
        let level = if top > 0.0 { (number.max(0.0) / top * 8.0).ceil() as usize } else { 0 };
        let sign = if open[n] && is_colourless { glyph.open } else { glyph.spark[level.min(8)] };
        pen.sign(x + n as u16, y, sign, if open[n] { unsettled } else { settled });
    }
}

/// A bar that is `share` (0–1) full.
pub fn gauge(pen: &mut Pen, x: u16, y: u16, width: u16, share: f64, role: Role) {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let full = (f64::from(width) * share).round() as u16;
    let (on, off) = (pen.style(role), pen.style(Role::Border));
    pen.repeat(x, y, full, pen.glyph().full, on);
    pen.repeat(x.saturating_add(full), y, width - full, pen.glyph().empty, off);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::{Depth, Glyphs, Theme};
    use ratatui::buffer::Buffer;

    const NOW: Timestamp = Timestamp::from_millis(1_000 * MINUTE_MS + 30_000);

    fn minutes(numbers: &[(i64, f64)]) -> Series {
        let mut series = Series::default();
        series.merge(numbers.iter().map(|(ago, number)| (Timestamp::from_millis((1_000 - ago) * MINUTE_MS), *number)));
        series
    }

    fn lines(width: u16, height: u16, glyphs: Glyphs, paint: impl Fn(&mut Pen, Rect)) -> Vec<String> {
        let theme = Theme::built_in("night", Depth::None, glyphs).unwrap();
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        paint(&mut Pen::new(&mut buffer, &theme), area);
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<String>();
        (0..height).map(|y| row(y).trim_end().to_owned()).collect()
    }

    fn chart(width: u16, height: u16, glyphs: Glyphs, series: &Series) -> Vec<String> {
        lines(width, height, glyphs, |pen, area| {
            let curves = [Curve { label: "", series: Some(series), role: Role::Series1 }];
            let chart =
                Chart { title: "LAG", unit: Unit::Seconds, curves: &curves, now: NOW, limit: None, empty: "no data" };
            draw(pen, area, &chart);
        })
    }

    #[test]
    fn a_line_rises_between_its_axes() {
        let series = minutes(&(0..60).map(|ago| (59 - ago, ago as f64)).collect::<Vec<_>>());
        let drawn = chart(22, 5, Glyphs::Braille, &series);
        assert_eq!(drawn[0], "LAG 59s    ░ not final");
        assert!(drawn[1].starts_with("59s") && drawn[1].ends_with(|c| ('⠁'..='⣿').contains(&c)), "{drawn:#?}");
        assert!(drawn[3].ends_with('░'), "the newest minutes are shaded: {drawn:#?}");
        assert!(drawn[3].starts_with("  0 ⢀") || drawn[3].starts_with("  0 ⣀"), "{drawn:#?}");
        assert_eq!(drawn[4], "    -60m───────────now");
    }

    #[test]
    fn no_data_leaves_a_gap_and_zero_does_not() {
        let gap = minutes(&[(40, 5.0), (39, 5.0), (10, 5.0), (9, 5.0)]);
        let drawn = chart(70, 4, Glyphs::Ascii, &gap);
        let marks: Vec<usize> = drawn[1].match_indices('#').map(|(at, _)| at).collect();
        assert_eq!(marks.len(), 4, "{drawn:#?}");
        assert!(marks[2] - marks[1] > 20, "{drawn:#?}");
        let zeros = minutes(&(0..60).map(|ago| (ago, 0.0)).collect::<Vec<_>>());
        assert!(chart(70, 4, Glyphs::Ascii, &zeros)[2].contains("...."));
    }

    #[test]
    fn nothing_at_all_is_said_in_words() {
        assert_eq!(chart(20, 3, Glyphs::Braille, &Series::default()), ["LAG", "no data", ""]);
    }

    /// One minute is final and three are not, wherever it is shown.
    #[test]
    fn what_is_not_final_differs_at_every_depth_and_with_every_set_of_signs() {
        let series = minutes(&(0..60).map(|ago| (ago, 5.0)).collect::<Vec<_>>());
        let curves = [Curve { label: "", series: Some(&series), role: Role::Series1 }];
        let chart = Chart { title: "IN", unit: Unit::Count, curves: &curves, now: NOW, limit: None, empty: "" };
        let area = Rect::new(0, 0, 63, 4);
        for depth in [Depth::None, Depth::Ansi16, Depth::Ansi256, Depth::TrueColor] {
            for glyphs in [Glyphs::Ascii, Glyphs::Block, Glyphs::Braille] {
                let theme = Theme::built_in("night", depth, glyphs).unwrap();
                let mut buffer = Buffer::empty(area);
                draw(&mut Pen::new(&mut buffer, &theme), area, &chart);
                let (settled, open) = (buffer[(50, 1)].clone(), buffer[(61, 1)].clone());
                for (cell, role) in [(&settled, Role::Series1), (&open, Role::Stale)] {
                    let style = theme.style(role);
                    assert_eq!((cell.fg, cell.modifier), (style.fg.unwrap_or_default(), style.add_modifier));
                }
                assert_ne!((settled.fg, settled.modifier), (open.fg, open.modifier), "{depth:?} {glyphs:?}");
                let sign = if glyphs == Glyphs::Braille { '░' } else { theme.glyph().open };
                let below = buffer[(61, 2)].symbol().to_owned();
                assert_eq!(below, sign.to_string(), "a sign says it without colour: {depth:?} {glyphs:?}");
                assert_ne!(buffer[(50, 2)].symbol(), below);
                let legend: String = (0..63).map(|x| buffer[(x, 0)].symbol().to_owned()).collect();
                assert!(legend.ends_with(&format!("{sign} not final")), "{legend}");
            }
        }
    }

    #[test]
    fn a_spark_is_dim_where_it_is_not_final_or_without_colour_has_a_sign_for_it() {
        let series = minutes(&(0..60).map(|ago| (ago, 5.0)).collect::<Vec<_>>());
        for (depth, glyphs, sign) in [
            (Depth::Ansi16, Glyphs::Braille, "█"),
            (Depth::Ansi16, Glyphs::Ascii, "#"),
            (Depth::None, Glyphs::Braille, "▒"),
            (Depth::None, Glyphs::Ascii, "%"),
        ] {
            let theme = Theme::built_in("night", depth, glyphs).unwrap();
            let mut buffer = Buffer::empty(Rect::new(0, 0, 60, 1));
            let mut pen = Pen::new(&mut buffer, &theme);
            spark(&mut pen, 0, 0, 60, &series, NOW, Role::Series1);
            let legend = spark_legend(&pen);
            let (settled, open) = (buffer[(50, 0)].clone(), buffer[(58, 0)].clone());
            assert_eq!(open.symbol(), sign);
            let differs = (settled.symbol(), settled.style()) != (open.symbol(), open.style());
            assert!(differs, "{depth:?} {glyphs:?}");
            let is_of_sign = legend == format!("{sign} not final");
            assert!(is_of_sign || (depth != Depth::None && legend == "dim: not final"), "{legend}");
            assert_eq!(open.fg != settled.fg, depth != Depth::None);
        }
    }

    #[test]
    fn sparks_and_gauges_fit_their_width() {
        let series = minutes(&[(50, 8.0), (20, 4.0), (19, 0.0), (0, 1.0)]);
        let drawn = lines(12, 1, Glyphs::Braille, |pen, _| spark(pen, 0, 0, 12, &series, NOW, Role::Series1));
        assert_eq!(drawn[0], " █     ▄▁  ▒");
        let drawn = lines(12, 1, Glyphs::Ascii, |pen, _| gauge(pen, 1, 0, 10, 0.42, Role::Ok));
        assert_eq!(drawn[0], " ####......");
        let drawn = lines(4, 1, Glyphs::Ascii, |pen, _| gauge(pen, 0, 0, 4, f64::NAN, Role::Ok));
        assert_eq!(drawn[0], "....");
    }
}
