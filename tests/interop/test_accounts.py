"""Several accounts at one engine, with boto3: queues and topics of one that serve callers of another, as their policies
say."""

import io
import json
import time
import zipfile

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import REGION, serving

OWNER, GUEST, STRANGER = "111122223333", "444455556666", "777788889999"


def client(url, service, account):
    return boto3.client(
        service, endpoint_url=url, region_name=REGION, aws_access_key_id=account, aws_secret_access_key="x"
    )


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_a_shared_queue_is_found_filled_and_read_by_a_guest(sim):
    owner, guest, stranger = (client(sim, "sqs", account) for account in (OWNER, GUEST, STRANGER))
    url = owner.create_queue(QueueName="shared")["QueueUrl"]
    status, code, message = refused(guest.send_message, QueueUrl=url, MessageBody="m")
    assert (status, code) == (403, "AccessDenied")
    assert message == (
        f"User: arn:aws:iam::{GUEST}:user/midwatch is not authorized to perform: sqs:sendmessage on resource: "
        f"arn:aws:sqs:{REGION}:{OWNER}:shared because no resource-based policy allows the sqs:sendmessage action"
    )
    assert refused(guest.get_queue_url, QueueName="shared", QueueOwnerAWSAccountId=OWNER)[1] == (
        "AWS.SimpleQueueService.NonExistentQueue"
    )
    owner.add_permission(QueueUrl=url, Label="guest", AWSAccountIds=[GUEST], Actions=["*"])
    assert guest.get_queue_url(QueueName="shared", QueueOwnerAWSAccountId=OWNER)["QueueUrl"] == url
    sent = guest.send_message(QueueUrl=url, MessageBody="from a guest")["MessageId"]
    received = guest.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"][0]
    assert (received["MessageId"], received["Body"]) == (sent, "from a guest")
    guest.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    depth = guest.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (depth["ApproximateNumberOfMessages"], depth["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")
    # No policy gives these away.
    assert refused(guest.delete_queue, QueueUrl=url)[1] == "AccessDenied"
    assert refused(guest.tag_queue, QueueUrl=url, Tags={"a": "b"})[1] == "AccessDenied"
    assert refused(stranger.receive_message, QueueUrl=url)[1] == "AccessDenied"
    assert "QueueUrls" not in guest.list_queues()


def test_a_guest_subscribes_its_queue_to_a_topic_and_hears_of_it(sim):
    sns, queues, guest = client(sim, "sns", OWNER), client(sim, "sqs", GUEST), client(sim, "sns", GUEST)
    topic = sns.create_topic(Name="news")["TopicArn"]
    url = queues.create_queue(QueueName="told")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{GUEST}:told"
    policy = (
        '{"Statement": {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",'
        f' "Resource": "{arn}", "Condition": {{"ArnEquals": {{"aws:SourceArn": "{topic}"}}}}}}}}'
    )
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    assert refused(guest.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=arn)[:2] == (403, "AuthorizationError")
    sns.add_permission(TopicArn=topic, Label="guest", AWSAccountId=[GUEST], ActionName=["Subscribe"])
    subscription = guest.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    assert subscription.startswith(f"{topic}:")
    assert sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]["Owner"] == GUEST
    assert refused(guest.publish, TopicArn=topic, Message="m")[:2] == (403, "AuthorizationError")
    sns.publish(TopicArn=topic, Message="hello")
    assert '"hello"' in queues.receive_message(QueueUrl=url, WaitTimeSeconds=2)["Messages"][0]["Body"]
    guest.unsubscribe(SubscriptionArn=subscription)
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def let_in(queues, url, arn, topic):
    """Gives a queue the policy that lets a topic send to it."""
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    statement |= {"Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": statement})})


def bodies(queues, url):
    messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
    for message in messages:
        queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]


def test_a_queue_that_another_account_subscribes_is_asked_first(sim):
    sns, queues, guest = client(sim, "sns", OWNER), client(sim, "sqs", GUEST), client(sim, "sns", GUEST)
    topic = sns.create_topic(Name="asked")["TopicArn"]
    url = queues.create_queue(QueueName="asked")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{GUEST}:asked"
    let_in(queues, url, arn, topic)
    assert sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"] == "pending confirmation"
    [listed] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (listed["SubscriptionArn"], listed["Owner"]) == ("PendingConfirmation", OWNER)
    [asked] = bodies(queues, url)
    assert asked["Type"] == "SubscriptionConfirmation" and asked["TopicArn"] == topic
    assert "Action=ConfirmSubscription" in asked["SubscribeURL"] and asked["Token"] in asked["SubscribeURL"]
    sns.publish(TopicArn=topic, Message="too early")
    assert bodies(queues, url) == []
    confirmed = guest.confirm_subscription(TopicArn=topic, Token=asked["Token"])["SubscriptionArn"]
    assert confirmed.startswith(f"{topic}:")
    sns.publish(TopicArn=topic, Message="now")
    assert [letter["Message"] for letter in bodies(queues, url)] == ["now"]


