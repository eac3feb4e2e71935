//! What holds after every step of any run: nothing is lost, nothing is counted twice, order and determinism.

use super::message::Standing;
use super::tests::{Bench, outgoing, redrive_to};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;

/// Two pairs of a queue and its dead-letter queue, one standard and one FIFO.
const QUEUES: [&str; 4] = ["orders", "orders-dlq", "bids.fifo", "bids-dlq.fifo"];

#[derive(Clone, Debug)]
enum Step {
    Send {
        queue: usize,
        group: u8,
        delay_s: u32,
    },
    Receive {
        queue: usize,
        max: u32,
        visibility_s: u32,
    },
    /// Deletes by one of the receipts ever given out, current or not.
    Delete {
        receipt: usize,
    },
    ChangeVisibility {
        receipt: usize,
        visibility_s: u32,
    },
    Wait {
        ms: u64,
    },
    Purge {
        queue: usize,
    },
    Retention {
        queue: usize,
        retention_s: u32,
    },
    MaxReceives {
        fifo: bool,
        max: u32,
    },
    StartMove {
        fifo: bool,
        back: bool,
        rate: u32,
    },
    CancelMove {
        fifo: bool,
    },
    /// The dead-letter queue is deleted and, once its name is free, made again.
    LoseDlq {
        fifo: bool,
    },
    MakeDlq {
        fifo: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let queue = 0..QUEUES.len();
    let step = prop_oneof![
        8 => (queue.clone(), 0u8..3, prop_oneof![3 => Just(0u32), 1 => 1u32..20])
            .prop_map(|(queue, group, delay_s)| Step::Send { queue, group, delay_s }),
        8 => (queue.clone(), 1u32..=10, prop_oneof![Just(0u32), 1u32..40])
            .prop_map(|(queue, max, visibility_s)| Step::Receive { queue, max, visibility_s }),
        5 => any::<prop::sample::Index>().prop_map(|i| Step::Delete { receipt: i.index(64) }),
        3 => (0usize..64, 0u32..40)
            .prop_map(|(receipt, visibility_s)| Step::ChangeVisibility { receipt, visibility_s }),
        6 => prop_oneof![4 => 0u64..30_000, 1 => 30_000u64..600_000].prop_map(|ms| Step::Wait { ms }),
        1 => queue.clone().prop_map(|queue| Step::Purge { queue }),
        1 => (queue, 60u32..600).prop_map(|(queue, retention_s)| Step::Retention { queue, retention_s }),
        1 => (any::<bool>(), 1u32..4).prop_map(|(fifo, max)| Step::MaxReceives { fifo, max }),
        2 => (any::<bool>(), any::<bool>(), 1u32..5)
            .prop_map(|(fifo, back, rate)| Step::StartMove { fifo, back, rate }),
        1 => any::<bool>().prop_map(|fifo| Step::CancelMove { fifo }),
        1 => any::<bool>().prop_map(|fifo| Step::LoseDlq { fifo }),
        2 => any::<bool>().prop_map(|fifo| Step::MakeDlq { fifo }),
    ];
    prop::collection::vec(step, 1..150)
}

/// A run and the books that are kept of it from outside.
struct Run {
    bench: Bench,
    receipts: Vec<(&'static str, Receipt)>,
    sent: u64,
    deleted: u64,
    purged: u64,
    /// Messages and expiries of queues that were deleted.
    gone: u64,
}

impl Run {
    fn new() -> Self {
        let mut bench = Bench::new();
        for (queue, dlq, fifo) in [(QUEUES[0], QUEUES[1], false), (QUEUES[2], QUEUES[3], true)] {
            let policy = redrive_to(dlq, 2);
            let mut attributes = vec![("RedrivePolicy", policy.as_str())];
            if fifo {
                attributes.push(("FifoQueue", "true"));
            }
            bench.create(dlq, &attributes[1..]).unwrap();
            bench.create(queue, &attributes).unwrap();
        }
        Self { bench, receipts: Vec::new(), sent: 0, deleted: 0, purged: 0, gone: 0 }
    }

