//! Document paths, such as `addresses[0].city`: reading, writing and removing what they lead to.

use super::value::{Item, Value};
use std::fmt;

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Name(String),
    Index(usize),
}

/// An attribute, and steps into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    pub attribute: String,
    pub steps: Vec<Step>,
}

/// The path leads through something that is not there or is of another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchPlace;

impl Path {
    /// A whole attribute.
    pub fn of(attribute: &str) -> Self {
        Self { attribute: attribute.to_owned(), steps: Vec::new() }
    }

    /// What the path leads to.
    pub fn get<'a>(&self, item: &'a Item) -> Option<&'a Value> {
        self.steps.iter().try_fold(item.get(&self.attribute)?, |value, step| match (value, step) {
            (Value::M(members), Step::Name(name)) => members.get(name),
            (Value::L(values), Step::Index(index)) => values.get(*index),
            _ => None,
        })
    }

    /// Puts the value there. Beyond a list's end it is appended.
    ///
    /// Errors: when the way there is not in the item.
    pub fn set(&self, item: &mut Item, value: Value) -> Result<(), NoSuchPlace> {
        let Some((last, way)) = self.steps.split_last() else {
            item.insert(self.attribute.clone(), value);
            return Ok(());
        };
        match (self.walk(item, way).ok_or(NoSuchPlace)?, last) {
            (Value::M(members), Step::Name(name)) => {
                members.insert(name.clone(), value);
            }
            (Value::L(values), Step::Index(index)) => match values.get_mut(*index) {
                Some(old) => *old = value,
                None => values.push(value),
            },
            _ => return Err(NoSuchPlace),
        }
        Ok(())
    }

    /// Takes away what is there; nothing when nothing is.
    ///
    /// Errors: when the way there is not in the item.
    pub fn remove(&self, item: &mut Item) -> Result<Option<Value>, NoSuchPlace> {
        let Some((last, way)) = self.steps.split_last() else {
            return Ok(item.remove(&self.attribute));
        };
        match (self.walk(item, way).ok_or(NoSuchPlace)?, last) {
            (Value::M(members), Step::Name(name)) => Ok(members.remove(name)),
            (Value::L(values), Step::Index(index)) => Ok((*index < values.len()).then(|| values.remove(*index))),
            _ => Err(NoSuchPlace),
        }
    }

    fn walk<'a>(&self, item: &'a mut Item, way: &[Step]) -> Option<&'a mut Value> {
        way.iter().try_fold(item.get_mut(&self.attribute)?, |value, step| match (value, step) {
            (Value::M(members), Step::Name(name)) => members.get_mut(name),
            (Value::L(values), Step::Index(index)) => values.get_mut(*index),
            _ => None,
        })
    }

    /// The attribute's name and then each step, as DynamoDB lists them: `[a, b, [0]]`.
    fn parts(&self) -> Vec<String> {
        let steps = self.steps.iter().map(|step| match step {
            Step::Name(name) => name.clone(),
            Step::Index(index) => format!("[{index}]"),
        });
        std::iter::once(self.attribute.clone()).chain(steps).collect()
    }

    /// One path leads to or into the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.attribute == other.attribute && self.steps.iter().zip(&other.steps).all(|(a, b)| a == b)
    }

    /// The paths part where one goes by name and the other by index.
    pub fn conflicts(&self, other: &Self) -> bool {
        let parting = self.steps.iter().zip(&other.steps).find(|(a, b)| a != b);
        self.attribute == other.attribute
            && matches!(parting, Some((Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_))))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.parts().join(", "))
    }
}

/// The parts of an item that the paths lead to; lists keep the order of what was asked for and close their gaps.
pub fn project(item: &Item, paths: &[Path]) -> Item {
    let mut picked = Item::new();
    for attribute in item.keys() {
        let of_it: Vec<&[Step]> =
            paths.iter().filter(|path| path.attribute == *attribute).map(|path| path.steps.as_slice()).collect();
        if let Some(value) = item.get(attribute).and_then(|value| pick(value, &of_it)) {
            picked.insert(attribute.clone(), value);
        }
    }
    picked
}

fn pick(value: &Value, wanted: &[&[Step]]) -> Option<Value> {
    if wanted.iter().any(|steps| steps.is_empty()) {
        return Some(value.clone());
    }
    let below = |step: &Step| -> Vec<&[Step]> {
        wanted.iter().filter(|steps| steps.first() == Some(step)).map(|steps| &steps[1..]).collect()
    };
    match value {
        Value::M(members) => {
            let picked: Item = members
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), pick(value, &below(&Step::Name(name.clone())))?)))
                .collect();
            (!picked.is_empty()).then_some(Value::M(picked))
        }
        Value::L(values) => {
            let each = values.iter().enumerate();
            let picked: Vec<Value> =
                each.filter_map(|(index, value)| pick(value, &below(&Step::Index(index)))).collect();
            (!picked.is_empty()).then_some(Value::L(picked))
        }
        _ => None,
    }
}
