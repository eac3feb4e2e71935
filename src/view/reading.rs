//! Screens to read and scroll: help from the command table, problems and jobs, the answer of an invocation.

use super::cell::age;
use super::pen::Pen;
use super::text::wrap;
use crate::actions::{Answer, CallOutcome};
use crate::app::command::{COMMANDS, Scope};
use crate::app::job::{Job, PlanId, Stage};
use crate::app::state::State;
use crate::domain::finding::{ErrorClass, by_cause, struck};
use crate::domain::value::short_duration_ms;
use crate::theme::Role;
use ratatui::layout::Rect;
use std::borrow::Cow;
use std::time::Duration;

/// A line of a text: pieces in roles.
pub type TextLine<'t> = Vec<(Cow<'t, str>, Role)>;

/// From this width on a help is read in two columns.
const TWO_COLUMNS: u16 = 130;
/// A payload longer than this is shown as it came: laying it out anew at every frame would cost too much.
const PRETTY_MAX_BYTES: usize = 256 * 1024;
/// More lines of an answer than this are not shown.
const LINES_MAX: usize = 20_000;

/// Draws the lines from `scroll` on, never past the end; says where in the text that is when it is longer than the area.
pub fn draw_lines(pen: &mut Pen, area: Rect, lines: &[TextLine], scroll: usize) -> Option<String> {
    let rows = usize::from(area.height);
    let top = scroll.min(lines.len().saturating_sub(rows));
    for (n, line) in lines.iter().skip(top).take(rows).enumerate() {
        let mut text = pen.line(Rect { y: area.y + n as u16, height: 1, ..area });
        for (piece, role) in line {
            text.put(piece, *role);
        }
    }
    (lines.len() > rows && rows > 0).then(|| format!("{}-{} of {}", top + 1, top + rows, lines.len()))
}

fn say<'t>(text: impl Into<Cow<'t, str>>, role: Role) -> TextLine<'t> {
    vec![(text.into(), role)]
}

/// A paragraph, broken to the width and set in by `indent`.
fn paragraph<'t>(lines: &mut Vec<TextLine<'t>>, text: &'t str, role: Role, width: u16, indent: u16) {
    for line in wrap(text, width.saturating_sub(indent), LINES_MAX) {
        lines.push(vec![(" ".repeat(usize::from(indent)).into(), role), (line.into(), role)]);
    }
}

pub fn draw_help(pen: &mut Pen, area: Rect, scroll: usize) -> Option<String> {
    let across = if area.width < TWO_COLUMNS { 1 } else { 2 };
    let width = area.width / across;
    let lines = help_lines(width.saturating_sub(2));
    if across == 1 {
        return draw_lines(pen, area, &lines, scroll);
    }
    let rows = usize::from(area.height);
    let top = scroll.min(lines.len().saturating_sub(rows * 2));
    let (left, right) = lines[top..].split_at(rows.min(lines.len() - top));
    draw_lines(pen, Rect { width, ..area }, left, 0);
    let right = &right[..right.len().min(rows)];
    draw_lines(pen, Rect { x: area.x + width, width: area.width - width, ..area }, right, 0);
    let shown = left.len() + right.len();
    (shown < lines.len()).then(|| format!("{}-{} of {}", top + 1, top + shown, lines.len()))
}

/// Columns of the keys and of the titles in the help.
const HELP_KEYS: usize = 24;
const HELP_TITLES: usize = 16;

fn help_lines(width: u16) -> Vec<TextLine<'static>> {
    let mut lines: Vec<TextLine> = Vec::new();
    let indent = HELP_KEYS + HELP_TITLES + 2;
    for scope in Scope::ALL {
        lines.push(say(scope.title().to_uppercase(), Role::Header));
        for command in COMMANDS.iter().filter(|command| command.scope == scope) {
            let room = width.saturating_sub(indent as u16).max(20);
            for (n, doc) in wrap(command.doc, room, 9).into_iter().enumerate() {
                let (keys, title) =
                    if n == 0 { (command.chords.join(" "), command.title) } else { (String::new(), "") };
                lines.push(vec![
                    (format!("  {keys:<HELP_KEYS$}").into(), Role::Key),
                    (format!("{title:<HELP_TITLES$}").into(), Role::Strong),
                    (doc.into(), Role::Text),
                ]);
            }
        }
        lines.push(Vec::new());
    }
    lines
}

/// An answer that takes longer is worth telling of.
const LONG_WAIT: Duration = Duration::from_secs(5);

pub fn draw_problems(pen: &mut Pen, area: Rect, state: &State, scroll: usize) -> Option<String> {
    let mut lines: Vec<TextLine> = vec![say("WHAT COULD NOT BE LOOKED AT", Role::Header)];
    if state.problems.is_empty() {
        lines.push(match state.schedule.longest_wait(state.now).filter(|wait| *wait >= LONG_WAIT) {
            Some(wait) => {
                let wait = short_duration_ms(wait.as_secs_f64() * 1000.0);
                let said = format!("  Nothing so far; a question to AWS has waited {wait} for its answer.");
                vec![(said.into(), Role::Warn)]
            }
            None => say("  Nothing: every question to AWS is answered.", Role::Ok),
        });
    }
    for cause in by_cause(state.problems.values()) {
        let Some(problem) = cause.first() else { continue };
        let role = if problem.class == ErrorClass::Denied { Role::Crit } else { Role::Warn };
        lines.push(vec![
            (format!("  {:<10}", problem.class.word()).into(), role),
            (struck(&cause).into(), Role::Strong),
        ]);
        paragraph(&mut lines, &problem.sentence, Role::Text, area.width, 12);
    }
    hidden_lines(&mut lines, state);
    lines.extend([Vec::new(), say("WHAT WAS DONE", Role::Header)]);
    if state.jobs.is_empty() {
        lines.push(say(
            "  Nothing yet in this run. `midwatch journal` (in the demo with --demo) shows earlier ones.",
            Role::Dim,
        ));
    }
    for job in state.jobs.iter().rev() {
        job_lines(&mut lines, job, state, area.width);
    }
    draw_lines(pen, area, &lines, scroll)
}

