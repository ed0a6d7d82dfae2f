//! Runs a hot function of the gateway repeatedly; `.ci/instructions` counts its instructions.
//!
//! `instruction_counts` lists the functions; `instruction_counts FUNCTION REPETITIONS` runs one.
//!
//! The function's input is prepared before [`counted`]. Only the instructions of [`counted`] on its thread count.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "this program is not part of the gateway and may panic"
)]

use std::hint::black_box;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use bytes::Bytes;
use gateway::logging::{CallLine, LogOptions, Outcome, dropped_lines, init};
use gateway::reply::{CheckedAnswer, JSON_UTF8, Problem, Reply};
use gateway::upstream::Answer;
use ledger::{BillState, DeliveryState, Fact, FactKind, MessageDigest, Stamp, Timestamp};
use metrics::ResCodeLabel;
use protocol::{
    AnswerCode, Api, BillerCode, KoreanTime, LinkCreate, LinkRecreate, Notice, PayResult, Prepay,
    ResCode, Rules, answer_res_code,
};
use simulator::guide;

/// Lines that are logged before counting. They exceed one write of the log's thread, so that it blocks on the full
/// standard output and is not woken again.
const WARM_UP_LINES: usize = 1_000;

const REQUEST_ID: &str = "0193a5c2-7d1e-7000-8000-000000000001";

/// A biller's answer to a notice, with a typical share of Korean text.
const ANSWER: &str = concat!(
    r#"{"res_code":"OK","message":"성공","data":{"biller_notice_key":"2026110001","user_name":"#,
    r#""김카카오","title":"수도요금 11월분","amount":31870,"due_date":"20261130","details":[{"#,
    r#""title":"상수도","amount":18400},{"title":"하수도","amount":11210},{"title":"물이용부담금","#,
    r#""amount":2260}],"message":"납기 뒤에는 연체금이 붙습니다."}}"#
);

/// A function's name, and a constructor that prepares its input.
type Function = (&'static str, fn() -> Box<dyn Fn()>);

const FUNCTIONS: [Function; 11] = [
    ("parse_link_create", || {
        parsing(guide::LINK_CREATE, LinkCreate::parse)
    }),
    ("parse_link_recreate", || {
        parsing(guide::LINK_RECREATE, LinkRecreate::parse)
    }),
    ("parse_notice", || parsing(guide::NOTICE, Notice::parse)),
    ("parse_prepay", || parsing(guide::PREPAY, Prepay::parse)),
    ("parse_pay_result", || {
        parsing(guide::PAY_RESULT, PayResult::parse)
    }),
    ("fold_link", || folding(link_facts())),
    ("fold_payment", || folding(payment_facts())),
    ("read_answer", || {
        Box::new(|| {
            let _ = black_box(answer_res_code(black_box(ANSWER.as_bytes())));
        })
    }),
    ("reply_relayed", reply_relayed),
    ("reply_problem", || {
        Box::new(|| respond(Reply::from(black_box(&Problem::Paid))))
    }),
    ("log_line", logging),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, repetitions] = &arguments[..] else {
        for (name, _) in FUNCTIONS {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    };
    let Some((_, prepare)) = FUNCTIONS.iter().find(|(known, _)| known == name) else {
        eprintln!("unknown function: {name}");
        return ExitCode::FAILURE;
    };
    let function = prepare();
    // The first run is not counted, because it may initialize data.
    function();
    counted(&*function, repetitions.parse().unwrap());
    assert_eq!(dropped_lines(), 0, "dropped lines cost less");
    ExitCode::SUCCESS
}

/// Calls the function repeatedly. `.ci/instructions` finds this function by its name.
#[inline(never)]
fn counted(function: &dyn Fn(), repetitions: usize) {
    for _ in 0..repetitions {
        black_box(function)();
    }
}

/// A request parser of `protocol`.
type Parser<Request> = fn(&[u8], BillerCode, &Rules<'_>) -> Result<Request, protocol::Refusal>;

/// Applies checks 5 to 8 to a valid body.
fn parsing<Request: 'static>(body: &'static str, parse: Parser<Request>) -> Box<dyn Fn()> {
    let biller = biller();
    assert!(parse(body.as_bytes(), biller, &rules()).is_ok());
    Box::new(move || {
        drop(black_box(parse(
            black_box(body.as_bytes()),
            biller,
            &rules(),
        )));
    })
}

fn rules() -> Rules<'static> {
    Rules {
        parameter_max_length: 50,
        identity_parameters: &[],
    }
}

