//! The two lines at the top: where we are looking and what looking costs; the lists and how each of them is.
//!
//! ```text
//!  midwatch  DEMO flash-sale ×10   111122223333 eu-west-1     412 calls  $0.04/h  18:05:40 UTC
//! 1 overview 8 ✖2 ▲1 │ 2 kinesis 2 ✖1 │ 3 sqs 4 ✖1 ▲1 │ 4 lambda 2 ●            2 problems
//! ```

use super::pen::Pen;
use super::text::columns;
use crate::app::contexts::why_dark;
use crate::app::list::ListId;
use crate::app::state::{Context, Counts, Source, State};
use crate::domain::counted::{counted, counted_all};
use crate::domain::finding::by_cause;
use crate::domain::row::Health;
use crate::domain::value::{Unit, short_duration_ms};
use crate::theme::Role;
use ratatui::layout::Rect;

/// Below this width problems are told by their key and number alone.
const PROBLEMS_COLUMNS: u16 = 100;
/// Below this width the header has no room for the meter.
const METER_COLUMNS: u16 = 60;
/// The same beside the marks of a context where something can be changed.
const METER_COLUMNS_MARKED: u16 = 120;

/// Below this width this program's name makes room for the marks of a production context.
const NAME_COLUMNS: u16 = 80;

pub fn draw(pen: &mut Pen, area: Rect, state: &State) {
    pen.fill(area, Role::Bar);
    let is_production = state.settings.contexts.iter().any(|context| context.production);
    // Where something can be changed, whose it is matters more than what looking costs.
    let is_marked = is_production || (is_live(state) && state.context().is_some_and(|context| context.allow_actions));
    let right = meter(state, if is_marked { METER_COLUMNS_MARKED } else { METER_COLUMNS } <= area.width);
    let pause = if state.paused { " PAUSED " } else { "" };
    let taken = columns(&right) + columns(pause) + 2;
    let mut left = pen.line(Rect { width: area.width.saturating_sub(taken), ..area });
    if !is_production || area.width >= NAME_COLUMNS {
        left.gap(1).put("midwatch", Role::Accent).gap(1);
    }
    left.gap(1);
    source(&mut left, state);
    if let Some(context) = state.context() {
        let identity = state.identities.get(&context.place);
        let account = identity.and_then(|identity| identity.account.as_deref());
        let alias = identity.and_then(|identity| identity.alias.as_deref());
        let principal = identity.and_then(|identity| identity.principal.as_deref());
        // Said by its name already, where the two are the same.
        let profile = context.profile.as_deref().filter(|profile| called(context) != Some(profile));
        for part in [context.region.as_deref(), account, alias, profile, principal] {
            if let Some(part) = part.filter(|part| columns(part) + 2 <= left.room()) {
                left.gap(2).put(part, Role::Dim);
            }
        }
    }
    let x = area.right().saturating_sub(taken);
    let mut end = pen.line(Rect { x: x.max(area.x), width: taken.min(area.width), ..area });
    end.put(pause, Role::Notice).gap(1);
    let style = if state.meter.calls.throttled > 0 { Role::Warn } else { Role::Text };
    end.put(&right, style);
}

fn is_live(state: &State) -> bool {
    state.settings.source == Source::Live
}

fn source(line: &mut super::pen::Line, state: &State) {
    let label = state.settings.source_label.trim();
    let context = state.context();
    match state.settings.source {
        Source::Demo => {
            line.put("DEMO", Role::Ok).gap(1).put(label.strip_prefix("demo").unwrap_or(label).trim(), Role::Text);
        }
        Source::Live => {
            // Whether this can change AWS, and whose AWS, is said before where it looks: the end is what a narrow
            // terminal cuts.
            if state.settings.contexts.iter().any(|context| context.production) {
                line.put("PRODUCTION", Role::Notice).gap(1);
            } else {
                line.put("LIVE", Role::Warn).gap(1);
            }
            match context {
                Some(context) if context.allow_actions && line.room() < 18 => line.put("UNLOCKED", Role::Notice),
                Some(context) if context.allow_actions => line.put(" ACTIONS UNLOCKED ", Role::Notice),
                _ => line.put("read-only", Role::Dim),
            };
            if let Some(name) = context.and_then(called) {
                line.gap(1).put(name, Role::Strong);
                if let others @ 1.. = state.settings.contexts.len() - 1 {
                    line.gap(1).put(&format!("+{others}"), Role::Dim);
                    let is_dark = |context: &&Context| why_dark(state, context).is_some();
                    if let dark @ 1.. = state.settings.contexts.iter().filter(is_dark).count() {
                        line.gap(1).put(&format!("{dark} NOT SEEN"), Role::Crit);
                    }
                }
            }
            if let Some(url) = context.and_then(|context| context.endpoint_url.as_deref()) {
                line.gap(1).put(url, Role::Text);
            }
        }
    }
}

/// What tells the context from others: its name, where that is not its profile's, which is said anyway.
fn called(context: &Context) -> Option<&str> {
    let own = context.name.as_deref().filter(|_| context.name != context.profile);
    context.place.name().or(own)
}

/// What this program has asked so far and costs an hour, and the time; where there is little room, the time alone.
fn meter(state: &State, has_room: bool) -> String {
    let clock = format!("{} UTC ", state.now.clock_hms());
    if !has_room {
        return clock;
    }
    let calls = counted(state.meter.calls.total() as f64, "call");
    let throttled = match state.meter.calls.throttled {
        0 => String::new(),
        n => format!("  {} throttled", Unit::Count.short_number(n as f64)),
    };
    // The sum of nothing is -0.0 in floating point.
    let usd = state.meter.usd_per_h(state.started, state.now).abs();
    // The budget makes the sweep slower than a minute: that is said where the money is.
    let sweep = match state.schedule.sweep_every().as_secs() {
        0..120 => String::new(),
        s => format!(" sweep {}", short_duration_ms(s as f64 * 1000.0)),
    };
    format!("{calls}{throttled}  ${usd:.2}/h{sweep}  {clock}")
}

