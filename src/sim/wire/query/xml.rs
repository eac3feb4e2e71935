//! A value as XML: structures as elements, lists as `member` elements, maps as `entry` elements, and both without
//! those where the service flattens them.

use crate::domain::time::Timestamp;
use crate::sim::wire::query::dialect::{Dialect, Kind};
use quick_xml::escape::escape;
use serde_json::{Map, Value};

/// Writes the members of an operation's answer.
pub fn write(out: &mut String, dialect: &Dialect, operation: &str, members: &Map<String, Value>) {
    Writer { out, dialect, operation }.structure("", members);
}

struct Writer<'a> {
    out: &'a mut String,
    dialect: &'a Dialect,
    operation: &'a str,
}

impl Writer<'_> {
    fn structure(&mut self, parent: &str, members: &Map<String, Value>) {
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            let flat = self.dialect.flat_member(self.operation, name);
            match (flat, value) {
                (Some(flat), Value::Array(items)) => {
                    items.iter().for_each(|item| self.element(flat.element, |w| w.value(parent, name, item)));
                }
                (Some(flat), Value::Object(entries)) => self.entries(flat.element, flat.pair, name, entries),
                _ => self.element(name, |w| w.value(parent, name, value)),
            }
        }
    }

    fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.out.extend(["<", name, ">"]);
        content(self);
        self.out.extend(["</", name, ">"]);
    }

    fn value(&mut self, parent: &str, name: &str, value: &Value) {
        let kind = self.dialect.kind(parent, name);
        match (value, kind) {
            (Value::Object(entries), Some(Kind::Map(key, value))) => {
                self.entries("entry", Some((key, value)), name, entries);
            }
            (Value::Object(members), _) => self.structure(name, members),
            (Value::Array(items), _) => {
                items.iter().for_each(|item| self.element("member", |w| w.value(parent, name, item)));
            }
            (Value::Number(seconds), Some(Kind::Time)) => {
                self.out.push_str(&Timestamp::from_secs_f64(seconds.as_f64().unwrap_or_default()).rfc3339());
            }
            (Value::String(text), _) => self.out.push_str(&escape(text.as_str())),
            (other, _) => self.out.push_str(&other.to_string()),
        }
    }

    fn entries(&mut self, element: &str, pair: Option<(&str, &str)>, name: &str, entries: &Map<String, Value>) {
        let (key_name, value_name) = pair.unwrap_or(("key", "value"));
        for (key, value) in entries {
            self.element(element, |w| {
                w.element(key_name, |w| w.out.push_str(&escape(key.as_str())));
                w.element(value_name, |w| match value {
                    Value::Object(members) => w.structure(name, members),
                    Value::String(text) => w.out.push_str(&escape(text.as_str())),
                    other => w.out.push_str(&other.to_string()),
                });
            });
        }
    }
}
