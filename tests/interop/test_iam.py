"""IAM through boto3: what an account is called, the same from every region, and no two accounts the same."""

import json
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import REGION, boto_client, serving

ACCOUNT, OTHER = "123456789012", "111122223333"

SCENARIO = """
name = "named"
title = "An account with a name"
start = "2026-11-27T18:00:00Z"
warm_up = "1m"
account_alias = "acme-prod"
[[queue]]
name = "orders"
"""


def iam(url, account="test", region=REGION):
    return boto3.client(
        "iam", endpoint_url=url, region_name=region, aws_access_key_id=account, aws_secret_access_key="x"
    )


def aliases(client):
    answer = client.list_account_aliases()
    assert answer["IsTruncated"] is False and "Marker" not in answer
    return answer["AccountAliases"]


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def post(url, order, text=""):
    with urllib.request.urlopen(urllib.request.Request(f"{url}/_midwatch/{order}", text.encode(), method="POST")) as answer:
        return json.load(answer)


@pytest.fixture
def named(midwatch, tmp_path):
    """An engine that plays a scenario whose account has an alias, in standing time."""
    path = tmp_path / "named.toml"
    path.write_text(SCENARIO)
    with serving(midwatch, "--clock", "manual", "--scenario", str(path)) as url:
        yield url


def test_an_account_has_one_alias_and_every_region_knows_it(sim):
    here, there = iam(sim), iam(sim, region="ap-south-1")
    assert aliases(here) == []
    here.create_account_alias(AccountAlias="acme")
    assert aliases(there) == ["acme"]
    there.create_account_alias(AccountAlias="acme-prod")
    assert aliases(here) == ["acme-prod"], "a new one replaces the old"
    assert aliases(iam(sim, OTHER)) == []
    taken = (409, "EntityAlreadyExists", "The account alias acme-prod already exists.")
    assert refused(here.create_account_alias, AccountAlias="acme-prod") == taken
    assert refused(iam(sim, OTHER).create_account_alias, AccountAlias="acme-prod") == taken
    missing = (404, "NoSuchEntity", "The account alias acme cannot be found.")
    assert refused(here.delete_account_alias, AccountAlias="acme") == missing
    here.delete_account_alias(AccountAlias="acme-prod")
    assert aliases(there) == []
    iam(sim, OTHER).create_account_alias(AccountAlias="acme-prod")
    assert aliases(iam(sim, OTHER, "us-west-2")) == ["acme-prod"]


def test_what_no_alias_may_be_and_what_is_not_served(sim):
    client = iam(sim)
    for alias in ("Acme", "-acme", "acme-", "ac--me", "acme_prod"):
        status, code, message = refused(client.create_account_alias, AccountAlias=alias)
        assert (status, code) == (400, "ValidationError"), alias
        assert message.startswith("The specified value for accountAlias is invalid.")
    assert refused(client.list_account_aliases, MaxItems=1001)[2].endswith("less than or equal to 1000")
    assert refused(client.list_users) == (
        400,
        "InvalidAction",
        "Could not find operation ListUsers for version 2010-05-08",
    )


def test_the_event_history_of_us_east_1_has_what_was_done(named):
    iam(named).create_account_alias(AccountAlias="acme-test")
    refused(iam(named).create_account_alias, AccountAlias="acme-test")
    post(named, "advance?by=10m")
    trail = boto3.client(
        "cloudtrail", endpoint_url=named, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x"
    )
    source = [{"AttributeKey": "EventSource", "AttributeValue": "iam.amazonaws.com"}]
    failed, made = trail.lookup_events(LookupAttributes=source)["Events"]
    assert made["EventName"] == failed["EventName"] == "CreateAccountAlias" and made["ReadOnly"] == "false"
    record = json.loads(made["CloudTrailEvent"])
    assert (record["awsRegion"], record["recipientAccountId"]) == ("us-east-1", ACCOUNT)
    assert record["requestParameters"] == {"accountAlias": "acme-test"} and record["responseElements"] is None
    assert json.loads(failed["CloudTrailEvent"])["errorCode"] == "EntityAlreadyExists"
    assert boto_client("cloudtrail", named).lookup_events(LookupAttributes=source)["Events"] == []


def test_faults_strike_it_wherever_it_is_served(named):
    denied = '[[fault]]\nkind = "api-denied"\ntarget = "iam"\nuntil = "1m"'
    for account in (ACCOUNT, OTHER):
        boto3.client(
            "sqs", endpoint_url=named, region_name=REGION, aws_access_key_id=account, aws_secret_access_key="x"
        ).list_queues()
        post(named, f"fault?account={account}", denied)
        assert refused(iam(named, account).list_account_aliases) == (
            403,
            "AccessDenied",
            f"User: arn:aws:iam::{account}:user/midwatch is not authorized to perform: iam:ListAccountAliases on "
            "resource: * because no identity-based policy allows the iam:ListAccountAliases action",
        )
        post(named, f"advance?by=1m&account={account}")
    assert aliases(iam(named)) == ["acme-prod"]
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(named, "fault", denied.replace('"iam"', '"iam/acme"'))
    assert "requests to IAM are about no resource" in json.load(caught.value)["errors"][0]


def test_status_says_what_the_account_is_called(run, named):
    flags = ["--endpoint-url", named, "--region", REGION]
    snapshot = json.loads(run("status", *flags, "--format", "json").stdout)
    assert snapshot["context"] == {"account": ACCOUNT, "alias": "acme-prod", "region": REGION, "profile": None}
    assert snapshot["api"]["by_operation"]["iam:ListAccountAliases"] == 1
    assert f"{ACCOUNT}  acme-prod  {REGION}" in run("status", *flags).stdout.splitlines()[0]
    iam(named).delete_account_alias(AccountAlias="acme-prod")
    again = json.loads(run("status", *flags, "--format", "json").stdout)
    assert again["context"]["alias"] is None
    assert all(problem["service"] != "iam" for problem in again["problems"]), "to have none is no trouble"


def test_an_alias_at_moto_is_read(run, moto):
    iam(moto.url).create_account_alias(AccountAlias="acme-moto")
    flags = ["--endpoint-url", moto.url, "--region", REGION, "--format", "json"]
    assert json.loads(run("status", *flags).stdout)["context"]["alias"] == "acme-moto"
