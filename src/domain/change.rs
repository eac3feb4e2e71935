//! A change: somebody called an operation that writes, as CloudTrail tells it some minutes later. What was changed just
//! before it broke is the first question of every incident.

use crate::domain::row::{KindId, Place, ResourceId};
use crate::domain::time::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

/// One call that changed something, or was refused. Every text is one line without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// CloudTrail's event id.
    pub id: String,
    /// The context that it happened in.
    pub place: Place,
    pub at: Timestamp,
    /// The service's word: `lambda`, `sqs`, `monitoring`.
    pub service: String,
    /// The operation without the date of its API: `UpdateFunctionCode`.
    pub event: String,
    /// Who did it, short: a user's name, or `role/session`.
    pub who: String,
    pub source_ip: Option<String>,
    /// The watched resources that it names, whether they are there or not.
    pub resources: Vec<ResourceId>,
    /// A part that it names without its resource: the UUID of an event source mapping.
    pub part: Option<String>,
    /// A role that it names, of IAM, while it is not known which functions run as it.
    pub role: Option<String>,
    /// What was set, as (name, value); of a long value the beginning; a policy or the like is empty.
    pub settings: Vec<(String, String)>,
    /// Why it changed nothing.
    pub error_code: Option<String>,
    /// It was asked for by a midwatch, this one or another's.
    pub by_midwatch: bool,
}

impl Change {
    /// `UpdateFunctionConfiguration timeout=3`.
    pub fn what(&self) -> String {
        let set = self.set();
        if set.is_empty() { self.event.clone() } else { format!("{} {set}", self.event) }
    }

    /// `VisibilityTimeout=5 Policy`; empty where nothing was set that can be told in few words.
    pub fn set(&self) -> String {
        let one = |(name, value): &(String, String)| {
            if value.is_empty() { name.clone() } else { format!("{name}={value}") }
        };
        self.settings.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    /// `ci-deploy`; what midwatch did says so.
    pub fn whom(&self) -> String {
        if self.by_midwatch { format!("{} with midwatch", self.who) } else { self.who.clone() }
    }

    /// `UpdateFunctionConfiguration timeout=3 by ci-deploy`, and why it was refused where it was.
    pub fn sentence(&self) -> String {
        let refused = self.error_code.as_ref().map(|code| format!(", refused: {code}"));
        format!("{} by {}{}", self.what(), self.whom(), refused.unwrap_or_default())
    }

    /// Whether it set one of these: `batchSize` whatever the value, `enabled=false` this one.
    pub fn sets(&self, wanted: &[&str]) -> bool {
        let is_it = |(name, value): &(String, String), wanted: &&str| match wanted.split_once('=') {
            Some((wanted, to)) => name == wanted && value == to,
            None => name == wanted,
        };
        self.settings.iter().any(|set| wanted.iter().any(|wanted| is_it(set, wanted)))
    }
}

/// What changes what a role may do, or who may be it: operations of IAM. Functions run as roles, so such a change is
/// theirs. IAM is one for all regions, and CloudTrail records its events in us-east-1 alone.
pub const OF_ROLES: [&str; 8] = [
    "AttachRolePolicy",
    "DeleteRole",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "UpdateAssumeRolePolicy",
];
/// The region whose event history has what is done to IAM.
pub const IAM_REGION: &str = "us-east-1";

/// How many resources one change names: a role may be that of a whole estate.
pub const RESOURCES_MAX: usize = 32;

/// How long a change is remembered. What broke hours later is not looked for here.
const KEPT: Duration = Duration::from_secs(6 * 3600);
/// How many are remembered.
pub const CHANGES_MAX: usize = 500;
/// How many changes of roles wait for a function that runs as theirs; most roles have none.
const OF_ROLES_MAX: usize = 200;

/// What is known to have been changed, newest first, and since when it is known without gaps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    newest_first: Vec<Change>,
    /// Those of roles that nothing watched is known to have.
    of_roles: Vec<Change>,
    known: BTreeMap<Place, Span>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    from: Timestamp,
    until: Timestamp,
}

/// Newest first.
fn sort(changes: &mut [Change]) {
    changes.sort_by(|a, b| (Reverse(a.at), &a.place, &a.id).cmp(&(Reverse(b.at), &b.place, &b.id)));
}

