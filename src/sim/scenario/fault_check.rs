//! Every reason why a fault may not be: members that its kind needs or that cannot be, targets that are not there.

use super::fault::{Fault, FaultKind};
use super::file::{Scenario, Spread};
use super::problems::Problems;
use super::{delivery, fault_scope, fleet};
use crate::failure::nearest;
use crate::sim::world::World;

impl Fault {
    /// Members that a kind needs and that are not there.
    fn missing(&self) -> Option<&'static str> {
        match self.kind {
            FaultKind::Surge | FaultKind::Slow => self.factor.is_none().then_some("factor"),
            FaultKind::HotKey => (self.key.is_none() || self.share.is_none()).then_some("key and share"),
            FaultKind::BadDeploy => self.when_contains.is_none().then_some("when_contains"),
            FaultKind::WrongTaskList => self.task_list.is_none().then_some("task_list"),
            FaultKind::FilterPolicy => self.policy.is_none().then_some("policy"),
            FaultKind::ConcurrencyCap => self.cap.is_none().then_some("cap"),
            FaultKind::TimeoutClose => self.timeout_s.is_none().then_some("timeout_s"),
            FaultKind::Deny => self.action.is_none().then_some("action"),
            FaultKind::ErrorRate => self.share.is_none().then_some("share"),
            FaultKind::VisibilityShort => self.visibility_s.is_none().then_some("visibility_s"),
            FaultKind::RetentionShort if self.target.starts_with("kinesis/") => {
                self.retention_hours.is_none().then_some("retention_hours")
            }
            FaultKind::RetentionShort => self.retention_s.is_none().then_some("retention_s"),
            FaultKind::ApiLatency | FaultKind::Latency => self.latency.is_none().then_some("latency"),
            _ => None,
        }
    }

    /// Members whose values cannot be, and why.
    fn wrong(&self) -> Vec<(&'static str, &'static str)> {
        let is_latency =
            |spread: &Spread| spread.p50_ms > 0.0 && spread.p50_ms <= spread.p99_ms && spread.p99_ms <= 9e5;
        let is_bad_status =
            self.kind == FaultKind::ApiError && self.status.is_some_and(|status| !matches!(status, 500 | 503));
        let is_no_failure =
            self.kind == FaultKind::ErrorRate && self.status.is_some_and(|status| !(400..600).contains(&status));
        let is_too_fast = self.factor.is_some_and(|factor| !(0.0..=1e6).contains(&factor));
        let is_name = self.name.as_ref().is_none_or(|name| (1..=256).contains(&name.len()));
        [
            ("name", !is_name, "must be 1 to 256 characters"),
            ("until", self.until.is_some_and(|until| until <= self.at), "must be later than at"),
            ("share", self.share.is_some_and(|share| !(0.0..=1.0).contains(&share)), "must be 0 to 1"),
            ("factor", is_too_fast, "must be 0 to 1,000,000"),
            ("key", self.key == Some(0), "must be at least 1"),
            ("status", is_bad_status, "must be 500 or 503"),
            ("status", is_no_failure, "must be 400 to 599"),
            ("visibility_s", self.visibility_s.is_some_and(|s| s > 43_200), "must be 0 to 43,200"),
            (
                "retention_s",
                self.retention_s.is_some_and(|s| !(60..=1_209_600).contains(&s)),
                "must be 60 to 1,209,600",
            ),
            ("retention_hours", self.retention_hours.is_some_and(|h| !(24..=8760).contains(&h)), "must be 24 to 8,760"),
            (
                "latency",
                self.latency.as_ref().is_some_and(|spread| !is_latency(spread)),
                "must be { p50_ms, p99_ms }, above 0, rising, to 900,000",
            ),
        ]
        .into_iter()
        .filter_map(|(member, is_wrong, message)| is_wrong.then_some((member, message)))
        .collect()
    }
}

