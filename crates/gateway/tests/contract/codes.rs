//! Section 3: causes with their codes, statuses and headers, and the messages of the codes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use gateway::reply::{Problem, RefusedSource, Reply, UnknownBiller};
use gateway::server::EarlyFault;
use ledger::LinkRefusal;
use protocol::{BillerCode, Check, LinkCreate, Prepay, ResCode, Rules};

use crate::document::{assert_agree, code, codes, contract, repository, rows, under};

const SOON: Duration = Duration::from_millis(1);

/// The upstream's status, which two causes keep.
const UPSTREAMS: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;

/// Lists one value per variant of an enum. A missing variant does not compile.
macro_rules! every {
    ($type:ty: $($pattern:pat => $value:expr,)+) => {{
        let _exhaustive = |value: &$type| match value { $($pattern => {})+ };
        vec![$($value),+]
    }};
}

/// Returns the refusals of the parsers, for each check one of each of its codes.
fn body_problems() -> Vec<Problem> {
    let member = |member: &str| format!(r#"{{"data":{{"expire_at":"20261231235959",{member}}}}}"#);
    let user = |more: &str| member(&format!(r#""biller_user_key":"u"{more}"#));
    let long = "u".repeat(51);
    let bodies = every![Check:
        Check::Parse => vec!["{".to_owned()],
        Check::Type => vec![member(r#""biller_user_key":1"#)],
        Check::Required => vec![member(r#""biller_user_key":"""#)],
        Check::Width => vec![
            member(&format!(r#""biller_user_key":"{long}""#)),
            user(r#","billed_year_month":"2026""#),
            user(r#","amount":1e18"#),
        ],
        Check::Parameters => vec![
            user(r#","parameters":{"a":"123456789"}"#),
            user(r#","parameters":{"a":true}"#),
        ],
    ];
    let biller = BillerCode::parse("B0001").unwrap();
    let rules = Rules {
        parameter_max_length: 8,
        identity_parameters: &[],
    };
    let refusals = bodies.iter().flatten().map(|body| {
        let link = LinkCreate::parse(body.as_bytes(), biller, &rules).err();
        let prepay = || Prepay::parse(body.as_bytes(), biller, &rules).err();
        let refusal = link.or_else(prepay);
        Problem::Body(refusal.unwrap_or_else(|| panic!("not refused: {body}")))
    });
    refusals.collect()
}

fn link_problems() -> Vec<Problem> {
    use LinkRefusal as Link;
    let refusals = every![Link:
        Link::ErrorBill => Link::ErrorBill,
        Link::NoticeKeyTaken => Link::NoticeKeyTaken,
        Link::NoticeKeyNeeded => Link::NoticeKeyNeeded,
        Link::AlreadyLinked => Link::AlreadyLinked,
        Link::NotRegistered => Link::NotRegistered,
        Link::Unavailable => Link::Unavailable,
    ];
    refusals.into_iter().map(Problem::Link).collect()
}

fn source_problems() -> Vec<Problem> {
    use RefusedSource as Source;
    let address = IpAddr::from([192, 0, 2, 1]);
    let refused = every![Source:
        Source::NotAllowed(_) => Source::NotAllowed(address),
        Source::Malformed(_) => Source::Malformed(address),
        Source::NoSuchBiller(_) => Source::NoSuchBiller(address),
    ];
    refused
        .into_iter()
        .map(Problem::AddressNotAllowed)
        .collect()
}

fn unknown_billers() -> Vec<Problem> {
    let unknown = every![UnknownBiller:
        UnknownBiller::NotRegistered => UnknownBiller::NotRegistered,
        UnknownBiller::Suspended => UnknownBiller::Suspended,
    ];
    unknown.into_iter().map(Problem::UnknownBiller).collect()
}

fn problems() -> Vec<Problem> {
    let every = every![Problem:
        Problem::AddressNotAllowed(_) => source_problems(),
        Problem::CertificateNotPinned => vec![Problem::CertificateNotPinned],
        Problem::CertificateWithdrawn => vec![Problem::CertificateWithdrawn],
        Problem::AuthorizationMissing => vec![Problem::AuthorizationMissing],
        Problem::AuthorizationWrong => vec![Problem::AuthorizationWrong],
        Problem::AuthorizationTwice => vec![Problem::AuthorizationTwice],
        Problem::Suspended => vec![Problem::Suspended],
        Problem::UnknownBiller(_) => unknown_billers(),
        Problem::RateLimited { .. } => vec![Problem::RateLimited { retry_after: SOON }],
        Problem::BodyTooLarge => vec![Problem::BodyTooLarge],
        Problem::BodyLate => vec![Problem::BodyLate],
        Problem::BodyBroken => vec![Problem::BodyBroken],
        Problem::Body(_) => body_problems(),
        Problem::Link(_) => link_problems(),
        Problem::ErrorBill => vec![Problem::ErrorBill],
        Problem::Paid => vec![Problem::Paid],
        Problem::Overload => vec![Problem::Overload],
        Problem::CircuitOpen { .. } => vec![Problem::CircuitOpen { retry_after: SOON }],
        Problem::TimedOut => vec![Problem::TimedOut],
        Problem::NoAnswer => vec![Problem::NoAnswer],
        Problem::EmptyAnswer { .. } => vec![Problem::EmptyAnswer { status: UPSTREAMS }],
        Problem::BadAnswer { .. } => vec![Problem::BadAnswer { status: UPSTREAMS }],
        Problem::UnknownRoute => vec![Problem::UnknownRoute],
        Problem::WrongMethod => vec![Problem::WrongMethod],
        Problem::EarlyFault(_) => EarlyFault::ALL.iter().copied().map(Problem::EarlyFault).collect(),
        Problem::Internal => vec![Problem::Internal],
    ];
    every.into_iter().flatten().collect()
}

/// Returns the name of a cause on the page: `Paid`, `Link(AlreadyLinked)`, `Body(Width)`, `EarlyFault(408)`.
fn name(problem: &Problem) -> String {
    match problem {
        Problem::Body(refusal)
            if (refusal.check, refusal.code) == (Check::Width, ResCode::E807) =>
        {
            "Body(Width, E807)".to_owned()
        }
        Problem::Body(refusal) => format!("Body({:?})", refusal.check),
        Problem::EarlyFault(fault) => format!("EarlyFault({})", fault.status()),
        Problem::AddressNotAllowed(_) => "AddressNotAllowed".to_owned(),
        Problem::UnknownBiller(_) => "UnknownBiller".to_owned(),
        other => {
            let text = format!("{other:?}");
            text.split(" {").next().unwrap().to_owned()
        }
    }
}

/// Codes, status and headers of an answer, as the page writes them.
type Answer = (BTreeSet<String>, String, BTreeSet<String>);

fn headers(problem: &Problem) -> BTreeSet<String> {
    let response = Reply::from(problem).into_response(HeaderValue::from_static("id"));
    let mut headers = BTreeSet::new();
    if response.headers().contains_key(RETRY_AFTER) {
        headers.insert("Retry-After".to_owned());
    }
    if response.headers().contains_key(WWW_AUTHENTICATE) {
        headers.insert("WWW-Authenticate".to_owned());
    }
    if let Some(allow) = response.headers().get(ALLOW) {
        headers.insert(format!("Allow: {}", allow.to_str().unwrap()));
    }
    if !response.keep_alive() {
        headers.insert("Connection: close".to_owned());
    }
    headers
}

fn built() -> BTreeMap<String, Answer> {
    let mut built = BTreeMap::<String, Answer>::new();
    for problem in problems() {
        let (res_code, status) = problem.answer();
        let status = match problem {
            Problem::EmptyAnswer { .. } | Problem::BadAnswer { .. } if status == UPSTREAMS => {
                "the upstream's own".to_owned()
            }
            _ => status.as_u16().to_string(),
        };
        let answer = built
            .entry(name(&problem))
            .or_insert_with(|| (BTreeSet::new(), status.clone(), headers(&problem)));
        answer.0.insert(res_code.code().to_owned());
        assert_eq!(answer.1, status, "{problem:?}");
    }
    built
}

#[test]
fn every_rule_of_framing_has_the_reason_and_the_status_of_its_row() {
    let page = fs::read_to_string(repository().join("docs/security.md")).unwrap();
    let head = ["refused", "rule", "status"];
    let mut written = BTreeMap::new();
    for [what, reason, status] in rows(under(&page, "## Framing"), head) {
        assert!(!what.is_empty());
        let former = written.insert(code(reason).to_owned(), status.to_owned());
        assert_eq!(former, None, "{reason} twice");
    }
    let built = EarlyFault::ALL.iter();
    let built = built.map(|fault| (fault.reason().to_owned(), fault.status().to_string()));
    assert_agree(&written, &built.collect());
}

fn section(page: &str) -> &str {
    under(page, "## 3. Codes")
}

#[test]
fn every_cause_is_answered_with_the_code_the_status_and_the_header_of_its_row() {
    let page = contract();
    let mut written = BTreeMap::new();
    let head = ["cause", "when", "code", "HTTP status", "header"];
    for [cause, _, res_code, status, header] in rows(section(&page), head) {
        let answer = (
            codes(res_code).map(str::to_owned).collect(),
            status.to_owned(),
            codes(header).map(str::to_owned).collect(),
        );
        let former = written.insert(code(cause).to_owned(), answer);
        assert_eq!(former, None, "{cause} twice");
    }
    assert_agree(&written, &built());
}

#[test]
fn every_code_has_the_message_of_its_row_and_those_marked_are_answered_by_the_gateway() {
    let page = contract();
    let head = ["code", "the guide's message", "answered by the gateway"];
    let rows = rows(section(&page), head);
    let written: Vec<(&str, &str)> = rows.iter().map(|row| (code(row[0]), row[1])).collect();
    let known: Vec<(&str, &str)> = ResCode::ALL
        .iter()
        .map(|known| (known.code(), known.message()))
        .collect();
    assert_eq!(written, known);

    let marked = rows.iter().filter(|row| row[2] == "yes");
    let marked: BTreeSet<&str> = marked.map(|row| code(row[0])).collect();
    let answered = problems().into_iter().map(|problem| problem.answer().0);
    assert_eq!(marked, answered.map(ResCode::code).collect());
}

#[test]
fn a_status_that_cannot_carry_a_body_becomes_502() {
    for status in [100, 199, 204, 205, 304] {
        let status = StatusCode::from_u16(status).unwrap();
        for problem in [
            Problem::EmptyAnswer { status },
            Problem::BadAnswer { status },
        ] {
            assert_eq!(problem.answer().1, StatusCode::BAD_GATEWAY, "{problem:?}");
        }
    }
}
