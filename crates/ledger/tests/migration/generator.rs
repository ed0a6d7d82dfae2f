//! Writes journals of version 2 of any size.

use std::path::Path;

use bytes::Bytes;
use ledger::{Digests, KeptAnswer, MessageDigest, Stamp, Timestamp};
use protocol::{Bill, BillerCode, CanonicalDigest};
use rusqlite::{Connection, Statement, params};

/// The tables of version 2, as it made them.
const VERSION_2: &str = include_str!("version_2.sql");

/// The answer with which billers accept.
const ANSWER: &str = r#"{"res_code":"OK","message":"성공","data":null}"#;
const CONTENT_TYPE: &[u8] = b"application/json;charset=utf-8";

/// Bills of one biller.
const PER_BILLER: usize = 10_000;

const FACT: &str = "INSERT INTO fact (at, stamp, node, kind, biller_code, biller_user_key, billed_year_month, ordinal,
    biller_notice_key, identity, attempt_stamp, attempt_node, after_unknown, until, expire_at, pay_id, pay_type, paid_at,
    pay_amount, message, delivery, reason, operator, request_id, canonical, answer_status, answer_code, answer_message)
  VALUES ('2026-11-24T00:00:00.000Z', ?1, 7, ?2, ?3, ?4, '202611', '', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
    ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)";

/// What becomes of a bill; in turn by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Accepted,
    Refused,
    CutOff,
    Cancelled,
    Released,
    Uncertain,
    Closed,
    Classified,
    RefusedThenAccepted,
    OnlyLinked,
}

use Life::{
    Accepted, Cancelled, Classified, Closed, CutOff, OnlyLinked, Refused, RefusedThenAccepted,
    Released, Uncertain,
};

const LIVES: [Life; 20] = [
    Accepted,
    Refused,
    Accepted,
    CutOff,
    Cancelled,
    Accepted,
    Released,
    Uncertain,
    Accepted,
    Closed,
    Classified,
    Accepted,
    RefusedThenAccepted,
    OnlyLinked,
    Accepted,
    Accepted,
    Accepted,
    Accepted,
    Accepted,
    Accepted,
];

/// Writes a journal with so many bills: all links first, then payments in an order of their own.
///
/// # Panics
/// When the folder cannot be written.
pub fn write(directory: &Path, bills: usize) {
    let journal = Connection::open(directory.join("journal.sqlite3")).unwrap();
    journal.execute_batch(VERSION_2).unwrap();
    journal
        .execute_batch("PRAGMA synchronous = OFF; INSERT INTO node (number) VALUES (7); BEGIN")
        .unwrap();
    {
        let mut writer = Writer {
            fact: journal.prepare(FACT).unwrap(),
            message: journal
                .prepare("INSERT INTO message (biller_code, message, body) VALUES (?1, ?2, ?3)")
                .unwrap(),
            answer: journal
                .prepare(
                    "INSERT INTO answer (biller_code, message, status, content_type, body, canonical)
                     VALUES (?1, ?2, 200, ?3, ?4, ?5)",
                )
                .unwrap(),
            stamp: Stamp {
                time: Timestamp::now().millis() << 20,
                node: 7,
            },
        };
        for number in 0..bills {
            writer.link(number);
        }
        // A step that has no divisor in common with the number of bills meets each of them once.
        let step = (bills / 3..2 * bills)
            .find(|step| gcd(*step, bills) == 1)
            .unwrap();
        for turn in 0..bills {
            writer.pay(turn * step % bills);
        }
    }
    journal.execute_batch("COMMIT").unwrap();
    let checkpoint = journal.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    checkpoint.unwrap();
}

const fn gcd(one: usize, other: usize) -> usize {
    if other == 0 {
        one
    } else {
        gcd(other, one % other)
    }
}

struct Writer<'a> {
    fact: Statement<'a>,
    message: Statement<'a>,
    answer: Statement<'a>,
    stamp: Stamp,
}

/// What a fact has beside its bill.
#[derive(Clone, Copy, Default)]
struct Row<'a> {
    attempt: Option<i64>,
    after_unknown: Option<bool>,
    until: Option<i64>,
    expire_at: Option<&'a str>,
    /// P or C, amount, digest.
    event: Option<(&'a str, &'a str, &'a [u8])>,
    delivery: Option<&'a str>,
    said: Option<&'a str>,
    canonical: Option<&'a [u8]>,
}

