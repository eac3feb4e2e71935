//! DynamoDB as a state machine: tables, items, expressions, indexes, capacity.
//!
//! How it is used from within the engine (every function takes the world's hands, [`Cx`]):
//! - `create_table(cx, TableSpec)` (CREATING for some seconds), `update_table`, `delete_table`, `table(name)`;
//! - `write(cx, table, &Change, condition, operation)` puts, updates or deletes one item and answers the item before and
//!   after; `get(cx, table, &key, is_consistent)`, `find(cx, &Search)` for queries and scans;
//! - conditions and actions come from `expression`, or are made as plain data ([`Condition`], [`Action`]).
//!
//! Capacity throttles only where `cx.place.limits` says so, and where a fault chokes the table (`choke`); sizes and
//! rules always hold. A global index shows a change at once, where AWS takes some milliseconds.

mod capacity;
mod create;
mod expression;
mod fault;
mod items;
mod metrics;
mod number;
mod path;
mod search;
mod table;
mod tables;
mod token;
mod value;
pub mod wire;

pub use capacity::{Billing, Consumed};
pub use create::{IndexSpec, TableSpec};
pub use expression::{Action, Comparator, Condition, Operand};
pub use items::{Change, WriteError, Written};
pub use number::Number;
pub use path::Path;
pub use search::{Found, Search};
pub use table::{Index, Key, KeySchema, KeyType, Projection, Status, Table};
pub use value::{Item, Value};

use crate::sim::agenda;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use std::collections::BTreeMap;

/// What falls due inside the service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A table's pending change (creation, update, deletion) ends.
    TableChange { table: String },
    /// Provisioned tables publish what they are provisioned with.
    Gauges,
}

impl From<Due> for agenda::Due {
    fn from(due: Due) -> Self {
        Self::DynamoDb(due)
    }
}

/// All tables of one account and region.
#[derive(Default)]
pub struct DynamoDb {
    tables: BTreeMap<String, Table>,
    /// Of transactions.
    pub(super) tokens: token::Tokens,
    gauges_run: bool,
}

impl DynamoDb {
    /// Does what the agenda says is due.
    pub fn due(&mut self, cx: &mut Cx<'_>, due: &Due) {
        match due {
            Due::TableChange { table } => self.settle(cx, table),
            Due::Gauges => self.publish_gauges(cx),
        }
    }

    /// The table as it stands, for the world's own eyes; counts as no request.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// A fault throttles this share of the table's requests, 0 to 1.
    pub fn choke(&mut self, table: &str, share: f64) {
        if let Some(table) = self.tables.get_mut(table) {
            table.choked = share.clamp(0.0, 1.0);
        }
    }

    /// The table, to a request about its items. Errors: `ResourceNotFoundException`.
    fn open_table(&mut self, name: &str) -> Result<&mut Table, ApiError> {
        self.tables.get_mut(name).filter(|table| table.is_open()).ok_or_else(fault::not_found)
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
