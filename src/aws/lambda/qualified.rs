//! What hangs on a function's versions and aliases: which versions run, and which are kept warm. Asked for only of what
//! somebody looks at: these calls share Lambda's 15 a second with deployments.

use crate::aws::arn_name;
use crate::aws::clients::Clients;
use crate::aws::draft::Draft;
use crate::aws::errors::{Trouble, trouble};
use crate::aws::operations::{LIST_ALIASES, LIST_PROVISIONED_CONCURRENCY_CONFIGS};
use crate::domain::poll::RowUpdate;
use crate::domain::value::{NoData, Origin, Value};
use crate::kinds::lambda;
use aws_sdk_lambda::types::{
    AliasConfiguration, ProvisionedConcurrencyConfigListItem, ProvisionedConcurrencyStatusEnum,
};

/// A bound on paging: 50 a page.
const PAGES_MAX: usize = 10;

/// What Lambda said of both.
pub struct Qualified {
    aliases: Result<Vec<AliasConfiguration>, Trouble>,
    provisioned: Result<Vec<ProvisionedConcurrencyConfigListItem>, Trouble>,
}

pub async fn ask(clients: &Clients, function: &str) -> Qualified {
    Qualified { aliases: aliases(clients, function).await, provisioned: provisioned(clients, function).await }
}

async fn aliases(clients: &Clients, function: &str) -> Result<Vec<AliasConfiguration>, Trouble> {
    let mut all = Vec::new();
    let mut marker = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&LIST_ALIASES).await;
        let page = clients.lambda.list_aliases().function_name(function).set_marker(marker).send().await;
        let page = page.map_err(|error| trouble(&error, &LIST_ALIASES, clients.place()))?;
        all.extend(page.aliases.unwrap_or_default());
        marker = page.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            break;
        }
    }
    Ok(all)
}

async fn provisioned(clients: &Clients, function: &str) -> Result<Vec<ProvisionedConcurrencyConfigListItem>, Trouble> {
    let mut all = Vec::new();
    let mut marker = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&LIST_PROVISIONED_CONCURRENCY_CONFIGS).await;
        let request = clients.lambda.list_provisioned_concurrency_configs().function_name(function).set_marker(marker);
        let page = request.send().await;
        let page = page.map_err(|error| trouble(&error, &LIST_PROVISIONED_CONCURRENCY_CONFIGS, clients.place()))?;
        all.extend(page.provisioned_concurrency_configs.unwrap_or_default());
        marker = page.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            break;
        }
    }
    Ok(all)
}

impl Qualified {
    /// Sets its fields, or why there is nothing to set.
    pub fn tell(self, draft: &mut Draft, update: &mut RowUpdate) {
        let now = update.at;
        let text = |text: String| match text.as_str() {
            "" => Value::missing(NoData::NotApplicable, now, Origin::Api),
            _ => Value::text(text, now),
        };
        match self.aliases {
            Ok(aliases) => update.fields.set(&lambda::ALIASES, text(said_aliases(&aliases))),
            Err(trouble) => draft.resource(&LIST_ALIASES, trouble, update, &[&lambda::ALIASES]),
        }
        match self.provisioned {
            Ok(configs) => {
                let asked_for: i32 = configs.iter().filter_map(|c| c.requested_provisioned_concurrent_executions).sum();
                let number = match asked_for {
                    0 => Value::missing(NoData::NotApplicable, now, Origin::Api),
                    _ => Value::number(f64::from(asked_for), now, Origin::Api),
                };
                update.fields.set(&lambda::PROVISIONED, number);
                update.fields.set(&lambda::PROVISIONED_STATUS, text(said_provisioned(&configs)));
            }
            Err(trouble) => {
                let fields = [&lambda::PROVISIONED, &lambda::PROVISIONED_STATUS];
                draft.resource(&LIST_PROVISIONED_CONCURRENCY_CONFIGS, trouble, update, &fields);
            }
        }
    }
}

