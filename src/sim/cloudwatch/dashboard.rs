//! Dashboards: PutDashboard, GetDashboard, ListDashboards, DeleteDashboards. Bodies are kept as they come; what they
//! draw is the console's business.

use super::input::{Input, invalid, invalid_token, missing};
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::world::World;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Dashboards of one page.
const PAGE: usize = 1000;
/// Characters of a dashboard's name, and of its body, at most.
const NAME_MAX: usize = 255;
const BODY_MAX: usize = 1_000_000;
/// Dashboards of an account, at most.
const DASHBOARDS_MAX: usize = 5000;

/// One dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dashboard {
    body: String,
    modified: Timestamp,
}

/// Every dashboard, by name.
pub type Dashboards = BTreeMap<String, Dashboard>;

fn arn(place: &Place, name: &str) -> String {
    format!("arn:aws:cloudwatch::{}:dashboard/{name}", place.account)
}

fn refused(message: &str) -> ApiError {
    ApiError::client("DashboardInvalidInputError", message).with_query_code("InvalidParameterInput")
}

fn not_found(name: &str) -> ApiError {
    let message = format!("Dashboard {name} does not exist");
    ApiError::client("DashboardNotFoundError", message).with_query_code("ResourceNotFound").with_status(404)
}

pub fn put(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let name = input.text("DashboardName")?.ok_or_else(|| missing("DashboardName"))?;
    let body = input.text("DashboardBody")?.ok_or_else(|| missing("DashboardBody"))?;
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(is_legal) {
        return Err(invalid(format!(
            "The value {name} for field DashboardName contains invalid characters. It can only contain alphanumerics, \
             dash (-) and underscore (_).\n"
        )));
    }
    let is_object = serde_json::from_str::<Value>(body).is_ok_and(|body| body.is_object());
    if !is_object {
        return Err(refused("The field DashboardBody must be a valid JSON object"));
    }
    if body.len() > BODY_MAX {
        return Err(refused("The field DashboardBody is too large"));
    }
    let dashboards = &mut world.cloudwatch.dashboards;
    if dashboards.len() >= DASHBOARDS_MAX && !dashboards.contains_key(name) {
        return Err(refused("The account has too many dashboards"));
    }
    dashboards.insert(name.to_owned(), Dashboard { body: body.to_owned(), modified: world.now });
    Ok(json!({ "DashboardValidationMessages": [] }))
}

pub fn get(world: &World, input: &Input<'_>) -> Result<Value, ApiError> {
    let name = input.text("DashboardName")?.ok_or_else(|| missing("DashboardName"))?;
    let dashboard = world.cloudwatch.dashboards.get(name).ok_or_else(|| not_found(name))?;
    Ok(json!({ "DashboardArn": arn(&world.place, name), "DashboardBody": dashboard.body, "DashboardName": name }))
}

pub fn list(world: &World, input: &Input<'_>) -> Result<Value, ApiError> {
    let prefix = input.text("DashboardNamePrefix")?.unwrap_or_default();
    let after = match input.text("NextToken")? {
        Some(token) => {
            let bytes = BASE64_STANDARD.decode(token).map_err(|_| invalid_token())?;
            Some(String::from_utf8(bytes).map_err(|_| invalid_token())?)
        }
        None => None,
    };
    let fits = |name: &str| name.starts_with(prefix) && after.as_ref().is_none_or(|after| name > after.as_str());
    let mut found = world.cloudwatch.dashboards.iter().filter(|(name, _)| fits(name));
    let page: Vec<(&String, &Dashboard)> = found.by_ref().take(PAGE).collect();
    let entry = |(name, dashboard): &(&String, &Dashboard)| {
        json!({
            "DashboardName": name,
            "DashboardArn": arn(&world.place, name),
            "LastModified": dashboard.modified.secs_f64(),
            "Size": dashboard.body.len(),
        })
    };
    let mut answer = json!({ "DashboardEntries": page.iter().map(entry).collect::<Vec<_>>() });
    if let (Some((last, _)), Some(_)) = (page.last(), found.next()) {
        answer["NextToken"] = BASE64_STANDARD.encode(last).into();
    }
    Ok(answer)
}

/// Deletes all of them, or none when one does not exist.
pub fn delete(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let names = input.texts("DashboardNames")?.ok_or_else(|| missing("DashboardNames"))?;
    if names.is_empty() {
        return Err(invalid("The parameter DashboardNames must have at least one member."));
    }
    let dashboards = &mut world.cloudwatch.dashboards;
    if let Some(missing) = names.iter().find(|name| !dashboards.contains_key(**name)) {
        return Err(not_found(missing));
    }
    for name in names {
        dashboards.remove(name);
    }
    Ok(json!({}))
}
