//! Requests that wait: what each of them waits for, until when, and what of that has changed. Plain data; a request is a
//! number here. Services say what a request waits for and what changes; whoever keeps the requests asks them again.

use crate::domain::time::Timestamp;
use crate::sim::swf::{DomainId, TaskKind, Text};
use std::collections::{BTreeMap, BTreeSet};

/// What a request can wait for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awaited {
    /// A message that can be received from the queue of this name. Each is for one receiver.
    Message(String),
    /// A task in a list. Each is for one poller.
    Task(DomainId, TaskKind, Text),
    /// Records of the stream of this name, which are for each of its subscribers.
    Records(String),
    /// The end of the API's fault that holds it, by the fault's entry in the timeline; it lets all go.
    Release(usize),
    /// Nothing but the time that it named.
    Time,
    /// Any change of the world at all: what a request waits for that did not say.
    Change,
}

/// The requests of one world that wait, in the order in which they came.
#[derive(Debug, Default)]
pub struct Waits {
    waiting: BTreeMap<u64, (Awaited, Timestamp)>,
    by_awaited: BTreeMap<Awaited, BTreeSet<u64>>,
    by_time: BTreeSet<(Timestamp, u64)>,
    /// Only what somebody waits for.
    changed: BTreeSet<Awaited>,
    /// What the request that is being answered waits for.
    named: Option<Awaited>,
    numbers: u64,
    asked_again: u64,
}

/// The services' side.
impl Waits {
    /// The request that is being answered will wait for this.
    pub fn wait_for(&mut self, awaited: Awaited) {
        self.named = Some(awaited);
    }

    /// Something happened to a queue that may let a message be received.
    pub fn queue_changed(&mut self, queue: &str) {
        if !self.waiting.is_empty() {
            self.note(Awaited::Message(queue.to_owned()));
        }
    }

    /// Records came into a stream, or the stream itself became another.
    pub fn stream_changed(&mut self, stream: &str) {
        if !self.waiting.is_empty() {
            self.note(Awaited::Records(stream.to_owned()));
        }
    }

    /// An execution of a domain moved on, so that there may be tasks in the domain's lists.
    pub fn domain_changed(&mut self, domain: DomainId) {
        if self.waiting.is_empty() {
            return;
        }
        let first = Awaited::Task(domain, TaskKind::Activity, Text::from(""));
        let is_of_domain = |awaited: &&Awaited| matches!(awaited, Awaited::Task(of, _, _) if *of == domain);
        let lists = self.by_awaited.range(first..).map(|(awaited, _)| awaited).take_while(is_of_domain);
        self.changed.extend(lists.cloned());
    }

    /// A fault of the API has ended.
    pub fn fault_ended(&mut self, entry: usize) {
        self.note(Awaited::Release(entry));
    }

    fn note(&mut self, awaited: Awaited) {
        if self.by_awaited.contains_key(&awaited) {
            self.changed.insert(awaited);
        }
    }
}

/// The side of who keeps the requests.
impl Waits {
    /// A request is about to be asked; what an earlier one named is forgotten.
    pub fn begin(&mut self) {
        self.named = None;
    }

    /// The request that was just asked waits, at most until then, for what it named; its number.
    pub fn add(&mut self, until: Timestamp) -> u64 {
        self.numbers += 1;
        let awaited = self.named.take().unwrap_or(Awaited::Change);
        self.insert(self.numbers, awaited, until);
        self.numbers
    }

    /// A request was asked again and goes on waiting, for what it named now or else for the same, in its old place.
    pub fn put_off(&mut self, number: u64, until: Timestamp) {
        let Some((awaited, _)) = self.waiting.get(&number) else { return };
        let awaited = self.named.take().unwrap_or_else(|| awaited.clone());
        self.remove(number);
        self.insert(number, awaited, until);
    }

    fn insert(&mut self, number: u64, awaited: Awaited, until: Timestamp) {
        self.by_awaited.entry(awaited.clone()).or_default().insert(number);
        self.by_time.insert((until, number));
        self.waiting.insert(number, (awaited, until));
    }

