//! Callers behind an API gateway: each request is a synchronous invocation that somebody waits for, up to the gateway's
//! timeout, and tries again.

use super::earliest;
use crate::domain::time::Timestamp;
use crate::sim::faults::api;
use crate::sim::lambda::Qualifier;
use crate::sim::payload::{Payload, TemplateId};
use crate::sim::wire::Service;
use crate::sim::world::World;
use bytes::Bytes;
use rand::RngExt;
use rand_distr::{Distribution, Poisson};
use std::collections::BTreeMap;
use std::time::Duration;

const STEP: Duration = Duration::from_millis(250);
/// The first pause before another try, in milliseconds; each further one may be twice as long, and every one is drawn
/// between nothing and its most, as AWS's SDKs do.
const BACK_OFF_MS: f64 = 100.0;
/// Requests under way at once; the gateway refuses further ones.
const UNDER_WAY_MAX: usize = 10_000;

pub struct Caller {
    pub function: String,
    pub qualifier: Qualifier,
    /// Requests a second, on average, before `surge`.
    pub per_s: f64,
    /// Multiplies `per_s`.
    pub surge: f64,
    /// What the function is given; `{}` without it.
    pub template: Option<TemplateId>,
    /// The gateway gives up waiting after this long; the function goes on all the same.
    pub timeout: Duration,
    /// Tries after the first.
    pub retries: u32,
    pub counts: Counts,
    /// Requests under way, by when something becomes of them.
    under_way: BTreeMap<(Timestamp, u64), Request>,
}

/// What became of the callers' requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests made; each is answered, given up, or under way.
    pub made: u64,
    pub answered: u64,
    /// Given up after the last try, or refused by the gateway.
    pub given_up: u64,
    /// Invocations: tries.
    pub tries: u64,
    pub timeouts: u64,
    pub throttles: u64,
    /// The function failed.
    pub errors: u64,
}

#[derive(Clone, Copy)]
struct Request {
    seed: u64,
    tries: u32,
    /// The invocation that it waits for; `None` while it waits for its next try.
    invocation: Option<u64>,
}

impl Caller {
    pub fn new(function: &str, qualifier: Qualifier, per_s: f64) -> Self {
        Self {
            function: function.to_owned(),
            qualifier,
            per_s,
            surge: 1.0,
            template: None,
            timeout: Duration::from_secs(29),
            retries: 2,
            counts: Counts::default(),
            under_way: BTreeMap::new(),
        }
    }

