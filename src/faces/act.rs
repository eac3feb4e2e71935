//! `midwatch do`: the terminal UI's actions with the same plans, for scripts.

use crate::actions::{CallOutcome, Invocation, Plan, Refusal, invoke, redrive, reshard};
use crate::app::contexts;
use crate::app::job::{Job, Stage};
use crate::app::screen::{Detail, Screen};
use crate::app::state::State;
use crate::cli::{DoAction, DoArgs, DoFlags, Format, InvocationWord};
use crate::config::Settings;
use crate::domain::row::ResourceId;
use crate::faces::{runtime, say};
use crate::failure::Failure;
use crate::session::{self, Session};
use crate::shell::headless::Runner;
use serde_json::json;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::time::Duration;

/// Sent, and it failed; sent, and its end was not seen in time.
const FAILED: u8 = 2;
const NOT_SEEN: u8 = 3;
/// What the plan needs to know of the resource (its shards, its tasks) comes within this time or not at all.
const LOOK_MAX: Duration = Duration::from_secs(30);
/// An answer of an invocation takes at most Lambda's longest timeout.
const ANSWER_MAX: Duration = Duration::from_secs(920);
/// Larger payloads Lambda does not take.
const PAYLOAD_BYTES_MAX: u64 = 8 << 20;

pub fn run(arguments: &DoArgs, settings: &Settings) -> Result<u8, Failure> {
    let how = arguments.action.how();
    if !how.dry_run && !settings.may_act() {
        return Err(Failure::new(
            "Live AWS is read-only: add --allow-actions to act, or --dry-run to see the plan and stop.",
        ));
    }
    let request = Request::read(&arguments.action)?;
    let runtime = runtime(settings)?;
    let ended = runtime.block_on(act(&request, how, settings));
    runtime.shutdown_background();
    ended
}

/// What is asked for, with its payload read.
struct Request {
    id: ResourceId,
    /// What was written before the id: which of several contexts is meant.
    context: Option<String>,
    verb: Verb,
}

enum Verb {
    Reshard(reshard::Params),
    Redrive(redrive::Params),
    CancelRedrive,
    Invoke(invoke::Params),
}

impl Request {
    fn read(action: &DoAction) -> Result<Self, Failure> {
        let (resource, verb) = match action {
            DoAction::Reshard { resource, shards, split, .. } => {
                let params = match (shards, split) {
                    (_, Some(shard)) => reshard::Params::Split { shard: shard.clone() },
                    (Some(target), None) => reshard::Params::Resize { target: *target },
                    (None, None) => return Err(Failure::new("Give --shards N or --split SHARD.")),
                };
                (resource, Verb::Reshard(params))
            }
            DoAction::Redrive { resource, rate, .. } => (resource, Verb::Redrive(redrive::Params { max_per_s: *rate })),
            DoAction::CancelRedrive { resource, .. } => (resource, Verb::CancelRedrive),
            DoAction::Invoke { resource, payload, invocation, .. } => {
                let invocation = match invocation {
                    InvocationWord::Wait => Invocation::Wait,
                    InvocationWord::Event => Invocation::Event,
                    InvocationWord::DryRun => Invocation::DryRun,
                };
                (resource, Verb::Invoke(invoke::Params { payload: payload_text(payload)?, invocation }))
            }
        };
        let (context, id) = ResourceId::parse_in_context(resource).map_err(Failure::new)?;
        Ok(Self { id, context: context.map(str::to_owned), verb })
    }

    fn plan(&self, runner: &Runner, id: &ResourceId) -> Result<Plan, Refusal> {
        let (rows, now) = (&runner.state().rows, runner.now());
        match &self.verb {
            Verb::Reshard(params) => reshard::plan(rows, id, params, now),
            Verb::Redrive(params) => redrive::plan(rows, id, params, now),
            Verb::CancelRedrive => redrive::plan_cancel(rows, id, now),
            Verb::Invoke(params) => invoke::plan(rows, id, params, now),
        }
    }
}

