//! PutRecord and PutRecordBatch.

use super::name;
use crate::sim::error::ApiError;
use crate::sim::firehose::fault;
use crate::sim::firehose::put::{PutOutcome, RECORD_BYTES_MAX};
use crate::sim::wire::input::{Input, Violations};
use crate::sim::wire::serialization_error;
use crate::sim::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

/// A batch's records.
const RECORDS_MAX: usize = 500;

/// Bytes of a record's data before base64. Errors: `SerializationException`, `ValidationException`.
fn size(record: Input<'_>, path: &str) -> Result<usize, ApiError> {
    let mut violations = Violations::default();
    let Some(text) = record.text("Data")? else {
        violations.add("null", path, "Member must not be null");
        violations.finish()?;
        return Ok(0);
    };
    let data = STANDARD.decode(text).map_err(|_| serialization_error("Invalid Base64 data"))?;
    if data.len() > RECORD_BYTES_MAX {
        let rule = format!("Member must have length less than or equal to {RECORD_BYTES_MAX}");
        violations.add("'java.nio.HeapByteBuffer'", path, &rule);
        violations.finish()?;
    }
    Ok(data.len())
}

fn is_encrypted(world: &World, stream: &str) -> bool {
    world.firehose.stream(stream).is_some_and(|stream| stream.encryption.status == "ENABLED")
}

pub fn put(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = name(input, &["Record"])?;
    let size = size(input.structure("Record")?.unwrap_or(input), "record.data")?;
    let encrypted = is_encrypted(world, name);
    let (service, mut cx) = world.firehose_cx();
    let record_id = service.put_one(&mut cx, name, size)?;
    Ok(json!({"RecordId": record_id, "Encrypted": encrypted}))
}

pub fn put_batch(world: &mut World, input: Input<'_>) -> Result<Json, ApiError> {
    let name = name(input, &["Records"])?;
    let records = input.structures("Records")?.unwrap_or_default();
    let mut violations = Violations::default();
    if records.is_empty() {
        violations.add("'[]'", "Records", "Member must have length greater than or equal to 1");
    } else if records.len() > RECORDS_MAX {
        let rule = format!("Member must have length less than or equal to {RECORDS_MAX}");
        violations.add("'[...]'", "Records", &rule);
    }
    violations.finish()?;
    let sizes = records
        .iter()
        .enumerate()
        .map(|(at, record)| size(*record, &format!("records.{}.member.data", at + 1)))
        .collect::<Result<Vec<_>, _>>()?;
    let encrypted = is_encrypted(world, name);
    let (service, mut cx) = world.firehose_cx();
    let outcomes = service.put(&mut cx, name, &sizes)?;
    let failed = outcomes.iter().filter(|outcome| !outcome.is_ok()).count();
    let responses: Vec<Json> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            PutOutcome::Ok { record_id } => json!({"RecordId": record_id}),
            PutOutcome::Throttled => {
                json!({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": fault::SLOW_DOWN})
            }
        })
        .collect();
    Ok(json!({"FailedPutCount": failed, "Encrypted": encrypted, "RequestResponses": responses}))
}
