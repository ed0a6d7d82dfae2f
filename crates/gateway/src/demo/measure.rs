//! How long a call took.

use std::time::Duration;

use super::bar::bar;
use super::text::{Ink, Text};

/// Columns of a whole budget.
const BUDGET_COLUMNS: usize = 12;

/// A duration as people read it: `0.41 ms`, `12.3 ms`, `3.002 s`.
pub(super) fn spelled(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1_000.0;
    match millis {
        ..10.0 => format!("{millis:.2} ms"),
        ..100.0 => format!("{millis:.1} ms"),
        ..1_000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.3} s", millis / 1_000.0),
    }
}

/// The part of the budget that a call took, as a bar.
pub(super) fn budget_bar(time: Duration, budget: Duration) -> Text {
    let share = time.as_secs_f64() / budget.as_secs_f64().max(f64::MIN_POSITIVE);
    let ink = match share {
        ..0.5 => Ink::Good,
        ..0.9 => Ink::Notable,
        _ => Ink::Bad,
    };
    let filled = bar(share, BUDGET_COLUMNS);
    let rest = BUDGET_COLUMNS.saturating_sub(filled.chars().count());
    Text::of(ink, &filled).with(Ink::Faint, &"·".repeat(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spelled_with_three_digits_or_so() {
        for (micros, expected) in [
            (4, "0.00 ms"),
            (410, "0.41 ms"),
            (12_340, "12.3 ms"),
            (250_000, "250 ms"),
            (3_002_000, "3.002 s"),
        ] {
            assert_eq!(spelled(Duration::from_micros(micros)), expected);
        }
    }

    #[test]
    fn a_budget_is_always_as_wide() {
        let budget = Duration::from_secs(3);
        for millis in [0, 1, 500, 2_999, 3_000, 9_000] {
            let bar = budget_bar(Duration::from_millis(millis), budget);
            assert_eq!(bar.width(), BUDGET_COLUMNS, "{millis}");
        }
    }
}
