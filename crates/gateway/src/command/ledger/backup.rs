//! `gateway ledger backup`: a copy of a running gateway's journal.

use std::path::{Path, absolute};

use serde_json::{Value, json};

use super::long_request;
use crate::command::operator::{Access, Completion, Failure, Page, amount, number, text};
use crate::progress_bar::Unit;

pub(super) fn run(access: &Access, to: &Path) -> Result<Completion, Failure> {
    let client = access.client()?;
    // The gateway has another working directory.
    let to = absolute(to)
        .map_err(|error| Failure::Usage(format!("{}: names no file: {error}", to.display())))?;
    let to = to
        .to_str()
        .ok_or_else(|| Failure::Usage(format!("{}: the name must be UTF-8", to.display())))?;
    let request = json!({ "to": to });
    let shown = ("backup", Unit::Bytes);
    let written = long_request::post(&client, "/admin/ledger/backup", &request, shown)?;
    access.print(&written, &page(&written))?;
    Ok(Completion::All)
}

fn page(written: &Value) -> Page {
    let grouped = |member: &str| amount(&number(written, member).to_string());
    let mut page = Page::new();
    page.line(&format!(
        "{}: {} facts of node {}, {} bytes, in {} ms",
        text(written, "file"),
        grouped("facts"),
        number(written, "node"),
        grouped("bytes"),
        grouped("took_ms"),
    ));
    page
}
