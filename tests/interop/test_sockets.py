"""HTTP as clients really speak it, byte by byte: half-open connections, bodies that stop short, interim answers, very long
heads, compressed bodies, HTTP/2 without asking first, and the end of the server in the middle of a request."""

import gzip
import json
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

import pytest
from test_control import Engine, bodies
from test_waiting import answer, post


@pytest.fixture
def engine():
    engine = Engine("--limits", "off")
    yield engine
    assert engine.stop() == 0


def connect(engine):
    return socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(engine.url).port), timeout=10)


def head_of(connection):
    """The next head: its status line and its headers."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(1)
        assert part, data
        data += part
    status, *lines = data.decode().strip().split("\r\n")
    return status, dict(line.lower().split(": ", 1) for line in lines)


def test_a_connection_is_kept_for_many_requests_and_closed_when_the_client_says_so(engine):
    with connect(engine) as connection:
        for n in range(50):
            connection.sendall(post("AmazonSQS.CreateQueue", {"QueueName": f"q{n}"}))
            assert answer(connection)["QueueUrl"].endswith(f"/q{n}")
        connection.sendall(post("AmazonSQS.ListQueues", {}).replace(b"host: x", b"host: x\r\nconnection: close"))
        assert len(answer(connection)["QueueUrls"]) == 50
        assert connection.recv(1) == b""


def test_an_old_client_that_speaks_http_1_0_is_answered_and_the_connection_closed(engine):
    with connect(engine) as connection:
        connection.sendall(post("AmazonSQS.ListQueues", {}).replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert answer(connection) == {}
        assert connection.recv(1) == b""


def test_who_expects_to_be_told_to_continue_is_told_before_it_sends_its_body(engine):
    body = json.dumps({"QueueName": "patient"}).encode()
    head, _ = post("AmazonSQS.CreateQueue", {}).split(b"\r\ncontent-length")
    with connect(engine) as connection:
        connection.sendall(head + b"\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body))
        assert head_of(connection)[0] == "HTTP/1.1 100 Continue"
        connection.sendall(body)
        assert answer(connection)["QueueUrl"].endswith("/patient")


@pytest.mark.parametrize("ends", [True, False], ids=["and closes its side", "and goes away"])
def test_a_body_that_stops_short_is_no_request_and_nothing_of_it_is_done(engine, ends):
    engine.sqs("CreateQueue", QueueName="q")
    whole = post("AmazonSQS.SendMessage", {"QueueUrl": "q", "MessageBody": "half"})
    with connect(engine) as connection:
        connection.sendall(whole[:-3])
        if ends:
            connection.shutdown(socket.SHUT_WR)
            status, headers = head_of(connection)
            assert status == "HTTP/1.1 400 Bad Request" and headers["x-amzn-errortype"] == "incompletebody"
            assert headers["connection"] == "close"
    assert bodies(engine.sqs("ReceiveMessage", QueueUrl="q")) == []


def test_connections_that_say_nothing_or_half_a_head_keep_nobody_waiting(engine):
    silent = [connect(engine) for _ in range(200)]
    for number, connection in enumerate(silent):
        if number % 2:
            connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\nx-amz-tar")
    engine.sqs("CreateQueue", QueueName="q")
    assert engine.sqs("ListQueues")["QueueUrls"][0].endswith("/q")
    # One of them goes on after all.
    silent[1].sendall(b"get: AmazonSQS.ListQueues\r\ncontent-length: 2\r\n\r\n{}")
    assert answer(silent[1])["QueueUrls"][0].endswith("/q")
    for connection in silent:
        connection.close()


def test_a_head_that_is_far_too_long_is_refused(engine):
    with connect(engine) as connection:
        try:
            connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * (1 << 20) + b"\r\n\r\n")
        except ConnectionError:
            pass
        try:
            refused = connection.recv(100)
        except ConnectionError:
            refused = b""
        assert refused == b"" or refused.startswith(b"HTTP/1.1 431"), refused
    # Tokens of temporary credentials are long, and that is no reason to refuse.
    kind = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.ListQueues"}
    long = kind | {"x-amz-security-token": "t" * 12_000}
    assert engine.http("POST", "/", b"{}", long)[0] == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/robots.txt", "//", "/a/b/c?d=e", "/%zz", "/_localstack/health"])
def test_browsers_and_probes_get_awss_answer_to_what_is_no_operation(engine, method, path):
    with connect(engine) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        status, headers = head_of(connection)
        assert status == "HTTP/1.1 404 Not Found" and headers["content-type"] == "application/xml"
        if method == "GET":
            assert connection.recv(100) == b"<UnknownOperationException/>\n"
        # A HEAD's answer has no body: what comes next is the next answer.
        connection.sendall(post("AmazonSQS.ListQueues", {}))
        assert answer(connection) == {}


def test_a_compressed_body_is_read_in_every_protocol(engine):
    """As SDKs compress PutMetricData beyond ten kilobytes; chunked or not."""
    form = b"Action=PutMetricData&Version=2010-08-01&Namespace=App&MetricData.member.1.MetricName=Sold&MetricData.member.1.Value=7"
    packed = gzip.compress(form)
    headers = {"content-type": "application/x-www-form-urlencoded", "content-encoding": "gzip"}
    status, text = engine.http("POST", "/", packed, headers)
    assert status == 200, text
    packed = gzip.compress(json.dumps({"QueueName": "packed"}).encode())
    headers = {"x-amz-target": "AmazonSQS.CreateQueue", "content-type": "application/x-amz-json-1.0", "content-encoding": "gzip"}
    status, text = engine.http("POST", "/", packed, headers)
    assert status == 200 and "/packed" in text
    with connect(engine) as connection:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"POST / HTTP/1.1\r\nhost: x\r\n{lines}transfer-encoding: chunked\r\n\r\n".encode())
        for byte in packed:
            connection.sendall(b"1\r\n%c\r\n" % byte)
        connection.sendall(b"0\r\n\r\n")
        assert answer(connection)["QueueUrl"].endswith("/packed")
    _, metrics = engine.aws("GraniteServiceVersion20100801.ListMetrics", Namespace="App")
    assert metrics["Metrics"][0]["MetricName"] == "Sold"
    status, text = engine.http("POST", "/", b"no gzip at all", headers)
    assert status == 400 and "SerializationException" in text


def test_http_2_without_asking_first_is_served(engine):
    """As AWS's SDK for JavaScript speaks to Kinesis."""
    curl = shutil.which("curl")
    if not curl or "HTTP2" not in subprocess.run([curl, "--version"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("needs a curl with HTTP/2")
    line = [curl, "-s", "--http2-prior-knowledge", "-w", " %{http_version} %{http_code}", "-H", "x-amz-target: AmazonSQS.CreateQueue"]
    made = subprocess.run([*line, "-d", '{"QueueName":"two"}', "-H", "content-type: application/x-amz-json-1.0", engine.url],
                          capture_output=True, text=True, check=True).stdout
    assert made.endswith("/two\"} 2 200"), made


def test_a_request_that_is_under_way_when_the_server_is_told_to_stop_is_answered():
    engine = Engine()
    request = post("AmazonSQS.CreateQueue", {"QueueName": "last"})
    with connect(engine) as running, connect(engine) as idle:
        idle.sendall(post("AmazonSQS.ListQueues", {}))
        assert answer(idle) == {}
        running.sendall(request[:-5])
        time.sleep(0.1)
        engine.process.send_signal(signal.SIGTERM)
        time.sleep(0.05)
        running.sendall(request[-5:])
        assert answer(running)["QueueUrl"].endswith("/last")
        assert running.recv(1) == b"" and idle.recv(1) == b"", "then both are closed"
    assert engine.process.wait(timeout=5) == 0
