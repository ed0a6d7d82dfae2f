//! A refusal has the guide's code and reveals nothing of the gateway's configuration or version.

use protocol::ResCode::{self, E001, E003, E006, E403, E801, E806, E807, E808, E809};
use test_support::{
    AUTHORIZATION, Action, Caller, Gateway, NOTICE, Reply, Setup, Upstream, assert_own, link,
    notice, pay_result, prepay, request,
};

const CREATE: &str = "/external/inquiry-payment/one-time/url";

/// All headers that an answer of the public listener may have.
const HEADERS: [&str; 9] = [
    "allow",
    "connection",
    "content-length",
    "content-type",
    "date",
    "retry-after",
    "traceparent",
    "www-authenticate",
    "x-request-id",
];

/// A refused call; each is made over a new connection.
struct Refused {
    name: &'static str,
    bytes: Vec<u8>,
    status: u16,
    code: ResCode,
}

fn refused(name: &'static str, bytes: impl Into<Vec<u8>>, status: u16, code: ResCode) -> Refused {
    let bytes = bytes.into();
    Refused {
        name,
        bytes,
        status,
        code,
    }
}

fn post(path: &str, body: &(impl ToString + ?Sized)) -> Vec<u8> {
    let authorization = [("Authorization", AUTHORIZATION)];
    let headers = if path.starts_with(CREATE) {
        &authorization[..]
    } else {
        &[]
    };
    request("POST", path, headers, body.to_string().as_bytes())
}

/// Refusals of bytes that are no request.
fn early() -> Vec<Refused> {
    let head = |lines: &str| format!("POST {NOTICE} HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    vec![
        refused("no HTTP", "\x16\x03\x01 \r\n\r\n", 400, E801),
        refused(
            "two lengths",
            head("Content-Length: 1\r\nContent-Length: 2\r\n"),
            400,
            E801,
        ),
        refused(
            "head too long",
            head(&format!("X: {}\r\n", "x".repeat(20_000))),
            431,
            E801,
        ),
        refused("too many headers", head(&"X: a\r\n".repeat(70)), 431, E801),
        refused(
            "slow head",
            format!("POST {NOTICE} HTTP/1.1\r\nHo"),
            408,
            E801,
        ),
    ]
}

/// Refusals by checks 1 to 8 of the contract.
fn checked() -> Vec<Refused> {
    let to = |code: &str| format!("{CREATE}/{code}");
    let unknown_biller = "/kakao/notice/B9999";
    let bare = request("POST", &to("B0001"), &[], link("u").to_string().as_bytes());
    let wrong = [("Authorization", "wrong")];
    let wrong = request(
        "POST",
        &to("B0001"),
        &wrong,
        link("u").to_string().as_bytes(),
    );
    let stalled = format!("POST {NOTICE} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{{");
    vec![
        refused("unknown route", post("/etc/passwd", "{}"), 404, E801),
        refused("wrong method", request("GET", NOTICE, &[], b""), 405, E801),
        refused("not from there", post(&to("B0005"), &link("u")), 403, E003),
        refused(
            "unknown biller calls",
            post(&to("B9999"), &link("u")),
            403,
            E003,
        ),
        refused(
            "suspended biller calls",
            post(&to("B0004"), &link("u")),
            401,
            E003,
        ),
        refused("no authorization", bare, 401, E001),
        refused("wrong authorization", wrong, 401, E003),
        refused(
            "notice of an unknown biller",
            post(unknown_biller, &notice("u")),
            404,
            E003,
        ),
        refused(
            "notice of a suspended biller",
            post("/kakao/notice/B0004", &notice("u")),
            404,
            E003,
        ),
        refused("beyond its rate", post(&to("B0006"), &link("u")), 429, E801),
        refused("body too large", post(NOTICE, &"x".repeat(2000)), 413, E006),
        refused("body stalled", stalled, 408, E801),
        refused("no JSON", post(NOTICE, "{"), 400, E807),
        refused("nothing in it", post(NOTICE, "{\"data\":{}}"), 200, E001),
    ]
}

/// Refusals by the ledger and after faults of upstreams.
fn relayed() -> Vec<Refused> {
    let to = |code: &str| format!("/kakao/notice/{code}");
    vec![
        refused(
            "paid",
            post("/kakao/prepay/B0001", &prepay("paid")),
            200,
            E403,
        ),
        refused("nobody there", post(&to("B0002"), &notice("u")), 502, E809),
        refused("circuit open", post(&to("B0002"), &notice("u")), 503, E809),
        refused(
            "talks of itself",
            post(&to("B0003"), &notice("u")),
            500,
            E808,
        ),
        refused("hangs", post(&to("B0007"), &notice("u")), 504, E806),
    ]
}

