//! One snapshot of the estate as text: the stable JSON for scripts, a table for people, and the exit code that sums it up.

use crate::domain::change::{Change, Changes};
use crate::domain::counted::{counted_all, counted_that};
use crate::domain::field::Field;
use crate::domain::finding::{Finding, Problem, by_cause, struck};
use crate::domain::legible::cleaned;
use crate::domain::poll::Calls;
use crate::domain::row::{Health, KindId, Place, ResourceId, Row};
use crate::domain::time::Timestamp;
use crate::domain::value::{Datum, Unit};
use crate::kinds::{self, kinesis};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What was seen, lent for printing.
pub struct Snapshot<'a> {
    pub at: Timestamp,
    /// `live` or `demo`.
    pub source: &'a str,
    /// What was watched; at least one.
    pub contexts: Vec<Context<'a>>,
    pub rows: &'a BTreeMap<ResourceId, Row>,
    /// Kinds of which no list, or not a whole one, came back.
    pub unlisted: Vec<KindId>,
    /// How many resources the config's filter hides.
    pub hidden: usize,
    /// Most important first.
    pub findings: &'a [Finding],
    /// Newest first.
    pub changes: &'a Changes,
    pub problems: Vec<&'a Problem>,
    pub calls: &'a Calls,
    /// What watching costs at this rate, in US dollars at list prices.
    pub usd_per_hour: f64,
}

/// Where somebody looked, and as whom.
pub struct Context<'a> {
    pub place: &'a Place,
    pub account: Option<&'a str>,
    /// What the account is called.
    pub alias: Option<&'a str>,
    pub region: Option<&'a str>,
    pub profile: Option<&'a str>,
    /// Why nothing at all is seen there.
    pub problem: Option<&'a str>,
}

impl<'a> Snapshot<'a> {
    /// `kind/name`; `account/region/kind/name` where several contexts are watched. One whose account could not be asked
    /// goes by its name, and so do those that look at the same account and region.
    fn id(&self, id: &ResourceId) -> String {
        let Some(name) = id.place.name() else { return id.to_string() };
        let context = self.contexts.iter().find(|context| *context.place == id.place);
        let bare = id.clone().at(&Place::default());
        let account_region = |context: &Context<'a>| Some((context.account?, context.region?));
        let own = context.and_then(account_region);
        let is_only = self.contexts.iter().filter(|other| account_region(other) == own).count() == 1;
        match own.filter(|_| is_only) {
            Some((account, region)) => format!("{account}/{region}/{bare}"),
            None => format!("{name}/{bare}"),
        }
    }

    /// A stream's reader: where it is a resource, by its id.
    fn reader(&self, stream: &Row, said: &str) -> String {
        let place = &stream.id.place;
        let here = place.name().and_then(|name| said.strip_prefix(name)?.strip_prefix('/'));
        let id = here.and_then(|said| ResourceId::parse(said).ok());
        id.map_or_else(|| said.to_owned(), |id| self.id(&id.at(place)))
    }
}

/// Operations without which health cannot be told: when one fails, an "ok" would be a guess.
const ESSENTIAL: [&str; 7] = [
    "context",
    "ListStreams",
    "DescribeStreamSummary",
    "ListQueues",
    "GetQueueAttributes",
    "ListFunctions",
    "GetMetricData",
];

/// 2 when something is critical; else 3 when something essential could not be looked at; else 1 when something is warn or
/// unknown; else 0.
pub fn exit_code(snapshot: &Snapshot<'_>) -> u8 {
    let worst = snapshot.rows.values().map(|row| row.health).max().unwrap_or(Health::Ok);
    let blind = snapshot.problems.iter().any(|problem| ESSENTIAL.contains(&problem.operation));
    match worst {
        Health::Crit => 2,
        _ if blind => 3,
        Health::Warn | Health::Unknown => 1,
        Health::Ok => 0,
    }
}

