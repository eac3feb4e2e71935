//! What holds of a whole account whatever goes wrong in it: nothing is lost or counted twice, order holds, nothing comes
//! before its cause, and the same seed gives the same run. `MIDWATCH_CASES` raises the number of runs.

use crate::domain::time::Timestamp;
use crate::sim::actors::Role;
use crate::sim::control;
use crate::sim::faults::tests::{add, ask, pass, request, world_of};
use crate::sim::kinesis::HashRange;
use crate::sim::sns::Tally;
use crate::sim::sqs::Queue;
use crate::sim::swf;
use crate::sim::world::World;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// "Amazon SQS tracks the message deduplication ID" for five minutes.
const DEDUPLICATION: Duration = Duration::from_secs(300);

/// Something of every service, and every kind of application.
const ESTATE: &str = include_str!("properties.toml");

/// Who publishes to the topic.
const PRESS: &str = "[[producer]]\nname = \"press\"\ntarget = \"sns/promo\"\nper_s = 1.0\ntemplate = \"order\"";

/// One fault of every kind: kind, target, and what it needs.
const FAULTS: &[(&str, &str, &str)] = &[
    ("surge", "shop", "factor = 5.0"),
    ("surge", "web", "factor = 4.0"),
    ("hot-key", "market", "key = 1\nshare = 0.9"),
    ("slow", "lambda/score", "factor = 20.0"),
    ("slow", "board", "factor = 8.0"),
    ("stop", "packers", ""),
    ("stop", "deciders", ""),
    ("lost-instance", "board", "key = 1"),
    ("lost-instance", "chargers", "key = 1"),
    ("wrong-task-list", "chargers", "task_list = \"nobody\""),
    ("bad-deploy", "lambda/score", "when_contains = \"bid\"\nshare = 0.3"),
    ("deploy", "lambda/score", ""),
    ("concurrency-cap", "lambda/checkout", "cap = 1"),
    ("timeout-close", "lambda/checkout", "timeout_s = 1"),
    ("disable-mapping", "kinesis/bids", ""),
    ("visibility-short", "sqs/orders", "visibility_s = 1"),
    ("retention-short", "sqs/orders", "retention_s = 60"),
    ("retention-short", "kinesis/bids", "retention_hours = 24"),
    ("filter-policy", "promo/sqs/told", "policy = '{\"nobody\": [\"has this\"]}'"),
    ("deny", "packers", "action = \"sqs:DeleteMessage\""),
    ("deny", "sns/promo", "action = \"sqs:SendMessage\""),
    ("deny", "lambda/score", "action = \"kinesis:GetRecords\""),
    ("throttle", "kinesis/bids", "share = 0.5"),
    ("throttle", "sqs/orders", "share = 0.5"),
    ("throttle", "lambda/score", "share = 0.7"),
    ("throttle", "board", "share = 0.8"),
    ("latency", "lambda/checkout", "latency = { p50_ms = 3000, p99_ms = 9000 }"),
    ("latency", "crm", "latency = { p50_ms = 3000, p99_ms = 9000 }"),
    ("error-rate", "lambda/resize", "share = 0.5"),
    ("error-rate", "crm", "share = 0.5\nstatus = 503"),
    ("poison-payload", "sqs/orders", ""),
    ("poison-payload", "kinesis/bids", ""),
    ("bad-deploy", "lambda/pack", "when_contains = \"order\"\nshare = 0.4"),
    ("bad-deploy", "lambda/move", "when_contains = \"\"\nshare = 0.3"),
    ("slow", "lambda/move", "factor = 30.0"),
    ("throttle", "lambda/move", "share = 0.5"),
    ("disable-mapping", "sqs/moves.fifo", ""),
    ("visibility-short", "sqs/moves.fifo", "visibility_s = 1"),
    ("retention-short", "sqs/moves.fifo", "retention_s = 60"),
    ("deny", "lambda/move", "action = \"sqs:DeleteMessage\""),
    ("throttle", "sqs/parcels", "share = 0.5"),
    ("poison-payload", "sqs/moves.fifo", ""),
    ("endpoint-down", "crm", "status = 500"),
    ("endpoint-down", "crm", ""),
    ("refuse", "firehose/lake", ""),
    ("hang", "firehose/lake", ""),
    ("api-throttle", "all", "share = 0.3"),
    ("api-throttle", "sqs", "operations = [\"ReceiveMessage\"]"),
    ("api-error", "kinesis", "share = 0.5\nstatus = 503"),
    ("api-hang", "dynamodb", "hang_for = \"20s\""),
    ("api-latency", "sqs", "latency = { p50_ms = 50, p99_ms = 500 }"),
    ("api-denied", "swf", "who = \"actors\""),
    ("expired-credentials", "lambda", ""),
    ("clock-skew", "all", "who = \"market\""),
    ("unreachable", "sns", ""),
];

