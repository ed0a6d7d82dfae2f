//! One line: a flat JSON object that is written member by member into memory used again and again.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::time::SystemTime;

use tracing::Level;
use tracing::field::{Field, Visit};

use super::clock::Clock;

/// What one text may take before escaping; the rest is cut off. An event has at most 32 fields.
const MAX_TEXT_BYTES: usize = 4_096;

/// Memory that a line keeps for the next one.
const MAX_KEPT_BYTES: usize = 16 * 1_024;

/// What stands for a text's cut end.
const CUT: &str = "…";

/// Members that every line has at its beginning.
const RESERVED: [&str; 2] = ["time", "level"];

/// Fields whose value is never written, whoever passes it and by mistake. The rule is not to pass
/// them.
const NEVER_WRITTEN: [&str; 10] = [
    "account_no",
    "authorization",
    "bank_accounts",
    "biller_user_key",
    "body",
    "card_no",
    "parameters",
    "password",
    "token",
    "user_birth",
];

/// A line in the making.
#[derive(Debug, Default)]
pub(super) struct Line {
    bytes: Vec<u8>,
    clock: Clock,
}

impl Line {
    /// Begins a line anew.
    pub(super) fn begin(&mut self, now: SystemTime, level: Level) {
        self.bytes.clear();
        self.bytes.shrink_to(MAX_KEPT_BYTES);
        self.bytes.extend_from_slice(br#"{"time":""#);
        self.clock.write(now, &mut self.bytes);
        self.bytes.extend_from_slice(br#"","level":""#);
        self.bytes.extend_from_slice(level_name(level).as_bytes());
        self.bytes.push(b'"');
    }

    /// Ends the line, and shows it.
    pub(super) fn end(&mut self) -> &[u8] {
        self.bytes.extend_from_slice(b"}\n");
        &self.bytes
    }

    /// Appends `,"name":`.
    fn name(&mut self, field: &Field) {
        self.bytes.extend_from_slice(b",\"");
        if RESERVED.contains(&field.name()) {
            self.bytes.extend_from_slice(b"field.");
        }
        Escaped::unbounded(&mut self.bytes).push(field.name());
        self.bytes.extend_from_slice(b"\":");
    }

    fn text(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        self.name(field);
        self.bytes.push(b'"');
        if is_never_written(field) {
            self.bytes.extend_from_slice(b"***");
        } else {
            // Fails when a value's own formatting does, or when the text is cut: either way the
            // line goes on with what there is.
            let _ = Escaped::bounded(&mut self.bytes).write_fmt(value);
        }
        self.bytes.push(b'"');
    }

    /// Appends a number or a word of JSON.
    fn bare(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if is_never_written(field) {
            self.text(field, value);
            return;
        }
        self.name(field);
        // Writing into memory does not fail.
        let _ = self.bytes.write_fmt(value);
    }
}

fn is_never_written(field: &Field) -> bool {
    NEVER_WRITTEN.contains(&field.name())
}

impl Visit for Line {
    /// Three decimals; `null` for what JSON has no number for.
    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.bare(field, format_args!("{value:.3}"));
        } else {
            self.bare(field, format_args!("null"));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field, format_args!("{value}"));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.bare(field, format_args!("{value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.bare(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field, format_args!("{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format_args!("{value:?}"));
    }
}

const fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// Writes text as the inside of a JSON string, up to a bound.
struct Escaped<'a> {
    bytes: &'a mut Vec<u8>,
    left_bytes: usize,
}

impl<'a> Escaped<'a> {
    const fn bounded(bytes: &'a mut Vec<u8>) -> Self {
        Self {
            bytes,
            left_bytes: MAX_TEXT_BYTES,
        }
    }

    /// For names, which are the code's own.
    const fn unbounded(bytes: &'a mut Vec<u8>) -> Self {
        Self {
            bytes,
            left_bytes: usize::MAX,
        }
    }

    fn push(&mut self, mut text: &str) {
        while let Some(at) = text.find(needs_escape) {
            let (plain, rest) = text.split_at(at);
            self.bytes.extend_from_slice(plain.as_bytes());
            let mut characters = rest.chars();
            characters
                .next()
                .into_iter()
                .for_each(|character| self.push_escaped(character));
            text = characters.as_str();
        }
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn push_escaped(&mut self, character: char) {
        let short: &[u8] = match character {
            '"' => b"\\\"",
            '\\' => b"\\\\",
            '\n' => b"\\n",
            '\r' => b"\\r",
            '\t' => b"\\t",
            other => {
                // All that need escapes are in the basic plane: four digits.
                let _ = write!(self.bytes, "\\u{:04x}", u32::from(other));
                return;
            }
        };
        self.bytes.extend_from_slice(short);
    }
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.left_bytes {
            self.left_bytes -= text.len();
            self.push(text);
            return Ok(());
        }
        let cut = text.floor_char_boundary(self.left_bytes);
        self.left_bytes = 0;
        self.push(text.get(..cut).unwrap_or_default());
        self.push(CUT);
        Err(fmt::Error)
    }
}

/// Beyond what JSON wants: what could end a line, steer a terminal, or show a text otherwise than
/// it is (C1 controls, zero-width and bidirectional marks, line and paragraph separators).
const fn needs_escape(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '"'
            | '\\'
            | '\u{7f}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}
