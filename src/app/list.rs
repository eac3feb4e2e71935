//! Lists of resources: which ids are shown in which order, and which one is selected. Selection is by id.

use crate::app::filter::Filter;
use crate::domain::field::Field;
use crate::domain::finding::{Confidence, Finding};
use crate::domain::row::{Health, KindId, ResourceId, Row};
use crate::domain::value::Datum;
use crate::kinds;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

/// Which list: the ranked overview of everything, or a kind's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListId {
    Overview,
    Kind(KindId),
}

impl ListId {
    /// In the order of the keys 1, 2, 3, … and of tab.
    pub const ALL: [Self; 9] = [
        Self::Overview,
        Self::Kind(KindId::Kinesis),
        Self::Kind(KindId::Sqs),
        Self::Kind(KindId::Lambda),
        Self::Kind(KindId::Sns),
        Self::Kind(KindId::Swf),
        Self::Kind(KindId::Firehose),
        Self::Kind(KindId::Alarm),
        Self::Kind(KindId::Kcl),
    ];

    pub const fn kind(self) -> Option<KindId> {
        match self {
            Self::Overview => None,
            Self::Kind(kind) => Some(kind),
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Kind(kind) => kind.word(),
        }
    }
}

/// A list with what the person has chosen for it. `ids` is derived and kept up to date by `update` for the list that
/// is on screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List {
    pub filter: Filter,
    pub sort: Sort,
    /// What is shown, in order.
    pub ids: Vec<ResourceId>,
    /// How many there are without the filter.
    pub total: usize,
    pub selected: Option<ResourceId>,
    /// Whether somebody has looked and typed. Until then the first one is selected, whichever that is by now.
    pub(in crate::app) is_chosen: bool,
    /// Where the selected one stands in `ids`; 0 when there is none.
    pub index: usize,
    /// The first one on screen. It always leaves the selected one on screen when `State::list_rows` rows are shown.
    pub top: usize,
}

