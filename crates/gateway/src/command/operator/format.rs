//! Formats members of a JSON answer as text.

use serde_json::Value;

/// Returns a string member; empty if it is missing or null.
pub(in crate::command) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

/// Returns an integer member; 0 if it is missing.
pub(in crate::command) fn number(value: &Value, member: &str) -> u64 {
    value[member].as_u64().unwrap_or_default()
}

/// Groups the digits of an amount: `20,000`, `-5,000.5`.
pub(in crate::command) fn amount(plain: &str) -> String {
    let (sign, digits) = plain
        .strip_prefix('-')
        .map_or(("", plain), |digits| ("-", digits));
    let (units, fraction) = digits
        .split_once('.')
        .map_or((digits, None), |(units, fraction)| (units, Some(fraction)));
    let mut grouped = String::from(sign);
    for (index, digit) in units.chars().enumerate() {
        if index > 0 && (units.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(fraction) = fraction {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    grouped
}

/// Returns an event's amount; a cancel is negative, whatever its sign in the pay-result.
pub(in crate::command) fn won(event: &Value) -> String {
    let plain = text(event, "pay_amount").trim_start_matches('-');
    let sign = if text(event, "pay_type") == "C" {
        "-"
    } else {
        ""
    };
    amount(&format!("{sign}{plain}"))
}

/// Formats the guide's 14 digits, or RFC 3339, as `2026-11-24 12:00:00`; other text is unchanged.
pub(in crate::command) fn moment(time: &str) -> String {
    // Other digits are shown as they are: they are no time.
    if protocol::KoreanTime::parse(time).is_some() {
        return format!(
            "{}-{}-{} {}:{}:{}",
            &time[..4],
            &time[4..6],
            &time[6..8],
            &time[8..10],
            &time[10..12],
            &time[12..]
        );
    }
    time.get(..19)
        .map_or_else(|| time.to_owned(), |whole| whole.replace('T', " "))
}

/// Formats RFC 3339 with milliseconds: `2026-11-24 12:00:00.123`.
pub(in crate::command) fn moment_in_full(time: &str) -> String {
    time.get(..23)
        .map_or_else(|| time.to_owned(), |whole| whole.replace('T', " "))
}

/// Formats an age: `45s`, `2h 13m`, `3d 04h`.
pub(in crate::command) fn age(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_times_and_ages_are_easy_to_read() {
        for (plain, expected) in [
            ("0", "0"),
            ("999", "999"),
            ("20000", "20,000"),
            ("-1234567.05", "-1,234,567.05"),
        ] {
            assert_eq!(amount(plain), expected);
        }
        for (time, expected) in [
            ("20261124120005", "2026-11-24 12:00:05"),
            ("2026-11-24T12:00:05.123+09:00", "2026-11-24 12:00:05"),
            ("", ""),
            ("soon", "soon"),
            ("never", "never"),
            ("99991231235959", "9999-12-31 23:59:59"),
            ("20261399000000", "20261399000000"),
        ] {
            assert_eq!(moment(time), expected);
        }
        let full = moment_in_full("2026-11-24T12:00:05.123+09:00");
        assert_eq!(full, "2026-11-24 12:00:05.123");
        for (seconds, expected) in [
            (0, "0s"),
            (59, "59s"),
            (61, "1m 01s"),
            (7_980, "2h 13m"),
            (273_600, "3d 04h"),
        ] {
            assert_eq!(age(seconds), expected);
        }
    }
}
