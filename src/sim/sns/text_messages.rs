//! Text messages to phones: the account's settings for them, and who wants none. The messages themselves are taken and
//! go nowhere.

use crate::sim::error::ApiError;
use crate::sim::sns::{Sns, error};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// What a phone that has opted out cannot be sent any more: at most so many are remembered.
const OPTED_OUT_MAX: usize = 100_000;
/// US dollars a month, for an account that has not asked for more.
const SPEND_LIMIT_DEFAULT: &str = "1";

/// The account's text messages.
#[derive(Default)]
pub struct TextMessages {
    attributes: BTreeMap<String, String>,
    opted_out: BTreeSet<String>,
}

impl Sns {
    /// SetSMSAttributes: sets what the map names, or nothing when one of them is wrong. Errors: InvalidParameter.
    pub fn set_sms_attributes(&mut self, changes: BTreeMap<String, String>) -> Result<(), ApiError> {
        for (name, value) in &changes {
            check(name, value)?;
        }
        self.text_messages.attributes.extend(changes);
        Ok(())
    }

    /// GetSMSAttributes: those that were set, and the spend limit, which every account has.
    pub fn sms_attributes(&self) -> BTreeMap<String, String> {
        let mut texts = self.text_messages.attributes.clone();
        texts.entry("MonthlySpendLimit".to_owned()).or_insert_with(|| SPEND_LIMIT_DEFAULT.to_owned());
        texts
    }

    /// The phone's owner has answered STOP.
    pub fn opt_out(&mut self, number: &str) {
        if self.text_messages.opted_out.len() < OPTED_OUT_MAX {
            self.text_messages.opted_out.insert(number.to_owned());
        }
    }

    /// OptInPhoneNumber; a number that has not opted out is no error. Errors: InvalidParameter.
    pub fn opt_in(&mut self, number: &str) -> Result<(), ApiError> {
        check_number(number)?;
        self.text_messages.opted_out.remove(number);
        Ok(())
    }

    /// CheckIfPhoneNumberIsOptedOut. Errors: InvalidParameter.
    pub fn is_opted_out(&self, number: &str) -> Result<bool, ApiError> {
        check_number(number)?;
        Ok(self.text_messages.opted_out.contains(number))
    }

    /// Up to `count` numbers that have opted out, those after this one.
    pub fn opted_out_after(&self, after: Option<&str>, count: usize) -> Vec<&str> {
        let from = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        self.text_messages.opted_out.range::<str, _>(from).take(count).map(String::as_str).collect()
    }
}

/// A number in E.164 form: a plus sign and up to 15 digits.
fn check_number(number: &str) -> Result<(), ApiError> {
    let digits = number.strip_prefix('+').unwrap_or_default();
    let fits =
        (2..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(()) } else { Err(error::invalid_parameter("PhoneNumber Reason: input incorrectly formatted")) }
}

/// What SetSMSAttributes says of each attribute.
fn check(name: &str, value: &str) -> Result<(), ApiError> {
    let is_number_up_to = |most: u32| value.parse().is_ok_and(|number: u32| number <= most);
    let fits = match name {
        "MonthlySpendLimit" => is_number_up_to(u32::MAX),
        "DeliveryStatusSuccessSamplingRate" => is_number_up_to(100),
        "DefaultSMSType" => matches!(value, "Promotional" | "Transactional"),
        "DefaultSenderID" => {
            (1..=11).contains(&value.len())
                && value.bytes().all(|b| b.is_ascii_alphanumeric())
                && value.bytes().any(|b| b.is_ascii_alphabetic())
        }
        "DeliveryStatusIAMRole" => value.starts_with("arn:") || value.is_empty(),
        "UsageReportS3Bucket" => true,
        _ => return Err(error::plain_invalid_parameter(format!("{name} is not a valid attribute"))),
    };
    if fits { Ok(()) } else { Err(error::plain_invalid_parameter(format!("{name} is invalid"))) }
}
