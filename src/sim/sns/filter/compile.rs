//! A policy's JSON becomes rules. The rules of the language, the order in which mistakes are found and their texts are
//! those of the rule engine behind AWS's services, as recorded answers show it.

use super::cidr::Cidr;
use super::pattern::{Bound, Fixed, NUMBER_MAX, Pattern, WILDCARDS_MAX};
use super::{COMBINATIONS_MAX, Key, POLICY_BYTES_MAX, Refusal, Rule, Scope};
use crate::sim::json_reader::{Fault, Reader, Token};
use serde_json::Value;
use std::collections::BTreeSet;

/// Reads a policy. The reader works on the policy written without spaces, as AWS's does: its columns count there.
pub fn compile(text: &str, scope: Scope) -> Result<Vec<Rule>, Refusal> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(Refusal::Policy("Filter policy is too long".to_owned()));
    }
    let broken = |why: String| Refusal::Policy(format!("failed to parse JSON. {why}"));
    Reader::check(text).map_err(|fault| broken(fault.to_string()))?;
    let value: Value = serde_json::from_str(text).map_err(|error| broken(error.to_string()))?;
    if value.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(Vec::new());
    }
    let mut compiler = Compiler { reader: Reader::new(&value.to_string()), path: Vec::new(), is_nested: false };
    let rules = compiler.policy().map_err(|stop| match stop {
        Stop::Fault(fault) => Refusal::Policy(fault.to_string()),
        Stop::Plain(reason) => Refusal::Policy(reason),
    })?;
    if compiler.is_nested && scope == Scope::MessageAttributes {
        return Err(Refusal::Nested);
    }
    Ok(rules)
}

/// Why compiling ends.
enum Stop {
    Fault(Fault),
    /// Without a place.
    Plain(String),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

struct Compiler {
    reader: Reader,
    path: Vec<String>,
    is_nested: bool,
}

const OR: &str = "$or";
/// Names that would read as operators inside `$or`.
const RESERVED: [&str; 9] =
    ["exactly", "prefix", "suffix", "equals-ignore-case", "numeric", "anything-but", "exists", "cidr", "wildcard"];

impl Compiler {
    fn policy(&mut self) -> Result<Vec<Rule>, Stop> {
        if self.reader.next()? != Token::StartObject {
            return Err(self.fault("Filter is not an object"));
        }
        let mut rules = Vec::new();
        self.object(&mut rules, false)?;
        Ok(rules)
    }

    fn fault(&self, message: impl Into<String>) -> Stop {
        Stop::Fault(self.reader.fault(message))
    }

    fn object(&mut self, rules: &mut Vec<Rule>, inside_or: bool) -> Result<(), Stop> {
        let mut is_empty = true;
        loop {
            let name = match self.reader.next()? {
                Token::Field(name) => name,
                _ if is_empty => return Err(self.fault("Empty objects are not allowed")),
                _ => return Ok(()),
            };
            is_empty = false;
            if name == OR {
                self.alternatives(rules)?;
                continue;
            }
            if inside_or && RESERVED.contains(&name.as_str()) {
                let message = format!("{name} is Ruler reserved fieldName which cannot be used inside {OR}.");
                return Err(self.fault(message));
            }
            match self.reader.next()? {
                Token::StartObject => {
                    self.is_nested = true;
                    self.path.push(name);
                    self.object(rules, inside_or)?;
                    self.path.pop();
                }
                Token::StartArray => {
                    self.path.push(name);
                    let key = Key { depth: self.path.len() as u64, patterns: self.patterns()? };
                    let path = self.path.join(".");
                    self.path.pop();
                    if rules.is_empty() {
                        rules.push(Rule::default());
                    }
                    for rule in rules.iter_mut() {
                        rule.keys.insert(path.clone(), key.clone());
                    }
                }
                _ => return Err(self.fault(format!("\"{name}\" must be an object or an array"))),
            }
        }
    }

    /// `$or`: each object of the array makes its own copies of the rules so far.
    fn alternatives(&mut self, rules: &mut Vec<Rule>) -> Result<(), Stop> {
        let before = std::mem::take(rules);
        if self.reader.next()? != Token::StartArray {
            return Err(self.fault(format!("It must be an Array followed with {OR}.")));
        }
        let mut count = 0;
        loop {
            match self.reader.next()? {
                Token::EndArray => break,
                Token::StartObject => {}
                _ => return Err(self.fault(format!("Only JSON object is allowed in array of {OR} relationship."))),
            }
            count += 1;
            let mut branch = before.clone();
            if branch.is_empty() {
                branch.push(Rule::default());
            }
            self.object(&mut branch, true)?;
            rules.extend(branch);
            // Each rule is at least one combination, so there is no need to go on.
            if rules.len() as u64 > COMBINATIONS_MAX {
                return Err(Stop::Plain("Filter policy is too complex".to_owned()));
            }
        }
        if count < 2 {
            return Err(self.fault(format!("There must have at least 2 Objects in {OR} relationship.")));
        }
        Ok(())
    }

