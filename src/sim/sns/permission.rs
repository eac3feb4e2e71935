//! AddPermission and RemovePermission: statements of a topic's policy.

use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::sns::{Sns, policy};

impl Sns {
    /// Lets accounts do actions on the topic, under a label. Errors: NotFound, InvalidParameter.
    pub fn add_permission(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        label: &str,
        accounts: &[&str],
        actions: &[&str],
    ) -> Result<(), ApiError> {
        let topic = self.topic_mut(name)?;
        topic.activity.note(cx.now);
        let arn = cx.place.arn("sns", name);
        let mut policy = topic.attributes.policy.clone().unwrap_or_else(|| policy::default_policy(cx.place, &arn));
        policy.add(&arn, label, accounts, actions)?;
        topic.attributes.policy = Some(policy);
        Ok(())
    }

    /// Takes the statement with this label away.
    pub fn remove_permission(&mut self, cx: &mut Cx<'_>, name: &str, label: &str) -> Result<(), ApiError> {
        let topic = self.topic_mut(name)?;
        topic.activity.note(cx.now);
        let arn = cx.place.arn("sns", name);
        let mut policy = topic.attributes.policy.clone().unwrap_or_else(|| policy::default_policy(cx.place, &arn));
        policy.remove(label);
        topic.attributes.policy = Some(policy);
        Ok(())
    }
}
