//! Items: reading one, and changing one or several, on conditions.

use super::capacity::{Consumed, Kind, read_units, units_of_change};
use super::expression::{Action, Condition, apply};
use super::metrics::Metric;
use super::table::{ITEM_BYTES_MAX, Key, Table};
use super::value::{Item, item_size};
use super::{DynamoDb, fault};
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;

/// A change of one item.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Put(Item),
    /// Makes the item when it is not there.
    Update {
        key: Item,
        actions: Vec<Action>,
    },
    Delete {
        key: Item,
    },
    /// Changes nothing: a transaction's ConditionCheck.
    Check {
        key: Item,
    },
}

impl Change {
    /// An item that has at least the key of what is changed.
    pub fn place(&self) -> &Item {
        match self {
            Self::Put(item) => item,
            Self::Update { key, .. } | Self::Delete { key } | Self::Check { key } => key,
        }
    }
}

/// What a change did.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    pub old: Option<Item>,
    pub new: Option<Item>,
    pub consumed: Consumed,
}

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteError {
    /// The condition does not hold on the item as it is.
    ConditionFailed {
        item: Option<Item>,
    },
    Refused(ApiError),
}

impl From<ApiError> for WriteError {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl WriteError {
    /// What AWS answers to a request of one item.
    pub fn into_answer(self) -> ApiError {
        match self {
            Self::ConditionFailed { .. } => fault::condition_failed(),
            Self::Refused(error) => error,
        }
    }

    /// There was not enough capacity; the same request may be made again.
    pub fn is_throttling(&self) -> bool {
        match self {
            Self::ConditionFailed { .. } => false,
            Self::Refused(error) => fault::is_throttling(error),
        }
    }
}

/// A change that is thought through and not yet made.
pub(super) struct Prepared {
    pub key: Key,
    pub old: Option<Item>,
    pub new: Option<Item>,
    pub consumed: Consumed,
}

impl Table {
    /// What the change would come to. A condition is looked at before the change is: an update that does not fit the
    /// item is refused only when its condition holds.
    pub(super) fn prepare(&self, change: &Change, condition: Option<&Condition>) -> Result<Prepared, WriteError> {
        let key = match change {
            Change::Put(item) => {
                let key = self.key_of_item(item)?;
                self.check_index_keys(item)?;
                if item_size(item) > ITEM_BYTES_MAX {
                    return Err(fault::validation("Item size has exceeded the maximum allowed size").into());
                }
                key
            }
            Change::Update { key, .. } | Change::Delete { key } | Change::Check { key } => self.key_exactly(key)?,
        };
        if let Change::Update { actions, .. } = change
            && let Some(action) = actions.iter().find(|action| self.keys.names().any(|k| *k == action.path().attribute))
        {
            let name = &action.path().attribute;
            let words = format!("Cannot update attribute {name}. This attribute is part of the key");
            return Err(fault::invalid(words).into());
        }
        let old = self.items.get(&key).cloned();
        let empty = Item::new();
        if condition.is_some_and(|condition| !condition.holds(old.as_ref().unwrap_or(&empty))) {
            return Err(WriteError::ConditionFailed { item: old });
        }
        let new = match change {
            Change::Put(item) => Some(item.clone()),
            Change::Delete { .. } => None,
            Change::Check { .. } => old.clone(),
            Change::Update { key, actions } => {
                let new = apply(old.as_ref().unwrap_or(key), actions)?;
                self.check_index_keys(&new).map_err(of_update)?;
                if item_size(&new) > ITEM_BYTES_MAX {
                    return Err(fault::validation("Item size to update has exceeded the maximum allowed size").into());
                }
                Some(new)
            }
        };
        let consumed = units_of_change(self, old.as_ref(), new.as_ref());
        Ok(Prepared { key, old, new, consumed })
    }
}

/// An index key that may not be empty is refused in other words where an update would make it so.
fn of_update(error: ApiError) -> ApiError {
    let refused = "A value specified for a secondary index key is not supported.";
    match error.message.split_once(refused) {
        Some((before, after)) => {
            let after = after.split_once(" IndexName:").map_or(after, |(why, _)| why);
            fault::validation(format!(
                "{before}The update expression attempted to update a secondary index key to a value that is not \
                 supported.{after}"
            ))
        }
        None => error,
    }
}

impl DynamoDb {
    /// Makes one change, when the condition holds. `operation` is AWS's name for it, for metrics.
    ///
    /// Errors: `ResourceNotFoundException`, `ValidationException`, throttling, or the condition that failed.
    pub fn write(
        &mut self,
        cx: &mut Cx<'_>,
        table: &str,
        change: &Change,
        condition: Option<&Condition>,
        operation: &'static str,
    ) -> Result<Written, WriteError> {
        let table = self.open_table(table)?;
        let prepared = match table.prepare(change, condition) {
            Ok(prepared) => prepared,
            Err(WriteError::ConditionFailed { item }) => {
                let consumed = units_of_change(table, item.as_ref(), item.as_ref());
                table.admit(cx, operation, Kind::Write, &consumed)?;
                table.meters.add(cx, &table.name, Metric::ConditionalCheckFailed, None, 1.0);
                return Err(WriteError::ConditionFailed { item });
            }
            Err(refused) => return Err(refused),
        };
        table.admit(cx, operation, Kind::Write, &prepared.consumed)?;
        table.meters.add_success(cx, &table.name, operation);
        let Prepared { key, old, new, consumed } = prepared;
        table.store(key, new.clone());
        Ok(Written { old, new, consumed })
    }

