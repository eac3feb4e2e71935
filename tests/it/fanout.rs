//! Enhanced fan-out with the AWS SDK: an event stream in process, over HTTP/1.1 and over HTTP/2.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{
    ConsumerStatus, ShardIteratorType, StartingPosition, StreamStatus, SubscribeToShardEvent,
    SubscribeToShardEventStream as Pushed,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use midwatch::domain::time::Timestamp;
use midwatch::sim::clock::VirtualClock;
use midwatch::sim::connector::EngineConnector;
use midwatch::sim::cx::Place;
use midwatch::sim::engine::{self, Handle};
use midwatch::sim::server;
use midwatch::sim::world::World;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

const SHARD: &str = "shardId-000000000000";

fn start(speed: f64) -> Handle {
    let at = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    engine::start(World::new(1, at, place), VirtualClock::start(at, speed))
}

fn config() -> aws_sdk_kinesis::config::Builder {
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("demo", "demo", None, None, "demo"))
}

/// A client in the engine's own process and time.
fn in_process(engine: &Handle) -> Client {
    let clock = engine.clock();
    let connector = EngineConnector::new(engine.clone());
    Client::from_conf(config().http_client(connector).time_source(clock).sleep_impl(clock).build())
}

/// The listener on a free port.
async fn listen(engine: &Handle) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server::serve(listener, engine.clone(), std::future::pending()));
    address
}

async fn put(client: &Client, key: &str) {
    client.put_record().stream_name("bids").partition_key(key).data(Blob::new(key)).send().await.unwrap();
}

/// A stream of one shard and an ACTIVE consumer of it; the consumer's ARN.
async fn consumer(client: &Client, clock: VirtualClock) -> String {
    client.create_stream().stream_name("bids").shard_count(1).send().await.unwrap();
    let summary = loop {
        clock.sleep(Duration::from_secs(1)).await;
        let summary = client.describe_stream_summary().stream_name("bids").send().await.unwrap();
        let summary = summary.stream_description_summary().unwrap().clone();
        if *summary.stream_status() == StreamStatus::Active {
            break summary;
        }
    };
    let consumer = client.register_stream_consumer().stream_arn(summary.stream_arn()).consumer_name("ledger");
    let consumer = consumer.send().await.unwrap();
    let arn = consumer.consumer().unwrap().consumer_arn().to_owned();
    loop {
        clock.sleep(Duration::from_secs(1)).await;
        let described = client.describe_stream_consumer().consumer_arn(&arn).send().await.unwrap();
        if *described.consumer_description().unwrap().consumer_status() == ConsumerStatus::Active {
            return arn;
        }
    }
}

fn from_the_start() -> StartingPosition {
    StartingPosition::builder().r#type(ShardIteratorType::TrimHorizon).build().unwrap()
}

fn bodies(event: &SubscribeToShardEvent) -> Vec<String> {
    event.records().iter().map(|record| String::from_utf8(record.data().as_ref().to_vec()).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_sdk_is_pushed_records_in_process_for_five_minutes() {
    let engine = start(1.0);
    let client = in_process(&engine);
    let arn = consumer(&client, engine.clock()).await;
    put(&client, "first").await;
    let subscription = client.subscribe_to_shard().consumer_arn(&arn).shard_id(SHARD);
    let mut subscription = subscription.starting_position(from_the_start()).send().await.unwrap();
    let began = engine.clock().now();
    let Some(Pushed::SubscribeToShardEvent(event)) = subscription.event_stream.recv().await.unwrap() else {
        panic!("an event was to come first")
    };
    assert_eq!(bodies(&event), ["first"]);
    assert_eq!(event.continuation_sequence_number(), event.records()[0].sequence_number());
    put(&client, "second").await;
    let (mut seen, mut quiet) = (vec![], 0);
    while let Some(Pushed::SubscribeToShardEvent(event)) = subscription.event_stream.recv().await.unwrap() {
        quiet += u32::from(event.records().is_empty());
        seen.extend(bodies(&event));
    }
    assert_eq!(seen, ["second"]);
    assert!(quiet > 30, "a quiet shard says so every few seconds, and not {quiet} times");
    let lasted = engine.clock().now().since(began).as_secs_f64();
    assert!((298.0..302.0).contains(&lasted), "{lasted} s");
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_deregistered_ends_its_subscriptions_with_an_error() {
    let engine = start(1.0);
    let client = in_process(&engine);
    let arn = consumer(&client, engine.clock()).await;
    let subscription = client.subscribe_to_shard().consumer_arn(&arn).shard_id(SHARD);
    let mut subscription = subscription.starting_position(from_the_start()).send().await.unwrap();
    assert!(subscription.event_stream.recv().await.unwrap().is_some());
    client.deregister_stream_consumer().consumer_arn(&arn).send().await.unwrap();
    let error = subscription.event_stream.recv().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_resource_not_found_exception(), "{error:?}");
}

#[tokio::test]
async fn the_sdk_is_pushed_records_over_the_listener() {
    let engine = start(20.0);
    let address = listen(&engine).await;
    let client = Client::from_conf(config().endpoint_url(format!("http://{address}")).build());
    let arn = consumer(&client, engine.clock()).await;
    put(&client, "first").await;
    let subscription = client.subscribe_to_shard().consumer_arn(&arn).shard_id(SHARD);
    let mut subscription = subscription.starting_position(from_the_start()).send().await.unwrap();
    put(&client, "second").await;
    let mut seen = vec![];
    while seen.len() < 2 {
        let Some(Pushed::SubscribeToShardEvent(event)) = subscription.event_stream.recv().await.unwrap() else {
            panic!("ended after {seen:?}")
        };
        seen.extend(bodies(&event));
    }
    assert_eq!(seen, ["first", "second"]);
}

#[tokio::test]
async fn one_connection_of_http_2_carries_a_subscription_and_other_requests() {
    let engine = start(20.0);
    let address = listen(&engine).await;
    let arn = consumer(&in_process(&engine), engine.clock()).await;
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut http, connection) =
        hyper::client::conn::http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = |operation: &str, body: String| {
        hyper::Request::post(format!("http://{address}/"))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("Kinesis_20131202.{operation}"))
            .body(Full::new(Bytes::from(body)))
            .unwrap()
    };
    let subscribe = serde_json::json!({
        "ConsumerARN": arn, "ShardId": SHARD, "StartingPosition": { "Type": "LATEST" },
    });
    let answer = http.send_request(request("SubscribeToShard", subscribe.to_string())).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, hyper::Version::HTTP_2));
    assert_eq!(answer.headers()["content-type"], "application/vnd.amazon.eventstream");
    let mut events = answer.into_body();
    let put = serde_json::json!({ "StreamName": "bids", "PartitionKey": "k", "Data": "aG90ZWw=" });
    let answer = http.send_request(request("PutRecord", put.to_string())).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let mut seen = String::new();
    while !seen.contains("aG90ZWw=") {
        let frame = events.frame().await.expect("the stream goes on").unwrap();
        seen.push_str(&String::from_utf8_lossy(&frame.into_data().unwrap_or_default()));
    }
    let first = seen.find("initial-response").expect("the answer's own members come first");
    assert!(first < seen.find("SubscribeToShardEvent").unwrap());
}
