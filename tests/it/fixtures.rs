//! States to draw: the flash sale in the middle of its trouble, and estates of any size. Benchmarks use them too.

use midwatch::actions::{Answer, Call, CallOutcome, Expect, Plan, Safety};
use midwatch::app::job::{Job, PlanId, Stage};
use midwatch::app::list::{ListId, worst_findings};
use midwatch::app::screen::{Detail, Screen};
use midwatch::app::state::{Context, Counts, Settings, Size, Source, State, Toast, Tone};
use midwatch::app::throttled::ThrottledScreen;
use midwatch::app::workflow::{ExecutionsScreen, HistoryScreen};
use midwatch::domain::change::Change;
use midwatch::domain::execution::{
    Described, Ended, Execution, ExecutionRef, Executions, HistoryAnswer, Listed, OpenCounts, Tasks, Waiting,
};
use midwatch::domain::field::{Field, Fields};
use midwatch::domain::finding::{Cause, Confidence, ErrorClass, Finding, Problem};
use midwatch::domain::history::Event;
use midwatch::domain::poll::Identity;
use midwatch::domain::refresh::Refresh;
use midwatch::domain::row::{Health, KindId, Link, Part, Place, Relation, ResourceId, Row, Stale};
use midwatch::domain::series::{Series, SeriesKey};
use midwatch::domain::throttled::{Throttled, ThrottledCalls};
use midwatch::domain::time::Timestamp;
use midwatch::domain::value::{NoData, Origin, Value};
use midwatch::domain::verb::ActionId;
use midwatch::kinds::threshold::Thresholds;
use midwatch::kinds::{alarm, firehose, kcl, kinesis, lambda, sns, sqs, swf};
use std::time::Duration;

/// 2026-11-27, 18:12:20 UTC: twelve minutes into the flash sale.
pub fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-27T18:12:20Z").unwrap()
}

fn ago(seconds: u64) -> Timestamp {
    now() - Duration::from_secs(seconds)
}

/// An empty estate, before the first answer.
pub fn nothing_yet() -> State {
    let settings = Settings {
        source: Source::Demo,
        source_label: "demo flash-sale ×10".into(),
        contexts: vec![Context { region: Some("eu-west-1".into()), allow_actions: true, ..Context::default() }],
        known: Vec::new(),
        budget_usd_per_h: 0.15,
        refresh: Refresh::default(),
        thresholds: Thresholds::default(),
        speed: 10.0,
    };
    let mut state = State::new(settings, ago(600));
    state.now = now();
    state
}

/// The flash sale: a hot shard, dead letters that grow, the rest well.
pub fn flash_sale(width: u16, height: u16) -> State {
    let mut state = nothing_yet();
    state.size = Size { width, height };
    let identity =
        Identity { account: Some("111122223333".into()), alias: None, principal: Some("night-watch".into()) };
    state.identities.insert(Place::default(), identity);
    state.meter.calls.by_operation.insert("sqs:GetQueueAttributes", 412);
    state.meter.calls.usd = 0.006;
    streams(&mut state);
    queues(&mut state);
    functions(&mut state);
    state.findings = vec![
        finding(
            Cause::HotKey,
            Health::Crit,
            "kinesis/bids",
            "shardId-000000000003 takes 71% of the writes: one partition key is hot, and its shard refuses records.",
            &[ActionId::Reshard],
        ),
        finding(
            Cause::DeadLetters,
            Health::Crit,
            "sqs/orders-dlq",
            "412 orders failed since 18:04, and more come: lambda/fulfil-order fails on them.",
            &[ActionId::Redrive],
        ),
        finding(
            Cause::FunctionErrors,
            Health::Warn,
            "lambda/fulfil-order",
            "3.4% of its invocations fail since the deploy 11 minutes ago.",
            &[],
        ),
    ];
    derive(&mut state);
    state
}

fn finding(cause: Cause, severity: Health, id: &str, sentence: &str, actions: &[ActionId]) -> Finding {
    let resource = ResourceId::parse(id).unwrap();
    let sentence = sentence.to_owned();
    Finding {
        cause,
        severity,
        confidence: Confidence::Likely,
        resource,
        sentence,
        evidence: vec![],
        actions: actions.to_vec(),
    }
}

