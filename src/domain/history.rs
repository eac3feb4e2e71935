//! One workflow execution's history, as far as it was read: the newest events in order, and what they leave open.

use crate::domain::execution::{Described, HistoryAnswer, Waiting};
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// So many events are kept, the newest.
pub const EVENTS_MAX: usize = 2000;
/// SWF ends an execution that comes to so many events (SWF "Quotas").
pub const EVENTS_LIMIT: u64 = 25_000;
/// Of a longer reason, result or name only the beginning is kept, in characters.
const SAID_MAX: usize = 500;

/// One event. Its number is its place in the history; the first is 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub id: u64,
    pub at: Timestamp,
    /// AWS's name: `ActivityTaskScheduled`.
    pub kind: String,
    /// What it is about: an activity's type and id, a timer's id, a signal's name, a worker's identity.
    pub about: String,
    /// Cause, reason, details, result: what people and programs said, in their own words.
    pub said: String,
    /// The event that began what this one moves on or ends.
    pub opened_by: Option<u64>,
    /// The decision that brought it about.
    pub decided_by: Option<u64>,
    /// Where a task waits.
    pub list: Option<String>,
    /// A task that nobody has taken for so long is given up; `None`: never.
    pub start_within_s: Option<u64>,
    /// What runs longer is ended; a timer fires then; `None`: never.
    pub end_within_s: Option<u64>,
}

/// What an execution can have open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    Decision,
    Activity,
    Function,
    Child,
    Timer,
}

/// What an event does to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Opens(Item),
    /// Somebody has taken it, or it runs.
    Starts(Item),
    Ends(Item),
    Other,
}

/// What an event is, for the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Trouble,
    Warning,
    /// Of the execution as a whole: its beginning and end, signals, markers.
    Milestone,
    /// The deciders' own to and fro.
    Quiet,
    Plain,
}

impl Event {
    pub fn step(&self) -> Step {
        use Item::{Activity, Child, Decision, Function, Timer};
        match self.kind.as_str() {
            "DecisionTaskScheduled" => Step::Opens(Decision),
            "ActivityTaskScheduled" => Step::Opens(Activity),
            "LambdaFunctionScheduled" => Step::Opens(Function),
            "StartChildWorkflowExecutionInitiated" => Step::Opens(Child),
            "TimerStarted" => Step::Opens(Timer),
            "DecisionTaskStarted" => Step::Starts(Decision),
            "ActivityTaskStarted" => Step::Starts(Activity),
            "LambdaFunctionStarted" => Step::Starts(Function),
            "ChildWorkflowExecutionStarted" => Step::Starts(Child),
            "DecisionTaskCompleted" | "DecisionTaskTimedOut" => Step::Ends(Decision),
            "ActivityTaskCompleted" | "ActivityTaskFailed" | "ActivityTaskTimedOut" | "ActivityTaskCanceled" => {
                Step::Ends(Activity)
            }
            "LambdaFunctionCompleted" | "LambdaFunctionFailed" | "LambdaFunctionTimedOut" => Step::Ends(Function),
            "StartLambdaFunctionFailed" => Step::Ends(Function),
            "ChildWorkflowExecutionCompleted" | "ChildWorkflowExecutionFailed" | "ChildWorkflowExecutionTimedOut" => {
                Step::Ends(Child)
            }
            "ChildWorkflowExecutionCanceled" | "ChildWorkflowExecutionTerminated" => Step::Ends(Child),
            "StartChildWorkflowExecutionFailed" => Step::Ends(Child),
            "TimerFired" | "TimerCanceled" => Step::Ends(Timer),
            _ => Step::Other,
        }
    }

    /// Whether it is about the execution as a whole: its beginning, its end, what reaches it from outside.
    pub fn is_of_execution(&self) -> bool {
        self.kind.starts_with("WorkflowExecution")
    }

