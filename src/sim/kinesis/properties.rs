//! What holds of a stream whatever is done to it: its shards partition the ring, order holds, nothing is lost.

use super::*;
use crate::domain::time::Timestamp;
use crate::sim::cx::{Cx, Place};
use crate::sim::payload::{Payload, Template, TemplateId};
use crate::sim::world::World;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[derive(Clone, Debug)]
enum Step {
    Put { keys: Vec<u16> },
    Split { open: usize, at: f64 },
    Merge { open: usize },
    Resize { factor: f64 },
    Wait { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(0..300u16, 1..60).prop_map(|keys| Step::Put { keys }),
        2 => (0..64usize, 0.01..0.99f64).prop_map(|(open, at)| Step::Split { open, at }),
        2 => (0..64usize).prop_map(|open| Step::Merge { open }),
        1 => (0.5..2.0f64).prop_map(|factor| Step::Resize { factor }),
        2 => (1..90u64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// A consumer of enhanced fan-out that walks the stream: a shard after its parents, and where a subscription ends it
/// goes on with the next one.
#[derive(Default)]
struct Listener {
    subscriptions: BTreeMap<ShardId, SubscriptionId>,
    reached: BTreeMap<ShardId, Sequence>,
    ended: BTreeSet<ShardId>,
    seen: Vec<Accepted>,
}

impl Listener {
    fn id() -> ConsumerId {
        ConsumerId { stream: "bids".into(), consumer: "ledger".into(), created_s: None }
    }

    fn listen(&mut self, world: &mut World) {
        let (kinesis, mut cx) = world.kinesis_cx();
        let stream = kinesis.stream("bids").unwrap();
        let parents = |s: &Shard| s.parent.into_iter().chain(s.adjacent_parent).all(|id| self.ended.contains(&id));
        let ready: Vec<ShardId> = stream.shards().filter(|shard| parents(shard)).map(|shard| shard.id).collect();
        for shard in ready {
            if self.ended.contains(&shard) {
                continue;
            }
            let id = match self.subscriptions.get(&shard) {
                Some(id) => *id,
                None => {
                    let from = self.reached.get(&shard).map_or(Position::TrimHorizon, |at| Position::After(*at));
                    kinesis.subscribe(&mut cx, &Self::id(), shard, from).unwrap()
                }
            };
            self.subscriptions.insert(shard, id);
            self.hear(kinesis, &mut cx, shard, id);
        }
    }

    fn hear(&mut self, kinesis: &mut Kinesis, cx: &mut Cx<'_>, shard: ShardId, id: SubscriptionId) {
        loop {
            match kinesis.push(cx, id) {
                Push::Nothing(until) => return assert!(until > cx.now),
                Push::Failed(error) => panic!("{error}"),
                Push::Ended => {
                    self.subscriptions.remove(&shard);
                    return;
                }
                Push::Event { event, .. } => {
                    for record in event.records {
                        let Payload::Made { seed, .. } = record.data else { panic!("made records were put") };
                        self.seen.push((shard, record.sequence.index, seed));
                    }
                    let Some(at) = event.continuation else {
                        self.ended.insert(shard);
                        return assert!(!event.child_shards.is_empty());
                    };
                    self.reached.insert(shard, at);
                }
            }
        }
    }
}

/// A record that was accepted: where, in which place, and which one it is.
type Accepted = (ShardId, u64, u64);

struct Run {
    world: World,
    template: TemplateId,
    accepted: Vec<Accepted>,
    sent: u64,
}

impl Run {
    fn new(seed: u64, limits: bool) -> Self {
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits };
        let mut world = World::new(seed, Timestamp::from_millis(1_700_000_000_000), place);
        let (kinesis, mut cx) = world.kinesis_cx();
        kinesis.add_active_stream(&mut cx, "bids", 2, StreamMode::Provisioned).unwrap();
        let template = cx.templates.add(Template { name: "bid".into(), text: "{}".into(), bytes: Some(5000) });
        Self { world, template, accepted: vec![], sent: 0 }
    }

    fn take(&mut self, step: &Step) {
        let (kinesis, mut cx) = self.world.kinesis_cx();
        let open: Vec<(ShardId, HashRange)> =
            kinesis.stream("bids").unwrap().open().map(|shard| (shard.id, shard.range)).collect();
        match step {
            Step::Put { keys } => {
                let records: Vec<PutRecord<'_>> = (self.sent..)
                    .zip(keys)
                    .map(|(seed, key)| PutRecord {
                        key: PutKey::Interned(kinesis.intern_key(&format!("hotel-{key}"))),
                        explicit_hash: None,
                        data: Payload::Made { template: self.template, seed },
                    })
                    .collect();
                let outcomes = kinesis.put_records(&mut cx, "bids", &records).unwrap();
                for (seed, outcome) in (self.sent..).zip(&outcomes) {
                    if let PutOutcome::Ok { shard, sequence } = outcome {
                        self.accepted.push((*shard, sequence.index, seed));
                    }
                }
                self.sent += keys.len() as u64;
            }
            // A refusal (a reshard under way, a quota) is a fine outcome: the invariants must hold all the same.
            Step::Split { open: index, at } => {
                let (shard, range) = open[index % open.len()];
                let at = range.start + ((range.end - range.start) as f64 * at) as u128;
                let _ = kinesis.split_shard(&mut cx, "bids", shard, at);
            }
            Step::Merge { open: index } if open.len() > 1 => {
                let index = index % (open.len() - 1);
                let _ = kinesis.merge_shards(&mut cx, "bids", open[index].0, open[index + 1].0);
            }
            Step::Merge { .. } => {}
            Step::Resize { factor } => {
                let target = (open.len() as f64 * factor).round().max(1.0) as u32;
                let _ = kinesis.update_shard_count(&mut cx, "bids", target);
            }
            Step::Wait { seconds } => self.world.advance_to(self.world.now + Duration::from_secs(*seconds)),
        }
    }

    fn open_shards_partition_the_ring(&self) {
        let stream = self.world.kinesis.stream("bids").unwrap();
        let ranges: Vec<HashRange> = stream.open().map(|shard| shard.range).collect();
        assert_eq!((ranges[0].start, ranges[ranges.len() - 1].end), (0, u128::MAX));
        for pair in ranges.windows(2) {
            assert_eq!(pair[0].end + 1, pair[1].start);
        }
        for shard in stream.shards() {
            assert_eq!(shard.is_open(), shard.children.is_empty(), "{} is closed by its children alone", shard.id);
        }
    }

    /// Reads all there is, each shard only after its parents, as a consumer that keeps order must.
    fn read_all(&mut self) -> Vec<Accepted> {
        self.world.place.limits = false;
        let (kinesis, mut cx) = self.world.kinesis_cx();
        let stream = kinesis.stream("bids").unwrap();
        let mut todo: BTreeSet<ShardId> = stream.shards().filter(|s| s.parent.is_none()).map(|s| s.id).collect();
        let mut done: BTreeSet<ShardId> = BTreeSet::new();
        let mut seen = vec![];
        while let Some(shard) = todo.pop_first() {
            let mut cursor = Some(kinesis.cursor(&mut cx, "bids", shard, Position::TrimHorizon).unwrap());
            while let Some(from) = cursor {
                let batch = kinesis.read(&mut cx, "bids", shard, from, 7).unwrap();
                for record in &batch.records {
                    let Payload::Made { seed, .. } = record.data else { panic!("made records were put") };
                    seen.push((shard, record.sequence.index, seed));
                }
                if batch.next.is_none() {
                    done.insert(shard);
                    let ready = |child: &&ChildShard| child.parents.iter().all(|parent| done.contains(parent));
                    todo.extend(batch.child_shards.iter().filter(ready).map(|child| child.id));
                }
                cursor = batch.next.filter(|_| !batch.records.is_empty());
            }
        }
        seen
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn reshards_lose_and_repeat_nothing(
        seed in any::<u64>(),
        limits in any::<bool>(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut run = Run::new(seed, limits);
        for step in &steps {
            run.take(step);
            run.open_shards_partition_the_ring();
        }
        run.world.advance_to(run.world.now + Duration::from_secs(3600));
        run.open_shards_partition_the_ring();
        let read = run.read_all();
        // Exactly once: nothing more, nothing less, nothing twice.
        let once: BTreeSet<Accepted> = read.iter().copied().collect();
        prop_assert_eq!(once.len(), read.len());
        prop_assert_eq!(once, run.accepted.iter().copied().collect::<BTreeSet<_>>());
        // Within a shard in order of acceptance, by sequence number and by content.
        let mut last: BTreeMap<ShardId, (u64, u64)> = BTreeMap::new();
        for (shard, index, seed) in read {
            if let Some(before) = last.insert(shard, (index, seed)) {
                prop_assert!(before.0 < index && before.1 < seed);
            }
        }
    }

    #[test]
    fn a_key_keeps_its_order_through_reshards(steps in prop::collection::vec(step(), 1..60)) {
        let mut run = Run::new(1, false);
        let mut keys: Vec<u16> = vec![];
        for step in &steps {
            run.take(step);
            if let Step::Put { keys: put } = step {
                keys.extend(put);
            }
        }
        run.world.advance_to(run.world.now + Duration::from_secs(3600));
        let mut last: BTreeMap<u16, u64> = BTreeMap::new();
        for (_, _, seed) in run.read_all() {
            if let Some(before) = last.insert(keys[seed as usize], seed) {
                prop_assert!(before < seed, "record {before} of a key was read before record {seed}");
            }
        }
    }

    #[test]
    fn a_consumer_is_pushed_each_record_once_through_reshards_and_renewals(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut run = Run::new(seed, true);
        let (kinesis, mut cx) = run.world.kinesis_cx();
        kinesis.register_consumer(&mut cx, "bids", "ledger", Tags::new()).unwrap();
        run.world.advance_to(run.world.now + Duration::from_secs(10));
        let mut listener = Listener::default();
        for step in &steps {
            run.take(step);
            listener.listen(&mut run.world);
        }
        for _ in 0..200 {
            run.world.advance_to(run.world.now + Duration::from_secs(3));
            listener.listen(&mut run.world);
        }
        let once: BTreeSet<Accepted> = listener.seen.iter().copied().collect();
        prop_assert_eq!(once.len(), listener.seen.len());
        prop_assert_eq!(once, run.accepted.iter().copied().collect::<BTreeSet<_>>());
    }

    #[test]
    fn a_run_is_a_function_of_its_seed(seed in any::<u64>(), steps in prop::collection::vec(step(), 1..30)) {
        let outcome = || {
            let mut run = Run::new(seed, true);
            steps.iter().for_each(|step| run.take(step));
            let shards = run.world.kinesis.stream("bids").unwrap().shards().map(ShardSummary::from);
            (shards.collect::<Vec<_>>(), run.accepted)
        };
        prop_assert_eq!(outcome(), outcome());
    }
}
