//! Redrive: move a dead-letter queue's messages back where they came from, or cancel such a move.

use super::{Call, Estate, Expect, Plan, Refusal, Safety};
use crate::domain::counted::counted_all;
use crate::domain::row::{Health, KindId, Relation, ResourceId, Row};
use crate::domain::time::Timestamp;
use crate::domain::value::short_duration_ms;
use crate::domain::verb::ActionId;
use crate::kinds::sqs;

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Params {
    /// Messages a second, 1 to 500; `None` leaves the pace to SQS.
    pub max_per_s: Option<u32>,
}

/// StartMessageMoveTask's bounds for MaxNumberOfMessagesPerSecond.
pub const RATE_MAX_PER_S: u32 = 500;

/// Plans a move task from a dead-letter queue back to its sources, and looks whether its consumers are well.
pub fn plan(estate: &Estate, id: &ResourceId, params: &Params, now: Timestamp) -> Result<Plan, Refusal> {
    let row = super::row(estate, id)?;
    let name = &id.name;
    let (topics, sources): (Vec<&ResourceId>, Vec<&ResourceId>) =
        row.linked(Relation::DeadLettersOf).partition(|source| source.kind == KindId::Sns);
    if let (Some(topic), true) = (topics.first(), sources.is_empty()) {
        return Err(Refusal(format!(
            "{name} holds deliveries of {topic}, and SQS knows no way back for those: mend the subscriber, then resend."
        )));
    }
    if sources.is_empty() {
        return Err(Refusal(format!("{name} is no queue's dead-letter queue; SQS moves messages only from one.")));
    }
    if let Some(rate) = params.max_per_s.filter(|rate| !(1..=RATE_MAX_PER_S).contains(rate)) {
        return Err(Refusal(format!(
            "A rate of {rate} is out of reach: SQS takes 1 to {RATE_MAX_PER_S} messages a second."
        )));
    }
    if running_task(row).is_some() {
        return Err(Refusal(format!("A move task of {name} is running; SQS runs one at a time. Cancel it or wait.")));
    }
    let source_arn = arn(row)?;
    let waiting = match row.fields.number(&sqs::VISIBLE) {
        None => return Err(Refusal(format!("The depth of {name} is not known. Wait for the next poll."))),
        Some(waiting) if waiting < 1.0 => return Err(Refusal(format!("No message waits in {name}."))),
        Some(waiting) => waiting as u64,
    };
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let pace = match params.max_per_s {
        Some(rate) => {
            let takes = short_duration_ms(waiting as f64 / f64::from(rate) * 1000.0);
            format!("At most {} a second: about {takes}.", counted_all(rate as usize, "message"))
        }
        None => "At the pace that SQS thinks right.".to_owned(),
    };
    let mut preview = vec![
        format!(
            "Move about {} from {name} back to where each came from: {}.",
            counted_all(waiting as usize, "message"),
            names.join(", ")
        ),
        pace,
        "Each gets a new message id, a new enqueue time and a receive count of 0.".into(),
        "It can be cancelled; what has moved by then stays moved.".into(),
    ];
    if let Some(in_flight) = row.fields.number(&sqs::IN_FLIGHT).filter(|n| *n > 0.0) {
        let are = if in_flight < 2.0 { "is" } else { "are" };
        preview.push(format!("{in_flight} more {are} in flight: somebody is reading the dead-letter queue now."));
    }
    Ok(Plan {
        action: ActionId::Redrive,
        resource: id.clone(),
        preview,
        warnings: preflight(estate, &sources),
        calls: vec![Call::StartMessageMoveTask { source_arn, destination_arn: None, max_per_s: params.max_per_s }],
        safety: Safety::Costly,
        expect: Expect::MoveTaskEnds { before: waiting },
        made_at: now,
    })
}

/// Plans the cancelling of the move task that runs.
pub fn plan_cancel(estate: &Estate, id: &ResourceId, now: Timestamp) -> Result<Plan, Refusal> {
    let row = super::row(estate, id)?;
    let Some(task_handle) = running_task(row) else {
        return Err(Refusal(format!("No move task of {} is running.", id.name)));
    };
    let call = Call::CancelMessageMoveTask { source_arn: arn(row)?, task_handle: task_handle.to_owned() };
    Ok(Plan {
        action: ActionId::CancelRedrive,
        resource: id.clone(),
        preview: vec![
            format!("Cancel the move task of {}. What has moved stays moved; the rest stays here.", id.name),
            "SQS may move a few more before it stops.".into(),
        ],
        warnings: Vec::new(),
        calls: vec![call],
        safety: Safety::Costly,
        expect: Expect::MoveTaskEnds { before: 0 },
        made_at: now,
    })
}

