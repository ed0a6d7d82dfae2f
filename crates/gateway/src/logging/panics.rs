//! Panics as log lines, without data of calls.

use std::panic::{self, PanicHookInfo};

/// Logs panics instead of writing them to standard error.
pub(super) fn log_panics() {
    panic::set_hook(Box::new(log_panic));
}

pub(super) fn log_panic(panic: &PanicHookInfo<'_>) {
    // A literal contains no data of a call. A formatted message may: a slice fault, for one, quotes the text.
    let reason = panic.payload().downcast_ref::<&'static str>().copied();
    let location = panic.location();
    tracing::error!(
        reason = reason.unwrap_or("withheld: it may contain a caller's data"),
        file = location.map_or("unknown", |location| location.file()),
        line = location.map_or(0, std::panic::Location::line),
        thread = std::thread::current().name().unwrap_or("unnamed"),
        "panic"
    );
}
