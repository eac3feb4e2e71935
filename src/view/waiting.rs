//! What an execution waits for, in words: the sentences above its history.

use crate::domain::execution::{Described, Tasks};
use crate::domain::history::{EVENTS_LIMIT, Event, History, Item, Open};
use crate::domain::time::Timestamp;
use crate::domain::value::{Unit, short_duration_ms};
use crate::theme::Role;
use std::time::Duration;

/// Open things that are told one by one.
const TOLD_MAX: usize = 4;
/// What nobody has taken for so long is late, or stuck.
const LATE: Duration = Duration::from_secs(60);
const STUCK: Duration = Duration::from_secs(600);
/// A history that has taken so much of its limit is said to come to its end.
const LIMIT_SHARE: f64 = 0.8;

pub type Sentence = (Role, String);

/// What is known, the most important first.
pub fn sentences(history: &History, now: Timestamp) -> Vec<Sentence> {
    let mut said = Vec::new();
    if let Some(described) = &history.described {
        let end = history.up_to(None).next().filter(|last| last.is_of_execution());
        said.push(headline(described, end, now));
    }
    let open = history.open();
    said.extend(open.iter().take(TOLD_MAX).filter_map(|open| waits_for(history, *open, now)));
    if open.len() > TOLD_MAX {
        said.push((Role::Text, format!("and for {} more", open.len() - TOLD_MAX)));
    }
    if let Some(described) = history.described.as_ref().filter(|described| described.execution.closed.is_none()) {
        said.extend(unseen(history, described, now));
    }
    said.extend(waits(history));
    said.extend(troubles(history));
    if history.newest() as f64 >= EVENTS_LIMIT as f64 * LIMIT_SHARE {
        let limit = Unit::Count.short_number(EVENTS_LIMIT as f64);
        said.push((Role::Warn, format!("It has {} events: SWF ends it at {limit}.", history.newest())));
    }
    said
}

fn ago(now: Timestamp, at: Timestamp) -> String {
    span(now.since(at))
}

pub fn span(duration: Duration) -> String {
    short_duration_ms(duration.as_millis() as f64)
}

/// `in 3m`, or that it is over.
fn until(now: Timestamp, at: Timestamp) -> String {
    if at > now { format!("in {}", span(at.since(now))) } else { format!("{} ago", ago(now, at)) }
}

fn headline(described: &Described, end: Option<&Event>, now: Timestamp) -> Sentence {
    let execution = &described.execution;
    match &execution.closed {
        None => {
            let limit = described.execution_timeout_s.map(|s| execution.started + Duration::from_secs(s));
            let limit = limit.map(|at| format!(", times out {}", until(now, at))).unwrap_or_default();
            let cancel = if execution.cancel_requested { "; its cancellation is requested" } else { "" };
            (Role::Strong, format!("Open for {}{limit}{cancel}.", ago(now, execution.started)))
        }
        Some((at, ended)) => {
            let role = if ended.is_trouble() { Role::Crit } else { Role::Strong };
            let ran = span(at.since(execution.started));
            let why = end.map(|end| end.said.as_str()).filter(|said| !said.is_empty());
            let why = why.map_or_else(|| ".".to_owned(), |why| format!(": {why}"));
            (role, format!("It {} {} ago, at {}, after {ran}{why}", past(ended.word()), ago(now, *at), at.clock_hms()))
        }
    }
}

/// `was canceled`, `timed out`: some of SWF's words are passive.
fn past(word: &str) -> String {
    if matches!(word, "canceled" | "terminated") { format!("was {word}") } else { word.to_owned() }
}

/// How bad it is that nobody has taken it.
fn role_of(waited: Duration) -> Role {
    if waited >= STUCK {
        Role::Crit
    } else if waited >= LATE {
        Role::Warn
    } else {
        Role::Text
    }
}

