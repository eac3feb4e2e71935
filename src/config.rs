//! Settings: what the command line decided, as plain data. The faces and the shell read these and no flags.

use std::path::PathBuf;

/// One run of midwatch.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub source: Source,
    /// Unlocks actions on live sources; the demo is always unlocked.
    pub allow_actions: bool,
    /// A built-in theme's name or a file; `None` is the default.
    pub theme: Option<String>,
    /// Overrides where the journal lies.
    pub journal: Option<PathBuf>,
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
    /// Whether mutations may be performed at all.
    pub fn may_act(&self) -> bool {
        self.allow_actions || matches!(self.source, Source::Demo(_))
    }

    /// The word of the source in JSON and in the header: `live` or `demo`.
    pub fn source_word(&self) -> &'static str {
        match self.source {
            Source::Live(_) => "live",
            Source::Demo(_) => "demo",
        }
    }
}
