//! Commands to try while everything is left up: made from the same requests as the scenes.

use std::io;
use std::net::SocketAddr;

use protocol::Api;
use simulator::{Bill, Body};

use super::calendar::Calendar;
use super::json_lines::wrap;
use super::request::{AUTHORIZATION_HEADER, Request};
use super::screen::{COLUMNS, Screen};
use super::stage::Stage;
use super::step::korean;
use super::text::{Ink, Text};
use crate::routes;

/// A customer of whom the scenes did not tell.
const CUSTOMER: &str = "0000000042";

const PAY_ID: i64 = 4_200_001;

/// Where the continued lines of a command begin.
const CONTINUED: &str = "    ";

/// Shows the commands, in the order of a bill's life.
pub(super) fn show(screen: &mut Screen<'_>, stage: &Stage, calendar: &Calendar) -> io::Result<()> {
    screen.heading("Yours to try")?;
    screen.line(&Text::of(
        Ink::Faint,
        "  Another bill of this month, from its link to its cancel. Try one twice, or out of order.",
    ))?;
    for (body, hint) in examples(calendar) {
        let request = Request::of(&body);
        let api = routes::find(&request.path).map(|route| route.api);
        screen.blank()?;
        show_label(
            screen,
            korean(api),
            &format!("{}: {hint}", api.map_or("unknown", Api::label)),
        )?;
        for line in command(stage.public(), &request) {
            screen.line(&Text::of(Ink::Plain, &line))?;
        }
    }
    for (path, hint) in [
        ("/metrics", "every time series of this gateway"),
        ("/health/ready", "whether it wants traffic"),
        ("/health/live", "whether it runs"),
    ] {
        screen.blank()?;
        show_label(screen, path, hint)?;
        screen.line(&Text::of(
            Ink::Plain,
            &format!("  curl -si http://{}{path}", stage.ops()),
        ))?;
    }
    screen.blank()
}

fn show_label(screen: &mut Screen<'_>, name: &str, hint: &str) -> io::Result<()> {
    let label = Text::new().blanks(2).with(Ink::Name, name);
    screen.line(&label.with(Ink::Faint, &format!("  {hint}")))
}

/// What can be asked about the bill, and what is worth trying with it.
fn examples(calendar: &Calendar) -> Vec<(Body, &'static str)> {
    let won = Bill::of(CUSTOMER).amount_won;
    let of = |body: Body| body.user_key(CUSTOMER).month(&calendar.month);
    let paid = of(Body::pay_result())
        .amount(won)
        .pay_amount(won)
        .pay_id(PAY_ID)
        .paid_at(&calendar.paid_at);
    let cancelled = of(Body::cancel())
        .amount(won)
        .pay_amount(-won)
        .pay_id(PAY_ID)
        .paid_at(&calendar.cancelled_at);
    vec![
        (
            of(Body::link_create()).expire_at(&calendar.expire_at),
            "a second time it is E818",
        ),
        (of(Body::notice()), "without user_birth it is E001"),
        (
            of(Body::prepay()).amount(won),
            "another amount, and the biller says E501",
        ),
        (
            paid,
            "a second time it has X-Relay-Replayed; after it, prepay is E403",
        ),
        (cancelled, "opens the bill again"),
        (
            of(Body::link_recreate()).expire_at(&calendar.expire_at),
            "before the first link it is E812",
        ),
    ]
}

/// The command in lines that a shell takes as they are.
fn command(gateway: SocketAddr, request: &Request) -> Vec<String> {
    let mut lines = vec![format!("  curl -si http://{gateway}{} \\", request.path)];
    if let Some(value) = request.authorization {
        lines.push(format!(
            "{CONTINUED}-H '{AUTHORIZATION_HEADER}: {value}' \\"
        ));
    }
    lines.push(format!(
        "{CONTINUED}-H 'Content-Type: application/json;charset=utf-8' \\"
    ));
    // Inside a shell's single quotes only the quote itself means anything.
    let body = request.body.replace('\'', r"'\''");
    let body = wrap(&format!("-d '{body}'"), COLUMNS - CONTINUED.len());
    lines.extend(body.iter().map(|line| format!("{CONTINUED}{line}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_what_a_person_would_type() {
        let request = Request {
            path: "/kakao/notice/B0001".to_owned(),
            authorization: Some("KakaoAK x"),
            body: r#"{"data":{"a":"it's"}}"#.to_owned(),
        };
        let gateway = SocketAddr::from(([127, 0, 0, 1], 8080));
        assert_eq!(
            command(gateway, &request).join("\n"),
            r#"  curl -si http://127.0.0.1:8080/kakao/notice/B0001 \
    -H 'Authorization: KakaoAK x' \
    -H 'Content-Type: application/json;charset=utf-8' \
    -d '{"data":{"a":"it'\''s"}}'"#
        );
    }

    #[test]
    fn there_is_an_example_of_every_api() {
        let calendar = Calendar::at(jiff::Timestamp::UNIX_EPOCH);
        let found: Vec<_> = examples(&calendar)
            .iter()
            .filter_map(|(body, _)| routes::find(&Request::of(body).path).map(|route| route.api))
            .collect();
        assert!(Api::ALL.iter().all(|api| found.contains(api)), "{found:?}");
    }
}
