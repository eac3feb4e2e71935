//! The hands: effects become tasks that ask and act, and what they bring comes back as events over one bounded
//! channel. With a terminal or without one, they are the same.

use crate::actions::{CallOutcome, Confirmed};
use crate::app::effect::Effect;
use crate::app::event::{Event, What};
use crate::app::job::{PlanId, Stage};
use crate::app::state::State;
use crate::aws::{self, Clients, Lane};
use crate::clock::Clock;
use crate::domain::poll::{Poll, Reading};
use crate::domain::row::Place;
use crate::domain::time::Timestamp;
use crate::journal::{End, Journal, Who};
use futures::future::BoxFuture;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

/// Events on their way to the state.
const EVENTS_MAX: usize = 256;
/// Tasks that ask. A poll that was given up may still hang; the oldest are cut off beyond this.
const ASKING_MAX: usize = 64;

type Ask = dyn Fn(Poll, Timestamp) -> BoxFuture<'static, Reading> + Send + Sync;
type Act = dyn Fn(Confirmed, usize) -> BoxFuture<'static, CallOutcome> + Send + Sync;

/// What answers questions and performs calls.
#[derive(Clone)]
pub struct Backend {
    ask: Arc<Ask>,
    act: Arc<Act>,
}

impl Backend {
    /// AWS (or whatever the clients were made with) through the SDK. Each context's clients know of no other: what they
    /// are asked and what they answer is said to be of their place here, and only here.
    pub fn aws(clients: BTreeMap<Place, Clients>) -> Self {
        let clients = Arc::new(clients);
        let asking = clients.clone();
        let ask = move |poll: Poll, now| -> BoxFuture<'static, Reading> {
            let lane = if poll.is_near { Lane::Near } else { Lane::Wide };
            let clients = asking.get(&poll.place).map(|clients| clients.in_lane(lane));
            Box::pin(async move {
                match clients {
                    Some(clients) => {
                        let question = poll.question.at(&Place::default());
                        aws::ask(&clients, &question, now).await.at(&poll.place)
                    }
                    // The schedule knows the places of the session and no others.
                    None => Reading::default(),
                }
            })
        };
        let act = move |plan: Confirmed, call| -> BoxFuture<'static, CallOutcome> {
            let clients = clients.get(&plan.plan().resource.place).cloned();
            Box::pin(async move {
                match clients {
                    Some(clients) => aws::perform(&clients, &plan, call).await,
                    None => CallOutcome::Failed {
                        sentence: format!("{} is not in a context that is watched.", plan.plan().resource),
                        sent: false,
                    },
                }
            })
        };
        Self::new(ask, act)
    }

    /// Any other answers: for tests and benchmarks.
    pub fn new(
        ask: impl Fn(Poll, Timestamp) -> BoxFuture<'static, Reading> + Send + Sync + 'static,
        act: impl Fn(Confirmed, usize) -> BoxFuture<'static, CallOutcome> + Send + Sync + 'static,
    ) -> Self {
        Self { ask: Arc::new(ask), act: Arc::new(act) }
    }
}

/// Carries out the effects that concern AWS, the journal and the time.
pub struct Hands {
    backend: Backend,
    clock: Clock,
    /// When it could not be opened, nothing may be performed.
    journal: Result<Journal, String>,
    /// Who acts; what differs between contexts comes from the state when it acts.
    who: Who,
    events: mpsc::Sender<Event>,
    wake_at: Option<Timestamp>,
    asking: VecDeque<AbortHandle>,
    /// Where the end of each performed plan is waited for.
    ends: BTreeMap<PlanId, oneshot::Sender<(Timestamp, Stage, String)>>,
}

impl Hands {
    /// The hands, and the events that they bring. `journal`: opened, or why it could not be.
    pub fn new(
        backend: Backend,
        clock: Clock,
        journal: Result<Journal, String>,
        who: Who,
    ) -> (Self, mpsc::Receiver<Event>) {
        let (events, answers) = mpsc::channel(EVENTS_MAX);
        let (asking, ends) = (VecDeque::new(), BTreeMap::new());
        (Self { backend, clock, journal, who, events, wake_at: None, asking, ends }, answers)
    }

    /// The session's time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How long it really takes until the wake that was asked for.
    pub fn until_wake(&self) -> Option<Duration> {
        self.wake_at.map(|at| self.real_until(at))
    }

    /// A wake that was asked for until this time has come: the same is not waited for again.
    pub fn woken(&mut self, at: Timestamp) {
        self.wake_at = self.wake_at.filter(|wake_at| *wake_at > at);
    }

    /// How long it really takes until this time of the session; at least a millisecond.
    pub fn real_until(&self, at: Timestamp) -> Duration {
        self.clock.real(at.since(self.now())).max(Duration::from_millis(1))
    }

