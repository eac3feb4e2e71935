"""boto3 against the engine's SQS, deeper: attributes and their refusals, FIFO, batches, dead letters, move tasks,
permissions, tags, paging.

Time passes sixty times as fast: a second here is a minute there.
"""

import json
import time

import pytest
from botocore.exceptions import ClientError
from test_boto3 import ACCOUNT, REGION, attribute, client, fresh, queue, refused, serve, until

SPEED = 60


@pytest.fixture(scope="module")
def endpoint():
    yield from serve("--speed", str(SPEED))


@pytest.fixture(scope="module")
def sqs(endpoint):
    return client(endpoint, "sqs")


def wait(seconds):
    """Lets simulated seconds pass."""
    time.sleep(seconds / SPEED)


def fifo(sqs, **attributes):
    name = fresh("bids") + ".fifo"
    given = {"FifoQueue": "true", **{k: str(v) for k, v in attributes.items()}}
    return sqs.create_queue(QueueName=name, Attributes=given)["QueueUrl"]


def receive(sqs, url, count=10, **arguments):
    return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=count, **arguments).get("Messages", [])


def arn(sqs, url):
    return attribute(sqs, url, "QueueArn")


def test_a_new_queue_has_awss_defaults(sqs):
    url = queue(sqs)
    got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    stamps = got.pop("CreatedTimestamp"), got.pop("LastModifiedTimestamp")
    assert stamps[0] == stamps[1] and stamps[0].isdigit()
    assert got == {
        "QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rsplit('/', 1)[1]}",
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "DelaySeconds": "0",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "ReceiveMessageWaitTimeSeconds": "0",
        "VisibilityTimeout": "30",
        "SqsManagedSseEnabled": "true",
    }
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url)


@pytest.mark.parametrize("name, bad", [
    ("VisibilityTimeout", "43201"), ("MessageRetentionPeriod", "59"), ("MessageRetentionPeriod", "1209601"),
    ("DelaySeconds", "901"), ("MaximumMessageSize", "1023"), ("MaximumMessageSize", "1048577"),
    ("ReceiveMessageWaitTimeSeconds", "21"), ("KmsDataKeyReusePeriodSeconds", "59"), ("DelaySeconds", "soon"),
])
def test_values_out_of_range_are_refused(sqs, name, bad):
    message = refused("InvalidAttributeValue", sqs.create_queue, QueueName=fresh("q"), Attributes={name: bad})
    assert message == f"Invalid value for the parameter {name}."


def test_names_and_attributes_that_sqs_does_not_know(sqs):
    refused("InvalidParameterValue", sqs.create_queue, QueueName="a b")
    refused("InvalidParameterValue", sqs.create_queue, QueueName="x" * 81)
    refused("InvalidParameterValue", sqs.create_queue, QueueName="plain", Attributes={"FifoQueue": "true"})
    assert refused("InvalidAttributeName", sqs.create_queue, QueueName="plain",
                   Attributes={"Nonsense": "1"}) == "Unknown Attribute Nonsense."
    url = queue(sqs)
    refused("InvalidAttributeName", sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["Nonsense"])
    refused("InvalidAttributeName", sqs.set_queue_attributes, QueueUrl=url, Attributes={"QueueArn": "x"})


def test_the_same_queue_again_and_another_under_its_name(sqs):
    name = fresh("orders")
    first = sqs.create_queue(QueueName=name, Attributes={"DelaySeconds": "5"})["QueueUrl"]
    assert sqs.create_queue(QueueName=name, Attributes={"DelaySeconds": "5"})["QueueUrl"] == first
    assert sqs.create_queue(QueueName=name)["QueueUrl"] == first
    message = refused("QueueAlreadyExists", sqs.create_queue, QueueName=name, Attributes={"DelaySeconds": "6"})
    assert message == "A queue already exists with the same name and a different value for attribute DelaySeconds"
    sqs.delete_queue(QueueUrl=first)
    refused("AWS.SimpleQueueService.QueueDeletedRecently", sqs.create_queue, QueueName=name)
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_attributes, QueueUrl=first)
    wait(90)
    assert sqs.create_queue(QueueName=name)["QueueUrl"] == first


