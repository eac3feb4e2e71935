//! One frame at 200 by 50, whatever lies off the screen; and what ten thousand resources with an hour of history weigh.

use crate::figure::Figures;
use crate::fixtures;
use crate::{process, terminal};
use midwatch::app::event::{Event, Key, What};
use midwatch::app::state::State;
use midwatch::app::update::update;
use midwatch::domain::row::ResourceId;
use midwatch::domain::series::{SERIES_POINTS_MAX, Series, SeriesKey};
use midwatch::domain::value::{Origin, Value};
use midwatch::kinds;
use midwatch::theme::{Depth, Glyphs, Theme};
use midwatch::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::time::{Duration, Instant};

const FRAMES: usize = 2000;
const MANY: usize = 10_000;

pub fn run(figures: &mut Figures) {
    let few = frames(100);
    let many = frames(MANY);
    figures.below("frame_mean_100_rows", few.mean_us, "us", 300.0);
    figures.below("frame_mean_10000_rows", many.mean_us, "us", 300.0);
    figures.below("frame_p99_10000_rows", many.p99_us, "us", 1000.0);
    figures.below("frame_10000_rows_to_100", many.mean_us / few.mean_us, "times", 1.2);
    figures.below("memory_10000_resources", memory_mib(), "MiB", 64.0);
}

struct Frames {
    mean_us: f64,
    p99_us: f64,
}

/// Frames of the overview while somebody scrolls: each differs from the one before.
fn frames(rows: usize) -> Frames {
    let theme = Theme::built_in("night", Depth::TrueColor, Glyphs::Braille).expect("a theme");
    let mut state = fixtures::many(rows, 200, 50);
    let mut terminal = Terminal::new(TestBackend::new(200, 50)).expect("a terminal");
    let mut took: Vec<Duration> = Vec::with_capacity(FRAMES);
    for frame in 0..FRAMES {
        press(&mut state, if frame % 60 < 30 { "j" } else { "k" });
        let started = Instant::now();
        terminal.draw(|frame| view::draw(frame, &state, &theme)).expect("drawn");
        took.push(started.elapsed());
    }
    took.sort_unstable();
    let us = |took: Duration| took.as_secs_f64() * 1e6;
    let total: Duration = took.iter().sum();
    Frames { mean_us: us(total) / FRAMES as f64, p99_us: us(took[FRAMES * 99 / 100]) }
}

fn press(state: &mut State, keys: &str) {
    for key in Key::parse_run(keys).expect("keys") {
        update(state, Event { at: state.now, what: What::Key(key) });
    }
}

/// This process after it has built the state of ten thousand resources with an hour of every metric, less what it
/// weighed before, and the whole program without any estate.
fn memory_mib() -> f64 {
    let before = process::rss_mib(std::process::id());
    let mut state = fixtures::many(MANY, 200, 50);
    let ids: Vec<ResourceId> = state.rows.keys().cloned().collect();
    for resource in ids {
        let row = state.rows.get_mut(&resource).expect("a row");
        for field in kinds::kind(resource.kind).detail {
            if row.fields.get(field).is_none() {
                row.fields.set(field, Value::number(1.0, state.now, Origin::Api));
            }
        }
        for metric in kinds::kind(resource.kind).metrics {
            let key = SeriesKey { resource: resource.clone(), part: String::new(), field: metric.field.id };
            let mut series = Series::default();
            let at = |minute: usize| state.now - Duration::from_secs(60 * (SERIES_POINTS_MAX - minute) as u64);
            series.merge((0..SERIES_POINTS_MAX).map(|minute| (at(minute), minute as f64)));
            state.series.insert(key, series);
        }
    }
    let grown = process::rss_mib(std::process::id()) - before;
    assert!(state.series.len() > MANY, "every resource has its history");
    grown + terminal::live_rss_mib()
}
