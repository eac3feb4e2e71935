//! What changed just before it broke: somebody changes something, it breaks, and the console says who and what, on its
//! screens and in its findings.

use crate::estate::{Desk, MINUTE, with_faults};
use midwatch::domain::finding::{Confidence, ErrorClass, Finding};
use midwatch::domain::row::{Place, ResourceId};
use midwatch::sim::scenario::builtin;
use midwatch::theme::{Depth, Glyphs, Theme};
use midwatch::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// The flash sale's estate with this fault from its fifth minute on instead of its own, and the console from its first
/// minute to this one.
async fn sale_with(fault: &str, minutes: u32) -> Desk {
    let well = builtin("flash-sale").unwrap().text.split("[[fault]]").next().unwrap();
    let scenario = format!("{well}[[fault]]\nat = \"5m\"\n{fault}");
    let mut desk = Desk::over(&scenario, 1, 0.15).await;
    desk.runner.run_for(MINUTE * (minutes - 1)).await;
    desk
}

pub fn screen(desk: &mut Desk, width: u16, height: u16) -> String {
    desk.runner.resize(width, height);
    let theme = Theme::built_in("night", Depth::TrueColor, Glyphs::Braille).unwrap();
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(frame, desk.runner.state(), &theme)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(|y| format!("{}\n", row(y).trim_end())).collect()
}

#[track_caller]
fn finding<'d>(desk: &'d Desk, cause: &str, resource: &str) -> &'d Finding {
    let id = ResourceId::parse(resource).unwrap();
    let findings = &desk.runner.state().findings;
    let found = findings.iter().find(|found| found.cause.word() == cause && found.resource == id);
    found.unwrap_or_else(|| panic!("no {cause} of {resource} in {findings:#?}"))
}

/// It is certain, its sentence and its evidence name the change, and the change came first.
#[track_caller]
fn is_explained(found: &Finding, change: &str) {
    assert!(found.sentence.contains(change) && found.sentence.contains("by ci-deploy"), "{found:#?}");
    let proof = found.evidence.iter().find(|evidence| evidence.field == "change").unwrap();
    let event = change.split(' ').next().unwrap();
    assert!(proof.sentence.contains(event) && proof.sentence.ends_with("by ci-deploy"), "{found:#?}");
    assert_eq!(found.confidence, Confidence::Certain, "{found:#?}");
}

const BAD_DEPLOY: &str = "kind = \"bad-deploy\"\ntarget = \"lambda/fulfil-order\"\nwhen_contains = '\"gift\":true'\n\
                          error_type = \"KeyError\"\nmessage = \"gift\"\n";

