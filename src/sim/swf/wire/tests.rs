//! SWF over its protocol: what a client writes and what it reads, error answers included.

use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::wire::{Call, Reply, Request, Response, handle};
use crate::sim::world::World;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

struct Client {
    world: World,
}

impl Client {
    fn new() -> Self {
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
        let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
        let mut client = Self { world: World::new(1, start, place) };
        client.ok("RegisterDomain", json!({ "name": "hotel", "workflowExecutionRetentionPeriodInDays": "7" }));
        client.ok(
            "RegisterWorkflowType",
            json!({
                "domain": "hotel", "name": "booking", "version": "1", "defaultChildPolicy": "TERMINATE",
                "defaultTaskList": { "name": "deciders" }, "defaultTaskStartToCloseTimeout": "NONE",
                "defaultExecutionStartToCloseTimeout": "3600",
            }),
        );
        client
    }

    fn call(&self, operation: &str, body: &Value) -> Call {
        let request = Request {
            method: "POST".into(),
            path: "/".into(),
            query: String::new(),
            headers: vec![("x-amz-target".into(), format!("SimpleWorkflowService.{operation}"))],
            body: Bytes::from(body.to_string()),
        };
        Call::new(request, self.world.now)
    }

    /// Waits as a client would.
    fn ask(&mut self, operation: &str, body: &Value) -> Response {
        let mut call = self.call(operation, body);
        loop {
            match handle(&mut self.world, &mut call) {
                Reply::Done(response) => return response,
                Reply::Later(until) => self.world.advance_to(until),
            }
        }
    }

    fn ok(&mut self, operation: &str, body: Value) -> Value {
        let response = self.ask(operation, &body);
        assert_eq!(response.status, 200, "{operation}: {:?}", response.body);
        if response.body.is_empty() { Value::Null } else { serde_json::from_slice(&response.body).unwrap() }
    }

    /// The error's type and message.
    fn fault(&mut self, operation: &str, body: Value) -> (String, String) {
        let response = self.ask(operation, &body);
        assert_eq!(response.status, 400, "{operation}: {:?}", response.body);
        let error: Value = serde_json::from_slice(&response.body).unwrap();
        let text = |member: &str| error[member].as_str().unwrap_or_default().to_owned();
        (text("__type"), text("message"))
    }

    fn start(&mut self, id: &str) -> Value {
        let body =
            json!({ "domain": "hotel", "workflowId": id, "workflowType": { "name": "booking", "version": "1" } });
        self.ok("StartWorkflowExecution", body)["runId"].clone()
    }

    fn poll(&mut self, more: Value) -> Value {
        let mut body = json!({ "domain": "hotel", "taskList": { "name": "deciders" } });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ok("PollForDecisionTask", body)
    }

    fn decide(&mut self, token: &Value, decisions: Value) -> Value {
        self.ok("RespondDecisionTaskCompleted", json!({ "taskToken": token, "decisions": decisions }))
    }
}

const MODEL: &str = "com.amazonaws.swf.base.model#";
const VALIDATION: &str = "com.amazon.coral.validate#ValidationException";

