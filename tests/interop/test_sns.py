"""SNS through boto3: topics, subscriptions, filters, what arrives where, and what AWS says to mistakes."""

import http.server
import json
import threading
import urllib.request

import pytest
from botocore.exceptions import ClientError
from test_boto3 import ACCOUNT, REGION, client, fresh, package, refused, serve, until


@pytest.fixture(scope="module")
def endpoint():
    yield from serve()


@pytest.fixture(scope="module")
def fast_endpoint():
    """Time runs twenty times as fast, for retries that take AWS twenty seconds."""
    yield from serve("--speed", "20")


@pytest.fixture(scope="module")
def sns(endpoint):
    return client(endpoint, "sns")


@pytest.fixture(scope="module")
def sqs(endpoint):
    return client(endpoint, "sqs")


@pytest.fixture
def topic(sns):
    arn = sns.create_topic(Name=fresh("news"))["TopicArn"]
    yield arn
    sns.delete_topic(TopicArn=arn)


def queue(sqs, suffix="", **attributes):
    url = sqs.create_queue(QueueName=fresh("inbox") + suffix, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def received(sqs, url, **more):
    """All that is there now; it is deleted."""
    asked = {"MessageAttributeNames": ["All"], "AttributeNames": ["All"], "MaxNumberOfMessages": 10} | more
    messages = sqs.receive_message(QueueUrl=url, **asked).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return messages


def subscribed(sns, topic, queue_arn, **attributes):
    return sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes=attributes)["SubscriptionArn"]


# --- Topics ------------------------------------------------------------------------------------------------------


def test_a_new_topic_has_awss_attributes(sns, topic):
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    policy = json.loads(attributes.pop("Policy"))
    assert policy["Statement"][0]["Resource"] == topic
    assert policy["Statement"][0]["Condition"] == {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}
    effective = json.loads(attributes.pop("EffectiveDeliveryPolicy"))
    assert effective["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 3
    assert attributes == {
        "DisplayName": "",
        "Owner": ACCOUNT,
        "SubscriptionsConfirmed": "0",
        "SubscriptionsDeleted": "0",
        "SubscriptionsPending": "0",
        "TopicArn": topic,
    }


def test_topics_are_listed_tagged_and_permitted(sns, topic):
    pages = sns.get_paginator("list_topics").paginate()
    assert {"TopicArn": topic} in [found for page in pages for found in page["Topics"]]
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "k1", "Value": "v1"}, {"Key": "k2", "Value": "v2"}])
    sns.untag_resource(ResourceArn=topic, TagKeys=["k1"])
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "k2", "Value": "v2"}]
    twice = [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]
    message = refused("InvalidParameter", sns.tag_resource, ResourceArn=topic, Tags=twice)
    assert message == "Invalid parameter: Duplicated keys are not allowed."
    sns.add_permission(TopicArn=topic, Label="friends", AWSAccountId=["111122223333"], ActionName=["Publish"])
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    assert policy["Statement"][1]["Sid"] == "friends" and policy["Statement"][1]["Action"] == "SNS:Publish"
    sns.remove_permission(TopicArn=topic, Label="friends")


def test_a_delivery_policy_is_checked_and_taken_away(sns, topic):
    def attributes():
        return sns.get_topic_attributes(TopicArn=topic)["Attributes"]

    def put(value):
        sns.set_topic_attributes(TopicArn=topic, AttributeName="DeliveryPolicy", AttributeValue=value)

    put(json.dumps({"http": {"defaultHealthyRetryPolicy": {"minDelayTarget": 5, "maxDelayTarget": 6, "numRetries": 1}}}))
    effective = json.loads(attributes()["EffectiveDeliveryPolicy"])
    assert effective["http"]["defaultHealthyRetryPolicy"] == {
        "minDelayTarget": 5,
        "maxDelayTarget": 6,
        "numRetries": 1,
        "numMaxDelayRetries": 0,
        "numNoDelayRetries": 0,
        "numMinDelayRetries": 0,
        "backoffFunction": "linear",
    }
    with pytest.raises(ClientError) as caught:
        put(json.dumps({"http": {"defaultHealthyRetryPolicy": {"numRetries": 101}}}))
    assert caught.value.response["Error"]["Message"] == (
        "Invalid parameter: DeliveryPolicy: http.defaultHealthyRetryPolicy.numRetries must be less than or equal to 100"
    )
    put("")
    assert "DeliveryPolicy" not in attributes()


