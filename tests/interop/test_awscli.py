"""The AWS CLI, version 1, over every service that `midwatch sim` serves: what people type, and what they then read."""

import base64
import datetime
import json
import pathlib
import re
import subprocess
import sys
import zipfile

import pytest
from conftest import REGION, wait_for

ACCOUNT = "123456789012"
AWS = pathlib.Path(sys.executable).parent / "aws"


@pytest.fixture
def shell(env, tmp_path):
    """Runs a line of the CLI against an endpoint and gives its ending."""

    def shell(endpoint, *words):
        more = {"AWS_DEFAULT_REGION": REGION, "AWS_DEFAULT_OUTPUT": "json"}
        # The flag, and not AWS_ENDPOINT_URL: version 1 does not heed that for SQS.
        line = [sys.executable, str(AWS), "--endpoint-url", endpoint, *[str(word) for word in words]]
        return subprocess.run(line, env=env | more, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    return shell


@pytest.fixture
def aws(sim, shell):
    """Runs a line that must succeed; gives its JSON."""

    def aws(*words, endpoint=sim):
        ended = shell(endpoint, *words)
        assert ended.returncode == 0, f"aws {' '.join(map(str, words))}\n{ended.stdout}{ended.stderr}"
        return json.loads(ended.stdout) if ended.stdout.strip().startswith(("{", "[", '"')) else ended.stdout

    return aws


@pytest.fixture
def refused(sim, shell):
    """Runs a line that AWS refuses; gives the sentence that the CLI prints."""

    def refused(*words):
        ended = shell(sim, *words)
        assert ended.returncode in (254, 255), ended
        return ended.stderr.strip()

    return refused


def test_sts_says_who_is_there(aws):
    who = aws("sts", "get-caller-identity")
    assert who["Account"] == ACCOUNT and who["Arn"].startswith("arn:aws:")
    assert aws("sts", "get-caller-identity", "--query", "Account", "--output", "text").strip() == ACCOUNT


def test_sqs_from_a_queue_to_its_dead_letters_and_back(aws, refused):
    dead = aws("sqs", "create-queue", "--queue-name", "cli-dlq")["QueueUrl"]
    arn = aws("sqs", "get-queue-attributes", "--queue-url", dead, "--attribute-names", "QueueArn")["Attributes"]["QueueArn"]
    assert arn == f"arn:aws:sqs:{REGION}:{ACCOUNT}:cli-dlq"
    policy = json.dumps({"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})})
    url = aws("sqs", "create-queue", "--queue-name", "cli-orders", "--attributes", policy)["QueueUrl"]
    attributes = json.dumps({"kind": {"DataType": "String", "StringValue": "gift"}})
    sent = aws("sqs", "send-message", "--queue-url", url, "--message-body", "Grand é", "--message-attributes", attributes)
    receive = ["sqs", "receive-message", "--queue-url", url, "--visibility-timeout", "0", "--wait-time-seconds", "1"]
    [message] = aws(*receive, "--attribute-names", "All", "--message-attribute-names", "All")["Messages"]
    assert (message["Body"], message["MessageId"]) == ("Grand é", sent["MessageId"])
    assert message["MessageAttributes"]["kind"]["StringValue"] == "gift"
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    # Received once is all that the policy allows: the next receive finds nothing, and the message has moved.
    assert aws(*receive) == ""
    [moved] = aws("sqs", "receive-message", "--queue-url", dead, "--visibility-timeout", "0")["Messages"]
    assert moved["Body"] == "Grand é"
    assert aws("sqs", "list-dead-letter-source-queues", "--queue-url", dead)["queueUrls"] == [url]
    started = aws("sqs", "start-message-move-task", "--source-arn", arn)
    assert started["TaskHandle"]
    back = wait_for(lambda: aws("sqs", "receive-message", "--queue-url", url) or None)
    assert back["Messages"][0]["Body"] == "Grand é"
    [task] = aws("sqs", "list-message-move-tasks", "--source-arn", arn)["Results"]
    assert task["ApproximateNumberOfMessagesMoved"] == 1 and task["SourceArn"] == arn
    assert refused("sqs", "get-queue-url", "--queue-name", "no-such-queue") == (
        "An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the GetQueueUrl operation: "
        "The specified queue does not exist."
    )


def test_kinesis_from_a_put_to_a_read_and_a_resize(aws, fast_sim):
    def kinesis(*words):
        return aws("kinesis", *words, endpoint=fast_sim)

    kinesis("create-stream", "--stream-name", "cli-bids", "--shard-count", "1")
    kinesis("wait", "stream-exists", "--stream-name", "cli-bids")
    put = kinesis("put-record", "--stream-name", "cli-bids", "--partition-key", "hotel-1", "--data", "Grand é")
    assert put["ShardId"] == "shardId-000000000000"
    where = ["--stream-name", "cli-bids", "--shard-id", put["ShardId"], "--shard-iterator-type", "TRIM_HORIZON"]
    iterator = kinesis("get-shard-iterator", *where)["ShardIterator"]
    [record] = kinesis("get-records", "--shard-iterator", iterator)["Records"]
    assert base64.b64decode(record["Data"]).decode() == "Grand é"
    assert record["SequenceNumber"] == put["SequenceNumber"]
    resize = ["--target-shard-count", "2", "--scaling-type", "UNIFORM_SCALING"]
    assert kinesis("update-shard-count", "--stream-name", "cli-bids", *resize)["TargetShardCount"] == 2
    wait_for(lambda: summary(kinesis)["StreamStatus"] == "ACTIVE" and summary(kinesis)["OpenShardCount"] == 2, 60, 1)
    shards = kinesis("list-shards", "--stream-name", "cli-bids")["Shards"]
    closed = [shard["ShardId"] for shard in shards if "EndingSequenceNumber" in shard["SequenceNumberRange"]]
    assert "shardId-000000000000" in closed and len(shards) - len(closed) == 2


def summary(kinesis):
    return kinesis("describe-stream-summary", "--stream-name", "cli-bids")["StreamDescriptionSummary"]


def test_lambda_from_a_package_to_an_answer(aws, refused, tmp_path):
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return event\n")
    name = ["--function-name", "cli-settle"]
    made = aws(
        *["lambda", "create-function", *name, "--runtime", "python3.13", "--handler", "app.handler", "--timeout", "7"],
        *["--role", f"arn:aws:iam::{ACCOUNT}:role/settle", "--zip-file", "fileb://app.zip"],
    )
    assert made["FunctionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:cli-settle"
    assert made["CodeSize"] == (tmp_path / "app.zip").stat().st_size
    aws("lambda", "wait", "function-active", *name)
    answer = aws("lambda", "invoke", *name, "--payload", '{"bid": 7}', "--log-type", "Tail", "answer.json")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert json.loads((tmp_path / "answer.json").read_text()) == {"bid": 7}
    assert "REPORT RequestId: " in base64.b64decode(answer["LogResult"]).decode()
    assert aws("lambda", "update-function-configuration", *name, "--memory-size", "512")["MemorySize"] == 512
    listed = aws("lambda", "list-functions", "--query", "Functions[].[FunctionName, MemorySize, Timeout]")
    assert ["cli-settle", 512, 7] in listed
    assert refused("lambda", "get-function", "--function-name", "nobody") == (
        "An error occurred (ResourceNotFoundException) when calling the GetFunction operation: "
        f"Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:nobody"
    )


def test_cloudwatch_metrics_and_an_alarm(aws):
    now = datetime.datetime.now(datetime.timezone.utc)
    minute = now.replace(second=0, microsecond=0) - datetime.timedelta(minutes=3)
    stamp = minute.isoformat()
    for value in (3, 5):
        put = ["--namespace", "Cli", "--metric-name", "Bids", "--dimensions", "Hotel=h-1", "--timestamp", stamp]
        aws("cloudwatch", "put-metric-data", *put, "--value", value, "--unit", "Count")
    metric = ["--namespace", "Cli", "--metric-name", "Bids", "--dimensions", "Name=Hotel,Value=h-1"]
    span = ["--start-time", stamp, "--end-time", (minute + datetime.timedelta(minutes=1)).isoformat(), "--period", "60"]
    [point] = aws("cloudwatch", "get-metric-statistics", *metric, *span, "--statistics", "Sum", "Maximum")["Datapoints"]
    assert (point["Sum"], point["Maximum"], point["Unit"]) == (8.0, 5.0, "Count")
    assert point["Timestamp"] == minute.timestamp()
    [listed] = wait_for(lambda: aws("cloudwatch", "list-metrics", "--namespace", "Cli")["Metrics"])
    assert listed == {"Namespace": "Cli", "MetricName": "Bids", "Dimensions": [{"Name": "Hotel", "Value": "h-1"}]}
    rule = ["--statistic", "Sum", "--period", "60", "--evaluation-periods", "1", "--threshold", "7"]
    alarm = ["--alarm-name", "cli-bids", "--comparison-operator", "GreaterThanThreshold", *rule]
    aws("cloudwatch", "put-metric-alarm", *metric, *alarm)
    [found] = aws("cloudwatch", "describe-alarms", "--alarm-names", "cli-bids")["MetricAlarms"]
    assert (found["MetricName"], found["Threshold"], found["ComparisonOperator"]) == ("Bids", 7.0, "GreaterThanThreshold")
    assert found["AlarmArn"] == f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:cli-bids"
    state = ["--state-value", "ALARM", "--state-reason", "a drill"]
    aws("cloudwatch", "set-alarm-state", "--alarm-name", "cli-bids", *state)
    history = aws("cloudwatch", "describe-alarm-history", "--alarm-name", "cli-bids")["AlarmHistoryItems"]
    assert any("to ALARM" in item["HistorySummary"] for item in history), history


def test_cloudtrail_knows_who_made_the_queue(aws, fast_sim):
    # Events can be looked up some minutes after they happened.
    aws("sqs", "create-queue", "--queue-name", "cli-trail", endpoint=fast_sim)
    wanted = ["--lookup-attributes", "AttributeKey=EventName,AttributeValue=CreateQueue"]

    def events():
        found = aws("cloudtrail", "lookup-events", *wanted, endpoint=fast_sim)["Events"]
        return [event for event in found if "cli-trail" in event["CloudTrailEvent"]]

    [event] = wait_for(events, 60, 1)
    told = json.loads(event["CloudTrailEvent"])
    assert (told["eventSource"], told["awsRegion"]) == ("sqs.amazonaws.com", REGION)
    assert told["requestParameters"]["queueName"] == "cli-trail"
    assert re.search(r"aws-cli/1\.", told["userAgent"]), told["userAgent"]


def test_sns_from_a_topic_to_a_queue(aws):
    topic = aws("sns", "create-topic", "--name", "cli-bids")["TopicArn"]
    assert topic == f"arn:aws:sns:{REGION}:{ACCOUNT}:cli-bids"
    url = aws("sqs", "create-queue", "--queue-name", "cli-bids")["QueueUrl"]
    names = ["--attribute-names", "QueueArn"]
    arn = aws("sqs", "get-queue-attributes", "--queue-url", url, *names)["Attributes"]["QueueArn"]
    policy = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
    attributes = json.dumps({"Policy": json.dumps({"Version": "2012-10-17", "Statement": [policy]})})
    aws("sqs", "set-queue-attributes", "--queue-url", url, "--attributes", attributes)
    subscribe = ["--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", arn]
    subscription = aws("sns", "subscribe", *subscribe)["SubscriptionArn"]
    assert subscription.startswith(topic + ":")
    sent = aws("sns", "publish", "--topic-arn", topic, "--message", "Grand é", "--subject", "bid")
    receive = ["sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "5"]
    [message] = aws(*receive)["Messages"]
    told = json.loads(message["Body"])
    assert (told["Type"], told["MessageId"], told["TopicArn"]) == ("Notification", sent["MessageId"], topic)
    assert (told["Message"], told["Subject"]) == ("Grand é", "bid")
    [listed] = aws("sns", "list-subscriptions-by-topic", "--topic-arn", topic)["Subscriptions"]
    assert (listed["SubscriptionArn"], listed["Endpoint"], listed["Owner"]) == (subscription, arn, ACCOUNT)


def test_swf_from_a_domain_to_a_completed_execution(aws):
    domain = ["--domain", "cli-night"]
    aws("swf", "register-domain", "--name", "cli-night", "--workflow-execution-retention-period-in-days", "1")
    kind = ["--name", "settle", "--workflow-version", "1"]
    defaults = ["--default-task-start-to-close-timeout", "30", "--default-execution-start-to-close-timeout", "600"]
    more = ["--default-child-policy", "TERMINATE", "--default-task-list", "name=deciders"]
    aws("swf", "register-workflow-type", *domain, *kind, *defaults, *more)
    started = ["--workflow-id", "bid-7", "--workflow-type", "name=settle,version=1", "--input", "seven"]
    run_id = aws("swf", "start-workflow-execution", *domain, *started)["runId"]
    task = aws("swf", "poll-for-decision-task", *domain, "--task-list", "name=deciders")
    assert task["workflowExecution"] == {"workflowId": "bid-7", "runId": run_id}
    assert [event["eventType"] for event in task["events"]] == [
        "WorkflowExecutionStarted",
        "DecisionTaskScheduled",
        "DecisionTaskStarted",
    ]
    assert task["events"][0]["workflowExecutionStartedEventAttributes"]["input"] == "seven"
    done = {
        "decisionType": "CompleteWorkflowExecution",
        "completeWorkflowExecutionDecisionAttributes": {"result": "settled"},
    }
    decided = ["--task-token", task["taskToken"], "--decisions", json.dumps([done])]
    aws("swf", "respond-decision-task-completed", *decided)
    execution = ["--execution", f"workflowId=bid-7,runId={run_id}"]
    events = aws("swf", "get-workflow-execution-history", *domain, *execution)["events"]
    assert events[-1]["eventType"] == "WorkflowExecutionCompleted"
    assert events[-1]["workflowExecutionCompletedEventAttributes"]["result"] == "settled"
    about = aws("swf", "describe-workflow-execution", *domain, *execution)["executionInfo"]
    assert (about["executionStatus"], about["closeStatus"]) == ("CLOSED", "COMPLETED")


def test_a_wrong_word_is_refused_by_the_service_in_its_own_words(refused):
    assert "(InvalidAttributeValue)" in refused(
        "sqs", "create-queue", "--queue-name", "cli-wrong", "--attributes", "VisibilityTimeout=43201"
    )
    assert "(ResourceNotFoundException)" in refused("kinesis", "describe-stream", "--stream-name", "nowhere")
