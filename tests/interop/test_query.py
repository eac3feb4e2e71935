"""The older query protocol through boto3's own reader and writer: its service models, turned back to query.

SQS and CloudWatch are described to botocore as they were before they spoke JSON and CBOR; what a client then sends and
parses is what older SDKs do.
"""

import datetime
import gzip
import json
import pathlib

import boto3
import botocore
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from test_control import Engine

DATA = pathlib.Path(botocore.__file__).parent / "data"

# Names of the elements of SQS's flattened lists and maps, by shape; JSON does not need them, so models have lost them.
ELEMENTS = {
    "AttributeNameList": "AttributeName",
    "MessageAttributeNameList": "MessageAttributeName",
    "MessageSystemAttributeList": "MessageSystemAttributeName",
    "TagKeyList": "TagKey",
    "QueueUrlList": "QueueUrl",
    "MessageList": "Message",
    "SendMessageBatchRequestEntryList": "SendMessageBatchRequestEntry",
    "SendMessageBatchResultEntryList": "SendMessageBatchResultEntry",
    "DeleteMessageBatchRequestEntryList": "DeleteMessageBatchRequestEntry",
    "DeleteMessageBatchResultEntryList": "DeleteMessageBatchResultEntry",
    "ChangeMessageVisibilityBatchRequestEntryList": "ChangeMessageVisibilityBatchRequestEntry",
    "ChangeMessageVisibilityBatchResultEntryList": "ChangeMessageVisibilityBatchResultEntry",
    "BatchResultErrorEntryList": "BatchResultErrorEntry",
    "ListMessageMoveTasksResultEntryList": "ListMessageMoveTasksResultEntry",
}
PAIRS = {"TagMap": ("Key", "Value")}
MAPS = {"Attributes": "Attribute", "MessageAttributes": "MessageAttribute", "Tags": "Tag", "tags": "Tag"}


def as_query(service, version):
    """The service's model as one of the query protocol."""
    model = json.loads(gzip.open(DATA / service / version / "service-2.json.gz").read())
    model["metadata"] |= {"protocol": "query", "protocols": ["query"]}
    model["metadata"].pop("awsQueryCompatible", None)
    for name, operation in model["operations"].items():
        if "output" in operation:
            operation["output"]["resultWrapper"] = name + "Result"
    if service == "sqs":
        for shape, element in ELEMENTS.items():
            if shape in model["shapes"]:
                model["shapes"][shape]["member"]["locationName"] = element
        for name, shape in model["shapes"].items():
            if shape["type"] == "map":
                key, value = PAIRS.get(name, ("Name", "Value"))
                shape["key"]["locationName"], shape["value"]["locationName"] = key, value
            for member, reference in shape.get("members", {}).items():
                if member in MAPS:
                    reference["locationName"] = MAPS[member]
    return model


@pytest.fixture(scope="module")
def engine():
    engine = Engine("--limits", "off")
    yield engine
    assert engine.stop() == 0


