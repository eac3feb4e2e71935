//! Waiting as its callers see it, and what it costs: counts of requests that were asked again, no clock.

use super::*;
use crate::sim::cx::Place;
use serde_json::Value;

struct Bench {
    realm: Realm,
}

/// A caller that waits, or has its answer.
struct Caller(oneshot::Receiver<Answered>);

impl Caller {
    fn answer(&mut self) -> Option<Value> {
        let answered = self.0.try_recv().ok()?;
        Some(serde_json::from_slice(&answered.answer.unwrap().response.body).unwrap())
    }

    fn bodies(&mut self) -> Option<Vec<String>> {
        let messages = self.answer()?["Messages"].as_array().cloned().unwrap_or_default();
        Some(messages.iter().map(|message| message["Body"].as_str().unwrap().to_owned()).collect())
    }
}

impl Bench {
    fn new() -> Self {
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: false };
        Self { realm: Realm::new(World::new(1, Timestamp::from_millis(0), place)) }
    }

    fn request(target: &str, body: &str) -> Request {
        let headers = vec![("x-amz-target".to_owned(), target.to_owned())];
        let (method, path) = ("POST".to_owned(), "/".to_owned());
        Request { method, path, query: String::new(), headers, body: Bytes::from(body.to_owned()) }
    }

    /// A request that is answered at once.
    fn ask(&mut self, target: &str, body: &str) -> Value {
        let (to, mut said) = oneshot::channel();
        self.realm.take(Self::request(target, body), to);
        match said.try_recv().unwrap() {
            Said::Answered(answered) => {
                serde_json::from_slice(&answered.answer.unwrap().response.body).unwrap_or_default()
            }
            Said::Waits(_) => panic!("{target} {body} waits"),
        }
    }

    fn send(&mut self, queue: &str, body: &str) {
        self.ask("AmazonSQS.SendMessage", &format!(r#"{{"QueueUrl":"{queue}","MessageBody":"{body}"}}"#));
    }

    /// A request that waits.
    fn wait(&mut self, target: &str, body: &str) -> Caller {
        let (to, mut said) = oneshot::channel();
        self.realm.take(Self::request(target, body), to);
        match said.try_recv().unwrap() {
            Said::Waits(answer) => Caller(answer),
            Said::Answered(answered) => panic!("{target}: {:?}", answered.answer.unwrap().response),
        }
    }

    fn poll(&mut self, queue: &str, wait_s: u32) -> Caller {
        let body = format!(r#"{{"QueueUrl":"{queue}","WaitTimeSeconds":{wait_s},"VisibilityTimeout":5}}"#);
        self.wait("AmazonSQS.ReceiveMessage", &body)
    }

    fn pass(&mut self, s: u64) {
        let until = self.realm.world.now + Duration::from_secs(s);
        while !self.realm.advance(until, 10) {}
    }

    fn asked_again(&self) -> u64 {
        self.realm.world.waits.asked_again()
    }
}

fn queues(names: &[&str]) -> Bench {
    let mut bench = Bench::new();
    for name in names {
        bench.ask("AmazonSQS.CreateQueue", &format!(r#"{{"QueueName":"{name}"}}"#));
    }
    bench
}

#[test]
fn of_hundreds_who_wait_a_message_goes_to_the_first_and_only_that_one_is_asked() {
    let mut bench = queues(&["orders", "bills"]);
    let mut orders: Vec<Caller> = (0..300).map(|_| bench.poll("orders", 20)).collect();
    let mut bills: Vec<Caller> = (0..300).map(|_| bench.poll("bills", 20)).collect();
    for n in 0..50 {
        bench.send("orders", &format!("order {n}"));
    }
    assert_eq!(bench.asked_again(), 50, "one a message, whoever else waits");
    for (n, caller) in orders.iter_mut().enumerate() {
        let expected = (n < 50).then(|| vec![format!("order {n}")]);
        assert_eq!(caller.bodies(), expected, "in the order in which they came");
    }
    assert!(bills.iter_mut().all(|caller| caller.bodies().is_none()));
}

#[test]
fn other_requests_ask_nobody() {
    let mut bench = queues(&["orders", "bills"]);
    let mut caller = bench.poll("orders", 20);
    bench.send("bills", "a bill");
    for _ in 0..100 {
        bench.ask("AmazonSQS.ListQueues", "{}");
        bench.ask("AmazonSQS.ReceiveMessage", r#"{"QueueUrl":"orders"}"#);
        bench.ask("AmazonSQS.GetQueueAttributes", r#"{"QueueUrl":"orders"}"#);
    }
    assert_eq!((bench.asked_again(), caller.bodies()), (0, None));
}

#[test]
fn who_waits_in_vain_is_told_so_when_its_time_is_over() {
    let mut bench = queues(&["orders"]);
    let (mut short, mut long) = (bench.poll("orders", 3), bench.poll("orders", 20));
    bench.pass(2);
    assert_eq!(bench.asked_again(), 0);
    bench.pass(1);
    assert_eq!((short.bodies(), long.bodies()), (Some(vec![]), None));
    bench.pass(17);
    assert_eq!((long.bodies(), bench.asked_again()), (Some(vec![]), 2));
    assert!(bench.realm.is_quiet());
}

#[test]
fn a_message_is_there_when_its_delay_or_its_visibility_timeout_ends() {
    let mut bench = queues(&["orders"]);
    bench.ask("AmazonSQS.SendMessage", r#"{"QueueUrl":"orders","MessageBody":"late","DelaySeconds":4}"#);
    let (mut first, mut second) = (bench.poll("orders", 20), bench.poll("orders", 20));
    bench.pass(3);
    assert_eq!(first.bodies(), None);
    bench.pass(1);
    assert_eq!((first.bodies(), second.bodies()), (Some(vec!["late".to_owned()]), None));
    // The first does not delete it within the five seconds that it asked for.
    bench.pass(4);
    assert_eq!(second.bodies(), None);
    bench.pass(1);
    assert_eq!(second.bodies(), Some(vec!["late".to_owned()]));
    assert_eq!(bench.asked_again(), 2);
}

#[test]
fn one_big_step_of_time_gives_each_the_answer_of_its_time() {
    let mut bench = queues(&["orders"]);
    bench.ask("AmazonSQS.SendMessage", r#"{"QueueUrl":"orders","MessageBody":"m","DelaySeconds":15}"#);
    let (mut short, mut long) = (bench.poll("orders", 10), bench.poll("orders", 20));
    bench.pass(86_400);
    assert_eq!((short.bodies(), long.bodies()), (Some(vec![]), Some(vec!["m".to_owned()])));
}

#[test]
fn a_caller_that_has_gone_takes_no_message() {
    let mut bench = queues(&["orders"]);
    drop(bench.poll("orders", 20));
    let mut patient = bench.poll("orders", 20);
    bench.send("orders", "m");
    assert_eq!(patient.bodies(), Some(vec!["m".to_owned()]));
    drop(bench.poll("orders", 20));
    bench.send("orders", "kept");
    let received = bench.ask("AmazonSQS.ReceiveMessage", r#"{"QueueUrl":"orders"}"#);
    assert_eq!(received["Messages"][0]["Body"], "kept");
    assert_eq!(received["Messages"].as_array().unwrap().len(), 1);
}

#[test]
fn those_who_have_gone_are_forgotten_before_they_are_many() {
    let mut bench = queues(&["orders"]);
    for _ in 0..10_000 {
        drop(bench.poll("orders", 20));
        assert!(bench.realm.parked.len() <= SWEEP_MIN);
    }
}

#[test]
fn a_fifo_group_is_handed_on_when_its_message_is_deleted() {
    let mut bench = Bench::new();
    let create = r#"{"QueueName":"q.fifo","Attributes":{"FifoQueue":"true","ContentBasedDeduplication":"true"}}"#;
    bench.ask("AmazonSQS.CreateQueue", create);
    for body in ["one", "two"] {
        let send = format!(r#"{{"QueueUrl":"q.fifo","MessageBody":"{body}","MessageGroupId":"g"}}"#);
        bench.ask("AmazonSQS.SendMessage", &send);
    }
    let first = bench.ask("AmazonSQS.ReceiveMessage", r#"{"QueueUrl":"q.fifo"}"#);
    let mut caller = bench.poll("q.fifo", 20);
    let handle = first["Messages"][0]["ReceiptHandle"].as_str().unwrap();
    bench.ask("AmazonSQS.DeleteMessage", &format!(r#"{{"QueueUrl":"q.fifo","ReceiptHandle":"{handle}"}}"#));
    assert_eq!(caller.bodies(), Some(vec!["two".to_owned()]));
}

#[test]
fn who_waits_at_a_dead_letter_queue_gets_what_is_moved_there() {
    let mut bench = queues(&["dead"]);
    let policy = r#"{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:123456789012:dead\",\"maxReceiveCount\":\"1\"}"#;
    let create = format!(r#"{{"QueueName":"orders","Attributes":{{"RedrivePolicy":"{policy}"}}}}"#);
    bench.ask("AmazonSQS.CreateQueue", &create);
    bench.send("orders", "poison");
    bench.ask("AmazonSQS.ReceiveMessage", r#"{"QueueUrl":"orders","VisibilityTimeout":2}"#);
    let (mut live, mut dead) = (bench.poll("orders", 20), bench.poll("dead", 20));
    bench.pass(2);
    assert_eq!((live.bodies(), dead.bodies()), (None, Some(vec!["poison".to_owned()])));
}

#[test]
fn a_queue_that_is_deleted_ends_the_waiting_at_it() {
    let mut bench = queues(&["orders"]);
    let mut callers: Vec<Caller> = (0..3).map(|_| bench.poll("orders", 20)).collect();
    bench.ask("AmazonSQS.DeleteQueue", r#"{"QueueUrl":"orders"}"#);
    for caller in &mut callers {
        let answer = caller.answer().unwrap();
        assert_eq!(answer["__type"], "com.amazonaws.sqs#QueueDoesNotExist", "{answer}");
    }
}

#[test]
fn a_world_that_is_reset_answers_those_who_wait() {
    let mut bench = queues(&["orders"]);
    let mut caller = bench.poll("orders", 20);
    let other = World::new(2, bench.realm.world.now, bench.realm.world.place.clone());
    bench.realm.reset(other);
    assert_eq!(caller.answer().unwrap()["__type"], "com.amazonaws.sqs#QueueDoesNotExist");
}

const WORKFLOW: &str = r#"{"domain":"shop","workflowId":"ID","workflowType":{"name":"order","version":"1"}}"#;

fn shop() -> Bench {
    let mut bench = Bench::new();
    let swf = |operation: &str| format!("SimpleWorkflowService.{operation}");
    let domain = r#"{"name":"shop","workflowExecutionRetentionPeriodInDays":"1"}"#;
    bench.ask(&swf("RegisterDomain"), domain);
    let defaults = r#""defaultChildPolicy":"TERMINATE","defaultTaskList":{"name":"deciders"},
        "defaultExecutionStartToCloseTimeout":"3600","defaultTaskStartToCloseTimeout":"NONE""#;
    bench.ask(&swf("RegisterWorkflowType"), &format!(r#"{{"domain":"shop","name":"order","version":"1",{defaults}}}"#));
    bench
}

#[test]
fn a_decision_task_goes_to_the_decider_that_has_waited_longest_at_its_list() {
    let mut bench = shop();
    let poll = |list: &str| format!(r#"{{"domain":"shop","taskList":{{"name":"{list}"}}}}"#);
    let target = "SimpleWorkflowService.PollForDecisionTask";
    let mut others: Vec<Caller> = (0..200).map(|_| bench.wait(target, &poll("others"))).collect();
    let mut deciders: Vec<Caller> = (0..200).map(|_| bench.wait(target, &poll("deciders"))).collect();
    for id in ["a", "b", "c"] {
        let started = bench.ask("SimpleWorkflowService.StartWorkflowExecution", &WORKFLOW.replace("ID", id));
        assert!(started["runId"].is_string(), "{started}");
    }
    assert_eq!(bench.asked_again(), 3);
    for (n, id) in ["a", "b", "c"].into_iter().enumerate() {
        assert_eq!(deciders[n].answer().unwrap()["workflowExecution"]["workflowId"], id);
    }
    assert!(deciders[3..].iter_mut().chain(&mut others).all(|caller| caller.answer().is_none()));
    bench.pass(60);
    for caller in deciders[3..].iter_mut().chain(&mut others) {
        assert_eq!(caller.answer().unwrap()["startedEventId"], 0);
    }
    assert_eq!(bench.asked_again(), 400);
}
