//! How one call is shown: what was sent, what came back, what it cost and who was asked.

use std::io;
use std::time::Duration;

use protocol::{Api, Caller};
use serde_json::Value;
use simulator::Reply;

use super::details;
use super::json_lines::{chop, wrap};
use super::measure::{budget_bar, spelled};
use super::request::{AUTHORIZATION_HEADER, Request};
use super::screen::{COLUMNS, INDENT, Screen};
use super::step::{AnswerBy, Step, korean};
use super::take::Take;
use super::text::{Ink, Text};
use crate::width::cut;

/// Columns inside a scene, after the arrow of a request or an answer.
const BODY_COLUMNS: usize = COLUMNS - INDENT - 2;

/// Shows a take.
pub(super) fn show(
    screen: &mut Screen<'_>,
    number: usize,
    take: &Take,
    budget: Duration,
) -> io::Result<()> {
    let step = &take.step;
    screen.line(&title(number, take))?;
    screen.inside(Text::of(Ink::Plain, step.story))?;
    show_request(screen, step)?;
    match &take.reply {
        Ok(reply) => show_reply(screen, step, reply)?,
        Err(error) => screen.inside(Text::of(Ink::Bad, &format!("← no answer: {error}")))?,
    }
    screen.inside(verdict(take, budget))?;
    for difference in &take.differences {
        screen.inside(Text::of(Ink::Bad, &format!("  {difference}")))?;
    }
    if !take.is_as_expected() {
        screen.inside(Text::of(
            Ink::Bad,
            &format!("  expected: {}", expectation(step)),
        ))?;
    }
    screen.blank()?;
    screen.flush()
}

fn title(number: usize, take: &Take) -> Text {
    let step = &take.step;
    let label = step.api().map_or("unknown", Api::label);
    let line = Text::new()
        .right(Ink::Faint, &number.to_string(), INDENT - 2)
        .blanks(2)
        .with(Ink::Strong, step.name)
        .with(Ink::Faint, "  ")
        .with(Ink::Name, korean(step.api()))
        .with(Ink::Faint, &format!("  {label}"));
    let way = way(step, take.calls());
    let columns = COLUMNS - way.width();
    line.padded(columns).then(way)
}

/// The parties that heard of the call: biller, agency, Kakao Pay.
fn way(step: &Step, calls: u64) -> Text {
    let (caller, upstream) = match step.api().map(Api::caller) {
        Some(Caller::Biller) => ("B", "K"),
        Some(Caller::KakaoPay) | None => ("K", "B"),
    };
    let reached = Text::of(Ink::Plain, &format!("{caller} → A "));
    match calls {
        0 => reached.with(Ink::Faint, &format!("╌ {upstream}")),
        _ => reached.plain(&format!("→ {upstream}")),
    }
}

fn show_request(screen: &mut Screen<'_>, step: &Step) -> io::Result<()> {
    let Request {
        path,
        authorization,
        body,
    } = &step.request;
    let mut line =
        Text::of(Ink::Faint, "→ ").then(marked(&format!("POST {path}"), step.mark, Ink::Plain));
    if let Some(value) = authorization {
        let header = format!("  {AUTHORIZATION_HEADER}: {value}");
        line = line.then(marked(&header, step.mark, Ink::Faint));
    }
    screen.inside(line)?;
    for line in wrap(body, BODY_COLUMNS) {
        screen.inside(
            Text::new()
                .blanks(2)
                .then(marked(&line, step.mark, Ink::Faint)),
        )?;
    }
    Ok(())
}

/// A line of a request with the part that decides standing out.
fn marked(line: &str, mark: &str, ink: Ink) -> Text {
    match line.split_once(mark) {
        Some((before, after)) if !mark.is_empty() => Text::of(ink, before)
            .with(Ink::Notable, mark)
            .with(ink, after),
        _ => Text::of(ink, line),
    }
}

fn show_reply(screen: &mut Screen<'_>, step: &Step, reply: &Reply) -> io::Result<()> {
    let answer = reply.json();
    let code = reply.res_code();
    let ink = if code == "OK" {
        Ink::Good
    } else {
        Ink::Notable
    };
    let mut line = Text::of(Ink::Faint, "← ")
        .plain(&reply.status.to_string())
        .with(ink, &format!(" {code}"))
        .plain(&format!(
            "  {}",
            answer["message"].as_str().unwrap_or_default()
        ));
    if step.expected.by == AnswerBy::Memory {
        line = line.with(Ink::Name, "  X-Relay-Replayed: true");
    }
    screen.inside(line)?;
    if !answer.is_object() {
        return show_body(screen, &reply.text());
    }
    match &answer["data"] {
        Value::Null => Ok(()),
        data if step.api() == Some(Api::Notice) => details::show(screen, &data["result"]),
        _ => show_body(screen, data_as_it_came(&reply.text())),
    }
}

/// The member `data` in its own spelling; the whole answer where it is not the last member.
fn data_as_it_came(answer: &str) -> &str {
    let data = answer.split_once("\"data\":").map(|(_, data)| data);
    data.and_then(|data| data.strip_suffix('}'))
        .unwrap_or(answer)
}

fn show_body(screen: &mut Screen<'_>, body: &str) -> io::Result<()> {
    for line in chop(&cut(body, 4 * BODY_COLUMNS), BODY_COLUMNS) {
        screen.inside(Text::new().blanks(2).with(Ink::Faint, &line))?;
    }
    Ok(())
}

/// Whether all was as it should be, the time, and whether the upstream was asked, by its own count.
fn verdict(take: &Take, budget: Duration) -> Text {
    let tick = if take.is_as_expected() {
        Text::of(Ink::Good, "✓ ")
    } else {
        Text::of(Ink::Bad, "✗ ")
    };
    let time = take.reply.as_ref().map_or(budget, |reply| reply.elapsed);
    let line = tick
        .then(budget_bar(time, budget))
        .right(Ink::Plain, &spelled(time), 9)
        .with(Ink::Faint, &format!(" of {} s   ", budget.as_secs_f64()));
    let upstream = match take.step.api().map(Api::caller) {
        Some(Caller::Biller) => "Kakao Pay",
        Some(Caller::KakaoPay) => "the biller",
        None => return line.then(nobody(take)),
    };
    let (before, after) = (take.calls_before, take.calls_after);
    match take.calls() {
        0 => line
            .plain(&format!("{upstream} was not called"))
            .with(Ink::Faint, &format!(" (its count stays {before})")),
        _ => line
            .plain(&format!("{upstream} was called"))
            .with(Ink::Faint, &format!(" (its count: {before} → {after})")),
    }
}

/// Of a call on no route, which could have gone to either party.
fn nobody(take: &Take) -> Text {
    let before = take.calls_before;
    match take.calls() {
        0 => Text::of(Ink::Plain, "nobody was called").with(
            Ink::Faint,
            &format!(" (both counts stay, {before} together)"),
        ),
        _ => Text::of(Ink::Bad, "somebody was called"),
    }
}

fn expectation(step: &Step) -> String {
    let expected = &step.expected;
    let by = match expected.by {
        AnswerBy::Upstream => "relayed from the upstream",
        AnswerBy::Gateway => "by the gateway",
        AnswerBy::Memory => "kept from the first answer",
    };
    format!(
        "{} {}, {by}, with {} calls to the upstream",
        expected.status,
        expected.code.code(),
        expected.upstream_calls
    )
}
