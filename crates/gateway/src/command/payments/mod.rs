//! `gateway payments`: lists undelivered pay-results, delivers them again, closes them; refused pay-results.

mod close;
mod redeliver;
mod refused;

use std::num::NonZeroU32;
use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use ledger::DeliveryState;
use protocol::BillerCode;
use serde_json::Value;

use self::close::close;
use self::redeliver::{redeliver, redeliver_all};
use self::refused::RefusedCommand;
use super::operator::{
    Access, Align, Completion, Failure, Page, Table, age, moment, number, text, user_name, won,
};

/// Subcommands of `gateway payments`.
#[derive(Debug, Subcommand)]
pub(super) enum PaymentsCommand {
    /// List undelivered pay-results, the oldest first.
    List {
        /// Only pay-results in this delivery state; by default all but accepted and closed ones.
        #[arg(long, value_name = "STATE", value_parser = delivery)]
        delivery: Option<DeliveryState>,
        /// Only this biller's.
        #[arg(long, value_name = "CODE", value_parser = super::biller_code)]
        biller: Option<BillerCode>,
        /// Most entries.
        #[arg(long, value_name = "LINES", default_value_t = 200)]
        limit: u16,
        #[command(flatten)]
        access: Access,
    },
    /// Deliver undelivered pay-results again, byte for byte as Kakao Pay sent them.
    #[command(group = ArgGroup::new("what").required(true).args(["pay_id", "all"]))]
    Redeliver {
        /// The biller's code.
        #[arg(long, value_name = "CODE", value_parser = super::biller_code)]
        biller: BillerCode,
        /// All events of this `pay_id`, even if it was cancelled since.
        #[arg(long, value_name = "NUMBER", value_parser = pay_id)]
        pay_id: Option<String>,
        /// All undelivered pay-results of the biller but fully cancelled payments.
        #[arg(long)]
        all: bool,
        /// With `--all`: most deliveries per second.
        #[arg(
            long,
            value_name = "RATE",
            default_value = "5",
            conflicts_with = "pay_id"
        )]
        per_second: NonZeroU32,
        /// Deliver although Redis is out of reach and no other node can be asked.
        #[arg(long)]
        alone: bool,
        #[command(flatten)]
        access: Access,
    },
    /// Close an undelivered pay-result by hand: it leaves the list and is not delivered again.
    Close {
        /// The biller's code; it need not be registered any more.
        #[arg(long, value_name = "CODE", value_parser = super::biller_code)]
        biller: BillerCode,
        /// All undelivered events of this `pay_id`.
        #[arg(long, value_name = "NUMBER", value_parser = pay_id)]
        pay_id: String,
        #[command(flatten)]
        act: Act,
        #[command(flatten)]
        access: Access,
    },
    /// Pay-results that a check refused although money may have moved.
    #[command(subcommand)]
    Refused(RefusedCommand),
}

/// Reason and operator of an act; both are kept.
#[derive(Debug, Args)]
pub(super) struct Act {
    /// The reason, which is kept.
    #[arg(long, value_name = "TEXT", value_parser = super::text)]
    reason: String,
    #[command(flatten)]
    operator: OperatorName,
}

/// Who acts.
#[derive(Debug, Args)]
pub(super) struct OperatorName {
    /// The operator's name; by default the user's, and required if the user has none.
    #[arg(long, value_name = "NAME", value_parser = super::text)]
    operator: Option<String>,
}

impl OperatorName {
    /// Returns the name that is given, else the user's.
    fn name(&self) -> Result<String, Failure> {
        self.operator.clone().map_or_else(user_name, Ok)
    }
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
            alone,
            access,
            ..
        } => access.exit(redeliver(access, *biller, (pay_id, *alone))),
        PaymentsCommand::Redeliver {
            biller,
            pay_id: None,
            per_second,
            alone,
            access,
            ..
        } => access.exit(redeliver_all(access, *biller, (*per_second, *alone))),
        PaymentsCommand::Close {
            biller,
            pay_id,
            act,
            access,
        } => access.exit(close(access, *biller, pay_id, act)),
        PaymentsCommand::Refused(command) => command.run(),
    }
}

fn list(
    access: &Access,
    delivery: Option<DeliveryState>,
    biller: Option<BillerCode>,
    limit: u16,
) -> Result<Completion, Failure> {
    let delivery_part = delivery.map(|delivery| format!("&delivery={}", delivery.name()));
    let biller_part = biller.map(|biller| format!("&biller={biller}"));
    let path = format!(
        "/admin/payments?limit={limit}{}{}",
        delivery_part.unwrap_or_default(),
        biller_part.unwrap_or_default()
    );
    let listed = access.client()?.get(&path)?;
    let none = delivery.map_or_else(
        || "Every pay-result was accepted by its biller, or closed.".to_owned(),
        |delivery| format!("No pay-result is {}.", delivery.name()),
    );
    let page = list_page(&listed, ("payments", table), ("pay-result", &none));
    access.print(&listed, &page).map(|()| Completion::All)
}

/// Returns the entries under `member` as a table, with what is left off and the node's hint. `none` is said where there
/// is nothing to list.
fn list_page(
    listed: &Value,
    (member, table): (&str, fn(&[Value]) -> Table),
    (noun, none): (&str, &str),
) -> Page {
    let entries = listed[member].as_array().map_or(&[][..], Vec::as_slice);
    let left_off = number(listed, "left_off");
    let mut page = Page::new();
    if !entries.is_empty() {
        page.table(&table(entries));
        page.gap();
    }
    match (entries.len(), left_off) {
        (0, 0) => page.line(none),
        (0, _) => {}
        (1, _) => page.line(&format!("1 {noun}. Times are Korean.")),
        (count, _) => page.line(&format!("{count} {noun}s. Times are Korean.")),
    }
    if left_off > 0 {
        page.line(&format!(
            "{left_off} more are left off; see --limit and --biller."
        ));
    }
    let hint = text(listed, "hint");
    if !hint.is_empty() {
        page.line(&format!(
            "Note: {hint} (this is node {}).",
            number(listed, "node")
        ));
    }
    page
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

fn delivery(name: &str) -> Result<DeliveryState, String> {
    DeliveryState::parse(name)
        .ok_or_else(|| "must be one of accepted, refused, unknown, pending, closed".to_owned())
}

fn pay_id(text: &str) -> Result<String, String> {
    let is_number = serde_json::from_str::<serde_json::Number>(text).is_ok();
    if is_number && protocol::PayId::parse_stored(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err("must be a number".to_owned())
    }
}