pub fn draw_tabs(pen: &mut Pen, area: Rect, state: &State) {
    if area.is_empty() {
        return;
    }
    let is_wide = area.width >= PROBLEMS_COLUMNS;
    let problems = match by_cause(state.problems.values()).len() {
        0 => None,
        n if is_wide => Some(counted_all(n, "problem")),
        n => Some(format!("{n} (p)")),
    };
    let hidden = Some(state.hidden_total()).filter(|count| *count > 0).map(|count| format!("{count} hidden"));
    let end_columns = |said: &Option<String>, sign: u16| said.as_deref().map_or(0, |said| columns(said) + sign + 2);
    let taken = end_columns(&problems, if is_wide { 2 } else { 1 }) + end_columns(&hidden, 0);
    let room = area.width.saturating_sub(taken);
    let styles = [Tabs::Whole, Tabs::Inhabited, Tabs::Short];
    let style = styles.into_iter().find(|style| style.columns(state) <= room);
    let mut line = pen.line(Rect { width: room, ..area });
    style.unwrap_or(Tabs::Cut).draw(&mut line, state);
    let warn = pen.glyph().warn;
    let mut end = pen.line(Rect { x: area.right().saturating_sub(taken).max(area.x), width: taken, ..area });
    if let Some(hidden) = hidden {
        end.gap(1).put(&hidden, Role::Notice).gap(1);
    }
    if let Some(problems) = problems {
        end.gap(1).sign(warn, Role::Warn).put(&problems, Role::Warn);
    }
}

/// How much the tabs say, from all to what an 80-column terminal has room for. The keys stay the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tabs {
    /// Every list with all its counts.
    Whole,
    /// Lists with nothing in them are left out, unless one is on screen.
    Inhabited,
    /// Of those, the counts of what is not well.
    Short,
    /// The same, with the words cut to their beginnings but for the one on screen.
    Cut,
}

impl Tabs {
    fn lists(self, state: &State) -> impl Iterator<Item = (usize, ListId, Counts)> {
        let here = state.list_id();
        let all = ListId::ALL.into_iter().enumerate().map(|(n, id)| (n + 1, id, counts(state, id)));
        all.filter(move |(_, id, counts)| self == Self::Whole || *id == here || counts.total() > 0)
    }

    fn is_short(self) -> bool {
        matches!(self, Self::Short | Self::Cut)
    }

    fn columns(self, state: &State) -> u16 {
        if self.is_short() {
            let here = state.list_id();
            let tab = |(_, id, counts): (usize, ListId, Counts)| {
                let bad = signs(counts).filter(|(health, _)| *health != Health::Unknown);
                let bad: u16 = bad.map(|(_, count)| columns(&count.to_string()) + 1).sum();
                // A blank before it, the key, the word, its brackets.
                2 + columns(id.word()) + bad + if id == here { 2 } else { 0 }
            };
            return self.lists(state).map(tab).sum::<u16>().saturating_sub(1);
        }
        let tab = |(_, id, counts): (usize, ListId, Counts)| {
            let bad: u16 = signs(counts).map(|(_, count)| columns(&count.to_string()) + 2).sum();
            // The key, the word with its brackets, the total, the sign of all well, the rule.
            columns(id.word()) + columns(&counts.total().to_string()) + bad.max(2) + 8
        };
        self.lists(state).map(tab).sum()
    }

    fn draw(self, line: &mut super::pen::Line, state: &State) {
        let here = state.list_id();
        for (n, (key, id, counts)) in self.lists(state).enumerate() {
            match self {
                Self::Short | Self::Cut => line.gap(u16::from(n > 0)).put(&key.to_string(), Role::Key),
                _ if n == 0 => line.put(&key.to_string(), Role::Key).gap(1),
                _ => line.gap(1).rule(Role::Border).gap(1).put(&key.to_string(), Role::Key).gap(1),
            };
            let (open, close) = if id == here { ("[", "]") } else { ("", "") };
            let role = if id == here { Role::Focus } else { Role::Text };
            let word = if self == Self::Cut && id != here { &id.word()[..3] } else { id.word() };
            line.put(open, role).put(word, role).put(close, role);
            let spaced = u16::from(!self.is_short());
            if !self.is_short() {
                line.gap(1).put(&counts.total().to_string(), Role::Dim);
                if counts.total() > 0 && signs(counts).next().is_none() {
                    line.gap(1).all_well();
                }
            }
            for (health, count) in signs(counts).filter(|(health, _)| !self.is_short() || *health != Health::Unknown) {
                line.gap(spaced).health_sign(health).put(&count.to_string(), Role::health(health));
            }
        }
    }
}

/// What is not well, the worst first.
fn signs(counts: Counts) -> impl Iterator<Item = (Health, usize)> {
    let bad = [(Health::Crit, counts.crit), (Health::Warn, counts.warn), (Health::Unknown, counts.unknown)];
    bad.into_iter().filter(|(_, count)| *count > 0)
}

fn counts(state: &State, id: ListId) -> Counts {
    let wanted = |kind| id.kind().is_none_or(|only| only == kind);
    let mut sum = Counts::default();
    for (_, counts) in state.counts.iter().filter(|(kind, _)| wanted(**kind)) {
        sum.ok += counts.ok;
        sum.unknown += counts.unknown;
        sum.warn += counts.warn;
        sum.crit += counts.crit;
    }
    sum
}