/// The payload itself, or the text of `@FILE`, or of the standard input for `@-`.
fn payload_text(word: &str) -> Result<String, Failure> {
    let Some(path) = word.strip_prefix('@') else { return Ok(word.to_owned()) };
    let mut text = String::new();
    let read = if path == "-" {
        std::io::stdin().take(PAYLOAD_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(PAYLOAD_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| Failure::new(format!("The payload {path} cannot be read: {error}.")))?;
    Ok(text)
}

async fn act(request: &Request, how: &DoFlags, settings: &Settings) -> Result<u8, Failure> {
    let session = session::open(settings).await?;
    if let Some(after) = how.after {
        session.clock.sleep(after).await;
    }
    let (mut runner, id) = look(request, &session, settings).await?;
    let plan = request.plan(&runner, &id).map_err(|refusal| refused(&refusal, &runner, &id))?;
    if how.dry_run {
        say(&shown(&plan, how.format, None))?;
        return Ok(0);
    }
    if !how.yes {
        say(&shown(&plan, Format::Table, None))?;
        let (state, place) = (runner.state(), &plan.resource.place);
        let mark = if contexts::is_production(state, place) { "  PRODUCTION" } else { "" };
        eprintln!("  in {}{mark}", contexts::described(state, place));
        ask(&plan, runner.state().settings.asks_name(&plan))?;
    }
    let calls = plan.calls.len();
    runner.agree(plan.clone());
    runner.until(ANSWER_MAX, |state| newest(state).is_none_or(|job| has_answered(job, calls))).await;
    if !how.no_wait {
        runner.until(how.wait, |state| newest(state).is_none_or(|job| job.stage.is_over())).await;
        // The journal's last entry is written by a task of its own.
        runner.run_for(Duration::from_millis(100)).await;
    }
    let Some(job) = newest(runner.state()) else {
        return Err(Failure::new("Nothing was sent: midwatch is read-only here."));
    };
    say(&shown(&job.plan, how.format, Some(job)))?;
    Ok(exit_code(job, how.no_wait))
}

/// Looks at the estate, and closely at the one resource, which is found where it is said to be.
async fn look(request: &Request, session: &Session, settings: &Settings) -> Result<(Runner, ResourceId), Failure> {
    let (hands, answers) = session::hands(session, settings);
    let mut runner = Runner::new(State::new(session.settings.clone(), session.clock.now()), hands, answers);
    let word = request.context.as_deref();
    if word.is_some() && contexts::place_of(runner.state(), word).is_err() {
        let contexts = session.settings.contexts.len();
        // The accounts may not be known yet.
        runner.until(LOOK_MAX, |state| state.identities.len() == contexts).await;
    }
    let place = contexts::place_of(runner.state(), word).map_err(Failure::new)?;
    let id = request.id.clone().at(&place);
    runner.show(Screen::Detail(Detail::new(id.clone())));
    runner.settle().await;
    if matches!(request.verb, Verb::Reshard(_)) {
        runner.until(LOOK_MAX, |state| state.rows.get(&id).is_none_or(|row| !row.parts.is_empty())).await;
    }
    Ok((runner, id))
}

fn newest(state: &State) -> Option<&Job> {
    state.jobs.back()
}

/// Every call has come back, or one has failed, or nothing could be journalled and so nothing was sent.
fn has_answered(job: &Job, calls: usize) -> bool {
    job.stage.is_over() || job.outcomes.len() >= calls
}

/// A refusal, with what could not be looked at where that may be why; the config may hide what is asked for.
fn refused(refusal: &Refusal, runner: &Runner, id: &ResourceId) -> Failure {
    if !runner.state().lets_through(id) {
        let cure = "change them, or name another file with --config";
        return Failure::new(format!("{id} is hidden by the config's include and exclude: {cure}."));
    }
    let there = runner.state().problems.values().filter(|problem| problem.place == id.place);
    let mut problems: Vec<&str> = there.map(|problem| problem.sentence.as_str()).collect();
    problems.dedup();
    if !runner.state().rows.contains_key(id) && !problems.is_empty() {
        return Failure::new(format!("{id} could not be looked for. {}", problems.join(" ")));
    }
    Failure::new(refusal.0.clone())
}

/// Asks on the terminal. Without one there is nobody to ask.
fn ask(plan: &Plan, asks_name: bool) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new("Nothing was sent: there is no terminal to ask on; add --yes to agree beforehand."));
    }
    let wanted = if asks_name { plan.resource.name.as_str() } else { "yes" };
    eprint!("Do it? Type `{wanted}`, anything else leaves {} as it is: ", plan.resource);
    std::io::stderr().flush().ok();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| Failure::new(format!("No answer: {error}.")))?;
    if line.trim() == wanted { Ok(()) } else { Err(Failure::new("Nothing was sent.")) }
}

