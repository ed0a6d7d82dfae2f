//! The deployed alerts with every duration divided by sixty, because a test cannot wait five minutes.

use std::fs;
use std::path::{Path, PathBuf};

/// Minutes become seconds.
const FASTER: u64 = 60;

pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Writes the scaled rules into `directory`.
pub fn write_scaled(directory: &Path) {
    let rules = project().join("deploy/prometheus/rules");
    for file in fs::read_dir(rules).unwrap() {
        let file = file.unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        fs::write(directory.join(file.file_name()), scaled(&text)).unwrap();
    }
}

fn scaled(rules: &str) -> String {
    // Rates are multiplied by the seconds of a window or an interval where a rule counts calls.
    let rules = rules.replace("* 300", "* 5");
    let spans: Vec<&str> = rules.split("* 30").collect();
    let mut out = String::new();
    for (at, span) in spans.iter().enumerate() {
        if at > 0 {
            let goes_on = span.starts_with(|next: char| next.is_ascii_digit());
            out.push_str(if goes_on { "* 30" } else { "* 0.5" });
        }
        out.push_str(&scale_spans(span));
    }
    out
}

/// `5m` becomes `5000ms`, `[6h:30s]` becomes `[360000ms:500ms]`; `rate5m` stays.
fn scale_spans(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|next: char| next.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let digits = from.len()
            - from
                .trim_start_matches(|next: char| next.is_ascii_digit())
                .len();
        let (number, behind) = from.split_at(digits);
        let joined = |next: char| next.is_ascii_alphanumeric() || next == '_' || next == '.';
        let stands_alone = !out.ends_with(joined);
        match unit_millis(behind) {
            Some(unit) if stands_alone => {
                let millis = number.parse::<u64>().unwrap() * unit / FASTER;
                out.push_str(&millis.to_string());
                out.push_str("ms");
                rest = &behind[1..];
            }
            _ => {
                out.push_str(number);
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Returns the unit that the text begins with, if a whole word.
fn unit_millis(text: &str) -> Option<u64> {
    let mut characters = text.chars();
    let unit = match characters.next()? {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return None,
    };
    let ends = characters
        .next()
        .is_none_or(|next| !next.is_ascii_alphanumeric() && next != '_');
    ends.then_some(unit)
}

#[test]
fn every_span_of_time_is_scaled_and_nothing_else() {
    for (rule, scaled_rule) in [
        ("for: 1m", "for: 1000ms"),
        ("x[5m] offset 15m", "x[5000ms] offset 15000ms"),
        ("x[6h:30s]", "x[360000ms:500ms]"),
        ("job:x:rate5m[3d]", "job:x:rate5m[4320000ms]"),
        ("x * 300 >= 10", "x * 5 >= 10"),
        ("x * 30\n", "x * 0.5\n"),
        ("3 * 86400 > 300", "3 * 86400 > 300"),
        ("in 5 minutes, 10 ms, %.0f", "in 5 minutes, 10 ms, %.0f"),
    ] {
        assert_eq!(scaled(rule), scaled_rule);
    }
}
