//! Which events are written; can be changed while the gateway runs.

use std::sync::OnceLock;

use tracing_subscriber::{EnvFilter, Registry, reload};

/// What is written unless something else is said.
pub(super) const DEFAULT: &str = "info";

/// The longest filter that is read.
const MAX_LENGTH_BYTES: usize = 1_024;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

static CURRENT: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Writes other events from now on: levels, alone or per target (`info,ledger=debug,call=off`).
///
/// # Errors
/// When the filter cannot be read, or nothing is logged in this process.
pub fn set_filter(filter: &str) -> Result<(), String> {
    let filter = parse(filter)?;
    let current = CURRENT.get().ok_or("nothing is logged in this process")?;
    current.reload(filter).map_err(|fault| fault.to_string())
}

pub(super) fn keep(handle: reload::Handle<EnvFilter, Registry>) {
    // There is one: the global subscriber that it belongs to can be set only once.
    let _ = CURRENT.set(handle);
}

pub(super) fn parse(filter: &str) -> Result<EnvFilter, String> {
    if filter.len() > MAX_LENGTH_BYTES {
        return Err(format!("a filter has at most {MAX_LENGTH_BYTES} bytes"));
    }
    let directives: Vec<_> = filter.split(',').map(str::trim).collect();
    for directive in &directives {
        // The library would take a word for a target's name and write nothing else any more.
        let is_level = LEVELS
            .iter()
            .any(|level| level.eq_ignore_ascii_case(directive));
        if !is_level && !directive.contains(['=', '[']) {
            let levels = LEVELS.join(", ");
            return Err(format!(
                "{directive:?} is neither one of {levels} nor TARGET=LEVEL"
            ));
        }
    }
    // Without the spaces that people put behind commas: the library refuses them.
    EnvFilter::builder()
        .parse(directives.join(","))
        .map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_levels_alone_or_per_target() {
        for filter in [
            "info",
            "WARN",
            "off",
            "info,ledger=debug",
            "info, call=off",
            "error,gateway::flow=trace",
        ] {
            assert!(parse(filter).is_ok(), "{filter}");
        }
        let endless = "a".repeat(MAX_LENGTH_BYTES + 1);
        for filter in [
            "",
            "verbose",
            "infoo",
            "info,,warn",
            "ledger=loud",
            &endless,
        ] {
            assert!(parse(filter).is_err(), "{filter}");
        }
    }
}
