//! The engine's task: owns the worlds and the clock, takes requests one at a time, and keeps those that must wait.

use crate::domain::time::Timestamp;
use crate::sim::clock::VirtualClock;
use crate::sim::cx::Place;
use crate::sim::wire::{self, Call, Reply, Request, Response};
use crate::sim::world::World;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Requests that wait for the engine's attention; a sender waits beyond that.
const QUEUE_MAX: usize = 1024;
/// Accounts that one engine keeps; a request for one more is refused.
const ACCOUNTS_MAX: usize = 1000;
/// How long a waiting request (long poll, synchronous invocation) sleeps at most before it is asked again.
const WAIT_STEP: Duration = Duration::from_millis(200);

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

/// An answer and how long AWS would have taken for it, in simulated time.
struct Answered {
    response: Response,
    latency: Duration,
}

impl Handle {
    /// Answers at once (what the listener wants: the network adds its own time).
    pub async fn call(&self, request: Request) -> Response {
        self.ask(request).await.map_or_else(stopped, |answered| answered.response)
    }

    /// Answers after a plausible service time (what the console in the same process wants).
    pub async fn call_with_latency(&self, request: Request) -> Response {
        match self.ask(request).await {
            None => stopped(),
            Some(answered) => {
                self.clock.sleep(answered.latency).await;
                answered.response
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
    let body = r#"{"__type":"ServiceUnavailable","message":"The engine has stopped."}"#;
    Response { status: 503, headers: Vec::new(), body: Bytes::from_static(body.as_bytes()) }
}

/// Starts the engine on the current runtime. `world` answers for its own account and for callers whose access key
/// id names none; a key id of twelve digits names an account, which starts empty.
pub fn start(world: World, clock: VirtualClock) -> Handle {
    let (requests, received) = mpsc::channel(QUEUE_MAX);
    let engine = Engine {
        home: world.place.account.clone(),
        worlds: BTreeMap::from([(world.place.account.clone(), world)]),
        clock,
        waiting: Vec::new(),
        answered: 0,
    };
    tokio::spawn(engine.run(received));
    Handle { requests, clock }
}

struct Engine {
    home: String,
    worlds: BTreeMap<String, World>,
    clock: VirtualClock,
    waiting: Vec<Waiting>,
    answered: u64,
}

struct Waiting {
    account: String,
    call: Call,
    until: Timestamp,
    answer: oneshot::Sender<Answered>,
}

impl Engine {
    async fn run(mut self, mut received: mpsc::Receiver<Asked>) {
        loop {
            tokio::select! {
                biased;
                asked = received.recv() => match asked {
                    Some(asked) => self.take(asked),
                    None => return,
                },
                () = self.clock.sleep(self.nap()), if !self.waiting.is_empty() => {}
            }
            self.ask_again();
        }
    }

    /// Until something can have changed for a waiting request.
    fn nap(&self) -> Duration {
        let now = self.clock.now();
        let until = self.waiting.iter().map(|waiting| waiting.until).min().unwrap_or(now);
        until.since(now).clamp(Duration::from_millis(1), WAIT_STEP)
    }

    fn take(&mut self, asked: Asked) {
        let account = self.account_of(&asked.request);
        let now = self.clock.now();
        let Some(world) = self.world(&account) else {
            let _ = asked.answer.send(Answered { response: stopped(), latency: Duration::ZERO });
            return;
        };
        world.advance_to(now);
        let mut call = Call { request: asked.request, arrived: world.now, ticket: None };
        match wire::handle(world, &mut call) {
            Reply::Done(response) => self.send(asked.answer, response),
            Reply::Later(until) => self.waiting.push(Waiting { account, call, until, answer: asked.answer }),
        }
    }

    fn ask_again(&mut self) {
        let now = self.clock.now();
        for mut waiting in std::mem::take(&mut self.waiting) {
            if waiting.answer.is_closed() {
                continue;
            }
            let Some(world) = self.world(&waiting.account) else { continue };
            world.advance_to(now);
            match wire::handle(world, &mut waiting.call) {
                Reply::Done(response) => self.send(waiting.answer, response),
                Reply::Later(until) => {
                    waiting.until = until;
                    self.waiting.push(waiting);
                }
            }
        }
    }

    /// A caller that has gone away does not matter to the engine.
    fn send(&mut self, answer: oneshot::Sender<Answered>, response: Response) {
        self.answered += 1;
        let mut state = self.answered;
        let latency = Duration::from_millis(6 + crate::sim::payload::next(&mut state) % 24);
        let _ = answer.send(Answered { response, latency });
    }

    fn world(&mut self, account: &str) -> Option<&mut World> {
        if !self.worlds.contains_key(account) {
            if self.worlds.len() >= ACCOUNTS_MAX {
                return None;
            }
            let home = &self.worlds[&self.home].place;
            let place = Place { account: account.to_owned(), ..home.clone() };
            let seed = account.parse().unwrap_or(0);
            self.worlds.insert(account.to_owned(), World::new(seed, self.clock.now(), place));
        }
        self.worlds.get_mut(account)
    }

    fn account_of(&self, request: &Request) -> String {
        match access_key_id(request) {
            Some(id) if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) => id.to_owned(),
            _ => self.home.clone(),
        }
    }
}

/// The access key id in `Authorization: AWS4-HMAC-SHA256 Credential=AKID/20261127/eu-west-1/sqs/aws4_request, …`.
fn access_key_id(request: &Request) -> Option<&str> {
    let (_, credential) = request.header("authorization")?.split_once("Credential=")?;
    credential.split_once('/').map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_a_key_id_of_twelve_digits() {
        let request = |key: &str| Request {
            method: "POST".into(),
            path: "/".into(),
            query: String::new(),
            headers: vec![(
                "authorization".into(),
                format!("AWS4-HMAC-SHA256 Credential={key}/20261127/eu-west-1/sqs/aws4_request, SignedHeaders=host"),
            )],
            body: Bytes::new(),
        };
        assert_eq!(access_key_id(&request("111122223333")), Some("111122223333"));
        assert_eq!(access_key_id(&request("AKIAEXAMPLE")), Some("AKIAEXAMPLE"));
    }
}
