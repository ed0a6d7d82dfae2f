//! An HTTP answer, and the guide's envelope of all answers.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The guide's content type for both directions.
const JSON: &str = "application/json;charset=utf-8";

/// An answer before it is framed and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`; the header is absent if it is `None`.
    pub content_type: Option<Cow<'static, str>>,
    /// Further header fields, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Returns an answer with the guide's content type.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let content_type = Some(Cow::Borrowed(JSON));
        Self {
            status,
            content_type,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// Returns an error page of a web server that does not implement the guide's APIs.
    pub fn html(status: u16) -> Self {
        let reason = reason(status);
        let page = format!(
            "<!DOCTYPE html>\n<html><head><title>{status} {reason}</title></head>\n\
             <body><h1>{status} {reason}</h1></body></html>\n"
        );
        let content_type = Some(Cow::Borrowed("text/html;charset=utf-8"));
        Self {
            status,
            content_type,
            headers: Vec::new(),
            body: page.into_bytes(),
        }
    }

    /// Returns a code and its message with `data` null and HTTP status 200, the guide's form of all answers
    /// without a result.
    pub fn code(res_code: &str) -> Self {
        let message = message(res_code);
        let body = format!(
            r#"{{"res_code":{},"message":"{message}","data":null}}"#,
            quoted(res_code)
        );
        Self::json(200, body)
    }

    /// Adds a header field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns the bytes of the head. `framing` is the header line of the body's framing, or `""`.
    pub(crate) fn head(&self, framing: &str) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        if let Some(content_type) = &self.content_type {
            // Writing to a string cannot fail.
            let _ = write!(head, "Content-Type: {content_type}\r\n");
        }
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str(framing);
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Returns the bytes of the answer, with the body's length in the head.
    pub(crate) fn whole(&self) -> Vec<u8> {
        if self.has_no_body() {
            return self.head("");
        }
        let mut bytes = self.head(&format!("Content-Length: {}\r\n", self.body.len()));
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Whether an answer with this status has no body.
    pub(crate) fn has_no_body(&self) -> bool {
        matches!(self.status, 100..=199 | 204 | 304)
    }
}

/// Returns a text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Returns the message of a code of the guide or of a code that only billers have.
pub(crate) fn message(res_code: &str) -> &'static str {
    match res_code {
        "OK" => "성공",
        "E001" => "필수 파라미터가 없습니다.",
        "E003" => "잘못된 빌러 식별 코드입니다.",
        "E005" => "청구서 식별 코드가 필요합니다.",
        "E006" => "파라미터의 최대 길이가 초과했습니다.",
        "E007" => "파라미터의 자리수가 맞지 않습니다.",
        "E008" => "JSON 파싱 에러",
        "E101" => "parameter 저장이 실패했습니다. key, value 의 길이 및 타입을 확인해주세요.",
        "E402" => "조회된 고지 내역이 없습니다.",
        "E403" => "납부 가능 금액이 없습니다.",
        "E404" => "생년월일이 일치하지 않습니다.",
        "E501" => "납부불가 - 납부 가능금액 초과",
        "E502" => "납부불가 - 납부 대상 없음",
        "E506" => "납부기한이 경과하합니다.",
        "E601" => "수납처리실패 - 납부요청 정보 조회 실패",
        "E901" => "취소할 수납 내역이 없습니다.",
        "E902" => "수납 결과를 저장하지 못했습니다.",
        _ => "오류가 발생했습니다.",
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_on_the_wire_is_framed_by_its_length() {
        let wire = Answer::json(200, "{}")
            .with_header("Retry-After", "7")
            .whole();
        assert_eq!(
            String::from_utf8(wire).unwrap(),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=utf-8\r\nRetry-After: 7\r\n\
             Content-Length: 2\r\n\r\n{}"
        );
    }

    #[test]
    fn an_answer_that_cannot_carry_a_body_has_none() {
        let mut answer = Answer::json(204, "{}");
        answer.content_type = None;
        assert_eq!(answer.whole(), b"HTTP/1.1 204 No Content\r\n\r\n");
    }

    #[test]
    fn a_code_has_the_guides_envelope() {
        assert_eq!(
            Answer::code("E502").body,
            r#"{"res_code":"E502","message":"납부불가 - 납부 대상 없음","data":null}"#.as_bytes()
        );
    }
}
