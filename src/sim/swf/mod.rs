//! SWF as a state machine: domains, types, executions with their histories, decision tasks and activity tasks.
//!
//! Domains and types are named as in the API. Everything takes the hands `cx`, whose `now` is the time of the call.
//! Deadlines (timers, timeouts, ends of retention) wake the service by the agenda, one entry for a domain at a time.
//!
//! ```text
//! register_domain(cx, Registration)      register_workflow_type(cx, domain, ..)    register_activity_type(cx, domain, ..)
//! start_workflow_execution(cx, domain, workflow_id, &type, StartOptions) -> run id
//! poll_for_decision_task(cx, domain, list, identity) -> Option<DecisionTask>
//! respond_decision_task_completed(cx, token, Decided)      then take_lambda_calls() and lambda_answered(cx, task, answer)
//! poll_for_activity_task(cx, domain, list, identity) -> Option<ActivityTask>
//! record_activity_task_heartbeat(cx, token, details)        respond_activity_task(cx, token, ActivityAnswer)
//! signal_, request_cancel_ and terminate_workflow_execution(cx, domain, (workflow_id, run_id), ..)
//! domain(name)?.executions(), .run(workflow_id, run_id), .types; count_pending_decision_tasks(domain, list)
//! ```
//! A poll never waits; waiting is the caller's (`wire` for clients, the actors for themselves). The published request
//! rates are counted by whoever calls on behalf of a client: [`Swf::admit`].

mod activity_task;
mod close;
mod deadline;
mod decide;
mod decision;
mod decision_task;
mod domain;
mod error;
mod event;
mod execution;
mod external;
mod lambda_task;
mod metrics;
mod pollers;
mod rates;
mod start;
mod task_list;
mod types;
mod value;
mod visibility;
pub mod wire;

pub use activity_task::{ActivityAnswer, ActivityTask, TaskToken};
pub use decision::{ContinueAsNew, Decision, ScheduleActivity, StartChild, StartOptions};
pub use decision_task::{Decided, DecisionTask};
pub use domain::{Domain, DomainId, Registration};
pub use error::Family;
pub use event::{Cause, Event, EventId, EventKind, TimeoutType};
pub use execution::{Closed, Execution, ExecutionId};
pub use lambda_task::{LambdaAnswer, LambdaCall};
pub use task_list::TaskKind;
pub use types::{ActivityDefaults, Registered, WorkflowDefaults};
pub use value::{
    ChildPolicy, CloseStatus, ExecutionRef, Priority, RegistrationStatus, TaskList, Text, Timeout, TypeRef,
};
pub use visibility::{Filter, Narrowing, OpenCounts, Order};

use crate::sim::agenda;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use std::collections::BTreeMap;

/// Domains of one account and region, deprecated ones included (SWF "Quotas").
const DOMAINS_MAX: usize = 100;
/// Tags of one domain.
const TAGS_MAX: usize = 50;

/// What falls due inside the service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A timer, a timeout or the end of a retention in this domain.
    Deadlines { domain: u32 },
    /// Each minute pending tasks and used quotas are published to CloudWatch.
    Gauges,
}

impl From<Due> for agenda::Due {
    fn from(due: Due) -> Self {
        Self::Swf(due)
    }
}

/// All domains of one account and region.
#[derive(Debug, Default)]
pub struct Swf {
    /// By [`DomainId`].
    pub(self) domains: Vec<Domain>,
    names: BTreeMap<Text, DomainId>,
    pub(self) rates: rates::Rates,
    pub(self) pollers: pollers::Pollers,
    gauges_run: bool,
}

impl Swf {
    /// Does what the agenda says is due.
    pub fn due(&mut self, cx: &mut Cx<'_>, due: Due) {
        match due {
            Due::Deadlines { domain } => {
                if let Some(domain) = self.domains.get_mut(domain as usize) {
                    domain.do_what_is_due(cx);
                }
            }
            Due::Gauges => self.publish_gauges(cx),
        }
    }

    /// Counts one request of a client against the operation's published rate.
    ///
    /// Errors: `ThrottlingException`.
    pub fn admit(&mut self, cx: &Cx<'_>, operation: &'static str) -> Result<(), ApiError> {
        self.rates.admit(cx, operation)
    }

    /// Errors: `UnknownResourceFault`.
    pub fn domain(&self, name: &str) -> Result<&Domain, ApiError> {
        let id = self.names.get(name).ok_or_else(|| error::unknown_domain(name))?;
        self.domains.get(id.0 as usize).ok_or_else(|| error::unknown_domain(name))
    }

    pub(self) fn domain_mut(&mut self, name: &str) -> Result<&mut Domain, ApiError> {
        let id = self.names.get(name).ok_or_else(|| error::unknown_domain(name))?;
        self.domains.get_mut(id.0 as usize).ok_or_else(|| error::unknown_domain(name))
    }

