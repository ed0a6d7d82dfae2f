//! One connection: requests read, answered and kept apart until either side ends it.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::AsyncWriteExt;

use super::delivery::{Next, deliver};
use super::desk::{Desk, Plan};
use super::inbound::{Inbound, Message};
use super::transport::Transport;
use crate::answer::Answer;
use crate::call::Call;
use crate::request::Request;

/// A connection and its number.
pub(super) struct Connection {
    stream: Transport,
    inbound: Inbound,
    desk: Arc<Desk>,
    number: u64,
    requests: u64,
}

impl Connection {
    pub(super) fn new(stream: Transport, desk: Arc<Desk>, number: u64) -> Self {
        Self {
            stream,
            inbound: Inbound::default(),
            desk,
            number,
            requests: 0,
        }
    }

    /// Answers one request after the other; ends silently when the caller is gone or idle too long.
    pub(super) async fn serve(mut self) {
        loop {
            let next = self.inbound.next(&mut self.stream);
            let message = match tokio::time::timeout(self.desk.idle_timeout, next).await {
                Ok(Ok(Some(message))) => message,
                Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    return self.refuse(&error).await;
                }
                Ok(Ok(None) | Err(_)) | Err(_) => return,
            };
            match self.answer(message).await {
                Ok(Next::Request) => {}
                Ok(Next::Close) => {
                    // The caller may be gone already.
                    let _ = self.stream.shutdown().await;
                    return;
                }
                // Dropped as it is: half an answer must not end with a proper farewell.
                Ok(Next::Drop) | Err(_) => return,
            }
        }
    }

    async fn answer(&mut self, message: Message) -> io::Result<Next> {
        self.requests += 1;
        let is_last = message.is_last;
        let request = Request::new(self.desk.calls.record(Call {
            sequence: 0,
            connection: self.number,
            nth_on_connection: self.requests,
            method: message.method,
            api_path: message.target,
            headers: message.headers,
            body: message.body,
            received_at: Instant::now(),
        }));
        let Plan {
            wait,
            mut answer,
            spoiled,
        } = self.desk.plan(&request);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        if is_last {
            answer = answer.with_header("Connection", "close");
        }
        let next = deliver(&mut self.stream, &answer, spoiled.as_ref()).await?;
        Ok(if is_last && next == Next::Request {
            Next::Close
        } else {
            next
        })
    }

    /// Says what was wrong with bytes that are no request; such a connection cannot go on.
    async fn refuse(&mut self, error: &io::Error) {
        let answer = Answer::json(400, error.to_string()).with_header("Connection", "close");
        // The caller may be gone already.
        let _ = self.stream.write_all(&answer.whole()).await;
        let _ = self.stream.shutdown().await;
    }
}
