//! The operations on event source mappings.

use super::input::{FunctionRef, Members, Violations};
use super::{Answer, Route, parse};
use crate::domain::time::Timestamp;
use crate::sim::error::ApiError;
use crate::sim::lambda::filter::FILTERS_MAX;
use crate::sim::lambda::function::{FunctionId, invalid_parameter};
use crate::sim::lambda::mapping::mapping_not_found;
use crate::sim::lambda::version::Qualifier;
use crate::sim::lambda::{Filters, Lambda, Mapping, MappingSource, MappingState, Pollers, Settings, Start};
use crate::sim::mapping::guest;
use crate::sim::wire::Call;
use crate::sim::wire::visit::{QueueSight, Visit};
use crate::sim::world::World;
use serde_json::{Value, json};

/// Mappings on one page, at most [ListEventSourceMappings].
const PAGE: i64 = 100;
const POSITIONS: &[&str] = &["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"];

fn show(world: &World, mapping: &Mapping) -> Value {
    let settings = &mapping.settings;
    let function_arn = world.place.arn("lambda", &format!("function:{}", mapping.function_name));
    let responses: &[&str] = if settings.reports_item_failures { &["ReportBatchItemFailures"] } else { &[] };
    let mut value = json!({
        "UUID": mapping.uuid,
        "BatchSize": settings.batch_size,
        "MaximumBatchingWindowInSeconds": settings.window_s,
        "EventSourceArn": mapping.source_arn,
        "FunctionArn": settings.qualifier.arn(&function_arn),
        "LastModified": mapping.last_modified.secs_f64(),
        "State": mapping.state.name(),
        "FunctionResponseTypes": responses,
        "EventSourceMappingArn": world.place.arn("lambda", &format!("event-source-mapping:{}", mapping.uuid)),
    });
    let Some(members) = value.as_object_mut() else { return value };
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    if !settings.filters.is_empty() {
        let filters: Vec<Value> = settings.filters.texts().map(|text| json!({ "Pattern": text })).collect();
        put("FilterCriteria", json!({ "Filters": filters }));
    }
    if settings.counts_events {
        put("MetricsConfig", json!({"Metrics": ["EventCount"]}));
    }
    if mapping.source.is_queue() {
        put("StateTransitionReason", json!("USER_INITIATED"));
        if let Some(most) = settings.maximum_concurrency {
            put("ScalingConfig", json!({"MaximumConcurrency": most}));
        }
        if let Some(Pollers { minimum, maximum }) = settings.pollers {
            put("ProvisionedPollerConfig", json!({"MinimumPollers": minimum, "MaximumPollers": maximum}));
        }
        return value;
    }
    put("StateTransitionReason", json!("User action"));
    put("LastProcessingResult", json!(mapping.last_result.text()));
    put("ParallelizationFactor", json!(settings.parallelization_factor));
    put("BisectBatchOnFunctionError", json!(settings.bisect_on_error));
    put("MaximumRetryAttempts", json!(settings.maximum_retry_attempts.map_or(-1, i64::from)));
    put("MaximumRecordAgeInSeconds", json!(settings.maximum_record_age_s.map_or(-1, i64::from)));
    put("TumblingWindowInSeconds", json!(settings.tumbling_window_s));
    let on_failure = settings.on_failure.as_ref().map_or_else(|| json!({}), |arn| json!({ "Destination": arn }));
    put("DestinationConfig", json!({ "OnFailure": on_failure }));
    match settings.start {
        Start::TrimHorizon => put("StartingPosition", json!("TRIM_HORIZON")),
        Start::Latest => put("StartingPosition", json!("LATEST")),
        Start::AtTimestamp(at) => {
            put("StartingPositionTimestamp", json!(at.secs_f64()));
            put("StartingPosition", json!("AT_TIMESTAMP"))
        }
    };
    value
}

fn unsupported(member: &str) -> ApiError {
    invalid_parameter(format!("Unsupported {member} parameter for given event source mapping type."))
}

