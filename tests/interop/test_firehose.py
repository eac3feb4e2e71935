"""boto3's Firehose against `midwatch sim --listen`: streams, records, delivery as its metrics tell it."""

import datetime

import pytest
from botocore.exceptions import ClientError

from conftest import wait_for
from test_boto3 import ACCOUNT, REGION, client, serve

ROLE = f"arn:aws:iam::{ACCOUNT}:role/firehose"
BUCKET = "arn:aws:s3:::lake"


@pytest.fixture(scope="module")
def endpoint():
    """An engine whose time is sixty times as fast: a minute's buffer takes a second."""
    yield from serve("--speed", "60")


@pytest.fixture(scope="module")
def firehose(endpoint):
    return client(endpoint, "firehose")


def active(firehose, name):
    def is_active():
        described = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
        return described if described["DeliveryStreamStatus"] == "ACTIVE" else None

    return wait_for(is_active)


def metric_sum(endpoint, name, stream):
    cloudwatch = client(endpoint, "cloudwatch")
    # The engine's time runs ahead of the wall clock.
    now = datetime.datetime.now(datetime.timezone.utc)
    answer = cloudwatch.get_metric_statistics(
        Namespace="AWS/Firehose",
        MetricName=name,
        Dimensions=[{"Name": "DeliveryStreamName", "Value": stream}],
        StartTime=now - datetime.timedelta(days=1),
        EndTime=now + datetime.timedelta(days=1),
        Period=86400,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in answer["Datapoints"])


