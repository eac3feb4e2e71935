//! Reads a config's TOML. Everything that is wrong with it is told at once, each with its line and its cure.

use super::file::{Config, Context};
use super::{check_endpoint, threshold};
use crate::domain::pattern::{Filter, Rule};
use crate::domain::refresh::Refresh;
use crate::domain::row::KindId;
use crate::kinds::threshold::Threshold;
use crate::mistakes::{Mistake, Mistakes, unknown};
use crate::theme::BUILT_IN;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) type Item<'t> = Spanned<DeValue<'t>>;

/// Whose paths these are: where the file lies, and the person's home.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whereabouts<'p> {
    pub folder: Option<&'p Path>,
    pub home: Option<&'p Path>,
}

const KEYS: [&str; 9] = [
    "theme",
    "budget_usd_per_h",
    "journal",
    "default_contexts",
    "include",
    "exclude",
    "refresh",
    "contexts",
    "threshold",
];
const CONTEXT_KEYS: [&str; 9] = [
    "profile",
    "region",
    "endpoint_url",
    "production",
    "allow_actions",
    "budget_usd_per_h",
    "include",
    "exclude",
    "threshold",
];
const REFRESH_KEYS: [&str; 3] = ["selected_s", "on_screen_s", "swept_s"];
const BUDGET: RangeInclusive<f64> = 0.01..=100.0;

/// Every key that may stand in a config.
#[cfg(test)]
pub(super) fn all_keys() -> impl Iterator<Item = &'static str> {
    let all = [&KEYS[..], &CONTEXT_KEYS, &REFRESH_KEYS, &threshold::KEYS];
    all.into_iter().flatten().copied()
}

/// Reads a config's text.
pub fn config(text: &str, paths: Whereabouts<'_>) -> Result<Config, Vec<Mistake>> {
    let mut reader = Reader { mistakes: Mistakes::of(text), paths };
    let table = reader.mistakes.parse();
    let config = reader.config(&table);
    let mut found = reader.mistakes.into_found();
    found.sort_by_key(|mistake| mistake.line);
    if found.is_empty() { Ok(config) } else { Err(found) }
}

pub(super) struct Reader<'t, 'p> {
    pub mistakes: Mistakes<'t>,
    paths: Whereabouts<'p>,
}

impl Reader<'_, '_> {
    fn config(&mut self, table: &DeTable<'_>) -> Config {
        let mut config = Config::default();
        self.known_keys(table, &KEYS);
        if let Some(theme) = self.get(table, "theme", Self::theme) {
            config.theme = theme;
        }
        if let Some(usd) = self.get(table, "budget_usd_per_h", Self::budget) {
            config.budget_usd_per_h = usd;
        }
        config.journal = self.get(table, "journal", Self::path);
        config.refresh = self.get(table, "refresh", Self::refresh).unwrap_or_default();
        config.filter = Filter {
            include: self.get(table, "include", Self::patterns).unwrap_or_default(),
            exclude: self.get(table, "exclude", Self::patterns).unwrap_or_default(),
        };
        config.contexts = self.get(table, "contexts", Self::contexts).unwrap_or_default();
        config.thresholds = self.get(table, "threshold", Self::thresholds).unwrap_or_default();
        if let Some(named) = table.get("default_contexts") {
            config.default_contexts = self.default_contexts(named, table);
        }
        config
    }

    /// What stands under the key, read; `None` where nothing does, or nothing good.
    pub(super) fn get<T>(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        read: impl FnOnce(&mut Self, &str, &Item<'_>) -> Option<T>,
    ) -> Option<T> {
        table.get(key).and_then(|item| read(self, key, item))
    }

    pub(super) fn known_keys(&mut self, table: &DeTable<'_>, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            self.mistakes.note_unknown(key.span(), key.get_ref(), known);
        }
    }

    fn wrong(&mut self, item: &Item<'_>, sentence: String) {
        self.mistakes.note(item.span(), sentence);
    }

