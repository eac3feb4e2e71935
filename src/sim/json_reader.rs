//! Reads JSON token by token and knows where it stands, as the reader inside AWS's services does: its error texts name
//! the line and column at which it gave up, and clients' recorded answers hold them.

use std::fmt;

/// One token. Numbers keep their text.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    StartObject,
    EndObject,
    StartArray,
    EndArray,
    Field(String),
    Text(String),
    Number(String),
    True,
    False,
    Null,
}

impl Token {
    /// What `text` of the token is, in error messages.
    pub fn text(&self) -> &str {
        match self {
            Self::StartObject => "{",
            Self::EndObject => "}",
            Self::StartArray => "[",
            Self::EndArray => "]",
            Self::Field(text) | Self::Text(text) | Self::Number(text) => text,
            Self::True => "true",
            Self::False => "false",
            Self::Null => "null",
        }
    }

    /// What the reader calls a token of its kind.
    const fn kind(&self) -> &'static str {
        match self {
            Self::StartObject => "START_OBJECT",
            Self::EndObject => "END_OBJECT",
            Self::StartArray => "START_ARRAY",
            Self::EndArray => "END_ARRAY",
            Self::Field(_) => "FIELD_NAME",
            Self::Text(_) => "VALUE_STRING",
            Self::Number(_) => "VALUE_NUMBER_INT",
            Self::True => "VALUE_TRUE",
            Self::False => "VALUE_FALSE",
            Self::Null => "VALUE_NULL",
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// Why the reader gave up, and where (both counted from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    pub line: usize,
    pub column: usize,
}

impl Fault {
    /// The text ends too early.
    pub fn is_end_of_input(&self) -> bool {
        self.message.starts_with("Unexpected end-of-input")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n at {}", self.message, place(self.line, self.column))
    }
}

/// A place in the text, as error messages write it.
fn place(line: usize, column: usize) -> String {
    format!(
        "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]"
    )
}

const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// What the innermost container is and whether it has had a member.
#[derive(Clone, Copy)]
struct Level {
    is_object: bool,
    has_members: bool,
    /// Where it opens.
    begin: usize,
}

impl Level {
    fn kind(self) -> &'static str {
        if self.is_object { "Object" } else { "Array" }
    }
}

/// A pull reader over one text.
pub struct Reader {
    text: Vec<char>,
    at: usize,
    /// How far the reader has come for whoever asks: a text's end is only read when its text is asked for, and behind
    /// a field's colon the first of the value is read already.
    shown: usize,
    levels: Vec<Level>,
    value_is_next: bool,
    /// Bytes are read and not characters: columns count them, and some texts are others.
    of_bytes: bool,
}

impl Reader {
    pub fn new(text: &str) -> Self {
        Self {
            text: text.chars().collect(),
            at: 0,
            shown: 0,
            levels: Vec::new(),
            value_is_next: false,
            of_bytes: false,
        }
    }

    /// Reads the whole text; whether it is JSON.
    pub fn check(text: &str) -> Result<(), Fault> {
        Self::new(text).read_value()
    }

    /// The same of bytes, behind which nothing may come.
    pub fn check_bytes(text: &str) -> Result<(), Fault> {
        let mut reader = Self { of_bytes: true, ..Self::new(text) };
        reader.read_value()?;
        reader.skip_space();
        if reader.peek().is_none() {
            return Ok(());
        }
        let kind = reader.value()?.kind();
        Err(reader.fault(format!(
            "Trailing token (of type {kind}) found after value (bound as `com.fasterxml.jackson.databind.JsonNode`): not \
             allowed as per `DeserializationFeature.FAIL_ON_TRAILING_TOKENS`"
        )))
    }

    fn read_value(&mut self) -> Result<(), Fault> {
        loop {
            self.next()?;
            if self.levels.is_empty() && !self.value_is_next {
                return Ok(());
            }
        }
    }

