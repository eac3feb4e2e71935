//! Scenarios: TOML files that describe a company's topology, its applications, and what goes wrong when.

mod alarm;
mod build;
mod build_fault;
mod build_workflow;
mod delivery;
mod fault;
mod fault_check;
mod fault_scope;
mod file;
mod fleet;
mod fragment;
mod function;
mod problems;
mod read;
mod topic;
mod trigger;
mod workflow;

pub use alarm::Alarm;
pub use build::build;
pub use delivery::DeliveryStream;
pub use fault::{Fault, FaultKind};
pub use file::{Producer, Queue, Scenario, ScenarioError, Spread, Stream, Worker};
pub use fleet::Fleet;
pub use fragment::{Fragment, NotAdded, add};
pub use function::{Alias, Function, Mapping};
pub use topic::{Endpoint, Subscription, Topic};

/// A scenario that comes with the program.
pub struct Builtin {
    pub name: &'static str,
    pub text: &'static str,
}

/// Every scenario that comes with the program; the first is the default of `--demo`.
pub const BUILTIN: &[Builtin] = &[
    Builtin { name: "flash-sale", text: include_str!("builtin/flash-sale.toml") },
    Builtin { name: "order-desk", text: include_str!("builtin/order-desk.toml") },
];

/// The built-in scenario of this name.
pub fn builtin(name: &str) -> Option<&'static Builtin> {
    BUILTIN.iter().find(|builtin| builtin.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_scenario_is_valid_and_bears_its_name() {
        for builtin in BUILTIN {
            let scenario = Scenario::parse(builtin.text).unwrap_or_else(|error| panic!("{}: {error}", builtin.name));
            assert_eq!(scenario.name, builtin.name);
        }
    }

    #[test]
    fn a_syntax_error_names_its_place() {
        let error = Scenario::parse("name = \"x\"\nstart = [").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn every_broken_reference_is_reported_at_once() {
        let text = r#"
            name = "x"
            title = "X"
            start = "2026-11-27T18:00:00Z"
            [[queue]]
            name = "orders"
            dead_letter_queue = "nowhere"
            [[mapping]]
            source = "sqs/orders"
            function = "ghost"
            [[producer]]
            name = "api"
            target = "sqs/missing"
            per_s = 1.0
            template = "none"
            [[fault]]
            at = "2m"
            kind = "surge"
            target = "nobody"
        "#;
        let error = Scenario::parse(text).unwrap_err().to_string();
        for word in ["nowhere", "ghost", "sqs/missing", "none", "nobody"] {
            assert!(error.contains(word), "{word} is not in: {error}");
        }
    }

    #[test]
    fn an_account_is_called_as_iam_lets_it_be() {
        let parse = |alias: &str| {
            let head = "name = \"x\"\ntitle = \"X\"\nstart = \"2026-11-27T18:00:00Z\"";
            Scenario::parse(&format!("{head}\naccount_alias = \"{alias}\""))
        };
        let world = build(&parse("acme-prod").unwrap(), 1).unwrap();
        assert_eq!(world.iam.alias(), Some("acme-prod"));
        let error = parse("Acme").unwrap_err().to_string();
        assert!(error.contains("account_alias: `Acme` is no alias of an account"), "{error}");
    }
}
