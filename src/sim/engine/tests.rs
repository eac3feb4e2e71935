//! The engine in examples: its time, its accounts and regions, its orders.

use super::*;

#[test]
fn a_region_is_words_and_a_number() {
    assert!(["eu-west-1", "us-gov-east-1", "ap-southeast-5"].into_iter().all(is_region));
    assert!(
        !["", "aws4_request", "eu-west", "eu-west-12", "EU-west-1", "a-b-1", "us-east-1/x"].into_iter().any(is_region)
    );
}

fn begin(pace: Pace) -> Handle {
    let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
    let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
    start_at(World::new(1, start, place), VirtualClock::start(start, 1.0), pace)
}

fn signed(key: &str, region: &str, operation: &str, body: &str) -> Request {
    let scope = format!("AWS4-HMAC-SHA256 Credential={key}/20261127/{region}/sqs/aws4_request, SignedHeaders=host");
    let headers = [("authorization", scope), ("x-amz-target", format!("AmazonSQS.{operation}"))];
    Request {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        body: Bytes::from(body.to_owned()),
    }
}

fn order(method: &str, target: &str, body: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (method, path, query) = (method.to_owned(), format!("/_midwatch/{path}"), query.to_owned());
    Request { method, path, query, headers: vec![], body: Bytes::from(body.to_owned()) }
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.response.body).into_owned()
}

async fn ask(engine: &Handle, operation: &str, body: &str) -> String {
    text(&engine.call(signed("test", "eu-west-1", operation, body)).await.unwrap())
}

