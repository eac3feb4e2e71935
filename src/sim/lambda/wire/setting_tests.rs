//! What is set on functions (asynchronous events, policies, tags, addresses), as examples.

use super::tests::*;
use base64::Engine;
use serde_json::{Map, Value, json};

#[test]
fn settings_of_asynchronous_invocation_are_put_updated_listed_and_deleted() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    let path = "/2019-09-25/functions/task/event-invoke-config";
    let (status, none) = ask(&mut world, "GET", path, &Value::Null);
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task:$LATEST";
    let missing = format!("The function {arn} doesn't have an EventInvokeConfig");
    assert_eq!((status, &none["Message"]), (404, &json!(missing)));
    let empty = "You must specify at least one of error handling or destination setting.";
    assert_eq!(ask(&mut world, "PUT", path, &json!({})).1["message"], empty);
    let (status, put) =
        ask(&mut world, "PUT", path, &json!({"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60}));
    assert_eq!((status, &put["FunctionArn"]), (200, &json!(arn)));
    assert_eq!(put["DestinationConfig"], json!({"OnSuccess": {}, "OnFailure": {}}));
    let (_, updated) = ask(&mut world, "POST", path, &json!({"MaximumRetryAttempts": 0}));
    assert_eq!((&updated["MaximumRetryAttempts"], &updated["MaximumEventAgeInSeconds"]), (&json!(0), &json!(60)));
    let (_, overwritten) = ask(&mut world, "PUT", path, &json!({"MaximumRetryAttempts": 1}));
    assert_eq!(overwritten["MaximumEventAgeInSeconds"], Value::Null);
    let target = json!({"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:iam:eu-west-1:123456789012:x"}}});
    let (_, wrong) = ask(&mut world, "PUT", path, &target);
    let message = "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:iam:\
                   eu-west-1:123456789012:x), onFailure=null) is invalid.";
    assert_eq!(wrong["message"], message);
    let itself = json!({"DestinationConfig": {"OnFailure": {"Destination": arn.trim_end_matches(":$LATEST")}}});
    let message = "You can't specify the function as a destination for itself.";
    assert_eq!(ask(&mut world, "PUT", path, &itself).1["message"], message);
    let (_, listed) = ask(&mut world, "GET", &format!("{path}/list"), &Value::Null);
    assert_eq!(listed["FunctionEventInvokeConfigs"][0]["FunctionArn"], arn);
    assert_eq!(ask(&mut world, "DELETE", path, &Value::Null).0, 204);
    assert_eq!(ask(&mut world, "DELETE", path, &Value::Null).1["Message"], missing);
    let unknown = "/2019-09-25/functions/nobody/event-invoke-config";
    let (status, gone) = ask(&mut world, "PUT", unknown, &json!({"MaximumRetryAttempts": 1}));
    assert_eq!((status, &gone["Message"]), (404, &json!("The function doesn't exist.")));
}

#[test]
fn a_policy_is_told_statement_by_statement_and_its_revision_is_the_functions() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    pass(&mut world, 1);
    let path = format!("{FUNCTIONS}/task/policy");
    let (status, none) = ask(&mut world, "GET", &path, &Value::Null);
    assert_eq!((status, &none["Message"]), (404, &json!("The resource you requested does not exist.")));
    let bucket = json!({
        "StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
        "SourceArn": "arn:aws:s3:::uploads", "SourceAccount": "123456789012",
    });
    let (status, added) = ask(&mut world, "POST", &path, &bucket);
    assert_eq!(status, 201);
    let statement: Value = serde_json::from_str(added["Statement"].as_str().unwrap()).unwrap();
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task";
    let wanted = json!({
        "Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": arn,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::uploads"},
        },
    });
    assert_eq!(statement, wanted);
    let (status, twin) = ask(&mut world, "POST", &path, &bucket);
    assert_eq!(status, 409);
    assert!(twin["message"].as_str().unwrap().starts_with("The statement id (s3) provided already exists."), "{twin}");
    let (_, policy) = ask(&mut world, "GET", &path, &Value::Null);
    let (_, configured) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task/configuration"), &Value::Null);
    assert_eq!(policy["RevisionId"], configured["RevisionId"]);
    let text: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(text, json!({"Version": "2012-10-17", "Id": "default", "Statement": [wanted]}));
    let account = json!({"StatementId": "a", "Action": "lambda:*", "Principal": "111122223333"});
    let (_, added) = ask(&mut world, "POST", &path, &account);
    assert!(added["Statement"].as_str().unwrap().contains("arn:aws:iam::111122223333:root"));
    let (status, none) = ask(&mut world, "DELETE", &format!("{path}/no-such"), &Value::Null);
    assert_eq!((status, &none["Message"]), (404, &json!("Statement no-such is not found in resource policy.")));
    assert_eq!(ask(&mut world, "DELETE", &format!("{path}/a?RevisionId=old"), &Value::Null).0, 412);
    assert_eq!(ask(&mut world, "DELETE", &format!("{path}/s3"), &Value::Null).0, 204);
    assert_eq!(ask(&mut world, "DELETE", &format!("{path}/a"), &Value::Null).0, 204);
    assert_eq!(ask(&mut world, "GET", &path, &Value::Null).0, 404);
}

