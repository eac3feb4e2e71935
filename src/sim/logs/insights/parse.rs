//! Logs Insights' query language, as far as it is served: `fields`, `display`, `filter`, `parse`, `sort`, `limit`,
//! `dedup` and `stats … by`, with their expressions ("CloudWatch Logs Insights language query syntax").

use super::functions;
use super::pattern::Pattern;

/// Brackets within brackets go no deeper.
const DEPTH_MAX: usize = 40;

/// An expression over one event.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Number(f64),
    Text(String),
    Field(String),
    /// A period such as `5m`, in milliseconds.
    Period(i64),
    Call(String, Vec<Expr>),
    Not(Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Like(Box<Expr>, Needle),
    In(Box<Expr>, Vec<Expr>),
}

/// What `like` looks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Needle {
    Text(String),
    Regex(Pattern),
}

/// An expression and what the answer calls it.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub expr: Expr,
    pub name: String,
}

/// One command of the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Fields(Vec<Named>),
    Display(Vec<Named>),
    Filter(Expr),
    Parse(Expr, Pattern),
    /// (by what, whether descending)
    Sort(Vec<(Expr, bool)>),
    Limit(usize),
    Dedup(Vec<Named>),
    Stats {
        of: Vec<Named>,
        by: Vec<Named>,
    },
}

/// What is wrong with a query, and where, in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub message: String,
    pub at: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Regex(String),
    Number(f64),
    Period(i64),
    Sign(&'static str),
    End,
}

/// Longer signs come first.
const SIGNS: [&str; 18] =
    ["!=", "<=", ">=", "=~", "|", ",", "(", ")", "[", "]", "=", "<", ">", "+", "-", "*", "^", "%"];

/// Reads a query; says what is wrong with it otherwise.
pub fn parse(text: &str) -> Result<Vec<Command>, Malformed> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let mut commands = Vec::new();
    while *parser.peek() == Token::Sign("|") {
        parser.at += 1;
    }
    loop {
        commands.push(parser.command()?);
        if *parser.peek() == Token::End {
            return Ok(commands);
        }
        parser.expect("|")?;
    }
}

fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Malformed> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let start = at;
        let token = match c {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '#' => {
                at += chars[at..].iter().position(|c| *c == '\n').unwrap_or(chars.len() - at);
                continue;
            }
            '"' | '\'' | '`' => {
                let text = until(&chars, &mut at, c).ok_or_else(|| malformed("a quotation does not end", start))?;
                if c == '`' { Token::Word(text) } else { Token::Quoted(text) }
            }
            '/' if begins_pattern(&out) => {
                let text = until(&chars, &mut at, '/').ok_or_else(|| malformed("a pattern does not end", start))?;
                Token::Regex(text)
            }
            '/' => {
                at += 1;
                Token::Sign("/")
            }
            c if c.is_ascii_digit() => number(&chars, &mut at),
            c if c.is_alphanumeric() || matches!(c, '@' | '_' | '$') => {
                at += name_length(&chars[at..]);
                Token::Word(chars[start..at].iter().collect())
            }
            _ => {
                let rest: String = chars[at..(at + 2).min(chars.len())].iter().collect();
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = sign.ok_or_else(|| malformed(&format!("unexpected symbol found {c}"), at))?;
                at += sign.len();
                Token::Sign(sign)
            }
        };
        out.push((token, start));
    }
    out.push((Token::End, chars.len()));
    Ok(out)
}

/// A slash after `like` or `=~`, and the first after the field of `parse`, begins a pattern; elsewhere it divides.
fn begins_pattern(out: &[(Token, usize)]) -> bool {
    let is_word = |token: &Token, wanted: &str| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted));
    let command = out.rsplit(|(token, _)| *token == Token::Sign("|")).next().unwrap_or_default();
    match (command, out.last()) {
        (_, Some((Token::Sign("=~"), _))) => true,
        (_, Some((last, _))) if is_word(last, "like") => true,
        ([(first, _), _, rest @ ..], _) => {
            is_word(first, "parse") && !rest.iter().any(|(token, _)| matches!(token, Token::Regex(_)))
        }
        _ => false,
    }
}

/// How many characters of a name stand there: `a.b`, `@message`, `list[0].c`.
fn name_length(chars: &[char]) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '@' | '_' | '$' | '.' | ':');
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if is_part(c) {
            at += 1;
            continue;
        }
        let digits = chars[at + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
        if c != '[' || digits == 0 || chars.get(at + 1 + digits) != Some(&']') {
            break;
        }
        at += digits + 2;
    }
    at
}

/// What stands up to the closing sign; a backslash keeps what follows it.
fn until(chars: &[char], at: &mut usize, closing: char) -> Option<String> {
    let mut out = String::new();
    *at += 1;
    loop {
        let c = *chars.get(*at)?;
        *at += 1;
        match c {
            c if c == closing => return Some(out),
            '\\' => {
                let next = *chars.get(*at)?;
                *at += 1;
                if next != closing {
                    out.push('\\');
                }
                out.push(next);
            }
            _ => out.push(c),
        }
    }
}

