//! The text form of faults.

use std::fmt;

use super::Fault;
use super::escape::{Escaped, unescape};
use crate::latency::{Spelled, parse_duration};

/// The content type of `answer:` if the text has none.
const JSON: &str = "application/json;charset=utf-8";

impl Fault {
    /// Parses the text form of one fault.
    ///
    /// # Errors
    /// A description of the invalid part and of the expected form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        match value {
            None => without_value(name),
            Some(value) => with_value(name, value),
        }
        .map_err(|fault| format!("fault `{text}`: {fault}"))
    }

    /// Parses faults separated by spaces.
    pub(crate) fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        text.split_whitespace().map(Self::parse).collect()
    }
}

fn without_value(name: &str) -> Result<Fault, String> {
    Ok(match name {
        "no-content" => Fault::NoContent,
        "empty" => Fault::Empty,
        "euc-kr" => Fault::EucKr,
        "bom" => Fault::ByteOrderMark,
        "duplicate-res-code" => Fault::DuplicateResCode,
        "hang-head" => Fault::HangHead(0),
        "hang-body" => Fault::HangBody(0),
        "reset" => Fault::Reset(0),
        "close" => Fault::Close(0),
        "chunked-unended" => Fault::ChunkedUnended,
        "unframed" => Fault::Unframed,
        "close-after" => Fault::CloseAfter,
        _ => return Err("unknown fault, or missing value after a colon".to_owned()),
    })
}

fn with_value(name: &str, value: &str) -> Result<Fault, String> {
    Ok(match name {
        "delay" => Fault::Delay(parse_duration(value)?),
        "status" => Fault::Status(status(value)?),
        "res_code" => Fault::ResCode(value.to_owned()),
        "answer" => answer(value)?,
        "header" => {
            let (name, value) = value.split_once('=').ok_or("expected NAME=VALUE")?;
            Fault::Header(name.to_owned(), text(value)?)
        }
        "redirect" => {
            let (code, location) = value.split_once(',').ok_or("expected STATUS,LOCATION")?;
            Fault::Redirect(status(code)?, text(location)?)
        }
        "html" => Fault::Html(status(value)?),
        "oversize" => Fault::Oversize(bytes(value)?),
        "hang-head" => Fault::HangHead(bytes(value)?),
        "hang-body" => Fault::HangBody(bytes(value)?),
        "drip" => {
            let (interval, count) = value.split_once(',').unwrap_or((value, "1"));
            Fault::Drip {
                interval: parse_duration(interval)?,
                bytes: bytes(count)?.max(1),
            }
        }
        "reset" => Fault::Reset(bytes(value)?),
        "close" => Fault::Close(bytes(value)?),
        "cut" => Fault::Cut(bytes(value)?),
        "chunked" => Fault::Chunked(bytes(value)?.max(1)),
        "raw" => Fault::Raw(unescape(value)?),
        _ => return Err("unknown fault with a value".to_owned()),
    })
}

fn answer(value: &str) -> Result<Fault, String> {
    let (head, body) = value
        .split_once(':')
        .ok_or("expected STATUS:BYTES or STATUS,TYPE:BYTES")?;
    let (code, content_type) = head.split_once(',').unwrap_or((head, JSON));
    let (status, content_type) = (status(code)?, text(content_type)?);
    Ok(Fault::Answer {
        status,
        content_type,
        body: unescape(body)?,
    })
}

fn status(text: &str) -> Result<u16, String> {
    let status = text
        .parse()
        .ok()
        .filter(|status| (100..=999).contains(status));
    status.ok_or_else(|| format!("`{text}` is not a status of three digits"))
}

fn bytes(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a number of bytes"))
}

