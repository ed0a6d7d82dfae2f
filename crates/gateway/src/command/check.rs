//! `gateway check`: validates a configuration, and with `--connect` tries what it names.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use super::connect;
use crate::config::Config;
use crate::lifecycle::Gateway;

/// Validates the file and everything that it names.
pub(super) fn run(file: &Path, connect: bool) -> Result<(), Box<dyn Error>> {
    let loaded = Config::load(file)?;
    Gateway::check_tls(&loaded)?;
    let mut out = std::io::stdout().lock();
    for warning in &loaded.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    let mut refused = Vec::new();
    for notice in &loaded.expiring {
        if notice.is_refused {
            refused.push(notice.diagnostic.to_string());
        } else {
            writeln!(out, "warning: {}", notice.diagnostic)?;
        }
    }
    if refused.is_empty() {
        let (file, billers) = (file.display(), loaded.billers.len());
        writeln!(out, "{file}: ok, {billers} billers")?;
    }
    let unreached = if connect {
        connect::run(&loaded, &mut out)?
    } else {
        0
    };
    if unreached > 0 {
        refused.push(format!(
            "{unreached} of the servers that it names cannot be used: see the faults above"
        ));
    }
    if refused.is_empty() {
        Ok(())
    } else {
        Err(refused.join("\n").into())
    }
}
