//! Where each request of a connection begins and ends.

use super::chunked::{ChunkProgress, ChunkReader};
use super::early_fault::EarlyFault;
use super::head::{BodyFraming, HeadReader, RequestHead};

/// Follows the requests of one connection, one after another.
#[derive(Debug)]
pub(super) struct RequestFraming {
    state: State,
}

#[derive(Debug)]
enum State {
    RequestHead(HeadReader),
    Length(u64),
    Chunked(ChunkReader),
}

/// What [`RequestFraming::follow`] made of a run of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FramingStep {
    /// So many bytes are beyond doubt and may be handed on.
    pub(super) passed: usize,
    /// A head was completed within them.
    pub(super) head_completed: bool,
    pub(super) stop: Stop,
}

/// Why [`RequestFraming::follow`] stopped after the bytes it passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Within a body, at the end of the bytes.
    InBody,
    /// Within a head: it is to be held back, and given again with what follows.
    InHead,
    /// A request ends here; what follows is another.
    RequestEnd,
    /// The head that begins here is refused.
    BadHead(EarlyFault),
    /// The body is broken here.
    BadBody,
}

impl RequestFraming {
    pub(super) fn new() -> Self {
        Self {
            state: State::RequestHead(HeadReader::default()),
        }
    }

    /// `true` while a head was passed whose body was not, to its end.
    pub(super) fn is_in_body(&self) -> bool {
        !matches!(self.state, State::RequestHead(_))
    }

    /// Follows one request through the next bytes, at most to its end. Bytes of a head are given from the
    /// head's first byte, again and again until it is complete; bytes of a body once.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> FramingStep {
        let State::RequestHead(reader) = &mut self.state else {
            let (passed, stop) = self.follow_body(bytes);
            return FramingStep {
                passed,
                head_completed: false,
                stop,
            };
        };
        match reader.read(bytes) {
            Ok(Some(RequestHead { length, body })) => {
                self.state = match body {
                    BodyFraming::Length(length) => State::Length(length),
                    BodyFraming::Chunked => State::Chunked(ChunkReader::new()),
                };
                let (passed, stop) = self.follow_body(&bytes[length..]);
                FramingStep {
                    passed: length + passed,
                    head_completed: true,
                    stop,
                }
            }
            Ok(None) => FramingStep {
                passed: 0,
                head_completed: false,
                stop: Stop::InHead,
            },
            Err(fault) => FramingStep {
                passed: 0,
                head_completed: false,
                stop: Stop::BadHead(fault),
            },
        }
    }

    fn follow_body(&mut self, bytes: &[u8]) -> (usize, Stop) {
        let (passed, stop) = match &mut self.state {
            State::RequestHead(_) => (0, Stop::RequestEnd),
            State::Length(left) => {
                let here = bytes.len();
                let taken = usize::try_from(*left).map_or(here, |left| left.min(here));
                *left -= taken as u64;
                if *left == 0 {
                    (taken, Stop::RequestEnd)
                } else {
                    (taken, Stop::InBody)
                }
            }
            State::Chunked(reader) => match reader.read(bytes) {
                ChunkProgress::Open => (bytes.len(), Stop::InBody),
                ChunkProgress::End(taken) => (taken, Stop::RequestEnd),
                ChunkProgress::Fault(taken) => (taken, Stop::BadBody),
            },
        };
        if stop == Stop::RequestEnd {
            self.state = State::RequestHead(HeadReader::default());
        }
        (passed, stop)
    }
}
