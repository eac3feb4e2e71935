//! Shard ids and sequence numbers: their parts, the 56 digits that AWS writes, and back.

use std::fmt;

/// A shard's number in its stream. Written `shardId-000000000007`; numbering goes on across reshards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u32);

impl ShardId {
    /// Reads `shardId-000000000007`. AWS also takes any other prefix before the hyphen, fewer digits, and a bare
    /// number; it takes nothing above 2^31 − 1.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = match text.split('-').nth(1) {
            Some(digits) if !digits.is_empty() => digits,
            _ => text,
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse::<u64>().ok().filter(|n| *n <= i32::MAX as u64).map(|n| Self(n as u32))
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shardId-{:012}", self.0)
    }
}

/// A sequence number in parts. Numbers of one shard rise with `index`; the time in them is when AWS took the record.
///
/// The layout is the one that AWS's own numbers have (47 hexadecimal digits, from the top): `2`, shard creation time
/// in seconds (9), the shard's lowest digit (1), index (16), `00`, arrival time in seconds (9), shard (8), `2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// When the shard was created, in seconds since the Unix epoch; below 2^36.
    pub shard_created_s: u64,
    /// 0 is the shard's own starting number; records count from 1; [`Sequence::LAST_INDEX`] ends a closed shard.
    pub index: u64,
    /// When the record arrived, in seconds since the Unix epoch; below 2^36.
    pub at_s: u64,
    pub shard: ShardId,
}

/// What a client's sequence number turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParsedSequence {
    /// In the form of today.
    Current(Sequence),
    /// In a form of Kinesis' first years; such a number cannot come from a stream of this engine. `number` is how
    /// AWS prints it back.
    Old { shard: ShardId, number: Number },
}

/// An unsigned number of up to 192 bits, least significant 32 bits first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number([u32; 6]);

const TIME_MASK: u64 = (1 << 36) - 1;

impl Sequence {
    /// The index of a closed shard's ending sequence number.
    pub const LAST_INDEX: u64 = 0x7fff_ffff_ffff_ffff;

    /// Reads a decimal sequence number; `None` where AWS calls it invalid.
    pub fn parse(text: &str) -> Option<ParsedSequence> {
        let number = Number::parse(text)?;
        let (low, high) = number.halves();
        if high >> 56 == 2 {
            return match low & 0xf {
                2 => Self::from_halves(low, high).map(ParsedSequence::Current),
                1 => Some(ParsedSequence::Old { shard: ShardId((low >> 4) as u32), number }),
                _ => None,
            };
        }
        Self::parse_first_form(low, high)
    }

    fn from_halves(low: u128, high: u64) -> Option<Self> {
        let index = ((high & 0xffff) << 48) | ((low >> 80) as u64);
        let shard = (low >> 4) as u32;
        if index > Self::LAST_INDEX || shard > i32::MAX as u32 {
            return None;
        }
        Some(Self {
            shard_created_s: (high >> 20) & TIME_MASK,
            index,
            at_s: (low >> 36) as u64 & TIME_MASK,
            shard: ShardId(shard),
        })
    }

    /// The oldest form: `1`, creation time (9 digits), 18 more, shard (4). Short numbers mean the same without the 1.
    fn parse_first_form(low: u128, high: u64) -> Option<ParsedSequence> {
        let low = if high == 0 && low < 1 << 124 { low + (1 << 124) } else { low };
        let created_s = (low >> 88) as u64 & TIME_MASK;
        // A time after the year 2477 is what AWS calls invalid.
        if high != 0 || created_s >= 16_025_175_000 {
            return None;
        }
        let without_byte = low & !(0xff << 80);
        Some(ParsedSequence::Old {
            shard: ShardId((low & 0xffff) as u32),
            number: Number::from_halves(without_byte, 0),
        })
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let low = 2
            | (u128::from(self.shard.0) << 4)
            | (u128::from(self.at_s & TIME_MASK) << 36)
            | (u128::from(self.index & ((1 << 48) - 1)) << 80);
        let high = (self.index >> 48)
            | (u64::from(self.shard.0 & 0xf) << 16)
            | ((self.shard_created_s & TIME_MASK) << 20)
            | (2 << 56);
        fmt::Display::fmt(&Number::from_halves(low, high), f)
    }
}

