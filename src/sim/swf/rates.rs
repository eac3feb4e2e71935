//! The published request rates of SWF: a bucket and a refill for each operation and some decisions (SWF "Quotas").

use crate::sim::cloudwatch::SeriesId;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::rate::TokenBucket;
use crate::sim::swf::error;
use std::collections::BTreeMap;

/// Bucket size and refill a second of an operation; `None` for a name that SWF does not have.
fn quota_of(operation: &str) -> Option<(f64, f64)> {
    Some(match operation {
        "CountOpenWorkflowExecutions"
        | "CountClosedWorkflowExecutions"
        | "DescribeActivityType"
        | "DescribeWorkflowType"
        | "DescribeWorkflowExecution" => (2000.0, 6.0),
        "CountPendingActivityTasks"
        | "CountPendingDecisionTasks"
        | "DeprecateActivityType"
        | "DeprecateWorkflowType"
        | "UndeprecateActivityType"
        | "UndeprecateWorkflowType"
        | "DeleteActivityType"
        | "DeleteWorkflowType"
        | "DescribeDomain"
        | "ListActivityTypes"
        | "ListWorkflowTypes"
        | "ListClosedWorkflowExecutions"
        | "RegisterActivityType"
        | "RegisterWorkflowType" => (200.0, 6.0),
        "DeprecateDomain"
        | "UndeprecateDomain"
        | "RegisterDomain"
        | "ListDomains"
        | "TagResource"
        | "UntagResource"
        | "ListTagsForResource" => (100.0, 6.0),
        "ListOpenWorkflowExecutions" => (200.0, 48.0),
        "GetWorkflowExecutionHistory" | "TerminateWorkflowExecution" => (2000.0, 60.0),
        "PollForActivityTask"
        | "PollForDecisionTask"
        | "RespondActivityTaskCanceled"
        | "RespondActivityTaskCompleted"
        | "RespondActivityTaskFailed"
        | "RespondDecisionTaskCompleted"
        | "StartWorkflowExecution" => (2000.0, 200.0),
        "RecordActivityTaskHeartbeat" => (2000.0, 160.0),
        "SignalWorkflowExecution" | "RequestCancelWorkflowExecution" => (2000.0, 30.0),
        _ => return None,
    })
}

/// A decision with a rate of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DecisionRate {
    ScheduleActivityTask,
    StartTimer,
    StartChildWorkflowExecution,
    SignalExternalWorkflowExecution,
    RequestCancelExternalWorkflowExecution,
}

impl DecisionRate {
    fn name_and_quota(self) -> (&'static str, (f64, f64)) {
        match self {
            Self::ScheduleActivityTask => ("ScheduleActivityTask", (1000.0, 200.0)),
            Self::StartTimer => ("StartTimer", (2000.0, 200.0)),
            Self::StartChildWorkflowExecution => ("StartChildWorkflowExecution", (500.0, 12.0)),
            Self::SignalExternalWorkflowExecution => ("SignalExternalWorkflowExecution", (1200.0, 120.0)),
            Self::RequestCancelExternalWorkflowExecution => ("RequestCancelExternalWorkflowExecution", (1200.0, 120.0)),
        }
    }
}

/// One quota in use, and what of it was used since its metrics were published.
#[derive(Debug)]
struct Quota {
    bucket: TokenBucket,
    size: f64,
    refill: f64,
    consumed: f64,
    throttled: f64,
    /// ConsumedCapacity, ProvisionedBucketSize, ProvisionedRefillRate; then ThrottledEvents once there are any.
    series: Option<[SeriesId; 3]>,
    throttled_series: Option<SeriesId>,
}

impl Quota {
    fn new(cx: &Cx<'_>, (size, refill): (f64, f64)) -> Self {
        let bucket = TokenBucket::new(refill, size, cx.now);
        Self { bucket, size, refill, consumed: 0.0, throttled: 0.0, series: None, throttled_series: None }
    }

    fn admit(&mut self, cx: &Cx<'_>) -> bool {
        let is_admitted = !cx.place.limits || self.bucket.take(1.0, cx.now);
        if is_admitted {
            self.consumed += 1.0;
        } else {
            self.throttled += 1.0;
        }
        is_admitted
    }

    /// Publishes the minute that ended at `cx.now`, if the quota was used in it.
    fn publish(&mut self, cx: &mut Cx<'_>, dimensions: &[(&str, &str)]) {
        let (consumed, throttled) = (std::mem::take(&mut self.consumed), std::mem::take(&mut self.throttled));
        if consumed + throttled == 0.0 {
            return;
        }
        let at = cx.now - std::time::Duration::from_millis(1);
        let ids = *self.series.get_or_insert_with(|| {
            ["ConsumedCapacity", "ProvisionedBucketSize", "ProvisionedRefillRate"]
                .map(|name| cx.metrics.series("AWS/SWF", name, dimensions, "Count"))
        });
        for (id, value) in ids.into_iter().zip([consumed, self.size, self.refill]) {
            cx.metrics.add(id, at, value);
        }
        if throttled > 0.0 {
            let id = *self
                .throttled_series
                .get_or_insert_with(|| cx.metrics.series("AWS/SWF", "ThrottledEvents", dimensions, "Count"));
            cx.metrics.add(id, at, throttled);
        }
    }
}

/// The quotas in use.
#[derive(Debug, Default)]
pub struct Rates {
    operations: BTreeMap<&'static str, Quota>,
    decisions: BTreeMap<DecisionRate, Quota>,
}

impl Rates {
    /// Counts one request. Errors: `ThrottlingException` when it is one too many.
    pub fn admit(&mut self, cx: &Cx<'_>, operation: &'static str) -> Result<(), ApiError> {
        let Some(quota) = quota_of(operation) else { return Ok(()) };
        let quota = self.operations.entry(operation).or_insert_with(|| Quota::new(cx, quota));
        if quota.admit(cx) { Ok(()) } else { Err(error::throttled()) }
    }

    /// Whether the account may make one more decision of this kind now.
    pub fn admit_decision(&mut self, cx: &Cx<'_>, rate: DecisionRate) -> bool {
        let (_, quota) = rate.name_and_quota();
        self.decisions.entry(rate).or_insert_with(|| Quota::new(cx, quota)).admit(cx)
    }

    /// Publishes the minute of each quota that was used in it.
    pub fn publish(&mut self, cx: &mut Cx<'_>) {
        for (operation, quota) in &mut self.operations {
            quota.publish(cx, &[("APIName", operation)]);
        }
        for (rate, quota) in &mut self.decisions {
            quota.publish(cx, &[("DecisionName", rate.name_and_quota().0)]);
        }
    }
}