    /// The item with this key.
    ///
    /// Errors: `ResourceNotFoundException`, `ValidationException`, throttling.
    pub fn get(
        &mut self,
        cx: &mut Cx<'_>,
        table: &str,
        key: &Item,
        is_consistent: bool,
    ) -> Result<(Option<Item>, Consumed), ApiError> {
        self.get_for(cx, table, key, is_consistent, "GetItem")
    }

    pub(super) fn get_for(
        &mut self,
        cx: &mut Cx<'_>,
        table: &str,
        key: &Item,
        is_consistent: bool,
        operation: &'static str,
    ) -> Result<(Option<Item>, Consumed), ApiError> {
        let table = self.open_table(table)?;
        let key = table.key_exactly(key)?;
        let item = table.items.get(&key).cloned();
        let bytes = item.as_ref().map_or(0, item_size);
        let consumed = Consumed { table: read_units(bytes, is_consistent), ..Consumed::default() };
        table.admit(cx, operation, Kind::Read, &consumed)?;
        table.meters.add_success(cx, &table.name, operation);
        Ok((item, consumed))
    }

    /// What a transaction that was done before reads of one of its items, to answer again.
    pub fn read_again(&mut self, cx: &mut Cx<'_>, name: &str, change: &Change) -> Option<(String, Consumed)> {
        let table = self.open_table(name).ok()?;
        let key = table.key_attributes(None, change.place());
        let (_, consumed) = self.get_for(cx, name, &key, true, "TransactWriteItems").ok()?;
        Some((name.to_owned(), consumed.doubled()))
    }

    /// Makes all changes or none: a transaction, which consumes twice what the changes do alone.
    ///
    /// Errors: for each change `None` or why it could not be made; the outer `Err` refuses the whole request.
    #[expect(clippy::type_complexity, reason = "a list of outcomes beside a refusal of the whole")]
    pub fn write_all(
        &mut self,
        cx: &mut Cx<'_>,
        changes: &[(String, Change, Option<Condition>)],
    ) -> Result<Result<Vec<(String, Consumed)>, Vec<Option<WriteError>>>, ApiError> {
        let mut prepared = Vec::new();
        let mut failures = Vec::new();
        let mut places: Vec<(&String, Key)> = Vec::new();
        for (name, change, condition) in changes {
            let table = self.open_table(name)?;
            match table.prepare(change, condition.as_ref()) {
                Ok(one) => {
                    let place = (name, one.key.clone());
                    if places.contains(&place) {
                        return Err(fault::validation(
                            "Transaction request cannot include multiple operations on one item",
                        ));
                    }
                    places.push(place);
                    failures.push(None);
                    prepared.push((name, change, one));
                }
                // An empty key is no reason among others: it refuses the whole.
                Err(WriteError::Refused(error)) if error.message.starts_with(fault::NOT_VALID) => return Err(error),
                Err(error) => failures.push(Some(error)),
            }
        }
        if failures.iter().any(Option::is_some) {
            return Ok(Err(failures));
        }
        let mut all = Vec::new();
        for (name, change, one) in prepared {
            let table = self.open_table(name)?;
            let consumed = one.consumed.doubled();
            table.admit(cx, "TransactWriteItems", Kind::Write, &consumed)?;
            table.meters.add_success(cx, name, "TransactWriteItems");
            if !matches!(change, Change::Check { .. }) {
                table.store(one.key, one.new);
            }
            all.push((name.clone(), consumed));
        }
        Ok(Ok(all))
    }
}
