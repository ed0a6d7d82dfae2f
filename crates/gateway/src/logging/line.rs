//! One line of the log: a flat JSON object. Its memory is used again for the next line.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::time::SystemTime;

use tracing::Level;
use tracing::field::{Field, Visit};

use super::clock::Clock;
use super::digits::{push_integer, push_thousandths, thousandths};
use super::escaped::Escaped;

/// The memory that is kept for the next line.
const MAX_KEPT_BYTES: usize = 16 * 1_024;

/// Ends the name of a field whose value is never written, and stands for the value.
const HIDDEN: &[u8] = b"\":\"***\"";

/// A line that is being written.
#[derive(Debug, Default)]
pub(super) struct Line {
    bytes: Vec<u8>,
    clock: Clock,
}

impl Line {
    /// Begins a new line.
    pub(super) fn begin(&mut self, now: SystemTime, level: Level) {
        self.bytes.clear();
        self.bytes.shrink_to(MAX_KEPT_BYTES);
        self.bytes.extend_from_slice(br#"{"time":""#);
        self.clock.write(now, &mut self.bytes);
        self.bytes.extend_from_slice(br#"","level":""#);
        self.bytes.extend_from_slice(level_name(level).as_bytes());
        self.bytes.push(b'"');
    }

    /// Ends the line and returns it.
    pub(super) fn end(&mut self) -> &[u8] {
        self.bytes.extend_from_slice(b"}\n");
        &self.bytes
    }

    /// Appends the field with a string as its value: what `write` writes.
    fn text(&mut self, field: &Field, write: impl FnOnce(&mut Escaped<'_>) -> fmt::Result) {
        self.member(field.name(), b"\":\"", |bytes| {
            // It fails where the value's formatting fails or the text is cut. The line keeps what was written.
            let _ = write(&mut Escaped::bounded(bytes));
            bytes.push(b'"');
        });
    }

    /// Appends the field with a number or a JSON literal as its value.
    fn bare(&mut self, field: &Field, write: impl FnOnce(&mut Vec<u8>)) {
        self.member(field.name(), b"\":", write);
    }

    /// Appends the name, the bytes between it and the value, and the value.
    fn member(&mut self, name: &str, between: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.extend_from_slice(b",\"");
        if is_reserved(name) {
            self.bytes.extend_from_slice(b"field.");
        }
        Escaped::unbounded(&mut self.bytes).push(name);
        if is_never_written(name) {
            self.bytes.extend_from_slice(HIDDEN);
        } else {
            self.bytes.extend_from_slice(between);
            write(&mut self.bytes);
        }
    }
}

impl Visit for Line {
    /// Three decimals; `null` for a number that JSON cannot represent.
    fn record_f64(&mut self, field: &Field, value: f64) {
        match thousandths(value) {
            Some(thousandths) => self.bare(field, |bytes| push_thousandths(bytes, thousandths)),
            None if value.is_finite() => self.bare(field, |bytes| {
                // Writing into memory does not fail.
                let _ = write!(bytes, "{value:.3}");
            }),
            None => self.bare(field, |bytes| bytes.extend_from_slice(b"null")),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, |bytes| push_integer(bytes, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field, |bytes| push_integer(bytes, value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.bare(field, |bytes| push_integer(bytes, value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.bare(field, |bytes| push_integer(bytes, value));
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

/// Whether every line has a member of this name at its beginning.
fn is_reserved(name: &str) -> bool {
    matches!(name, "time" | "level")
}

/// Whether a field's value is never written. Code must not log these fields; this is the second safeguard.
fn is_never_written(name: &str) -> bool {
    matches!(
        name,
        "account_no"
            | "authorization"
            | "bank_accounts"
            | "biller_user_key"
            | "body"
            | "card_no"
            | "parameters"
            | "password"
            | "token"
            | "user_birth"
    )
}