    pub(super) fn text(&mut self, key: &str, item: &Item<'_>) -> Option<String> {
        let text = item.get_ref().as_str().filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.wrong(item, format!("`{key}` must be text in quotes, and not empty"));
        }
        if text.is_some_and(|text| text.contains(char::is_control)) {
            self.wrong(item, format!("`{key}` must not hold control characters"));
            return None;
        }
        text.map(str::to_owned)
    }

    pub(super) fn flag(&mut self, key: &str, item: &Item<'_>) -> Option<bool> {
        let flag = item.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(item, format!("`{key}` must be true or false"));
        }
        flag
    }

    pub(super) fn number(&mut self, key: &str, item: &Item<'_>) -> Option<f64> {
        let number = match item.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n as f64),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        if number.is_none() {
            self.wrong(item, format!("`{key}` is a number, such as 60 or 0.5"));
        }
        number
    }

    fn number_within(&mut self, key: &str, item: &Item<'_>, range: &RangeInclusive<f64>) -> Option<f64> {
        let number = self.number(key, item)?;
        if !range.contains(&number) {
            self.wrong(item, format!("`{key}` is from {} to {}, not {number}", range.start(), range.end()));
            return None;
        }
        Some(number)
    }

    fn budget(&mut self, key: &str, item: &Item<'_>) -> Option<f64> {
        self.number_within(key, item, &BUDGET)
    }

    fn table<'i, 't>(&mut self, key: &str, item: &'i Item<'t>) -> Option<&'i DeTable<'t>> {
        let table = item.get_ref().as_table();
        if table.is_none() {
            self.wrong(item, format!("`{key}` is a table: write [{key}]"));
        }
        table
    }

    /// A list of texts; a single one counts as a list of one.
    fn texts(&mut self, key: &str, item: &Item<'_>) -> Vec<(std::ops::Range<usize>, String)> {
        let Some(array) = item.get_ref().as_array() else {
            return self.text(key, item).map(|text| (item.span(), text)).into_iter().collect();
        };
        array.iter().filter_map(|one| self.text(key, one).map(|text| (one.span(), text))).collect()
    }

    fn patterns(&mut self, key: &str, item: &Item<'_>) -> Option<Vec<Rule>> {
        let texts = self.texts(key, item);
        let mut patterns = Vec::new();
        for (span, text) in texts {
            match Rule::parse(&text) {
                Ok(pattern) => patterns.push(pattern),
                Err(sentence) => self.mistakes.note(span, sentence),
            }
        }
        Some(patterns)
    }

    /// A path: `~/` is the home folder, and what is relative begins where the config lies.
    fn path(&mut self, key: &str, item: &Item<'_>) -> Option<PathBuf> {
        let text = self.text(key, item)?;
        Some(self.whole_path(&text))
    }

    fn whole_path(&self, text: &str) -> PathBuf {
        let home = self.paths.home.and_then(|home| Some(home.join(text.strip_prefix("~/")?)));
        home.unwrap_or_else(|| self.paths.folder.map_or_else(|| text.into(), |folder| folder.join(text)))
    }

    fn theme(&mut self, key: &str, item: &Item<'_>) -> Option<String> {
        let theme = self.text(key, item)?;
        if theme.ends_with(".toml") || theme.contains('/') {
            return Some(self.whole_path(&theme).to_string_lossy().into_owned());
        }
        let known = BUILT_IN.map(|(name, _)| name);
        if !known.contains(&theme.as_str()) {
            let said = unknown(&format!("there is no theme `{theme}`"), &theme, &known);
            self.wrong(item, format!("{said} (or give the path of a .toml file)"));
            return None;
        }
        Some(theme)
    }

    fn refresh(&mut self, key: &str, item: &Item<'_>) -> Option<Refresh> {
        let table = self.table(key, item)?;
        self.known_keys(table, &REFRESH_KEYS);
        let mut every = |key, range: RangeInclusive<f64>, default| {
            let seconds = self.get(table, key, |reader, key, item| reader.number_within(key, item, &range));
            seconds.map_or(default, Duration::from_secs_f64)
        };
        let default = Refresh::default();
        let [selected, on_screen, swept] = REFRESH_KEYS;
        let refresh = Refresh {
            selected: every(selected, 2.0..=60.0, default.selected),
            on_screen: every(on_screen, 5.0..=300.0, default.on_screen),
            swept: every(swept, 60.0..=3600.0, default.swept),
        };
        let times = [refresh.selected, refresh.on_screen, refresh.swept];
        for (n, pair) in times.windows(2).enumerate().filter(|(_, pair)| pair[0] > pair[1]) {
            let (nearer, farther) = (REFRESH_KEYS[n], REFRESH_KEYS[n + 1]);
            let span = table.get(nearer).or_else(|| table.get(farther)).map_or(item.span(), Spanned::span);
            let [near, far] = [pair[0].as_secs_f64(), pair[1].as_secs_f64()];
            let cure = format!("give a `{nearer}` of at most `{farther}`");
            self.mistakes.note(span, format!("`{nearer}` ({near}) is slower than `{farther}` ({far}): {cure}"));
        }
        Some(refresh)
    }

    fn contexts(&mut self, key: &str, item: &Item<'_>) -> Option<Vec<Context>> {
        let Some(table) = item.get_ref().as_table() else {
            self.wrong(item, format!("`{key}` is a table of contexts: write [contexts.prod]"));
            return None;
        };
        let mut contexts = Vec::new();
        for (name, item) in table {
            self.context_name(name);
            contexts.extend(self.context(name.get_ref(), item));
        }
        Some(contexts)
    }

    /// A context's name stands before its resources' ids: `prod/sqs/orders`.
    fn context_name(&mut self, name: &Spanned<std::borrow::Cow<'_, str>>) {
        let word = name.get_ref().as_ref();
        let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if KindId::from_word(word).is_some() {
            let sentence = format!("`{word}` is a kind of resources: give the context another name");
            self.mistakes.note(name.span(), sentence);
        } else if word.is_empty() || !word.chars().all(good) {
            let sentence = format!("`{word}` is no name of a context: use letters, digits, `-`, `_` and `.`");
            self.mistakes.note(name.span(), sentence);
        }
    }

    fn context(&mut self, name: &str, item: &Item<'_>) -> Option<Context> {
        let Some(table) = item.get_ref().as_table() else {
            self.wrong(item, format!("`{name}` is a context: write [contexts.{name}]"));
            return None;
        };
        self.known_keys(table, &CONTEXT_KEYS);
        let endpoint_url = self.get(table, "endpoint_url", |reader, key, item| {
            let url = reader.text(key, item)?;
            check_endpoint(&url).map_err(|wrong| reader.wrong(item, format!("`{key}` {wrong}"))).ok()
        });
        Some(Context {
            name: name.to_owned(),
            profile: self.get(table, "profile", Self::text),
            region: self.get(table, "region", Self::text),
            endpoint_url,
            production: self.get(table, "production", Self::flag).unwrap_or(false),
            allow_actions: self.get(table, "allow_actions", Self::flag).unwrap_or(false),
            budget_usd_per_h: self.get(table, "budget_usd_per_h", Self::budget),
            include: self.get(table, "include", Self::patterns),
            exclude: self.get(table, "exclude", Self::patterns),
            thresholds: self
                .get(table, "threshold", |reader, key, item| reader.thresholds(&format!("contexts.{name}.{key}"), item))
                .unwrap_or_default(),
        })
    }

    fn default_contexts(&mut self, item: &Item<'_>, table: &DeTable<'_>) -> Vec<String> {
        let contexts = table.get("contexts").and_then(|item| item.get_ref().as_table());
        let known: Vec<&str> = contexts.into_iter().flatten().map(|(name, _)| name.get_ref().as_ref()).collect();
        let mut seen = BTreeSet::new();
        let named = self.texts("default_contexts", item);
        for (span, name) in named.iter().cloned() {
            let said = format!("there is no context `{name}`");
            if known.is_empty() {
                self.mistakes.note(span, format!("{said}: write one as [contexts.{name}]"));
            } else if !known.contains(&name.as_str()) {
                self.mistakes.note(span, unknown(&said, &name, &known));
            } else if !seen.insert(name.clone()) {
                self.mistakes.note(span, format!("`{name}` is named twice"));
            }
        }
        named.into_iter().map(|(_, name)| name).collect()
    }

    /// The thresholds under this heading.
    fn thresholds(&mut self, heading: &str, item: &Item<'_>) -> Option<Vec<Threshold>> {
        let Some(array) = item.get_ref().as_array() else {
            self.wrong(item, format!("`{heading}` is a list: write [[{heading}]], with two brackets"));
            return None;
        };
        Some(array.iter().filter_map(|one| threshold::read(self, heading, one)).collect())
    }
}
