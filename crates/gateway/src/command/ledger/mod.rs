//! `gateway ledger`: the upkeep of the journal and of the state in Redis.

mod backup;
mod long_request;
mod rebuild;
mod restore;
mod retention;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;

use super::operator::Access;

/// Subcommands of `gateway ledger`.
#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Verify the journal, that the state is its fold, and that Redis has it; if no gateway runs, the journal only.
    Verify {
        #[command(flatten)]
        access: Access,
    },
    /// Rewrite the state in Redis from this node's journal.
    Rebuild {
        /// Longest wait for the end, in seconds.
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        wait: u64,
        #[command(flatten)]
        access: Access,
    },
    /// Copy the journal of the running gateway to a new file, while it serves.
    Backup {
        /// The file, which must not exist; on the gateway's machine, written by its user.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        #[command(flatten)]
        access: Access,
    },
    /// Make the journal of this configuration from a backup, as a new node, without a running gateway.
    Restore {
        /// The backup.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        #[command(flatten)]
        access: Access,
    },
    /// Show what the retention would forget now.
    Retention {
        /// Only show it: the gateway itself forgets, in small steps.
        #[arg(long, required = true)]
        dry_run: bool,
        #[command(flatten)]
        access: Access,
    },
}

/// Runs the command.
pub(super) fn run(command: &LedgerCommand) -> ExitCode {
    match command {
        LedgerCommand::Verify { access } => access.exit(verify::run(access)),
        LedgerCommand::Rebuild { wait, access } => {
            access.exit(rebuild::run(access, Duration::from_secs(*wait)))
        }
        LedgerCommand::Backup { to, access } => access.exit(backup::run(access, to)),
        LedgerCommand::Restore { from, access } => access.exit(restore::run(access, from)),
        LedgerCommand::Retention { access, .. } => access.exit(retention::run(access)),
    }
}