    /// Starts what an effect asks for. What concerns the terminal is not for hands, and is passed over.
    pub fn carry_out(&mut self, effect: Effect, state: &State) {
        match effect {
            Effect::Ask(poll) => self.ask(poll),
            Effect::Perform { plan_id, plan } => self.perform(plan_id, plan, state),
            Effect::Conclude { plan_id, stage, sentence } => {
                if let Some(end) = self.ends.remove(&plan_id) {
                    // The task that would write it has gone only with the runtime.
                    end.send((self.now(), stage, sentence)).ok();
                }
            }
            Effect::WakeAt(at) => self.wake_at = Some(at),
            Effect::Copy(_) | Effect::Watch(_) | Effect::Suspend | Effect::Quit => {}
        }
    }

    fn ask(&mut self, poll: Poll) {
        let (ask, clock, events) = (self.backend.ask.clone(), self.clock, self.events.clone());
        let task = tokio::spawn(async move {
            let reading = ask(poll.clone(), clock.now()).await;
            tracing::debug!(generation = poll.generation, calls = reading.calls.total(), question = ?poll.question);
            for problem in &reading.problems {
                tracing::info!(generation = poll.generation, ?problem);
            }
            // Nobody listens any more when the program is leaving.
            let what = What::Polled { poll, reading: Box::new(reading) };
            events.send(Event { at: clock.now(), what }).await.ok();
        });
        self.asking.retain(|task| !task.is_finished());
        self.asking.push_back(task.abort_handle());
        if self.asking.len() > ASKING_MAX
            && let Some(oldest) = self.asking.pop_front()
        {
            oldest.abort();
        }
    }

    fn perform(&mut self, plan_id: PlanId, plan: Confirmed, state: &State) {
        let place = &plan.plan().resource.place;
        let (context, identity) = (state.settings.context(place), state.identities.get(place));
        let who = Who {
            principal: identity.and_then(|identity| identity.principal.clone()),
            account: identity.and_then(|identity| identity.account.clone()),
            region: context.and_then(|context| context.region.clone()),
            endpoint: context.and_then(|context| context.endpoint_url.clone()),
            ..self.who.clone()
        };
        let (end, ended) = oneshot::channel();
        self.ends.insert(plan_id, end);
        let performer = Performer {
            plan_id,
            plan,
            act: self.backend.act.clone(),
            clock: self.clock,
            journal: self.journal.clone(),
            who,
            events: self.events.clone(),
        };
        tokio::spawn(performer.run(ended));
    }
}

/// One plan on its way: intent on disk, calls, outcome on disk, and at last what the polls showed.
struct Performer {
    plan_id: PlanId,
    plan: Confirmed,
    act: Arc<Act>,
    clock: Clock,
    journal: Result<Journal, String>,
    who: Who,
    events: mpsc::Sender<Event>,
}

impl Performer {
    async fn run(self, ended: oneshot::Receiver<(Timestamp, Stage, String)>) {
        let written = self.journal.as_ref().map_err(String::clone).and_then(|journal| {
            journal.intent(self.clock.now(), &self.who, self.plan.plan()).map_err(|error| error.to_string())
        });
        let intent = match written {
            Ok(intent) => intent,
            Err(sentence) => return self.not_journalled(sentence, false).await,
        };
        let outcomes = self.calls().await;
        if let Err(sentence) = self.write(|journal| journal.outcome(self.clock.now(), intent, &outcomes)) {
            self.not_journalled(sentence, true).await;
        }
        if let Ok((at, stage, sentence)) = ended.await
            && let Err(sentence) = self.write(|journal| journal.end(at, intent, end_of(stage), &sentence))
        {
            self.not_journalled(sentence, true).await;
        }
    }

    /// Makes the calls in order and stops at the first that fails.
    async fn calls(&self) -> Vec<CallOutcome> {
        let mut outcomes = Vec::new();
        for call in 0..self.plan.plan().calls.len() {
            let outcome = (self.act)(self.plan.clone(), call).await;
            tracing::info!(plan = self.plan_id.0, call, ?outcome);
            let failed = matches!(outcome, CallOutcome::Failed { .. });
            outcomes.push(outcome.clone());
            self.tell(What::Performed { plan_id: self.plan_id, call, outcome }).await;
            if failed {
                break;
            }
        }
        outcomes
    }

    fn write(&self, entry: impl FnOnce(&Journal) -> std::io::Result<u64>) -> Result<u64, String> {
        self.journal.as_ref().map_err(String::clone).and_then(|journal| entry(journal).map_err(|e| e.to_string()))
    }

    async fn not_journalled(&self, sentence: String, call_sent: bool) {
        self.tell(What::NotJournalled { plan_id: self.plan_id, sentence, call_sent }).await;
    }

    async fn tell(&self, what: What) {
        // Nobody listens any more when the program is leaving.
        self.events.send(Event { at: self.clock.now(), what }).await.ok();
    }
}

const fn end_of(stage: Stage) -> End {
    match stage {
        Stage::Done => End::Done,
        Stage::Partly => End::Partly,
        Stage::Failed => End::Failed,
        Stage::NotSeen | Stage::Calling | Stage::Watching => End::NotSeen,
    }
}
