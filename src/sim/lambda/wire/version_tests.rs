//! Versions, aliases and provisioned concurrency as a client meets them, as examples.

use super::tests::*;
use serde_json::{Value, json};

#[test]
fn a_version_keeps_what_was_published_and_the_same_is_not_published_twice() {
    let mut world = world();
    two_versions(&mut world, "task");
    let (status, again) = publish(&mut world, "task", &json!({}));
    assert_eq!((status, &again["Version"], &again["Description"]), (201, &json!("2"), &json!("second")));
    let (_, first) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task/configuration?Qualifier=1"), &Value::Null);
    assert_eq!((&first["Timeout"], &first["State"]), (&json!(5), &json!("Active")));
    assert_eq!(first["FunctionArn"], "arn:aws:lambda:eu-west-1:123456789012:function:task:1");
    let (_, listed) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task/versions"), &Value::Null);
    let shown: Vec<(&Value, &Value)> =
        listed["Versions"].as_array().unwrap().iter().map(|v| (&v["Version"], &v["Timeout"])).collect();
    let version = |text: &str| json!(text);
    assert_eq!(shown, [(&version("$LATEST"), &json!(9)), (&version("1"), &json!(5)), (&version("2"), &json!(9))]);
    assert_eq!(listed["Versions"][0]["FunctionArn"].as_str().unwrap().rsplit(':').next(), Some("$LATEST"));
    let (_, wrong) = publish(&mut world, "task", &json!({"CodeSha256": "none"}));
    let text = wrong["message"].as_str().unwrap();
    assert!(text.starts_with("CodeSHA256 (none) is different from current CodeSHA256 in $LATEST ("), "{text}");
    pass(&mut world, 1);
    let (status, stale) = publish(&mut world, "task", &json!({"RevisionId": "old"}));
    assert_eq!(status, 412);
    assert!(stale["message"].as_str().unwrap().contains("Call the GetFunction/GetAlias API"), "{stale}");
    let (status, changed) =
        ask(&mut world, "PUT", &format!("{FUNCTIONS}/task:1/configuration"), &json!({"Timeout": 7}));
    assert_eq!(status, 400);
    assert!(changed["message"].as_str().unwrap().starts_with("This operation is permitted on Lambda functions only."));
}

#[test]
fn settling_makes_another_revision() {
    let mut world = world();
    let (_, made) = create(&mut world, "task");
    pass(&mut world, 1);
    let (_, active) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task/configuration"), &Value::Null);
    assert_ne!(made["RevisionId"], active["RevisionId"]);
    let (_, version) = publish(&mut world, "task", &json!({"RevisionId": active["RevisionId"]}));
    let (_, after) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task/configuration"), &Value::Null);
    assert_ne!(after["RevisionId"], active["RevisionId"], "publishing counts as a change of $LATEST");
    assert_ne!(after["RevisionId"], version["RevisionId"]);
}

#[test]
fn an_alias_splits_its_invocations_by_weight_and_answers_which_version_ran() {
    let mut world = world();
    world.place.limits = false;
    two_versions(&mut world, "task");
    let input = json!({
        "Name": "live", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.25}},
    });
    let (status, alias) = ask(&mut world, "POST", &format!("{FUNCTIONS}/task/aliases"), &input);
    assert_eq!((status, &alias["RoutingConfig"]), (201, &input["RoutingConfig"]));
    let mut second = 0;
    for _ in 0..400 {
        let path = format!("{FUNCTIONS}/task:live/invocations");
        let answer = send(&mut world, "POST", &path, &[], b"{}");
        second += usize::from(header(&answer, "x-amz-executed-version") == Some("2"));
    }
    assert!((70..130).contains(&second), "{second}");
    let back = json!({"RoutingConfig": {"AdditionalVersionWeights": {}}, "RevisionId": alias["RevisionId"]});
    let path = format!("{FUNCTIONS}/task/aliases/live");
    let (status, mended) = ask(&mut world, "PUT", &path, &back);
    assert_eq!((status, &mended["RoutingConfig"], &mended["FunctionVersion"]), (200, &Value::Null, &json!("1")));
    assert_eq!(ask(&mut world, "PUT", &path, &back).0, 412, "the revision has changed");
    let answer = send(&mut world, "POST", &format!("{FUNCTIONS}/task/invocations?Qualifier=live"), &[], b"{}");
    assert_eq!(header(&answer, "x-amz-executed-version"), Some("1"));
    let (status, body) = ask(&mut world, "DELETE", &format!("{FUNCTIONS}/task?Qualifier=1"), &Value::Null);
    let message = "Unable to delete version because the following aliases reference it: [live]";
    assert_eq!((status, &body["message"]), (409, &json!(message)));
    assert_eq!(ask(&mut world, "DELETE", &format!("{FUNCTIONS}/task?Qualifier=2"), &Value::Null).0, 204);
    let (status, gone) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task?Qualifier=2"), &Value::Null);
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task:2";
    assert_eq!((status, &gone["Message"]), (404, &json!(format!("Function not found: {arn}"))));
}