    pub fn mark(&self) -> Mark {
        let kind = self.kind.as_str();
        if ["Failed", "TimedOut", "Terminated"].iter().any(|end| kind.ends_with(end)) {
            Mark::Trouble
        } else if kind.contains("Cancel") {
            Mark::Warning
        } else if self.is_of_execution() || kind == "MarkerRecorded" {
            Mark::Milestone
        } else if kind.starts_with("DecisionTask") {
            Mark::Quiet
        } else {
            Mark::Plain
        }
    }
}

/// Something that has begun and not ended, by the numbers of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    pub item: Item,
    pub opened: u64,
    pub started: Option<u64>,
}

/// How long tasks waited until somebody took them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    pub longest: Duration,
    pub last: Duration,
    pub count: usize,
}

/// What is known of one execution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    events: BTreeMap<u64, Event>,
    pub described: Option<Described>,
    pub waiting: Vec<Waiting>,
    /// Why the last reading, or a part of it, failed.
    pub trouble: Option<String>,
    is_read: bool,
    open: Vec<Open>,
    pub decision_waits: Waits,
    pub activity_waits: Waits,
    troubles: usize,
    last_trouble: Option<u64>,
}

impl History {
    /// Takes an answer in. What failed leaves the events as they are.
    pub fn take(&mut self, answer: Result<HistoryAnswer, String>) {
        self.is_read = true;
        let Ok(answer) = answer.map_err(|sentence| self.trouble = Some(sentence)) else { return };
        self.trouble = answer.described.map(|described| self.described = Some(described)).err();
        self.waiting = answer.waiting;
        let oldest = answer.events.iter().map(|event| event.id).min();
        if oldest.is_some_and(|oldest| oldest > self.newest() + 1) {
            // More came than is read at once: what is kept must be without gaps.
            self.events.clear();
        }
        self.events.extend(answer.events.into_iter().map(|event| (event.id, shortened(event))));
        while self.events.len() > EVENTS_MAX {
            self.events.pop_first();
        }
        self.reckon();
    }

    fn reckon(&mut self) {
        let mut open: BTreeMap<u64, Open> = BTreeMap::new();
        (self.decision_waits, self.activity_waits) = (Waits::default(), Waits::default());
        (self.troubles, self.last_trouble) = (0, None);
        for event in self.events.values() {
            match (event.step(), event.opened_by) {
                (Step::Opens(item), _) => {
                    open.insert(event.id, Open { item, opened: event.id, started: None });
                }
                (Step::Starts(item), Some(by)) => {
                    open.entry(by).and_modify(|open| open.started = Some(event.id));
                    let waits = match item {
                        Item::Decision => Some(&mut self.decision_waits),
                        Item::Activity => Some(&mut self.activity_waits),
                        _ => None,
                    };
                    if let (Some(waits), Some(opened)) = (waits, self.events.get(&by)) {
                        waits.last = event.at.since(opened.at);
                        waits.longest = waits.longest.max(waits.last);
                        waits.count += 1;
                    }
                }
                (Step::Ends(_), Some(by)) => _ = open.remove(&by),
                _ => {}
            }
            if event.mark() == Mark::Trouble && !event.is_of_execution() {
                self.troubles += 1;
                self.last_trouble = Some(event.id);
            }
        }
        self.open = if self.is_over() { Vec::new() } else { open.into_values().collect() };
    }

    /// Whether anything has come back yet, if only why there is nothing.
    pub fn is_read(&self) -> bool {
        self.is_read
    }

    /// It has ended and its last event is known: nothing will be added.
    pub fn is_over(&self) -> bool {
        let has_ended = |event: &Event| {
            let end = event.kind.strip_prefix("WorkflowExecution");
            let ends = ["Completed", "Failed", "TimedOut", "Canceled", "Terminated", "ContinuedAsNew"];
            end.is_some_and(|end| ends.contains(&end))
        };
        self.events.last_key_value().is_some_and(|(_, event)| has_ended(event))
            && self.described.as_ref().is_some_and(|described| described.execution.closed.is_some())
    }

