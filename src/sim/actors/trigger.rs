//! Triggers: schedules that fire by the clock, and buckets that tell of objects as they are created, in bursts. Both hand
//! an event to a function (asynchronously), a queue or a topic.

use crate::domain::time::Timestamp;
use crate::sim::fanout;
use crate::sim::faults::api;
use crate::sim::lambda::{Lineage, Qualifier};
use crate::sim::payload::Payload;
use crate::sim::sns::Publication;
use crate::sim::sqs::Outgoing;
use crate::sim::wire::Service;
use crate::sim::world::World;
use bytes::Bytes;
use rand::RngExt;
use rand_distr::{Distribution, Exp};
use serde_json::{Value, json};
use std::time::Duration;

/// No bucket's bursts come more often than this.
const PAUSE_MIN: Duration = Duration::from_millis(10);

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Function { name: String, qualifier: Qualifier },
    Queue(String),
    Topic(String),
}

/// What there is to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A rule of EventBridge with `rate(…)`.
    Schedule { every: Duration },
    /// A bucket of S3 whose objects are created `burst` at a time, with so long between bursts on average.
    Bucket { every: Duration, burst: u32, prefix: String },
}

pub struct Trigger {
    pub source: Source,
    pub target: Target,
    /// Multiplies how often it happens.
    pub surge: f64,
    pub counts: Counts,
    /// The next time; it is set when the trigger first acts.
    next_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub made: u64,
    /// Events that their target took.
    pub taken: u64,
    /// Events that their target refused.
    pub refused: u64,
}

impl Trigger {
    pub fn new(source: Source, target: Target) -> Self {
        Self { source, target, surge: 1.0, counts: Counts::default(), next_at: None }
    }

    pub fn act(&mut self, world: &mut World, name: &str) -> Timestamp {
        let now = world.now;
        let due = *self.next_at.get_or_insert_with(|| now + self.source.every());
        if due > now {
            return due;
        }
        let events = match &self.source {
            Source::Schedule { .. } => vec![scheduled(world, name)],
            Source::Bucket { burst, prefix, .. } => {
                let first = self.counts.made;
                (0..*burst).map(|n| created(world, name, prefix, first + u64::from(n) + 1)).collect()
            }
        };
        for event in events {
            self.counts.made += 1;
            if tell(world, name, &self.target, &event) {
                self.counts.taken += 1;
            } else {
                self.counts.refused += 1;
            }
        }
        let next = now + self.pause(world);
        self.next_at = Some(next);
        next
    }

    fn pause(&self, world: &mut World) -> Duration {
        let every = self.source.every().div_f64(self.surge.clamp(0.001, 1e6));
        let pause = match self.source {
            Source::Schedule { .. } => every,
            Source::Bucket { .. } => {
                let rate = 1.0 / every.as_secs_f64().max(0.001);
                Exp::new(rate).map_or(every, |spread| Duration::from_secs_f64(spread.sample(world.rng()).min(1e7)))
            }
        };
        pause.max(PAUSE_MIN)
    }
}

impl Source {
    fn every(&self) -> Duration {
        match self {
            Self::Schedule { every } | Self::Bucket { every, .. } => *every,
        }
    }
}

/// False when the target does not take it.
fn tell(world: &mut World, by: &str, target: &Target, event: &Value) -> bool {
    let body = Bytes::from(event.to_string());
    match target {
        Target::Function { name, qualifier } => {
            let is_admitted = api::admit(world, by, Service::Lambda, "Invoke", name).is_ok();
            let (lambda, mut cx) = world.lambda_cx();
            let Some(id) = lambda.id_of(name).filter(|_| is_admitted) else { return false };
            lambda.accept_qualified_event(&mut cx, id, qualifier, body, Lineage::default()).is_some()
        }
        Target::Queue(queue) => {
            let is_admitted = api::admit(world, by, Service::Sqs, "SendMessage", queue).is_ok();
            let (sqs, mut cx) = world.sqs_cx();
            is_admitted && sqs.send(&mut cx, queue, Outgoing::of(Payload::Sent(body))).is_ok()
        }
        Target::Topic(topic) => {
            let is_admitted = api::admit(world, by, Service::Sns, "Publish", topic).is_ok();
            is_admitted && fanout::publish(world, topic, Publication::of(Payload::Sent(body)))
        }
    }
}

