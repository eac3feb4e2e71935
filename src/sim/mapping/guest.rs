//! A mapping whose queue is another account's. Its poller sends for messages and, when they are done, for their deletion;
//! whoever keeps the accounts carries each errand to the owner, whose queue judges the function's role by its policy, and
//! brings back what came of it (Lambda "Tutorial: Using a cross-account Amazon SQS queue as an event source").

use super::queue::{divided, invoke};
use crate::sim::access::{self, Asking, Judgement, Who};
use crate::sim::cloudtrail::Identity;
use crate::sim::lambda::{Ended, EventCount, LastResult, MappingDue, MappingSource, Poller, QueuePoller, Settings};
use crate::sim::payload::Payload;
use crate::sim::sqs::{Receipt, Received};
use crate::sim::wire::visit::{QueueSight, Visitor};
use crate::sim::world::World;

/// What a role must be let do with a queue before a mapping is made of it.
const NEEDED: [&str; 3] = ["sqs:receivemessage", "sqs:deletemessage", "sqs:getqueueattributes"];

/// What a poller wants of another account's queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    pub mapping: usize,
    /// The queue's owner.
    pub account: String,
    queue: String,
    /// The function's role.
    by: Visitor,
    wants: Wants,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wants {
    Messages {
        most: u32,
        /// Of an empty queue, too, which counts as an empty receive.
        in_vain: bool,
    },
    Deletion(Vec<Receipt>),
}

/// What came of an errand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brought {
    Messages {
        received: Vec<Received>,
        visibility_s: u32,
        is_full: bool,
    },
    Deleted,
    Denied,
    /// There is no such queue.
    NoQueue,
}

/// What a role sees of a queue of this account; `None` where there is none.
pub fn look(world: &World, queue: &str, by: &Visitor) -> Option<QueueSight> {
    let visibility_s = world.sqs.queue(queue)?.attributes.visibility_s;
    Some(QueueSight { lets_in: NEEDED.iter().all(|action| lets_in(world, queue, by, action)), visibility_s })
}

fn lets_in(world: &World, queue: &str, by: &Visitor, action: &str) -> bool {
    let policy = world.sqs.queue(queue).and_then(|queue| queue.attributes.policy.as_deref());
    let who = Who::Caller { account: &by.account, identity: &by.identity };
    let arn = world.place.arn("sqs", queue);
    policy.is_some_and(|policy| access::judge(policy, &arn, &Asking { who, action }) == Judgement::Allows)
}

/// Does an errand here, where the queue is.
pub fn serve(world: &mut World, errand: &Errand) -> Brought {
    let Some(queue) = world.sqs.queue(&errand.queue) else { return Brought::NoQueue };
    let visibility_s = queue.attributes.visibility_s;
    let action = match &errand.wants {
        Wants::Messages { .. } => "sqs:receivemessage",
        Wants::Deletion(_) => "sqs:deletemessage",
    };
    if !lets_in(world, &errand.queue, &errand.by, action) {
        return Brought::Denied;
    }
    let (sqs, mut cx) = world.sqs_cx();
    match &errand.wants {
        Wants::Deletion(receipts) => {
            for receipt in receipts {
                // A receipt that no longer holds deletes nothing.
                let _ = sqs.delete(&mut cx, &errand.queue, *receipt);
            }
            Brought::Deleted
        }
        Wants::Messages { most, in_vain } => {
            let visible = sqs.depth(&cx, &errand.queue).map_or(0, |depth| depth.visible);
            let asks = visible > 0 || *in_vain;
            let received = if asks { sqs.receive(&mut cx, &errand.queue, *most, None) } else { Ok(Vec::new()) };
            let mut received = received.unwrap_or_default();
            let is_full = received.len() as u32 == *most;
            for message in &mut received {
                // The template of a made body is this world's own.
                let key = message.details.as_ref().and_then(|details| details.group.as_deref()).unwrap_or("");
                message.body = Payload::Sent(world.templates.read(&message.body, key));
            }
            Brought::Messages { received, visibility_s, is_full }
        }
    }
}

/// The function's role as it calls another account's queue.
pub fn role(world: &World, mapping_role: &str, function: &str) -> Visitor {
    let name = mapping_role.rsplit('/').next().unwrap_or(mapping_role);
    let account = mapping_role.split(':').nth(4).unwrap_or(&world.place.account).to_owned();
    let place = crate::sim::cx::Place { account: account.clone(), ..world.place.clone() };
    Visitor { account, identity: Identity::session(&place, name, function, "") }
}

