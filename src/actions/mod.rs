//! Actions: a verb's parameters become a plan, or a refusal. The plan shown is the plan run; nothing here does IO.

use crate::domain::row::ResourceId;
use crate::domain::time::Timestamp;
use crate::domain::verb::ActionId;

/// What a confirm dialog shows, what is journalled, and what is run: one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub action: ActionId,
    pub resource: ResourceId,
    /// Sentences: what will happen, at most how fast, what it costs, what cannot be undone.
    pub preview: Vec<String>,
    /// Doubts that a person should read before saying yes: "no cause has gone away yet".
    pub warnings: Vec<String>,
    pub calls: Vec<Call>,
    pub safety: Safety,
    /// What later polls must show for the plan to count as done.
    pub expect: Expect,
    pub made_at: Timestamp,
}

/// Every mutation that this program can make of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    SplitShard {
        stream: String,
        shard: String,
        /// Decimal, inside the shard's range; it and all above go to the second child.
        new_starting_hash_key: String,
    },
    UpdateShardCount {
        stream: String,
        target: u32,
    },
    StartMessageMoveTask {
        source_arn: String,
        /// `None`: each message back to the queue it came from.
        destination_arn: Option<String>,
        /// 1–500; `None`: as fast as SQS thinks right.
        max_per_s: Option<u32>,
    },
    CancelMessageMoveTask {
        source_arn: String,
        task_handle: String,
    },
    Invoke {
        function: String,
        payload: String,
        invocation: Invocation,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// Waits for the answer (RequestResponse), with the log's tail.
    Wait,
    /// Queues the event (Event).
    Event,
    /// Checks permission and parameters only (DryRun).
    DryRun,
}

/// How much a mistake would cost; decides how the dialog asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// Changes nothing that lasts.
    Harmless,
    /// Can be undone, or costs money or capacity: asks yes or no.
    Costly,
    /// Cannot be undone: asks for the resource's name.
    Destructive,
}

/// What must become true on later polls.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// The stream is ACTIVE again with this many open shards.
    OpenShards(u32),
    /// The queue's newest move task has ended; `before` messages lay there.
    MoveTaskEnds { before: u64 },
    /// The answer itself is the proof.
    Answer,
}

/// Why there is no plan, with the cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

/// What one call of a plan came to.
#[derive(Clone, Debug, PartialEq)]
pub enum CallOutcome {
    /// AWS took it; sentences for the person.
    Accepted(Vec<String>),
    /// An invocation's answer.
    Answered(Answer),
    /// AWS refused it, or it could not be sent. `sent`: it may have reached AWS.
    Failed { sentence: String, sent: bool },
}

/// What an invocation gave back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// `Unhandled` or `Handled` when the function failed.
    pub function_error: Option<String>,
    pub payload: String,
    /// The last 4 kB of its log.
    pub log_tail: String,
    pub executed_version: Option<String>,
}
