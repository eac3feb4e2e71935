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
mod tests;
