//! A stream with several readers, of which only the enhanced fan-out consumer is late: seen, named, and forgotten when it
//! has caught up.

use crate::estate::{Desk, MINUTE, with_faults};
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_kinesis::primitives::{Blob, DateTime};
use aws_sdk_kinesis::types::{ShardIteratorType, StartingPosition};
use midwatch::domain::finding::Cause;
use midwatch::domain::row::Health;
use midwatch::domain::value::NoData;
use midwatch::kinds::kinesis;
use midwatch::sim::connector::EngineConnector;
use std::time::Duration;

const STREAM: &str = "kinesis/order-log";
const SHARD: &str = "shardId-000000000000";
const STEP: Duration = Duration::from_secs(15);

/// A consumer with a road of its own.
struct Consumer {
    client: Client,
    arn: String,
}

impl Consumer {
    async fn register(desk: &mut Desk, name: &str) -> Self {
        let (engine, clock) = (desk.engine(), desk.engine().clock());
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("other", "other", None, None, "other"))
            .http_client(EngineConnector::new(engine))
            .time_source(clock)
            .sleep_impl(clock);
        let client = Client::from_conf(config.build());
        let stream = client.describe_stream_summary().stream_name("order-log").send().await.unwrap();
        let arn = stream.stream_description_summary().unwrap().stream_arn();
        let consumer = client.register_stream_consumer().stream_arn(arn).consumer_name(name).send().await.unwrap();
        let arn = consumer.consumer().unwrap().consumer_arn().to_owned();
        desk.runner.run_for(STEP).await;
        Self { client, arn }
    }

    /// Reads one event from so far back, again and again. Two large records do not fit into one event: what is read from
    /// long ago does not come near to now.
    async fn reads(&self, desk: &mut Desk, behind: Duration, minutes: u32) {
        for _ in 0..minutes * 4 {
            let large = self.client.put_record().stream_name("order-log").partition_key("large");
            large.data(Blob::new(vec![b'x'; 600_000])).send().await.unwrap();
            let from = desk.engine().clock().now() - behind;
            let position = StartingPosition::builder()
                .r#type(ShardIteratorType::AtTimestamp)
                .timestamp(DateTime::from_millis(from.millis()));
            let subscription = self.client.subscribe_to_shard().consumer_arn(&self.arn).shard_id(SHARD);
            let subscription = subscription.starting_position(position.build().unwrap()).send().await;
            let mut subscription = subscription.unwrap();
            assert!(subscription.event_stream.recv().await.unwrap().is_some());
            drop(subscription);
            desk.runner.run_for(STEP).await;
        }
    }
}

fn found(desk: &Desk) -> Vec<(Cause, String)> {
    desk.runner.state().findings.iter().map(|found| (found.cause, found.sentence.clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_fan_out_consumer_that_alone_is_late_is_the_streams_lag_by_its_name() {
    let mut desk = Desk::over(&with_faults(&[]), 1, 0.15).await;
    assert_eq!(desk.row(STREAM).fields.why_missing(&kinesis::FANOUT_LAG_MS), Some(NoData::NotApplicable));
    assert_eq!(desk.row(STREAM).fields.text(&kinesis::LATEST_READER), Some("GetRecords"));
    let ledger = Consumer::register(&mut desk, "ledger").await;
    // A new one is found soon where somebody looks.
    desk.runner.keys(":kinesis/order-log<enter>").unwrap();
    ledger.reads(&mut desk, Duration::from_millis(400), 4).await;
    assert_eq!(desk.row(STREAM).fields.text(&kinesis::CONSUMERS), Some("ledger"));
    assert!(desk.number(STREAM, &kinesis::FANOUT_LAG_MS) < 5_000.0);
    assert_eq!((found(&desk), desk.row(STREAM).health), (vec![], Health::Ok));

    ledger.reads(&mut desk, MINUTE * 3, 4).await;
    let lag = desk.number(STREAM, &kinesis::ITERATOR_AGE_MS);
    assert!((120_000.0..=190_000.0).contains(&lag), "{lag}");
    assert_eq!(desk.row(STREAM).fields.text(&kinesis::LATEST_READER), Some("fan-out consumer ledger"));
    assert!(desk.number(STREAM, &kinesis::GETRECORDS_AGE_MS) < 10_000.0);
    let reasons = &desk.row(STREAM).reasons;
    assert!(reasons[0].starts_with("fan-out consumer ledger is "), "{reasons:?}");
    let [(Cause::SlowConsumer, sentence)] = &found(&desk)[..] else { panic!("{:?}", found(&desk)) };
    assert!(sentence.starts_with("Fan-out consumer ledger reads order-log "), "{sentence}");
    assert!(sentence.ends_with("those who share the shards' reads are not late."), "{sentence}");

    // It is asked for as well where nobody looks.
    desk.runner.keys("1").unwrap();
    ledger.reads(&mut desk, Duration::from_millis(400), 4).await;
    assert!(desk.number(STREAM, &kinesis::ITERATOR_AGE_MS) < 10_000.0);
    assert_eq!((found(&desk), desk.row(STREAM).health), (vec![], Health::Ok));
    let asked = desk.asked().await;
    assert!(asked["kinesis:ListStreamConsumers"] <= 14, "{asked:?}");
    assert_eq!(desk.runner.state().problems, [].into());
}

/// What the list of consumers costs a stream: a call in a quarter of an hour.
#[tokio::test(start_paused = true)]
async fn consumers_are_seldom_listed_where_nobody_looks() {
    let mut desk = Desk::over(&with_faults(&[]), 1, 0.15).await;
    desk.runner.keys(":sqs/billing<enter>").unwrap();
    desk.runner.run_for(MINUTE * 14).await;
    let streams = desk.runner.state().rows.keys().filter(|id| id.kind.word() == "kinesis").count() as u64;
    let asked = desk.asked().await["kinesis:ListStreamConsumers"];
    assert!((streams..=streams + 1).contains(&asked), "{asked} for {streams} streams");
}
