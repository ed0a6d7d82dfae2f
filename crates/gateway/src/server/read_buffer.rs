//! The bytes between the socket and the HTTP library.

use bytes::{Buf, BytesMut};
use tokio::io::ReadBuf;

use super::framing::{FramingStep, RequestFraming, Stop};

/// Validates the bytes that were read and keeps those that the reader may not have yet.
///
/// Complete heads and bodies stay in the reader's own buffer without a copy. Only an incomplete head and the
/// bytes behind the end of a request are moved here.
#[derive(Debug)]
pub(super) struct ReadBuffer {
    framing: RequestFraming,
    /// At most one head and the bytes of one read.
    pending: BytesMut,
    /// How many of the pending bytes are valid and may be copied to the reader.
    validated_bytes: usize,
    /// Whether the pending bytes hold some that were not validated.
    has_unvalidated: bool,
}

impl ReadBuffer {
    pub(super) fn new() -> Self {
        Self {
            framing: RequestFraming::new(),
            pending: BytesMut::new(),
            validated_bytes: 0,
            has_unvalidated: false,
        }
    }

    /// Whether a head has passed whose body has not passed completely.
    pub(super) fn is_in_body(&self) -> bool {
        self.framing.is_in_body()
    }

    /// Whether [`copy_to`](Self::copy_to) has bytes to copy.
    pub(super) fn has_validated(&self) -> bool {
        self.validated_bytes > 0
    }

    /// Whether [`validate`](Self::validate) has bytes to validate.
    pub(super) fn has_unvalidated(&self) -> bool {
        self.has_unvalidated
    }

    /// Takes the bytes that were read into `buffer` behind `start`. With no pending bytes, they are validated in
    /// place and the valid ones stay there; else they become pending and the result is `None`.
    pub(super) fn accept_read(
        &mut self,
        buffer: &mut ReadBuf<'_>,
        start: usize,
    ) -> Option<FramingStep> {
        let read = &mut buffer.filled_mut()[start..];
        if !self.pending.is_empty() {
            self.pending.extend_from_slice(read);
            self.has_unvalidated = true;
            buffer.set_filled(start);
            return None;
        }
        let step = self.framing.advance(read);
        if matches!(
            step.stop,
            Stop::BeforeHead | Stop::InHead | Stop::RequestEnd
        ) {
            let rest = &read[step.passed_bytes..];
            self.pending.extend_from_slice(rest);
            self.has_unvalidated = step.stop == Stop::RequestEnd && !rest.is_empty();
        }
        buffer.set_filled(start + step.passed_bytes);
        Some(step)
    }

    /// Validates the pending bytes.
    pub(super) fn validate(&mut self) -> FramingStep {
        let step = self.framing.advance(&mut self.pending);
        self.validated_bytes = step.passed_bytes;
        self.has_unvalidated =
            step.stop == Stop::RequestEnd && step.passed_bytes < self.pending.len();
        if matches!(step.stop, Stop::BadBody(_)) {
            self.pending.truncate(step.passed_bytes);
        }
        step
    }

    /// Moves validated bytes to `buffer`, as many as it has room for.
    pub(super) fn copy_to(&mut self, buffer: &mut ReadBuf<'_>) {
        let length = self.validated_bytes.min(buffer.remaining());
        buffer.put_slice(&self.pending[..length]);
        self.pending.advance(length);
        self.validated_bytes -= length;
        if self.pending.is_empty() {
            // An idle connection must not hold the allocation.
            self.pending = BytesMut::new();
        }
    }

    /// Replaces all pending bytes by `bytes`, which count as validated.
    pub(super) fn replace(&mut self, bytes: &[u8]) {
        self.pending.clear();
        self.pending.extend_from_slice(bytes);
        self.validated_bytes = bytes.len();
        self.has_unvalidated = false;
    }
}
