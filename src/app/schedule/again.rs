//! Asking anew, because a person wants to: what is on its way does not count any more.

use super::{Asked, NOW, Schedule, Slot};
use crate::domain::poll::Question;
use crate::domain::row::{KindId, ResourceId};
use std::collections::BTreeSet;

impl Schedule {
    /// Asks anew for everything about these resources and for the inventories of these kinds; what is on its way
    /// about them is dropped when it comes.
    pub fn ask_again(&mut self, ids: &BTreeSet<ResourceId>, kinds: &BTreeSet<KindId>) {
        self.wide_at = NOW;
        let concerns = |question: &Question| match question {
            Question::Identity | Question::Changes { .. } | Question::Tags(_) => true,
            Question::Log(_) | Question::Workflow(_) | Question::Throttled(_) => true,
            Question::Probe(_) => false,
            Question::Inventory(kind) => kinds.contains(kind),
            Question::Direct(_, targets) | Question::Metrics { targets, .. } => {
                targets.iter().any(|target| ids.contains(&target.id))
            }
        };
        let dropped: Vec<Asked> = self.in_flight.values().filter(|asked| concerns(&asked.question)).cloned().collect();
        self.in_flight.retain(|_, asked| !concerns(&asked.question));
        let fresh = |slot: &mut Slot| {
            (slot.asked_at, slot.in_flight, slot.failures) = (None, None, 0);
        };
        for asked in dropped {
            self.purse.settle(asked.usd, 0.0);
            self.each_slot(&asked.place, &asked.question, |_, slot| fresh(slot));
        }
        let on_demand = [&mut self.on_demand.slot];
        let own = self.identities.values_mut().chain(self.changes.values_mut());
        own.chain(on_demand).chain(self.tags.slots()).for_each(fresh);
        self.inventories.iter_mut().filter(|((_, kind), _)| kinds.contains(kind)).for_each(|(_, slot)| fresh(slot));
        for id in ids {
            if let Some(watch) = self.watches.get_mut(id) {
                fresh(&mut watch.direct);
                fresh(&mut watch.metrics);
                fresh(&mut watch.near_metrics);
            }
        }
    }
}
