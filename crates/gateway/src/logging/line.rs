//! One line: a flat JSON object that is written member by member into memory used again and again.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::time::SystemTime;

use tracing::Level;
use tracing::field::{Field, Visit};

use super::clock::Clock;
use super::digits::{push_integer, push_thousandths, thousandths};
use super::escaped::Escaped;
use super::names::Names;

/// Memory that a line keeps for the next one.
const MAX_KEPT_BYTES: usize = 16 * 1_024;

/// What stands for such a value.
const HIDDEN: &[u8] = b"\"***\"";

/// A line in the making.
#[derive(Debug, Default)]
pub(super) struct Line {
    bytes: Vec<u8>,
    clock: Clock,
    names: Names,
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

    /// Appends `,"name":`, and tells whether the value is to be hidden.
    fn name(&mut self, field: &Field) -> bool {
        let spelled = self.names.spell(field.name());
        self.bytes.extend_from_slice(&spelled.text);
        spelled.is_hidden
    }

    /// Appends the field, its value as a string: what `write` makes of it.
    fn text(&mut self, field: &Field, write: impl FnOnce(&mut Escaped<'_>) -> fmt::Result) {
        if self.name(field) {
            self.bytes.extend_from_slice(HIDDEN);
            return;
        }
        self.bytes.push(b'"');
        // Fails when a value's own formatting does, or when the text is cut: either way the line goes on
        // with what there is.
        let _ = write(&mut Escaped::bounded(&mut self.bytes));
        self.bytes.push(b'"');
    }

    /// Appends the field, its value a number or a word of JSON.
    fn bare(&mut self, field: &Field, write: impl FnOnce(&mut Vec<u8>)) {
        if self.name(field) {
            self.bytes.extend_from_slice(HIDDEN);
        } else {
            write(&mut self.bytes);
        }
    }

    /// The same with a value of which there are few.
    fn bare_fmt(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        self.bare(field, |bytes| {
            // Writing into memory does not fail.
            let _ = bytes.write_fmt(value);
        });
    }
}

impl Visit for Line {
    /// Three decimals; `null` for what JSON has no number for.
    fn record_f64(&mut self, field: &Field, value: f64) {
        match thousandths(value) {
            Some(thousandths) => self.bare(field, |bytes| push_thousandths(bytes, thousandths)),
            None if value.is_finite() => self.bare_fmt(field, format_args!("{value:.3}")),
            None => self.bare(field, |bytes| bytes.extend_from_slice(b"null")),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, |bytes| {
            if value < 0 {
                bytes.push(b'-');
            }
            push_integer(bytes, value.unsigned_abs());
        });
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field, |bytes| push_integer(bytes, value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.bare_fmt(field, format_args!("{value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.bare_fmt(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        let word: &[u8] = if value { b"true" } else { b"false" };
        self.bare(field, |bytes| bytes.extend_from_slice(word));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, |text| text.write_str(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, |text| write!(text, "{value:?}"));
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