#[tokio::test]
async fn accounts_and_regions_do_not_see_each_other() {
    let engine = begin(Pace::Stands);
    ask(&engine, "CreateQueue", r#"{"QueueName":"q"}"#).await;
    for (key, region, is_there) in [
        ("AKIAEXAMPLE", "eu-west-1", true),
        ("AKIAEXAMPLE", "nowhere", true),
        ("AKIAEXAMPLE", "us-east-1", false),
        ("111122223333", "eu-west-1", false),
    ] {
        let list = text(&engine.call(signed(key, region, "ListQueues", "{}")).await.unwrap());
        assert_eq!(list.contains("/q"), is_there, "{key} {region}: {list}");
    }
    let made = engine.call(signed("111122223333", "us-east-1", "CreateQueue", r#"{"QueueName":"q"}"#)).await.unwrap();
    assert!(text(&made).contains("sqs.us-east-1.amazonaws.com/111122223333/q"), "{}", text(&made));
}

/// Status and body of what an account is told.
async fn told(engine: &Handle, account: &str, operation: &str, body: &str) -> (u16, String) {
    let answer = engine.call(signed(account, "eu-west-1", operation, body)).await.unwrap();
    (answer.response.status, text(&answer))
}

#[tokio::test]
async fn a_queue_of_another_account_serves_whom_its_policy_lets_in() {
    let engine = begin(Pace::Stands);
    let (owner, guest) = ("111122223333", "123456789012");
    let about = |more: &str| format!(r#"{{"QueueUrl":"http://localhost/111122223333/shared"{more}}}"#);
    let of_owner = r#"{"QueueName":"shared","QueueOwnerAWSAccountId":"111122223333"}"#;
    told(&engine, owner, "CreateQueue", r#"{"QueueName":"shared"}"#).await;
    let message = about(r#","MessageBody":"m""#);
    let (status, refused) = told(&engine, guest, "SendMessageBatch", &message).await;
    assert_eq!(status, 403);
    let why = "User: arn:aws:iam::123456789012:user/midwatch is not authorized to perform: sqs:sendmessage on \
               resource: arn:aws:sqs:eu-west-1:111122223333:shared because no resource-based policy allows the \
               sqs:sendmessage action";
    assert!(refused.contains(why) && refused.contains("AccessDeniedException"), "{refused}");
    let (status, hidden) = told(&engine, guest, "GetQueueUrl", of_owner).await;
    assert!(status == 400 && hidden.contains("or you do not have access to it."), "{hidden}");

    let grant =
        r#","Label":"l","AWSAccountIds":["123456789012"],"Actions":["SendMessage","ReceiveMessage","GetQueueUrl"]"#;
    assert_eq!(told(&engine, owner, "AddPermission", &about(grant)).await.0, 200);
    let (_, url) = told(&engine, guest, "GetQueueUrl", of_owner).await;
    assert!(url.contains("/111122223333/shared"), "{url}");
    let poll = tokio::spawn({
        let (engine, poll) = (engine.clone(), about(r#","WaitTimeSeconds":20"#));
        async move { told(&engine, "123456789012", "ReceiveMessage", &poll).await.1 }
    });
    tokio::task::yield_now().await;
    assert!(!poll.is_finished());
    assert!(told(&engine, guest, "SendMessage", &message).await.1.contains("MessageId"));
    let received: serde_json::Value = serde_json::from_str(&poll.await.unwrap()).unwrap();
    let handle = received["Messages"][0]["ReceiptHandle"].as_str().unwrap();
    let receipt = about(&format!(r#","ReceiptHandle":"{handle}""#));
    assert_eq!(told(&engine, guest, "DeleteMessage", &receipt).await.0, 403, "that was not granted");
    assert_eq!(told(&engine, "444455556666", "SendMessage", &message).await.0, 403, "nor anything to others");

    let policy = r#"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:*\"}}"#;
    let all = about(&format!(r#","Attributes":{{"Policy":"{policy}"}}"#));
    assert_eq!(told(&engine, guest, "SetQueueAttributes", &all).await.0, 403);
    assert_eq!(told(&engine, owner, "SetQueueAttributes", &all).await.0, 200);
    assert_eq!(told(&engine, guest, "DeleteMessage", &receipt).await.0, 200);
    assert_eq!(told(&engine, guest, "DeleteQueue", &about("")).await.0, 403, "no policy gives that away");
    assert_eq!(told(&engine, owner, "ListQueues", "{}").await.1.matches("shared").count(), 1);
    for nobody in ["111122223333/other", "999999999999/shared"] {
        let url = format!(r#"{{"QueueUrl":"http://localhost/{nobody}","MessageBody":"m"}}"#);
        let (status, said) = told(&engine, guest, "SendMessage", &url).await;
        assert!(status == 400 && said.contains("The specified queue does not exist."), "{said}");
    }
}

#[tokio::test]
async fn an_unsigned_link_leads_to_the_topic_that_it_names() {
    let engine = begin(Pace::Stands);
    let topic = "arn:aws:sns:us-east-1:111122223333:news";
    let ask = async |key: Option<&str>, form: String| {
        let scope =
            |key| format!("AWS4-HMAC-SHA256 Credential={key}/20261127/us-east-1/sns/aws4_request, SignedHeaders=host");
        let headers = key.map(|key| ("authorization".to_owned(), scope(key))).into_iter().collect();
        let (method, path, body) = ("GET".into(), "/".into(), Bytes::new());
        let answer = engine.call(Request { method, path, query: form, headers, body }).await.unwrap();
        text(&answer)
    };
    let signed = async |form: &str| ask(Some("111122223333"), format!("Version=2010-03-31&{form}")).await;
    signed("Action=CreateTopic&Name=news").await;
    let endpoint = "Protocol=http&Endpoint=http://hook.example.com/&ReturnSubscriptionArn=true";
    let made = signed(&format!("Action=Subscribe&TopicArn={topic}&{endpoint}")).await;
    let arn = made.split_once("<SubscriptionArn>").unwrap().1.split_once('<').unwrap().0;
    let confirm = format!("Action=ConfirmSubscription&TopicArn={topic}&Token=abc");
    let refused = ask(None, confirm.clone()).await;
    assert!(refused.contains("Invalid parameter: Token"), "the topic's region knows no such token: {refused}");
    let elsewhere = ask(None, confirm.replace("111122223333", "444455556666")).await;
    assert!(elsewhere.contains("<Error>"), "{elsewhere}");
    ask(None, format!("Action=Unsubscribe&SubscriptionArn={arn}")).await;
    let listed = signed(&format!("Action=ListSubscriptionsByTopic&TopicArn={topic}")).await;
    assert!(!listed.contains("hook.example.com"), "{listed}");
}

#[tokio::test]
async fn a_call_that_its_own_account_held_back_leaves_for_the_owner_afterwards() {
    let engine = begin(Pace::Stands);
    let owner = "111122223333";
    told(&engine, owner, "CreateQueue", r#"{"QueueName":"shared"}"#).await;
    let shared = r#"{"QueueUrl":"http://localhost/111122223333/shared","Label":"l","AWSAccountIds":["123456789012"],"Actions":["*"]}"#;
    assert_eq!(told(&engine, owner, "AddPermission", shared).await.0, 200);
    let fault = "[[fault]]\nkind = \"api-hang\"\ntarget = \"sqs\"\nuntil = \"1m\"";
    ask(&engine, "ListQueues", "{}").await;
    assert_eq!(engine.call(order("POST", "fault", fault)).await.unwrap().response.status, 200);
    let sent = tokio::spawn({
        let engine = engine.clone();
        let message = r#"{"QueueUrl":"http://localhost/111122223333/shared","MessageBody":"m"}"#;
        async move { told(&engine, "123456789012", "SendMessage", message).await.1 }
    });
    tokio::task::yield_now().await;
    engine.call(order("POST", "advance?by=30s", "")).await;
    assert!(!sent.is_finished());
    let poll = r#"{"QueueUrl":"shared"}"#;
    assert_eq!(told(&engine, owner, "ReceiveMessage", poll).await.1, "{}", "the owner has no such fault");
    engine.call(order("POST", "advance?by=30s", "")).await;
    assert!(sent.await.unwrap().contains("MessageId"));
    assert!(told(&engine, owner, "ReceiveMessage", poll).await.1.contains("\"Body\":\"m\""));
}

/// Asks SNS, in the query protocol's form.
async fn sns(engine: &Handle, account: &str, operation: &str, members: &[(&str, &str)]) -> (u16, String) {
    let scope =
        format!("AWS4-HMAC-SHA256 Credential={account}/20261127/eu-west-1/sns/aws4_request, SignedHeaders=host");
    let members: String = members.iter().map(|(name, value)| format!("&{name}={value}")).collect();
    let request = Request {
        method: "POST".into(),
        path: "/".into(),
        query: String::new(),
        headers: vec![
            ("authorization".into(), scope),
            ("content-type".into(), "application/x-www-form-urlencoded".into()),
        ],
        body: Bytes::from(format!("Action={operation}&Version=2010-03-31{members}")),
    };
    let answer = engine.call(request).await.unwrap();
    (answer.response.status, text(&answer))
}

#[tokio::test]
async fn a_topic_of_another_account_takes_what_its_policy_lets_in() {
    let engine = begin(Pace::Stands);
    let call = async |account: &str, operation: &str, members: &[(&str, &str)]| {
        sns(&engine, account, operation, members).await
    };
    let (owner, guest) = ("111122223333", "123456789012");
    let topic = ("TopicArn", "arn:aws:sns:eu-west-1:111122223333:news");
    call(owner, "CreateTopic", &[("Name", "news")]).await;
    told(&engine, guest, "CreateQueue", r#"{"QueueName":"told"}"#).await;
    let subscribe = [topic, ("Protocol", "sqs"), ("Endpoint", "arn:aws:sqs:eu-west-1:123456789012:told")];
    let (status, refused) = call(guest, "Subscribe", &subscribe).await;
    let why = "is not authorized to perform: SNS:Subscribe on resource: arn:aws:sns:eu-west-1:111122223333:news \
               because no resource-based policy allows the SNS:Subscribe action";
    assert!(status == 403 && refused.contains(why) && refused.contains("AuthorizationError"), "{refused}");
    let grant = [
        topic,
        ("Label", "l"),
        ("AWSAccountId.member.1", guest),
        ("ActionName.member.1", "Subscribe"),
        ("ActionName.member.2", "Publish"),
    ];
    assert_eq!(call(owner, "AddPermission", &grant).await.0, 200);
    let (status, subscribed) = call(guest, "Subscribe", &subscribe).await;
    assert!(status == 200, "{subscribed}");
    let (_, listed) = call(owner, "ListSubscriptionsByTopic", &[topic]).await;
    assert!(listed.contains("<Owner>123456789012</Owner>"), "{listed}");
    assert_eq!(call(guest, "ListSubscriptionsByTopic", &[topic]).await.0, 403, "that was not granted");
    assert_eq!(call("444455556666", "Publish", &[topic, ("Message", "m")]).await.0, 403);
    assert_eq!(call(guest, "Publish", &[topic, ("Message", "m")]).await.0, 200);
    let mine = subscribed.split("<SubscriptionArn>").nth(1).unwrap().split('<').next().unwrap();
    assert!(call(guest, "ListSubscriptions", &[]).await.1.contains(mine), "it is the guest's");
    assert!(!call(owner, "ListSubscriptions", &[]).await.1.contains(mine), "and not the owner's");
    assert!(!call("444455556666", "ListSubscriptions", &[]).await.1.contains(mine));
    assert_eq!(call("444455556666", "Unsubscribe", &[("SubscriptionArn", mine)]).await.0, 403);
    assert_eq!(call(guest, "Unsubscribe", &[("SubscriptionArn", mine)]).await.0, 200);
    assert!(!call(guest, "ListSubscriptions", &[]).await.1.contains(mine));
    let nobodys = ("TopicArn", "arn:aws:sns:eu-west-1:999999999999:news");
    assert_eq!(call(guest, "Publish", &[nobodys, ("Message", "m")]).await.0, 404);
}

#[tokio::test]
async fn a_queue_that_another_account_subscribes_is_asked_first() {
    let engine = begin(Pace::Stands);
    let call = async |account: &str, operation: &str, members: &[(&str, &str)]| {
        sns(&engine, account, operation, members).await
    };
    let (owner, guest) = ("111122223333", "123456789012");
    let topic = ("TopicArn", "arn:aws:sns:eu-west-1:111122223333:news");
    call(owner, "CreateTopic", &[("Name", "news")]).await;
    told(&engine, guest, "CreateQueue", r#"{"QueueName":"told"}"#).await;
    let subscribe = [topic, ("Protocol", "sqs"), ("Endpoint", "arn:aws:sqs:eu-west-1:123456789012:told")];
    let queue = r#"{"QueueUrl":"told"}"#;
    let (_, asked) = call(owner, "Subscribe", &subscribe).await;
    assert!(asked.contains("pending confirmation"), "the queue is not the topic owner's: {asked}");
    assert_eq!(told(&engine, guest, "ReceiveMessage", queue).await.1, "{}", "nor does it let the topic in yet");
    let policy = r#"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:*\"}}"#;
    let opened = format!(r#"{{"QueueUrl":"told","Attributes":{{"Policy":"{policy}"}}}}"#);
    assert_eq!(told(&engine, guest, "SetQueueAttributes", &opened).await.0, 200);
    call(owner, "Subscribe", &subscribe).await;
    let (_, letter) = told(&engine, guest, "ReceiveMessage", queue).await;
    let letter: serde_json::Value = serde_json::from_str(&letter).unwrap();
    let letter: serde_json::Value = serde_json::from_str(letter["Messages"][0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!(letter["Type"], "SubscriptionConfirmation");
    call(owner, "Publish", &[topic, ("Message", "early")]).await;
    assert_eq!(told(&engine, guest, "ReceiveMessage", queue).await.1, "{}", "nobody has confirmed");
    assert!(call(owner, "ListSubscriptions", &[]).await.1.contains("PendingConfirmation"));
    let token = ("Token", letter["Token"].as_str().unwrap());
    assert_eq!(call(guest, "ConfirmSubscription", &[topic, token]).await.0, 200);
    call(owner, "Publish", &[topic, ("Message", "news")]).await;
    assert!(told(&engine, guest, "ReceiveMessage", queue).await.1.contains("news"));
}

#[tokio::test]
async fn time_stands_until_it_is_advanced_and_a_waiting_poll_gets_the_answer_of_its_time() {
    let engine = begin(Pace::Stands);
    ask(&engine, "CreateQueue", r#"{"QueueName":"q"}"#).await;
    let send = |delay_s: u32| format!(r#"{{"QueueUrl":"q","MessageBody":"m","DelaySeconds":{delay_s}}}"#);
    ask(&engine, "SendMessage", &send(15)).await;
    let poll = |wait_s: u32| {
        let engine = engine.clone();
        let body = format!(r#"{{"QueueUrl":"q","WaitTimeSeconds":{wait_s},"VisibilityTimeout":5}}"#);
        tokio::spawn(async move { ask(&engine, "ReceiveMessage", &body).await })
    };
    let (short, long) = (poll(10), poll(20));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!short.is_finished() && !long.is_finished(), "no time passes by itself");
    let now = text(&engine.call(order("POST", "advance?by=1d", "")).await.unwrap());
    assert!(now.contains("2026-11-28T18:00:00Z"), "{now}");
    assert_eq!(short.await.unwrap(), "{}", "its ten seconds ended before the message was there");
    assert!(long.await.unwrap().contains("\"Body\":\"m\""));
    // The message of the long poll has been visible again for long.
    assert!(ask(&engine, "ReceiveMessage", r#"{"QueueUrl":"q"}"#).await.contains("\"Body\":\"m\""));
    engine.call(order("POST", "advance?by=4d", "")).await.unwrap();
    assert_eq!(ask(&engine, "ReceiveMessage", r#"{"QueueUrl":"q"}"#).await, "{}", "it has expired");
}

#[tokio::test]
async fn one_accounts_time_and_ledger_are_its_own_and_a_reset_empties_it() {
    let engine = begin(Pace::Stands);
    ask(&engine, "CreateQueue", r#"{"QueueName":"q"}"#).await;
    engine.call(signed("111122223333", "us-east-1", "ListQueues", "{}")).await.unwrap();
    engine.call(order("POST", "advance?by=1h&account=111122223333", "")).await.unwrap();
    let health = text(&engine.call(order("GET", "health", "")).await.unwrap());
    assert!(health.contains("2026-11-27T18:00:00Z") && health.contains("2026-11-27T19:00:00Z"), "{health}");
    let ledger = text(&engine.call(order("GET", "ledger?account=111122223333", "")).await.unwrap());
    assert!(ledger.contains("ListQueues") && !ledger.contains("CreateQueue"), "{ledger}");
    engine.call(order("POST", "reset", "")).await.unwrap();
    assert_eq!(ask(&engine, "ListQueues", "{}").await, "{}");
    let ledger = text(&engine.call(order("GET", "ledger", "")).await.unwrap());
    assert!(!ledger.contains("CreateQueue"), "{ledger}");
}

#[tokio::test]
async fn a_scenario_and_a_fault_are_added_and_their_mistakes_are_named_with_their_lines() {
    let engine = begin(Pace::Stands);
    let estate = r#"
        [[queue]]
        name = "orders"
        [[template]]
        name = "order"
        text = "an order"
        [[producer]]
        name = "shop"
        target = "sqs/orders"
        per_s = 5.0
        template = "order"
    "#;
    let added = engine.call(order("POST", "scenario", estate)).await.unwrap();
    assert_eq!(added.response.status, 200, "{}", text(&added));
    engine.call(order("POST", "advance?by=1m", "")).await.unwrap();
    let depth = || async {
        let body = r#"{"QueueUrl":"orders","AttributeNames":["ApproximateNumberOfMessages"]}"#;
        let answer: serde_json::Value = serde_json::from_str(&ask(&engine, "GetQueueAttributes", body).await).unwrap();
        answer["Attributes"]["ApproximateNumberOfMessages"].as_str().unwrap().parse::<i64>().unwrap()
    };
    let first = depth().await;
    assert!((200..=400).contains(&first), "{first}");
    let fault = "[[fault]]\nkind = \"surge\"\ntarget = \"shop\"\nfactor = 10.0\n";
    assert_eq!(engine.call(order("POST", "fault", fault)).await.unwrap().response.status, 200);
    engine.call(order("POST", "advance?by=1m", "")).await.unwrap();
    let second = depth().await - first;
    assert!((2000..=4000).contains(&second), "{second}");
    let wrong = format!("{fault}\n[[fault]]\nkind = \"stop\"\ntarget = \"nobody\"\n");
    let refused = engine.call(order("POST", "fault", &wrong)).await.unwrap();
    assert_eq!(refused.response.status, 400);
    assert!(text(&refused).contains("nothing of it was done"), "{}", text(&refused));
    assert!(text(&refused).contains("line 8: fault 2 (stop of `nobody`): target must be"), "{}", text(&refused));
}

#[tokio::test]
async fn what_is_asked_about_nobody_is_refused_and_an_order_says_whom_it_was_for() {
    let engine = begin(Pace::Stands);
    ask(&engine, "CreateQueue", r#"{"QueueName":"q"}"#).await;
    let say = async |method: &str, target: &str| {
        let answer = engine.call(order(method, target, "")).await.unwrap();
        (answer.response.status, text(&answer))
    };
    for target in ["faults?account=123456789013", "ledger?account=123456789013"] {
        let (status, said) = say("GET", target).await;
        assert!(status == 404 && said.contains("nothing is known of account 123456789013"), "{said}");
        assert!(said.contains("did you mean 123456789012?"), "{said}");
    }
    let (status, said) = say("POST", "end?region=us-east-1").await;
    assert!(status == 404 && said.contains("account 123456789012 has nothing in us-east-1"), "{said}");
    let (status, said) = say("POST", "advance?by=1h&account=123456789013").await;
    assert!(status == 200 && said.contains("\"account\": \"123456789013\""), "{said}");
    assert!(said.contains("\"regions\": []"), "nothing is there yet: {said}");
    assert_eq!(say("GET", "faults?account=123456789013").await.0, 200, "now it is known");
    assert!(say("POST", "advance?by=1s").await.1.contains("\"eu-west-1\""));
    assert_eq!(say("GET", "faults?region=eu-west-1").await.0, 200);
}

#[tokio::test]
async fn what_a_service_refuses_leaves_what_came_before_and_the_answer_says_what() {
    let engine = begin(Pace::Stands);
    let text_of = |delay: &str| format!("[[stream]]\nname = \"bids\"\nshards = 1\n[[queue]]\nname = \"{delay}\"");
    let refused = engine.call(order("POST", "scenario", &text_of("not a name"))).await.unwrap();
    assert_eq!(refused.response.status, 400);
    let said = text(&refused);
    assert!(said.contains("queue `not a name`") && said.contains("which is stream `bids`; or reset"), "{said}");
    assert_eq!(ask(&engine, "ListQueues", "{}").await, "{}");
}

#[tokio::test]
async fn a_hanging_service_keeps_nobody_else_waiting_and_an_unreachable_one_gives_no_answer() {
    let engine = begin(Pace::Stands);
    ask(&engine, "CreateQueue", r#"{"QueueName":"q"}"#).await;
    let fault = "[[fault]]\nkind = \"api-hang\"\ntarget = \"sqs\"\noperations = [\"ListQueues\"]\nuntil = \"2h\"";
    assert_eq!(engine.call(order("POST", "fault", fault)).await.unwrap().response.status, 200);
    let hung = tokio::spawn({
        let engine = engine.clone();
        async move { ask(&engine, "ListQueues", "{}").await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let sent = ask(&engine, "SendMessage", r#"{"QueueUrl":"q","MessageBody":"m"}"#).await;
    assert!(sent.contains("MessageId") && !hung.is_finished(), "{sent}");
    engine.call(order("POST", "advance?by=90m", "")).await;
    assert!(!hung.is_finished());
    engine.call(order("POST", "advance?by=30m", "")).await;
    assert!(hung.await.unwrap().contains("/q"));
    let fault = "[[fault]]\nkind = \"unreachable\"\ntarget = \"sqs\"\nuntil = \"1m\"";
    engine.call(order("POST", "fault", fault)).await;
    assert!(engine.call(signed("test", "eu-west-1", "ListQueues", "{}")).await.is_none());
    engine.call(order("POST", "advance?by=1m", "")).await;
    assert!(ask(&engine, "ListQueues", "{}").await.contains("/q"));
}

#[tokio::test]
async fn while_much_time_passes_for_one_account_the_others_are_served_and_its_own_wait_their_turn() {
    let engine = begin(Pace::Stands);
    let estate = r#"
        [[queue]]
        name = "orders"
        [[template]]
        name = "order"
        text = "an order"
        [[producer]]
        name = "shop"
        target = "sqs/orders"
        per_s = 20.0
        template = "order"
    "#;
    engine.call(order("POST", "scenario", estate)).await;
    let calls = |request: Request| {
        let engine = engine.clone();
        tokio::spawn(async move { text(&engine.call(request).await.unwrap()) })
    };
    let advance = calls(order("POST", "advance?by=1h", ""));
    let own = calls(order("GET", "ledger", ""));
    let further = calls(order("POST", "advance?by=1h", ""));
    tokio::task::yield_now().await;
    let list = || signed("111122223333", "us-east-1", "ListQueues", "{}");
    for _ in 0..10 {
        engine.call(list()).await;
        engine.call(order("GET", "health", "")).await;
    }
    assert!(!advance.is_finished() && !own.is_finished(), "seventy thousand orders take longer than this");
    assert!(advance.await.unwrap().contains("2026-11-27T19:00:00Z"));
    assert!(own.await.unwrap().contains("\"answered\": 0"), "no AWS request was made in the meantime");
    assert!(further.await.unwrap().contains("2026-11-27T20:00:00Z"));
}

#[tokio::test(start_paused = true)]
async fn a_poll_ends_with_the_clock_and_a_message_ends_it_at_once() {
    let engine = begin(Pace::Runs);
    let began = engine.clock().now();
    ask(&engine, "CreateQueue", r#"{"QueueName":"q"}"#).await;
    let poll = r#"{"QueueUrl":"q","WaitTimeSeconds":20}"#;
    assert_eq!(ask(&engine, "ReceiveMessage", poll).await, "{}");
    assert_eq!(engine.clock().now().since(began).as_secs(), 20);
    ask(&engine, "SendMessage", r#"{"QueueUrl":"q","MessageBody":"m","DelaySeconds":7}"#).await;
    assert!(ask(&engine, "ReceiveMessage", poll).await.contains("\"Body\":\"m\""));
    assert_eq!(engine.clock().now().since(began).as_secs(), 27);
}
