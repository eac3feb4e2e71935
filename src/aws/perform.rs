//! The only code that changes anything in AWS: it performs the calls of a confirmed plan, and nothing else.

use crate::actions::{Answer, Call, CallOutcome, Confirmed, Invocation};
use crate::aws::clients::Clients;
use crate::aws::errors::{Trouble, one_line, trouble};
use crate::aws::operations::{
    CANCEL_MESSAGE_MOVE_TASK, INVOKE, Operation, SPLIT_SHARD, START_MESSAGE_MOVE_TASK, UPDATE_SHARD_COUNT,
};
use crate::domain::counted::{counted, counted_that};
use aws_sdk_kinesis::types::ScalingType;
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::types::{InvocationType, LogType};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::Blob;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use base64::Engine;
use std::time::Duration;

/// A function may run for 15 minutes; a synchronous invocation is waited for a little longer than that.
const INVOKE_TIMEOUT: Duration = Duration::from_secs(15 * 60 + 30);

/// Performs the plan's call with this index (the plan's calls are made in order, by the caller, each journalled).
///
/// What would not do the same when done twice (SplitShard, StartMessageMoveTask, Invoke) is tried once only; a failure
/// says whether AWS may have acted all the same.
pub async fn perform(clients: &Clients, confirmed: &Confirmed, index: usize) -> CallOutcome {
    let Some(call) = confirmed.plan().calls.get(index) else {
        return CallOutcome::Failed { sentence: format!("The plan has no call {index}."), sent: false };
    };
    let outcome = match call {
        Call::SplitShard { stream, shard, new_starting_hash_key } => {
            split_shard(clients, stream, shard, new_starting_hash_key).await
        }
        Call::UpdateShardCount { stream, target } => update_shard_count(clients, stream, *target).await,
        Call::StartMessageMoveTask { source_arn, destination_arn, max_per_s } => {
            start_move_task(clients, source_arn, destination_arn.as_deref(), *max_per_s).await
        }
        Call::CancelMessageMoveTask { task_handle, .. } => cancel_move_task(clients, task_handle).await,
        Call::Invoke { function, payload, invocation } => invoke(clients, function, payload, *invocation).await,
    };
    outcome.unwrap_or_else(|trouble| CallOutcome::Failed { sentence: trouble.sentence, sent: trouble.maybe_done })
}

type Outcome = Result<CallOutcome, Trouble>;

fn accepted(sentence: String) -> CallOutcome {
    CallOutcome::Accepted(vec![sentence])
}

fn one_try() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(1)
}

/// `map_err` for a call of this operation.
fn refused<E>(clients: &Clients, operation: &'static Operation) -> impl FnOnce(SdkError<E, HttpResponse>) -> Trouble
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let place = clients.place().clone();
    move |error| trouble(&error, operation, &place)
}

async fn split_shard(clients: &Clients, stream: &str, shard: &str, new_starting_hash_key: &str) -> Outcome {
    clients
        .kinesis
        .split_shard()
        .stream_name(stream)
        .shard_to_split(shard)
        .new_starting_hash_key(new_starting_hash_key)
        .customize()
        .config_override(aws_sdk_kinesis::config::Builder::new().retry_config(one_try()))
        .send()
        .await
        .map_err(refused(clients, &SPLIT_SHARD))?;
    Ok(accepted(format!("Kinesis splits {shard} of {stream}; the stream is UPDATING until that is done.")))
}

async fn update_shard_count(clients: &Clients, stream: &str, target: u32) -> Outcome {
    let answer = clients
        .kinesis
        .update_shard_count()
        .stream_name(stream)
        .target_shard_count(i32::try_from(target).unwrap_or(i32::MAX))
        .scaling_type(ScalingType::UniformScaling)
        .send()
        .await
        .map_err(refused(clients, &UPDATE_SHARD_COUNT))?;
    let from = answer.current_shard_count.map_or(String::new(), |count| format!(" from {count}"));
    let to = answer.target_shard_count.unwrap_or(i32::try_from(target).unwrap_or(i32::MAX));
    Ok(accepted(format!(
        "Kinesis resizes {stream}{from} to {}; it is UPDATING until that is done.",
        counted(f64::from(to), "shard")
    )))
}