/// Reads the settings that create and update share. Members that the source's kind does not have are refused.
fn read_settings(input: Members<'_>, source: &MappingSource, settings: &mut Settings) -> Result<(), ApiError> {
    let ranged = [
        ("BatchSize", "batchSize", 1, 10_000),
        ("MaximumBatchingWindowInSeconds", "maximumBatchingWindowInSeconds", 0, 300),
        ("ParallelizationFactor", "parallelizationFactor", 1, 10),
        ("MaximumRetryAttempts", "maximumRetryAttempts", -1, 10_000),
        ("MaximumRecordAgeInSeconds", "maximumRecordAgeInSeconds", -1, 604_800),
        ("TumblingWindowInSeconds", "tumblingWindowInSeconds", 0, 900),
    ];
    let mut violations = Violations::default();
    for (member, shown, least, most) in ranged {
        violations.range(input.integer(member)?, shown, least, most);
    }
    let scaling = input.object("ScalingConfig")?;
    let concurrency = scaling.map(|scaling| scaling.integer("MaximumConcurrency")).transpose()?.flatten();
    violations.range(concurrency, "scalingConfig.maximumConcurrency", 2, 1_000);
    let responses = input.texts("FunctionResponseTypes")?;
    for response in responses.iter().flatten() {
        violations.one_of(Some(response), "functionResponseTypes", &["ReportBatchItemFailures"]);
    }
    violations.check()?;
    refuse_foreign(input, source)?;
    let whole = |member: &str| -> Result<Option<u32>, ApiError> {
        Ok(input.integer(member)?.and_then(|value| u32::try_from(value).ok()))
    };
    settings.batch_size = whole("BatchSize")?.unwrap_or(settings.batch_size);
    settings.window_s = whole("MaximumBatchingWindowInSeconds")?.unwrap_or(settings.window_s);
    settings.parallelization_factor = whole("ParallelizationFactor")?.unwrap_or(settings.parallelization_factor);
    if input.has("MaximumRetryAttempts") {
        settings.maximum_retry_attempts = whole("MaximumRetryAttempts")?;
    }
    if let Some(age) = input.integer("MaximumRecordAgeInSeconds")? {
        if (0..60).contains(&age) {
            return Err(invalid_parameter(
                "MaximumRecordAgeInSeconds must be -1 or between 60 and 604800, both inclusive.",
            ));
        }
        settings.maximum_record_age_s = u32::try_from(age).ok();
    }
    settings.tumbling_window_s = whole("TumblingWindowInSeconds")?.unwrap_or(settings.tumbling_window_s);
    settings.bisect_on_error = input.flag("BisectBatchOnFunctionError")?.unwrap_or(settings.bisect_on_error);
    if scaling.is_some() {
        settings.maximum_concurrency = concurrency.and_then(|value| u32::try_from(value).ok());
    }
    if let Some(responses) = responses {
        settings.reports_item_failures = !responses.is_empty();
    }
    if let Some(destinations) = input.object("DestinationConfig")? {
        if destinations.has("OnSuccess") {
            return Err(unsupported("DestinationConfig"));
        }
        let on_failure = destinations.object("OnFailure")?.map(|of| of.text("Destination")).transpose()?.flatten();
        settings.on_failure = on_failure.map(str::to_owned);
    }
    read_filters(input, settings)?;
    read_pollers(input, settings)
}

/// Filters and what is counted.
fn read_filters(input: Members<'_>, settings: &mut Settings) -> Result<(), ApiError> {
    if let Some(criteria) = input.object("FilterCriteria")? {
        let given = criteria.0.get("Filters").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if given.len() > FILTERS_MAX {
            return Err(invalid_parameter(format!("Maximum number of filters exceeded. Limit: {FILTERS_MAX}.")));
        }
        let patterns = given.iter().map(|filter| filter.get("Pattern").and_then(Value::as_str).unwrap_or_default());
        settings.filters =
            Filters::parse(patterns).ok_or_else(|| invalid_parameter("Invalid filter pattern definition."))?;
    }
    if let Some(metrics) = input.object("MetricsConfig")? {
        let wanted = metrics.texts("Metrics")?.unwrap_or_default();
        if wanted.iter().any(|name| *name != "EventCount") {
            let message = "Only EventCount metrics are supported for event source mappings.";
            return Err(invalid_parameter(message));
        }
        settings.counts_events = !wanted.is_empty();
    }
    Ok(())
}

