//! The config file's contents: what a person may say once and for all, and what holds when nothing is said.

use crate::domain::pattern::{Filter, Rule};
use crate::domain::refresh::Refresh;
use crate::kinds::threshold::Threshold;
use std::path::PathBuf;

/// The documented default: every key with its meaning.
pub const DEFAULT: &str = include_str!("default.toml");

/// What watching may cost when nothing else is said, in US dollars an hour at list prices.
const BUDGET_USD_PER_H: f64 = 0.15;

/// A config file, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file that says all this; `None` where nothing was read from one.
    pub path: Option<PathBuf>,
    /// A built-in theme's name, or a file.
    pub theme: String,
    pub budget_usd_per_h: f64,
    /// Where actions on live AWS are journalled, if not in the state folder.
    pub journal: Option<PathBuf>,
    /// Those that are watched when none is named.
    pub default_contexts: Vec<String>,
    pub refresh: Refresh,
    pub filter: Filter,
    pub thresholds: Vec<Threshold>,
    /// By name.
    pub contexts: Vec<Context>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: None,
            theme: "night".to_owned(),
            budget_usd_per_h: BUDGET_USD_PER_H,
            journal: None,
            default_contexts: Vec::new(),
            refresh: Refresh::default(),
            filter: Filter::default(),
            thresholds: Vec::new(),
            contexts: Vec::new(),
        }
    }
}

/// An account and a region as somebody who may look at them. `None` is what holds without a context.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    pub name: String,
    pub profile: Option<String>,
    pub region: Option<String>,
    pub endpoint_url: Option<String>,
    /// What is done there is done to customers: every screen says so.
    pub production: bool,
    /// Unlocks actions there.
    pub allow_actions: bool,
    pub budget_usd_per_h: Option<f64>,
    pub include: Option<Vec<Rule>>,
    pub exclude: Option<Vec<Rule>>,
    /// For what they are about, instead of those of all contexts.
    pub thresholds: Vec<Threshold>,
}

impl Config {
    pub fn context(&self, name: &str) -> Option<&Context> {
        self.contexts.iter().find(|context| context.name == name)
    }

    /// Which resources of this context are watched; of none that the config knows, for `None`.
    pub fn filter_of(&self, context: Option<&Context>) -> Filter {
        let own = |patterns: fn(&Context) -> &Option<Vec<Rule>>, all: &Vec<Rule>| {
            context.and_then(|context| patterns(context).clone()).unwrap_or_else(|| all.clone())
        };
        Filter {
            include: own(|context| &context.include, &self.filter.include),
            exclude: own(|context| &context.exclude, &self.filter.exclude),
        }
    }

    /// What watching these at once may cost: the smallest of their budgets, so that none costs more than its own.
    pub fn budget_of<'c>(&self, contexts: impl IntoIterator<Item = Option<&'c Context>>) -> f64 {
        let own = |context: Option<&Context>| context.and_then(|context| context.budget_usd_per_h);
        let all = contexts.into_iter().map(|context| own(context).unwrap_or(self.budget_usd_per_h));
        all.min_by(f64::total_cmp).unwrap_or(self.budget_usd_per_h)
    }
}
