//! The engine over loopback HTTP, and the same load against every emulator that a registry has: prebuilt requests over
//! kept-alive connections, one thread each. What the generator itself can do is measured against a server that answers
//! without looking.

use crate::figure::Figures;
use crate::peer::{self, Served};
use crate::process;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 4;
/// How long each load lasts: by time and not by number, because a slow server would take minutes for a fast one's number.
const LOAD_TIME: Duration = Duration::from_secs(3);
const BODY_BYTES: usize = 200;
const SHARDS: usize = 4;
/// A server that takes longer for an answer has none.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// Records that one GetRecords asks for.
const GET_LIMIT: usize = 1000;
/// How many times as much as the fastest peer is wanted.
const TIMES_A_PEER: f64 = 5.0;
/// Starts of which the middle one counts.
const STARTS: usize = 9;

/// What a server did in a second; `None` where it does not have the service.
#[derive(Default)]
struct Rates {
    sent: Option<f64>,
    received_and_deleted: Option<f64>,
    put: Option<f64>,
    got: Option<f64>,
}

/// A load: its figure's name, its unit, and what a server did.
type Load = (&'static str, &'static str, fn(&Rates) -> Option<f64>);

const LOADS: [Load; 4] = [
    ("loopback_sqs_send", "messages/s", |rates| rates.sent),
    ("loopback_sqs_receive_delete", "messages/s", |rates| rates.received_and_deleted),
    ("loopback_kinesis_put", "records/s", |rates| rates.put),
    ("loopback_kinesis_get", "records/s", |rates| rates.got),
];

/// Whether there is somebody to measure against without asking a registry.
pub fn has_peer() -> bool {
    peer::ALL.iter().any(peer::Peer::is_installed)
}

pub fn run(figures: &mut Figures) {
    start(figures);
    let ceiling = ceiling();
    let mut peers = Vec::new();
    for peer in peer::ALL {
        match peer.start() {
            Ok(served) => {
                let address = served.address;
                match std::thread::spawn(move || measure(address, peer.has_sqs, peer.has_kinesis)).join() {
                    Ok(rates) => peers.push((peer.name, rates)),
                    Err(_) => eprintln!("{} is not measured: it gives no answer", peer.name),
                }
            }
            Err(why) => eprintln!("{} is not measured: {why}", peer.name),
        }
    }
    let Some(served) = midwatch() else {
        eprintln!("midwatch is not measured: it did not start");
        return;
    };
    let ours = measure(served.address, true, true);
    drop(served);
    table(&ours, &peers);
    for (name, unit, of) in LOADS {
        let rate = of(&ours).unwrap_or_default();
        let fastest = peers.iter().filter_map(|(peer, rates)| Some((*peer, of(rates)?)));
        let fastest = fastest.max_by(|(_, a), (_, b)| a.total_cmp(b));
        let Some((peer, best)) = fastest.filter(|(_, best)| *best > 0.0) else {
            figures.above(name, rate, unit, 0.0);
            continue;
        };
        figures.above(name, rate, unit, TIMES_A_PEER * best);
        figures.above(&format!("{name}_to_{peer}"), rate / best, "times", TIMES_A_PEER);
    }
    // Requests of ten messages: the generator must be able to do several times what is measured with it.
    figures.above("loopback_generator", ceiling, "requests/s", 2.0 * ours.sent.unwrap_or_default() / 10.0);
}

/// From the start of the process to its first answer, and what it weighs with nothing stored.
fn start(figures: &mut Figures) {
    let (mut took_ms, mut rss_mib) = (Vec::new(), 0.0);
    for _ in 0..STARTS {
        let Some(served) = midwatch() else { return };
        Client::connect(served.address).ask(&request("AmazonSQS.ListQueues", "{}"));
        took_ms.push(served.started.elapsed().as_secs_f64() * 1000.0);
        rss_mib = process::rss_mib(served.child.id());
    }
    took_ms.sort_by(f64::total_cmp);
    figures.below("first_answer", took_ms[STARTS / 2], "ms", 50.0);
    figures.below("rss_empty", rss_mib, "MiB", 40.0);
}