#[test]
fn an_alias_that_cannot_be_is_refused_in_aws_words() {
    let mut world = world();
    world.place.limits = false;
    two_versions(&mut world, "task");
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task";
    let weights = |weights: Value| json!({"AdditionalVersionWeights": weights});
    let map_value = "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must \
                     have value greater than or equal to 0.0, Member must not be null]";
    let cases = [
        (
            json!({"Name": "a", "FunctionVersion": "1", "RoutingConfig": weights(json!({"1": 0.5, "2": 0.5}))}),
            400,
            "Number of items in AdditionalVersionWeights cannot be greater than 1".to_owned(),
        ),
        (
            json!({"Name": "a", "FunctionVersion": "1", "RoutingConfig": weights(json!({"2": 2.0}))}),
            400,
            format!(
                "1 validation error detected: Value '{{2=2.0}}' at 'routingConfig.additionalVersionWeights' failed to \
                 satisfy constraint: {map_value}"
            ),
        ),
        (
            json!({"Name": "a", "FunctionVersion": "1", "RoutingConfig": weights(json!({"1": 0.5}))}),
            400,
            "Invalid function version 1. Function version 1 is already included in routing configuration.".to_owned(),
        ),
        (json!({"Name": "a", "FunctionVersion": "10"}), 404, format!("Function not found: {arn}:10")),
        (
            json!({"Name": "a", "FunctionVersion": "$LATEST", "RoutingConfig": weights(json!({"1": 0.5}))}),
            400,
            "$LATEST is not supported for an alias pointing to more than 1 version".to_owned(),
        ),
    ];
    for (input, wanted, message) in cases {
        let (status, body) = ask(&mut world, "POST", &format!("{FUNCTIONS}/task/aliases"), &input);
        let told = if wanted == 404 { &body["Message"] } else { &body["message"] };
        assert_eq!((status, told), (wanted, &json!(message)), "{input}");
    }
    let input = json!({"Name": "live", "FunctionVersion": "1"});
    assert_eq!(ask(&mut world, "POST", &format!("{FUNCTIONS}/task/aliases"), &input).0, 201);
    let (status, twin) = ask(&mut world, "POST", &format!("{FUNCTIONS}/task/aliases"), &input);
    assert_eq!((status, &twin["message"]), (409, &json!(format!("Alias already exists: {arn}:live"))));
    let (status, none) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task/aliases/none"), &Value::Null);
    assert_eq!((status, &none["Message"]), (404, &json!(format!("Cannot find alias arn: {arn}:none"))));
    let (_, both) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task:live?Qualifier=1"), &Value::Null);
    let message = "The derived qualifier from the function name does not match the specified qualifier.";
    assert_eq!(both["message"], message);
}

