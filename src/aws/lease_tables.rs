//! What is remembered of DynamoDB's tables from poll to poll: which are lease tables, when each was looked at, and where
//! the counters of its leases stood. A table that is none is not described again while it is listed.
//!
//! A look at a lease table takes read capacity that its workers need too. What somebody looks at is read every ten
//! seconds, or as seldom as keeps the looks below a twentieth of what is provisioned; all else rarely, and only small
//! tables.

use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// A table that is larger is read only while somebody looks at it: 64 KiB are 8 read units.
const SWEEP_BYTES_MAX: i64 = 65_536;
const LOOK_NEAR_EVERY: Duration = Duration::from_secs(10);
const LOOK_WIDE_EVERY: Duration = Duration::from_secs(600);
/// When a first look wants its second, and when leases are not renewed.
const LOOK_SOON_EVERY: Duration = Duration::from_secs(60);
/// Workers report each half minute, and CloudWatch has a number a minute.
const COUNT_NEAR_EVERY: Duration = Duration::from_secs(60);
/// The share of a provisioned table's read units that looks may take.
const READ_SHARE: f64 = 0.05;
const DESCRIBE_EVERY: Duration = Duration::from_secs(300);

/// Shared by all clients of a context.
#[derive(Clone, Debug, Default)]
pub struct LeaseTables(Arc<RwLock<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    tables: BTreeMap<String, Table>,
    /// The applications beside whose lease table another is listed that their workers report to.
    reporting: BTreeSet<String>,
}

#[derive(Clone, Debug)]
enum Table {
    Other,
    Leases(Known),
}

#[derive(Clone, Debug)]
struct Known {
    described_at: Timestamp,
    capacity: Capacity,
    looked: Option<Look>,
    /// The longest time from one renewal of a lease to its next, as far as looks have seen it.
    renews_every: Option<Duration>,
    /// When its workers were counted, and whether that was dear.
    counted: Option<(Timestamp, bool)>,
}

/// What DescribeTable says of how much a look takes and how much there is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// As of some hours ago: DynamoDB counts every six.
    pub bytes: i64,
    /// Provisioned read units a second; `None`: on demand.
    pub read_units: Option<f64>,
}

#[derive(Clone, Debug)]
struct Look {
    at: Timestamp,
    units: f64,
    /// A next one is wanted soon.
    is_open: bool,
    counters: BTreeMap<String, Counter>,
}

/// A lease's counter and its owner.
pub type Held = (i64, String);

/// Where a lease's counter stood, and since when it was seen to stand there.
#[derive(Clone, Debug)]
struct Counter {
    number: i64,
    owner: String,
    since: Timestamp,
    has_moved: bool,
}

/// What two looks say of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// A second look must tell.
    SeenOnce,
    /// Its counter moves; it was last seen to stand still for so long.
    Moves(Duration),
    StandsStill(Duration),
}

/// A worker renews three times within the failover time, ten seconds unless set otherwise. Where renewals are seen to be
/// rarer, a counter may stand still for so many times as long as between two of them.
const STANDS_STILL: Duration = Duration::from_secs(20);
const MISSED_RENEWALS: u32 = 2;
/// Where no two renewals were seen yet, the failover time may be minutes.
const STANDS_STILL_UNKNOWN: Duration = Duration::from_secs(120);

