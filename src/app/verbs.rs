//! From a key to a plan: each verb's form, and how what was typed becomes the verb's parameters.

use crate::actions::{Invocation, Plan, Refusal, invoke, redrive, reshard};
use crate::app::dialog::{Form, FormField, Input};
use crate::app::edit::Editor;
use crate::app::screen::Screen;
use crate::app::state::State;
use crate::domain::row::{ResourceId, Row};
use crate::domain::verb::ActionId;
use crate::kinds::kinesis;

/// The form that a verb needs; `None`: it needs nothing but the resource.
pub fn form(state: &State, action: ActionId, row: &Row) -> Option<Form> {
    let (part, fields) = match action {
        ActionId::Reshard => reshard_fields(state, row),
        ActionId::Redrive => (None, vec![rate_field()]),
        ActionId::Invoke => (None, invoke_fields(state, &row.id)),
        ActionId::CancelRedrive => return None,
    };
    Some(Form { action, resource: row.id.clone(), part, fields, focus: 0, error: None })
}

/// The plan of what the form says now.
pub fn plan(state: &State, form: &Form) -> Result<Plan, Refusal> {
    let (estate, id, now) = (&state.rows, &form.resource, state.now);
    match form.action {
        ActionId::Reshard => reshard::plan(estate, id, &reshard_params(form)?, now),
        ActionId::Redrive => {
            let typed = form.text(0);
            let max_per_s = match typed.trim() {
                "" => None,
                rate => Some(rate.parse().map_err(|_| Refusal(format!("`{rate}` is no rate: write 1 to 500.")))?),
            };
            redrive::plan(estate, id, &redrive::Params { max_per_s }, now)
        }
        ActionId::CancelRedrive => redrive::plan_cancel(estate, id, now),
        ActionId::Invoke => {
            let invocation = match form.chosen(1) {
                1 => Invocation::Event,
                2 => Invocation::DryRun,
                _ => Invocation::Wait,
            };
            invoke::plan(estate, id, &invoke::Params { payload: form.text(0), invocation }, now)
        }
    }
}

/// The plan of a verb that needs no form.
pub fn plan_without_form(state: &State, action: ActionId, id: &ResourceId) -> Result<Plan, Refusal> {
    let form = Form { action, resource: id.clone(), part: None, fields: Vec::new(), focus: 0, error: None };
    plan(state, &form)
}

/// Splitting comes first when there is a shard to split: the selected one, else the busiest.
fn reshard_fields(state: &State, row: &Row) -> (Option<String>, Vec<FormField>) {
    let shard = shard_to_split(state, row);
    let open = row.fields.number(&kinesis::OPEN_SHARDS).unwrap_or(1.0) as u32;
    let mut options = Vec::new();
    if let Some((shard, why)) = &shard {
        options.push(format!("split {shard} ({why})"));
    }
    options.push("resize the stream".to_owned());
    let how = FormField {
        label: "how",
        hint: "Left and right choose. A split helps one hot shard; a resize spreads the whole stream anew.".into(),
        input: Input::Choice { options, chosen: 0 },
    };
    let target = FormField {
        label: "shards",
        hint: format!(
            "For a resize: {open} are open now; {} to {} can be reached at once.",
            open.div_ceil(2),
            open * 2
        ),
        input: Input::Text(Editor::one_line(&(open * 2).to_string())),
    };
    (shard.map(|(shard, _)| shard), vec![how, target])
}

fn shard_to_split(state: &State, row: &Row) -> Option<(String, &'static str)> {
    let is_open = |id: &str| {
        let part = row.parts.iter().find(|part| part.id == id);
        part.is_some_and(|part| part.fields.text(&kinesis::SHARD_STATE) == Some("open"))
    };
    if let Screen::Detail(detail) = state.screen()
        && let Some(part) = detail.part.as_ref().filter(|part| is_open(part))
    {
        return Some((part.clone(), "selected"));
    }
    let used = |part: &&crate::domain::row::Part| part.fields.number(&kinesis::SHARD_USE_PERCENT);
    let open = row.parts.iter().filter(|part| is_open(&part.id) && used(part).is_some());
    let busiest = open.max_by(|a, b| used(a).unwrap_or(0.0).total_cmp(&used(b).unwrap_or(0.0)))?;
    Some((busiest.id.clone(), "the busiest"))
}

fn reshard_params(form: &Form) -> Result<reshard::Params, Refusal> {
    match &form.part {
        Some(shard) if form.chosen(0) == 0 => Ok(reshard::Params::Split { shard: shard.clone() }),
        _ => {
            let typed = form.text(1);
            let target = typed.trim().parse();
            let target = target.map_err(|_| Refusal(format!("`{}` is no number of shards.", typed.trim())))?;
            Ok(reshard::Params::Resize { target })
        }
    }
}

fn rate_field() -> FormField {
    FormField {
        label: "rate",
        hint: format!("Messages a second, 1 to {}; empty: the pace that SQS thinks right.", redrive::RATE_MAX_PER_S),
        input: Input::Text(Editor::one_line("")),
    }
}

/// The payload starts as it was when this function was last invoked from here.
fn invoke_fields(state: &State, id: &ResourceId) -> Vec<FormField> {
    let last = state.jobs.iter().rev().filter(|job| job.plan.resource == *id).find_map(|job| {
        job.plan.calls.iter().find_map(|call| match call {
            crate::actions::Call::Invoke { payload, .. } => Some(payload.as_str()),
            _ => None,
        })
    });
    let options = ["wait for the answer", "queue an event", "dry run"];
    vec![
        FormField {
            label: "payload",
            hint: "JSON. Tab goes to the next field, ctrl-s makes the plan.".into(),
            input: Input::Text(Editor::many_lines(last.unwrap_or("{}"))),
        },
        FormField {
            label: "invocation",
            hint: "Left and right choose.".into(),
            input: Input::Choice { options: options.map(str::to_owned).to_vec(), chosen: 0 },
        },
    ]
}

impl Form {
    /// The text of a field; empty when it is no text.
    pub fn text(&self, field: usize) -> String {
        match self.fields.get(field).map(|field| &field.input) {
            Some(Input::Text(editor)) => editor.text(),
            _ => String::new(),
        }
    }

    /// The chosen option of a field, from 0.
    pub fn chosen(&self, field: usize) -> usize {
        match self.fields.get(field).map(|field| &field.input) {
            Some(Input::Choice { chosen, .. }) => *chosen,
            _ => 0,
        }
    }
}
