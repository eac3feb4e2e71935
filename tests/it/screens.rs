//! What a person sees, screen by screen: pictures of the characters, and assertions of the roles that pictures lose.

use crate::fixtures::*;
use midwatch::actions::Safety;
use midwatch::app::command::CommandId;
use midwatch::app::dialog::{Confirm, Dialog, FilterLine, Form, FormField, Input, Palette, PaletteGoes, PaletteItem};
use midwatch::app::edit::Editor;
use midwatch::app::filter::Filter;
use midwatch::app::job::PlanId;
use midwatch::app::list::{ListId, Sort, SortBy};
use midwatch::app::screen::{Cursor, Screen};
use midwatch::app::state::{Context, Known, Size, Source, State, Tone};
use midwatch::app::throttled::ThrottledScreen;
use midwatch::domain::poll::Identity;
use midwatch::domain::row::{Health, KindId, Place, ResourceId, Row, Stale};
use midwatch::domain::verb::ActionId;
use midwatch::kinds::kinesis;
use midwatch::theme::{Depth, Glyphs, Role, Theme};
use midwatch::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

fn theme(depth: Depth, glyphs: Glyphs) -> Theme {
    Theme::built_in("night", depth, glyphs).unwrap()
}

fn night() -> Theme {
    theme(Depth::TrueColor, Glyphs::Braille)
}

fn painted(state: &State, theme: &Theme) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(state.size.width, state.size.height)).unwrap();
    terminal.draw(|frame| view::draw(frame, state, theme)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let row = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..buffer.area.height).map(|y| format!("{}\n", row(y).trim_end())).collect()
}

/// The cell where a text begins.
fn cell_of<'b>(buffer: &'b Buffer, wanted: &str) -> &'b Cell {
    for (y, line) in text(buffer).lines().enumerate() {
        if let Some(at) = line.find(wanted) {
            return &buffer[(line[..at].chars().count() as u16, y as u16)];
        }
    }
    panic!("`{wanted}` is not on the screen:\n{}", text(buffer));
}

/// Every screen of the flash sale at one size, by name.
fn screens(width: u16, height: u16) -> Vec<(&'static str, State)> {
    let sale = || flash_sale(width, height);
    let list = |kind| on(sale(), Screen::List(ListId::Kind(kind)));
    let with = |mut state: State, dialog: Dialog| {
        state.dialogs.push(dialog);
        state
    };
    let mut answer = in_detail(sale(), "lambda/settle-bid", 0);
    answer.jobs.push_back(answered(
        r#"{"settled":true,"bid":{"hotel":"seaview","night":"2026-12-31","cents":18900}}"#,
        "START RequestId: 8f0e Version: $LATEST\nsettled in 180 ms\nEND RequestId: 8f0e\nREPORT Duration: 181.20 ms",
        None,
    ));
    let mut nothing = nothing_yet();
    nothing.size = Size { width, height };
    vec![
        ("nothing_yet", nothing),
        ("overview", sale()),
        ("kinesis", list(KindId::Kinesis)),
        ("sqs", list(KindId::Sqs)),
        ("lambda", list(KindId::Lambda)),
        ("stream", in_detail(sale(), "kinesis/bids", 3)),
        ("dead_letters", in_detail(sale(), "sqs/orders-dlq", 0)),
        ("queue", in_detail(sale(), "sqs/orders", 0)),
        ("function", in_detail(sale(), "lambda/settle-bid", 0)),
        ("throttled", on(sale(), Screen::Throttled(throttled()))),
        ("executions", on(sale(), Screen::Executions(executions()))),
        ("history", on(sale(), Screen::History(Box::new(history())))),
        ("history_over", on(sale(), Screen::History(Box::new(history_over())))),
        ("changes", on(with_changes(sale()), Screen::Changes(Cursor::default()))),
        ("function_changed", in_detail(with_changes(sale()), "lambda/fulfil-order", 0)),
        ("help", on(sale(), Screen::Help { scroll: 0 })),
        ("problems", on(with_problems(sale()), Screen::Problems { scroll: 0 })),
        ("answer", on(answer, Screen::Answer { job: PlanId(7), scroll: 0 })),
        ("confirm", with(in_detail(sale(), "sqs/orders-dlq", 0), confirm(Safety::Costly))),
        ("confirm_destructive", with(sale(), confirm(Safety::Destructive))),
        ("form_redrive", with(in_detail(sale(), "sqs/orders-dlq", 0), redrive_form())),
        ("form_invoke", with(in_detail(sale(), "lambda/settle-bid", 0), invoke_form())),
        ("palette", with(sale(), palette())),
        ("filter", with(list(KindId::Sqs), filter_line())),
    ]
}

