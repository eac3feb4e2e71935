//! Examples of configs: what is read, what is refused and with which words, and what wins over what.

use super::read::config;
use super::*;
use crate::domain::pattern::Rule;
use proptest::prelude::*;
use std::time::Duration;

fn read(text: &str) -> Result<Config, Vec<String>> {
    let paths = Whereabouts { folder: Some(Path::new("/etc/midwatch")), home: Some(Path::new("/home/ann")) };
    config(text, paths).map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

/// The documented default with its examples put in force.
fn with_examples() -> String {
    let is_example = |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).map(str::to_owned);
    DEFAULT.lines().map(|line| is_example(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

#[test]
fn the_documented_default_is_the_default() {
    assert_eq!(read(DEFAULT), Ok(Config::default()));
    assert_eq!(read(""), Ok(Config::default()));
}

#[test]
fn the_documented_examples_are_good_and_name_every_key() {
    let config = read(&with_examples()).unwrap();
    assert_eq!(config.default_contexts, ["prod"]);
    let prod = config.context("prod").unwrap();
    assert!(prod.production && !prod.allow_actions);
    assert_eq!((prod.profile.as_deref(), prod.region.as_deref()), (Some("prod-readonly"), Some("eu-west-1")));
    assert_eq!(prod.include.as_ref().unwrap()[1], Rule::parse("*/bids").unwrap());
    assert_eq!((config.thresholds[0].field, config.thresholds[0].crit), ("oldest_age_s", Some(600.0)));
    let unset: Vec<&str> = read::all_keys().filter(|key| !with_examples().contains(&format!("\n{key} ="))).collect();
    assert_eq!(
        prod.thresholds.iter().map(|own| (own.field, own.crit)).collect::<Vec<_>>(),
        [("oldest_age_s", Some(120.0))]
    );
    assert_eq!(unset, ["refresh", "contexts", "threshold", "threshold"], "all other keys are shown with a value");
}

#[test]
fn every_mistake_is_told_at_once_with_its_line_and_its_cure() {
    let text = r#"
themes = "day"
budget_usd_per_h = 1000
default_contexts = ["prd", "prod", "prod"]
include = ["orders-*", "sqs/ok"]
journal = 3

[refresh]
selected_s = 0.1
on_scren_s = 20

[contexts.prod]
profle = "prod"
production = "yes"
endpoint_url = "localhost:4566"
region = "eu-west-1\u001b[31m"
[contexts.sqs]

[[threshold]]
match = "sqs/orders-*"
field = "oldest_age"
warn = 60

[[threshold]]
match = "sqs/*"
field = "to_move"
warn = 90
crit = 80

[[threshold]]
field = "visible"
"#;
    let errors = read(text).unwrap_err();
    let expected = [
        "line 2: `themes` is not known here: did you mean `theme`?",
        "line 3: `budget_usd_per_h` is from 0.01 to 100, not 1000",
        "line 4: there is no context `prd`: did you mean `prod`?",
        "line 4: `prod` is named twice",
        "line 5: `orders-*` is no pattern of ids: write kind/name, such as sqs/orders-*",
        "line 6: `journal` must be text in quotes, and not empty",
        "line 9: `selected_s` is from 2 to 60, not 0.1",
        "line 10: `on_scren_s` is not known here: did you mean `on_screen_s`?",
        "line 13: `profle` is not known here: did you mean `profile`?",
        "line 14: `production` must be true or false",
        "line 15: `endpoint_url` localhost:4566 needs a scheme and a host, such as http://127.0.0.1:4566",
        "line 16: `region` must not hold control characters",
        "line 17: `sqs` is a kind of resources: give the context another name",
        "line 21: `oldest_age` is no field of sqs: did you mean `oldest_age_s`?",
        "line 26: `to_move` is said of move tasks and not of the resource: use dead_letters, ",
        "line 28: `crit` (80) would be reached before `warn` (90): give a larger `crit`; where small numbers are bad, add below",
        "line 30: this threshold says no `match`, such as match = \"sqs/orders-*\"",
        "line 30: this threshold has no limit: say `warn`, `crit` or both",
    ];
    for (error, start) in errors.iter().zip(expected) {
        assert!(error.starts_with(start), "{error}\nshould begin: {start}\n{errors:#?}");
    }
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
}

#[test]
fn a_contexts_thresholds_are_its_own_and_their_mistakes_are_told_with_their_heading() {
    let own = "[[contexts.prod.threshold]]\nmatch = \"sqs/*\"\nfield = \"visible\"\nwarn = 9\n";
    let config = read(&format!("{own}{own}[contexts.stage]\n")).unwrap();
    assert_eq!(config.context("prod").unwrap().thresholds.len(), 2);
    assert_eq!((config.context("stage").unwrap().thresholds.len(), config.thresholds.len()), (0, 0));
    let wrong = "[contexts.prod]\nthreshold = [7]\n[contexts.stage.threshold]\n[[contexts.test.threshold]]\n\
                 match = \"sqs/*\"\nfield = \"visibel\"\ncrit = -1\n";
    let errors = read(wrong).unwrap_err();
    let told = [
        "line 2: a threshold is a table: write [[contexts.prod.threshold]]",
        "line 3: `contexts.stage.threshold` is a list: write [[contexts.stage.threshold]], with two brackets",
        "line 6: `visibel` is no field of sqs: did you mean `visible`?",
        "line 7: `crit` is 0 or more, not -1",
    ];
    assert_eq!(errors.len(), told.len(), "{errors:#?}");
    for (error, told) in errors.iter().zip(told) {
        assert!(error.starts_with(told), "{error}\nshould begin: {told}");
    }
}

#[test]
fn broken_toml_is_told_beside_the_rest() {
    let errors = read("theme = \"nigth\"\nbudget_usd_per_h = \n").unwrap_err();
    assert!(errors[0].starts_with("line 1: there is no theme `nigth`: did you mean `night`?"), "{errors:?}");
    assert!(errors[1].starts_with("line 2: this is no TOML: "), "{errors:?}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let threshold = "[[threshold]]\nmatch = \"sqs/*\"\nfield = \"visible\"\n";
    for (text, said) in [
        (format!("{threshold}warn = -5"), "line 4: `warn` is 0 or more, not -5"),
        ("exclude = [\"tag:te*m=x\"]".into(), "line 1: `tag:te*m=x`: * and ? stand for characters of the value alone"),
        ("exclude = [\"tag:\"]".into(), "such as tag:team=payments"),
        (
            "[[threshold]]\nmatch = \"tag:team=x\"\nfield = \"visible\"\nwarn = 1".into(),
            "line 2: `tag:team=x`: a threshold is for ids",
        ),
        (format!("{threshold}crit = -0.5"), "line 4: `crit` is 0 or more, not -0.5"),
        ("[refresh]\nselected_s = 60".into(), "line 2: `selected_s` (60) is slower than `on_screen_s` (15)"),
        ("[refresh]\non_screen_s = 90".into(), "line 2: `on_screen_s` (90) is slower than `swept_s` (60)"),
        ("[contexts.a]\nendpoint_url = \"http://x:99999\"".into(), "http://x:99999 has no port `99999`: ports are"),
        ("[contexts.a]\nendpoint_url = \"http://x:\"".into(), "http://x: has no port ``"),
        ("[contexts.\"a\\u001b[31m\"]".into(), "line 1: `a\\u{1b}[31m` is no name of a context"),
    ] {
        let errors = read(&text).unwrap_err();
        assert!(errors.len() == 1 && errors[0].contains(said), "{text}\n{errors:#?}\nshould say: {said}");
    }
    assert!(
        read("[contexts.a]\nendpoint_url = \"http://[::1]:4566\"\n[contexts.b]\nendpoint_url = \"http://[::1]\"")
            .is_ok()
    );
    let zero = format!("{threshold}warn = 0\nbelow = true");
    assert!(read(&zero).is_ok());
}

#[test]
fn what_was_left_open_is_one_mistake() {
    for text in [
        "exclude = [\"sqs/a\",\n[refresh]\nselected_s = 5\n[contexts.prod]\nregion = \"eu-west-1\"\nproduction = true\n",
        "exclude = [\n  \"sqs/a\"\n\n[contexts.prod]\nprofile = \"x\"\n",
        "journal = \"/var/j\n[contexts.prod]\nprofile = \"x\"\n",
        "[contexts.prod\nprofile = \"x\"\n",
    ] {
        let errors = read(text).unwrap_err();
        assert!(errors.len() == 1 && errors[0].contains("this is no TOML"), "{text}\n{errors:#?}");
    }
}

#[test]
fn paths_begin_at_home_or_where_the_config_lies() {
    let config = read("theme = \"themes/dusk.toml\"\njournal = \"~/on-call/journal.jsonl\"").unwrap();
    assert_eq!(config.theme, "/etc/midwatch/themes/dusk.toml");
    assert_eq!(config.journal.as_deref(), Some(Path::new("/home/ann/on-call/journal.jsonl")));
}

#[test]
fn a_contexts_own_patterns_and_budget_take_the_place_of_those_of_all() {
    let text = "exclude = [\"*/*-sandbox\"]\ninclude = \"sqs/*\"\n\
                [contexts.prod]\nexclude = []\nbudget_usd_per_h = 0.5\n[contexts.staging]\n[refresh]\nselected_s = 2\n";
    let config = read(text).unwrap();
    let [prod, staging] = ["prod", "staging"].map(|name| config.context(name));
    assert!(config.filter_of(prod).exclude.is_empty() && config.filter_of(staging).exclude.len() == 1);
    assert_eq!(config.filter_of(prod).include.len(), 1, "one pattern needs no brackets");
    assert_eq!(config.budget_of([prod]), 0.5);
    assert_eq!(config.budget_of([prod, staging]), 0.15, "none costs more than its own");
    assert_eq!((config.refresh.selected, config.refresh.on_screen), (Duration::from_secs(2), Duration::from_secs(15)));
}

#[test]
fn flags_win_over_the_config() {
    let text = "default_contexts = [\"prod\"]\ntheme = \"day\"\njournal = \"/var/j\"\n\
                [contexts.prod]\nallow_actions = true\n[contexts.staging]\n";
    let settings = |source| Settings {
        source,
        contexts: Vec::new(),
        allow_actions: false,
        theme: None,
        journal: None,
        config_file: None,
        config: read(text).unwrap(),
        log: None,
    };
    let plain = settings(Source::Live(LiveSettings::default()));
    assert_eq!((plain.chosen(), plain.may_act(), plain.theme()), (&["prod".to_owned()][..], true, "day"));
    assert_eq!(plain.journal(), Some(Path::new("/var/j")));
    let named = Settings { contexts: vec!["staging".into()], theme: Some("night".into()), ..plain.clone() };
    assert_eq!((named.chosen(), named.may_act(), named.theme()), (&["staging".to_owned()][..], false, "night"));
    let profile = settings(Source::Live(LiveSettings { profile: Some("dev".into()), ..LiveSettings::default() }));
    assert!(profile.chosen().is_empty() && !profile.may_act(), "a profile is watched instead of the default ones");
    let demo = DemoSettings { scenario: "flash-sale".into(), seed: 1, speed: 1.0 };
    let demo = settings(Source::Demo(demo));
    assert_eq!((demo.chosen(), demo.journal()), (&[][..], None), "what is done in the demo is journalled elsewhere");
}

proptest! {
    /// Whatever is typed wrong, reading comes to an end, and every mistake is of a line that is there.
    #[test]
    fn no_text_is_too_broken_to_be_read(at in 0..4000_usize, cut in 0..200_usize, put in "[ -~\\n]{0,12}") {
        let text = with_examples();
        let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (head, tail) = (&text[..floor(at)], &text[floor(at + cut)..]);
        let broken = format!("{head}{put}{tail}");
        if let Err(mistakes) = config(&broken, Whereabouts::default()) {
            let lines = broken.lines().count() + 1;
            prop_assert!(mistakes.iter().all(|mistake| (1..=lines).contains(&mistake.line)), "{mistakes:?}");
        }
    }
}
