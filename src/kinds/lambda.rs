//! Lambda functions: fields, columns, metrics and health. A function's parts are its event source mappings.

use super::{INVENTORY_EVERY, Kind, Metric, SeriesOf, Verdict};
use crate::domain::counted::counted;
use crate::domain::field::Field;
use crate::domain::row::{Health, KindId, Part, Row};
use crate::domain::value::Unit;
use crate::domain::value::short_duration_ms;
use crate::domain::verb::ActionId;
use std::time::Duration;

pub const INVOCATIONS_PER_MIN: Field = Field {
    id: "invocations_per_min",
    title: "INVOKED",
    unit: Unit::PerMinute,
    doc: "Invocations that ran, good or bad (Invocations, Sum).",
};
pub const ERRORS_PER_MIN: Field = Field {
    id: "errors_per_min",
    title: "ERRORS",
    unit: Unit::PerMinute,
    doc: "Invocations that ended in a function error, timeouts included (Errors, Sum).",
};
pub const ERROR_PERCENT: Field = Field {
    id: "error_percent",
    title: "ERR%",
    unit: Unit::Percent,
    doc: "Errors against invocations in the newest minute.",
};
pub const THROTTLES_PER_MIN: Field = Field {
    id: "throttles_per_min",
    title: "THROTTLED",
    unit: Unit::PerMinute,
    doc: "Invocations refused for want of concurrency; they count neither as invocations nor as errors (Throttles, Sum).",
};
pub const DURATION_P50_MS: Field =
    Field { id: "duration_p50_ms", title: "P50", unit: Unit::Milliseconds, doc: "Median duration (Duration, p50)." };
pub const DURATION_P95_MS: Field = Field {
    id: "duration_p95_ms",
    title: "P95",
    unit: Unit::Milliseconds,
    doc: "95th percentile of duration (Duration, p95).",
};
pub const DURATION_P99_MS: Field = Field {
    id: "duration_p99_ms",
    title: "P99",
    unit: Unit::Milliseconds,
    doc: "99th percentile of duration (Duration, p99).",
};
pub const DURATION_MAX_MS: Field = Field {
    id: "duration_max_ms",
    title: "MAX",
    unit: Unit::Milliseconds,
    doc: "Longest duration (Duration, Maximum); init time is not in it.",
};
pub const TIMEOUT_S: Field = Field {
    id: "timeout_s",
    title: "TIMEOUT",
    unit: Unit::Seconds,
    doc: "The function is stopped after this long (ListFunctions Timeout).",
};
pub const TIMEOUT_USE_PERCENT: Field = Field {
    id: "timeout_use_percent",
    title: "OF TIMEOUT",
    unit: Unit::Percent,
    doc: "The 99th percentile of duration against the timeout.",
};
pub const CONCURRENCY: Field = Field {
    id: "concurrency",
    title: "CONC",
    unit: Unit::Count,
    doc: "Environments at work (ConcurrentExecutions, Maximum).",
};
pub const RESERVED_CONCURRENCY: Field = Field {
    id: "reserved_concurrency",
    title: "RESERVED",
    unit: Unit::Count,
    doc: "The function's own cap and share of concurrency (GetFunction).",
};
/// Not shown by itself: with it a function's own cap and what it shares are reckoned.
pub const UNRESERVED_CONCURRENCY: Field = Field {
    id: "unreserved_concurrency",
    title: "UNRESERVED",
    unit: Unit::Count,
    doc: "Concurrency that the account's functions without a reservation share (GetAccountSettings).",
};
pub const CONCURRENCY_CAP: Field = Field {
    id: "concurrency_cap",
    title: "CAP",
    unit: Unit::Count,
    doc: "Its reserved concurrency, or else what all functions without a reservation share (GetAccountSettings \
          UnreservedConcurrentExecutions).",
};
pub const CONCURRENCY_USE_PERCENT: Field = Field {
    id: "concurrency_use_percent",
    title: "OF CAP",
    unit: Unit::Percent,
    doc: "Its own environments at work against its cap.",
};
pub const SHARED_USE_PERCENT: Field = Field {
    id: "shared_use_percent",
    title: "OF SHARED",
    unit: Unit::Percent,
    doc: "What all functions without a reservation use of the concurrency that they share, at most: the highest of each in \
          its newest minute, added up.",
};
pub const BUSY_MS: Field = Field {
    id: "busy_ms",
    title: "BUSY PER MIN",
    unit: Unit::Milliseconds,
    doc: "How long its invocations of a minute ran, added up; init time is not in it (Duration, Sum).",
};
pub const USD_PER_HOUR: Field = Field {
    id: "usd_per_hour",
    title: "COST",
    unit: Unit::UsdPerHour,
    doc: "An hour at the pace of the newest minute, at list price of us-east-1's first tier: requests, memory while it runs, \
          and provisioned concurrency while it is looked at; init time comes on top.",
};
pub const ARCHITECTURE: Field = Field {
    id: "architecture",
    title: "ARCH",
    unit: Unit::Text,
    doc: "x86_64 or arm64, which is cheaper (ListFunctions Architectures).",
};
pub const ASYNC_AGE_MS: Field = Field {
    id: "async_event_age_ms",
    title: "ASYNC AGE",
    unit: Unit::Milliseconds,
    doc: "How long queued events waited before they ran, retries included; of what is looked at (AsyncEventAge, Maximum).",
};
pub const ASYNC_DROPPED_PER_MIN: Field = Field {
    id: "async_dropped_per_min",
    title: "DROPPED",
    unit: Unit::PerMinute,
    doc: "Queued events given up without success; of what is looked at (AsyncEventsDropped, Sum).",
};
pub const PROVISIONED: Field = Field {
    id: "provisioned_concurrency",
    title: "PROVISIONED",
    unit: Unit::Count,
    doc: "Environments kept warm, asked for by its versions and aliases; of what is looked at \
          (ListProvisionedConcurrencyConfigs).",
};
pub const PROVISIONED_STATUS: Field = Field {
    id: "provisioned_status",
    title: "WARM",
    unit: Unit::Text,
    doc: "How many of them are there, and what is wrong where they are not (ListProvisionedConcurrencyConfigs).",
};
pub const PROVISIONED_INVOCATIONS_PER_MIN: Field = Field {
    id: "provisioned_invocations_per_min",
    title: "RAN WARM",
    unit: Unit::PerMinute,
    doc: "Invocations that a provisioned environment ran, so none of them started cold; of what is looked at \
          (ProvisionedConcurrencyInvocations, Sum).",
};
pub const SPILLOVER_PER_MIN: Field = Field {
    id: "spillover_per_min",
    title: "SPILLOVER",
    unit: Unit::PerMinute,
    doc: "Invocations that found no provisioned environment free and may have started cold; of what is looked at \
          (ProvisionedConcurrencySpilloverInvocations, Sum).",
};
pub const ALIASES: Field = Field {
    id: "aliases",
    title: "ALIASES",
    unit: Unit::Text,
    doc: "Which versions each alias runs, with their shares; of what is looked at (ListAliases).",
};
pub const ITERATOR_AGE_MS: Field = Field {
    id: "iterator_age_ms",
    title: "LAG",
    unit: Unit::Milliseconds,
    doc: "Age of the last record of the batches from a stream (IteratorAge, Maximum).",
};
pub const MEMORY_MB: Field =
    Field { id: "memory_mb", title: "MEMORY", unit: Unit::MegaBytes, doc: "Memory size (ListFunctions MemorySize)." };
