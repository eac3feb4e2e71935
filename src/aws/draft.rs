//! A reading in the making: updates and troubles are collected, many troubles of one kind become one problem.

use crate::aws::errors::Trouble;
use crate::aws::meter::Meter;
use crate::aws::operations::Operation;
use crate::domain::change::Change;
use crate::domain::execution::WorkflowAnswer;
use crate::domain::field::Field;
use crate::domain::finding::{ErrorClass, Problem};
use crate::domain::log::LogAnswer;
use crate::domain::poll::{Identity, Reading, RowUpdate};
use crate::domain::row::{KindId, Place, ResourceId};
use crate::domain::tag::Tags;
use crate::domain::throttled::ThrottledAnswer;
use crate::domain::time::Timestamp;
use crate::domain::value::{Origin, Value};
use std::collections::BTreeMap;

/// What a poller fills.
#[derive(Debug, Default)]
pub struct Draft {
    reading: Reading,
    /// By service, operation and class.
    troubles: BTreeMap<(&'static str, &'static str, ErrorClass), Struck>,
    usd: f64,
}

/// The first trouble of its kind, and whom that kind struck.
#[derive(Debug)]
struct Struck {
    sentence: String,
    of_place: bool,
    resources: Vec<ResourceId>,
}

impl Draft {
    pub fn identity(&mut self, identity: Identity) {
        self.reading.identity = Some(identity);
    }

    /// To be called only when every page of the lists came.
    pub fn inventory(&mut self, kind: KindId, ids: Vec<ResourceId>) {
        self.reading.inventory = Some((kind, ids));
    }

    /// All that was changed since then.
    pub fn changes(&mut self, from: Timestamp, found: Vec<Change>) {
        self.reading.changes = Some((from, found));
    }

    /// To be called only when every page came.
    pub fn tags(&mut self, tags: Tags) {
        self.reading.tags = Some(tags);
    }

    pub fn update(&mut self, update: RowUpdate) {
        self.reading.updates.push(update);
    }

    /// What was read of a log, or why nothing was.
    pub fn log(&mut self, answer: Result<LogAnswer, String>) {
        self.reading.log = Some(answer);
    }

    /// What was read of a domain's executions.
    pub fn workflow(&mut self, answer: WorkflowAnswer) {
        self.reading.workflow = Some(answer);
    }

    /// Which calls were throttled, or why that is not known.
    pub fn throttled(&mut self, answer: ThrottledAnswer) {
        self.reading.throttled = Some(answer);
    }

    /// Money beyond the price of requests.
    pub fn charge(&mut self, usd: f64) {
        self.usd += usd;
    }

    /// A call failed that was about no single resource.
    pub fn whole(&mut self, operation: &Operation, trouble: Trouble) {
        self.struck(operation, trouble);
    }

    fn struck(&mut self, operation: &Operation, trouble: Trouble) -> &mut Struck {
        let Trouble { class, sentence, of_place, .. } = trouble;
        let of = (operation.service, operation.name, class);
        self.troubles.entry(of).or_insert_with(|| Struck { sentence, of_place, resources: Vec::new() })
    }

    /// A call about one resource failed: fields get their reason into `update` where there will be no datum;
    /// otherwise the resource counts as failed, and its last good values stand.
    pub fn resource(
        &mut self,
        operation: &Operation,
        trouble: Trouble,
        update: &mut RowUpdate,
        fields: &[&'static Field],
    ) {
        let (id, at) = (update.id.clone(), update.at);
        match trouble.no_data {
            Some(why) => {
                for field in fields {
                    update.fields.set(field, Value::missing(why, at, Origin::Api));
                }
            }
            None => self.failed(&id, &trouble.sentence),
        }
        if trouble.resource_gone {
            self.reading.gone.push(id);
        } else {
            // What strikes every call there is not about this resource.
            let of_place = trouble.of_place;
            let struck = self.struck(operation, trouble);
            if !of_place && !struck.resources.contains(&id) {
                struck.resources.push(id);
            }
        }
    }

    /// The resource could not be asked; its last good values stand.
    pub fn failed(&mut self, id: &ResourceId, sentence: &str) {
        if !self.reading.failed.iter().any(|(failed, _)| failed == id) {
            self.reading.failed.push((id.clone(), sentence.to_owned()));
        }
    }

    pub fn finish(self, meter: &Meter) -> Reading {
        let mut reading = self.reading;
        reading.calls = meter.take();
        reading.calls.usd += self.usd;
        reading.updates.retain(|update| !is_empty(update));
        reading.problems = self
            .troubles
            .into_iter()
            .map(|((service, operation, class), struck)| Problem {
                place: Place::default(),
                service,
                operation,
                class,
                of_place: struck.of_place,
                sentence: with_struck(struck.sentence, &struck.resources),
            })
            .collect();
        reading
    }
}

/// Whether the update says nothing.
fn is_empty(update: &RowUpdate) -> bool {
    update.fields.is_empty()
        && update.parts.is_none()
        && update.links.is_none()
        && update.part_fields.is_empty()
        && update.series.is_empty()
}

/// The sentence and whom it is about: one by name, many by number.
fn with_struck(sentence: String, struck: &[ResourceId]) -> String {
    match struck {
        [] => sentence,
        [one] => format!("{one}: {sentence}"),
        [first, rest @ ..] => format!("{first} and {} more: {sentence}", rest.len()),
    }
}

/// An update of the resource without news yet.
pub fn blank(id: &ResourceId, now: Timestamp) -> RowUpdate {
    RowUpdate::new(id.clone(), now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::operations::GET_QUEUE_ATTRIBUTES;
    use crate::domain::value::NoData;
    use crate::kinds::sqs;

    fn trouble(class: ErrorClass, no_data: Option<NoData>) -> Trouble {
        Trouble { class, sentence: "No.".into(), no_data, of_place: false, resource_gone: false, maybe_done: false }
    }

    #[test]
    fn many_troubles_of_one_kind_are_one_problem() {
        let mut draft = Draft::default();
        for name in ["a", "b", "c"] {
            let mut update = blank(&ResourceId::new(KindId::Sqs, name), Timestamp::default());
            let denied = trouble(ErrorClass::Denied, Some(NoData::Denied));
            draft.resource(&GET_QUEUE_ATTRIBUTES, denied, &mut update, &[&sqs::VISIBLE]);
            assert_eq!(update.fields.why_missing(&sqs::VISIBLE), Some(NoData::Denied));
        }
        let reading = draft.finish(&Meter::default());
        assert_eq!(reading.problems.len(), 1);
        assert_eq!(reading.problems[0].sentence, "sqs/a and 2 more: No.");
        assert!(reading.failed.is_empty());
    }

    #[test]
    fn passing_troubles_leave_the_last_good_values() {
        let mut draft = Draft::default();
        let id = ResourceId::new(KindId::Sqs, "a");
        let mut update = blank(&id, Timestamp::default());
        draft.resource(&GET_QUEUE_ATTRIBUTES, trouble(ErrorClass::Throttled, None), &mut update, &[&sqs::VISIBLE]);
        assert_eq!(update.fields.get(&sqs::VISIBLE), None);
        let reading = draft.finish(&Meter::default());
        assert_eq!(reading.failed, [(id, "No.".to_owned())]);
    }
}
