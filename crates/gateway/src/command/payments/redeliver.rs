//! `gateway payments redeliver`: delivers one payment, or all of a biller's at a bounded rate.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::thread;
use std::time::{Duration, Instant};

use protocol::BillerCode;
use serde_json::{Value, json};

use crate::command::operator::{
    Access, Align, Client, Completion, Failure, Page, Table, Wait, number, text, won,
};

/// Most pay-results of one listing, for `--all`.
const PAGE_ENTRIES: usize = 1_000;

/// Unanswered attempts in a row after which `--all` stops.
const UNANSWERED_MAX: usize = 5;

/// Delivers all events of one `pay_id`.
pub(super) fn redeliver(
    access: &Access,
    biller: BillerCode,
    (pay_id, alone): (&str, bool),
) -> Result<Completion, Failure> {
    let client = access.client()?;
    let outcomes = deliver(&client, biller, pay_id, (Cancelled::Too, alone))?;
    let mut page = Page::new();
    page.table(&outcome_table(&outcomes, Widths::default()));
    if let Some(hint) = hint(&outcomes) {
        page.line(hint);
    }
    let json = json!({ "outcomes": outcomes });
    access.print(&json, &page)?;
    let all = outcomes
        .iter()
        .all(|one| text(one, "outcome") == "accepted");
    Ok(if all {
        Completion::All
    } else {
        Completion::Partial
    })
}

/// Whether fully cancelled payments are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cancelled {
    Too,
    Not,
}

fn deliver(
    client: &Client,
    biller: BillerCode,
    pay_id: &str,
    (cancelled, alone): (Cancelled, bool),
) -> Result<Vec<Value>, Failure> {
    let request = json!({
        "biller": biller.as_str(),
        "pay_id": pay_id,
        "even_cancelled": cancelled == Cancelled::Too,
        "alone": alone,
    });
    let answer = client.post("/admin/payments/redeliver", &request, Wait::Bounded)?;
    Ok(answer["outcomes"].as_array().cloned().unwrap_or_default())
}

/// Delivers one `pay_id` after another, at a bounded rate. It can be interrupted at any time.
pub(super) fn redeliver_all(
    access: &Access,
    biller: BillerCode,
    (per_second, alone): (NonZeroU32, bool),
) -> Result<Completion, Failure> {
    let client = access.client()?;
    let mut outcomes: Vec<Value> = Vec::new();
    let mut tried: HashSet<String> = HashSet::new();
    let pause = Duration::from_secs(1) / per_second.get();
    let mut unanswered = 0;
    let mut is_out_of_reach = false;
    'all: loop {
        let untried: Vec<(String, String)> = undelivered(&client, biller)?
            .into_iter()
            .filter(|(pay_id, _)| tried.insert(pay_id.clone()))
            .collect();
        if untried.is_empty() {
            break;
        }
        let widths = Widths::of(&untried);
        for (pay_id, _) in untried {
            let next = Instant::now() + pause;
            let delivered = deliver_if_still_due(&client, biller, (&pay_id, alone))?;
            if !access.wants_json() {
                let mut page = Page::new();
                page.table(&outcome_table(&delivered, widths));
                access.print(&Value::Null, &page)?;
            }
            for one in delivered {
                let is_unanswered = ["unknown", "not_sent"].contains(&text(&one, "outcome"));
                unanswered = if is_unanswered { unanswered + 1 } else { 0 };
                is_out_of_reach |= text(&one, "outcome") == "out_of_reach";
                outcomes.push(one);
            }
            if is_out_of_reach || unanswered >= UNANSWERED_MAX {
                break 'all;
            }
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }
    let stopped = is_out_of_reach || unanswered >= UNANSWERED_MAX;
    let json = json!({ "outcomes": outcomes, "stopped": stopped });
    access.print(&json, &summary(&outcomes, unanswered))?;
    let is_fine =
        |one: &Value| ["accepted", "already_accepted", "cancelled"].contains(&text(one, "outcome"));
    Ok(if outcomes.iter().all(is_fine) {
        Completion::All
    } else {
        Completion::Partial
    })
}

/// Returns `pay_id` and amount of a biller's undelivered pay-results.
fn undelivered(client: &Client, biller: BillerCode) -> Result<Vec<(String, String)>, Failure> {
    let listed = client.get(&format!(
        "/admin/payments?biller={biller}&limit={PAGE_ENTRIES}"
    ))?;
    let payments = listed["payments"].as_array().cloned().unwrap_or_default();
    Ok(payments
        .iter()
        .map(|payment| (text(payment, "pay_id").to_owned(), won(payment)))
        .collect())
}

