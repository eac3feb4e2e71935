//! What Lambda tells CloudWatch, in namespace AWS/Lambda: each value by function, by function and resource, and for
//! the region as a whole.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::{Metrics, SeriesId};
use crate::sim::cx::Cx;
use crate::sim::lambda::function::Function;
use crate::sim::lambda::version::{Chosen, Qualifier};
use crate::sim::lambda::{Due, Lambda};

const NAMESPACE: &str = "AWS/Lambda";

/// One metric in its three views: FunctionName, FunctionName with Resource, and no dimension.
pub(super) type Views = [SeriesId; 3];

/// A function's series, asked for once.
#[derive(Clone, Copy, Debug)]
pub(super) struct FunctionSeries {
    pub invocations: Views,
    pub errors: Views,
    pub throttles: Views,
    pub duration: Views,
    pub iterator_age: Option<Views>,
    pub async_received: Option<Views>,
    pub async_age: Option<Views>,
    pub async_dropped: Option<Views>,
    pub dead_letter_errors: Option<Views>,
    pub destination_failures: Option<Views>,
    pub recursive_dropped: Option<Views>,
    pub concurrent: [SeriesId; 2],
}

fn views(metrics: &mut Metrics, function: &str, name: &str, unit: &'static str) -> Views {
    [
        metrics.series(NAMESPACE, name, &[("FunctionName", function)], unit),
        metrics.series(NAMESPACE, name, &[("FunctionName", function), ("Resource", function)], unit),
        metrics.series(NAMESPACE, name, &[], unit),
    ]
}

impl FunctionSeries {
    pub fn new(metrics: &mut Metrics, function: &str) -> Self {
        let concurrent = views(metrics, function, "ConcurrentExecutions", "Count");
        Self {
            invocations: views(metrics, function, "Invocations", "Count"),
            errors: views(metrics, function, "Errors", "Count"),
            throttles: views(metrics, function, "Throttles", "Count"),
            duration: views(metrics, function, "Duration", "Milliseconds"),
            iterator_age: None,
            async_received: None,
            async_age: None,
            async_dropped: None,
            dead_letter_errors: None,
            destination_failures: None,
            recursive_dropped: None,
            concurrent: [concurrent[0], concurrent[1]],
        }
    }
}

/// A version's or an alias's series: FunctionName with Resource, and with ExecutedVersion besides for what an alias ran.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct QualifiedSeries {
    ids: [Option<SeriesId>; COUNTED],
}

/// What is counted of every invocation, by function, version and alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    Invocations,
    Errors,
    Throttles,
    Duration,
    ProvisionedInvocations,
    Spillover,
}

const COUNTED: usize = 6;

impl Counted {
    fn name_and_unit(self) -> (&'static str, &'static str) {
        match self {
            Self::Invocations => ("Invocations", "Count"),
            Self::Errors => ("Errors", "Count"),
            Self::Throttles => ("Throttles", "Count"),
            Self::Duration => ("Duration", "Milliseconds"),
            Self::ProvisionedInvocations => ("ProvisionedConcurrencyInvocations", "Count"),
            Self::Spillover => ("ProvisionedConcurrencySpilloverInvocations", "Count"),
        }
    }
}

impl Function {
    /// Adds a sample under every name that the invocation has: the function, the version or the alias it was asked
    /// for, the version that an alias ran, and the region.
    pub(super) fn count(&mut self, cx: &mut Cx<'_>, chosen: &Chosen, what: Counted, at: Timestamp, value: f64) {
        let series = *self.series.get_or_insert_with(|| FunctionSeries::new(cx.metrics, &self.name));
        let views = match what {
            Counted::Invocations => Some(series.invocations),
            Counted::Errors => Some(series.errors),
            Counted::Throttles => Some(series.throttles),
            Counted::Duration => Some(series.duration),
            Counted::ProvisionedInvocations | Counted::Spillover => None,
        };
        let Some(resource) = chosen.qualifier.text() else {
            if let Some(views) = views {
                add(cx.metrics, views, at, value);
            }
            return;
        };
        match views {
            Some([function, _, region]) => {
                cx.metrics.add(function, at, value);
                cx.metrics.add(region, at, value);
            }
            None => {
                let (name, unit) = what.name_and_unit();
                let id = cx.metrics.series(NAMESPACE, name, &[("FunctionName", &self.name)], unit);
                cx.metrics.add(id, at, value);
            }
        }
        self.count_qualified(cx, (resource.clone(), String::new()), what, at, value);
        if matches!(chosen.qualifier, Qualifier::Alias(_)) {
            self.count_qualified(cx, (resource, chosen.version.to_string()), what, at, value);
        }
    }

