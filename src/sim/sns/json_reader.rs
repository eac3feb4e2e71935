//! Reads JSON token by token and knows where it stands, as the reader inside AWS's service does: its error texts name
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

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {}, column: {}]",
            self.message, self.line, self.column
        )
    }
}

const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// What the innermost container is and whether it has had a member.
#[derive(Clone, Copy)]
struct Level {
    is_object: bool,
    has_members: bool,
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
}

impl Reader {
    pub fn new(text: &str) -> Self {
        Self { text: text.chars().collect(), at: 0, shown: 0, levels: Vec::new(), value_is_next: false }
    }

    /// Reads the whole text; whether it is JSON.
    pub fn check(text: &str) -> Result<(), Fault> {
        let mut reader = Self::new(text);
        loop {
            reader.next()?;
            if reader.levels.is_empty() && !reader.value_is_next {
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
        let Some(Level { is_object, has_members }) = self.levels.last().copied() else {
            self.skip_space();
            return self.value();
        };
        self.skip_space();
        let c = self.peek().ok_or_else(|| self.missing_end(is_object))?;
        if c == if is_object { '}' } else { ']' } {
            self.levels.pop();
            self.step();
            return Ok(if is_object { Token::EndObject } else { Token::EndArray });
        }
        if has_members {
            if c != ',' {
                let kind = if is_object { "Object" } else { "Array" };
                return Err(self.unexpected(c, &format!("was expecting comma to separate {kind} entries")));
            }
            self.at += 1;
            self.skip_space();
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
            None => return Err(self.missing_end(true)),
        }
        let name = self.string()?;
        self.skip_space();
        match self.peek() {
            Some(':') => self.at += 1,
            Some(c) => return Err(self.unexpected(c, "was expecting a colon to separate field name and value")),
            None => return Err(self.fault_at(self.at, "Unexpected end-of-input within/between Object entries")),
        }
        self.skip_space();
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
        let opens = |is_object| Level { is_object, has_members: false };
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
                let begin = self.at;
                let text = self.string()?;
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

    /// The text between quotation marks, unescaped.
    fn string(&mut self) -> Result<String, Fault> {
        let begin = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => {
                    let message = "Unexpected end-of-input: was expecting closing quote for a string value";
                    return Err(self.fault_at(self.at, message));
                }
                Some('\\') => self.at += 2,
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

    fn missing_end(&self, is_object: bool) -> Fault {
        let kind = if is_object { "Object" } else { "Array" };
        self.fault_at(self.at, format!("Unexpected end-of-input: expected close marker for {kind}"))
    }

    fn fault_at(&self, at: usize, message: impl Into<String>) -> Fault {
        let before = &self.text[..at.min(self.text.len())];
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        let line_start = before.iter().rposition(|c| *c == '\n').map_or(0, |newline| newline + 1);
        Fault { message: message.into(), line, column: at - line_start + 1 }
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
        for broken in ["{", "[1,", r#"{"a"}"#, r#"{"a":}"#, "[1 2]", r#"{"a":1 "b":2}"#, "\"x", "01", ""] {
            assert!(Reader::check(broken).is_err(), "{broken}");
        }
        assert_eq!(Reader::check(r#"{"a":[{"b":"\u00e9"}],"c":-1.5e3}"#), Ok(()));
    }
}
