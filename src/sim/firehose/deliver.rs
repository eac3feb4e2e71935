//! Delivery: buffers become objects in storage, one after the other, and are tried again where storage fails.

use super::metrics::Metric;
use super::stream::DeliveryStream;
use super::{Due, wake_at};
use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use std::time::Duration;

/// Writing an object takes about this long.
const WRITE: Duration = Duration::from_millis(800);
/// A destination that does not answer is given up after this long.
const HANG: Duration = Duration::from_secs(60);
/// Waits between attempts grow from the first to the second.
const RETRY_FIRST: Duration = Duration::from_secs(5);
const RETRY_LAST: Duration = Duration::from_secs(120);
/// Data that cannot be delivered is kept for a day ("Understand data delivery in Amazon Data Firehose").
const KEPT: Duration = Duration::from_secs(86_400);

/// What is wrong with a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// It answers at once, with a refusal.
    Refuses,
    /// It does not answer.
    Hangs,
}

/// One try to deliver the first closed buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// When it ends, or begins again.
    at: Timestamp,
    /// Earlier tries that failed.
    failures: u32,
    is_running: bool,
    /// As the destination was when the try began.
    fails: bool,
}

impl DeliveryStream {
    /// Does what is due of buffering and delivery, and puts the next step on the agenda.
    pub(super) fn work(&mut self, cx: &mut Cx<'_>) {
        if self.wakes_at.is_some_and(|at| at <= cx.now) {
            self.wakes_at = None;
        }
        let interval = self.destination.interval();
        self.buffers.close_when_due(cx.now, interval);
        self.give_up_the_old(cx.now);
        match self.attempt {
            Some(attempt) if attempt.at <= cx.now => self.end_or_begin(cx, attempt),
            None if self.buffers.front().is_some() => self.begin(cx, 0),
            _ => {}
        }
        let next = self.attempt.map(|attempt| attempt.at).into_iter().chain(self.buffers.closes_at(interval)).min();
        if let Some(next) = next {
            let due = Due::Deliver { stream: self.name.clone() };
            wake_at(cx, &mut self.wakes_at, next.max(cx.now), due);
        }
    }

    fn begin(&mut self, cx: &mut Cx<'_>, failures: u32) {
        let takes = if self.outage == Some(Outage::Hangs) { HANG } else { WRITE };
        let fails = self.outage.is_some();
        self.attempt = Some(Attempt { at: cx.now + takes, failures, is_running: true, fails });
    }

    fn end_or_begin(&mut self, cx: &mut Cx<'_>, attempt: Attempt) {
        if !attempt.is_running {
            self.begin(cx, attempt.failures);
            return;
        }
        if attempt.fails {
            self.meters.add(cx, &self.name, Metric::DeliverySuccess, 0.0);
            let wait = RETRY_LAST.min(RETRY_FIRST * 2_u32.pow(attempt.failures.min(6)));
            let failures = attempt.failures.saturating_add(1);
            self.attempt = Some(Attempt { at: cx.now + wait, failures, is_running: false, fails: false });
            return;
        }
        self.attempt = None;
        if let Some(chunk) = self.buffers.take_front() {
            self.delivered.objects += 1;
            self.delivered.records += chunk.records;
            self.delivered.bytes += chunk.bytes;
            let freshness_s = cx.now.since(chunk.oldest).as_secs_f64();
            for (metric, value) in [
                (Metric::DeliverySuccess, 1.0),
                (Metric::DeliveryRecords, chunk.records as f64),
                (Metric::DeliveryBytes, chunk.bytes as f64),
                (Metric::DeliveryFreshness, freshness_s.round()),
            ] {
                self.meters.add(cx, &self.name, metric, value);
            }
        }
        if self.buffers.front().is_some() {
            self.begin(cx, 0);
        }
    }

    fn give_up_the_old(&mut self, now: Timestamp) {
        while self.buffers.front().is_some_and(|chunk| now.since(chunk.oldest) > KEPT) {
            let lost = self.buffers.take_front().map_or(0, |chunk| chunk.records);
            self.delivered.lost_records += lost;
            self.attempt = None;
        }
    }
}
