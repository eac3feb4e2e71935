//! Metric math as text: an expression's words and its grammar. What it computes is in `math`.

/// Brackets within brackets go no deeper.
const DEPTH_MAX: usize = 40;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Ast {
    Number(f64),
    Text(String),
    /// Another query's id: it begins with a small letter.
    Id(String),
    /// A bare word in capitals, such as `REPEAT`.
    Keyword(String),
    Call(String, Vec<Ast>),
    /// `[m1, m2]`
    List(Vec<Ast>),
    Negated(Box<Ast>),
    Binary(Operator, Box<Ast>, Box<Ast>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

impl Ast {
    /// Whether a function is called anywhere in the expression.
    pub fn calls(&self, function: &str) -> bool {
        match self {
            Self::Call(name, parts) => name == function || parts.iter().any(|part| part.calls(function)),
            Self::List(parts) => parts.iter().any(|part| part.calls(function)),
            Self::Negated(part) => part.calls(function),
            Self::Binary(_, left, right) => left.calls(function) || right.calls(function),
            Self::Number(_) | Self::Text(_) | Self::Id(_) | Self::Keyword(_) => false,
        }
    }

    /// Puts every id that the expression names into `into`.
    pub fn ids<'a>(&'a self, into: &mut Vec<&'a str>) {
        match self {
            Self::Id(id) => into.push(id),
            Self::Call(_, parts) | Self::List(parts) => parts.iter().for_each(|part| part.ids(into)),
            Self::Negated(part) => part.ids(into),
            Self::Binary(_, left, right) => {
                left.ids(into);
                right.ids(into);
            }
            Self::Number(_) | Self::Text(_) | Self::Keyword(_) => {}
        }
    }
}

/// Reads an expression; says what is wrong with it otherwise.
pub fn parse(text: &str) -> Result<Ast, String> {
    if text.trim_start().get(..7).is_some_and(|start| start.eq_ignore_ascii_case("select ")) {
        return Err("Metrics Insights queries are not supported".into());
    }
    let mut parser = Parser { words: words(text)?, at: 0, depth: 0 };
    let ast = parser.expression(0)?;
    match parser.words.get(parser.at) {
        None => Ok(ast),
        Some(word) => Err(format!("Unexpected {}", word.shown())),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Word {
    Number(f64),
    Text(String),
    Name(String),
    Sign(&'static str),
}

impl Word {
    fn shown(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("'{text}'"),
            Self::Name(name) => format!("'{name}'"),
            Self::Sign(sign) => format!("'{sign}'"),
        }
    }
}

/// Two-character signs come first, so that `<=` is not read as `<`.
const SIGNS: [&str; 19] =
    ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "^", "(", ")", "[", "]", ",", "="];

fn words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_digit() || first == '.' {
            let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let number = rest[..length].parse().map_err(|_| format!("Unexpected '{}'", &rest[..length]))?;
            words.push(Word::Number(number));
            length
        } else if first.is_ascii_alphabetic() {
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            words.push(Word::Name(rest[..length].to_owned()));
            length
        } else if first == '"' || first == '\'' {
            let inner = &rest[1..];
            let length = inner.find(first).ok_or("Unterminated string")?;
            words.push(Word::Text(inner[..length].to_owned()));
            length + 2
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| format!("Unexpected '{first}'"))?;
            words.push(Word::Sign(sign));
            sign.len()
        };
        rest = rest[length..].trim_start();
    }
    Ok(words)
}