    /// A request has its answer, or nobody wants one any more.
    pub fn remove(&mut self, number: u64) {
        let Some((awaited, until)) = self.waiting.remove(&number) else { return };
        self.by_time.remove(&(until, number));
        if let Some(numbers) = self.by_awaited.get_mut(&awaited) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.by_awaited.remove(&awaited);
                self.changed.remove(&awaited);
            }
        }
    }

    /// When the next of them has waited long enough.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(until, _)| *until)
    }

    /// The first of those that have waited long enough.
    pub fn due(&self, now: Timestamp) -> Option<u64> {
        self.by_time.first().filter(|(until, _)| *until <= now).map(|(_, number)| *number)
    }

    /// Something that has changed and is waited for; it is told once.
    pub fn take_changed(&mut self) -> Option<Awaited> {
        self.changed.pop_first()
    }

    /// What has changed was of no use to those who wait for it.
    pub fn forget_change(&mut self, awaited: &Awaited) {
        self.changed.remove(awaited);
    }

    /// Who has waited longest for it.
    pub fn first(&self, awaited: &Awaited) -> Option<u64> {
        self.by_awaited.get(awaited)?.first().copied()
    }

    /// Everybody who waits for it.
    pub fn all(&self, awaited: &Awaited) -> Vec<u64> {
        self.by_awaited.get(awaited).into_iter().flatten().copied().collect()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How often a waiting request was asked again, ever: what waiting costs.
    pub fn asked_again(&self) -> u64 {
        self.asked_again
    }

    /// A waiting request is about to be asked again.
    pub fn note_asking(&mut self) {
        self.begin();
        self.asked_again += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(s: u64) -> Timestamp {
        Timestamp::from_millis(0) + Duration::from_secs(s)
    }

    fn waiting(waits: &mut Waits, awaited: Awaited, until: Timestamp) -> u64 {
        waits.begin();
        waits.wait_for(awaited);
        waits.add(until)
    }

    #[test]
    fn a_change_is_told_to_those_who_wait_for_it_and_the_first_comes_first() {
        let mut waits = Waits::default();
        let orders = Awaited::Message("orders".into());
        let first = waiting(&mut waits, orders.clone(), at(20));
        let second = waiting(&mut waits, orders.clone(), at(10));
        waiting(&mut waits, Awaited::Message("bills".into()), at(20));
        waits.queue_changed("orders");
        waits.queue_changed("nobody-waits-for-it");
        assert_eq!(waits.take_changed().as_ref(), Some(&orders));
        assert_eq!(waits.take_changed(), None, "a change is told once");
        assert_eq!((waits.first(&orders), waits.all(&orders)), (Some(first), vec![first, second]));
        waits.remove(first);
        assert_eq!(waits.first(&orders), Some(second));
    }

    #[test]
    fn a_domain_tells_the_lists_that_somebody_polls_and_no_other_domains() {
        let mut waits = Waits::default();
        let list = |domain: u32, kind: TaskKind, name: &str| Awaited::Task(DomainId(domain), kind, Text::from(name));
        for awaited in [
            list(1, TaskKind::Activity, "pack"),
            list(1, TaskKind::Decision, "pack"),
            list(0, TaskKind::Decision, "pack"),
            list(2, TaskKind::Activity, ""),
        ] {
            waiting(&mut waits, awaited, at(60));
        }
        waits.domain_changed(DomainId(1));
        let told: Vec<Awaited> = std::iter::from_fn(|| waits.take_changed()).collect();
        assert_eq!(told, [list(1, TaskKind::Activity, "pack"), list(1, TaskKind::Decision, "pack")]);
    }

    #[test]
    fn each_is_due_at_its_time_and_one_that_named_nothing_waits_for_any_change() {
        let mut waits = Waits::default();
        let long = waiting(&mut waits, Awaited::Time, at(20));
        waits.begin();
        let short = waits.add(at(5));
        assert_eq!((waits.next_at(), waits.due(at(4)), waits.due(at(5))), (Some(at(5)), None, Some(short)));
        assert_eq!(waits.all(&Awaited::Change), [short]);
        waits.put_off(short, at(30));
        assert_eq!(waits.next_at(), Some(at(20)));
        waits.remove(long);
        waits.remove(short);
        assert!(waits.is_empty() && waits.next_at().is_none());
    }
}
