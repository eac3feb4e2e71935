//! Receipt handles: how a receipt looks on the wire. Opaque to clients, as long as AWS's are, and checked when read.

use crate::sim::payload;
use crate::sim::sqs::message::{MessageId, Receipt};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Every handle begins with these, as AWS's begin with `AQEB`.
const HEAD: [u8; 3] = [1, 1, 1];
/// Bytes that say nothing, so that a handle is as long as AWS's.
const FILLING: usize = 96;

/// The handle of a receipt in the queue of that generation.
pub fn encode(generation: u64, receipt: Receipt) -> String {
    let mut bytes = Vec::with_capacity(HEAD.len() + 24 + FILLING);
    bytes.extend(HEAD);
    let body = (u64::from(receipt.slot) << 32) | u64::from(receipt.serial);
    bytes.extend(generation.to_be_bytes());
    bytes.extend(body.to_be_bytes());
    bytes.extend(receipt.id.0.to_be_bytes());
    let mut state = generation ^ body.rotate_left(17) ^ receipt.id.0;
    for _ in 0..FILLING / 8 {
        bytes.extend(payload::next(&mut state).to_be_bytes());
    }
    STANDARD.encode(bytes)
}

/// The queue's generation and the receipt; `None` for what this engine did not write.
pub fn decode(handle: &str) -> Option<(u64, Receipt)> {
    let bytes = STANDARD.decode(handle).ok()?;
    let rest = bytes.strip_prefix(&HEAD)?;
    let generation = u64::from_be_bytes(rest.get(..8)?.try_into().ok()?);
    let body = u64::from_be_bytes(rest.get(8..16)?.try_into().ok()?);
    let id = MessageId(u64::from_be_bytes(rest.get(16..24)?.try_into().ok()?));
    let receipt = Receipt { slot: (body >> 32) as u32, serial: body as u32, id };
    (encode(generation, receipt) == handle).then_some((generation, receipt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_reads_back_and_a_changed_one_does_not() {
        let receipt = Receipt { slot: 70_000, serial: 9, id: MessageId(77) };
        let handle = encode(0xfeed, receipt);
        assert!(handle.starts_with("AQEB"));
        assert_eq!(decode(&handle), Some((0xfeed, receipt)));
        assert_eq!(decode(&handle[4..]), None);
        assert_eq!(decode(&handle.replace(&handle[10..12], "zz")), None);
        assert_eq!(decode("not base64!"), None);
    }
}