/// Brings lists and counts up to date, as `update` does.
pub fn derive(state: &mut State) {
    state.counts.clear();
    for row in state.rows.values() {
        let counts: &mut Counts = state.counts.entry(row.id.kind).or_default();
        match row.health {
            Health::Ok => counts.ok += 1,
            Health::Unknown => counts.unknown += 1,
            Health::Warn => counts.warn += 1,
            Health::Crit => counts.crit += 1,
        }
    }
    let shown = state.list_rows();
    let findings = worst_findings(&state.findings);
    for id in ListId::ALL {
        let mut list = state.lists.remove(&id).unwrap_or_default();
        list.derive(id, &state.rows, &findings, shown);
        state.lists.insert(id, list);
    }
}

/// The screen on top becomes this one.
pub fn on(mut state: State, screen: Screen) -> State {
    state.screens.push(screen);
    derive(&mut state);
    state
}

/// The state with this resource's detail open and its part `index` selected.
pub fn in_detail(state: State, id: &str, index: usize) -> State {
    let id = ResourceId::parse(id).unwrap();
    let mut detail = Detail::new(id.clone());
    if let Some(row) = state.rows.get(&id) {
        detail.select_part(row, index);
    }
    on(state, Screen::Detail(detail))
}

struct Made {
    row: Row,
    series: Vec<(SeriesKey, Series)>,
}

fn made(id: &str, health: Health, reasons: &[&str]) -> Made {
    let mut row = Row::new(ResourceId::parse(id).unwrap(), ago(4));
    row.health = health;
    row.reasons = reasons.iter().map(|reason| (*reason).to_owned()).collect();
    Made { row, series: Vec::new() }
}

impl Made {
    /// What the service itself said.
    fn api(mut self, field: &'static Field, number: f64) -> Self {
        self.row.fields.set(field, Value::number(number, ago(4), Origin::Api));
        self
    }

    fn text(mut self, field: &'static Field, text: &str) -> Self {
        self.row.fields.set(field, Value::text(text, ago(200)));
        self
    }

    fn missing(mut self, field: &'static Field, why: NoData) -> Self {
        self.row.fields.set(field, Value::missing(why, ago(80), Origin::CloudWatch));
        self
    }

    /// A CloudWatch number with the hour that led to it: quiet, then rising from `rise` minutes ago on.
    fn metric(mut self, field: &'static Field, before: f64, after: f64, rise: i64) -> Self {
        let minute = now().floor_to(60);
        let mut series = Series::default();
        series.merge((1..60).rev().map(|back| {
            let at = minute - Duration::from_secs(60 * back as u64);
            let wave = 1.0 + (back % 7) as f64 / 20.0;
            let share = ((rise - back) as f64 / rise as f64).clamp(0.0, 1.0);
            (at, before * wave + (after - before * wave) * share)
        }));
        self.row.fields.set(field, Value::number(after, ago(80), Origin::CloudWatch));
        let key = SeriesKey { resource: self.row.id.clone(), part: String::new(), field: field.id };
        self.series.push((key, series));
        self
    }

    fn link(mut self, relation: Relation, to: &str) -> Self {
        self.row.links.push(Link { to: ResourceId::parse(to).unwrap(), relation });
        self
    }

    fn put(self, state: &mut State) {
        state.series.extend(self.series);
        state.rows.insert(self.row.id.clone(), self.row);
    }
}

