//! Every API operation that midwatch calls: its names, the permission it needs, its price, its pace, and whether it
//! changes AWS.

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
    /// Further permissions that AWS wants of who calls it.
    pub also_needs: &'static [&'static str],
    /// Whether it changes anything in AWS. Only a confirmed plan may call such an operation.
    pub changes: bool,
    /// US dollars for one request at list price (us-east-1). GetMetricData is charged by metrics, not by requests.
    pub usd: f64,
    /// How often the sweep calls it at most, a second and account; what is looked at may be asked half as often on top.
    /// About half of AWS's published rate, or a little more where only a first sweep goes so fast, so that deployments and consoles have room (the services' "Quotas" pages;
    /// where AWS publishes none, a modest figure).
    pub per_s: f64,
    /// So many calls of a lane may start at once after a quiet time.
    pub burst: f64,
}

/// More than so many at once of even the slowest operations is taken by none.
const BURST: f64 = 5.0;

/// SQS charges $0.40 for a million requests of any kind (aws.amazon.com/sqs/pricing).
const SQS_USD: f64 = 0.40 / 1_000_000.0;
/// SNS charges $0.50 for a million API requests (aws.amazon.com/sns/pricing).
const SNS_USD: f64 = 0.50 / 1_000_000.0;
/// GetMetricData charges $0.01 for 1,000 metrics requested (aws.amazon.com/cloudwatch/pricing).
pub const METRIC_USD: f64 = 0.01 / 1000.0;

/// On-demand DynamoDB charges $0.125 for a million read request units (aws.amazon.com/dynamodb/pricing/on-demand); a
/// provisioned table has paid for its own.
pub const READ_UNIT_USD: f64 = 0.125 / 1_000_000.0;

const fn read(service: &'static str, name: &'static str, label: &'static str, usd: f64, per_s: f64) -> Operation {
    Operation { service, name, label, permission: label, also_needs: &[], changes: false, usd, per_s, burst: BURST }
}

const fn change(service: &'static str, name: &'static str, label: &'static str, usd: f64, per_s: f64) -> Operation {
    Operation { service, name, label, permission: label, also_needs: &[], changes: true, usd, per_s, burst: BURST }
}

pub const GET_CALLER_IDENTITY: Operation = read("sts", "GetCallerIdentity", "sts:GetCallerIdentity", 0.0, 5.0);
/// IAM publishes no rates; it is asked once.
pub const LIST_ACCOUNT_ALIASES: Operation = read("iam", "ListAccountAliases", "iam:ListAccountAliases", 0.0, 2.0);
pub const GET_METRIC_DATA: Operation = read("cloudwatch", "GetMetricData", "cloudwatch:GetMetricData", 0.0, 50.0);
pub const DESCRIBE_ALARMS: Operation = read("cloudwatch", "DescribeAlarms", "cloudwatch:DescribeAlarms", 0.0, 4.0);
pub const LIST_STREAMS: Operation = read("kinesis", "ListStreams", "kinesis:ListStreams", 0.0, 2.5);
pub const DESCRIBE_STREAM_SUMMARY: Operation =
    read("kinesis", "DescribeStreamSummary", "kinesis:DescribeStreamSummary", 0.0, 12.5);
pub const LIST_SHARDS: Operation = read("kinesis", "ListShards", "kinesis:ListShards", 0.0, 50.0);
/// Five a second of each stream; each is asked once in a long while.
pub const LIST_STREAM_CONSUMERS: Operation =
    read("kinesis", "ListStreamConsumers", "kinesis:ListStreamConsumers", 0.0, 50.0);
pub const SPLIT_SHARD: Operation = change("kinesis", "SplitShard", "kinesis:SplitShard", 0.0, 5.0);
pub const UPDATE_SHARD_COUNT: Operation = change("kinesis", "UpdateShardCount", "kinesis:UpdateShardCount", 0.0, 5.0);
pub const LIST_QUEUES: Operation = read("sqs", "ListQueues", "sqs:ListQueues", SQS_USD, 10.0);
pub const GET_QUEUE_ATTRIBUTES: Operation = read("sqs", "GetQueueAttributes", "sqs:GetQueueAttributes", SQS_USD, 200.0);
pub const LIST_MESSAGE_MOVE_TASKS: Operation =
    read("sqs", "ListMessageMoveTasks", "sqs:ListMessageMoveTasks", SQS_USD, 10.0);
pub const START_MESSAGE_MOVE_TASK: Operation = Operation {
    // SQS moves the messages with the caller's own permissions (StartMessageMoveTask).
    also_needs: &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage"],
    ..change("sqs", "StartMessageMoveTask", "sqs:StartMessageMoveTask", SQS_USD, 5.0)
};
pub const CANCEL_MESSAGE_MOVE_TASK: Operation =
    change("sqs", "CancelMessageMoveTask", "sqs:CancelMessageMoveTask", SQS_USD, 5.0);
