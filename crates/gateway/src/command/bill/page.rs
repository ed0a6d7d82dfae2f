//! A bill's history as text.

use serde_json::Value;

use crate::command::operator::{
    Align, Page, Table, amount, moment, moment_in_full, number, text, won,
};

/// Returns a history as a page.
pub(super) fn history_page(story: &Value) -> Page {
    let mut page = Page::new();
    write_history(&mut page, story);
    page
}

/// Appends a history to a page.
pub(super) fn write_history(page: &mut Page, story: &Value) {
    let bill = &story["bill"];
    page.line(&format!(
        "Bill of {} {}",
        text(bill, "biller"),
        text(story, "biller_name")
    ));
    page.indented(&name(bill));
    page.gap();
    page.line("Now");
    page.indented(&state(&story["state"]));
    let payments = story["state"]["payments"].as_array();
    if let Some(payments) = payments.filter(|payments| !payments.is_empty()) {
        page.gap();
        page.line("Payments");
        page.indented(&events(payments));
    }
    page.gap();
    page.line(&format!("History by node {}", number(story, "node")));
    let left_off = number(story, "left_off");
    if left_off > 0 {
        page.line(&format!("  {left_off} older facts are left off"));
    }
    page.indented(&facts(story["story"].as_array().map_or(&[], Vec::as_slice)));
    page.gap();
    page.line("Times are Korean.");
    let hint = text(story, "hint");
    if !hint.is_empty() {
        page.line(&format!("Note: {hint}."));
    }
}

fn name(bill: &Value) -> Table {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    for (label, member) in [
        ("user key", "user_key"),
        ("month", "month"),
        ("ordinal", "ordinal"),
        ("notice key", "notice_key"),
    ] {
        let part = text(bill, member);
        if !part.is_empty() {
            table.row([label, part]);
        }
    }
    for (name, value) in bill["parameters"].as_object().into_iter().flatten() {
        table.row([name.as_str(), value.as_str().unwrap_or_default()]);
    }
    table
}

fn state(state: &Value) -> Table {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let until = moment(text(state, "expire_at"));
    table.row([
        "link".to_owned(),
        if until.is_empty() {
            text(state, "link").to_owned()
        } else {
            format!("{}, until {until}", text(state, "link"))
        },
    ]);
    let yes_or_no = |member: &str| if state[member] == true { "yes" } else { "no" };
    table.row(["paid", yes_or_no("paid")]);
    let word = &state["classification"];
    let mut error_bill = yes_or_no("error_bill").to_owned();
    if word.is_object() {
        error_bill = format!(
            "{error_bill}, by {} since {}: {}",
            text(word, "operator"),
            moment(text(word, "since")),
            text(word, "reason")
        );
    }
    table.row(["error bill".to_owned(), error_bill]);
    for refused in state["refused_pay_results"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let what = format!(
            "{} since {}, kept by node {}",
            text(refused, "id").get(..12).unwrap_or_default(),
            moment(text(refused, "since")),
            number(refused, "node")
        );
        table.row(["refused pay-result".to_owned(), what]);
    }
    table
}

fn events(groups: &[Value]) -> Table {
    let mut table = Table::new(&[
        ("pay_id", Align::Right),
        ("type", Align::Left),
        ("won", Align::Right),
        ("paid at", Align::Left),
        ("delivery", Align::Left),
        ("last attempt", Align::Left),
        ("", Align::Left),
    ]);
    for group in groups {
        for event in group["events"].as_array().into_iter().flatten() {
            let delivery = event["delivery"].as_str().unwrap_or("under way");
            let until = moment(text(event, "counts_until"));
            table.row([
                text(group, "pay_id").to_owned(),
                text(event, "pay_type").to_owned(),
                won(event),
                moment(text(event, "paid_at")),
                delivery.to_owned(),
                moment(text(event, "last_attempt_at")),
                if until.is_empty() {
                    until
                } else {
                    format!("counts until {until}")
                },
            ]);
        }
        table.row([
            text(group, "pay_id"),
            "sum",
            &amount(text(group, "sum")),
            "",
            "",
            "",
        ]);
    }
    table
}

fn facts(facts: &[Value]) -> Table {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("", Align::Left),
        ("", Align::Left),
        ("", Align::Left),
    ]);
    for fact in facts {
        let kind = text(fact, "kind");
        let what = match kind {
            "reserved" => format!(
                "link creation under way, until {}",
                moment(text(fact, "until"))
            ),
            "released" => "Kakao Pay created no link".to_owned(),
            "uncertain" => "it is unknown whether Kakao Pay created a link".to_owned(),
            "linked" => format!("until {}", moment(text(fact, "expire_at"))),
            "relinked" => format!("created again, until {}", moment(text(fact, "expire_at"))),
            "payment" => format!(
                "{} {} won, pay_id {}, paid at {}",
                text(fact, "pay_type"),
                won(fact),
                text(fact, "pay_id"),
                moment(text(fact, "paid_at"))
            ),
            "delivery" => delivery(fact),
            "pay_result_refused" => format!(
                "a pay-result was refused: {}",
                text(fact, "message").get(..12).unwrap_or_default()
            ),
            "refusal_closed" => format!(
                "{} by {}: {}",
                text(fact, "message").get(..12).unwrap_or_default(),
                text(fact, "operator"),
                text(fact, "reason")
            ),
            "classified" | "cleared" => {
                format!("by {}: {}", text(fact, "operator"), text(fact, "reason"))
            }
            _ => String::new(),
        };
        let mut request = text(fact, "request_id").to_owned();
        if !request.is_empty() {
            request.insert_str(0, "request ");
        }
        let time = moment_in_full(text(fact, "time"));
        table.row([time, kind.to_owned(), what, request]);
        if let Some(said) = answer(&fact["answer"]) {
            table.row(["", "", &said, ""]);
        }
    }
    table
}

fn delivery(fact: &Value) -> String {
    let mut what = format!(
        "{} of pay_id {}: {}",
        text(fact, "pay_type"),
        text(fact, "pay_id"),
        text(fact, "delivery")
    );
    if text(fact, "delivery") == "closed" {
        what = format!(
            "{what} by {}: {}",
            text(fact, "operator"),
            text(fact, "reason")
        );
    }
    what
}

/// Returns what a biller's answer to a pay-result said: `answered 200 E902 "message"`.
fn answer(answer: &Value) -> Option<String> {
    let status = answer["status"].as_u64()?.to_string();
    let res_code = answer["res_code"].as_str().map(str::to_owned);
    let message = answer["message"].as_str();
    let message = message.map(|message| format!("\"{message}\""));
    let said = ["answered".to_owned(), status];
    let said = said.into_iter().chain(res_code).chain(message);
    Some(said.collect::<Vec<_>>().join(" "))
}

/// Returns a table of one customer's bills.
pub(super) fn bills(bills: &[Value]) -> Table {
    let mut table = Table::new(&[
        ("month", Align::Left),
        ("ordinal", Align::Left),
        ("notice key", Align::Left),
        ("parameters", Align::Left),
    ]);
    let or_dash = |part: &str| if part.is_empty() { "-" } else { part }.to_owned();
    for bill in bills {
        let parameters: Vec<String> = bill["parameters"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
            .collect();
        table.row([
            or_dash(text(bill, "month")),
            or_dash(text(bill, "ordinal")),
            or_dash(text(bill, "notice_key")),
            or_dash(&parameters.join(" ")),
        ]);
    }
    table
}
