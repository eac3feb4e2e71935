//! CloudWatch alarms: fields, columns and health. They have no parts and no metrics of their own.

use super::{Kind, SeriesOf, Verdict};
use crate::domain::field::Field;
use crate::domain::row::{Health, KindId, Row};
use crate::domain::value::Unit;
use std::time::Duration;

pub const STATE: Field = Field {
    id: "state",
    title: "STATE",
    unit: Unit::Text,
    doc: "OK, ALARM or INSUFFICIENT_DATA (DescribeAlarms StateValue).",
};
pub const SINCE: Field = Field {
    id: "since",
    title: "SINCE",
    unit: Unit::Time,
    doc: "When it came into this state (DescribeAlarms StateTransitionedTimestamp).",
};
pub const CONDITION: Field = Field {
    id: "condition",
    title: "CONDITION",
    unit: Unit::Text,
    doc: "What makes it an alarm: the metric against its threshold, or the rule of a composite alarm (DescribeAlarms).",
};
pub const REASON: Field = Field {
    id: "reason",
    title: "REASON",
    unit: Unit::Text,
    doc: "What CloudWatch says of the last change (DescribeAlarms StateReason).",
};
pub const ACTIONS_ENABLED: Field = Field {
    id: "actions_enabled",
    title: "TELLS",
    unit: Unit::Flag,
    doc: "Whether a change of state does what the alarm is set to do (DescribeAlarms ActionsEnabled).",
};
pub const DESCRIPTION: Field = Field {
    id: "description",
    title: "DESCRIPTION",
    unit: Unit::Text,
    doc: "What its owner wrote about it (DescribeAlarms AlarmDescription).",
};
pub const ARN: Field = Field { id: "arn", title: "ARN", unit: Unit::Text, doc: "The alarm's ARN (DescribeAlarms)." };

pub const KIND: Kind = Kind {
    id: KindId::Alarm,
    title: "CloudWatch alarms",
    columns: &[&STATE, &SINCE, &CONDITION, &ACTIONS_ENABLED],
    detail: &[&STATE, &SINCE, &CONDITION, &REASON, &DESCRIPTION, &ACTIONS_ENABLED, &ARN],
    charts: &[],
    parts_title: "parts",
    part_columns: &[],
    metrics: &[],
    part_metrics: &[],
    part_dimensions: &[],
    has_part_metrics: |_| false,
    is_part_measured: |_| false,
    part_link: |_| None,
    address: None,
    // One call tells of a hundred alarms, and it is free.
    inventory_every: Duration::from_secs(60),
    sweep_every: None,
    direct_usd: 0.0,
    actions: &[],
    health,
};

/// An alarm is somebody's threshold, not a diagnosis: it warns, whatever it is about. Scaling works by alarms too, so
/// one whose name says that it tracks a target is no news.
fn health(row: &Row, _: &SeriesOf<'_>) -> Verdict {
    let mut verdict = Verdict::ok();
    match row.fields.text(&STATE) {
        Some("ALARM") if !row.id.name.starts_with("TargetTracking-") => {
            let condition = row.fields.text(&CONDITION).unwrap_or("its condition");
            verdict.add(&STATE, Health::Warn, format!("in ALARM: {condition}"));
        }
        Some(_) => {}
        None => return Verdict::unknown("not looked at yet"),
    }
    verdict
}