/// One row a server, one column a load.
fn table(ours: &Rates, peers: &[(&str, Rates)]) {
    eprintln!("{:<12}{:>16}{:>16}{:>16}{:>16}", "a second", "SQS send", "receive+delete", "Kinesis put", "Kinesis get");
    for (name, rates) in [("midwatch", ours)].into_iter().chain(peers.iter().map(|(name, rates)| (*name, rates))) {
        let cells = LOADS.iter().map(|(_, _, of)| of(rates).map_or("-".to_owned(), |rate| format!("{rate:.0}")));
        let cells: String = cells.map(|cell| format!("{cell:>16}")).collect();
        eprintln!("{name:<12}{cells}");
    }
}

fn midwatch() -> Option<Served> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_midwatch"));
    command.args(["sim", "--listen", "127.0.0.1:0", "--limits", "off"]).stdout(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().ok()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
    let address = line.split_once("http://")?.1.split_whitespace().next()?.parse().ok()?;
    Some(Served { child, address, started })
}

/// Runs the loads of the services that the server has.
fn measure(address: SocketAddr, has_sqs: bool, has_kinesis: bool) -> Rates {
    let mut rates = Rates::default();
    let mut control = Client::connect(address);
    if has_sqs {
        let answer = control.ask(&request("AmazonSQS.CreateQueue", r#"{"QueueName":"load"}"#));
        let queue = texts(answer, "QueueUrl").next().unwrap_or_default().to_owned();
        rates.sent = Some(together(address, |client, _, until| send(client, &queue, until)));
        let received = together(address, |client, _, until| receive_and_delete(client, &queue, until));
        rates.received_and_deleted = Some(received);
    }
    if has_kinesis {
        let create = format!(r#"{{"StreamName":"load","ShardCount":{SHARDS}}}"#);
        control.ask(&request("Kinesis_20131202.CreateStream", &create));
        let summary = request("Kinesis_20131202.DescribeStreamSummary", r#"{"StreamName":"load"}"#);
        let started = Instant::now();
        while !control.ask(&summary).contains("\"ACTIVE\"") && started.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(200));
        }
        rates.put = Some(together(address, put));
        rates.got = Some(together(address, get));
    }
    rates
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

/// One kept-alive connection; to a server that closes after an answer, one after the other.
struct Client {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The body of an answer in chunks, put together.
    joined: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(ANSWER_TIME)).expect("a socket");
        Self { address, stream, buffer: Vec::new(), joined: Vec::new() }
    }

    /// Sends a request and reads the answer's body.
    fn ask(&mut self, request: &[u8]) -> &str {
        if self.exchange(request).is_none() {
            *self = Self::connect(self.address);
            assert!(self.exchange(request).is_some(), "the server hung up twice");
        }
        match span_of(&self.buffer) {
            Some((head, Some(body))) => std::str::from_utf8(&self.buffer[head..head + body]),
            Some((head, None)) => {
                self.joined = chunks(&self.buffer[head..]).unwrap_or_default();
                std::str::from_utf8(&self.joined)
            }
            None => Ok(""),
        }
        .expect("text")
    }

    /// `None` when the connection is closed before the answer is complete.
    fn exchange(&mut self, request: &[u8]) -> Option<()> {
        self.stream.write_all(request).ok()?;
        self.buffer.clear();
        let (mut span, mut chunk) = (None, [0; 1 << 16]);
        loop {
            let read = self.stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
            self.buffer.extend_from_slice(&chunk[..read]);
            span = span.or_else(|| span_of(&self.buffer));
            let is_complete = match span {
                Some((head, Some(body))) => self.buffer.len() >= head + body,
                Some((head, None)) => self.buffer.ends_with(b"0\r\n\r\n") && chunks(&self.buffer[head..]).is_some(),
                None => false,
            };
            if is_complete {
                return Some(());
            }
        }
    }
}

/// Bytes of an answer's head and of its body, once its head is there; without a length it comes in chunks.
fn span_of(answer: &[u8]) -> Option<(usize, Option<usize>)> {
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).ok()?.to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    Some((head, length.and_then(|length| length.trim().parse().ok())))
}

/// A body put together from its chunks, once the last is there.
fn chunks(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    loop {
        let end = body.windows(2).position(|end| end == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&body[..end]).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(joined);
        }
        joined.extend_from_slice(body.get(end + 2..end + 2 + size)?);
        body = body.get(end + 2 + size + 2..)?;
    }
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
        while let Some((head, Some(body))) = span_of(&buffer) {
            if buffer.len() < head + body {
                break;
            }
            buffer.drain(..head + body);
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    }
}
