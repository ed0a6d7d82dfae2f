//! `gateway ledger verify`: verifies the journal and the state in Redis.

use std::net::SocketAddr;
use std::path::Path;

use ledger::journal::AuditProgress;
use serde_json::{Value, json};

use super::long_request;
use crate::command::operator::{
    Access, Align, Client, Completion, Failure, Page, Table, amount, number, text,
};
use crate::ops::admin::audit_as_json;
use crate::progress_bar::{ProgressBar, Unit};

pub(super) fn run(access: &Access) -> Result<Completion, Failure> {
    let view = access.view()?;
    let verified = if Client::is_listening(view.ops) {
        let client = access.client()?;
        let shown = ("verification", Unit::Count);
        long_request::post(&client, "/admin/ledger/verify", &Value::Null, shown)?
    } else {
        verify_offline(&view.ledger_path)?
    };
    access.print(&verified, &page(&verified, view.ops))?;
    Ok(if verified["sound"] == true {
        Completion::All
    } else {
        Completion::Partial
    })
}

fn verify_offline(directory: &Path) -> Result<Value, Failure> {
    let bar = ProgressBar::new(Unit::Count);
    let audit = ledger::verify_offline(directory, |progress| {
        let AuditProgress { what, done, of } = progress;
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        bar.show(what, count(done), count(of));
    })
    .map_err(|error| Failure::Failed(format!("{}: {error}", directory.display())))?;
    drop(bar);
    Ok(json!({
        "sound": audit.findings.is_empty() && audit.unchecked.is_empty(),
        "journal": audit_as_json(&audit),
        "state_compared": false,
        "shared": null,
    }))
}

fn page(verified: &Value, ops: SocketAddr) -> Page {
    let mut page = Page::new();
    let journal = &verified["journal"];
    let findings = journal["findings"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let found = findings.len() as u64 + number(journal, "findings_left_off");
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let count = |member: &str| amount(&number(journal, member).to_string());
    table.row([
        "journal".to_owned(),
        format!(
            "{} facts of {} bills, {} of them payments and cancels",
            count("rows"),
            count("bills"),
            count("payments")
        ),
    ]);
    table.row([
        "findings".to_owned(),
        if found == 0 {
            "none: every page, row, stamp and pay-result is correct".to_owned()
        } else {
            found.to_string()
        },
    ]);
    table.row([
        "state",
        match (
            verified["state_compared"] == true,
            has(findings, &["state_differs"]),
        ) {
            (false, _) => "not compared: no gateway is running",
            (true, false) => "is the fold of the journal",
            (true, true) => "is NOT the fold of the journal",
        },
    ]);
    table.row(["redis".to_owned(), shared(verified)]);
    page.table(&table);
    if !findings.is_empty() {
        page.gap();
        for finding in findings {
            page.line(&format!("  {}", text(finding, "what")));
        }
        let left_off = number(journal, "findings_left_off");
        if left_off > 0 {
            page.line(&format!("  and {left_off} more"));
        }
    }
    for unchecked in journal["unchecked"].as_array().into_iter().flatten() {
        page.line(&format!(
            "  not checked: {}",
            unchecked.as_str().unwrap_or_default()
        ));
    }
    page.gap();
    if verified["state_compared"] == false {
        page.line(&format!(
            "No gateway answers at {ops}: only the journal was read, and nothing was changed."
        ));
    }
    page.line(if verified["sound"] == true {
        "The ledger is sound."
    } else {
        "The ledger is NOT sound, or could not be checked completely."
    });
    page
}

fn has(findings: &[Value], kinds: &[&str]) -> bool {
    findings
        .iter()
        .any(|finding| kinds.contains(&text(finding, "kind")))
}

fn shared(verified: &Value) -> String {
    let shared = &verified["shared"];
    if shared.is_null() {
        let is_running = verified["state_compared"] == true;
        return if is_running {
            "none configured"
        } else {
            "not compared"
        }
        .to_owned();
    }
    if shared["reached"] == false {
        return "out of reach: not compared".to_owned();
    }
    let [missing, behind, unreadable, answers] =
        ["missing", "behind", "unreadable", "answers_missing"].map(|member| number(shared, member));
    if missing + behind + unreadable + answers == 0 {
        return "has everything that this node knows".to_owned();
    }
    format!(
        "misses {missing} bills and {answers} kept answers, is behind with {behind}, \
         cannot be read in {unreadable}; {} facts wait to be written",
        number(verified, "unshared_facts")
    )
}
