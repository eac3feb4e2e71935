//! What the query protocol must know of each service that speaks it: versions, namespace, and the members whose form
//! differs from JSON's. A form has only texts, and XML has no maps and no numbers, so the members that are more than
//! text are listed here, as the services' models give them.

use crate::sim::wire::Service;

/// The form of a member's value in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Number,
    Flag,
    /// ISO 8601 in a form and in XML, seconds since the Unix epoch in JSON.
    Time,
    List,
    /// A map; `entry` elements in a form and in XML, each with the two names.
    Map(&'static str, &'static str),
}

/// A list or a map that is written without `member` or `entry` between its name and its numbers.
pub struct Flat {
    /// The one operation that this is about; empty for all.
    pub operation: &'static str,
    /// The element's name, such as `AttributeName`.
    pub element: &'static str,
    /// The member's name in JSON, such as `AttributeNames`.
    pub member: &'static str,
    /// Names of key and value where the member is a map.
    pub pair: Option<(&'static str, &'static str)>,
}

/// One service's way with the query protocol.
pub struct Dialect {
    pub namespace: &'static str,
    /// Members that are no text: of any structure, or `Parent.Member` where the name alone does not tell.
    pub typed: &'static [(&'static str, Kind)],
    pub flat: &'static [Flat],
    /// Operations without any members in their answer; they have no result element.
    pub silent: &'static [&'static str],
    /// Whether errors have an (always empty) `Detail`.
    pub has_detail: bool,
}

impl Dialect {
    /// The way of a service; `None` for those that do not speak the query protocol.
    pub fn of(service: Service) -> Option<&'static Self> {
        match service {
            Service::Sts => Some(&STS),
            Service::Iam => Some(&IAM),
            Service::Sns => Some(&SNS),
            Service::Sqs => Some(&SQS),
            Service::CloudWatch => Some(&CLOUDWATCH),
            _ => None,
        }
    }

    /// What the member `name` of a structure under the member `parent` is, if it is no text or structure.
    pub fn kind(&self, parent: &str, name: &str) -> Option<Kind> {
        let is_it = |path: &str| match path.split_once('.') {
            Some((of, member)) => of == parent && member == name,
            None => path == name,
        };
        self.typed.iter().find(|(path, _)| is_it(path)).map(|(_, kind)| *kind)
    }

    pub fn flat_element(&self, operation: &str, element: &str) -> Option<&'static Flat> {
        self.flat.iter().find(|flat| flat.element == element && flat.concerns(operation))
    }

    pub fn flat_member(&self, operation: &str, member: &str) -> Option<&'static Flat> {
        self.flat.iter().find(|flat| flat.member == member && flat.concerns(operation))
    }
}

impl Flat {
    fn concerns(&self, operation: &str) -> bool {
        self.operation.is_empty() || self.operation == operation
    }
}

static STS: Dialect = Dialect {
    namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    typed: &[
        ("DurationSeconds", Kind::Integer),
        ("Expiration", Kind::Time),
        ("PolicyArns", Kind::List),
        ("Tags", Kind::List),
        ("TransitiveTagKeys", Kind::List),
    ],
    flat: &[],
    silent: &[],
    has_detail: false,
};

static IAM: Dialect = Dialect {
    namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
    typed: &[("AccountAliases", Kind::List), ("IsTruncated", Kind::Flag), ("MaxItems", Kind::Integer)],
    flat: &[],
    silent: &["CreateAccountAlias", "DeleteAccountAlias"],
    has_detail: false,
};

