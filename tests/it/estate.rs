//! Every kind of resource from end to end: the order desk through the SDK's clients over the engine, and what it costs.

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bytes::Bytes;
use midwatch::app::state::{Context, Settings, Source, State};
use midwatch::aws::{self, Clients, Seam};
use midwatch::clock::Clock;
use midwatch::domain::field::Field;
use midwatch::domain::pattern::{Filter, Rule};
use midwatch::domain::refresh::Refresh;
use midwatch::domain::row::{Health, KindId, Place, Relation, ResourceId, Row};
use midwatch::domain::value::{Datum, NoData};
use midwatch::journal::Who;
use midwatch::kinds::threshold::Thresholds;
use midwatch::kinds::{alarm, firehose, kcl, kinesis, lambda, sns, sqs, swf};
use midwatch::shell::hands::{Backend, Hands};
use midwatch::shell::headless::Runner;
use midwatch::sim::clock::VirtualClock;
use midwatch::sim::connector::EngineConnector;
use midwatch::sim::engine::{self, Handle};
use midwatch::sim::scenario::{Scenario, build, builtin};
use midwatch::sim::wire::Request;
use std::collections::BTreeMap;
use std::time::Duration;

pub const MINUTE: Duration = Duration::from_secs(60);
const BUDGET_USD_PER_H: f64 = 0.15;

/// The order desk's scenario with these faults instead of its own; each is the inside of a `[[fault]]`.
pub fn with_faults(faults: &[&str]) -> String {
    let text = builtin("order-desk").unwrap().text;
    let well = text.split("[[fault]]").next().unwrap().replacen("region =", "warm_up = \"5m\"\nregion =", 1);
    let faults = faults.iter().map(|fault| format!("[[fault]]\n{fault}\n"));
    format!("{well}{}", faults.collect::<String>())
}

fn request(method: &str, path: &str) -> Request {
    let (method, path) = (method.to_owned(), path.to_owned());
    Request { method, path, query: String::new(), headers: Vec::new(), body: Bytes::new() }
}

async fn call_json(engine: &Handle, target: &str, body: &str) {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let scope = "AWS4-HMAC-SHA256 Credential=other/20261127/eu-west-1/any/aws4_request, Signature=0";
    let headers = vec![
        header("x-amz-target", target),
        header("content-type", "application/x-amz-json-1.0"),
        header("authorization", scope),
    ];
    call(engine, Request { headers, body: Bytes::from(body.to_owned()), ..request("POST", "/") }).await;
}

async fn call(engine: &Handle, request: Request) -> Bytes {
    let response = engine.call(request).await.expect("an answer").response;
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    response.body
}

/// A filter of these rules.
pub fn filter(include: &[&str], exclude: &[&str]) -> Filter {
    let read = |rules: &[&str]| rules.iter().map(|rule| Rule::parse(rule).unwrap()).collect();
    Filter { include: read(include), exclude: read(exclude) }
}

/// The console over an engine that the test may look into.
pub struct Desk {
    pub runner: Runner,
    engine: Handle,
}

impl Desk {
    /// Comes to the order desk this many minutes into its story.
    pub async fn at_minute(minute: u32) -> Self {
        Self::over(builtin("order-desk").unwrap().text, minute, BUDGET_USD_PER_H).await
    }

    pub async fn over(scenario: &str, minute: u32, budget_usd_per_h: f64) -> Self {
        Self::watching(scenario, minute, budget_usd_per_h, Filter::default(), &[]).await
    }

