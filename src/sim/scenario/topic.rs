//! Topics of a scenario, who is subscribed to them, and the HTTP endpoints of the company.

use super::file::Scenario;
use super::problems::Problems;
use crate::sim::endpoint::Answer;
use crate::sim::fanout;
use crate::sim::sns::{Subscribe, redrive_to, wire::aws_links};
use crate::sim::world::World;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// A FIFO topic's ends in `.fifo`.
    pub name: String,
}

/// Who gets a topic's messages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    pub topic: String,
    /// `sqs/orders`, `lambda/fulfil-order` or `endpoint/crm`.
    pub to: String,
    /// Raw message delivery.
    #[serde(default)]
    pub raw: bool,
    /// A filter policy, as JSON.
    pub filter: Option<String>,
    /// The filter looks at the message's body, not at its attributes.
    #[serde(default)]
    pub filters_body: bool,
    /// A queue for what cannot be delivered.
    pub dead_letter_queue: Option<String>,
}

/// A web hook that is simulated.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    pub name: String,
    /// Without it, `https://NAME.example.com/`.
    pub url: Option<String>,
    #[serde(default = "latency_ms")]
    pub latency_ms: u64,
}

const fn latency_ms() -> u64 {
    80
}

impl Endpoint {
    fn url(&self) -> String {
        self.url.clone().unwrap_or_else(|| format!("https://{}.example.com/", self.name))
    }
}

impl Scenario {
    /// Whether `sns/NAME` is there.
    pub(super) fn has_topic(&self, world: Option<&World>, target: &str) -> bool {
        let Some(name) = target.strip_prefix("sns/") else { return false };
        self.topics.iter().any(|topic| topic.name == name) || world.is_some_and(|world| world.sns.topic(name).is_some())
    }

    pub(super) fn has_endpoint(&self, world: Option<&World>, name: &str) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.name == name)
            || world.is_some_and(|world| world.endpoints.url_of(name).is_some())
    }

    /// Whether `promo/sqs/orders` is a subscription.
    pub(super) fn has_subscription(&self, world: Option<&World>, target: &str) -> bool {
        let is_it = |subscription: &Subscription| format!("{}/{}", subscription.topic, subscription.to) == target;
        self.subscriptions.iter().any(is_it)
            || world.is_some_and(|world| fanout::subscription_named(world, target).is_some())
    }

    pub(super) fn check_topics(&self, problems: &mut Problems<'_>, world: Option<&World>) {
        for (index, subscription) in self.subscriptions.iter().enumerate() {
            let Subscription { topic, to, .. } = subscription;
            let place = format!("subscription of `{topic}`");
            if !self.has_topic(world, &format!("sns/{topic}")) {
                problems.of("subscription", index, format!("{place}: topic `{topic}` is not a [[topic]] here"));
            }
            let is_there = match to.split_once('/') {
                Some(("sqs", _)) => self.has_source(world, to),
                Some(("lambda", name)) => self.has_function(world, name),
                Some(("endpoint", name)) => self.has_endpoint(world, name),
                _ => false,
            };
            if !is_there {
                let message = format!("{place}: `{to}` is not a [[queue]], [[function]] or [[endpoint]] here");
                problems.of("subscription", index, message);
            }
            let missing = |dlq: &&String| !self.has_source(world, &format!("sqs/{dlq}"));
            if let Some(dlq) = subscription.dead_letter_queue.as_ref().filter(missing) {
                let message = format!("{place}: dead_letter_queue `{dlq}` is not a [[queue]] here");
                problems.of("subscription", index, message);
            }
        }
    }
}

