//! The probe of an application's checkpoints: one record after each, for the lag that comes with it. Asked for by a
//! person, never by the schedule itself; it reads and changes nothing.

use crate::aws::clients::Clients;
use crate::aws::draft::{Draft, blank};
use crate::aws::errors::{Trouble, trouble};
use crate::aws::operations::{GET_RECORDS, GET_SHARD_ITERATOR, Operation};
use crate::domain::field::Fields;
use crate::domain::finding::ErrorClass;
use crate::domain::poll::{Checkpointed, Probe};
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, NoData, Origin, Value};
use crate::kinds::kcl;
use aws_sdk_kinesis::types::ShardIteratorType;

/// The lag of each lease, shard after shard: a probe is in no hurry.
pub async fn probe(clients: &Clients, probe: &Probe, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let mut update = blank(&probe.application, now);
    for lease in &probe.leases {
        let mut fields = Fields::default();
        match lag_ms(clients, lease).await {
            Ok(ms) => {
                fields.set(&kcl::PROBED_AT, Value { datum: Datum::Time(now), as_of: now, origin: Origin::Api });
                fields.set(&kcl::PROBED_LAG_MS, Value::number(ms as f64, now, Origin::Api));
                update.part_fields.push((lease.lease.clone(), fields));
            }
            Err((operation, trouble)) => {
                // What is refused to one is refused to all.
                let is_end = trouble.of_place || trouble.class == ErrorClass::Denied;
                let why = trouble.no_data.unwrap_or(NoData::Failed);
                fields.set(&kcl::PROBED_LAG_MS, Value::missing(why, now, Origin::Api));
                update.part_fields.push((lease.lease.clone(), fields));
                draft.resource(operation, trouble, &mut update, &[]);
                if is_end {
                    break;
                }
            }
        }
    }
    draft.update(update);
    draft
}

async fn lag_ms(clients: &Clients, lease: &Checkpointed) -> Result<i64, (&'static Operation, Trouble)> {
    let failed = |operation, trouble| (operation, trouble);
    clients.turn(&GET_SHARD_ITERATOR).await;
    let request = clients.kinesis.get_shard_iterator().stream_name(&lease.stream).shard_id(&lease.shard);
    let request = match lease.checkpoint.as_str() {
        "TRIM_HORIZON" => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
        number => request.shard_iterator_type(ShardIteratorType::AfterSequenceNumber).starting_sequence_number(number),
    };
    let place = clients.place();
    let iterator = match request.send().await {
        Ok(answer) => answer.shard_iterator,
        Err(error) => return Err(failed(&GET_SHARD_ITERATOR, trouble(&error, &GET_SHARD_ITERATOR, place))),
    };
    clients.turn(&GET_RECORDS).await;
    match clients.kinesis.get_records().set_shard_iterator(iterator).limit(1).send().await {
        Ok(answer) => Ok(answer.millis_behind_latest.unwrap_or(0)),
        Err(error) => Err(failed(&GET_RECORDS, trouble(&error, &GET_RECORDS, place))),
    }
}
