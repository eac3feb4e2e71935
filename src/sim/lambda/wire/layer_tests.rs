//! Layers, code signing configurations and streamed answers as a client meets them, as examples.

use super::tests::*;
use base64::Engine;
use serde_json::{Value, json};

const BASE: &str = "arn:aws:lambda:eu-west-1:123456789012:layer:base";

fn publish_layer(world: &mut crate::sim::world::World, name: &str, members: &Value) -> (u16, Value) {
    let zip = base64::engine::general_purpose::STANDARD.encode(b"PK\x03\x04 layer");
    let mut input = json!({ "Content": {"ZipFile": zip} });
    for (member, value) in members.as_object().unwrap() {
        input[member] = value.clone();
    }
    ask(world, "POST", &format!("/2018-10-31/layers/{name}/versions"), &input)
}

#[test]
fn a_layers_versions_are_published_read_listed_and_deleted() {
    let mut world = world();
    let (status, first) = publish_layer(&mut world, "base", &json!({"CompatibleRuntimes": ["python3.13"]}));
    assert_eq!((status, &first["Version"], &first["LayerArn"]), (201, &json!(1), &json!(BASE)));
    assert_eq!(first["LayerVersionArn"], format!("{BASE}:1"));
    assert_eq!(first["Content"]["CodeSize"], 10);
    assert!(first.get("CompatibleArchitectures").is_none() && first.get("LicenseInfo").is_none(), "{first}");
    publish_layer(&mut world, "base", &json!({"LicenseInfo": "MIT", "Description": "second"}));
    assert_eq!(ask(&mut world, "GET", "/2018-10-31/layers/base/versions/1", &Value::Null), (200, first.clone()));
    let by_arn = format!("/2018-10-31/layers?find=LayerVersion&Arn={BASE}:1");
    assert_eq!(ask(&mut world, "GET", &by_arn, &Value::Null), (200, first));
    let (_, listed) = ask(&mut world, "GET", "/2018-10-31/layers/base/versions", &Value::Null);
    let numbers: Vec<&Value> = listed["LayerVersions"].as_array().unwrap().iter().map(|v| &v["Version"]).collect();
    assert_eq!(numbers, [&json!(2), &json!(1)], "the newest comes first");
    assert!(listed["LayerVersions"][0].get("Content").is_none(), "a list tells nothing of the content");
    let latest = |world: &mut _, query: &str| {
        let (_, layers) = ask(world, "GET", &format!("/2018-10-31/layers{query}"), &Value::Null);
        layers["Layers"][0]["LatestMatchingVersion"]["Version"].clone()
    };
    assert_eq!(latest(&mut world, ""), 2);
    assert_eq!(latest(&mut world, "?CompatibleRuntime=python3.13"), 1, "of those that fit");
    for number in [1, 2, 2] {
        let path = format!("/2018-10-31/layers/base/versions/{number}");
        assert_eq!(ask(&mut world, "DELETE", &path, &Value::Null).0, 204, "deleting again is no mistake");
    }
    let (status, gone) = ask(&mut world, "GET", "/2018-10-31/layers/base/versions/1", &Value::Null);
    assert_eq!((status, &gone["Message"]), (404, &json!("The resource you requested does not exist.")));
    assert_eq!(ask(&mut world, "GET", "/2018-10-31/layers", &Value::Null).1, json!({"Layers": []}));
    assert_eq!(publish_layer(&mut world, "base", &json!({})).1["Version"], 3, "numbers are not used again");
}

#[test]
fn a_layers_mistakes_are_told_in_aws_words() {
    let mut world = world();
    let (status, wrong) = publish_layer(
        &mut world,
        "base",
        &json!({"CompatibleRuntimes": ["cobol"], "CompatibleArchitectures": ["vax", "x86_64"]}),
    );
    let message = wrong["message"].as_str().unwrap();
    assert_eq!(status, 400);
    assert!(message.starts_with("2 validation errors detected: Value '[cobol]' at 'compatibleRuntimes' failed"));
    assert!(message.ends_with(
        "; Value '[vax, x86_64]' at 'compatibleArchitectures' failed to satisfy constraint: Member must satisfy \
         constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
    ));
    let (_, zero) = ask(&mut world, "GET", "/2018-10-31/layers/base/versions/0", &Value::Null);
    assert_eq!(zero["message"], "Layer Version Cannot be less than 1");
    let (status, unversioned) =
        ask(&mut world, "GET", &format!("/2018-10-31/layers?find=LayerVersion&Arn={BASE}"), &Value::Null);
    assert_eq!(status, 400);
    assert!(unversioned["message"].as_str().unwrap().contains("at 'arn' failed to satisfy constraint"));
}

