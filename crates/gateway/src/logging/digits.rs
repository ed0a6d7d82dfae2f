//! Numbers in decimal digits, as `core::fmt` writes them, at a lower cost.

/// Appends an integer as `{}` writes it.
pub(super) fn push_integer(bytes: &mut Vec<u8>, number: impl itoa::Integer) {
    bytes.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Returns the last three digits of a number, as `{:03}` writes a number below 1,000.
pub(super) const fn three_digits(number: u64) -> [u8; 3] {
    const fn last_digit(number: u64) -> u8 {
        b"0123456789"[(number % 10) as usize]
    }
    [
        last_digit(number / 100),
        last_digit(number / 10),
        last_digit(number),
    ]
}

/// From this number on, an `f64` has too few bits for three decimals.
const LARGE: f64 = 2_147_483_648.0;

/// The distance from half a thousandth from which on rounding is certain: the product with 1,000 has an error
/// of a 4,096th at most.
const MARGIN: f64 = 0.001;

/// Returns a number in thousandths, rounded as `{:.3}` rounds it. `None` where the result would be uncertain:
/// for negative, large and infinite numbers, and near half a thousandth.
pub(super) fn thousandths(number: f64) -> Option<u64> {
    if !(number.is_sign_positive() && number < LARGE) {
        return None;
    }
    let product = number * 1e3;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive and below 2^41"
    )]
    let whole = product as u64;
    #[expect(clippy::cast_precision_loss, reason = "below 2^41")]
    let fraction = product - whole as f64;
    if fraction < 0.5 - MARGIN {
        Some(whole)
    } else if fraction > 0.5 + MARGIN {
        Some(whole + 1)
    } else {
        None
    }
}

/// Appends thousandths as a number with three decimals.
pub(super) fn push_thousandths(bytes: &mut Vec<u8>, thousandths: u64) {
    push_integer(bytes, thousandths / 1_000);
    let [first, second, third] = three_digits(thousandths);
    bytes.extend_from_slice(&[b'.', first, second, third]);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use proptest::prelude::*;

    /// `None` where `core::fmt` has to write the number.
    fn three_decimals(number: f64) -> Option<String> {
        let mut bytes = Vec::new();
        push_thousandths(&mut bytes, thousandths(number)?);
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn all_durations_of_a_millisecond_and_some_longer_ones_are_written_as_fmt_writes_them() {
        let short = 0..1_000_000_u64;
        let long = (0..1_000_000_u64).map(|step| step * 3_000_017);
        for nanoseconds in short.chain(long) {
            let milliseconds = Duration::from_nanos(nanoseconds).as_secs_f64() * 1e3;
            match three_decimals(milliseconds) {
                Some(text) => assert_eq!(text, format!("{milliseconds:.3}")),
                None => assert!(
                    (498..=502).contains(&(nanoseconds % 1_000)),
                    "{nanoseconds}"
                ),
            }
        }
    }

    #[test]
    fn negative_large_and_infinite_numbers_are_not_converted() {
        for number in [
            -0.0,
            -1.5,
            LARGE,
            f64::MAX,
            f64::INFINITY,
            f64::NAN,
            -f64::NAN,
            0.0005,
        ] {
            assert_eq!(three_decimals(number), None, "{number}");
        }
    }

    proptest! {
        #[test]
        fn three_decimals_are_rounded_as_fmt_rounds_them(number: f64, near in 0.0..LARGE, halves in 0_u32..) {
            // The last is a tie, or beside one by the least there is.
            let tie = f64::from(halves) / 2_000.0;
            for number in [number, near, tie, tie.next_up(), tie.next_down()] {
                if let Some(text) = three_decimals(number) {
                    prop_assert_eq!(text, format!("{number:.3}"));
                }
            }
        }
    }
}
