//! Cuts an expression's text into tokens.

/// One token and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Word(String),
    /// `#name`
    Name(String),
    /// `:value`
    Value(String),
    Number(usize),
    /// A sign such as `<=` or `(`.
    Sign(&'static str),
    /// A character that no expression has.
    Stray,
    End,
}

const SIGNS: [&str; 14] = ["<>", "<=", ">=", "<", ">", "=", "(", ")", "[", "]", ",", ".", "+", "-"];

/// All tokens; the last is [`Kind::End`].
pub fn tokens(text: &str) -> Vec<Token> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = token(&text[at..], first);
        all.push(Token { kind, start: at, end: at + length });
        at += length;
    }
    all.push(Token { kind: Kind::End, start: text.len(), end: text.len() });
    all
}

fn token(rest: &str, first: char) -> (Kind, usize) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let run = |from: usize| from + rest[from..].chars().take_while(|c| is_word(*c)).count();
    match first {
        '#' if run(1) > 1 => (Kind::Name(rest[..run(1)].to_owned()), run(1)),
        ':' if run(1) > 1 => (Kind::Value(rest[..run(1)].to_owned()), run(1)),
        'a'..='z' | 'A'..='Z' | '_' => (Kind::Word(rest[..run(0)].to_owned()), run(0)),
        '0'..='9' => {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            (rest[..length].parse().map_or(Kind::Stray, Kind::Number), length)
        }
        _ => match SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            Some(sign) => (Kind::Sign(sign), sign.len()),
            None => (Kind::Stray, first.len_utf8()),
        },
    }
}
