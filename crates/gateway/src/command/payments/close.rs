//! `gateway payments close`: closes an undelivered pay-result by hand.

use protocol::BillerCode;
use serde_json::json;

use super::Act;
use crate::command::operator::{Access, Align, Completion, Failure, Page, Table, Wait, text, won};

/// Closes all undelivered events of one `pay_id`.
pub(super) fn close(
    access: &Access,
    biller: BillerCode,
    pay_id: &str,
    act: &Act,
) -> Result<Completion, Failure> {
    let request = json!({
        "biller": biller.as_str(),
        "pay_id": pay_id,
        "reason": act.reason,
        "operator": act.operator.name()?,
    });
    let client = access.client()?;
    let answer = client.post("/admin/payments/close", &request, Wait::Bounded)?;
    let mut table = Table::new(&[
        ("", Align::Right),
        ("", Align::Left),
        ("", Align::Right),
        ("", Align::Left),
    ]);
    for one in answer["closed"].as_array().into_iter().flatten() {
        table.row([
            text(one, "pay_id").to_owned(),
            text(one, "pay_type").to_owned(),
            won(one),
            format!("closed; it was {}", text(one, "was")),
        ]);
    }
    let mut page = Page::new();
    page.table(&table);
    access.print(&answer, &page).map(|()| Completion::All)
}
