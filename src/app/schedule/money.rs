//! What the asking costs, and how the budget is shared out between what is looked at and the sweep.

use crate::app::schedule::attention::{Attention, Nearness};
use crate::app::schedule::targets::metric_count;
use crate::domain::row::{ResourceId, Row};
use crate::kinds;
use std::collections::BTreeMap;
use std::time::Duration;

/// GetMetricData costs $0.01 for 1,000 metrics (CloudWatch pricing).
pub const USD_PER_METRIC: f64 = 0.000_01;
/// CloudWatch's periods are a minute long: asking more often brings nothing new.
pub const METRICS_EVERY: Duration = Duration::from_secs(60);
/// However much the screen costs, the sweep gets this share of the budget.
const SWEEP_SHARE_MIN: f64 = 0.1;

/// What one round of everything costs in US dollars, were nothing of it looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Costs {
    direct: f64,
    metrics: f64,
}

impl Costs {
    pub fn of(rows: &BTreeMap<ResourceId, Row>) -> Self {
        let mut costs = Self::default();
        for row in rows.values() {
            costs.direct += direct_usd(row);
            costs.metrics += metrics_usd(row, false);
        }
        costs
    }
}

/// What the asking may cost, and how it is shared out.
pub struct Money {
    /// Must be left when something off screen is paid: a round of all that is on screen.
    pub reserve: f64,
    /// How often the sweep may come round: the services' own calls, and CloudWatch's metrics.
    pub direct_every: Duration,
    pub metrics_every: Duration,
}

impl Money {
    /// Shares the budget out: what is on screen first, the sweep through all else gets what is left. The sweep's metrics
    /// are asked for no more often than every `swept`.
    pub fn shared(
        costs: &Costs,
        attention: &Attention,
        rows: &BTreeMap<ResourceId, Row>,
        budget_usd_per_h: f64,
        swept: Duration,
    ) -> Self {
        let (mut near, Costs { mut direct, mut metrics }) = (0.0, costs.clone());
        for row in attention.ids().filter_map(|id| rows.get(id)) {
            near += metrics_usd(row, attention.nearness(&row.id, Some(row)) <= Nearness::Near);
            metrics -= metrics_usd(row, false);
            direct -= direct_usd(row);
        }
        // Metrics of what is on screen are asked for every minute.
        let rest = (budget_usd_per_h - near * 60.0).max(budget_usd_per_h * SWEEP_SHARE_MIN);
        let every = |usd: f64, share: f64| {
            let hours = usd.max(0.0) / (rest * share).max(1e-6);
            Duration::from_secs_f64((hours * 3600.0).min(86_400.0))
        };
        Self {
            reserve: near,
            direct_every: every(direct, 1.0 / 3.0),
            metrics_every: every(metrics, 2.0 / 3.0).max(METRICS_EVERY).max(swept),
        }
    }
}

/// What the sweep pays its kind's service for a look at it.
fn direct_usd(row: &Row) -> f64 {
    let kind = kinds::kind(row.id.kind);
    if kind.sweep_every.is_some() { kind.direct_usd } else { 0.0 }
}

fn metrics_usd(row: &Row, is_near: bool) -> f64 {
    metric_count(row, is_near) as f64 * USD_PER_METRIC
}
