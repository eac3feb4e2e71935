//! What each event makes of the state, example by example.

use super::*;
use crate::actions::{Call, Expect, Plan, Safety};
use crate::app::dialog::{Confirm, Dialog};
use crate::app::edit::Editor;
use crate::app::state::{Context, Settings, Source};
use crate::domain::change::Change;
use crate::domain::finding::{ErrorClass, Problem};
use crate::domain::pattern::{Filter, Rule};
use crate::domain::poll::{Calls, Identity, Poll, Question, Reading, RowUpdate};
use crate::domain::refresh::Refresh;
use crate::domain::row::{Health, KindId, Place, ResourceId};
use crate::domain::value::{Origin, Value};
use crate::domain::verb::ActionId;
use crate::kinds::sqs;
use crate::kinds::threshold::Thresholds;

mod unseen;

const START: Timestamp = Timestamp::from_millis(1_000_000_000);

fn state(allow_actions: bool) -> State {
    let settings = Settings {
        source: Source::Live,
        source_label: String::new(),
        contexts: vec![Context { region: Some("eu-west-1".into()), allow_actions, ..Context::default() }],
        known: Vec::new(),
        budget_usd_per_h: 0.15,
        refresh: Refresh::default(),
        thresholds: Thresholds::default(),
        speed: 1.0,
    };
    State::new(settings, START)
}

/// A person, and an AWS that answers when told to.
struct Scene {
    state: State,
    seconds: u64,
    asked: Vec<Poll>,
    effects: Vec<Effect>,
}

impl Scene {
    fn new(allow_actions: bool) -> Self {
        let mut scene = Self { state: state(allow_actions), seconds: 0, asked: Vec::new(), effects: Vec::new() };
        scene.happens(What::Wake);
        scene
    }

    /// The account's queues are listed and have been asked once.
    fn with_queues(names: &[&str]) -> Self {
        let mut scene = Self::new(true);
        scene.list_queues(names);
        scene.depths(&names.iter().map(|name| (*name, 3.0)).collect::<Vec<_>>());
        scene
    }

    fn happens(&mut self, what: What) {
        let at = START + std::time::Duration::from_secs(self.seconds);
        for effect in update(&mut self.state, Event { at, what }) {
            match effect {
                Effect::Ask(poll) => self.asked.push(poll),
                other => self.effects.push(other),
            }
        }
    }

    fn later(&mut self, seconds: u64) {
        self.seconds += seconds;
        self.happens(What::Wake);
    }

    fn keys(&mut self, run: &str) {
        for key in Key::parse_run(run).unwrap() {
            self.happens(What::Key(key));
        }
    }

    /// Takes the newest question of this sort that waits for an answer.
    fn take(&mut self, is_it: impl Fn(&Question) -> bool) -> Poll {
        let at = self.asked.iter().rposition(|poll| is_it(&poll.question));
        self.asked.remove(at.expect("it was asked"))
    }

    fn answers(&mut self, is_it: impl Fn(&Question) -> bool, reading: Reading) {
        let poll = self.take(is_it);
        self.happens(What::Polled { poll, reading: reading.into() });
    }

    fn list_queues(&mut self, names: &[&str]) {
        let ids = names.iter().map(|name| ResourceId::new(KindId::Sqs, *name)).collect();
        let reading = Reading { inventory: Some((KindId::Sqs, ids)), ..called("sqs:ListQueues") };
        self.answers(|question| *question == Question::Inventory(KindId::Sqs), reading);
    }

    fn depths(&mut self, depths: &[(&str, f64)]) {
        let mut reading = called("sqs:GetQueueAttributes");
        reading.updates = depths.iter().map(|(name, depth)| depth_of(name, *depth)).collect();
        self.answers(|question| matches!(question, Question::Direct(KindId::Sqs, _)), reading);
    }

    fn depth(&self, name: &str) -> Option<f64> {
        self.state.rows.get(&ResourceId::new(KindId::Sqs, name))?.fields.number(&sqs::VISIBLE)
    }

    fn said(&self) -> &str {
        self.state.toasts.back().map_or("", |toast| toast.text.as_str())
    }
}

fn called(operation: &'static str) -> Reading {
    let calls = Calls { by_operation: [(operation, 1)].into(), ..Calls::default() };
    Reading { calls, asked: [operation].into(), ..Reading::default() }
}

