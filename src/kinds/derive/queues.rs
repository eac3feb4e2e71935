//! What is reckoned about queues: when a backlog is done, how it grows, when the first message is lost, and what lies in
//! the dead-letter queue.

use super::combine;
use crate::domain::field::Field;
use crate::domain::row::{KindId, Relation, ResourceId, Row};
use crate::domain::series::{Series, SeriesKey};
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, NoData, Origin, Value};
use crate::kinds::{SeriesOf, sqs};
use std::collections::BTreeMap;
use std::time::Duration;

/// Rates are those of so many minutes: fewer are chance, more are history.
const PACE_MIN: u64 = 5;
/// An age that is older than this is of another story.
const AGE_FRESH_MIN: u64 = 5;
/// A trend is told over so many minutes.
const TREND_MIN: u64 = 10;
/// Sends and deletes that differ by less than this share are as many: a queue that is kept up with is no backlog.
const EVEN_SHARE: f64 = 0.01;

/// What queues must know of each other.
pub struct Queues(BTreeMap<ResourceId, Known>);

#[derive(Default)]
struct Known {
    visible: Option<Value>,
    growth: Option<Value>,
    retention_s: Option<f64>,
}

impl Queues {
    pub fn of(rows: &BTreeMap<ResourceId, Row>, series: &BTreeMap<SeriesKey, Series>) -> Self {
        let queues = rows.values().filter(|row| row.id.kind == KindId::Sqs);
        let known = |row: &Row| Known {
            visible: row.fields.get(&sqs::VISIBLE).cloned(),
            growth: growth(&SeriesOf { all: series, row }),
            retention_s: row.fields.number(&sqs::RETENTION_S),
        };
        Self(queues.map(|row| (row.id.clone(), known(row))).collect())
    }

    /// Sets every reckoned field of a queue.
    pub fn complete(&self, row: &mut Row, series: &BTreeMap<SeriesKey, Series>) {
        let Some(as_of) = row.fields.get(&sqs::VISIBLE).map(|visible| visible.as_of) else { return };
        if let Some(oldest) = oldest(&SeriesOf { all: series, row }, as_of) {
            row.fields.set(&sqs::OLDEST_AGE_S, oldest);
        }
        let drain = drain(&SeriesOf { all: series, row });
        let (at_most, at_least) = self.expiry(row, as_of);
        let own = self.0.get(&row.id);
        let reckoned = [
            (&sqs::DRAIN_S, drain),
            (&sqs::GROWTH_PER_MIN, own.and_then(|own| own.growth.clone())),
            (&sqs::EXPIRY_AT_MOST_S, at_most),
            (&sqs::EXPIRY_AT_LEAST_S, at_least),
            (&sqs::DLQ_VISIBLE, Some(self.of_dead_letters(row, as_of, |known| known.visible.as_ref()))),
            (&sqs::DLQ_GROWTH_PER_MIN, Some(self.of_dead_letters(row, as_of, |known| known.growth.as_ref()))),
        ];
        for (field, value) in reckoned {
            if let Some(value) = value {
                row.fields.set(field, value);
            }
        }
    }

    /// A value of its dead-letter queue.
    fn of_dead_letters(&self, row: &Row, as_of: Timestamp, value: impl Fn(&Known) -> Option<&Value>) -> Value {
        let Some(dead_letters) = row.linked(Relation::DeadLettersTo).next() else {
            // Its redrive policy is not known where its attributes are not.
            let why = row.fields.why_missing(&sqs::VISIBLE).unwrap_or(NoData::NotApplicable);
            return Value::missing(why, as_of, Origin::Derived);
        };
        // All queues come in one list: where its source is and it is not, it is not watched.
        let Some(known) = self.0.get(dead_letters) else {
            return Value::missing(NoData::Unseen, as_of, Origin::Derived);
        };
        match value(known) {
            Some(value) => Value { origin: Origin::Derived, ..value.clone() },
            None => Value::missing(NoData::NotYet, as_of, Origin::Derived),
        }
    }