    /// The number of the newest event; 0 when none is known.
    pub fn newest(&self) -> u64 {
        self.events.last_key_value().map_or(0, |(id, _)| *id)
    }

    /// How many of the oldest events are not kept.
    pub fn missing(&self) -> u64 {
        self.events.first_key_value().map_or(0, |(id, _)| id.saturating_sub(1))
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub fn get(&self, id: u64) -> Option<&Event> {
        self.events.get(&id)
    }

    /// What is open, oldest first, as far as the events that are kept tell.
    pub fn open(&self) -> &[Open] {
        &self.open
    }

    /// How many events are trouble on the way, and the last of them; the execution's own end is none of them.
    pub fn troubles(&self) -> (usize, Option<&Event>) {
        (self.troubles, self.last_trouble.and_then(|id| self.events.get(&id)))
    }

    /// The list of the oldest activity that nobody has taken.
    pub fn untaken_list(&self) -> Option<&str> {
        let untaken = |open: &&Open| open.item == Item::Activity && open.started.is_none();
        self.open.iter().find(untaken).and_then(|open| self.events.get(&open.opened)?.list.as_deref())
    }

    /// The events up to this one, newest first; all where there is no such bound.
    pub fn up_to(&self, end: Option<u64>) -> impl Iterator<Item = &Event> {
        self.events.range(..=end.unwrap_or(u64::MAX)).rev().map(|(_, event)| event)
    }

    /// How many events stand before this one; the last one's number where there is no bound.
    pub fn index(&self, end: Option<u64>) -> usize {
        let last = self.len().saturating_sub(1);
        end.map_or(last, |end| self.events.range(..end).count().min(last))
    }

    /// The event of this number; `None` from the last one on: what comes is followed.
    pub fn place(&self, index: usize) -> Option<u64> {
        (index.saturating_add(1) < self.len()).then(|| self.events.keys().nth(index).copied()).flatten()
    }

    /// How long after the one before it an event came, and how long what it starts or ends had waited or run.
    pub fn spans(&self, event: &Event) -> (Option<Duration>, Option<Duration>) {
        let before = self.events.range(..event.id).next_back().map(|(_, before)| event.at.since(before.at));
        let opened = event.opened_by.and_then(|by| self.events.get(&by)).map(|opened| event.at.since(opened.at));
        (before, opened)
    }
}

/// Whoever wrote it may have written much, over many lines.
fn shortened(mut event: Event) -> Event {
    for text in [&mut event.about, &mut event.said] {
        let one_line = |c: char| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
        let is_longer = text.char_indices().nth(SAID_MAX).is_some();
        *text = text.chars().take(SAID_MAX).map(one_line).chain(is_longer.then_some('…')).collect();
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::execution::{Ended, Execution, ExecutionRef, OpenCounts};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn event(id: u64, seconds: i64, kind: &str, opened_by: Option<u64>) -> Event {
        let list = kind.ends_with("Scheduled").then(|| "chargers".to_owned());
        Event { id, at: at(seconds), kind: kind.to_owned(), opened_by, list, ..Event::default() }
    }

    fn described(closed: Option<(Timestamp, Ended)>) -> Described {
        let execution = Execution {
            of: ExecutionRef::default(),
            workflow_type: "process-order/1.0".into(),
            started: at(0),
            closed,
            cancel_requested: false,
            parent: None,
        };
        Described {
            execution,
            execution_timeout_s: None,
            decision_timeout_s: None,
            task_list: None,
            open: OpenCounts::default(),
        }
    }

    fn answer(events: Vec<Event>) -> Result<HistoryAnswer, String> {
        Ok(HistoryAnswer { described: Ok(described(None)), events, waiting: Vec::new() })
    }

    fn begun() -> Vec<Event> {
        vec![
            event(1, 0, "WorkflowExecutionStarted", None),
            event(2, 0, "DecisionTaskScheduled", None),
            event(3, 4, "DecisionTaskStarted", Some(2)),
            event(4, 5, "DecisionTaskCompleted", Some(2)),
            event(5, 5, "ActivityTaskScheduled", None),
            event(6, 5, "TimerStarted", None),
        ]
    }

    #[test]
    fn what_has_begun_and_not_ended_is_open() {
        let mut history = History::default();
        history.take(answer(begun()));
        let open = |item, opened, started| Open { item, opened, started };
        assert_eq!(history.open(), [open(Item::Activity, 5, None), open(Item::Timer, 6, None)]);
        assert_eq!(history.untaken_list(), Some("chargers"));
        assert_eq!((history.decision_waits.longest, history.decision_waits.count), (Duration::from_secs(4), 1));
        history.take(answer(vec![event(7, 9, "ActivityTaskStarted", Some(5)), event(8, 60, "TimerFired", Some(6))]));
        assert_eq!(history.open(), [open(Item::Activity, 5, Some(7))]);
        assert_eq!((history.untaken_list(), history.newest(), history.len()), (None, 8, 8));
        assert_eq!(history.activity_waits.last, Duration::from_secs(4));
        history.take(answer(vec![event(9, 70, "ActivityTaskTimedOut", Some(5))]));
        let (count, last) = history.troubles();
        assert_eq!((history.open(), count, last.map(|event| event.id)), (&[][..], 1, Some(9)));
        assert_eq!(
            history.spans(&event(9, 70, "", Some(5))),
            (Some(Duration::from_secs(10)), Some(Duration::from_secs(65)))
        );
    }

    #[test]
    fn events_are_kept_once_bounded_and_without_gaps() {
        let mut history = History::default();
        history.take(answer(begun()));
        history.take(answer(begun()));
        assert_eq!((history.len(), history.missing()), (6, 0));
        history.take(Err("denied".into()));
        assert_eq!((history.len(), history.trouble.as_deref()), (6, Some("denied")), "the events stay");
        history.take(answer((100..9000).map(|id| event(id, id as i64, "MarkerRecorded", None)).collect()));
        assert_eq!((history.len(), history.missing()), (EVENTS_MAX, 6999), "and none before the gap");
        assert_eq!(history.get(8999).map(Event::mark), Some(Mark::Milestone));
    }

    #[test]
    fn a_place_is_held_while_events_come_and_the_end_follows() {
        let mut history = History::default();
        history.take(answer(begun()));
        let held = history.place(2);
        assert_eq!((held, history.index(held), history.place(5)), (Some(3), 2, None));
        history.take(answer(vec![event(7, 9, "ActivityTaskStarted", Some(5))]));
        assert_eq!(history.up_to(held).next().map(|event| event.id), Some(3));
        assert_eq!(history.up_to(None).next().map(|event| event.id), Some(7));
    }

    #[test]
    fn an_execution_is_over_when_its_last_event_is_known() {
        let mut history = History::default();
        let closed = || described(Some((at(90), Ended::TimedOut)));
        let told = |events| Ok(HistoryAnswer { described: Ok(closed()), events, waiting: Vec::new() });
        history.take(told(begun()));
        assert!(!history.is_over(), "it was described before its end was read");
        history.take(told(vec![event(7, 90, "WorkflowExecutionTimedOut", None)]));
        assert!(history.is_over() && history.open().is_empty());
    }

    #[test]
    fn what_others_wrote_is_cut_and_kept_on_its_line() {
        let mut history = History::default();
        let said = format!("card\ndeclined{}", "x".repeat(900));
        history.take(answer(vec![Event { said, ..event(1, 0, "ActivityTaskFailed", Some(9)) }]));
        let said = &history.get(1).unwrap().said;
        assert!(said.starts_with("card declined") && said.ends_with('…'));
        assert_eq!(said.chars().count(), SAID_MAX + 1);
    }
}
