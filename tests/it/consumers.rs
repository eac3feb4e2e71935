//! KCL applications from end to end: fleets of the engine that lose an instance, stop, or are refused by their lease
//! table, and a probe that a person asks for.

use crate::changes::screen;
use crate::estate::{Desk, MINUTE};
use midwatch::app::dialog::Dialog;
use midwatch::domain::row::{Health, KindId, Relation};
use midwatch::domain::value::{NoData, Origin};
use midwatch::kinds::kcl;
use midwatch::sim::scenario::builtin;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const APPLICATION: &str = "kcl/clicks-to-store";

/// Two workers on two machines read four shards; four minutes in, this goes wrong.
async fn clicks(fault: &str) -> Desk {
    let scenario = format!(
        r#"
name = "clicks"
title = "Clicks"
about = "Clicks are read."
start = "2026-11-27T09:00:00Z"
region = "eu-west-1"
[[stream]]
name = "clicks"
shards = 4
[[stream]]
name = "audit"
shards = 4
[[template]]
name = "click"
text = '{{"click":"{{uuid}}"}}'
bytes = 300
[[producer]]
name = "site"
target = "kinesis/clicks"
per_s = 20
template = "click"
keys = 900
[[fleet]]
name = "clicks-to-store"
stream = "clicks"
workers = 2
records_per_s = 100
failover_s = 60
lease_table_capacity = 20
[[fault]]
at = "4m"
until = "12m"
{fault}
"#
    );
    let mut desk = Desk::over(&scenario, 2, 0.15).await;
    desk.runner.keys(":").unwrap();
    desk.runner.paste(APPLICATION);
    desk.runner.keys("<enter>").unwrap();
    desk.runner.run_for(MINUTE).await;
    let row = desk.row(APPLICATION);
    assert_eq!(row.health, Health::Ok, "{:?}", row.reasons);
    assert_eq!(row.linked(Relation::Reads).map(ToString::to_string).collect::<Vec<_>>(), ["kinesis/clicks"]);
    assert_eq!(row.fields.text(&kcl::CAPACITY), Some("20 reads/s, 20 writes/s"));
    assert_eq!((desk.number(APPLICATION, &kcl::LEASES), desk.number(APPLICATION, &kcl::WORKERS)), (4.0, 2.0));
    assert!(desk.runner.state().findings.is_empty(), "{:?}", desk.runner.state().findings);
    desk
}

fn causes(desk: &Desk) -> Vec<&'static str> {
    let of_it = desk.runner.state().findings.iter().filter(|found| found.resource.to_string() == APPLICATION);
    of_it.map(|found| found.cause.word()).collect()
}

