//! Errors by class: what the SDK says of a failed call becomes one sentence with the cure, never a debug dump.

use crate::aws::operations::Operation;
use crate::domain::finding::ErrorClass;
use crate::domain::value::NoData;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;

/// Where the calls go, for sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The endpoint's URL where one was given.
    pub endpoint_url: Option<String>,
    pub region: String,
    pub profile: Option<String>,
    /// The context of the config that says so: the cure is to be made there.
    pub in_config: Option<String>,
}

impl Place {
    /// The endpoint, or AWS with the region.
    pub fn name(&self) -> String {
        match &self.endpoint_url {
            Some(url) => url.clone(),
            None => format!("AWS in {}", self.region),
        }
    }

    fn other_profile(&self) -> String {
        match &self.in_config {
            Some(context) => format!("name another `profile` in the config's [contexts.{context}]"),
            None => "choose another profile with --profile".to_owned(),
        }
    }

    fn profile_flag(&self) -> String {
        self.profile.as_ref().map_or(String::new(), |profile| format!(" --profile {profile}"))
    }
}

/// A failed call, told to a person and to the merging of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub class: ErrorClass,
    /// One line: what happened and what to do about it.
    pub sentence: String,
    /// Why the fields that were asked for have no datum; `None` where the last good values still stand.
    pub no_data: Option<NoData>,
    /// It strikes every call there, whatever is asked of whom: credentials, the network, the clock.
    pub of_place: bool,
    /// The resource that was asked about does not exist; the service is well.
    pub resource_gone: bool,
    /// AWS may have acted on the request all the same: it was sent, and no refusal came back.
    pub maybe_done: bool,
}

/// What went wrong, without the SDK's types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No credentials, or they could not be fetched.
    Credentials(String),
    /// The request never left: it could not be built, or nobody answered at the address.
    NotSent(String),
    /// The request left and no whole answer came back in time.
    Lost(String),
    /// An answer that is not of AWS's form.
    Unreadable { status: u16 },
    /// AWS's own error.
    Refused { status: u16, code: Option<String>, message: Option<String> },
}

/// Reads the SDK's error.
pub fn failure<E>(error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    if let SdkError::ServiceError(service) = error {
        return Failure::Refused {
            status: service.raw().status().as_u16(),
            code: service.err().code().map(one_line),
            message: service.err().message().map(one_line),
        };
    }
    let chain = chain(error);
    if let Some(credentials) = chain.iter().find_map(|link| link.downcast_ref::<CredentialsError>()) {
        return Failure::Credentials(root_cause(credentials));
    }
    let cause = root_cause(error);
    match error {
        SdkError::ConstructionFailure(_) => Failure::NotSent(cause),
        SdkError::TimeoutError(_) => Failure::Lost("no answer in time".to_owned()),
        SdkError::DispatchFailure(dispatch) => {
            if dispatch.is_user() || chain.iter().any(|link| never_connected(*link)) {
                Failure::NotSent(cause)
            } else {
                Failure::Lost(cause)
            }
        }
        SdkError::ResponseError(response) => Failure::Unreadable { status: response.raw().status().as_u16() },
        _ => Failure::Lost(cause),
    }
}

/// The failed call as a person and the rows need it.
pub fn trouble<E>(error: &SdkError<E, HttpResponse>, operation: &Operation, place: &Place) -> Trouble
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    classify(failure(error), operation, place)
}

/// Codes that mean "slow down", of all services in use.
pub fn is_throttling_code(text: &str) -> bool {
    const CODES: [&str; 8] = [
        "Throttl",
        "ProvisionedThroughputExceeded",
        "LimitExceededException",
        "TooManyRequests",
        "RequestLimitExceeded",
        "SlowDown",
        "RequestThrottled",
        "OverLimit",
    ];
    CODES.iter().any(|code| text.contains(code))
}

/// Credentials that AWS does not take, whatever the operation.
const BAD_CREDENTIALS: [&str; 8] = [
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
];

