//! `gateway payments`: pay-results that their billers have not accepted; deliver them again.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::{ArgGroup, Subcommand};
use ledger::DeliveryState;
use protocol::BillerCode;
use serde_json::{Value, json};

use super::operator::{
    Access, Align, Client, Done, Failure, Page, Patience, Table, age, amount, moment, number, text,
};

/// Pay-results that are asked for in one go where all of a biller's are delivered.
const PAGE: usize = 1_000;

/// Attempts in a row that a biller may leave unanswered before `--all` gives up.
const SILENCE_BOUND: usize = 5;

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum PaymentsCommand {
    /// Pay-results that were not accepted, the longest waiting first.
    List {
        /// Only these; without it all but the accepted ones.
        #[arg(long, value_name = "STATE", value_parser = delivery)]
        delivery: Option<DeliveryState>,
        /// Only this biller's.
        #[arg(long, value_name = "CODE", value_parser = super::biller_code)]
        biller: Option<BillerCode>,
        /// At most so many.
        #[arg(long, value_name = "LINES", default_value_t = 200)]
        limit: u16,
        #[command(flatten)]
        access: Access,
    },
    /// Deliver again, byte for byte as Kakao Pay sent it; never what was accepted.
    #[command(group = ArgGroup::new("what").required(true).args(["pay_id", "all"]))]
    Redeliver {
        /// The biller's code.
        #[arg(long, value_name = "CODE", value_parser = super::biller_code)]
        biller: BillerCode,
        /// Everything under this `pay_id`, also where it was cancelled since.
        #[arg(long, value_name = "NUMBER", value_parser = pay_id)]
        pay_id: Option<String>,
        /// Everything of the biller but payments that were cancelled fully.
        #[arg(long)]
        all: bool,
        /// With `--all`: at most so many a second.
        #[arg(
            long,
            value_name = "RATE",
            default_value = "5",
            conflicts_with = "pay_id"
        )]
        per_second: NonZeroU32,
        #[command(flatten)]
        access: Access,
    },
}

/// Runs the command.
pub(super) fn run(command: &PaymentsCommand) -> ExitCode {
    match command {
        PaymentsCommand::List {
            delivery,
            biller,
            limit,
            access,
        } => access.exit(list(access, *delivery, *biller, *limit)),
        PaymentsCommand::Redeliver {
            biller,
            pay_id: Some(pay_id),
            access,
            ..
        } => access.exit(redeliver(access, *biller, pay_id)),
        PaymentsCommand::Redeliver {
            biller,
            pay_id: None,
            per_second,
            access,
            ..
        } => access.exit(redeliver_all(access, *biller, *per_second)),
    }
}

fn list(
    access: &Access,
    delivery: Option<DeliveryState>,
    biller: Option<BillerCode>,
    limit: u16,
) -> Result<Done, Failure> {
    let delivery_part = delivery.map(|delivery| format!("&delivery={}", delivery.name()));
    let biller_part = biller.map(|biller| format!("&biller={biller}"));
    let path = format!(
        "/admin/payments?limit={limit}{}{}",
        delivery_part.unwrap_or_default(),
        biller_part.unwrap_or_default()
    );
    let listed = access.client()?.get(&path)?;
    let payments = listed["payments"].as_array().map_or(&[][..], Vec::as_slice);
    let mut page = Page::new();
    if !payments.is_empty() {
        page.table(&table(payments));
        page.gap();
    }
    page.line(&match (payments.len(), delivery) {
        (0, None) => "Every pay-result was accepted by its biller.".to_owned(),
        (0, Some(delivery)) => format!("No pay-result is {}.", delivery.name()),
        (1, _) => "1 pay-result. Times are Korean.".to_owned(),
        (count, _) => format!("{count} pay-results. Times are Korean."),
    });
    let left_off = number(&listed, "left_off");
    if left_off > 0 {
        page.line(&format!(
            "{left_off} more are left off; see --limit and --biller."
        ));
    }
    let hint = text(&listed, "hint");
    if !hint.is_empty() {
        page.line(&format!(
            "Note: {hint} (this is node {}).",
            number(&listed, "node")
        ));
    }
    access.print(&listed, &page).map(|()| Done::All)
}

fn table(payments: &[Value]) -> Table {
    let mut table = Table::new(&[
        ("age", Align::Right),
        ("biller", Align::Left),
        ("pay_id", Align::Right),
        ("type", Align::Left),
        ("won", Align::Right),
        ("paid at", Align::Left),
        ("delivery", Align::Left),
        ("attempts", Align::Right),
        ("last attempt", Align::Left),
        ("", Align::Left),
    ]);
    for payment in payments {
        table.row([
            age(number(payment, "age_seconds")),
            text(payment, "biller").to_owned(),
            text(payment, "pay_id").to_owned(),
            text(payment, "pay_type").to_owned(),
            won(payment),
            moment(text(payment, "paid_at")),
            text(payment, "delivery").to_owned(),
            number(payment, "attempts").to_string(),
            moment(text(payment, "last_attempt_at")),
            match text(payment, "cancelled") {
                "fully" => "cancelled since",
                "in_part" => "cancelled in part",
                _ => "",
            }
            .to_owned(),
        ]);
    }
    table
}

fn won(payment: &Value) -> String {
    let plain = text(payment, "pay_amount").trim_start_matches('-');
    let sign = if text(payment, "pay_type") == "C" {
        "-"
    } else {
        ""
    };
    amount(&format!("{sign}{plain}"))
}

fn redeliver(access: &Access, biller: BillerCode, pay_id: &str) -> Result<Done, Failure> {
    let client = access.client()?;
    let outcomes = deliver(&client, biller, pay_id, Cancelled::Too)?;
    let mut page = Page::new();
    page.table(&told(&outcomes));
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
fn redeliver_all(
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
        let untried: Vec<String> = undelivered(&client, biller)?
            .into_iter()
            .filter(|pay_id| tried.insert(pay_id.clone()))
            .collect();
        if untried.is_empty() {
            break;
        }
        for pay_id in untried {
            let next = Instant::now() + pause;
            let told_now = deliver_if_still_due(&client, biller, &pay_id)?;
            if !access.wants_json() {
                let mut page = Page::new();
                page.table(&told(&told_now));
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

fn undelivered(client: &Client, biller: BillerCode) -> Result<Vec<String>, Failure> {
    let listed = client.get(&format!("/admin/payments?biller={biller}&limit={PAGE}"))?;
    let payments = listed["payments"].as_array().cloned().unwrap_or_default();
    Ok(payments
        .iter()
        .map(|payment| text(payment, "pay_id").to_owned())
        .collect())
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
    page.gap();
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

fn told(outcomes: &[Value]) -> Table {
    let mut table = Table::new(&[
        ("", Align::Right),
        ("", Align::Left),
        ("", Align::Right),
        ("", Align::Left),
    ]);
    for one in outcomes {
        let said = format!("{} {}", number(one, "status"), text(one, "res_code"));
        let what = match text(one, "outcome") {
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
        table.row([
            text(one, "pay_id").to_owned(),
            text(one, "pay_type").to_owned(),
            won(one),
            what,
        ]);
    }
    table
}

fn delivery(name: &str) -> Result<DeliveryState, String> {
    DeliveryState::parse(name)
        .ok_or_else(|| "must be one of accepted, refused, unknown, pending".to_owned())
}

fn pay_id(text: &str) -> Result<String, String> {
    let is_number = serde_json::from_str::<serde_json::Number>(text).is_ok();
    if is_number && protocol::Decimal::parse(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err("must be a number".to_owned())
    }
}