/// `live 8 95% + 9 5%, beta 9`: the second version's share is what the first does not get.
fn said_aliases(aliases: &[AliasConfiguration]) -> String {
    let said = |alias: &AliasConfiguration| {
        let (name, version) = (alias.name().unwrap_or_default(), alias.function_version().unwrap_or_default());
        let weights = alias.routing_config().and_then(|routing| routing.additional_version_weights());
        let mut others: Vec<(&str, f64)> =
            weights.into_iter().flatten().map(|(version, weight)| (version.as_str(), *weight)).collect();
        others.sort_by(|a, b| a.0.cmp(b.0));
        if others.is_empty() {
            return format!("{name} {version}");
        }
        let percent = |share: f64| format!("{}%", (share * 1000.0).round() / 10.0);
        let rest = 1.0 - others.iter().map(|(_, weight)| weight).sum::<f64>();
        let others: String =
            others.iter().map(|(version, weight)| format!(" + {version} {}", percent(*weight))).collect();
        format!("{name} {version} {}{others}", percent(rest))
    };
    aliases.iter().map(said).collect::<Vec<_>>().join(", ")
}

/// `10 of 10`; with what is wrong where something is: `0 of 10, live FAILED: …`.
fn said_provisioned(configs: &[ProvisionedConcurrencyConfigListItem]) -> String {
    if configs.is_empty() {
        return String::new();
    }
    let sum = |number: fn(&ProvisionedConcurrencyConfigListItem) -> Option<i32>| -> i32 {
        configs.iter().filter_map(number).sum()
    };
    let ready = sum(|config| config.allocated_provisioned_concurrent_executions);
    let asked_for = sum(|config| config.requested_provisioned_concurrent_executions);
    let mut said = format!("{ready} of {asked_for}");
    for config in configs.iter().filter(|c| c.status != Some(ProvisionedConcurrencyStatusEnum::Ready)) {
        let arn = config.function_arn().unwrap_or_default();
        let of = arn.rsplit(':').next().or_else(|| arn_name(arn)).unwrap_or_default();
        let status = config.status.as_ref().map_or("UNKNOWN", |status| status.as_str());
        said.push_str(&format!(", {of} {status}"));
        if let Some(reason) = config.status_reason().filter(|reason| !reason.is_empty()) {
            said.push_str(&format!(": {reason}"));
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_lambda::types::AliasRoutingConfiguration;

    #[test]
    fn aliases_tell_their_versions_and_shares() {
        let alias = |name: &str, routing: Option<(&str, f64)>| {
            let routing = routing.map(|(version, weight)| {
                AliasRoutingConfiguration::builder().additional_version_weights(version, weight).build()
            });
            AliasConfiguration::builder().name(name).function_version("8").set_routing_config(routing).build()
        };
        assert_eq!(said_aliases(&[alias("live", Some(("9", 0.05))), alias("old", None)]), "live 8 95% + 9 5%, old 8");
        assert_eq!(said_aliases(&[]), "");
    }

    #[test]
    fn what_is_kept_warm_tells_what_is_wrong() {
        let config = |status: ProvisionedConcurrencyStatusEnum, allocated: i32, reason: Option<&str>| {
            ProvisionedConcurrencyConfigListItem::builder()
                .function_arn("arn:aws:lambda:eu-west-1:123456789012:function:pay:live")
                .requested_provisioned_concurrent_executions(10)
                .allocated_provisioned_concurrent_executions(allocated)
                .status(status)
                .set_status_reason(reason.map(str::to_owned))
                .build()
        };
        let ready = config(ProvisionedConcurrencyStatusEnum::Ready, 10, None);
        assert_eq!(said_provisioned(std::slice::from_ref(&ready)), "10 of 10");
        let failed = config(ProvisionedConcurrencyStatusEnum::Failed, 0, Some("no capacity"));
        assert_eq!(said_provisioned(&[ready, failed]), "10 of 20, live FAILED: no capacity");
        assert_eq!(said_provisioned(&[]), "");
    }
}
