//! DynamoDB's numbers: decimals of up to 38 significant digits, compared and added exactly.
//! Source: DynamoDB "Supported data types", Number.

use super::fault;
use crate::sim::error::ApiError;
use std::cmp::Ordering;
use std::fmt;

/// More significant digits than this are refused.
const DIGITS_MAX: i32 = 38;
/// The decimal exponent of the first digit lies in this range.
const MAGNITUDE_MIN: i32 = -130;
const MAGNITUDE_MAX: i32 = 125;

/// `digits` times ten to the power of `exponent`. Digits never end in a zero, so that equal numbers are equal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    is_negative: bool,
    digits: u128,
    exponent: i32,
}

impl Number {
    pub const ZERO: Self = Self { is_negative: false, digits: 0, exponent: 0 };

    /// Reads `-12.5e3`.
    ///
    /// Errors: `ValidationException` for what is no number, or is too long, large or small.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        if text.is_empty() {
            return Err(fault::validation("The parameter cannot be converted to a numeric value"));
        }
        let wrong = || fault::validation(format!("The parameter cannot be converted to a numeric value: {text}"));
        let (is_negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().map_err(|_| wrong())?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let significant = all.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self::ZERO);
        }
        if significant.len() > DIGITS_MAX as usize {
            return Err(too_precise());
        }
        let trailing = all.len() - all.trim_end_matches('0').len();
        let shift = i32::try_from(trailing as i64 - fraction.len() as i64).map_err(|_| wrong())?;
        let digits = significant.parse().map_err(|_| wrong())?;
        Self { is_negative, digits, exponent: power.saturating_add(shift) }.checked()
    }

    fn checked(self) -> Result<Self, ApiError> {
        if self.digits == 0 {
            return Ok(Self::ZERO);
        }
        if self.magnitude() > MAGNITUDE_MAX {
            let message = "Number overflow. Attempting to store a number with magnitude larger than supported range";
            return Err(fault::validation(message));
        }
        if self.magnitude() < MAGNITUDE_MIN {
            let message = "Number underflow. Attempting to store a number with magnitude smaller than supported range";
            return Err(fault::validation(message));
        }
        if self.digits_count() > DIGITS_MAX {
            return Err(too_precise());
        }
        Ok(self)
    }

    fn digits_count(self) -> i32 {
        self.digits.checked_ilog10().map_or(1, |log| log as i32 + 1)
    }

    /// The decimal exponent of the first digit.
    fn magnitude(self) -> i32 {
        self.exponent.saturating_add(self.digits_count() - 1)
    }

    /// The sum. Errors: `ValidationException` when it has more than 38 significant digits or is too large.
    pub fn plus(self, other: Self) -> Result<Self, ApiError> {
        if self.digits == 0 || other.digits == 0 {
            return Ok(if self.digits == 0 { other } else { self });
        }
        let exponent = self.exponent.min(other.exponent);
        if self.magnitude().max(other.magnitude()) - exponent >= DIGITS_MAX {
            return Err(too_precise());
        }
        let aligned = |number: Self| number.digits * 10_u128.pow((number.exponent - exponent) as u32);
        let (a, b) = (aligned(self), aligned(other));
        let (is_negative, digits) = if self.is_negative == other.is_negative {
            (self.is_negative, a + b)
        } else if a >= b {
            (self.is_negative, a - b)
        } else {
            (other.is_negative, b - a)
        };
        Self { is_negative, digits, exponent }.trimmed().checked()
    }

    /// The difference. Errors: as [`Number::plus`].
    pub fn minus(self, other: Self) -> Result<Self, ApiError> {
        self.plus(Self { is_negative: !other.is_negative && other.digits != 0, ..other })
    }

    fn trimmed(mut self) -> Self {
        if self.digits == 0 {
            return Self::ZERO;
        }
        while self.digits.is_multiple_of(10) {
            self.digits /= 10;
            self.exponent += 1;
        }
        self
    }

    /// The nearest integer towards zero, where it fits.
    pub fn to_i64(self) -> Option<i64> {
        let text = self.to_string();
        text.split('.').next()?.parse().ok()
    }

    /// Bytes that it takes in an item: two digits a byte, and one more, two more below zero.
    pub fn size(self) -> usize {
        (self.digits_count() as usize).div_ceil(2) + 1 + usize::from(self.is_negative)
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self { is_negative: false, digits: u128::from(value), exponent: 0 }.trimmed()
    }
}

fn too_precise() -> ApiError {
    fault::validation("Attempting to store more than 38 significant digits in a Number")
}

impl fmt::Display for Number {
    /// All digits, without an exponent, as DynamoDB answers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits.to_string();
        if self.is_negative {
            f.write_str("-")?;
        }
        if self.exponent >= 0 {
            return write!(f, "{digits}{}", "0".repeat(self.exponent as usize));
        }
        let places = self.exponent.unsigned_abs() as usize;
        match digits.len().checked_sub(places).filter(|point| *point > 0) {
            Some(point) => write!(f, "{}.{}", &digits[..point], &digits[point..]),
            None => write!(f, "0.{}{digits}", "0".repeat(places - digits.len())),
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits, number.is_negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        };
        sign(self).cmp(&sign(other)).then_with(|| {
            let by_size = self.magnitude().cmp(&other.magnitude()).then_with(|| {
                // Of the same magnitude: both are stretched to 38 digits.
                let stretched =
                    |number: &Self| number.digits * 10_u128.pow((DIGITS_MAX - number.digits_count()) as u32);
                stretched(self).cmp(&stretched(other))
            });
            if self.is_negative { by_size.reverse() } else { by_size }
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