    fn take(&mut self, step: &Step) {
        let pair = |fifo: bool| if fifo { (QUEUES[2], QUEUES[3]) } else { (QUEUES[0], QUEUES[1]) };
        let now = self.bench.world.now;
        let (sqs, mut cx) = self.bench.world.sqs_cx();
        match *step {
            Step::Send { queue, group, delay_s } => {
                let mut message = outgoing("body");
                if QUEUES[queue].ends_with(".fifo") {
                    message.group = Some(format!("group-{group}"));
                    message.dedup = Some(self.sent.to_string());
                } else {
                    message.delay_s = Some(delay_s);
                    // Some of a standard queue's messages name a group, too.
                    message.group = (group > 0).then(|| format!("tenant-{group}"));
                }
                self.sent += u64::from(sqs.send(&mut cx, QUEUES[queue], message).is_ok());
            }
            Step::Receive { queue, max, visibility_s } => {
                let name = QUEUES[queue];
                let flying = first_in_flight(sqs, cx.now, name);
                let received = sqs.receive(&mut cx, name, max, Some(visibility_s)).unwrap_or_default();
                self.receipts.extend(received.iter().map(|message| (name, message.receipt)));
                if name.ends_with(".fifo") {
                    check_order(sqs, name, &received, &flying);
                }
            }
            Step::Delete { receipt } => {
                let Some((name, receipt)) = self.receipts.iter().rev().nth(receipt).copied() else { return };
                self.deleted += u64::from(sqs.delete(&mut cx, name, receipt).unwrap_or(false));
            }
            Step::ChangeVisibility { receipt, visibility_s } => {
                let Some((name, receipt)) = self.receipts.iter().rev().nth(receipt).copied() else { return };
                let _ = sqs.change_visibility(&mut cx, name, receipt, visibility_s);
            }
            Step::Wait { ms } => self.bench.world.advance_to(now + Duration::from_millis(ms)),
            Step::Purge { queue } => self.purged += sqs.purge(&mut cx, QUEUES[queue]).unwrap_or(0),
            Step::Retention { queue, retention_s } => {
                let changes = BTreeMap::from([("MessageRetentionPeriod".to_owned(), retention_s.to_string())]);
                let _ = sqs.set_attributes(&mut cx, QUEUES[queue], &changes);
            }
            Step::MaxReceives { fifo, max } => {
                let (queue, dlq) = pair(fifo);
                let changes = BTreeMap::from([("RedrivePolicy".to_owned(), redrive_to(dlq, max))]);
                let _ = sqs.set_attributes(&mut cx, queue, &changes);
            }
            Step::StartMove { fifo, back, rate } => {
                let (queue, dlq) = pair(fifo);
                let _ = sqs.start_message_move_task(&mut cx, dlq, (!back).then_some(queue), Some(rate));
            }
            Step::CancelMove { fifo } => {
                let (_, dlq) = pair(fifo);
                let tasks = sqs.list_message_move_tasks(&mut cx, dlq).unwrap_or_default();
                if let Some(task) = tasks.first() {
                    let _ = sqs.cancel_message_move_task(&mut cx, dlq, &task.id);
                }
            }
            Step::LoseDlq { fifo } => {
                let (_, dlq) = pair(fifo);
                if let Some(depth) = sqs.depth(&cx, dlq) {
                    self.gone += depth.total() + sqs.queue(dlq).map_or(0, |queue| queue.expired);
                    sqs.delete_queue(&mut cx, dlq).unwrap();
                }
            }
            Step::MakeDlq { fifo } => {
                let attributes: &[(&str, &str)] = if fifo { &[("FifoQueue", "true")] } else { &[] };
                let _ = self.bench.create(pair(fifo).1, attributes);
            }
        }
    }

