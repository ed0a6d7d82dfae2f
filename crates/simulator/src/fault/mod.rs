//! The faults of a simulated party's answers.

mod content;
mod escape;
mod rule;
mod text;

use std::time::Duration;

pub use rule::Rule;
pub(crate) use rule::Rules;

/// A fault. The documentation of each variant has its text form for the command line and for the request
/// header `X-Simulator-Fault`. [`Fault::parse`] parses it, and `Display` writes it.
///
/// There are three groups, and a [`Rule`] may combine them (`delay:100ms status:500 cut:20`):
///
/// - `delay` waits.
/// - Content faults change the answer. Those that replace it also prevent the request's effect: a payment
///   that is answered with `res_code:E902` is not recorded.
/// - Transmission faults disturb how the answer is written. The request has its effect, so the states of
///   the caller and of the party differ. The last of several transmission faults applies.
///
/// `BYTES` may have the escapes `\r`, `\n`, `\t`, `\\` and `\xNN`. A space is written as `\x20`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `delay:2500ms`: waits before the answer, in addition to the latency.
    Delay(Duration),

    /// `status:503`: changes the status of the ordinary answer.
    Status(u16),
    /// `res_code:E902`: replaces the answer with a code at HTTP 200.
    ResCode(String),
    /// `answer:503:BYTES` or `answer:503,text/plain:BYTES`: replaces the answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The `Content-Type`; none is sent if it is empty. If the text form omits it, it is the guide's
        /// JSON type.
        content_type: String,
        /// The body.
        body: Vec<u8>,
    },
    /// `header:Retry-After=7`: adds a header field.
    Header(String, String),
    /// `redirect:307,/elsewhere`: replaces the answer with a redirection.
    Redirect(u16, String),
    /// `no-content`: changes the answer to 204 without a body.
    NoContent,
    /// `empty`: replaces the answer with 200 and an empty body, like a biller whose code throws an
    /// exception.
    Empty,
    /// `html:502`: replaces the answer with a web server's error page.
    Html(u16),
    /// `euc-kr`: changes the body to `OK` with a message in EUC-KR, which is not UTF-8.
    EucKr,
    /// `bom`: adds a byte-order mark before the body.
    ByteOrderMark,
    /// `oversize:4194305`: changes the body to an `OK` of exactly this many bytes.
    Oversize(usize),
    /// `duplicate-res-code`: changes the body to one with two `res_code`, first `OK`, then `E902`.
    DuplicateResCode,

    /// `hang-head` or `hang-head:12`: sends this many bytes of the answer, then nothing.
    HangHead(usize),
    /// `hang-body` or `hang-body:12`: sends the head and this many bytes of the body, then nothing.
    HangBody(usize),
    /// `drip:50ms` or `drip:50ms,16`: sends the head, then this many bytes of the body per interval.
    Drip {
        /// The time between two writes.
        interval: Duration,
        /// The bytes of one write, at least 1.
        bytes: usize,
    },
    /// `reset` or `reset:12`: sends this many bytes of the answer, then resets the connection.
    Reset(usize),
    /// `close` or `close:12`: sends this many bytes of the answer, then closes the connection.
    Close(usize),
    /// `cut:20`: sends the head with the length of the whole body and this many bytes of the body, at least
    /// one too few, then closes the connection.
    Cut(usize),
    /// `chunked:100`: sends the body in chunks of this many bytes, which is valid.
    Chunked(usize),
    /// `chunked-unended`: sends the whole body as one chunk, then closes the connection without the last
    /// chunk.
    ChunkedUnended,
    /// `unframed`: sends neither a length nor chunks, and closes the connection after the body.
    Unframed,
    /// `close-after`: sends a valid answer, then closes the connection without announcing it.
    CloseAfter,
    /// `raw:BYTES`: sends these bytes only, then closes the connection.
    Raw(Vec<u8>),
}
