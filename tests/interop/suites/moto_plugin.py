"""A pytest plugin for moto's own tests: midwatch answers for its services, a moto server for all others.

moto's tests know a "server mode", in which every client talks to one URL and that URL is emptied before each test.
This plugin keeps that mode and only chooses the URL by service, so that no test of moto's has to be changed.
"""

import os
import urllib.request
from unittest.mock import patch

import boto3
from moto.core import models

SERVED = {
    "cloudtrail",
    "cloudwatch",
    "dynamodb",
    "firehose",
    "kinesis",
    "lambda",
    "logs",
    "sns",
    "sqs",
    "sts",
    "swf",
}
MIDWATCH = os.environ["MIDWATCH_URL"]
MOTO = os.environ["MOTO_URL"]


def post(url):
    with urllib.request.urlopen(urllib.request.Request(url, b"", method="POST"), timeout=30) as answer:
        answer.read()


def reset(_mock):
    post(MIDWATCH + "/_midwatch/reset")
    post(MOTO + "/moto-api/reset")


def routed(make):
    def maker(*arguments, **named):
        service = arguments[0] if arguments else named.get("service_name")
        named.setdefault("endpoint_url", MIDWATCH if service in SERVED else MOTO)
        return make(*arguments, **named)

    return maker


def enable(mock, reset=True):
    if mock.__class__._nested_count == 1 and reset:
        mock.reset()
    mock._client_patcher = patch("boto3.client", routed(boto3.client))
    mock._resource_patcher = patch("boto3.resource", routed(boto3.resource))
    mock._client_patcher.start()
    mock._resource_patcher.start()


models.ServerModeMockAWS.reset = reset
models.ServerModeMockAWS._enable_patching = enable
