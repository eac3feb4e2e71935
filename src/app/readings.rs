//! What polls brought, folded into the rows: last good values stay, what failed is marked, what vanished goes.

use crate::app::list::worst_findings;
use crate::app::log;
use crate::app::probe;
use crate::app::screen::Screen;
use crate::app::state::{Counts, State};
use crate::app::throttled;
use crate::app::workflow;
use crate::diagnose::{self, Estate};
use crate::domain::change::Change;
use crate::domain::finding::{ErrorClass, Finding, Problem};
use crate::domain::poll::{Poll, Question, Reading, RowUpdate};
use crate::domain::row::{Health, KindId, Link, Part, Place, ResourceId, Row, Stale};
use crate::domain::tag::Tags;
use crate::kinds::sqs::is_dead_letter_queue;
use crate::kinds::{self, SeriesOf, lambda};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What only the folding of readings needs to remember.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Links as the resource's own answers tell them, without the mirrored ones.
    own_links: BTreeMap<ResourceId, Vec<Link>>,
    /// Since when the resource's own API, and CloudWatch, have failed for it.
    failing: BTreeMap<(ResourceId, Asked), Stale>,
    /// The resources whose failures stand behind a problem.
    behind: BTreeMap<ProblemKey, BTreeSet<ResourceId>>,
    /// The resources that do not exist, as their own service says; the list of their kind has not said so yet.
    gone: BTreeSet<ResourceId>,
    /// The problems of what one screen alone asks.
    of_screens: BTreeSet<ProblemKey>,
    /// Rows, series or findings have changed since the derived values were made.
    pub(in crate::app) rows_changed: bool,
    /// The list on screen must be made anew.
    pub(in crate::app) list_changed: bool,
}

/// The context, the service and the operation that a problem is of.
pub type ProblemKey = (Place, &'static str, &'static str);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Service,
    CloudWatch,
    /// Once, by a person.
    Stream,
}

/// Folds a poll's answer in. A late one (of a poll given up or asked anew) is dropped, its calls are still counted.
pub fn fold(state: &mut State, poll: &Poll, reading: Reading) {
    let at = state.now;
    state.meter.add(at, &reading.calls);
    if !state.schedule.answered(poll, &reading, at) {
        return;
    }
    fold_problems(state, poll, &reading);
    if let Question::Probe(probe) = &poll.question {
        probe::tell(state, probe, &reading);
    }
    if let Some(identity) = reading.identity {
        state.identities.insert(poll.place.clone(), identity);
    }
    if let Some(tags) = reading.tags {
        retag(state, &poll.place, tags);
    }
    if let Some((from, found)) = reading.changes {
        let watched: Vec<Change> = found.into_iter().filter_map(|change| watched(state, change)).collect();
        list_what_was_made(state, &poll.place, &watched);
        state.changes.merge(&poll.place, from, watched, at);
    }
    if let (Question::Log(question), Some(answer)) = (&poll.question, reading.log) {
        log::take(state, question, answer, at);
    }
    if let (Question::Workflow(question), Some(answer)) = (&poll.question, reading.workflow) {
        workflow::take(state, question, &answer);
    }
    if let (Question::Throttled(question), Some(answer)) = (&poll.question, reading.throttled) {
        throttled::take(state, question, answer);
    }
    let asked = match &poll.question {
        Question::Metrics { .. } => Asked::CloudWatch,
        Question::Probe(_) => Asked::Stream,
        _ => Asked::Service,
    };
    if let Question::Inventory(kind) = poll.question {
        fold_inventory(state, &poll.place, kind, reading.inventory.map(|(_, ids)| ids), &reading.updates);
    }
    for update in reading.updates {
        state.memory.failing.remove(&(update.id.clone(), asked));
        if asked == Asked::Service {
            state.memory.gone.remove(&update.id);
        }
        fold_update(state, update);
    }
    for id in reading.gone {
        // Its list tells whether it is, and takes it away.
        if state.rows.contains_key(&id) {
            state.schedule.list_kind_again(&poll.place, id.kind);
            state.memory.gone.insert(id);
        }
    }
    for (id, sentence) in reading.failed {
        let stale = state.memory.failing.entry((id, asked)).or_insert(Stale { since: at, sentence: String::new() });
        stale.sentence = sentence;
    }
    state.memory.rows_changed = true;
}

