//! midwatch: the on-call console for event-driven AWS. It watches streams, queues, topics, functions, workflows, delivery
//! streams and alarms, says what is wrong and why, and lets a person act. With `--demo` the same program runs on an
//! embedded simulation of those services.
//!
//! # Bird's eye
//! Polls and keys become events. `app::update` folds an event into the one `State` and returns effects. `view` paints
//! the state. Only the shell touches the terminal, tokio, files or AWS. Live and demo differ in where HTTP answers and
//! the time come from, and in nothing else: the demo's AWS clients are the SDK's own, over an HTTP connector that ends
//! in `sim` instead of in a socket.
//!
//! # Where to start reading
//! `domain::value` (what a number says of itself), `app::update` (everything that can happen), `sim::world` (the engine).
//!
//! # The map, and who may use whom
//! A room sees only the rooms that its line names; `tests/it/tidy.rs` reads this very table and checks every `crate::`
//! path against it. `*` is everything.
//!
//! | room | may use | what it is |
//! |---|---|---|
//! | `domain` | | nouns: value with unit and as-of, field, row, series, link, finding, verb, time |
//! | `kinds` | `domain` | one file a service: fields, columns, metrics, health |
//! | `diagnose` | `domain` `kinds` | rows and links become ranked findings with causes |
//! | `actions` | `domain` `kinds` `diagnose` | one file a verb: parameters become a plan, or a refusal |
//! | `app` | `domain` `kinds` `diagnose` `actions` | state, event, effect, update, commands, keymap, schedule |
//! | `theme` | `domain` `mistakes` | roles of colour; reads themes; degrades to what the terminal can do |
//! | `view` | `domain` `kinds` `diagnose` `actions` `app` `theme` | draws the state |
//! | `aws` | `domain` `kinds` `actions` | the SDK's clients: collects readings, performs confirmed plans |
//! | `sim` | `domain::time` `failure::nearest` | the engine: services, actors, scenario, wire protocols, connector, listener |
//! | `config` | `domain` `kinds` `theme` `failure` `mistakes` | settings as plain data: what the flags and the config file say |
//! | `mistakes` | `failure` | what is wrong with a file that a person wrote, all at once |
//! | `failure` | | what ends the program: a sentence with its cure, and an exit code |
//! | `cli` | `config` `failure` | flags become settings |
//! | `journal` | `domain` `actions` `config` | what was done, on disk, chained by hashes |
//! | `status` | `domain` `kinds` | a snapshot as JSON, as a table and as an exit code |
//! | `clock` | `domain` `sim::clock` | the clock of a session; the one file that reads the real one |
//! | `session` | `*` | a source, opened: clients and clock, live or demo |
//! | `shell` | `*` | terminal, tasks, clock; runs effects, feeds events, paints on change |
//! | `faces` | `*` | status, do, journal, keys, scenarios, sim |
//!
//! # Invariants, each with the test that holds it
//! 1. The pure rooms (`domain kinds diagnose actions app view status`) do no IO and read no clock, chance or environment:
//!    `pure_rooms_do_no_io_and_read_no_clock_or_chance`.
//! 2. Rooms see only what the table above allows; so `aws` does not know the engine, and `sim` not the console:
//!    `rooms_see_only_what_the_map_allows`.
//! 3. The engine keeps only ordered maps and takes chance from its seed: `the_engine_is_ordered_and_seeded`.
//! 4. No colour literal outside `theme`: `colours_are_named_only_in_the_theme`.
//! 5. Files open with `//!`, stay under 500 lines without tests, functions under 70, and say what they are:
//!    `files_open_with_their_purpose_and_stay_short`, `functions_stay_short`, `names_say_what_they_are`.
//! 6. No test is switched off and nothing is left to do in code: `no_test_is_off_and_nothing_is_left_to_do`.
//! 7. What was done is chained: a changed, removed or foreign line of the journal is named:
//!    `a_changed_removed_or_foreign_line_is_named`.
//! 8. No mutation leaves the process but a confirmed plan's: `only_confirmed_plans_change_aws`.
//! 9. Every SDK operation that `aws` uses is served by `sim`: `every_operation_in_use_is_served_by_the_engine`.
//! 10. The same events give the same state: `the_same_events_give_the_same_state`.
//! 11. Any size is drawn without panic, twice the same, at a cost that rows off screen do not raise:
//!     `no_size_panics_and_drawing_twice_gives_the_same`.
//! 12. The engine is a function of seed, scenario and requests:
//!     `a_status_is_the_same_each_time_and_another_seed_is_another_run`.

pub mod actions;
pub mod app;
pub mod aws;
pub mod cli;
pub mod clock;
pub mod config;
pub mod diagnose;
pub mod domain;
pub mod faces;
pub mod failure;
pub mod journal;
pub mod kinds;
pub mod mistakes;
pub mod session;
pub mod shell;
pub mod sim;
pub mod status;
pub mod theme;
pub mod view;