/// What the config hides, by context and kind, where it hides something.
fn hidden_lines(lines: &mut Vec<TextLine<'_>>, state: &State) {
    let hidden: Vec<_> = state.hidden.iter().filter(|(_, count)| **count > 0).collect();
    if hidden.is_empty() {
        return;
    }
    lines.extend([Vec::new(), say("WHAT THE CONFIG HIDES", Role::Header)]);
    for ((place, kind), count) in hidden {
        let place = place.name().map_or(String::new(), |name| format!("{name}/"));
        lines.push(vec![
            (format!("  {count:<10}").into(), Role::Notice),
            (format!("{place}{}", kind.word()).into(), Role::Strong),
            ("  by include and exclude: not asked about, not counted".into(), Role::Text),
        ]);
    }
}

fn job_lines<'t>(lines: &mut Vec<TextLine<'t>>, job: &'t Job, state: &State, width: u16) {
    let (role, word) = match job.stage {
        Stage::Calling => (Role::Accent, "calling"),
        Stage::Watching => (Role::Accent, "watching"),
        Stage::Done => (Role::Ok, "done"),
        Stage::Partly => (Role::Warn, "partly"),
        Stage::NotSeen => (Role::Unknown, "not seen"),
        Stage::Failed => (Role::Crit, "failed"),
    };
    lines.push(vec![
        (format!("  {word:<10}").into(), role),
        (format!("{} {}", job.plan.action.word(), job.plan.resource).into(), Role::Strong),
        (format!("  {} ago", age(state.now, job.confirmed_at)).into(), Role::Dim),
    ]);
    paragraph(lines, &job.sentence, Role::Text, width, 12);
    for outcome in &job.outcomes {
        match outcome {
            CallOutcome::Accepted(sentences) => {
                for sentence in sentences {
                    paragraph(lines, sentence, Role::Dim, width, 12);
                }
            }
            CallOutcome::Answered(answer) => {
                lines.push(say(format!("            answered with status {}", answer.status), Role::Dim));
            }
            CallOutcome::Failed { sentence, .. } => paragraph(lines, sentence, Role::Crit, width, 12),
        }
    }
}

pub fn draw_answer(pen: &mut Pen, area: Rect, state: &State, id: PlanId, scroll: usize) -> Option<String> {
    let Some(job) = state.job(id) else {
        pen.text(area.x, area.y, area.width, "This answer is not kept any more.", pen.style(Role::Dim));
        return None;
    };
    let answer = job.outcomes.iter().find_map(|outcome| match outcome {
        CallOutcome::Answered(answer) => Some(answer),
        _ => None,
    });
    let mut lines: Vec<TextLine> =
        vec![vec![(job.plan.resource.to_string().into(), Role::Strong), ("  ".into(), Role::Dim)]];
    let Some(answer) = answer else {
        paragraph(&mut lines, &job.sentence, Role::Text, area.width, 0);
        for outcome in &job.outcomes {
            if let CallOutcome::Failed { sentence, .. } = outcome {
                paragraph(&mut lines, sentence, Role::Crit, area.width, 0);
            }
        }
        return draw_lines(pen, area, &lines, scroll);
    };
    let pretty = pretty(&answer.payload);
    answer_head(&mut lines, answer);
    lines.push(say("PAYLOAD", Role::Header));
    paragraph(&mut lines, &pretty, Role::Text, area.width, 2);
    lines.extend([Vec::new(), say("LOG TAIL", Role::Header)]);
    if answer.log_tail.is_empty() {
        lines.push(say("  There is none.", Role::Dim));
    }
    paragraph(&mut lines, &answer.log_tail, Role::Text, area.width, 2);
    draw_lines(pen, area, &lines, scroll)
}

fn answer_head<'t>(lines: &mut Vec<TextLine<'t>>, answer: &'t Answer) {
    let Some(first) = lines.first_mut() else { return };
    match &answer.function_error {
        Some(error) => first.push((format!("the function failed: {error}").into(), Role::Crit)),
        None => first.push(("the function answered".into(), Role::Ok)),
    }
    first.push((format!("  status {}", answer.status).into(), Role::Dim));
    if let Some(version) = &answer.executed_version {
        first.push((format!("  version {version}").into(), Role::Dim));
    }
    lines.push(Vec::new());
}

/// JSON laid out for reading; anything else as it came.
fn pretty(payload: &str) -> Cow<'_, str> {
    if payload.is_empty() {
        return "(empty)".into();
    }
    if payload.len() > PRETTY_MAX_BYTES {
        return payload.into();
    }
    let value = serde_json::from_str::<serde_json::Value>(payload).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).map_or(payload.into(), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn json_is_laid_out_and_the_rest_is_left() {
        assert_eq!(pretty("{\"b\":1,\"a\":[true]}"), "{\n  \"b\": 1,\n  \"a\": [\n    true\n  ]\n}");
        assert_eq!(pretty("not { json"), "not { json");
        assert_eq!(pretty(""), "(empty)");
    }
}
