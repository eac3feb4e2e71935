//! What holds after every step of any run: each message is for each subscription in exactly one place, and two runs are
//! equal.

use super::tests::{Bench, HOOK, text};
use super::*;
use crate::sim::endpoint::Answer;
use crate::sim::sqs::AttributeValue;
use proptest::prelude::*;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Step {
    Publish {
        kind: &'static str,
    },
    Hook {
        answer: Answer,
    },
    Wait {
        s: u64,
    },
    /// A subscription's filter policy is set or taken away.
    Filter {
        subscription: usize,
        on: bool,
    },
    Redrive {
        subscription: usize,
        on: bool,
    },
    /// A queue goes, or comes back.
    Queue {
        name: &'static str,
        is_there: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let answer = prop_oneof![
        3 => Just(Answer::Status(200)),
        2 => Just(Answer::Status(503)),
        1 => Just(Answer::Status(429)),
        1 => Just(Answer::Status(404)),
        1 => Just(Answer::Hang),
    ];
    let step = prop_oneof![
        6 => prop::sample::select(vec!["sale", "weather"]).prop_map(|kind| Step::Publish { kind }),
        2 => answer.prop_map(|answer| Step::Hook { answer }),
        4 => (0u64..90).prop_map(|s| Step::Wait { s }),
        1 => (0usize..2, any::<bool>()).prop_map(|(subscription, on)| Step::Filter { subscription, on }),
        1 => (0usize..2, any::<bool>()).prop_map(|(subscription, on)| Step::Redrive { subscription, on }),
        1 => (prop::sample::select(vec!["inbox", "dead"]), any::<bool>())
            .prop_map(|(name, is_there)| Step::Queue { name, is_there }),
    ];
    prop::collection::vec(step, 1..80)
}

/// A topic with a queue and a webhook that share a dead-letter queue.
struct Run {
    bench: Bench,
    ids: [String; 2],
    published: u64,
}

impl Run {
    fn new() -> Self {
        let (mut bench, queue) = Bench::with_inbox(&[]);
        bench.queue("dead");
        bench.hook(Answer::Status(200));
        let hook = bench.subscribe("news", "http", HOOK, &[]).unwrap();
        Self { bench, ids: [queue, hook], published: 0 }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Publish { kind } => {
                let attributes = BTreeMap::from([("kind".to_owned(), AttributeValue::text("String", kind))]);
                self.bench.publish("news", Publication { attributes, ..text("body") }).unwrap();
                self.published += 1;
            }
            Step::Hook { answer } => self.bench.world.endpoints.named("hook").unwrap().answer = answer,
            Step::Wait { s } => self.bench.pass(Duration::from_secs(s)),
            Step::Filter { subscription, on } => {
                let policy = if on { r#"{"kind": ["sale"]}"# } else { "" };
                self.bench.set("news", &self.ids[subscription], "FilterPolicy", policy).unwrap();
            }
            Step::Redrive { subscription, on } => {
                let policy = if on { redrive_to(&self.bench.queue_arn("dead")) } else { String::new() };
                self.bench.set("news", &self.ids[subscription], "RedrivePolicy", &policy).unwrap();
            }
            Step::Queue { name, is_there } => {
                let (sqs, mut cx) = self.bench.world.sqs_cx();
                if is_there {
                    let _ = sqs.create_queue(&mut cx, name, &BTreeMap::new(), &BTreeMap::new());
                } else {
                    let _ = sqs.delete_queue(&mut cx, name);
                }
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let sns = &self.bench.world.sns;
        for id in &self.ids {
            let Tally { offered, filtered, delivered, redriven, dropped } = self.bench.tally("news", id);
            let waits =
                |attempt: &&Attempt| &*attempt.subscription == id && attempt.kind == attempt::Kind::Notification;
            let in_hand = sns.attempts.values().filter(waits).count() as u64;
            prop_assert_eq!(offered, self.published);
            prop_assert_eq!(offered, filtered + delivered + redriven + dropped + in_hand);
        }
        Ok(())
    }

    fn picture(&self) -> String {
        let tallies = self.ids.iter().map(|id| self.bench.tally("news", id)).collect::<Vec<_>>();
        format!("{:?} {tallies:?} {:?}", self.ids, self.bench.world.sns.attempts)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_in_one_place_for_each_subscription(steps in steps()) {
        let mut run = Run::new();
        // The webhook's confirmation is answered before the first message.
        run.take(&Step::Wait { s: 1 });
        for step in &steps {
            run.take(step);
            run.check()?;
        }
        // In the end nothing is left in hand.
        run.take(&Step::Wait { s: 3600 });
        run.check()?;
        prop_assert_eq!(run.bench.world.sns.deliveries_in_hand(), 0);
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