    /// Every domain, sorted by name.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        self.names.values().filter_map(|id| self.domains.get(id.0 as usize))
    }

    /// RegisterDomain. Errors: `DomainAlreadyExistsFault`, `LimitExceededFault`, `TooManyTagsFault`.
    pub fn register_domain(&mut self, cx: &mut Cx<'_>, registration: Registration) -> Result<(), ApiError> {
        if self.names.contains_key(&registration.name) {
            return Err(error::domain_already_exists(&registration.name));
        }
        if self.domains.len() >= DOMAINS_MAX {
            return Err(error::limit_exceeded(format!("An account can have at most {DOMAINS_MAX} domains")));
        }
        if registration.tags.len() > TAGS_MAX {
            return Err(error::too_many_tags());
        }
        let id = DomainId(self.domains.len() as u32);
        self.names.insert(registration.name.clone(), id);
        self.domains.push(Domain::new(id, registration));
        self.schedule_gauges(cx);
        Ok(())
    }

    /// DeprecateDomain: no new types and executions; those that run go on. Errors: `UnknownResourceFault`,
    /// `DomainDeprecatedFault`.
    pub fn deprecate_domain(&mut self, cx: &Cx<'_>, name: &str) -> Result<(), ApiError> {
        let domain = self.domain_mut(name)?;
        if domain.status == RegistrationStatus::Deprecated {
            return Err(error::domain_deprecated(name));
        }
        domain.status = RegistrationStatus::Deprecated;
        domain.types.deprecate_all(cx.now);
        Ok(())
    }

    /// UndeprecateDomain. Errors: `UnknownResourceFault`, `DomainAlreadyExistsFault`.
    pub fn undeprecate_domain(&mut self, name: &str) -> Result<(), ApiError> {
        let domain = self.domain_mut(name)?;
        if domain.status == RegistrationStatus::Registered {
            return Err(error::domain_already_exists(name));
        }
        domain.status = RegistrationStatus::Registered;
        Ok(())
    }

    /// RegisterWorkflowType. Errors: `UnknownResourceFault`, `DomainDeprecatedFault`, `TypeAlreadyExistsFault`,
    /// `LimitExceededFault`.
    pub fn register_workflow_type(
        &mut self,
        cx: &Cx<'_>,
        domain: &str,
        of: TypeRef,
        description: Option<Text>,
        defaults: WorkflowDefaults,
    ) -> Result<(), ApiError> {
        let domain = self.usable_domain(domain)?;
        domain.types.register_workflow(of, Registered { description, created: cx.now, deprecated: None, defaults })
    }

    /// RegisterActivityType. Errors: as of a workflow type.
    pub fn register_activity_type(
        &mut self,
        cx: &Cx<'_>,
        domain: &str,
        of: TypeRef,
        description: Option<Text>,
        defaults: ActivityDefaults,
    ) -> Result<(), ApiError> {
        let domain = self.usable_domain(domain)?;
        domain.types.register_activity(of, Registered { description, created: cx.now, deprecated: None, defaults })
    }

    fn usable_domain(&mut self, name: &str) -> Result<&mut Domain, ApiError> {
        let domain = self.domain_mut(name)?;
        match domain.status {
            RegistrationStatus::Registered => Ok(domain),
            RegistrationStatus::Deprecated => Err(error::domain_deprecated(name)),
        }
    }

    /// DeprecateWorkflowType and DeprecateActivityType. Errors: `UnknownResourceFault`, `TypeDeprecatedFault`.
    pub fn deprecate_type(&mut self, cx: &Cx<'_>, domain: &str, family: Family, of: &TypeRef) -> Result<(), ApiError> {
        self.domain_mut(domain)?.types.deprecate(family, of, cx.now)
    }

    /// UndeprecateWorkflowType and UndeprecateActivityType. Errors: `UnknownResourceFault`, `TypeAlreadyExistsFault`.
    pub fn undeprecate_type(&mut self, domain: &str, family: Family, of: &TypeRef) -> Result<(), ApiError> {
        self.domain_mut(domain)?.types.undeprecate(family, of)
    }

    /// DeleteWorkflowType and DeleteActivityType. Errors: `UnknownResourceFault`, `TypeNotDeprecatedFault`.
    pub fn delete_type(&mut self, domain: &str, family: Family, of: &TypeRef) -> Result<(), ApiError> {
        let domain = self.domain_mut(domain)?;
        domain.types.delete(family, of)?;
        domain.series.forget_type(of);
        Ok(())
    }

    /// TagResource. Errors: `TooManyTagsFault`.
    pub fn tag_domain(&mut self, name: &str, tags: BTreeMap<String, String>) -> Result<(), ApiError> {
        let domain = self.domain_mut(name)?;
        let known = &mut domain.registration.tags;
        let new = tags.keys().filter(|key| !known.contains_key(*key)).count();
        if known.len() + new > TAGS_MAX {
            return Err(error::too_many_tags());
        }
        known.extend(tags);
        Ok(())
    }

    /// UntagResource. Unknown keys do not matter.
    pub fn untag_domain(&mut self, name: &str, keys: &[&str]) -> Result<(), ApiError> {
        let domain = self.domain_mut(name)?;
        domain.registration.tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    }

    /// CountPendingDecisionTasks: how many wait in a list.
    pub fn count_pending_decision_tasks(&self, domain: &str, list: &str) -> Result<usize, ApiError> {
        Ok(self.domain(domain)?.decision_lists.waiting(list))
    }

    /// How many tasks wait in a list of a domain.
    pub fn count_pending_tasks(&self, domain: DomainId, kind: TaskKind, list: &str) -> usize {
        self.domains.get(domain.0 as usize).map_or(0, |domain| match kind {
            TaskKind::Activity => domain.activity_lists.waiting(list),
            TaskKind::Decision => domain.decision_lists.waiting(list),
        })
    }

    /// CountPendingActivityTasks.
    pub fn count_pending_activity_tasks(&self, domain: &str, list: &str) -> Result<usize, ApiError> {
        Ok(self.domain(domain)?.activity_lists.waiting(list))
    }
}

#[cfg(test)]
pub(crate) mod properties;
#[cfg(test)]
mod tests;