/// The stable interface of `midwatch status --format json`. Members keep their names, order, units and meaning.
pub fn json(snapshot: &Snapshot<'_>) -> Value {
    let findings = snapshot.findings.iter().enumerate();
    let findings = findings.map(|(index, finding)| finding_json(snapshot, index + 1, finding));
    let mut json = json!({
        "at": snapshot.at.rfc3339(),
        "source": snapshot.source,
        "context": snapshot.contexts.first().map(context_json),
        "resources": snapshot.rows.values().map(|row| row_json(snapshot, row)).collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
        "problems": snapshot.problems.iter().map(|problem| problem_json(snapshot, problem)).collect::<Vec<_>>(),
        "changes": snapshot.changes.iter().map(|change| change_json(snapshot, change)).collect::<Vec<_>>(),
        "api": {
            "calls": snapshot.calls.total(),
            "throttled": snapshot.calls.throttled,
            "by_operation": snapshot.calls.by_operation,
            "usd_per_hour": rounded(snapshot.usd_per_hour),
        },
    });
    if snapshot.hidden > 0 {
        json["hidden"] = snapshot.hidden.into();
    }
    if snapshot.contexts.len() > 1 {
        json["contexts"] = snapshot.contexts.iter().map(context_json).collect();
        json["partial"] = snapshot.contexts.iter().any(|context| context.problem.is_some()).into();
    }
    json
}

fn context_json(context: &Context<'_>) -> Value {
    let mut json = json!({ "account": context.account, "alias": context.alias, "region": context.region, "profile": context.profile });
    if let Some(name) = context.place.name() {
        json["name"] = name.into();
        json["problem"] = context.problem.into();
    }
    json
}

fn row_json(snapshot: &Snapshot<'_>, row: &Row) -> Value {
    let links = row.links.iter().map(|link| json!({ "to": snapshot.id(&link.to), "as": link.relation.word() }));
    json!({
        "id": snapshot.id(&row.id),
        "kind": row.id.kind.word(),
        "name": row.id.name,
        "health": row.health.word(),
        "fields": fields_json(snapshot, row),
        "as_of": row.as_of.rfc3339(),
        "links": links.collect::<Vec<_>>(),
    })
}

/// Every field of the kind, in the order of its detail screen; null where there is no data.
fn fields_json(snapshot: &Snapshot<'_>, row: &Row) -> Map<String, Value> {
    let kind = kinds::kind(row.id.kind);
    let mut fields = Map::new();
    for field in kind.detail.iter().chain(kind.columns) {
        let datum = row.fields.get(field).map(|value| match &value.datum {
            Datum::Text(text) if *field == &kinesis::LATEST_READER => snapshot.reader(row, text).into(),
            datum => datum_json(field, datum),
        });
        fields.insert(field.id.to_owned(), datum.unwrap_or(Value::Null));
    }
    fields
}

fn datum_json(field: &Field, datum: &Datum) -> Value {
    match datum {
        // A function's hour may cost a hundredth of a cent.
        Datum::Number(usd) if field.unit == Unit::UsdPerHour => ((usd * 1e6).round() / 1e6).into(),
        Datum::Number(number) => number_json(*number),
        Datum::Text(text) => text.as_str().into(),
        Datum::Flag(flag) => (*flag).into(),
        Datum::Time(at) => at.rfc3339().into(),
        Datum::Missing(_) => Value::Null,
    }
}

/// Whole numbers without a fraction, others to three places: below that is the noise of division.
fn number_json(number: f64) -> Value {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if number == number.trunc() && number.abs() <= EXACT_MAX {
        return (number as i64).into();
    }
    ((number * 1000.0).round() / 1000.0).into()
}

/// To the hundredth of a cent.
fn rounded(usd: f64) -> f64 {
    (usd * 10_000.0).round() / 10_000.0
}

fn finding_json(snapshot: &Snapshot<'_>, rank: usize, finding: &Finding) -> Value {
    let evidence = finding.evidence.iter().map(|evidence| {
        json!({
            "resource": snapshot.id(&evidence.resource),
            "field": evidence.field,
            "sentence": evidence.sentence,
            "at": evidence.at.rfc3339(),
        })
    });
    json!({
        "rank": rank,
        "cause": finding.cause.word(),
        "severity": finding.severity.word(),
        "confidence": finding.confidence.word(),
        "resource": snapshot.id(&finding.resource),
        "sentence": finding.sentence,
        "evidence": evidence.collect::<Vec<_>>(),
        "actions": finding.actions.iter().map(|action| action.word()).collect::<Vec<_>>(),
    })
}

fn problem_json(snapshot: &Snapshot<'_>, problem: &Problem) -> Value {
    let mut json = json!({
        "service": problem.service,
        "operation": problem.operation,
        "class": problem.class.word(),
        "sentence": problem.sentence,
    });
    if snapshot.contexts.len() > 1 {
        json["context"] = problem.place.name().into();
    }
    json
}

