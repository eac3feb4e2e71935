//! Whole runs in virtual time: the flash sale as it plays, keys as a person types them, the screen as it is read.

use crate::cli::midwatch;
use midwatch::app::screen::Screen;
use midwatch::app::state::State;
use midwatch::config::{Config, DemoSettings, Settings, Source};
use midwatch::domain::field::Field;
use midwatch::domain::row::{Health, ResourceId, Row};
use midwatch::kinds::{kinesis, lambda, sqs};
use midwatch::session::{self, Session};
use midwatch::shell::headless::Runner;
use midwatch::theme::{Depth, Glyphs, Theme};
use midwatch::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

const COLUMNS: u16 = 140;
const ROWS: u16 = 40;
const MINUTE: Duration = Duration::from_secs(60);

/// A person before the console.
struct Watch {
    runner: Runner,
    folder: PathBuf,
}

impl Watch {
    /// Comes to the flash sale this many minutes into its story.
    async fn begin(minute: u32) -> Self {
        Self::begin_with(minute, |_| ()).await
    }

    async fn begin_with(minute: u32, change: impl FnOnce(&mut Session)) -> Self {
        Self::begin_in("flash-sale", minute, change).await
    }

    async fn begin_in(scenario: &str, minute: u32, change: impl FnOnce(&mut Session)) -> Self {
        let name = std::thread::current().name().unwrap_or("test").replace("::", "-");
        let folder = std::env::temp_dir().join(format!("midwatch-flow-{}-{name}", std::process::id()));
        let demo = DemoSettings { scenario: scenario.into(), seed: 1, speed: 1.0 };
        let settings = Settings {
            source: Source::Demo(demo),
            contexts: Vec::new(),
            allow_actions: false,
            theme: None,
            journal: Some(folder.join("journal.jsonl")),
            config_file: None,
            config: Config::default(),
            log: None,
        };
        let mut session = session::open(&settings).await.unwrap();
        change(&mut session);
        session.clock.sleep(MINUTE * minute).await;
        let (hands, answers) = session::hands(&session, &settings);
        let state = State::new(session.settings.clone(), session.clock.now());
        let mut runner = Runner::new(state, hands, answers);
        runner.resize(COLUMNS, ROWS);
        assert!(runner.settle().await, "the first sweep comes to an end");
        Self { runner, folder }
    }

    fn keys(&mut self, run: &str) {
        self.runner.keys(run).unwrap();
    }

    fn screen(&self) -> String {
        let theme = Theme::built_in("night", Depth::TrueColor, Glyphs::Braille).unwrap();
        let mut terminal = Terminal::new(TestBackend::new(COLUMNS, ROWS)).unwrap();
        terminal.draw(|frame| view::draw(frame, self.runner.state(), &theme)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let row = |y| (0..COLUMNS).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..ROWS).map(|y| format!("{}\n", row(y).trim_end())).collect()
    }

    /// The screen holds all of these now.
    #[track_caller]
    fn shows(&self, words: &[&str]) {
        let screen = self.screen();
        for word in words {
            assert!(screen.contains(word), "`{word}` is not on the screen:\n{screen}");
        }
    }

    /// Waits until the screen holds these words.
    async fn until(&mut self, minutes: u32, word: &str) {
        for _ in 0..minutes * 60 {
            if self.screen().contains(word) {
                return;
            }
            self.runner.run_for(Duration::from_secs(1)).await;
        }
        panic!("`{word}` is not on the screen after {minutes} minutes:\n{}", self.screen());
    }

    async fn wait(&mut self, minutes: u32) {
        self.runner.run_for(MINUTE * minutes).await;
    }

    fn row(&self, id: &str) -> &Row {
        &self.runner.state().rows[&ResourceId::parse(id).unwrap()]
    }

    #[track_caller]
    fn number(&self, id: &str, field: &Field) -> f64 {
        let row = self.row(id);
        row.fields.number(field).unwrap_or_else(|| panic!("{id} has no {}: {:?}", field.id, row.fields))
    }