/// Provisioned mode, which leaves no room for a maximum concurrency. An empty object ends it.
fn read_pollers(input: Members<'_>, settings: &mut Settings) -> Result<(), ApiError> {
    let Some(config) = input.object("ProvisionedPollerConfig")? else { return Ok(()) };
    let (least, most) = (config.integer("MinimumPollers")?, config.integer("MaximumPollers")?);
    let mut violations = Violations::default();
    violations.range(least, "provisionedPollerConfig.minimumPollers", 1, 200);
    violations.range(most, "provisionedPollerConfig.maximumPollers", 1, 10_000);
    violations.check()?;
    if least.is_none() && most.is_none() {
        settings.pollers = None;
        return Ok(());
    }
    let whole = |value: Option<i64>, other: u32| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(other);
    let default = settings.pollers.unwrap_or_default();
    let pollers = Pollers { minimum: whole(least, default.minimum), maximum: whole(most, default.maximum) };
    if pollers.minimum > pollers.maximum {
        return Err(invalid_parameter("MinimumPollers should be less than or equal to MaximumPollers."));
    }
    if settings.maximum_concurrency.is_some() {
        return Err(invalid_parameter("MaximumConcurrency cannot be used with ProvisionedPollerConfig."));
    }
    settings.pollers = Some(pollers);
    Ok(())
}

fn refuse_foreign(input: Members<'_>, source: &MappingSource) -> Result<(), ApiError> {
    let foreign: &[&str] = if source.is_queue() {
        &[
            "ParallelizationFactor",
            "MaximumRetryAttempts",
            "MaximumRecordAgeInSeconds",
            "BisectBatchOnFunctionError",
            "DestinationConfig",
            "TumblingWindowInSeconds",
        ]
    } else {
        &["ScalingConfig", "ProvisionedPollerConfig"]
    };
    match foreign.iter().find(|member| input.has(member)) {
        Some(member) => Err(unsupported(member)),
        None => Ok(()),
    }
}

/// Rules between the settings, the source and the function.
fn check_together(
    world: &World,
    source: &MappingSource,
    settings: &Settings,
    id: FunctionId,
    sight: Option<QueueSight>,
) -> Result<(), ApiError> {
    let Some(name) = source.queue() else { return Ok(()) };
    if name.ends_with(".fifo") && settings.window_s > 0 {
        return Err(invalid_parameter("Batching window is not supported for FIFO queues"));
    }
    if name.ends_with(".fifo") && settings.batch_size > 10 {
        return Err(invalid_parameter("Batch size for FIFO queues must be between 1 and 10."));
    }
    if settings.batch_size > 10 && settings.window_s == 0 {
        return Err(invalid_parameter(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ));
    }
    let visibility_s = match source {
        MappingSource::Queue(_) => world.sqs.queue(name).map(|queue| queue.attributes.visibility_s),
        _ => sight.map(|sight| sight.visibility_s),
    };
    let timeout_s = world.lambda.function(id).map(|function| function.latest.config.timeout_s);
    match (visibility_s, timeout_s) {
        (Some(visibility_s), Some(timeout_s)) if visibility_s < timeout_s => Err(invalid_parameter(format!(
            "Queue visibility timeout: {visibility_s} seconds is less than Function timeout: {timeout_s} seconds"
        ))),
        _ => Ok(()),
    }
}

fn no_queue() -> ApiError {
    invalid_parameter(
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error \
         Message: The specified queue does not exist.",
    )
}

fn read_source(world: &World, input: Members<'_>, sight: Option<QueueSight>) -> Result<MappingSource, ApiError> {
    let source = read_source_kind(world, input)?;
    let arn = input.text("EventSourceArn")?.unwrap_or_default();
    match &source {
        MappingSource::Queue(name) if world.sqs.queue(name).is_none() => Err(no_queue()),
        MappingSource::Foreign { .. } => match sight {
            None => Err(no_queue()),
            Some(QueueSight { lets_in: true, .. }) => Ok(source),
            Some(_) => Err(invalid_parameter(
                "The function execution role does not have permissions to call ReceiveMessage on SQS",
            )),
        },
        MappingSource::Stream(name) if world.kinesis.stream(name).is_none() => {
            Err(invalid_parameter(format!("Stream not found: {arn}")))
        }
        _ => Ok(source),
    }
}

