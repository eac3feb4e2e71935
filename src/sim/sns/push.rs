//! Mobile push: platform applications and the endpoints of devices. Messages to them are taken and go nowhere; what
//! matters is who is there and whether they are enabled.

use crate::sim::cx::{Cx, Place};
use crate::sim::error::ApiError;
use crate::sim::sns::arn::Arn;
use crate::sim::sns::{Sns, error};
use std::collections::BTreeMap;
use std::ops::Bound;

const PLATFORMS: [&str; 9] =
    ["ADM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "BAIDU", "GCM", "MACOS", "WNS"];
const APPLICATION_ATTRIBUTES: [&str; 12] = [
    "ApplePlatformBundleID",
    "ApplePlatformTeamID",
    "Enabled",
    "EventDeliveryFailure",
    "EventEndpointCreated",
    "EventEndpointDeleted",
    "EventEndpointUpdated",
    "FailureFeedbackRoleArn",
    "PlatformCredential",
    "PlatformPrincipal",
    "SuccessFeedbackRoleArn",
    "SuccessFeedbackSampleRate",
];
const ENDPOINT_ATTRIBUTES: [&str; 3] = ["CustomUserData", "Enabled", "Token"];
/// Credentials are kept from view.
const SECRET: [&str; 2] = ["PlatformCredential", "PlatformPrincipal"];

type Attributes = BTreeMap<String, String>;

/// An application of one platform, and its devices by id.
#[derive(Default)]
pub struct Application {
    attributes: Attributes,
    endpoints: BTreeMap<String, Attributes>,
}

/// Applications by `PLATFORM/name`.
pub type Applications = BTreeMap<String, Application>;

fn known(attributes: &Attributes, names: &[&str]) -> Result<(), ApiError> {
    let unknown = attributes.keys().find(|name| !names.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| {
        Err(error::invalid_parameter(format!("Attributes Reason: Invalid attribute name {name}")))
    })
}

fn not_found(what: &str) -> ApiError {
    ApiError::client("NotFound", format!("{what} does not exist")).with_status(404)
}

/// What follows `app/` or `endpoint/` in an ARN of this account and region.
fn resource<'a>(place: &Place, arn: &'a str, kind: &str, member: &str) -> Result<&'a str, ApiError> {
    let elements = arn.split(':').count();
    if elements < 6 {
        let reason = format!("{member} Reason: An ARN must have at least 6 elements, not {elements}");
        return Err(error::invalid_parameter(reason));
    }
    let arn = Arn::parse(arn).filter(|arn| arn.service == "sns" && arn.region == place.region);
    let resource = arn.and_then(|arn| arn.resource.strip_prefix(kind)?.strip_prefix('/'));
    resource.ok_or_else(|| error::invalid_parameter(member))
}

impl Sns {
    fn application_mut(&mut self, cx: &Cx<'_>, arn: &str) -> Result<(String, &mut Application), ApiError> {
        let key = resource(cx.place, arn, "app", "PlatformApplicationArn")?;
        let application = self.applications.get_mut(key).ok_or_else(|| not_found("PlatformApplication"))?;
        Ok((key.to_owned(), application))
    }

    fn device_mut(&mut self, cx: &Cx<'_>, arn: &str) -> Result<&mut Attributes, ApiError> {
        let (key, id) = endpoint_key(cx.place, arn)?;
        let application = self.applications.get_mut(key);
        application.and_then(|application| application.endpoints.get_mut(id)).ok_or_else(|| not_found("Endpoint"))
    }

