//! One connection: reads and answers requests until either side closes it.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::AsyncWriteExt;

use super::answer_writer::{NextStep, write_answer};
use super::request_reader::{ReceivedRequest, RequestReader};
use super::state::{PlannedAnswer, ServerState};
use super::transport::Transport;
use crate::answer::Answer;
use crate::call::Call;
use crate::request::Request;

/// A connection and its number.
pub(super) struct Connection {
    stream: Transport,
    reader: RequestReader,
    state: Arc<ServerState>,
    number: u64,
    requests: u64,
}

impl Connection {
    pub(super) fn new(stream: Transport, state: Arc<ServerState>, number: u64) -> Self {
        Self {
            stream,
            reader: RequestReader::default(),
            state,
            number,
            requests: 0,
        }
    }

    /// Answers the requests one by one. Ends when the caller closes the connection or is idle too long.
    pub(super) async fn serve(mut self) {
        loop {
            let next = self.reader.next(&mut self.stream);
            let received = match tokio::time::timeout(self.state.idle_timeout, next).await {
                Ok(Ok(Some(received))) => received,
                Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    return self.refuse(&error).await;
                }
                Ok(Ok(None) | Err(_)) | Err(_) => return,
            };
            match self.answer(received).await {
                Ok(NextStep::Read) => {}
                Ok(NextStep::Close) => {
                    // This fails if the caller has already closed the connection.
                    let _ = self.stream.shutdown().await;
                    return;
                }
                // A cut answer must not end with a TLS `close_notify`.
                Ok(NextStep::Drop) | Err(_) => return,
            }
        }
    }

    async fn answer(&mut self, received: ReceivedRequest) -> io::Result<NextStep> {
        self.requests += 1;
        let is_last = received.is_last;
        let request = Request::new(self.state.calls.record(Call {
            sequence: 0,
            connection: self.number,
            nth_on_connection: self.requests,
            method: received.method,
            api_path: received.target,
            headers: received.headers,
            body: received.body,
            received_at: Instant::now(),
        }));
        let PlannedAnswer {
            wait,
            mut answer,
            transmission_fault,
        } = self.state.plan(&request);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        if is_last {
            answer = answer.with_header("Connection", "close");
        }
        let next = write_answer(&mut self.stream, &answer, transmission_fault.as_ref()).await?;
        Ok(if is_last && next == NextStep::Read {
            NextStep::Close
        } else {
            next
        })
    }

    /// Answers bytes that are not a request with the reason, and closes the connection.
    async fn refuse(&mut self, error: &io::Error) {
        let answer = Answer::json(400, error.to_string()).with_header("Connection", "close");
        // This fails if the caller has already closed the connection.
        let _ = self.stream.write_all(&answer.whole()).await;
        let _ = self.stream.shutdown().await;
    }
}
