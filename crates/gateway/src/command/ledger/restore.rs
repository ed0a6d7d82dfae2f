//! `gateway ledger restore`: takes a backup into service, as a new node.

use std::path::Path;

use serde_json::json;

use crate::command::operator::{Access, Completion, Failure, Page, amount};

pub(super) fn run(access: &Access, from: &Path) -> Result<Completion, Failure> {
    let directory = access.view()?.ledger_path;
    let restored = ledger::restore(from, &directory)
        .map_err(|error| Failure::Failed(format!("nothing was restored: {error}")))?;
    let mut page = Page::new();
    page.line(&format!(
        "{}: restored from {}: {} facts, as node {}",
        directory.display(),
        from.display(),
        amount(&restored.facts.to_string()),
        restored.node
    ));
    page.line("What came after the backup is missing, unless Redis has it: start the gateway, then verify.");
    let json = json!({
        "directory": directory.display().to_string(),
        "facts": restored.facts,
        "node": restored.node,
    });
    access.print(&json, &page)?;
    Ok(Completion::All)
}
