//! The polls of CloudTrail's event history: what was changed lately, by whom; and which calls were throttled. LookupEvents
//! takes one attribute, so all that writes, or reads, is looked up and what is not asked for is left out here.

use crate::aws::clients::Clients;
use crate::aws::draft::Draft;
use crate::aws::errors::{Trouble, trouble};
use crate::aws::operations::LOOKUP_EVENTS;
use crate::aws::trail;
use crate::domain::throttled::{Throttled, ThrottledCall, counted};
use crate::domain::time::Timestamp;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use std::time::Duration;

/// LookupEvents gives fifty events a page; at one call a second, a look ends within seconds.
const PAGES_MAX: usize = 5;
/// A person waits for throttled calls, and an account reads more than it writes.
const READ_PAGES_MAX: usize = 15;

/// How far back throttled calls are looked for.
const THROTTLED_WINDOW: Duration = Duration::from_secs(30 * 60);

/// What was changed since then, newest first, as far as it can be looked up by now. In an account where more is written
/// than the pages hold, the newest.
pub async fn changes(clients: &Clients, since: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let Looked { events, from, trouble } = look_up(clients, "false", PAGES_MAX, since).await;
    if let Some(trouble) = trouble {
        draft.whole(&LOOKUP_EVENTS, trouble);
    }
    if let Some(from) = from {
        draft.changes(from, events.iter().filter_map(change).collect());
    }
    draft
}

/// Which calls were throttled in the last half hour, reads and writes.
pub async fn throttled(clients: &Clients, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let since = now - THROTTLED_WINDOW;
    let (mut calls, mut events_looked, mut as_far) = (Vec::new(), 0, since);
    for (read_only, pages_max) in [("true", READ_PAGES_MAX), ("false", PAGES_MAX)] {
        let Looked { events, from, trouble } = look_up(clients, read_only, pages_max, since).await;
        if let Some(trouble) = trouble {
            draft.throttled(Err(trouble.sentence.clone()));
            draft.whole(&LOOKUP_EVENTS, trouble);
            return draft;
        }
        events_looked += events.len();
        as_far = from.unwrap_or(now).max(as_far);
        calls.extend(events.iter().filter_map(throttled_call));
    }
    let is_cut = as_far > since;
    draft.throttled(Ok(Throttled { calls: counted(calls), events: events_looked, from: as_far, is_cut }));
    draft
}

/// What a look brought, newest first.
struct Looked {
    events: Vec<Event>,
    /// As far back as all of it was read; `None` where nothing was.
    from: Option<Timestamp>,
    trouble: Option<Trouble>,
}

/// The events since then that read (`"true"`), or write (`"false"`), as far as the pages hold them.
async fn look_up(clients: &Clients, read_only: &str, pages_max: usize, since: Timestamp) -> Looked {
    let attribute =
        LookupAttribute::builder().attribute_key(LookupAttributeKey::ReadOnly).attribute_value(read_only).build();
    let mut looked = Looked { events: Vec::new(), from: None, trouble: None };
    let mut token = None;
    for _ in 0..pages_max {
        clients.turn(&LOOKUP_EVENTS).await;
        let attributes = Some(attribute.iter().cloned().collect());
        let request = clients.cloudtrail.lookup_events().set_lookup_attributes(attributes);
        match request.start_time(DateTime::from_millis(since.millis())).set_next_token(token).send().await {
            Ok(page) => {
                looked.events.extend(page.events.unwrap_or_default());
                looked.from = looked.events.last().and_then(Event::event_time).map(at);
                token = page.next_token;
            }
            Err(error) => {
                looked.trouble = Some(trouble(&error, &LOOKUP_EVENTS, clients.place()));
                break;
            }
        }
        if token.is_none() {
            looked.from = Some(since);
            break;
        }
    }
    looked
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

fn throttled_call(event: &Event) -> Option<ThrottledCall> {
    let record: serde_json::Value = serde_json::from_str(event.cloud_trail_event()?).ok()?;
    trail::throttled(&record, event.event_time().map(at)?)
}