fn confirm(safety: Safety) -> Dialog {
    let asks_name = safety == Safety::Destructive;
    let typed = Editor::one_line("orders-");
    Dialog::Confirm(Confirm { plan: plan(safety), asks_name, typed, scroll: 0, error: None })
}

fn redrive_form() -> Dialog {
    let fields = vec![
        FormField {
            label: "rate",
            hint: "messages a second, 1 to 500; empty: as fast as SQS thinks right".into(),
            input: Input::Text(Editor::one_line("50")),
        },
        FormField {
            label: "to",
            hint: "where the messages go".into(),
            input: Input::Choice { options: vec!["each original source".into(), "orders".into()], chosen: 0 },
        },
    ];
    form(ActionId::Redrive, "sqs/orders-dlq", fields, Some("600 is no rate: SQS takes 1 to 500"))
}

fn invoke_form() -> Dialog {
    let payload = "{\n  \"hotel\": \"seaview\",\n  \"cents\": 18900\n}";
    let fields = vec![
        FormField { label: "payload", hint: "JSON".into(), input: Input::Text(Editor::many_lines(payload)) },
        FormField {
            label: "type",
            hint: "wait for the answer, queue it, or only check".into(),
            input: Input::Choice { options: vec!["wait".into(), "event".into(), "dry run".into()], chosen: 0 },
        },
    ];
    form(ActionId::Invoke, "lambda/settle-bid", fields, None)
}

fn form(action: ActionId, id: &str, fields: Vec<FormField>, error: Option<&str>) -> Dialog {
    let resource = ResourceId::parse(id).unwrap();
    Dialog::Form(Form { action, resource, part: None, fields, focus: 0, error: error.map(str::to_owned) })
}

fn palette() -> Dialog {
    let resource = ResourceId::parse("sqs/orders-dlq").unwrap();
    let items = vec![
        PaletteItem {
            text: "sqs".into(),
            note: "SQS queues".into(),
            goes: PaletteGoes::Command(CommandId::Show(ListId::Kind(KindId::Sqs))),
        },
        PaletteItem { text: "sqs/orders-dlq".into(), note: "crit".into(), goes: PaletteGoes::Resource(resource) },
        PaletteItem {
            text: "redrive".into(),
            note: "Moves dead letters back to where they came from.".into(),
            goes: PaletteGoes::Command(CommandId::Redrive),
        },
    ];
    Dialog::Palette(Palette { input: Editor::one_line("sq"), items, index: 1, links_of: None })
}

fn filter_line() -> Dialog {
    let error = Some("`visble` is no field here: try health, visible".into());
    Dialog::Filter(FilterLine { input: Editor::one_line("dlq visble>1"), error, before: String::new() })
}

#[test]
fn pictures_of_every_screen() {
    for (width, height) in [(80, 24), (200, 50), (40, 10)] {
        for (name, state) in screens(width, height) {
            let picture = text(&painted(&state, &night()));
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), picture);
        }
    }
}

#[test]
fn pictures_of_an_ascii_terminal() {
    let plain = theme(Depth::None, Glyphs::Ascii);
    for name in ["overview", "stream", "function"] {
        let (_, state) = screens(80, 24).into_iter().find(|(known, _)| *known == name).unwrap();
        insta::assert_snapshot!(format!("{name}_ascii_80x24"), text(&painted(&state, &plain)));
    }
}

#[test]
fn an_ascii_terminal_gets_nothing_but_ascii() {
    for (name, state) in screens(80, 24) {
        let buffer = painted(&state, &theme(Depth::Ansi16, Glyphs::Ascii));
        let foreign = buffer.content.iter().find(|cell| !cell.symbol().is_ascii());
        assert_eq!(foreign, None, "{name}");
    }
}

