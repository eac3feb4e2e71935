"""The control interface of `midwatch sim`, with nothing but HTTP: virtual time by hand, resets, faults, scenarios.

Time stands in these engines, so that hours and days pass in milliseconds and nothing passes by itself.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("MIDWATCH") or str(ROOT / "target/debug/midwatch")


class Engine:
    """A served engine and the plainest of clients for it."""

    def __init__(self, *flags):
        self.process = subprocess.Popen(
            [BINARY, "sim", "--listen", "127.0.0.1:0", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        found = re.search(r"http://[\w.:\[\]]+\w", line)
        assert found, f"no address in {line!r}"
        self.line, self.url = line, found.group(0)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=5)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def http(self, method, path, body=b"", headers=()):
        request = urllib.request.Request(self.url + path, body or None, dict(headers), method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def order(self, method, what, body=""):
        """A request of the control interface: its status and its JSON."""
        status, text = self.http(method, f"/_midwatch/{what}", body.encode(), {"content-type": "text/plain"})
        return status, json.loads(text)

    def aws(self, target, key="test", region="eu-west-1", **members):
        """One awsJson call, as any SDK would make it; the signature is not checked."""
        scope = f"AWS4-HMAC-SHA256 Credential={key}/20261127/{region}/sqs/aws4_request, SignedHeaders=host, Signature=0"
        headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.0", "authorization": scope}
        status, text = self.http("POST", "/", json.dumps(members).encode(), headers)
        return status, json.loads(text or "{}")

    def sqs(self, operation, **members):
        status, answer = self.aws(f"AmazonSQS.{operation}", **members)
        assert status == 200, answer
        return answer


@pytest.fixture
def engine():
    engine = Engine("--clock", "manual")
    yield engine
    assert engine.stop() == 0, "SIGTERM is a clean end"


def bodies(answer):
    return [message["Body"] for message in answer.get("Messages", [])]


def test_health_says_what_time_it_is_and_that_it_stands(engine):
    status, first = engine.order("GET", "health")
    assert status == 200 and first["status"] == "ok" and first["clock"] == "manual"
    time.sleep(0.05)
    assert engine.order("GET", "health")[1]["accounts"] == first["accounts"], "no time has passed"
    assert list(first["accounts"]) == ["123456789012"]


def test_a_message_expires_after_four_days_in_no_time(engine):
    began = time.monotonic()
    engine.sqs("CreateQueue", QueueName="q")
    engine.sqs("SendMessage", QueueUrl="q", MessageBody="old")
    engine.order("POST", "advance?by=3d23h")
    assert bodies(engine.sqs("ReceiveMessage", QueueUrl="q", VisibilityTimeout=0)) == ["old"]
    engine.order("POST", "advance?by=2h")
    assert bodies(engine.sqs("ReceiveMessage", QueueUrl="q")) == []
    assert time.monotonic() - began < 5


def test_a_visibility_timeout_ends_when_its_time_has_come(engine):
    engine.sqs("CreateQueue", QueueName="q")
    engine.sqs("SendMessage", QueueUrl="q", MessageBody="m")
    first = engine.sqs("ReceiveMessage", QueueUrl="q", VisibilityTimeout=30)["Messages"][0]
    engine.order("POST", "advance?by=29s")
    assert bodies(engine.sqs("ReceiveMessage", QueueUrl="q")) == []
    engine.order("POST", "advance?by=2s")
    second = engine.sqs("ReceiveMessage", QueueUrl="q", MessageSystemAttributeNames=["All"])["Messages"][0]
    assert second["MessageId"] == first["MessageId"] and second["ReceiptHandle"] != first["ReceiptHandle"]
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"


def test_a_long_poll_that_waits_gets_what_becomes_visible_while_time_passes(engine):
    engine.sqs("CreateQueue", QueueName="q")
    engine.sqs("SendMessage", QueueUrl="q", MessageBody="later", DelaySeconds=12)
    answers = {}

    def poll(wait_s):
        answers[wait_s] = bodies(engine.sqs("ReceiveMessage", QueueUrl="q", WaitTimeSeconds=wait_s))

    polls = [threading.Thread(target=poll, args=(wait_s,)) for wait_s in (5, 20)]
    for thread in polls:
        thread.start()
    time.sleep(0.3)
    assert answers == {}, "time stands"
    engine.order("POST", "advance?by=1h")
    for thread in polls:
        thread.join(timeout=5)
    assert answers == {5: [], 20: ["later"]}


def test_each_account_has_its_own_time_ledger_and_end(engine):
    one, two = "111111111111", "222222222222"
    for account in (one, two):
        assert engine.aws("AmazonSQS.CreateQueue", key=account, QueueName="q")[0] == 200
    engine.order("POST", f"advance?by=10d&account={one}")
    times = {account: entry["now"] for account, entry in engine.order("GET", "health")[1]["accounts"].items()}
    assert times[two] == times["123456789012"] < times[one]
    engine.order("POST", f"reset?account={one}")
    assert engine.aws("AmazonSQS.ListQueues", key=one) == (200, {})
    assert len(engine.aws("AmazonSQS.ListQueues", key=two)[1]["QueueUrls"]) == 1
    ledger = engine.order("GET", f"ledger?account={two}")[1]
    assert ledger["answered"] == 2
    assert {"service": "sqs", "operation": "CreateQueue", "error": "", "count": 1} in ledger["requests"]
    # A control request that is signed like an AWS request speaks of the signer's account.
    scope = f"AWS4-HMAC-SHA256 Credential={two}/20261127/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
    engine.http("POST", "/_midwatch/reset", headers={"authorization": scope})
    assert engine.aws("AmazonSQS.ListQueues", key=two) == (200, {})


def test_regions_of_an_account_do_not_see_each_other(engine):
    _, made = engine.aws("AmazonSQS.CreateQueue", region="us-east-1", QueueName="q")
    assert made["QueueUrl"].endswith("/123456789012/q")
    assert engine.aws("AmazonSQS.ListQueues", region="eu-west-1") == (200, {})
    attributes = {"QueueUrl": "q", "AttributeNames": ["QueueArn"]}
    _, answer = engine.aws("AmazonSQS.GetQueueAttributes", region="us-east-1", **attributes)
    assert answer["Attributes"]["QueueArn"] == "arn:aws:sqs:us-east-1:123456789012:q"
    engine.order("POST", "reset?region=eu-west-1")
    assert "QueueUrls" in engine.aws("AmazonSQS.ListQueues", region="us-east-1")[1]


SHOP = """
[[queue]]
name = "orders"