    fn patterns(&mut self) -> Result<Vec<Pattern>, Stop> {
        let mut patterns = Vec::new();
        loop {
            patterns.push(match self.reader.next()? {
                Token::EndArray => break,
                Token::StartObject => self.expression()?,
                Token::Text(text) => Pattern::Text(text),
                Token::Number(text) => Pattern::Number(text.parse().ok().and_then(Fixed::of), text),
                Token::True => Pattern::Word("true"),
                Token::False => Pattern::Word("false"),
                Token::Null => Pattern::Word("null"),
                Token::StartArray | Token::EndObject | Token::Field(_) => {
                    return Err(self.fault("Match value must be String, number, true, false, or null"));
                }
            });
        }
        if patterns.is_empty() {
            return Err(self.fault("Empty arrays are not allowed"));
        }
        Ok(patterns)
    }

    /// `{ "operator": operand }`
    fn expression(&mut self) -> Result<Pattern, Stop> {
        let Token::Field(operator) = self.reader.next()? else {
            return Err(self.fault("Match expression name not found"));
        };
        match operator.as_str() {
            "exactly" => self.only(Self::text, "exact", Pattern::Text),
            "prefix" => self.only(Self::text, "prefix", Pattern::Prefix),
            "suffix" => self.only(Self::text, "suffix", Pattern::Suffix),
            "equals-ignore-case" => self.only(Self::text, "equals-ignore-case", Pattern::EqualsIgnoreCase),
            "wildcard" => self.only(Self::wildcard, "wildcard", Pattern::Wildcard),
            "cidr" => self.only(Self::cidr, "prefix", Pattern::Cidr),
            "exists" => self.exists(),
            "numeric" => {
                if self.reader.next()? != Token::StartArray {
                    return Err(self.fault("Value of numeric must be an array."));
                }
                let range = self.numeric()?;
                self.end_of_expression("Too many elements in numeric expression")?;
                Ok(range)
            }
            "anything-but" => self.anything_but(),
            _ => Err(self.fault(format!("Unrecognized match type {operator}"))),
        }
    }

    /// An expression with one operand.
    fn only<T>(
        &mut self,
        operand: impl Fn(&mut Self, &str) -> Result<T, Stop>,
        kind: &str,
        pattern: impl Fn(T) -> Pattern,
    ) -> Result<Pattern, Stop> {
        let operand = operand(self, kind)?;
        self.end_of_expression(ONE_KEY)?;
        Ok(pattern(operand))
    }

    fn end_of_expression(&mut self, complaint: &str) -> Result<(), Stop> {
        match self.reader.next()? {
            Token::EndObject => Ok(()),
            _ => Err(self.fault(complaint)),
        }
    }

    fn text(&mut self, kind: &str) -> Result<String, Stop> {
        match self.reader.next()? {
            Token::Text(text) => {
                self.reader.finish_text();
                Ok(text)
            }
            _ => Err(self.fault(format!("{kind} match pattern must be a string"))),
        }
    }

    fn wildcard(&mut self, kind: &str) -> Result<Vec<String>, Stop> {
        let text = self.text(kind)?;
        let mut parts = vec![String::new()];
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let part = parts.len() - 1;
            match letter {
                '\\' => match letters.next() {
                    Some(escaped @ ('*' | '\\')) => parts[part].push(escaped),
                    _ => return Err(Stop::Plain("Invalid escape character in wildcard pattern".to_owned())),
                },
                '*' if letters.peek() == Some(&'*') => {
                    return Err(Stop::Plain("Consecutive wildcard characters in wildcard pattern".to_owned()));
                }
                '*' => parts.push(String::new()),
                letter => parts[part].push(letter),
            }
        }
        if parts.len() - 1 > WILDCARDS_MAX {
            return Err(self.fault(format!("Wildcard pattern can not have more than {WILDCARDS_MAX} wildcards")));
        }
        Ok(parts)
    }

    fn cidr(&mut self, kind: &str) -> Result<Cidr, Stop> {
        Cidr::parse(&self.text(kind)?).map_err(Stop::Plain)
    }

    fn exists(&mut self) -> Result<Pattern, Stop> {
        let pattern = match self.reader.next()? {
            Token::True => Pattern::Present,
            Token::False => Pattern::Absent,
            _ => return Err(self.fault("exists match pattern must be either true or false.")),
        };
        self.end_of_expression(ONE_KEY)?;
        Ok(pattern)
    }

    fn anything_but(&mut self) -> Result<Pattern, Stop> {
        let pattern = match self.reader.next()? {
            Token::StartObject => {
                let pattern = self.anything_but_expression()?;
                self.end_of_expression(ONE_KEY)?;
                self.end_of_expression(ONE_KEY)?;
                return Ok(pattern);
            }
            Token::StartArray => self.anything_but_list()?,
            Token::Text(text) => Pattern::AnythingBut(BTreeSet::from([text])),
            token @ Token::Number(_) => Pattern::AnythingButNumber(BTreeSet::from([self.fixed(&token)?])),
            _ => return Err(self.fault("Value of anything-but must be an array or single string/number value.")),
        };
        self.end_of_expression("Too many elements in numeric expression")?;
        Ok(pattern)
    }

