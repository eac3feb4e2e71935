//! Which faults are on or to come, by their names, so that they can be listed and ended before their time.

use super::{Entry, strike};
use crate::domain::time::Timestamp;
use crate::sim::agenda::Due;
use crate::sim::world::World;

/// A fault as whoever ordered it knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Several faults may have one name.
    pub name: String,
    /// As scenarios write it.
    pub kind: String,
    pub target: String,
    pub begins: Timestamp,
    /// When it ends by itself.
    pub ends: Option<Timestamp>,
}

/// A fault and its entries on the timeline.
pub struct Staged {
    pub plan: Plan,
    begin: Vec<usize>,
    /// Nothing where it is over as soon as it has happened.
    end: Vec<usize>,
}

impl Staged {
    pub fn has_begun(&self, now: Timestamp) -> bool {
        self.plan.begins <= now
    }

    fn is_over(&self, now: Timestamp) -> bool {
        if self.end.is_empty() { self.has_begun(now) } else { self.plan.ends.is_some_and(|ends| ends <= now) }
    }
}

/// Puts a fault on the timeline.
pub fn stage(world: &mut World, plan: Plan, begin: Vec<Entry>, end: Vec<Entry>) {
    let add = |world: &mut World, entries: Vec<Entry>, at: Option<Timestamp>| {
        let first = world.timeline.len();
        world.timeline.extend(entries);
        let numbers: Vec<usize> = (first..world.timeline.len()).collect();
        for (number, at) in numbers.iter().zip(std::iter::repeat(at)) {
            if let Some(at) = at {
                world.agenda.schedule(at, Due::Timeline(*number));
            }
        }
        numbers
    };
    let begin = add(world, begin, Some(plan.begins));
    let end = add(world, end, plan.ends);
    let now = world.now;
    world.staged.retain(|staged| !staged.is_over(now));
    world.staged.push(Staged { plan, begin, end });
}

/// The faults that are on, and those to come, in the order in which they were ordered.
pub fn not_over(world: &World) -> impl Iterator<Item = &Staged> {
    world.staged.iter().filter(|staged| !staged.is_over(world.now))
}

/// Ends the faults of this name, or all of them; what has not begun never will. Returns how many they were. What was
/// due must have happened before.
pub fn end(world: &mut World, name: Option<&str>) -> usize {
    let now = world.now;
    let all = std::mem::take(&mut world.staged);
    let (ended, kept): (Vec<Staged>, Vec<Staged>) = all
        .into_iter()
        .filter(|staged| !staged.is_over(now))
        .partition(|staged| name.is_none_or(|name| staged.plan.name == name));
    world.staged = kept;
    for staged in &ended {
        if staged.has_begun(now) {
            staged.end.iter().for_each(|entry| strike(world, *entry));
        }
        for entry in staged.begin.iter().chain(&staged.end) {
            world.timeline[*entry] = Entry::Over;
        }
    }
    ended.len()
}
