"""midwatch against moto, an AWS implementation that is not ours: what boto3 reads there is what midwatch shows."""

import io
import json
import zipfile

import pytest
from conftest import REGION

def zipped():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("app.py", "def handler(event, context):\n    return event\n")
    return archive.getvalue()


def make_queues(moto):
    sqs = moto.client("sqs")
    dead = sqs.create_queue(QueueName="orders-dlq")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})
    attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "45", "MessageRetentionPeriod": "86400"}
    orders = sqs.create_queue(QueueName="orders", Attributes=attributes)["QueueUrl"]
    sqs.create_queue(QueueName="mail")
    for n in range(7):
        sqs.send_message(QueueUrl=orders, MessageBody=json.dumps({"order": n}))
    sqs.receive_message(QueueUrl=orders, MaxNumberOfMessages=2)
    sqs.send_message(QueueUrl=orders, MessageBody="later", DelaySeconds=600)
    for n in range(4):
        sqs.send_message(QueueUrl=dead, MessageBody=json.dumps({"order": n}))


def make_streams(moto):
    kinesis = moto.client("kinesis")
    kinesis.create_stream(StreamName="bids", ShardCount=2)
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    kinesis.increase_stream_retention_period(StreamName="clicks", RetentionPeriodHours=48)
    for n in range(10):
        kinesis.put_record(StreamName="bids", PartitionKey=f"hotel-{n}", Data=b"{}")


def make_functions(moto):
    document = {"Version": "2012-10-17", "Statement": []}
    role = moto.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(document))
    aws_lambda = moto.client("lambda")
    for name, timeout, memory in [("fulfil-order", 10, 256), ("settle-bid", 30, 512)]:
        aws_lambda.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=role["Role"]["Arn"],
            Handler="app.handler",
            Code={"ZipFile": zipped()},
            Timeout=timeout,
            MemorySize=memory,
        )


def make_topics(moto):
    """A topic that three subscribe to; after `make_queues`."""
    sns, sqs = moto.client("sns"), moto.client("sqs")
    topic = sns.create_topic(Name="order-events")["TopicArn"]
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn.replace("orders", "mail"))
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://127.0.0.1:9/hook")
    sns.create_topic(Name="lonely")


def make_delivery_streams(moto):
    role = "arn:aws:iam::123456789012:role/delivery"
    moto.client("firehose").create_delivery_stream(
        DeliveryStreamName="archive",
        DeliveryStreamType="DirectPut",
        ExtendedS3DestinationConfiguration={"RoleARN": role, "BucketARN": "arn:aws:s3:::archive"},
    )


def make_domains(moto):
    """A domain with a workflow type and two open executions."""
    swf = moto.client("swf")
    swf.register_domain(name="orders", workflowExecutionRetentionPeriodInDays="1")
    swf.register_workflow_type(
        domain="orders",
        name="fulfil",
        version="1",
        defaultTaskList={"name": "deciders"},
        defaultChildPolicy="TERMINATE",
        defaultTaskStartToCloseTimeout="30",
        defaultExecutionStartToCloseTimeout="300",
    )
    for n in range(2):
        swf.start_workflow_execution(
            domain="orders", workflowId=f"order-{n}", workflowType={"name": "fulfil", "version": "1"}
        )


@pytest.fixture
def estate(moto):
    make_queues(moto)
    make_streams(moto)
    make_functions(moto)
    make_topics(moto)
    make_delivery_streams(moto)
    make_domains(moto)
    return moto


def status(run, moto):
    ended = run("status", "--endpoint-url", moto.url, "--region", REGION, "--format", "json")
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def by_id(snapshot):
    return {resource["id"]: resource for resource in snapshot["resources"]}


def test_status_names_what_boto3_lists(run, estate):
    _, snapshot = status(run, estate)
    streams = estate.client("kinesis").list_streams()["StreamNames"]
    queues = [url.rsplit("/", 1)[1] for url in estate.client("sqs").list_queues()["QueueUrls"]]
    functions = [f["FunctionName"] for f in estate.client("lambda").list_functions()["Functions"]]
    listed = {f"kinesis/{name}" for name in streams} | {f"sqs/{name}" for name in queues}
    listed |= {f"lambda/{name}" for name in functions}
    listed |= {"sns/" + topic["TopicArn"].rsplit(":", 1)[1] for topic in estate.client("sns").list_topics()["Topics"]}
    listed |= {f"firehose/{name}" for name in estate.client("firehose").list_delivery_streams()["DeliveryStreamNames"]}
    domains = estate.client("swf").list_domains(registrationStatus="REGISTERED")["domainInfos"]
    listed |= {f"swf/{domain['name']}" for domain in domains}
    assert set(by_id(snapshot)) == listed and len(listed) == 11
    assert snapshot["source"] == "live"
    assert snapshot["context"]["region"] == REGION
    assert snapshot["context"]["account"] == estate.client("sts").get_caller_identity()["Account"]