# --- Delivery ----------------------------------------------------------------------------------------------------


def test_an_envelope_arrives_in_the_queue(sns, sqs, topic):
    url, arn = queue(sqs)
    subscription = subscribed(sns, topic, arn)
    attributes = {
        "kind": {"DataType": "String", "StringValue": "sale"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x02\x03\x04"},
    }
    sent = sns.publish(TopicArn=topic, Message="hello", Subject="Hi", MessageAttributes=attributes)
    message = received(sqs, url)[0]
    assert "MessageAttributes" not in message
    body = json.loads(message["Body"])
    assert list(body) == [
        "Type",
        "MessageId",
        "TopicArn",
        "Subject",
        "Message",
        "Timestamp",
        "SignatureVersion",
        "Signature",
        "SigningCertURL",
        "UnsubscribeURL",
        "MessageAttributes",
    ]
    assert (body["Type"], body["MessageId"], body["Message"]) == ("Notification", sent["MessageId"], "hello")
    assert body["UnsubscribeURL"].endswith(f"/?Action=Unsubscribe&SubscriptionArn={subscription}")
    assert body["MessageAttributes"] == {
        "kind": {"Type": "String", "Value": "sale"},
        "raw": {"Type": "Binary", "Value": "AgME"},
    }


def test_raw_messages_keep_their_attributes(sns, sqs, topic):
    url, arn = queue(sqs)
    subscribed(sns, topic, arn, RawMessageDelivery="true")
    attributes = {"attr1": {"DataType": "Number", "StringValue": "99.12"}}
    sns.publish(TopicArn=topic, Message="Test msg", MessageAttributes=attributes)
    message = received(sqs, url)[0]
    assert message["Body"] == "Test msg"
    assert message["MD5OfMessageAttributes"] == "d302007e9aa062660afc85fd0a482472"
    assert message["MessageAttributes"] == attributes


def test_the_unsubscribe_link_works_without_a_signature(sns, sqs, topic):
    url, arn = queue(sqs)
    subscribed(sns, topic, arn)
    sns.publish(TopicArn=topic, Message="hello")
    link = json.loads(received(sqs, url)[0]["Body"])["UnsubscribeURL"]
    with urllib.request.urlopen(link) as answer:
        assert answer.status == 200 and b"<UnsubscribeResponse" in answer.read()
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsDeleted"] == "1"


def test_filter_policies_choose_by_attributes_and_by_body(sns, sqs, topic):
    url, arn = queue(sqs)
    policy = json.dumps({"price": [{"numeric": [">", 0, "<=", 100]}]})
    subscription = subscribed(sns, topic, arn, FilterPolicy=policy, RawMessageDelivery="true")
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert (attributes["FilterPolicy"], attributes["FilterPolicyScope"]) == (policy, "MessageAttributes")

    def send(message, price):
        value = {"price": {"DataType": "Number", "StringValue": price}}
        sns.publish(TopicArn=topic, Message=message, MessageAttributes=value)

    send("wanted", "99")
    send("too dear", "111")
    assert [message["Body"] for message in received(sqs, url)] == ["wanted"]

    def put(name, value):
        sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName=name, AttributeValue=value)

    put("FilterPolicyScope", "MessageBody")
    put("FilterPolicy", json.dumps({"order": {"total": [{"numeric": [">=", 1000]}]}, "who": [{"anything-but": "bot"}]}))
    for body in ({"order": {"total": 1000}, "who": "me"}, {"order": {"total": 999}, "who": "me"}, {"order": {"total": 2000}, "who": "bot"}):
        sns.publish(TopicArn=topic, Message=json.dumps(body))
    assert [json.loads(message["Body"])["order"]["total"] for message in received(sqs, url)] == [1000]
    put("FilterPolicy", "")
    assert "FilterPolicy" not in sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]