def test_queues_are_listed_by_prefix_and_in_pages(sqs):
    prefix = fresh("page")
    urls = [sqs.create_queue(QueueName=f"{prefix}-{i:02}")["QueueUrl"] for i in range(7)]
    assert sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"] == urls
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=fresh("nobody"))
    pages = list(sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix, PaginationConfig={"PageSize": 3}))
    assert [page["QueueUrls"] for page in pages] == [urls[:3], urls[3:6], urls[6:]]
    assert "NextToken" in pages[0] and "NextToken" not in pages[-1]
    refused("InvalidParameterValue", sqs.list_queues, MaxResults=1001)


def test_a_delay_holds_a_message_back(sqs):
    url = queue(sqs, DelaySeconds=60)
    sqs.send_message(QueueUrl=url, MessageBody="queue's")
    sqs.send_message(QueueUrl=url, MessageBody="own", DelaySeconds=0)
    assert [m["Body"] for m in receive(sqs, url, VisibilityTimeout=3600)] == ["own"]
    assert attribute(sqs, url, "ApproximateNumberOfMessagesDelayed") == "1"
    assert [m["Body"] for m in until(lambda: receive(sqs, url, WaitTimeSeconds=20))] == ["queue's"]
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="x", DelaySeconds=901)


def test_what_a_body_may_hold(sqs):
    url = queue(sqs, MaximumMessageSize=1024)
    sqs.send_message(QueueUrl=url, MessageBody="\t\n\r ퟿�\U0010ffff ü")
    message = refused("InvalidMessageContents", sqs.send_message, QueueUrl=url, MessageBody="\x0b")
    assert message.startswith("Invalid binary character was found in the message body")
    refused("InvalidMessageContents", sqs.send_message, QueueUrl=url, MessageBody="￿")
    message = refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="x" * 1025)
    assert message == "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."
    # Two bytes a letter: bytes count, not characters.
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="ü" * 513)
    assert len(receive(sqs, url)) == 1


def test_attributes_and_the_trace_header_travel_and_are_chosen(sqs):
    url = queue(sqs)
    attributes = {"bid.amount": {"DataType": "Number.float", "StringValue": "12.5"},
                  "bid.hotel": {"DataType": "String", "StringValue": "Grand"},
                  "raw": {"DataType": "Binary.gif", "BinaryValue": b"\x00"}}
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    answer = sqs.send_message(
        QueueUrl=url, MessageBody="b", MessageAttributes=attributes,
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": trace}})
    assert len(answer["MD5OfMessageAttributes"]) == len(answer["MD5OfMessageSystemAttributes"]) == 32
    got = receive(sqs, url, MessageAttributeNames=["bid.*"], AttributeNames=["AWSTraceHeader"], VisibilityTimeout=0)[0]
    assert got["MessageAttributes"] == {n: attributes[n] for n in ("bid.amount", "bid.hotel")}
    assert got["Attributes"] == {"AWSTraceHeader": trace}
    assert got["MD5OfMessageAttributes"] != answer["MD5OfMessageAttributes"], "only of what was asked for"
    got = receive(sqs, url, MessageAttributeNames=[".*"], MessageSystemAttributeNames=["All"], VisibilityTimeout=0)[0]
    assert got["MessageAttributes"] == attributes
    assert got["MD5OfMessageAttributes"] == answer["MD5OfMessageAttributes"]
    assert {"SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp",
            "AWSTraceHeader"} == set(got["Attributes"])
    plain = receive(sqs, url)[0]
    assert "MessageAttributes" not in plain and "Attributes" not in plain
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="b",
            MessageAttributes={"AWS.mine": {"DataType": "String", "StringValue": "x"}})
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="b",
            MessageAttributes={f"a{i}": {"DataType": "String", "StringValue": "x"} for i in range(11)})


