//! The order within message groups, against books that are kept beside the queue: whatever receivers take, delete, let
//! go or leave alone, a group is served from its first message on and up to the first that is in flight, and its dead
//! letters and what a move task brings back come in the order in which they went.

use super::*;
use proptest::prelude::*;

const QUEUE: &str = "bids.fifo";
const DEAD: &str = "bids-dead.fifo";
const MAX_RECEIVES: u32 = 3;

/// A message as the books know it.
#[derive(Clone, Debug)]
struct Entry {
    group: String,
    body: String,
    receives: u32,
    /// Its place among all that has become visible.
    turn: u64,
    /// While it is in flight: when that ends, and the receipt.
    flight: Option<(Timestamp, Receipt)>,
}

/// A queue with a dead-letter queue, and what should be in both.
struct Books {
    bench: Bench,
    waiting: Vec<Entry>,
    dead: Vec<(String, String)>,
    sent: u32,
    turns: u64,
}

impl Books {
    fn new() -> Self {
        let mut bench = Bench::with_queue(DEAD, &[("FifoQueue", "true")]);
        let policy = redrive_to(DEAD, MAX_RECEIVES);
        bench.create(QUEUE, &[("FifoQueue", "true"), ("RedrivePolicy", &policy)]).unwrap();
        Self { bench, waiting: Vec::new(), dead: Vec::new(), sent: 0, turns: 0 }
    }

    fn send(&mut self, group: &str) {
        self.sent += 1;
        let body = format!("{:02}", self.sent);
        let (sqs, mut cx) = self.bench.world.sqs_cx();
        let outgoing = Outgoing { group: Some(group.into()), dedup: Some(body.clone()), ..outgoing(&body) };
        sqs.send(&mut cx, QUEUE, outgoing).unwrap();
        let turn = self.next_turn();
        self.waiting.push(Entry { group: group.into(), body, receives: 0, turn, flight: None });
    }

    fn next_turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

    /// The groups whose first message is there to take, those first that have waited longest.
    fn ready_groups(&self) -> Vec<String> {
        let mut firsts: Vec<&Entry> = Vec::new();
        for entry in &self.waiting {
            if firsts.iter().all(|first| first.group != entry.group) {
                firsts.push(entry);
            }
        }
        firsts.retain(|first| first.flight.is_none());
        firsts.sort_by_key(|first| first.turn);
        firsts.into_iter().map(|first| first.group.clone()).collect()
    }

    /// Takes from the queue and from the books, which must agree: group after group in their turn, each from its first
    /// message on up to one in flight, without those that have been received too often.
    fn receive(&mut self, max: u32, visibility_s: u32) -> Vec<String> {
        let now = self.bench.world.now;
        let (sqs, mut cx) = self.bench.world.sqs_cx();
        let received = sqs.receive(&mut cx, QUEUE, max, Some(visibility_s)).unwrap();
        let mut expected = Vec::new();
        for group in self.ready_groups() {
            let members: Vec<String> =
                self.waiting.iter().filter(|entry| entry.group == group).map(|entry| entry.body.clone()).collect();
            for body in members {
                if expected.len() == max as usize {
                    break;
                }
                let at = self.waiting.iter().position(|entry| entry.body == body).unwrap();
                if self.waiting[at].flight.is_some() {
                    break;
                }
                if self.waiting[at].receives >= MAX_RECEIVES {
                    self.dead.push((group.clone(), self.waiting.remove(at).body));
                    continue;
                }
                if let Some(message) = received.get(expected.len()) {
                    let until = now + Duration::from_secs(visibility_s.into());
                    self.waiting[at].receives += 1;
                    self.waiting[at].flight = Some((until, message.receipt));
                }
                expected.push(body);
            }
        }
        let bodies = self.bodies(&received);
        assert_eq!(bodies, expected);
        bodies
    }

    fn bodies(&self, received: &[Received]) -> Vec<String> {
        let read = |message: &Received| self.bench.world.templates.read(&message.body, message.group());
        received.iter().map(|message| String::from_utf8_lossy(&read(message)).into_owned()).collect()
    }

    /// The place in the books of one that is in flight, if any is.
    fn in_flight(&self, nth: usize) -> Option<usize> {
        let flying: Vec<usize> = (0..self.waiting.len()).filter(|at| self.waiting[*at].flight.is_some()).collect();
        flying.get(nth % flying.len().max(1)).copied()
    }

    fn delete(&mut self, nth: usize) {
        let Some(at) = self.in_flight(nth) else { return };
        let (_, receipt) = self.waiting.remove(at).flight.unwrap();
        assert!(self.bench.delete(QUEUE, receipt));
    }

    /// Ends the visibility timeout then; 0 lets the message go at once.
    fn hide_for(&mut self, nth: usize, visibility_s: u32) {
        let Some(at) = self.in_flight(nth) else { return };
        let (_, receipt) = self.waiting[at].flight.unwrap();
        let (sqs, mut cx) = self.bench.world.sqs_cx();
        sqs.change_visibility(&mut cx, QUEUE, receipt, visibility_s).unwrap();
        let until = self.bench.world.now + Duration::from_secs(visibility_s.into());
        self.waiting[at].flight = (visibility_s > 0).then_some((until, receipt));
        if visibility_s == 0 {
            self.waiting[at].turn = self.next_turn();
        }
    }

