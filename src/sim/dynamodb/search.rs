//! Query and Scan: items in order, page by page, over a table or one of its indexes.

use super::capacity::{Consumed, Kind, read_units};
use super::expression::{Condition, KeyCondition};
use super::metrics::Metric;
use super::table::{Index, Key, KeyValue, Table};
use super::value::{Item, item_size};
use super::{DynamoDb, fault};
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;

/// A page ends when it has read so many bytes.
const PAGE_BYTES: usize = 1 << 20;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    pub table: String,
    pub index: Option<String>,
    /// A Query's; a Scan has none.
    pub keys: Option<KeyCondition>,
    pub filter: Option<Condition>,
    /// Items to look at, before the filter.
    pub limit: Option<usize>,
    /// The last key of the page before.
    pub start: Option<Item>,
    pub is_backward: bool,
    pub is_consistent: bool,
    /// (segment, of so many)
    pub segment: Option<(u64, u64)>,
    /// Whole items through a local index are fetched from the table.
    pub wants_all: bool,
}

/// One page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    pub items: Vec<Item>,
    pub scanned: usize,
    /// Where the next page begins; `None` at the end.
    pub last_key: Option<Item>,
    pub consumed: Consumed,
}

/// The order of a search: by the index's key, then by the table's.
type Place = (Key, Key);

impl DynamoDb {
    /// One page of a Query or a Scan.
    ///
    /// Errors: `ResourceNotFoundException`, `ValidationException`, throttling.
    pub fn find(&mut self, cx: &mut Cx<'_>, search: &Search) -> Result<Found, ApiError> {
        let operation = if search.keys.is_some() { "Query" } else { "Scan" };
        let table = self.open_table(&search.table)?;
        let mut found = table.page(search)?;
        let bytes = std::mem::take(&mut found.1);
        let mut found = found.0;
        let units = read_units(bytes, search.is_consistent);
        match search.index.as_deref().and_then(|name| table.index(name)) {
            None => found.consumed.table = units,
            Some(index) if index.is_global => {
                found.consumed.global.insert(index.name.clone(), units);
            }
            Some(index) => {
                found.consumed.local.insert(index.name.clone(), units);
            }
        }
        table.admit(cx, operation, Kind::Read, &found.consumed)?;
        table.meters.add_success(cx, &table.name, operation);
        table.meters.add_of_operation(cx, &table.name, Metric::ReturnedItems, operation, found.items.len() as f64);
        Ok(found)
    }
}

impl Table {
    /// The index that a search names. Errors: `ValidationException`.
    pub(super) fn searched(&self, index: Option<&str>) -> Result<Option<&Index>, ApiError> {
        let Some(name) = index else { return Ok(None) };
        match self.index(name) {
            Some(index) if index.is_backfilling => {
                Err(fault::validation(format!("Cannot read from backfilling global secondary index: {name}")))
            }
            Some(index) => Ok(Some(index)),
            None => Err(fault::validation(format!("The table does not have the specified index: {name}"))),
        }
    }

    /// A page and the bytes that it read.
    fn page(&self, search: &Search) -> Result<(Found, usize), ApiError> {
        let index = self.searched(search.index.as_deref())?;
        if search.is_consistent && index.is_some_and(|index| index.is_global) {
            return Err(fault::validation("Consistent reads are not supported on global secondary indexes"));
        }
        let after = search.start.as_ref().map(|start| self.place_of_start(index, start)).transpose()?;
        let mut candidates = self.candidates(index, search);
        if search.is_backward {
            candidates.reverse();
        }
        let (mut found, mut bytes) = (Found::default(), 0);
        let limit = search.limit.unwrap_or(usize::MAX);
        let is_due = |place: &Place| match &after {
            None => true,
            Some(after) if search.is_backward => place < after,
            Some(after) => place > after,
        };
        let mut rest = candidates.into_iter().filter(|(place, _)| is_due(place)).peekable();
        while let Some((_, item)) = rest.next() {
            let held = match index {
                Some(index) if index.is_global || !search.wants_all => self.projected(index, item),
                _ => Some(item.clone()),
            };
            let Some(held) = held else { continue };
            bytes += item_size(&held);
            found.scanned += 1;
            let is_full = found.scanned >= limit || (bytes >= PAGE_BYTES && rest.peek().is_some());
            if is_full {
                found.last_key = Some(self.key_attributes(index, item));
            }
            if search.filter.as_ref().is_none_or(|filter| filter.holds(&held)) {
                found.items.push(held);
            }
            if is_full {
                break;
            }
        }
        Ok((found, bytes))
    }

    fn candidates<'a>(&'a self, index: Option<&Index>, search: &Search) -> Vec<(Place, &'a Item)> {
        let keys = index.map_or(&self.keys, |index| &index.keys);
        let range = search.keys.as_ref().and_then(|condition| Some(condition.range.as_ref()?.on(keys.range.as_ref()?)));
        let hash = search.keys.as_ref().and_then(|condition| KeyValue::of(&condition.hash));
        let fits = |key: &Key, item: &Item| {
            hash.as_ref().is_none_or(|hash| key.hash == *hash)
                && range.as_ref().is_none_or(|range| range.holds(item))
                && search
                    .segment
                    .is_none_or(|(segment, of)| (u128::from(key.slot) * u128::from(of)) >> 64 == u128::from(segment))
        };
        if index.is_none() {
            let from = hash.as_ref().map(|hash| Key::new(hash.clone(), None));
            let items: Box<dyn Iterator<Item = (&Key, &Item)>> = match from {
                Some(from) => {
                    let hash = from.hash.clone();
                    Box::new(self.items.range(from..).take_while(move |(key, _)| key.hash == hash))
                }
                None => Box::new(self.items.iter()),
            };
            return items.filter(|(key, item)| fits(key, item)).map(|(k, i)| ((k.clone(), k.clone()), i)).collect();
        }
        let mut all: Vec<(Place, &Item)> = self
            .items
            .iter()
            .filter_map(|(own, item)| Some(((Key::by(keys, item)?, own.clone()), item)))
            .filter(|((key, _), item)| fits(key, item))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    fn place_of_start(&self, index: Option<&Index>, start: &Item) -> Result<Place, ApiError> {
        let wrong = || fault::validation("The provided starting key is invalid");
        let names: Vec<&String> = self.keys.names().chain(index.into_iter().flat_map(|i| i.keys.names())).collect();
        if start.keys().any(|name| !names.contains(&name)) || names.iter().any(|name| !start.contains_key(*name)) {
            return Err(if index.is_none() {
                fault::validation(
                    "The provided starting key is invalid: The provided key element does not match the schema",
                )
            } else {
                wrong()
            });
        }
        let fits = |name: &&String| {
            start.get(*name).is_some_and(|value| self.type_of(name).is_none_or(|kind| kind.name() == value.kind()))
        };
        if !names.iter().all(fits) {
            return Err(fault::validation(
                "The provided starting key is invalid: The provided key element does not match the schema",
            ));
        }
        let own = Key::by(&self.keys, start).ok_or_else(wrong)?;
        let key = match index {
            Some(index) => Key::by(&index.keys, start).ok_or_else(wrong)?,
            None => own.clone(),
        };
        Ok((key, own))
    }
}
