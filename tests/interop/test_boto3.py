"""boto3 against `midwatch sim --listen`: every operation that the engine has so far, by its contents.

The binary is MIDWATCH (or MIDWATCH_BIN), else the debug build. The first line that it prints says where it listens.
"""

import base64
import concurrent.futures
import datetime
import io
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time
import uuid
import zipfile

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("MIDWATCH") or os.environ.get("MIDWATCH_BIN") or str(ROOT / "target/debug/midwatch")
REGION = "eu-west-1"
ACCOUNT = "123456789012"


def serve(*flags):
    """An engine on a port that the system picks; yields its address, and wants it to end cleanly."""
    process = subprocess.Popen(
        [BINARY, "sim", "--listen", "127.0.0.1:0", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    line = process.stdout.readline()
    found = re.search(r"http://[\w.:\[\]]+\w", line)
    assert found, f"no address in {line!r}: {process.stderr.read() if process.poll() is not None else ''}"
    yield found.group(0)
    process.terminate()
    assert process.wait(timeout=5) == 0, "SIGTERM is a clean end"


@pytest.fixture(scope="module")
def endpoint():
    """One engine for the whole file, in real time."""
    yield from serve()


@pytest.fixture(scope="module")
def fast_endpoint():
    """An engine whose time is twenty times as fast, for what takes AWS half a minute."""
    yield from serve("--speed", "20")


def client(endpoint, service, key="test", attempts=1, region=REGION):
    # One attempt: a refusal must reach the test, not be retried away.
    config = Config(retries={"total_max_attempts": attempts}, read_timeout=40, max_pool_connections=50)
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key="test",
        config=config,
    )


@pytest.fixture(scope="module")
def kinesis(endpoint):
    return client(endpoint, "kinesis")


@pytest.fixture(scope="module")
def sqs(endpoint):
    return client(endpoint, "sqs")


@pytest.fixture(scope="module")
def functions(endpoint):
    return client(endpoint, "lambda")


@pytest.fixture(scope="module")
def cloudwatch(endpoint):
    return client(endpoint, "cloudwatch")


def fresh(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def until(what, seconds=20.0):
    """What `what` returns once it is not falsy."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


def refused(code, call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code, caught.value
    return caught.value.response["Error"]["Message"]


# --- STS ---------------------------------------------------------------------------------------------------------


def test_sts_names_the_account_and_a_twelve_digit_key_names_another(endpoint):
    assert client(endpoint, "sts").get_caller_identity()["Account"] == ACCOUNT
    assert client(endpoint, "sts", key="111122223333").get_caller_identity()["Account"] == "111122223333"


def test_accounts_do_not_see_each_other(endpoint, sqs):
    name = fresh("mine")
    sqs.create_queue(QueueName=name)
    other = client(endpoint, "sqs", key="111122223333")
    refused("AWS.SimpleQueueService.NonExistentQueue", other.get_queue_url, QueueName=name)


# --- Kinesis -----------------------------------------------------------------------------------------------------


@pytest.fixture
def stream(kinesis):
    name = fresh("bids")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    active(kinesis, name)
    yield name
    kinesis.delete_stream(StreamName=name)


@pytest.fixture
def fast_kinesis(fast_endpoint):
    return client(fast_endpoint, "kinesis")


@pytest.fixture
def fast_stream(fast_kinesis):
    name = fresh("bids")
    fast_kinesis.create_stream(StreamName=name, ShardCount=2)
    active(fast_kinesis, name)
    return name


def active(kinesis, name):
    """The stream's summary once it is ACTIVE."""

    def summary():
        found = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        return found if found["StreamStatus"] == "ACTIVE" else None

    # At most 20 such calls a second are allowed.
    return until(summary)


def shards(kinesis, name):
    return kinesis.list_shards(StreamName=name)["Shards"]


def drain(kinesis, name, shard_id):
    """Every record of a shard from its start: to its end if it is closed, else to its tip."""
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON")
    iterator, records, children = iterator["ShardIterator"], [], []
    while iterator:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=1000)
        records += answer["Records"]
        children = answer.get("ChildShards", [])
        iterator = answer.get("NextShardIterator")
        if iterator and not answer["Records"] and answer["MillisBehindLatest"] == 0:
            break
        time.sleep(0.21)  # five reads a second and shard
    return records, children


def test_a_new_stream_says_what_it_is(kinesis, stream):
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 2
    assert summary["RetentionPeriodHours"] == 24
    assert summary["StreamARN"] == f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}"
    assert summary["StreamModeDetails"]["StreamMode"] == "PROVISIONED"
    assert isinstance(summary["StreamCreationTimestamp"], datetime.datetime)
    ranges = [shard["HashKeyRange"] for shard in shards(kinesis, stream)]
    assert ranges[0]["StartingHashKey"] == "0"
    assert int(ranges[1]["StartingHashKey"]) == int(ranges[0]["EndingHashKey"]) + 1
    assert int(ranges[1]["EndingHashKey"]) == 2**128 - 1
    assert stream in kinesis.list_streams()["StreamNames"]