fn biller() -> BillerCode {
    BillerCode::parse("B0001").unwrap()
}

/// Folds the facts of one call into the state of a new bill.
fn folding(facts: [FactKind; 2]) -> Box<dyn Fn()> {
    let bill = pay_result().bill;
    let facts: Vec<Fact> = (1..)
        .zip(facts)
        .map(|(time, kind)| Fact {
            stamp: Stamp { time, node: 1 },
            bill: bill.clone(),
            kind,
        })
        .collect();
    Box::new(move || {
        let mut state = BillState::default();
        for fact in black_box(&facts) {
            state.fold(fact);
        }
        drop(black_box(state));
    })
}

fn link_facts() -> [FactKind; 2] {
    let reserved = FactKind::Reserved {
        until: Timestamp::from_seconds(1_795_500_000),
        after_unknown: false,
    };
    let linked = FactKind::Linked {
        attempt: Stamp { time: 1, node: 1 },
        expire_at: KoreanTime::parse("20261231235959").unwrap(),
    };
    [reserved, linked]
}

fn payment_facts() -> [FactKind; 2] {
    let event = pay_result().event;
    let message = MessageDigest::of(guide::PAY_RESULT.as_bytes());
    let payment = FactKind::Payment {
        event: event.clone(),
        mark_ends_at: None,
        message,
    };
    let delivery = FactKind::Delivery {
        event,
        message,
        state: DeliveryState::Accepted,
    };
    [payment, delivery]
}

fn pay_result() -> PayResult {
    PayResult::parse(guide::PAY_RESULT.as_bytes(), biller(), &rules()).unwrap()
}

fn reply_relayed() -> Box<dyn Fn()> {
    let checked = CheckedAnswer {
        answer: Answer {
            status: StatusCode::OK,
            content_type: Some(JSON_UTF8),
            retry_after: None,
            body: Bytes::from_static(ANSWER.as_bytes()),
        },
        res_code: AnswerCode::Ok,
    };
    Box::new(move || respond(Reply::relayed(black_box(&checked).clone())))
}

fn respond(reply: Reply) {
    let request_id = HeaderValue::from_static(REQUEST_ID);
    drop(black_box(reply.into_response(request_id)));
}

/// Logs a call's line: formats it and puts it into the log's queue.
fn logging() -> Box<dyn Fn()> {
    // Dropping the guard would wait for the blocked standard output.
    std::mem::forget(init(&LogOptions::default()).unwrap());
    let biller = biller();
    let line = move || {
        let line = CallLine {
            request_id: REQUEST_ID,
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
            api: Some(Api::Prepay),
            biller: Some(biller),
            res_code: ResCodeLabel::from(ResCode::Ok),
            status: 200,
            total: Duration::from_micros(12_345),
            upstream: Some(Duration::from_micros(11_987)),
            outcome: Outcome::Relayed,
            reason: None,
        };
        black_box(&line).emit();
    };
    for _ in 0..WARM_UP_LINES {
        line();
    }
    // Meanwhile the log's thread blocks.
    wait_for_second_after_next();
    Box::new(line)
}

/// Waits until 100 ms after a second has begun. The first line of a second costs more, and so do milliseconds of fewer
/// than three digits.
fn wait_for_second_after_next() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let end = Duration::from_secs(now.as_secs() + 2) + Duration::from_millis(100);
    thread::sleep(end.saturating_sub(now));
}
