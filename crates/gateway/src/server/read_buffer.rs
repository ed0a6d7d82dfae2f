//! Bytes from the caller on their way to the reader.

use bytes::{Buf, BytesMut};
use tokio::io::ReadBuf;

use super::framing::{FramingStep, RequestFraming, Stop};

/// Judges what was read and holds back what the reader may not have yet.
///
/// Whole heads and bodies stay in the reader's own buffer, uncopied. Only what is behind a request's end,
/// and a head that is incomplete, is moved here.
#[derive(Debug)]
pub(super) struct ReadBuffer {
    framing: RequestFraming,
    /// At most one head and what came in one read.
    held: BytesMut,
    /// So many of the held bytes may be handed on.
    cleared: usize,
    /// There are held bytes that were not judged.
    is_unjudged: bool,
}

impl ReadBuffer {
    pub(super) fn new() -> Self {
        Self {
            framing: RequestFraming::new(),
            held: BytesMut::new(),
            cleared: 0,
            is_unjudged: false,
        }
    }

    /// `true` while a head was passed whose body was not, to its end.
    pub(super) fn is_in_body(&self) -> bool {
        self.framing.is_in_body()
    }

    /// `true` where [`hand_on`](Self::hand_on) has something.
    pub(super) fn has_cleared(&self) -> bool {
        self.cleared > 0
    }

    /// `true` where [`judge`](Self::judge) has something.
    pub(super) fn has_unjudged(&self) -> bool {
        self.is_unjudged
    }

    /// Takes what was read into the buffer behind `start`. With nothing held, it is judged where it is, and
    /// what passes stays there; else it is held, to be judged with the rest.
    pub(super) fn take(&mut self, buffer: &mut ReadBuf<'_>, start: usize) -> Option<FramingStep> {
        let read = &buffer.filled()[start..];
        if !self.held.is_empty() {
            self.held.extend_from_slice(read);
            self.is_unjudged = true;
            buffer.set_filled(start);
            return None;
        }
        let step = self.framing.follow(read);
        if matches!(step.stop, Stop::InHead | Stop::RequestEnd) {
            let rest = &read[step.passed..];
            self.held.extend_from_slice(rest);
            self.is_unjudged = step.stop == Stop::RequestEnd && !rest.is_empty();
        }
        buffer.set_filled(start + step.passed);
        Some(step)
    }

    /// Judges what is held.
    pub(super) fn judge(&mut self) -> FramingStep {
        let step = self.framing.follow(&self.held);
        self.cleared = step.passed;
        self.is_unjudged = step.stop == Stop::RequestEnd && step.passed < self.held.len();
        if step.stop == Stop::BadBody {
            self.held.truncate(step.passed);
        }
        step
    }

    /// Moves what passed to the buffer, as much as it takes.
    pub(super) fn hand_on(&mut self, buffer: &mut ReadBuf<'_>) {
        let length = self.cleared.min(buffer.remaining());
        buffer.put_slice(&self.held[..length]);
        self.held.advance(length);
        self.cleared -= length;
        if self.held.is_empty() {
            // An idle connection keeps no memory for this.
            self.held = BytesMut::new();
        }
    }

    /// Has the reader get this in the place of all that is held.
    pub(super) fn replace(&mut self, bytes: &[u8]) {
        self.held.clear();
        self.held.extend_from_slice(bytes);
        self.cleared = bytes.len();
        self.is_unjudged = false;
    }
}