    /// How long until retention takes the oldest message: at most, and at least. The age that SQS tells is of the oldest
    /// message that it does not hide, so the loss may come before `at most`. `At least` is told of dead letters: a
    /// standard queue keeps their first send time while the age counts from the move, so the whole retention of the
    /// longest source queue may have gone before. A FIFO queue counts both from the move.
    fn expiry(&self, row: &Row, as_of: Timestamp) -> (Option<Value>, Option<Value>) {
        let (Some(retention), Some(age)) = (row.fields.get(&sqs::RETENTION_S), row.fields.get(&sqs::OLDEST_AGE_S))
        else {
            return (None, None);
        };
        let left_s = |before_s: f64| {
            combine(&[age, retention], || Some((retention.as_number()? - age.as_number()? - before_s).max(0.0)))
        };
        let at_most = left_s(0.0);
        let sources: Vec<&ResourceId> =
            row.linked(Relation::DeadLettersOf).filter(|source| source.kind == KindId::Sqs).collect();
        let at_least = if !sqs::is_dead_letter_queue(row) {
            // Where queues may not be read, it is not known which of them send here.
            let why = row.fields.why_missing(&sqs::VISIBLE).unwrap_or(NoData::NotApplicable);
            Value::missing(why, as_of, Origin::Derived)
        } else if sqs::is_fifo(row) {
            at_most.clone()
        } else {
            let kept = |source: &&ResourceId| self.0.get(*source).and_then(|known| known.retention_s);
            let kept: Option<Vec<f64>> = sources.iter().map(kept).collect();
            match kept {
                Some(kept) => left_s(kept.into_iter().fold(0.0, f64::max)),
                None => Value::missing(NoData::NotYet, as_of, Origin::Derived),
            }
        };
        (Some(at_most), Some(at_least))
    }
}

/// CloudWatch's age is minutes old: where the queue is empty now it is of messages that are gone. Where messages have come
/// since, the last age stands again while it is fresh. `None` leaves what is told.
fn oldest(series: &SeriesOf<'_>, as_of: Timestamp) -> Option<Value> {
    let fields = &series.row.fields;
    let counts = [&sqs::VISIBLE, &sqs::IN_FLIGHT, &sqs::DELAYED].map(|field| fields.number(field));
    if counts.iter().all(|count| *count == Some(0.0)) {
        return Some(Value::missing(NoData::Empty, as_of, Origin::Derived));
    }
    if fields.why_missing(&sqs::OLDEST_AGE_S) != Some(NoData::Empty) {
        return None;
    }
    let last = series.get(&sqs::OLDEST_AGE_S).and_then(Series::last);
    let ended = last.map(|(minute, age_s)| (minute + Duration::from_secs(60), age_s));
    let fresh = ended.filter(|(ended, _)| as_of.since(*ended) <= Duration::from_secs(AGE_FRESH_MIN * 60));
    Some(match fresh {
        Some((ended, age_s)) => Value::number(age_s, ended, Origin::CloudWatch),
        None => Value::missing(NoData::NotYet, as_of, Origin::Derived),
    })
}

/// When what waits is done. `None` before anything was asked. Into a dead-letter queue messages are moved, which counts
/// as no send, so nothing can be reckoned there.
fn drain(series: &SeriesOf<'_>) -> Option<Value> {
    let fields = &series.row.fields;
    let visible = fields.get(&sqs::VISIBLE)?;
    let missing = |why| Some(Value::missing(why, visible.as_of, Origin::Derived));
    if visible.as_number() == Some(0.0) {
        return missing(NoData::Empty);
    }
    if let Some(why) = fields.why_missing(&sqs::VISIBLE) {
        return missing(why);
    }
    if sqs::is_dead_letter_queue(series.row) {
        return missing(NoData::NotApplicable);
    }
    let (sent, deleted) = (fields.get(&sqs::SENT_PER_MIN)?, fields.get(&sqs::DELETED_PER_MIN)?);
    let paces = paces(series);
    let value = combine(&[visible, sent, deleted], || {
        let (sent, deleted) = paces?;
        Some(visible.as_number()? / (deleted - sent) * 60.0)
    });
    let (Datum::Number(_), Some((sent, deleted))) = (&value.datum, paces) else { return Some(value) };
    let shrinks = deleted - sent;
    let why = match () {
        () if deleted > 0.0 && shrinks.abs() <= deleted.max(sent) * EVEN_SHARE => NoData::Steady,
        () if shrinks <= 0.0 => NoData::Never,
        () => return Some(value),
    };
    Some(Value { datum: Datum::Missing(why), ..value })
}

