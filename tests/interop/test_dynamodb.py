"""boto3's DynamoDB against `midwatch sim --listen`: tables, items, expressions, pages, batches, transactions."""

import decimal

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.config import Config
from botocore.exceptions import ClientError

from test_boto3 import ACCOUNT, REGION, client, serve


@pytest.fixture(scope="module")
def endpoint():
    """An engine whose time is twenty times as fast: tables take seconds to be made."""
    yield from serve("--speed", "20")


@pytest.fixture(scope="module")
def dynamodb(endpoint):
    return client(endpoint, "dynamodb")


@pytest.fixture(scope="module")
def resource(endpoint):
    return boto3.resource(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def wait(dynamodb, name, state="table_exists"):
    dynamodb.get_waiter(state).wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


@pytest.fixture(scope="module")
def games(dynamodb, resource):
    """A table with a hash and a range key and a global index."""
    created = dynamodb.create_table(
        TableName="games",
        KeySchema=[
            {"AttributeName": "player", "KeyType": "HASH"},
            {"AttributeName": "day", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "player", "AttributeType": "S"},
            {"AttributeName": "day", "AttributeType": "N"},
            {"AttributeName": "title", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-title",
                "KeySchema": [{"AttributeName": "title", "KeyType": "HASH"}, {"AttributeName": "day", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["score"]},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": "team", "Value": "lobby"}],
    )["TableDescription"]
    assert created["TableStatus"] == "CREATING"
    assert created["TableArn"] == f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/games"
    assert created["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert created["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    with pytest.raises(ClientError) as error:
        dynamodb.put_item(TableName="games", Item={"player": {"S": "a"}, "day": {"N": "1"}})
    assert error.value.response["Error"] == {
        "Code": "ResourceNotFoundException",
        "Message": "Requested resource not found",
    }
    wait(dynamodb, "games")
    table = resource.Table("games")
    with table.batch_writer() as batch:
        for player in ("ann", "bob"):
            for day in range(1, 31):
                title = "chess" if day % 2 else "go"
                batch.put_item(Item={"player": player, "day": day, "title": title, "score": day * 10, "note": "x" * 50})
    return table


def test_describe_says_what_was_made(dynamodb, games):
    table = dynamodb.describe_table(TableName="games")["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert table["ItemCount"] == 60
    assert [k["KeyType"] for k in table["KeySchema"]] == ["HASH", "RANGE"]
    assert table["GlobalSecondaryIndexes"][0]["Projection"]["NonKeyAttributes"] == ["score"]
    assert table["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    assert "games" in dynamodb.list_tables()["TableNames"]
    tags = dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "lobby"}]
    ttl = dynamodb.describe_time_to_live(TableName="games")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "DISABLED"}


def test_queries_page_filter_and_turn_around(games):
    page = games.query(KeyConditionExpression=Key("player").eq("ann") & Key("day").between(5, 20), Limit=10)
    assert [int(i["day"]) for i in page["Items"]] == list(range(5, 15))
    assert page["LastEvaluatedKey"] == {"player": "ann", "day": decimal.Decimal(14)}
    rest = games.query(
        KeyConditionExpression=Key("player").eq("ann") & Key("day").between(5, 20),
        ExclusiveStartKey=page["LastEvaluatedKey"],
    )
    assert [int(i["day"]) for i in rest["Items"]] == list(range(15, 21))
    assert "LastEvaluatedKey" not in rest
    newest = games.query(KeyConditionExpression=Key("player").eq("bob"), ScanIndexForward=False, Limit=1)
    assert newest["Items"][0]["day"] == 30
    filtered = games.query(KeyConditionExpression=Key("player").eq("bob"), FilterExpression=Attr("score").gte(250))
    assert (filtered["Count"], filtered["ScannedCount"]) == (6, 30)


def test_an_index_holds_what_it_projects(games):
    found = games.query(IndexName="by-title", KeyConditionExpression=Key("title").eq("go") & Key("day").lt(5))
    assert [(i["player"], int(i["day"])) for i in found["Items"]] in (
        [("ann", 2), ("bob", 2), ("ann", 4), ("bob", 4)],
        [("bob", 2), ("ann", 2), ("bob", 4), ("ann", 4)],
    )
    assert set(found["Items"][0]) == {"player", "day", "title", "score"}
    with pytest.raises(ClientError) as error:
        games.query(IndexName="nope", KeyConditionExpression=Key("title").eq("go"))
    assert error.value.response["Error"]["Message"] == "The table does not have the specified index: nope"
    with pytest.raises(ClientError) as error:
        games.query(IndexName="by-title", KeyConditionExpression=Key("title").eq("go"), ConsistentRead=True)
    assert "Consistent reads are not supported on global secondary indexes" in str(error.value)


def test_scans_page_and_divide(games, dynamodb):
    pages = dynamodb.get_paginator("scan").paginate(TableName="games", PaginationConfig={"PageSize": 7})
    seen = [(i["player"]["S"], i["day"]["N"]) for page in pages for i in page["Items"]]
    assert len(seen) == len(set(seen)) == 60
    halves = [games.scan(Segment=n, TotalSegments=2)["Count"] for n in range(2)]
    assert sum(halves) == 60
    count = games.scan(Select="COUNT", FilterExpression=Attr("title").eq("chess"))
    assert (count["Count"], count["ScannedCount"], "Items" in count) == (30, 60, False)


def test_updates_and_conditions(games):
    key = {"player": "cat", "day": 1}
    first = games.update_item(
        Key=key,
        UpdateExpression="SET #s = if_not_exists(#s, :zero) + :five, moves = list_append(if_not_exists(moves, :none), :e4) "
        "ADD badges :b",
        ExpressionAttributeNames={"#s": "score"},
        ExpressionAttributeValues={":zero": 0, ":five": 5, ":none": [], ":e4": ["e4"], ":b": {"new"}},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    assert first == {"player": "cat", "day": 1, "score": 5, "moves": ["e4"], "badges": {"new"}}
    with pytest.raises(ClientError) as error:
        games.put_item(Item=key, ConditionExpression=Attr("player").not_exists())
    assert error.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
    with pytest.raises(games.meta.client.exceptions.ConditionalCheckFailedException) as error:
        games.update_item(
            Key=key,
            UpdateExpression="SET score = :n",
            ConditionExpression="score > :n",
            ExpressionAttributeValues={":n": 9},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert error.value.response["Item"]["score"] == {"N": "5"}
    gone = games.delete_item(Key=key, ReturnValues="ALL_OLD")["Attributes"]
    assert gone["score"] == 5
    assert "Item" not in games.get_item(Key=key)


def test_the_parameters_from_before_expressions(dynamodb, games):
    key = {"player": {"S": "old"}, "day": {"N": "1"}}
    dynamodb.put_item(TableName="games", Item=key, Expected={"player": {"Exists": False}})
    updated = dynamodb.update_item(
        TableName="games",
        Key=key,
        AttributeUpdates={
            "leaseCounter": {"Action": "ADD", "Value": {"N": "1"}},
            "leaseOwner": {"Action": "PUT", "Value": {"S": "w-1"}},
        },
        Expected={"leaseOwner": {"Exists": False}},
        ReturnValues="UPDATED_NEW",
    )["Attributes"]
    assert updated == {"leaseCounter": {"N": "1"}, "leaseOwner": {"S": "w-1"}}
    with pytest.raises(ClientError) as error:
        dynamodb.update_item(
            TableName="games",
            Key=key,
            AttributeUpdates={"leaseCounter": {"Action": "PUT", "Value": {"N": "9"}}},
            Expected={"leaseCounter": {"Value": {"N": "7"}}},
        )
    assert error.value.response["Error"]["Message"] == "The conditional request failed"
    found = dynamodb.query(
        TableName="games",
        KeyConditions={"player": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "old"}]}},
        AttributesToGet=["leaseOwner"],
    )
    assert found["Items"] == [{"leaseOwner": {"S": "w-1"}}]
    dynamodb.delete_item(TableName="games", Key=key)


def test_batches_and_their_capacity(dynamodb, games):
    keys = [{"player": {"S": "ann"}, "day": {"N": str(day)}} for day in (1, 2, 99)]
    got = dynamodb.batch_get_item(
        RequestItems={"games": {"Keys": keys, "ProjectionExpression": "score"}}, ReturnConsumedCapacity="TOTAL"
    )
    assert sorted(i["score"]["N"] for i in got["Responses"]["games"]) == ["10", "20"]
    assert got["UnprocessedKeys"] == {}
    assert got["ConsumedCapacity"] == [{"TableName": "games", "CapacityUnits": 1.5}]
    with pytest.raises(ClientError) as error:
        dynamodb.batch_get_item(RequestItems={"games": {"Keys": [keys[0], keys[0]]}})
    assert error.value.response["Error"]["Message"] == "Provided list of item keys contains duplicates"
    with pytest.raises(ClientError) as error:
        dynamodb.batch_write_item(RequestItems={"games": [{"PutRequest": {"Item": {"nonKey": {"S": "x"}}}}]})
    assert error.value.response["Error"]["Message"] == "The provided key element does not match the schema"


def test_transactions_are_all_or_nothing(dynamodb, games):
    def put(player, **more):
        return {"Put": {"TableName": "games", "Item": {"player": {"S": player}, "day": {"N": "1"}}, **more}}

    fresh = {"ConditionExpression": "attribute_not_exists(player)"}
    with pytest.raises(ClientError) as error:
        dynamodb.transact_write_items(TransactItems=[put("ann", **fresh), put("zoe")])
    assert error.value.response["Error"] == {
        "Code": "TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[ConditionalCheckFailed, None]",
    }
    assert error.value.response["CancellationReasons"] == [
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        {"Code": "None"},
    ]
    key = {"player": {"S": "zoe"}, "day": {"N": "1"}}
    assert "Item" not in dynamodb.get_item(TableName="games", Key=key)
    dynamodb.transact_write_items(TransactItems=[put("zoe")])
    got = dynamodb.transact_get_items(TransactItems=[{"Get": {"TableName": "games", "Key": key}}])
    assert got["Responses"] == [{"Item": key}]
    dynamodb.delete_item(TableName="games", Key=key)


def test_a_transaction_with_a_token_is_done_once(dynamodb, games):
    key = {"player": {"S": "token"}, "day": {"N": "1"}}

    def add(by):
        update = {"TableName": "games", "Key": key, "UpdateExpression": "ADD n :by", "ExpressionAttributeValues": {":by": {"N": by}}}
        return {"ClientRequestToken": "once", "TransactItems": [{"Update": update}]}

    dynamodb.transact_write_items(**add("1"))
    dynamodb.transact_write_items(**add("1"))
    assert dynamodb.get_item(TableName="games", Key=key)["Item"]["n"] == {"N": "1"}
    with pytest.raises(dynamodb.exceptions.IdempotentParameterMismatchException) as error:
        dynamodb.transact_write_items(**add("2"))
    assert "idempotent token that was already used" in error.value.response["Error"]["Message"]
    dynamodb.delete_item(TableName="games", Key=key)


def test_provisioned_capacity_throttles(dynamodb):
    dynamodb.create_table(
        TableName="small",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    wait(dynamodb, "small")
    codes = set()
    for _ in range(40):
        try:
            dynamodb.put_item(TableName="small", Item={"id": {"S": "a"}, "x": {"S": "y" * 200_000}})
        except ClientError as error:
            codes.add(error.response["Error"]["Code"])
    assert codes == {"ProvisionedThroughputExceededException"}
    same = "The provisioned throughput for the table will not change."
    with pytest.raises(ClientError, match=same):
        dynamodb.update_table(
            TableName="small", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
        )
    updated = dynamodb.update_table(TableName="small", BillingMode="PAY_PER_REQUEST")["TableDescription"]
    assert updated["TableStatus"] == "UPDATING"
    with pytest.raises(ClientError) as error:
        dynamodb.delete_table(TableName="small")
    assert error.value.response["Error"]["Code"] == "ResourceInUseException"
    wait(dynamodb, "small")
    dynamodb.put_item(TableName="small", Item={"id": {"S": "a"}})
    assert dynamodb.delete_table(TableName="small")["TableDescription"]["TableStatus"] == "DELETING"
    wait(dynamodb, "small", "table_not_exists")


def test_what_a_table_may_not_be(dynamodb):
    def refused(**changes):
        request = {
            "TableName": "wrong",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        } | changes
        with pytest.raises(ClientError) as error:
            dynamodb.create_table(**request)
        return error.value.response["Error"]["Message"]

    wrong = "One or more parameter values were invalid: "
    assert refused(ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}) == wrong + (
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
    )
    assert refused(BillingMode="PROVISIONED") == wrong + (
        "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
    )
    assert refused(KeySchema=[{"AttributeName": "x", "KeyType": "HASH"}]) == wrong + (
        "Some index key attributes are not defined in AttributeDefinitions. Keys: [x], AttributeDefinitions: [id]"
    )
    two = [{"AttributeName": n, "AttributeType": "S"} for n in ("id", "spare")]
    assert refused(AttributeDefinitions=two) == wrong + (
        "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"
    )


def test_a_table_says_how_it_is_encrypted_and_how_warm_it_is(dynamodb):
    dynamodb.create_table(
        TableName="warm",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "KMSMasterKeyId": "abcd"},
        WarmThroughput={"ReadUnitsPerSecond": 15000, "WriteUnitsPerSecond": 5000},
    )
    wait(dynamodb, "warm")
    table = dynamodb.describe_table(TableName="warm")["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"].endswith(":key/abcd")
    assert table["WarmThroughput"] == {"ReadUnitsPerSecond": 15000, "WriteUnitsPerSecond": 5000, "Status": "ACTIVE"}
    dynamodb.tag_resource(ResourceArn=table["TableArn"], Tags=[{"Key": f"k{n:02}", "Value": "v"} for n in range(11)])
    first = dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])
    second = dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"], NextToken=first["NextToken"])
    assert (len(first["Tags"]), [tag["Key"] for tag in second["Tags"]]) == (10, ["k10"])


def test_writes_count_what_their_checks_detect(dynamodb):
    wrong = dict(TableName="warm", Key={"id": {"S": "a"}})
    for more, words in [
        ({"UpdateExpression": ""}, "Invalid UpdateExpression: The expression can not be empty;"),
        ({"UpdateExpression": "SET a = b SET c = d"}, 'Invalid UpdateExpression: The "SET" section can only be used once'),
        (
            {"UpdateExpression": "ADD s :s", "ExpressionAttributeValues": {":s": {"SS": []}}},
            "One or more parameter values were invalid: An string set  may not be empty",
        ),
    ]:
        with pytest.raises(ClientError) as refusal:
            dynamodb.update_item(**wrong, **more)
        error = refusal.value.response["Error"]
        assert error["Code"] == "ValidationException"
        assert error["Message"].startswith("1 validation error detected: " + words)