    /// What the journal says: `intent reshard kinesis/bids`, `outcome accepted`, `end done`.
    fn journal(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.join("journal.jsonl")).unwrap();
        let chain = midwatch::journal::check(&text);
        assert!(chain.broken.is_none() && chain.torn.is_empty(), "{:?}", chain.broken);
        let word = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or("").to_owned();
        let line = |value: &Value| match word(value, "/what").as_str() {
            "intent" => format!("intent {} {}", word(value, "/action"), word(value, "/resource")),
            "outcome" => format!("outcome {}", word(value, "/outcomes/0/class")),
            what => format!("{what} {}", word(value, "/end")),
        };
        chain.entries.iter().map(|entry| line(&entry.value)).collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_evening_is_green() {
    let watch = Watch::begin(1).await;
    watch.shows(&["DEMO flash-sale ×1", "eu-west-1", "kinesis/bids", "sqs/orders-dlq", "lambda/settle-bid"]);
    assert!(watch.runner.state().rows.values().all(|row| row.health <= Health::Ok), "{}", watch.screen());
    assert!(watch.runner.state().findings.is_empty() && watch.runner.state().problems.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reshard_cures_the_flash_sale() {
    let mut watch = Watch::begin(8).await;
    watch.shows(&["WHAT IS WRONG", "kinesis/bids"]);
    watch.keys(":kinesis/bids<enter>");
    watch.until(2, "SHARDS 4 open").await;
    assert_eq!(watch.row("kinesis/bids").health, Health::Crit, "{}", watch.screen());
    let throttled_before = watch.number("kinesis/bids", &kinesis::WRITE_THROTTLED_PER_MIN);
    assert!(throttled_before > 100.0, "{throttled_before}");
    watch.keys("R");
    watch.shows(&["reshard kinesis/bids", "split shardId-", "resize the stream", "2 to 8"]);
    watch.keys("<right><tab><backspace>9<enter>");
    watch.shows(&["9 is out of reach", "2 to 8"]);
    watch.keys("<backspace>8<enter>");
    watch.shows(&["from 4 to 8 open shards", "kinesis update-shard-count", "yes, do it"]);
    watch.keys("y");
    watch.until(5, "reshard bids: UPDATING").await;
    watch.until(10, "reshard bids: done, 8 open shards").await;
    watch.until(2, "SHARDS 8 open").await;
    watch.wait(12).await;
    assert_eq!(watch.number("kinesis/bids", &kinesis::WRITE_THROTTLED_PER_MIN), 0.0);
    let lag_then = watch.number("kinesis/bids", &kinesis::ITERATOR_AGE_MS);
    watch.wait(20).await;
    assert!(watch.number("kinesis/bids", &kinesis::ITERATOR_AGE_MS) < lag_then / 2.0, "{lag_then}");
    watch.keys("p");
    watch.shows(&["WHAT WAS DONE", "done", "reshard kinesis/bids"]);
    watch.keys("<esc>c");
    watch.shows(&["UpdateShardCount", "targetShardCount=8", "with midwatch"]);
    assert_eq!(watch.journal(), ["intent reshard kinesis/bids", "outcome accepted", "end done"]);
}

#[tokio::test(start_paused = true)]
async fn the_busiest_shard_is_offered_for_a_split_and_its_children_take_its_place() {
    let mut watch = Watch::begin(8).await;
    watch.keys(":kinesis/bids<enter>");
    watch.until(2, "SHARDS 4 open").await;
    watch.wait(2).await;
    let used = |watch: &Watch| -> Vec<(String, f64)> {
        let parts = watch.row("kinesis/bids").parts.iter();
        parts.filter_map(|p| Some((p.id.clone(), p.fields.number(&kinesis::SHARD_USE_PERCENT)?))).collect()
    };
    let shards = used(&watch);
    let (busiest, percent) = shards.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().clone();
    assert!(percent > 90.0, "{shards:?}");
    watch.keys("<esc>g");
    let at = watch.runner.state().list().unwrap().ids.iter().position(|id| id.name == "bids").unwrap();
    watch.keys(&"j".repeat(at));
    watch.keys("R");
    watch.shows(&[&format!("[split {busiest} (the busiest)]")]);
    watch.keys("<enter>");
    watch.shows(&["4 open shards become 5", &format!("--shard-to-split {busiest}")]);
    watch.keys("<enter>");
    watch.until(5, "reshard bids: done, 5 open shards").await;
    watch.keys("<enter>");
    watch.until(2, "SHARDS 5 open, 1 closed").await;
    let parent = watch.row("kinesis/bids").parts.iter().find(|part| part.id == busiest).unwrap();
    assert_eq!(parent.fields.text(&kinesis::SHARD_STATE), Some("closed"));
}

#[tokio::test(start_paused = true)]
async fn a_redrive_keeps_its_rate_is_cancelled_and_then_empties_the_queue() {
    let mut watch = Watch::begin(16).await;
    watch.keys(":sqs/orders-dlq<enter>r");
    watch.shows(&["redrive sqs/orders-dlq", "rate"]);
    watch.keys("501<enter>");
    watch.shows(&["501 is out of reach: SQS takes 1 to 500"]);
    watch.keys("<backspace><backspace><backspace>x<enter>");
    watch.shows(&["`x` is no rate"]);
    watch.keys("<backspace>1<enter>");
    watch.shows(&["back to where each came from: orders", "At most 1 message a second", "start-message-move-task"]);
    let before = watch.number("sqs/orders-dlq", &sqs::VISIBLE);
    assert!(before > 200.0, "{before}");
    watch.keys("y");
    watch.until(2, "moved").await;
    watch.wait(1).await;
    watch.keys("r");
    watch.keys("<enter>");
    watch.shows(&["SQS runs one at a time"]);
    watch.keys("<esc>x");
    watch.shows(&["Cancel the move task of orders-dlq"]);
    watch.keys("y");
    watch.until(5, "cancelled,").await;
    watch.wait(1).await;
    let left = watch.number("sqs/orders-dlq", &sqs::VISIBLE);
    assert!((before - 240.0..before - 30.0).contains(&left), "one a second for about two minutes: {before}, {left}");
    watch.keys("r50<enter>y");
    watch.until(5, "redrive orders-dlq: done").await;
    watch.wait(2).await;
    assert_eq!(watch.number("sqs/orders-dlq", &sqs::VISIBLE), 0.0, "the team has rolled on: nothing comes back");
    let ends = ["end partly", "end done", "end done"];
    let journal = watch.journal();
    assert_eq!(
        journal.iter().filter(|line| line.starts_with("end")).collect::<Vec<_>>().len(),
        ends.len(),
        "{journal:?}"
    );
    assert_eq!(journal[0], "intent redrive sqs/orders-dlq");
    assert!(journal.contains(&"intent cancel-redrive sqs/orders-dlq".to_owned()), "{journal:?}");
}

#[tokio::test(start_paused = true)]
async fn a_queue_says_how_it_grows_and_when_the_first_dead_letter_is_lost() {
    let mut watch = Watch::begin(16).await;
    watch.keys(":sqs/orders-dlq<enter>");
    watch.until(1, "retention counts from its first send").await;
    watch.shows(&["The first dead letter is lost in", "GROWTH", "LOST WITHIN", "SAFE FOR"]);
    let within = watch.number("sqs/orders-dlq", &sqs::EXPIRY_AT_MOST_S);
    let kept = watch.number("sqs/orders-dlq", &sqs::RETENTION_S);
    assert!((kept - 960.0..kept).contains(&within), "{within} of {kept}, and letters come since a quarter of an hour");
    assert!(watch.number("sqs/orders-dlq", &sqs::GROWTH_PER_MIN) > 1.0);
    assert_eq!(
        watch.number("sqs/orders", &sqs::DLQ_GROWTH_PER_MIN),
        watch.number("sqs/orders-dlq", &sqs::GROWTH_PER_MIN)
    );
}

#[tokio::test(start_paused = true)]
async fn a_function_tells_its_cost_its_cap_and_how_long_its_events_waited() {
    let mut watch = Watch::begin_in("order-desk", 4, |_| ()).await;
    watch.keys(":lambda/notify-customer<enter>");
    watch.wait(2).await;
    watch.shows(&["COST", "ASYNC AGE", "OF SHARED", "ALIASES", "PROVISIONED"]);
    // Four events a second of about 130 ms with a quarter of a gigabyte, at list price.
    let usd = watch.number("lambda/notify-customer", &lambda::USD_PER_HOUR);
    let expected = 4.0 * 3600.0 * (0.2e-6 + 0.13 * 0.25 * 0.000_016_666_7);
    assert!((expected * 0.5..expected * 2.0).contains(&usd), "{usd}, about {expected}");
    assert_eq!(watch.number("lambda/notify-customer", &lambda::CONCURRENCY_CAP), 1000.0);
    assert!(watch.number("lambda/notify-customer", &lambda::ASYNC_AGE_MS) < 60_000.0);
}

#[tokio::test(start_paused = true)]
async fn a_functions_log_is_read_while_it_is_open_and_followed_until_somebody_scrolls() {
    let mut watch = Watch::begin(16).await;
    watch.keys(":lambda/settle-bid<enter>l");
    watch.until(1, "REPORT RequestId:").await;
    watch.shows(&["LOG /aws/lambda/settle-bid", "following", "invocations started cold"]);
    let newest = |watch: &Watch| match watch.runner.state().screen() {
        Screen::Log(open) => open.log.up_to(open.end.as_ref()).next().map(|(place, _)| place.clone()),
        _ => None,
    };
    let before = newest(&watch);
    watch.wait(1).await;
    assert!(newest(&watch) > before, "what comes is followed");
    watch.keys("k");
    watch.shows(&["held"]);
    let held = newest(&watch);
    watch.wait(1).await;
    assert_eq!(newest(&watch), held, "the line that is read stands still");
    watch.keys("G");
    watch.shows(&["following"]);
    let calls = |watch: &Watch| watch.runner.state().meter.calls.by_operation["logs:FilterLogEvents"];
    watch.keys("<esc>");
    watch.shows(&["EVENT SOURCE MAPPINGS"]);
    watch.wait(1).await;
    let closed = calls(&watch);
    watch.wait(1).await;
    assert_eq!(calls(&watch), closed, "a closed log is not asked for");
}

#[tokio::test(start_paused = true)]
async fn an_executions_history_says_what_it_waits_for_and_is_read_while_it_is_open() {
    let mut watch = Watch::begin_in("order-desk", 9, |_| ()).await;
    watch.keys(":swf/orders<enter>");
    watch.shows(&["WAITING", "e executions"]);
    watch.keys("e");
    watch.until(1, "open for").await;
    watch.shows(&["EXECUTIONS orders", "OPEN", "CLOSED in the last day", "waiting D", "enter history"]);
    watch.keys("<enter>");
    watch.until(1, "WorkflowExecutionStarted").await;
    watch.shows(&["HISTORY order-", "following", "Open for", "that no decider has taken; it is on list", "decisions"]);
    let calls = |watch: &Watch, operation| watch.runner.state().meter.calls.by_operation[operation];
    let before = calls(&watch, "swf:GetWorkflowExecutionHistory");
    watch.wait(1).await;
    let read = calls(&watch, "swf:GetWorkflowExecutionHistory") - before;
    assert!((11..=13).contains(&read), "{read} in a minute");
    watch.keys("g");
    watch.shows(&["held (G goes to the end)"]);
    watch.keys("G");
    watch.shows(&["following"]);
    watch.keys("<esc>");
    watch.shows(&["EXECUTIONS orders"]);
    // The last of the list closed before the deciders stopped; nothing is left to ask about it.
    watch.keys("G<enter>");
    watch.until(1, "whole").await;
    watch.shows(&["It completed", "WorkflowExecutionCompleted", "Decisions waited"]);
    let over = calls(&watch, "swf:GetWorkflowExecutionHistory");
    watch.wait(1).await;
    assert_eq!(calls(&watch, "swf:GetWorkflowExecutionHistory"), over, "what is over is not asked for again");
    watch.keys("<esc><esc>");
    watch.shows(&["WORKFLOW TYPES"]);
    // What was on its way comes in.
    watch.wait(1).await;
    let closed = calls(&watch, "swf:ListOpenWorkflowExecutions");
    watch.wait(1).await;
    assert_eq!(calls(&watch, "swf:ListOpenWorkflowExecutions"), closed, "a closed list is not asked for");
}

#[tokio::test(start_paused = true)]
async fn an_invocation_shows_its_answer_and_the_tail_of_its_log() {
    let mut watch = Watch::begin(1).await;
    watch.keys(":lambda/settle-bid<enter>i");
    watch.shows(&["invoke lambda/settle-bid", "payload", "[wait for the answer]"]);
    watch.keys("<delete><delete>{\"bid\": <ctrl-s>");
    watch.shows(&["The payload is not JSON", "line 1"]);
    watch.keys("7}<ctrl-s>");
    watch.shows(&["Run settle-bid once with 10 bytes", "The function really runs"]);
    watch.keys("y");
    watch.until(1, "the function answered").await;
    assert!(matches!(watch.runner.state().screen(), Screen::Answer { .. }));
    watch.shows(&[
        "status 200",
        "\"settled\": true",
        "LOG TAIL",
        "START RequestId:",
        "REPORT RequestId:",
        "Billed Duration",
    ]);
    watch.keys("<esc>");
    watch.shows(&["lambda/settle-bid"]);
    // The payload is there again, to be sent anew.
    watch.keys("i");
    watch.shows(&["{\"bid\": 7}"]);
    watch.keys("<tab><right>");
    watch.shows(&["[queue an event]"]);
    watch.keys("<enter>y");
    watch.wait(1).await;
    watch.keys("i<tab><right><right><enter>");
    watch.shows(&["The function does not run", "Changes nothing that lasts."]);
    watch.keys("n<esc>");
    let expected = ["intent invoke lambda/settle-bid", "outcome answered", "end done"];
    assert_eq!(watch.journal()[..3], expected);
    assert_eq!(watch.journal()[3..], ["intent invoke lambda/settle-bid", "outcome accepted", "end done"]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_fails_is_told_with_its_error() {
    let mut watch = Watch::begin(6).await;
    watch.wait(3).await;
    assert!(watch.number("lambda/fulfil-order", &lambda::ERRORS_PER_MIN) > 0.0);
    watch.shows(&["lambda/fulfil-order", "fail"]);
}

#[tokio::test(start_paused = true)]
async fn read_only_nothing_is_performed_and_each_refusal_says_why() {
    let mut watch = Watch::begin_with(8, |session| session.settings.contexts[0].allow_actions = false).await;
    let before = watch.number("kinesis/bids", &kinesis::OPEN_SHARDS);
    for (resource, key, verb) in
        [("kinesis/bids", "R", "reshard"), ("sqs/orders-dlq", "r", "redrive"), ("lambda/settle-bid", "i", "invoke")]
    {
        watch.keys(&format!(":{resource}<enter>{key}"));
        watch.shows(&[&format!("{verb}: midwatch is read-only here; start it with --allow-actions to act")]);
        watch.keys("<enter>y1");
        watch.keys(&format!(":{resource}<enter>:{verb}<enter>"));
        watch.shows(&["midwatch is read-only here"]);
        watch.keys("1");
    }
    watch.wait(3).await;
    assert!(watch.runner.state().jobs.is_empty());
    assert_eq!(watch.number("kinesis/bids", &kinesis::OPEN_SHARDS), before);
    assert_eq!(watch.journal(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_written_stops_the_action() {
    let mut watch = Watch::begin(8).await;
    let journal = watch.folder.join("journal.jsonl");
    std::fs::remove_file(&journal).unwrap();
    std::fs::create_dir(&journal).unwrap();
    watch.keys(":kinesis/bids<enter>R<right><enter>y");
    watch.until(1, "not done, because the journal could not be written").await;
    watch.wait(2).await;
    assert_eq!(watch.number("kinesis/bids", &kinesis::OPEN_SHARDS), 4.0);
}

#[tokio::test(start_paused = true)]
async fn paused_nothing_is_asked_and_time_goes_on() {
    let mut watch = Watch::begin(1).await;
    watch.keys("<space>");
    watch.runner.run_for(Duration::from_secs(5)).await;
    let calls = watch.runner.state().meter.calls.total();
    watch.wait(30).await;
    assert_eq!(watch.runner.state().meter.calls.total(), calls);
    watch.shows(&["PAUSED"]);
    watch.keys("<space>");
    watch.wait(1).await;
    assert!(watch.runner.state().meter.calls.total() > calls);
}

#[test]
fn a_status_is_the_same_each_time_and_another_seed_is_another_run() {
    let status = |seed: u64| midwatch(&format!("status --demo --seed {seed} --after 10m --format json")).end();
    let (first, second) = (status(1), status(1));
    assert_eq!((first.code, first.err.as_str()), (2, ""));
    assert!(first.out == second.out, "two runs differ");
    let seen: Value = serde_json::from_str(&first.out).unwrap();
    assert_eq!(seen["source"], "demo");
    // Nine resources, seen ten minutes into the story.
    assert_eq!(seen["resources"].as_array().unwrap().len(), 9);
    assert!(seen["at"].as_str().unwrap().starts_with("2026-11-27T18:08"), "{}", seen["at"]);
    assert!(seen["findings"][0]["resource"].is_string());
    assert!(status(2).out != first.out);
}

#[test]
fn a_day_passes_as_fast_as_the_processor_allows() {
    let text = "name = \"slow\"\ntitle = \"A slow queue\"\nabout = \"One letter a minute.\"\n\
                start = \"2026-11-27T17:58:00Z\"\nregion = \"eu-west-1\"\n\
                [[template]]\nname = \"letter\"\ntext = '{\"letter\":\"{uuid}\"}'\nbytes = 300\n\
                [[queue]]\nname = \"letters\"\n\
                [[producer]]\nname = \"post\"\ntarget = \"sqs/letters\"\nper_s = 0.1\ntemplate = \"letter\"\n";
    let run = midwatch("status --format json --after 24h --demo");
    let path = run.file("slow.toml", text);
    let ended = run.arg(path).end();
    let seen: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}{}", ended.out, ended.err));
    assert!(seen["at"].as_str().unwrap().starts_with("2026-11-28T17:58"), "{}", seen["at"]);
    let letters = seen["resources"][0]["fields"]["visible"].as_u64().unwrap();
    assert!((8_000..9_500).contains(&letters), "a tenth of a letter a second for a day: {letters}");
}
