//! Patterns of resource ids, such as `sqs/orders-*`, and the filter that is made of them.

use crate::domain::row::{KindId, ResourceId};
use crate::domain::tag::{self, TAG_PREFIX, TagRule, TagWanted, Tags};
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
pub(super) fn matches(pattern: &str, text: &str) -> bool {
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

/// What the config says of which resources: by their ids, or by their tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    Id(Pattern),
    Tag(TagRule),
}

impl Rule {
    /// Reads `sqs/orders-*` or `tag:team=payments`; the error says what is wrong and how to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with(TAG_PREFIX) {
            return TagRule::parse(text).map(Self::Tag);
        }
        if text.starts_with("tag/") || text.starts_with("tag=") {
            return Err(format!("`{text}` is no rule about tags: write tag:KEY=VALUE, such as tag:team=payments"));
        }
        Pattern::parse(text).map(Self::Id)
    }

    /// Whether it speaks of this resource. `tags` are those of its context, or what holds where they are not known.
    fn holds(&self, id: &ResourceId, tags: Result<&Tags, bool>) -> bool {
        match self {
            Self::Id(pattern) => pattern.matches(id),
            Self::Tag(rule) => tags.map_or_else(|unknown| unknown, |tags| tags.bear(rule, id)),
        }
    }
}

/// Which resources are watched at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these; all when there are none.
    pub include: Vec<Rule>,
    /// And of those not these.
    pub exclude: Vec<Rule>,
}

impl Filter {
    /// Whether it is watched. `tags` are those of its context; while they are not known, a rule about tags hides nothing.
    pub fn lets_through(&self, id: &ResourceId, tags: Option<&Tags>) -> bool {
        let one = |rules: &[Rule], unknown| rules.iter().any(|rule| rule.holds(id, tags.ok_or(unknown)));
        (self.include.is_empty() || one(&self.include, true)) && !one(&self.exclude, false)
    }

    /// Whether any resource of the kind can be let through, whatever its name and its tags.
    pub fn may_let_through(&self, kind: KindId) -> bool {
        let is_of = |rule: &&Rule| match rule {
            Rule::Id(pattern) => pattern.kinds.contains(&kind),
            Rule::Tag(_) => true,
        };
        let is_all = |rule: &Rule| match rule {
            Rule::Id(pattern) => pattern.name.chars().all(|c| c == '*'),
            Rule::Tag(_) => false,
        };
        (self.include.is_empty() || self.include.iter().any(|rule| is_of(&rule)))
            && !self.exclude.iter().filter(is_of).any(is_all)
    }

    /// What must be known of tags before anything can be decided; nothing for a filter of ids alone.
    pub fn tags_wanted(&self) -> Vec<TagWanted> {
        let rules = self.include.iter().chain(&self.exclude).filter_map(|rule| match rule {
            Rule::Tag(rule) => Some(rule),
            Rule::Id(_) => None,
        });
        tag::wanted(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &[&str], exclude: &[&str]) -> Filter {
        let read = |texts: &[&str]| texts.iter().map(|text| Rule::parse(text).unwrap()).collect();
        Filter { include: read(include), exclude: read(exclude) }
    }

    fn through(filter: &Filter, id: &str) -> bool {
        filter.lets_through(&ResourceId::parse(id).unwrap(), None)
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
    fn tags_decide_as_names_do_and_hide_nothing_while_they_are_not_known() {
        let [orders, bids] = ["sqs/orders", "kinesis/bids"].map(|id| ResourceId::parse(id).unwrap());
        let mut tags = Tags::default();
        tags.add(orders.clone(), "team", "payments");
        let [without, only] = [filter(&[], &["tag:team=payments"]), filter(&["tag:team=pay*", "sns/*"], &[])];
        for (filter, known, seen) in [
            (&without, None, [true, true]),
            (&without, Some(&tags), [false, true]),
            (&only, None, [true, true]),
            (&only, Some(&tags), [true, false]),
        ] {
            assert_eq!([&orders, &bids].map(|id| filter.lets_through(id, known)), seen, "{filter:?} with {known:?}");
        }
        assert_eq!(filter(&["sqs/*"], &["*/*-dlq"]).tags_wanted(), [], "nothing is asked for names");
        assert_eq!(only.tags_wanted().len(), 1);
        assert!(Rule::parse("tag/team=x").unwrap_err().contains("write tag:KEY=VALUE"));
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
