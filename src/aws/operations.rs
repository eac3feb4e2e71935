//! Every API operation that midwatch calls: its names, the permission it needs, its price, and whether it changes AWS.

/// One API operation.
#[derive(Debug, PartialEq)]
pub struct Operation {
    /// The service's word in problems: `sqs`.
    pub service: &'static str,
    /// The API's name: `GetQueueAttributes`.
    pub name: &'static str,
    /// `service:name`, the key of call counts.
    pub label: &'static str,
    /// The IAM action that allows it.
    pub permission: &'static str,
    /// Whether it changes anything in AWS. Only a confirmed plan may call such an operation.
    pub changes: bool,
    /// US dollars for one request at list price (us-east-1). GetMetricData is charged by metrics, not by requests.
    pub usd: f64,
}

/// SQS charges $0.40 for a million requests of any kind (aws.amazon.com/sqs/pricing).
const SQS_USD: f64 = 0.40 / 1_000_000.0;
/// GetMetricData charges $0.01 for 1,000 metrics requested (aws.amazon.com/cloudwatch/pricing).
pub const METRIC_USD: f64 = 0.01 / 1000.0;

const fn read(service: &'static str, name: &'static str, label: &'static str, usd: f64) -> Operation {
    Operation { service, name, label, permission: label, changes: false, usd }
}

const fn change(service: &'static str, name: &'static str, label: &'static str, usd: f64) -> Operation {
    Operation { service, name, label, permission: label, changes: true, usd }
}

pub const GET_CALLER_IDENTITY: Operation = read("sts", "GetCallerIdentity", "sts:GetCallerIdentity", 0.0);
pub const GET_METRIC_DATA: Operation = read("cloudwatch", "GetMetricData", "cloudwatch:GetMetricData", 0.0);
pub const LIST_STREAMS: Operation = read("kinesis", "ListStreams", "kinesis:ListStreams", 0.0);
pub const DESCRIBE_STREAM_SUMMARY: Operation =
    read("kinesis", "DescribeStreamSummary", "kinesis:DescribeStreamSummary", 0.0);
pub const LIST_SHARDS: Operation = read("kinesis", "ListShards", "kinesis:ListShards", 0.0);
pub const SPLIT_SHARD: Operation = change("kinesis", "SplitShard", "kinesis:SplitShard", 0.0);
pub const UPDATE_SHARD_COUNT: Operation = change("kinesis", "UpdateShardCount", "kinesis:UpdateShardCount", 0.0);
pub const LIST_QUEUES: Operation = read("sqs", "ListQueues", "sqs:ListQueues", SQS_USD);
pub const GET_QUEUE_ATTRIBUTES: Operation = read("sqs", "GetQueueAttributes", "sqs:GetQueueAttributes", SQS_USD);
pub const LIST_MESSAGE_MOVE_TASKS: Operation = read("sqs", "ListMessageMoveTasks", "sqs:ListMessageMoveTasks", SQS_USD);
pub const START_MESSAGE_MOVE_TASK: Operation =
    change("sqs", "StartMessageMoveTask", "sqs:StartMessageMoveTask", SQS_USD);
pub const CANCEL_MESSAGE_MOVE_TASK: Operation =
    change("sqs", "CancelMessageMoveTask", "sqs:CancelMessageMoveTask", SQS_USD);
pub const LIST_FUNCTIONS: Operation = read("lambda", "ListFunctions", "lambda:ListFunctions", 0.0);
pub const LIST_EVENT_SOURCE_MAPPINGS: Operation =
    read("lambda", "ListEventSourceMappings", "lambda:ListEventSourceMappings", 0.0);
pub const GET_FUNCTION_CONFIGURATION: Operation =
    read("lambda", "GetFunctionConfiguration", "lambda:GetFunctionConfiguration", 0.0);
pub const GET_FUNCTION_CONCURRENCY: Operation =
    read("lambda", "GetFunctionConcurrency", "lambda:GetFunctionConcurrency", 0.0);
pub const INVOKE: Operation = Operation {
    service: "lambda",
    name: "Invoke",
    label: "lambda:Invoke",
    permission: "lambda:InvokeFunction",
    changes: true,
    usd: 0.0,
};

/// The table: nothing else is ever called.
pub const OPERATIONS: [&Operation; 17] = [
    &GET_CALLER_IDENTITY,
    &GET_METRIC_DATA,
    &LIST_STREAMS,
    &DESCRIBE_STREAM_SUMMARY,
    &LIST_SHARDS,
    &SPLIT_SHARD,
    &UPDATE_SHARD_COUNT,
    &LIST_QUEUES,
    &GET_QUEUE_ATTRIBUTES,
    &LIST_MESSAGE_MOVE_TASKS,
    &START_MESSAGE_MOVE_TASK,
    &CANCEL_MESSAGE_MOVE_TASK,
    &LIST_FUNCTIONS,
    &LIST_EVENT_SOURCE_MAPPINGS,
    &GET_FUNCTION_CONFIGURATION,
    &GET_FUNCTION_CONCURRENCY,
    &INVOKE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_made_of_service_and_name() {
        for operation in OPERATIONS {
            assert_eq!(operation.label, format!("{}:{}", operation.service, operation.name));
            assert!(operation.permission.starts_with(operation.service));
        }
    }
}
