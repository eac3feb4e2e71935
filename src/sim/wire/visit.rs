//! Calls about what another account owns. A service that finds that it is asked about such a thing lets the call leave;
//! whoever keeps the accounts brings it to the owner, whose policy decides, and whose answer the caller gets.

use crate::sim::cloudtrail::Identity;
use crate::sim::sts;
use crate::sim::wire::Call;
use crate::sim::world::World;

/// Whose account serves a call.
#[derive(Clone, Debug, Default)]
pub enum Visit {
    /// The caller's own.
    #[default]
    Home,
    /// It is on its way to the owner.
    Leaves(Leave),
    /// The owner's, which looks at who it is.
    Arrived(Visitor),
    /// There is no owner: the caller's own answers, and has nothing of the kind.
    Lost,
    /// The caller's own, which has looked at another account's queue: as the queue's policy lets it, if there is one.
    Seen(Option<QueueSight>),
}

/// What somebody sees of another account's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSight {
    /// Whether he may receive from it, and delete.
    pub lets_in: bool,
    pub visibility_s: u32,
}

/// Where a call goes, and whose it is.
#[derive(Clone, Debug)]
pub struct Leave {
    pub account: String,
    pub region: String,
    pub visitor: Visitor,
    /// The queue that it only wants to see there: it is answered at home.
    pub looks_at: Option<String>,
}

/// Who calls from another account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    pub account: String,
    pub identity: Identity,
}

impl Call {
    /// Lets the call leave for what another account owns, where somebody carries it there. Whether it does: it is then
    /// to be answered later.
    pub fn leave(&mut self, world: &World, account: &str, region: &str) -> bool {
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_here = account == world.place.account && region == world.place.region;
        if !matches!(self.visit, Visit::Home) || world.abroad.is_none() || !is_account || is_here {
            return false;
        }
        let visitor = Visitor { account: world.place.account.clone(), identity: sts::identity(world, &self.request) };
        let (account, region) = (account.to_owned(), region.to_owned());
        self.visit = Visit::Leaves(Leave { account, region, visitor, looks_at: None });
        true
    }

    /// Lets the call look at another account's queue for somebody, where somebody carries it there. Whether it does.
    pub fn look_at(&mut self, world: &World, account: &str, queue: &str, by: Visitor) -> bool {
        let leaves = self.leave(world, account, &world.place.region);
        if let Visit::Leaves(leave) = &mut self.visit {
            (leave.looks_at, leave.visitor) = (Some(queue.to_owned()), by);
        }
        leaves
    }

    /// Who calls from another account, if this is such a call.
    pub fn visitor(&self) -> Option<&Visitor> {
        match &self.visit {
            Visit::Arrived(visitor) => Some(visitor),
            _ => None,
        }
    }
}