/// The poller of such a mapping, with its settings.
fn poller(world: &mut World, mapping: usize) -> Option<(&mut QueuePoller, &Settings)> {
    let found = world.lambda.mapping_mut(mapping)?;
    match (&mut found.poller, &found.source) {
        (Poller::Queue(poller), MappingSource::Foreign { .. }) => Some((poller, &found.settings)),
        _ => None,
    }
}

/// The poller's entry on the agenda falls due.
pub fn due(world: &mut World, mapping: usize) {
    let now = world.now;
    if poller(world, mapping).is_some_and(|(poller, _)| poller.wake.falls_due(now)) {
        poll(world, mapping);
    }
}

/// Begins what is ripe, sends for more, and puts the next poll on the agenda.
fn poll(world: &mut World, mapping: usize) {
    let (lambda, mut cx) = world.lambda_cx();
    if !lambda.takes_work(&mut cx, mapping) {
        return;
    }
    let now = world.now;
    begin_batches(world, mapping);
    let Some((poller, settings)) = poller(world, mapping) else { return };
    poller.adapt(now, settings);
    let room = poller.room(settings).min(10);
    if room > 0 && poller.free(settings) > 0 && !poller.backs_off(now) {
        poller.set_behind(false);
        let in_vain = room == settings.batch_size.min(10) && poller.asks_in_vain(now);
        send(world, mapping, Wants::Messages { most: room, in_vain });
    }
    let Some((poller, settings)) = self::poller(world, mapping) else { return };
    let next = poller.next_poll(now, settings);
    if poller.wake_at(next) {
        let (_, mut cx) = world.lambda_cx();
        cx.schedule(next, MappingDue { mapping, shard: 0 }.into());
    }
}

/// Invokes the function as often as batches are ripe and concurrency allows.
fn begin_batches(world: &mut World, mapping: usize) {
    let now = world.now;
    while let Some((poller, settings)) = poller(world, mapping) {
        let is_ripe = poller.ripe(now, settings).is_some() && poller.free(settings) > 0 && !poller.backs_off(now);
        if !is_ripe || invoke(world, mapping).is_err() {
            return;
        }
    }
}

fn send(world: &mut World, mapping: usize, wants: Wants) {
    let Some(found) = world.lambda.mapping(mapping) else { return };
    let MappingSource::Foreign { account, queue } = found.source.clone() else { return };
    let Some(function) = world.lambda.function(found.function) else { return };
    let by = role(world, &function.latest.config.role, &function.name);
    world.errands.push(Errand { mapping, account, queue, by, wants });
}

/// What came of an errand of this account's.
pub fn brought(world: &mut World, mapping: usize, brought: Brought) {
    let now = world.now;
    match brought {
        Brought::Messages { received, visibility_s, is_full } => {
            let (kept, rest) = divided(world, mapping, received);
            if !rest.is_empty() {
                send(world, mapping, Wants::Deletion(rest));
            }
            let Some((poller, _)) = poller(world, mapping) else { return };
            poller.drop_lapsed(now, visibility_s);
            poller.hold(now, kept);
            poller.set_behind(is_full);
            begin_batches(world, mapping);
        }
        Brought::Deleted => {}
        Brought::Denied => {
            if let Some(found) = world.lambda.mapping_mut(mapping) {
                found.last_result = LastResult::Denied;
            }
        }
        // It stops for good, as AWS stops it (`LambdaESMDisabled`, RESOURCE_NOT_FOUND).
        Brought::NoQueue => {
            let (lambda, mut cx) = world.lambda_cx();
            lambda.set_mapping_enabled(&mut cx, mapping, false);
        }
    }
}

