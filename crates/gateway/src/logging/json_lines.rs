//! Events of `tracing` as JSON lines.

use std::cell::RefCell;
use std::io::Write;
use std::time::SystemTime;

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use super::call_line::CALL;
use super::line::Line;

/// Targets of our own: the crates of the workspace, and the lines of calls.
const OURS: [&str; 5] = [CALL, "gateway", "ledger", "metrics", "protocol"];

thread_local! {
    /// The memory that this thread's lines are put together in.
    static LINE: RefCell<Line> = RefCell::default();
}

/// Writes every event as one line. Spans are not used.
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
        // There is nobody left to tell when standard output is closed.
        let _ = self.writer.make_writer().write_all(line.end());
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber,
    W: for<'w> MakeWriter<'w> + 'static,
{
    /// Dependencies' debug and trace events are never written, whatever the filter says: they show
    /// headers and bodies that pass through them.
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= Level::INFO || is_ours(metadata.target())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        LINE.with(|line| match line.try_borrow_mut() {
            Ok(mut line) => self.write(event, &mut line),
            // A value logs while it is being written: its line gets memory of its own.
            Err(_) => self.write(event, &mut Line::default()),
        });
    }
}

fn is_ours(target: &str) -> bool {
    let crate_name = target.split("::").next().unwrap_or_default();
    OURS.contains(&crate_name)
}
