//! The effect of a fault on the content of an answer.

use std::borrow::Cow;

use super::Fault;
use crate::answer::Answer;

/// `{"res_code":"OK","message":"성공","data":null}` with the message in EUC-KR.
const EUC_KR: &[u8] = b"{\"res_code\":\"OK\",\"message\":\"\xbc\xba\xb0\xf8\",\"data\":null}";

const DUPLICATE_RES_CODE: &str =
    r#"{"res_code":"OK","message":"성공","res_code":"E902","data":null}"#;

impl Fault {
    /// Returns the answer that replaces the ordinary one and prevents the request's effect; `None` for faults
    /// without a replacement.
    pub(crate) fn replacement(&self) -> Option<Answer> {
        match self {
            Self::ResCode(res_code) => Some(Answer::code(res_code)),
            Self::Answer {
                status,
                content_type,
                body,
            } => {
                let mut answer = Answer::json(*status, body.clone());
                answer.content_type =
                    (!content_type.is_empty()).then(|| Cow::Owned(content_type.clone()));
                Some(answer)
            }
            Self::Redirect(status, location) => {
                Some(Answer::html(*status).with_header("Location", location))
            }
            Self::Empty => Some(Answer::json(200, "")),
            Self::Html(status) => Some(Answer::html(*status)),
            _ => None,
        }
    }

    /// Whether the fault disturbs how the answer is written.
    pub(crate) fn is_transmission_fault(&self) -> bool {
        matches!(
            self,
            Self::HangHead(_)
                | Self::HangBody(_)
                | Self::Drip { .. }
                | Self::Reset(_)
                | Self::Close(_)
                | Self::Cut(_)
                | Self::Chunked(_)
                | Self::ChunkedUnended
                | Self::Unframed
                | Self::CloseAfter
                | Self::Raw(_)
        )
    }

    /// Changes the content of an answer. Other faults do not change it.
    pub(crate) fn alter(&self, answer: &mut Answer) {
        match self {
            Self::Status(status) => answer.status = *status,
            Self::Header(name, value) => answer.headers.push((name.clone(), value.clone())),
            Self::NoContent => {
                *answer = Answer {
                    content_type: None,
                    ..Answer::json(204, "")
                };
            }
            Self::EucKr => answer.body = EUC_KR.to_vec(),
            Self::ByteOrderMark => {
                answer.body.splice(..0, *b"\xef\xbb\xbf");
            }
            Self::Oversize(bytes) => answer.body = ok_of_length(*bytes),
            Self::DuplicateResCode => answer.body = DUPLICATE_RES_CODE.as_bytes().to_vec(),
            _ => {}
        }
    }
}

/// Returns an `OK` with a padding member. It is longer than `bytes` if `bytes` is less than its length
/// without padding.
fn ok_of_length(bytes: usize) -> Vec<u8> {
    let frame = r#"{"res_code":"OK","message":"성공","data":null,"padding":""}"#;
    let padding = bytes.saturating_sub(frame.len());
    frame
        .replace("\"\"}", &format!("\"{}\"}}", "x".repeat(padding)))
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn altered(fault: &Fault) -> Answer {
        let mut answer = Answer::code("OK");
        fault.alter(&mut answer);
        answer
    }

    #[test]
    fn an_oversize_answer_is_json_of_exactly_that_length() {
        let body = altered(&Fault::Oversize(5_000)).body;
        assert_eq!(body.len(), 5_000);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["res_code"], "OK");
    }

    #[test]
    fn an_answer_in_euc_kr_is_no_utf_8() {
        assert!(std::str::from_utf8(&altered(&Fault::EucKr).body).is_err());
    }

    #[test]
    fn a_byte_order_mark_precedes_the_ordinary_answer() {
        let body = altered(&Fault::ByteOrderMark).body;
        assert_eq!(
            body,
            [b"\xef\xbb\xbf".as_slice(), &Answer::code("OK").body].concat()
        );
    }

    #[test]
    fn only_some_faults_replace_the_ordinary_answer() {
        let replaced = Fault::ResCode("E902".to_owned()).replacement().unwrap();
        assert_eq!(replaced, Answer::code("E902"));
        let moved = Fault::Redirect(307, "/there".to_owned())
            .replacement()
            .unwrap();
        assert_eq!((moved.status, &moved.headers[0].1[..]), (307, "/there"));
        for fault in [
            Fault::Status(500),
            Fault::NoContent,
            Fault::Reset(0),
            Fault::EucKr,
        ] {
            assert_eq!(fault.replacement(), None, "{fault:?}");
        }
    }
}
