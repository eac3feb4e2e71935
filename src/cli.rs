//! The command line: sources as global flags, faces as subcommands, and the checks that clap cannot make.

mod values;

pub use values::parse_duration;

use crate::config::{Config, DemoSettings, LiveSettings, Settings, Source, check_endpoint};
use crate::failure::Failure;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use values::parse_speed;

/// The scenario that `--demo` plays when none is named.
pub const DEFAULT_SCENARIO: &str = "flash-sale";
/// The seed of a run that names none: a demo is the same each time unless asked otherwise.
pub const DEFAULT_SEED: u64 = 1;

const EXIT_CODES: &str = "\
Exit codes:
  midwatch          0 left by the user, 1 could not start (usage and setup errors too), 128+N ended by signal N
  midwatch status   0 ok, 1 warn or unknown, 2 crit, 3 could not look (usage and setup errors too)
  midwatch do       0 done and seen to be done, 1 refused: nothing was sent (usage and setup errors too),
                    2 sent, and it failed, 3 sent, and its end was not seen in time
  others            0 done, 1 not

Examples:
  midwatch --demo                                     the demo on the embedded engine
  midwatch --profile prod --region eu-west-1          live, read-only
  midwatch status --demo --after 10m --format json    ten virtual minutes, then one snapshot
  midwatch sim --listen 127.0.0.1:4566                the engine as an AWS endpoint";

const CONTROL: &str = "\
An access key id of twelve digits names an account, the signature names a region, and each pair has a world of its own
that begins empty; any other key id means the scenario's account, or 123456789012. Signatures are not checked.

Code that is uploaded never runs: a function made by a client echoes its payload. Where the clock is manual, what takes time
waits until somebody advances it, a synchronous invocation too.

Control interface, beside AWS's own on the same port:
  GET  /_midwatch/health              what time it is, for each account
  GET  /_midwatch/ledger              what was asked: requests by service, operation and error
  POST /_midwatch/reset               empty the account; its time goes on
  POST /_midwatch/advance?by=4d       let time pass at once, up to 400d; long polls that wait get the answer of
                                      their time
  POST /_midwatch/fault               [[fault]] tables: make something go wrong, at once or `at` a later time
  GET  /_midwatch/faults              which faults are on or to come
  POST /_midwatch/end?fault=NAME      end a fault at once, by its `name` or else its kind; without ?fault= all of them
  POST /_midwatch/scenario            any tables of a scenario file: resources and actors on top of what is there
Each speaks of the account that signs the request, or of ?account=123456789012; ledger, reset, fault, faults and end of all
its regions, or of ?region=eu-west-1. Mistakes are answered with status 400, the line, and the cure.

  curl -X POST 'http://127.0.0.1:4566/_midwatch/advance?by=30s'
  curl http://127.0.0.1:4566/_midwatch/fault --data-binary $'[[fault]]\\nkind = \"api-throttle\"\\ntarget = \"sqs\"\\nshare = 0.5'";

/// The on-call console for event-driven AWS: Kinesis, SQS, SNS, Lambda, SWF and their kin in a terminal.
///
/// Without a source flag it watches live AWS through the standard credential chain, read-only unless --allow-actions is
/// given. Without a command it opens the terminal UI.
#[derive(Debug, Parser)]
#[command(name = "midwatch", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct CommandLine {
    #[command(flatten)]
    pub flags: Flags,
    #[command(subcommand)]
    pub face: Option<Face>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Source and session")]
pub struct Flags {
    /// Named profile of the AWS config files
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// Watch this context of the config; give it several times to watch several at once
    #[arg(long = "context", global = true, value_name = "NAME")]
    contexts: Vec<String>,
    /// AWS region, such as eu-west-1
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// Any AWS-compatible endpoint: moto, LocalStack, another midwatch
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Play a scenario on the embedded engine instead of watching AWS: a built-in one's name or a .toml file
    /// [default: flash-sale]
    #[arg(long, global = true, value_name = "SCENARIO", num_args = 0..=1, default_missing_value = DEFAULT_SCENARIO)]
    demo: Option<String>,
    /// Seed of the engine's chance: the same seed plays the same run [default: 1]
    #[arg(long, global = true, value_name = "N")]
    seed: Option<u64>,
    /// How many virtual seconds pass in a real one [default: 1]
    #[arg(long, global = true, value_name = "X", value_parser = parse_speed)]
    speed: Option<f64>,
    /// Unlock actions on live AWS or an endpoint (the demo is always unlocked)
    #[arg(long, global = true)]
    allow_actions: bool,
    /// Theme of the terminal UI: night, day, or a .toml file [default: night]
    #[arg(long, global = true, value_name = "NAME|FILE")]
    theme: Option<String>,
    /// Where actions are journalled [default: midwatch/journal.jsonl in the state folder]
    #[arg(long, global = true, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Config file [default: $MIDWATCH_CONFIG, or midwatch/config.toml in the config folder]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Append a debug log to this file
    #[arg(long, global = true, value_name = "FILE")]
    log: Option<PathBuf>,
}

