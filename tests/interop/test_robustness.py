"""What the listener does with clients that misbehave, and with very many of them: AWS's error, and nothing is lost."""

import concurrent.futures
import errno
import http.client
import json
import random
import socket
import urllib.parse

import pytest
from test_control import Engine


@pytest.fixture
def engine():
    engine = Engine("--limits", "off")
    yield engine
    assert engine.stop() == 0


def port_of(engine):
    return urllib.parse.urlsplit(engine.url).port


def raw(engine, data, shut=True):
    """Sends bytes as they are and reads until the other side closes, which it may do before it has read everything."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port_of(engine)), timeout=10) as connection:
        try:
            connection.sendall(data)
            if shut:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                answer += part
        except ConnectionError:
            pass
        except OSError as error:
            assert error.errno == errno.ENOTCONN, error
    return answer


JSON = {"content-type": "application/x-amz-json-1.0"}


@pytest.mark.parametrize(
    "method, path, headers, body, status, word",
    [
        ("POST", "/", JSON | {"x-amz-target": "AmazonSQS.ListQueues"}, b"{", 400, "SerializationException"),
        ("POST", "/", JSON | {"x-amz-target": "AmazonSQS.ListQueues"}, b"\xff\xfe{}", 400, "SerializationException"),
        ("POST", "/", JSON | {"x-amz-target": "AmazonSQS.ListQueues"}, b"[" * 100_000, 400, "SerializationException"),
        ("POST", "/", JSON | {"x-amz-target": "AmazonSQS.Fly"}, b"{}", 400, "UnknownOperationException"),
        ("POST", "/", JSON | {"x-amz-target": "Nobody.Fly"}, b"{}", 400, "UnknownOperationException"),
        ("POST", "/", JSON | {"x-amz-target": "."}, b"{}", 400, "UnknownOperationException"),
        ("POST", "/", {"content-type": "text/plain", "x-amz-target": "AmazonSQS.ListQueues"}, b"{}", 404, "UnknownOperation"),
        ("PUT", "/", JSON | {"x-amz-target": "AmazonSQS.ListQueues"}, b"{}", 403, "AccessDeniedException"),
        ("GET", "/", {}, b"", 404, "UnknownOperationException"),
        ("DELETE", "/nothing/here", {}, b"", 404, "UnknownOperationException"),
        ("GET", "/123456789012/q", {"accept": "application/json"}, b"", 404, "UnknownOperationException"),
        ("GET", "/123456789012/q?Action=GetQueueAttributes", {}, b"", 400, "AWS.SimpleQueueService.NonExistentQueue"),
        ("GET", "/123456789012/q?Action=%FF%00%3C", {}, b"", 400, "InvalidAction"),
        ("GET", "/?Action=ListQueues&Version=2012-11-05&%zz=%f", {}, b"", 200, "ListQueuesResult"),
        ("GET", "/2015-03-31/functions/%2e%2e%2f%ff", {}, b"", 400, ""),
        ("PATCH", "/2015-03-31/functions/f", {}, b"", 404, ""),
        ("POST", "/2015-03-31/functions", {}, b"not json", 400, ""),
        ("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics", {}, b"\xff", 400, "SerializationException"),
        ("POST", "/service/Nobody/operation/ListMetrics", {}, b"", 404, "UnknownOperationException"),
        ("POST", "/", {"content-type": "application/x-www-form-urlencoded"}, b"Action=CreateTopic&Version=2010-03-31", 400, "<Error"),
    ],
)
def test_a_request_that_makes_no_sense_gets_awss_error(engine, method, path, headers, body, status, word):
    got, text = engine.http(method, path, body, headers)
    assert got == status, text
    assert word in text
    assert engine.aws("AmazonSQS.ListQueues")[0] == 200


def test_bytes_that_are_no_http_harm_nobody(engine):
    chance = random.Random(7)
    for _ in range(200):
        raw(engine, bytes(chance.randrange(256) for _ in range(chance.randrange(1, 300))))
    for head in (
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/9.9\r\nhost: x\r\n\r\n",
        b"POST /\x00 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET " + b"/a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 10_000 + b"\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    ):
        answer = raw(engine, head)
        assert answer == b"" or answer.split(b" ")[1][:1] == b"4", (head[:60], answer[:100])
    assert engine.aws("AmazonSQS.ListQueues")[0] == 200


def test_chunked_bodies_pipelines_and_header_case_are_read(engine):
    body = json.dumps({"QueueName": "chunked"}).encode()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nX-AMZ-TARGET: AmazonSQS.CreateQueue\r\nContent-Type: application/x-amz-json-1.0\r\n"
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    request = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    answer = raw(engine, request * 3)
    assert answer.count(b"HTTP/1.1 200") == 3 and b"/123456789012/chunked" in answer
    waiting = head + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body) + body
    assert b"200 OK" in raw(engine, waiting)


def test_a_body_beyond_every_limit_is_refused_and_the_next_request_served(engine):
    status, text = engine.http("POST", "/", b"x" * (17 << 20), JSON | {"x-amz-target": "AmazonSQS.SendMessage"})
    assert status == 413 and "RequestEntityTooLarge" in text
    assert engine.aws("AmazonSQS.ListQueues")[0] == 200


def test_a_flood_from_many_connections_loses_no_stored_message(engine):
    """48 connections send while others talk nonsense, hang up early, or poll; then everything is received once."""
    engine.sqs("CreateQueue", QueueName="flood")
    senders, batches = 48, 40
    headers = JSON | {"x-amz-target": "AmazonSQS.SendMessageBatch"}

    def send(sender):
        stored = []
        connection = http.client.HTTPConnection("127.0.0.1", port_of(engine), timeout=60)
        for batch in range(batches):
            entries = [{"Id": str(i), "MessageBody": f"{sender}-{batch}-{i}"} for i in range(10)]
            connection.request("POST", "/", json.dumps({"QueueUrl": "flood", "Entries": entries}), headers)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, text
            stored += [f"{sender}-{batch}-{entry['Id']}" for entry in json.loads(text)["Successful"]]
        connection.close()
        return stored

    def disturb(seed):
        chance = random.Random(seed)
        for _ in range(60):
            with socket.create_connection(("127.0.0.1", port_of(engine)), timeout=10) as connection:
                kind = chance.randrange(3)
                if kind == 0:
                    connection.sendall(bytes(chance.randrange(256) for _ in range(100)))
                elif kind == 1:
                    connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{")
                else:
                    body = json.dumps({"QueueUrl": "empty", "WaitTimeSeconds": 20}).encode()
                    head = b"POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AmazonSQS.ReceiveMessage\r\ncontent-length: %d\r\n\r\n"
                    connection.sendall(head % len(body) + body)
        return []

    engine.sqs("CreateQueue", QueueName="empty")
    with concurrent.futures.ThreadPoolExecutor(senders + 6) as pool:
        disturbers = [pool.submit(disturb, seed) for seed in range(6)]
        futures = [pool.submit(send, sender) for sender in range(senders)]
        stored = [name for future in futures for name in future.result()]
        for disturber in disturbers:
            disturber.result()
    assert len(stored) == len(set(stored)) == senders * batches * 10

    def drain(_):
        received = []
        connection = http.client.HTTPConnection("127.0.0.1", port_of(engine), timeout=60)
        ask = json.dumps({"QueueUrl": "flood", "MaxNumberOfMessages": 10, "VisibilityTimeout": 600})
        while True:
            connection.request("POST", "/", ask, JSON | {"x-amz-target": "AmazonSQS.ReceiveMessage"})
            messages = json.loads(connection.getresponse().read()).get("Messages", [])
            if not messages:
                return received
            received += [message["Body"] for message in messages]
            entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)]
            body = json.dumps({"QueueUrl": "flood", "Entries": entries})
            connection.request("POST", "/", body, JSON | {"x-amz-target": "AmazonSQS.DeleteMessageBatch"})
            answer = json.loads(connection.getresponse().read())
            assert len(answer["Successful"]) == len(messages), answer

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        received = [name for part in pool.map(drain, range(16)) for name in part]
    assert sorted(received) == sorted(stored)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = engine.sqs("GetQueueAttributes", QueueUrl="flood", AttributeNames=names)["Attributes"]
    assert left == {name: "0" for name in names}


def test_cloudwatch_answers_alike_in_all_of_its_protocols(engine):
    """What is put over one protocol is read over the others."""
    put = "Action=PutMetricData&Version=2010-08-01&Namespace=App&MetricData.member.1.MetricName=Sold&MetricData.member.1.Value=7"
    status, text = engine.http("POST", "/", put.encode(), {"content-type": "application/x-www-form-urlencoded"})
    assert status == 200, text
    status, answer = engine.aws("GraniteServiceVersion20100801.ListMetrics", Namespace="App")
    assert status == 200 and answer["Metrics"][0]["MetricName"] == "Sold", answer
    _, xml = engine.http("GET", "/?Action=ListMetrics&Version=2010-08-01&Namespace=App")
    assert "<MetricName>Sold</MetricName>" in xml


def test_sqs_takes_over_json_what_was_sent_over_query(engine):
    form = {"content-type": "application/x-www-form-urlencoded"}
    _, made = engine.http("POST", "/", b"Action=CreateQueue&Version=2012-11-05&QueueName=both", form)
    assert "<QueueUrl>" + engine.url + "/123456789012/both</QueueUrl>" in made
    _, sent = engine.http("GET", "/123456789012/both?Action=SendMessage&MessageBody=caf%C3%A9+%26+more")
    assert "<MD5OfMessageBody>" in sent
    received = engine.sqs("ReceiveMessage", QueueUrl=engine.url + "/123456789012/both")["Messages"][0]
    assert received["Body"] == "café & more"
    handle = urllib.parse.quote(received["ReceiptHandle"], safe="")
    _, gone = engine.http("GET", f"/123456789012/both?Action=DeleteMessage&ReceiptHandle={handle}")
    assert "DeleteMessageResponse" in gone and "Result" not in gone
