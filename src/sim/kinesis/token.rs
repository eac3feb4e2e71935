//! Opaque tokens for clients: shard iterators and next tokens carry their state sealed, so the service keeps none.

use crate::domain::time::Timestamp;
use crate::sim::payload;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

/// AWS's iterators begin with these eight bytes, hence the well-known `AAAAAAAAAAE`.
const HEAD: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];
/// The shortest iterator of AWS has 152 bytes: the head, a checksum, and this much.
const SHORTEST: usize = 136;
const SALT: u64 = 0x6d69_6477_6174_6368;

/// What a token is for; a token of one kind is refused where another is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Iterator = 1,
    Shards = 2,
    Streams = 3,
    Consumers = 4,
}

/// Seals `text` with the time of issue. Two seals of the same things are equal, so a run is a function of its inputs.
pub fn seal(kind: TokenKind, issued: Timestamp, text: &str) -> String {
    let mut plain = vec![kind as u8];
    plain.extend(issued.millis().to_be_bytes());
    plain.extend((text.len() as u16).to_be_bytes());
    plain.extend(text.as_bytes());
    let over = plain.len().saturating_sub(SHORTEST).next_multiple_of(16);
    plain.resize(SHORTEST + over, 0);
    let check = checksum(&plain);
    let mut bytes = HEAD.to_vec();
    bytes.extend(check);
    bytes.extend(mask(check, plain));
    STANDARD.encode(bytes)
}

/// Opens what `seal` made; `None` for anything else.
pub fn open(kind: TokenKind, token: &str) -> Option<(Timestamp, String)> {
    let bytes = STANDARD.decode(token).ok()?;
    let sealed = bytes.strip_prefix(&HEAD)?;
    let (check, masked) = sealed.split_first_chunk::<8>()?;
    let plain = mask(*check, masked.to_vec());
    if checksum(&plain) != *check || plain.first() != Some(&(kind as u8)) {
        return None;
    }
    let (issued, rest) = plain.get(1..)?.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let text = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
    let text = String::from_utf8(text.to_vec()).ok()?;
    Some((Timestamp::from_millis(i64::from_be_bytes(*issued)), text))
}

fn checksum(plain: &[u8]) -> [u8; 8] {
    let digest = Md5::digest(plain);
    let mut check = [0; 8];
    check.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    check
}

/// Hides the text from eyes that would come to rely on it; it is no cipher and need not be one.
fn mask(check: [u8; 8], mut bytes: Vec<u8>) -> Vec<u8> {
    let mut state = u64::from_be_bytes(check) ^ SALT;
    for chunk in bytes.chunks_mut(8) {
        let key = payload::next(&mut state).to_be_bytes();
        chunk.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let at = Timestamp::from_millis(1_700_000_000_123);
        let token = seal(TokenKind::Iterator, at, "bids/3/17");
        assert!(token.starts_with("AAAAAAAAAAE"), "{token}");
        assert_eq!(open(TokenKind::Iterator, &token), Some((at, "bids/3/17".to_owned())));
        assert_eq!(open(TokenKind::Shards, &token), None);
        let mut bent = token.clone().into_bytes();
        bent[60] = if bent[60] == b'x' { b'y' } else { b'x' };
        for wrong in [String::from_utf8(bent).unwrap(), token[..40].to_owned(), String::new(), "é".into()] {
            assert_eq!(open(TokenKind::Iterator, &wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_iterator_of_the_longest_stream_name_fits_into_512_characters() {
        let text = format!("{}/{}/{}", "s".repeat(128), u32::MAX, u64::MAX);
        assert!(seal(TokenKind::Iterator, Timestamp::default(), &text).len() <= 512);
        assert_eq!(STANDARD.decode(seal(TokenKind::Iterator, Timestamp::default(), "a/0/0")).unwrap().len(), 152);
    }
}
