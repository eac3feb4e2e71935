//! Counts in words: `1 worker`, `412 workers`, `1.2k records`. One of something is no plural.

use crate::domain::value::Unit;

/// So many of something, short. `one` is the word for a single one; of several words the last has the plural.
pub fn counted(count: f64, one: &str) -> String {
    let number = Unit::Count.short_number(count);
    if number == "1" { format!("1 {one}") } else { format!("{number} {}", plural(one)) }
}

/// The same to the last digit.
pub fn counted_all(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {}", plural(one)) }
}

/// So many of something that do something: `1 decision waits`, `412 decisions wait`.
pub fn counted_that(count: f64, one: &str, verb: &str) -> String {
    let counted = counted(count, one);
    let (third, many) = match verb {
        "be" => ("is", "are"),
        "were" => ("was", "were"),
        "have" => ("has", "have"),
        verb => {
            return if counted.starts_with("1 ") { format!("{counted} {verb}s") } else { format!("{counted} {verb}") };
        }
    };
    format!("{counted} {}", if counted.starts_with("1 ") { third } else { many })
}

/// `queue` → `queues`, `delivery` → `deliveries`, `batch` → `batches`.
fn plural(one: &str) -> String {
    let before_last = one.chars().rev().nth(1);
    match one.chars().last() {
        Some('y') if before_last.is_some_and(|c| !"aeiou".contains(c)) => format!("{}ies", &one[..one.len() - 1]),
        Some('s' | 'x') => format!("{one}es"),
        Some('h') if matches!(before_last, Some('c' | 's')) => format!("{one}es"),
        _ => format!("{one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        for (count, one, said) in [
            (1.0, "worker", "1 worker"),
            (0.0, "worker", "0 workers"),
            (412.0, "dead letter", "412 dead letters"),
            (1.0, "dead letter", "1 dead letter"),
            (1204.0, "delivery", "1.2k deliveries"),
            (1.5, "key", "1.5 keys"),
            (2.0, "batch", "2 batches"),
        ] {
            assert_eq!(counted(count, one), said);
        }
        assert_eq!([counted_all(1, "entry"), counted_all(1204, "entry")], ["1 entry", "1204 entries"]);
    }

    #[test]
    fn one_does_and_many_do() {
        assert_eq!(counted_that(1.0, "decision", "wait"), "1 decision waits");
        assert_eq!(counted_that(12.0, "decision", "wait"), "12 decisions wait");
        assert_eq!(counted_that(1.0, "delivery", "were"), "1 delivery was");
        assert_eq!(counted_that(0.0, "lease", "have"), "0 leases have");
        assert_eq!(counted_that(1.0, "resource", "be"), "1 resource is");
    }
}
