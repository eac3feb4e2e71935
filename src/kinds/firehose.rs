//! Firehose delivery streams: fields, columns, metrics and health. They have no parts.

use super::{INVENTORY_EVERY, Kind, Metric, SeriesOf, Verdict};
use crate::domain::counted::counted;
use crate::domain::field::Field;
use crate::domain::row::{Health, KindId, Row};
use crate::domain::value::{Unit, short_duration_ms};
use std::time::Duration;

pub const STATUS: Field = Field {
    id: "status",
    title: "STATUS",
    unit: Unit::Text,
    doc: "CREATING, ACTIVE, DELETING, or that creating failed (DescribeDeliveryStream).",
};
pub const FRESHNESS_S: Field = Field {
    id: "freshness_s",
    title: "OLDEST",
    unit: Unit::Seconds,
    doc: "Age of the oldest record that is not delivered yet (DeliveryToS3.DataFreshness, Maximum).",
};
pub const SUCCESS_PERCENT: Field = Field {
    id: "success_percent",
    title: "DELIVERED",
    unit: Unit::Percent,
    doc: "Deliveries to storage that worked (DeliveryToS3.Success, Average).",
};
pub const IN_RECORDS_PER_MIN: Field = Field {
    id: "in_records_per_min",
    title: "IN",
    unit: Unit::PerMinute,
    doc: "Records put or read from its source (IncomingRecords, Sum).",
};
pub const IN_BYTES_PER_S: Field = Field {
    id: "in_bytes_per_s",
    title: "IN BYTES",
    unit: Unit::BytesPerSecond,
    doc: "Bytes put or read from its source (IncomingBytes, Sum).",
};
pub const THROTTLED_PER_MIN: Field = Field {
    id: "throttled_per_min",
    title: "THROTTLED",
    unit: Unit::PerMinute,
    doc: "Records refused by the limits of the delivery stream (ThrottledRecords, Sum).",
};
pub const SOURCE_LAG_MS: Field = Field {
    id: "source_lag_ms",
    title: "LAG",
    unit: Unit::Milliseconds,
    doc: "How far it is behind the Kinesis stream that it reads (KinesisMillisBehindLatest, Maximum).",
};
pub const SOURCE: Field = Field {
    id: "source",
    title: "SOURCE",
    unit: Unit::Text,
    doc: "The Kinesis stream that it reads, or direct put (DescribeDeliveryStream).",
};
pub const DESTINATION: Field =
    Field { id: "destination", title: "TO", unit: Unit::Text, doc: "Where it delivers (DescribeDeliveryStream)." };
pub const ARN: Field =
    Field { id: "arn", title: "ARN", unit: Unit::Text, doc: "The delivery stream's ARN (DescribeDeliveryStream)." };

const fn metric(field: &'static Field, name: &'static str, statistic: &'static str, scale: f64) -> Metric {
    Metric {
        field,
        namespace: "AWS/Firehose",
        name,
        statistic,
        dimension: "DeliveryStreamName",
        scale,
        near_only: false,
    }
}

pub const KIND: Kind = Kind {
    id: KindId::Firehose,
    title: "Firehose delivery streams",
    columns: &[
        &FRESHNESS_S,
        &SUCCESS_PERCENT,
        &THROTTLED_PER_MIN,
        &IN_RECORDS_PER_MIN,
        &IN_BYTES_PER_S,
        &SOURCE_LAG_MS,
        &STATUS,
        &SOURCE,
        &DESTINATION,
    ],
    detail: &[
        &STATUS,
        &FRESHNESS_S,
        &SUCCESS_PERCENT,
        &THROTTLED_PER_MIN,
        &IN_RECORDS_PER_MIN,
        &IN_BYTES_PER_S,
        &SOURCE_LAG_MS,
        &SOURCE,
        &DESTINATION,
        &ARN,
    ],
    charts: &[&FRESHNESS_S, &IN_RECORDS_PER_MIN, &THROTTLED_PER_MIN],
    parts_title: "parts",
    part_columns: &[],
    metrics: &[
        metric(&FRESHNESS_S, "DeliveryToS3.DataFreshness", "Maximum", 1.0),
        metric(&SUCCESS_PERCENT, "DeliveryToS3.Success", "Average", 100.0),
        metric(&IN_RECORDS_PER_MIN, "IncomingRecords", "Sum", 1.0),
        metric(&IN_BYTES_PER_S, "IncomingBytes", "Sum", 1.0 / 60.0),
        metric(&THROTTLED_PER_MIN, "ThrottledRecords", "Sum", 1.0),
        metric(&SOURCE_LAG_MS, "KinesisMillisBehindLatest", "Maximum", 1.0),
    ],
    part_metrics: &[],
    part_dimensions: &[],
    has_part_metrics: |_| false,
    is_part_measured: |_| false,
    part_link: |_| None,
    address: None,
    inventory_every: INVENTORY_EVERY,
    // Five DescribeDeliveryStream a second are all that an account has; what they tell changes by hand only.
    sweep_every: Some(Duration::from_secs(900)),
    direct_usd: 0.0,
    actions: &[],
    health,
};

/// Buffering holds records back for up to 15 minutes; what is older is not buffered but stuck.
const FRESHNESS_WARN_S: f64 = 1200.0;
const FRESHNESS_CRIT_S: f64 = 3600.0;

/// The numbers that may make it unwell; without any of them nothing can be said.
const JUDGED_BY: [&Field; 3] = [&FRESHNESS_S, &SUCCESS_PERCENT, &THROTTLED_PER_MIN];

fn health(row: &Row, series: &SeriesOf<'_>) -> Verdict {
    let mut verdict = Verdict::ok();
    if row.fields.is_empty() {
        return Verdict::unknown("not looked at yet");
    }
    verdict.judge_by(row, &JUDGED_BY, "its deliveries are not known");
    if let Some(age_s) = row.fields.number(&FRESHNESS_S).filter(|age| *age >= FRESHNESS_WARN_S) {
        let health = if age_s >= FRESHNESS_CRIT_S { Health::Crit } else { Health::Warn };
        verdict.add(
            &FRESHNESS_S,
            health,
            format!("its oldest record has waited {}", short_duration_ms(age_s * 1000.0)),
        );
    }
    if let Some(percent) = row.fields.number(&SUCCESS_PERCENT).filter(|percent| *percent < 100.0) {
        let health = if percent <= 0.0 { Health::Crit } else { Health::Warn };
        verdict.add(
            &SUCCESS_PERCENT,
            health,
            format!("{} of its deliveries work", Unit::Percent.short_number(percent)),
        );
    }
    let throttled: f64 = series.sum(&THROTTLED_PER_MIN, "", 5);
    if throttled > 0.0 {
        let throttled = counted(throttled, "record");
        verdict.add(&THROTTLED_PER_MIN, Health::Warn, format!("{throttled} refused by its limits in 5 minutes"));
    }
    if let Some(status) = row.fields.text(&STATUS).filter(|status| status.ends_with("FAILED")) {
        verdict.add(&STATUS, Health::Crit, format!("its status is {status}"));
    }
    verdict
}
