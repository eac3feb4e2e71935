//! The bounds of the members of requests about alarms, in AWS's words.

use super::tests::{refused, world};
use serde_json::json;

#[test]
fn members_out_of_their_bounds_are_refused() {
    let mut world = world();
    let long = "a".repeat(256);
    let names = json!({"AlarmNames": ["errors", ""]});
    let longer = "The parameter AlarmNames.member.2 must be longer than 0 characters.";
    for operation in ["DescribeAlarms", "DeleteAlarms", "EnableAlarmActions", "DisableAlarmActions"] {
        let expected = ("InvalidParameterValue", longer.to_owned());
        assert_eq!(refused(&mut world, operation, names.clone()), expected, "{operation}");
    }
    let metric = |more: &str, value: serde_json::Value| {
        let mut input = json!({"Namespace": "App", "MetricName": "Calls"});
        input[more] = value;
        input
    };
    for (operation, input, words) in [
        ("DescribeAlarms", json!({"AlarmNames": [long]}), "AlarmNames.member.1 must be shorter than 256 characters."),
        (
            "DescribeAlarms",
            json!({"ChildrenOfAlarmName": long}),
            "ChildrenOfAlarmName must be shorter than 256 characters.",
        ),
        ("DescribeAlarms", json!({"ParentsOfAlarmName": ""}), "ParentsOfAlarmName must be longer than 0 characters."),
        (
            "DescribeAlarmHistory",
            json!({"AlarmContributorId": "12345678901234567"}),
            "AlarmContributorId must be shorter than 17 characters.",
        ),
        ("ListMetrics", json!({"OwningAccount": ""}), "OwningAccount must be longer than 0 characters."),
        (
            "DescribeAlarmsForMetric",
            metric("Statistic", json!("p90")),
            "Statistic must be a value in the set [ SampleCount, Average, Sum, Minimum, Maximum ].",
        ),
        ("DescribeAlarmsForMetric", metric("Period", json!(0)), "Period must be greater than or equal to 1."),
    ] {
        let expected = ("InvalidParameterValue", format!("The parameter {words}"));
        assert_eq!(refused(&mut world, operation, input), expected, "{operation}");
    }
    let another = refused(&mut world, "DescribeAlarmHistory", json!({"AlarmContributorId": 7}));
    assert_eq!(another.0, "SerializationException");
}