async fn start_move_task(
    clients: &Clients,
    source_arn: &str,
    destination_arn: Option<&str>,
    max_per_s: Option<u32>,
) -> Outcome {
    let answer = clients
        .sqs
        .start_message_move_task()
        .source_arn(source_arn)
        .set_destination_arn(destination_arn.map(str::to_owned))
        .set_max_number_of_messages_per_second(max_per_s.map(|rate| i32::try_from(rate).unwrap_or(i32::MAX)))
        .customize()
        .config_override(aws_sdk_sqs::config::Builder::new().retry_config(one_try()))
        .send()
        .await
        .map_err(refused(clients, &START_MESSAGE_MOVE_TASK))?;
    let handle = match answer.task_handle {
        Some(_) => "SQS has started to move the messages.",
        None => "SQS has accepted the move, but gave no handle to cancel it with.",
    };
    Ok(accepted(handle.to_owned()))
}

async fn cancel_move_task(clients: &Clients, task_handle: &str) -> Outcome {
    let answer = clients
        .sqs
        .cancel_message_move_task()
        .task_handle(task_handle)
        .send()
        .await
        .map_err(refused(clients, &CANCEL_MESSAGE_MOVE_TASK))?;
    let moved = answer.approximate_number_of_messages_moved;
    Ok(accepted(format!(
        "SQS stops the move; about {} been moved and stay where they are.",
        counted_that(moved as f64, "message", "have")
    )))
}

async fn invoke(clients: &Clients, function: &str, payload: &str, invocation: Invocation) -> Outcome {
    let (kind, log) = match invocation {
        Invocation::Wait => (InvocationType::RequestResponse, Some(LogType::Tail)),
        Invocation::Event => (InvocationType::Event, None),
        Invocation::DryRun => (InvocationType::DryRun, None),
    };
    let patience = TimeoutConfig::builder()
        .operation_timeout(INVOKE_TIMEOUT)
        .operation_attempt_timeout(INVOKE_TIMEOUT)
        .read_timeout(INVOKE_TIMEOUT)
        .build();
    let answer = clients
        .lambda
        .invoke()
        .function_name(function)
        .invocation_type(kind)
        .set_log_type(log)
        .payload(Blob::new(payload.as_bytes()))
        .customize()
        .config_override(aws_sdk_lambda::config::Builder::new().retry_config(one_try()).timeout_config(patience))
        .send()
        .await
        .map_err(refused(clients, &INVOKE))?;
    Ok(match invocation {
        Invocation::Wait => CallOutcome::Answered(answered(answer)),
        Invocation::Event => accepted(format!("Lambda has queued the event for {function}.")),
        Invocation::DryRun => accepted(format!("The dry run passed: these credentials may invoke {function} so.")),
    })
}

fn answered(output: InvokeOutput) -> Answer {
    let payload = output.payload.map(Blob::into_inner).unwrap_or_default();
    Answer {
        status: u16::try_from(output.status_code).unwrap_or_default(),
        function_error: output.function_error.as_deref().map(one_line),
        payload: String::from_utf8_lossy(&payload).into_owned(),
        log_tail: output.log_result.as_deref().map(log_tail).unwrap_or_default(),
        executed_version: output.executed_version,
    }
}

/// Lambda sends the tail in base64. Lines stay lines; other control characters go, for a terminal shows this.
fn log_tail(encoded: &str) -> String {
    let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(encoded.trim()) else {
        return "(the log's tail could not be read)".to_owned();
    };
    let text = String::from_utf8_lossy(&bytes);
    text.replace('\t', "  ").chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_tails_are_decoded_and_cannot_drive_a_terminal() {
        let encoded = base64::engine::general_purpose::STANDARD.encode("START\tRequestId\r\n\u{1b}[2Jboom\n");
        assert_eq!(log_tail(&encoded), "START  RequestId\n[2Jboom\n");
        assert_eq!(log_tail("%%%"), "(the log's tail could not be read)");
    }

    #[test]
    fn an_answer_carries_status_error_payload_and_log() {
        let output = InvokeOutput::builder()
            .status_code(200)
            .function_error("Unhandled")
            .payload(Blob::new(r#"{"errorMessage":"no hotel"}"#))
            .executed_version("$LATEST")
            .build();
        let answer = answered(output);
        assert_eq!((answer.status, answer.function_error.as_deref()), (200, Some("Unhandled")));
        assert_eq!(answer.payload, r#"{"errorMessage":"no hotel"}"#);
        assert_eq!(answer.log_tail, "");
    }
}
