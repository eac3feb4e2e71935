//! A domain's executions on demand: the oldest and the newest that are open, and those that closed lately. Read only while
//! somebody has the list open.

use super::event::workflow;
use super::{Failed, YEAR, failed, since, unbuilt};
use crate::aws::clients::Clients;
use crate::aws::draft::Draft;
use crate::aws::operations::{LIST_CLOSED_WORKFLOW_EXECUTIONS, LIST_OPEN_WORKFLOW_EXECUTIONS};
use crate::domain::execution::{Ended, Execution, ExecutionRef, Executions, Listed, WorkflowAnswer, WorkflowQuestion};
use crate::domain::time::Timestamp;
use aws_sdk_swf::types::{CloseStatus, CloseStatusFilter, WorkflowExecutionInfo};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

/// Executions of one call.
const PAGE: i32 = 100;
/// How far back closed ones are looked for.
const CLOSED_WITHIN: Duration = Duration::from_secs(24 * 3600);

pub async fn executions(clients: &Clients, question: &WorkflowQuestion, now: Timestamp) -> Draft {
    let mut draft = Draft::default();
    let domain = &question.domain.name;
    let open = listed(&mut draft, open(clients, domain, now).await);
    let closed = listed(&mut draft, closed(clients, domain, now).await);
    draft.workflow(WorkflowAnswer::Executions(Executions { open, closed }));
    draft
}

fn listed(draft: &mut Draft, told: Result<Listed, Failed>) -> Listed {
    told.unwrap_or_else(|(operation, trouble)| {
        let listed = Listed { trouble: Some(trouble.sentence.clone()), ..Listed::default() };
        draft.whole(operation, trouble);
        listed
    })
}

/// Oldest first. What is stuck is among the oldest; where there are more than a page, the newest tell what is going on.
async fn open(clients: &Clients, domain: &str, now: Timestamp) -> Result<Listed, Failed> {
    let (mut executions, more) = open_page(clients, domain, None, now).await?;
    if more {
        let known: BTreeSet<ExecutionRef> = executions.iter().map(|execution| execution.of.clone()).collect();
        let (oldest, _) = open_page(clients, domain, Some(true), now).await?;
        executions.extend(oldest.into_iter().filter(|execution| !known.contains(&execution.of)));
    }
    executions.sort_by(|a, b| (a.started, &a.of).cmp(&(b.started, &b.of)));
    Ok(Listed { executions, is_whole: !more, trouble: None })
}

async fn open_page(
    clients: &Clients,
    domain: &str,
    oldest_first: Option<bool>,
    now: Timestamp,
) -> Result<(Vec<Execution>, bool), Failed> {
    let operation = &LIST_OPEN_WORKFLOW_EXECUTIONS;
    clients.turn(operation).await;
    let request = clients.swf.list_open_workflow_executions().domain(domain).maximum_page_size(PAGE);
    let request = request.start_time_filter(since(operation, now, YEAR)?).set_reverse_order(oldest_first);
    let page = request.send().await.map_err(|error| failed(clients, operation, &error))?;
    let more = page.next_page_token.is_some_and(|token| !token.is_empty());
    Ok((page.execution_infos.into_iter().filter_map(execution).collect(), more))
}

/// Newest first. Where there are more than a page, those that failed or timed out are asked for by themselves: among
/// thousands that went well they would not be seen.
async fn closed(clients: &Clients, domain: &str, now: Timestamp) -> Result<Listed, Failed> {
    let (mut executions, more) = closed_page(clients, domain, None, now).await?;
    if more {
        let mut known: BTreeSet<ExecutionRef> = executions.iter().map(|execution| execution.of.clone()).collect();
        for status in [CloseStatus::Failed, CloseStatus::TimedOut] {
            let (ended, _) = closed_page(clients, domain, Some(status), now).await?;
            executions.extend(ended.into_iter().filter(|execution| known.insert(execution.of.clone())));
        }
    }
    let closed_at = |execution: &Execution| execution.closed.as_ref().map(|(at, _)| *at);
    executions.sort_by(|a, b| (Reverse(closed_at(a)), &a.of).cmp(&(Reverse(closed_at(b)), &b.of)));
    Ok(Listed { executions, is_whole: !more, trouble: None })
}

async fn closed_page(
    clients: &Clients,
    domain: &str,
    status: Option<CloseStatus>,
    now: Timestamp,
) -> Result<(Vec<Execution>, bool), Failed> {
    let operation = &LIST_CLOSED_WORKFLOW_EXECUTIONS;
    let filter = status.map(|status| CloseStatusFilter::builder().status(status).build()).transpose();
    let filter = filter.map_err(|error| unbuilt(operation, &error))?;
    clients.turn(operation).await;
    let request = clients.swf.list_closed_workflow_executions().domain(domain).maximum_page_size(PAGE);
    let request = request.close_time_filter(since(operation, now, CLOSED_WITHIN)?).set_close_status_filter(filter);
    let page = request.send().await.map_err(|error| failed(clients, operation, &error))?;
    let more = page.next_page_token.is_some_and(|token| !token.is_empty());
    Ok((page.execution_infos.into_iter().filter_map(execution).collect(), more))
}

/// `None` for what SWF does not name.
pub fn execution(info: WorkflowExecutionInfo) -> Option<Execution> {
    let at = |time: aws_smithy_types::DateTime| time.to_millis().ok().map(Timestamp::from_millis);
    let of = info.execution?;
    let ended = info.close_status.map(|status| Ended::parse(status.as_str()));
    let started = at(info.start_timestamp)?;
    let closed = info.close_timestamp.and_then(at).map(|at| (at, ended.unwrap_or(Ended::Other("closed".into()))));
    Some(Execution {
        of: ExecutionRef { workflow_id: of.workflow_id, run_id: of.run_id },
        workflow_type: workflow(info.workflow_type.as_ref()),
        started,
        closed,
        cancel_requested: info.cancel_requested,
        parent: info.parent.map(|parent| parent.workflow_id),
    })
}
