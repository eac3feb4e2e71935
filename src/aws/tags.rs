//! The poll of the Resource Groups Tagging API: which resources of all services bear the tags that a filter names.

use crate::aws::arn_name;
use crate::aws::clients::Clients;
use crate::aws::draft::Draft;
use crate::aws::errors::trouble;
use crate::aws::operations::GET_RESOURCES;
use crate::domain::row::{KindId, ResourceId};
use crate::domain::tag::{TagWanted, Tags};
use aws_sdk_resourcegroupstagging::types::TagFilter;

/// GetResources gives a hundred resources a page: ten thousand with one tag are more than anybody watches.
const PAGES_MAX: usize = 100;
const PAGE: i32 = 100;

/// What is tagged beside what is watched is not asked for.
const TYPES: [&str; 8] = [
    "kinesis:stream",
    "sqs",
    "lambda:function",
    "sns",
    "swf",
    "firehose:deliverystream",
    "cloudwatch:alarm",
    "dynamodb:table",
];

/// What a failure means for the screen.
const UNTIL_THEN: &str = "Until then, all that only a tag would hide is watched, or hidden as it was.";

pub async fn tags(clients: &Clients, wanted: &[TagWanted]) -> Draft {
    let mut draft = Draft::default();
    let mut tags = Tags::default();
    for one in wanted {
        if !read(clients, one, &mut tags, &mut draft).await {
            return draft;
        }
    }
    draft.tags(tags);
    draft
}

/// Every page of one key; `false` where one did not come.
async fn read(clients: &Clients, wanted: &TagWanted, tags: &mut Tags, draft: &mut Draft) -> bool {
    let values = Some(wanted.values.clone()).filter(|values| !values.is_empty());
    let filter = TagFilter::builder().key(&wanted.key).set_values(values).build();
    let mut token: Option<String> = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&GET_RESOURCES).await;
        let request = clients.tagging.get_resources().tag_filters(filter.clone()).resources_per_page(PAGE);
        let request = request.set_resource_type_filters(Some(TYPES.map(str::to_owned).into()));
        match request.set_pagination_token(token).send().await {
            Ok(page) => {
                for resource in page.resource_tag_mapping_list() {
                    let Some(id) = resource.resource_arn().and_then(id) else { continue };
                    for tag in resource.tags().iter().filter(|tag| tag.key() == wanted.key) {
                        tags.add(id.clone(), tag.key(), tag.value());
                    }
                }
                token = page.pagination_token.filter(|token| !token.is_empty());
            }
            Err(error) => {
                let mut trouble = trouble(&error, &GET_RESOURCES, clients.place());
                trouble.sentence = format!("{} {UNTIL_THEN}", trouble.sentence);
                draft.whole(&GET_RESOURCES, trouble);
                return false;
            }
        }
        if token.is_none() {
            break;
        }
    }
    true
}

/// The watched resource of this ARN. What is a part of one (a stream's consumer) is none.
fn id(arn: &str) -> Option<ResourceId> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next()?, parts.nth(2)?);
    let named = |kind, name: &str| (!name.is_empty()).then(|| ResourceId::new(kind, name));
    match service {
        "sqs" => named(KindId::Sqs, resource),
        "sns" => named(KindId::Sns, resource).filter(|_| !resource.contains(':')),
        "kinesis" => named(KindId::Kinesis, resource.strip_prefix("stream/")?).filter(|id| !id.name.contains('/')),
        "lambda" if resource.starts_with("function:") => named(KindId::Lambda, arn_name(arn)?),
        "firehose" => named(KindId::Firehose, resource.strip_prefix("deliverystream/")?),
        "cloudwatch" => named(KindId::Alarm, resource.strip_prefix("alarm:")?),
        "swf" => named(KindId::Swf, resource.strip_prefix("/domain/")?),
        "dynamodb" => named(KindId::Kcl, resource.strip_prefix("table/")?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_what_is_watched_and_no_part_of_it() {
        for (resource, told) in [
            ("sqs:eu-west-1:123456789012:orders", Some("sqs/orders")),
            ("kinesis:eu-west-1:123456789012:stream/bids", Some("kinesis/bids")),
            ("kinesis:eu-west-1:123456789012:stream/bids/consumer/app:1", None),
            ("lambda:eu-west-1:123456789012:function:settle", Some("lambda/settle")),
            ("lambda:eu-west-1:123456789012:event-source-mapping:0a", None),
            ("sns:eu-west-1:123456789012:promo", Some("sns/promo")),
            ("swf:eu-west-1:123456789012:/domain/hotel", Some("swf/hotel")),
            ("firehose:eu-west-1:123456789012:deliverystream/lake", Some("firehose/lake")),
            ("cloudwatch:eu-west-1:123456789012:alarm:late: very/late", Some("alarm/late: very/late")),
            ("dynamodb:eu-west-1:123456789012:table/fraud-watch", Some("kcl/fraud-watch")),
            ("ec2:eu-west-1:123456789012:instance/i-1", None),
        ] {
            let id = id(&format!("arn:aws:{resource}")).map(|id| id.to_string());
            assert_eq!(id.as_deref(), told, "{resource}");
        }
        assert_eq!(id("orders"), None);
    }
}