    /// CreatePlatformApplication: the ARN. One of the same name and platform gets the new attributes.
    pub fn create_application(
        &mut self,
        cx: &Cx<'_>,
        name: &str,
        platform: &str,
        attributes: Attributes,
    ) -> Result<String, ApiError> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || name.len() > 256 || !name.chars().all(legal) {
            return Err(error::invalid_parameter("Name"));
        }
        if !PLATFORMS.contains(&platform) {
            return Err(error::invalid_parameter(format!("Platform Reason: {platform} is not supported")));
        }
        known(&attributes, &APPLICATION_ATTRIBUTES)?;
        if attributes.contains_key("PlatformPrincipal") && !attributes.contains_key("PlatformCredential") {
            return Err(error::invalid_parameter(
                "Attributes Reason: PlatformPrincipal attribute provided without PlatformCredential",
            ));
        }
        let key = format!("{platform}/{name}");
        let application = self.applications.entry(key.clone()).or_default();
        application.attributes.insert("Enabled".into(), "true".into());
        application.attributes.extend(attributes);
        Ok(cx.place.arn("sns", &format!("app/{key}")))
    }

    pub fn delete_application(&mut self, cx: &Cx<'_>, arn: &str) -> Result<(), ApiError> {
        let key = resource(cx.place, arn, "app", "PlatformApplicationArn")?;
        self.applications.remove(key);
        Ok(())
    }

    /// The attributes that are shown.
    pub fn application_attributes(&mut self, cx: &Cx<'_>, arn: &str) -> Result<Attributes, ApiError> {
        Ok(self.application_mut(cx, arn)?.1.shown())
    }

    pub fn set_application_attributes(&mut self, cx: &Cx<'_>, arn: &str, changes: Attributes) -> Result<(), ApiError> {
        known(&changes, &APPLICATION_ATTRIBUTES)?;
        self.application_mut(cx, arn)?.1.attributes.extend(changes);
        Ok(())
    }

    /// ARNs and attributes of up to `count` applications after this one.
    pub fn applications_after(&self, place: &Place, after: Option<&str>, count: usize) -> Vec<(String, Attributes)> {
        let from = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let found = self.applications.range::<str, _>(from).take(count);
        found.map(|(key, app)| (place.arn("sns", &format!("app/{key}")), app.shown())).collect()
    }

    /// CreatePlatformEndpoint: the ARN; the same token with the same attributes is the same endpoint.
    pub fn create_endpoint(&mut self, cx: &mut Cx<'_>, arn: &str, mut wanted: Attributes) -> Result<String, ApiError> {
        known(&wanted, &ENDPOINT_ATTRIBUTES)?;
        wanted.entry("Enabled".to_owned()).or_insert_with(|| "true".to_owned());
        let (key, application) = self.application_mut(cx, arn)?;
        let arn_of = |cx: &Cx<'_>, id: &str| cx.place.arn("sns", &format!("endpoint/{key}/{id}"));
        let same_token = |(_, has): &(&String, &Attributes)| has.get("Token") == wanted.get("Token");
        if let Some((id, has)) = application.endpoints.iter().find(same_token) {
            let arn = arn_of(cx, id);
            if *has != wanted {
                return Err(error::invalid_parameter(format!(
                    "Token Reason: Endpoint {arn} already exists with the same Token, but different attributes."
                )));
            }
            return Ok(arn);
        }
        let id = cx.uuid();
        let arn = arn_of(cx, &id);
        application.endpoints.insert(id, wanted);
        Ok(arn)
    }

    /// DeleteEndpoint; one that is not there is no error.
    pub fn delete_endpoint(&mut self, cx: &Cx<'_>, arn: &str) -> Result<(), ApiError> {
        let (key, id) = endpoint_key(cx.place, arn)?;
        if let Some(application) = self.applications.get_mut(key) {
            application.endpoints.remove(id);
        }
        Ok(())
    }

    pub fn endpoint_attributes(&mut self, cx: &Cx<'_>, arn: &str) -> Result<Attributes, ApiError> {
        Ok(self.device_mut(cx, arn)?.clone())
    }

    pub fn set_endpoint_attributes(&mut self, cx: &Cx<'_>, arn: &str, changes: Attributes) -> Result<(), ApiError> {
        known(&changes, &ENDPOINT_ATTRIBUTES)?;
        self.device_mut(cx, arn)?.extend(changes);
        Ok(())
    }

    /// ARNs and attributes of up to `count` devices of an application after this id.
    pub fn endpoints_after(
        &mut self,
        cx: &Cx<'_>,
        arn: &str,
        after: Option<&str>,
        count: usize,
    ) -> Result<Vec<(String, Attributes)>, ApiError> {
        let (key, application) = self.application_mut(cx, arn)?;
        let from = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let found = application.endpoints.range::<str, _>(from).take(count);
        let arn_of = |id: &str| cx.place.arn("sns", &format!("endpoint/{key}/{id}"));
        Ok(found.map(|(id, attributes)| (arn_of(id), attributes.clone())).collect())
    }

    pub(super) fn has_endpoint(&self, place: &Place, arn: &str) -> bool {
        let key = endpoint_key(place, arn).ok();
        let found = key.and_then(|(key, id)| Some((self.applications.get(key)?, id)));
        found.is_some_and(|(application, id)| application.endpoints.contains_key(id))
    }

    /// Publishes to one device: the message's id.
    pub fn push(&mut self, cx: &mut Cx<'_>, arn: &str) -> Result<String, ApiError> {
        let unknown = |_| error::invalid_parameter("TargetArn Reason: No endpoint found for the target arn specified");
        let is_enabled = self.device_mut(cx, arn).map_err(unknown)?.get("Enabled").is_some_and(|text| is_true(text));
        if !is_enabled {
            return Err(ApiError::client("EndpointDisabled", "Endpoint is disabled"));
        }
        let (key, _) = endpoint_key(cx.place, arn)?;
        if !self.applications[key].attributes.get("Enabled").is_some_and(|text| is_true(text)) {
            return Err(ApiError::client("PlatformApplicationDisabled", "Platform application is disabled"));
        }
        Ok(cx.uuid())
    }
}

fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

/// `PLATFORM/name` and id of an endpoint's ARN.
fn endpoint_key<'a>(place: &Place, arn: &'a str) -> Result<(&'a str, &'a str), ApiError> {
    let resource = resource(place, arn, "endpoint", "EndpointArn")?;
    resource.rsplit_once('/').ok_or_else(|| error::invalid_parameter("EndpointArn"))
}

impl Application {
    fn shown(&self) -> Attributes {
        let shown = self.attributes.iter().filter(|(name, _)| !SECRET.contains(&name.as_str()));
        shown.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