impl Changes {
    /// Takes in what a look at `now` found: all there was since `from`. What is known already is not doubled: events come
    /// late and out of order, so looks overlap.
    pub fn merge(&mut self, place: &Place, from: Timestamp, found: impl IntoIterator<Item = Change>, now: Timestamp) {
        let span = self.known.entry(place.clone()).or_insert(Span { from, until: now });
        // A gap between two looks hides what happened in it.
        span.from = if from <= span.until { span.from.min(from) } else { from };
        span.until = now;
        for change in found {
            let is_known = |known: &Change| known.id == change.id && known.place == change.place;
            if !self.newest_first.iter().chain(&self.of_roles).any(is_known) {
                let concerns_nobody = change.role.is_some() && change.resources.is_empty();
                if concerns_nobody { &mut self.of_roles } else { &mut self.newest_first }.push(change);
            }
        }
        for changes in [&mut self.newest_first, &mut self.of_roles] {
            sort(changes);
            changes.retain(|change| now.since(change.at) <= KEPT);
        }
        self.of_roles.truncate(OF_ROLES_MAX);
        let mut known_from = now - KEPT;
        if self.newest_first.len() > CHANGES_MAX {
            self.newest_first.truncate(CHANGES_MAX);
            known_from = self.newest_first.last().map_or(known_from, |oldest| oldest.at);
        }
        for span in self.known.values_mut() {
            span.from = span.from.max(known_from);
        }
    }

    /// Names the resources of changes that name only a part of one.
    pub fn find_parts(&mut self, owner: impl Fn(&Place, &str) -> Option<ResourceId>) {
        let is_found = |change: &&mut Change| change.resources.iter().any(|id| id.kind == KindId::Lambda);
        for change in self.newest_first.iter_mut().filter(|change| !is_found(change)) {
            if let Some(found) = change.part.as_ref().and_then(|part| owner(&change.place, part)) {
                change.resources.insert(0, found);
            }
        }
    }

    /// Whether any names a role of which it is not known who has it.
    pub fn has_roles(&self) -> bool {
        self.newest_first.iter().chain(&self.of_roles).any(|change| change.role.is_some())
    }

    /// Names the functions that run as the role that a change names, so that it is told as one of theirs.
    pub fn find_roles(&mut self, functions: impl Fn(&Place, &str) -> Vec<ResourceId>) {
        let name = |change: &mut Change| {
            let found = change.role.as_ref().map(|role| functions(&change.place, role)).unwrap_or_default();
            if !found.is_empty() {
                change.role = None;
            }
            let known = &mut change.resources;
            for id in found {
                if known.len() < RESOURCES_MAX && !known.contains(&id) {
                    known.push(id);
                }
            }
            !known.is_empty()
        };
        self.newest_first.iter_mut().for_each(|change| _ = name(change));
        let found: Vec<Change> = self.of_roles.extract_if(.., |change| name(change)).collect();
        if !found.is_empty() {
            self.newest_first.extend(found);
            sort(&mut self.newest_first);
        }
    }

