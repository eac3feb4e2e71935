//! The engine's task: owns the accounts' worlds and the clock, and takes requests one at a time. Much time that is to pass
//! passes in slices, between which other accounts are served.

use crate::domain::time::Timestamp;
use crate::sim::clock::VirtualClock;
use crate::sim::control::{self, Command, Order};
use crate::sim::cx::Place;
use crate::sim::fanout::{self, Parcel};
use crate::sim::poster::{Posted, Poster};
use crate::sim::realm::{Answered, Realm, Said};
use crate::sim::wire::{self, Request, Response};
use crate::sim::world::World;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

pub use crate::sim::realm::Answer;
use roads::Departures;

mod global;
mod orders;
mod roads;
mod subscriptions;

/// Requests that wait for the engine's attention; a sender waits beyond that.
const QUEUE_MAX: usize = 1024;
/// Worlds (an account in a region each) that one engine keeps; a request for one more is refused.
const WORLDS_MAX: usize = 1000;
/// How much that is due one world does in one go; a step takes microseconds.
const SLICE: usize = 256;
/// A world in which somebody waits is looked at after this much simulated time at the earliest, unless it is asked.
const NAP_MIN: Duration = Duration::from_millis(2);

/// A way to reach the engine's task. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    requests: mpsc::Sender<Asked>,
    closing: mpsc::Sender<oneshot::Sender<()>>,
    clock: VirtualClock,
}

struct Asked {
    request: Request,
    answer: ReplyTo,
}

/// Where an answer goes.
type ReplyTo = oneshot::Sender<Said>;

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
        self.call_unless(request, std::future::pending()).await
    }

    /// The same, but a request that waits (a long poll, a synchronous invocation) is given up when its caller is `gone`:
    /// it then takes nothing away from others, and there is no answer.
    pub async fn call_unless(&self, request: Request, gone: impl Future<Output = ()>) -> Option<Answer> {
        self.ask(request, gone).await.answer
    }

    /// Answers after a plausible service time (what the console in the same process wants).
    /// `None` where the connection ends without an answer.
    pub async fn call_with_latency(&self, request: Request) -> Option<Answer> {
        let Answered { answer, latency } = self.ask(request, std::future::pending()).await;
        self.clock.sleep(latency).await;
        answer
    }

    async fn ask(&self, request: Request, gone: impl Future<Output = ()>) -> Answered {
        let (answer, said) = oneshot::channel();
        // Where the engine has stopped, nobody hears this, and nobody will say anything.
        let _ = self.requests.send(Asked { request, answer }).await;
        match said.await {
            Ok(Said::Answered(answered)) => answered,
            Ok(Said::Waits(answer)) => tokio::select! {
                biased;
                answered = answer => answered.unwrap_or_else(|_| at_once(Some(stopped()))),
                () = gone => at_once(None),
            },
            Err(_) => at_once(Some(stopped())),
        }
    }

    /// Lets nobody wait any longer: polls are answered as at the end of their time, what else waits with 503; and so is
    /// what comes later.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.closing.send(done).await.is_ok() {
            let _ = closed.await;
        }
    }

    pub fn clock(&self) -> VirtualClock {
        self.clock
    }
}

/// The engine's own answer, for which no service has taken its time.
fn at_once(response: Option<Response>) -> Answered {
    Answered { answer: response.map(Answer::from), latency: Duration::ZERO }
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
    let (closing, closed) = mpsc::channel(1);
    let (reports, posted) = mpsc::unbounded_channel();
    let poster = calls_out.then(|| Poster::new(reports));
    world.outbox = poster.is_some().then(VecDeque::new);
    world.abroad = Some(VecDeque::new());
    let (home, delays) = (world.place.clone(), world.delays);
    let realms = BTreeMap::from([(home.region.clone(), Realm::new(world))]);
    let accounts = BTreeMap::from([(home.account.clone(), Account { ahead: Duration::ZERO, realms })]);
    let (advances, wake_at, is_closed) = (VecDeque::new(), None, false);
    let engine = Engine { home, delays, accounts, clock, pace, advances, wake_at, poster, is_closed };
    tokio::spawn(engine.run(received, closed, posted));
    Handle { requests, closing, clock }
}

