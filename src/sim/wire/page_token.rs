//! Tokens of pages: what came last, sealed with what it is a page of, so that a token of another list is refused and no
//! caller takes a wrong page for the end.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// A token for the page after `last` of the list `of`: its service, account, operation and filters.
pub fn seal(of: &str, last: &str) -> String {
    let mut bytes = mark(of, last).to_vec();
    bytes.extend_from_slice(last.as_bytes());
    STANDARD.encode(bytes)
}

/// What came last, if the token is of this very list.
pub fn open(of: &str, token: &str) -> Option<String> {
    let bytes = STANDARD.decode(token).ok()?;
    let (sealed, last) = bytes.split_at_checked(MARK)?;
    let last = String::from_utf8(last.to_vec()).ok()?;
    (sealed == mark(of, &last)).then_some(last)
}

const MARK: usize = 8;

fn mark(of: &str, last: &str) -> [u8; MARK] {
    let digest = Sha256::new().chain_update(of).chain_update([0]).chain_update(last).finalize();
    std::array::from_fn(|n| digest[n])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_its_list_alone() {
        let token = seal("sqs 123456789012 QueueUrls a", "a7");
        assert_eq!(open("sqs 123456789012 QueueUrls a", &token).as_deref(), Some("a7"));
        assert_eq!(open("sqs 111122223333 QueueUrls a", &token), None);
        assert_eq!(open("sqs 123456789012 QueueUrls ", &token), None);
        for garbage in ["", "a7", "QUFBQUFBQUFBQQ==", &token[1..]] {
            assert_eq!(open("sqs 123456789012 QueueUrls a", garbage), None, "{garbage}");
        }
    }
}
