//! A figure: a measured value beside the one to reach.

/// All figures of a run, printed at its end so that nothing stands between them.
#[derive(Default)]
pub struct Figures(Vec<String>);

impl Figures {
    /// A value that should stay below `target`.
    pub fn below(&mut self, name: &str, value: f64, unit: &str, target: f64) {
        self.add(name, value, unit, target, value < target);
    }

    /// A value that should be above `target`.
    pub fn above(&mut self, name: &str, value: f64, unit: &str, target: f64) {
        self.add(name, value, unit, target, value > target);
    }

    fn add(&mut self, name: &str, value: f64, unit: &str, target: f64, is_reached: bool) {
        let verdict = if is_reached { "ok" } else { "short" };
        let line = format!("figure {name} {} {unit} target {} {verdict}", short(value), short(target));
        eprintln!("{line}");
        self.0.push(line);
    }

    pub fn print(&self) {
        for line in &self.0 {
            println!("{line}");
        }
    }
}

fn short(value: f64) -> String {
    if value >= 100.0 || value == value.trunc() { format!("{value:.0}") } else { format!("{value:.2}") }
}