fn streams(state: &mut State) {
    let mut bids = made(
        "kinesis/bids",
        Health::Crit,
        &[
            "1.2k records a minute refused by write limits",
            "readers are 3m20s behind",
            "96% of its write capacity is in use",
        ],
    )
    .text(&kinesis::STATUS, "ACTIVE")
    .text(&kinesis::MODE, "PROVISIONED")
    .text(&kinesis::ARN, "arn:aws:kinesis:eu-west-1:111122223333:stream/bids")
    .api(&kinesis::OPEN_SHARDS, 4.0)
    .api(&kinesis::RETENTION_S, 86_400.0)
    .metric(&kinesis::ITERATOR_AGE_MS, 400.0, 200_000.0, 9)
    .metric(&kinesis::GETRECORDS_AGE_MS, 400.0, 200_000.0, 9)
    .metric(&kinesis::FANOUT_LAG_MS, 300.0, 420.0, 9)
    .text(&kinesis::LATEST_READER, "GetRecords")
    .text(&kinesis::FANOUT_LAGS, "audit 12ms, ledger 420ms")
    .text(&kinesis::CONSUMERS, "audit, ledger")
    .metric(&kinesis::IN_BYTES_PER_S, 600_000.0, 3_800_000.0, 10)
    .metric(&kinesis::IN_RECORDS_PER_S, 800.0, 3_100.0, 10)
    .metric(&kinesis::OUT_BYTES_PER_S, 1_200_000.0, 4_100_000.0, 10)
    .metric(&kinesis::WRITE_THROTTLED_PER_MIN, 0.0, 1_204.0, 9)
    .metric(&kinesis::READ_THROTTLED_PER_MIN, 0.0, 0.0, 9)
    .metric(&kinesis::UTILISATION_PERCENT, 20.0, 96.0, 10)
    .link(Relation::Feeds, "lambda/settle-bid");
    for (n, used, open) in [(0, 31.0, true), (1, 33.0, true), (2, 29.0, true), (3, 101.0, true), (4, 0.0, false)] {
        bids.row.parts.push(shard(n, used, open));
    }
    bids.put(state);
    made("kinesis/prices", Health::Ok, &[])
        .text(&kinesis::STATUS, "ACTIVE")
        .text(&kinesis::MODE, "ON_DEMAND")
        .api(&kinesis::OPEN_SHARDS, 2.0)
        .metric(&kinesis::ITERATOR_AGE_MS, 200.0, 210.0, 10)
        .metric(&kinesis::IN_BYTES_PER_S, 90_000.0, 95_000.0, 10)
        .missing(&kinesis::WRITE_THROTTLED_PER_MIN, NoData::NoDatapoints)
        .put(state);
}

fn shard(n: u32, used: f64, open: bool) -> Part {
    let quarter = u128::MAX / 4;
    let first = quarter * u128::from(n % 4);
    let mut fields = Fields::default();
    let mut number = |field, number| fields.set(field, Value::number(number, ago(80), Origin::CloudWatch));
    number(&kinesis::SHARD_SHARE_PERCENT, 25.0);
    number(&kinesis::SHARD_USE_PERCENT, used);
    number(&kinesis::IN_BYTES_PER_S, used * 10_000.0);
    number(&kinesis::IN_RECORDS_PER_S, used * 9.0);
    number(&kinesis::OUT_BYTES_PER_S, used * 20_000.0);
    number(&kinesis::ITERATOR_AGE_MS, if used > 100.0 { 200_000.0 } else { 300.0 });
    number(&kinesis::WRITE_THROTTLED_PER_MIN, if used > 100.0 { 1_204.0 } else { 0.0 });
    fields.set(&kinesis::READ_THROTTLED_PER_MIN, Value::missing(NoData::NotEnabled, ago(80), Origin::CloudWatch));
    fields.set(&kinesis::SHARD_STATE, Value::text(if open { "open" } else { "closed" }, ago(30)));
    fields.set(&kinesis::SHARD_RANGE, Value::text(format!("{first}-{}", first + quarter - 1), ago(30)));
    Part { id: format!("shardId-{n:012}"), fields }
}

fn queues(state: &mut State) {
    made("sqs/orders", Health::Warn, &["its oldest message has waited 6m11s"])
        .api(&sqs::VISIBLE, 1_830.0)
        .api(&sqs::IN_FLIGHT, 240.0)
        .api(&sqs::DELAYED, 0.0)
        .api(&sqs::MAX_RECEIVES, 3.0)
        .api(&sqs::DLQ_VISIBLE, 412.0)
        .text(&sqs::DLQ, "orders-dlq")
        .metric(&sqs::OLDEST_AGE_S, 2.0, 371.0, 8)
        .metric(&sqs::SENT_PER_MIN, 240.0, 900.0, 10)
        .metric(&sqs::DELETED_PER_MIN, 240.0, 610.0, 10)
        .link(Relation::DeadLettersTo, "sqs/orders-dlq")
        .link(Relation::Feeds, "lambda/fulfil-order")
        .put(state);
    let mut dlq = made("sqs/orders-dlq", Health::Crit, &["412 dead letters, 390 more in the last 10 minutes"])
        .api(&sqs::VISIBLE, 412.0)
        .api(&sqs::IN_FLIGHT, 0.0)
        .text(&sqs::ARN, "arn:aws:sqs:eu-west-1:111122223333:orders-dlq")
        .metric(&sqs::VISIBLE_HISTORY, 0.0, 412.0, 9)
        .metric(&sqs::OLDEST_AGE_S, 0.0, 480.0, 9)
        .missing(&sqs::SENT_PER_MIN, NoData::NoDatapoints)
        .missing(&sqs::DLQ, NoData::NotApplicable)
        .link(Relation::DeadLettersOf, "sqs/orders");
    dlq.row.parts = vec![task("RUNNING", 120.0, 412.0, Some(50.0)), task("COMPLETED", 18.0, 18.0, None)];
    dlq.put(state);
    made("sqs/mails", Health::Ok, &[])
        .api(&sqs::VISIBLE, 0.0)
        .api(&sqs::IN_FLIGHT, 3.0)
        .missing(&sqs::OLDEST_AGE_S, NoData::NoDatapoints)
        .missing(&sqs::DLQ_VISIBLE, NoData::NotApplicable)
        .put(state);
}

