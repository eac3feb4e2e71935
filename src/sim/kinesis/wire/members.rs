//! The members of each operation's request, with the constraints of the service's model.

use super::schema::{Member, Pattern, Rule, Shape};

/// Required where StreamARN is absent. AWS's words for a request with neither are those that it had before ARNs.
const STREAM_NAME: Member = Member {
    name: "StreamName",
    shape: Shape::Text,
    rules: &[Rule::NotNullWithout("StreamARN"), Rule::Like(Pattern::Name), Rule::Shortest(1), Rule::Longest(128)],
};
const STREAM_ARN: Member = Member {
    name: "StreamARN",
    shape: Shape::Text,
    rules: &[Rule::Like(Pattern::StreamArn), Rule::Shortest(1), Rule::Longest(2048)],
};
const REQUIRED_STREAM_ARN: Member = Member {
    name: "StreamARN",
    shape: Shape::Text,
    rules: &[Rule::NotNull, Rule::Like(Pattern::StreamArn), Rule::Shortest(1), Rule::Longest(2048)],
};
const CONSUMER_ARN: Member = Member {
    name: "ConsumerARN",
    shape: Shape::Text,
    rules: &[Rule::Like(Pattern::ConsumerArn), Rule::Shortest(1), Rule::Longest(2048)],
};
const RESOURCE_ARN: Member = Member {
    name: "ResourceARN",
    shape: Shape::Text,
    rules: &[Rule::NotNull, Rule::Like(Pattern::ResourceArn), Rule::Shortest(1), Rule::Longest(2048)],
};
const TAG_MAP: &[Rule] = &[
    Rule::MapKeys { shortest: 1, longest: 128 },
    Rule::MapValues { longest: 256 },
    Rule::Shortest(1),
    Rule::Longest(200),
];
const TAGS: Member = Member { name: "Tags", shape: Shape::TextMap, rules: TAG_MAP };
const REQUIRED_TAGS: Member = Member {
    name: "Tags",
    shape: Shape::TextMap,
    rules: &[
        Rule::NotNull,
        Rule::MapKeys { shortest: 1, longest: 128 },
        Rule::MapValues { longest: 256 },
        Rule::Shortest(1),
        Rule::Longest(200),
    ],
};
const TAG_KEYS: Member = Member {
    name: "TagKeys",
    shape: Shape::Texts,
    rules: &[Rule::NotNull, Rule::EachOfLength { shortest: 1, longest: 128 }, Rule::Shortest(1), Rule::Longest(50)],
};
const DRY_RUN: Member = Member { name: "DryRun", shape: Shape::Boolean, rules: &[] };

/// An optional name of a stream or shard.
const fn name(name: &'static str) -> Member {
    const RULES: &[Rule] = &[Rule::Like(Pattern::Name), Rule::Shortest(1), Rule::Longest(128)];
    Member { name, shape: Shape::Text, rules: RULES }
}

const fn required_name(name: &'static str) -> Member {
    const RULES: &[Rule] = &[Rule::NotNull, Rule::Like(Pattern::Name), Rule::Shortest(1), Rule::Longest(128)];
    Member { name, shape: Shape::Text, rules: RULES }
}

const fn text(name: &'static str, rules: &'static [Rule]) -> Member {
    Member { name, shape: Shape::Text, rules }
}

const fn integer(name: &'static str, rules: &'static [Rule]) -> Member {
    Member { name, shape: Shape::Integer, rules }
}

const fn time(name: &'static str) -> Member {
    Member { name, shape: Shape::Time, rules: &[] }
}

const PAGE: &[Rule] = &[Rule::AtLeast(1), Rule::AtMost(10_000)];
const NEXT_TOKEN: Member = text("NextToken", &[Rule::Shortest(1), Rule::Longest(1_048_576)]);

const MODE: &[Member] = &[text("StreamMode", &[Rule::NotNull, Rule::OneOf(&["PROVISIONED", "ON_DEMAND"])])];

pub(super) const CREATE_STREAM: &[Member] = &[
    integer("ShardCount", &[Rule::AtLeast(1)]),
    required_name("StreamName"),
    Member { name: "StreamModeDetails", shape: Shape::Structure(MODE), rules: &[] },
    TAGS,
    integer("WarmThroughputMiBps", &[Rule::AtLeast(0)]),
    integer("MaxRecordSizeInKiB", &[Rule::AtLeast(1024), Rule::AtMost(10_240)]),
    text("RecordDistributionStrategy", &[Rule::OneOf(&["AUTO", "USER_PARTITION_KEY"])]),
];

