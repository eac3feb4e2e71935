//! Provisioned concurrency: environments of a version or an alias that are initialised before anybody asks.

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::lambda::environment::{ACCOUNT_CONCURRENCY, Environment, UNRESERVED_MINIMUM};
use crate::sim::lambda::function::{Function, FunctionId, conflict, invalid_parameter, without_type};
use crate::sim::lambda::version::{Chosen, Qualifier, VersionNumber};
use crate::sim::lambda::{Due, Lambda};
use std::sync::Arc;
use std::time::Duration;

/// Allocation begins to show after a minute or two [Configuring provisioned concurrency].
const ALLOCATION_BEGINS: Duration = Duration::from_secs(60);
/// Then up to 6,000 environments a minute are allocated for each function [same page]: so many milliseconds each.
const MS_PER_ENVIRONMENT: u64 = 10;

/// One version's or alias's provisioned concurrency.
#[derive(Clone, Debug, PartialEq)]
pub struct Provisioned {
    pub requested: u32,
    /// Environments that are ready, busy ones included.
    pub allocated: u32,
    /// The ready ones of the version that the alias ran before it moved: they are told of until the new ones are ready.
    moved_from: u32,
    pub last_modified: Timestamp,
    /// Busy ones.
    pub in_use: u32,
    /// The most that were busy at once since the last whole minute.
    pub(super) peak: u32,
    /// Counts the allocations: only the newest one's end counts.
    generation: u32,
    idle: Vec<Environment>,
}

impl Provisioned {
    pub fn is_ready(&self) -> bool {
        self.allocated >= self.requested
    }

    /// How many environments an answer tells of.
    pub fn told(&self) -> u32 {
        self.allocated.max(self.moved_from)
    }

    /// Begins to allocate what is requested.
    fn allocate(&mut self, cx: &mut Cx<'_>, function: FunctionId, qualifier: &str) {
        self.generation += 1;
        let wait = ALLOCATION_BEGINS + Duration::from_millis(u64::from(self.requested) * MS_PER_ENVIRONMENT);
        let due = Due::Provisioned { function, qualifier: qualifier.to_owned(), generation: self.generation };
        cx.schedule_in(cx.settling(wait), due.into());
    }
}

/// `ProvisionedConcurrencyConfigNotFoundException`.
pub fn no_provisioned() -> ApiError {
    let message = "No Provisioned Concurrency Config found for this function";
    ApiError::client("ProvisionedConcurrencyConfigNotFoundException", message).with_status(404)
}

impl Function {
    /// Environments that the function claims for its provisioned concurrency.
    pub fn provisioned_sum(&self) -> u32 {
        self.provisioned.values().map(|provisioned| provisioned.requested).sum()
    }

    /// Under which qualifier an invocation finds provisioned environments: the alias it came through, else the
    /// version that it runs.
    pub(super) fn provisioned_key(&self, chosen: &Chosen) -> Option<Arc<str>> {
        if self.provisioned.is_empty() {
            return None;
        }
        let version = chosen.version.to_string();
        let alias = match &chosen.qualifier {
            Qualifier::Alias(name) => Some(name.as_ref()),
            Qualifier::Unqualified | Qualifier::Version(_) => None,
        };
        let is_there = |key: &&str| self.provisioned.get(*key).is_some_and(|found| found.allocated > 0);
        alias.into_iter().chain([version.as_str()]).find(is_there).map(Arc::from)
    }

    /// An idle provisioned environment, which is busy from now on.
    pub(super) fn take_provisioned(&mut self, key: &str) -> Option<Environment> {
        let found = self.provisioned.get_mut(key)?;
        let environment = found.idle.pop()?;
        found.in_use += 1;
        found.peak = found.peak.max(found.in_use);
        Some(environment)
    }

    /// A provisioned environment's invocation has ended. What was taken away meanwhile does not come back.
    pub(super) fn give_back_provisioned(&mut self, key: &str, environment: Environment) {
        let Some(found) = self.provisioned.get_mut(key) else { return };
        found.in_use = found.in_use.saturating_sub(1);
        if found.in_use + (found.idle.len() as u32) < found.allocated {
            found.idle.push(environment);
        }
    }

    /// An alias runs another version: its environments are made again.
    pub(super) fn provision_again(&mut self, cx: &mut Cx<'_>, alias: &str) {
        let id = self.id;
        if let Some(found) = self.provisioned.get_mut(alias) {
            found.moved_from = found.told();
            found.allocated = 0;
            found.idle.clear();
            found.last_modified = cx.now;
            found.allocate(cx, id, alias);
        }
    }

