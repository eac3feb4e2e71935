//! The probe: how far the checkpoints of an application are behind, read from the stream itself. Reading takes from what
//! a shard gives to all its consumers, so it is never done unasked: a person sees what it takes, agrees, and it runs
//! once. It changes nothing.

use crate::app::command::Why;
use crate::app::dialog::{Dialog, ProbeAsked};
use crate::app::state::{State, Tone};
use crate::domain::counted::{counted, counted_all};
use crate::domain::poll::{Checkpointed, Probe, Reading};
use crate::domain::row::{KindId, Part, Relation, ResourceId, Row};
use crate::domain::value::short_duration_ms;
use crate::kinds::{kcl, kinesis};
use std::collections::{BTreeMap, BTreeSet};

/// Shards that one probe reads.
const SHARDS_MAX: usize = 100;
/// Shards that are named before it runs.
const NAMED_MAX: usize = 8;

/// Checkpoints that are no place in a stream: nothing has been read yet.
const NO_PLACE: [&str; 2] = ["LATEST", "AT_TIMESTAMP"];

/// Whether the target can be probed.
pub fn can(state: &State) -> Result<(), Why> {
    let why = |text: &str| Err(Why(text.to_owned()));
    match state.target_row() {
        Some(row) if row.id.kind == KindId::Kcl => {
            if !row.parts.iter().any(is_probed) {
                return why("no lease of it has a checkpoint to probe");
            }
            if streams(&state.rows, row).is_empty() {
                return why("there is no stream here that it could read");
            }
            Ok(())
        }
        _ => why("probe is for KCL applications: select one first (:kcl)"),
    }
}

fn is_probed(part: &Part) -> bool {
    let place = part.fields.text(&kcl::CHECKPOINT);
    !kcl::is_finished(part) && place.is_some_and(|place| !NO_PLACE.contains(&place))
}

/// The streams that it reads, or else could read: those with all its shards, or all where none has them.
fn streams(rows: &BTreeMap<ResourceId, Row>, application: &Row) -> Vec<String> {
    let known: Vec<String> = application.linked(Relation::Reads).map(|id| id.name.clone()).collect();
    if !known.is_empty() {
        return known;
    }
    let is_near = |row: &&Row| row.id.kind == KindId::Kinesis && row.id.place == application.id.place;
    let all: Vec<&Row> = rows.values().filter(is_near).collect();
    let has_all = |stream: &&Row| {
        let has = |lease: &Part| stream.parts.iter().any(|shard| shard.id == lease.id);
        application.parts.iter().filter(|lease| !kcl::is_finished(lease)).all(has)
    };
    let fitting: Vec<&Row> = all.iter().copied().filter(has_all).collect();
    let offered = if fitting.is_empty() { all } else { fitting };
    offered.into_iter().map(|stream| stream.id.name.clone()).collect()
}

/// Opens the question; nothing is read yet.
pub fn open(state: &mut State) {
    let Some(row) = state.target_row() else { return };
    let is_sure = row.linked(Relation::Reads).next().is_some();
    let of_several = row.parts.iter().any(|part| kcl::stream_of_key(&part.id).is_some());
    let asked =
        ProbeAsked { resource: row.id.clone(), streams: streams(&state.rows, row), chosen: 0, is_sure, of_several };
    state.dialogs.push(Dialog::Probe(asked));
}

/// Chooses the next stream, or the one before.
pub fn choose(asked: &mut ProbeAsked, is_next: bool) {
    let count = asked.streams.len().max(1);
    asked.chosen = (asked.chosen + if is_next { 1 } else { count - 1 }) % count;
}

