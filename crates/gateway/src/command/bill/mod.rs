//! `gateway bill`: a bill's story; make or unmake it an error bill.

mod page;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use protocol::BillerCode;
use serde_json::{Map, Value, json};

use self::page::{bills, story_page, write_story};
use super::operator::{Access, Client, Done, Failure, Page, Patience};

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
        Ok(story) => access
            .print(&story, &story_page(&story))
            .map(|()| Done::All),
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
    write_story(&mut page, &story);
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
