//! Which events are written; can be changed while the gateway runs.

use std::sync::{OnceLock, PoisonError, RwLock};

use tracing_subscriber::{EnvFilter, Registry, reload};

/// What is written unless something else is said.
pub(super) const DEFAULT: &str = "info";

/// The longest filter that is read.
const MAX_LENGTH_BYTES: usize = 1_024;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

static IN_FORCE: OnceLock<InForce> = OnceLock::new();

struct InForce {
    handle: reload::Handle<EnvFilter, Registry>,
    at_start: String,
    text: RwLock<String>,
}

/// What is written: levels, alone or per target (`info,ledger=debug,call=off`).
#[derive(Debug)]
pub struct Filter {
    text: String,
    parsed: EnvFilter,
}

/// The filter of a process that logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentFilter {
    /// What is written now.
    pub in_force: String,
    /// What was written at first, and will be after the next start.
    pub at_start: String,
}

/// Writes other events from now on.
///
/// # Errors
/// When nothing is logged in this process.
pub fn set_filter(filter: Filter) -> Result<(), String> {
    let in_force = IN_FORCE.get().ok_or("nothing is logged in this process")?;
    // Of two changes at once, the text is the one's that won.
    let mut text = in_force
        .text
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    let reloaded = in_force.handle.reload(filter.parsed);
    reloaded.map_err(|fault| fault.to_string())?;
    *text = filter.text;
    Ok(())
}

/// What is written at this moment; `None` where nothing is logged in this process.
pub fn current_filter() -> Option<CurrentFilter> {
    let in_force = IN_FORCE.get()?;
    let text = in_force.text.read().unwrap_or_else(PoisonError::into_inner);
    Some(CurrentFilter {
        in_force: text.clone(),
        at_start: in_force.at_start.clone(),
    })
}

pub(super) fn keep(handle: reload::Handle<EnvFilter, Registry>, text: &str) {
    // There is one: the global subscriber that it belongs to can be set only once.
    let _ = IN_FORCE.set(InForce {
        handle,
        at_start: text.to_owned(),
        text: RwLock::new(text.to_owned()),
    });
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// With what is wrong with it.
    pub fn parse(filter: &str) -> Result<Self, String> {
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
        let text = directives.join(",");
        let parsed = EnvFilter::builder()
            .parse(&text)
            .map_err(|fault| fault.to_string())?;
        Ok(Self { text, parsed })
    }

    /// As it is read: without spaces.
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