    /// Rules between what is provisioned here and elsewhere on the function.
    fn check_provisionable(&self, qualifier: &Qualifier) -> Result<(), ApiError> {
        let has = |key: &str| self.provisioned.contains_key(key);
        match qualifier {
            Qualifier::Alias(name) => {
                let version = self.aliases.get(name.as_ref()).map(|alias| alias.version);
                if version == Some(VersionNumber::LATEST) {
                    return Err(invalid_parameter(
                        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
                    ));
                }
                if version.is_some_and(|version| has(&version.to_string())) {
                    return Err(conflict(
                        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned \
                         version",
                    ));
                }
            }
            Qualifier::Version(number) => {
                if self.aliases.values().any(|alias| alias.version == *number && has(&alias.name)) {
                    return Err(conflict("Version is pointed by a Provisioned Concurrency alias"));
                }
            }
            Qualifier::Unqualified => {}
        }
        Ok(())
    }
}

impl Lambda {
    /// Asks for provisioned environments; they are ready shortly. The version or alias must exist. Errors:
    /// ResourceConflictException, InvalidParameterValueException.
    pub fn put_provisioned(
        &mut self,
        cx: &mut Cx<'_>,
        function: FunctionId,
        qualifier: &Qualifier,
        requested: u32,
    ) -> Result<(), ApiError> {
        let unreserved = self.unreserved_concurrency();
        let claimed = self.provisioned_unreserved;
        let Some(key) = qualifier.text() else { return Err(no_provisioned()) };
        let Some(found) = self.function_mut(function) else { return Err(no_provisioned()) };
        found.check_provisionable(qualifier)?;
        let before = found.provisioned.get(&key).map_or(0, |provisioned| provisioned.requested);
        let of_function = found.provisioned_sum() - before + requested;
        match found.reserved {
            Some(reserved) if of_function > reserved => {
                return Err(invalid_parameter(
                    "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for \
                     function",
                ));
            }
            None if u64::from(claimed - before) + u64::from(requested) > u64::from(unreserved) => {
                return Err(without_type(invalid_parameter(format!(
                    "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency \
                     [{unreserved}]."
                ))));
            }
            None if claimed - before + requested > unreserved.saturating_sub(UNRESERVED_MINIMUM) => {
                return Err(without_type(invalid_parameter(format!(
                    "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution \
                     below its minimum value of [{UNRESERVED_MINIMUM}]."
                ))));
            }
            _ => {}
        }
        let entry = found.provisioned.entry(key.clone()).or_insert_with(|| Provisioned {
            requested,
            allocated: 0,
            moved_from: 0,
            last_modified: cx.now,
            in_use: 0,
            peak: 0,
            generation: 0,
            idle: Vec::new(),
        });
        entry.requested = requested;
        entry.last_modified = cx.now;
        entry.moved_from = entry.moved_from.min(requested);
        if requested < entry.allocated {
            entry.allocated = requested;
            let idle_most = requested.saturating_sub(entry.in_use) as usize;
            entry.idle.truncate(idle_most);
        } else {
            entry.allocate(cx, function, &key);
        }
        self.recount_provisioned();
        Ok(())
    }

    /// Gives the environments up; busy ones go on to their end.
    pub fn delete_provisioned(&mut self, function: FunctionId, qualifier: &Qualifier) {
        if let (Some(key), Some(found)) = (qualifier.text(), self.function_mut(function)) {
            found.provisioned.remove(&key);
            self.recount_provisioned();
        }
    }

    /// The environments that were asked for are ready.
    pub fn provisioned_ready(&mut self, cx: &Cx<'_>, function: FunctionId, qualifier: &str, generation: u32) {
        let Some(function) = self.function_mut(function) else { return };
        let Some(mut found) = function.provisioned.remove(qualifier) else { return };
        let number = function.qualified(&Qualifier::parse(Some(qualifier))).map(|version| version.number);
        let version = number.and_then(|number| function.version_mut(number));
        if let Some(version) = version.filter(|_| found.generation == generation) {
            let have = found.in_use.min(found.requested) + found.idle.len() as u32;
            found.idle.extend((have..found.requested).map(|_| version.pool.make(cx.now)));
            found.allocated = found.requested;
            found.moved_from = 0;
        }
        function.provisioned.insert(qualifier.to_owned(), found);
    }

    /// The claims of functions without a reservation changed.
    pub(super) fn recount_provisioned(&mut self) {
        let unreserved = self.functions.iter().flatten().filter(|function| function.reserved.is_none());
        self.provisioned_unreserved = unreserved.map(|function| function.provisioned_sum()).sum();
    }

    /// What is left of the account's concurrency for functions without a reservation.
    pub fn unreserved_concurrency(&self) -> u32 {
        ACCOUNT_CONCURRENCY - self.reserved_sum
    }
}
