//! The journal: every intent and outcome of an action, appended to a file before and after the call, chained by hashes.
//!
//! One entry a line of JSON. `hash` is the SHA-256 of the line without its `hash` member, and the line holds `prev`, the
//! hash of the entry before; so a line that was changed, removed or put in later breaks the chain at that place.

use crate::actions::{Call, CallOutcome, Plan};
use crate::config::Source;
use crate::domain::time::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How much of a payload, an answer or a log tail is kept; its length and hash are kept of all of it.
pub const TEXT_KEPT_BYTES: usize = 4096;
const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Who acts, and on what account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// `live` or `demo`.
    pub source: &'static str,
    /// The caller's ARN as STS tells it.
    pub principal: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    pub endpoint: Option<String>,
}

/// How an action ended, as the polls showed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Partly,
    Failed,
    /// It was not seen in the time that was given to it.
    NotSeen,
}

impl End {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partly => "partly",
            Self::Failed => "failed",
            Self::NotSeen => "not-seen",
        }
    }
}

/// An open journal. It holds no lock between entries, so several midwatches can write to one file.
#[derive(Clone, Debug)]
pub struct Journal {
    path: PathBuf,
}

impl Journal {
    /// Opens a journal for appending and makes its folder (mode 0700) and file (mode 0600) when they are not there.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let file = open_file(path)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { path: path.to_owned() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what is about to be done, and returns when it is on disk. The number names the intent for its outcome.
    /// An action whose intent cannot be written must not be performed.
    pub fn intent(&self, at: Timestamp, who: &Who, plan: &Plan) -> io::Result<u64> {
        self.append(
            at,
            "intent",
            json!({
                "who": who.to_json(),
                "action": plan.action.word(),
                "resource": plan.resource.to_string(),
                "preview": plan.preview,
                "warnings": plan.warnings,
                "calls": plan.calls.iter().map(call_text).collect::<Vec<_>>(),
            }),
        )
    }

    /// Writes what the calls of an intent came to.
    pub fn outcome(&self, at: Timestamp, intent: u64, outcomes: &[CallOutcome]) -> io::Result<u64> {
        let outcomes: Vec<Value> = outcomes.iter().map(outcome_json).collect();
        self.append(at, "outcome", json!({ "intent": intent, "outcomes": outcomes }))
    }

    /// Writes what the polls showed afterwards.
    pub fn end(&self, at: Timestamp, intent: u64, end: End, sentence: &str) -> io::Result<u64> {
        self.append(at, "end", json!({ "intent": intent, "end": end.word(), "sentence": sentence }))
    }

    fn append(&self, at: Timestamp, what: &str, body: Value) -> io::Result<u64> {
        let mut file = open_file(&self.path)?;
        file.lock()?;
        let tail = read_tail(&mut file)?;
        let mut entry = Map::new();
        entry.insert("seq".into(), (tail.seq + 1).into());
        entry.insert("at".into(), at.rfc3339().into());
        entry.insert("what".into(), what.into());
        if let Value::Object(body) = body {
            entry.extend(body);
        }
        if tail.torn {
            entry.insert("after_torn_line".into(), true.into());
        }
        entry.insert("prev".into(), tail.hash.into());
        let unsealed = serde_json::to_string(&entry)?;
        let mut line = if tail.unterminated { "\n".to_owned() } else { String::new() };
        line.push_str(&seal(&unsealed));
        line.push('\n');
        file.write_all(line.as_bytes())?;
        file.sync_data()?;
        file.unlock()?;
        Ok(tail.seq + 1)
    }
}

/// `$XDG_STATE_HOME/midwatch/journal.jsonl`, or `~/.local/state/…`; the demo's journal lies beside it.
pub fn default_path(source: &Source) -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|value| Path::new(value).is_absolute()).map(PathBuf::from);
    let state = state.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    let name = match source {
        Source::Live(_) => "journal.jsonl",
        Source::Demo(_) => "journal-demo.jsonl",
    };
    Some(state.join("midwatch").join(name))
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

impl Who {
    fn to_json(&self) -> Value {
        json!({
            "source": self.source,
            "principal": self.principal,
            "account": self.account,
            "region": self.region,
            "endpoint": self.endpoint,
        })
    }
}

/// The call as it is sent; a long payload is cut, with its length and hash in its place.
fn call_text(call: &Call) -> String {
    match call {
        Call::Invoke { function, payload, invocation } => {
            Call::Invoke { function: function.clone(), payload: kept(payload), invocation: *invocation }.describe()
        }
        other => other.describe(),
    }
}

fn kept(text: &str) -> String {
    if text.len() <= TEXT_KEPT_BYTES {
        return text.to_owned();
    }
    let start = text.floor_char_boundary(TEXT_KEPT_BYTES);
    format!("{}… ({} bytes, sha256 {})", &text[..start], text.len(), hex_sha256(text.as_bytes()))
}

