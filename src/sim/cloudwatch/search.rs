//! Search expressions: which metrics a `SEARCH` finds, and what it calls them ("CloudWatch search expression syntax").

use crate::sim::cloudwatch::Metric;
use std::collections::BTreeSet;

/// A search looks no further ("Search expression limits").
pub const FOUND_MAX: usize = 500;

/// Characters of one search, at most ("Search expression limits").
const LENGTH_MAX: usize = 1024;

/// Brackets within brackets go no deeper.
const DEPTH_MAX: usize = 40;

/// What a search wants: a schema, terms or both.
#[derive(Debug)]
pub struct Search {
    schema: Option<Schema>,
    term: Option<Term>,
}

/// `{Namespace, Dimension, …}`: metrics of just these dimensions.
#[derive(Debug)]
struct Schema {
    namespace: String,
    dimensions: BTreeSet<String>,
}

#[derive(Debug)]
enum Term {
    /// A word, of one property where it is named.
    Word {
        of: Option<String>,
        word: Word,
    },
    Not(Box<Term>),
    And(Vec<Term>),
    Or(Vec<Term>),
}

#[derive(Clone, Debug, PartialEq)]
enum Word {
    /// In double quotes: the whole of a name or a value, small and capital letters told apart.
    Exact(String),
    /// Its tokens, in small letters, are among those of a name or a value.
    Partial(String),
}

impl Search {
    pub fn finds(&self, metric: &Metric) -> bool {
        self.schema.as_ref().is_none_or(|schema| schema.is_of(metric))
            && self.term.as_ref().is_none_or(|term| term.is_met(metric))
    }
}

impl Schema {
    fn is_of(&self, metric: &Metric) -> bool {
        metric.namespace == self.namespace
            && metric.dimensions.len() == self.dimensions.len()
            && metric.dimensions.iter().all(|(name, _)| self.dimensions.contains(name))
    }
}

impl Term {
    fn is_met(&self, metric: &Metric) -> bool {
        match self {
            Self::Not(term) => !term.is_met(metric),
            Self::And(terms) => terms.iter().all(|term| term.is_met(metric)),
            Self::Or(terms) => terms.iter().any(|term| term.is_met(metric)),
            Self::Word { of: None, word } => {
                let of_dimensions = metric.dimensions.iter().flat_map(|(name, value)| [name, value]);
                [&metric.namespace, &metric.name].into_iter().chain(of_dimensions).any(|text| word.fits(text))
            }
            Self::Word { of: Some(property), word } => match property.as_str() {
                "MetricName" => word.fits(&metric.name),
                "Namespace" => word.fits(&metric.namespace),
                _ => metric.dimensions.iter().any(|(name, value)| name == property && word.fits(value)),
            },
        }
    }
}

impl Word {
    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exact(word) => word == text,
            Self::Partial(word) => {
                let known = tokens(text);
                known.contains(&word.to_ascii_lowercase()) || parts(word).all(|part| known.contains(&part))
            }
        }
    }
}

/// What a partial match compares, in small letters: the whole text, what stands between its signs, and the parts of
/// that where small letters meet capitals or letters digits. `CustomCount1` has `customcount1`, `custom`, `count`, `1`.
fn tokens(text: &str) -> BTreeSet<String> {
    let between = text.split(|c: char| !c.is_alphanumeric()).map(str::to_ascii_lowercase);
    [text.to_ascii_lowercase()].into_iter().chain(between).chain(parts(text)).filter(|part| !part.is_empty()).collect()
}

fn parts(text: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = text.chars().collect();
    let mut parts = vec![String::new()];
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| letters[before]);
        let is_before_small = letters.get(index + 1).is_some_and(char::is_ascii_lowercase);
        let begins = before.is_some_and(|before| {
            before.is_ascii_digit() != letter.is_ascii_digit()
                || (letter.is_ascii_uppercase() && (before.is_ascii_lowercase() || is_before_small))
        });
        if begins || !letter.is_alphanumeric() {
            parts.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(last) = parts.last_mut()
        {
            last.push(letter.to_ascii_lowercase());
        }
    }
    parts.into_iter().filter(|part| !part.is_empty())
}

/// What CloudWatch calls the metrics that a search found: what tells them apart, the values of their dimensions and
/// then their name; the name alone where nothing does.
pub fn labels(found: &[&Metric]) -> Vec<String> {
    let has_names = found.iter().any(|metric| metric.name != found[0].name);
    let label = |metric: &&Metric| {
        let is_shared = |dimension| found.iter().all(|other| other.dimensions.contains(dimension));
        let own = metric.dimensions.iter().filter(|dimension| !is_shared(*dimension));
        let mut words: Vec<&str> = own.map(|(_, value)| value.as_str()).collect();
        if has_names || words.is_empty() {
            words.push(&metric.name);
        }
        words.join(" ")
    };
    found.iter().map(label).collect()
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Word(Word),
    Sign(char),
}

