//! Between those who log and standard output: a bounded queue, and a thread that writes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// Lines that wait to be written. Further ones are lost, and counted: a line is some 350 bytes, so
/// that a standard output that blocks costs some 20 MB.
const MAX_QUEUED_LINES: usize = 65_536;

/// What is written at once when many lines are waiting.
const WRITE_BYTES: usize = 64 * 1_024;

/// How long lines gather before they are written, where some were written just before. A thread that
/// sleeps need not be woken for every line, and one write serves them all.
const GATHER: Duration = Duration::from_millis(5);

/// How long the end of the process waits for the queue to be written.
const MAX_FLUSH_WAIT: Duration = Duration::from_millis(1_500);

static LOST: OnceLock<ErrorCounter> = OnceLock::new();

/// How many lines were lost because standard output was slower than they came.
pub fn lost_lines() -> u64 {
    let lost = LOST.get().map_or(0, ErrorCounter::dropped_lines);
    u64::try_from(lost).unwrap_or(u64::MAX)
}

/// Standard output, written in large pieces: the usual handle would write each line by itself.
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

/// Has lines gather before they are written. A line after a pause is written at once.
struct Gathering<W> {
    writer: W,
    flushed: Instant,
}

impl<W: Write> Write for Gathering<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let due = self.flushed + GATHER;
        if now < due {
            // Only the thread that writes comes here.
            thread::sleep(due - now);
        }
        self.flushed = Instant::now();
        self.writer.flush()
    }
}

/// Starts the thread that writes. It flushes when nothing more is waiting, after lines have gathered.
pub(super) fn start(writer: impl Write + Send + 'static) -> (NonBlocking, Guard) {
    let (lines, guard) = queue(writer);
    // Where logging has started before, that one's count stays.
    let _ = LOST.set(lines.error_counter());
    (lines, Guard(Some(guard)))
}

fn queue(writer: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .buffered_lines_limit(MAX_QUEUED_LINES)
        .lossy(true)
        .thread_name("log")
        .finish(Gathering {
            writer,
            flushed: Instant::now(),
        })
}

/// Writes what is queued when it is dropped, and waits for it a bounded time.
#[derive(Debug)]
#[must_use]
pub struct Guard(Option<WorkerGuard>);

impl Drop for Guard {
    fn drop(&mut self) {
        let guard = self.0.take();
        let (done, written) = mpsc::channel();
        // Where standard output blocks, dropping the inner guard may block on it for good. A
        // process that is told to end must end, so that happens on a thread nobody waits for.
        let flushing = thread::Builder::new()
            .name("log flush".to_owned())
            .spawn(move || {
                drop(guard);
                // Nobody listens any more when it took too long.
                let _ = done.send(());
            });
        if flushing.is_ok() {
            // Either it is written, or the time is over; the process ends both ways.
            let _ = written.recv_timeout(MAX_FLUSH_WAIT);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Condvar, Mutex};

    use super::*;

    /// A standard output that takes nothing until it is opened.
    #[derive(Clone, Default)]
    struct Blocked(Arc<(Mutex<bool>, Condvar)>);

    impl Blocked {
        fn open(&self) {
            *self.0.0.lock().unwrap() = true;
            self.0.1.notify_all();
        }
    }

    impl Write for Blocked {
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
    fn lines_beyond_the_queue_are_lost_and_counted_and_nobody_waits() {
        let output = Blocked::default();
        let (mut lines, guard) = queue(output.clone());
        let lost = lines.error_counter();
        let beyond = 1_000;
        // It would never end if one line waited for the output.
        for _ in 0..MAX_QUEUED_LINES + beyond {
            lines.write_all(b"a line\n").unwrap();
        }
        // The writer holds one that it cannot get rid of; it may not have taken it yet.
        let lost = lost.dropped_lines();
        assert!((beyond - 1..=beyond).contains(&lost), "{lost}");
        output.open();
        drop(guard);
    }
}