def test_a_stream_is_made_takes_records_and_delivers_them(firehose, endpoint):
    made = firehose.create_delivery_stream(
        DeliveryStreamName="clicks",
        ExtendedS3DestinationConfiguration={
            "RoleARN": ROLE,
            "BucketARN": BUCKET,
            "Prefix": "raw/",
            "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 1},
        },
        Tags=[{"Key": "team", "Value": "lobby"}],
    )
    arn = f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/clicks"
    assert made["DeliveryStreamARN"] == arn
    with pytest.raises(ClientError) as error:
        firehose.create_delivery_stream(
            DeliveryStreamName="clicks", S3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": BUCKET}
        )
    assert error.value.response["Error"]["Code"] == "ResourceInUseException"
    described = active(firehose, "clicks")
    assert described["DeliveryStreamType"] == "DirectPut"
    assert described["VersionId"] == "1"
    assert described["DeliveryStreamEncryptionConfiguration"] == {"Status": "DISABLED"}
    extended = described["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert extended["BufferingHints"] == {"IntervalInSeconds": 60, "SizeInMBs": 1}
    assert extended["CompressionFormat"] == "UNCOMPRESSED"
    assert extended["EncryptionConfiguration"] == {"NoEncryptionConfig": "NoEncryption"}
    assert described["Destinations"][0]["S3DestinationDescription"]["Prefix"] == "raw/"

    one = firehose.put_record(DeliveryStreamName="clicks", Record={"Data": b"hello"})
    assert one["Encrypted"] is False and len(one["RecordId"]) > 40
    batch = firehose.put_record_batch(DeliveryStreamName="clicks", Records=[{"Data": b"x" * 10}] * 20)
    assert batch["FailedPutCount"] == 0
    assert len({response["RecordId"] for response in batch["RequestResponses"]}) == 20
    assert wait_for(lambda: metric_sum(endpoint, "DeliveryToS3.Records", "clicks") == 21)
    assert metric_sum(endpoint, "IncomingBytes", "clicks") == 205
    assert metric_sum(endpoint, "DeliveryToS3.Bytes", "clicks") == 205

    with pytest.raises(ClientError) as error:
        firehose.put_record_batch(DeliveryStreamName="clicks", Records=[{"Data": b"x" * 1_000_000}] * 5)
    assert error.value.response["Error"]["Code"] == "InvalidArgumentException"
    tags = firehose.list_tags_for_delivery_stream(DeliveryStreamName="clicks")
    assert (tags["Tags"], tags["HasMoreTags"]) == ([{"Key": "team", "Value": "lobby"}], False)


def test_changes_need_the_version_that_they_are_made_to(firehose):
    stream = active(firehose, "clicks")
    change = {
        "DeliveryStreamName": "clicks",
        "DestinationId": stream["Destinations"][0]["DestinationId"],
        "ExtendedS3DestinationUpdate": {"BufferingHints": {"SizeInMBs": 3}, "CompressionFormat": "GZIP"},
    }
    firehose.update_destination(CurrentDeliveryStreamVersionId=stream["VersionId"], **change)
    after = active(firehose, "clicks")
    extended = after["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert (after["VersionId"], extended["CompressionFormat"]) == ("2", "GZIP")
    assert extended["BufferingHints"] == {"IntervalInSeconds": 60, "SizeInMBs": 3}
    with pytest.raises(ClientError) as error:
        firehose.update_destination(CurrentDeliveryStreamVersionId="1", **change)
    assert error.value.response["Error"]["Code"] == "ConcurrentModificationException"


def test_encryption_starts_and_stops(firehose):
    def status():
        described = firehose.describe_delivery_stream(DeliveryStreamName="clicks")["DeliveryStreamDescription"]
        return described["DeliveryStreamEncryptionConfiguration"]

    firehose.start_delivery_stream_encryption(DeliveryStreamName="clicks")
    wait_for(lambda: status() == {"Status": "ENABLED", "KeyType": "AWS_OWNED_CMK"})
    assert firehose.put_record(DeliveryStreamName="clicks", Record={"Data": b"secret"})["Encrypted"] is True
    firehose.stop_delivery_stream_encryption(DeliveryStreamName="clicks")
    wait_for(lambda: status() == {"Status": "DISABLED"})


def test_a_kinesis_stream_is_read_and_delivered(firehose, endpoint):
    kinesis = client(endpoint, "kinesis")
    kinesis.create_stream(StreamName="bids", ShardCount=2)
    kinesis.get_waiter("stream_exists").wait(StreamName="bids", WaiterConfig={"Delay": 1})
    arn = kinesis.describe_stream_summary(StreamName="bids")["StreamDescriptionSummary"]["StreamARN"]
    firehose.create_delivery_stream(
        DeliveryStreamName="archive",
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={"KinesisStreamARN": arn, "RoleARN": ROLE},
        ExtendedS3DestinationConfiguration={
            "RoleARN": ROLE,
            "BucketARN": BUCKET,
            "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 1},
        },
    )
    described = active(firehose, "archive")
    assert described["Source"]["KinesisStreamSourceDescription"]["KinesisStreamARN"] == arn
    wait_for(lambda: metric_sum(endpoint, "ThrottledGetRecords", "archive") == 0)
    with pytest.raises(ClientError) as error:
        firehose.put_record(DeliveryStreamName="archive", Record={"Data": b"no"})
    assert error.value.response["Error"]["Code"] == "InvalidArgumentException"
    # Delivery begins at the newest record: readers need their iterators first.
    wait_for(lambda: metric_sum(endpoint, "DataReadFromKinesisStream.Records", "archive") == 0)
    import time

    time.sleep(1)
    kinesis.put_records(StreamName="bids", Records=[{"Data": b"0123456789", "PartitionKey": str(n)} for n in range(30)])
    assert wait_for(lambda: metric_sum(endpoint, "DeliveryToS3.Records", "archive") == 30)
    assert metric_sum(endpoint, "DataReadFromKinesisStream.Bytes", "archive") == 300
    listed = firehose.list_delivery_streams(DeliveryStreamType="KinesisStreamAsSource")
    assert listed == listed | {"DeliveryStreamNames": ["archive"], "HasMoreDeliveryStreams": False}


def test_a_deleted_stream_is_gone(firehose):
    firehose.delete_delivery_stream(DeliveryStreamName="archive")

    def gone():
        try:
            firehose.describe_delivery_stream(DeliveryStreamName="archive")
        except ClientError as error:
            return error.response["Error"]
        return None

    assert wait_for(gone) == {
        "Code": "ResourceNotFoundException",
        "Message": f"Firehose archive under account {ACCOUNT} not found.",
    }
