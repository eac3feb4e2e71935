//! Who may do what with a stream or a registered consumer. A call that names another account's by its ARN goes to the
//! owner, where the resource's policy decides; what the policy denies it denies its own account, too (Kinesis
//! "Controlling access", "Sharing your data stream with another account"; IAM "Policy evaluation logic").

use super::Input;
use crate::sim::access::{self, Asking, Judgement, Who};
use crate::sim::cloudtrail::Identity;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::kinesis::{ConsumerId, ConsumerSummary, Kinesis, ShardIterator};
use crate::sim::sts;
use crate::sim::wire::Call;
use crate::sim::world::World;

/// What a policy may open to other accounts: records in and out, and what a reader or a writer has to know of the
/// stream. Everything else is its owner's alone.
const SHARED: [&str; 11] = [
    "DescribeStream",
    "DescribeStreamConsumer",
    "DescribeStreamSummary",
    "GetRecords",
    "GetShardIterator",
    "ListShards",
    "ListStreamConsumers",
    "PutRecord",
    "PutRecords",
    "RegisterStreamConsumer",
    "SubscribeToShard",
];

/// What the owner may whatever the policy says, as its root user may at AWS: nobody is locked out of his own stream.
const NEVER_DENIED: [&str; 4] = ["DeleteResourcePolicy", "DeleteStream", "GetResourcePolicy", "PutResourcePolicy"];

/// The ARN that a call names its stream or consumer by.
fn arn_of<'a>(input: &Input<'a>) -> Option<&'a str> {
    ["ConsumerARN", "ResourceARN", "StreamARN"].iter().find_map(|member| input.optional_text(member))
}

/// Whether a call is about another account's stream or consumer, and leaves for it.
pub(super) fn leaves(world: &World, call: &mut Call, input: &Input<'_>) -> bool {
    let Some(arn) = arn_of(input) else { return false };
    let mut parts = arn.splitn(6, ':').skip(3);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    region == world.place.region && account != world.place.account && call.leave(world, account, region)
}

/// Looks at a call: one from another account must be let in, one of the owner's must not be denied.
/// Errors: AccessDeniedException.
pub(super) fn judge(world: &World, call: &Call, operation: &str, input: &Input<'_>) -> Result<(), ApiError> {
    let Some(visitor) = call.visitor() else { return not_denied(world, call, operation, input) };
    // Who may not know of a stream is not told whether it is there.
    let arn = arn_of(input).unwrap_or_default();
    let about = About::of(world, operation, input);
    let resource = about.as_ref().map_or(arn, |about| about.arn.as_str());
    let judgement = match about.as_ref().and_then(|about| about.policy) {
        Some(policy) if SHARED.contains(&operation) => {
            let who = Who::Caller { account: &visitor.account, identity: &visitor.identity };
            judged(policy, resource, who, operation)
        }
        _ => Judgement::IsSilent,
    };
    if judgement == Judgement::Allows {
        Ok(())
    } else {
        Err(refusal(&visitor.identity, operation, resource, judgement))
    }
}

fn not_denied(world: &World, call: &Call, operation: &str, input: &Input<'_>) -> Result<(), ApiError> {
    if NEVER_DENIED.contains(&operation) {
        return Ok(());
    }
    let Some(About { arn, policy: Some(policy) }) = About::of(world, operation, input) else { return Ok(()) };
    let identity = sts::identity(world, &call.request);
    let who = Who::Caller { account: &world.place.account, identity: &identity };
    match judged(policy, &arn, who, operation) {
        Judgement::Denies => Err(refusal(&identity, operation, &arn, Judgement::Denies)),
        _ => Ok(()),
    }
}

fn judged(policy: &str, resource: &str, who: Who<'_>, operation: &str) -> Judgement {
    let action = format!("kinesis:{}", operation.to_ascii_lowercase());
    access::judge(policy, resource, &Asking { who, action: &action })
}

fn refusal(identity: &Identity, operation: &str, arn: &str, judgement: Judgement) -> ApiError {
    let message = access::refusal(identity, &format!("kinesis:{operation}"), arn, judgement);
    ApiError::client("AccessDeniedException", message)
}

/// The stream or consumer of this account that a call is about, and its policy.
struct About<'w> {
    arn: String,
    policy: Option<&'w str>,
}

impl<'w> About<'w> {
    /// `None` where there is no such thing: what is wrong with the call is for the operation to say.
    fn of(world: &'w World, operation: &str, input: &Input<'_>) -> Option<Self> {
        let (kinesis, place) = (&world.kinesis, &world.place);
        // One that is about to be registered is not there yet: it is the stream that judges.
        if let Some(id) = consumer_of(input).filter(|_| operation != "RegisterStreamConsumer") {
            return Self::consumer(kinesis, place, &id);
        }
        let arn = input.optional_text("ResourceARN").or_else(|| input.optional_text("StreamARN"));
        let of_arn = arn.and_then(|arn| arn.split_once(":stream/")).map(|(_, name)| name);
        let of_iterator = || input.optional_text("ShardIterator").and_then(ShardIterator::stream_of);
        let name = input.optional_text("StreamName").or(of_arn).map(str::to_owned).or_else(of_iterator)?;
        let policy = kinesis.stream(&name)?.policy.as_deref();
        Some(Self { arn: place.arn("kinesis", &format!("stream/{name}")), policy })
    }

    fn consumer(kinesis: &'w Kinesis, place: &Place, id: &ConsumerId) -> Option<Self> {
        let consumer = kinesis.stream(&id.stream)?.consumer(id)?;
        let arn = ConsumerSummary::from(consumer).arn(place, &id.stream);
        Some(Self { arn, policy: consumer.policy.as_deref() })
    }
}

/// The consumer that a call names by its ARN, or by its stream's and its own name.
fn consumer_of(input: &Input<'_>) -> Option<ConsumerId> {
    let by_arn = ["ConsumerARN", "ResourceARN"].iter().find_map(|member| input.optional_text(member));
    if let Some(id) = by_arn.and_then(ConsumerId::parse) {
        return Some(id);
    }
    let stream = input.optional_text("StreamARN")?.split_once(":stream/")?.1.to_owned();
    let consumer = input.optional_text("ConsumerName")?.to_owned();
    Some(ConsumerId { stream, consumer, created_s: None })
}