static SNS: Dialect = Dialect {
    namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
    typed: &[
        ("AWSAccountId", Kind::List),
        ("ActionName", Kind::List),
        ("Attributes", Kind::Map("key", "value")),
        ("CreatedAt", Kind::Time),
        ("IsInSandbox", Kind::Flag),
        ("MaxResults", Kind::Integer),
        ("MessageAttributes", Kind::Map("Name", "Value")),
        ("PublishBatchRequestEntries", Kind::List),
        ("ReturnSubscriptionArn", Kind::Flag),
        ("TagKeys", Kind::List),
        ("Tags", Kind::List),
        ("attributes", Kind::Map("key", "value")),
        ("isOptedOut", Kind::Flag),
        ("phoneNumbers", Kind::List),
    ],
    flat: &[],
    silent: &[
        "AddPermission",
        "DeleteEndpoint",
        "DeletePlatformApplication",
        "DeleteTopic",
        "PutDataProtectionPolicy",
        "RemovePermission",
        "SetEndpointAttributes",
        "SetPlatformApplicationAttributes",
        "SetSubscriptionAttributes",
        "SetTopicAttributes",
        "Unsubscribe",
    ],
    has_detail: false,
};

const fn list(operation: &'static str, element: &'static str, member: &'static str) -> Flat {
    Flat { operation, element, member, pair: None }
}

const fn map(
    operation: &'static str,
    element: &'static str,
    member: &'static str,
    pair: (&'static str, &'static str),
) -> Flat {
    Flat { operation, element, member, pair: Some(pair) }
}

static SQS: Dialect = Dialect {
    namespace: "http://queue.amazonaws.com/doc/2012-11-05/",
    typed: &[
        ("DelaySeconds", Kind::Integer),
        ("MaxNumberOfMessages", Kind::Integer),
        ("MaxNumberOfMessagesPerSecond", Kind::Integer),
        ("MaxResults", Kind::Integer),
        ("VisibilityTimeout", Kind::Integer),
        ("WaitTimeSeconds", Kind::Integer),
    ],
    flat: &[
        list("", "AttributeName", "AttributeNames"),
        list("", "MessageAttributeName", "MessageAttributeNames"),
        list("", "MessageSystemAttributeName", "MessageSystemAttributeNames"),
        list("", "TagKey", "TagKeys"),
        list("", "AWSAccountId", "AWSAccountIds"),
        list("", "ActionName", "Actions"),
        list("", "StringListValue", "StringListValues"),
        list("", "BinaryListValue", "BinaryListValues"),
        list("", "QueueUrl", "QueueUrls"),
        list("", "QueueUrl", "queueUrls"),
        list("", "Message", "Messages"),
        list("SendMessageBatch", "SendMessageBatchRequestEntry", "Entries"),
        list("DeleteMessageBatch", "DeleteMessageBatchRequestEntry", "Entries"),
        list("ChangeMessageVisibilityBatch", "ChangeMessageVisibilityBatchRequestEntry", "Entries"),
        list("SendMessageBatch", "SendMessageBatchResultEntry", "Successful"),
        list("DeleteMessageBatch", "DeleteMessageBatchResultEntry", "Successful"),
        list("ChangeMessageVisibilityBatch", "ChangeMessageVisibilityBatchResultEntry", "Successful"),
        list("", "BatchResultErrorEntry", "Failed"),
        list("", "ListMessageMoveTasksResultEntry", "Results"),
        map("", "Attribute", "Attributes", ("Name", "Value")),
        map("", "MessageAttribute", "MessageAttributes", ("Name", "Value")),
        map("", "MessageSystemAttribute", "MessageSystemAttributes", ("Name", "Value")),
        map("CreateQueue", "Tag", "tags", ("Key", "Value")),
        map("", "Tag", "Tags", ("Key", "Value")),
    ],
    silent: &[
        "AddPermission",
        "ChangeMessageVisibility",
        "DeleteMessage",
        "DeleteQueue",
        "PurgeQueue",
        "RemovePermission",
        "SetQueueAttributes",
        "TagQueue",
        "UntagQueue",
    ],
    has_detail: true,
};

