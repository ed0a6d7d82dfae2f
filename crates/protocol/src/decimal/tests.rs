use std::fmt::Write;

use super::*;
use proptest::prelude::*;

fn decimal(spelling: &str) -> Decimal {
    Decimal::parse(spelling).unwrap_or_else(|TooWide| panic!("{spelling} is too wide"))
}

#[test]
fn spellings_of_one_value_are_one_decimal() {
    let table = [
        (
            "20000",
            &[
                "20000",
                "2e4",
                "2E+4",
                "20000.0",
                "20000.000",
                "200000e-1",
                "0.2e5",
            ][..],
        ),
        (
            "0",
            &[
                "0",
                "-0",
                "0.0",
                "-0.000",
                "0e999999999",
                "0e-99999999999999999999",
                "-0E+5",
            ],
        ),
        ("-1.5", &["-1.5", "-15e-1", "-0.15e1", "-1.50"]),
        (
            "0.000000000000000001",
            &["1e-18", "0.000000000000000001", "10e-19", "0.1e-17"],
        ),
        (
            "999999999999999999",
            &["999999999999999999", "9.99999999999999999e17"],
        ),
        ("-0.5", &["-0.5", "-5e-1", "-5e-0001"]),
    ];
    for (canonical, spellings) in table {
        for spelling in spellings {
            assert_eq!(decimal(spelling), decimal(canonical), "{spelling}");
            assert_eq!(decimal(spelling).to_string(), canonical, "{spelling}");
        }
    }
}

#[test]
fn more_than_eighteen_digits_on_either_side_are_too_wide() {
    let long_but_narrow = format!("1{}e-70000", "0".repeat(70_000));
    for narrow in [
        "1e17",
        "1e-18",
        "123456789012345678.123456789012345678",
        &long_but_narrow,
    ] {
        assert!(Decimal::parse(narrow).is_ok(), "{narrow}");
    }
    let wide = [
        "1e18",
        "1e-19",
        "1000000000000000000",
        "1.0000000000000000001",
        "1e99999999999999999999",
        "-1e-99999999999999999999",
        "1e9223372036854775807",
        "1e-9223372036854775808",
    ];
    for wide in wide {
        assert_eq!(Decimal::parse(wide), Err(TooWide), "{wide}");
    }
}

#[test]
fn what_is_no_json_number_is_no_decimal() {
    for text in [
        "", "-", "+1", "01", "-01", ".5", "1.", "1e", "1e+", "1.e1", "0x1", "1 ", "１", "NaN",
    ] {
        assert_eq!(Decimal::parse(text), Err(TooWide), "{text:?}");
    }
}

#[test]
fn parts_carry_the_sign_and_make_the_decimal_again() {
    let value = decimal("-12.25");
    assert_eq!(
        (value.units(), value.fraction()),
        (-12, -250_000_000_000_000_000)
    );
    assert_eq!(
        Decimal::from_parts(value.units(), value.fraction()),
        Some(value)
    );
    assert_eq!(value.abs(), decimal("12.25"));
    assert!(!value.is_zero() && decimal("-0.0").is_zero());

    let limit = 10_i64.pow(18);
    for (units, fraction) in [(limit, 0), (0, -limit), (1, -1), (-1, 1), (i64::MIN, 0)] {
        assert_eq!(Decimal::from_parts(units, fraction), None);
    }
}

/// The value times 10¹⁸, computed digit by digit the slow way; only for narrow numbers.
fn naive(negative: bool, mantissa: &str, point_from_end: i32, exponent: i32) -> Option<i128> {
    let mantissa: i128 = mantissa.parse().ok()?;
    let shift = 18 + exponent - point_from_end;
    let scaled = if shift >= 0 {
        mantissa.checked_mul(10_i128.checked_pow(shift.unsigned_abs())?)?
    } else {
        let divisor = 10_i128.checked_pow(shift.unsigned_abs())?;
        (mantissa % divisor == 0).then_some(mantissa / divisor)?
    };
    (scaled < 10_i128.pow(36)).then_some(if negative { -scaled } else { scaled })
}

prop_compose! {
    /// A number's spelling, and its value times 10¹⁸ if it has no more than 18 digits each side.
    fn number()(
        negative: bool,
        whole in "0|[1-9][0-9]{0,9}|[1-9]0{0,12}",
        decimals in proptest::option::of("[0-9]{1,9}|0{0,9}[1-9]0{0,5}"),
        exponent in proptest::option::of(-20_i32..20),
    ) -> (String, Option<i128>) {
        let mut spelling = format!("{}{whole}", if negative { "-" } else { "" });
        let decimals = decimals.unwrap_or_default();
        if !decimals.is_empty() {
            spelling.push('.');
            spelling.push_str(&decimals);
        }
        if let Some(exponent) = exponent {
            let _ = write!(spelling, "e{exponent}");
        }
        let point_from_end = i32::try_from(decimals.len()).unwrap();
        let value = naive(negative, &format!("{whole}{decimals}"), point_from_end, exponent.unwrap_or(0));
        (spelling, value)
    }
}

proptest! {
    #[test]
    fn a_decimal_is_its_exact_value((spelling, value) in number()) {
        let parsed = Decimal::parse(&spelling).ok();
        let parsed_value = parsed.map(|decimal| {
            i128::from(decimal.units()) * 10_i128.pow(18) + i128::from(decimal.fraction())
        });
        prop_assert_eq!(parsed_value, value, "{}", spelling);
        if let Some(decimal) = parsed {
            prop_assert_eq!(Decimal::parse(&decimal.to_string()), Ok(decimal));
            prop_assert_eq!(Decimal::from_parts(decimal.units(), decimal.fraction()), Some(decimal));
        }
    }

    #[test]
    fn decimals_are_ordered_and_equal_as_their_values_are(left in number(), right in number()) {
        if let (Some(a), Some(b)) = (left.1, right.1) {
            prop_assert_eq!(decimal(&left.0).cmp(&decimal(&right.0)), a.cmp(&b));
            prop_assert_eq!(decimal(&left.0).abs().cmp(&decimal(&right.0).abs()), a.abs().cmp(&b.abs()));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text: String, numeric in "-?[0-9.eE+-]{0,80}") {
        let _ = Decimal::parse(&text);
        let _ = Decimal::parse(&numeric);
    }
}
