"""Lambda against `midwatch sim --listen`, by boto3: versions, aliases, destinations, policies, tags, filters; contents
and errors as AWS has them."""

import base64
import io
import json
import random
import uuid
import zipfile

import pytest
from botocore.exceptions import ClientError

from test_boto3 import ACCOUNT, REGION, client, fresh, serve, until

ROLE = f"arn:aws:iam::{ACCOUNT}:role/settle"


@pytest.fixture(scope="module")
def endpoint():
    """Twenty times as fast: what takes AWS a minute takes seconds, and fifteen control calls a second are three hundred."""
    yield from serve("--speed", "20")


@pytest.fixture(scope="module")
def functions(endpoint):
    return client(endpoint, "lambda")


@pytest.fixture(scope="module")
def sqs(endpoint):
    return client(endpoint, "sqs")


@pytest.fixture(scope="module")
def kinesis(endpoint):
    return client(endpoint, "kinesis")


def package(text="def handler(event, context):\n    return event\n"):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", text)
    return packed.getvalue()


def create(functions, **more):
    name = fresh("settle-bid")
    given = {
        "FunctionName": name,
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Role": ROLE,
        "Code": {"ZipFile": package()},
        "Timeout": 5,
    }
    functions.create_function(**(given | more))
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return name


@pytest.fixture
def name(functions):
    name = create(functions)
    yield name
    functions.delete_function(FunctionName=name)


def arn(name, qualifier=None):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}" + (f":{qualifier}" if qualifier else "")