def test_a_batch_fails_entry_by_entry_or_as_a_whole(sqs):
    url = queue(sqs)
    entries = [{"Id": "good", "MessageBody": "1"}, {"Id": "late", "MessageBody": "2", "DelaySeconds": 901},
               {"Id": "odd", "MessageBody": "\x01"}]
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert {entry["Id"]: (entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]} == {
        "late": ("InvalidParameterValue", True), "odd": ("InvalidMessageContents", True)}
    eleven = [{"Id": f"{i}", "MessageBody": "b"} for i in range(11)]
    message = refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", sqs.send_message_batch, QueueUrl=url,
                      Entries=eleven)
    assert message == "Maximum number of entries per request are 10. You have sent 11."
    large = [{"Id": f"{i}", "MessageBody": "b" * 600_000} for i in range(2)]
    refused("AWS.SimpleQueueService.BatchRequestTooLong", sqs.send_message_batch, QueueUrl=url, Entries=large)
    refused("AWS.SimpleQueueService.InvalidBatchEntryId", sqs.send_message_batch, QueueUrl=url,
            Entries=[{"Id": "a b", "MessageBody": "b"}])
    got = receive(sqs, url)[0]
    deletes = [{"Id": "mine", "ReceiptHandle": got["ReceiptHandle"]}, {"Id": "odd", "ReceiptHandle": "nonsense"}]
    answer = sqs.delete_message_batch(QueueUrl=url, Entries=deletes)
    assert [e["Id"] for e in answer["Successful"]] == ["mine"]
    assert [(e["Id"], e["Code"]) for e in answer["Failed"]] == [("odd", "ReceiptHandleIsInvalid")]


def test_a_fifo_queue_keeps_each_group_in_order_and_forgets_repeats(sqs):
    url = fifo(sqs)
    sent = [sqs.send_message(QueueUrl=url, MessageBody=f"{i}", MessageGroupId=f"g{i % 2}",
                             MessageDeduplicationId=f"{i}") for i in range(6)]
    numbers = [int(answer["SequenceNumber"]) for answer in sent]
    assert numbers == sorted(numbers) and len(set(numbers)) == 6
    again = sqs.send_message(QueueUrl=url, MessageBody="other", MessageGroupId="g0", MessageDeduplicationId="0")
    assert (again["MessageId"], again["SequenceNumber"]) == (sent[0]["MessageId"], sent[0]["SequenceNumber"])
    first = receive(sqs, url, 2, MessageSystemAttributeNames=["All"])
    assert [m["Body"] for m in first] == ["0", "2"]
    assert first[0]["Attributes"]["MessageGroupId"] == "g0"
    assert first[0]["Attributes"]["MessageDeduplicationId"] == "0"
    # The group is in flight; the other one is not.
    second = receive(sqs, url)
    assert [m["Body"] for m in second] == ["1", "3", "5"]
    assert receive(sqs, url) == []
    for message in first:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert [m["Body"] for m in receive(sqs, url)] == ["4"]


def test_what_a_fifo_queue_insists_on(sqs):
    url = fifo(sqs)
    refused("MissingParameter", sqs.send_message, QueueUrl=url, MessageBody="b", MessageDeduplicationId="1")
    message = refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="b", MessageGroupId="g")
    assert message == ("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
                       "provided explicitly")
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="b", MessageGroupId="g",
            MessageDeduplicationId="1", DelaySeconds=1)
    message = refused("InvalidAttributeValue", sqs.set_queue_attributes, QueueUrl=url, Attributes={"FifoQueue": "false"})
    assert message == "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
    plain = queue(sqs)
    assert refused("InvalidAttributeName", sqs.set_queue_attributes, QueueUrl=plain,
                   Attributes={"FifoQueue": "true"}) == "Unknown Attribute FifoQueue."
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=plain, MessageBody="b", MessageDeduplicationId="1")
    refused("InvalidParameterValue", sqs.receive_message, QueueUrl=plain, ReceiveRequestAttemptId="1")


def test_content_deduplicates_by_group_where_that_is_its_scope(sqs):
    url = fifo(sqs, ContentBasedDeduplication="true", DeduplicationScope="messageGroup",
               FifoThroughputLimit="perMessageGroupId")
    for group in ("a", "a", "b"):
        sqs.send_message(QueueUrl=url, MessageBody="same", MessageGroupId=group)
    assert attribute(sqs, url, "ApproximateNumberOfMessages") == "2"
    wait(320)
    sqs.send_message(QueueUrl=url, MessageBody="same", MessageGroupId="a")
    assert attribute(sqs, url, "ApproximateNumberOfMessages") == "3"