/// How a list is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sort {
    pub by: SortBy,
    /// The other way round.
    pub reverse: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum SortBy {
    /// Worst health first, then the gravest finding, then the name.
    #[default]
    Rank,
    Name,
    /// Numbers from high to low, texts from a to z; no data comes last.
    Field(&'static Field),
}

impl SortBy {
    /// The next way of sorting a list: rank, name, then its columns, then rank again.
    pub fn next(self, list: ListId) -> Self {
        let columns = list.kind().map_or(&[][..], |kind| kinds::kind(kind).columns);
        match self {
            Self::Rank => Self::Name,
            Self::Name => columns.first().map_or(Self::Rank, |field| Self::Field(field)),
            Self::Field(field) => {
                let at = columns.iter().position(|column| column.id == field.id);
                at.and_then(|at| columns.get(at + 1)).map_or(Self::Rank, |field| Self::Field(field))
            }
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Rank => "rank",
            Self::Name => "name",
            Self::Field(field) => field.title,
        }
    }
}

impl List {
    /// Makes `ids` anew from the rows. The selected id stays selected while it is shown; when it has gone, the one
    /// that took its place is selected. Before the first key the first one is: it is the worst.
    pub fn derive(
        &mut self,
        id: ListId,
        rows: &BTreeMap<ResourceId, Row>,
        findings: &BTreeMap<&ResourceId, (Health, Confidence)>,
        shown_rows: usize,
    ) {
        let in_list = || rows.values().filter(|row| id.kind().is_none_or(|kind| row.id.kind == kind));
        self.total = in_list().count();
        let mut shown: Vec<&Row> = in_list().filter(|row| self.filter.holds(row)).collect();
        let rank = |row: &Row| (Reverse(row.health), Reverse(findings.get(&row.id).copied()));
        match self.sort.by {
            SortBy::Rank => shown.sort_by_cached_key(|row| rank(row)),
            SortBy::Name => shown.sort_by(|a, b| (&a.id.name, &a.id.place).cmp(&(&b.id.name, &b.id.place))),
            SortBy::Field(field) => shown.sort_by(|a, b| compare_field(a, b, field, self.sort.reverse)),
        }
        if self.sort.reverse && !matches!(self.sort.by, SortBy::Field(_)) {
            shown.reverse();
        }
        self.ids = shown.into_iter().map(|row| row.id.clone()).collect();
        self.find_selected();
        self.scroll(shown_rows);
    }

    fn find_selected(&mut self) {
        let chosen = self.selected.as_ref().filter(|_| self.is_chosen);
        let found = chosen.and_then(|selected| self.ids.iter().position(|id| id == selected));
        self.index = found.unwrap_or(self.index).min(self.ids.len().saturating_sub(1));
        self.selected = self.ids.get(self.index).cloned();
    }

    /// Selects the entry at `index`, or the last one.
    pub fn select(&mut self, index: usize, shown_rows: usize) {
        self.index = index.min(self.ids.len().saturating_sub(1));
        self.selected = self.ids.get(self.index).cloned();
        self.is_chosen = true;
        self.scroll(shown_rows);
    }

    /// Brings the selected one on screen. Leaving the edge moves by half a screen: the eye gets context, and the
    /// terminal one redraw for many keys instead of one for each.
    fn scroll(&mut self, shown_rows: usize) {
        let shown_rows = shown_rows.max(1);
        let top_max = self.ids.len().saturating_sub(shown_rows);
        if self.index < self.top {
            self.top = self.index.saturating_sub(shown_rows / 2);
        } else if self.index >= self.top + shown_rows {
            self.top = self.index + 1 - shown_rows + shown_rows / 2;
        }
        self.top = self.top.min(top_max).min(self.index);
    }

    /// The ids on screen.
    pub fn on_screen(&self, shown_rows: usize) -> &[ResourceId] {
        let end = (self.top + shown_rows).min(self.ids.len());
        self.ids.get(self.top..end).unwrap_or_default()
    }
}

/// No data is last whichever way the numbers run; equals keep the order of ids.
fn compare_field(a: &Row, b: &Row, field: &Field, reverse: bool) -> Ordering {
    let datum = |row: &Row| row.fields.get(field).map(|value| value.datum.clone());
    let ordering = match (datum(a), datum(b)) {
        (Some(Datum::Number(a)), Some(Datum::Number(b))) => b.total_cmp(&a),
        (Some(Datum::Text(a)), Some(Datum::Text(b))) => a.cmp(&b),
        (Some(Datum::Time(a)), Some(Datum::Time(b))) => b.cmp(&a),
        (Some(Datum::Flag(a)), Some(Datum::Flag(b))) => b.cmp(&a),
        (a, b) => return is_missing(a.as_ref()).cmp(&is_missing(b.as_ref())),
    };
    if reverse { ordering.reverse() } else { ordering }
}

fn is_missing(datum: Option<&Datum>) -> bool {
    matches!(datum, None | Some(Datum::Missing(_)))
}

/// The gravest finding of each resource.
pub fn worst_findings(findings: &[Finding]) -> BTreeMap<&ResourceId, (Health, Confidence)> {
    let mut worst = BTreeMap::new();
    for finding in findings {
        let grave = (finding.severity, finding.confidence);
        let entry = worst.entry(&finding.resource).or_insert(grave);
        *entry = (*entry).max(grave);
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::domain::value::{NoData, Origin, Value};

    fn queues(entries: &[(&str, Health, Option<f64>)]) -> BTreeMap<ResourceId, Row> {
        let at = Timestamp::from_millis(0);
        let row = |(name, health, visible): &(&str, Health, Option<f64>)| {
            let mut row = Row::new(ResourceId::new(KindId::Sqs, *name), at);
            row.health = *health;
            let value = visible.map_or(Value::missing(NoData::Denied, at, Origin::Api), |visible| {
                Value::number(visible, at, Origin::Api)
            });
            row.fields.set(&kinds::sqs::VISIBLE, value);
            (row.id.clone(), row)
        };
        entries.iter().map(row).collect()
    }

    fn names(list: &List) -> Vec<&str> {
        list.ids.iter().map(|id| id.name.as_str()).collect()
    }

    #[test]
    fn the_worst_comes_first_then_the_name() {
        let rows = queues(&[
            ("a", Health::Ok, None),
            ("b", Health::Crit, None),
            ("c", Health::Unknown, None),
            ("d", Health::Warn, None),
            ("e", Health::Crit, None),
        ]);
        let mut list = List::default();
        list.derive(ListId::Overview, &rows, &BTreeMap::new(), 10);
        assert_eq!(names(&list), ["b", "e", "d", "c", "a"]);
        let e = ResourceId::new(KindId::Sqs, "e");
        let findings = BTreeMap::from([(&e, (Health::Crit, Confidence::Likely))]);
        list.derive(ListId::Overview, &rows, &findings, 10);
        assert_eq!(names(&list), ["e", "b", "d", "c", "a"], "the one with a finding leads its equals");
    }

    #[test]
    fn no_data_is_last_whichever_way_numbers_run() {
        let rows = queues(&[("a", Health::Ok, Some(1.0)), ("b", Health::Ok, None), ("c", Health::Ok, Some(9.0))]);
        let mut list =
            List { sort: Sort { by: SortBy::Field(&kinds::sqs::VISIBLE), reverse: false }, ..List::default() };
        list.derive(ListId::Kind(KindId::Sqs), &rows, &BTreeMap::new(), 10);
        assert_eq!(names(&list), ["c", "a", "b"]);
        list.sort.reverse = true;
        list.derive(ListId::Kind(KindId::Sqs), &rows, &BTreeMap::new(), 10);
        assert_eq!(names(&list), ["a", "c", "b"]);
    }

    #[test]
    fn selection_follows_the_id_and_falls_to_the_neighbour() {
        let mut rows = queues(&[("a", Health::Ok, None), ("b", Health::Ok, None), ("c", Health::Ok, None)]);
        let mut list = List::default();
        list.derive(ListId::Overview, &rows, &BTreeMap::new(), 10);
        list.select(1, 10);
        let b = ResourceId::new(KindId::Sqs, "b");
        rows.get_mut(&b).unwrap().health = Health::Crit;
        list.derive(ListId::Overview, &rows, &BTreeMap::new(), 10);
        assert_eq!((list.selected.clone(), list.index), (Some(b.clone()), 0), "b moved up, and is still selected");
        rows.remove(&b);
        list.derive(ListId::Overview, &rows, &BTreeMap::new(), 10);
        assert_eq!(list.selected.unwrap().name, "a");
    }

    #[test]
    fn until_somebody_types_the_worst_is_selected() {
        let mut rows = queues(&[("a", Health::Ok, None), ("b", Health::Ok, None)]);
        let mut list = List::default();
        list.derive(ListId::Overview, &rows, &BTreeMap::new(), 10);
        assert_eq!(list.selected.as_ref().unwrap().name, "a");
        rows.get_mut(&ResourceId::new(KindId::Sqs, "b")).unwrap().health = Health::Crit;
        list.derive(ListId::Overview, &rows, &BTreeMap::new(), 10);
        assert_eq!((list.selected.as_ref().unwrap().name.as_str(), list.index), ("b", 0));
        list.is_chosen = true;
        rows.get_mut(&ResourceId::new(KindId::Sqs, "a")).unwrap().health = Health::Crit;
        list.derive(ListId::Overview, &rows, &BTreeMap::new(), 10);
        assert_eq!((list.selected.as_ref().unwrap().name.as_str(), list.index), ("b", 1));
    }

    #[test]
    fn the_selected_one_is_always_on_screen() {
        let names: Vec<String> = (0..100).map(|n| format!("q{n:03}")).collect();
        let entries: Vec<_> = names.iter().map(|name| (name.as_str(), Health::Ok, None)).collect();
        let rows = queues(&entries);
        let mut list = List::default();
        list.derive(ListId::Overview, &rows, &BTreeMap::new(), 10);
        for index in [0, 9, 10, 11, 40, 99, 98, 50, 0] {
            list.select(index, 10);
            assert!(list.on_screen(10).contains(list.selected.as_ref().unwrap()), "{index} with top {}", list.top);
            assert_eq!(list.on_screen(10).len(), 10);
        }
    }

    #[test]
    fn sorting_goes_round_the_columns() {
        let id = ListId::Kind(KindId::Sqs);
        let mut by = SortBy::Rank;
        for _ in 0..kinds::sqs::KIND.columns.len() + 2 {
            by = by.next(id);
        }
        assert_eq!(by, SortBy::Rank);
        assert_eq!(SortBy::Name.next(ListId::Overview), SortBy::Rank);
    }
}
