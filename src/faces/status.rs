//! `midwatch status`: one snapshot of the estate, without a terminal.

use crate::app::contexts;
use crate::app::state::{Context, State};
use crate::cli::{Format, StatusArgs};
use crate::config::Settings;
use crate::domain::row::{Health, KindId};
use crate::domain::time::Timestamp;
use crate::faces::{runtime, say};
use crate::failure::Failure;
use crate::session;
use crate::shell::headless::Runner;
use crate::status::{self, Snapshot};

/// The exit code for "could not look".
pub const COULD_NOT_LOOK: u8 = 3;

pub fn run(arguments: &StatusArgs, settings: &Settings) -> Result<u8, Failure> {
    let runtime = runtime(settings)?;
    let ended = runtime.block_on(look(arguments, settings));
    runtime.shutdown_background();
    let (text, exit) = ended.map_err(|failure| failure.with_exit(COULD_NOT_LOOK))?;
    say(&text)?;
    Ok(exit)
}

async fn look(arguments: &StatusArgs, settings: &Settings) -> Result<(String, u8), Failure> {
    let session = session::open(settings).await?;
    if let Some(after) = arguments.after {
        session.clock.sleep(after).await;
    }
    let started = session.clock.now();
    let (hands, answers) = session::hands(&session, settings);
    let mut runner = Runner::new(State::new(session.settings.clone(), started), hands, answers);
    runner.settle().await;
    let snapshot = snapshot(runner.state(), started, runner.now());
    let text = match arguments.format {
        Format::Json => format!("{:#}\n", status::json(&snapshot)),
        Format::Table => status::table(&snapshot, sign),
    };
    Ok((text, status::exit_code(&snapshot)))
}

fn snapshot(state: &State, started: Timestamp, now: Timestamp) -> Snapshot<'_> {
    Snapshot {
        at: now,
        source: state.settings.source.word(),
        contexts: state.settings.contexts.iter().map(|context| seen_as(state, context)).collect(),
        rows: &state.rows,
        unlisted: KindId::ALL.into_iter().filter(|kind| !state.schedule.is_listed(*kind)).collect(),
        hidden: state.hidden_total(),
        findings: &state.findings,
        changes: &state.changes,
        problems: state.problems.values().collect(),
        calls: &state.meter.calls,
        usd_per_hour: state.meter.usd_per_h(started, now),
    }
}

fn seen_as<'s>(state: &'s State, context: &'s Context) -> status::Context<'s> {
    let identity = state.identities.get(&context.place);
    status::Context {
        place: &context.place,
        account: identity.and_then(|identity| identity.account.as_deref()),
        alias: identity.and_then(|identity| identity.alias.as_deref()),
        region: context.region.as_deref(),
        profile: context.profile.as_deref(),
        problem: contexts::why_dark(state, context),
    }
}

/// Signs that every terminal and log has; the word stands beside each.
const fn sign(health: Health) -> char {
    match health {
        Health::Ok => 'o',
        Health::Unknown => '?',
        Health::Warn => '!',
        Health::Crit => 'X',
    }
}
