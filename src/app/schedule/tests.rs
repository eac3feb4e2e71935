//! Examples of the schedule: what is asked when, what waits, what is dropped.

use super::*;
use crate::domain::execution::{Executions, WorkflowAnswer};
use crate::domain::poll::Identity;
use crate::domain::tag::{TagWanted, Tags};
use crate::domain::throttled::Throttled;

const START: Timestamp = Timestamp::from_millis(1_000_000_000);
const WITHIN: Duration = Duration::from_secs(90);

fn at(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

fn queue(name: &str) -> ResourceId {
    ResourceId::new(KindId::Sqs, name)
}

/// A schedule with rows to look at, and a person who looks at some of them.
struct Desk {
    schedule: Schedule,
    rows: BTreeMap<ResourceId, Row>,
    attention: Attention,
    budget_usd_per_h: f64,
}

impl Desk {
    /// The identity and the inventories are known, and list these queues.
    fn with(names: &[&str]) -> Self {
        let mut desk = Self::empty();
        for poll in desk.due(0) {
            desk.answer(&poll, 0, &good(&poll));
        }
        let ids: BTreeSet<ResourceId> = names.iter().map(|name| queue(name)).collect();
        desk.schedule.set_resources(&Place::default(), KindId::Sqs, &ids);
        desk.rows = ids.into_iter().map(|id| (id.clone(), Row::new(id, START))).collect();
        desk
    }

    fn empty() -> Self {
        let schedule = Schedule::new(WITHIN, Refresh::default(), &[Place::default()]);
        Self { schedule, rows: BTreeMap::new(), attention: Attention::default(), budget_usd_per_h: 0.15 }
    }

    fn due(&mut self, seconds: u64) -> Vec<Poll> {
        self.schedule.due(at(seconds), &self.attention, &self.rows, self.budget_usd_per_h).0
    }

    fn answer(&mut self, poll: &Poll, seconds: u64, reading: &Reading) -> bool {
        self.schedule.answered(poll, reading, at(seconds))
    }

    /// How often each resource is asked directly in this many seconds, every question answered at once.
    fn asked_in(&mut self, seconds: u64) -> BTreeMap<ResourceId, usize> {
        let mut asked: BTreeMap<ResourceId, usize> = BTreeMap::new();
        for second in 0..seconds {
            for poll in self.due(second) {
                if let Question::Direct(_, targets) = &poll.question {
                    targets.iter().for_each(|target| *asked.entry(target.id.clone()).or_default() += 1);
                }
                self.answer(&poll, second, &good(&poll));
            }
        }
        asked
    }
}

fn good(poll: &Poll) -> Reading {
    let mut reading = Reading::default();
    match &poll.question {
        Question::Identity => reading.identity = Some(Identity::default()),
        Question::Changes { since } => reading.changes = Some((*since, Vec::new())),
        Question::Inventory(kind) => reading.inventory = Some((*kind, Vec::new())),
        Question::Tags(_) => reading.tags = Some(Tags::default()),
        Question::Log(_) => reading.log = Some(Err(String::new())),
        Question::Throttled(_) => reading.throttled = Some(Ok(Throttled::default())),
        Question::Workflow(_) => reading.workflow = Some(WorkflowAnswer::Executions(Executions::default())),
        Question::Direct(..) | Question::Metrics { .. } | Question::Probe(_) => {}
    }
    reading
}

fn is_direct(poll: &Poll) -> bool {
    matches!(poll.question, Question::Direct(..))
}

#[test]
fn who_and_what_is_there_are_asked_first_and_nothing_twice_at_once() {
    let mut desk = Desk::empty();
    let first: Vec<Question> = desk.due(0).into_iter().map(|poll| poll.question).collect();
    assert_eq!(first.len(), 2 + KindId::ALL.len());
    assert!(first.contains(&Question::Identity) && first.contains(&Question::Inventory(KindId::Sqs)));
    assert_eq!(desk.due(60), []);
    assert_eq!(desk.schedule.in_flight(), 2 + KindId::ALL.len());
}

#[test]
fn nothing_is_listed_before_the_tags_that_decide_over_it_were_asked_for() {
    let mut desk = Desk::empty();
    let here = Place::default();
    desk.schedule.want_tags(&here, vec![TagWanted { key: "team".into(), values: Vec::new() }]);
    let first = desk.due(0);
    let is_tags = |poll: &Poll| matches!(poll.question, Question::Tags(_));
    assert_eq!(first.iter().map(|poll| &poll.question).filter(|q| **q != Question::Identity).count(), 1);
    let tags = first.into_iter().find(is_tags).unwrap();
    assert_eq!(desk.due(1), []);
    // An answer that failed lets the lists go on, too: what is not known hides nothing.
    desk.answer(&tags, 2, &Reading::default());
    assert_eq!(desk.due(2).len(), 1 + KindId::ALL.len());
    let again: Vec<u64> = (3..700)
        .filter(|second| {
            let due = desk.due(*second);
            due.iter().for_each(|poll| _ = desk.answer(poll, *second, &good(poll)));
            due.iter().any(is_tags)
        })
        .collect();
    assert_eq!(again, [5, 305, 605], "soon after the failure, then every five minutes");
}

#[test]
fn changes_are_looked_for_every_minute_each_time_back_over_the_last_twenty() {
    let mut desk = Desk::empty();
    let mut looks = Vec::new();
    for second in 10_000..10_300 {
        for poll in desk.due(second) {
            if let Question::Changes { since } = poll.question {
                looks.push((second, since));
            }
            // One look fails: the next goes back to before it.
            let reading = if second == 10_120 { Reading::default() } else { good(&poll) };
            desk.answer(&poll, second, &reading);
        }
    }
    let back: Vec<(u64, u64)> =
        looks.iter().map(|(second, since)| (*second, at(*second).since(*since).as_secs())).collect();
    assert_eq!(back, [(10_000, 4800), (10_060, 1260), (10_120, 1260), (10_180, 1320), (10_240, 1260)]);
}

#[test]
fn what_fails_is_asked_again_ever_more_slowly() {
    let mut desk = Desk::with(&["orders"]);
    let mut asked = Vec::new();
    for second in 0..600 {
        for poll in desk.due(second).iter().filter(|poll| is_direct(poll)) {
            asked.push(second);
            let failed = Reading { failed: vec![(queue("orders"), "no".into())], ..Reading::default() };
            desk.answer(poll, second, &failed);
        }
        desk.attention.hot.insert(queue("orders"));
    }
    let gaps: Vec<u64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(&gaps[..6], [5, 10, 20, 40, 60, 60], "asked at {asked:?}");
}

#[test]
fn a_person_may_want_to_ask_less_often() {
    let mut desk = Desk::with(&["near", "shown", "wide"]);
    let [selected, on_screen, swept] = [10, 60, 300].map(Duration::from_secs);
    desk.schedule.refresh = Refresh { selected, on_screen, swept };
    desk.attention.near.insert(queue("near"));
    desk.attention.visible.insert(queue("shown"));
    let asked = desk.asked_in(600);
    let times = |name: &str| asked[&queue(name)];
    assert_eq!((times("near"), times("shown"), times("wide")), (60, 10, 2));
}

#[test]
fn freshness_follows_attention() {
    let mut desk = Desk::with(&["hot", "near", "shown", "wide"]);
    desk.attention.hot.insert(queue("hot"));
    desk.attention.near.insert(queue("near"));
    desk.attention.visible.insert(queue("shown"));
    let asked = desk.asked_in(120);
    let counts = ["hot", "near", "shown", "wide"].map(|name| asked[&queue(name)]);
    assert_eq!(counts, [60, 24, 8, 2]);
}

#[test]
fn an_answer_that_comes_too_late_is_dropped() {
    let mut desk = Desk::with(&["orders"]);
    let poll = desk.due(0).into_iter().find(is_direct).expect("asked");
    assert_eq!(desk.due(89).iter().filter(|poll| is_direct(poll)).count(), 0, "it is still waited for");
    let anew = desk.due(90).into_iter().find(is_direct).expect("given up, and asked anew");
    assert!(!desk.answer(&poll, 91, &Reading::default()), "late");
    assert!(desk.answer(&anew, 91, &Reading::default()));
}

#[test]
fn asking_again_drops_what_is_on_its_way() {
    let mut desk = Desk::with(&["orders"]);
    let old = desk.due(0).into_iter().find(is_direct).expect("asked");
    desk.schedule.ask_again(&BTreeSet::from([queue("orders")]), &BTreeSet::new());
    let new = desk.due(1).into_iter().find(is_direct).expect("asked anew");
    assert!(!desk.answer(&old, 2, &Reading::default()));
    assert!(desk.answer(&new, 2, &Reading::default()));
}

#[test]
fn a_small_budget_slows_what_is_off_screen_alone() {
    let names: Vec<String> = (0..60).map(|n| format!("q{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut desk = Desk::with(&names);
    desk.attention.visible.insert(queue("q00"));
    desk.budget_usd_per_h = 0.01;
    let mut asked: BTreeMap<ResourceId, usize> = BTreeMap::new();
    for second in 0..1800 {
        for poll in desk.due(second) {
            if let Question::Metrics { targets, .. } = &poll.question {
                targets.iter().for_each(|target| *asked.entry(target.id.clone()).or_default() += 1);
            }
            desk.answer(&poll, second, &good(&poll));
        }
    }
    assert_eq!(asked[&queue("q00")], 30, "on screen: every minute");
    let wide = asked[&queue("q30")];
    assert!((1..8).contains(&wide), "off screen: {wide} times in half an hour");
}

#[test]
fn a_gap_is_filled_by_a_wider_window() {
    let mut desk = Desk::with(&["orders"]);
    let window = |polls: &[Poll]| {
        polls.iter().find_map(|poll| match poll.question {
            Question::Metrics { window_min, .. } => Some(window_min),
            _ => None,
        })
    };
    let first = desk.due(0);
    assert_eq!(window(&first), Some(60), "the charts' first hour");
    for poll in &first {
        desk.answer(poll, 0, &good(poll));
    }
    assert_eq!(window(&desk.due(60)), Some(6));
    let mut desk = Desk::with(&["orders"]);
    for poll in desk.due(0) {
        desk.answer(&poll, 0, &good(&poll));
    }
    assert_eq!(window(&desk.due(1200)), Some(25), "twenty minutes were missed");
}

#[test]
fn the_shards_of_a_stream_are_known_before_their_metrics_are_asked_for() {
    let mut desk = Desk::with(&[]);
    let bids = ResourceId::new(KindId::Kinesis, "bids");
    let row = Row::new(bids.clone(), START);
    desk.rows.insert(bids.clone(), row);
    desk.schedule.set_resources(&Place::default(), KindId::Kinesis, &BTreeSet::from([bids]));
    let polls = desk.due(0);
    assert_eq!((polls.len(), is_direct(&polls[0])), (1, true));
    desk.answer(&polls[0], 1, &Reading::default());
    assert!(matches!(desk.due(1)[..], [Poll { question: Question::Metrics { .. }, .. }]));
}

#[test]
fn metrics_of_what_is_near_are_asked_when_somebody_comes_and_then_each_minute() {
    let mut desk = Desk::with(&[]);
    let (open, other) = (ResourceId::new(KindId::Lambda, "open"), ResourceId::new(KindId::Lambda, "other"));
    let ids = BTreeSet::from([open.clone(), other.clone()]);
    desk.rows = ids.iter().map(|id| (id.clone(), Row::new(id.clone(), START))).collect();
    desk.schedule.set_resources(&Place::default(), KindId::Lambda, &ids);
    let asked = |desk: &mut Desk, second: u64| -> Vec<(String, bool)> {
        let polls = desk.due(second);
        polls.iter().for_each(|poll| assert!(desk.answer(poll, second, &good(poll))));
        let targets = polls.into_iter().filter_map(|poll| match poll.question {
            Question::Metrics { targets, .. } => Some(targets),
            _ => None,
        });
        targets.flatten().map(|target| (target.id.name, target.is_near)).collect()
    };
    let (open_near, other_wide) = (("open".to_owned(), true), ("other".to_owned(), false));
    assert_eq!(asked(&mut desk, 0), [("open".to_owned(), false), other_wide.clone()]);
    desk.attention.near.insert(open);
    assert_eq!(asked(&mut desk, 10), std::slice::from_ref(&open_near), "at once");
    assert_eq!(asked(&mut desk, 59), []);
    assert_eq!(asked(&mut desk, 60), [other_wide]);
    assert_eq!(asked(&mut desk, 70), [open_near]);
}

#[test]
fn no_kind_keeps_the_others_waiting() {
    let mut desk = Desk { budget_usd_per_h: 10.0, ..Desk::with(&[]) };
    for kind in [KindId::Sqs, KindId::Lambda] {
        let ids: BTreeSet<ResourceId> = (0..300).map(|n| ResourceId::new(kind, format!("r{n:03}"))).collect();
        desk.schedule.set_resources(&Place::default(), kind, &ids);
        desk.rows.extend(ids.into_iter().map(|id| (id.clone(), Row::new(id, START))));
    }
    let polls = desk.due(0);
    let asked =
        |kind| polls.iter().filter(|poll| matches!(poll.question, Question::Direct(of, _) if of == kind)).count();
    assert_eq!((asked(KindId::Sqs), asked(KindId::Lambda)), (IN_FLIGHT_KIND_MAX, IN_FLIGHT_KIND_MAX));
}
