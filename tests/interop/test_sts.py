"""STS through boto3: who calls, and temporary credentials that the other services know."""

import base64
import json

import boto3
import pytest
from botocore.config import Config
from test_boto3 import ACCOUNT, REGION, client, refused, serve, until


@pytest.fixture(scope="module")
def endpoint():
    yield from serve("--speed", "600")


def with_credentials(endpoint, service, credentials):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        config=Config(retries={"total_max_attempts": 5}),
    )


def test_a_role_of_another_account_is_assumed_and_leaves_its_name(endpoint):
    sts = client(endpoint, "sts")
    arn = "arn:aws:iam::111122223333:role/on-call"
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="ann", DurationSeconds=900)
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::111122223333:assumed-role/on-call/ann"
    credentials = answer["Credentials"]
    assert credentials["Expiration"].tzinfo is not None
    who = with_credentials(endpoint, "sts", credentials).get_caller_identity()
    assert who["Account"] == "111122223333" and who["Arn"] == answer["AssumedRoleUser"]["Arn"]
    sqs = with_credentials(endpoint, "sqs", credentials)
    assert "/111122223333/" in sqs.create_queue(QueueName="assumed")["QueueUrl"]
    assert "QueueUrls" not in client(endpoint, "sqs").list_queues(QueueNamePrefix="assumed")
    trail = with_credentials(endpoint, "cloudtrail", credentials)
    by_name = [{"AttributeKey": "Username", "AttributeValue": "ann"}]
    event = until(lambda: [e for e in trail.lookup_events(LookupAttributes=by_name)["Events"] if e["EventName"] == "CreateQueue"])[0]
    identity = json.loads(event["CloudTrailEvent"])["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == "on-call"


def test_session_tokens_and_refusals(endpoint):
    sts = client(endpoint, "sts")
    credentials = sts.get_session_token()["Credentials"]
    session = with_credentials(endpoint, "sts", credentials)
    assert session.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/midwatch"
    refused("AccessDenied", session.get_session_token)
    assert sts.get_access_key_info(AccessKeyId=credentials["AccessKeyId"])["Account"] == ACCOUNT
    message = refused("ValidationError", sts.assume_role, RoleArn="nothing-valid-in-here", RoleSessionName="ann")
    assert message == "nothing-valid-in-here is invalid"


def test_a_web_identity_gets_a_session_of_the_role(endpoint):
    sts = client(endpoint, "sts")
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    token = f"{part({'alg': 'RS256'})}.{part({'iss': 'https://oidc.example.com', 'aud': 'ci', 'sub': 'runner'})}.c2ln"
    wanted = dict(RoleArn="arn:aws:iam::123456789012:role/ci", RoleSessionName="run")
    session = sts.assume_role_with_web_identity(**wanted, WebIdentityToken=token)
    assert session["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/ci/run"
    assert (session["Provider"], session["SubjectFromWebIdentityToken"]) == ("oidc.example.com", "runner")
    refused("InvalidIdentityToken", sts.assume_role_with_web_identity, **wanted, WebIdentityToken="opaque")


def test_a_session_policy_has_a_longest_text(endpoint):
    sts = client(endpoint, "sts")
    policy = json.dumps({"Statement": "x" * 2048})
    message = refused("ValidationError", sts.get_federation_token, Name="bob", Policy=policy)
    assert message.endswith("Member must have length less than or equal to 2048")


def test_no_message_is_an_encoded_one(endpoint):
    sts = client(endpoint, "sts")
    message = refused("InvalidAuthorizationMessageException", sts.decode_authorization_message, EncodedMessage="x" * 99)
    assert message == "Message is not valid"
    message = refused("ValidationError", sts.decode_authorization_message, EncodedMessage="x" * 10_241)
    assert message.endswith("Member must have length less than or equal to 10240")