#[test]
fn tags_are_set_read_and_taken_away() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    let arn = "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Atask";
    let path = format!("/2017-03-31/tags/{arn}");
    pass(&mut world, 1);
    let (_, before) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task"), &Value::Null);
    assert_eq!(ask(&mut world, "POST", &path, &json!({"Tags": {"team": "hotel", "stage": "sale"}})).0, 204);
    let (_, tagged) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task"), &Value::Null);
    assert_ne!(before["Configuration"]["RevisionId"], tagged["Configuration"]["RevisionId"], "tags count as a change");
    assert_eq!(ask(&mut world, "DELETE", &format!("{path}?tagKeys=stage&tagKeys=none"), &Value::Null).0, 204);
    assert_eq!(ask(&mut world, "GET", &path, &Value::Null), (200, json!({"Tags": {"team": "hotel"}})));
    let (_, got) = ask(&mut world, "GET", &format!("{FUNCTIONS}/task"), &Value::Null);
    assert_eq!(got["Tags"], json!({"team": "hotel"}));
    let (_, qualified) = ask(&mut world, "POST", &format!("{path}%3A1"), &json!({"Tags": {"a": "b"}}));
    let message = "Tags on function aliases and versions are not supported. Please specify a function ARN.";
    assert_eq!(qualified["message"], message);
}

#[test]
fn members_that_change_nothing_are_answered_as_they_were_sent() {
    let mut world = world();
    create(&mut world, "task");
    let input = json!({
        "Layers": ["arn:aws:lambda:eu-west-1:017000801446:layer:base:3"],
        "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/hotel/task"},
    });
    let (status, body) = ask(&mut world, "PUT", &format!("{FUNCTIONS}/task/configuration"), &input);
    assert_eq!(status, 200);
    assert_eq!(body["Layers"][0]["Arn"], input["Layers"][0]);
    assert_eq!(body["VpcConfig"]["SubnetIds"], json!(["subnet-1"]));
    let logging = json!({
        "LogFormat": "JSON", "LogGroup": "/hotel/task", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO",
    });
    assert_eq!(body["LoggingConfig"], logging);
    let large = json!({"Environment": {"Variables": {"LARGE": "x".repeat(5_000)}}});
    let (_, refused) = ask(&mut world, "PUT", &format!("{FUNCTIONS}/task/configuration"), &large);
    let text = refused["message"].as_str().unwrap();
    assert!(text.starts_with("Lambda was unable to configure your environment variables because"), "{text}");
}

#[test]
fn a_function_url_is_made_read_changed_and_deleted() {
    let mut world = world();
    world.place.limits = false;
    two_versions(&mut world, "task");
    let path = "/2021-10-31/functions/task/url";
    let (status, made) = ask(&mut world, "POST", path, &json!({"AuthType": "NONE"}));
    assert_eq!(status, 201);
    assert!(made["FunctionUrl"].as_str().unwrap().ends_with(".lambda-url.eu-west-1.on.aws/"), "{made}");
    let (status, twin) = ask(&mut world, "POST", path, &json!({"AuthType": "NONE"}));
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:task";
    let message = format!(
        "Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists for \
         this Lambda function"
    );
    assert_eq!((status, &twin["message"]), (409, &json!(message)));
    let (_, updated) = ask(&mut world, "PUT", path, &json!({"AuthType": "AWS_IAM", "Cors": {"AllowOrigins": ["*"]}}));
    assert_eq!((&updated["AuthType"], &updated["Cors"]["AllowOrigins"]), (&json!("AWS_IAM"), &json!(["*"])));
    assert_eq!(ask(&mut world, "GET", path, &Value::Null).1["InvokeMode"], "BUFFERED");
    let (status, version) = ask(&mut world, "GET", &format!("{path}?Qualifier=1"), &Value::Null);
    let message = "1 validation error detected: Value '1' at 'qualifier' failed to satisfy constraint: Member must \
                   satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)";
    assert_eq!((status, &version["message"]), (400, &json!(message)));
    let (_, listed) = ask(&mut world, "GET", "/2021-10-31/functions/task/urls", &Value::Null);
    assert_eq!(listed["FunctionUrlConfigs"][0]["FunctionArn"], arn);
    assert_eq!(ask(&mut world, "DELETE", path, &Value::Null).0, 204);
    let (status, gone) = ask(&mut world, "GET", path, &Value::Null);
    assert_eq!((status, &gone["Message"]), (404, &json!("The resource you requested does not exist.")));
    let (_, nobody) = ask(&mut world, "POST", "/2021-10-31/functions/nobody/url", &json!({"AuthType": "NONE"}));
    assert_eq!(nobody["Message"], "Function does not exist");
}

