//! What an account has subscribed to topics of other accounts. It is kept with the topics; here it is gathered for the
//! account that asks for its subscriptions.

use super::Engine;
use crate::sim::sns::{Foreign, ListOf};
use crate::sim::wire::{Request, query};

impl Engine {
    /// Shows an account that lists its subscriptions those of its region that others keep, by ARN.
    pub(super) fn show_foreign_subscriptions(&mut self, request: &Request, account: &str, region: &str) {
        if self.accounts.len() < 2 || !query::is_list_of_subscriptions(request) {
            return;
        }
        let mut foreign = Vec::new();
        for (_, other) in self.accounts.iter().filter(|(name, _)| *name != account) {
            let Some(world) = other.realms.get(region).map(|realm| &realm.world) else { continue };
            let theirs = world.sns.subscriptions_after(ListOf::Account(account), None, usize::MAX);
            foreign.extend(theirs.into_iter().map(|(topic, id, subscription)| Foreign {
                topic_arn: world.place.arn("sns", &topic.name),
                id: id.to_owned(),
                subscription: subscription.clone(),
            }));
        }
        foreign.sort_by(|one, other| (&one.topic_arn, &one.id).cmp(&(&other.topic_arn, &other.id)));
        if let Some(realm) = self.realm(account, region) {
            realm.world.sns.foreign = foreign;
        }
    }
}