fn is_expired(code: &str) -> bool {
    code.contains("ExpiredToken") || code == "RequestExpired"
}

/// `Signature expired: … is now earlier than …` and `Signature not yet current: …`: right credentials at a wrong time.
fn is_skewed(code: &str, message: Option<&str>) -> bool {
    let about_time =
        |text: &str| text.starts_with("Signature expired") || text.starts_with("Signature not yet current");
    code == "RequestTimeTooSkewed" || message.is_some_and(about_time)
}

/// The standard chain lists everything that it tried; that nothing was there is all there is to say.
fn no_credentials(cause: &str) -> &str {
    if cause.starts_with("no credentials found in chain") {
        "none in the environment, the profile, the container or the instance"
    } else {
        cause
    }
}

const UNKNOWN_OPERATION: [&str; 6] = [
    "UnknownOperationException",
    "UnknownOperation",
    "InvalidAction",
    "NotImplemented",
    "NotImplementedException",
    "NotImplementedError",
];

/// Pure: the sentence and the consequences of a failure.
pub fn classify(failure: Failure, operation: &Operation, place: &Place) -> Trouble {
    let label = operation.label;
    let (class, sentence, no_data) = match &failure {
        Failure::Credentials(cause) => (
            ErrorClass::Denied,
            format!(
                "No AWS credentials could be had ({}). Run `aws sso login{}`, set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY, or {}.",
                no_credentials(cause),
                place.profile_flag(),
                place.other_profile()
            ),
            None,
        ),
        Failure::NotSent(cause) => {
            (ErrorClass::Network, format!("{} cannot be reached: {cause}. {}", place.name(), network_cure(place)), None)
        }
        Failure::Lost(cause) => {
            (ErrorClass::Network, format!("{} did not answer: {cause}. {}", place.name(), network_cure(place)), None)
        }
        Failure::Unreadable { status } if is_unserved(*status) => not_served(label, place),
        Failure::Unreadable { status } => (
            ErrorClass::Other,
            format!("{} answered {label} with status {status} and no text of AWS's form.", place.name()),
            None,
        ),
        Failure::Refused { status, code, message } => {
            refused(*status, code.as_deref().unwrap_or(""), message.as_deref(), operation, place)
        }
    };
    let (resource_gone, maybe_done) = match &failure {
        Failure::Refused { status, code, .. } => (code.as_deref().is_some_and(is_gone_code), *status >= 500),
        Failure::Lost(_) => (false, true),
        Failure::Unreadable { status } => (false, !is_unserved(*status)),
        Failure::Credentials(_) | Failure::NotSent(_) => (false, false),
    };
    let of_place = match &failure {
        Failure::Credentials(_) | Failure::NotSent(_) | Failure::Lost(_) => true,
        Failure::Unreadable { .. } => false,
        Failure::Refused { code, message, .. } => {
            let code = code.as_deref().unwrap_or("");
            is_expired(code) || is_skewed(code, message.as_deref()) || BAD_CREDENTIALS.contains(&code)
        }
    };
    Trouble { class, sentence, no_data, of_place, resource_gone, maybe_done }
}

type Told = (ErrorClass, String, Option<NoData>);

