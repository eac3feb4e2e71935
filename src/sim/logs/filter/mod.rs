//! Filter patterns: terms, JSON conditions, space-delimited fields ("Filter pattern syntax").

mod condition;
mod fields;
mod json;
mod regex;

pub use regex::Regex;

use fields::Fields;
use json::JsonFilter;

/// A parsed filter pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// An empty pattern takes every event.
    Everything,
    Terms(Terms),
    Json(JsonFilter),
    Fields(Fields),
    Regex(Regex),
}

/// Terms that an event must hold, must not hold, or of which it must hold one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    all: Vec<Term>,
    none: Vec<Term>,
    any: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Text(String),
    Regex(Regex),
}

impl Term {
    fn is_in(&self, message: &str) -> bool {
        match self {
            Self::Text(text) => message.contains(text.as_str()),
            Self::Regex(regex) => regex.is_match(message),
        }
    }
}

impl Pattern {
    /// Reads a pattern; says what is wrong with it otherwise.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::Everything);
        }
        if let Some(inner) = text.strip_prefix('{') {
            let inner = inner.strip_suffix('}').ok_or("a JSON pattern must end with '}'")?;
            return JsonFilter::parse(inner).map(Self::Json);
        }
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or("a space-delimited pattern must end with ']'")?;
            if inner.trim().is_empty() {
                return Ok(Self::Everything);
            }
            return Fields::parse(inner).map(Self::Fields);
        }
        if let Some(inner) = text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).filter(|t| !t.contains('%'))
        {
            return Regex::parse(inner).map(Self::Regex);
        }
        parse_terms(text).map(Self::Terms)
    }

    pub fn is_match(&self, message: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Json(filter) => filter.is_match(message),
            Self::Fields(fields) => fields.is_match(message),
            Self::Regex(regex) => regex.is_match(message),
            // Optional terms count only among themselves: next to others AWS ignores them.
            Self::Terms(Terms { all, none, any }) if all.is_empty() && none.is_empty() => {
                any.iter().any(|term| term.is_in(message))
            }
            Self::Terms(Terms { all, none, .. }) => {
                all.iter().all(|term| term.is_in(message)) && !none.iter().any(|term| term.is_in(message))
            }
        }
    }
}

impl Pattern {
    /// What a selector stands for in an event: `$.user.id` in JSON, `$bytes` among the fields that the pattern names.
    pub fn extract(&self, message: &str, selector: &str) -> Option<String> {
        match self {
            Self::Fields(fields) => fields.named(message, selector.strip_prefix('$')?).map(str::to_owned),
            _ => json::select(message, selector),
        }
    }

    /// What the pattern's own selectors stand for in an event that it matches.
    pub fn extract_all(&self, message: &str) -> Vec<(String, String)> {
        match self {
            Self::Fields(fields) => {
                fields.all(message).into_iter().map(|(name, value)| (format!("${name}"), value.to_owned())).collect()
            }
            Self::Json(filter) => filter.selected(message),
            _ => Vec::new(),
        }
    }
}

fn parse_terms(text: &str) -> Result<Terms, String> {
    let mut terms = Terms::default();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = rest.trim_start();
            continue;
        }
        let (into, tail) = match first {
            '-' => (&mut terms.none, &rest[1..]),
            '?' => (&mut terms.any, &rest[1..]),
            _ => (&mut terms.all, rest),
        };
        let (term, tail) = term(tail)?;
        into.push(term);
        rest = tail;
    }
    Ok(terms)
}

fn term(text: &str) -> Result<(Term, &str), String> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (term, tail) = unquote(quoted).ok_or("a quotation does not end")?;
        return Ok((Term::Text(term), tail));
    }
    if let Some((regex, tail)) = text.strip_prefix('%').and_then(|rest| rest.split_once('%')) {
        return Ok((Term::Regex(Regex::parse(regex)?), tail));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, tail) = text.split_at(end);
    match word.chars().find(|c| !(c.is_alphanumeric() || *c == '_')) {
        Some(c) => Err(format!("'{c}' must be within quotation marks")),
        None if word.is_empty() => Err("a term is empty".into()),
        None => Ok((Term::Text(word.to_owned()), tail)),
    }
}