    fn wait_s(&mut self, seconds: u64) {
        self.bench.wait_s(seconds);
        let now = self.bench.world.now;
        // Flights end in the order of time, those of one time in the order of their slots.
        let mut ended: Vec<(Timestamp, u32, usize)> = Vec::new();
        for (at, entry) in self.waiting.iter_mut().enumerate() {
            if let Some((until, receipt)) = entry.flight.take_if(|(until, _)| *until <= now) {
                ended.push((until, receipt.slot, at));
            }
        }
        ended.sort_unstable();
        for (_, _, at) in ended {
            self.waiting[at].turn = self.next_turn();
        }
    }

    /// Brings all dead letters back: they come as new messages, behind what is there.
    fn redrive(&mut self) {
        let (sqs, mut cx) = self.bench.world.sqs_cx();
        sqs.start_message_move_task(&mut cx, DEAD, None, None).unwrap();
        self.wait_s(1);
        for (group, body) in std::mem::take(&mut self.dead) {
            let turn = self.next_turn();
            self.waiting.push(Entry { group, body, receives: 0, turn, flight: None });
        }
        self.wait_s(1);
    }

    /// The dead letters as somebody reads them.
    fn read_dead(&mut self) -> Vec<String> {
        let mut read = Vec::new();
        loop {
            let received = self.bench.receive(DEAD, 10);
            if received.is_empty() {
                return read;
            }
            read.extend(self.bodies(&received));
            received.iter().for_each(|message| assert!(self.bench.delete(DEAD, message.receipt)));
        }
    }
}

#[test]
fn a_group_of_ten_is_served_in_order_whatever_its_receivers_do() {
    let mut books = Books::new();
    (0..10).for_each(|_| books.send("hotel"));
    books.wait_s(1);
    assert_eq!(books.receive(4, 30), ["01", "02", "03", "04"]);
    assert!(books.receive(10, 30).is_empty(), "four are in flight");
    books.delete(1);
    books.delete(0);
    assert!(books.receive(10, 30).is_empty(), "03 and 04 are in flight");
    books.hide_for(0, 0);
    assert_eq!(books.receive(10, 30), ["03"], "03 is visible again, 04 is in flight");
    books.wait_s(30);
    assert_eq!(books.receive(3, 10), ["03", "04", "05"], "those that came back are before those behind them");
    books.delete(0);
    books.hide_for(1, 0);
    assert!(books.receive(1, 10).is_empty(), "05 is visible again, and 04 before it is in flight");
    books.hide_for(0, 0);
    assert_eq!(books.receive(10, 10), ["04", "05", "06", "07", "08", "09", "10"]);
    books.wait_s(10);
    assert_eq!(books.receive(1, 10), ["05"], "04 was received three times and is dead");
    books.wait_s(10);
    assert_eq!(books.receive(10, 10), ["06", "07", "08", "09", "10"]);
    assert_eq!(books.bench.depth(DEAD), (2, 0, 0));
    books.redrive();
    assert!(books.receive(10, 10).is_empty(), "what came back is behind the five in flight");
    (0..5).for_each(|_| books.delete(0));
    assert_eq!(books.receive(10, 10), ["04", "05"]);
}

#[test]
fn dead_letters_of_a_group_come_in_its_order() {
    let mut books = Books::new();
    (0..10).for_each(|_| books.send("hotel"));
    for _ in 0..MAX_RECEIVES {
        assert_eq!(books.receive(10, 5).len(), 10);
        books.wait_s(5);
    }
    assert!(books.receive(10, 5).is_empty());
    let all: Vec<String> = (1..=10).map(|number| format!("{number:02}")).collect();
    assert_eq!(books.read_dead(), all);
}

#[derive(Clone, Debug)]
enum Step {
    Send { group: usize },
    Receive { max: u32, visibility_s: u32 },
    Delete { nth: usize },
    HideFor { nth: usize, visibility_s: u32 },
    Wait { s: u64 },
    Redrive,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_usize).prop_map(|group| Step::Send { group }),
        6 => (1..10_u32, 1..20_u32).prop_map(|(max, visibility_s)| Step::Receive { max, visibility_s }),
        4 => (0..10_usize).prop_map(|nth| Step::Delete { nth }),
        4 => (0..10_usize, prop_oneof![Just(0), 1..20_u32])
            .prop_map(|(nth, visibility_s)| Step::HideFor { nth, visibility_s }),
        4 => (1..15_u64).prop_map(|s| Step::Wait { s }),
        1 => Just(Step::Redrive),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_queue_serves_its_groups_as_the_books_say(steps in steps()) {
        let mut books = Books::new();
        (0..10).for_each(|_| books.send("g0"));
        books.wait_s(1);
        for step in steps {
            match step {
                Step::Send { group } => {
                    books.send(&format!("g{group}"));
                    books.wait_s(1);
                }
                Step::Receive { max, visibility_s } => drop(books.receive(max, visibility_s)),
                Step::Delete { nth } => books.delete(nth),
                Step::HideFor { nth, visibility_s } => books.hide_for(nth, visibility_s),
                Step::Wait { s } => books.wait_s(s),
                Step::Redrive => books.redrive(),
            }
        }
        let left: Vec<String> = books.dead.iter().map(|(_, body)| body.clone()).collect();
        let dead = books.read_dead();
        for group in ["g0", "g1", "g2"] {
            let of_group = |bodies: &[String]| -> Vec<String> {
                let is_of = |body: &&String| books.dead.iter().any(|(g, b)| g == group && b == *body);
                bodies.iter().filter(is_of).cloned().collect()
            };
            prop_assert_eq!(of_group(&dead), of_group(&left));
        }
        prop_assert_eq!(dead.len(), left.len());
    }
}
