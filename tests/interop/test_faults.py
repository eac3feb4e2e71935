"""Faults of the API as boto3 sees them: begun over `/_midwatch/fault`, met with AWS's codes, statuses and words, over in
their time, and nobody else's business."""

import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from conftest import REGION, boto_client, serving

ACCOUNT = "123456789012"


def post(url, path, body=""):
    request = urllib.request.Request(f"{url}/_midwatch/{path}", body.encode(), method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read().decode()


@pytest.fixture
def manual(midwatch):
    """An account whose time passes when it is told to."""
    with serving(midwatch, "--clock", "manual") as url:
        yield url


def fault(url, kind, target, **more):
    lines = [f'kind = "{kind}"', f'target = "{target}"'] + [f"{name} = {value}" for name, value in more.items()]
    post(url, "fault", "[[fault]]\n" + "\n".join(lines))


def refused(call, **arguments):
    """Code, status and message of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


@pytest.fixture
def estate(manual):
    sqs, kinesis, sns = (boto_client(name, manual) for name in ("sqs", "kinesis", "sns"))
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    kinesis.create_stream(StreamName="bids", ShardCount=1)
    post(manual, "advance?by=1m")
    topic = sns.create_topic(Name="promo")["TopicArn"]
    return manual, queue, topic


def test_a_throttling_storm_speaks_each_services_words_and_ends(estate):
    url, queue, topic = estate
    sqs, kinesis, sns = (boto_client(name, url) for name in ("sqs", "kinesis", "sns"))
    for service in ("sqs", "kinesis", "sns", "lambda", "dynamodb", "swf", "cloudwatch"):
        fault(url, "api-throttle", service, until='"5m"')
    assert refused(sqs.receive_message, QueueUrl=queue) == ("RequestThrottled", 403, "Request is throttled.")
    put = {"StreamName": "bids", "PartitionKey": "a", "Data": b"x"}
    code, status, message = refused(kinesis.put_record, **put)
    assert (code, status) == ("ProvisionedThroughputExceededException", 400)
    assert message == f"Rate exceeded for shard shardId-000000000000 in stream bids under account {ACCOUNT}."
    assert refused(kinesis.list_shards, StreamName="bids")[0] == "LimitExceededException"
    assert refused(sns.publish, TopicArn=topic, Message="m") == ("Throttled", 429, "Rate exceeded")
    with pytest.raises(ClientError) as caught:
        boto_client("lambda", url).list_functions()
    assert caught.value.response["Reason"] == "CallerRateLimitExceeded"
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
    assert refused(boto_client("dynamodb", url).get_item, TableName="t", Key={"a": {"S": "b"}})[0] == "RequestLimitExceeded"
    assert refused(boto_client("swf", url).list_domains, registrationStatus="REGISTERED")[:2] == ("ThrottlingException", 400)
    assert refused(boto_client("cloudwatch", url).list_metrics)[0] == "Throttling"
    assert boto_client("sts", url).get_caller_identity()["Account"] == ACCOUNT, "nobody else is concerned"
    assert boto_client("logs", url).describe_log_groups()["logGroups"] == []
    post(url, "advance?by=5m")
    assert "MessageId" in sqs.send_message(QueueUrl=queue, MessageBody="m")
    assert "SequenceNumber" in kinesis.put_record(**put)
    assert "MessageId" in sns.publish(TopicArn=topic, Message="m")


def test_denials_name_user_action_and_resource(estate):
    url, queue, topic = estate
    user = f"User: arn:aws:iam::{ACCOUNT}:user/midwatch is not authorized to perform:"
    no_policy = "because no identity-based policy allows the"
    fault(url, "api-denied", "sqs/orders", until='"5m"', operations='["ReceiveMessage"]')
    fault(url, "api-denied", "sns", until='"5m"')
    fault(url, "api-denied", "lambda", until='"5m"')
    fault(url, "api-denied", "kinesis/bids", until='"5m"')
    sqs = boto_client("sqs", url)
    assert refused(sqs.receive_message, QueueUrl=queue) == (
        "AccessDenied",
        403,
        f"{user} sqs:receivemessage on resource: arn:aws:sqs:{REGION}:{ACCOUNT}:orders {no_policy} sqs:receivemessage action",
    )
    assert "MessageId" in sqs.send_message(QueueUrl=queue, MessageBody="m"), "another operation"
    assert refused(boto_client("sns", url).publish, TopicArn=topic, Message="m") == (
        "AuthorizationError",
        403,
        f"{user} SNS:Publish on resource: {topic} {no_policy} SNS:Publish action",
    )
    code, status, message = refused(boto_client("lambda", url).invoke, FunctionName="fulfil")
    assert (code, status) == ("AccessDeniedException", 403)
    assert f"lambda:InvokeFunction on resource: arn:aws:lambda:{REGION}:{ACCOUNT}:function:fulfil" in message
    kinesis = boto_client("kinesis", url)
    code, status, message = refused(kinesis.describe_stream_summary, StreamName="bids")
    assert (code, status) == ("AccessDeniedException", 400)
    assert f"kinesis:DescribeStreamSummary on resource: arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/bids" in message
    kinesis.list_streams()
    post(url, "advance?by=10m")
    assert kinesis.describe_stream_summary(StreamName="bids")["StreamDescriptionSummary"]["OpenShardCount"] == 1
    events = boto_client("cloudtrail", url).lookup_events()["Events"]
    denied = [event for event in events if '"errorCode":"AccessDenied' in event["CloudTrailEvent"]]
    assert {event["EventName"] for event in denied} == {"DescribeStreamSummary"}, "data events are not in the history"


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("sqs", "list_queues", "ExpiredToken", 403),
        ("sns", "list_topics", "ExpiredToken", 403),
        ("sts", "get_caller_identity", "ExpiredToken", 403),
        ("iam", "list_account_aliases", "ExpiredToken", 403),
        ("cloudwatch", "list_metrics", "ExpiredToken", 403),
        ("lambda", "list_functions", "ExpiredTokenException", 403),
        ("kinesis", "list_streams", "ExpiredTokenException", 400),
        ("dynamodb", "list_tables", "ExpiredTokenException", 400),
    ],
)
def test_expired_credentials(manual, service, operation, code, status):
    client = boto_client(service, manual)
    fault(manual, "expired-credentials", service, until='"1m"')
    words = "The security token included in the request is expired"
    assert refused(getattr(client, operation)) == (code, status, words)
    post(manual, "advance?by=1m")
    getattr(client, operation)()


def test_a_slow_clock_and_a_broken_service(manual):
    sts, sqs = boto_client("sts", manual), boto_client("sqs", manual)
    fault(manual, "clock-skew", "sts", until='"1m"', skew='"30m"')
    code, status, message = refused(sts.get_caller_identity)
    assert (code, status) == ("SignatureDoesNotMatch", 403)
    assert message.startswith("Signature expired: ") and message.endswith(" - 5 min.)")
    for http, code in ((500, "InternalError"), (503, "ServiceUnavailable")):
        fault(manual, "api-error", "sqs", until='"1m"', status=http)
        assert refused(sqs.list_queues)[:2] == (code, http)
        post(manual, "advance?by=1m")
    assert sqs.list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_only_the_callers_that_are_meant_meet_it(manual):
    fault(manual, "api-denied", "sqs", who='"AKIAOTHER"')
    boto_client("sqs", manual).list_queues()
    other = boto3.client(
        "sqs", endpoint_url=manual, region_name=REGION, aws_access_key_id="AKIAOTHER", aws_secret_access_key="x"
    )
    assert refused(other.list_queues)[0] == "AccessDenied"


def test_a_hang_is_a_read_timeout_and_keeps_nobody_else_waiting(manual):
    impatient = boto3.client(
        "sqs",
        endpoint_url=manual,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=1),
    )
    fault(manual, "api-hang", "sqs", until='"5m"')
    with pytest.raises(ReadTimeoutError):
        impatient.list_queues()
    began = time.monotonic()
    boto_client("sts", manual).get_caller_identity()
    assert time.monotonic() - began < 1
    post(manual, "advance?by=5m")
    impatient.list_queues()


def test_latency_is_added_in_the_engines_time(fast_sim):
    sqs = boto_client("sqs", fast_sim)
    fault(fast_sim, "api-latency", "sqs", until='"1m"', latency="{ p50_ms = 10000, p99_ms = 10000 }")
    began = time.monotonic()
    sqs.list_queues()
    assert 0.4 < time.monotonic() - began < 3, "ten seconds at twenty times the speed"


def test_an_unreachable_service_closes_the_connection(manual):
    sqs = boto_client("sqs", manual)
    fault(manual, "unreachable", "sqs", until='"1m"')
    with pytest.raises((ConnectionClosedError, EndpointConnectionError)):
        sqs.list_queues()
    assert boto_client("sts", manual).get_caller_identity()["Account"] == ACCOUNT
    post(manual, "advance?by=1m")
    assert sqs.list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


ESTATE = """
[[template]]
name = "order"
text = "an order"
[[queue]]
name = "dead"
[[queue]]
name = "orders"
visibility_timeout_s = 30
dead_letter_queue = "dead"
max_receive_count = 2
[[stream]]
name = "bids"
shards = 1
[[function]]
name = "score"
base = { p50_ms = 20, p99_ms = 20 }
[[mapping]]
source = "kinesis/bids"
function = "score"
[[producer]]
name = "shop"
target = "sqs/orders"
per_s = 2.0
template = "order"
[[producer]]
name = "market"
target = "kinesis/bids"
per_s = 10.0
template = "order"
[[worker]]
name = "packers"
queue = "orders"
concurrency = 20
service = { p50_ms = 500, p99_ms = 500 }
[[caller]]
name = "web"
function = "score"
per_s = 2.0
timeout_ms = 1000
"""


def tallies(url):
    with urllib.request.urlopen(f"{url}/_midwatch/ledger", timeout=20) as answer:
        ledger = json.loads(answer.read())
    return {entry["name"]: entry["counts"] for entry in ledger["applications"]}, ledger["expired"]


def test_applications_fail_and_recover_as_their_resources_do(manual):
    post(manual, "scenario", ESTATE)
    post(manual, "advance?by=5m")
    sqs, functions = boto_client("sqs", manual), boto_client("lambda", manual)
    dead = sqs.get_queue_url(QueueName="dead")["QueueUrl"]

    def depth():
        return sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]

    assert depth()["ApproximateNumberOfMessages"] == "0"
    fault(manual, "poison-payload", "sqs/orders", payload='"nobody can read this"')
    fault(manual, "deny", "lambda/score", action='"kinesis:GetRecords"', until='"5m"')
    fault(manual, "latency", "lambda/score", latency="{ p50_ms = 2000, p99_ms = 2000 }", until='"5m"')
    before, _ = tallies(manual)
    post(manual, "advance?by=4m")
    assert depth()["ApproximateNumberOfMessages"] == "1"
    letter = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"])["Messages"][0]
    assert letter["Body"] == "nobody can read this"
    mapping = functions.list_event_source_mappings(FunctionName="score")["EventSourceMappings"][0]
    assert mapping["LastProcessingResult"] == "PROBLEM: Access denied"
    during, _ = tallies(manual)
    assert during["web"]["timeouts"] - before["web"]["timeouts"] > 900, "three tries of each of two requests a second"
    post(manual, "advance?by=10m")
    mapping = functions.list_event_source_mappings(FunctionName="score")["EventSourceMappings"][0]
    assert mapping["LastProcessingResult"] == "OK"
    after, expired = tallies(manual)
    web, shop = after["web"], after["shop"]
    assert web["answered"] > during["web"]["answered"] + 500
    assert (shop["made"], shop["lost"], expired) == (shop["stored"], 0, [])


def test_a_short_visibility_is_a_change_in_the_history_and_makes_duplicates(manual):
    post(manual, "scenario", ESTATE)
    fault(manual, "visibility-short", "sqs/orders", visibility_s=1, until='"10m"')
    fault(manual, "stop", "packers")
    sqs = boto_client("sqs", manual)
    queue = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    sent = sqs.send_message(QueueUrl=queue, MessageBody="once")["MessageId"]
    for _ in range(2):
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)["Messages"]
        assert sent in [message["MessageId"] for message in received]
        post(manual, "advance?by=2s")
    post(manual, "advance?by=10m")
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert attributes == {"VisibilityTimeout": "30"}
    post(manual, "advance?by=10m")
    events = boto_client("cloudtrail", manual).lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "SetQueueAttributes"}]
    )["Events"]
    assert [event["Username"] for event in events] == ["ci-deploy", "ci-deploy"]


def test_what_a_service_refuses_is_told_with_what_is_there_now(manual):
    text = '[[stream]]\nname = "bids"\nshards = 1\n[[queue]]\nname = "no name"\n'
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(manual, "scenario", text)
    said = json.loads(caught.value.read())
    assert caught.value.code == 400 and "queue `no name`" in said["errors"][0]
    assert "which is stream `bids`; or reset the account" in said["cure"]
    assert boto_client("kinesis", manual).list_streams()["StreamNames"] == ["bids"]


def get(url, path):
    with urllib.request.urlopen(f"{url}/_midwatch/{path}", timeout=20) as answer:
        return json.load(answer)


def test_faults_are_listed_and_ended_by_name(estate):
    url, queue, topic = estate
    sqs, sns = boto_client("sqs", url), boto_client("sns", url)
    fault(url, "api-error", "sqs/orders", name='"storm"')
    fault(url, "api-denied", "sns", until='"1h"')
    fault(url, "api-error", "kinesis", name='"later"', at='"10m"')
    found = {one["name"]: one for one in get(url, "faults")["faults"]}
    assert {name: one["state"] for name, one in found.items()} == {"storm": "on", "api-denied": "on", "later": "to come"}
    assert found["storm"]["target"] == "sqs/orders" and found["storm"]["until"] is None
    assert found["storm"]["kind"] == "api-error" and found["api-denied"]["until"] is not None
    assert refused(sqs.send_message, QueueUrl=queue, MessageBody="m")[1] == 500
    assert json.loads(post(url, "end?fault=storm"))["ended"] == 1
    assert "MessageId" in sqs.send_message(QueueUrl=queue, MessageBody="m")
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(url, "end?fault=latre")
    answer = json.load(caught.value)
    assert (caught.value.code, answer["errors"]) == (404, ["no fault `latre` is on or to come"])
    assert answer["cure"].startswith("did you mean `later`?")
    assert json.loads(post(url, "end"))["ended"] == 2
    assert get(url, "faults")["faults"] == []
    assert "MessageId" in sns.publish(TopicArn=topic, Message="m")


def test_ending_a_fault_lets_go_what_hangs(midwatch):
    with serving(midwatch) as url:
        sqs = boto_client("sqs", url)
        fault(url, "api-hang", "sqs", operations='["ListQueues"]')
        with ThreadPoolExecutor() as pool:
            hanging = pool.submit(sqs.list_queues)
            time.sleep(0.5)
            assert not hanging.done()
            post(url, "end?fault=api-hang")
            assert hanging.result(timeout=5)["ResponseMetadata"]["HTTPStatusCode"] == 200


SERVICES = (
    "kinesis",
    "sqs",
    "sns",
    "lambda",
    "dynamodb",
    "firehose",
    "swf",
    "cloudwatch",
    "cloudtrail",
    "logs",
    "sts",
    "iam",
    "resourcegroupstaggingapi",
)


def is_served(client, operation):
    """Whether the service has the operation here: a request without members is answered with anything but that."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    members = shape.members.items() if shape else []
    in_path = [(name, member) for name, member in members if member.serialization.get("location") == "uri"]
    arguments = {name: 1 if member.type_name in ("long", "integer") else "x" for name, member in in_path}
    if shape and "RequestItems" in shape.members:
        arguments["RequestItems"] = {}
    try:
        getattr(client, xform_name(operation))(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] not in ("UnknownOperationException", "InvalidAction", "404")
    except ReadTimeoutError:
        return True
    return True


@pytest.mark.parametrize("service", SERVICES)
def test_a_fault_may_be_of_each_operation_that_is_served_and_of_no_other(manual, service):
    patient = Config(parameter_validation=False, retries={"total_max_attempts": 1}, read_timeout=3, inject_host_prefix=False)
    client = boto_client(service, manual, config=patient)
    for operation in client.meta.service_model.operation_names:
        served = is_served(client, operation)
        toml = f'[[fault]]\nkind = "api-error"\ntarget = "{service}"\noperations = ["{operation}"]\nat = "400d"'
        try:
            post(manual, "fault", toml)
            taken = True
        except urllib.error.HTTPError as error:
            assert f"no `{operation}` that `{service}` has here" in json.load(error)["errors"][0]
            taken = False
        assert taken == served, operation
