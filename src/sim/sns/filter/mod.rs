//! Filter policies: which messages a subscription wants, by their attributes or by their body.
//!
//! A policy is compiled once (`compile`), where all of its mistakes are found, and then asked of each message's
//! `Event` (`event`). Values of one key are alternatives, keys must all match, `$or` makes several rules of one policy.

mod cidr;
mod compile;
mod event;
mod pattern;

#[cfg(test)]
mod tests;

pub use event::Event;

use pattern::Pattern;
use std::collections::{BTreeMap, BTreeSet};

/// Combinations of values of one policy, at most ("Filter policy constraints").
const COMBINATIONS_MAX: u64 = 150;
/// Keys with values of one policy, at most (same page).
const KEYS_MAX: usize = 5;
/// Bytes of a policy, at most (same page).
const POLICY_BYTES_MAX: usize = 256 * 1024;

/// What the policy looks at (`FilterPolicyScope`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    #[default]
    MessageAttributes,
    MessageBody,
}

impl Scope {
    pub const fn text(self) -> &'static str {
        match self {
            Self::MessageAttributes => "MessageAttributes",
            Self::MessageBody => "MessageBody",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::MessageAttributes, Self::MessageBody].into_iter().find(|scope| scope.text() == text)
    }
}

/// One way to match: every key's values, of which one must match.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rule {
    /// By dotted path.
    keys: BTreeMap<String, Key>,
}

#[derive(Clone, Debug, PartialEq)]
struct Key {
    /// How deep the key is nested; 1 at the top.
    depth: u64,
    patterns: Vec<Pattern>,
}

/// A compiled policy.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterPolicy {
    rules: Vec<Rule>,
}

/// Why a policy is refused: which kind of sentence AWS makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `FilterPolicy: ` and this.
    Policy(String),
    /// A nested policy where only attributes are looked at; AWS writes this one without the attribute's name.
    Nested,
}

impl FilterPolicy {
    /// Reads and checks a policy. An empty object matches everything and is compiled too.
    pub fn parse(text: &str, scope: Scope) -> Result<Self, Refusal> {
        let rules = compile::compile(text, scope)?;
        let policy = Self { rules };
        policy.check_complexity()?;
        Ok(policy)
    }

    /// Whether nothing is filtered out.
    pub fn wants_all(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether the message is wanted.
    pub fn matches(&self, event: &Event) -> bool {
        self.rules.is_empty() || self.rules.iter().any(|rule| rule.matches(event))
    }

    fn check_complexity(&self) -> Result<(), Refusal> {
        let refuse = |reason: &str| Err(Refusal::Policy(reason.to_owned()));
        let keys: BTreeSet<&str> = self.rules.iter().flat_map(|rule| rule.keys.keys().map(String::as_str)).collect();
        if keys.len() > KEYS_MAX {
            return refuse("Filter policy can not have more than 5 keys");
        }
        let of_rule = |rule: &Rule| {
            rule.keys.values().map(|key| key.depth * key.patterns.len() as u64).fold(1_u64, u64::saturating_mul)
        };
        if self.rules.iter().map(of_rule).fold(0, u64::saturating_add) > COMBINATIONS_MAX {
            return refuse("Filter policy is too complex");
        }
        let points: u64 = self.rules.iter().flat_map(|rule| rule.keys.values()).map(Key::wildcard_points).sum();
        if points > pattern::WILDCARD_POINTS_MAX {
            return refuse("Filter policy is too complex");
        }
        Ok(())
    }
}

impl Key {
    /// The sum of its patterns' points times their number; nothing without a wildcard ("Wildcard pattern usage
    /// guidelines").
    fn wildcard_points(&self) -> u64 {
        if !self.patterns.iter().any(|pattern| pattern.wildcards() > 0) {
            return 0;
        }
        self.patterns.iter().map(Pattern::points).sum::<u64>() * self.patterns.len() as u64
    }
}

impl Rule {
    /// Every key has a value that matches, and values inside arrays of objects belong to the same objects.
    fn matches(&self, event: &Event) -> bool {
        let mut found = Vec::with_capacity(self.keys.len());
        for (path, key) in &self.keys {
            let memberships = event.matching(path, &key.patterns);
            if memberships.is_empty() {
                return false;
            }
            found.push(memberships);
        }
        event::agree(found)
    }
}
