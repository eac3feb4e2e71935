//! What SWF tells CloudWatch (SWF "Metrics for CloudWatch"): times of tasks and runs, and how each of them ended. Of a
//! count that can end in several ways every way gets a sample: 1 for how it ended, 0 for the others.

use crate::sim::cloudwatch::SeriesId;
use crate::sim::cx::Cx;
use crate::sim::swf::Swf;
use crate::sim::swf::domain::Domain;
use crate::sim::swf::event::{EventKind, TimeoutType};
use crate::sim::swf::execution::{Activity, ActivityState, StartedDecision};
use crate::sim::swf::task_list::TaskKind;
use crate::sim::swf::value::{CloseStatus, TypeRef};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

/// Of times. AWS's guide calls the unit `Time`, which CloudWatch does not have; it says itself that it is milliseconds.
const TIME: &str = "Milliseconds";
const COUNT: &str = "Count";

const CLOSES: [(CloseStatus, &str); 6] = [
    (CloseStatus::Completed, "WorkflowsCompleted"),
    (CloseStatus::Failed, "WorkflowsFailed"),
    (CloseStatus::Canceled, "WorkflowsCanceled"),
    (CloseStatus::Terminated, "WorkflowsTerminated"),
    (CloseStatus::TimedOut, "WorkflowsTimedOut"),
    (CloseStatus::ContinuedAsNew, "WorkflowsContinuedAsNew"),
];

const ACTIVITY_CLOSES: [&str; 7] = [
    "ActivityTasksCompleted",
    "ActivityTasksFailed",
    "ActivityTasksCanceled",
    "ScheduledActivityTasksTimedOutOnStart",
    "ScheduledActivityTasksTimedOutOnClose",
    "StartedActivityTasksTimedOutOnClose",
    "StartedActivityTasksTimedOutOnHeartbeat",
];

/// Handles of a domain's series, each made when it first has a sample.
#[derive(Debug, Default)]
pub(super) struct Series {
    of_types: BTreeMap<(&'static str, TypeRef), SeriesId>,
    of_lists: BTreeMap<(TaskKind, String), SeriesId>,
    /// Lists that had a task when they were last published; they get one more datapoint, 0.
    lately: BTreeSet<(TaskKind, String)>,
}

impl Series {
    /// A deleted type's handles; its metrics stay where they are.
    pub fn forget_type(&mut self, of: &TypeRef) {
        self.of_types.retain(|(_, type_of), _| type_of != of);
    }
}

/// CloudWatch's TaskListClassification.
fn classification(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Activity => "A",
        TaskKind::Decision => "D",
    }
}

/// A resource's name as a dimension: letters beyond ASCII become `?`, and a hash keeps such names apart.
fn dimension(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    let mut shown: String = name.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    shown.push('_');
    for byte in Sha256::digest(name.as_bytes()).iter().take(8) {
        let _ = write!(shown, "{byte:02x}");
    }
    shown
}

impl Domain {
    fn add_workflow(&mut self, cx: &mut Cx<'_>, of: &TypeRef, metric: (&'static str, &'static str), value: f64) {
        self.add_of_type(cx, of, ["WorkflowTypeName", "WorkflowTypeVersion"], metric, value);
    }

    fn add_activity(&mut self, cx: &mut Cx<'_>, of: &TypeRef, metric: (&'static str, &'static str), value: f64) {
        self.add_of_type(cx, of, ["ActivityTypeName", "ActivityTypeVersion"], metric, value);
    }

    fn add_of_type(
        &mut self,
        cx: &mut Cx<'_>,
        of: &TypeRef,
        [name, version]: [&str; 2],
        (metric, unit): (&'static str, &'static str),
        value: f64,
    ) {
        let domain = &self.registration.name;
        let id = *self.series.of_types.entry((metric, of.clone())).or_insert_with(|| {
            let dimensions = [("Domain", domain), (name, &of.name), (version, &of.version)]
                .map(|(dimension_name, value)| (dimension_name, dimension(value)));
            let dimensions = dimensions.each_ref().map(|(name, value)| (*name, value.as_str()));
            cx.metrics.series("AWS/SWF", metric, &dimensions, unit)
        });
        cx.metrics.add(id, cx.now, value);
    }

    pub(super) fn count_decision_start(&mut self, cx: &mut Cx<'_>, of: &TypeRef, waited_ms: f64) {
        self.add_workflow(cx, of, ("DecisionTaskScheduleToStartTime", TIME), waited_ms);
    }

    /// A running decision task ended, by an answer or by its timeout.
    pub(super) fn count_decision(&mut self, cx: &mut Cx<'_>, of: &TypeRef, task: &StartedDecision, is_completed: bool) {
        let took_ms = cx.now.since(task.at).as_millis() as f64;
        self.add_workflow(cx, of, ("DecisionTaskStartToCloseTime", TIME), took_ms);
        self.add_workflow(cx, of, ("DecisionTasksCompleted", COUNT), f64::from(u8::from(is_completed)));
        self.add_workflow(cx, of, ("StartedDecisionTasksTimedOutOnClose", COUNT), f64::from(u8::from(!is_completed)));
    }

