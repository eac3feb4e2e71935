//! MD5 of bodies and of message attributes, as clients check them. Source: SQS "Amazon SQS message metadata".

use crate::sim::sqs::message::{AttributeValue, Content};
use md5::{Digest, Md5};

/// `MD5OfBody`: over the raw bytes.
pub fn md5_of_body(body: &[u8]) -> String {
    hex(&Md5::digest(body))
}

/// The deduplication id that a body gives (SendMessage, ContentBasedDeduplication).
pub fn sha256_of_body(body: &[u8]) -> String {
    hex(&sha2::Sha256::digest(body))
}

/// `MD5OfMessageAttributes`: name, type, transport type and value of each, sorted by name, each text and blob led by
/// its length in four bytes. `None` without attributes.
pub fn md5_of_attributes<'a>(sorted: impl Iterator<Item = (&'a String, &'a AttributeValue)>) -> Option<String> {
    let mut digest = Md5::new();
    let mut any = false;
    for (name, attribute) in sorted {
        any = true;
        let (transport, value) = match &attribute.value {
            Content::Text(text) => (1u8, text.as_bytes()),
            Content::Binary(bytes) => (2u8, bytes.as_ref()),
        };
        for part in [name.as_bytes(), attribute.data_type.as_bytes()] {
            digest.update((part.len() as u32).to_be_bytes());
            digest.update(part);
        }
        digest.update([transport]);
        digest.update((value.len() as u32).to_be_bytes());
        digest.update(value);
    }
    any.then(|| hex(&digest.finalize()))
}

/// Lower-case hexadecimal text.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::collections::BTreeMap;

    /// What AWS answered for these attributes.
    #[test]
    fn attributes_hash_as_aws_hashes_them() {
        let attributes = BTreeMap::from([
            ("General".to_owned(), AttributeValue::text("String", "Kenobi")),
            ("Hello".to_owned(), AttributeValue::text("String", "There")),
            ("Help.Me".to_owned(), AttributeValue::text("String", "Me")),
        ]);
        let all = md5_of_attributes(attributes.iter());
        assert_eq!(all.as_deref(), Some("4c360f3fdafd970e05fae2f149d997f5"));
        let binary = Bytes::from_static(b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01");
        let binary = AttributeValue { data_type: "Binary".into(), value: Content::Binary(binary) };
        let attributes = BTreeMap::from([("attr1".to_owned(), binary)]);
        let hash = md5_of_attributes(attributes.iter());
        assert_eq!(hash.as_deref(), Some("8cbe4db156db8a94db8b801b7addb984"));
        assert_eq!(md5_of_attributes(BTreeMap::new().iter()), None);
    }

    #[test]
    fn bodies_hash_as_raw_bytes() {
        assert_eq!(md5_of_body(b"msg"), "6e2baaf3b97dbeef01c0043275f9a0e7");
    }
}
