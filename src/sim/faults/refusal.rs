//! What AWS says to a request that a fault of the API strikes: each service has its own code, status and words for the
//! same thing ("Common errors" of each API reference).

use super::api::Effect;
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::wire::Service;
use crate::sim::world::World;
use std::time::Duration;

/// A request as faults look at it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub service: Service,
    pub operation: &'a str,
    pub resources: &'a [String],
    /// The application or the service that asks; `None` for a client.
    pub actor: Option<&'a str>,
}

/// A signature's time may be so far from AWS's.
const TOLERATED: Duration = Duration::from_secs(5 * 60);

/// The refusal; `None` where the effect is none.
pub fn of(world: &World, effect: &Effect, asked: &Asked<'_>, user: &str) -> Option<ApiError> {
    match effect {
        Effect::Throttle { .. } => Some(throttled(&world.place, asked)),
        Effect::Fail { status, .. } => Some(failed(asked.service, *status)),
        Effect::Deny => denied(&world.place, asked, user),
        Effect::Expire => Some(expired(asked.service)),
        Effect::Skew { by } => skewed(asked.service, world.now, *by),
        Effect::Hang { .. } | Effect::Delay { .. } | Effect::Cut => None,
    }
}

/// What an application makes of a request that was not answered.
pub fn no_answer() -> ApiError {
    ApiError::client("RequestTimeout", "").with_status(408)
}

/// What a request is told that waits while the engine stops: AWS's words for a server that goes out of service.
pub fn closed() -> ApiError {
    let message = "The request has failed due to a temporary failure of the server.";
    ApiError::client("ServiceUnavailable", message).with_status(503)
}

fn throttled(place: &Place, asked: &Asked<'_>) -> ApiError {
    let (account, operation) = (&place.account, asked.operation);
    match asked.service {
        Service::Kinesis => match asked.resources.first() {
            Some(stream) if matches!(operation, "PutRecord" | "PutRecords" | "GetRecords" | "GetShardIterator") => {
                let message =
                    format!("Rate exceeded for shard shardId-000000000000 in stream {stream} under account {account}.");
                ApiError::client("ProvisionedThroughputExceededException", message)
            }
            Some(stream) => {
                let message = format!("Rate exceeded for stream {stream} under account {account}.");
                ApiError::client("LimitExceededException", message)
            }
            None => ApiError::client("LimitExceededException", format!("Rate exceeded for account {account}.")),
        },
        Service::Sqs => ApiError::client("RequestThrottled", "Request is throttled.").with_status(403),
        Service::Sns => ApiError::client("Throttled", "Rate exceeded").with_status(429),
        Service::Lambda => ApiError::client("TooManyRequestsException", "Rate exceeded")
            .with_status(429)
            .with_member("Reason", "CallerRateLimitExceeded")
            .with_header("retry-after", "1"),
        Service::DynamoDb if operation.contains("Table") || operation.contains("Resource") => {
            ApiError::client("ThrottlingException", "Rate of requests exceeds the allowed throughput.")
        }
        Service::DynamoDb => {
            let message = "Throughput exceeds the current throughput limit for your account. Please contact AWS \
                           Support at https://aws.amazon.com/support request a limit increase";
            ApiError::client("RequestLimitExceeded", message)
        }
        Service::Firehose if operation.starts_with("PutRecord") => {
            ApiError::client("ServiceUnavailableException", "Slow down.").with_status(500)
        }
        Service::Firehose => ApiError::client("LimitExceededException", "Rate exceeded"),
        Service::CloudWatch | Service::Sts | Service::Iam => {
            ApiError::client("ThrottlingException", "Rate exceeded").with_query_code("Throttling")
        }
        Service::CloudTrail | Service::Logs | Service::Swf => ApiError::client("ThrottlingException", "Rate exceeded"),
        Service::Tagging => ApiError::client("ThrottledException", "Rate exceeded"),
    }
}

fn failed(service: Service, status: u16) -> ApiError {
    if status == 503 {
        let message = "The request has failed due to a temporary failure of the server.";
        let code = match service {
            Service::Firehose | Service::Logs | Service::Lambda => "ServiceUnavailableException",
            _ => "ServiceUnavailable",
        };
        return ApiError::client(code, message).with_status(503);
    }
    let error = match service {
        Service::Lambda => {
            ApiError::client("ServiceException", "An error occurred and the request cannot be processed.")
        }
        Service::DynamoDb => ApiError::client("InternalServerError", "Internal server error"),
        Service::CloudWatch => {
            let message = "Request processing has failed due to some unknown error, exception or failure.";
            ApiError::client("InternalServiceFault", message).with_query_code("InternalServiceError")
        }
        Service::Sqs => {
            let message = "We encountered an internal error. Please try again.";
            ApiError::client("InternalFailure", message).with_query_code("InternalError")
        }
        Service::Sns => ApiError::client("InternalError", "Internal Error"),
        Service::Iam => ApiError::client("ServiceFailure", ""),
        Service::Tagging => ApiError::client("InternalServiceException", "Internal service error"),
        _ => ApiError::client("InternalFailure", ""),
    };
    error.with_status(status)
}

