//! The fuzz target of the public listener's byte streams.

use std::num::NonZeroUsize;

use gateway::server::Validation;

use crate::second_parser::{Requests, by_httparse, by_library};

/// Checks the bytes that the framing check accepts: they do not depend on how the stream is divided into reads,
/// they are a prefix of the stream in which only `Upgrade` is overwritten, and two other parsers read the same
/// requests from them.
pub fn listener(stream: &[u8]) {
    let whole = Validation::of([stream], NonZeroUsize::MAX.min(room(64 * 1024)));
    for (run, room_bytes) in [(1, 64 * 1024), (3, 5), (7, 2), (41, 16)] {
        let cut = Validation::of(stream.chunks(run), room(room_bytes));
        assert_eq!(whole, cut, "whole | in runs of {run} bytes");
    }
    let halves = stream.split_at(stream.len() / 2);
    let cut = Validation::of([halves.0, halves.1], room(64 * 1024));
    assert_eq!(whole, cut, "whole | in halves");

    let prefix = &stream[..whole.passed.len()];
    assert_differ_by_upgrade_only(prefix, &whole.passed);
    let requests = Requests {
        heads: whole.heads,
        ends: whole.ends,
    };
    assert!(
        requests.heads - requests.ends.len() <= 1,
        "more than one incomplete request"
    );
    assert_eq!(
        Ok(&requests),
        by_httparse(&whole.passed).as_ref(),
        "framing check | httparse"
    );
    assert_eq!(
        Ok(&requests),
        by_httparse(prefix).as_ref(),
        "framing check | httparse on the bytes as they came"
    );
    assert_eq!(
        Ok(&requests),
        by_library(&whole.passed).as_ref(),
        "framing check | HTTP library"
    );
}

fn room(bytes: usize) -> NonZeroUsize {
    NonZeroUsize::new(bytes).expect("no caller passes zero")
}

/// Checks that where the passed bytes differ from those that came, these spell `upgrade`.
fn assert_differ_by_upgrade_only(came: &[u8], passed: &[u8]) {
    let mut at = 0;
    while at < came.len() {
        let is_word = |bytes: &[u8]| bytes.eq_ignore_ascii_case(b"upgrade");
        let word = came.get(at..at + 7).filter(|word| is_word(word));
        let became = passed.get(at..at + 7).unwrap_or_default();
        if word.is_some() && matches!(became, b"ignored" | b"       ") {
            at += 7;
            continue;
        }
        assert_eq!(came[at], passed[at], "byte {at}");
        at += 1;
    }
}
