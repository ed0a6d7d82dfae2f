//! The check of an upstream's answer: it must be one JSON object. Its `res_code` is read (guide section
//! 2.4).

use std::fmt;

use crate::json::{InvalidJson, Scanner, Value};

/// What some editors put before the text of a file, and so billers' programs before their answers.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The `res_code` of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnswerCode {
    /// `OK`.
    Ok,
    /// Any other string.
    Other(LabelCode),
    /// No code: it is absent, is not a string, or is a duplicate member.
    None,
}

/// A code as the label of a metric: `E` and three digits, or `other`. Billers send codes that are not in
/// the guide, so all 1,000 are labels, and no others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelCode(Option<[u8; 4]>);

impl LabelCode {
    /// The label of all codes that are not `E` and three digits.
    pub const OTHER: Self = Self(None);

    /// Returns the label of a code, which may be any text.
    pub fn new(code: &str) -> Self {
        match *code.as_bytes() {
            [b'E', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
                Self(Some([b'E', a, b, c]))
            }
            _ => Self::OTHER,
        }
    }

    /// `E` and three digits, or `other`.
    pub fn as_str(&self) -> &str {
        const OTHER: &str = "other";
        self.0
            .as_ref()
            .map_or(OTHER, |code| std::str::from_utf8(code).unwrap_or(OTHER))
    }
}

impl fmt::Display for LabelCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for LabelCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The body is not one UTF-8 JSON object. The reason contains nothing of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnObject(pub &'static str);

impl fmt::Display for NotAnObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer is not one JSON object: {}", self.0)
    }
}

impl std::error::Error for NotAnObject {}

impl From<InvalidJson> for NotAnObject {
    fn from(InvalidJson(reason): InvalidJson) -> Self {
        Self(reason)
    }
}

/// Reads the `res_code` of an answer's body.
///
/// The body must be one JSON object in UTF-8, of any depth, followed by white space only. A byte-order mark
/// before it, lone surrogates and duplicate members, which the contract refuses in requests, are accepted:
/// the answer is relayed as it is.
///
/// # Errors
///
/// [`NotAnObject`] if the body is anything else; the gateway then answers `E808`.
pub fn answer_res_code(body: &[u8]) -> Result<AnswerCode, NotAnObject> {
    let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let mut scanner = Scanner::answer(text)?;
    let mut code = AnswerCode::None;
    let mut seen = 0_usize;
    scanner.enter_object()?;
    while let Some(name) = scanner.next_name()? {
        let is_res_code = name.content() == "res_code";
        let value = scanner.value()?;
        if is_res_code {
            seen += 1;
            code = read_code(&value);
        }
    }
    scanner.end()?;
    Ok(if seen == 1 { code } else { AnswerCode::None })
}

fn read_code(value: &Value<'_>) -> AnswerCode {
    let Value::String(text) = value else {
        return AnswerCode::None;
    };
    match &*text.content() {
        "OK" => AnswerCode::Ok,
        other => AnswerCode::Other(LabelCode::new(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn other(code: &str) -> AnswerCode {
        AnswerCode::Other(LabelCode::new(code))
    }

    #[test]
    fn the_code_is_read_at_any_place_in_the_root() {
        let table = [
            (
                r#"{"res_code":"OK","message":"성공","data":null}"#,
                AnswerCode::Ok,
            ),
            (
                r#" { "data" : {"res_code":"E001"} , "res_code" : "OK" } "#,
                AnswerCode::Ok,
            ),
            (r#"{"res\u005fcode":"\u004fK"}"#, AnswerCode::Ok),
            (r#"{"res_code":"E403"}"#, other("E403")),
            (r#"{"res_code":"E999"}"#, other("E999")),
            (r#"{"res_code":"ok"}"#, AnswerCode::Other(LabelCode::OTHER)),
            (r#"{"res_code":""}"#, AnswerCode::Other(LabelCode::OTHER)),
            (r#"{"res_code":"E40"}"#, AnswerCode::Other(LabelCode::OTHER)),
            (
                r#"{"res_code":"E40１"}"#,
                AnswerCode::Other(LabelCode::OTHER),
            ),
            (
                r#"{"res_code":"\ud800"}"#,
                AnswerCode::Other(LabelCode::OTHER),
            ),
            (r#"{"\ud800":1,"\ud800":1,"res_code":"OK"}"#, AnswerCode::Ok),
            (r#"{"a":1,"a":1,"res_code":"OK"}"#, AnswerCode::Ok),
            (r#"{"res_code":"OK","res_code":"OK"}"#, AnswerCode::None),
            (r#"{"res_code":null,"res_code":"OK"}"#, AnswerCode::None),
            (r#"{"res_code":"OK","res\u005fcode":1}"#, AnswerCode::None),
            (r#"{"res_code":null}"#, AnswerCode::None),
            (r#"{"res_code":0}"#, AnswerCode::None),
            (r#"{"res_code":["OK"]}"#, AnswerCode::None),
            (r#"{"data":{"res_code":"OK"}}"#, AnswerCode::None),
            ("{}", AnswerCode::None),
            ("\u{feff}{\"res_code\":\"OK\"}", AnswerCode::Ok),
            ("\u{feff}\r\n{\"res_code\":\"E403\"}\n", other("E403")),
        ];
        for (body, code) in table {
            assert_eq!(answer_res_code(body.as_bytes()), Ok(code), "{body}");
        }
    }

    #[test]
    fn what_is_not_one_json_object_has_no_code() {
        let bodies: [&[u8]; 16] = [
            b"",
            b" ",
            b"[]",
            b"null",
            b"\"OK\"",
            b"OK",
            b"<html></html>",
            b"{}{}",
            b"{} x",
            b"\xEF\xBB\xBF",
            b"\xEF\xBB\xBF\xEF\xBB\xBF{}",
            b" \xEF\xBB\xBF{}",
            b"\xEF\xBB{}",
            b"{\"a\":\"\xFF\"}",
            b"{\"res_code\":\"OK\"",
            b"{\"res_code\":\"OK\",}",
        ];
        for body in bodies {
            assert!(
                answer_res_code(body).is_err(),
                "{:?}",
                String::from_utf8_lossy(body)
            );
        }
    }

    #[test]
    fn any_depth_is_read_without_recursion() {
        let depth = 1_000_000;
        let deep = format!(
            "{{\"a\":{}{},\"res_code\":\"OK\"}}",
            "[".repeat(depth),
            "]".repeat(depth)
        );
        assert_eq!(answer_res_code(deep.as_bytes()), Ok(AnswerCode::Ok));
        assert!(answer_res_code("{\"a\":[".repeat(depth).as_bytes()).is_err());
    }

    #[test]
    fn a_label_is_e_and_three_digits_or_other() {
        for (code, label) in [
            ("E000", "E000"),
            ("E902", "E902"),
            ("OK", "other"),
            ("e902", "other"),
        ] {
            assert_eq!(LabelCode::new(code).as_str(), label);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>, text in r#"[{}\[\]",:\\u0-9a-fres_codeOK \ud7ff]{0,60}"#) {
            let _ = answer_res_code(&body);
            let _ = answer_res_code(text.as_bytes());
        }
    }
}
