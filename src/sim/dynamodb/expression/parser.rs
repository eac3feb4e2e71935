//! The parser's hands: tokens one by one, document paths, substitutes, and how it complains. Projections, too.

use super::lexer::{Kind, Token, tokens};
use super::{Bindings, Parameter};
use crate::sim::dynamodb::fault;
use crate::sim::dynamodb::path::{Path, Step};
use crate::sim::dynamodb::value::Value;
use crate::sim::error::ApiError;

/// An expression's longest text, bytes.
const LENGTH_MAX: usize = 4096;
/// The substitutes of the framework's names.
const RESERVED_WORDS: &str = include_str!("reserved_words.txt");

pub(super) struct Parser<'a> {
    pub parameter: Parameter,
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    bindings: &'a mut Bindings,
}

impl<'a> Parser<'a> {
    /// Errors: `ValidationException` for an empty or an overlong text.
    pub fn new(parameter: Parameter, text: &'a str, bindings: &'a mut Bindings) -> Result<Self, ApiError> {
        let parser = Self { parameter, text, tokens: tokens(text), at: 0, bindings };
        if text.len() > LENGTH_MAX {
            let words =
                format!("Expression size has exceeded the maximum allowed size; expression size: {}", text.len());
            return Err(parser.error(words));
        }
        if parser.tokens.len() == 1 {
            return Err(parser.error("The expression can not be empty;"));
        }
        Ok(parser)
    }

    pub fn error(&self, what: impl AsRef<str>) -> ApiError {
        fault::validation(format!("Invalid {}: {}", self.parameter.name(), what.as_ref()))
    }

    pub fn peek(&self) -> &Kind {
        &self.tokens[self.at].kind
    }

    pub fn peek_second(&self) -> &Kind {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].kind
    }

    pub fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// The current token makes no sense here.
    pub fn unexpected(&self) -> ApiError {
        let token = &self.tokens[self.at];
        let near_start = self.tokens[self.at.saturating_sub(1)].start;
        let near_end = self.tokens[(self.at + 1).min(self.tokens.len() - 1)].end;
        let shown = if token.kind == Kind::End { "<EOF>" } else { &self.text[token.start..token.end] };
        let near = &self.text[near_start..near_end];
        self.error(format!("Syntax error; token: \"{shown}\", near: \"{near}\""))
    }

    /// Takes the sign when it is next.
    pub fn takes(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Kind::Sign(next) if *next == sign);
        if is_next {
            self.advance();
        }
        is_next
    }

    pub fn expect(&mut self, sign: &str) -> Result<(), ApiError> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Takes the keyword, in any case of letters, when it is next.
    pub fn takes_word(&mut self, word: &str) -> bool {
        let is_next = matches!(self.peek(), Kind::Word(next) if next.eq_ignore_ascii_case(word));
        if is_next {
            self.advance();
        }
        is_next
    }

    pub fn expect_end(&self) -> Result<(), ApiError> {
        if *self.peek() == Kind::End { Ok(()) } else { Err(self.unexpected()) }
    }

    /// `a.#b[3].c`
    pub fn path(&mut self) -> Result<Path, ApiError> {
        let attribute = self.path_name()?;
        let mut steps = Vec::new();
        loop {
            if self.takes(".") {
                steps.push(Step::Name(self.path_name()?));
            } else if self.takes("[") {
                let Kind::Number(index) = *self.peek() else { return Err(self.unexpected()) };
                self.advance();
                self.expect("]")?;
                steps.push(Step::Index(index));
            } else {
                return Ok(Path { attribute, steps });
            }
        }
    }

    fn path_name(&mut self) -> Result<String, ApiError> {
        let name = match self.peek().clone() {
            Kind::Word(word) if is_reserved(&word) => {
                return Err(self.error(format!("Attribute name is a reserved keyword; reserved keyword: {word}")));
            }
            Kind::Word(word) => word,
            Kind::Name(token) => self.bindings.name(&token).ok_or_else(|| {
                self.error(format!(
                    "An expression attribute name used in the document path is not defined; attribute name: {token}"
                ))
            })?,
            _ => return Err(self.unexpected()),
        };
        self.advance();
        Ok(name)
    }

    /// `:value`
    pub fn value(&mut self) -> Result<Value, ApiError> {
        let Kind::Value(token) = self.peek().clone() else { return Err(self.unexpected()) };
        self.advance();
        self.bindings.value(&token).ok_or_else(|| {
            self.error(format!(
                "An expression attribute value used in expression is not defined; attribute value: {token}"
            ))
        })
    }
}

fn is_reserved(word: &str) -> bool {
    RESERVED_WORDS.split_ascii_whitespace().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// A ProjectionExpression. Errors: `ValidationException`.
pub fn projection(text: &str, bindings: &mut Bindings) -> Result<Vec<Path>, ApiError> {
    let mut parser = Parser::new(Parameter::Projection, text, bindings)?;
    let mut paths = vec![parser.path()?];
    while parser.takes(",") {
        paths.push(parser.path()?);
    }
    parser.expect_end()?;
    check_apart(&parser, &paths)?;
    Ok(paths)
}

/// No path may lead to or into another, nor may two treat one place as a map and as a list.
pub(super) fn check_apart(parser: &Parser<'_>, paths: &[Path]) -> Result<(), ApiError> {
    for (index, one) in paths.iter().enumerate() {
        for two in &paths[index + 1..] {
            let how = if one.overlaps(two) {
                "overlap"
            } else if one.conflicts(two) {
                "conflict"
            } else {
                continue;
            };
            return Err(parser.error(format!(
                "Two document paths {how} with each other; must remove or rewrite one of these paths; path one: {one}, \
                 path two: {two}"
            )));
        }
    }
    Ok(())
}