    /// `key` is the qualifier, and the version that ran where it is told apart.
    fn count_qualified(&mut self, cx: &mut Cx<'_>, key: (String, String), what: Counted, at: Timestamp, value: f64) {
        let (name, unit) = what.name_and_unit();
        let resource = format!("{}:{}", self.name, key.0);
        let executed = key.1.clone();
        let slot = &mut self.qualified_series.entry(key).or_default().ids[what as usize];
        let id = *slot.get_or_insert_with(|| {
            let dimensions =
                [("FunctionName", self.name.as_str()), ("Resource", &resource), ("ExecutedVersion", &executed)];
            let used = if executed.is_empty() { 2 } else { 3 };
            cx.metrics.series(NAMESPACE, name, &dimensions[..used], unit)
        });
        cx.metrics.add(id, at, value);
    }
}

/// Adds one sample to a metric's three views.
pub(super) fn add(metrics: &mut Metrics, views: Views, at: Timestamp, value: f64) {
    for id in views {
        metrics.add(id, at, value);
    }
}

/// What a mapping with `MetricsConfig` `EventCount` counts of its records [Event source mapping metrics].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventCount {
    Polled,
    FilteredOut,
    Invoked,
    FailedInvoke,
    /// Queues.
    Deleted,
    /// Streams.
    Dropped,
    /// Streams.
    OnFailureDelivered,
}

impl EventCount {
    fn name(self) -> &'static str {
        match self {
            Self::Polled => "PolledEventCount",
            Self::FilteredOut => "FilteredOutEventCount",
            Self::Invoked => "InvokedEventCount",
            Self::FailedInvoke => "FailedInvokeEventCount",
            Self::Deleted => "DeletedEventCount",
            Self::Dropped => "DroppedEventCount",
            Self::OnFailureDelivered => "OnFailureDestinationDeliveredEventCount",
        }
    }
}

/// The metrics that only some functions have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rare {
    IteratorAge,
    AsyncEventsReceived,
    AsyncEventAge,
    AsyncEventsDropped,
    DeadLetterErrors,
    DestinationDeliveryFailures,
    RecursiveInvocationsDropped,
}

impl Rare {
    fn name_and_unit(self) -> (&'static str, &'static str) {
        match self {
            Self::IteratorAge => ("IteratorAge", "Milliseconds"),
            Self::AsyncEventsReceived => ("AsyncEventsReceived", "Count"),
            Self::AsyncEventAge => ("AsyncEventAge", "Milliseconds"),
            Self::AsyncEventsDropped => ("AsyncEventsDropped", "Count"),
            Self::DeadLetterErrors => ("DeadLetterErrors", "Count"),
            Self::DestinationDeliveryFailures => ("DestinationDeliveryFailures", "Count"),
            Self::RecursiveInvocationsDropped => ("RecursiveInvocationsDropped", "Count"),
        }
    }

    fn slot(self, series: &mut FunctionSeries) -> &mut Option<Views> {
        match self {
            Self::IteratorAge => &mut series.iterator_age,
            Self::AsyncEventsReceived => &mut series.async_received,
            Self::AsyncEventAge => &mut series.async_age,
            Self::AsyncEventsDropped => &mut series.async_dropped,
            Self::DeadLetterErrors => &mut series.dead_letter_errors,
            Self::DestinationDeliveryFailures => &mut series.destination_failures,
            Self::RecursiveInvocationsDropped => &mut series.recursive_dropped,
        }
    }
}

impl Lambda {
    pub(super) fn note_rare(&mut self, cx: &mut Cx<'_>, id: super::FunctionId, metric: Rare, value: f64) {
        let Some(function) = self.function_mut(id) else { return };
        let series = function.series.get_or_insert_with(|| FunctionSeries::new(cx.metrics, &function.name));
        let (name, unit) = metric.name_and_unit();
        let slot = metric.slot(series);
        let views = *slot.get_or_insert_with(|| views(cx.metrics, &function.name, name, unit));
        add(cx.metrics, views, cx.now, value);
    }

