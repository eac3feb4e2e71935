//! A function's log, as far as it was read: the newest lines, in order, bounded.

use crate::domain::row::ResourceId;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// What to read: the events of a log group from a time on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogQuestion {
    pub function: ResourceId,
    pub group: String,
    /// `None` for a first look: as far back as there are some lines.
    pub since: Option<Timestamp>,
}

impl LogQuestion {
    /// Whether both ask about the same log, whatever has been read of it so far.
    pub fn is_like(&self, other: &Self) -> bool {
        self.function == other.function
    }
}

/// One event of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    pub at: Timestamp,
    pub id: String,
    pub text: String,
}

/// What was read, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogAnswer {
    pub events: Vec<LogEvent>,
    /// False when there was more than is read at once: the newest are missing.
    pub is_whole: bool,
}

/// Where a line stands, and which of those written in one millisecond it is.
pub type LogPlace = (Timestamp, String);

/// So many events are kept, the newest.
const EVENTS_MAX: usize = 2000;
/// Of a longer event only the beginning is kept, in characters.
const TEXT_MAX: usize = 4000;
/// Events of one moment do not come in one moment: each look goes back so far before the last one.
const OVERLAP: Duration = Duration::from_secs(15);
/// Where more is written than can be read, reading goes on from so long before now.
const CATCH_UP: Duration = Duration::from_secs(3);

/// What a line is, for the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Lambda's own frame around an invocation.
    Frame,
    /// The sum of an invocation: time, memory, and whether it started cold.
    Report,
    Error,
    Plain,
}

/// Words that a line of trouble has, whatever wrote it.
const ERROR_WORDS: [&str; 14] = [
    "ERROR",
    "FATAL",
    "CRITICAL",
    "[error]",
    "\"level\":\"error\"",
    "\"level\": \"error\"",
    "Exception",
    "Traceback (most recent call last)",
    "panicked at",
    "Task timed out",
    "Status: timeout",
    "Status: error",
    "\"errorMessage\"",
    "Runtime exited",
];

impl LineKind {
    pub fn of(text: &str) -> Self {
        if ERROR_WORDS.iter().any(|word| text.contains(word)) {
            return Self::Error;
        }
        let begins = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
        if begins(&["REPORT RequestId:"]) || text.contains("\"platform.report\"") {
            Self::Report
        } else if begins(&["START RequestId:", "END RequestId:", "INIT_START ", "EXTENSION\t"]) {
            Self::Frame
        } else {
            Self::Plain
        }
    }
}

/// Lines of a log, with what they sum up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    events: BTreeMap<LogPlace, String>,
    /// From when on to read next; `None` before the first answer.
    next: Option<Timestamp>,
    /// Why the last reading failed.
    pub trouble: Option<String>,
    /// More was written than could be read: lines are missing.
    pub has_gap: bool,
}

impl Log {
    pub fn since(&self) -> Option<Timestamp> {
        self.next
    }

    /// Whether anything has come back yet.
    pub fn is_read(&self) -> bool {
        self.next.is_some()
    }

    /// Takes an answer in that was asked for at `at`. What failed leaves the lines as they are.
    pub fn take(&mut self, answer: Result<LogAnswer, String>, at: Timestamp) {
        let Ok(answer) = answer.map_err(|sentence| self.trouble = Some(sentence)) else { return };
        self.trouble = None;
        self.has_gap |= !answer.is_whole;
        self.next = Some(if answer.is_whole { at - OVERLAP } else { at - CATCH_UP });
        for event in answer.events {
            let text = match event.text.char_indices().nth(TEXT_MAX) {
                Some((end, _)) => format!("{}…", &event.text[..end]),
                None => event.text,
            };
            self.events.insert((event.at, event.id), text.trim_end().to_owned());
        }
        while self.events.len() > EVENTS_MAX {
            self.events.pop_first();
        }
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The lines up to this place, newest first; all where there is no place.
    pub fn up_to<'l>(&'l self, end: Option<&'l LogPlace>) -> impl Iterator<Item = (&'l LogPlace, &'l str)> {
        self.events
            .iter()
            .rev()
            .skip_while(move |(at, _)| end.is_some_and(|end| *at > end))
            .map(|(at, t)| (at, t.as_str()))
    }