@pytest.fixture(scope="module")
def client(engine, tmp_path_factory):
    """`client("sqs")`: a boto3 client whose only protocol is query."""
    models = tmp_path_factory.mktemp("models")
    for service, version in (("sqs", "2012-11-05"), ("cloudwatch", "2010-08-01")):
        folder = models / service / version
        folder.mkdir(parents=True)
        (folder / "service-2.json").write_text(json.dumps(as_query(service, version)))

    def client(service):
        core = botocore.session.get_session()
        core.get_component("data_loader").search_paths.insert(0, str(models))
        made = boto3.session.Session(botocore_session=core).client(
            service,
            endpoint_url=engine.url,
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
        assert made.meta.service_model.resolved_protocol == "query"
        return made

    return client


def test_a_queues_life(client):
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "40"}, tags={"team": "night"})["QueueUrl"]
    assert sqs.get_queue_url(QueueName="q")["QueueUrl"] == url
    assert sqs.list_queues()["QueueUrls"] == [url]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "0", "VisibilityTimeout": "50"})
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout", "QueueArn"])["Attributes"]
    assert found == {"VisibilityTimeout": "50", "QueueArn": "arn:aws:sqs:eu-west-1:123456789012:q"}
    sqs.tag_queue(QueueUrl=url, Tags={"shift": "late & long"})
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "night", "shift": "late & long"}
    sqs.untag_queue(QueueUrl=url, TagKeys=["team"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"shift": "late & long"}


def test_messages_and_batches(client):
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="messages")["QueueUrl"]
    attributes = {
        "text": {"DataType": "String", "StringValue": "<é>"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = sqs.send_message(QueueUrl=url, MessageBody='{"a": "<&>"}', MessageAttributes=attributes, DelaySeconds=0)
    entries = [{"Id": str(i), "MessageBody": f"body {i}"} for i in range(3)] + [{"Id": "bad", "MessageBody": "\x00"}]
    batch = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in batch["Successful"]] == ["0", "1", "2"]
    assert [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in batch["Failed"]] == [
        ("bad", "InvalidMessageContents", True)
    ]
    received = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"], WaitTimeSeconds=1
    )["Messages"]
    assert sorted(message["Body"] for message in received) == ["body 0", "body 1", "body 2", '{"a": "<&>"}']
    first = next(message for message in received if message["MessageId"] == sent["MessageId"])
    assert first["MessageAttributes"] == attributes
    assert first["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert first["Attributes"]["ApproximateReceiveCount"] == "1"
    handles = [{"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(received)]
    visible = sqs.change_message_visibility_batch(
        QueueUrl=url, Entries=[entry | {"VisibilityTimeout": 60} for entry in handles]
    )
    assert len(visible["Successful"]) == 4
    deleted = sqs.delete_message_batch(QueueUrl=url, Entries=handles)
    assert len(deleted["Successful"]) == 4 and "Failed" not in deleted
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_errors_have_their_older_codes(client):
    sqs = client("sqs")
    with pytest.raises(ClientError) as caught:
        sqs.purge_queue(QueueUrl="http://localhost/123456789012/none")
    error = caught.value.response["Error"]
    assert error["Code"] == "AWS.SimpleQueueService.NonExistentQueue" and error["Type"] == "Sender"
    assert error["Message"] == "The specified queue does not exist for this wsdl version."
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["ResponseMetadata"]["RequestId"]
    url = sqs.create_queue(QueueName="errors")["QueueUrl"]
    with pytest.raises(ClientError) as caught:
        sqs.send_message_batch(QueueUrl=url, Entries=[])
    assert caught.value.response["Error"]["Code"] == "AWS.SimpleQueueService.EmptyBatchRequest"
    with pytest.raises(ClientError) as caught:
        sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=11)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert "MaxNumberOfMessages" in caught.value.response["Error"]["Message"]


def test_cloudwatch_metrics_with_times_dimensions_and_percentiles(client):
    cloudwatch = client("cloudwatch")
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    at = now - datetime.timedelta(minutes=3)
    dimensions = [{"Name": "Shop", "Value": "42"}]
    data = [
        {"MetricName": "Sold", "Dimensions": dimensions, "Timestamp": at, "Value": value, "Unit": "Count"}
        for value in (1.5, 2.5, 8.0)
    ]
    cloudwatch.put_metric_data(Namespace="App", MetricData=data)
    listed = cloudwatch.list_metrics(Namespace="App")["Metrics"]
    assert listed == [{"Namespace": "App", "MetricName": "Sold", "Dimensions": dimensions}]
    span = {"StartTime": now - datetime.timedelta(minutes=10), "EndTime": now + datetime.timedelta(minutes=1)}
    asked = {"Namespace": "App", "MetricName": "Sold", "Dimensions": dimensions, "Period": 60} | span
    points = cloudwatch.get_metric_statistics(Statistics=["Sum", "Maximum", "SampleCount"], **asked)["Datapoints"]
    assert points == [{"Timestamp": at, "Sum": 12.0, "Maximum": 8.0, "SampleCount": 3.0, "Unit": "Count"}]
    points = cloudwatch.get_metric_statistics(ExtendedStatistics=["p100"], **asked)["Datapoints"]
    assert points[0]["ExtendedStatistics"] == {"p100": 8.0}
    metric = {"Namespace": "App", "MetricName": "Sold", "Dimensions": dimensions}
    queries = [
        {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 * 2", "Label": "twice"},
    ]
    results = cloudwatch.get_metric_data(MetricDataQueries=queries, **span)["MetricDataResults"]
    assert [(r["Id"], r["Label"], r["Timestamps"], r["Values"]) for r in results] == [("e1", "twice", [at], [24.0])]
    with pytest.raises(ClientError) as caught:
        cloudwatch.get_metric_statistics(Statistics=["Sum"], **(asked | {"Period": 7}))
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"