impl Scenario {
    pub(super) fn check_faults(&self, problems: &mut Problems<'_>, world: Option<&World>) {
        for (index, fault) in self.faults.iter().enumerate() {
            let place = format!("fault {} ({} of `{}`)", index + 1, fault.kind.word(), fault.target);
            let at = ("fault", index);
            let (fits, wanted) = self.fits(world, fault);
            if !fits {
                let known = self.targets(world);
                let meant = nearest(&fault.target, known.iter().map(String::as_str));
                let meant = meant.map_or_else(String::new, |name| format!(": did you mean `{name}`?"));
                let message = format!("{place}: target must be {wanted} of this file{meant}");
                problems.of_member(at, "target", None, message);
            }
            if let Some(missing) = fault.missing() {
                problems.of("fault", index, format!("{place}: needs {missing}"));
            }
            let of_function = fault.target.strip_prefix("lambda/").unwrap_or_default();
            if let Some(alias) = fault.alias.as_ref().filter(|alias| !self.has_alias(world, of_function, alias)) {
                let message = format!("{place}: `{alias}` is not an [[alias]] of that function here");
                problems.of_member(at, "alias", None, message);
            }
            for (member, wrong) in fault.wrong() {
                problems.of_member(at, member, None, format!("{place}: {member} {wrong}"));
            }
            for wrong in fault_scope::wrong(self, world, fault) {
                problems.of_member(at, wrong.member, wrong.nth, format!("{place}: {}", wrong.message));
            }
        }
    }

    /// Whether a fault's target is of its kind, and what it should be.
    fn fits(&self, world: Option<&World>, fault: &Fault) -> (bool, &'static str) {
        let target = fault.target.as_str();
        let function = target.strip_prefix("lambda/").is_some_and(|function| self.has_function(world, function));
        let consumer = self.has_consumer(world, target);
        let delivers = delivery::has(self, world, target);
        match fault.kind {
            FaultKind::Surge | FaultKind::HotKey => (self.has_producer(world, target), "a producer's name"),
            FaultKind::BadDeploy | FaultKind::Deploy => (function, "a function, as lambda/NAME"),
            FaultKind::Slow => (function || consumer, "a function (lambda/NAME), worker or fleet"),
            FaultKind::Stop | FaultKind::WrongTaskList => (consumer, "a worker's or fleet's name"),
            FaultKind::ConcurrencyCap | FaultKind::TimeoutClose => (function, "a function, as lambda/NAME"),
            FaultKind::DisableMapping => (self.has_source(world, target), "a source, as sqs/NAME"),
            FaultKind::LostInstance => {
                (consumer && !self.is_worker(world, target), "the name of a fleet, of deciders or of activity workers")
            }
            FaultKind::Throttle => (
                function
                    || self.has_source(world, target)
                    || self.has_topic(world, target)
                    || fleet::has_table(self, world, target),
                "a stream, queue, topic, function or table, as kinesis/NAME, or a fleet's name",
            ),
            FaultKind::Deny => (
                function || consumer || self.has_producer(world, target) || self.has_topic(world, target) || delivers,
                "an application's name, or a function, topic or delivery stream, as lambda/NAME",
            ),
            FaultKind::Latency | FaultKind::ErrorRate => {
                (function || self.has_endpoint(world, target), "a function (lambda/NAME) or an endpoint's name")
            }
            FaultKind::PoisonPayload | FaultKind::RetentionShort => {
                (self.has_source(world, target), "a source, as sqs/NAME or kinesis/NAME")
            }
            FaultKind::VisibilityShort => {
                (target.starts_with("sqs/") && self.has_source(world, target), "a queue, as sqs/NAME")
            }
            FaultKind::Refuse | FaultKind::Hang => (delivers, "a delivery stream, as firehose/NAME"),
            FaultKind::EndpointDown => (self.has_endpoint(world, target), "an endpoint's name"),
            FaultKind::FilterPolicy => {
                (self.has_subscription(world, target), "a subscription, as TOPIC/TO such as promo/sqs/orders")
            }
            // The faults of the API have rules of their own.
            _ => (true, ""),
        }
    }
}
