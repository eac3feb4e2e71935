//! Reshard: split one shard of a stream, or resize the whole stream.

use super::{Call, Estate, Expect, Plan, Refusal, Safety};
use crate::domain::counted::counted_all;
use crate::domain::row::{Part, ResourceId, Row};
use crate::domain::time::Timestamp;
use crate::domain::verb::ActionId;
use crate::kinds::kinesis;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Params {
    /// Split this open shard in the middle of its range.
    Split { shard: String },
    /// UpdateShardCount to this many open shards, uniformly.
    Resize { target: u32 },
}

/// A shard that takes at least this part of its limits is worth splitting.
const BUSY_PERCENT: f64 = 50.0;

/// Plans a reshard by AWS's rules: ACTIVE, provisioned, a range that can be divided, half to double at once.
pub fn plan(estate: &Estate, id: &ResourceId, params: &Params, now: Timestamp) -> Result<Plan, Refusal> {
    let row = super::row(estate, id)?;
    let open = preconditions(row)?;
    match params {
        Params::Split { shard } => split(row, shard, open, now),
        Params::Resize { target } => resize(row, *target, open, now),
    }
}

fn preconditions(row: &Row) -> Result<u32, Refusal> {
    let name = &row.id.name;
    match row.fields.text(&kinesis::STATUS) {
        Some("ACTIVE") => {}
        Some(status) => {
            return Err(Refusal(format!(
                "{name} is {status}; AWS reshards only an ACTIVE stream. Wait, then try again."
            )));
        }
        None => return Err(Refusal(format!("The status of {name} is not known yet. Wait for the next poll."))),
    }
    if row.fields.text(&kinesis::MODE) == Some("ON_DEMAND") {
        return Err(Refusal(format!("{name} is on-demand: AWS reshards it by itself, and refuses to be told.")));
    }
    match row.fields.number(&kinesis::OPEN_SHARDS) {
        Some(open) if open >= 1.0 => Ok(open as u32),
        _ => Err(Refusal(format!("The number of shards of {name} is not known yet. Wait for the next poll."))),
    }
}

fn split(row: &Row, shard: &str, open: u32, now: Timestamp) -> Result<Plan, Refusal> {
    let name = &row.id.name;
    let part = row.parts.iter().find(|part| part.id == shard).ok_or_else(|| {
        Refusal(format!("{name} has no shard {shard} that is known here. Open its detail, then try again."))
    })?;
    if part.fields.text(&kinesis::SHARD_STATE) != Some("open") {
        return Err(Refusal(format!("{shard} is closed; only an open shard can be split.")));
    }
    let (start, end) = range(part)
        .ok_or_else(|| Refusal(format!("The hash range of {shard} is not known. Open the stream's detail first.")))?;
    if end <= start {
        return Err(Refusal(format!("{shard} covers a single hash key and cannot be split.")));
    }
    let middle = start + (end - start) / 2 + 1;
    let preview = vec![
        format!(
            "Split {shard} of {name} in the middle of its range: {} become {}.",
            counted_all(open as usize, "open shard"),
            open + 1
        ),
        "The stream is UPDATING for about half a minute; reads and writes go on.".into(),
        "The parent stays readable until its records expire; readers finish it before its children.".into(),
        "AWS bills every open shard by the hour. Undo: merge the two children.".into(),
    ];
    let mut warnings = Vec::new();
    match part.fields.number(&kinesis::SHARD_USE_PERCENT) {
        Some(used) if used < BUSY_PERCENT => {
            warnings.push(format!("This shard uses only {used:.0}% of its write limit: is it the right one?"));
        }
        Some(_) => warnings.push(
            "If one single key makes the load, both children cannot share it: watch whether the throttling goes."
                .into(),
        ),
        None => warnings.push("No shard-level metrics: nothing here shows that this shard is the hot one.".into()),
    }
    let call =
        Call::SplitShard { stream: name.clone(), shard: shard.to_owned(), new_starting_hash_key: middle.to_string() };
    Ok(make(row, preview, warnings, call, open + 1, now))
}

