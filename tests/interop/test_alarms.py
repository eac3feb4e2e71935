"""CloudWatch alarms through boto3: over CBOR, AWS JSON and the query protocol, by their contents."""

import datetime
import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from test_boto3 import REGION, client, fresh, refused, serve, until


@pytest.fixture(scope="module")
def endpoint():
    """Time runs sixty times as fast: a minute of evaluation passes in a second."""
    yield from serve("--speed", "60")


@pytest.fixture(scope="module")
def cloudwatch(endpoint):
    return client(endpoint, "cloudwatch", attempts=8)


def alarm(name, **more):
    return {
        "AlarmName": name,
        "Namespace": "Hotel",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 2.0,
        "ComparisonOperator": "GreaterThanThreshold",
    } | more


def state(cloudwatch, name):
    return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]


def test_an_alarm_goes_off_for_its_metric_and_says_why(cloudwatch):
    name, metric = fresh("errors"), fresh("Errors")
    cloudwatch.put_metric_alarm(**alarm(name, MetricName=metric, TreatMissingData="notBreaching"))
    described = state(cloudwatch, name)
    assert described["AlarmArn"] == f"arn:aws:cloudwatch:{REGION}:123456789012:alarm:{name}"
    assert isinstance(described["AlarmConfigurationUpdatedTimestamp"], datetime.datetime)
    until(lambda: state(cloudwatch, name)["StateValue"] == "OK")
    cloudwatch.put_metric_data(Namespace="Hotel", MetricData=[{"MetricName": metric, "Value": 21.5}])
    found = until(lambda: (s := state(cloudwatch, name))["StateValue"] == "ALARM" and s)
    assert found["StateReason"].startswith("Threshold Crossed: 1 datapoint [21.5 (")
    assert found["StateReason"].endswith("was greater than the threshold (2.0).")
    data = json.loads(found["StateReasonData"])
    assert data["recentDatapoints"] == [21.5] and data["statistic"] == "Sum" and data["period"] == 60
    until(lambda: state(cloudwatch, name)["StateValue"] == "OK")
    items = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items][:2] == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to ALARM",
    ]
    assert json.loads(items[1]["HistoryData"])["newState"]["stateReason"] == found["StateReason"]


@pytest.mark.parametrize("protocol", ["json", "query"])
def test_the_older_protocols_say_the_same(endpoint, cloudwatch, protocol):
    name = fresh("older")
    session = boto3.session.Session()
    loader = session._session.get_component("data_loader")
    model = loader.load_service_model("cloudwatch", "service-2")
    kept = model["metadata"]["protocol"], model["metadata"].get("protocols")
    try:
        model["metadata"]["protocol"], model["metadata"]["protocols"] = protocol, [protocol]
        other = session.client(
            "cloudwatch",
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 8}),
        )
        other.put_metric_alarm(**alarm(name, Tags=[{"Key": "team", "Value": "orders"}], AlarmDescription="a & b"))
        one, two = state(other, name), state(cloudwatch, name)
        assert one == two and one["AlarmDescription"] == "a & b" and one["Threshold"] == 2.0
        assert other.list_tags_for_resource(ResourceARN=one["AlarmArn"])["Tags"] == [{"Key": "team", "Value": "orders"}]
        refused("ResourceNotFound", other.set_alarm_state, AlarmName="ghost", StateValue="OK", StateReason="x")
    finally:
        model["metadata"]["protocol"], model["metadata"]["protocols"] = kept


def test_composite_alarms_and_their_children(cloudwatch):
    child, parent = fresh("child"), fresh("parent")
    cloudwatch.put_metric_alarm(**alarm(child, TreatMissingData="ignore", MetricName=fresh("Silent")))
    cloudwatch.put_composite_alarm(AlarmName=parent, AlarmRule=f'ALARM("{child}")')
    cloudwatch.set_alarm_state(AlarmName=child, StateValue="ALARM", StateReason="testing alarm")
    found = cloudwatch.describe_alarms(AlarmNames=[parent], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
    assert found["StateValue"] == "ALARM" and f"alarm:{child} transitioned to ALARM at" in found["StateReason"]
    assert cloudwatch.describe_alarms(AlarmNames=[parent])["MetricAlarms"] == []
    children = cloudwatch.describe_alarms(ChildrenOfAlarmName=parent)["MetricAlarms"]
    assert [(c["AlarmName"], c["StateValue"]) for c in children] == [(child, "ALARM")]
    with pytest.raises(ClientError) as caught:
        cloudwatch.put_composite_alarm(AlarmName=fresh("x"), AlarmRule="ALARM(nobody-at-all)")
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_an_expression_is_watched(cloudwatch):
    name, metric = fresh("rate"), fresh("Calls")
    stat = {"Metric": {"Namespace": "Hotel", "MetricName": metric}, "Period": 60, "Stat": "Sum"}
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Metrics=[
            {"Id": "calls", "MetricStat": stat, "ReturnData": False},
            {"Id": "twice", "Expression": "calls * 2", "ReturnData": True},
        ],
    )
    cloudwatch.put_metric_data(Namespace="Hotel", MetricData=[{"MetricName": metric, "Value": 5.0}])
    found = until(lambda: (s := state(cloudwatch, name))["StateValue"] == "ALARM" and s)
    assert "[10.0 (" in found["StateReason"] and found["Metrics"][1]["Expression"] == "calls * 2"
    # An alarm of an expression is on none of the metrics that it reckons with.
    assert cloudwatch.describe_alarms_for_metric(Namespace="Hotel", MetricName=metric)["MetricAlarms"] == []


def test_refusals_pages_and_deletion(cloudwatch):
    message = refused("ValidationError", cloudwatch.put_metric_alarm, **alarm("x", ComparisonOperator="Above"))
    assert "at 'comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: [" in message
    names = [fresh("paged") for _ in range(5)]
    for name in names:
        cloudwatch.put_metric_alarm(**alarm(name))
    pages = list(
        cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix="paged-", PaginationConfig={"PageSize": 2})
    )
    assert len(pages) == 3 and sorted(names) == [a["AlarmName"] for page in pages for a in page["MetricAlarms"]]
    cloudwatch.delete_alarms(AlarmNames=names)
    assert cloudwatch.describe_alarms(AlarmNamePrefix="paged-")["MetricAlarms"] == []