fn change_json(snapshot: &Snapshot<'_>, change: &Change) -> Value {
    let resources = change.resources.iter().map(|id| snapshot.id(id));
    json!({
        "at": change.at.rfc3339(),
        "service": change.service,
        "event": change.event,
        "by": change.who,
        "with_midwatch": change.by_midwatch,
        "source_ip": change.source_ip,
        "resources": resources.collect::<Vec<_>>(),
        "error": change.error_code,
        "sentence": change.sentence(),
        "id": change.id,
    })
}

/// How many fields of a resource the table shows: what fits beside its name on a wide terminal.
const TABLE_FIELDS: usize = 4;

/// The same for people: worst first, severity as a sign and a word. `sign` gives the sign of a health.
pub fn table(snapshot: &Snapshot<'_>, sign: impl Fn(Health) -> char) -> String {
    let mut text = String::new();
    put(&mut text, &head(snapshot));
    text.push('\n');
    let mut rows: Vec<&Row> = snapshot.rows.values().collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.health), row.id.clone()));
    let named = |row: &Row| cleaned(&row.id.to_string(), REPLACED);
    let width = rows.iter().map(|row| named(row).chars().count()).max().unwrap_or(0);
    for row in &rows {
        let id = named(row);
        let line = format!("{} {:<7}  {id:<width$}  {}", sign(row.health), row.health.word(), cells(row));
        put(&mut text, line.trim_end());
        for reason in &row.reasons {
            put(&mut text, &format!("{:11}{reason}", ""));
        }
        if let Some(stale) = &row.stale {
            put(&mut text, &format!("{:11}stale since {}: {}", "", stale.since.clock_hms(), stale.sentence));
        }
    }
    if rows.is_empty() {
        text.push_str("No resources were seen.\n");
    }
    if snapshot.hidden > 0 {
        let more = counted_that(snapshot.hidden as f64, "more resource", "be");
        let _ = writeln!(text, "\n{more} hidden by the config's include and exclude.");
    }
    push_findings(&mut text, snapshot.findings);
    push_changes(&mut text, snapshot.changes);
    push_problems(&mut text, &snapshot.problems);
    let calls = snapshot.calls;
    let _ = writeln!(
        text,
        "\n{}, {} throttled, ${:.2} an hour at this rate",
        counted_all(calls.total() as usize, "API call"),
        calls.throttled,
        snapshot.usd_per_hour
    );
    text
}

/// Stands for what a terminal would act on, or an eye would misread: every terminal and log has it.
const REPLACED: char = '?';

/// Adds a line, in which a name from elsewhere cannot begin another.
fn put(text: &mut String, line: &str) {
    text.push_str(&cleaned(line, REPLACED));
    text.push('\n');
}

fn head(snapshot: &Snapshot<'_>) -> String {
    let at = snapshot.at.rfc3339();
    let context = |context: &Context<'_>| {
        let named = context.place.name();
        let profile = context.profile.filter(|profile| named != Some(profile));
        let dark = context.problem.filter(|_| snapshot.contexts.len() > 1).map(|_| "(not seen)");
        let parts = [named, profile, context.account, context.alias, context.region, dark];
        parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
    };
    let contexts = snapshot.contexts.iter().map(context).filter(|said| !said.is_empty()).collect::<Vec<_>>();
    let parts = [snapshot.source.to_owned(), contexts.join(",  "), at];
    let counts = KindId::ALL.map(|kind| {
        let count = snapshot.rows.keys().filter(|id| id.kind == kind).count();
        match (snapshot.unlisted.contains(&kind), count) {
            (false, _) => format!("{count} {}", kind.word()),
            (true, 0) => format!("{} not seen", kind.word()),
            (true, _) => format!("{count} {} at least", kind.word()),
        }
    });
    format!(
        "midwatch  {}  ({})",
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  "),
        counts.join(", ")
    )
}

fn cells(row: &Row) -> String {
    let cell = |field: &Field| {
        let text = row.fields.get(field).map_or("not yet".to_owned(), |value| field.unit.short(&value.datum));
        format!("{} {text}", field.title.to_lowercase())
    };
    let columns = kinds::kind(row.id.kind).columns;
    columns.iter().take(TABLE_FIELDS).map(|field| cell(field)).collect::<Vec<_>>().join(", ")
}

