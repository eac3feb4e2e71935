//! Which resources a request names, by their names, so that a fault can be about one of them.

use crate::sim::kinesis::ShardIterator;
use crate::sim::lambda::wire::Route;
use crate::sim::wire::Service;
use crate::sim::world::World;
use serde_json::Value;

/// The names in a request's input.
pub fn named_in(service: Service, input: &Value) -> Vec<String> {
    let text = |member: &str| input.get(member).and_then(Value::as_str);
    let last = |text: &str, by: char| text.trim_end_matches('/').rsplit(by).next().unwrap_or(text).to_owned();
    let found: Vec<Option<String>> = match service {
        Service::Sqs => vec![
            text("QueueUrl").map(|url| last(url, '/')),
            text("QueueName").map(str::to_owned),
            text("SourceArn").map(|arn| last(arn, ':')),
        ],
        Service::Kinesis => {
            let iterator = text("ShardIterator").and_then(ShardIterator::stream_of);
            let arn = ["StreamARN", "ConsumerARN", "ResourceARN"].into_iter().find_map(text);
            vec![text("StreamName").map(str::to_owned), iterator, arn.and_then(stream_in)]
        }
        Service::Sns => {
            let arn = ["TopicArn", "TargetArn", "SubscriptionArn", "ResourceArn"].into_iter().find_map(text);
            vec![arn.and_then(|arn| arn.split(':').nth(5)).map(str::to_owned)]
        }
        Service::Swf => vec![text("domain").or(text("name")).map(str::to_owned)],
        Service::Firehose => vec![text("DeliveryStreamName").map(str::to_owned)],
        Service::Logs => vec![
            text("logGroupName").map(str::to_owned),
            text("logGroupIdentifier").and_then(|arn| arn.split(":log-group:").last()).map(|name| last(name, ':')),
        ],
        Service::DynamoDb => return tables_in(input),
        Service::CloudWatch => vec![text("AlarmName").map(str::to_owned)],
        Service::Sts => vec![text("RoleArn").map(str::to_owned)],
        Service::CloudTrail | Service::Iam | Service::Lambda | Service::Tagging => vec![],
    };
    found.into_iter().flatten().collect()
}

/// `stream/NAME` in an ARN of a stream or of its consumer.
fn stream_in(arn: &str) -> Option<String> {
    let (_, rest) = arn.split_once(":stream/")?;
    rest.split('/').next().map(str::to_owned)
}

/// Tables of one item's request, of a batch and of a transaction; by name or by ARN.
fn tables_in(input: &Value) -> Vec<String> {
    let name = |text: &str| text.split_once(":table/").map_or(text, |(_, rest)| rest).to_owned();
    let name = |text: &str| name(text).split('/').next().unwrap_or_default().to_owned();
    let of_one = input.get("TableName").and_then(Value::as_str).map(name);
    let batch = input.get("RequestItems").and_then(Value::as_object);
    let of_batch = batch.into_iter().flat_map(|tables| tables.keys()).map(|table| name(table));
    let steps = input.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
    let of_steps = steps
        .filter_map(Value::as_object)
        .flat_map(|step| step.values())
        .filter_map(|step| step.get("TableName").and_then(Value::as_str))
        .map(name);
    of_one.into_iter().chain(of_batch).chain(of_steps).collect()
}

/// The function that a request of Lambda's API is about: in its path, in its body, or that of its mapping.
pub fn named_in_route(world: &World, route: &Route, body: &[u8]) -> Vec<String> {
    if route.operation == "CreateFunction" || route.operation == "CreateEventSourceMapping" {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        return body.get("FunctionName").and_then(Value::as_str).map(function_in).into_iter().collect();
    }
    let of_mapping = world.lambda.mappings().find(|(_, mapping)| mapping.uuid == route.target);
    let function = of_mapping.and_then(|(_, mapping)| world.lambda.function(mapping.function));
    let name = function.map_or_else(|| function_in(&route.target), |function| function.name.clone());
    if name.is_empty() { vec![] } else { vec![name] }
}

/// `NAME`, `NAME:QUALIFIER`, `ACCOUNT:function:NAME` or an ARN.
fn function_in(text: &str) -> String {
    let rest = text.rsplit_once("function:").map_or(text, |(_, rest)| rest);
    rest.split(':').next().unwrap_or(rest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_names_its_resources_in_many_ways() {
        for (service, input, wanted) in [
            (Service::Sqs, json!({"QueueUrl": "http://x/123456789012/orders"}), vec!["orders"]),
            (Service::Sqs, json!({"SourceArn": "arn:aws:sqs:eu-west-1:123456789012:dead"}), vec!["dead"]),
            (Service::Kinesis, json!({"StreamARN": "arn:aws:kinesis:eu-west-1:1:stream/bids"}), vec!["bids"]),
            (Service::Kinesis, json!({"ConsumerARN": "arn:aws:kinesis:e:1:stream/bids/consumer/c:1"}), vec!["bids"]),
            (Service::Sns, json!({"SubscriptionArn": "arn:aws:sns:eu-west-1:1:promo:0a"}), vec!["promo"]),
            (Service::DynamoDb, json!({"RequestItems": {"a": [], "b": []}}), vec!["a", "b"]),
            (Service::DynamoDb, json!({"TransactItems": [{"Put": {"TableName": "c"}}]}), vec!["c"]),
            (Service::Sts, json!({"RoleArn": "arn:aws:iam::1:role/x"}), vec!["arn:aws:iam::1:role/x"]),
            (Service::CloudTrail, json!({}), vec![]),
        ] {
            assert_eq!(named_in(service, &input), wanted, "{input}");
        }
        for text in ["f", "f:live", "1:function:f", "arn:aws:lambda:eu-west-1:1:function:f:live"] {
            assert_eq!(function_in(text), "f", "{text}");
        }
    }
}
