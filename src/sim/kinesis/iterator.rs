//! Shard iterators: a cursor with stream, shard and time of issue in one string that lives for five minutes.

use super::fault;
use super::read::Cursor;
use super::sequence::ShardId;
use super::token::{self, TokenKind};
use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;

const LIFE_MS: u128 = 300_000;

/// What an iterator string stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardIterator {
    pub stream: String,
    pub shard: ShardId,
    pub cursor: Cursor,
}

impl ShardIterator {
    pub fn seal(&self, now: Timestamp) -> String {
        token::seal(TokenKind::Iterator, now, &format!("{}/{}/{}", self.stream, self.shard.0, self.cursor.0))
    }

    /// The stream that an iterator is of, however old it is.
    pub fn stream_of(text: &str) -> Option<String> {
        let (_, text) = token::open(TokenKind::Iterator, unquoted(text))?;
        text.split('/').next().map(str::to_owned)
    }

    /// Errors: `InvalidArgumentException` for what is no iterator of ours, `ExpiredIteratorException` after five
    /// minutes.
    pub fn open(text: &str, now: Timestamp) -> Result<Self, ApiError> {
        let invalid = || fault::invalid_argument("Invalid ShardIterator.");
        let text = unquoted(text);
        let (issued, text) = token::open(TokenKind::Iterator, text).ok_or_else(invalid)?;
        if issued > now {
            return Err(invalid());
        }
        if now.since(issued).as_millis() > LIFE_MS {
            let message = format!(
                "Iterator expired. The iterator was created at time {} while right now it is {} which is further in \
                 the future than the tolerated delay of {LIFE_MS} milliseconds.",
                java_date(issued),
                java_date(now)
            );
            return Err(ApiError::client("ExpiredIteratorException", message));
        }
        let mut parts = text.split('/');
        let stream = parts.next().ok_or_else(invalid)?.to_owned();
        let shard = parts.next().and_then(|part| part.parse().ok()).map(ShardId).ok_or_else(invalid)?;
        let cursor = parts.next().and_then(|part| part.parse().ok()).map(Cursor).ok_or_else(invalid)?;
        Ok(Self { stream, shard, cursor })
    }
}

/// AWS takes an iterator between quotation marks as well, which is how the AWS CLI prints it.
fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// `Thu Jan 22 01:22:02 UTC 2015`, as the service's messages write time.
fn java_date(time: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(time.millis()) {
        Ok(time) => time.strftime("%a %b %d %H:%M:%S UTC %Y").to_string(),
        Err(_) => time.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn lives_for_five_minutes() {
        let issued = Timestamp::parse_rfc3339("2015-01-22T01:22:02Z").unwrap();
        let iterator = ShardIterator { stream: "bids".into(), shard: ShardId(2), cursor: Cursor(17) };
        let text = iterator.seal(issued);
        assert_eq!(ShardIterator::open(&text, issued + Duration::from_secs(300)), Ok(iterator.clone()));
        assert_eq!(ShardIterator::open(&format!("\"{text}\""), issued), Ok(iterator));
        let error = ShardIterator::open(&text, issued + Duration::from_secs(301)).unwrap_err();
        assert_eq!(error.code, "ExpiredIteratorException");
        assert_eq!(
            error.message,
            "Iterator expired. The iterator was created at time Thu Jan 22 01:22:02 UTC 2015 while right now it is \
             Thu Jan 22 01:27:03 UTC 2015 which is further in the future than the tolerated delay of 300000 \
             milliseconds."
        );
        assert_eq!(ShardIterator::open("x", issued).unwrap_err().message, "Invalid ShardIterator.");
    }
}
