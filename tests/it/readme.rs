//! README keeps its promises: its pictures are what the program draws, its key table is the command table, and its
//! commands are understood; those that play the demo are run.

use crate::picture;
use midwatch::app::state::State;
use midwatch::cli;
use midwatch::config::{Config, DemoSettings, Settings, Source};
use midwatch::faces;
use midwatch::session;
use midwatch::shell::headless::Runner;
use midwatch::theme::{Depth, Glyphs, Theme};
use midwatch::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// Compares with the file, or writes it when `UPDATE` is set in the environment.
fn expect_file(path: &str, made: &str) {
    let path: PathBuf = root().join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "{} is not what the program draws: run this test with UPDATE=1", path.display());
}

/// The demo, ten minutes in, after these keys.
fn demo_after(minutes: u64, keys: &str, width: u16, height: u16) -> String {
    let demo = DemoSettings { scenario: "flash-sale".into(), seed: 1, speed: 1.0 };
    let journal = Some(std::env::temp_dir().join(format!("midwatch-readme-{}.jsonl", std::process::id())));
    let source = Source::Demo(demo);
    let settings = Settings {
        source,
        contexts: Vec::new(),
        allow_actions: false,
        theme: None,
        journal,
        config_file: None,
        config: Config::default(),
        log: None,
    };
    let runtime = faces::runtime(&settings).unwrap();
    let picture = runtime.block_on(async {
        let session = session::open(&settings).await.unwrap();
        let (hands, answers) = session::hands(&session, &settings);
        let mut runner = Runner::new(State::new(session.settings.clone(), session.clock.now()), hands, answers);
        runner.resize(width, height);
        runner.run_for(Duration::from_secs(60 * minutes)).await;
        runner.keys(keys).unwrap();
        runner.run_for(Duration::from_secs(6)).await;
        let theme = Theme::built_in("night", Depth::TrueColor, Glyphs::Braille).unwrap();
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view::draw(frame, runner.state(), &theme)).unwrap();
        picture::svg(terminal.backend().buffer())
    });
    runtime.shutdown_background();
    picture
}

#[test]
fn its_pictures_are_what_the_program_draws() {
    for (path, minutes, keys, width, height) in
        [("overview.svg", 10, "", 118, 24), ("stream.svg", 10, "2<enter>", 118, 30)]
    {
        let path = format!("tests/it/pictures/{path}");
        assert!(readme().contains(&path), "README shows {path}");
        expect_file(&path, &demo_after(minutes, keys, width, height));
    }
}

#[test]
fn its_key_table_is_the_command_table() {
    assert!(readme().contains(&faces::keys::table()), "README's key table differs: paste what `midwatch keys` prints");
}

#[test]
fn its_policy_is_the_one_that_midwatch_prints() {
    assert!(
        readme().contains(&faces::policy::policy(true)),
        "README's policy differs: paste `midwatch policy --actions`"
    );
}

/// The lines of README's `sh` blocks that call midwatch, without their comments.
fn commands() -> Vec<String> {
    let text = readme();
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).map(|line| line.split("  #").next().unwrap_or_default().trim());
    lines.filter(|line| line.starts_with("midwatch")).map(str::to_owned).collect()
}

#[test]
fn its_commands_are_understood() {
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let words = command.split(['|', '>']).next().unwrap_or_default();
        let words = words.split_whitespace().map(|word| word.trim_matches('\'').into());
        if let Err(failure) = cli::parse(words) {
            panic!("{command}: {}", failure.sentence);
        }
    }
}

#[test]
fn its_demo_commands_run() {
    let folder = std::env::temp_dir().join(format!("midwatch-readme-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut run = 0;
    for command in commands() {
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        let plays = words.contains(&"--demo") && words[0] != "--demo" && !words.contains(&"24h");
        let prints = ["config", "keys", "scenarios"].contains(words.first().unwrap_or(&""));
        if !(plays || prints) || command.contains(['|', '>']) {
            continue;
        }
        let ended = Command::new(env!("CARGO_BIN_EXE_midwatch"))
            .args(words.iter().map(|word| word.trim_matches('\'')))
            .env("XDG_STATE_HOME", &folder)
            .env("XDG_CONFIG_HOME", &folder)
            .env_remove("MIDWATCH_CONFIG")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        // `status` says how the estate is: 0 to 2 are answers.
        assert!(matches!(ended.status.code(), Some(0..=2)) && said.is_empty(), "{command}: {said}");
        assert!(!ended.stdout.is_empty(), "{command} says nothing");
        run += 1;
    }
    assert!(run >= 5, "only {run} of README's commands were run");
    std::fs::remove_dir_all(&folder).unwrap();
}