def test_mistakes_in_filter_policies_are_told_as_aws_tells_them(sns, topic):
    def mistake(policy, **attributes):
        values = {"FilterPolicy": json.dumps(policy)} | attributes
        with pytest.raises(ClientError) as caught:
            sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+4915123456", Attributes=values)
        return caught.value.response["Error"]["Message"]

    text = mistake({"key": [{"suffix": "value", "prefix": "value2"}]})
    assert text.split("\n")[0] == (
        "Invalid parameter: Attributes Reason: FilterPolicy: Only one key allowed in match expression"
    )
    assert text.endswith("line: 1, column: 37]")
    assert mistake({"object": {"key": ["x"]}}) == (
        "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy"
    )
    assert mistake({"key": [f"value{n}" for n in range(151)]}) == (
        "Invalid parameter: Attributes Reason: FilterPolicy: Filter policy is too complex"
    )
    assert mistake({"key": ["x"]}, FilterPolicyScope="RandomValue") == (
        "Invalid parameter: Attributes Reason: FilterPolicyScope: Invalid value [RandomValue]. Please use either "
        "MessageBody or MessageAttributes"
    )


def test_a_batch_reaches_the_queue_and_its_failures_are_told_by_entry(sns, sqs, topic):
    url, arn = queue(sqs)
    subscribed(sns, topic, arn, RawMessageDelivery="true")
    entries = [{"Id": str(n), "Message": f"message {n}"} for n in range(3)]
    entries[1]["Subject"] = "no\nline breaks"
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["0", "2"]
    assert answer["Failed"] == [
        {"Id": "1", "Code": "InvalidParameter", "Message": "Invalid parameter: Subject", "SenderFault": True}
    ]
    assert sorted(message["Body"] for message in received(sqs, url)) == ["message 0", "message 2"]
    twice = [{"Id": "1", "Message": "a"}, {"Id": "1", "Message": "b"}]
    message = refused("BatchEntryIdsNotDistinct", sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=twice)
    assert message == "Two or more batch entries in the request have the same Id."
    many = [{"Id": str(n), "Message": "m"} for n in range(11)]
    refused("TooManyEntriesInBatchRequest", sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=many)
    large = [{"Id": str(n), "Message": "m" * 140_000} for n in range(2)]
    refused("BatchRequestTooLong", sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=large)


def test_a_fifo_topic_feeds_a_fifo_queue_in_order_and_once(sns, sqs):
    fifo = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    topic = sns.create_topic(Name=fresh("bids") + ".fifo", Attributes=fifo)["TopicArn"]
    url, arn = queue(sqs, ".fifo", FifoQueue="true")
    subscribed(sns, topic, arn)
    first = sns.publish(TopicArn=topic, Message="Test", MessageGroupId="g1")
    assert sns.publish(TopicArn=topic, Message="Test", MessageGroupId="g1")["MessageId"] == first["MessageId"]
    second = sns.publish(TopicArn=topic, Message="two", MessageGroupId="g1")
    assert int(second["SequenceNumber"]) > int(first["SequenceNumber"])
    messages = received(sqs, url)
    assert [json.loads(message["Body"])["Message"] for message in messages] == ["Test", "two"]
    attributes = messages[0]["Attributes"]
    assert attributes["MessageGroupId"] == "g1"
    assert attributes["MessageDeduplicationId"] == "532eaabd9574880dbf76b9b8cc00832c20a6ec113d682299550d7a6e0f345e25"
    body = json.loads(messages[0]["Body"])
    assert body["SequenceNumber"] == first["SequenceNumber"] and "Signature" not in body
    refused("InvalidParameter", sns.publish, TopicArn=topic, Message="x")
    sns.delete_topic(TopicArn=topic)


def test_what_a_gone_queue_misses_goes_to_the_dead_letter_queue(sns, sqs, topic):
    url, arn = queue(sqs)
    dead_url, dead_arn = queue(sqs)
    policy = json.dumps({"deadLetterTargetArn": dead_arn})
    subscription = subscribed(sns, topic, arn, RedrivePolicy=policy)
    assert sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]["RedrivePolicy"] == policy
    sqs.delete_queue(QueueUrl=url)
    sns.publish(TopicArn=topic, Message="orphan")
    assert json.loads(received(sqs, dead_url)[0]["Body"])["Message"] == "orphan"