/// The services that were first written for the query protocol, and Lambda, refuse callers with 403; the others with
/// 400, as all that they refuse.
fn refusing_status(service: Service) -> u16 {
    match service {
        Service::Sqs | Service::Sns | Service::CloudWatch | Service::Sts | Service::Iam | Service::Lambda => 403,
        _ => 400,
    }
}

/// `None` for the one operation that needs no permission (STS, GetCallerIdentity).
fn denied(place: &Place, asked: &Asked<'_>, user: &str) -> Option<ApiError> {
    if asked.service == Service::Sts && asked.operation == "GetCallerIdentity" {
        return None;
    }
    let action = action(asked.service, asked.operation);
    let on = resource(place, asked).map_or_else(String::new, |resource| format!(" on resource: {resource}"));
    let message = format!(
        "User: {user} is not authorized to perform: {action}{on} because no identity-based policy allows the {action} \
         action"
    );
    let code = if asked.service == Service::Sns { "AuthorizationError" } else { "AccessDeniedException" };
    let error = ApiError::client(code, message).with_status(refusing_status(asked.service));
    Some(match asked.service {
        Service::Sqs | Service::CloudWatch | Service::Sts | Service::Iam => error.with_query_code("AccessDenied"),
        _ => error,
    })
}

/// The action that policies know the operation by. SQS writes it in small letters, SNS the service in large ones.
fn action(service: Service, operation: &str) -> String {
    let single = operation.strip_suffix("Batch").filter(|_| matches!(service, Service::Sqs | Service::Sns));
    let operation = single.unwrap_or(operation);
    match service {
        Service::Sqs => format!("sqs:{}", operation.to_ascii_lowercase()),
        Service::Sns => format!("SNS:{operation}"),
        Service::CloudWatch => format!("cloudwatch:{operation}"),
        Service::Tagging => format!("tag:{operation}"),
        Service::Lambda if operation == "Invoke" => "lambda:InvokeFunction".to_owned(),
        other => format!("{}:{operation}", other.name()),
    }
}

/// How the message names what the request is about; `None` where an action is about no resource.
fn resource(place: &Place, asked: &Asked<'_>) -> Option<String> {
    let name = asked.resources.first().map(String::as_str);
    Some(match (asked.service, name) {
        (Service::CloudWatch | Service::CloudTrail | Service::Tagging, _) => return None,
        (Service::Sqs, name) => place.arn("sqs", name.unwrap_or_default()),
        (Service::Sns, name) => place.arn("sns", name.unwrap_or("*")),
        (Service::Kinesis, name) => place.arn("kinesis", &format!("stream/{}", name.unwrap_or("*"))),
        (Service::Lambda, Some(name)) => place.arn("lambda", &format!("function:{name}")),
        (Service::DynamoDb, name) => place.arn("dynamodb", &format!("table/{}", name.unwrap_or("*"))),
        (Service::Firehose, Some(name)) => place.arn("firehose", &format!("deliverystream/{name}")),
        (Service::Swf, name) => place.arn("swf", &format!("/domain/{}", name.unwrap_or("*"))),
        (Service::Logs, name) => place.arn("logs", &format!("log-group:{}:log-stream:", name.unwrap_or_default())),
        (Service::Sts, Some(arn)) => arn.to_owned(),
        (Service::Lambda | Service::Firehose | Service::Sts, None) | (Service::Iam, _) => "*".to_owned(),
    })
}

fn expired(service: Service) -> ApiError {
    let message = "The security token included in the request is expired";
    let error = ApiError::client("ExpiredTokenException", message).with_status(refusing_status(service));
    if service == Service::Lambda || error.status == 400 { error } else { error.with_query_code("ExpiredToken") }
}

/// `None` for a clock that is off by no more than AWS tolerates.
fn skewed(service: Service, now: Timestamp, by: Duration) -> Option<ApiError> {
    if by <= TOLERATED {
        return None;
    }
    let (signed, earliest) = (basic(now - by), basic(now - TOLERATED));
    let message = format!("Signature expired: {signed} is now earlier than {earliest} ({} - 5 min.)", basic(now));
    let error = ApiError::client("InvalidSignatureException", message).with_status(refusing_status(service));
    let is_query = error.status == 403 && service != Service::Lambda;
    Some(if is_query { error.with_query_code("SignatureDoesNotMatch") } else { error })
}

/// `20261127T180000Z`, as signatures write time.
fn basic(time: Timestamp) -> String {
    time.floor_to(1).rfc3339().chars().filter(|letter| !matches!(letter, '-' | ':')).collect()
}