/// `12`, `1.5` or `5m`.
fn number(chars: &[char], at: &mut usize) -> Token {
    let start = *at;
    let digits = chars[start..].iter().position(|c| !c.is_ascii_digit() && *c != '.').unwrap_or(chars.len() - start);
    let value: f64 = chars[start..start + digits].iter().collect::<String>().parse().unwrap_or(0.0);
    let rest = &chars[start + digits..];
    let letters = rest.iter().position(|c| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let unit: String = rest[..letters].iter().collect();
    let unit_ms = match unit.as_str() {
        "ms" => 1,
        "s" | "sec" => 1000,
        "m" | "min" => 60_000,
        "h" | "hr" => 3_600_000,
        "d" => 86_400_000,
        "w" => 7 * 86_400_000,
        _ => 0,
    };
    if unit_ms == 0 {
        *at = start + digits;
        return Token::Number(value);
    }
    *at = start + digits + letters;
    Token::Period((value * unit_ms as f64) as i64)
}

fn malformed(message: &str, at: usize) -> Malformed {
    Malformed { message: message.to_owned(), at }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn unexpected(&self) -> Malformed {
        let (token, at) = &self.tokens[self.at];
        let shown = match token {
            Token::Word(word) => word.clone(),
            Token::Quoted(text) => format!("'{text}'"),
            Token::Regex(text) => format!("/{text}/"),
            Token::Number(number) => number.to_string(),
            Token::Period(ms) => format!("{ms}ms"),
            Token::Sign(sign) => (*sign).to_owned(),
            Token::End => "<EOF>".to_owned(),
        };
        malformed(&format!("unexpected symbol found {shown} at line 1 and position {at}"), *at)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Sign(next) if *next == sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Word(next) if next.eq_ignore_ascii_case(word));
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &str) -> Result<(), Malformed> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn command(&mut self) -> Result<Command, Malformed> {
        let Token::Word(word) = self.peek().clone() else { return Err(self.unexpected()) };
        let before = self.at;
        self.at += 1;
        match word.to_ascii_lowercase().as_str() {
            "fields" => Ok(Command::Fields(self.named_list()?)),
            "display" => Ok(Command::Display(self.named_list()?)),
            "filter" | "where" => Ok(Command::Filter(self.expression(0)?)),
            "dedup" => Ok(Command::Dedup(self.named_list()?)),
            "parse" => self.parse_command(),
            "limit" | "head" => {
                let Token::Number(count) = *self.peek() else { return Err(self.unexpected()) };
                self.at += 1;
                Ok(Command::Limit(count as usize))
            }
            "sort" => {
                let mut by = Vec::new();
                loop {
                    let expr = self.expression(0)?;
                    let is_descending = !self.takes_word("asc") && {
                        self.takes_word("desc");
                        true
                    };
                    by.push((expr, is_descending));
                    if !self.takes(",") {
                        return Ok(Command::Sort(by));
                    }
                }
            }
            "stats" => {
                let of = self.named_list()?;
                let by = if self.takes_word("by") { self.named_list()? } else { Vec::new() };
                Ok(Command::Stats { of, by })
            }
            _ => {
                self.at = before;
                Err(self.unexpected())
            }
        }
    }

    /// `parse @message "user=*" as user` or `parse @message /user=(?<user>.*)/`.
    fn parse_command(&mut self) -> Result<Command, Malformed> {
        let expr = self.operand()?;
        let at = self.tokens[self.at].1;
        let pattern = match self.peek().clone() {
            Token::Regex(text) => {
                self.at += 1;
                Pattern::regex(&text)
            }
            Token::Quoted(text) => {
                self.at += 1;
                if !self.takes_word("as") {
                    return Err(self.unexpected());
                }
                let mut names = vec![self.name()?];
                while self.takes(",") {
                    names.push(self.name()?);
                }
                Pattern::glob(&text, names)
            }
            _ => return Err(self.unexpected()),
        };
        pattern.map(|pattern| Command::Parse(expr, pattern)).map_err(|why| malformed(&why, at))
    }

    fn name(&mut self) -> Result<String, Malformed> {
        let (Token::Word(name) | Token::Quoted(name)) = self.peek().clone() else { return Err(self.unexpected()) };
        self.at += 1;
        Ok(name)
    }

    fn named_list(&mut self) -> Result<Vec<Named>, Malformed> {
        let mut all = Vec::new();
        loop {
            let expr = self.expression(0)?;
            let name = if self.takes_word("as") { self.name()? } else { name_of(&expr) };
            all.push(Named { expr, name });
            if !self.takes(",") {
                return Ok(all);
            }
        }
    }

    /// Binary operators by how strongly they bind, weakest first.
    fn expression(&mut self, level: usize) -> Result<Expr, Malformed> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.unexpected());
        }
        let expr = self.binary(level);
        self.depth -= 1;
        expr
    }

    fn binary(&mut self, level: usize) -> Result<Expr, Malformed> {
        const LEVELS: [&[&str]; 6] =
            [&["or"], &["and"], &["=", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"], &["^"]];
        let Some(operators) = LEVELS.get(level) else { return self.operand() };
        if level == 2 && self.takes_word("not") {
            return Ok(Expr::Not(Box::new(self.binary(level)?)));
        }
        let mut left = self.binary(level + 1)?;
        loop {
            if level == 2
                && let Some(found) = self.like_or_in(&left)?
            {
                left = found;
                continue;
            }
            let is_word = level < 2;
            let found = operators.iter().find(|op| if is_word { self.takes_word(op) } else { self.takes(op) });
            let Some(operator) = found.copied() else { return Ok(left) };
            left = Expr::Binary(operator, Box::new(left), Box::new(self.binary(level + 1)?));
        }
    }

    /// `like "text"`, `not like /pattern/`, `=~ /pattern/`, `in ["a", "b"]` after an operand.
    fn like_or_in(&mut self, left: &Expr) -> Result<Option<Expr>, Malformed> {
        let before = self.at;
        let is_negated = self.takes_word("not");
        let of = |expr: Expr| if is_negated { Expr::Not(Box::new(expr)) } else { expr };
        if self.takes_word("like") || self.takes("=~") {
            let at = self.tokens[self.at].1;
            let needle = match self.peek().clone() {
                Token::Quoted(text) => Needle::Text(text),
                Token::Regex(text) => Needle::Regex(Pattern::regex(&text).map_err(|why| malformed(&why, at))?),
                _ => return Err(self.unexpected()),
            };
            self.at += 1;
            return Ok(Some(of(Expr::Like(Box::new(left.clone()), needle))));
        }
        if self.takes_word("in") {
            self.expect("[")?;
            let mut all = vec![self.expression(0)?];
            while self.takes(",") {
                all.push(self.expression(0)?);
            }
            self.expect("]")?;
            return Ok(Some(of(Expr::In(Box::new(left.clone()), all))));
        }
        self.at = before;
        Ok(None)
    }

    fn operand(&mut self) -> Result<Expr, Malformed> {
        if self.takes("(") {
            let inner = self.expression(0)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.takes("-") {
            let inner = self.operand()?;
            return Ok(Expr::Binary("-", Box::new(Expr::Number(0.0)), Box::new(inner)));
        }
        if self.takes("*") {
            return Ok(Expr::Field("*".into()));
        }
        match self.peek().clone() {
            Token::Number(number) => {
                self.at += 1;
                Ok(Expr::Number(number))
            }
            Token::Quoted(text) => {
                self.at += 1;
                Ok(Expr::Text(text))
            }
            Token::Period(ms) => {
                self.at += 1;
                Ok(Expr::Period(ms))
            }
            Token::Word(word) => {
                self.at += 1;
                let opening = self.at;
                if !self.takes("(") {
                    return Ok(Expr::Field(word));
                }
                if !functions::is_known(&word) {
                    self.at = opening;
                    return Err(self.unexpected());
                }
                let mut arguments = Vec::new();
                if !self.takes(")") {
                    arguments.push(self.expression(0)?);
                    while self.takes(",") {
                        arguments.push(self.expression(0)?);
                    }
                    self.expect(")")?;
                }
                if !functions::takes(&word, arguments.len()) {
                    let words = format!("{word} does not take {} arguments", arguments.len());
                    return Err(malformed(&words, self.tokens[opening].1));
                }
                Ok(Expr::Call(word, arguments))
            }
            _ => Err(self.unexpected()),
        }
    }
}

/// What the answer calls an expression without a name: the text that it could be written as.
pub(super) fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Number(number) => number.to_string(),
        Expr::Text(text) => format!("'{text}'"),
        Expr::Field(name) => name.clone(),
        Expr::Period(ms) => match (ms % 3_600_000, ms % 60_000, ms % 1000) {
            (0, ..) => format!("{}h", ms / 3_600_000),
            (_, 0, _) => format!("{}m", ms / 60_000),
            (.., 0) => format!("{}s", ms / 1000),
            _ => format!("{ms}ms"),
        },
        Expr::Call(name, arguments) => {
            format!("{name}({})", arguments.iter().map(name_of).collect::<Vec<_>>().join(", "))
        }
        Expr::Not(inner) => format!("not {}", name_of(inner)),
        Expr::Binary(operator, left, right) => format!("{} {operator} {}", name_of(left), name_of(right)),
        Expr::Like(inner, _) => format!("{} like", name_of(inner)),
        Expr::In(inner, _) => format!("{} in", name_of(inner)),
    }
}