#[derive(Clone, Debug)]
enum Step {
    Fault {
        which: usize,
        lasts_s: u64,
    },
    /// A client asks something of a service.
    Ask {
        which: usize,
    },
    /// Clients send to a group of the FIFO queue, some of it twice.
    Move {
        group: usize,
        dedup: usize,
        count: usize,
    },
    Split {
        open: usize,
    },
    Wait {
        s: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0..FAULTS.len(), 1..120_u64).prop_map(|(which, lasts_s)| Step::Fault { which, lasts_s }),
        2 => (0..4_usize).prop_map(|which| Step::Ask { which }),
        3 => (0..3_usize, 0..12_usize, 1..6_usize).prop_map(|(group, dedup, count)| Step::Move { group, dedup, count }),
        1 => (0..4_usize).prop_map(|open| Step::Split { open }),
        4 => (1..40_u64).prop_map(|s| Step::Wait { s }),
    ];
    prop::collection::vec(step, 8..24)
}

fn cases() -> u32 {
    std::env::var("MIDWATCH_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// A world, and what clients and faults have put into it.
struct Run {
    world: World,
    poisoned_orders: u64,
    poisoned_bids: u64,
    poisoned_moves: u64,
    sent: u64,
    /// What clients sent to the FIFO queue, by group and in order.
    moves: BTreeMap<String, Vec<String>>,
    /// When each deduplication id was taken last, and the message that has it.
    taken: BTreeMap<String, (Timestamp, String)>,
    checks: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut world = world_of(seed);
        add(&mut world, ESTATE);
        // By then the web hook has confirmed that it wants to be told.
        pass(&mut world, 5);
        add(&mut world, PRESS);
        let (moves, taken) = (BTreeMap::new(), BTreeMap::new());
        Self { world, poisoned_orders: 0, poisoned_bids: 0, poisoned_moves: 0, sent: 0, moves, taken, checks: 0 }
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Fault { which, lasts_s } => {
                let (kind, target, more) = FAULTS[*which];
                let stored = |world: &World| world.kinesis.stream("bids").map_or(0, stored);
                let in_queue =
                    |world: &World, name| world.sqs.queue(name).map_or(0, |queue| queue.store.depth().total());
                let depth = |world: &World| in_queue(world, "orders");
                let moves = |world: &World| in_queue(world, "moves.fifo");
                let before = (depth(&self.world), stored(&self.world), moves(&self.world));
                add(
                    &mut self.world,
                    &format!("[[fault]]\nkind = \"{kind}\"\ntarget = \"{target}\"\nuntil = \"{lasts_s}s\"\n{more}"),
                );
                // No time passed: what came in now is the poison.
                match (kind, target) {
                    ("poison-payload", "sqs/orders") => self.poisoned_orders += depth(&self.world) - before.0,
                    ("poison-payload", "sqs/moves.fifo") => self.poisoned_moves += moves(&self.world) - before.2,
                    ("poison-payload", _) => self.poisoned_bids += stored(&self.world) - before.1,
                    _ => {}
                }
            }
            Step::Ask { which } => {
                let (target, body) = [
                    ("AmazonSQS.SendMessage", r#"{"QueueUrl":"http://x/123456789012/orders","MessageBody":"by hand"}"#),
                    (
                        "AmazonSQS.ReceiveMessage",
                        r#"{"QueueUrl":"http://x/123456789012/orders","MaxNumberOfMessages":10}"#,
                    ),
                    ("Kinesis_20131202.ListShards", r#"{"StreamName":"bids"}"#),
                    ("GraniteServiceVersion20100801.ListMetrics", "{}"),
                ][*which];
                let (status, body, _) = ask(&mut self.world, request(target, body));
                self.sent += u64::from(status == 200 && body.contains("MD5OfMessageBody") && *which == 0);
            }
            Step::Move { group, dedup, count } => {
                for number in *dedup..dedup + count {
                    self.send_move(&format!("g{group}"), &format!("d{number}"))?;
                }
            }
            Step::Split { open } => {
                let shards: Vec<_> =
                    self.world.kinesis.stream("bids").unwrap().open().map(|s| (s.id, s.range)).collect();
                let (shard, range) = shards[open % shards.len()];
                let (kinesis, mut cx) = self.world.kinesis_cx();
                // A stream that is being resharded refuses.
                let _ = kinesis.split_shard(&mut cx, "bids", shard, range.start + (range.end - range.start) / 2);
            }
            Step::Wait { s } => {
                for _ in 0..s.div_ceil(3) {
                    pass(&mut self.world, 3);
                    self.check()?;
                }
            }
        }
        self.check()
    }

    /// Whoever sends an id again within five minutes gets the message that it had, and the queue does not grow.
    fn send_move(&mut self, group: &str, dedup: &str) -> Result<(), TestCaseError> {
        let body = format!(
            r#"{{"QueueUrl":"http://x/123456789012/moves.fifo","MessageBody":"m","MessageGroupId":"{group}","MessageDeduplicationId":"{dedup}"}}"#
        );
        let total = |world: &World| world.sqs.queue("moves.fifo").unwrap().store.depth().total();
        let (now, before) = (self.world.now, total(&self.world));
        let (status, body, _) = ask(&mut self.world, request("AmazonSQS.SendMessage", &body));
        if status != 200 {
            return Ok(());
        }
        let answer: Value = serde_json::from_str(&body).unwrap();
        let id = answer["MessageId"].as_str().unwrap().to_owned();
        let known = self.taken.get(dedup).filter(|(at, _)| now.since(*at) < DEDUPLICATION).map(|(_, id)| id.clone());
        if let Some(known) = known {
            prop_assert_eq!(known, id, "of {}", dedup);
            prop_assert!(total(&self.world) <= before);
            return Ok(());
        }
        self.taken.insert(dedup.to_owned(), (now, id.clone()));
        self.moves.entry(group.to_owned()).or_default().push(id);
        Ok(())
    }

    /// What was sent to a queue that a function reads is there, in the dead-letter queue, deleted or expired. What is
    /// left of a FIFO group is what was sent to it last: nobody was before it.
    fn check_mapped(&self) -> Result<(), TestCaseError> {
        let moved: u64 = self.moves.values().map(|sent| sent.len() as u64).sum();
        for (maker, queue, dead, others) in [
            ("belt", "parcels", "parcels-dead", 0),
            ("players", "moves.fifo", "moves-dead.fifo", moved + self.poisoned_moves),
        ] {
            let Role::Producer(producer) = self.role(maker) else { panic!("a producer") };
            let queues = [queue, dead].map(|name| self.world.sqs.queue(name).unwrap());
            let accounted = |queue: &Queue| queue.store.depth().total() + queue.expired + queue.gone;
            let sum: u64 = queues.into_iter().map(accounted).sum();
            prop_assert_eq!(producer.counts.stored - producer.counts.repeated + others, sum, "{}", queue);
        }
        let left: BTreeSet<String> = self
            .world
            .sqs
            .queue("moves.fifo")
            .unwrap()
            .store
            .iter()
            .map(|(_, message)| message.id.to_string())
            .collect();
        for (group, sent) in &self.moves {
            let is_left: Vec<bool> = sent.iter().map(|id| left.contains(id)).collect();
            prop_assert!(is_left.windows(2).all(|pair| pair[0] <= pair[1]), "{group}: {is_left:?}");
        }
        // Of a group, only what one receive handed out is in flight: nobody gives its messages another timeout here.
        let mut handed_out: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for (_, message) in self.world.sqs.queue("moves.fifo").unwrap().store.iter() {
            let (Some(group), Some(at)) = (message.group(), message.last_received_at()) else { continue };
            let with = *handed_out.entry(group).or_insert(at);
            prop_assert_eq!(with, at, "{} was handed out while some of it was in flight", group);
        }
        Ok(())
    }

    fn role(&self, name: &str) -> &Role {
        self.world.actors.iter().flatten().find(|actor| actor.name == name).map(|actor| &actor.role).unwrap()
    }

    /// What holds at every moment.
    fn check(&mut self) -> Result<(), TestCaseError> {
        self.checks += 1;
        let world = &self.world;
        prop_assert!(world.agenda.next_at().is_none_or(|at| at >= world.now), "something is overdue");
        for name in world.sqs.names() {
            let audited = world.sqs.queue(name).unwrap().store.audit();
            prop_assert!(audited.is_ok(), "{name}: {audited:?}");
        }
        self.check_orders()?;
        self.check_mapped()?;
        self.check_bids()?;
        self.check_topic()?;
        self.check_callers()
    }

    /// Every order is deleted once, in its queue or in the dead-letter queue, or expired.
    fn check_orders(&self) -> Result<(), TestCaseError> {
        let Role::Producer(shop) = self.role("shop") else { panic!("a producer") };
        let counts = shop.counts;
        prop_assert_eq!(counts.made, counts.stored - counts.repeated + counts.lost + shop.waiting());
        let Role::Worker(packers) = self.role("packers") else { panic!("a worker") };
        let done = packers.done;
        let left: u64 = ["orders", "orders-dead"]
            .into_iter()
            .filter_map(|name| self.world.sqs.queue(name))
            .map(|queue| queue.store.depth().total() + queue.expired)
            .sum();
        prop_assert_eq!(counts.stored + self.sent + self.poisoned_orders, done + left, "sent, and where it is");
        Ok(())
    }

    /// The open shards partition the ring; every bid that was stored has its place in one shard, and its readers are
    /// not ahead of it.
    fn check_bids(&self) -> Result<(), TestCaseError> {
        let stream = self.world.kinesis.stream("bids").unwrap();
        let mut ranges: Vec<HashRange> = stream.open().map(|shard| shard.range).collect();
        ranges.sort_by_key(|range| range.start);
        prop_assert_eq!(ranges.first().map(|range| range.start), Some(0));
        prop_assert_eq!(ranges.last().map(|range| range.end), Some(u128::MAX));
        prop_assert!(ranges.windows(2).all(|pair| pair[0].end + 1 == pair[1].start), "{ranges:?}");
        let stored = stored(stream);
        let Role::Producer(market) = self.role("market") else { panic!("a producer") };
        let counts = market.counts;
        prop_assert_eq!(counts.made, counts.stored - counts.repeated + counts.lost + market.waiting());
        prop_assert_eq!(counts.stored + self.poisoned_bids, stored);
        let Role::Fleet(board) = self.role("board") else { panic!("a fleet") };
        prop_assert!(board.counts.processed - board.counts.duplicates + board.counts.missed <= stored);
        Ok(())
    }

    /// Every publication is filtered, delivered, dead-lettered, dropped, or in hand.
    fn check_topic(&self) -> Result<(), TestCaseError> {
        let Role::Producer(press) = self.role("press") else { panic!("a producer") };
        let published = press.counts.stored;
        let tallies = ["promo/sqs/told", "promo/endpoint/crm"].map(|name| tally(&self.world, name));
        let (mut ended, mut offered) = (0, 0);
        for tally in tallies {
            prop_assert_eq!(tally.offered, published);
            offered += tally.offered;
            ended += tally.filtered + tally.delivered + tally.redriven + tally.dropped;
        }
        prop_assert_eq!(offered, ended + self.world.sns.deliveries_in_hand() as u64);
        let queue = self.world.sqs.queue("told").unwrap();
        prop_assert_eq!(tallies[0].delivered, queue.store.depth().total() + queue.expired);
        let dead = self.world.sqs.queue("untold").unwrap();
        prop_assert_eq!(tallies[0].redriven + tallies[1].redriven, dead.store.depth().total() + dead.expired);
        Ok(())
    }

    /// Every request of a caller is answered, given up or under way; what runs is what the functions say runs.
    fn check_callers(&self) -> Result<(), TestCaseError> {
        let Role::Caller(web) = self.role("web") else { panic!("a caller") };
        prop_assert_eq!(web.counts.made, web.counts.answered + web.counts.given_up + web.under_way());
        let Role::Trigger(uploads) = self.role("uploads") else { panic!("a bucket") };
        prop_assert_eq!(uploads.counts.made, uploads.counts.taken + uploads.counts.refused);
        let lambda = &self.world.lambda;
        prop_assert_eq!(lambda.in_flight(), lambda.functions().map(|function| function.in_flight).sum::<u32>());
        Ok(())
    }

    /// What holds of whole histories, which are long.
    fn check_histories(&self) -> Result<(), TestCaseError> {
        let domain = self.world.swf.domain("shop").unwrap();
        for (_, execution) in domain.executions() {
            let events = execution.history.iter().enumerate();
            let events: Vec<_> = events.map(|(at, event)| event.to_json(at as u64 + 1)).collect();
            swf::properties::check_history(&events)?;
        }
        for shard in self.world.kinesis.stream("bids").unwrap().shards() {
            let mut last = None;
            shard.log.visit(shard.log.first(), |_, arrived, _, _| {
                let is_in_order = last.is_none_or(|last| last <= arrived);
                last = Some(arrived);
                assert!(is_in_order && arrived <= self.world.now, "shard {}", shard.id);
                true
            });
        }
        Ok(())
    }

    /// All that can be told of a run.
    fn story(&self) -> (Vec<u8>, u64, u64) {
        let worlds = std::iter::once(("eu-west-1", &self.world));
        let ledger = control::ledger("123456789012", &self.world.ledger, worlds);
        (ledger.body.to_vec(), self.world.agenda.scheduled(), self.world.ledger.answered)
    }
}

/// Records that were ever stored in a stream.
fn stored(stream: &crate::sim::kinesis::Stream) -> u64 {
    stream.shards().map(|shard| shard.log.next()).sum()
}

fn tally(world: &World, name: &str) -> Tally {
    let (topic, id) = crate::sim::fanout::subscription_named(world, name).unwrap();
    world.sns.subscription(&topic, &id).unwrap().tally
}

fn play(seed: u64, steps: &[Step]) -> Result<Run, TestCaseError> {
    let mut run = Run::new(seed);
    for step in steps {
        run.take(step)?;
    }
    run.check_histories()?;
    Ok(run)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_whatever_goes_wrong_and_two_runs_are_equal(seed in any::<u64>(), steps in steps()) {
        let (one, other) = (play(seed, &steps)?, play(seed, &steps)?);
        prop_assert_eq!(one.story(), other.story());
        prop_assert!(one.checks as usize >= steps.len());
    }
}

#[test]
fn every_kind_of_fault_begins_and_ends_and_the_account_recovers() {
    let mut run = Run::new(1);
    let kinds: std::collections::BTreeSet<&str> = FAULTS.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds.len(), 30, "{kinds:?}");
    for (which, fault) in FAULTS.iter().enumerate() {
        for step in [Step::Fault { which, lasts_s: 12 }, Step::Wait { s: 12 }] {
            run.take(&step).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        }
    }
    pass(&mut run.world, 300);
    run.check().unwrap();
    run.check_histories().unwrap();
    let orders = run.world.sqs.queue("orders").unwrap().store.depth().total();
    assert!(orders < 200, "{orders}");
}
