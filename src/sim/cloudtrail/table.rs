//! Which operations are management events, under which names, and which resources they name. What is missing here on
//! purpose are data events: the event history never shows them ("Logging … API calls with CloudTrail" of each
//! service).

use std::borrow::Cow;

/// How an operation appears in the event history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub source: Cow<'static, str>,
    pub name: String,
    pub is_read_only: bool,
}

/// Whether an operation is a management event.
pub fn records(service: &str, operation: &str) -> bool {
    !operation.is_empty() && !is_data(service, operation)
}

/// The entry of an operation; `None` when it is a data event. `service` is the name in credential scopes.
pub fn entry(service: &str, operation: &str) -> Option<Entry> {
    if !records(service, operation) {
        return None;
    }
    let name = if service == "lambda" { lambda_name(operation) } else { operation.to_owned() };
    Some(Entry { source: source(service), name, is_read_only: is_read_only(operation) })
}

fn source(service: &str) -> Cow<'static, str> {
    match service {
        "kinesis" => "kinesis.amazonaws.com".into(),
        "sqs" => "sqs.amazonaws.com".into(),
        "sns" => "sns.amazonaws.com".into(),
        "lambda" => "lambda.amazonaws.com".into(),
        "swf" => "swf.amazonaws.com".into(),
        "monitoring" => "monitoring.amazonaws.com".into(),
        "logs" => "logs.amazonaws.com".into(),
        "sts" => "sts.amazonaws.com".into(),
        "iam" => "iam.amazonaws.com".into(),
        "cloudtrail" => "cloudtrail.amazonaws.com".into(),
        other => format!("{other}.amazonaws.com").into(),
    }
}

fn is_data(service: &str, operation: &str) -> bool {
    match service {
        "sqs" => !matches!(
            operation,
            "AddPermission"
                | "CancelMessageMoveTask"
                | "CreateQueue"
                | "DeleteQueue"
                | "ListMessageMoveTasks"
                | "PurgeQueue"
                | "RemovePermission"
                | "SetQueueAttributes"
                | "StartMessageMoveTask"
                | "TagQueue"
                | "UntagQueue"
        ),
        "kinesis" => {
            matches!(operation, "PutRecord" | "PutRecords" | "GetRecords" | "GetShardIterator" | "SubscribeToShard")
        }
        "lambda" => matches!(operation, "Invoke" | "InvokeAsync" | "InvokeWithResponseStream"),
        "sns" => matches!(operation, "Publish" | "PublishBatch"),
        "monitoring" => matches!(
            operation,
            "GetMetricData" | "GetMetricStatistics" | "GetMetricWidgetImage" | "ListMetrics" | "PutMetricData"
        ),
        "logs" => operation == "PutLogEvents",
        "swf" => !is_swf_registration(operation),
        "firehose" => matches!(operation, "PutRecord" | "PutRecordBatch"),
        "dynamodb" => !operation.contains("Table") && !operation.contains("Resource"),
        _ => false,
    }
}

/// Domains and types are managed; everything about executions is data.
fn is_swf_registration(operation: &str) -> bool {
    let is_about = ["Domain", "Domains", "WorkflowType", "WorkflowTypes", "ActivityType", "ActivityTypes", "Resource"];
    is_about.iter().any(|noun| operation.ends_with(noun))
}

fn is_read_only(operation: &str) -> bool {
    ["Describe", "Get", "List", "Lookup", "Filter", "Test"].iter().any(|verb| operation.starts_with(verb))
}

/// Lambda's events carry the date of the API's version. For the reads AWS's page does not say it, but writes
/// `GetFunction20150331v2` in its note and examples.
fn lambda_name(operation: &str) -> String {
    let suffix = match operation {
        "CreateFunction" | "DeleteFunction" | "ListFunctions" | "PublishVersion" | "ListVersionsByFunction" => {
            "20150331"
        }
        "CreateAlias" | "UpdateAlias" | "DeleteAlias" | "GetAlias" | "ListAliases" => "20150331",
        "CreateEventSourceMapping"
        | "UpdateEventSourceMapping"
        | "DeleteEventSourceMapping"
        | "GetEventSourceMapping"
        | "ListEventSourceMappings" => "20150331",
        "UpdateFunctionCode"
        | "UpdateFunctionConfiguration"
        | "GetFunction"
        | "GetFunctionConfiguration"
        | "AddPermission"
        | "RemovePermission"
        | "GetPolicy" => "20150331v2",
        "PutFunctionConcurrency" | "DeleteFunctionConcurrency" => "20171031",
        "TagResource" | "UntagResource" => "20170331v2",
        "ListTags" => "20170331",
        "PublishLayerVersion" => "20181031",
        "GetAccountSettings" => "20160819",
        _ => "",
    };
    format!("{operation}{suffix}")
}

/// Members of the request and of the answer that name a resource, in CloudTrail's spelling, with the resource's type.
pub fn resource_members(service: &str) -> &'static [(&'static str, &'static str)] {
    match service {
        "sqs" => &[
            ("queueUrl", "AWS::SQS::Queue"),
            ("queueName", "AWS::SQS::Queue"),
            ("sourceArn", "AWS::SQS::Queue"),
            ("destinationArn", "AWS::SQS::Queue"),
        ],
        "kinesis" => &[
            ("streamName", "AWS::Kinesis::Stream"),
            ("streamARN", "AWS::Kinesis::Stream"),
            ("consumerName", "AWS::Kinesis::StreamConsumer"),
        ],
        "lambda" => &[
            ("functionName", "AWS::Lambda::Function"),
            ("functionArn", "AWS::Lambda::Function"),
            ("uUID", "AWS::Lambda::EventSourceMapping"),
            ("layerName", "AWS::Lambda::LayerVersion"),
        ],
        "sns" => &[("topicArn", "AWS::SNS::Topic"), ("subscriptionArn", "AWS::SNS::Subscription")],
        "monitoring" => &[("alarmName", "AWS::CloudWatch::Alarm"), ("alarmNames", "AWS::CloudWatch::Alarm")],
        "logs" => &[("logGroupName", "AWS::Logs::LogGroup"), ("logStreamName", "AWS::Logs::LogStream")],
        "swf" => &[("domain", "AWS::SWF::Domain")],
        "sts" => &[("roleArn", "AWS::IAM::Role")],
        "firehose" => &[("deliveryStreamName", "AWS::KinesisFirehose::DeliveryStream")],
        "dynamodb" => &[("tableName", "AWS::DynamoDB::Table")],
        _ => &[],
    }
}
