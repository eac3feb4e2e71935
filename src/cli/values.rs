//! Values of flags that clap does not read: times with units, speeds.

use std::time::Duration;

/// Reads `10` or `10x`.
pub(super) fn parse_speed(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('x').parse::<f64>() {
        Ok(speed) if (0.01..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err("a speed is a number from 0.01 to 10000".into()),
    }
}

/// Reads `90s`, `10m`, `24h`, `2d`, `1h30m`, `500ms`. At most 31 days: the engine's clocks are meant for shifts.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const SHAPE: &str = "a time is a number with a unit: 90s, 10m, 24h, 2d or 1h30m";
    let mut rest = text.trim();
    let mut total_ms: u64 = 0;
    if rest.is_empty() {
        return Err(SHAPE.into());
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let unit_ms: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(SHAPE.into()),
        };
        let number: u64 = number.parse().map_err(|_| SHAPE.to_owned())?;
        total_ms = number.checked_mul(unit_ms).and_then(|ms| total_ms.checked_add(ms)).unwrap_or(u64::MAX);
        rest = tail;
    }
    if total_ms > 31 * 86_400_000 {
        return Err("at most 31d".into());
    }
    Ok(Duration::from_millis(total_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration("24h"), Ok(Duration::from_secs(86_400)));
        for wrong in ["", "10", "m", "10 m", "-5m", "1y", "1.5h"] {
            assert!(parse_duration(wrong).unwrap_err().contains("90s"), "{wrong}");
        }
        assert_eq!(parse_duration("99999999999999999999d").unwrap_err(), parse_duration("x").unwrap_err());
        assert_eq!(parse_duration("9999d").unwrap_err(), "at most 31d");
    }
}