impl Writer<'_> {
    fn link(&mut self, number: usize) {
        let none = Row::default();
        let reserved = Row {
            until: Some((self.stamp.time >> 20) + 3_000),
            after_unknown: Some(false),
            ..none
        };
        self.fact(number, "reserved", reserved);
        let attempt = Some(self.stamp.time);
        let settled = Row { attempt, ..none };
        match LIVES[number % LIVES.len()] {
            Released => {
                let after_unknown = Some(false);
                let released = Row {
                    after_unknown,
                    ..settled
                };
                self.fact(number, "released", released);
            }
            Uncertain => self.fact(number, "uncertain", settled),
            _ => {
                let expire_at = Some("20991231235959");
                self.fact(
                    number,
                    "linked",
                    Row {
                        expire_at,
                        ..settled
                    },
                );
            }
        }
    }

    fn pay(&mut self, number: usize) {
        let life = LIVES[number % LIVES.len()];
        match life {
            Released | Uncertain | OnlyLinked => {}
            Classified => {
                let said = Some("by hand");
                self.fact(
                    number,
                    "classified",
                    Row {
                        said,
                        ..Row::default()
                    },
                );
            }
            CutOff => self.report(number, ("P", "20000"), &[]),
            Refused => self.report(number, ("P", "20000"), &["refused", "refused"]),
            Closed => self.report(number, ("P", "20000"), &["unknown", "closed"]),
            RefusedThenAccepted => self.report(number, ("P", "20000"), &["refused", "accepted"]),
            Accepted => self.report(number, ("P", "20000"), &["accepted"]),
            Cancelled => {
                self.report(number, ("P", "20000"), &["accepted"]);
                self.report(number, ("C", "-20000"), &["refused"]);
            }
        }
    }

    fn report(&mut self, number: usize, (pay_type, amount): (&str, &str), deliveries: &[&str]) {
        let body = body(number, pay_type, amount);
        let digest = MessageDigest::of(body.as_bytes());
        let form = form(&body);
        let (code, message) = (code(number), digest.as_bytes().as_slice());
        self.message
            .execute(params![code, message, body.as_bytes()])
            .unwrap();
        let canonical = Some(form.as_bytes().as_slice());
        let event = Some((pay_type, amount, message));
        let payment = Row {
            event,
            canonical,
            ..Row::default()
        };
        self.fact(number, "payment", payment);
        for delivery in deliveries {
            let said = (*delivery == "closed").then_some("by hand");
            let delivery = Some(*delivery);
            self.fact(
                number,
                "delivery",
                Row {
                    delivery,
                    said,
                    ..payment
                },
            );
        }
        if deliveries.last() == Some(&"accepted") {
            self.answer
                .execute(params![
                    code,
                    message,
                    CONTENT_TYPE,
                    ANSWER.as_bytes(),
                    canonical
                ])
                .unwrap();
        }
    }

    fn fact(&mut self, number: usize, kind: &str, row: Row<'_>) {
        self.stamp.time += 1 << 10;
        let (pay_type, amount) = (
            row.event.map(|event| event.0),
            row.event.map(|event| event.1),
        );
        let message = row.event.map(|event| event.2);
        let answered = row.delivery.filter(|delivery| *delivery != "closed");
        self.fact
            .execute(params![
                self.stamp.time,
                kind,
                code(number),
                format!("{number:010}"),
                notice_key(number),
                if number.is_multiple_of(7) {
                    r#"{"site":"7"}"#
                } else {
                    ""
                },
                row.attempt,
                row.attempt.map(|_| 7),
                row.after_unknown,
                row.until,
                row.expire_at,
                row.event.map(|_| number.to_string()),
                pay_type,
                row.event.map(|_| "20261124120000"),
                amount,
                message,
                row.delivery,
                row.said,
                row.said.map(|_| "operator"),
                request_id(number, kind),
                row.canonical,
                answered.map(|_| 200),
                answered.map(|_| "OK"),
                answered.map(|_| "성공"),
            ])
            .unwrap();
    }
}

/// What is known of a bill once the process was started that the journal's end cut off.
pub struct Expected {
    pub is_paid: bool,
    pub is_error_bill: bool,
    pub is_registered: bool,
    pub undelivered: usize,
    pub accepted: Vec<Digests>,
}

/// Returns what is known of a bill.
pub fn expected(number: usize) -> Expected {
    let life = LIVES[number % LIVES.len()];
    let accepted = match life {
        Accepted | RefusedThenAccepted | Cancelled => {
            let body = body(number, "P", "20000");
            vec![Digests {
                bytes: MessageDigest::of(body.as_bytes()),
                canonical: CanonicalDigest::from_slice(form(&body).as_bytes()),
            }]
        }
        _ => Vec::new(),
    };
    Expected {
        is_paid: matches!(
            life,
            Accepted | Refused | CutOff | Closed | RefusedThenAccepted
        ),
        is_error_bill: life == Classified,
        is_registered: life != Released,
        undelivered: usize::from(matches!(life, Refused | CutOff | Cancelled)),
        accepted,
    }
}

/// Returns the bill with this number.
pub fn bill(number: usize) -> Bill {
    let identity: &[(&str, &str)] = if number.is_multiple_of(7) {
        &[("site", "7")]
    } else {
        &[]
    };
    let biller = BillerCode::parse(&code(number)).unwrap();
    Bill::from_parts(
        biller,
        &format!("{number:010}"),
        "202611",
        "",
        &notice_key(number),
        identity,
    )
}

/// Returns the answer with which billers accept.
pub fn answer() -> KeptAnswer {
    KeptAnswer {
        status: 200,
        content_type: Bytes::from_static(CONTENT_TYPE),
        body: Bytes::from_static(ANSWER.as_bytes()),
    }
}

/// Stands for the digest of a canonical form.
fn form(body: &str) -> MessageDigest {
    MessageDigest::of(format!("form of {body}").as_bytes())
}

/// The biller of a bill.
pub fn code(number: usize) -> String {
    format!("B{:04}", number / PER_BILLER)
}

/// The notice key of a bill; every third has one.
pub fn notice_key(number: usize) -> String {
    if number.is_multiple_of(3) {
        format!("N{number}")
    } else {
        String::new()
    }
}

fn request_id(number: usize, kind: &str) -> String {
    let hash = MessageDigest::of(format!("{number} {kind}").as_bytes());
    let beginning = hash.as_bytes()[..16].iter();
    let number = beginning.fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let hex = format!("{number:032x}");
    [0..8, 8..12, 12..16, 16..20, 20..32]
        .map(|part| &hex[part])
        .join("-")
}

fn body(number: usize, pay_type: &str, amount: &str) -> String {
    format!(
        r#"{{"data":{{"biller_user_key":"{number:010}","billed_year_month":"202611","pay_by":"MONEY","pay_type":"{pay_type}","amount":20000,"pay_amount":{amount},"pay_fee_type":"BEFORE","pay_fee":150,"pay_fee_tax":15,"paid_at":"20261124120000","pay_id":{number},"parameters":{{"a":"12345678","b":"12345678","c":"12345678"}}}}}}"#
    )
}
