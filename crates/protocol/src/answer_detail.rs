//! What an answer says about itself, for operators (guide section 2.4): its `res_code` as it is, and its `message`.

use crate::json::{Scanner, Value};

/// The most characters that are kept of a `res_code`.
const RES_CODE_MAX: usize = 16;

/// The most characters that are kept of a `message`.
const MESSAGE_MAX: usize = 200;

/// `res_code` and `message` of an answer. They are the upstream's own text: not for logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerDetail {
    /// The first 16 characters of `res_code`; `None` if it is neither string nor number.
    pub res_code: Option<String>,
    /// The first 200 characters of `message`; `None` if it is neither string nor number.
    pub message: Option<String>,
}

impl AnswerDetail {
    /// Reads the body of an answer up to the later of the two members; what cannot be read is `None`. A byte-order
    /// mark before the object is passed over.
    pub fn read(body: &[u8]) -> Self {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let mut detail = Self::default();
        if let Ok(mut scanner) = Scanner::answer(body)
            && scanner.enter_object().is_ok()
        {
            while detail.res_code.is_none() || detail.message.is_none() {
                let Ok(Some(name)) = scanner.next_name() else {
                    break;
                };
                let Ok(value) = scanner.value() else {
                    break;
                };
                match &*name.content() {
                    "res_code" => detail.res_code = beginning(&value, RES_CODE_MAX),
                    "message" => detail.message = beginning(&value, MESSAGE_MAX),
                    _ => {}
                }
            }
        }
        detail
    }
}

fn beginning(value: &Value<'_>, characters: usize) -> Option<String> {
    match value {
        Value::String(text) => Some(text.content().chars().take(characters).collect()),
        Value::Number(spelling) => Some(spelling.chars().take(characters).collect()),
        Value::Null | Value::Bool | Value::Array | Value::Object => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn res_code_and_message_are_read_wherever_they_are() {
        let table = [
            (
                r#"{"res_code":"OK","message":"성공","data":null}"#,
                Some("OK"),
                Some("성공"),
            ),
            (
                r#"{"data":{"message":"x"},"message":"b","res_code":"E902"}"#,
                Some("E902"),
                Some("b"),
            ),
            ("\u{feff}{\"res_code\":\"OK\"}", Some("OK"), None),
            (r#"{"res\u005fcode":0,"message":null}"#, Some("0"), None),
            (r#"{"res_code":{},"message":"a\nb"}"#, None, Some("a\nb")),
            ("{}", None, None),
            ("<html>", None, None),
            (r#"{"res_code":"OK","message""#, Some("OK"), None),
        ];
        for (body, res_code, message) in table {
            let detail = AnswerDetail::read(body.as_bytes());
            let read = (detail.res_code.as_deref(), detail.message.as_deref());
            assert_eq!(read, (res_code, message), "{body}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded_in_characters() {
        let (code, message) = ("가".repeat(1_000), "나".repeat(1_000));
        let body = format!(r#"{{"res_code":"{code}","message":"{message}"}}"#);
        let detail = AnswerDetail::read(body.as_bytes());
        assert_eq!(detail.res_code.unwrap().chars().count(), RES_CODE_MAX);
        assert_eq!(detail.message.unwrap().chars().count(), MESSAGE_MAX);
    }
}