def refused(code, call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    return error["Message"], caught.value.response


def queue(sqs, **attributes):
    made = sqs.create_queue(QueueName=fresh("told"), Attributes=attributes)["QueueUrl"]
    return made, sqs.get_queue_attributes(QueueUrl=made, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def bodies(sqs, url, seconds=30):
    """The messages of a queue, once there are some."""

    def ask():
        return sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
        ).get("Messages")

    return until(ask, seconds)


# --- states, versions, aliases -----------------------------------------------------------------------------------


def test_a_function_settles_and_every_change_makes_a_revision(functions):
    made = functions.create_function(
        FunctionName=(name := fresh("new")),
        Runtime="python3.13",
        Handler="app.handler",
        Role=ROLE,
        Code={"ZipFile": package()},
    )
    assert (made["State"], made["StateReasonCode"], made["Version"]) == ("Pending", "Creating", "$LATEST")
    assert "LastUpdateStatus" not in made and "Environment" not in made
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    active = functions.get_function(FunctionName=name)["Configuration"]
    assert (active["State"], active["LastUpdateStatus"]) == ("Active", "Successful")
    assert active["RevisionId"] != made["RevisionId"]
    updated = functions.update_function_configuration(FunctionName=name, Timeout=9, RevisionId=active["RevisionId"])
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    message, response = refused(
        "PreconditionFailedException",
        functions.update_function_code,
        FunctionName=name,
        ZipFile=package("2"),
        RevisionId=active["RevisionId"],
    )
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert message == (
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
        "retrieve the latest Revision Id"
    )
    functions.delete_function(FunctionName=name)


def test_versions_are_published_once_and_never_change(functions, name):
    first = functions.publish_version(FunctionName=name, Description="first")
    assert (first["Version"], first["FunctionArn"], first["Description"]) == ("1", arn(name, 1), "first")
    assert functions.publish_version(FunctionName=name)["Version"] == "1", "nothing has changed"
    changed = functions.update_function_code(FunctionName=name, ZipFile=package("x = 2\n"), Publish=True)
    assert (changed["Version"], changed["FunctionArn"]) == ("2", arn(name, 2))
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    old, new = (functions.get_function_configuration(FunctionName=name, Qualifier=q) for q in ("1", "2"))
    assert old["CodeSha256"] == first["CodeSha256"] != new["CodeSha256"]
    listed = functions.list_versions_by_function(FunctionName=name)["Versions"]
    assert [v["Version"] for v in listed] == ["$LATEST", "1", "2"]
    assert [v["FunctionArn"] for v in listed] == [arn(name, "$LATEST"), arn(name, 1), arn(name, 2)]
    assert "State" not in listed[0]
    everything = functions.get_paginator("list_functions").paginate(
        FunctionVersion="ALL", PaginationConfig={"PageSize": 2}
    )
    arns = [f["FunctionArn"] for page in everything for f in page["Functions"]]
    assert {arn(name, "$LATEST"), arn(name, 1), arn(name, 2)} <= set(arns)
    message, _ = refused(
        "InvalidParameterValueException", functions.publish_version, FunctionName=name, CodeSha256="wrong"
    )
    assert message == (
        f"CodeSHA256 (wrong) is different from current CodeSHA256 in $LATEST ({new['CodeSha256']}). "
        "Please try again with the CodeSHA256 in $LATEST."
    )
    functions.delete_function(FunctionName=name, Qualifier="1")
    message, _ = refused("ResourceNotFoundException", functions.get_function, FunctionName=name, Qualifier="1")
    assert message == f"Function not found: {arn(name, 1)}"
    assert functions.invoke(FunctionName=f"{name}:2")["ExecutedVersion"] == "2"


def test_an_alias_moves_splits_and_is_told_by_its_revision(functions, name):
    functions.publish_version(FunctionName=name)
    functions.update_function_configuration(FunctionName=name, Description="other")
    refused("ResourceConflictException", functions.publish_version, FunctionName=name)
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    functions.publish_version(FunctionName=name)
    made = functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="what is sold")
    assert (made["AliasArn"], made["Description"]) == (arn(name, "live"), "what is sold")
    assert "RoutingConfig" not in made
    split = functions.update_alias(
        FunctionName=name,
        Name="live",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
        RevisionId=made["RevisionId"],
    )
    assert split["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.5}}
    ran = [functions.invoke(FunctionName=name, Qualifier="live")["ExecutedVersion"] for _ in range(60)]
    assert 10 < ran.count("2") < 50
    message, response = refused(
        "PreconditionFailedException",
        functions.update_alias,
        FunctionName=name,
        Name="live",
        FunctionVersion="2",
        RevisionId=made["RevisionId"],
    )
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 412
    back = functions.update_alias(FunctionName=name, Name="live", FunctionVersion="2", RoutingConfig={})
    assert (back["FunctionVersion"], "RoutingConfig" in back) == ("2", False)
    assert {functions.invoke(FunctionName=arn(name, "live"))["ExecutedVersion"] for _ in range(5)} == {"2"}
    assert functions.get_function(FunctionName=name, Qualifier="live")["Configuration"]["FunctionArn"] == made["AliasArn"]
    aliases = functions.list_aliases(FunctionName=name, FunctionVersion="2")["Aliases"]
    assert [a["Name"] for a in aliases] == ["live"]
    message, _ = refused("ResourceConflictException", functions.delete_function, FunctionName=name, Qualifier="2")
    assert message == "Unable to delete version because the following aliases reference it: [live]"
    message, _ = refused(
        "ResourceConflictException", functions.create_alias, FunctionName=name, Name="live", FunctionVersion="1"
    )
    assert message == f"Alias already exists: {arn(name, 'live')}"
    message, _ = refused("ResourceNotFoundException", functions.get_alias, FunctionName=name, Name="none")
    assert message == f"Cannot find alias arn: {arn(name, 'none')}"
    functions.delete_alias(FunctionName=name, Name="live")
    assert functions.list_aliases(FunctionName=name)["Aliases"] == []


def test_name_and_qualifier_must_agree(functions, name):
    message, _ = refused(
        "InvalidParameterValueException", functions.get_function, FunctionName=f"{name}:$LATEST", Qualifier="1"
    )
    assert message == "The derived qualifier from the function name does not match the specified qualifier."
    for form in (name, arn(name), f"{ACCOUNT}:function:{name}", f"function:{name}", f"{name}:$LATEST"):
        assert functions.get_function_configuration(FunctionName=form)["FunctionName"] == name


# --- concurrency -------------------------------------------------------------------------------------------------


def test_reserved_concurrency_throttles_and_leaves_a_hundred(functions, name):
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert functions.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    _, response = refused("TooManyRequestsException", functions.invoke, FunctionName=name)
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    functions.delete_function_concurrency(FunctionName=name)
    message, _ = refused(
        "InvalidParameterValueException",
        functions.put_function_concurrency,
        FunctionName=name,
        ReservedConcurrentExecutions=901,
    )
    assert message.endswith("UnreservedConcurrentExecution below its minimum value of [100].")
    message, _ = refused(
        "ResourceNotFoundException",
        functions.put_function_concurrency,
        FunctionName="nobody",
        ReservedConcurrentExecutions=1,
    )
    assert message == f"Function not found: {arn('nobody', '$LATEST')}"


def test_provisioned_concurrency_is_in_progress_and_then_ready(functions, name):
    functions.publish_version(FunctionName=name)
    given = {"FunctionName": name, "Qualifier": "1"}
    message, _ = refused(
        "ProvisionedConcurrencyConfigNotFoundException", functions.get_provisioned_concurrency_config, **given
    )
    assert message == "No Provisioned Concurrency Config found for this function"
    put = functions.put_provisioned_concurrency_config(**given, ProvisionedConcurrentExecutions=2)
    assert (put["Status"], put["AllocatedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 0)
    ready = until(
        lambda: [c for c in [functions.get_provisioned_concurrency_config(**given)] if c["Status"] == "READY"], 30
    )[0]
    assert ready["AvailableProvisionedConcurrentExecutions"] == 2
    log = base64.b64decode(functions.invoke(FunctionName=f"{name}:1", LogType="Tail")["LogResult"]).decode()
    assert "Version: 1" in log and "Init Duration" not in log
    listed = functions.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert [c["FunctionArn"] for c in listed] == [arn(name, 1)]
    functions.delete_provisioned_concurrency_config(**given)


# --- asynchronous invocation -------------------------------------------------------------------------------------


def test_a_destination_gets_the_record_of_a_success(functions, sqs, name):
    url, target = queue(sqs)
    put = functions.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, DestinationConfig={"OnSuccess": {"Destination": target}}
    )
    assert put["FunctionArn"] == arn(name, "$LATEST")
    assert put["DestinationConfig"] == {"OnSuccess": {"Destination": target}, "OnFailure": {}}
    sent = functions.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"bid": 7}')
    assert sent["StatusCode"] == 202
    record = json.loads(bodies(sqs, url)[0]["Body"])
    assert record["version"] == "1.0"
    assert record["requestContext"] == {
        "requestId": sent["ResponseMetadata"]["RequestId"],
        "functionArn": arn(name, "$LATEST"),
        "condition": "Success",
        "approximateInvokeCount": 1,
    }
    assert record["requestPayload"] == record["responsePayload"] == {"bid": 7}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_an_event_of_a_stopped_function_goes_to_its_dead_letters_and_its_destination(functions, sqs):
    dead_url, dead = queue(sqs)
    url, target = queue(sqs)
    name = create(functions, DeadLetterConfig={"TargetArn": dead})
    functions.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnFailure": {"Destination": target}}
    )
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    functions.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"bid": 8}')
    message = bodies(sqs, dead_url)[0]
    assert json.loads(message["Body"]) == {"bid": 8}
    assert set(message["MessageAttributes"]) == {"RequestID", "ErrorCode", "ErrorMessage"}
    assert message["MessageAttributes"]["ErrorCode"]["DataType"] == "Number"
    record = json.loads(bodies(sqs, url)[0]["Body"])
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestPayload"] == {"bid": 8}
    functions.delete_function(FunctionName=name)