pub const RUNTIME: Field =
    Field { id: "runtime", title: "RUNTIME", unit: Unit::Text, doc: "The language runtime (ListFunctions Runtime)." };
pub const LAST_MODIFIED: Field = Field {
    id: "last_modified",
    title: "DEPLOYED",
    unit: Unit::Time,
    doc: "When code or configuration last changed (ListFunctions LastModified).",
};
pub const CODE_SHA256: Field =
    Field { id: "code_sha256", title: "CODE", unit: Unit::Text, doc: "Hash of the code (ListFunctions CodeSha256)." };
pub const ROLE: Field = Field {
    id: "role",
    title: "ROLE",
    unit: Unit::Text,
    doc: "The role that it runs as, by name (ListFunctions Role).",
};
pub const LOG_GROUP: Field = Field {
    id: "log_group",
    title: "LOGS",
    unit: Unit::Text,
    doc: "The log group that it writes to (ListFunctions LoggingConfig).",
};
pub const ARN: Field = Field { id: "arn", title: "ARN", unit: Unit::Text, doc: "The function's ARN (ListFunctions)." };

// Fields of an event source mapping.
pub const MAPPING_SOURCE: Field = Field {
    id: "source",
    title: "SOURCE",
    unit: Unit::Text,
    doc: "The stream or queue that feeds the function (ListEventSourceMappings EventSourceArn).",
};
pub const MAPPING_STATE: Field = Field {
    id: "state",
    title: "STATE",
    unit: Unit::Text,
    doc: "Enabled, Disabled or on the way (ListEventSourceMappings State).",
};
pub const MAPPING_BATCH_SIZE: Field = Field {
    id: "batch_size",
    title: "BATCH",
    unit: Unit::Count,
    doc: "Most records in one invocation (ListEventSourceMappings BatchSize).",
};
pub const MAPPING_PARALLELIZATION: Field = Field {
    id: "parallelization_factor",
    title: "PARALLEL",
    unit: Unit::Count,
    doc: "Batches at once for each shard (ListEventSourceMappings ParallelizationFactor).",
};
pub const MAPPING_LAST_RESULT: Field = Field {
    id: "last_result",
    title: "LAST RESULT",
    unit: Unit::Text,
    doc: "What the last batch came to (ListEventSourceMappings LastProcessingResult).",
};

