//! What an invocation leaves in the function's log: kept compact, written out as AWS's lines when somebody reads it.

use crate::domain::time::Timestamp;
use crate::sim::lambda::environment::Environment;
use crate::sim::lambda::invocation::Outcome;
use crate::sim::lambda::version::VersionNumber;
use crate::sim::payload::uuid_text;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;

/// Invocations whose lines are kept for each function; older ones are forgotten.
const KEPT: usize = 500;
/// `X-Amz-Log-Result` carries at most this many bytes [Invoke].
pub const TAIL_BYTES: usize = 4096;

/// A request's id: two draws of chance, written as a UUID when somebody reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct RequestId(pub u64, pub u64);

impl RequestId {
    pub fn text(self) -> String {
        uuid_text(self.0, self.1)
    }
}

/// One invocation's log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRecord {
    pub request: RequestId,
    pub started: Timestamp,
    pub ended: Timestamp,
    /// The version that ran, which the log stream's name also bears.
    pub version: VersionNumber,
    pub duration_ms: f64,
    /// Present for a cold start.
    pub init_ms: Option<f64>,
    pub memory_mb: u32,
    pub max_memory_used_mb: u32,
    pub timeout_s: u32,
    pub outcome: Outcome,
    /// What the code itself wrote.
    pub lines: Arc<[String]>,
    /// Where it ran, which names the log stream.
    pub environment: Environment,
    pub runtime: Arc<str>,
}

impl LogRecord {
    /// Since August 2025 the initialisation is billed with the invocation, rounded up to 1 ms [Lambda pricing].
    pub fn billed_ms(&self) -> u64 {
        (self.duration_ms + self.init_ms.unwrap_or(0.0)).ceil() as u64
    }

    /// The lines as AWS's text format has them, each ending in a line feed.
    pub fn text(&self) -> String {
        let id = self.request.text();
        let mut out = format!("START RequestId: {id} Version: {}\n", self.version);
        for line in self.lines.iter() {
            out.push_str(line);
            out.push('\n');
        }
        self.write_error(&mut out, &id);
        let _ = writeln!(out, "END RequestId: {id}");
        self.write_report(&mut out, &id);
        out
    }

    fn write_error(&self, out: &mut String, id: &str) {
        let _ = match &self.outcome {
            Outcome::Success => Ok(()),
            Outcome::Failed(error) if self.runtime.starts_with("nodejs") => writeln!(
                out,
                "{}\t{id}\tERROR\tInvoke Error \t{}",
                iso_millis(self.ended),
                serde_json::json!({"errorType": error.error_type, "errorMessage": error.message})
            ),
            Outcome::Failed(error) => writeln!(out, "[ERROR] {}: {}", error.error_type, error.message),
            Outcome::TimedOut => {
                writeln!(out, "{} {id} Task timed out after {}.00 seconds\n", iso_millis(self.ended), self.timeout_s)
            }
            Outcome::OutOfMemory => {
                writeln!(out, "RequestId: {id} Error: Runtime exited with error: signal: killed\nRuntime.ExitError")
            }
        };
    }

    fn write_report(&self, out: &mut String, id: &str) {
        let _ = write!(
            out,
            "REPORT RequestId: {id}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\t\
             Max Memory Used: {} MB\t",
            self.duration_ms,
            self.billed_ms(),
            self.memory_mb,
            self.max_memory_used_mb
        );
        if let Some(init_ms) = self.init_ms {
            let _ = write!(out, "Init Duration: {init_ms:.2} ms\t");
        }
        match &self.outcome {
            Outcome::Success | Outcome::Failed(_) => {}
            Outcome::TimedOut => out.push_str("Status: timeout"),
            Outcome::OutOfMemory => out.push_str("Status: error\tError Type: Runtime.OutOfMemory"),
        }
        out.push('\n');
    }

    /// The last 4 KB of the lines, cut at a character's boundary.
    pub fn tail(&self) -> String {
        let text = self.text();
        let mut from = text.len().saturating_sub(TAIL_BYTES);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        text[from..].to_owned()
    }
}

/// `2026-11-27T18:02:00.000Z`, always with milliseconds, as Lambda's log lines have it.
pub fn iso_millis(at: Timestamp) -> String {
    let text = at.floor_to(1).rfc3339();
    format!("{}.{:03}Z", text.trim_end_matches('Z'), at.millis().rem_euclid(1000))
}

/// A function's newest log records.
#[derive(Clone, Debug, Default)]
pub struct LogTail {
    records: VecDeque<LogRecord>,
}

impl LogTail {
    pub fn push(&mut self, record: LogRecord) {
        if self.records.len() == KEPT {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }

    /// Oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &LogRecord> {
        self.records.iter()
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(outcome: Outcome) -> LogRecord {
        LogRecord {
            request: RequestId(1, 2),
            started: Timestamp::from_millis(1_000_000),
            ended: Timestamp::from_millis(1_003_000),
            version: VersionNumber::LATEST,
            duration_ms: 26.729,
            init_ms: Some(101.5),
            memory_mb: 128,
            max_memory_used_mb: 75,
            timeout_s: 3,
            outcome,
            lines: Arc::from(["settled".to_owned()]),
            environment: Environment { number: 1, created: Timestamp::from_millis(1_000_000) },
            runtime: Arc::from("python3.13"),
        }
    }

    #[test]
    fn a_good_invocation_reads_as_in_cloudwatch_logs() {
        let id = RequestId(1, 2).text();
        assert_eq!(
            record(Outcome::Success).text(),
            format!(
                "START RequestId: {id} Version: $LATEST\nsettled\nEND RequestId: {id}\nREPORT RequestId: {id}\t\
                 Duration: 26.73 ms\tBilled Duration: 129 ms\tMemory Size: 128 MB\tMax Memory Used: 75 MB\t\
                 Init Duration: 101.50 ms\t\n"
            )
        );
    }

    #[test]
    fn a_timeout_says_after_how_long() {
        let text = record(Outcome::TimedOut).text();
        assert!(text.contains("Z 00000000-0000-4001-8000-000000000002 Task timed out after 3.00 seconds\n"), "{text}");
        assert!(text.ends_with("Status: timeout\n"));
    }

    #[test]
    fn the_tail_is_the_end_of_a_long_log() {
        let mut long = record(Outcome::Success);
        long.lines = Arc::from(["é".repeat(5_000)]);
        let tail = long.tail();
        assert!(tail.len() <= TAIL_BYTES);
        assert!(tail.ends_with("Init Duration: 101.50 ms\t\n"));
    }
}
