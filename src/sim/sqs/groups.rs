//! The order of a FIFO queue: message groups, each of which is served in order, up to its first message that is hidden.
//! Source: SQS "FIFO queue delivery logic", "Exactly-once processing"; what a group does while some of it is in flight,
//! and which group comes next, is as it was observed at AWS.

use crate::sim::sqs::message::Standing;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// All groups that hold a message. A group is ready when its first message is visible, whatever flies behind that one;
/// a receive takes the ready group whose first message has been there to take for longest, so a group that was let go
/// comes behind those that were waiting.
#[derive(Default, Debug)]
pub struct Groups {
    groups: BTreeMap<String, Group>,
    /// (turn of the first message, group).
    ready: BTreeSet<(u64, String)>,
    locked: u64,
    /// The turn that was given last.
    last_turn: u64,
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
    /// Its place among everything that has ever become visible in the queue; what stays visible keeps it.
    turn: u64,
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
        let was = group.members.get(&position).copied();
        let turn = match was {
            Some(member) if member.standing == standing => member.turn,
            _ => {
                self.last_turn += 1;
                self.last_turn
            }
        };
        group.members.insert(position, Member { slot, standing, turn });
        self.recount(name, was.map(|member| member.standing), Some(standing));
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
        let (name, position, slot) = self.ready().next()?;
        cursor.0 = Some((name.to_owned(), position));
        Some(slot)
    }

    /// The slot of the next message to be received among those at `position_max` or before.
    pub fn first_ready(&self, position_max: u64) -> Option<u32> {
        self.ready().find(|(_, position, _)| *position <= position_max).map(|(_, _, slot)| slot)
    }

    /// Name of each ready group with the position and slot of its first message, in their turn.
    fn ready(&self) -> impl Iterator<Item = (&str, u64, u32)> {
        self.ready.iter().filter_map(|(_, name)| {
            let (position, member) = self.groups.get(name)?.members.first_key_value()?;
            Some((name.as_str(), *position, member.slot))
        })
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
        let first = group.members.first_key_value().map(|(_, member)| *member);
        let ready_at = first.filter(|member| member.standing == Standing::Visible).map(|member| member.turn);
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
    fn a_group_is_served_up_to_its_first_message_in_flight() {
        let mut groups = Groups::default();
        for position in 1..=3 {
            visible(&mut groups, "a", position);
        }
        groups.put("a", 1, 1, Standing::InFlight);
        groups.put("a", 2, 2, Standing::InFlight);
        assert_eq!(groups.next(&mut Cursor::default()), None, "the first is in flight");
        visible(&mut groups, "a", 1);
        let mut cursor = Cursor::default();
        assert_eq!(groups.next(&mut cursor), Some(1));
        groups.put("a", 1, 1, Standing::InFlight);
        assert_eq!(groups.next(&mut cursor), None, "the second is in flight");
        groups.remove("a", 1);
        groups.remove("a", 2);
        assert_eq!(groups.next(&mut Cursor::default()), Some(3), "both are gone");
    }

    #[test]
    fn a_group_that_comes_back_is_behind_those_that_wait() {
        let mut groups = Groups::default();
        for (name, position) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            visible(&mut groups, name, position);
        }
        groups.put("a", 1, 1, Standing::InFlight);
        visible(&mut groups, "a", 1);
        assert_eq!(groups.next(&mut Cursor::default()), Some(2), "b, then c, then a");
        groups.remove("b", 2);
        assert_eq!(groups.next(&mut Cursor::default()), Some(4));
        assert_eq!(groups.first_ready(3), Some(1), "c came later than that");
        groups.remove("a", 1);
        assert_eq!(groups.next(&mut Cursor::default()), Some(3), "what is next in a was here before c");
    }
}