#[test]
fn without_colour_there_is_no_colour_at_all() {
    for (name, state) in screens(80, 24) {
        let buffer = painted(&state, &theme(Depth::None, Glyphs::Braille));
        let coloured = buffer.content.iter().find(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
        assert_eq!(coloured, None, "{name}");
    }
}

#[test]
fn no_size_panics_and_drawing_twice_gives_the_same() {
    for (name, state) in screens(40, 15) {
        let mut states = [state.clone(), noisy(state)];
        for (width, height) in (1..=40).flat_map(|width| (1..=15).map(move |height| (width, height))) {
            let state = &mut states[usize::from((width + height) % 2)];
            state.size = Size { width, height };
            derive(state);
            let (once, twice) = (painted(state, &night()), painted(state, &night()));
            assert_eq!(once, twice, "{name} at {width}x{height}");
        }
    }
}

fn noisy(state: State) -> State {
    let mut state = with_toast(with_problems(state), Tone::Bad, "a sentence for the person that is long enough");
    state.paused = true;
    state
}

#[test]
fn severity_is_said_by_sign_and_word_and_then_by_colour() {
    let buffer = painted(&flash_sale(80, 24), &night());
    for (words, role) in
        [("✖ crit    kinesis/bids", Role::Crit), ("▲ warn    sqs/orders ", Role::Warn), ("● ok", Role::Ok)]
    {
        assert_eq!(Some(cell_of(&buffer, words).fg), night().style(role).fg, "{words}");
    }
}

#[test]
fn the_selected_name_lies_on_the_selections_ground() {
    let state = on(flash_sale(80, 24), Screen::List(ListId::Kind(KindId::Sqs)));
    let buffer = painted(&state, &night());
    let ground = night().style(Role::Selection).bg.unwrap();
    assert_eq!(Some(cell_of(&buffer, "▸✖ crit").fg), night().style(Role::Focus).fg);
    assert_eq!(cell_of(&buffer, "orders-dlq  ").bg, ground);
    assert_ne!(cell_of(&buffer, "mails").bg, ground);
    let plain = painted(&state, &theme(Depth::None, Glyphs::Braille));
    assert!(cell_of(&plain, "orders-dlq  ").modifier.contains(Modifier::REVERSED));
}

#[test]
fn what_is_missing_says_why_dimly_and_what_is_stale_says_how_old() {
    let state = on(flash_sale(200, 50), Screen::List(ListId::Kind(KindId::Lambda)));
    let buffer = painted(&state, &night());
    let stale = night().style(Role::Stale);
    for words in ["no data", "denied", "3m old", "Lambda did not answer"] {
        let cell = cell_of(&buffer, words);
        assert_eq!(Some(cell.fg), stale.fg, "{words}");
        assert!(cell.modifier.contains(Modifier::ITALIC), "{words}");
    }
}

#[test]
fn a_full_shard_is_red_in_the_map_of_the_key_space() {
    let buffer = painted(&in_detail(flash_sale(80, 24), "kinesis/bids", 3), &night());
    let full = cell_of(&buffer, "▸3");
    assert_eq!(Some(full.fg), night().style(Role::Crit).fg);
    assert!(full.modifier.contains(Modifier::REVERSED));
    assert_eq!(Some(cell_of(&buffer, "101%").fg), night().style(Role::Crit).fg);
}

#[test]
fn the_sorted_column_carries_the_sign() {
    let mut state = on(flash_sale(80, 24), Screen::List(ListId::Kind(KindId::Kinesis)));
    let list = state.lists.get_mut(&ListId::Kind(KindId::Kinesis)).unwrap();
    list.sort = Sort { by: SortBy::Field(&kinesis::ITERATOR_AGE_MS), reverse: true };
    derive(&mut state);
    let shown = text(&painted(&state, &night()));
    assert!(shown.contains("LAG↑") && shown.contains("by LAG"), "{shown}");
}

#[test]
fn an_empty_list_says_why() {
    let mut filtered = on(flash_sale(80, 24), Screen::List(ListId::Kind(KindId::Sqs)));
    let list = filtered.lists.get_mut(&ListId::Kind(KindId::Sqs)).unwrap();
    list.filter = Filter::parse("no-such-queue", Some(KindId::Sqs)).unwrap();
    derive(&mut filtered);
    let cases = [
        (nothing_yet(), "Asking AWS what there is"),
        (with_problems(nothing_yet()), "p shows what could not be looked at"),
        (filtered, "Nothing matches /no-such-queue"),
    ];
    for (state, said) in cases {
        let shown = text(&painted(&state, &night()));
        assert!(shown.contains(said), "{said} is missing in\n{shown}");
    }
}

#[test]
fn read_only_and_unlocked_are_told_apart() {
    let mut state = flash_sale(120, 24);
    state.settings.source = Source::Live;
    state.settings.source_label = String::new();
    state.settings.contexts[0].allow_actions = false;
    assert!(text(&painted(&state, &night())).contains("LIVE read-only"));
    state.settings.contexts[0].allow_actions = true;
    let buffer = painted(&state, &night());
    assert_eq!(Some(cell_of(&buffer, "ACTIONS UNLOCKED").bg), night().style(Role::Notice).bg);
}

#[test]
fn no_terminal_is_too_narrow_for_the_word_production_and_for_what_is_hidden() {
    for width in [40, 60, 80, 120] {
        let mut state = flash_sale(width, 24);
        state.settings.source = Source::Live;
        state.settings.source_label = String::new();
        let context = &mut state.settings.contexts[0];
        (context.production, context.name) = (true, Some("prod".into()));
        state.hidden.insert((Place::default(), KindId::Sqs), 12);
        let shown = text(&painted(&state, &night()));
        let top: Vec<&str> = shown.lines().take(2).collect();
        assert!(top[0].contains("PRODUCTION") && top[0].contains("UNLOCKED"), "{top:?}");
        assert!(top[1].contains("12 hidden"), "{top:?}");
        assert!(width < 80 || top[0].contains(" prod "), "{top:?}");
    }
}

/// The account, what it is called, and the principal stand together, on every screen and where contexts are chosen.
#[test]
fn an_account_is_told_by_its_number_and_its_alias() {
    let mut state = flash_sale(160, 24);
    state.identities.entry(Place::default()).or_default().alias = Some("acme-prod".into());
    let shown = |state: &State| text(&painted(state, &night())).replace("  ", " ");
    let top = |state: &State| shown(state).lines().next().unwrap_or_default().to_owned();
    assert!(top(&state).contains("eu-west-1 111122223333 acme-prod night-watch"), "{}", top(&state));
    state.settings.contexts[0].name = Some("prod".into());
    let what = "profile prod, eu-west-1".to_owned();
    state.settings.known = vec![Known { name: "prod".into(), what, production: false }];
    state.screens.push(Screen::Contexts { index: 0, marked: Vec::new() });
    assert!(shown(&state).contains("watched as 111122223333 acme-prod night-watch"), "{}", shown(&state));
    state.identities.entry(Place::default()).or_default().alias = None;
    assert!(shown(&state).contains("watched as 111122223333 night-watch"), "{}", shown(&state));
}

#[test]
fn eighty_columns_say_who_one_is_and_where() {
    let mut state = flash_sale(80, 24);
    state.settings.source = Source::Live;
    state.settings.source_label = String::new();
    let arn = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_NightWatch_0123456789abcdef/ana@example.com";
    let known = Identity { account: Some("111122223333".into()), alias: None, principal: Some(arn.into()) };
    state.identities.insert(Place::default(), known);
    let top = |state: &State| text(&painted(state, &night())).lines().next().unwrap().to_owned();
    assert_eq!(top(&state), " LIVE UNLOCKED eu-west-1 111122223333 NightWatch/ana@example.com  18:12:20 UTC");
    let other = Context { place: Place::named("prod"), production: true, ..Context::default() };
    state.settings.contexts.push(other);
    assert!(top(&state).starts_with(" LIVE UNLOCKED +1 PRODUCTION eu-west-1 111122223333 "), "{}", top(&state));
    let screen = ThrottledScreen { place: Place::named("prod"), answer: None, index: 0 };
    state.screens.push(Screen::Throttled(screen));
    assert!(top(&state).contains(" PRODUCTION read-only prod +1 "), "it speaks of what is on screen: {}", top(&state));
    state.screens.push(Screen::Problems { scroll: 0 });
    assert!(top(&state).contains(" PRODUCTION read-only prod +1 "), "{}", top(&state));
    state.screens.truncate(1);
    let context = &mut state.settings.contexts[0];
    (context.production, context.name) = (true, Some("payments-production-eu-central".into()));
    context.endpoint_url = Some("http://127.0.0.1:47105".into());
    assert!(top(&state).starts_with(" PRODUCTION UNLOCKED paymen~ntral +1 PRODUCTION eu-west-1"), "{}", top(&state));
    state.settings.contexts.truncate(1);
    state.paused = true;
    let least = " PRODUCTION UNLOCKED paymen~ntral eu-west-1 111122223333";
    assert!(top(&state).starts_with(least) && top(&state).contains("PAUSED"), "{}", top(&state));
}

#[test]
fn another_context_that_is_production_is_said_beside_how_many_there_are() {
    let mut state = flash_sale(200, 50);
    state.settings.source = Source::Live;
    state.settings.source_label = String::new();
    let other = Context { place: Place::named("prod"), production: true, ..Context::default() };
    state.settings.contexts.push(other);
    let top = |state: &State| text(&painted(state, &night())).lines().next().unwrap().to_owned();
    assert!(top(&state).contains("ACTIONS UNLOCKED +1 PRODUCTION  eu-west-1"), "the other one is: {}", top(&state));
}

/// Escapes, direction overrides, characters of no width and of two columns, and a very long word.
const HOSTILE: &str =
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}evil\u{2066}\u{200b}\u{200d}\u{feff}\r\n\t予約👩‍👩‍👧é\u{301}\u{e0041}";