    /// Comes to an estate where somebody has made these calls before, and watches what the filter lets through.
    pub async fn watching(
        scenario: &str,
        minute: u32,
        budget_usd_per_h: f64,
        filter: Filter,
        before: &[(&str, &str)],
    ) -> Self {
        let scenario = Scenario::parse(scenario).unwrap();
        let world = build(&scenario, 7).unwrap();
        let clock = VirtualClock::start(scenario.start, 1.0);
        let engine = engine::start(world, clock);
        let seam = Seam {
            http_client: SharedHttpClient::new(EngineConnector::new(engine.clone())),
            time_source: SharedTimeSource::new(clock),
            sleep_impl: SharedAsyncSleep::new(clock),
            static_credentials: Some(aws_credential_types::Credentials::new("demo", "demo", None, None, "demo")),
            jitterless: true,
            speed: 1.0,
        };
        let chosen = aws::Settings { region: Some(scenario.region.clone()), ..aws::Settings::default() };
        let clients = Clients::new(&aws::sdk_config(&chosen, seam).await.unwrap());
        let clock = Clock::Virtual(clock);
        clock.sleep(MINUTE * minute).await;
        let no_journal = Err("there is none".to_owned());
        let (hands, answers) =
            Hands::new(Backend::aws([(Place::default(), clients)].into()), clock, no_journal, Who::default());
        let settings = Settings {
            source: Source::Live,
            source_label: String::new(),
            contexts: vec![Context { region: Some(scenario.region), filter, ..Context::default() }],
            known: Vec::new(),
            budget_usd_per_h,
            refresh: Refresh::default(),
            thresholds: Thresholds::default(),
            speed: 1.0,
        };
        for (target, body) in before {
            call_json(&engine, target, body).await;
        }
        let mut runner = Runner::new(State::new(settings, clock.now()), hands, answers);
        runner.resize(140, 40);
        assert!(runner.settle().await, "the first sweep comes to an end");
        Self { runner, engine }
    }

    /// Opens one resource of each kind, dead-letter queues first, and waits until it has been asked about.
    pub async fn look_closely(&mut self) {
        for kind in KindId::ALL {
            let of_kind = self.runner.state().rows.keys().filter(|id| id.kind == kind);
            let Some(id) = of_kind.max_by_key(|id| (id.name.ends_with("-dlq"), *id)).cloned() else { continue };
            self.runner.keys(":").unwrap();
            self.runner.paste(&id.to_string());
            self.runner.keys("<enter>").unwrap();
            self.runner.run_for(Duration::from_secs(15)).await;
            if kind == KindId::Kcl {
                self.runner.keys("Py").unwrap();
                self.runner.run_for(Duration::from_secs(5)).await;
            }
            if kind == KindId::Lambda {
                self.runner.keys("l").unwrap();
                self.runner.run_for(Duration::from_secs(10)).await;
                self.runner.keys("<esc>").unwrap();
            }
            if kind == KindId::Swf {
                self.runner.keys("e").unwrap();
                self.runner.run_for(Duration::from_secs(5)).await;
                self.runner.keys("<enter>").unwrap();
                self.runner.run_for(Duration::from_secs(10)).await;
                self.runner.keys("<esc><esc>").unwrap();
            }
            self.runner.keys("<esc>").unwrap();
        }
    }

    /// An awsJson call of somebody else.
    pub async fn json(&self, target: &str, body: &str) {
        call_json(&self.engine, target, body).await;
    }

    /// The engine, for clients of others.
    pub fn engine(&self) -> Handle {
        self.engine.clone()
    }

    /// An order to the engine.
    pub async fn control(&self, order: &str, body: &str) {
        let path = format!("/_midwatch/{order}");
        call(&self.engine, Request { body: Bytes::from(body.to_owned()), ..request("POST", &path) }).await;
    }

    async fn ledger(&self) -> serde_json::Value {
        let ledger = call(&self.engine, request("GET", "/_midwatch/ledger")).await;
        serde_json::from_slice(&ledger).unwrap()
    }

    /// Counts of requests by `service:Operation`, as the engine has answered them.
    pub async fn asked(&self) -> BTreeMap<String, u64> {
        let ledger = self.ledger().await;
        let mut counts = BTreeMap::new();
        for row in ledger["requests"].as_array().unwrap() {
            let word = |name: &str| row[name].as_str().unwrap().to_owned();
            // The engine calls CloudWatch by the name that is in its host.
            let service = word("service").replace("monitoring", "cloudwatch");
            let service = service.replace("tagging", "resourcegroupstaggingapi");
            *counts.entry(format!("{service}:{}", word("operation"))).or_insert(0) += row["count"].as_u64().unwrap();
        }
        counts
    }

    pub fn row(&self, id: &str) -> &Row {
        let rows = &self.runner.state().rows;
        rows.get(&ResourceId::parse(id).unwrap()).unwrap_or_else(|| panic!("no {id} in {:?}", rows.keys()))
    }

    pub fn number(&self, id: &str, field: &Field) -> f64 {
        let row = self.row(id);
        row.fields.number(field).unwrap_or_else(|| panic!("{id} has no {}: {row:?}", field.id))
    }