fn exit_code(job: &Job, no_wait: bool) -> u8 {
    let call_failed = job.outcomes.iter().any(|outcome| matches!(outcome, CallOutcome::Failed { .. }));
    let function_failed =
        job.outcomes.iter().any(|outcome| matches!(outcome, CallOutcome::Answered(a) if a.function_error.is_some()));
    match job.stage {
        _ if function_failed => FAILED,
        Stage::Done => 0,
        Stage::Failed if job.outcomes.is_empty() => 1,
        Stage::Failed | Stage::Partly => FAILED,
        Stage::Watching if no_wait && !call_failed => 0,
        _ if call_failed => FAILED,
        Stage::Calling | Stage::Watching | Stage::NotSeen => NOT_SEEN,
    }
}

fn shown(plan: &Plan, format: Format, job: Option<&Job>) -> String {
    let calls: Vec<String> = plan.calls.iter().map(crate::actions::Call::describe).collect();
    if matches!(format, Format::Json) {
        let value = json!({
            "action": plan.action.word(),
            "resource": plan.resource.to_string(),
            "preview": plan.preview,
            "warnings": plan.warnings,
            "calls": calls,
            "stage": job.map(|job| stage_word(job.stage)),
            "sentence": job.map(|job| job.sentence.as_str()),
            "outcomes": job.map(|job| job.outcomes.iter().map(outcome_json).collect::<Vec<_>>()),
        });
        return format!("{value:#}\n");
    }
    let mut text = String::new();
    let mut line = |indent: &str, words: &str| {
        text.push_str(indent);
        text.push_str(words);
        text.push('\n');
    };
    line("", &format!("{} {}", plan.action.word(), plan.resource));
    match job {
        None => {
            plan.preview.iter().for_each(|words| line("  ", words));
            plan.warnings.iter().for_each(|words| line("  ! ", words));
            calls.iter().for_each(|call| line("  $ aws ", call));
        }
        Some(job) => {
            for outcome in &job.outcomes {
                outcome_lines(outcome).iter().for_each(|words| line("  ", words));
            }
            line("  ", &job.sentence);
        }
    }
    text
}

const fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Calling => "calling",
        Stage::Watching => "watching",
        Stage::Done => "done",
        Stage::Partly => "partly",
        Stage::Failed => "failed",
        Stage::NotSeen => "not-seen",
    }
}

fn outcome_json(outcome: &CallOutcome) -> serde_json::Value {
    match outcome {
        CallOutcome::Accepted(sentences) => json!({ "accepted": sentences }),
        CallOutcome::Answered(answer) => json!({
            "status": answer.status,
            "function_error": answer.function_error,
            "executed_version": answer.executed_version,
            "payload": answer.payload,
            "log_tail": answer.log_tail,
        }),
        CallOutcome::Failed { sentence, sent } => json!({ "failed": sentence, "may_have_been_sent": sent }),
    }
}

fn outcome_lines(outcome: &CallOutcome) -> Vec<String> {
    match outcome {
        CallOutcome::Accepted(sentences) => sentences.clone(),
        CallOutcome::Failed { sentence, .. } => vec![sentence.clone()],
        CallOutcome::Answered(answer) => {
            let mut lines = vec![format!("answer: {}", answer.payload)];
            lines.extend(answer.function_error.iter().map(|error| format!("function error: {error}")));
            lines.extend(answer.log_tail.lines().map(|log| format!("log: {log}")));
            lines
        }
    }
}
