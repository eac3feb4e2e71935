"""midwatch against ministack, a second AWS implementation that is not ours, in what it serves."""

import json

import pytest
from conftest import REGION
from test_moto import by_id, make_functions, make_queues, make_streams, make_topics, status

DEAD, ORDERS = "sqs/orders-dlq", "sqs/orders"


@pytest.fixture
def estate(ministack):
    make_queues(ministack)
    make_streams(ministack)
    make_functions(ministack)
    make_topics(ministack)
    return ministack


def test_status_names_what_boto3_lists_with_the_numbers_that_boto3_reads(run, estate):
    _, snapshot = status(run, estate)
    shown = by_id(snapshot)
    sqs, kinesis = estate.client("sqs"), estate.client("kinesis")
    queues = sqs.list_queues()["QueueUrls"]
    streams = kinesis.list_streams()["StreamNames"]
    functions = estate.client("lambda").list_functions()["Functions"]
    topics = estate.client("sns").list_topics()["Topics"]
    listed = {"sqs/" + url.rsplit("/", 1)[1] for url in queues} | {f"kinesis/{name}" for name in streams}
    listed |= {f"lambda/{function['FunctionName']}" for function in functions}
    listed |= {"sns/" + topic["TopicArn"].rsplit(":", 1)[1] for topic in topics}
    assert set(shown) == listed and len(listed) == 9
    for url in queues:
        read = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        fields = shown["sqs/" + url.rsplit("/", 1)[1]]["fields"]
        assert fields["visible"] == int(read["ApproximateNumberOfMessages"])
        assert fields["in_flight"] == int(read["ApproximateNumberOfMessagesNotVisible"])
        assert fields["delayed"] == int(read["ApproximateNumberOfMessagesDelayed"])
        assert fields["arn"] == read["QueueArn"]
    for name in streams:
        read = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        fields = shown[f"kinesis/{name}"]["fields"]
        assert fields["open_shards"] == read["OpenShardCount"]
        assert fields["retention_s"] == read["RetentionPeriodHours"] * 3600
    for read in functions:
        fields = shown[f"lambda/{read['FunctionName']}"]["fields"]
        assert (fields["timeout_s"], fields["memory_mb"]) == (read["Timeout"], read["MemorySize"])
    assert shown["sns/order-events"]["fields"]["subscriptions"] == 3
    assert {"to": DEAD, "as": "dead-letters-to"} in shown[ORDERS]["links"]
    assert {"to": "sns/order-events", "as": "subscribed-to"} in shown[ORDERS]["links"]


def test_what_it_does_not_serve_is_told_and_takes_nothing_else_away(run, estate):
    code, snapshot = status(run, estate)
    told = {(problem["service"], problem["operation"]) for problem in snapshot["problems"]}
    assert ("sqs", "ListMessageMoveTasks") in told and ("cloudwatch", "GetMetricData") in told
    assert by_id(snapshot)[DEAD]["fields"]["visible"] == 4
    assert code == 3, "without metrics an ok would be a guess"


def test_an_invocation_reaches_the_function_there(run, estate, tmp_path):
    flags = ["--endpoint-url", estate.url, "--region", REGION, "--journal", str(tmp_path / "journal.jsonl")]
    action = ["do", "invoke", "lambda/settle-bid", "--type", "dry-run", "--yes", "--format", "json"]
    refused = run(*action, *flags)
    assert refused.returncode == 1 and "read-only" in refused.stderr
    done = run(*action, *flags, "--allow-actions")
    assert done.returncode == 0, done.stdout + done.stderr
    journal = run("journal", "export", "--journal", str(tmp_path / "journal.jsonl"))
    entries = json.loads(journal.stdout)
    assert [entry["what"] for entry in entries] == ["intent", "outcome", "end"]
