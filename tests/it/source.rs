//! The sources as the tidy tests read them: each file whole, and as code alone (no comments, texts or test modules).

use std::path::{Path, PathBuf};

/// One `.rs` file of the package.
pub struct Source {
    /// From the package's folder: `src/sim/world.rs`.
    pub path: String,
    pub text: String,
    /// The same lines with comments and the insides of texts blanked.
    pub code: String,
    /// How many leading lines are not the test module.
    pub lines_before_tests: usize,
    /// It holds tests only: it lies under `tests`, or another file declares it under `#[cfg(test)]`, or the file whose
    /// room it lies in.
    pub is_test_file: bool,
}

impl Source {
    /// The first folder or file under `src`: `sim`, `cli`.
    pub fn room(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("src/")?;
        Some(rest.split('/').next().unwrap_or(rest).trim_end_matches(".rs"))
    }

    /// Code outside tests, with line numbers from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let count = if self.is_test_file { 0 } else { self.lines_before_tests };
        self.code.lines().enumerate().take(count).map(|(n, line)| (n + 1, line))
    }
}

/// Every `.rs` file under `src` and `tests`.
pub fn all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["src", "tests"] {
        walk(&root.join(folder), &mut paths);
    }
    paths.sort();
    let mut sources: Vec<Source> = paths.iter().map(|path| read(root, path)).collect();
    let test_paths: Vec<String> = sources.iter().flat_map(declared_test_files).collect();
    for source in &mut sources {
        let room = source.path.rsplit_once('/').map(|(folder, _)| format!("{folder}.rs"));
        source.is_test_file |= source.path.starts_with("tests/")
            || test_paths.contains(&source.path)
            || room.is_some_and(|declared| test_paths.contains(&declared));
    }
    sources
}

/// The files of `#[cfg(test)] mod NAME;` in this file.
fn declared_test_files(source: &Source) -> Vec<String> {
    let folder = match source.path.rsplit_once('/') {
        Some((folder, "mod.rs" | "lib.rs")) => folder.to_owned(),
        _ => source.path.trim_end_matches(".rs").to_owned(),
    };
    let lines: Vec<&str> = source.code.lines().map(str::trim).collect();
    let pairs = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    let module =
        |line: &str| line.trim_start_matches("pub(crate) ").strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned);
    let names = pairs.filter_map(|pair| module(pair[1]));
    names.map(|name| format!("{folder}/{name}.rs")).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let hidden = path.file_name().unwrap().to_string_lossy().starts_with('.');
        match path.is_dir() {
            true if !hidden && path.file_name().unwrap() != "node_modules" => walk(&path, paths),
            false if path.extension().is_some_and(|end| end == "rs") => paths.push(path),
            _ => {}
        }
    }
}

fn read(root: &Path, path: &Path) -> Source {
    let text = std::fs::read_to_string(path).unwrap();
    let code = code_alone(&text);
    let lines: Vec<&str> = code.lines().collect();
    let is_test_module =
        |n: usize| lines[n].trim() == "#[cfg(test)]" && lines.get(n + 1).is_some_and(|next| next.ends_with('{'));
    let lines_before_tests = (0..lines.len()).find(|n| is_test_module(*n)).unwrap_or(lines.len());
    let path = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    Source { path, text, code, lines_before_tests, is_test_file: false }
}

/// Blanks comments, texts and character literals; lines stay where they are.
pub fn code_alone(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_blank(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// The end of the comment, text or character literal that begins here; `at` itself when none does.
fn end_of_blank(chars: &[char], at: usize) -> usize {
    let ahead = |n: usize| chars.get(at + n).copied().unwrap_or('\0');
    let before = at.checked_sub(1).map_or(' ', |n| chars[n]);
    let in_word = before.is_alphanumeric() || before == '_';
    match (ahead(0), ahead(1)) {
        ('/', '/') => chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| at + n),
        ('/', '*') => find(chars, at + 2, "*/"),
        ('"', _) => end_of_text(chars, at + 1),
        ('r', '"' | '#') | ('b', 'r') if !in_word => raw_text(chars, at).unwrap_or(at),
        // A quote begins a character when it is closed after one, else it is a lifetime.
        ('\'', '\\') => chars[at + 3..].iter().position(|c| *c == '\'').map_or(chars.len(), |n| at + 4 + n),
        ('\'', _) if ahead(2) == '\'' => at + 3,
        _ => at,
    }
}

fn end_of_text(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// `r"…"`, `r#"…"#`, `br#"…"#`; `None` for a raw identifier.
fn raw_text(chars: &[char], at: usize) -> Option<usize> {
    let open = at + chars[at..].iter().position(|c| *c != 'r' && *c != 'b')?;
    let hashes = chars[open..].iter().take_while(|c| **c == '#').count();
    (chars.get(open + hashes) == Some(&'"'))
        .then(|| find(chars, open + hashes + 1, &format!("\"{}", "#".repeat(hashes))))
}

fn find(chars: &[char], from: usize, end: &str) -> usize {
    let end: Vec<char> = end.chars().collect();
    (from..chars.len()).find(|n| chars[*n..].starts_with(&end)).map_or(chars.len(), |n| n + end.len())
}

#[test]
fn comments_and_texts_are_no_code() {
    let text = "let a = \"// no { \\\" end\"; // fn\nlet b = '{'; let c: &'a str = r#\"}\"#; /* { */ x";
    let code = code_alone(text);
    assert!(!code.contains('{') && !code.contains('}') && !code.contains("fn"), "{code}");
    assert!(code.contains("let c: &'a str =") && code.ends_with('x'), "{code}");
    assert_eq!(code.lines().count(), 2);
}