#[test]
fn who_may_use_a_layer_is_said_statement_by_statement() {
    let mut world = world();
    publish_layer(&mut world, "base", &json!({}));
    let path = "/2018-10-31/layers/base/versions/1/policy";
    let (status, none) = ask(&mut world, "GET", path, &Value::Null);
    assert_eq!((status, &none["Message"]), (404, &json!("No policy is associated with the given resource.")));
    let all = json!({"StatementId": "all", "Action": "lambda:GetLayerVersion", "Principal": "*"});
    let (status, added) = ask(&mut world, "POST", path, &all);
    let statement: Value = serde_json::from_str(added["Statement"].as_str().unwrap()).unwrap();
    assert_eq!((status, &statement["Resource"]), (201, &json!(format!("{BASE}:1"))));
    assert_eq!(ask(&mut world, "POST", path, &all).0, 409);
    let one = json!({"StatementId": "one", "Action": "lambda:GetLayerVersion", "Principal": "111122223333"});
    let (status, stale) = ask(&mut world, "POST", &format!("{path}?RevisionId=stale"), &one);
    assert!(status == 412 && stale["message"].as_str().unwrap().contains("Call the GetLayerPolicy API"));
    let revision = added["RevisionId"].as_str().unwrap();
    assert_eq!(ask(&mut world, "POST", &format!("{path}?RevisionId={revision}"), &one).0, 201);
    let (_, policy) = ask(&mut world, "GET", path, &Value::Null);
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"][1]["Principal"], json!({"AWS": "arn:aws:iam::111122223333:root"}));
    assert_eq!(ask(&mut world, "DELETE", &format!("{path}/nobody"), &Value::Null).0, 404);
    assert_eq!(ask(&mut world, "DELETE", &format!("{path}/all"), &Value::Null).0, 204);
    let other = "/2018-10-31/layers/base/versions/7/policy";
    let (status, missing) = ask(&mut world, "GET", other, &Value::Null);
    assert_eq!((status, &missing["Message"]), (404, &json!(format!("Layer version {BASE}:7 does not exist."))));
}

#[test]
fn a_function_names_layers_that_exist_and_each_once() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "resize");
    publish_layer(&mut world, "base", &json!({}));
    publish_layer(&mut world, "base", &json!({}));
    let path = format!("{FUNCTIONS}/resize/configuration");
    let mut with = |layers: &[&str]| ask(&mut world, "PUT", &path, &json!({ "Layers": layers }));
    let (status, body) = with(&[&format!("{BASE}:2")]);
    assert_eq!((status, &body["Layers"]), (200, &json!([{"Arn": format!("{BASE}:2"), "CodeSize": 10}])));
    for (layers, words) in [
        (vec![format!("{BASE}:1"), format!("{BASE}:2")], "Two different versions of the same layer are not allowed"),
        (vec![format!("{BASE}:9")], "layer:base:9 does not exist."),
        (vec![BASE.replace("eu-west-1", "us-east-1") + ":1"], "Layers are expected to be in region eu-west-1."),
        (vec![BASE.to_owned()], "at 'layers' failed to satisfy constraint"),
    ] {
        let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
        let (status, body) = with(&layers);
        assert!(status == 400 && body["message"].as_str().unwrap().contains(words), "{body}");
    }
}