/// Reads a search; says what is wrong with it otherwise.
pub fn parse(text: &str) -> Result<Search, String> {
    if text.chars().count() > LENGTH_MAX {
        return Err(format!("The search must not be longer than {LENGTH_MAX} characters"));
    }
    let mut parser = Parser { pieces: pieces(text)?, at: 0, depth: 0 };
    let schema = if parser.take('{') { Some(parser.schema()?) } else { None };
    let term = if parser.at < parser.pieces.len() { Some(parser.any_of(None)?) } else { None };
    if parser.at < parser.pieces.len() {
        return Err("Unexpected ')' in the search".into());
    }
    if schema.is_none() && term.is_none() {
        return Err("A search must have a metric schema or a search term".into());
    }
    Ok(Search { schema, term })
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    const SIGNS: [char; 6] = ['{', '}', ',', '(', ')', '='];
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if SIGNS.contains(&first) {
            pieces.push(Piece::Sign(first));
            1
        } else if first == '"' {
            let (word, length) = quoted(rest)?;
            pieces.push(Piece::Word(Word::Exact(word)));
            length
        } else {
            let ends = |c: char| c.is_whitespace() || c == '"' || SIGNS.contains(&c);
            let length = rest.find(ends).unwrap_or(rest.len());
            pieces.push(Piece::Word(Word::Partial(rest[..length].to_owned())));
            length
        };
        rest = rest[length..].trim_start();
    }
    Ok(pieces)
}

/// What stands between double quotes, and how long that is with them. A backslash takes a quote for a letter.
fn quoted(text: &str) -> Result<(String, usize), String> {
    let (mut word, mut is_escaped) = (String::new(), false);
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '\\' if !is_escaped => is_escaped = true,
            '"' if !is_escaped => return Ok((word, at + 1)),
            letter => {
                word.push(letter);
                is_escaped = false;
            }
        }
    }
    Err("Unterminated string in the search".into())
}

struct Parser {
    pieces: Vec<Piece>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn take(&mut self, sign: char) -> bool {
        let found = self.pieces.get(self.at) == Some(&Piece::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.pieces.get(self.at), Some(Piece::Word(Word::Partial(word))) if word == keyword);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self) -> Result<Word, String> {
        let piece = self.pieces.get(self.at).cloned().ok_or("Unexpected end of the search")?;
        self.at += 1;
        match piece {
            Piece::Word(word) => Ok(word),
            Piece::Sign(sign) => Err(format!("Unexpected '{sign}' in the search")),
        }
    }

    /// What follows `{`. Older searches have a comma after the schema.
    fn schema(&mut self) -> Result<Schema, String> {
        let mut names = Vec::new();
        loop {
            let (Word::Exact(name) | Word::Partial(name)) = self.word()?;
            names.push(name);
            if self.take('}') {
                break;
            }
            if !self.take(',') {
                return Err("Missing '}' in the search".into());
            }
        }
        self.take(',');
        let namespace = names.remove(0);
        Ok(Schema { namespace, dimensions: names.into_iter().collect() })
    }

