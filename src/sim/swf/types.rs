//! Workflow and activity types: what each was registered with, and whether it may still be used.

use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::swf::error::{self, Family};
use crate::sim::swf::value::{
    ChildPolicy, Priority, RegistrationStatus, TaskList, Text, Timeout, TypeRef, maybe_priority, maybe_text,
    maybe_timeout,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Types of each family in one domain, deprecated ones included (SWF "Quotas").
const TYPES_MAX: usize = 10_000;

/// What a workflow type's executions have where their start says nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowDefaults {
    #[serde(default, deserialize_with = "maybe_timeout", skip_serializing_if = "Option::is_none")]
    pub default_task_start_to_close_timeout: Option<Timeout>,
    #[serde(default, deserialize_with = "maybe_timeout", skip_serializing_if = "Option::is_none")]
    pub default_execution_start_to_close_timeout: Option<Timeout>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_task_list: Option<TaskList>,
    #[serde(default, deserialize_with = "maybe_priority", skip_serializing_if = "Option::is_none")]
    pub default_task_priority: Option<Priority>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_child_policy: Option<ChildPolicy>,
    #[serde(default, deserialize_with = "maybe_text", skip_serializing_if = "Option::is_none")]
    pub default_lambda_role: Option<Text>,
}

/// What an activity type's tasks have where the decision says nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityDefaults {
    #[serde(default, deserialize_with = "maybe_timeout", skip_serializing_if = "Option::is_none")]
    pub default_task_start_to_close_timeout: Option<Timeout>,
    #[serde(default, deserialize_with = "maybe_timeout", skip_serializing_if = "Option::is_none")]
    pub default_task_heartbeat_timeout: Option<Timeout>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_task_list: Option<TaskList>,
    #[serde(default, deserialize_with = "maybe_priority", skip_serializing_if = "Option::is_none")]
    pub default_task_priority: Option<Priority>,
    #[serde(default, deserialize_with = "maybe_timeout", skip_serializing_if = "Option::is_none")]
    pub default_task_schedule_to_start_timeout: Option<Timeout>,
    #[serde(default, deserialize_with = "maybe_timeout", skip_serializing_if = "Option::is_none")]
    pub default_task_schedule_to_close_timeout: Option<Timeout>,
}

/// A registered type.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered<D> {
    pub description: Option<Text>,
    pub created: Timestamp,
    /// When it was deprecated, if it is.
    pub deprecated: Option<Timestamp>,
    pub defaults: D,
}

impl<D> Registered<D> {
    pub fn status(&self) -> RegistrationStatus {
        match self.deprecated {
            None => RegistrationStatus::Registered,
            Some(_) => RegistrationStatus::Deprecated,
        }
    }
}

/// The types of one domain.
#[derive(Debug, Default)]
pub struct Types {
    workflows: BTreeMap<TypeRef, Registered<WorkflowDefaults>>,
    activities: BTreeMap<TypeRef, Registered<ActivityDefaults>>,
}

impl Types {
    pub fn workflow(&self, of: &TypeRef) -> Option<&Registered<WorkflowDefaults>> {
        self.workflows.get(of)
    }

    pub fn activity(&self, of: &TypeRef) -> Option<&Registered<ActivityDefaults>> {
        self.activities.get(of)
    }

    /// Sorted by name and version.
    pub fn workflows(&self) -> impl Iterator<Item = (&TypeRef, &Registered<WorkflowDefaults>)> {
        self.workflows.iter()
    }

    pub fn activities(&self) -> impl Iterator<Item = (&TypeRef, &Registered<ActivityDefaults>)> {
        self.activities.iter()
    }

    pub fn status(&self, family: Family, of: &TypeRef) -> Option<RegistrationStatus> {
        match family {
            Family::Workflow => self.workflow(of).map(Registered::status),
            Family::Activity => self.activity(of).map(Registered::status),
        }
    }

    /// Errors: `TypeAlreadyExistsFault`, `LimitExceededFault`.
    pub fn register_workflow(&mut self, of: TypeRef, new: Registered<WorkflowDefaults>) -> Result<(), ApiError> {
        register(&mut self.workflows, Family::Workflow, of, new)
    }

    /// Errors: `TypeAlreadyExistsFault`, `LimitExceededFault`.
    pub fn register_activity(&mut self, of: TypeRef, new: Registered<ActivityDefaults>) -> Result<(), ApiError> {
        register(&mut self.activities, Family::Activity, of, new)
    }

    /// Errors: `UnknownResourceFault`, `TypeDeprecatedFault`.
    pub fn deprecate(&mut self, family: Family, of: &TypeRef, now: Timestamp) -> Result<(), ApiError> {
        let deprecated = self.deprecation(family, of)?;
        if deprecated.is_some() {
            return Err(error::type_deprecated(family, of));
        }
        *deprecated = Some(now);
        Ok(())
    }

    /// Errors: `UnknownResourceFault`, `TypeAlreadyExistsFault`.
    pub fn undeprecate(&mut self, family: Family, of: &TypeRef) -> Result<(), ApiError> {
        let deprecated = self.deprecation(family, of)?;
        if deprecated.take().is_none() {
            return Err(error::type_already_exists(family, of));
        }
        Ok(())
    }

    /// Errors: `UnknownResourceFault`, `TypeNotDeprecatedFault`.
    pub fn delete(&mut self, family: Family, of: &TypeRef) -> Result<(), ApiError> {
        if self.deprecation(family, of)?.is_none() {
            return Err(error::type_not_deprecated());
        }
        match family {
            Family::Workflow => drop(self.workflows.remove(of)),
            Family::Activity => drop(self.activities.remove(of)),
        }
        Ok(())
    }

    /// A domain's deprecation is that of all its types (DeprecateDomain).
    pub fn deprecate_all(&mut self, now: Timestamp) {
        let workflows = self.workflows.values_mut().map(|of| &mut of.deprecated);
        let activities = self.activities.values_mut().map(|of| &mut of.deprecated);
        for deprecated in workflows.chain(activities) {
            deprecated.get_or_insert(now);
        }
    }

    fn deprecation(&mut self, family: Family, of: &TypeRef) -> Result<&mut Option<Timestamp>, ApiError> {
        let found = match family {
            Family::Workflow => self.workflows.get_mut(of).map(|of| &mut of.deprecated),
            Family::Activity => self.activities.get_mut(of).map(|of| &mut of.deprecated),
        };
        found.ok_or_else(|| error::unknown_type(family, of))
    }
}

fn register<D>(
    types: &mut BTreeMap<TypeRef, Registered<D>>,
    family: Family,
    of: TypeRef,
    new: Registered<D>,
) -> Result<(), ApiError> {
    if types.contains_key(&of) {
        return Err(error::type_already_exists(family, &of));
    }
    if types.len() >= TYPES_MAX {
        return Err(error::limit_exceeded(format!("A domain can have at most {TYPES_MAX} types of each kind")));
    }
    types.insert(of, new);
    Ok(())
}