/// Other tags than before hide and show other resources: all is listed anew.
fn retag(state: &mut State, place: &Place, tags: Tags) {
    let before = state.tags.insert(place.clone(), tags);
    if before != state.tags.get(place).cloned() {
        state.schedule.list_again(place);
    }
}

/// The change with those of its resources that are watched; `None` where the config hides all that it is about.
fn watched(state: &State, mut change: Change) -> Option<Change> {
    if change.resources.is_empty() {
        let kind =
            if change.service == "monitoring" { Some(KindId::Alarm) } else { KindId::from_word(&change.service) };
        let filter = state.settings.context(&change.place).map(|context| &context.filter);
        let may = kind.zip(filter).is_none_or(|(kind, filter)| filter.may_let_through(kind));
        return may.then_some(change);
    }
    change.resources.retain(|id| state.lets_through(id));
    (!change.resources.is_empty()).then_some(change)
}

/// New resources get a row at once; of a complete inventory, those that are not in it go. What the config hides gets
/// no row, and so nothing is asked about it.
fn fold_inventory(
    state: &mut State,
    place: &Place,
    kind: KindId,
    complete: Option<Vec<ResourceId>>,
    updates: &[RowUpdate],
) {
    let is_of = |id: &ResourceId| id.kind == kind && id.place == *place;
    let known = state.rows.keys().filter(|id| is_of(id)).cloned();
    let is_complete = complete.is_some();
    let mut ids: BTreeSet<ResourceId> = match complete {
        Some(ids) => ids.into_iter().collect(),
        None => known.collect(),
    };
    ids.extend(updates.iter().map(|update| update.id.clone()).filter(|id| is_of(id)));
    let listed = ids.len();
    ids.retain(|id| state.lets_through(id));
    let hidden = state.hidden.entry((place.clone(), kind)).or_default();
    *hidden = (listed - ids.len()).max(if is_complete { 0 } else { *hidden });
    state.schedule.set_resources(place, kind, &ids);
    let stays = |id: &ResourceId| !is_of(id) || ids.contains(id);
    state.rows.retain(|id, _| stays(id));
    state.series.retain(|key, _| stays(&key.resource));
    state.memory.own_links.retain(|id, _| stays(id));
    state.memory.failing.retain(|(id, _), _| stays(id));
    state.memory.gone.retain(stays);
    for id in ids {
        state.rows.entry(id.clone()).or_insert_with(|| Row::new(id, state.now));
    }
}

/// What CloudTrail says was made, and no list has shown yet, is listed now and not when its kind's turn comes.
fn list_what_was_made(state: &mut State, place: &Place, news: &[Change]) {
    let is_new = |change: &&Change| !state.changes.iter().any(|known| known.id == change.id);
    let made =
        news.iter().filter(is_new).filter(|change| change.event.starts_with("Create") && change.error_code.is_none());
    let kinds: BTreeSet<KindId> = made
        .flat_map(|change| change.resources.iter().filter(|id| !state.rows.contains_key(id)).map(|id| id.kind))
        .collect();
    for kind in kinds {
        state.schedule.list_kind_again(place, kind);
    }
}

/// News of a resource that is not in the inventory any more is dropped: an answer must not bring it back.
fn fold_update(state: &mut State, update: RowUpdate) {
    let Some(row) = state.rows.get_mut(&update.id) else { return };
    row.as_of = row.as_of.max(update.at);
    row.fields.merge(update.fields);
    if let Some(parts) = update.parts {
        let ids: BTreeSet<&str> = parts.iter().map(|part| part.id.as_str()).collect();
        state
            .series
            .retain(|key, _| key.resource != update.id || key.part.is_empty() || ids.contains(key.part.as_str()));
        row.parts = merge_parts(std::mem::take(&mut row.parts), parts);
    }
    for (part_id, fields) in update.part_fields {
        if let Some(part) = row.parts.iter_mut().find(|part| part.id == part_id) {
            part.fields.merge(fields);
        }
    }
    if let Some(links) = update.links {
        state.memory.own_links.insert(update.id.clone(), links);
    }
    let parts: BTreeSet<&str> = row.parts.iter().map(|part| part.id.as_str()).collect();
    for (key, points) in update.series {
        let is_known = key.part.is_empty() || parts.contains(key.part.as_str());
        if is_known && key.resource == update.id {
            state.series.entry(key).or_default().merge(points);
        }
    }
}