fn waits_for(history: &History, open: Open, now: Timestamp) -> Option<Sentence> {
    let opened = history.get(open.opened)?;
    let started = open.started.and_then(|id| history.get(id));
    let waited = now.since(opened.at);
    let since = span(waited);
    let (about, by) = (&opened.about, started.map(|started| started.about.as_str()).filter(|by| !by.is_empty()));
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let ends = |from: Timestamp| {
        let end = opened.end_within_s.map(|s| from + Duration::from_secs(s));
        end.map(|at| format!(", times out {}", until(now, at))).unwrap_or_default()
    };
    Some(match (open.item, started) {
        (Item::Activity, None) => {
            let list = on_list(history, Tasks::Activities, opened);
            let said = format!("It waits for activity {about}, scheduled {since} ago, that nobody has taken{list}.");
            (role_of(waited), said)
        }
        (Item::Activity, Some(started)) => {
            let runs = ago(now, started.at);
            (Role::Text, format!("It waits for activity {about}, taken {runs} ago{by}{}.", ends(started.at)))
        }
        (Item::Decision, None) => {
            let list = on_list(history, Tasks::Decisions, opened);
            (
                role_of(waited),
                format!("It waits for a decision, scheduled {since} ago, that no decider has taken{list}."),
            )
        }
        (Item::Decision, Some(started)) => {
            let runs = ago(now, started.at);
            (
                role_of(now.since(started.at)),
                format!("It waits for a decision, taken {runs} ago{by}{}.", ends(started.at)),
            )
        }
        (Item::Function, None) => (role_of(waited), format!("It waits for function {about}, not begun since {since}.")),
        (Item::Function, Some(started)) => (
            Role::Text,
            format!("It waits for function {about}, begun {} ago{}.", ago(now, started.at), ends(started.at)),
        ),
        (Item::Child, None) => {
            (role_of(waited), format!("It waits for child {about}, asked for {since} ago, not begun."))
        }
        (Item::Child, Some(started)) => {
            (Role::Text, format!("It waits for child {about}, begun {} ago{}.", ago(now, started.at), ends(started.at)))
        }
        (Item::Timer, _) => {
            let fires = opened.end_within_s.map(|s| opened.at + Duration::from_secs(s));
            let fires = fires.map_or_else(String::new, |at| format!(", which fires {}", until(now, at)));
            (Role::Text, format!("It waits for timer {about}{fires}."))
        }
    })
}

/// Where a task waits, what else waits there, and when SWF gives it up.
fn on_list(history: &History, tasks: Tasks, opened: &Event) -> String {
    let Some(list) = &opened.list else { return String::new() };
    let waiting = history.waiting.iter().find(|waiting| waiting.tasks == tasks && waiting.list == *list);
    let word = if tasks == Tasks::Decisions { "decisions" } else { "activities" };
    let count = waiting.map(|waiting| match waiting.count {
        1 => " alone".to_owned(),
        count => format!(" with {} {word}", Unit::Count.short_number(count as f64)),
    });
    let limit = opened.start_within_s.map(|s| format!(", given up after {}", span(Duration::from_secs(s))));
    format!("; it is on list {list}{}{}", count.unwrap_or_default(), limit.unwrap_or_default())
}

/// What SWF counts and the events do not show: they began before those that are kept, or nothing is open at all.
fn unseen(history: &History, described: &Described, now: Timestamp) -> Option<Sentence> {
    let counts = described.open;
    let total = counts.decisions + counts.activities + counts.timers + counts.children + counts.functions;
    let seen = history.open().len() as u64;
    if history.missing() > 0 && total > seen {
        let more = total - seen;
        return Some((Role::Text, format!("{more} more are open, begun before the events that are shown.")));
    }
    let last = history.up_to(None).next().filter(|_| total == 0 && seen == 0)?;
    let since = now.since(last.at);
    let said = format!(
        "Nothing of it is open since {}: no task, timer or child. Only a signal or a cancellation moves it on.",
        span(since)
    );
    Some((role_of(since), said))
}

/// How long tasks waited to be taken.
fn waits(history: &History) -> Option<Sentence> {
    let said = |waits: crate::domain::history::Waits, what: &str| {
        let (longest, last) = (span(waits.longest), span(waits.last));
        (waits.count > 0).then(|| format!("{what} waited {longest} at most and {last} at last to be taken"))
    };
    let decisions = said(history.decision_waits, "decisions");
    let activities = said(history.activity_waits, "activities");
    let both: Vec<String> = [decisions, activities].into_iter().flatten().collect();
    let mut text = both.join("; ");
    let first = text.get_mut(..1)?;
    first.make_ascii_uppercase();
    let longest = history.decision_waits.longest.max(history.activity_waits.longest);
    Some((if longest >= LATE { Role::Warn } else { Role::Dim }, format!("{text}.")))
}

