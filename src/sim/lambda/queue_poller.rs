//! The poller of a queue's mapping: how many batches it allows itself at once, what it holds, what runs.

use crate::domain::time::Timestamp;
use crate::sim::lambda::mapping::Settings;
use crate::sim::lambda::wake::Wake;
use crate::sim::sqs::{Receipt, Received};
use std::time::Duration;

/// Batches at once to begin with [Using Lambda with Amazon SQS].
const FIRST_CONCURRENCY: f64 = 5.0;
/// Failures do not push it below this [same page: "may drop to 2"].
const LEAST_CONCURRENCY: f64 = 2.0;
/// More batches at once, each second, while messages wait: +300 a minute [same page].
const GROWTH_PER_S: f64 = 5.0;
/// What one provisioned poller allows at once, and how fast provisioned pollers let it grow: +1,000 a minute.
const PER_POLLER: u32 = 10;
const PROVISIONED_GROWTH_PER_S: f64 = 1_000.0 / 60.0;
/// At most so many batches at once without `MaximumConcurrency` [same page].
const MOST_CONCURRENCY: u32 = 1_250;
/// Between polls while messages come in, and while none do. AWS polls for 20 s at a time; steps stand for it.
const BUSY_STEP: Duration = Duration::from_millis(200);
const IDLE_STEP: Duration = Duration::from_millis(1_000);
/// A poller that found messages this lately is busy.
const BUSY_FOR: Duration = Duration::from_secs(10);
/// Five pollers that each wait 20 s for a message make an empty receive this often.
const EMPTY_RECEIVE_EVERY: Duration = Duration::from_secs(4);
/// The longest wait after throttled invocations.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);

/// State of one queue's poller.
#[derive(Debug)]
pub struct QueuePoller {
    pub(crate) wake: Wake,
    /// Batches it allows itself at once, before `MaximumConcurrency`.
    allowed: f64,
    grown_at: Timestamp,
    in_flight: u32,
    /// Receipts of the batches that run, by lane; an empty lane is free.
    lanes: Vec<Vec<Receipt>>,
    free_lanes: Vec<u32>,
    /// Received messages that wait for a full batch, for the window's end, or for a throttle to pass.
    held: Vec<Received>,
    held_since: Timestamp,
    /// The last poll left messages in the queue for want of concurrency.
    is_behind: bool,
    last_found: Timestamp,
    last_empty_receive: Timestamp,
    throttles: u32,
    backs_off_until: Timestamp,
}

impl QueuePoller {
    pub fn new(now: Timestamp) -> Self {
        Self {
            wake: Wake::default(),
            allowed: FIRST_CONCURRENCY,
            grown_at: now,
            in_flight: 0,
            lanes: Vec::new(),
            free_lanes: Vec::new(),
            held: Vec::new(),
            held_since: now,
            is_behind: false,
            last_found: now,
            last_empty_receive: now,
            throttles: 0,
            backs_off_until: now,
        }
    }

    pub fn wake_at(&mut self, at: Timestamp) -> bool {
        self.wake.ask(at)
    }

    /// Batches that run.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Batches that may be begun now.
    pub fn free(&self, settings: &Settings) -> u32 {
        (self.allowed as u32).max(least(settings)).min(most(settings)).saturating_sub(self.in_flight)
    }

    /// Whether throttled invocations make it wait still.
    pub fn backs_off(&self, now: Timestamp) -> bool {
        now < self.backs_off_until
    }

    /// Allows itself more while messages wait, and returns to its first measure when none do.
    pub fn adapt(&mut self, now: Timestamp, settings: &Settings) {
        let growth_per_s = if settings.pollers.is_some() { PROVISIONED_GROWTH_PER_S } else { GROWTH_PER_S };
        let passed_s = now.since(self.grown_at).as_secs_f64();
        self.grown_at = now;
        if self.is_behind {
            let from = self.allowed.max(f64::from(least(settings)));
            self.allowed = (from + passed_s * growth_per_s).min(f64::from(most(settings)));
        } else if self.allowed > FIRST_CONCURRENCY {
            self.allowed = (self.allowed - passed_s * growth_per_s).max(FIRST_CONCURRENCY);
        }
    }

    /// How many messages the batch in hand still has room for.
    pub fn room(&self, settings: &Settings) -> u32 {
        settings.batch_size.saturating_sub(self.held.len() as u32)
    }

