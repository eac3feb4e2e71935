//! Event source mappings: what they connect, their settings, and the states that a person moves them through.

use crate::domain::time::Timestamp;
use crate::sim::cx::{Cx, Place};
use crate::sim::error::ApiError;
use crate::sim::lambda::filter::Filters;
use crate::sim::lambda::function::FunctionId;
use crate::sim::lambda::queue_poller::QueuePoller;
use crate::sim::lambda::shard_poller::StreamPoller;
use crate::sim::lambda::version::Qualifier;
use crate::sim::lambda::{Due, Lambda, MappingDue};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a change of state takes. AWS says only that it is asynchronous.
const SETTLING: Duration = Duration::from_secs(2);
/// [`MappingDue::shard`] for a stream's poller as a whole: it looks for shards.
pub const WHOLE_STREAM: u32 = u32::MAX;

/// Where a mapping's records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MappingSource {
    /// A queue, by name.
    Queue(String),
    /// A stream, by name.
    Stream(String),
    /// A queue of another account of the region.
    Foreign { account: String, queue: String },
}

impl MappingSource {
    /// The source that an ARN names; `None` for a service that is no event source here.
    pub fn of_arn(place: &Place, arn: &str) -> Option<Self> {
        if let Some(queue) = arn.strip_prefix(place.arn("sqs", "").as_str()) {
            return (!queue.is_empty()).then(|| Self::Queue(queue.to_owned()));
        }
        let stream = arn.strip_prefix(place.arn("kinesis", "stream/").as_str())?;
        let name = stream.split_once('/').map_or(stream, |(name, _consumer)| name);
        (!name.is_empty()).then(|| Self::Stream(name.to_owned()))
    }

    /// The same, or a queue of another account.
    pub fn of_any_arn(place: &Place, arn: &str) -> Option<Self> {
        let other = || match arn.split(':').collect::<Vec<_>>().as_slice() {
            ["arn", _, "sqs", region, account, queue] if *region == place.region && account.len() == 12 => {
                Some(Self::Foreign { account: (*account).to_owned(), queue: (*queue).to_owned() })
            }
            _ => None,
        };
        Self::of_arn(place, arn).or_else(other)
    }

    fn arn(&self, place: &Place) -> String {
        match self {
            Self::Queue(name) => place.arn("sqs", name),
            Self::Stream(name) => place.arn("kinesis", &format!("stream/{name}")),
            Self::Foreign { account, queue } => Place { account: account.clone(), ..place.clone() }.arn("sqs", queue),
        }
    }

    /// The name of a queue, whosever it is.
    pub fn queue(&self) -> Option<&str> {
        match self {
            Self::Queue(name) | Self::Foreign { queue: name, .. } => Some(name),
            Self::Stream(_) => None,
        }
    }

    /// Whether it is a FIFO queue, whose order its function keeps.
    pub fn is_fifo(&self) -> bool {
        self.queue().is_some_and(|name| name.ends_with(".fifo"))
    }

    pub fn is_queue(&self) -> bool {
        self.queue().is_some()
    }
}

/// Where a stream's poller begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    TrimHorizon,
    Latest,
    AtTimestamp(Timestamp),
}

/// `ProvisionedPollerConfig`: how many pollers a queue's mapping keeps at least and at most. Each allows ten batches at
/// once [Configuring scaling behavior for SQS event source mappings].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pollers {
    /// 2 to 200.
    pub minimum: u32,
    /// 2 to 10,000.
    pub maximum: u32,
}

impl Default for Pollers {
    fn default() -> Self {
        Self { minimum: 2, maximum: 200 }
    }
}

