//! `gateway`: the command line of the relay gateway.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A call allocates a dozen times, once for its whole flow's future, beyond the sizes that the C library
/// keeps ready.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    gateway::tls::install_provider();
    gateway::command::run()
}
