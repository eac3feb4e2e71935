"""boto3 against the engine's Kinesis, deeper: enhanced fan-out, tags, policies, settings, paging, refusals.

Time passes twenty times as fast, so that what takes AWS half a minute takes seconds.
"""

import threading
import time

import pytest
from botocore.exceptions import ClientError, EventStreamError
from test_boto3 import ACCOUNT, REGION, active, client, fresh, refused, serve, shards, until


@pytest.fixture(scope="module")
def endpoint():
    yield from serve("--speed", "20")


@pytest.fixture(scope="module")
def kinesis(endpoint):
    return client(endpoint, "kinesis")


@pytest.fixture
def stream(kinesis):
    name = fresh("bids")
    kinesis.create_stream(StreamName=name, ShardCount=1, Tags={"team": "hotels"})
    active(kinesis, name)
    yield name
    kinesis.delete_stream(StreamName=name, EnforceConsumerDeletion=True)


def arn_of(stream):
    return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}"


def consumer(kinesis, stream, name="ledger"):
    """The ARN of a consumer that is ACTIVE."""
    made = kinesis.register_stream_consumer(StreamARN=arn_of(stream), ConsumerName=name)["Consumer"]
    assert made["ConsumerStatus"] == "CREATING"

    def is_active():
        found = kinesis.describe_stream_consumer(ConsumerARN=made["ConsumerARN"])["ConsumerDescription"]
        return found["ConsumerStatus"] == "ACTIVE"

    until(is_active)
    return made["ConsumerARN"]


def put(kinesis, stream, *bodies):
    return [kinesis.put_record(StreamName=stream, PartitionKey="k", Data=body)["SequenceNumber"] for body in bodies]


def subscribe(kinesis, arn, shard="shardId-000000000000", **position):
    return kinesis.subscribe_to_shard(ConsumerARN=arn, ShardId=shard, StartingPosition=position)["EventStream"]


def take(events, count):
    """Records of the events until there are so many, and the last event."""
    records, last = [], None
    for event in events:
        last = event["SubscribeToShardEvent"]
        records += last["Records"]
        if len(records) >= count:
            return records, last
    raise AssertionError(f"the stream ended after {len(records)} records")


def test_a_subscription_is_pushed_what_is_there_and_what_comes(kinesis, stream):
    arn = consumer(kinesis, stream)
    before = put(kinesis, stream, b"one", b"two")
    events = subscribe(kinesis, arn, Type="TRIM_HORIZON")
    records, last = take(events, 2)
    assert [r["Data"] for r in records] == [b"one", b"two"]
    assert [r["SequenceNumber"] for r in records] == before
    assert last["ContinuationSequenceNumber"] == before[-1]
    assert last["MillisBehindLatest"] == 0
    after = put(kinesis, stream, b"three")
    records, last = take(events, 1)
    assert [(r["Data"], r["PartitionKey"], r["SequenceNumber"]) for r in records] == [(b"three", "k", after[0])]
    events.close()
    time.sleep(0.3)  # six seconds there

    put(kinesis, stream, b"four")
    events = subscribe(kinesis, arn, Type="AFTER_SEQUENCE_NUMBER", SequenceNumber=last["ContinuationSequenceNumber"])
    assert [r["Data"] for r in take(events, 1)[0]] == [b"four"]
    events.close()


def test_a_second_subscription_is_refused_and_then_takes_over(kinesis, stream):
    arn = consumer(kinesis, stream)
    first = subscribe(kinesis, arn, Type="LATEST")
    message = refused("ResourceInUseException", lambda **at: subscribe(kinesis, arn, **at), Type="LATEST")
    assert message.startswith("Another active subscription exists for this consumer")
    time.sleep(0.4)
    second = subscribe(kinesis, arn, Type="LATEST")
    with pytest.raises(EventStreamError) as caught:
        list(first)
    assert caught.value.response["Error"]["Code"] == "ResourceInUseException"
    put(kinesis, stream, b"x")
    assert [r["Data"] for r in take(second, 1)[0]] == [b"x"]
    second.close()


