//! One account in one region as it is served: its world, the requests that wait there, and its event streams. Answers
//! requests and lets time pass; who waits is asked again when what it waits for has changed, and when its time is over.

use crate::domain::time::Timestamp;
use crate::sim::waits::Awaited;
use crate::sim::wire::visit::Visit;
use crate::sim::wire::{self, Call, Gate, Reply, Request, Response};
use crate::sim::world::World;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Pieces of an event stream's body that wait for their reader.
const EVENTS_MAX: usize = 16;
/// How long an event stream is left alone whose reader has not taken what was said before.
const SLOW_READER: Duration = Duration::from_millis(200);
/// What waits is asked again after this at the earliest, unless something changes.
const MOMENT: Duration = Duration::from_millis(1);
/// No poll of AWS's waits longer.
const LONGEST_POLL: Duration = Duration::from_secs(3600);
/// So many requests may wait before those whose callers have gone away are looked for.
const SWEEP_MIN: usize = 64;

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
pub struct Answered {
    /// `None`: the connection ends without one.
    pub answer: Option<Answer>,
    pub latency: Duration,
}

/// What a caller hears first.
pub enum Said {
    Answered(Answered),
    /// The request waits; its answer comes here. Whoever drops this gives the request up, and it takes nothing away.
    Waits(oneshot::Receiver<Answered>),
}

/// A world and who waits for it.
pub struct Realm {
    pub world: World,
    parked: BTreeMap<u64, Parked>,
    /// Calls about what other accounts own, for whoever brings them there.
    pub leaving: Vec<Leaving>,
    /// So many are parked when those whose callers have gone away are next looked for.
    sweep_at: usize,
    answered: u64,
}

/// A call on its way to another account's world, or back from where there is none.
pub struct Leaving {
    pub call: Call,
    pub answer: oneshot::Sender<Answered>,
}

/// What is asked again, by its number among the world's waits.
enum Parked {
    Request {
        call: Call,
        answer: oneshot::Sender<Answered>,
    },
    /// A call whose answer is an event stream.
    Stream {
        call: Call,
        body: mpsc::Sender<Bytes>,
    },
}

impl Parked {
    fn is_given_up(&self) -> bool {
        match self {
            Self::Request { answer, .. } => answer.is_closed(),
            Self::Stream { body, .. } => body.is_closed(),
        }
    }
}

impl Realm {
    pub fn new(world: World) -> Self {
        Self { world, parked: BTreeMap::new(), leaving: Vec::new(), sweep_at: SWEEP_MIN, answered: 0 }
    }

    /// Answers a request now, or lets it wait. The time must have been brought up to now before.
    pub fn take(&mut self, request: Request, to: oneshot::Sender<Said>) {
        let mut call = Call::new(request, self.world.now);
        self.world.waits.begin();
        match answer(&mut self.world, &mut call) {
            Reply::Done(response) => {
                let answered = self.conclude(call, response);
                // A caller that has gone away does not matter.
                let _ = to.send(Said::Answered(answered));
            }
            Reply::Later(until) => {
                let (answer, answered) = oneshot::channel();
                self.park(call, answer, until);
                // One who has gone away has dropped the answer, too.
                let _ = to.send(Said::Waits(answered));
                self.sweep();
            }
        }
        self.tell_of_changes();
    }

    /// Takes in a call that left another world, or that found none. Its waiting begins here.
    pub fn take_in(&mut self, Leaving { mut call, answer: to }: Leaving) {
        call.arrived = self.world.now;
        call.ticket = None;
        self.world.waits.begin();
        match answer(&mut self.world, &mut call) {
            Reply::Done(response) => {
                let answered = self.conclude(call, response);
                let _ = to.send(answered);
            }
            Reply::Later(until) => self.park(call, to, until),
        }
        self.tell_of_changes();
    }

