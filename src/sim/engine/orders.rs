//! The orders of the control interface, carried out: accounts are emptied, advanced, added to, and asked what goes wrong.

use super::{Advance, Engine, ReplyTo, SLICE, full, reply};
use crate::sim::control::{self, Command, Order, Refusal};
use crate::sim::faults::record;
use crate::sim::ledger::Ledger;
use crate::sim::realm::Realm;
use crate::sim::scenario::{self, Fragment};
use crate::sim::wire::{Response, Service};
use crate::sim::world::World;
use std::collections::VecDeque;

impl Engine {
    /// Does what the control interface is asked for, in the account and region that it names.
    pub(super) fn obey(&mut self, order: Order, account: String, signed_region: String, answer: ReplyTo) {
        let asks = matches!(order.command, Command::Ledger | Command::Faults | Command::End(_));
        if let (true, Some(refusal)) = (asks, self.unknown(&account, order.region.as_deref())) {
            return reply(answer, refusal.response());
        }
        match order.command {
            Command::Health => reply(answer, self.health()),
            Command::Ledger => {
                reply(answer, self.ledger_of(&account, order.region.as_deref()));
            }
            Command::Faults => reply(answer, self.faults_of(&account, order.region.as_deref())),
            Command::End(name) => {
                let response = self.end_faults(&account, order.region.as_deref(), name.as_deref());
                reply(answer, response);
            }
            Command::Reset => {
                self.reset(&account, order.region.as_deref());
                reply(answer, self.done(&account));
            }
            Command::Advance(by) => {
                self.accounts.entry(account.clone()).or_default();
                let (until, held) = (self.now(&account) + by, VecDeque::new());
                self.advances.push_back(Advance { account, until, by, done: Some(answer), held });
            }
            Command::Add(fragment) => {
                let region = order.region.unwrap_or(signed_region);
                let added = self.add(&account, &region, &fragment);
                reply(answer, added.map_or_else(|refused| refused, |()| self.done(&account)));
            }
            Command::Strike(faults) => {
                let response = self.strike(&account, order.region, signed_region, &faults);
                reply(answer, response);
            }
        }
    }

    /// Plays a part of a scenario from now on.
    fn add(&mut self, account: &str, region: &str, fragment: &Fragment) -> Result<(), Response> {
        let now = self.now(account);
        let Some(realm) = self.realm(account, region) else { return Err(full()) };
        realm.world.advance_to(now);
        let added = scenario::add(&mut realm.world, fragment);
        realm.advance(now, SLICE);
        realm.tell_of_changes();
        self.look_after(account, region);
        added.map_err(|error| Refusal::not_added(&error).response())
    }

    /// Faults are for the region that is named; else for every region of the account that has what they strike. IAM is
    /// in no region: what strikes it alone strikes it wherever it is served.
    fn strike(&mut self, account: &str, named: Option<String>, signed_region: String, faults: &Fragment) -> Response {
        let known = self.accounts.get(account).into_iter().flat_map(|account| account.realms.keys());
        let mut regions: Vec<String> = named.map_or_else(|| known.cloned().collect(), |region| vec![region]);
        if regions.is_empty() {
            regions.push(signed_region);
        }
        if faults.strikes_only(Service::Iam) {
            regions = vec![self.iam_region(account).to_owned()];
        }
        let (mut struck, mut refused) = (Vec::new(), None);
        for region in regions {
            match self.add(account, &region, faults) {
                Ok(()) => struck.push(region),
                Err(response) => refused = refused.or(Some(response)),
            }
        }
        match refused {
            Some(response) if struck.is_empty() => response,
            _ => control::done(account, self.now(account), struck.iter().map(String::as_str)),
        }
    }

    /// Why nothing can be asked about an account or one of its regions: nothing is known of it. The engine's own account
    /// and region may always be asked about.
    fn unknown(&self, account: &str, region: Option<&str>) -> Option<Refusal> {
        let Some(found) = self.accounts.get(account) else {
            let is_home = account == self.home.account;
            return (!is_home).then(|| Refusal::no_account(account, self.accounts.keys().map(String::as_str)));
        };
        let region = region.filter(|region| *region != self.home.region && !found.realms.contains_key(*region))?;
        Some(Refusal::no_region(account, region, found.realms.keys().map(String::as_str)))
    }

    /// An order was carried out.
    pub(super) fn done(&self, account: &str) -> Response {
        let regions = self.accounts.get(account).into_iter().flat_map(|account| account.realms.keys());
        control::done(account, self.now(account), regions.map(String::as_str))
    }

    /// What was asked of an account in one region, or in all of them.
    fn ledger_of(&self, account: &str, region: Option<&str>) -> Response {
        let realms = self.accounts.get(account).into_iter().flat_map(|account| &account.realms);
        let realms = realms.filter(|(name, _)| region.is_none_or(|region| region == *name));
        let mut sum = Ledger::default();
        realms.clone().for_each(|(_, realm)| sum.add(&realm.world.ledger));
        control::ledger(account, &sum, realms.map(|(name, realm)| (name.as_str(), &realm.world)))
    }

    /// An account's worlds in one region, or in all of them, brought up to now.
    fn worlds_of(&mut self, account: &str, region: Option<&str>) -> impl Iterator<Item = (&str, &mut World)> {
        let now = self.now(account);
        let realms = self.accounts.get_mut(account).into_iter().flat_map(|account| &mut account.realms);
        let realms = realms.filter(move |(name, _)| region.is_none_or(|region| region == *name));
        realms.map(move |(name, realm)| {
            realm.world.advance_to(now);
            (name.as_str(), &mut realm.world)
        })
    }

    fn faults_of(&mut self, account: &str, region: Option<&str>) -> Response {
        control::faults(account, self.worlds_of(account, region).map(|(region, world)| (region, &*world)))
    }

    /// Ends the faults of a name, or all. A name that no fault has is one that somebody misspelt.
    fn end_faults(&mut self, account: &str, region: Option<&str>, name: Option<&str>) -> Response {
        let (mut ended, mut known, mut regions) = (0, Vec::new(), Vec::new());
        for (region, world) in self.worlds_of(account, region) {
            known.extend(record::not_over(world).map(|staged| staged.plan.name.clone()));
            ended += record::end(world, name);
            regions.push(region.to_owned());
        }
        for region in regions {
            let realm = self.accounts.get_mut(account).and_then(|account| account.realms.get_mut(&region));
            realm.into_iter().for_each(Realm::tell_of_changes);
            self.look_after(account, &region);
        }
        match name {
            Some(name) if ended == 0 => Refusal::no_fault(name, known.iter().map(String::as_str)).response(),
            _ => control::ended(ended, self.now(account)),
        }
    }

    /// Empties an account in one region, or in all of them. Its time goes on, so that nothing is from the future.
    fn reset(&mut self, account: &str, region: Option<&str>) {
        let is_meant = |name: &String| region.is_none_or(|region| region == name);
        let realms = self.accounts.get(account).into_iter().flat_map(|account| account.realms.keys());
        let regions: Vec<String> = realms.filter(|name| is_meant(name)).cloned().collect();
        for region in regions {
            let world = self.empty_world(account, &region);
            let Some(found) = self.accounts.get_mut(account) else { return };
            if found.realms.get(&region).is_some_and(Realm::is_quiet) {
                found.realms.remove(&region);
            } else if let Some(realm) = found.realms.get_mut(&region) {
                realm.reset(world);
                self.look_after(account, &region);
            }
        }
    }
}
