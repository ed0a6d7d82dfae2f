//! `tracing` events as JSON lines.

use std::cell::RefCell;
use std::io::Write;
use std::time::SystemTime;

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use super::call_line::CALL;
use super::line::Line;

/// Targets of the workspace: its crates, and the lines of calls.
const WORKSPACE_TARGETS: [&str; 5] = [CALL, "gateway", "ledger", "metrics", "protocol"];

thread_local! {
    /// The buffer of this thread's lines.
    static LINE: RefCell<Line> = RefCell::default();
}

/// A `tracing` layer that writes each event as one line and ignores spans.
#[derive(Debug)]
pub(super) struct JsonLines<W> {
    writer: W,
    now: fn() -> SystemTime,
}

impl<W> JsonLines<W> {
    pub(super) fn new(writer: W) -> Self {
        Self::with_clock(writer, SystemTime::now)
    }

    pub(super) const fn with_clock(writer: W, now: fn() -> SystemTime) -> Self {
        Self { writer, now }
    }
}

impl<W: for<'w> MakeWriter<'w>> JsonLines<W> {
    fn write(&self, event: &Event<'_>, line: &mut Line) {
        line.begin((self.now)(), *event.metadata().level());
        event.record(line);
        // A fault of the log cannot be logged.
        let _ = self.writer.make_writer().write_all(line.end());
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber,
    W: for<'w> MakeWriter<'w> + 'static,
{
    /// Excludes debug and trace events of dependencies under every filter, because they show headers and bodies.
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= Level::INFO || is_workspace_target(metadata.target())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        LINE.with(|line| match line.try_borrow_mut() {
            Ok(mut line) => self.write(event, &mut line),
            // Formatting a value can log an event. That line gets a separate buffer.
            Err(_) => self.write(event, &mut Line::default()),
        });
    }
}

fn is_workspace_target(target: &str) -> bool {
    let crate_name = target.split("::").next().unwrap_or_default();
    WORKSPACE_TARGETS.contains(&crate_name)
}
