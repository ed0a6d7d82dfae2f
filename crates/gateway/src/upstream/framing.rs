//! Where an answer's body ends, as its head tells (RFC 9112 section 6.3), and more strictly.

use actix_http::{StatusCode, Version};
use httparse::Header;

/// How a body's end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerFraming {
    /// There is no body.
    Bodiless,
    /// After so many bytes.
    Length(u64),
    /// By the last chunk.
    Chunked,
    /// By the stream's end, as HTTP/1.0 did.
    UntilClose,
}

/// Why a body's end cannot be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unframed {
    /// HTTP/1.1 with neither a length nor chunks: whether such a body is whole, nobody can say.
    NoEnd,
    /// A length beside a coding, a coding other than `chunked`, or a length that is no number.
    Ambiguous,
}

impl AnswerFraming {
    /// Reads a head. `Bodiless` for the statuses that carry no body, whatever else it says.
    pub(super) fn of(
        status: StatusCode,
        version: Version,
        fields: &[Header<'_>],
    ) -> Result<Self, Unframed> {
        if !carries_body(status) {
            return Ok(Self::Bodiless);
        }
        let mut codings = values(fields, "transfer-encoding");
        let mut lengths = values(fields, "content-length");
        match (codings.next(), lengths.next()) {
            (Some(coding), None) if version == Version::HTTP_11 && is_chunked(coding) => {
                Ok(Self::Chunked)
            }
            (None, Some(length)) => parse_length(length).ok_or(Unframed::Ambiguous),
            (None, None) if version == Version::HTTP_10 => Ok(Self::UntilClose),
            (None, None) => Err(Unframed::NoEnd),
            (Some(_), _) => Err(Unframed::Ambiguous),
        }
        .and_then(|framing| match (codings.next(), lengths.next()) {
            (None, None) => Ok(framing),
            _ => Err(Unframed::Ambiguous),
        })
    }
}

/// Whether an answer with that status has a body (RFC 9110 section 15).
fn carries_body(status: StatusCode) -> bool {
    !status.is_informational() && !matches!(status.as_u16(), 204 | 205 | 304)
}

/// The values of a field, in their order.
pub(super) fn values<'a>(fields: &'a [Header<'a>], name: &str) -> impl Iterator<Item = &'a [u8]> {
    let named = move |field: &&Header<'_>| field.name.eq_ignore_ascii_case(name);
    fields.iter().filter(named).map(|field| field.value)
}

fn is_chunked(coding: &[u8]) -> bool {
    coding.trim_ascii().eq_ignore_ascii_case(b"chunked")
}

fn parse_length(length: &[u8]) -> Option<AnswerFraming> {
    let digits = length.trim_ascii();
    if digits.iter().all(u8::is_ascii_digit) {
        let digits = std::str::from_utf8(digits).ok()?;
        digits.parse().ok().map(AnswerFraming::Length)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(
        status: u16,
        version: Version,
        head: &[(&str, &str)],
    ) -> Result<AnswerFraming, Unframed> {
        let fields: Vec<_> = head
            .iter()
            .map(|(name, value)| Header {
                name,
                value: value.as_bytes(),
            })
            .collect();
        AnswerFraming::of(
            StatusCode::from_u16(status).expect("a status"),
            version,
            &fields,
        )
    }

    type Case<'a> = (
        u16,
        Version,
        &'a [(&'a str, &'a str)],
        Result<AnswerFraming, Unframed>,
    );

    #[test]
    fn a_head_tells_where_its_body_ends() {
        use AnswerFraming::{Bodiless, Chunked, Length, UntilClose};
        use Unframed::{Ambiguous, NoEnd};
        let (v10, v11) = (Version::HTTP_10, Version::HTTP_11);
        let (length, coding) = ("content-length", "transfer-encoding");
        let cases: &[Case] = &[
            (200, v11, &[(length, "5")], Ok(Length(5))),
            (500, v10, &[(length, "0")], Ok(Length(0))),
            (200, v11, &[(coding, "Chunked")], Ok(Chunked)),
            (200, v11, &[], Err(NoEnd)),
            (200, v10, &[], Ok(UntilClose)),
            (
                200,
                v11,
                &[(length, "5"), (coding, "chunked")],
                Err(Ambiguous),
            ),
            (200, v11, &[(length, "5"), (length, "5")], Err(Ambiguous)),
            (200, v11, &[(length, "+5")], Err(Ambiguous)),
            (
                200,
                v11,
                &[(length, "99999999999999999999")],
                Err(Ambiguous),
            ),
            (200, v11, &[(length, "")], Err(Ambiguous)),
            (200, v11, &[(coding, "gzip")], Err(Ambiguous)),
            (200, v11, &[(coding, "gzip, chunked")], Err(Ambiguous)),
            (200, v11, &[(coding, "identity")], Err(Ambiguous)),
            (
                200,
                v11,
                &[(coding, "chunked"), (coding, "chunked")],
                Err(Ambiguous),
            ),
            (200, v10, &[(coding, "chunked")], Err(Ambiguous)),
            (204, v11, &[(length, "5")], Ok(Bodiless)),
            (205, v11, &[], Ok(Bodiless)),
            (304, v11, &[(length, "5")], Ok(Bodiless)),
            (101, v11, &[], Ok(Bodiless)),
        ];
        for (status, version, head, expected) in cases {
            assert_eq!(
                framing(*status, *version, head),
                *expected,
                "{status} {head:?}"
            );
        }
    }
}
