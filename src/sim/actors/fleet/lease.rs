//! A lease as it stands in the lease table, and what workers do with it there: each change only while the counter is
//! what they saw.

use crate::sim::dynamodb::{Action, Change, Comparator, Condition, Item, Operand, Path, Search, Value, WriteError};
use crate::sim::error::ApiError;
use crate::sim::faults::api;
use crate::sim::kinesis::{ParsedSequence, Sequence, ShardId};
use crate::sim::wire::Service;
use crate::sim::world::World;
use std::fmt;

/// The table's partition key.
pub const KEY: &str = "leaseKey";
const COUNTER: &str = "leaseCounter";
const OWNER: &str = "leaseOwner";
const CHECKPOINT: &str = "checkpoint";
const SUB_SEQUENCE: &str = "checkpointSubSequenceNumber";
const SWITCHES: &str = "ownerSwitchesSinceCheckpoint";
const PARENTS: &str = "parentShardId";
const CHILDREN: &str = "childShardIds";

/// How far a shard has been processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    TrimHorizon,
    Latest,
    /// Up to and with this record.
    At(Sequence),
    ShardEnd,
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrimHorizon => f.write_str("TRIM_HORIZON"),
            Self::Latest => f.write_str("LATEST"),
            Self::At(sequence) => sequence.fmt(f),
            Self::ShardEnd => f.write_str("SHARD_END"),
        }
    }
}

impl Checkpoint {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "TRIM_HORIZON" => Some(Self::TrimHorizon),
            "LATEST" => Some(Self::Latest),
            "SHARD_END" => Some(Self::ShardEnd),
            number => match Sequence::parse(number)? {
                ParsedSequence::Current(sequence) => Some(Self::At(sequence)),
                ParsedSequence::Old { .. } => None,
            },
        }
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub shard: ShardId,
    pub counter: u64,
    pub owner: Option<String>,
    pub checkpoint: Checkpoint,
    pub parents: Vec<ShardId>,
}

impl Lease {
    pub fn new(shard: ShardId, checkpoint: Checkpoint, parents: Vec<ShardId>) -> Self {
        Self { shard, counter: 0, owner: None, checkpoint, parents }
    }

    /// A row that somebody has spoilt is none.
    fn read(item: &Item) -> Option<Self> {
        let parents = match item.get(PARENTS) {
            Some(Value::Ss(set)) => set.iter().filter_map(|id| ShardId::parse(id)).collect(),
            _ => Vec::new(),
        };
        Some(Self {
            shard: ShardId::parse(item.get(KEY)?.as_text()?)?,
            counter: item.get(COUNTER)?.as_number()?.to_i64()?.try_into().ok()?,
            owner: item.get(OWNER).and_then(Value::as_text).map(str::to_owned),
            checkpoint: Checkpoint::parse(item.get(CHECKPOINT)?.as_text()?)?,
            parents,
        })
    }

    fn item(&self) -> Item {
        let mut item = key(self.shard);
        item.insert(COUNTER.into(), Value::number(self.counter));
        item.insert(CHECKPOINT.into(), Value::S(self.checkpoint.to_string()));
        item.insert(SUB_SEQUENCE.into(), Value::number(0));
        item.insert(SWITCHES.into(), Value::number(0));
        if !self.parents.is_empty() {
            item.insert(PARENTS.into(), ids(&self.parents));
        }
        item
    }
}

fn key(shard: ShardId) -> Item {
    Item::from([(KEY.to_owned(), Value::S(shard.to_string()))])
}

fn ids(shards: &[ShardId]) -> Value {
    Value::Ss(shards.iter().map(ToString::to_string).collect())
}

/// Why a lease was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is not any more what the worker saw.
    Lost,
    /// The table did not answer: throttled, or not there.
    Unanswered,
}

/// Every lease. Errors: what DynamoDB says.
pub fn list(world: &mut World, table: &str) -> Result<Vec<Lease>, ApiError> {
    let mut search = Search { table: table.to_owned(), ..Search::default() };
    let mut leases = Vec::new();
    loop {
        api::admit(world, table, Service::DynamoDb, "Scan", table)?;
        let (dynamodb, mut cx) = world.dynamodb_cx();
        let page = dynamodb.find(&mut cx, &search)?;
        leases.extend(page.items.iter().filter_map(Lease::read));
        match page.last_key {
            Some(last) => search.start = Some(last),
            None => return Ok(leases),
        }
    }
}

