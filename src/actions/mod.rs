//! Actions: a verb's parameters become a plan, or a refusal. The plan shown is the plan run; nothing here does IO.

pub mod invoke;
pub mod redrive;
pub mod reshard;

use crate::domain::row::{ResourceId, Row};
use crate::domain::time::Timestamp;
use crate::domain::verb::ActionId;
use std::collections::BTreeMap;

/// All rows: what a plan is made from.
pub type Estate = BTreeMap<ResourceId, Row>;

fn row<'a>(estate: &'a Estate, id: &ResourceId) -> Result<&'a Row, Refusal> {
    estate.get(id).ok_or_else(|| Refusal(format!("{id} is not known here.")))
}

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

impl Plan {
    /// A person (or `--yes`) has seen the plan and agreed. Only a confirmed plan can be performed.
    pub fn confirm(self, _leave: Unlocked) -> Confirmed {
        Confirmed(self)
    }
}

/// Leave to change AWS. Read-only sources have none, so they cannot make a [`Confirmed`] plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlocked(());

impl Unlocked {
    /// `allowed`: the demo, or `--allow-actions`.
    pub fn when(allowed: bool) -> Option<Self> {
        allowed.then_some(Self(()))
    }
}

/// A plan that may be performed: seen, agreed to, and allowed. There is no other way to make one.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirmed(Plan);

impl Confirmed {
    pub fn plan(&self) -> &Plan {
        &self.0
    }
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
    /// AWS refused it, or it could not be sent. `sent`: AWS may have acted on it all the same (the answer was lost);
    /// after a refusal nothing was done, and it is `false`.
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

impl Call {
    /// The call as one line, in the AWS CLI's words: exactly what will be sent.
    pub fn describe(&self) -> String {
        match self {
            Self::SplitShard { stream, shard, new_starting_hash_key } => format!(
                "kinesis split-shard --stream-name {stream} --shard-to-split {shard} \
                 --new-starting-hash-key {new_starting_hash_key}"
            ),
            Self::UpdateShardCount { stream, target } => format!(
                "kinesis update-shard-count --stream-name {stream} --target-shard-count {target} \
                 --scaling-type UNIFORM_SCALING"
            ),
            Self::StartMessageMoveTask { source_arn, destination_arn, max_per_s } => {
                let destination =
                    destination_arn.as_ref().map_or(String::new(), |arn| format!(" --destination-arn {arn}"));
                let rate =
                    max_per_s.map_or(String::new(), |rate| format!(" --max-number-of-messages-per-second {rate}"));
                format!("sqs start-message-move-task --source-arn {source_arn}{destination}{rate}")
            }
            Self::CancelMessageMoveTask { task_handle, .. } => {
                format!("sqs cancel-message-move-task --task-handle {task_handle}")
            }
            Self::Invoke { function, payload, invocation } => {
                let (kind, tail) = match invocation {
                    Invocation::Wait => ("RequestResponse", " --log-type Tail"),
                    Invocation::Event => ("Event", ""),
                    Invocation::DryRun => ("DryRun", ""),
                };
                format!("lambda invoke --function-name {function} --invocation-type {kind}{tail} --payload '{payload}'")
            }
        }
    }
}
