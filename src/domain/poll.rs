//! A poll: one question to AWS, and what came back. Answers carry the poll's generation so that a late one is dropped.

use crate::domain::change::Change;
use crate::domain::execution::{WorkflowAnswer, WorkflowQuestion};
use crate::domain::field::Fields;
use crate::domain::finding::Problem;
use crate::domain::log::{LogAnswer, LogQuestion};
use crate::domain::row::{KindId, Link, Part, Place, ResourceId};
use crate::domain::series::SeriesKey;
use crate::domain::tag::{TagWanted, Tags};
use crate::domain::throttled::{ThrottledAnswer, ThrottledQuestion};
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What to ask. Two polls with the same question are never in flight together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Who and where: account, its alias, principal.
    Identity,
    /// All resources of a kind with what their list and describe calls say, and their links.
    Inventory(KindId),
    /// What the service itself says of these resources now (depths, states, shards, tasks).
    Direct(KindId, Vec<Target>),
    /// CloudWatch numbers of these resources. `window_min` is how many minutes to fetch: 60 at first, few later.
    Metrics { kind: KindId, targets: Vec<Target>, window_min: u32 },
    /// How far these checkpoints are behind; asked for by a person, never by itself.
    Probe(Probe),
    /// What was changed since then, and by whom.
    Changes { since: Timestamp },
    /// Which resources bear these tags; asked only where the config's filter names them.
    Tags(Vec<TagWanted>),
    /// The newest lines of a function's log, while somebody has it open.
    Log(LogQuestion),
    /// A domain's executions or one execution's history, while somebody has them open.
    Workflow(WorkflowQuestion),
    /// Which calls were throttled lately, and whose, while somebody has them open.
    Throttled(ThrottledQuestion),
}

/// A reading of a stream's shards after the checkpoints of an application's leases.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probe {
    pub application: ResourceId,
    pub leases: Vec<Checkpointed>,
}

/// A lease, and the place in its stream that is done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkpointed {
    /// The lease's key.
    pub lease: String,
    pub stream: String,
    pub shard: String,
    /// A sequence number, or TRIM_HORIZON.
    pub checkpoint: String,
}

impl Question {
    /// The same question about the same resources, said to be there.
    pub fn at(mut self, place: &Place) -> Self {
        match &mut self {
            Self::Identity | Self::Inventory(_) | Self::Changes { .. } | Self::Tags(_) => {}
            Self::Direct(_, targets) | Self::Metrics { targets, .. } => {
                targets.iter_mut().for_each(|target| target.id.place = place.clone());
            }
            Self::Probe(probe) => probe.application.place = place.clone(),
            Self::Log(question) => question.function.place = place.clone(),
            Self::Workflow(question) => question.domain.place = place.clone(),
            Self::Throttled(question) => question.place = place.clone(),
        }
        self
    }
}

/// A resource to ask about, with what the asking needs and an inventory has brought.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    pub id: ResourceId,
    /// A queue's URL, a stream's or function's ARN; `None` when it is not known yet.
    pub address: Option<String>,
    /// Parts whose metrics are wanted: the open shards of a stream with shard-level metrics. Of a topic, the subscriptions
    /// whose settings are not known. Else empty.
    pub parts: Vec<String>,
    /// For a queue: it takes other queues' dead letters, so its message move tasks are wanted too.
    pub move_tasks: bool,
    /// For a stream: its fan-out consumers, whose lag is wanted.
    pub consumers: Vec<String>,
    /// For a stream: it was not asked for its fan-out consumers for long.
    pub lists_consumers: bool,
    /// Somebody has it selected or open, or a job changes it: what costs money or a shared rate is asked too.
    pub is_near: bool,
}

impl Target {
    /// A resource to ask about without its parts.
    pub fn new(id: ResourceId, address: Option<String>) -> Self {
        Self {
            id,
            address,
            parts: Vec::new(),
            move_tasks: false,
            consumers: Vec::new(),
            lists_consumers: false,
            is_near: false,
        }
    }
}

/// A question with its number: answers of an older generation are dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Poll {
    /// Which context is asked.
    pub place: Place,
    pub question: Question,
    pub generation: u64,
    /// Whether somebody looks at what is asked about: it does not wait behind the sweep.
    pub is_near: bool,
}