fn start(parties: &[(&str, &Upstream)]) -> Gateway {
    let url = |code: &str| {
        let found = parties.iter().find(|(known, _)| *known == code);
        found.map_or("http://127.0.0.1:1".to_owned(), |(_, upstream)| {
            upstream.url()
        })
    };
    Setup::new(&url("kakao"), &url("B0001"))
        .with("[budget]\ntotal = \"400ms\"\n[limits]\nrequest_body = \"1KiB\"\nhead_timeout = \"300ms\"\n[circuit]\nfailures = 1\nopen_for = \"1m\"")
        .biller("B0002", &url("B0002"), "")
        .biller("B0003", &url("B0003"), "")
        .biller("B0004", &url("B0001"), "status = \"suspended\"\n")
        .biller("B0005", &url("B0001"), "allow_from = [\"192.0.2.0/24\"]\n")
        .biller("B0006", &url("B0001"), "requests_per_second = 1\nburst = 1\n")
        .biller("B0007", &url("B0007"), "")
        .start()
}

#[test]
fn no_refusal_reveals_configuration_or_version() {
    let (kakao, good) = (Upstream::ok(), Upstream::ok());
    let talkative = Upstream::start(|_| {
        let page = "<pre>at /srv/app/Main.java:17</pre>";
        let length = page.len();
        let head = "HTTP/1.1 500 Boom\r\nServer: Tomcat/5.5\r\nX-Powered-By: PHP/4\r\nContent-Type: text/html";
        Action::Send(format!("{head}\r\nContent-Length: {length}\r\n\r\n{page}").into_bytes())
    });
    let silent = Upstream::start(|_| Action::SendAndHang(Vec::new()));
    let parties = [
        ("kakao", &kakao),
        ("B0001", &good),
        ("B0003", &talkative),
        ("B0007", &silent),
    ];
    let gateway = start(&parties);
    let paid = gateway.post(
        "/kakao/pay-result/B0001",
        pay_result("paid", "P", 1, 20000).to_string(),
    );
    assert_eq!(paid.status, 200);
    // The only call that the rate limit admits.
    let first = gateway.post(&format!("{CREATE}/B0006"), link("first").to_string());
    assert_eq!(first.status, 200);

    let mut own_addresses = vec![gateway.public().to_string(), gateway.ops().to_string()];
    own_addresses.extend(
        parties
            .iter()
            .map(|(_, upstream)| upstream.address().to_string()),
    );
    for row in early().into_iter().chain(checked()).chain(relayed()) {
        let mut caller = gateway.caller();
        caller.send(&row.bytes);
        let reply = caller.reply();
        assert_eq!(
            (reply.status, reply.res_code()),
            (row.status, row.code.code().to_owned()),
            "{}",
            row.name
        );
        assert_own(&reply, row.status, row.code);
        assert_discreet(row.name, &reply, &own_addresses);
        let challenge = (row.status == 401).then_some("KakaoAK realm=\"relay\"");
        assert_eq!(reply.header("www-authenticate"), challenge, "{}", row.name);
    }
    assert_counted(&gateway);
}

fn assert_discreet(name: &str, reply: &Reply, own_addresses: &[String]) {
    for (header, value) in &reply.headers {
        assert!(
            HEADERS.contains(&header.as_str()),
            "{name}: {header}: {value}"
        );
        assert!(
            !own_addresses.iter().any(|own| value.contains(own)),
            "{name}: {header}: {value}"
        );
    }
    let shown = format!("{:?}{}", reply.headers, reply.text()).to_lowercase();
    for secret in [
        "actix",
        "rustls",
        "panick",
        ".rs:",
        "tomcat",
        "java",
        "127.0.0.1",
    ] {
        assert!(!shown.contains(secret), "{name}: {shown}");
    }
}

/// Checks that answers to bytes that are no request are counted, too.
fn assert_counted(gateway: &Gateway) {
    let early = early();
    for status in [400, 408, 431] {
        let series = format!(
            "relay_requests_total{{api=\"unknown\",biller=\"unknown\",res_code=\"E801\",status=\"{status}\"}}"
        );
        let rows = early.iter().filter(|row| row.status == status).count();
        assert_eq!(
            gateway.metric(&series),
            i64::try_from(rows).unwrap(),
            "{series}"
        );
    }
}

