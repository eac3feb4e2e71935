//! Patterns of resource ids, such as `sqs/orders-*`, and the filter that is made of them.

use crate::domain::row::{KindId, ResourceId};
use std::fmt;

/// A pattern of `kind/name`: `*` stands for any characters, `?` for one. Where several contexts are watched, it speaks
/// of the resources of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    kinds: Vec<KindId>,
    kind: String,
    name: String,
}

impl Pattern {
    /// Reads a pattern; the error says what is wrong and how to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shape = "write kind/name, such as sqs/orders-*";
        let Some((kind, name)) = text.split_once('/') else {
            return Err(format!("`{text}` is no pattern of ids: {shape}"));
        };
        if name.is_empty() {
            return Err(format!("`{text}` has no name after the slash: {shape}"));
        }
        if text.starts_with('!') {
            return Err(format!("`{text}`: what is not wanted goes into `exclude`, without the `!`"));
        }
        if text.contains(['[', '{']) {
            return Err(format!(
                "`{text}`: only * (any characters) and ? (one) stand for others; give several patterns"
            ));
        }
        let kinds: Vec<KindId> = KindId::ALL.into_iter().filter(|id| matches(kind, id.word())).collect();
        if kinds.is_empty() {
            let known = KindId::ALL.map(KindId::word).join(", ");
            return Err(format!("`{kind}` in `{text}` is no kind: there are {known}, and * for all"));
        }
        Ok(Self { kinds, kind: kind.to_owned(), name: name.to_owned() })
    }

    /// The kinds whose resources it can match; never empty.
    pub fn kinds(&self) -> &[KindId] {
        &self.kinds
    }

    pub fn matches(&self, id: &ResourceId) -> bool {
        self.kinds.contains(&id.kind) && matches(&self.name, &id.name)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// Whether the whole text is as the pattern says. Never takes longer than the product of their lengths: only the last
/// `*` is ever tried again.
fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut star = None;
    loop {
        let here = (pattern.clone(), text.clone());
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                text = here.1.clone();
                star = Some((pattern.clone(), here.1));
            }
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(c)) if wanted == c => {}
            _ => {
                // The last star takes one character more.
                let Some((after, taken)) = &mut star else { return false };
                if taken.next().is_none() {
                    return false;
                }
                (pattern, text) = (after.clone(), taken.clone());
            }
        }
    }
}

/// Which resources are watched at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these; all when there are none.
    pub include: Vec<Pattern>,
    /// And of those not these.
    pub exclude: Vec<Pattern>,
}

impl Filter {
    pub fn lets_through(&self, id: &ResourceId) -> bool {
        let one = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(id));
        (self.include.is_empty() || one(&self.include)) && !one(&self.exclude)
    }

    /// Whether any resource of the kind can be let through, whatever its name.
    pub fn may_let_through(&self, kind: KindId) -> bool {
        let is_of = |pattern: &&Pattern| pattern.kinds.contains(&kind);
        let is_hidden = self.exclude.iter().filter(is_of).any(|pattern| pattern.name.chars().all(|c| c == '*'));
        (self.include.is_empty() || self.include.iter().any(|pattern| is_of(&pattern))) && !is_hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &[&str], exclude: &[&str]) -> Filter {
        let read = |texts: &[&str]| texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        Filter { include: read(include), exclude: read(exclude) }
    }

    fn through(filter: &Filter, id: &str) -> bool {
        filter.lets_through(&ResourceId::parse(id).unwrap())
    }

    #[test]
    fn stars_stand_for_any_characters_and_question_marks_for_one() {
        let cases = [
            ("orders-*", "orders-dlq", true),
            ("orders-*", "orders", false),
            ("*", "", true),
            ("*-dlq", "orders-dlq-dlq", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("order?", "orders", true),
            ("order?", "order", false),
            ("**s", "orders", true),
            ("", "x", false),
        ];
        for (pattern, text, holds) in cases {
            assert_eq!(matches(pattern, text), holds, "{pattern} {text}");
        }
        let long = "a".repeat(2000);
        assert!(!matches(&format!("{}b", "a*".repeat(200)), &long), "and that comes to an end");
    }

    #[test]
    fn only_what_is_included_and_not_excluded_is_let_through() {
        assert!(through(&Filter::default(), "sqs/orders"));
        let orders = filter(&["sqs/orders*", "*/bids"], &["*/*-dlq"]);
        assert!(through(&orders, "sqs/orders") && through(&orders, "kinesis/bids"));
        assert!(!through(&orders, "sqs/orders-dlq"), "what is excluded wins");
        assert!(!through(&orders, "lambda/orders"), "another kind is not included");
        assert!(through(&filter(&[], &["sqs/*"]), "sns/orders"));
    }

    #[test]
    fn a_kind_is_hidden_where_none_of_its_names_could_be_let_through() {
        let orders = filter(&["sqs/orders*", "sns/*"], &["sns/*"]);
        assert_eq!(KindId::ALL.map(|kind| orders.may_let_through(kind)).iter().filter(|may| **may).count(), 1);
        assert!(orders.may_let_through(KindId::Sqs) && filter(&[], &["sqs/a*"]).may_let_through(KindId::Sqs));
    }

    #[test]
    fn a_pattern_that_matches_nothing_says_how_to_write_it() {
        for (text, says) in [
            ("orders-*", "such as sqs/orders-*"),
            ("sqs/", "no name"),
            ("sqz/orders", "there are kinesis, sqs"),
            ("!sqs/orders", "`exclude`"),
            ("sqs/{a,b}", "several patterns"),
        ] {
            let error = Pattern::parse(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert_eq!(Pattern::parse("s*/orders-*").unwrap().kinds(), [KindId::Sqs, KindId::Sns, KindId::Swf]);
    }
}