/// What CreateEventSourceMapping and UpdateEventSourceMapping set. Members that the source's kind does not have keep
/// their defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Which version or alias of the function it invokes.
    pub qualifier: Qualifier,
    /// 1 to 10,000; at most 10 for a FIFO queue.
    pub batch_size: u32,
    /// 0 to 300 s.
    pub window_s: u32,
    /// Queues: `ScalingConfig.MaximumConcurrency`, 2 to 1,000.
    pub maximum_concurrency: Option<u32>,
    /// Streams: 1 to 10 batches at once for each shard.
    pub parallelization_factor: u32,
    /// Streams: retries before a batch is discarded, 0 to 10,000; `None` (-1) is until the record expires.
    pub maximum_retry_attempts: Option<u32>,
    /// Streams: 60 to 604,800 s; `None` (-1) is for ever.
    pub maximum_record_age_s: Option<u32>,
    pub bisect_on_error: bool,
    /// Streams: an SQS queue's ARN.
    pub on_failure: Option<String>,
    pub filters: Filters,
    /// `MetricsConfig` holds `EventCount`.
    pub counts_events: bool,
    /// Queues: provisioned mode.
    pub pollers: Option<Pollers>,
    /// Streams: 0 to 900 s. Batches do not reach beyond a window's end, and the function is told of it.
    pub tumbling_window_s: u32,
    /// `FunctionResponseTypes` holds `ReportBatchItemFailures`.
    pub reports_item_failures: bool,
    pub start: Start,
}

impl Settings {
    /// AWS's defaults: batches of 10 from a queue.
    pub fn for_queue() -> Self {
        Self {
            qualifier: Qualifier::Unqualified,
            batch_size: 10,
            window_s: 0,
            maximum_concurrency: None,
            parallelization_factor: 1,
            maximum_retry_attempts: None,
            maximum_record_age_s: None,
            bisect_on_error: false,
            on_failure: None,
            filters: Filters::default(),
            counts_events: false,
            pollers: None,
            tumbling_window_s: 0,
            reports_item_failures: false,
            start: Start::TrimHorizon,
        }
    }

    /// AWS's defaults: batches of 100 from a stream, retried until the records expire.
    pub fn for_stream(start: Start) -> Self {
        Self { batch_size: 100, start, ..Self::for_queue() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MappingState {
    Creating,
    Enabling,
    Enabled,
    Disabling,
    Disabled,
    Updating,
    Deleting,
}

impl MappingState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Enabling => "Enabling",
            Self::Enabled => "Enabled",
            Self::Disabling => "Disabling",
            Self::Disabled => "Disabled",
            Self::Updating => "Updating",
            Self::Deleting => "Deleting",
        }
    }
}

/// `LastProcessingResult`, which only streams show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastResult {
    None,
    Ok,
    FunctionFailed,
    Throttled,
    SourceUnreadable,
    /// The function's role may not read the source.
    Denied,
}

impl LastResult {
    pub fn text(self) -> &'static str {
        match self {
            Self::None => "No records processed",
            Self::Ok => "OK",
            Self::FunctionFailed => "PROBLEM: Function call failed",
            Self::Throttled => "PROBLEM: Lambda invoke throttled",
            Self::SourceUnreadable => "PROBLEM: Stream not found",
            Self::Denied => "PROBLEM: Access denied",
        }
    }
}

/// What polls the source.
#[derive(Debug)]
pub enum Poller {
    Queue(QueuePoller),
    Stream(StreamPoller),
}

/// One event source mapping.
#[derive(Debug)]
pub struct Mapping {
    pub uuid: String,
    pub function: FunctionId,
    pub function_name: String,
    pub source: MappingSource,
    pub source_arn: String,
    pub settings: Settings,
    pub tags: BTreeMap<String, String>,
    pub state: MappingState,
    /// What `state` becomes when it has settled.
    pub goal: MappingState,
    pub last_modified: Timestamp,
    pub last_result: LastResult,
    pub poller: Poller,
}

impl Mapping {
    /// Whether its pollers take work. They go on while a change settles, except towards a stop.
    pub fn is_polling(&self) -> bool {
        match self.state {
            MappingState::Enabled => true,
            MappingState::Updating => self.goal == MappingState::Enabled,
            _ => false,
        }
    }
}

/// ResourceNotFoundException for a mapping.
pub fn mapping_not_found() -> ApiError {
    ApiError::client("ResourceNotFoundException", "The resource you requested does not exist.").with_status(404)
}

/// ResourceInUseException: the mapping is in the middle of another change.
fn in_use(what: &str) -> ApiError {
    let message = format!("Cannot {what} the event source mapping because it is in use.");
    ApiError::client("ResourceInUseException", message)
}

