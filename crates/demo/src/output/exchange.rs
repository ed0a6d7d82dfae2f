//! One exchange: the request, the answer, the time and the calls to the upstream.

use std::io;
use std::time::Duration;

use protocol::{Api, Caller};
use serde_json::Value;
use simulator::Reply;

use super::bill;
use super::figures::{budget_bar, duration};
use super::line::{Line, Style, truncated};
use super::terminal::{COLUMNS, INDENT, Terminal};
use super::wrap::{wrap_json, wrap_text, wrap_words};
use crate::exchange::{Exchange, REPLAYED_HEADER};
use crate::scenario::{AUTHORIZATION_HEADER, AnswerSource, Step, korean_name};

/// The columns of a body, after the arrow of a request or an answer.
const BODY_COLUMNS: usize = COLUMNS - INDENT - 2;

/// Shows an exchange.
pub(crate) fn show_exchange(
    terminal: &mut Terminal,
    number: usize,
    exchange: &Exchange,
    budget: Duration,
) -> io::Result<()> {
    let step = &exchange.step;
    terminal.line(&title(number, exchange))?;
    terminal.indented(Line::of(Style::Plain, step.explanation))?;
    show_request(terminal, step)?;
    match &exchange.reply {
        Ok(reply) => show_reply(terminal, step, reply)?,
        Err(error) => {
            let text = format!("← no answer: {error}");
            terminal.indented(Line::of(Style::Failure, &text))?;
        }
    }
    terminal.indented(result(exchange, budget))?;
    for difference in &exchange.differences {
        let text = format!("  {difference}");
        terminal.indented(Line::of(Style::Failure, &text))?;
    }
    if !exchange.is_as_expected() {
        terminal.indented(Line::of(Style::Failure, &expectation(step)))?;
    }
    terminal.blank()?;
    terminal.flush()
}

fn title(number: usize, exchange: &Exchange) -> Line {
    let step = &exchange.step;
    let label = step.api().map_or("unknown", Api::label);
    let line = Line::new()
        .right(Style::Dim, &number.to_string(), INDENT - 2)
        .spaces(2)
        .with(Style::Bold, step.name)
        .spaces(2)
        .with(Style::Name, korean_name(step.api()))
        .with(Style::Dim, &format!("  {label}"));
    let path = path(step, exchange.calls());
    line.padded(COLUMNS - path.width()).append(path)
}

/// Returns the parties that took part in the call: biller, agency, Kakao Pay.
fn path(step: &Step, calls: u64) -> Line {
    let (caller, upstream) = match step.api().map(Api::caller) {
        Some(Caller::Biller) => ("B", "K"),
        Some(Caller::KakaoPay) | None => ("K", "B"),
    };
    let line = Line::of(Style::Plain, &format!("{caller} → A "));
    match calls {
        0 => line.with(Style::Dim, &format!("╌ {upstream}")),
        _ => line.plain(&format!("→ {upstream}")),
    }
}

fn show_request(terminal: &mut Terminal, step: &Step) -> io::Result<()> {
    let request = &step.request;
    let post = format!("POST {}", request.path);
    terminal.indented(Line::of(Style::Dim, "→ ").append(highlighted(&post, step, Style::Plain)))?;
    if let Some(value) = request.authorization {
        let header = format!("  {AUTHORIZATION_HEADER}: {value}");
        terminal.indented(highlighted(&header, step, Style::Dim))?;
    }
    for line in wrap_json(&request.body, BODY_COLUMNS) {
        let line = highlighted(&line, step, Style::Dim);
        terminal.indented(Line::new().spaces(2).append(line))?;
    }
    Ok(())
}

/// Returns a line of a request with the step's highlight in its own style.
fn highlighted(line: &str, step: &Step, style: Style) -> Line {
    match line.split_once(step.highlight) {
        Some((before, after)) if !step.highlight.is_empty() => Line::of(style, before)
            .with(Style::Highlight, step.highlight)
            .with(style, after),
        _ => Line::of(style, line),
    }
}

fn show_reply(terminal: &mut Terminal, step: &Step, reply: &Reply) -> io::Result<()> {
    let answer = reply.json();
    let code = reply.res_code();
    let message = answer["message"].as_str().unwrap_or_default();
    let head = Line::of(Style::Dim, "← ")
        .plain(&reply.status.to_string())
        .with(code_style(&code), &format!(" {code}"))
        .spaces(2);
    let mut message = wrap_words(message, COLUMNS - INDENT - head.width()).into_iter();
    let mut line = head.plain(&message.next().unwrap_or_default());
    if step.expected.source == AnswerSource::Journal {
        line = line.with(Style::Name, &format!("  {REPLAYED_HEADER}: true"));
    }
    terminal.indented(line)?;
    for rest in message {
        terminal.indented(Line::new().spaces(2).plain(&rest))?;
    }
    if !answer.is_object() {
        return show_body(terminal, &reply.text());
    }
    match &answer["data"] {
        Value::Null => Ok(()),
        data if step.api() == Some(Api::Notice) => bill::show(terminal, &data["result"]),
        _ => show_body(terminal, data_text(&reply.text())),
    }
}

/// Returns the style of a `res_code`.
pub(super) fn code_style(code: &str) -> Style {
    if code == "OK" {
        Style::Success
    } else {
        Style::Highlight
    }
}

/// Returns the bytes of the member `data`; the whole answer where `data` is not its last member.
fn data_text(answer: &str) -> &str {
    let data = answer.split_once("\"data\":").map(|(_, data)| data);
    data.and_then(|data| data.strip_suffix('}'))
        .unwrap_or(answer)
}

fn show_body(terminal: &mut Terminal, body: &str) -> io::Result<()> {
    for line in wrap_text(&truncated(body, 4 * BODY_COLUMNS), BODY_COLUMNS) {
        terminal.indented(Line::new().spaces(2).with(Style::Dim, &line))?;
    }
    Ok(())
}

/// Returns a check mark where all is as expected, the time, and the upstream's count of calls.
fn result(exchange: &Exchange, budget: Duration) -> Line {
    let mark = if exchange.is_as_expected() {
        Line::of(Style::Success, "✓ ")
    } else {
        Line::of(Style::Failure, "✗ ")
    };
    let time = exchange
        .reply
        .as_ref()
        .map_or(budget, |reply| reply.elapsed);
    let line = mark
        .append(budget_bar(time, budget))
        .right(Style::Plain, &duration(time), 9)
        .with(Style::Dim, &format!(" of {} s   ", budget.as_secs_f64()));
    let (before, after) = (exchange.calls_before, exchange.calls_after);
    let is_called = exchange.calls() > 0;
    let called = match (exchange.step.api().map(Api::caller), is_called) {
        (Some(Caller::Biller), true) => "Kakao Pay was called",
        (Some(Caller::Biller), false) => "Kakao Pay was not called",
        (Some(Caller::KakaoPay), true) => "the biller was called",
        (Some(Caller::KakaoPay), false) => "the biller was not called",
        (None, true) => "a party was called",
        (None, false) => "neither party was called",
    };
    line.plain(called)
        .with(Style::Dim, &format!(" (calls: {before} → {after})"))
}

fn expectation(step: &Step) -> String {
    let expected = &step.expected;
    let source = match expected.source {
        AnswerSource::Upstream => "relayed from the upstream",
        AnswerSource::Gateway => "by the gateway",
        AnswerSource::Journal => "replayed from the journal",
    };
    format!(
        "  expected: {} {}, {source}, with {} calls to the upstream",
        expected.status,
        expected.code.code(),
        expected.upstream_calls
    )
}
