//! Finds the end of an answer's body from its head (RFC 9112 section 6.3, but stricter).

use actix_http::{StatusCode, Version};
use httparse::Header;

use super::malformed::Malformed;

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerFraming {
    /// The answer has no body.
    Bodiless,
    /// The body has this many bytes.
    Length(u64),
    /// The body ends with its last chunk.
    Chunked,
    /// The answer has neither a length nor chunks: the body ends with the connection.
    UntilClose,
}

impl AnswerFraming {
    /// Returns the framing of an answer. A status without a body is `Bodiless` with any headers.
    pub(super) fn of(
        status: StatusCode,
        version: Version,
        fields: &[Header<'_>],
    ) -> Result<Self, Malformed> {
        if !carries_body(status) {
            return Ok(Self::Bodiless);
        }
        let mut codings = values(fields, "transfer-encoding");
        let mut lengths = values(fields, "content-length");
        let framing = match (codings.next(), lengths.next()) {
            (Some(_), Some(_)) => Err(Malformed::LengthAndCoding),
            (Some(_), None) if version == Version::HTTP_10 => Err(Malformed::CodingInHttp10),
            (Some(coding), None) if is_chunked(coding) => Ok(Self::Chunked),
            (Some(_), None) => Err(Malformed::CodingUnknown),
            (None, Some(length)) => parse_length(length).ok_or(Malformed::LengthNotANumber),
            (None, None) => Ok(Self::UntilClose),
        };
        match (codings.next(), lengths.next()) {
            (None, None) => framing,
            (Some(_), _) => Err(Malformed::CodingTwice),
            (None, Some(_)) => Err(Malformed::LengthTwice),
        }
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
    ) -> Result<AnswerFraming, Malformed> {
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
        Result<AnswerFraming, Malformed>,
    );

    #[test]
    fn the_head_decides_where_the_body_ends() {
        use AnswerFraming::{Bodiless, Chunked, Length, UntilClose};
        use Malformed::{
            CodingInHttp10, CodingTwice, CodingUnknown, LengthAndCoding, LengthNotANumber,
            LengthTwice,
        };
        let (v10, v11) = (Version::HTTP_10, Version::HTTP_11);
        let (length, coding) = ("content-length", "transfer-encoding");
        let cases: &[Case] = &[
            (200, v11, &[(length, "5")], Ok(Length(5))),
            (500, v10, &[(length, "0")], Ok(Length(0))),
            (200, v11, &[(coding, "Chunked")], Ok(Chunked)),
            (200, v11, &[], Ok(UntilClose)),
            (200, v10, &[], Ok(UntilClose)),
            (
                200,
                v11,
                &[(length, "5"), (coding, "chunked")],
                Err(LengthAndCoding),
            ),
            (200, v11, &[(length, "5"), (length, "5")], Err(LengthTwice)),
            (200, v11, &[(length, "5"), (length, "6")], Err(LengthTwice)),
            (200, v11, &[(length, "5, 5")], Err(LengthNotANumber)),
            (200, v11, &[(length, "+5")], Err(LengthNotANumber)),
            (
                200,
                v11,
                &[(length, "99999999999999999999")],
                Err(LengthNotANumber),
            ),
            (200, v11, &[(length, "")], Err(LengthNotANumber)),
            (200, v11, &[(coding, "gzip")], Err(CodingUnknown)),
            (200, v11, &[(coding, "gzip, chunked")], Err(CodingUnknown)),
            (
                200,
                v11,
                &[(coding, "chunked, chunked")],
                Err(CodingUnknown),
            ),
            (200, v11, &[(coding, "identity")], Err(CodingUnknown)),
            (
                200,
                v11,
                &[(coding, "chunked"), (coding, "chunked")],
                Err(CodingTwice),
            ),
            (200, v10, &[(coding, "chunked")], Err(CodingInHttp10)),
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
