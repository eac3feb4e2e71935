//! Lambda as a state machine: functions with their versions and aliases, environments, invocations, event source
//! mappings.
//!
//! Code is never run. What a version's code does is a [`Behaviour`]: how long it takes, what it answers, which payloads
//! it fails on. A function that a client makes, whatever its package holds, answers what it is given (an echo) after
//! about two milliseconds, and `null` where a mapping invokes it; new code uploaded by a client keeps that behaviour.
//!
//! How it is used from within the engine (everything takes the hands `cx`; the whole course of an invocation is decided
//! when it begins, and its end is then only a matter of time):
//! ```text
//! create_function(cx, name, Config, package, Behaviour)     delete_function(name)      named(name), functions()
//! deploy(cx, name, package, Behaviour)                      deploy_errors(cx, name, rules): bad deploy, or its cure
//! publish_version(cx, name, description) -> number          create_alias, update_alias(cx, name, alias, AliasChange)
//! set_reserved_concurrency(name, Option)                    put_provisioned(cx, function, qualifier, n)
//! set_slow_down(name, factor)                               named_mut(name).event_configs: retries, destinations
//! begin_with_mapping(cx, function, source, Settings, on)    set_mapping_enabled(cx, mapping, on), mapping_between(..)
//! invoke(cx, name, payload, wants_log) -> number            running(number).ends, then take_answer(number)
//! accept_event(cx, function, payload)                       asynchronous: retried after 1 and 2 minutes
//! choose(cx, function, qualifier) -> Chosen                 then judge, then start: what mappings do for a batch
//! ```
//! What crosses to another service (a queue's messages, a shard's records, dead letters) goes through `sim::mapping`.

pub mod alias;
pub mod asynchronous;
pub mod behaviour;
pub mod environment;
pub mod event_config;
pub mod filter;
pub mod function;
pub mod invocation;
pub mod layer;
mod lineage;
pub mod log;
pub mod mapping;
mod metrics;
pub mod policy;
pub mod provisioned;
pub mod queue_poller;
pub mod shard_poller;
pub mod signing;
mod trouble;
pub mod url;
pub mod version;
mod wake;
pub mod wire;

#[cfg(test)]
mod tests;

pub use alias::{Alias, AliasChange};
pub use asynchronous::{AsyncEvent, DeadLetter, Delivery};
pub use behaviour::{Answer, Behaviour, ErrorRule, FunctionError, Spread, Verdict};
pub use environment::{ACCOUNT_CONCURRENCY, Throttle};
pub use event_config::EventConfig;
pub use filter::Filters;
pub use function::{Config, Function, FunctionId};
pub use invocation::{Answered, Ended, Outcome, Source, Work};
pub use lineage::Lineage;
pub use log::{LogRecord, RequestId};
pub use mapping::{LastResult, Mapping, MappingSource, MappingState, Poller, Pollers, Settings, Start, WHOLE_STREAM};
pub use metrics::EventCount;
pub use queue_poller::QueuePoller;
pub use shard_poller::{Discarded, LaneStep, ReadPlace, ShardPoller, StreamPoller};
pub use trouble::Trouble;
pub use version::{Chosen, Phase, Qualifier, Version, VersionNumber};

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::payload::Payload;
use bytes::Bytes;
use std::collections::BTreeMap;

/// What falls due inside the service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// An invocation ends.
    InvocationEnds { invocation: u64 },
    /// An asynchronous event is tried (again).
    AsyncEvent { event: u64 },
    /// A minute ends and its concurrency is published.
    Gauges,
    /// Provisioned environments are ready, unless something else was asked for since (the generation).
    Provisioned { function: FunctionId, qualifier: String, generation: u32 },
    /// A mapping's change of state has settled.
    MappingSettles { mapping: usize },
}

impl From<Due> for crate::sim::agenda::Due {
    fn from(due: Due) -> Self {
        Self::Lambda(due)
    }
}

/// An event source mapping's poller has something to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MappingDue {
    /// Index into the service's mappings.
    pub mapping: usize,
    /// The shard's number, for a Kinesis source; 0 for a queue.
    pub shard: u32,
}

impl From<MappingDue> for crate::sim::agenda::Due {
    fn from(due: MappingDue) -> Self {
        Self::Mapping(due)
    }
}

/// All functions of one account and region.
#[derive(Default)]
pub struct Lambda {
    /// By [`FunctionId`]; `None` where one was deleted.
    functions: Vec<Option<Box<Function>>>,
    names: BTreeMap<String, FunctionId>,
    /// By name.
    layers: BTreeMap<String, layer::Layer>,
    /// By ARN.
    signing_configs: BTreeMap<String, signing::SigningConfig>,
    running: BTreeMap<u64, invocation::Running>,
    /// Ended synchronous invocations whose callers have not come back yet.
    answers: BTreeMap<u64, Answered>,
    events: BTreeMap<u64, AsyncEvent>,
    /// By index; `None` where one was deleted.
    /// Mappings of other accounts' queues.
    pub guest_mappings: usize,
    mappings: Vec<Option<Box<Mapping>>>,
    /// Invocations begun so far; numbers them.
    invocations: u64,
    events_accepted: u64,
    /// Invocations that run now, in the whole account.
    in_flight: u32,
    /// Those of functions without a reservation.
    unreserved_in_flight: u32,
    reserved_sum: u32,
    /// Provisioned environments of functions without a reservation.
    provisioned_unreserved: u32,
    peak_in_flight: u32,
    peak_unreserved: u32,
    is_gauging: bool,
    control: wire::ControlRates,
}

impl Lambda {
    /// A synchronous invocation of `$LATEST` with a plain payload: its number, to ask for its end and its answer, or a
    /// TooManyRequestsException. An unknown function is a ResourceNotFoundException.
    pub fn invoke(&mut self, cx: &mut Cx<'_>, name: &str, payload: Bytes, wants_log: bool) -> Result<u64, ApiError> {
        self.invoke_qualified(cx, name, &Qualifier::Unqualified, payload, wants_log)
    }

    /// The same of a version or an alias.
    pub fn invoke_qualified(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        qualifier: &Qualifier,
        payload: Bytes,
        wants_log: bool,
    ) -> Result<u64, ApiError> {
        let arn = Function::arn_of(cx, name);
        let not_found = || function::function_not_found(&qualifier.arn(&arn));
        let id = self.id_of(name).ok_or_else(not_found)?;
        let chosen = self.choose(cx, id, qualifier).ok_or_else(not_found)?;
        let function = self.function(id).ok_or_else(not_found)?;
        let body = Payload::Sent(payload.clone());
        let verdict = function.judge(cx, chosen.version, std::iter::once(&body));
        let source = Source::Caller { wants_log };
        let work = Work { source, chosen, records: 1, verdict, reports_item_failures: false, payload, request: None };
        match self.start(cx, id, work) {
            Some(Ok(invocation)) => Ok(invocation),
            Some(Err(throttle)) => Err(throttle.to_error()),
            None => Err(not_found()),
        }
    }

    /// Invocations begun since the world began.
    pub fn invocations_begun(&self) -> u64 {
        self.invocations
    }

    /// Invocations that run now, in the whole account.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }
}
