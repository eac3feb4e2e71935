//! The two lines at the top: where we are looking and what looking costs; the lists and how each of them is.
//!
//! ```text
//!  midwatch  DEMO flash-sale ×10  eu-west-1  111122223333  night-watch     412 calls  $0.04/h  18:05:40 UTC
//! 1 overview 8 ✖2 ▲1 │ 2 kinesis 2 ✖1 │ 3 sqs 4 ✖1 ▲1 │ 4 lambda 2 ●            2 problems
//! ```

use super::pen::Pen;
use super::text::{columns, cut_middle};
use crate::app::contexts::why_dark;
use crate::app::list::ListId;
use crate::app::state::{Context, Counts, Source, State};
use crate::domain::counted::{counted, counted_all};
use crate::domain::finding::by_cause;
use crate::domain::row::Health;
use crate::domain::value::{Unit, short_duration_ms};
use crate::theme::Role;
use ratatui::layout::Rect;
use std::time::Duration;

/// Below this width problems are told by their key and number alone.
const PROBLEMS_COLUMNS: u16 = 100;
/// Of a person's time. One question may wait for its pace so long, never all of them.
const LONG_SILENCE: Duration = Duration::from_secs(10);
const NAME: &str = "midwatch";
/// Who asks may have a long name: so much of it is room that must be there.
const WHO_COLUMNS: u16 = 24;
/// Less than this says nothing of who it is.
const WHO_LEAST: u16 = 8;
/// So much of a context's name is left where there is room for no more.
const NAME_LEAST: u16 = 12;

pub fn draw(pen: &mut Pen, area: Rect, state: &State) {
    pen.fill(area, Role::Bar);
    let forms = [Form::Whole, Form::Money, Form::Narrow, Form::Clock];
    let is_whole = |form: &Form| form.columns(state) <= area.width;
    let form = forms.into_iter().find(is_whole).unwrap_or(Form::Least);
    let end = form.end(state);
    let taken = form.end_columns(&end, state);
    let mut left = pen.line(Rect { width: area.width.saturating_sub(taken), ..area });
    if form.has_name() {
        left.gap(1).put(NAME, Role::Accent).gap(1);
    }
    for (text, role) in form.source(state) {
        left.gap(1).put(&text, role);
    }
    let needed: u16 = whereabouts(state).iter().chain(&who(state)).map(|part| columns(part) + form.gap()).sum();
    let profile = profile(state).filter(|profile| columns(profile) + form.gap() + needed <= left.room());
    for part in profile.into_iter().map(str::to_owned).chain(whereabouts(state)) {
        // Half an account's number would be another's: what has no room is left out.
        if columns(&part) + form.gap() <= left.room() {
            left.gap(form.gap()).put(&part, Role::Dim);
        }
    }
    // Who asks may lose its middle.
    if let Some(who) = who(state).filter(|who| columns(who).min(WHO_LEAST) + form.gap() <= left.room()) {
        left.gap(form.gap()).name(&who, Role::Dim);
    }
    let mut right = pen.line(Rect { x: area.right().saturating_sub(taken).max(area.x), width: taken, ..area });
    right.put(paused(state), Role::Notice).gap(1);
    right.put(&end, if state.meter.calls.throttled > 0 { Role::Warn } else { Role::Text });
}

/// How much the first line says. Who and where one is stays to the last: what looking costs, and this program's name,
/// make room for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    /// Without the number of calls.
    Money,
    /// And without this program's name and second blanks.
    Narrow,
    /// And without the money.
    Clock,
    /// And without the endpoint's address, the context's name cut: whose account it is outlives what it is called.
    Least,
}

impl Form {
    fn gap(self) -> u16 {
        if self.has_name() { 2 } else { 1 }
    }

    /// What the line takes where nothing of it is cut.
    fn columns(self, state: &State) -> u16 {
        let name = if self.has_name() { columns(NAME) + 2 } else { 0 };
        let end = self.end_columns(&self.end(state), state);
        let source = self.source(state).iter().map(|(text, _)| columns(text) + 1).fold(name + end, u16::saturating_add);
        let parts = whereabouts(state);
        let parts = parts.iter().map(|text| columns(text) + self.gap()).fold(source, u16::saturating_add);
        parts + who(state).map_or(0, |who| columns(&who).min(WHO_COLUMNS) + self.gap())
    }

    fn has_name(self) -> bool {
        matches!(self, Self::Whole | Self::Money)
    }

    /// How midwatch looks, and through which context.
    fn source(self, state: &State) -> Vec<(String, Role)> {
        source(state, self)
    }