    fn anything_but_expression(&mut self) -> Result<Pattern, Stop> {
        let Token::Field(operator) = self.reader.next()? else {
            return Err(self.fault("Anything-But expression name not found"));
        };
        let affix = |text: String, kind: &str| match text.is_empty() {
            true => Err(Stop::Plain(format!("Null {kind} not allowed"))),
            false => Ok(text),
        };
        match operator.as_str() {
            "prefix" => Ok(Pattern::AnythingButPrefix(affix(self.text("prefix")?, "prefix")?)),
            "suffix" => Ok(Pattern::AnythingButSuffix(affix(self.text("suffix")?, "suffix")?)),
            "wildcard" => self.wildcard("wildcard").map(Pattern::AnythingButWildcard),
            _ => Err(self.fault(format!("Unsupported anything-but pattern: {operator}"))),
        }
    }

    fn anything_but_list(&mut self) -> Result<Pattern, Stop> {
        let (mut texts, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        loop {
            match self.reader.next()? {
                Token::EndArray => break,
                Token::Text(text) => {
                    texts.insert(text);
                }
                token @ Token::Number(_) => {
                    numbers.insert(self.fixed(&token)?);
                }
                _ => return Err(self.fault("Inside anything but list, start|null|boolean is not supported.")),
            }
        }
        match (texts.is_empty(), numbers.is_empty()) {
            (false, true) => Ok(Pattern::AnythingBut(texts)),
            (true, false) => Ok(Pattern::AnythingButNumber(numbers)),
            _ => Err(self.fault(
                "Inside anything but list, either all values are number or string, mixed type is not supported",
            )),
        }
    }

    fn fixed(&self, token: &Token) -> Result<Fixed, Stop> {
        let out_of_range = || {
            let most = format!("{:.1}E9", NUMBER_MAX / 1e9);
            self.fault(format!("Value must be between -{most} and {most}, inclusive"))
        };
        token.as_number().and_then(Fixed::of).ok_or_else(out_of_range)
    }

    /// `["=", 1]`, `[">", 0]`, `[">=", 0, "<", 100]`
    fn numeric(&mut self) -> Result<Pattern, Stop> {
        let operator = match self.reader.next()? {
            Token::Text(operator) => operator,
            other => return Err(self.fault(format!("Invalid member in numeric match: {}", other.text()))),
        };
        let operand = self.reader.next()?;
        let name = if operator == "=" { "equals" } else { operator.as_str() };
        if !["=", ">=", ">", "<=", "<"].contains(&operator.as_str()) {
            return Err(self.fault(format!("Unrecognized numeric range operator: {operator}")));
        }
        if operand.as_number().is_none() {
            return Err(self.fault(format!("Value of {name} must be numeric")));
        }
        let next = self.reader.next()?;
        let is_end = next == Token::EndArray;
        let bound = |value, is_open| Some(Bound { value, is_open });
        match operator.as_str() {
            "=" | "<" | "<=" if !is_end => Err(self.fault("Too many elements in numeric expression")),
            "=" => {
                let value = self.fixed(&operand)?;
                Ok(Pattern::Range { bottom: bound(value, false), top: bound(value, false) })
            }
            "<" | "<=" => Ok(Pattern::Range { bottom: None, top: bound(self.fixed(&operand)?, operator == "<") }),
            _ if is_end => Ok(Pattern::Range { bottom: bound(self.fixed(&operand)?, operator == ">"), top: None }),
            _ => self.upper_end(next, &operand, operator == ">"),
        }
    }

    /// The second half of a range with two ends.
    fn upper_end(&mut self, token: Token, bottom: &Token, is_open: bool) -> Result<Pattern, Stop> {
        let operator = match token {
            Token::Text(operator) => operator,
            other => return Err(self.fault(format!("Bad value in numeric range: {}", other.text()))),
        };
        self.reader.finish_text();
        if operator != "<" && operator != "<=" {
            return Err(self.fault(format!("Bad numeric range operator: {operator}")));
        }
        let top = self.reader.next()?;
        if top.as_number().is_none() {
            return Err(self.fault(format!("Value of {operator} must be numeric")));
        }
        if self.reader.next()? != Token::EndArray {
            return Err(self.fault("Too many terms in numeric range expression"));
        }
        let bottom = Bound { value: self.fixed(bottom)?, is_open };
        let top = Bound { value: self.fixed(&top)?, is_open: operator == "<" };
        if bottom.value >= top.value {
            return Err(self.fault("Bottom must be less than top"));
        }
        Ok(Pattern::Range { bottom: Some(bottom), top: Some(top) })
    }
}

const ONE_KEY: &str = "Only one key allowed in match expression";