fn push_findings(text: &mut String, findings: &[Finding]) {
    if !findings.is_empty() {
        text.push_str("\nFindings\n");
    }
    for (index, finding) in findings.iter().enumerate() {
        let (severity, cause) = (finding.severity.word(), finding.cause.word());
        let confidence = finding.confidence.word();
        put(text, &format!("{:>3}. {severity} {}: {cause}, {confidence}", index + 1, finding.resource));
        put(text, &format!("     {}", finding.sentence));
        for evidence in &finding.evidence {
            put(text, &format!("     - {}: {}", evidence.resource, evidence.sentence));
        }
        let actions: Vec<&str> = finding.actions.iter().map(|action| action.word()).collect();
        if !actions.is_empty() {
            let _ = writeln!(text, "     midwatch do {} …", actions.join(" | "));
        }
    }
}

/// How many changes the table shows.
const TABLE_CHANGES: usize = 8;

fn push_changes(text: &mut String, changes: &Changes) {
    if changes.is_empty() {
        return;
    }
    text.push_str("\nChanged lately\n");
    for change in changes.iter().take(TABLE_CHANGES) {
        let named: Vec<String> = change.resources.iter().map(ToString::to_string).collect();
        let line = format!("  {}  {}  {}", change.at.clock_hms(), named.join(", "), change.sentence());
        put(text, &line);
    }
    if changes.len() > TABLE_CHANGES {
        let _ = writeln!(text, "  and {} before", changes.len() - TABLE_CHANGES);
    }
}