    /// What this program has asked so far and costs an hour, and the time.
    fn end(self, state: &State) -> String {
        let clock = format!("{} UTC ", state.now.clock_hms());
        let calls = match self {
            Self::Clock | Self::Least => return clock,
            Self::Money | Self::Narrow => String::new(),
            Self::Whole => counted(state.meter.calls.total() as f64, "call") + "  ",
        };
        let throttled = match state.meter.calls.throttled {
            0 => String::new(),
            n => format!("{} throttled  ", Unit::Count.short_number(n as f64)),
        };
        // The sum of nothing is -0.0 in floating point.
        let usd = state.meter.usd_per_h(state.started, state.now).abs();
        // The budget makes the sweep slower than a minute: that is said where the money is.
        let sweep = match state.schedule.sweep_every().as_secs() {
            0..120 => String::new(),
            s => format!(" sweep {}", short_duration_ms(s as f64 * 1000.0)),
        };
        let blanks = " ".repeat(usize::from(self.gap()));
        format!("{calls}{throttled}${usd:.2}/h{sweep}{blanks}{clock}")
    }

    /// The end with the mark of a pause and a blank on both sides.
    fn end_columns(self, end: &str, state: &State) -> u16 {
        columns(end) + columns(paused(state)) + 2
    }
}

fn paused(state: &State) -> &'static str {
    if state.paused { " PAUSED " } else { "" }
}

/// Where answers come from. Whether this can change AWS, and whose AWS, is said before where it looks: the end is what a
/// narrow terminal cuts.
fn source(state: &State, form: Form) -> Vec<(String, Role)> {
    let label = state.settings.source_label.trim();
    let context = state.context();
    let mut words: Vec<(String, Role)> = Vec::new();
    let mut put = |text: &str, role: Role| words.push((text.to_owned(), role));
    match state.settings.source {
        Source::Demo => {
            put("DEMO", Role::Ok);
            put(label.strip_prefix("demo").unwrap_or(label).trim(), Role::Text);
        }
        Source::Live => {
            match context {
                Some(context) if context.production => put("PRODUCTION", Role::Notice),
                _ => put("LIVE", Role::Warn),
            }
            match context {
                Some(context) if context.allow_actions => match form {
                    Form::Clock | Form::Least => put("UNLOCKED", Role::Notice),
                    Form::Whole | Form::Money | Form::Narrow => put("ACTIONS UNLOCKED", Role::Notice),
                },
                _ => put("read-only", Role::Dim),
            }
            if let Some(name) = context.and_then(called) {
                let width = if form == Form::Least { NAME_LEAST } else { u16::MAX };
                put(&cut_middle(name, width, '~'), Role::Strong);
            }
            others(state, &mut put);
            let url = context.and_then(|context| context.endpoint_url.as_deref());
            if let Some(url) = url.filter(|_| form != Form::Least) {
                put(url, Role::Text);
            }
        }
    }
    words
}

/// How many other contexts are watched, whether one of them is production, and how many are not seen at all.
fn others(state: &State, put: &mut impl FnMut(&str, Role)) {
    let here = state.context().map(|context| &context.place);
    let others = || state.settings.contexts.iter().filter(|context| Some(&context.place) != here);
    if others().next().is_none() {
        return;
    }
    put(&format!("+{}", others().count()), Role::Dim);
    if others().any(|context| context.production) {
        put("PRODUCTION", Role::Notice);
    }
    let contexts = state.settings.contexts.iter();
    if let dark @ 1.. = contexts.filter(|context| why_dark(state, context).is_some()).count() {
        put(&format!("{dark} NOT SEEN"), Role::Crit);
    }
}

/// Region, account and its alias, as far as they are known.
fn whereabouts(state: &State) -> Vec<String> {
    let Some(context) = state.context() else { return Vec::new() };
    let identity = state.identities.get(&context.place);
    let account = identity.and_then(|identity| identity.account.clone());
    let alias = identity.and_then(|identity| identity.alias.clone());
    [context.region.clone(), account, alias].into_iter().flatten().collect()
}

/// The principal, as people know it.
fn who(state: &State) -> Option<String> {
    state.identities.get(&state.context()?.place)?.who()
}

/// The profile of the context, where it is not said by the context's name already.
fn profile(state: &State) -> Option<&str> {
    let context = state.context()?;
    context.profile.as_deref().filter(|profile| called(context) != Some(profile))
}

/// What tells the context from others: its name, where that is not its profile's, which is said anyway.
fn called(context: &Context) -> Option<&str> {
    let own = context.name.as_deref().filter(|_| context.name != context.profile);
    context.place.name().or(own)
}

pub fn draw_tabs(pen: &mut Pen, area: Rect, state: &State) {
    if area.is_empty() {
        return;
    }
    let is_wide = area.width >= PROBLEMS_COLUMNS;
    let problems = match by_cause(state.problems.values()).len() {
        0 => silence(state).map(|silence| if is_wide { format!("no answer for {silence}") } else { silence + " (p)" }),
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

/// How long AWS has said nothing to what it was asked, where that is long: it is told before any question is given up.
fn silence(state: &State) -> Option<String> {
    let silence = state.schedule.silence(state.now);
    (silence >= state.settings.real(LONG_SILENCE)).then(|| short_duration_ms(silence.as_millis() as f64))
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