impl Lambda {
    /// Makes a mapping from a source to a function, which exists; it becomes Enabled (or Disabled) shortly. The same
    /// source and function twice are a ResourceConflictException. Returns the mapping's index.
    pub fn create_mapping(
        &mut self,
        cx: &mut Cx<'_>,
        function: FunctionId,
        source: MappingSource,
        settings: Settings,
        is_enabled: bool,
    ) -> Result<usize, ApiError> {
        let Some(target) = self.function(function) else {
            return Err(super::function::invalid_parameter("Function does not exist"));
        };
        let function_name = settings.qualifier.arn(&target.name);
        let name = target.name.clone();
        let source_arn = source.arn(cx.place);
        let is_twin =
            |m: &Mapping| m.function == function && m.source == source && m.settings.qualifier == settings.qualifier;
        if let Some((_, twin)) = self.mappings().find(|(_, mapping)| is_twin(mapping)) {
            let of = if source.is_queue() { "An event source mapping with SQS arn" } else { "The event source arn" };
            let is = if source.is_queue() { "already exists" } else { "provided mapping already exists" };
            return Err(super::function::conflict(format!(
                "{of} (\" {source_arn} \") and function (\" {function_name} \") {is}. Please update or delete the existing \
                 mapping with UUID {}",
                twin.uuid
            )));
        }
        let poller = match &source {
            MappingSource::Queue(_) | MappingSource::Foreign { .. } => Poller::Queue(QueuePoller::new(cx.now)),
            MappingSource::Stream(_) => Poller::Stream(StreamPoller::default()),
        };
        let uuid = cx.uuid();
        self.guest_mappings += usize::from(matches!(source, MappingSource::Foreign { .. }));
        self.mappings.push(Some(Box::new(Mapping {
            uuid,
            function,
            function_name: name,
            source,
            source_arn,
            settings,
            tags: BTreeMap::new(),
            // One that shall not run is Disabled in the answer already.
            state: if is_enabled { MappingState::Creating } else { MappingState::Disabled },
            goal: if is_enabled { MappingState::Enabled } else { MappingState::Disabled },
            last_modified: cx.now,
            last_result: LastResult::None,
            poller,
        })));
        let mapping = self.mappings.len() - 1;
        if is_enabled {
            self.settle_mapping(cx, mapping);
        }
        Ok(mapping)
    }

    /// A mapping that already works when the world begins.
    pub fn begin_with_mapping(
        &mut self,
        cx: &mut Cx<'_>,
        function: FunctionId,
        source: MappingSource,
        settings: Settings,
        is_enabled: bool,
    ) -> Result<usize, ApiError> {
        let mapping = self.create_mapping(cx, function, source, settings, is_enabled)?;
        self.mapping_settles(cx, mapping);
        Ok(mapping)
    }

    pub fn mapping(&self, mapping: usize) -> Option<&Mapping> {
        self.mappings.get(mapping)?.as_deref()
    }

    pub fn mapping_mut(&mut self, mapping: usize) -> Option<&mut Mapping> {
        self.mappings.get_mut(mapping)?.as_deref_mut()
    }

    /// Every mapping with its index, oldest first.
    pub fn mappings(&self) -> impl Iterator<Item = (usize, &Mapping)> {
        self.mappings.iter().enumerate().filter_map(|(index, mapping)| mapping.as_deref().map(|m| (index, m)))
    }

    /// The mapping from a source to a function.
    pub fn mapping_between(&self, source: &MappingSource, function: &str) -> Option<usize> {
        self.mappings().find(|(_, m)| m.source == *source && m.function_name == function).map(|(index, _)| index)
    }

    pub fn mapping_of_uuid(&self, uuid: &str) -> Option<usize> {
        self.mappings().find(|(_, mapping)| mapping.uuid == uuid).map(|(index, _)| index)
    }

    /// New settings, and possibly a start or a stop. A mapping in the middle of a change is a ResourceInUseException.
    pub fn update_mapping(
        &mut self,
        cx: &mut Cx<'_>,
        mapping: usize,
        settings: Settings,
        function: FunctionId,
        is_enabled: bool,
    ) -> Result<(), ApiError> {
        let name = self.function(function).map(|f| f.name.clone());
        let Some(found) = self.mapping_mut(mapping) else { return Err(mapping_not_found()) };
        let (was, goal) = match (found.state, is_enabled) {
            (MappingState::Enabled, true) | (MappingState::Disabled, false) => (MappingState::Updating, found.state),
            (MappingState::Enabled, false) => (MappingState::Disabling, MappingState::Disabled),
            (MappingState::Disabled, true) => (MappingState::Enabling, MappingState::Enabled),
            _ => return Err(in_use("update")),
        };
        found.settings = settings;
        found.function = function;
        found.function_name = name.unwrap_or_default();
        found.state = was;
        found.goal = goal;
        found.last_modified = cx.now;
        self.settle_mapping(cx, mapping);
        Ok(())
    }