def test_settings_of_events_say_what_is_wrong(functions, name):
    put = functions.put_function_event_invoke_config
    message, _ = refused("InvalidParameterValueException", put, FunctionName=name)
    assert message == "You must specify at least one of error handling or destination setting."
    message, _ = refused("ResourceNotFoundException", put, FunctionName="nobody", MaximumRetryAttempts=1)
    assert message == "The function doesn't exist."
    missing = f"The function {arn(name, '$LATEST')} doesn't have an EventInvokeConfig"
    message, _ = refused("ResourceNotFoundException", functions.get_function_event_invoke_config, FunctionName=name)
    assert message == missing
    itself = {"OnFailure": {"Destination": arn(name)}}
    message, _ = refused("InvalidParameterValueException", put, FunctionName=name, DestinationConfig=itself)
    assert message == "You can't specify the function as a destination for itself."
    put(FunctionName=name, MaximumRetryAttempts=2, MaximumEventAgeInSeconds=60)
    functions.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    got = functions.get_function_event_invoke_config(FunctionName=name)
    assert (got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"]) == (0, 60)
    listed = functions.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
    assert [c["FunctionArn"] for c in listed] == [arn(name, "$LATEST")]
    functions.delete_function_event_invoke_config(FunctionName=name)


# --- policies and tags -------------------------------------------------------------------------------------------


def test_permissions_make_a_policy(functions, name):
    added = functions.add_permission(
        FunctionName=name,
        StatementId="sns",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:promo",
    )
    statement = {
        "Sid": "sns",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": arn(name),
        "Condition": {"ArnLike": {"AWS:SourceArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:promo"}},
    }
    assert json.loads(added["Statement"]) == statement
    got = functions.get_policy(FunctionName=name)
    assert json.loads(got["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [statement]}
    assert got["RevisionId"] == functions.get_function_configuration(FunctionName=name)["RevisionId"]
    message, _ = refused(
        "ResourceConflictException",
        functions.add_permission,
        FunctionName=name,
        StatementId="sns",
        Action="lambda:InvokeFunction",
        Principal="*",
    )
    assert message == (
        "The statement id (sns) provided already exists. Please provide a new statement id, or remove the existing "
        "statement."
    )
    message, _ = refused(
        "ResourceNotFoundException", functions.remove_permission, FunctionName=name, StatementId="none"
    )
    assert message == "Statement none is not found in resource policy."
    functions.remove_permission(FunctionName=name, StatementId="sns", RevisionId=got["RevisionId"])
    message, _ = refused("ResourceNotFoundException", functions.get_policy, FunctionName=name)
    assert message == "The resource you requested does not exist."


def test_tags_of_a_function(functions):
    name = create(functions, Tags={"team": "hotel"})
    functions.tag_resource(Resource=arn(name), Tags={"stage": "sale", "team": "bids"})
    assert functions.list_tags(Resource=arn(name))["Tags"] == {"team": "bids", "stage": "sale"}
    functions.untag_resource(Resource=arn(name), TagKeys=["stage", "none"])
    assert functions.get_function(FunctionName=name)["Tags"] == {"team": "bids"}
    message, _ = refused(
        "InvalidParameterValueException", functions.tag_resource, Resource=arn(name, "1"), Tags={"a": "b"}
    )
    assert message == "Tags on function aliases and versions are not supported. Please specify a function ARN."
    functions.delete_function(FunctionName=name)
    message, _ = refused("ResourceNotFoundException", functions.list_tags, Resource=arn(name))
    assert message == f"Function not found: {arn(name)}"


def test_what_a_configuration_echoes(functions):
    layer = functions.publish_layer_version(LayerName="base", Content={"ZipFile": package()})["LayerVersionArn"]
    name = create(
        functions,
        Environment={"Variables": {"STAGE": "sale"}},
        Layers=[layer],
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "WARN"},
        EphemeralStorage={"Size": 1024},
        Architectures=["arm64"],
        TracingConfig={"Mode": "Active"},
    )
    got = functions.get_function_configuration(FunctionName=name)
    assert got["Environment"] == {"Variables": {"STAGE": "sale"}}
    assert [used["Arn"] for used in got["Layers"]] == [layer]
    assert got["VpcConfig"]["SubnetIds"] == ["subnet-1"]
    assert got["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "INFO",
        "SystemLogLevel": "WARN",
        "LogGroup": f"/aws/lambda/{name}",
    }
    assert (got["EphemeralStorage"], got["Architectures"]) == ({"Size": 1024}, ["arm64"])
    functions.delete_function(FunctionName=name)


# --- event source mappings ---------------------------------------------------------------------------------------


def test_a_filter_lets_through_what_matches_and_deletes_the_rest(functions, sqs, name):
    url, source = queue(sqs, VisibilityTimeout="30")
    criteria = {"Filters": [{"Pattern": json.dumps({"body": {"room": ["suite"]}})}]}
    message, _ = refused(
        "InvalidParameterValueException",
        functions.create_event_source_mapping,
        EventSourceArn=source,
        FunctionName=name,
        FilterCriteria={"Filters": [{"Pattern": "no json"}]},
    )
    assert message == "Invalid filter pattern definition."
    mapping = functions.create_event_source_mapping(
        EventSourceArn=source,
        FunctionName=name,
        FilterCriteria=criteria,
        MetricsConfig={"Metrics": ["EventCount"]},
        ScalingConfig={"MaximumConcurrency": 2},
    )
    assert mapping["FilterCriteria"] == criteria
    assert mapping["MetricsConfig"] == {"Metrics": ["EventCount"]}
    for room in ("suite", "single", "double"):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"room": room}))

    def is_empty():
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return set(found.values()) == {"0"}

    until(is_empty, 30)
    functions.delete_event_source_mapping(UUID=mapping["UUID"])