fn troubles(history: &History) -> Option<Sentence> {
    let (count, last) = history.troubles();
    let last = last?;
    let about =
        last.opened_by.and_then(|by| history.get(by)).map_or(last.about.as_str(), |opened| opened.about.as_str());
    let said = [last.kind.as_str(), about].join(" ");
    let why = if last.said.is_empty() { String::new() } else { format!(": {}", last.said) };
    let head = if count == 1 { "Trouble once".to_owned() } else { format!("Trouble {count} times, last") };
    Some((Role::Crit, format!("{head} at {}: {}{why}", last.at.clock_hms(), said.trim_end())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::execution::{Ended, Execution, ExecutionRef, HistoryAnswer, OpenCounts, Waiting};

    const NOW: Timestamp = Timestamp::from_millis(8_000_000);

    fn before(seconds: u64) -> Timestamp {
        NOW - Duration::from_secs(seconds)
    }

    fn described(open: OpenCounts, closed: Option<(Timestamp, Ended)>) -> Described {
        let execution = Execution {
            of: ExecutionRef { workflow_id: "order-7".into(), run_id: "r".into() },
            workflow_type: "process-order/1.0".into(),
            started: before(7980),
            closed,
            cancel_requested: false,
            parent: None,
        };
        Described {
            execution,
            execution_timeout_s: Some(86_400),
            decision_timeout_s: Some(30),
            task_list: Some("deciders".into()),
            open,
        }
    }

    fn event(id: u64, seconds: u64, kind: &str, about: &str, opened_by: Option<u64>) -> Event {
        let list = kind.ends_with("Scheduled").then(|| "chargers".to_owned());
        let (at, kind, about) = (before(seconds), kind.to_owned(), about.to_owned());
        Event { id, at, kind, about, opened_by, list, ..Event::default() }
    }

    fn told(described: Described, events: Vec<Event>, waiting: Vec<Waiting>) -> Vec<String> {
        let mut history = History::default();
        history.take(Ok(HistoryAnswer { described: Ok(described), events, waiting }));
        sentences(&history, NOW).into_iter().map(|(_, said)| said).collect()
    }

    #[test]
    fn an_activity_that_nobody_takes_is_named_with_its_list() {
        let open = OpenCounts { activities: 1, ..OpenCounts::default() };
        let events = vec![
            event(1, 7980, "DecisionTaskScheduled", "", None),
            event(2, 7978, "DecisionTaskStarted", "decider-1", Some(1)),
            event(3, 7977, "DecisionTaskCompleted", "", Some(1)),
            event(4, 2460, "ActivityTaskScheduled", "charge-card/1.0 7", None),
        ];
        let waiting = vec![Waiting { tasks: Tasks::Activities, list: "chargers".into(), count: 12 }];
        let said = told(described(open, None), events, waiting);
        assert_eq!(
            said,
            [
                "Open for 2h13m, times out in 21h47m.",
                "It waits for activity charge-card/1.0 7, scheduled 41m00s ago, that nobody has taken; it is on list \
                 chargers with 12 activities.",
                "Decisions waited 2.0s at most and 2.0s at last to be taken.",
            ]
        );
    }

    #[test]
    fn an_execution_with_nothing_open_waits_for_a_signal() {
        let events =
            vec![event(1, 7980, "WorkflowExecutionStarted", "", None), event(2, 900, "MarkerRecorded", "", None)];
        let said = told(described(OpenCounts::default(), None), events, Vec::new());
        assert!(said[1].starts_with("Nothing of it is open since 15m"), "{said:?}");
    }

    #[test]
    fn what_began_before_the_events_that_are_kept_is_counted() {
        let open = OpenCounts { timers: 2, ..OpenCounts::default() };
        let timer = Event { end_within_s: Some(600), ..event(31, 500, "TimerStarted", "retry", None) };
        let said = told(described(open, None), vec![timer], Vec::new());
        assert_eq!(
            said[1..],
            [
                "It waits for timer retry, which fires in 1m40s.",
                "1 more are open, begun before the events that are shown.",
            ]
        );
    }

    #[test]
    fn an_end_is_told_with_the_trouble_before_it() {
        let failed = Event { said: "card declined".into(), ..event(2, 120, "ActivityTaskFailed", "", Some(1)) };
        let events = vec![
            event(1, 300, "ActivityTaskScheduled", "charge-card/1.0 7", None),
            failed,
            Event {
                said: "OPERATOR_INITIATED: wrong card".into(),
                ..event(3, 60, "WorkflowExecutionTerminated", "", None)
            },
        ];
        let said = told(described(OpenCounts::default(), Some((before(60), Ended::Terminated))), events, Vec::new());
        assert!(said[0].starts_with("It was terminated 1m00s ago"), "{said:?}");
        assert!(said[0].ends_with("after 2h12m: OPERATOR_INITIATED: wrong card"), "{said:?}");
        assert!(said[1].starts_with("Trouble once at"), "{said:?}");
        assert!(said[1].ends_with("ActivityTaskFailed charge-card/1.0 7: card declined"), "{said:?}");
    }
}
