//! A [`PipelinedConnection`] is one thread's connection to one server: commands go out in the order in which they are
//! given, and replies come back in the same.
//!
//! The commands of one round of the thread leave in one write, and one timer serves all that wait: replies come in
//! order, so only the oldest command can be late.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_util::FutureExt as _;
use redis::{Cmd, Value};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

use super::reply::{MalformedReply, Reply};
use crate::redis::out_of_reach::OutOfReach;

/// A thread that did not run when the time was over could not read its own connection either: bytes that have arrived
/// are read for so long before the server is called slow.
const LAST_LOOK: Duration = Duration::from_millis(10);

/// So much is read at once: replies to some dozens of commands.
const READ_BYTES: usize = 8 * 1024;

/// So much memory of the outgoing buffer is kept for the next commands.
const KEPT_BYTES: usize = 64 * 1024;

/// A `PipelinedConnection` takes commands and returns their replies. It is cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct PipelinedConnection {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    unsent: Vec<u8>,
    /// The bytes of all commands so far.
    asked_bytes: u64,
    /// The commands that wait for their reply, in order; at most as many as are admitted. One whose caller is gone
    /// waits for its reply all the same.
    waiting: VecDeque<Question>,
    driver: Option<Waker>,
    ended: Option<OutOfReach>,
}

#[derive(Debug)]
struct Question {
    /// The command is sent once so many bytes are written.
    ends_at: u64,
    deadline: Instant,
    reply: oneshot::Sender<Result<Value, OutOfReach>>,
}

impl State {
    fn push(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>),
        deadline: Instant,
        reply: oneshot::Sender<Result<Value, OutOfReach>>,
    ) {
        let before = self.unsent.len();
        write(&mut self.unsent);
        self.asked_bytes += (self.unsent.len() - before) as u64;
        let ends_at = self.asked_bytes;
        self.waiting.push_back(Question {
            ends_at,
            deadline,
            reply,
        });
    }
}

impl PipelinedConnection {
    /// Sends a command and waits for the reply, which may be a server's error. Where it does not come by the
    /// deadline, or the connection ends, the connection is of no more use.
    pub(crate) async fn ask(&self, command: &Cmd, deadline: Instant) -> Result<Value, OutOfReach> {
        let write = |out: &mut Vec<u8>| command.write_packed_command(out);
        self.ask_by(write, deadline).await
    }

    /// Does the same with a command that `write` appends to the outgoing bytes.
    pub(crate) fn ask_by<W: FnOnce(&mut Vec<u8>)>(
        &self,
        write: W,
        deadline: Instant,
    ) -> impl Future<Output = Result<Value, OutOfReach>> + use<W> {
        let (reply, received) = oneshot::channel();
        let driver = {
            let mut state = self.state();
            if let Some(why) = state.ended {
                let _ = reply.send(Err(why));
                None
            } else {
                state.push(write, deadline, reply);
                state.driver.take()
            }
        };
        if let Some(driver) = driver {
            driver.wake();
        }
        received.map(|received| received.unwrap_or(Err(OutOfReach::Lost)))
    }

    /// Writes and reads, until the connection ends or fails, or this is dropped: then all that wait get an error. To
    /// be run in a task of the thread's runtime.
    pub(crate) fn drive<S>(&self, stream: S) -> impl Future<Output = ()> + use<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        Driver {
            connection: self.clone(),
            stream,
            outgoing: Vec::new(),
            written: 0,
            written_bytes: 0,
            incoming: BytesMut::new(),
            timer: Box::pin(sleep_until(Instant::now())),
            last_look: None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all commands that wait, and all later ones, with an error. The first reason stays.
    fn end(&self, why: OutOfReach) {
        let waiting = {
            let mut state = self.state();
            state.ended.get_or_insert(why);
            std::mem::take(&mut state.waiting)
        };
        for question in waiting {
            // The caller may be gone.
            let _ = question.reply.send(Err(why));
        }
    }
}

/// A `Driver` writes and reads one connection.
struct Driver<S> {
    connection: PipelinedConnection,
    stream: S,
    outgoing: Vec<u8>,
    /// The bytes of `outgoing` that are written.
    written: usize,
    /// The bytes of all commands that are written.
    written_bytes: u64,
    incoming: BytesMut,
    /// Fires when the oldest command is late, or before.
    timer: Pin<Box<Sleep>>,
    /// When to give up; set once the oldest command is late.
    last_look: Option<Instant>,
}

/// Without its driver a connection would never answer.
impl<S> Drop for Driver<S> {
    fn drop(&mut self) {
        self.connection.end(OutOfReach::Lost);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Driver<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.connection.state().driver = Some(cx.waker().clone());
        this.poll_ended(cx).map(|why| this.connection.end(why))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Ready when no more replies will come.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<OutOfReach> {
        // Received bytes are read before commands go out: the server may have ended the connection.
        if self.poll_read(cx).is_ready() || self.poll_write(cx).is_ready() {
            return Poll::Ready(OutOfReach::Lost);
        }
        self.poll_late(cx).map(|()| OutOfReach::TooSlow)
    }

    /// Ready when the connection takes no more bytes.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.written == self.outgoing.len() {
                self.outgoing.clear();
                self.outgoing.shrink_to(KEPT_BYTES);
                self.written = 0;
                std::mem::swap(&mut self.outgoing, &mut self.connection.state().unsent);
                if self.outgoing.is_empty() {
                    break;
                }
            }
            let left = &self.outgoing[self.written..];
            match ready!(Pin::new(&mut self.stream).poll_write(cx, left)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(written) => {
                    self.written += written;
                    self.written_bytes += written as u64;
                }
            }
        }
        match ready!(Pin::new(&mut self.stream).poll_flush(cx)) {
            Ok(()) => Poll::Pending,
            Err(_) => Poll::Ready(()),
        }
    }

    /// Ready when the server has ended the connection, or sent what is no reply.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.incoming.reserve(READ_BYTES);
            let read = pin!(self.stream.read_buf(&mut self.incoming));
            match ready!(read.poll(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
            if self.hand_out().is_err() {
                return Poll::Ready(());
            }
        }
    }

    /// Hands out the replies that are whole. One that came before its command was sent is malformed, too: it would
    /// shift all later replies by one.
    fn hand_out(&mut self) -> Result<(), MalformedReply> {
        while !self.incoming.is_empty() {
            let (value, length) = match Reply::read(&self.incoming)? {
                Reply::Whole(value, length) => (value, length),
                Reply::Partial => break,
            };
            self.incoming.advance(length);
            let question = self.connection.state().waiting.pop_front();
            let is_out = |question: &Question| question.ends_at <= self.written_bytes;
            let question = question.filter(is_out).ok_or(MalformedReply)?;
            // The caller may be gone.
            let _ = question.reply.send(Ok(value));
            self.last_look = None;
        }
        Ok(())
    }

    /// Ready when a reply is late.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let first = self
                .connection
                .state()
                .waiting
                .front()
                .map(|first| first.deadline);
            let Some(deadline) = first else {
                return Poll::Pending;
            };
            let due = self.last_look.unwrap_or(deadline);
            if self.timer.is_elapsed() || due < self.timer.deadline() {
                self.timer.as_mut().reset(due);
            }
            ready!(self.timer.as_mut().poll(cx));
            let now = Instant::now();
            match self.last_look {
                // It fired for another one, which has its reply by now.
                _ if now < due => {}
                None => self.last_look = Some(now + LAST_LOOK),
                Some(_) => return Poll::Ready(()),
            }
        }
    }
}
