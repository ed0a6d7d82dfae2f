//! `X-Request-Id` and W3C `traceparent`: the two headers that identify a call on its way through the relay.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use fastrand::Rng;

/// The header that carries a call's request id, in every request and answer.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header of W3C Trace Context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The maximum length of a request id in characters.
const REQUEST_ID_MAX_CHARS: usize = 128;

/// The groups of digits of a UUID; a hyphen is between any two.
const UUID_GROUPS: [Range<usize>; 5] = [0..8, 8..12, 12..16, 16..20, 20..32];

/// The length of `version-traceid-parentid-flags` in version 00.
const TRACEPARENT_LENGTH: usize = 55;

/// The places of these parts.
const TRACE_ID: Range<usize> = 3..35;
const SPAN_ID: Range<usize> = 36..52;
const FLAGS: Range<usize> = 53..55;

/// The flags of a trace that is recorded and of one that is not.
const SAMPLED: [u8; 2] = *b"01";
const NOT_SAMPLED: [u8; 2] = *b"00";

/// Returns the caller's request id if it is one token `[A-Za-z0-9._:-]{1,128}`, otherwise a new one.
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    only(headers, &X_REQUEST_ID)
        .filter(|id| is_request_id(id.as_bytes()))
        .cloned()
        .unwrap_or_else(new_request_id)
}

fn is_request_id(id: &[u8]) -> bool {
    (1..=REQUEST_ID_MAX_CHARS).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(byte))
}

/// Returns a UUID of version 7: it begins with the time, so that the journal's index of request ids grows at its end.
fn new_request_id() -> HeaderValue {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
    let (mut digits, mut id) = ([0; 32], [b'-'; 36]);
    let (first, second) = digits.split_at_mut(16);
    put_hex(first, millis << 16 | 0x7000 | random_u64() & 0xfff);
    put_hex(second, 1 << 63 | random_u64() >> 2);
    for (group, hyphens) in UUID_GROUPS.into_iter().zip(0..) {
        let place = group.start + hyphens..group.end + hyphens;
        id[place].copy_from_slice(&digits[group]);
    }
    // Hexadecimal digits and hyphens are valid in a header.
    HeaderValue::from_bytes(&id).unwrap_or_else(|_| HeaderValue::from_static("0"))
}

/// The `traceparent` of a call to an upstream: the caller's trace with a new span id, or a new trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// ASCII.
    value: [u8; TRACEPARENT_LENGTH],
    /// The caller's span id in hexadecimal; `None` in a new trace.
    parent_span_id: Option<[u8; 16]>,
}

impl TraceParent {
    /// Continues the caller's trace where its header is valid, otherwise starts one.
    pub fn of(headers: &HeaderMap) -> Self {
        let continued = only(headers, &TRACEPARENT).and_then(|value| continued(value.as_bytes()));
        continued.unwrap_or_else(|| started(SAMPLED))
    }

    /// Starts a trace that is not to be recorded.
    pub fn unsampled() -> Self {
        started(NOT_SAMPLED)
    }

    /// The header's value in version 00: ASCII.
    pub const fn as_bytes(&self) -> &[u8; TRACEPARENT_LENGTH] {
        &self.value
    }

    /// The 32 hex digits of the trace id.
    pub fn trace_id(&self) -> &str {
        self.part(TRACE_ID)
    }

    /// The 16 hex digits of the span that is sent upstream: the gateway's call to it.
    pub fn span_id(&self) -> &str {
        self.part(SPAN_ID)
    }

    /// The 16 hex digits of the caller's span; `None` in a new trace.
    pub fn parent_span_id(&self) -> Option<&str> {
        // `continued` accepts only hex digits.
        std::str::from_utf8(self.parent_span_id.as_ref()?).ok()
    }

    /// Whether the trace is to be recorded: a new one is, another one where its lowest flag is set.
    pub fn is_sampled(&self) -> bool {
        u8::from_str_radix(self.part(FLAGS), 16).is_ok_and(|flags| flags & 1 == 1)
    }

    fn part(&self, place: Range<usize>) -> &str {
        // `continued` and `started` make ASCII only.
        std::str::from_utf8(&self.value[place]).unwrap_or_default()
    }
}

fn continued(parent: &[u8]) -> Option<TraceParent> {
    let (known, rest) = parent.split_first_chunk::<TRACEPARENT_LENGTH>()?;
    let version = &known[..2];
    // Versions after 00 may append fields. Version ff is forbidden.
    let rest_is_valid = rest.is_empty() || (version != b"00" && rest[0] == b'-');
    let dashes = [2, 35, 52].iter().all(|at| known[*at] == b'-');
    let (trace_id, parent_id) = (&known[TRACE_ID], &known[SPAN_ID]);
    let hex = [version, trace_id, parent_id, &known[FLAGS]]
        .iter()
        .all(|part| is_lower_hex(part));
    let set = [trace_id, parent_id]
        .iter()
        .all(|id| id.iter().any(|digit| *digit != b'0'));
    if !(rest_is_valid && dashes && hex && set) || version == b"ff" {
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

/// Returns the 16 hex digits of a new span id.
pub fn new_span_id() -> String {
    format!("{:016x}", random_u64())
}

fn is_lower_hex(part: &[u8]) -> bool {
    part.iter()
        .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns the header's value if the header occurs exactly once.
pub fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name);
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// Writes the 16 hex digits of a number, or as many of them as `digits` has places.
fn put_hex(digits: &mut [u8], number: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
}

/// Returns a number for an id: unique with all likelihood, but not secret.
fn random_u64() -> u64 {
    thread_local! {
        // fastrand's own seed is the time and the thread, which may be alike on two nodes. The keys of
        // `RandomState` come from the operating system.
        static RANDOM: RefCell<Rng> =
            RefCell::new(Rng::with_seed(RandomState::new().build_hasher().finish()));
    }
    let random = RANDOM.with_borrow_mut(|random| random.u64(..));
    // A trace id or span id of zeros is invalid.
    random.max(1)
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
    fn a_new_request_id_is_a_uuid_that_begins_with_the_time() {
        let id = || request_id(&headers(&[])).to_str().unwrap().to_owned();
        let (first, second) = (id(), id());
        let shape = |id: &str| {
            id.char_indices().all(|(place, char)| match place {
                8 | 13 | 18 | 23 => char == '-',
                14 => char == '7',
                19 => "89ab".contains(char),
                _ => char.is_ascii_digit() || ('a'..='f').contains(&char),
            })
        };
        assert!(first.len() == 36 && shape(&first), "{first}");
        let millis = |id: &str| u64::from_str_radix(&id.replace('-', "")[..12], 16).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = u64::try_from(now.as_millis()).unwrap();
        assert!(millis(&first) <= millis(&second) && millis(&second) <= now);
        assert!(now - millis(&first) < 60_000, "{first}");
    }

    #[test]
    fn a_valid_trace_is_continued_with_a_new_span_id_and_another_replaced() {
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
    fn the_lowest_flag_decides_whether_a_trace_is_recorded() {
        for (flags, is_sampled) in [("00", false), ("01", true), ("02", false), ("ff", true)] {
            let given = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
            let trace = TraceParent::of(&headers(&[(TRACEPARENT, given.leak())]));
            assert_eq!(trace.is_sampled(), is_sampled, "{flags}");
        }
        assert!(TraceParent::of(&headers(&[])).is_sampled());
        assert!(!TraceParent::unsampled().is_sampled());
    }
}