def test_an_account_lists_the_subscriptions_that_it_has_made(sim):
    sns, guest = client(sim, "sns", OWNER), client(sim, "sns", GUEST)
    topic = sns.create_topic(Name="listed")["TopicArn"]
    sns.add_permission(TopicArn=topic, Label="g", AWSAccountId=[GUEST], ActionName=["Subscribe", "Publish"])
    mine = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{OWNER}:q")["SubscriptionArn"]
    theirs = guest.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{GUEST}:q")[
        "SubscriptionArn"
    ]

    def listed(sns):
        pages = sns.get_paginator("list_subscriptions").paginate()
        return [s["SubscriptionArn"] for page in pages for s in page["Subscriptions"] if s["TopicArn"] == topic]

    assert (listed(sns), listed(guest)) == ([mine], [theirs])
    by_topic = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert {s["SubscriptionArn"]: s["Owner"] for s in by_topic} == {mine: OWNER, theirs: GUEST}
    assert refused(guest.unsubscribe, SubscriptionArn=mine)[:2] == (403, "AuthorizationError")
    sns.unsubscribe(SubscriptionArn=theirs)
    assert listed(guest) == [], "the topic's owner may"


def policy_of(arn, principal, actions, effect="Allow"):
    statement = {"Effect": effect, "Principal": {"AWS": principal}, "Action": actions, "Resource": arn}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def stream_of(owner, name):
    owner.create_stream(StreamName=name, ShardCount=1)
    owner.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return owner.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]


def test_a_guest_writes_to_and_reads_from_a_stream_that_is_shared_with_it(sim):
    owner, guest, stranger = (client(sim, "kinesis", account) for account in (OWNER, GUEST, STRANGER))
    arn = stream_of(owner, "shared-stream")
    record = {"StreamARN": arn, "PartitionKey": "k", "Data": b"from a guest"}
    status, code, message = refused(guest.put_record, **record)
    assert (status, code) == (400, "AccessDeniedException")
    assert message == (
        f"User: arn:aws:iam::{GUEST}:user/midwatch is not authorized to perform: kinesis:PutRecord on resource: {arn} "
        "because no resource-based policy allows the kinesis:PutRecord action"
    )
    actions = ["kinesis:PutRecord", "kinesis:PutRecords", "kinesis:ListShards", "kinesis:GetShardIterator"]
    actions += ["kinesis:GetRecords", "kinesis:DescribeStreamSummary"]
    owner.put_resource_policy(ResourceARN=arn, Policy=policy_of(arn, GUEST, actions))
    put = guest.put_record(**record)
    guest.put_records(StreamARN=arn, Records=[{"PartitionKey": "k", "Data": b"another"}])
    [shard] = guest.list_shards(StreamARN=arn)["Shards"]
    assert shard["ShardId"] == put["ShardId"]
    iterator = guest.get_shard_iterator(
        StreamARN=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = guest.get_records(StreamARN=arn, ShardIterator=iterator)["Records"]
    assert [record["Data"] for record in records] == [b"from a guest", b"another"]
    assert refused(guest.delete_stream, StreamARN=arn)[1] == "AccessDeniedException"
    assert refused(stranger.put_record, **record)[1] == "AccessDeniedException"
    assert guest.list_streams()["StreamNames"] == []


def test_a_guest_is_pushed_what_a_shared_consumer_is(sim):
    owner, guest = client(sim, "kinesis", OWNER), client(sim, "kinesis", GUEST)
    arn = stream_of(owner, "pushed-stream")
    consumer = owner.register_stream_consumer(StreamARN=arn, ConsumerName="c")["Consumer"]["ConsumerARN"]
    while owner.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]["ConsumerStatus"] != "ACTIVE":
        time.sleep(0.5)
    start = {"ShardId": "shardId-000000000000", "StartingPosition": {"Type": "TRIM_HORIZON"}}
    status, code, message = refused(guest.subscribe_to_shard, ConsumerARN=consumer, **start)
    assert code == "AccessDeniedException" and f"kinesis:SubscribeToShard on resource: {consumer} " in message
    actions = ["kinesis:SubscribeToShard", "kinesis:DescribeStreamConsumer"]
    owner.put_resource_policy(ResourceARN=consumer, Policy=policy_of(consumer, GUEST, actions))
    assert guest.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]["StreamARN"] == arn
    owner.put_record(StreamARN=arn, PartitionKey="k", Data=b"pushed")
    for event in guest.subscribe_to_shard(ConsumerARN=consumer, **start)["EventStream"]:
        if records := event["SubscribeToShardEvent"]["Records"]:
            assert [record["Data"] for record in records] == [b"pushed"]
            break


