//! Opaque tokens for clients: a task token or a page token carries what the service must know, sealed.

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::payload;
use crate::sim::swf::error;
use crate::sim::swf::{DomainId, ExecutionId, TaskKind, TaskToken};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use std::time::Duration;

/// AWS's task tokens begin with these bytes.
const HEAD: [u8; 8] = [0, 0, 0, 0x2a, 0, 0, 0, 2];
const CHECK: usize = 8;
const SALT: u64 = 0x7377_665f_746f_6b65;
/// A page token is good for so long.
const PAGE_LIFE: Duration = Duration::from_secs(24 * 3600);

/// The text of a task's handle. A token of a decision task is no token of an activity task.
pub(super) fn of_task(kind: TaskKind, task: TaskToken) -> String {
    let TaskToken { domain, execution, scheduled } = task;
    seal(&format!("{}|{}|{}|{scheduled}", code(kind), domain.0, execution.0))
}

fn code(kind: TaskKind) -> u64 {
    match kind {
        TaskKind::Activity => 1,
        TaskKind::Decision => 2,
    }
}

/// Errors: `ValidationException` for a text that the service did not give out for this kind.
pub(super) fn task(kind: TaskKind, text: &str) -> Result<TaskToken, ApiError> {
    let opened = open(text).ok_or_else(error::invalid_token)?;
    let mut parts = opened.split('|').map(|part| part.parse::<u64>().ok());
    let mut next = || parts.next().flatten().ok_or_else(error::invalid_token);
    if next()? != code(kind) {
        return Err(error::invalid_token());
    }
    let domain = u32::try_from(next()?).map_err(|_| error::invalid_token())?;
    Ok(TaskToken { domain: DomainId(domain), execution: ExecutionId(next()?), scheduled: next()? })
}

/// A page token: the place where the next page begins, in a listing that `of` describes.
pub(super) fn of_page(of: &str, issued: Timestamp, place: &str) -> String {
    seal(&format!("p|{}|{}|{place}", issued.millis(), listing_number(of)))
}

/// The place that the token means. Errors: `ValidationException` for a token of another listing or an old one.
pub(super) fn page(of: &str, now: Timestamp, text: &str) -> Result<String, ApiError> {
    let opened = open(text).ok_or_else(error::invalid_token)?;
    let mut parts = opened.splitn(4, '|');
    let (Some("p"), Some(issued), Some(listing), Some(place)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(error::invalid_token());
    };
    let issued = issued.parse().map(Timestamp::from_millis).map_err(|_| error::invalid_token())?;
    if listing != listing_number(of).to_string() {
        return Err(error::invalid_token());
    }
    if now.since(issued) > PAGE_LIFE {
        return Err(error::token_expired());
    }
    Ok(place.to_owned())
}

/// A listing's description may be long; its number is not.
fn listing_number(of: &str) -> u64 {
    u64::from_be_bytes(checksum(of.as_bytes()))
}

fn seal(text: &str) -> String {
    let plain = text.as_bytes();
    let check = checksum(plain);
    let mut bytes = HEAD.to_vec();
    bytes.extend(check);
    bytes.extend(mask(check, plain));
    STANDARD.encode(bytes)
}

fn open(token: &str) -> Option<String> {
    let bytes = STANDARD.decode(token).ok()?;
    let (check, masked) = bytes.strip_prefix(&HEAD)?.split_first_chunk::<CHECK>()?;
    let plain = mask(*check, masked);
    (checksum(&plain) == *check).then(|| String::from_utf8(plain).ok()).flatten()
}

fn checksum(plain: &[u8]) -> [u8; CHECK] {
    let digest = Md5::digest(plain);
    let mut check = [0; CHECK];
    check.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    check
}

/// Hides the text from eyes that would come to rely on it; it is no cipher and need not be one.
fn mask(check: [u8; CHECK], bytes: &[u8]) -> Vec<u8> {
    let mut state = u64::from_be_bytes(check) ^ SALT;
    let keys = std::iter::repeat_with(|| payload::next(&mut state).to_be_bytes()).flatten();
    bytes.iter().zip(keys).map(|(byte, key)| byte ^ key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_token_names_one_task_of_one_kind() {
        let task_token = TaskToken { domain: DomainId(3), execution: ExecutionId(77), scheduled: 5 };
        let text = of_task(TaskKind::Activity, task_token);
        assert!(text.starts_with("AAAAKgAAAA"), "{text}");
        assert_eq!(task(TaskKind::Activity, &text), Ok(task_token));
        for wrong in [text.replace('A', "B"), "bogus".into(), String::new()] {
            assert_eq!(task(TaskKind::Activity, &wrong), Err(error::invalid_token()));
        }
        assert_eq!(task(TaskKind::Decision, &text), Err(error::invalid_token()));
    }

    #[test]
    fn a_page_token_is_good_for_its_listing_and_for_a_day() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        let token = of_page("types|orders", at, "7");
        assert_eq!(page("types|orders", at, &token), Ok("7".into()));
        assert_eq!(page("types|other", at, &token), Err(error::invalid_token()));
        let later = at + PAGE_LIFE + Duration::from_millis(1);
        assert_eq!(page("types|orders", later, &token), Err(error::token_expired()));
    }
}
