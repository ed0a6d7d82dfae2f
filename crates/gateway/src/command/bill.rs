//! `gateway bill`: a bill's story; make or unmake it an error bill.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use protocol::BillerCode;
use serde_json::{Map, Value, json};

use super::operator::{
    Access, Align, Client, Done, Failure, Page, Patience, Table, amount, moment, moment_in_full,
    number, text,
};

/// What to do with a bill.
#[derive(Debug, Subcommand)]
pub(super) enum BillCommand {
    /// Every fact of a bill in its order, and how it stands now.
    Show {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        access: Access,
    },
    /// Make a bill an error bill: links, notice and prepay are answered E817.
    Classify {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        word: Word,
        #[command(flatten)]
        access: Access,
    },
    /// Make it a bill as any other again.
    Clear {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        word: Word,
        #[command(flatten)]
        access: Access,
    },
}

/// Which bill: the parts that it has, and no others.
#[derive(Debug, Args)]
pub(super) struct Which {
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

/// Why, and who says so; both stay in the bill's story.
#[derive(Debug, Args)]
pub(super) struct Word {
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who says so; the user's name where it is left out.
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
}

/// Runs the command.
pub(super) fn run(command: &BillCommand) -> ExitCode {
    match command {
        BillCommand::Show { which, access } => access.exit(show(access, which)),
        BillCommand::Classify {
            which,
            word,
            access,
        } => access.exit(say(access, which, word, "classify")),
        BillCommand::Clear {
            which,
            word,
            access,
        } => access.exit(say(access, which, word, "clear")),
    }
}

fn show(access: &Access, which: &Which) -> Result<Done, Failure> {
    let client = access.client()?;
    match post(&client, "/admin/bills/show", which.named()) {
        Ok(story) => access.print(&story, &page(&story)).map(|()| Done::All),
        Err(Failure::Refused(answer)) if answer.code() == Some("unknown_bill") => {
            let mut page = Page::new();
            page.line("Nothing is known of this bill.");
            let others = answer.body["bills_of_this_user_key"].as_array();
            let others = others.map_or(&[][..], Vec::as_slice);
            if !others.is_empty() {
                page.gap();
                page.line("Bills of this user key that are known:");
                page.indented(&bills(others));
            }
            access.print(&answer.body, &page).map(|()| Done::NotAll)
        }
        Err(failure) => Err(failure),
    }
}

fn say(access: &Access, which: &Which, word: &Word, verb: &str) -> Result<Done, Failure> {
    let client = access.client()?;
    let mut named = which.named();
    named.insert("operator".into(), word.operator().into());
    if let Some(reason) = &word.reason {
        named.insert("reason".into(), reason.as_str().into());
    }
    let story = post(&client, &format!("/admin/bills/{verb}"), named)?;
    let mut page = Page::new();
    page.line(if verb == "classify" {
        "The bill is an error bill from now on: links, notice and prepay are answered E817."
    } else {
        "The bill is no error bill any more."
    });
    if story["was_known"] == false {
        page.line(
            "Nothing was known of it before: make sure that every part of its name is right.",
        );
    }
    page.gap();
    write(&mut page, &story);
    access.print(&story, &page).map(|()| Done::All)
}

fn post(client: &Client, path: &str, named: Map<String, Value>) -> Result<Value, Failure> {
    client.post(path, &Value::Object(named), Patience::Ordinary)
}

impl Which {
    fn named(&self) -> Map<String, Value> {
        let part = |part: &Option<String>| Value::from(part.as_deref().unwrap_or_default());
        let parameters: Map<String, Value> = self
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        let named = [
            ("biller", Value::from(self.biller.as_str())),
            ("user_key", self.user_key.as_str().into()),
            ("month", part(&self.month)),
            ("ordinal", part(&self.ordinal)),
            ("notice_key", part(&self.notice_key)),
            ("parameters", json!(parameters)),
        ];
        named
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

impl Word {
    fn operator(&self) -> String {
        let names = ["USER", "LOGNAME"];
        let of_environment = || names.iter().find_map(|name| std::env::var(name).ok());
        self.operator
            .clone()
            .or_else(of_environment)
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "unknown".to_owned())
    }
}

fn page(story: &Value) -> Page {
    let mut page = Page::new();
    write(&mut page, story);
    page
}

fn write(page: &mut Page, story: &Value) {
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
    page.line(&format!("Story by node {}", number(story, "node")));
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
            "{error_bill}, says {} since {}: {}",
            text(word, "operator"),
            moment(text(word, "since")),
            text(word, "reason")
        );
    }
    table.row(["error bill".to_owned(), error_bill]);
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
                signed(event),
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

/// A cancel takes away, whatever sign Kakao Pay gave it.
fn signed(event: &Value) -> String {
    let plain = text(event, "pay_amount").trim_start_matches('-');
    let sign = if text(event, "pay_type") == "C" {
        "-"
    } else {
        ""
    };
    amount(&format!("{sign}{plain}"))
}

fn facts(facts: &[Value]) -> Table {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
    for fact in facts {
        let kind = text(fact, "kind");
        let what = match kind {
            "reserved" => format!("a link is asked for, until {}", moment(text(fact, "until"))),
            "released" => "Kakao Pay made no link".to_owned(),
            "uncertain" => "whether Kakao Pay made a link is unknown".to_owned(),
            "linked" => format!("until {}", moment(text(fact, "expire_at"))),
            "relinked" => format!("made anew, until {}", moment(text(fact, "expire_at"))),
            "payment" => format!(
                "{} {} won, pay_id {}, paid at {}",
                text(fact, "pay_type"),
                signed(fact),
                text(fact, "pay_id"),
                moment(text(fact, "paid_at"))
            ),
            "delivery" => format!(
                "{} of pay_id {}: {}",
                text(fact, "pay_type"),
                text(fact, "pay_id"),
                text(fact, "delivery")
            ),
            "classified" | "cleared" => {
                format!("by {}: {}", text(fact, "operator"), text(fact, "reason"))
            }
            _ => String::new(),
        };
        table.row([moment_in_full(text(fact, "time")), kind.to_owned(), what]);
    }
    table
}

fn bills(bills: &[Value]) -> Table {
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
