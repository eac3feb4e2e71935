//! The functions of a scenario: what their code does, their aliases, what invokes them and where their events end.

use super::build::named;
use super::file::{Scenario, Spread};
use super::problems::Problems;
use crate::sim::cx::Place;
use crate::sim::lambda::{
    AliasChange, Answer, Behaviour, Config, EventConfig, Filters, FunctionId, Lambda, MappingSource, Qualifier,
    Settings, Start,
};
use crate::sim::world::World;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    pub name: String,
    #[serde(default = "runtime")]
    pub runtime: String,
    #[serde(default = "memory_mb")]
    pub memory_mb: u32,
    #[serde(default = "timeout_s")]
    pub timeout_s: u32,
    /// The part of a duration that does not depend on the batch.
    pub base: Spread,
    /// What each record adds.
    #[serde(default)]
    pub per_record: Spread,
    #[serde(default = "init")]
    pub init: Spread,
    /// The share of invocations that fail for no reason of the payload, 0 to 1.
    #[serde(default)]
    pub error_rate: f64,
    pub reserved_concurrency: Option<u32>,
    /// The JSON that it answers; without it, its payload.
    pub answer: Option<String>,
    #[serde(default)]
    pub log_lines: Vec<String>,
    /// Where asynchronous events go that failed for good: `sqs/NAME` or `sns/NAME`.
    pub dead_letters: Option<String>,
    /// Destinations of asynchronous events: `sqs/NAME`, `sns/NAME` or `lambda/NAME`.
    pub on_success: Option<String>,
    pub on_failure: Option<String>,
    /// Tries of an asynchronous event after the first, 0 to 2.
    pub maximum_retry_attempts: Option<u32>,
}

/// A name for a version. Version 1 is what the function does when the story begins.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    pub name: String,
    pub function: String,
    /// Environments that are always warm.
    pub provisioned_concurrency: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// `kinesis/bids` or `sqs/orders`.
    pub source: String,
    /// `fulfil-order`, or through an alias `fulfil-order:live`.
    pub function: String,
    pub batch_size: Option<u32>,
    pub window_s: Option<u32>,
    pub parallelization_factor: Option<u32>,
    #[serde(default)]
    pub report_item_failures: bool,
    /// Of a queue.
    pub maximum_concurrency: Option<u32>,
    /// Of a stream; without them, a record is retried until it expires.
    pub maximum_retry_attempts: Option<u32>,
    pub maximum_record_age_s: Option<u32>,
    #[serde(default)]
    pub bisect_on_error: bool,
    /// Of a stream, where what is given up is told: `sqs/NAME` or `sns/NAME`.
    pub on_failure: Option<String>,
    /// A filter pattern: only records that match reach the function.
    pub filter: Option<String>,
    /// `MetricsConfig` `EventCount`.
    #[serde(default)]
    pub event_counts: bool,
}

fn runtime() -> String {
    "python3.13".to_owned()
}
const fn memory_mb() -> u32 {
    256
}
const fn timeout_s() -> u32 {
    10
}
const fn init() -> Spread {
    Spread { p50_ms: 250.0, p99_ms: 700.0 }
}

/// `fulfil-order:live` is a function and an alias.
fn split(function: &str) -> (&str, Option<&str>) {
    function.split_once(':').map_or((function, None), |(name, alias)| (name, Some(alias)))
}

/// The ARN of `sqs/NAME`, `sns/NAME` or `lambda/NAME`.
fn arn(place: &Place, target: &str) -> String {
    match target.split_once('/') {
        Some(("lambda", name)) => place.arn("lambda", &format!("function:{name}")),
        Some((service, name)) => place.arn(service, name),
        None => target.to_owned(),
    }
}

impl Scenario {
    /// Whether a function's alias is there.
    pub(super) fn has_alias(&self, world: Option<&World>, function: &str, alias: &str) -> bool {
        self.aliases.iter().any(|known| known.function == function && known.name == alias)
            || world
                .and_then(|world| world.lambda.named(function))
                .is_some_and(|found| found.aliases.contains_key(alias))
    }