def test_a_streams_own_account_is_bound_by_its_denial(sim):
    owner = client(sim, "kinesis", OWNER)
    arn = stream_of(owner, "denied-stream")
    owner.put_resource_policy(ResourceARN=arn, Policy=policy_of(arn, "*", "kinesis:PutRecord", effect="Deny"))
    status, code, message = refused(owner.put_record, StreamName="denied-stream", PartitionKey="k", Data=b"")
    assert code == "AccessDeniedException" and message.endswith("with an explicit deny in a resource-based policy")
    owner.delete_resource_policy(ResourceARN=arn)
    owner.put_record(StreamName="denied-stream", PartitionKey="k", Data=b"")


def client_account(of):
    """The account that a client's key names."""
    return of._request_signer._credentials.access_key


def function_of(owner, name):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return event")
    role = f"arn:aws:iam::{client_account(owner)}:role/lambda"
    made = owner.create_function(
        FunctionName=name, Runtime="python3.13", Role=role, Handler="app.handler", Code={"ZipFile": code.getvalue()}
    )
    owner.get_waiter("function_active_v2").wait(FunctionName=name)
    return made["FunctionArn"]


def test_a_guest_invokes_a_function_that_lets_it(sim):
    owner, guest, stranger = (client(sim, "lambda", account) for account in (OWNER, GUEST, STRANGER))
    arn = function_of(owner, "shared-function")
    status, code, message = refused(guest.invoke, FunctionName=arn)
    assert (status, code) == (403, "AccessDeniedException")
    assert message == (
        f"User: arn:aws:iam::{GUEST}:user/midwatch is not authorized to perform: lambda:InvokeFunction on resource: "
        f"{arn} because no resource-based policy allows the lambda:InvokeFunction action"
    )
    owner.add_permission(
        FunctionName="shared-function", StatementId="guest", Action="lambda:InvokeFunction", Principal=GUEST
    )
    answer = guest.invoke(FunctionName=arn, Payload=b"{}")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert refused(guest.get_function, FunctionName=arn)[:2] == (403, "AccessDeniedException")
    assert refused(guest.delete_function, FunctionName=arn)[:2] == (403, "AccessDeniedException")
    assert refused(stranger.invoke, FunctionName=arn)[:2] == (403, "AccessDeniedException")
    assert guest.list_functions()["Functions"] == []
    owner.publish_version(FunctionName="shared-function")
    owner.create_alias(FunctionName="shared-function", Name="live", FunctionVersion="1")
    assert refused(guest.invoke, FunctionName=f"{arn}:live")[:2] == (403, "AccessDeniedException")
    owner.add_permission(
        FunctionName="shared-function",
        Qualifier="live",
        StatementId="guest",
        Action="lambda:InvokeFunction",
        Principal=f"arn:aws:iam::{GUEST}:root",
    )
    assert guest.invoke(FunctionName=f"{arn}:live")["ExecutedVersion"] == "1"


def test_a_whole_policy_of_a_function_denies_even_its_owner(sim):
    owner, guest = client(sim, "lambda", OWNER), client(sim, "lambda", GUEST)
    arn = function_of(owner, "denied-function")
    allowed = policy_of(arn, GUEST, "lambda:InvokeFunction")
    put = owner.put_resource_policy(ResourceArn=arn, Policy=allowed)
    assert json.loads(put["Policy"]) == json.loads(allowed)
    assert guest.invoke(FunctionName=arn)["StatusCode"] == 200
    denied = policy_of(arn, "*", "lambda:InvokeFunction", effect="Deny")
    owner.put_resource_policy(ResourceArn=arn, Policy=denied, RevisionId=put["RevisionId"])
    status, code, message = refused(owner.invoke, FunctionName="denied-function")
    assert (status, code) == (403, "AccessDeniedException")
    assert message.endswith("with an explicit deny in a resource-based policy")
    assert refused(owner.delete_resource_policy, ResourceArn=arn, RevisionId=put["RevisionId"])[0] == 412
    owner.delete_resource_policy(ResourceArn=arn)
    assert refused(owner.get_resource_policy, ResourceArn=arn)[:2] == (404, "ResourceNotFoundException")
    assert owner.invoke(FunctionName="denied-function")["StatusCode"] == 200


def test_a_topic_of_another_account_invokes_a_function_that_lets_it(sim):
    owner, sns = client(sim, "lambda", OWNER), client(sim, "sns", GUEST)
    arn = function_of(owner, "told-function")
    topic = sns.create_topic(Name="to-a-function")["TopicArn"]
    owner.add_permission(
        FunctionName="told-function",
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    assert sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)["SubscriptionArn"].startswith(topic)
    logs = client(sim, "logs", OWNER)
    sns.publish(TopicArn=topic, Message="from another account")
    for _ in range(40):
        if logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/told-function")["logGroups"]:
            break
        time.sleep(0.25)
    events = logs.filter_log_events(logGroupName="/aws/lambda/told-function")["events"]
    assert any(event["message"].startswith("REPORT") for event in events)


