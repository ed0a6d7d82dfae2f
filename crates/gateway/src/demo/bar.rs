//! A bar of blocks, as fine as an eighth of a column.

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The part of so many columns that `share` (0 to 1) fills. More than nothing is never an empty bar.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "bounded by the columns of a screen"
)]
pub(super) fn bar(share: f64, columns: usize) -> String {
    let whole = columns * EIGHTHS.len();
    let eighths = (share.clamp(0.0, 1.0) * whole as f64).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { eighths };
    "█".repeat(eighths / EIGHTHS.len()) + EIGHTHS[eighths % EIGHTHS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share() {
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
}