fn resize(row: &Row, target: u32, open: u32, now: Timestamp) -> Result<Plan, Refusal> {
    let name = &row.id.name;
    let (low, high) = (open.div_ceil(2), open * 2);
    if target == open {
        return Err(Refusal(format!("{name} has {} already.", counted_all(open as usize, "open shard"))));
    }
    if target < low || target > high {
        return Err(Refusal(format!(
            "{target} is out of reach: AWS takes at most double and at least half at once, {low} to {high} for {name}."
        )));
    }
    let mut preview = vec![
        format!(
            "Resize {name} from {open} to {}, evenly over the key space.",
            counted_all(target as usize, "open shard")
        ),
        "The stream is UPDATING for minutes; reads and writes go on.".into(),
        "AWS allows 10 resizes of a stream in 24 hours; this is one of them.".into(),
        "AWS bills every open shard by the hour.".into(),
    ];
    if !(target * 4).is_multiple_of(open) {
        preview.push("A multiple of 25% would be faster: this one makes short-lived shards on the way.".into());
    }
    let mut warnings = Vec::new();
    if target < open {
        let used = row.fields.number(&kinesis::UTILISATION_PERCENT);
        if let Some(used) = used.filter(|used| used * f64::from(open) / f64::from(target) > 80.0) {
            warnings.push(format!("It uses {used:.0}% of its write capacity now: fewer shards would throttle."));
        }
    } else {
        warnings.push("More shards do not help a single hot key: it stays on one shard.".into());
    }
    let call = Call::UpdateShardCount { stream: name.clone(), target };
    Ok(make(row, preview, warnings, call, target, now))
}

fn make(row: &Row, preview: Vec<String>, warnings: Vec<String>, call: Call, shards: u32, now: Timestamp) -> Plan {
    Plan {
        action: ActionId::Reshard,
        resource: row.id.clone(),
        preview,
        warnings,
        calls: vec![call],
        safety: Safety::Costly,
        expect: Expect::OpenShards(shards),
        made_at: now,
    }
}

/// First and last hash key of a shard, from its `hash_range` field.
pub fn range(part: &Part) -> Option<(u128, u128)> {
    let (start, end) = part.fields.text(&kinesis::SHARD_RANGE)?.split_once('-')?;
    Some((start.trim().parse().ok()?, end.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row::KindId;
    use crate::domain::value::{Origin, Value};

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn stream(open: f64, status: &str) -> (Estate, ResourceId) {
        let id = ResourceId::new(KindId::Kinesis, "bids");
        let mut row = Row::new(id.clone(), NOW);
        row.fields.set(&kinesis::STATUS, Value::text(status, NOW));
        row.fields.set(&kinesis::MODE, Value::text("PROVISIONED", NOW));
        row.fields.set(&kinesis::OPEN_SHARDS, Value::number(open, NOW, Origin::Api));
        let mut part = Part { id: "shardId-000000000001".into(), fields: Default::default() };
        part.fields.set(&kinesis::SHARD_STATE, Value::text("open", NOW));
        part.fields.set(&kinesis::SHARD_RANGE, Value::text("100-199", NOW));
        row.parts.push(part);
        (Estate::from([(id.clone(), row)]), id)
    }

    #[test]
    fn a_split_divides_the_range_in_the_middle() {
        let (estate, id) = stream(2.0, "ACTIVE");
        let params = Params::Split { shard: "shardId-000000000001".into() };
        let plan = plan(&estate, &id, &params, NOW).unwrap();
        assert_eq!(
            plan.calls,
            [Call::SplitShard {
                stream: "bids".into(),
                shard: "shardId-000000000001".into(),
                new_starting_hash_key: "150".into()
            }]
        );
        assert_eq!(plan.expect, Expect::OpenShards(3));
    }

    #[test]
    fn a_resize_keeps_to_half_and_double() {
        let (estate, id) = stream(4.0, "ACTIVE");
        let resize = |target| plan(&estate, &id, &Params::Resize { target }, NOW);
        assert!(resize(8).is_ok() && resize(2).is_ok());
        assert!(resize(9).unwrap_err().0.contains("2 to 8"));
        assert!(resize(1).unwrap_err().0.contains("2 to 8"));
        assert!(resize(4).unwrap_err().0.contains("already"));
    }

    #[test]
    fn a_stream_that_is_changing_is_left_alone() {
        let (estate, id) = stream(4.0, "UPDATING");
        assert!(plan(&estate, &id, &Params::Resize { target: 8 }, NOW).unwrap_err().0.contains("UPDATING"));
    }
}