/// The new parts in their order; what is known of a part and not told anew (a shard's metrics) stays.
fn merge_parts(old: Vec<Part>, new: Vec<Part>) -> Vec<Part> {
    let mut known: BTreeMap<String, Part> = old.into_iter().map(|part| (part.id.clone(), part)).collect();
    let merged = new.into_iter().map(|part| match known.remove(&part.id) {
        Some(mut before) => {
            before.fields.merge(part.fields);
            before
        }
        None => part,
    });
    merged.collect()
}

/// Problems stay until the operation works again for all that it failed for.
fn fold_problems(state: &mut State, poll: &Poll, reading: &Reading) {
    let failed: BTreeSet<&ResourceId> = reading.failed.iter().map(|(id, _)| id).collect();
    let now: BTreeSet<(&str, &str)> = reading.problems.iter().map(|p| (p.service, p.operation)).collect();
    let asked: BTreeSet<&ResourceId> = match &poll.question {
        Question::Direct(_, targets) | Question::Metrics { targets, .. } => targets.iter().map(|t| &t.id).collect(),
        Question::Probe(probe) => [&probe.application].into(),
        Question::Identity | Question::Inventory(_) | Question::Changes { .. } => BTreeSet::new(),
        Question::Log(_) | Question::Workflow(_) | Question::Throttled(_) => BTreeSet::new(),
        Question::Tags(_) => BTreeSet::new(),
    };
    let one_address = state.settings.context(&poll.place).is_some_and(|context| context.endpoint_url.is_some());
    let worked = |problem: &Problem| {
        let called = |name: &&'static str| name.split_once(':') == Some((problem.service, problem.operation));
        problem.place == poll.place
            && !now.contains(&(problem.service, problem.operation))
            && reading.asked.iter().any(called)
    };
    let is_cured = |problem: &Problem| {
        // A good answer ends what strikes every call there; the network's troubles, on AWS, that of the same service alone,
        // since each has an address of its own.
        let same_address = problem.class != ErrorClass::Network || one_address || {
            reading.asked.iter().any(|name| name.split(':').next() == Some(problem.service))
        };
        problem.place == poll.place
            && reading.problems.is_empty()
            && !reading.asked.is_empty()
            && problem.of_place
            && same_address
    };
    let memory = &mut state.memory;
    let rows = &state.rows;
    state.problems.retain(|key, problem| {
        if is_cured(problem) {
            return false;
        }
        if !worked(problem) {
            return true;
        }
        let behind = memory.behind.entry(key.clone()).or_default();
        behind.retain(|id| rows.contains_key(id) && (!asked.contains(id) || failed.contains(id)));
        !behind.is_empty()
    });
    memory.behind.retain(|key, _| state.problems.contains_key(key));
    let is_of_screen = matches!(poll.question, Question::Log(_) | Question::Workflow(_) | Question::Throttled(_));
    for problem in &reading.problems {
        let key = (problem.place.clone(), problem.service, problem.operation);
        if is_of_screen && !state.problems.contains_key(&key) {
            memory.of_screens.insert(key.clone());
        } else if !is_of_screen {
            memory.of_screens.remove(&key);
        }
        state.problems.insert(key.clone(), problem.clone());
        memory.behind.entry(key).or_default().extend(failed.iter().map(|id| (*id).clone()));
    }
}

/// What only a screen asked, which has been left, nobody asks any more: a problem that passes by itself would never be
/// seen to end. What was denied is so until somebody grants it.
pub fn forget_problems_of_screens(state: &mut State) {
    for key in std::mem::take(&mut state.memory.of_screens) {
        if state.problems.get(&key).is_some_and(Problem::passes) {
            state.problems.remove(&key);
            state.memory.behind.remove(&key);
        }
    }
}