/// The row of [`checked`] or [`relayed`], and `reason`, `check`, `member` and `rule` of its log line.
const REASONS: [(&str, &str, u64, &str, &str); 19] = [
    ("unknown route", "unknown-route", 0, "", ""),
    ("wrong method", "wrong-method", 0, "", ""),
    ("not from there", "address", 1, "", "not in allow_from"),
    (
        "unknown biller calls",
        "address",
        1,
        "",
        "no biller has this code",
    ),
    ("suspended biller calls", "suspended", 2, "", ""),
    ("no authorization", "authorization", 2, "", "missing"),
    (
        "wrong authorization",
        "authorization",
        2,
        "",
        "not among authorization_sha256",
    ),
    ("notice of an unknown biller", "unknown-biller", 2, "", ""),
    ("notice of a suspended biller", "suspended", 2, "", ""),
    ("beyond its rate", "rate", 3, "", ""),
    ("body too large", "body-too-large", 4, "", ""),
    ("body stalled", "body-late", 4, "", ""),
    (
        "no JSON",
        "body-not-json",
        5,
        "",
        "a member name is expected",
    ),
    (
        "nothing in it",
        "member-missing",
        6,
        "biller_user_key",
        "a required member is missing",
    ),
    ("paid", "paid", 9, "", ""),
    ("nobody there", "upstream-lost", 0, "", ""),
    ("circuit open", "circuit", 10, "", ""),
    ("talks of itself", "upstream-not-json", 0, "", ""),
    ("hangs", "upstream-timeout", 0, "", ""),
];

#[test]
fn every_refusal_is_logged_with_check_member_and_rule() {
    let (kakao, good) = (Upstream::ok(), Upstream::ok());
    let talkative = Upstream::start(|_| {
        Action::Send(b"HTTP/1.1 500 Boom\r\nContent-Length: 3\r\n\r\n<p>".to_vec())
    });
    let silent = Upstream::start(|_| Action::SendAndHang(Vec::new()));
    let gateway = start(&[
        ("kakao", &kakao),
        ("B0001", &good),
        ("B0003", &talkative),
        ("B0007", &silent),
    ]);
    let paid = pay_result("paid", "P", 1, 20000).to_string();
    assert_eq!(gateway.post("/kakao/pay-result/B0001", paid).status, 200);
    let first = gateway.post(&format!("{CREATE}/B0006"), link("first").to_string());
    assert_eq!(first.status, 200);

    let rows: Vec<_> = checked().into_iter().chain(relayed()).collect();
    assert_eq!(rows.len(), REASONS.len());
    for (row, (name, reason, check, member, rule)) in rows.into_iter().zip(REASONS) {
        assert_eq!(row.name, name);
        let mut caller = gateway.caller();
        caller.send(&row.bytes);
        let reply = caller.reply();
        let id = reply.header("x-request-id").unwrap().to_owned();
        let line =
            gateway.await_log(|line| line["request_id"] == *id && line["outcome"].is_string());
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (
                text("reason").as_str(),
                line["check"].as_u64().unwrap_or_default()
            ),
            (reason, check),
            "{line}"
        );
        assert_eq!(
            (text("member").as_str(), text("rule").as_str()),
            (member, rule),
            "{line}"
        );
        let source = if reason == "address" { "127.0.0.1" } else { "" };
        assert_eq!(text("source"), source, "{line}");
    }
}

#[test]
fn the_ops_listener_reveals_no_version_either() {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url()).start();
    // request line | status
    let table = [
        ("GET /nothing", 404),
        ("POST /metrics", 405),
        ("GET /admin/bills", 403),
        ("GET /health/ready", 200),
        ("GET /%00", 404),
    ];
    for (line, status) in table {
        let mut caller = Caller::connect(gateway.ops());
        caller.send(format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        let reply = caller.reply();
        assert_eq!(reply.status, status, "{line}");
        assert_eq!(reply.header("server"), None, "{line}");
        let shown = format!("{:?}{}", reply.headers, reply.text()).to_lowercase();
        assert!(
            !shown.contains("actix") && !shown.contains(".rs:"),
            "{line}: {shown}"
        );
    }
}
