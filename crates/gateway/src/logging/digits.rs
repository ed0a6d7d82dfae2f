//! Numbers in decimal digits, as `core::fmt` writes them, but for its cost.

/// Appends an integer as `{}` writes it.
pub(super) fn push_integer(bytes: &mut Vec<u8>, number: u64) {
    // Twenty digits are enough for any.
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    for slot in digits.iter_mut().rev() {
        *slot = last_digit(rest);
        start -= 1;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    bytes.extend_from_slice(digits.get(start..).unwrap_or_default());
}

/// The three last digits of a number, as `{:03}` writes one below 1,000.
pub(super) const fn three_digits(number: u64) -> [u8; 3] {
    [
        last_digit(number / 100),
        last_digit(number / 10),
        last_digit(number),
    ]
}

const fn last_digit(number: u64) -> u8 {
    b"0123456789"[(number % 10) as usize]
}

/// Numbers from here on leave too few bits for what stands behind the point.
const LARGE: f64 = 2_147_483_648.0;

/// How far from half a thousandth a number must be, so that its product with 1,000, which is off by
/// a 4,096th at most, lies on the same side of the half.
const MARGIN: f64 = 0.001;

/// A number in thousandths, rounded as `{:.3}` rounds it; `None` where only that can tell.
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

    fn integer(number: u64) -> String {
        let mut bytes = Vec::new();
        push_integer(&mut bytes, number);
        String::from_utf8(bytes).unwrap()
    }

    /// `None` where it is left to `core::fmt`.
    fn three_decimals(number: f64) -> Option<String> {
        let mut bytes = Vec::new();
        push_thousandths(&mut bytes, thousandths(number)?);
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn integers_of_every_length_are_written_out() {
        for power in 0..20 {
            let number = 10_u64.pow(power);
            for number in [number - 1, number, number + 1] {
                assert_eq!(integer(number), number.to_string());
            }
        }
        assert_eq!(integer(u64::MAX), u64::MAX.to_string());
    }

    #[test]
    fn all_spans_of_a_millisecond_and_some_of_longer_ones_are_written_as_fmt_writes_them() {
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
    fn what_is_negative_large_or_no_number_is_left_to_others() {
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

        #[test]
        fn integers_are_written_as_fmt_writes_them(number: u64) {
            prop_assert_eq!(integer(number), number.to_string());
        }
    }
}