fn task(status: &str, moved: f64, to_move: f64, rate: Option<f64>) -> Part {
    let mut fields = Fields::default();
    fields.set(&sqs::TASK_STATUS, Value::text(status, ago(2)));
    fields.set(&sqs::TASK_MOVED, Value::number(moved, ago(2), Origin::Api));
    fields.set(&sqs::TASK_TO_MOVE, Value::number(to_move, ago(2), Origin::Api));
    fields.set(&sqs::TASK_DESTINATION, Value::text("each original source", ago(2)));
    if let Some(rate) = rate {
        fields.set(&sqs::TASK_RATE_PER_S, Value::number(rate, ago(2), Origin::Api));
    }
    Part { id: format!("task-{status}"), fields }
}

fn functions(state: &mut State) {
    let mut settle = made("lambda/settle-bid", Health::Warn, &["its stream batches are 3m20s old"])
        .api(&lambda::TIMEOUT_S, 3.0)
        .api(&lambda::MEMORY_MB, 512.0)
        .text(&lambda::RUNTIME, "nodejs24.x")
        .metric(&lambda::INVOCATIONS_PER_MIN, 120.0, 480.0, 10)
        .metric(&lambda::ERRORS_PER_MIN, 0.0, 0.0, 10)
        .metric(&lambda::ERROR_PERCENT, 0.0, 0.0, 10)
        .metric(&lambda::DURATION_P50_MS, 120.0, 180.0, 10)
        .metric(&lambda::DURATION_P95_MS, 300.0, 900.0, 10)
        .metric(&lambda::DURATION_P99_MS, 500.0, 2_460.0, 10)
        .metric(&lambda::DURATION_MAX_MS, 700.0, 2_990.0, 10)
        .metric(&lambda::ITERATOR_AGE_MS, 300.0, 200_000.0, 9)
        .missing(&lambda::RESERVED_CONCURRENCY, NoData::NotApplicable)
        .link(Relation::FedBy, "kinesis/bids");
    let mut mapping = Fields::default();
    mapping.set(&lambda::MAPPING_SOURCE, Value::text("kinesis/bids", ago(30)));
    mapping.set(&lambda::MAPPING_STATE, Value::text("Enabled", ago(30)));
    mapping.set(&lambda::MAPPING_BATCH_SIZE, Value::number(100.0, ago(30), Origin::Api));
    settle.row.parts.push(Part { id: "1f0c8a52-77aa-4f6e-9f2e-1a2b3c4d5e6f".into(), fields: mapping });
    settle.put(state);
    made("lambda/fulfil-order", Health::Warn, &["3.4% of its invocations fail"])
        .api(&lambda::TIMEOUT_S, 10.0)
        .metric(&lambda::INVOCATIONS_PER_MIN, 240.0, 640.0, 10)
        .metric(&lambda::ERRORS_PER_MIN, 0.0, 22.0, 9)
        .metric(&lambda::ERROR_PERCENT, 0.0, 3.4, 9)
        .metric(&lambda::DURATION_P99_MS, 800.0, 1_100.0, 10)
        .link(Relation::FedBy, "sqs/orders")
        .put(state);
    let mut audit = made("lambda/audit", Health::Ok, &[])
        .api(&lambda::TIMEOUT_S, 60.0)
        .missing(&lambda::INVOCATIONS_PER_MIN, NoData::NoDatapoints)
        .missing(&lambda::ERRORS_PER_MIN, NoData::Denied);
    audit.row.stale = Some(Stale { since: ago(190), sentence: "Lambda did not answer: timed out".into() });
    audit.put(state);
}