#[test]
fn retired_runtimes_and_other_regions_are_refused_in_aws_words() {
    let mut world = world();
    let zip = base64::engine::general_purpose::STANDARD.encode(b"PK\x03\x04 code");
    let input = json!({
        "FunctionName": "old", "Runtime": "go1.x", "Role": ROLE, "Handler": "main", "Code": {"ZipFile": zip},
    });
    let (status, body) = ask(&mut world, "POST", FUNCTIONS, &input);
    let message = "The runtime parameter of go1.x is no longer supported for creating or updating AWS Lambda functions. \
                   We recommend you use a supported runtime while creating or updating functions.";
    assert_eq!((status, &body["message"]), (400, &json!(message)));
    let elsewhere = "arn:aws:lambda:us-east-1:123456789012:function:old";
    let (status, body) = ask(&mut world, "GET", &format!("{FUNCTIONS}/{elsewhere}"), &Value::Null);
    let message = "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')";
    assert_eq!((status, &body["Message"]), (404, &json!(message)));
}

#[test]
fn a_policy_of_what_is_not_there_is_refused_in_the_words_of_each_operation() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    let statement = json!({"StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"});
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:";
    let cases = [
        ("GET", "none/policy", format!("Function not found: {arn}none")),
        ("GET", "task/policy?Qualifier=7", "The resource you requested does not exist.".to_owned()),
        ("POST", "none/policy", format!("Function not found: {arn}none")),
        ("POST", "task/policy?Qualifier=live", format!("Cannot find alias arn: {arn}task:live")),
        ("POST", "task/policy?Qualifier=7", format!("Function not found: {arn}task:7")),
        ("POST", "task/policy?Qualifier=a%24b", format!("Function not found: {arn}task:a$b")),
        ("DELETE", "none/policy/s3", format!("No policy found for: {arn}none")),
        ("DELETE", "task/policy/s3?Qualifier=live", format!("Cannot find alias arn: {arn}task:live")),
        ("DELETE", "task/policy/s3", "No policy is associated with the given resource.".to_owned()),
    ];
    for (method, path, message) in cases {
        let body = if method == "POST" { &statement } else { &Value::Null };
        let (status, body) = ask(&mut world, method, &format!("{FUNCTIONS}/{path}"), body);
        assert_eq!((status, &body["Message"]), (404, &json!(message)), "{method} {path}");
    }
}

#[test]
fn an_address_is_changed_only_where_function_and_address_are() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    let url = |name: &str| format!("/2021-10-31/functions/{name}/url");
    let change = json!({"AuthType": "AWS_IAM"});
    let (status, none) = ask(&mut world, "PUT", &url("none"), &change);
    assert_eq!((status, &none["Message"]), (404, &json!("Function does not exist")));
    let (status, alias) = ask(&mut world, "PUT", &format!("{}?Qualifier=live", url("task")), &change);
    assert_eq!((status, &alias["Message"]), (404, &json!("Function does not exist")));
    let (status, bare) = ask(&mut world, "PUT", &url("task"), &change);
    assert_eq!((status, &bare["Message"]), (404, &json!("The resource you requested does not exist.")));
    let (_, made) = ask(&mut world, "POST", &url("task"), &json!({"AuthType": "NONE"}));
    assert_eq!(made["InvokeMode"], Value::Null, "told once it is set, and when reading");
    assert_eq!(ask(&mut world, "GET", &url("task"), &Value::Null).1["InvokeMode"], "BUFFERED");
    let streamed = json!({"InvokeMode": "RESPONSE_STREAM"});
    assert_eq!(ask(&mut world, "PUT", &url("task"), &streamed).1["InvokeMode"], "RESPONSE_STREAM");
    assert_eq!(ask(&mut world, "PUT", &url("task"), &change).1["InvokeMode"], "RESPONSE_STREAM", "it is set");
    assert_eq!(ask(&mut world, "GET", &url("task"), &Value::Null).1["InvokeMode"], "RESPONSE_STREAM");
}

#[test]
fn snapshots_are_for_the_runtimes_that_have_them() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    pass(&mut world, 1);
    let path = format!("{FUNCTIONS}/task/configuration");
    let with = |runtime: &str| json!({"Runtime": runtime, "SnapStart": {"ApplyOn": "PublishedVersions"}});
    let (status, old) = ask(&mut world, "PUT", &path, &with("python3.9"));
    assert_eq!((status, &old["message"]), (400, &json!("python3.9 is not supported for SnapStart enabled functions.")));
    assert_eq!(ask(&mut world, "PUT", &path, &with("nodejs22.x")).0, 400);
    for runtime in ["java21", "python3.13", "dotnet8"] {
        let (status, set) = ask(&mut world, "PUT", &path, &with(runtime));
        assert_eq!((status, &set["SnapStart"]["ApplyOn"]), (200, &json!("PublishedVersions")), "{runtime}");
        pass(&mut world, 1);
    }
}

