//! The control interface of a served engine: `/_midwatch/…` resets an account, lets its time pass, makes things go
//! wrong, and tells what was asked of it. Reads orders and writes answers; the engine carries them out.

use crate::domain::time::Timestamp;
use crate::failure::nearest;
use crate::sim::engine::{Pace, is_region};
use crate::sim::faults::record::{self, Plan};
use crate::sim::ledger::Ledger;
use crate::sim::scenario::{Fragment, NotAdded, ScenarioError};
use crate::sim::wire::query::form_parameters;
use crate::sim::wire::{Request, Response};
use crate::sim::world::World;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

/// Where the interface begins; no AWS service has such a path.
const ROOT: &str = "/_midwatch/";

/// Time advances by at most this many days at once: more than any retention of AWS.
const ADVANCE_DAYS_MAX: u64 = 400;

/// Accounts or regions that a refusal names, at most.
const NAMED_MAX: usize = 20;

/// What to do about a text of which nothing was done.
const NOTHING_DONE: &str = "correct these places and send it again: nothing of it was done";

/// What a caller wants, and of which account and region if it says so in the query.
pub struct Order {
    pub command: Command,
    pub account: Option<String>,
    pub region: Option<String>,
}

pub enum Command {
    Health,
    Ledger,
    Reset,
    Advance(Duration),
    /// Resources, actors and faults, in one region.
    Add(Box<Fragment>),
    /// Faults, in one region or in all that have what they strike.
    Strike(Box<Fragment>),
    /// The faults that are on or to come.
    Faults,
    /// Ends the faults of a name, or all.
    End(Option<String>),
}

/// An order that cannot be carried out: what is wrong with it, and what to do about that.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    errors: Vec<String>,
    cure: String,
}

impl Refusal {
    fn new(status: u16, error: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { status, errors: vec![error.into()], cure: cure.into() }
    }

    /// A scenario's text that is none.
    pub fn of(error: &ScenarioError) -> Self {
        Self { status: 400, errors: error.0.clone(), cure: NOTHING_DONE.into() }
    }

    /// A scenario that does not fit the account.
    pub fn not_added(error: &NotAdded) -> Self {
        let cure = if error.made.is_empty() {
            NOTHING_DONE.to_owned()
        } else {
            let made = error.made.join(", ");
            format!("correct this and send it again without what is there now, which is {made}; or reset the account")
        };
        Self { status: 400, errors: error.errors.clone(), cure }
    }

    /// No fault of this name is on or to come.
    pub fn no_fault<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let meant = nearest(name, known).map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
        Self::new(
            404,
            format!("no fault `{name}` is on or to come"),
            format!("{meant}GET {ROOT}faults lists those that are"),
        )
    }

    /// What is asked about an account of which nothing is known.
    pub fn no_account<'a>(account: &str, known: impl Iterator<Item = &'a str> + Clone) -> Self {
        let meant = nearest(account, known.clone()).map_or(String::new(), |meant| format!("did you mean {meant}? "));
        let known: Vec<&str> = known.take(NAMED_MAX).collect();
        Self::new(404, format!("nothing is known of account {account}"), format!("{meant}known: {}", known.join(", ")))
    }

    /// What is asked about a region in which an account has nothing.
    pub fn no_region<'a>(account: &str, region: &str, known: impl Iterator<Item = &'a str> + Clone) -> Self {
        let meant = nearest(region, known.clone()).map_or(String::new(), |meant| format!("did you mean {meant}? "));
        let known: Vec<&str> = known.take(NAMED_MAX).collect();
        Self::new(
            404,
            format!("account {account} has nothing in {region}"),
            format!("{meant}it has something in: {}", known.join(", ")),
        )
    }

    pub fn response(&self) -> Response {
        answer(self.status, &json!({ "errors": self.errors, "cure": self.cure }))
    }
}

/// The order that a request is; `None` for a request that is AWS's.
pub fn order(request: &Request) -> Option<Result<Order, Refusal>> {
    let name = request.path.strip_prefix(ROOT).or((request.path == "/_midwatch").then_some(""))?;
    Some(read(request, name))
}

