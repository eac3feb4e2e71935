//! The journal in examples: chained, torn, changed, shared by two writers.

use super::*;
use crate::actions::{Answer, Expect, Invocation, Safety};
use crate::domain::row::{KindId, ResourceId};
use crate::domain::verb::ActionId;

const NOW: Timestamp = Timestamp::from_millis(1_795_802_520_000);

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("midwatch-journal-{}-{name}", std::process::id()));
        std::fs::remove_dir_all(&path).ok();
        Self(path)
    }

    fn journal(&self) -> Journal {
        Journal::open(&self.0.join("journal.jsonl")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn plan(payload: &str) -> Plan {
    Plan {
        action: ActionId::Invoke,
        resource: ResourceId::new(KindId::Lambda, "settle-bid"),
        preview: vec!["Run settle-bid once.".into()],
        warnings: Vec::new(),
        calls: vec![Call::Invoke {
            function: "settle-bid".into(),
            payload: payload.into(),
            invocation: Invocation::Wait,
        }],
        safety: Safety::Costly,
        expect: Expect::Answer,
        made_at: NOW,
    }
}

fn text(journal: &Journal) -> String {
    std::fs::read_to_string(journal.path()).unwrap()
}

#[test]
fn intent_and_outcome_are_chained_and_private() {
    let folder = Folder::new("chained");
    let journal = folder.journal();
    let who = Who { source: "demo", account: Some("123456789012".into()), ..Who::default() };
    let intent = journal.intent(NOW, &who, &plan("{}")).unwrap();
    let answer = Answer {
        status: 200,
        function_error: None,
        payload: "1".into(),
        log_tail: "END".into(),
        executed_version: None,
    };
    journal.outcome(NOW, intent, &[CallOutcome::Answered(answer)]).unwrap();
    journal.end(NOW, intent, End::Done, "It answered.").unwrap();
    let chain = check(&text(&journal));
    assert_eq!((chain.broken, chain.torn), (None, vec![]));
    let words: Vec<_> = chain.entries.iter().map(|entry| entry.value["what"].as_str().unwrap().to_owned()).collect();
    assert_eq!(words, ["intent", "outcome", "end"]);
    assert_eq!(chain.entries[0].value["who"]["account"], "123456789012");
    assert_eq!(chain.entries[1].value["intent"], 1);
    let mode = std::fs::metadata(journal.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_changed_removed_or_foreign_line_is_named() {
    let folder = Folder::new("changed");
    let journal = folder.journal();
    for _ in 0..4 {
        journal.intent(NOW, &Who::default(), &plan("{}")).unwrap();
    }
    let good = text(&journal);
    let changed: String = good
        .lines()
        .enumerate()
        .map(|(n, line)| if n == 1 { line.replace("settle-bid", "settle-all") } else { line.into() } + "\n")
        .collect();
    assert_eq!(check(&changed).broken.unwrap().0, 2);
    let removed: String = good.lines().enumerate().filter(|(n, _)| *n != 1).map(|(_, l)| l.to_owned() + "\n").collect();
    assert_eq!(check(&removed).broken.unwrap().0, 2, "the line that now follows the gap");
    let headless: String = good.lines().skip(1).map(|line| line.to_owned() + "\n").collect();
    assert_eq!(check(&headless).broken.unwrap().0, 1);
    assert_eq!(check(&format!("{good}not an entry\n")).broken.unwrap().0, 5);
    assert_eq!(check(&good).broken, None);
}

#[test]
fn a_line_that_a_crash_cut_off_is_told_and_the_chain_goes_on() {
    let folder = Folder::new("torn");
    let journal = folder.journal();
    journal.intent(NOW, &Who::default(), &plan("{}")).unwrap();
    journal.intent(NOW, &Who::default(), &plan("{}")).unwrap();
    let whole = text(&journal);
    std::fs::write(journal.path(), &whole[..whole.len() - 40]).unwrap();
    let chain = check(&text(&journal));
    assert_eq!((chain.entries.len(), &chain.torn[..], &chain.broken), (1, &[2][..], &None));
    assert_eq!(journal.intent(NOW, &Who::default(), &plan("{}")).unwrap(), 2);
    let chain = check(&text(&journal));
    assert_eq!((chain.entries.len(), &chain.torn[..], &chain.broken), (2, &[2][..], &None));
}

#[test]
fn a_long_payload_is_cut_and_its_hash_kept() {
    let folder = Folder::new("payload");
    let journal = folder.journal();
    let payload = format!("\"{}\"", "ä".repeat(40_000));
    journal.intent(NOW, &Who::default(), &plan(&payload)).unwrap();
    journal.intent(NOW, &Who::default(), &plan(&payload)).unwrap();
    let chain = check(&text(&journal));
    assert_eq!((chain.entries.len(), chain.broken), (2, None));
    let call = chain.entries[0].value["calls"][0].as_str().unwrap();
    assert!(call.contains("(80002 bytes, sha256 ") && call.len() < 2 * TEXT_KEPT_BYTES, "{}", call.len());
}

#[test]
fn two_writers_at_once_make_one_chain() {
    let folder = Folder::new("shared");
    let path = folder.journal().path().to_owned();
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let journal = Journal::open(&path).unwrap();
            std::thread::spawn(move || {
                for _ in 0..25 {
                    journal.intent(NOW, &Who::default(), &plan("{}")).unwrap();
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let chain = check(&std::fs::read_to_string(&path).unwrap());
    assert_eq!((chain.entries.len(), chain.broken, chain.torn.len()), (100, None, 0));
}
