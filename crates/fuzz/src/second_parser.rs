//! A second and a third parser of HTTP, for the bytes that the framing check accepts.

use actix_http::ServiceConfig;
use actix_http::h1::{Codec, Message, MessageType};
use bytes::BytesMut;
use tokio_util::codec::Decoder as _;

/// The requests that one parser finds in a stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    /// The number of complete heads.
    pub(crate) heads: usize,
    /// The position after each complete request.
    pub(crate) ends: Vec<usize>,
}

/// Returns the requests of a stream by `httparse` and RFC 9112, section 6.3.
pub(crate) fn by_httparse(stream: &[u8]) -> Result<Requests, String> {
    let mut requests = Requests::default();
    let mut at = 0;
    while at < stream.len() {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        let parsed = request.parse(&stream[at..]);
        let httparse::Status::Complete(length) = parsed.map_err(|error| error.to_string())? else {
            return Err(format!("an incomplete head at {at}"));
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

/// Returns the length of the body with these headers, or `None` if the stream ends before the body.
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
        _ => Err("ambiguous framing".to_owned()),
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
        // Without trailers, the empty line after the last chunk is where its data's line end would be.
        let end = at + length + size + 2;
        match rest.get(end - 2..end) {
            None => return Ok(None),
            Some(b"\r\n") if size == 0 => return Ok(Some(end)),
            Some(b"\r\n") => at = end,
            Some(other) => return Err(format!("{other:?} after a chunk")),
        }
    }
}

/// Returns the requests of a stream by the gateway's HTTP library.
pub(crate) fn by_library(stream: &[u8]) -> Result<Requests, String> {
    thread_local! {
        // The decoder has a timer, which requires a runtime.
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