def test_records_come_back_as_put_and_in_order(kinesis, stream):
    sent = {}
    for i in range(20):
        data, key = f"bid {i} €".encode(), f"hotel-{i % 3}"
        answer = kinesis.put_record(StreamName=stream, Data=data, PartitionKey=key)
        sent.setdefault(answer["ShardId"], []).append((answer["SequenceNumber"], key, data))
    for shard_id, expected in sent.items():
        records, _ = drain(kinesis, stream, shard_id)
        assert [(r["SequenceNumber"], r["PartitionKey"], r["Data"]) for r in records] == expected
        numbers = [int(record["SequenceNumber"]) for record in records]
        assert numbers == sorted(set(numbers))
        assert all(isinstance(r["ApproximateArrivalTimestamp"], datetime.datetime) for r in records)


def test_an_explicit_hash_key_chooses_the_shard(kinesis, stream):
    for shard in shards(kinesis, stream):
        key = shard["HashKeyRange"]["EndingHashKey"]
        answer = kinesis.put_record(StreamName=stream, Data=b"x", PartitionKey="any", ExplicitHashKey=key)
        assert answer["ShardId"] == shard["ShardId"]


def test_iterators_start_where_they_are_told(kinesis, stream):
    put = [kinesis.put_record(StreamName=stream, Data=f"{i}".encode(), PartitionKey="k") for i in range(5)]
    shard_id, numbers = put[0]["ShardId"], [answer["SequenceNumber"] for answer in put]

    def first(**arguments):
        iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard_id, **arguments)["ShardIterator"]
        time.sleep(0.21)
        return [r["Data"] for r in kinesis.get_records(ShardIterator=iterator)["Records"]]

    assert first(ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[3]) == [b"3", b"4"]
    assert first(ShardIteratorType="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[3]) == [b"4"]
    assert first(ShardIteratorType="LATEST") == []
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    assert first(ShardIteratorType="AT_TIMESTAMP", Timestamp=past) == [b"0", b"1", b"2", b"3", b"4"]


def test_a_batch_over_a_shards_limit_fails_in_part(kinesis):
    name = fresh("narrow")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    active(kinesis, name)
    batch = [{"Data": b"x" * 10_000, "PartitionKey": "k"} for _ in range(200)]
    answer = kinesis.put_records(StreamName=name, Records=batch)
    failed = [entry for entry in answer["Records"] if "ErrorCode" in entry]
    assert len(answer["Records"]) == 200
    assert 0 < answer["FailedRecordCount"] == len(failed) < 200
    assert {entry["ErrorCode"] for entry in failed} == {"ProvisionedThroughputExceededException"}
    assert all("SequenceNumber" in entry for entry in answer["Records"] if "ErrorCode" not in entry)
    kinesis.delete_stream(StreamName=name)


def test_a_walk_over_a_split_and_a_merge_loses_and_repeats_nothing(fast_kinesis, fast_stream):
    """What a consumer library does: parents to their end, then their children."""
    kinesis, stream, sent = fast_kinesis, fast_stream, []

    def put(n):
        for _ in range(n):
            data = f"{len(sent)}".encode()
            sent.append(data)
            kinesis.put_record(StreamName=stream, Data=data, PartitionKey=f"key-{len(sent) % 17}")

    put(30)
    first = shards(kinesis, stream)[0]
    low, high = (int(first["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
    kinesis.split_shard(
        StreamName=stream, ShardToSplit=first["ShardId"], NewStartingHashKey=str((low + high + 1) // 2)
    )
    active(kinesis, stream)
    put(30)
    children = [s["ShardId"] for s in shards(kinesis, stream) if s.get("ParentShardId") == first["ShardId"]]
    assert len(children) == 2
    kinesis.merge_shards(StreamName=stream, ShardToMerge=children[0], AdjacentShardToMerge=children[1])
    active(kinesis, stream)
    put(30)
    time.sleep(0.5)

    seen, done = [], set()
    todo = [s["ShardId"] for s in shards(kinesis, stream) if "ParentShardId" not in s]
    while todo:
        shard_id = todo.pop(0)
        if shard_id in done:
            continue
        done.add(shard_id)
        records, followers = drain(kinesis, stream, shard_id)
        seen += [record["Data"] for record in records]
        # The child of a merge is walked only after both of its parents.
        todo += [child["ShardId"] for child in followers if set(child["ParentShards"]) <= done]
    assert sorted(seen, key=int) == sent
    assert done == {shard["ShardId"] for shard in shards(kinesis, stream)}
    open_now = [s for s in shards(kinesis, stream) if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
    assert len(open_now) == 2


def test_a_stream_is_resized(fast_kinesis, fast_stream):
    kinesis, stream = fast_kinesis, fast_stream
    answer = kinesis.update_shard_count(StreamName=stream, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    assert (answer["CurrentShardCount"], answer["TargetShardCount"]) == (2, 4)
    refused("ResourceInUseException", kinesis.split_shard, StreamName=stream,
            ShardToSplit="shardId-000000000000", NewStartingHashKey="10")
    assert active(kinesis, stream)["OpenShardCount"] == 4
    refused("LimitExceededException", kinesis.update_shard_count, StreamName=stream, TargetShardCount=9,
            ScalingType="UNIFORM_SCALING")


def test_what_kinesis_refuses(kinesis, stream):
    message = refused("ResourceNotFoundException", kinesis.describe_stream_summary, StreamName="nobody")
    assert message == f"Stream nobody under account {ACCOUNT} not found."
    refused("ResourceInUseException", kinesis.create_stream, StreamName=stream, ShardCount=1)
    refused("InvalidArgumentException", kinesis.get_records, ShardIterator="AAAA")
    refused("ResourceNotFoundException", kinesis.get_shard_iterator, StreamName=stream,
            ShardId="shardId-000000000099", ShardIteratorType="LATEST")


# --- SQS ---------------------------------------------------------------------------------------------------------


def queue(sqs, prefix="orders", **attributes):
    return sqs.create_queue(QueueName=fresh(prefix), Attributes={k: str(v) for k, v in attributes.items()})["QueueUrl"]


def attribute(sqs, url, name):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]


def test_a_batch_is_received_with_its_bodies_and_attributes(sqs):
    url = queue(sqs)
    text = {"hotel": {"DataType": "String", "StringValue": "Grand"}, "n": {"DataType": "Number", "StringValue": "3"},
            "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    entries = [{"Id": f"m{i}", "MessageBody": f"order {i} ü", "MessageAttributes": text} for i in range(10)]
    # boto3 itself checks each MD5 of body and attributes against what it sent.
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert {entry["Id"] for entry in answer["Successful"]} == {f"m{i}" for i in range(10)}
    assert attribute(sqs, url, "ApproximateNumberOfMessages") == "10"
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"],
                              MessageSystemAttributeNames=["All"])["Messages"]
    assert {m["Body"] for m in got} == {f"order {i} ü" for i in range(10)}
    assert all(m["MessageAttributes"]["raw"]["BinaryValue"] == b"\x00\xff" for m in got)
    assert {m["Attributes"]["ApproximateReceiveCount"] for m in got} == {"1"}
    assert attribute(sqs, url, "ApproximateNumberOfMessagesNotVisible") == "10"
    deletes = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)]
    assert len(sqs.delete_message_batch(QueueUrl=url, Entries=deletes)["Successful"]) == 10
    assert attribute(sqs, url, "ApproximateNumberOfMessagesNotVisible") == "0"


def test_a_message_is_hidden_until_its_visibility_ends(sqs):
    url = queue(sqs, VisibilityTimeout=30)
    sqs.send_message(QueueUrl=url, MessageBody="once")
    first = sqs.receive_message(QueueUrl=url)["Messages"][0]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=1)
    again = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MessageSystemAttributeNames=["All"])["Messages"][0]
    assert again["MessageId"] == first["MessageId"]
    assert again["ReceiptHandle"] != first["ReceiptHandle"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_a_long_poll_waits_for_a_message_and_no_longer(sqs, endpoint):
    url = queue(sqs)
    started = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    assert 0.9 < time.monotonic() - started < 3
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=1)
    started = time.monotonic()
    assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"][0]["Body"] == "delayed"
    assert 0.5 < time.monotonic() - started < 4


def test_failing_messages_go_to_the_dead_letter_queue_and_come_back(sqs):
    dead = queue(sqs, "orders-dlq")
    dead_arn = attribute(sqs, dead, "QueueArn")
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    url = queue(sqs, RedrivePolicy=policy, VisibilityTimeout=0)
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    sent = {sqs.send_message(QueueUrl=url, MessageBody=f"poison {i}")["MessageId"] for i in range(3)}

    def all_dead():
        sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return attribute(sqs, dead, "ApproximateNumberOfMessages") == "3"

    until(all_dead)
    assert attribute(sqs, url, "ApproximateNumberOfMessages") == "0"
    seen = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, VisibilityTimeout=0,
                               MessageSystemAttributeNames=["All"])["Messages"]
    assert {m["MessageId"] for m in seen} <= sent
    assert all(m["Attributes"]["DeadLetterQueueSourceArn"].endswith(url.rsplit("/", 1)[1]) for m in seen)

    handle = sqs.start_message_move_task(SourceArn=dead_arn)["TaskHandle"]
    assert handle

    def finished():
        task = sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"][0]
        return task if task["Status"] == "COMPLETED" else None

    task = until(finished)
    assert task["ApproximateNumberOfMessagesMoved"] == 3
    assert attribute(sqs, dead, "ApproximateNumberOfMessages") == "0"
    assert attribute(sqs, url, "ApproximateNumberOfMessages") == "3"


def test_what_sqs_refuses(sqs):
    url = queue(sqs)
    gone = url.rsplit("/", 1)[0] + "/nobody"
    message = refused("AWS.SimpleQueueService.NonExistentQueue", sqs.receive_message, QueueUrl=gone)
    assert message.startswith("The specified queue does not exist")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="nobody")
    refused("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=url, ReceiptHandle="nonsense")
    twice = [{"Id": "a", "MessageBody": "1"}, {"Id": "a", "MessageBody": "2"}]
    refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", sqs.send_message_batch, QueueUrl=url, Entries=twice)
    refused("AWS.SimpleQueueService.EmptyBatchRequest", sqs.send_message_batch, QueueUrl=url, Entries=[])
    with pytest.raises(ClientError):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "43201"})