/// Makes all derived values anew: mirrored links, computed fields, staleness, health, findings, counts.
pub fn derive(state: &mut State) {
    mirror_links(state);
    kinds::derive(&mut state.rows, &state.series);
    for row in state.rows.values_mut() {
        let failing = |asked| state.memory.failing.get(&(row.id.clone(), asked));
        row.stale = failing(Asked::Service).or_else(|| failing(Asked::CloudWatch)).cloned();
        let mut verdict = (kinds::kind(row.id.kind).health)(row, &SeriesOf { all: &state.series, row });
        state.settings.thresholds.apply(row, &mut verdict);
        (row.health, row.reasons) = match state.memory.gone.contains(&row.id) {
            true => (Health::Unknown, Vec::new()),
            false => verdict.told(),
        };
    }
    let rows = &state.rows;
    let has_part = |row: &&Row, place: &Place, id: &str| {
        row.id.kind == KindId::Lambda && row.id.place == *place && row.parts.iter().any(|part| part.id == id)
    };
    state
        .changes
        .find_parts(|place, part| rows.values().find(|row| has_part(row, place, part)).map(|row| row.id.clone()));
    if state.changes.has_roles() {
        let mut runs_as: BTreeMap<(&Place, &str), Vec<&ResourceId>> = BTreeMap::new();
        for row in rows.values().filter(|row| row.id.kind == KindId::Lambda) {
            if let Some(role) = row.fields.text(&lambda::ROLE) {
                runs_as.entry((&row.id.place, role)).or_default().push(&row.id);
            }
        }
        state.changes.find_roles(|place, role| {
            let functions = runs_as.get(&(place, role)).into_iter().flatten();
            functions.map(|id| (*id).clone()).collect()
        });
    }
    let estate = Estate { rows, series: &state.series, changes: &state.changes, now: state.now };
    state.findings = diagnose::diagnose(&estate);
    let thresholds = &state.settings.thresholds;
    let stands = |f: &mut Finding| rows.get(&f.resource).is_none_or(|row| thresholds.bear(row, f));
    state.findings.retain_mut(stands);
    state.findings.sort_by_key(|finding| Reverse(finding.severity));
    state.counts.clear();
    for kind in KindId::ALL {
        state.counts.insert(kind, Counts::default());
    }
    for row in state.rows.values() {
        state.counts.entry(row.id.kind).or_default().add(row.health);
    }
    state.memory.list_changed = true;
}

/// A link told from one end is shown at both.
fn mirror_links(state: &mut State) {
    let mut links: BTreeMap<ResourceId, BTreeSet<Link>> = BTreeMap::new();
    let own = state.memory.own_links.iter().flat_map(|(from, own)| own.iter().map(move |link| (from, link.clone())));
    let of_parts = state.rows.values().flat_map(|row| {
        let part_link = kinds::kind(row.id.kind).part_link;
        let here = |link: Link| Link { to: link.to.at(&row.id.place), ..link };
        row.parts.iter().filter_map(part_link).map(move |link| (&row.id, here(link)))
    });
    let of_applications = kinds::kcl::links(&state.rows);
    let read = of_applications.iter().map(|(from, link)| (from, link.clone()));
    for (from, link) in own.chain(of_parts).chain(read) {
        let back = Link { to: from.clone(), relation: link.relation.reverse() };
        links.entry(link.to.clone()).or_default().insert(back);
        links.entry(from.clone()).or_default().insert(link);
    }
    for row in state.rows.values_mut() {
        let took_dead_letters = is_dead_letter_queue(row);
        row.links = links.remove(&row.id).map(|links| links.into_iter().collect()).unwrap_or_default();
        // A dead-letter queue is known by the queues that send to it; only then can its move tasks be asked for.
        if !took_dead_letters && is_dead_letter_queue(row) {
            state.schedule.look_again(&row.id);
        }
    }
}

/// Makes the list on screen anew from rows and findings.
pub fn derive_list(state: &mut State) {
    let id = state.list_id();
    let shown_rows = state.list_rows();
    let findings = worst_findings(&state.findings);
    if let Some(list) = state.lists.get_mut(&id) {
        list.derive(id, &state.rows, &findings, shown_rows);
    }
    let rows = &state.rows;
    for screen in &mut state.screens {
        match screen {
            Screen::Detail(detail) => {
                if let Some(row) = rows.get(&detail.id) {
                    detail.find_part(row);
                }
            }
            Screen::Changes(cursor) => cursor.find(&state.changes),
            _ => {}
        }
    }
}
