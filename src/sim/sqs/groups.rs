//! The order of a FIFO queue: message groups, each of which is served in order and by one receiver at a time.
//! Source: SQS "FIFO queue delivery logic", "Exactly-once processing".

use crate::sim::sqs::message::Standing;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// All groups that hold a message. A group is ready when none of its messages is in flight and its first one is
/// visible; a receive takes the ready group whose first message is oldest.
#[derive(Default, Debug)]
pub struct Groups {
    groups: BTreeMap<String, Group>,
    /// (position of the first message, group).
    ready: BTreeSet<(u64, String)>,
    locked: u64,
}

#[derive(Default, Debug)]
struct Group {
    /// Every message of the group by position, wherever it stands.
    members: BTreeMap<u64, Member>,
    in_flight: u64,
    /// The group's key in the set of ready groups.
    ready_at: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    slot: u32,
    standing: Standing,
}

/// Where a receive is: the group it takes from and the last position it took.
#[derive(Default, Debug)]
pub struct Cursor(Option<(String, u64)>);

impl Groups {
    /// Groups with a message in flight.
    pub fn locked(&self) -> u64 {
        self.locked
    }

    /// Puts a message where it stands now, new or moved from another standing.
    pub fn put(&mut self, name: &str, position: u64, slot: u32, standing: Standing) {
        if !self.groups.contains_key(name) {
            self.groups.insert(name.to_owned(), Group::default());
        }
        let Some(group) = self.groups.get_mut(name) else { return };
        let was = group.members.insert(position, Member { slot, standing }).map(|member| member.standing);
        self.recount(name, was, Some(standing));
    }

    /// Takes a message out.
    pub fn remove(&mut self, name: &str, position: u64) {
        let Some(group) = self.groups.get_mut(name) else { return };
        let was = group.members.remove(&position).map(|member| member.standing);
        self.recount(name, was, None);
    }

    /// The next message for a receive: first further ones of the group that it has begun, then the next ready group.
    pub fn next(&mut self, cursor: &mut Cursor) -> Option<u32> {
        if let Some((name, last)) = cursor.0.take() {
            let further = self.groups.get(&name).and_then(|group| {
                group.members.range((Bound::Excluded(last), Bound::Unbounded)).next().map(|(at, m)| (*at, *m))
            });
            if let Some((position, member)) = further.filter(|(_, member)| member.standing == Standing::Visible) {
                cursor.0 = Some((name, position));
                return Some(member.slot);
            }
        }
        let (position, slot) = self.first_ready()?;
        let name = self.ready.first().map(|(_, name)| name.clone())?;
        cursor.0 = Some((name, position));
        Some(slot)
    }

    /// Position and slot of the oldest message that could be received.
    pub fn first_ready(&self) -> Option<(u64, u32)> {
        let (position, name) = self.ready.first()?;
        let member = self.groups.get(name)?.members.get(position)?;
        Some((*position, member.slot))
    }

    /// How often the message is a member where its message stands (once, when all is well).
    #[cfg(test)]
    pub fn holds(&self, name: &str, position: u64, slot: u32, standing: Standing) -> bool {
        let member = self.groups.get(name).and_then(|group| group.members.get(&position));
        member.is_some_and(|member| member.slot == slot && member.standing == standing)
    }

    fn recount(&mut self, name: &str, was: Option<Standing>, is: Option<Standing>) {
        let Some(group) = self.groups.get_mut(name) else { return };
        let locked_before = group.in_flight > 0;
        group.in_flight -= u64::from(was == Some(Standing::InFlight));
        group.in_flight += u64::from(is == Some(Standing::InFlight));
        self.locked += u64::from(group.in_flight > 0);
        self.locked -= u64::from(locked_before);
        let first = group.members.first_key_value();
        let ready_at = first
            .filter(|(_, member)| group.in_flight == 0 && member.standing == Standing::Visible)
            .map(|(position, _)| *position);
        if ready_at != group.ready_at {
            if let Some(old) = group.ready_at {
                self.ready.remove(&(old, name.to_owned()));
            }
            if let Some(new) = ready_at {
                self.ready.insert((new, name.to_owned()));
            }
            group.ready_at = ready_at;
        }
        if group.members.is_empty() {
            self.groups.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(groups: &mut Groups, name: &str, position: u64) {
        groups.put(name, position, position as u32, Standing::Visible);
    }

    #[test]
    fn a_receive_takes_one_group_in_order_and_then_the_next() {
        let mut groups = Groups::default();
        for (name, position) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            visible(&mut groups, name, position);
        }
        let mut cursor = Cursor::default();
        let mut order = Vec::new();
        while let Some(slot) = groups.next(&mut cursor) {
            let name = ["", "a", "b", "a", "c"][slot as usize];
            groups.put(name, slot.into(), slot, Standing::InFlight);
            order.push(slot);
        }
        assert_eq!(order, [1, 3, 2, 4]);
        assert_eq!(groups.locked(), 3);
    }

    #[test]
    fn a_group_in_flight_is_withheld_until_all_of_it_is_back_or_gone() {
        let mut groups = Groups::default();
        for position in 1..=3 {
            visible(&mut groups, "a", position);
        }
        groups.put("a", 1, 1, Standing::InFlight);
        groups.put("a", 2, 2, Standing::InFlight);
        assert_eq!(groups.next(&mut Cursor::default()), None);
        groups.remove("a", 2);
        assert_eq!(groups.next(&mut Cursor::default()), None);
        visible(&mut groups, "a", 1);
        assert_eq!(groups.next(&mut Cursor::default()), Some(1));
    }
}