def test_a_subscription_to_a_closed_shard_ends_with_its_children(kinesis, stream):
    arn = consumer(kinesis, stream)
    put(kinesis, stream, b"old")
    kinesis.split_shard(StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
    active(kinesis, stream)
    events = [event["SubscribeToShardEvent"] for event in subscribe(kinesis, arn, Type="TRIM_HORIZON")]
    assert [r["Data"] for event in events for r in event["Records"]] == [b"old"]
    assert "ContinuationSequenceNumber" not in events[-1]
    children = {child["ShardId"]: child["ParentShards"] for child in events[-1]["ChildShards"]}
    assert children == {f"shardId-00000000000{n}": ["shardId-000000000000"] for n in (1, 2)}


def test_two_consumers_each_see_everything(kinesis, stream):
    arns = [consumer(kinesis, stream, name) for name in ("ledger", "search")]
    seen = {arn: [] for arn in arns}
    subscriptions = [subscribe(kinesis, arn, Type="LATEST") for arn in arns]

    def read(arn, events):
        seen[arn] = [r["Data"] for r in take(events, 200)[0]]

    readers = [threading.Thread(target=read, args=pair) for pair in zip(arns, subscriptions)]
    for reader in readers:
        reader.start()
    sent = [f"{i}".encode() for i in range(200)]
    for i in range(0, 200, 50):
        batch = [{"PartitionKey": "k", "Data": data} for data in sent[i:i + 50]]
        assert kinesis.put_records(StreamName=stream, Records=batch)["FailedRecordCount"] == 0
    for reader in readers:
        reader.join(timeout=20)
    assert seen == {arn: sent for arn in arns}


def test_consumers_are_listed_in_pages_and_counted(kinesis, stream):
    names = [f"c{i}" for i in range(4)]
    for name in names:
        kinesis.register_stream_consumer(StreamARN=arn_of(stream), ConsumerName=name)
    pages = kinesis.get_paginator("list_stream_consumers").paginate(
        StreamARN=arn_of(stream), PaginationConfig={"PageSize": 3})
    pages = [[c["ConsumerName"] for c in page["Consumers"]] for page in pages]
    assert pages == [names[:3], names[3:]]
    summary = kinesis.describe_stream_summary(StreamARN=arn_of(stream))["StreamDescriptionSummary"]
    assert summary["ConsumerCount"] == 4
    refused("ResourceInUseException", kinesis.register_stream_consumer, StreamARN=arn_of(stream), ConsumerName="c0")
    refused("ResourceInUseException", kinesis.delete_stream, StreamName=stream)
    kinesis.deregister_stream_consumer(StreamARN=arn_of(stream), ConsumerName="c0")

    def is_gone():
        listed = kinesis.list_stream_consumers(StreamARN=arn_of(stream))["Consumers"]
        return [c["ConsumerName"] for c in listed] == names[1:]

    until(is_gone)
    refused("ResourceNotFoundException", kinesis.describe_stream_consumer, StreamARN=arn_of(stream), ConsumerName="c0")


def test_tags_of_a_stream(kinesis, stream):
    assert kinesis.list_tags_for_stream(StreamName=stream)["Tags"] == [{"Key": "team", "Value": "hotels"}]
    kinesis.add_tags_to_stream(StreamName=stream, Tags={f"k{i}": f"{i}" for i in range(20)})
    kinesis.add_tags_to_stream(StreamARN=arn_of(stream), Tags={"team": "bids"})
    first = kinesis.list_tags_for_stream(StreamName=stream, Limit=20)
    assert first["HasMoreTags"] and len(first["Tags"]) == 20
    rest = kinesis.list_tags_for_stream(StreamName=stream, ExclusiveStartTagKey=first["Tags"][-1]["Key"])
    assert (rest["Tags"], rest["HasMoreTags"]) == ([{"Key": "team", "Value": "bids"}], False)
    kinesis.remove_tags_from_stream(StreamName=stream, TagKeys=["team", "nobody"])
    kinesis.untag_resource(ResourceARN=arn_of(stream), TagKeys=[f"k{i}" for i in range(19)])
    assert kinesis.list_tags_for_resource(ResourceARN=arn_of(stream))["Tags"] == [{"Key": "k19", "Value": "19"}]
    refused("InvalidArgumentException", kinesis.add_tags_to_stream, StreamName=stream, Tags={"a;b": "c"})


def test_a_consumers_tags_and_policy_are_its_own(kinesis, stream):
    arn = consumer(kinesis, stream)
    kinesis.tag_resource(ResourceARN=arn, Tags={"app": "ledger"})
    assert kinesis.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "app", "Value": "ledger"}]
    assert kinesis.list_tags_for_stream(StreamName=stream)["Tags"] == [{"Key": "team", "Value": "hotels"}]
    kinesis.put_resource_policy(ResourceARN=arn, Policy='{"Version":"2012-10-17"}')
    assert kinesis.get_resource_policy(ResourceARN=arn)["Policy"] == '{"Version":"2012-10-17"}'
    assert kinesis.get_resource_policy(ResourceARN=arn_of(stream))["Policy"] == "{}"
    kinesis.delete_resource_policy(ResourceARN=arn)
    assert kinesis.get_resource_policy(ResourceARN=arn)["Policy"] == "{}"


