//! The terminal UI: a theme, a session, a state, and the shell's loop over them.

use crate::app::state::State;
use crate::config::{self, Settings};
use crate::failure::Failure;
use crate::session::{self, Session};
use crate::shell::{self, Watching};
use crate::theme::{Depth, Glyphs, Theme};
use futures::future::BoxFuture;
use std::io::IsTerminal;

pub fn run(settings: &Settings) -> Result<u8, Failure> {
    let theme = theme(settings)?;
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Failure::new(
            "The terminal UI needs a terminal on standard input and output. For scripts there is `midwatch status`.",
        ));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .map_err(|error| Failure::new(format!("The async runtime cannot start: {error}")))?;
    let ended = runtime.block_on(async {
        let session = session::open(settings).await?;
        let owned = settings.clone();
        let watch = move |names: Vec<String>| -> BoxFuture<'static, Result<Watching, Failure>> {
            let settings = owned.clone();
            Box::pin(async move { Ok(watching(&session::open_named(&settings, &names).await?, &settings)) })
        };
        shell::run_tui(watching(&session, settings), &watch, &theme).await
    });
    // Calls may hang for as long as AWS likes; nobody waits for them any more.
    runtime.shutdown_background();
    ended
}

fn watching(session: &Session, settings: &Settings) -> Watching {
    let (hands, answers) = session::hands(session, settings);
    Watching { state: State::new(session.settings.clone(), session.clock.now()), hands, answers }
}

fn theme(settings: &Settings) -> Result<Theme, Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    let term = variable("TERM");
    let depth = Depth::decide(variable("COLORTERM").as_deref(), term.as_deref(), variable("NO_COLOR").as_deref());
    let filled = |name: &str| variable(name).filter(|value| !value.is_empty());
    let locale = filled("LC_ALL").or_else(|| filled("LC_CTYPE")).or_else(|| filled("LANG"));
    let glyphs = Glyphs::decide(locale.as_deref(), term.as_deref());
    read_theme(settings.theme(), depth, glyphs)
}

/// A built-in theme by its name, or one from its file.
pub fn read_theme(chosen: &str, depth: Depth, glyphs: Glyphs) -> Result<Theme, Failure> {
    let read = if chosen.ends_with(".toml") || chosen.contains('/') {
        let text = config::text(chosen.as_ref())
            .map_err(|error| Failure::new(format!("The theme {chosen} cannot be read: {error}.")))?;
        Theme::from_toml(&text, depth, glyphs)
    } else {
        Theme::built_in(chosen, depth, glyphs)
    };
    read.map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::new(format!("The theme {chosen} has mistakes: {}", lines.join("; ")))
    })
}