fn read(request: &Request, name: &str) -> Result<Order, Refusal> {
    let method = match name {
        "health" | "ledger" | "faults" => "GET",
        "reset" | "advance" | "fault" | "scenario" | "end" => "POST",
        _ => {
            let cure = "ask GET health, GET ledger, GET faults, POST reset, POST advance?by=TIME, POST fault, \
                        POST end?fault=NAME or POST scenario";
            return Err(Refusal::new(404, format!("there is no {ROOT}{name}"), cure));
        }
    };
    if request.method != method {
        let error = format!("{ROOT}{name} is not for {}", request.method);
        return Err(Refusal::new(405, error, format!("send it with {method}")));
    }
    let allowed: &[&str] = match name {
        "advance" => &["account", "region", "by"],
        "end" => &["account", "region", "fault"],
        _ => &["account", "region"],
    };
    let parameters: Vec<(String, String)> = form_parameters(&request.query).collect();
    if let Some((unknown, _)) = parameters.iter().find(|(key, _)| !allowed.contains(&key.as_str())) {
        let error = format!("{ROOT}{name} knows no parameter `{unknown}`");
        return Err(Refusal::new(400, error, format!("it takes {}", allowed.join(", "))));
    }
    let parameter = |wanted: &str| parameters.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.clone());
    let account = parameter("account");
    if let Some(wrong) = account.as_ref().filter(|id| id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(Refusal::new(400, format!("account={wrong} is no account"), "an account is twelve digits"));
    }
    let region = parameter("region");
    if let Some(wrong) = region.as_ref().filter(|region| !is_region(region)) {
        return Err(Refusal::new(400, format!("region={wrong} is no region"), "a region is such as eu-west-1"));
    }
    let command = match name {
        "health" => Command::Health,
        "ledger" => Command::Ledger,
        "reset" => Command::Reset,
        "advance" => Command::Advance(span(parameter("by").as_deref())?),
        "faults" => Command::Faults,
        "end" => Command::End(parameter("fault")),
        "fault" => Command::Strike(Box::new(fragment(&request.body, true)?)),
        _ => Command::Add(Box::new(fragment(&request.body, false)?)),
    };
    Ok(Order { command, account, region })
}

/// Reads `90s`, `10m`, `24h`, `4d`, `500ms` and sums such as `1h30m`.
fn span(text: Option<&str>) -> Result<Duration, Refusal> {
    let shape = "write how far, as in advance?by=4d: 500ms, 90s, 10m, 24h, 4d or 1h30m";
    let Some(text) = text else { return Err(Refusal::new(400, "the parameter `by` is missing", shape)) };
    let wrong = || Refusal::new(400, format!("by={text} is no time"), shape);
    let (mut rest, mut total_ms) = (text, 0u64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        total_ms = number.checked_mul(unit_ms).and_then(|ms| total_ms.checked_add(ms)).ok_or_else(wrong)?;
        rest = tail;
    }
    if text.is_empty() {
        return Err(wrong());
    }
    if total_ms > ADVANCE_DAYS_MAX * 86_400_000 {
        return Err(Refusal::new(400, format!("by={text} is too far"), format!("at most {ADVANCE_DAYS_MAX}d at once")));
    }
    Ok(Duration::from_millis(total_ms))
}

fn fragment(body: &[u8], faults_only: bool) -> Result<Fragment, Refusal> {
    let Ok(text) = std::str::from_utf8(body) else {
        return Err(Refusal::new(400, "the body is no UTF-8", "send TOML, with curl's --data-binary @FILE"));
    };
    if text.trim().is_empty() {
        let cure = "send TOML, such as [[fault]] with kind and target, with curl's --data-binary @FILE";
        return Err(Refusal::new(400, "the body is empty", cure));
    }
    let fragment = Fragment::parse(text).map_err(|error| Refusal::of(&error))?;
    if faults_only && !fragment.is_faults_only() {
        return Err(Refusal::new(400, "the body holds more than [[fault]]", format!("send it to {ROOT}scenario")));
    }
    Ok(fragment)
}

/// An order was carried out, in this account: its time afterwards, and the regions in which there is something. An
/// account begins with the first order or request that names it, so one that somebody mistyped has none.
pub fn done<'a>(account: &str, now: Timestamp, regions: impl Iterator<Item = &'a str>) -> Response {
    let regions: Vec<&str> = regions.collect();
    answer(200, &json!({ "account": account, "now": now.rfc3339(), "regions": regions }))
}

/// How a served engine was started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub pace: Pace,
    pub speed: f64,
    /// Whether AWS's rates throttle.
    pub limits: bool,
    /// Whether creating, changing and deleting take AWS's time.
    pub delays: bool,
}

/// How the engine is, and what time it is in each account.
pub fn health<'a>(settings: Settings, accounts: impl Iterator<Item = (&'a str, Timestamp)>) -> Response {
    let accounts: serde_json::Map<String, Value> =
        accounts.map(|(account, now)| (account.to_owned(), json!({ "now": now.rfc3339() }))).collect();
    let clock = match settings.pace {
        Pace::Runs => "runs",
        Pace::Stands => "manual",
    };
    let version = env!("CARGO_PKG_VERSION");
    let word = |is_on: bool| if is_on { "on" } else { "off" };
    answer(
        200,
        &json!({
            "status": "ok",
            "version": version,
            "clock": clock,
            "speed": settings.speed,
            "limits": word(settings.limits),
            "delays": word(settings.delays),
            "accounts": accounts,
        }),
    )
}

/// The faults of an account that are on or to come, by region; `until` is null where only an order ends one.
pub fn faults<'a>(account: &str, worlds: impl Iterator<Item = (&'a str, &'a World)>) -> Response {
    let of_world = |(region, world): (&'a str, &'a World)| {
        record::not_over(world).map(move |staged| {
            let Plan { name, kind, target, begins, ends } = &staged.plan;
            let state = if staged.has_begun(world.now) { "on" } else { "to come" };
            json!({
                "region": region, "name": name, "kind": kind, "target": target, "state": state,
                "at": begins.rfc3339(), "until": ends.map(Timestamp::rfc3339),
            })
        })
    };
    let faults: Vec<Value> = worlds.flat_map(of_world).collect();
    answer(200, &json!({ "account": account, "faults": faults }))
}

