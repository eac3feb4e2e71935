//! GetResources, GetTagKeys and GetTagValues: filters, pages and their limits.

use super::resources::{Tagged, tagged};
use crate::sim::error::ApiError;
use crate::sim::wire::{Answer, Call, Reply, page_token, serialization_error, unknown_operation};
use crate::sim::world::World;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// GetResources gives so many a page where nothing is said, and at most [`PAGE_MAX`].
const PAGE: usize = 50;
const PAGE_MAX: usize = 100;
/// GetTagKeys and GetTagValues have no size of their pages.
const WORDS_PAGE: usize = 100;
/// TagsPerPage goes in steps of 100 from here to [`TAGS_PAGE_MAX`].
const TAGS_PAGE_MIN: usize = 100;
const TAGS_PAGE_MAX: usize = 500;
const FILTERS_MAX: usize = 50;
const VALUES_MAX: usize = 20;
const ARNS_MAX: usize = 100;
const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;

type Input = Map<String, Value>;

/// Answers one operation of the Resource Groups Tagging API.
pub fn answer(world: &mut World, _call: &mut Call, operation: &str, input: &Value) -> Answer {
    let empty = Map::new();
    let input = input.as_object().unwrap_or(&empty);
    let resources = tagged(world);
    let answer = match operation {
        "GetResources" => get_resources(world, &resources, input)?,
        "GetTagKeys" => {
            let keys = resources.iter().flat_map(|resource| resource.tags.keys().map(String::as_str));
            words(world, "TagKeys", keys.collect(), input)?
        }
        "GetTagValues" => {
            let key = text(input, "Key")?.ok_or_else(|| null_member("key"))?;
            length("key", key, 1, KEY_CHARS_MAX)?;
            let values = resources.iter().filter_map(|resource| resource.tags.get(key).map(String::as_str));
            words(world, &format!("TagValues {key}"), values.collect(), input)?
        }
        _ => return Err(unknown_operation()),
    };
    Ok(Reply::Done(answer))
}

/// What narrows GetResources.
struct Narrowed<'i> {
    /// A key, and the values that it may have; any for none.
    tags: Vec<(&'i str, Vec<&'i str>)>,
    kinds: Vec<&'i str>,
    arns: Option<Vec<&'i str>>,
}

impl Narrowed<'_> {
    /// All tag filters must hold, each by one of its values.
    fn admits(&self, resource: &Tagged<'_>) -> bool {
        let has = |(key, values): &(&str, Vec<&str>)| {
            resource.tags.get(*key).is_some_and(|value| values.is_empty() || values.contains(&value.as_str()))
        };
        let is_of = |wanted: &&str| resource.kind == *wanted || resource.kind.split(':').next() == Some(*wanted);
        self.tags.iter().all(has)
            && (self.kinds.is_empty() || self.kinds.iter().any(is_of))
            && self.arns.as_ref().is_none_or(|arns| arns.contains(&resource.arn.as_str()))
    }
}

