//! Logs Insights by example: what a query answers over a handful of events.

use super::*;

fn events() -> Vec<(&'static str, i64, &'static str)> {
    vec![
        ("web", 1_000, r#"{"level":"ERROR","ms":120,"user":{"id":"ann"}}"#),
        ("web", 61_000, r#"{"level":"INFO","ms":5,"user":{"id":"bob"}}"#),
        ("job", 62_000, r#"{"level":"ERROR","ms":40,"user":{"id":"ann"}}"#),
        ("job", 63_000, "plain text, no link"),
    ]
}

fn ask(text: &str) -> Vec<String> {
    let of = |(index, (stream, at_ms, message)): (usize, &(&'static str, i64, &'static str))| Source {
        log: "123456789012:app",
        stream,
        at_ms: *at_ms,
        ingested_ms: *at_ms,
        message,
        pointer: format!("p{index}"),
    };
    let all = events();
    let sources = all.iter().enumerate().map(of).collect();
    let commands = parse(text).unwrap_or_else(|why| panic!("{text}: {why:?}"));
    let outcome = run(&commands, sources, 10_000, Timestamp::from_millis(100_500));
    let cell = |(name, value): &(String, String)| format!("{name}={value}");
    let shown = |row: &Vec<(String, String)>| {
        row.iter().filter(|(name, _)| name != "@ptr").map(cell).collect::<Vec<_>>().join(" ")
    };
    outcome.rows.iter().map(shown).collect()
}

#[test]
fn a_query_filters_sorts_and_limits() {
    for (text, rows) in [
        (
            "fields @timestamp, level | filter level = 'ERROR'",
            vec!["@timestamp=1970-01-01 00:01:02.000 level=ERROR", "@timestamp=1970-01-01 00:00:01.000 level=ERROR"],
        ),
        ("fields ms | sort ms asc | limit 2", vec!["ms=5", "ms=40"]),
        ("fields user.id as who | filter ms > 10 and @logStream = 'web'", vec!["who=ann"]),
        ("filter @message like /no l.nk/ | display @logStream", vec!["@logStream=job"]),
        ("fields ms | filter @message not like 'plain' and ms not in [5, 40]", vec!["ms=120"]),
        (
            "fields @logStream | filter toMillis(@timestamp) >= 62000 | sort @timestamp asc | limit 1",
            vec!["@logStream=job"],
        ),
        ("fields ms * 2 + 1 as more | filter ispresent(ms) | sort more desc | limit 1", vec!["more=241"]),
    ] {
        assert_eq!(ask(text), rows, "{text}");
    }
}

#[test]
fn stats_are_by_group() {
    for (text, rows) in [
        ("stats count(*) as n by level | sort n desc | limit 1", vec!["level=ERROR n=2"]),
        ("stats count(*)", vec!["count(*)=4"]),
        (
            "filter ispresent(ms) | stats avg(ms), max(ms) by user.id",
            vec!["user.id=ann avg(ms)=80 max(ms)=120", "user.id=bob avg(ms)=5 max(ms)=5"],
        ),
        (
            "stats count(*) as n by bin(1m) | sort n asc",
            vec!["bin(1m)=1970-01-01 00:00:00.000 n=1", "bin(1m)=1970-01-01 00:01:00.000 n=3"],
        ),
        ("stats count_distinct(user.id) as users, pct(ms, 50) as half", vec!["users=2 half=40"]),
    ] {
        assert_eq!(ask(text), rows, "{text}");
    }
}

#[test]
fn parse_takes_fields_out_of_texts() {
    for (text, rows) in [
        (
            "filter @logStream = 'job' and ispresent(ms) = 0 | parse @message '* text, * link' as a, b | display a, b",
            vec!["a=plain b=no"],
        ),
        (
            "parse @message '\"ms\":*,' as took | stats sum(took) by @logStream",
            vec!["@logStream=job sum(took)=40", "@logStream=web sum(took)=125"],
        ),
        (
            "parse @message /\"id\":\"(?<@who>.*?)\"/ | filter @who = 'bob' | display @who, ms / 5",
            vec!["@who=bob ms / 5=1"],
        ),
        // What does not fit stays, without the fields; what fits is shown with them.
        (
            "fields @logStream | filter ms not in [5, 120] | parse @message '*,\"ms\":*,*' as a, took, c | sort ms",
            vec!["@logStream=job a={\"level\":\"ERROR\" took=40 c=\"user\":{\"id\":\"ann\"}}", "@logStream=job"],
        ),
        (
            "parse @message 'plain *' as rest | filter rest like /(?i)NO (link|word)/ | display rest",
            vec!["rest=text, no link"],
        ),
    ] {
        assert_eq!(ask(text), rows, "{text}");
    }
}

#[test]
fn dedup_keeps_events_that_lack_a_field() {
    assert_eq!(
        ask("fields level, @logStream | dedup level"),
        ["@logStream=job", "level=ERROR @logStream=job", "level=INFO @logStream=web"]
    );
}

#[test]
fn functions_are_carried_out() {
    for (expression, shown) in [
        ("10 % 3", "1"),
        ("replace('a-b-c', '-', '+')", "a+b+c"),
        ("concat(ltrim('  a '), '|', rtrim(' a  '), '|', trim('xxaxx', 'x'), '|', ltrim('xxax', 'x'))", "a | a|a|ax"),
        ("isValidIp('10.0.0.1') + isValidIpV4('::1') + isValidIpV6('::1') + isValidIp('10.0.0')", "2"),
        ("isIpv4InSubnet('10.1.2.3', '10.0.0.0/8') + isIpInSubnet('11.0.0.1', '10.0.0.0/8')", "1"),
        ("isIpv6InSubnet('2001:db8::1', '2001:db8::/32') + isIpv6InSubnet('10.0.0.1', '::/0')", "1"),
        ("isIpInSubnet('200.1.1.1', '0.0.0.0/0')", "1"),
        ("now()", "100"),
        ("strlen(jsonStringify(jsonParse('[1, 2]')))", "5"),
    ] {
        assert_eq!(ask(&format!("fields {expression} as it | limit 1")), [format!("it={shown}")], "{expression}");
    }
    assert_eq!(
        ask("fields jsonParse('{\"a\": [{\"b\": 7}]}') as json | display json.a[0].b as b, json.c as c | limit 1"),
        ["b=7"]
    );
    assert_eq!(
        ask(
            "stats sortsFirst(level) as a, sortsLast(level) as b, ceil(avg(ms)) as c, sum(nothing) as d, count(*) | sort count(*)"
        ),
        ["a=ERROR b=INFO c=55 d=0 count(*)=4"]
    );
}

#[test]
fn a_query_that_is_none_is_refused_where_it_goes_wrong() {
    for (text, at) in [
        ("test", 0),
        ("fields @message | foo", 18),
        ("filter (a = 1", 13),
        ("limit x", 6),
        ("fields 'a", 7),
        ("filter a ? b", 9),
        ("fields nothing(a)", 14),
        ("fields replace(a, 'b')", 14),
        ("parse @message 'a*b*' as one", 15),
        ("parse @message '*'", 18),
        ("parse @message /(?<a>/", 15),
    ] {
        assert_eq!(parse(text).unwrap_err().at, at, "{text}");
    }
    assert_eq!(parse("test").unwrap_err().message, "unexpected symbol found test at line 1 and position 0");
}