fn read_start(input: Members<'_>, source: &MappingSource) -> Result<Start, ApiError> {
    let position = input.text("StartingPosition")?;
    let timestamp = input.number("StartingPositionTimestamp")?;
    if source.is_queue() {
        return match (position, timestamp) {
            (None, None) => Ok(Start::TrimHorizon),
            _ => Err(invalid_parameter("StartingPosition is not valid for SQS event sources.")),
        };
    }
    match (position, timestamp) {
        (Some("AT_TIMESTAMP"), Some(seconds)) if seconds < 0.0 => Err(invalid_parameter(
            "Received Exception while reading from provided stream. class java.lang.Long can not be converted to a \
             Timestamp",
        )),
        (Some("AT_TIMESTAMP"), Some(seconds)) => Ok(Start::AtTimestamp(Timestamp::from_secs_f64(seconds))),
        (Some("AT_TIMESTAMP"), None) => {
            Err(invalid_parameter("StartingPositionTimestamp is required when StartingPosition is AT_TIMESTAMP."))
        }
        (Some(_), Some(_)) => Err(invalid_parameter("Timestamp only valid with StartingPosition AT_TIMESTAMP")),
        (Some("TRIM_HORIZON"), None) => Ok(Start::TrimHorizon),
        (Some(_), None) => Ok(Start::Latest),
        (None, _) => Err(invalid_parameter(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must \
             not be null.",
        )),
    }
}

fn read_function(world: &World, text: &str) -> Result<(FunctionId, Qualifier), ApiError> {
    let found = FunctionRef::parse(world, text)?.resolve(world, None).ok();
    let found = found.and_then(|(name, qualifier)| Some((world.lambda.id_of(&name)?, qualifier)));
    found.ok_or_else(|| invalid_parameter("Function does not exist"))
}

/// Whether a mapping is to be made of another account's queue, which the function's role first looks at.
pub fn looks_abroad(world: &World, call: &mut Call, route: &Route) -> bool {
    if route.operation != "CreateEventSourceMapping" {
        return false;
    }
    let Ok(members) = parse(&call.request.body) else { return false };
    let text = |member: &str| members.get(member).and_then(Value::as_str);
    let source = text("EventSourceArn").and_then(|arn| MappingSource::of_any_arn(&world.place, arn));
    let Some(MappingSource::Foreign { account, queue }) = source else { return false };
    let found = text("FunctionName").and_then(|name| read_function(world, name).ok());
    let Some(function) = found.and_then(|(id, _)| world.lambda.function(id)) else { return false };
    let by = guest::role(world, &function.latest.config.role, &function.name);
    call.look_at(world, &account, &queue, by)
}

pub fn create(world: &mut World, call: &Call, input: Members<'_>) -> Result<Answer, ApiError> {
    let sight = match &call.visit {
        Visit::Seen(sight) => *sight,
        _ => None,
    };
    let mut violations = Violations::default();
    if !input.has("FunctionName") {
        violations.missing("functionName");
    }
    violations.one_of(input.text("StartingPosition")?, "startingPosition", POSITIONS);
    violations.check()?;
    let source = read_source_kind(world, input)?;
    let start = read_start(input, &source)?;
    let mut settings = if source.is_queue() { Settings::for_queue() } else { Settings::for_stream(start) };
    read_settings(input, &source, &mut settings)?;
    let (function, qualifier) = read_function(world, input.text("FunctionName")?.unwrap_or_default())?;
    settings.qualifier = qualifier;
    let source = read_source(world, input, sight)?;
    check_together(world, &source, &settings, function, sight)?;
    let is_enabled = input.flag("Enabled")?.unwrap_or(true);
    let tags = input.text_map("Tags")?.unwrap_or_default();
    let (lambda, mut cx) = world.lambda_cx();
    let mapping = lambda.create_mapping(&mut cx, function, source, settings, is_enabled)?;
    if let Some(made) = lambda.mapping_mut(mapping) {
        made.tags = tags;
    }
    answer(world, mapping, 202)
}

