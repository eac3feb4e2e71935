//! One execution's history on demand: what it is, its newest events, and what else waits on the lists that it waits on.
//! Read only while somebody has it open.

use super::event::{event, seconds};
use super::executions::execution;
use super::{Failed, failed, pending_tasks, unbuilt};
use crate::aws::clients::Clients;
use crate::aws::draft::Draft;
use crate::aws::operations::{DESCRIBE_WORKFLOW_EXECUTION, GET_WORKFLOW_EXECUTION_HISTORY};
use crate::domain::execution::{
    Described, ExecutionRef, HistoryAnswer, OpenCounts, Tasks, Waiting, WorkflowAnswer, WorkflowQuestion,
    WorkflowSubject,
};
use crate::domain::history::{EVENTS_MAX, Event, History};
use aws_sdk_swf::types::{WorkflowExecution, WorkflowExecutionOpenCounts};

/// Events of one call; a first look takes as many calls as it takes to read what is kept.
const PAGE: i32 = 500;

/// What an open history asks for.
pub struct Asked<'q> {
    pub domain: &'q str,
    pub execution: &'q ExecutionRef,
    /// The newest event that is known already.
    pub known_to: u64,
    pub activity_list: Option<&'q str>,
}

pub async fn history(clients: &Clients, question: &WorkflowQuestion) -> Draft {
    let mut draft = Draft::default();
    let WorkflowSubject::History { execution, known_to, activity_list } = &question.about else { return draft };
    let asked = Asked {
        domain: &question.domain.name,
        execution,
        known_to: *known_to,
        activity_list: activity_list.as_deref(),
    };
    let answer = match read(clients, &asked, &mut draft).await {
        Ok(answer) => Ok(answer),
        Err((_, trouble)) if trouble.resource_gone => Err(format!(
            "SWF does not know this run of {} any more: the domain keeps closed executions only so long.",
            execution.workflow_id
        )),
        Err((operation, trouble)) => {
            let sentence = trouble.sentence.clone();
            draft.whole(operation, trouble);
            Err(sentence)
        }
    };
    draft.workflow(WorkflowAnswer::History(answer));
    draft
}

async fn read(clients: &Clients, asked: &Asked<'_>, draft: &mut Draft) -> Result<HistoryAnswer, Failed> {
    let described = match describe(clients, asked).await {
        Ok(described) => Ok(described),
        Err((operation, trouble)) if trouble.resource_gone => return Err((operation, trouble)),
        Err((operation, trouble)) => {
            let sentence = trouble.sentence.clone();
            draft.whole(operation, trouble);
            Err(sentence)
        }
    };
    let events = events(clients, asked).await?;
    let waiting = waiting(clients, asked, described.as_ref().ok(), &events, draft).await;
    Ok(HistoryAnswer { described, events, waiting })
}

fn run(operation: &'static crate::aws::operations::Operation, of: &ExecutionRef) -> Result<WorkflowExecution, Failed> {
    let run = WorkflowExecution::builder().workflow_id(&of.workflow_id).run_id(&of.run_id).build();
    run.map_err(|error| unbuilt(operation, &error))
}

async fn describe(clients: &Clients, asked: &Asked<'_>) -> Result<Described, Failed> {
    let operation = &DESCRIBE_WORKFLOW_EXECUTION;
    clients.turn(operation).await;
    let request = clients.swf.describe_workflow_execution().domain(asked.domain);
    let request = request.execution(run(operation, asked.execution)?);
    let told = request.send().await.map_err(|error| failed(clients, operation, &error))?;
    let unnamed = || {
        let class = crate::domain::finding::ErrorClass::Other;
        let sentence = format!("{} gave an empty answer.", operation.label);
        let trouble = crate::aws::errors::Trouble {
            class,
            sentence,
            no_data: None,
            of_place: false,
            resource_gone: false,
            maybe_done: false,
        };
        (operation, trouble)
    };
    let execution = told.execution_info.and_then(execution).ok_or_else(unnamed)?;
    let config = told.execution_configuration;
    let limit = |text: Option<&String>| seconds(text.map(String::as_str));
    Ok(Described {
        execution,
        execution_timeout_s: limit(config.as_ref().map(|config| &config.execution_start_to_close_timeout)),
        decision_timeout_s: limit(config.as_ref().map(|config| &config.task_start_to_close_timeout)),
        task_list: config.and_then(|config| config.task_list).map(|list| list.name),
        open: told.open_counts.as_ref().map_or(OpenCounts::default(), counts),
    })
}

fn counts(open: &WorkflowExecutionOpenCounts) -> OpenCounts {
    let count = |n: i32| u64::try_from(n).unwrap_or(0);
    OpenCounts {
        decisions: count(open.open_decision_tasks),
        activities: count(open.open_activity_tasks),
        timers: count(open.open_timers),
        children: count(open.open_child_workflow_executions),
        functions: count(open.open_lambda_functions),
    }
}

/// From the newest event back to the first that is known, or until as many are read as are kept.
async fn events(clients: &Clients, asked: &Asked<'_>) -> Result<Vec<Event>, Failed> {
    let operation = &GET_WORKFLOW_EXECUTION_HISTORY;
    let mut events: Vec<Event> = Vec::new();
    let mut token = None;
    loop {
        clients.turn(operation).await;
        let request = clients.swf.get_workflow_execution_history().domain(asked.domain);
        let request = request.execution(run(operation, asked.execution)?).reverse_order(true);
        let page = request.maximum_page_size(PAGE).set_next_page_token(token).send().await;
        let page = page.map_err(|error| failed(clients, operation, &error))?;
        events.extend(page.events.iter().filter_map(event).filter(|event| event.id > asked.known_to));
        token = page.next_page_token.filter(|token| !token.is_empty());
        let has_met =
            page.events.last().is_none_or(|last| u64::try_from(last.event_id).is_ok_and(|id| id <= asked.known_to + 1));
        if token.is_none() || has_met || events.len() >= EVENTS_MAX {
            return Ok(events);
        }
    }
}

/// How much waits on the lists on which this execution waits. What cannot be counted is left out, and told as a problem.
async fn waiting(
    clients: &Clients,
    asked: &Asked<'_>,
    described: Option<&Described>,
    events: &[Event],
    draft: &mut Draft,
) -> Vec<Waiting> {
    let mut seen = History::default();
    if let Some(described) = described {
        let (described, events) = (Ok(described.clone()), events.to_vec());
        seen.take(Ok(HistoryAnswer { described, events, waiting: Vec::new() }));
    }
    let decisions = described.filter(|described| described.open.decisions > 0).and_then(|d| d.task_list.as_deref());
    let is_open = described.is_some_and(|described| described.open.activities > 0);
    let activities = asked.activity_list.or(seen.untaken_list()).filter(|_| is_open);
    let mut all = Vec::new();
    for (tasks, list) in [(Tasks::Decisions, decisions), (Tasks::Activities, activities)] {
        let Some(list) = list else { continue };
        match pending_tasks(clients, asked.domain, tasks, list).await {
            Ok(count) => all.push(Waiting { tasks, list: list.to_owned(), count: count as u64 }),
            Err((operation, trouble)) => draft.whole(operation, trouble),
        }
    }
    all
}