    /// Starts or stops a mapping at once, as a fault or its cure does.
    pub fn set_mapping_enabled(&mut self, cx: &mut Cx<'_>, mapping: usize, is_enabled: bool) {
        if let Some(found) = self.mapping_mut(mapping) {
            found.goal = if is_enabled { MappingState::Enabled } else { MappingState::Disabled };
            found.last_modified = cx.now;
            self.mapping_settles(cx, mapping);
        }
    }

    /// Deletes a mapping shortly. Batches that run go on to their end.
    pub fn delete_mapping(&mut self, cx: &mut Cx<'_>, mapping: usize) -> Result<(), ApiError> {
        let Some(found) = self.mapping_mut(mapping) else { return Err(mapping_not_found()) };
        if !matches!(found.state, MappingState::Enabled | MappingState::Disabled | MappingState::Creating) {
            return Err(in_use("delete"));
        }
        found.state = MappingState::Deleting;
        found.goal = MappingState::Deleting;
        found.last_modified = cx.now;
        cx.schedule_in(cx.settling(SETTLING), Due::MappingSettles { mapping }.into());
        Ok(())
    }

    /// Whether a mapping's pollers take work now. One whose function is gone stops for good, as AWS stops it
    /// (`LambdaESMDisabled`, FUNCTION_NOT_FOUND).
    pub(crate) fn takes_work(&mut self, cx: &mut Cx<'_>, mapping: usize) -> bool {
        let Some(found) = self.mapping(mapping).filter(|found| found.is_polling()) else { return false };
        let qualifier = &found.settings.qualifier;
        let has_function = self.function(found.function).is_some_and(|f| f.qualified(qualifier).is_some());
        if !has_function {
            self.set_mapping_enabled(cx, mapping, false);
        }
        has_function
    }

    /// Lets a change settle: shortly, or at once where there are no delays.
    fn settle_mapping(&mut self, cx: &mut Cx<'_>, mapping: usize) {
        if cx.delays {
            cx.schedule_in(SETTLING, Due::MappingSettles { mapping }.into());
        } else {
            self.mapping_settles(cx, mapping);
        }
    }

    /// A change has settled: the pollers of an enabled mapping begin.
    pub fn mapping_settles(&mut self, cx: &mut Cx<'_>, mapping: usize) {
        let Some(found) = self.mapping_mut(mapping) else { return };
        if found.goal == MappingState::Deleting {
            let is_busy = match &found.poller {
                Poller::Queue(poller) => poller.in_flight() > 0,
                Poller::Stream(poller) => poller.in_flight() > 0,
            };
            if is_busy {
                cx.schedule_in(SETTLING, Due::MappingSettles { mapping }.into());
            } else if let Some(gone) = self.mappings.get_mut(mapping).and_then(Option::take) {
                self.guest_mappings -= usize::from(matches!(gone.source, MappingSource::Foreign { .. }));
            }
            return;
        }
        found.state = found.goal;
        if found.state == MappingState::Enabled {
            found.begin_polling(cx, mapping);
        }
    }
}

impl Mapping {
    /// Wakes the pollers. Harmless when they are awake: each keeps one entry on the agenda.
    pub(crate) fn begin_polling(&mut self, cx: &mut Cx<'_>, mapping: usize) {
        let now = cx.now;
        match &mut self.poller {
            Poller::Queue(poller) => {
                if poller.wake_at(now) {
                    cx.schedule(now, MappingDue { mapping, shard: 0 }.into());
                }
            }
            Poller::Stream(poller) => {
                cx.schedule(now, MappingDue { mapping, shard: WHOLE_STREAM }.into());
                for (shard, poller) in &mut poller.shards {
                    if poller.wake_at(now) {
                        cx.schedule(now, MappingDue { mapping, shard: *shard }.into());
                    }
                }
            }
        }
    }
}
