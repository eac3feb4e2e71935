//! Text messages to phones: settings, and who wants none.

use super::*;

#[test]
fn a_phone_opts_out_and_in_again() {
    let mut bench = Bench::new();
    let sns = &mut bench.world.sns;
    assert_eq!(sns.is_opted_out("+447428545375"), Ok(false));
    sns.opt_out("+447428545375");
    sns.opt_out("+15551234567");
    assert_eq!(sns.is_opted_out("+447428545375"), Ok(true));
    assert_eq!(sns.opted_out_after(None, 1), ["+15551234567"]);
    assert_eq!(sns.opted_out_after(Some("+15551234567"), 9), ["+447428545375"]);
    assert_eq!(sns.opt_in("+447428545375"), Ok(()));
    assert_eq!(sns.opt_in("+447428545375"), Ok(()), "again is no error");
    assert_eq!(sns.opted_out_after(None, 9), ["+15551234567"]);
    for odd in ["447428545375", "+44742LALALA", "+0123456789", "+", "+1234567890123456"] {
        let refused = sns.is_opted_out(odd).unwrap_err();
        assert_eq!(refused.message, "Invalid parameter: PhoneNumber Reason: input incorrectly formatted", "{odd}");
    }
}

#[test]
fn settings_are_checked_and_none_is_set_when_one_is_wrong() {
    let mut bench = Bench::new();
    let sns = &mut bench.world.sns;
    assert_eq!(sns.sms_attributes(), map(&[("MonthlySpendLimit", "1")]));
    let refused =
        sns.set_sms_attributes(map(&[("DefaultSMSType", "Urgent"), ("DefaultSenderID", "Shop")])).unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), ("InvalidParameter", "DefaultSMSType is invalid"));
    assert_eq!(sns.sms_attributes().len(), 1);
    for (name, value) in [("DefaultSenderID", "123456"), ("DefaultSenderID", "TwelveLetter"), ("Tune", "loud")] {
        assert!(sns.set_sms_attributes(map(&[(name, value)])).is_err(), "{name}={value}");
    }
    sns.set_sms_attributes(map(&[("DefaultSenderID", "Shop"), ("DeliveryStatusSuccessSamplingRate", "100")])).unwrap();
    assert_eq!(sns.sms_attributes()["DefaultSenderID"], "Shop");
}

#[test]
fn phone_numbers_may_be_written_with_single_marks_between_digits() {
    for number in ["+1234567890", "+12/34-567.890", "+1-555-123-4567"] {
        assert!(is_phone_number(number), "{number}");
    }
    for number in ["+15--551234567", "NAA+15551234567", "+15551234567.", "/+15551234567", "+-15551234567", "+1"] {
        assert!(!is_phone_number(number), "{number}");
    }
}