def test_functions_can_be_subscribed(sns, endpoint, topic):
    lambda_ = client(endpoint, "lambda")
    name = fresh("reader")
    arn = lambda_.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=f"arn:aws:iam::{ACCOUNT}:role/reader",
        Handler="app.handler",
        Code={"ZipFile": package()},
    )["FunctionArn"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)["SubscriptionArn"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert (attributes["PendingConfirmation"], attributes["ConfirmationWasAuthenticated"]) == ("false", "true")
    assert sns.publish(TopicArn=topic, Message="hello")["MessageId"]


def test_subscriptions_are_listed_and_wait_for_confirmation(sns, topic):
    answer = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="test@example.com")
    assert answer["SubscriptionArn"] == "pending confirmation"
    arn = sns.subscribe(
        TopicArn=topic, Protocol="email", Endpoint="test@example.com", ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    assert arn.startswith(topic + ":")
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == [
        {
            "SubscriptionArn": "PendingConfirmation",
            "Owner": ACCOUNT,
            "Protocol": "email",
            "Endpoint": "test@example.com",
            "TopicArn": topic,
        }
    ]
    refused("InvalidParameter", sns.confirm_subscription, TopicArn=topic, Token="nonsense")
    sns.unsubscribe(SubscriptionArn=arn)
    sns.unsubscribe(SubscriptionArn=arn)
    refused("NotFound", sns.get_subscription_attributes, SubscriptionArn=arn)


# --- Webhooks ----------------------------------------------------------------------------------------------------


class Hook:
    """An HTTP endpoint on this machine that keeps what it is sent and answers as it is told."""

    def __init__(self):
        self.posts, self.status = [], 200
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                hook.posts.append((dict(self.headers), body))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.server.shutdown()


def test_a_webhook_confirms_and_is_sent_messages(fast_endpoint, hook):
    sns = client(fast_endpoint, "sns")
    topic = sns.create_topic(Name=fresh("hooked"))["TopicArn"]
    arn = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url, ReturnSubscriptionArn=True)["SubscriptionArn"]
    headers, body = until(lambda: hook.posts)[0]
    assert headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    assert headers["x-amz-sns-topic-arn"] == topic
    assert headers["content-type"] == "text/plain; charset=UTF-8"
    letter = json.loads(body)
    with urllib.request.urlopen(letter["SubscribeURL"]) as answer:
        assert arn.encode() in answer.read()
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert (attributes["PendingConfirmation"], attributes["ConfirmationWasAuthenticated"]) == ("false", "false")
    sent = sns.publish(TopicArn=topic, Message="hello hook")
    headers, body = until(lambda: hook.posts[1:])[0]
    assert headers["x-amz-sns-message-type"] == "Notification"
    assert headers["x-amz-sns-message-id"] == sent["MessageId"]
    assert headers["x-amz-sns-subscription-arn"] == arn
    assert json.loads(body)["Message"] == "hello hook"
    # A failing hook is tried three times again, twenty (here: one) seconds apart.
    hook.status = 500
    sns.publish(TopicArn=topic, Message="unlucky")
    until(lambda: len(hook.posts) >= 4)
    hook.status = 200
    until(lambda: len(hook.posts) >= 5)
    assert {headers["x-amz-sns-message-id"] for headers, _ in hook.posts[2:]} == {hook.posts[2][0]["x-amz-sns-message-id"]}
    sns.unsubscribe(SubscriptionArn=arn)
    assert until(lambda: hook.posts[5:])[0][0]["x-amz-sns-message-type"] == "UnsubscribeConfirmation"


def test_metrics_reach_cloudwatch(fast_endpoint):
    sns, cloudwatch = client(fast_endpoint, "sns"), client(fast_endpoint, "cloudwatch")
    name = fresh("measured")
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.publish(TopicArn=topic, Message="12345")

    def listed():
        dimensions = [{"Name": "TopicName", "Value": name}]
        metrics = cloudwatch.list_metrics(Namespace="AWS/SNS", Dimensions=dimensions)["Metrics"]
        names = {metric["MetricName"] for metric in metrics}
        return names if len(names) >= 4 else None

    assert until(listed) == {
        "NumberOfMessagesPublished",
        "NumberOfNotificationsDelivered",
        "NumberOfNotificationsFailed",
        "PublishSize",
    }
    assert REGION in topic


# --- Mobile push and text messages -------------------------------------------------------------------------------


