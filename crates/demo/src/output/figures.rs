//! Durations, amounts and bars.

use std::time::Duration;

use super::line::{Line, Style};

/// The columns of a whole budget.
const BUDGET_COLUMNS: usize = 12;

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Returns a duration with its unit: `0.41 ms`, `12.3 ms`, `3.002 s`.
pub(super) fn duration(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1_000.0;
    match millis {
        ..10.0 => format!("{millis:.2} ms"),
        ..100.0 => format!("{millis:.1} ms"),
        ..1_000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.3} s", millis / 1_000.0),
    }
}

/// Returns a number with commas between its thousands.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::from(if number < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns a bar that fills `share` (0 to 1) of the columns, to an eighth of a column. Only a share of 0 is
/// an empty bar.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "bounded by the columns of a line"
)]
pub(super) fn bar(share: f64, columns: usize) -> String {
    let whole = columns * EIGHTHS.len();
    let eighths = (share.clamp(0.0, 1.0) * whole as f64).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { eighths };
    "█".repeat(eighths / EIGHTHS.len()) + EIGHTHS[eighths % EIGHTHS.len()]
}

/// Returns a bar with the share of the budget that a call took.
pub(super) fn budget_bar(time: Duration, budget: Duration) -> Line {
    let share = time.as_secs_f64() / budget.as_secs_f64().max(f64::MIN_POSITIVE);
    let style = match share {
        ..0.5 => Style::Success,
        ..0.9 => Style::Highlight,
        _ => Style::Failure,
    };
    let filled = bar(share, BUDGET_COLUMNS);
    let rest = BUDGET_COLUMNS.saturating_sub(filled.chars().count());
    Line::of(style, &filled).with(Style::Dim, &"·".repeat(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_about_three_digits() {
        for (micros, expected) in [
            (4, "0.00 ms"),
            (410, "0.41 ms"),
            (12_340, "12.3 ms"),
            (250_000, "250 ms"),
            (3_002_000, "3.002 s"),
        ] {
            assert_eq!(duration(Duration::from_micros(micros)), expected);
        }
    }

    #[test]
    fn thousands_are_grouped() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-201_403, "-201,403"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn the_length_of_a_bar_is_its_share() {
        for (share, expected) in [
            (0.0, ""),
            (0.000_1, "▏"),
            (0.25, "█"),
            (0.5, "██"),
            (0.531_25, "██▏"),
            (1.0, "████"),
            (1.2, "████"),
        ] {
            assert_eq!(bar(share, 4), expected, "{share}");
        }
    }

    #[test]
    fn every_budget_bar_has_the_same_width() {
        let budget = Duration::from_secs(3);
        for millis in [0, 1, 500, 2_999, 3_000, 9_000] {
            let bar = budget_bar(Duration::from_millis(millis), budget);
            assert_eq!(bar.width(), BUDGET_COLUMNS, "{millis}");
        }
    }
}
