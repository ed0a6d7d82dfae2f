//! The log filter, which can be changed while the gateway runs.

use std::sync::{OnceLock, PoisonError, RwLock};

use tracing_subscriber::{EnvFilter, Registry, reload};

/// The default filter.
pub(super) const DEFAULT: &str = "info";

/// The length of the longest filter.
const MAX_LENGTH_BYTES: usize = 1_024;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

static IN_FORCE: OnceLock<InForce> = OnceLock::new();

struct InForce {
    handle: reload::Handle<EnvFilter, Registry>,
    at_start: String,
    text: RwLock<String>,
}

/// A filter: levels for all or some targets (`info,ledger=debug,call=off`).
#[derive(Debug)]
pub struct Filter {
    text: String,
    parsed: EnvFilter,
}

/// The filters of a process that logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentFilter {
    /// The present filter.
    pub in_force: String,
    /// The filter of the start, which the next start uses again.
    pub at_start: String,
}

/// Replaces the filter.
///
/// # Errors
/// If logging has not been started.
pub fn set_filter(filter: Filter) -> Result<(), String> {
    let in_force = IN_FORCE.get().ok_or("nothing is logged in this process")?;
    // The lock is held for both changes, so that text and filter belong together.
    let mut text = in_force
        .text
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    let reloaded = in_force.handle.reload(filter.parsed);
    reloaded.map_err(|fault| fault.to_string())?;
    *text = filter.text;
    Ok(())
}

/// Returns the present filter; `None` if logging has not been started.
pub fn current_filter() -> Option<CurrentFilter> {
    let in_force = IN_FORCE.get()?;
    let text = in_force.text.read().unwrap_or_else(PoisonError::into_inner);
    Some(CurrentFilter {
        in_force: text.clone(),
        at_start: in_force.at_start.clone(),
    })
}

/// Stores the handle of the global subscriber's filter.
pub(super) fn set_handle(handle: reload::Handle<EnvFilter, Registry>, text: &str) {
    // Does not fail: the global subscriber can be set only once.
    let _ = IN_FORCE.set(InForce {
        handle,
        at_start: text.to_owned(),
        text: RwLock::new(text.to_owned()),
    });
}

impl Filter {
    /// Parses a filter.
    ///
    /// # Errors
    /// The reason why it is invalid.
    pub fn parse(filter: &str) -> Result<Self, String> {
        if filter.len() > MAX_LENGTH_BYTES {
            return Err(format!("a filter has at most {MAX_LENGTH_BYTES} bytes"));
        }
        let directives: Vec<_> = filter.split(',').map(str::trim).collect();
        for directive in &directives {
            // The library would treat any other word as a target and write only that target.
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
        // The library refuses spaces after commas.
        let text = directives.join(",");
        let parsed = EnvFilter::builder()
            .parse(&text)
            .map_err(|fault| fault.to_string())?;
        Ok(Self { text, parsed })
    }

    /// Returns the filter's text, without spaces.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn into_parts(self) -> (String, EnvFilter) {
        (self.text, self.parsed)
    }
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
            assert!(Filter::parse(filter).is_ok(), "{filter}");
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
            assert!(Filter::parse(filter).is_err(), "{filter}");
        }
    }
}