/// The lease, if there is one. Errors: what DynamoDB says.
pub fn get(world: &mut World, table: &str, shard: ShardId) -> Result<Option<Lease>, ApiError> {
    api::admit(world, table, Service::DynamoDb, "GetItem", table)?;
    let (dynamodb, mut cx) = world.dynamodb_cx();
    let (item, _) = dynamodb.get(&mut cx, table, &key(shard), true)?;
    Ok(item.as_ref().and_then(Lease::read))
}

fn write(
    world: &mut World,
    table: &str,
    change: &Change,
    condition: Option<&Condition>,
    operation: &'static str,
) -> Result<(), Failure> {
    api::admit(world, table, Service::DynamoDb, operation, table).map_err(|_| Failure::Unanswered)?;
    let (dynamodb, mut cx) = world.dynamodb_cx();
    match dynamodb.write(&mut cx, table, change, condition, operation) {
        Ok(_) => Ok(()),
        Err(WriteError::ConditionFailed { .. }) => Err(Failure::Lost),
        Err(WriteError::Refused(_)) => Err(Failure::Unanswered),
    }
}

/// A new lease, unless there is one.
pub fn create(world: &mut World, table: &str, lease: &Lease) -> Result<(), Failure> {
    let absent = Condition::NotExists(Path::of(KEY));
    match write(world, table, &Change::Put(lease.item()), Some(&absent), "PutItem") {
        Err(Failure::Lost) => Ok(()),
        other => other,
    }
}

/// A lease whose shard is gone. What cannot be done now is done at the next look.
pub fn delete(world: &mut World, table: &str, shard: ShardId) {
    let _ = write(world, table, &Change::Delete { key: key(shard) }, None, "DeleteItem");
}

/// The counter and the owner are still these.
fn unchanged(counter: u64, owner: Option<&str>) -> Condition {
    let is = |name: &str, value: Value| {
        Condition::Compare(Comparator::Eq, Operand::Path(Path::of(name)), Operand::Value(value))
    };
    let owner = match owner {
        Some(owner) => is(OWNER, Value::text(owner)),
        None => Condition::NotExists(Path::of(OWNER)),
    };
    Condition::And(Box::new(is(COUNTER, Value::number(counter))), Box::new(owner))
}

fn set(name: &str, value: Value) -> Action {
    Action::Set(Path::of(name), Operand::Value(value))
}

fn update(
    world: &mut World,
    table: &str,
    shard: ShardId,
    (counter, owner): (u64, Option<&str>),
    mut actions: Vec<Action>,
) -> Result<u64, Failure> {
    actions.push(set(COUNTER, Value::number(counter + 1)));
    let change = Change::Update { key: key(shard), actions };
    write(world, table, &change, Some(&unchanged(counter, owner)), "UpdateItem")?;
    Ok(counter + 1)
}

/// The owner's heartbeat. Answers the new counter.
pub fn renew(world: &mut World, table: &str, shard: ShardId, counter: u64, owner: &str) -> Result<u64, Failure> {
    update(world, table, shard, (counter, Some(owner)), Vec::new())
}

/// Takes a lease that nobody renews, or steals one. Answers the new counter.
pub fn take(world: &mut World, table: &str, seen: &Lease, owner: &str) -> Result<u64, Failure> {
    let actions = vec![set(OWNER, Value::text(owner)), Action::Add(Path::of(SWITCHES), Value::number(1))];
    update(world, table, seen.shard, (seen.counter, seen.owner.as_deref()), actions)
}

/// Writes how far the owner has come, and at a shard's end its children. Answers the new counter.
pub fn checkpoint(
    world: &mut World,
    table: &str,
    shard: ShardId,
    (counter, owner): (u64, &str),
    (checkpoint, children): (Checkpoint, &[ShardId]),
) -> Result<u64, Failure> {
    let mut actions = vec![set(CHECKPOINT, Value::S(checkpoint.to_string())), set(SWITCHES, Value::number(0))];
    if !children.is_empty() {
        actions.push(set(CHILDREN, ids(children)));
    }
    if checkpoint == Checkpoint::ShardEnd {
        // A finished shard has no owner any more.
        actions.push(Action::Remove(Path::of(OWNER)));
    }
    update(world, table, shard, (counter, Some(owner)), actions)
}
