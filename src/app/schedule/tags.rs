//! The tags that a context's filter asks about. Nothing is listed there before they are read, so that what a tag hides is
//! not shown first; they are read anew from time to time, since somebody may tag something else.

use super::{NOW, NextLook, Schedule, Slot};
use crate::domain::poll::{Poll, Question};
use crate::domain::row::Place;
use crate::domain::tag::TagWanted;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Tags change rarely. What is tagged anew is shown or hidden within this time.
const TAGS_EVERY: Duration = Duration::from_secs(5 * 60);

/// What is to be asked of which place; a place whose filter names no tag is not in here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TagPolls(BTreeMap<Place, (Vec<TagWanted>, Slot)>);

impl TagPolls {
    pub fn slot(&mut self, place: &Place) -> Option<&mut Slot> {
        self.0.get_mut(place).map(|(_, slot)| slot)
    }

    /// Whether what there is may be listed: no tag decides over it, or they were asked for, well or badly.
    pub fn are_read(&self, place: &Place) -> bool {
        self.0.get(place).is_none_or(|(_, slot)| slot.answered)
    }

    pub fn slots(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.0.values_mut().map(|(_, slot)| slot)
    }
}

impl Schedule {
    /// These tags decide what is watched in this place; none, where only names do.
    pub fn want_tags(&mut self, place: &Place, wanted: Vec<TagWanted>) {
        if !wanted.is_empty() {
            self.tags.0.insert(place.clone(), (wanted, Slot::default()));
        }
    }

    pub(super) fn ask_tags(&mut self, next: &mut NextLook, polls: &mut Vec<Poll>, now: Timestamp) {
        let due = self.tags.0.iter().filter(|(_, (_, slot))| next.is_due(slot.due(TAGS_EVERY)));
        let due: Vec<(Place, Vec<TagWanted>)> =
            due.map(|(place, (wanted, _))| (place.clone(), wanted.clone())).collect();
        for (place, wanted) in due {
            polls.push(self.ask(place, Question::Tags(wanted), 0.0, true, now));
        }
    }

    /// Other resources than before may be watched there: all is listed anew.
    pub fn list_again(&mut self, place: &Place) {
        self.wide_at = NOW;
        for (_, slot) in self.inventories.iter_mut().filter(|((of, _), _)| of == place) {
            slot.look_again();
        }
    }
}
