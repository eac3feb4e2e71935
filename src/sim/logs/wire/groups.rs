//! Operations on log groups: create, describe, retention, tags.

use super::input::{GROUP_PATTERN, Input, check_size, constraint, invalid};
use super::{group_name, nothing, of_arn, of_identifier, read_token, write_token};
use crate::sim::cx::Place;
use crate::sim::error::ApiError;
use crate::sim::function_logs;
use crate::sim::logs::{Group, not_found};
use crate::sim::world::World;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const PAGE_MAX: i64 = 50;
const TAGS_MAX: usize = 50;
/// What a name may have within it, and up to five such parts.
const PART_PATTERN: &str = "[\\.\\-_/#A-Za-z0-9]*";
const PARTS_PATTERN: &str = "(\\^?[\\.\\-_\\/#A-Za-z0-9]{3,24})(\\|\\^?[\\.\\-_\\/#A-Za-z0-9]{3,24}){0,4}";
const CLASSES: [&str; 4] = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"];
/// The days that a retention may have (PutRetentionPolicy).
const RETENTIONS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

fn required_group<'a>(world: &mut World, input: Input<'a>) -> Result<&'a str, ApiError> {
    let name = input.required_name("logGroupName", GROUP_PATTERN)?;
    function_logs::adopt(world, name);
    if world.logs.group(name).is_some() { Ok(name) } else { Err(not_found("group")) }
}

pub fn create(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = input.required_name("logGroupName", GROUP_PATTERN)?;
    let class = input.one_of("logGroupClass", &CLASSES)?.unwrap_or("STANDARD");
    let tags = input.text_map("tags")?.unwrap_or_default();
    check_tags(&tags)?;
    function_logs::adopt(world, name);
    let group = Group {
        class,
        tags,
        kms_key: input.text("kmsKeyId")?.map(str::to_owned),
        is_protected: input.flag("deletionProtectionEnabled")?.unwrap_or(false),
        ..Group::new(world.now)
    };
    world.logs.create_group(name, group)?;
    Ok(nothing())
}

pub fn delete(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = required_group(world, input)?;
    if world.logs.group(name).is_some_and(|group| group.is_protected) {
        let message = "The log group cannot be deleted because deletion protection is enabled.";
        return Err(ApiError::client("ValidationException", message));
    }
    world.logs.delete_group(world.now, name)?;
    Ok(nothing())
}

pub fn describe(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let prefix = input.name("logGroupNamePrefix", GROUP_PATTERN)?;
    let pattern = input.fitting("logGroupNamePattern", PART_PATTERN, (0, 512))?;
    check_accounts(input)?;
    if prefix.is_some() && pattern.is_some() {
        return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    let class = input.one_of("logGroupClass", &CLASSES)?;
    let identifiers = match input.texts("logGroupIdentifiers")? {
        None => None,
        Some(all) => {
            check_size(all.len(), "logGroupIdentifiers", 1, 50)?;
            Some(all.into_iter().map(|one| of_identifier(world, one)).collect::<Result<Vec<_>, _>>()?)
        }
    };
    let fits = |name: &str, group: &Group| {
        prefix.is_none_or(|prefix| name.starts_with(prefix))
            && pattern.is_none_or(|pattern| name.contains(pattern))
            && class.is_none_or(|class| class == group.class)
            && identifiers.as_ref().is_none_or(|all| all.contains(&name))
    };
    let shown: fn(&Place, &str, &Group) -> Value = if pattern.is_some() { brief } else { value };
    page(world, input, PAGE_MAX, fits, shown)
}

/// What is said of other accounts. None is linked to this one, so that nothing of theirs is found.
fn check_accounts(input: Input<'_>) -> Result<(), ApiError> {
    input.flag("includeLinkedAccounts")?;
    let accounts = input.texts("accountIdentifiers")?.unwrap_or_default();
    check_size(accounts.len(), "accountIdentifiers", 0, 20)?;
    if accounts.iter().any(|account| account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit())) {
        let words = "Member must satisfy constraint: [Member must have length less than or equal to 12, Member must \
                     have length greater than or equal to 12, Member must satisfy regular expression pattern: \
                     ^\\d{12}$]";
        return Err(constraint(Some(&format!("[{}]", accounts.join(", "))), "accountIdentifiers", words));
    }
    Ok(())
}