    /// Counts a mapping's records where it was asked to.
    pub fn note_events(&mut self, cx: &mut Cx<'_>, mapping: usize, what: EventCount, count: usize) {
        let Some(found) = self.mapping(mapping).filter(|found| found.settings.counts_events && count > 0) else {
            return;
        };
        let dimensions = [("EventSourceMappingUUID", found.uuid.as_str())];
        let id = cx.metrics.series(NAMESPACE, what.name(), &dimensions, "Count");
        cx.metrics.add(id, cx.now, count as f64);
    }

    /// The age of the last record of a stream's batch when the function gets it, in milliseconds.
    pub fn note_iterator_age(&mut self, cx: &mut Cx<'_>, id: super::FunctionId, age_ms: f64) {
        self.note_rare(cx, id, Rare::IteratorAge, age_ms);
    }

    /// What a mapping gave up could not be reported to its on-failure destination.
    pub fn destination_failed(&mut self, cx: &mut Cx<'_>, id: super::FunctionId) {
        self.note_rare(cx, id, Rare::DestinationDeliveryFailures, 1.0);
    }

    /// Sees to it that the gauges of this minute are published at its end.
    pub(super) fn keep_gauging(&mut self, cx: &mut Cx<'_>) {
        if !self.is_gauging {
            self.is_gauging = true;
            let minute_end = Timestamp::from_millis(cx.now.floor_to(60).millis() + 60_000);
            cx.schedule(minute_end, super::Due::Gauges.into());
        }
    }

    /// Publishes the most invocations that ran at once in the minute that ends now. A function that ran nothing
    /// publishes nothing, as on AWS.
    pub fn gauge(&mut self, cx: &mut Cx<'_>) {
        let minute = Timestamp::from_millis(cx.now.millis() - 60_000);
        let mut any = false;
        for function in self.functions.iter_mut().flatten() {
            let peak = std::mem::replace(&mut function.peak_in_flight, function.in_flight);
            if peak == 0 {
                continue;
            }
            any = true;
            function.gauge_provisioned(cx, minute);
            if let Some(series) = function.series {
                for id in series.concurrent {
                    cx.metrics.add(id, minute, f64::from(peak));
                }
            }
        }
        let peak = std::mem::replace(&mut self.peak_in_flight, self.in_flight);
        let unreserved = std::mem::replace(&mut self.peak_unreserved, self.unreserved_in_flight);
        self.is_gauging = any;
        if any {
            let region = [
                ("ConcurrentExecutions", peak),
                ("UnreservedConcurrentExecutions", unreserved),
                ("ClaimedAccountConcurrency", unreserved + self.reserved_sum + self.provisioned_unreserved),
            ];
            for (name, value) in region {
                let id = cx.metrics.series(NAMESPACE, name, &[], "Count");
                cx.metrics.add(id, minute, f64::from(value));
            }
            cx.schedule(cx.now + std::time::Duration::from_secs(60), Due::Gauges.into());
        }
    }
}

impl Function {
    /// Publishes how many of the provisioned environments were busy at once, and which share that is.
    fn gauge_provisioned(&mut self, cx: &mut Cx<'_>, minute: Timestamp) {
        for (qualifier, provisioned) in &mut self.provisioned {
            let peak = std::mem::replace(&mut provisioned.peak, provisioned.in_use);
            if provisioned.allocated == 0 {
                continue;
            }
            let resource = format!("{}:{qualifier}", self.name);
            let dimensions = [("FunctionName", self.name.as_str()), ("Resource", &resource)];
            let share = f64::from(peak) / f64::from(provisioned.allocated);
            for (name, value, unit) in [
                ("ProvisionedConcurrentExecutions", f64::from(peak), "Count"),
                ("ProvisionedConcurrencyUtilization", share, "Count"),
            ] {
                let id = cx.metrics.series(NAMESPACE, name, &dimensions, unit);
                cx.metrics.add(id, minute, value);
            }
        }
    }
}