    /// Whether to ask an apparently empty queue all the same, which counts an empty receive.
    pub fn asks_in_vain(&mut self, now: Timestamp) -> bool {
        let asks = now.since(self.last_empty_receive) >= EMPTY_RECEIVE_EVERY;
        if asks {
            self.last_empty_receive = now;
        }
        asks
    }

    pub fn hold(&mut self, now: Timestamp, received: Vec<Received>) {
        if received.is_empty() {
            return;
        }
        if self.held.is_empty() {
            self.held_since = now;
        }
        self.last_found = now;
        self.held.extend(received);
    }

    /// Messages held longer than their visibility timeout have returned to the queue: they are no longer ours.
    pub fn drop_lapsed(&mut self, now: Timestamp, visibility_s: u32) {
        if now.since(self.held_since) >= Duration::from_secs(visibility_s.into()) {
            self.held.clear();
        }
    }

    /// The batch in hand, when it is full or its window has ended.
    pub fn ripe(&self, now: Timestamp, settings: &Settings) -> Option<&[Received]> {
        let is_full = self.held.len() as u32 >= settings.batch_size;
        let has_waited = now.since(self.held_since) >= Duration::from_secs(settings.window_s.into());
        (!self.held.is_empty() && (is_full || has_waited)).then_some(self.held.as_slice())
    }

    /// The lane that the next batch will run in.
    pub fn next_lane(&self) -> u32 {
        self.free_lanes.last().copied().unwrap_or(self.lanes.len() as u32)
    }

    /// The batch in hand has begun, in the lane that [`Self::next_lane`] named.
    pub fn begun(&mut self) {
        let lane = match self.free_lanes.pop() {
            Some(lane) => lane as usize,
            None => {
                self.lanes.push(Vec::new());
                self.lanes.len() - 1
            }
        };
        self.lanes[lane].extend(self.held.drain(..).map(|message| message.receipt));
        self.in_flight += 1;
        self.throttles = 0;
    }

    /// The batch in hand was throttled: it is tried again later, within its visibility timeout.
    pub fn throttled(&mut self, now: Timestamp) {
        let wait = Duration::from_secs(1 << self.throttles.min(6)).min(LONGEST_BACK_OFF);
        self.throttles += 1;
        self.backs_off_until = now + wait;
    }

    /// A batch has ended; its receipts. Failures make the poller careful unless the function reports items.
    pub fn ended(&mut self, lane: u32, is_success: bool, settings: &Settings) -> Vec<Receipt> {
        let Some(receipts) = self.lanes.get_mut(lane as usize).map(std::mem::take) else { return Vec::new() };
        self.free_lanes.push(lane);
        self.in_flight = self.in_flight.saturating_sub(1);
        if is_success {
            self.allowed = self.allowed.max((self.allowed + 1.0).min(FIRST_CONCURRENCY));
        } else if !settings.reports_item_failures {
            self.allowed = (self.allowed - 1.0).max(LEAST_CONCURRENCY);
        }
        receipts
    }

    /// Gives a lane's emptied list back, so that its memory is used again.
    pub fn recycle(&mut self, lane: u32, mut receipts: Vec<Receipt>) {
        receipts.clear();
        if let Some(slot) = self.lanes.get_mut(lane as usize) {
            *slot = receipts;
        }
    }

    /// Whether an ended batch is followed by another at once.
    pub fn is_behind(&self) -> bool {
        self.is_behind
    }

    pub fn set_behind(&mut self, is_behind: bool) {
        self.is_behind = is_behind;
    }

    /// When to poll again.
    pub fn next_poll(&self, now: Timestamp, settings: &Settings) -> Timestamp {
        let is_busy = now.since(self.last_found) < BUSY_FOR;
        let step = now + if is_busy { BUSY_STEP } else { IDLE_STEP };
        if self.backs_off(now) {
            return self.backs_off_until;
        }
        if self.held.is_empty() {
            return step;
        }
        let window_end = self.held_since + Duration::from_secs(settings.window_s.into());
        if window_end > now { step.min(window_end) } else { step }
    }
}

/// Batches at once that are always allowed.
fn least(settings: &Settings) -> u32 {
    settings.pollers.map_or(1, |pollers| pollers.minimum * PER_POLLER)
}

/// Batches at once that are never exceeded.
fn most(settings: &Settings) -> u32 {
    match settings.pollers {
        Some(pollers) => pollers.maximum.saturating_mul(PER_POLLER),
        None => settings.maximum_concurrency.unwrap_or(MOST_CONCURRENCY),
    }
}