#[test]
fn hostile_text_reaches_no_cell() {
    let name = format!("{HOSTILE}{}", "x".repeat(300));
    for (known, mut state) in screens(80, 24) {
        let mut row = Row::new(ResourceId::new(KindId::Sqs, name.as_str()), now());
        row.reasons = vec![name.clone()];
        row.health = Health::Crit;
        row.stale = Some(Stale { since: now(), sentence: name.clone() });
        state.rows.insert(row.id.clone(), row);
        for finding in &mut state.findings {
            finding.sentence = name.clone();
        }
        state.settings.source_label = name.clone();
        state.identities.entry(Place::default()).or_default().principal = Some(name.clone());
        if let Some(job) = state.jobs.front_mut() {
            *job = answered(&name, &name, Some(&name));
        }
        for dialog in &mut state.dialogs {
            spoil(dialog, &name);
        }
        derive(&mut state);
        let state = with_toast(state, Tone::Info, &name);
        for glyphs in [Glyphs::Braille, Glyphs::Block, Glyphs::Ascii] {
            let buffer = painted(&state, &theme(Depth::TrueColor, glyphs));
            for cell in &buffer.content {
                let mut symbol = cell.symbol().chars();
                let (first, rest) = (symbol.next(), symbol.next());
                assert!(rest.is_none(), "{known}: one cell holds {:?}", cell.symbol());
                assert!(
                    first.is_some_and(|c| !c.is_control() && !"\u{202e}\u{2066}\u{200b}\u{200d}\u{feff}".contains(c))
                );
            }
        }
    }
}