struct Parser {
    words: Vec<Word>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.words.get(self.at), Some(Word::Sign(own)) if *own == sign);
        self.at += usize::from(found);
        found
    }

    /// The operator at this place and how tightly it binds.
    fn operator(&self) -> Option<(Operator, u8)> {
        Some(match self.words.get(self.at)? {
            Word::Name(name) if name == "OR" => (Operator::Or, 1),
            Word::Name(name) if name == "AND" => (Operator::And, 2),
            Word::Sign("||") => (Operator::Or, 1),
            Word::Sign("&&") => (Operator::And, 2),
            Word::Sign("==") => (Operator::Equal, 3),
            Word::Sign("!=") => (Operator::NotEqual, 3),
            Word::Sign("<") => (Operator::Less, 4),
            Word::Sign("<=") => (Operator::LessOrEqual, 4),
            Word::Sign(">") => (Operator::Greater, 4),
            Word::Sign(">=") => (Operator::GreaterOrEqual, 4),
            Word::Sign("+") => (Operator::Add, 5),
            Word::Sign("-") => (Operator::Subtract, 5),
            Word::Sign("*") => (Operator::Multiply, 6),
            Word::Sign("/") => (Operator::Divide, 6),
            Word::Sign("^") => (Operator::Power, 8),
            _ => return None,
        })
    }

    /// Operators that bind tighter than `above`.
    fn expression(&mut self, above: u8) -> Result<Ast, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("The expression is nested too deeply".into());
        }
        let mut left = self.operand()?;
        while let Some((operator, binding)) = self.operator().filter(|(_, binding)| *binding > above) {
            self.at += 1;
            // A power binds to the right: 2^3^2 is 2^(3^2).
            let right = self.expression(if operator == Operator::Power { binding - 1 } else { binding })?;
            left = Ast::Binary(operator, Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Ast, String> {
        if self.take("-") {
            return Ok(Ast::Negated(Box::new(self.expression(7)?)));
        }
        if self.take("(") {
            let inner = self.expression(0)?;
            return if self.take(")") { Ok(inner) } else { Err("Missing ')'".into()) };
        }
        if self.take("[") {
            return Ok(Ast::List(self.parts("]")?));
        }
        let word = self.words.get(self.at).cloned().ok_or("Unexpected end of expression")?;
        self.at += 1;
        match word {
            Word::Number(number) => Ok(Ast::Number(number)),
            Word::Text(text) => Ok(Ast::Text(text)),
            Word::Name(name) if self.take("(") => Ok(Ast::Call(name, self.parts(")")?)),
            Word::Name(name) if name.starts_with(|c: char| c.is_ascii_lowercase()) => Ok(Ast::Id(name)),
            Word::Name(name) => Ok(Ast::Keyword(name)),
            Word::Sign(sign) => Err(format!("Unexpected '{sign}'")),
        }
    }

    /// Parts between commas, up to `end`.
    fn parts(&mut self, end: &str) -> Result<Vec<Ast>, String> {
        let mut parts = Vec::new();
        if self.take(end) {
            return Ok(parts);
        }
        loop {
            parts.push(self.expression(0)?);
            if self.take(end) {
                return Ok(parts);
            }
            if !self.take(",") {
                return Err(format!("Missing '{end}'"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_bind_as_in_arithmetic() {
        let shown = |text: &str| show(&parse(text).unwrap());
        assert_eq!(shown("a + b * 2"), "(a Add (b Multiply 2))");
        assert_eq!(shown("a - b - c"), "((a Subtract b) Subtract c)");
        assert_eq!(shown("-a ^ 2 / 4"), "(-(a Power 2) Divide 4)");
        assert_eq!(shown("2^3^2"), "(2 Power (3 Power 2))");
        assert_eq!(shown("a>1 AND b<=2 || c"), "(((a Greater 1) And (b LessOrEqual 2)) Or c)");
        assert_eq!(shown("SUM([a,b])/FILL(c, REPEAT)"), "(SUM([a b]) Divide FILL(c REPEAT))");
    }

    fn show(ast: &Ast) -> String {
        let all = |parts: &[Ast]| parts.iter().map(show).collect::<Vec<_>>().join(" ");
        match ast {
            Ast::Number(number) => number.to_string(),
            Ast::Text(text) | Ast::Id(text) | Ast::Keyword(text) => text.clone(),
            Ast::Call(name, parts) => format!("{name}({})", all(parts)),
            Ast::List(parts) => format!("[{}]", all(parts)),
            Ast::Negated(part) => format!("-{}", show(part)),
            Ast::Binary(operator, left, right) => format!("({} {operator:?} {})", show(left), show(right)),
        }
    }

    #[test]
    fn broken_expressions_are_refused_and_never_panic() {
        for text in ["", "a +", "(a", "a)", "SUM(a", "[a", "a b", "1.2.3", "'x", "é", "a ? b", "a,b", "a = b", "."] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"(".repeat(2000)).is_err());
        assert!(parse(&"-".repeat(2000)).is_err());
    }
}