    /// How many lines stand before this place; the last one's number where there is no place.
    pub fn index(&self, end: Option<&LogPlace>) -> usize {
        match end {
            Some(end) => self.events.range(..end).count().min(self.len().saturating_sub(1)),
            None => self.len().saturating_sub(1),
        }
    }

    /// The line of this number; `None` from the last one on: what comes is followed.
    pub fn place(&self, index: usize) -> Option<LogPlace> {
        (index.saturating_add(1) < self.len()).then(|| self.events.keys().nth(index).cloned()).flatten()
    }

    /// How many invocations were summed up, and how many of them started cold.
    pub fn runs(&self) -> (usize, usize) {
        let reports =
            self.events.values().filter(|text| text.starts_with("REPORT ") || text.contains("\"platform.report\""));
        let is_cold = |text: &&String| text.contains("Init Duration:") || text.contains("\"initDurationMs\"");
        reports.fold((0, 0), |(runs, cold), text| (runs + 1, cold + usize::from(is_cold(&text))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn event(seconds: i64, text: &str) -> LogEvent {
        LogEvent { at: at(seconds), id: format!("{seconds}-{text}"), text: text.to_owned() }
    }

    fn answer(events: Vec<LogEvent>, is_whole: bool) -> Result<LogAnswer, String> {
        Ok(LogAnswer { events, is_whole })
    }

    #[test]
    fn lines_are_kept_once_in_order_and_bounded() {
        let mut log = Log::default();
        log.take(answer(vec![event(5, "b\n"), event(4, "a")], true), at(10));
        log.take(answer(vec![event(5, "b\n"), event(6, &"x".repeat(9000))], true), at(13));
        let texts: Vec<&str> = log.up_to(None).map(|(_, text)| text).collect();
        assert_eq!((texts.len(), texts[1], texts[2]), (3, "b", "a"));
        assert_eq!(texts[0].chars().count(), TEXT_MAX + 1, "a long line is cut");
        log.take(answer((0..5000).map(|n| event(100 + n, "x")).collect(), true), at(6000));
        assert_eq!(log.len(), EVENTS_MAX);
    }

    #[test]
    fn what_is_too_much_leaves_a_gap_and_goes_on_from_now() {
        let mut log = Log::default();
        assert_eq!(log.since(), None);
        log.take(answer(vec![event(1, "a")], true), at(100));
        assert_eq!((log.since(), log.has_gap), (Some(at(85)), false));
        log.take(answer(vec![event(86, "b")], false), at(200));
        assert_eq!((log.since(), log.has_gap), (Some(at(197)), true));
        log.take(Err("denied".into()), at(203));
        assert_eq!((log.len(), log.trouble.as_deref()), (2, Some("denied")), "the lines stay");
    }

    #[test]
    fn a_place_is_held_while_lines_come_and_the_end_follows() {
        let mut log = Log::default();
        log.take(answer((0..10).map(|n| event(n, "x")).collect(), true), at(10));
        let held = log.place(3);
        assert_eq!((log.index(held.as_ref()), log.place(9)), (3, None));
        log.take(answer(vec![event(20, "y")], true), at(20));
        assert_eq!(log.up_to(held.as_ref()).next().map(|(place, _)| place.0), Some(at(3)));
        assert_eq!(log.up_to(None).next().map(|(place, _)| place.0), Some(at(20)));
    }

    #[test]
    fn trouble_and_reports_stand_out() {
        let kinds = [
            ("REPORT RequestId: 1\tDuration: 3 ms\tInit Duration: 120 ms", LineKind::Report),
            ("REPORT RequestId: 1\tDuration: 3000 ms\tStatus: timeout", LineKind::Error),
            ("2026-11-27T18:00:00Z 1 Task timed out after 3.00 seconds", LineKind::Error),
            ("START RequestId: 1 Version: $LATEST", LineKind::Frame),
            ("no terror here", LineKind::Plain),
        ];
        for (text, kind) in kinds {
            assert_eq!(LineKind::of(text), kind, "{text}");
        }
        let mut log = Log::default();
        log.take(answer(vec![event(1, kinds[0].0), event(2, kinds[1].0)], true), at(3));
        assert_eq!(log.runs(), (2, 1));
    }
}
