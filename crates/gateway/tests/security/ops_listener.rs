//! Who may read the ops listener: the names by which it is reached, and failed log-ins.

use std::io::Read as _;
use std::net::IpAddr;

use sha2::{Digest as _, Sha256};
use test_support::{Caller, Gateway, Reply, Setup, Upstream, hex};

use crate::tls_client::dial;

const TOKEN: &str = "operators-only";

fn start(hosts: &str) -> Gateway {
    let upstream = Upstream::ok();
    let digest = hex(&Sha256::digest(TOKEN));
    Setup::new(&upstream.url(), &upstream.url())
        .with(&format!(
            "[ops]\nadmin_token_sha256 = \"{digest}\"\nhosts = [{hosts}]"
        ))
        .start()
}

/// Sends a request and returns all that arrives up to the end of the connection.
fn exchange(gateway: &Gateway, head: &str) -> String {
    let mut socket = dial(gateway.ops(), None);
    let request = format!("{head}\r\nConnection: close\r\n\r\n");
    std::io::Write::write_all(&mut socket, request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1);
    status
        .unwrap_or_else(|| panic!("{answer}"))
        .parse()
        .unwrap()
}

#[test]
fn every_path_is_served_to_own_names_and_addresses_only() {
    let gateway = start("\"relay.internal\"");
    let with_token = format!("\r\nAuthorization: Bearer {TOKEN}");
    // path and headers | status for an allowed host
    let paths = [
        ("/", "", 200),
        ("/metrics", "", 200),
        ("/health/live", "", 200),
        ("/health/ready", "", 200),
        ("/admin/payments", with_token.as_str(), 200),
        ("/admin/payments", "", 401),
        ("/nothing", "", 404),
    ];
    let (public, port) = ("relay.internal".to_owned(), gateway.ops().port());
    let allowed = [
        public.clone(),
        format!("{}:{port}", public.to_uppercase()),
        format!("127.0.0.1:{port}"),
        "192.0.2.1".to_owned(),
        format!("[::1]:{port}"),
        format!("localhost:{port}"),
    ];
    for host in &allowed {
        for (path, headers, expected) in paths {
            if path.starts_with("/admin") && headers.is_empty() && *host != public {
                continue; // Failed log-ins are counted, so one is enough.
            }
            let head = format!("GET {path} HTTP/1.1\r\nHost: {host}{headers}");
            let answer = exchange(&gateway, &head);
            assert_eq!(status(&answer), expected, "{host} {path}: {answer}");
        }
    }
    let strange = [
        "rebound.example",
        "rebound.example:9464",
        "relay.internal.example",
        "127.1",
    ];
    for host in strange {
        for (path, headers, _) in paths {
            for head in [
                format!("GET {path} HTTP/1.1\r\nHost: {host}{headers}"),
                format!("POST {path} HTTP/1.1\r\nHost: {host}{headers}"),
                format!("GET http://{host}{path} HTTP/1.1\r\nHost: localhost{headers}"),
            ] {
                let answer = exchange(&gateway, &head);
                assert_eq!(status(&answer), 421, "{head}: {answer}");
                assert!(!answer.contains("relay_"), "{head}: {answer}");
            }
        }
    }
    // No browser leaves the header out.
    assert_eq!(
        status(&exchange(&gateway, "GET /health/ready HTTP/1.0")),
        200
    );
    assert_eq!(
        status(&exchange(&gateway, "GET /health/ready HTTP/1.1")),
        400
    );
    let two = "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nHost: localhost";
    assert_eq!(status(&exchange(&gateway, two)), 400);
}

#[test]
fn pages_answer_head_like_get_without_a_body_and_name_their_methods_to_others() {
    let gateway = start("");
    for path in ["/", "/metrics", "/health/live", "/health/ready"] {
        let ask = |method: &str| {
            exchange(
                &gateway,
                &format!("{method} {path} HTTP/1.1\r\nHost: localhost"),
            )
        };
        let content_type = |answer: &str| {
            let mut lines = answer.lines();
            lines.find_map(|line| Some(line.strip_prefix("content-type: ")?.to_owned()))
        };
        let (get, head) = (ask("GET"), ask("HEAD"));
        assert_eq!((status(&get), status(&head)), (200, 200), "{path}");
        assert_eq!(content_type(&get), content_type(&head), "{path}");
        assert!(head.ends_with("\r\n\r\n"), "{path}: {head}");
        for method in ["OPTIONS", "POST", "PUT", "DELETE", "TRACE"] {
            let answer = ask(method);
            assert_eq!(status(&answer), 405, "{method} {path}");
            let allow = answer.lines().find(|line| line.starts_with("allow: "));
            assert_eq!(allow, Some("allow: GET, HEAD"), "{method} {path}");
        }
    }
}

/// Asks for the payments from this address, with this `Authorization`.
fn log_in(gateway: &Gateway, from: &str, authorization: Option<&str>) -> Reply {
    let from: IpAddr = from.parse().unwrap();
    let mut caller = Caller::over(dial(gateway.ops(), Some(from)));
    let authorization = authorization.map_or(String::new(), |value| {
        format!("Authorization: Bearer {value}\r\n")
    });
    caller.send(
        format!("GET /admin/payments HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n")
            .as_bytes(),
    );
    caller.reply()
}

#[test]
fn an_address_with_ten_failed_log_ins_is_held_back_counted_and_logged_and_no_other_is() {
    let gateway = start("");
    let (guesser, operator) = ("127.0.0.7", "127.0.0.8");
    for guess in 0..10 {
        let guess = (guess % 2 == 0).then(|| format!("guess-{guess}"));
        let refused = log_in(&gateway, guesser, guess.as_deref());
        assert_eq!(refused.status, 401);
        let challenge = refused.header("www-authenticate");
        assert_eq!(challenge, Some("Bearer realm=\"admin\""));
    }
    // The right token is not looked at either.
    for token in ["guess-10", TOKEN] {
        let held_back = log_in(&gateway, guesser, Some(token));
        assert_eq!(held_back.status, 429, "{}", held_back.text());
        assert!(held_back.text().contains("too_many_attempts"));
        let wait: u64 = held_back.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=6).contains(&wait), "{wait}");
    }
    assert_eq!(log_in(&gateway, operator, Some(TOKEN)).status, 200);

    for (cause, count) in [("missing", 5), ("wrong", 5), ("limited", 2)] {
        let series = format!("relay_admin_login_failures_total{{cause=\"{cause}\"}}");
        assert_eq!(gateway.metric(&series), count, "{cause}");
    }
    let is_failure = |line: &serde_json::Value| line["message"] == "log-in at the admin API failed";
    gateway.await_log_times(10, is_failure);
    let is_failure =
        |line: &&serde_json::Value| line["message"] == "log-in at the admin API failed";
    gateway.await_log_times(10, |line| is_failure(&line));
    let log = gateway.log();
    let failures: Vec<_> = log.iter().filter(is_failure).collect();
    assert_eq!(failures.len(), 10, "{log:#?}");
    for (line, cause) in failures.iter().zip(["wrong", "missing"].iter().cycle()) {
        assert_eq!(
            (&line["address"], &line["cause"]),
            (&guesser.into(), &(*cause).into())
        );
    }
    let last = failures.iter().filter(|line| line["is_last"] == true);
    assert_eq!(last.count(), 1);
    let text = serde_json::to_string(&log).unwrap();
    assert!(!text.contains("guess-") && !text.contains(TOKEN));
}