#[test]
fn a_code_signing_configuration_is_kept_and_functions_have_it() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "resize");
    let publisher = "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/ours/abcd";
    let input = json!({"AllowedPublishers": {"SigningProfileVersionArns": [publisher]}});
    let (status, made) = ask(&mut world, "POST", "/2020-04-22/code-signing-configs", &input);
    let config = &made["CodeSigningConfig"];
    assert_eq!((status, &config["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"]), (201, &json!("Warn")));
    let arn = config["CodeSigningConfigArn"].as_str().unwrap();
    let (of_function, of_config) = (
        "/2020-06-30/functions/resize/code-signing-config",
        format!("/2020-04-22/code-signing-configs/{}", arn.replace(':', "%3A")),
    );
    assert_eq!(ask(&mut world, "GET", of_function, &Value::Null), (200, json!({})));
    let (status, put) = ask(&mut world, "PUT", of_function, &json!({"CodeSigningConfigArn": arn}));
    assert_eq!((status, &put), (200, &json!({"CodeSigningConfigArn": arn, "FunctionName": "resize"})));
    let (_, users) = ask(&mut world, "GET", &format!("{of_config}/functions"), &Value::Null);
    assert_eq!(users["FunctionArns"][0], "arn:aws:lambda:eu-west-1:123456789012:function:resize");
    let policy = json!({"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"}});
    let (_, updated) = ask(&mut world, "PUT", &of_config, &policy);
    assert_eq!(updated["CodeSigningConfig"]["CodeSigningPolicies"], policy["CodeSigningPolicies"]);
    assert_eq!(ask(&mut world, "DELETE", &of_config, &Value::Null).0, 409, "while a function has it");
    assert_eq!(ask(&mut world, "DELETE", of_function, &Value::Null).0, 204);
    assert_eq!(ask(&mut world, "DELETE", &of_config, &Value::Null).0, 204);
    let (status, gone) = ask(&mut world, "GET", &of_config, &Value::Null);
    let words = format!("The Lambda code signing configuration {arn} can not be found.");
    assert_eq!((status, &gone["Message"]), (404, &json!(words)));
    assert_eq!(ask(&mut world, "PUT", of_function, &json!({"CodeSigningConfigArn": arn})).0, 404);
}

#[test]
fn an_answer_in_a_stream_comes_in_chunks_and_says_when_it_is_whole() {
    let mut world = world();
    create_active(&mut world, "echo");
    let path = "/2021-11-15/functions/echo/response-streaming-invocations";
    let response = send(&mut world, "POST", path, &[("x-amz-log-type", "Tail")], b"{\"n\":1}");
    assert_eq!(response.status, 200);
    assert_eq!(header(&response, "content-type"), Some("application/vnd.amazon.eventstream"));
    assert_eq!(header(&response, "x-amz-executed-version"), Some("$LATEST"));
    let body = String::from_utf8_lossy(&response.body).into_owned();
    let at = |words: &str| body.find(words).unwrap_or_else(|| panic!("{words} is not in {body:?}"));
    assert!(at("PayloadChunk") < at("{\"n\":1}") && at("{\"n\":1}") < at("InvokeComplete"));
    assert!(at("InvokeComplete") < at("LogResult"));
    assert_eq!(send(&mut world, "POST", path, &[("x-amz-invocation-type", "Event")], b"").status, 400);
}

#[test]
fn loops_and_runtime_updates_are_settings_of_a_function() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "resize");
    let path = "/2024-08-31/functions/resize/recursion-config";
    assert_eq!(ask(&mut world, "GET", path, &Value::Null), (200, json!({"RecursiveLoop": "Terminate"})));
    assert_eq!(ask(&mut world, "PUT", path, &json!({"RecursiveLoop": "Allow"})).0, 200);
    assert_eq!(ask(&mut world, "GET", path, &Value::Null).1["RecursiveLoop"], "Allow");
    let (status, wrong) = ask(&mut world, "PUT", path, &json!({"RecursiveLoop": "Sometimes"}));
    assert!(status == 400 && wrong["message"].as_str().unwrap().ends_with("enum value set: [Terminate, Allow]"));
    let path = "/2021-07-20/functions/resize/runtime-management-config";
    assert_eq!(ask(&mut world, "GET", path, &Value::Null).1["UpdateRuntimeOn"], "Auto");
    assert_eq!(ask(&mut world, "PUT", path, &json!({"UpdateRuntimeOn": "FunctionUpdate"})).0, 200);
    assert_eq!(ask(&mut world, "GET", path, &Value::Null).1["UpdateRuntimeOn"], "FunctionUpdate");
    assert_eq!(ask(&mut world, "PUT", path, &json!({"UpdateRuntimeOn": "Manual"})).0, 400);
}