/// The source's kind alone: what the other members are held against before anything is looked up.
fn read_source_kind(world: &World, input: Members<'_>) -> Result<MappingSource, ApiError> {
    let arn = input.text("EventSourceArn")?;
    let source = arn.and_then(|arn| MappingSource::of_any_arn(&world.place, arn));
    source.ok_or_else(|| invalid_parameter("Unrecognized event source."))
}

fn answer(world: &World, mapping: usize, status: u16) -> Result<Answer, ApiError> {
    let found = world.lambda.mapping(mapping).ok_or_else(mapping_not_found)?;
    Ok(Answer::json(status, &show(world, found)))
}

fn find(world: &World, route: &Route) -> Result<usize, ApiError> {
    world.lambda.mapping_of_uuid(&route.target).ok_or_else(mapping_not_found)
}

pub fn get(world: &World, route: &Route) -> Result<Answer, ApiError> {
    answer(world, find(world, route)?, 200)
}

pub fn list(world: &World, route: &Route) -> Result<Answer, ApiError> {
    let most = route.integer("MaxItems")?;
    let mut violations = Violations::default();
    violations.range(most, "maxItems", 1, 10_000);
    violations.check()?;
    let arn = route.parameter("EventSourceArn").filter(|arn| !arn.is_empty());
    let page = most.unwrap_or(PAGE).min(PAGE) as usize;
    let marker = route.parameter("Marker").filter(|m| !m.is_empty()).map(Lambda::read_marker).transpose()?;
    let from = match marker {
        Some(key) => key.parse().map_err(|_| invalid_parameter("Invalid Marker"))?,
        None => 0_usize,
    };
    let function = match route.parameter("FunctionName").filter(|name| !name.is_empty()) {
        Some(name) => Some(FunctionRef::parse(world, name)?.resolve(world, None)?),
        None => None,
    };
    // A name without a qualifier means the function as such: what is mapped to its aliases is listed under those.
    let is_wanted = |mapping: &Mapping| {
        function
            .as_ref()
            .is_none_or(|(name, qualifier)| mapping.function_name == *name && mapping.settings.qualifier == *qualifier)
            && arn.is_none_or(|arn| mapping.source_arn == arn)
    };
    let mut wanted = world.lambda.mappings().filter(|(index, mapping)| *index >= from && is_wanted(mapping));
    let shown: Vec<Value> = wanted.by_ref().take(page).map(|(_, mapping)| show(world, mapping)).collect();
    let mut value = json!({ "EventSourceMappings": shown });
    if let Some((index, _)) = wanted.next() {
        value["NextMarker"] = json!(Lambda::marker(&index.to_string()));
    }
    Ok(Answer::json(200, &value))
}

pub fn update(world: &mut World, route: &Route, input: Members<'_>) -> Result<Answer, ApiError> {
    let mapping = find(world, route)?;
    let found = world.lambda.mapping(mapping).ok_or_else(mapping_not_found)?;
    let (source, mut settings) = (found.source.clone(), found.settings.clone());
    let is_running = matches!(found.state, MappingState::Enabled);
    let mut function = found.function;
    read_settings(input, &source, &mut settings)?;
    if let Some(name) = input.text("FunctionName")? {
        (function, settings.qualifier) = read_function(world, name)?;
    }
    check_together(world, &source, &settings, function, None)?;
    let is_enabled = input.flag("Enabled")?.unwrap_or(is_running);
    let (lambda, mut cx) = world.lambda_cx();
    lambda.update_mapping(&mut cx, mapping, settings, function, is_enabled)?;
    answer(world, mapping, 202)
}

pub fn delete(world: &mut World, route: &Route) -> Result<Answer, ApiError> {
    let mapping = find(world, route)?;
    let (lambda, mut cx) = world.lambda_cx();
    lambda.delete_mapping(&mut cx, mapping)?;
    answer(world, mapping, 202)
}
