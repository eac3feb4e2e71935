//! Live estates: how long until everything has been looked at, what was called for it, and what watching costs. The engine
//! is AWS here, with its rates and its delays; the times are its own, so that they are those of a real estate.

use crate::figure::Figures;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use midwatch::app::state::{Context, Settings, Source, State};
use midwatch::aws::{self, Clients, Seam};
use midwatch::clock::Clock;
use midwatch::domain::refresh::Refresh;
use midwatch::domain::row::{KindId, Place};
use midwatch::journal::Who;
use midwatch::kinds::threshold::Thresholds;
use midwatch::shell::hands::{Backend, Hands};
use midwatch::shell::headless::Runner;
use midwatch::sim::clock::VirtualClock;
use midwatch::sim::connector::EngineConnector;
use midwatch::sim::engine;
use midwatch::sim::scenario::{Scenario, build};
use std::fmt::Write;
use std::time::{Duration, Instant};

const BUDGET_USD_PER_H: f64 = 0.15;
const HOUR: Duration = Duration::from_secs(3600);

pub fn run(figures: &mut Figures) {
    for (resources, seconds) in [(10, 2.0), (1000, 20.0), (10_000, 240.0)] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let seen = runtime.expect("a runtime").block_on(watch(resources));
        let name = |what: &str| format!("estate_{resources}_{what}");
        figures.below(&name("complete"), seen.complete_s, "s", seconds);
        figures.below(&name("throttled"), seen.throttled as f64, "calls", 1.0);
        figures.below(&name("usd_first_hour"), seen.usd_first_hour, "USD", BUDGET_USD_PER_H);
        figures.below(&name("on_screen_age"), seen.on_screen_age_s, "s", 60.0);
        figures.below(&name("key_update"), seen.key_us, "us", 2000.0);
        for (operation, calls) in seen.calls {
            println!("  {resources} resources, an hour: {calls:>7} {operation}");
        }
    }
}

struct Seen {
    complete_s: f64,
    throttled: u64,
    usd_first_hour: f64,
    /// The oldest answer of a service about a row on screen, in the second half hour.
    on_screen_age_s: f64,
    /// What a key takes to be folded into the state, real time.
    key_us: f64,
    calls: Vec<(&'static str, u64)>,
}

/// As many resources of five kinds; a tenth of the queues are dead-letter queues of others.
fn scenario(resources: usize) -> String {
    let mut text =
        "name = \"estate\"\ntitle = \"An estate\"\nstart = \"2026-11-27T18:00:00Z\"\nwarm_up = \"10m\"\n".to_owned();
    for n in 0..resources {
        let table = match n % 5 {
            0 => format!("[[stream]]\nname = \"stream-{n}\"\nshards = 1"),
            1 => format!("[[queue]]\nname = \"queue-{n}\""),
            2 => format!(
                "[[function]]\nname = \"function-{n}\"\nruntime = \"python3.13\"\nmemory_mb = 128\ntimeout_s = 3\n\
                 base = {{ p50_ms = 20, p99_ms = 60 }}"
            ),
            3 => format!("[[topic]]\nname = \"topic-{n}\""),
            _ => format!(
                "[[alarm]]\nname = \"alarm-{n}\"\nnamespace = \"AWS/SQS\"\nmetric = \"NumberOfMessagesSent\"\n\
                 dimensions = {{ QueueName = \"queue-{}\" }}\nthreshold = 1000000.0",
                n - 3
            ),
        };
        writeln!(text, "{table}").expect("a string takes it");
    }
    text
}

async fn watch(resources: usize) -> Seen {
    let scenario = Scenario::parse(&scenario(resources)).expect("valid");
    let world = build(&scenario, 1).expect("a world");
    let clock = VirtualClock::start(scenario.start, 1.0);
    let seam = Seam {
        http_client: SharedHttpClient::new(EngineConnector::new(engine::start(world, clock))),
        time_source: SharedTimeSource::new(clock),
        sleep_impl: SharedAsyncSleep::new(clock),
        static_credentials: Some(aws_credential_types::Credentials::new("demo", "demo", None, None, "demo")),
        jitterless: true,
        speed: 1.0,
    };
    let chosen = aws::Settings { region: Some(scenario.region.clone()), ..aws::Settings::default() };
    let clients = Clients::new(&aws::sdk_config(&chosen, seam).await.expect("a region is given"));
    let clock = Clock::Virtual(clock);
    let (hands, answers) = Hands::new(
        Backend::aws([(Place::default(), clients)].into()),
        clock,
        Err("there is no journal".to_owned()),
        Who::default(),
    );
    let settings = Settings {
        source: Source::Live,
        source_label: String::new(),
        contexts: vec![Context { region: Some(scenario.region), ..Context::default() }],
        known: Vec::new(),
        budget_usd_per_h: BUDGET_USD_PER_H,
        refresh: Refresh::default(),
        thresholds: Thresholds::default(),
        speed: 1.0,
    };
    let mut runner = Runner::new(State::new(settings, clock.now()), hands, answers);
    runner.resize(200, 50);
    let started = runner.now();
    let is_complete = runner.settle().await;
    let complete_s = runner.now().since(started).as_secs_f64();
    assert!(is_complete, "{resources} resources are not complete after {complete_s} s");
    assert_eq!(runner.state().rows.len(), resources, "every resource has a row");
    runner.run_for(HOUR / 2).await;
    let mut on_screen_age_s: f64 = 0.0;
    for _ in 0..180 {
        runner.run_for(Duration::from_secs(10)).await;
        on_screen_age_s = on_screen_age_s.max(oldest_on_screen_s(runner.state()));
    }
    let key_us = key_us(&mut runner);
    let calls = &runner.state().meter.calls;
    let hours = runner.now().since(started).as_secs_f64() / 3600.0;
    Seen {
        complete_s,
        throttled: calls.throttled,
        usd_first_hour: calls.usd / hours,
        on_screen_age_s,
        key_us,
        calls: calls.by_operation.iter().map(|(operation, count)| (*operation, *count)).collect(),
    }
}

/// The mean of a hundred scroll keys, in microseconds.
fn key_us(runner: &mut Runner) -> f64 {
    const KEYS: u32 = 100;
    let started = Instant::now();
    for _ in 0..KEYS {
        runner.keys("j").expect("a key");
    }
    started.elapsed().as_secs_f64() * 1e6 / f64::from(KEYS)
}

/// Rows on screen: the first of the overview.
fn oldest_on_screen_s(state: &State) -> f64 {
    let shown = state.list().into_iter().flat_map(|list| list.ids.iter().take(state.list_rows()));
    let swept = shown.filter_map(|id| state.rows.get(id)).filter(|row| row.id.kind != KindId::Sns);
    swept.map(|row| state.now.since(row.as_of).as_secs_f64()).fold(0.0, f64::max)
}