#[test]
fn provisioned_concurrency_is_ready_after_a_while() {
    let mut world = world();
    world.place.limits = false;
    two_versions(&mut world, "task");
    let alias = json!({"Name": "live", "FunctionVersion": "1"});
    ask(&mut world, "POST", &format!("{FUNCTIONS}/task/aliases"), &alias);
    let path = |qualifier: &str| format!("/2019-09-30/functions/task/provisioned-concurrency?Qualifier={qualifier}");
    let wanted = json!({"ProvisionedConcurrentExecutions": 3});
    let (status, put) = ask(&mut world, "PUT", &path("live"), &wanted);
    assert_eq!((status, &put["Status"]), (202, &json!("IN_PROGRESS")));
    assert_eq!(put["AllocatedProvisionedConcurrentExecutions"], 0);
    pass(&mut world, 90);
    let (_, ready) = ask(&mut world, "GET", &path("live"), &Value::Null);
    assert_eq!((&ready["Status"], &ready["AvailableProvisionedConcurrentExecutions"]), (&json!("READY"), &json!(3)));
    let (status, conflict) = ask(&mut world, "PUT", &path("1"), &wanted);
    let message = "Version is pointed by a Provisioned Concurrency alias";
    assert_eq!((status, &conflict["message"]), (409, &json!(message)));
    let (status, latest) = ask(&mut world, "GET", &path("%24LATEST"), &Value::Null);
    let message = "The function resource provided must be an alias or a published version.";
    assert_eq!((status, &latest["message"]), (400, &json!(message)));
    let list = "/2019-09-30/functions/task/provisioned-concurrency?List=ALL";
    let (_, listed) = ask(&mut world, "GET", list, &Value::Null);
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task:live";
    assert_eq!(listed["ProvisionedConcurrencyConfigs"][0]["FunctionArn"], arn);
    let moved = json!({"FunctionVersion": "2"});
    ask(&mut world, "PUT", &format!("{FUNCTIONS}/task/aliases/live"), &moved);
    let (_, again) = ask(&mut world, "GET", &path("live"), &Value::Null);
    let told = (&again["Status"], &again["AllocatedProvisionedConcurrentExecutions"]);
    assert_eq!(told, (&json!("IN_PROGRESS"), &json!(3)), "the old version's, until the new one's are ready");
    pass(&mut world, 90);
    assert_eq!(ask(&mut world, "GET", &path("live"), &Value::Null).1["Status"], "READY");
    assert_eq!(ask(&mut world, "DELETE", &format!("{FUNCTIONS}/task/aliases/live"), &Value::Null).0, 204);
    let (status, gone) = ask(&mut world, "GET", &path("live"), &Value::Null);
    assert_eq!((status, &gone["Message"]), (404, &json!(format!("Cannot find alias arn: {arn}"))));
    let (status, none) = ask(&mut world, "GET", &path("1"), &Value::Null);
    assert_eq!((status, &none["message"]), (404, &json!("No Provisioned Concurrency Config found for this function")));
}

#[test]
fn all_versions_are_listed_over_pages() {
    let mut world = world();
    world.place.limits = false;
    two_versions(&mut world, "one");
    create(&mut world, "two");
    let mut shown = Vec::new();
    let mut marker = String::new();
    loop {
        let path = format!("{FUNCTIONS}?FunctionVersion=ALL&MaxItems=2&Marker={}", marker.replace('=', "%3D"));
        let (_, page) = ask(&mut world, "GET", &path, &Value::Null);
        let arn = |f: &Value| f["FunctionArn"].as_str().unwrap().split_once("function:").unwrap().1.to_owned();
        shown.extend(page["Functions"].as_array().unwrap().iter().map(arn));
        match page["NextMarker"].as_str() {
            Some(next) => marker = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(shown, ["one:$LATEST", "one:1", "one:2", "two:$LATEST"]);
}

#[test]
fn one_update_settles_before_the_next() {
    let mut world = world();
    create(&mut world, "task");
    pass(&mut world, 1);
    let path = format!("{FUNCTIONS}/task/configuration");
    assert_eq!(ask(&mut world, "PUT", &path, &json!({"Timeout": 9})).0, 200);
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task";
    let message =
        format!("The operation cannot be performed at this time. An update is in progress for resource: {arn}");
    let (status, second) = ask(&mut world, "PUT", &path, &json!({"Timeout": 10}));
    assert_eq!((status, &second["message"]), (409, &json!(message)));
    assert_eq!(publish(&mut world, "task", &json!({})).0, 409);
    pass(&mut world, 1);
    assert_eq!(ask(&mut world, "PUT", &path, &json!({"Timeout": 10})).0, 200);
}
