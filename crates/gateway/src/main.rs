//! `gateway`: the command line of the relay gateway.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A call allocates a dozen times, once for its whole flow's future, beyond the sizes that the C library
/// keeps ready.
///
/// It is built without huge pages (`no_thp`): with them an idle connection took 21 KiB instead of 13.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    gateway::tls::install_provider();
    gateway::command::run()
}
