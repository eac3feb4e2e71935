//! Event source mappings as a client meets them, as examples.

use super::tests::*;
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn a_queue_mapping_is_created_listed_stopped_and_deleted() {
    let mut world = world();
    create(&mut world, "task");
    queue(&mut world, "orders");
    let arn = "arn:aws:sqs:eu-west-1:123456789012:orders";
    let input = json!({"EventSourceArn": arn, "FunctionName": "task", "BatchSize": 5});
    let (status, made) = ask(&mut world, "POST", "/2015-03-31/event-source-mappings/", &input);
    assert_eq!(
        (status, &made["State"], &made["StateTransitionReason"]),
        (202, &json!("Creating"), &json!("USER_INITIATED"))
    );
    let (status, twin) = ask(&mut world, "POST", "/2015-03-31/event-source-mappings", &input);
    assert_eq!(status, 409);
    assert!(twin["message"].as_str().unwrap().ends_with(made["UUID"].as_str().unwrap()));
    world.advance_to(world.now + Duration::from_secs(5));
    let path = format!("/2015-03-31/event-source-mappings/{}", made["UUID"].as_str().unwrap());
    assert_eq!(ask(&mut world, "GET", &path, &Value::Null).1["State"], "Enabled");
    let listed = format!("/2015-03-31/event-source-mappings?EventSourceArn={}", arn.replace(':', "%3A"));
    assert_eq!(ask(&mut world, "GET", &listed, &Value::Null).1["EventSourceMappings"][0]["BatchSize"], 5);
    assert_eq!(ask(&mut world, "PUT", &path, &json!({"Enabled": false})).1["State"], "Disabling");
    assert_eq!(ask(&mut world, "PUT", &path, &json!({"Enabled": true})).0, 400);
    world.advance_to(world.now + Duration::from_secs(5));
    assert_eq!(ask(&mut world, "GET", &path, &Value::Null).1["State"], "Disabled");
    assert_eq!(ask(&mut world, "DELETE", &path, &Value::Null).1["State"], "Deleting");
    world.advance_to(world.now + Duration::from_secs(5));
    let (status, gone) = ask(&mut world, "GET", &path, &Value::Null);
    assert_eq!((status, &gone["Message"]), (404, &json!("The resource you requested does not exist.")));
}

#[test]
fn a_mapping_that_cannot_work_is_refused() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    queue(&mut world, "orders");
    let sqs = "arn:aws:sqs:eu-west-1:123456789012:orders";
    let kinesis = "arn:aws:kinesis:eu-west-1:123456789012:stream/bids";
    let refused = [
        (json!({"FunctionName": "task"}), "Unrecognized event source."),
        (json!({"FunctionName": "none", "EventSourceArn": sqs}), "Function does not exist"),
        (
            json!({"FunctionName": "task", "EventSourceArn": sqs, "StartingPosition": "LATEST"}),
            "StartingPosition is not valid for SQS event sources.",
        ),
        (
            json!({"FunctionName": "task", "EventSourceArn": sqs, "ParallelizationFactor": 2}),
            "Unsupported ParallelizationFactor parameter for given event source mapping type.",
        ),
        (
            json!({"FunctionName": "task", "EventSourceArn": sqs, "BatchSize": 11}),
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        (
            json!({
                "FunctionName": "task", "EventSourceArn": kinesis, "StartingPosition": "LATEST",
                "DestinationConfig": {"OnSuccess": {"Destination": sqs}},
            }),
            "Unsupported DestinationConfig parameter for given event source mapping type.",
        ),
        (
            json!({"FunctionName": "task", "EventSourceArn": kinesis, "StartingPosition": "LATEST"}),
            "Stream not found: arn:aws:kinesis:eu-west-1:123456789012:stream/bids",
        ),
    ];
    for (input, message) in refused {
        let (status, body) = ask(&mut world, "POST", "/2015-03-31/event-source-mappings", &input);
        assert_eq!((status, &body["message"]), (400, &json!(message)), "{input}");
    }
    ask(&mut world, "PUT", "/2015-03-31/functions/task/configuration", &json!({"Timeout": 60}));
    let input = json!({"FunctionName": "task", "EventSourceArn": sqs});
    let (_, body) = ask(&mut world, "POST", "/2015-03-31/event-source-mappings", &input);
    let message = "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds";
    assert_eq!(body["message"], message);
}

