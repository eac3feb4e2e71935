//! Alarm rules: `ALARM("a") AND NOT (OK(b) OR TRUE)`, read and held against the states of other alarms.

use super::StateValue;

/// Alarms that one rule names, at most (PutCompositeAlarm).
const NAMES_MAX: usize = 100;
/// Elements of a rule, at most.
const ELEMENTS_MAX: usize = 500;
/// Brackets within brackets go no deeper.
const DEPTH_MAX: usize = 50;

/// A parsed AlarmRule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The alarm of this name is in this state. What does not exist is in none.
    Is(StateValue, String),
    Constant(bool),
    Not(Box<Rule>),
    And(Box<Rule>, Box<Rule>),
    Or(Box<Rule>, Box<Rule>),
}

impl Rule {
    /// Reads a rule; says what is wrong with it otherwise.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = words(text)?;
        if words.len() > ELEMENTS_MAX * 4 {
            return Err(format!("the rule has more than {ELEMENTS_MAX} elements"));
        }
        let mut parser = Parser { words, at: 0, depth: 0 };
        let rule = parser.either()?;
        if let Some(word) = parser.words.get(parser.at) {
            return Err(format!("unexpected {}", word.shown()));
        }
        if rule.names().len() > NAMES_MAX {
            return Err(format!("the rule names more than {NAMES_MAX} alarms"));
        }
        Ok(rule)
    }

    /// The alarms that the rule names, each once, in the order of their first appearance.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.gather(&mut names);
        names
    }

    fn gather<'a>(&'a self, into: &mut Vec<&'a str>) {
        match self {
            Self::Is(_, name) if !into.contains(&name.as_str()) => into.push(name),
            Self::Is(..) | Self::Constant(_) => {}
            Self::Not(rule) => rule.gather(into),
            Self::And(left, right) | Self::Or(left, right) => {
                left.gather(into);
                right.gather(into);
            }
        }
    }

    pub fn is_true(&self, state_of: &impl Fn(&str) -> Option<StateValue>) -> bool {
        match self {
            Self::Is(value, name) => state_of(name) == Some(*value),
            Self::Constant(value) => *value,
            Self::Not(rule) => !rule.is_true(state_of),
            Self::And(left, right) => left.is_true(state_of) && right.is_true(state_of),
            Self::Or(left, right) => left.is_true(state_of) || right.is_true(state_of),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Word {
    Open,
    Close,
    /// A bare word: an operator, a constant, or a name without quotes.
    Bare(String),
    Quoted(String),
}

impl Word {
    fn shown(&self) -> String {
        match self {
            Self::Open => "'('".into(),
            Self::Close => "')'".into(),
            Self::Bare(text) => format!("'{text}'"),
            Self::Quoted(text) => format!("'\"{text}\"'"),
        }
    }
}

fn words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '(' => words.push(Word::Open),
            ')' => words.push(Word::Close),
            '"' => {
                let mut quoted = String::new();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => quoted.extend(chars.next()),
                        Some(c) => quoted.push(c),
                        None => return Err("a quotation does not end".into()),
                    }
                }
                words.push(Word::Quoted(quoted));
            }
            first => {
                let mut bare = String::from(first);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '"')) {
                    bare.push(c);
                }
                words.push(Word::Bare(bare));
            }
        }
    }
    Ok(words)
}

struct Parser {
    words: Vec<Word>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn next(&mut self) -> Option<Word> {
        self.at += 1;
        self.words.get(self.at - 1).cloned()
    }

    fn takes(&mut self, operator: &str) -> bool {
        let is_it = matches!(self.words.get(self.at), Some(Word::Bare(word)) if word == operator);
        self.at += usize::from(is_it);
        is_it
    }

    /// AND binds closer than OR ("Create a composite alarm").
    fn either(&mut self) -> Result<Rule, String> {
        let mut rule = self.both()?;
        while self.takes("OR") {
            rule = Rule::Or(Box::new(rule), Box::new(self.both()?));
        }
        Ok(rule)
    }

    fn both(&mut self) -> Result<Rule, String> {
        let mut rule = self.one()?;
        while self.takes("AND") {
            rule = Rule::And(Box::new(rule), Box::new(self.one()?));
        }
        Ok(rule)
    }

    fn one(&mut self) -> Result<Rule, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("the rule is nested too deeply".into());
        }
        let rule = self.element();
        self.depth -= 1;
        rule
    }

    fn element(&mut self) -> Result<Rule, String> {
        match self.next() {
            Some(Word::Open) => {
                let rule = self.either()?;
                self.close()?;
                Ok(rule)
            }
            Some(Word::Bare(word)) => match word.as_str() {
                "NOT" => Ok(Rule::Not(Box::new(self.one()?))),
                "TRUE" => Ok(Rule::Constant(true)),
                "FALSE" => Ok(Rule::Constant(false)),
                state => match StateValue::parse(state) {
                    Some(value) => self.name().map(|name| Rule::Is(value, name)),
                    None => Err(format!("unexpected '{state}'")),
                },
            },
            Some(word) => Err(format!("unexpected {}", word.shown())),
            None => Err("the rule ends too early".into()),
        }
    }

    /// `(name)`, `("name")` or `(ARN)`; of an ARN the name counts.
    fn name(&mut self) -> Result<String, String> {
        if self.next() != Some(Word::Open) {
            return Err("expected '('".into());
        }
        let name = match self.next() {
            Some(Word::Bare(name) | Word::Quoted(name)) if !name.is_empty() => name,
            _ => return Err("expected the name of an alarm".into()),
        };
        self.close()?;
        let of_arn = name.strip_prefix("arn:").and_then(|rest| rest.split_once(":alarm:"));
        Ok(of_arn.map_or(name.clone(), |(_, name)| name.to_owned()))
    }

    fn close(&mut self) -> Result<(), String> {
        if self.next() == Some(Word::Close) { Ok(()) } else { Err("expected ')'".into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(text: &str) -> bool {
        let states = |name: &str| match name {
            "red" => Some(StateValue::Alarm),
            "green" => Some(StateValue::Ok),
            "grey" => Some(StateValue::InsufficientData),
            _ => None,
        };
        Rule::parse(text).unwrap_or_else(|why| panic!("{text}: {why}")).is_true(&states)
    }

    #[test]
    fn rules_are_read_as_cloudwatch_reads_them() {
        for (text, expected) in [
            ("ALARM(red)", true),
            ("ALARM(\"green\")", false),
            ("OK(green) AND INSUFFICIENT_DATA(grey)", true),
            ("TRUE OR FALSE AND FALSE", true),
            ("(TRUE OR FALSE) AND FALSE", false),
            ("NOT ALARM(green) AND ALARM(red)", true),
            ("NOT (ALARM(red) OR OK(red))", false),
            ("ALARM(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:red)", true),
            ("OK(nobody)", false),
            (" ALARM ( red ) ", true),
        ] {
            assert_eq!(holds(text), expected, "{text}");
        }
        let rule = Rule::parse("ALARM(b) OR (OK(a) AND NOT ALARM(b))").unwrap();
        assert_eq!(rule.names(), ["b", "a"]);
    }

    #[test]
    fn broken_rules_are_refused() {
        for text in
            ["", "ALARM", "ALARM()", "ALARM(a", "ALARM(a) OK(b)", "AND", "ALARM(a) AND", "X(a)", "ALARM(\"a)", ")"]
        {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
        assert!(Rule::parse(&"(".repeat(10_000)).is_err());
        assert!(Rule::parse(&"NOT ".repeat(400)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[ANDORT()\" a-z:]{0,60}") {
            let _ = Rule::parse(&text);
        }
    }
}
