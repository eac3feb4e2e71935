//! Several contexts at once: two accounts with resources of the same names, in one table, and never taken for each other.

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use midwatch::app::job::Stage;
use midwatch::app::state::{Context, Settings, Source, State};
use midwatch::aws::{self, Clients, Seam};
use midwatch::clock::Clock;
use midwatch::domain::refresh::Refresh;
use midwatch::domain::row::{Place, ResourceId, Row};
use midwatch::journal::{Journal, Who};
use midwatch::kinds::sqs;
use midwatch::kinds::threshold::Thresholds;
use midwatch::shell::hands::{Backend, Hands};
use midwatch::shell::headless::Runner;
use midwatch::sim::clock::VirtualClock;
use midwatch::sim::connector::EngineConnector;
use midwatch::sim::engine;
use midwatch::sim::scenario::{Scenario, build, builtin};
use std::collections::BTreeMap;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// Clients of the flash sale, played with this seed and these faults on top of its own.
async fn clients(clock: VirtualClock, seed: u64, fault: &str) -> Clients {
    let text = format!("{}\n{fault}", builtin("flash-sale").unwrap().text);
    let scenario = Scenario::parse(&text).unwrap();
    let engine = engine::start(build(&scenario, seed).unwrap(), clock);
    let seam = Seam {
        http_client: SharedHttpClient::new(EngineConnector::new(engine)),
        time_source: SharedTimeSource::new(clock),
        sleep_impl: SharedAsyncSleep::new(clock),
        static_credentials: Some(aws_credential_types::Credentials::new("demo", "demo", None, None, "demo")),
        jitterless: true,
        speed: 1.0,
    };
    let chosen = aws::Settings { region: Some(scenario.region), ..aws::Settings::default() };
    Clients::new(&aws::sdk_config(&chosen, seam).await.unwrap())
}

/// Ten minutes into the sale in `prod` and in `staging`; only `staging` is unlocked, and nobody may list its topics.
async fn two(journal: Result<Journal, String>) -> Runner {
    let scenario = Scenario::parse(builtin("flash-sale").unwrap().text).unwrap();
    let clock = VirtualClock::start(scenario.start, 1.0);
    let denied = "[[fault]]\nkind = \"api-denied\"\nat = \"1m\"\ntarget = \"kinesis\"\noperations = [\"ListStreams\"]\nwho = \"clients\"\n";
    let all = BTreeMap::from([
        (Place::named("prod"), clients(clock, 1, "").await),
        (Place::named("staging"), clients(clock, 2, denied).await),
    ]);
    let context = |name: &str, allow_actions| Context {
        place: Place::named(name),
        region: Some(scenario.region.clone()),
        allow_actions,
        ..Context::default()
    };
    let settings = Settings {
        source: Source::Live,
        source_label: String::new(),
        contexts: vec![context("prod", false), context("staging", true)],
        known: Vec::new(),
        budget_usd_per_h: 0.15,
        refresh: Refresh::default(),
        thresholds: Thresholds::default(),
        speed: 1.0,
    };
    let clock = Clock::Virtual(clock);
    clock.sleep(MINUTE * 10).await;
    let (hands, answers) = Hands::new(Backend::aws(all), clock, journal, Who::default());
    let mut runner = Runner::new(State::new(settings, clock.now()), hands, answers);
    runner.resize(140, 40);
    assert!(runner.settle().await, "the first sweep comes to an end");
    runner
}

fn row<'r>(runner: &'r Runner, place: &str, id: &str) -> &'r Row {
    let id = ResourceId::parse(id).unwrap().at(&Place::named(place));
    runner.state().rows.get(&id).unwrap_or_else(|| panic!("no {id} in {:?}", runner.state().rows.keys()))
}

fn dead(runner: &Runner, place: &str) -> f64 {
    row(runner, place, "sqs/orders-dlq").fields.number(&sqs::VISIBLE).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_same_name_in_two_contexts_is_two_resources_and_links_stay_in_their_own() {
    let runner = two(Err("there is none".into())).await;
    assert!(dead(&runner, "prod") > 0.0 && dead(&runner, "staging") > 0.0);
    assert_ne!(dead(&runner, "prod"), dead(&runner, "staging"), "two seeds are two runs");
    for (id, row) in &runner.state().rows {
        assert!(row.links.iter().all(|link| link.to.place == id.place), "{id}: {:?}", row.links);
        assert!(id.to_string().starts_with("prod/") || id.to_string().starts_with("staging/"));
    }
    assert!(!row(&runner, "prod", "sqs/orders-dlq").links.is_empty());
    assert_eq!(runner.state().identities.len(), 2);
    for finding in &runner.state().findings {
        assert!(finding.evidence.iter().all(|evidence| evidence.resource.place == finding.resource.place));
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_context_refuses_is_its_own_problem() {
    let runner = two(Err("there is none".into())).await;
    let problems: Vec<_> = runner.state().problems.keys().cloned().collect();
    assert_eq!(problems, [(Place::named("staging"), "kinesis", "ListStreams")]);
    assert!(runner.state().rows.keys().any(|id| id.to_string() == "prod/kinesis/bids"));
    assert!(!runner.state().rows.keys().any(|id| id.to_string() == "staging/kinesis/bids"));
}

#[tokio::test(start_paused = true)]
async fn an_action_goes_to_the_context_of_its_resource_and_the_other_stays_locked() {
    let folder = std::env::temp_dir().join(format!("midwatch-contexts-{}", std::process::id()));
    let path = folder.join("journal.jsonl");
    let mut runner = two(Ok(Journal::open(&path).unwrap())).await;
    let open = |runner: &mut Runner, id: &str| {
        runner.keys(":").unwrap();
        runner.paste(id);
        runner.keys("<enter>").unwrap();
    };
    open(&mut runner, "prod/sqs/orders-dlq");
    runner.keys("r").unwrap();
    assert!(runner.state().dialogs.is_empty(), "prod is read-only");
    open(&mut runner, "staging/sqs/orders-dlq");
    let before = dead(&runner, "prod");
    runner.keys("r<enter>").unwrap();
    runner.keys("<enter>").unwrap();
    assert_eq!(runner.state().jobs.len(), 1, "{:?}", runner.state().dialogs);
    assert!(runner.until(MINUTE * 5, |state| state.jobs.iter().all(|job| job.stage.is_over())).await);
    assert_eq!(runner.state().jobs[0].stage, Stage::Done, "{:?}", runner.state().jobs[0]);
    assert_eq!(runner.state().jobs[0].plan.resource.to_string(), "staging/sqs/orders-dlq");
    assert!(dead(&runner, "prod") >= before, "nobody moved the dead letters of prod");
    let journal = std::fs::read_to_string(&path).unwrap();
    assert!(journal.lines().next().unwrap().contains("staging/sqs/orders-dlq"), "{journal}");
    std::fs::remove_dir_all(folder).ok();
}
