//! The framing against the HTTP library's decoder, on bytes that nobody thought of.

use actix_http::h1::{Codec, Message, MessageType};
use bytes::BytesMut;
use proptest::prelude::*;
use tokio_util::codec::Decoder as _;

use crate::server::framing::{RequestFraming, Stop};

/// Pieces that make requests, and all that goes wrong with them.
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

/// Whole requests, so that there are more good ones than chance makes.
const REQUESTS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;e\r\nx\r\n0\r\n\r\n",
    "PUT /d HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
];

fn streams() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        3 => proptest::sample::select(REQUESTS),
        2 => proptest::sample::select(PIECES),
    ];
    let edits = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 0..3);
    (proptest::collection::vec(pieces, 1..12), edits).prop_map(|(pieces, edits)| {
        let mut bytes = pieces.concat().into_bytes();
        for (index, octet, kind) in edits {
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = octet,
                1 => bytes.insert(at, octet),
                _ if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => {}
            }
        }
        bytes
    })
}

/// What was let through of a stream, and why no more was.
#[derive(Debug, PartialEq)]
struct Outcome {
    passed: Vec<u8>,
    requests_begun: usize,
    requests_ended: usize,
    stop: Stop,
}

/// How many requests a reader found to begin and to end.
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

/// What the library makes of bytes, where it takes them all.
fn library_reads(bytes: &[u8]) -> Result<Read, String> {
    // The decoder keeps a clock, which needs a runtime.
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

/// Follows a stream that comes in these runs of bytes, as the guard does.
fn follow<'a>(runs: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut framing = RequestFraming::new();
    let mut held = Vec::new();
    let mut outcome = Outcome {
        passed: Vec::new(),
        requests_begun: 0,
        requests_ended: 0,
        stop: Stop::InHead,
    };
    for run in runs {
        held.extend_from_slice(run);
        while !held.is_empty() {
            let step = framing.follow(&held);
            outcome.passed.extend(held.drain(..step.passed));
            outcome.requests_begun += usize::from(step.head_completed);
            outcome.requests_ended += usize::from(step.stop == Stop::RequestEnd);
            outcome.stop = step.stop;
            match step.stop {
                Stop::BadHead(_) | Stop::BadBody => return outcome,
                Stop::InHead => break,
                Stop::InBody | Stop::RequestEnd => {}
            }
        }
    }
    outcome
}

#[test]
fn every_octet_in_every_place_is_read_in_the_same_way_or_refused() {
    let body = "Transfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n0\r\n\r\n";
    let sample = format!("POST /a?b HTTP/1.1\r\nHost: a\r\nX: b\r\n{body}");
    for place in 0..sample.len() {
        for octet in 0..=u8::MAX {
            let mut replaced = sample.clone().into_bytes();
            replaced[place] = octet;
            let mut inserted = sample.clone().into_bytes();
            inserted.insert(place, octet);
            for bytes in [replaced, inserted] {
                let outcome = follow(std::iter::once(bytes.as_slice()));
                if outcome.passed.is_empty() {
                    continue;
                }
                let read = library_reads(&outcome.passed);
                assert_eq!(read, Ok(outcome.read()), "octet {octet} at {place}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_let_through_the_library_reads_in_the_same_way(bytes in streams()) {
        let outcome = follow(std::iter::once(bytes.as_slice()));
        prop_assert_eq!(library_reads(&outcome.passed), Ok(outcome.read()));
    }

    #[test]
    fn the_cut_of_the_stream_changes_nothing(
        bytes in streams(),
        cuts in proptest::collection::vec(1_usize..40, 1..200),
    ) {
        let whole = follow(std::iter::once(bytes.as_slice()));
        let mut rest = bytes.as_slice();
        let mut cuts = cuts.into_iter().cycle();
        let runs = std::iter::from_fn(|| {
            let length = cuts.next()?.min(rest.len());
            let (run, left) = rest.split_at(length);
            rest = left;
            (!run.is_empty()).then_some(run)
        });
        prop_assert_eq!(whole, follow(runs));
    }
}