    /// Every message sent is exactly one of deleted, purged, expired, lost with its queue, or present once.
    fn check(&mut self) -> Result<(), TestCaseError> {
        let (sqs, cx) = self.bench.world.sqs_cx();
        let (mut present, mut expired) = (0, 0);
        let mut ids = BTreeSet::new();
        for name in QUEUES {
            let Some(depth) = sqs.depth(&cx, name) else { continue };
            let queue = sqs.queue(name).unwrap();
            queue.store.audit().map_err(|why| TestCaseError::fail(format!("{name}: {why}")))?;
            present += depth.total();
            expired += queue.expired;
            for (_, message) in queue.store.iter() {
                prop_assert!(ids.insert(message.id), "{} is in two places", message.id);
            }
        }
        prop_assert_eq!(self.sent, self.deleted + self.purged + self.gone + expired + present);
        Ok(())
    }

    /// All that a client could see.
    fn picture(&self) -> String {
        let sqs = &self.bench.world.sqs;
        let queues = QUEUES.iter().filter_map(|name| sqs.queue(name));
        let contents = queues.map(|queue| queue.store.iter().map(|(_, m)| format!("{m:?}")).collect::<Vec<_>>());
        format!("{:?} {:?}", self.receipts, contents.collect::<Vec<_>>())
    }
}

/// Of each group that has messages in flight, the position of the first of them.
fn first_in_flight(sqs: &mut Sqs, now: Timestamp, name: &str) -> BTreeMap<String, u64> {
    let Ok(queue) = sqs.queue_mut(name) else { return BTreeMap::new() };
    queue.settle(now);
    let mut first = BTreeMap::new();
    for (_, message) in queue.store.iter().filter(|(_, message)| message.standing() == Standing::InFlight) {
        let group = message.group().unwrap_or("").to_owned();
        first.entry(group).and_modify(|at: &mut u64| *at = message.position.min(*at)).or_insert(message.position);
    }
    first
}

/// A group is served from its first message on, in order, and up to the first that was in flight.
fn check_order(sqs: &Sqs, name: &str, received: &[Received], flying: &BTreeMap<String, u64>) {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    let Some(Queue { store, .. }) = sqs.queue(name) else { return };
    for message in received {
        let position = store.get(message.receipt.slot).unwrap().position;
        let is_before = flying.get(message.group()).is_none_or(|first| position < *first);
        assert!(is_before, "{} was in flight before that", message.group());
        assert!(last.insert(message.group(), position).is_none_or(|before| before < position));
    }
    let handed_out: BTreeSet<MessageId> = received.iter().map(|message| message.id).collect();
    for (_, message) in store.iter() {
        // What was handed out with a visibility timeout of nothing waits already again.
        let waits = message.standing() != Standing::InFlight && !handed_out.contains(&message.id);
        let group = message.group().unwrap_or("");
        assert!(!waits || last.get(group).is_none_or(|served| *served < message.position), "{group} out of order");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_in_one_place_and_counted_once(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.take(step);
            run.check()?;
        }
    }

    #[test]
    fn two_runs_are_equal(steps in steps()) {
        let (mut one, mut other) = (Run::new(), Run::new());
        for step in &steps {
            one.take(step);
            other.take(step);
        }
        prop_assert_eq!(one.picture(), other.picture());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// A few tenants and many messages: noisy groups come and go, and nothing is lost in between.
    #[test]
    fn noise_loses_and_repeats_nothing(seed in any::<u64>()) {
        let mut run = Run::new();
        let mut state = seed;
        let mut next = |below: u64| crate::sim::payload::next(&mut state) % below;
        for turn in 0..1500 {
            let step = match next(12) {
                0..=3 => Step::Send { queue: 0, group: 1 + (next(6) * next(6) / 12) as u8, delay_s: (next(8) / 7) as u32 },
                4..=7 => Step::Receive { queue: 0, max: 10, visibility_s: 1 + next(400) as u32 },
                8..=9 => Step::Delete { receipt: next(40) as usize },
                10 => Step::ChangeVisibility { receipt: next(40) as usize, visibility_s: next(3) as u32 * 200 },
                _ => Step::Wait { ms: next(20_000) },
            };
            run.take(&step);
            if turn % 10 == 0 {
                run.check()?;
            }
        }
        run.check()?;
    }
}
