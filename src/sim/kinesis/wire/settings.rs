//! Operations on a stream's settings, and on the account's.

use super::Input;
use super::streams::stream_arn;
use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::kinesis::{AccountSettings, StreamMode, fault};
use crate::sim::world::World;
use serde_json::{Value, json};

pub(super) fn update_mode(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let details = input.structure("StreamModeDetails");
    let on_demand = details.is_some_and(|details| details.text("StreamMode") == "ON_DEMAND");
    let mode = if on_demand { StreamMode::OnDemand } else { StreamMode::Provisioned };
    kinesis.update_stream_mode(&mut cx, stream, mode)?;
    Ok(Value::Null)
}

pub(super) fn start_encryption(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    must_be_kms(input)?;
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    kinesis.start_encryption(&mut cx, stream, input.text("KeyId"))?;
    Ok(Value::Null)
}

pub(super) fn stop_encryption(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    must_be_kms(input)?;
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    kinesis.stop_encryption(&mut cx, stream)?;
    Ok(Value::Null)
}

/// "The only valid value is KMS."
fn must_be_kms(input: &Input<'_>) -> Result<(), ApiError> {
    match input.text("EncryptionType") {
        "KMS" => Ok(()),
        other => {
            Err(fault::invalid_argument(format!("EncryptionType {other} is invalid. The only valid value is KMS.")))
        }
    }
}

pub(super) fn update_max_record_size(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    kinesis.update_max_record_size(&mut cx, stream, natural(input, "MaxRecordSizeInKiB"))?;
    Ok(Value::Null)
}

pub(super) fn update_warm_throughput(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let stream = input.stream(cx.place)?;
    let target = natural(input, "WarmThroughputMiBps");
    let current = kinesis.update_warm_throughput(&mut cx, stream, target)?;
    Ok(json!({
        "StreamARN": stream_arn(cx.place, stream),
        "StreamName": stream,
        "WarmThroughput": { "TargetMiBps": target, "CurrentMiBps": current },
    }))
}

fn natural(input: &Input<'_>, name: &str) -> u32 {
    u32::try_from(input.integer(name).unwrap_or_default()).unwrap_or(u32::MAX)
}

pub(super) fn describe_account(world: &mut World, _input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let settings = kinesis.account_settings(&mut cx)?;
    Ok(settings_json(&settings, cx.now))
}

pub(super) fn update_account(world: &mut World, input: &Input<'_>) -> Result<Value, ApiError> {
    let (kinesis, mut cx) = world.kinesis_cx();
    let commitment = input.structure("MinimumThroughputBillingCommitment");
    let enabled = commitment.is_some_and(|commitment| commitment.text("Status") == "ENABLED");
    let settings = kinesis.update_account_settings(&mut cx, enabled)?;
    Ok(settings_json(&settings, cx.now))
}

fn settings_json(settings: &AccountSettings, now: Timestamp) -> Value {
    let mut json = json!({ "Status": settings.status(now) });
    if let Some(started) = settings.started {
        json["StartedAt"] = started.secs_f64().into();
    }
    match (settings.is_advantage(now), settings.earliest_end(), settings.ends) {
        (true, Some(earliest), _) => json["EarliestAllowedEndAt"] = earliest.secs_f64().into(),
        (false, _, Some(ended)) => json["EndedAt"] = ended.secs_f64().into(),
        _ => {}
    }
    json!({ "MinimumThroughputBillingCommitment": json })
}
