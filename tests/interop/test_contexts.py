"""Several contexts at once, from the command line, against two regions of `midwatch sim`."""

import json

import boto3
import pytest

CONFIG = """
default_contexts = ["prod", "staging"]
[contexts.prod]
region = "eu-west-1"
endpoint_url = "{url}"
production = true
[contexts.staging]
region = "eu-central-1"
endpoint_url = "{url}"
"""


@pytest.fixture
def config(sim, tmp_path):
    """A file that names both; in each of them a dead-letter queue holds a message, two in staging."""
    for region, count in (("eu-west-1", 1), ("eu-central-1", 2)):
        sqs = boto3.client(
            "sqs", endpoint_url=sim, region_name=region, aws_access_key_id="test", aws_secret_access_key="test"
        )
        dead = sqs.create_queue(QueueName="orders-dlq")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
        source = sqs.create_queue(QueueName="orders", Attributes={"RedrivePolicy": policy})["QueueUrl"]
        # The first receive hands it out, the next one finds that it was received too often.
        while int(depth(sqs, dead)) < count:
            sqs.send_message(QueueUrl=source, MessageBody="late")
            for _ in range(2):
                sqs.receive_message(QueueUrl=source, VisibilityTimeout=0)
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(url=sim))
    return str(path)


def depth(sqs, url):
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return answer["Attributes"]["ApproximateNumberOfMessages"]


def test_a_resource_is_acted_on_in_the_context_that_is_named(run, config):
    def plan(resource):
        return run("--config", config, "do", "redrive", resource, "--dry-run", "--format", "json")

    for named in ("staging/sqs/orders-dlq", "123456789012/eu-central-1/sqs/orders-dlq"):
        ended = plan(named)
        assert ended.returncode == 0, ended.stderr
        answer = json.loads(ended.stdout)
        assert answer["resource"] == "staging/sqs/orders-dlq"
        assert any("eu-central-1" in call for call in answer["calls"]), answer["calls"]
    vague = plan("sqs/orders-dlq")
    assert vague.returncode == 1
    assert "prod/KIND/NAME or staging/KIND/NAME" in vague.stderr
    unknown = plan("pord/sqs/orders-dlq")
    assert unknown.returncode == 1 and "No context that is watched is called `pord`" in unknown.stderr


def test_an_action_in_one_context_leaves_the_other_alone(run, config):
    ended = run("--config", config, "--allow-actions", "do", "redrive", "staging/sqs/orders-dlq", "--yes")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    seen = json.loads(run("--config", config, "status", "--format", "json").stdout)
    depths = {row["id"]: row["fields"]["visible"] for row in seen["resources"] if row["name"] == "orders-dlq"}
    assert depths == {"123456789012/eu-west-1/sqs/orders-dlq": 1, "123456789012/eu-central-1/sqs/orders-dlq": 0}
