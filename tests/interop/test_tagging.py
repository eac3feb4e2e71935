"""The Resource Groups Tagging API through boto3: what other services tagged is found here, filtered and paged."""

import pytest
from botocore.exceptions import ClientError
from test_boto3 import client, serve


@pytest.fixture(scope="module")
def endpoint():
    yield from serve()


@pytest.fixture(scope="module")
def tagging(endpoint):
    return client(endpoint, "resourcegroupstaggingapi")


@pytest.fixture(scope="module")
def estate(endpoint):
    sqs, sns, kinesis = (client(endpoint, name) for name in ("sqs", "sns", "kinesis"))
    for name, tags in [("orders", {"team": "desk", "stage": "prod"}), ("mail", {"team": "care"}), ("bare", {})]:
        sqs.create_queue(QueueName=name, tags=tags)
    sns.create_topic(Name="promo", Tags=[{"Key": "team", "Value": "desk"}])
    kinesis.create_stream(StreamName="bids", ShardCount=1, Tags={"team": "desk"})


def found(tagging, **asked):
    pages = tagging.get_paginator("get_resources").paginate(**asked)
    mappings = [mapping for page in pages for mapping in page["ResourceTagMappingList"]]
    return {mapping["ResourceARN"].rsplit(":", 1)[1]: mapping["Tags"] for mapping in mappings}


def test_what_every_service_tagged_is_found(tagging, estate):
    tagged = found(tagging)
    assert set(tagged) == {"stream/bids", "promo", "mail", "orders"}, "nothing without a tag"
    assert tagged["orders"] == [{"Key": "stage", "Value": "prod"}, {"Key": "team", "Value": "desk"}]


def test_filters_narrow_by_tags_types_and_arns(tagging, estate):
    desk = {"TagFilters": [{"Key": "team", "Values": ["desk"]}]}
    assert set(found(tagging, **desk)) == {"stream/bids", "promo", "orders"}
    assert set(found(tagging, **desk, ResourceTypeFilters=["sqs", "kinesis:stream"])) == {"stream/bids", "orders"}
    both = desk["TagFilters"] + [{"Key": "stage"}]
    assert set(found(tagging, TagFilters=both)) == {"orders"}
    arns = tagging.get_resources(ResourceARNList=["arn:aws:sqs:eu-west-1:123456789012:mail"])
    assert [mapping["Tags"] for mapping in arns["ResourceTagMappingList"]] == [[{"Key": "team", "Value": "care"}]]


def test_pages_end_with_an_empty_token(tagging, estate):
    first = tagging.get_resources(ResourcesPerPage=3)
    assert len(first["ResourceTagMappingList"]) == 3 and first["PaginationToken"]
    rest = tagging.get_resources(ResourcesPerPage=3, PaginationToken=first["PaginationToken"])
    assert len(rest["ResourceTagMappingList"]) == 1 and rest["PaginationToken"] == ""


def test_keys_and_values_are_told_once_each(tagging, estate):
    assert tagging.get_tag_keys()["TagKeys"] == ["stage", "team"]
    assert tagging.get_tag_values(Key="team")["TagValues"] == ["care", "desk"]


def test_a_wrong_size_of_pages_is_an_invalid_parameter(tagging):
    with pytest.raises(ClientError) as refused:
        tagging.get_resources(ResourcesPerPage=500)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
    assert refused.value.response["Error"]["Message"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_what_is_tagged_and_untagged_is_found_by_the_next_request(endpoint, tagging):
    sqs = client(endpoint, "sqs")
    url = sqs.create_queue(QueueName="later")["QueueUrl"]
    assert "later" not in found(tagging)
    sqs.tag_queue(QueueUrl=url, Tags={"late": "yes"})
    assert found(tagging, TagFilters=[{"Key": "late"}]) == {"later": [{"Key": "late", "Value": "yes"}]}
    sqs.untag_queue(QueueUrl=url, TagKeys=["late"])
    assert found(tagging, TagFilters=[{"Key": "late"}]) == {}