def test_queues_show_the_numbers_that_boto3_reads(run, estate):
    shown = by_id(status(run, estate)[1])
    sqs = estate.client("sqs")
    for url in sqs.list_queues()["QueueUrls"]:
        read = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        fields = shown["sqs/" + url.rsplit("/", 1)[1]]["fields"]
        assert fields["visible"] == int(read["ApproximateNumberOfMessages"])
        assert fields["in_flight"] == int(read["ApproximateNumberOfMessagesNotVisible"])
        assert fields["delayed"] == int(read["ApproximateNumberOfMessagesDelayed"])
        assert fields["visibility_timeout_s"] == int(read["VisibilityTimeout"])
        assert fields["retention_s"] == int(read["MessageRetentionPeriod"])
        assert fields["arn"] == read["QueueArn"]
    orders = shown["sqs/orders"]
    assert (orders["fields"]["visible"], orders["fields"]["in_flight"], orders["fields"]["delayed"]) == (5, 2, 1)
    assert orders["fields"]["max_receive_count"] == 3
    assert orders["fields"]["dead_letters"] == 4
    assert {"to": "sqs/orders-dlq", "as": "dead-letters-to"} in orders["links"]
    assert {"to": "sqs/orders", "as": "dead-letters-of"} in shown["sqs/orders-dlq"]["links"]


def test_streams_show_the_numbers_that_boto3_reads(run, estate):
    shown = by_id(status(run, estate)[1])
    kinesis = estate.client("kinesis")
    for name in kinesis.list_streams()["StreamNames"]:
        read = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        fields = shown[f"kinesis/{name}"]["fields"]
        assert fields["open_shards"] == read["OpenShardCount"]
        assert fields["status"] == read["StreamStatus"] == "ACTIVE"
        assert fields["mode"] == read["StreamModeDetails"]["StreamMode"]
        assert fields["retention_s"] == read["RetentionPeriodHours"] * 3600
        assert fields["arn"] == read["StreamARN"]
    assert shown["kinesis/bids"]["fields"]["open_shards"] == 2
    assert shown["kinesis/clicks"]["fields"]["retention_s"] == 48 * 3600


def test_functions_show_the_numbers_that_boto3_reads(run, estate):
    shown = by_id(status(run, estate)[1])
    functions = estate.client("lambda").list_functions()["Functions"]
    for read in functions:
        fields = shown[f"lambda/{read['FunctionName']}"]["fields"]
        assert fields["timeout_s"] == read["Timeout"]
        assert fields["memory_mb"] == read["MemorySize"]
        assert fields["runtime"] == read["Runtime"]
        assert fields["arn"] == read["FunctionArn"]
        assert fields["code_sha256"] == read["CodeSha256"]


def test_topics_show_whom_they_deliver_to(run, estate):
    shown = by_id(status(run, estate)[1])
    fields = shown["sns/order-events"]["fields"]
    assert fields["subscriptions"] == 3
    assert {"to": "sqs/orders", "as": "delivers-to"} in shown["sns/order-events"]["links"]
    assert {"to": "sqs/mail", "as": "delivers-to"} in shown["sns/order-events"]["links"]
    assert {"to": "sns/order-events", "as": "subscribed-to"} in shown["sqs/orders"]["links"]
    assert shown["sns/lonely"]["fields"]["subscriptions"] == 0


def test_an_answer_that_is_not_of_aws_form_is_a_problem_and_no_number(run, estate):
    """moto leaves out what AWS's model requires of a destination: its buffering hints, its compression."""
    _, snapshot = status(run, estate)
    assert by_id(snapshot)["firehose/archive"]["fields"]["status"] is None
    told = [problem for problem in snapshot["problems"] if problem["service"] == "firehose"]
    assert [problem["operation"] for problem in told] == ["DescribeDeliveryStream"]
    assert "firehose/archive" in told[0]["sentence"]


