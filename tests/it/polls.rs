//! Polls and actions through the SDK's own clients over the engine: what is asked is what the services hold, what is
//! refused is told, and what is performed changes the world.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use midwatch::actions::{Call, CallOutcome, Confirmed, Expect, Invocation, Plan, Safety, Unlocked};
use midwatch::aws::operations::OPERATIONS;
use midwatch::aws::{self, Clients, Lane, Seam, Settings};
use midwatch::domain::execution::{WorkflowAnswer, WorkflowQuestion, WorkflowSubject};
use midwatch::domain::field::Field;
use midwatch::domain::finding::ErrorClass;
use midwatch::domain::history::Item;
use midwatch::domain::log::LogQuestion;
use midwatch::domain::poll::{Calls, Checkpointed, Probe, Question, Reading, RowUpdate, Target};
use midwatch::domain::row::{KindId, ResourceId};
use midwatch::domain::tag::TagWanted;
use midwatch::domain::time::Timestamp;
use midwatch::domain::value::{NoData, Origin};
use midwatch::domain::verb::ActionId;
use midwatch::kinds::{self, kinesis, lambda, sqs};
use midwatch::sim::clock::VirtualClock;
use midwatch::sim::cloudwatch::Metric;
use midwatch::sim::connector::EngineConnector;
use midwatch::sim::engine;
use midwatch::sim::scenario::{Scenario, build, builtin};
use midwatch::sim::world::World;
use std::cell::RefCell;
use std::time::Duration;

/// What happens to requests whose target or path holds a word, before they reach the engine.
#[derive(Clone, Debug)]
enum Fate {
    Answer { status: u16, body: &'static str },
    NobodyThere,
    Silence,
}

/// The engine's connector with a gate before it.
#[derive(Clone, Debug)]
struct Gate {
    engine: EngineConnector,
    word: &'static str,
    fate: Fate,
}

impl HttpClient for Gate {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Gate {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body = std::str::from_utf8(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        // Where the query protocol names its operation.
        let action = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default();
        let is_meant = [target, request.uri(), action].iter().any(|named| named.contains(self.word));
        if self.word.is_empty() || !is_meant {
            return self.engine.call(request);
        }
        match self.fate {
            Fate::Answer { status, body } => {
                let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
                HttpConnectorFuture::ready(Ok(response))
            }
            Fate::NobodyThere => {
                let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
                HttpConnectorFuture::ready(Err(ConnectorError::io(refused.into())))
            }
            Fate::Silence => HttpConnectorFuture::new(std::future::pending()),
        }
    }
}

/// The flash sale as it stands after so many minutes, and clients that look at it.
struct Sale {
    clients: Clients,
    clock: VirtualClock,
    /// All calls so far.
    calls: RefCell<Calls>,
}

impl Sale {
    fn world(minute: u64) -> World {
        Self::world_of("flash-sale", minute)
    }

    fn world_of(scenario: &str, minute: u64) -> World {
        let mut scenario = Scenario::parse(builtin(scenario).unwrap().text).unwrap();
        scenario.warm_up = Duration::from_secs(180);
        let mut world = build(&scenario, 7).unwrap();
        world.advance_to(scenario.start + Duration::from_secs(60 * minute));
        world
    }

    async fn at_minute(minute: u64) -> Self {
        Self::gated(Self::world(minute), "", Fate::NobodyThere).await
    }

    async fn gated(world: World, word: &'static str, fate: Fate) -> Self {
        let clock = VirtualClock::start(world.now, 1.0);
        let engine = EngineConnector::new(engine::start(world, clock));
        let seam = Seam {
            http_client: SharedHttpClient::new(Gate { engine, word, fate }),
            time_source: aws_smithy_async::time::SharedTimeSource::new(clock),
            sleep_impl: aws_smithy_async::rt::sleep::SharedAsyncSleep::new(clock),
            static_credentials: Some(aws_credential_types::Credentials::new("demo", "demo", None, None, "demo")),
            jitterless: true,
            speed: 1.0,
        };
        let settings = Settings { region: Some("eu-west-1".into()), ..Settings::default() };
        let sdk = aws::sdk_config(&settings, seam).await.unwrap();
        Self { clients: Clients::new(&sdk), clock, calls: RefCell::default() }
    }

    async fn ask(&self, question: Question) -> Reading {
        let reading = aws::ask(&self.clients.in_lane(Lane::Near), &question, self.clock.now()).await;
        self.calls.borrow_mut().add(&reading.calls);
        reading
    }

