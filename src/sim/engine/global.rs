//! What is an account's and not a region's: where its IAM is, and who records what IAM does.

use super::Engine;
use crate::sim::cloudtrail::Event;
use crate::sim::iam;

impl Engine {
    /// Where an account's IAM is, whichever region asks: in the region of the engine's own world, which a scenario's
    /// faults and alias are of; of other accounts, where IAM is signed for.
    pub(super) fn iam_region(&self, account: &str) -> &str {
        if account == self.home.account { &self.home.region } else { iam::RECORDED_IN }
    }

    /// An alias is one account's alone: tells an account's IAM which ones the others have.
    pub(super) fn tell_what_is_taken(&mut self, account: &str, region: &str) {
        let others = self.accounts.iter().filter(|(name, _)| *name != account);
        let aliases = others.flat_map(|(_, other)| other.realms.values()).filter_map(|realm| realm.world.iam.alias());
        let taken = aliases.map(str::to_owned).collect();
        if let Some(realm) = self.realm(account, region) {
            realm.world.iam.taken_elsewhere = taken;
        }
    }

    /// Carries events of global services to the region that records them. Where there is no room for that one, nobody
    /// could look them up either.
    pub(super) fn record(&mut self, account: &str, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        if let Some(realm) = self.realm(account, iam::RECORDED_IN) {
            events.into_iter().for_each(|event| realm.world.cloudtrail.receive(event));
        }
    }
}