fn depth_of(name: &str, depth: f64) -> RowUpdate {
    let mut update = RowUpdate::new(ResourceId::new(KindId::Sqs, name), START);
    update.fields.set(&sqs::VISIBLE, Value::number(depth, START, Origin::Api));
    update
}

fn refusal(names: &[&str]) -> Reading {
    let sentence = "Grant sqs:GetQueueAttributes.".to_owned();
    let operation = "GetQueueAttributes";
    Reading {
        failed: names.iter().map(|name| (ResourceId::new(KindId::Sqs, *name), sentence.clone())).collect(),
        problems: vec![Problem {
            place: Place::default(),
            service: "sqs",
            operation,
            class: ErrorClass::Denied,
            of_place: false,
            sentence,
        }],
        ..called("sqs:GetQueueAttributes")
    }
}

fn direct(question: &Question) -> bool {
    matches!(question, Question::Direct(KindId::Sqs, _))
}

#[test]
fn what_the_filter_hides_has_no_row_and_is_counted_while_it_is_there() {
    let mut scene = Scene::new(true);
    let filter = Filter { include: Vec::new(), exclude: vec![Rule::parse("sqs/*-sandbox").unwrap()] };
    scene.state.settings.contexts[0].filter = filter;
    scene.list_queues(&["orders", "orders-sandbox", "emails-sandbox"]);
    scene.depths(&[("orders", 3.0), ("orders-sandbox", 9.0)]);
    assert_eq!((scene.depth("orders"), scene.depth("orders-sandbox")), (Some(3.0), None));
    assert_eq!(scene.state.hidden_total(), 2);
    scene.later(300);
    scene.list_queues(&["orders", "orders-sandbox"]);
    assert_eq!(scene.state.hidden_total(), 1, "one was deleted");
}

#[test]
fn what_has_vanished_goes_and_an_incomplete_list_takes_nothing_away() {
    let mut scene = Scene::with_queues(&["mail", "orders"]);
    scene.later(301);
    let incomplete = Reading { updates: vec![depth_of("new", 1.0)], ..called("sqs:ListQueues") };
    scene.answers(|question| *question == Question::Inventory(KindId::Sqs), incomplete);
    assert_eq!(scene.state.rows.len(), 3);
    scene.later(301);
    scene.list_queues(&["orders"]);
    assert_eq!((scene.state.rows.len(), scene.depth("orders")), (1, Some(3.0)));
}

#[test]
fn an_answer_about_what_has_gone_does_not_bring_it_back() {
    let mut scene = Scene::with_queues(&["mail", "orders"]);
    scene.later(301);
    let slow = scene.take(direct);
    scene.list_queues(&["orders"]);
    scene.happens(What::Polled {
        poll: slow,
        reading: Reading { updates: vec![depth_of("mail", 9.0)], ..called("x:Y") }.into(),
    });
    assert_eq!(scene.depth("mail"), None);
}

#[test]
fn a_late_answer_changes_nothing_but_is_paid_for() {
    let mut scene = Scene::with_queues(&["orders"]);
    scene.later(60);
    let late = scene.take(direct);
    scene.later(91);
    let calls = scene.state.meter.calls.total();
    scene.happens(What::Polled {
        poll: late,
        reading: Reading { updates: vec![depth_of("orders", 99.0)], ..called("sqs:GetQueueAttributes") }.into(),
    });
    assert_eq!((scene.depth("orders"), scene.state.meter.calls.total()), (Some(3.0), calls + 1));
}

#[test]
fn nothing_new_is_asked_while_paused() {
    let mut scene = Scene::with_queues(&["orders"]);
    scene.keys("<space>");
    scene.asked.clear();
    scene.later(600);
    assert_eq!((scene.state.paused, scene.asked.len()), (true, 0));
    scene.keys("<space>");
    assert!(!scene.asked.is_empty());
}

#[test]
fn what_cannot_be_done_now_says_why() {
    let cases = [
        (false, "i", "read-only"),
        (true, "i", "invoke is for Lambda functions"),
        (true, "r", "no queue sends its dead letters"),
        (true, "x", "no move task is running"),
        (true, "R", "reshard is for Kinesis streams"),
    ];
    for (allowed, key, why) in cases {
        let mut scene = Scene::with_queues(&["orders"]);
        scene.state.settings.contexts[0].allow_actions = allowed;
        if !allowed {
            scene.keys("r");
        }
        scene.keys(key);
        let said: Vec<&str> = scene.state.toasts.iter().map(|toast| toast.text.as_str()).collect();
        assert!(said.iter().any(|text| text.contains(why)), "{key}: {said:?}");
        assert!(scene.state.dialogs.is_empty() && scene.state.jobs.is_empty());
    }
}

