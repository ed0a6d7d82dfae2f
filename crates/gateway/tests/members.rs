//! For every member of every API: absent, null, empty, too long, too short, of the wrong type. The
//! answer has the contract's code, and the upstream is not called.
#![allow(
    missing_docs,
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::unwrap_used
)]

use serde_json::{Value, json};

use protocol::ResCode::{E001, E006, E007, E101, E807};

/// The rule of a member in the guide's tables.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// `String` with a maximum length.
    Text(usize),
    /// `String` without one.
    AnyText,
    /// This many digits.
    Digits(usize),
    /// `P` or `C`.
    PayType,
    /// `Number`.
    Number,
    /// `Number`: `pay_id`.
    PayId,
}

use Rule::{AnyText, Digits, Number, PayId, PayType, Text};
use test_support::{
    Caller, Setup, Upstream, assert_own, link, notice, pay_result, prepay, with, without,
};

const REQUIRED: bool = true;
const OPTIONAL: bool = false;

/// The members of each API: name, rule, required.
fn apis() -> Vec<(&'static str, Value, Vec<(&'static str, Rule, bool)>)> {
    let bill = [
        ("biller_user_key", Text(50), REQUIRED),
        ("billed_year_month", Digits(6), OPTIONAL),
        ("ordinal", Text(24), OPTIONAL),
        ("biller_notice_key", Text(80), OPTIONAL),
    ];
    let of = |more: &[(&'static str, Rule, bool)]| [&bill, more].concat();
    let links = of(&[("expire_at", Digits(14), REQUIRED)]);
    let paid = of(&[
        ("pay_by", AnyText, REQUIRED),
        ("pay_type", PayType, REQUIRED),
        ("pay_detail1", Text(6), OPTIONAL),
        ("pay_detail2", Text(20), OPTIONAL),
        ("amount", Number, REQUIRED),
        ("pay_amount", Number, REQUIRED),
        ("pay_fee_type", Text(10), REQUIRED),
        ("pay_fee", Number, REQUIRED),
        ("pay_fee_tax", Number, REQUIRED),
        ("adjust_date", Digits(8), OPTIONAL),
        ("paid_at", Digits(14), REQUIRED),
        ("pay_id", PayId, REQUIRED),
    ]);
    let url = "/external/inquiry-payment/one-time/url";
    vec![
        (concat_path(url, "/B0001"), link("u"), links.clone()),
        (concat_path(url, "/re/B0001"), link("u"), links),
        (
            "/kakao/notice/B0001",
            notice("u"),
            of(&[("user_birth", Digits(8), REQUIRED)]),
        ),
        (
            "/kakao/prepay/B0001",
            prepay("u"),
            of(&[("amount", Number, REQUIRED)]),
        ),
        (
            "/kakao/pay-result/B0001",
            pay_result("u", "P", 1, 20000),
            paid,
        ),
    ]
}

fn concat_path(prefix: &str, rest: &str) -> &'static str {
    format!("{prefix}{rest}").leak()
}

/// Values of the wrong JSON type for a rule.
fn wrong_types(rule: Rule) -> Vec<Value> {
    let mut wrong = vec![json!(true), json!([]), json!({}), json!(["20000"])];
    wrong.push(if matches!(rule, Number | PayId) {
        json!("20000")
    } else {
        json!(20_000)
    });
    wrong
}

/// Values of the right type and the wrong width, with the code for each.
fn wrong_widths(rule: Rule) -> Vec<(Value, protocol::ResCode)> {
    match rule {
        Text(most) => vec![
            (json!("a".repeat(most + 1)), E006),
            // Characters are counted, not bytes.
            (json!("한".repeat(most + 1)), E006),
        ],
        Digits(digits) => vec![
            (json!("1".repeat(digits - 1)), E007),
            (json!("1".repeat(digits + 1)), E007),
            (json!("a".repeat(digits)), E007),
            (json!("１".repeat(digits)), E007),
        ],
        PayType => vec![(json!("p"), E007), (json!("PC"), E007), (json!("X"), E007)],
        Number => vec![(json!(1e18), E807)],
        PayId => vec![(json!(1e38), E807), (json!(0.5), E807)],
        AnyText => vec![],
    }
}

/// Values at the limits of a rule.
fn right_widths(rule: Rule) -> Vec<Value> {
    match rule {
        Text(most) => vec![json!("a".repeat(most)), json!("한".repeat(most))],
        PayId => vec![
            json!(9_223_372_036_854_775_808_u64),
            json!(1e37),
            json!(7.0),
        ],
        Number => vec![json!(999_999_999_999_999_999_u64), json!(0.5), json!(-1)],
        PayType => vec![json!("C")],
        AnyText => vec![json!("가".repeat(500))],
        Digits(_) => vec![],
    }
}

#[test]
fn every_member_of_every_api_is_checked_by_the_guides_table() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let mut caller = gateway.caller();
    for (path, body, members) in apis() {
        for (member, rule, required) in members {
            let mut refused = Refused {
                caller: &mut caller,
                path,
                member,
            };
            if required {
                refused.with(&without(body.clone(), member), 200, E001);
                refused.with(&with(body.clone(), member, json!(null)), 200, E001);
                refused.with(&with(body.clone(), member, json!("")), 200, E001);
            }
            for wrong in wrong_types(rule) {
                refused.with(&with(body.clone(), member, wrong), 400, E807);
            }
            for (wrong, code) in wrong_widths(rule) {
                let status = if code == E807 { 400 } else { 200 };
                refused.with(&with(body.clone(), member, wrong), status, code);
            }
        }
    }
    assert_eq!(
        (kakao.count(), biller.count()),
        (0, 0),
        "an upstream was called"
    );
}

