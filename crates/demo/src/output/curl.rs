//! Commands to try while everything is kept running.

use std::io;
use std::net::SocketAddr;

use protocol::Api;
use simulator::{Bill, Body};

use super::line::{Line, Style};
use super::terminal::{COLUMNS, Terminal};
use super::wrap::wrap_json;
use crate::environment::Environment;
use crate::scenario::{AUTHORIZATION_HEADER, Dates, Request, korean_name};

/// A customer who is in none of the scenarios.
const CUSTOMER: &str = "0000000042";

const PAY_ID: i64 = 4_200_001;

/// The indentation of a command's second and later lines.
const CONTINUED: &str = "    ";

/// Shows the commands in the order of a bill's payment.
pub(crate) fn show_curl_commands(
    terminal: &mut Terminal,
    environment: &Environment,
    dates: &Dates,
) -> io::Result<()> {
    terminal.heading("Commands to try")?;
    terminal.line(&Line::of(
        Style::Dim,
        "  Another bill of this month, from its link to its cancellation.",
    ))?;
    for (body, hint) in examples(dates) {
        let request = Request::of(&body);
        let api = request.api();
        let hint = format!("{}: {hint}", api.map_or("unknown", Api::label));
        show_label(terminal, korean_name(api), &hint)?;
        for line in command(environment.gateway.public, &request) {
            terminal.line(&Line::of(Style::Plain, &line))?;
        }
    }
    for (path, hint) in [
        ("/metrics", "every time series of this gateway"),
        ("/health/ready", "whether the gateway accepts calls"),
        ("/health/live", "whether the gateway runs"),
    ] {
        show_label(terminal, path, hint)?;
        let command = format!("  curl -si http://{}{path}", environment.gateway.ops);
        terminal.line(&Line::of(Style::Plain, &command))?;
    }
    terminal.blank()?;
    terminal.flush()
}

fn show_label(terminal: &mut Terminal, name: &str, hint: &str) -> io::Result<()> {
    terminal.blank()?;
    let label = Line::new().spaces(2).with(Style::Name, name);
    terminal.line(&label.with(Style::Dim, &format!("  {hint}")))
}

/// Returns a request of each kind for the bill, with the answer to another request that is worth a try.
fn examples(dates: &Dates) -> Vec<(Body, &'static str)> {
    let won = Bill::of(CUSTOMER).amount_won;
    let of = |body: Body| body.user_key(CUSTOMER).month(&dates.month);
    let paid = of(Body::pay_result())
        .amount(won)
        .pay_amount(won)
        .pay_id(PAY_ID)
        .paid_at(&dates.paid_at);
    let cancelled = of(Body::cancel())
        .amount(won)
        .pay_amount(-won)
        .pay_id(PAY_ID)
        .paid_at(&dates.cancelled_at);
    vec![
        (
            of(Body::link_create()).expire_at(&dates.expire_at),
            "a second time it is E818",
        ),
        (of(Body::notice()), "without user_birth it is E001"),
        (of(Body::prepay()).amount(won), "another amount is E501"),
        (paid, "a copy is replayed, prepay is E403"),
        (cancelled, "the bill is unpaid again"),
        (
            of(Body::link_recreate()).expire_at(&dates.expire_at),
            "before the first link it is E812",
        ),
    ]
}

/// Returns the lines of a shell command that sends the request.
fn command(gateway: SocketAddr, request: &Request) -> Vec<String> {
    let mut lines = vec![
        "  curl -si \\".to_owned(),
        format!("{CONTINUED}http://{gateway}{} \\", request.path),
    ];
    if let Some(value) = request.authorization {
        lines.push(format!(
            "{CONTINUED}-H '{AUTHORIZATION_HEADER}: {value}' \\"
        ));
    }
    lines.push(format!(
        "{CONTINUED}-H 'Content-Type: application/json;charset=utf-8' \\"
    ));
    // Inside single quotes a shell interprets only the closing quote.
    let body = request.body.replace('\'', r"'\''");
    let body = wrap_json(&format!("-d '{body}'"), COLUMNS - CONTINUED.len());
    lines.extend(body.iter().map(|line| format!("{CONTINUED}{line}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_sends_the_request() {
        let request = Request {
            path: "/kakao/notice/B0001".to_owned(),
            authorization: Some("KakaoAK x"),
            body: r#"{"data":{"a":"it's"}}"#.to_owned(),
        };
        let gateway = SocketAddr::from(([127, 0, 0, 1], 8080));
        assert_eq!(
            command(gateway, &request).join("\n"),
            r#"  curl -si \
    http://127.0.0.1:8080/kakao/notice/B0001 \
    -H 'Authorization: KakaoAK x' \
    -H 'Content-Type: application/json;charset=utf-8' \
    -d '{"data":{"a":"it'\''s"}}'"#
        );
    }

    #[test]
    fn there_is_an_example_of_every_api() {
        let dates = Dates::at(jiff::Timestamp::UNIX_EPOCH);
        let found: Vec<_> = examples(&dates)
            .iter()
            .filter_map(|(body, _)| Request::of(body).api())
            .collect();
        assert!(Api::ALL.iter().all(|api| found.contains(api)), "{found:?}");
    }
}