/// Makes topics, endpoints and subscriptions; endpoints confirm at once.
pub fn add_topics(world: &mut World, scenario: &Scenario) -> Result<(), String> {
    for topic in &scenario.topics {
        let fifo = topic.name.ends_with(".fifo").then(|| ("FifoTopic".to_owned(), "true".to_owned()));
        let (sns, mut cx) = world.sns_cx();
        let made = sns.create_topic(&mut cx, &topic.name, &fifo.into_iter().collect(), &BTreeMap::new());
        made.map_err(|error| format!("topic `{}`: {}", topic.name, error.message))?;
    }
    for endpoint in &scenario.endpoints {
        let latency = Duration::from_millis(endpoint.latency_ms);
        world.endpoints.add(&endpoint.url(), &endpoint.name, Answer::Status(200), latency);
    }
    for subscription in &scenario.subscriptions {
        let Subscription { topic, to, .. } = subscription;
        let refused = |reason: &str| format!("subscription of `{topic}` to `{to}`: {reason}");
        let (protocol, endpoint) = fanout::endpoint_named(world, to).ok_or_else(|| refused("there is none"))?;
        let mut attributes = BTreeMap::new();
        let mut give = |name: &str, value: String| attributes.insert(name.to_owned(), value);
        if subscription.raw {
            give("RawMessageDelivery", "true".to_owned());
        }
        if subscription.filters_body {
            give("FilterPolicyScope", "MessageBody".to_owned());
        }
        if let Some(filter) = &subscription.filter {
            give("FilterPolicy", filter.clone());
        }
        if let Some(dlq) = &subscription.dead_letter_queue {
            give("RedrivePolicy", redrive_to(&world.place.arn("sqs", dlq)));
        }
        let links = aws_links(&world.place);
        let wanted =
            Subscribe { topic, protocol: protocol.text(), endpoint: Some(&endpoint), attributes, links, owner: None };
        let (sns, mut cx) = world.sns_cx();
        let subscribed = sns.subscribe(&mut cx, wanted).map_err(|error| refused(&error.message))?;
        fanout::deliver(world, subscribed.delivery);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::sim::scenario::{Scenario, build};
    use crate::sim::sns::Tally;
    use crate::sim::world::World;
    use std::time::Duration;

    const STORY: &str = r#"
        name = "promo"
        title = "A promotion"
        start = "2026-11-27T18:00:00Z"
        warm_up = "10m"
        [[queue]]
        name = "orders"
        [[queue]]
        name = "dead"
        [[endpoint]]
        name = "crm"
        [[topic]]
        name = "promo"
        [[subscription]]
        topic = "promo"
        to = "sqs/orders"
        filter = '{"kind": ["sale"]}'
        [[subscription]]
        topic = "promo"
        to = "endpoint/crm"
        dead_letter_queue = "dead"
        [[template]]
        name = "offer"
        text = '{"offer":"{uuid}"}'
        [[producer]]
        name = "shop"
        target = "sns/promo"
        per_s = 4.0
        template = "offer"
        attributes = { kind = "{pick:sale|weather}" }
        [[fault]]
        kind = "filter-policy"
        target = "promo/sqs/orders"
        at = "0s"
        until = "5m"
        policy = '{"kind": ["sales"]}'
        [[fault]]
        kind = "endpoint-down"
        target = "crm"
        at = "1m"
        until = "6m"
        status = 503
    "#;

    fn tally(world: &World, name: &str) -> Tally {
        let (topic, id) = crate::sim::fanout::subscription_named(world, name).unwrap();
        world.sns.subscription(&topic, &id).unwrap().tally
    }

    fn play(minutes: u64) -> (World, Tally, Tally) {
        let scenario = Scenario::parse(STORY).unwrap();
        let mut world = build(&scenario, 7).unwrap();
        world.advance_to(scenario.start + Duration::from_secs(60 * minutes));
        let (orders, crm) = (tally(&world, "promo/sqs/orders"), tally(&world, "promo/endpoint/crm"));
        (world, orders, crm)
    }

    #[test]
    fn a_wrong_filter_stops_deliveries_until_it_is_taken_back() {
        let (_, before, _) = play(0);
        let share = before.delivered as f64 / before.offered as f64;
        assert!((0.4..0.6).contains(&share), "half of the offers are sales: {before:?}");
        let (mut world, during, _) = play(4);
        assert_eq!(during.delivered, before.delivered, "nothing got through");
        world.advance_to(world.now + Duration::from_secs(120));
        assert!(tally(&world, "promo/sqs/orders").delivered > during.delivered);
    }

    #[test]
    fn a_failing_endpoint_is_retried_and_what_it_missed_is_kept() {
        let (_, _, down) = play(6);
        assert!(down.redriven > 0 && down.dropped == 0, "{down:?}");
        let (world, _, after) = play(8);
        let in_hand = world.sns.deliveries_in_hand() as u64;
        assert_eq!(after.redriven + after.delivered + in_hand, after.offered, "{after:?}");
        assert!(in_hand < 20 && after.delivered > down.delivered, "{in_hand} {after:?}");
    }

    #[test]
    fn two_runs_are_equal() {
        let ((one, ..), (other, ..)) = (play(3), play(3));
        assert_eq!(one.agenda.scheduled(), other.agenda.scheduled());
        assert_eq!(tally(&one, "promo/endpoint/crm"), tally(&other, "promo/endpoint/crm"));
    }

    #[test]
    fn broken_references_are_named() {
        let text = STORY
            .replace("to = \"endpoint/crm\"", "to = \"endpoint/ghost\"")
            .replace("target = \"sns/promo\"", "target = \"sns/nowhere\"");
        let error = Scenario::parse(&text).unwrap_err().to_string();
        assert!(error.contains("endpoint/ghost") && error.contains("sns/nowhere"), "{error}");
    }
}