#[test]
fn a_refusal_goes_when_the_person_goes_elsewhere() {
    let mut scene = Scene::with_queues(&["orders", "emails"]);
    scene.keys("i");
    assert!(scene.said().contains("invoke is for"), "{}", scene.said());
    scene.keys("j");
    assert!(scene.said().contains("invoke is for"), "still the same list");
    scene.state.toast(Tone::Bad, "the redrive failed");
    scene.keys("?");
    let said: Vec<&str> = scene.state.toasts.iter().map(|toast| toast.text.as_str()).collect();
    assert_eq!(said, ["the redrive failed"], "what happened stays");
}

fn plan(calls: usize) -> Plan {
    let call = Call::UpdateShardCount { stream: "bids".into(), target: 8 };
    Plan {
        action: ActionId::Reshard,
        resource: ResourceId::new(KindId::Kinesis, "bids"),
        preview: vec!["Resize.".into()],
        warnings: Vec::new(),
        calls: vec![call; calls],
        safety: Safety::Costly,
        expect: Expect::OpenShards(8),
        made_at: START,
    }
}

#[test]
fn a_plan_is_performed_once_and_its_outcomes_count_in_order() {
    let mut scene = Scene::new(true);
    scene.happens(What::Agreed(plan(2)));
    let performed = scene.effects.iter().filter(|effect| matches!(effect, Effect::Perform { .. })).count();
    assert_eq!((performed, scene.state.jobs.len()), (1, 1));
    let plan_id = scene.state.jobs[0].id;
    let accepted = || CallOutcome::Accepted(vec!["Taken.".into()]);
    scene.happens(What::Performed { plan_id, call: 1, outcome: accepted() });
    assert_eq!(scene.state.jobs[0].outcomes.len(), 0, "the second cannot come before the first");
    scene.happens(What::Performed { plan_id, call: 0, outcome: accepted() });
    assert_eq!(scene.state.jobs[0].stage, Stage::Calling);
    scene.happens(What::Performed { plan_id, call: 1, outcome: accepted() });
    assert_eq!(scene.state.jobs[0].stage, Stage::Watching, "accepted is not yet done");
}

#[test]
fn an_escape_and_the_key_after_it_are_two_keys_even_when_they_come_as_one() {
    let mut scene = Scene::with_queues(&["orders"]);
    scene.keys("p");
    let mut colon = Key::parse_run(":").unwrap()[0];
    colon.alt = true;
    scene.happens(What::Key(colon));
    assert!(matches!(scene.state.screen(), Screen::List(_)), "escape went back");
    assert_eq!(scene.state.dialogs.len(), 1, "and the palette opened");
}

#[test]
fn a_plan_that_does_not_fit_on_the_screen_must_be_read_to_its_end() {
    let mut scene = Scene::new(true);
    let confirm = Confirm { plan: plan(1), asks_name: false, typed: Editor::one_line(""), scroll: 0, error: None };
    scene.state.dialogs.push(Dialog::Confirm(confirm));
    scene.happens(What::Resize { width: 20, height: 4 });
    scene.keys("jy");
    assert!(scene.state.jobs.is_empty(), "nobody can have read it");
    scene.happens(What::Resize { width: 80, height: 15 });
    scene.keys("ky");
    assert!(scene.state.jobs.is_empty(), "its end is not on screen");
    scene.keys("jjy");
    assert_eq!(scene.state.jobs.len(), 1);
}

#[test]
fn in_production_a_plan_that_costs_wants_the_name_typed() {
    for production in [false, true] {
        let mut scene = Scene::with_queues(&["orders-dlq"]);
        scene.state.settings.contexts[0].production = production;
        let asks_name = scene.state.settings.asks_name(&plan(1));
        assert_eq!(asks_name, production);
        let confirm = Confirm { plan: plan(1), asks_name, typed: Editor::one_line(""), scroll: 0, error: None };
        scene.state.dialogs.push(Dialog::Confirm(confirm));
        scene.keys("<enter>");
        assert_eq!(scene.state.jobs.len(), usize::from(!production));
        if production {
            scene.keys(&plan(1).resource.name);
            scene.keys("<enter>");
            assert_eq!(scene.state.jobs.len(), 1);
        }
    }
}