/// Names by up to five parts, joined by `|`; one that begins with `^` must stand at the name's beginning.
pub fn list(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let class = input.one_of("logGroupClass", &CLASSES)?;
    let pattern = input.fitting("logGroupNamePattern", PARTS_PATTERN, (3, 129))?;
    check_accounts(input)?;
    check_size(input.list("dataSources")?.map_or(1, Vec::len), "dataSources", 1, 5)?;
    let has = |name: &str, part: &str| match part.strip_prefix('^') {
        Some(start) => name.starts_with(start),
        None => name.contains(part),
    };
    let fits = |name: &str, group: &Group| {
        pattern.is_none_or(|pattern| pattern.split('|').any(|part| has(name, part)))
            && class.is_none_or(|class| class == group.class)
    };
    page(
        world,
        input,
        1000,
        fits,
        |place, name, group| json!({ "logGroupName": name, "logGroupArn": arn(place, name), "logGroupClass": group.class }),
    )
}

/// A page of the groups that fit, by name.
fn page(
    world: &mut World,
    input: Input<'_>,
    most: i64,
    fits: impl Fn(&str, &Group) -> bool,
    shown: impl Fn(&Place, &str, &Group) -> Value,
) -> Result<Value, ApiError> {
    let limit = input.bounded("limit", 1, most)?.unwrap_or(50) as usize;
    let after = input.token()?.map(read_token).transpose()?;
    function_logs::adopt_all(world);
    let now = world.now;
    let names: Vec<String> = world.logs.groups().map(|(name, _)| name.clone()).collect();
    for name in names {
        world.logs.expire_group(now, &name);
    }
    let mut found = world
        .logs
        .groups()
        .filter(|(name, group)| after.as_ref().is_none_or(|after| name.as_str() > after.as_str()) && fits(name, group));
    let page: Vec<(&String, &Group)> = found.by_ref().take(limit).collect();
    let values: Vec<Value> = page.iter().map(|(name, group)| shown(&world.place, name, group)).collect();
    let mut answer = json!({ "logGroups": values });
    if let (Some((last, _)), Some(_)) = (page.last(), found.next()) {
        answer["nextToken"] = write_token(last).into();
    }
    Ok(answer)
}

fn arn(place: &Place, name: &str) -> String {
    place.arn("logs", &format!("log-group:{name}"))
}

fn value(place: &Place, name: &str, group: &Group) -> Value {
    let mut value = Map::new();
    let mut put = |member: &str, value_of: Value| value.insert(member.to_owned(), value_of);
    put("logGroupName", name.into());
    put("creationTime", group.created.millis().into());
    if let Some(days) = group.retention_days {
        put("retentionInDays", days.into());
    }
    put("metricFilterCount", group.metric_filters.len().into());
    put("arn", format!("{}:*", arn(place, name)).into());
    put("storedBytes", group.stored_bytes().into());
    if let Some(key) = &group.kms_key {
        put("kmsKeyId", key.clone().into());
    }
    put("logGroupClass", group.class.into());
    put("logGroupArn", arn(place, name).into());
    put("deletionProtectionEnabled", group.is_protected.into());
    Value::Object(value)
}

/// What a search by pattern finds is told in fewer words.
fn brief(place: &Place, name: &str, group: &Group) -> Value {
    let mut value = value(place, name, group);
    if let Some(members) = value.as_object_mut() {
        let left_out = ["retentionInDays", "storedBytes", "kmsKeyId", "deletionProtectionEnabled"];
        members.retain(|member, _| !left_out.contains(&member.as_str()));
    }
    value
}

pub fn put_retention(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = required_group(world, input)?;
    let days = input.integer("retentionInDays")?;
    let days = days.ok_or_else(|| constraint(None, "retentionInDays", "Member must not be null"))?;
    if !RETENTIONS.contains(&days) {
        let all: Vec<String> = RETENTIONS.iter().map(ToString::to_string).collect();
        let set = format!("Member must satisfy enum value set: [{}]", all.join(", "));
        return Err(constraint(Some(&days.to_string()), "retentionInDays", &set));
    }
    set_retention(world, name, Some(days as u32))
}

pub fn delete_retention(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = required_group(world, input)?;
    set_retention(world, name, None)
}

