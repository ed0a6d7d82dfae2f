//! Numbers of bytes: `64KiB`, `4MiB`, or a plain integer.

use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::spelling::printable;
use super::value;

/// Units and their bytes, the largest first.
const UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// A number of bytes within bounds.
pub(super) fn read(value: &DeValue<'_>, bounds: &RangeInclusive<u64>) -> Result<usize, String> {
    const SHAPE: &str = "a size such as \"64KiB\" (units B, KiB, MiB, GiB) or a number of bytes";
    let (bytes, spelled) = match value {
        DeValue::String(text) => {
            let bytes =
                parse(text).ok_or_else(|| format!("must be {SHAPE}, not `{}`", printable(text)))?;
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
        .ok_or_else(|| value::out_of_bounds(spell(*bounds.start()), spell(*bounds.end()), spelled))
}

fn parse(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*bytes)
}

fn spell(bytes: u64) -> String {
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
    fn sizes_have_binary_units_or_are_bytes() {
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
    fn a_fault_says_what_is_allowed() {
        let shape =
            "must be a size such as \"64KiB\" (units B, KiB, MiB, GiB) or a number of bytes";
        for (toml, what) in [
            ("'64KB'", format!("{shape}, not `64KB`")),
            ("'64'", format!("{shape}, not `64`")),
            ("'-1KiB'", format!("{shape}, not `-1KiB`")),
            ("'99999999999GiB'", format!("{shape}, not `99999999999GiB`")),
            ("1.5", format!("{shape}, not a float")),
            ("0", "must be from 1KiB to 16MiB, not 0".to_owned()),
            ("-1", "must be from 1KiB to 16MiB, not -1".to_owned()),
            (
                "'17MiB'",
                "must be from 1KiB to 16MiB, not 17MiB".to_owned(),
            ),
        ] {
            assert_eq!(within(toml), Err(what), "{toml}");
        }
    }
}
