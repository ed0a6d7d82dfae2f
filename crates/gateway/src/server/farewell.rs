//! Closing a connection so that its last answer arrives.

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::alarm::Alarm;
use super::stream::socket;
use crate::tls::Stream;

/// How long a closing connection waits for the caller to close its side.
const LINGER: Duration = Duration::from_secs(1);
/// How many bytes it reads away meanwhile.
const LINGER_MAX_BYTES: usize = 256 * 1024;
const SCRATCH_BYTES: usize = 4096;

/// Says that nothing more comes from here, then reads away what the caller still sends: a socket closed over
/// unread bytes is reset, and the reset can overtake the answer.
#[derive(Debug, Default)]
pub(super) struct Farewell {
    caller: Caller,
    until: Option<Instant>,
    is_said: bool,
    discarded_bytes: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Caller {
    /// Took an answer, and may be about to send again.
    #[default]
    Answered,
    /// Was refused within what it sent.
    Refused,
    /// Hung up, or was silent: nothing of its is on the way.
    Silent,
}

impl Farewell {
    pub(super) fn expect_unread_bytes(&mut self) {
        self.caller = Caller::Refused;
    }

    pub(super) fn expect_nothing(&mut self) {
        if self.caller == Caller::Answered {
            self.caller = Caller::Silent;
        }
    }

    /// Ready when the socket may be dropped. Failures are of no more interest.
    pub(super) fn poll(
        &mut self,
        stream: &mut Stream,
        alarm: &mut Alarm,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let until = *self.until.get_or_insert_with(|| Instant::now() + LINGER);
        if !self.is_said {
            match Pin::new(&mut *stream).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => self.is_said = true,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending if alarm.is_over(until, cx) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.caller == Caller::Silent {
            return Poll::Ready(());
        }
        match self.poll_discard(stream, cx) {
            Poll::Pending if !alarm.is_over(until, cx) => Poll::Pending,
            _ => Poll::Ready(()),
        }
    }

    /// Ready when the caller closed its side, or sent more than is read for this.
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
