//! A message as a filter policy sees it: the leaves of its JSON by dotted path.

use super::pattern::{Fixed, Pattern, Scalar};
use crate::sim::sqs::{AttributeValue, Content};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// In which element of which array a leaf stands: array → index. Leaves of different elements of one array do not
/// belong together.
type Membership = BTreeMap<u32, u32>;

/// The leaves of one message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    leaves: BTreeMap<String, Vec<Leaf>>,
    arrays: u32,
}

#[derive(Clone, Debug, PartialEq)]
struct Leaf {
    value: Scalar,
    membership: Membership,
}

impl Event {
    /// The attributes of a message. A `String.Array` stands for its elements, or for its one value when that is no array;
    /// Binary attributes are not looked at ("Message attribute data types and validation"). `None` when an array is not
    /// JSON, or is an object.
    pub fn of_attributes(attributes: &BTreeMap<String, AttributeValue>) -> Option<Self> {
        let mut event = Self::default();
        for (name, attribute) in attributes {
            let Content::Text(text) = &attribute.value else { continue };
            match attribute.data_type.split('.').next() {
                _ if attribute.data_type == "String.Array" => {
                    let value = serde_json::from_str(text).ok().filter(|value: &Value| !value.is_object())?;
                    event.add(name, &value, &Membership::new());
                }
                Some("Number") => {
                    let number = text.trim().parse().ok().and_then(Fixed::of);
                    event.add_leaf(name, Scalar::Number(number, text.clone()), &Membership::new());
                }
                _ => event.add_leaf(name, Scalar::Text(text.clone()), &Membership::new()),
            }
        }
        Some(event)
    }

    /// The body of a message; `None` when it is not a JSON object.
    pub fn of_body(body: &[u8]) -> Option<Self> {
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return None };
        let mut event = Self::default();
        for (name, value) in &members {
            event.add(name, value, &Membership::new());
        }
        Some(event)
    }

    fn add(&mut self, path: &str, value: &Value, membership: &Membership) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    self.add(&format!("{path}.{name}"), value, membership);
                }
            }
            Value::Array(elements) => {
                self.arrays += 1;
                let array = self.arrays;
                for (index, element) in (0..).zip(elements) {
                    let mut membership = membership.clone();
                    membership.insert(array, index);
                    self.add(path, element, &membership);
                }
            }
            Value::String(text) => self.add_leaf(path, Scalar::Text(text.clone()), membership),
            Value::Number(number) => {
                let fixed = number.as_f64().and_then(Fixed::of);
                self.add_leaf(path, Scalar::Number(fixed, number.to_string()), membership);
            }
            Value::Bool(true) => self.add_leaf(path, Scalar::Word("true"), membership),
            Value::Bool(false) => self.add_leaf(path, Scalar::Word("false"), membership),
            Value::Null => self.add_leaf(path, Scalar::Word("null"), membership),
        }
    }

    fn add_leaf(&mut self, path: &str, value: Scalar, membership: &Membership) {
        let leaf = Leaf { value, membership: membership.clone() };
        self.leaves.entry(path.to_owned()).or_default().push(leaf);
    }

    /// Where the path's values match one of the patterns; empty when none does.
    pub(super) fn matching(&self, path: &str, patterns: &[Pattern]) -> BTreeSet<Membership> {
        let Some(leaves) = self.leaves.get(path) else {
            let is_wanted = patterns.contains(&Pattern::Absent);
            return is_wanted.then(Membership::new).into_iter().collect();
        };
        let wanted = leaves.iter().filter(|leaf| patterns.iter().any(|pattern| pattern.matches(&leaf.value)));
        wanted.map(|leaf| leaf.membership.clone()).collect()
    }
}

/// Places that are looked at for one message, at most. Where more would be needed the message is taken to match, so that
/// the work for it stays bounded.
const PLACES_MAX: usize = 1_000_000;

/// Whether one place of each key can be chosen so that no two are in different elements of one array.
pub(super) fn agree(found: Vec<BTreeSet<Membership>>) -> bool {
    let found = found.into_iter().map(|places| places.into_iter().collect()).collect();
    agree_within(found, &mut 0)
}

/// Goes through the elements of the outermost array that several keys are in; within one element those keys agree on
/// this array, and the inner arrays remain.
fn agree_within(found: Vec<Vec<Membership>>, looked_at: &mut usize) -> bool {
    if found.iter().any(Vec::is_empty) {
        return false;
    }
    *looked_at += found.iter().map(Vec::len).sum::<usize>();
    let Some(array) = shared_array(&found) else { return true };
    if *looked_at > PLACES_MAX {
        return true;
    }
    let keys = found.len();
    let mut outside = vec![Vec::new(); keys];
    let mut elements: BTreeMap<u32, Vec<Vec<Membership>>> = BTreeMap::new();
    for (key, places) in found.into_iter().enumerate() {
        for mut place in places {
            match place.remove(&array) {
                Some(index) => elements.entry(index).or_insert_with(|| vec![Vec::new(); keys])[key].push(place),
                None => outside[key].push(place),
            }
        }
    }
    let within_one = elements.into_values().any(|mut places| {
        for (places, outside) in places.iter_mut().zip(&outside) {
            places.extend(outside.iter().cloned());
        }
        agree_within(places, looked_at)
    });
    within_one || agree_within(outside, looked_at)
}

/// The first array that places of two keys are in. Arrays are numbered from the outside in.
fn shared_array(found: &[Vec<Membership>]) -> Option<u32> {
    let mut key_of: BTreeMap<u32, usize> = BTreeMap::new();
    let mut shared = BTreeSet::new();
    for (key, places) in found.iter().enumerate() {
        for array in places.iter().flat_map(|place| place.keys()) {
            if *key_of.entry(*array).or_insert(key) != key {
                shared.insert(*array);
            }
        }
    }
    shared.first().copied()
}
