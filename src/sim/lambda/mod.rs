//! Lambda as a state machine: functions, environments, invocations, event source mappings.

/// What falls due inside the service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// An invocation ends.
    InvocationEnds { invocation: u64 },
    /// An asynchronous event is tried (again).
    AsyncEvent { event: u64 },
}

/// An event source mapping's poller has something to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MappingDue {
    /// Index into the service's mappings.
    pub mapping: usize,
    /// The shard's number, for a Kinesis source; 0 for a queue.
    pub shard: u32,
}

/// All functions of one account and region.
#[derive(Default)]
pub struct Lambda {}