impl Number {
    fn from_halves(low: u128, high: u64) -> Self {
        Self([low as u32, (low >> 32) as u32, (low >> 64) as u32, (low >> 96) as u32, high as u32, (high >> 32) as u32])
    }

    fn halves(self) -> (u128, u64) {
        let [a, b, c, d, e, f] = self.0;
        let low = u128::from(a) | u128::from(b) << 32 | u128::from(c) << 64 | u128::from(d) << 96;
        (low, u64::from(e) | u64::from(f) << 32)
    }

    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > 58 {
            return None;
        }
        let mut limbs = [0u32; 6];
        for byte in text.bytes() {
            let mut carry = u64::from(byte.wrapping_sub(b'0'));
            if carry > 9 {
                return None;
            }
            for limb in &mut limbs {
                let wide = u64::from(*limb) * 10 + carry;
                *limb = wide as u32;
                carry = wide >> 32;
            }
            if carry > 0 {
                return None;
            }
        }
        Some(Self(limbs))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const GROUP: u64 = 1_000_000_000;
        let mut limbs = self.0;
        let mut groups = [0u32; 7];
        for group in groups.iter_mut().rev() {
            let mut rest = 0;
            for limb in limbs.iter_mut().rev() {
                let wide = (rest << 32) | u64::from(*limb);
                *limb = (wide / GROUP) as u32;
                rest = wide % GROUP;
            }
            *group = rest as u32;
        }
        let mut digits = [b'0'; 63];
        for (place, group) in groups.iter().enumerate() {
            let mut rest = *group;
            for digit in digits[place * 9..place * 9 + 9].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        let start = digits.iter().position(|d| *d != b'0').unwrap_or(digits.len() - 1);
        f.write_str(std::str::from_utf8(&digits[start..]).unwrap_or("0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Sequence {
        Sequence { shard_created_s: 1_543_584_600, index: 1, at_s: 1_545_084_650, shard: ShardId(0) }
    }

    #[test]
    fn has_56_digits_from_49_and_reads_back() {
        let text = example().to_string();
        assert_eq!(text.len(), 56);
        assert!(text.starts_with("49"), "{text}");
        assert_eq!(Sequence::parse(&text), Some(ParsedSequence::Current(example())));
    }

    #[test]
    fn reads_a_number_that_aws_printed() {
        // From the sample event of the Lambda developer guide, "Using Lambda with Kinesis".
        let text = "49590338271490256608559692538361571095921575989136588898";
        let Some(ParsedSequence::Current(sequence)) = Sequence::parse(text) else { panic!("not read") };
        assert_eq!(sequence.shard, ShardId(6));
        assert_eq!(sequence.at_s, 1_545_084_650, "the event's approximateArrivalTimestamp is 1545084650.987");
        assert!(sequence.shard_created_s < sequence.at_s);
    }

    #[test]
    fn rises_with_the_index_as_text_does() {
        let mut before = String::new();
        for index in [0, 1, 2, 9, 10, 1 << 40, 1 << 50, Sequence::LAST_INDEX] {
            let text = Sequence { index, ..example() }.to_string();
            assert!(text > before, "{text} after {before}");
            before = text;
        }
    }

    #[test]
    fn refuses_what_is_no_sequence_number() {
        for text in ["", "x", "-1", "1e9", &"9".repeat(60), &"9".repeat(56)] {
            assert_eq!(Sequence::parse(text), None, "{text}");
        }
    }

    #[test]
    fn takes_the_numbers_of_the_first_years_for_what_they_are() {
        let Some(ParsedSequence::Old { shard, number }) = Sequence::parse("0") else { panic!("not read") };
        assert_eq!((shard, number.to_string()), (ShardId(0), "21267647932558653966460912964485513216".to_owned()));
        let Some(ParsedSequence::Old { shard, .. }) = Sequence::parse("5") else { panic!("not read") };
        assert_eq!(shard, ShardId(5));
    }

    #[test]
    fn shard_ids_are_read_as_leniently_as_aws_does() {
        assert_eq!(ShardId(7).to_string(), "shardId-000000000007");
        for text in ["shardId-000000000007", "shardId-7", "any-7", "-07", "7"] {
            assert_eq!(ShardId::parse(text), Some(ShardId(7)), "{text}");
        }
        for text in ["", "shardId-", "ABKLFD8", "2.14E4", "2147483648", "shardId-002147483648"] {
            assert_eq!(ShardId::parse(text), None, "{text}");
        }
    }
}