pub const LIST_FUNCTIONS: Operation = read("lambda", "ListFunctions", "lambda:ListFunctions", 0.0, 4.0);
pub const LIST_EVENT_SOURCE_MAPPINGS: Operation =
    read("lambda", "ListEventSourceMappings", "lambda:ListEventSourceMappings", 0.0, 4.0);
pub const GET_FUNCTION: Operation = read("lambda", "GetFunction", "lambda:GetFunction", 0.0, 40.0);
// Lambda has 15 requests a second for all its other operations together, deployments' own among them.
pub const GET_ACCOUNT_SETTINGS: Operation = read("lambda", "GetAccountSettings", "lambda:GetAccountSettings", 0.0, 1.0);
pub const LIST_ALIASES: Operation = read("lambda", "ListAliases", "lambda:ListAliases", 0.0, 2.0);
pub const LIST_PROVISIONED_CONCURRENCY_CONFIGS: Operation =
    read("lambda", "ListProvisionedConcurrencyConfigs", "lambda:ListProvisionedConcurrencyConfigs", 0.0, 2.0);
pub const FILTER_LOG_EVENTS: Operation = read("logs", "FilterLogEvents", "logs:FilterLogEvents", 0.0, 2.0);
pub const INVOKE: Operation =
    Operation { permission: "lambda:InvokeFunction", ..change("lambda", "Invoke", "lambda:Invoke", 0.0, 50.0) };
pub const LIST_TOPICS: Operation = read("sns", "ListTopics", "sns:ListTopics", SNS_USD, 12.0);
pub const LIST_SUBSCRIPTIONS: Operation = read("sns", "ListSubscriptions", "sns:ListSubscriptions", SNS_USD, 12.0);
pub const LIST_SUBSCRIPTIONS_BY_TOPIC: Operation =
    read("sns", "ListSubscriptionsByTopic", "sns:ListSubscriptionsByTopic", SNS_USD, 12.0);
pub const GET_SUBSCRIPTION_ATTRIBUTES: Operation =
    read("sns", "GetSubscriptionAttributes", "sns:GetSubscriptionAttributes", SNS_USD, 12.0);
pub const LIST_DOMAINS: Operation = read("swf", "ListDomains", "swf:ListDomains", 0.0, 2.0);
pub const DESCRIBE_DOMAIN: Operation = read("swf", "DescribeDomain", "swf:DescribeDomain", 0.0, 2.0);
pub const LIST_WORKFLOW_TYPES: Operation = read("swf", "ListWorkflowTypes", "swf:ListWorkflowTypes", 0.0, 2.0);
pub const DESCRIBE_WORKFLOW_TYPE: Operation = read("swf", "DescribeWorkflowType", "swf:DescribeWorkflowType", 0.0, 2.0);
pub const LIST_ACTIVITY_TYPES: Operation = read("swf", "ListActivityTypes", "swf:ListActivityTypes", 0.0, 2.0);
pub const DESCRIBE_ACTIVITY_TYPE: Operation = read("swf", "DescribeActivityType", "swf:DescribeActivityType", 0.0, 2.0);
pub const COUNT_OPEN_WORKFLOW_EXECUTIONS: Operation =
    read("swf", "CountOpenWorkflowExecutions", "swf:CountOpenWorkflowExecutions", 0.0, 2.0);
pub const COUNT_CLOSED_WORKFLOW_EXECUTIONS: Operation =
    read("swf", "CountClosedWorkflowExecutions", "swf:CountClosedWorkflowExecutions", 0.0, 2.0);
pub const COUNT_PENDING_DECISION_TASKS: Operation =
    read("swf", "CountPendingDecisionTasks", "swf:CountPendingDecisionTasks", 0.0, 2.0);
pub const COUNT_PENDING_ACTIVITY_TASKS: Operation =
    read("swf", "CountPendingActivityTasks", "swf:CountPendingActivityTasks", 0.0, 2.0);
pub const LIST_OPEN_WORKFLOW_EXECUTIONS: Operation =
    read("swf", "ListOpenWorkflowExecutions", "swf:ListOpenWorkflowExecutions", 0.0, 2.0);
pub const LIST_CLOSED_WORKFLOW_EXECUTIONS: Operation =
    read("swf", "ListClosedWorkflowExecutions", "swf:ListClosedWorkflowExecutions", 0.0, 2.0);
pub const DESCRIBE_WORKFLOW_EXECUTION: Operation =
    read("swf", "DescribeWorkflowExecution", "swf:DescribeWorkflowExecution", 0.0, 2.0);
pub const GET_WORKFLOW_EXECUTION_HISTORY: Operation =
    read("swf", "GetWorkflowExecutionHistory", "swf:GetWorkflowExecutionHistory", 0.0, 8.0);