struct Engine {
    home: Place,
    /// [`World::delays`] of every world.
    delays: bool,
    accounts: BTreeMap<String, Account>,
    clock: VirtualClock,
    pace: Pace,
    /// Of an account one at most.
    advances: VecDeque<Advance>,
    /// When by the clock a world may have something to say without being asked.
    wake_at: Option<Timestamp>,
    /// Who calls HTTP endpoints outside the engine; `None` where nobody does.
    poster: Option<Poster>,
    /// Nobody waits any longer.
    is_closed: bool,
}

/// Whose world a request is for.
struct Address {
    account: String,
    region: String,
    is_of_iam: bool,
}

/// One account: its realms by region, and how far it was advanced beyond the clock.
#[derive(Default)]
struct Account {
    ahead: Duration,
    realms: BTreeMap<String, Realm>,
}

/// Time that passes for an account in slices. Its requests are held until then, and taken in their order.
struct Advance {
    account: String,
    until: Timestamp,
    /// By how much the account gets further ahead of the clock; nothing where it only catches up.
    by: Duration,
    /// Who has asked for it, if anybody.
    done: Option<ReplyTo>,
    held: VecDeque<Asked>,
}

impl Engine {
    async fn run(
        mut self,
        mut received: mpsc::Receiver<Asked>,
        mut closing: mpsc::Receiver<oneshot::Sender<()>>,
        mut posted: mpsc::UnboundedReceiver<Posted>,
    ) {
        loop {
            if let Ok(done) = closing.try_recv() {
                self.close();
                let _ = done.send(());
            }
            if !self.advances.is_empty() {
                self.advance_a_slice();
                tokio::task::yield_now().await;
                for _ in 0..QUEUE_MAX {
                    let Ok(asked) = received.try_recv() else { break };
                    self.take(asked);
                }
                while let Ok(posted) = posted.try_recv() {
                    self.note_posted(posted);
                }
                self.wake();
                continue;
            }
            let nap = self.wake_at.map(|at| self.clock.sleep(at.since(self.clock.now())));
            tokio::select! {
                biased;
                asked = received.recv() => match asked {
                    Some(asked) => self.take(asked),
                    None => return,
                },
                Some(done) = closing.recv() => {
                    self.close();
                    let _ = done.send(());
                }
                Some(posted) = posted.recv(), if self.poster.is_some() => self.note_posted(posted),
                () = async { if let Some(nap) = nap { nap.await } }, if self.wake_at.is_some() => {}
            }
            self.wake();
        }
    }

    fn close(&mut self) {
        self.is_closed = true;
        for advance in std::mem::take(&mut self.advances) {
            let held = advance.held.into_iter().map(|asked| asked.answer);
            advance.done.into_iter().chain(held).for_each(|to| reply(to, stopped()));
        }
        self.accounts.values_mut().flat_map(|account| account.realms.values_mut()).for_each(Realm::close);
    }

    fn now(&self, account: &str) -> Timestamp {
        let ahead = self.accounts.get(account).map_or(Duration::ZERO, |account| account.ahead);
        match self.pace {
            Pace::Runs => self.clock.now() + ahead,
            Pace::Stands => self.clock.epoch() + ahead,
        }
    }

    /// Answers a request, lets it wait, or holds it until the time of its account has passed.
    fn take(&mut self, asked: Asked) {
        let order = match control::order(&asked.request) {
            Some(Err(refusal)) => return reply(asked.answer, refusal.response()),
            Some(Ok(Order { command: Command::Health, .. })) => return reply(asked.answer, self.health()),
            Some(Ok(order)) => Some(order),
            None => None,
        };
        let Address { account: signed, region, is_of_iam } = self.address(&asked.request);
        let account = order.as_ref().and_then(|order| order.account.clone()).unwrap_or(signed);
        if let Some(advance) = self.advances.iter_mut().find(|advance| advance.account == account) {
            advance.held.push_back(asked);
            return;
        }
        match order {
            Some(order) => self.obey(order, account, region, asked.answer),
            None => {
                if is_of_iam {
                    self.tell_what_is_taken(&account, &region);
                }
                self.serve(asked, account, &region);
            }
        }
    }

