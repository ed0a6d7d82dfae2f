//! `X-Request-Id` and W3C `traceparent`: the two names a call carries through the relay.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Range;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries a call's request id, in every request and answer.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// W3C Trace Context's header.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A request id is one token of at most this many characters.
const LONGEST_REQUEST_ID: usize = 128;

/// Length of `version-traceid-parentid-flags` in version 00.
const TRACEPARENT_LENGTH: usize = 55;

/// Where these parts are in it.
const TRACE_ID: Range<usize> = 3..35;
const SPAN_ID: Range<usize> = 36..52;
const FLAGS: Range<usize> = 53..55;

/// The flags of a trace that is recorded, and of one that is not.
const SAMPLED: [u8; 2] = *b"01";
const NOT_SAMPLED: [u8; 2] = *b"00";

/// The caller's request id where it is one token `[A-Za-z0-9._:-]{1,128}`, else a new one.
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    only(headers, &X_REQUEST_ID)
        .filter(|id| is_request_id(id.as_bytes()))
        .cloned()
        .unwrap_or_else(new_request_id)
}

fn is_request_id(id: &[u8]) -> bool {
    (1..=LONGEST_REQUEST_ID).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(byte))
}

fn new_request_id() -> HeaderValue {
    let mut id = [0; 32];
    let (first, second) = id.split_at_mut(16);
    put_hex(first, random_u64());
    put_hex(second, random_u64());
    // Hex digits are fit for a header.
    HeaderValue::from_bytes(&id).unwrap_or_else(|_| HeaderValue::from_static("0"))
}

/// The `traceparent` to send upstream: the caller's trace with a span id of ours, or a new trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// ASCII.
    value: [u8; TRACEPARENT_LENGTH],
    /// The caller's span, in hex; none in a trace that begins here.
    parent_span_id: Option<[u8; 16]>,
}

impl TraceParent {
    /// Continues the caller's trace, or starts one.
    pub fn of(headers: &HeaderMap) -> Self {
        let kept = only(headers, &TRACEPARENT).and_then(|value| continued(value.as_bytes()));
        kept.unwrap_or_else(|| started(SAMPLED))
    }

    /// A trace of its own that nobody is to record.
    pub fn unsampled() -> Self {
        started(NOT_SAMPLED)
    }

    /// The header's value: ASCII, in version 00.
    pub const fn as_bytes(&self) -> &[u8; TRACEPARENT_LENGTH] {
        &self.value
    }

    /// The 32 hex digits of the trace id.
    pub fn trace_id(&self) -> &str {
        self.part(TRACE_ID)
    }

    /// The 16 hex digits of the span that the upstream is told of: our call to it.
    pub fn span_id(&self) -> &str {
        self.part(SPAN_ID)
    }

    /// The 16 hex digits of the caller's span; `None` in a trace that begins here.
    pub fn parent_span_id(&self) -> Option<&str> {
        // Only hex digits get through `continued`.
        std::str::from_utf8(self.parent_span_id.as_ref()?).ok()
    }

    /// Whether the caller may have recorded its part. A trace that begins here is to be recorded.
    pub fn is_sampled(&self) -> bool {
        u8::from_str_radix(self.part(FLAGS), 16).is_ok_and(|flags| flags & 1 == 1)
    }

    fn part(&self, place: Range<usize>) -> &str {
        // Both ways of making one give ASCII.
        std::str::from_utf8(&self.value[place]).unwrap_or_default()
    }
}

fn continued(parent: &[u8]) -> Option<TraceParent> {
    let (known, rest) = parent.split_first_chunk::<TRACEPARENT_LENGTH>()?;
    let version = &known[..2];
    // A later version may append fields; version ff is forbidden, version 00 has no more.
    let more_is_fine = rest.is_empty() || (version != b"00" && rest[0] == b'-');
    let dashes = [2, 35, 52].iter().all(|at| known[*at] == b'-');
    let (trace_id, parent_id) = (&known[TRACE_ID], &known[SPAN_ID]);
    let hex = [version, trace_id, parent_id, &known[FLAGS]]
        .iter()
        .all(|part| is_lower_hex(part));
    let set = [trace_id, parent_id]
        .iter()
        .all(|id| id.iter().any(|digit| *digit != b'0'));
    if !(more_is_fine && dashes && hex && set) || version == b"ff" {
        return None;
    }
    let mut value = *known;
    value[..2].copy_from_slice(b"00");
    put_hex(&mut value[SPAN_ID], random_u64());
    Some(TraceParent {
        value,
        parent_span_id: parent_id.try_into().ok(),
    })
}

