//! What IAM makes of an account: its alias, its refusals, and what the event history says of both.

use super::*;
use crate::domain::time::Timestamp;
use crate::sim::cx::Place;
use crate::sim::wire::{self, Call, Reply, Request};
use crate::sim::world::World;
use bytes::Bytes;
use proptest::prelude::*;

fn world() -> World {
    let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
    World::new(1, start, Place { account: "123456789012".into(), region: "us-east-1".into(), limits: true })
}

/// Status and body of the answer to a form.
fn ask(world: &mut World, form: &str) -> (u16, String) {
    let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let body = Bytes::from(format!("Version=2010-05-08&{form}"));
    let request = Request { method: "POST".into(), path: "/".into(), query: String::new(), headers, body };
    let Reply::Done(response) = wire::handle(world, &mut Call::new(request, world.now)) else { panic!("it waits") };
    (response.status, String::from_utf8(response.body.to_vec()).unwrap())
}

fn code(body: &str) -> &str {
    body.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next()).unwrap_or_default()
}

fn message(body: &str) -> &str {
    body.split("<Message>").nth(1).and_then(|rest| rest.split("</Message>").next()).unwrap_or_default()
}

#[test]
fn an_account_has_one_alias_the_newest() {
    let mut world = world();
    let (status, body) = ask(&mut world, "Action=ListAccountAliases");
    assert!(
        status == 200 && body.contains("<IsTruncated>false</IsTruncated><AccountAliases></AccountAliases>"),
        "{body}"
    );
    let (status, body) = ask(&mut world, "Action=CreateAccountAlias&AccountAlias=acme");
    assert_eq!(status, 200);
    assert!(
        body.contains(
            "<CreateAccountAliasResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata>"
        ),
        "{body}"
    );
    assert_eq!(ask(&mut world, "Action=CreateAccountAlias&AccountAlias=acme-prod").0, 200);
    let (_, body) = ask(&mut world, "Action=ListAccountAliases&MaxItems=1");
    assert!(body.contains("<AccountAliases><member>acme-prod</member></AccountAliases>"), "{body}");
    assert_eq!(ask(&mut world, "Action=DeleteAccountAlias&AccountAlias=acme-prod").0, 200);
    assert_eq!(world.iam.alias(), None);
}

#[test]
fn what_iam_refuses_in_its_words() {
    let mut world = world();
    world.iam.create_alias("acme").unwrap();
    world.iam.taken_elsewhere.insert("globex".into());
    let invalid = "The specified value for accountAlias is invalid.";
    let bounds = "1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: Member must have \
                  value greater than or equal to 1";
    for (form, status, wanted, words) in [
        ("CreateAccountAlias&AccountAlias=acme", 409, "EntityAlreadyExists", "The account alias acme already exists."),
        ("CreateAccountAlias&AccountAlias=globex", 409, "EntityAlreadyExists", "The account alias globex already"),
        ("DeleteAccountAlias&AccountAlias=globex", 404, "NoSuchEntity", "The account alias globex cannot be found."),
        ("CreateAccountAlias&AccountAlias=ACME", 400, "ValidationError", invalid),
        ("DeleteAccountAlias&AccountAlias=a--b", 400, "ValidationError", invalid),
        (
            "CreateAccountAlias",
            400,
            "ValidationError",
            "1 validation error detected: Value null at 'accountAlias' failed to satisfy constraint: Member must not be \
             null",
        ),
        ("ListAccountAliases&MaxItems=0", 400, "ValidationError", bounds),
        ("ListUsers", 400, "InvalidAction", "Could not find operation ListUsers for version 2010-05-08"),
    ] {
        let (said, body) = ask(&mut world, &format!("Action={form}"));
        assert_eq!((said, code(&body)), (status, wanted), "{form}");
        let told = message(&body).replace("&apos;", "'");
        assert!(told.starts_with(words), "{form}: {told}");
    }
    assert_eq!(world.iam.alias(), Some("acme"));
}

#[test]
fn what_was_done_is_in_the_event_history() {
    let mut world = world();
    ask(&mut world, "Action=CreateAccountAlias&AccountAlias=acme");
    ask(&mut world, "Action=CreateAccountAlias&AccountAlias=acme");
    ask(&mut world, "Action=ListUsers");
    ask(&mut world, "Action=ListAccountAliases");
    let told: Vec<_> = world
        .cloudtrail
        .newest_first()
        .map(|event| (event.source.as_ref(), event.name.as_str(), event.is_read_only, event.error.is_some()))
        .collect();
    let made = "CreateAccountAlias";
    let iam = "iam.amazonaws.com";
    assert_eq!(told, [(iam, "ListAccountAliases", true, false), (iam, made, false, true), (iam, made, false, false)]);
}

proptest! {
    /// The pattern of IAM, letter by letter.
    #[test]
    fn an_alias_is_what_the_pattern_takes(text in "[a-c0-2-]{0,8}|[a-z-]{60,66}|[A-Za-z_-]{3,6}") {
        let letters: Vec<char> = text.chars().collect();
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_inner = |at: usize| is_letter(letters[at]) || (letters[at] == '-' && letters[at + 1] != '-');
        let wanted = (3..=63).contains(&letters.len())
            && is_letter(letters[0])
            && is_letter(letters[letters.len() - 1])
            && (1..letters.len() - 1).all(is_inner);
        prop_assert_eq!(is_alias(&text), wanted);
    }
}