#[test]
fn faults_have_awss_types_and_words() {
    let mut client = Client::new();
    let again = json!({ "name": "hotel", "workflowExecutionRetentionPeriodInDays": "7" });
    assert_eq!(client.fault("RegisterDomain", again), (format!("{MODEL}DomainAlreadyExistsFault"), "hotel".into()));
    let unknown = (format!("{MODEL}UnknownResourceFault"), "Unknown domain: ghost".into());
    assert_eq!(client.fault("DescribeDomain", json!({ "name": "ghost" })), unknown);
    let of = json!({ "domain": "hotel", "workflowType": { "name": "ghost", "version": "1" } });
    let (_, message) = client.fault("DescribeWorkflowType", of);
    assert_eq!(message, "Unknown type: WorkflowType=[name=ghost, version=1]");
    let (code, message) = client.fault("ListDomains", json!({ "registrationStatus": "BOGUS" }));
    assert_eq!(code, VALIDATION);
    assert_eq!(
        message,
        "1 validation error detected: Value 'BOGUS' at 'registrationStatus' failed to satisfy constraint: Member must \
         satisfy enum value set: [REGISTERED, DEPRECATED]"
    );
    let (_, message) = client.fault("RegisterDomain", json!({ "name": "" }));
    assert_eq!(
        message,
        "2 validation errors detected: Value '' at 'name' failed to satisfy constraint: Member must have length \
         greater than or equal to 1; Value null at 'workflowExecutionRetentionPeriodInDays' failed to satisfy \
         constraint: Member must not be null"
    );
    let (code, _) = client.fault("DescribeDomain", json!({ "name": 5 }));
    assert_eq!(code, "com.amazon.coral.service#SerializationException");
    let (code, _) = client.fault("ListWidgets", json!({}));
    assert_eq!(code, "com.amazon.coral.service#UnknownOperationException");
    let run = json!({ "domain": "hotel", "execution": { "workflowId": "a", "runId": "b" } });
    let (_, message) = client.fault("DescribeWorkflowExecution", run);
    assert_eq!(message, "Unknown execution: WorkflowExecution=[workflowId=a, runId=b]");
    let bogus = json!({ "taskToken": "bogus" });
    assert_eq!(client.fault("RespondActivityTaskCompleted", bogus), (VALIDATION.into(), "Invalid token".into()));
}

#[test]
fn a_bad_decision_is_named_by_its_place_and_undoes_the_whole_list() {
    let mut client = Client::new();
    client.start("order-1");
    let task = client.poll(json!({}));
    let decisions = json!([
        { "decisionType": "RecordMarker", "recordMarkerDecisionAttributes": { "markerName": "m" } },
        { "decisionType": "StartTimer" },
        { "decisionType": "Dance" },
    ]);
    let body = json!({ "taskToken": task["taskToken"], "decisions": decisions });
    let (code, message) = client.fault("RespondDecisionTaskCompleted", body);
    assert_eq!(code, VALIDATION);
    assert!(message.starts_with("3 validation errors detected: Value null at "), "{message}");
    let timer = "decisions.2.member.startTimerDecisionAttributes";
    for part in [
        format!("Value null at '{timer}.timerId' failed to satisfy constraint: Member must not be null"),
        format!("Value null at '{timer}.startToFireTimeout' failed"),
        "Value 'Dance' at 'decisions.3.member.decisionType' failed to satisfy constraint: Member must satisfy enum \
         value set: [CompleteWorkflowExecution, StartTimer, "
            .to_owned(),
    ] {
        assert!(message.contains(&part), "{message}");
    }
    let close = json!({ "decisionType": "CompleteWorkflowExecution" });
    let body = json!({ "taskToken": task["taskToken"], "decisions": [close, { "decisionType": "Dance" }] });
    assert_eq!(client.fault("RespondDecisionTaskCompleted", body).1, "Close must be last decision in list");
    client.decide(&task["taskToken"], json!([close]));
}

#[test]
fn an_empty_poll_takes_a_minute_and_has_no_token() {
    let mut client = Client::new();
    let before = client.world.now;
    let task = client.poll(json!({}));
    assert_eq!(task, json!({ "startedEventId": 0, "previousStartedEventId": 0 }));
    assert_eq!(client.world.now, before + Duration::from_secs(60));
    let activity = client.ok("PollForActivityTask", json!({ "domain": "hotel", "taskList": { "name": "w" } }));
    assert_eq!(activity, json!({ "startedEventId": 0 }));
    let (_, message) = client.fault("PollForActivityTask", json!({ "domain": "ghost", "taskList": { "name": "w" } }));
    assert_eq!(message, "Unknown domain: ghost");
}

