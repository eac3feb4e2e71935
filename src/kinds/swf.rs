//! SWF domains: fields, columns, metrics and health. A domain's parts are its workflow types.

use super::{INVENTORY_EVERY, Kind, Metric, SWEEP_EVERY, SeriesOf, Verdict};
use crate::domain::counted::{counted, counted_that};
use crate::domain::field::Field;
use crate::domain::row::{Health, KindId, Row};
use crate::domain::value::{Unit, short_duration_ms};

pub const OPEN: Field = Field {
    id: "open_executions",
    title: "OPEN",
    unit: Unit::Count,
    doc: "Workflow executions that run (CountOpenWorkflowExecutions); a lower bound where SWF stopped counting.",
};
pub const PENDING_DECISIONS: Field = Field {
    id: "pending_decisions",
    title: "DECISIONS",
    unit: Unit::Count,
    doc: "Decision tasks that wait for a decider on the task lists that are known (CountPendingDecisionTasks).",
};
pub const PENDING_ACTIVITIES: Field = Field {
    id: "pending_activities",
    title: "ACTIVITIES",
    unit: Unit::Count,
    doc: "Activity tasks that wait for a worker on the task lists that are known (CountPendingActivityTasks).",
};
pub const FAILED_PER_H: Field = Field {
    id: "failed_in_1h",
    title: "FAILED 1H",
    unit: Unit::Count,
    doc: "Executions that failed in the last hour (CountClosedWorkflowExecutions).",
};
pub const TIMED_OUT_PER_H: Field = Field {
    id: "timed_out_in_1h",
    title: "TIMED OUT 1H",
    unit: Unit::Count,
    doc: "Executions that timed out in the last hour (CountClosedWorkflowExecutions).",
};
pub const COMPLETED_PER_H: Field = Field {
    id: "completed_in_1h",
    title: "DONE 1H",
    unit: Unit::Count,
    doc: "Executions that completed in the last hour (CountClosedWorkflowExecutions).",
};
pub const DECISION_WAIT_MS: Field = Field {
    id: "decision_wait_ms",
    title: "DECIDE WAIT",
    unit: Unit::Milliseconds,
    doc: "How long decision tasks waited for a decider, the longest of its workflow types \
          (DecisionTaskScheduleToStartTime, Maximum).",
};
pub const RETENTION_S: Field = Field {
    id: "retention_s",
    title: "KEPT",
    unit: Unit::Seconds,
    doc: "How long closed executions are kept (DescribeDomain).",
};
pub const TASK_LISTS: Field = Field {
    id: "task_lists",
    title: "TASK LISTS",
    unit: Unit::Text,
    doc: "The default task lists of its types, D for decisions and A for activities (DescribeWorkflowType, \
          DescribeActivityType).",
};
pub const WAITING: Field = Field {
    id: "waiting",
    title: "WAITING",
    unit: Unit::Text,
    doc: "How many tasks wait on each of these lists (CountPendingDecisionTasks, CountPendingActivityTasks).",
};
pub const ARN: Field = Field { id: "arn", title: "ARN", unit: Unit::Text, doc: "The domain's ARN (ListDomains)." };

// Fields of a workflow type.
pub const TASK_LIST: Field = Field {
    id: "task_list",
    title: "TASK LIST",
    unit: Unit::Text,
    doc: "The list that its decisions wait on unless an execution names another (DescribeWorkflowType).",
};
pub const TYPE_COMPLETED_PER_MIN: Field = Field {
    id: "completed_per_min",
    title: "DONE",
    unit: Unit::PerMinute,
    doc: "Executions completed (WorkflowsCompleted, Sum).",
};
pub const TYPE_FAILED_PER_MIN: Field = Field {
    id: "failed_per_min",
    title: "FAILED",
    unit: Unit::PerMinute,
    doc: "Executions failed (WorkflowsFailed, Sum).",
};
pub const TYPE_TIMED_OUT_PER_MIN: Field = Field {
    id: "timed_out_per_min",
    title: "TIMED OUT",
    unit: Unit::PerMinute,
    doc: "Executions timed out (WorkflowsTimedOut, Sum).",
};
pub const TYPE_DECIDED_PER_MIN: Field = Field {
    id: "decided_per_min",
    title: "DECIDED",
    unit: Unit::PerMinute,
    doc: "Decision tasks completed (DecisionTasksCompleted, Sum).",
};
pub const TYPE_DECISION_WAIT_MS: Field = Field {
    id: "decision_wait_ms",
    title: "DECIDE WAIT",
    unit: Unit::Milliseconds,
    doc: "How long decision tasks waited for a decider (DecisionTaskScheduleToStartTime, Maximum).",
};

const fn metric(field: &'static Field, name: &'static str, statistic: &'static str) -> Metric {
    Metric { field, namespace: "AWS/SWF", name, statistic, dimension: "Domain", scale: 1.0, near_only: false }
}