    fn serve(&mut self, asked: Asked, account: String, region: &str) {
        let now = self.now(&account);
        self.show_foreign_subscriptions(&asked.request, &account, region);
        let Some(realm) = self.realm(&account, region) else { return reply(asked.answer, full()) };
        if realm.advance(now, SLICE) {
            realm.take(asked.request, asked.answer);
            if self.is_closed {
                self.accounts.values_mut().flat_map(|account| account.realms.values_mut()).for_each(Realm::close);
            }
            self.look_after(&account, region);
        } else {
            let held = VecDeque::from([asked]);
            self.advances.push_back(Advance { account, until: now, by: Duration::ZERO, done: None, held });
        }
    }

    /// Hands out the POSTs that a realm wants to be made, carries what it sends to others, and notes when it is next to
    /// be looked at. To be called whenever something was done there.
    fn look_after(&mut self, account: &str, region: &str) {
        let realm = self.accounts.get_mut(account).and_then(|account| account.realms.get_mut(region));
        let Some(realm) = realm else { return };
        if let Some(poster) = &self.poster {
            for post in realm.world.outbox.iter_mut().flat_map(|outbox| outbox.drain(..)) {
                poster.post(account, region, post);
            }
        }
        let abroad: Vec<Parcel> = realm.world.abroad.iter_mut().flat_map(|abroad| abroad.drain(..)).collect();
        let leaving = std::mem::take(&mut realm.leaving);
        let events = realm.world.cloudtrail.take_leaving();
        let told = realm.world.cloudtrail.take_shared();
        let errands = std::mem::take(&mut realm.world.errands);
        if let (Some(next), Pace::Runs) = (realm.next_at(), self.pace) {
            let at = self.clock.now() + next.since(self.now(account)).max(NAP_MIN);
            self.wake_at = Some(self.wake_at.map_or(at, |other| other.min(at)));
        }
        self.carry_all(account, region, Departures { parcels: abroad, calls: leaving, told, errands });
        self.record(account, events);
    }

    /// Brings the worlds in which somebody waits up to now, when it is time to.
    fn wake(&mut self) {
        if self.wake_at.is_none_or(|at| at > self.clock.now()) {
            return;
        }
        self.wake_at = None;
        let mut waiting = Vec::new();
        for (name, account) in &self.accounts {
            if self.advances.iter().all(|advance| advance.account != *name) {
                let regions = account.realms.iter().filter(|(_, realm)| realm.next_at().is_some());
                waiting.extend(regions.map(|(region, _)| (name.clone(), region.clone())));
            }
        }
        for (account, region) in waiting {
            let until = self.now(&account);
            let Some(realm) = self.realm(&account, &region) else { continue };
            if realm.advance(until, SLICE) {
                self.look_after(&account, &region);
            } else if self.advances.iter().all(|advance| advance.account != account) {
                let held = VecDeque::new();
                self.advances.push_back(Advance { account, until, by: Duration::ZERO, done: None, held });
            }
        }
    }

    /// Lets the next of the advances come a slice further.
    fn advance_a_slice(&mut self) {
        let Some(advance) = self.advances.pop_front() else { return };
        let Some(account) = self.accounts.get_mut(&advance.account) else { return };
        let is_done = account.realms.values_mut().all(|realm| realm.advance(advance.until, SLICE));
        let regions: Vec<String> = account.realms.keys().cloned().collect();
        if is_done {
            account.ahead += advance.by;
        }
        for region in regions {
            self.look_after(&advance.account, &region);
        }
        if !is_done {
            self.advances.push_back(advance);
            return;
        }
        if let Some(done) = advance.done {
            reply(done, self.done(&advance.account));
        }
        for asked in advance.held {
            self.take(asked);
        }
    }

