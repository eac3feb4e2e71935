//! ARNs of topics and subscriptions: which one a caller means, and what is said of those that mean none.

use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::sns::error;

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`, taken apart; the resource may hold further colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    pub service: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, _partition) = (parts.next()?, parts.next()?);
        let (service, region, account) = (parts.next()?, parts.next()?, parts.next()?);
        let resource = parts.next()?;
        (arn == "arn").then_some(Self { service, region, account, resource })
    }
}

fn too_short(member: &str, text: &str) -> ApiError {
    let count = text.split(':').count();
    error::invalid_parameter(format!("{member} Reason: An ARN must have at least 6 elements, not {count}"))
}

/// The name of the topic that the ARN names. Another region's is refused, another account's does not exist here.
pub fn topic_name<'a>(place: &Place, text: &'a str) -> Result<&'a str, ApiError> {
    topic_named(place, "TopicArn", text)
}

/// The same where the member has another name.
pub fn topic_named<'a>(place: &Place, member: &str, text: &'a str) -> Result<&'a str, ApiError> {
    if text.split(':').count() < 6 {
        return Err(too_short(member, text));
    }
    let arn = Arn::parse(text).filter(|arn| arn.service == "sns" && arn.region == place.region);
    let arn = arn.ok_or_else(|| error::invalid_parameter(member))?;
    if arn.account != place.account {
        return Err(error::topic_does_not_exist());
    }
    Ok(arn.resource)
}

/// A subscription's topic and id. An ARN of a topic is refused, as its last part is no id.
pub fn subscription_id<'a>(place: &Place, text: &'a str) -> Result<(&'a str, &'a str), ApiError> {
    if text.is_empty() {
        return Err(error::invalid_parameter("SubscriptionArn Reason: no value for required parameter"));
    }
    if text.split(':').count() < 6 {
        return Err(too_short("SubscriptionArn", text));
    }
    let arn = Arn::parse(text).ok_or_else(|| error::invalid_parameter("SubscriptionArn"))?;
    if arn.region != place.region {
        return Err(error::invalid_parameter("SubscriptionArn"));
    }
    arn.resource.split_once(':').filter(|(_, id)| is_uuid(id)).ok_or_else(|| error::invalid_parameter("SubscriptionId"))
}

fn is_uuid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    let fits = |(at, byte): (usize, u8)| if dashes.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_named_by_its_arn_in_this_region() {
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
        let message = |text: &str| topic_name(&place, text).unwrap_err().message;
        assert_eq!(topic_name(&place, "arn:aws:sns:eu-west-1:123456789012:news"), Ok("news"));
        assert_eq!(message("news"), "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1");
        assert_eq!(message("arn:aws:sns:us-east-1:123456789012:news"), "Invalid parameter: TopicArn");
        assert_eq!(message("arn:aws:sns:eu-west-1:000000000000:news"), "Topic does not exist");
    }

    #[test]
    fn a_subscription_is_named_by_its_topic_and_a_uuid() {
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
        let arn = "arn:aws:sns:eu-west-1:123456789012:news:6b0e71bd-7e97-4d97-80ce-4a0994e55286";
        assert_eq!(subscription_id(&place, arn), Ok(("news", "6b0e71bd-7e97-4d97-80ce-4a0994e55286")));
        let message = |text: &str| subscription_id(&place, text).unwrap_err().message;
        assert_eq!(message("arn:aws:sns:eu-west-1:123456789012:news"), "Invalid parameter: SubscriptionId");
        assert_eq!(message(""), "Invalid parameter: SubscriptionArn Reason: no value for required parameter");
    }
}
