"""CloudWatch's metrics through boto3: what was put with a resolution of a second."""

import time

import pytest
from test_boto3 import client, fresh, serve


@pytest.fixture(scope="module")
def endpoint():
    yield from serve()


def test_seconds_are_read_where_they_were_put_with_high_resolution(endpoint):
    cloudwatch = client(endpoint, "cloudwatch", attempts=8)
    space = fresh("Fine")
    at = int(time.time()) // 60 * 60 - 120
    data = [
        {"MetricName": "Depth", "Value": value, "Timestamp": at + second, "StorageResolution": 1}
        for second, value in [(1, 1.0), (12, 5.0), (13, 6.0)]
    ]
    cloudwatch.put_metric_data(Namespace=space, MetricData=data)

    def sums(period):
        query = {
            "Id": "q",
            "MetricStat": {"Metric": {"Namespace": space, "MetricName": "Depth"}, "Period": period, "Stat": "Sum"},
        }
        (found,) = cloudwatch.get_metric_data(
            MetricDataQueries=[query], StartTime=at, EndTime=at + 60, ScanBy="TimestampAscending"
        )["MetricDataResults"]
        return [(int(when.timestamp()) - at, value) for when, value in zip(found["Timestamps"], found["Values"])]

    assert sums(1) == [(1, 1.0), (12, 5.0), (13, 6.0)]
    assert sums(10) == [(0, 1.0), (10, 11.0)]
    assert sums(60) == [(0, 12.0)]


def test_a_query_in_sql_groups_metrics_and_puts_them_in_order(endpoint):
    cloudwatch = client(endpoint, "cloudwatch", attempts=8)
    space = fresh("Sql")
    at = int(time.time()) // 60 * 60 - 120
    data = [
        {"MetricName": "Depth", "Value": value, "Timestamp": at, "Dimensions": [{"Name": "Queue", "Value": queue}]}
        for queue, value in [("orders", 1.0), ("orders", 3.0), ("bids", 7.0), ("refunds", 5.0)]
    ]
    cloudwatch.put_metric_data(Namespace=space, MetricData=data)

    def found(sql):
        query = {"Id": "q", "Expression": sql.format(space=space), "Period": 60}
        answer = cloudwatch.get_metric_data(MetricDataQueries=[query], StartTime=at, EndTime=at + 60)
        return [(result["Label"], result["Values"]) for result in answer["MetricDataResults"]]

    grouped = 'SELECT AVG(Depth) FROM SCHEMA("{space}", Queue) GROUP BY Queue ORDER BY AVG() DESC'
    assert found(grouped) == [("bids", [7.0]), ("refunds", [5.0]), ("orders", [2.0])]
    assert found(f"{grouped} LIMIT 1") == [("bids", [7.0])]
    assert found("SELECT SUM(Depth) FROM \"{space}\" WHERE Queue != 'bids'") == [("q", [9.0])]
    with pytest.raises(cloudwatch.exceptions.ClientError) as refused:
        found('SELECT AVG(Depth) FROM "{space}" LIMIT 0')
    assert refused.value.response["Error"]["Code"] == "ValidationError"