    /// Lets a call wait, or leave.
    fn park(&mut self, call: Call, answer: oneshot::Sender<Answered>, until: Timestamp) {
        if matches!(call.visit, Visit::Leaves(_)) {
            self.leaving.push(Leaving { call, answer });
            return;
        }
        let number = self.world.waits.add(until.max(self.world.now + MOMENT));
        self.parked.insert(number, Parked::Request { call, answer });
    }

    /// Makes an answer of a response, with its time; where it is the head of an event stream, the stream is due now.
    fn conclude(&mut self, call: Call, mut response: Response) -> Answered {
        response.headers.extend(self.world.now.http_date().map(|date| ("date".to_owned(), date)));
        self.answered += 1;
        let mut state = self.answered;
        let latency = Duration::from_millis(6 + crate::sim::payload::next(&mut state) % 24);
        if call.gate == Gate::Cut {
            return Answered { answer: None, latency };
        }
        let rest = response.is_event_stream().then(|| {
            let (body, rest) = mpsc::channel(EVENTS_MAX);
            let number = self.world.waits.add(self.world.now);
            self.parked.insert(number, Parked::Stream { call, body });
            rest
        });
        Answered { answer: Some(Answer { response, rest }), latency }
    }

    /// Does what is due up to and at `until`, but at most `steps` of it; each who waits gets the answer of its time.
    /// Whether all is done.
    pub fn advance(&mut self, until: Timestamp, steps: usize) -> bool {
        for _ in 0..steps {
            let next = self.world.waits.next_at().map_or(until, |at| at.min(until)).max(self.world.now);
            if step(&mut self.world, next) || self.world.waits.due(next).is_some() {
                self.tell_of_changes();
            } else if next >= until {
                return true;
            }
        }
        false
    }

    /// When there may next be something to say without being asked, if there ever is.
    pub fn next_at(&self) -> Option<Timestamp> {
        let posts = self.world.outbox.is_some() && self.world.sns.deliveries_in_hand() > 0;
        let polls = self.world.lambda.guest_mappings > 0;
        if self.parked.is_empty() && !posts && !polls {
            return None;
        }
        self.world.agenda.next_at().into_iter().chain(self.world.waits.next_at()).min()
    }

    /// Asks those who wait for what has changed: for what only one can have, one after the other, as long as there is
    /// some of it. Then those whose time is over.
    pub fn tell_of_changes(&mut self) {
        if self.parked.is_empty() {
            return;
        }
        for number in self.world.waits.all(&Awaited::Change) {
            self.ask_again(number);
        }
        while let Some(awaited) = self.world.waits.take_changed() {
            if let Awaited::Records(_) | Awaited::Release(_) = awaited {
                for number in self.world.waits.all(&awaited) {
                    self.ask_again(number);
                }
                continue;
            }
            while is_there(&mut self.world, &awaited) {
                let Some(number) = self.world.waits.first(&awaited) else { break };
                if !self.ask_again(number) {
                    // It is there, and yet not to be had: too many messages of the queue are in flight.
                    self.world.waits.forget_change(&awaited);
                    break;
                }
            }
        }
        while let Some(number) = self.world.waits.due(self.world.now) {
            self.ask_again(number);
        }
    }

    /// Asks one who waits, unless its caller has gone away. False when it goes on waiting.
    fn ask_again(&mut self, number: u64) -> bool {
        let Some(parked) = self.parked.remove(&number).filter(|parked| !parked.is_given_up()) else {
            self.world.waits.remove(number);
            return true;
        };
        self.world.waits.note_asking();
        let (until, parked) = match parked {
            Parked::Request { mut call, answer: to } => match answer(&mut self.world, &mut call) {
                Reply::Done(response) => {
                    self.world.waits.remove(number);
                    let answered = self.conclude(call, response);
                    let _ = to.send(answered);
                    return true;
                }
                Reply::Later(_) if matches!(call.visit, Visit::Leaves(_)) => {
                    self.world.waits.remove(number);
                    self.leaving.push(Leaving { call, answer: to });
                    return true;
                }
                Reply::Later(until) => (until, Parked::Request { call, answer: to }),
            },
            Parked::Stream { call, body } => match speak(&mut self.world, &call, &body) {
                None => {
                    self.world.waits.remove(number);
                    return true;
                }
                Some(until) => (until, Parked::Stream { call, body }),
            },
        };
        self.world.waits.put_off(number, until.max(self.world.now + MOMENT));
        self.parked.insert(number, parked);
        false
    }

