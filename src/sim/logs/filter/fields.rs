//! Patterns for events of fields between spaces: `[ip, user, ..., status = 4*, bytes > 1000]`.

use super::condition::{Comparison, Tree};

/// What stands between the brackets.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields {
    /// Each with its name; an ellipsis has none.
    items: Vec<Item>,
    names: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Item {
    /// `...`: as many fields as it takes.
    Ellipsis,
    /// A field that may be anything.
    Free,
    Conditions(Tree<Comparison>),
}

impl Fields {
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut items, mut names) = (Vec::new(), Vec::new());
        let mut rest = text.trim();
        loop {
            let (item, tail) = item(rest)?;
            items.push(item);
            let unbracketed = rest.trim_start_matches(['(', ' ']);
            let end = name(unbracketed).map_or(0, |after| unbracketed.len() - after.len());
            names.push(unbracketed[..end].trim().to_owned());
            let tail = tail.trim_start();
            if tail.is_empty() {
                break;
            }
            rest = tail.strip_prefix(',').ok_or_else(|| format!("expected ',' at '{tail}'"))?.trim_start();
        }
        if items.iter().filter(|item| **item == Item::Ellipsis).count() > 1 {
            return Err("only one ellipsis is possible".into());
        }
        Ok(Self { items, names })
    }

    /// (name, field) of an event.
    pub fn all<'a>(&'a self, message: &'a str) -> Vec<(&'a str, &'a str)> {
        let fields = split(message);
        let at = self.items.iter().position(|item| *item == Item::Ellipsis).unwrap_or(self.items.len());
        let after = self.items.len().saturating_sub(at + 1);
        let place =
            |index: usize| if index < at { Some(index) } else { (fields.len() + index).checked_sub(at + 1 + after) };
        let named = self.names.iter().enumerate().filter(|(index, name)| *index != at && !name.is_empty());
        named.filter_map(|(index, name)| Some((name.as_str(), *fields.get(place(index)?)?))).collect()
    }

    /// The field that the pattern calls so.
    pub fn named<'a>(&'a self, message: &'a str, name: &str) -> Option<&'a str> {
        self.all(message).into_iter().find(|(known, _)| *known == name).map(|(_, field)| field)
    }

    pub fn is_match(&self, message: &str) -> bool {
        let fields = split(message);
        let (before, after) = match self.items.iter().position(|item| *item == Item::Ellipsis) {
            Some(at) => (&self.items[..at], &self.items[at + 1..]),
            None => (self.items.as_slice(), &[][..]),
        };
        if fields.len() < before.len() + after.len() {
            return false;
        }
        let has_ellipsis = before.len() < self.items.len();
        let tail = &fields[fields.len() - after.len()..];
        let is_last = |index: usize| !has_ellipsis && index + 1 == before.len();
        let heads = before.iter().enumerate().all(|(index, item)| {
            // Without an ellipsis the last item takes all that is left.
            if is_last(index) { item.takes(&fields[index..].join(" ")) } else { item.takes(fields[index]) }
        });
        heads && after.iter().zip(tail).all(|(item, field)| item.takes(field))
    }
}

impl Item {
    fn takes(&self, field: &str) -> bool {
        match self {
            Self::Ellipsis | Self::Free => true,
            Self::Conditions(tree) => {
                let number = field.parse().ok().filter(|n: &f64| n.is_finite());
                tree.holds(&|comparison: &Comparison| comparison.is_met(field, number))
            }
        }
    }
}

/// A name alone, or conditions that each begin with the name.
fn item(text: &str) -> Result<(Item, &str), String> {
    if let Some(rest) = text.strip_prefix("...") {
        return Ok((Item::Ellipsis, rest));
    }
    if !text.starts_with('(') {
        let rest = name(text)?.trim_start();
        if rest.is_empty() || rest.starts_with(',') {
            return Ok((Item::Free, rest));
        }
    }
    let (tree, rest) = Tree::parse(text, 0, &|text| Comparison::parse(name(text)?))?;
    Ok((Item::Conditions(tree), rest))
}

/// What follows a field's name.
fn name(text: &str) -> Result<&str, String> {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(text.len());
    if end == 0 { Err(format!("expected a field's name at '{text}'")) } else { Ok(&text[end..]) }
}

/// The fields of an event; what stands in quotation marks or brackets is one.
fn split(message: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = message.trim();
    while !rest.is_empty() {
        let closing = match rest.as_bytes()[0] {
            b'"' => Some('"'),
            b'[' => Some(']'),
            _ => None,
        };
        let quoted = closing.and_then(|closing| rest[1..].split_once(closing));
        let (field, tail) = match quoted {
            Some((field, tail)) if tail.is_empty() || tail.starts_with(char::is_whitespace) => (field, tail),
            _ => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        fields.push(field);
        rest = tail.trim_start();
    }
    fields
}