def test_streams_show_the_fan_out_consumers_that_boto3_registers(run, estate):
    kinesis = estate.client("kinesis")
    arn = kinesis.describe_stream_summary(StreamName="bids")["StreamDescriptionSummary"]["StreamARN"]
    for name in ("ledger", "audit"):
        kinesis.register_stream_consumer(StreamARN=arn, ConsumerName=name)
    _, snapshot = status(run, estate)
    fields = {name: by_id(snapshot)[f"kinesis/{name}"]["fields"] for name in ("bids", "clicks")}
    assert fields["bids"]["consumers"] == "audit, ledger"
    assert fields["clicks"]["consumers"] is None
    assert fields["bids"]["fanout_lag_ms"] is None, "moto has no such metric"
    assert "ListStreamConsumers" not in {problem["operation"] for problem in snapshot["problems"]}


def test_domains_show_the_counts_that_boto3_reads_and_null_for_those_it_cannot(run, estate):
    swf = estate.client("swf")
    _, snapshot = status(run, estate)
    fields = by_id(snapshot)["swf/orders"]["fields"]
    waiting = swf.count_pending_decision_tasks(domain="orders", taskList={"name": "deciders"})["count"]
    assert fields["pending_decisions"] == waiting == 2
    assert fields["retention_s"] == 24 * 3600
    # moto has no counts of executions.
    assert fields["open_executions"] is None
    assert "CountOpenWorkflowExecutions" in {problem["operation"] for problem in snapshot["problems"]}


def test_metrics_that_moto_does_not_serve_are_a_problem_and_no_zero(run, estate):
    """moto's CloudWatch speaks JSON and query, and not the CBOR protocol that the SDK for Rust speaks."""
    _, snapshot = status(run, estate)
    shown = by_id(snapshot)
    metrics = [
        ("sqs/orders", "oldest_age_s"),
        ("sqs/orders", "sent_per_min"),
        ("lambda/fulfil-order", "invocations_per_min"),
        ("lambda/fulfil-order", "errors_per_min"),
        ("kinesis/bids", "iterator_age_ms"),
        ("kinesis/bids", "in_records_per_s"),
    ]
    for resource, field in metrics:
        assert shown[resource]["fields"][field] is None, (resource, field)
    problems = {problem["operation"]: problem for problem in snapshot["problems"] if problem["service"] == "cloudwatch"}
    assert set(problems) == {"DescribeAlarms", "GetMetricData"}
    for operation, problem in problems.items():
        assert problem["class"] == "missing"
        assert f"{estate.url} does not serve cloudwatch:{operation}" in problem["sentence"]


def test_health_follows_what_is_there_and_what_cannot_be_seen(run, estate):
    code, snapshot = status(run, estate)
    shown = by_id(snapshot)
    assert shown["sqs/orders-dlq"]["health"] == "warn", "dead letters wait"
    assert code == 3, "without metrics an ok would be a guess"


def test_tags_there_decide_what_is_watched(run, estate, tmp_path):
    sqs, functions = estate.client("sqs"), estate.client("lambda")
    for name, team in [("orders", "desk"), ("mail", "care")]:
        sqs.tag_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], Tags={"team": team})
    arn = functions.get_function(FunctionName="settle-bid")["Configuration"]["FunctionArn"]
    functions.tag_resource(Resource=arn, Tags={"team": "desk"})
    config = tmp_path / "config.toml"

    def watched(rules):
        config.write_text(rules)
        ended = run("status", "--endpoint-url", estate.url, "--format", "json", "--config", str(config))
        snapshot = json.loads(ended.stdout)
        told = {problem["operation"] for problem in snapshot["problems"]}
        assert "GetResources" not in told, snapshot["problems"]
        return snapshot

    only = watched('include = ["tag:team=desk"]\n')
    assert set(by_id(only)) == {"sqs/orders", "lambda/settle-bid"}
    without = watched('exclude = ["tag:team=*"]\n')
    assert not {"sqs/orders", "sqs/mail", "lambda/settle-bid"} & set(by_id(without))
    assert {"sqs/orders-dlq", "lambda/fulfil-order"} <= set(by_id(without)) and without["hidden"] == 3


def test_an_empty_account_is_no_error(run, moto):
    code, snapshot = status(run, moto)
    assert (snapshot["resources"], snapshot["findings"]) == ([], [])
    assert code == 0, snapshot["problems"]