/// Column widths, in characters, that align lines printed one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Widths {
    pay_id: usize,
    won: usize,
}

impl Widths {
    fn of(payments: &[(String, String)]) -> Self {
        let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
        Self {
            pay_id: longest(&mut payments.iter().map(|(pay_id, _)| pay_id.len())),
            won: longest(&mut payments.iter().map(|(_, won)| won.len())),
        }
    }
}

/// Delivers one `pay_id`; one that was accepted, or is under way, since it was listed is no failure.
fn deliver_if_still_due(
    client: &Client,
    biller: BillerCode,
    (pay_id, alone): (&str, bool),
) -> Result<Vec<Value>, Failure> {
    match deliver(client, biller, pay_id, (Cancelled::Not, alone)) {
        Err(Failure::Refused(answer)) => match answer.code() {
            Some(code @ ("already_accepted" | "under_way")) => {
                Ok(vec![json!({ "pay_id": pay_id, "outcome": code })])
            }
            _ => Err(Failure::Refused(answer)),
        },
        outcome => outcome,
    }
}

fn summary(outcomes: &[Value], unanswered: usize) -> Page {
    let mut page = Page::new();
    if outcomes.is_empty() {
        page.line("Every pay-result of this biller was accepted: nothing to deliver.");
        return page;
    }
    let count = |outcome: &str| {
        let of_it = outcomes
            .iter()
            .filter(|one| text(one, "outcome") == outcome);
        of_it.count()
    };
    page.line("");
    page.line(&format!(
        "{} of {} accepted, {} refused, {} without a readable answer, {} never sent.",
        count("accepted"),
        outcomes.len(),
        count("refused"),
        count("unknown"),
        count("not_sent"),
    ));
    let cancelled = count("cancelled");
    if cancelled > 0 {
        page.line(&format!(
            "{cancelled} not sent: cancelled since. To deliver one, name it with --pay-id."
        ));
    }
    if let Some(hint) = hint(outcomes) {
        page.line(&format!("Stopped: {hint}"));
    }
    if unanswered >= UNANSWERED_MAX {
        page.line("Stopped: the biller left the last attempts without an answer.");
    }
    page
}

/// Returns what to do where a delivery waits for Redis.
fn hint(outcomes: &[Value]) -> Option<&str> {
    let mut hints = outcomes.iter().map(|one| text(one, "hint"));
    hints.find(|hint| !hint.is_empty())
}

fn outcome_table(outcomes: &[Value], widths: Widths) -> Table {
    let mut table = Table::new(&[
        ("", Align::Right),
        ("", Align::Left),
        ("", Align::Right),
        ("", Align::Left),
    ]);
    for one in outcomes {
        let answer = format!("{} {}", number(one, "status"), text(one, "res_code"));
        let mut what = match text(one, "outcome") {
            "accepted" => format!("accepted: the biller answered {answer}"),
            "refused" => format!("refused: the biller answered {answer}"),
            "unknown" => {
                format!("unknown: no readable answer ({answer}); the biller may have received it")
            }
            "not_sent" => format!("not sent: the biller was not reached ({answer})"),
            "already_accepted" => "not sent: the biller has accepted it already".to_owned(),
            "under_way" => "not sent: a copy is under way".to_owned(),
            "busy" => "not sent: the biller's bound on pay-results in flight is reached".to_owned(),
            "not_kept" => "not sent: this node's journal does not hold the bytes".to_owned(),
            "cancelled" => "not sent: cancelled since; name it with --pay-id".to_owned(),
            "closed" => "not sent: an operator has closed it".to_owned(),
            "out_of_reach" => "not sent: Redis is out of reach".to_owned(),
            other => other.to_owned(),
        };
        what.push_str(match text(one, "cancelled") {
            "fully" => "; its payment was cancelled fully before",
            "in_part" => "; its payment was cancelled in part before",
            _ => "",
        });
        table.row([
            format!("{:>columns$}", text(one, "pay_id"), columns = widths.pay_id),
            format!("{:1}", text(one, "pay_type")),
            format!("{:>columns$}", won(one), columns = widths.won),
            what,
        ]);
    }
    table
}
