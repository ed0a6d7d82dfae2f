//! `gateway check`: validates a configuration.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use crate::config::Config;
use crate::lifecycle::Gateway;

/// Validates the file and everything that it names.
pub(super) fn run(file: &Path) -> Result<(), Box<dyn Error>> {
    let loaded = Config::load(file)?;
    Gateway::check_tls(&loaded)?;
    let mut out = std::io::stdout().lock();
    for warning in &loaded.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(
        out,
        "{}: ok, {} billers",
        file.display(),
        loaded.billers.len()
    )?;
    Ok(())
}