fn outcome_json(outcome: &CallOutcome) -> Value {
    match outcome {
        CallOutcome::Accepted(sentences) => json!({ "class": "accepted", "sentences": sentences }),
        CallOutcome::Answered(answer) => json!({
            "class": "answered",
            "status": answer.status,
            "function_error": answer.function_error,
            "payload": kept(&answer.payload),
            "log_tail": kept(&answer.log_tail),
        }),
        CallOutcome::Failed { sentence, sent } => json!({ "class": "failed", "sentence": sentence, "sent": sent }),
    }
}

fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts the hash of the object's text into it as its last member.
fn seal(unsealed: &str) -> String {
    let open = unsealed.strip_suffix('}').unwrap_or(unsealed);
    format!("{open},\"hash\":\"{}\"}}", hex_sha256(unsealed.as_bytes()))
}

/// The object's text before it was sealed, and the hash that it carries.
fn unseal(line: &str) -> Option<(String, &str)> {
    const LENGTH: usize = ",\"hash\":\"\"}".len() + 64;
    let at = line.len().checked_sub(LENGTH)?;
    let (open, sealed) = (line.get(..at)?, line.get(at..)?);
    let hash = sealed.strip_prefix(",\"hash\":\"")?.strip_suffix("\"}")?;
    Some((format!("{open}}}"), hash))
}

/// What the next entry needs to know of the file.
struct Tail {
    seq: u64,
    hash: String,
    /// The last line is no entry: a crash cut it off, or it is foreign.
    torn: bool,
    unterminated: bool,
}

/// Reads the file from its end, in growing steps, until it holds a whole entry.
fn read_tail(file: &mut File) -> io::Result<Tail> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut window: u64 = 16 * 1024;
    loop {
        let start = length.saturating_sub(window);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(length - start).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut torn = false;
        // The first line of a window that starts inside the file is cut: only what follows a newline counts.
        let whole = if start == 0 { Some(&*text) } else { text.split_once('\n').map(|(_, rest)| rest) };
        for line in whole.unwrap_or("").lines().rev().filter(|line| !line.is_empty()) {
            match entry(line) {
                Ok(found) => {
                    return Ok(Tail { seq: found.seq, hash: found.hash, torn, unterminated: !text.ends_with('\n') });
                }
                Err(_) => torn = true,
            }
        }
        if start == 0 {
            let unterminated = length > 0 && !text.ends_with('\n');
            return Ok(Tail { seq: 0, hash: NO_HASH.into(), torn, unterminated });
        }
        window *= 8;
    }
}

/// An entry as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub seq: u64,
    pub hash: String,
    pub prev: String,
    /// The whole line.
    pub value: Value,
}

/// Reads one line; the error says what is wrong with it.
fn entry(line: &str) -> Result<Entry, &'static str> {
    let value: Value = serde_json::from_str(line).map_err(|_| "it is not JSON")?;
    let (unsealed, hash) = unseal(line).ok_or("it does not end with its hash")?;
    if hex_sha256(unsealed.as_bytes()) != hash {
        return Err("it was changed: its hash is that of another text");
    }
    let seq = value.get("seq").and_then(Value::as_u64).ok_or("it has no number")?;
    let prev = value.get("prev").and_then(Value::as_str).ok_or("it does not name the entry before it")?.to_owned();
    Ok(Entry { seq, hash: hash.to_owned(), prev, value })
}

/// A journal read as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain {
    pub entries: Vec<Entry>,
    /// Lines that a crash cut off, by number from 1. The chain goes on around them.
    pub torn: Vec<usize>,
    /// The first line that breaks the chain, by number from 1, and how.
    pub broken: Option<(usize, String)>,
}

/// Reads and checks a journal's text. Entries after a broken line are still listed.
pub fn check(text: &str) -> Chain {
    let mut chain = Chain::default();
    let mut before = (0, NO_HASH.to_owned());
    let mut suspect: Option<(usize, &'static str)> = None;
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let number = index + 1;
        let found = match entry(line) {
            Ok(found) => found,
            Err(why) => {
                suspect.get_or_insert((number, why));
                continue;
            }
        };
        if let Some((number, why)) = suspect.take() {
            if found.value.get("after_torn_line") == Some(&Value::Bool(true)) {
                chain.torn.push(number);
            } else {
                chain.broken.get_or_insert((number, why.to_owned()));
            }
        }
        if found.prev != before.1 || found.seq != before.0 + 1 {
            let why = format!("the entry before it should be number {}, and is not", found.seq.saturating_sub(1));
            chain.broken.get_or_insert((number, why));
        }
        before = (found.seq, found.hash.clone());
        chain.entries.push(found);
    }
    if let Some((number, why)) = suspect {
        // Only a line without its newline can be what a crash left behind.
        match text.ends_with('\n') {
            false => chain.torn.push(number),
            true => _ = chain.broken.get_or_insert((number, why.to_owned())),
        }
    }
    chain
}

#[cfg(test)]
mod tests;