pub const KIND: Kind = Kind {
    id: KindId::Swf,
    title: "SWF domains",
    columns: &[
        &OPEN,
        &PENDING_DECISIONS,
        &PENDING_ACTIVITIES,
        &TIMED_OUT_PER_H,
        &FAILED_PER_H,
        &DECISION_WAIT_MS,
        &COMPLETED_PER_H,
    ],
    detail: &[
        &OPEN,
        &PENDING_DECISIONS,
        &PENDING_ACTIVITIES,
        &TIMED_OUT_PER_H,
        &FAILED_PER_H,
        &COMPLETED_PER_H,
        &DECISION_WAIT_MS,
        &WAITING,
        &RETENTION_S,
        &TASK_LISTS,
        &ARN,
    ],
    charts: &[&PENDING_DECISIONS, &PENDING_ACTIVITIES, &OPEN],
    parts_title: "workflow types",
    part_columns: &[
        &TYPE_DECISION_WAIT_MS,
        &TYPE_TIMED_OUT_PER_MIN,
        &TYPE_FAILED_PER_MIN,
        &TYPE_COMPLETED_PER_MIN,
        &TYPE_DECIDED_PER_MIN,
        &TASK_LIST,
    ],
    metrics: &[],
    part_metrics: &[
        metric(&TYPE_DECISION_WAIT_MS, "DecisionTaskScheduleToStartTime", "Maximum"),
        metric(&TYPE_DECIDED_PER_MIN, "DecisionTasksCompleted", "Sum"),
        metric(&TYPE_COMPLETED_PER_MIN, "WorkflowsCompleted", "Sum"),
        metric(&TYPE_FAILED_PER_MIN, "WorkflowsFailed", "Sum"),
        metric(&TYPE_TIMED_OUT_PER_MIN, "WorkflowsTimedOut", "Sum"),
    ],
    part_dimensions: &["WorkflowTypeName", "WorkflowTypeVersion"],
    has_part_metrics: |row| !row.parts.is_empty(),
    is_part_measured: |_| true,
    part_link: |_| None,
    address: Some(&TASK_LISTS),
    inventory_every: INVENTORY_EVERY,
    sweep_every: Some(SWEEP_EVERY),
    direct_usd: 0.0,
    actions: &[],
    health,
};

/// A decision that was there in each of these minutes waits for a decider, and so do many that are there at once.
const STUCK_MINUTES: usize = 3;
const MANY_DECISIONS: f64 = 10.0;
/// Where less than this part of the decisions that waited waits still, somebody takes them.
const TAKEN_SHARE: f64 = 0.5;
const DECISION_WAIT_WARN_MS: f64 = 60_000.0;
const DECISION_WAIT_CRIT_MS: f64 = 600_000.0;

/// Decisions that nobody takes stop every workflow; executions that fail or time out are lost work.
fn health(row: &Row, series: &SeriesOf<'_>) -> Verdict {
    let mut verdict = Verdict::ok();
    if row.fields.number(&PENDING_DECISIONS).is_none() {
        return Verdict::unknown("its tasks have not been counted");
    }
    if let Some(waiting) = untaken(row, series) {
        let waited = series.recent(&PENDING_DECISIONS, STUCK_MINUTES);
        let is_sure = waiting >= MANY_DECISIONS || waited.len() >= STUCK_MINUTES;
        let waiting = counted_that(waiting, "decision", "wait");
        let health = if is_sure { Health::Crit } else { Health::Warn };
        verdict.add(&PENDING_DECISIONS, health, format!("{waiting} and none was taken in 5 minutes"));
    }
    // The metric is of decisions that were taken: where none waits now, it is over.
    let is_over = row.fields.number(&PENDING_DECISIONS) == Some(0.0);
    let waited_ms = row.fields.number(&DECISION_WAIT_MS).filter(|ms| !is_over && *ms >= DECISION_WAIT_WARN_MS);
    if let Some(wait_ms) = waited_ms {
        let health = if wait_ms >= DECISION_WAIT_CRIT_MS { Health::Crit } else { Health::Warn };
        verdict.add(
            &DECISION_WAIT_MS,
            health,
            format!("decisions waited {} for a decider", short_duration_ms(wait_ms)),
        );
    }
    for (field, word) in [(&TYPE_TIMED_OUT_PER_MIN, "timed out"), (&TYPE_FAILED_PER_MIN, "failed")] {
        let ended: f64 = row.parts.iter().map(|part| series.sum(field, &part.id, 5)).sum();
        if ended > 0.0 {
            let ended = counted(ended, "execution");
            verdict.add(field, Health::Warn, format!("{ended} {word} in 5 minutes"));
        }
    }
    verdict
}

/// How many decisions wait while none was taken in five minutes, as far as has been looked; a decision may wait for a
/// moment anywhere.
pub fn untaken(row: &Row, series: &SeriesOf<'_>) -> Option<f64> {
    let pending = row.fields.number(&PENDING_DECISIONS).filter(|n| *n >= 1.0)?;
    let is_counted =
        !row.parts.is_empty() && row.parts.iter().all(|part| part.fields.get(&TYPE_DECIDED_PER_MIN).is_some());
    let decided: f64 = row.parts.iter().map(|part| series.sum(&TYPE_DECIDED_PER_MIN, &part.id, 5)).sum();
    let waited = series.recent(&PENDING_DECISIONS, STUCK_MINUTES);
    // One decision that is there at one look may have come this very moment.
    let has_waited = waited.len() >= STUCK_MINUTES || pending >= MANY_DECISIONS;
    // The counts are of now and the metric is minutes old: where most are gone since, somebody takes them.
    if pending < waited.iter().copied().fold(0.0, f64::max) * TAKEN_SHARE {
        return None;
    }
    (is_counted && has_waited && decided <= 0.0 && waited.iter().all(|n| *n >= 1.0)).then_some(pending)
}