fn set_retention(world: &mut World, name: &str, days: Option<u32>) -> Result<Value, ApiError> {
    let now = world.now;
    world.logs.group_mut(name).ok_or_else(|| not_found("group"))?.retention_days = days;
    world.logs.expire_group(now, name);
    Ok(nothing())
}

pub fn put_protection(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = of_identifier(world, input.required_text("logGroupIdentifier")?)?;
    let is_on = input.flag("deletionProtectionEnabled")?;
    let is_on = is_on.ok_or_else(|| constraint(None, "deletionProtectionEnabled", "Member must not be null"))?;
    function_logs::adopt(world, name);
    world.logs.group_mut(name).ok_or_else(|| not_found("group"))?.is_protected = is_on;
    Ok(nothing())
}

pub fn associate_key(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let key = input.required_text("kmsKeyId")?.to_owned();
    set_key(world, input, Some(key))
}

pub fn disassociate_key(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    set_key(world, input, None)
}

fn set_key(world: &mut World, input: Input<'_>, key: Option<String>) -> Result<Value, ApiError> {
    let name = match input.text("resourceIdentifier")? {
        Some(identifier) => of_arn(world, identifier)?,
        None => group_name(world, input)?,
    };
    function_logs::adopt(world, name);
    world.logs.group_mut(name).ok_or_else(|| not_found("group"))?.kms_key = key;
    Ok(nothing())
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.len() > TAGS_MAX {
        return Err(invalid(format!("The number of tags exceeds the limit of {TAGS_MAX}.")));
    }
    match tags.iter().find(|(key, value)| key.is_empty() || key.len() > 128 || value.len() > 256) {
        Some((key, _)) => {
            Err(constraint(Some(key), "tags", "Map keys and values must satisfy their length constraints"))
        }
        None => Ok(()),
    }
}

fn add_tags(world: &mut World, name: &str, new: BTreeMap<String, String>) -> Result<Value, ApiError> {
    check_tags(&new)?;
    let group = world.logs.group_mut(name).ok_or_else(|| not_found("group"))?;
    let mut tags = group.tags.clone();
    tags.extend(new);
    if tags.len() > TAGS_MAX {
        let message = "Too many tags: a log group can have at most 50.";
        return Err(ApiError::client("TooManyTagsException", message));
    }
    group.tags = tags;
    Ok(nothing())
}

fn required_tags(input: Input<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    input.text_map("tags")?.ok_or_else(|| constraint(None, "tags", "Member must not be null"))
}

fn remove_tags(world: &mut World, name: &str, keys: Option<Vec<&str>>, member: &str) -> Result<Value, ApiError> {
    let keys = keys.ok_or_else(|| constraint(None, member, "Member must not be null"))?;
    let group = world.logs.group_mut(name).ok_or_else(|| not_found("group"))?;
    group.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(nothing())
}

fn tags_of(world: &World, name: &str) -> Result<Value, ApiError> {
    let group = world.logs.group(name).ok_or_else(|| not_found("group"))?;
    Ok(json!({ "tags": group.tags }))
}

pub fn tag_group(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = required_group(world, input)?;
    add_tags(world, name, required_tags(input)?)
}

pub fn untag_group(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = required_group(world, input)?;
    remove_tags(world, name, input.texts("tags")?, "tags")
}

pub fn list_group_tags(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = required_group(world, input)?;
    tags_of(world, name)
}

/// The group that `resourceArn` names.
fn of_resource<'a>(world: &mut World, input: Input<'a>) -> Result<&'a str, ApiError> {
    let arn = input.required_text("resourceArn")?;
    if !arn.starts_with("arn:") {
        return Err(invalid("The specified resource ARN is invalid."));
    }
    let missing = || ApiError::client("ResourceNotFoundException", "The specified resource does not exist.");
    let name = of_arn(world, arn).map_err(|_| missing())?;
    function_logs::adopt(world, name);
    if world.logs.group(name).is_some() { Ok(name) } else { Err(missing()) }
}

pub fn tag_resource(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = of_resource(world, input)?;
    add_tags(world, name, required_tags(input)?)
}

pub fn untag_resource(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = of_resource(world, input)?;
    remove_tags(world, name, input.texts("tagKeys")?, "tagKeys")
}

pub fn list_resource_tags(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = of_resource(world, input)?;
    tags_of(world, name)
}
