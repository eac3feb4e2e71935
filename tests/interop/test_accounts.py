"""Several accounts at one engine, with boto3: queues and topics of one that serve callers of another, as their policies
say."""

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import REGION

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