pub const LIST_DELIVERY_STREAMS: Operation =
    read("firehose", "ListDeliveryStreams", "firehose:ListDeliveryStreams", 0.0, 2.0);
pub const DESCRIBE_DELIVERY_STREAM: Operation =
    read("firehose", "DescribeDeliveryStream", "firehose:DescribeDeliveryStream", 0.0, 2.0);
pub const LIST_TABLES: Operation = read("dynamodb", "ListTables", "dynamodb:ListTables", 0.0, 5.0);
pub const DESCRIBE_TABLE: Operation = read("dynamodb", "DescribeTable", "dynamodb:DescribeTable", 0.0, 10.0);
/// Charged by the units that it takes, not by the request.
pub const SCAN: Operation = read("dynamodb", "Scan", "dynamodb:Scan", 0.0, 10.0);
/// Five a second and shard are for all consumers together; only a probe calls it.
pub const GET_RECORDS: Operation = read("kinesis", "GetRecords", "kinesis:GetRecords", 0.0, 10.0);
pub const GET_SHARD_ITERATOR: Operation = read("kinesis", "GetShardIterator", "kinesis:GetShardIterator", 0.0, 10.0);

/// CloudTrail takes two requests a second of an account and region, and no burst (CloudTrail "Quotas").
pub const LOOKUP_EVENTS: Operation =
    Operation { burst: 1.0, ..read("cloudtrail", "LookupEvents", "cloudtrail:LookupEvents", 0.0, 1.0) };

/// Asked only where the config's include or exclude names a tag.
pub const GET_RESOURCES: Operation = Operation {
    permission: "tag:GetResources",
    ..read("resourcegroupstaggingapi", "GetResources", "resourcegroupstaggingapi:GetResources", 0.0, 5.0)
};

/// The table: nothing else is ever called.
pub const OPERATIONS: [&Operation; 50] = [
    &GET_CALLER_IDENTITY,
    &LIST_ACCOUNT_ALIASES,
    &GET_METRIC_DATA,
    &DESCRIBE_ALARMS,
    &LIST_STREAMS,
    &DESCRIBE_STREAM_SUMMARY,
    &LIST_SHARDS,
    &LIST_STREAM_CONSUMERS,
    &SPLIT_SHARD,
    &UPDATE_SHARD_COUNT,
    &LIST_QUEUES,
    &GET_QUEUE_ATTRIBUTES,
    &LIST_MESSAGE_MOVE_TASKS,
    &START_MESSAGE_MOVE_TASK,
    &CANCEL_MESSAGE_MOVE_TASK,
    &LIST_FUNCTIONS,
    &LIST_EVENT_SOURCE_MAPPINGS,
    &GET_FUNCTION,
    &GET_ACCOUNT_SETTINGS,
    &LIST_ALIASES,
    &LIST_PROVISIONED_CONCURRENCY_CONFIGS,
    &FILTER_LOG_EVENTS,
    &INVOKE,
    &LIST_TOPICS,
    &LIST_SUBSCRIPTIONS,
    &LIST_SUBSCRIPTIONS_BY_TOPIC,
    &GET_SUBSCRIPTION_ATTRIBUTES,
    &LIST_DOMAINS,
    &DESCRIBE_DOMAIN,
    &LIST_WORKFLOW_TYPES,
    &DESCRIBE_WORKFLOW_TYPE,
    &LIST_ACTIVITY_TYPES,
    &DESCRIBE_ACTIVITY_TYPE,
    &COUNT_OPEN_WORKFLOW_EXECUTIONS,
    &COUNT_CLOSED_WORKFLOW_EXECUTIONS,
    &COUNT_PENDING_DECISION_TASKS,
    &COUNT_PENDING_ACTIVITY_TASKS,
    &LIST_OPEN_WORKFLOW_EXECUTIONS,
    &LIST_CLOSED_WORKFLOW_EXECUTIONS,
    &DESCRIBE_WORKFLOW_EXECUTION,
    &GET_WORKFLOW_EXECUTION_HISTORY,
    &LIST_DELIVERY_STREAMS,
    &DESCRIBE_DELIVERY_STREAM,
    &LIST_TABLES,
    &DESCRIBE_TABLE,
    &SCAN,
    &GET_RECORDS,
    &GET_SHARD_ITERATOR,
    &LOOKUP_EVENTS,
    &GET_RESOURCES,
];

/// The operation's place in the table, for what is counted and paced by it.
pub fn index(operation: &Operation) -> Option<usize> {
    OPERATIONS.iter().position(|known| known.label == operation.label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_made_of_service_and_name() {
        for operation in OPERATIONS {
            assert_eq!(operation.label, format!("{}:{}", operation.service, operation.name));
            // The Tagging API's name is not that of its permissions.
            let prefix = operation.service.replace("resourcegroupstaggingapi", "tag:");
            assert!(operation.permission.starts_with(&prefix));
        }
    }
}