    /// Whether something can be told there.
    fn has_target(&self, world: Option<&World>, target: &str) -> bool {
        match target.split_once('/') {
            Some(("sns", _)) => self.has_topic(world, target),
            Some(("lambda", name)) => self.has_function(world, split(name).0),
            _ => target.starts_with("sqs/") && self.has_source(world, target),
        }
    }

    pub(super) fn check_functions(&self, problems: &mut Problems<'_>, world: Option<&World>) {
        for (index, function) in self.functions.iter().enumerate() {
            for target in [&function.dead_letters, &function.on_success, &function.on_failure].into_iter().flatten() {
                if !self.has_target(world, target) {
                    let message =
                        format!("function `{}`: `{target}` is no queue, topic or function here", function.name);
                    problems.of("function", index, message);
                }
            }
            if function.maximum_retry_attempts.is_some_and(|tries| tries > 2) {
                problems.of("function", index, format!("function `{}`: at most 2 retries", function.name));
            }
        }
        for (index, alias) in self.aliases.iter().enumerate() {
            if !self.has_function(world, &alias.function) {
                let (name, function) = (&alias.name, &alias.function);
                let message = format!("alias `{name}`: function `{function}` is not a [[function]] here");
                problems.of("alias", index, message);
            }
            if alias.name.is_empty() || alias.name.bytes().all(|b| b.is_ascii_digit()) {
                problems.of("alias", index, format!("alias `{}`: a number would be a version", alias.name));
            }
        }
        for (index, mapping) in self.mappings.iter().enumerate() {
            self.check_mapping(problems, world, index, mapping);
        }
    }

    fn check_mapping(&self, problems: &mut Problems<'_>, world: Option<&World>, index: usize, mapping: &Mapping) {
        let source = &mapping.source;
        if !self.has_source(world, source) {
            let message = format!("mapping: source `{source}` is not a [[stream]] or [[queue]] here");
            problems.of("mapping", index, message);
        }
        let (function, alias) = split(&mapping.function);
        if !self.has_function(world, function) {
            let message = format!("mapping of `{source}`: function `{function}` is not a [[function]] here");
            problems.of("mapping", index, message);
        } else if let Some(alias) = alias.filter(|alias| !self.has_alias(world, function, alias)) {
            let message = format!("mapping of `{source}`: `{function}` has no [[alias]] `{alias}` here");
            problems.of("mapping", index, message);
        }
        if let Some(target) = mapping.on_failure.as_ref().filter(|target| !self.has_target(world, target)) {
            problems.of("mapping", index, format!("mapping of `{source}`: `{target}` is no queue or topic here"));
        }
        let is_pattern = |text: &String| Filters::parse([text.as_str()].into_iter()).is_some();
        if let Some(filter) = mapping.filter.as_ref().filter(|text| !is_pattern(text)) {
            problems.of("mapping", index, format!("mapping of `{source}`: `{filter}` is no filter pattern"));
        }
    }
}

fn behaviour(function: &Function) -> Behaviour {
    Behaviour {
        base: function.base.into(),
        per_record: function.per_record.into(),
        init: function.init.into(),
        max_memory_mb: function.memory_mb / 2,
        errors: Vec::new(),
        error_rate: function.error_rate,
        log_lines: function.log_lines.clone().into(),
        answer: function.answer.as_deref().map_or(Answer::Echo, |text| Answer::Text(Arc::from(text))),
    }
}

pub fn add_functions(world: &mut World, scenario: &Scenario) -> Result<(), String> {
    for function in &scenario.functions {
        let place = world.place.clone();
        let config = Config {
            runtime: Arc::from(function.runtime.as_str()),
            memory_mb: function.memory_mb,
            timeout_s: function.timeout_s,
            role: format!("arn:aws:iam::{}:role/{}", place.account, function.name),
            dead_letter_arn: function.dead_letters.as_deref().map(|target| arn(&place, target)),
            ..Config::default()
        };
        let (lambda, mut cx) = world.lambda_cx();
        let (name, package) = (&function.name, function.name.as_bytes());
        named("function", name, lambda.create_function(&mut cx, name, config, package, behaviour(function)))?;
        if let Some(reserved) = function.reserved_concurrency {
            named("function", name, lambda.set_reserved_concurrency(name, Some(reserved)))?;
        }
        let events = EventConfig {
            last_modified: cx.now,
            maximum_retry_attempts: function.maximum_retry_attempts,
            maximum_event_age_s: None,
            on_success: function.on_success.as_deref().map(|target| arn(&place, target)),
            on_failure: function.on_failure.as_deref().map(|target| arn(&place, target)),
        };
        let is_set =
            events.maximum_retry_attempts.is_some() || events.on_success.is_some() || events.on_failure.is_some();
        if let Some(made) = lambda.named_mut(name).filter(|_| is_set) {
            made.event_configs.insert(Qualifier::Unqualified.text_or_latest(), events);
        }
    }
    add_aliases(world, scenario)
}