pub(super) const DELETE_STREAM: &[Member] =
    &[STREAM_NAME, STREAM_ARN, Member { name: "EnforceConsumerDeletion", shape: Shape::Boolean, rules: &[] }];

pub(super) const LIST_STREAMS: &[Member] = &[integer("Limit", PAGE), name("ExclusiveStartStreamName"), NEXT_TOKEN];

pub(super) const DESCRIBE_STREAM: &[Member] =
    &[integer("Limit", PAGE), name("ExclusiveStartShardId"), STREAM_NAME, STREAM_ARN];

pub(super) const ONLY_STREAM: &[Member] = &[STREAM_NAME, STREAM_ARN];

pub(super) const LIST_SHARDS: &[Member] = &[
    name("ExclusiveStartShardId"),
    integer("MaxResults", PAGE),
    NEXT_TOKEN,
    time("StreamCreationTimestamp"),
    Member {
        name: "ShardFilter",
        shape: Shape::Structure(&[
            text("Type", &[Rule::NotNull, Rule::OneOf(&SHARD_FILTERS)]),
            name("ShardId"),
            time("Timestamp"),
        ]),
        rules: &[],
    },
    name("StreamName"),
    STREAM_ARN,
];

const SHARD_FILTERS: [&str; 6] =
    ["AFTER_SHARD_ID", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST", "AT_TIMESTAMP", "FROM_TIMESTAMP"];

const KEY_LENGTH: &[Rule] = &[Rule::NotNull, Rule::Shortest(1), Rule::Longest(256)];
const PARTITION_KEY: Member = text("PartitionKey", KEY_LENGTH);
const EXPLICIT_HASH_KEY: Member = text("ExplicitHashKey", &[Rule::Like(Pattern::HashKey)]);
const DATA: Member =
    Member { name: "Data", shape: Shape::Blob, rules: &[Rule::NotNull, Rule::LongestBlob(10_485_760)] };

pub(super) const PUT_RECORD: &[Member] = &[
    text("SequenceNumberForOrdering", &[Rule::Like(Pattern::SequenceNumber)]),
    PARTITION_KEY,
    EXPLICIT_HASH_KEY,
    DATA,
    STREAM_NAME,
    STREAM_ARN,
    DRY_RUN,
];

pub(super) const PUT_RECORDS: &[Member] = &[
    Member {
        name: "Records",
        shape: Shape::Structures(&[PARTITION_KEY, EXPLICIT_HASH_KEY, DATA]),
        rules: &[Rule::NotNull, Rule::Shortest(1), Rule::Longest(500)],
    },
    STREAM_NAME,
    STREAM_ARN,
    DRY_RUN,
];

pub(super) const GET_SHARD_ITERATOR: &[Member] = &[
    required_name("ShardId"),
    text("ShardIteratorType", &[Rule::NotNull, Rule::OneOf(&ITERATOR_TYPES)]),
    text("StartingSequenceNumber", &[Rule::Like(Pattern::SequenceNumber)]),
    STREAM_NAME,
    STREAM_ARN,
    time("Timestamp"),
    DRY_RUN,
];

const ITERATOR_TYPES: [&str; 5] =
    ["AFTER_SEQUENCE_NUMBER", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "TRIM_HORIZON"];

pub(super) const GET_RECORDS: &[Member] = &[
    integer("Limit", PAGE),
    text("ShardIterator", &[Rule::NotNull, Rule::Shortest(1), Rule::Longest(512)]),
    STREAM_ARN,
    DRY_RUN,
];

pub(super) const SPLIT_SHARD: &[Member] = &[
    text("NewStartingHashKey", &[Rule::NotNull, Rule::Like(Pattern::HashKey)]),
    STREAM_NAME,
    STREAM_ARN,
    required_name("ShardToSplit"),
];

pub(super) const MERGE_SHARDS: &[Member] =
    &[required_name("ShardToMerge"), required_name("AdjacentShardToMerge"), STREAM_NAME, STREAM_ARN];

pub(super) const UPDATE_SHARD_COUNT: &[Member] = &[
    text("ScalingType", &[Rule::NotNull, Rule::OneOf(&["UNIFORM_SCALING"])]),
    STREAM_NAME,
    STREAM_ARN,
    integer("TargetShardCount", &[Rule::NotNull, Rule::AtLeast(1)]),
];

pub(super) const RETENTION: &[Member] =
    &[integer("RetentionPeriodHours", &[Rule::NotNull, Rule::AtLeast(1)]), STREAM_NAME, STREAM_ARN];

pub(super) const MONITORING: &[Member] = &[
    Member {
        name: "ShardLevelMetrics",
        shape: Shape::Texts,
        rules: &[Rule::NotNull, Rule::Shortest(1), Rule::Longest(7), Rule::EachOneOf(&SHARD_METRICS)],
    },
    STREAM_NAME,
    STREAM_ARN,
];

const SHARD_METRICS: [&str; 8] = [
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds",
    "ALL",
];

pub(super) const REGISTER_CONSUMER: &[Member] = &[REQUIRED_STREAM_ARN, required_name("ConsumerName"), TAGS];

pub(super) const ONE_CONSUMER: &[Member] = &[STREAM_ARN, name("ConsumerName"), CONSUMER_ARN];

pub(super) const LIST_CONSUMERS: &[Member] =
    &[integer("MaxResults", PAGE), NEXT_TOKEN, REQUIRED_STREAM_ARN, time("StreamCreationTimestamp")];

pub(super) const SUBSCRIBE_TO_SHARD: &[Member] = &[
    text("ConsumerARN", &[Rule::NotNull, Rule::Like(Pattern::ConsumerArn), Rule::Shortest(1), Rule::Longest(2048)]),
    required_name("ShardId"),
    Member {
        name: "StartingPosition",
        shape: Shape::Structure(&[
            text("Type", &[Rule::NotNull, Rule::OneOf(&ITERATOR_TYPES)]),
            text("SequenceNumber", &[Rule::Like(Pattern::SequenceNumber)]),
            time("Timestamp"),
        ]),
        rules: &[Rule::NotNull],
    },
    DRY_RUN,
];

pub(super) const ADD_TAGS: &[Member] = &[REQUIRED_TAGS, STREAM_NAME, STREAM_ARN];

pub(super) const REMOVE_TAGS: &[Member] = &[TAG_KEYS, STREAM_NAME, STREAM_ARN];

pub(super) const LIST_TAGS: &[Member] = &[
    integer("Limit", &[Rule::AtLeast(1), Rule::AtMost(50)]),
    text("ExclusiveStartTagKey", &[Rule::Shortest(1), Rule::Longest(128)]),
    STREAM_NAME,
    STREAM_ARN,
];

pub(super) const TAG_RESOURCE: &[Member] = &[REQUIRED_TAGS, RESOURCE_ARN];

pub(super) const UNTAG_RESOURCE: &[Member] = &[TAG_KEYS, RESOURCE_ARN];

pub(super) const ONLY_RESOURCE: &[Member] = &[RESOURCE_ARN];

pub(super) const PUT_POLICY: &[Member] = &[text("Policy", &[Rule::NotNull]), RESOURCE_ARN];

pub(super) const UPDATE_MODE: &[Member] = &[
    REQUIRED_STREAM_ARN,
    Member { name: "StreamModeDetails", shape: Shape::Structure(MODE), rules: &[Rule::NotNull] },
    integer("WarmThroughputMiBps", &[Rule::AtLeast(0)]),
];

pub(super) const ENCRYPTION: &[Member] = &[
    text("EncryptionType", &[Rule::NotNull, Rule::OneOf(&["NONE", "KMS"])]),
    text("KeyId", &[Rule::NotNull, Rule::Shortest(1), Rule::Longest(2048)]),
    STREAM_NAME,
    STREAM_ARN,
];

pub(super) const UPDATE_MAX_RECORD_SIZE: &[Member] =
    &[integer("MaxRecordSizeInKiB", &[Rule::NotNull, Rule::AtLeast(1024), Rule::AtMost(10_240)]), STREAM_ARN];

pub(super) const UPDATE_WARM_THROUGHPUT: &[Member] =
    &[integer("WarmThroughputMiBps", &[Rule::NotNull, Rule::AtLeast(0)]), name("StreamName"), STREAM_ARN];

pub(super) const UPDATE_ACCOUNT: &[Member] = &[Member {
    name: "MinimumThroughputBillingCommitment",
    shape: Shape::Structure(&[text("Status", &[Rule::NotNull, Rule::OneOf(&["ENABLED", "DISABLED"])])]),
    rules: &[Rule::NotNull],
}];

pub(super) const NONE: &[Member] = &[];