#[test]
fn a_decision_tasks_history_comes_in_pages_of_the_same_task() {
    let mut client = Client::new();
    client.start("order-1");
    let first = client.poll(json!({ "maximumPageSize": 2 }));
    let ids = |page: &Value| -> Vec<u64> {
        page["events"].as_array().unwrap().iter().map(|event| event["eventId"].as_u64().unwrap()).collect()
    };
    assert_eq!(ids(&first), [1, 2]);
    let second = client.poll(json!({ "maximumPageSize": 2, "nextPageToken": first["nextPageToken"] }));
    assert_eq!((ids(&second), &second["taskToken"]), (vec![3], &first["taskToken"]));
    assert!(second.get("nextPageToken").is_none());
    client.decide(&first["taskToken"], json!([]));
    let signal = json!({ "domain": "hotel", "workflowId": "order-1", "signalName": "go" });
    client.ok("SignalWorkflowExecution", signal);
    let next = client.poll(json!({ "startAtPreviousStartedEvent": true }));
    assert_eq!((ids(&next), &next["previousStartedEventId"]), (vec![3, 4, 5, 6, 7], &json!(3)));
    client.decide(&next["taskToken"], json!([]));
    client.ok("SignalWorkflowExecution", json!({ "domain": "hotel", "workflowId": "order-1", "signalName": "go" }));
    let reversed = client.poll(json!({ "reverseOrder": true, "maximumPageSize": 3 }));
    assert_eq!(ids(&reversed), [11, 10, 9]);
}

#[test]
fn histories_are_paged_in_both_orders() {
    let mut client = Client::new();
    let run = client.start("order-1");
    let execution = json!({ "workflowId": "order-1", "runId": run });
    let mut body = json!({ "domain": "hotel", "execution": execution, "maximumPageSize": 1, "reverseOrder": true });
    let first = client.ok("GetWorkflowExecutionHistory", body.clone());
    assert_eq!(first["events"][0]["eventType"], "DecisionTaskScheduled");
    client.poll(json!({}));
    body["nextPageToken"] = first["nextPageToken"].clone();
    let second = client.ok("GetWorkflowExecutionHistory", body.clone());
    assert_eq!(second["events"][0]["eventType"], "WorkflowExecutionStarted");
    assert!(second.get("nextPageToken").is_none());
    body["reverseOrder"] = false.into();
    assert_eq!(client.fault("GetWorkflowExecutionHistory", body.clone()).1, "Invalid token");
    body["reverseOrder"] = true.into();
    client.world.advance_to(client.world.now + Duration::from_secs(25 * 3600));
    let (_, message) = client.fault("GetWorkflowExecutionHistory", body);
    assert_eq!(message, "Specified token has exceeded its maximum lifetime");
}

#[test]
fn visibility_filters_by_one_criterion_beside_time() {
    let mut client = Client::new();
    for id in ["a", "b", "c"] {
        let mut body =
            json!({ "domain": "hotel", "workflowId": id, "workflowType": { "name": "booking", "version": "1" } });
        if id == "b" {
            body["tagList"] = json!(["vip"]);
        }
        client.ok("StartWorkflowExecution", body);
        client.world.advance_to(client.world.now + Duration::from_secs(1));
    }
    let terminate = json!({ "domain": "hotel", "workflowId": "c", "reason": "x" });
    client.ok("TerminateWorkflowExecution", terminate);
    let all = json!({ "oldestDate": 0 });
    let ids = |answer: &Value| -> Vec<String> {
        let infos = answer["executionInfos"].as_array().unwrap().iter();
        infos.map(|info| info["execution"]["workflowId"].as_str().unwrap().to_owned()).collect()
    };
    let open = client.ok("ListOpenWorkflowExecutions", json!({ "domain": "hotel", "startTimeFilter": all }));
    assert_eq!(ids(&open), ["b", "a"]);
    assert_eq!(open["executionInfos"][0]["tagList"], json!(["vip"]));
    assert_eq!(open["executionInfos"][0]["cancelRequested"], false);
    let by_tag = json!({ "domain": "hotel", "startTimeFilter": all, "tagFilter": { "tag": "vip" } });
    assert_eq!(client.ok("CountOpenWorkflowExecutions", by_tag), json!({ "count": 1, "truncated": false }));
    let paged = json!({ "domain": "hotel", "startTimeFilter": all, "maximumPageSize": 1, "reverseOrder": true });
    let first = client.ok("ListOpenWorkflowExecutions", paged.clone());
    let mut rest = paged;
    rest["nextPageToken"] = first["nextPageToken"].clone();
    let second = client.ok("ListOpenWorkflowExecutions", rest);
    assert_eq!((ids(&first), ids(&second)), (vec!["a".to_owned()], vec!["b".to_owned()]));
    let status = json!({ "status": "TERMINATED" });
    let closed = json!({ "domain": "hotel", "closeTimeFilter": all, "closeStatusFilter": status });
    let closed = client.ok("ListClosedWorkflowExecutions", closed);
    assert_eq!(closed["executionInfos"][0]["closeStatus"], "TERMINATED");
    let none = json!({ "domain": "hotel" });
    assert_eq!(client.fault("ListClosedWorkflowExecutions", none).1, "Must specify time filter");
    let two = json!({
        "domain": "hotel", "closeTimeFilter": all, "closeStatusFilter": status, "tagFilter": { "tag": "vip" },
    });
    let (_, message) = client.fault("CountClosedWorkflowExecutions", two);
    assert!(message.starts_with("Cannot specify more than one exclusive filters"), "{message}");
}