/// Each alias names the version that its function begins with; events through it are settled as the function's own.
fn add_aliases(world: &mut World, scenario: &Scenario) -> Result<(), String> {
    for alias in &scenario.aliases {
        let (lambda, mut cx) = world.lambda_cx();
        let Some(version) = lambda.publish_version(&mut cx, &alias.function, None) else {
            return Err(format!("alias `{}`: no function `{}`", alias.name, alias.function));
        };
        let made = lambda.create_alias(&mut cx, &alias.function, &alias.name, version, &AliasChange::default());
        named("alias", &alias.name, made)?;
        let Some(function) = lambda.named_mut(&alias.function) else { continue };
        let id = function.id;
        if let Some(events) = function.event_configs.get(&Qualifier::Unqualified.text_or_latest()).cloned() {
            function.event_configs.insert(alias.name.clone(), events);
        }
        if let Some(requested) = alias.provisioned_concurrency {
            let qualifier = Qualifier::parse(Some(&alias.name));
            named("alias", &alias.name, lambda.put_provisioned(&mut cx, id, &qualifier, requested))?;
        }
    }
    Ok(())
}

fn settings(place: &Place, mapping: &Mapping, of_kind: Settings) -> Result<Settings, String> {
    let filters = Filters::parse(mapping.filter.as_deref().into_iter());
    Ok(Settings {
        qualifier: Qualifier::parse(split(&mapping.function).1),
        batch_size: mapping.batch_size.unwrap_or(of_kind.batch_size),
        window_s: mapping.window_s.unwrap_or(of_kind.window_s),
        parallelization_factor: mapping.parallelization_factor.unwrap_or(of_kind.parallelization_factor),
        reports_item_failures: mapping.report_item_failures,
        maximum_concurrency: mapping.maximum_concurrency,
        maximum_retry_attempts: mapping.maximum_retry_attempts,
        maximum_record_age_s: mapping.maximum_record_age_s,
        bisect_on_error: mapping.bisect_on_error,
        on_failure: mapping.on_failure.as_deref().map(|target| arn(place, target)),
        filters: filters.ok_or_else(|| format!("mapping of `{}`: no filter pattern", mapping.source))?,
        counts_events: mapping.event_counts,
        ..of_kind
    })
}

fn function_of(lambda: &Lambda, mapping: &Mapping) -> Result<FunctionId, String> {
    let (function, _) = split(&mapping.function);
    lambda.id_of(function).ok_or_else(|| format!("mapping of `{}`: no function `{function}`", mapping.source))
}

