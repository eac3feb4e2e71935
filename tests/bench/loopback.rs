//! The engine over loopback HTTP, and the same load against every emulator whose command is installed: prebuilt requests
//! over kept-alive connections, one thread each. What the generator itself can do is measured against a server that
//! answers without looking.

use crate::figure::Figures;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 4;
/// How long each load lasts: by time and not by number, because a slow server would take minutes for a fast one's number.
const LOAD_TIME: Duration = Duration::from_secs(3);
const BODY_BYTES: usize = 200;
const SHARDS: usize = 4;
/// Records that one GetRecords asks for.
const GET_LIMIT: usize = 1000;
/// How many times as much as the best peer is wanted.
const TIMES_A_PEER: f64 = 5.0;

/// What one server did in a second.
struct Rates {
    sent: f64,
    received_and_deleted: f64,
    put: f64,
    got: f64,
}

/// Whether there is somebody to measure against.
pub fn has_peer() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Peer::all().iter().any(|peer| std::env::split_paths(&path).any(|folder| folder.join(peer.command).is_file()))
}

pub fn run(figures: &mut Figures) {
    let ceiling = ceiling();
    let peer = Peer::all().into_iter().filter_map(|peer| Some((peer.name, peer.measure()?))).next();
    let Some(server) = Served::midwatch() else {
        eprintln!("loopback: midwatch did not start");
        return;
    };
    let ours = measure(server.address);
    drop(server);
    let target = |of: fn(&Rates) -> f64| peer.as_ref().map_or(0.0, |(_, rates)| TIMES_A_PEER * of(rates));
    for (name, unit, of) in [
        ("loopback_sqs_send", "messages/s", (|r| r.sent) as fn(&Rates) -> f64),
        ("loopback_sqs_receive_delete", "messages/s", |r| r.received_and_deleted),
        ("loopback_kinesis_put", "records/s", |r| r.put),
        ("loopback_kinesis_get", "records/s", |r| r.got),
    ] {
        if let Some((peer, rates)) = &peer {
            eprintln!("{name} of {peer}: {:.0} {unit}, midwatch {:.1} times as much", of(rates), of(&ours) / of(rates));
        }
        figures.above(name, of(&ours), unit, target(of));
    }
    // Requests of ten messages: the generator must be able to do several times what is measured with it.
    figures.above("loopback_generator", ceiling, "requests/s", 2.0 * ours.sent / 10.0);
}

/// Another emulator: its command, and how it is started on a port.
struct Peer {
    name: &'static str,
    command: &'static str,
    arguments: fn(u16) -> Vec<String>,
}

impl Peer {
    fn all() -> [Self; 1] {
        [Self {
            name: "roto",
            command: "roto-server",
            arguments: |port| vec!["--ephemeral".into(), "--port".into(), port.to_string()],
        }]
    }