static CLOUDWATCH: Dialect = Dialect {
    namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
    typed: &[
        ("MetricData.Value", Kind::Number),
        ("Counts", Kind::Number),
        ("Maximum", Kind::Number),
        ("Minimum", Kind::Number),
        ("SampleCount", Kind::Number),
        ("Sum", Kind::Number),
        ("Threshold", Kind::Number),
        ("Values", Kind::Number),
        ("ActionLogLineCount", Kind::Integer),
        ("ActionsSuppressorExtensionPeriod", Kind::Integer),
        ("ActionsSuppressorWaitPeriod", Kind::Integer),
        ("DatapointsToAlarm", Kind::Integer),
        ("EndTimeOffset", Kind::Integer),
        ("EvaluationInterval", Kind::Integer),
        ("EvaluationPeriods", Kind::Integer),
        ("MaxContributorCount", Kind::Integer),
        ("MaxDatapoints", Kind::Integer),
        ("MaxRecords", Kind::Integer),
        ("MaxResults", Kind::Integer),
        ("PendingPeriod", Kind::Integer),
        ("Period", Kind::Integer),
        ("QueryResultsToAlarm", Kind::Integer),
        ("QueryResultsToEvaluate", Kind::Integer),
        ("RecoveryPeriod", Kind::Integer),
        ("StartTimeOffset", Kind::Integer),
        ("StorageResolution", Kind::Integer),
        ("WarmUpPeriodDurationInMinutes", Kind::Integer),
        ("ActionsEnabled", Kind::Flag),
        ("ApplyOnTransformedLogs", Kind::Flag),
        ("Enabled", Kind::Flag),
        ("IncludeLinkedAccounts", Kind::Flag),
        ("IncludeLinkedAccountsMetrics", Kind::Flag),
        ("ManagedRule", Kind::Flag),
        ("OnlyStartEvaluatingAfterWarmUpPeriodEnds", Kind::Flag),
        ("PeriodicSpikes", Kind::Flag),
        ("ReturnData", Kind::Flag),
        ("StrictEntityValidation", Kind::Flag),
        ("AlarmConfigurationUpdatedTimestamp", Kind::Time),
        ("CreatedAt", Kind::Time),
        ("CreationDate", Kind::Time),
        ("EndDate", Kind::Time),
        ("EndTime", Kind::Time),
        ("ExpireDate", Kind::Time),
        ("LastModified", Kind::Time),
        ("LastUpdateDate", Kind::Time),
        ("LastUpdatedTimestamp", Kind::Time),
        ("StartDate", Kind::Time),
        ("StartTime", Kind::Time),
        ("StateTransitionedTimestamp", Kind::Time),
        ("StateUpdatedTimestamp", Kind::Time),
        ("Timestamp", Kind::Time),
        ("Timestamps", Kind::Time),
        ("UpdatedAt", Kind::Time),
        ("Datapoints.ExtendedStatistics", Kind::Map("key", "value")),
        ("AlarmContributorAttributes", Kind::Map("key", "value")),
        ("Attributes", Kind::Map("key", "value")),
        ("ContributorAttributes", Kind::Map("key", "value")),
        ("KeyAttributes", Kind::Map("key", "value")),
        ("AlarmActions", Kind::List),
        ("AlarmNames", Kind::List),
        ("AlarmTypes", Kind::List),
        ("DashboardNames", Kind::List),
        ("Dimensions", Kind::List),
        ("ExtendedStatistics", Kind::List),
        ("InsufficientDataActions", Kind::List),
        ("MetricData", Kind::List),
        ("MetricDataQueries", Kind::List),
        ("Metrics", Kind::List),
        ("OKActions", Kind::List),
        ("RuleNames", Kind::List),
        ("Statistics", Kind::List),
        ("TagKeys", Kind::List),
        ("Tags", Kind::List),
    ],
    flat: &[],
    silent: &[
        "DeleteAlarmMuteRule",
        "DeleteAlarms",
        "DisableAlarmActions",
        "EnableAlarmActions",
        "PutAlarmMuteRule",
        "PutCompositeAlarm",
        "PutLogAlarm",
        "PutMetricAlarm",
        "PutMetricData",
        "SetAlarmState",
    ],
    has_detail: false,
};
