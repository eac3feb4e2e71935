//! The poll of CloudTrail's event history: what was changed lately, by whom. LookupEvents takes one attribute, so all
//! that writes is looked up and what is not about watched services is left out here.

use crate::aws::clients::Clients;
use crate::aws::draft::Draft;
use crate::aws::errors::trouble;
use crate::aws::operations::LOOKUP_EVENTS;
use crate::aws::trail;
use crate::domain::time::Timestamp;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};

/// LookupEvents gives fifty events a page; at one call a second, a look ends within seconds.
const PAGES_MAX: usize = 5;

/// What was changed since then, newest first, as far as it can be looked up by now. In an account where more is written
/// than the pages hold, the newest.
pub async fn changes(clients: &Clients, since: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let writes =
        LookupAttribute::builder().attribute_key(LookupAttributeKey::ReadOnly).attribute_value("false").build();
    let mut events: Vec<Event> = Vec::new();
    let mut token = None;
    let mut from = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&LOOKUP_EVENTS).await;
        let request = clients.cloudtrail.lookup_events().set_lookup_attributes(Some(writes.iter().cloned().collect()));
        match request.start_time(DateTime::from_millis(since.millis())).set_next_token(token).send().await {
            Ok(page) => {
                events.extend(page.events.unwrap_or_default());
                from = events.last().and_then(Event::event_time).map(at);
                token = page.next_token;
            }
            Err(error) => {
                draft.whole(&LOOKUP_EVENTS, trouble(&error, &LOOKUP_EVENTS, clients.place()));
                break;
            }
        }
        if token.is_none() {
            from = Some(since);
            break;
        }
    }
    if let Some(from) = from {
        draft.changes(from, events.iter().filter_map(change).collect());
    }
    draft
}

fn at(time: &DateTime) -> Timestamp {
    Timestamp::from_millis(time.to_millis().unwrap_or(0))
}

fn change(event: &Event) -> Option<crate::domain::change::Change> {
    let record: serde_json::Value = serde_json::from_str(event.cloud_trail_event()?).ok()?;
    let named = event.resources().iter();
    let named = named.filter_map(|resource| Some((resource.resource_type()?, resource.resource_name()?)));
    trail::change(&record, &named.collect::<Vec<_>>(), event.event_time().map(at))
}
