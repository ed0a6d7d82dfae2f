//! Finds the end of an answer's body from its head (RFC 9112 section 6.3, but stricter).

use actix_http::{StatusCode, Version};
use httparse::Header;

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerFraming {
    /// The answer has no body.
    Bodiless,
    /// The body has this many bytes.
    Length(u64),
    /// The body ends with its last chunk.
    Chunked,
    /// The body ends with the connection, as in HTTP/1.0.
    UntilClose,
}

/// Why the end of a body cannot be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FramingError {
    /// An HTTP/1.1 answer has neither a length nor chunks, so a truncated body could pass for a whole one.
    UnknownEnd,
    /// A length and a coding, a coding other than `chunked`, or a length that is no number.
    Ambiguous,
}

impl AnswerFraming {
    /// Returns the framing of an answer. A status without a body is `Bodiless` with any headers.
    pub(super) fn of(
        status: StatusCode,
        version: Version,
        fields: &[Header<'_>],
    ) -> Result<Self, FramingError> {
        if !carries_body(status) {
            return Ok(Self::Bodiless);
        }
        let mut codings = values(fields, "transfer-encoding");
        let mut lengths = values(fields, "content-length");
        match (codings.next(), lengths.next()) {
            (Some(coding), None) if version == Version::HTTP_11 && is_chunked(coding) => {
                Ok(Self::Chunked)
            }
            (None, Some(length)) => parse_length(length).ok_or(FramingError::Ambiguous),
            (None, None) if version == Version::HTTP_10 => Ok(Self::UntilClose),
            (None, None) => Err(FramingError::UnknownEnd),
            (Some(_), _) => Err(FramingError::Ambiguous),
        }
        .and_then(|framing| match (codings.next(), lengths.next()) {
            (None, None) => Ok(framing),
            _ => Err(FramingError::Ambiguous),
        })
    }
}

/// Whether an answer with this status has a body (RFC 9110 section 15).
fn carries_body(status: StatusCode) -> bool {
    !status.is_informational() && !matches!(status.as_u16(), 204 | 205 | 304)
}

/// Returns the values of a header in their order.
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
    ) -> Result<AnswerFraming, FramingError> {
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
        Result<AnswerFraming, FramingError>,
    );

    #[test]
    fn the_head_decides_where_the_body_ends() {
        use AnswerFraming::{Bodiless, Chunked, Length, UntilClose};
        use FramingError::{Ambiguous, UnknownEnd};
        let (v10, v11) = (Version::HTTP_10, Version::HTTP_11);
        let (length, coding) = ("content-length", "transfer-encoding");
        let cases: &[Case] = &[
            (200, v11, &[(length, "5")], Ok(Length(5))),
            (500, v10, &[(length, "0")], Ok(Length(0))),
            (200, v11, &[(coding, "Chunked")], Ok(Chunked)),
            (200, v11, &[], Err(UnknownEnd)),
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
