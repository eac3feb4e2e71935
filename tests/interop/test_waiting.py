"""Long polls of very many clients at once, of clients that go away, and of clients that do odd things meanwhile."""

import json
import socket
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import boto_client
from test_control import Engine, bodies


@pytest.fixture(params=[(), ("--speed", "20")], ids=["real time", "twenty times as fast"])
def engine(request):
    engine = Engine("--limits", "off", *request.param)
    yield engine
    assert engine.stop() == 0


@pytest.fixture
def standing():
    engine = Engine("--limits", "off", "--clock", "manual")
    yield engine
    assert engine.stop() == 0


def post(target, body):
    text = json.dumps(body).encode()
    head = f"POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: {target}\r\ncontent-type: application/x-amz-json-1.0\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(text) + text


def poll(engine, queue="q", wait=20):
    """A connection on which a receive waits."""
    connection = socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(engine.url).port), timeout=10)
    connection.sendall(post("AmazonSQS.ReceiveMessage", {"QueueUrl": queue, "WaitTimeSeconds": wait}))
    return connection


def answer(connection):
    """The body of the answer that comes next."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    while len(body) < length:
        body += connection.recv(65536)
    return json.loads(body or b"{}")


def settle(engine):
    """Lets what was sent before arrive: connections are served side by side."""
    time.sleep(0.2)
    engine.order("GET", "health")


def test_each_message_wakes_one_of_three_hundred_polls(standing):
    standing.sqs("CreateQueue", QueueName="q")
    polls = [poll(standing) for _ in range(300)]
    settle(standing)
    for n in range(100):
        standing.sqs("SendMessage", QueueUrl="q", MessageBody=str(n))
    standing.order("POST", "advance?by=20s")
    received = [bodies(answer(connection)) for connection in polls]
    assert sorted(body for part in received for body in part) == sorted(map(str, range(100)))
    assert all(len(part) <= 1 for part in received), "none got two, and two hundred came back empty in their time"


def test_a_client_that_goes_away_takes_no_message_with_it(engine):
    engine.sqs("CreateQueue", QueueName="q")
    for how in ("close", "reset", "half", "pipelined"):
        connection = poll(engine)
        if how == "pipelined":
            connection.sendall(post("AmazonSQS.ListQueues", {}))
        settle(engine)
        if how == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if how == "half":
            connection.shutdown(socket.SHUT_WR)
        else:
            connection.close()
        settle(engine)
        engine.sqs("SendMessage", QueueUrl="q", MessageBody=how)
        received = engine.sqs("ReceiveMessage", QueueUrl="q")
        assert bodies(received) == [how]
        if how == "half":
            assert connection.recv(100) == b"", "there is no answer"
            connection.close()


def test_a_delay_and_a_visibility_timeout_wake_a_poll_in_their_time(engine):
    engine.sqs("CreateQueue", QueueName="q")
    engine.sqs("SendMessage", QueueUrl="q", MessageBody="late", DelaySeconds=1)
    first = poll(engine)
    assert bodies(answer(first)) == ["late"]
    engine.sqs("CreateQueue", QueueName="r")
    engine.sqs("SendMessage", QueueUrl="r", MessageBody="again")
    assert bodies(engine.sqs("ReceiveMessage", QueueUrl="r", VisibilityTimeout=1)) == ["again"]
    assert bodies(answer(poll(engine, "r"))) == ["again"]
    assert bodies(answer(poll(engine, "r", wait=1))) == []


def test_two_polls_on_one_connection_are_answered_in_their_order(standing):
    standing.sqs("CreateQueue", QueueName="q")
    connection = poll(standing)
    connection.sendall(post("AmazonSQS.ReceiveMessage", {"QueueUrl": "q", "WaitTimeSeconds": 20}))
    settle(standing)
    standing.sqs("SendMessage", QueueUrl="q", MessageBody="one")
    assert bodies(answer(connection)) == ["one"]
    settle(standing)
    standing.sqs("SendMessage", QueueUrl="q", MessageBody="two")
    assert bodies(answer(connection)) == ["two"]


ESTATE = """
[[queue]]
name = "orders"

[[template]]
name = "order"
text = "an order"

[[producer]]
name = "shop"
target = "sqs/orders"
per_s = 20.0
template = "order"
"""


def test_others_are_served_while_a_day_passes_for_one_account(standing):
    """What is asked of the account itself meanwhile is answered after it, in order."""
    standing.order("POST", "scenario", ESTATE)
    told, depths = [], []

    def advance():
        told.append(standing.order("POST", "advance?by=6h")[1]["now"])

    def depth():
        names = ["ApproximateNumberOfMessages"]
        answer = standing.sqs("GetQueueAttributes", QueueUrl="orders", AttributeNames=names)
        depths.append(int(answer["Attributes"]["ApproximateNumberOfMessages"]))

    first = threading.Thread(target=advance)
    first.start()
    time.sleep(0.1)
    second = threading.Thread(target=depth)
    second.start()
    served = 0
    while first.is_alive():
        assert standing.aws("AmazonSQS.ListQueues", key="111122223333") == (200, {})
        served += 1
    first.join()
    second.join()
    assert served > 10 and len(told) == 1
    # The two answers come at about the same time; the depth is that after the six hours.
    assert depths[0] > 6 * 3600 * 20 * 0.9, depths


@pytest.mark.parametrize("flags", [(), ("--clock", "manual")], ids=["time runs", "time stands"])
def test_who_waits_while_the_engine_stops_is_answered(flags):
    engine = Engine("--limits", "off", "--delays", "off", *flags)
    engine.sqs("CreateQueue", QueueName="q")
    engine.order("POST", "fault", '[[fault]]\nkind = "api-hang"\ntarget = "sns"')
    swf = boto_client("swf", engine.url)
    swf.register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
    patient = Config(retries={"total_max_attempts": 1}, read_timeout=30)
    sqs, sns = boto_client("sqs", engine.url, patient), boto_client("sns", engine.url, patient)
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    with ThreadPoolExecutor(16) as pool:
        polls = [pool.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20) for _ in range(8)]
        task = pool.submit(swf.poll_for_decision_task, domain="d", taskList={"name": "t"})
        hung = pool.submit(sns.list_topics)
        settle(engine)
        begun = time.monotonic()
        assert engine.stop() == 0
        assert time.monotonic() - begun < 2
        for one in polls:
            answer = one.result(timeout=1)
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200 and "Messages" not in answer
        assert task.result(timeout=1)["startedEventId"] == 0, "no task"
        with pytest.raises(ClientError) as caught:
            hung.result(timeout=1)
        response = caught.value.response
        assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == ("ServiceUnavailable", 503)


def test_an_invocation_that_the_engines_end_cuts_short_is_unavailable():
    engine = Engine("--scenario", "flash-sale", "--clock", "manual")
    patient = Config(retries={"total_max_attempts": 1}, read_timeout=30)
    functions = boto_client("lambda", engine.url, patient)
    name = functions.list_functions()["Functions"][0]["FunctionName"]
    with ThreadPoolExecutor(16) as pool:
        invoked = pool.submit(functions.invoke, FunctionName=name, Payload=b"{}")
        settle(engine)
        assert engine.stop() == 0
        with pytest.raises(ClientError) as caught:
            invoked.result(timeout=1)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
