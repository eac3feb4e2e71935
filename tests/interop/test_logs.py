"""CloudWatch Logs through boto3: groups, streams, events, filters, and what Lambda writes there."""

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