def test_encryption_is_a_flag_of_stream_and_records(kinesis, stream):
    assert "EncryptionType" not in kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"plain")
    kinesis.start_stream_encryption(StreamName=stream, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    summary = active(kinesis, stream)
    assert (summary["EncryptionType"], summary["KeyId"]) == ("KMS", "alias/aws/kinesis")
    assert kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"secret")["EncryptionType"] == "KMS"
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shards(kinesis, stream)[0]["ShardId"],
                                          ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    records = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert [r.get("EncryptionType") for r in records] == [None, "KMS"]
    kinesis.stop_stream_encryption(StreamName=stream, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    assert active(kinesis, stream)["EncryptionType"] == "NONE"


def test_a_streams_mode_and_record_size(kinesis, stream):
    kinesis.update_stream_mode(StreamARN=arn_of(stream), StreamModeDetails={"StreamMode": "ON_DEMAND"})
    assert active(kinesis, stream)["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    refused("ValidationException", kinesis.update_shard_count, StreamName=stream, TargetShardCount=2,
            ScalingType="UNIFORM_SCALING")
    refused("ValidationException", kinesis.put_record, StreamName=stream, PartitionKey="k", Data=b"x" * (2 << 20))
    kinesis.update_max_record_size(StreamARN=arn_of(stream), MaxRecordSizeInKiB=4096)
    assert active(kinesis, stream)["MaxRecordSizeInKiB"] == 4096
    kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"x" * (2 << 20))
    kinesis.update_stream_mode(StreamARN=arn_of(stream), StreamModeDetails={"StreamMode": "PROVISIONED"})
    active(kinesis, stream)
    refused("LimitExceededException", kinesis.update_stream_mode, StreamARN=arn_of(stream),
            StreamModeDetails={"StreamMode": "ON_DEMAND"})


def test_the_account_says_its_limits_and_settings(kinesis, stream):
    limits = kinesis.describe_limits()
    assert limits["ShardLimit"] == 20_000 and limits["OpenShardCount"] >= 1
    assert limits["OnDemandStreamCountLimit"] == 50
    settings = kinesis.describe_account_settings()["MinimumThroughputBillingCommitment"]
    assert settings["Status"] == "DISABLED"


def test_retention_is_raised_and_lowered_by_two_operations(kinesis, stream):
    kinesis.increase_stream_retention_period(StreamName=stream, RetentionPeriodHours=48)
    assert active(kinesis, stream)["RetentionPeriodHours"] == 48
    message = refused("InvalidArgumentException", kinesis.increase_stream_retention_period, StreamName=stream,
                      RetentionPeriodHours=24)
    assert message == (f"Requested retention period (24 hours) for stream {stream} can not be shorter than existing "
                       "retention period (48 hours). Use DecreaseRetentionPeriod API.")
    kinesis.decrease_stream_retention_period(StreamName=stream, RetentionPeriodHours=24)
    assert active(kinesis, stream)["RetentionPeriodHours"] == 24


def test_reads_above_five_a_second_are_refused(endpoint):
    slow = serve()
    kinesis = client(next(slow), "kinesis")
    name = fresh("bids")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    active(kinesis, name)
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId="shardId-000000000000",
                                          ShardIteratorType="LATEST")["ShardIterator"]
    with pytest.raises(ClientError) as caught:
        for _ in range(30):
            kinesis.get_records(ShardIterator=iterator)
    assert caught.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert caught.value.response["Error"]["Message"] == (
        f"Rate exceeded for shard shardId-000000000000 in stream {name} under account {ACCOUNT}.")
    assert next(slow, None) is None
