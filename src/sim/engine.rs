//! The engine's task: owns the accounts' worlds and the clock, takes requests one at a time, and keeps those that must
//! wait.

mod ask;

use crate::domain::time::Timestamp;
use crate::sim::clock::VirtualClock;
use crate::sim::control::{self, Command, Order, Refusal};
use crate::sim::cx::Place;
use crate::sim::fanout;
use crate::sim::ledger::Ledger;
use crate::sim::poster::{Posted, Poster};
use crate::sim::scenario;
use crate::sim::wire::{self, Call, Gate, Reply, Request, Response};
use crate::sim::world::World;
use ask::{answer, speak};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Requests that wait for the engine's attention; a sender waits beyond that.
const QUEUE_MAX: usize = 1024;
/// Worlds (an account in a region each) that one engine keeps; a request for one more is refused.
const WORLDS_MAX: usize = 1000;
/// Pieces of an event stream's body that wait for their reader.
const EVENTS_MAX: usize = 16;
/// How long a waiting request (long poll, synchronous invocation) sleeps at most before it is asked again.
const WAIT_STEP: Duration = Duration::from_millis(200);
/// How much simulated time passes in one go when time is advanced and nobody waits; other tasks run in between.
const ADVANCE_STEP: Duration = Duration::from_secs(600);

/// A way to reach the engine's task. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    requests: mpsc::Sender<Asked>,
    clock: VirtualClock,
}

struct Asked {
    request: Request,
    answer: oneshot::Sender<Answered>,
}

/// An answer; of an event stream, its head, and the rest of its body as it comes.
pub struct Answer {
    pub response: Response,
    pub rest: Option<mpsc::Receiver<Bytes>>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self { response, rest: None }
    }
}

/// An answer and how long AWS would have taken for it, in simulated time.
struct Answered {
    /// `None`: the connection ends without one.
    answer: Option<Answer>,
    latency: Duration,
}

/// Whether the engine's time passes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// With the clock.
    Runs,
    /// Only when it is told to advance.
    Stands,
}

impl Handle {
    /// Answers at once (what the listener wants: the network adds its own time).
    /// `None` where the connection ends without an answer.
    pub async fn call(&self, request: Request) -> Option<Answer> {
        self.ask(request).await.map_or_else(|| Some(stopped().into()), |answered| answered.answer)
    }

    /// Answers after a plausible service time (what the console in the same process wants).
    /// `None` where the connection ends without an answer.
    pub async fn call_with_latency(&self, request: Request) -> Option<Answer> {
        match self.ask(request).await {
            None => Some(stopped().into()),
            Some(answered) => {
                self.clock.sleep(answered.latency).await;
                answered.answer
            }
        }
    }

    async fn ask(&self, request: Request) -> Option<Answered> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Asked { request, answer }).await.ok()?;
        answered.await.ok()
    }

    pub fn clock(&self) -> VirtualClock {
        self.clock
    }
}

/// The engine's task has ended: what AWS says when it is out of order.
fn stopped() -> Response {
    unavailable("The engine has stopped.")
}

/// There is no room for one more world.
fn full() -> Response {
    unavailable("The engine keeps at most 1000 accounts and regions.")
}

