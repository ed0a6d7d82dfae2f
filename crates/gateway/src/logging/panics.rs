//! A panic becomes a line of the log, without what it may show of a call.

use std::panic::{self, PanicHookInfo};

/// Logs panics from now on, in place of the message on standard error.
pub(super) fn log_panics() {
    panic::set_hook(Box::new(log_panic));
}

pub(super) fn log_panic(panic: &PanicHookInfo<'_>) {
    // A literal can hold nothing of a call. A formatted message can: slicing a text at a wrong
    // place, say, shows the text.
    let reason = panic.payload().downcast_ref::<&'static str>().copied();
    let location = panic.location();
    tracing::error!(
        reason = reason.unwrap_or("withheld: it may hold a caller's data"),
        file = location.map_or("unknown", |location| location.file()),
        line = location.map_or(0, std::panic::Location::line),
        thread = std::thread::current().name().unwrap_or("unnamed"),
        "panic"
    );
}
