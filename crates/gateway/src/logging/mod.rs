//! JSON lines on standard output (contract section 8, `docs/logging.md`).
//!
//! - [`CallLine`] is the one line of a call. Everything else is an event of `tracing`, written with
//!   `time`, `level`, `message` and its own fields.
//! - A line is put together without allocating, handed to a bounded queue, and written by a thread
//!   of its own: a standard output that blocks costs lines, never calls.
//! - What must never be in a log cannot get in by a field's name, by a dependency's chatter, or by
//!   a panic's message.

mod call_line;
mod clock;
mod digits;
mod escaped;
mod filter;
mod json_lines;
mod keyed_digest;
mod line;
mod panics;
mod queue;
#[cfg(test)]
mod tests;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Registry, reload};

pub use call_line::{CallLine, Outcome};
pub use filter::{CurrentFilter, Filter, current_filter, set_filter};
pub use keyed_digest::{KeyedDigest, ShortDigest, user_key_digest};
pub use queue::{Guard, lost_lines};

use json_lines::JsonLines;

/// The environment variable that says what is logged.
const VARIABLE: &str = "RELAY_LOG";

/// How to log.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which events are written: levels, alone or per target (`info,ledger=debug,call=off`).
    /// `None`: `info`.
    pub filter: Option<String>,
}

impl Options {
    /// Takes the filter from `RELAY_LOG`, where that is set and not blank.
    pub fn from_environment() -> Self {
        let filter = std::env::var_os(VARIABLE).map(|text| text.to_string_lossy().into_owned());
        Self {
            filter: filter.filter(|text| !text.trim().is_empty()),
        }
    }
}

/// Starts logging to standard output, for the whole process and once in its life. What is queued
/// is written when the guard is dropped.
///
/// # Errors
/// When the filter cannot be read, or logging runs already.
pub fn init(options: &Options) -> Result<Guard, String> {
    let guard = start(options, queue::standard_output())
        .map_err(|fault| format!("logging ({VARIABLE}): {fault}"))?;
    panics::log_panics();
    Ok(guard)
}

fn start(options: &Options, writer: impl std::io::Write + Send + 'static) -> Result<Guard, String> {
    let filter = options.filter.as_deref().unwrap_or(filter::DEFAULT);
    let (text, filter) = Filter::parse(filter)?.into_parts();
    let (filter, handle) = reload::Layer::new(filter);
    let (lines, guard) = queue::start(writer);
    let subscriber = Registry::default().with(filter).with(JsonLines::new(lines));
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| "logging runs already".to_owned())?;
    filter::keep(handle, &text);
    Ok(guard)
}
