//! The config file as a person meets it: what it changes on the screen, in scripts, and how its mistakes are told.

use crate::cli::{Run, midwatch};
use midwatch::app::state::State;
use midwatch::config::{self, Config, DemoSettings, Found, LiveSettings, Settings, Source};
use midwatch::domain::row::{Health, ResourceId, Row};
use midwatch::session;
use midwatch::shell::headless::Runner;
use midwatch::sim::scenario::builtin;
use midwatch::theme::{Depth, Glyphs, Theme};
use midwatch::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

const COLUMNS: u16 = 140;
const ROWS: u16 = 40;

/// Settings with this config, and the folder that it lay in.
fn settings(text: &str, source: Source, contexts: &[&str]) -> (Settings, PathBuf) {
    let name = std::thread::current().name().unwrap_or("test").replace("::", "-");
    let folder = std::env::temp_dir().join(format!("midwatch-config-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("config.toml");
    std::fs::write(&path, text).unwrap();
    let config = config::load(&Found { path, is_named: true }).unwrap().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let settings = Settings {
        source,
        contexts: contexts.iter().map(|name| (*name).to_owned()).collect(),
        allow_actions: false,
        theme: None,
        journal: Some(folder.join("journal.jsonl")),
        config_file: None,
        config,
        log: None,
    };
    (settings, folder)
}

/// The flash sale as somebody with this config comes to it, so many minutes into its story.
async fn watch(minute: u64, text: &str) -> Runner {
    watch_scenario("flash-sale", minute, text).await
}

async fn watch_scenario(scenario: &str, minute: u64, text: &str) -> Runner {
    let demo = Source::Demo(DemoSettings { scenario: scenario.into(), seed: 1, speed: 1.0 });
    let (settings, folder) = settings(text, demo, &[]);
    let session = session::open(&settings).await.unwrap();
    session.clock.sleep(Duration::from_secs(60 * minute)).await;
    let (hands, answers) = session::hands(&session, &settings);
    let mut runner = Runner::new(State::new(session.settings.clone(), session.clock.now()), hands, answers);
    runner.resize(COLUMNS, ROWS);
    assert!(runner.settle().await, "the first sweep comes to an end");
    std::fs::remove_dir_all(&folder).ok();
    runner
}

fn screen(runner: &Runner) -> String {
    let theme = Theme::built_in("night", Depth::TrueColor, Glyphs::Braille).unwrap();
    let mut terminal = Terminal::new(TestBackend::new(COLUMNS, ROWS)).unwrap();
    terminal.draw(|frame| view::draw(frame, runner.state(), &theme)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let row = |y| (0..COLUMNS).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..ROWS).map(|y| format!("{}\n", row(y).trim_end())).collect()
}

/// Lines of a terminal of this size.
fn screen_of(runner: &mut Runner, width: u16, height: u16) -> String {
    runner.resize(width, height);
    let theme = Theme::built_in("night", Depth::TrueColor, Glyphs::Braille).unwrap();
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(frame, runner.state(), &theme)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(|y| format!("{}\n", row(y).trim_end())).collect()
}

fn row<'r>(runner: &'r Runner, id: &str) -> &'r Row {
    &runner.state().rows[&ResourceId::parse(id).unwrap()]
}