/// So many faults were ended.
pub fn ended(count: usize, now: Timestamp) -> Response {
    answer(200, &json!({ "now": now.rfc3339(), "ended": count }))
}

/// What was asked of an account: one line a service, operation and outcome.
/// Of each region: what its queues let expire, and what became of what its applications made.
pub fn ledger<'a>(account: &str, ledger: &Ledger, worlds: impl Iterator<Item = (&'a str, &'a World)>) -> Response {
    let (mut expired, mut applications) = (Vec::new(), Vec::new());
    for (region, world) in worlds {
        let queues = world.sqs.queues().filter(|queue| queue.expired > 0);
        expired.extend(queues.map(|queue| json!({ "region": region, "queue": queue.name, "count": queue.expired })));
        let tallies = world.actors.iter().flatten().map(|actor| (actor, actor.role.tally()));
        let known = tallies.filter(|(_, tally)| !tally.is_null());
        applications
            .extend(known.map(|(actor, counts)| json!({ "region": region, "name": actor.name, "counts": counts })));
    }
    let requests: Vec<Value> = ledger
        .requests
        .iter()
        .map(|((service, operation, error), count)| {
            json!({ "service": service, "operation": operation, "error": error, "count": count })
        })
        .collect();
    answer(
        200,
        &json!({
            "account": account, "answered": ledger.answered, "requests": requests,
            "metrics": ledger.metrics, "usd": ledger.usd_written(),
            "expired": expired, "applications": applications,
        }),
    )
}

fn answer(status: u16, value: &Value) -> Response {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Response { status, headers, body: Bytes::from(format!("{value:#}\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &str, target: &str, body: &str) -> Result<Order, Refusal> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
        let body = Bytes::from(body.to_owned());
        order(&Request { method, path, query, headers: vec![], body }).unwrap()
    }

    fn refusal(method: &str, target: &str, body: &str) -> (u16, String) {
        match ask(method, target, body) {
            Ok(_) => panic!("{method} {target} is taken"),
            Err(refusal) => (refusal.status, format!("{}; {}", refusal.errors.join("; "), refusal.cure)),
        }
    }

    #[test]
    fn an_order_names_what_how_far_and_where() {
        let order = ask("POST", "/_midwatch/advance?by=1h30m&account=111122223333&region=us-east-1", "").unwrap();
        assert_eq!((order.account.as_deref(), order.region.as_deref()), (Some("111122223333"), Some("us-east-1")));
        assert!(matches!(order.command, Command::Advance(by) if by == Duration::from_secs(5400)));
        assert!(matches!(ask("GET", "/_midwatch/ledger", "").unwrap().command, Command::Ledger));
    }

    #[test]
    fn what_is_no_order_says_what_would_be_one() {
        for (method, target, body, status, words) in [
            ("POST", "/_midwatch/explode", "", 404, "POST advance?by=TIME"),
            ("GET", "/_midwatch/reset", "", 405, "send it with POST"),
            ("POST", "/_midwatch/advance", "", 400, "`by` is missing"),
            ("POST", "/_midwatch/advance?by=soon", "", 400, "by=soon is no time"),
            ("POST", "/_midwatch/advance?by=", "", 400, "is no time"),
            ("POST", "/_midwatch/advance?by=99999999999999999999d", "", 400, "is no time"),
            ("POST", "/_midwatch/advance?by=401d", "", 400, "at most 400d"),
            ("POST", "/_midwatch/end?name=x", "", 400, "it takes account, region, fault"),
            ("GET", "/_midwatch/end", "", 405, "send it with POST"),
            ("POST", "/_midwatch/faults", "", 405, "send it with GET"),
            ("POST", "/_midwatch/reset?acount=1", "", 400, "no parameter `acount`"),
            ("POST", "/_midwatch/reset?account=me", "", 400, "twelve digits"),
            ("GET", "/_midwatch/faults?region=mars", "", 400, "region=mars is no region"),
            ("POST", "/_midwatch/fault", "", 400, "body is empty"),
            ("POST", "/_midwatch/fault", "[[queue]]\nname = \"q\"", 400, "/_midwatch/scenario"),
            ("POST", "/_midwatch/scenario", "[[queue]]\nnmae = \"q\"", 400, "line 2"),
        ] {
            let (got, text) = refusal(method, target, body);
            assert_eq!(got, status, "{method} {target}: {text}");
            assert!(text.contains(words), "{method} {target}: {text}");
        }
    }

    #[test]
    fn awss_own_paths_are_no_orders() {
        let request = |path: &str| Request {
            method: "POST".into(),
            path: path.into(),
            query: String::new(),
            headers: vec![],
            body: Bytes::new(),
        };
        assert!(order(&request("/")).is_none());
        assert!(order(&request("/123456789012/_midwatch/x")).is_none());
    }
}
