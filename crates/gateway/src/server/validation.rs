//! The validation of a connection's bytes without a socket and without time, for the fuzz targets.

use std::num::NonZeroUsize;

use tokio::io::ReadBuf;

use super::early_fault::EarlyFault;
use super::framing::{FramingStep, Stop};
use super::read_buffer::ReadBuffer;

/// The result of validating a connection's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// The bytes that the HTTP library received: a prefix of the connection's, in which `Upgrade` is overwritten.
    pub passed: Vec<u8>,
    /// The number of heads that passed.
    pub heads: usize,
    /// Where in `passed` each request ends.
    pub ends: Vec<usize>,
    /// Why no more bytes passed.
    pub end: ValidationEnd,
}

/// Why validation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidationEnd {
    /// The bytes ended; the last request may be incomplete.
    Open,
    /// A head was refused.
    BadHead(EarlyFault),
    /// The framing of a chunked body was broken.
    BadBody(EarlyFault),
}

impl Validation {
    /// Validates a connection's bytes, which arrive in these runs and are read `room` bytes at a time at most.
    /// Every call counts as answered before the next request is read.
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a [u8]>, room: NonZeroUsize) -> Self {
        let mut validation = Self {
            passed: Vec::new(),
            heads: 0,
            ends: Vec::new(),
            end: ValidationEnd::Open,
        };
        let mut read_buffer = ReadBuffer::new();
        let mut space = vec![0; room.get()];
        let reads = runs.into_iter().flat_map(|run| run.chunks(room.get()));
        for read in reads {
            validation.read(&mut read_buffer, read, &mut ReadBuf::new(&mut space));
            if validation.end != ValidationEnd::Open {
                break;
            }
        }
        validation
    }

    /// Does what the validated stream does for one read from the socket.
    fn read(&mut self, read_buffer: &mut ReadBuffer, read: &[u8], buffer: &mut ReadBuf<'_>) {
        buffer.put_slice(read);
        let mut step = read_buffer.accept_read(buffer, 0);
        loop {
            self.passed.extend_from_slice(buffer.filled());
            while read_buffer.has_validated() {
                buffer.clear();
                read_buffer.copy_to(buffer);
                self.passed.extend_from_slice(buffer.filled());
            }
            if let Some(step) = step {
                self.apply(step);
            }
            if self.end != ValidationEnd::Open || !read_buffer.has_unvalidated() {
                return;
            }
            buffer.clear();
            step = Some(read_buffer.validate());
        }
    }

    fn apply(&mut self, step: FramingStep) {
        self.heads += usize::from(step.head_completed);
        match step.stop {
            Stop::InBody | Stop::BeforeHead | Stop::InHead => {}
            Stop::RequestEnd => self.ends.push(self.passed.len()),
            Stop::BadHead(fault) => self.end = ValidationEnd::BadHead(fault),
            Stop::BadBody(fault) => self.end = ValidationEnd::BadBody(fault),
        }
    }
}
