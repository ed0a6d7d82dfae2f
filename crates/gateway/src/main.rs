//! `gateway`: the command line of the relay gateway.

use std::process::ExitCode;

fn main() -> ExitCode {
    gateway::tls::install_provider();
    gateway::command::run()
}