/// Sent and deleted a minute, over the newest minutes that both are known of.
fn paces(series: &SeriesOf<'_>) -> Option<(f64, f64)> {
    let (sent, deleted) = (series.get(&sqs::SENT_PER_MIN)?, series.get(&sqs::DELETED_PER_MIN)?);
    let newest = sent.last()?.0.min(deleted.last()?.0);
    let from = newest - Duration::from_secs((PACE_MIN - 1) * 60);
    let deleted: BTreeMap<Timestamp, f64> = deleted.since(from).collect();
    let both = sent.since(from).filter_map(|(at, sent)| Some((sent, *deleted.get(&at)?)));
    let (minutes, sent, deleted) = both.fold((0.0, 0.0, 0.0), |sum, (s, d)| (sum.0 + 1.0, sum.1 + s, sum.2 + d));
    (minutes > 0.0).then(|| (sent / minutes, deleted / minutes))
}

/// Change a minute of what waits, from the first to the last of the newest minutes. `None` before anything was asked.
fn growth(series: &SeriesOf<'_>) -> Option<Value> {
    let history: &Field = &sqs::VISIBLE_HISTORY;
    let current = series.row.fields.get(history)?;
    Some(combine(&[current], || {
        let points = series.get(history)?;
        let (newest, now) = points.last()?;
        let (first, before) = points.since(newest - Duration::from_secs(TREND_MIN * 60)).next()?;
        let minutes = newest.since(first).as_secs_f64() / 60.0;
        (minutes > 0.0).then(|| (now - before) / minutes)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row::Link;
    use crate::kinds::derive;

    const HOUR_S: f64 = 3600.0;
    const DAY_S: f64 = 24.0 * HOUR_S;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000)
    }

    /// Queues with what SQS and CloudWatch said of them, the newest minute being the tenth.
    #[derive(Default)]
    struct Estate {
        rows: BTreeMap<ResourceId, Row>,
        series: BTreeMap<SeriesKey, Series>,
    }

    impl Estate {
        fn set(&mut self, name: &str, values: &[(&'static Field, f64)]) -> &mut Self {
            let id = ResourceId::new(KindId::Sqs, name);
            let row = self.rows.entry(id.clone()).or_insert_with(|| Row::new(id, at(11)));
            for (field, number) in values {
                row.fields.set(field, Value::number(*number, at(11), Origin::Api));
            }
            self
        }

        /// The numbers of the minutes up to the tenth.
        fn history(&mut self, name: &str, field: &'static Field, numbers: &[f64]) -> &mut Self {
            let first = 11 - numbers.len() as i64;
            let points = numbers.iter().zip(first..).map(|(number, minute)| (at(minute), *number));
            let key = SeriesKey { resource: ResourceId::new(KindId::Sqs, name), part: String::new(), field: field.id };
            self.series.entry(key).or_default().merge(points);
            self.set(name, &[(field, *numbers.last().unwrap())])
        }

        fn dead_letters(&mut self, from: &str, to: &str) -> &mut Self {
            let (from, to) = (ResourceId::new(KindId::Sqs, from), ResourceId::new(KindId::Sqs, to));
            let back = Link { to: from.clone(), relation: Relation::DeadLettersOf };
            self.rows.get_mut(&to).unwrap().links.push(back);
            self.rows.get_mut(&from).unwrap().links.push(Link { to, relation: Relation::DeadLettersTo });
            self
        }

        fn derived(&mut self, name: &str) -> &Row {
            derive(&mut self.rows, &self.series);
            &self.rows[&ResourceId::new(KindId::Sqs, name)]
        }
    }

    /// A queue where so many wait, with these rates.
    fn queue(visible: f64, sent: &[f64], deleted: &[f64]) -> Estate {
        let mut estate = Estate::default();
        estate.set("orders", &[(&sqs::VISIBLE, visible), (&sqs::IN_FLIGHT, 0.0), (&sqs::DELAYED, 0.0)]);
        estate.history("orders", &sqs::SENT_PER_MIN, sent).history("orders", &sqs::DELETED_PER_MIN, deleted);
        estate
    }

    #[test]
    fn a_backlog_is_done_after_what_waits_by_what_more_is_deleted_than_sent() {
        let mut estate =
            queue(600.0, &[900.0, 100.0, 100.0, 100.0, 100.0, 100.0], &[0.0, 150.0, 150.0, 150.0, 150.0, 150.0]);
        let orders = estate.derived("orders");
        assert_eq!(orders.fields.number(&sqs::DRAIN_S), Some(720.0), "600 at 50 a minute; older minutes do not count");
        assert!(sqs::notes(orders).is_empty());
    }

    #[test]
    fn minutes_that_only_one_rate_is_known_of_do_not_count() {
        let mut estate = queue(60.0, &[100.0, 100.0, 100.0], &[160.0]);
        assert_eq!(estate.derived("orders").fields.number(&sqs::DRAIN_S), Some(60.0));
    }

    #[test]
    fn a_backlog_that_grows_is_never_done_and_the_reason_is_said() {
        for (sent, deleted, why, said) in [
            (200.0, 150.0, NoData::Never, "more is sent than deleted"),
            (0.0, 0.0, NoData::Never, "nothing is deleted"),
            (1000.0, 1003.0, NoData::Steady, "neither grows nor shrinks"),
        ] {
            let mut estate = queue(60.0, &[sent; 5], &[deleted; 5]);
            let orders = estate.derived("orders");
            assert_eq!(orders.fields.why_missing(&sqs::DRAIN_S), Some(why), "{sent} {deleted}");
            assert!(sqs::notes(orders)[0].contains(said), "{:?}", sqs::notes(orders));
        }
    }

    #[test]
    fn without_a_rate_nothing_is_reckoned() {
        let mut estate = queue(60.0, &[100.0; 5], &[200.0; 5]);
        let asleep = Value::missing(NoData::NoDatapoints, at(11), Origin::CloudWatch);
        estate.rows.values_mut().next().unwrap().fields.set(&sqs::DELETED_PER_MIN, asleep);
        assert_eq!(estate.derived("orders").fields.why_missing(&sqs::DRAIN_S), Some(NoData::NoDatapoints));
        let mut estate = queue(60.0, &[100.0; 5], &[200.0; 5]);
        estate.set("worker", &[]).dead_letters("worker", "orders");
        assert_eq!(
            estate.derived("orders").fields.why_missing(&sqs::DRAIN_S),
            Some(NoData::NotApplicable),
            "moves into a dead-letter queue are no sends"
        );
    }

    #[test]
    fn what_may_not_be_read_is_not_none() {
        let mut estate = queue(60.0, &[100.0; 5], &[200.0; 5]);
        let denied = || Value::missing(NoData::Denied, at(11), Origin::Api);
        for field in [&sqs::VISIBLE, &sqs::RETENTION_S, &sqs::OLDEST_AGE_S] {
            estate.rows.values_mut().next().unwrap().fields.set(field, denied());
        }
        let orders = estate.derived("orders");
        for field in [&sqs::DRAIN_S, &sqs::DLQ_VISIBLE, &sqs::DLQ_GROWTH_PER_MIN, &sqs::EXPIRY_AT_LEAST_S] {
            assert_eq!(orders.fields.why_missing(field), Some(NoData::Denied), "{}", field.id);
        }
    }

    #[test]
    fn an_empty_queue_has_no_oldest_message_and_a_filled_one_the_last_age_while_it_is_fresh() {
        let mut estate = queue(0.0, &[100.0; 5], &[100.0; 5]);
        estate.set("orders", &[(&sqs::OLDEST_AGE_S, 120.0)]);
        let empty = estate.derived("orders");
        assert_eq!(empty.fields.why_missing(&sqs::OLDEST_AGE_S), Some(NoData::Empty));
        assert_eq!(empty.fields.why_missing(&sqs::DRAIN_S), Some(NoData::Empty));
        estate.set("orders", &[(&sqs::VISIBLE, 3.0)]);
        assert_eq!(estate.derived("orders").fields.why_missing(&sqs::OLDEST_AGE_S), Some(NoData::NotYet));
        estate.history("orders", &sqs::OLDEST_AGE_S, &[30.0]).set("orders", &[(&sqs::VISIBLE, 0.0)]);
        assert_eq!(estate.derived("orders").fields.number(&sqs::OLDEST_AGE_S), None);
        estate.set("orders", &[(&sqs::VISIBLE, 3.0)]);
        let again = estate.derived("orders").fields.get(&sqs::OLDEST_AGE_S).cloned();
        assert_eq!(again, Some(Value::number(30.0, at(11), Origin::CloudWatch)));
        estate.set("orders", &[(&sqs::VISIBLE, 0.0), (&sqs::IN_FLIGHT, 2.0), (&sqs::OLDEST_AGE_S, 120.0)]);
        let worked = estate.derived("orders");
        assert_eq!(worked.fields.number(&sqs::OLDEST_AGE_S), Some(120.0), "a message in flight has an age");
    }

    /// Two letters came from `orders` an hour ago.
    fn dead_letters(dlq: &str, source_retention_s: f64) -> Estate {
        let mut estate = Estate::default();
        estate.set("orders", &[(&sqs::VISIBLE, 0.0), (&sqs::RETENTION_S, source_retention_s)]);
        estate.set(dlq, &[(&sqs::VISIBLE, 2.0), (&sqs::RETENTION_S, 4.0 * DAY_S), (&sqs::OLDEST_AGE_S, HOUR_S)]);
        estate.dead_letters("orders", dlq);
        estate
    }

    #[test]
    fn a_dead_letters_loss_is_bounded_since_its_first_send_is_not_told() {
        let mut estate = dead_letters("orders-dlq", DAY_S);
        let dlq = estate.derived("orders-dlq");
        assert_eq!(dlq.fields.number(&sqs::EXPIRY_AT_MOST_S), Some(4.0 * DAY_S - HOUR_S));
        assert_eq!(dlq.fields.number(&sqs::EXPIRY_AT_LEAST_S), Some(3.0 * DAY_S - HOUR_S));
        assert!(sqs::notes(dlq)[0].contains("lost in 2d23h to 3d23h"), "{:?}", sqs::notes(dlq));

        let mut estate = dead_letters("orders-dlq", 14.0 * DAY_S);
        let dlq = estate.derived("orders-dlq");
        assert_eq!(dlq.fields.number(&sqs::EXPIRY_AT_LEAST_S), Some(0.0));
        assert!(sqs::notes(dlq)[0].contains("maybe any moment"), "{:?}", sqs::notes(dlq));

        let mut estate = dead_letters("orders-dlq.fifo", DAY_S);
        let dlq = estate.derived("orders-dlq.fifo");
        assert_eq!(dlq.fields.number(&sqs::EXPIRY_AT_LEAST_S), Some(4.0 * DAY_S - HOUR_S), "FIFO counts from the move");
    }

    #[test]
    fn equal_ends_are_one_and_what_is_not_watched_is_not_waited_for() {
        let mut estate = dead_letters("orders-dlq", 60.0);
        estate.set("orders-dlq", &[(&sqs::OLDEST_AGE_S, HOUR_S - 60.0)]);
        let note = sqs::notes(estate.derived("orders-dlq"))[0].clone();
        assert!(note.contains("is lost in 3d23h: "), "{note}");
        let mut estate = Estate::default();
        estate.set("orders", &[(&sqs::VISIBLE, 0.0)]).set("orders-dlq", &[(&sqs::VISIBLE, 0.0)]);
        estate.dead_letters("orders", "orders-dlq");
        estate.rows.remove(&ResourceId::new(KindId::Sqs, "orders-dlq"));
        assert_eq!(estate.derived("orders").fields.why_missing(&sqs::DLQ_VISIBLE), Some(NoData::Unseen));
    }

    #[test]
    fn a_queue_shows_depth_and_trend_of_its_dead_letter_queue() {
        let mut estate = dead_letters("orders-dlq", DAY_S);
        estate.history("orders-dlq", &sqs::VISIBLE_HISTORY, &[40.0, 10.0, 13.0, 16.0, 22.0]);
        estate.set("orders-dlq", &[(&sqs::VISIBLE, 412.0)]);
        let orders = estate.derived("orders");
        assert_eq!(orders.fields.number(&sqs::DLQ_VISIBLE), Some(412.0));
        assert_eq!(orders.fields.number(&sqs::DLQ_GROWTH_PER_MIN), Some(-4.5));
        let dlq = estate.derived("orders-dlq");
        assert_eq!(dlq.fields.number(&sqs::GROWTH_PER_MIN), Some(-4.5));
        assert_eq!(dlq.fields.why_missing(&sqs::DLQ_VISIBLE), Some(NoData::NotApplicable));
    }

    #[test]
    fn where_messages_come_back_the_oldest_may_hide() {
        let mut estate = queue(60.0, &[100.0; 5], &[200.0; 5]);
        estate.set("orders", &[(&sqs::RECEIVED_PER_MIN, 300.0)]);
        let hides = |estate: &mut Estate| sqs::notes(estate.derived("orders")).iter().any(|note| note.contains("hide"));
        assert!(hides(&mut estate));
        estate.set("orders", &[(&sqs::MAX_RECEIVES, 2.0)]);
        assert!(!hides(&mut estate), "it is a dead letter before it could hide");
        estate.set("orders", &[(&sqs::MAX_RECEIVES, 5.0), (&sqs::RECEIVED_PER_MIN, 200.0)]);
        assert!(!hides(&mut estate), "nothing comes back");
    }
}
