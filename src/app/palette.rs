//! The palette's matches: commands and resources by a few letters, best first.

use crate::app::command::{COMMANDS, Command, Scope};
use crate::app::dialog::{PALETTE_ITEMS_MAX, Palette, PaletteGoes, PaletteItem};
use crate::app::edit::Editor;
use crate::app::state::State;
use crate::domain::row::{ResourceId, Row};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// An open palette; `links_of` narrows it to what is linked to a resource.
pub fn open(state: &State, links_of: Option<ResourceId>) -> Palette {
    let mut palette = Palette { input: Editor::one_line(""), items: Vec::new(), index: 0, links_of };
    find(state, &mut palette);
    palette
}

/// Finds the matches of what is typed.
pub fn find(state: &State, palette: &mut Palette) {
    let typed = palette.input.text();
    let typed = typed.trim();
    let candidates = match &palette.links_of {
        Some(id) => linked(state, id),
        None => COMMANDS
            .iter()
            .filter(|command| is_offered(command))
            .map(command_item)
            .chain(contexts(state))
            .chain(resources(state))
            .collect(),
    };
    palette.index = 0;
    palette.items = best(candidates, typed);
}

fn is_offered(command: &Command) -> bool {
    matches!(command.scope, Scope::Screen | Scope::List | Scope::Detail | Scope::Always)
}

fn command_item(command: &Command) -> PaletteItem {
    PaletteItem {
        text: command.title.to_owned(),
        note: format!("{} ({})", command.doc, command.chords.join(", ")),
        goes: PaletteGoes::Command(command.id),
    }
}

fn contexts(state: &State) -> impl Iterator<Item = PaletteItem> {
    state.settings.known.iter().map(|known| PaletteItem {
        text: format!("ctx {}", known.name),
        note: format!("Watches it. {}", known.what).trim_end().to_owned(),
        goes: PaletteGoes::Context(known.name.clone()),
    })
}

fn resources(state: &State) -> impl Iterator<Item = PaletteItem> {
    state.rows.values().map(|row| resource_item(row, None))
}

fn linked(state: &State, id: &ResourceId) -> Vec<PaletteItem> {
    let links = state.rows.get(id).map(|row| row.links.as_slice()).unwrap_or_default();
    let seen = links.iter().filter_map(|link| state.rows.get(&link.to).map(|row| (row, link.relation)));
    seen.map(|(row, relation)| resource_item(row, Some(relation.word()))).collect()
}

fn resource_item(row: &Row, relation: Option<&str>) -> PaletteItem {
    let health = row.health.word();
    let note = relation.map_or(health.to_owned(), |relation| format!("{relation} · {health}"));
    PaletteItem { text: row.id.to_string(), note, goes: PaletteGoes::Resource(row.id.clone()) }
}

/// What is typed in full comes first, then the better match, then the table's order.
fn best(candidates: Vec<PaletteItem>, typed: &str) -> Vec<PaletteItem> {
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut scored: Vec<(bool, u32, PaletteItem)> = candidates
        .into_iter()
        .filter_map(|item| {
            let score = pattern.score(Utf32Str::new(&item.text, &mut buffer), &mut matcher)?;
            Some((is_in_full(&item, typed), score, item))
        })
        .collect();
    scored.sort_by_key(|(in_full, score, _)| (!in_full, std::cmp::Reverse(*score)));
    scored.truncate(PALETTE_ITEMS_MAX);
    scored.into_iter().map(|(_, _, item)| item).collect()
}

/// A command by its title or by its key (`:q`), a resource by its id or its bare name.
fn is_in_full(item: &PaletteItem, typed: &str) -> bool {
    let by_key = |id| crate::app::command::entry(id).chords.contains(&typed);
    item.text.eq_ignore_ascii_case(typed)
        || match &item.goes {
            PaletteGoes::Command(id) => by_key(*id),
            PaletteGoes::Resource(id) => id.name.eq_ignore_ascii_case(typed),
            PaletteGoes::Context(_) => false,
        }
}