fn started(flags: [u8; 2]) -> TraceParent {
    const FRAME: &[u8; TRACEPARENT_LENGTH] =
        b"00-________________________________-________________-__";
    let mut value = *FRAME;
    let (first, second) = value[TRACE_ID].split_at_mut(16);
    put_hex(first, random_u64());
    put_hex(second, random_u64());
    put_hex(&mut value[SPAN_ID], random_u64());
    value[FLAGS].copy_from_slice(&flags);
    TraceParent {
        value,
        parent_span_id: None,
    }
}

/// 16 hex digits for a span of ours.
pub fn new_span_id() -> String {
    format!("{:016x}", random_u64())
}

fn is_lower_hex(part: &[u8]) -> bool {
    part.iter()
        .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// The header's value where it comes exactly once.
pub fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name);
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// Writes the number's 16 hex digits, as many as `digits` takes.
fn put_hex(digits: &mut [u8], number: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
}

/// A number that nobody repeats: ids must be unlike each other, not secret.
///
/// Each thread runs through the 64-bit numbers by steps of its own, in an order (`SplitMix64`'s) that
/// begins where the operating system's randomness says.
fn random_u64() -> u64 {
    /// Odd, so that the steps come to every number once.
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().build_hasher().finish());
    }
    let state = STATE.get().wrapping_add(STEP);
    STATE.set(state);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    // Zero is no valid id.
    (mixed ^ (mixed >> 31)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_good_request_id_is_kept_and_a_bad_one_replaced() {
        let kept = |id| request_id(&headers(&[(X_REQUEST_ID, id)])) == id;
        assert!(kept("a.B_9:-0"));
        assert!(kept("x".repeat(128).leak()));
        for bad in ["", "two words", "a/b", "a,b", "x".repeat(129).leak()] {
            assert!(!kept(bad), "{bad}");
        }
        let twice = headers(&[(X_REQUEST_ID, "a"), (X_REQUEST_ID, "a")]);
        assert_ne!(request_id(&twice), "a");
        assert_ne!(request_id(&headers(&[])), request_id(&headers(&[])));
    }

    #[test]
    fn a_trace_is_continued_with_a_parent_of_ours_or_started() {
        let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        let trace = TraceParent::of(&headers(&[(TRACEPARENT, given)]));
        assert_eq!(trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        let sent = std::str::from_utf8(trace.as_bytes()).unwrap();
        assert!(sent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
        assert!(sent.ends_with("-00") && !sent.contains("b7ad6b7169203331"));
        assert_eq!(&sent[36..52], trace.span_id());
        assert_eq!(trace.parent_span_id(), Some("b7ad6b7169203331"));
        for bad in [
            "",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            let trace = TraceParent::of(&headers(&[(TRACEPARENT, bad)]));
            assert_ne!(
                trace.trace_id(),
                "0af7651916cd43dd8448eb211c80319c",
                "{bad}"
            );
            assert_eq!(trace.trace_id().len(), 32);
            assert_eq!(trace.parent_span_id(), None, "{bad}");
        }
    }

    #[test]
    fn the_lowest_flag_tells_whether_a_trace_is_recorded() {
        for (flags, is_sampled) in [("00", false), ("01", true), ("02", false), ("ff", true)] {
            let given = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
            let trace = TraceParent::of(&headers(&[(TRACEPARENT, given.leak())]));
            assert_eq!(trace.is_sampled(), is_sampled, "{flags}");
        }
        assert!(TraceParent::of(&headers(&[])).is_sampled());
        assert!(!TraceParent::unsampled().is_sampled());
    }
}