def test_a_mapping_on_an_alias_names_the_alias(functions, kinesis, name):
    functions.publish_version(FunctionName=name)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    stream = fresh("bids")
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
    mapping = functions.create_event_source_mapping(
        EventSourceArn=f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}",
        FunctionName=arn(name, "live"),
        StartingPosition="TRIM_HORIZON",
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=3,
        ParallelizationFactor=2,
        TumblingWindowInSeconds=60,
    )
    assert mapping["FunctionArn"] == arn(name, "live")
    assert (mapping["State"], mapping["LastProcessingResult"]) == ("Creating", "No records processed")
    assert (mapping["MaximumRetryAttempts"], mapping["TumblingWindowInSeconds"]) == (3, 60)
    kinesis.put_record(StreamName=stream, Data=b"{}", PartitionKey="a")

    def processed():
        return functions.get_event_source_mapping(UUID=mapping["UUID"])["LastProcessingResult"] == "OK"

    until(processed, 30)
    functions.delete_event_source_mapping(UUID=mapping["UUID"])
    kinesis.delete_stream(StreamName=stream)


def test_an_unknown_mapping(functions):
    message, response = refused(
        "ResourceNotFoundException", functions.get_event_source_mapping, UUID=str(uuid.uuid4())
    )
    assert message == "The resource you requested does not exist."
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_layers_are_published_listed_and_used(functions):
    layer = fresh("base")
    content = {"ZipFile": b"PK\x05\x06" + b"\0" * 18}
    first = functions.publish_layer_version(LayerName=layer, Content=content, CompatibleRuntimes=["python3.13"])
    assert first["Version"] == 1 and first["LayerVersionArn"] == first["LayerArn"] + ":1"
    assert functions.publish_layer_version(LayerName=layer, Content=content)["Version"] == 2
    listed = functions.list_layer_versions(LayerName=layer)["LayerVersions"]
    assert [version["Version"] for version in listed] == [2, 1]
    assert functions.get_layer_version_by_arn(Arn=first["LayerVersionArn"])["Content"] == first["Content"]
    added = functions.add_layer_version_permission(
        LayerName=layer, VersionNumber=1, StatementId="all", Action="lambda:GetLayerVersion", Principal="*"
    )
    assert json.loads(added["Statement"])["Resource"] == first["LayerVersionArn"]
    policy = functions.get_layer_version_policy(LayerName=layer, VersionNumber=1)
    assert policy["RevisionId"] == added["RevisionId"]
    functions.delete_layer_version(LayerName=first["LayerArn"], VersionNumber=1)
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_layer_version(LayerName=layer, VersionNumber=1)