/// Waits until these are the causes.
async fn until(desk: &mut Desk, minutes: u32, wanted: &[&str]) {
    for _ in 0..minutes * 12 {
        if causes(desk) == wanted {
            return;
        }
        desk.runner.run_for(SECOND * 5).await;
    }
    panic!("{:?} and not {wanted:?}: {:#?}", desk.runner.state().findings, desk.row(APPLICATION));
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_lost_is_told_until_another_worker_has_its_leases() {
    let mut desk = clicks("kind = \"lost-instance\"\ntarget = \"clicks-to-store\"\nkey = 1").await;
    until(&mut desk, 3, &["worker-lost"]).await;
    assert_eq!(desk.number(APPLICATION, &kcl::EXPIRED), 2.0);
    let found = &desk.runner.state().findings[0];
    assert!(found.sentence.contains("clicks-to-store-1 of clicks-to-store no longer renews"), "{}", found.sentence);
    until(&mut desk, 4, &[]).await;
    assert_eq!(desk.number(APPLICATION, &kcl::EXPIRED), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_stops_is_told_and_forgotten_when_it_is_back() {
    let mut desk = clicks("kind = \"stop\"\ntarget = \"clicks-to-store\"").await;
    until(&mut desk, 3, &["fleet-stopped"]).await;
    assert_eq!(desk.row(APPLICATION).health, Health::Crit);
    desk.runner.run_for(MINUTE * 5).await;
    assert_eq!(causes(&desk), ["fleet-stopped"], "it stays so");
    desk.runner.run_for(MINUTE * 3).await;
    until(&mut desk, 8, &[]).await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_table_that_refuses_its_workers_is_the_cause() {
    let mut desk = clicks("kind = \"throttle\"\ntarget = \"clicks-to-store\"").await;
    until(&mut desk, 10, &["lease-table-throttled"]).await;
    let found = &desk.runner.state().findings[0];
    assert!(found.sentence.contains("20 reads/s, 20 writes/s: give it more"), "{}", found.sentence);
}

/// Two shards, and more workers than that: of version 2, which is known by its metrics, and of version 3, whose workers
/// report.
const SPARE: &str = r#"
name = "spare"
title = "Spare workers"
about = "Clicks are read by more workers than there are shards."
start = "2026-11-27T09:00:00Z"
region = "eu-west-1"
[[stream]]
name = "clicks"
shards = 2
[[fleet]]
name = "clicks-by-two"
stream = "clicks"
workers = 4
records_per_s = 100
[[fleet]]
name = "clicks-by-three"
stream = "clicks"
workers = 3
records_per_s = 100
library = 3
instance_boot_s = 3600
[[fault]]
kind = "lost-instance"
target = "clicks-by-three"
key = 1
at = "10m"
"#;

#[tokio::test(start_paused = true)]
async fn workers_without_a_lease_are_named_by_their_reports_or_by_their_metrics() {
    let mut desk = Desk::over(SPARE, 5, 0.15).await;
    let applications = desk.runner.state().rows.keys().filter(|id| id.kind == KindId::Kcl).map(ToString::to_string);
    assert_eq!(applications.collect::<Vec<_>>(), ["kcl/clicks-by-three", "kcl/clicks-by-two"], "no table of reports");
    for (application, idle, origin) in
        [("kcl/clicks-by-two", 2, Origin::CloudWatch), ("kcl/clicks-by-three", 1, Origin::Api)]
    {
        desk.runner.keys(":").unwrap();
        desk.runner.paste(application);
        desk.runner.keys("<enter>").unwrap();
        desk.runner.run_for(MINUTE).await;
        let row = desk.row(application).clone();
        assert_eq!((row.health, desk.number(application, &kcl::WORKERS)), (Health::Ok, 2.0), "{:?}", row.reasons);
        let value = row.fields.get(&kcl::IDLE).unwrap();
        assert_eq!((value.as_number(), value.origin), (Some(f64::from(idle)), origin));
        let named = row.fields.text(&kcl::IDLE_WORKERS).unwrap();
        let owners = kcl::leases_by_worker(&row);
        assert!(named.split(", ").count() == idle as usize && !named.split(", ").any(|name| owners.contains_key(name)));
        let shown = screen(&mut desk, 100, 40);
        assert!(shown.contains(&format!("idle: {named}")), "{shown}");
    }
    assert!(desk.runner.state().findings.is_empty(), "{:?}", desk.runner.state().findings);
    let asked = desk.asked().await;
    desk.runner.run_for(MINUTE * 2).await;
    let scans = desk.asked().await["dynamodb:Scan"] - asked["dynamodb:Scan"];
    assert!(scans <= 12 + 2 + 2, "the leases every ten seconds, the reports each minute: {scans}");
}

/// Of version 2, and told to publish nothing: who holds no lease leaves no trace.
#[tokio::test(start_paused = true)]
async fn where_no_worker_speaks_of_itself_that_is_said_and_no_number() {
    let silent = SPARE.replacen("records_per_s = 100\n", "records_per_s = 100\nmetrics = false\n", 1);
    let mut desk = Desk::over(&silent, 5, 0.15).await;
    desk.runner.keys(":kcl/clicks-by-two<enter>").unwrap();
    desk.runner.run_for(MINUTE).await;
    let row = desk.row("kcl/clicks-by-two");
    assert_eq!(desk.number("kcl/clicks-by-two", &kcl::WORKERS), 2.0);
    assert_eq!(row.fields.why_missing(&kcl::IDLE), Some(NoData::NoDatapoints));
    let shown = screen(&mut desk, 200, 50);
    let said = "idle ones are not known: no worker reports or publishes how many leases it holds";
    assert!(shown.contains(said), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_spare_worker_takes_over_and_is_idle_no_more() {
    let mut desk = Desk::over(SPARE, 2, 0.15).await;
    desk.runner.keys(":kcl/clicks-by-three<enter>").unwrap();
    desk.runner.run_for(MINUTE * 3).await;
    assert_eq!(desk.number("kcl/clicks-by-three", &kcl::IDLE), 1.0);
    desk.runner.run_for(MINUTE * 8).await;
    assert_eq!(desk.number("kcl/clicks-by-three", &kcl::WORKERS), 2.0);
    assert_eq!(desk.number("kcl/clicks-by-three", &kcl::IDLE), 0.0, "the lost one reports no more");
}

#[tokio::test(start_paused = true)]
async fn a_probe_says_what_it_takes_is_agreed_to_and_runs_once() {
    let mut desk = Desk::over(builtin("flash-sale").unwrap().text, 1, 0.15).await;
    desk.runner.keys(":kcl/winner-board<enter>").unwrap();
    desk.runner.run_for(SECOND * 5).await;
    let reads = async |desk: &Desk| desk.asked().await.get("kinesis:GetRecords").copied().unwrap_or(0);
    desk.runner.keys("P").unwrap();
    let Some(Dialog::Probe(asked)) = desk.runner.state().dialogs.last().cloned() else { panic!("no question") };
    let said = midwatch::app::probe::statement(desk.row("kcl/winner-board"), &asked).join(" ");
    assert!(said.contains("from 4 shards of kinesis/bids: shardId-000000000000, "), "{said}");
    assert!(said.contains("one of the 5 GetRecords a second"), "{said}");
    desk.runner.run_for(SECOND * 5).await;
    desk.runner.keys("n").unwrap();
    desk.runner.run_for(SECOND * 5).await;
    assert_eq!(reads(&desk).await, 0, "nothing unasked");
    desk.runner.resize(40, 10);
    desk.runner.keys("Py<esc>").unwrap();
    desk.runner.run_for(SECOND * 5).await;
    assert_eq!(reads(&desk).await, 0, "nobody can have read the whole question");
    desk.runner.resize(140, 40);
    desk.runner.keys("Py").unwrap();
    desk.runner.run_for(SECOND * 10).await;
    // A read that the shard refuses is tried again by the SDK, at most twice.
    let once = reads(&desk).await;
    assert!((4..=12).contains(&once), "{once}");
    desk.runner.run_for(MINUTE).await;
    assert_eq!(reads(&desk).await, once, "never by itself");
    let row = desk.row("kcl/winner-board");
    let lags: Vec<_> = row.parts.iter().map(|part| part.fields.number(&kcl::PROBED_LAG_MS)).collect();
    assert!(lags.len() == 4 && lags.iter().all(Option::is_some), "{lags:?}");
    let probed_at = row.parts[0].fields.get(&kcl::PROBED_LAG_MS).unwrap().as_of;
    assert!(desk.runner.state().now.since(probed_at) >= MINUTE, "it is of then");
    assert_eq!(desk.runner.state().problems, [].into());
}
