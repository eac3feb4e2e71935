//! The roads between accounts: calls about what others own, messages of topics, errands of pollers, and what CloudTrail
//! tells others.

use super::{Engine, SLICE};
use crate::sim::cloudtrail::Shared;
use crate::sim::fanout::{self, Parcel};
use crate::sim::mapping::guest::{self, Brought, Errand};
use crate::sim::realm::Leaving;
use crate::sim::sns::{Delivery, Outcome};
use crate::sim::wire::visit::{Leave, Visit};

/// What leaves a realm.
pub(super) struct Departures {
    pub parcels: Vec<Parcel>,
    pub calls: Vec<Leaving>,
    pub told: Vec<Shared>,
    pub errands: Vec<Errand>,
}

impl Engine {
    /// Carries what leaves a realm to where it goes.
    pub(super) fn carry_all(&mut self, account: &str, region: &str, leaving: Departures) {
        for parcel in leaving.parcels {
            self.carry(account, region, parcel);
        }
        for shared in leaving.told {
            self.tell(region, shared);
        }
        for call in leaving.calls {
            self.bring(account, region, call);
        }
        for errand in leaving.errands {
            self.run_errand(account, region, &errand);
        }
    }

    /// Runs an errand of a mapping's poller to a queue's owner, and back.
    fn run_errand(&mut self, account: &str, region: &str, errand: &Errand) {
        let now = self.now(&errand.account);
        let is_advancing = self.advances.iter().any(|advance| advance.account == errand.account);
        let owner = self.accounts.get_mut(&errand.account).and_then(|account| account.realms.get_mut(region));
        let brought = owner.map_or(Brought::NoQueue, |owner| {
            if !is_advancing {
                owner.advance(now, SLICE);
            }
            let brought = guest::serve(&mut owner.world, errand);
            owner.tell_of_changes();
            brought
        });
        self.look_after(&errand.account, region);
        let realm = self.accounts.get_mut(account).and_then(|account| account.realms.get_mut(region));
        let Some(realm) = realm else { return };
        guest::brought(&mut realm.world, errand.mapping, brought);
        realm.tell_of_changes();
        self.look_after(account, region);
    }

    fn tell(&mut self, region: &str, shared: Shared) {
        let now = self.now(&shared.account);
        let other = self.accounts.get_mut(&shared.account).and_then(|account| account.realms.get_mut(region));
        if let Some(other) = other {
            other.world.cloudtrail.receive_shared(now, shared);
        }
    }

    /// Brings a call to the account that owns what it is about. Where nothing is known of that one, it comes back.
    fn bring(&mut self, account: &str, region: &str, mut leaving: Leaving) {
        let Visit::Leaves(leave) = std::mem::replace(&mut leaving.call.visit, Visit::Lost) else { return };
        let Leave { account: owner, region: owner_region, visitor, looks_at } = leave;
        let is_known = self.accounts.get(&owner).is_some_and(|owner| owner.realms.contains_key(&owner_region));
        let home = || (account.to_owned(), region.to_owned());
        let (account, region) = if let Some(queue) = &looks_at {
            let owner = self.accounts.get(&owner).and_then(|owner| owner.realms.get(&owner_region));
            leaving.call.visit = Visit::Seen(owner.and_then(|owner| guest::look(&owner.world, queue, &visitor)));
            home()
        } else if is_known {
            leaving.call.visit = Visit::Arrived(visitor);
            (owner, owner_region)
        } else {
            home()
        };
        let now = self.now(&account);
        let is_advancing = self.advances.iter().any(|advance| advance.account == account);
        let realm = self.accounts.get_mut(&account).and_then(|account| account.realms.get_mut(&region));
        let Some(realm) = realm else { return };
        if !is_advancing {
            realm.advance(now, SLICE);
        }
        realm.take_in(leaving);
        if self.is_closed {
            realm.close();
        }
        self.look_after(&account, &region);
    }

    /// Brings a message from one realm to another. Where nothing is known of the other one, there is nothing to reach.
    fn carry(&mut self, account: &str, region: &str, parcel: Parcel) {
        let Parcel { from, account: to_account, region: to_region, delivery: Delivery { attempt, to } } = parcel;
        let now = self.now(&to_account);
        let is_advancing = self.advances.iter().any(|advance| advance.account == to_account);
        let other = self.accounts.get_mut(&to_account).and_then(|account| account.realms.get_mut(&to_region));
        let outcome = other.map_or(Outcome::ClientError, |realm| {
            if !is_advancing {
                realm.advance(now, SLICE);
            }
            let outcome = fanout::reach(&mut realm.world, &from, to);
            realm.tell_of_changes();
            outcome
        });
        self.look_after(&to_account, &to_region);
        let realm = self.accounts.get_mut(account).and_then(|account| account.realms.get_mut(region));
        let Some(realm) = realm else { return };
        fanout::arrived(&mut realm.world, attempt, outcome);
        realm.tell_of_changes();
        self.look_after(account, region);
    }
}
