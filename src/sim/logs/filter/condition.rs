//! One comparison of a filter pattern: an operator and what it compares with.

use super::regex::Regex;
use super::unquote;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Two-character signs come first.
const SIGNS: [(&str, Operator); 6] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// A text in which `*` stands for any text.
    Text(String),
    /// A number, and the text that it was written as.
    Number(f64, String),
    Regex(Regex),
}

/// An operator with what it compares with.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub operator: Operator,
    pub wanted: Wanted,
}

impl Comparison {
    /// Reads `= "value"` and its kin; gives what follows, too. A bare value ends at a space, a bracket or a comma.
    pub fn parse(text: &str) -> Result<(Self, &str), String> {
        let text = text.trim_start();
        let sign = SIGNS.iter().find(|(sign, _)| text.starts_with(sign));
        let Some((sign, operator)) = sign else { return Err(format!("expected an operator at '{text}'")) };
        let value = text[sign.len()..].trim_start();
        let (wanted, rest) = if let Some(quoted) = value.strip_prefix('"') {
            let (text, rest) = unquote(quoted).ok_or("a quotation does not end")?;
            (Wanted::Text(text), rest)
        } else if let Some((regex, rest)) = value.strip_prefix('%').and_then(|rest| rest.split_once('%')) {
            (Wanted::Regex(Regex::parse(regex)?), rest)
        } else {
            let is_end = |c: char| c.is_whitespace() || matches!(c, ')' | ',' | '&' | '|');
            let (word, rest) = value.split_at(value.find(is_end).unwrap_or(value.len()));
            if word.is_empty() {
                return Err("expected a value".into());
            }
            let number = word.parse().ok().filter(|n: &f64| n.is_finite());
            (number.map_or_else(|| Wanted::Text(word.to_owned()), |n| Wanted::Number(n, word.to_owned())), rest)
        };
        let is_order = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if is_order && !matches!(wanted, Wanted::Number(..)) {
            return Err("an order needs a number".into());
        }
        Ok((Self { operator: *operator, wanted }, rest))
    }

    /// Compares with a text; `number` is the value where it is one.
    pub fn is_met(&self, text: &str, number: Option<f64>) -> bool {
        let is_equal = match (&self.wanted, number) {
            (Wanted::Number(wanted, _), Some(number)) => number == *wanted,
            (Wanted::Number(_, wanted) | Wanted::Text(wanted), _) => is_like(text, wanted),
            (Wanted::Regex(regex), _) => regex.is_match(text),
        };
        let order = match (&self.wanted, number) {
            (Wanted::Number(wanted, _), Some(number)) => number.partial_cmp(wanted),
            _ => None,
        };
        match self.operator {
            Operator::Equal => is_equal,
            Operator::NotEqual => !is_equal,
            Operator::Less => order.is_some_and(std::cmp::Ordering::is_lt),
            Operator::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
            Operator::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
            Operator::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
        }
    }
}

/// Whether a text is the wanted one, in which `*` stands for any text.
fn is_like(text: &str, wanted: &str) -> bool {
    let mut parts = wanted.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Conditions joined by `&&` and `||`; `&&` binds closer.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree<T> {
    One(T),
    Both(Box<Tree<T>>, Box<Tree<T>>),
    Either(Box<Tree<T>>, Box<Tree<T>>),
}

/// Brackets within brackets go no deeper.
const DEPTH_MAX: usize = 30;

impl<T> Tree<T> {
    /// Reads a tree of what `one` reads, with brackets; gives what follows, too.
    pub fn parse<'a>(
        text: &'a str,
        depth: usize,
        one: &impl Fn(&'a str) -> Result<(T, &'a str), String>,
    ) -> Result<(Self, &'a str), String> {
        let (mut tree, mut rest) = Self::both(text, depth, one)?;
        while let Some(tail) = rest.trim_start().strip_prefix("||") {
            let (right, after) = Self::both(tail, depth, one)?;
            (tree, rest) = (Self::Either(Box::new(tree), Box::new(right)), after);
        }
        Ok((tree, rest))
    }

    fn both<'a>(
        text: &'a str,
        depth: usize,
        one: &impl Fn(&'a str) -> Result<(T, &'a str), String>,
    ) -> Result<(Self, &'a str), String> {
        let (mut tree, mut rest) = Self::element(text, depth, one)?;
        while let Some(tail) = rest.trim_start().strip_prefix("&&") {
            let (right, after) = Self::element(tail, depth, one)?;
            (tree, rest) = (Self::Both(Box::new(tree), Box::new(right)), after);
        }
        Ok((tree, rest))
    }

    fn element<'a>(
        text: &'a str,
        depth: usize,
        one: &impl Fn(&'a str) -> Result<(T, &'a str), String>,
    ) -> Result<(Self, &'a str), String> {
        if depth > DEPTH_MAX {
            return Err("the pattern is nested too deeply".into());
        }
        let text = text.trim_start();
        if let Some(inner) = text.strip_prefix('(') {
            let (tree, rest) = Self::parse(inner, depth + 1, one)?;
            let rest = rest.trim_start().strip_prefix(')').ok_or("expected ')'")?;
            return Ok((tree, rest));
        }
        one(text).map(|(one, rest)| (Self::One(one), rest))
    }

    /// Looks at each condition, from left to right.
    pub fn each<'a>(&'a self, look: &mut impl FnMut(&'a T)) {
        match self {
            Self::One(one) => look(one),
            Self::Both(left, right) | Self::Either(left, right) => {
                left.each(look);
                right.each(look);
            }
        }
    }

    pub fn holds(&self, is_met: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::One(one) => is_met(one),
            Self::Both(left, right) => left.holds(is_met) && right.holds(is_met),
            Self::Either(left, right) => left.holds(is_met) || right.holds(is_met),
        }
    }
}