[[template]]
name = "order"
text = '{"order":"{uuid}"}'

[[producer]]
name = "shop"
target = "sqs/orders"
per_s = 2.0
template = "order"

[[worker]]
name = "packers"
queue = "orders"
concurrency = 10
service = { p50_ms = 200, p99_ms = 900 }
"""


def depth(engine):
    names = ["ApproximateNumberOfMessages"]
    answer = engine.sqs("GetQueueAttributes", QueueUrl="orders", AttributeNames=names)
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def test_a_scenario_is_played_on_top_and_a_fault_makes_a_backlog(engine):
    assert engine.order("POST", "scenario", SHOP)[0] == 200
    engine.order("POST", "advance?by=10m")
    assert depth(engine) < 20, "the workers keep up"
    fault = '[[fault]]\nkind = "stop"\ntarget = "packers"\nuntil = "30m"\n'
    assert engine.order("POST", "fault", fault)[0] == 200
    engine.order("POST", "advance?by=20m")
    backlog = depth(engine)
    assert 1800 < backlog < 3000, backlog
    engine.order("POST", "advance?by=1h")
    assert depth(engine) < 20, "the fault ended by itself and the backlog was worked off"


def test_mistakes_are_named_with_line_and_cure(engine):
    status, answer = engine.order("POST", "scenario", SHOP.replace('template = "order"', 'template = "ordre"'))
    assert status == 400
    assert answer["errors"] == ["line 9: producer `shop`: template `ordre` is not a [[template]] here"]
    assert "cure" in answer
    assert engine.aws("AmazonSQS.ListQueues") == (200, {}), "nothing of it was done"
    status, answer = engine.order("POST", "scenario", "[[queue]]\nname = orders\n")
    assert status == 400 and "line 2" in answer["errors"][0]
    status, answer = engine.order("POST", "advance?by=tomorrow")
    assert status == 400 and "4d" in answer["cure"]
    status, answer = engine.order("GET", "reset")
    assert status == 405 and "POST" in answer["cure"]
    status, answer = engine.order("POST", "fly")
    assert status == 404 and "advance" in answer["cure"]


def test_without_limits_no_rate_throttles_and_sizes_still_hold():
    def refusals(engine):
        """Calls of an operation that AWS allows once a second."""
        answers = [engine.aws("Kinesis_20131202.DescribeLimits") for _ in range(20)]
        return [answer for status, answer in answers if status != 200]

    bound, free = Engine("--clock", "manual"), Engine("--clock", "manual", "--limits", "off")
    try:
        assert refusals(bound) and not refusals(free)
        assert "no rates throttle" in free.line
        free.sqs("CreateQueue", QueueName="q")
        status, answer = free.aws("AmazonSQS.SendMessage", QueueUrl="q", MessageBody="x" * (1024 * 1024 + 1))
        assert status == 400 and "must be shorter than 1048576 bytes" in answer["message"]
    finally:
        bound.stop()
        free.stop()


def test_without_delays_what_is_made_is_there_and_what_is_deleted_is_gone():
    engine = Engine("--clock", "manual", "--delays", "off")
    try:
        assert "changes are complete at once" in engine.line
        _, health = engine.order("GET", "health")
        assert (health["limits"], health["delays"]) == ("on", "off")

        def kinesis(operation, **members):
            return engine.aws(f"Kinesis_20131202.{operation}", StreamName="s", **members)

        for shards in (2, 3):
            assert kinesis("CreateStream", ShardCount=shards)[0] == 200
            summary = kinesis("DescribeStreamSummary")[1]["StreamDescriptionSummary"]
            assert (summary["StreamStatus"], summary["OpenShardCount"]) == ("ACTIVE", shards)
            assert kinesis("UpdateShardCount", TargetShardCount=4, ScalingType="UNIFORM_SCALING")[0] == 200
            assert kinesis("DescribeStreamSummary")[1]["StreamDescriptionSummary"]["OpenShardCount"] == 4
            assert kinesis("DeleteStream")[0] == 200
            status, answer = kinesis("DescribeStreamSummary")
            assert status == 400 and answer["__type"].endswith("ResourceNotFoundException")
    finally:
        engine.stop()


def test_an_address_that_others_reach_is_warned_of_loudly():
    process = subprocess.Popen(
        [BINARY, "sim", "--listen", "0.0.0.0:0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert "listens on" in process.stdout.readline()
    process.terminate()
    _, warning = process.communicate(timeout=5)
    assert process.returncode == 0
    assert warning.startswith("WARNING") and "not this machine alone" in warning and "127.0.0.1" in warning


def test_the_interface_is_in_the_help():
    text = subprocess.run([BINARY, "sim", "--help"], capture_output=True, text=True, check=True).stdout
    for word in ("--clock", "manual", "--limits", "--delays", "health", "ledger", "reset", "advance?by=4d", "fault", "scenario"):
        assert word in text, word


def test_speed_and_a_standing_clock_exclude_each_other():
    line = [BINARY, "sim", "--listen", "127.0.0.1:0", "--clock", "manual", "--speed", "9"]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=10)
    assert ended.returncode == 1 and "--clock manual" in ended.stderr


def test_sigterm_ends_it_at_once_while_long_polls_wait():
    engine = Engine()
    engine.sqs("CreateQueue", QueueName="q")
    ended = []

    def poll():
        try:
            engine.sqs("ReceiveMessage", QueueUrl="q", WaitTimeSeconds=20)
        except OSError:
            pass
        ended.append(time.monotonic())

    polls = [threading.Thread(target=poll) for _ in range(20)]
    for thread in polls:
        thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert engine.stop() == 0
    took = time.monotonic() - began
    assert took < 0.5, f"{took:.3f} s"
    for thread in polls:
        thread.join(timeout=5)
    assert len(ended) == 20