def test_an_answer_in_a_stream_is_read_by_its_chunks(functions):
    name = fresh("streamed")
    functions.create_function(
        FunctionName=name,
        Role=ROLE,
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": b"PK\x05\x06" + b"\0" * 18},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    answer = functions.invoke_with_response_stream(FunctionName=name, Payload=b'{"n":1}', LogType="Tail")
    assert answer["ExecutedVersion"] == "$LATEST"
    events = list(answer["EventStream"])
    chunks = b"".join(event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event)
    assert json.loads(chunks) == {"n": 1}
    assert b"START RequestId" in base64.b64decode(events[-1]["InvokeComplete"]["LogResult"])


def test_a_package_may_be_large_and_not_too_large(functions):
    def packed(size, noise):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data", random.Random(1).randbytes(size) if noise else bytes(size))
        return held.getvalue()

    large = packed(20 << 20, noise=True)
    name = create(functions, Code={"ZipFile": large})
    assert functions.get_function(FunctionName=name)["Configuration"]["CodeSize"] == len(large)
    with pytest.raises(ClientError) as refused:
        create(functions, Code={"ZipFile": packed(262_144_001, noise=False)})
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert refused.value.response["Error"]["Message"] == "Unzipped size must be smaller than 262144000 bytes"
    with pytest.raises(ClientError) as refused:
        create(functions, Code={"ZipFile": packed(60 << 20, noise=True)})
    assert refused.value.response["Error"] == {
        "Code": "RequestEntityTooLargeException",
        "Message": "Request must be smaller than 70167211 bytes for the CreateFunction operation",
    }
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
