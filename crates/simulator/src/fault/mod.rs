//! What can go wrong with an answer, on demand.

mod content;
mod escape;
mod rule;
mod text;

use std::time::Duration;

pub use rule::Rule;
pub(crate) use rule::Rules;

/// One fault. Its text form, for the command line and for the request header
/// `X-Simulator-Fault`, stands at each variant; [`Fault::parse`] reads it and `Display` prints it.
///
/// There are three groups, and a [`Rule`] may combine them (`delay:100ms status:500 cut:20`).
/// Faults of the *answer* alter what the stand-in says; those that say something else in its place
/// also keep it from doing what it was asked: a payment answered with `res_code:E902` is not taken.
/// Faults of the *delivery* spoil how the answer is written; what was asked is done, so that the
/// caller and the stand-in come to differ. Of several faults of delivery the last counts.
///
/// In `BYTES`, `\r`, `\n`, `\t`, `\\` and `\xNN` stand for what they do elsewhere. Where a blank would
/// end a word it is written `\x20`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `delay:2500ms`: waits before anything is answered, on top of the latency.
    Delay(Duration),

    /// `status:503`: the ordinary answer with another status. What was asked is done.
    Status(u16),
    /// `res_code:E902`: a code in place of the ordinary answer, at HTTP 200.
    ResCode(String),
    /// `answer:503:BYTES` or `answer:503,text/plain:BYTES`: anything in place of the ordinary answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Empty: no `Content-Type` is sent. Left out in the text: the guide's JSON type.
        content_type: String,
        /// The body.
        body: Vec<u8>,
    },
    /// `header:Retry-After=7`: one more header field.
    Header(String, String),
    /// `redirect:307,/elsewhere`: a redirection in place of the ordinary answer.
    Redirect(u16, String),
    /// `no-content`: the answer is 204. What was asked is done.
    NoContent,
    /// `empty`: 200 with an empty body in place of the ordinary answer, as from a biller whose own
    /// code throws.
    Empty,
    /// `html:502`: a web server's error page in place of the ordinary answer.
    Html(u16),
    /// `euc-kr`: `OK` with its message in EUC-KR, which is no UTF-8. What was asked is done.
    EucKr,
    /// `bom`: a byte-order mark before the ordinary answer.
    ByteOrderMark,
    /// `oversize:4194305`: an `OK` of exactly so many bytes. What was asked is done.
    Oversize(usize),
    /// `duplicate-res-code`: `res_code` twice, first `OK`, then `E902`. What was asked is done.
    DuplicateResCode,

    /// `hang-head` or `hang-head:12`: so many bytes of the answer, then nothing more.
    HangHead(usize),
    /// `hang-body` or `hang-body:12`: the head and so many bytes of the body, then nothing more.
    HangBody(usize),
    /// `drip:50ms` or `drip:50ms,16`: the head, then so many bytes of the body at each interval.
    Drip {
        /// Between two writes.
        interval: Duration,
        /// In one write, at least 1.
        bytes: usize,
    },
    /// `reset` or `reset:12`: so many bytes of the answer, then the connection is reset.
    Reset(usize),
    /// `close` or `close:12`: so many bytes of the answer, then the connection is closed.
    Close(usize),
    /// `cut:20`: the head with the whole length, but only so many bytes of the body (one less than
    /// the body has, if it is not longer), then the connection is closed.
    Cut(usize),
    /// `chunked:100`: in chunks of so many bytes; nothing wrong with it.
    Chunked(usize),
    /// `chunked-unended`: the whole body as one chunk, then the connection is closed without the last
    /// chunk.
    ChunkedUnended,
    /// `unframed`: neither length nor chunks; the connection is closed after the body.
    Unframed,
    /// `close-after`: nothing wrong with the answer, but the connection is closed after it, unsaid.
    CloseAfter,
    /// `raw:BYTES`: these bytes and nothing else, then the connection is closed.
    Raw(Vec<u8>),
}