/// `rows` resources over the kinds, a tenth of them unwell, each with an hour of its main chart.
pub fn many(rows: usize, width: u16, height: u16) -> State {
    let mut state = nothing_yet();
    state.size = Size { width, height };
    for n in 0..rows {
        let kind = KindId::ALL[n % KindId::ALL.len()];
        let (health, reasons): (Health, &[&str]) = match n % 20 {
            0 => (Health::Crit, &["records are refused by write limits", "readers are behind"]),
            10 => (Health::Warn, &["it is slower than it was"]),
            _ => (Health::Ok, &[]),
        };
        let id = format!("{}/service-{n:05}", kind.word());
        let growing = (n % 97) as f64;
        let one = made(&id, health, reasons);
        match kind {
            KindId::Kinesis => one
                .text(&kinesis::STATUS, "ACTIVE")
                .api(&kinesis::OPEN_SHARDS, growing + 1.0)
                .metric(&kinesis::ITERATOR_AGE_MS, 300.0, growing * 1000.0, 20)
                .api(&kinesis::WRITE_THROTTLED_PER_MIN, growing)
                .api(&kinesis::UTILISATION_PERCENT, growing),
            KindId::Sqs => one
                .api(&sqs::VISIBLE, growing * 40.0)
                .api(&sqs::IN_FLIGHT, growing)
                .metric(&sqs::VISIBLE_HISTORY, 10.0, growing * 40.0, 20)
                .missing(&sqs::OLDEST_AGE_S, NoData::NoDatapoints),
            KindId::Lambda => one
                .metric(&lambda::ERRORS_PER_MIN, 1.0, growing, 20)
                .api(&lambda::INVOCATIONS_PER_MIN, growing * 30.0)
                .api(&lambda::DURATION_P99_MS, growing * 11.0),
            KindId::Sns => one
                .metric(&sns::FAILED_PER_MIN, 1.0, growing, 20)
                .api(&sns::PUBLISHED_PER_MIN, growing * 30.0)
                .api(&sns::SUBSCRIPTIONS, growing),
            KindId::Swf => one.metric(&swf::PENDING_DECISIONS, 1.0, growing, 20).api(&swf::OPEN, growing * 30.0),
            KindId::Firehose => one.metric(&firehose::FRESHNESS_S, 60.0, growing, 20),
            KindId::Alarm => one.text(&alarm::STATE, "OK"),
            KindId::Kcl => one.metric(&kcl::RENEWALS_PER_MIN, 60.0, growing, 20).api(&kcl::LEASES, growing),
        }
        .put(&mut state);
    }
    derive(&mut state);
    state
}

/// A plan with doubts, as the confirm dialog shows it.
pub fn plan(safety: Safety) -> Plan {
    Plan {
        action: ActionId::Redrive,
        resource: ResourceId::new(KindId::Sqs, "orders-dlq"),
        preview: vec![
            "Moves about 412 messages from orders-dlq back to orders, at most 50 a second: about 9 s.".into(),
            "A message that still cannot be worked comes back here after 3 receives.".into(),
        ],
        warnings: vec!["lambda/fulfil-order still fails 3.4% of its invocations: no cause has gone away yet.".into()],
        calls: vec![Call::StartMessageMoveTask {
            source_arn: "arn:aws:sqs:eu-west-1:111122223333:orders-dlq".into(),
            destination_arn: None,
            max_per_s: Some(50),
        }],
        safety,
        expect: Expect::MoveTaskEnds { before: 412 },
        made_at: now(),
    }
}

/// A job that ended with an invocation's answer.
pub fn answered(payload: &str, log_tail: &str, function_error: Option<&str>) -> Job {
    let answer = Answer {
        status: 200,
        function_error: function_error.map(str::to_owned),
        payload: payload.to_owned(),
        log_tail: log_tail.to_owned(),
        executed_version: Some("$LATEST".into()),
    };
    let plan = Plan {
        action: ActionId::Invoke,
        resource: ResourceId::new(KindId::Lambda, "settle-bid"),
        ..plan(Safety::Costly)
    };
    Job {
        id: PlanId(7),
        plan,
        confirmed_at: ago(30),
        outcomes: vec![CallOutcome::Answered(answer)],
        stage: Stage::Done,
        sentence: "invoke settle-bid: answered in 182ms".into(),
    }
}