fn text(escaped: &str) -> Result<String, String> {
    String::from_utf8(unescape(escaped)?).map_err(|_| format!("`{escaped}` is not UTF-8"))
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(wait) => write!(out, "delay:{}", Spelled(*wait)),
            Self::Status(status) => write!(out, "status:{status}"),
            Self::ResCode(res_code) => write!(out, "res_code:{res_code}"),
            Self::Answer {
                status,
                content_type,
                body,
            } => {
                let content_type = Escaped(content_type.as_bytes());
                write!(out, "answer:{status},{content_type}:{}", Escaped(body))
            }
            Self::Header(name, value) => write!(out, "header:{name}={}", Escaped(value.as_bytes())),
            Self::Redirect(status, location) => {
                write!(out, "redirect:{status},{}", Escaped(location.as_bytes()))
            }
            Self::NoContent => out.write_str("no-content"),
            Self::Empty => out.write_str("empty"),
            Self::Html(status) => write!(out, "html:{status}"),
            Self::EucKr => out.write_str("euc-kr"),
            Self::ByteOrderMark => out.write_str("bom"),
            Self::Oversize(bytes) => write!(out, "oversize:{bytes}"),
            Self::DuplicateResCode => out.write_str("duplicate-res-code"),
            Self::HangHead(bytes) => write!(out, "hang-head:{bytes}"),
            Self::HangBody(bytes) => write!(out, "hang-body:{bytes}"),
            Self::Drip { interval, bytes } => write!(out, "drip:{},{bytes}", Spelled(*interval)),
            Self::Reset(bytes) => write!(out, "reset:{bytes}"),
            Self::Close(bytes) => write!(out, "close:{bytes}"),
            Self::Cut(bytes) => write!(out, "cut:{bytes}"),
            Self::Chunked(bytes) => write!(out, "chunked:{bytes}"),
            Self::ChunkedUnended => out.write_str("chunked-unended"),
            Self::Unframed => out.write_str("unframed"),
            Self::CloseAfter => out.write_str("close-after"),
            Self::Raw(bytes) => write!(out, "raw:{}", Escaped(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_printed_as_it_is_read() {
        for text in [
            "delay:2500ms",
            "status:599",
            "res_code:E902",
            "answer:503,application/json;charset=utf-8:{\"res_code\":\"OK\"}",
            "answer:200,:not\\x20json\\xff",
            "header:Retry-After=7",
            "header:Date=Mon,\\x2023",
            "redirect:307,/elsewhere?a=b:c",
            "no-content",
            "empty",
            "html:502",
            "euc-kr",
            "bom",
            "oversize:4194305",
            "duplicate-res-code",
            "hang-head:0",
            "hang-body:12",
            "drip:50ms,16",
            "reset:0",
            "close:9",
            "cut:20",
            "chunked:100",
            "chunked-unended",
            "unframed",
            "close-after",
            "raw:HTTP/1.0\\x20200\\x20OK\\r\\n\\r\\n{}",
        ] {
            assert_eq!(Fault::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn short_forms_have_defaults() {
        for (short, long) in [
            ("hang-head", "hang-head:0"),
            ("hang-body", "hang-body:0"),
            ("reset", "reset:0"),
            ("close", "close:0"),
            ("drip:50ms", "drip:50ms,1"),
            ("delay:2s", "delay:2000ms"),
            (
                "answer:200:{}",
                "answer:200,application/json;charset=utf-8:{}",
            ),
        ] {
            assert_eq!(Fault::parse(short).unwrap().to_string(), long);
        }
    }

    #[test]
    fn an_invalid_text_is_refused_with_its_reason() {
        for text in [
            "",
            "hang",
            "status",
            "status:",
            "status:99",
            "status:1000",
            "delay:5",
            "cut",
            "cut:x",
            "cut:-1",
            "answer:200",
            "redirect:307",
            "header:x",
            "raw:\\q",
            "empty:1",
            "html",
        ] {
            let reason = Fault::parse(text).unwrap_err();
            assert!(reason.contains(&format!("`{text}`")), "{reason}");
        }
    }

    #[test]
    fn several_faults_are_separated_by_spaces() {
        assert_eq!(
            Fault::parse_all(" delay:1ms  cut:3 "),
            Ok(vec![
                Fault::Delay(std::time::Duration::from_millis(1)),
                Fault::Cut(3)
            ])
        );
    }
}