# --- Lambda ------------------------------------------------------------------------------------------------------


def package():
    """A deployment package as people upload it; the engine keeps its size and runs a behaviour instead."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return event\n")
    return packed.getvalue()


@pytest.fixture
def echo(functions):
    name = fresh("settle-bid")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/settle",
        Code={"ZipFile": package()},
        MemorySize=256,
        Timeout=5,
    )
    until(lambda: functions.get_function_configuration(FunctionName=name)["State"] == "Active")
    yield name
    functions.delete_function(FunctionName=name)


def test_a_function_says_what_it_is(functions, echo):
    found = functions.get_function(FunctionName=echo)["Configuration"]
    assert found["FunctionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{echo}"
    assert (found["MemorySize"], found["Timeout"], found["Handler"]) == (256, 5, "app.handler")
    names = [f["FunctionName"] for page in functions.get_paginator("list_functions").paginate()
             for f in page["Functions"]]
    assert echo in names


def test_an_invocation_answers_with_its_log_tail(functions, echo):
    payload = json.dumps({"bid": 100, "hotel": "Grand é"})
    answer = functions.invoke(FunctionName=echo, Payload=payload, LogType="Tail")
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    assert answer["ExecutedVersion"] == "$LATEST"
    assert json.loads(answer["Payload"].read()) == json.loads(payload)
    log = base64.b64decode(answer["LogResult"]).decode()
    assert "START RequestId: " in log and "REPORT RequestId: " in log and "Memory Size: 256 MB" in log
    assert functions.invoke(FunctionName=echo, InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    assert functions.invoke(FunctionName=echo, InvocationType="DryRun")["StatusCode"] == 204


def test_a_mapping_feeds_the_function_and_empties_the_queue(functions, sqs, echo):
    url = queue(sqs, VisibilityTimeout=30)
    mapping = functions.create_event_source_mapping(
        EventSourceArn=attribute(sqs, url, "QueueArn"), FunctionName=echo, BatchSize=5
    )
    assert mapping["BatchSize"] == 5

    def state(uuid_, wanted):
        return functions.get_event_source_mapping(UUID=uuid_)["State"] == wanted

    until(lambda: state(mapping["UUID"], "Enabled"), 60)
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": f"{i}"} for i in range(10)])

    def is_empty():
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return set(found.values()) == {"0"}

    until(is_empty, 40)
    listed = functions.list_event_source_mappings(FunctionName=echo)["EventSourceMappings"]
    assert [m["UUID"] for m in listed] == [mapping["UUID"]]
    functions.delete_event_source_mapping(UUID=mapping["UUID"])


def test_what_lambda_refuses(functions, echo):
    message = refused("ResourceNotFoundException", functions.invoke, FunctionName="nobody")
    assert message == f"Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:nobody:$LATEST"
    refused("ResourceConflictException", functions.create_function, FunctionName=echo, Runtime="python3.13",
            Handler="app.handler", Role=f"arn:aws:iam::{ACCOUNT}:role/settle", Code={"ZipFile": package()})
    refused("InvalidRequestContentException", functions.invoke, FunctionName=echo, Payload=b"{not json")


# --- CloudWatch --------------------------------------------------------------------------------------------------


def minute(minutes_ago):
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    return now - datetime.timedelta(minutes=minutes_ago)


def metric_query(id_, namespace, name, stat, period=60, dimensions=()):
    dimensions = [{"Name": n, "Value": v} for n, v in dimensions]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def test_what_is_put_is_read_back(cloudwatch):
    namespace = fresh("App")
    dimensions = [("Hotel", "Grand")]
    data = [
        {"MetricName": "Sold", "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions], "Unit": "Count",
         "Timestamp": minute(10 - i), "Values": [float(i), 10.0], "Counts": [2.0, 1.0]}
        for i in range(5)
    ]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    queries = [metric_query("s", namespace, "Sold", "Sum", dimensions=dimensions),
               metric_query("p", namespace, "Sold", "p50", dimensions=dimensions),
               {"Id": "double", "Expression": "s * 2", "Label": "twice"}]
    answer = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=minute(11), EndTime=minute(0),
                                        ScanBy="TimestampAscending")
    sums, medians, double = answer["MetricDataResults"]
    assert sums["Timestamps"] == [minute(10 - i) for i in range(5)]
    assert sums["Values"] == [10.0 + 2 * i for i in range(5)]
    assert medians["Values"] == [float(i) for i in range(5)]
    assert (double["Label"], double["Values"]) == ("twice", [20.0 + 4 * i for i in range(5)])
    assert {result["StatusCode"] for result in answer["MetricDataResults"]} == {"Complete"}

    statistics = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName="Sold", Dimensions=[{"Name": "Hotel", "Value": "Grand"}],
        StartTime=minute(10), EndTime=minute(5), Period=300, Statistics=["SampleCount", "Maximum"], Unit="Count")
    assert [(p["SampleCount"], p["Maximum"], p["Unit"]) for p in statistics["Datapoints"]] == [(15.0, 10.0, "Count")]


def test_pages_of_a_long_answer_join(cloudwatch):
    namespace = fresh("App")
    data = [{"MetricName": "N", "Timestamp": minute(50 - i), "Value": float(i)} for i in range(50)]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[metric_query("n", namespace, "N", "Average")], StartTime=minute(55), EndTime=minute(0),
        ScanBy="TimestampDescending", MaxDatapoints=20)
    values = [page["MetricDataResults"][0]["Values"] for page in pages]
    assert [len(page) for page in values] == [20, 20, 10]
    assert sum(values, []) == [float(i) for i in reversed(range(50))]


def test_metrics_are_listed_by_filters_and_pages(cloudwatch):
    namespace = fresh("Many")
    for start in range(0, 600, 300):
        # Large enough that boto3 compresses the request.
        data = [{"MetricName": f"M{i:03}", "Value": 1.0,
                 "Dimensions": [{"Name": "A", "Value": "1"}, {"Name": "B", "Value": f"{i}"}]}
                for i in range(start, start + 300)]
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace))
    assert [len(page["Metrics"]) for page in pages] == [500, 100]
    assert {m["MetricName"] for page in pages for m in page["Metrics"]} == {f"M{i:03}" for i in range(600)}
    one = cloudwatch.list_metrics(Namespace=namespace, Dimensions=[{"Name": "B", "Value": "7"}, {"Name": "A"}])
    assert [m["MetricName"] for m in one["Metrics"]] == ["M007"]


def test_what_cloudwatch_refuses(cloudwatch):
    span = {"StartTime": minute(5), "EndTime": minute(0)}
    query = metric_query("a", "App", "M", "Sum")
    refused("ValidationError", cloudwatch.get_metric_data, MetricDataQueries=[query, query], **span)
    refused("ValidationError", cloudwatch.get_metric_data, MetricDataQueries=[dict(query, Id="A")], **span)
    refused("InvalidNextToken", cloudwatch.get_metric_data, MetricDataQueries=[query], NextToken="x", **span)
    refused("InvalidParameterCombination", cloudwatch.get_metric_statistics, Namespace="App", MetricName="M",
            StartTime=minute(3000), EndTime=minute(0), Period=60, Statistics=["Sum"])
    datum = {"MetricName": "M", "Value": 1.0}
    refused("InvalidParameterValue", cloudwatch.put_metric_data, Namespace="AWS/SQS", MetricData=[datum])
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_the_published_rate_of_list_metrics_throttles(cloudwatch):
    with pytest.raises(ClientError) as caught:
        for _ in range(200):
            cloudwatch.list_metrics(Namespace="Nobody")
    assert caught.value.response["Error"]["Code"] in ("Throttling", "ThrottlingException")
    assert caught.value.response["Error"]["Message"] == "Rate exceeded"


# --- the listener ------------------------------------------------------------------------------------------------


def test_a_flood_from_many_connections_loses_nothing(sqs, endpoint):
    url = queue(sqs, "flood")
    host, port = endpoint.removeprefix("http://").rsplit(":", 1)
    noise = [socket.create_connection((host, int(port))) for _ in range(200)]
    for connection in noise[::2]:
        connection.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    with concurrent.futures.ThreadPoolExecutor(40) as senders:
        sends = senders.map(lambda i: sqs.send_message(QueueUrl=url, MessageBody=f"{i}"), range(500))
        ids = {answer["MessageId"] for answer in sends}
    assert len(ids) == 500
    assert attribute(sqs, url, "ApproximateNumberOfMessages") == "500"
    for connection in noise:
        connection.close()


def test_a_waiting_long_poll_does_not_hold_up_the_end():
    engine = serve()
    sqs = client(next(engine), "sqs")
    url = queue(sqs)
    answers = []

    def poll():
        answers.append(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20))

    waiting = threading.Thread(target=poll)
    waiting.start()
    time.sleep(1)
    started = time.monotonic()
    # Ending the generator sends SIGTERM and wants exit code 0 within five seconds.
    assert next(engine, None) is None
    waiting.join(timeout=5)
    assert time.monotonic() - started < 3
    assert [answer.get("Messages") for answer in answers] == [None], "it is answered as at the end of its time"