fn refused(status: u16, code: &str, message: Option<&str>, operation: &Operation, place: &Place) -> Told {
    let label = operation.label;
    let told = match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{}: {}", short_code(code), sentence_end(message)),
        None => sentence_end(&short_code(code)),
    };
    if is_expired(code) {
        let cure = format!("run `aws sso login{}` or renew the session token", place.profile_flag());
        return (ErrorClass::Denied, format!("The credentials have expired: {cure}, then it goes on by itself."), None);
    }
    if is_skewed(code, message) {
        let cure = "Set the clock of this machine (`chronyc makestep`, `timedatectl`)";
        return (ErrorClass::Denied, format!("AWS finds the clock of this machine wrong. {cure}."), None);
    }
    if BAD_CREDENTIALS.contains(&code) {
        let cure = "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile";
        return (
            ErrorClass::Denied,
            format!("{} does not take these credentials ({told}) {cure}.", place.name()),
            None,
        );
    }
    if is_throttling_code(code) || status == 429 {
        let sentence = format!(
            "{label} was throttled, retries included ({told}) Others use up the rate that AWS gives this account."
        );
        return (ErrorClass::Throttled, sentence, None);
    }
    if code.contains("AccessDenied") || code == "AuthorizationError" || code == "OptInRequired" || status == 403 {
        let permission = operation.permission;
        let sentence = format!(
            "{label} is not allowed ({told}) Ask for `{permission}`; `midwatch policy` prints all that is needed."
        );
        return (ErrorClass::Denied, sentence, Some(NoData::Denied));
    }
    if is_gone_code(code) {
        return (ErrorClass::Missing, format!("It does not exist ({label}: {told})"), None);
    }
    if UNKNOWN_OPERATION.contains(&code) || (code.is_empty() && is_unserved(status)) || status == 501 {
        return not_served(label, place);
    }
    let cure = match status {
        500.. => " Nothing here can mend it; the AWS Health Dashboard tells of outages.",
        _ => "",
    };
    (ErrorClass::Other, format!("{label} failed with status {status}: {told}{cure}"), None)
}

fn not_served(label: &str, place: &Place) -> Told {
    let sentence = format!("{} does not serve {label}.", place.name());
    (ErrorClass::Missing, sentence, Some(NoData::Failed))
}

fn is_unserved(status: u16) -> bool {
    matches!(status, 404 | 405 | 501)
}

/// Codes that say that the resource asked about is not there.
fn is_gone_code(code: &str) -> bool {
    matches!(
        code,
        "ResourceNotFoundException"
            | "QueueDoesNotExist"
            | "AWS.SimpleQueueService.NonExistentQueue"
            | "NoSuchEntity"
            | "UnknownResourceFault"
    )
}

fn network_cure(place: &Place) -> String {
    match &place.endpoint_url {
        Some(_) => match &place.in_config {
            Some(context) => {
                format!("Is something listening there? Check `endpoint_url` in the config's [contexts.{context}].")
            }
            None => "Is something listening there? Check --endpoint-url.".to_owned(),
        },
        None => "Check the network, the proxy and the region.".to_owned(),
    }
}

/// The code without its service's prefix: `AWS.SimpleQueueService.NonExistentQueue` says nothing more.
fn short_code(code: &str) -> String {
    match code {
        "" => "no code given".to_owned(),
        _ => code.rsplit('.').next().unwrap_or(code).to_owned(),
    }
}