impl LeaseTables {
    fn read<R>(&self, read: impl FnOnce(&BTreeMap<String, Table>) -> R) -> R {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner).tables)
    }

    fn change<R>(&self, change: impl FnOnce(&mut BTreeMap<String, Table>) -> R) -> R {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner).tables)
    }

    /// Remembers which applications have a table of reports.
    pub fn listed_reports(&self, applications: BTreeSet<String>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).reporting = applications;
    }

    /// Whether a table is listed that this application's workers report to.
    pub fn has_reports(&self, application: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).reporting.contains(application)
    }

    /// Whether it is time to find out which workers there are.
    pub fn is_to_count(&self, name: &str, is_near: bool, now: Timestamp) -> bool {
        let every = |is_dear: bool| if is_near && !is_dear { COUNT_NEAR_EVERY } else { LOOK_WIDE_EVERY };
        self.read(|tables| match tables.get(name) {
            // What holds leases is known of a look alone.
            Some(Table::Leases(known)) if known.looked.is_some() => {
                known.counted.is_none_or(|(at, is_dear)| now.since(at) >= every(is_dear))
            }
            _ => false,
        })
    }

    /// Its workers were counted; where that was dear, it is done seldom even while somebody looks.
    pub fn counted(&self, name: &str, is_dear: bool, now: Timestamp) {
        self.change(|tables| {
            if let Some(Table::Leases(known)) = tables.get_mut(name) {
                known.counted = Some((now, is_dear));
            }
        });
    }

    /// Who holds a lease by the last look, renewed or not.
    pub fn owners(&self, name: &str) -> BTreeSet<String> {
        self.read(|tables| match tables.get(name) {
            Some(Table::Leases(Known { looked: Some(look), .. })) => {
                look.counters.values().map(|counter| counter.owner.clone()).collect()
            }
            _ => BTreeSet::new(),
        })
    }

    /// Forgets what is not listed any more; gives the tables of which it is not known what they are.
    pub fn listed(&self, names: &BTreeSet<String>) -> Vec<String> {
        self.change(|tables| {
            tables.retain(|name, _| names.contains(name));
            names.iter().filter(|name| !tables.contains_key(*name)).cloned().collect()
        })
    }

    /// The lease tables, by name.
    pub fn applications(&self) -> Vec<String> {
        let is_leases = |(name, table): (&String, &Table)| matches!(table, Table::Leases(_)).then(|| name.clone());
        self.read(|tables| tables.iter().filter_map(is_leases).collect())
    }

    /// A table was described; `None`: it holds no leases.
    pub fn described(&self, name: &str, capacity: Option<Capacity>, now: Timestamp) {
        self.change(|tables| {
            let (looked, renews_every, counted) = match tables.remove(name) {
                Some(Table::Leases(known)) => (known.looked, known.renews_every, known.counted),
                _ => (None, None, None),
            };
            let known = |capacity| Known { described_at: now, capacity, looked, renews_every, counted };
            let leases = |capacity| Table::Leases(known(capacity));
            tables.insert(name.to_owned(), capacity.map_or(Table::Other, leases));
        });
    }

    pub fn is_to_describe(&self, name: &str, now: Timestamp) -> bool {
        self.read(|tables| match tables.get(name) {
            Some(Table::Leases(known)) => now.since(known.described_at) >= DESCRIBE_EVERY,
            Some(Table::Other) => false,
            None => true,
        })
    }

    pub fn is_to_look(&self, name: &str, is_near: bool, now: Timestamp) -> bool {
        self.read(|tables| {
            let Some(Table::Leases(known)) = tables.get(name) else { return false };
            if !is_near && known.capacity.bytes > SWEEP_BYTES_MAX {
                return false;
            }
            let Some(look) = &known.looked else { return true };
            let every = match (is_near, look.is_open) {
                (true, _) => LOOK_NEAR_EVERY,
                (false, true) => LOOK_SOON_EVERY,
                (false, false) => LOOK_WIDE_EVERY,
            };
            let sparing = known.capacity.read_units.filter(|units| *units > 0.0);
            let sparing = sparing.map_or(0.0, |units| (look.units / (units * READ_SHARE)).min(86_400.0));
            now.since(look.at) >= every.max(Duration::from_secs_f64(sparing))
        })
    }

    /// Takes a look's counters over (of leases that should be renewed); gives what it and those before say of each.
    pub fn looked(
        &self,
        name: &str,
        (counters, units): (BTreeMap<String, Held>, f64),
        now: Timestamp,
    ) -> BTreeMap<String, Renewal> {
        self.change(|tables| {
            let Some(Table::Leases(known)) = tables.get_mut(name) else { return BTreeMap::new() };
            let before = known.looked.take().map(|look| look.counters).unwrap_or_default();
            let seen = counters.iter().filter_map(|(key, held)| before.get(key)?.renewed_every(held, now));
            known.renews_every = known.renews_every.max(seen.max());
            let allowed = known.renews_every.map_or(STANDS_STILL_UNKNOWN, |every| every * MISSED_RENEWALS);
            let allowed = allowed.max(STANDS_STILL);
            let next = |(key, (number, owner)): (String, Held)| {
                let counter = match before.get(&key) {
                    Some(seen) if seen.number == number => seen.clone(),
                    seen => Counter { number, owner, since: now, has_moved: seen.is_some() },
                };
                (key, counter)
            };
            let counters: BTreeMap<String, Counter> = counters.into_iter().map(next).collect();
            let said: BTreeMap<String, Renewal> =
                counters.iter().map(|(key, counter)| (key.clone(), counter.renewal(allowed, now))).collect();
            let is_open = said.values().any(|renewal| !matches!(renewal, Renewal::Moves(_)));
            known.looked = Some(Look { at: now, units, is_open, counters });
            said
        })
    }
}