    fn note_posted(&mut self, posted: Posted) {
        let Posted { account, region, attempt, tries, outcome } = posted;
        let now = self.now(&account);
        let realm = self.accounts.get_mut(&account).and_then(|account| account.realms.get_mut(&region));
        // A world that was reset meanwhile knows nothing of it.
        let Some(realm) = realm else { return };
        realm.advance(now, SLICE);
        fanout::answered(&mut realm.world, attempt, tries, outcome);
        realm.tell_of_changes();
        self.look_after(&account, &region);
    }

    fn realm(&mut self, account: &str, region: &str) -> Option<&mut Realm> {
        let is_known = self.accounts.get(account).is_some_and(|account| account.realms.contains_key(region));
        if !is_known {
            if self.accounts.values().map(|account| account.realms.len()).sum::<usize>() >= WORLDS_MAX {
                return None;
            }
            let realm = Realm::new(self.empty_world(account, region));
            self.accounts.entry(account.to_owned()).or_default().realms.insert(region.to_owned(), realm);
        }
        self.accounts.get_mut(account)?.realms.get_mut(region)
    }

    fn empty_world(&self, account: &str, region: &str) -> World {
        let place = Place { account: account.to_owned(), region: region.to_owned(), limits: self.home.limits };
        let mut world = World::new(account.parse().unwrap_or(0), self.now(account), place);
        world.delays = self.delays;
        world.outbox = self.poster.is_some().then(VecDeque::new);
        world.abroad = Some(VecDeque::new());
        world
    }

    /// The account and the region that sign a request, else the engine's own. An account is an access key id of twelve
    /// digits. A link of SNS carries no signature: it goes to the topic that it names, where that one's account is known.
    /// IAM is in no region.
    fn address(&self, request: &Request) -> Address {
        let caller = wire::caller(request);
        if caller.access_key.is_none()
            && let Some((account, region)) = wire::query::owner_of_link(request)
            && self.accounts.get(&account).is_some_and(|account| account.realms.contains_key(&region))
        {
            return Address { account, region, is_of_iam: false };
        }
        let account = caller.account().unwrap_or_else(|| self.home.account.clone());
        if wire::query::is_of_iam(request, caller.service.as_deref()) {
            return Address { region: self.iam_region(&account).to_owned(), account, is_of_iam: true };
        }
        let region = caller.region.as_deref().filter(|region| is_region(region)).unwrap_or(&self.home.region);
        Address { account, region: region.to_owned(), is_of_iam: false }
    }

    fn health(&self) -> Response {
        let times = self.accounts.keys().map(|account| (account.as_str(), self.now(account)));
        let (pace, speed, limits) = (self.pace, self.clock.speed(), self.home.limits);
        control::health(control::Settings { pace, speed, limits, delays: self.delays }, times)
    }
}

/// The engine's own answer. A caller that has gone away does not matter.
fn reply(to: ReplyTo, response: Response) {
    let _ = to.send(Said::Answered(at_once(Some(response))));
}