fn push_problems(text: &mut String, problems: &[&Problem]) {
    if !problems.is_empty() {
        text.push_str("\nNot seen\n");
    }
    for cause in by_cause(problems.iter().copied()) {
        let Some(first) = cause.first() else { continue };
        put(text, &format!("  {} ({}): {}", struck(&cause), first.class.word(), first.sentence));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finding::{Cause, Confidence, ErrorClass, Evidence};
    use crate::domain::row::{Link, Relation};
    use crate::domain::value::{self, NoData, Origin};
    use crate::domain::verb::ActionId;
    use crate::kinds::sqs;

    const NOW: Timestamp = Timestamp::from_millis(1_795_802_520_000);

    static HERE: std::sync::LazyLock<Place> = std::sync::LazyLock::new(Place::default);

    fn dead_letter_queue() -> Row {
        let mut row = Row::new(ResourceId::new(KindId::Sqs, "orders-dlq"), NOW);
        row.health = Health::Crit;
        row.reasons = vec!["412 dead letters wait".into()];
        row.fields.set(&sqs::VISIBLE, value::Value::number(412.0, NOW, Origin::Api));
        row.fields.set(&sqs::SENT_PER_MIN, value::Value::number(1.0 / 3.0, NOW, Origin::CloudWatch));
        let none = value::Value::missing(NoData::NoDatapoints, NOW, Origin::CloudWatch);
        row.fields.set(&sqs::OLDEST_AGE_S, none);
        row.links.push(Link { to: ResourceId::new(KindId::Sqs, "orders"), relation: Relation::DeadLettersOf });
        row
    }

    fn finding() -> Finding {
        let resource = ResourceId::new(KindId::Sqs, "orders-dlq");
        Finding {
            cause: Cause::DeadLetters,
            severity: Health::Crit,
            confidence: Confidence::Certain,
            resource: resource.clone(),
            sentence: "Messages fail.".into(),
            evidence: vec![Evidence { resource, field: "visible", sentence: "412 wait".into(), at: NOW }],
            actions: vec![ActionId::Redrive],
        }
    }

    struct Seen {
        rows: BTreeMap<ResourceId, Row>,
        findings: Vec<Finding>,
        changes: Changes,
        problems: Vec<Problem>,
        calls: Calls,
    }

    impl Seen {
        fn new(rows: impl IntoIterator<Item = Row>) -> Self {
            let rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
            let (problems, calls) = (Vec::new(), Calls::default());
            Self { rows, findings: Vec::new(), changes: Changes::default(), problems, calls }
        }

        fn snapshot(&self) -> Snapshot<'_> {
            Snapshot {
                at: NOW,
                source: "demo",
                contexts: vec![Context {
                    place: &HERE,
                    account: Some("123456789012"),
                    alias: Some("acme-prod"),
                    region: Some("eu-west-1"),
                    profile: None,
                    problem: None,
                }],
                rows: &self.rows,
                unlisted: Vec::new(),
                hidden: 0,
                findings: &self.findings,
                changes: &self.changes,
                problems: self.problems.iter().collect(),
                calls: &self.calls,
                usd_per_hour: 0.05,
            }
        }
    }

    fn change() -> Change {
        Change {
            id: "e-1".into(),
            place: Place::default(),
            at: NOW,
            service: "sqs".into(),
            event: "SetQueueAttributes".into(),
            who: "ana".into(),
            source_ip: None,
            resources: vec![ResourceId::new(KindId::Sqs, "orders")],
            part: None,
            role: None,
            settings: vec![("VisibilityTimeout".into(), "2".into())],
            error_code: None,
            by_midwatch: false,
        }
    }

    fn problem(operation: &'static str) -> Problem {
        let sentence = "Ask for the permission.".into();
        let (place, class) = (Place::default(), ErrorClass::Denied);
        Problem { place, service: "sqs", operation, class, of_place: false, sentence }
    }

    #[test]
    fn ids_name_the_account_and_region_unless_two_contexts_look_at_the_same() {
        let places = ["prod", "audit", "staging"].map(Place::named);
        let seen = Seen::new([]);
        let accounts = ["111122223333", "111122223333", "444455556666"];
        let contexts = places.iter().zip(accounts).map(|(place, account)| {
            let region = Some("eu-west-1");
            Context { place, account: Some(account), alias: None, region, profile: None, problem: None }
        });
        let snapshot = Snapshot { contexts: contexts.collect(), ..seen.snapshot() };
        let id = |place: &Place| snapshot.id(&ResourceId::new(KindId::Sqs, "orders").at(place));
        let ids = places.each_ref().map(id);
        assert_eq!(ids, ["prod/sqs/orders", "audit/sqs/orders", "444455556666/eu-west-1/sqs/orders"]);
    }

    #[test]
    fn a_reader_that_is_a_resource_goes_by_its_id() {
        let prod = Place::named("prod");
        let bids = |reader: &str| {
            let mut row = Row::new(ResourceId::new(KindId::Kinesis, "bids").at(&prod), NOW);
            row.fields.set(&kinesis::LATEST_READER, crate::domain::value::Value::text(reader, NOW));
            row
        };
        let seen = Seen::new([]);
        let one = seen.snapshot();
        let (account, region) = (Some("123456789012"), Some("eu-west-1"));
        let there = Context { place: &prod, account, alias: None, region, profile: None, problem: None };
        let snapshot = Snapshot { contexts: vec![there], ..seen.snapshot() };
        let reader = |snapshot: &Snapshot<'_>, said: &str| fields_json(snapshot, &bids(said))["latest_reader"].clone();
        assert_eq!(reader(&snapshot, "prod/lambda/settle-bid"), "123456789012/eu-west-1/lambda/settle-bid");
        assert_eq!(reader(&snapshot, "GetRecords"), "GetRecords");
        assert_eq!(reader(&one, "fan-out consumer ledger"), "fan-out consumer ledger");
    }

    #[test]
    fn names_and_sentences_cannot_act_on_the_terminal_nor_begin_a_line() {
        let mut row = dead_letter_queue();
        row.id.name = "ok\u{202e}gnihton\nX crit".into();
        row.reasons = vec!["a\u{1b}[2Jb".into()];
        let seen = Seen::new([row]);
        let table = table(&seen.snapshot(), |_| 'x');
        assert!(table.contains("sqs/ok?gnihton?X crit") && table.contains("a?[2Jb"), "{table}");
        let json = json(&seen.snapshot()).to_string();
        assert!(json.contains(r"gnihton\nX crit"), "{json}");
    }

    #[test]
    fn the_json_is_the_documented_interface() {
        let mut seen = Seen::new([dead_letter_queue()]);
        seen.findings.push(finding());
        seen.problems.push(problem("ListQueues"));
        seen.changes.merge(&HERE, NOW, [change()], NOW);
        seen.calls.by_operation.insert("sqs:ListQueues", 1);
        let json = json(&seen.snapshot());
        let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(members(&json), "at source context resources findings problems changes api");
        assert_eq!(
            json["context"].to_string(),
            r#"{"account":"123456789012","alias":"acme-prod","region":"eu-west-1","profile":null}"#
        );
        let resource = &json["resources"][0];
        assert_eq!(members(resource), "id kind name health fields as_of links");
        assert_eq!(resource["fields"]["visible"].to_string(), "412");
        assert_eq!(resource["fields"]["sent_per_min"].to_string(), "0.333");
        assert_eq!(resource["fields"]["oldest_age_s"], Value::Null, "no data is null, never 0");
        assert_eq!(resource["links"][0].to_string(), r#"{"to":"sqs/orders","as":"dead-letters-of"}"#);
        let finding = &json["findings"][0];
        assert_eq!(members(finding), "rank cause severity confidence resource sentence evidence actions");
        assert_eq!(members(&finding["evidence"][0]), "resource field sentence at");
        assert_eq!(members(&json["problems"][0]), "service operation class sentence");
        assert_eq!(
            json["changes"][0].to_string(),
            r#"{"at":"2026-11-27T18:02:00Z","service":"sqs","event":"SetQueueAttributes","by":"ana","with_midwatch":false,"source_ip":null,"resources":["sqs/orders"],"error":null,"sentence":"SetQueueAttributes VisibilityTimeout=2 by ana","id":"e-1"}"#
        );
        assert_eq!(
            json["api"].to_string(),
            r#"{"calls":1,"throttled":0,"by_operation":{"sqs:ListQueues":1},"usd_per_hour":0.05}"#
        );
    }

    #[test]
    fn the_exit_code_is_the_worst_that_was_seen_and_blindness_is_never_ok() {
        let healthy = |health| {
            let mut row = dead_letter_queue();
            row.health = health;
            Seen::new([row])
        };
        for (health, code) in [(Health::Ok, 0), (Health::Unknown, 1), (Health::Warn, 1), (Health::Crit, 2)] {
            assert_eq!(exit_code(&healthy(health).snapshot()), code, "{health:?}");
        }
        for (health, code) in [(Health::Ok, 3), (Health::Warn, 3), (Health::Crit, 2)] {
            let mut blind = healthy(health);
            blind.problems.push(problem("ListQueues"));
            assert_eq!(exit_code(&blind.snapshot()), code, "{health:?}");
        }
        let mut minor = healthy(Health::Ok);
        minor.problems.push(problem("ListMessageMoveTasks"));
        assert_eq!(exit_code(&minor.snapshot()), 0);
        assert_eq!(exit_code(&Seen::new([]).snapshot()), 0, "an empty account is healthy");
    }

    #[test]
    fn what_could_not_be_listed_is_not_counted_as_none() {
        let seen = Seen::new([dead_letter_queue()]);
        let snapshot = Snapshot { unlisted: vec![KindId::Sqs, KindId::Sns], ..seen.snapshot() };
        let head = head(&snapshot);
        assert!(head.ends_with("1 sqs at least, 0 lambda, sns not seen, 0 swf, 0 firehose, 0 alarm, 0 kcl)"), "{head}");
    }

    #[test]
    fn the_table_says_the_worst_first_with_a_sign_and_a_word() {
        let mut healthy = dead_letter_queue();
        healthy.id.name = "a-first".into();
        (healthy.health, healthy.reasons) = (Health::Ok, Vec::new());
        let mut seen = Seen::new([healthy, dead_letter_queue()]);
        seen.findings.push(finding());
        seen.problems.push(problem("ListQueues"));
        seen.changes.merge(&HERE, NOW, [change()], NOW);
        let told_once = table(&seen.snapshot(), |_| 'x');
        assert!(told_once.contains("sqs:ListQueues (denied): Ask for the permission."), "{told_once}");
        seen.problems.push(problem("GetQueueAttributes"));
        let table = table(&seen.snapshot(), |health| if health == Health::Crit { 'X' } else { 'o' });
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[0].starts_with("midwatch  demo  123456789012  acme-prod  eu-west-1  2026-"), "{table}");
        assert!(lines[2].starts_with("X crit     sqs/orders-dlq  visible 412, in flight not yet"), "{table}");
        assert_eq!(lines[3].trim(), "412 dead letters wait");
        assert!(lines[4].starts_with("o ok       sqs/a-first"), "{table}");
        assert!(table.contains("1. crit sqs/orders-dlq: dead-letters, certain"), "{table}");
        assert!(table.contains("\n  18:02:00  sqs/orders  SetQueueAttributes VisibilityTimeout=2 by ana\n"), "{table}");
        assert!(
            table.contains("2 operations of sqs (denied): Ask for the permission."),
            "one cause is told once: {table}"
        );
    }
}