/// What Lambda says of a mapping whose last batch came to nothing good: `PROBLEM: Access denied`.
pub fn mapping_problem(mapping: &Part) -> Option<&str> {
    mapping.fields.text(&MAPPING_LAST_RESULT).filter(|said| said.starts_with("PROBLEM"))
}

/// Whether that is for want of a permission of the function's role, or because Lambda may not be that role.
pub fn is_denied(problem: &str) -> bool {
    let problem = problem.to_ascii_lowercase();
    ["denied", "not authorized", "assume"].iter().any(|word| problem.contains(word))
}

const NAMESPACE: &str = "AWS/Lambda";

const fn metric(field: &'static Field, name: &'static str, statistic: &'static str) -> Metric {
    Metric { field, namespace: NAMESPACE, name, statistic, dimension: "FunctionName", scale: 1.0, near_only: false }
}

/// Of what somebody looks at: a thousand functions' would cost more than they tell.
const fn near(field: &'static Field, name: &'static str, statistic: &'static str) -> Metric {
    Metric { near_only: true, ..metric(field, name, statistic) }
}

pub const KIND: Kind = Kind {
    id: KindId::Lambda,
    title: "Lambda functions",
    columns: &[
        &ERRORS_PER_MIN,
        &ERROR_PERCENT,
        &THROTTLES_PER_MIN,
        &DURATION_P99_MS,
        &TIMEOUT_USE_PERCENT,
        &INVOCATIONS_PER_MIN,
        &CONCURRENCY,
        &ITERATOR_AGE_MS,
        &DURATION_P50_MS,
        &USD_PER_HOUR,
        &TIMEOUT_S,
        &CONCURRENCY_USE_PERCENT,
        &LAST_MODIFIED,
    ],
    detail: &[
        &INVOCATIONS_PER_MIN,
        &ERRORS_PER_MIN,
        &ERROR_PERCENT,
        &THROTTLES_PER_MIN,
        &DURATION_P50_MS,
        &DURATION_P95_MS,
        &DURATION_P99_MS,
        &DURATION_MAX_MS,
        &TIMEOUT_S,
        &TIMEOUT_USE_PERCENT,
        &CONCURRENCY,
        &CONCURRENCY_CAP,
        &CONCURRENCY_USE_PERCENT,
        &SHARED_USE_PERCENT,
        &RESERVED_CONCURRENCY,
        &USD_PER_HOUR,
        &ITERATOR_AGE_MS,
        &ASYNC_AGE_MS,
        &ASYNC_DROPPED_PER_MIN,
        &PROVISIONED,
        &PROVISIONED_STATUS,
        &PROVISIONED_INVOCATIONS_PER_MIN,
        &SPILLOVER_PER_MIN,
        &ALIASES,
        &LAST_MODIFIED,
        &MEMORY_MB,
        &BUSY_MS,
        &RUNTIME,
        &ARCHITECTURE,
        &LOG_GROUP,
        &ROLE,
        &CODE_SHA256,
        &ARN,
    ],
    charts: &[&ERRORS_PER_MIN, &DURATION_P99_MS, &INVOCATIONS_PER_MIN, &CONCURRENCY],
    parts_title: "event source mappings",
    part_columns: &[
        &MAPPING_SOURCE,
        &MAPPING_STATE,
        &MAPPING_BATCH_SIZE,
        &MAPPING_PARALLELIZATION,
        &MAPPING_LAST_RESULT,
    ],
    metrics: &[
        metric(&INVOCATIONS_PER_MIN, "Invocations", "Sum"),
        metric(&ERRORS_PER_MIN, "Errors", "Sum"),
        metric(&THROTTLES_PER_MIN, "Throttles", "Sum"),
        metric(&DURATION_P50_MS, "Duration", "p50"),
        metric(&DURATION_P95_MS, "Duration", "p95"),
        metric(&DURATION_P99_MS, "Duration", "p99"),
        metric(&DURATION_MAX_MS, "Duration", "Maximum"),
        metric(&CONCURRENCY, "ConcurrentExecutions", "Maximum"),
        metric(&ITERATOR_AGE_MS, "IteratorAge", "Maximum"),
        metric(&BUSY_MS, "Duration", "Sum"),
        near(&ASYNC_AGE_MS, "AsyncEventAge", "Maximum"),
        near(&ASYNC_DROPPED_PER_MIN, "AsyncEventsDropped", "Sum"),
        near(&PROVISIONED_INVOCATIONS_PER_MIN, "ProvisionedConcurrencyInvocations", "Sum"),
        near(&SPILLOVER_PER_MIN, "ProvisionedConcurrencySpilloverInvocations", "Sum"),
    ],
    part_metrics: &[],
    part_dimensions: &[],
    has_part_metrics: |_| false,
    is_part_measured: |_| false,
    part_link: |_| None,
    address: Some(&ARN),
    inventory_every: INVENTORY_EVERY,
    // Configurations change by deployments, which change the list too; metrics tell of the rest.
    sweep_every: Some(Duration::from_secs(600)),
    direct_usd: 0.0,
    actions: &[ActionId::Invoke],
    health,
};

