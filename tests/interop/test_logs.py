"""CloudWatch Logs through boto3: groups, streams, events, filters, and what Lambda writes there."""

import gzip
import io
import json
import time
import zipfile

import pytest
from botocore.exceptions import ClientError
from test_boto3 import client, fresh, refused, serve, until


@pytest.fixture(scope="module")
def endpoint():
    yield from serve()


@pytest.fixture(scope="module")
def logs(endpoint):
    return client(endpoint, "logs", attempts=8)


@pytest.fixture
def group(logs):
    name = fresh("/app/log")
    logs.create_log_group(logGroupName=name, tags={"team": "orders"})
    yield name
    logs.delete_log_group(logGroupName=name)


def now():
    return int(time.time() * 1000)


def put(logs, group, stream, messages, at=None):
    at = at or now()
    events = [{"timestamp": at + n, "message": message} for n, message in enumerate(messages)]
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def test_a_group_is_described_tagged_and_kept_for_a_time(logs, group):
    logs.put_retention_policy(logGroupName=group, retentionInDays=14)
    described = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert len(described) == 1
    found = described[0]
    assert found["logGroupName"] == group and found["retentionInDays"] == 14
    assert found["arn"] == found["logGroupArn"] + ":*"
    assert found["logGroupClass"] == "STANDARD" and found["metricFilterCount"] == 0
    logs.tag_resource(resourceArn=found["logGroupArn"], tags={"tier": "1"})
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"team": "orders", "tier": "1"}
    logs.untag_log_group(logGroupName=group, tags=["team"])
    assert logs.list_tags_for_resource(resourceArn=found["logGroupArn"])["tags"] == {"tier": "1"}
    logs.delete_retention_policy(logGroupName=group)
    assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    message = refused("ResourceAlreadyExistsException", logs.create_log_group, logGroupName=group)
    assert message == "The specified log group already exists"


def test_events_come_back_from_both_ends(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    answer = put(logs, group, "one", ["日本語", *[f"line {n}" for n in range(24)]])
    assert answer["nextSequenceToken"]
    newest = logs.get_log_events(logGroupName=group, logStreamName="one", limit=10)
    assert [e["message"] for e in newest["events"]] == [f"line {n}" for n in range(14, 24)]
    head = logs.get_log_events(logGroupName=group, logStreamName="one", limit=10, startFromHead=True)
    assert head["events"][0]["message"] == "日本語"
    seen, token = len(head["events"]), head["nextForwardToken"]
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName="one", nextToken=token, startFromHead=True)
        seen += len(page["events"])
        if page["nextForwardToken"] == token:
            break
        token = page["nextForwardToken"]
    assert seen == 25
    stream = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"][0]
    assert stream["lastEventTimestamp"] - stream["firstEventTimestamp"] == 24 and stream["lastIngestionTime"]
    for by in (group, logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]):
        assert len(logs.get_log_events(logGroupIdentifier=by, logStreamName="one")["events"]) == 25