def test_devices_are_registered_disabled_and_subscribed(sns, topic):
    credentials = {"PlatformCredential": "secret", "PlatformPrincipal": "certificate"}
    name = fresh("app")
    app = sns.create_platform_application(Name=name, Platform="APNS", Attributes=credentials)["PlatformApplicationArn"]
    assert app == f"arn:aws:sns:{REGION}:{ACCOUNT}:app/APNS/{name}"
    shown = sns.get_platform_application_attributes(PlatformApplicationArn=app)["Attributes"]
    assert shown == {"Enabled": "true"}
    device = sns.create_platform_endpoint(PlatformApplicationArn=app, Token="t1", CustomUserData="me")["EndpointArn"]
    again = sns.create_platform_endpoint(PlatformApplicationArn=app, Token="t1", CustomUserData="me")["EndpointArn"]
    assert device == again and device.startswith(f"arn:aws:sns:{REGION}:{ACCOUNT}:endpoint/APNS/{name}/")
    message = refused("InvalidParameter", sns.create_platform_endpoint, PlatformApplicationArn=app, Token="t1")
    assert "already exists with the same Token, but different attributes" in message
    attributes = {"Enabled": "true", "Token": "t1", "CustomUserData": "me"}
    listed = sns.list_endpoints_by_platform_application(PlatformApplicationArn=app)["Endpoints"]
    assert listed == [{"EndpointArn": device, "Attributes": attributes}]
    assert sns.publish(TargetArn=device, Message="hello")["MessageId"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="application", Endpoint=device)["SubscriptionArn"]
    assert subscription.startswith(topic)
    sns.set_endpoint_attributes(EndpointArn=device, Attributes={"Enabled": "false"})
    assert refused("EndpointDisabled", sns.publish, TargetArn=device, Message="hello") == "Endpoint is disabled"
    sns.delete_endpoint(EndpointArn=device)
    refused("NotFound", sns.get_endpoint_attributes, EndpointArn=device)
    message = refused("InvalidParameter", sns.publish, TargetArn=device, Message="hello")
    assert message == "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified"
    sns.delete_platform_application(PlatformApplicationArn=app)
    refused("NotFound", sns.get_platform_application_attributes, PlatformApplicationArn=app)


def test_text_messages_have_settings_and_phones_may_opt_in(sns):
    assert sns.get_sms_attributes()["attributes"] == {"MonthlySpendLimit": "1"}
    settings = {"DefaultSenderID": "Midwatch", "DefaultSMSType": "Promotional"}
    sns.set_sms_attributes(attributes=settings)
    assert sns.get_sms_attributes()["attributes"] == settings | {"MonthlySpendLimit": "1"}
    assert sns.get_sms_attributes(attributes=["DefaultSMSType"])["attributes"] == {"DefaultSMSType": "Promotional"}
    for attributes, message in (
        ({"Tune": "x"}, "Tune is not a valid attribute"),
        ({"DefaultSMSType": "Urgent"}, "DefaultSMSType is invalid"),
        ({"DefaultSenderID": "123456789"}, "DefaultSenderID is invalid"),
    ):
        assert refused("InvalidParameter", sns.set_sms_attributes, attributes=attributes) == message
    assert sns.list_phone_numbers_opted_out()["phoneNumbers"] == []
    assert sns.check_if_phone_number_is_opted_out(phoneNumber="+447428545375")["isOptedOut"] is False
    sns.opt_in_phone_number(phoneNumber="+4411111111")
    message = "Invalid parameter: PhoneNumber Reason: input incorrectly formatted"
    assert refused("InvalidParameter", sns.opt_in_phone_number, phoneNumber="invalid") == message
    assert refused("InvalidParameter", sns.check_if_phone_number_is_opted_out, phoneNumber="+44LALA") == message


def test_a_data_protection_policy_is_kept(sns, topic):
    assert "DataProtectionPolicy" not in sns.get_data_protection_policy(ResourceArn=topic)
    policy = json.dumps({"Name": "no-mail", "Version": "2021-06-01", "Statement": []})
    sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy=policy)
    assert sns.get_data_protection_policy(ResourceArn=topic)["DataProtectionPolicy"] == policy
    refused("InvalidParameter", sns.put_data_protection_policy, ResourceArn=topic, DataProtectionPolicy="[]")
    message = refused("NotFound", sns.get_data_protection_policy, ResourceArn=topic + "x")
    assert message == "Topic does not exist"
    message = refused("InvalidParameter", sns.get_data_protection_policy, ResourceArn="news")
    assert message == "Invalid parameter: ResourceArn Reason: An ARN must have at least 6 elements, not 1"


