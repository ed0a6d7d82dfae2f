//! The command line (contract section 5): one file per command.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 usage.

mod bill;
mod check;
mod connect;
mod init;
mod ledger;
mod nodes;
mod operator;
mod payments;
mod serve;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Command as Definition, CommandFactory, FromArgMatches, Parser, Subcommand};
use protocol::BillerCode;

/// The configuration file where a command names none.
const CONFIGURATION: &str = "config/gateway.toml";

/// Relay gateway between billers and Kakao Pay.
#[derive(Debug, Parser)]
#[command(name = "gateway", version, about)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway until SIGTERM or SIGINT; SIGHUP reloads the configuration.
    ///
    /// SIGTERM and SIGINT drain: readiness goes off, nothing more is accepted,
    /// calls in flight finish within limits.drain, and the journal is committed.
    ///
    /// SIGHUP reloads the configuration at once and never ends the gateway. A change
    /// of its files does the same a second later, without a signal. With a fault in
    /// any file nothing changes. Keys that only a restart applies are in the log.
    ///
    /// A fault at the start is printed on standard error and is a line of the log; the
    /// exit code is 1.
    #[command(verbatim_doc_comment)]
    Serve {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = CONFIGURATION)]
        config: PathBuf,
    },
    /// Validate a configuration; report every fault with file and key.
    Check {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = CONFIGURATION)]
        config: PathBuf,
        /// Also connect to Redis and every upstream: name, TCP, TLS, certificate.
        #[arg(long)]
        connect: bool,
    },
    /// Write a first configuration, with comments, one biller and an admin token.
    Init {
        /// The folder to write it to.
        #[arg(value_name = "DIR", default_value = "config")]
        directory: PathBuf,
    },
    /// Make an admin token and its digest.
    Token {
        /// Write the token to this new file and print only its digest.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show a bill's history; make it an error bill or clear it.
    #[command(subcommand)]
    Bill(bill::BillCommand),
    /// List undelivered and refused pay-results; deliver or close them.
    #[command(subcommand)]
    Payments(payments::PaymentsCommand),
    /// Verify, back up and restore the journal; rewrite the state in Redis; show what the retention forgets.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Show the nodes that share a Redis; strike one off.
    Nodes(nodes::NodesCommand),
}

/// Parses the arguments and runs the command.
pub fn run() -> ExitCode {
    let outcome = match parse().command {
        Command::Serve { config } => serve::run(&config),
        Command::Check { config, connect } => check::run(&config, connect),
        Command::Init { directory } => init::run(&directory),
        Command::Token { out } => token::run(out.as_deref()),
        Command::Bill(command) => return bill::run(&command),
        Command::Payments(command) => return payments::run(&command),
        Command::Ledger(command) => return ledger::run(&command),
        Command::Nodes(command) => return nodes::run(&command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            print_error(&fault.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Parses the arguments; ends the process with 2 if they are wrong, and with 0 after `--help`.
fn parse() -> CommandLine {
    let matches = definition().get_matches();
    CommandLine::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Returns the commands. An option that takes a value takes the next word, even if that begins with a hyphen:
/// a user key, a notice key or a reason may.
fn definition() -> Definition {
    with_values_that_begin_with_a_hyphen(CommandLine::command())
}

fn with_values_that_begin_with_a_hyphen(command: Definition) -> Definition {
    command
        .mut_args(|option| {
            let takes_a_value = option.get_action().takes_values();
            option.allow_hyphen_values(takes_a_value)
        })
        .mut_subcommands(with_values_that_begin_with_a_hyphen)
}

/// Parses a text of an operator: not blank.
fn text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("must not be blank".to_owned());
    }
    Ok(text.to_owned())
}

/// Parses a biller's code.
fn biller_code(text: &str) -> Result<BillerCode, String> {
    BillerCode::parse(text).ok_or_else(|| "must be 1 to 32 characters of [A-Za-z0-9_-]".to_owned())
}

/// Prints on standard error why a command failed.
#[expect(clippy::print_stderr, reason = "the command line speaks to a person")]
fn print_error(fault: &str) {
    for line in fault.lines() {
        eprintln!("{}", operator::harmless(line));
    }
}
