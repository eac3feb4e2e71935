//! Settings: what the command line and the config file decided, as plain data. The faces and the shell read these and no
//! flags.

mod file;
mod find;
mod read;
mod threshold;

pub use file::{Config, Context, DEFAULT};
pub use find::{Found, load, path, text};
pub use read::Whereabouts;

use std::path::{Path, PathBuf};

/// One run of midwatch: what its flags say, and what the config says where they say nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub source: Source,
    /// The names of the contexts that are asked for; see [`Settings::chosen`].
    pub contexts: Vec<String>,
    /// Unlocks actions on live sources; the demo is always unlocked.
    pub allow_actions: bool,
    /// A built-in theme's name or a file; `None` is the config's.
    pub theme: Option<String>,
    /// Overrides where the journal lies.
    pub journal: Option<PathBuf>,
    /// The config file that is named; `None` is looked for in its places.
    pub config_file: Option<PathBuf>,
    pub config: Config,
    /// Where the debug log goes; `None` writes none.
    pub log: Option<PathBuf>,
}

/// Where events and HTTP answers come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    Live(LiveSettings),
    Demo(DemoSettings),
}

/// Live AWS, or any endpoint that speaks its protocols.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveSettings {
    pub profile: Option<String>,
    pub region: Option<String>,
    pub endpoint_url: Option<String>,
}

/// The embedded engine.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoSettings {
    /// A built-in scenario's name or a `.toml` file; empty is an empty account (only `sim` has that).
    pub scenario: String,
    pub seed: u64,
    /// Virtual seconds in a real one, 0.01 to 10,000.
    pub speed: f64,
}

impl Settings {
    /// The names of the contexts to watch: those that are asked for, else the config's default ones. Empty: whatever the
    /// flags and the SDK's chain say.
    pub fn chosen(&self) -> &[String] {
        let Source::Live(live) = &self.source else { return &[] };
        let is_told = live.profile.is_some() || live.endpoint_url.is_some();
        if self.contexts.is_empty() && !is_told { &self.config.default_contexts } else { &self.contexts }
    }

    /// Whether mutations may be performed at all.
    pub fn may_act(&self) -> bool {
        let unlocks = |name: &String| self.config.context(name).is_some_and(|context| context.allow_actions);
        self.allow_actions || matches!(self.source, Source::Demo(_)) || self.chosen().iter().any(unlocks)
    }

    /// The theme's name or file.
    pub fn theme(&self) -> &str {
        self.theme.as_deref().unwrap_or(&self.config.theme)
    }

    /// Where the journal lies, if that is said: the config speaks of live AWS, whose journal the demo's is not.
    pub fn journal(&self) -> Option<&Path> {
        let own = self.config.journal.as_deref().filter(|_| matches!(self.source, Source::Live(_)));
        self.journal.as_deref().or(own)
    }

    /// The word of the source in JSON and in the header: `live` or `demo`.
    pub fn source_word(&self) -> &'static str {
        match self.source {
            Source::Live(_) => "live",
            Source::Demo(_) => "demo",
        }
    }
}

/// Whether this is `http://host:port` or `https://…`: the SDK's own error for anything else does not say where it stands.
/// The error is to follow the name of what it stands in.
pub fn check_endpoint(url: &str) -> Result<String, String> {
    let uri: http::Uri = url.parse().map_err(|error| format!("{url} is no URL: {error}"))?;
    let place = uri.authority().map_or("", |authority| authority.as_str());
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let port = place.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.contains(']'));
    if let Some(port) = port.filter(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Err(format!("{url} has no port `{port}`: ports are from 1 to 65535"));
    }
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(_)) => Ok(url.to_owned()),
        _ => Err(format!("{url} needs a scheme and a host, such as http://127.0.0.1:4566")),
    }
}

#[cfg(test)]
mod tests;
