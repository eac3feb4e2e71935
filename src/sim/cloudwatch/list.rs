//! ListMetrics: which metrics exist, by namespace, name and dimensions, 500 a page.

use crate::domain::time::Timestamp;
use crate::sim::cloudwatch::input::{Input, invalid};
use crate::sim::cloudwatch::{Metric, Metrics};
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

const PAGE: usize = 500;

/// `RecentlyActive`'s only value, `PT3H`, in minutes.
const RECENT_MINUTES: i64 = 180;

pub fn list_metrics(metrics: &Metrics, place: &Place, now: Timestamp, input: &Input<'_>) -> Result<Value, ApiError> {
    let namespace = input.bounded_text("Namespace", 255)?;
    namespace.map_or(Ok(()), |namespace| input.check_namespace(namespace))?;
    let name = input.bounded_text("MetricName", 255)?;
    let filters = input.structures("Dimensions")?.unwrap_or_default();
    input.check_size("Dimensions", filters.len(), 10)?;
    let filters: Vec<(&str, Option<&str>)> = filters
        .iter()
        .map(|filter| Ok((filter.required_text("Name", 255)?, filter.bounded_text("Value", 1024)?)))
        .collect::<Result<_, ApiError>>()?;
    let recent = input.one_of("RecentlyActive", &["PT3H"])?.map(|_| RECENT_MINUTES);
    let with_accounts = input.flag("IncludeLinkedAccounts")?.unwrap_or(false);
    let is_foreign = input.bounded_text("OwningAccount", 255)?.is_some_and(|account| account != place.account);
    let refusal = || invalid("Request parameter NextToken is invalid");
    let after = input.text("NextToken")?.map(|token| read_token(token).ok_or_else(refusal)).transpose()?;

    let fits = |metric: &&Metric| {
        !is_foreign
            && namespace.is_none_or(|namespace| namespace == metric.namespace)
            && name.is_none_or(|name| name == metric.name)
            && filters.iter().all(|(name, value)| {
                metric.dimensions.iter().any(|(n, v)| n == name && value.is_none_or(|value| value == v))
            })
    };
    let mut found: Vec<&Metric> = metrics.list(now, recent, after.as_ref()).filter(fits).take(PAGE + 1).collect();
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    let mut answer = json!({ "Metrics": found.iter().map(|metric| as_value(metric)).collect::<Vec<_>>() });
    if has_more && let Some(last) = found.last() {
        answer["NextToken"] = write_token(last).into();
    }
    if with_accounts {
        answer["OwningAccounts"] = found.iter().map(|_| place.account.as_str()).collect();
    }
    Ok(answer)
}

fn as_value(metric: &Metric) -> Value {
    let dimensions = metric.dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value }));
    json!({
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": dimensions.collect::<Vec<_>>(),
    })
}

/// The token is the last metric of the page: metrics that come and go between two pages shift nothing.
fn write_token(metric: &Metric) -> String {
    BASE64_STANDARD.encode(json!([metric.namespace, metric.name, metric.dimensions]).to_string())
}

fn read_token(token: &str) -> Option<Metric> {
    let (namespace, name, dimensions) = serde_json::from_slice(&BASE64_STANDARD.decode(token).ok()?).ok()?;
    Some(Metric { namespace, name, dimensions })
}