/// Posts an invalid body and checks the answer.
struct Refused<'a> {
    caller: &'a mut Caller,
    path: &'static str,
    member: &'static str,
}

impl Refused<'_> {
    #[track_caller]
    fn with(&mut self, body: &Value, status: u16, code: protocol::ResCode) {
        let reply = self.caller.post(self.path, body.to_string());
        let actual = (reply.status, reply.res_code());
        let expected = (status, code.code().to_owned());
        assert_eq!(actual, expected, "{} {}: {body}", self.path, self.member);
        assert_own(&reply, status, code);
    }
}

#[test]
fn values_at_the_limits_are_relayed() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let mut caller = gateway.caller();
    let mut sent = 0;
    for (path, body, members) in apis() {
        if path.starts_with("/external") {
            continue;
        }
        for (member, rule, required) in members {
            let mut right = right_widths(rule);
            if !required {
                right.extend([json!(null), json!("")]);
            }
            for value in right {
                sent += 1;
                // Every call is for another bill, so that the ledger refuses none.
                let body = with(body.clone(), "ordinal", json!(sent.to_string()));
                let body = with(body, member, value);
                let reply = caller.post(path, body.to_string());
                let code = reply.res_code();
                assert!(
                    code == "OK" || code == "E403" || code == "E817",
                    "{path} {member}: {code} {body}"
                );
            }
        }
    }
    assert!(biller.count() > 0);
    assert_eq!(kakao.count(), 0);
}