fn get_resources(world: &World, resources: &[Tagged<'_>], input: &Input) -> Result<Value, ApiError> {
    let narrowed = read(input)?;
    let is_by_tags = number(input, "TagsPerPage")?;
    let limit = match (number(input, "ResourcesPerPage")?, is_by_tags) {
        (Some(size), _) if !(1..=PAGE_MAX as i64).contains(&size) => {
            return Err(invalid(format!("ResourcesPerPage must be between 1 and {PAGE_MAX}")));
        }
        (Some(size), _) => size as usize,
        (None, Some(_)) => usize::MAX,
        (None, None) => PAGE,
    };
    let tags_limit = match is_by_tags {
        Some(size) if size % 100 != 0 || !(TAGS_PAGE_MIN as i64..=TAGS_PAGE_MAX as i64).contains(&size) => {
            let range = format!("between {TAGS_PAGE_MIN} and {TAGS_PAGE_MAX}");
            return Err(invalid(format!("TagsPerPage must be {range}, in increments of 100")));
        }
        Some(size) => size as usize,
        None => usize::MAX,
    };
    let of = list_name(
        world,
        &format!(
            "GetResources {:?}",
            [input.get("TagFilters"), input.get("ResourceTypeFilters"), input.get("ResourceARNList"),]
        ),
    );
    let after = after(input, &of)?;
    let mut rest = resources.iter().filter(|resource| narrowed.admits(resource));
    let mut rest =
        rest.by_ref().skip_while(|resource| after.as_ref().is_some_and(|last| resource.arn <= *last)).peekable();
    let (mut page, mut tags) = (Vec::new(), 0);
    // A resource is never split: the first one stands on its page however many tags it has.
    while let Some(next) = rest.peek() {
        if page.len() == limit || (tags > 0 && tags + next.tags.len() > tags_limit) {
            break;
        }
        tags += next.tags.len();
        page.extend(rest.next());
    }
    let token = match page.last().filter(|_| rest.peek().is_some()) {
        Some(last) => page_token::seal(&of, &last.arn),
        None => String::new(),
    };
    let list: Vec<Value> = page.into_iter().map(mapping).collect();
    Ok(json!({ "PaginationToken": token, "ResourceTagMappingList": list }))
}

fn mapping(resource: &Tagged<'_>) -> Value {
    let tags = resource.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
    json!({ "ResourceARN": resource.arn, "Tags": tags.collect::<Vec<_>>() })
}

/// A page of the distinct words, in their order. `of` begins with the name of their member.
fn words(world: &World, of: &str, words: BTreeSet<&str>, input: &Input) -> Result<Value, ApiError> {
    let member = of.split(' ').next().unwrap_or(of);
    let of = list_name(world, of);
    let after = after(input, &of)?;
    let mut rest = words.into_iter().skip_while(|word| after.as_ref().is_some_and(|last| *word <= last.as_str()));
    let page: Vec<&str> = rest.by_ref().take(WORDS_PAGE).collect();
    let token = match page.last().filter(|_| rest.next().is_some()) {
        Some(last) => page_token::seal(&of, last),
        None => String::new(),
    };
    Ok(json!({ "PaginationToken": token, member: page }))
}

/// The list that a token is a page of.
fn list_name(world: &World, of: &str) -> String {
    format!("tagging {} {} {of}", world.place.account, world.place.region)
}

/// What the page before ended with.
fn after(input: &Input, of: &str) -> Result<Option<String>, ApiError> {
    match text(input, "PaginationToken")?.filter(|token| !token.is_empty()) {
        None => Ok(None),
        Some(token) => page_token::open(of, token).map(Some).ok_or_else(|| invalid("Invalid pagination token")),
    }
}

fn read(input: &Input) -> Result<Narrowed<'_>, ApiError> {
    let arns = list(input, "ResourceARNList")?;
    let filters = list(input, "TagFilters")?.unwrap_or_default();
    let kinds = list(input, "ResourceTypeFilters")?.unwrap_or_default();
    if arns.is_some() {
        let beside = ["TagFilters", "ResourceTypeFilters", "ResourcesPerPage", "TagsPerPage", "PaginationToken"];
        if let Some(other) = beside.into_iter().find(|name| input.get(*name).is_some_and(|value| !value.is_null())) {
            return Err(invalid(format!("You can't specify both ResourceARNList and {other} in the same request")));
        }
    }
    let arns = arns.map(texts).transpose()?;
    if arns.as_ref().is_some_and(|arns| !(1..=ARNS_MAX).contains(&arns.len())) {
        return Err(invalid(format!("ResourceARNList must hold between 1 and {ARNS_MAX} ARNs")));
    }
    if flag(input, "ExcludeCompliantResources")? && !flag(input, "IncludeComplianceDetails")? {
        return Err(invalid("ExcludeCompliantResources needs IncludeComplianceDetails"));
    }
    if filters.len() > FILTERS_MAX {
        return Err(too_long("tagFilters", FILTERS_MAX));
    }
    let tags = filters.iter().map(tag_filter).collect::<Result<_, _>>()?;
    Ok(Narrowed { tags, kinds: texts(kinds)?, arns })
}

fn tag_filter(filter: &Value) -> Result<(&str, Vec<&str>), ApiError> {
    let filter = filter.as_object().ok_or_else(|| serialization_error(""))?;
    let key = text(filter, "Key")?.ok_or_else(|| invalid("A tag filter must have a key"))?;
    length("tagFilters.member.key", key, 1, KEY_CHARS_MAX)?;
    let values = texts(list(filter, "Values")?.unwrap_or_default())?;
    if values.len() > VALUES_MAX {
        return Err(too_long("tagFilters.member.values", VALUES_MAX));
    }
    for value in &values {
        length("tagFilters.member.values", value, 0, VALUE_CHARS_MAX)?;
    }
    Ok((key, values))
}

fn length(member: &str, text: &str, min: usize, max: usize) -> Result<(), ApiError> {
    let limit = match text.chars().count() {
        length if length < min => format!("greater than or equal to {min}"),
        length if length > max => format!("less than or equal to {max}"),
        _ => return Ok(()),
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{text}' at '{member}' failed to satisfy constraint: Member must have \
         length {limit}"
    )))
}

fn too_long(member: &str, max: usize) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length less \
         than or equal to {max}"
    ))
}

fn null_member(member: &str) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterException", message)
}

fn given<'i>(input: &'i Input, member: &str) -> Option<&'i Value> {
    input.get(member).filter(|value| !value.is_null())
}

fn text<'i>(input: &'i Input, member: &str) -> Result<Option<&'i str>, ApiError> {
    given(input, member).map(|value| value.as_str().ok_or_else(|| serialization_error(""))).transpose()
}

fn number(input: &Input, member: &str) -> Result<Option<i64>, ApiError> {
    given(input, member).map(|value| value.as_i64().ok_or_else(|| serialization_error(""))).transpose()
}

fn flag(input: &Input, member: &str) -> Result<bool, ApiError> {
    let flag = given(input, member).map(|value| value.as_bool().ok_or_else(|| serialization_error("")));
    Ok(flag.transpose()?.unwrap_or(false))
}

fn list<'i>(input: &'i Input, member: &str) -> Result<Option<&'i [Value]>, ApiError> {
    let list = given(input, member).map(|value| value.as_array().ok_or_else(|| serialization_error("")));
    Ok(list.transpose()?.map(Vec::as_slice))
}

fn texts(values: &[Value]) -> Result<Vec<&str>, ApiError> {
    values.iter().map(|value| value.as_str().ok_or_else(|| serialization_error(""))).collect()
}