/// EventBridge's event of a schedule ("Events from AWS services", `Scheduled Event`).
fn scheduled(world: &mut World, rule: &str) -> Value {
    let (_, mut cx) = world.lambda_cx();
    json!({
        "version": "0",
        "id": cx.uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": cx.place.account,
        "time": cx.now.floor_to(1).rfc3339(),
        "region": cx.place.region,
        "resources": [cx.place.arn("events", &format!("rule/{rule}"))],
        "detail": {},
    })
}

/// S3's notification of a new object ("Event message structure", version 2.1).
fn created(world: &mut World, bucket: &str, prefix: &str, number: u64) -> Value {
    let now = world.now;
    let (account, region) = (world.place.account.clone(), world.place.region.clone());
    let rng = world.rng();
    let (tag, size): (u128, u64) = (rng.random(), rng.random_range(1_000..5_000_000));
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": now.rfc3339(),
        "eventName": "ObjectCreated:Put",
        "userIdentity": { "principalId": format!("AWS:{account}") },
        "requestParameters": { "sourceIPAddress": "198.51.100.17" },
        "responseElements": {},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "object-created",
            "bucket": {
                "name": bucket,
                "ownerIdentity": { "principalId": account },
                "arn": format!("arn:aws:s3:::{bucket}"),
            },
            "object": {
                "key": format!("{prefix}{number:08}"),
                "size": size,
                "eTag": format!("{tag:032x}"),
                "sequencer": format!("{:018X}", now.millis().unsigned_abs() << 8 | (number & 0xff)),
            },
        },
    }] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::actors::{self, Role};
    use crate::sim::faults::tests::{add, pass, world};

    const ESTATE: &str = r#"
        [[function]]
        name = "resize"
        base = { p50_ms = 300, p99_ms = 300 }
        [[queue]]
        name = "nightly"
        [[schedule]]
        name = "tick"
        every = "1m"
        target = "sqs/nightly"
        [[bucket]]
        name = "uploads"
        every = "30s"
        burst = 40
        target = "lambda/resize"
    "#;

    fn counts(world: &mut World, name: &str) -> Counts {
        match actors::named(world, name).map(|actor| &actor.role) {
            Some(Role::Trigger(trigger)) => trigger.counts,
            _ => panic!("no trigger"),
        }
    }

    #[test]
    fn a_schedule_fires_by_the_clock_and_a_bucket_in_bursts() {
        let mut world = world();
        add(&mut world, ESTATE);
        pass(&mut world, 3600);
        assert_eq!(counts(&mut world, "tick"), Counts { made: 60, taken: 60, refused: 0 });
        let (sqs, mut cx) = world.sqs_cx();
        let received = sqs.receive(&mut cx, "nightly", 1, None).unwrap();
        let body: Value = serde_json::from_slice(&world.templates.read(&received[0].body, "")).unwrap();
        assert_eq!((&body["detail-type"], &body["source"]), (&json!("Scheduled Event"), &json!("aws.events")));
        let uploads = counts(&mut world, "uploads");
        assert!((80..=160).contains(&(uploads.made / 40)) && uploads.made.is_multiple_of(40), "{uploads:?}");
        let (begun, waiting) = (world.lambda.invocations_begun(), world.lambda.events_waiting() as u64);
        assert!(begun <= uploads.taken && uploads.taken <= begun + waiting, "{begun} {waiting} {uploads:?}");
    }

    #[test]
    fn what_its_target_refuses_is_counted() {
        let mut world = world();
        add(&mut world, ESTATE);
        add(&mut world, "[[fault]]\nkind = \"deny\"\ntarget = \"tick\"\naction = \"sqs:SendMessage\"\nuntil = \"30m\"");
        pass(&mut world, 3600);
        let counts = counts(&mut world, "tick");
        assert!((29..=31).contains(&counts.refused) && counts.taken + counts.refused == 60, "{counts:?}");
    }
}
