//! Property tests of the framing against the HTTP library's decoder.

use actix_http::h1::{Codec, Message, MessageType};
use bytes::BytesMut;
use proptest::prelude::*;
use tokio_util::codec::Decoder as _;

use crate::server::framing::{RequestFraming, Stop};

/// Fragments of requests, valid and broken.
const PIECES: &[&str] = &[
    "GET /a HTTP/1.1\r\n",
    "POST /a?b HTTP/1.1\r\n",
    "POST /a HTTP/1.0\r\n",
    "Host: a\r\n",
    "Host: a\r\n",
    "\r\n",
    "\r\n",
    "Content-Length: 5\r\n",
    "Content-Length:0\r\n",
    "Content-Length: 11\r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding:\tCHUNKED \r\n",
    "Transfer-Encoding: identity\r\n",
    "Connection: close, upgrade\r\n",
    "Expect: 100-continue\r\n",
    "Upgrade: websocket\r\n",
    "Connection: Upgrade, HTTP2-Settings\r\n",
    "GET http://a:80/b HTTP/1.1\r\n",
    "GET https://[::1]?b HTTP/1.1\r\n",
    "X-\u{7c}~: \u{e9} \"\r\n",
    "hello",
    "5\r\nhello\r\n",
    "5;x\r\nhello\r\n",
    "0\r\n\r\n",
    "0\r\n",
    "a\r\n0123456789\r\n",
    " ",
    ":",
    "\n",
    "\r",
    "\0",
];

/// Whole requests, so that enough streams hold valid ones.
const REQUESTS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;e\r\nx\r\n0\r\n\r\n",
    "PUT /d HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
    "\r\nPOST http://b/e HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nok",
];

fn streams() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        3 => proptest::sample::select(REQUESTS),
        2 => proptest::sample::select(PIECES),
    ];
    let edits = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 0..3);
    (proptest::collection::vec(pieces, 1..12), edits).prop_map(|(pieces, edits)| {
        let mut bytes = pieces.concat().into_bytes();
        for (index, byte, kind) in edits {
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => {}
            }
        }
        bytes
    })
}

/// The bytes of a stream that passed, and why no more did.
#[derive(Debug, PartialEq)]
struct Outcome {
    passed: Vec<u8>,
    requests_begun: usize,
    requests_ended: usize,
    stop: Stop,
}

/// How many begins and ends of requests a reader found.
#[derive(Debug, PartialEq)]
struct Read {
    begun: usize,
    ended: usize,
}

impl Outcome {
    fn read(&self) -> Read {
        Read {
            begun: self.requests_begun,
            ended: self.requests_ended,
        }
    }
}

/// Reads bytes with the library's decoder; an error unless it accepts them all.
fn library_reads(bytes: &[u8]) -> Result<Read, String> {
    // The decoder has a clock that needs a runtime.
    let system = actix_rt::System::new();
    let mut codec = system.block_on(async { Codec::default() });
    let mut bytes = BytesMut::from(bytes);
    let mut read = Read { begun: 0, ended: 0 };
    loop {
        match codec.decode(&mut bytes) {
            Ok(Some(Message::Item(_))) => {
                read.begun += 1;
                read.ended += usize::from(matches!(codec.message_type(), MessageType::None));
            }
            Ok(Some(Message::Chunk(Some(_)))) => {}
            Ok(Some(Message::Chunk(None))) => read.ended += 1,
            Ok(None) if bytes.is_empty() => return Ok(read),
            Ok(None) => return Err(format!("left over: {bytes:?}")),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Validates a stream that arrives in these runs of bytes, as the validated stream does.
fn validate<'a>(runs: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut framing = RequestFraming::new();
    let mut pending = Vec::new();
    let mut outcome = Outcome {
        passed: Vec::new(),
        requests_begun: 0,
        requests_ended: 0,
        stop: Stop::InHead,
    };
    for run in runs {
        pending.extend_from_slice(run);
        while !pending.is_empty() {
            let step = framing.advance(&mut pending);
            outcome.passed.extend(pending.drain(..step.passed_bytes));
            outcome.requests_begun += usize::from(step.head_completed);
            outcome.requests_ended += usize::from(step.stop == Stop::RequestEnd);
            outcome.stop = step.stop;
            match step.stop {
                Stop::BadHead(_) | Stop::BadBody(_) => return outcome,
                Stop::BeforeHead | Stop::InHead => break,
                Stop::InBody | Stop::RequestEnd => {}
            }
        }
    }
    outcome
}

#[test]
fn every_byte_at_every_place_is_read_as_the_library_reads_it_or_refused() {
    let body = "Transfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n0\r\n\r\n";
    let lines =
        "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n\r\nhello";
    for sample in [
        format!("POST /a?b HTTP/1.1\r\nHost: a\r\nX: b\r\n{body}"),
        format!("\r\nPOST http://a:80/b HTTP/1.1\r\n{lines}"),
        format!("GET https://[::1]?b HTTP/1.1\r\n{lines}"),
    ] {
        assert_read_alike_with_another_byte_in_any_place(&sample);
    }
}

fn assert_read_alike_with_another_byte_in_any_place(sample: &str) {
    for place in 0..sample.len() {
        for byte in 0..=u8::MAX {
            let mut replaced = sample.as_bytes().to_vec();
            replaced[place] = byte;
            let mut inserted = sample.as_bytes().to_vec();
            inserted.insert(place, byte);
            for bytes in [replaced, inserted] {
                let outcome = validate(std::iter::once(bytes.as_slice()));
                if outcome.passed.is_empty() {
                    continue;
                }
                let read = library_reads(&outcome.passed);
                assert_eq!(
                    read,
                    Ok(outcome.read()),
                    "byte {byte} at {place} of {sample}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_library_reads_the_same_requests_in_the_bytes_that_pass(bytes in streams()) {
        let outcome = validate(std::iter::once(bytes.as_slice()));
        prop_assert_eq!(library_reads(&outcome.passed), Ok(outcome.read()));
    }

    #[test]
    fn the_result_does_not_depend_on_how_the_stream_is_split(
        bytes in streams(),
        cuts in proptest::collection::vec(1_usize..40, 1..200),
    ) {
        let whole = validate(std::iter::once(bytes.as_slice()));
        let mut rest = bytes.as_slice();
        let mut cuts = cuts.into_iter().cycle();
        let runs = std::iter::from_fn(|| {
            let length = cuts.next()?.min(rest.len());
            let (run, left) = rest.split_at(length);
            rest = left;
            (!run.is_empty()).then_some(run)
        });
        prop_assert_eq!(whole, validate(runs));
    }
}