/// What could not be looked at.
pub fn with_problems(mut state: State) -> State {
    for (service, operation, class, sentence) in [
        (
            "cloudwatch",
            "GetMetricData",
            ErrorClass::Throttled,
            "CloudWatch throttled 3 calls; the numbers are older than usual.",
        ),
        (
            "sqs",
            "ListMessageMoveTasks",
            ErrorClass::Denied,
            "night-watch may not call sqs:ListMessageMoveTasks: add it to its policy (`midwatch policy`).",
        ),
    ] {
        let (place, sentence) = (Place::default(), sentence.into());
        let problem = Problem { place, service, operation, class, of_place: false, sentence };
        state.problems.insert((problem.place.clone(), service, operation), problem);
    }
    state
}

/// Somebody has changed this and that: a deploy before the trouble, a redrive, a refusal, and what names nothing here.
pub fn with_changes(mut state: State) -> State {
    let change =
        |minutes: u64, service: &str, event: &str, who: &str, resources: &[&str], settings: &[(&str, &str)]| Change {
            id: format!("{event}-{minutes}"),
            place: Place::default(),
            at: ago(60 * minutes),
            service: service.into(),
            event: event.into(),
            who: who.into(),
            source_ip: Some("198.51.100.17".into()),
            resources: resources.iter().map(|id| ResourceId::parse(id).unwrap()).collect(),
            part: None,
            role: None,
            settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            error_code: None,
            by_midwatch: false,
        };
    let mut redrive = change(
        3,
        "sqs",
        "StartMessageMoveTask",
        "night-watch",
        &["sqs/orders-dlq"],
        &[("maxNumberOfMessagesPerSecond", "50")],
    );
    redrive.by_midwatch = true;
    let mut refused = change(
        21,
        "kinesis",
        "UpdateShardCount",
        "deploy/jenkins-812",
        &["kinesis/bids"],
        &[("targetShardCount", "64")],
    );
    refused.error_code = Some("LimitExceededException".into());
    let changes = [
        redrive,
        change(
            11,
            "lambda",
            "UpdateFunctionCode",
            "ci-deploy",
            &["lambda/fulfil-order"],
            &[("s3Key", "fulfil-order/7.zip")],
        ),
        change(
            12,
            "sqs",
            "SetQueueAttributes",
            "ana@example.com",
            &["sqs/orders"],
            &[("VisibilityTimeout", "5"), ("Policy", "")],
        ),
        refused,
        change(40, "lambda", "PublishLayerVersion", "ci-deploy", &[], &[("layerName", "deps")]),
    ];
    state.changes.merge(&Place::default(), ago(4800), changes, now());
    state
}

/// A sentence in the status line.
pub fn with_toast(mut state: State, tone: Tone, text: &str) -> State {
    state.toasts.push_back(Toast { text: text.into(), tone, at: now(), until: now() + Duration::from_secs(8) });
    state
}

fn execution(number: u32, started: u64, closed: Option<(u64, Ended)>) -> Execution {
    Execution {
        of: ExecutionRef { workflow_id: format!("order-{number}"), run_id: format!("22{number}x0y") },
        workflow_type: "process-order/1.0".into(),
        started: ago(started),
        closed: closed.map(|(seconds, ended)| (ago(seconds), ended)),
        cancel_requested: number == 4104,
        parent: (number == 4105).then(|| "cart-17".to_owned()),
    }
}

/// A domain's list: some open, the newest closed, trouble among them.
pub fn throttled() -> ThrottledScreen {
    let calls = |operation: &str, who: &str, count: usize, seconds: u64| ThrottledCalls {
        service: "kinesis".into(),
        operation: operation.into(),
        code: "LimitExceededException".into(),
        who: who.into(),
        count,
        newest: ago(seconds),
    };
    let found = Throttled {
        calls: vec![calls("DescribeStream", "dashboards/refresh", 1412, 310), calls("ListShards", "ana", 3, 900)],
        events: 250,
        from: ago(1800),
        is_cut: false,
    };
    ThrottledScreen { place: Place::default(), answer: Some(Ok(found)), index: 1 }
}

