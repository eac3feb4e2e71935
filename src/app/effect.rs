//! Effects: everything that `update` can ask of the outside. Only the shell carries them out.

use crate::actions::Confirmed;
use crate::app::job::{PlanId, Stage};
use crate::domain::poll::Poll;
use crate::domain::time::Timestamp;

/// A wish of `update`.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask AWS; the answer comes back as `What::Polled` with the same poll.
    Ask(Poll),
    /// Make the calls of a confirmed plan, one after the other; stop at the first that fails. The intent is in the
    /// journal on disk before a call leaves, the outcome after it. Each call comes back as `What::Performed`.
    Perform {
        plan_id: PlanId,
        plan: Confirmed,
    },
    /// Write into the journal how a plan ended, as the polls showed it. `stage` is one that is over.
    Conclude {
        plan_id: PlanId,
        stage: Stage,
        sentence: String,
    },
    /// Put this text on the person's clipboard (OSC 52).
    Copy(String),
    /// Send `What::Wake` at this time. It replaces the wake asked for before.
    WakeAt(Timestamp),
    /// Watch the contexts of these names, from the first question on, instead of those of now.
    Watch(Vec<String>),
    /// Stop as the shell's ctrl-z does.
    Suspend,
    Quit,
}
