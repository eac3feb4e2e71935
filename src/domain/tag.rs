//! Tags of resources, and the rules about them that a config may name.

use crate::domain::pattern::matches;
use crate::domain::row::{Place, ResourceId};
use std::collections::BTreeMap;
use std::fmt;

/// What a rule about tags begins with: `tag:team=payments`.
pub const TAG_PREFIX: &str = "tag:";

/// AWS has no longer keys and values.
const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;

/// Resources with a tag of this key, whose value is as the pattern says; any value without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagRule {
    key: String,
    value: Option<String>,
}

impl TagRule {
    /// Reads `tag:KEY=VALUE` or `tag:KEY`; the error says what is wrong and how to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shape = "write tag:KEY=VALUE, such as tag:team=payments";
        let rest = text.strip_prefix(TAG_PREFIX).unwrap_or(text);
        let (key, value) = rest.split_once('=').map_or((rest, None), |(key, value)| (key, Some(value)));
        if key.is_empty() {
            return Err(format!("`{text}` names no key: {shape}"));
        }
        if key.contains(['*', '?']) {
            return Err(format!(
                "`{text}`: * and ? stand for characters of the value alone, the key is written in full"
            ));
        }
        if key.chars().count() > KEY_CHARS_MAX || value.is_some_and(|value| value.chars().count() > VALUE_CHARS_MAX) {
            return Err(format!(
                "`{text}`: a tag's key has at most {KEY_CHARS_MAX} characters and its value {VALUE_CHARS_MAX}"
            ));
        }
        Ok(Self { key: key.to_owned(), value: value.map(str::to_owned) })
    }

    fn matches(&self, tags: Option<&BTreeMap<String, String>>) -> bool {
        let value = tags.and_then(|tags| tags.get(&self.key));
        value.is_some_and(|value| self.value.as_ref().is_none_or(|pattern| matches(pattern, value)))
    }

    /// The value, where the rule names one value and no pattern.
    fn exact(&self) -> Option<&str> {
        self.value.as_deref().filter(|value| !value.contains(['*', '?']))
    }
}

impl fmt::Display for TagRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{TAG_PREFIX}{}={value}", self.key),
            None => write!(f, "{TAG_PREFIX}{}", self.key),
        }
    }
}

/// Tags to ask for: those of this key with one of these values, with any for none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagWanted {
    pub key: String,
    pub values: Vec<String>,
}

/// More values of a key than this cannot be asked for at once; all are, then (GetResources, TagFilter).
const VALUES_MAX: usize = 20;

/// What must be asked for these rules to be decided: each key once, and no more values than they name.
pub fn wanted<'r>(rules: impl IntoIterator<Item = &'r TagRule>) -> Vec<TagWanted> {
    let mut keys: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
    for rule in rules {
        keys.entry(&rule.key).or_default().push(rule.exact());
    }
    let one = |(key, values): (&str, Vec<Option<&str>>)| {
        let exact: Option<Vec<String>> = values.into_iter().map(|value| value.map(str::to_owned)).collect();
        let mut values = exact.unwrap_or_default();
        values.sort();
        values.dedup();
        if values.len() > VALUES_MAX {
            values.clear();
        }
        TagWanted { key: key.to_owned(), values }
    };
    keys.into_iter().map(one).collect()
}

/// The tags of a context's resources, as far as its rules ask for them. A resource that is not in here has none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<ResourceId, BTreeMap<String, String>>);

impl Tags {
    pub fn add(&mut self, id: ResourceId, key: impl Into<String>, value: impl Into<String>) {
        self.0.entry(id).or_default().insert(key.into(), value.into());
    }

    /// Whether what the rule says is true of this resource.
    pub fn bear(&self, rule: &TagRule, id: &ResourceId) -> bool {
        rule.matches(self.0.get(id))
    }

    /// The same tags of the same resources, said to be there.
    pub fn at(self, place: &Place) -> Self {
        Self(self.0.into_iter().map(|(id, tags)| (id.at(place), tags)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> TagRule {
        TagRule::parse(text).unwrap()
    }

    #[test]
    fn a_rule_is_true_of_a_key_and_the_value_that_its_pattern_says() {
        let id = ResourceId::parse("sqs/orders").unwrap();
        let mut tags = Tags::default();
        tags.add(id.clone(), "team", "payments");
        tags.add(id.clone(), "cost:centre", "a=b");
        for (text, holds) in [
            ("tag:team=payments", true),
            ("tag:team=pay*", true),
            ("tag:team=payment?", true),
            ("tag:team=pay", false),
            ("tag:team", true),
            ("tag:team=", false),
            ("tag:Team=payments", false),
            ("tag:cost:centre=a=b", true),
            ("tag:stage", false),
        ] {
            assert_eq!(tags.bear(&rule(text), &id), holds, "{text}");
            assert_eq!(rule(text).to_string(), text);
        }
        assert!(!tags.bear(&rule("tag:team"), &ResourceId::parse("sqs/other").unwrap()));
    }

    #[test]
    fn no_more_is_asked_for_than_the_rules_name() {
        let rules = ["tag:team=b", "tag:team=a", "tag:team=a", "tag:stage=pr*", "tag:stage=x", "tag:owner"].map(rule);
        let asked: Vec<(String, Vec<String>)> = wanted(&rules).into_iter().map(|one| (one.key, one.values)).collect();
        let none = Vec::new;
        assert_eq!(
            asked,
            [("owner".into(), none()), ("stage".into(), none()), ("team".into(), vec!["a".into(), "b".into()])]
        );
        let many: Vec<TagRule> = (0..21).map(|n| rule(&format!("tag:team={n}"))).collect();
        assert!(wanted(&many)[0].values.is_empty(), "more values than one request may name");
    }

    #[test]
    fn what_cannot_be_a_tag_says_how_to_write_one() {
        for (text, says) in [
            ("tag:", "such as tag:team=payments"),
            ("tag:=x", "names no key"),
            ("tag:te*=x", "the key is written in full"),
        ] {
            let error = TagRule::parse(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