def test_text_messages_go_to_phone_numbers(sns):
    assert sns.publish(PhoneNumber="+4915123456789", Message="hello")["MessageId"]
    message = refused("InvalidParameter", sns.publish, PhoneNumber="+1555-oops", Message="hello")
    assert message == "Invalid parameter: PhoneNumber Reason: +1555-oops is not valid to publish to"


def test_alarms_are_told_to_topics(endpoint, sns, sqs, topic):
    url, arn = queue(sqs)
    subscribed(sns, topic, arn)
    cloudwatch = client(endpoint, "cloudwatch")
    name = fresh("too-much")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="by hand")
    body = json.loads(until(lambda: received(sqs, url))[0]["Body"])
    assert body["Subject"].startswith(f'ALARM: "{name}"')
    assert json.loads(body["Message"])["NewStateReason"] == "by hand"


# --- Who may send where --------------------------------------------------------------------------------------------


def allowed(queue_arn, topic_arn, **more):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | more]})


def test_a_queues_policy_says_which_topics_may_send(sns, sqs, topic):
    url, arn = queue(sqs)
    dead_url, dead_arn = queue(sqs)
    subscribed(sns, topic, arn, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_arn}))
    sns.publish(TopicArn=topic, Message="without a policy")
    assert len(received(sqs, url)) == 1
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": allowed(arn, topic)})
    sns.publish(TopicArn=topic, Message="allowed")
    assert len(received(sqs, url)) == 1
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": allowed(arn, topic + "-other")})
    sns.publish(TopicArn=topic, Message="of another topic")
    assert received(sqs, url) == []
    (dead,) = received(sqs, dead_url)
    assert json.loads(dead["Body"])["Message"] == "of another topic"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    sns.publish(TopicArn=topic, Message="again")
    assert len(received(sqs, url)) == 1


def test_queues_of_other_regions_and_accounts_are_reached(endpoint, sns, topic):
    there = client(endpoint, "sqs", region="us-west-2")
    url, arn = queue(there)
    assert ":us-west-2:" in arn
    subscribed(sns, topic, arn, RawMessageDelivery="true")
    sns.publish(TopicArn=topic, Message="far")
    assert [message["Body"] for message in received(there, url)] == ["far"]

    stranger = client(endpoint, "sqs", key="210987654321")
    url, arn = queue(stranger)
    assert ":210987654321:" in arn
    subscribe = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn, "Attributes": {"RawMessageDelivery": "true"}}
    assert sns.subscribe(**subscribe)["SubscriptionArn"] == "pending confirmation"
    assert received(stranger, url) == [], "the queue does not let the topic in"
    stranger.set_queue_attributes(QueueUrl=url, Attributes={"Policy": allowed(arn, topic)})
    sns.subscribe(**subscribe)
    [asked] = [json.loads(message["Body"]) for message in received(stranger, url)]
    assert asked["Type"] == "SubscriptionConfirmation" and asked["TopicArn"] == topic
    sns.publish(TopicArn=topic, Message="not confirmed")
    assert received(stranger, url) == []
    client(endpoint, "sns", key="210987654321").confirm_subscription(TopicArn=topic, Token=asked["Token"])
    sns.publish(TopicArn=topic, Message="let in")
    assert [message["Body"] for message in received(stranger, url)] == ["let in"]


def test_a_topic_with_an_archive_cannot_be_deleted(sns):
    name = fresh("kept") + ".fifo"
    attributes = {"FifoTopic": "true", "ArchivePolicy": json.dumps({"MessageRetentionPeriod": "30"})}
    topic = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    shown = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert shown["ArchivePolicy"] == attributes["ArchivePolicy"] and shown["BeginningArchiveTime"].endswith("Z")
    message = refused("InvalidState", sns.delete_topic, TopicArn=topic)
    assert message == "Invalid state: Cannot delete a topic with an ArchivePolicy"
    sns.set_topic_attributes(TopicArn=topic, AttributeName="ArchivePolicy", AttributeValue="{}")
    shown = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert "ArchivePolicy" not in shown and "BeginningArchiveTime" not in shown
    sns.delete_topic(TopicArn=topic)


def test_the_user_in_an_endpoints_url_is_authorized(sns, topic, hook):
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url.replace("http://", "http://alice:s3cret@"))
    headers, _ = until(lambda: hook.posts)[0]
    assert headers["authorization"] == "Basic YWxpY2U6czNjcmV0"
    assert "@" not in headers["host"]
