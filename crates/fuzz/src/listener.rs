//! What comes in through the public listener.

use std::num::NonZeroUsize;

use gateway::server::Validation;

use crate::second_reader::{Requests, by_httparse, by_library};

/// What the guard lets through does not depend on how the network cuts the stream, is the stream's own
/// bytes, and is read by two other readers as the same requests.
pub fn listener(stream: &[u8]) {
    let whole = Validation::of([stream], NonZeroUsize::MAX.min(room(64 * 1024)));
    for (run, room_bytes) in [(1, 64 * 1024), (3, 5), (7, 2), (41, 16)] {
        let cut = Validation::of(stream.chunks(run), room(room_bytes));
        assert_eq!(whole, cut, "whole | in runs of {run} bytes");
    }
    let halves = stream.split_at(stream.len() / 2);
    let cut = Validation::of([halves.0, halves.1], room(64 * 1024));
    assert_eq!(whole, cut, "whole | in halves");

    assert!(stream.starts_with(&whole.passed), "passed what never came");
    let requests = Requests {
        heads: whole.heads,
        ends: whole.ends,
    };
    assert!(
        requests.heads - requests.ends.len() <= 1,
        "two requests at once"
    );
    assert_eq!(
        Ok(&requests),
        by_httparse(&whole.passed).as_ref(),
        "guard | httparse"
    );
    assert_eq!(
        Ok(&requests),
        by_library(&whole.passed).as_ref(),
        "guard | HTTP library"
    );
}

fn room(bytes: usize) -> NonZeroUsize {
    NonZeroUsize::new(bytes).expect("no call asks for none")
}