    async fn wait(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    /// What an inventory says about how to reach these resources.
    async fn targets(&self, kind: KindId) -> Vec<Target> {
        let reading = self.ask(Question::Inventory(kind)).await;
        let told = |id: &ResourceId| reading.updates.iter().find(|update| update.id == *id);
        let target = |id: &ResourceId| {
            let address = kinds::kind(kind).address.and_then(|field| told(id)?.fields.text(field));
            let mut target = Target::new(id.clone(), address.map(str::to_owned));
            target.move_tasks = id.name.ends_with("-dlq");
            target.lists_consumers = kind == KindId::Kinesis;
            target.is_near = true;
            target
        };
        reading.inventory.iter().flat_map(|(_, ids)| ids.iter().map(target)).collect()
    }

    async fn direct(&self, kind: KindId) -> Reading {
        let targets = self.targets(kind).await;
        self.ask(Question::Direct(kind, targets)).await
    }

    async fn perform(&self, call: Call) -> CallOutcome {
        aws::perform(&self.clients, &confirmed(call), 0).await
    }

    /// The ARN that the queue's row tells.
    async fn queue_arn(&self, name: &str) -> String {
        let reading = self.direct(KindId::Sqs).await;
        row(&reading, &format!("sqs/{name}")).fields.text(&sqs::ARN).unwrap().to_owned()
    }
}

/// A plan of one call that somebody has agreed to.
fn confirmed(call: Call) -> Confirmed {
    let plan = Plan {
        action: ActionId::Invoke,
        resource: ResourceId::new(KindId::Lambda, "settle-bid"),
        preview: Vec::new(),
        warnings: Vec::new(),
        calls: vec![call],
        safety: Safety::Costly,
        expect: Expect::Answer,
        made_at: Timestamp::default(),
    };
    plan.confirm(Unlocked::when(true).unwrap())
}

fn row<'a>(reading: &'a Reading, id: &str) -> &'a RowUpdate {
    reading.updates.iter().find(|update| update.id.to_string() == id).unwrap_or_else(|| panic!("no {id}: {reading:?}"))
}

fn number(reading: &Reading, id: &str, field: &Field) -> f64 {
    let update = row(reading, id);
    update.fields.number(field).unwrap_or_else(|| panic!("{id} has no {}: {:?}", field.id, update.fields))
}

fn links(reading: &Reading, id: &str) -> Vec<String> {
    let links = row(reading, id).links.iter().flatten();
    links.map(|link| format!("{} {}", link.relation.word(), link.to)).collect()
}

fn ids(reading: &Reading) -> Vec<String> {
    reading.updates.iter().map(|update| update.id.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn identity_names_the_account() {
    let sale = Sale::at_minute(0).await;
    let identity = sale.ask(Question::Identity).await.identity.unwrap();
    let account = identity.account.unwrap();
    assert!(account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()), "{account}");
    assert!(identity.principal.unwrap().contains(&account));
    assert_eq!(identity.alias.as_deref(), Some("acme-hotels"));
}

#[tokio::test(start_paused = true)]
async fn an_account_without_an_alias_goes_by_its_number_and_that_is_no_trouble() {
    let mut world = Sale::world(0);
    world.iam.delete_alias("acme-hotels").unwrap();
    let sale = Sale::gated(world, "", Fate::NobodyThere).await;
    let reading = sale.ask(Question::Identity).await;
    let identity = reading.identity.unwrap();
    assert_eq!((identity.account.as_deref(), identity.alias), (Some("123456789012"), None));
    assert_eq!(reading.problems, []);
    assert_eq!((reading.calls.by_operation["iam:ListAccountAliases"], reading.calls.usd), (1, 0.0));
}

/// Denied, not served, and out of reach, as it is from many private networks: the account and the principal are known.
#[tokio::test(start_paused = true)]
async fn an_alias_that_cannot_be_read_is_told_and_takes_nothing_else_away() {
    let denied = "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
                  <Code>AccessDenied</Code><Message>User: x is not authorized</Message></Error></ErrorResponse>";
    let unknown = "<ErrorResponse><Error><Code>InvalidAction</Code><Message>no</Message></Error></ErrorResponse>";
    for (fate, class, told) in [
        (Fate::Answer { status: 403, body: denied }, ErrorClass::Denied, "Ask for `iam:ListAccountAliases`"),
        (Fate::Answer { status: 400, body: unknown }, ErrorClass::Missing, "does not serve iam:ListAccountAliases"),
        (Fate::NobodyThere, ErrorClass::Network, "cannot be reached"),
        (Fate::Silence, ErrorClass::Network, "did not answer"),
    ] {
        let sale = Sale::gated(Sale::world(0), "ListAccountAliases", fate).await;
        let before = sale.clock.now();
        let reading = sale.ask(Question::Identity).await;
        let identity = reading.identity.unwrap();
        assert_eq!((identity.account.as_deref(), identity.alias), (Some("123456789012"), None));
        assert_eq!(identity.principal.as_deref(), Some("arn:aws:iam::123456789012:user/midwatch"));
        let [problem] = reading.problems.as_slice() else { panic!("{:?}", reading.problems) };
        assert_eq!((problem.service, problem.operation, problem.class), ("iam", "ListAccountAliases", class));
        assert!(problem.sentence.contains(told), "{}", problem.sentence);
        assert!(
            problem.sentence.ends_with(" Nothing but the account's alias is missing for it."),
            "{}",
            problem.sentence
        );
        let waited = sale.clock.now().since(before);
        assert!(waited < Duration::from_secs(6), "{waited:?}: nobody waits long for a name");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deploy_is_found_in_the_event_history_and_reads_are_not() {
    let sale = Sale::at_minute(14).await;
    sale.ask(Question::Inventory(KindId::Lambda)).await;
    let since = sale.clock.now() - Duration::from_secs(3600);
    let reading = sale.ask(Question::Changes { since }).await;
    assert_eq!(reading.problems, []);
    let (from, changes) = reading.changes.unwrap();
    assert_eq!(from, since);
    let deploy = changes.iter().find(|change| change.event == "UpdateFunctionCode").unwrap();
    assert_eq!(deploy.resources, [ResourceId::parse("lambda/fulfil-order").unwrap()]);
    assert_eq!((deploy.who.as_str(), deploy.error_code.as_deref()), ("ci-deploy", None));
    assert!(changes.iter().all(|change| !change.event.starts_with("List")), "{changes:?}");
    let later = sale.ask(Question::Changes { since: sale.clock.now() }).await;
    assert_eq!(later.changes.unwrap().1, []);
}

#[tokio::test(start_paused = true)]
async fn queues_have_depths_policies_links_and_their_price() {
    let sale = Sale::at_minute(1).await;
    let inventory = sale.ask(Question::Inventory(KindId::Sqs)).await;
    assert_eq!(ids(&inventory), ["sqs/emails", "sqs/orders", "sqs/orders-dlq"]);
    assert_eq!(inventory.inventory.as_ref().unwrap().1.len(), 3);
    let targets = sale.targets(KindId::Sqs).await;
    let reading = sale.ask(Question::Direct(KindId::Sqs, targets)).await;
    assert_eq!(links(&reading, "sqs/orders"), ["dead-letters-to sqs/orders-dlq"]);
    assert_eq!(number(&reading, "sqs/orders", &sqs::MAX_RECEIVES), 3.0);
    assert_eq!(number(&reading, "sqs/orders", &sqs::VISIBILITY_TIMEOUT_S), 30.0);
    assert_eq!(number(&reading, "sqs/orders-dlq", &sqs::VISIBLE), 0.0);
    assert_eq!(row(&reading, "sqs/emails").fields.why_missing(&sqs::DLQ), Some(NoData::NotApplicable));
    assert_eq!((reading.problems, reading.failed), (vec![], vec![]));
    let Calls { by_operation, throttled, usd } = reading.calls;
    assert_eq!(by_operation, [("sqs:GetQueueAttributes", 3), ("sqs:ListMessageMoveTasks", 1)].into());
    assert_eq!(throttled, 0);
    assert!((usd - 4.0 * 0.40 / 1e6).abs() < 1e-12, "{usd}");
}

#[tokio::test(start_paused = true)]
async fn depths_are_those_that_the_queue_holds() {
    let mut world = Sale::world(6);
    let held = {
        let (sqs, cx) = world.sqs_cx();
        sqs.depth(&cx, "orders").unwrap()
    };
    let sale = Sale::gated(world, "", Fate::NobodyThere).await;
    let url = sale.targets(KindId::Sqs).await.into_iter().find(|target| target.id.name == "orders").unwrap();
    let reading = sale.ask(Question::Direct(KindId::Sqs, vec![url])).await;
    // The list took some milliseconds, in which a batch may have come and gone.
    let seen = number(&reading, "sqs/orders", &sqs::VISIBLE) + number(&reading, "sqs/orders", &sqs::IN_FLIGHT);
    let held = (held.visible + held.in_flight) as f64;
    assert!((seen - held).abs() <= 12.0, "{seen} is not about {held}");
    assert!(reading.inventory.is_none());
}

#[tokio::test(start_paused = true)]
async fn streams_have_shards_that_cover_the_key_space() {
    let sale = Sale::at_minute(1).await;
    let inventory = sale.ask(Question::Inventory(KindId::Kinesis)).await;
    assert_eq!(ids(&inventory), ["kinesis/bids", "kinesis/page-views"]);
    assert_eq!(row(&inventory, "kinesis/bids").fields.text(&kinesis::STATUS), Some("ACTIVE"));
    let direct = sale.direct(KindId::Kinesis).await;
    assert_eq!(number(&direct, "kinesis/bids", &kinesis::OPEN_SHARDS), 4.0);
    assert_eq!(number(&direct, "kinesis/bids", &kinesis::RETENTION_S), 86_400.0);
    let bids = row(&direct, "kinesis/bids");
    assert_eq!(bids.fields.text(&kinesis::STATUS), Some("ACTIVE"));
    let shards = bids.parts.as_ref().unwrap();
    let share: f64 = shards.iter().filter_map(|shard| shard.fields.number(&kinesis::SHARD_SHARE_PERCENT)).sum();
    assert_eq!((shards.len(), share), (4, 100.0));
    assert_eq!(shards[0].id, "shardId-000000000000");
    // Shard metrics cost money; where they are off, that is the reason, and not a zero.
    let quiet = &row(&direct, "kinesis/page-views").parts.as_ref().unwrap()[0];
    assert_eq!(quiet.fields.why_missing(&kinesis::IN_BYTES_PER_S), Some(NoData::NotEnabled));
    assert_eq!(shards[0].fields.why_missing(&kinesis::IN_BYTES_PER_S), Some(NoData::NotYet));
}

#[tokio::test(start_paused = true)]
async fn functions_have_configurations_mappings_and_what_feeds_them() {
    let sale = Sale::at_minute(1).await;
    let inventory = sale.ask(Question::Inventory(KindId::Lambda)).await;
    assert_eq!(ids(&inventory), ["lambda/count-views", "lambda/fulfil-order", "lambda/settle-bid"]);
    assert_eq!(links(&inventory, "lambda/settle-bid"), ["fed-by kinesis/bids"]);
    assert_eq!(links(&inventory, "lambda/fulfil-order"), ["fed-by sqs/orders"]);
    assert_eq!(number(&inventory, "lambda/settle-bid", &lambda::TIMEOUT_S), 15.0);
    let settle = row(&inventory, "lambda/settle-bid");
    assert!(matches!(
        settle.fields.get(&lambda::LAST_MODIFIED).map(|value| &value.datum),
        Some(midwatch::domain::value::Datum::Time(_))
    ));
    let mapping = &settle.parts.as_ref().unwrap()[0];
    assert_eq!(mapping.fields.text(&lambda::MAPPING_SOURCE), Some("kinesis/bids"));
    assert_eq!(mapping.fields.text(&lambda::MAPPING_STATE), Some("Enabled"));
    assert_eq!(mapping.fields.number(&lambda::MAPPING_BATCH_SIZE), Some(100.0));
    let direct = sale.direct(KindId::Lambda).await;
    let reserved = row(&direct, "lambda/settle-bid").fields.why_missing(&lambda::RESERVED_CONCURRENCY);
    assert_eq!(reserved, Some(NoData::NotApplicable));
    assert_eq!(links(&direct, "lambda/fulfil-order"), ["fed-by sqs/orders"]);
    assert_eq!(direct.problems, []);
}

#[tokio::test(start_paused = true)]
async fn metrics_are_those_that_cloudwatch_holds_minute_by_minute() {
    let world = Sale::world(6);
    let metric = Metric::new("AWS/Kinesis", "IncomingRecords", &[("StreamName", "bids")]);
    let held = {
        let ids = world.metrics.find(&metric, None);
        let to = world.now.floor_to(60);
        let from = to - Duration::from_secs(3600);
        let periods = world.metrics.read(&ids, (from, to), 60, world.now, false);
        periods.iter().map(|period| (period.start, period.stats.sum * (1.0 / 60.0))).collect::<Vec<_>>()
    };
    let sale = Sale::gated(world, "", Fate::NobodyThere).await;
    let mut bids = Target::new(ResourceId::new(KindId::Kinesis, "bids"), None);
    bids.parts = (0..4).map(|n| format!("shardId-{n:012}")).collect();
    let idle = Target::new(ResourceId::new(KindId::Kinesis, "nobody-has-this"), None);
    let reading =
        sale.ask(Question::Metrics { kind: KindId::Kinesis, targets: vec![bids, idle], window_min: 60 }).await;
    let update = row(&reading, "kinesis/bids");
    let series = |part: &str, field: &Field| {
        let found = update.series.iter().find(|(key, _)| key.part == part && key.field == field.id);
        found.map(|(_, points)| points.clone()).unwrap_or_default()
    };
    assert_eq!(series("", &kinesis::IN_RECORDS_PER_S), held);
    let value = update.fields.get(&kinesis::IN_RECORDS_PER_S).unwrap();
    let (newest, rate) = *held.last().unwrap();
    assert_eq!((value.as_number(), value.as_of), (Some(rate), newest + Duration::from_secs(60)));
    assert_eq!(value.origin, Origin::CloudWatch);
    assert!(number(&reading, "kinesis/bids", &kinesis::WRITE_THROTTLED_PER_MIN) > 0.0, "the hot shard refuses writes");
    assert_eq!(update.part_fields.len(), 4);
    let shards: f64 = update.part_fields.iter().filter_map(|(_, f)| f.number(&kinesis::IN_RECORDS_PER_S)).sum();
    assert!((shards - rate).abs() < 1.0, "the shards take {shards}/s of {rate}/s");
    // What CloudWatch does not know is no zero.
    let idle = row(&reading, "kinesis/nobody-has-this");
    assert_eq!(idle.fields.why_missing(&kinesis::WRITE_THROTTLED_PER_MIN), Some(NoData::NoDatapoints));
    assert!(idle.series.is_empty());
    // 6 metrics of 2 streams and 6 of 4 shards: one call, $0.01 a thousand.
    assert_eq!(reading.calls.by_operation, [("cloudwatch:GetMetricData", 1)].into());
    assert!((reading.calls.usd - 36.0 * 1e-5).abs() < 1e-9, "{}", reading.calls.usd);
}

const DENIED: &str = r#"{"__type":"AccessDeniedException","message":"User: ops is not authorized"}"#;

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_a_problem_and_no_zero() {
    let fate = Fate::Answer { status: 400, body: DENIED };
    let sale = Sale::gated(Sale::world(0), "DescribeStreamSummary", fate).await;
    // The list still tells names, states and modes.
    let reading = sale.ask(Question::Inventory(KindId::Kinesis)).await;
    assert_eq!(row(&reading, "kinesis/bids").fields.text(&kinesis::STATUS), Some("ACTIVE"));
    let reading = sale.direct(KindId::Kinesis).await;
    let bids = row(&reading, "kinesis/bids");
    assert_eq!(bids.fields.why_missing(&kinesis::OPEN_SHARDS), Some(NoData::Denied));
    let [problem] = reading.problems.as_slice() else { panic!("{:?}", reading.problems) };
    assert_eq!((problem.service, problem.operation), ("kinesis", "DescribeStreamSummary"));
    assert_eq!(problem.class, ErrorClass::Denied);
    assert!(problem.sentence.contains("`kinesis:DescribeStreamSummary`"), "{}", problem.sentence);
    assert!(problem.sentence.starts_with("kinesis/bids and 1 more"), "{}", problem.sentence);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_the_endpoint_lacks_takes_nothing_else_away() {
    let fate = Fate::Answer { status: 404, body: "<html><title>404 Not Found</title></html>" };
    let sale = Sale::gated(Sale::world(0), "ListMessageMoveTasks", fate).await;
    let reading = sale.direct(KindId::Sqs).await;
    assert_eq!(number(&reading, "sqs/orders-dlq", &sqs::VISIBLE), 0.0);
    assert_eq!(row(&reading, "sqs/orders-dlq").parts, None);
    let [problem] = reading.problems.as_slice() else { panic!("{:?}", reading.problems) };
    assert_eq!((problem.operation, problem.class), ("ListMessageMoveTasks", ErrorClass::Missing));
    assert!(problem.sentence.contains("does not serve sqs:ListMessageMoveTasks"), "{}", problem.sentence);
}

#[tokio::test(start_paused = true)]
async fn throttling_is_retried_counted_and_told() {
    let body = r#"{"__type":"com.amazonaws.sqs#RequestThrottled","message":"Rate exceeded"}"#;
    let sale = Sale::gated(Sale::world(0), "ListQueues", Fate::Answer { status: 400, body }).await;
    let reading = sale.ask(Question::Inventory(KindId::Sqs)).await;
    assert_eq!(reading.inventory, None, "an unanswered list must not drop what is known");
    assert_eq!(reading.problems[0].class, ErrorClass::Throttled);
    assert_eq!(reading.calls.throttled, reading.calls.by_operation["sqs:ListQueues"]);
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_leave_the_last_good_values_and_tell_the_cure() {
    let body =
        r#"{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}"#;
    let sale = Sale::gated(Sale::world(0), "GetQueueAttributes", Fate::Answer { status: 403, body }).await;
    let reading = sale.direct(KindId::Sqs).await;
    assert_eq!(reading.failed.len(), 3);
    assert!(reading.updates.is_empty());
    assert!(reading.problems[0].sentence.contains("aws sso login"), "{}", reading.problems[0].sentence);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_nobody_listens_on_and_one_that_is_silent_are_told() {
    let sale = Sale::gated(Sale::world(0), "ListQueues", Fate::NobodyThere).await;
    let reading = sale.ask(Question::Inventory(KindId::Sqs)).await;
    assert_eq!(reading.problems[0].class, ErrorClass::Network);
    assert!(reading.problems[0].sentence.contains("cannot be reached"), "{}", reading.problems[0].sentence);
    let sale = Sale::gated(Sale::world(0), "ListQueues", Fate::Silence).await;
    let before = sale.clock.now();
    let reading = sale.ask(Question::Inventory(KindId::Sqs)).await;
    assert_eq!(reading.problems[0].class, ErrorClass::Network);
    assert!(sale.clock.now().since(before) <= Duration::from_secs(21), "a silent endpoint is given up in time");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_gone_is_no_problem_of_the_service() {
    let sale = Sale::at_minute(0).await;
    let mut targets = sale.targets(KindId::Sqs).await;
    let gone = ResourceId::new(KindId::Sqs, "gone");
    let url = targets[0].address.clone().unwrap().replace("emails", "gone");
    targets.push(Target::new(gone.clone(), Some(url)));
    let reading = sale.ask(Question::Direct(KindId::Sqs, targets)).await;
    assert_eq!(reading.failed.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&gone]);
    assert!(reading.failed[0].1.contains("does not exist"), "{}", reading.failed[0].1);
    assert_eq!(reading.problems, []);
}

#[tokio::test(start_paused = true)]
async fn a_split_shard_is_seen_by_the_next_polls() {
    let sale = Sale::at_minute(3).await;
    let split = Call::SplitShard {
        stream: "bids".into(),
        shard: "shardId-000000000000".into(),
        new_starting_hash_key: (1u128 << 125).to_string(),
    };
    let outcome = sale.perform(split.clone()).await;
    assert!(matches!(outcome, CallOutcome::Accepted(_)), "{outcome:?}");
    let again = sale.perform(split).await;
    let CallOutcome::Failed { sentence, sent: false } = again else { panic!("{again:?}") };
    assert!(sentence.contains("ResourceInUseException"), "{sentence}");
    sale.wait(120).await;
    let reading = sale.direct(KindId::Kinesis).await;
    assert_eq!(number(&reading, "kinesis/bids", &kinesis::OPEN_SHARDS), 5.0);
    let shards = row(&reading, "kinesis/bids").parts.clone().unwrap();
    let closed: Vec<&str> = shards
        .iter()
        .filter(|shard| shard.fields.text(&kinesis::SHARD_STATE) == Some("closed"))
        .map(|shard| shard.id.as_str())
        .collect();
    assert_eq!(closed, ["shardId-000000000000"]);
    assert_eq!(shards[4].fields.text(&kinesis::SHARD_PARENTS), Some("shardId-000000000000"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_resized() {
    let sale = Sale::at_minute(3).await;
    let outcome = sale.perform(Call::UpdateShardCount { stream: "bids".into(), target: 8 }).await;
    let CallOutcome::Accepted(told) = outcome else { panic!("{outcome:?}") };
    assert!(told[0].contains("from 4 to 8 shards"), "{told:?}");
    sale.wait(300).await;
    let reading = sale.direct(KindId::Kinesis).await;
    assert_eq!(number(&reading, "kinesis/bids", &kinesis::OPEN_SHARDS), 8.0);
}

#[tokio::test(start_paused = true)]
async fn a_redrive_is_started_watched_and_cancelled() {
    let sale = Sale::at_minute(13).await;
    let source_arn = sale.queue_arn("orders-dlq").await;
    let before = number(&sale.direct(KindId::Sqs).await, "sqs/orders-dlq", &sqs::VISIBLE);
    assert!(before > 5.0, "the bad deploy has made dead letters");
    let start =
        Call::StartMessageMoveTask { source_arn: source_arn.clone(), destination_arn: None, max_per_s: Some(1) };
    let outcome = sale.perform(start).await;
    assert!(matches!(outcome, CallOutcome::Accepted(_)), "{outcome:?}");
    sale.wait(3).await;
    let reading = sale.direct(KindId::Sqs).await;
    let tasks = row(&reading, "sqs/orders-dlq").parts.clone().unwrap();
    assert_eq!(tasks[0].fields.text(&sqs::TASK_STATUS), Some("RUNNING"));
    assert_eq!(tasks[0].fields.number(&sqs::TASK_RATE_PER_S), Some(1.0));
    assert!(tasks[0].fields.number(&sqs::TASK_TO_MOVE) >= Some(before));
    assert_eq!(row(&reading, "sqs/orders").parts, None, "only dead-letter queues are asked for tasks");
    let task_handle = tasks[0].fields.text(&sqs::TASK_HANDLE).unwrap().to_owned();
    let outcome = sale.perform(Call::CancelMessageMoveTask { source_arn, task_handle }).await;
    assert!(matches!(outcome, CallOutcome::Accepted(_)), "{outcome:?}");
    sale.wait(60).await;
    let ended = sale.direct(KindId::Sqs).await;
    let task = row(&ended, "sqs/orders-dlq").parts.as_ref().unwrap()[0].clone();
    assert_eq!((task.id.as_str(), task.fields.text(&sqs::TASK_STATUS)), (tasks[0].id.as_str(), Some("CANCELLED")));
    assert!(task.fields.number(&sqs::TASK_MOVED) > Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn functions_are_invoked_in_three_ways() {
    let sale = Sale::at_minute(0).await;
    let invoke = |function: &str, invocation| {
        sale.perform(Call::Invoke { function: function.into(), payload: r#"{"bid":1}"#.into(), invocation })
    };
    let waited = invoke("settle-bid", Invocation::Wait).await;
    let CallOutcome::Answered(answer) = waited else { panic!("{waited:?}") };
    assert_eq!((answer.status, answer.function_error.as_deref()), (200, None));
    assert!(answer.payload.contains("settled"), "{}", answer.payload);
    assert!(answer.log_tail.contains("REPORT RequestId:"), "{}", answer.log_tail);
    assert_eq!(answer.executed_version.as_deref(), Some("$LATEST"));
    let event = invoke("settle-bid", Invocation::Event).await;
    assert!(matches!(event, CallOutcome::Accepted(_)), "{event:?}");
    let dry = invoke("settle-bid", Invocation::DryRun).await;
    assert!(matches!(dry, CallOutcome::Accepted(_)), "{dry:?}");
    let missing = invoke("no-such-function", Invocation::Wait).await;
    let CallOutcome::Failed { sentence, sent: false } = missing else { panic!("{missing:?}") };
    assert!(sentence.contains("does not exist"), "{sentence}");
}

#[tokio::test(start_paused = true)]
async fn what_must_not_be_done_twice_is_tried_once_and_says_that_it_may_have_happened() {
    let body = r#"{"__type":"InternalFailure","message":"Internal service error"}"#;
    let sale = Sale::gated(Sale::world(0), "SplitShard", Fate::Answer { status: 500, body }).await;
    let split = Call::SplitShard {
        stream: "bids".into(),
        shard: "shardId-000000000000".into(),
        new_starting_hash_key: "9".into(),
    };
    let outcome = sale.perform(split).await;
    assert!(matches!(outcome, CallOutcome::Failed { sent: true, .. }), "{outcome:?}");
    let reading = sale.ask(Question::Identity).await;
    assert_eq!(reading.calls.by_operation["kinesis:SplitShard"], 1);
    let sale = Sale::gated(Sale::world(0), "/invocations", Fate::Silence).await;
    let before = sale.clock.now();
    let invoke = Call::Invoke { function: "settle-bid".into(), payload: "{}".into(), invocation: Invocation::Wait };
    let outcome = sale.perform(invoke.clone()).await;
    assert!(matches!(outcome, CallOutcome::Failed { sent: true, .. }), "{outcome:?}");
    assert!(sale.clock.now().since(before) > Duration::from_secs(900), "a function may run for 15 minutes");
    let sale = Sale::gated(Sale::world(0), "/invocations", Fate::NobodyThere).await;
    let outcome = sale.perform(invoke).await;
    assert!(matches!(outcome, CallOutcome::Failed { sent: false, .. }), "{outcome:?}");
}

/// Invariant: every SDK operation that `aws` uses is served by `sim`.
#[tokio::test(start_paused = true)]
async fn every_operation_in_use_is_served_by_the_engine() {
    let (sale, desk) =
        (Sale::at_minute(8).await, Sale::gated(Sale::world_of("order-desk", 1), "", Fate::NobodyThere).await);
    let heard = |reading: Reading| assert_eq!((reading.problems, reading.failed), (vec![], vec![]));
    heard(sale.ask(Question::Identity).await);
    for (place, kind) in [&sale, &desk].into_iter().flat_map(|place| KindId::ALL.map(|kind| (place, kind))) {
        heard(place.ask(Question::Inventory(kind)).await);
        let targets = place.targets(kind).await;
        heard(place.ask(Question::Direct(kind, targets.clone())).await);
        heard(place.ask(Question::Metrics { kind, targets, window_min: 60 }).await);
    }
    let lease = Checkpointed {
        lease: "shardId-000000000000".into(),
        stream: "order-log".into(),
        shard: "shardId-000000000000".into(),
        checkpoint: "TRIM_HORIZON".into(),
    };
    let application = ResourceId::new(KindId::Kcl, "fraud-watch");
    heard(desk.ask(Question::Probe(Probe { application, leases: vec![lease] })).await);
    heard(desk.ask(Question::Tags(vec![TagWanted { key: "team".into(), values: Vec::new() }])).await);
    let function = ResourceId::new(KindId::Lambda, "notify-customer");
    let log = LogQuestion { function, group: "/aws/lambda/notify-customer".into(), since: None };
    heard(desk.ask(Question::Log(log)).await);
    let question = |about| WorkflowQuestion { domain: ResourceId::new(KindId::Swf, "orders"), about };
    let reading = desk.ask(Question::Workflow(question(WorkflowSubject::Executions))).await;
    let Some(WorkflowAnswer::Executions(listed)) = reading.workflow.clone() else { panic!("{reading:?}") };
    heard(reading);
    let execution = listed.open.executions[0].of.clone();
    let history = WorkflowSubject::History { execution, known_to: 0, activity_list: None };
    heard(desk.ask(Question::Workflow(question(history))).await);
    let source_arn = sale.queue_arn("orders-dlq").await;
    let changes = [
        Call::UpdateShardCount { stream: "page-views".into(), target: 4 },
        Call::SplitShard {
            stream: "bids".into(),
            shard: "shardId-000000000000".into(),
            new_starting_hash_key: "9".into(),
        },
        Call::StartMessageMoveTask { source_arn: source_arn.clone(), destination_arn: None, max_per_s: Some(1) },
        Call::Invoke { function: "count-views".into(), payload: "{}".into(), invocation: Invocation::Wait },
    ];
    for call in changes {
        let outcome = sale.perform(call.clone()).await;
        assert!(!matches!(outcome, CallOutcome::Failed { .. }), "{call:?}: {outcome:?}");
    }
    let reading = sale.direct(KindId::Sqs).await;
    let tasks = row(&reading, "sqs/orders-dlq").parts.clone().unwrap();
    let task_handle = tasks[0].fields.text(&sqs::TASK_HANDLE).unwrap().to_owned();
    heard(reading);
    let outcome = sale.perform(Call::CancelMessageMoveTask { source_arn, task_handle }).await;
    assert!(matches!(outcome, CallOutcome::Accepted(_)), "{outcome:?}");
    heard(sale.ask(Question::Identity).await);
    heard(sale.ask(Question::Changes { since: sale.clock.now() - Duration::from_secs(3600) }).await);
    let mut calls = sale.calls.borrow().clone();
    calls.add(&desk.calls.borrow());
    let unused: Vec<&str> =
        OPERATIONS.iter().map(|o| o.label).filter(|label| !calls.by_operation.contains_key(label)).collect();
    assert_eq!(unused, Vec::<&str>::new());
}

/// The oldest that is open and the newest that closed; what the events leave open is what SWF counts as open.
#[tokio::test(start_paused = true)]
async fn executions_are_listed_and_their_histories_are_read_whole_and_then_on() {
    let desk = Sale::gated(Sale::world_of("order-desk", 2), "", Fate::NobodyThere).await;
    let question =
        |about| Question::Workflow(WorkflowQuestion { domain: ResourceId::new(KindId::Swf, "orders"), about });
    let reading = desk.ask(question(WorkflowSubject::Executions)).await;
    let Some(WorkflowAnswer::Executions(listed)) = reading.workflow else { panic!("{reading:?}") };
    let (open, closed) = (&listed.open.executions, &listed.closed.executions);
    assert!(open.len() >= 10 && open.is_sorted_by_key(|execution| execution.started), "{open:?}");
    assert!(open.iter().all(|execution| execution.closed.is_none()));
    assert!(closed.len() >= 100 && !listed.closed.is_whole, "{} closed", closed.len());
    assert!(closed.is_sorted_by(|a, b| a.closed.as_ref().map(|c| c.0) >= b.closed.as_ref().map(|c| c.0)));
    // The newest does not end while it is read.
    for execution in [&open[open.len() - 1], &closed[0]] {
        let about =
            |known_to| WorkflowSubject::History { execution: execution.of.clone(), known_to, activity_list: None };
        let reading = desk.ask(question(about(0))).await;
        let Some(WorkflowAnswer::History(Ok(answer))) = reading.workflow else { panic!("{reading:?}") };
        let described = answer.described.clone().unwrap();
        assert_eq!(described.execution.of, execution.of);
        let mut history = midwatch::domain::history::History::default();
        history.take(Ok(answer));
        assert_eq!((history.missing(), history.len() as u64), (0, history.newest()));
        assert_eq!(history.get(1).unwrap().kind, "WorkflowExecutionStarted");
        let count = |item| history.open().iter().filter(|open| open.item == item).count() as u64;
        let counts = [count(Item::Decision), count(Item::Activity), count(Item::Timer), count(Item::Child)];
        let open = described.open;
        assert_eq!(counts, [open.decisions, open.activities, open.timers, open.children]);
        assert_eq!(history.is_over(), execution.closed.is_some());
        let reading = desk.ask(question(about(history.newest() - 2))).await;
        let Some(WorkflowAnswer::History(Ok(answer))) = reading.workflow else { panic!("{reading:?}") };
        let first = answer.events.iter().map(|event| event.id).min();
        assert_eq!(first, Some(history.newest() - 1), "only what is new");
    }
    let gone =
        midwatch::domain::execution::ExecutionRef { workflow_id: "order-0".into(), run_id: "no-such-run".into() };
    let gone = WorkflowSubject::History { execution: gone, known_to: 0, activity_list: None };
    let reading = desk.ask(question(gone)).await;
    let Some(WorkflowAnswer::History(Err(sentence))) = reading.workflow else { panic!("{reading:?}") };
    assert!(sentence.contains("does not know this run of order-0"), "{sentence}");
    assert_eq!(reading.problems, []);
}