fn sentence_end(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// Whether the link of an error chain says that no connection came about.
fn never_connected(link: &(dyn Error + 'static)) -> bool {
    use std::io::ErrorKind;
    if let Some(io) = link.downcast_ref::<std::io::Error>() {
        let kinds = [
            ErrorKind::ConnectionRefused,
            ErrorKind::HostUnreachable,
            ErrorKind::NetworkUnreachable,
            ErrorKind::AddrNotAvailable,
        ];
        return kinds.contains(&io.kind());
    }
    let text = link.to_string();
    ["(Connect)", "dns error", "error trying to connect", "connect timeout"].iter().any(|sign| text.contains(sign))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut links = vec![error];
    let mut link = error;
    while let Some(source) = link.source().filter(|_| links.len() < 16) {
        links.push(source);
        link = source;
    }
    links
}

fn root_cause(error: &(dyn Error + 'static)) -> String {
    let cause = chain(error).last().map_or_else(String::new, |link| link.to_string());
    let cause = one_line(&cause);
    cause.trim_end_matches('.').to_owned()
}

/// Longest text of AWS's that is shown.
const TEXT_CHARS_MAX: usize = 300;

/// One line without control characters, not too long.
pub fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::operations::{GET_QUEUE_ATTRIBUTES, INVOKE, LIST_MESSAGE_MOVE_TASKS};

    fn live() -> Place {
        Place { endpoint_url: None, region: "eu-west-1".into(), profile: Some("ops".into()), in_config: None }
    }

    fn refusal(status: u16, code: &str, message: &str) -> Failure {
        Failure::Refused { status, code: Some(code.into()), message: Some(message.into()) }
    }

    #[test]
    fn classes_follow_the_code() {
        let cases = [
            (refusal(403, "AccessDenied", "no"), ErrorClass::Denied, Some(NoData::Denied)),
            (refusal(400, "AccessDeniedException", "no"), ErrorClass::Denied, Some(NoData::Denied)),
            (refusal(400, "ExpiredTokenException", "old"), ErrorClass::Denied, None),
            (refusal(403, "InvalidClientTokenId", "who"), ErrorClass::Denied, None),
            (refusal(400, "ThrottlingException", "Rate exceeded"), ErrorClass::Throttled, None),
            (refusal(400, "LimitExceededException", "Rate exceeded"), ErrorClass::Throttled, None),
            (refusal(501, "NotImplemented", ""), ErrorClass::Missing, Some(NoData::Failed)),
            (Failure::Unreadable { status: 404 }, ErrorClass::Missing, Some(NoData::Failed)),
            (Failure::Unreadable { status: 200 }, ErrorClass::Other, None),
            (refusal(400, "AWS.SimpleQueueService.NonExistentQueue", "gone"), ErrorClass::Missing, None),
            (refusal(500, "InternalFailure", "oops"), ErrorClass::Other, None),
            (Failure::NotSent("Connection refused".into()), ErrorClass::Network, None),
        ];
        for (failure, class, no_data) in cases {
            let trouble = classify(failure.clone(), &GET_QUEUE_ATTRIBUTES, &live());
            assert_eq!((trouble.class, trouble.no_data), (class, no_data), "{failure:?}: {}", trouble.sentence);
            assert!(!trouble.sentence.contains('\n'));
        }
    }

    #[test]
    fn sentences_name_the_cure() {
        let told = |failure, operation| classify(failure, operation, &live()).sentence;
        let expired = told(refusal(400, "ExpiredToken", "The security token is expired"), &GET_QUEUE_ATTRIBUTES);
        assert!(expired.contains("`aws sso login --profile ops`"), "{expired}");
        let denied = told(refusal(403, "AccessDeniedException", "User x is not authorized"), &INVOKE);
        assert_eq!(
            denied,
            "lambda:Invoke is not allowed (AccessDeniedException: User x is not authorized.) Ask for \
             `lambda:InvokeFunction`; `midwatch policy` prints all that is needed."
        );
        let moto = Place { endpoint_url: Some("http://127.0.0.1:5000".into()), ..live() };
        let missing = classify(Failure::Unreadable { status: 404 }, &LIST_MESSAGE_MOVE_TASKS, &moto).sentence;
        assert_eq!(missing, "http://127.0.0.1:5000 does not serve sqs:ListMessageMoveTasks.");
    }

    #[test]
    fn only_a_lost_answer_may_have_been_acted_upon() {
        let maybe = |failure| classify(failure, &INVOKE, &live()).maybe_done;
        assert!(maybe(Failure::Lost("no answer in time".into())));
        assert!(maybe(refusal(500, "ServiceException", "")));
        assert!(!maybe(Failure::NotSent("Connection refused".into())));
        assert!(!maybe(refusal(429, "TooManyRequestsException", "Rate Exceeded.")));
    }

    #[test]
    fn a_gone_resource_is_no_gone_operation() {
        let gone = classify(refusal(404, "ResourceNotFoundException", "Function not found"), &INVOKE, &live());
        assert!(gone.resource_gone);
        assert_eq!(gone.no_data, None);
    }

    #[test]
    fn texts_of_aws_lose_control_characters_and_length() {
        assert_eq!(one_line("a\n\u{1b}[31m\tb"), "a [31m b");
        assert_eq!(one_line(&"x".repeat(1000)).chars().count(), TEXT_CHARS_MAX + 1);
    }
}
