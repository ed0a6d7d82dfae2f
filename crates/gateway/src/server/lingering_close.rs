//! Lingering close: closes a connection so that the client receives its last answer.

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::deadline_timer::DeadlineTimer;
use super::stream::socket;
use crate::tls::Stream;

/// How long a closing connection waits for the client to close its side.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);
/// How many bytes it discards meanwhile at most.
const LINGER_MAX_BYTES: usize = 256 * 1024;
const SCRATCH_BYTES: usize = 4096;

/// Shuts down the sending side, then discards what the client still sends: the system resets a socket that is
/// closed with unread bytes, and the reset can overtake the answer.
#[derive(Debug, Default)]
pub(super) struct LingeringClose {
    input: ClientInput,
    deadline: Option<Instant>,
    is_shut_down: bool,
    discarded_bytes: usize,
}

/// What may still arrive from the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ClientInput {
    /// The client may send another request.
    #[default]
    Possible,
    /// A request was refused before all of its bytes were read.
    Unread,
    /// The client closed its side or was idle, so no bytes are in flight.
    Ended,
}

impl LingeringClose {
    pub(super) fn expect_unread_bytes(&mut self) {
        self.input = ClientInput::Unread;
    }

    pub(super) fn expect_nothing(&mut self) {
        if self.input == ClientInput::Possible {
            self.input = ClientInput::Ended;
        }
    }

    /// Ready when the socket may be dropped. Errors count as the end.
    pub(super) fn poll(
        &mut self,
        stream: &mut Stream,
        timer: &mut DeadlineTimer,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let deadline = *self
            .deadline
            .get_or_insert_with(|| Instant::now() + LINGER_TIMEOUT);
        if !self.is_shut_down {
            match Pin::new(&mut *stream).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => self.is_shut_down = true,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending if timer.has_passed(deadline, cx) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.input == ClientInput::Ended {
            return Poll::Ready(());
        }
        match self.poll_discard(stream, cx) {
            Poll::Pending if !timer.has_passed(deadline, cx) => Poll::Pending,
            _ => Poll::Ready(()),
        }
    }

    /// Ready when the client closed its side or sent more than [`LINGER_MAX_BYTES`].
    fn poll_discard(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [MaybeUninit::<u8>::uninit(); SCRATCH_BYTES];
        loop {
            let mut buffer = ReadBuf::uninit(&mut scratch);
            let read = ready!(Pin::new(socket(stream)).poll_read(cx, &mut buffer));
            self.discarded_bytes += buffer.filled().len();
            if read.is_err()
                || buffer.filled().is_empty()
                || self.discarded_bytes > LINGER_MAX_BYTES
            {
                return Poll::Ready(());
            }
        }
    }
}