impl Counter {
    /// How long it takes from one renewal to the next, where the same owner has renewed since: each raises the counter by
    /// one. From where it was first seen, and not seen to move, one renewal alone says nothing.
    fn renewed_every(&self, (number, owner): &Held, now: Timestamp) -> Option<Duration> {
        let renewals = u32::try_from(number.checked_sub(self.number)?).ok().filter(|renewals| *renewals > 0)?;
        let is_same = self.owner == *owner && (self.has_moved || renewals > 1);
        is_same.then(|| now.since(self.since) / renewals)
    }

    fn renewal(&self, allowed: Duration, now: Timestamp) -> Renewal {
        let still = now.since(self.since);
        if still >= allowed {
            Renewal::StandsStill(still)
        } else if self.has_moved {
            Renewal::Moves(still)
        } else {
            Renewal::SeenOnce
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    fn leases(read_units: Option<f64>, bytes: i64) -> LeaseTables {
        let tables = LeaseTables::default();
        tables.described("app", Some(Capacity { bytes, read_units }), at(0));
        tables
    }

    fn look(tables: &LeaseTables, counter: i64, second: i64) -> Renewal {
        tables.looked("app", ([("shard".to_owned(), (counter, "w".to_owned()))].into(), 0.5), at(second))["shard"]
    }

    #[test]
    fn a_table_that_holds_no_leases_is_described_once_while_it_is_listed() {
        let tables = leases(None, 0);
        let names: BTreeSet<String> = ["app", "carts"].map(str::to_owned).into();
        assert_eq!(tables.listed(&names), ["carts"]);
        tables.described("carts", None, at(0));
        assert_eq!(tables.listed(&names), [""; 0]);
        assert_eq!(tables.applications(), ["app"]);
        assert!(!tables.is_to_describe("carts", at(100_000)));
        tables.listed(&["app".to_owned()].into());
        assert_eq!(tables.listed(&names), ["carts"], "it could be another one of that name");
    }

    #[test]
    fn a_counter_that_moves_is_renewed_and_one_that_stands_is_not() {
        let tables = leases(None, 0);
        assert_eq!(look(&tables, 7, 0), Renewal::SeenOnce);
        assert_eq!(look(&tables, 7, 3), Renewal::SeenOnce);
        assert_eq!(look(&tables, 10, 15), Renewal::Moves(Duration::ZERO));
        assert_eq!(look(&tables, 10, 25), Renewal::Moves(Duration::from_secs(10)));
        assert_eq!(look(&tables, 10, 35), Renewal::StandsStill(Duration::from_secs(20)));
        assert_eq!(look(&tables, 11, 45), Renewal::Moves(Duration::ZERO));
    }

    /// With a failover time of five minutes a worker renews every hundred seconds.
    #[test]
    fn a_fleet_that_renews_seldom_is_not_taken_for_lost() {
        let tables = leases(None, 0);
        for second in (0..1000).step_by(10) {
            let said = look(&tables, second / 100, second);
            assert!(!matches!(said, Renewal::StandsStill(_)), "{said:?} at {second}");
        }
        let stops = 10;
        let said: Vec<Renewal> = (0..30).map(|n| look(&tables, stops, 1000 + n * 10)).collect();
        let first = said.iter().position(|said| matches!(said, Renewal::StandsStill(_))).unwrap();
        assert!((20..23).contains(&first), "after two renewals that did not come: {first}");
    }

    #[test]
    fn a_change_of_owner_is_no_renewal() {
        let tables = leases(None, 0);
        let held = |counter: i64, owner: &str, second| {
            let counters = [("shard".to_owned(), (counter, owner.to_owned()))].into();
            tables.looked("app", (counters, 0.5), at(second))["shard"]
        };
        held(1, "a", 0);
        assert_eq!(held(4, "a", 10), Renewal::Moves(Duration::ZERO));
        assert_eq!(held(4, "a", 70), Renewal::StandsStill(Duration::from_secs(60)));
        assert_eq!(held(5, "b", 80), Renewal::Moves(Duration::ZERO));
        assert_eq!(
            held(5, "b", 100),
            Renewal::StandsStill(Duration::from_secs(20)),
            "it does not say how often they renew"
        );
    }

    #[test]
    fn what_was_never_seen_to_be_renewed_may_be_renewed_seldom() {
        let tables = leases(None, 0);
        assert_eq!(look(&tables, 7, 0), Renewal::SeenOnce);
        assert_eq!(look(&tables, 7, 60), Renewal::SeenOnce);
        assert_eq!(look(&tables, 7, 120), Renewal::StandsStill(Duration::from_secs(120)));
    }

    #[test]
    fn workers_are_counted_after_a_look_and_no_more_often_than_they_report() {
        let tables = leases(None, 0);
        assert!(!tables.is_to_count("app", true, at(0)), "who holds a lease is not known yet");
        look(&tables, 1, 0);
        assert_eq!(tables.owners("app"), ["w".to_owned()].into());
        assert!(tables.is_to_count("app", false, at(0)));
        tables.counted("app", false, at(0));
        tables.described("app", Some(Capacity { bytes: 0, read_units: None }), at(30));
        assert!(!tables.is_to_count("app", true, at(59)) && tables.is_to_count("app", true, at(60)));
        assert!(!tables.is_to_count("app", false, at(599)) && tables.is_to_count("app", false, at(600)));
        assert!(!tables.is_to_count("carts", true, at(600)));
        tables.counted("app", true, at(600));
        assert!(!tables.is_to_count("app", true, at(1199)) && tables.is_to_count("app", true, at(1200)));
    }

    #[test]
    fn looks_are_rare_where_nobody_looks_and_spare_what_is_provisioned() {
        let tables = leases(None, 0);
        assert!(tables.is_to_look("app", false, at(0)));
        look(&tables, 1, 0);
        assert!(!tables.is_to_look("app", false, at(59)) && tables.is_to_look("app", false, at(60)));
        look(&tables, 2, 60);
        assert!(!tables.is_to_look("app", false, at(659)) && tables.is_to_look("app", false, at(660)));
        assert!(!tables.is_to_look("app", true, at(69)) && tables.is_to_look("app", true, at(70)));
        let large = leases(None, SWEEP_BYTES_MAX + 1);
        assert!(!large.is_to_look("app", false, at(0)) && large.is_to_look("app", true, at(0)));
        let scarce = leases(Some(1.0), 0);
        scarce.looked("app", (BTreeMap::new(), 5.0), at(0));
        assert!(!scarce.is_to_look("app", true, at(99)), "5 units are a twentieth of what 100 seconds bring");
        assert!(scarce.is_to_look("app", true, at(100)));
    }
}