def test_batches_are_held_to_the_rules(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    message = refused(
        "InvalidParameterException",
        logs.put_log_events,
        logGroupName=group,
        logStreamName="one",
        logEvents=[{"timestamp": now(), "message": "a"}, {"timestamp": now() - 5000, "message": "b"}],
    )
    assert message == "Log events in a single PutLogEvents request must be in chronological order."
    old = put(logs, group, "one", ["old"], now() - 30 * 86_400_000)
    assert old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    new = put(logs, group, "one", ["new"], now() + 86_400_000)
    assert new["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 0}
    with pytest.raises(ClientError) as caught:
        put(logs, group, "ghost", ["x"])
    assert caught.value.response["Error"]["Message"] == "The specified log stream does not exist."


def test_filters(logs, group):
    for stream in ("one", "two"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    at = now()
    put(logs, group, "one", ["hello", "world", "hello world", "goodbye world", "hello cruel world"], at)
    put(logs, group, "two", [json.dumps({"level": "ERROR", "ms": n}) for n in range(5)], at)

    def found(pattern, **more):
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=pattern, PaginationConfig={"PageSize": 2}, **more
        )
        return [event["message"] for page in pages for event in page["events"]]

    assert found("hello -cruel") == ["hello", "hello world"]
    assert found('"hello cruel"') == ["hello cruel world"]
    assert found("?goodbye ?cruel") == ["goodbye world", "hello cruel world"]
    assert found("{ $.level = \"ERROR\" && $.ms > 2 }") == ['{"level": "ERROR", "ms": 3}', '{"level": "ERROR", "ms": 4}']
    assert found("[w1=goodbye, w2]") == ["goodbye world"]
    assert found("%^h.*d$%", logStreamNames=["one"]) == ["hello world", "hello cruel world"]
    assert len(found("")) == 10
    refused("InvalidParameterException", logs.filter_log_events, logGroupName=group, filterPattern='"open')


def test_lambda_writes_its_lines(endpoint, logs):
    functions = client(endpoint, "lambda")
    name = fresh("greeter")
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return event")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::123456789012:role/x",
        Handler="app.handler",
        Code={"ZipFile": package.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    request = functions.invoke(FunctionName=name, Payload=b"{}")["ResponseMetadata"]["RequestId"]
    group = f"/aws/lambda/{name}"
    events = until(lambda: logs.filter_log_events(logGroupName=group, filterPattern=f'"{request}"')["events"])
    words = [event["message"].split()[0] for event in events]
    assert words[0] == "START" and words[-2:] == ["END", "REPORT"]
    assert "Billed Duration:" in events[-1]["message"]
    streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == [events[0]["logStreamName"]]
    assert "/[$LATEST]" in events[0]["logStreamName"]
    logs.delete_log_group(logGroupName=group)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []


def test_a_metric_filter_makes_samples_of_what_matches(endpoint, logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    space = fresh("App")
    transformation = {"metricName": "Slow", "metricNamespace": space, "metricValue": "$.ms", "unit": "Milliseconds"}
    logs.put_metric_filter(
        logGroupName=group, filterName="slow", filterPattern="{ $.ms > 100 }", metricTransformations=[transformation]
    )
    (found,) = logs.describe_metric_filters(logGroupName=group, filterNamePrefix="sl")["metricFilters"]
    assert found["metricTransformations"] == [transformation] and found["logGroupName"] == group
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["metricFilterCount"] == 1
    at = now()
    put(logs, group, "one", ['{"ms": 250}', '{"ms": 7}', '{"ms": 150}'], at)
    cloudwatch = client(endpoint, "cloudwatch", attempts=8)
    points = cloudwatch.get_metric_statistics(
        Namespace=space, MetricName="Slow", StartTime=at // 1000 - 60, EndTime=at // 1000 + 60, Period=300,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    assert sum(point["Sum"] for point in points) == 400.0 and points[0]["Unit"] == "Milliseconds"
    message = refused("InvalidParameterException", logs.describe_metric_filters, metricName="Slow")
    assert message == "Describe Metric Filters request must contain both MetricName and MetricNamespace"
    logs.delete_metric_filter(logGroupName=group, filterName="slow")
    refused("ResourceNotFoundException", logs.delete_metric_filter, logGroupName=group, filterName="slow")


def test_a_subscription_sends_compressed_batches_to_a_stream(endpoint, logs, group):
    kinesis = client(endpoint, "kinesis", attempts=8)
    stream = fresh("logs")
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    wanted = dict(logGroupName=group, filterName="errors", filterPattern="ERROR", destinationArn=arn)
    message = refused("InvalidParameterException", logs.put_subscription_filter, **wanted)
    assert message == "destinationArn for vendor kinesis cannot be used without roleArn"
    logs.put_subscription_filter(**wanted, roleArn="arn:aws:iam::123456789012:role/logs")
    (found,) = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert found["distribution"] == "ByLogStream" and found["destinationArn"] == arn
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    put(logs, group, "one", ["ERROR one", "fine", "ERROR two"])
    shard = kinesis.list_shards(StreamName=stream)["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    (record,) = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    batch = json.loads(gzip.decompress(record["Data"]))
    assert batch["messageType"] == "DATA_MESSAGE" and batch["subscriptionFilters"] == ["errors"]
    assert (batch["logGroup"], batch["logStream"]) == (group, "one")
    assert [event["message"] for event in batch["logEvents"]] == ["ERROR one", "ERROR two"]
    logs.delete_subscription_filter(logGroupName=group, filterName="errors")
    assert logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"] == []


def test_a_query_runs_and_answers_in_rows(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    at = now()
    put(logs, group, "one", ['{"level": "ERROR", "ms": 5}', '{"level": "INFO", "ms": 7}', '{"level": "ERROR", "ms": 9}'], at)
    span = dict(logGroupName=group, startTime=at // 1000 - 60, endTime=at // 1000 + 60)

    def rows(text):
        query = logs.start_query(**span, queryString=text)["queryId"]
        until(lambda: logs.get_query_results(queryId=query)["status"] == "Complete")
        found = logs.get_query_results(queryId=query)
        return [{cell["field"]: cell["value"] for cell in row} for row in found["results"]], found["statistics"]

    counted, statistics = rows("filter level = 'ERROR' | stats count(*) as n, max(ms) as worst by level")
    assert counted == [{"level": "ERROR", "n": "2", "worst": "9"}]
    assert (statistics["recordsScanned"], statistics["recordsMatched"]) == (3.0, 2.0)
    newest, _ = rows("fields @message, ms | sort @timestamp desc | limit 1")
    assert newest[0]["ms"] == "9"
    record = logs.get_log_record(logRecordPointer=newest[0]["@ptr"])["logRecord"]
    assert record["@message"] == newest[0]["@message"] and record["level"] == "ERROR"
    message = refused("MalformedQueryException", logs.start_query, **span, queryString="test")
    assert message == "unexpected symbol found test at line 1 and position 0"
