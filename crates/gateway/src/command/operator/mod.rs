//! Shared parts of the operators' commands: access to the running gateway, output and exit codes.

mod client;
mod format;
mod page;
mod table;
mod terminal;
mod token;
mod user;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

pub(super) use client::{Client, OpsAnswer, Wait};
pub(super) use format::{age, amount, moment, moment_in_full, number, text, won};
pub(super) use page::Page;
pub(super) use table::{Align, Table};
pub(super) use terminal::harmless;
pub(super) use user::user_name;

use self::token::Token;
use crate::config::OperatorSettings;

/// Options by which a command reaches the running gateway.
#[derive(Clone, Debug, Args)]
pub(super) struct Access {
    /// The running gateway's configuration file, which names its ops listener.
    #[arg(long, value_name = "FILE", default_value = super::CONFIGURATION)]
    config: PathBuf,
    /// A file that holds the admin token; by default the variable `GATEWAY_ADMIN_TOKEN`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Access {
    /// Reads the keys of the configuration that the commands need.
    pub(super) fn view(&self) -> Result<OperatorSettings, Failure> {
        OperatorSettings::load(&self.config).map_err(|faults| Failure::Failed(faults.to_string()))
    }

    /// Returns a client with the token.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let view = self.view()?;
        let token = Token::find(self.token_file.as_deref())?;
        Ok(Client::new(view.ops, token))
    }

    /// Prints the result as JSON or as text.
    pub(super) fn print(&self, json: &Value, page: &Page) -> Result<(), Failure> {
        let written = if self.json {
            write_json(json)
        } else {
            io::stdout().lock().write_all(page.as_text().as_bytes())
        };
        written.map_err(|error| Failure::Failed(format!("cannot print: {error}")))
    }

    /// Returns whether `--json` is given.
    pub(super) const fn wants_json(&self) -> bool {
        self.json
    }

    /// Prints why a command failed and returns its exit code.
    pub(super) fn exit(&self, outcome: Result<Completion, Failure>) -> ExitCode {
        let failure = match outcome {
            Ok(Completion::All) => return ExitCode::SUCCESS,
            Ok(Completion::Partial) => return ExitCode::FAILURE,
            Err(failure) => failure,
        };
        if let (Failure::Refused(answer), true) = (&failure, self.json) {
            // With `--json` a refusal is printed as JSON too.
            let _ = write_json(&answer.body);
        }
        super::print_error(&failure.to_string());
        match failure {
            Failure::Usage(_) => ExitCode::from(2),
            Failure::Refused(_) | Failure::Failed(_) => ExitCode::FAILURE,
        }
    }
}

fn write_json(json: &Value) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{}", terminal::json(json))
}

/// The result of a command that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completion {
    /// Exit code 0.
    All,
    /// The output names what was not done or not sound: exit code 1.
    Partial,
}

/// Why a command failed.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// A usage error: exit code 2.
    Usage(String),
    /// The gateway refused: exit code 1.
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
