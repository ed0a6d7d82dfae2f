//! `gateway payments redeliver`: one payment, or all of a biller's at a bounded rate.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::thread;
use std::time::{Duration, Instant};

use protocol::BillerCode;
use serde_json::{Value, json};

use crate::command::operator::{
    Access, Align, Client, Done, Failure, Page, Patience, Table, number, text, won,
};

/// Pay-results that are asked for in one go where all of a biller's are delivered.
const PAGE: usize = 1_000;

/// Attempts in a row that a biller may leave unanswered before `--all` gives up.
const SILENCE_BOUND: usize = 5;

/// Everything of one `pay_id`.
pub(super) fn redeliver(
    access: &Access,
    biller: BillerCode,
    pay_id: &str,
) -> Result<Done, Failure> {
    let client = access.client()?;
    let outcomes = deliver(&client, biller, pay_id, Cancelled::Too)?;
    let mut page = Page::new();
    page.table(&told(&outcomes, Widths::default()));
    let json = json!({ "outcomes": outcomes });
    access.print(&json, &page)?;
    let all = outcomes
        .iter()
        .all(|one| text(one, "outcome") == "accepted");
    Ok(if all { Done::All } else { Done::NotAll })
}

/// Whether payments that were cancelled fully are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cancelled {
    Too,
    Not,
}

fn deliver(
    client: &Client,
    biller: BillerCode,
    pay_id: &str,
    cancelled: Cancelled,
) -> Result<Vec<Value>, Failure> {
    let order = json!({
        "biller": biller.as_str(),
        "pay_id": pay_id,
        "even_cancelled": cancelled == Cancelled::Too,
    });
    let answer = client.post("/admin/payments/redeliver", &order, Patience::Ordinary)?;
    Ok(answer["outcomes"].as_array().cloned().unwrap_or_default())
}

/// One `pay_id` after another, at a bounded rate; interrupted, it leaves nothing half done.
pub(super) fn redeliver_all(
    access: &Access,
    biller: BillerCode,
    per_second: NonZeroU32,
) -> Result<Done, Failure> {
    let client = access.client()?;
    let mut outcomes: Vec<Value> = Vec::new();
    let mut tried: HashSet<String> = HashSet::new();
    let pause = Duration::from_secs(1) / per_second.get();
    let mut silences = 0;
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
            let told_now = deliver_if_still_due(&client, biller, &pay_id)?;
            if !access.wants_json() {
                let mut page = Page::new();
                page.table(&told(&told_now, widths));
                access.print(&Value::Null, &page)?;
            }
            for one in told_now {
                let is_silence = ["unknown", "not_sent"].contains(&text(&one, "outcome"));
                silences = if is_silence { silences + 1 } else { 0 };
                outcomes.push(one);
            }
            if silences >= SILENCE_BOUND {
                break 'all;
            }
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }
    let stopped = silences >= SILENCE_BOUND;
    let json = json!({ "outcomes": outcomes, "stopped": stopped });
    access.print(&json, &summary(&outcomes, silences))?;
    let is_fine =
        |one: &Value| ["accepted", "already_accepted", "cancelled"].contains(&text(one, "outcome"));
    Ok(if outcomes.iter().all(is_fine) {
        Done::All
    } else {
        Done::NotAll
    })
}

/// The numbers of a biller's payments, each with its amount.
fn undelivered(client: &Client, biller: BillerCode) -> Result<Vec<(String, String)>, Failure> {
    let listed = client.get(&format!("/admin/payments?biller={biller}&limit={PAGE}"))?;
    let payments = listed["payments"].as_array().cloned().unwrap_or_default();
    Ok(payments
        .iter()
        .map(|payment| (text(payment, "pay_id").to_owned(), won(payment)))
        .collect())
}

/// Columns that keep lines aligned which are printed one by one.
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

/// One that was accepted, or is being told, since it was listed is no failure.
fn deliver_if_still_due(
    client: &Client,
    biller: BillerCode,
    pay_id: &str,
) -> Result<Vec<Value>, Failure> {
    match deliver(client, biller, pay_id, Cancelled::Not) {
        Err(Failure::Refused(answer)) => match answer.code() {
            Some(code @ ("already_accepted" | "under_way")) => {
                Ok(vec![json!({ "pay_id": pay_id, "outcome": code })])
            }
            _ => Err(Failure::Refused(answer)),
        },
        outcome => outcome,
    }
}

fn summary(outcomes: &[Value], silences: usize) -> Page {
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
            "{cancelled} left alone: cancelled since. To deliver one, name it with --pay-id."
        ));
    }
    if silences >= SILENCE_BOUND {
        page.line("Stopped: the biller left the last attempts without an answer.");
    }
    page
}

fn told(outcomes: &[Value], widths: Widths) -> Table {
    let mut table = Table::new(&[
        ("", Align::Right),
        ("", Align::Left),
        ("", Align::Right),
        ("", Align::Left),
    ]);
    for one in outcomes {
        let said = format!("{} {}", number(one, "status"), text(one, "res_code"));
        let mut what = match text(one, "outcome") {
            "accepted" => format!("accepted: the biller answered {said}"),
            "refused" => format!("refused: the biller answered {said}"),
            "unknown" => format!("unknown: no readable answer ({said}); the biller may have heard"),
            "not_sent" => format!("not sent: the biller was not reached ({said})"),
            "already_accepted" => "not told: the biller accepted it before".to_owned(),
            "under_way" => "not told: a copy is under way at this moment".to_owned(),
            "busy" => "not told: the biller has its most pay-results in flight".to_owned(),
            "not_kept" => "not told: this node's journal has not its bytes".to_owned(),
            "cancelled" => "not told: cancelled since; name it with --pay-id".to_owned(),
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
