//! Polls of Firehose: the list of delivery streams, and where each of them reads and delivers.

use crate::aws::clients::Clients;
use crate::aws::draft::{Draft, blank};
use crate::aws::errors::trouble;
use crate::aws::operations::{DESCRIBE_DELIVERY_STREAM, LIST_DELIVERY_STREAMS};
use crate::aws::{arn_name, arn_place};
use crate::domain::field::Field;
use crate::domain::poll::{RowUpdate, Target};
use crate::domain::row::{KindId, Link, Relation, ResourceId};
use crate::domain::time::Timestamp;
use crate::domain::value::Value;
use crate::kinds::firehose;
use aws_sdk_firehose::types::{DeliveryStreamDescription, DestinationDescription};

/// ListDeliveryStreams gives ten a page unless asked for more.
const PAGE: i32 = 1000;
const PAGES_MAX: usize = 10;

const DESCRIBED_FIELDS: [&Field; 4] = [&firehose::STATUS, &firehose::SOURCE, &firehose::DESTINATION, &firehose::ARN];

/// Every delivery stream by name.
pub async fn inventory(clients: &Clients, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let mut names: Vec<String> = Vec::new();
    let mut complete = false;
    for _ in 0..PAGES_MAX {
        clients.turn(&LIST_DELIVERY_STREAMS).await;
        let request = clients.firehose.list_delivery_streams().limit(PAGE);
        match request.set_exclusive_start_delivery_stream_name(names.last().cloned()).send().await {
            Ok(page) => {
                complete = !page.has_more_delivery_streams || page.delivery_stream_names.is_empty();
                names.extend(page.delivery_stream_names);
            }
            Err(error) => {
                draft.whole(&LIST_DELIVERY_STREAMS, trouble(&error, &LIST_DELIVERY_STREAMS, clients.place()));
                break;
            }
        }
        if complete {
            break;
        }
    }
    let ids: Vec<ResourceId> = names.into_iter().map(|name| ResourceId::new(KindId::Firehose, name)).collect();
    for id in &ids {
        draft.update(blank(id, now));
    }
    if complete {
        draft.inventory(KindId::Firehose, ids);
    }
    draft
}

/// State, source and destination of these delivery streams.
pub async fn direct(clients: &Clients, targets: &[Target], now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    for target in targets {
        let mut update = blank(&target.id, now);
        clients.turn(&DESCRIBE_DELIVERY_STREAM).await;
        let request = clients.firehose.describe_delivery_stream().delivery_stream_name(&target.id.name);
        match request.send().await {
            Ok(answer) => {
                if let Some(described) = answer.delivery_stream_description {
                    set_described(&mut update, &described, now);
                }
            }
            Err(error) => {
                let trouble = trouble(&error, &DESCRIBE_DELIVERY_STREAM, clients.place());
                draft.resource(&DESCRIBE_DELIVERY_STREAM, trouble, &mut update, &DESCRIBED_FIELDS);
            }
        }
        draft.update(update);
    }
    draft
}

fn set_described(update: &mut RowUpdate, described: &DeliveryStreamDescription, now: Timestamp) {
    update.fields.set(&firehose::STATUS, Value::text(described.delivery_stream_status.as_str(), now));
    update.fields.set(&firehose::ARN, Value::text(described.delivery_stream_arn.as_str(), now));
    let stream = described.source.as_ref().and_then(|source| source.kinesis_stream_source_description.as_ref());
    let stream_arn = stream.and_then(|stream| stream.kinesis_stream_arn.as_deref());
    let source = stream_arn.map_or("direct put", |arn| arn_name(arn).unwrap_or(arn));
    update.fields.set(&firehose::SOURCE, Value::text(source, now));
    let to = described.destinations.first().map_or("nowhere".to_owned(), destination);
    update.fields.set(&firehose::DESTINATION, Value::text(to, now));
    let is_near = |arn: &&str| arn_place(arn) == arn_place(&described.delivery_stream_arn);
    let link = stream_arn
        .filter(is_near)
        .and_then(arn_name)
        .map(|name| Link { to: ResourceId::new(KindId::Kinesis, name), relation: Relation::FedBy });
    update.links = Some(link.into_iter().collect());
}

/// The service it delivers to, and the bucket where that is S3.
fn destination(destination: &DestinationDescription) -> String {
    let extended = destination.extended_s3_destination_description.as_ref().map(|s3| s3.bucket_arn.as_str());
    let plain = || destination.s3_destination_description.as_ref().map(|s3| s3.bucket_arn.as_str());
    let others = [
        (destination.redshift_destination_description.is_some(), "Redshift"),
        (destination.amazonopensearchservice_destination_description.is_some(), "OpenSearch"),
        (destination.amazon_open_search_serverless_destination_description.is_some(), "OpenSearch Serverless"),
        (destination.elasticsearch_destination_description.is_some(), "Elasticsearch"),
        (destination.splunk_destination_description.is_some(), "Splunk"),
        (destination.http_endpoint_destination_description.is_some(), "an HTTP endpoint"),
        (destination.snowflake_destination_description.is_some(), "Snowflake"),
        (destination.iceberg_destination_description.is_some(), "Iceberg tables"),
    ];
    if let Some((_, name)) = others.iter().find(|(is_there, _)| *is_there) {
        return (*name).to_owned();
    }
    let bucket = extended.or_else(plain).and_then(|arn| arn.rsplit(':').next());
    bucket.map_or("somewhere".to_owned(), |bucket| format!("s3://{bucket}"))
}