def test_a_receive_attempt_is_repeated_by_its_id(sqs):
    url = fifo(sqs, ContentBasedDeduplication="true", VisibilityTimeout=600)
    sqs.send_message_batch(QueueUrl=url, Entries=[
        {"Id": f"{i}", "MessageBody": f"{i}", "MessageGroupId": "g"} for i in range(3)])
    first = receive(sqs, url, 2, ReceiveRequestAttemptId="lost")
    again = receive(sqs, url, 2, ReceiveRequestAttemptId="lost")
    assert [(m["Body"], m["ReceiptHandle"]) for m in again] == [(m["Body"], m["ReceiptHandle"]) for m in first]
    assert receive(sqs, url, 2, ReceiveRequestAttemptId="new") == []


def test_a_poison_message_moves_after_its_last_receive_and_comes_back(sqs):
    dead = queue(sqs, "dlq")
    url = queue(sqs, VisibilityTimeout=0, RedrivePolicy=json.dumps(
        {"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": "3"}))
    policy = json.loads(attribute(sqs, url, "RedrivePolicy"))
    assert policy == {"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": 3}
    sent = sqs.send_message(QueueUrl=url, MessageBody="poison")["MessageId"]
    for count in range(1, 4):
        got = receive(sqs, url, MessageSystemAttributeNames=["All"])[0]
        assert got["Attributes"]["ApproximateReceiveCount"] == str(count)
        assert "DeadLetterQueueSourceArn" not in got["Attributes"]
    assert receive(sqs, url) == []
    found = receive(sqs, dead, MessageSystemAttributeNames=["All"], VisibilityTimeout=0)[0]
    assert found["MessageId"] == sent
    assert found["Attributes"]["DeadLetterQueueSourceArn"] == arn(sqs, url)
    assert found["Attributes"]["ApproximateReceiveCount"] == "4"

    task = sqs.start_message_move_task(SourceArn=arn(sqs, dead), MaxNumberOfMessagesPerSecond=10)
    assert task["TaskHandle"]

    def finished():
        listed = sqs.list_message_move_tasks(SourceArn=arn(sqs, dead))["Results"][0]
        return listed if listed["Status"] == "COMPLETED" else None

    listed = until(finished)
    assert (listed["ApproximateNumberOfMessagesMoved"], listed["ApproximateNumberOfMessagesToMove"]) == (1, 1)
    assert "TaskHandle" not in listed and "DestinationArn" not in listed
    back = receive(sqs, url, MessageSystemAttributeNames=["All"])[0]
    assert (back["Body"], back["Attributes"]["ApproximateReceiveCount"]) == ("poison", "1")
    assert back["MessageId"] != sent


def test_the_rules_of_move_tasks(sqs):
    dead = queue(sqs, "dlq")
    message = refused("InvalidParameterValue", sqs.start_message_move_task, SourceArn=arn(sqs, dead))
    assert message == "Source queue must be configured as a Dead Letter Queue."
    url = queue(sqs, RedrivePolicy=json.dumps({"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": 1}))
    target, other = queue(sqs, "target"), fifo(sqs)
    refused("InvalidParameterValue", sqs.start_message_move_task, SourceArn=arn(sqs, dead),
            DestinationArn=arn(sqs, other))
    refused("InvalidParameterValue", sqs.start_message_move_task, SourceArn=arn(sqs, dead),
            MaxNumberOfMessagesPerSecond=501)
    refused("ResourceNotFoundException", sqs.start_message_move_task, SourceArn=arn(sqs, dead),
            DestinationArn=arn(sqs, target) + "-gone")
    for i in range(0, 300, 10):
        sqs.send_message_batch(QueueUrl=dead, Entries=[{"Id": f"{j}", "MessageBody": f"{i + j}"} for j in range(10)])
    handle = sqs.start_message_move_task(SourceArn=arn(sqs, dead), DestinationArn=arn(sqs, target),
                                         MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    refused("InvalidParameterValue", sqs.start_message_move_task, SourceArn=arn(sqs, dead))
    running = sqs.list_message_move_tasks(SourceArn=arn(sqs, dead))["Results"][0]
    assert (running["Status"], running["TaskHandle"]) == ("RUNNING", handle)
    assert running["MaxNumberOfMessagesPerSecond"] == 1
    moved = sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
    assert moved < 300
    until(lambda: sqs.list_message_move_tasks(SourceArn=arn(sqs, dead))["Results"][0]["Status"] == "CANCELLED")
    refused("AWS.SimpleQueueService.UnsupportedOperation", sqs.cancel_message_move_task, TaskHandle=handle)
    left, there = (int(attribute(sqs, u, "ApproximateNumberOfMessages")) for u in (dead, target))
    assert left + there == 300
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]


