//! What a function's policies open to other accounts and close to its own, as a caller meets it.

use super::tests::{ask, create, world};
use crate::sim::cloudtrail::Identity;
use crate::sim::cx::Place;
use crate::sim::wire::visit::{Visit, Visitor};
use crate::sim::wire::{self, Call, Reply, Request};
use crate::sim::world::World;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

const GUEST: &str = "111122223333";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:settle";

fn with_function() -> World {
    let mut world = world();
    assert_eq!(create(&mut world, "settle").0, 201);
    world.advance_to(world.now + Duration::from_secs(1));
    world
}

/// Asks as a user of another account.
fn visit(world: &mut World, method: &str, path: &str) -> (u16, Value) {
    let home = Place { account: GUEST.into(), ..world.place.clone() };
    let visitor = Visitor { account: GUEST.into(), identity: Identity::user(&home, "ana", None) };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (method, path, query) = (method.into(), path.into(), query.into());
    let request = Request { method, path, query, headers: Vec::new(), body: Bytes::from_static(b"{}") };
    let mut call = Call { visit: Visit::Arrived(visitor), ..Call::new(request, world.now) };
    loop {
        match wire::handle(world, &mut call) {
            Reply::Done(answer) => return (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null)),
            Reply::Later(at) => world.advance_to(at),
        }
    }
}

fn invoke(world: &mut World, arn: &str) -> (u16, Value) {
    visit(world, "POST", &format!("/2015-03-31/functions/{arn}/invocations"))
}

fn add_permission(world: &mut World, name: &str, action: &str) {
    let statement = json!({ "StatementId": "guest", "Action": action, "Principal": GUEST });
    assert_eq!(ask(world, "POST", &format!("/2015-03-31/functions/{name}/policy"), &statement).0, 201);
}

#[test]
fn a_permission_lets_another_account_invoke_by_arn() {
    let mut world = with_function();
    let (status, refused) = invoke(&mut world, FUNCTION);
    let wanted = "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: lambda:InvokeFunction on \
                  resource: arn:aws:lambda:eu-west-1:123456789012:function:settle because no resource-based policy \
                  allows the lambda:InvokeFunction action";
    assert_eq!((status, refused), (403, json!({ "Message": wanted })));
    add_permission(&mut world, "settle", "lambda:InvokeFunction");
    assert_eq!(invoke(&mut world, FUNCTION).0, 200);
    assert_eq!(invoke(&mut world, "123456789012:function:settle").0, 200, "a partial ARN does as well");
    assert_eq!(visit(&mut world, "GET", &format!("/2015-03-31/functions/{FUNCTION}")).0, 403, "that was not granted");
    assert_eq!(invoke(&mut world, &format!("{FUNCTION}:$LATEST")).0, 403, "nor was that, which is named otherwise");
    assert_eq!(invoke(&mut world, &FUNCTION.replace("settle", "gone")).0, 404);
}

#[test]
fn a_permission_of_an_alias_is_for_the_alias_alone() {
    let mut world = with_function();
    assert_eq!(ask(&mut world, "POST", "/2015-03-31/functions/settle/versions", &json!({})).0, 201);
    let alias = json!({ "Name": "live", "FunctionVersion": "1" });
    assert_eq!(ask(&mut world, "POST", "/2015-03-31/functions/settle/aliases", &alias).0, 201);
    add_permission(&mut world, "settle:live", "lambda:*");
    world.advance_to(world.now + Duration::from_secs(1));
    assert_eq!(invoke(&mut world, &format!("{FUNCTION}:live")).0, 200);
    assert_eq!(
        visit(&mut world, "POST", &format!("/2015-03-31/functions/{FUNCTION}/invocations?Qualifier=live")).0,
        200
    );
    assert_eq!(invoke(&mut world, FUNCTION).0, 403);
    assert_eq!(invoke(&mut world, &format!("{FUNCTION}:1")).0, 403);
    assert_eq!(visit(&mut world, "GET", &format!("/2015-03-31/functions/{FUNCTION}:live")).0, 200);
}

fn put(world: &mut World, arn: &str, statements: Value) -> (u16, Value) {
    let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    ask(world, "PUT", &format!("/2026-07-09/resource-policy/{arn}"), &json!({ "Policy": policy }))
}

#[test]
fn a_whole_policy_names_all_versions_at_once_and_denies() {
    let mut world = with_function();
    add_permission(&mut world, "settle", "lambda:InvokeFunction");
    let any = json!([FUNCTION, format!("{FUNCTION}:*")]);
    let allow =
        json!({ "Effect": "Allow", "Principal": { "AWS": GUEST }, "Action": "lambda:InvokeFunction", "Resource": any });
    let (status, put_one) = put(&mut world, FUNCTION, json!([allow]));
    assert_eq!(status, 200, "{put_one}");
    let path = format!("/2026-07-09/resource-policy/{FUNCTION}");
    let (_, got) = ask(&mut world, "GET", &path, &Value::Null);
    assert_eq!(got, put_one);
    let policy: Value = serde_json::from_str(got["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy, json!({ "Version": "2012-10-17", "Statement": [allow] }), "it stands in the other one's place");
    assert_eq!(invoke(&mut world, &format!("{FUNCTION}:$LATEST")).0, 200);
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "lambda:Invoke*", "Resource": FUNCTION });
    assert_eq!(put(&mut world, FUNCTION, json!([allow, deny])).0, 200);
    assert_eq!(invoke(&mut world, FUNCTION).0, 403);
    let (status, refused) = ask(&mut world, "POST", "/2015-03-31/functions/settle/invocations", &json!({}));
    let message = refused["Message"].as_str().unwrap();
    assert!(
        status == 403 && message.ends_with("function:settle with an explicit deny in a resource-based policy"),
        "{message}"
    );
    let stale =
        ask(&mut world, "DELETE", &format!("{path}?RevisionId={}", got["RevisionId"].as_str().unwrap()), &Value::Null);
    assert_eq!(stale.0, 412, "it has changed since");
    assert_eq!(ask(&mut world, "DELETE", &path, &Value::Null).0, 204);
    assert_eq!(ask(&mut world, "GET", &path, &Value::Null).0, 404);
    assert_eq!(ask(&mut world, "POST", "/2015-03-31/functions/settle/invocations", &json!({})).0, 200);
}

#[test]
fn what_is_no_policy_is_refused() {
    let mut world = with_function();
    let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "lambda:*", "Resource": FUNCTION });
    let mut without = statement.clone();
    without.as_object_mut().unwrap().remove("Action");
    for statements in [json!([]), json!([without]), json!(["x"])] {
        let (status, refused) = put(&mut world, FUNCTION, statements);
        assert!(status == 400 && refused["message"].as_str().unwrap().contains("policy"), "{refused}");
    }
    let (status, refused) = put(&mut world, "settle", json!([statement]));
    assert!(status == 400 && refused["message"].as_str().unwrap().contains("at 'resourceArn' failed"), "{refused}");
    assert_eq!(put(&mut world, &format!("{FUNCTION}:$LATEST"), json!([statement])).0, 400);
    assert_eq!(put(&mut world, &format!("{FUNCTION}:live"), json!([statement])).0, 404);
}
