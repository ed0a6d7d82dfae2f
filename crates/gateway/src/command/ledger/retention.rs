//! `gateway ledger retention --dry-run`: what the retention would forget.

use serde_json::Value;

use crate::command::operator::{
    Access, Align, Completion, Failure, Page, Table, Wait, amount, moment, number, text,
};

/// The classes: member of the answer, name, key of the configuration.
const CLASSES: [(&str, &str, &str); 3] = [
    ("unpaid_bills", "bills never paid", "ledger.retention"),
    ("paid_bills", "paid bills", "ledger.retention_paid"),
    ("bodies", "bytes of pay-results", "ledger.keep_bodies"),
];

pub(super) fn run(access: &Access) -> Result<Completion, Failure> {
    let client = access.client()?;
    let preview = client.get_within("/admin/ledger/retention", Wait::Unbounded)?;
    access.print(&preview, &page(&preview))?;
    Ok(Completion::All)
}

/// The count; where more may be due than were looked at, that is said.
fn count(class: &Value) -> String {
    let count = amount(&number(class, "count").to_string());
    if class["complete"] == false {
        return format!("{count} or more");
    }
    count
}

fn page(preview: &Value) -> Page {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("would go", Align::Right),
        ("last heard of before", Align::Left),
        ("the oldest", Align::Left),
        ("key", Align::Left),
    ]);
    for (member, name, key) in CLASSES {
        let class = &preview[member];
        table.row([
            name.to_owned(),
            count(class),
            moment(text(class, "before")),
            moment(text(class, "oldest")),
            key.to_owned(),
        ]);
    }
    let mut page = Page::new();
    page.table(&table);
    page.gap();
    page.line(
        "Nothing was changed: the gateway forgets these itself, in small steps. Times are Korean.",
    );
    page
}
