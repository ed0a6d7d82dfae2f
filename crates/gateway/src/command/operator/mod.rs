//! What the operators' commands share: where the running gateway is, the token, and how an answer
//! becomes output and an exit code.

mod client;
mod page;
mod table;
mod token;
mod words;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

pub(super) use client::{Client, OpsAnswer, Patience};
pub(super) use page::Page;
pub(super) use table::{Align, Table};
pub(super) use words::{age, amount, moment, moment_in_full, number, text, won};

use self::token::Token;
use crate::config::OperatorsView;

/// How a command gets to the running gateway.
#[derive(Clone, Debug, Args)]
pub(super) struct Access {
    /// The running gateway's configuration file; tells where its ops listener is.
    #[arg(long, value_name = "FILE", default_value = "config/gateway.toml")]
    config: PathBuf,
    /// A file that holds the admin token. Without it: the variable `GATEWAY_ADMIN_TOKEN`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Access {
    /// The two keys of the configuration that lead to the gateway.
    pub(super) fn view(&self) -> Result<OperatorsView, Failure> {
        OperatorsView::load(&self.config).map_err(|faults| Failure::Failed(faults.to_string()))
    }

    /// A client with the token.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let view = self.view()?;
        let token = Token::find(self.token_file.as_deref())?;
        Ok(Client::new(view.ops, token))
    }

    /// Prints what was done: as JSON, or as text.
    pub(super) fn print(&self, json: &Value, page: &Page) -> Result<(), Failure> {
        let written = if self.json {
            write_json(json)
        } else {
            io::stdout().lock().write_all(page.as_text().as_bytes())
        };
        written.map_err(|error| Failure::Failed(format!("cannot print: {error}")))
    }

    /// Whether JSON is wanted.
    pub(super) const fn wants_json(&self) -> bool {
        self.json
    }

    /// Tells why a command did not do what was asked, and ends with its exit code.
    pub(super) fn exit(&self, outcome: Result<Done, Failure>) -> ExitCode {
        let failure = match outcome {
            Ok(Done::All) => return ExitCode::SUCCESS,
            Ok(Done::NotAll) => return ExitCode::FAILURE,
            Err(failure) => failure,
        };
        if let (Failure::Refused(answer), true) = (&failure, self.json) {
            // Who asked for JSON gets it also where it is no good news.
            let _ = write_json(&answer.body);
        }
        super::complain(&failure.to_string());
        match failure {
            Failure::Usage(_) => ExitCode::from(2),
            Failure::Refused(_) | Failure::Failed(_) => ExitCode::FAILURE,
        }
    }
}

fn write_json(json: &Value) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{json:#}")
}

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// Exit code 0.
    All,
    /// Its output tells what is amiss: exit code 1.
    NotAll,
}

/// Why a command could not do its work.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The command line, or what belongs to it, is wrong: exit code 2.
    Usage(String),
    /// The gateway said no: exit code 1.
    Refused(OpsAnswer),
    /// Anything else: exit code 1.
    Failed(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) | Self::Failed(what) => f.write_str(what),
            Self::Refused(answer) => write!(f, "refused: {}", answer.reason()),
        }
    }
}
