//! An answer written: as it should be, or the way a fault of delivery has it.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::transport::{Transport, reset_on_close};
use crate::answer::Answer;
use crate::fault::Fault;

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It serves another request.
    Request,
    /// It is closed properly (under TLS with the farewell that tells an end from a cut).
    Close,
    /// It is dropped as it is.
    Drop,
}

/// Writes the answer, with its fault if it has one.
pub(super) async fn deliver(
    stream: &mut Transport,
    answer: &Answer,
    fault: Option<&Fault>,
) -> io::Result<Next> {
    let body = &answer.body;
    let Some(fault) = fault else {
        send(stream, &answer.whole()).await?;
        return Ok(Next::Request);
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
            Ok(Next::Request)
        }
        Fault::Reset(bytes) => {
            send(stream, first(&answer.whole(), *bytes)).await?;
            reset_on_close(stream)?;
            Ok(Next::Drop)
        }
        Fault::Close(bytes) => {
            send(stream, first(&answer.whole(), *bytes)).await?;
            Ok(Next::Drop)
        }
        Fault::Cut(bytes) => {
            let kept = (*bytes).min(body.len().saturating_sub(1));
            send(stream, &with_length(answer, first(body, kept))).await?;
            Ok(Next::Drop)
        }
        Fault::Chunked(bytes) => {
            send(stream, &chunked(answer, *bytes)).await?;
            send(stream, b"0\r\n\r\n").await?;
            Ok(Next::Request)
        }
        Fault::ChunkedUnended => {
            send(stream, &chunked(answer, body.len().max(1))).await?;
            Ok(Next::Drop)
        }
        Fault::Unframed => {
            send(stream, &[answer.head(""), body.clone()].concat()).await?;
            Ok(Next::Close)
        }
        Fault::Raw(bytes) => {
            send(stream, bytes).await?;
            Ok(Next::Close)
        }
        Fault::CloseAfter => {
            send(stream, &answer.whole()).await?;
            Ok(Next::Close)
        }
        // Faults of the answer are in it already.
        _ => {
            send(stream, &answer.whole()).await?;
            Ok(Next::Request)
        }
    }
}

async fn send(stream: &mut Transport, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Writes nothing more and waits until the caller gives up.
async fn hang(stream: &mut Transport) -> io::Result<Next> {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(Next::Drop)
}

fn first(bytes: &[u8], count: usize) -> &[u8] {
    &bytes[..count.min(bytes.len())]
}

/// The head with the length of the whole body, and what is sent of the body.
fn with_length(answer: &Answer, sent: &[u8]) -> Vec<u8> {
    let mut bytes = answer.head(&format!("Content-Length: {}\r\n", answer.body.len()));
    bytes.extend_from_slice(sent);
    bytes
}

/// The answer in chunks, all but the last one.
fn chunked(answer: &Answer, size: usize) -> Vec<u8> {
    let mut bytes = answer.head("Transfer-Encoding: chunked\r\n");
    for chunk in answer.body.chunks(size) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}