/// What a poll brought, possibly in part: rows that answered and problems for what did not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Set by `Identity`.
    pub identity: Option<Identity>,
    /// For a complete inventory: every resource of the kind, so that vanished ones can be dropped.
    pub inventory: Option<(KindId, Vec<ResourceId>)>,
    pub updates: Vec<RowUpdate>,
    /// Set by `Changes`: all that was changed since then, as far as it can be known by now.
    pub changes: Option<(Timestamp, Vec<Change>)>,
    /// Set by `Tags`: all resources that bear one of them.
    pub tags: Option<Tags>,
    /// Set by `Log`: the lines, or why there are none.
    pub log: Option<Result<LogAnswer, String>>,
    /// Set by `Workflow`.
    pub workflow: Option<WorkflowAnswer>,
    /// Set by `Throttled`.
    pub throttled: Option<ThrottledAnswer>,
    /// Resources whose part of the question failed: their last good values stay, marked stale with the sentence.
    pub failed: Vec<(ResourceId, String)>,
    /// Those among them that do not exist, as their own service says.
    pub gone: Vec<ResourceId>,
    pub problems: Vec<Problem>,
    /// The operations that this question called, as `service:Operation`.
    pub asked: BTreeSet<&'static str>,
    /// What was called since the last reading, by whichever poll.
    pub calls: Calls,
}

impl Reading {
    /// What was read without knowing of other places is told to be of this one.
    pub fn at(mut self, place: &Place) -> Self {
        let mut is_at = |id: &mut ResourceId| id.place = place.clone();
        self.inventory.iter_mut().flat_map(|(_, ids)| ids).for_each(&mut is_at);
        self.failed.iter_mut().for_each(|(id, _)| is_at(id));
        self.gone.iter_mut().for_each(&mut is_at);
        for update in &mut self.updates {
            is_at(&mut update.id);
            update.links.iter_mut().flatten().for_each(|link| is_at(&mut link.to));
            update.series.iter_mut().for_each(|(key, _)| is_at(&mut key.resource));
        }
        for change in self.changes.iter_mut().flat_map(|(_, changes)| changes) {
            change.place = place.clone();
            change.resources.iter_mut().for_each(&mut is_at);
        }
        self.tags = self.tags.map(|tags| tags.at(place));
        self.problems.iter_mut().for_each(|problem| problem.place = place.clone());
        self
    }
}

/// News of one resource. `None` leaves what is known as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct RowUpdate {
    pub id: ResourceId,
    pub at: Timestamp,
    pub fields: Fields,
    pub parts: Option<Vec<Part>>,
    pub links: Option<Vec<Link>>,
    /// Field values of parts already known (a shard's metrics), by part id.
    pub part_fields: Vec<(String, Fields)>,
    pub series: Vec<(SeriesKey, Vec<(Timestamp, f64)>)>,
}

impl RowUpdate {
    pub fn new(id: ResourceId, at: Timestamp) -> Self {
        Self {
            id,
            at,
            fields: Fields::default(),
            parts: None,
            links: None,
            part_fields: Vec::new(),
            series: Vec::new(),
        }
    }
}

/// Who asks and where.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Identity {
    /// Twelve digits; `None` when it could not be asked.
    pub account: Option<String>,
    /// What the account is called; `None` where it has no alias, or none could be read.
    pub alias: Option<String>,
    /// Its ARN.
    pub principal: Option<String>,
}

impl Identity {
    /// The principal as people know it: a user's name, a role and its session. Of a permission set's role, the set's name
    /// (`AWSReservedSSO_NAME_0123456789abcdef`).
    pub fn who(&self) -> Option<String> {
        let arn = self.principal.as_deref()?;
        let named = arn.rsplit_once(':').map_or(arn, |(_, named)| named);
        let Some(assumed) = named.strip_prefix("assumed-role/") else {
            return Some(named.strip_prefix("user/").unwrap_or(named).to_owned());
        };
        let set = assumed.strip_prefix("AWSReservedSSO_").and_then(|set| {
            let (role, session) = set.split_once('/')?;
            Some(format!("{}/{session}", role.rsplit_once('_')?.0))
        });
        Some(set.unwrap_or_else(|| assumed.to_owned()))
    }
}

/// API calls made, for the meter in the header.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Calls {
    /// By `service:Operation`.
    pub by_operation: BTreeMap<&'static str, u64>,
    pub throttled: u64,
    /// US dollars that these calls cost at list price (GetMetricData per metric, SQS per request).
    pub usd: f64,
}

impl Calls {
    pub fn add(&mut self, other: &Calls) {
        for (operation, count) in &other.by_operation {
            *self.by_operation.entry(operation).or_default() += count;
        }
        self.throttled += other.throttled;
        self.usd += other.usd;
    }

    pub fn total(&self) -> u64 {
        self.by_operation.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_told_as_people_know_it() {
        let who = |arn: &str| Identity { principal: Some(arn.into()), ..Identity::default() }.who().unwrap();
        for (arn, said) in [
            ("arn:aws:iam::111122223333:user/ana", "ana"),
            ("arn:aws:iam::111122223333:root", "root"),
            ("arn:aws:sts::111122223333:assumed-role/OnCall/ana", "OnCall/ana"),
            ("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Night_Watch_01ab/ana@x.y", "Night_Watch/ana@x.y"),
            ("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_/ana", "AWSReservedSSO_/ana"),
            ("night-watch", "night-watch"),
        ] {
            assert_eq!(who(arn), said);
        }
    }
}