    /// A fault at the place that the reader has come to.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        self.fault_at(self.shown, message)
    }

    /// The token's text was asked for, so the reader stands behind its end.
    pub fn finish_text(&mut self) {
        self.shown = self.at;
    }

    pub fn next(&mut self) -> Result<Token, Fault> {
        if std::mem::take(&mut self.value_is_next) {
            return self.value();
        }
        let Some(level) = self.levels.last().copied() else {
            self.skip_space();
            return self.value();
        };
        let Level { is_object, has_members, .. } = level;
        self.skip_space();
        let c = self.peek().ok_or_else(|| self.missing_end(level))?;
        let (end, other_end) = if is_object { ('}', ']') } else { (']', '}') };
        if c == other_end {
            return Err(self.mismatched_end(level, c, end));
        }
        if c == end {
            self.levels.pop();
            self.step();
            return Ok(if is_object { Token::EndObject } else { Token::EndArray });
        }
        if has_members {
            if c != ',' {
                return Err(self.unexpected(c, &format!("was expecting comma to separate {} entries", level.kind())));
            }
            self.at += 1;
            self.skip_space();
            if self.peek().is_none() {
                return Err(self.broken_off(level.kind()));
            }
        }
        if let Some(level) = self.levels.last_mut() {
            level.has_members = true;
        }
        if is_object { self.field() } else { self.value() }
    }

    fn field(&mut self) -> Result<Token, Fault> {
        match self.peek() {
            Some('"') => {}
            Some(c) => return Err(self.unexpected(c, "was expecting double-quote to start field name")),
            None => return Err(self.broken_off("Object")),
        }
        let name = self.string("was expecting closing '\"' for name")?;
        self.skip_space();
        match self.peek() {
            Some(':') => self.at += 1,
            Some(c) => return Err(self.unexpected(c, "was expecting a colon to separate field name and value")),
            None => return Err(self.broken_off("Object")),
        }
        self.skip_space();
        if self.peek().is_none() {
            return Err(self.broken_off("Object"));
        }
        let before = self.at;
        // A scalar other than a text is read as a whole with its field's name, of anything else the first character.
        self.shown = match self.peek() {
            Some('"' | '{' | '[') | None => before + 1,
            Some(_) => {
                self.value()?;
                std::mem::replace(&mut self.at, before)
            }
        };
        self.value_is_next = true;
        Ok(Token::Field(name))
    }

    fn value(&mut self) -> Result<Token, Fault> {
        let Some(c) = self.peek() else {
            return Err(self.fault_at(self.at, "Unexpected end-of-input"));
        };
        let begin = self.at;
        let opens = |is_object| Level { is_object, has_members: false, begin };
        match c {
            '{' => {
                self.levels.push(opens(true));
                self.step();
                Ok(Token::StartObject)
            }
            '[' => {
                self.levels.push(opens(false));
                self.step();
                Ok(Token::StartArray)
            }
            '"' => {
                let text = self.string("was expecting closing quote for a string value")?;
                self.shown = begin + 1;
                Ok(Token::Text(text))
            }
            '-' | '0'..='9' => self.number(),
            c if c.is_alphabetic() || c == '_' || c == '$' => self.word(),
            c => Err(self.unexpected(c, &format!("expected a valid value {VALUES}"))),
        }
    }

    fn word(&mut self) -> Result<Token, Fault> {
        let begin = self.at;
        while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            self.at += 1;
        }
        self.shown = self.at;
        let word: String = self.text[begin..self.at].iter().collect();
        match word.as_str() {
            "true" => Ok(Token::True),
            "false" => Ok(Token::False),
            "null" => Ok(Token::Null),
            _ => Err(self.fault(format!("Unrecognized token '{word}': was expecting {VALUES}"))),
        }
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let begin = self.at;
        while self.peek().is_some_and(|c| matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')) {
            self.at += 1;
        }
        self.shown = self.at;
        let text: String = self.text[begin..self.at].iter().collect();
        // JSON's numbers: no leading zeros, digits on both sides of a point.
        match serde_json::from_str::<serde_json::Number>(&text) {
            Ok(_) => Ok(Token::Number(text)),
            Err(_) => Err(self.fault(format!("Invalid numeric value: {text}"))),
        }
    }

    /// The text between quotation marks, unescaped, and what is expected where it never ends.
    fn string(&mut self, expectation: &str) -> Result<String, Fault> {
        let begin = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => {
                    let is_value = expectation.ends_with("value");
                    return Err(self.fault_at(
                        self.at,
                        match self.of_bytes && is_value {
                            true => "Unexpected end-of-input in VALUE_STRING".to_owned(),
                            false => format!("Unexpected end-of-input: {expectation}"),
                        },
                    ));
                }
                Some('\\') => self.at = (self.at + 2).min(self.text.len()),
                Some('"') => break,
                Some(c) if c < ' ' => {
                    let code = u32::from(c);
                    let message = format!(
                        "Illegal unquoted character ((CTRL-CHAR, code {code})): has to be escaped using backslash to be \
                         included in string value"
                    );
                    return Err(self.fault_at(self.at, message));
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let quoted: String = self.text[begin..self.at].iter().collect();
        serde_json::from_str(&quoted).map_err(|_| self.fault_at(self.at, "Unrecognized character escape"))
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn step(&mut self) {
        self.at += 1;
        self.shown = self.at;
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, c: char, expectation: &str) -> Fault {
        self.fault_at(self.at, format!("Unexpected character ('{c}' (code {})): {expectation}", u32::from(c)))
    }

    fn missing_end(&self, level: Level) -> Fault {
        let (kind, (line, column)) = (level.kind(), self.line_and_column(level.begin));
        let begin = place(line, column);
        let message = format!("Unexpected end-of-input: expected close marker for {kind} (start marker at {begin})");
        self.fault_at(self.at, message)
    }

    fn mismatched_end(&self, level: Level, found: char, expected: char) -> Fault {
        let (kind, (line, column)) = (level.kind(), self.line_and_column(level.begin));
        let begin = place(line, column);
        let message =
            format!("Unexpected close marker '{found}': expected '{expected}' (for {kind} starting at {begin})");
        self.fault_at(self.at + 1, message)
    }

    fn broken_off(&self, kind: &str) -> Fault {
        self.fault_at(self.at, format!("Unexpected end-of-input within/between {kind} entries"))
    }

    fn fault_at(&self, at: usize, message: impl Into<String>) -> Fault {
        let (line, column) = self.line_and_column(at);
        Fault { message: message.into(), line, column }
    }

    fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..at.min(self.text.len())];
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        let line_start = before.iter().rposition(|c| *c == '\n').map_or(0, |newline| newline + 1);
        let wider: usize = before[line_start..].iter().map(|c| c.len_utf8() - 1).sum();
        (line, at - line_start + 1 + if self.of_bytes { wider } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_in_order() {
        let mut reader = Reader::new(r#" {"a" : [1, "b", null], "c": {}} "#);
        let mut tokens = Vec::new();
        while tokens.len() < 10 {
            tokens.push(reader.next().unwrap().text().to_owned());
        }
        assert_eq!(tokens, ["{", "a", "[", "1", "b", "null", "]", "c", "{", "}"]);
    }

    #[test]
    fn faults_name_the_place_as_recorded_answers_do() {
        let fault = |text: &str| Reader::check(text).unwrap_err();
        let brace = fault("{invalidjson}");
        assert_eq!(
            brace.message,
            "Unexpected character ('i' (code 105)): was expecting double-quote to start field name"
        );
        assert_eq!((brace.line, brace.column), (1, 2));
        let word = fault("invalid");
        assert_eq!(
            word.message,
            "Unrecognized token 'invalid': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or \
             'false')"
        );
        assert_eq!(word.column, 8);
        for (text, message, column) in [
            (
                "{",
                "Unexpected end-of-input: expected close marker for Object (start marker at [Source: REDACTED \
              (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1])",
                2,
            ),
            (r#"{"a":"#, "Unexpected end-of-input within/between Object entries", 6),
            ("[1,", "Unexpected end-of-input within/between Array entries", 4),
            (r#"{"é"#, "Unexpected end-of-input: was expecting closing '\"' for name", 4),
            ("\"x", "Unexpected end-of-input: was expecting closing quote for a string value", 3),
            (
                "[1}",
                "Unexpected close marker '}': expected ']' (for Array starting at [Source: REDACTED \
              (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1])",
                4,
            ),
        ] {
            let found = fault(text);
            assert_eq!((found.message.as_str(), found.line, found.column), (message, 1, column), "{text}");
        }
        let found = Reader::check_bytes("[\"é").unwrap_err();
        assert_eq!((found.message.as_str(), found.column), ("Unexpected end-of-input in VALUE_STRING", 5));
        for broken in ["{} x", "{}}", "1 2", "\"\\"] {
            assert!(Reader::check_bytes(broken).is_err(), "{broken}");
        }
        for broken in ["{", "[1,", r#"{"a"}"#, r#"{"a":}"#, "[1 2]", r#"{"a":1 "b":2}"#, "\"x", "01", ""] {
            assert!(Reader::check(broken).is_err(), "{broken}");
        }
        assert_eq!(Reader::check(r#"{"a":[{"b":"\u00e9"}],"c":-1.5e3}"#), Ok(()));
    }
}