fn unavailable(message: &str) -> Response {
    let body = format!(r#"{{"__type":"ServiceUnavailable","message":"{message}"}}"#);
    Response { status: 503, headers: Vec::new(), body: Bytes::from(body) }
}

/// Starts the engine on the current runtime, its time with the clock. `world` answers for its own account and region
/// and for callers that name none; an access key id of twelve digits names an account and a signature its region, and
/// each of them starts empty.
pub fn start(world: World, clock: VirtualClock) -> Handle {
    start_at(world, clock, Pace::Runs)
}

/// Starts the engine as `start` does, at a pace.
pub fn start_at(world: World, clock: VirtualClock, pace: Pace) -> Handle {
    launch(world, clock, pace, false)
}

/// Starts the engine for a listener: it also calls HTTP endpoints on this machine that are subscribed to topics.
pub fn start_serving(world: World, clock: VirtualClock, pace: Pace) -> Handle {
    launch(world, clock, pace, true)
}

fn launch(mut world: World, clock: VirtualClock, pace: Pace, calls_out: bool) -> Handle {
    let (requests, received) = mpsc::channel(QUEUE_MAX);
    let (reports, posted) = mpsc::unbounded_channel();
    let poster = calls_out.then(|| Poster::new(reports));
    world.outbox = poster.is_some().then(VecDeque::new);
    let (home, delays) = (world.place.clone(), world.delays);
    let account = Account { ahead: Duration::ZERO, worlds: BTreeMap::from([(home.region.clone(), world)]) };
    let engine = Engine {
        accounts: BTreeMap::from([(home.account.clone(), account)]),
        home,
        delays,
        clock,
        pace,
        waiting: Vec::new(),
        streaming: Vec::new(),
        ask_at: clock.now(),
        answered: 0,
        poster,
    };
    tokio::spawn(engine.run(received, posted));
    Handle { requests, clock }
}

struct Engine {
    home: Place,
    /// [`World::delays`] of every world.
    delays: bool,
    accounts: BTreeMap<String, Account>,
    clock: VirtualClock,
    pace: Pace,
    waiting: Vec<Waiting>,
    streaming: Vec<Streaming>,
    /// When by the clock they are asked again at the latest.
    ask_at: Timestamp,
    answered: u64,
    /// Who calls HTTP endpoints outside the engine; `None` where nobody does.
    poster: Option<Poster>,
}

/// One account: its worlds by region, and how far it was advanced beyond the clock.
#[derive(Default)]
struct Account {
    ahead: Duration,
    worlds: BTreeMap<String, World>,
}

/// A request that is asked again until it has its answer.
struct Waiting {
    account: String,
    region: String,
    call: Call,
    until: Timestamp,
    answer: oneshot::Sender<Answered>,
}

/// A call whose answer is an event stream.
struct Streaming {
    account: String,
    region: String,
    call: Call,
    until: Timestamp,
    body: mpsc::Sender<Bytes>,
}

impl Engine {
    async fn run(mut self, mut received: mpsc::Receiver<Asked>, mut posted: mpsc::UnboundedReceiver<Posted>) {
        loop {
            let waits = self.pace == Pace::Runs && !(self.waiting.is_empty() && self.streaming.is_empty());
            let delivers = self.deliver() && self.pace == Pace::Runs;
            tokio::select! {
                biased;
                asked = received.recv() => match asked {
                    Some(asked) => self.take(asked).await,
                    None => return,
                },
                Some(posted) = posted.recv(), if self.poster.is_some() => self.note_posted(posted),
                () = self.clock.sleep(self.ask_at.since(self.clock.now())), if waits => {}
                () = self.clock.sleep(WAIT_STEP), if delivers => {}
            }
            if waits && self.clock.now() >= self.ask_at {
                self.ask_again(|_, _| true);
                self.ask_at = self.clock.now() + self.nap();
            }
        }
    }

    /// Brings worlds that have deliveries in hand up to now, so that retries happen without a request, and hands out the
    /// POSTs that are to be made. Whether there is anything to come back for.
    fn deliver(&mut self) -> bool {
        let Some(poster) = &self.poster else { return false };
        let (clock, epoch, pace) = (self.clock.now(), self.clock.epoch(), self.pace);
        let mut is_busy = false;
        for (name, account) in &mut self.accounts {
            let now = if pace == Pace::Runs { clock } else { epoch } + account.ahead;
            for (region, world) in &mut account.worlds {
                if world.sns.deliveries_in_hand() > 0 {
                    world.advance_to(now);
                }
                for post in world.outbox.iter_mut().flat_map(|outbox| outbox.drain(..)) {
                    poster.post(name, region, post);
                }
                is_busy |= world.sns.deliveries_in_hand() > 0;
            }
        }
        is_busy
    }

    fn note_posted(&mut self, posted: Posted) {
        let now = self.now(&posted.account);
        let world = self.accounts.get_mut(&posted.account).and_then(|account| account.worlds.get_mut(&posted.region));
        // A world that was reset meanwhile knows nothing of it.
        let Some(world) = world else { return };
        world.advance_to(now);
        fanout::answered(world, posted.attempt, posted.tries, posted.outcome);
        self.ask_again(|whose, place| whose == posted.account && place == posted.region);
    }

    /// Until something can have changed for a waiting request or an event stream.
    fn nap(&self) -> Duration {
        let waits = self.waiting.iter().map(|waiting| waiting.until.since(self.now(&waiting.account)));
        let speaks = self.streaming.iter().map(|streaming| streaming.until.since(self.now(&streaming.account)));
        waits.chain(speaks).min().unwrap_or(WAIT_STEP).clamp(Duration::from_millis(1), WAIT_STEP)
    }

    fn now(&self, account: &str) -> Timestamp {
        let ahead = self.accounts.get(account).map_or(Duration::ZERO, |account| account.ahead);
        match self.pace {
            Pace::Runs => self.clock.now() + ahead,
            Pace::Stands => self.clock.epoch() + ahead,
        }
    }

    async fn take(&mut self, asked: Asked) {
        if let Some(order) = control::order(&asked.request) {
            let response = match order {
                Ok(order) => self.obey(&asked.request, order).await,
                Err(refusal) => refusal.response(),
            };
            self.send(asked.answer, response);
            return;
        }
        let (account, region) = self.address(&asked.request);
        let now = self.now(&account);
        let Some(world) = self.world(&account, &region) else {
            let _ = asked.answer.send(Answered { answer: Some(full().into()), latency: Duration::ZERO });
            return;
        };
        let mut call = Call::new(asked.request, now.max(world.now));
        match answer(world, now, &mut call) {
            Reply::Done(_) if call.gate == Gate::Cut => self.hang_up(asked.answer),
            Reply::Done(response) if response.is_event_stream() => {
                let answer = self.begin_stream(&account, &region, call, response);
                self.send(asked.answer, answer);
            }
            Reply::Done(response) => self.send(asked.answer, response),
            Reply::Later(until) => {
                self.ask_at = self.ask_at.min(self.clock.now() + until.since(now).min(WAIT_STEP));
                self.waiting.push(Waiting { account, region, call, until, answer: asked.answer });
                return;
            }
        }
        // What one request did may be what another waits for.
        self.ask_again(|whose, place| whose == account && place == region);
    }

    /// Asks those that wait, and the event streams, of the accounts and regions that `whom` chooses.
    fn ask_again(&mut self, whom: impl Fn(&str, &str) -> bool) {
        self.stream(&whom);
        if self.waiting.is_empty() {
            return;
        }
        for mut waiting in std::mem::take(&mut self.waiting) {
            if waiting.answer.is_closed() {
                continue;
            }
            if !whom(&waiting.account, &waiting.region) {
                self.waiting.push(waiting);
                continue;
            }
            let now = self.now(&waiting.account);
            // A world that was reset meanwhile is an empty one, and its answer is that world's.
            let Some(world) = self.world(&waiting.account, &waiting.region) else { continue };
            match answer(world, now, &mut waiting.call) {
                Reply::Done(_) if waiting.call.gate == Gate::Cut => self.hang_up(waiting.answer),
                Reply::Done(response) if response.is_event_stream() => {
                    let answer = self.begin_stream(&waiting.account, &waiting.region, waiting.call, response);
                    self.send(waiting.answer, answer);
                }
                Reply::Done(response) => self.send(waiting.answer, response),
                Reply::Later(until) => {
                    waiting.until = until;
                    self.waiting.push(waiting);
                }
            }
        }
    }

    /// A caller that has gone away does not matter to the engine.
    fn send(&mut self, to: oneshot::Sender<Answered>, answer: impl Into<Answer>) {
        self.finish(to, Some(answer.into()));
    }

    /// The caller's connection ends without an answer.
    fn hang_up(&mut self, on: oneshot::Sender<Answered>) {
        self.finish(on, None);
    }

    fn finish(&mut self, to: oneshot::Sender<Answered>, answer: Option<Answer>) {
        self.answered += 1;
        let mut state = self.answered;
        let latency = Duration::from_millis(6 + crate::sim::payload::next(&mut state) % 24);
        let _ = to.send(Answered { answer, latency });
    }

    fn begin_stream(&mut self, account: &str, region: &str, call: Call, head: Response) -> Answer {
        let (body, rest) = mpsc::channel(EVENTS_MAX);
        let (account, region) = (account.to_owned(), region.to_owned());
        self.streaming.push(Streaming { until: call.arrived, account, region, call, body });
        Answer { response: head, rest: Some(rest) }
    }

    /// Lets the event streams say what they have to say. One whose client reads too slowly is asked later, and one whose
    /// client is gone ends.
    fn stream(&mut self, whom: &impl Fn(&str, &str) -> bool) {
        for mut streaming in std::mem::take(&mut self.streaming) {
            if streaming.body.is_closed() {
                continue;
            }
            if !whom(&streaming.account, &streaming.region) {
                self.streaming.push(streaming);
                continue;
            }
            let now = self.now(&streaming.account);
            let Some(world) = self.world(&streaming.account, &streaming.region) else { continue };
            if let Some(until) = speak(world, now, &streaming) {
                streaming.until = until;
                self.streaming.push(streaming);
            }
        }
    }

    fn world(&mut self, account: &str, region: &str) -> Option<&mut World> {
        let is_known = self.accounts.get(account).is_some_and(|account| account.worlds.contains_key(region));
        if !is_known {
            if self.accounts.values().map(|account| account.worlds.len()).sum::<usize>() >= WORLDS_MAX {
                return None;
            }
            let place = Place { account: account.to_owned(), region: region.to_owned(), limits: self.home.limits };
            let mut world = World::new(account.parse().unwrap_or(0), self.now(account), place);
            world.delays = self.delays;
            world.outbox = self.poster.is_some().then(VecDeque::new);
            self.accounts.entry(account.to_owned()).or_default().worlds.insert(region.to_owned(), world);
        }
        self.accounts.get_mut(account)?.worlds.get_mut(region)
    }

    /// The account and the region that sign a request, else the engine's own. An account is an access key id of twelve
    /// digits.
    fn address(&self, request: &Request) -> (String, String) {
        let caller = wire::caller(request);
        let region = caller.region.as_deref().filter(|region| is_region(region)).unwrap_or(&self.home.region);
        (caller.account().unwrap_or_else(|| self.home.account.clone()), region.to_owned())
    }

    /// Does what the control interface is asked for, in the account and region that it names.
    async fn obey(&mut self, request: &Request, order: Order) -> Response {
        let (signed, region) = self.address(request);
        let account = order.account.unwrap_or(signed);
        match order.command {
            Command::Health => {
                let times = self.accounts.keys().map(|account| (account.as_str(), self.now(account)));
                let (pace, speed, limits) = (self.pace, self.clock.speed(), self.home.limits);
                return control::health(control::Settings { pace, speed, limits, delays: self.delays }, times);
            }
            Command::Ledger => return control::ledger(&account, &self.ledger_of(&account, order.region.as_deref())),
            Command::Reset => self.reset(&account, order.region.as_deref()),
            Command::Advance(by) => self.advance(&account, by).await,
            Command::Add(fragment) => {
                let now = self.now(&account);
                let Some(world) = self.world(&account, &order.region.unwrap_or(region)) else { return full() };
                world.advance_to(now);
                if let Err(error) = scenario::add(world, &fragment) {
                    return Refusal::not_added(&error).response();
                }
                world.advance_to(now);
                self.ask_again(|whose, _| whose == account);
            }
        }
        control::done(self.now(&account))
    }

    /// What was asked of an account in one region, or in all of them.
    fn ledger_of(&self, account: &str, region: Option<&str>) -> Ledger {
        let mut sum = Ledger::default();
        let worlds = self.accounts.get(account).into_iter().flat_map(|account| &account.worlds);
        for (_, world) in worlds.filter(|(name, _)| region.is_none_or(|region| region == *name)) {
            sum.add(&world.ledger);
        }
        sum
    }

    /// Empties an account in one region, or in all of them. Its time goes on, so that nothing is from the future.
    fn reset(&mut self, account: &str, region: Option<&str>) {
        let Some(found) = self.accounts.get_mut(account) else { return };
        found.worlds.retain(|name, _| region.is_some_and(|region| region != name));
        self.ask_again(|whose, _| whose == account);
    }

    /// Lets time pass for one account, in steps short enough that each waiting request gets the answer of its time.
    async fn advance(&mut self, account: &str, by: Duration) {
        let mut left = by;
        while !left.is_zero() {
            let step = self.step(account).min(left);
            left -= step;
            let now = {
                let found = self.accounts.entry(account.to_owned()).or_default();
                found.ahead += step;
                self.now(account)
            };
            for world in self.accounts.get_mut(account).into_iter().flat_map(|account| account.worlds.values_mut()) {
                world.advance_to(now);
            }
            self.ask_again(|whose, _| whose == account);
            tokio::task::yield_now().await;
        }
    }

    /// How far time may pass at once: to where something happens that a waiting request may wait for.
    fn step(&self, account: &str) -> Duration {
        let now = self.now(account);
        // A call that a fault holds waits for nothing but its time.
        let (held, waits): (Vec<_>, Vec<_>) = self
            .waiting
            .iter()
            .filter(|waiting| waiting.account == account)
            .partition(|waiting| matches!(waiting.call.gate, Gate::Held(_)));
        let held = held.iter().map(|held| held.until.since(now).max(Duration::from_millis(1)));
        let most = held.chain([ADVANCE_STEP]).min().unwrap_or(ADVANCE_STEP);
        let waits = waits.into_iter().map(|waiting| waiting.until);
        let streams = self.streaming.iter().filter(|streaming| streaming.account == account);
        let until = waits.chain(streams.map(|streaming| streaming.until)).min();
        let Some(until) = until else { return most };
        let worlds = self.accounts.get(account).into_iter().flat_map(|account| account.worlds.values());
        let next = worlds.filter_map(|world| world.agenda.next_at()).chain([until]).min().unwrap_or(until);
        next.since(now).clamp(Duration::from_millis(1), WAIT_STEP).min(most)
    }
}

/// `eu-west-1`, `us-gov-east-1`: letters in two parts or more, and a number.
fn is_region(text: &str) -> bool {
    let mut parts = text.rsplit('-');
    let number = parts.next().is_some_and(|part| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_digit()));
    let words: Vec<&str> = parts.collect();
    let is_word = |word: &&str| (2..=12).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase());
    number && (2..=3).contains(&words.len()) && words.iter().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_words_and_a_number() {
        assert!(["eu-west-1", "us-gov-east-1", "ap-southeast-5"].into_iter().all(is_region));
        assert!(
            !["", "aws4_request", "eu-west", "eu-west-12", "EU-west-1", "a-b-1", "us-east-1/x"]
                .into_iter()
                .any(is_region)
        );
    }

    fn begin(pace: Pace) -> Handle {
        let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
        start_at(World::new(1, start, place), VirtualClock::start(start, 1.0), pace)
    }

    fn signed(key: &str, region: &str, operation: &str, body: &str) -> Request {
        let scope = format!("AWS4-HMAC-SHA256 Credential={key}/20261127/{region}/sqs/aws4_request, SignedHeaders=host");
        let headers = [("authorization", scope), ("x-amz-target", format!("AmazonSQS.{operation}"))];
        Request {
            method: "POST".into(),
            path: "/".into(),
            query: String::new(),
            headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body: Bytes::from(body.to_owned()),
        }
    }

    fn order(method: &str, target: &str, body: &str) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (method, path, query) = (method.to_owned(), format!("/_midwatch/{path}"), query.to_owned());
        Request { method, path, query, headers: vec![], body: Bytes::from(body.to_owned()) }
    }

    fn text(answer: &Answer) -> String {
        String::from_utf8_lossy(&answer.response.body).into_owned()
    }

    async fn ask(engine: &Handle, operation: &str, body: &str) -> String {
        text(&engine.call(signed("test", "eu-west-1", operation, body)).await.unwrap())
    }

    #[tokio::test]
    async fn accounts_and_regions_do_not_see_each_other() {
        let engine = begin(Pace::Stands);
        ask(&engine, "CreateQueue", r#"{"QueueName":"q"}"#).await;
        for (key, region, is_there) in [
            ("AKIAEXAMPLE", "eu-west-1", true),
            ("AKIAEXAMPLE", "nowhere", true),
            ("AKIAEXAMPLE", "us-east-1", false),
            ("111122223333", "eu-west-1", false),
        ] {
            let list = text(&engine.call(signed(key, region, "ListQueues", "{}")).await.unwrap());
            assert_eq!(list.contains("/q"), is_there, "{key} {region}: {list}");
        }
        let made =
            engine.call(signed("111122223333", "us-east-1", "CreateQueue", r#"{"QueueName":"q"}"#)).await.unwrap();
        assert!(text(&made).contains("sqs.us-east-1.amazonaws.com/111122223333/q"), "{}", text(&made));
    }

    #[tokio::test]
    async fn time_stands_until_it_is_advanced_and_a_waiting_poll_gets_the_answer_of_its_time() {
        let engine = begin(Pace::Stands);
        ask(&engine, "CreateQueue", r#"{"QueueName":"q"}"#).await;
        let send = |delay_s: u32| format!(r#"{{"QueueUrl":"q","MessageBody":"m","DelaySeconds":{delay_s}}}"#);
        ask(&engine, "SendMessage", &send(15)).await;
        let poll = |wait_s: u32| {
            let engine = engine.clone();
            let body = format!(r#"{{"QueueUrl":"q","WaitTimeSeconds":{wait_s},"VisibilityTimeout":5}}"#);
            tokio::spawn(async move { ask(&engine, "ReceiveMessage", &body).await })
        };
        let (short, long) = (poll(10), poll(20));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!short.is_finished() && !long.is_finished(), "no time passes by itself");
        let now = text(&engine.call(order("POST", "advance?by=1d", "")).await.unwrap());
        assert!(now.contains("2026-11-28T18:00:00Z"), "{now}");
        assert_eq!(short.await.unwrap(), "{}", "its ten seconds ended before the message was there");
        assert!(long.await.unwrap().contains("\"Body\":\"m\""));
        // The message of the long poll has been visible again for long.
        assert!(ask(&engine, "ReceiveMessage", r#"{"QueueUrl":"q"}"#).await.contains("\"Body\":\"m\""));
        engine.call(order("POST", "advance?by=4d", "")).await.unwrap();
        assert_eq!(ask(&engine, "ReceiveMessage", r#"{"QueueUrl":"q"}"#).await, "{}", "it has expired");
    }

    #[tokio::test]
    async fn one_accounts_time_and_ledger_are_its_own_and_a_reset_empties_it() {
        let engine = begin(Pace::Stands);
        ask(&engine, "CreateQueue", r#"{"QueueName":"q"}"#).await;
        engine.call(signed("111122223333", "us-east-1", "ListQueues", "{}")).await.unwrap();
        engine.call(order("POST", "advance?by=1h&account=111122223333", "")).await.unwrap();
        let health = text(&engine.call(order("GET", "health", "")).await.unwrap());
        assert!(health.contains("2026-11-27T18:00:00Z") && health.contains("2026-11-27T19:00:00Z"), "{health}");
        let ledger = text(&engine.call(order("GET", "ledger?account=111122223333", "")).await.unwrap());
        assert!(ledger.contains("ListQueues") && !ledger.contains("CreateQueue"), "{ledger}");
        engine.call(order("POST", "reset", "")).await.unwrap();
        assert_eq!(ask(&engine, "ListQueues", "{}").await, "{}");
        let ledger = text(&engine.call(order("GET", "ledger", "")).await.unwrap());
        assert!(!ledger.contains("CreateQueue"), "{ledger}");
    }

    #[tokio::test]
    async fn a_scenario_and_a_fault_are_added_and_their_mistakes_are_named_with_their_lines() {
        let engine = begin(Pace::Stands);
        let estate = r#"
            [[queue]]
            name = "orders"
            [[template]]
            name = "order"
            text = "an order"
            [[producer]]
            name = "shop"
            target = "sqs/orders"
            per_s = 5.0
            template = "order"
        "#;
        let added = engine.call(order("POST", "scenario", estate)).await.unwrap();
        assert_eq!(added.response.status, 200, "{}", text(&added));
        engine.call(order("POST", "advance?by=1m", "")).await.unwrap();
        let depth = || async {
            let body = r#"{"QueueUrl":"orders","AttributeNames":["ApproximateNumberOfMessages"]}"#;
            let answer: serde_json::Value =
                serde_json::from_str(&ask(&engine, "GetQueueAttributes", body).await).unwrap();
            answer["Attributes"]["ApproximateNumberOfMessages"].as_str().unwrap().parse::<i64>().unwrap()
        };
        let first = depth().await;
        assert!((200..=400).contains(&first), "{first}");
        let fault = "[[fault]]\nkind = \"surge\"\ntarget = \"shop\"\nfactor = 10.0\n";
        assert_eq!(engine.call(order("POST", "fault", fault)).await.unwrap().response.status, 200);
        engine.call(order("POST", "advance?by=1m", "")).await.unwrap();
        let second = depth().await - first;
        assert!((2000..=4000).contains(&second), "{second}");
        let wrong = format!("{fault}\n[[fault]]\nkind = \"stop\"\ntarget = \"nobody\"\n");
        let refused = engine.call(order("POST", "fault", &wrong)).await.unwrap();
        assert_eq!(refused.response.status, 400);
        assert!(text(&refused).contains("nothing of it was done"), "{}", text(&refused));
        assert!(text(&refused).contains("line 6: fault 2 (Stop of `nobody`): target must be"), "{}", text(&refused));
    }

    #[tokio::test]
    async fn what_a_service_refuses_leaves_what_came_before_and_the_answer_says_what() {
        let engine = begin(Pace::Stands);
        let text_of = |delay: &str| format!("[[stream]]\nname = \"bids\"\nshards = 1\n[[queue]]\nname = \"{delay}\"");
        let refused = engine.call(order("POST", "scenario", &text_of("not a name"))).await.unwrap();
        assert_eq!(refused.response.status, 400);
        let said = text(&refused);
        assert!(said.contains("queue `not a name`") && said.contains("which is stream `bids`; or reset"), "{said}");
        assert_eq!(ask(&engine, "ListQueues", "{}").await, "{}");
    }

    #[tokio::test]
    async fn a_hanging_service_keeps_nobody_else_waiting_and_an_unreachable_one_gives_no_answer() {
        let engine = begin(Pace::Stands);
        ask(&engine, "CreateQueue", r#"{"QueueName":"q"}"#).await;
        let fault = "[[fault]]\nkind = \"api-hang\"\ntarget = \"sqs\"\noperations = [\"ListQueues\"]\nuntil = \"2h\"";
        assert_eq!(engine.call(order("POST", "fault", fault)).await.unwrap().response.status, 200);
        let hung = tokio::spawn({
            let engine = engine.clone();
            async move { ask(&engine, "ListQueues", "{}").await }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        let sent = ask(&engine, "SendMessage", r#"{"QueueUrl":"q","MessageBody":"m"}"#).await;
        assert!(sent.contains("MessageId") && !hung.is_finished(), "{sent}");
        engine.call(order("POST", "advance?by=90m", "")).await;
        assert!(!hung.is_finished());
        engine.call(order("POST", "advance?by=30m", "")).await;
        assert!(hung.await.unwrap().contains("/q"));
        let fault = "[[fault]]\nkind = \"unreachable\"\ntarget = \"sqs\"\nuntil = \"1m\"";
        engine.call(order("POST", "fault", fault)).await;
        assert!(engine.call(signed("test", "eu-west-1", "ListQueues", "{}")).await.is_none());
        engine.call(order("POST", "advance?by=1m", "")).await;
        assert!(ask(&engine, "ListQueues", "{}").await.contains("/q"));
    }
}
