//! The command line (contract section 5): one file per command.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 usage.

mod bill;
mod check;
mod ledger;
mod operator;
mod payments;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use protocol::BillerCode;

/// Relay gateway between billers and Kakao Pay.
#[derive(Debug, Parser)]
#[command(name = "gateway", version, about)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway; SIGTERM drains, SIGHUP reloads the configuration.
    Serve {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Validate a configuration; report every fault with file and key.
    Check {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Show a bill's history; make it an error bill or clear it.
    #[command(subcommand)]
    Bill(bill::BillCommand),
    /// List undelivered pay-results; deliver them again.
    #[command(subcommand)]
    Payments(payments::PaymentsCommand),
    /// Verify the journal and the state in Redis; rewrite the state in Redis.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
}

/// Parses the arguments and runs the command.
pub fn run() -> ExitCode {
    let outcome = match CommandLine::parse().command {
        Command::Serve { config } => serve::run(&config),
        Command::Check { config } => check::run(&config),
        Command::Bill(command) => return bill::run(&command),
        Command::Payments(command) => return payments::run(&command),
        Command::Ledger(command) => return ledger::run(&command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            print_error(&fault.to_string());
            ExitCode::FAILURE
        }
    }
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