#[test]
fn variables_are_named_as_a_shell_would_and_not_as_the_runtimes_own() {
    let mut world = world();
    create(&mut world, "task");
    let path = format!("{FUNCTIONS}/task/configuration");
    let mut named = |names: &[&str]| {
        pass(&mut world, 10);
        let variables: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), json!("secret"))).collect();
        let (status, body) = ask(&mut world, "PUT", &path, &json!({"Environment": {"Variables": variables}}));
        (status, body["message"].as_str().unwrap_or_default().to_owned())
    };
    for name in ["a", "", "9lives", "_HANDLER", "with-dash", "größe"] {
        let wanted = "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map \
                      keys must satisfy constraint: [Member must satisfy regular expression pattern: \
                      [a-zA-Z]([a-zA-Z0-9_])+]";
        assert_eq!(named(&[name]), (400, wanted.to_owned()), "{name}");
    }
    let (status, message) = named(&["STAGE", "LAMBDA_TASK_ROOT", "AWS_REGION"]);
    assert!(status == 400 && message.ends_with("in this request: AWS_REGION, LAMBDA_TASK_ROOT"), "{message}");
    assert_eq!(named(&["STAGE", "b2", "AWS_XRAY_CONTEXT_MISSING", "TZ"]).0, 200);
}

#[test]
fn principals_are_services_accounts_arns_or_everybody() {
    let mut world = world();
    world.place.limits = false;
    create(&mut world, "task");
    pass(&mut world, 1);
    let path = format!("{FUNCTIONS}/task/policy");
    for (number, (principal, status)) in [
        ("events.amazonaws.com", 201),
        ("alexa-appkit.amazon.com", 201),
        ("123456789012", 201),
        ("arn:aws:iam::123456789012:role/r", 201),
        ("*", 201),
        ("events.example.com", 400),
        ("12345", 400),
        (".amazonaws.com", 400),
    ]
    .into_iter()
    .enumerate()
    {
        let input =
            json!({"StatementId": format!("s{number}"), "Action": "lambda:InvokeFunction", "Principal": principal});
        let (got, answer) = ask(&mut world, "POST", &path, &input);
        assert_eq!(got, status, "{principal}: {answer}");
        if status == 400 {
            let words = "The provided principal was invalid. Please check the principal and try again.";
            assert_eq!(answer["message"], words);
        }
    }
}

#[test]
fn mistakes_in_the_path_and_in_the_body_are_told_together() {
    let mut world = world();
    world.place.limits = false;
    let input = json!({"Name": "12", "FunctionVersion": "1"});
    let (status, answer) = ask(&mut world, "POST", &format!("{FUNCTIONS}/a.b/aliases"), &input);
    let message = answer["message"].as_str().unwrap();
    assert_eq!(status, 400);
    assert!(message.starts_with("2 validation errors detected: Value '12' at 'name' failed"), "{message}");
    assert!(message.contains("; Value 'a.b' at 'functionName' failed"), "{message}");
    let (status, answer) =
        ask(&mut world, "DELETE", &format!("{FUNCTIONS}/task/aliases/{}", "a".repeat(129)), &Value::Null);
    let message = answer["message"].as_str().unwrap();
    assert!(status == 400 && message.ends_with("Member must have length less than or equal to 128"), "{message}");
}

#[test]
fn images_have_an_address_and_no_handler() {
    let mut world = world();
    world.place.limits = false;
    let image = json!({
        "FunctionName": "task", "Role": "arn:aws:iam::123456789012:role/r", "PackageType": "Image",
        "Code": {"ImageUri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/task:1"},
    });
    let mut ask = |name: &str, value: Value| {
        let mut input = image.clone();
        input[name] = value;
        let (status, answer) = ask(&mut world, "POST", FUNCTIONS, &input);
        (status, answer["message"].as_str().unwrap_or_default().to_owned())
    };
    let words = "Please don't provide Handler or Runtime or Layer when the intent is to create a function with \
                 PackageType Image.";
    for (name, value) in [("Handler", json!("a.b")), ("Runtime", json!("python3.12"))] {
        assert_eq!(ask(name, value), (400, words.to_owned()), "{name}");
    }
    assert_eq!(ask("Code", json!({"S3Bucket": "b", "S3Key": "k"})).0, 400);
    assert_eq!(ask("Description", json!("")).0, 201);
}
