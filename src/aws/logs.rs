//! A function's log on demand: the newest events of its group. Read only while somebody has the log open.

use crate::aws::clients::Clients;
use crate::aws::draft::Draft;
use crate::aws::errors::{Trouble, trouble};
use crate::aws::operations::FILTER_LOG_EVENTS;
use crate::domain::log::{LogAnswer, LogEvent, LogQuestion};
use crate::domain::time::Timestamp;
use std::time::Duration;

/// How far back a first look goes, until it finds something.
const FIRST_LOOKS: [Duration; 3] =
    [Duration::from_secs(120), Duration::from_secs(20 * 60), Duration::from_secs(3 * 3600)];
/// Where even the shortest look brings too much, the newest are read.
const NEWEST: Duration = Duration::from_secs(5);
/// Bounds of one reading. A page may come empty while CloudWatch Logs still searches (FilterLogEvents).
const PAGES_MAX: usize = 4;
const PAGE_EVENTS: i32 = 1000;

pub async fn log(clients: &Clients, question: &LogQuestion, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    match newest(clients, question, now).await {
        Ok(answer) => draft.log(Ok(answer)),
        Err(trouble) if trouble.resource_gone => draft.log(Err(no_group(&question.group))),
        Err(trouble) => {
            draft.log(Err(trouble.sentence.clone()));
            draft.whole(&FILTER_LOG_EVENTS, trouble);
        }
    }
    draft
}

fn no_group(group: &str) -> String {
    format!(
        "There is no log group {group}: the function has not run yet, or its role may not write (grant it \
         AWSLambdaBasicExecutionRole)."
    )
}

async fn newest(clients: &Clients, question: &LogQuestion, now: Timestamp) -> Result<LogAnswer, Trouble> {
    if let Some(since) = question.since {
        return read(clients, &question.group, since).await;
    }
    let mut answer = LogAnswer { events: Vec::new(), is_whole: true };
    for back in FIRST_LOOKS {
        answer = read(clients, &question.group, now - back).await?;
        if !answer.events.is_empty() || !answer.is_whole {
            break;
        }
    }
    if answer.is_whole { Ok(answer) } else { read(clients, &question.group, now - NEWEST).await }
}

/// The events from a time on, oldest first, over as many pages as are allowed.
async fn read(clients: &Clients, group: &str, since: Timestamp) -> Result<LogAnswer, Trouble> {
    let mut events = Vec::new();
    let mut token = None;
    for _ in 0..PAGES_MAX {
        clients.turn(&FILTER_LOG_EVENTS).await;
        let request = clients.logs.filter_log_events().log_group_name(group).start_time(since.millis());
        let page = request.limit(PAGE_EVENTS).set_next_token(token).send().await;
        let page = page.map_err(|error| trouble(&error, &FILTER_LOG_EVENTS, clients.place()))?;
        events.extend(page.events.unwrap_or_default().into_iter().filter_map(|event| {
            Some(LogEvent {
                at: Timestamp::from_millis(event.timestamp?),
                id: event.event_id?,
                text: event.message.unwrap_or_default(),
            })
        }));
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(LogAnswer { events, is_whole: true });
        }
    }
    Ok(LogAnswer { events, is_whole: false })
}