    pub(super) fn count_close(
        &mut self,
        cx: &mut Cx<'_>,
        of: &TypeRef,
        status: CloseStatus,
        took_ms: f64,
        last: &EventKind,
    ) {
        self.add_workflow(cx, of, ("WorkflowStartToCloseTime", TIME), took_ms);
        for (each, metric) in CLOSES {
            self.add_workflow(cx, of, (metric, COUNT), f64::from(u8::from(each == status)));
        }
        if let EventKind::WorkflowExecutionTerminated { cause: Some(cause), .. } = last {
            let cause = serde_json::to_value(cause).unwrap_or_default();
            let dimensions = [
                ("Domain", dimension(&self.registration.name)),
                ("WorkflowTypeName", dimension(&of.name)),
                ("WorkflowTypeVersion", dimension(&of.version)),
                ("Cause", cause.as_str().unwrap_or_default().to_owned()),
            ];
            let dimensions = dimensions.each_ref().map(|(name, value)| (*name, value.as_str()));
            let id = cx.metrics.series("AWS/SWF", "WorkflowsTerminated", &dimensions, COUNT);
            cx.metrics.add(id, cx.now, 1.0);
        }
    }

    pub(super) fn count_activity_start(&mut self, cx: &mut Cx<'_>, of: &TypeRef, waited_ms: f64) {
        self.add_activity(cx, of, ("ActivityTaskScheduleToStartTime", TIME), waited_ms);
    }

    /// An activity task was closed by this event.
    pub(super) fn count_activity(&mut self, cx: &mut Cx<'_>, task: &Activity, closed: &EventKind) {
        let since_ms = |at| cx.now.since(at).as_millis() as f64;
        let whole_ms = since_ms(task.scheduled_at);
        let work_ms = match task.state {
            ActivityState::Started { at, .. } => Some(since_ms(at)),
            ActivityState::Scheduled { .. } => None,
        };
        self.add_activity(cx, &task.of, ("ActivityTaskScheduleToCloseTime", TIME), whole_ms);
        if let Some(work_ms) = work_ms {
            self.add_activity(cx, &task.of, ("ActivityTaskStartToCloseTime", TIME), work_ms);
        }
        let how = match closed {
            EventKind::ActivityTaskCompleted { .. } => "ActivityTasksCompleted",
            EventKind::ActivityTaskFailed { .. } => "ActivityTasksFailed",
            EventKind::ActivityTaskTimedOut { timeout_type, .. } => match timeout_type {
                TimeoutType::ScheduleToStart => "ScheduledActivityTasksTimedOutOnStart",
                TimeoutType::ScheduleToClose => "ScheduledActivityTasksTimedOutOnClose",
                TimeoutType::StartToClose => "StartedActivityTasksTimedOutOnClose",
                TimeoutType::Heartbeat => "StartedActivityTasksTimedOutOnHeartbeat",
            },
            _ => "ActivityTasksCanceled",
        };
        for metric in ACTIVITY_CLOSES {
            self.add_activity(cx, &task.of, (metric, COUNT), f64::from(u8::from(metric == how)));
        }
    }

    /// PendingTasks of each list in which tasks wait, and once more, as 0, of one that has become empty.
    fn publish_pending(&mut self, cx: &mut Cx<'_>) {
        let decisions = self.decision_lists.iter().map(|(name, waiting)| ((TaskKind::Decision, name), waiting));
        let activities = self.activity_lists.iter().map(|(name, waiting)| ((TaskKind::Activity, name), waiting));
        let waiting: BTreeMap<(TaskKind, String), usize> =
            decisions.chain(activities).map(|((kind, name), waiting)| ((kind, name.to_string()), waiting)).collect();
        let emptied = std::mem::take(&mut self.series.lately);
        let lists: BTreeSet<(TaskKind, String)> = waiting.keys().cloned().chain(emptied).collect();
        let at = cx.now - Duration::from_millis(1);
        let domain = dimension(&self.registration.name);
        for list in lists {
            let id = *self.series.of_lists.entry(list.clone()).or_insert_with(|| {
                let name = dimension(&list.1);
                let dimensions = [
                    ("Domain", domain.as_str()),
                    ("TaskListName", name.as_str()),
                    ("TaskListClassification", classification(list.0)),
                ];
                cx.metrics.series("AWS/SWF", "PendingTasks", &dimensions, COUNT)
            });
            let count = waiting.get(&list).copied().unwrap_or(0);
            cx.metrics.add(id, at, count as f64);
        }
        self.series.of_lists.retain(|list, _| waiting.contains_key(list));
        self.series.lately = waiting.into_keys().collect();
    }
}

impl Swf {
    /// Starts the minute's publication; called when the first domain is registered.
    pub(super) fn schedule_gauges(&mut self, cx: &mut Cx<'_>) {
        if !self.gauges_run {
            self.gauges_run = true;
            cx.schedule(cx.now.floor_to(60) + Duration::from_secs(60), super::Due::Gauges.into());
        }
    }

    /// What is published each minute.
    pub(super) fn publish_gauges(&mut self, cx: &mut Cx<'_>) {
        for domain in &mut self.domains {
            domain.publish_pending(cx);
        }
        self.rates.publish(cx);
        self.pollers.forget_silent(cx.now);
        self.gauges_run = false;
        self.schedule_gauges(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_ascii_become_dimensions_that_stay_apart() {
        assert_eq!(dimension("booking"), "booking");
        let (one, other) = (dimension("zimmer-größe"), dimension("zimmer-grüße"));
        assert!(one.starts_with("zimmer-gr??e_") && one.len() == "zimmer-gr??e_".len() + 16, "{one}");
        assert_ne!(one, other);
    }
}
