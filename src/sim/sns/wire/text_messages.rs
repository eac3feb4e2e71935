//! Settings of text messages, and phone numbers that want none, as AWS's members.

use crate::sim::error::ApiError;
use crate::sim::sns::wire::input::Input;
use crate::sim::sns::wire::{PAGE, list_of, nothing, read_page_token};
use crate::sim::wire::page_token;
use crate::sim::world::World;
use serde_json::{Map, Value, json};

pub fn set_attributes(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    world.sns.set_sms_attributes(input.text_map("attributes")?).map(|()| nothing())
}

/// All attributes, or those that the request names.
pub fn get_attributes(world: &World, input: Input<'_>) -> Result<Value, ApiError> {
    let asked = input.texts("attributes")?;
    let mut texts = world.sns.sms_attributes();
    texts.retain(|name, _| asked.is_empty() || asked.contains(&name.as_str()));
    Ok(json!({ "attributes": texts }))
}

pub fn is_opted_out(world: &World, input: Input<'_>) -> Result<Value, ApiError> {
    Ok(json!({ "isOptedOut": world.sns.is_opted_out(input.required("phoneNumber")?)? }))
}

pub fn opt_in(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    world.sns.opt_in(input.required("phoneNumber")?).map(|()| nothing())
}

pub fn list_opted_out(world: &World, input: Input<'_>) -> Result<Value, ApiError> {
    let of = list_of(&world.place, "opted out");
    let after = read_page_token(input, "nextToken", &of)?;
    let mut page = world.sns.opted_out_after(after.as_deref(), PAGE + 1);
    let is_last = page.len() <= PAGE;
    page.truncate(PAGE);
    let mut answer = Map::from_iter([("phoneNumbers".to_owned(), Value::from(page.clone()))]);
    if let (false, Some(last)) = (is_last, page.last()) {
        answer.insert("nextToken".into(), page_token::seal(&of, last).into());
    }
    Ok(Value::Object(answer))
}
