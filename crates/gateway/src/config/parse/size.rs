//! Sizes in bytes: `64KiB`, `4MiB`, or a plain integer.

use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::spelling::excerpt;
use super::value;

/// Units and their bytes, largest first.
const UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Reads a number of bytes.
///
/// # Errors
/// If it is no size or out of bounds.
pub(in crate::config) fn read(
    value: &DeValue<'_>,
    bounds: &RangeInclusive<u64>,
) -> Result<usize, String> {
    const SHAPE: &str = "a size such as \"64KiB\" (units B, KiB, MiB, GiB) or a number of bytes";
    let (bytes, written) = match value {
        DeValue::String(text) => {
            let bytes =
                parse(text).ok_or_else(|| format!("must be {SHAPE}, not `{}`", excerpt(text)))?;
            (Some(bytes), text.to_string())
        }
        DeValue::Integer(integer) => {
            let bytes = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
            (bytes, integer.to_string())
        }
        other => return Err(value::wrong_kind(SHAPE, other)),
    };
    bytes
        .filter(|bytes| bounds.contains(bytes))
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| {
            value::out_of_bounds(
                format_size(*bounds.start()),
                format_size(*bounds.end()),
                written,
            )
        })
}

/// Parses a number with a unit; zero needs none.
fn parse(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*bytes)
}

/// Formats a size in the largest unit that divides it.
fn format_size(bytes: u64) -> String {
    UNITS
        .iter()
        .find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit))
        .map_or_else(
            || "0B".to_owned(),
            |(name, unit)| format!("{}{name}", bytes / unit),
        )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn within(toml: &str) -> Result<usize, String> {
        read(
            DeValue::parse(toml).unwrap().get_ref(),
            &(1024..=16 * 1024 * 1024),
        )
    }

    #[test]
    fn sizes_are_bytes_or_have_binary_units() {
        for (toml, bytes) in [
            ("'64KiB'", 65_536),
            ("'4MiB'", 4_194_304),
            ("'2048B'", 2_048),
            ("65536", 65_536),
            ("0x1000", 4_096),
        ] {
            assert_eq!(within(toml), Ok(bytes), "{toml}");
        }
    }

    #[test]
    fn zero_needs_no_unit() {
        for toml in ["0", "'0'", "'0B'", "'0MiB'"] {
            let value = DeValue::parse(toml).unwrap();
            assert_eq!(read(value.get_ref(), &(0..=1)), Ok(0), "{toml}");
        }
    }

    #[test]
    fn a_fault_names_the_allowed_values() {
        let shape =
            "must be a size such as \"64KiB\" (units B, KiB, MiB, GiB) or a number of bytes";
        for (toml, message) in [
            ("'64KB'", format!("{shape}, not `64KB`")),
            ("'64'", format!("{shape}, not `64`")),
            ("'-1KiB'", format!("{shape}, not `-1KiB`")),
            ("'99999999999GiB'", format!("{shape}, not `99999999999GiB`")),
            ("1.5", format!("{shape}, not a float")),
            ("0", "must be from 1KiB to 16MiB, not 0".to_owned()),
            ("'0'", "must be from 1KiB to 16MiB, not 0".to_owned()),
            ("'00'", format!("{shape}, not `00`")),
            ("-1", "must be from 1KiB to 16MiB, not -1".to_owned()),
            (
                "'17MiB'",
                "must be from 1KiB to 16MiB, not 17MiB".to_owned(),
            ),
        ] {
            assert_eq!(within(toml), Err(message), "{toml}");
        }
    }
}
