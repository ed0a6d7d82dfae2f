//! JSON lines on standard output (contract section 8, `docs/logging.md`).
//!
//! - [`CallLine`] is the line of a call. Other lines are `tracing` events with `time`, `level`, `message` and the
//!   event's fields.
//! - A line is formatted without allocating, put into a bounded queue, and written by a separate thread. If standard
//!   output blocks, lines are dropped; calls never wait.
//! - Secret fields, debug events of dependencies and formatted panic messages are never written.

mod call_line;
mod clock;
mod digits;
mod escaped;
mod filter;
mod json_lines;
mod keyed_digest;
mod line;
mod line_rate;
mod panics;
mod queue;
mod reason;
#[cfg(test)]
mod tests;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Registry, reload};

pub use call_line::{CallLine, Outcome};
pub use filter::{CurrentFilter, Filter, current_filter, set_filter};
pub use keyed_digest::{KeyedDigest, ShortDigest, user_key_digest};
pub use line_rate::LineRate;
pub use queue::{FlushGuard, dropped_lines};
pub use reason::Reason;

use json_lines::JsonLines;

/// The environment variable with the filter.
const VARIABLE: &str = "RELAY_LOG";

/// Settings of the log.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// The events that are written, as levels for all or some targets (`info,ledger=debug,call=off`); `None`: `info`.
    pub filter: Option<String>,
}

impl LogOptions {
    /// Reads the filter from `RELAY_LOG`; `None` if that is unset or blank.
    pub fn from_environment() -> Self {
        let filter = std::env::var_os(VARIABLE).map(|text| text.to_string_lossy().into_owned());
        Self {
            filter: filter.filter(|text| !text.trim().is_empty()),
        }
    }
}

/// Starts logging of the process to standard output. Dropping the guard writes the queued lines.
///
/// # Errors
/// If the filter is invalid or logging has been started before.
pub fn init(options: &LogOptions) -> Result<FlushGuard, String> {
    let guard = start(options, queue::standard_output())
        .map_err(|fault| format!("logging ({VARIABLE}): {fault}"))?;
    panics::log_panics();
    Ok(guard)
}

fn start(
    options: &LogOptions,
    writer: impl std::io::Write + Send + 'static,
) -> Result<FlushGuard, String> {
    let filter = options.filter.as_deref().unwrap_or(filter::DEFAULT);
    let (text, filter) = Filter::parse(filter)?.into_parts();
    let (filter, handle) = reload::Layer::new(filter);
    let (lines, guard) = queue::start(writer);
    let subscriber = Registry::default().with(filter).with(JsonLines::new(lines));
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| "logging has been started before".to_owned())?;
    filter::set_handle(handle, &text);
    Ok(guard)
}