pub fn executions() -> ExecutionsScreen {
    let mut screen = ExecutionsScreen::new(ResourceId::parse("swf/orders").unwrap());
    let open = (0..14).map(|n| execution(4100 + n, 8000 - u64::from(n) * 500, None)).collect();
    let ended = |n: u32| match n {
        2 => Ended::Failed,
        4 => Ended::TimedOut,
        6 => Ended::Canceled,
        7 => Ended::Terminated,
        _ => Ended::Completed,
    };
    let closed = |n: u32| execution(4090 - n, 900 + u64::from(n) * 60, Some((30 + u64::from(n) * 45, ended(n))));
    screen.listed = Executions {
        open: Listed { executions: open, is_whole: true, trouble: None },
        closed: Listed { executions: (0..40).map(closed).collect(), is_whole: false, trouble: None },
    };
    screen.is_read = true;
    screen.select(2);
    screen
}

fn happened(id: u64, seconds: u64, kind: &str, about: &str, opened_by: Option<u64>) -> Event {
    let list = match kind {
        "DecisionTaskScheduled" => Some("deciders".to_owned()),
        "ActivityTaskScheduled" => Some("chargers".to_owned()),
        _ => None,
    };
    let (at, kind, about) = (ago(seconds), kind.to_owned(), about.to_owned());
    Event { id, at, kind, about, opened_by, list, ..Event::default() }
}

/// An order whose card could not be charged, and which waits for the next try.
fn events() -> Vec<Event> {
    let said = |said: &str, event: Event| Event { said: said.to_owned(), ..event };
    let within = |seconds, event: Event| Event { end_within_s: Some(seconds), ..event };
    vec![
        happened(1, 7000, "WorkflowExecutionStarted", "process-order/1.0", None),
        happened(2, 7000, "DecisionTaskScheduled", "", None),
        happened(3, 6998, "DecisionTaskStarted", "decider-1", Some(2)),
        happened(4, 6997, "DecisionTaskCompleted", "", Some(2)),
        happened(5, 6997, "ActivityTaskScheduled", "charge-card/1.0 7", None),
        happened(6, 6990, "ActivityTaskStarted", "charger-3", Some(5)),
        said(
            "card declined: the gateway answered 402\u{1b}[31m twice and then closed the connection, see ticket 4711",
            happened(7, 6950, "ActivityTaskFailed", "", Some(5)),
        ),
        happened(8, 6950, "DecisionTaskScheduled", "", None),
        happened(9, 6940, "DecisionTaskStarted", "decider-1", Some(8)),
        happened(10, 6939, "DecisionTaskCompleted", "", Some(8)),
        within(4400, happened(11, 6939, "TimerStarted", "retry", None)),
        said("card=new", happened(12, 2600, "WorkflowExecutionSignaled", "card-changed", None)),
        happened(13, 2539, "TimerFired", "retry", Some(11)),
        happened(14, 2539, "DecisionTaskScheduled", "", None),
        happened(15, 2470, "DecisionTaskStarted", "decider-2", Some(14)),
        happened(16, 2460, "DecisionTaskCompleted", "", Some(14)),
        happened(17, 2460, "ActivityTaskScheduled", "charge-card/1.0 8", None),
        happened(18, 2460, "StartChildWorkflowExecutionInitiated", "reserve-room/2.1 room-7", None),
        happened(19, 2459, "ChildWorkflowExecutionStarted", "room-7", Some(18)),
    ]
}

fn read(number: u32, closed: Option<(u64, Ended)>, open: OpenCounts, events: Vec<Event>) -> HistoryScreen {
    let execution = execution(number, 7000, closed);
    let of = execution.of.clone();
    let described = Described {
        execution,
        execution_timeout_s: Some(86_400),
        decision_timeout_s: Some(30),
        task_list: Some("deciders".into()),
        open,
    };
    let waiting = vec![Waiting { tasks: Tasks::Activities, list: "chargers".into(), count: 12 }];
    let mut screen = HistoryScreen::new(ResourceId::parse("swf/orders").unwrap(), of);
    screen.history.take(Ok(HistoryAnswer { described: Ok(described), events, waiting }));
    screen
}

/// The history of an order that waits for a worker.
pub fn history() -> HistoryScreen {
    let open = OpenCounts { activities: 1, children: 1, ..OpenCounts::default() };
    read(4102, None, open, events())
}

/// The same order, ended by somebody.
pub fn history_over() -> HistoryScreen {
    let mut events = events();
    let why = "OPERATOR_INITIATED: charged by hand".to_owned();
    events.push(Event { said: why, ..happened(20, 300, "WorkflowExecutionTerminated", "", None) });
    read(4102, Some((300, Ended::Terminated)), OpenCounts::default(), events)
}