fn spoil(dialog: &mut Dialog, text: &str) {
    match dialog {
        Dialog::Confirm(confirm) => {
            confirm.plan.resource.name = text.to_owned();
            confirm.plan.preview = vec![text.to_owned()];
            confirm.plan.warnings = vec![text.to_owned()];
            confirm.error = Some(text.to_owned());
        }
        Dialog::Form(form) => form.error = Some(text.to_owned()),
        Dialog::Palette(palette) => palette.items.iter_mut().for_each(|item| item.text = text.to_owned()),
        Dialog::Filter(filter) => filter.error = Some(text.to_owned()),
        Dialog::Probe(asked) => asked.streams = vec![text.to_owned()],
    }
}

#[test]
fn a_frame_of_ten_thousand_rows_shows_the_rows_around_the_selected_one() {
    let mut state = many(10_000, 200, 50);
    let shown = state.list_rows();
    state.lists.get_mut(&ListId::Overview).unwrap().select(5_000, shown);
    let buffer = painted(&state, &night());
    let picture = text(&buffer);
    assert!(picture.contains("5001/10000"), "{picture}");
    let selected = state.lists[&ListId::Overview].selected.clone().unwrap();
    assert_eq!(Some(cell_of(&buffer, &selected.to_string()).bg), night().style(Role::Selection).bg);
    assert_eq!(picture.lines().filter(|line| line.contains("/service-")).count(), shown);
}
