"""CloudTrail's event history through boto3: what was done shows up some minutes later, and no data event does."""

import json

import pytest
from botocore.exceptions import ClientError
from test_boto3 import client, serve, until


@pytest.fixture(scope="module")
def endpoint():
    """Time runs 600 times as fast: the minutes that CloudTrail takes pass in a second."""
    yield from serve("--speed", "600")


@pytest.fixture(scope="module")
def trail(endpoint):
    return client(endpoint, "cloudtrail", attempts=5)


def events(trail, key, value, **more):
    attributes = [{"AttributeKey": key, "AttributeValue": value}]
    pages = trail.get_paginator("lookup_events").paginate(LookupAttributes=attributes, **more)
    return [event for page in pages for event in page["Events"]]


def test_a_change_is_found_with_its_record_and_messages_are_not(endpoint, trail):
    sqs = client(endpoint, "sqs")
    url = sqs.create_queue(QueueName="trail-orders")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    sqs.purge_queue(QueueUrl=url)
    found = until(lambda: len(events(trail, "ResourceName", url)) == 2 and events(trail, "ResourceName", url))
    assert [event["EventName"] for event in found] == ["PurgeQueue", "CreateQueue"]
    event = found[1]
    assert event["EventSource"] == "sqs.amazonaws.com" and event["ReadOnly"] == "false"
    assert {"ResourceType": "AWS::SQS::Queue", "ResourceName": "trail-orders"} in event["Resources"]
    record = json.loads(event["CloudTrailEvent"])
    assert record["eventID"] == event["EventId"] and record["eventName"] == "CreateQueue"
    assert record["requestParameters"] == {"queueName": "trail-orders"}
    assert record["responseElements"] == {"queueUrl": url}
    assert record["awsRegion"] == "eu-west-1" and record["recipientAccountId"] == "123456789012"
    assert record["userIdentity"]["type"] == "IAMUser" and "Boto3" in record["userAgent"]
    assert event["EventTime"].timestamp() > 0
    assert events(trail, "EventName", "SendMessage") == []


def test_a_refusal_is_found_with_its_error(endpoint, trail):
    with pytest.raises(ClientError):
        client(endpoint, "kinesis").delete_stream(StreamName="trail-ghost")
    event = until(lambda: events(trail, "EventName", "DeleteStream"))[0]
    record = json.loads(event["CloudTrailEvent"])
    assert record["errorCode"] == "ResourceNotFoundException" and "trail-ghost" in record["errorMessage"]
    assert record["responseElements"] is None


def test_pages_and_refusals(endpoint, trail):
    kinesis = client(endpoint, "kinesis", attempts=5)
    for _ in range(7):
        kinesis.list_streams()
    until(lambda: len(events(trail, "EventName", "ListStreams")) >= 7)
    paged = events(trail, "EventName", "ListStreams", PaginationConfig={"PageSize": 3})
    assert len({event["EventId"] for event in paged}) == len(paged) >= 7
    times = [event["EventTime"] for event in paged]
    assert times == sorted(times, reverse=True)
    for arguments, code in [
        ({"StartTime": 20, "EndTime": 10}, "InvalidTimeRangeException"),
        ({"NextToken": "nobody's"}, "InvalidNextTokenException"),
        ({"LookupAttributes": [{"AttributeKey": "EventTime", "AttributeValue": "1"}]}, "InvalidLookupAttributesException"),
    ]:
        with pytest.raises(ClientError) as caught:
            trail.lookup_events(**arguments)
        assert caught.value.response["Error"]["Code"] == code
