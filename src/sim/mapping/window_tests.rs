//! Tumbling windows: batches end with their window, and the function is invoked once more when it is over.

use super::tests::{function, map, on_stream, pass, put, quick, stream, tally, template, world};
use crate::sim::lambda::*;
use crate::sim::payload::TemplateId;
use crate::sim::world::World;

/// A stream with one shard, mapped with windows of a minute, at the beginning of one.
fn windowed(behaviour: Behaviour) -> (World, TemplateId) {
    let mut world = world();
    stream(&mut world, "bids", 1);
    let id = function(&mut world, "settle", behaviour);
    let settings = Settings { tumbling_window_s: 60, ..Settings::for_stream(Start::TrimHorizon) };
    map(&mut world, id, on_stream("bids"), settings);
    let good = template(&mut world, "good");
    (world, good)
}

#[test]
fn a_window_ends_with_an_invocation_of_its_own_and_no_batch_reaches_beyond_it() {
    let (mut world, good) = windowed(quick());
    put(&mut world, "bids", "a", good, 5);
    pass(&mut world, 30);
    assert_eq!(tally(&world, "settle"), (1, 0));
    put(&mut world, "bids", "a", good, 5);
    pass(&mut world, 29);
    assert_eq!(tally(&world, "settle"), (2, 0), "the window is open");
    pass(&mut world, 11);
    put(&mut world, "bids", "a", good, 5);
    pass(&mut world, 5);
    assert_eq!(tally(&world, "settle"), (4, 0), "the next window's first record ends the one before");
    pass(&mut world, 120);
    assert_eq!(tally(&world, "settle"), (4, 0));
    pass(&mut world, 60);
    assert_eq!(tally(&world, "settle"), (5, 0), "without new records it is over after two minutes");
    pass(&mut world, 600);
    assert_eq!(tally(&world, "settle"), (5, 0), "what nobody put has no window");
}

#[test]
fn records_of_two_windows_that_are_read_together_are_two_batches() {
    let (mut world, good) = windowed(quick());
    let (lambda, mut cx) = world.lambda_cx();
    lambda.set_mapping_enabled(&mut cx, 0, false);
    put(&mut world, "bids", "a", good, 5);
    pass(&mut world, 60);
    put(&mut world, "bids", "a", good, 5);
    let (lambda, mut cx) = world.lambda_cx();
    lambda.set_mapping_enabled(&mut cx, 0, true);
    pass(&mut world, 5);
    assert_eq!(tally(&world, "settle"), (3, 0), "a batch, the window's end, and a batch");
}

#[test]
fn an_answer_without_state_is_a_failure_and_a_windows_end_is_tried_until_it_succeeds() {
    let answering = |text: &str| Behaviour { answer: Answer::Text(text.into()), ..quick() };
    let (mut world, good) = windowed(answering(r#"{"batchItemFailures":[]}"#));
    put(&mut world, "bids", "a", good, 5);
    pass(&mut world, 10);
    assert!(tally(&world, "settle").0 > 1, "it is tried again");
    assert_eq!(world.lambda.mapping(0).unwrap().last_result, LastResult::FunctionFailed);
    let (mut world, good) = windowed(answering(r#"{"state":{"1":282}}"#));
    put(&mut world, "bids", "a", good, 5);
    pass(&mut world, 10);
    assert_eq!(tally(&world, "settle"), (1, 0));
    world.lambda.named_mut("settle").unwrap().trouble.failing = 1.0;
    pass(&mut world, 300);
    let (invocations, errors) = tally(&world, "settle");
    assert!(errors > 2 && invocations == errors + 1, "{invocations} {errors}");
    world.lambda.named_mut("settle").unwrap().trouble.failing = 0.0;
    pass(&mut world, 60);
    assert_eq!(tally(&world, "settle"), (errors + 2, errors), "it is over");
}