/// What will be read: shards with the place to read from.
pub fn leases(row: &Row, asked: &ProbeAsked) -> Vec<Checkpointed> {
    let stream = asked.streams.get(asked.chosen);
    let lease = |part: &Part| {
        let (stream, shard) = match kcl::stream_of_key(&part.id) {
            Some((stream, shard)) => (stream.to_owned(), shard.to_owned()),
            None => (stream?.clone(), part.id.clone()),
        };
        let checkpoint = part.fields.text(&kcl::CHECKPOINT)?.to_owned();
        Some(Checkpointed { lease: part.id.clone(), stream, shard, checkpoint })
    };
    row.parts.iter().filter(|part| is_probed(part)).filter_map(lease).take(SHARDS_MAX).collect()
}

/// What it takes, said before it runs.
pub fn statement(row: &Row, asked: &ProbeAsked) -> Vec<String> {
    let leases = leases(row, asked);
    let streams: BTreeSet<&str> = leases.iter().map(|lease| lease.stream.as_str()).collect();
    let streams: Vec<String> = streams.into_iter().map(|name| format!("kinesis/{name}")).collect();
    let named: Vec<&str> = leases.iter().take(NAMED_MAX).map(|lease| lease.shard.as_str()).collect();
    let more = leases.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let mut said = vec![
        format!(
            "Reads one record after each checkpoint, once, from {} of {}: {}{more}.",
            shards(leases.len()),
            streams.join(", "),
            named.join(", ")
        ),
        "Of each shard it takes one of the 5 GetRecords a second, and one record of the 2 MB a second, that all its \
         consumers share; a read that is refused is tried at most twice more. No checkpoint moves; nothing is changed."
            .to_owned(),
    ];
    let left_out = row.parts.iter().filter(|part| is_probed(part)).count().saturating_sub(leases.len());
    if left_out > 0 {
        said.push(format!(
            "{} more {} left out: a probe reads at most {SHARDS_MAX}.",
            shards(left_out),
            if left_out == 1 { "is" } else { "are" }
        ));
    }
    said
}

fn shards(count: usize) -> String {
    counted_all(count, "shard")
}

/// A person agrees: it is asked once.
pub fn run(state: &mut State) {
    let Some(Dialog::Probe(asked)) = state.dialogs.pop() else { return };
    let Some(row) = state.rows.get(&asked.resource) else {
        state.toast(Tone::Refused, format!("{} is not there any more", asked.resource));
        return;
    };
    let probe = Probe { application: row.id.clone(), leases: leases(row, &asked) };
    let paused = if state.paused { " when you go on (space)" } else { "" };
    let said = format!("probing {} of {}{paused}", shards(probe.leases.len()), asked.resource);
    state.schedule.probe(probe);
    state.toast(Tone::Info, said);
}

/// Says what a probe has found.
pub fn tell(state: &mut State, probe: &Probe, reading: &Reading) {
    let parts = reading.updates.iter().flat_map(|update| &update.part_fields);
    let lags: Vec<f64> = parts.filter_map(|(_, fields)| fields.number(&kcl::PROBED_LAG_MS)).collect();
    let id = &probe.application;
    let slowest = lags.iter().copied().reduce(f64::max);
    let failed = probe.leases.len() - lags.len().min(probe.leases.len());
    let but = if failed > 0 { format!("; {} gave no answer (p)", shards(failed)) } else { String::new() };
    match slowest {
        Some(ms) => {
            let said =
                format!("probed {} of {id}: the slowest is {} behind{but}", shards(lags.len()), short_duration_ms(ms));
            state.toast(if failed == 0 { Tone::Good } else { Tone::Bad }, said);
        }
        None => state.toast(Tone::Bad, format!("the probe of {id} found nothing: p tells why")),
    }
}

/// How the streams that could be meant are told apart: their open shards.
pub fn stream_note(state: &State, resource: &ResourceId, stream: &str) -> String {
    let id = ResourceId::new(KindId::Kinesis, stream).at(&resource.place);
    let shards = state.rows.get(&id).and_then(|row| row.fields.number(&kinesis::OPEN_SHARDS));
    shards.map_or(String::new(), |n| counted(n, "open shard"))
}
