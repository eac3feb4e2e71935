//! The regular expressions of services' models, which a text must fit as a whole.

use regex_lite::Regex;

/// Whether the whole text fits. No model that is in use here looks around; an expression that does fits nothing.
pub fn fits(pattern: &str, text: &str) -> bool {
    Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fits_as_a_whole() {
        let arn = r"arn:(aws[a-zA-Z-]*)?:kms:[a-zA-Z0-9\-]+:\d{12}:key/[a-zA-Z_0-9+=,.@\-_/]+";
        assert!(fits(arn, "arn:aws:kms:eu-west-1:123456789012:key/abc-1"));
        assert!(!fits(arn, "an arn:aws:kms:eu-west-1:123456789012:key/abc-1") && !fits(arn, ""));
        assert!(fits("a|bc", "bc") && !fits("a|bc", "ac"));
    }
}