/// What stands up to the closing quotation mark, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => out.extend(chars.next().map(|(_, c)| c)),
            _ => out.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matching(pattern: &str, messages: &[&str]) -> Vec<usize> {
        let pattern = Pattern::parse(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}"));
        (0..messages.len()).filter(|index| pattern.is_match(messages[*index])).collect()
    }

    #[test]
    fn terms_phrases_exclusions_and_options() {
        let messages = [
            "[ERROR 400] BAD REQUEST",
            "[ERROR 419] MISSING ARGUMENTS",
            "[INFO] REQUEST FAILED",
            "[ERROR 500] INTERNAL SERVER ERROR",
        ];
        for (pattern, found) in [
            ("", &[0, 1, 2, 3][..]),
            ("[]", &[0, 1, 2, 3]),
            ("\" \"", &[0, 1, 2, 3]),
            ("ERROR", &[0, 1, 3]),
            ("ERROR ARGUMENTS", &[1]),
            ("?ARGUMENTS ?INFO", &[1, 2]),
            ("\"INTERNAL SERVER ERROR\"", &[3]),
            ("ERROR -ARGUMENTS", &[0, 3]),
            ("?ERROR ?ARGUMENTS REQUEST", &[0, 2]),
            ("-ERROR", &[2]),
            ("%4[0-9]{2}%", &[0, 1]),
            ("error", &[]),
        ] {
            assert_eq!(matching(pattern, &messages), found, "{pattern}");
        }
    }

    #[test]
    fn conditions_on_json() {
        let trail = r#"{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],
            "objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"cluster.name":"c"}"#;
        for pattern in [
            "{ $.eventType = \"UpdateTrail\" }",
            "{ $.eventType = Update* }",
            "{ $.sourceIPAddress != 123.123.* }",
            "{ $.arrayKey[0] = \"value\" }",
            "{ $.arrayKey[*] = \"another value\" }",
            "{ $.eventType = %Trail% }",
            "{ $.arrayKey[*] = %val.{2}% }",
            "{ $.* = %111\\.111\\.111\\.1[0-9]{1,2}% }",
            "{ $.['cluster.name'] = \"c\" }",
            "{ $.SomeObject IS NULL }",
            "{ $.SomeOtherObject NOT EXISTS }",
            "{ ($.objectList[1].id = 2) && ($.objectList[0].name = \"a\") }",
            "{ $.objectList[0].id >= 1 && $.objectList[0].id < 1.5e0 }",
            "{ $.eventType = \"x\" || $.objectList[1].id != 1 }",
            "{$.eventType=\"UpdateTrail\"}",
        ] {
            assert_eq!(matching(pattern, &[trail]), [0], "{pattern}");
        }
        for pattern in [
            "{ $.eventType = \"Update\" }",
            "{ $.missing = \"x\" }",
            "{ $.missing != \"x\" }",
            "{ $.arrayKey = \"value\" }",
            "{ $.SomeObject NOT EXISTS }",
            "{ $.objectList[1].id > 2 }",
            "{ ($.eventType = \"UpdateTrail\" || $.a = 1) && $.b = 2 }",
        ] {
            assert!(matching(pattern, &[trail, "no JSON at all"]).is_empty(), "{pattern}");
        }
    }

    #[test]
    fn fields_between_spaces() {
        let lines = [
            "127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534",
            "INFO 09/25/2014 12:00:00 GET /service/resource/67 1200",
            "WARNING 09/25/2014 12:00:02 Invalid user request",
            "ERROR 09/25/2014 12:00:02 Failed to process request",
        ];
        for (pattern, found) in [
            (
                "[ip=%127\\.0\\.0\\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]",
                &[0][..],
            ),
            ("[..., request =*.html*, status_code = 4*, bytes]", &[0]),
            ("[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]", &[0]),
            ("[ip, user, username, timestamp, request, status_code, bytes > 2000]", &[]),
            ("[w1=ERROR, w2]", &[3]),
            ("[w1=ERROR || w1=WARNING, w2]", &[2, 3]),
            ("[w1!=ERROR && w1!=WARNING, w2]", &[0, 1]),
            ("[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]", &[1]),
        ] {
            assert_eq!(matching(pattern, &lines), found, "{pattern}");
        }
    }

    #[test]
    fn broken_patterns_are_refused() {
        for pattern in
            ["\"open", "{ $.a = }", "{ a = 1 }", "{ $.a = 1", "[a", "{ ($.a = 1 }", "a.b", "%[%", "[a = ]", "-", "{}"]
        {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn any_pattern_is_read_or_refused_and_matches_in_time(
            pattern in "[a\\[\\]{}$.*+?|%\"=&() -]{0,24}",
            message in "[a\\[\\]{}\" .0-9]{0,60}",
        ) {
            if let Ok(pattern) = Pattern::parse(&pattern) {
                let _ = pattern.is_match(&message);
            }
        }
    }
}
