//! `gateway ledger rebuild`: rewrites the state in Redis.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::command::operator::{Access, Completion, Failure, Page, Wait, amount, number};

/// Interval between two looks at a rebuild's progress.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

pub(super) fn run(access: &Access, wait: Duration) -> Result<Completion, Failure> {
    let client = access.client()?;
    let begun = client.post("/admin/ledger/rebuild", &Value::Null, Wait::Bounded)?;
    let facts = number(&begun, "facts");
    let end = Instant::now() + wait;
    let left = loop {
        let left = number(&client.get("/admin/ledger")?, "unshared_facts");
        if left == 0 || Instant::now() >= end {
            break left;
        }
        thread::sleep(POLL_INTERVAL);
    };
    let mut page = Page::new();
    let facts_text = amount(&facts.to_string());
    page.line(&if left == 0 {
        format!("Redis has all {facts_text} facts of this node's journal.")
    } else {
        format!(
            "{} of {facts_text} facts are not written yet; the gateway continues in the background.",
            amount(&left.to_string())
        )
    });
    page.line(&format!(
        "This was node {}; every other node has its own journal.",
        number(&begun, "node")
    ));
    let json = json!({ "facts": facts, "left": left, "node": begun["node"] });
    access.print(&json, &page)?;
    Ok(if left == 0 {
        Completion::All
    } else {
        Completion::Partial
    })
}