def until(ready, seconds=20):
    for _ in range(seconds * 4):
        if found := ready():
            return found
        time.sleep(0.25)
    raise AssertionError("it does not come to that")


def test_a_function_works_on_another_accounts_queue_that_lets_its_role(sim):
    guest, queues = client(sim, "lambda", GUEST), client(sim, "sqs", OWNER)
    function_of(guest, "worker")
    url = queues.create_queue(QueueName="worked", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{OWNER}:worked"
    mapped = {"FunctionName": "worker", "EventSourceArn": arn, "BatchSize": 5}
    status, code, message = refused(guest.create_event_source_mapping, **mapped)
    assert (status, code) == (400, "InvalidParameterValueException")
    assert message == "The function execution role does not have permissions to call ReceiveMessage on SQS"
    missing = refused(guest.create_event_source_mapping, FunctionName="worker", EventSourceArn=f"{arn}-not")
    assert "AWS.SimpleQueueService.NonExistentQueue" in missing[2]
    role = f"arn:aws:iam::{GUEST}:role/lambda"
    actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy_of(arn, role, actions)})
    made = guest.create_event_source_mapping(**mapped)
    assert (made["EventSourceArn"], made["BatchSize"]) == (arn, 5)
    until(lambda: guest.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled")
    for number in range(12):
        queues.send_message(QueueUrl=url, MessageBody=f'{{"number": {number}}}')

    def depth():
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return list(queues.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values())

    until(lambda: depth() == ["0", "0"])
    logs = client(sim, "logs", GUEST)
    events = logs.filter_log_events(logGroupName="/aws/lambda/worker", filterPattern="REPORT")["events"]
    assert len(events) >= 3, "twelve messages are three batches of five at least"
    [listed] = guest.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    assert listed["UUID"] == made["UUID"]
    queues.delete_queue(QueueUrl=url)
    until(lambda: guest.get_event_source_mapping(UUID=made["UUID"])["State"] == "Disabled")


@pytest.fixture(scope="module")
def hasty(midwatch):
    """Time runs 600 times as fast: the minutes that CloudTrail takes pass in a second."""
    with serving(midwatch, "--speed", "600") as url:
        yield url


def records_of(url, account, name):
    trail = client(url, "cloudtrail", account)
    wanted = [{"AttributeKey": "EventName", "AttributeValue": name}]
    for _ in range(60):
        if events := trail.lookup_events(LookupAttributes=wanted)["Events"]:
            return [json.loads(event["CloudTrailEvent"]) for event in events]
        time.sleep(0.5)
    raise AssertionError(f"{account} has no event {name}")


def test_both_accounts_have_an_event_of_a_call_across_them(hasty):
    owner, guest = client(hasty, "kinesis", OWNER), client(hasty, "kinesis", GUEST)
    arn = stream_of(owner, "watched-stream")
    actions = ["kinesis:DescribeStreamSummary", "kinesis:PutRecord"]
    owner.put_resource_policy(ResourceARN=arn, Policy=policy_of(arn, GUEST, actions))
    refused(guest.list_shards, StreamARN=arn)
    guest.describe_stream_summary(StreamARN=arn)
    guest.put_record(StreamARN=arn, PartitionKey="k", Data=b"")
    [theirs] = records_of(hasty, GUEST, "DescribeStreamSummary")
    # The owner's own calls of that name are told of, too, each in its time.
    [mine] = until(
        lambda: [r for r in records_of(hasty, OWNER, "DescribeStreamSummary") if "sharedEventID" in r], seconds=30
    )
    assert mine["sharedEventID"] == theirs["sharedEventID"] and mine["eventID"] != theirs["eventID"]
    assert (mine["recipientAccountId"], theirs["recipientAccountId"]) == (OWNER, GUEST)
    assert mine["userIdentity"].keys() == {"type", "principalId", "accountId"}
    assert (mine["userIdentity"]["type"], mine["userIdentity"]["accountId"]) == ("AWSAccount", GUEST)
    assert theirs["userIdentity"]["arn"] == f"arn:aws:iam::{GUEST}:user/midwatch"
    [denied] = records_of(hasty, GUEST, "ListShards")
    assert denied["errorCode"] == "AccessDeniedException" and "sharedEventID" not in denied
    trail = client(hasty, "cloudtrail", OWNER)
    for name in ["ListShards", "PutRecord"]:
        wanted = [{"AttributeKey": "EventName", "AttributeValue": name}]
        assert trail.lookup_events(LookupAttributes=wanted)["Events"] == []