/// IAM is one for all regions, and CloudTrail records what is done to it in us-east-1 alone.
#[tokio::test(start_paused = true)]
async fn a_permission_that_a_role_lost_is_named_where_that_is_recorded() {
    let well = builtin("flash-sale").unwrap().text.split("[[fault]]").next().unwrap();
    let fault = "at = \"5m\"\nkind = \"deny\"\ntarget = \"lambda/count-views\"\naction = \"kinesis:GetRecords\"\n";
    for (region, is_seen) in [("us-east-1", true), ("eu-west-1", false)] {
        let well = well.replacen("region = \"eu-west-1\"", &format!("region = \"{region}\""), 1);
        let mut desk = Desk::over(&format!("{well}[[fault]]\n{fault}"), 3, 0.15).await;
        desk.runner.run_for(MINUTE * 14).await;
        let found = finding(&desk, "stalled-consumer", "kinesis/page-views").clone();
        let said = "The role count-views of lambda/count-views is not let in.";
        assert!(found.sentence.ends_with(said), "{found:#?}");
        let mapping = "its mapping to lambda/count-views says: PROBLEM: Access denied";
        assert!(found.evidence.iter().any(|proof| proof.sentence == mapping), "{found:#?}");
        let change = "DeleteRolePolicy roleName=count-views policyName=count-views-kinesis-GetRecords";
        assert_eq!(found.sentence.contains(change), is_seen, "{found:#?}");
        let unseen = format!("it cannot be seen from {region}");
        assert_eq!(found.evidence.iter().any(|proof| proof.sentence.ends_with(&unseen)), !is_seen, "{found:#?}");
        desk.runner.keys("c").unwrap();
        let seen = screen(&mut desk, 200, 50);
        assert_eq!(seen.contains("lambda/count-views  ci-deploy"), is_seen, "{seen}");
        assert_eq!(seen.contains("IAM's changes are recorded in us-east-1 alone"), !is_seen, "{seen}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_breaks_a_function_is_named_on_every_screen() {
    let mut desk = sale_with(BAD_DEPLOY, 14).await;
    is_explained(finding(&desk, "bad-deploy", "lambda/fulfil-order"), "UpdateFunctionCode");
    desk.runner.keys("c").unwrap();
    for (width, height) in [(80, 24), (200, 50)] {
        let seen = screen(&mut desk, width, height);
        for word in ["RESOURCE", "WHO", "lambda/fulfil-order", "ci-deploy", "UpdateFunctionCode", "1/1", "enter open"] {
            assert!(seen.contains(word), "no `{word}` in\n{seen}");
        }
    }
    desk.runner.keys("<enter>").unwrap();
    let seen = screen(&mut desk, 80, 24);
    assert!(seen.contains("changed 9m") && seen.contains("UpdateFunctionCode by ci-deploy s3Key="), "{seen}");
    desk.runner.keys("<esc><esc>:changes<enter>").unwrap();
    assert!(screen(&mut desk, 80, 24).contains("1/1"));
    desk.runner.keys("<esc>1").unwrap();
    assert!(screen(&mut desk, 200, 50).contains("It began after UpdateFunctionCode"));
}

#[tokio::test(start_paused = true)]
async fn a_mapping_that_is_switched_off_is_named_by_the_queue_that_stands() {
    let desk = sale_with("kind = \"disable-mapping\"\ntarget = \"sqs/orders\"\n", 18).await;
    let found = finding(&desk, "stalled-consumer", "sqs/orders");
    is_explained(found, "UpdateEventSourceMapping enabled=false of lambda/fulfil-order");
}

#[tokio::test(start_paused = true)]
async fn a_mapping_that_is_switched_off_is_named_by_the_stream_that_nobody_reads() {
    let desk = sale_with("kind = \"disable-mapping\"\ntarget = \"kinesis/page-views\"\n", 18).await;
    let found = finding(&desk, "stalled-consumer", "kinesis/page-views");
    is_explained(found, "UpdateEventSourceMapping enabled=false of lambda/count-views");
}

#[tokio::test(start_paused = true)]
async fn a_cap_on_concurrency_is_named_by_the_function_that_is_throttled() {
    let desk = sale_with("kind = \"concurrency-cap\"\ntarget = \"lambda/settle-bid\"\ncap = 1\n", 14).await;
    is_explained(finding(&desk, "function-throttled", "lambda/settle-bid"), "PutFunctionConcurrency");
}

#[tokio::test(start_paused = true)]
async fn a_filter_policy_is_named_by_the_topic_that_delivers_less() {
    let fault = "kind = \"filter-policy\"\nat = \"8m\"\ntarget = \"order-events/sqs/billing\"\n\
                 policy = '{\"customer_type\":[\"nobody\"]}'";
    let mut desk = Desk::over(&with_faults(&[fault]), 1, 0.15).await;
    desk.runner.run_for(MINUTE * 30).await;
    is_explained(finding(&desk, "filter-policy", "sns/order-events"), "SetSubscriptionAttributes FilterPolicy");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_has_changed_anything_no_change_is_blamed_and_the_screen_says_since_when() {
    let mut desk = sale_with("kind = \"surge\"\ntarget = \"bidding-clients\"\nfactor = 5\n", 14).await;
    let findings = &desk.runner.state().findings;
    assert!(!findings.is_empty());
    assert!(findings.iter().flat_map(|found| &found.evidence).all(|evidence| evidence.field != "change"));
    desk.runner.keys("c").unwrap();
    let seen = screen(&mut desk, 80, 24);
    assert!(seen.contains("Nothing that is watched here was changed since 16:"), "{seen}");
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_the_screen_names_it_and_all_else_works() {
    let fault = "kind = \"api-denied\"\nwho = \"clients\"\ntarget = \"cloudtrail\"";
    let mut desk = Desk::over(&with_faults(&[fault]), 1, 0.15).await;
    desk.runner.run_for(MINUTE * 3).await;
    let problems = &desk.runner.state().problems;
    let told: Vec<_> = problems.keys().collect();
    assert_eq!(told, [&(Place::default(), "cloudtrail", "LookupEvents")]);
    assert!(problems.values().all(|problem| problem.class == ErrorClass::Denied));
    desk.runner.keys("c").unwrap();
    let seen = screen(&mut desk, 80, 24);
    assert!(seen.contains("`cloudtrail:LookupEvents`"), "{seen}");
}

#[tokio::test(start_paused = true)]
async fn what_midwatch_did_itself_says_so() {
    let mut desk = Desk::over(builtin("flash-sale").unwrap().text, 8, 0.15).await;
    let arn = "arn:aws:sqs:eu-west-1:123456789012:orders-dlq";
    desk.json("AmazonSQS.StartMessageMoveTask", &format!("{{\"SourceArn\":\"{arn}\"}}")).await;
    desk.runner.run_for(MINUTE * 9).await;
    let changes: Vec<_> = desk.runner.state().changes.iter().collect();
    let task = changes.iter().find(|change| change.event == "StartMessageMoveTask").unwrap();
    assert_eq!(task.resources, [ResourceId::parse("sqs/orders-dlq").unwrap()]);
    assert!(!task.by_midwatch, "it was another client");
}