    pub fn act(&mut self, world: &mut World, name: &str) -> Timestamp {
        let now = world.now;
        while let Some(entry) = self.under_way.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, number), request) = entry.remove_entry();
            match request.invocation {
                Some(invocation) => self.hear(world, number, request, invocation),
                None => self.invoke(world, name, number, request),
            }
        }
        let mean = self.per_s * self.surge * STEP.as_secs_f64();
        let new = Poisson::new(mean).map_or(0, |poisson| poisson.sample(world.rng()) as u64);
        for _ in 0..new {
            self.counts.made += 1;
            if self.under_way.len() >= UNDER_WAY_MAX {
                self.counts.given_up += 1;
                continue;
            }
            let request = Request { seed: world.rng().random(), tries: 0, invocation: None };
            self.invoke(world, name, self.counts.made, request);
        }
        let next = self.under_way.first_key_value().map(|((at, _), _)| *at);
        earliest(next.into_iter().chain([now + STEP])).unwrap_or(now + STEP)
    }

    /// Requests that have neither an answer nor been given up.
    pub fn under_way(&self) -> u64 {
        self.under_way.len() as u64
    }

    fn invoke(&mut self, world: &mut World, name: &str, number: u64, mut request: Request) {
        request.tries += 1;
        self.counts.tries += 1;
        let made = self.template.map(|template| Payload::Made { template, seed: request.seed });
        let payload = made.map_or_else(|| Bytes::from_static(b"{}"), |made| world.templates.read(&made, ""));
        let admitted = api::admit(world, name, Service::Lambda, "Invoke", &self.function);
        let (lambda, mut cx) = world.lambda_cx();
        let begun =
            admitted.and_then(|()| lambda.invoke_qualified(&mut cx, &self.function, &self.qualifier, payload, false));
        match begun {
            Ok(invocation) => {
                let ends = lambda.running(invocation).map_or(cx.now, |running| running.ends);
                request.invocation = Some(invocation);
                self.under_way.insert((ends.min(cx.now + self.timeout), number), request);
            }
            Err(error) => {
                if error.status == 429 {
                    self.counts.throttles += 1;
                } else {
                    self.counts.errors += 1;
                }
                self.try_later(world, number, request);
            }
        }
    }

    /// The invocation has ended, or the gateway has waited long enough.
    fn hear(&mut self, world: &mut World, number: u64, request: Request, invocation: u64) {
        if world.lambda.running(invocation).is_some() {
            self.counts.timeouts += 1;
        } else {
            match world.lambda.take_answer(invocation) {
                Some(answer) if answer.outcome.is_success() => {
                    self.counts.answered += 1;
                    return;
                }
                _ => self.counts.errors += 1,
            }
        }
        self.try_later(world, number, request);
    }

    fn try_later(&mut self, world: &mut World, number: u64, request: Request) {
        if request.tries > self.retries {
            self.counts.given_up += 1;
            return;
        }
        let most_ms = BACK_OFF_MS * f64::from(1u32 << (request.tries - 1).min(8));
        let pause_ms = world.rng().random_range(1.0..=most_ms);
        let at = world.now + Duration::from_secs_f64(pause_ms / 1000.0);
        self.under_way.insert((at, number), Request { invocation: None, ..request });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::actors::{self, Role};
    use crate::sim::faults::tests::{add, pass, world};

    const ESTATE: &str = r#"
        [[function]]
        name = "checkout"
        base = { p50_ms = 80, p99_ms = 80 }
        timeout_s = 30
        [[caller]]
        name = "web"
        function = "checkout"
        per_s = 20.0
        timeout_ms = 2000
    "#;

    fn counts(world: &mut World) -> Counts {
        match actors::named(world, "web").map(|actor| &actor.role) {
            Some(Role::Caller(web)) => {
                let counts = web.counts;
                assert_eq!(counts.made, counts.answered + counts.given_up + web.under_way());
                counts
            }
            _ => panic!("no caller"),
        }
    }

    #[test]
    fn what_takes_longer_than_the_gateway_waits_is_invoked_again_and_again() {
        let mut world = world();
        add(&mut world, ESTATE);
        pass(&mut world, 60);
        let well = counts(&mut world);
        assert!(well.answered > 1000 && well.tries == well.made, "{well:?}");
        let slow =
            "[[fault]]\nkind = \"latency\"\ntarget = \"lambda/checkout\"\nlatency = { p50_ms = 5000, p99_ms = 5000 }";
        add(&mut world, &format!("{slow}\nuntil = \"60s\""));
        pass(&mut world, 60);
        let slow = counts(&mut world);
        assert!(slow.timeouts > 2500 && slow.tries - well.tries > 2 * (slow.made - well.made), "{slow:?}");
        assert!(world.lambda.in_flight() > 150, "three times as many run, each for five seconds");
        pass(&mut world, 60);
        assert!(counts(&mut world).answered > slow.answered + 1000);
    }

    #[test]
    fn a_throttled_function_is_tried_again_with_pauses_and_given_up() {
        let mut world = world();
        add(&mut world, ESTATE);
        add(&mut world, "[[fault]]\nkind = \"throttle\"\ntarget = \"lambda/checkout\"\nshare = 0.5\nuntil = \"60s\"");
        pass(&mut world, 60);
        let counts = counts(&mut world);
        let given_up = counts.given_up as f64 / counts.made as f64;
        assert!((0.06..0.2).contains(&given_up), "three tries at even odds: {counts:?}");
    }
}