fn ids(runner: &Runner) -> Vec<String> {
    runner.state().rows.keys().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_excluded_is_never_asked_about_and_the_screen_says_how_much_that_is() {
    let mut runner = watch(16, "exclude = [\"lambda/*\", \"sqs/*-dlq\"]").await;
    runner.run_for(Duration::from_secs(300)).await;
    assert!(ids(&runner).contains(&"sqs/orders".to_owned()), "{:?}", ids(&runner));
    assert!(ids(&runner).iter().all(|id| !id.starts_with("lambda/") && !id.ends_with("-dlq")), "{:?}", ids(&runner));
    let calls = &runner.state().meter.calls.by_operation;
    assert!(calls.contains_key("lambda:ListFunctions"), "they are listed: {calls:?}");
    assert!(!calls.contains_key("lambda:GetFunction"), "and nothing else is asked: {calls:?}");
    let hidden = runner.state().hidden_total();
    assert!(hidden >= 3, "{hidden}");
    let shown = screen(&runner);
    assert!(shown.contains(&format!("{hidden} hidden")), "{shown}");
    runner.keys("p").unwrap();
    let shown = screen(&runner);
    assert!(shown.contains("WHAT THE CONFIG HIDES") && shown.contains("lambda  by include and exclude"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_change_of_what_is_hidden_is_not_shown() {
    let well = builtin("flash-sale").unwrap().text.split("[[fault]]").next().unwrap();
    let deploy = "kind = \"bad-deploy\"\ntarget = \"lambda/fulfil-order\"\nwhen_contains = \"gift\"\nerror_type = \"E\"\n\
                  message = \"m\"\n";
    let cap = "kind = \"concurrency-cap\"\ntarget = \"lambda/settle-bid\"\ncap = 50\n";
    let path = std::env::temp_dir().join(format!("midwatch-changes-{}.toml", std::process::id()));
    std::fs::write(&path, format!("{well}[[fault]]\nat = \"1m\"\n{deploy}[[fault]]\nat = \"1m\"\n{cap}")).unwrap();
    let changed = async |text: &str| {
        let mut runner = watch_scenario(path.to_str().unwrap(), 20, text).await;
        runner.keys("c").unwrap();
        let changes = runner.state().changes.iter().map(|change| change.resources[0].to_string());
        (changes.collect::<Vec<_>>(), screen(&runner))
    };
    let (all, _) = changed("").await;
    assert_eq!(all.len(), 2, "{all:?}");
    for text in ["exclude = [\"lambda/settle-*\"]", "include = [\"lambda/fulfil-*\"]"] {
        let (seen, shown) = changed(text).await;
        assert_eq!(seen, ["lambda/fulfil-order"], "{text}");
        assert!(!shown.contains("settle-bid"), "{shown}");
    }
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_what_is_included_is_watched() {
    let runner = watch(16, "include = [\"sqs/orders*\", \"*/bids\"]").await;
    assert_eq!(ids(&runner), ["kinesis/bids", "sqs/orders", "sqs/orders-dlq"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_long_for_a_small_screen_can_be_read() {
    let mut runner = watch(16, "exclude = [\"sqs/*-dlq\"]").await;
    runner.keys(":sqs/orders<enter>").unwrap();
    let shown = screen_of(&mut runner, 80, 24);
    assert!(shown.contains("sqs/orders-dlq hidden by the config"), "{shown}");
    assert!(shown.contains("DLQ MSGS     unseen"), "{shown}");
    runner.keys("<esc>:lambda/fulfil-order<enter>").unwrap();
    let shown = screen_of(&mut runner, 80, 24);
    assert!(shown.contains(" more: w") && !shown.contains("BUSY PER MIN"), "{shown}");
    runner.keys("w").unwrap();
    let mut all = screen_of(&mut runner, 80, 24);
    assert!(all.contains("1-20 of "), "{all}");
    runner.keys("G").unwrap();
    all.push_str(&screen_of(&mut runner, 80, 24));
    for word in ["BUSY PER MIN", "ARN ", "EVENT SOURCE MAPPINGS", "p99"] {
        assert!(all.contains(word), "no {word} in\n{all}");
    }
    runner.keys("<esc>").unwrap();
    assert!(screen_of(&mut runner, 80, 24).contains(" more: w"), "esc is first back to what fits");
    // Why a key does nothing is said in full, over the body where it needs to be.
    runner.keys("R").unwrap();
    let shown = screen_of(&mut runner, 40, 24);
    let said = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("select one first (:kinesis)"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_threshold_makes_a_resource_warn_with_the_limit_and_whose_it_is() {
    let before = watch(1, "").await;
    assert_eq!(row(&before, "lambda/settle-bid").health, Health::Ok);
    let text = "[[threshold]]\nmatch = \"lambda/settle-*\"\nfield = \"invocations_per_min\"\nwarn = 1\n";
    let mut runner = watch(1, text).await;
    let settle = row(&runner, "lambda/settle-bid");
    assert_eq!(settle.health, Health::Warn, "{:?}", settle.reasons);
    assert!(settle.reasons[0].ends_with(">= 1/m, your threshold"), "{:?}", settle.reasons);
    runner.keys(":lambda/settle-bid<enter>").unwrap();
    assert!(screen(&runner).contains(">= 1/m, your threshold"), "{}", screen(&runner));
}

#[tokio::test(start_paused = true)]
async fn a_threshold_instead_of_midwatchs_own_rule_silences_it_and_its_finding() {
    let about = |runner: &Runner| {
        let found = runner.state().findings.iter().filter(|finding| finding.resource.name == "orders-dlq");
        found.map(|finding| finding.severity).collect::<Vec<_>>()
    };
    let before = watch(16, "").await;
    assert!(row(&before, "sqs/orders-dlq").health >= Health::Warn && about(&before).len() == 1);
    let text = |warn: u32| {
        format!("[[threshold]]\nmatch = \"sqs/orders-dlq\"\nfield = \"visible\"\nwarn = {warn}\ninstead = true\n")
    };
    let runner = watch(16, &text(1_000_000)).await;
    assert_eq!((row(&runner, "sqs/orders-dlq").health, about(&runner)), (Health::Ok, vec![]));
    let runner = watch(16, &text(1)).await;
    assert_eq!((row(&runner, "sqs/orders-dlq").health, about(&runner)), (Health::Warn, vec![Health::Warn]));
}

/// A run with this config, named by the environment.
fn with_config(arguments: &str, text: &str) -> (Run, PathBuf) {
    let run = midwatch(arguments);
    let path = run.file("config.toml", text);
    (run.env("MIDWATCH_CONFIG", &path), path)
}

#[test]
fn the_default_is_printed_and_is_a_good_config() {
    let printed = midwatch("config").end();
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    let (run, path) = with_config("config check", &printed.out);
    let checked = run.end();
    let said =
        format!("{}: a good config: no contexts, 0 thresholds, 0 patterns of what is watched.\n", path.display());
    assert_eq!((checked.code, checked.out), (0, said));
    let nowhere = midwatch("config check").end();
    assert!(nowhere.code == 0 && nowhere.out.contains("the defaults hold"), "{}{}", nowhere.out, nowhere.err);
}

#[test]
fn the_config_is_found_in_its_places_and_a_named_one_must_be_there() {
    let (run, path) = with_config("config path", "");
    assert_eq!(run.end().out, format!("{}\n", path.display()));
    assert_eq!(midwatch("config path").env("XDG_CONFIG_HOME", "/xdg").end().out, "/xdg/midwatch/config.toml\n");
    assert!(midwatch("config path").end().out.ends_with("/.config/midwatch/config.toml\n"));
    assert_eq!(midwatch("config path --config my.toml").env("MIDWATCH_CONFIG", "/x").end().out, "my.toml\n");
    midwatch("status --demo --config /nowhere.toml").end().fails(3, &["/nowhere.toml cannot be read"]);
}

#[test]
fn every_mistake_is_told_before_anything_is_looked_at() {
    let text = "themee = \"day\"\n[refresh]\nswept_s = 1\n[contexts.prod]\nregionn = \"eu-west-1\"\n";
    let places = |path: &PathBuf| {
        let at = |line: u32, rest: &str| format!("{}:{line}: {rest}", path.display());
        let theme = at(1, "`themee` is not known here: did you mean `theme`?");
        [theme, at(3, "`swept_s` is from 60 to 3600, not 1"), at(5, "`regionn` is not known here")]
    };
    for (arguments, code) in [("config check", 1), ("status --demo", 3), ("journal", 1)] {
        let (run, path) = with_config(arguments, text);
        let words = places(&path);
        run.end().fails(code, &words.each_ref().map(String::as_str));
    }
    let (run, _) = with_config("keys", text);
    assert_eq!(run.end().code, 0, "what needs no config works beside a broken one");
}

/// Relative to the config, wherever the command runs.
#[test]
fn a_theme_file_is_checked_with_the_config_that_names_it() {
    let text = "theme = \"themes.d/mine.toml\"\n[contexts.a]\n[[contexts.a.threshold]]\nmatch = \"sqs/*\"\n\
                field = \"visible\"\nwarn = 9\n";
    let with_theme = |theme: Option<&str>| {
        let (run, path) = with_config("config check", text);
        let folder = path.parent().unwrap().join("themes.d");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("mine.toml");
        match theme {
            Some(theme) => std::fs::write(&file, theme).unwrap(),
            None => drop(std::fs::remove_file(&file)),
        }
        (run.end(), path, file.display().to_string())
    };
    let good = midwatch::theme::BUILT_IN[1].1;
    let (checked, path, _) = with_theme(Some(good));
    let said =
        format!("{}: a good config: 1 context (a), 1 threshold, 0 patterns of what is watched.\n", path.display());
    assert_eq!((checked.code, checked.out), (0, said), "{}", checked.err);
    let line = good.lines().position(|line| line.starts_with("warn")).unwrap() + 1;
    let (checked, _, file) = with_theme(Some(&good.replacen("\nwarn", "\nwran", 1)));
    let wrong = format!("line {line}: ");
    checked.fails(1, &[&format!("The theme {file} has mistakes"), &wrong, "`wran`", "did you mean `warn`?"]);
    let (checked, _, file) = with_theme(None);
    checked.fails(1, &[&format!("The theme {file} cannot be read")]);
}

#[test]
fn a_pipe_is_not_waited_for() {
    let run = midwatch("config check");
    let path = run.file("fifo", "");
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    run.arg(&path).end().fails(1, &["fifo cannot be read: it is a pipe or a device, and only regular files are read"]);
    midwatch("config check /tmp").end().fails(1, &["it is a folder"]);
}

#[test]
fn a_script_is_told_what_the_config_hides() {
    let config = "include = [\"sqs/*\"]\n";
    let (run, _) = with_config("status --demo --format json", config);
    let seen: Value = serde_json::from_str(&run.end().out).unwrap();
    assert!(seen["hidden"].as_u64().unwrap() >= 3, "{}", seen["hidden"]);
    assert!(seen["resources"].as_array().unwrap().iter().all(|row| row["kind"] == "sqs"));
    let (run, _) = with_config("status --demo", config);
    assert!(run.end().out.contains("more resources are hidden by the config's include and exclude."));
}

#[test]
fn what_is_hidden_is_not_acted_on_and_the_cure_is_said() {
    let (run, _) = with_config("do invoke lambda/settle-bid --demo --dry-run", "exclude = [\"lambda/*\"]\n");
    run.end().fails(1, &["lambda/settle-bid is hidden by the config's include and exclude", "--config"]);
}

#[test]
fn a_context_says_where_to_look_and_flags_win() {
    let text = "default_contexts = [\"desk\"]\n[contexts.desk]\nregion = \"eu-north-1\"\n\
                endpoint_url = \"http://127.0.0.1:9\"\n[contexts.other]\nregion = \"eu-west-3\"\n\
                endpoint_url = \"http://127.0.0.1:7\"\n";
    let region = |json: &str| serde_json::from_str::<Value>(json).unwrap()["context"]["region"].clone();
    for (arguments, endpoint, its_region) in [
        ("", "127.0.0.1:9", "eu-north-1"),
        ("--context other", "127.0.0.1:7", "eu-west-3"),
        ("--context other --region us-west-2", "127.0.0.1:7", "us-west-2"),
        ("--endpoint-url http://127.0.0.1:6 --region us-east-2", "127.0.0.1:6", "us-east-2"),
    ] {
        let (run, _) = with_config(&format!("status --format json {arguments}"), text);
        let ended = run.with_keys().end();
        ended.is_blind(&[endpoint]);
        assert_eq!(region(&ended.out), its_region, "{arguments}");
    }
    let (run, _) = with_config("status --context dsk", text);
    run.end().fails(3, &["no context `dsk`", "did you mean `desk`?"]);
    midwatch("status --demo --context desk").end().fails(3, &["--context speaks of live AWS"]);
}

/// The other contexts are asked all the same, and the broken one is a problem that names the place and the cure.
#[test]
fn a_context_that_cannot_be_opened_leaves_the_others() {
    let text = "default_contexts = [\"gone\", \"desk\"]\n[contexts.gone]\nprofile = \"nobody\"\nregion = \"eu-west-1\"\n\
                [contexts.desk]\nregion = \"eu-north-1\"\nendpoint_url = \"http://127.0.0.1:9\"\n";
    let (run, path) = with_config("status --format json", text);
    let ended = run.with_keys().end();
    let said = format!(
        "No profile `nobody` in ~/.aws/config or ~/.aws/credentials, and [contexts.gone] of {}",
        path.display()
    );
    ended.is_blind(&[
        "http://127.0.0.1:9 cannot be reached",
        "Check `endpoint_url` in the config's [contexts.desk]",
        &said,
    ]);
    let seen: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(seen["partial"], true);
    assert!(
        seen["contexts"][0]["problem"].as_str().unwrap().contains("Correct `profile` there"),
        "{}",
        seen["contexts"]
    );
    let problems = seen["problems"].as_array().unwrap();
    assert!(
        problems.iter().any(|problem| problem["context"] == "gone" && problem["service"] == "config"),
        "{problems:?}"
    );
    assert!(problems.iter().any(|problem| problem["context"] == "desk" && problem["operation"] == "ListQueues"));
    let (run, _) = with_config("status", text);
    let table = run.with_keys().end();
    table.is_blind(&["gone  nobody  eu-west-1  (not seen)", "gone: config:context (other): No profile `nobody`"]);
    let (run, _) = with_config("status --context gone", text);
    run.with_keys().end().fails(3, &["No profile `nobody`", "[contexts.gone]", "`aws configure --profile nobody`"]);
}

#[test]
fn a_context_without_credentials_leaves_the_others_and_names_its_table() {
    let text = "default_contexts = [\"bare\", \"desk\"]\n[contexts.bare]\nprofile = \"bare\"\n\
                endpoint_url = \"http://127.0.0.1:9\"\n[contexts.desk]\nprofile = \"keyed\"\n\
                endpoint_url = \"http://127.0.0.1:7\"\n";
    let (run, _) = with_config("status --format json", text);
    let profiles = "[profile bare]\nregion = eu-west-1\n[profile keyed]\nregion = eu-west-1\n\
                    aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wrong\n";
    let path = run.file("aws", profiles);
    let ended = run.env("AWS_CONFIG_FILE", path).end();
    ended.is_blind(&["No AWS credentials could be had", "http://127.0.0.1:7 cannot be reached"]);
    let seen: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(seen["partial"], true);
    let told = seen["contexts"][0]["problem"].as_str().unwrap();
    assert!(told.contains("`aws sso login --profile bare`") && told.contains("[contexts.bare]"), "{told}");
}

#[tokio::test]
async fn the_screen_says_which_context_is_not_seen_and_why() {
    let text = "[contexts.gone]\nprofile = \"nobody-has-this\"\n\
                [contexts.desk]\nregion = \"eu-north-1\"\nendpoint_url = \"http://127.0.0.1:9\"\n";
    let (settings, _) = settings(text, Source::Live(LiveSettings::default()), &["gone", "desk"]);
    let session = session::open(&settings).await.unwrap();
    let (hands, answers) = session::hands(&session, &settings);
    let mut runner = Runner::new(State::new(session.settings.clone(), session.clock.now()), hands, answers);
    runner.resize(COLUMNS, ROWS);
    assert!(screen(&runner).contains("desk +1 1 NOT SEEN"), "{}", screen(&runner));
    runner.keys("C").unwrap();
    let index = runner.state().settings.known.iter().position(|known| known.name == "gone").unwrap();
    runner.keys(&format!("g{}", "j".repeat(index))).unwrap();
    let shown = screen(&runner);
    assert!(shown.contains("NOT SEEN") && shown.contains("No profile `nobody-has-this`"), "{shown}");
}

#[test]
fn a_name_that_nothing_has_is_told_beside_each_that_there_is_once() {
    let text = "[contexts.flash]\nregion = \"eu-west-1\"\n[contexts.other]\n";
    let (run, _) = with_config("status --context zzzzzzzz", text);
    let path = run.file("aws", "[profile flash]\nregion = eu-west-1\n");
    let ended = run.env("AWS_CONFIG_FILE", path).end();
    ended.fails(3, &["no context `zzzzzzzz`"]);
    assert_eq!(ended.err.matches("flash").count(), 1, "{}", ended.err);
}

/// The unlock is of the account and region that the config names; production stays said.
#[tokio::test]
async fn what_the_config_unlocks_is_locked_where_flags_look_elsewhere() {
    let text = "[contexts.flash]\nregion = \"eu-west-1\"\nendpoint_url = \"http://127.0.0.1:9\"\n\
                production = true\nallow_actions = true\n";
    let own = LiveSettings::default();
    let region = LiveSettings { region: Some("us-east-1".into()), ..own.clone() };
    let endpoint_url = LiveSettings { endpoint_url: Some("http://127.0.0.1:8".into()), ..own.clone() };
    for (flags, is_unlocked) in [(own, true), (region, false), (endpoint_url, false)] {
        let (settings, _) = settings(text, Source::Live(flags.clone()), &["flash"]);
        let session = session::open(&settings).await.unwrap();
        let context = &session.settings.contexts[0];
        assert_eq!((context.allow_actions, context.production), (is_unlocked, true), "{flags:?}");
    }
}

#[test]
fn the_types_say_the_same_as_the_printed_default() {
    assert_eq!(Config::default().budget_usd_per_h, 0.15);
    let shown = midwatch("--help").end().out;
    assert!(shown.contains("--context") && shown.contains("--config"), "{shown}");
}