/// `eu-west-1`, `us-gov-east-1`: letters in two parts or more, and a number.
pub fn is_region(text: &str) -> bool {
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

    /// Status and body of what an account is told.
    async fn told(engine: &Handle, account: &str, operation: &str, body: &str) -> (u16, String) {
        let answer = engine.call(signed(account, "eu-west-1", operation, body)).await.unwrap();
        (answer.response.status, text(&answer))
    }

    #[tokio::test]
    async fn a_queue_of_another_account_serves_whom_its_policy_lets_in() {
        let engine = begin(Pace::Stands);
        let (owner, guest) = ("111122223333", "123456789012");
        let about = |more: &str| format!(r#"{{"QueueUrl":"http://localhost/111122223333/shared"{more}}}"#);
        let of_owner = r#"{"QueueName":"shared","QueueOwnerAWSAccountId":"111122223333"}"#;
        told(&engine, owner, "CreateQueue", r#"{"QueueName":"shared"}"#).await;
        let message = about(r#","MessageBody":"m""#);
        let (status, refused) = told(&engine, guest, "SendMessageBatch", &message).await;
        assert_eq!(status, 403);
        let why = "User: arn:aws:iam::123456789012:user/midwatch is not authorized to perform: sqs:sendmessage on \
                   resource: arn:aws:sqs:eu-west-1:111122223333:shared because no resource-based policy allows the \
                   sqs:sendmessage action";
        assert!(refused.contains(why) && refused.contains("AccessDeniedException"), "{refused}");
        let (status, hidden) = told(&engine, guest, "GetQueueUrl", of_owner).await;
        assert!(status == 400 && hidden.contains("or you do not have access to it."), "{hidden}");

        let grant =
            r#","Label":"l","AWSAccountIds":["123456789012"],"Actions":["SendMessage","ReceiveMessage","GetQueueUrl"]"#;
        assert_eq!(told(&engine, owner, "AddPermission", &about(grant)).await.0, 200);
        let (_, url) = told(&engine, guest, "GetQueueUrl", of_owner).await;
        assert!(url.contains("/111122223333/shared"), "{url}");
        let poll = tokio::spawn({
            let (engine, poll) = (engine.clone(), about(r#","WaitTimeSeconds":20"#));
            async move { told(&engine, "123456789012", "ReceiveMessage", &poll).await.1 }
        });
        tokio::task::yield_now().await;
        assert!(!poll.is_finished());
        assert!(told(&engine, guest, "SendMessage", &message).await.1.contains("MessageId"));
        let received: serde_json::Value = serde_json::from_str(&poll.await.unwrap()).unwrap();
        let handle = received["Messages"][0]["ReceiptHandle"].as_str().unwrap();
        let receipt = about(&format!(r#","ReceiptHandle":"{handle}""#));
        assert_eq!(told(&engine, guest, "DeleteMessage", &receipt).await.0, 403, "that was not granted");
        assert_eq!(told(&engine, "444455556666", "SendMessage", &message).await.0, 403, "nor anything to others");

        let policy = r#"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:*\"}}"#;
        let all = about(&format!(r#","Attributes":{{"Policy":"{policy}"}}"#));
        assert_eq!(told(&engine, guest, "SetQueueAttributes", &all).await.0, 403);
        assert_eq!(told(&engine, owner, "SetQueueAttributes", &all).await.0, 200);
        assert_eq!(told(&engine, guest, "DeleteMessage", &receipt).await.0, 200);
        assert_eq!(told(&engine, guest, "DeleteQueue", &about("")).await.0, 403, "no policy gives that away");
        assert_eq!(told(&engine, owner, "ListQueues", "{}").await.1.matches("shared").count(), 1);
        for nobody in ["111122223333/other", "999999999999/shared"] {
            let url = format!(r#"{{"QueueUrl":"http://localhost/{nobody}","MessageBody":"m"}}"#);
            let (status, said) = told(&engine, guest, "SendMessage", &url).await;
            assert!(status == 400 && said.contains("The specified queue does not exist."), "{said}");
        }
    }

    #[tokio::test]
    async fn an_unsigned_link_leads_to_the_topic_that_it_names() {
        let engine = begin(Pace::Stands);
        let topic = "arn:aws:sns:us-east-1:111122223333:news";
        let ask = async |key: Option<&str>, form: String| {
            let scope = |key| {
                format!("AWS4-HMAC-SHA256 Credential={key}/20261127/us-east-1/sns/aws4_request, SignedHeaders=host")
            };
            let headers = key.map(|key| ("authorization".to_owned(), scope(key))).into_iter().collect();
            let (method, path, body) = ("GET".into(), "/".into(), Bytes::new());
            let answer = engine.call(Request { method, path, query: form, headers, body }).await.unwrap();
            text(&answer)
        };
        let signed = async |form: &str| ask(Some("111122223333"), format!("Version=2010-03-31&{form}")).await;
        signed("Action=CreateTopic&Name=news").await;
        let endpoint = "Protocol=http&Endpoint=http://hook.example.com/&ReturnSubscriptionArn=true";
        let made = signed(&format!("Action=Subscribe&TopicArn={topic}&{endpoint}")).await;
        let arn = made.split_once("<SubscriptionArn>").unwrap().1.split_once('<').unwrap().0;
        let confirm = format!("Action=ConfirmSubscription&TopicArn={topic}&Token=abc");
        let refused = ask(None, confirm.clone()).await;
        assert!(refused.contains("Invalid parameter: Token"), "the topic's region knows no such token: {refused}");
        let elsewhere = ask(None, confirm.replace("111122223333", "444455556666")).await;
        assert!(elsewhere.contains("<Error>"), "{elsewhere}");
        ask(None, format!("Action=Unsubscribe&SubscriptionArn={arn}")).await;
        let listed = signed(&format!("Action=ListSubscriptionsByTopic&TopicArn={topic}")).await;
        assert!(!listed.contains("hook.example.com"), "{listed}");
    }

    #[tokio::test]
    async fn a_call_that_its_own_account_held_back_leaves_for_the_owner_afterwards() {
        let engine = begin(Pace::Stands);
        let owner = "111122223333";
        told(&engine, owner, "CreateQueue", r#"{"QueueName":"shared"}"#).await;
        let shared = r#"{"QueueUrl":"http://localhost/111122223333/shared","Label":"l","AWSAccountIds":["123456789012"],"Actions":["*"]}"#;
        assert_eq!(told(&engine, owner, "AddPermission", shared).await.0, 200);
        let fault = "[[fault]]\nkind = \"api-hang\"\ntarget = \"sqs\"\nuntil = \"1m\"";
        ask(&engine, "ListQueues", "{}").await;
        assert_eq!(engine.call(order("POST", "fault", fault)).await.unwrap().response.status, 200);
        let sent = tokio::spawn({
            let engine = engine.clone();
            let message = r#"{"QueueUrl":"http://localhost/111122223333/shared","MessageBody":"m"}"#;
            async move { told(&engine, "123456789012", "SendMessage", message).await.1 }
        });
        tokio::task::yield_now().await;
        engine.call(order("POST", "advance?by=30s", "")).await;
        assert!(!sent.is_finished());
        let poll = r#"{"QueueUrl":"shared"}"#;
        assert_eq!(told(&engine, owner, "ReceiveMessage", poll).await.1, "{}", "the owner has no such fault");
        engine.call(order("POST", "advance?by=30s", "")).await;
        assert!(sent.await.unwrap().contains("MessageId"));
        assert!(told(&engine, owner, "ReceiveMessage", poll).await.1.contains("\"Body\":\"m\""));
    }

    /// Asks SNS, in the query protocol's form.
    async fn sns(engine: &Handle, account: &str, operation: &str, members: &[(&str, &str)]) -> (u16, String) {
        let scope =
            format!("AWS4-HMAC-SHA256 Credential={account}/20261127/eu-west-1/sns/aws4_request, SignedHeaders=host");
        let members: String = members.iter().map(|(name, value)| format!("&{name}={value}")).collect();
        let request = Request {
            method: "POST".into(),
            path: "/".into(),
            query: String::new(),
            headers: vec![
                ("authorization".into(), scope),
                ("content-type".into(), "application/x-www-form-urlencoded".into()),
            ],
            body: Bytes::from(format!("Action={operation}&Version=2010-03-31{members}")),
        };
        let answer = engine.call(request).await.unwrap();
        (answer.response.status, text(&answer))
    }

    #[tokio::test]
    async fn a_topic_of_another_account_takes_what_its_policy_lets_in() {
        let engine = begin(Pace::Stands);
        let call = async |account: &str, operation: &str, members: &[(&str, &str)]| {
            sns(&engine, account, operation, members).await
        };
        let (owner, guest) = ("111122223333", "123456789012");
        let topic = ("TopicArn", "arn:aws:sns:eu-west-1:111122223333:news");
        call(owner, "CreateTopic", &[("Name", "news")]).await;
        told(&engine, guest, "CreateQueue", r#"{"QueueName":"told"}"#).await;
        let subscribe = [topic, ("Protocol", "sqs"), ("Endpoint", "arn:aws:sqs:eu-west-1:123456789012:told")];
        let (status, refused) = call(guest, "Subscribe", &subscribe).await;
        let why = "is not authorized to perform: SNS:Subscribe on resource: arn:aws:sns:eu-west-1:111122223333:news \
                   because no resource-based policy allows the SNS:Subscribe action";
        assert!(status == 403 && refused.contains(why) && refused.contains("AuthorizationError"), "{refused}");
        let grant = [
            topic,
            ("Label", "l"),
            ("AWSAccountId.member.1", guest),
            ("ActionName.member.1", "Subscribe"),
            ("ActionName.member.2", "Publish"),
        ];
        assert_eq!(call(owner, "AddPermission", &grant).await.0, 200);
        let (status, subscribed) = call(guest, "Subscribe", &subscribe).await;
        assert!(status == 200, "{subscribed}");
        let (_, listed) = call(owner, "ListSubscriptionsByTopic", &[topic]).await;
        assert!(listed.contains("<Owner>123456789012</Owner>"), "{listed}");
        assert_eq!(call(guest, "ListSubscriptionsByTopic", &[topic]).await.0, 403, "that was not granted");
        assert_eq!(call("444455556666", "Publish", &[topic, ("Message", "m")]).await.0, 403);
        assert_eq!(call(guest, "Publish", &[topic, ("Message", "m")]).await.0, 200);
        let mine = subscribed.split("<SubscriptionArn>").nth(1).unwrap().split('<').next().unwrap();
        assert!(call(guest, "ListSubscriptions", &[]).await.1.contains(mine), "it is the guest's");
        assert!(!call(owner, "ListSubscriptions", &[]).await.1.contains(mine), "and not the owner's");
        assert!(!call("444455556666", "ListSubscriptions", &[]).await.1.contains(mine));
        assert_eq!(call("444455556666", "Unsubscribe", &[("SubscriptionArn", mine)]).await.0, 403);
        assert_eq!(call(guest, "Unsubscribe", &[("SubscriptionArn", mine)]).await.0, 200);
        assert!(!call(guest, "ListSubscriptions", &[]).await.1.contains(mine));
        let nobodys = ("TopicArn", "arn:aws:sns:eu-west-1:999999999999:news");
        assert_eq!(call(guest, "Publish", &[nobodys, ("Message", "m")]).await.0, 404);
    }

    #[tokio::test]
    async fn a_queue_that_another_account_subscribes_is_asked_first() {
        let engine = begin(Pace::Stands);
        let call = async |account: &str, operation: &str, members: &[(&str, &str)]| {
            sns(&engine, account, operation, members).await
        };
        let (owner, guest) = ("111122223333", "123456789012");
        let topic = ("TopicArn", "arn:aws:sns:eu-west-1:111122223333:news");
        call(owner, "CreateTopic", &[("Name", "news")]).await;
        told(&engine, guest, "CreateQueue", r#"{"QueueName":"told"}"#).await;
        let subscribe = [topic, ("Protocol", "sqs"), ("Endpoint", "arn:aws:sqs:eu-west-1:123456789012:told")];
        let queue = r#"{"QueueUrl":"told"}"#;
        let (_, asked) = call(owner, "Subscribe", &subscribe).await;
        assert!(asked.contains("pending confirmation"), "the queue is not the topic owner's: {asked}");
        assert_eq!(told(&engine, guest, "ReceiveMessage", queue).await.1, "{}", "nor does it let the topic in yet");
        let policy = r#"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:*\"}}"#;
        let opened = format!(r#"{{"QueueUrl":"told","Attributes":{{"Policy":"{policy}"}}}}"#);
        assert_eq!(told(&engine, guest, "SetQueueAttributes", &opened).await.0, 200);
        call(owner, "Subscribe", &subscribe).await;
        let (_, letter) = told(&engine, guest, "ReceiveMessage", queue).await;
        let letter: serde_json::Value = serde_json::from_str(&letter).unwrap();
        let letter: serde_json::Value = serde_json::from_str(letter["Messages"][0]["Body"].as_str().unwrap()).unwrap();
        assert_eq!(letter["Type"], "SubscriptionConfirmation");
        call(owner, "Publish", &[topic, ("Message", "early")]).await;
        assert_eq!(told(&engine, guest, "ReceiveMessage", queue).await.1, "{}", "nobody has confirmed");
        assert!(call(owner, "ListSubscriptions", &[]).await.1.contains("PendingConfirmation"));
        let token = ("Token", letter["Token"].as_str().unwrap());
        assert_eq!(call(guest, "ConfirmSubscription", &[topic, token]).await.0, 200);
        call(owner, "Publish", &[topic, ("Message", "news")]).await;
        assert!(told(&engine, guest, "ReceiveMessage", queue).await.1.contains("news"));
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
        assert!(text(&refused).contains("line 8: fault 2 (stop of `nobody`): target must be"), "{}", text(&refused));
    }

    #[tokio::test]
    async fn what_is_asked_about_nobody_is_refused_and_an_order_says_whom_it_was_for() {
        let engine = begin(Pace::Stands);
        ask(&engine, "CreateQueue", r#"{"QueueName":"q"}"#).await;
        let say = async |method: &str, target: &str| {
            let answer = engine.call(order(method, target, "")).await.unwrap();
            (answer.response.status, text(&answer))
        };
        for target in ["faults?account=123456789013", "ledger?account=123456789013"] {
            let (status, said) = say("GET", target).await;
            assert!(status == 404 && said.contains("nothing is known of account 123456789013"), "{said}");
            assert!(said.contains("did you mean 123456789012?"), "{said}");
        }
        let (status, said) = say("POST", "end?region=us-east-1").await;
        assert!(status == 404 && said.contains("account 123456789012 has nothing in us-east-1"), "{said}");
        let (status, said) = say("POST", "advance?by=1h&account=123456789013").await;
        assert!(status == 200 && said.contains("\"account\": \"123456789013\""), "{said}");
        assert!(said.contains("\"regions\": []"), "nothing is there yet: {said}");
        assert_eq!(say("GET", "faults?account=123456789013").await.0, 200, "now it is known");
        assert!(say("POST", "advance?by=1s").await.1.contains("\"eu-west-1\""));
        assert_eq!(say("GET", "faults?region=eu-west-1").await.0, 200);
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

    #[tokio::test]
    async fn while_much_time_passes_for_one_account_the_others_are_served_and_its_own_wait_their_turn() {
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
            per_s = 20.0
            template = "order"
        "#;
        engine.call(order("POST", "scenario", estate)).await;
        let calls = |request: Request| {
            let engine = engine.clone();
            tokio::spawn(async move { text(&engine.call(request).await.unwrap()) })
        };
        let advance = calls(order("POST", "advance?by=1h", ""));
        let own = calls(order("GET", "ledger", ""));
        let further = calls(order("POST", "advance?by=1h", ""));
        tokio::task::yield_now().await;
        let list = || signed("111122223333", "us-east-1", "ListQueues", "{}");
        for _ in 0..10 {
            engine.call(list()).await;
            engine.call(order("GET", "health", "")).await;
        }
        assert!(!advance.is_finished() && !own.is_finished(), "seventy thousand orders take longer than this");
        assert!(advance.await.unwrap().contains("2026-11-27T19:00:00Z"));
        assert!(own.await.unwrap().contains("\"answered\": 0"), "no AWS request was made in the meantime");
        assert!(further.await.unwrap().contains("2026-11-27T20:00:00Z"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_ends_with_the_clock_and_a_message_ends_it_at_once() {
        let engine = begin(Pace::Runs);
        let began = engine.clock().now();
        ask(&engine, "CreateQueue", r#"{"QueueName":"q"}"#).await;
        let poll = r#"{"QueueUrl":"q","WaitTimeSeconds":20}"#;
        assert_eq!(ask(&engine, "ReceiveMessage", poll).await, "{}");
        assert_eq!(engine.clock().now().since(began).as_secs(), 20);
        ask(&engine, "SendMessage", r#"{"QueueUrl":"q","MessageBody":"m","DelaySeconds":7}"#).await;
        assert!(ask(&engine, "ReceiveMessage", poll).await.contains("\"Body\":\"m\""));
        assert_eq!(engine.clock().now().since(began).as_secs(), 27);
    }
}