    /// Terms with `OR` between them; words within are of the property that was named before the bracket.
    fn any_of(&mut self, of: Option<&str>) -> Result<Term, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("The search is nested too deeply".into());
        }
        let mut terms = vec![self.all_of(of)?];
        while self.take_keyword("OR") {
            terms.push(self.all_of(of)?);
        }
        self.depth -= 1;
        Ok(if terms.len() == 1 { terms.remove(0) } else { Term::Or(terms) })
    }

    /// Terms one after another are all wanted, with `AND` between them or without.
    fn all_of(&mut self, of: Option<&str>) -> Result<Term, String> {
        let mut terms = vec![self.one(of)?];
        loop {
            let has_and = self.take_keyword("AND");
            let is_next = match self.pieces.get(self.at) {
                Some(Piece::Word(word)) => *word != Word::Partial("OR".into()),
                Some(Piece::Sign(sign)) => *sign == '(',
                None => false,
            };
            if !has_and && !is_next {
                return Ok(if terms.len() == 1 { terms.remove(0) } else { Term::And(terms) });
            }
            terms.push(self.one(of)?);
        }
    }

    fn one(&mut self, of: Option<&str>) -> Result<Term, String> {
        let mut is_negated = false;
        while self.take_keyword("NOT") {
            is_negated = !is_negated;
        }
        let term = self.operand(of)?;
        Ok(if is_negated { Term::Not(Box::new(term)) } else { term })
    }

    fn operand(&mut self, of: Option<&str>) -> Result<Term, String> {
        if self.take('(') {
            return self.bracket(of);
        }
        let word = self.word()?;
        if !self.take('=') {
            return Ok(Term::Word { of: of.map(str::to_owned), word });
        }
        let (Word::Exact(property) | Word::Partial(property)) = word;
        if self.take('(') {
            return self.bracket(Some(&property));
        }
        Ok(Term::Word { of: Some(property), word: self.word()? })
    }

    fn bracket(&mut self, of: Option<&str>) -> Result<Term, String> {
        let inner = self.any_of(of)?;
        if self.take(')') { Ok(inner) } else { Err("Missing ')' in the search".into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Vec<Metric> {
        vec![
            Metric::new("AWS/SQS", "ApproximateNumberOfMessagesVisible", &[("QueueName", "orders")]),
            Metric::new("AWS/SQS", "ApproximateNumberOfMessagesVisible", &[("QueueName", "orders-dlq")]),
            Metric::new("AWS/SQS", "NumberOfMessagesSent", &[("QueueName", "orders")]),
            Metric::new("AWS/Lambda", "Errors", &[("FunctionName", "place-order")]),
            Metric::new("AWS/Lambda", "Errors", &[]),
            Metric::new("My App", "CustomCount1", &[("Hotel", "h1"), ("Room", "single")]),
        ]
    }

    /// Which of the metrics a search finds, by their place.
    fn found(text: &str) -> Vec<usize> {
        let search = parse(text).unwrap();
        metrics().iter().enumerate().filter(|(_, metric)| search.finds(metric)).map(|(index, _)| index).collect()
    }

    #[test]
    fn a_schema_is_a_namespace_with_just_these_dimensions() {
        assert_eq!(found("{AWS/SQS,QueueName}"), [0, 1, 2]);
        assert_eq!(found(" {AWS/SQS, QueueName} MetricName=\"ApproximateNumberOfMessagesVisible\" "), [0, 1]);
        assert_eq!(found("{AWS/Lambda}"), [4]);
        assert_eq!(found("{\"My App\",Room,\"Hotel\"}"), [5]);
        assert_eq!(found("{\"My App\",Room}"), [] as [usize; 0]);
    }

    #[test]
    fn words_fit_in_part_and_quoted_ones_as_a_whole() {
        assert_eq!(found("Namespace=\"AWS/Lambda\" MetricName=Errors"), [3, 4]);
        assert_eq!(found("Namespace=\"aws/lambda\""), [] as [usize; 0], "exact words know capitals");
        assert_eq!(found("lambda"), [3, 4]);
        assert_eq!(found("orders"), [0, 1, 2]);
        assert_eq!(found("\"orders\""), [0, 2]);
        assert_eq!(found("QueueName=dlq"), [1]);
        assert_eq!(found("FunctionName=dlq"), [] as [usize; 0]);
        for word in ["custom", "COUNT", "1", "customcount1", "CustomCount", "Hotel", "single"] {
            assert_eq!(found(word), [5], "{word}");
        }
        assert_eq!(found("ustom"), [] as [usize; 0], "tokens are whole");
    }

    #[test]
    fn terms_are_combined() {
        assert_eq!(found("{AWS/SQS,QueueName} Visible NOT QueueName=\"orders\""), [1]);
        assert_eq!(found("MetricName=(\"Errors\" OR Sent)"), [2, 3, 4]);
        assert_eq!(found("dlq OR lambda AND place"), [1, 3], "AND binds closer");
        assert_eq!(found("(dlq OR sent) AND NOT (visible)"), [2]);
    }

    #[test]
    fn broken_searches_are_refused_and_never_panic() {
        for text in
            ["", "{", "{}", "{A,}", "{A B}", "a OR", "a AND", "NOT", "(a", "a)", "a=", "=a", "\"a", "a = = b", "}"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"(".repeat(1000)).is_err());
        assert!(parse(&"é".repeat(1025)).is_err());
    }

    #[test]
    fn what_tells_metrics_apart_is_their_label() {
        let metrics = metrics();
        let label = |indices: &[usize]| labels(&indices.iter().map(|index| &metrics[*index]).collect::<Vec<_>>());
        assert_eq!(label(&[0, 1]), ["orders", "orders-dlq"]);
        assert_eq!(label(&[0, 2]), ["ApproximateNumberOfMessagesVisible", "NumberOfMessagesSent"]);
        let all = ["orders ApproximateNumberOfMessagesVisible", "orders-dlq ApproximateNumberOfMessagesVisible"];
        assert_eq!(label(&[0, 1, 2]), [all[0], all[1], "orders NumberOfMessagesSent"]);
        assert_eq!(label(&[3]), ["Errors"]);
    }
}
