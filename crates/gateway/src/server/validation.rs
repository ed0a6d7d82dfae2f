//! What the guard lets through of a caller's bytes, without a socket and without time: for the fuzz targets.

use std::num::NonZeroUsize;

use tokio::io::ReadBuf;

use super::early_fault::EarlyFault;
use super::framing::{FramingStep, Stop};
use super::read_buffer::ReadBuffer;

/// What became of a connection's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// What the HTTP library was given of them.
    pub passed: Vec<u8>,
    /// Heads that were let through.
    pub heads: usize,
    /// Where in `passed` each request ends.
    pub ends: Vec<usize>,
    /// What came after the last byte that was let through.
    pub end: ValidationEnd,
}

/// Why no more was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidationEnd {
    /// The caller sent no more; what it began is held back or incomplete.
    Open,
    /// A head that is refused.
    BadHead(EarlyFault),
    /// A chunked body that is broken.
    BadBody,
}

impl Validation {
    /// Reads a connection's bytes as they come from the network in these runs, by a reader that has room for
    /// so many at a time. Every call is answered before its successor is looked at.
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

    /// One read from the socket, and what the guard does until it needs the next.
    fn read(&mut self, read_buffer: &mut ReadBuffer, read: &[u8], buffer: &mut ReadBuf<'_>) {
        buffer.put_slice(read);
        let mut step = read_buffer.take(buffer, 0);
        loop {
            self.passed.extend_from_slice(buffer.filled());
            while read_buffer.has_cleared() {
                buffer.clear();
                read_buffer.hand_on(buffer);
                self.passed.extend_from_slice(buffer.filled());
            }
            if let Some(step) = step {
                self.note(step);
            }
            if self.end != ValidationEnd::Open || !read_buffer.has_unjudged() {
                return;
            }
            buffer.clear();
            step = Some(read_buffer.judge());
        }
    }

    fn note(&mut self, step: FramingStep) {
        self.heads += usize::from(step.head_completed);
        match step.stop {
            Stop::InBody | Stop::InHead => {}
            Stop::RequestEnd => self.ends.push(self.passed.len()),
            Stop::BadHead(fault) => self.end = ValidationEnd::BadHead(fault),
            Stop::BadBody => self.end = ValidationEnd::BadBody,
        }
    }
}
