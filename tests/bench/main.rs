//! The figures of the program, measured: `cargo bench` runs them all and prints a line for each.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod engine;
mod estate;
mod figure;
#[path = "../it/fixtures.rs"]
#[expect(dead_code, reason = "the tests' fixtures make more states than a benchmark needs")]
mod fixtures;
mod frame;
mod loopback;
mod peer;
mod process;
mod terminal;

type Bench = fn(&mut figure::Figures);

fn main() {
    // `cargo test --benches` and `cargo bench -- NAME` pass arguments; a name picks the benches that hold it.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let benches: [(&str, Bench); 5] = [
        ("frame", frame::run),
        ("engine", engine::run),
        ("estate", estate::run),
        ("loopback", loopback::run),
        ("terminal", terminal::run),
    ];
    let mut figures = figure::Figures::default();
    for (name, run) in benches {
        // Without a peer the loopback's figures have nothing to be held against; they are still there by name.
        let is_meant = wanted.is_empty() && (name != "loopback" || loopback::has_peer());
        if is_meant || wanted.iter().any(|part| name.contains(part.as_str())) {
            run(&mut figures);
        }
    }
    figures.print();
}
