//! The bounded queue of log lines, and the thread that writes them to standard output.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// The most queued lines; further lines are dropped and counted. At some 350 bytes per line, a full queue takes some
/// 20 MB.
const MAX_QUEUED_LINES: usize = 65_536;

/// The most bytes of one write.
const WRITE_BYTES: usize = 64 * 1_024;

/// The least time between two flushes. The sleeping thread is not woken for every line, and one write takes many lines.
const FLUSH_INTERVAL: Duration = Duration::from_millis(5);

/// The longest time that the end of the process waits for the queue to be written.
const MAX_FLUSH_WAIT: Duration = Duration::from_millis(1_500);

static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Returns the number of lines that were dropped because the queue was full.
pub fn dropped_lines() -> u64 {
    let dropped = DROPPED.get().map_or(0, ErrorCounter::dropped_lines);
    u64::try_from(dropped).unwrap_or(u64::MAX)
}

/// Returns standard output with a large buffer. `io::Stdout` would write each line separately.
pub(super) fn standard_output() -> Box<dyn Write + Send> {
    let stdout = io::stdout();
    match stdout.as_fd().try_clone_to_owned() {
        Ok(descriptor) => Box::new(BufWriter::with_capacity(
            WRITE_BYTES,
            File::from(descriptor),
        )),
        Err(_) => Box::new(stdout),
    }
}

/// Delays a flush until [`FLUSH_INTERVAL`] after the last one, so that lines collect. A line after a pause is written
/// at once.
struct BatchingWriter<W> {
    writer: W,
    flushed_at: Instant,
}

impl<W: Write> Write for BatchingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let due = self.flushed_at + FLUSH_INTERVAL;
        if now < due {
            // Only the writer thread sleeps.
            thread::sleep(due - now);
        }
        self.flushed_at = Instant::now();
        self.writer.flush()
    }
}

/// Starts the writer thread, which flushes `writer` when the queue is empty.
pub(super) fn start(writer: impl Write + Send + 'static) -> (NonBlocking, FlushGuard) {
    let (lines, guard) = start_writer(writer);
    // If logging has been started before, its counter stays.
    let _ = DROPPED.set(lines.error_counter());
    (lines, FlushGuard(Some(guard)))
}

fn start_writer(writer: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .buffered_lines_limit(MAX_QUEUED_LINES)
        .lossy(true)
        .thread_name("log")
        .finish(BatchingWriter {
            writer,
            flushed_at: Instant::now(),
        })
}

/// Writes the queued lines when it is dropped, within a bounded time.
#[derive(Debug)]
#[must_use]
pub struct FlushGuard(Option<WorkerGuard>);

impl Drop for FlushGuard {
    fn drop(&mut self) {
        let guard = self.0.take();
        let (done, written) = mpsc::channel();
        // If standard output blocks, dropping the inner guard may block forever. A separate thread drops it, so that
        // the process can still end.
        let flushing = thread::Builder::new()
            .name("log flush".to_owned())
            .spawn(move || {
                drop(guard);
                // Fails if it took longer than the wait below.
                let _ = done.send(());
            });
        if flushing.is_ok() {
            // The process ends in either case, so the result does not matter.
            let _ = written.recv_timeout(MAX_FLUSH_WAIT);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Condvar, Mutex};

    use super::*;

    /// An output that blocks until it is opened.
    #[derive(Clone, Default)]
    struct BlockedOutput(Arc<(Mutex<bool>, Condvar)>);

    impl BlockedOutput {
        fn open(&self) {
            *self.0.0.lock().unwrap() = true;
            self.0.1.notify_all();
        }
    }

    impl Write for BlockedOutput {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let open = self.0.0.lock().unwrap();
            drop(self.0.1.wait_while(open, |open| !*open).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_beyond_the_queue_are_dropped_and_counted_without_waiting() {
        let output = BlockedOutput::default();
        let (mut lines, guard) = start_writer(output.clone());
        let dropped = lines.error_counter();
        let beyond = 1_000;
        // The loop would never end if a line waited for the output.
        for _ in 0..MAX_QUEUED_LINES + beyond {
            lines.write_all(b"a line\n").unwrap();
        }
        // The writer thread may have taken one line, which it cannot write.
        let dropped = dropped.dropped_lines();
        assert!((beyond - 1..=beyond).contains(&dropped), "{dropped}");
        output.open();
        drop(guard);
    }
}