#[test]
fn the_whole_body_is_checked_before_its_members() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let deep = |levels: usize| {
        let inner = levels - 2;
        let (open, close) = ("[".repeat(inner), "]".repeat(inner));
        format!(r#"{{"data":{{"x":{open}{close}}}}}"#)
    };
    // body | status | code
    let table: Vec<(Vec<u8>, u16, protocol::ResCode)> = vec![
        (b"".to_vec(), 400, E807),
        (b"null".to_vec(), 400, E807),
        (b"[]".to_vec(), 400, E807),
        (b"{".to_vec(), 400, E807),
        (b"{}".to_vec(), 200, E001),
        (br#"{"data":null}"#.to_vec(), 200, E001),
        (br#"{"data":""}"#.to_vec(), 200, E001),
        (br#"{"data":"x"}"#.to_vec(), 400, E807),
        (br#"{"data":[]}"#.to_vec(), 400, E807),
        (br#"{"data":{}}"#.to_vec(), 200, E001),
        (br#"{"data":{}} x"#.to_vec(), 400, E807),
        (br#"{"data":{}}{}"#.to_vec(), 400, E807),
        (b"\xEF\xBB\xBF{\"data\":{}}".to_vec(), 400, E807),
        (b"{\"data\":{\"x\":\"\xB0\xA1\"}}".to_vec(), 400, E807),
        (br#"{"data":{"x":"\ud800"}}"#.to_vec(), 400, E807),
        (br#"{"data":{"x":"\udc00\ud800"}}"#.to_vec(), 400, E807),
        (br#"{"data":{"x":01}}"#.to_vec(), 400, E807),
        (br#"{"data":{"x":"a	b"}}"#.to_vec(), 400, E807),
        (br#"{"data":{},"data":{}}"#.to_vec(), 400, E807),
        (br#"{"data":{},"d\u0061ta":{}}"#.to_vec(), 400, E807),
        (br#"{"x":1,"x":1,"data":{}}"#.to_vec(), 400, E807),
        (br#"{"data":{"y":1,"\u0079":1}}"#.to_vec(), 400, E807),
        (deep(128).into_bytes(), 200, E001),
        (deep(129).into_bytes(), 400, E807),
    ];
    for (path, ..) in apis() {
        for (body, status, code) in &table {
            let reply = gateway.post(path, body);
            let actual = (reply.status, reply.res_code());
            assert_eq!(
                actual,
                (*status, code.code().into()),
                "{path}: {}",
                String::from_utf8_lossy(body)
            );
            assert_own(&reply, *status, *code);
        }
    }
    assert_eq!((kakao.count(), biller.count()), (0, 0));
}

#[test]
fn parameters_of_the_link_apis_are_short_printable_strings_or_numbers() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let path = "/external/inquiry-payment/one-time/url/B0001";
    // parameters | status | code
    let refused = [
        (json!({"a": "123456789"}), 200, E006),
        (json!({"a": "가"}), 200, E101),
        (json!({"a": "x\n"}), 200, E101),
        (json!({"a": "x\u{7f}"}), 200, E101),
        (json!({"a": true}), 200, E101),
        (json!({"a": null}), 200, E101),
        (json!({"a": []}), 200, E101),
        (json!({"a": {}}), 200, E101),
        (json!("x"), 400, E807),
        (json!(1), 400, E807),
        (json!([]), 400, E807),
    ];
    for (parameters, status, code) in refused {
        let body = with(link("u"), "parameters", parameters);
        assert_own(&gateway.post(path, body.to_string()), status, code);
    }
    let twice = r#"{"data":{"biller_user_key":"u","expire_at":"20991231235959","parameters":{"a":"1","a":"1"}}}"#;
    assert_own(&gateway.post(path, twice), 400, E807);
    assert_eq!(kakao.count(), 0);
    let taken = [
        json!({"a": "12345678"}),
        json!({"a": 1_234_567_890_123_u64}),
        json!(null),
        json!(""),
    ];
    for (number, parameters) in taken.into_iter().enumerate() {
        let body = with(link(&format!("u{number}")), "parameters", parameters);
        assert_eq!(gateway.post(path, body.to_string()).res_code(), "OK");
    }
    // Kakao Pay's calls may have any `parameters`.
    let body = with(
        prepay("u"),
        "parameters",
        json!({"a": ["열 글자가 넘는 값"]}),
    );
    assert_eq!(
        gateway
            .post("/kakao/prepay/B0001", body.to_string())
            .res_code(),
        "OK"
    );
}

#[test]
fn expire_at_is_a_real_time_that_may_be_past() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let path = "/external/inquiry-payment/one-time/url/B0001";
    for unreal in [
        "20260230000000",
        "20261301000000",
        "20260101240000",
        "20260101006000",
    ] {
        let body = with(link("u"), "expire_at", json!(unreal));
        assert_own(&gateway.post(path, body.to_string()), 200, E007);
    }
    for (number, real) in ["20200409235959", "20240229000000"].into_iter().enumerate() {
        let body = with(link(&format!("u{number}")), "expire_at", json!(real));
        assert_eq!(gateway.post(path, body.to_string()).res_code(), "OK");
    }
}

#[test]
fn required_members_come_before_widths_and_types_before_both() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let long = "a".repeat(51);
    // body | status | code
    let table = [
        (json!({"data": {"biller_user_key": long}}), 200, E001),
        (
            json!({"data": {"biller_user_key": long, "amount": "x"}}),
            400,
            E807,
        ),
        (
            json!({"data": {"biller_user_key": long, "billed_year_month": "2026", "amount": 1}}),
            200,
            E006,
        ),
        (
            json!({"data": {"biller_user_key": "u", "billed_year_month": "2026", "amount": 1e30}}),
            200,
            E007,
        ),
        (json!({"data": {"amount": 1e30}}), 200, E001),
    ];
    for (body, status, code) in table {
        let reply = gateway.post("/kakao/prepay/B0001", body.to_string());
        assert_eq!(
            (reply.status, reply.res_code()),
            (status, code.code().into()),
            "{body}"
        );
    }
    assert_eq!(biller.count(), 0);
}
