//! The command line (contract section 5): one file per command.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 usage.

mod check;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::demo::Afterwards;

/// Relay gateway between billers and Kakao Pay.
#[derive(Debug, Parser)]
#[command(name = "gateway", version, about)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway; SIGTERM drains, SIGHUP reads the billers anew.
    Serve {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Validate a configuration: every fault with file, key and what is wrong.
    Check {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Show the five APIs in a bill's life, on loopback, with simulated parties.
    Demo {
        /// Leave everything up afterwards, with commands to try.
        #[arg(long)]
        keep_running: bool,
    },
}

/// Parses the arguments and runs the command.
pub fn run() -> ExitCode {
    let outcome = match CommandLine::parse().command {
        Command::Serve { config } => serve::run(&config),
        Command::Check { config } => check::run(&config),
        Command::Demo { keep_running } => crate::demo::run(if keep_running {
            Afterwards::KeepRunning
        } else {
            Afterwards::Stop
        }),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            complain(&fault.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Says on standard error why a command failed.
#[expect(clippy::print_stderr, reason = "the command line speaks to a person")]
fn complain(fault: &str) {
    eprintln!("{fault}");
}