    /// `None` when it is not installed or does not start.
    fn measure(&self) -> Option<Rates> {
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let mut command = Command::new(self.command);
        command.args((self.arguments)(port)).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().ok()?;
        let served = Served { child, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        let started = Instant::now();
        while TcpStream::connect(served.address).is_err() {
            if started.elapsed() > Duration::from_secs(20) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(measure(served.address))
    }
}

/// A running server, ended with this value.
struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    fn midwatch() -> Option<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_midwatch"));
        command.args(["sim", "--listen", "127.0.0.1:0", "--limits", "off"]).stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
        let address = line.split_once("http://")?.1.split_whitespace().next()?.parse().ok()?;
        Some(Self { child, address })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs all four loads.
fn measure(address: SocketAddr) -> Rates {
    let mut control = Client::connect(address);
    control.ask(&request("AmazonSQS.CreateQueue", r#"{"QueueName":"load"}"#));
    let create = format!(r#"{{"StreamName":"load","ShardCount":{SHARDS}}}"#);
    control.ask(&request("Kinesis_20131202.CreateStream", &create));
    let summary = request("Kinesis_20131202.DescribeStreamSummary", r#"{"StreamName":"load"}"#);
    let started = Instant::now();
    while !control.ask(&summary).contains("\"ACTIVE\"") && started.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(200));
    }
    let queue = format!("http://{address}/123456789012/load");
    Rates {
        sent: together(address, |client, _, until| send(client, &queue, until)),
        received_and_deleted: together(address, |client, _, until| receive_and_delete(client, &queue, until)),
        put: together(address, put),
        got: together(address, get),
    }
}

/// Does the same on several connections at once; how much all of them did in a second. Connections that fail do nothing.
fn together(address: SocketAddr, work: impl Fn(&mut Client, usize, Instant) -> usize + Sync) -> f64 {
    let started = Instant::now();
    let until = started + LOAD_TIME;
    let done: usize = std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> =
            (0..CONNECTIONS).map(|n| scope.spawn(move || work(&mut Client::connect(address), n, until))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_default()).sum()
    });
    done as f64 / started.elapsed().as_secs_f64()
}

fn send(client: &mut Client, queue: &str, until: Instant) -> usize {
    let body = "m".repeat(BODY_BYTES);
    let entries: Vec<String> = (0..10).map(|i| format!(r#"{{"Id":"{i}","MessageBody":"{body}"}}"#)).collect();
    let batch = format!(r#"{{"QueueUrl":"{queue}","Entries":[{}]}}"#, entries.join(","));
    let batch = request("AmazonSQS.SendMessageBatch", &batch);
    let mut sent = 0;
    while Instant::now() < until {
        sent += client.ask(&batch).matches("\"MessageId\"").count();
    }
    sent
}

/// What is received was sent before; it ends when nothing is left.
fn receive_and_delete(client: &mut Client, queue: &str, until: Instant) -> usize {
    let receive = format!(r#"{{"QueueUrl":"{queue}","MaxNumberOfMessages":10}}"#);
    let receive = request("AmazonSQS.ReceiveMessage", &receive);
    let mut deleted = 0;
    while Instant::now() < until {
        let mut body = format!(r#"{{"QueueUrl":"{queue}","Entries":["#);
        let mut count = 0;
        for handle in texts(client.ask(&receive), "ReceiptHandle") {
            let comma = if count == 0 { "" } else { "," };
            let _ = write!(body, r#"{comma}{{"Id":"{count}","ReceiptHandle":"{handle}"}}"#);
            count += 1;
        }
        if count == 0 {
            break;
        }
        body.push_str("]}");
        let answer = client.ask(&request("AmazonSQS.DeleteMessageBatch", &body));
        if !answer.contains("\"Failed\":[{") {
            deleted += count;
        }
    }
    deleted
}

fn put(client: &mut Client, connection: usize, until: Instant) -> usize {
    let data = "ZGF0YWRhdGFk".repeat(BODY_BYTES / 9 + 1);
    let record = |i: usize| format!(r#"{{"Data":"{data}","PartitionKey":"key-{connection}-{i}"}}"#);
    let records: Vec<String> = (0..100).map(record).collect();
    let batch = format!(r#"{{"StreamName":"load","Records":[{}]}}"#, records.join(","));
    let batch = request("Kinesis_20131202.PutRecords", &batch);
    let mut stored = 0;
    while Instant::now() < until {
        stored += client.ask(&batch).matches("\"SequenceNumber\"").count();
    }
    stored
}

/// Each connection reads one shard, from its beginning again when it has come to the tip.
fn get(client: &mut Client, connection: usize, until: Instant) -> usize {
    let begin = format!(
        r#"{{"StreamName":"load","ShardId":"shardId-{:012}","ShardIteratorType":"TRIM_HORIZON"}}"#,
        connection % SHARDS
    );
    let begin = request("Kinesis_20131202.GetShardIterator", &begin);
    let (mut iterator, mut got) = (String::new(), 0);
    while Instant::now() < until {
        if iterator.is_empty() {
            iterator = texts(client.ask(&begin), "ShardIterator").next().unwrap_or_default().to_owned();
        }
        let body = format!(r#"{{"ShardIterator":"{iterator}","Limit":{GET_LIMIT}}}"#);
        let answer = client.ask(&request("Kinesis_20131202.GetRecords", &body));
        let records = answer.matches("\"PartitionKey\"").count();
        iterator = texts(answer, "NextShardIterator").next().filter(|_| records > 0).unwrap_or_default().to_owned();
        got += records;
    }
    got
}

/// The texts of all members of this name, as they stand in a JSON text (none of those read here has escapes).
fn texts<'a>(json: &'a str, member: &str) -> impl Iterator<Item = &'a str> {
    let start = format!("\"{member}\":");
    let after = json.match_indices(&start).map(|(at, _)| at).collect::<Vec<_>>();
    after.into_iter().filter_map(move |at| json[at + start.len()..].trim_start().strip_prefix('"')?.split('"').next())
}

fn request(target: &str, body: &str) -> Vec<u8> {
    let service = if target.starts_with("AmazonSQS") { "sqs" } else { "kinesis" };
    let version = if service == "sqs" { "1.0" } else { "1.1" };
    let scope = format!("Credential=AKIAIOSFODNN7EXAMPLE/20261127/eu-west-1/{service}/aws4_request");
    format!(
        "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-amz-json-{version}\r\nx-amz-target: {target}\r\n\
         x-amz-date: 20261127T180000Z\r\nauthorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host;x-amz-date, \
         Signature=0000000000000000000000000000000000000000000000000000000000000000\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// One kept-alive connection.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, buffer: Vec::new() }
    }

    /// Sends a request and reads the answer's body.
    fn ask(&mut self, request: &[u8]) -> &str {
        self.stream.write_all(request).expect("the server reads");
        self.buffer.clear();
        let (mut length, mut chunk) = (None, [0; 1 << 16]);
        loop {
            let read = self.stream.read(&mut chunk).expect("the server answers");
            assert!(read > 0, "the server hung up");
            self.buffer.extend_from_slice(&chunk[..read]);
            length = length.or_else(|| span_of(&self.buffer));
            if let Some((head, body)) = length
                && self.buffer.len() >= head + body
            {
                return std::str::from_utf8(&self.buffer[head..head + body]).expect("text");
            }
        }
    }
}

/// Bytes of an answer's head and of its body, once its head is there.
fn span_of(answer: &[u8]) -> Option<(usize, usize)> {
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).ok()?.to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"))?.trim().parse().ok()?;
    Some((head, length))
}

/// Requests a second that the generator does against a server that answers without looking.
fn ceiling() -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let answer = {
        let entry = r#"{"Id":"0","MessageId":"00000000-0000-0000-0000-000000000000","MD5OfMessageBody":"00000000"}"#;
        let body = format!(r#"{{"Successful":[{}]}}"#, [entry; 10].join(","));
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten().take(CONNECTIONS) {
            let answer = answer.clone();
            std::thread::spawn(move || blindly(stream, answer.as_bytes()));
        }
    });
    together(address, |client, _, until| send(client, "http://127.0.0.1/123456789012/load", until)) / 10.0
}

/// Answers each request of a connection alike.
fn blindly(mut stream: TcpStream, answer: &[u8]) {
    let (mut buffer, mut chunk) = (Vec::new(), [0; 1 << 16]);
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        buffer.extend_from_slice(&chunk[..read]);
        while let Some((head, body)) = span_of(&buffer).filter(|(head, body)| buffer.len() >= head + body) {
            buffer.drain(..head + body);
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    }
}
