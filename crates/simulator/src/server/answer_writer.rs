//! Writes an answer, normally or with a transmission fault.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::transport::{Transport, reset_on_close};
use crate::answer::Answer;
use crate::fault::Fault;

/// The next step of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    /// It reads the next request.
    Read,
    /// It is closed, with a `close_notify` if it uses TLS.
    Close,
    /// It is dropped without a `close_notify`.
    Drop,
}

/// Writes the answer, disturbed by the fault if there is one.
pub(super) async fn write_answer(
    stream: &mut Transport,
    answer: &Answer,
    fault: Option<&Fault>,
) -> io::Result<NextStep> {
    let body = &answer.body;
    let Some(fault) = fault else {
        send(stream, &answer.whole()).await?;
        return Ok(NextStep::Read);
    };
    match fault {
        Fault::HangHead(bytes) => {
            send(stream, first(&answer.whole(), *bytes)).await?;
            hang(stream).await
        }
        Fault::HangBody(bytes) => {
            send(stream, &with_length(answer, first(body, *bytes))).await?;
            hang(stream).await
        }
        Fault::Drip { interval, bytes } => {
            send(stream, &with_length(answer, b"")).await?;
            for piece in body.chunks(*bytes) {
                tokio::time::sleep(*interval).await;
                send(stream, piece).await?;
            }
            Ok(NextStep::Read)
        }
        Fault::Reset(bytes) => {
            send(stream, first(&answer.whole(), *bytes)).await?;
            reset_on_close(stream)?;
            Ok(NextStep::Drop)
        }
        Fault::Close(bytes) => {
            send(stream, first(&answer.whole(), *bytes)).await?;
            Ok(NextStep::Drop)
        }
        Fault::Cut(bytes) => {
            let count = (*bytes).min(body.len().saturating_sub(1));
            send(stream, &with_length(answer, first(body, count))).await?;
            Ok(NextStep::Drop)
        }
        Fault::Chunked(bytes) => {
            send(stream, &chunked(answer, *bytes)).await?;
            send(stream, b"0\r\n\r\n").await?;
            Ok(NextStep::Read)
        }
        Fault::ChunkedUnended => {
            send(stream, &chunked(answer, body.len().max(1))).await?;
            Ok(NextStep::Drop)
        }
        Fault::Unframed => {
            send(stream, &[answer.head(""), body.clone()].concat()).await?;
            Ok(NextStep::Close)
        }
        Fault::Raw(bytes) => {
            send(stream, bytes).await?;
            Ok(NextStep::Close)
        }
        Fault::CloseAfter => {
            send(stream, &answer.whole()).await?;
            Ok(NextStep::Close)
        }
        // Content faults are already in the answer.
        _ => {
            send(stream, &answer.whole()).await?;
            Ok(NextStep::Read)
        }
    }
}

async fn send(stream: &mut Transport, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Waits until the caller closes the connection.
async fn hang(stream: &mut Transport) -> io::Result<NextStep> {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(NextStep::Drop)
}

fn first(bytes: &[u8], count: usize) -> &[u8] {
    &bytes[..count.min(bytes.len())]
}

/// Returns the head with the length of the whole body, followed by the given part of the body.
fn with_length(answer: &Answer, sent: &[u8]) -> Vec<u8> {
    let mut bytes = answer.head(&format!("Content-Length: {}\r\n", answer.body.len()));
    bytes.extend_from_slice(sent);
    bytes
}

/// Returns the answer in chunks, without the last chunk.
fn chunked(answer: &Answer, size: usize) -> Vec<u8> {
    let mut bytes = answer.head("Transfer-Encoding: chunked\r\n");
    for chunk in answer.body.chunks(size) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}
