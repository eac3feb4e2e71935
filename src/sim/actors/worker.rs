//! A queue worker: long-polls a queue, works on each message for a while, and deletes it.

use super::earliest;
use crate::domain::time::Timestamp;
use crate::sim::faults::api;
use crate::sim::lambda::Spread;
use crate::sim::sqs::Receipt;
use crate::sim::wire::Service;
use crate::sim::world::World;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Between two polls that found nothing: a long poll answers soon after a message arrives.
const POLL: Duration = Duration::from_millis(500);
/// ReceiveMessage hands out at most ten.
const RECEIVE_MAX: u32 = 10;

pub struct Worker {
    pub queue: String,
    /// Messages at work at once.
    pub concurrency: u32,
    pub service: Spread,
    /// Multiplies the service time.
    pub slow_down: f64,
    pub is_stopped: bool,
    /// Messages that hold one of these texts are beyond it: it does not delete them.
    pub poison: Vec<String>,
    /// Messages that it deleted, because they were done.
    pub done: u64,
    at_work: BinaryHeap<Reverse<(Timestamp, Receipt, bool)>>,
}

impl Worker {
    pub fn new(queue: &str, concurrency: u32, service: Spread) -> Self {
        Self {
            queue: queue.to_owned(),
            concurrency,
            service,
            slow_down: 1.0,
            is_stopped: false,
            poison: Vec::new(),
            done: 0,
            at_work: BinaryHeap::new(),
        }
    }

    pub fn act(&mut self, world: &mut World, name: &str) -> Timestamp {
        let now = world.now;
        if self.is_stopped {
            self.at_work.clear();
            return now + POLL;
        }
        while self.at_work.peek().is_some_and(|Reverse((ends, ..))| *ends <= now) {
            let Some(Reverse((_, receipt, fails))) = self.at_work.pop() else { break };
            // What is not deleted shows again, and is done again.
            if !fails && api::admit(world, name, Service::Sqs, "DeleteMessage", &self.queue).is_ok() {
                let (sqs, mut cx) = world.sqs_cx();
                let is_deleted = sqs.delete(&mut cx, &self.queue, receipt);
                self.done += u64::from(is_deleted.unwrap_or(false));
            }
        }
        self.receive(world, name);
        let ends = self.at_work.peek().map(|Reverse((ends, ..))| *ends);
        earliest(ends.into_iter().chain([now + POLL])).unwrap_or(now + POLL)
    }

    fn receive(&mut self, world: &mut World, name: &str) {
        loop {
            let free = self.concurrency.saturating_sub(self.at_work.len() as u32);
            if free == 0 {
                return;
            }
            let (sqs, cx) = world.sqs_cx();
            if sqs.depth(&cx, &self.queue).is_none_or(|depth| depth.visible == 0) {
                return;
            }
            if api::admit(world, name, Service::Sqs, "ReceiveMessage", &self.queue).is_err() {
                return;
            }
            let (sqs, mut cx) = world.sqs_cx();
            let Ok(received) = sqs.receive(&mut cx, &self.queue, free.min(RECEIVE_MAX), None) else { return };
            if received.is_empty() {
                return;
            }
            for message in received {
                let service_ms = self.service.draw_sum_ms(&mut cx, 1) * self.slow_down;
                let ends = cx.now + Duration::from_millis(service_ms as u64);
                let fails = self.poison.iter().any(|text| cx.templates.contains(&message.body, text));
                self.at_work.push(Reverse((ends, message.receipt, fails)));
            }
        }
    }
}
