//! Invoke: call a function with a payload, and show what it answers.

use super::{Call, Estate, Expect, Invocation, Plan, Refusal, Safety};
use crate::domain::counted::counted_all;
use crate::domain::row::ResourceId;
use crate::domain::time::Timestamp;
use crate::domain::value::short_duration_ms;
use crate::domain::verb::ActionId;
use crate::kinds::lambda;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// JSON; Lambda takes nothing else.
    pub payload: String,
    pub invocation: Invocation,
}

/// Lambda's limits of a payload: 6 MB when somebody waits for the answer, 1 MB for an event.
const PAYLOAD_WAIT_MAX_BYTES: usize = 6 * 1024 * 1024;
const PAYLOAD_EVENT_MAX_BYTES: usize = 1024 * 1024;

/// Plans one invocation. The payload is checked to be JSON before anything is sent.
pub fn plan(estate: &Estate, id: &ResourceId, params: &Params, now: Timestamp) -> Result<Plan, Refusal> {
    let row = super::row(estate, id)?;
    let name = &id.name;
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&params.payload) {
        return Err(Refusal(format!("The payload is not JSON: {error}. Lambda takes JSON only.")));
    }
    let bytes = params.payload.len();
    let max = match params.invocation {
        Invocation::Event => PAYLOAD_EVENT_MAX_BYTES,
        Invocation::Wait | Invocation::DryRun => PAYLOAD_WAIT_MAX_BYTES,
    };
    if bytes > max {
        return Err(Refusal(format!(
            "The payload has {}; Lambda takes at most {max} here.",
            counted_all(bytes, "byte")
        )));
    }
    let timeout = row.fields.number(&lambda::TIMEOUT_S).map(|s| short_duration_ms(s * 1000.0));
    let preview = match params.invocation {
        Invocation::Wait => vec![
            format!(
                "Run {name} once with {} of payload, and wait for its answer and log tail.",
                counted_all(bytes, "byte")
            ),
            format!("It may take up to its timeout{}.", timeout.map_or(String::new(), |t| format!(", {t}"))),
            "The function really runs: whatever it does to other systems is done, and is not undone.".into(),
        ],
        Invocation::Event => vec![
            format!(
                "Queue one event of {} for {name}. Lambda retries it twice if the function fails.",
                counted_all(bytes, "byte")
            ),
            "The function really runs: whatever it does to other systems is done, and is not undone.".into(),
        ],
        Invocation::DryRun => {
            vec![format!("Ask Lambda whether {name} may be invoked so. The function does not run.")]
        }
    };
    let safety = if params.invocation == Invocation::DryRun { Safety::Harmless } else { Safety::Costly };
    Ok(Plan {
        action: ActionId::Invoke,
        resource: id.clone(),
        preview,
        warnings: Vec::new(),
        calls: vec![Call::Invoke {
            function: name.clone(),
            payload: params.payload.clone(),
            invocation: params.invocation,
        }],
        safety,
        expect: Expect::Answer,
        made_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row::{KindId, Row};

    #[test]
    fn a_payload_that_is_no_json_is_refused_with_its_place() {
        let id = ResourceId::new(KindId::Lambda, "settle-bid");
        let now = Timestamp::from_millis(0);
        let estate = Estate::from([(id.clone(), Row::new(id.clone(), now))]);
        let invoke = |payload: &str| {
            let params = Params { payload: payload.into(), invocation: Invocation::Wait };
            plan(&estate, &id, &params, now)
        };
        assert!(invoke("{\"a\": ").unwrap_err().0.contains("line 1 column"));
        let plan = invoke("{\"hotel\":\"h-1\"}").unwrap();
        assert!(matches!(&plan.calls[..], [Call::Invoke { payload, .. }] if payload == "{\"hotel\":\"h-1\"}"));
    }
}
