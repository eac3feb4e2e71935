//! What troubles a function from outside its code: slow or broken dependencies, payloads that it cannot read, a control
//! plane that throttles it. Faults set it; nobody else does.

use crate::sim::lambda::behaviour::{Behaviour, ErrorRule, Spread};

/// Nothing, where all is well.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trouble {
    /// Added to each invocation's duration.
    pub added: Spread,
    /// The share of invocations that fail, 0.0 to 1.0.
    pub failing: f64,
    /// The share of invocations that are throttled, 0.0 to 1.0.
    pub throttled: f64,
    pub poison: Vec<ErrorRule>,
}

impl Trouble {
    /// Whether it makes invocations fail that would not.
    pub fn fails(&self) -> bool {
        self.failing > 0.0 || !self.poison.is_empty()
    }

    /// What code does under it.
    pub fn upon(&self, behaviour: &Behaviour) -> Behaviour {
        Behaviour {
            errors: behaviour.errors.iter().chain(&self.poison).cloned().collect(),
            error_rate: behaviour.error_rate.max(self.failing),
            ..behaviour.clone()
        }
    }
}
