//! Durations: `3s`, `200ms`, `5m`, `1h`, `400d`.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::de::DeValue;

use super::spelling::excerpt;
use super::value;

/// Units and their milliseconds, longest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads a whole number with a unit.
///
/// # Errors
/// If it is no duration or out of bounds.
pub(in crate::config) fn read(
    value: &DeValue<'_>,
    bounds: &RangeInclusive<Duration>,
) -> Result<Duration, String> {
    const SHAPE: &str = "a duration such as \"3s\" (units ms, s, m, h, d)";
    let Some(text) = value.as_str() else {
        return Err(value::wrong_kind(SHAPE, value));
    };
    let duration =
        parse(text).ok_or_else(|| format!("must be {SHAPE}, not `{}`", excerpt(text)))?;
    if bounds.contains(&duration) {
        return Ok(duration);
    }
    let (least, most) = (
        format_duration(*bounds.start()),
        format_duration(*bounds.end()),
    );
    Err(value::out_of_bounds(least, most, text))
}

fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number: u64 = number.parse().ok()?;
    number.checked_mul(*millis).map(Duration::from_millis)
}

/// Formats a duration in the longest unit that divides it.
fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    UNITS
        .iter()
        .find(|(_, unit)| millis > 0 && millis.is_multiple_of(u128::from(*unit)))
        .map_or_else(
            || "0s".to_owned(),
            |(name, unit)| format!("{}{name}", millis / u128::from(*unit)),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_parsed_and_formatted() {
        for (text, millis, formatted) in [
            ("3s", 3_000, "3s"),
            ("200ms", 200, "200ms"),
            ("400d", 34_560_000_000, "400d"),
            ("5m", 300_000, "5m"),
            ("1h", 3_600_000, "1h"),
            ("90s", 90_000, "90s"),
            ("0s", 0, "0s"),
            ("60000ms", 60_000, "1m"),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse(text), Some(duration), "{text}");
            assert_eq!(format_duration(duration), formatted);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "s",
            "3",
            "3 s",
            "-3s",
            "+3s",
            "3S",
            "3sec",
            "1.5s",
            "3s ",
            "1m30s",
            "３s",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_fault_names_the_allowed_values() {
        let bounds = Duration::from_millis(100)..=Duration::from_mins(1);
        for (given, message) in [
            (
                DeValue::String("3".into()),
                "must be a duration such as \"3s\" (units ms, s, m, h, d), not `3`",
            ),
            (
                DeValue::Boolean(true),
                "must be a duration such as \"3s\" (units ms, s, m, h, d), not a boolean",
            ),
            (
                DeValue::String("61s".into()),
                "must be from 100ms to 1m, not 61s",
            ),
        ] {
            assert_eq!(read(&given, &bounds), Err(message.to_owned()));
        }
    }
}
