//! Finds where each request of a connection begins and ends.

use super::chunked::{ChunkProgress, ChunkReader};
use super::early_fault::EarlyFault;
use super::head::{BodyFraming, HeadReader, RequestHead, is_before_head};

/// The framing state of one connection, request after request.
#[derive(Debug)]
pub(super) struct RequestFraming {
    state: FramingState,
}

#[derive(Debug)]
enum FramingState {
    RequestHead(HeadReader),
    Length(u64),
    Chunked(ChunkReader),
}

/// The result of [`RequestFraming::advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FramingStep {
    /// How many bytes are valid and may be passed on.
    pub(super) passed_bytes: usize,
    /// Whether a head ends within these bytes.
    pub(super) head_completed: bool,
    pub(super) stop: Stop,
}

/// Why [`RequestFraming::advance`] stopped after the bytes that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes end within a body.
    InBody,
    /// The bytes are at most an empty line before a head, which must be given again with the bytes that follow.
    BeforeHead,
    /// The bytes end within a head, which must be given again together with the bytes that follow.
    InHead,
    /// A request ends here.
    RequestEnd,
    /// The head that begins here is refused.
    BadHead(EarlyFault),
    /// The framing of the body is broken here.
    BadBody(EarlyFault),
}

impl RequestFraming {
    pub(super) fn new() -> Self {
        Self {
            state: FramingState::RequestHead(HeadReader::default()),
        }
    }

    /// Whether a head has passed whose body has not passed completely.
    pub(super) fn is_in_body(&self) -> bool {
        !matches!(self.state, FramingState::RequestHead(_))
    }

    /// Reads the next bytes up to the end of the present request at most. `bytes` begins with the head's first
    /// byte until the head is complete, and with the first unread byte of a body thereafter. `Upgrade` in a head is
    /// made inert in place.
    pub(super) fn advance(&mut self, bytes: &mut [u8]) -> FramingStep {
        let FramingState::RequestHead(reader) = &mut self.state else {
            let (passed_bytes, stop) = self.advance_in_body(bytes);
            return FramingStep {
                passed_bytes,
                head_completed: false,
                stop,
            };
        };
        match reader.read(bytes) {
            Ok(Some(RequestHead { length, body })) => {
                self.state = match body {
                    BodyFraming::Length(length) => FramingState::Length(length),
                    BodyFraming::Chunked => FramingState::Chunked(ChunkReader::new()),
                };
                let (passed_bytes, stop) = self.advance_in_body(&bytes[length..]);
                FramingStep {
                    passed_bytes: length + passed_bytes,
                    head_completed: true,
                    stop,
                }
            }
            Ok(None) => FramingStep {
                passed_bytes: 0,
                head_completed: false,
                stop: if is_before_head(bytes) {
                    Stop::BeforeHead
                } else {
                    Stop::InHead
                },
            },
            Err(fault) => FramingStep {
                passed_bytes: 0,
                head_completed: false,
                stop: Stop::BadHead(fault),
            },
        }
    }

    fn advance_in_body(&mut self, bytes: &[u8]) -> (usize, Stop) {
        let (passed_bytes, stop) = match &mut self.state {
            FramingState::RequestHead(_) => (0, Stop::RequestEnd),
            FramingState::Length(remaining) => {
                let available = bytes.len();
                let used = usize::try_from(*remaining)
                    .map_or(available, |remaining| remaining.min(available));
                *remaining -= used as u64;
                if *remaining == 0 {
                    (used, Stop::RequestEnd)
                } else {
                    (used, Stop::InBody)
                }
            }
            FramingState::Chunked(reader) => match reader.read(bytes) {
                ChunkProgress::Open => (bytes.len(), Stop::InBody),
                ChunkProgress::End(used) => (used, Stop::RequestEnd),
                ChunkProgress::Fault(used, fault) => (used, Stop::BadBody(fault)),
            },
        };
        if stop == Stop::RequestEnd {
            self.state = FramingState::RequestHead(HeadReader::default());
        }
        (passed_bytes, stop)
    }
}