def test_a_dead_letter_queue_chooses_its_sources(sqs):
    dead = queue(sqs, "dlq", RedriveAllowPolicy=json.dumps({"redrivePermission": "denyAll"}))
    policy = json.dumps({"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": 1})
    refused("InvalidParameterValue", sqs.create_queue, QueueName=fresh("q"), Attributes={"RedrivePolicy": policy})
    url = queue(sqs)
    allow = {"redrivePermission": "byQueue", "sourceQueueArns": [arn(sqs, url)]}
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(allow)})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
    refused("InvalidParameterValue", sqs.create_queue, QueueName=fresh("q"), Attributes={"RedrivePolicy": policy})
    missing = json.dumps({"deadLetterTargetArn": arn(sqs, dead) + "x", "maxReceiveCount": 1})
    message = refused("InvalidParameterValue", sqs.set_queue_attributes, QueueUrl=url,
                      Attributes={"RedrivePolicy": missing})
    assert message.endswith("Reason: Dead letter target does not exist.")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])


def test_retention_takes_messages_and_a_purge_takes_all(sqs):
    url = queue(sqs, MessageRetentionPeriod=60)
    sqs.send_message(QueueUrl=url, MessageBody="old")
    wait(90)
    assert receive(sqs, url) == []
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "345600"})
    sqs.send_message(QueueUrl=url, MessageBody="new")
    receive(sqs, url)
    sqs.purge_queue(QueueUrl=url)
    message = refused("AWS.SimpleQueueService.PurgeQueueInProgress", sqs.purge_queue, QueueUrl=url)
    assert message == f"Only one PurgeQueue operation on {url.rsplit('/', 1)[1]} is allowed every 60 seconds."
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert {v for k, v in counts.items() if k.startswith("ApproximateNumber")} == {"0"}


