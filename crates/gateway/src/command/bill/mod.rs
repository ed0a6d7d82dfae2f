//! `gateway bill`: shows a bill's history, classifies it as an error bill or clears it.

mod page;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use protocol::BillerCode;
use serde_json::{Map, Value, json};

use self::page::{bills, history_page, write_history};
use super::operator::{Access, Client, Completion, Failure, Page, Wait, user_name};

/// Subcommands of `gateway bill`.
#[derive(Debug, Subcommand)]
pub(super) enum BillCommand {
    /// Show a bill's state and all its facts in order.
    Show {
        #[command(flatten)]
        bill: BillArgs,
        #[command(flatten)]
        access: Access,
    },
    /// Make a bill an error bill: links, notice and prepay are answered E817.
    Classify {
        #[command(flatten)]
        bill: BillArgs,
        #[command(flatten)]
        change: ChangeArgs,
        #[command(flatten)]
        access: Access,
    },
    /// Clear an error bill.
    Clear {
        #[command(flatten)]
        bill: BillArgs,
        /// Close its refused pay-results too, also those of other nodes.
        #[arg(long)]
        even_refused: bool,
        #[command(flatten)]
        change: ChangeArgs,
        #[command(flatten)]
        access: Access,
    },
}

/// The members that identify a bill; those that it does not have are left out.
#[derive(Debug, Args)]
pub(super) struct BillArgs {
    /// The biller's code.
    #[arg(long, value_name = "CODE", value_parser = super::biller_code)]
    biller: BillerCode,
    /// `biller_user_key`.
    #[arg(long, value_name = "KEY")]
    user_key: String,
    /// `billed_year_month`.
    #[arg(long, value_name = "YYYYMM", value_parser = month)]
    month: Option<String>,
    /// `ordinal`.
    #[arg(long)]
    ordinal: Option<String>,
    /// `biller_notice_key`.
    #[arg(long, value_name = "KEY")]
    notice_key: Option<String>,
    /// An identity parameter of the biller; may be given several times.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
}

/// Reason and operator of a change; both are kept in the bill's history.
#[derive(Debug, Args)]
pub(super) struct ChangeArgs {
    /// The reason, kept in the bill's history.
    #[arg(long, value_name = "TEXT", value_parser = super::text)]
    reason: String,
    /// The operator's name; by default the user's, and required if the user has none.
    #[arg(long, value_name = "NAME", value_parser = super::text)]
    operator: Option<String>,
}

/// Runs the command.
pub(super) fn run(command: &BillCommand) -> ExitCode {
    match command {
        BillCommand::Show { bill, access } => access.exit(show(access, bill)),
        BillCommand::Classify {
            bill,
            change,
            access,
        } => access.exit(change_classification(access, bill, change, Verb::Classify)),
        BillCommand::Clear {
            bill,
            even_refused,
            change,
            access,
        } => {
            let verb = if *even_refused {
                Verb::ClearEvenRefused
            } else {
                Verb::Clear
            };
            access.exit(change_classification(access, bill, change, verb))
        }
    }
}

fn show(access: &Access, bill: &BillArgs) -> Result<Completion, Failure> {
    let client = access.client()?;
    match post(&client, "/admin/bills/show", bill.to_json()) {
        Ok(history) => access
            .print(&history, &history_page(&history))
            .map(|()| Completion::All),
        Err(Failure::Refused(answer)) if answer.code() == Some("unknown_bill") => {
            let mut page = Page::new();
            page.line("This bill is unknown.");
            let others = answer.body["bills_of_this_user_key"].as_array();
            let others = others.map_or(&[][..], Vec::as_slice);
            if !others.is_empty() {
                page.gap();
                page.line("Known bills of this user key:");
                page.indented(&bills(others));
            }
            access
                .print(&answer.body, &page)
                .map(|()| Completion::Partial)
        }
        Err(failure) => Err(failure),
    }
}

/// A change of a bill's classification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Classify,
    Clear,
    ClearEvenRefused,
}

fn change_classification(
    access: &Access,
    bill: &BillArgs,
    change: &ChangeArgs,
    verb: Verb,
) -> Result<Completion, Failure> {
    let operator = match &change.operator {
        Some(name) => name.clone(),
        None => user_name()?,
    };
    let client = access.client()?;
    let mut members = bill.to_json();
    members.insert("operator".into(), operator.into());
    members.insert("reason".into(), change.reason.as_str().into());
    if verb == Verb::ClearEvenRefused {
        members.insert("even_refused".into(), true.into());
    }
    let path = match verb {
        Verb::Classify => "/admin/bills/classify",
        Verb::Clear | Verb::ClearEvenRefused => "/admin/bills/clear",
    };
    let history = post(&client, path, members)?;
    let mut page = Page::new();
    page.line(match verb {
        Verb::Classify => {
            "The bill is an error bill from now on: links, notice and prepay are answered E817."
        }
        _ if history["state"]["error_bill"] == true => {
            "The classification is cleared, but a refused pay-result keeps it an error bill."
        }
        _ => "The bill is no error bill any more.",
    });
    if history["was_known"] == false {
        page.line("The bill was unknown before: check every member of its identity.");
    }
    page.gap();
    write_history(&mut page, &history);
    access.print(&history, &page).map(|()| Completion::All)
}

fn post(client: &Client, path: &str, members: Map<String, Value>) -> Result<Value, Failure> {
    client.post(path, &Value::Object(members), Wait::Bounded)
}

impl BillArgs {
    fn to_json(&self) -> Map<String, Value> {
        let part = |part: &Option<String>| Value::from(part.as_deref().unwrap_or_default());
        let parameters: Map<String, Value> = self
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        let members = [
            ("biller", Value::from(self.biller.as_str())),
            ("user_key", self.user_key.as_str().into()),
            ("month", part(&self.month)),
            ("ordinal", part(&self.ordinal)),
            ("notice_key", part(&self.notice_key)),
            ("parameters", json!(parameters)),
        ];
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

fn month(text: &str) -> Result<String, String> {
    if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("must be YYYYMM".to_owned())
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("must be NAME=VALUE".to_owned()),
    }
}