#[test]
fn read_only_performs_nothing() {
    let mut scene = Scene::new(false);
    scene.happens(What::Agreed(plan(1)));
    assert!(!scene.effects.iter().any(|effect| matches!(effect, Effect::Perform { .. })));
    assert!(scene.said().contains("read-only"), "{}", scene.said());
}

#[test]
fn a_call_that_may_have_been_sent_is_watched_and_one_that_was_not_has_failed() {
    for (sent, stage) in [(true, Stage::Watching), (false, Stage::Failed)] {
        let mut scene = Scene::new(true);
        scene.happens(What::Agreed(plan(1)));
        let plan_id = scene.state.jobs[0].id;
        let outcome = CallOutcome::Failed { sentence: "no answer in time.".into(), sent };
        scene.happens(What::Performed { plan_id, call: 0, outcome });
        assert_eq!(scene.state.jobs[0].stage, stage);
        scene.later(30);
        assert!(!scene.state.jobs[0].sentence.contains("accepted"), "{}", scene.state.jobs[0].sentence);
        scene.later(120);
        assert!(scene.state.jobs[0].stage.is_over(), "what was perhaps not done is not watched for long");
    }
}

#[test]
fn what_could_not_be_journalled_was_not_done() {
    let mut scene = Scene::new(true);
    scene.happens(What::Agreed(plan(1)));
    let plan_id = scene.state.jobs[0].id;
    scene.happens(What::NotJournalled { plan_id, sentence: "disk full".into(), call_sent: false });
    assert_eq!(scene.state.jobs[0].stage, Stage::Failed);
    assert!(scene.said().contains("not done") && scene.said().contains("disk full"), "{}", scene.said());
}

#[test]
fn toasts_stay_as_long_as_a_person_needs_at_any_speed() {
    for speed in [1.0, 100.0] {
        let mut state = state(true);
        state.settings.speed = speed;
        state.toast(Tone::Info, "read me");
        let stays = state.toasts[0].until.since(state.now);
        assert_eq!(stays.as_secs_f64(), 8.0 * speed);
    }
}

#[test]
fn the_same_events_give_the_same_state() {
    let play = || {
        let mut scene = Scene::with_queues(&["mail", "orders", "orders-dlq"]);
        scene.keys("3jG/orders<enter>s?<esc>:mail<enter>");
        scene.later(61);
        scene.answers(direct, refusal(&["mail"]));
        scene.happens(What::Resize { width: 200, height: 50 });
        scene.later(400);
        (scene.state, scene.effects, scene.asked)
    };
    let (first, second) = (play(), play());
    assert_eq!(first, second);
    assert_eq!((first.0.rows.len(), first.0.size.width), (3, 200));
}

#[test]
fn what_cloudtrail_tells_of_is_listed_before_its_kinds_turn_comes() {
    let mut scene = Scene::with_queues(&["orders"]);
    let is_listing = |question: &Question| *question == Question::Inventory(KindId::Sqs);
    let made = |id: &str, event: &str, name: &str| Change {
        id: id.into(),
        place: Place::default(),
        at: START,
        service: "sqs".into(),
        event: event.into(),
        who: "ana".into(),
        source_ip: None,
        resources: vec![ResourceId::new(KindId::Sqs, name)],
        part: None,
        role: None,
        settings: Vec::new(),
        error_code: None,
        by_midwatch: false,
    };
    let told = |scene: &mut Scene, change: Change| {
        scene.later(61);
        let listings = |scene: &Scene| scene.asked.iter().filter(|poll| is_listing(&poll.question)).count();
        let before = listings(scene);
        let reading = Reading { changes: Some((START, vec![change])), ..called("cloudtrail:LookupEvents") };
        scene.answers(|question| matches!(question, Question::Changes { .. }), reading);
        listings(scene) - before
    };
    assert_eq!(told(&mut scene, made("1", "SetQueueAttributes", "orders")), 0);
    assert_eq!(told(&mut scene, made("2", "CreateQueue", "orders")), 0, "it has a row");
    assert_eq!(told(&mut scene, made("3", "CreateQueue", "emails")), 1);
    scene.list_queues(&["orders"]);
    assert_eq!(told(&mut scene, made("3", "CreateQueue", "emails")), 0, "that is known");
}