def test_permissions_are_statements_under_labels(sqs):
    url = queue(sqs)
    sqs.add_permission(QueueUrl=url, Label="shared", AWSAccountIds=["111122223333"],
                       Actions=["SendMessage", "ReceiveMessage"])
    policy = json.loads(attribute(sqs, url, "Policy"))
    assert policy["Version"] == "2008-10-17" and policy["Id"] == arn(sqs, url) + "/SQSDefaultPolicy"
    assert policy["Statement"] == [{
        "Sid": "shared", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": ["SQS:SendMessage", "SQS:ReceiveMessage"], "Resource": arn(sqs, url)}]
    message = refused("InvalidParameterValue", sqs.add_permission, QueueUrl=url, Label="shared",
                      AWSAccountIds=["111122223333"], Actions=["*"])
    assert message == "Value shared for parameter Label is invalid. Reason: Already exists."
    sqs.remove_permission(QueueUrl=url, Label="shared")
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    message = refused("InvalidParameterValue", sqs.remove_permission, QueueUrl=url, Label="shared")
    assert message == "Value shared for parameter Label is invalid. Reason: can't find label."


def test_tags_are_set_replaced_and_taken_away(sqs):
    name = fresh("orders")
    url = sqs.create_queue(QueueName=name, tags={"team": "hotels", "empty": ""})["QueueUrl"]
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "hotels", "empty": ""}
    sqs.tag_queue(QueueUrl=url, Tags={"team": "bids", "stage": "prod"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["empty", "nobody"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "bids", "stage": "prod"}
    sqs.tag_queue(QueueUrl=url, Tags={f"k{i}": "v" for i in range(48)})
    with pytest.raises(ClientError):
        sqs.tag_queue(QueueUrl=url, Tags={"one": "more"})


def test_a_fair_queue_serves_quiet_groups_first(sqs):
    url = queue(sqs, VisibilityTimeout=43200)
    for i in range(0, 60, 10):
        sqs.send_message_batch(QueueUrl=url, Entries=[
            {"Id": f"{j}", "MessageBody": f"loud {i + j}", "MessageGroupId": "loud"} for j in range(10)])
    sqs.send_message(QueueUrl=url, MessageBody="calm", MessageGroupId="calm")
    for _ in range(3):
        assert {m["Body"].split()[0] for m in receive(sqs, url)} == {"loud"}
    got = receive(sqs, url, MessageSystemAttributeNames=["MessageGroupId"])
    assert (got[0]["Body"], got[0]["Attributes"]["MessageGroupId"]) == ("calm", "calm")
    assert {m["Attributes"]["MessageGroupId"] for m in got[1:]} == {"loud"}


def test_visibility_is_changed_shortened_and_bounded(sqs):
    url = queue(sqs, VisibilityTimeout=600)
    sqs.send_message(QueueUrl=url, MessageBody="b")
    handle = receive(sqs, url)[0]["ReceiptHandle"]
    refused("InvalidParameterValue", sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=handle,
            VisibilityTimeout=43201)
    wait(60)
    message = refused("InvalidParameterValue", sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=handle,
                      VisibilityTimeout=43200)
    assert "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]" in message
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    again = receive(sqs, url)[0]["ReceiptHandle"]
    assert again != handle
    # AWS lets the older handle act, too, as long as the message is there.
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    newest = receive(sqs, url)[0]["ReceiptHandle"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=newest)
    message = refused("InvalidParameterValue", sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=newest,
                      VisibilityTimeout=5)
    assert message.endswith("Message does not exist or is not available for visibility timeout change.")
    message = refused("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=url, ReceiptHandle="garbage")
    assert message == 'The input receipt handle "garbage" is not a valid receipt handle.'


def test_awss_words_for_ids_tags_and_attributes(sqs):
    url = queue(sqs)
    for value in ("", "a" * 129, "group 123"):
        message = refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="b", MessageGroupId=value)
        assert message == (
            f"Value {value} for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include "
            "alphanumeric and punctuation characters. 1 to 128 in length."
        )
    bell = {"a": {"DataType": "String", "StringValue": "\x07"}}
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="b", MessageAttributes=bell)
    accents = {"attr.1øßä": {"DataType": "String", "StringValue": "x"}}
    sqs.send_message(QueueUrl=url, MessageBody="b", MessageAttributes=accents)
    assert receive(sqs, url, MessageAttributeNames=["All"])[0]["MessageAttributes"] == accents
    assert refused("MissingParameter", sqs.tag_queue, QueueUrl=url, Tags={}).endswith("the parameter Tags.")
    message = refused("InvalidParameterValue", sqs.untag_queue, QueueUrl=url, TagKeys=[])
    assert message == "Tag keys must be between 1 and 128 characters in length."
    for name, value in (("DeduplicationScope", "queue"), ("FifoThroughputLimit", "perQueue")):
        message = refused("InvalidAttributeName", sqs.create_queue, QueueName="plain", Attributes={name: value})
        assert message == f"You can specify the {name} only when FifoQueue is set to true."
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_attributes, QueueUrl="http://nowhere")
    small = queue(sqs, MaximumMessageSize=1024)
    entries = [{"Id": "fits", "MessageBody": "a" * 1024}, {"Id": "long", "MessageBody": "a" * 1025}]
    answer = sqs.send_message_batch(QueueUrl=small, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["fits"]
    assert answer["Failed"] == [
        {
            "Id": "long",
            "SenderFault": True,
            "Code": "InvalidParameterValue",
            "Message": "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.",
        }
    ]


def test_taking_a_kms_key_away_does_not_bring_sqss_own_encryption_back(sqs):
    url = queue(sqs)

    def encryption():
        names = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"]
        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]

    assert encryption() == {"SqsManagedSseEnabled": "true"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "k", "KmsDataKeyReusePeriodSeconds": "6000"})
    expected = {"KmsMasterKeyId": "k", "KmsDataKeyReusePeriodSeconds": "6000", "SqsManagedSseEnabled": "false"}
    assert encryption() == expected
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "300"})
    assert encryption() == {"SqsManagedSseEnabled": "false"}