#[test]
fn without_delays_functions_and_mappings_are_ready_in_the_answer() {
    let mut world = world();
    world.delays = false;
    let (_, made) = create(&mut world, "resize");
    assert_eq!((&made["State"], &made["LastUpdateStatus"]), (&json!("Active"), &json!("Successful")));
    queue(&mut world, "orders");
    let source = json!({"FunctionName": "resize", "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:orders"});
    let (status, mapping) = ask(&mut world, "POST", "/2015-03-31/event-source-mappings", &source);
    assert_eq!((status, &mapping["State"]), (202, &json!("Enabled")));
    let path = format!("/2015-03-31/event-source-mappings/{}", mapping["UUID"].as_str().unwrap());
    assert_eq!(ask(&mut world, "PUT", &path, &json!({"Enabled": false})).1["State"], "Disabled");
    assert_eq!(ask(&mut world, "DELETE", &path, &Value::Null).1["State"], "Deleting");
    let now = world.now;
    world.advance_to(now);
    assert_eq!(ask(&mut world, "GET", &path, &Value::Null).0, 404);
}

#[test]
fn a_mapping_that_shall_not_run_is_disabled_from_the_beginning() {
    let mut world = world();
    create(&mut world, "task");
    queue(&mut world, "orders");
    let arn = "arn:aws:sqs:eu-west-1:123456789012:orders";
    let input = json!({"EventSourceArn": arn, "FunctionName": "task", "Enabled": false});
    let (status, made) = ask(&mut world, "POST", "/2015-03-31/event-source-mappings", &input);
    assert_eq!((status, &made["State"]), (202, &json!("Disabled")));
    let path = format!("/2015-03-31/event-source-mappings/{}", made["UUID"].as_str().unwrap());
    assert_eq!(ask(&mut world, "PUT", &path, &json!({"Enabled": true})).1["State"], "Enabling");
    pass(&mut world, 5);
    assert_eq!(ask(&mut world, "GET", &path, &Value::Null).1["State"], "Enabled");
}

#[test]
fn a_fifo_queue_has_no_batching_window() {
    let mut world = world();
    create(&mut world, "task");
    let (sqs, mut cx) = world.sqs_cx();
    let attributes = [("FifoQueue".to_owned(), "true".to_owned())].into();
    sqs.create_queue(&mut cx, "bids.fifo", &attributes, &std::collections::BTreeMap::new()).unwrap();
    let arn = "arn:aws:sqs:eu-west-1:123456789012:bids.fifo";
    let wanted = |window: u32, batch: u32| {
        json!({
            "EventSourceArn": arn, "FunctionName": "task", "MaximumBatchingWindowInSeconds": window, "BatchSize": batch,
        })
    };
    let mappings = "/2015-03-31/event-source-mappings";
    for batch in [5, 11] {
        let (status, refused) = ask(&mut world, "POST", mappings, &wanted(1, batch));
        let message = json!("Batching window is not supported for FIFO queues");
        assert_eq!((status, &refused["message"]), (400, &message));
    }
    let (status, made) = ask(&mut world, "POST", mappings, &wanted(0, 5));
    assert_eq!(status, 202, "{made}");
    pass(&mut world, 60);
    let path = format!("{mappings}/{}", made["UUID"].as_str().unwrap());
    assert_eq!(ask(&mut world, "PUT", &path, &json!({"MaximumBatchingWindowInSeconds": 1})).0, 400);
    assert_eq!(ask(&mut world, "PUT", &path, &json!({"BatchSize": 6})).0, 202);
}

#[test]
fn a_mapping_has_five_filters_at_most() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    queue(&mut world, "orders");
    let mut filtered = |count: usize| {
        let filters = vec![json!({"Pattern": "{\"body\": [\"a\"]}"}); count];
        let input = json!({
            "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:orders", "FunctionName": "task",
            "FilterCriteria": {"Filters": filters},
        });
        ask(&mut world, "POST", "/2015-03-31/event-source-mappings", &input).0
    };
    assert_eq!((filtered(6), filtered(5)), (400, 202));
}