    /// Newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.newest_first.iter()
    }

    /// Those that name this resource, newest first.
    pub fn of<'a>(&'a self, id: &'a ResourceId) -> impl Iterator<Item = &'a Change> {
        self.iter().filter(move |change| change.resources.contains(id))
    }

    pub fn get(&self, index: usize) -> Option<&Change> {
        self.newest_first.get(index)
    }

    /// Where this event stands.
    pub fn position(&self, place: &Place, id: &str) -> Option<usize> {
        self.iter().position(|change| change.id == id && change.place == *place)
    }

    pub fn len(&self) -> usize {
        self.newest_first.len()
    }

    pub fn is_empty(&self) -> bool {
        self.newest_first.is_empty()
    }

    /// Since when every place's changes are known; `None` before the first answer of any.
    pub fn known_from(&self) -> Option<Timestamp> {
        self.known.values().map(|span| span.from).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: i64) -> Timestamp {
        Timestamp::from_millis(100_000_000 + n * 1000)
    }

    fn change(id: &str, at: i64) -> Change {
        Change {
            id: id.into(),
            place: Place::default(),
            at: second(at),
            service: "lambda".into(),
            event: "UpdateFunctionConfiguration".into(),
            who: "ci-deploy".into(),
            source_ip: None,
            resources: vec![ResourceId::new(KindId::Lambda, "settle")],
            part: None,
            role: None,
            settings: vec![("timeout".into(), "3".into()), ("FilterPolicy".into(), String::new())],
            error_code: None,
            by_midwatch: false,
        }
    }

    fn ids(changes: &Changes) -> Vec<&str> {
        changes.iter().map(|change| change.id.as_str()).collect()
    }

    #[test]
    fn a_sentence_says_what_and_who_and_why_not() {
        let mut one = change("a", 0);
        assert_eq!(one.sentence(), "UpdateFunctionConfiguration timeout=3 FilterPolicy by ci-deploy");
        (one.error_code, one.by_midwatch) = (Some("AccessDenied".into()), true);
        one.settings.clear();
        assert_eq!(one.sentence(), "UpdateFunctionConfiguration by ci-deploy with midwatch, refused: AccessDenied");
    }

    #[test]
    fn what_comes_late_and_again_is_put_in_its_place_once() {
        let mut changes = Changes::default();
        let here = Place::default();
        changes.merge(&here, second(0), [change("c", 30), change("a", 10)], second(60));
        changes.merge(&here, second(0), [change("c", 30), change("b", 20)], second(120));
        assert_eq!(ids(&changes), ["c", "b", "a"]);
        assert_eq!(changes.known_from(), Some(second(0)));
        assert_eq!(changes.position(&here, "b"), Some(1));
    }

    #[test]
    fn a_gap_between_looks_is_not_passed_over() {
        let mut changes = Changes::default();
        let here = Place::default();
        changes.merge(&here, second(0), [], second(60));
        changes.merge(&here, second(300), [], second(400));
        assert_eq!(changes.known_from(), Some(second(300)));
    }

    #[test]
    fn old_ones_and_too_many_go() {
        let mut changes = Changes::default();
        let here = Place::default();
        changes.merge(&here, second(0), [change("old", 1)], second(60));
        changes.merge(&here, second(0), [], second(6 * 3600 + 2));
        assert!(changes.is_empty());
        let many = (0..CHANGES_MAX as i64 + 9).map(|n| change(&format!("{n}"), 30_000 + n));
        changes.merge(&here, second(21_000), many, second(31_000));
        assert_eq!((changes.len(), changes.get(0).unwrap().at), (CHANGES_MAX, second(30_508)));
        assert_eq!(changes.known_from(), Some(second(30_009)), "what fell out is not known any more");
    }

    #[test]
    fn a_mapping_is_its_functions() {
        let mut changes = Changes::default();
        let mut one = change("a", 0);
        (one.resources, one.part) = (Vec::new(), Some("uuid-1".into()));
        changes.merge(&Place::default(), second(0), [one], second(60));
        let settle = ResourceId::new(KindId::Lambda, "settle");
        for _ in 0..2 {
            changes.find_parts(|_, part| (part == "uuid-1").then(|| settle.clone()));
        }
        assert_eq!(changes.get(0).unwrap().resources, std::slice::from_ref(&settle));
        assert_eq!(changes.of(&settle).count(), 1);
    }

    #[test]
    fn a_change_of_a_role_is_told_once_a_function_is_known_to_run_as_it() {
        let of_role = |id: &str, role: &str, at| Change {
            event: "DetachRolePolicy".into(),
            service: "iam".into(),
            role: Some(role.into()),
            resources: Vec::new(),
            ..change(id, at)
        };
        let mut changes = Changes::default();
        let all = || vec![change("a", 10), of_role("b", "settle-role", 5), of_role("c", "ci", 7)];
        changes.merge(&Place::default(), second(0), all(), second(20));
        assert_eq!((ids(&changes), changes.has_roles()), (vec!["a"], true));
        let two = ["settle", "settle-replay"].map(|name| ResourceId::new(KindId::Lambda, name));
        let functions = |_: &Place, role: &str| if role == "settle-role" { two.to_vec() } else { Vec::new() };
        changes.find_roles(functions);
        changes.merge(&Place::default(), second(0), all(), second(21));
        changes.find_roles(functions);
        assert_eq!(ids(&changes), ["a", "b"], "and once only");
        assert_eq!(changes.get(1).unwrap().resources, two);
        changes.merge(&Place::default(), second(21), vec![], second(20 + 6 * 3600));
        assert!(!changes.has_roles(), "what nobody has is forgotten, too");
    }
}
