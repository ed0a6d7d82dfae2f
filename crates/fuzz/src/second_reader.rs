//! A second and a third reader of HTTP, for what the guard let through.

use actix_http::ServiceConfig;
use actix_http::h1::{Codec, Message, MessageType};
use bytes::BytesMut;
use tokio_util::codec::Decoder as _;

/// Where each request of a stream begins and ends, as one reader sees it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    /// Heads that are complete.
    pub(crate) heads: usize,
    /// The byte behind each request that is complete.
    pub(crate) ends: Vec<usize>,
}

/// The requests of a stream as `httparse` and RFC 9112, section 6.3, tell them apart.
pub(crate) fn by_httparse(stream: &[u8]) -> Result<Requests, String> {
    let mut requests = Requests::default();
    let mut at = 0;
    while at < stream.len() {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        let parsed = request.parse(&stream[at..]);
        let httparse::Status::Complete(length) = parsed.map_err(|error| error.to_string())? else {
            return Err(format!("a head at {at} that has no end"));
        };
        requests.heads += 1;
        let body = at + length;
        let Some(end) = body_end(request.headers, &stream[body..])? else {
            return Ok(requests);
        };
        at = body + end;
        requests.ends.push(at);
    }
    Ok(requests)
}

/// How long the body is that these headers announce; `None` where the stream ends before it does.
fn body_end(headers: &[httparse::Header<'_>], rest: &[u8]) -> Result<Option<usize>, String> {
    let values = |name: &str| -> Vec<&[u8]> {
        let named = headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value.trim_ascii()).collect()
    };
    match (
        &values("content-length")[..],
        &values("transfer-encoding")[..],
    ) {
        ([], []) => Ok(Some(0)),
        ([length], []) => {
            let length = std::str::from_utf8(length).map_err(|error| error.to_string())?;
            let length: usize = length.parse().map_err(|_| format!("length {length}"))?;
            Ok((length <= rest.len()).then_some(length))
        }
        ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") => chunks_end(rest),
        _ => Err("a body of two lengths".to_owned()),
    }
}

fn chunks_end(rest: &[u8]) -> Result<Option<usize>, String> {
    let mut at = 0;
    loop {
        let parsed = httparse::parse_chunk_size(&rest[at..]);
        let httparse::Status::Complete((length, size)) =
            parsed.map_err(|error| error.to_string())?
        else {
            return Ok(None);
        };
        let size = usize::try_from(size).map_err(|error| error.to_string())?;
        // Without trailers, the last chunk's empty line is that of its data.
        let end = at + length + size + 2;
        match rest.get(end - 2..end) {
            None => return Ok(None),
            Some(b"\r\n") if size == 0 => return Ok(Some(end)),
            Some(b"\r\n") => at = end,
            Some(other) => return Err(format!("{other:?} behind a chunk")),
        }
    }
}

/// The requests of a stream as the gateway's HTTP library tells them apart.
pub(crate) fn by_library(stream: &[u8]) -> Result<Requests, String> {
    thread_local! {
        // The decoder keeps a clock, which needs a runtime.
        static SERVICE: (actix_rt::SystemRunner, ServiceConfig) = {
            let system = actix_rt::System::new();
            let config = system.block_on(async { ServiceConfig::default() });
            (system, config)
        };
    }
    let mut codec = SERVICE.with(|(_, config)| Codec::new(config.clone()));
    let mut rest = BytesMut::from(stream);
    let mut requests = Requests::default();
    loop {
        let is_end = match codec.decode(&mut rest) {
            Ok(Some(Message::Item(_))) => {
                requests.heads += 1;
                matches!(codec.message_type(), MessageType::None)
            }
            Ok(Some(Message::Chunk(chunk))) => chunk.is_none(),
            Ok(None) if rest.is_empty() => return Ok(requests),
            Ok(None) => return Err(format!("left over: {rest:?}")),
            Err(error) => return Err(error.to_string()),
        };
        if is_end {
            requests.ends.push(stream.len() - rest.len());
        }
    }
}