const ERROR_WARN_PERCENT: f64 = 1.0;
const ERROR_CRIT_PERCENT: f64 = 5.0;
const TIMEOUT_WARN_PERCENT: f64 = 80.0;
const TIMEOUT_CRIT_PERCENT: f64 = 98.0;
/// So little is left of its concurrency that a burst will be throttled.
const CONCURRENCY_WARN_PERCENT: f64 = 90.0;
const LAG_WARN_MS: f64 = 60_000.0;
const LAG_CRIT_MS: f64 = 300_000.0;

/// The numbers that may make it unwell; without any of them nothing can be said.
const JUDGED_BY: [&Field; 5] = [&ERRORS_PER_MIN, &THROTTLES_PER_MIN, &DURATION_P99_MS, &CONCURRENCY, &ITERATOR_AGE_MS];

fn health(row: &Row, series: &SeriesOf<'_>) -> Verdict {
    let mut verdict = Verdict::ok();
    if row.fields.is_empty() {
        return Verdict::unknown("not looked at yet");
    }
    verdict.judge_by(row, &JUDGED_BY, "its errors are not known");
    error_health(series, &mut verdict);
    if let Some(throttled) = row.fields.number(&THROTTLES_PER_MIN).filter(|n| *n > 0.0) {
        let ran = row.fields.number(&INVOCATIONS_PER_MIN).unwrap_or(0.0);
        let health = if ran == 0.0 || throttled > ran * 0.1 { Health::Crit } else { Health::Warn };
        verdict.add(&THROTTLES_PER_MIN, health, format!("{} a minute throttled", counted(throttled, "invocation")));
    }
    if let Some(used) = row.fields.number(&TIMEOUT_USE_PERCENT).filter(|n| *n >= TIMEOUT_WARN_PERCENT) {
        let health = if used >= TIMEOUT_CRIT_PERCENT { Health::Crit } else { Health::Warn };
        verdict.add(&TIMEOUT_USE_PERCENT, health, format!("its p99 takes {used:.0}% of its timeout"));
    }
    if let Some(lag_ms) = row.fields.number(&ITERATOR_AGE_MS).filter(|n| *n >= LAG_WARN_MS) {
        let health = if lag_ms >= LAG_CRIT_MS { Health::Crit } else { Health::Warn };
        verdict.add(&ITERATOR_AGE_MS, health, format!("its stream batches are {} old", short_duration_ms(lag_ms)));
    }
    if let Some(used) = row.fields.number(&CONCURRENCY_USE_PERCENT).filter(|n| *n >= CONCURRENCY_WARN_PERCENT) {
        verdict.add(
            &CONCURRENCY_USE_PERCENT,
            Health::Warn,
            format!("it uses {used:.0}% of the concurrency that it may have"),
        );
    }
    if row.fields.number(&RESERVED_CONCURRENCY) == Some(0.0) {
        verdict.add(&RESERVED_CONCURRENCY, Health::Crit, "its reserved concurrency is 0: nothing can run");
    }
    verdict
}

/// Errors over the last five minutes: one bad minute out of many is noise, a rate is not.
fn error_health(series: &SeriesOf<'_>, verdict: &mut Verdict) {
    let errors: f64 = series.recent(&ERRORS_PER_MIN, 5).iter().sum();
    let ran: f64 = series.recent(&INVOCATIONS_PER_MIN, 5).iter().sum();
    if errors <= 0.0 || ran <= 0.0 {
        return;
    }
    let percent = errors / ran * 100.0;
    let health = match percent {
        p if p >= ERROR_CRIT_PERCENT => Health::Crit,
        p if p >= ERROR_WARN_PERCENT => Health::Warn,
        _ => return,
    };
    verdict.add(
        &ERROR_PERCENT,
        health,
        format!("{} of its invocations failed in 5 minutes", Unit::Percent.short_number(percent)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sweep_pays_for_ten_metrics_and_what_is_near_for_the_rest() {
        assert_eq!(KIND.metrics_of(false).count(), 10);
        assert_eq!(KIND.metrics_of(true).count(), KIND.metrics.len());
    }
}