pub fn add_mappings(world: &mut World, scenario: &Scenario) -> Result<(), String> {
    for mapping in &scenario.mappings {
        let (source, of_kind) = match mapping.source.split_once('/') {
            Some(("kinesis", name)) => {
                (MappingSource::Stream(name.to_owned()), Settings::for_stream(Start::TrimHorizon))
            }
            Some((_, name)) => (MappingSource::Queue(name.to_owned()), Settings::for_queue()),
            None => return Err(format!("mapping: `{}` is no source", mapping.source)),
        };
        let settings = settings(&world.place, mapping, of_kind)?;
        let (lambda, mut cx) = world.lambda_cx();
        let function = function_of(lambda, mapping)?;
        named("mapping of", &mapping.source, lambda.begin_with_mapping(&mut cx, function, source, settings, true))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Scenario, build};
    use super::*;
    use std::time::Duration;

    const FILE: &str = r#"
        name = "shop"
        title = "A shop"
        start = "2026-11-27T18:00:00Z"
        warm_up = "10m"
        [[template]]
        name = "order"
        text = '{"gift":true}'
        [[queue]]
        name = "orders-dlq"
        [[queue]]
        name = "orders"
        dead_letter_queue = "orders-dlq"
        max_receive_count = 3
        [[function]]
        name = "fulfil"
        base = { p50_ms = 20, p99_ms = 40 }
        dead_letters = "sqs/orders-dlq"
        [[alias]]
        name = "live"
        function = "fulfil"
        provisioned_concurrency = 4
        [[mapping]]
        source = "sqs/orders"
        function = "fulfil:live"
        batch_size = 1
        [[producer]]
        name = "shop"
        target = "sqs/orders"
        per_s = 2.0
        template = "order"
    "#;

    fn world_with(faults: &str) -> World {
        let scenario = Scenario::parse(&format!("{FILE}{faults}")).unwrap();
        let mut world = build(&scenario, 1).unwrap();
        world.advance_to(scenario.start);
        world
    }

    /// Invocations begun in the next minutes, and how many of them fail.
    fn tally(world: &mut World, minutes: u64) -> (usize, usize) {
        let from = world.now;
        world.advance_to(from + Duration::from_secs(60 * minutes));
        let log = &world.lambda.named("fulfil").unwrap().log;
        let runs: Vec<_> = log.records().filter(|record| record.started >= from).collect();
        (runs.len(), runs.iter().filter(|record| !record.outcome.is_success()).count())
    }

    #[test]
    fn a_bad_version_behind_an_alias_is_cured_by_pointing_the_alias_back() {
        let fault = r#"
            [[fault]]
            at = "1m"
            kind = "bad-deploy"
            target = "lambda/fulfil"
            alias = "live"
            when_contains = "gift"
        "#;
        let mut world = world_with(fault);
        assert_eq!(tally(&mut world, 1).1, 0);
        let (runs, failed) = tally(&mut world, 1);
        assert!(runs > 50 && failed == runs, "{runs} {failed}");
        let (lambda, mut cx) = world.lambda_cx();
        let back = AliasChange { version: Some(crate::sim::lambda::VersionNumber(1)), ..AliasChange::default() };
        lambda.update_alias(&mut cx, "fulfil", "live", &back).unwrap();
        world.advance_to(world.now + Duration::from_secs(1));
        assert_eq!(tally(&mut world, 1).1, 0);
    }

    #[test]
    fn faults_of_functions_come_and_go() {
        let faults = r#"
            [[fault]]
            at = "1m"
            until = "2m"
            kind = "disable-mapping"
            target = "sqs/orders"
            [[fault]]
            at = "5m"
            until = "6m"
            kind = "concurrency-cap"
            target = "lambda/fulfil"
            cap = 5
            [[fault]]
            at = "5m"
            until = "6m"
            kind = "timeout-close"
            target = "lambda/fulfil"
            timeout_s = 1
        "#;
        let mut world = world_with(faults);
        assert!(tally(&mut world, 1).0 > 50);
        assert!(tally(&mut world, 1).0 < 5, "nothing polls the queue");
        assert!(tally(&mut world, 3).0 > 150, "what waited is worked off");
        world.advance_to(world.now + Duration::from_secs(1));
        let function = world.lambda.named("fulfil").unwrap();
        assert_eq!((function.reserved, function.latest.config.timeout_s), (Some(5), 1));
        world.advance_to(world.now + Duration::from_secs(60));
        let function = world.lambda.named("fulfil").unwrap();
        assert_eq!((function.reserved, function.latest.config.timeout_s), (None, 10));
    }

    #[test]
    fn what_functions_cannot_be_is_told_with_its_line() {
        let wrong = r#"
            [[function]]
            name = "task"
            base = { p50_ms = 20, p99_ms = 40 }
            on_failure = "sqs/nowhere"
            [[alias]]
            name = "7"
            function = "ghost"
            [[mapping]]
            source = "sqs/orders"
            function = "task:none"
            filter = "no pattern"
        "#;
        let error = Scenario::parse(&format!("{FILE}{wrong}")).unwrap_err().to_string();
        for word in ["sqs/nowhere", "ghost", "a number would be a version", "[[alias]] `none`", "no filter pattern"] {
            assert!(error.contains(word), "{word} is not in: {error}");
        }
    }
}