    fn links(&self, id: &str) -> Vec<String> {
        self.row(id).links.iter().map(|link| format!("{} {}", link.relation.word(), link.to)).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn every_kind_is_found_counted_and_linked_while_all_is_well() {
    let mut desk = Desk::at_minute(2).await;
    desk.runner.run_for(Duration::from_secs(10)).await;
    let state = desk.runner.state();
    assert_eq!(state.problems, [].into());
    for kind in KindId::ALL {
        assert!(state.rows.keys().any(|id| id.kind == kind), "nothing of {}", kind.word());
    }
    let unwell: Vec<_> = state.rows.values().filter(|row| row.health != Health::Ok).collect();
    assert_eq!(unwell, Vec::<&Row>::new());
    assert_eq!(state.findings, []);

    let topic = "sns/order-events";
    assert_eq!(desk.number(topic, &sns::SUBSCRIPTIONS), 3.0);
    let linked = ["delivers-to sqs/billing", "dead-letters-to sqs/crm-dlq", "delivers-to lambda/notify-customer"];
    assert_eq!(desk.links(topic), linked, "{:#?}", desk.row(topic));
    assert_eq!(desk.links("lambda/notify-customer"), ["subscribed-to sns/order-events"]);
    let (published, delivered) =
        (desk.number(topic, &sns::PUBLISHED_PER_MIN), desk.number(topic, &sns::DELIVERED_PER_MIN));
    let filtered = desk.number(topic, &sns::FILTERED_PER_MIN);
    assert!((200.0..280.0).contains(&published), "four a second are {published} a minute");
    assert!((delivered + filtered - 3.0 * published).abs() <= 12.0, "{delivered} + {filtered} of 3 × {published}");

    assert_eq!(desk.row("swf/orders").fields.text(&swf::TASK_LISTS).unwrap().matches(" / ").count(), 2);
    assert!(desk.number("swf/orders", &swf::OPEN) >= 10.0, "each takes over twenty seconds");
    assert!(desk.number("swf/orders", &swf::COMPLETED_PER_H) > 3000.0);
    assert_eq!(desk.number("swf/orders", &swf::TIMED_OUT_PER_H), 0.0);

    let archive = desk.row("firehose/order-archive");
    assert_eq!(archive.fields.text(&firehose::DESTINATION), Some("s3://order-archive"));
    assert_eq!(archive.linked(Relation::FedBy).map(ToString::to_string).collect::<Vec<_>>(), ["kinesis/order-log"]);
    assert_eq!(desk.number("firehose/order-archive", &firehose::SUCCESS_PERCENT), 100.0);

    assert_eq!(desk.row("alarm/billing-late").fields.text(&alarm::STATE), Some("OK"));
    assert_eq!(
        desk.row("alarm/billing-late").fields.text(&alarm::CONDITION),
        Some("Maximum ApproximateAgeOfOldestMessage of billing > 300 for 3 of 5 x 60s")
    );
    assert!(desk.links("sqs/billing").contains(&"watched-by alarm/billing-late".to_owned()));

    let watch = "kcl/fraud-watch";
    assert_eq!(desk.links(watch), ["reads kinesis/order-log"]);
    assert!(desk.links("kinesis/order-log").contains(&"read-by kcl/fraud-watch".to_owned()));
    assert_eq!((desk.number(watch, &kcl::LEASES), desk.number(watch, &kcl::WORKERS)), (1.0, 1.0));
    assert_eq!(desk.row(watch).fields.text(&kcl::CAPACITY), Some("on demand"));
    assert_eq!(desk.number(watch, &kcl::LOOK_UNITS), 0.5);
    assert!(desk.number(watch, &kcl::RENEWALS_PER_MIN) >= 10.0, "one lease, every few seconds");
    assert!(desk.number(watch, &kcl::LAG_MS) < 10_000.0);
    let other = desk.row(watch).fields.get(&kcl::EXPIRED).unwrap();
    assert_eq!(other.datum, Datum::Missing(NoData::NotYet), "one look cannot tell");
}

/// Nothing but the schedule reads a lease table: rarely while nobody looks, every ten seconds while somebody does.
#[tokio::test(start_paused = true)]
async fn a_lease_table_is_read_as_often_as_somebody_looks() {
    let mut desk = Desk::over(&with_faults(&[]), 1, BUDGET_USD_PER_H).await;
    let looks = async |desk: &Desk| desk.runner.state().meter.calls.by_operation["dynamodb:Scan"];
    assert_eq!(looks(&desk).await, 1);
    desk.runner.keys("1").unwrap();
    desk.runner.run_for(MINUTE * 9).await;
    assert_eq!(looks(&desk).await, 2, "a second look tells that the lease is renewed, and no third is wanted yet");
    assert_eq!(desk.number("kcl/fraud-watch", &kcl::EXPIRED), 0.0);
    let described = desk.asked().await["dynamodb:DescribeTable"];
    assert!(described <= 4, "{described}");
    desk.runner.keys(":kcl/fraud-watch<enter>").unwrap();
    desk.runner.run_for(MINUTE).await;
    let near = looks(&desk).await - 2;
    assert!((5..=7).contains(&near), "{near} in a minute");
    let lease = &desk.row("kcl/fraud-watch").parts[0];
    assert_eq!(lease.fields.text(&kcl::LEASE_STATE), Some("held"));
    let owner = lease.fields.text(&kcl::OWNER).unwrap();
    assert!(owner.starts_with("fraud-watch-"), "{owner}");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_decider_a_failing_subscriber_and_an_alarm_are_seen() {
    let mut desk = Desk::at_minute(3).await;
    desk.runner.run_for(MINUTE * 9).await;
    let domain = desk.row("swf/orders");
    assert_eq!(domain.health, Health::Crit, "{:?}", domain.reasons);
    assert!(domain.reasons[0].contains("none was taken"), "{:?}", domain.reasons);
    assert!(desk.number("swf/orders", &swf::PENDING_DECISIONS) > 100.0);
    let topic = desk.row("sns/order-events");
    assert!(topic.health >= Health::Warn, "{topic:?}");
    assert!(desk.number("sns/order-events", &sns::FAILED_PER_MIN) > 0.0);
    let alarm = desk.row("alarm/crm-dead-letters");
    assert_eq!((alarm.fields.text(&alarm::STATE), alarm.health), (Some("ALARM"), Health::Warn));
    let findings: Vec<String> =
        desk.runner.state().findings.iter().map(|f| format!("{} {}", f.cause.word(), f.resource)).collect();
    assert_eq!(findings, ["deliveries-fail sns/order-events", "decider-down swf/orders", "dead-letters sqs/crm-dlq"]);
    let letters = desk.runner.state().findings.iter().find(|found| found.resource.kind == KindId::Sqs).unwrap();
    assert!(letters.actions.is_empty() && letters.sentence.contains("order-events"), "{letters:?}");
    // What was well stays well.
    for id in ["sqs/billing", "kinesis/order-log", "firehose/order-archive", "lambda/notify-customer"] {
        assert_eq!(desk.row(id).health, Health::Ok, "{id}: {:?}", desk.row(id).reasons);
    }
}

#[tokio::test(start_paused = true)]
async fn one_look_without_a_past_sees_that_nobody_decides() {
    let desk = Desk::at_minute(12).await;
    let domain = desk.row("swf/orders");
    assert_eq!(domain.health, Health::Crit, "{:?}", domain.reasons);
    assert!(desk.runner.state().findings.iter().any(|found| found.cause.word() == "decider-down"));
}

#[tokio::test(start_paused = true)]
async fn what_the_program_says_it_asked_is_what_the_engine_was_asked() {
    let mut desk = Desk::at_minute(1).await;
    desk.runner.run_for(MINUTE * 10).await;
    // What is on its way comes in before it is counted.
    desk.runner.keys("<space>").unwrap();
    desk.runner.run_for(MINUTE).await;
    let asked = desk.asked().await;
    let meter = &desk.runner.state().meter;
    let own = meter.calls.by_operation.iter().map(|(label, count)| ((*label).to_owned(), *count)).collect();
    assert_eq!(asked, own);
    assert_eq!(meter.calls.throttled, 0);
    let (charged, told) = (desk.ledger().await["usd"].as_f64().unwrap(), meter.calls.usd);
    assert!((charged - told).abs() < 1e-9, "AWS would charge ${charged}, the header says ${told}");
    assert!(told > 0.003, "ten minutes of metrics cost something");
}

/// What a console that comes late says is what one says that was there all the time: what a queue is, is asked at once.
#[tokio::test(start_paused = true)]
async fn a_topics_dead_letter_queue_is_known_by_the_end_of_the_first_sweep() {
    let desk = Desk::at_minute(12).await;
    let topic = ResourceId::new(KindId::Sns, "order-events");
    let of: Vec<&ResourceId> = desk.row("sqs/crm-dlq").linked(Relation::DeadLettersOf).collect();
    assert_eq!(of, [&topic]);
    let found = desk.runner.state().findings.iter().find(|found| found.resource.name == "crm-dlq").unwrap();
    assert_eq!(found.cause.word(), "dead-letters", "{found:?}");
    let subscriptions = desk.number("sns/order-events", &sns::SUBSCRIPTIONS) as u64;
    let asked = &desk.runner.state().meter.calls.by_operation;
    assert_eq!(asked["sns:GetSubscriptionAttributes"], subscriptions, "each once");
    assert!(!asked.contains_key("sns:ListSubscriptionsByTopic"), "the list was there");
}

/// Aliases and what is kept warm are asked for of the function that is open, and of no other.
#[tokio::test(start_paused = true)]
async fn what_costs_a_shared_rate_or_money_is_asked_of_what_is_near_alone() {
    let alias = "[[alias]]\nname = \"live\"\nfunction = \"notify-customer\"\nprovisioned_concurrency = 2\n";
    let mut desk = Desk::over(&format!("{}{alias}", with_faults(&[])), 4, BUDGET_USD_PER_H).await;
    desk.runner.run_for(MINUTE).await;
    let function = desk.row("lambda/notify-customer");
    assert_eq!(function.fields.get(&lambda::ALIASES), None);
    assert_eq!(function.fields.get(&lambda::ASYNC_AGE_MS), None);
    assert!(function.fields.number(&lambda::USD_PER_HOUR).is_some(), "{function:?}");
    assert!(!desk.asked().await.contains_key("lambda:ListAliases"));
    desk.runner.keys(":lambda/notify-customer<enter>").unwrap();
    desk.runner.run_for(Duration::from_secs(20)).await;
    let fields = &desk.row("lambda/notify-customer").fields;
    assert_eq!(fields.text(&lambda::ALIASES), Some("live 1"));
    assert_eq!(fields.number(&lambda::PROVISIONED), Some(2.0));
    assert_eq!(fields.text(&lambda::PROVISIONED_STATUS), Some("2 of 2"));
    assert!(fields.number(&lambda::ASYNC_AGE_MS).is_some(), "its metrics do not wait for the next minute");
}

/// Two hundred each of streams, queues, functions, topics and alarms.
fn a_thousand() -> String {
    let mut text =
        "name = \"estate\"\ntitle = \"An estate\"\nstart = \"2026-11-27T18:00:00Z\"\nwarm_up = \"5m\"\n".to_owned();
    for n in 0..200 {
        text.push_str(&format!(
            "[[stream]]\nname = \"stream-{n}\"\nshards = 1\n[[queue]]\nname = \"queue-{n}\"\n[[topic]]\nname = \"topic-{n}\"\n\
             [[function]]\nname = \"function-{n}\"\nruntime = \"python3.13\"\nmemory_mb = 128\ntimeout_s = 3\n\
             base = {{ p50_ms = 20, p99_ms = 60 }}\n\
             [[alarm]]\nname = \"alarm-{n}\"\nnamespace = \"AWS/SQS\"\nmetric = \"NumberOfMessagesSent\"\n\
             dimensions = {{ QueueName = \"queue-{n}\" }}\nthreshold = 1000000.0\n"
        ));
    }
    text
}

#[tokio::test(start_paused = true)]
async fn a_thousand_resources_are_seen_whole_within_twenty_seconds_at_aws_rates_and_within_the_budget() {
    let desk = Desk::over(&a_thousand(), 0, BUDGET_USD_PER_H).await;
    let state = desk.runner.state();
    let took = desk.runner.now().since(state.started);
    assert!(took <= Duration::from_secs(20), "it took {took:?}");
    assert_eq!((state.rows.len(), state.meter.calls.throttled), (1000, 0));
    assert_eq!(state.problems, [].into());
    assert!(state.meter.calls.usd < BUDGET_USD_PER_H, "${}", state.meter.calls.usd);
    // Nothing was left out for want of money: CloudWatch has been asked about every one.
    let unasked = |row: &&Row| match row.id.kind {
        KindId::Kinesis => row.fields.get(&kinesis::IN_BYTES_PER_S).is_none(),
        KindId::Lambda => row.fields.get(&lambda::ERRORS_PER_MIN).is_none(),
        KindId::Sqs => row.fields.get(&sqs::SENT_PER_MIN).is_none(),
        _ => false,
    };
    assert_eq!(state.rows.values().filter(unasked).count(), 0);
}

const TAGS: [(&str, &str); 3] = [
    ("AmazonSQS.TagQueue", r#"{"QueueUrl":"https://x/123456789012/billing","Tags":{"team":"money"}}"#),
    ("Kinesis_20131202.AddTagsToStream", r#"{"StreamName":"order-log","Tags":{"team":"desk"}}"#),
    ("DynamoDB_20120810.TagResource", TABLE_TAGS),
];
const TABLE_TAGS: &str = r#"{"ResourceArn":"arn:aws:dynamodb:eu-west-1:123456789012:table/fraud-watch",
                             "Tags":[{"Key":"team","Value":"money"}]}"#;

fn seen(desk: &Desk) -> Vec<String> {
    desk.runner.state().rows.keys().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn tags_decide_what_is_watched_and_nothing_is_shown_before_they_are_read() {
    let scenario = with_faults(&[]);
    let all = seen(&Desk::over(&scenario, 1, BUDGET_USD_PER_H).await);
    let mut desk = Desk::watching(&scenario, 1, BUDGET_USD_PER_H, filter(&[], &["tag:team=mon*"]), &TAGS).await;
    let without: Vec<String> =
        all.iter().filter(|id| !["sqs/billing", "kcl/fraud-watch"].contains(&id.as_str())).cloned().collect();
    assert_eq!(seen(&desk), without);
    assert_eq!(desk.runner.state().hidden_total(), 2);
    let asked = desk.asked().await;
    assert_eq!(asked["resourcegroupstaggingapi:GetResources"], 1, "{asked:?}");
    assert_eq!(desk.runner.state().problems, [].into());
    // Somebody takes one tag away and gives another: within minutes the screen follows.
    let billing = r#"{"QueueUrl":"https://x/123456789012/billing","TagKeys":["team"]}"#;
    desk.json("AmazonSQS.UntagQueue", billing).await;
    let stream = r#"{"StreamName":"order-log","Tags":{"team":"money"}}"#;
    desk.json("Kinesis_20131202.AddTagsToStream", stream).await;
    desk.runner.run_for(MINUTE * 6).await;
    let now = seen(&desk);
    assert!(now.contains(&"sqs/billing".into()) && !now.contains(&"kinesis/order-log".into()), "{now:?}");

    let only = Desk::watching(&scenario, 1, BUDGET_USD_PER_H, filter(&["tag:team=money", "sns/*"], &[]), &TAGS).await;
    assert_eq!(seen(&only), ["sqs/billing", "sns/order-events", "kcl/fraud-watch"]);
    let none = Desk::over(&scenario, 1, BUDGET_USD_PER_H).await;
    assert!(!none.asked().await.contains_key("resourcegroupstaggingapi:GetResources"), "no rule names a tag");
}

#[tokio::test(start_paused = true)]
async fn tags_that_cannot_be_read_hide_nothing_and_the_screen_says_so() {
    let denied = "kind = \"api-denied\"\nwho = \"clients\"\ntarget = \"resourcegroupstaggingapi\"";
    let rules = filter(&["tag:team=money"], &["tag:team=desk"]);
    let desk = Desk::watching(&with_faults(&[denied]), 1, BUDGET_USD_PER_H, rules, &TAGS).await;
    assert!(seen(&desk).contains(&"kinesis/order-log".into()), "{:?}", seen(&desk));
    let problem = &desk.runner.state().problems[&(Place::default(), "resourcegroupstaggingapi", "GetResources")];
    let words = ["`tag:GetResources`", "Until then, all that only a tag would hide is watched"];
    assert!(words.iter().all(|word| problem.sentence.contains(word)), "{}", problem.sentence);
}