/// What is done with the source; none is the terminal UI.
#[derive(Debug, Subcommand)]
pub enum Face {
    /// One snapshot of the estate; the exit code says how it is
    #[command(after_help = "Exit codes: 0 ok, 1 warn or unknown, 2 crit, 3 could not look.")]
    Status(StatusArgs),
    /// Serve the engine as an AWS endpoint for any SDK or CLI
    #[command(after_help = CONTROL)]
    Sim(SimArgs),
    /// Do what the terminal UI does, with the same plans, from a script
    #[command(after_help = "Exit codes: 0 done and seen to be done, 1 refused (nothing was sent), 2 sent and failed, \
                            3 sent and its end not seen in time.")]
    Do(DoArgs),
    /// List, verify or export what was done
    Journal(JournalArgs),
    /// Print the key table
    Keys,
    /// Print the least IAM policy that watching needs, as JSON
    Policy(PolicyArgs),
    /// Print the documented default config, or check yours
    Config(ConfigArgs),
    /// List the built-in scenarios, or check a file
    Scenarios(ScenariosArgs),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Json,
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
    /// With --demo: let this much virtual time pass first, as fast as the CPU allows: 90s, 10m, 24h
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub after: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct SimArgs {
    /// Where to listen; port 0 takes a free one and says which
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4566")]
    pub listen: SocketAddr,
    /// Whether time runs, or stands until the control interface advances it
    #[arg(long, value_enum, default_value = "run", value_name = "CLOCK")]
    pub clock: ClockWord,
    /// Whether AWS's request rates and throughput throttle; its sizes and rules always hold
    #[arg(long, value_enum, default_value = "on", value_name = "LIMITS")]
    pub limits: Held,
    /// Whether making, changing and deleting streams, functions and tables take AWS's time, or are complete at once
    #[arg(long, value_enum, default_value = "on", value_name = "DELAYS")]
    pub delays: Held,
    /// Begin with a scenario's estate and actors instead of an empty account: a name or a .toml file
    #[arg(long, value_name = "NAME|FILE")]
    pub scenario: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClockWord {
    Run,
    Manual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Held {
    On,
    Off,
}

#[derive(Debug, Args)]
pub struct DoArgs {
    #[command(subcommand)]
    pub action: DoAction,
}

/// One verb with its parameters; the flags that all verbs share come with each.
#[derive(Debug, Subcommand)]
pub enum DoAction {
    /// Split one shard of a stream, or resize the stream
    Reshard {
        /// The stream, such as kinesis/bids
        resource: String,
        /// Resize the stream to this many open shards
        #[arg(long, value_name = "N", conflicts_with = "split", required_unless_present = "split")]
        shards: Option<u32>,
        /// Split this shard in the middle of its range, such as shardId-000000000001
        #[arg(long, value_name = "SHARD")]
        split: Option<String>,
        #[command(flatten)]
        how: DoFlags,
    },
    /// Move a dead-letter queue's messages back to where they came from
    Redrive {
        /// The dead-letter queue, such as sqs/orders-dlq
        resource: String,
        /// At most this many messages a second, 1 to 500 [default: as SQS thinks right]
        #[arg(long, value_name = "N")]
        rate: Option<u32>,
        #[command(flatten)]
        how: DoFlags,
    },
    /// Stop a running redrive; what has moved stays moved
    CancelRedrive {
        /// The dead-letter queue, such as sqs/orders-dlq
        resource: String,
        #[command(flatten)]
        how: DoFlags,
    },
    /// Invoke a function
    Invoke {
        /// The function, such as lambda/settle-bid
        resource: String,
        /// JSON to send; @FILE reads a file, @- the standard input
        #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
        payload: String,
        /// wait for the answer, queue an event, or check permission and parameters only
        #[arg(long = "type", value_enum, default_value = "wait", value_name = "TYPE")]
        invocation: InvocationWord,
        #[command(flatten)]
        how: DoFlags,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InvocationWord {
    Wait,
    Event,
    DryRun,
}

#[derive(Clone, Debug, Args)]
pub struct DoFlags {
    /// Show the plan and its exact calls, and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Do not watch until the polls show it
    #[arg(long)]
    pub no_wait: bool,
    /// How long to watch at most
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_duration)]
    pub wait: Duration,
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
    /// With --demo: let this much virtual time pass first
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub after: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct JournalArgs {
    #[command(subcommand)]
    pub what: Option<JournalWhat>,
}

#[derive(Clone, Copy, Debug, Subcommand, PartialEq, Eq)]
pub enum JournalWhat {
    /// One line an entry, oldest first (the default)
    List,
    /// Check the chain of hashes; names the first line that breaks it
    Verify,
    /// The entries as one JSON array
    Export,
}

#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// With what the actions need, too
    #[arg(long)]
    pub actions: bool,
}

#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub what: Option<ConfigWhat>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum ConfigWhat {
    /// Check a config; every mistake is told with its line and its cure
    Check {
        /// The file; without it, the one that midwatch reads
        file: Option<PathBuf>,
    },
    /// Print which file midwatch reads
    Path,
}

#[derive(Debug, Args)]
pub struct ScenariosArgs {
    #[command(subcommand)]
    pub what: Option<ScenariosWhat>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum ScenariosWhat {
    /// Check a scenario file; every error is named with its place
    Check { file: PathBuf },
}

/// Reads the command line. `Err` holds what to print and how to exit: help and version go to the standard output.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<(CommandLine, Settings), Failure> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let usage_exit = if arguments.iter().skip(1).any(|word| word == "status") { 3 } else { 1 };
    let line = CommandLine::try_parse_from(&arguments).map_err(|error| usage_failure(&error, usage_exit))?;
    match settings(&line) {
        Ok(settings) => Ok((line, settings)),
        Err(sentence) => Err(Failure::new(sentence).with_exit(usage_exit)),
    }
}

fn usage_failure(error: &clap::Error, exit: u8) -> Failure {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Failure::wanted(error.render().to_string()),
        kind => {
            let mut text = error.render().to_string();
            if kind == ErrorKind::InvalidSubcommand
                && let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
                && word.ends_with(".toml")
            {
                text.push_str(&format!("\nA scenario's file goes with --demo: midwatch --demo {word}\n"));
            }
            Failure::new(text.strip_prefix("error: ").unwrap_or(&text).trim_end()).with_exit(exit)
        }
    }
}

/// Flags become settings. A flag that would do nothing with this source or face is refused.
fn settings(line: &CommandLine) -> Result<Settings, String> {
    let flags = &line.flags;
    refuse_idle_flags(line)?;
    let scenario = match &line.face {
        Some(Face::Sim(sim)) => Some(sim.scenario.clone().unwrap_or_default()),
        _ => flags.demo.clone(),
    };
    let checked = |url: &str| check_endpoint(url).map_err(|wrong| format!("--endpoint-url {wrong}"));
    let endpoint_url = flags.endpoint_url.as_deref().map(checked);
    let source = match scenario {
        Some(scenario) => Source::Demo(DemoSettings {
            scenario,
            seed: flags.seed.unwrap_or(DEFAULT_SEED),
            speed: flags.speed.unwrap_or(1.0),
        }),
        None => Source::Live(LiveSettings {
            profile: flags.profile.clone(),
            region: flags.region.clone(),
            endpoint_url: endpoint_url.transpose()?,
        }),
    };
    Ok(Settings {
        source,
        contexts: flags.contexts.clone(),
        allow_actions: flags.allow_actions,
        theme: flags.theme.clone(),
        journal: flags.journal.clone(),
        config_file: flags.config.clone(),
        config: Config::default(),
        log: flags.log.clone(),
    })
}

fn refuse_idle_flags(line: &CommandLine) -> Result<(), String> {
    let flags = &line.flags;
    let demo = flags.demo.as_deref();
    if let Some(word) = demo.filter(|word| FACE_WORDS.contains(word)) {
        return Err(format!(
            "`--demo {word}` would play a scenario called {word}: put the command first, as in `midwatch {word} --demo`"
        ));
    }
    let live_flags = [
        ("--context", !flags.contexts.is_empty()),
        ("--profile", flags.profile.is_some()),
        ("--region", flags.region.is_some()),
        ("--endpoint-url", flags.endpoint_url.is_some()),
    ];
    if let Some((flag, _)) = live_flags.iter().find(|(_, given)| *given && demo.is_some()) {
        return Err(format!("{flag} speaks of live AWS and --demo plays a scenario: give one of the two"));
    }
    let sim = matches!(line.face, Some(Face::Sim(_)));
    if sim && demo.is_some() {
        return Err("the simulation takes its scenario as `midwatch sim --scenario NAME`, not with --demo".into());
    }
    let engine_flags = [("--seed", flags.seed.is_some()), ("--speed", flags.speed.is_some())];
    if let Some((flag, _)) = engine_flags.iter().find(|(_, given)| *given && demo.is_none() && !sim) {
        return Err(format!("{flag} goes with --demo: live AWS has neither seed nor speed"));
    }
    if flags.speed.is_some() && matches!(&line.face, Some(Face::Sim(sim)) if sim.clock == ClockWord::Manual) {
        return Err("--speed would do nothing with --clock manual: time stands until it is advanced".into());
    }
    let after = match &line.face {
        Some(Face::Status(status)) => status.after,
        Some(Face::Do(action)) => action.action.how().after,
        _ => None,
    };
    if after.is_some() && demo.is_none() {
        return Err("--after goes with --demo: it lets virtual time pass, and live AWS has none".into());
    }
    refuse_flags_of_other_faces(line)
}

fn refuse_flags_of_other_faces(line: &CommandLine) -> Result<(), String> {
    let flags = &line.flags;
    let (screen, acts, reads_journal, looks) = match &line.face {
        None => (true, true, true, true),
        Some(Face::Do(_)) => (false, true, true, true),
        Some(Face::Status(_)) => (false, false, false, true),
        Some(Face::Journal(_)) => (false, false, true, false),
        Some(Face::Sim(_) | Face::Keys | Face::Policy(_) | Face::Config(_) | Face::Scenarios(_)) => {
            (false, false, false, false)
        }
    };
    let source = flags.profile.is_some() || flags.region.is_some() || flags.endpoint_url.is_some();
    let config = flags.config.is_some() && !line.reads_config() && !matches!(line.face, Some(Face::Config(_)));
    // `journal --demo` reads the demo's own journal.
    let demo = flags.demo.is_some() && !reads_journal;
    let idle = [
        ("--theme", "the terminal UI", flags.theme.is_some() && !screen),
        ("--allow-actions", "the terminal UI and `do`", flags.allow_actions && !acts),
        ("--journal", "the terminal UI, `do` and `journal`", flags.journal.is_some() && !reads_journal),
        ("--context", "the terminal UI, `status` and `do`", !flags.contexts.is_empty() && !looks),
        ("--profile, --region and --endpoint-url", "the terminal UI, `status` and `do`", source && !looks),
        ("--config", "the terminal UI, `status`, `do`, `journal` and `config`", config),
        ("--demo", "the terminal UI, `status`, `do` and `journal`", demo && !looks),
    ];
    match idle.iter().find(|(_, _, given)| *given) {
        Some((flag, users, _)) => Err(format!("{flag} would do nothing here: it goes with {users}")),
        None => Ok(()),
    }
}

const FACE_WORDS: [&str; 8] = ["status", "sim", "do", "journal", "keys", "policy", "config", "scenarios"];

impl CommandLine {
    /// Whether what is done depends on the config; the rest must work beside a broken one.
    pub fn reads_config(&self) -> bool {
        matches!(self.face, None | Some(Face::Status(_) | Face::Do(_) | Face::Journal(_)))
    }
}

impl DoAction {
    /// The flags that every verb shares.
    pub fn how(&self) -> &DoFlags {
        match self {
            Self::Reshard { how, .. }
            | Self::Redrive { how, .. }
            | Self::CancelRedrive { how, .. }
            | Self::Invoke { how, .. } => how,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<(CommandLine, Settings), Failure> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn clap_finds_no_fault_in_the_table() {
        use clap::CommandFactory;
        CommandLine::command().debug_assert();
    }

    #[test]
    fn sources_become_settings() {
        let (line, settings) = read("midwatch --demo").unwrap();
        assert!(line.face.is_none());
        assert_eq!(
            settings.source,
            Source::Demo(DemoSettings { scenario: "flash-sale".into(), seed: DEFAULT_SEED, speed: 1.0 })
        );
        let (_, settings) = read("midwatch status --endpoint-url http://127.0.0.1:5000 --region eu-west-1").unwrap();
        assert_eq!(
            settings.source,
            Source::Live(LiveSettings {
                profile: None,
                region: Some("eu-west-1".into()),
                endpoint_url: Some("http://127.0.0.1:5000".into()),
            })
        );
        assert!(!settings.allow_actions);
    }

    #[test]
    fn usage_errors_of_status_cannot_be_taken_for_health() {
        assert_eq!(read("midwatch status --nonsense").unwrap_err().exit, 3);
        assert_eq!(read("midwatch --seed 3 status").unwrap_err().exit, 3);
        assert_eq!(read("midwatch --nonsense").unwrap_err().exit, 1);
        assert_eq!(read("midwatch --help").unwrap_err().exit, 0);
    }

    #[test]
    fn a_flag_that_would_do_nothing_is_refused() {
        for (line, says) in [
            ("midwatch --seed 3", "--seed goes with --demo"),
            ("midwatch status --after 10m", "--after goes with --demo"),
            ("midwatch --demo --profile x", "give one of the two"),
            ("midwatch --demo status", "midwatch status --demo"),
            ("midwatch keys --theme day", "the terminal UI"),
            ("midwatch status --demo --allow-actions", "would do nothing here"),
            ("midwatch sim --demo", "sim --scenario"),
            ("midwatch --endpoint-url localhost:4566", "needs a scheme"),
        ] {
            let sentence = read(line).unwrap_err().sentence;
            assert!(sentence.contains(says), "{line}: {sentence}");
        }
    }
}
