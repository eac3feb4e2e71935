//! Queue URLs: which queue one names, and how one is written for a caller.

use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::sqs::error;
use crate::sim::sqs::wire::input::Input;
use crate::sim::wire::Request;
use crate::sim::world::World;

/// The name of the queue that the member `QueueUrl` names. Any URL does whose last two parts are account and name, and
/// so does a bare name; every other text names a queue that is not there.
pub fn queue_of(world: &World, input: Input<'_>) -> Result<String, ApiError> {
    let url = input.required_text("QueueUrl")?;
    let mut parts = url.trim_end_matches('/').rsplit('/');
    match (parts.next(), parts.next()) {
        (Some(name), Some(account)) if account == world.place.account => Ok(name.to_owned()),
        (Some(name), None) => Ok(name.to_owned()),
        _ => Err(error::queue_does_not_exist()),
    }
}

/// The account that a queue's URL names, if it names one.
pub fn owner_of(url: &str) -> Option<&str> {
    url.trim_end_matches('/').rsplit('/').nth(1)
}

/// `http(s)://HOST/ACCOUNT/NAME` with the host that the caller used, unless that is AWS's own.
pub fn url_for(place: &Place, request: &Request, name: &str) -> String {
    match request.header("host") {
        Some(host) if !is_aws(host) => format!("http://{host}/{}/{name}", place.account),
        _ => format!("https://sqs.{}.amazonaws.com/{}/{name}", place.region, place.account),
    }
}

fn is_aws(host: &str) -> bool {
    let host = host.split(':').next().unwrap_or(host);
    host.is_empty() || host.ends_with(".amazonaws.com") || host.ends_with(".api.aws")
}