/// A batch has ended: what was done is to be deleted; what failed shows again when its visibility timeout ends.
pub fn batch_ended(world: &mut World, mapping: usize, lane: u32, ended: &Ended) {
    let is_success = ended.outcome.is_success();
    let Some((poller, settings)) = poller(world, mapping) else { return };
    let receipts = poller.ended(lane, is_success, settings);
    let is_behind = poller.is_behind();
    let is_done = |position: u32| is_success && ended.failed.binary_search(&position).is_err();
    let done: Vec<Receipt> = (0u32..).zip(&receipts).filter(|(at, _)| is_done(*at)).map(|(_, one)| *one).collect();
    let (lambda, mut cx) = world.lambda_cx();
    lambda.note_events(&mut cx, mapping, EventCount::FailedInvoke, receipts.len() - done.len());
    lambda.note_events(&mut cx, mapping, EventCount::Deleted, done.len());
    if !done.is_empty() {
        send(world, mapping, Wants::Deletion(done));
    }
    if let Some((poller, _)) = self::poller(world, mapping) {
        poller.recycle(lane, receipts);
    }
    if is_behind {
        poll(world, mapping);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::mapping::tests::{function, pass, quick, tally, world};
    use crate::sim::sqs::Outgoing;
    use bytes::Bytes;
    use serde_json::json;
    use std::collections::BTreeMap;

    const OWNER: &str = "111122223333";

    /// A function mapped to a queue of another account, and that account.
    fn estate(policy: Option<&str>) -> (World, World) {
        let (mut home, mut owner) = (world(), world());
        owner.place.account = OWNER.into();
        let policy = policy.map(|action| {
            let role = format!("arn:aws:iam::{}:role/lambda-execution", home.place.account);
            let statement = json!({ "Effect": "Allow", "Principal": { "AWS": role }, "Action": action });
            ("Policy".to_owned(), json!({ "Statement": statement }).to_string())
        });
        let (sqs, mut cx) = owner.sqs_cx();
        sqs.create_queue(&mut cx, "shared", &policy.into_iter().collect(), &BTreeMap::new()).unwrap();
        let id = function(&mut home, "settle", quick());
        let source = MappingSource::Foreign { account: OWNER.into(), queue: "shared".into() };
        let (lambda, mut cx) = home.lambda_cx();
        lambda.begin_with_mapping(&mut cx, id, source, Settings::for_queue(), true).unwrap();
        (home, owner)
    }

    fn put(owner: &mut World, count: u32) {
        let (sqs, mut cx) = owner.sqs_cx();
        for _ in 0..count {
            let outgoing = Outgoing::of(Payload::Sent(Bytes::from_static(b"a bid")));
            sqs.send(&mut cx, "shared", outgoing).unwrap();
        }
    }

    /// Lets time pass in both, and carries errands between them.
    fn pass_both(home: &mut World, owner: &mut World, seconds: u64) {
        for _ in 0..seconds * 10 {
            let until = home.now + std::time::Duration::from_millis(100);
            home.advance_to(until);
            owner.advance_to(until);
            for errand in std::mem::take(&mut home.errands) {
                assert_eq!(errand.account, OWNER);
                let done = serve(owner, &errand);
                brought(home, errand.mapping, done);
            }
        }
    }

    fn depth(owner: &mut World) -> (u64, u64) {
        let (sqs, cx) = owner.sqs_cx();
        let depth = sqs.depth(&cx, "shared").unwrap();
        (depth.visible, depth.in_flight)
    }

    #[test]
    fn what_another_account_shares_is_received_invoked_with_and_deleted() {
        let (mut home, mut owner) = estate(Some("sqs:*"));
        put(&mut owner, 25);
        pass_both(&mut home, &mut owner, 5);
        assert_eq!(tally(&home, "settle"), (3, 0), "in batches of ten");
        assert_eq!(depth(&mut owner), (0, 0));
        pass(&mut home, 1);
        assert!(!home.errands.is_empty(), "it goes on asking");
    }

    #[test]
    fn a_failed_batch_is_seen_again_when_its_visibility_timeout_ends() {
        let (mut home, mut owner) = estate(Some("sqs:*"));
        home.lambda.named_mut("settle").unwrap().trouble.failing = 1.0;
        put(&mut owner, 3);
        pass_both(&mut home, &mut owner, 5);
        assert_eq!((tally(&home, "settle"), depth(&mut owner)), ((1, 1), (0, 3)));
        home.lambda.named_mut("settle").unwrap().trouble.failing = 0.0;
        pass_both(&mut home, &mut owner, 35);
        assert_eq!((tally(&home, "settle"), depth(&mut owner)), ((2, 1), (0, 0)));
    }

    #[test]
    fn a_queue_keeps_out_what_its_policy_does_not_name_and_its_end_is_the_mappings() {
        let (mut home, mut owner) = estate(Some("sqs:GetQueueAttributes"));
        put(&mut owner, 3);
        pass_both(&mut home, &mut owner, 5);
        assert_eq!((tally(&home, "settle"), depth(&mut owner)), ((0, 0), (3, 0)));
        let by = role(&home, "arn:aws:iam::123456789012:role/lambda-execution", "settle");
        assert!(!look(&owner, "shared", &by).unwrap().lets_in && look(&owner, "gone", &by).is_none());
        let (sqs, mut cx) = owner.sqs_cx();
        sqs.delete_queue(&mut cx, "shared").unwrap();
        pass_both(&mut home, &mut owner, 2);
        assert_eq!(home.lambda.mapping(0).unwrap().state.name(), "Disabled");
    }
}