#[test]
fn a_rate_that_is_used_up_throttles_until_it_refills() {
    let mut client = Client::new();
    let describe = json!({ "name": "hotel" });
    for _ in 0..200 {
        client.ok("DescribeDomain", describe.clone());
    }
    let throttled = ("com.amazon.coral.availability#ThrottlingException".into(), "Rate exceeded".into());
    assert_eq!(client.fault("DescribeDomain", describe.clone()), throttled);
    client.world.advance_to(client.world.now + Duration::from_secs(1));
    client.ok("DescribeDomain", describe);
}

#[test]
fn domains_and_types_go_through_their_lives() {
    let mut client = Client::new();
    let of = json!({ "domain": "hotel", "workflowType": { "name": "booking", "version": "1" } });
    let described = client.ok("DescribeWorkflowType", of.clone());
    assert_eq!(described["configuration"]["defaultTaskStartToCloseTimeout"], "NONE");
    assert_eq!(described["typeInfo"]["status"], "REGISTERED");
    let (code, message) = client.fault("DeleteWorkflowType", of.clone());
    assert_eq!(code, format!("{MODEL}TypeNotDeprecatedFault"));
    assert_eq!(message, "The type is currently registered and cannot be deleted in its current state");
    assert_eq!(client.fault("UndeprecateWorkflowType", of.clone()).0, format!("{MODEL}TypeAlreadyExistsFault"));
    client.ok("DeprecateDomain", json!({ "name": "hotel" }));
    assert_eq!(client.fault("DeprecateDomain", json!({ "name": "hotel" })).1, "hotel");
    let start = json!({ "domain": "hotel", "workflowId": "a", "workflowType": { "name": "booking", "version": "1" } });
    let (code, message) = client.fault("StartWorkflowExecution", start);
    assert_eq!(
        (code, message.as_str()),
        (format!("{MODEL}TypeDeprecatedFault"), "WorkflowType=[name=booking, version=1]")
    );
    client.ok("DeleteWorkflowType", of.clone());
    assert_eq!(client.fault("DescribeWorkflowType", of).0, format!("{MODEL}UnknownResourceFault"));
    client.ok("UndeprecateDomain", json!({ "name": "hotel" }));
    let arn = client.ok("DescribeDomain", json!({ "name": "hotel" }))["domainInfo"]["arn"].clone();
    assert_eq!(arn, "arn:aws:swf:eu-west-1:123456789012:/domain/hotel");
    let tags = json!([{ "key": "team", "value": "bookings" }, { "key": "env", "value": "prod" }]);
    client.ok("TagResource", json!({ "resourceArn": arn, "tags": tags }));
    client.ok("UntagResource", json!({ "resourceArn": arn, "tagKeys": ["env"] }));
    let left = client.ok("ListTagsForResource", json!({ "resourceArn": arn }));
    assert_eq!(left, json!({ "tags": [{ "key": "team", "value": "bookings" }] }));
    for n in 0..5 {
        let body = json!({ "domain": "hotel", "name": format!("t{n}"), "version": "1" });
        client.ok("RegisterActivityType", body);
    }
    let mut list = json!({
        "domain": "hotel", "registrationStatus": "REGISTERED", "maximumPageSize": 3, "reverseOrder": true,
    });
    let names = |page: &Value| -> Vec<String> {
        let infos = page["typeInfos"].as_array().unwrap().iter();
        infos.map(|info| info["activityType"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = client.ok("ListActivityTypes", list.clone());
    assert_eq!(names(&first), ["t4", "t3", "t2"]);
    list["nextPageToken"] = first["nextPageToken"].clone();
    let second = client.ok("ListActivityTypes", list);
    assert_eq!(names(&second), ["t1", "t0"]);
    assert!(second.get("nextPageToken").is_none());
}

#[test]
fn names_and_durations_have_rules() {
    let mut client = Client::new();
    for name in ["a:b", "a/b", "a|b", "arn"] {
        let body = json!({ "name": name, "workflowExecutionRetentionPeriodInDays": "1" });
        assert_eq!(client.fault("RegisterDomain", body).0, VALIDATION, "{name}");
    }
    for days in ["91", "x", "-1", "none"] {
        let body = json!({ "name": "d", "workflowExecutionRetentionPeriodInDays": days });
        assert_eq!(client.fault("RegisterDomain", body).0, VALIDATION, "{days}");
    }
    let start = json!({
        "domain": "hotel", "workflowId": "a", "workflowType": { "name": "booking", "version": "1" },
        "taskStartToCloseTimeout": "soon", "taskPriority": "high", "tagList": ["1", "2", "3", "4", "5", "6"],
        "input": "x".repeat(32_769),
    });
    let (_, message) = client.fault("StartWorkflowExecution", start);
    assert!(message.starts_with("4 validation errors detected"), "{message}");
    assert!(
        message.contains("'tagList' failed to satisfy constraint: Member must have length less than or equal to 5")
    );
    for wrong in ["NONE", "31536001"] {
        let start = json!({
            "domain": "hotel", "workflowId": "a", "workflowType": { "name": "booking", "version": "1" },
            "executionStartToCloseTimeout": wrong,
        });
        assert_eq!(client.fault("StartWorkflowExecution", start).0, VALIDATION, "{wrong}");
    }
}

#[test]
fn a_task_list_has_room_for_a_thousand_pollers() {
    let mut client = Client::new();
    let body = json!({ "domain": "hotel", "taskList": { "name": "w" } });
    let mut waiting: Vec<Call> = (0..1000).map(|_| client.call("PollForActivityTask", &body)).collect();
    for call in &mut waiting {
        assert!(matches!(handle(&mut client.world, call), Reply::Later(_)));
    }
    assert_eq!(client.fault("PollForActivityTask", body.clone()).0, format!("{MODEL}LimitExceededFault"));
    client.world.advance_to(client.world.now + Duration::from_secs(60));
    for call in &mut waiting {
        assert!(matches!(handle(&mut client.world, call), Reply::Done(_)));
    }
    assert_eq!(client.ok("PollForActivityTask", body)["startedEventId"], 0);
}

#[test]
fn a_request_has_one_megabyte_at_most() {
    let mut client = Client::new();
    let details = "x".repeat(32_768);
    let marker = || {
        json!({ "decisionType": "RecordMarker",
        "recordMarkerDecisionAttributes": { "markerName": "m", "details": details } })
    };
    let decisions = |count: usize| json!({ "taskToken": "t", "decisions": vec![marker(); count] });
    let small = client.ask("RespondDecisionTaskCompleted", &decisions(31));
    assert_eq!(small.status, 400, "nobody has that token");
    let large = client.ask("RespondDecisionTaskCompleted", &decisions(32));
    assert_eq!(large.status, 413);
    assert!(String::from_utf8_lossy(&large.body).contains("RequestEntityTooLargeException"));
}