/// The handle of the move task that runs; AWS gives handles only of those.
pub fn running_task(row: &Row) -> Option<&str> {
    row.parts
        .iter()
        .find(|part| part.fields.text(&sqs::TASK_STATUS) == Some("RUNNING"))
        .and_then(|part| part.fields.text(&sqs::TASK_HANDLE))
}

fn arn(row: &Row) -> Result<String, Refusal> {
    row.fields
        .text(&sqs::ARN)
        .map(str::to_owned)
        .ok_or_else(|| Refusal(format!("The ARN of {} is not known. Wait for the next poll.", row.id.name)))
}

/// Whether the messages would only come back: consumers of the sources that are not well, or are missing.
fn preflight(estate: &Estate, sources: &[&ResourceId]) -> Vec<String> {
    let mut warnings = Vec::new();
    for source in sources {
        let consumers = estate.values().filter(|row| row.linked(Relation::FedBy).any(|from| from == *source));
        for consumer in consumers.filter(|row| row.health >= Health::Warn) {
            let reason = consumer.reasons.first().map_or("it is not well", String::as_str);
            warnings.push(format!("{} works {}: {reason}. Messages may come back.", consumer.id, source.name));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row::{KindId, Link, Part};
    use crate::domain::value::{Origin, Value};

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn estate(waiting: f64) -> (Estate, ResourceId) {
        let (dlq, orders) = (ResourceId::new(KindId::Sqs, "orders-dlq"), ResourceId::new(KindId::Sqs, "orders"));
        let mut row = Row::new(dlq.clone(), NOW);
        row.fields.set(&sqs::VISIBLE, Value::number(waiting, NOW, Origin::Api));
        row.fields.set(&sqs::ARN, Value::text("arn:aws:sqs:eu-west-1:1:orders-dlq", NOW));
        row.links.push(Link { to: orders.clone(), relation: Relation::DeadLettersOf });
        let mut function = Row::new(ResourceId::new(KindId::Lambda, "fulfil-order"), NOW);
        function.links.push(Link { to: orders, relation: Relation::FedBy });
        function.health = Health::Crit;
        function.reasons.push("30% of its invocations fail".into());
        (Estate::from([(dlq.clone(), row), (function.id.clone(), function)]), dlq)
    }

    #[test]
    fn the_preview_says_how_many_how_fast_and_warns_of_a_sick_consumer() {
        let (estate, id) = estate(412.0);
        let plan = plan(&estate, &id, &Params { max_per_s: Some(50) }, NOW).unwrap();
        assert!(plan.preview[0].contains("412 messages from orders-dlq"));
        assert!(plan.preview[1].contains("50 messages a second: about 8.2s"));
        assert!(plan.warnings[0].contains("lambda/fulfil-order") && plan.warnings[0].contains("30%"));
        assert_eq!(plan.expect, Expect::MoveTaskEnds { before: 412 });
    }

    #[test]
    fn an_empty_queue_a_bad_rate_and_a_running_task_are_refused() {
        let (empty, id) = estate(0.0);
        assert!(plan(&empty, &id, &Params::default(), NOW).unwrap_err().0.contains("No message waits"));
        let (mut estate, id) = estate(5.0);
        assert!(plan(&estate, &id, &Params { max_per_s: Some(501) }, NOW).unwrap_err().0.contains("1 to 500"));
        assert!(plan_cancel(&estate, &id, NOW).is_err());
        let mut task = Part { id: "t".into(), fields: Default::default() };
        task.fields.set(&sqs::TASK_STATUS, Value::text("RUNNING", NOW));
        task.fields.set(&sqs::TASK_HANDLE, Value::text("handle", NOW));
        estate.get_mut(&id).unwrap().parts.push(task);
        assert!(plan(&estate, &id, &Params::default(), NOW).unwrap_err().0.contains("one at a time"));
        assert!(plan_cancel(&estate, &id, NOW).is_ok());
    }

    #[test]
    fn a_working_queue_is_refused() {
        let (mut estate, id) = estate(5.0);
        estate.get_mut(&id).unwrap().links.clear();
        assert!(plan(&estate, &id, &Params::default(), NOW).unwrap_err().0.contains("no queue's dead-letter queue"));
    }
}