    /// Forgets requests whose callers have gone away, each time that twice as many wait.
    fn sweep(&mut self) {
        if self.parked.len() < self.sweep_at {
            return;
        }
        let given_up: Vec<u64> =
            self.parked.iter().filter(|(_, parked)| parked.is_given_up()).map(|(number, _)| *number).collect();
        for number in given_up {
            self.parked.remove(&number);
            self.world.waits.remove(number);
        }
        self.sweep_at = SWEEP_MIN.max(self.parked.len() * 2);
    }

    /// Puts another world in the place of this one. Who waits gets the answer of that one.
    pub fn reset(&mut self, world: World) {
        self.world = world;
        for parked in std::mem::take(&mut self.parked).into_values() {
            self.world.waits.begin();
            let number = self.world.waits.add(self.world.now);
            self.parked.insert(number, parked);
            self.ask_again(number);
        }
    }

    /// Answers all who wait, because the engine stops: polls as at the end of their time, what is not done with 503.
    /// Event streams end.
    pub fn close(&mut self) {
        for (number, parked) in std::mem::take(&mut self.parked) {
            self.world.waits.remove(number);
            let Parked::Request { mut call, answer: to } = parked else { continue };
            if to.is_closed() {
                continue;
            }
            call.arrived = call.arrived - LONGEST_POLL;
            let reply = match answer(&mut self.world, &mut call) {
                Reply::Later(_) => {
                    call.gate = Gate::Closed;
                    answer(&mut self.world, &mut call)
                }
                done @ Reply::Done(_) => done,
            };
            if let Reply::Done(response) = reply {
                let _ = to.send(Answered { answer: Some(response.into()), latency: Duration::ZERO });
            }
        }
    }

    /// Whether nobody waits here.
    pub fn is_quiet(&self) -> bool {
        self.parked.is_empty()
    }
}

/// Whether one who waits for it would be served now.
fn is_there(world: &mut World, awaited: &Awaited) -> bool {
    match awaited {
        Awaited::Message(queue) => world.sqs.has_news(world.now, queue),
        Awaited::Task(domain, kind, list) => world.swf.count_pending_tasks(*domain, *kind, list) > 0,
        Awaited::Records(_) | Awaited::Release(_) | Awaited::Change => true,
        Awaited::Time => false,
    }
}

/// Sends what an event stream says now; when to ask it again, or `None` at its end.
fn speak(world: &mut World, call: &Call, body: &mpsc::Sender<Bytes>) -> Option<Timestamp> {
    while let Ok(permit) = body.try_reserve() {
        let (bytes, until) = guarded(|| wire::events(world, call)).unwrap_or_default();
        if !bytes.is_empty() {
            permit.send(bytes);
        }
        let until = until?;
        if until > world.now {
            return Some(until);
        }
    }
    Some(world.now + SLOW_READER)
}

/// Asks the world. Should one of its services panic, that is the answer to this request, and all others are served.
fn answer(world: &mut World, call: &mut Call) -> Reply<Response> {
    guarded(|| wire::handle(world, call)).unwrap_or_else(|| {
        let body = r#"{"__type":"InternalFailure","message":"The engine failed at this request: please report it."}"#;
        Reply::Done(Response { status: 500, headers: Vec::new(), body: Bytes::from_static(body.as_bytes()) })
    })
}

/// One step of the world; one that panics is left behind.
fn step(world: &mut World, until: Timestamp) -> bool {
    guarded(|| world.step(until)).unwrap_or(true)
}

fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok()
}

#[cfg(test)]
mod tests;
